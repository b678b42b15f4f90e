//! Cases in the form of the Cedar command line's `run-tests`: a JSON list of requests with their entities, the decision
//! and the ids of policies that must be among its reasons. They run unchanged.
//!
//! `entities` is a list, or the name of another JSON file of the cases that holds one.

use serde::Deserialize;
use serde_json::Value;

use super::{Asks, Case, Expected, Wanted};
use crate::facts::{Outcome, PolicyId, Problem, SourceText, did_you_mean};
use crate::policy::Policy;

/// One entry of such a file.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    request: Value,
    entities: Value,
    decision: Decision,
    #[serde(default)]
    reason: Vec<String>,
    #[serde(default)]
    num_errors: usize,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Deny,
}

/// Whether a file holds such cases, or entities of them.
pub(super) fn speaks_cedar(file: &SourceText) -> bool {
    file.name.rsplit('.').next() == Some("json")
}

/// The cases of a file; none where it holds the entities of others.
pub(super) fn read(policy: &Policy, file: &SourceText, files: &[SourceText]) -> Result<Vec<Case>, Vec<Problem>> {
    let entries = entries(file)?;
    if entries.iter().any(|entry| entry.get("uid").is_some()) {
        return Ok(Vec::new());
    }
    let mut places = places(&file.text).into_iter();
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for (number, entry) in entries.into_iter().enumerate() {
        let span = places.next().unwrap_or((0, 0));
        match case(policy, entry, files) {
            Ok((name, asks, expected)) => cases.push(Case {
                name: name.unwrap_or_else(|| format!("number {}", number + 1)),
                file: file.name.clone(),
                place: file.line_and_column(span.0),
                span,
                asks,
                expected,
            }),
            Err((what, why)) => {
                let problem = Problem::error(&format!("wayleave::cases::{what}"), file, span, why);
                problems.push(problem.with_help("write it as `cedar run-tests` reads it"));
            }
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

/// What stands in a file, as far as it is JSON.
pub(super) fn entries(file: &SourceText) -> Result<Vec<Value>, Vec<Problem>> {
    serde_json::from_str(&file.text).map_err(|error| vec![not_json(file, &error)])
}

type Read = (Option<String>, Asks, Expected);

fn case(policy: &Policy, entry: Value, files: &[SourceText]) -> Result<Read, (&'static str, String)> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| ("bad-test", error.to_string()))?;
    let entities = match &entry.entities {
        Value::String(name) => entities_of(name, files)?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => entry.entities,
    };
    let engine = policy
        .cedar_case(&entry.request, entities)
        .map_err(|why| ("bad-test", why))?;
    let reason = entry.reason.iter().map(|id| PolicyId::new(id.as_str()));
    let policies: Vec<PolicyId> = reason.collect();
    if let Some(stranger) = policies.iter().find(|id| policy.rule(id).is_none()) {
        let near = did_you_mean(stranger.as_str(), policy.rules().map(|rule| rule.id.as_str()));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(("unknown-name", format!("there is no rule `{stranger}`{meant}")));
    }
    let expected = Expected {
        outcome: match entry.decision {
            Decision::Allow => Wanted::Exactly(Outcome::Allow),
            Decision::Deny => Wanted::Exactly(Outcome::Deny),
        },
        policies: Some(policies).filter(|policies| !policies.is_empty()),
        offers: None,
        inspect: None,
        reads_as: None,
        under: None,
        would: None,
        may_continue: None,
        errors: Some(entry.num_errors),
    };
    Ok((entry.name, Asks::Engine(Box::new(engine)), expected))
}

fn entities_of(name: &str, files: &[SourceText]) -> Result<Value, (&'static str, String)> {
    let path = format!("cases/{}", name.trim_start_matches("./"));
    let Some(file) = files.iter().find(|file| file.name == path) else {
        return Err(("bad-test", format!("there is no file `{path}` with entities")));
    };
    serde_json::from_str(&file.text).map_err(|error| ("bad-test", format!("`{path}`: {error}")))
}

fn not_json(file: &SourceText, error: &serde_json::Error) -> Problem {
    let start: usize = file
        .text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let span = (start + error.column().saturating_sub(1), 1);
    let problem = Problem::error("wayleave::cases::syntax", file, span, error.to_string());
    problem.with_help("write a JSON list of tests, as `cedar run-tests` reads it")
}

/// Where the objects of the outermost list begin: each with the length of its first line.
fn places(text: &str) -> Vec<(usize, usize)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '[' | '{' if !quoted => {
                if depth == 1 {
                    found.push((at, 1));
                }
                depth += 1;
            }
            ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    found
}
