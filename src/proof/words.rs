//! A counterexample in plain words, and as a case that can be kept: only what the request reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cedar_policy::{Entity, EvalResult};

use super::claim::Example;
use super::value::{flatten, named, plain, weekday};
use crate::clock::Timestamp;
use crate::facts::{Host, PlatformId};
use crate::rulebook::Assembled;

/// What a counterexample says, sorted by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The action.
    pub action: String,
    /// Roles, as the solver chose them.
    pub roles: BTreeSet<String>,
    /// Departments.
    pub departments: BTreeSet<String>,
    /// How the person is engaged.
    pub employment: String,
    /// Course -> valid until.
    pub training: BTreeMap<String, String>,
    /// The platforms and categories of the host.
    pub platforms: BTreeSet<String>,
    /// The same for categories.
    pub categories: BTreeSet<String>,
    /// Attributes of the host or of the declaration, and of the context, in their order.
    pub facts: Vec<(String, String)>,
}

impl Told {
    /// Reads an example.
    pub fn of(example: &Example) -> Self {
        let mut told = Self::default();
        let request = &example.request;
        if let Some(action) = request.action() {
            action.id().unescaped().clone_into(&mut told.action);
        }
        let mut facts = Vec::new();
        if let Some(uid) = request.principal() {
            told.units(example, uid);
            if let Some(person) = example.entities.get(uid) {
                told.person(person);
            }
        }
        if let Some(uid) = request.resource() {
            told.units(example, uid);
            if let Some(thing) = example.entities.get(uid) {
                let mut attributes: Vec<_> = thing.attrs().collect();
                attributes.sort_by_key(|(name, _)| (*name).to_owned());
                for (name, value) in attributes {
                    if let Ok(value) = value {
                        flatten(&format!("resource.{name}"), &value, request, &mut facts);
                    }
                }
            }
        }
        for key in ["purpose", "client", "proof", "local", "now", "request", "channel"] {
            if let Some(value) = request.context().and_then(|context| context.get(key)) {
                flatten(key, &value, request, &mut facts);
            }
        }
        told.facts = facts;
        told
    }

    fn units(&mut self, example: &Example, uid: &cedar_policy::EntityUid) {
        for above in example.entities.ancestors(uid).into_iter().flatten() {
            let name = named(above.id().unescaped());
            let shelf = match above.type_name().basename() {
                "Role" => &mut self.roles,
                "Department" => &mut self.departments,
                "Platform" => &mut self.platforms,
                "Category" => &mut self.categories,
                _ => continue,
            };
            shelf.insert(name);
        }
    }

    fn person(&mut self, person: &Entity) {
        if let Some(Ok(EvalResult::EntityUid(kind))) = person.attr("employment") {
            kind.id().unescaped().clone_into(&mut self.employment);
        }
        for (course, until) in person.tags() {
            if let Ok(until) = until {
                self.training.insert(course.to_owned(), plain(&until));
            }
        }
    }

    /// The fact called `name`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        let found = self.facts.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// When it happens.
    pub fn at(&self) -> Timestamp {
        let millis = self.fact("now").and_then(|text| text.parse::<Timestamp>().ok());
        millis.unwrap_or(Timestamp::from_millis(0))
    }

