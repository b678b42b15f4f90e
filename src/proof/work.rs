//! All that is to be proved of a folder, and what becomes of it.

use std::sync::Arc;

use super::claim::{expressions, of_claims, of_property, of_rules, said};
use super::property::{Property, read};
use super::shelf::Shelf;
use super::{Check, Effort, Language, Missing, Outcome, Theory, prove};
use crate::facts::Problem;
use crate::rulebook::{Assembled, Directory, Draft, Rulebook, Sources};

/// What is wrong with the properties of a folder that is not assembled, as far as it can be told.
pub fn mistakes(draft: &Draft<'_>) -> Vec<Problem> {
    let sources = draft.sources();
    let read = read(&sources.properties);
    let mut problems = read.problems().to_vec();
    let unread = draft.unread().clone();
    let language = draft
        .schema()
        .map(|schema| Language::new(schema, draft.catalog(), draft.directory(), unread));
    let Some(Ok(language)) = language else {
        return problems;
    };
    for property in read.so_far() {
        if let Some(file) = sources.file(&property.file) {
            problems.extend(said(&language, property, file).err().unwrap_or_default());
        }
    }
    problems
}

/// A folder's properties and rules, as checks.
#[derive(Debug)]
pub struct Work {
    /// What there is to reason about.
    pub theory: Theory,
    /// What is to be proved.
    pub checks: Vec<Check>,
    /// What a proof of each rests on.
    pub(super) digests: Vec<String>,
}

impl Work {
    /// Reads properties and rules; all problems at once.
    pub fn of(sources: &Sources, assembled: &Assembled) -> Result<Self, Vec<Problem>> {
        let mut work = Self::of_properties(sources, &assembled.rulebook, &assembled.directory)?;
        let mut further = of_claims(&work.checks);
        further.extend(of_rules(&work.theory, assembled.rulebook.policy().rules()));
        let digests = further.iter().map(|check| check.digest(&work.theory, sources));
        work.digests.extend(digests);
        work.checks.extend(further);
        Ok(work)
    }

    /// The properties alone, of these rules.
    pub fn of_properties(sources: &Sources, rules: &Rulebook, people: &Directory) -> Result<Self, Vec<Problem>> {
        let (theory, checks) = Self::claimed(sources, rules, people)?;
        let digests = checks.iter().map(|check| check.digest(&theory, sources)).collect();
        Ok(Self {
            theory,
            checks,
            digests,
        })
    }

    /// What properties claim, if they make sense; nothing is made ready to be proved, which takes a while where there are
    /// many rules.
    pub fn claimed(
        sources: &Sources,
        rules: &Rulebook,
        people: &Directory,
    ) -> Result<(Theory, Vec<Check>), Vec<Problem>> {
        let read = read(&sources.properties);
        let properties: &[Property] = read.so_far();
        let theory = Theory::new(sources, rules, people, &expressions(properties))?;
        let (mut checks, mut problems) = (Vec::new(), read.problems().to_vec());
        for property in properties {
            let Some(file) = sources.file(&property.file) else {
                continue;
            };
            match of_property(&theory, property, file) {
                Ok(check) => checks.push(check),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            let private: Vec<_> = checks.iter().filter_map(Check::private).collect();
            let checks = checks.into_iter().map(|check| check.also_unread(&theory, &private));
            let checks = checks.collect();
            Ok((theory, checks))
        } else {
            Err(problems)
        }
    }

    /// The same for some checks only.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Check) -> bool) -> Self {
        let both = self.checks.into_iter().zip(self.digests);
        (self.checks, self.digests) = both.filter(|(check, _)| wanted(check)).unzip();
        self
    }

    /// Proves what the shelf does not remember, as far as the effort goes; says of each check when it is settled, so that
    /// whoever waits sees how far it is.
    pub fn prove(
        &self,
        shelf: &Shelf,
        effort: &Arc<Effort>,
        settled: &(dyn Fn() + Sync),
    ) -> Result<Vec<Outcome>, Missing> {
        let open = self.open(shelf);
        let checks: Vec<Check> = open
            .iter()
            .filter_map(|number| self.checks.get(*number).cloned())
            .collect();
        let keep = |number: usize, outcome: &Outcome| {
            let digest = open.get(number).and_then(|number| self.digests.get(*number));
            match (outcome, digest) {
                (Outcome::Proved, Some(digest)) => shelf.keep(digest),
                (Outcome::Undecided(_), Some(digest)) if !effort.left().is_zero() => shelf.keep(&late(digest)),
                (Outcome::Proved | Outcome::Undecided(_) | Outcome::Failed(_), _) => {}
            }
            settled();
        };
        for _ in open.len()..self.checks.len() {
            settled();
        }
        let proved = prove(&self.theory, &checks, effort, &keep)?;
        let mut outcomes = vec![Outcome::Proved; self.checks.len()];
        for (number, outcome) in open.into_iter().zip(proved) {
            if let Some(place) = outcomes.get_mut(number) {
                *place = outcome;
            }
        }
        Ok(outcomes)
    }

    /// What the shelf does not remember; what took too long before comes last, so that run after run gets further.
    pub(super) fn open(&self, shelf: &Shelf) -> Vec<usize> {
        let digests = self.digests.iter().enumerate();
        let open = digests.filter(|(_, digest)| !shelf.has(digest));
        let (slow, others): (Vec<_>, Vec<_>) = open.partition(|(_, digest)| shelf.has(&late(digest)));
        others.into_iter().chain(slow).map(|(number, _)| number).collect()
    }
}

/// What is remembered of a check that took longer than it may.
fn late(digest: &str) -> String {
    format!("{digest}-late")
}
