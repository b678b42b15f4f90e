//! Accounts that changed: whoever has a new password, or no account any more, has no token that is good.
//!
//! Nothing rests on such a token from the moment that it is noticed. Then **ledger, book**, as where tokens are revoked: what a
//! crash overtakes between the two, the book tells all the same (`ended.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Portal;
use super::ended::tells_of_tokens;
use crate::clock::Timestamp;
use crate::facts::{AccountMarks, RevokedFor, RulebookId, SubjectId, Token};

impl Portal {
    /// The accounts as they look now; the same value as long as none changes. None where none are kept here, and while there were
    /// some and their file is not there: no token is good for so long, and none ends for that.
    pub fn accounts(&self) -> Option<Arc<AccountMarks>> {
        let holds = self.ledger.holds_tokens(self.guard.lacks_accounts());
        self.guard.accounts().filter(|_| !holds)
    }

    /// From here on nothing rests on the tokens of those whose accounts look otherwise than when that was noted last, until it is
    /// noted ([`Portal::notice_accounts`]). Memory only: whatever the ledger and the book are busy with, this does not wait.
    pub fn suspend_by_accounts(&self) {
        if let Some(accounts) = self.accounts() {
            let (changed, _) = self.ledger.changed_accounts(&accounts);
            let whose: BTreeSet<SubjectId> = changed.into_iter().map(|(who, _)| who).collect();
            if !whose.is_empty() {
                self.ledger.suspend_tokens_of(&whose);
            }
        }
    }

    /// Ends the tokens of those whose accounts look otherwise than when that was noted last, be it before the last start, and
    /// notes what all look like now. Returns false where that cannot be kept, and is to be tried again: what rested on those
    /// tokens has ended here all the same.
    pub async fn notice_accounts(&self, accounts: &AccountMarks, rulebook: &RulebookId, at: Timestamp) -> bool {
        let (changed, is_news) = self.ledger.changed_accounts(accounts);
        if !is_news {
            return true;
        }
        let whose = changed.into_iter().map(|(who, _)| who).collect();
        self.ledger.suspend_tokens_of(&whose);
        let told = (self.book.segment(), rulebook.clone());
        let tell = tells_of_tokens(self.book.clone());
        match self.ledger.note_accounts((accounts.clone(), at), told, tell).await {
            Ok(over) => {
                // those of whom something became while that was being kept
                self.suspend_by_accounts();
                over.iter().for_each(log);
                if !over.is_empty() {
                    // what the disk does not take now is told once it works again
                    let _ = self.book.flush().await;
                }
                true
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "that accounts changed cannot be kept now; their tokens are not good here");
                false
            }
        }
    }
}

fn log(token: &Token) {
    let why = match &token.revoked_for {
        Some(RevokedFor::AccountRemoved) => "the account is gone",
        Some(RevokedFor::PasswordChanged | RevokedFor::Revocation(_)) | None => "the password is another one",
    };
    tracing::info!(token = %token.id, who = %token.subject, why, "a token is over");
}
