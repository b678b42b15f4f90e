//! Why a rule makes no difference: it cannot match, or others are always there before it.

use std::time::Duration;

use super::{About, Check, Missing, Outcome, Theory, prove};
use crate::facts::PolicyId;

/// Why a rule makes no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Its conditions contradict each other, or what is known of every request.
    Contradiction,
    /// Wherever it matches, one of these does, and says what it says or more.
    Behind(Vec<PolicyId>),
    /// Several other rules together leave nothing to it.
    Together,
}

/// Finds out why a rule that makes no difference makes none.
pub fn idle(theory: &Theory, check: &Check, id: &PolicyId, limit: Duration) -> Result<Idle, Missing> {
    let about = |about: About| Check { about, ..check.clone() };
    let alive = prove(theory, &[about(About::Alive(id.clone()))], limit, &|_, _| ())?;
    if matches!(alive.as_slice(), [Outcome::Failed(_)]) {
        return Ok(Idle::Contradiction);
    }
    let envs = || check.envs.iter().filter_map(|env| theory.language.envs.get(*env));
    let stronger = |other: &&cedar_policy::Policy| {
        let wins = other.effect() == check.policy.effect() || other.effect() == cedar_policy::Effect::Forbid;
        wins && other.id() != check.policy.id() && envs().all(|env| theory.speaks_of(other, env))
    };
    let others: Vec<PolicyId> = theory
        .every()
        .filter(stronger)
        .map(|other| PolicyId::new(other.id().to_string()))
        .collect();
    let checks: Vec<Check> = others
        .iter()
        .map(|other| about(About::Behind(id.clone(), other.clone())))
        .collect();
    let outcomes = prove(theory, &checks, limit, &|_, _| ())?;
    let found = others.into_iter().zip(outcomes);
    let found: Vec<PolicyId> = found
        .filter(|(_, outcome)| matches!(outcome, Outcome::Proved))
        .map(|(other, _)| other)
        .collect();
    Ok(if found.is_empty() {
        Idle::Together
    } else {
        Idle::Behind(found)
    })
}
