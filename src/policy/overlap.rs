//! Rules that say nothing: another one says the same already, or forbids all that they permit. Pure.
//!
//! Tells only what is certain without a solver: scopes are compared as written and by the categories of the catalogue,
//! conditions by their texts. `when { a && b }` can only hold where `when { a }` does.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityTypeName, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use serde_json::Value;

use super::World;
use super::apart::{clauses, is_unless, read};
use super::engine::Number;
use super::lint::at;
use super::rule::Rule;
use crate::facts::{Category, Effect, Mode, PlatformId, Problem};

/// What a scope says of principal or resource.
#[derive(Clone, Debug)]
enum Side {
    Any,
    Is(EntityTypeName),
    In(EntityUid),
    IsIn(EntityTypeName, EntityUid),
    Eq(EntityUid),
}

/// A rule, taken apart.
struct Parts<'a> {
    rule: &'a Rule,
    principal: Side,
    resource: Side,
    actions: &'a BTreeSet<&'a EntityUid>,
    /// All must hold.
    conditions: BTreeSet<String>,
}

/// Compares each rule with those whose conditions it shares. One on probation is left out: it says what would be, and takes
/// nothing from the others.
pub(super) fn check(
    rules: &[Rule],
    policies: &[Policy],
    actions: &[BTreeSet<&EntityUid>],
    world: &World,
) -> Vec<Problem> {
    let parts: Vec<Parts<'_>> = rules.iter().zip(policies).zip(actions).map(taken_apart).collect();
    let shelves = Shelves::new(&parts);
    let tree = Tree::new(world);
    let mut problems = Vec::new();
    let counting = |parts: &Parts<'_>| parts.rule.mode != Mode::Observe;
    for (number, narrow) in parts.iter().enumerate().filter(|(_, narrow)| counting(narrow)) {
        // in their order, whatever shelf they stand on
        let wider: BTreeSet<Number> = shelves.beside(narrow, &tree).collect();
        let wider: Vec<(Number, &Parts<'_>)> = wider
            .into_iter()
            .filter(|other| *other != number)
            .filter_map(|other| Some((other, parts.get(other)?)))
            .filter(|(_, wide)| counting(wide) && wide.holds_wherever(narrow, &tree))
            .collect();
        // what is on probation, or only coaches, takes nothing away from what a rule permits
        let over = |(_, wide): &&(Number, &Parts<'_>)| {
            let (permit, forbid) = (narrow.rule.effect, wide.rule.effect);
            permit == Effect::Permit && forbid == Effect::Forbid && wide.rule.mode == Mode::Enforce
        };
        let same = |(other, wide): &&(Number, &Parts<'_>)| {
            // of two that say the same the later one is told
            let is_twin = narrow.holds_wherever(wide, &tree) && outlasts(narrow.rule, wide.rule);
            let in_force = wide.rule.mode == Mode::Enforce || wide.rule.mode == narrow.rule.mode;
            in_force
                && narrow.rule.effect == wide.rule.effect
                && outlasts(wide.rule, narrow.rule)
                && (!is_twin || *other < number)
        };
        if let Some((_, forbid)) = wider.iter().find(over) {
            problems.push(never(narrow.rule, forbid.rule));
        } else if let Some((_, wide)) = wider.iter().find(same) {
            problems.push(redundant(narrow.rule, wide.rule));
        }
    }
    problems
}

fn never(permit: &Rule, forbid: &Rule) -> Problem {
    let message = format!(
        "rule `{}` never permits anything: `{}` forbids all of it",
        permit.id, forbid.id
    );
    let help = format!(
        "remove it, or except it in the forbid at {}:{}",
        forbid.file, forbid.line
    );
    at(permit, "@id", "wayleave::policy::never", message)
        .as_warning()
        .with_help(help)
}

fn redundant(narrow: &Rule, wide: &Rule) -> Problem {
    let message = format!(
        "rule `{}` says nothing that `{}` does not say already",
        narrow.id, wide.id
    );
    let help = format!("remove it, or narrow the one at {}:{}", wide.file, wide.line);
    at(narrow, "@id", "wayleave::policy::redundant", message)
        .as_warning()
        .with_help(help)
}

/// Whether one rule counts at least as long as another, and as firmly.
fn outlasts(one: &Rule, other: &Rule) -> bool {
    let is_as_firm = one.mode == Mode::Enforce || one.mode == other.mode;
    is_as_firm
        && match (one.effect, one.expires, other.expires) {
            (Effect::Forbid, ..) | (Effect::Permit, None, _) => true,
            (Effect::Permit, Some(_), None) => false,
            (Effect::Permit, Some(one), Some(other)) => one >= other,
        }
}

fn taken_apart<'a>(((rule, policy), actions): ((&'a Rule, &Policy), &'a BTreeSet<&'a EntityUid>)) -> Parts<'a> {
    Parts {
        rule,
        principal: match policy.principal_constraint() {
            PrincipalConstraint::Any => Side::Any,
            PrincipalConstraint::Is(kind) => Side::Is(kind),
            PrincipalConstraint::In(group) => Side::In(group),
            PrincipalConstraint::IsIn(kind, group) => Side::IsIn(kind, group),
            PrincipalConstraint::Eq(one) => Side::Eq(one),
        },
        resource: match policy.resource_constraint() {
            ResourceConstraint::Any => Side::Any,
            ResourceConstraint::Is(kind) => Side::Is(kind),
            ResourceConstraint::In(group) => Side::In(group),
            ResourceConstraint::IsIn(kind, group) => Side::IsIn(kind, group),
            ResourceConstraint::Eq(one) => Side::Eq(one),
        },
        actions,
        conditions: conditions(rule, policy),
    }
}

