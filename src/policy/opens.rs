//! Which purposes a rule can help: read off its conditions, so that nobody is offered a purpose in vain. Pure.
//!
//! Errs to one side only: a purpose that some rule may open is never said to open nothing.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, Literal, Var};

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
        let policy: &ast::Policy = policy.as_ref();
        // what Cedar makes of all `when`s and `unless`es: `when && !unless && …`
        let condition = policy.non_scope_constraints();
        let Some(condition) = condition.filter(|condition| looks_at_purpose(condition)) else {
            return Self::None;
        };
        match effect {
            // It speaks only of those who state a purpose: nobody escapes it by stating one.
            Effect::Forbid if asks_for_purpose(condition) => Self::None,
            Effect::Forbid => Self::Any,
            Effect::Permit => kinds(condition).map_or(Self::Any, Self::Only),
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
fn kinds(expression: &Expr) -> Option<BTreeSet<PurposeId>> {
    let kind_of = expression.expr_kind();
    if let ExprKind::And { left, right } = kind_of {
        return match (kinds(left), kinds(right)) {
            (Some(one), Some(other)) => Some(one.intersection(&other).cloned().collect()),
            (one, other) => one.or(other),
        };
    }
    if let ExprKind::Or { left, right } = kind_of {
        return Some(kinds(left)?.union(&kinds(right)?).cloned().collect());
    }
    let ExprKind::BinaryApp { op, arg1, arg2 } = kind_of else {
        return None;
    };
    if *op == BinaryOp::Eq && is_kind(arg2) {
        kind(arg1).map(|kind| BTreeSet::from([kind]))
    } else if *op == BinaryOp::Eq && is_kind(arg1) {
        kind(arg2).map(|kind| BTreeSet::from([kind]))
    } else if let (BinaryOp::Contains, true, ExprKind::Set(set)) = (op, is_kind(arg2), arg1.expr_kind()) {
        set.iter().map(kind).collect()
    } else {
        None
    }
}

/// Whether an expression is `context.purpose.kind`, and not something else that may be a kind.
fn is_kind(expression: &Expr) -> bool {
    matches!(expression.expr_kind(), ExprKind::GetAttr { expr, attr } if attr == "kind" && is_purpose(expr))
}

/// Whether an expression is `context.purpose`.
fn is_purpose(expression: &Expr) -> bool {
    matches!(expression.expr_kind(), ExprKind::GetAttr { expr, attr } if attr == PURPOSE && is_context(expr))
}

fn is_context(expression: &Expr) -> bool {
    matches!(expression.expr_kind(), ExprKind::Var(Var::Context))
}

/// The kind that a literal names.
fn kind(literal: &Expr) -> Option<PurposeId> {
    let ExprKind::Lit(Literal::EntityUID(uid)) = literal.expr_kind() else {
        return None;
    };
    let name = uid.entity_type().name();
    let is_kind = name.is_unqualified() && name.basename_as_ref().as_ref() == "PurposeKind";
    is_kind.then(|| PurposeId::new(<ast::Eid as AsRef<str>>::as_ref(uid.eid())))
}

/// Whether an expression looks at `context.purpose` anywhere, or at the context as a whole.
fn looks_at_purpose(expression: &Expr) -> bool {
    let (mut contexts, mut attributes) = (0, Vec::new());
    for part in expression.subexpressions() {
        let kind = part.expr_kind();
        contexts += usize::from(is_context(part));
        if let ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } = kind {
            attributes.extend(Some(attr).filter(|_| is_context(expr)));
        } else if let ExprKind::ExtHasAttr { expr, attrs } = kind {
            attributes.extend(Some(attrs.first()).filter(|_| is_context(expr)));
        }
    }
    contexts > attributes.len() || attributes.iter().any(|attribute| *attribute == PURPOSE)
}

/// Whether an expression is only true where `context has purpose`.
fn asks_for_purpose(expression: &Expr) -> bool {
    let kind = expression.expr_kind();
    if let ExprKind::And { left, right } = kind {
        return asks_for_purpose(left) || asks_for_purpose(right);
    }
    matches!(kind, ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. }) && looks_at_purpose(expression)
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
            "permit (principal, action, resource) when { context.local.weekday == 1 && [context].contains(context) };",
            "any",
        ),
        (
            "permit (principal, action, resource) when { context.local.weekday == 1 && context has client };",
            "none",
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
