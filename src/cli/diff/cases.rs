//! What the cases of both folders say to the rules and people of each.

use std::collections::BTreeMap;

use super::Side;
use crate::facts::SourceText;
use crate::rulebook::{CaseReport, CaseResult};

/// A case that comes out differently.
pub(super) struct Turned {
    /// Its file and line.
    pub(super) place: String,
    /// What it says of itself.
    pub(super) name: String,
    /// What came otherwise under the old rules; nothing where it came as it says.
    pub(super) old: Option<String>,
    /// The same under the new rules.
    pub(super) new: Option<String>,
}

/// Runs the cases of both under the rules of each, asked by the people whom its own directory knows: roles, trainings and time
/// zones decide as rules do.
pub(super) fn turned(old: &Side, new: &Side) -> Vec<Turned> {
    let files = |side: &Side, other: Option<&Side>| -> Vec<SourceText> {
        let has = |file: &&SourceText| other.is_some_and(|other| other.sources.cases.contains(file));
        side.sources.cases.iter().filter(|file| !has(file)).cloned().collect()
    };
    let mut turned = cases(old, new, &files(new, None));
    turned.extend(cases(old, new, &files(old, Some(new))));
    turned
}

fn cases(old: &Side, new: &Side, files: &[SourceText]) -> Vec<Turned> {
    let both = [old, new].map(|side| side.assembled.rulebook.run_cases(&side.assembled.directory, files));
    let [before, after] = both.each_ref().map(by_place);
    let all = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    let turned = all.map(|key| {
        let came = |report: &CaseReport, known: &BTreeMap<Key<'_>, Option<String>>| {
            let told = known.get(key).cloned();
            told.unwrap_or_else(|| Some(unjudged(report, key)))
        };
        let [was, is] = &both;
        Turned {
            place: format!("{}:{}", key.0, key.1),
            name: key.2.to_owned(),
            old: came(was, &before),
            new: came(is, &after),
        }
    });
    turned.filter(|case| case.old != case.new).collect()
}

/// A case by its file, line and name.
type Key<'r> = (&'r str, usize, &'r str);

/// What came otherwise than each case says, where anything did.
fn by_place(report: &CaseReport) -> BTreeMap<Key<'_>, Option<String>> {
    let told = |case: &CaseResult| case.differences.first().map(ToString::to_string);
    let each = report.results.iter();
    each.map(|case| ((case.file.as_str(), case.place.0, case.name.as_str()), told(case)))
        .collect()
}

/// Why a case was not judged: it names what that side does not know.
fn unjudged(report: &CaseReport, (file, line, _): &Key<'_>) -> String {
    let mut problems = report.problems.iter();
    let why = problems.find(|problem| problem.file == *file && problem.line >= *line);
    let why = why.map_or_else(String::new, |problem| format!(": {}", problem.message));
    format!("it cannot be judged{why}")
}
