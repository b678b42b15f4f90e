//! Puts what is to be proved to a crew of solvers, and gathers their answers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::solver::{Solver, crew};
use super::{Check, Missing, Outcome, Theory};

/// How far a check has come.
#[derive(Debug)]
struct Course {
    /// The kinds of requests that nobody has taken on yet, or whose answer is awaited.
    open: usize,
    spent: Duration,
    /// Why nobody knows.
    doubt: Option<String>,
    outcome: Option<Outcome>,
}

/// Proves `checks`, each within `limit`; tells each outcome as it comes.
pub fn prove(
    theory: &Theory,
    checks: &[Check],
    limit: Duration,
    told: &(dyn Fn(usize, &Outcome) + Sync),
) -> Result<Vec<Outcome>, Missing> {
    let course = |check: &Check| {
        Mutex::new(Course {
            open: check.envs.len(),
            spent: Duration::ZERO,
            doubt: None,
            outcome: None,
        })
    };
    let courses: Vec<Mutex<Course>> = checks.iter().map(course).collect();
    let numbered = checks.iter().enumerate();
    let tasks: Vec<(usize, usize)> = numbered
        .flat_map(|(number, check)| check.envs.iter().map(move |env| (number, *env)))
        .collect();
    crew(&theory.schema, tasks.len(), &|solver, task| {
        let Some((number, env)) = tasks.get(task).copied() else { return };
        let (Some(check), Some(course)) = (checks.get(number), courses.get(number)) else {
            return;
        };
        let locked = || course.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = Some(locked()).filter(|course| course.outcome.is_none()).map(|course| course.spent);
        let answer = spent.map(|spent| one(solver, theory, check, env, limit.saturating_sub(spent)));
        let mut course = locked();
        course.open -= 1;
        if course.learns(answer, check) {
            told(number, course.outcome.as_ref().unwrap_or(&Outcome::Proved));
        }
    })?;
    let outcome = |course: Mutex<Course>| {
        let course = course.into_inner().unwrap_or_else(PoisonError::into_inner);
        course.outcome.unwrap_or(Outcome::Proved)
    };
    Ok(courses.into_iter().map(outcome).collect())
}

impl Course {
    /// Takes in an answer; whether it settles the check.
    fn learns(&mut self, answer: Option<(Outcome, Duration)>, check: &Check) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        if let Some((outcome, took)) = answer {
            self.spent += took;
            match (outcome, check.wants_all()) {
                (failed @ Outcome::Failed(_), true) => self.outcome = Some(failed),
                (Outcome::Failed(_), false) => self.outcome = Some(Outcome::Proved),
                (Outcome::Undecided(why), _) => self.doubt = Some(why),
                (Outcome::Proved, _) => {}
            }
        }
        if self.outcome.is_none() && self.open == 0 {
            self.outcome = Some(match (self.doubt.take(), check.wants_all()) {
                (Some(why), _) => Outcome::Undecided(why),
                (None, true) => Outcome::Proved,
                (None, false) => Outcome::Failed(None),
            });
        }
        self.outcome.is_some()
    }
}

/// What becomes of a check for one kind of request.
fn one(solver: &mut Solver, theory: &Theory, check: &Check, env: usize, limit: Duration) -> (Outcome, Duration) {
    let Some(env) = theory.envs.get(env) else {
        return (Outcome::Proved, Duration::ZERO);
    };
    let (first, decider) = check.ask(theory, env);
    let (mut outcome, mut spent) = solver.ask(env, &first, limit);
    let mut asked = first;
    if let (Outcome::Failed(_), Some(decider)) = (&outcome, decider) {
        let (decided, took) = solver.ask(env, &decider, limit.saturating_sub(spent));
        (outcome, asked, spent) = (decided, decider, spent + took);
    }
    if let (Outcome::Failed(_), true, Some(ask)) = (&outcome, check.wants_all(), check.lifelike(theory, &asked)) {
        let (better, took) = solver.ask(env, &ask, limit.saturating_sub(spent));
        spent += took;
        if matches!(better, Outcome::Failed(_)) {
            outcome = better;
        }
    }
    (outcome, spent)
}
