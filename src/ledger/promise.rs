//! Grants on their way: promised, and neither given nor forgotten yet.

use tokio::sync::mpsc::WeakSender;

use super::writer::Job;
use crate::facts::{Grant, GrantId};

/// A promise that the life before this one left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The grant.
    pub id: GrantId,
    /// No segment of the book before this one speaks of it.
    pub segment: u64,
    /// Whether it was given.
    pub was_kept: bool,
}

/// A grant that is about to be recorded and given.
///
/// Until the book may speak of it, whoever drops it takes it back: so that nobody leaves promises behind by going away.
/// From then on ([`Promise::is_on_record`]) it stands until somebody says that book and ledger agree.
pub struct Promise {
    grant: Box<Grant>,
    // INVARIANT: weak, because the book's writer may hold the last of these and must not wait for the ledger's thread
    jobs: WeakSender<Job>,
    stands: bool,
}

impl Promise {
    pub(super) fn new(grant: Grant, jobs: WeakSender<Job>) -> Self {
        Self {
            grant: Box::new(grant),
            jobs,
            stands: false,
        }
    }

    /// What is promised.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Says that the book may speak of it now.
    pub fn is_on_record(&mut self) {
        self.stands = true;
    }

    /// Says that the book and the ledger agree about it.
    pub fn forget(mut self) {
        self.stands = false;
    }

    /// It was never made.
    pub(super) fn was_not_made(mut self) {
        self.stands = true;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.stands {
            return;
        }
        if let Some(jobs) = self.jobs.upgrade() {
            // where the ledger has no room for it, the next start compares the promise with the book
            let _ = jobs.try_send(Job::Forget(vec![self.grant.id.clone()]));
        }
    }
}
