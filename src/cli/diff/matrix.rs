//! What the people of both directories may do under both rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use super::{Side, theories};
use crate::clock::Timestamp;
use crate::facts::{Activity, Arrival, Door, MethodName, NetworkName, PlatformId};
use crate::policy::Vocabulary;
use crate::proof;
use crate::rulebook::{Access, MatrixQuestion};

/// When everybody is asked for: a working day, and its lunch break, in most of Europe.
const MOMENTS: [&str; 2] = ["2026-11-24T09:30:00Z", "2026-11-24T11:30:00Z"];

/// What people may newly do, or no longer, in sentences.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) allowed: Vec<String>,
    pub(super) denied: Vec<String>,
}

/// Where somebody may do something, under which condition, and what.
type Doing = (String, String, String);

/// Where nothing that is done is told apart.
const UNREAD: (&str, &str) = ("", "do anything unread");
/// What needs nothing.
const FREE: &str = " without a purpose";
/// What needs a purpose, and more.
const APPROVED: &str = ", once approved";

/// Asks both rules about everybody whom both know, on a platform of each category, doing everything, for every purpose.
pub(super) fn moved(old: &Side, new: &Side) -> Moved {
    let mut allowed: BTreeMap<Doing, BTreeSet<String>> = BTreeMap::new();
    let mut denied = allowed.clone();
    let platforms = representatives(old, new);
    let classes = classes(old, new);
    let first = classes.iter().filter_map(BTreeSet::first);
    let activities: BTreeSet<Activity> = first.map(|name| Activity::new(name.clone())).collect();
    if activities.is_empty() {
        return Moved::default();
    }
    let asked = |side: &Side, who: &str, at| doings(side, who, &question(at, &platforms, &activities));
    for at in MOMENTS.iter().filter_map(|at| at.parse::<Timestamp>().ok()) {
        for person in new.assembled.directory.people() {
            let (before, after) = (asked(old, person.id.as_str(), at), asked(new, person.id.as_str(), at));
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            for (sink, more, less) in [(&mut allowed, &after, &before), (&mut denied, &before, &after)] {
                for doing in more.difference(less).filter(|doing| !is_open(doing, less)) {
                    sink.entry(doing.clone()).or_default().insert(person.id.to_string());
                }
            }
        }
    }
    Moved {
        allowed: sentences(allowed, &classes),
        denied: sentences(denied, &classes),
    }
}

/// One platform of each category; and each that a rule names, or that is in another category than it was.
fn representatives(old: &Side, new: &Side) -> BTreeSet<PlatformId> {
    let platforms = |side: &Side| -> BTreeMap<PlatformId, String> {
        let all = side.assembled.rulebook.catalog().platforms();
        all.map(|platform| (platform.id.clone(), platform.category.as_str().to_owned()))
            .collect()
    };
    let (before, after) = (platforms(old), platforms(new));
    let rules = || old.sources.rules.iter().chain(&new.sources.rules);
    let named = |id: &PlatformId| {
        let literal = format!("Platform::\"{id}\"");
        rules().any(|file| file.text.contains(&literal))
    };
    let mut seen = BTreeSet::new();
    let all: BTreeSet<&PlatformId> = before.keys().chain(after.keys()).collect();
    let chosen = all.into_iter().filter(|id| {
        let category = after.get(*id);
        category.is_some_and(|category| seen.insert(category)) || named(id) || before.get(*id) != category
    });
    chosen.cloned().collect()
}

/// The activities that no rule tells apart; those only of which other rules speak than did, where nothing else changed that
/// decides about them.
fn classes(old: &Side, new: &Side) -> Vec<BTreeSet<String>> {
    if let Some((before, after)) = theories(old, new) {
        let is_apart = |class: &BTreeSet<String>| class.iter().any(|name| Vocabulary::is_apart(name));
        let (apart, mut classes): (Vec<_>, Vec<_>) = proof::classes(&before, &after, !old.has_data_of(new))
            .into_iter()
            .partition(is_apart);
        let whole_flows = |name: &String| ["connect", "inspect"].contains(&name.as_str());
        if apart.iter().flatten().any(whole_flows) {
            // whoever reaches a host, and is read there, may do everything there or nothing
            classes = proof::classes(&before, &after, true);
            classes.retain(|class| !is_apart(class));
        }
        return classes;
    }
    let all = new.assembled.rulebook.policy().vocabulary().activities();
    all.keys()
        .map(|activity| BTreeSet::from([activity.to_string()]))
        .collect()
}

