//! How much purposes are used: counted in memory as flows end and grants are given, and added to the ledger in bulk.
//!
//! ```text
//!  book's records ── saw ──> usage, in memory ── every half a minute ──> rows by week and person ── once the week is over
//!                                                                              └──> figures of groups; the rows are forgotten
//! ```
//!
//! It is counted, not accounted for: what is counted in memory when the process dies is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::facts::{
    Act, DecisionNote, End, Ending, Grant, GrantAct, GrantState, PlatformId, PurposeId, Record, SubjectId,
};

/// A week, from Monday to Sunday in UTC: so many Mondays after that of 29 December 1969.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(i64);

impl Week {
    const LENGTH: Duration = Duration::from_hours(7 * 24);
    /// 1 January 1970 was a Thursday.
    const FIRST: i64 = -3 * 24 * 3_600_000;

    /// The last one that there is.
    pub(super) const LAST: Self = Self(i64::MAX);

    /// The week with this number.
    pub(super) const fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    pub(super) const fn number(self) -> i64 {
        self.0
    }

    /// The week in which `at` lies.
    pub fn of(at: Timestamp) -> Self {
        let length = i64::try_from(Self::LENGTH.as_millis()).unwrap_or(i64::MAX);
        Self(at.as_millis().saturating_sub(Self::FIRST).div_euclid(length))
    }

    /// Its first moment.
    pub fn begins(self) -> Timestamp {
        let length = i64::try_from(Self::LENGTH.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_mul(length).saturating_add(Self::FIRST))
    }

    /// The week so many weeks before it.
    #[must_use]
    pub fn before(self, weeks: u16) -> Self {
        Self(self.0.saturating_sub(i64::from(weeks)))
    }

    /// The week after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Its Monday: `2026-11-23`.
impl fmt::Display for Week {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let monday = self.begins().calendar().to_zoned(jiff::tz::TimeZone::UTC);
        fmt::Display::fmt(&monday.date(), out)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Grants that were given.
    Grants,
    /// Flows that passed under them.
    Flows,
    /// What holders said came of them.
    Value,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Grants, Self::Flows, Self::Value];

    /// The name used in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Flows => "flows",
            Self::Value => "value",
        }
    }

    /// The measure of that name.
    pub(super) fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.as_str() == name)
    }
}

/// What was counted for one person, purpose and platform in one week.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat {
    pub(super) week: Week,
    pub(super) measure: Measure,
    pub(super) purpose: PurposeId,
    /// None where there is no platform, or more than one.
    pub(super) platform: Option<PlatformId>,
    pub(super) subject: SubjectId,
    /// None where the directory does not know the person.
    pub(super) department: Option<String>,
}

/// How much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Grants, or flows, or what holders said in numbers.
    pub count: u64,
    /// Bytes from clients to sites.
    pub bytes_up: u64,
    /// Bytes from sites to clients.
    pub bytes_down: u64,
    /// How long the flows took, taken together.
    pub millis: u64,
}

impl Sums {
    /// Adds `more`.
    pub fn add(&mut self, more: &Self) {
        self.count = self.count.saturating_add(more.count);
        self.bytes_up = self.bytes_up.saturating_add(more.bytes_up);
        self.bytes_down = self.bytes_down.saturating_add(more.bytes_down);
        self.millis = self.millis.saturating_add(more.millis);
    }
}

/// What was counted.
pub(super) type Counted = BTreeMap<Seat, Sums>;

/// What was counted and is not in the ledger yet; clones count together.
#[derive(Clone, Default)]
pub struct Usage(Arc<Mutex<Counted>>);

impl Usage {
    /// Counts what a record tells: a flow that passed under a grant, or that a grant was given. `department` finds that of a
    /// person.
    pub fn saw(&self, record: &Record, department: impl FnOnce(&SubjectId) -> Option<String>) {
        match &record.act {
            Act::Closing {
                seen,
                decided: Some(note),
                ended,
            } => {
                let subject = seen.subject.as_ref().map(|subject| &subject.id);
                if let Some((purpose, subject)) = passed_for(note, ended).zip(subject) {
                    let seat = Seat {
                        week: Week::of(ended_at(record.at, ended)),
                        measure: Measure::Flows,
                        purpose: purpose.clone(),
                        platform: note.platform.clone(),
                        subject: subject.clone(),
                        department: department(subject),
                    };
                    let sums = Sums {
                        count: 1,
                        bytes_up: ended.bytes_up,
                        bytes_down: ended.bytes_down,
                        millis: ended.duration_ms,
                    };
                    self.add(seat, &sums);
                }
            }
            Act::Grant {
                act: GrantAct::Granted | GrantAct::Approved | GrantAct::BrokeGlass,
                grant,
                ..
            } => {
                let one = Sums {
                    count: 1,
                    ..Sums::default()
                };
                self.add(seat_of(grant, record.at, department), &one);
            }
            // it was recorded as given a moment ago, and never counted
            Act::Grant {
                act: GrantAct::Void,
                grant,
                ..
            } if states_a_purpose(grant) => self.take_back(&seat_of(grant, record.at, department)),
            Act::Closing { .. }
            | Act::Grant { .. }
            | Act::Opening { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Stray { .. }
            | Act::Gateway { .. } => {}
        }
    }

    fn add(&self, seat: Seat, sums: &Sums) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.entry(seat).or_default().add(sums);
    }

