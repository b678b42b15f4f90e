//! Whose approval a purpose takes: nobody's, somebody's, that of so many of those whom it names, or of somebody for each.
//!
//! What people approved says as what they did ([`Answer::seats`]), so that it counts as it was given, whatever becomes of
//! them; and each person counts once. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::terms::Purpose;
use crate::facts::{Answer, BadName, Person, SubjectId, Verdict};

/// Who must approve a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// Whom it names; nobody: none is needed.
    pub of: Vec<Approver>,
    /// How many of them.
    pub needed: Needed,
}

/// How many of those who are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// So many different people.
    People(usize),
    /// For each that is named somebody, all of them different people.
    Each,
}

impl Default for Needed {
    fn default() -> Self {
        Self::People(1)
    }
}

/// Who may answer as well once a request has waited for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternates {
    /// For how long.
    pub after: Duration,
    /// Whom it names.
    pub who: Vec<Approver>,
}

/// As what alternates answer: they stand in for any of those who are named.
pub const ALTERNATE: &str = "alternate";

/// Somebody whom a purpose names to approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approver {
    /// The business owner of the purpose; where that is who asks, their line manager.
    Owner,
    /// The line manager of whoever asks.
    Manager,
    /// Anybody in this role or department.
    Group(String),
    /// One person.
    Person(SubjectId),
}

const OWNER: &str = "owner";
const MANAGER: &str = "manager";
const GROUP: &str = "group:";

impl Approver {
    /// Reads `owner`, `manager`, `group:legal`, or the name of a person.
    pub fn parse(word: &str) -> Result<Self, BadName> {
        match word {
            OWNER => Ok(Self::Owner),
            MANAGER => Ok(Self::Manager),
            word => match word.strip_prefix(GROUP) {
                Some(group) => Ok(Self::Group(group.to_owned())),
                None => SubjectId::parse(word).map(Self::Person),
            },
        }
    }
}

impl fmt::Display for Approver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => out.write_str(OWNER),
            Self::Manager => out.write_str(MANAGER),
            Self::Group(group) => write!(out, "{GROUP}{group}"),
            Self::Person(id) => out.write_str(id.as_str()),
        }
    }
}

impl Approval {
    /// The business owner's.
    pub fn by_owner() -> Self {
        Self {
            of: vec![Approver::Owner],
            ..Self::default()
        }
    }

    /// The line manager's, or the business owner's.
    pub fn by_manager() -> Self {
        Self {
            of: vec![Approver::Owner, Approver::Manager],
            ..Self::default()
        }
    }

    /// Whether anybody must approve.
    pub fn is_needed(&self) -> bool {
        !self.of.is_empty()
    }

    /// How many people must approve.
    pub fn how_many(&self) -> usize {
        match self.needed {
            Needed::People(_) if self.of.is_empty() => 0,
            Needed::People(count) => count,
            Needed::Each => self.of.len(),
        }
    }

    /// How many approvals are still missing after these answers.
    pub fn missing(&self, answers: &[Answer]) -> usize {
        let (mut people, mut given) = (BTreeSet::new(), Vec::new());
        for answer in answers.iter().filter(|answer| answer.verdict == Verdict::Approved) {
            let seats: Vec<usize> = self.seats_of(answer).collect();
            if !seats.is_empty() && people.insert(&answer.by) {
                given.push(seats);
            }
        }
        let counting = match self.needed {
            Needed::People(_) => given.len(),
            Needed::Each => seated(&given, self.of.len()),
        };
        self.how_many().saturating_sub(counting)
    }

    /// Which of those who are named an approval stands for, as far as they still are.
    fn seats_of(&self, answer: &Answer) -> impl Iterator<Item = usize> {
        let stands_in = answer.seats.contains(ALTERNATE);
        let seats = self.of.iter().enumerate();
        seats.filter_map(move |(number, one)| (stands_in || answer.seats.contains(&one.to_string())).then_some(number))
    }
}

