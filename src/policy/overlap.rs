//! Rules that say nothing: another one says the same already, or forbids all that they permit. Pure.
//!
//! Tells only what is certain without a solver: scopes are compared as written and by what catalogue and directory know of
//! the platforms, hosts and people in them, conditions by their texts and by what can be foreseen of them. `when { a && b }`
//! can only hold where `when { a }` does. What contradicts itself by numbers or texts takes a solver: `prove` finds it.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Policy};
use serde_json::Value;

use super::apart::{clauses, is_unless, read, sides, text_of};
use super::engine::Number;
use super::foresight::{Name, Side, Spot, Tree, asked_for, can_be_foreseen, scope_of};
use super::lint::at;
use super::rule::Rule;
use crate::facts::{Effect, Mode, Problem};

/// A rule, taken apart.
pub(super) struct Parts<'a> {
    pub(super) rule: &'a Rule,
    principal: Side,
    pub(super) resource: Side,
    /// The same, with what conditions say where the scope names nothing.
    narrowed: (Side, Side),
    pub(super) actions: &'a BTreeSet<&'a EntityUid>,
    /// All must hold, by their texts.
    conditions: BTreeMap<String, Condition>,
}

/// A `when`, or an `unless`.
struct Condition {
    /// What it must come to.
    wanted: bool,
    body: Value,
}

/// Each rule taken apart.
pub(super) fn all_parts<'a>(
    rules: &'a [Rule],
    policies: &[Policy],
    actions: &'a [BTreeSet<&'a EntityUid>],
) -> Vec<Parts<'a>> {
    rules.iter().zip(policies).zip(actions).map(taken_apart).collect()
}

