//! What came of a case, beside what was expected.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Asks, Expected, Wields};
use crate::clock::Timestamp;
use crate::facts::fields::list;
use crate::facts::{
    Arrival, Channel, Coach, Effect, NO_PURPOSE, Observation, Outcome, Person, PolicyId, PurposeId, Reading, Reason,
    Subject, SubjectId, Would,
};
use crate::policy::{Answering, CedarCase, GrantQuestion, Power};
use crate::rulebook::Rulebook;

/// What came of a case.
#[derive(Debug)]
pub(super) struct Came {
    outcome: Outcome,
    /// The rules that decided.
    reasons: Vec<Reason>,
    /// The rules that say whether the flow is read.
    reading: Vec<Reason>,
    /// Whether there is a request that nobody looks at, since its flow is not read.
    unread: bool,
    /// Why no rule was asked.
    unasked: Option<&'static str>,
    offers: Vec<PurposeId>,
    inspect: Option<bool>,
    reads_as: Option<String>,
    under: Option<PurposeId>,
    /// What rules on probation would have changed.
    would: Option<Would>,
    may_continue: bool,
    troubles: Vec<String>,
}

/// One thing that came otherwise, both sides as the case would write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key of the case.
    pub key: &'static str,
    /// What it says.
    pub expected: String,
    /// What it would have to say.
    pub came: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: expected {}, came {}", self.key, self.expected, self.came)
    }
}

impl Rulebook {
    pub(super) fn came(&self, asks: &Asks) -> Came {
        match asks {
            Asks::Flow { seen, reading } => self.flow_came(seen, reading.as_ref()),
            Asks::Alone { seen, actions } => self.alone_came(seen, actions),
            Asks::Power(wields) => self.power_came(wields),
            Asks::Engine(case) => self.cedar_came(case),
        }
    }

    fn flow_came(&self, seen: &Observation, reading: Option<&Reading>) -> Came {
        let judgement = self.judge_as(seen, reading);
        let remedy = self.remedy_judged(seen, &judgement);
        Came {
            outcome: judgement.outcome_if(&remedy),
            reasons: judgement.reasons().to_vec(),
            reading: judgement.inspect_reasons().to_vec(),
            unread: seen.ask.head().is_some() && judgement.reading().is_none(),
            unasked: unasked(seen),
            offers: remedy.offers.iter().map(|offer| offer.purpose.clone()).collect(),
            inspect: Some(judgement.inspect()),
            reads_as: judgement.reading().map(|reading| reading.activity.to_string()),
            under: judgement.grant().map(|grant| grant.purpose.clone()),
            would: judgement.would(),
            may_continue: judgement.coach() == Some(Coach::Offered),
            troubles: judgement.troubles().to_vec(),
        }
    }

    fn alone_came(&self, seen: &Observation, actions: &[String]) -> Came {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        let part = self.judge_alone(seen, &actions);
        let is_allowed = part.decision.is_some() && part.errors.is_empty();
        Came {
            under: part.grant.map(|grant| grant.purpose.clone()),
            unasked: unasked(seen),
            troubles: part.troubles,
            ..Came::of_engine(is_allowed, part.reasons)
        }
    }

    fn power_came(&self, wields: &Wields) -> Came {
        let decision = self.policy.decide_on_grant(&wields.question());
        Came {
            troubles: decision.troubles().to_vec(),
            ..Came::of_engine(decision.is_allowed(), decision.reasons().to_vec())
        }
    }

    fn cedar_came(&self, case: &CedarCase) -> Came {
        let answer = self.policy.authorized(case);
        Came {
            troubles: answer.troubles,
            ..Came::of_engine(answer.allowed, answer.reasons)
        }
    }
}

/// Why no rule is asked about a flow.
fn unasked(seen: &Observation) -> Option<&'static str> {
    match (&seen.subject, &seen.person) {
        (None, _) => Some("nobody has signed in, so no rule is asked"),
        (Some(_), None) => Some("the directory does not know who asks, so no rule is asked"),
        (Some(_), Some(_)) => None,
    }
}

impl Wields {
    /// Somebody who wants to make a token: no purpose is asked about.
    pub(super) fn of_token(
        (person, subject): (Arc<Person>, Subject),
        arrival: Arrival,
        (lasts, channel, at): (Duration, Channel, Timestamp),
    ) -> Self {
        let id = person.id.clone();
        Self {
            person,
            subject,
            arrival,
            power: Power::MakeToken,
            purpose: PurposeId::new(NO_PURPOSE),
            declarer_person: None,
            declarer: id.clone(),
            business_owner: id,
            longest_for: lasts,
            channel,
            named_as: None,
            behalf: None,
            at,
        }
    }

    /// The same, who wants to read what was decided about somebody.
    pub(super) fn of_decisions(self, person: Option<Arc<Person>>, whose: SubjectId) -> Self {
        Self {
            power: Power::SeeDecisions,
            declarer_person: person,
            declarer: whose,
            ..self
        }
    }