/// What must hold, one by one. A rule that cannot be read has a condition that no other has.
fn conditions(rule: &Rule, policy: &Policy) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let Ok(json) = read(policy) else {
        return BTreeSet::from([rule.id.to_string()]);
    };
    for condition in clauses(&json) {
        let (word, operator) = if is_unless(condition) {
            ("unless", "||")
        } else {
            ("when", "&&")
        };
        let mut open: Vec<&Value> = condition.get("body").into_iter().collect();
        while let Some(part) = open.pop() {
            match part.get(operator) {
                Some(both) => open.extend(["left", "right"].iter().filter_map(|side| both.get(side))),
                None => {
                    all.insert(format!("{word} {part}"));
                }
            }
        }
    }
    all
}

impl Parts<'_> {
    /// Whether this rule surely applies wherever the other does.
    fn holds_wherever(&self, other: &Self, tree: &Tree) -> bool {
        self.conditions.is_subset(&other.conditions)
            && self.actions.is_superset(other.actions)
            && self.principal.covers(&other.principal, tree)
            && self.resource.covers(&other.resource, tree)
    }
}

impl Side {
    /// What a scope names: whatever it covers is that, or in it.
    fn name(&self) -> Option<Name<'_>> {
        match self {
            Self::In(one) | Self::IsIn(_, one) | Self::Eq(one) => Some(name(one)),
            Self::Any | Self::Is(_) => None,
        }
    }

    fn covers(&self, other: &Self, tree: &Tree) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Is(kind), Self::Is(other) | Self::IsIn(other, _)) => kind == other,
            (Self::Is(kind), Self::Eq(one)) => kind == one.type_name(),
            (Self::In(group), Self::In(one) | Self::IsIn(_, one) | Self::Eq(one)) => tree.holds(group, one),
            (Self::IsIn(kind, group), Self::IsIn(other, one)) => kind == other && tree.holds(group, one),
            (Self::IsIn(kind, group), Self::Eq(one)) => kind == one.type_name() && tree.holds(group, one),
            (Self::Eq(one), Self::Eq(other)) => one == other,
            (Self::Is(_), Self::Any | Self::In(_))
            | (Self::In(_), Self::Any | Self::Is(_))
            | (Self::IsIn(..), Self::Any | Self::Is(_) | Self::In(_))
            | (Self::Eq(_), Self::Any | Self::Is(_) | Self::In(_) | Self::IsIn(..)) => false,
        }
    }
}

/// What is part of what, as far as the catalogue says so.
struct Tree<'a> {
    above: BTreeMap<Name<'a>, &'a BTreeSet<Category>>,
}

impl<'a> Tree<'a> {
    fn new(world: &'a World) -> Self {
        let categories = world
            .categories
            .iter()
            .map(|(id, above)| (("Category", Category::as_str(id)), above));
        let platforms = world.platforms.iter();
        let platforms = platforms.map(|one| (("Platform", PlatformId::as_str(&one.id)), &one.categories));
        Self {
            above: categories.chain(platforms).collect(),
        }
    }

