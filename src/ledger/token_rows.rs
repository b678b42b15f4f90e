//! Tokens as every store keeps them, and what it notes beside: what the book has to say of them, and what accounts looked like.

use super::ending::{OnRecord, UntoldToken};
use super::error::LedgerError;
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, SubjectId, Token, TokenHash, TokenId};

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptToken {
    pub(super) token: Token,
    pub(super) hash: TokenHash,
    /// The day on which it was used last, counted from 1970-01-01.
    pub(super) used_day: Option<i64>,
}

/// All tokens that are kept.
#[derive(Debug, Default)]
pub(super) struct TokenRows {
    pub(super) kept: Vec<KeptToken>,
    /// Those that cannot be read: they open nothing, and stand in the way of no other.
    pub(super) unreadable: Vec<TokenId>,
}

impl TokenRows {
    /// Adds a row, or says in the log that it cannot be read.
    pub(super) fn add(&mut self, id: TokenId, read: Result<KeptToken, String>) {
        match read {
            Ok(kept) => self.kept.push(kept),
            Err(why) => {
                tracing::error!(token = %id, why, "a token cannot be read, and is not good here");
                self.unreadable.push(id);
            }
        }
    }
}

/// What is noted of tokens among what became of grants, until the book says so.
pub(super) const TOKEN: &str = "token";

/// What the book is to say of a token, as it was noted; none, with a word in the log, where that cannot be read.
pub(super) fn untold(kept: KeptToken, on_record: &str) -> Option<UntoldToken> {
    let token = kept.token;
    match serde_json::from_str(on_record) {
        Ok(on_record) => Some(UntoldToken { token, on_record }),
        Err(why) => {
            tracing::error!(token = %token.id, %why, "what the book is to say of a revoked token cannot be read");
            None
        }
    }
}

/// A change that also keeps tokens.
pub(super) trait KeepsTokens {
    /// All that are kept.
    fn tokens(&mut self) -> Result<TokenRows, LedgerError>;

    /// Those of these people that can be read.
    fn tokens_of(&mut self, whose: &[&SubjectId]) -> Result<Vec<KeptToken>, LedgerError>;

    /// Those of these that there are and can be read.
    fn find_tokens(&mut self, ids: &[&TokenId]) -> Result<Vec<KeptToken>, LedgerError>;

    /// Writes tokens, each in the place of the one of its name if there is one.
    fn write_tokens(&mut self, kept: &[KeptToken]) -> Result<(), LedgerError>;

    /// Notes that these were revoked, which the book is to say.
    fn owe_tokens(&mut self, over: &[(KeptToken, OnRecord)]) -> Result<(), LedgerError>;

    /// Forgets that: the book says so.
    fn tokens_told(&mut self, ids: &[&TokenId]) -> Result<(), LedgerError>;

    /// Those that this gateway revoked, and did not say to be told, as far as they can be read.
    fn untold_tokens(&mut self) -> Result<Vec<UntoldToken>, LedgerError>;

    /// Forgets what expired before that moment.
    fn forget_tokens(&mut self, before: Timestamp) -> Result<(), LedgerError>;

    /// Notes on which days tokens were used last.
    fn used_tokens(&mut self, used: &[(TokenId, i64)]) -> Result<(), LedgerError>;

    /// What this gateway's accounts looked like when that was noted last.
    fn accounts(&mut self) -> Result<AccountMarks, LedgerError>;

    /// Notes what these look like; of what is gone, nothing.
    fn write_accounts(&mut self, changed: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError>;
}
