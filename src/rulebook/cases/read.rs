//! A case as somebody wrote it, made into what is asked and what must come of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::{Asks, Case, Expected, Wanted, Wields};
use crate::clock::Timestamp;
use crate::facts::fields::{At, Fields};
use crate::facts::{
    Arrival, Ask, Channel, Door, MethodName, NetworkName, Observation, Outcome, Person, PolicyId, PurposeId,
    SourceText, Standing, Subject, SubjectId, TOKEN_LASTS, WouldBe, did_you_mean,
};
use crate::policy::{NamedKind, Power, Vocabulary};
use crate::purpose::{Purpose, parse_duration};
use crate::rulebook::described::Described;
use crate::rulebook::tried::Asked;
use crate::rulebook::weigh::named_as;
use crate::rulebook::words::Words;

pub(super) const DEFAULTS: &[&str] = &["at", "network", "proof"];
pub(super) const CASE: &[&str] = &[
    "it",
    "who",
    "to",
    "method",
    "headers",
    "body",
    "does",
    "asks",
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
    "whose",
    "on-behalf-of",
    "waited",
    "for",
    "channel",
    "outcome",
    "would",
    "may-continue",
    "policies",
    "offers",
    "inspect",
    "reads-as",
    "under",
    "ticket",
    "declared",
    "expires",
    "emergency",
];
pub(super) const GRANT: &[&str] = &[
    "purpose",
    "platforms",
    "covers",
    "approved-by",
    "ticket",
    "declared",
    "expires",
    "emergency",
];

/// The words that cases are read with.
pub(super) struct Bench<'a> {
    pub(super) words: &'a Words<'a>,
    pub(super) defaults: Option<&'a Fields<'a, 'a>>,
    pub(super) file: &'a SourceText,
    pub(super) people: &'a Asked<'a>,
}

/// Who asks, from where, when.
pub(super) struct Setting {
    pub(super) person: Option<Arc<Person>>,
    pub(super) subject: Option<Subject>,
    pub(super) arrival: Arrival,
    pub(super) at: Timestamp,
}

/// What is wrong has been reported.
pub(super) struct Reported;

