//! Draws the `OpenAPI` document from the table of operations and from `components.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::problems::{OF_ALL, OF_KEYED, OF_LISTS, OF_PASSWORDS, statuses};
use super::{Call, Operation, Proof, operations};
use crate::facts::Scope;
use crate::portal::pages::TYPES;

/// Schemas, parameters and bodies.
const COMPONENTS: &str = include_str!("components.json");

/// The document but for where it is served.
static DOCUMENT: LazyLock<Value> = LazyLock::new(draw);

const DESCRIPTION: &str = "State a purpose, see and end what you hold, answer what others ask, and learn why not. The API is \
    reached through the proxy only: whoever calls has been identified on the way there, with `Proxy-Authorization` or a client \
    certificate, and is answered 407 by the proxy otherwise. What a tool sends must not look like a page of another site: no \
    `Origin`, `Referer`, `Cookie` or `Sec-Fetch-…`. Whatever is refused is answered with a problem document (RFC 9457), whose \
    `type` is one of those that are listed with each answer; `title` and `detail` are for people, in the language of \
    `Accept-Language`. Members may be added to what is answered; in what is sent, those that are not known are refused.";

/// The same as text, from behind its first bracket on.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let text = DOCUMENT.to_string();
    text.strip_prefix('{').map(str::to_owned).unwrap_or_default()
});

/// The document of the API at `origin`.
pub(in crate::portal) fn document(origin: &str) -> String {
    let servers = json!([{ "url": format!("{origin}/v1") }]);
    format!("{{\"servers\":{servers},{}", *TEXT)
}

fn draw() -> Value {
    let mut components: Value = serde_json::from_str(COMPONENTS).unwrap_or_default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_default();
        path.insert(operation.method.to_lowercase(), drawn(operation));
    }
    let paths: Map<String, Value> = paths
        .into_iter()
        .map(|(path, mut operations)| {
            if path.contains('{') {
                operations.insert("parameters".to_owned(), json!([parameter("Id")]));
            }
            (path.to_owned(), operations.into())
        })
        .collect();
    if let Some(members) = components.as_object_mut() {
        members.insert("securitySchemes".to_owned(), security_schemes());
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "wayleave",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": components,
    })
}

fn security_schemes() -> Value {
    json!({
        "password": {
            "type": "http",
            "scheme": "basic",
            "description": "Your password with the call itself, beside what the proxy knows: what any program of yours could \
                            send does not approve, review or revoke.",
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "wl_ and 72 hexadecimal digits",
            "description": "A token for tools, of the person whom the proxy knows: then the call is answered if its scope allows. \
                            Whoever shows a token to the proxy in the place of a password need not show it again.",
        },
    })
}

fn drawn(operation: &Operation) -> Value {
    let mut drawn = Map::new();
    let mut says = |name: &str, value: Value| drop(drawn.insert(name.to_owned(), value));
    says("operationId", operation.id.into());
    says("summary", operation.summary.into());
    if !operation.says.is_empty() {
        says("description", operation.says.into());
    }
    let key = operation.call.can_be_keyed().then_some("Key");
    let takes: Vec<Value> = operation.takes.iter().copied().chain(key).map(parameter).collect();
    if !takes.is_empty() {
        says("parameters", takes.into());
    }
    if let Some(body) = operation.body {
        says(
            "requestBody",
            json!({ "$ref": format!("#/components/requestBodies/{body}") }),
        );
    }
    says("responses", responses(operation));
    says(
        "security",
        match operation.proof {
            Proof::Hop => secured(operation.call.scopes()),
            Proof::Password => json!([{ "password": [] }]),
        },
    );
    drawn.into()
}

/// With nothing more than the hop, or a token that is good for one of these; with nothing at all where no token will do.
fn secured(scopes: &[Scope]) -> Value {
    let tokens = scopes.iter().map(|scope| json!({ "token": [scope.as_str()] }));
    let hop = (!scopes.is_empty()).then(|| json!({}));
    hop.into_iter().chain(tokens).collect()
}

fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for (status, says, schema) in operation.gives {
        let mut response = json!({
            "description": says,
            "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } },
        });
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        if let Some(content) = content.filter(|_| operation.is_file()) {
            content.extend(files());
        }
        if let Some((members, headers)) = response.as_object_mut().zip(headers(operation, *status)) {
            members.insert("headers".to_owned(), headers);
        }
        responses.insert(status.to_string(), response);
    }
    for (status, kinds) in problems(operation) {
        let said = StatusCode::from_u16(status).ok();
        let said = said.and_then(|status| status.canonical_reason()).unwrap_or("A problem");
        let types: Vec<String> = kinds.iter().map(|kind| format!("{TYPES}{kind}")).collect();
        let schema = json!({
            "allOf": [{ "$ref": "#/components/schemas/Problem" }],
            "properties": { "type": { "enum": types }, "status": { "const": status } },
        });
        let response = json!({
            "description": format!("{said}: {}.", kinds.into_iter().collect::<Vec<_>>().join(", ")),
            "content": { "application/problem+json": { "schema": schema } },
        });
        responses.insert(status.to_string(), response);
    }
    responses.into()
}

