//! How tokens for tools change: made, revoked, and ended with the account of their person.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use super::counter::answered;
use super::ending::{Ending, OnRecord, UntoldToken};
use super::ends::{OnceOver, TokenEnds, TokensOver};
use super::error::LedgerError;
use super::promise::{Owed, Telling};
use super::store::{Change, Store};
use super::token_rows::{KeepsTokens, KeptToken};
use super::writer::{Ends, Job, Keeper};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, RevokedFor, RulebookId, SubjectId, Token, TokenHash, TokenId};

/// How many tokens that are good one person may have.
pub const MOST_TOKENS: usize = 16;
const DAY: i64 = 86_400_000;
/// For how many days what is over is still kept.
const KEPT_DAYS: i64 = 30;

/// What is to be kept of tokens.
pub(super) enum TokenChange {
    /// Somebody who has just proved who they are makes it: as long as that proof stands.
    Make(Token, TokenHash, Box<dyn Fn() -> bool + Send>),
    /// The accounts look like this now: with those that changed, the tokens of their people end.
    Accounts(Followed),
}

/// Accounts that are to be noted, and how the book is to say what ends with them.
pub(super) struct Followed {
    pub(super) accounts: AccountMarks,
    pub(super) at: Timestamp,
    /// Where the book is, and which rules rule.
    pub(super) told: (u64, RulebookId),
    pub(super) once_over: OnceOver,
}

