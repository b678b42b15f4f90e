//! Findings as SARIF 2.1.0, which code hosts and editors read.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Findings;
use super::codes::about;
use crate::facts::{Problem, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What may stand in the path of a URI as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The document.
pub(super) fn log(findings: &Findings<'_>) -> Value {
    let codes: BTreeSet<&str> = findings.problems.iter().map(|problem| problem.code.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let results = findings
        .problems
        .iter()
        .map(|problem| result(problem, &codes, findings));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wayleave",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &str) -> Value {
    let about = about(code);
    json!({
        "id": code,
        "shortDescription": { "text": about.what },
        "help": { "text": about.fix },
    })
}

fn result(problem: &Problem, codes: &[&str], findings: &Findings<'_>) -> Value {
    let level = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut result = json!({
        "ruleId": problem.code,
        "ruleIndex": codes.iter().position(|code| *code == problem.code),
        "level": level,
        "message": { "text": super::sentence(problem) },
    });
    if !problem.file.is_empty() {
        let path = findings.path_of(problem);
        let uri = utf8_percent_encode(&path, PLAIN).to_string();
        let mut place = if path.starts_with('/') {
            json!({ "artifactLocation": { "uri": format!("file://{uri}") }})
        } else {
            json!({ "artifactLocation": { "uri": uri, "uriBaseId": "%SRCROOT%" }})
        };
        let region = findings.region_of(problem).map(|region| {
            json!({
                "startLine": region.start.0,
                "startColumn": region.start.1,
                "endLine": region.end.0,
                "endColumn": region.end.1,
            })
        });
        if let (Some(region), Some(place)) = (region, place.as_object_mut()) {
            place.insert("region".to_owned(), region);
        }
        if let Some(result) = result.as_object_mut() {
            result.insert("locations".to_owned(), json!([{ "physicalLocation": place }]));
        }
    }
    result
}
