//! Tokens for tools: kept as grants are, and known in memory, so that looking one up waits for nothing.
//!
//! Of a token's text only a digest is kept. What is good, and until when, every gateway knows within a second; whatever rests
//! on a token that is over ends with it ([`Ledger::end_tokens`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::Ledger;
use super::error::LedgerError;
use super::store::{Change, Store};
use super::writer::{Job, Keeper};
use crate::clock::Timestamp;
use crate::facts::{SubjectId, Token, TokenHash, TokenId};

/// How many tokens that are good one person may have.
pub const MOST_TOKENS: usize = 16;
/// How much of a digest a token is looked up by; the rest is compared in a time that tells nothing.
const PREFIX: usize = 8;
const DAY: i64 = 86_400_000;
/// For how many days what is over is still kept.
const KEPT_DAYS: i64 = 30;

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptToken {
    pub(super) token: Token,
    pub(super) hash: TokenHash,
    /// The day on which it was used last, counted from 1970-01-01.
    pub(super) used_day: Option<i64>,
}

/// A change that also keeps tokens.
pub(super) trait KeepsTokens {
    /// All that are kept.
    fn tokens(&mut self) -> Result<Vec<KeptToken>, LedgerError>;

    /// Those of one person.
    fn tokens_of(&mut self, who: &SubjectId) -> Result<Vec<KeptToken>, LedgerError>;

    /// Writes a token, in the place of the one of its name if there is one.
    fn write_token(&mut self, kept: &KeptToken) -> Result<(), LedgerError>;

    /// Forgets what expired before that moment.
    fn forget_tokens(&mut self, before: Timestamp) -> Result<(), LedgerError>;

    /// Notes on which days tokens were used last.
    fn used_tokens(&mut self, used: &[(TokenId, i64)]) -> Result<(), LedgerError>;
}

/// What is to be kept of a token.
pub(super) enum TokenChange {
    Make(Token, TokenHash),
    Revoke(TokenId, SubjectId, Timestamp),
}

/// A token in memory.
struct Known {
    token: Arc<Token>,
    hash: TokenHash,
    /// The day of its last use; before 1970 where there was none.
    used_day: AtomicI64,
    /// The same as it is kept.
    kept_day: AtomicI64,
    stands: Arc<watch::Sender<bool>>,
}

/// The tokens in memory; only the writer thread changes which there are.
#[derive(Default)]
pub(super) struct TokenView(RwLock<Shelves>);

#[derive(Default)]
struct Shelves {
    by_id: BTreeMap<TokenId, Arc<Known>>,
    by_prefix: BTreeMap<[u8; PREFIX], Vec<Arc<Known>>>,
}

/// A token that somebody showed and that is good.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The token.
    pub token: Arc<Token>,
    /// Becomes false once it is over.
    pub stands: Arc<watch::Sender<bool>>,
}

/// A token as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The token.
    pub token: Token,
    /// When it was used last: midnight of the day.
    pub used_on: Option<Timestamp>,
}

impl TokenView {
    pub(super) fn new(kept: Vec<KeptToken>) -> Self {
        let view = Self::default();
        for kept in kept {
            view.shows(kept);
        }
        view
    }

    /// Shows a token as it is kept now.
    pub(super) fn shows(&self, kept: KeptToken) {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = shelves.by_id.remove(&kept.token.id);
        let stands = before
            .as_ref()
            .map_or_else(|| Arc::new(watch::Sender::new(true)), |known| Arc::clone(&known.stands));
        let day = kept.used_day.unwrap_or(-1);
        let used = before
            .as_ref()
            .map_or(-1, |known| known.used_day.load(Ordering::Relaxed));
        let known = Arc::new(Known {
            used_day: AtomicI64::new(day.max(used)),
            kept_day: AtomicI64::new(day),
            stands,
            hash: kept.hash,
            token: Arc::new(kept.token),
        });
        if known.token.revoked_at.is_some() {
            known.stands.send_replace(false);
        }
        let shelf = shelves.by_prefix.entry(prefix(&known.hash)).or_default();
        shelf.retain(|other| other.token.id != known.token.id);
        shelf.push(Arc::clone(&known));
        shelves.by_id.insert(known.token.id.clone(), known);
    }

    fn find(&self, hash: &TokenHash) -> Option<Arc<Known>> {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let shelf = shelves.by_prefix.get(&prefix(hash))?;
        let same = |known: &&Arc<Known>| {
            aws_lc_rs::constant_time::verify_slices_are_equal(known.hash.bytes(), hash.bytes()).is_ok()
        };
        shelf.iter().find(same).map(Arc::clone)
    }

