//! The names that rules use. Cedar's validator knows types, but not who works here and which platforms there are: a
//! misspelt role, platform or category passes it, and the rule never matches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::World;
use super::apart::{self, clauses, sides};
use super::lint::Spot;
use super::rule::Written;
use super::schema::choices;
use crate::facts::fields::list;
use crate::facts::{Host, PolicyId, Problem, PurposeId, SourceText, did_you_mean};

/// What kind of thing a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKind {
    /// A role of the directory.
    Role,
    /// A department of the directory.
    Department,
    /// A platform of the catalogue.
    Platform,
    /// A category of the catalogue.
    Category,
    /// A purpose of the purpose catalogue.
    Purpose,
    /// A host.
    Site,
    /// A person of the directory.
    Person,
}

impl NamedKind {
    /// Those of which all names are listed somewhere.
    pub const LISTED: [Self; 6] = [
        Self::Role,
        Self::Department,
        Self::Platform,
        Self::Category,
        Self::Purpose,
        Self::Person,
    ];

    /// What entities of a type of the schema are.
    pub fn of(type_name: &str) -> Option<Self> {
        match type_name {
            "Role" => Some(Self::Role),
            "Department" => Some(Self::Department),
            "Platform" => Some(Self::Platform),
            "Category" => Some(Self::Category),
            "Purpose" | "PurposeKind" => Some(Self::Purpose),
            "Site" => Some(Self::Site),
            "User" => Some(Self::Person),
            _ => None,
        }
    }

    /// The word for it, and where such things are listed.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Role => ("role", "the directory in `people/`"),
            Self::Department => ("department", "the directory in `people/`"),
            Self::Platform => ("platform", "the catalogue in `catalog/`"),
            Self::Category => ("category", "the tree in `catalog/categories.toml`"),
            Self::Purpose => ("purpose", "`purposes.toml`"),
            Self::Site => ("host", "the catalogue in `catalog/`"),
            Self::Person => ("person", "the directory in `people/`"),
        }
    }
}

/// One name in one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What it is for.
    pub kind: NamedKind,
    /// The name.
    pub id: String,
    /// The rule that uses it.
    pub rule: PolicyId,
    /// The file.
    pub file: String,
    /// Where in the file: byte offset and length.
    pub span: (usize, usize),
}

/// The names in one rule, each once.
pub(super) fn read(source: &SourceText, written: &Written) -> Vec<Named> {
    let spot = Spot::new(source, &written.rule);
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    let mut hosts = Vec::new();
    // few rules do, and taking ten thousand apart for it would take a while
    if written.rule.text.contains(".host") {
        let json = apart::read(&written.cedar).unwrap_or_default();
        clauses(&json).for_each(|clause| compared_hosts(clause, &mut hosts));
    }
    named.extend(
        hosts
            .into_iter()
            .filter(|host| seen.insert(format!("{host:?}")))
            .map(|id| Named {
                kind: NamedKind::Site,
                rule: written.rule.id.clone(),
                file: source.name.clone(),
                span: spot.of(&format!("{id:?}")),
                id,
            }),
    );
    for uid in written.cedar.entity_literals() {
        let Some(kind) = NamedKind::of(uid.type_name().basename()) else {
            continue;
        };
        if seen.insert(uid.to_string()) {
            named.push(Named {
                kind,
                id: uid.id().unescaped().to_owned(),
                rule: written.rule.id.clone(),
                file: source.name.clone(),
                span: spot.of(&uid.to_string()),
            });
        }
    }
    named
}