fn question(at: Timestamp, platforms: &BTreeSet<PlatformId>, activities: &BTreeSet<Activity>) -> MatrixQuestion {
    MatrixQuestion {
        arrival: Arrival {
            door: Door::Plain,
            client: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            network: NetworkName::new("office"),
        },
        method: MethodName::Basic,
        at,
        platforms: platforms.clone(),
        activities: activities.clone(),
        purposes: BTreeSet::new(),
    }
}

/// All that a person may do; nothing where one side does not know them.
fn doings(side: &Side, who: &str, question: &MatrixQuestion) -> Option<BTreeSet<Doing>> {
    let mut people = side.assembled.directory.people();
    let person = people.find(|person| person.id.as_str() == who)?;
    let mut doings = BTreeSet::new();
    for (platform, access) in side.assembled.rulebook.matrix(person, question) {
        let mut doing = |activity: &str, how: String| doings.insert((platform.to_string(), how, activity.to_owned()));
        match access {
            Access::Closed => {}
            Access::Unread => {
                doing(UNREAD.1, UNREAD.0.to_owned());
            }
            Access::Read(cells) => {
                for (activity, cell) in cells {
                    if cell.free {
                        doing(activity.as_str(), FREE.to_owned());
                    }
                    for purpose in &cell.declared {
                        doing(activity.as_str(), format!(" under `{purpose}`"));
                    }
                    for purpose in &cell.approved {
                        doing(activity.as_str(), format!(" under `{purpose}`{APPROVED}"));
                    }
                }
            }
        }
    }
    Some(doings)
}

/// Whether somebody who may do all of `doings` may do that, too, only with less ado: nothing is allowed or denied by it.
fn is_open((platform, how, activity): &Doing, doings: &BTreeSet<Doing>) -> bool {
    let has = |how: &str, activity: &str| {
        let doing = (platform.clone(), how.to_owned(), activity.to_owned());
        doings.contains(&doing)
    };
    let declared = how.strip_suffix(APPROVED);
    has(UNREAD.0, UNREAD.1) || has(FREE, activity) || declared.is_some_and(|declared| has(declared, activity))
}

/// The activities that are answered like one.
fn like(activity: &str, classes: &[BTreeSet<String>]) -> BTreeSet<String> {
    let class = classes
        .iter()
        .find(|class| class.first().is_some_and(|first| first == activity));
    class.cloned().unwrap_or_else(|| [activity.to_owned()].into())
}

/// The same people, the same activities and purpose: one sentence for all platforms.
fn sentences(doings: BTreeMap<Doing, BTreeSet<String>>, classes: &[BTreeSet<String>]) -> Vec<String> {
    let mut by_platform: BTreeMap<(BTreeSet<String>, String, String), BTreeSet<String>> = BTreeMap::new();
    for ((platform, how, activity), people) in doings {
        by_platform
            .entry((people, how, platform))
            .or_default()
            .extend(like(&activity, classes));
    }
    let mut together: BTreeMap<(BTreeSet<String>, BTreeSet<String>, String), BTreeSet<String>> = BTreeMap::new();
    for ((people, how, platform), activities) in by_platform {
        together.entry((people, activities, how)).or_default().insert(platform);
    }
    let sentence =
        |((people, activities, how), platforms): ((BTreeSet<String>, BTreeSet<String>, String), BTreeSet<String>)| {
            let quoted = |words: &BTreeSet<String>| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
            let (people, platforms) = (quoted(&people), quoted(&platforms));
            let many = platforms.len();
            let some = platforms.into_iter().take(3).collect::<Vec<_>>().join(", ");
            let on = if many > 3 {
                format!("{some} and {} more platforms", many - 3)
            } else {
                some
            };
            let does = activities.into_iter().collect::<Vec<_>>().join(", ");
            format!("{} may {does} on {on}{how}", people.join(", "))
        };
    together.into_iter().map(sentence).collect()
}
