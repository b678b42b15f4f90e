//! How grants end before their time is over. Pure but for the change it is handed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::life::Life;
use super::store::Change;
use super::uses::Uses;
use crate::clock::Timestamp;
use crate::facts::{
    Act, Ended, Grant, GrantAct, GrantId, GrantState, PolicyId, Report, Review, RulebookId, SubjectId, Token, TokenAct,
};

/// How the book will say what became of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnRecord {
    /// In this segment of it, or a later one.
    pub segment: u64,
    /// What became of it.
    pub act: GrantAct,
    /// Who did that.
    pub by: SubjectId,
    /// The rules that let them.
    pub rulebook: RulebookId,
    /// Those of them that determined it.
    pub policies: BTreeSet<PolicyId>,
}

impl OnRecord {
    /// What becomes of somebody's token with their account: no rule lets that be, so none is named.
    pub(super) fn of_account(whose: &SubjectId, (segment, rulebook): (u64, RulebookId)) -> Self {
        Self {
            segment,
            act: GrantAct::Revoked,
            by: whose.clone(),
            rulebook,
            policies: BTreeSet::new(),
        }
    }

    /// What it says.
    pub fn says(self, grant: Grant) -> Act {
        Act::Grant {
            act: self.act,
            grant: Box::new(grant),
            by: self.by,
            rulebook: self.rulebook,
            policies: self.policies,
        }
    }

    /// The same of a token, which was revoked.
    pub fn says_of(self, token: Token) -> Act {
        Act::Token {
            act: TokenAct::Revoked,
            token: Box::new(token),
            by: self.by,
            rulebook: self.rulebook,
            policies: self.policies,
        }
    }
}

/// A grant of which something became in the life before this one, and of which the book may not say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// As it is now.
    pub grant: Grant,
    /// How the book would have said so.
    pub on_record: OnRecord,
}

/// A token that was revoked in the life before this one, and of which the book may not say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntoldToken {
    /// As it is now.
    pub token: Token,
    /// How the book would have said so.
    pub on_record: OnRecord,
}

/// A grant that ended.
pub(super) struct Over {
    /// What it was before.
    pub(super) was: Grant,
    /// What it is.
    pub(super) is: Grant,
    /// None where the book has nothing to say of it.
    pub(super) on_record: Option<OnRecord>,
}

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
    /// It is over, and its holder says what came of it, or corrects that.
    Reported(Report),
    /// Somebody ends it, or what waits, and says why; the holder withdraws it so.
    For(Ended),
}

impl Ending {
    /// Who ends it and why, where somebody says so.
    pub(super) fn ended(&self) -> Option<&Ended> {
        match self {
            Self::For(ended) => Some(ended),
            Self::Withdrawn | Self::Revoked | Self::Idle | Self::Reviewed(_) | Self::Reported(_) => None,
        }
    }

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
            (Self::Reported(report), _) => grant.reported(report.clone()),
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

/// Writes the end of what can end of `these`, and how the book is to say so.
pub(super) fn end(
    (change, uses): (&mut impl Change, &Uses),
    these: Vec<(GrantId, Option<OnRecord>)>,
    (ending, at): (&Ending, Timestamp),
) -> Result<Vec<Over>, LedgerError> {
    let only = if let [(id, _)] = these.as_slice() {
        Some(id.clone())
    } else {
        None
    };
    let ids: Vec<&GrantId> = these.iter().map(|(id, _)| id).collect();
    let found = change.find_each(&ids)?.into_iter();
    let mut found: BTreeMap<GrantId, Grant> = found.map(|was| (was.id.clone(), was)).collect();
    // of several, one that was taken back since keeps the others from nothing
    if let Some(id) = only.filter(|id| !found.contains_key(id)) {
        return Err(LedgerError::NoSuchGrant(id));
    }
    let mut ends = Vec::new();
    for (id, on_record) in these {
        let Some(was) = found.remove(&id).map(|was| uses.told(was)) else {
            continue;
        };
        // INVARIANT: one report after the other: what the book has to say of the first is said before it is corrected
        if matches!(ending, Ending::Reported(_)) && change.is_untold(&id, GrantAct::Reported)? {
            return Err(LedgerError::BeingAnswered(id));
        }
        if let Some(is) = ending.of(&was, at) {
            ends.push(Over { was, is, on_record });
        }
    }
    let written: Vec<&Grant> = ends.iter().map(|over| &over.is).collect();
    change.write_each(&written)?;
    let said = ends
        .iter()
        .filter_map(|over| Some((&over.is.id, over.on_record.as_ref()?)));
    change.ends(&said.collect::<Vec<_>>())?;
    Ok(ends)
}
