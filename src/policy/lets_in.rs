//! Whom the permits of an action let in: whether a question about somebody in a role, about the holder or about the owner of a
//! purpose finds them all. Pure.
//!
//! Errs to one side only: a permit that may let in somebody else is never said to let in those alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::apart::{clauses, down, is_unless, path, read, sides, split};
use super::reasons;
use super::{Decision, Policy};
use crate::clock::Timestamp;
use crate::facts::{Effect, PolicyId, Reason};

/// Whoever asks, as rules spell it.
const WHO: &str = "principal";
/// Whoever holds what is asked about, whose purpose it is for, and whom decisions are about.
const THEIRS: [&str; 3] = ["resource.declarer", "resource.businessOwner", "resource"];
/// What a host does for its platform, as rules spell it.
const SERVED: &str = "serves";
/// What looks at something of a person, who stands on the left.
const LOOKING: [&str; 4] = [".", "has", "getTag", "hasTag"];

impl Policy {
    /// The permits on the action of this name that count at `at`.
    pub fn permits_of(&self, action: &str, at: Timestamp) -> Vec<Reason> {
        let actions = self.engine.actions_of_rules();
        let rules = self.rules.iter().zip(&actions);
        let permits = rules.filter(|(rule, actions)| {
            rule.effect == Effect::Permit
                && rule.is_in_force(at)
                && actions.iter().any(|uid| uid.id().unescaped() == action)
        });
        permits.map(|(rule, _)| reasons::reason(rule)).collect()
    }

    /// Whether a rule that lets in people of a role, the holder or the owner may let in others for another reason: it says that
    /// one of several things is enough.
    pub fn may_let_others(&self, rule: &PolicyId) -> bool {
        let mut rules = self.rules.iter().zip(self.engine.policies());
        let found = rules.find(|(one, _)| one.id == *rule);
        let json = found.and_then(|(_, policy)| read(policy).ok());
        json.is_none_or(|json| !parts(&json).into_iter().all(is_of_one_kind))
    }

    /// Whether one of these decisions is a refusal of somebody in a role by a rule that may let go of them elsewhere, at another
    /// time or under another purpose: it asks for something else than a role, or for who holds or owns what is asked about. Then
    /// a permit that was not seen to let them in may do so.
    pub fn may_yet_let<'d>(&self, decisions: impl IntoIterator<Item = &'d Decision>) -> bool {
        let refusals = decisions.into_iter().filter(|decision| !decision.is_allowed());
        let by: BTreeSet<&PolicyId> = refusals
            .flat_map(Decision::reasons)
            .map(|reason| &reason.policy)
            .collect();
        let mut rules = self.rules.iter().zip(self.engine.policies());
        rules.any(|(rule, policy)| by.contains(&rule.id) && read(policy).map_or(true, |json| has_conditions(&json)))
    }

    /// Whether a rule on the action of this name asks what a host serves for its platform.
    pub fn asks_what_is_served(&self, action: &str) -> bool {
        let actions = self.engine.actions_of_rules();
        let mut rules = self.engine.policies().iter().zip(&actions);
        rules.any(|(policy, actions)| {
            actions.iter().any(|uid| uid.id().unescaped() == action)
                && read(policy).map_or(true, |json| looks_for(&json, SERVED))
        })
    }
}

/// Whether a rule asks for something else than roles, or than for who holds or owns what is asked about.
fn has_conditions(policy: &Value) -> bool {
    let mut leaves = Vec::new();
    for clause in clauses(policy) {
        if let Some(body) = clause.get("body") {
            down(body, &mut leaves);
        }
    }
    !leaves.into_iter().all(is_asked_about)
}

/// Whether an attribute of this name is looked for.
fn looks_for(expression: &Value, name: &str) -> bool {
    match expression {
        Value::Object(members) => {
            members.get("attr").and_then(Value::as_str) == Some(name)
                || members.values().any(|member| looks_for(member, name))
        }
        Value::Array(items) => items.iter().any(|item| looks_for(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What a rule asks beside its scope, all of which must be so.
fn parts(policy: &Value) -> Vec<&Value> {
    let mut parts = Vec::new();
    for clause in clauses(policy) {
        let Some(body) = clause.get("body") else { continue };
        // `unless { a || b }` is `unless { a } unless { b }`
        split(body, if is_unless(clause) { "||" } else { "&&" }, &mut parts);
    }
    parts
}

/// Whether a part only leaves out some of those whom the others let in, or lets in whoever is asked about by themselves.
fn is_of_one_kind(part: &Value) -> bool {
    let mut leaves = Vec::new();
    down(part, &mut leaves);
    match leaves.as_slice() {
        [only] => is_asked_about(only) || is_comparison(only) || !is_about_who(only),
        several => several.iter().all(|one| is_asked_about(one)),
    }
}

/// Whether this is being in a role, or holding or owning what is asked about.
fn is_asked_about(leaf: &Value) -> bool {
    let is_theirs = |path: &str| THEIRS.contains(&path);
    if let Some((left, right)) = sides(leaf, "in") {
        let is_role = |one: &Value| path(one).is_some_and(|path| path.starts_with("Role::"));
        let set = right.get("Set").and_then(Value::as_array);
        return is_who(left) && set.map_or_else(|| is_role(right), |set| set.iter().all(is_role));
    }
    let equal = sides(leaf, "==").map(|(left, right)| (path(left), path(right)));
    let (Some(left), Some(right)) = equal.unwrap_or_default() else {
        return false;
    };
    (left == WHO && is_theirs(&right)) || (right == WHO && is_theirs(&left))
}

/// Whether whoever asks is compared with one other, or looked for in one.
fn is_comparison(leaf: &Value) -> bool {
    let mut both = ["==", "!=", "in"]
        .into_iter()
        .filter_map(|operator| sides(leaf, operator));
    both.any(|(left, right)| path(left).is_some() && path(right).is_some())
}

fn is_who(expression: &Value) -> bool {
    path(expression).is_some_and(|path| path == WHO)
}

/// Whether it is asked who somebody is, and not only how they are.
fn is_about_who(expression: &Value) -> bool {
    if is_who(expression) {
        return true;
    }
    let looks = LOOKING.iter().find_map(|operator| expression.get(operator));
    if let Some(of) = looks.filter(|of| of.get("left").is_some_and(is_who)) {
        return of.get("right").is_some_and(is_about_who);
    }
    match expression {
        Value::Object(members) => members.values().any(is_about_who),
        Value::Array(items) => items.iter().any(is_about_who),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
