//! A rule made into another.

use cedar_policy::{Effect, Policy};
use serde_json::Value;

use crate::policy::apart;

/// A policy that permits exactly where `policy` applies, whatever its effect.
pub(super) fn permitting(policy: &Policy) -> Policy {
    effect(policy, "permit").unwrap_or_else(|| policy.clone())
}

/// A policy that forbids exactly where `policy` applies, whatever its effect.
pub(super) fn forbidding(policy: &Policy) -> Option<Policy> {
    effect(policy, "forbid")
}

fn effect(policy: &Policy, effect: &str) -> Option<Policy> {
    let mut text = policy.to_json().ok()?;
    text.as_object_mut()?.insert("effect".to_owned(), Value::from(effect));
    Policy::from_json(Some(policy.id().clone()), text).ok()
}

fn joined(policy: &Policy, first: &Policy, second: &Policy) -> Option<Policy> {
    let conditions = |policy: &Policy| Some(policy.to_json().ok()?.get("conditions")?.as_array()?.clone());
    let mut text = policy.to_json().ok()?;
    let all = conditions(first)?.into_iter().chain(conditions(second)?).collect();
    text.as_object_mut()?.insert("conditions".to_owned(), Value::Array(all));
    Policy::from_json(Some(policy.id().clone()), text).ok()
}

/// The policy until its end, which is asked first: afterwards it is asked nothing that could fail.
pub(super) fn until(policy: &Policy, end: &Policy) -> Option<Policy> {
    joined(policy, end, policy)
}

/// The policy where `domain` permits, or forbids nothing: asked first, so that nothing else is asked outside. What a domain
/// forbids by several conditions cannot be said so.
pub(super) fn within(policy: &Policy, domain: &Policy) -> Option<Policy> {
    let mut text = domain.to_json().ok()?;
    let conditions = text.get_mut("conditions")?.as_array_mut()?;
    if domain.effect() == Effect::Forbid {
        let [one] = &mut conditions[..] else { return None };
        let opposite = if apart::is_unless(one) { "when" } else { "unless" };
        one.as_object_mut()?.insert("kind".to_owned(), Value::from(opposite));
    }
    let domain = Policy::from_json(None, text).ok()?;
    joined(policy, &domain, policy)
}
