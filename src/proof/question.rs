//! What is asked about one kind of request: of however many rules, and never of many at a time.
//!
//! What a solver makes of a question grows faster than the rules in it. So a rule that can only speak against an example is
//! left out at first: what holds without it, holds with it. An example is held against all of them by Cedar itself before
//! it counts, and those that speak against it are asked along the next time. Of rules of which one is enough, such as
//! permits that may allow something, a portion is asked about at a time. What is known of hosts and people is told as far
//! as it is about what the question names, and an example is held against what is known of all that it names in turn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::{Authorizer, Decision, Effect, EntityUid, Policy, PolicyId, RequestEnv};

use super::premise::Premise;
use super::rewrite::within;
use super::solver::Solver;
use super::sound::allowed;
use super::theory::{present, set};
use super::{Ask, Example, Outcome, Theory};

/// A question about no more rules is put whole.
const WHOLE: usize = 24;
/// How many rules of which one is enough are asked about at a time, otherwise: a solver takes longer for four than for each
/// of four, and of rules that differ in names alone only one is asked about (see [`super::found`]).
const PORTION: usize = 1;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    /// Nothing is allowed by both.
    Disjoint,
    /// What the one allows, the other allows.
    Implies,
    /// This rule evaluates without an error wherever the one allows something; wherever it may, where that has no permits.
    Evaluates(Arc<Premise>),
}

/// Rules that decide together.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) permits: Vec<Arc<Premise>>,
    pub(super) forbids: Vec<Arc<Premise>>,
}

impl<'r> FromIterator<&'r Arc<Premise>> for Rules {
    fn from_iter<T: IntoIterator<Item = &'r Arc<Premise>>>(rules: T) -> Self {
        let mut found = Self::default();
        for rule in rules {
            let list = match rule.policy().effect() {
                Effect::Permit => &mut found.permits,
                Effect::Forbid => &mut found.forbids,
            };
            list.push(Arc::clone(rule));
        }
        found
    }
}

impl Rules {
    pub(super) fn every(&self) -> impl Iterator<Item = &Arc<Premise>> {
        self.permits.iter().chain(&self.forbids)
    }
}

/// A question about one kind of request.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) theory: &'a Theory,
    pub(super) env: &'a RequestEnv,
    aim: Aim,
    one: Rules,
    other: Rules,
    /// Forbid what is not asked about.
    outside: Vec<Policy>,
    /// How many rules are put whole, and how many at a time otherwise.
    few: (usize, usize),
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) spent: Duration,
    /// Forbids the requests that cannot be, as far as that was told.
    pub(super) possible: Option<Policy>,
}

/// A part of a question: some of those rules of which one is enough.
#[derive(Clone, Copy, Default)]
struct Part<'q> {
    one: &'q [Arc<Premise>],
    other: &'q [Arc<Premise>],
    /// Whether the other side permits everything, and has to forbid.
    by_forbids: bool,
    /// Whether the one side permits everything: what holds then holds whatever is permitted.
    of_everything: bool,
}

impl<'a> Question<'a> {
    pub(super) fn new(theory: &'a Theory, env: &'a RequestEnv, aim: Aim, one: Rules, other: Rules) -> Self {
        Self {
            theory,
            env,
            aim,
            one,
            other,
            outside: Vec::new(),
            few: (WHOLE, PORTION),
        }
    }

    /// The same question, put in other portions.
    pub(super) fn in_portions(mut self, whole: usize, portion: usize) -> Self {
        self.few = (whole, portion);
        self
    }

    /// Forbids the requests that cannot be, by all that the rules name.
    #[cfg(all(test, feature = "prove"))]
    pub(super) fn impossible(&self) -> Policy {
        let rules = self.one.every().chain(self.other.every());
        self.theory
            .impossible(&rules.flat_map(|rule| rule.names()).cloned().collect())
    }

    /// The same question about requests that `odd` does not forbid.
    #[must_use]
    pub(super) fn among(mut self, odd: &Policy) -> Self {
        self.outside.push(odd.clone());
        self
    }

    /// Puts it to a solver; a failure comes with an example.
    pub(super) fn put(&self, solver: &mut Solver, limit: Duration) -> Answer {
        let mut whole = Answer {
            outcome: Outcome::Proved,
            spent: Duration::ZERO,
            possible: None,
        };
        if let Aim::Evaluates(rule) = &self.aim {
            // of every request, possible or not, which hardly ever needs the solver
            let ask = Ask::NeverErrors(Box::new(rule.policy().clone()));
            (whole.outcome, whole.spent) = solver.ask(self.env, &ask, limit);
            if !matches!(whole.outcome, Outcome::Failed(_)) {
                return whole;
            }
            whole.outcome = Outcome::Proved;
        }
        if let Some(part) = self.part_of_everything() {
            let answer = self.put_part(solver, part, limit);
            if matches!(answer.outcome, Outcome::Proved) {
                return answer;
            }
            whole.spent = answer.spent;
        }
        for part in self.parts() {
            let answer = self.put_part(solver, part, limit.saturating_sub(whole.spent));
            whole.spent += answer.spent;
            match answer.outcome {
                Outcome::Proved => {}
                Outcome::Undecided(_) => whole.outcome = answer.outcome,
                Outcome::Failed(_) => {
                    return Answer {
                        spent: whole.spent,
                        ..answer
                    };
                }
            }
        }
        whole
    }

