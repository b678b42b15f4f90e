//! What a purpose opens, in plain words: the one room for it, on pages, in mails and to web hooks. Where the rules open all that
//! is named of a group of activities its name says so; else each activity stands by itself.

use std::collections::BTreeSet;

use super::words::Words;
use super::{Portal, Visit, places};
use crate::clock::Timestamp;
use crate::facts::{Activity, Grant, PlatformId};
use crate::purpose::mildest_first;
use crate::rulebook::{InForce, Rulebook};

/// What the names of groups promise (`Words::groups`).
const PROMISED: [(&str, &[&str]); 4] = [
    ("read", &["browse", "search"]),
    ("engage", &["react", "follow"]),
    ("publish", &["post", "comment", "message", "upload"]),
    ("administer", &["manage-page", "advertise"]),
];

/// What these groups of activities open, of which `opened` is what the rules open; where nothing of them is known to be open,
/// the groups.
pub fn doings((rules, words): (&Rulebook, &Words), covers: &BTreeSet<String>, opened: &BTreeSet<Activity>) -> String {
    let groups = mildest_first(covers);
    let said = groups.iter().filter_map(|group| doing((rules, words), group, opened));
    let said: Vec<String> = said.collect();
    if said.is_empty() {
        return (words.groups)(&groups);
    }
    said.join(words.semicolon)
}

fn doing((rules, words): (&Rulebook, &Words), group: &str, opened: &BTreeSet<Activity>) -> Option<String> {
    let known = rules.policy().vocabulary().activities().iter();
    let of_group = known.filter(|(_, groups)| groups.contains(group));
    let (open, shut): (Vec<&Activity>, Vec<&Activity>) = of_group
        .map(|(activity, _)| activity)
        .partition(|activity| opened.contains(*activity));
    let open: Vec<&str> = open.into_iter().map(Activity::as_str).collect();
    let promised = PROMISED.iter().find(|(named, _)| *named == group);
    let is_kept = promised.map_or(shut.is_empty(), |(_, promised)| {
        promised.iter().all(|activity| open.contains(activity))
    });
    match open.as_slice() {
        [] => None,
        _ if is_kept => Some((words.groups)(&[group])),
        some => {
            let some: Vec<String> = some.iter().map(|activity| (words.activity)(activity)).collect();
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            Some((words.list)(&some))
        }
    }
}

/// What a grant opens to its holder, by the rules in force: platforms on which that reads the same together.
pub fn opened(words: &Words, in_force: &InForce, grant: &Grant, at: Timestamp) -> Vec<(BTreeSet<PlatformId>, String)> {
    let rules = &in_force.rulebook;
    let holder = in_force.directory.person(&grant.subject);
    let opened = holder.map_or_else(Vec::new, |holder| rules.opened_by(&holder, grant, at));
    let mut parts: Vec<(BTreeSet<PlatformId>, String)> = Vec::new();
    for part in opened {
        let said = doings((rules, words), &grant.covers, &part.activities);
        match parts.iter_mut().find(|(_, known)| *known == said) {
            Some((platforms, _)) => platforms.extend(part.platforms),
            None => parts.push((part.platforms, said)),
        }
    }
    if parts.is_empty() {
        let said = (words.groups)(&mildest_first(&grant.covers));
        parts.push((BTreeSet::clone(&grant.platforms), said));
    }
    parts
}

impl Portal {
    /// What a grant opens, in words.
    pub(super) fn effect(&self, visit: &Visit<'_>, grant: &Grant) -> String {
        let called = |platforms: &BTreeSet<PlatformId>| places::called((visit.rules(), self.words), platforms);
        if let Some(continued) = &grant.continued {
            let places = called(&grant.platforms);
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            return self.effect_of(continued, grant, &places);
        }
        let parts = opened(self.words, visit.in_force, grant, visit.at).into_iter();
        let parts = parts.map(|(platforms, doings)| {
            let places = called(&platforms);
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            (self.words.where_and_what)(&places, &doings)
        });
        parts.collect::<Vec<_>>().join(". ")
    }
}