    fn all(&self) -> Vec<Arc<Known>> {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shelves.by_id.values().map(Arc::clone).collect()
    }

    /// Days of uses that are not kept yet.
    pub(super) fn unkept(&self) -> Vec<(TokenId, i64)> {
        let all = self.all().into_iter();
        let newer = all.filter_map(|known| {
            let day = known.used_day.load(Ordering::Relaxed);
            (day > known.kept_day.load(Ordering::Relaxed)).then(|| (known.token.id.clone(), day))
        });
        newer.collect()
    }

    pub(super) fn kept(&self, days: &[(TokenId, i64)]) {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (id, day) in days {
            if let Some(known) = shelves.by_id.get(id) {
                known.kept_day.fetch_max(*day, Ordering::Relaxed);
            }
        }
    }
}

fn prefix(hash: &TokenHash) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    for (to, from) in prefix.iter_mut().zip(hash.bytes()) {
        *to = *from;
    }
    prefix
}

impl<S: Store> Keeper<S> {
    pub(super) fn change_token(&mut self, wanted: TokenChange) -> Result<Token, LedgerError> {
        let mut change = self.store.begin()?;
        let kept = match wanted {
            TokenChange::Make(token, hash) => {
                let theirs = change.tokens_of(&token.subject)?;
                let good = theirs.iter().filter(|kept| kept.token.is_good(token.made_at)).count();
                if good >= MOST_TOKENS {
                    return Err(LedgerError::TooManyTokens(good));
                }
                let long_over = token.made_at.as_millis().saturating_sub(KEPT_DAYS * DAY);
                change.forget_tokens(Timestamp::from_millis(long_over))?;
                KeptToken {
                    token,
                    hash,
                    used_day: None,
                }
            }
            TokenChange::Revoke(id, who, at) => {
                let mut theirs = change.tokens_of(&who)?.into_iter();
                let mut kept = theirs
                    .find(|kept| kept.token.id == id && kept.token.is_good(at))
                    .ok_or(LedgerError::NoSuchToken(id))?;
                kept.token.revoked_at = Some(at);
                kept
            }
        };
        change.write_token(&kept)?;
        change.commit()?;
        let token = kept.token.clone();
        self.tokens.shows(kept);
        Ok(token)
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

impl Ledger {
    /// Names a token without making it.
    pub fn name_token(at: Timestamp) -> TokenId {
        TokenId::new(at.fresh_name())
    }

    /// Keeps a token, whose text has this digest: good once this returns.
    pub async fn make_token(&self, token: Token, hash: TokenHash) -> Result<Token, LedgerError> {
        self.writer.change_token(TokenChange::Make(token, hash)).await
    }

    /// Ends one of somebody's tokens, and whatever rests on it, before this returns; elsewhere within a second.
    pub async fn revoke_token(&self, id: &TokenId, who: &SubjectId, at: Timestamp) -> Result<Token, LedgerError> {
        self.writer
            .change_token(TokenChange::Revoke(id.clone(), who.clone(), at))
            .await
    }

    /// The token whose text has this digest, if it is good at `now`; memory only. That it was shown counts as its use.
    pub fn shown_token(&self, hash: &TokenHash, now: Timestamp) -> Option<Shown> {
        let known = self.tokens.find(hash)?;
        if !known.token.is_good(now) {
            return None;
        }
        known
            .used_day
            .fetch_max(now.as_millis().div_euclid(DAY), Ordering::Relaxed);
        Some(Shown {
            token: Arc::clone(&known.token),
            stands: Arc::clone(&known.stands),
        })
    }

    /// Somebody's tokens that are good at `now`, the latest first.
    pub fn tokens_of(&self, who: &SubjectId, now: Timestamp) -> Vec<Listed> {
        let all = self.tokens.all().into_iter().rev();
        let theirs = all.filter(|known| known.token.subject == *who && known.token.is_good(now));
        let listed = theirs.map(|known| {
            let day = known.used_day.load(Ordering::Relaxed);
            Listed {
                token: (*known.token).clone(),
                used_on: (day >= 0).then(|| Timestamp::from_millis(day.saturating_mul(DAY))),
            }
        });
        listed.collect()
    }

    /// Ends whatever rests on tokens that have expired by `now`; to be called every second.
    pub fn end_tokens(&self, now: Timestamp) {
        for known in self.tokens.all() {
            if !known.token.is_good(now) {
                known.stands.send_if_modified(|stands| std::mem::replace(stands, false));
            }
        }
    }
}

impl super::writer::Writer {
    async fn change_token(&self, wanted: TokenChange) -> Result<Token, LedgerError> {
        self.submit(|reply| Job::Token(Box::new(wanted), reply)).await
    }
}
