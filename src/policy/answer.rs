//! What the rules say to a request that Cedar was given ready-made: how a proof's counterexample is put to the engine
//! that judges traffic. It yields no permit.

use cedar_policy::{Entities, Request};

use super::engine::Number;
use super::{Policy, RuleSet};
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
    /// What was answered, and by which rules, in words.
    pub fn spoken(&self) -> String {
        let word = if self.allowed { "allowed" } else { "denied" };
        let by: Vec<String> = self.policies().map(|id| format!("`{id}`")).collect();
        let troubles = self.troubles.join("; ");
        match (by.is_empty(), troubles.is_empty()) {
            (true, true) => format!("{word}: no rule permits it"),
            (false, true) => format!("{word} by {}", by.join(", ")),
            _ => format!("{word}: {troubles}"),
        }
    }

    /// The rules that made it so, by name.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyId> {
        self.reasons.iter().map(|reason| &reason.policy)
    }
}

impl Policy {
    /// Puts one ready request to the index and the evaluator: may it pass at all, be it by continuing?
    pub fn answer(&self, request: &Request, entities: &Entities, at: Timestamp) -> Answer {
        let mut numbers = self.engine.candidates_for(request, entities).unwrap_or_default();
        let can_pass = |number: &Number| {
            self.rules
                .get(*number)
                .is_some_and(|rule| rule.counts(RuleSet::Continued, at))
        };
        numbers.retain(can_pass);
        let mut tally = super::Tally::default();
        match self.engine.ask_cedar(request, &numbers, entities) {
            Ok(response) => tally.count(&response, &self.numbers),
            Err(error) => tally.fail(super::Trouble::with_question("index", error.to_string())),
        }
        let decision = self.conclude(tally, None);
        Answer {
            allowed: decision.is_allowed(),
            reasons: decision.reasons().to_vec(),
            troubles: decision.troubles().to_vec(),
        }
    }
}
