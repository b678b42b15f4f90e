//! What may be kept of a grant: whether there is room for it, and whether what it was may become what it is to be.

use rusqlite::Connection;

use super::MOST_IN_FORCE;
use super::error::LedgerError;
use super::sqlite::rows;
use crate::facts::{Grant, GrantState};

/// Refuses what would be more than one person may have.
pub(super) fn has_room(connection: &Connection, grant: &Grant) -> Result<(), LedgerError> {
    let too_many: fn(usize) -> LedgerError = match grant.state {
        GrantState::Requested => LedgerError::TooManyWaiting,
        GrantState::Active => LedgerError::TooMany,
        GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined | GrantState::Lapsed => return Ok(()),
    };
    let held = rows::beside(connection, grant).map_err(|error| unavailable(&error))?;
    if held < MOST_IN_FORCE {
        Ok(())
    } else {
        Err(too_many(held))
    }
}

/// What a grant was asked for as, where it was. INVARIANT: only what waits can be given or declined, and only what does not
/// wait any more lapses; whoever else answers it, or takes it back, comes first or too late.
pub(super) fn was_asked(connection: &Connection, grant: &Grant) -> Result<Option<Grant>, LedgerError> {
    let found = rows::find(connection, &grant.id).map_err(|error| unavailable(&error))?;
    let Some(was) = found else {
        return match grant.state {
            GrantState::Requested => is_new(connection, grant).map(|()| None),
            GrantState::Active => Ok(None),
            GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined | GrantState::Lapsed => {
                Err(LedgerError::NoSuchGrant(grant.id.clone()))
            }
        };
    };
    let is_answered = match grant.state {
        GrantState::Active => was.waits(grant.not_before),
        GrantState::Declined => was.waits(grant.until()),
        GrantState::Lapsed => was.state == GrantState::Requested && !was.waits(grant.until()),
        GrantState::Requested | GrantState::Withdrawn | GrantState::Revoked => false,
    };
    if is_answered {
        Ok(Some(was))
    } else {
        Err(LedgerError::AlreadyOver(was.id))
    }
}

/// INVARIANT: nobody waits twice for the same.
fn is_new(connection: &Connection, request: &Grant) -> Result<(), LedgerError> {
    let first = rows::asked_already(connection, request).map_err(|error| unavailable(&error))?;
    first.map_or(Ok(()), |first| Err(LedgerError::AlreadyAsked(Box::new(first))))
}

/// A change that the disk does not take.
pub(super) fn unavailable(error: &rusqlite::Error) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}
