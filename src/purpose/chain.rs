//! Whose approval a purpose takes: nobody's, somebody's, that of so many of those whom it names, or of somebody for each.
//!
//! What people approved says as what they did ([`Answer::seats`]), so that it counts as it was given, whatever becomes of
//! them; and each person counts once. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::terms::Purpose;
use crate::facts::{Answer, BadName, SubjectId, Verdict};

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

/// Approvals that are still missing, each of which any of these could give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// How many.
    pub needed: usize,
    /// Whose.
    pub of: Vec<SubjectId>,
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
            // as what alternates answer: nobody is taken for one because of their name
            ALTERNATE => Err(BadName::of_something_else(word)),
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
        let given = self.given(answers);
        let counting = match self.needed {
            Needed::People(_) => given.len(),
            Needed::Each => seated(&given, self.of.len()).iter().flatten().count(),
        };
        self.how_many().saturating_sub(counting)
    }

    /// Which approvals are still missing after these answers, and who of those who may give some could give each.
    pub fn lacking(&self, answers: &[Answer], may: &[(SubjectId, BTreeSet<String>)]) -> Vec<Lacking> {
        let who = |fits: &dyn Fn(&BTreeSet<String>) -> bool| -> Vec<SubjectId> {
            let fitting = may.iter().filter(|(_, seats)| fits(seats));
            fitting.map(|(id, _)| id.clone()).collect()
        };
        if let Needed::People(_) = self.needed {
            let (needed, of) = (self.missing(answers), who(&|_| true));
            return Some(Lacking { needed, of })
                .filter(|_| needed > 0)
                .into_iter()
                .collect();
        }
        let given = self.given(answers);
        let taken = seated(&given, self.of.len());
        let mut lacking: Vec<Lacking> = Vec::new();
        let free = taken.iter().enumerate().filter(|(_, sits)| sits.is_none());
        for (seat, _) in free {
            let ways = leads_to(seat, &given, &taken);
            let of = who(&|seats| self.among(seats).any(|one| ways.contains(&one)));
            match lacking.iter_mut().find(|known| known.of == of) {
                Some(known) => known.needed += 1,
                None => lacking.push(Lacking { needed: 1, of }),
            }
        }
        lacking
    }

    /// The seats that each approval which counts can take: nobody approves twice, though they act for two, and nobody's approval
    /// counts twice, though somebody else gave it for them.
    fn given(&self, answers: &[Answer]) -> Vec<Vec<usize>> {
        let (mut people, mut whose, mut given) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for answer in answers.iter().filter(|answer| answer.verdict == Verdict::Approved) {
            let seats: Vec<usize> = self.among(&answer.seats).collect();
            let is_known = people.contains(&answer.by) || whose.contains(answer.whose());
            if !seats.is_empty() && !is_known {
                people.insert(&answer.by);
                whose.insert(answer.whose());
                given.push(seats);
            }
        }
        given
    }

    /// Which of those who are named these are, as far as they still are.
    fn among(&self, named: &BTreeSet<String>) -> impl Iterator<Item = usize> {
        let stands_in = named.contains(ALTERNATE);
        let seats = self.of.iter().enumerate();
        seats.filter_map(move |(number, one)| (stands_in || named.contains(&one.to_string())).then_some(number))
    }
}

/// Who sits where, each of whom can take some of the seats and takes one at most: a greatest matching.
fn seated(people: &[Vec<usize>], seats: usize) -> Vec<Option<usize>> {
    let mut taken: Vec<Option<usize>> = vec![None; seats];
    for person in 0..people.len() {
        finds_a_seat(person, people, &mut taken, &mut BTreeSet::new());
    }
    taken
}