    /// The categories that something of this name is in.
    fn above(&self, name: Name<'_>) -> impl Iterator<Item = Name<'a>> {
        let above = self.above.get(&name).copied().into_iter().flatten();
        above.map(|one| ("Category", one.as_str()))
    }

    /// Whether `one` is surely in `group`.
    fn holds(&self, group: &EntityUid, one: &EntityUid) -> bool {
        group == one || self.above(name(one)).any(|above| above == name(group))
    }
}

/// A kind of thing, and the name of one.
type Name<'a> = (&'a str, &'a str);

fn name(uid: &EntityUid) -> Name<'_> {
    (uid.type_name().basename(), uid.id().unescaped())
}

/// Rules by the rarest of their conditions and by what their scope names, so that each is compared with few others.
struct Shelves<'a> {
    shelves: BTreeMap<(Option<&'a str>, Option<Name<'a>>), Vec<Number>>,
}

impl<'a> Shelves<'a> {
    fn new(parts: &'a [Parts<'_>]) -> Self {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for condition in parts.iter().flat_map(|parts| &parts.conditions) {
            *uses.entry(condition).or_default() += 1;
        }
        let mut shelves = BTreeMap::<_, Vec<Number>>::new();
        for (number, parts) in parts.iter().enumerate() {
            let rarest = parts.conditions.iter().min_by_key(|one| uses.get(one.as_str()));
            let name = parts.resource.name().or(parts.principal.name());
            let shelf = shelves.entry((rarest.map(String::as_str), name));
            shelf.or_default().push(number);
        }
        Self { shelves }
    }

    /// The rules that may hold wherever this one does.
    fn beside<'s>(&'s self, narrow: &'s Parts<'_>, tree: &'s Tree<'_>) -> impl Iterator<Item = Number> + 's {
        let named = [&narrow.resource, &narrow.principal].into_iter().filter_map(Side::name);
        let names = named.flat_map(|name| std::iter::once(name).chain(tree.above(name)));
        let names: BTreeSet<Option<Name<'_>>> = names.map(Some).chain([None]).collect();
        let conditions = narrow.conditions.iter().map(|one| Some(one.as_str())).chain([None]);
        let shelves = conditions.flat_map(move |condition| {
            let names = names.clone().into_iter();
            names.filter_map(move |name| self.shelves.get(&(condition, name)))
        });
        shelves.flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;
    use crate::policy::tests::{schema, world};

    #[test]
    fn a_rule_is_compared_with_those_that_name_the_same_or_what_it_is_in() {
        let head = |id: &str| format!("@id(\"{id}\") @reason(\"R.\") @owner(\"IT\")\n");
        let host = |n: usize| {
            let when = ["", " when { context.local.weekday == 7 }"][n % 2];
            let scope = format!("principal, action == Action::\"connect\", resource == Site::\"{n}.example\"");
            format!("{}forbid ({scope}){when};\n", head(&format!("h{n}")))
        };
        let hosts = (0..2_000).map(host);
        let wide = [
            ("all", "principal, action, resource is Site"),
            ("group", "principal, action, resource in Category::\"social-media\""),
            ("one", "principal, action, resource in Platform::\"linkedin\""),
        ]
        .map(|(id, scope)| format!("{}forbid ({scope}) when {{ context.local.weekday == 6 }};\n", head(id)));
        let text: String = hosts.chain(wide).collect();
        let (policy, _) =
            crate::policy::Policy::parse(&schema(), &[SourceText::new("rules/a.cedar", text)], &world()).unwrap();
        let world = world();
        let tree = Tree::new(&world);
        let actions = policy.engine.actions_of_rules();
        let rules = policy.rules.iter().zip(policy.engine.policies()).zip(&actions);
        let parts: Vec<Parts<'_>> = rules.map(taken_apart).collect();
        let shelves = Shelves::new(&parts);
        let beside = |id: &str| {
            let narrow = parts.iter().find(|parts| parts.rule.id.as_str() == id).unwrap();
            let beside: BTreeSet<Number> = shelves.beside(narrow, &tree).collect();
            beside
                .iter()
                .map(|other| parts[*other].rule.id.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(beside("h2"), ["h2"]);
        assert_eq!(beside("h3"), ["h3"]);
        assert_eq!(beside("one"), ["all", "group", "one"]);
        assert_eq!(beside("group"), ["all", "group"]);
    }
}