    fn put_part(&self, solver: &mut Solver, part: Part<'_>, limit: Duration) -> Answer {
        if let Err(outcome) = solver.left(limit) {
            // what is not asked is not made, either
            return Answer {
                outcome,
                spent: Duration::ZERO,
                possible: None,
            };
        }
        let loose = self.loose(part);
        let mut asked: BTreeSet<usize> = if self.is_small() {
            (0..loose.len()).collect()
        } else {
            BTreeSet::new()
        };
        let mut named = self.named(part, &loose, &asked);
        let mut spent = Duration::ZERO;
        loop {
            let possible = self.theory.impossible(&named);
            let Some(ask) = self.ask(part, &loose, &asked, &possible) else {
                let outcome = Outcome::Undecided("it cannot be put to a solver".to_owned());
                return Answer {
                    outcome,
                    spent,
                    possible: None,
                };
            };
            let (outcome, took) = solver.ask(self.env, &ask, limit.saturating_sub(spent));
            spent += took;
            if let (Outcome::Failed(Some(example)), false) = (&outcome, self.is_small()) {
                let more = against(&loose, &asked, example);
                let untold = self.untold(&named, example);
                if !more.is_empty() || !untold.is_empty() {
                    asked.extend(more);
                    named.extend(self.named(part, &loose, &asked));
                    named.extend(untold);
                    continue;
                }
            }
            return Answer {
                outcome,
                spent,
                possible: Some(possible),
            };
        }
    }

    /// Whether an example, which `possible` must not forbid, shows that what is asked does not hold of all the rules.
    pub(super) fn is_shown_by(&self, possible: &Policy, example: &Example) -> bool {
        let present = present(example);
        let near = |rules: &Rules| {
            rules
                .every()
                .filter(|rule| rule.is_near(&present))
                .cloned()
                .collect::<Vec<_>>()
        };
        let policies = |rules: Vec<Arc<Premise>>| rules.into_iter().map(|rule| rule.policy().clone()).collect();
        let (one, other): (Vec<Policy>, Vec<Policy>) = (policies(near(&self.one)), policies(near(&self.other)));
        let outside = self.outside.iter().chain([possible]).cloned();
        let ask = match &self.aim {
            Aim::Disjoint => Ask::Disjoint(set(one), set(other.into_iter().chain(outside))),
            Aim::Implies => Ask::Implies(set(one.into_iter().chain(outside)), set(other)),
            Aim::Evaluates(rule) => {
                let everything = self.one.permits.is_empty().then(everything);
                let all = set(one.into_iter().chain(everything).chain(outside));
                let fails = Ask::NeverErrors(Box::new(rule.policy().clone()));
                return Ask::Implies(all, set([])).is_shown_by(example) && fails.is_shown_by(example);
            }
        };
        ask.is_shown_by(example)
    }

    fn is_small(&self) -> bool {
        self.one.every().chain(self.other.every()).count() <= self.few.0
    }

