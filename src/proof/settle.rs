//! Puts what is to be proved to a crew of solvers, and gathers their answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cedar_policy::{Effect, Policy, PolicyId, Request, RequestEnv};

use super::polish::polished;
use super::question::{Answer, Question};
use super::solver::{Solver, crew};
use super::sound::gateway;
use super::unread::UNREAD;
use super::{Check, Effort, Example, Missing, Outcome, Theory};

/// How far a check has come.
#[derive(Debug)]
struct Course {
    /// How many kinds of requests nobody has answered for.
    open: usize,
    spent: Duration,
    /// Why nobody knows.
    doubt: Option<String>,
    /// The first kind of request for which it is settled, and how.
    settled: Option<(Kind, Outcome)>,
}

/// Of what a check is asked: of a kind of request, by its place in [`super::Language::envs`], and then of what passes unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Of(usize),
    Unread,
}

fn kinds(check: &Check) -> impl Iterator<Item = Kind> {
    let envs = check.envs.iter().copied().map(Kind::Of);
    envs.chain(check.unread.as_ref().map(|_| Kind::Unread))
}

/// Proves `checks`, as far as the effort goes; tells each outcome as it comes.
pub fn prove(
    theory: &Theory,
    checks: &[Check],
    effort: &Arc<Effort>,
    told: &(dyn Fn(usize, &Outcome) + Sync),
) -> Result<Vec<Outcome>, Missing> {
    let course = |check: &Check| {
        Mutex::new(Course {
            open: kinds(check).count(),
            spent: Duration::ZERO,
            doubt: None,
            settled: None,
        })
    };
    let courses: Vec<Mutex<Course>> = checks.iter().map(course).collect();
    let numbered = checks.iter().enumerate();
    let tasks: Vec<(usize, Kind)> = numbered
        .flat_map(|(number, check)| kinds(check).map(move |kind| (number, kind)))
        .collect();
    crew(&theory.language.schema, effort, tasks.len(), &|solver, task| {
        let Some((number, kind)) = tasks.get(task).copied() else {
            return;
        };
        let (Some(check), Some(course)) = (checks.get(number), courses.get(number)) else {
            return;
        };
        let locked = || course.lock().unwrap_or_else(PoisonError::into_inner);
        let left = {
            let course = locked();
            let is_settled = course.settled.is_some();
            Some(effort.each().saturating_sub(course.spent)).filter(|_| !is_settled)
        };
        let answer = left.map(|left| match solver.left(left) {
            Ok(left) => one(solver, theory, check, kind, left),
            Err(undecided) => (undecided, Duration::ZERO),
        });
        let mut course = locked();
        course.open -= 1;
        if let Some((outcome, took)) = answer {
            course.spent += took;
            course.learns(kind, outcome, check.wants_all());
        }
        if course.open == 0 {
            told(number, &course.outcome(check.wants_all()));
        }
    })?;
    let outcomes = checks.iter().zip(courses).map(|(check, course)| {
        let course = course.into_inner().unwrap_or_else(PoisonError::into_inner);
        course.outcome(check.wants_all())
    });
    Ok(outcomes.collect())
}

impl Course {
    /// Takes in an answer. The first kind of request counts, whoever answers first.
    fn learns(&mut self, kind: Kind, outcome: Outcome, wants_all: bool) {
        let settles = match outcome {
            Outcome::Failed(example) if wants_all => Outcome::Failed(example),
            Outcome::Failed(_) => Outcome::Proved,
            Outcome::Undecided(why) => {
                self.doubt = Some(why);
                return;
            }
            Outcome::Proved => return,
        };
        if self.settled.as_ref().is_none_or(|(first, _)| kind < *first) {
            self.settled = Some((kind, settles));
        }
    }

    fn outcome(&self, wants_all: bool) -> Outcome {
        match (&self.settled, &self.doubt) {
            (Some((_, outcome)), _) => outcome.clone(),
            (None, Some(why)) => Outcome::Undecided(why.clone()),
            (None, None) if wants_all => Outcome::Proved,
            (None, None) => Outcome::Failed(None),
        }
    }
}

