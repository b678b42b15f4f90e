//! A week of which people are told: noted in the outbox with the change that settles its figures, once, and kept there like
//! everything else of which they are told.
//!
//! What is settled is what `/value` tells for good: how much purposes were used in a week, and what came of them, which can be
//! corrected for a week more. So a digest speaks of the week before the last one. A gateway that was off for weeks notes the
//! last that is settled, and what is older is told no more ([`Brought::is_latest`]).

use std::time::Duration;

use super::Ledger;
use super::adding::Through;
use super::error::LedgerError;
use super::figures::Figure;
use super::store::Change;
use super::usage::Week;
use crate::clock::Timestamp;

/// A week of which all that is told is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The week.
    pub week: Week,
    /// What is told of it, and of the week before it: of each purpose, taken as a whole.
    pub figures: Vec<Figure>,
}

impl Brought {
    /// Whether there is no later week of which the same holds.
    pub fn is_latest(&self, now: Timestamp) -> bool {
        Through::at(now).settled() <= Some(self.week)
    }

    /// What is told of one of its two weeks.
    pub fn of(&self, week: Week) -> impl Iterator<Item = &Figure> {
        self.figures.iter().filter(move |figure| figure.week == week)
    }
}

/// Notes that people are to be told of the last week that is settled, so long `after` it was.
pub(super) fn owe_digest(
    change: &mut impl Change,
    (due, now): (Through, Timestamp),
    after: Duration,
) -> Result<(), LedgerError> {
    let Some(week) = due.settled() else { return Ok(()) };
    let begins = Week::of(now).begins().plus(after);
    change.owe_digest(week, begins.max(now))
}

impl Ledger {
    /// From now on people are told of each week once its figures are settled, so long after that Monday began.
    pub fn tells_weeks(&self, after: Duration) {
        // whoever says it twice is heard once
        let _ = self.digests.set(after);
    }
}
