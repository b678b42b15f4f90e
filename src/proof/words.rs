//! A counterexample in plain words, and as a case that can be kept: only what the request reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cedar_policy::{Entity, EvalResult};

use super::case::span;
use super::claim::Example;
use super::value::{ANOTHER, flatten, named, plain, weekday};
use crate::clock::Timestamp;
use crate::facts::{Host, PolicyId, SubjectId};
use crate::policy::{Answer, Policy, RuleSet};
use crate::rulebook::Directory;

/// The fact for how long a token is to be good.
const LASTS: &str = "lasts";
/// The fact for whom somebody answers.
pub(super) const BEHALF: &str = "behalfOf";
/// Where that is the one who declared.
pub(super) const THE_DECLARER: &str = "the declarer";

/// What a counterexample says, sorted by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The action.
    pub action: String,
    /// Whom of the directory it is about, where rules know them by name.
    pub who: Option<SubjectId>,
    /// Roles, as the solver chose them.
    pub roles: BTreeSet<String>,
    /// Departments.
    pub departments: BTreeSet<String>,
    /// How the person is engaged.
    pub employment: String,
    /// Course -> valid until.
    pub training: BTreeMap<String, String>,
    /// What the host is called, if it is called anything.
    pub host: String,
    /// The platforms and categories of the host.
    pub platforms: BTreeSet<String>,
    /// The same for categories.
    pub categories: BTreeSet<String>,
    /// Attributes of the host or of the declaration, and of the context, in their order.
    pub facts: Vec<(String, String)>,
}

/// A fact as rules spell it.
pub(super) fn full_name(key: &str) -> String {
    match key.split_once('.') {
        Some(("principal" | "resource", _)) => key.to_owned(),
        _ => format!("context.{key}"),
    }
}

impl Example {
    /// The rules that decide about it, be it by continuing.
    pub fn decided_by(&self, policy: &Policy) -> BTreeSet<PolicyId> {
        if self.is_unread() {
            let both = ["connect", "inspect"].map(|action| self.asking(action).decided_by(policy));
            return both.into_iter().flatten().collect();
        }
        let at = Told::of(self).at();
        let sets = [RuleSet::Continued, RuleSet::InEffect];
        let answers = sets.map(|set| policy.answer(set, &self.request, &self.entities, at));
        answers.iter().flat_map(Answer::policies).cloned().collect()
    }