    pub(super) fn question(&self) -> GrantQuestion<'_> {
        GrantQuestion {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
            power: self.power,
            purpose: &self.purpose,
            declarer: &self.declarer,
            declarer_person: self.declarer_person.as_deref(),
            business_owner: &self.business_owner,
            longest_for: self.longest_for,
            channel: self.channel,
            answering: Answering {
                named_as: self.named_as,
                behalf_of: self.behalf.as_ref(),
            },
            at: self.at,
        }
    }
}

impl Came {
    fn of_engine(allowed: bool, reasons: Vec<Reason>) -> Self {
        Self {
            outcome: if allowed { Outcome::Allow } else { Outcome::Deny },
            reasons,
            reading: Vec::new(),
            unread: false,
            unasked: None,
            offers: Vec::new(),
            inspect: None,
            reads_as: None,
            under: None,
            would: None,
            may_continue: false,
            troubles: Vec::new(),
        }
    }

    /// The rules that decided, and those on probation that would have.
    pub(super) fn decided(&self) -> impl Iterator<Item = &PolicyId> {
        let would = self.would.iter().flat_map(|would| &would.policies);
        let told = self.reasons.iter().chain(&self.reading);
        told.map(|reason| &reason.policy).chain(would)
    }

    /// Why it came so, below what was expected: what determined it, and what is `lapsed`, where that would have.
    pub(super) fn because(&self, differences: &[Difference], lapsed: Vec<String>) -> Vec<String> {
        let by = |word: &str, reason: &Reason| format!("{word} by `{}`: {}", reason.policy, reason.text);
        // where a rule fails, what would permit it does not count, and nothing is read
        let has_failed = !self.troubles.is_empty() && self.outcome != Outcome::Allow;
        let counting = self
            .reasons
            .iter()
            .filter(|one| !has_failed || one.effect == Effect::Forbid);
        let mut lines: Vec<String> = counting.map(|reason| by("decided", reason)).collect();
        if lines.is_empty() && !has_failed {
            lines.push(self.unasked.unwrap_or("no rule permits it").to_owned());
            lines.extend(lapsed);
        }
        let is_asked = self.unasked.is_none() && !has_failed;
        if is_asked && (self.unread || differences.iter().any(|one| one.key == "inspect")) {
            let word = if self.inspect == Some(true) { "read" } else { "not read" };
            lines.extend(self.reading.iter().map(|reason| by(word, reason)));
            if self.reading.is_empty() {
                lines.push("not read: no rule permits it".to_owned());
            }
        }
        if !self.offers.is_empty() {
            lines.push(format!("offered: {}", list(self.offers.iter().map(PurposeId::as_str))));
        }
        if let Some(would) = &self.would {
            let policies = list(would.policies.iter().map(PolicyId::as_str));
            let be = would.be.as_str();
            lines.push(format!("with the rules on probation: {be} by {policies}"));
        }
        if self.may_continue {
            lines.push("coached: whoever is told why not may continue".to_owned());
        }
        lines.extend(self.troubles.iter().map(|trouble| format!("trouble: {trouble}")));
        lines
    }
}

impl Expected {
    pub(super) fn differences(&self, came: &Came) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differ = |key, expected: String, came: String| {
            if expected != came {
                found.push(Difference { key, expected, came });
            }
        };
        let said = |word: Option<&str>| word.map_or_else(|| "nothing".to_owned(), quoted);
        if !self.outcome.is(came.outcome) {
            differ("outcome", quoted(self.outcome.as_str()), quoted(came.outcome.as_str()));
        }
        if let Some(inspect) = self.inspect {
            let came = came.inspect.map(|inspect| inspect.to_string());
            differ(
                "inspect",
                inspect.to_string(),
                came.unwrap_or_else(|| "nothing".to_owned()),
            );
        }
        if let Some(activity) = &self.reads_as {
            differ("reads-as", quoted(activity), said(came.reads_as.as_deref()));
        }
        if let Some(purpose) = &self.under {
            let came = came.under.as_ref().map(PurposeId::as_str);
            differ("under", quoted(purpose.as_str()), said(came));
        }
        if let Some(errors) = self.errors {
            differ("errors", errors.to_string(), came.troubles.len().to_string());
        }
        if let Some(would) = self.would {
            let came = came.would.as_ref().map(|would| would.be.as_str());
            differ("would", quoted(would.as_str()), said(came));
        }
        if let Some(may) = self.may_continue {
            differ("may-continue", may.to_string(), came.may_continue.to_string());
        }
        let decided: BTreeSet<&str> = came.decided().map(PolicyId::as_str).collect();
        if let Some(policies) = &self.policies {
            let all = policies.iter().all(|policy| decided.contains(policy.as_str()));
            if !all || (policies.is_empty() && !decided.is_empty()) {
                let expected = array(policies.iter().map(PolicyId::as_str));
                differ("policies", expected, array(decided.into_iter()));
            }
        }
        if let Some(offers) = &self.offers {
            let all = offers.iter().all(|offer| came.offers.contains(offer));
            if !all || (offers.is_empty() && !came.offers.is_empty()) {
                let words = |offers: &[PurposeId]| array(offers.iter().map(PurposeId::as_str));
                differ("offers", words(offers), words(&came.offers));
            }
        }
        found
    }
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

fn array<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    format!("[{}]", words.join(", "))
}