/// Compares each rule with those whose conditions it shares. One on probation is left out: it says what would be, and takes
/// nothing from the others.
pub(super) fn check(parts: &[Parts<'_>], tree: &Tree<'_>) -> Vec<Problem> {
    let shelves = Shelves::new(parts);
    let mut problems = Vec::new();
    let counting = |parts: &Parts<'_>| parts.rule.mode != Mode::Observe;
    for (number, narrow) in parts.iter().enumerate().filter(|(_, narrow)| counting(narrow)) {
        let spots = narrow.spots(tree);
        if let Some(condition) = narrow.never_meets(&spots, tree) {
            problems.push(idle(narrow, condition));
            continue;
        }
        // in their order, whatever shelf they stand on
        let wider: BTreeSet<Number> = shelves.beside(narrow, tree).collect();
        let wider: Vec<(Number, &Parts<'_>)> = wider
            .into_iter()
            .filter(|other| *other != number)
            .filter_map(|other| Some((other, parts.get(other)?)))
            .filter(|(_, wide)| counting(wide) && wide.holds_wherever(narrow, &spots, tree))
            .collect();
        // what is on probation, or only coaches, takes nothing away from what a rule permits
        let over = |(_, wide): &&(Number, &Parts<'_>)| {
            let (permit, forbid) = (narrow.rule.effect, wide.rule.effect);
            permit == Effect::Permit && forbid == Effect::Forbid && wide.rule.mode == Mode::Enforce
        };
        let same = |(other, wide): &&(Number, &Parts<'_>)| {
            // of two that say the same the later one is told
            let is_twin = narrow.holds_wherever(wide, &wide.spots(tree), tree) && outlasts(narrow.rule, wide.rule);
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

fn idle(parts: &Parts<'_>, condition: &Condition) -> Problem {
    let rule = parts.rule;
    let word = if condition.wanted { "when" } else { "unless" };
    let text = text_of(&condition.body).unwrap_or_default();
    let (principal, resource) = &parts.narrowed;
    let (_, named) = resource.name().or(principal.name()).unwrap_or_default();
    let message = format!(
        "rule `{}` never applies: `{word} {{ {text} }}` keeps it from `{named}`",
        rule.id
    );
    at(rule, "@id", "wayleave::policy::never", message)
        .as_warning()
        .with_help("remove the rule, or that condition")
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
    let conditions = conditions(rule, policy);
    let narrowed = |side: &Side, slot| match side {
        Side::Any | Side::Is(_) => {
            let held = conditions.values().filter(|condition| condition.wanted);
            let scopes: Vec<Side> = held.filter_map(|condition| scope_of(&condition.body, slot)).collect();
            let exact = scopes.iter().find(|side| matches!(side, Side::Eq(_)));
            exact.or(scopes.first()).unwrap_or(side).clone()
        }
        Side::In(_) | Side::IsIn(..) | Side::Eq(_) => side.clone(),
    };
    let (principal, resource) = (Side::of_principal(policy), Side::of_resource(policy));
    Parts {
        rule,
        narrowed: (narrowed(&principal, "principal"), narrowed(&resource, "resource")),
        principal,
        resource,
        actions,
        conditions,
    }
}

/// What must hold, one by one. A rule that cannot be read has a condition that no other has.
fn conditions(rule: &Rule, policy: &Policy) -> BTreeMap<String, Condition> {
    let mut all = BTreeMap::new();
    let Ok(json) = read(policy) else {
        let nothing = Condition {
            wanted: true,
            body: Value::Null,
        };
        return BTreeMap::from([(rule.id.to_string(), nothing)]);
    };
    for condition in clauses(&json) {
        let wanted = !is_unless(condition);
        let (word, operator) = if wanted { ("when", "&&") } else { ("unless", "||") };
        let mut open: Vec<&Value> = condition.get("body").into_iter().collect();
        while let Some(part) = open.pop() {
            if let Some((left, right)) = sides(part, operator) {
                open.extend([left, right]);
            } else {
                let body = part.clone();
                all.insert(format!("{word} {part}"), Condition { wanted, body });
            }
        }
    }
    all
}

impl Parts<'_> {
    /// Everywhere that the rule may apply, where that can be told.
    pub(super) fn spots<'t>(&'t self, tree: &'t Tree<'_>) -> Vec<Spot<'t>> {
        tree.spots(&self.narrowed.1)
    }

    /// Whether this rule surely applies wherever the other does, which is on one of `spots`.
    fn holds_wherever(&self, other: &Self, spots: &[Spot<'_>], tree: &Tree<'_>) -> bool {
        self.actions.is_superset(other.actions)
            && self.principal.covers(&other.narrowed.0, tree)
            && self.resource.covers(&other.narrowed.1, tree)
            && self.conditions.iter().all(|(text, condition)| {
                other.conditions.contains_key(text)
                    || tree.foresees(&condition.body, &other.narrowed.0, spots) == Some(condition.wanted)
            })
    }

    /// The condition that is never met on any of `spots`, if there is one.
    fn never_meets(&self, spots: &[Spot<'_>], tree: &Tree<'_>) -> Option<&Condition> {
        let never =
            |condition: &&Condition| tree.foresees(&condition.body, &self.narrowed.0, spots) == Some(!condition.wanted);
        self.conditions.values().find(never)
    }

    /// Whether the rule applies at a spot, as far as that hangs on where it is: none where it may or may not.
    pub(super) fn applies_at(&self, spot: Spot<'_>, tree: &Tree<'_>) -> Option<bool> {
        let mut answer = self.resource.covers_spot(spot, tree);
        for condition in self.conditions.values() {
            match tree.foresees(&condition.body, &self.narrowed.0, &[spot]) {
                Some(is) if is != condition.wanted => return Some(false),
                Some(_) => {}
                None => answer = answer.filter(|applies| !applies),
            }
        }
        answer
    }

    /// What the rule names: whatever it applies to is one of these, or in it. Nothing where it may apply to others.
    fn names(&self) -> Vec<Option<Name<'_>>> {
        if let Some(name) = self.resource.name().or(self.principal.name()) {
            return vec![Some(name)];
        }
        let mut held = self.conditions.values().filter(|condition| condition.wanted);
        match held.find_map(|condition| asked_for(&condition.body)) {
            Some(names) => names.into_iter().map(Some).collect(),
            None => vec![None],
        }
    }

    /// The platforms, categories or hosts one of which the rule asks for by name.
    pub(super) fn places(&self) -> Vec<&str> {
        let is_place = |(kind, _): &Name<'_>| ["Platform", "Category", "Site"].contains(kind);
        if let Some((_, id)) = self.narrowed.1.name().filter(is_place) {
            return vec![id];
        }
        let held = self.conditions.values().filter(|condition| condition.wanted);
        let mut asked = held.filter_map(|condition| asked_for(&condition.body));
        let places = asked.find(|names| names.iter().all(is_place));
        places.into_iter().flatten().map(|(_, id)| id).collect()
    }

    /// Whether the rule is about everybody.
    pub(super) fn is_of_all(&self) -> bool {
        matches!(self.principal, Side::Any | Side::Is(_))
    }
}

/// Rules by the rarest of the conditions that cannot be foreseen, and by what they name, so that each is compared with few
/// others.
struct Shelves<'a> {
    shelves: BTreeMap<(Option<&'a str>, Option<Name<'a>>), Vec<Number>>,
}

impl<'a> Shelves<'a> {
    fn new(parts: &'a [Parts<'_>]) -> Self {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for condition in parts.iter().flat_map(|parts| parts.conditions.keys()) {
            *uses.entry(condition).or_default() += 1;
        }
        let mut shelves = BTreeMap::<_, Vec<Number>>::new();
        for (number, parts) in parts.iter().enumerate() {
            let unforeseen = parts.conditions.iter().filter(|(_, one)| !can_be_foreseen(&one.body));
            let rarest = unforeseen
                .map(|(text, _)| text.as_str())
                .min_by_key(|one| uses.get(one));
            for name in parts.names() {
                shelves.entry((rarest, name)).or_default().push(number);
            }
        }
        Self { shelves }
    }

    /// The rules that may hold wherever this one does.
    fn beside<'s>(&'s self, narrow: &'s Parts<'_>, tree: &'s Tree<'_>) -> impl Iterator<Item = Number> + 's {
        let named = [&narrow.narrowed.1, &narrow.narrowed.0]
            .into_iter()
            .filter_map(Side::name);
        let names = named.flat_map(|name| std::iter::once(name).chain(tree.above(name)));
        let names: BTreeSet<Option<Name<'_>>> = names.map(Some).chain([None]).collect();
        let conditions = narrow.conditions.keys().map(|one| Some(one.as_str())).chain([None]);
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
        let parts = all_parts(&policy.rules, policy.engine.policies(), &actions);
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
