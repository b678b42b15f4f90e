//! What the rules say to a request that Cedar was given ready-made: how a proof's counterexample is put to the engine
//! that judges traffic. It yields no permit.

use cedar_policy::{Entities, Request};

use super::reasons::Tally;
use super::request::Asked;
use super::{CedarCase, Policy, RuleSet};
use crate::clock::Timestamp;
use crate::facts::{PolicyId, Reason};

/// What the engine answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether the action is permitted.
    pub allowed: bool,
    /// The rules that made it so.
    pub reasons: Vec<Reason>,
    /// What went wrong; it denies.
    pub troubles: Vec<String>,
}

impl Answer {
    /// What was answered, and by which of these rules, in words: each with its file and line.
    pub fn spoken(&self, rules: &Policy) -> String {
        let word = if self.allowed { "allowed" } else { "denied" };
        let by: Vec<String> = self.policies().map(|id| rules.located(id)).collect();
        let troubles = self.troubles.join("; ");
        match (by.is_empty(), troubles.is_empty()) {
            (true, true) => format!("{word}: no rule permits it"),
            (false, true) => format!("{word} by {}", by.join(", ")),
            _ => format!("{word}: {troubles}"),
        }
    }

    /// The same of what may pass at all, beside what the rules in force say to it.
    pub fn beside(&self, in_effect: &Self, rules: &Policy) -> String {
        if in_effect.allowed || !self.allowed {
            return self.spoken(rules);
        }
        let by: Vec<String> = in_effect.policies().map(|id| rules.located(id)).collect();
        let refused = match (by.is_empty(), in_effect.troubles.is_empty()) {
            (_, false) => format!("refused: {}", in_effect.troubles.join("; ")),
            (true, true) => "refused: no rule in force permits it".to_owned(),
            (false, true) => format!("refused by {}", by.join(", ")),
        };
        format!("{refused}, allowed to whoever continues")
    }

    /// The rules that made it so, by name.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyId> {
        self.reasons.iter().map(|reason| &reason.policy)
    }
}

impl Policy {
    /// A rule by its name, with its file and line.
    pub fn located(&self, id: &PolicyId) -> String {
        match self.rule(id) {
            Some(rule) => format!("`{id}` ({}:{})", rule.file, rule.line),
            None => format!("`{id}`"),
        }
    }

    /// Puts one ready request to a set of the rules.
    pub fn answer(&self, set: RuleSet, request: &Request, entities: &Entities, at: Timestamp) -> Answer {
        let asked = Asked {
            entities: entities.clone(),
            requests: vec![request.clone()],
            at,
        };
        let tally = self.put(&asked, set);
        let allowed = tally.is_allowed();
        self.answered(tally, allowed)
    }

    /// What Cedar's authorizer says to a request by the rules in force: a policy that fails to evaluate is passed over,
    /// unlike in a gateway.
    pub fn authorized(&self, case: &CedarCase) -> Answer {
        let tally = self.put(&case.0, RuleSet::InEffect);
        let allowed = tally.is_allowed_by_cedar();
        self.answered(tally, allowed)
    }

    fn answered(&self, mut tally: Tally, allowed: bool) -> Answer {
        let reasons = self.reasons(&tally.determining(&self.reasons, allowed)).to_vec();
        let troubles = tally.into_troubles().into_iter().map(|trouble| trouble.message);
        Answer {
            allowed,
            reasons,
            troubles: troubles.collect(),
        }
    }
}
