//! Tokens for tools: kept as grants are, and known in memory, so that looking one up waits for nothing.
//!
//! Of a token's text only a digest is kept. What is good, and until when, every gateway knows within a second; whatever rests
//! on a token that is over ends with it ([`Ledger::end_tokens`]). How they change, `token_changes.rs` has, and how they
//! are kept, `token_rows.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::token_rows::{KeptToken, TokenRows};
use super::{Ledger, Vouched};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, RevokedFor, SubjectId, Token, TokenHash, TokenId};

/// How much of a digest a token is looked up by; the rest is compared in a time that tells nothing.
const PREFIX: usize = 8;
const DAY: i64 = 86_400_000;
/// For how long it is remembered that somebody else's doing ended a token, to tell its person.
const TOLD_FOR: Duration = Duration::from_hours(7 * 24);

/// A token in memory.
struct Known {
    token: Arc<Token>,
    hash: TokenHash,
    /// The day of its last use; before 1970 where there was none.
    used_day: AtomicI64,
    /// The same as it is kept.
    kept_day: AtomicI64,
    /// What rests on it; false once that is over.
    stands: ArcSwap<watch::Sender<bool>>,
}

impl Known {
    fn is_good(&self, now: Timestamp) -> bool {
        self.token.is_good(now) && *self.stands.load().borrow()
    }

    fn ends(&self) {
        self.stands
            .load()
            .send_if_modified(|stands| std::mem::replace(stands, false));
    }

    /// Whether its person is still told what became of it.
    fn is_told(&self, now: Timestamp) -> bool {
        let by_others = match &self.token.revoked_for {
            Some(RevokedFor::Revocation(ended)) => ended.by != self.token.subject,
            Some(RevokedFor::PasswordChanged | RevokedFor::AccountRemoved) => true,
            None => false,
        };
        let over = self.token.revoked_at.filter(|_| by_others);
        over.is_some_and(|over| now.since(over) < TOLD_FOR)
    }

    fn listed(&self) -> Listed {
        let day = self.used_day.load(Ordering::Relaxed);
        Listed {
            token: (*self.token).clone(),
            used_on: (day >= 0).then(|| Timestamp::from_millis(day.saturating_mul(DAY))),
        }
    }
}

/// The tokens in memory; only the writer thread adds to them.
pub(super) struct TokenView {
    shelves: RwLock<Shelves>,
    accounts: RwLock<AccountMarks>,
    /// Whose account changed, which is not noted yet.
    suspended: Mutex<BTreeSet<SubjectId>>,
    /// Whether what is known of tokens counted when that was looked at last.
    counted: AtomicBool,
    /// Whether nobody knows whose account is gone.
    in_abeyance: AtomicBool,
}

#[derive(Default)]
struct Shelves {
    by_id: BTreeMap<TokenId, Arc<Known>>,
    by_prefix: BTreeMap<[u8; PREFIX], Vec<Arc<Known>>>,
    unreadable: BTreeSet<TokenId>,
}

impl Shelves {
    fn take(&mut self, id: &TokenId) -> Option<Arc<Known>> {
        let known = self.by_id.remove(id)?;
        if let Some(shelf) = self.by_prefix.get_mut(&prefix(&known.hash)) {
            shelf.retain(|other| other.token.id != *id);
            if shelf.is_empty() {
                self.by_prefix.remove(&prefix(&known.hash));
            }
        }
        Some(known)
    }
}

/// A token that somebody showed and that is good.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The token.
    pub token: Arc<Token>,
    /// Becomes false once it is over.
    pub stands: Arc<watch::Sender<bool>>,
}

/// What is known of a token that somebody shows.
#[derive(Clone, Debug)]
pub enum Looked {
    /// It is good.
    Good(Shown),
    /// It is not.
    Not,
    /// What is known of tokens is too old to count.
    Unknown,
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
    pub(super) fn new(rows: TokenRows, accounts: AccountMarks) -> Self {
        let view = Self {
            shelves: RwLock::default(),
            accounts: RwLock::new(accounts),
            suspended: Mutex::default(),
            counted: AtomicBool::new(true),
            in_abeyance: AtomicBool::new(false),
        };
        for kept in rows.kept {
            view.shows(kept);
        }
        for id in rows.unreadable {
            view.cannot_read(id);
        }
        view
    }