/// For how many seats there is somebody, each of whom can take some of them and takes one at most: a greatest matching.
fn seated(people: &[Vec<usize>], seats: usize) -> usize {
    let mut taken: Vec<Option<usize>> = vec![None; seats];
    (0..people.len())
        .filter(|person| finds_a_seat(*person, people, &mut taken, &mut BTreeSet::new()))
        .count()
}

/// Whether `person` finds a seat, where others may move to another one that they can take.
fn finds_a_seat(
    person: usize,
    people: &[Vec<usize>],
    taken: &mut [Option<usize>],
    tried: &mut BTreeSet<usize>,
) -> bool {
    for seat in people.get(person).into_iter().flatten() {
        if !tried.insert(*seat) {
            continue;
        }
        let sits = taken.get(*seat).copied().flatten();
        if sits.is_none_or(|other| finds_a_seat(other, people, taken, tried)) {
            if let Some(place) = taken.get_mut(*seat) {
                *place = Some(person);
            }
            return true;
        }
    }
    false
}

impl Purpose {
    /// Who answers what somebody asks for; where the terms ask for nobody's approval, as after they changed, whoever owns the
    /// purpose or leads who asked.
    pub fn answering(&self) -> Approval {
        if self.approval.is_needed() {
            self.approval.clone()
        } else {
            Approval::by_manager()
        }
    }

    /// As what `person` may answer what `who` asks for, whose manager that is, and has waited for so long: of those whom the
    /// terms name, or as an alternate.
    pub fn seats(
        &self,
        person: &Person,
        (who, manager): (&SubjectId, Option<&SubjectId>),
        waited: Duration,
    ) -> BTreeSet<String> {
        if person.id == *who {
            return BTreeSet::new();
        }
        let fits = |one: &&Approver| match one {
            Approver::Group(group) => person.roles.contains(group) || person.departments.contains(group),
            Approver::Owner | Approver::Manager | Approver::Person(_) => {
                self.named(one, who, manager).is_some_and(|id| *id == person.id)
            }
        };
        let answering = self.answering();
        let own: BTreeSet<String> = answering.of.iter().filter(fits).map(ToString::to_string).collect();
        let others = self.alternates.as_ref().filter(|alternates| alternates.after <= waited);
        if own.is_empty() && others.is_some_and(|alternates| alternates.who.iter().any(|one| fits(&one))) {
            return BTreeSet::from([ALTERNATE.to_owned()]);
        }
        own
    }

    /// Those whom the terms name one by one to answer what `who` asks for: never them, whose manager stands in for an owner.
    pub fn approvers_for(&self, who: &SubjectId, manager: Option<&SubjectId>) -> Vec<SubjectId> {
        let mut approvers: Vec<SubjectId> = Vec::new();
        for one in &self.answering().of {
            let named = self.named(one, who, manager).filter(|id| *id != who);
            let is_new = |id: &&SubjectId| !approvers.contains(id);
            approvers.extend(named.filter(is_new).cloned().into_iter().collect::<Vec<_>>());
        }
        approvers
    }

    /// Whom the terms name, in words: people by their names, groups by theirs.
    pub fn named_in_words(&self, who: &SubjectId, manager: Option<&SubjectId>) -> Vec<String> {
        let groups = self.approval.of.iter().filter(|one| matches!(one, Approver::Group(_)));
        let people = self.approvers_for(who, manager).into_iter();
        people
            .map(|id| id.to_string())
            .chain(groups.map(ToString::to_string))
            .collect()
    }

    /// Somebody whose approval is supposed where it is tried out what one would do; none where there is nobody.
    pub fn supposed_approver(&self, who: &SubjectId, manager: Option<&SubjectId>) -> Option<SubjectId> {
        let first = self.approvers_for(who, manager).into_iter().next();
        first.or_else(|| {
            self.named(&Approver::Owner, who, manager)
                .filter(|id| *id != who)
                .cloned()
        })
    }

