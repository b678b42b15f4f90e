//! Rules may look only at what the gateway knows when it asks them: the principal, the resource, and the context.
//!
//! Cedar's validator lets a rule follow an entity to another (`principal.manager.region`,
//! `context.purpose.approvedBy in Role::"director"`). Nothing is known of those, and worse than an error is what Cedar
//! makes of it: `in` answers `false`, and a forbid that relies on it fails open.

use serde_json::Value;

use super::apart::{clauses, path, read};
use super::lint::Spot;
use super::rule::Written;
use crate::facts::{Problem, SourceText};

/// Entities that a request brings along, as paths.
const KNOWN: [&str; 4] = ["principal", "action", "resource", "resource.declarer"];

/// What an expression is called that is neither a name nor an attribute of one. It could be anybody.
const COMPUTED: &str = "something computed";

/// The operators that look into an entity on their left.
const LOOKING: [&str; 6] = [".", "has", "in", "is", "getTag", "hasTag"];

/// Reports rules that look at people or things of which nothing is known when the rule is asked.
pub(super) fn check(written: &[(&SourceText, Written)], problems: &mut Vec<Problem>) {
    for (source, written) in written {
        let spot = Spot::new(source, &written.rule);
        let json = match read(&written.cedar) {
            Ok(json) => json,
            Err(error) => {
                let message = format!("rule `{}` cannot be looked through: {error}", written.rule.id);
                problems.push(spot.error("wayleave::policy::out-of-sight", "", message));
                continue;
            }
        };
        let mut unseen = Vec::new();
        clauses(&json).for_each(|clause| look(clause, &mut unseen));
        unseen.sort();
        unseen.dedup();
        for path in unseen {
            let message = format!(
                "rule `{}` asks about `{path}`, of which nothing is known here",
                written.rule.id
            );
            let help =
                "compare it with `==`, or with `contains` of a set; only principal, resource and context are known";
            problems.push(
                spot.error("wayleave::policy::out-of-sight", &path, message)
                    .with_help(help),
            );
        }
    }
}

fn look(expression: &Value, unseen: &mut Vec<String>) {
    if let Some(members) = expression.as_object() {
        for operator in LOOKING {
            if let Some(path) = members.get(operator).and_then(|about| unknown(operator, about)) {
                unseen.push(path);
            }
        }
        members.values().for_each(|inner| look(inner, unseen));
    }
    for inner in expression.as_array().into_iter().flatten() {
        look(inner, unseen);
    }
}

/// The entity on the left of an operator, if the request does not bring it along.
fn unknown(operator: &str, about: &Value) -> Option<String> {
    if operator == "is" && about.get("in").is_none() {
        return None; // asks for the type only, which every name tells
    }
    let Some(path) = path(about.get("left")?) else {
        return Some(COMPUTED.to_owned());
    };
    // Contexts hold records, and records in records, but none deeper: what lies below is an entity.
    let is_record = path.starts_with("context") && path.matches('.').count() < 2;
    let looks_into_record = is_record && (operator == "." || operator == "has");
    (!looks_into_record && !KNOWN.contains(&path.as_str())).then_some(path)
}