/// The accounts that look otherwise by now, and what that means for tokens.
fn changed<'a>(
    before: &'a AccountMarks,
    after: &'a AccountMarks,
) -> impl Iterator<Item = (&'a SubjectId, RevokedFor)> + 'a {
    before.iter().filter_map(|(who, mark)| match after.get(who) {
        Some(now) if now == mark => None,
        Some(_) => Some((who, RevokedFor::PasswordChanged)),
        None => Some((who, RevokedFor::AccountRemoved)),
    })
}

/// Those of these that are good at `at`, as they are once they are revoked.
pub(super) fn revoked(
    these: Vec<KeptToken>,
    at: Timestamp,
    why: impl Fn(&SubjectId) -> Option<RevokedFor>,
) -> Vec<KeptToken> {
    let good = these.into_iter().filter(|kept| kept.token.is_good(at));
    let over = good.map(|was| {
        let why = why(&was.token.subject);
        KeptToken {
            token: was.token.revoked(at, why),
            ..was
        }
    });
    over.collect()
}

impl<S: Store> Keeper<S> {
    pub(super) fn change_token(&mut self, wanted: TokenChange) -> Result<Vec<Token>, LedgerError> {
        match wanted {
            TokenChange::Make(token, hash, stands) => {
                let kept = self.make(token, hash, &stands)?;
                self.tokens.shows(kept.clone());
                Ok(vec![kept.token])
            }
            TokenChange::Accounts(followed) => self.follow(followed),
        }
    }

    fn make(&mut self, token: Token, hash: TokenHash, stands: &dyn Fn() -> bool) -> Result<KeptToken, LedgerError> {
        let mut change = self.store.begin()?;
        // INVARIANT: here, and not before: what an account that changes ends comes with a later job, or came with an earlier one
        if !stands() {
            return Err(LedgerError::ProofOver);
        }
        let theirs = change.tokens_of(&[&token.subject])?;
        let good = theirs.iter().filter(|kept| kept.token.is_good(token.made_at)).count();
        if good >= MOST_TOKENS {
            return Err(LedgerError::TooManyTokens(good));
        }
        let long_over = token.made_at.as_millis().saturating_sub(KEPT_DAYS * DAY);
        change.forget_tokens(Timestamp::from_millis(long_over))?;
        let kept = KeptToken {
            token,
            hash,
            used_day: None,
        };
        change.write_tokens(std::slice::from_ref(&kept))?;
        change.commit()?;
        Ok(kept)
    }

    /// Ends the tokens of those whose accounts changed, and notes what all look like now: both or neither.
    fn follow(&mut self, followed: Followed) -> Result<Vec<Token>, LedgerError> {
        let Followed {
            accounts,
            at,
            told,
            once_over,
        } = followed;
        let before = self.tokens.accounts();
        let changed: BTreeMap<&SubjectId, RevokedFor> = changed(&before, &accounts).collect();
        let whose: Vec<&SubjectId> = changed.keys().copied().collect();
        let noted = whose.iter().map(|who| ((*who).clone(), accounts.get(*who).copied()));
        let mut noted: Vec<(SubjectId, Option<AccountMark>)> = noted.collect();
        // first: where this fails, nothing is noted, and it is done again
        answered(&mut self.store, |counter| counter.end_sessions_of(&noted))?;
        let mut change = self.store.begin()?;
        let theirs = change.tokens_of(&whose)?;
        let over = revoked(theirs, at, |who| changed.get(who).cloned());
        change.write_tokens(&over)?;
        let over = over.into_iter().map(|is| {
            let on_record = OnRecord::of_account(&is.token.subject, told.clone());
            (is, on_record)
        });
        let over: Vec<(KeptToken, OnRecord)> = over.collect();
        change.owe_tokens(&over)?;
        let new = accounts.iter().filter(|(who, _)| !before.contains_key(*who));
        noted.extend(new.map(|(who, mark)| (who.clone(), Some(*mark))));
        change.write_accounts(&noted)?;
        let kept = change.commit();
        let over = TokensOver { over, once_over };
        if let Err(error) = kept {
            self.doubtful_tokens.extend(over.is_any().then_some(over));
            // what nobody knows to be noted is looked up before anything is compared with it again
            self.doubtful_accounts.extend(noted.into_iter().map(|(who, _)| who));
            return Err(error);
        }
        let over = self.show_over(over);
        self.tokens.noted(accounts);
        Ok(over)
    }

    /// Writes down on which days tokens were used last; what cannot be written now is written the next time.
    pub(super) fn keep_token_days(&mut self) {
        let days = self.tokens.unkept();
        if days.is_empty() {
            return;
        }
        let mut keep = || -> Result<(), LedgerError> {
            let mut change = self.store.begin()?;
            change.used_tokens(&days)?;
            change.commit()
        };
        match keep() {
            Ok(()) => self.tokens.kept(&days),
            Err(error) => tracing::warn!(%error, "the ledger cannot write down now which tokens were used"),
        }
    }
}

/// What accounts are noted to look like of which that is doubtful. Those of whom it is are written as they are, so that this
/// change takes the place of the doubtful one.
pub(super) fn noted_anew(
    change: &mut impl KeepsTokens,
    doubtful: &BTreeSet<SubjectId>,
) -> Result<Vec<(SubjectId, Option<AccountMark>)>, LedgerError> {
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let found = change.accounts()?;
    let theirs = doubtful.iter().map(|who| (who.clone(), found.get(who).copied()));
    let theirs: Vec<_> = theirs.collect();
    change.write_accounts(&theirs)?;
    Ok(theirs)
}

impl Ledger {
    /// Keeps a token, whose text has this digest: good once this returns. Refused where what its person proved themselves with
    /// does not stand any more: a password that is changed meanwhile makes none.
    pub async fn make_token(
        &self,
        token: Token,
        hash: TokenHash,
        stands: impl Fn() -> bool + Send + 'static,
    ) -> Result<Token, LedgerError> {
        let id = token.id.clone();
        self.one_token(TokenChange::Make(token, hash, Box::new(stands)), id)
            .await
    }

    /// Ends one of somebody's tokens, and whatever rests on it, before this returns; elsewhere within a second. Until `once_over`
    /// has seen to it that the book says so, and [told](Telling::told) so, it is among what is [`Ledger::untold_tokens`].
    pub async fn revoke_token(
        &self,
        id: &TokenId,
        who: &SubjectId,
        (at, on_record): (Timestamp, OnRecord),
        once_over: impl FnMut(&Token, Telling) + Send + 'static,
    ) -> Result<Token, LedgerError> {
        let theirs = |token: &Token| token.subject == *who;
        let over = if self.token(id, at).is_some_and(|token| theirs(&token)) {
            let ends = Ends {
                these: Vec::new(),
                tokens: TokenEnds {
                    these: vec![(id.clone(), on_record)],
                    once_over: Box::new(once_over),
                },
                ending: Ending::Withdrawn,
                at,
                once: None,
                once_kept: Box::new(|_, _| ()),
            };
            self.writer.end(ends).await?.tokens.pop()
        } else {
            None
        };
        over.ok_or_else(|| LedgerError::NoSuchToken(id.clone()))
    }

    /// What was revoked in the life before this one, and may not be told by the book.
    pub fn untold_tokens(&self) -> &[UntoldToken] {
        &self.untold_tokens
    }

    /// Forgets what the book tells.
    pub fn tokens_told(&self, told: Vec<TokenId>) {
        self.writer.forget(told.into_iter().map(Owed::Revoked));
    }

    async fn one_token(&self, wanted: TokenChange, id: TokenId) -> Result<Token, LedgerError> {
        let kept = self.writer.change_token(wanted).await?.pop();
        kept.ok_or(LedgerError::NoSuchToken(id))
    }

    /// Those whose accounts look otherwise than when that was noted last, be it before the last start, and what that means for
    /// their tokens; and whether there is anything to note. Memory only.
    pub fn changed_accounts(&self, accounts: &AccountMarks) -> (Vec<(SubjectId, RevokedFor)>, bool) {
        let before = self.tokens.accounts();
        let changed = changed(&before, accounts).map(|(who, why)| (who.clone(), why));
        (changed.collect(), before != *accounts || self.are_tokens_suspended())
    }

    /// Ends the tokens of those, and notes what accounts look like now: in one change. Gives the tokens that ended; until
    /// `once_over` has seen to it that the book says so, and [told](Telling::told) so, they are among the
    /// [`Ledger::untold_tokens`]. The book is at the segment that is `told`, and these rules rule.
    pub async fn note_accounts(
        &self,
        (accounts, at): (AccountMarks, Timestamp),
        told: (u64, RulebookId),
        once_over: impl FnMut(&Token, Telling) + Send + 'static,
    ) -> Result<Vec<Token>, LedgerError> {
        let followed = Followed {
            accounts,
            at,
            told,
            once_over: Box::new(once_over),
        };
        self.writer.change_token(TokenChange::Accounts(followed)).await
    }
}

impl super::writer::Writer {
    async fn change_token(&self, wanted: TokenChange) -> Result<Vec<Token>, LedgerError> {
        self.submit(|reply| Job::Token(Box::new(wanted), reply)).await
    }
}
