//! Which purposes a rule can help: read off its conditions, so that nobody is offered a purpose in vain. Pure.
//!
//! Errs to one side only: a purpose that some rule may open is never said to open nothing.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use cedar_policy_core::ast::{self, Expr, ExprKind};
use serde_json::Value;

use super::apart::{clauses, read};
use crate::facts::{Effect, PurposeId};

/// The attribute of the context.
const PURPOSE: &str = "purpose";

/// The purposes under which a rule opens more than without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    /// None: it does not look at the purpose, or only refuses those who state one.
    None,
    /// These.
    Only(BTreeSet<PurposeId>),
    /// Any, as far as can be read off it.
    Any,
}

impl Opens {
    /// Reads a rule.
    pub(super) fn read(policy: &Policy, effect: Effect) -> Self {
        // most need not be taken apart for it
        if !names_purpose(policy) {
            return Self::None;
        }
        let Ok(json) = read(policy) else { return Self::Any };
        let conditions: Vec<&Value> = clauses(&json).collect();
        let whens = || {
            let whens = conditions
                .iter()
                .filter(|one| one.get("kind").and_then(Value::as_str) == Some("when"));
            whens.filter_map(|when| when.get("body"))
        };
        if !conditions.iter().any(|condition| looks_at_purpose(condition)) {
            return Self::None;
        }
        match effect {
            // It speaks only of those who state a purpose: nobody escapes it by stating one.
            Effect::Forbid if whens().any(asks_for_purpose) => Self::None,
            Effect::Forbid => Self::Any,
            Effect::Permit => whens()
                .filter_map(kinds)
                .reduce(|one, other| both(&one, &other))
                .map_or(Self::Any, Self::Only),
        }
    }

    /// Whether the rule opens something for `purpose`.
    pub(super) fn holds(&self, purpose: &PurposeId) -> bool {
        match self {
            Self::None => false,
            Self::Only(kinds) => kinds.contains(purpose),
            Self::Any => true,
        }
    }

    /// Whether the rule names `purpose` as one of those that it is for.
    pub(super) fn names(&self, purpose: &PurposeId) -> bool {
        matches!(self, Self::Only(kinds) if kinds.contains(purpose))
    }
}

/// The kinds of purpose under which an expression can be true; nothing where that cannot be said.
fn kinds(expression: &Value) -> Option<BTreeSet<PurposeId>> {
    let (operator, parts) = expression.as_object()?.iter().next()?;
    let (left, right) = (parts.get("left")?, parts.get("right")?);
    match operator.as_str() {
        "==" if is_kind(right) => kind(left).map(|kind| BTreeSet::from([kind])),
        "==" if is_kind(left) => kind(right).map(|kind| BTreeSet::from([kind])),
        "contains" if is_kind(right) => left.get("Set")?.as_array()?.iter().map(kind).collect(),
        "&&" => match (kinds(left), kinds(right)) {
            (Some(one), Some(other)) => Some(both(&one, &other)),
            (one, other) => one.or(other),
        },
        "||" => Some(kinds(left)?.union(&kinds(right)?).cloned().collect()),
        _ => None,
    }
}

fn both(one: &BTreeSet<PurposeId>, other: &BTreeSet<PurposeId>) -> BTreeSet<PurposeId> {
    one.intersection(other).cloned().collect()
}

/// Whether an expression is `context.purpose.kind`, and not something else that may be a kind.
fn is_kind(expression: &Value) -> bool {
    let word = |pointer| expression.pointer(pointer).and_then(Value::as_str);
    (word("/./left/./left/Var"), word("/./left/./attr"), word("/./attr"))
        == (Some("context"), Some("purpose"), Some("kind"))
}

/// The kind that a literal names.
fn kind(literal: &Value) -> Option<PurposeId> {
    let entity = literal.pointer("/Value/__entity")?;
    let is_kind = entity.get("type").and_then(Value::as_str) == Some("PurposeKind");
    let id = entity.get("id").and_then(Value::as_str)?;
    is_kind.then(|| PurposeId::new(id))
}