    /// What is never allowed is often forbidden, whoever else permits it: then no permit need be asked about.
    fn part_of_everything(&self) -> Option<Part<'_>> {
        let [other] = &self.other.permits[..] else {
            return None;
        };
        let worth_it = matches!(self.aim, Aim::Disjoint) && !self.is_small() && !self.one.forbids.is_empty();
        worth_it.then_some(Part {
            other: std::slice::from_ref(other),
            of_everything: true,
            ..Part::default()
        })
    }

    /// The parts that must hold, each.
    fn parts(&self) -> Vec<Part<'_>> {
        let firm: &[Arc<Premise>] = match self.aim {
            Aim::Disjoint => &self.other.permits,
            Aim::Implies => &self.other.forbids,
            Aim::Evaluates(_) => &[],
        };
        let part = |one, other, by_forbids| Part {
            one,
            other,
            by_forbids,
            of_everything: false,
        };
        let portion = self.few.1;
        if self.is_small() || self.one.permits.is_empty() {
            return vec![part(&self.one.permits, firm, false)];
        }
        let of = |one| -> Vec<Part<'_>> {
            match self.aim {
                Aim::Disjoint => firm.chunks(portion).map(|other| part(one, other, false)).collect(),
                Aim::Implies => {
                    let forbidding = firm.chunks(portion).map(|other| part(one, other, true));
                    std::iter::once(part(one, &[], false)).chain(forbidding).collect()
                }
                Aim::Evaluates(_) => vec![part(one, &[], false)],
            }
        };
        self.one.permits.chunks(portion).flat_map(of).collect()
    }

    /// The rules that can only speak against an example: those of the one side first.
    fn loose(&self, part: Part<'_>) -> Vec<Arc<Premise>> {
        let other: &[Arc<Premise>] = match self.aim {
            Aim::Disjoint => &self.other.forbids,
            Aim::Implies if !part.by_forbids => &self.other.permits,
            Aim::Implies | Aim::Evaluates(_) => &[],
        };
        self.one.forbids.iter().chain(other).cloned().collect()
    }

    fn named(&self, part: Part<'_>, loose: &[Arc<Premise>], asked: &BTreeSet<usize>) -> BTreeSet<EntityUid> {
        let along = asked.iter().filter_map(|number| loose.get(*number));
        let fails = match &self.aim {
            Aim::Evaluates(rule) => Some(rule),
            Aim::Disjoint | Aim::Implies => None,
        };
        let all = part.one.iter().chain(part.other).chain(along).chain(fails);
        all.flat_map(|rule| rule.names()).cloned().collect()
    }

    /// What must be told along, where the example is of a request that cannot be.
    fn untold(&self, named: &BTreeSet<EntityUid>, example: &Example) -> BTreeSet<EntityUid> {
        let around = self.theory.around(example);
        let untold: BTreeSet<EntityUid> = around.difference(named).cloned().collect();
        let possible = || self.theory.impossible(&(named | &untold));
        if untold.is_empty() || !answers(&possible(), example) {
            return BTreeSet::new();
        }
        untold
    }

    /// The question about a part of the rules.
    fn ask(&self, part: Part<'_>, loose: &[Arc<Premise>], asked: &BTreeSet<usize>, possible: &Policy) -> Option<Ask> {
        let along = |wanted: bool| {
            let along = asked
                .iter()
                .filter(move |number| (**number < self.one.forbids.len()) == wanted);
            along.filter_map(|number| loose.get(*number))
        };
        let one: Vec<&Arc<Premise>> = part.one.iter().chain(along(true)).collect();
        let other: Vec<&Arc<Premise>> = part.other.iter().chain(along(false)).collect();
        let policies = |rules: Vec<&Arc<Premise>>| rules.into_iter().map(|rule| rule.policy().clone()).collect();
        let outside = self.outside.iter().chain([possible]);
        Some(match &self.aim {
            Aim::Disjoint => {
                let (one, other): (Vec<Policy>, Vec<Policy>) = (policies(one), policies(other));
                let everything = part.of_everything.then(everything);
                Ask::Disjoint(
                    set(one.into_iter().chain(everything)),
                    set(other.into_iter().chain(outside.cloned())),
                )
            }
            Aim::Implies => {
                let (one, other): (Vec<Policy>, Vec<Policy>) = (policies(one), policies(other));
                let everything = part.by_forbids.then(everything);
                Ask::Implies(
                    set(one.into_iter().chain(outside.cloned())),
                    set(other.into_iter().chain(everything)),
                )
            }
            Aim::Evaluates(rule) => {
                let allowed = if part.one.is_empty() {
                    None
                } else {
                    Some(allowed(&one)?)
                };
                let domains = allowed.iter().chain(outside);
                let narrowed = domains
                    .into_iter()
                    .try_fold(rule.policy().clone(), |rule, domain| within(&rule, domain));
                Ask::NeverErrors(Box::new(narrowed?))
            }
        })
    }
}

/// The rules among `loose` that were not asked along, and match an example or fail for it.
fn against(loose: &[Arc<Premise>], asked: &BTreeSet<usize>, example: &Example) -> Vec<usize> {
    let present = present(example);
    let left = loose.iter().enumerate();
    let left = left.filter(|(number, rule)| !asked.contains(number) && rule.is_near(&present));
    left.filter(|(_, rule)| answers(rule.policy(), example))
        .map(|(number, _)| number)
        .collect()
}

/// Whether a rule by itself matches an example, or fails for it.
pub(super) fn answers(rule: &Policy, example: &Example) -> bool {
    let answer = Authorizer::new().is_authorized(&example.request, &set([rule.clone()]), &example.entities);
    let said = answer.diagnostics();
    answer.decision() == Decision::Allow || said.reason().next().is_some() || said.errors().next().is_some()
}

fn everything() -> Policy {
    Policy::parse(
        Some(PolicyId::new("the everything")),
        "permit (principal, action, resource);",
    )
    .unwrap_or_else(|_| unreachable!("a policy that says nothing can be read"))
}
