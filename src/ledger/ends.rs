//! What ends at once: grants, delegations and tokens, in one change.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ending::{self, Over};
use super::error::LedgerError;
use super::promise::Telling;
use super::promising::forget_all;
use super::store::{Change as _, Store};
use super::token_changes::end_tokens;
use super::tokens::KeepsTokens as _;
use super::writer::{AllEnded, Doubt, Ends, Keeper};
use crate::facts::RevokedFor;

impl<S: Store> Keeper<S> {
    /// Ends what can end of these, in one change.
    pub(super) fn end(&mut self, mut ends: Ends) -> Result<AllEnded, LedgerError> {
        let settled = self.settled.now();
        let mut change = self.store.begin()?;
        forget_all(&mut change, &settled)?;
        let over = ending::end((&mut change, &self.view.uses), ends.these, (&ends.ending, ends.at))?;
        let tells = self.tells.load(Ordering::Relaxed);
        Self::owe(tells, &mut change, over.iter().map(|one| (Some(&one.was), &one.is)))?;
        let these = change.find_tokens(&ends.tokens)?;
        let why = ends.ending.ended().cloned().map(RevokedFor::Revocation);
        let tokens = end_tokens(&mut change, these, (ends.at, why.as_ref()))?;
        let is_done = !over.is_empty() || !tokens.is_empty();
        if let Some(once) = ends.once.as_ref().filter(|_| is_done) {
            let ids = tokens.iter().map(|(_, is)| &is.token.id);
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
            self.doubtful_tokens.extend(tokens.into_iter().map(|(was, _)| was));
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
        let over = tokens.into_iter().map(|(_, is)| {
            self.tokens.shows(is.clone());
            is.token
        });
        Ok(AllEnded {
            grants,
            tokens: over.collect(),
        })
    }
}
