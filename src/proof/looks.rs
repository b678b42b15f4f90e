//! How rules look at kinds of requests: which of them they cannot tell apart. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{ActionConstraint, Entities, EntityUid, Policy, RequestEnv};
use cedar_policy_core::ast::{self, Expr, ExprKind, Literal};

/// How some rules look at a kind of request: which of them speak of it, and by what they call its action in their conditions.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Looks {
    spoken_of: Vec<bool>,
    called: Vec<EntityUid>,
}

impl Looks {
    pub(super) fn of<'a>(
        rules: &[&Policy],
        envs: impl IntoIterator<Item = &'a RequestEnv>,
        actions: &Entities,
    ) -> Vec<Self> {
        let named: BTreeSet<EntityUid> = rules.iter().copied().flat_map(named_in_conditions).collect();
        let scopes: Vec<ActionConstraint> = rules.iter().map(|rule| rule.action_constraint()).collect();
        let looks = |env: &RequestEnv| Self {
            spoken_of: scopes.iter().map(|scope| leaves_room(scope, env, actions)).collect(),
            called: named
                .iter()
                .filter(|uid| is_or_holds(uid, env, actions))
                .cloned()
                .collect(),
        };
        envs.into_iter().map(looks).collect()
    }

    /// The places of the rules that speak of it.
    pub(super) fn spoken_of(&self) -> Vec<usize> {
        let numbered = self.spoken_of.iter().enumerate();
        numbered
            .filter(|(_, speaks)| **speaks)
            .map(|(number, _)| number)
            .collect()
    }
}

pub(super) fn leaves_room(scope: &ActionConstraint, env: &RequestEnv, actions: &Entities) -> bool {
    match scope {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid == env.action(),
        ActionConstraint::In(uids) => uids.iter().any(|uid| is_or_holds(uid, env, actions)),
    }
}

/// Whether something is the action of a kind of request, or a group that it is in.
fn is_or_holds(uid: &EntityUid, env: &RequestEnv, actions: &Entities) -> bool {
    uid == env.action() || actions.is_ancestor_of(uid, env.action())
}

/// Each thing's place among those that differ, in the order in which they come first.
pub(super) fn kinds<T: Ord>(things: &[&T]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let mut place = |thing| {
        let next = known.len();
        *known.entry(thing).or_insert(next)
    };
    things.iter().map(|thing| place(*thing)).collect()
}

/// The actions and groups of actions that the conditions of a rule name, beside its scope.
fn named_in_conditions(policy: &Policy) -> Vec<EntityUid> {
    let policy: &ast::Policy = policy.as_ref();
    let conditions = policy.non_scope_constraints().into_iter();
    let named = conditions.flat_map(Expr::subexpressions).filter_map(|part| {
        let ExprKind::Lit(Literal::EntityUID(uid)) = part.expr_kind() else {
            return None;
        };
        Some(EntityUid::from(uid.as_ref().clone()))
    });
    named.filter(|uid| uid.type_name().basename() == "Action").collect()
}
