//! Narrows the rules to those whose scope can match, so that a decision costs the same with ten rules or ten thousand.
//!
//! Cedar evaluates `principal-scope && action-scope && resource-scope && body`, and a scope cannot fail with an error: a
//! rule whose scope does not match is neither satisfied nor erroring, so leaving it out changes nothing. `==` and `in`
//! have key spaces of their own: an ancestor that a rule names by `==` must not match what is below it. The type that
//! an `is` names is checked with the keys, since the conditions that are evaluated afterwards do not repeat it.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{ActionConstraint, EntityUid, Policy, PrincipalConstraint};
use cedar_policy::{Entities, EntityTypeName, ResourceConstraint, Schema};
use cedar_policy_core::ast;

use super::body::Program;
use super::leaves::Reads;
use super::party::Noun;
use crate::facts::QuickMap;

/// A rule by its position in the rule files.
pub type Number = usize;

/// What a scope says of principal or resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    of_type: Option<ast::EntityType>,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Any,
    Is(ast::EntityUID),
    Within(ast::EntityUID),
}

/// The scopes that rules have, numbered, and the classes of those that match the same ones: most of what a person or
/// host is in, no rule ever mentions.
#[derive(Debug, Default)]
struct Side {
    scopes: HashMap<Scope, usize>,
    /// By key alone, whatever type a scope wants beside it.
    by_key: HashMap<Key, Vec<(Option<ast::EntityType>, usize)>>,
    classes: RwLock<Classes>,
}

#[derive(Debug, Default)]
struct Classes {
    numbers: HashMap<Arc<[usize]>, usize>,
    scopes: Vec<Arc<[usize]>>,
}

type Buckets = HashMap<(usize, usize), Vec<Number>>;

/// More different lists than a busy gateway meets; above it they are made anew.
const MOST_LISTS: usize = 1 << 16;

/// Finds the rules whose scope can match.
#[derive(Debug)]
pub(super) struct Index {
    principals: Side,
    resources: Side,
    actions: HashMap<EntityUid, usize>,
    by_action: Vec<Buckets>,
    // A memo of the join: same classes, same rules.
    lists: RwLock<QuickMap<[usize; 3], Arc<Candidates>>>,
}

/// The rules whose scope matches, in the order of the rule files.
#[derive(Debug)]
pub struct Candidates {
    numbers: Box<[Number]>,
    reads: Reads,
}

impl Candidates {
    /// The rules.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// Whether any of them may look at the leaf of this number.
    pub fn read(&self, leaf: usize) -> bool {
        self.reads.has(leaf)
    }
}

impl Index {
    pub(super) fn new(policies: &[Policy], schema: &Schema, groups: &Entities) -> Self {
        let (mut principals, mut resources) = (Side::default(), Side::default());
        let actions: HashMap<EntityUid, usize> = schema.actions().cloned().zip(0..).collect();
        let mut by_action: Vec<Buckets> = actions.iter().map(|_| Buckets::new()).collect();
        for (number, policy) in policies.iter().enumerate() {
            let scopes = (
                principals.number(principal_scope(policy)),
                resources.number(resource_scope(policy)),
            );
            for action in schema.actions().filter(|action| applies(policy, action, groups)) {
                if let Some(buckets) = actions.get(action).and_then(|action| by_action.get_mut(*action)) {
                    buckets.entry(scopes).or_default().push(number);
                }
            }
        }
        Self {
            principals,
            resources,
            actions,
            by_action,
            lists: RwLock::default(),
        }
    }

    /// The class of a principal.
    pub(super) fn principal(&self, noun: Noun<'_>) -> usize {
        self.principals.class(noun)
    }

    /// The class of a resource.
    pub(super) fn resource(&self, noun: Noun<'_>) -> usize {
        self.resources.class(noun)
    }

    /// The class of an action; none if the schema does not know it.
    pub(super) fn action(&self, uid: &EntityUid) -> Option<usize> {
        self.actions.get(uid).copied()
    }

