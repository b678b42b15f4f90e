//! What many replays come to: how much changes and for whom, without showing what a few people do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::Replay;
use super::again::Answer;
use crate::facts::{DecisionNote, Observation, Outcome, PolicyId, RecordId, SubjectId, WouldBe};
use crate::rulebook::Directory;

/// Of fewer people than this, no group is shown, nor can one be worked out from those that are: the groups of a kind have
/// no decision in common, and those that are not shown are of as many people together.
const FEWEST_PEOPLE: usize = 5;

/// Replays, counted. Several of them, made side by side, are added up.
#[derive(Debug, Default)]
pub struct Tally {
    same: u64,
    not_enough: u64,
    not_judged: u64,
    changes: BTreeMap<Change, u64>,
    groups: BTreeMap<(&'static str, String), Members>,
    /// By all departments of a person, with those that a department is part of.
    departments: BTreeMap<BTreeSet<String>, Members>,
    examples: BTreeMap<Kind, Example>,
    loose: Loose,
}

/// What examples have in common of which one is shown.
type Kind = (Outcome, Outcome, BTreeSet<PolicyId>, Vec<String>);

/// Flows of which one line has come by, and not yet the other. What is complete is forgotten: a book holds far more flows
/// than are open at one time.
#[derive(Debug, Default)]
pub struct Loose {
    /// By their opening line alone.
    open: BTreeMap<RecordId, Arc<Answer>>,
    /// By their closing line alone, by which they have been counted.
    closed: BTreeSet<RecordId>,
}

impl Loose {
    /// Adds what came by elsewhere.
    pub fn add(&mut self, other: Self) {
        other.open.into_iter().for_each(|(id, answer)| self.opened(id, answer));
        other.closed.into_iter().for_each(|id| self.closed(id));
    }

    /// How many they are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.open.len() + self.closed.len()
    }

    fn opened(&mut self, id: RecordId, answer: Arc<Answer>) {
        if !self.closed.remove(&id) {
            self.open.insert(id, answer);
        }
    }

