//! Where rules fail to evaluate. Cedar's authorizer, and so the questions about whole sets of rules, pass over a rule that
//! fails; a gateway denies.

use std::sync::Arc;

use cedar_policy::{Authorizer, Decision, Effect, Policy, PolicyId, RequestEnv};
use serde_json::{Value, json};

use super::cause::{conditions, heads};
use super::premise::Premise;
use super::theory::{present, set};
use super::{Example, Theory};

/// The requests that these rules allow, as the condition of a policy; none where they allow none.
pub(super) fn allowed(rules: &[&Arc<Premise>]) -> Option<Policy> {
    let of = |effect: Effect| {
        let rules = rules.iter().map(|rule| rule.policy());
        let rules = rules.filter(|rule| rule.effect() == effect);
        joined("||", &rules.map(applies).collect::<Vec<_>>())
    };
    let permitted = of(Effect::Permit)?;
    let body = match of(Effect::Forbid) {
        Some(forbidden) => joined("&&", &[not(&forbidden), permitted])?,
        None => permitted,
    };
    let all = json!({ "op": "All" });
    let text = json!({
        "effect": "permit", "principal": all, "action": all, "resource": all,
        "conditions": [{ "kind": "when", "body": body }],
    });
    Policy::from_json(None, text).ok()
}

/// Whether a gateway with these rules allows an example; else the rule that fails, where one does.
pub(super) fn gateway(theory: &Theory, env: &RequestEnv, example: &Example) -> Result<bool, PolicyId> {
    let present = present(example);
    let near = theory.rules(env).filter(|rule| rule.is_near(&present));
    let rules = set(near.map(|rule| rule.policy().clone()));
    let answer = Authorizer::new().is_authorized(&example.request, &rules, &example.entities);
    match answer.diagnostics().errors().next() {
        Some(cedar_policy::AuthorizationError::PolicyEvaluationError(error)) => Err(error.policy_id().clone()),
        None => Ok(answer.decision() == Decision::Allow),
    }
}

/// Where a rule applies, its action aside, as an expression.
fn applies(rule: &Policy) -> Value {
    let all = heads(rule).into_iter().chain(conditions(rule));
    let each: Vec<Value> = all
        .map(|(body, wanted)| if wanted { body } else { not(&body) })
        .collect();
    joined("&&", &each).unwrap_or_else(|| json!({ "Value": true }))
}

fn not(body: &Value) -> Value {
    json!({ "!": { "arg": body } })
}

/// All of `parts`, in their order: no deeper than it must be, however many there are.
fn joined(operator: &str, parts: &[Value]) -> Option<Value> {
    if let [] | [_] = parts {
        return parts.first().cloned();
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    Some(json!({ operator: { "left": joined(operator, left)?, "right": joined(operator, right)? } }))
}
