//! One purpose and its terms.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::chain::{Alternates, Approval};
use super::lifetime::Lifetime;
use crate::clock::Timestamp;
use crate::facts::{Category, Person, PlatformId, PurposeId, SubjectId, Wording};

/// The groups of activities that a grant can cover, mildest first.
pub const GROUPS: [&str; 4] = ["read", "engage", "publish", "administer"];

/// Groups of activities in the order in which people hear of them: mildest first.
pub fn mildest_first(covers: &BTreeSet<String>) -> Vec<&str> {
    let mut all: Vec<&str> = covers.iter().map(String::as_str).collect();
    all.sort_by_key(|one| GROUPS.iter().position(|group| group == one).unwrap_or(GROUPS.len()));
    all
}

/// A purpose of the catalogue with its terms.
#[derive(Clone, Debug)]
pub struct Purpose {
    /// The id that rules and records use.
    pub id: PurposeId,
    /// What people call it.
    pub title: Wording,
    /// What it is for, in a sentence or two.
    pub description: Wording,
    /// Who answers for it, and approves where the owner must.
    pub business_owner: SubjectId,
    /// On what ground personal data is processed for it.
    pub basis: Wording,
    /// Who may declare it.
    pub audience: Audience,
    /// The categories of platforms it is meant for, as written.
    pub categories: BTreeSet<Category>,
    /// The platforms it is meant for; those of `categories` among them once they are spelt out.
    pub platforms: BTreeSet<PlatformId>,
    /// The groups of activities that a grant may cover.
    pub covers: BTreeSet<String>,
    /// How long a grant that covers a group lasts and may last.
    pub lifetimes: BTreeMap<String, Lifetime>,
    /// How long a grant that covers a group may go unused; groups that are not named may always.
    pub idle: BTreeMap<String, Duration>,
    /// Who must approve.
    pub approval: Approval,
    /// Who may answer as well once that has waited for some time.
    pub alternates: Option<Alternates>,
    /// For how long a declaration waits for that: then silence declines.
    pub answer_within: Duration,
    /// What ticket a declaration names.
    pub ticket: Option<TicketRule>,
    /// The course that must have been passed to declare it.
    pub training: Option<String>,
    /// How many characters a statement has at least.
    pub statement_min: usize,
    /// What the organisation would rather have used.
    pub alternative: Option<Wording>,
    /// What is counted when its value is: whoever held a grant for it is asked how many. None: nobody is asked.
    pub value_metric: Option<Wording>,
    /// What the owner means to keep of it, and for how long: a note for people. Nothing deletes or keeps by it yet.
    pub retention: Wording,
    /// When its owner looks at it again: an ISO 8601 date.
    pub review: String,
    /// Where the file names what other files must know: (key, word) to (offset, length).
    pub(crate) spans: BTreeMap<(String, String), (usize, usize)>,
}

/// Who may declare a purpose; empty lists: everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Holders of any of these roles …
    pub roles: BTreeSet<String>,
    /// … or members of any of these departments.
    pub departments: BTreeSet<String>,
}

/// What ticket a declaration names.
#[derive(Clone, Debug)]
pub struct TicketRule {
    /// The whole ticket matches this.
    pub pattern: regex::Regex,
    /// The pattern as written.
    pub shown: String,
    /// A ticket that matches.
    pub example: String,
    /// Whether there must be one.
    pub required: bool,
}

impl Audience {
    /// Whether `person` belongs to it.
    pub fn holds(&self, person: &Person) -> bool {
        let everybody = self.roles.is_empty() && self.departments.is_empty();
        everybody || !self.roles.is_disjoint(&person.roles) || !self.departments.is_disjoint(&person.departments)
    }
}

impl Purpose {
    /// Whether `person` belongs to the audience and has passed the course that it takes.
    pub fn is_open_to(&self, person: &Person, at: Timestamp) -> bool {
        self.audience.holds(person) && self.trained(person, at)
    }

    /// Whether `person` has passed the course that the purpose takes.
    pub fn trained(&self, person: &Person, at: Timestamp) -> bool {
        self.training
            .as_ref()
            .is_none_or(|course| person.training.get(course).is_some_and(|until| *until > at))
    }

    /// The day on which its owner is to look at it again.
    pub fn review_day(&self) -> Option<Date> {
        self.review.parse().ok()
    }

    /// Whether that day has passed.
    pub fn is_past_review(&self, at: Timestamp) -> bool {
        let today = at.calendar().to_zoned(TimeZone::UTC).date();
        self.review_day().is_some_and(|day| day < today)
    }

    /// How long a grant that covers `covers` lasts unless the declaration says otherwise: as its strictest group.
    pub fn default_for(&self, covers: &BTreeSet<String>) -> Duration {
        self.shortest(covers, |lifetime| lifetime.default_for)
    }

    /// How long a grant that covers `covers` may last.
    pub fn longest_for(&self, covers: &BTreeSet<String>) -> Duration {
        self.shortest(covers, |lifetime| lifetime.longest_for)
    }

    /// How long a grant that covers `covers` may go unused, as its strictest group; none: until it expires.
    pub fn idle_for(&self, covers: &BTreeSet<String>) -> Option<Duration> {
        covers.iter().filter_map(|group| self.idle.get(group)).min().copied()
    }

    fn shortest(&self, covers: &BTreeSet<String>, which: impl Fn(&Lifetime) -> Duration) -> Duration {
        let known = |group: &String| self.lifetimes.get(group).map(&which);
        covers.iter().filter_map(known).min().unwrap_or_default()
    }
}
