//! What may be told of a week that is over: figures of groups of [`SMALLEST`] people and more, and of nobody else. Pure.
//!
//! INVARIANT: no figure, and no difference of figures, is that of fewer people. So a week of which fewer used a purpose has no
//! figures at all, as if nobody had; parts of it (platforms, departments) that are smaller are pooled, and so is the smallest
//! of the others until the pool itself is large enough: what is left when all that is told is taken from the whole. Parts
//! never overlap in what is counted: each flow, grant and report is in one of them, and each person in one department. What is
//! told by platform could be taken from what is told by department: so departments are told only where each that somebody of
//! is on a platform has enough people there; any figures taken from each other are then those of such groups. People
//! are not counted by platform, since those overlap. And since a week is told once, when nothing of it changes any more,
//! nobody learns anything by looking twice. The rows by person are forgotten in the same change.

use std::collections::{BTreeMap, BTreeSet};

use super::usage::{Counted, Measure, Seat, Sums, Week};
use crate::facts::{PlatformId, PurposeId, SubjectId};

/// How many people a group has at least of which anything is told.
pub const SMALLEST: usize = 5;

/// Of what a figure is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of the purpose.
    Whole,
    /// A platform; none: several, and those too small to be told by themselves.
    Platform(Option<String>),
    /// A department; none: those too small to be told by themselves.
    Department(Option<String>),
}

impl Part {
    /// The name used in the store and the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Whole => "all",
            Self::Platform(_) => "platform",
            Self::Department(_) => "department",
        }
    }

    /// Which one; none where it is the whole, or what is pooled.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Whole => None,
            Self::Platform(name) | Self::Department(name) => name.as_deref(),
        }
    }

    /// The part of that kind and name.
    pub(super) fn of(kind: &str, name: Option<String>) -> Option<Self> {
        match kind {
            "all" => Some(Self::Whole),
            "platform" => Some(Self::Platform(name)),
            "department" => Some(Self::Department(name)),
            _ => None,
        }
    }
}

/// How much of a purpose was used, or came of it, in one week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What for.
    pub purpose: PurposeId,
    /// When.
    pub week: Week,
    /// What is measured.
    pub measure: Measure,
    /// Of what.
    pub part: Part,
    /// By how many people; none where that is not told.
    pub people: Option<u64>,
    /// How much.
    pub sums: Sums,
}

/// Some people, and how much they did.
#[derive(Clone, Default)]
struct Group<'a> {
    people: BTreeSet<&'a SubjectId>,
    sums: Sums,
}

impl<'a> Group<'a> {
    fn add(&mut self, who: &'a SubjectId, sums: &Sums) {
        self.people.insert(who);
        self.sums.add(sums);
    }

    fn join(&mut self, other: &Self) {
        self.people.extend(&other.people);
        self.sums.add(&other.sums);
    }

    fn is_told(&self) -> bool {
        self.people.len() >= SMALLEST
    }
}

/// What may be told of what was counted.
pub(super) fn told(counted: &Counted) -> Vec<Figure> {
    let mut wholes: BTreeMap<(Week, Measure, &PurposeId), Rows<'_>> = BTreeMap::new();
    for (seat, sums) in counted {
        let whole = (seat.week, seat.measure, &seat.purpose);
        wholes.entry(whole).or_default().push((seat, sums));
    }
    let each = wholes.into_iter().flat_map(|((week, measure, purpose), seats)| {
        parts(&seats).into_iter().map(move |(part, people, sums)| Figure {
            purpose: purpose.clone(),
            week,
            measure,
            part,
            people,
            sums,
        })
    });
    each.collect()
}

type Told = (Part, Option<u64>, Sums);
type Rows<'a> = Vec<(&'a Seat, &'a Sums)>;

fn parts(seats: &[(&Seat, &Sums)]) -> Vec<Told> {
    let mut whole = Group::default();
    let mut platforms: BTreeMap<Option<&str>, Group<'_>> = BTreeMap::new();
    let mut departments: BTreeMap<Option<&str>, Group<'_>> = BTreeMap::new();
    // whoever has changed departments in between counts in one of them
    let mut homes: Homes<'_> = BTreeMap::new();
    for (seat, sums) in seats {
        let home = *homes.entry(&seat.subject).or_insert(seat.department.as_deref());
        let platform = seat.platform.as_ref().map(PlatformId::as_str);
        whole.add(&seat.subject, sums);
        platforms.entry(platform).or_default().add(&seat.subject, sums);
        departments.entry(home).or_default().add(&seat.subject, sums);
    }
    if !whole.is_told() {
        return Vec::new();
    }
    let people = |group: &Group<'_>| u64::try_from(group.people.len()).ok();
    let mut told = vec![(Part::Whole, people(&whole), whole.sums)];
    let (platforms, mut departments) = (pooled(platforms), pooled(departments));
    let crossings = crossings((&platforms, &departments), (seats, &homes));
    if !crossings.values().all(|people| people.len() >= SMALLEST) {
        departments = vec![(None, whole)];
    }
    for (name, group) in platforms {
        told.push((Part::Platform(name.map(str::to_owned)), None, group.sums));
    }
    for (name, group) in departments {
        told.push((Part::Department(name.map(str::to_owned)), people(&group), group.sums));
    }
    told
}