/// What is answered where a file is asked for.
fn files() -> Map<String, Value> {
    let text = |says: &str| json!({ "schema": { "type": "string", "description": says } });
    let table = "The same as a table (RFC 4180), whose first line names its columns.";
    let lines = "The same as JSON, one on a line.";
    let files = [("text/csv", text(table)), ("application/jsonl", text(lines))];
    files.into_iter().map(|(kind, file)| (kind.to_owned(), file)).collect()
}

/// What an answer says in its head.
fn headers(operation: &Operation, status: u16) -> Option<Value> {
    let text = |says: &str| json!({ "description": says, "schema": { "type": "string" } });
    if operation.is_list() {
        return Some(json!({ "Link": text("Where more follows: `</v1/…>; rel=\"next\"` (RFC 8288).") }));
    }
    let place = match operation.call {
        Call::Delegate => "The delegation.",
        // nothing shows a token by itself
        Call::MakeToken => return None,
        Call::ListGrants
        | Call::Declare
        | Call::ShowGrant
        | Call::EndGrant
        | Call::Renew
        | Call::Approve
        | Call::Decline
        | Call::Review
        | Call::BreakGlass
        | Call::Revoke
        | Call::ListApprovals
        | Call::ListReviews
        | Call::ListDecisions
        | Call::ShowDecision
        | Call::ListOpen
        | Call::ListRecords
        | Call::Continue
        | Call::ListPurposes
        | Call::Matrix
        | Call::Explain
        | Call::ListTokens
        | Call::RevokeToken
        | Call::ReportOutcome
        | Call::ListDelegations
        | Call::ShowDelegation
        | Call::EndDelegation
        | Call::ShowValue
        | Call::ShowPrivacy
        | Call::Document => "The grant.",
    };
    let is_given = matches!(status, 201 | 202);
    is_given.then(|| json!({ "Location": text(place) }))
}

/// The problems that a call may meet, by status.
fn problems(operation: &Operation) -> BTreeMap<u16, BTreeSet<&'static str>> {
    let of_lists = if operation.is_list() { OF_LISTS } else { &[] };
    let of_passwords = match operation.proof {
        Proof::Hop => &[][..],
        Proof::Password => OF_PASSWORDS,
    };
    let of_keyed = if operation.call.can_be_keyed() { OF_KEYED } else { &[] };
    let kinds = [operation.problems, OF_ALL, of_lists, of_keyed, of_passwords].concat();
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for kind in kinds {
        for status in statuses(kind) {
            by_status.entry(*status).or_default().insert(kind);
        }
    }
    by_status
}

impl Operation {
    /// Whether it answers page by page.
    fn is_list(&self) -> bool {
        self.takes.contains(&"After")
    }

    /// Whether it also answers with a file.
    fn is_file(&self) -> bool {
        self.takes.contains(&"Format")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in a document.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn what_the_document_refers_to_is_there_and_all_that_is_there_is_referred_to() {
        let document: Value = serde_json::from_str(&document("https://wayleave.internal")).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "there is no {reference}");
        }
        for kind in ["schemas", "parameters", "requestBodies"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(found.contains(&reference), "nothing refers to {reference}");
            }
        }
    }

    #[test]
    fn each_problem_has_a_status_and_is_met_somewhere() {
        let mut met = BTreeSet::new();
        for operation in operations() {
            for kind in operation.problems {
                assert!(!statuses(kind).is_empty(), "{}: {kind}", operation.id);
            }
            met.extend(problems(operation).into_values().flatten());
        }
        let all: BTreeSet<&str> = super::super::PROBLEMS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(met, all);
    }

    #[test]
    fn examples_are_what_their_schemas_allow() {
        let document: Value = serde_json::from_str(&document("https://wayleave.internal")).unwrap();
        let mut tried = 0;
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let mut whole = schema.clone();
            whole["components"] = document["components"].clone();
            let validator = jsonschema::validator_for(&whole).unwrap();
            for example in schema["examples"].as_array().into_iter().flatten() {
                let wrong: Vec<String> = validator.iter_errors(example).map(|one| one.to_string()).collect();
                assert!(wrong.is_empty(), "{name}: {wrong:?}");
                tried += 1;
            }
        }
        assert!(tried > 3, "{tried}");
    }
}
