//! What the people of both directories may do under both rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use super::report::coaches_beside;
use super::{Side, theories};
use crate::cli::progress::Progress;
use crate::clock::Timestamp;
use crate::facts::{Activity, Arrival, Door, MethodName, NetworkName, PlatformId, PurposeId};
use crate::policy::Vocabulary;
use crate::proof;
use crate::purpose::GROUPS;
use crate::rulebook::{Access, Cell, MatrixQuestion, Ways};

/// When everybody is asked for: a working day, and its lunch break, in most of Europe.
const MOMENTS: [&str; 2] = ["2026-11-24T09:30:00Z", "2026-11-24T11:30:00Z"];

/// What people may newly do, or no longer, in sentences.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) allowed: Vec<String>,
    pub(super) denied: Vec<String>,
}

/// What somebody may do where, how it is opened, and what it is.
type Doing = (String, How, String);

/// How something is opened: by a purpose or none, and under which circumstances.
type How = (&'static str, Option<String>);

/// Some people, doing some things in some places, opened in the same way by some purposes.
type Statement = (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>, &'static str);

/// What is done where nothing is told apart.
const UNREAD: &str = "do anything unread";
/// What needs more than a purpose.
const APPROVED: &str = ", once approved";
/// What must be continued with.
const COACHED: &str = ", coached";
/// What needs both.
const BOTH: &str = ", once approved, coached";

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
    let people = || new.assembled.directory.people();
    let turns = MOMENTS.len().saturating_mul(people().count());
    let progress = Progress::of("asking people", u64::try_from(turns).unwrap_or(u64::MAX));
    for at in MOMENTS.iter().filter_map(|at| at.parse::<Timestamp>().ok()) {
        for person in people() {
            let (before, after) = (asked(old, person.id.as_str(), at), asked(new, person.id.as_str(), at));
            progress.add(1);
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            let lost = before.difference(&after).filter(|doing| !is_open(doing, &after));
            for doing in after.difference(&before) {
                allowed.entry(doing.clone()).or_default().insert(person.id.to_string());
            }
            for doing in lost {
                denied.entry(doing.clone()).or_default().insert(person.id.to_string());
            }
        }
    }
    drop(progress);
    let groups = groups(new);
    let told = |doings| sentences(doings, &classes, &groups);
    Moved {
        allowed: told(allowed),
        denied: told(denied),
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
        let (apart, mut classes): (Vec<_>, Vec<_>) =
            proof::classes(&before, &after, !old.has_data_of(new) || coaches_beside(old, new))
                .into_iter()
                .partition(is_apart);
        let whole_flows = |name: &String| ["connect", "inspect", "declare"].contains(&name.as_str());
        if apart.iter().flatten().any(whole_flows) {
            // whoever reaches a host, is read there, or may state a purpose, may do everything there or nothing
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
        let mut doing = |activity: &str, how: How| {
            doings.insert((platform.to_string(), how, activity.to_owned()));
        };
        let mut opened = |activity: &str, cell: &Cell| {
            let open = hows(&cell.open, ["", APPROVED]);
            let coached = hows(&cell.coached, [COACHED, BOTH]);
            open.chain(coached).for_each(|how| doing(activity, how));
        };
        match access {
            Access::Closed => {}
            Access::Unread(reached) => opened(UNREAD, &reached),
            Access::Read(cells) => cells
                .iter()
                .for_each(|(activity, cell)| opened(activity.as_str(), cell)),
        }
    }
    Some(doings)
}

/// Whether somebody who may do all of `doings` may do that, too, only with less ado: then nothing is denied by its end.
fn is_open((platform, (marked, purpose), activity): &Doing, doings: &BTreeSet<Doing>) -> bool {
    let needs_no_more = |other: &&&str| {
        [APPROVED, COACHED]
            .iter()
            .all(|what| !other.contains(what) || marked.contains(what))
    };
    let has = |other: &&str| {
        [None, purpose.clone()].into_iter().any(|purpose| {
            let doing = |what: &str| (platform.clone(), (*other, purpose.clone()), what.to_owned());
            doings.contains(&doing(activity)) || doings.contains(&doing(UNREAD))
        })
    };
    ["", APPROVED, COACHED, BOTH].iter().filter(needs_no_more).any(has)
}

fn hows(ways: &Ways, [declared, approved]: [&'static str; 2]) -> impl Iterator<Item = How> {
    let free = ways.free.then_some((declared, None));
    let under = |marked: &'static str| move |purpose: &PurposeId| (marked, Some(purpose.to_string()));
    let once_declared = ways.declared.iter().map(under(declared));
    let once_approved = ways.approved.iter().map(under(approved));
    free.into_iter().chain(once_declared).chain(once_approved)
}

/// The activities that are answered like one.
fn like(activity: &str, classes: &[BTreeSet<String>]) -> BTreeSet<String> {
    let class = classes
        .iter()
        .find(|class| class.first().is_some_and(|first| first == activity));
    class.cloned().unwrap_or_else(|| [activity.to_owned()].into())
}

/// As few sentences as it takes: those that differ in one thing only are one; what is about most comes first.
fn sentences(doings: BTreeMap<Doing, BTreeSet<String>>, classes: &[BTreeSet<String>], groups: &Groups) -> Vec<String> {
    let mut by_place: BTreeMap<(BTreeSet<String>, How, String), BTreeSet<String>> = BTreeMap::new();
    for ((platform, how, activity), people) in doings {
        let activities = by_place.entry((people, how, platform)).or_default();
        activities.extend(like(&activity, classes));
    }
    let mut by_purpose: BTreeMap<(BTreeSet<String>, BTreeSet<String>, How), BTreeSet<String>> = BTreeMap::new();
    for ((people, how, platform), activities) in by_place {
        by_purpose
            .entry((people, activities, how))
            .or_default()
            .insert(platform);
    }
    let mut together: BTreeMap<Statement, BTreeSet<Option<String>>> = BTreeMap::new();
    for ((people, activities, (circumstances, purpose)), platforms) in by_purpose {
        let statement = (people, activities, platforms, circumstances);
        together.entry(statement).or_default().insert(purpose);
    }
    let mut all: Vec<_> = together.into_iter().collect();
    all.sort_by_key(|((people, activities, platforms, _), purposes)| {
        std::cmp::Reverse(people.len() * activities.len() * platforms.len() * purposes.len())
    });
    all.iter().map(|one| sentence(one, groups)).collect()
}

/// The groups of activities that a purpose may cover, the largest first.
type Groups = Vec<(String, BTreeSet<String>)>;

fn groups(side: &Side) -> Groups {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (activity, above) in side.assembled.rulebook.policy().vocabulary().activities() {
        for group in above.iter().filter(|group| GROUPS.contains(&group.as_str())) {
            groups.entry(group.clone()).or_default().insert(activity.to_string());
        }
    }
    let mut groups: Groups = groups.into_iter().collect();
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    groups
}

/// The activities, with groups in the place of all that is in them.
fn grouped(activities: &BTreeSet<String>, groups: &Groups) -> Vec<String> {
    let mut left = activities.clone();
    let mut said = Vec::new();
    for (group, members) in groups {
        if members.is_subset(&left) {
            left.retain(|activity| !members.contains(activity));
            said.push(group.clone());
        }
    }
    said.extend(left);
    said
}

fn sentence(
    ((people, activities, platforms, circumstances), purposes): &(Statement, BTreeSet<Option<String>>),
    groups: &Groups,
) -> String {
    let quoted = |words: &BTreeSet<String>| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    let some = |words: Vec<String>, kind: &str| {
        let many = words.len();
        let first = words.into_iter().take(3).collect::<Vec<_>>().join(", ");
        if many > 3 {
            format!("{first} and {} more {kind}", many - 3)
        } else {
            first
        }
    };
    let does = grouped(activities, groups).join(", ");
    let how: Vec<String> = purposes
        .iter()
        .map(|purpose| match purpose {
            Some(purpose) => format!("under `{purpose}`"),
            None => "without a purpose".to_owned(),
        })
        .collect();
    let how = how.join(", ").replace(", under ", ", ");
    format!(
        "{} may {does} on {} {how}{circumstances}",
        some(quoted(people), "people"),
        some(quoted(platforms), "platforms")
    )
}
