//! What two sets of rules answer differently, of all requests there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cedar_policy::RequestEnv;

use super::settle::lifelike;
use super::solver::{Solver, crew};
use super::theory::{set, with};
use super::{Ask, Example, Missing, Outcome, Scope, Theory};

/// How many differences of one kind are looked for; more would tell nobody more.
const MOST: usize = 12;

/// Which way an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// What was denied is allowed.
    Allowed,
    /// What was allowed is denied.
    Denied,
}

/// Something that is answered differently.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which way.
    pub way: Way,
    /// What somebody does.
    pub actions: BTreeSet<String>,
    /// Who, where, what for.
    pub scope: Scope,
    /// All of that in words.
    pub sentence: String,
    /// One request.
    pub example: Example,
}

/// All that is answered differently.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// What was found, by who, where and what for.
    pub found: Vec<Found>,
    /// The actions about which not everything is known, each with why.
    pub doubts: BTreeMap<String, String>,
}

/// One kind of request, and which way to look.
struct Task<'a> {
    env: &'a RequestEnv,
    actions: BTreeSet<String>,
    way: Way,
}

/// A task by its number, what it found, and why it could not tell.
type Done = (usize, Vec<Found>, Option<String>);

/// Compares two sets of rules of one schema. `new` knows the names that `old` uses. Each kind of request takes at most
/// `limit`, either way.
pub fn difference(old: &Theory, new: &Theory, limit: Duration) -> Result<Difference, Missing> {
    let tasks: Vec<Task<'_>> = tasks(old, new);
    let result: Mutex<Vec<Done>> = Mutex::default();
    crew(&new.schema, tasks.len(), &|solver, number| {
        let Some(task) = tasks.get(number) else { return };
        let (found, doubt) = one(solver, old, new, task, limit);
        let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
        result.push((number, found, doubt));
    })?;
    let mut result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    result.sort_by_key(|(number, _, _)| *number);
    let mut difference = Difference::default();
    for (number, found, doubt) in result {
        for found in found {
            let same = |other: &&mut Found| other.way == found.way && other.scope == found.scope;
            match difference.found.iter_mut().find(same) {
                Some(known) => known.actions.extend(found.actions),
                None => difference.found.push(found),
            }
        }
        let actions = tasks
            .get(number)
            .map(|task| new.grouped(task.actions.clone()).join(", "));
        difference.doubts.extend(actions.zip(doubt));
    }
    difference
        .found
        .sort_by(|one, other| (one.way, &one.scope).cmp(&(other.way, &other.scope)));
    for found in &mut difference.found {
        found.sentence = found.scope.sentence(&new.grouped(found.actions.clone()));
    }
    Ok(difference)
}

/// The actions that no rule tells apart; without `all`, those only of which other rules speak than did.
pub fn classes(old: &Theory, new: &Theory, all: bool) -> Vec<BTreeSet<String>> {
    kinds(old, new, all).into_iter().map(|(_, actions)| actions).collect()
}

fn kinds<'a>(old: &Theory, new: &'a Theory, all: bool) -> Vec<(&'a RequestEnv, BTreeSet<String>)> {
    let texts = |theory: &Theory, env: &RequestEnv| {
        let mut texts: Vec<String> = theory.rules(env).map(ToString::to_string).collect();
        texts.sort();
        texts
    };
    let more: Vec<_> = old.every().collect();
    let kind = |class: Vec<usize>| {
        let env = new.envs.get(*class.first()?)?;
        let names = class.iter().filter_map(|number| new.envs.get(*number));
        let actions = names.map(|env| env.action().id().unescaped().to_owned()).collect();
        (all || texts(old, env) != texts(new, env)).then_some((env, actions))
    };
    let classes = new.classes(0..new.envs.len(), &more).into_iter();
    classes.filter_map(kind).collect()
}

/// The kinds of requests of which other rules speak than did.
fn tasks<'a>(old: &Theory, new: &'a Theory) -> Vec<Task<'a>> {
    let both = |(env, actions): (&'a RequestEnv, BTreeSet<String>)| {
        [Way::Allowed, Way::Denied].map(|way| Task {
            env,
            actions: actions.clone(),
            way,
        })
    };
    kinds(old, new, false).into_iter().flat_map(both).collect()
}

/// All differences of one kind, each about something else; and why there may be more.
fn one(
    solver: &mut Solver,
    old: &Theory,
    new: &Theory,
    task: &Task<'_>,
    limit: Duration,
) -> (Vec<Found>, Option<String>) {
    let env = task.env;
    let (more, less) = match task.way {
        Way::Allowed => (new, old),
        Way::Denied => (old, new),
    };
    let possible = new.impossible(new.rules(env).chain(old.rules(env)));
    let mut narrowed = with(set(more.rules(env).cloned()), &possible);
    let (mut found, mut spent) = (Vec::<Found>::new(), Duration::ZERO);
    while found.len() < MOST {
        let ask = Ask::Implies(narrowed.clone(), set(less.rules(env).cloned()));
        let (outcome, took) = solver.ask(env, &ask, limit.saturating_sub(spent));
        spent += took;
        let example = match outcome {
            Outcome::Proved => return (found, None),
            Outcome::Undecided(why) => return (found, Some(why)),
            Outcome::Failed(None) => return (found, Some("the solver shows no request".to_owned())),
            Outcome::Failed(Some(example)) => *example,
        };
        let (example, took) = lifelike(solver, new, env, &ask, &example, limit.saturating_sub(spent));
        spent += took;
        let scope = Scope::of(&example, new);
        let Some(excluded) = scope.excluded(found.len()) else {
            return (found, Some("what was found cannot be told apart".to_owned()));
        };
        narrowed = with(narrowed, &excluded);
        found.push(Found {
            way: task.way,
            actions: task.actions.clone(),
            scope,
            sentence: String::new(),
            example,
        });
    }
    (found, Some(format!("there are more than {MOST} differences")))
}
