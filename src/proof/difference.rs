//! What two sets of rules answer differently, of all requests there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cedar_policy::{Effect, RequestEnv};

use super::cause::{self, Alone};
use super::question::{Aim, Question, Rules};
use super::settle::lifelike;
use super::solver::{Solver, crew};
use super::sound::gateway;
use super::statement::{Statement, sort, statements};
use super::unnoticed::Unnoticed;
use super::{Effort, Example, Missing, Outcome, Premise, Scope, Theory};

/// How many differences through one rule are looked for; more would tell nobody more.
pub(super) const MOST: usize = 24;
/// And how many through one that fails to evaluate, which is to be mended, whatever it denies.
const MOST_FAILING: usize = 8;

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
    fn kind(&self) -> (Way, u8, &Scope, &str, bool, &[String]) {
        let sort = sort(&self.actions);
        (self.way, sort, &self.scope, &self.rule, self.fails, &self.grounds)
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
#[derive(Debug)]
struct Task<'a> {
    env: &'a RequestEnv,
    actions: BTreeSet<String>,
    way: Way,
    cause: Arc<Premise>,
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
            rule: self.cause.policy().id().to_string(),
            fails: self.fails,
            grounds,
            example,
            read,
        }
    }
}

/// A task by its number, what it found, and why it could not tell.
type Done = (usize, Vec<Found>, Option<String>);

/// Two sets of rules of one schema, and what must be asked to compare them.
#[derive(Debug)]
pub struct Comparison<'a> {
    old: &'a Theory,
    new: &'a Theory,
    alone: Alone<'a>,
    tasks: Vec<Task<'a>>,
    /// What may pass unread by one of them alone, which comes last.
    unread: Vec<Unnoticed<'a>>,
}

impl<'a> Comparison<'a> {
    /// Compares these. `new` knows the names that `old` uses. A rule that both have is asked about only beside one that one
    /// of them alone has.
    pub fn of(old: &'a Theory, new: &'a Theory) -> Self {
        let alone = Alone::of(old, new);
        let tasks = tasks(old, new, &alone);
        let unread = [(Way::Allowed, new, old), (Way::Denied, old, new)];
        let unread = unread.into_iter();
        let unread = unread.filter_map(|(way, more, less)| Unnoticed::of(way, (more, less), new, &alone));
        let unread = unread.collect();
        Self {
            old,
            new,
            alone,
            tasks,
            unread,
        }
    }

    /// How much there is to settle.
    pub fn size(&self) -> usize {
        self.tasks.len() + self.unread.len()
    }

    /// What the two answer differently, as far as the effort goes; says of each part when it is settled, so that whoever
    /// waits sees how far it is.
    pub fn settle(&self, effort: &Arc<Effort>, settled: &(dyn Fn() + Sync)) -> Result<Difference, Missing> {
        let (old, new) = (self.old, self.new);
        let result: Mutex<Vec<Done>> = Mutex::default();
        crew(&new.language.schema, effort, self.size(), &|solver, number| {
            let (found, doubt) = match self.task(number) {
                Some(Ok(task)) => {
                    let look = if task.fails { failing } else { through };
                    look(solver, &self.alone, task.sides(old, new), new, task, effort.each())
                }
                Some(Err(unread)) => unread.found(solver, effort.each()),
                None => return,
            };
            let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
            result.push((number, found, doubt));
            drop(result);
            settled();
        })?;
        let mut result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        result.sort_by_key(|(number, _, _)| *number);
        Ok(self.told(result))
    }

    /// What to settle by its number.
    fn task(&self, number: usize) -> Option<Result<&Task<'a>, &Unnoticed<'a>>> {
        let unread = || self.unread.get(number.checked_sub(self.tasks.len())?);
        self.tasks.get(number).map(Ok).or_else(|| unread().map(Err))
    }

    fn told(&self, result: Vec<Done>) -> Difference {
        let (mut difference, mut all) = (Difference::default(), Vec::<Found>::new());
        for (number, found, doubt) in result {
            for found in found {
                let same = |other: &&mut Found| other.kind() == found.kind();
                match all.iter_mut().find(same) {
                    Some(known) => known.actions.extend(found.actions),
                    None => all.push(found),
                }
            }
            let about = self.task(number).map(|task| match task {
                Ok(task) => {
                    let actions = self.new.grouped(task.actions.clone()).join(", ");
                    format!("{actions} through `{}`", task.cause.policy().id())
                }
                Err(unread) => unread.about(),
            });
            difference.doubts.extend(about.zip(doubt));
        }
        all.sort_by(|one, other| one.kind().cmp(&other.kind()));
        difference.statements = statements(all, self.new);
        difference
    }
}

/// The actions that no rule tells apart; without `all`, those only of which other rules speak than did.
pub fn classes(old: &Theory, new: &Theory, all: bool) -> Vec<BTreeSet<String>> {
    let kinds = kinds(old, new, &Alone::of(old, new), all).into_iter();
    kinds.map(|(_, actions)| actions).collect()
}

