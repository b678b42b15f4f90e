//! Why, in words: one explanation for the command line, the portal and the refusal page.

use serde::Serialize;

use super::Rulebook;
use super::judgement::Judgement;
use crate::facts::fields::list;
use crate::facts::{
    Activity, Coach, Effect, GrantId, Host, Observation, Offer, Outcome, PlatformId, PolicyId, PurposeId, Reason,
    Remedy, RulebookId, SignatureId, SubjectId, WouldBe,
};
use crate::purpose::show_duration;

/// Everything that there is to say about one judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Which of the four outcomes.
    pub outcome: Outcome,
    /// Who asked, if that is known.
    pub who: Option<SubjectId>,
    /// The host.
    pub host: Host,
    /// The platform it belongs to.
    pub platform: Option<PlatformId>,
    /// The categories it is in.
    pub categories: Vec<String>,
    /// What it does: the strictest activity, or `connect`.
    pub activity: Activity,
    /// Everything that it may do.
    pub activities: Vec<Activity>,
    /// The signatures that recognised it.
    pub signatures: Vec<SignatureId>,
    /// Whether the gateway may read the flow.
    pub inspected: bool,
    /// The grant it passes under.
    pub grant: Option<GrantId>,
    /// The purpose of that grant.
    pub purpose: Option<PurposeId>,
    /// The policies that decided whether it may pass.
    pub policies: Vec<ExplainedPolicy>,
    /// The policies that decided whether it may be read.
    pub inspection: Vec<ExplainedPolicy>,
    /// What went wrong with policies that failed to evaluate.
    pub troubles: Vec<String>,
    /// Where its sender may continue once they are told why not: whether they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coach: Option<Coach>,
    /// What rules on probation would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would: Option<ExplainedTrial>,
    /// What would help.
    pub remedy: Remedy,
    /// The rules that decided.
    pub rulebook: RulebookId,
}

/// What would come of it with the rules on probation in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedTrial {
    /// Whether it would pass.
    pub be: WouldBe,
    /// Whether it would be read.
    pub inspected: bool,
    /// The policies that would decide whether it may pass.
    pub policies: Vec<ExplainedPolicy>,
    /// The policies that would decide whether it may be read.
    pub inspection: Vec<ExplainedPolicy>,
    /// What goes wrong with policies that fail to evaluate.
    pub troubles: Vec<String>,
}

