//! What passes unread by one of two sets of rules alone: there, anything may newly be done, or no longer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::cause::{self, Alone};
use super::difference::{Found, MOST, Way};
use super::premise::Premise;
use super::question::{Aim, Question, answers};
use super::settle::lifelike;
use super::solver::Solver;
use super::sound::gateway;
use super::unread::{UNREAD, Unread, asked_of};
use super::{Example, Outcome, Scope, Theory};

/// What to look for.
#[derive(Debug)]
pub(super) struct Unnoticed<'a> {
    way: Way,
    /// The side by which it passes unread, and the other.
    sides: (&'a Theory, &'a Theory),
    /// What is known of requests.
    new: &'a Theory,
    /// By rule of each side, whether something is read or reached, as far as the other side does not have it.
    causes: [Vec<Arc<Premise>>; 2],
    /// The attributes that these read.
    read: BTreeSet<String>,
}

impl<'a> Unnoticed<'a> {
    /// What `more` lets pass unread and `less` does not; none where they agree on what is reached and what is read.
    pub(super) fn of(
        way: Way,
        (more, less): (&'a Theory, &'a Theory),
        new: &'a Theory,
        alone: &Alone<'_>,
    ) -> Option<Self> {
        let causes = [more, less].map(|side| causes(side, alone));
        if causes.iter().all(Vec::is_empty) {
            return None;
        }
        Some(Self {
            read: causes.iter().flatten().flat_map(|rule| rule.reads()).collect(),
            way,
            sides: (more, less),
            new,
            causes,
        })
    }

    /// What it is about, for whoever is told that not all of it is known.
    pub(super) fn about(&self) -> String {
        let newly = if self.way == Way::Allowed {
            "newly passes"
        } else {
            "passes no longer"
        };
        format!("what {newly} unread")
    }

    /// All that is found, each about something else; and why there may be more.
    pub(super) fn found(&self, solver: &mut Solver, limit: Duration) -> (Vec<Found>, Option<String>) {
        let (more, less) = self.sides;
        let (Some(passes), Some(other)) = (more.unread(), less.unread()) else {
            return (Vec::new(), None);
        };
        let Some(env) = self.new.language.envs.get(passes.env) else {
            return (Vec::new(), None);
        };
        let mut question = Question::new(self.new, env, Aim::Implies, passes.rules.clone(), other.rules.clone());
        let (mut found, mut spent) = (Vec::<Found>::new(), Duration::ZERO);
        while found.len() < MOST {
            let answer = question.put(solver, limit.saturating_sub(spent));
            spent += answer.spent;
            let example = match &answer.outcome {
                Outcome::Proved => return (found, None),
                Outcome::Undecided(why) => return (found, Some(why.clone())),
                Outcome::Failed(None) => return (found, Some("the solver shows no request".to_owned())),
                Outcome::Failed(Some(example)) => example,
            };
            let (example, took) = lifelike(solver, &question, &answer, example, limit.saturating_sub(spent));
            spent += took;
            if !passes_unread(more, passes, &example) || passes_unread(less, other, &example) {
                return (
                    found,
                    Some("a rule fails to evaluate for the request that was found".to_owned()),
                );
            }
            let scope = Scope::of(&example, self.new);
            let cause = self.cause(&example);
            let grounds = cause.map_or_else(Vec::new, |(rule, other)| {
                cause::grounds(rule.policy(), other.map(|rule| rule.policy()), &example)
            });
            let excluded = scope.excluded(found.len());
            let Some(excluded) = excluded.and_then(|forbid| cause::narrowed(&forbid, &grounds)) else {
                return (found, Some("what was found cannot be told apart".to_owned()));
            };
            question = question.among(&excluded);
            let telling = cause::telling(&grounds).into_iter();
            let unsaid = telling.filter(|ground| !scope.says(&ground.0, ground.1));
            found.push(Found {
                way: self.way,
                actions: BTreeSet::from([UNREAD.to_owned()]),
                grounds: unsaid.filter_map(cause::shown).collect(),
                scope,
                rule: cause.map_or_else(String::new, |(rule, _)| rule.policy().id().to_string()),
                fails: false,
                example: example.asking(UNREAD),
                read: self.read.clone(),
            });
        }
        (found, Some(format!("there may be more than {MOST} differences")))
    }

    /// The rule by which an example passes on the one side alone, and what it is on the other.
    fn cause(&self, example: &Example) -> Option<(&Arc<Premise>, Option<&Arc<Premise>>)> {
        let [ours, theirs] = &self.causes;
        let all = ours.iter().chain(theirs);
        let applies = |rule: &&Arc<Premise>| answers(rule.policy(), example);
        let cause = all.clone().find(applies).or_else(|| all.clone().next())?;
        let mut same = all.filter(|rule| rule.policy().id() == cause.policy().id());
        Some((cause, same.find(|rule| !Arc::ptr_eq(rule, cause))))
    }
}

/// The rules about reading of one side that the other does not have, and then those about reaching.
fn causes(side: &Theory, alone: &Alone<'_>) -> Vec<Arc<Premise>> {
    let Some(unread) = side.unread() else { return Vec::new() };
    let envs = &side.language.envs;
    let (Some(read), Some(reached)) = (envs.get(unread.env), envs.get(unread.reaching)) else {
        return Vec::new();
    };
    let reading = alone.rules(side, read).cloned();
    let reaching = alone.rules(side, reached).filter_map(|rule| asked_of(rule, reached));
    reading.chain(reaching).collect()
}

/// Whether a gateway with these rules lets an example pass unread: nothing is read where a rule fails to say so.
fn passes_unread(theory: &Theory, unread: &Unread, example: &Example) -> bool {
    let envs = &theory.language.envs;
    let (Some(read), Some(reached)) = (envs.get(unread.env), envs.get(unread.reaching)) else {
        return false;
    };
    gateway(theory, reached, &example.asking("connect")) == Ok(true)
        && gateway(theory, read, &example.asking("inspect")) != Ok(true)
}
