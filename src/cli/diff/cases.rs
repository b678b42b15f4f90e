//! What the cases of both folders say to the rules of the other.

use std::collections::BTreeMap;

use super::Side;
use crate::facts::SourceText;
use crate::rulebook::CaseResult;

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

/// Runs the cases of both under both.
pub(super) fn turned(old: &Side, new: &Side) -> Vec<Turned> {
    let files = |side: &Side, other: Option<&Side>| -> Vec<SourceText> {
        let has = |file: &&SourceText| other.is_some_and(|other| other.sources.cases.contains(file));
        side.sources.cases.iter().filter(|file| !has(file)).cloned().collect()
    };
    let mut turned = cases(old, new, new, &files(new, None));
    turned.extend(cases(old, new, old, &files(old, Some(new))));
    turned
}

fn cases(old: &Side, new: &Side, people: &Side, files: &[SourceText]) -> Vec<Turned> {
    let run = |side: &Side| -> BTreeMap<(String, usize, String), String> {
        let report = side.assembled.rulebook.run_cases(&people.assembled.directory, files);
        let told = |failure: &CaseResult| {
            let key = (failure.file.clone(), failure.place.0, failure.name.clone());
            let came = failure.differences.first().map(ToString::to_string);
            (key, came.unwrap_or_default())
        };
        report.failures().map(told).collect()
    };
    let (before, after) = (run(old), run(new));
    let all = before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)));
    all.filter(|key| before.get(*key) != after.get(*key))
        .map(|key| Turned {
            place: format!("{}:{}", key.0, key.1),
            name: key.2.clone(),
            old: before.get(key).cloned(),
            new: after.get(key).cloned(),
        })
        .collect()
}
