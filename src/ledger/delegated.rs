//! Who lets whom answer for them. It is kept as grants are, counts from one moment to another, and is none of what somebody
//! holds: whoever asks for grants never finds it.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::Ledger;
use super::life::Life;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, SubjectId};

/// Who lets somebody answer, and until when.
struct Lets {
    by: SubjectId,
    to: SubjectId,
    until: Timestamp,
}

/// What was not taken back, by name; also what is over by now.
#[derive(Default)]
pub(super) struct Delegations(RwLock<BTreeMap<GrantId, Lets>>);

impl Delegations {
    /// Somebody's delegations were these before, and are those now.
    pub(super) fn follow(&self, before: &[Grant], after: &[Grant]) {
        if before.is_empty() && after.is_empty() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for gone in before {
            known.remove(&gone.id);
        }
        for grant in after.iter().filter(|grant| grant.state == GrantState::Active) {
            if let Some(delegated) = &grant.delegated {
                let lets = Lets {
                    by: grant.subject.clone(),
                    to: delegated.to.clone(),
                    until: grant.expires,
                };
                known.insert(grant.id.clone(), lets);
            }
        }
    }

    /// The names of those that are not over at `now`, to this person or to anybody, and who gave them.
    fn alive(&self, to: Option<&SubjectId>, now: Timestamp) -> Vec<(GrantId, SubjectId)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let alive = known.iter().filter(|(_, lets)| now < lets.until);
        let theirs = alive.filter(|(_, lets)| to.is_none_or(|to| *to == lets.to));
        theirs.map(|(id, lets)| (id.clone(), lets.by.clone())).collect()
    }
}

/// Those of somebody's grants that are delegations.
pub(super) fn delegated_of(grants: &[Grant]) -> Vec<Grant> {
    grants
        .iter()
        .filter(|grant| grant.delegated.is_some())
        .cloned()
        .collect()
}

impl Ledger {
    /// Whom `subject` lets answer for them, or did until lately: what was given last comes first.
    pub fn delegated_by(&self, subject: &SubjectId) -> Vec<Grant> {
        let mut given = delegated_of(&self.view.of(subject));
        given.sort_by(|a, b| b.id.cmp(&a.id));
        given
    }

    /// Who lets `subject` answer for them at `now`, or from a later moment on: what was given first comes first.
    pub fn delegated_to(&self, subject: &SubjectId, now: Timestamp) -> Vec<Grant> {
        self.alive(Some(subject), now)
    }

    /// Who lets anybody answer for them at `now`, or from a later moment on: what was given first comes first.
    pub fn all_delegations(&self, now: Timestamp) -> Vec<Grant> {
        self.alive(None, now)
    }

    /// Who lets anybody answer for them at `now`.
    pub fn delegations(&self, now: Timestamp) -> Vec<Grant> {
        let mut alive = self.alive(None, now);
        alive.retain(|one| one.is_live(now));
        alive
    }

    fn alive(&self, to: Option<&SubjectId>, now: Timestamp) -> Vec<Grant> {
        let alive = self.view.delegations.alive(to, now).into_iter();
        let found = alive.filter_map(|(id, by)| self.view.of(&by).iter().find(|one| one.id == id).cloned());
        found.filter(|one| !Life::of(one, now).is_over()).collect()
    }

    /// One delegation, also one that is over, if it is among the latest of whoever gave it.
    pub fn delegation(&self, id: &GrantId) -> Option<Grant> {
        self.view.get(id).filter(|one| one.delegated.is_some())
    }
}
