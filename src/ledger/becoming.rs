//! What may be kept of a grant: whether there is room for it, and whether what it was may become what it is to be.

use super::error::LedgerError;
use super::life::Life;
use super::store::Change;
use super::{MOST_DELEGATED, MOST_IN_FORCE, MOST_UNREVIEWED};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState};

/// Refuses what would be more than one person may have; what waits already, and waits on, is not more.
pub(super) fn has_room(change: &mut impl Change, grant: &Grant) -> Result<(), LedgerError> {
    let too_many: fn(usize) -> LedgerError = match grant.state {
        GrantState::Requested if !grant.answers.is_empty() => return Ok(()),
        GrantState::Requested => LedgerError::TooManyWaiting,
        GrantState::Active => LedgerError::TooMany,
        GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined | GrantState::Lapsed => return Ok(()),
    };
    let most = if grant.delegated.is_some() {
        MOST_DELEGATED
    } else {
        MOST_IN_FORCE
    };
    let held = change.beside(grant)?;
    if held >= most {
        return Err(too_many(held));
    }
    if grant.awaits_review() {
        let unreviewed = change.unreviewed(&grant.subject)?;
        if unreviewed >= MOST_UNREVIEWED {
            return Err(LedgerError::TooManyUnreviewed(unreviewed));
        }
    }
    Ok(())
}

/// From when on a grant stands beside others: a delegation that begins later does from the moment on that it was given, so that
/// nobody piles them up one after the other.
pub(super) fn counts_from(grant: &Grant) -> Timestamp {
    if grant.delegated.is_some() {
        grant.declared_at
    } else {
        grant.not_before
    }
}

/// INVARIANT: who answers for somebody else does so while they let them: at another gateway, too, they may have ended that. What
/// was answered before, and kept, stands whatever becomes of it.
pub(super) fn is_let_answer(change: &mut impl Change, was: Option<&Grant>, grant: &Grant) -> Result<(), LedgerError> {
    let before = was.map_or(0, |was| was.answers.len());
    let Some(answer) = grant.answers.get(before..).and_then(<[_]>::last) else {
        return Ok(());
    };
    let Some(behalf) = &answer.behalf else { return Ok(()) };
    let found = change.find(&behalf.delegation)?;
    let lets = |given: &Grant| {
        let to = given.delegated.as_ref().map(|delegated| &delegated.to);
        given.subject == behalf.whom && to == Some(&answer.by) && given.is_live(answer.at)
    };
    if found.is_some_and(|given| lets(&given)) {
        Ok(())
    } else {
        Err(LedgerError::NoSuchGrant(behalf.delegation.clone()))
    }
}

/// What a grant was asked for as, where it was. INVARIANT: only what waits can be approved, given or declined, and only what
/// does not wait any more lapses; whoever else answers it, or takes it back, comes first or too late. And each answer is added
/// to all that were given before it, so that none is lost.
pub(super) fn was_asked(change: &mut impl Change, grant: &Grant) -> Result<Option<Grant>, LedgerError> {
    let Some(was) = change.find(&grant.id)? else {
        return match grant.state {
            GrantState::Requested => {
                is_no_second_renewal(change, grant)?;
                is_new(change, grant).map(|()| None)
            }
            GrantState::Active => is_no_second_renewal(change, grant).map(|()| None),
            GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined | GrantState::Lapsed => {
                Err(LedgerError::NoSuchGrant(grant.id.clone()))
            }
        };
    };
    let answered = match grant.state {
        GrantState::Active => was.waits(grant.not_before).then_some(1),
        GrantState::Declined => was.waits(grant.until()).then_some(1),
        GrantState::Requested => {
            let latest = grant.answers.last();
            latest.filter(|answer| was.waits(answer.at)).map(|_| 1)
        }
        GrantState::Lapsed => (was.state == GrantState::Requested && !was.waits(grant.until())).then_some(0),
        GrantState::Withdrawn | GrantState::Revoked => None,
    };
    let Some(new) = answered else {
        return Err(LedgerError::AlreadyOver(was.id));
    };
    let follows = grant.answers.len() == was.answers.len() + new && grant.answers.starts_with(&was.answers);
    if follows {
        Ok(Some(was))
    } else {
        Err(LedgerError::AnsweredSince(was.id))
    }
}

/// INVARIANT: of what renews a grant, one waits or is in force.
fn is_no_second_renewal(change: &mut impl Change, grant: &Grant) -> Result<(), LedgerError> {
    let Some(parent) = &grant.parent else { return Ok(()) };
    let is_alive = |other: &Grant| !Life::of(other, grant.declared_at).is_over();
    let first = change.renewals(&grant.subject, parent)?.into_iter().find(is_alive);
    first.map_or(Ok(()), |first| Err(LedgerError::AlreadyRenewed(Box::new(first))))
}

/// INVARIANT: nobody waits twice for the same: the same purpose on the same platforms, for at least as much and as long.
fn is_new(change: &mut impl Change, request: &Grant) -> Result<(), LedgerError> {
    let lasts = |grant: &Grant| grant.expires.since(grant.not_before);
    let is_enough = |first: &Grant| {
        request.covers.is_subset(&first.covers) && lasts(request) <= lasts(first) && first.waits(request.not_before)
    };
    let first = change.asked_alike(request)?.into_iter().find(is_enough);
    first.map_or(Ok(()), |first| Err(LedgerError::AlreadyAsked(Box::new(first))))
}
