//! What ends at once: grants, delegations and tokens, in one change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ending::{self, OnRecord, Over};
use super::error::LedgerError;
use super::promise::Telling;
use super::promising::forget_all;
use super::store::{Change as _, Store};
use super::token_changes::revoked;
use super::token_rows::{KeepsTokens, KeptToken};
use super::writer::{AllEnded, Doubt, Ends, Keeper};
use crate::clock::Timestamp;
use crate::facts::{Ended, RevokedFor, Token, TokenId};

/// What to do once a change is kept in which tokens end, with each of them; the book is to say so.
pub(super) type OnceOver = Box<dyn FnMut(&Token, Telling) + Send>;

/// Tokens that are to end.
pub(super) struct TokenEnds {
    /// Of each, how the book is to say so.
    pub(super) these: Vec<(TokenId, OnRecord)>,
    pub(super) once_over: OnceOver,
}

impl TokenEnds {
    pub(super) fn none() -> Self {
        Self {
            these: Vec::new(),
            once_over: Box::new(|_, _| ()),
        }
    }
}

impl<S: Store> Keeper<S> {
    /// Ends what can end of these, in one change.
    pub(super) fn end(&mut self, mut ends: Ends) -> Result<AllEnded, LedgerError> {
        let settled = self.settled.now();
        let mut change = self.store.begin()?;
        forget_all(&mut change, &settled)?;
        let over = ending::end((&mut change, &self.view.uses), ends.these, (&ends.ending, ends.at))?;
        let tells = self.tells.load(Ordering::Relaxed);
        Self::owe(tells, &mut change, over.iter().map(|one| (Some(&one.was), &one.is)))?;
        let tokens = end_tokens(&mut change, ends.tokens, (ends.at, ends.ending.ended()))?;
        let is_done = !over.is_empty() || tokens.is_any();
        if let Some(once) = ends.once.as_ref().filter(|_| is_done) {
            let ids = tokens.over.iter().map(|(is, _)| &is.token.id);
            once.note(&mut change, over.iter().map(|one| &one.is), ids)?;
        }
        if let Err(error) = change.commit() {
            let doubts = over.into_iter().map(|Over { was, is, on_record }| Doubt {
                written: is,
                was: Some(was),
                untold: on_record.map(|on_record| on_record.act),
                once: ends.once.clone(),
            });
            self.doubtful.extend(doubts);
            self.doubtful_tokens.extend(tokens.is_any().then_some(tokens));
            return Err(error);
        }
        self.settled.forgotten(&settled);
        let shown = over.into_iter().map(|Over { is, on_record, .. }| {
            self.view.shows(is.clone());
            let telling = on_record.map(|on_record| Telling::new(is.id.clone(), on_record, Arc::clone(&self.settled)));
            (ends.once_kept)(&is, telling);
            is
        });
        let grants = shown.collect();
        Ok(AllEnded {
            grants,
            tokens: self.show_over(tokens),
        })
    }

    /// Shows that these are over, and has the book told so.
    pub(super) fn show_over(&self, TokensOver { over, mut once_over }: TokensOver) -> Vec<Token> {
        let shown = over.into_iter().map(|(is, on_record)| {
            self.tokens.shows(is.clone());
            let telling = Telling::of_token(is.token.id.clone(), on_record, Arc::clone(&self.settled));
            once_over(&is.token, telling);
            is.token
        });
        shown.collect()
    }

    /// Shows what was found of tokens whose end was doubtful, and has the book told of those that did end.
    pub(super) fn no_doubt_about(&mut self, found: Vec<KeptToken>) {
        let found: BTreeMap<TokenId, KeptToken> = found.into_iter().map(|kept| (kept.token.id.clone(), kept)).collect();
        for TokensOver { mut over, once_over } in std::mem::take(&mut self.doubtful_tokens) {
            over.retain(|(written, _)| found.get(&written.token.id).is_some_and(|is| is.token == written.token));
            drop(self.show_over(TokensOver { over, once_over }));
        }
        for kept in found.into_values() {
            self.tokens.shows(kept);
        }
    }
}

/// Tokens that end in one change, and what is to be said of each.
pub(super) struct TokensOver {
    pub(super) over: Vec<(KeptToken, OnRecord)>,
    pub(super) once_over: OnceOver,
}

impl TokensOver {
    pub(super) fn is_any(&self) -> bool {
        !self.over.is_empty()
    }
}

/// Writes the end of those that are good, and how the book is to say so.
fn end_tokens(
    change: &mut impl KeepsTokens,
    TokenEnds { these, once_over }: TokenEnds,
    (at, ended): (Timestamp, Option<&Ended>),
) -> Result<TokensOver, LedgerError> {
    let ids: Vec<&TokenId> = these.iter().map(|(id, _)| id).collect();
    let found = change.find_tokens(&ids)?;
    let is = revoked(found, at, |_| ended.cloned().map(RevokedFor::Revocation));
    change.write_tokens(&is)?;
    let mut on_record: BTreeMap<TokenId, OnRecord> = these.into_iter().collect();
    let over = is.into_iter().filter_map(|is| {
        let on_record = on_record.remove(&is.token.id)?;
        Some((is, on_record))
    });
    let over: Vec<(KeptToken, OnRecord)> = over.collect();
    change.owe_tokens(&over)?;
    Ok(TokensOver { over, once_over })
}

/// Tokens whose end is doubtful, as they are kept. INVARIANT: one that is over stays over, whoever ended it: an end is never
/// taken back. They are written as they are, so that this change takes the place of the doubtful one.
pub(super) fn found_anew(
    change: &mut impl KeepsTokens,
    doubtful: &[TokensOver],
) -> Result<Vec<KeptToken>, LedgerError> {
    let doubtful = doubtful.iter().flat_map(|one| &one.over);
    let ids: Vec<&TokenId> = doubtful.map(|(written, _)| &written.token.id).collect();
    let found = change.find_tokens(&ids)?;
    change.write_tokens(&found)?;
    Ok(found)
}
