//! Policy cases as data: who does what, where, what for and when, and what must come of it.
//!
//! `wayleave test`, the tests of the shipped rules and every reload run the same function: rules that fail their own
//! cases never rule.

mod flow;
mod run;

use std::collections::BTreeSet;

use super::{Directory, Rulebook};
use crate::facts::fields::Reader;
use crate::facts::{PolicyId, Problem, SourceText};
use run::{Bench, CASE, DEFAULTS};

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
    /// Its line and column, both from 1.
    pub place: (usize, usize),
    /// The bytes of its name: offset and length.
    pub span: (usize, usize),
    /// What was expected and what came, line by line.
    pub lines: Vec<String>,
}

impl CaseReport {
    /// Whether the rules may rule.
    pub fn is_green(&self) -> bool {
        self.failures.is_empty() && self.problems.is_empty()
    }

    /// What keeps the rules from ruling, as problems: a failed case is one at its line.
    pub fn into_problems(self) -> Vec<Problem> {
        let failed = self.failures.into_iter().map(|failure| {
            let message = format!("the case `{}` fails: {}", failure.name, failure.lines.join("; "));
            let problem = Problem::of_file("wayleave::cases::failed", &failure.file, message)
                .with_help("change the rules or the case, then run `wayleave test`");
            let ((line, column), span) = (failure.place, failure.span);
            Problem {
                line,
                column,
                span,
                ..problem
            }
        });
        let failed: Vec<Problem> = failed.collect();
        self.problems.into_iter().chain(failed).collect()
    }
}

impl Rulebook {
    /// Runs every case of `cases` with the people of `directory`.
    pub fn run_cases(&self, directory: &Directory, cases: &[SourceText]) -> CaseReport {
        let mut report = CaseReport::default();
        for file in cases {
            let reader = Reader::new(file, "cases");
            reader.read(&["defaults", "case"], |fields| {
                let defaults = fields.table("defaults", DEFAULTS);
                let bench = Bench {
                    rules: self,
                    directory,
                    defaults: defaults.as_ref(),
                    file,
                };
                for case in fields.tables("case", CASE) {
                    bench.run(&case, &mut report);
                }
            });
            report.problems.extend(reader.into_problems());
        }
        let all = self.policy.rules().map(|rule| rule.id.clone());
        report.unreached = all.filter(|id| !report.reached.contains(id)).collect();
        report
    }
}

#[cfg(test)]
mod tests;