    /// Shows a token as it is kept now.
    pub(super) fn shows(&self, kept: KeptToken) {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        shelves.unreadable.remove(&kept.token.id);
        let before = shelves.take(&kept.token.id);
        let stands = before
            .as_ref()
            .map_or_else(|| Arc::new(watch::Sender::new(true)), |known| known.stands.load_full());
        let day = kept.used_day.unwrap_or(-1);
        let used = before
            .as_ref()
            .map_or(-1, |known| known.used_day.load(Ordering::Relaxed));
        let known = Arc::new(Known {
            used_day: AtomicI64::new(day.max(used)),
            kept_day: AtomicI64::new(day),
            stands: ArcSwap::new(stands),
            hash: kept.hash,
            token: Arc::new(kept.token),
        });
        if known.token.revoked_at.is_some() {
            known.ends();
        }
        // that its own person revoked it is told to nobody
        if known.token.revoked_at.is_none() || known.token.revoked_for.is_some() {
            let shelf = shelves.by_prefix.entry(prefix(&known.hash)).or_default();
            shelf.push(Arc::clone(&known));
            shelves.by_id.insert(known.token.id.clone(), known);
        }
    }

    /// A token cannot be read any more: any doubt denies.
    pub(super) fn cannot_read(&self, id: TokenId) {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shelves.take(&id) {
            known.ends();
        }
        shelves.unreadable.insert(id);
    }