    /// In plain words, a line for each thing.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let join = |set: &BTreeSet<String>| set.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        let mut who = format!("somebody engaged as {}", self.employment);
        for (kind, set) in [("role", &self.roles), ("department", &self.departments)] {
            let many = if set.len() == 1 { "" } else { "s" };
            if !set.is_empty() {
                let _ = write!(who, ", {kind}{many} {}", join(set));
            }
        }
        if self.roles.is_empty() && self.departments.is_empty() {
            who.push_str(", of no role and no department");
        }
        for (course, until) in &self.training {
            let _ = write!(who, ", trained in `{course}` until {until}");
        }
        lines.push(format!("who    {who}"));
        lines.push(format!("does   {}", self.action));
        if self.fact("resource.classified").is_some() {
            let place = match (self.platforms.is_empty(), self.categories.is_empty()) {
                (true, true) if self.fact("resource.classified") == Some("true") => {
                    "a host of the catalogue".to_owned()
                }
                (true, true) => "a host outside the catalogue".to_owned(),
                (true, false) => format!("a host in {}", join(&self.categories)),
                (false, true) => format!("a host of {}", join(&self.platforms)),
                (false, false) => format!("a host of {} in {}", join(&self.platforms), join(&self.categories)),
            };
            lines.push(format!("where  {place}"));
        }
        lines.extend(self.purpose());
        let shown = |key: &str| {
            key.starts_with("resource.") && !matches!(key, "resource.classified" | "resource.host" | "resource.serves")
        };
        for (key, value) in self.facts.iter().filter(|(key, _)| shown(key)) {
            lines.push(format!("about  {} = {value}", key.trim_start_matches("resource.")));
        }
        let when = self.fact("now").unwrap_or("any time");
        let local = match (self.fact("local.weekday"), self.fact("local.time")) {
            (Some(day), Some(time)) => format!(" ({}, {time} on their clock)", weekday(day)),
            _ => String::new(),
        };
        lines.push(format!("when   {when}{local}"));
        let from = self.fact("client.network").unwrap_or_default();
        let proof = self.fact("proof.method").unwrap_or_default();
        let from = if from.is_empty() { "an unnamed" } else { from };
        lines.push(format!(
            "from   {from} network, identified by {}",
            if proof.is_empty() { "an unnamed method" } else { proof }
        ));
        lines
    }

    fn purpose(&self) -> Vec<String> {
        let Some(kind) = self.fact("purpose.kind") else {
            return Vec::new();
        };
        let mut said = format!("for    `{kind}`");
        let of = |key: &str| self.fact(key).filter(|value| !value.is_empty());
        match of("purpose.covers") {
            Some(covers) => {
                let _ = write!(said, ", covering {covers}");
            }
            None => said.push_str(", covering nothing"),
        }
        match of("purpose.platforms") {
            Some(platforms) => {
                let _ = write!(said, ", on {platforms}");
            }
            None => said.push_str(", on no platform"),
        }
        match self.fact("purpose.approvedBy") {
            Some(who) => {
                let _ = write!(said, ", approved by {who}");
            }
            None => said.push_str(", approved by nobody"),
        }
        vec![said]
    }

    /// A person and a case that show the same to the gateway, if there are such: `people/` and `cases/` files.
    pub fn as_case(&self, it: &str, outcome: &str, assembled: &Assembled) -> Option<(String, String)> {
        let host = self.host(assembled)?;
        let quoted = |set: &BTreeSet<String>| {
            set.iter()
                .map(|one| format!("\"{one}\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let known = |set: &BTreeSet<String>, of: &BTreeSet<String>| {
            set.iter()
                .filter(|one| of.contains(*one))
                .cloned()
                .collect::<BTreeSet<String>>()
        };
        let roles = known(&self.roles, assembled.directory.roles());
        let departments = known(&self.departments, assembled.directory.departments());
        let mut person = format!(
            "[[person]]\nid = \"somebody\"\nname = \"Somebody\"\nroles = [{}]\n",
            quoted(&roles)
        );
        let department = departments.into_iter().next().or_else(|| {
            // nobody is without one: one that is part of no other says least
            let above = assembled.directory.departments_above();
            above
                .iter()
                .find(|(_, above)| above.len() == 1)
                .map(|(name, _)| name.clone())
        })?;
        let _ = write!(
            person,
            "department = \"{department}\"\nemployment = \"{}\"\nregion = \"eu-west\"\ntime-zone = \"UTC\"\n",
            self.employment
        );
        let courses: Vec<String> = self
            .training
            .iter()
            .filter(|(course, _)| !course.is_empty())
            .map(|(course, until)| format!("{course} = {until}"))
            .collect();
        if !courses.is_empty() {
            let _ = writeln!(person, "training = {{ {} }}", courses.join(", "));
        }
        let mut case = format!("[[case]]\nit = \"{it}\"\nwho = \"somebody\"\n");
        if matches!(self.action.as_str(), "connect" | "inspect") {
            let _ = writeln!(case, "to = \"{host}:443\"");
        } else {
            let _ = writeln!(case, "to = \"https://{host}/\"\ndoes = \"{}\"", self.action);
        }
        self.grant(&host, assembled, &mut case);
        let network = self.fact("client.network").unwrap_or_default();
        let _ = writeln!(case, "network = \"{network}\"\nat = {}", self.at());
        if self.fact("proof.method") == Some("certificate") {
            case.push_str("proof = \"certificate\"\n");
        }
        if self.action == "inspect" {
            let _ = writeln!(case, "outcome = \"allow\"\ninspect = {}", outcome == "allow");
        } else {
            let _ = writeln!(case, "outcome = \"{outcome}\"");
        }
        Some((person, case))
    }

    fn grant(&self, host: &Host, assembled: &Assembled, case: &mut String) {
        let Some(kind) = self.fact("purpose.kind") else { return };
        let _ = writeln!(case, "purpose = \"{kind}\"");
        let words = |key: &str| {
            self.fact(key)
                .unwrap_or_default()
                .split(", ")
                .filter(|one| !one.is_empty())
                .map(|one| format!("\"{}\"", one.trim_matches('`')))
                .collect::<Vec<_>>()
        };
        let _ = writeln!(case, "covers = [{}]", words("purpose.covers").join(", "));
        let own = assembled.rulebook.catalog().place(host).platform;
        let granted = words("purpose.platforms");
        let covers_own = self
            .platforms
            .iter()
            .any(|platform| granted.contains(&format!("\"{platform}\"")));
        let platforms: Vec<String> = own
            .filter(|_| covers_own)
            .iter()
            .map(|own| format!("\"{own}\""))
            .collect();
        let _ = writeln!(case, "platforms = [{}]", platforms.join(", "));
        if let Some(who) = self.fact("purpose.approvedBy") {
            let who = if who == "themselves" {
                "somebody"
            } else {
                "somebody-else"
            };
            let _ = writeln!(case, "approved-by = \"{who}\"");
        }
    }

    /// A host of the catalogue that is in everything that the example's host is in.
    fn host(&self, assembled: &Assembled) -> Option<Host> {
        let catalog = assembled.rulebook.catalog();
        let tree = catalog.categories();
        let wanted = |categories: &BTreeSet<crate::facts::Category>| {
            let known = tree.ids().filter(|id| self.categories.contains(id.as_str()));
            known.collect::<Vec<_>>().iter().all(|id| categories.contains(*id))
        };
        let fits = |host: &Host| {
            let place = catalog.place(host);
            let named: Vec<&String> = self
                .platforms
                .iter()
                .filter(|id| catalog.platform(&PlatformId::new(id.as_str())).is_some())
                .collect();
            let platform = named.is_empty()
                || place
                    .platform
                    .is_some_and(|own| named.iter().any(|id| id.as_str() == own.as_str()));
            platform && wanted(&place.categories)
        };
        if self.fact("resource.classified")? == "false" {
            return Host::parse("host.example").ok();
        }
        catalog.domains().into_iter().find(fits)
    }
}
