//! Narrows the rules to those whose scope can match, so that a decision costs the same with ten rules or ten thousand.
//!
//! Cedar evaluates `principal-scope && action-scope && resource-scope && body`, and a scope cannot fail with an error: a
//! rule whose scope does not match is neither satisfied nor erroring, so leaving it out changes nothing, and any superset
//! of the matching rules will do. `==` and `in` have key spaces of their own: an ancestor that a rule names by `==` must
//! not match what is below it. The tests compare with the whole set.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicySet, PolicySetError, PrincipalConstraint};
use cedar_policy::{Entities, ResourceConstraint, Schema};

use cedar_policy_core::ast::{self, Expr, ExprKind, Var};

use super::request::{GRANT, Noun};

/// A rule by its position in the rule files.
pub(super) type Number = usize;

/// What a scope says of principal or resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Any,
    Is(EntityUid),
    Within(EntityUid),
}

/// The keys that some scope names, numbered: most of what a person or host is in, no rule ever mentions.
#[derive(Debug, Default)]
struct Keys(HashMap<Key, usize>);

type Buckets = HashMap<(usize, usize), Vec<Number>>;

/// More different sets than a busy gateway meets; above it the sets are made anew.
const MOST_SETS: usize = 4096;

/// Finds the rules whose scope can match.
#[derive(Debug)]
pub(super) struct Index {
    policies: Vec<Policy>,
    /// Which of them look at the grant that is judged under.
    heeding: Vec<bool>,
    principals: Keys,
    resources: Keys,
    by_action: HashMap<EntityUid, Buckets>,
    // A memo of `PolicySet::from_policies`, which costs more than deciding: same numbers, same set.
    sets: RwLock<HashMap<Box<[Number]>, Arc<PolicySet>>>,
}

impl Index {
    pub(super) fn new(policies: Vec<Policy>, schema: &Schema, actions: &Entities) -> Self {
        let (mut principals, mut resources) = (Keys::default(), Keys::default());
        let mut by_action: HashMap<EntityUid, Buckets> = schema
            .actions()
            .map(|action| (action.clone(), HashMap::new()))
            .collect();
        for (number, policy) in policies.iter().enumerate() {
            let key = (
                principals.number(principal_key(policy)),
                resources.number(resource_key(policy)),
            );
            for action in schema.actions().filter(|action| applies(policy, action, actions)) {
                if let Some(buckets) = by_action.get_mut(action) {
                    buckets.entry(key).or_default().push(number);
                }
            }
        }
        Self {
            heeding: policies.iter().map(heeds_grant).collect(),
            policies,
            principals,
            resources,
            by_action,
            sets: RwLock::new(HashMap::new()),
        }
    }

    /// The rules, in the order of their files.
    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The actions that the scope of each rule names, in the order of the rule files.
    pub(super) fn actions(&self) -> Vec<BTreeSet<&EntityUid>> {
        let mut all = vec![BTreeSet::new(); self.policies.len()];
        #[expect(
            clippy::iter_over_hash_type,
            reason = "sets do not depend on the order in which they are filled"
        )]
        for (action, buckets) in &self.by_action {
            for number in buckets.values().flatten() {
                if let Some(actions) = all.get_mut(*number) {
                    actions.insert(action);
                }
            }
        }
        all
    }

    /// The rules that can match, in the order of the rule files; none for an action that the schema does not know.
    pub(super) fn candidates(&self, principal: &Noun, action: &EntityUid, resource: &Noun) -> Option<Vec<Number>> {
        self.matching(
            &self.keys_of_principal(principal),
            action,
            &self.keys_of_resource(resource),
        )
    }

    /// The keys of scopes that match a principal.
    pub(super) fn keys_of_principal(&self, principal: &Noun) -> Vec<usize> {
        self.principals.of(principal)
    }

    /// The keys of scopes that match a resource.
    pub(super) fn keys_of_resource(&self, resource: &Noun) -> Vec<usize> {
        self.resources.of(resource)
    }

    /// The rules whose scope has one of these keys each, in the order of the rule files.
    pub(super) fn matching(
        &self,
        principals: &[usize],
        action: &EntityUid,
        resources: &[usize],
    ) -> Option<Vec<Number>> {
        let buckets = self.by_action.get(action)?;
        let mut numbers = Vec::new();
        for principal in principals {
            for resource in resources {
                numbers.extend(buckets.get(&(*principal, *resource)).into_iter().flatten());
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }

    /// Whether any of these rules looks at the grant that is judged under.
    pub(super) fn any_heeds_grant(&self, numbers: &[Number]) -> bool {
        let heeds = |number: &Number| self.heeding.get(*number).is_none_or(|heeds| *heeds);
        numbers.iter().any(heeds)
    }

    /// These rules as Cedar wants them.
    pub(super) fn set(&self, numbers: Vec<Number>) -> Result<Arc<PolicySet>, Box<PolicySetError>> {
        let known = self
            .sets
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(numbers.as_slice())
            .cloned();
        if let Some(set) = known {
            return Ok(set);
        }
        let policies = numbers.iter().filter_map(|number| self.policies.get(*number)).cloned();
        let set = Arc::new(PolicySet::from_policies(policies)?);
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= MOST_SETS {
            sets.clear();
        }
        sets.insert(numbers.into(), Arc::clone(&set));
        Ok(set)
    }
}

#[cfg(test)]
impl Index {
    /// How many sets are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.sets.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Keys {
    /// The number of `key`, a new one if it has none.
    fn number(&mut self, key: Key) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }

    /// The numbered keys that match a principal or resource.
    fn of(&self, noun: &Noun) -> Vec<usize> {
        let itself = [Key::Any, Key::Is(noun.uid.clone()), Key::Within(noun.uid.clone())];
        let above = noun.ancestors.iter().cloned().map(Key::Within);
        itself
            .into_iter()
            .chain(above)
            .filter_map(|key| self.0.get(&key).copied())
            .collect()
    }
}

// The type that an `is` names is left to Cedar: without it the rule is a candidate for more, never for less.
fn principal_key(policy: &Policy) -> Key {
    match policy.principal_constraint() {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => Key::Any,
        PrincipalConstraint::Eq(uid) => Key::Is(uid),
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => Key::Within(uid),
    }
}

fn resource_key(policy: &Policy) -> Key {
    match policy.resource_constraint() {
        ResourceConstraint::Any | ResourceConstraint::Is(_) => Key::Any,
        ResourceConstraint::Eq(uid) => Key::Is(uid),
        ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => Key::Within(uid),
    }
}

/// Whether a rule mentions `context.purpose`, or does with the context what does not tell.
fn heeds_grant(policy: &Policy) -> bool {
    let condition: &ast::Policy = policy.as_ref();
    let condition = condition.condition();
    let (mut mentioned, mut looked_into) = (0, 0);
    for part in condition.subexpressions() {
        if is_context(part) {
            mentioned += 1;
        }
        if let ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } = part.expr_kind()
            && is_context(expr)
        {
            if attr == GRANT {
                return true;
            }
            looked_into += 1;
        }
    }
    mentioned != looked_into
}

fn is_context(expression: &Expr) -> bool {
    matches!(expression.expr_kind(), ExprKind::Var(Var::Context))
}

fn applies(policy: &Policy, action: &EntityUid, actions: &Entities) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named
            .iter()
            .any(|group| group == action || actions.is_ancestor_of(group, action)),
    }
}
