//! The platforms of a purpose, to be chosen among: few at a glance; where there are many, all of them as one choice, those
//! that the person came for, and the others behind the names of their kinds.

use std::collections::{BTreeMap, BTreeSet};

use super::case::platform_name;
use super::intake::ALL;
use super::pages::stating::{All, Kind, Places, Spot};
use super::words::Words;
use crate::facts::{Category, PlatformId, PurposeId};
use crate::rulebook::Rulebook;

/// So many platforms stand side by side at most: more are told apart by their kinds.
const AT_A_GLANCE: usize = 8;

/// What a form says about the platforms of a purpose, and what is known of the person.
pub(super) struct Ticked<'f> {
    /// What the name of each platform's box begins with.
    pub(super) name: String,
    /// What is ticked.
    pub(super) chosen: BTreeSet<PlatformId>,
    /// Where they were lately: these are not hidden.
    pub(super) lately: BTreeSet<PlatformId>,
    /// For which purposes all are ticked.
    pub(super) all: &'f BTreeSet<String>,
}

/// The boxes for the platforms of a purpose.
pub(super) fn places(
    (rules, words): (&Rulebook, &Words),
    purpose: &PurposeId,
    among: &BTreeSet<PlatformId>,
    ticked: &Ticked<'_>,
) -> Places {
    let spot = |platform: &PlatformId| Spot {
        name: format!("{}{platform}", ticked.name),
        title: platform_name(rules, platform),
        chosen: ticked.chosen.contains(platform),
    };
    let is_many = among.len() > AT_A_GLANCE;
    let is_near = |id: &&PlatformId| !is_many || ticked.chosen.contains(*id) || ticked.lately.contains(*id);
    let (near, far): (Vec<&PlatformId>, Vec<&PlatformId>) = among.iter().partition(is_near);
    let mut kinds: BTreeMap<Option<&Category>, Vec<Spot>> = BTreeMap::new();
    for id in far {
        let kind = rules.catalog().platform(id).map(|platform| &platform.category);
        kinds.entry(kind).or_default().push(spot(id));
    }
    let kinds = kinds.into_iter().map(|(kind, spots)| {
        let title = kind.map(|kind| title_of((rules, words), kind));
        Kind {
            title: (words.stating.kind)(title.as_deref(), spots.len()),
            spots: by_title(spots),
        }
    });
    let mut kinds: Vec<Kind> = kinds.collect();
    kinds.sort_by_key(|kind| kind.title.to_lowercase());
    Places {
        all: is_many.then(|| All {
            name: format!("{ALL}{purpose}"),
            label: (words.stating.all)(among.len()),
            chosen: ticked.all.contains(purpose.as_str()),
        }),
        near: by_title(near.into_iter().map(spot).collect()),
        kinds,
    }
}

/// What people call platforms; where there are many, those of a kind that are all there by the name of their kind.
pub(super) fn called((rules, words): (&Rulebook, &Words), platforms: &BTreeSet<PlatformId>) -> Vec<String> {
    let name = |id: &PlatformId| platform_name(rules, id);
    if platforms.len() <= AT_A_GLANCE {
        return platforms.iter().map(name).collect();
    }
    let kind_of = |id: &PlatformId| Some(&rules.catalog().platform(id)?.category);
    let mut kinds: BTreeMap<&Category, BTreeSet<&PlatformId>> = BTreeMap::new();
    for platform in rules.catalog().platforms() {
        kinds.entry(&platform.category).or_default().insert(&platform.id);
    }
    let is_whole = |kind: &Category| {
        let all = kinds.get(kind);
        all.filter(|all| all.len() > 1 && all.iter().all(|id| platforms.contains(*id)))
    };
    let mut called = BTreeMap::new();
    for id in platforms {
        let whole = kind_of(id).and_then(|kind| Some((kind, is_whole(kind)?)));
        let name = match whole {
            Some((kind, all)) => (words.stating.kind)(Some(&title_of((rules, words), kind)), all.len()),
            None => name(id),
        };
        called.insert(name.to_lowercase(), name);
    }
    called.into_values().collect()
}

/// What people call a kind of platforms.
fn title_of((rules, words): (&Rulebook, &Words), kind: &Category) -> String {
    let title = rules.catalog().categories().title(kind);
    let title = title.map_or_else(|| kind.as_str(), |title| title.said_in(words.language));
    title.to_owned()
}

fn by_title(mut spots: Vec<Spot>) -> Vec<Spot> {
    spots.sort_by_key(|spot| spot.title.to_lowercase());
    spots
}