    fn closed(&mut self, id: RecordId) {
        if self.open.remove(&id).is_none() {
            self.closed.insert(id);
        }
    }
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
    /// It passes as before, and would not with the rules on probation in force.
    WouldBeRefused,
    /// It is refused as before, and would pass with the rules on probation in force.
    WouldBeAllowed,
    /// It is refused as before, but something else would help, or nothing, or it is coached.
    RefusedOtherwise,
    /// It passes as before, but is read as something else, or under another grant.
    AllowedOtherwise,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NewlyAllowed,
        Self::NewlyCoached,
        Self::NewlyRefused,
        Self::WouldBeRefused,
        Self::WouldBeAllowed,
        Self::RefusedOtherwise,
        Self::AllowedOtherwise,
    ];

    /// How people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewlyAllowed => "newly allowed",
            Self::NewlyCoached => "newly coached",
            Self::NewlyRefused => "newly refused",
            Self::WouldBeRefused => "would newly be refused",
            Self::WouldBeAllowed => "would newly be allowed",
            Self::RefusedOtherwise => "refused otherwise",
            Self::AllowedOtherwise => "allowed otherwise",
        }
    }

    fn of(from: &DecisionNote, to: &DecisionNote) -> Self {
        let would = |note: &DecisionNote| note.would.as_ref().map(|would| would.be);
        let newly_would = |be| would(to) == Some(be) && would(from) != Some(be);
        match (from.outcome == Outcome::Allow, to.outcome == Outcome::Allow) {
            (false, true) => Self::NewlyAllowed,
            (true, false) if to.coach.is_some() => Self::NewlyCoached,
            (true, false) => Self::NewlyRefused,
            (true, true) if newly_would(WouldBe::Denied) => Self::WouldBeRefused,
            (false, false) if newly_would(WouldBe::Allowed) => Self::WouldBeAllowed,
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

impl Members {
    fn add(&mut self, seen: &Observation) {
        self.decisions += 1;
        self.people
            .extend(seen.subject.as_ref().map(|subject| subject.id.clone()));
    }

    fn merge(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.people.extend(other.people);
    }
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
    /// In which ways the two differ beside that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<String>,
}

/// What changes for one purpose, department, platform or activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Which; none for those together that would be, or leave, a group of fewer than five people.
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

impl Sums {
    /// How many decisions were judged again, or should have been.
    pub fn judged(&self) -> u64 {
        self.same + self.changed + self.not_enough
    }
}

impl Tally {
    /// Counts a line that holds no decision.
    pub(super) fn pass(&mut self) {
        self.not_judged += 1;
    }

    /// Takes note of an opening line: it counts only where its closing one never comes.
    pub(super) fn opened(&mut self, id: RecordId, answer: Arc<Answer>) {
        self.loose.opened(id, answer);
    }

    /// Counts a closing line; `opened` tells whether an opening one stands before it.
    pub(super) fn closed(&mut self, id: RecordId, answer: &Answer, opened: bool) {
        self.count(&id, answer);
        if opened {
            self.loose.closed(id);
        }
    }

    /// Hands out the flows that are not complete, to be put together with what came by elsewhere.
    pub(super) fn take_loose(&mut self) -> Loose {
        std::mem::take(&mut self.loose)
    }

    /// Takes note of flows that are not complete.
    pub fn add_loose(&mut self, loose: Loose) {
        self.loose.add(loose);
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
            self.groups.entry(group).or_default().merge(members);
        }
        for (departments, members) in other.departments {
            self.departments.entry(departments).or_default().merge(members);
        }
        for example in other.examples.into_values() {
            self.show(example);
        }
        self.add_loose(other.loose);
    }

    /// Ends the counting: a flow that a crash left without its closing line counts by its opening one. The directory knows
    /// which department is part of which.
    pub fn sums(mut self, directory: &Directory) -> Sums {
        for (id, answer) in self.take_loose().open {
            self.count(&id, &answer);
        }
        let mut groups: BTreeMap<&'static str, Vec<Group>> = BTreeMap::new();
        for kind in ["purpose", "platform", "activity"] {
            let of_kind = self.groups.iter().filter(|((of, _), _)| *of == kind);
            let shown = shown(of_kind.map(|((_, name), members)| (name.as_str(), members)));
            groups.insert(kind, shown);
        }
        let mut departments: BTreeMap<String, Members> = BTreeMap::new();
        for (all, members) in self.departments {
            departments.entry(lowest(&all, directory)).or_default().merge(members);
        }
        let departments = departments.iter().map(|(name, members)| (name.as_str(), members));
        groups.insert("department", shown(departments));
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
            Replay::Changed { from, to, ways } => self.changed(id, seen, (from, to), ways),
        }
    }

    fn changed(
        &mut self,
        id: &RecordId,
        seen: &Observation,
        (from, to): (&DecisionNote, &DecisionNote),
        ways: &[String],
    ) {
        *self.changes.entry(Change::of(from, to)).or_default() += 1;
        let none = || NONE.to_owned();
        let purpose = from.purpose.as_ref().or(to.purpose.as_ref());
        let mut member = |kind, name: String| self.groups.entry((kind, name)).or_default().add(seen);
        member("purpose", purpose.map_or_else(none, ToString::to_string));
        member(
            "platform",
            from.platform.as_ref().map_or_else(none, ToString::to_string),
        );
        member("activity", from.activity.to_string());
        let departments = seen.person.as_ref().map(|person| person.departments.clone());
        self.departments
            .entry(departments.unwrap_or_default())
            .or_default()
            .add(seen);
        self.show(Example {
            record: id.clone(),
            from: from.outcome,
            from_policies: from.policies.clone(),
            to: to.outcome,
            to_policies: to.policies.clone(),
            ways: ways.to_vec(),
        });
    }

    /// Keeps the earliest record of each kind of change: ids sort by time, so that it does not matter who counted first.
    fn show(&mut self, example: Example) {
        let kind = (
            example.from,
            example.to,
            example.to_policies.clone(),
            example.ways.clone(),
        );
        match self.examples.get_mut(&kind) {
            Some(shown) if shown.record.as_str() <= example.record.as_str() => {}
            Some(shown) => *shown = example,
            None => drop(self.examples.insert(kind, example)),
        }
    }
}

/// What has no purpose, platform or department.
const NONE: &str = "none";

/// The departments that no other of them is part of: most people have one. What else they are part of is the same for all
/// of them, and whoever saw it counted once more could tell who is missing from it.
fn lowest(all: &BTreeSet<String>, directory: &Directory) -> String {
    let above = directory.departments_above();
    let holds =
        |one: &String, other: &String| one != other && above.get(other).is_some_and(|ladder| ladder.contains(one));
    let lowest = all.iter().filter(|one| !all.iter().any(|other| holds(one, other)));
    let names: Vec<&str> = lowest.map(String::as_str).collect();
    if names.is_empty() {
        NONE.to_owned()
    } else {
        names.join(", ")
    }
}

