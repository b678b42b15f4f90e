//! What catalogue and directory say of who and what cannot be, as conditions for a solver: which platforms and categories
//! no host is in at once, and what is known of hosts and people that somebody names.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Schema};

use super::ladders::called;
use super::theory::is_understood;
use crate::facts::{Host, Place, SubjectId};
use crate::rulebook::{Directory, Rulebook};

/// What is known of hosts and people, as far as it depends on what else is named.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The categories that a host of each platform may be in.
    beside: BTreeMap<EntityUid, BTreeSet<EntityUid>>,
    /// Named hosts, with the platform and the categories that each is in.
    hosts: BTreeMap<EntityUid, BTreeSet<EntityUid>>,
    /// Named people of the directory, with their roles, departments, and how they are engaged.
    people: BTreeMap<EntityUid, (BTreeSet<EntityUid>, String)>,
}

impl Places {
    /// What is known of the platforms, and of the hosts and people among `named`; nothing where `schema` has no words for it.
    pub(super) fn new(rules: &Rulebook, directory: &Directory, named: &BTreeSet<EntityUid>, schema: &Schema) -> Self {
        let places = Self::of(rules, directory, named);
        let known = places.conditions(named);
        let are_understood = known.iter().all(|text| is_understood(text, schema));
        if are_understood { places } else { Self::default() }
    }

    fn of(rules: &Rulebook, directory: &Directory, named: &BTreeSet<EntityUid>) -> Self {
        let catalog = rules.catalog();
        let mut beside: BTreeMap<EntityUid, BTreeSet<EntityUid>> = BTreeMap::new();
        for place in catalog.places() {
            if let Some(platform) = place.platform.as_ref().and_then(|id| called("Platform", id.as_str())) {
                beside.entry(platform).or_default().extend(categories(&place));
            }
        }
        let of = |kind: &'static str| named.iter().filter(move |uid| uid.type_name().basename() == kind);
        let host = |uid: &EntityUid| {
            let host = Host::parse(uid.id().unescaped()).ok()?;
            // what a shared host is in hangs on the path, of which nothing is known here
            let place = (!catalog.is_shared(&host)).then(|| catalog.place(&host))?;
            let platform = place.platform.as_ref().and_then(|id| called("Platform", id.as_str()));
            Some((uid.clone(), platform.into_iter().chain(categories(&place)).collect()))
        };
        let person = |uid: &EntityUid| {
            let person = directory.person(&SubjectId::parse(uid.id().unescaped()).ok()?)?;
            let units = [("Role", &person.roles), ("Department", &person.departments)];
            let units = units
                .into_iter()
                .flat_map(|(kind, names)| names.iter().filter_map(move |name| called(kind, name)));
            Some((uid.clone(), (units.collect(), person.employment.as_str().to_owned())))
        };
        Self {
            beside,
            hosts: of("Site").filter_map(host).collect(),
            people: of("User").filter_map(person).collect(),
        }
    }

    /// All that is known of a name, as text.
    pub(super) fn told_of(&self, name: &EntityUid) -> String {
        let (platform, host, person) = (self.beside.get(name), self.hosts.get(name), self.people.get(name));
        format!("{platform:?} {host:?} {person:?}")
    }

    /// What a named host or person is in.
    pub(super) fn above(&self, name: &EntityUid) -> impl Iterator<Item = &EntityUid> {
        let person = self.people.get(name).map(|(units, _)| units);
        self.hosts.get(name).into_iter().chain(person).flatten()
    }

