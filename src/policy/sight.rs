//! Rules may look only at what the gateway knows when it asks them: the principal, the resource, and the context.
//!
//! Cedar's validator lets a rule follow an entity to another (`principal.manager.region`,
//! `context.purpose.approvedBy in Role::"director"`). Nothing is known of those, and worse than an error is what Cedar
//! makes of it: `in` answers `false`, and a forbid that relies on it fails open.

use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, Literal};

use super::lint::Spot;
use super::rule::Written;
use super::{WORTH_A_THREAD, shares};
use crate::facts::{Problem, SourceText};

/// Entities that a request brings along, as paths.
const KNOWN: [&str; 4] = ["principal", "action", "resource", "resource.declarer"];

/// What an expression is called that is neither a name nor an attribute of one. It could be anybody.
const COMPUTED: &str = "something computed";

/// Reports rules that look at people or things of which nothing is known when the rule is asked.
pub(super) fn check(written: &[&(&SourceText, Written)], problems: &mut Vec<Problem>) {
    problems.extend(shares::each(written, WORTH_A_THREAD, looked_through).concat());
}

fn looked_through(written: &[&(&SourceText, Written)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (source, written) in written {
        let policy: &ast::Policy = written.cedar.as_ref();
        let conditions = policy.non_scope_constraints().into_iter();
        let mut unseen: Vec<String> = conditions.flat_map(Expr::subexpressions).filter_map(unknown).collect();
        unseen.sort();
        unseen.dedup();
        for path in unseen {
            let message = format!(
                "rule `{}` asks about `{path}`, of which nothing is known here",
                written.rule.id
            );
            let help =
                "compare it with `==`, or with `contains` of a set; only principal, resource and context are known";
            let problem = Spot::new(source, &written.rule).error("wayleave::policy::out-of-sight", &path, message);
            problems.push(problem.with_help(help));
        }
    }
    problems
}

/// What an expression looks into, if the request does not bring it along.
fn unknown(expression: &Expr) -> Option<String> {
    let kind = expression.expr_kind();
    let (path, for_attribute) = if let ExprKind::GetAttr { expr, .. } | ExprKind::HasAttr { expr, .. } = kind {
        (path(expr), true)
    } else if let ExprKind::ExtHasAttr { expr, attrs } = kind {
        // looks into what all of them but the last lead to
        let on_the_way = attrs.iter().take(attrs.len() - 1);
        (
            path(expr).map(|path| on_the_way.fold(path, |path, attr| format!("{path}.{attr}"))),
            true,
        )
    } else if let ExprKind::BinaryApp { op, arg1, .. } = kind
        && matches!(op, BinaryOp::In | BinaryOp::GetTag | BinaryOp::HasTag)
    {
        (path(arg1), false)
    } else {
        return None;
    };
    let Some(path) = path else {
        return Some(COMPUTED.to_owned());
    };
    // Contexts hold records, and records in records, but none deeper: what lies below is an entity.
    let is_record = path.starts_with("context") && path.matches('.').count() < 2;
    let looks_into_record = is_record && for_attribute;
    (!looks_into_record && !KNOWN.contains(&path.as_str())).then_some(path)
}

/// `principal.manager` for an attribute of an attribute, `Role::"staff"` for a name; none for anything computed.
fn path(expression: &Expr) -> Option<String> {
    let kind = expression.expr_kind();
    if let ExprKind::Var(variable) = kind {
        return Some(variable.to_string());
    }
    if let ExprKind::GetAttr { expr, attr } = kind {
        return Some(format!("{}.{attr}", path(expr)?));
    }
    let ExprKind::Lit(Literal::EntityUID(uid)) = kind else {
        return None;
    };
    Some(uid.to_string())
}
