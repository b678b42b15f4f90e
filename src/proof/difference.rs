//! What two sets of rules answer differently, of all requests there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cedar_policy::{Policy, RequestEnv};

use super::cause::{self, causes};
use super::settle::{decided, lifelike};
use super::solver::{Solver, crew};
use super::sound::{allowed, gateway, sound, suspects};
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
    /// Whether it makes it by failing to evaluate, which denies.
    pub fails: bool,
    /// On what of the rule it hangs, beside the scope.
    pub grounds: Vec<String>,
    /// One request.
    pub example: Example,
    /// The attributes that the rules read which one side alone has.
    pub read: BTreeSet<String>,
}

impl Found {
    fn kind(&self) -> (Way, &Scope, &str, bool, &[String]) {
        (self.way, &self.scope, &self.rule, self.fails, &self.grounds)
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
    /// Whether to look for requests for which the rule fails to evaluate.
    fails: bool,
}

impl Task<'_> {
    /// The side that allows what is looked for, and the other.
    fn sides<'t>(&self, old: &'t Theory, new: &'t Theory) -> (&'t Theory, &'t Theory) {
        match self.way {
            Way::Allowed => (new, old),
            Way::Denied => (old, new),
        }
    }

    fn found(&self, scope: Scope, grounds: Vec<String>, example: Example, read: BTreeSet<String>) -> Found {
        Found {
            way: self.way,
            actions: self.actions.clone(),
            scope,
            rule: self.cause.id().to_string(),
            fails: self.fails,
            grounds,
            example,
            read,
        }
    }
}

/// A task by its number, what it found, and why it could not tell.
type Done = (usize, Vec<Found>, Option<String>);

/// Compares two sets of rules of one schema. `new` knows the names that `old` uses. Each kind of request takes at most
/// `limit`, either way.
pub fn difference(old: &Theory, new: &Theory, limit: Duration) -> Result<Difference, Missing> {
    let tasks: Vec<Task<'_>> = tasks(old, new);
    let result: Mutex<Vec<Done>> = Mutex::default();
    crew(&new.language.schema, tasks.len(), &|solver, number| {
        let Some(task) = tasks.get(number) else { return };
        let look = if task.fails { failing } else { through };
        let (found, doubt) = look(solver, old, new, task, limit);
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
        let env = new.language.envs.get(*class.first()?)?;
        let names = class.iter().filter_map(|number| new.language.envs.get(*number));
        let actions = names.map(|env| env.action().id().unescaped().to_owned()).collect();
        (all || texts(old, env) != texts(new, env)).then_some((env, actions))
    };
    let classes = new.classes(0..new.language.envs.len(), &more).into_iter();
    classes.filter_map(kind).collect()
}

/// The kinds of requests of which other rules speak than did, with each rule that can make a difference.
fn tasks<'a>(old: &'a Theory, new: &'a Theory) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for (env, actions) in kinds(old, new, false) {
        for (way, more, less) in [(Way::Allowed, new, old), (Way::Denied, old, new)] {
            let through = causes(more, less, env).into_iter().map(|cause| (cause, false));
            let failing = suspects(more, less, env).into_iter().map(|cause| (cause, true));
            tasks.extend(through.chain(failing).map(|(cause, fails)| Task {
                env,
                actions: actions.clone(),
                way,
                cause,
                fails,
            }));
        }
    }
    tasks
}

/// A difference of one kind through a rule that fails to evaluate on the side that denies; and why there may be one.
fn failing(
    solver: &mut Solver,
    old: &Theory,
    new: &Theory,
    task: &Task<'_>,
    limit: Duration,
) -> (Vec<Found>, Option<String>) {
    let env = task.env;
    let (more, _) = task.sides(old, new);
    let Some(allowed) = allowed(more, env) else {
        return (Vec::new(), None);
    };
    let possible = new.impossible(new.rules(env).chain(old.rules(env)));
    let question = sound(task.cause, &[&allowed, &possible]);
    let (outcome, asked, spent) = decided(solver, env, question, limit);
    let example = match outcome {
        Outcome::Proved => return (Vec::new(), None),
        Outcome::Undecided(why) => return (Vec::new(), Some(format!("whether it always evaluates: {why}"))),
        Outcome::Failed(None) => return (Vec::new(), Some("it may fail to evaluate, which denies".to_owned())),
        Outcome::Failed(Some(example)) => *example,
    };
    let (example, _) = lifelike(solver, new, env, &asked, &example, limit.saturating_sub(spent));
    if !matches!(gateway(more, env, &example), Ok(true)) {
        return (Vec::new(), Some("it may fail to evaluate, which denies".to_owned()));
    }
    let read = cause::read_by_changed(old, new, env);
    (
        vec![task.found(Scope::of(&example, new), Vec::new(), example, read)],
        None,
    )
}

/// All differences of one kind through one rule, each about something else; and why there may be more.
fn through(
    solver: &mut Solver,
    old: &Theory,
    new: &Theory,
    task: &Task<'_>,
    limit: Duration,
) -> (Vec<Found>, Option<String>) {
    let env = task.env;
    let (more, less) = task.sides(old, new);
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
        if let Some(id) = [more, less].iter().find_map(|side| gateway(side, env, &example).err()) {
            return (
                found,
                Some(format!(
                    "`{id}` fails to evaluate for the request that was found, which denies it"
                )),
            );
        }
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
        found.push(task.found(scope, unsaid, example, read.clone()));
    }
    (found, Some(format!("there are more than {MOST} differences")))
}