/// What becomes of a check for one kind of request.
fn one(solver: &mut Solver, theory: &Theory, check: &Check, kind: Kind, limit: Duration) -> (Outcome, Duration) {
    let questions = match kind {
        Kind::Of(env) => theory.language.envs.get(env).map(|env| check.questions(theory, env)),
        Kind::Unread => Some(check.questions_unread(theory)),
    };
    let mut spent = Duration::ZERO;
    for question in questions.into_iter().flatten() {
        let answer = question.put(solver, limit.saturating_sub(spent));
        spent += answer.spent;
        match &answer.outcome {
            Outcome::Proved => {}
            Outcome::Failed(Some(example)) if check.wants_all() => {
                let left = limit.saturating_sub(spent);
                let (mut example, took) = telling(solver, &question, &answer, example, left);
                if kind == Kind::Unread {
                    example = example.asking(UNREAD);
                }
                return (Outcome::Failed(Some(Box::new(example))), spent + took);
            }
            Outcome::Failed(_) | Outcome::Undecided(_) => return (answer.outcome, spent),
        }
    }
    (Outcome::Proved, spent)
}

/// The example as somebody would meet it, if there is one, of a person who could reach the host.
fn telling(
    solver: &mut Solver,
    question: &Question<'_>,
    answer: &Answer,
    example: &Example,
    limit: Duration,
) -> (Example, Duration) {
    let (better, mut spent) = lifelike(solver, question, answer, example, limit);
    let Some(able) = able(question.theory, question.env, &better) else {
        return (better, spent);
    };
    let able = question.clone().among(&able);
    let answer = able.put(solver, limit.saturating_sub(spent));
    spent += answer.spent;
    let Outcome::Failed(Some(example)) = &answer.outcome else {
        return (better, spent);
    };
    let (other, took) = lifelike(solver, &able, &answer, example, limit.saturating_sub(spent));
    (other, spent + took)
}

/// Where the person of an example could not even reach the host: forbids all who are in nothing for which a rule permits it.
fn able(theory: &Theory, env: &RequestEnv, example: &Example) -> Option<Policy> {
    let is_reaching = |other: &&RequestEnv| {
        let reaches = other.action().id().unescaped() == "connect" && other.action() != env.action();
        reaches && (other.principal(), other.resource()) == (env.principal(), env.resource())
    };
    let reaching = theory.language.envs.iter().find(is_reaching)?;
    let request = &example.request;
    let request = Request::new(
        request.principal()?.clone(),
        reaching.action().clone(),
        request.resource()?.clone(),
        request.context()?.clone(),
        None,
    );
    let entities = example.entities.clone();
    let reached = Example {
        request: request.ok()?,
        entities,
    };
    if gateway(theory, reaching, &reached) == Ok(true) {
        return None;
    }
    let rules = theory.rules(reaching).map(|rule| rule.policy());
    let permits = rules.filter(|rule| rule.effect() == Effect::Permit);
    let named = permits.flat_map(Policy::entity_literals);
    let units = named.filter(|uid| ["Role", "Department"].contains(&uid.type_name().basename()));
    let units: BTreeSet<String> = units.map(|uid| format!("principal in {uid}")).collect();
    let units: Vec<String> = units.into_iter().collect();
    let text = format!(
        "forbid (principal, action, resource) unless {{ {} }};",
        units.join(" || ")
    );
    Policy::parse(Some(PolicyId::new("the able")), text).ok()
}

/// Whether a check that speaks of every request holds; none where nobody knows within `limit`.
pub(super) fn holds(solver: &mut Solver, theory: &Theory, check: &Check, limit: Duration) -> Option<bool> {
    let (mut spent, mut known) = (Duration::ZERO, true);
    for env in check.envs.iter().filter_map(|env| theory.language.envs.get(*env)) {
        for question in check.questions(theory, env) {
            let answer = question.put(solver, limit.saturating_sub(spent));
            spent += answer.spent;
            match answer.outcome {
                Outcome::Failed(_) => return Some(false),
                Outcome::Undecided(_) => known = false,
                Outcome::Proved => {}
            }
        }
    }
    known.then_some(true)
}

/// The example as somebody would meet it: the solver's own, or one of an ordinary week.
pub(super) fn lifelike(
    solver: &mut Solver,
    question: &Question<'_>,
    answer: &Answer,
    example: &Example,
    limit: Duration,
) -> (Example, Duration) {
    let Some(possible) = &answer.possible else {
        return (example.clone(), Duration::ZERO);
    };
    let first = polished(&|example| question.is_shown_by(possible, example), example.clone());
    let Some(week) = question.theory.ordinary() else {
        return (first, Duration::ZERO);
    };
    let narrowed = question.clone().among(week);
    if narrowed.is_shown_by(possible, &first) {
        return (first, Duration::ZERO);
    }
    let answer = narrowed.put(solver, limit);
    match (answer.outcome, &answer.possible) {
        (Outcome::Failed(Some(example)), Some(possible)) => {
            let usual = polished(&|example| narrowed.is_shown_by(possible, example), *example);
            (usual, answer.spent)
        }
        _ => (first, answer.spent),
    }
}
