//! Who holds each grant that is in memory, and until when it can be alive: what is over is passed by without a look at it. And
//! of the few of which something else holds, by name, so that nobody looks for them among all.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

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

/// The grants of which something holds, and who holds them.
pub(super) struct Named {
    is_meant: fn(&Grant) -> bool,
    names: RwLock<BTreeMap<GrantId, SubjectId>>,
}

impl Named {
    pub(super) fn those(is_meant: fn(&Grant) -> bool) -> Self {
        Self {
            is_meant,
            names: RwLock::default(),
        }
    }

    /// Whether a grant is one of them.
    pub(super) fn means(&self, grant: &Grant) -> bool {
        (self.is_meant)(grant)
    }

    /// Those among the grants of one person, by name.
    pub(super) fn among(&self, grants: &[Grant]) -> Vec<(GrantId, SubjectId)> {
        let meant = grants.iter().filter(|grant| self.means(grant));
        meant.map(|grant| (grant.id.clone(), grant.subject.clone())).collect()
    }

    /// Somebody holds these, where they held those `before`.
    pub(super) fn follow(&self, before: Vec<(GrantId, SubjectId)>, grants: &[Grant]) {
        let after = self.among(grants);
        // most changes are of others
        if before.is_empty() && after.is_empty() {
            return;
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        for (id, _) in before {
            names.remove(&id);
        }
        names.extend(after);
    }

    /// All of them, in the order of their names, which is that of time.
    pub(super) fn all(&self) -> BTreeMap<GrantId, SubjectId> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
