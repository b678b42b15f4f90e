//! Policy cases as data: who does what where for what, and what must come of it.
//!
//! Reads as `files -> Case -> Came -> CaseReport`. A case is read once ([`Rulebook::cases`]) and judged as often as need
//! be: by these rules, or by the same with a mistake in them ([`Mutation`]). It must never judge by itself: every answer is
//! [`Rulebook::judge`]'s, or that of Cedar's own authorizer where a file speaks Cedar's own language.

mod activities;
mod came;
mod coverage;
mod engine;
mod grants;
mod mutation;
mod read;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use came::Difference;
pub use coverage::{Coverage, Exercised, Touched};
pub use mutation::{Mutation, Survivor};

use super::tried::{Asked, Met};
use super::words::Words;
use super::{Directory, Rulebook};
use crate::facts::fields::Reader;
use crate::facts::{
    Arrival, Channel, Observation, Outcome, Person, PolicyId, Problem, PurposeId, Reading, SourceText, Subject,
    SubjectId, WouldBe,
};
use crate::policy::{CedarCase, NamedAs, Power};
use read::{Bench, CASE, DEFAULTS};

/// A case: something that is asked, and what must come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it says of itself.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line and column, both from 1.
    pub place: (usize, usize),
    /// The bytes of its name: offset and length.
    pub span: (usize, usize),
    asks: Asks,
    expected: Expected,
}

#[derive(Clone, Debug)]
enum Asks {
    /// May this flow pass?
    Flow {
        seen: Box<Observation>,
        /// What the case says that the request does: then the catalogue is not asked.
        reading: Option<Reading>,
    },
    /// Are these actions permitted, as if all else that the flow needs were?
    Alone {
        seen: Box<Observation>,
        actions: Vec<String>,
    },
    /// May somebody declare, approve or revoke?
    Power(Box<Wields>),
    /// What does Cedar's authorizer say to this very request?
    Engine(Box<CedarCase>),
}

/// Somebody who wants to declare, approve or revoke.
#[derive(Clone, Debug)]
struct Wields {
    person: Arc<Person>,
    subject: Subject,
    arrival: Arrival,
    power: Power,
    purpose: PurposeId,
    declarer: SubjectId,
    declarer_person: Option<Arc<Person>>,
    business_owner: SubjectId,
    longest_for: std::time::Duration,
    channel: Channel,
    named_as: Option<NamedAs>,
    /// For whom they answer.
    behalf: Option<SubjectId>,
    at: crate::clock::Timestamp,
}

impl Case {
    /// The same of those whom the directory has by the same names: of a person a case holds nothing but all that the
    /// directory said.
    pub(super) fn with_people_of(&self, directory: &Directory) -> Self {
        let as_is_known = |person: &mut Arc<Person>| {
            if let Some(now) = directory.person(&person.id) {
                *person = now;
            }
        };
        let mut case = self.clone();
        match &mut case.asks {
            Asks::Flow { seen, .. } | Asks::Alone { seen, .. } => seen.person.iter_mut().for_each(as_is_known),
            Asks::Power(wields) => {
                let people = std::iter::once(&mut wields.person).chain(&mut wields.declarer_person);
                people.for_each(as_is_known);
            }
            Asks::Engine(_) => {}
        }
        case
    }
}

/// What must come of a case; what it does not speak of may come as it will.
#[derive(Clone, Debug)]
struct Expected {
    outcome: Wanted,
    /// None decided; or these, perhaps beside others.
    policies: Option<Vec<PolicyId>>,
    /// None; or these, perhaps beside others.
    offers: Option<Vec<PurposeId>>,
    inspect: Option<bool>,
    reads_as: Option<String>,
    under: Option<PurposeId>,
    /// What rules on probation would change.
    would: Option<WouldBe>,
    /// Whether the person may continue once they are told why not.
    may_continue: Option<bool>,
    /// How many policies fail to evaluate.
    errors: Option<usize>,
}

/// The outcome that a case wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Exactly(Outcome),
    /// Any but `allow`: whatever could be done about it.
    Refused,
}

impl Wanted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Exactly(outcome) => outcome.as_str(),
            Self::Refused => "refused",
        }
    }

    fn is(self, came: Outcome) -> bool {
        match self {
            Self::Exactly(outcome) => outcome == came,
            Self::Refused => came != Outcome::Allow,
        }
    }
}

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// What it says of itself.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line and column, both from 1.
    pub place: (usize, usize),
    /// The bytes of its name: offset and length.
    pub span: (usize, usize),
    /// What came otherwise than expected; nothing where it passes.
    pub differences: Vec<Difference>,
    /// Why it came so, line by line.
    pub because: Vec<String>,
    /// The rules that decided.
    pub reached: BTreeSet<PolicyId>,
}

/// What became of the cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseReport {
    /// Every case that was run, in the order of the files.
    pub results: Vec<CaseResult>,
    /// What is wrong with the files themselves.
    pub problems: Vec<Problem>,
    /// The rules that decided at least one case.
    pub reached: BTreeSet<PolicyId>,
    /// The rules that no case reaches.
    pub unreached: BTreeSet<PolicyId>,
}

