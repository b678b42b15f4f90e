//! Mistakes that somebody could make in a rule: it is left out, a condition of it is dropped or turned round, its scope is
//! widened, a group in it is taken for another. For trying whether anybody would notice; never for deciding.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{PolicySet, ValidationMode, Validator};
use serde_json::{Value, json};

use super::apart::{clauses, is_unless, read, sides, text_of};
use super::engine::Number;
use super::{Policy, World};
use crate::facts::{Category, PolicyId};

/// One rule, changed in one way.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The rule.
    pub policy: PolicyId,
    /// What was changed.
    pub change: String,
    number: Number,
    /// The rule as it is then; none where it is left out.
    changed: Option<cedar_policy::Policy>,
}

/// A changed rule as JSON, and what was changed.
type Change = (Value, String);

impl Policy {
    /// Every change that the schema takes, and how many it does not take.
    pub fn mutants(&self, world: &World) -> (Vec<Mutant>, usize) {
        let groups = Groups::new(self, world);
        let validator = Validator::new(self.book.schema.clone());
        let (mut mutants, mut refused) = (Vec::new(), 0);
        for (number, (rule, cedar)) in self.rules.iter().zip(self.engine.policies()).enumerate() {
            let mutant = |change: String, changed| Mutant {
                policy: rule.id.clone(),
                change,
                number,
                changed,
            };
            mutants.push(mutant("the rule is left out".to_owned(), None));
            let Ok(json) = read(cedar) else { continue };
            let mut seen = BTreeSet::from([json.to_string()]);
            for (changed, change) in changes(&json, &groups) {
                if !seen.insert(changed.to_string()) {
                    continue;
                }
                let read = cedar_policy::Policy::from_json(Some(cedar.id().clone()), changed);
                match read.ok().filter(|policy| is_valid(&validator, policy)) {
                    Some(policy) => mutants.push(mutant(change, Some(policy))),
                    None => refused += 1,
                }
            }
        }
        (mutants, refused)
    }

    /// The rules with this change.
    #[must_use]
    pub fn mutated(&self, mutant: &Mutant) -> Self {
        let mut written = Vec::new();
        for (number, (rule, cedar)) in self.rules.iter().zip(self.engine.policies()).enumerate() {
            let (mut rule, mut cedar) = (rule.clone(), cedar.clone());
            if number == mutant.number {
                let Some(changed) = &mutant.changed else { continue };
                rule.text = changed.to_cedar().unwrap_or_default();
                cedar = changed.clone();
            }
            written.push(super::rule::Written {
                rule,
                cedar,
                has_id: true,
                is_known: false,
            });
        }
        Self::of(written, Arc::clone(&self.book), Arc::clone(&self.nouns))
    }
}

/// What `check` takes: a warning tells of a rule that cannot apply.
fn is_valid(validator: &Validator, policy: &cedar_policy::Policy) -> bool {
    PolicySet::from_policies([policy.clone()]).is_ok_and(|set| {
        validator
            .validate(&set, ValidationMode::Strict)
            .validation_passed_without_warnings()
    })
}

fn changes(rule: &Value, groups: &Groups) -> Vec<Change> {
    let mut found = in_conditions(rule);
    for part in ["principal", "action", "resource"] {
        if let Some(scope) = rule.get(part) {
            let scopes = widened(part, scope, groups).into_iter().chain(groups.swaps(scope));
            found.extend(scopes.map(|(scope, what)| (with(rule, part, scope), what)));
        }
    }
    if let Some(conditions) = rule.get("conditions") {
        let swaps = groups.swaps(conditions).into_iter();
        found.extend(swaps.map(|(changed, what)| (with(rule, "conditions", changed), what)));
    }
    found
}

fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut changed = object.clone();
    if let Some(place) = changed.get_mut(key) {
        *place = value;
    }
    changed
}

fn in_conditions(rule: &Value) -> Vec<Change> {
    let clauses: Vec<Value> = clauses(rule).cloned().collect();
    let mut found = Vec::new();
    for (place, clause) in clauses.iter().enumerate() {
        let Some(body) = clause.get("body") else { continue };
        let word = if is_unless(clause) { "unless" } else { "when" };
        let mut changed = |clauses: Vec<Value>, what: String| {
            found.push((with(rule, "conditions", Value::Array(clauses)), what));
        };
        let mut fewer = clauses.clone();
        fewer.remove(place);
        changed(fewer, format!("`{word} {{ {} }}` is dropped", shown(body)));
        for (body, what) in within(body) {
            let mut others = clauses.clone();
            if let Some(clause) = others.get_mut(place) {
                *clause = with(clause, "body", body);
            }
            changed(others, what);
        }
    }
    found
}

