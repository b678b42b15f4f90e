//! Who holds each grant that is in memory, and until when it can be alive: what is over is passed by without a look at it.

use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, SubjectId};

/// Who holds a grant.
pub(super) struct Holder {
    pub(super) who: SubjectId,
    /// From when on it is surely over; none where it is.
    over_from: Option<Timestamp>,
}

impl Holder {
    pub(super) fn of(grant: &Grant) -> (GrantId, Self) {
        let over_from = match grant.state {
            GrantState::Requested => grant.answer_by,
            // it may end earlier, of which whoever looks at the grant itself learns
            GrantState::Active => grant.ended_at.max(Some(grant.expires)),
            GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined | GrantState::Lapsed => None,
        };
        let who = grant.subject.clone();
        (grant.id.clone(), Self { who, over_from })
    }

    /// Whether it may wait or be in force at `now`; whether it does, the grant itself says.
    pub(super) fn may_be_alive(&self, now: Timestamp) -> bool {
        self.over_from.is_some_and(|over| now < over)
    }
}