    /// One of these was none.
    fn take_back(&self, seat: &Seat) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sums) = counted.get_mut(seat) else { return };
        sums.count = sums.count.saturating_sub(1);
        if sums.count == 0 {
            counted.remove(seat);
        }
    }

    /// What was counted since this was asked last.
    pub(super) fn take(&self) -> Counted {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// It could not be added: it counts on.
    pub(super) fn give_back(&self, counted: Counted) {
        for (seat, sums) in counted {
            self.add(seat, &sums);
        }
    }
}

/// Where a grant is counted that was given at that moment.
fn seat_of(grant: &Grant, at: Timestamp, department: impl FnOnce(&SubjectId) -> Option<String>) -> Seat {
    Seat {
        week: Week::of(at),
        measure: Measure::Grants,
        purpose: grant.purpose.clone(),
        platform: only_platform(grant),
        subject: grant.subject.clone(),
        department: department(&grant.subject),
    }
}

/// Whether a grant is given, rather than asked for or answered otherwise, for a purpose.
fn states_a_purpose(grant: &Grant) -> bool {
    grant.state == GrantState::Active && grant.continued.is_none() && grant.delegated.is_none()
}

/// The platform of a grant that is for one alone: each grant counts once.
pub(super) fn only_platform(grant: &Grant) -> Option<PlatformId> {
    let mut platforms = grant.platforms.iter();
    let first = platforms.next()?;
    platforms.next().is_none().then(|| first.clone())
}

/// What a flow that passed under a grant was for.
fn passed_for<'a>(note: &'a DecisionNote, ended: &Ending) -> Option<&'a PurposeId> {
    let passed = match ended.end {
        End::Completed | End::Cut(_) | End::Abandoned => note.grant.is_some(),
        End::Refused | End::Challenged | End::Failed { .. } => false,
    };
    let purpose = note.purpose.as_ref().filter(|_| passed)?;
    // what somebody continued past states no purpose
    (purpose.as_str() != PurposeId::CONTINUED).then_some(purpose)
}

fn ended_at(began: Timestamp, ended: &Ending) -> Timestamp {
    began.plus(Duration::from_millis(ended.duration_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What a record of that act says of a grant for recruiting on `LinkedIn`.
    fn said(act: GrantAct, state: &str) -> Record {
        let record = serde_json::json!({
            "v": 1, "id": "01a2059d-b664-7ced-a00f-becb38361f7b", "at": "2026-11-24T12:00:00Z", "kind": "grant", "act": act,
            "by": "ada", "rulebook": "none", "policies": [],
            "grant": {
                "id": "01a2059d-b664-7ced-a00f-becb38361f7c", "subject": "ada", "purpose": "recruiting",
                "platforms": ["linkedin"], "covers": ["read"], "statement": "", "ticket": null, "channel": "portal",
                "declared_at": "2026-11-24T12:00:00Z", "not_before": "2026-11-24T12:00:00Z",
                "expires": "2026-11-24T13:00:00Z", "state": state,
            },
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn what_was_recorded_as_given_and_never_counted_is_not_counted() {
        let usage = Usage::default();
        let saw = |act, state| usage.saw(&said(act, state), |_| Some("hr".to_owned()));
        saw(GrantAct::Granted, "active");
        saw(GrantAct::Granted, "active");
        saw(GrantAct::Void, "active");
        // that somebody's question never counted says nothing of what was given
        saw(GrantAct::Requested, "requested");
        saw(GrantAct::Void, "requested");
        let counted = usage.take();
        let counts: Vec<u64> = counted.values().map(|sums| sums.count).collect();
        assert_eq!(counts, [1]);
        saw(GrantAct::Approved, "active");
        saw(GrantAct::Void, "active");
        saw(GrantAct::Void, "active");
        assert!(usage.take().is_empty());
    }

    #[test]
    fn a_week_begins_on_monday_at_midnight() {
        let week = Week::of(at("2026-11-24T12:00:00Z"));
        assert_eq!(week.to_string(), "2026-11-23");
        assert_eq!(week.begins(), at("2026-11-23T00:00:00Z"));
        assert_eq!(Week::of(at("2026-11-23T00:00:00Z")), week);
        assert_eq!(Week::of(at("2026-11-22T23:59:59.999Z")), week.before(1));
        assert_eq!(Week::of(at("2026-11-30T00:00:00Z")), week.next());
        assert_eq!(Week::of(at("1969-12-31T00:00:00Z")).to_string(), "1969-12-29");
    }
}
