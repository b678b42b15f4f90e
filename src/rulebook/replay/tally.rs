//! What many replays come to: how much changes and for whom, without showing what a few people do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::Replay;
use super::again::Answer;
use crate::facts::{DecisionNote, Observation, Outcome, PolicyId, RecordId, SubjectId};

/// Of fewer people than this, no group is shown.
const FEWEST_PEOPLE: usize = 5;

/// Replays, counted. Several of them, made side by side, are added up.
#[derive(Debug, Default)]
pub struct Tally {
    same: u64,
    not_enough: u64,
    not_judged: u64,
    changes: BTreeMap<Change, u64>,
    groups: BTreeMap<(&'static str, String), Members>,
    examples: BTreeMap<(Outcome, Outcome, BTreeSet<PolicyId>), Example>,
    /// Opening lines whose closing has not come by.
    open: BTreeMap<RecordId, Arc<Answer>>,
    /// Flows with an opening line that are counted by their closing one.
    closed: BTreeSet<RecordId>,
}

/// What a change is to the people whom it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It passes now.
    NewlyAllowed,
    /// It passed, and does so once its sender was told why not and continues.
    NewlyCoached,
    /// It passed, and does so no longer.
    NewlyRefused,
    /// It is refused as before, but something else would help, or nothing.
    RefusedOtherwise,
    /// It passes as before, but is read as something else, or under another grant.
    AllowedOtherwise,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NewlyAllowed,
        Self::NewlyCoached,
        Self::NewlyRefused,
        Self::RefusedOtherwise,
        Self::AllowedOtherwise,
    ];

    /// How people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewlyAllowed => "newly allowed",
            Self::NewlyCoached => "newly coached",
            Self::NewlyRefused => "newly refused",
            Self::RefusedOtherwise => "refused otherwise",
            Self::AllowedOtherwise => "allowed otherwise",
        }
    }

    fn of(from: &DecisionNote, to: &DecisionNote) -> Self {
        match (from.outcome == Outcome::Allow, to.outcome == Outcome::Allow) {
            (false, true) => Self::NewlyAllowed,
            (true, false) if to.coach.is_some() => Self::NewlyCoached,
            (true, false) => Self::NewlyRefused,
            (false, false) => Self::RefusedOtherwise,
            (true, true) => Self::AllowedOtherwise,
        }
    }
}

#[derive(Debug, Default)]
struct Members {
    decisions: u64,
    people: BTreeSet<SubjectId>,
}

/// One decision that would change; it names nobody. `wayleave explain` tells the rest to those who may read records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The record.
    pub record: RecordId,
    /// What was decided.
    pub from: Outcome,
    /// By which rules.
    pub from_policies: BTreeSet<PolicyId>,
    /// What would be.
    pub to: Outcome,
    /// By which rules.
    pub to_policies: BTreeSet<PolicyId>,
}

/// What changes for one purpose, department, platform or activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Which; none for all groups of fewer than five people together.
    pub name: Option<String>,
    /// How many decisions change.
    pub decisions: u64,
    /// For how many people; none where that is not told.
    pub people: Option<usize>,
}

/// What it all comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How many decisions stay.
    pub same: u64,
    /// How many change.
    pub changed: u64,
    /// How many the records cannot answer for: these rules would look at what was not kept.
    pub not_enough: u64,
    /// Records that hold no decision.
    pub not_judged: u64,
    /// What the changes are.
    pub changes: BTreeMap<Change, u64>,
    /// By purpose, department, platform and activity.
    pub groups: BTreeMap<&'static str, Vec<Group>>,
    /// The first record of each kind of change.
    pub examples: Vec<Example>,
}

impl Tally {
    /// Counts a line that holds no decision.
    pub(super) fn pass(&mut self) {
        self.not_judged += 1;
    }

    /// Takes note of an opening line: it counts only where its closing one never comes.
    pub(super) fn opened(&mut self, id: RecordId, answer: Arc<Answer>) {
        self.open.insert(id, answer);
    }

