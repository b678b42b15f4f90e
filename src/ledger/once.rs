//! Calls that are done once, however often they are sent: what came of one is kept with it, in the same change, for a day.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::ending::{Ending, OnRecord};
use super::error::LedgerError;
use super::promise::Telling;
use super::store::{Change, Store};
use super::writer::{Ends, Keeper};
use crate::clock::Timestamp;
use crate::facts::{Ended, Grant, GrantId, GrantState, SubjectId};

/// For how long it is known what was done.
const KEPT: Duration = Duration::from_hours(24);
/// How many grants are noted of what ended at once.
const NAMED: usize = 100;

/// A call that is to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Who sent it.
    pub by: SubjectId,
    /// What they call it: the digest of the key that they gave.
    pub key: String,
    /// What it asks for: a digest of it.
    pub call: String,
    /// When.
    pub at: Timestamp,
    /// Of what it would end, how much its sender knows of and may not.
    pub not_permitted: usize,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What was asked for.
    pub call: String,
    /// Whether what was stated had to wait for somebody's approval.
    pub asked: bool,
    /// What was given, asked for or ended: the first hundred.
    pub grants: Vec<GrantId>,
    /// How much it was.
    pub count: usize,
    /// How much else its sender knew of, and might not end.
    pub not_permitted: usize,
}

/// A change that also keeps what was done for calls.
pub(super) trait KeepsDone {
    /// What was done for somebody's call after that moment.
    fn recalled(&mut self, by: &SubjectId, key: &str, after: Timestamp) -> Result<Option<Done>, LedgerError>;

    /// Notes what is done, and forgets what was done until that moment.
    fn note_done(&mut self, once: &Once, done: &Done, until: Timestamp) -> Result<(), LedgerError>;

    /// Forgets what was noted for a call.
    fn forget_done(&mut self, once: &Once) -> Result<(), LedgerError>;
}

impl Once {
    fn since(&self) -> Timestamp {
        before(self.at)
    }

    /// Notes with a change that it is what this call asked for; refused where that was done already.
    pub(super) fn note<'a>(
        &self,
        change: &mut (impl Change + KeepsDone),
        grants: impl Iterator<Item = &'a Grant> + Clone,
    ) -> Result<(), LedgerError> {
        if change.recalled(&self.by, &self.key, self.since())?.is_some() {
            return Err(LedgerError::DoneAlready);
        }
        let done = Done {
            call: self.call.clone(),
            asked: grants.clone().any(|grant| grant.state == GrantState::Requested),
            count: grants.clone().count(),
            grants: grants.take(NAMED).map(|grant| grant.id.clone()).collect(),
            not_permitted: self.not_permitted,
        };
        change.note_done(self, &done, self.since())
    }
}

/// What is not younger is forgotten.
fn before(at: Timestamp) -> Timestamp {
    let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(at.as_millis().saturating_sub(kept))
}

impl<S: Store> Keeper<S> {
    pub(super) fn recall(&mut self, (by, key): (&SubjectId, &str), at: Timestamp) -> Result<Option<Done>, LedgerError> {
        self.clear_doubts()?;
        self.store.begin()?.recalled(by, key, before(at))
    }
}

impl Ledger {
    /// What was done within the last day for the call that `by` calls `key`.
    pub async fn done(&self, by: &SubjectId, key: &str, at: Timestamp) -> Result<Option<Done>, LedgerError> {
        self.writer.recall((by.clone(), key.to_owned()), at).await
    }

    /// As [`Ledger::put`], for a call that is done once.
    pub async fn put_once(
        &self,
        grant: Grant,
        once: Option<Once>,
        once_kept: impl FnOnce(&Grant) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.writer.put((grant, once), Box::new(once_kept)).await
    }

    /// As [`Ledger::revoke_all`], for a call that is done once.
    pub async fn revoke_all_once(
        &self,
        (these, once): (Vec<(GrantId, OnRecord)>, Option<Once>),
        (ended, at): (Ended, Timestamp),
        mut once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Vec<Grant>, LedgerError> {
        let these = these.into_iter().map(|(id, on_record)| (id, Some(on_record)));
        let once_ended = move |ended: &Grant, telling: Option<Telling>| {
            if let Some(telling) = telling {
                once_kept(ended, telling);
            }
        };
        let ends = Ends {
            these: these.collect(),
            ending: Ending::For(ended),
            at,
            once,
            once_kept: Box::new(once_ended),
        };
        self.writer.end(ends).await
    }
}