    /// What holds of requests about `named`.
    pub(super) fn conditions(&self, named: &BTreeSet<EntityUid>) -> Vec<String> {
        let of = |kinds: &[&str]| -> Vec<&EntityUid> {
            let is = |uid: &&EntityUid| kinds.contains(&uid.type_name().basename());
            named.iter().filter(is).collect()
        };
        let platforms = of(&["Platform"]);
        let mut found = Vec::new();
        for platform in &platforms {
            let beside = self.beside.get(*platform);
            let never = of(&["Category"]).into_iter();
            let never: Vec<_> = never
                .filter(|one| beside.is_some_and(|beside| !beside.contains(*one)))
                .collect();
            if !never.is_empty() {
                let never = within("resource", &never);
                found.push(format!(
                    "if resource is Site && resource in {platform} then !({never}) else true"
                ));
            }
        }
        one_at_most(&platforms, &mut found);
        self.of_hosts(named, &of(&["Platform", "Category"]), &mut found);
        self.of_people(named, &of(&["Role", "Department"]), &mut found);
        found
    }

    /// Hosts that are in the same are said in one breath.
    fn of_hosts(&self, named: &BTreeSet<EntityUid>, all: &[&EntityUid], found: &mut Vec<String>) {
        let mut alike: BTreeMap<&BTreeSet<EntityUid>, Vec<&EntityUid>> = BTreeMap::new();
        for (host, within) in self.hosts.iter().filter(|(host, _)| named.contains(*host)) {
            alike.entry(within).or_default().push(host);
        }
        for (own, hosts) in alike {
            let classified = if own.is_empty() {
                "!resource.classified"
            } else {
                "resource.classified"
            };
            let known = exactly("resource", own, all).into_iter().chain([classified.to_owned()]);
            found.push(format!(
                "if resource is Site && [{}].contains(resource) then {} else true",
                list(&hosts),
                known.collect::<Vec<_>>().join(" && ")
            ));
        }
    }

    fn of_people(&self, named: &BTreeSet<EntityUid>, all: &[&EntityUid], found: &mut Vec<String>) {
        for (person, (own, employment)) in self.people.iter().filter(|(person, _)| named.contains(*person)) {
            let engaged = format!("principal.employment == Employment::{employment:?}");
            let known = exactly("principal", own, all).into_iter().chain([engaged]);
            let known: Vec<String> = known.collect();
            found.push(format!(
                "if principal == {person} then {} else true",
                known.join(" && ")
            ));
        }
    }
}

fn categories(place: &Place) -> impl Iterator<Item = EntityUid> {
    place
        .categories
        .iter()
        .filter_map(|category| called("Category", category.as_str()))
}

/// That `slot` is in those of `all` that are its `own`, and in no other.
fn exactly(slot: &str, own: &BTreeSet<EntityUid>, all: &[&EntityUid]) -> Vec<String> {
    let (is, is_not): (Vec<&EntityUid>, Vec<&EntityUid>) = all.iter().partition(|uid| own.contains(**uid));
    let mut known: Vec<String> = is.iter().map(|uid| format!("{slot} in {uid}")).collect();
    if !is_not.is_empty() {
        known.push(format!("!({})", within(slot, &is_not)));
    }
    known
}

/// That `slot` is in one of these, which may be of several kinds.
fn within(slot: &str, uids: &[&EntityUid]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&EntityUid>> = BTreeMap::new();
    for uid in uids {
        kinds.entry(uid.type_name().basename()).or_default().push(uid);
    }
    let each: Vec<String> = kinds
        .values()
        .map(|uids| format!("{slot} in [{}]", list(uids)))
        .collect();
    each.join(" || ")
}

fn list(uids: &[&EntityUid]) -> String {
    let each: Vec<String> = uids.iter().map(ToString::to_string).collect();
    each.join(", ")
}

/// That no host is on two platforms: none of the one half and of the other, and so on in each half.
fn one_at_most(platforms: &[&EntityUid], found: &mut Vec<String>) {
    if platforms.len() < 2 {
        return;
    }
    let (one, other) = platforms.split_at(platforms.len() / 2);
    found.push(format!(
        "if resource is Site then !(resource in [{}] && resource in [{}]) else true",
        list(one),
        list(other)
    ));
    one_at_most(one, found);
    one_at_most(other, found);
}
