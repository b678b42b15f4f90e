//! What came of a grant, as its holder says once it is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::said::{Answer, Emergency, Ended};
use super::standing::{Grant, GrantState};
use crate::clock::Timestamp;

/// What somebody says that came of a grant of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When they said so first.
    pub at: Timestamp,
    /// When they corrected it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
    /// How much, in what the value of the purpose is counted in; none where they gave no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// What, in their own words. Not judged, so records of requests leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Their department when they said it: amounts are added up by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Whether it is added up: then only that they said something is kept, and nothing of what.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

/// How much of its use a crash may make a grant forget, as long as the disk takes changes: so much longer may it go unused
/// after a start, which never ends it early.
pub const USE_FORGOTTEN: Duration = Duration::from_mins(1);

impl Report {
    /// For how long after the end of a grant its holder is asked.
    pub const WITHIN: Duration = Duration::from_hours(14 * 24);

    /// For how long they can correct what they said.
    pub const CORRECTED_WITHIN: Duration = Duration::from_hours(7 * 24);

    /// The greatest amount.
    pub const MOST: u64 = 1_000_000_000;

    /// How many characters a text has at most.
    pub const LONGEST: usize = 500;

    /// Whether they had nothing to say.
    pub fn is_skipped(&self) -> bool {
        self.amount.is_none() && self.text.is_empty() && !self.settled
    }

    /// The same once it is added up.
    #[must_use]
    pub fn settled(&self) -> Self {
        Self {
            at: self.at,
            corrected_at: self.corrected_at,
            amount: None,
            text: String::new(),
            department: None,
            settled: true,
        }
    }

    /// When they said last what it says.
    pub fn said_at(&self) -> Timestamp {
        self.corrected_at.unwrap_or(self.at)
    }
}

impl Grant {
    /// The same without what people wrote: neither statement nor notes nor reasons nor reports are judged.
    #[must_use]
    pub fn silent(&self) -> Self {
        let silent = |answer: &Answer| Answer {
            note: String::new(),
            ..answer.clone()
        };
        let ended = self.ended.as_ref().map(|ended| Ended {
            why: String::new(),
            ..ended.clone()
        });
        let mut emergency = self.emergency.clone();
        if let Some(Emergency {
            review: Some(review), ..
        }) = &mut emergency
        {
            review.note.clear();
        }
        let mut report = self.report.clone();
        if let Some(report) = &mut report {
            report.text.clear();
        }
        Self {
            statement: String::new(),
            answers: self.answers.iter().map(silent).collect(),
            emergency,
            ended,
            report,
            ..self.clone()
        }
    }

    /// Whether it is known that something passed under it.
    ///
    /// Of what may not go unused the moment of its last use is told from the beginning, and after a start as if it had been
    /// used as late as may have been forgotten: neither is a use.
    pub fn was_used(&self) -> bool {
        let is_supposed = |at: Timestamp| {
            let never = [self.not_before, self.not_before.plus(USE_FORGOTTEN)];
            self.idle.is_some() && never.contains(&at)
        };
        self.used_at.is_some_and(|at| !is_supposed(at))
    }

    /// Whether its holder can say at `now` what came of it: it counted, and is over since not too long ago; or they said so,
    /// and that not too long ago.
    pub fn can_be_reported(&self, now: Timestamp) -> bool {
        let ends = match self.state {
            GrantState::Active | GrantState::Withdrawn | GrantState::Revoked => true,
            GrantState::Requested | GrantState::Declined | GrantState::Lapsed => false,
        };
        let lately = self.report.as_ref().map_or_else(
            || now.since(self.until()) < Report::WITHIN,
            |said| now.since(said.at) < Report::CORRECTED_WITHIN,
        );
        let held = self.continued.is_none() && self.delegated.is_none();
        ends && self.until() <= now && self.was_given() && held && lately
    }

    /// The same once its holder says what came of it; none where they cannot.
    #[must_use]
    pub fn reported(&self, said: Report) -> Option<Self> {
        let can = self.can_be_reported(said.at);
        let first = self.report.as_ref().map(|first| first.at);
        can.then(|| Self {
            report: Some(Report {
                at: first.unwrap_or(said.at),
                corrected_at: first.map(|_| said.at),
                ..said
            }),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::facts::{Answer, Channel, GrantId, GrantTerms, PlatformId, PurposeId, SubjectId};

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_hours(hours))
    }

    /// In force from hour 0 to hour 8.
    fn grant() -> Grant {
        let terms = GrantTerms {
            subject: SubjectId::parse("ada").unwrap(),
            purpose: PurposeId::new("recruiting"),
            platforms: BTreeSet::from([PlatformId::new("linkedin")]),
            covers: BTreeSet::from(["read".to_owned()]),
            statement: String::new(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: at(0),
            not_before: at(0),
            expires: at(8),
            idle: None,
            answers: Vec::new(),
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
        };
        terms.named(GrantId::new("g"))
    }

    fn report(amount: u64, hours: u64) -> Report {
        Report {
            at: at(hours),
            corrected_at: None,
            amount: Some(amount),
            text: String::new(),
            department: None,
            settled: false,
        }
    }

    #[test]
    fn what_came_of_it_is_said_once_it_is_over_and_corrected_for_some_days() {
        let (grant, day) = (grant(), 24);
        assert_eq!(grant.reported(report(3, 7)), None, "it is in force");
        let said = grant.reported(report(3, 8)).unwrap();
        let corrected = said.reported(report(4, 8 + 6 * day)).unwrap();
        let report_now = corrected.report.clone().unwrap();
        assert_eq!(
            (report_now.at, report_now.corrected_at, report_now.amount),
            (at(8), Some(at(8 + 6 * day)), Some(4))
        );
        assert_eq!(corrected.reported(report(5, 8 + 7 * day)), None);
        assert!(grant.reported(report(3, 7 + 14 * day)).is_some());
        assert_eq!(grant.reported(report(3, 8 + 14 * day)), None, "too late");
    }

    #[test]
    fn of_what_never_counted_nobody_says_what_came_of_it() {
        let asked = Grant {
            answer_by: Some(at(4)),
            ..grant()
        };
        let of = |state, ended: Option<Timestamp>, asked: &Grant| {
            let grant = Grant {
                state,
                ended_at: ended,
                ..asked.clone()
            };
            grant.can_be_reported(at(9))
        };
        assert!(!of(GrantState::Requested, None, &asked));
        assert!(!of(GrantState::Withdrawn, Some(at(1)), &asked), "taken back unanswered");
        assert!(!of(GrantState::Declined, Some(at(1)), &asked));
        assert!(!of(GrantState::Lapsed, Some(at(4)), &asked));
        let approved = Grant {
            answers: vec![Answer::approval(SubjectId::parse("hana").unwrap(), at(1))],
            ..asked
        };
        assert!(of(GrantState::Active, None, &approved));
        assert!(of(GrantState::Revoked, Some(at(2)), &grant()));
    }
}
