//! Grants on their way: promised to be given, asked for or answered, and neither that nor forgotten yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::WeakSender;

use super::ending::OnRecord;
use super::once::Once;
use super::writer::Job;
use crate::facts::{Act, Grant, GrantAct, GrantId, GrantState, Token, TokenId, Verdict};

/// A promise that the life before this one left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The grant.
    pub id: GrantId,
    /// No segment of the book before this one speaks of it.
    pub segment: u64,
    /// What it was to become: given, asked for, declined, lapsed.
    pub state: GrantState,
    /// How many answers it was to have by then; where it was asked for, and some: one of several approvals.
    pub answers: usize,
    /// Whether it did.
    pub was_kept: bool,
}

impl Leftover {
    /// The promise that a grant becomes `state`, where the ledger holds what `is` of it now.
    ///
    /// What was promised of it may have been followed by more: one that was asked for was given if somebody's approval is
    /// on it. While it is promised nobody else answers it, and no answer is taken back once it is kept.
    pub(super) fn of(id: GrantId, segment: u64, (state, answers): (GrantState, usize), is: Option<&Grant>) -> Self {
        let was_kept = is.is_some_and(|is| match state {
            GrantState::Requested => is.answers.len() >= answers,
            GrantState::Active => {
                let approved = is.answers.iter().any(|one| one.verdict == Verdict::Approved);
                is.answer_by.is_none() || (approved && is.answers.len() >= answers)
            }
            GrantState::Declined | GrantState::Lapsed | GrantState::Withdrawn | GrantState::Revoked => {
                is.state == state
            }
        });
        Self {
            id,
            segment,
            state,
            answers,
            was_kept,
        }
    }
}

/// A grant that is about to be recorded and given, asked for or answered.
///
/// Until the book may speak of it, whoever drops it takes it back: so that nobody leaves promises behind by going away.
/// From then on ([`Promise::is_on_record`]) it stands until somebody says that book and ledger agree.
pub struct Promise {
    grant: Box<Grant>,
    settled: Arc<Settled>,
    stands: bool,
    once: Option<Once>,
}

impl Promise {
    pub(super) fn new(grant: Box<Grant>, settled: Arc<Settled>) -> Self {
        Self {
            grant,
            settled,
            stands: false,
            once: None,
        }
    }

    /// What is promised.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The same, for a call that is to be done once.
    #[must_use]
    pub fn for_call(mut self, once: Option<Once>) -> Self {
        self.once = once;
        self
    }

    /// The call for which it is.
    pub fn once(&self) -> Option<Once> {
        self.once.clone()
    }

    /// Says that the book may speak of it now.
    pub fn is_on_record(&mut self) {
        self.stands = true;
    }

    /// Says that the book and the ledger agree about it.
    pub fn forget(mut self) {
        self.stands = false;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.stands {
            self.settled.add([Owed::Promise(self.grant.id.clone())]);
        }
    }
}

/// What became of a grant or a token, which the book is to say. Whoever drops it leaves that to the next start.
pub struct Telling {
    owed: Owed,
    on_record: OnRecord,
    settled: Arc<Settled>,
}

impl Telling {
    pub(super) fn new(id: GrantId, on_record: OnRecord, settled: Arc<Settled>) -> Self {
        Self {
            owed: Owed::Ending(id, on_record.act),
            on_record,
            settled,
        }
    }

    pub(super) fn of_token(id: TokenId, on_record: OnRecord, settled: Arc<Settled>) -> Self {
        Self {
            owed: Owed::Revoked(id),
            on_record,
            settled,
        }
    }

    /// What the book is to say of the grant.
    pub fn says(&self, grant: &Grant) -> Act {
        self.on_record.clone().says(grant.clone())
    }

    /// What it is to say of the token.
    pub fn says_of(&self, token: &Token) -> Act {
        self.on_record.clone().says_of(token.clone())
    }

    /// Says that the book does, on disk.
    pub fn told(self) {
        self.settled.add([self.owed]);
    }
}

/// What the disk notes of a grant or a token until the book and the ledger agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owed {
    /// That it is given, asked for or answered.
    Promise(GrantId),
    /// That it ended, or what else became of it.
    Ending(GrantId, GrantAct),
    /// That a token was revoked.
    Revoked(TokenId),
}

/// Promises and ends about which the book and the ledger agree, and which the disk may still have. None of them is lost and
/// none stands in the way of the next promise, also while the disk does not take that they are forgotten.
pub(super) struct Settled {
    owed: Mutex<BTreeSet<Owed>>,
    // INVARIANT: weak, because the book's writer may hold the last of these and must not keep the ledger's thread from ending
    jobs: WeakSender<Job>,
}

impl Settled {
    pub(super) fn new(jobs: WeakSender<Job>) -> Self {
        Self {
            owed: Mutex::default(),
            jobs,
        }
    }

    /// Never waits for the disk, nor for room.
    pub(super) fn add(&self, owed: impl IntoIterator<Item = Owed>) {
        let mut settled = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(owed);
        drop(settled);
        if let Some(jobs) = self.jobs.upgrade() {
            // where there is no room, there are other jobs, and with each of them it is looked here
            let _ = jobs.try_send(Job::Forget);
        }
    }

    pub(super) fn now(&self) -> BTreeSet<Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The disk does not have these any more.
    pub(super) fn forgotten(&self, owed: &BTreeSet<Owed>) {
        let mut settled = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        settled.retain(|one| !owed.contains(one));
    }
}
