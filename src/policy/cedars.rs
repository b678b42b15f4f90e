//! Requests in Cedar's own terms, as the Cedar command line's `run-tests` has them: judged by its authorizer, without a
//! directory, a catalogue or a grant of ours between.

use cedar_policy::{Context, Entities, EntityUid, Request};
use cedar_policy_core::ast;
use serde_json::Value;

use super::Policy;
use super::request::Asked;
use super::values::instant;
use crate::clock::Timestamp;

/// A request with all that is known of it, at the `now` of its context.
#[derive(Clone, Debug)]
pub struct CedarCase(pub(super) Asked);

impl Policy {
    /// Reads a request (`principal`, `action`, `resource`, `context`) and its entities against the schema; an error is a
    /// sentence for people.
    pub fn cedar_case(&self, request: &Value, entities: Value) -> Result<CedarCase, String> {
        let schema = &self.book.schema;
        let uid = |name: &str| -> Result<EntityUid, String> {
            let text = request.get(name).and_then(Value::as_str);
            let text = text.ok_or_else(|| format!("the request has no `{name}`"))?;
            text.parse()
                .map_err(|error| format!("`{text}` is not the name of an entity: {error}"))
        };
        let (principal, action, resource) = (uid("principal")?, uid("action")?, uid("resource")?);
        let empty = || Value::Object(serde_json::Map::new());
        let context = request.get("context").cloned().unwrap_or_else(empty);
        let context = Context::from_json_value(context, Some((schema, &action))).map_err(told)?;
        Ok(CedarCase(Asked {
            at: now(&context)?,
            requests: vec![Request::new(principal, action, resource, context, Some(schema)).map_err(told)?],
            entities: Entities::from_json_value(entities, Some(schema)).map_err(told)?,
        }))
    }
}

/// When a request is made, by its context; before all time where that does not say, so that nothing has expired.
fn now(context: &Context) -> Result<Timestamp, String> {
    let context: &ast::Context = context.as_ref();
    let now = match context {
        ast::Context::Value(fields) => fields.get("now"),
        ast::Context::RestrictedResidual(_) => None,
    };
    let now = now.map(|now| instant(now).ok_or("the `now` of the context is not a datetime"));
    Ok(now.transpose()?.unwrap_or(Timestamp::from_millis(i64::MIN)))
}

/// An error with what it comes from: Cedar's outermost words say little.
fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