    fn named<'a>(
        &'a self,
        one: &'a Approver,
        who: &SubjectId,
        manager: Option<&'a SubjectId>,
    ) -> Option<&'a SubjectId> {
        match one {
            Approver::Owner if self.business_owner == *who => manager,
            Approver::Owner => Some(&self.business_owner),
            Approver::Manager => manager,
            Approver::Person(id) => Some(id),
            Approver::Group(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn chain(of: &[&str], needed: Needed) -> Approval {
        Approval {
            of: of.iter().map(|word| Approver::parse(word).unwrap()).collect(),
            needed,
        }
    }

    /// `sol=owner,group:legal` approved as either.
    fn approved(line: &str) -> Answer {
        let (by, seats) = line.split_once('=').unwrap();
        Answer {
            seats: seats.split(',').map(str::to_owned).collect(),
            ..Answer::approval(SubjectId::parse(by).unwrap(), Timestamp::from_millis(1))
        }
    }

    fn missing(chain: &Approval, lines: &[&str]) -> usize {
        let answers: Vec<Answer> = lines.iter().map(|line| approved(line)).collect();
        chain.missing(&answers)
    }

    #[test]
    fn so_many_different_people_are_needed_and_nobody_counts_twice() {
        let two = chain(&["owner", "group:legal"], Needed::People(2));
        for (answers, still) in [
            (vec![], 2),
            (vec!["sol=owner"], 1),
            (vec!["sol=owner", "sol=group:legal"], 1),
            (vec!["lea=group:legal", "luc=group:legal"], 0),
            (vec!["lea=group:legal", "luc=group:legal", "sol=owner"], 0),
            (vec!["lea=group:brand", "sol=owner"], 1),
        ] {
            assert_eq!(missing(&two, &answers), still, "{answers:?}");
        }
        let declined = Answer {
            verdict: Verdict::Declined,
            ..approved("lea=group:legal")
        };
        assert_eq!(two.missing(&[declined]), 2);
    }

    #[test]
    fn where_each_is_needed_nobody_stands_for_two_and_all_are_seated_where_they_can_be() {
        let each = chain(&["owner", "group:legal", "group:brand"], Needed::Each);
        for (answers, still) in [
            (vec!["lea=group:legal", "luc=group:legal"], 2),
            (vec!["sol=owner,group:legal"], 2),
            (vec!["sol=owner,group:legal", "lea=group:legal"], 1),
            (
                vec![
                    "sol=group:legal,owner",
                    "lea=group:legal,group:brand",
                    "luc=group:legal",
                ],
                0,
            ),
            (vec!["sol=owner", "lea=group:legal", "luc=group:legal"], 1),
        ] {
            assert_eq!(missing(&each, &answers), still, "{answers:?}");
        }
    }

    #[test]
    fn an_alternate_stands_in_for_anybody_and_for_one_of_them_only() {
        let each = chain(&["owner", "group:legal"], Needed::Each);
        for (answers, still) in [
            (vec!["otto=alternate"], 1),
            (vec!["otto=alternate", "sol=owner"], 0),
            (vec!["otto=alternate", "lea=group:legal"], 0),
            (vec!["otto=alternate", "otto=alternate"], 1),
        ] {
            assert_eq!(missing(&each, &answers), still, "{answers:?}");
        }
    }

    #[test]
    fn nobody_is_needed_where_nobody_is_named() {
        assert_eq!(
            (Approval::default().missing(&[]), Approval::default().is_needed()),
            (0, false)
        );
        assert_eq!(
            (Approval::by_owner().missing(&[]), Approval::by_manager().how_many()),
            (1, 1)
        );
    }

    #[test]
    fn whom_a_purpose_names_is_read_as_it_is_written() {
        for word in ["owner", "manager", "group:legal", "alice"] {
            assert_eq!(Approver::parse(word).unwrap().to_string(), word);
        }
        assert!(Approver::parse("two words").is_err());
    }
}
