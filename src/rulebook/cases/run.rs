//! One case: read, judged, compared.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::{CaseFailure, CaseReport};
use crate::clock::Timestamp;
use crate::facts::fields::{At, Fields, list};
use crate::facts::{
    Arrival, Channel, Door, MethodName, NetworkName, Outcome, Person, PolicyId, PurposeId, Reason, SourceText, Subject,
    SubjectId, Would, WouldBe, did_you_mean,
};
use crate::policy::{GrantQuestion, Power};
use crate::purpose::parse_duration;
use crate::rulebook::{Directory, Rulebook};

pub(super) const DEFAULTS: &[&str] = &["at", "network", "proof"];
pub(super) const CASE: &[&str] = &[
    "it",
    "who",
    "to",
    "method",
    "headers",
    "body",
    "does",
    "purpose",
    "platforms",
    "covers",
    "approved-by",
    "grants",
    "network",
    "proof",
    "at",
    "may",
    "declarer",
    "for",
    "channel",
    "outcome",
    "policies",
    "offers",
    "would",
    "inspect",
    "reads-as",
    "under",
    "ticket",
    "expires",
];

/// The rules and people that cases are run with.
pub(super) struct Bench<'a> {
    pub(super) rules: &'a Rulebook,
    pub(super) directory: &'a Directory,
    pub(super) defaults: Option<&'a Fields<'a, 'a>>,
    pub(super) file: &'a SourceText,
}

/// Who asks, from where, when.
pub(super) struct Setting {
    pub(super) person: Option<Arc<Person>>,
    pub(super) subject: Option<Subject>,
    pub(super) arrival: Arrival,
    pub(super) at: Timestamp,
}

/// What came of a case.
pub(super) struct Came {
    pub(super) outcome: Outcome,
    /// Everything that decided.
    pub(super) reasons: Vec<Reason>,
    pub(super) offers: Vec<PurposeId>,
    pub(super) inspect: Option<bool>,
    pub(super) reads_as: Option<String>,
    pub(super) under: Option<PurposeId>,
    /// What rules on probation would have changed.
    pub(super) would: Option<Would>,
    pub(super) troubles: Vec<String>,
}