    /// The actions that the scope of each of the first `count` rules names.
    pub(super) fn actions_of_rules(&self, count: usize) -> Vec<BTreeSet<&EntityUid>> {
        let mut all = vec![BTreeSet::new(); count];
        #[expect(
            clippy::iter_over_hash_type,
            reason = "sets do not depend on the order in which they are filled"
        )]
        for (action, number) in &self.actions {
            let buckets = self.by_action.get(*number);
            for rule in buckets.into_iter().flat_map(HashMap::values).flatten() {
                if let Some(actions) = all.get_mut(*rule) {
                    actions.insert(action);
                }
            }
        }
        all
    }

    /// The rules whose scopes match all three classes.
    pub(super) fn candidates(
        &self,
        (principal, action, resource): (usize, usize, usize),
        program: &Program,
    ) -> Arc<Candidates> {
        let classes = [principal, action, resource];
        let known = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&classes) {
            return Arc::clone(known);
        }
        drop(known);
        let numbers = self.join(principal, action, resource);
        let found = Arc::new(Candidates {
            reads: numbers.iter().map(|number| program.reads(*number)).collect(),
            numbers: numbers.into(),
        });
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
        lists.insert(classes, Arc::clone(&found));
        found
    }

    fn join(&self, principal: usize, action: usize, resource: usize) -> Vec<Number> {
        let (principals, resources) = (self.principals.scopes_of(principal), self.resources.scopes_of(resource));
        let Some(buckets) = self.by_action.get(action) else {
            return Vec::new();
        };
        let mut numbers = Vec::new();
        for principal in principals.iter() {
            for resource in resources.iter() {
                numbers.extend(buckets.get(&(*principal, *resource)).into_iter().flatten());
            }
        }
        // each rule stands in one bucket of an action
        numbers.sort_unstable();
        numbers
    }
}

impl Side {
    /// The number of `scope`, a new one if it has none.
    fn number(&mut self, scope: Scope) -> usize {
        let next = self.scopes.len();
        let number = *self.scopes.entry(scope.clone()).or_insert(next);
        if number == next {
            self.by_key.entry(scope.key).or_default().push((scope.of_type, number));
        }
        number
    }

    /// The class of what has these keys and this type.
    fn class(&self, noun: Noun<'_>) -> usize {
        let itself = [Key::Any, Key::Is(noun.uid.clone()), Key::Within(noun.uid.clone())];
        let above = noun.entity.into_iter().flat_map(ast::Entity::ancestors);
        let above = above.filter(|uid| *uid != noun.uid).cloned().map(Key::Within);
        let mut scopes: Vec<usize> = itself
            .into_iter()
            .chain(above)
            .filter_map(|key| self.by_key.get(&key))
            .flatten()
            .filter(|(of_type, _)| of_type.as_ref().is_none_or(|kind| kind == noun.uid.entity_type()))
            .map(|(_, number)| *number)
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        let known = self.classes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known.numbers.get(scopes.as_slice()) {
            return *number;
        }
        drop(known);
        let mut classes = self.classes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = classes.numbers.get(scopes.as_slice()) {
            return *number;
        }
        let (number, scopes) = (classes.scopes.len(), Arc::<[usize]>::from(scopes));
        classes.scopes.push(Arc::clone(&scopes));
        classes.numbers.insert(scopes, number);
        number
    }

    fn scopes_of(&self, class: usize) -> Arc<[usize]> {
        let classes = self.classes.read().unwrap_or_else(PoisonError::into_inner);
        classes.scopes.get(class).cloned().unwrap_or_default()
    }
}

fn principal_scope(policy: &Policy) -> Scope {
    match policy.principal_constraint() {
        PrincipalConstraint::Any => scope(None, Key::Any),
        PrincipalConstraint::Is(kind) => scope(Some(kind), Key::Any),
        PrincipalConstraint::Eq(uid) => scope(None, Key::Is(uid.as_ref().clone())),
        PrincipalConstraint::In(uid) => scope(None, Key::Within(uid.as_ref().clone())),
        PrincipalConstraint::IsIn(kind, uid) => scope(Some(kind), Key::Within(uid.as_ref().clone())),
    }
}

fn resource_scope(policy: &Policy) -> Scope {
    match policy.resource_constraint() {
        ResourceConstraint::Any => scope(None, Key::Any),
        ResourceConstraint::Is(kind) => scope(Some(kind), Key::Any),
        ResourceConstraint::Eq(uid) => scope(None, Key::Is(uid.as_ref().clone())),
        ResourceConstraint::In(uid) => scope(None, Key::Within(uid.as_ref().clone())),
        ResourceConstraint::IsIn(kind, uid) => scope(Some(kind), Key::Within(uid.as_ref().clone())),
    }
}

fn scope(of_type: Option<EntityTypeName>, key: Key) -> Scope {
    Scope {
        of_type: of_type.map(|kind| kind.as_ref().clone()),
        key,
    }
}

fn applies(policy: &Policy, action: &EntityUid, groups: &Entities) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named
            .iter()
            .any(|group| group == action || groups.is_ancestor_of(group, action)),
    }
}