/// The texts that an expression compares `resource.host` with.
fn compared_hosts(expression: &Value, found: &mut Vec<String>) {
    let is_host = |side: &Value| {
        side.pointer("/./attr").and_then(Value::as_str) == Some("host")
            && side.pointer("/./left/Var").and_then(Value::as_str) == Some("resource")
    };
    for operator in ["==", "!=", "contains"] {
        let Some((left, right)) = sides(expression, operator) else {
            continue;
        };
        for (side, other) in [(left, right), (right, left)] {
            let set = other.get("Set").and_then(Value::as_array).into_iter().flatten();
            let texts = set.chain([other]).filter_map(|one| one.get("Value")?.as_str());
            found.extend(texts.filter(|_| is_host(side)).map(str::to_owned));
        }
    }
    match expression {
        Value::Object(members) => members.values().for_each(|inner| compared_hosts(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| compared_hosts(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Reports every name that `world` does not know. A purpose that the schema lists, and `world` not, is no mistake of the
/// rule that names it.
pub(super) fn check(
    written: &[(&SourceText, Written)],
    named: &[Named],
    (world, listed): (&World, Option<&BTreeSet<PurposeId>>),
    problems: &mut Vec<Problem>,
) {
    let mut known = Known::new(world);
    known
        .purposes
        .extend(listed.into_iter().flatten().map(PurposeId::as_str));
    let sources: BTreeMap<&str, &SourceText> = written
        .iter()
        .map(|(source, _)| (source.name.as_str(), *source))
        .collect();
    for name in named {
        let (Some(source), false) = (sources.get(name.file.as_str()), known.has(name)) else {
            continue;
        };
        let (kind, place) = name.kind.words();
        let code = format!("wayleave::policy::unknown-{kind}");
        let problem = match name.kind {
            NamedKind::Site => Problem::error(&code, source, name.span, format!("`{}` is not a host", name.id))
                .with_help("write the host as the gateway does: lower case, punycode, without a dot at its end"),
            NamedKind::Role
            | NamedKind::Department
            | NamedKind::Platform
            | NamedKind::Category
            | NamedKind::Purpose
            | NamedKind::Person => {
                let help = match did_you_mean(&name.id, known.all(name.kind)) {
                    Some(meant) => format!("did you mean `{meant}`? they are listed in {place}"),
                    None => format!("{kind} names are listed in {place}"),
                };
                let message = format!(
                    "rule `{}` names the {kind} `{}`, which nobody knows",
                    name.rule, name.id
                );
                Problem::error(&code, source, name.span, message).with_help(help)
            }
        };
        problems.push(problem);
    }
}

/// Reports the names in one rule that the schema would have to list (`entity … enum [ … ]`) and does not, but for those of
/// which that is said already; whether there are any.
pub(super) fn unlisted(source: &SourceText, written: &Written, schema: &Value, problems: &mut Vec<Problem>) -> bool {
    let spot = Spot::new(source, &written.rule);
    let mut found = false;
    for uid in written.cedar.entity_literals() {
        let (kind, id) = (&uid.type_name().to_string(), uid.id().unescaped());
        let listed: Vec<String> = choices(schema, kind).collect();
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let span = spot.of(&uid.to_string());
        let is_said = |problem: &Problem| (problem.file.as_str(), problem.span) == (source.name.as_str(), span);
        if listed.is_empty() || listed.contains(&id) {
            continue;
        }
        found = true;
        if problems.iter().any(is_said) {
            continue;
        }
        let (what, name) = match NamedKind::of(kind) {
            Some(known) => (known.words().0, format!("the {} `{id}`", known.words().0)),
            None => ("value", format!("`{uid}`")),
        };
        let help = match did_you_mean(id, listed.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`? otherwise add it to `{kind}` in the schema"),
            None => format!(
                "add it to `{kind}` in the schema, which lists {}",
                list(listed.into_iter())
            ),
        };
        let code = format!("wayleave::policy::unknown-{what}");
        let message = format!(
            "rule `{}` names {name}, which the schema does not list",
            written.rule.id
        );
        problems.push(Problem::error(&code, source, span, message).with_help(help));
    }
    found
}

/// The names that there are.
struct Known<'a> {
    roles: BTreeSet<&'a str>,
    departments: BTreeSet<&'a str>,
    platforms: BTreeSet<&'a str>,
    categories: BTreeSet<&'a str>,
    purposes: BTreeSet<&'a str>,
    unread: &'a BTreeSet<NamedKind>,
}

impl<'a> Known<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            roles: world.roles.iter().map(String::as_str).collect(),
            departments: world.departments.iter().map(String::as_str).collect(),
            platforms: world.platforms.iter().map(|platform| platform.id.as_str()).collect(),
            categories: world.categories.iter().map(|(category, _)| category.as_str()).collect(),
            purposes: world.purposes.iter().map(PurposeId::as_str).collect(),
            unread: &world.unread,
        }
    }

    fn has(&self, name: &Named) -> bool {
        let id = name.id.as_str();
        if self.unread.contains(&name.kind) {
            return true;
        }
        match name.kind {
            NamedKind::Role => self.roles.contains(id),
            NamedKind::Department => self.departments.contains(id),
            NamedKind::Platform => self.platforms.contains(id),
            NamedKind::Category => self.categories.contains(id),
            NamedKind::Purpose => self.purposes.contains(id),
            NamedKind::Site => Host::parse(id).is_ok_and(|host| host.as_str() == id),
            // people come and go without the rules; `check` warns of those who are not there
            NamedKind::Person => true,
        }
    }

    fn all(&self, kind: NamedKind) -> Vec<&'a str> {
        let names = match kind {
            NamedKind::Role => &self.roles,
            NamedKind::Department => &self.departments,
            NamedKind::Platform => &self.platforms,
            NamedKind::Category => &self.categories,
            NamedKind::Purpose => &self.purposes,
            NamedKind::Site | NamedKind::Person => return Vec::new(),
        };
        names.iter().copied().collect()
    }
}
