//! What was probably meant, where Cedar's validator only says what is wrong. Pure.

use std::collections::BTreeSet;

use cedar_policy::Schema;

use super::question::Power;
use super::request::BEFORE_A_REQUEST;
use super::schema::{Book, choices};
use crate::facts::fields::list;
use crate::facts::{Problem, did_you_mean};

/// The problem with what was meant: of actions Cedar suggests another one from run to run, and of some slips it does not
/// know where they come from.
pub(super) fn meant(problem: Problem, book: &Book) -> Problem {
    let help = action_meant(&problem.message, &book.schema)
        .or_else(|| context_meant(&problem.message))
        .or_else(|| value_meant(&problem.message, book));
    match help {
        Some(help) => problem.with_help(help),
        None => problem,
    }
}

fn action_meant(message: &str, schema: &Schema) -> Option<String> {
    let (_, word) = message.split_once("unrecognized action `Action::\"")?;
    let (word, _) = word.split_once('"')?;
    let known: BTreeSet<&str> = schema.actions().map(|action| action.id().unescaped()).collect();
    Some(match did_you_mean(word, known) {
        Some(near) => format!("did you mean `Action::\"{near}\"`?"),
        None => "name an action of the schema".to_owned(),
    })
}

/// What other actions have in their context, and this one has not.
fn context_meant(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("attribute `")?;
    let (attribute, rest) = rest.split_once("` in context for Action::\"")?;
    let (action, _) = rest.split_once('"')?;
    let is_power = Power::ALL.iter().any(|power| power.as_str() == action);
    match attribute {
        "request" if BEFORE_A_REQUEST.contains(&action) => Some(format!(
            "`{action}` is asked before there is a request: let the rule speak of activities, which have one"
        )),
        "request" if is_power => Some(format!("`{action}` is asked of no request: only activities have one")),
        "purpose" if is_power => Some("the purpose is the resource here: look at `resource.kind`".to_owned()),
        "channel" if !is_power => {
            let with = "`declare`, `approve`, `revoke`, `break-glass`, `see-value`, `give-delegation`, `make-token` and `see-decisions`";
            Some(format!("only {with} have a channel"))
        }
        _ => None,
    }
}

/// Where one of a list is compared with a text.
fn value_meant(message: &str, book: &Book) -> Option<String> {
    let (_, types) = message.split_once("the types ")?;
    let (one, other) = types.split_once(" are not compatible")?.0.split_once(" and ")?;
    let listed = |kind: &str| -> Vec<String> {
        let names = choices(&book.json, kind);
        names.map(|name| format!("{kind}::{name:?}")).collect()
    };
    let (("String", kind) | (kind, "String")) = (one, other) else {
        return None;
    };
    let listed = listed(kind);
    (!listed.is_empty()).then(|| format!("compare it with one of {}", list(listed.iter().map(String::as_str))))
}
