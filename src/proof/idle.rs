//! Why a rule makes no difference: it cannot match, or others are always there before it.

use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::Effect;

use super::premise::Premise;
use super::question::answers;
use super::solver::crew;
use super::theory::present;
use super::{About, Check, Effort, Example, Missing, Outcome, Theory, prove};
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
pub fn idle(theory: &Theory, check: &Check, id: &PolicyId, effort: &Arc<Effort>) -> Result<Idle, Missing> {
    if effort.left().is_zero() {
        // which is so, whatever else is
        return Ok(Idle::Together);
    }
    let about = |about: About| Check { about, ..check.clone() };
    let Some(matched) = matched(theory, &about(About::Alive(id.clone())), effort)? else {
        return Ok(Idle::Contradiction);
    };
    let rule = check.policy.policy();
    let envs = || check.envs.iter().filter_map(|env| theory.language.envs.get(*env));
    let with_present: Vec<_> = matched.iter().map(|example| (example, present(example))).collect();
    let stronger = |premise: &&Arc<Premise>| {
        let other = premise.policy();
        let wins = other.effect() == rule.effect() || other.effect() == Effect::Forbid;
        wins && theory.may_stand_for(other, rule)
            && envs().all(|env| theory.speaks_of(other, env))
            // what does not match where this does is not always before it, if that can be: who made the example up knew
            // nothing of what the other names
            && with_present.iter().all(|(example, present)| {
                premise.is_near(present) && answers(other, example) || !can_be(theory, [&check.policy, premise], example)
            })
    };
    let others: Vec<PolicyId> = theory
        .every()
        .filter(stronger)
        .map(|other| PolicyId::new(other.policy().id().to_string()))
        .collect();
    let checks: Vec<Check> = others
        .iter()
        .map(|other| about(About::Behind(id.clone(), other.clone())))
        .collect();
    let outcomes = prove(theory, &checks, effort, &|_, _| ())?;
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

/// Requests that a rule matches, of each kind one where there is one; none at all where it is proved to match no request.
fn matched(theory: &Theory, alive: &Check, effort: &Arc<Effort>) -> Result<Option<Vec<Example>>, Missing> {
    let envs: Vec<_> = alive
        .envs
        .iter()
        .filter_map(|env| theory.language.envs.get(*env))
        .collect();
    let found: Mutex<(Vec<Example>, bool)> = Mutex::default();
    crew(&theory.language.schema, effort, envs.len(), &|solver, number| {
        let questions = envs.get(number).map(|env| alive.questions(theory, env));
        for question in questions.into_iter().flatten() {
            let answer = question.put(solver, effort.each());
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match answer.outcome {
                Outcome::Proved => {}
                Outcome::Failed(example) => found.0.extend(example.map(|example| *example)),
                Outcome::Undecided(_) => found.1 = true,
            }
        }
    })?;
    let (examples, is_open) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((is_open || !examples.is_empty()).then_some(examples))
}

/// Whether an example can be, by all that is known of what these rules name.
fn can_be(theory: &Theory, rules: [&Premise; 2], example: &Example) -> bool {
    let named = rules.iter().flat_map(|rule| rule.names()).cloned().collect();
    !answers(&theory.impossible(&named), example)
}
