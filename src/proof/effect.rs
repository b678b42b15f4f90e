//! What a request is about, in few words: who may do what, where, what for. Several requests are about the same, and what
//! is true of one of them need not be true of the others.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid, Policy, PolicyId};
use serde_json::Value;

use super::cause::names;
use super::value::weekday;
use super::{Example, Theory, Told};

/// Who, where, what for and when, as far as it is out of the ordinary; everybody and everything that fits is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Roles and departments, without those that follow from others.
    who: BTreeSet<EntityUid>,
    /// How they are engaged, unless as employees.
    employment: Option<String>,
    /// Platforms and categories, without those that follow from others.
    places: BTreeSet<EntityUid>,
    /// Whether the host is outside the catalogue.
    is_unclassified: bool,
    /// The purpose that is stated.
    purpose: Option<String>,
    /// From where, unless from the office.
    network: Option<String>,
    /// When, unless in the morning of a working day.
    when: Option<String>,
}

impl Scope {
    /// What an example is about.
    pub fn of(example: &Example, theory: &Theory) -> Self {
        let request = &example.request;
        let above = |uid: Option<&EntityUid>| -> BTreeSet<EntityUid> {
            let above = uid
                .and_then(|uid| example.entities.ancestors(uid))
                .into_iter()
                .flatten();
            above.filter(|one| !one.id().unescaped().is_empty()).cloned().collect()
        };
        let told = Told::of(example);
        let unless = |key: &str, usual: &str| {
            let said = told.fact(key).filter(|said| *said != usual && !said.is_empty());
            said.map(str::to_owned)
        };
        let clock = (told.fact("local.weekday"), told.fact("local.time"));
        let when = match clock {
            (Some("2"), Some("10:00")) | (None, _) | (_, None) => None,
            (Some(day), Some(time)) => Some(format!("{} at {time}", weekday(day))),
        };
        Self {
            who: theory.lowest(above(request.principal())),
            employment: Some(told.employment.clone()).filter(|kind| kind != "employee" && !kind.is_empty()),
            places: theory.lowest(above(request.resource())),
            is_unclassified: told.fact("resource.classified") == Some("false"),
            purpose: told.fact("purpose.kind").map(str::to_owned),
            network: unless("client.network", "office"),
            when,
        }
    }

    /// Forbids the requests that are about this, so that one about something else is looked for.
    pub fn excluded(&self, number: usize) -> Option<Policy> {
        let who = self.who.iter().map(|uid| format!("principal in {uid}"));
        let places = self.places.iter().map(|uid| format!("resource in {uid}"));
        let employment = self.employment.iter();
        let employment = employment.map(|kind| format!("principal.employment == Employment::{kind:?}"));
        let purpose = self.purpose.iter();
        let purpose =
            purpose.map(|kind| format!("(context has purpose && context.purpose.kind == PurposeKind::{kind:?})"));
        let network = self.network.iter();
        let network = network.map(|name| format!("context.client.network == {name:?}"));
        let outside = self.is_unclassified.then(|| "!resource.classified".to_owned());
        let all: Vec<String> = who
            .chain(places)
            .chain(employment)
            .chain(purpose)
            .chain(network)
            .chain(outside)
            .collect();
        let all = if all.is_empty() {
            "true".to_owned()
        } else {
            all.join(" && ")
        };
        let text = format!("forbid (principal, action, resource) when {{ {all} }};");
        Policy::parse(Some(PolicyId::new(format!("the {number}. found"))), text).ok()
    }

    /// Whether a condition that holds, or does not, follows from this.
    pub(super) fn says(&self, body: &Value, holds: bool) -> bool {
        let is_place = body.get("in").is_some();
        names(body).iter().all(|name| match name.as_str() {
            "action" => true,
            "principal" | "resource" => is_place && holds,
            "context.purpose" => self.purpose.is_some() && holds,
            "context.purpose.kind" => self.purpose.is_some(),
            "resource.classified" => self.is_unclassified || !self.places.is_empty(),
            "principal.employment" => self.employment.is_some(),
            "context.client.network" => self.network.is_some(),
            _ => false,
        })
    }

    /// In words, each part by itself.
    pub(super) fn parts(&self) -> Parts {
        let named = |uids: &BTreeSet<EntityUid>, kind: &str| -> Vec<String> {
            let of = uids.iter().filter(|uid| uid.type_name().basename() == kind);
            of.map(|uid| format!("`{}`", uid.id().unescaped())).collect()
        };
        let mut who = Vec::new();
        for (kind, word) in [("Department", "in department"), ("Role", "with role")] {
            let units = named(&self.who, kind);
            let many = if units.len() > 1 { "s" } else { "" };
            if !units.is_empty() {
                who.push(format!("{word}{many} {}", listed(&units, "and")));
            }
        }
        who.extend(self.employment.iter().map(|kind| format!("engaged as {kind}")));
        let places = [named(&self.places, "Platform"), named(&self.places, "Category")].concat();
        Parts {
            who: who.join(", "),
            place: match (places.is_empty(), self.is_unclassified) {
                (false, _) => format!("on {}", listed(&places, "and")),
                (true, true) => "outside the catalogue".to_owned(),
                (true, false) => String::new(),
            },
            purpose: self.purpose.iter().map(|purpose| format!("`{purpose}`")).collect(),
            network: self.network.clone(),
            when: self.when.clone(),
        }
    }
}

/// What a scope says, in words; what it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) who: String,
    pub(super) place: String,
    pub(super) purpose: String,
    pub(super) network: Option<String>,
    pub(super) when: Option<String>,
}

/// `a, b and c`
pub(super) fn listed(words: &[String], joint: &str) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {joint} {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