    /// Counts a closing line.
    pub(super) fn closed(&mut self, id: RecordId, answer: &Answer, publishes: bool) {
        self.count(&id, answer);
        if publishes {
            self.closed.insert(id);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.same += other.same;
        self.not_enough += other.not_enough;
        self.not_judged += other.not_judged;
        for (change, count) in other.changes {
            *self.changes.entry(change).or_default() += count;
        }
        for (group, members) in other.groups {
            let mine = self.groups.entry(group).or_default();
            mine.decisions += members.decisions;
            mine.people.extend(members.people);
        }
        for example in other.examples.into_values() {
            self.show(example);
        }
        self.open.extend(other.open);
        self.closed.extend(other.closed);
    }

    /// Ends the counting: a flow that a crash left without its closing line counts by its opening one.
    pub fn sums(mut self) -> Sums {
        for (id, answer) in std::mem::take(&mut self.open) {
            if !self.closed.contains(&id) {
                self.count(&id, &answer);
            }
        }
        let mut groups: BTreeMap<&'static str, Vec<Group>> = BTreeMap::new();
        for kind in ["purpose", "department", "platform", "activity"] {
            let of_kind = self.groups.iter().filter(|((of, _), _)| *of == kind);
            let shown = shown(of_kind.map(|((_, name), members)| (name.as_str(), members)));
            groups.insert(kind, shown);
        }
        Sums {
            same: self.same,
            changed: self.changes.values().sum(),
            not_enough: self.not_enough,
            not_judged: self.not_judged,
            changes: self.changes,
            groups,
            examples: self.examples.into_values().collect(),
        }
    }

    fn count(&mut self, id: &RecordId, Answer { replay, seen, .. }: &Answer) {
        match replay {
            Replay::Same => self.same += 1,
            Replay::NotEnough => self.not_enough += 1,
            Replay::NotJudged => self.not_judged += 1,
            Replay::Changed { from, to, why: _ } => self.changed(id, seen, from, to),
        }
    }

    fn changed(&mut self, id: &RecordId, seen: &Observation, from: &DecisionNote, to: &DecisionNote) {
        *self.changes.entry(Change::of(from, to)).or_default() += 1;
        let none = || "none".to_owned();
        let purpose = from.purpose.as_ref().or(to.purpose.as_ref());
        let mut member = |kind, name: String| {
            let members = self.groups.entry((kind, name)).or_default();
            members.decisions += 1;
            members
                .people
                .extend(seen.subject.as_ref().map(|subject| subject.id.clone()));
        };
        member("purpose", purpose.map_or_else(none, ToString::to_string));
        member(
            "platform",
            from.platform.as_ref().map_or_else(none, ToString::to_string),
        );
        member("activity", from.activity.to_string());
        let departments = seen.person.iter().flat_map(|person| &person.departments);
        departments.for_each(|department| member("department", department.clone()));
        self.show(Example {
            record: id.clone(),
            from: from.outcome,
            from_policies: from.policies.clone(),
            to: to.outcome,
            to_policies: to.policies.clone(),
        });
    }

    /// Keeps the earliest record of each kind of change: ids sort by time, so that it does not matter who counted first.
    fn show(&mut self, example: Example) {
        let kind = (example.from, example.to, example.to_policies.clone());
        match self.examples.get_mut(&kind) {
            Some(shown) if shown.record.as_str() <= example.record.as_str() => {}
            Some(shown) => *shown = example,
            None => drop(self.examples.insert(kind, example)),
        }
    }
}

/// The groups of enough people, the largest change first; all others together, without their names.
fn shown<'a>(all: impl Iterator<Item = (&'a str, &'a Members)>) -> Vec<Group> {
    let (mut groups, mut rest) = (Vec::new(), 0);
    for (name, members) in all {
        if members.people.len() < FEWEST_PEOPLE {
            rest += members.decisions;
        } else {
            groups.push(Group {
                name: Some(name.to_owned()),
                decisions: members.decisions,
                people: Some(members.people.len()),
            });
        }
    }
    groups.sort_by(|a, b| b.decisions.cmp(&a.decisions).then_with(|| a.name.cmp(&b.name)));
    if rest > 0 {
        groups.push(Group {
            name: None,
            decisions: rest,
            people: None,
        });
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_fewer_than_five_people_keeps_its_name_to_itself() {
        let members = |people: usize, decisions| Members {
            decisions,
            people: (0..people)
                .map(|nth| SubjectId::parse(&format!("p{nth}")).unwrap())
                .collect(),
        };
        let (few, many, fewer) = (members(4, 100), members(5, 7), members(1, 1));
        let all = [("few", &few), ("fewer", &fewer), ("many", &many)];
        let names: Vec<_> = shown(all.into_iter())
            .into_iter()
            .map(|group| (group.name, group.decisions, group.people))
            .collect();
        assert_eq!(names, [(Some("many".to_owned()), 7, Some(5)), (None, 101, None)]);
    }
}
