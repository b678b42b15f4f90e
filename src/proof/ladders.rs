//! What catalogue and directory say of what is part of what, as conditions for a solver.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityId, EntityUid};

use crate::catalog::Catalog;
use crate::rulebook::Directory;

/// Names of one kind, each with all that it is part of.
pub(super) type Ladders = BTreeMap<EntityUid, BTreeSet<EntityUid>>;

/// Something that is true of names, to be told to the solver where all of them occur.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) names: Vec<EntityUid>,
    pub(super) condition: String,
}

/// What rules call something of this kind.
pub(super) fn called(kind: &str, name: &str) -> Option<EntityUid> {
    let kind = kind.parse().ok()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(name)))
}

/// What catalogue and directory say of what is part of what.
pub(super) fn ladders(catalog: &Catalog, people: &Directory) -> Ladders {
    let mut ladders = Ladders::new();
    let mut add = |kind: &str, name: &str, above: Vec<(&str, String)>| {
        if let Some(own) = called(kind, name) {
            let above = above.iter().filter_map(|(kind, name)| called(kind, name));
            let above = above.filter(|other| *other != own).collect();
            ladders.insert(own, above);
        }
    };
    let tree = catalog.categories();
    let within = |category| {
        tree.closure(category)
            .into_iter()
            .map(|one| ("Category", one.as_str().to_owned()))
            .collect()
    };
    for category in tree.ids() {
        add("Category", category.as_str(), within(category));
    }
    for platform in catalog.platforms() {
        add("Platform", platform.id.as_str(), within(&platform.category));
    }
    for (kind, units) in [
        ("Role", people.roles_above()),
        ("Department", people.departments_above()),
    ] {
        for (unit, above) in units {
            add(kind, unit, above.iter().map(|one| (kind, one.clone())).collect());
        }
    }
    ladders
}

/// The same as conditions, for the names that somebody uses: what is in the lower is in the higher; and a host that is in
/// anything is classified.
pub(super) fn known(ladders: &Ladders, named: &BTreeSet<EntityUid>) -> Vec<Known> {
    let mut known = Vec::new();
    for (low, above) in ladders.iter().filter(|(low, _)| named.contains(*low)) {
        let (slot, kind) = match low.type_name().basename() {
            "Role" | "Department" => ("principal", "User"),
            _ => ("resource", "Site"),
        };
        if kind == "Site" {
            known.push(Known {
                names: vec![low.clone()],
                condition: format!("if resource is Site && resource in {low} then resource.classified else true"),
            });
        }
        for high in above.iter().filter(|high| named.contains(*high)) {
            known.push(Known {
                names: vec![low.clone(), high.clone()],
                condition: format!("if {slot} is {kind} && {slot} in {low} then {slot} in {high} else true"),
            });
        }
    }
    known
}