/// Whether anything in a rule's conditions is called `purpose`.
fn names_purpose(policy: &Policy) -> bool {
    let policy: &ast::Policy = policy.as_ref();
    let mut parts = policy
        .non_scope_constraints()
        .into_iter()
        .flat_map(Expr::subexpressions);
    parts.any(|part| {
        let kind = part.expr_kind();
        if let ExprKind::GetAttr { attr, .. } | ExprKind::HasAttr { attr, .. } = kind {
            return attr == PURPOSE;
        }
        matches!(kind, ExprKind::ExtHasAttr { attrs, .. } if attrs.iter().any(|attr| attr == PURPOSE))
    })
}

/// Whether an expression looks at `context.purpose` anywhere.
fn looks_at_purpose(value: &Value) -> bool {
    let here = value.pointer("/left/Var").and_then(Value::as_str) == Some("context")
        && value.get("attr").and_then(Value::as_str) == Some(PURPOSE);
    match value {
        Value::Object(members) => here || members.values().any(looks_at_purpose),
        Value::Array(items) => items.iter().any(looks_at_purpose),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether an expression is only true where `context has purpose`.
fn asks_for_purpose(expression: &Value) -> bool {
    let Some((operator, parts)) = expression.as_object().and_then(|members| members.iter().next()) else {
        return false;
    };
    match operator.as_str() {
        "has" => looks_at_purpose(parts),
        "&&" => ["left", "right"]
            .iter()
            .filter_map(|side| parts.get(side))
            .any(asks_for_purpose),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(rule: &str) -> String {
        let policy: Policy = rule.parse().unwrap();
        let effect = match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        };
        match Opens::read(&policy, effect) {
            Opens::None => "none".to_owned(),
            Opens::Any => "any".to_owned(),
            Opens::Only(kinds) => kinds.iter().map(PurposeId::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    /// Rules, and the purposes that each may open something for.
    const RULES: &[(&str, &str)] = &[
        ("permit (principal, action, resource);", "none"),
        (
            "permit (principal, action, resource) when { context has purpose };",
            "any",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && context.purpose.kind == PurposeKind::"a" };"#,
            "a",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && [PurposeKind::"a", PurposeKind::"b"].contains(context.purpose.kind) && context.purpose.approvedBy != principal };"#,
            "a b",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && (PurposeKind::"a" == context.purpose.kind || context.purpose.kind == PurposeKind::"b") };"#,
            "a b",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && (context.purpose.kind == PurposeKind::"a" || context.purpose has ticket) };"#,
            "any",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && context.purpose.kind != PurposeKind::"a" };"#,
            "any",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose } unless { context.purpose.kind == PurposeKind::"a" };"#,
            "any",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose } when { context.purpose.kind == PurposeKind::"a" };"#,
            "a",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && resource.kind == PurposeKind::"a" };"#,
            "any",
        ),
        (
            r#"permit (principal, action, resource) when { context has purpose && [PurposeKind::"a"].contains(context.kind) };"#,
            "any",
        ),
        (
            "forbid (principal, action, resource) when { context has purpose && !(resource in context.purpose.platforms) };",
            "none",
        ),
        (
            "permit (principal, action, resource) when { context has purpose.approvedBy };",
            "any",
        ),
        (
            "forbid (principal, action, resource) when { context has purpose.approvedBy };",
            "none",
        ),
        (
            "forbid (principal, action, resource) unless { context has purpose };",
            "any",
        ),
        (
            "forbid (principal, action, resource) when { !(context has purpose) };",
            "any",
        ),
    ];

    #[test]
    fn a_purpose_that_a_rule_may_open_is_never_said_to_open_nothing() {
        for (rule, expected) in RULES {
            assert_eq!(opens(rule), *expected, "{rule}");
        }
    }
}
