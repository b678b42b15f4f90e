//! What is promised, and forgotten once book and ledger agree: the writer's part of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::becoming::{has_room, is_let_answer, was_asked};
use super::error::LedgerError;
use super::promise::{Owed, Promise};
use super::store::{Change, Store};
use super::token_rows::KeepsTokens;
use super::writer::Keeper;
use crate::facts::Grant;

impl<S: Store> Keeper<S> {
    pub(super) fn promise(&mut self, grant: Box<Grant>, segment: u64) -> Result<Promise, LedgerError> {
        let kept = self.keep_promise(&grant, segment);
        self.keeping.note(&kept);
        kept.map(|()| Promise::new(grant, Arc::clone(&self.settled)))
    }

    pub(super) fn keep_promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError> {
        self.clear_doubts()?;
        let settled = self.settled.now();
        let mut change = self.store.begin()?;
        forget_all(&mut change, &settled)?;
        let was = was_asked(&mut change, grant)?;
        is_let_answer(&mut change, was.as_ref(), grant)?;
        has_room(&mut change, grant)?;
        if change.is_promised(&grant.id)? {
            return Err(LedgerError::BeingAnswered(grant.id.clone()));
        }
        change.promise(grant, segment)?;
        // nobody will keep it, so nobody may find it
        let unheard = |_: &LedgerError| self.settled.add([Owed::Promise(grant.id.clone())]);
        change.commit().inspect_err(unheard)?;
        // before anything else: what is promised from here on is another promise than the one that was settled
        self.settled.forgotten(&settled);
        Ok(())
    }

    /// Forgets what is settled. What cannot be forgotten now stays settled, and is forgotten with the next promise at the
    /// latest, or compared with the book at the next start.
    pub(super) fn forget(&mut self) {
        let settled = self.settled.now();
        if settled.is_empty() {
            return;
        }
        let mut forget = || -> Result<(), LedgerError> {
            self.clear_doubts()?;
            let mut change = self.store.begin()?;
            forget_all(&mut change, &settled)?;
            change.commit()
        };
        match forget() {
            Ok(()) => self.settled.forgotten(&settled),
            // told once already, and tried again once it is back
            Err(LedgerError::Lost(_)) => {}
            Err(error) => {
                tracing::warn!(%error, promises = settled.len(), "the ledger cannot forget now what was promised");
            }
        }
    }
}

pub(super) fn forget_all(
    change: &mut (impl Change + KeepsTokens),
    settled: &BTreeSet<Owed>,
) -> Result<(), LedgerError> {
    let (mut promises, mut told, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
    for owed in settled {
        match owed {
            Owed::Promise(id) => promises.push(id),
            Owed::Ending(id, act) => told.push((id, *act)),
            Owed::Revoked(id) => revoked.push(id),
        }
    }
    change.forget(&promises)?;
    change.told(&told)?;
    change.tokens_told(&revoked)
}