impl Bench<'_> {
    /// Runs one case. A case that cannot be read is a problem of its file, and does not count as passed.
    pub(super) fn run(&self, case: &Fields<'_, '_>, report: &mut CaseReport) {
        let name = case.needed("it").value;
        let expected = Self::outcome(case);
        let Some(setting) = self.setting(case) else { return };
        let came = if case.has("may") {
            self.power(case, &setting)
        } else {
            self.flow(case, &setting)
        };
        let (Some(came), Some(expected)) = (came, expected) else {
            return;
        };
        report
            .reached
            .extend(came.reasons.iter().map(|reason| reason.policy.clone()));
        report
            .reached
            .extend(came.would.iter().flat_map(|would| would.policies.clone()));
        let lines = self.differences(case, expected, &came);
        if lines.is_empty() {
            report.passed += 1;
            return;
        }
        let span = case.place("it");
        report.failures.push(CaseFailure {
            name,
            file: self.file.name.clone(),
            place: self.file.line_and_column(span.0),
            span,
            lines: lines.into_iter().chain(came.because()).collect(),
        });
    }

    fn outcome(case: &Fields<'_, '_>) -> Option<Outcome> {
        let outcomes = [Outcome::Allow, Outcome::Declare, Outcome::Request, Outcome::Deny];
        let outcomes = outcomes.map(|outcome| (outcome.as_str(), outcome));
        if !case.has("outcome") {
            let help = "add `outcome = \"allow\"`, \"declare\", \"request\" or \"deny\"";
            case.report("missing-key", case.span, "`outcome` is missing", help);
        }
        case.choice("outcome", &outcomes)
    }

    fn setting(&self, case: &Fields<'_, '_>) -> Option<Setting> {
        let of = |key: &str| {
            let defaults = self.defaults.filter(|_| !case.has(key));
            defaults.unwrap_or(case)
        };
        let proofs = [MethodName::Basic, MethodName::Certificate].map(|method| (method.as_str(), method));
        let method = of("proof").choice("proof", &proofs).unwrap_or(MethodName::Basic);
        let network = of("network").text("network");
        let at = of("at").moment("at");
        let Some(at) = at else {
            let help = "add `at = 2026-11-24T10:00:00Z` to the case or to `[defaults]`";
            case.report("missing-key", case.span, "`at` is missing", help);
            return None;
        };
        let Ok(moment) = at.value.parse::<Timestamp>() else {
            let message = format!("`{}` is not a moment", at.value);
            case.report("bad-moment", at.span, message, "write `2026-11-24T10:00:00Z`");
            return None;
        };
        let (subject, person) = self.who(case, method)?;
        Some(Setting {
            person,
            subject,
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
                network: network.map_or_else(NetworkName::default, |name| NetworkName::new(name.value)),
            },
            at: moment,
        })
    }

    /// The person of the case; nobody where it names none; a stranger to the directory where it names `stranger`.
    fn who(&self, case: &Fields<'_, '_>, method: MethodName) -> Option<(Option<Subject>, Option<Arc<Person>>)> {
        let Some(name) = case.text("who") else {
            return Some((None, None));
        };
        let id = Self::subject(case, &name)?;
        let person = self.directory.person(&id);
        if person.is_none() && id.as_str() != "stranger" {
            Self::unknown(
                case,
                &name,
                "person",
                self.directory.people().map(|one| one.id.as_str()),
            );
            return None;
        }
        Some((Some(Subject { id, method }), person))
    }

    pub(super) fn subject(case: &Fields<'_, '_>, name: &At<String>) -> Option<SubjectId> {
        let parsed = SubjectId::parse(&name.value);
        parsed
            .map_err(|bad| case.report("bad-name", name.span, bad.to_string(), "name a person of `people/`"))
            .ok()
    }

    pub(super) fn purpose(&self, case: &Fields<'_, '_>, name: &At<String>) -> Option<&crate::purpose::Purpose> {
        let found = self.rules.purposes().get(&PurposeId::new(name.value.clone()));
        if found.is_none() {
            Self::unknown(
                case,
                name,
                "purpose",
                self.rules.purposes().iter().map(|one| one.id.as_str()),
            );
        }
        found
    }

    pub(super) fn unknown<'w>(
        case: &Fields<'_, '_>,
        word: &At<String>,
        kind: &str,
        known: impl Iterator<Item = &'w str>,
    ) {
        let help = match did_you_mean(&word.value, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name a {kind} that there is"),
        };
        case.report(
            "unknown-name",
            word.span,
            format!("there is no {kind} `{}`", word.value),
            help,
        );
    }

    /// May somebody declare, approve or revoke?
    fn power(&self, case: &Fields<'_, '_>, setting: &Setting) -> Option<Came> {
        let power = case.choice("may", &Power::ALL.map(|power| (power.as_str(), power)))?;
        let channels = [
            Channel::Portal,
            Channel::Cli,
            Channel::Api,
            Channel::ProxyName,
            Channel::Header,
        ];
        let channels = channels.map(|channel| (channel.as_str(), channel));
        let purpose = self.purpose(case, &case.needed("purpose"))?;
        let (Some(person), Some(subject)) = (&setting.person, &setting.subject) else {
            case.report("nobody", case.span, "the case names no person", "add `who = \"ada\"`");
            return None;
        };
        let declarer = match case.text("declarer") {
            Some(name) => Self::subject(case, &name)?,
            None => person.id.clone(),
        };
        let declarer_person = self.directory.person(&declarer);
        let decision = self.rules.policy().decide_on_grant(&GrantQuestion {
            person,
            subject,
            arrival: &setting.arrival,
            power,
            purpose: &purpose.id,
            declarer: &declarer,
            declarer_person: declarer_person.as_deref(),
            business_owner: &purpose.business_owner,
            longest_for: Self::lasts(case).unwrap_or_else(|| purpose.longest_for(&purpose.covers)),
            channel: case.choice("channel", &channels).unwrap_or(Channel::Portal),
            at: setting.at,
        });
        Some(Came {
            outcome: if decision.is_allowed() {
                Outcome::Allow
            } else {
                Outcome::Deny
            },
            reasons: decision.reasons().to_vec(),
            offers: Vec::new(),
            inspect: None,
            reads_as: None,
            under: None,
            would: None,
            troubles: decision.troubles().to_vec(),
        })
    }

    pub(super) fn lasts(case: &Fields<'_, '_>) -> Option<std::time::Duration> {
        let text = case.text("for")?;
        let parsed = parse_duration(&text.value);
        parsed
            .map_err(|bad| case.report("bad-duration", text.span, bad.to_string(), "write `8h`"))
            .ok()
    }

    fn differences(&self, case: &Fields<'_, '_>, expected: Outcome, came: &Came) -> Vec<String> {
        let mut lines = Vec::new();
        let mut differ = |what: &str, expected: &str, came: &str| {
            if expected != came {
                lines.push(format!("{what}: expected {expected}, came {came}"));
            }
        };
        differ("outcome", expected.as_str(), came.outcome.as_str());
        if let Some(inspect) = case.flag("inspect") {
            let word = |inspect: bool| if inspect { "read" } else { "unread" };
            differ("flow", word(inspect), came.inspect.map_or("no flow", word));
        }
        let words = [WouldBe::Allowed, WouldBe::Denied].map(|word| (word.as_str(), word));
        if let Some(expected) = case.choice("would", &words) {
            let came = came.would.as_ref().map_or("no difference", |would| would.be.as_str());
            differ("would", expected.as_str(), came);
        }
        if let Some(activity) = case.text("reads-as") {
            differ(
                "reads-as",
                &activity.value,
                came.reads_as.as_deref().unwrap_or("not read"),
            );
        }
        if let Some(purpose) = case.text("under") {
            differ(
                "under",
                &purpose.value,
                came.under.as_ref().map_or("no grant", PurposeId::as_str),
            );
        }
        let would = came.would.iter().flat_map(|would| &would.policies);
        let decided: BTreeSet<&str> = came
            .reasons
            .iter()
            .map(|reason| &reason.policy)
            .chain(would)
            .map(PolicyId::as_str)
            .collect();
        for policy in case.texts("policies") {
            if self.rules.policy().rule(&PolicyId::new(policy.value.clone())).is_none() {
                Self::unknown(
                    case,
                    &policy,
                    "policy",
                    self.rules.policy().rules().map(|rule| rule.id.as_str()),
                );
            } else if !decided.contains(policy.value.as_str()) {
                lines.push(format!("policies: `{}` did not decide", policy.value));
            }
        }
        lines.extend(self.offer_differences(case, came));
        lines
    }

    fn offer_differences(&self, case: &Fields<'_, '_>, came: &Came) -> Vec<String> {
        let offers = case.texts("offers");
        let offered = || came.offers.iter().map(PurposeId::as_str);
        if case.has("offers") && offers.is_empty() && !came.offers.is_empty() {
            return vec![format!("offers: expected none, came {}", list(offered()))];
        }
        let missing = offers.iter().filter(|offer| self.purpose(case, offer).is_some());
        let missing = missing.filter(|offer| !offered().any(|one| one == offer.value));
        missing
            .map(|offer| format!("offers: `{}` is not offered", offer.value))
            .collect()
    }
}

impl Came {
    /// Why it came so, below what was expected.
    fn because(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .reasons
            .iter()
            .map(|reason| format!("decided by `{}`: {}", reason.policy, reason.text))
            .collect();
        if lines.is_empty() {
            lines.push("decided by no rule: nothing permits it".to_owned());
        }
        if !self.offers.is_empty() {
            lines.push(format!("offered: {}", list(self.offers.iter().map(PurposeId::as_str))));
        }
        if let Some(would) = &self.would {
            let policies = list(would.policies.iter().map(PolicyId::as_str));
            lines.push(format!(
                "with the rules on probation: {} by {policies}",
                would.be.as_str()
            ));
        }
        lines.extend(self.troubles.iter().map(|trouble| format!("trouble: {trouble}")));
        lines
    }
}
