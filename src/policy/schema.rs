//! The Cedar schema, read as a vocabulary: which activities, groups, purposes and kinds of employment there are.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entities, EntityUid, Schema, SchemaFragment};
use serde_json::Value;

use super::diagnose::problem;
use super::nesting::{Cedar, too_deep};
use super::question::Power;
use super::request::{ARCHIVE, BEFORE_A_REQUEST};
use super::unfolded;
use crate::facts::{Activity, Problem, PurposeId, SourceText};

/// The words that rules are written with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    pub(super) activities: BTreeMap<Activity, BTreeSet<String>>,
    pub(super) groups: BTreeSet<String>,
    pub(super) purposes: BTreeSet<PurposeId>,
    pub(super) employments: BTreeSet<String>,
}

impl Vocabulary {
    /// Every activity with the groups it is in (`post` -> `publish`).
    pub fn activities(&self) -> &BTreeMap<Activity, BTreeSet<String>> {
        &self.activities
    }

    /// The groups of activities: `read`, `engage`, `publish`, `administer`, …
    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }

    /// Whether this is no action that is asked about, but stands for several.
    pub(super) fn is_group(&self, name: &str) -> bool {
        name == ALL || self.groups.contains(name)
    }

    /// The purposes that rules may name; they must be those of the purpose catalogue.
    pub fn purposes(&self) -> &BTreeSet<PurposeId> {
        &self.purposes
    }

    /// The kinds of employment that rules may name.
    pub fn employments(&self) -> &BTreeSet<String> {
        &self.employments
    }

    /// Whether the gateway asks this of a flow or a grant: no request may be read as it, for then its permit would do.
    pub fn is_apart(name: &str) -> bool {
        BEFORE_A_REQUEST.contains(&name) || name == ARCHIVE || Power::ALL.iter().any(|power| power.as_str() == name)
    }

    /// Whether the schema knows an activity of this name.
    pub fn has_activity(&self, name: &str) -> bool {
        self.activities.contains_key(&Activity::new(name))
    }

    /// Whether the activity is in `group`.
    pub fn is_in(&self, activity: &Activity, group: &str) -> bool {
        self.activities
            .get(activity)
            .is_some_and(|groups| groups.contains(group))
    }

    /// The activities of `group`.
    pub fn members<'a>(&'a self, group: &str) -> impl Iterator<Item = &'a Activity> {
        let in_it = move |(_, groups): &(&Activity, &BTreeSet<String>)| groups.contains(group);
        self.activities.iter().filter(in_it).map(|(activity, _)| activity)
    }

    /// Whether the activity speaks to the public or acts for a page: its record is durable before the request
    /// leaves. An activity that the schema does not know is taken for one that does.
    pub fn publishes(&self, activity: &Activity) -> bool {
        match self.activities.get(activity) {
            Some(groups) => groups.contains("publish") || groups.contains("administer"),
            None => true,
        }
    }
}

/// A schema file, read.
#[derive(Debug)]
pub(super) struct Book {
    /// For Cedar.
    pub(super) schema: Schema,
    /// The same as JSON, where attributes can be listed.
    pub(super) json: Value,
    /// Which action is in which group.
    pub(super) actions: Entities,
    /// For us.
    pub(super) words: Vocabulary,
}

/// Reads a schema; warnings count as errors, since a schema is written once and read by everybody.
pub(super) fn read(source: &SourceText) -> Result<Book, Vec<Problem>> {
    const CODE: &str = "wayleave::schema::syntax";
    let found = |e: &dyn miette::Diagnostic| vec![problem(CODE, source, e, (0, 0))];
    if let Some(deep) = too_deep(&source.text, Cedar::Schema) {
        return Err(vec![deep.problem(CODE, source)]);
    }
    let (fragment, warnings) = SchemaFragment::from_cedarschema_str(&source.text).map_err(|e| found(&e))?;
    let warnings: Vec<Problem> = warnings.map(|e| problem(CODE, source, &e, (0, 0))).collect();
    if !warnings.is_empty() {
        return Err(warnings);
    }
    let json = fragment.clone().to_json_value().map_err(|e| found(&e))?;
    unfolded::check(&json, source).map_err(|problem| vec![problem])?;
    let schema = Schema::from_schema_fragments([fragment]).map_err(|e| found(&e))?;
    let actions = schema.action_entities().map_err(|e| found(&e))?;
    let words = Vocabulary {
        groups: groups(&schema),
        activities: activities(&schema, &actions),
        purposes: choices(&json, "PurposeKind").map(PurposeId::new).collect(),
        employments: choices(&json, "Employment").collect(),
    };
    let mut missing = Vec::new();
    for (what, is_missing, help) in [
        (
            "activities",
            words.activities.is_empty(),
            "list them as actions in the group `activity`",
        ),
        (
            "purposes",
            words.purposes.is_empty(),
            "write `entity PurposeKind enum [\"recruiting\", …];`",
        ),
        (
            "kinds of employment",
            words.employments.is_empty(),
            "write `entity Employment enum [\"employee\", …];`",
        ),
    ] {
        if is_missing {
            let message = format!("the schema names no {what}");
            missing.push(Problem::error("wayleave::schema::incomplete", source, (0, 0), message).with_help(help));
        }
    }
    if missing.is_empty() {
        Ok(Book {
            schema,
            json,
            actions,
            words,
        })
    } else {
        Err(missing)
    }
}

/// The group of all activities; it is not called a group itself, since it tells nothing.
const ALL: &str = "activity";

fn groups(schema: &Schema) -> BTreeSet<String> {
    let names = schema.action_groups().map(name_of);
    names.filter(|name| name != ALL).collect()
}

fn activities(schema: &Schema, actions: &Entities) -> BTreeMap<Activity, BTreeSet<String>> {
    let mut activities = BTreeMap::new();
    for action in schema.actions() {
        let above: BTreeSet<String> = actions.ancestors(action).into_iter().flatten().map(name_of).collect();
        let applies = schema
            .resources_for_action(action)
            .is_some_and(|mut kinds| kinds.next().is_some());
        if applies && above.contains(ALL) && !Vocabulary::is_apart(action.id().unescaped()) {
            let groups = above.into_iter().filter(|name| name != ALL).collect();
            activities.insert(Activity::new(name_of(action)), groups);
        }
    }
    activities
}

fn name_of(action: &EntityUid) -> String {
    action.id().unescaped().to_owned()
}

/// The names that the schema lists of a type of entities, `Color` or `N::Color`, where it lists them.
pub(super) fn choices(json: &Value, entity: &str) -> impl Iterator<Item = String> {
    let (namespace, entity) = entity.rsplit_once("::").unwrap_or(("", entity));
    let listed = json
        .pointer(&format!("/{namespace}/entityTypes/{entity}/enum"))
        .and_then(Value::as_array);
    listed
        .into_iter()
        .flatten()
        .filter_map(|choice| choice.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_flow_or_a_grant_is_no_activity_whatever_the_schema_says() {
        let text = include_str!("../../policies/wayleave.cedarschema");
        for action in ["connect", "inspect", "archive", "declare, approve, revoke"] {
            let text = text.replace(
                &format!("action {action} appliesTo"),
                &format!("action {action} in [activity] appliesTo"),
            );
            let Book { words, .. } = read(&SourceText::new("wayleave.cedarschema", text)).unwrap();
            assert!(words.has_activity("post"));
            for name in action.split(", ") {
                assert!(!words.has_activity(name), "{name}");
            }
        }
    }
}