impl CaseResult {
    /// Whether all came as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    fn problem(&self) -> Problem {
        let lines: Vec<String> = self.differences.iter().map(ToString::to_string).collect();
        let told: Vec<&str> = lines.iter().chain(&self.because).map(String::as_str).collect();
        let message = format!("the case `{}` fails: {}", self.name, told.join("; "));
        Problem {
            line: self.place.0,
            column: self.place.1,
            span: self.span,
            ..Problem::of_file("wayleave::cases::failed", &self.file, message)
                .with_help("change the rules or the case, then run `wayleave test`")
        }
    }
}

impl CaseReport {
    /// How many came out as expected.
    pub fn passed(&self) -> usize {
        self.results.iter().filter(|result| result.passed()).count()
    }

    /// Those that did not.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| !result.passed())
    }

    /// Whether the rules may rule.
    pub fn is_green(&self) -> bool {
        self.problems.is_empty() && self.failures().next().is_none()
    }

    /// What keeps the rules from ruling, as problems: a failed case is one at its line.
    pub fn into_problems(self) -> Vec<Problem> {
        let failed: Vec<Problem> = self.failures().map(CaseResult::problem).collect();
        self.problems.into_iter().chain(failed).collect()
    }
}

/// What is wrong with files of cases, as far as it can be told without judging any.
pub(super) fn mistakes(words: &Words<'_>, files: &[SourceText]) -> Vec<Problem> {
    let of_file = |file| {
        if engine::speaks_cedar(file) {
            engine::entries(file).err().unwrap_or_default()
        } else {
            read(words, &Asked::new(words.directory), file, 0).1
        }
    };
    files.iter().flat_map(of_file).collect()
}

/// The cases of a file, which are numbered from `first` on, and what is wrong with it: what is wrong with a case keeps only
/// that one out.
fn read(words: &Words<'_>, people: &Asked<'_>, file: &SourceText, first: usize) -> (Vec<Case>, Vec<Problem>) {
    let reader = Reader::new(file, "cases");
    let mut cases = Vec::new();
    reader.read(&["defaults", "case"], |fields| {
        let defaults = fields.table("defaults", DEFAULTS);
        let bench = Bench {
            words,
            defaults: defaults.as_ref(),
            file,
            people,
        };
        for case in fields.tables("case", CASE) {
            people.for_case(first + cases.len());
            let before = reader.noted();
            // what comes of a case that is not what its author meant would only mislead
            cases.extend(bench.case(&case).filter(|_| reader.noted() == before));
        }
    });
    (cases, reader.into_problems())
}

impl Rulebook {
    /// Reads every case of `files`, with the people of `directory`: what is wrong with a case keeps only that one out.
    pub fn cases(&self, directory: &Directory, files: &[SourceText]) -> (Vec<Case>, Vec<Problem>) {
        let (cases, problems, _) = self.cases_and_met(directory, files);
        (cases, problems)
    }

    /// The same, and whom they name.
    fn cases_and_met(&self, directory: &Directory, files: &[SourceText]) -> (Vec<Case>, Vec<Problem>, Met) {
        let (words, people) = (self.words(directory), Asked::new(directory));
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for file in files {
            if engine::speaks_cedar(file) {
                match engine::read(&self.policy, file, files) {
                    Ok(read) => cases.extend(read),
                    Err(found) => problems.extend(found),
                }
                continue;
            }
            let (read, found) = read(&words, &people, file, cases.len());
            cases.extend(read);
            problems.extend(found);
        }
        (cases, problems, people.into_met())
    }

    /// Judges one case.
    pub fn run_case(&self, case: &Case) -> CaseResult {
        let came = self.came(&case.asks);
        let differences = case.expected.differences(&came);
        CaseResult {
            name: case.name.clone(),
            file: case.file.clone(),
            place: case.place,
            span: case.span,
            because: if differences.is_empty() {
                Vec::new()
            } else {
                came.because(&differences, self.lapsed(case))
            },
            differences,
            reached: came.decided().cloned().collect(),
        }
    }

    /// What the results of all cases come to.
    pub fn report(&self, results: Vec<CaseResult>, problems: Vec<Problem>) -> CaseReport {
        let reached: BTreeSet<PolicyId> = results.iter().flat_map(|result| result.reached.clone()).collect();
        let all = self.policy.rules().map(|rule| rule.id.clone());
        CaseReport {
            unreached: all.filter(|id| !reached.contains(id)).collect(),
            reached,
            results,
            problems,
        }
    }

    /// Runs every case of `files` with the people of `directory`.
    pub fn run_cases(&self, directory: &Directory, files: &[SourceText]) -> CaseReport {
        self.try_cases(directory, files).0
    }

    /// The same, and the cases, and whom they name.
    pub(super) fn try_cases(&self, directory: &Directory, files: &[SourceText]) -> (CaseReport, Vec<Case>, Met) {
        let (cases, problems, met) = self.cases_and_met(directory, files);
        let results = cases.iter().map(|case| self.run_case(case)).collect();
        (self.report(results, problems), cases, met)
    }
}

#[cfg(test)]
mod tests;
