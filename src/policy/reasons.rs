//! What was answered, in the rules' own words.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{AuthorizationError, Decision as Answer, Response};

use super::decision::Trouble;
use super::engine::{Number, Numbers};
use super::rule::{Rule, Trials};
use crate::facts::{Effect, PolicyId, Reason, ReasonWords};

/// The answers to the requests of one question.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The rules of other modes that may apply.
    pub(super) trials: Trials,
    denied: bool,
    /// How many answers were added.
    answers: usize,
    determining: Numbers,
    troubles: BTreeSet<Trouble>,
}

impl Tally {
    /// Adds the engine's answer.
    pub(super) fn add(&mut self, allowed: bool, determining: Numbers) {
        self.denied |= !allowed;
        self.answers += 1;
        if self.determining.is_empty() {
            self.determining = determining;
        } else {
            self.determining.extend(determining);
        }
    }

    /// Adds one answer of Cedar's.
    pub(super) fn count(&mut self, response: &Response, numbers: &BTreeMap<String, Number>) {
        self.denied |= response.decision() == Answer::Deny;
        // in no order
        self.answers += 2;
        for id in response.diagnostics().reason() {
            let id: &str = id.as_ref();
            match numbers.get(id) {
                Some(number) => self.determining.push(*number),
                None => self.fail(Trouble::with_question("rule", format!("no rule is called `{id}`"))),
            }
        }
        for AuthorizationError::PolicyEvaluationError(error) in response.diagnostics().errors() {
            let id: &str = error.policy_id().as_ref();
            self.fail(Trouble {
                policy: PolicyId::new(id),
                message: error.to_string(),
            });
        }
    }

    /// Adds something that went wrong; it denies.
    pub(super) fn fail(&mut self, trouble: Trouble) {
        self.troubles.insert(trouble);
    }

    /// Whether everything is permitted and nothing went wrong.
    pub(super) fn is_allowed(&self) -> bool {
        !self.denied && self.troubles.is_empty() && !self.determining.is_empty()
    }

    /// Whether Cedar's authorizer permits everything: it passes over a policy that fails, unlike a gateway.
    pub(super) fn is_allowed_by_cedar(&self) -> bool {
        !self.denied && !self.determining.is_empty()
    }

    /// The rules that determine the answer as a whole, in their order: where it is denied, what permits a part of it is
    /// none.
    pub(super) fn determining(&mut self, reasons: &[Reason], allowed: bool) -> Numbers {
        let mut rules = std::mem::take(&mut self.determining);
        if self.answers == 1 && self.troubles.is_empty() {
            // the engine says what determines one answer, and in order
            return rules;
        }
        let effect = if allowed { Effect::Permit } else { Effect::Forbid };
        rules.retain(|number| reasons.get(*number).is_some_and(|reason| reason.effect == effect));
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// What went wrong.
    pub(super) fn into_troubles(self) -> Vec<Trouble> {
        if self.troubles.is_empty() {
            return Vec::new();
        }
        self.troubles.into_iter().collect()
    }
}

/// The rule as a reason for an employee.
pub(super) fn reason(rule: &Rule) -> Reason {
    Reason::from(ReasonWords {
        policy: rule.id.clone(),
        effect: rule.effect,
        text: rule.wording("reason", &rule.reason),
        fix: rule.fix.as_deref().map(|fix| rule.wording("fix", fix)),
    })
}