fn kinds<'a>(old: &Theory, new: &'a Theory, alone: &Alone<'_>, all: bool) -> Vec<(&'a RequestEnv, BTreeSet<String>)> {
    let more: Vec<_> = old.every().map(|rule| rule.policy()).collect();
    let is_other = |env| alone.rules(old, env).chain(alone.rules(new, env)).next().is_some();
    let kind = |class: Vec<usize>| {
        let env = new.language.envs.get(*class.first()?)?;
        let names = class.iter().filter_map(|number| new.language.envs.get(*number));
        let actions = names.map(|env| env.action().id().unescaped().to_owned()).collect();
        (all || is_other(env)).then_some((env, actions))
    };
    let classes = new.classes(0..new.language.envs.len(), &more).into_iter();
    classes.filter_map(kind).collect()
}

/// The kinds of requests of which other rules speak than did, with each rule that can make a difference: those through
/// which the one side may allow more, and those by whose failing the other may deny more.
fn tasks<'a>(old: &Theory, new: &'a Theory, alone: &Alone<'_>) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for (env, actions) in kinds(old, new, alone, false) {
        for (way, more, less) in [(Way::Allowed, new, old), (Way::Denied, old, new)] {
            let through = alone.causes(more, less, env).into_iter().map(|cause| (cause, false));
            let failing = alone.rules(less, env).map(|cause| (Arc::clone(cause), true));
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

/// All differences of one kind through a rule that fails to evaluate on the side that denies, each about something else; and
/// why there may be more.
fn failing(
    solver: &mut Solver,
    alone: &Alone<'_>,
    (more, less): (&Theory, &Theory),
    new: &Theory,
    task: &Task<'_>,
    limit: Duration,
) -> (Vec<Found>, Option<String>) {
    let env = task.env;
    if more.rules(env).all(|rule| rule.policy().effect() == Effect::Forbid) {
        return (Vec::new(), None);
    }
    let read = alone.read(more, less, env);
    let aim = Aim::Evaluates(Arc::clone(&task.cause));
    let mut question = Question::new(new, env, aim, more.rules(env).collect(), Rules::default());
    let (mut found, mut spent) = (Vec::<Found>::new(), Duration::ZERO);
    while found.len() < MOST_FAILING {
        let answer = question.put(solver, limit.saturating_sub(spent));
        spent += answer.spent;
        let example = match &answer.outcome {
            Outcome::Proved => return (found, None),
            Outcome::Undecided(why) => return (found, Some(format!("whether it always evaluates: {why}"))),
            Outcome::Failed(None) => return (found, Some("it may fail to evaluate, which denies".to_owned())),
            Outcome::Failed(Some(example)) => example,
        };
        let (example, took) = lifelike(solver, &question, &answer, example, limit.saturating_sub(spent));
        spent += took;
        if !matches!(gateway(more, env, &example), Ok(true)) {
            return (found, Some("it may fail to evaluate, which denies".to_owned()));
        }
        let scope = Scope::of(&example, new);
        let Some(excluded) = scope.excluded(found.len()) else {
            return (found, Some("what was found cannot be told apart".to_owned()));
        };
        question = question.among(&excluded);
        found.push(task.found(scope, Vec::new(), example, read.clone()));
    }
    (
        found,
        Some(format!("there may be more than {MOST_FAILING} differences")),
    )
}

/// All differences of one kind through one rule, each about something else; and why there may be more.
fn through(
    solver: &mut Solver,
    alone: &Alone<'_>,
    (more, less): (&Theory, &Theory),
    new: &Theory,
    task: &Task<'_>,
    limit: Duration,
) -> (Vec<Found>, Option<String>) {
    let env = task.env;
    let cause = task.cause.policy();
    let read = alone.read(more, less, env);
    let other = cause::counterpart(cause, more, less, env);
    let mut question = alone.question(new, &task.cause, (more, less), env);
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
        if let Some(id) = [more, less].iter().find_map(|side| gateway(side, env, &example).err()) {
            return (
                found,
                Some(format!(
                    "`{id}` fails to evaluate for the request that was found, which denies it"
                )),
            );
        }
        let scope = Scope::of(&example, new);
        let grounds = cause::grounds(cause, other.as_ref().map(|rule| rule.policy()), &example);
        let excluded = scope.excluded(found.len());
        let Some(excluded) = excluded.and_then(|forbid| cause::narrowed(&forbid, &grounds)) else {
            return (found, Some("what was found cannot be told apart".to_owned()));
        };
        question = question.among(&excluded);
        let unsaid = cause::telling(&grounds).into_iter();
        let unsaid = unsaid
            .filter(|ground| !scope.says(&ground.0, ground.1))
            .filter_map(cause::shown)
            .collect();
        found.push(task.found(scope, unsaid, example, read.clone()));
    }
    (found, Some(format!("there may be more than {MOST} differences")))
}
