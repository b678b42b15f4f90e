//! What the store may hold although it was said not to be kept, as where a commit failed: it is looked up, or taken back, before
//! anything else is changed.

use super::ends::found_anew;
use super::error::LedgerError;
use super::once::KeepsDone as _;
use super::store::{Change as _, Store};
use super::token_changes::noted_anew;
use super::writer::Keeper;

impl<S: Store> Keeper<S> {
    /// Whether the store may hold what was said not to be kept.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.doubtful.is_empty() || !self.doubtful_tokens.is_empty() || !self.doubtful_accounts.is_empty()
    }

    /// INVARIANT: nothing is given or promised while the disk may hold what was said not to be given.
    pub(super) fn clear_doubts(&mut self) -> Result<(), LedgerError> {
        if !self.is_in_doubt() {
            return Ok(());
        }
        let mut change = self.store.begin()?;
        for doubt in &self.doubtful {
            change.take_back(&doubt.written, doubt.was.as_ref(), doubt.untold)?;
            if let Some(once) = &doubt.once {
                change.forget_done(once, &doubt.written.id)?;
            }
        }
        let found = found_anew(&mut change, &self.doubtful_tokens)?;
        let accounts = noted_anew(&mut change, &self.doubtful_accounts)?;
        change.commit()?;
        self.doubtful.clear();
        self.no_doubt_about(found);
        self.doubtful_accounts.clear();
        self.tokens.are_noted_anew(accounts);
        Ok(())
    }
}
