//! Calls that are done once, however often they are sent: what came of one is kept with it, in the same change, for a day.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::ending::{Ending, OnRecord};
use super::ends::TokenEnds;
use super::error::LedgerError;
use super::promise::Telling;
use super::store::{Change, Store};
use super::token_rows::KeepsTokens as _;
use super::writer::{AllEnded, Ends, Job, Keeper};
use crate::clock::Timestamp;
use crate::facts::{Ended, Grant, GrantId, GrantState, SubjectId, Token, TokenId};

/// For how long it is known what was done.
const KEPT: Duration = Duration::from_hours(24);
/// What is to end, and of each how the book is to say so.
type ToEnd<Id> = Vec<(Id, OnRecord)>;

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
    /// What was given, asked for or ended: the first hundred, and the first hundred delegations.
    pub grants: Vec<GrantId>,
    /// How many grants it was, delegations left out.
    pub count: usize,
    /// How many delegations ended.
    #[serde(default)]
    pub delegations: usize,
    /// The tokens that ended: the first hundred.
    #[serde(default)]
    pub tokens: Vec<TokenId>,
    /// How many it was.
    #[serde(default)]
    pub token_count: usize,
    /// How much else its sender knew of, and might not end.
    pub not_permitted: usize,
}

/// What was done, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// What was noted.
    pub done: Done,
    /// The grants that are named there, delegations left out.
    pub grants: Vec<Grant>,
    /// The delegations.
    pub delegations: Vec<Grant>,
    /// The tokens.
    pub tokens: Vec<Token>,
}

/// A change that also keeps what was done for calls.
pub(super) trait KeepsDone {
    /// What was done for somebody's call after that moment.
    fn recalled(&mut self, by: &SubjectId, key: &str, after: Timestamp) -> Result<Option<Done>, LedgerError>;

    /// Notes what is done, and forgets what was done until that moment.
    fn note_done(&mut self, once: &Once, done: &Done, until: Timestamp) -> Result<(), LedgerError>;

    /// Forgets what was noted for a call, where this grant came of it: by now the call may have been done anew.
    fn forget_done(&mut self, once: &Once, grant: &GrantId) -> Result<(), LedgerError>;

    /// Forgets what was noted for any call of which this grant came: it never counted.
    fn forget_done_of(&mut self, grant: &GrantId) -> Result<(), LedgerError>;
}

impl Once {
    fn since(&self) -> Timestamp {
        before(self.at)
    }

    /// Notes with a change that it is what this call asked for; refused where that was done already.
    pub(super) fn note<'a>(
        &self,
        change: &mut (impl Change + KeepsDone),
        all: impl Iterator<Item = &'a Grant> + Clone,
        tokens: impl Iterator<Item = &'a TokenId> + Clone,
    ) -> Result<(), LedgerError> {
        if change.recalled(&self.by, &self.key, self.since())?.is_some() {
            return Err(LedgerError::DoneAlready);
        }
        let grants = all.clone().filter(|grant| grant.delegated.is_none());
        let delegations = all.filter(|grant| grant.delegated.is_some());
        let named = grants.clone().take(NAMED).chain(delegations.clone().take(NAMED));
        let done = Done {
            call: self.call.clone(),
            asked: grants.clone().any(|grant| grant.state == GrantState::Requested),
            grants: named.map(|grant| grant.id.clone()).collect(),
            count: grants.count(),
            delegations: delegations.count(),
            tokens: tokens.clone().take(NAMED).cloned().collect(),
            token_count: tokens.count(),
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
    /// What was done for a call, with what came of it as the store has it: what another gateway gave is shown before this one
    /// has heard of it.
    pub(super) fn recall(
        &mut self,
        (by, key): (&SubjectId, &str),
        at: Timestamp,
    ) -> Result<Option<Recalled>, LedgerError> {
        self.clear_doubts()?;
        let mut change = self.store.begin()?;
        let Some(done) = change.recalled(by, key, before(at))? else {
            return Ok(None);
        };
        let ids: Vec<&GrantId> = done.grants.iter().collect();
        let found = change.find_each(&ids)?.into_iter();
        let mut found: BTreeMap<GrantId, Grant> = found.map(|grant| (grant.id.clone(), grant)).collect();
        let tokens = change.find_tokens(&done.tokens.iter().collect::<Vec<_>>())?;
        let all = done.grants.iter().filter_map(|id| found.remove(id));
        let (delegations, grants) = all
            .map(|grant| self.view.uses.told(grant))
            .partition(|grant| grant.delegated.is_some());
        Ok(Some(Recalled {
            grants,
            delegations,
            tokens: tokens.into_iter().map(|kept| kept.token).collect(),
            done,
        }))
    }

    /// What was done for a call never counted: it is done anew.
    pub(super) fn forget_void(&mut self, grant: &GrantId) -> Result<(), LedgerError> {
        let mut change = self.store.begin()?;
        change.forget_done_of(grant)?;
        change.commit()
    }
}

impl Ledger {
    /// What was done within the last day for the call that `by` calls `key`.
    pub async fn done(&self, by: &SubjectId, key: &str, at: Timestamp) -> Result<Option<Recalled>, LedgerError> {
        self.writer.recall((by.clone(), key.to_owned()), at).await
    }

    /// Forgets for which call a grant was given that never counted: the call is done anew where it is sent again.
    pub async fn forget_void(&self, grant: &GrantId) -> Result<(), LedgerError> {
        let grant = grant.clone();
        self.writer.submit(|reply| Job::Void(grant, reply)).await
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

    /// As [`Ledger::revoke_all`], for a call that is done once, and with these tokens. Where nobody knows whether it was kept,
    /// the grants stay as they were; a token that is over then stays so.
    pub async fn revoke_all_once(
        &self,
        (these, tokens, once): (ToEnd<GrantId>, ToEnd<TokenId>, Option<Once>),
        (ended, at): (Ended, Timestamp),
        (mut once_kept, once_over): (
            impl FnMut(&Grant, Telling) + Send + 'static,
            impl FnMut(&Token, Telling) + Send + 'static,
        ),
    ) -> Result<AllEnded, LedgerError> {
        let these = these.into_iter().map(|(id, on_record)| (id, Some(on_record)));
        let once_ended = move |ended: &Grant, telling: Option<Telling>| {
            if let Some(telling) = telling {
                once_kept(ended, telling);
            }
        };
        let ends = Ends {
            these: these.collect(),
            tokens: TokenEnds {
                these: tokens,
                once_over: Box::new(once_over),
            },
            ending: Ending::For(ended),
            at,
            once,
            once_kept: Box::new(once_ended),
        };
        self.writer.end(ends).await
    }
}