    fn find(&self, hash: &TokenHash) -> Option<Arc<Known>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let shelf = shelves.by_prefix.get(&prefix(hash))?;
        let same = |known: &&Arc<Known>| {
            aws_lc_rs::constant_time::verify_slices_are_equal(known.hash.bytes(), hash.bytes()).is_ok()
        };
        shelf.iter().find(same).map(Arc::clone)
    }

    #[cfg(test)]
    pub(super) fn is_good(&self, hash: &TokenHash, now: Timestamp) -> bool {
        self.find(hash).is_some_and(|known| known.is_good(now))
    }

    fn all(&self) -> Vec<Arc<Known>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        shelves.by_id.values().map(Arc::clone).collect()
    }

    /// Ends what rests on what is over at `now`, and forgets what nobody is told of.
    fn end(&self, now: Timestamp) {
        for known in self.all().into_iter().filter(|known| !known.token.is_good(now)) {
            known.ends();
            if !known.is_told(now) {
                let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
                shelves.take(&known.token.id);
            }
        }
    }

    /// Notes whether what is known counts. Where it does no more, whatever rests on a token ends; what comes later rests on
    /// it anew.
    fn counts(&self, counts: bool) {
        if self.counted.swap(counts, Ordering::AcqRel) && !counts {
            // INVARIANT: none is shown anew meanwhile: it would take over what ends here, and be good never again
            let shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
            for known in shelves.by_id.values() {
                let anew = watch::Sender::new(*known.stands.load().borrow());
                known.stands.swap(Arc::new(anew)).send_replace(false);
            }
        }
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
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        for (id, day) in days {
            if let Some(known) = shelves.by_id.get(id) {
                known.kept_day.fetch_max(*day, Ordering::Relaxed);
            }
        }
    }

    /// What the accounts looked like that were noted last.
    pub(super) fn accounts(&self) -> AccountMarks {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// So these accounts look: of all others stands what this gateway knows.
    pub(super) fn are_noted_anew(&self, these: Vec<(SubjectId, Option<AccountMark>)>) {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        for (who, mark) in these {
            accounts.remove(&who);
            accounts.extend(mark.map(|mark| (who, mark)));
        }
    }

    /// So the accounts look, and the tokens of those that changed are shown as over. Those of whom nothing had to be noted in the
    /// end, as their account is again what it was, are good again.
    pub(super) fn noted(&self, accounts: AccountMarks) {
        *self.accounts.write().unwrap_or_else(PoisonError::into_inner) = accounts;
        let mut suspended = self.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        let suspended = std::mem::take(&mut *suspended);
        if suspended.is_empty() {
            return;
        }
        for known in self.all() {
            let is_over = known.token.revoked_at.is_some();
            if !is_over && suspended.contains(&known.token.subject) && !*known.stands.load().borrow() {
                known.stands.store(Arc::new(watch::Sender::new(true)));
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

impl Ledger {
    /// Names a token without making it.
    pub fn name_token(at: Timestamp) -> TokenId {
        TokenId::new(at.fresh_name())
    }

    /// What is known, at `now`, of the token whose text has this digest; memory only. That it was shown counts as its use.
    pub fn shown_token(&self, hash: &TokenHash, now: Timestamp) -> Looked {
        let found = self.tokens.find(hash).map(|known| (known.stands.load_full(), known));
        let good = found.filter(|(stands, known)| *stands.borrow() && known.token.is_good(now));
        // INVARIANT: last: where tokens count no more from here on, what rests on this one ends with all the others
        if !self.counts_tokens() {
            return Looked::Unknown;
        }
        let Some((stands, known)) = good else {
            return Looked::Not;
        };
        known
            .used_day
            .fetch_max(now.as_millis().div_euclid(DAY), Ordering::Relaxed);
        Looked::Good(Shown {
            token: Arc::clone(&known.token),
            stands,
        })
    }

    /// Somebody's tokens that are good at `now`, the latest first.
    pub fn tokens_of(&self, who: &SubjectId, now: Timestamp) -> Vec<Listed> {
        let all = self.tokens.all().into_iter().rev();
        let theirs = all.filter(|known| known.token.subject == *who && known.is_good(now));
        theirs.map(|known| known.listed()).collect()
    }

    /// Everybody's tokens that are good at `now`, the oldest first.
    pub fn good_tokens(&self, now: Timestamp) -> Vec<Token> {
        let good = self.tokens.all().into_iter().filter(|known| known.is_good(now));
        good.map(|known| (*known.token).clone()).collect()
    }

    /// One token, if it is good at `now` or its person is still told what became of it.
    pub fn token(&self, id: &TokenId, now: Timestamp) -> Option<Token> {
        let shelves = self.tokens.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let known = shelves.by_id.get(id)?;
        (known.is_good(now) || known.is_told(now)).then(|| (*known.token).clone())
    }

    /// Somebody's tokens that somebody else's doing has ended in the last days, the latest first.
    pub fn ended_tokens_of(&self, who: &SubjectId, now: Timestamp) -> Vec<Token> {
        let all = self.tokens.all().into_iter();
        let theirs = all.filter(|known| known.token.subject == *who && known.is_told(now));
        let mut theirs: Vec<Token> = theirs.map(|known| (*known.token).clone()).collect();
        theirs.sort_by_key(|token| std::cmp::Reverse(token.revoked_at));
        theirs
    }

    /// Nothing rests on the tokens of these people any more here, until that is noted, or nothing has to be.
    pub fn suspend_tokens_of(&self, whose: &BTreeSet<SubjectId>) {
        // first: what is shown from here on does not count
        let mut suspended = self.tokens.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        suspended.extend(whose.iter().cloned());
        drop(suspended);
        // INVARIANT: none begins anew meanwhile, which would take over that it still stands
        let shelves = self.tokens.shelves.read().unwrap_or_else(PoisonError::into_inner);
        for known in shelves.by_id.values() {
            if whose.contains(&known.token.subject) {
                known.ends();
            }
        }
    }

    /// Whether there are any.
    pub(super) fn are_tokens_suspended(&self) -> bool {
        let suspended = self.tokens.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        !suspended.is_empty()
    }

    /// Ends whatever rests on tokens that have expired by `now`, or on all of them where it is not known for too long what
    /// others have changed; to be called every second.
    pub fn end_tokens(&self, now: Timestamp) {
        self.tokens.counts(self.counts_tokens());
        self.tokens.end(now);
    }

    fn counts_tokens(&self) -> bool {
        self.vouches(false) != Vouched::NoMore && !self.are_tokens_held()
    }

    /// Whether there are accounts that were noted and cannot be found now: until that is known, no token counts, and what rests on
    /// one ends; none is over.
    pub fn holds_tokens(&self, cannot_be_found: bool) -> bool {
        let holds = cannot_be_found && !self.tokens.accounts().is_empty();
        if self.tokens.in_abeyance.swap(holds, Ordering::AcqRel) != holds {
            tracing::warn!(
                holds,
                "no token is good while the accounts that there were cannot be found"
            );
            self.tokens.counts(self.counts_tokens());
        }
        holds
    }

    /// Whether no token counts for that.
    pub fn are_tokens_held(&self) -> bool {
        self.tokens.in_abeyance.load(Ordering::Acquire)
    }

    /// How many tokens cannot be read: they are good nowhere.
    pub fn unreadable_tokens(&self) -> usize {
        let shelves = self.tokens.shelves.read().unwrap_or_else(PoisonError::into_inner);
        shelves.unreadable.len()
    }
}