/// The seats from which people can move on so that `free` is taken: it, and those of whoever can move to one of these.
fn leads_to(free: usize, people: &[Vec<usize>], taken: &[Option<usize>]) -> BTreeSet<usize> {
    let mut leads = BTreeSet::from([free]);
    loop {
        let known = leads.len();
        for (seat, sits) in taken.iter().enumerate() {
            let theirs = sits.and_then(|person| people.get(person));
            if theirs.is_some_and(|theirs| theirs.iter().any(|other| leads.contains(other))) {
                leads.insert(seat);
            }
        }
        if leads.len() == known {
            return leads;
        }
    }
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
    pub fn answering(&self) -> Cow<'_, Approval> {
        if self.approval.is_needed() {
            Cow::Borrowed(&self.approval)
        } else {
            Cow::Owned(Approval::by_manager())
        }
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

    /// Whom they name to answer as well, once it has waited for some time; likewise.
    pub fn named_later(&self, who: &SubjectId, manager: Option<&SubjectId>) -> Vec<String> {
        let others = self.alternates.iter().flat_map(|others| &others.who);
        let named = others.filter_map(|one| match one {
            Approver::Group(_) => Some(one.to_string()),
            Approver::Owner | Approver::Manager | Approver::Person(_) => {
                let named = self.named(one, who, manager).filter(|id| *id != who);
                named.map(ToString::to_string)
            }
        });
        let mut later: Vec<String> = Vec::new();
        let at_once = self.named_in_words(who, manager);
        for name in named {
            if !at_once.contains(&name) && !later.contains(&name) {
                later.push(name);
            }
        }
        later
    }

    pub(super) fn named<'a>(
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
    use crate::facts::{Behalf, GrantId};

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
    fn nobody_counts_twice_by_acting_for_others_or_by_having_others_act_for_them() {
        let acting = |by: &str, whom: &str, seat: &str| Answer {
            behalf: Some(Behalf {
                whom: SubjectId::parse(whom).unwrap(),
                delegation: GrantId::new("d"),
            }),
            ..approved(&format!("{by}={seat}"))
        };
        let own = |by: &str, seat: &str| approved(&format!("{by}={seat}"));
        let two = chain(&["owner", "group:legal"], Needed::People(2));
        for (answers, still) in [
            (vec![acting("nora", "mia", "owner")], 1),
            (
                vec![acting("nora", "mia", "owner"), acting("nora", "lea", "group:legal")],
                1,
            ),
            (vec![own("nora", "group:legal"), acting("nora", "mia", "owner")], 1),
            (vec![acting("nora", "mia", "owner"), own("mia", "owner")], 1),
            (
                vec![
                    acting("nora", "lea", "group:legal"),
                    acting("sol", "lea", "group:legal"),
                ],
                1,
            ),
            (vec![acting("nora", "mia", "owner"), own("lea", "group:legal")], 0),
            (
                vec![acting("nora", "mia", "owner"), acting("sol", "lea", "group:legal")],
                0,
            ),
        ] {
            assert_eq!(two.missing(&answers), still, "{answers:?}");
        }
    }

    #[test]
    fn who_could_give_what_is_missing_is_told_for_each_of_it() {
        let may = |line: &str| -> Vec<(SubjectId, BTreeSet<String>)> {
            let people = line.split(' ').map(approved);
            people.map(|one| (one.by, one.seats)).collect()
        };
        let told = |chain: &Approval, answers: &[&str], line: &str| {
            let answers: Vec<Answer> = answers.iter().map(|line| approved(line)).collect();
            let lacking = chain.lacking(&answers, &may(line)).into_iter();
            let told = lacking.map(|one| {
                let names: Vec<&str> = one.of.iter().map(SubjectId::as_str).collect();
                format!("{} of {}", one.needed, names.join(","))
            });
            told.collect::<Vec<_>>().join("; ")
        };
        let two = chain(&["owner", "group:legal"], Needed::People(2));
        assert_eq!(told(&two, &[], "sol=owner lea=group:legal"), "2 of sol,lea");
        assert_eq!(told(&two, &["sol=owner"], "lea=group:legal"), "1 of lea");
        let each = chain(&["owner", "group:legal"], Needed::Each);
        let all = "sol=owner lea=group:legal luc=group:legal";
        assert_eq!(told(&each, &[], all), "1 of sol; 1 of lea,luc");
        assert_eq!(
            told(&each, &["sol=owner"], "lea=group:legal luc=group:legal"),
            "1 of lea,luc"
        );
        let moves = "sol=owner lea=group:legal";
        assert_eq!(told(&each, &["mia=owner,group:legal"], moves), "1 of sol,lea");
        let same = chain(&["owner", "group:legal", "group:brand"], Needed::Each);
        let both = "sol=owner lea=group:legal,group:brand luc=group:legal,group:brand";
        assert_eq!(told(&same, &[], both), "1 of sol; 2 of lea,luc");
        assert_eq!(told(&each, &["sol=owner", "lea=group:legal"], "luc=group:legal"), "");
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
        assert!(Approver::parse("alternate").is_err());
    }
}