type Parts<'n, 'p> = Vec<(Option<&'n str>, Group<'p>)>;
type Homes<'a> = BTreeMap<&'a SubjectId, Option<&'a str>>;

/// Who of each part by department is on each part by platform, where anybody is.
fn crossings<'a>(
    (platforms, departments): (&Parts<'a, 'a>, &Parts<'a, 'a>),
    (seats, homes): (&[(&'a Seat, &'a Sums)], &Homes<'a>),
) -> BTreeMap<[Option<&'a str>; 2], BTreeSet<&'a SubjectId>> {
    let told = |parts: &Parts<'a, 'a>, name: Option<&'a str>| {
        name.filter(|name| parts.iter().any(|(part, _)| *part == Some(*name)))
    };
    let mut crossings: BTreeMap<_, BTreeSet<&SubjectId>> = BTreeMap::new();
    for (seat, _) in seats {
        let home = homes.get(&seat.subject).copied().flatten();
        let platform = seat.platform.as_ref().map(PlatformId::as_str);
        let crossing = [told(platforms, platform), told(departments, home)];
        crossings.entry(crossing).or_default().insert(&seat.subject);
    }
    crossings
}

/// The parts that are large enough, and the others together.
fn pooled<'n, 'p>(parts: BTreeMap<Option<&'n str>, Group<'p>>) -> Parts<'n, 'p> {
    let (mut large, small): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|(name, group)| name.is_some() && group.is_told());
    // the largest first, so that what is pooled to hide the small is the smallest
    large.sort_by_key(|(_, group)| std::cmp::Reverse(group.people.len()));
    let mut pool = Group::default();
    for (_, group) in &small {
        pool.join(group);
    }
    while !pool.people.is_empty() && !pool.is_told() {
        let Some((_, next)) = large.pop() else { break };
        pool.join(&next);
    }
    large.sort_by_key(|(name, _)| *name);
    // of a whole that is told, what is left alone is all of it
    if pool.is_told() {
        large.push((None, pool));
    }
    large
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seat(who: usize, platform: Option<&str>, department: Option<&str>) -> Seat {
        Seat {
            week: Week::numbered(3_000),
            measure: Measure::Flows,
            purpose: PurposeId::new("recruiting"),
            platform: platform.map(PlatformId::new),
            subject: SubjectId::parse(&format!("p{who}")).unwrap(),
            department: department.map(str::to_owned),
        }
    }

    fn count(count: u64) -> Sums {
        Sums {
            count,
            ..Sums::default()
        }
    }

    /// So many people of a department on one platform, one flow each, from that number on.
    fn people(from: usize, number: usize, department: &str) -> Counted {
        let people = from..from + number;
        people
            .map(|who| (seat(who, Some("x"), Some(department)), count(1)))
            .collect()
    }

    fn departments(counted: &Counted) -> Vec<(Option<String>, u64)> {
        let told = told(counted).into_iter();
        let of = told.filter_map(|figure| match figure.part {
            Part::Department(name) => Some((name, figure.sums.count)),
            Part::Whole | Part::Platform(_) => None,
        });
        of.collect()
    }

    #[test]
    fn four_people_are_as_nobody_and_five_are_told() {
        assert_eq!(told(&people(0, 4, "hr")), []);
        let five = told(&people(0, 5, "hr"));
        let parts: Vec<(&Part, Option<u64>, u64)> = five
            .iter()
            .map(|figure| (&figure.part, figure.people, figure.sums.count))
            .collect();
        let hr = Part::Department(Some("hr".to_owned()));
        let x = Part::Platform(Some("x".to_owned()));
        assert_eq!(parts, [(&Part::Whole, Some(5), 5), (&x, None, 5), (&hr, Some(5), 5)]);
    }

    #[test]
    fn a_small_department_takes_the_smallest_of_the_others_with_it_and_is_not_named() {
        let mut counted = people(0, 9, "hr");
        counted.extend(people(10, 6, "it"));
        counted.extend(people(20, 2, "legal"));
        assert_eq!(departments(&counted), [(Some("hr".to_owned()), 9), (None, 8)]);
        // small ones that are enough together need no other
        counted.extend(people(30, 4, "press"));
        let told = departments(&counted);
        assert_eq!(
            told,
            [(Some("hr".to_owned()), 9), (Some("it".to_owned()), 6), (None, 6)]
        );
    }

    #[test]
    fn the_same_few_on_two_platforms_are_still_few() {
        let mut counted = people(0, 9, "hr");
        for who in 0..3 {
            counted.insert(seat(who, Some("xing"), Some("hr")), count(1));
            counted.insert(seat(who, Some("linkedin"), Some("hr")), count(1));
        }
        let platforms = told(&counted).into_iter().filter_map(|figure| match figure.part {
            Part::Platform(name) => Some((name, figure.sums.count)),
            Part::Whole | Part::Department(_) => None,
        });
        // three people behind six flows: so `x` is pooled with them
        assert_eq!(platforms.collect::<Vec<_>>(), [(None, 15)]);
    }

    #[test]
    fn what_a_department_did_on_a_platform_cannot_be_taken_from_what_others_did_there() {
        let on = |from: usize, number: usize, platform: &str, department: &str| -> Counted {
            let people = from..from + number;
            people
                .map(|who| (seat(who, Some(platform), Some(department)), count(1)))
                .collect()
        };
        // nine of hr and one of it on linkedin, five of it on xing: linkedin without hr would be that one
        let mut counted = on(0, 9, "linkedin", "hr");
        counted.extend(on(10, 5, "xing", "it"));
        let whole = departments(&counted);
        assert_eq!(whole, [(Some("hr".to_owned()), 9), (Some("it".to_owned()), 5)]);
        counted.extend(on(20, 1, "linkedin", "it"));
        assert_eq!(departments(&counted), [(None, 15)]);
        counted.extend(on(21, 4, "linkedin", "it"));
        assert_eq!(
            departments(&counted),
            [(Some("hr".to_owned()), 9), (Some("it".to_owned()), 10)]
        );
    }

    proptest! {
        /// Whoever takes what is told from the whole is left with nothing, or with five people at least; and nothing is lost.
        #[test]
        fn no_difference_of_figures_is_that_of_fewer_than_five(
            who in proptest::collection::vec((0_usize..40, 0_usize..6, 0_usize..5, 1_u64..9), 1..120)
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let mut counted = Counted::new();
            for (who, platform, department, flows) in who {
                let platform = (platform < 5).then(|| names[platform]);
                counted.entry(seat(who, platform, Some(names[department]))).or_default().add(&count(flows));
            }
            let everybody: BTreeSet<&SubjectId> = counted.keys().map(|seat| &seat.subject).collect();
            let told = told(&counted);
            prop_assert_eq!(told.is_empty(), everybody.len() < SMALLEST);
            for kind in ["platform", "department"] {
                let parts: Vec<&Figure> = told.iter().filter(|figure| figure.part.kind() == kind).collect();
                let whole = told.iter().find(|figure| figure.part == Part::Whole);
                let sum: u64 = parts.iter().map(|figure| figure.sums.count).sum();
                prop_assert_eq!(sum, whole.map_or(0, |whole| whole.sums.count));
                for part in &parts {
                    let homes = |subject: &SubjectId| counted.keys().find(|seat| seat.subject == *subject)
                        .and_then(|seat| seat.department.clone());
                    let behind = |name: &str| -> BTreeSet<&SubjectId> {
                        let is = |seat: &&Seat| match kind {
                            "platform" => seat.platform.as_ref().is_some_and(|one| one.as_str() == name),
                            _ => homes(&seat.subject).as_deref() == Some(name),
                        };
                        counted.keys().filter(is).map(|seat| &seat.subject).collect()
                    };
                    // and on each platform that is told, the others together too, each department has enough or nobody
                    if kind == "department" && parts.len() > 1 {
                        let told_platforms: BTreeSet<&str> = told.iter()
                            .filter(|figure| figure.part.kind() == "platform").filter_map(|figure| figure.part.name()).collect();
                        let told_homes: BTreeSet<&str> = parts.iter().filter_map(|part| part.part.name()).collect();
                        let mut there: BTreeMap<Option<String>, BTreeSet<&SubjectId>> = BTreeMap::new();
                        for seat in counted.keys() {
                            let home = homes(&seat.subject).filter(|home| told_homes.contains(&**home));
                            if home.as_deref() == part.part.name() {
                                let platform = seat.platform.as_ref().map(|one| one.as_str().to_owned());
                                let platform = platform.filter(|one| told_platforms.contains(&**one));
                                there.entry(platform).or_default().insert(&seat.subject);
                            }
                        }
                        prop_assert!(there.values().all(|people| people.len() >= SMALLEST), "{:?}", there);
                    }
                    if let Some(name) = part.part.name() {
                        prop_assert!(behind(name).len() >= SMALLEST);
                    } else {
                        let named: BTreeSet<&str> = parts.iter().filter_map(|part| part.part.name()).collect();
                        let left = counted.keys().filter(|seat| match kind {
                            "platform" => seat.platform.as_ref().is_none_or(|one| !named.contains(one.as_str())),
                            _ => homes(&seat.subject).is_none_or(|home| !named.contains(&*home)),
                        });
                        let left: BTreeSet<&SubjectId> = left.map(|seat| &seat.subject).collect();
                        prop_assert!(left.len() >= SMALLEST, "{:?}", left);
                    }
                }
            }
        }
    }
}