    /// Whether the engine lets it pass at all, be it by continuing; and in words, what the engine says to it.
    pub fn put_to(&self, policy: &Policy) -> (bool, String) {
        let at = Told::of(self).at();
        if self.is_unread() {
            let (is_reached, reached) = self.asking("connect").put_to(policy);
            let asked = self.asking("inspect");
            // nothing is read because somebody continued
            let read = policy.answer(RuleSet::InEffect, &asked.request, &asked.entities, at);
            let told = format!(
                "reaching the host is {reached}; reading it is {}",
                read.beside(&read, policy)
            );
            return (is_reached && !read.allowed, told);
        }
        let answer = |set| policy.answer(set, &self.request, &self.entities, at);
        let (passes, in_effect) = (answer(RuleSet::Continued), answer(RuleSet::InEffect));
        (passes.allowed, passes.beside(&in_effect, policy))
    }
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
            uid.id().unescaped().clone_into(&mut told.host);
        }
        for (slot, uid) in [("principal", request.principal()), ("resource", request.resource())] {
            let entity = uid.and_then(|uid| example.entities.get(uid));
            let mut attributes: Vec<_> = entity.into_iter().flat_map(Entity::attrs).collect();
            attributes.sort_by_key(|(name, _)| (*name).to_owned());
            for (name, value) in attributes {
                if let Ok(value) = value {
                    flatten(&format!("{slot}.{name}"), &value, request, &mut facts);
                }
            }
        }
        for key in [
            "purpose", "client", "proof", "local", "now", "request", "channel", LASTS, BEHALF,
        ] {
            if let Some(value) = request.context().and_then(|context| context.get(key)) {
                flatten(key, &value, request, &mut facts);
            }
        }
        // whether two whom nobody knows are one and the same is what hangs on it
        let declarer = request
            .resource()
            .and_then(|uid| example.entities.get(uid)?.attr("declarer")?.ok());
        let whom = request.context().and_then(|context| context.get(BEHALF));
        let is_declarer = whom.is_some() && whom == declarer;
        for (_, value) in facts
            .iter_mut()
            .filter(|(key, value)| is_declarer && key == BEHALF && value != "themselves")
        {
            THE_DECLARER.clone_into(value);
        }
        told.facts = facts;
        told
    }

    /// The same of an example about people of a directory, if it is about any of these.
    pub fn among(example: &Example, people: &Directory) -> Self {
        let called = example.request.principal().map(|uid| uid.id().unescaped());
        let who = called.and_then(|name| SubjectId::parse(name).ok());
        Self {
            who: who.filter(|who| people.person(who).is_some()),
            ..Self::of(example)
        }
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

    /// The host, where rules know it by its name.
    pub(super) fn named_host(&self) -> Option<Host> {
        Host::parse(&self.host).ok().filter(|_| self.host.contains('.'))
    }

    /// The names of all facts, as rules spell them.
    pub fn names(&self) -> BTreeSet<String> {
        self.facts.iter().map(|(key, _)| full_name(key)).collect()
    }

    /// The same without the purpose that it is under; none where there is none.
    pub fn without_purpose(&self) -> Option<Self> {
        let mut without = self.clone();
        without.facts.retain(|(key, _)| !key.starts_with("purpose."));
        (without.facts.len() < self.facts.len()).then_some(without)
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
        let somebody = self
            .who
            .as_ref()
            .map_or("somebody".to_owned(), |who| format!("`{who}`,"));
        let mut who = format!("{somebody} engaged as {}", self.employment);
        for (kind, set) in [("role", &self.roles), ("department", &self.departments)] {
            let many = if set.len() == 1 { "" } else { "s" };
            if !set.is_empty() {
                let _ = write!(who, ", {kind}{many} {}", join(set));
            }
        }
        if self.roles.is_empty() && self.departments.is_empty() && self.who.is_none() {
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
                (false, true) => format!("a host of {}", self.platform()),
                (false, false) => format!("a host of {} in {}", self.platform(), join(&self.categories)),
            };
            let named = self.named_host();
            let named = named.map(|host| format!("`{host}`, ")).unwrap_or_default();
            lines.push(format!("where  {named}{place}"));
        }
        lines.extend(self.purpose());
        lines.extend(self.about());
        if let Some(whom) = self.fact(BEHALF) {
            lines.push(format!("for    {whom}, as a delegate"));
        }
        if let Some(channel) = self.fact("channel").filter(|channel| !channel.is_empty()) {
            lines.push(format!("by     {channel}"));
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

    /// What it is about, beside where and what for.
    fn about(&self) -> Vec<String> {
        if let Some(lasts) = self.fact(LASTS) {
            // a token is about whoever makes it, which is said already
            return vec![format!("about  lasts = {}", span(lasts).as_deref().unwrap_or(lasts))];
        }
        let shown = |key: &str| {
            key.starts_with("resource.") && !matches!(key, "resource.classified" | "resource.host" | "resource.serves")
        };
        let about = self.facts.iter().filter(|(key, _)| shown(key));
        let about = about.map(|(key, value)| {
            let key = key.trim_start_matches("resource.");
            let length = Some(key).filter(|key| *key == "maxDuration").and_then(|_| span(value));
            format!("about  {key} = {}", length.as_ref().unwrap_or(value))
        });
        about.collect()
    }

    /// In one line, without the hour and the network that nearly all examples have in common ([`Told::USUAL`]); with the
    /// attributes among `read`.
    pub fn in_short(&self, read: &BTreeSet<String>) -> String {
        let facts = ["local.weekday", "local.time", "client.network", "proof.method"].map(|key| self.fact(key));
        let [weekday, time, network, method] = facts;
        let usual_time = (weekday, time) == (Some("2"), Some("10:00"));
        let usual_place = (network, method) == (Some("office"), Some("basic"));
        let lines = [self.lines(), self.lines_of(read)].concat();
        let told = lines.iter().filter_map(|line| {
            let (label, text) = line.split_once(' ')?;
            let text = text.trim_start();
            match label {
                "who" | "does" | "where" | "about" => Some(text.to_owned()),
                "when" if usual_time => None,
                "from" if usual_place => None,
                "when" => Some(format!("at {text}")),
                label => Some(format!("{label} {text}")),
            }
        });
        told.collect::<Vec<_>>().join("; ")
    }

    /// When and from where something happens unless it is said.
    pub const USUAL: &str = "on Tuesday at 10:00, from the office network, identified by basic";

    /// The attributes among `read` that [`Told::lines`] does not tell, a line each.
    pub fn lines_of(&self, read: &BTreeSet<String>) -> Vec<String> {
        let is_told = |key: &str| {
            let about = key.starts_with("resource.") && !matches!(key, "resource.host" | "resource.serves");
            let known = [
                "principal.employment",
                "client.network",
                "proof.method",
                "now",
                "channel",
                LASTS,
                BEHALF,
            ];
            let purpose = ["kind", "covers", "platforms", "approvedBy", "emergency"];
            let of_purpose = |name: &str| purpose.contains(&name);
            about
                || known.contains(&key)
                || key.starts_with("local.")
                || key.strip_prefix("purpose.").is_some_and(of_purpose)
        };
        let wanted = self.facts.iter().filter(|(key, _)| !is_told(key));
        let wanted = wanted.map(|(key, value)| (full_name(key), value));
        let wanted = wanted
            .filter(|(name, _)| read.contains(name))
            .map(|(name, value)| format!("with   {name} = {}", if value.is_empty() { "\"\"" } else { value }));
        let is_under = |above: &str, key: &str| key.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'));
        // what is asked for by `has`, of something that is there
        let lacks = |name: &&String| {
            let key = name.strip_prefix("context.").unwrap_or(name);
            let is_there = |(fact, _): &(String, String)| fact == key || is_under(key, fact);
            let above = key.rsplit_once('.').map(|(above, _)| above);
            let has_room = above.is_some_and(|above| self.facts.iter().any(|(fact, _)| is_under(above, fact)));
            has_room && !is_told(key) && !self.facts.iter().any(is_there)
        };
        let lacking = read.iter().filter(lacks).map(|name| format!("with   no {name}"));
        wanted.chain(lacking).collect()
    }

    /// The platform; the solver also makes one up.
    fn platform(&self) -> String {
        let named: Vec<String> = self
            .platforms
            .iter()
            .map(|one| match one.as_str() {
                ANOTHER => "some platform".to_owned(),
                one => format!("`{one}`"),
            })
            .collect();
        named.join(", ")
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
                let platforms = platforms.replace(&format!("`{ANOTHER}`"), "that platform");
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
        if self.fact("purpose.emergency") == Some("true") {
            said.push_str(", taken in an emergency");
        }
        vec![said]
    }
}