impl Bench<'_> {
    /// One case; none where it cannot be read, which is a problem of its file then. Whatever is wrong with one part of it,
    /// the others are read, too.
    pub(super) fn case(&self, case: &Fields<'_, '_>) -> Option<Case> {
        let name = case.needed("it").value.to_owned();
        let expected = self.expected(case);
        let setting = self.setting(case);
        let asks = if case.has("may") {
            self.power(case, setting)
        } else {
            self.flow(case, setting)
        };
        let span = case.place("it");
        Some(Case {
            name,
            file: self.file.name.clone(),
            place: self.file.line_and_column(span.0),
            span,
            asks: asks?,
            expected: expected?,
        })
    }

    fn expected(&self, case: &Fields<'_, '_>) -> Option<Expected> {
        let outcomes = [Outcome::Allow, Outcome::Declare, Outcome::Request, Outcome::Deny];
        let [allow, declare, request, deny] = outcomes.map(Wanted::Exactly);
        let outcomes = [allow, declare, request, deny, Wanted::Refused].map(|wanted| (wanted.as_str(), wanted));
        if !case.has("outcome") {
            let help = "add `outcome = \"allow\"`, \"declare\", \"request\", \"deny\" or, for any of the last three, \"refused\"";
            case.report("missing-key", case.span, "`outcome` is missing", help);
        }
        let offers = case.texts("offers");
        let offers = offers.iter().filter_map(|offer| self.purpose(case, *offer));
        let offers = offers.map(|purpose| purpose.id.clone()).collect();
        let under = case.text("under");
        under.and_then(|name| self.purpose(case, name));
        Some(Expected {
            policies: self.policies(case),
            offers: case.has("offers").then_some(offers),
            inspect: case.flag("inspect"),
            reads_as: case.text("reads-as").map(|text| text.value.to_owned()),
            under: under.map(|text| PurposeId::new(text.value)),
            would: case.choice(
                "would",
                &[WouldBe::Allowed, WouldBe::Denied].map(|word| (word.as_str(), word)),
            ),
            may_continue: case.flag("may-continue"),
            errors: None,
            outcome: case.choice("outcome", &outcomes)?,
        })
    }

    fn policies(&self, case: &Fields<'_, '_>) -> Option<Vec<PolicyId>> {
        if !case.has("policies") {
            return None;
        }
        let mut known = Vec::new();
        for word in case.texts("policies") {
            let id = PolicyId::new(word.value);
            if self.words.rules.may_have(&id) {
                known.push(id);
            } else {
                Self::unknown(case, word, "rule", self.words.rules.names().into_iter());
            }
        }
        Some(known)
    }

    fn setting(&self, case: &Fields<'_, '_>) -> Option<Setting> {
        let of = |key: &str| {
            let defaults = self.defaults.filter(|_| !case.has(key));
            defaults.unwrap_or(case)
        };
        let proofs =
            [MethodName::Basic, MethodName::Certificate, MethodName::Token].map(|method| (method.as_str(), method));
        let method = of("proof").choice("proof", &proofs).unwrap_or(MethodName::Basic);
        let network = of("network").text("network");
        let at = Self::moment(case, of("at").moment("at"));
        let (subject, person) = self.who(case, method)?;
        Some(Setting {
            person,
            subject,
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
                network: network.map_or_else(NetworkName::default, |name| NetworkName::new(name.value)),
            },
            at: at?,
        })
    }

    fn moment(case: &Fields<'_, '_>, at: Option<At<String>>) -> Option<Timestamp> {
        let Some(at) = at else {
            let help = "add `at = 2026-11-24T10:00:00Z` to the case or to `[defaults]`";
            case.report("missing-key", case.span, "`at` is missing", help);
            return None;
        };
        let moment = at.value.parse().ok();
        if moment.is_none() {
            let message = format!("`{}` is not a moment", at.value);
            case.report("bad-moment", at.span, message, "write `2026-11-24T10:00:00Z`");
        }
        moment
    }

    /// The person of the case; nobody where it names none; a stranger to the directory where it names `stranger`.
    fn who(&self, case: &Fields<'_, '_>, method: MethodName) -> Option<(Option<Subject>, Option<Arc<Person>>)> {
        let Some(name) = case.text("who") else {
            return Some((None, None));
        };
        let id = Self::subject(case, name)?;
        let person = self.people.person(&id);
        if person.is_none() && id.as_str() != "stranger" {
            if self.words.has_all(NamedKind::Person) {
                let people = self.words.directory.people().map(|one| one.id.as_str());
                Self::unknown(case, name, "person", people);
            }
            return None;
        }
        Some((Some(Subject { id, method }), person))
    }

    pub(super) fn subject(case: &Fields<'_, '_>, name: At<&str>) -> Option<SubjectId> {
        let parsed = SubjectId::parse(name.value);
        parsed
            .map_err(|bad| case.report("bad-name", name.span, bad.to_string(), "name a person of `people/`"))
            .ok()
    }

    pub(super) fn purpose(&self, case: &Fields<'_, '_>, name: At<&str>) -> Option<&Purpose> {
        let found = self.words.purposes.get(&PurposeId::new(name.value));
        // one that only the schema lists is told there
        let listed = self.words.vocabulary.map(Vocabulary::purposes);
        let is_listed = listed.is_some_and(|listed| listed.contains(&PurposeId::new(name.value)));
        if found.is_none() && !is_listed && self.words.has_all(NamedKind::Purpose) {
            let all = self.words.purposes.iter().map(|one| one.id.as_str());
            Self::unknown(case, name, "purpose", all);
        }
        found
    }

    pub(super) fn unknown<'w>(case: &Fields<'_, '_>, word: At<&str>, kind: &str, known: impl Iterator<Item = &'w str>) {
        let help = match did_you_mean(word.value, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name a {kind} that there is"),
        };
        let message = format!("there is no {kind} `{}`", word.value);
        case.report("unknown-name", word.span, message, help);
    }

    /// May somebody declare, approve or revoke?
    fn power(&self, case: &Fields<'_, '_>, setting: Option<Setting>) -> Option<Asks> {
        let power = case.choice("may", &Power::ALL.map(|power| (power.as_str(), power)));
        let channels = [
            Channel::Portal,
            Channel::Cli,
            Channel::Api,
            Channel::ProxyName,
            Channel::Header,
        ];
        let channels = channels.map(|channel| (channel.as_str(), channel));
        let channel = case.choice("channel", &channels).unwrap_or(Channel::Portal);
        let about_purpose = power.is_none_or(Power::is_over_purposes);
        let purpose = if about_purpose {
            case.required("purpose").and_then(|name| self.purpose(case, name))
        } else {
            None
        };
        let [declarer, behalf, whose] =
            ["declarer", "on-behalf-of", "whose"].map(|key| case.text(key).map(|name| Self::subject(case, name)));
        let [lasts, waited] = ["for", "waited"].map(|key| Self::span(case, key));
        let setting = setting?;
        let (Some(person), Some(subject)) = (setting.person, setting.subject) else {
            case.report("nobody", case.span, "the case names no person", "add `who = \"ada\"`");
            return None;
        };
        let power = power?;
        let Some(purpose) = purpose else {
            if about_purpose {
                return None;
            }
            let lasts = lasts.unwrap_or(TOKEN_LASTS);
            let wields = Wields::of_token((person, subject), setting.arrival, (lasts, channel, setting.at));
            let whose = whose.map_or(Some(None), |whose| whose.map(Some))?;
            let wields = self.about_whom(wields, power, whose);
            return Some(Asks::Power(Box::new(wields)));
        };
        let declarer = declarer.unwrap_or_else(|| Some(person.id.clone()))?;
        let declarer_person = self.people.person(&declarer);
        let manager = declarer_person.as_ref().and_then(|declarer| declarer.manager.as_ref());
        let behalf = behalf.map_or(Some(None), |whom| whom.map(Some))?;
        let acts_for = behalf.as_ref().map(|whom| self.people.person(whom));
        let answers = acts_for.unwrap_or_else(|| Some(Arc::clone(&person)));
        let seating = purpose.seating((&declarer, manager), waited.unwrap_or_default());
        let seats = answers.map(|whom| seating.seats(&whom));
        let named_as = named_as(&seats.unwrap_or_default()).filter(|_| power == Power::Approve);
        Some(Asks::Power(Box::new(Wields {
            person,
            subject,
            arrival: setting.arrival,
            power,
            purpose: purpose.id.clone(),
            declarer_person,
            declarer,
            business_owner: purpose.business_owner.clone(),
            longest_for: lasts.unwrap_or_else(|| purpose.longest_for(&purpose.covers)),
            channel,
            named_as,
            behalf,
            at: setting.at,
        })))
    }

    /// The same of whose decisions it is asked, where it is about decisions.
    fn about_whom(&self, wields: Wields, power: Power, whose: Option<SubjectId>) -> Wields {
        match whose {
            _ if power != Power::SeeDecisions => wields,
            Some(whose) => wields.of_decisions(self.people.person(&whose), whose),
            None => wields.of_decisions(None, SubjectId::nobody()),
        }
    }

    fn span(case: &Fields<'_, '_>, key: &str) -> Option<std::time::Duration> {
        let text = case.text(key)?;
        let parsed = parse_duration(text.value);
        parsed
            .map_err(|bad| case.report("bad-duration", text.span, bad.to_string(), "write `8h`"))
            .ok()
    }

    /// May this flow pass?
    fn flow(&self, case: &Fields<'_, '_>, setting: Option<Setting>) -> Option<Asks> {
        let ask = self.ask(case);
        let grants = self.grants(case, setting.as_ref(), ask.as_ref());
        let alone = case.has("asks").then(|| self.actions(case));
        let reading = self.given_reading(case);
        let (setting, ask, grants) = (setting?, ask?, grants?);
        let seen = Box::new(Observation {
            standing: Standing::new(grants, setting.at),
            arrival: setting.arrival,
            subject: setting.subject,
            person: setting.person,
            ask,
            selected: None,
            at: setting.at,
        });
        if let Some(actions) = alone {
            let actions = actions.ok()?;
            return Some(Asks::Alone { seen, actions });
        }
        let reading = reading.ok()?;
        Some(Asks::Flow { seen, reading })
    }

    fn ask(&self, case: &Fields<'_, '_>) -> Option<Ask> {
        let headers = case.table("headers", &[]);
        let field =
            |headers: &Fields<'_, '_>, name: &str| Some((name.to_owned(), headers.text(name)?.value.to_owned()));
        let headers = headers
            .iter()
            .flat_map(|headers| headers.keys().filter_map(|(name, _)| field(headers, name)));
        let (headers, to) = (headers.collect(), case.required("to"));
        let method = case.text("method").map(|method| method.value.to_owned());
        let body = case.text("body").map(|body| body.value.to_owned());
        // what is not there is told of once
        let to = to?;
        let described = Described {
            to: to.value.to_owned(),
            method,
            headers,
            body,
        };
        let help = "write a URL for a request, `host` or `host:443` for a tunnel";
        let ask = described.ask(self.words.catalog);
        ask.map_err(|bad| case.report("bad-place", to.span, bad, help)).ok()
    }
}
