//! What two sets of rules answer differently, of all requests there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cedar_policy::{Policy, RequestEnv};

use super::cause::{self, causes};
use super::settle::lifelike;
use super::solver::{Solver, crew};
use super::statement::{Statement, statements};
use super::{Example, Missing, Outcome, Scope, Theory};

/// How many differences through one rule are looked for; more would tell nobody more.
const MOST: usize = 24;

/// Which way an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// What was denied is allowed.
    Allowed,
    /// What was allowed is denied.
    Denied,
}

/// A kind of requests of which at least one is answered differently.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which way.
    pub way: Way,
    /// What somebody does.
    pub actions: BTreeSet<String>,
    /// Who, where, what for.
    pub scope: Scope,
    /// The rule that makes the difference, which one side alone has.
    pub rule: String,
    /// On what of the rule it hangs, beside the scope.
    pub grounds: Vec<String>,
    /// One request.
    pub example: Example,
    /// The attributes that the rules read which one side alone has.
    pub read: BTreeSet<String>,
}

impl Found {
    fn kind(&self) -> (Way, &Scope, &str, &[String]) {
        (self.way, &self.scope, &self.rule, &self.grounds)
    }
}

/// All that is answered differently: beside `statements` and `doubts`, nothing is.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// What was found, in statements.
    pub statements: Vec<Statement>,
    /// The actions about which not everything is known, each with why.
    pub doubts: BTreeMap<String, String>,
}

/// One kind of request, which way to look, and through which rule.
struct Task<'a> {
    env: &'a RequestEnv,
    actions: BTreeSet<String>,
    way: Way,
    cause: &'a Policy,
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
    let (mut difference, mut all) = (Difference::default(), Vec::<Found>::new());
    for (number, found, doubt) in result {
        for found in found {
            let same = |other: &&mut Found| other.kind() == found.kind();
            match all.iter_mut().find(same) {
                Some(known) => known.actions.extend(found.actions),
                None => all.push(found),
            }
        }
        let about = tasks.get(number).map(|task| {
            let actions = new.grouped(task.actions.clone()).join(", ");
            format!("{actions} through `{}`", task.cause.id())
        });
        difference.doubts.extend(about.zip(doubt));
    }
    all.sort_by(|one, other| one.kind().cmp(&other.kind()));
    difference.statements = statements(all, new);
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

/// The kinds of requests of which other rules speak than did, with each rule that can make a difference.
fn tasks<'a>(old: &'a Theory, new: &'a Theory) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for (env, actions) in kinds(old, new, false) {
        for (way, more, less) in [(Way::Allowed, new, old), (Way::Denied, old, new)] {
            tasks.extend(causes(more, less, env).into_iter().map(|cause| Task {
                env,
                actions: actions.clone(),
                way,
                cause,
            }));
        }
    }
    tasks
}

/// All differences of one kind through one rule, each about something else; and why there may be more.
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
    let read = cause::read_by_changed(old, new, env);
    let other = cause::counterpart(task.cause, more, less, env);
    let mut outside = vec![possible];
    let (mut found, mut spent) = (Vec::<Found>::new(), Duration::ZERO);
    while found.len() < MOST {
        let ask = cause::ask(task.cause, more, less, env, &outside);
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
        let grounds = cause::grounds(task.cause, other, &example);
        let excluded = scope.excluded(found.len());
        let Some(excluded) = excluded.and_then(|forbid| cause::narrowed(&forbid, &grounds)) else {
            return (found, Some("what was found cannot be told apart".to_owned()));
        };
        outside.push(excluded);
        let unsaid = cause::telling(&grounds).into_iter();
        let unsaid = unsaid
            .filter(|ground| !scope.says(&ground.0, ground.1))
            .filter_map(cause::shown)
            .collect();
        found.push(Found {
            way: task.way,
            actions: task.actions.clone(),
            scope,
            rule: task.cause.id().to_string(),
            grounds: unsaid,
            example,
            read: read.clone(),
        });
    }
    (found, Some(format!("there are more than {MOST} differences")))
}
