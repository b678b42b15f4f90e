//! The rules that proofs rest on: those that decide for somebody.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Effect, Policy, PolicyId};

use super::language::broken;
use super::premise::Premise;
use super::rewrite::until;
use super::theory::condition;
use crate::facts::Problem;
use crate::policy::{Rule, RuleSet};
use crate::rulebook::{Rulebook, Sources};

/// The rules that count.
#[derive(Default)]
pub(super) struct Counting {
    /// For whoever continues where they may.
    pub(super) rules: Vec<Arc<Premise>>,
    /// Those of them that only let pass whoever continues.
    pub(super) coached: BTreeSet<String>,
    /// Those that close something to all others.
    pub(super) strict: Vec<Arc<Premise>>,
}

impl Counting {
    pub(super) fn of(sources: &Sources, rulebook: &Rulebook) -> Result<Self, Vec<Problem>> {
        let mut counting = Self::default();
        // what is on probation has no effect, and nothing hangs on it; what is only coached can pass
        let counts = |rule: &&Rule| rule.is_in(RuleSet::Continued) || rule.is_in(RuleSet::InEffect);
        for rule in rulebook.policy().rules().filter(counts) {
            let parsed = Policy::parse(Some(PolicyId::new(rule.id.as_str())), &rule.text);
            let mut policy = parsed.map_err(|e| broken(&sources.schema, &e))?;
            if let Some(end) = rule.expires.filter(|_| policy.effect() == Effect::Permit) {
                let end = condition(&format!("context.now < datetime(\"{end}\")"));
                policy = end.and_then(|end| until(&policy, &end)).unwrap_or(policy);
            }
            if !rule.is_in(RuleSet::InEffect) {
                counting.coached.insert(rule.id.to_string());
            }
            let place = if rule.is_in(RuleSet::Continued) {
                &mut counting.rules
            } else {
                &mut counting.strict
            };
            place.push(Arc::new(Premise::new(policy)));
        }
        Ok(counting)
    }
}
