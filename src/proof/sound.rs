//! Where rules fail to evaluate. Cedar's authorizer, and so the questions about whole sets of rules, pass over a rule that
//! fails; a gateway denies.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Decision, Effect, Policy, PolicyId, RequestEnv};
use serde_json::{Value, json};

use super::cause::{conditions, heads};
use super::rewrite::within;
use super::theory::set;
use super::{Ask, Example, Theory};

/// Whether `rule` evaluates: of every request, which hardly ever needs the solver, and, where that is answered with no, of
/// those that none of `domains` leaves out.
pub(super) fn sound(rule: &Policy, domains: &[&Policy]) -> (Ask, Option<Ask>) {
    let ask = |policy: Policy| Ask::NeverErrors(Box::new(policy));
    let narrowed = domains
        .iter()
        .try_fold(rule.clone(), |policy, domain| within(&policy, domain));
    (ask(rule.clone()), narrowed.map(ask))
}

/// The rules that `less` alone has: where one fails, `less` denies what `more` may allow.
pub(super) fn suspects<'a>(more: &Theory, less: &'a Theory, env: &'a RequestEnv) -> Vec<&'a Policy> {
    let known: BTreeSet<String> = more.rules(env).map(meaning).collect();
    less.rules(env).filter(|rule| !known.contains(&meaning(rule))).collect()
}

/// The requests that `theory` allows, as the condition of a policy; none where it allows none.
pub(super) fn allowed(theory: &Theory, env: &RequestEnv) -> Option<Policy> {
    let of = |effect: Effect| {
        let rules = theory.rules(env).filter(|rule| rule.effect() == effect);
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
    let rules = set(theory.rules(env).cloned());
    let answer = Authorizer::new().is_authorized(&example.request, &rules, &example.entities);
    match answer.diagnostics().errors().next() {
        Some(cedar_policy::AuthorizationError::PolicyEvaluationError(error)) => Err(error.policy_id().clone()),
        None => Ok(answer.decision() == Decision::Allow),
    }
}

/// What a rule says, without its notes.
fn meaning(rule: &Policy) -> String {
    let mut text = rule.to_json().unwrap_or_default();
    if let Some(members) = text.as_object_mut() {
        members.remove("annotations");
    }
    text.to_string()
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
