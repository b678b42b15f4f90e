//! How grants end before their time is over. Pure but for the change it is handed.

use super::error::LedgerError;
use super::store::Change;
use super::uses::Uses;
use super::view::Life;
use crate::clock::Timestamp;
use crate::facts::{Ended, Grant, GrantId, GrantState, Review};

/// How a grant ends.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// Its holder ends it, or takes it back before it is answered.
    Withdrawn,
    /// Somebody else ends it.
    Revoked,
    /// Nobody used it for too long.
    Idle,
    /// Somebody has reviewed that it was taken in an emergency: that wait ends, and nothing else.
    Reviewed(Review),
    /// Somebody ends it, or what waits, and says why; the holder withdraws it so.
    For(Ended),
}

impl Ending {
    /// What the grant is after it; none where it cannot end so, at `at`.
    fn of(&self, grant: &Grant, at: Timestamp) -> Option<Grant> {
        let over = |state, ended| Grant {
            state,
            ended_at: Some(at),
            ended,
            came: None,
            ..grant.clone()
        };
        match (self, Life::of(grant, at)) {
            (Self::Reviewed(review), _) => grant.reviewed(review.clone()),
            (Self::Idle, Life::Expired) if grant.ended_at.is_none() && grant.fell_idle(at) => Some(Grant {
                ended_at: Some(grant.until()),
                ..grant.clone()
            }),
            (Self::Withdrawn, Life::Requested | Life::Approved | Life::Active) => {
                Some(over(GrantState::Withdrawn, None))
            }
            (Self::Revoked, Life::Approved | Life::Active) => Some(over(GrantState::Revoked, None)),
            (Self::For(ended), Life::Requested | Life::Approved | Life::Active) => {
                let own = ended.by == grant.subject;
                let state = if own {
                    GrantState::Withdrawn
                } else {
                    GrantState::Revoked
                };
                Some(over(state, Some(ended.clone())))
            }
            (Self::Withdrawn | Self::Revoked | Self::Idle | Self::For(_), _) => None,
        }
    }
}

/// Writes the end of what can end of `ids`; each as it was, and as it is then.
pub(super) fn end(
    (change, uses): (&mut impl Change, &Uses),
    ids: &[GrantId],
    ending: &Ending,
    at: Timestamp,
) -> Result<Vec<(Grant, Grant)>, LedgerError> {
    let mut ends = Vec::new();
    for id in ids {
        let was = change.find(id)?.ok_or_else(|| LedgerError::NoSuchGrant(id.clone()))?;
        let was = uses.told(was);
        if let Some(ended) = ending.of(&was, at) {
            change.write(&ended)?;
            ends.push((was, ended));
        }
    }
    Ok(ends)
}