/// A policy with its words and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedPolicy {
    /// `@id`
    pub id: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@title`
    pub title: Option<String>,
    /// `@reason`
    pub reason: String,
    /// `@fix`
    pub fix: Option<String>,
    /// The file it stands in.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// The whole policy as written.
    pub text: String,
}

impl Rulebook {
    /// Explains a judgement of `seen`; what would help is computed where it was refused.
    pub fn explain(&self, seen: &Observation, judgement: &Judgement) -> Explanation {
        let remedy = self.remedy(seen);
        let reading = judgement.reading();
        let policies = |reasons: &[Reason]| reasons.iter().map(|reason| self.explained(reason)).collect();
        let would = judgement.trial().map(|trial| ExplainedTrial {
            be: trial.would_be(),
            inspected: trial.inspect(),
            policies: policies(trial.reasons()),
            inspection: policies(trial.inspect_reasons()),
            troubles: trial.troubles().to_vec(),
        });
        Explanation {
            outcome: judgement.outcome_if(&remedy),
            who: seen.subject.as_ref().map(|subject| subject.id.clone()),
            host: judgement.place().host.clone(),
            platform: judgement.place().platform.clone(),
            categories: judgement
                .place()
                .categories
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            activity: judgement.activity(),
            activities: reading
                .map(|reading| reading.activities.iter().cloned().collect())
                .unwrap_or_default(),
            signatures: reading
                .map(|reading| reading.signatures.iter().cloned().collect())
                .unwrap_or_default(),
            inspected: judgement.inspect(),
            grant: judgement.grant().map(|grant| grant.id.clone()),
            purpose: judgement.grant().map(|grant| grant.purpose.clone()),
            policies: policies(judgement.reasons()),
            inspection: policies(judgement.inspect_reasons()),
            troubles: judgement.troubles().to_vec(),
            coach: judgement.coach(),
            would,
            remedy,
            rulebook: self.id.clone(),
        }
    }

    fn explained(&self, reason: &Reason) -> ExplainedPolicy {
        let rule = self.policy.rule(&reason.policy);
        ExplainedPolicy {
            id: reason.policy.clone(),
            effect: reason.effect,
            title: rule.and_then(|rule| rule.title.clone()),
            reason: reason.text.as_ref().to_owned(),
            fix: reason.fix.as_deref().map(str::to_owned),
            file: rule.map(|rule| rule.file.clone()).unwrap_or_default(),
            line: rule.map(|rule| rule.line).unwrap_or_default(),
            text: rule.map(|rule| rule.text.clone()).unwrap_or_default(),
        }
    }
}

impl Explanation {
    /// The explanation as people read it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.headline(), self.recognised()];
        let mut section = |title: &str, found: Vec<String>| {
            if !found.is_empty() {
                lines.push(String::new());
                lines.push(title.to_owned());
                lines.extend(found);
            }
        };
        section("why", self.why());
        section(
            "why it is read or not",
            self.inspection.iter().flat_map(ExplainedPolicy::lines).collect(),
        );
        section(
            "trouble",
            self.troubles.iter().map(|trouble| format!("  {trouble}")).collect(),
        );
        section("coached", self.coached());
        let on_probation = self.would.as_ref().map(|would| would.lines(self.inspected));
        section("with the rules on probation in force", on_probation.unwrap_or_default());
        section("what would help", self.help());
        section("rules", vec![format!("  {}", self.rulebook)]);
        lines
    }

    fn headline(&self) -> String {
        let who = self.who.as_ref().map_or("somebody unknown", SubjectId::as_str);
        let place = match &self.platform {
            Some(platform) => format!("{} ({platform})", self.host),
            None => self.host.to_string(),
        };
        let verb = match self.outcome {
            Outcome::Allow => "may",
            Outcome::Declare => "may, once a purpose is declared,",
            Outcome::Request => "may, once a purpose is approved,",
            Outcome::Deny => "may not",
        };
        let under = self
            .purpose
            .as_ref()
            .map_or_else(String::new, |purpose| format!(" for `{purpose}`"));
        format!(
            "{}: {who} {verb} {} on {place}{under}",
            self.outcome.as_str(),
            self.activity
        )
    }

    fn recognised(&self) -> String {
        if !self.inspected {
            return "  the gateway does not read this flow: only its host is judged".to_owned();
        }
        let Some((first, rest)) = self.activities.split_first() else {
            return "  the gateway reads this flow and judges each request in it".to_owned();
        };
        let all = rest.iter().fold(first.to_string(), |all, one| format!("{all}, {one}"));
        let by = self
            .signatures
            .iter()
            .map(SignatureId::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let by = if by.is_empty() {
            "no signature: the safer reading".to_owned()
        } else {
            by
        };
        format!("  recognised as {all}, by {by}")
    }

    fn why(&self) -> Vec<String> {
        let policies = self.policies.iter().flat_map(ExplainedPolicy::lines);
        let not_now = self.remedy.not_now.iter().map(|text| format!("  not now: {text}"));
        let none = self.policies.is_empty() && self.outcome != Outcome::Allow;
        let none = none.then(|| "  no rule permits it".to_owned());
        none.into_iter().chain(policies).chain(not_now).collect()
    }

    fn coached(&self) -> Vec<String> {
        let who = self.who.as_ref().map_or("whoever asks", SubjectId::as_str);
        let line = match &self.coach {
            None => return Vec::new(),
            Some(Coach::Offered) => format!("  {who} is told why not, and may continue"),
            Some(Coach::Continued(id)) => format!("  {who} was told why not, and continued: it passes (`{id}`)"),
        };
        vec![line]
    }

    fn help(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.remedy.offers.iter().map(offered).collect();
        lines.extend(self.remedy.fixes.iter().map(|fix| format!("  fix `{fix}`")));
        lines.extend(
            self.remedy
                .alternative
                .iter()
                .map(|other| format!("  instead: {other}")),
        );
        if lines.is_empty() && self.outcome == Outcome::Deny {
            lines.push("  nothing: no purpose of the catalogue opens this".to_owned());
        }
        lines
    }
}

fn offered(offer: &Offer) -> String {
    let verb = if offer.needs_approval { "ask for" } else { "declare" };
    let covers = list(offer.covers.iter().map(String::as_str));
    let (lasts, longest) = (show_duration(offer.default_for), show_duration(offer.longest_for));
    let mut line = format!(
        "  {verb} `{}` ({}): covers {covers}, lasts {lasts}, at most {longest}",
        offer.purpose, offer.title
    );
    if !offer.approvers.is_empty() {
        let approvers = list(offer.approvers.iter().map(String::as_str));
        line = format!("{line}, approved by {approvers}");
    }
    if let Some(pattern) = &offer.ticket_pattern {
        line = format!("{line}, ticket `{pattern}`");
    }
    line
}

impl ExplainedTrial {
    fn lines(&self, inspected: bool) -> Vec<String> {
        let mut lines = vec![match (self.be, self.policies.is_empty()) {
            (WouldBe::Allowed, _) => "  would allow, by these policies".to_owned(),
            (WouldBe::Denied, false) => "  would deny, by these policies".to_owned(),
            (WouldBe::Denied, true) if self.troubles.is_empty() => "  would deny: no rule would permit it".to_owned(),
            (WouldBe::Denied, true) => "  would deny: a policy fails to evaluate".to_owned(),
        }];
        lines.extend(self.policies.iter().flat_map(ExplainedPolicy::lines));
        if self.inspected != inspected && self.troubles.is_empty() {
            let would = if self.inspected {
                "  the gateway would read this flow"
            } else {
                "  the gateway would not read this flow"
            };
            lines.push(would.to_owned());
            lines.extend(self.inspection.iter().flat_map(ExplainedPolicy::lines));
        }
        lines.extend(self.troubles.iter().map(|trouble| format!("  trouble: {trouble}")));
        lines
    }
}

impl ExplainedPolicy {
    fn lines(&self) -> Vec<String> {
        let effect = match self.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        let mut lines = vec![format!(
            "  {effect} `{}` ({}:{}): {}",
            self.id, self.file, self.line, self.reason
        )];
        lines.extend(self.text.lines().map(|line| format!("    │ {line}")));
        lines
    }
}
