//! Accounts that changed: whoever has a new password, or no account any more, has no token that is good.
//!
//! Nothing rests on such a token from the moment that it is noticed. The book is told before the ledger keeps it, as where
//! tokens are revoked: a crash in between leaves it to the next start, which notices the same and says so once more.

use std::sync::Arc;

use super::Portal;
use super::tool_tokens::said_by;
use crate::clock::Timestamp;
use crate::facts::{AccountMarks, RevokedFor, RulebookId, Token, TokenAct, TokenId};
use crate::ledger::Listed;

impl Portal {
    /// The accounts as they look now; the same value as long as none changes. None where none are kept here, and while there were
    /// some and their file is not there: no token is good for so long, and none ends for that.
    pub fn accounts(&self) -> Option<Arc<AccountMarks>> {
        let holds = self.ledger.holds_tokens(self.guard.lacks_accounts());
        self.guard.accounts().filter(|_| !holds)
    }

    /// Ends the tokens of those whose accounts look otherwise than when that was noted last, be it before the last start, and
    /// notes what all look like now. Returns false where that cannot be kept, and is to be tried again: what rested on those
    /// tokens has ended here all the same.
    pub async fn notice_accounts(&self, accounts: &AccountMarks, rulebook: &RulebookId, at: Timestamp) -> bool {
        let (changed, is_news) = self.ledger.changed_accounts(accounts);
        if !is_news {
            return true;
        }
        let mut told: Vec<TokenId> = Vec::new();
        for (who, why) in changed {
            let theirs = self.ledger.tokens_of(&who, at);
            self.ledger.suspend_tokens_of(&who);
            for Listed { token, .. } in theirs {
                told.push(token.id.clone());
                self.note_over(token.revoked(at, Some(why.clone())), rulebook);
            }
        }
        if !told.is_empty() {
            // what the disk does not take now is told once it works again
            let _ = self.book.flush().await;
        }
        match self.ledger.note_accounts(accounts.clone(), at).await {
            Ok(over) => {
                // of another gateway, and not heard of when it was told
                let untold = over.into_iter().filter(|token| !told.contains(&token.id));
                untold.for_each(|token| self.note_over(token, rulebook));
                true
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "that accounts changed cannot be kept now; their tokens are not good here");
                false
            }
        }
    }

    fn note_over(&self, token: Token, rulebook: &RulebookId) {
        let why = match &token.revoked_for {
            Some(RevokedFor::AccountRemoved) => "the account is gone",
            Some(RevokedFor::PasswordChanged | RevokedFor::Revocation(_)) | None => "the password is another one",
        };
        tracing::info!(token = %token.id, who = %token.subject, why, "a token is over");
        let by = token.subject.clone();
        let said = said_by((&by, rulebook), TokenAct::Revoked, token, &[]);
        self.book.note(&self.book.record(said));
    }
}
