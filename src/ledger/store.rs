//! Where the ledger is kept, as its writer sees it: a place that takes changes, each of them whole or not at all.
//!
//! What may be kept is not for a store to say (`becoming.rs`, `ending.rs`): it finds, counts and writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ending::{OnRecord, Untold};
use super::error::LedgerError;
use super::promise::Leftover;
use super::view::Tally;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, PurposeId, SubjectId};

/// What is asked, from any thread, to learn whether changes can be kept, without making one.
pub(super) type Place = Arc<dyn Fn() -> Result<(), LedgerError> + Send + Sync>;

/// What a store holds when it is opened.
pub(super) struct Held {
    /// Of each person what waits and what is in force, and the latest of what is over.
    pub(super) by_subject: BTreeMap<SubjectId, Vec<Grant>>,
    /// How many there are, those included that are not among these.
    pub(super) tallies: BTreeMap<PurposeId, Tally>,
}

/// A place where grants and promises are kept. It belongs to the one thread that changes the ledger.
pub(super) trait Store: Send + 'static {
    /// A change that is being made.
    type Change<'a>: Change
    where
        Self: 'a;

    /// Reads what people hold and asked for, and the latest of what they held.
    fn held(&mut self) -> Result<Held, LedgerError>;

    /// The promises that were not forgotten, and whether they were kept.
    fn promises(&mut self) -> Result<Vec<Leftover>, LedgerError>;

    /// What ended, and was not said to be told, as it is by now.
    fn untold(&mut self) -> Result<Vec<Untold>, LedgerError>;

    /// Begins a change. While it is being made, nobody makes another.
    fn begin(&mut self) -> Result<Self::Change<'_>, LedgerError>;

    /// How it is about the place itself.
    fn place(&self) -> Place;
}

/// A change that is being made. Dropped before it is [committed](Change::commit), it leaves everything as it was.
pub(super) trait Change {
    /// One grant.
    fn find(&mut self, id: &GrantId) -> Result<Option<Grant>, LedgerError>;

    /// How many grants like this one its holder has that have not ended, and not expired when it begins. What somebody
    /// continued past is counted by itself, so that it never stands in the way of a purpose; and so is what waits: all
    /// of it, also where nobody has noticed yet that it lapsed.
    fn beside(&mut self, grant: &Grant) -> Result<usize, LedgerError>;

    /// What the person asked for already, for the same purpose on the same platforms, and was not answered; what was
    /// asked for first comes first.
    fn asked_alike(&mut self, request: &Grant) -> Result<Vec<Grant>, LedgerError>;

    /// Writes a grant, in the place of the one of its name if there is one.
    fn write(&mut self, grant: &Grant) -> Result<(), LedgerError>;

    /// Notes when grants that are in force were used last.
    fn used(&mut self, uses: &[(GrantId, Timestamp)]) -> Result<(), LedgerError>;

    /// Takes back a grant of which nobody knows whether it was kept: it is again what it `was` before, or nothing, and the
    /// book has nothing to say of its end.
    fn take_back(&mut self, id: &GrantId, was: Option<&Grant>) -> Result<(), LedgerError>;

    /// Whether a grant is about to be recorded and given.
    fn is_promised(&mut self, id: &GrantId) -> Result<bool, LedgerError>;

    /// Notes that a grant is about to be recorded, in this segment of the book or a later one, and given.
    fn promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError>;

    /// Forgets a promise, if there is one: it was kept, or the book says that it was not.
    fn forget(&mut self, id: &GrantId) -> Result<(), LedgerError>;

    /// Notes that a grant ended, of which the book is to say so.
    fn ends(&mut self, id: &GrantId, on_record: &OnRecord) -> Result<(), LedgerError>;

    /// Forgets that, if it is noted: the book says so.
    fn told(&mut self, id: &GrantId) -> Result<(), LedgerError>;

    /// INVARIANT: durable when this succeeds. When it fails, nobody knows.
    fn commit(self) -> Result<(), LedgerError>
    where
        Self: Sized;
}
