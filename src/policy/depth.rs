//! How deep a condition may be nested. Whoever reads rules follows them by recursion, Cedar's evaluator included, on the
//! stack of whichever thread asks. So rules are read where there is room for any, and what is deeper than everybody can
//! follow is refused there: what `check` takes, no thread of a gateway gives up on. What no parser should even begin with,
//! [`nesting`](super::nesting) has refused before.

use cedar_policy_core::ast::{self, Expr, ExprKind};

use super::lint::Spot;
use super::rule::Written;
use crate::facts::{Problem, SourceText};

/// So many levels Cedar evaluates on half the stack of a worker's thread.
pub const DEEPEST: usize = 200;

/// Room for what is deeper, until it is refused. It costs address space, and memory only as far as it is used.
const STACK: usize = 256 << 20;

/// Does `work` where there is room for it.
pub(super) fn with_room<T: Send>(file: &SourceText, work: impl FnOnce() -> T + Send) -> Result<T, Problem> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| {
            let message = format!("there is no room to read the rules in: {error}");
            Problem::of_file("wayleave::sources::unreadable", &file.name, message)
                .with_help("leave the gateway more memory")
        })?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// The rule, unless it is nested too deep.
pub(super) fn check(source: &SourceText, written: Written) -> Result<Written, Problem> {
    if !is_deep(&written.cedar) {
        return Ok(written);
    }
    let message = format!("rule `{}` is nested more than {DEEPEST} levels deep", written.rule.id);
    let problem = Spot::new(source, &written.rule).error("wayleave::policy::too-deep", "", message);
    Err(problem.with_help(
        "write a long `||` of names as `[\"…\"].contains(resource.host)`, or as several rules: each `||` and `&&` is a level",
    ))
}

/// Whether a policy is nested deeper than everybody can follow.
pub fn is_deep(policy: &cedar_policy::Policy) -> bool {
    let policy: &ast::Policy = policy.as_ref();
    policy.non_scope_constraints().is_some_and(is_too_deep)
}

fn is_too_deep(condition: &Expr) -> bool {
    let mut open = vec![(condition, 1)];
    while let Some((part, depth)) = open.pop() {
        if depth > DEEPEST {
            return true;
        }
        let mut inside = |part, levels| open.push((part, depth + levels));
        match part.expr_kind() {
            ExprKind::Lit(_) | ExprKind::Var(_) | ExprKind::Slot(_) | ExprKind::Unknown(_) => {}
            ExprKind::And {
                left: one,
                right: other,
            }
            | ExprKind::Or {
                left: one,
                right: other,
            }
            | ExprKind::BinaryApp {
                arg1: one, arg2: other, ..
            } => {
                inside(one.as_ref(), 1);
                inside(other.as_ref(), 1);
            }
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                for one in [test_expr, then_expr, else_expr] {
                    inside(one.as_ref(), 1);
                }
            }
            // written out, each step is one
            ExprKind::ExtHasAttr { expr, attrs } => inside(expr.as_ref(), attrs.len()),
            ExprKind::UnaryApp { arg: one, .. }
            | ExprKind::GetAttr { expr: one, .. }
            | ExprKind::HasAttr { expr: one, .. }
            | ExprKind::Like { expr: one, .. }
            | ExprKind::Is { expr: one, .. } => inside(one.as_ref(), 1),
            // for a call Cedar needs twice the room
            ExprKind::ExtensionFunctionApp { args, .. } => args.iter().for_each(|one| inside(one, 2)),
            ExprKind::Set(all) => all.iter().for_each(|one| inside(one, 1)),
            ExprKind::Record(fields) => fields.values().for_each(|one| inside(one, 1)),
        }
    }
    false
}