/// An expression with one of its conditions dropped or turned round.
fn within(expression: &Value) -> Vec<Change> {
    for operator in ["&&", "||"] {
        let Some((left, right)) = sides(expression, operator) else {
            continue;
        };
        let mut found = vec![
            (right.clone(), format!("`{}` is dropped", shown(left))),
            (left.clone(), format!("`{}` is dropped", shown(right))),
        ];
        let rebuilt = |left: &Value, right: &Value| json!({ operator: { "left": left, "right": right } });
        found.extend(
            within(left)
                .into_iter()
                .map(|(left, what)| (rebuilt(&left, right), what)),
        );
        found.extend(
            within(right)
                .into_iter()
                .map(|(right, what)| (rebuilt(left, &right), what)),
        );
        return found;
    }
    if let Some(inner) = expression.pointer("/!/arg") {
        return vec![(inner.clone(), format!("`{}` is turned round", shown(expression)))];
    }
    let turned = json!({ "!": { "arg": expression } });
    vec![(turned, format!("`{}` is turned round", shown(expression)))]
}

fn shown(expression: &Value) -> String {
    text_of(expression).unwrap_or_else(|| expression.to_string())
}

/// A scope that is wider: it names nothing, or for activities, all of them.
fn widened(part: &str, scope: &Value, groups: &Groups) -> Option<Change> {
    if scope.get("op").and_then(Value::as_str) == Some("All") {
        return None;
    }
    let all = json!({ "op": "All" });
    if part != "action" {
        return Some((all, format!("the {part} may be any")));
    }
    let named = scope.get("entity").into_iter().chain(list(scope));
    let names: Vec<&str> = named.filter_map(|one| one.get("id")?.as_str()).collect();
    let activities = names.iter().all(|name| groups.is_activity(name));
    if activities && names != ["activity"] {
        let every = json!({ "op": "in", "entity": { "type": "Action", "id": "activity" } });
        return Some((every, "the action may be any activity".to_owned()));
    }
    Some((all, "the action may be any".to_owned()))
}

fn list(scope: &Value) -> impl Iterator<Item = &Value> {
    scope.get("entities").and_then(Value::as_array).into_iter().flatten()
}

/// The groups that rules can name, by type.
struct Groups {
    roles: Vec<String>,
    departments: Vec<String>,
    categories: Vec<String>,
    actions: Vec<String>,
    activities: BTreeSet<String>,
}

impl Groups {
    fn new(policy: &Policy, world: &World) -> Self {
        let words = policy.vocabulary();
        let of_activities: BTreeSet<&String> = words.activities().values().flatten().collect();
        let actions = of_activities.into_iter().filter(|group| *group != "activity");
        let actions: Vec<String> = actions.cloned().collect();
        let activities = words.activities().keys().map(|activity| activity.as_str().to_owned());
        Self {
            activities: activities
                .chain(words.groups().iter().cloned())
                .chain(actions.clone())
                .collect(),
            roles: world.roles.iter().cloned().collect(),
            departments: world.departments.iter().cloned().collect(),
            categories: world
                .categories
                .iter()
                .map(|(id, _)| Category::as_str(id).to_owned())
                .collect(),
            actions,
        }
    }

    fn is_activity(&self, name: &str) -> bool {
        name == "activity" || self.activities.contains(name)
    }

    /// The next group of the same kind, in alphabetical order, that does not stand in `beside` yet.
    fn other(&self, kind: &str, name: &str, beside: &str) -> Option<&str> {
        let known = match kind {
            "Role" => &self.roles,
            "Department" => &self.departments,
            "Category" => &self.categories,
            "Action" => &self.actions,
            _ => return None,
        };
        let place = known.iter().position(|one| one == name)?;
        let after = known.iter().cycle().skip(place + 1).take(known.len().saturating_sub(1));
        let mut free = after.filter(|one| !beside.contains(&format!("\"{one}\"")));
        free.next().map(String::as_str)
    }

    /// The expression or scope with one group taken for another.
    fn swaps(&self, whole: &Value) -> Vec<Change> {
        let mut places = Vec::new();
        entities(whole, String::new(), &mut places);
        let text = whole.to_string();
        let swap = |pointer: &String| {
            let entity = whole.pointer(pointer)?;
            let (kind, name) = (entity.get("type")?.as_str()?, entity.get("id")?.as_str()?);
            let other = self.other(kind, name, &text)?;
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer)?.get_mut("id")? = other.into();
            let what = format!("`{kind}::\"{name}\"` is taken for `{kind}::\"{other}\"`");
            Some((changed, what))
        };
        places.iter().filter_map(swap).collect()
    }
}

/// Where entities are named.
fn entities(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let is_entity = members.len() == 2 && members.contains_key("type") && members.contains_key("id");
            for (key, inner) in members.iter().filter(|_| !is_entity) {
                entities(
                    inner,
                    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
            if is_entity {
                found.push(at);
            }
        }
        Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                entities(inner, format!("{at}/{place}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
