//! Requests in Cedar's own terms, as the Cedar command line's `run-tests` has them: judged by its authorizer, without a
//! directory, a catalogue or a grant of ours between.

use cedar_policy::{AuthorizationError, Context, Decision as Answer, Entities, EntityUid, Request, Response};
use serde_json::Value;

use super::rule::moment;
use super::{Policy, reasons};
use crate::clock::Timestamp;
use crate::facts::Reason;

/// A request with all that is known of it.
#[derive(Clone, Debug)]
pub struct CedarCase {
    pub(super) request: Request,
    pub(super) entities: Entities,
    /// The `now` of its context: rules that have expired by then are left out.
    pub(super) at: Option<Timestamp>,
}

/// What Cedar's authorizer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CedarAnswer {
    /// Whether it allows the request. A policy that fails to evaluate is passed over here, unlike in a gateway.
    pub allowed: bool,
    /// The rules that determine the answer.
    pub reasons: Vec<Reason>,
    /// The rules that failed to evaluate.
    pub troubles: Vec<String>,
}

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
        Ok(CedarCase {
            at: now(request),
            request: Request::new(principal, action, resource, context, Some(schema)).map_err(told)?,
            entities: Entities::from_json_value(entities, Some(schema)).map_err(told)?,
        })
    }

    /// What Cedar's authorizer says to a request.
    pub fn authorized(&self, case: &CedarCase) -> CedarAnswer {
        let answer = match self.ask(case) {
            Ok(answer) => answer,
            Err(why) => {
                return CedarAnswer {
                    allowed: false,
                    reasons: Vec::new(),
                    troubles: vec![why],
                };
            }
        };
        let decided = |id: &cedar_policy::PolicyId| {
            let id: &str = id.as_ref();
            self.numbers.get(id).and_then(|number| self.rules.get(*number))
        };
        let mut rules: Vec<_> = answer.diagnostics().reason().filter_map(decided).collect();
        rules.sort_by_key(|rule| (&rule.file, rule.line, rule.column));
        let errors = answer.diagnostics().errors();
        let troubles = errors.map(|AuthorizationError::PolicyEvaluationError(error)| error.to_string());
        CedarAnswer {
            allowed: answer.decision() == Answer::Allow,
            reasons: rules.into_iter().map(reasons::reason).collect(),
            troubles: troubles.collect(),
        }
    }
}

impl Policy {
    /// Asks Cedar about the rules in force whose scope can match: others have no part in the answer.
    fn ask(&self, case: &CedarCase) -> Result<Response, String> {
        let numbers = self.engine.candidates_for(&case.request, &case.entities);
        let mut numbers = numbers.ok_or("the schema does not know the action")?;
        numbers.retain(|number| case.at.is_none_or(|at| self.is_in_force(*number, at)));
        let answer = self.engine.ask_cedar(&case.request, &numbers, &case.entities);
        answer.map_err(|error| error.to_string())
    }
}

/// When a request is made, by its context.
fn now(request: &Value) -> Option<Timestamp> {
    let now = request.pointer("/context/now")?;
    let text = now.get("arg").or_else(|| now.pointer("/__extn/arg"))?;
    moment(text.as_str()?)
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
