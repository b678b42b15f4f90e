//! Would a property notice that somebody changed the rules? Only one that holds of the rules as they are, and not of the
//! changed ones; what nobody knows within the limit is not noticed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::settle::holds;
use super::shelf::Shelf;
use super::solver::{Solver, crew};
use super::{Check, Effort, Missing, Theory, Work};
use crate::facts::Problem;
use crate::rulebook::{Assembled, Directory, Rulebook, Sources};

/// The properties of a folder, held against changed rules.
#[derive(Debug)]
pub struct Watch<'a> {
    sources: &'a Sources,
    people: &'a Directory,
    /// The properties, of the rules as they are.
    work: Work,
    /// Which of them hold, once somebody asked.
    hold: Vec<OnceLock<bool>>,
    shelf: Shelf,
    effort: Arc<Effort>,
}

impl<'a> Watch<'a> {
    /// Reads the properties; all problems at once. Each is given `limit` for each set of rules.
    pub fn new(
        sources: &'a Sources,
        assembled: &'a Assembled,
        shelf: Shelf,
        limit: Duration,
    ) -> Result<Self, Vec<Problem>> {
        let people = &assembled.directory;
        let work = Work::of_properties(sources, &assembled.rulebook, people)?;
        let hold = work.checks.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            sources,
            people,
            work,
            hold,
            shelf,
            effort: Arc::new(Effort::new(limit, Duration::MAX)),
        })
    }

    /// Which of `many` changed rules some property notices. They are made when their turn comes, on all cores.
    pub fn noticed(
        &self,
        many: usize,
        changed: &(dyn Fn(usize) -> Option<Rulebook> + Sync),
    ) -> Result<Vec<bool>, Missing> {
        let noticed: Vec<AtomicBool> = (0..many).map(|_| AtomicBool::new(false)).collect();
        let to_ask = if self.work.checks.is_empty() { 0 } else { many };
        crew(
            &self.work.theory.language.schema,
            &self.effort,
            to_ask,
            &|solver, number| {
                let rules = changed(number);
                if let (Some(rules), Some(place)) = (rules, noticed.get(number)) {
                    place.store(self.notices(solver, &rules), Ordering::Relaxed);
                }
            },
        )?;
        Ok(noticed.into_iter().map(AtomicBool::into_inner).collect())
    }

    fn notices(&self, solver: &mut Solver, rules: &Rulebook) -> bool {
        let Ok(work) = Work::of_properties(self.sources, rules, self.people) else {
            return false;
        };
        let before = self.work.checks.iter().zip(&self.work.digests).zip(&self.hold);
        let mut both = before.zip(work.checks.iter().zip(&work.digests));
        both.any(|(((check, digest), held), (again, changed))| {
            // what rests on the same has the same answer
            digest != changed
                && self.holds(solver, &work.theory, again, changed) == Some(false)
                && *held.get_or_init(|| self.holds(solver, &self.work.theory, check, digest) == Some(true))
        })
    }

    /// Whether a property holds, as it is remembered or as the solver says; none where nobody knows.
    fn holds(&self, solver: &mut Solver, theory: &Theory, check: &Check, digest: &str) -> Option<bool> {
        let failed = format!("{digest}-fails");
        for (name, answer) in [(digest, true), (&failed, false)] {
            if self.shelf.has(name) {
                return Some(answer);
            }
        }
        let answer = holds(solver, theory, check, self.effort.each());
        if let Some(answer) = answer {
            self.shelf.keep(if answer { digest } else { &failed });
        }
        answer
    }
}