/// The groups of enough people, the largest change first; all others together, without their names. Where those are too
/// few people, the smallest of the groups of enough keeps them company: else they are what is missing from the sum.
fn shown<'a>(all: impl Iterator<Item = (&'a str, &'a Members)>) -> Vec<Group> {
    let (mut large, small): (Vec<_>, Vec<_>) = all.partition(|(_, members)| members.people.len() >= FEWEST_PEOPLE);
    let mut rest = Members::default();
    let mut leave_unnamed = |members: &Members| {
        rest.decisions += members.decisions;
        rest.people.extend(members.people.iter().cloned());
        rest.people.len() >= FEWEST_PEOPLE
    };
    let mut are_many = true;
    for (_, members) in small {
        are_many = leave_unnamed(members);
    }
    if !are_many {
        large.sort_by_key(|(name, members)| std::cmp::Reverse((members.people.len(), members.decisions, *name)));
        large.pop().map(|(_, members)| leave_unnamed(members));
    }
    large.sort_by(|(a, one), (b, other)| other.decisions.cmp(&one.decisions).then_with(|| a.cmp(b)));
    let named = large.into_iter().map(|(name, members)| Group {
        name: Some(name.to_owned()),
        decisions: members.decisions,
        people: Some(members.people.len()),
    });
    let unnamed = (rest.decisions > 0).then_some(Group {
        name: None,
        decisions: rest.decisions,
        people: None,
    });
    named.chain(unnamed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Rulebook, Sources};

    #[test]
    fn a_group_of_fewer_than_five_people_keeps_its_name_to_itself() {
        let members = |people: std::ops::Range<usize>, decisions| Members {
            decisions,
            people: people
                .map(|nth| SubjectId::parse(&format!("p{nth}")).unwrap())
                .collect(),
        };
        let (few, many, fewer) = (members(0..4, 100), members(0..5, 7), members(5..6, 1));
        let all = [("few", &few), ("fewer", &fewer), ("many", &many)];
        let names: Vec<_> = shown(all.into_iter())
            .into_iter()
            .map(|group| (group.name, group.decisions, group.people))
            .collect();
        assert_eq!(names, [(Some("many".to_owned()), 7, Some(5)), (None, 101, None)]);
    }

    #[test]
    fn what_is_left_beside_the_groups_shown_is_not_of_a_few_people_either() {
        let of = |people: std::ops::Range<usize>, decisions| Members {
            decisions,
            people: people
                .map(|nth| SubjectId::parse(&format!("p{nth}")).unwrap())
                .collect(),
        };
        let shown = |all: &[(&str, Members)]| -> Vec<(Option<String>, u64)> {
            let all = all.iter().map(|(name, members)| (*name, members));
            shown(all)
                .into_iter()
                .map(|group| (group.name, group.decisions))
                .collect()
        };
        let named = |name: &str, decisions| (Some(name.to_owned()), decisions);
        // one person of marketing beside five of hr
        assert_eq!(shown(&[("hr", of(0..5, 20)), ("marketing", of(5..6, 7))]), [(None, 27)]);
        // the smallest of those that would be shown keeps them company
        let large = || ("large", of(0..9, 1));
        assert_eq!(
            shown(&[large(), ("hr", of(10..15, 20)), ("few", of(20..21, 7))]),
            [named("large", 1), (None, 27)]
        );
        // two groups of the same four people are four people
        assert_eq!(
            shown(&[large(), ("a", of(10..14, 2)), ("b", of(10..14, 3))]),
            [(None, 6)]
        );
        // many small groups are enough
        assert_eq!(
            shown(&[("hr", of(0..5, 20)), ("a", of(10..13, 2)), ("b", of(13..15, 3))]),
            [named("hr", 20), (None, 5)]
        );
        // nobody is left
        assert_eq!(shown(&[("hr", of(0..5, 20))]), [named("hr", 20)]);
    }

    /// A closing line of somebody whose refusal would be a permit now.
    fn changed(tally: &mut Tally, rules: &Assembled, id: String, departments: &[&str]) {
        let mut seen = seen(rules, "ada", "https://x.com/a");
        seen.subject.as_mut().unwrap().id = SubjectId::parse(&id).unwrap();
        let mut person = seen.person.as_deref().unwrap().clone();
        person.departments = departments.iter().map(|name| (*name).to_owned()).collect();
        seen.person = Some(Arc::new(person));
        let from = rules.rulebook.judge(&seen).note(None);
        tally.changed(&RecordId::new(id), &seen, (&from, &from), &[]);
    }

    #[test]
    fn whoever_is_in_a_department_is_not_counted_again_in_those_above() {
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        let mut tally = Tally::default();
        for nth in 0..5 {
            changed(&mut tally, &rules, format!("h{nth}"), &["company", "hr"]);
        }
        let few = |tally: Tally| tally.sums(&rules.directory).groups["department"].clone();
        let group = |name: Option<&str>, decisions, people| Group {
            name: name.map(str::to_owned),
            decisions,
            people,
        };
        let mut other = Tally::default();
        for nth in 0..6 {
            changed(&mut other, &rules, format!("m{nth}"), &["company", "marketing"]);
        }
        changed(&mut other, &rules, "both".to_owned(), &["company", "hr", "marketing"]);
        changed(&mut other, &rules, "alone".to_owned(), &[]);
        tally.merge(other);
        // two people of hr and marketing, and of nothing, are kept company by the five of hr
        assert_eq!(few(tally), [group(Some("marketing"), 6, Some(6)), group(None, 7, None)]);
    }
}
