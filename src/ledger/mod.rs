//! What for? The grants that people hold, kept in a store and, for the hot path, in memory.
//!
//! ```text
//!  give / end ──> writer thread ── one transaction, durable ──> a file of this gateway   (sqlite/)
//!                      │ then         look for news <─────────> or a database of several (postgres/)
//!                      v
//!                 view in memory <── standing(subject, now)      every request; never waits for the store
//!                      │ then
//!                      └──> changes()                            long flows are judged again
//! ```
//!
//! Reads like this: [`Ledger::kept`] opens the store, brings its schema up to date and fills the view;
//! [`Ledger::standing`] answers from the view; [`Ledger::give`], [`Ledger::put`], [`Ledger::withdraw`] and [`Ledger::revoke_all`] return once the change
//! is durable and in force. A grant expires, goes unused for too long, and a request lapses, because time passes, not because
//! somebody removes it; [`Ledger::in_use`] is where whatever passes under a grant says so.
//!
//! Gateways that share a database see each other's changes in the order in which they were made; one that is cut off says so
//! ([`Ledger::vouches`]).
//!
//! What people are to be told of a change is noted with it ([`Ledger::tells`], `outbox.rs`), and told elsewhere; so is that a
//! week is over of which something is told ([`Ledger::tells_weeks`]).
//!
//! How much purposes are used, and what comes of it, is counted beside ([`Usage`], [`Ledger::add_up`]): by person while a week
//! lasts, and then as figures of groups that are large enough ([`Ledger::figures`]), which is all that is left of it.
//!
//! It must never judge whether a grant should be given, never say that a grant is given before it is durable, and
//! never let two gateways write the same file.

mod adding;
mod becoming;
mod counter;
mod delegated;
mod digest;
mod doubts;
mod ending;
mod ends;
mod error;
mod figures;
mod hearing;
mod holder;
mod keeping;
mod life;
mod once;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod promise;
mod promising;
mod reporting;
mod settings;
mod sqlite;
mod store;
mod tallies;
#[cfg(test)]
mod tests;
mod token_changes;
mod token_rows;
mod tokens;
mod usage;
mod uses;
mod view;
mod vouched;
mod writer;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::facts::{Came, Ended, Grant, GrantAct, GrantId, GrantTerms, Review, Secret, Standing, SubjectId};
use crate::purpose::{Approved, Declined, Lapsed, PartlyApproved};
use counter::{Apart, Hearers};
pub use counter::{Envelope, Session};
pub use digest::Brought;
use ending::Ending;
pub use ending::{OnRecord, Untold, UntoldToken};
use ends::TokenEnds;
pub use error::LedgerError;
pub use figures::{Figure, Part, SMALLEST};
use keeping::Keeping;
pub use life::{Count, Life};
pub use once::{Done, Once, Recalled};
pub use outbox::{About, Claim, Due, Fate, Letter, Notice};
use promise::Owed;
pub use promise::{Leftover, Promise, Telling};
pub use settings::{BadSetting, Kept, Settings};
use sqlite::Sqlite;
use store::{Bell, Store};
pub use token_changes::MOST_TOKENS;
use tokens::TokenView;
pub use tokens::{Listed, Looked, Shown};
pub use usage::{Measure, Sums, Usage, Week};
pub use uses::InUse;
use view::View;
pub use vouched::Vouched;
pub use writer::AllEnded;
use writer::{Ends, Writer};

/// Within which time gateways that share a database know of each other's uses: written down, and heard of.
const HEARD_WITHIN: Duration = Duration::from_secs(Ledger::KEEPS_USES_EVERY.as_secs() + 10);

/// How many grants that were taken in an emergency may wait for a review, of one person.
pub const MOST_UNREVIEWED: usize = 4;
const _: () = assert!(view::REMEMBERED > 3 * MOST_IN_FORCE + MOST_UNREVIEWED + MOST_DELEGATED);

/// How often one person may let others answer for them at once, what begins later included.
pub const MOST_DELEGATED: usize = 16;

/// How many grants one person may hold at once: each costs a judgement when a request is refused. As many times they may
/// have continued past something, and as many of their requests may wait for an answer.
pub const MOST_IN_FORCE: usize = 32;

/// The grants of this gateway; clones speak of the same ones.
#[derive(Clone)]
pub struct Ledger {
    view: Arc<View>,
    tokens: Arc<TokenView>,
    keeping: Arc<Keeping>,
    writer: Arc<Writer>,
    promised: Arc<[Leftover]>,
    untold: Arc<[Untold]>,
    untold_tokens: Arc<[UntoldToken]>,
    /// Whether people are told of what changes.
    tells: Arc<AtomicBool>,
    /// How long after its Monday began people are told of a week, where they are.
    digests: Arc<OnceLock<Duration>>,
    /// For how long what is known is relied on without hearing of what others change.
    patience: (Duration, Duration),
    /// Within which time it is known here that a grant was used at another gateway.
    heard_within: Duration,
    /// Whether there are other gateways.
    shared: bool,
    counter_key: Arc<Secret>,
    /// Whether that is the key of the store, as far as is known.
    key_is_current: Arc<AtomicBool>,
    /// What portals know, where it is kept apart from grants.
    apart: Apart,
    /// Who waits to hear what other gateways changed.
    hearers: Arc<Hearers>,
}

impl Ledger {
    /// Opens the ledger where the settings say, and reads what people hold; `tls` is how a database is verified.
    pub fn kept(settings: &Settings, tls: rustls::ClientConfig) -> Result<Self, LedgerError> {
        let opened = match settings.store {
            Kept::Sqlite => Self::open(&settings.file),
            Kept::Postgresql => Self::shared(settings, tls),
        };
        opened.map(|ledger| Self {
            patience: settings.patience(),
            ..ledger
        })
    }

    #[cfg(feature = "postgres")]
    fn shared(settings: &Settings, tls: rustls::ClientConfig) -> Result<Self, LedgerError> {
        let access = postgres::Access::of(settings, tls)?;
        Self::over(move |bell| postgres::Postgres::open(&access, bell))
    }

    #[cfg(not(feature = "postgres"))]
    fn shared(settings: &Settings, _: rustls::ClientConfig) -> Result<Self, LedgerError> {
        let missing = settings.problems().pop();
        let why = missing.map(|bad| format!("{}; {}", bad.message, bad.help));
        Err(LedgerError::Unavailable(why.unwrap_or_default()))
    }

    /// Opens the ledger in the file `path`, made if it is not there, and reads what people hold.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = path.to_owned();
        Self::over(move |_bell| Sqlite::open(&path))
    }

    /// A ledger that forgets everything when it is dropped.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::over(|_bell| Sqlite::in_memory())
    }

    fn over<S: Store>(open: impl FnOnce(Bell) -> Result<S, LedgerError> + Send + 'static) -> Result<Self, LedgerError> {
        let (writer, opened) = Writer::start(open)?;
        Ok(Self {
            view: opened.view,
            tokens: opened.tokens,
            keeping: opened.keeping,
            writer: Arc::new(writer),
            promised: opened.promised,
            untold: opened.untold,
            untold_tokens: opened.untold_tokens,
            tells: opened.tells,
            digests: opened.digests,
            patience: Settings::default().patience(),
            heard_within: if S::SHARED { HEARD_WITHIN } else { Duration::ZERO },
            shared: S::SHARED,
            counter_key: opened.counter_key,
            key_is_current: Arc::new(AtomicBool::new(true)),
            apart: opened.apart,
            hearers: opened.hearers,
        })
    }

    /// What `subject` holds at `now`; memory only.
    pub fn standing(&self, subject: &SubjectId, now: Timestamp) -> Standing {
        let theirs = self.view.of(subject);
        let held = theirs.iter().filter(|grant| grant.delegated.is_none());
        let used = held.filter(|grant| !self.view.uses.is_idle(grant, now));
        Standing::new(used.cloned(), now)
    }

    /// The use of a grant in force that may not go unused for too long; none of any other. Memory only.
    pub fn in_use(&self, id: &GrantId) -> Option<InUse> {
        self.view.uses.of(id)
    }

    /// What had gone unused for too long by `now` without anybody having [said so](Ledger::end_idle). Where other gateways may
    /// have seen it used, not before that would be known here.
    pub fn idle(&self, now: Timestamp) -> Vec<Grant> {
        let idle = self.view.uses.idle(now, self.heard_within).into_iter();
        idle.filter_map(|id| self.view.get(&id)).collect()
    }

    /// Keeps that a grant is over which had gone unused for too long by `at`. It follows from the time, and this is so that it
    /// is said once.
    ///
    /// `once_kept` is called with the ended grant as for [`Ledger::withdraw_on_record`].
    pub async fn end_idle(
        &self,
        id: &GrantId,
        (at, on_record): (Timestamp, OnRecord),
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.end_on_record(id, (Ending::Idle, at), on_record, once_kept).await
    }

    /// Writes down, as soon as it can, when grants were used last; to be called often enough ([`Ledger::KEEPS_USES_EVERY`]).
    pub fn keep_uses(&self) {
        self.writer.keep_uses();
    }

    /// How often [`Ledger::keep_uses`] is to be called, so that a crash makes no grant forget more than a minute of its use.
    pub const KEEPS_USES_EVERY: Duration = Duration::from_secs(30);

    /// Names a grant without giving it.
    pub fn name(&self, terms: GrantTerms) -> Grant {
        let id = GrantId::new(terms.declared_at.fresh_name());
        terms.named(id)
    }

    /// Gives a grant: on disk and in force before this returns.
    pub async fn give(&self, terms: GrantTerms) -> Result<Grant, LedgerError> {
        self.put(self.name(terms), |_| ()).await
    }

    /// Names a grant that is about to be recorded and then [`put`](Ledger::put): until then a crash leaves it among
    /// [`Ledger::promised`]. Refused where its holder has as many as one may have, before anything is recorded.
    /// `segment` is where the book is being written.
    pub async fn promise(&self, terms: GrantTerms, segment: u64) -> Result<Promise, LedgerError> {
        self.writer.promise(self.name(terms), segment).await
    }

    /// The same of a grant that is asked for by somebody who came so, and can be answered until `answer_by`: refused where
    /// as many requests of the person wait as may.
    pub async fn promise_asked(
        &self,
        (terms, came): (GrantTerms, Came),
        answer_by: Timestamp,
        segment: u64,
    ) -> Result<Promise, LedgerError> {
        let asked = Grant {
            came: Some(Box::new(came)),
            ..asked(terms, answer_by)
        };
        self.writer.promise(asked, segment).await
    }

    /// The same of a grant that somebody has approved: refused also where it does not wait any more.
    pub async fn promise_approved(&self, approved: Approved, segment: u64) -> Result<Promise, LedgerError> {
        self.writer.promise(approved.into_grant(), segment).await
    }

    /// The same of one that somebody has approved, and others still have to.
    pub async fn promise_partly(&self, partly: PartlyApproved, segment: u64) -> Result<Promise, LedgerError> {
        self.writer.promise(partly.into_grant(), segment).await
    }

    /// The same of one that somebody has declined.
    pub async fn promise_declined(&self, declined: Declined, segment: u64) -> Result<Promise, LedgerError> {
        self.writer.promise(declined.into_grant(), segment).await
    }

    /// The same of one that nobody has answered.
    pub async fn promise_lapsed(&self, lapsed: Lapsed, segment: u64) -> Result<Promise, LedgerError> {
        self.writer.promise(lapsed.into_grant(), segment).await
    }

    /// Keeps that a grant is asked for, which can be answered until `answer_by`: on disk before this returns.
    pub async fn ask(&self, terms: GrantTerms, answer_by: Timestamp) -> Result<Grant, LedgerError> {
        self.put(asked(terms, answer_by), |_| ()).await
    }

    /// Keeps a grant as it is: given, asked for, or as it was answered; then it must wait until its answer, or, where there
    /// was none, not wait any more.
    ///
    /// `once_kept` is called when the grant is on disk and in force, also if nobody waits for this call any more; it
    /// is dropped without being called if the grant is not given.
    pub async fn put(
        &self,
        grant: Grant,
        once_kept: impl FnOnce(&Grant) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.put_once(grant, None, once_kept).await
    }

    /// Ends a grant that is in force at `at`, for its holder; or takes back what waits then: on disk and no longer in force
    /// before this returns.
    ///
    /// `once_kept` is called with the ended grant as for [`Ledger::put`].
    pub async fn withdraw(
        &self,
        id: &GrantId,
        at: Timestamp,
        once_kept: impl FnMut(&Grant) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.end_unrecorded(id, (Ending::Withdrawn, at), once_kept).await
    }

    /// The same where the book is to say so: until `once_kept` has seen to it, and [told](Telling::told) so, it is among
    /// what is [`Ledger::untold`].
    pub async fn withdraw_on_record(
        &self,
        id: &GrantId,
        (at, on_record): (Timestamp, OnRecord),
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.end_on_record(id, (Ending::Withdrawn, at), on_record, once_kept)
            .await
    }

    /// As [`Ledger::withdraw`], for somebody else.
    pub async fn revoke(
        &self,
        id: &GrantId,
        at: Timestamp,
        once_kept: impl FnMut(&Grant) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        self.end_unrecorded(id, (Ending::Revoked, at), once_kept).await
    }

    async fn end_unrecorded(
        &self,
        id: &GrantId,
        (ending, at): (Ending, Timestamp),
        mut once_kept: impl FnMut(&Grant) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        let ends = Ends {
            these: vec![(id.clone(), None)],
            tokens: TokenEnds::none(),
            ending,
            at,
            once: None,
            once_kept: Box::new(move |ended, _| once_kept(ended)),
        };
        let ended = self.writer.end(ends).await?.grants.pop();
        ended.ok_or_else(|| LedgerError::AlreadyOver(id.clone()))
    }

    async fn end_on_record(
        &self,
        id: &GrantId,
        when: (Ending, Timestamp),
        on_record: OnRecord,
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        let these = vec![(id.clone(), on_record)];
        let ended = self.end_all(these, when, once_kept).await?.pop();
        ended.ok_or_else(|| LedgerError::AlreadyOver(id.clone()))
    }

    async fn end_all(
        &self,
        these: Vec<(GrantId, OnRecord)>,
        (ending, at): (Ending, Timestamp),
        mut once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Vec<Grant>, LedgerError> {
        let these = these.into_iter().map(|(id, on_record)| (id, Some(on_record)));
        let once_ended = move |ended: &Grant, telling: Option<Telling>| {
            if let Some(telling) = telling {
                once_kept(ended, telling);
            }
        };
        let ends = Ends {
            these: these.collect(),
            tokens: TokenEnds::none(),
            ending,
            at,
            once: None,
            once_kept: Box::new(once_ended),
        };
        self.writer.end(ends).await.map(|ended| ended.grants)
    }

    /// Ends, for somebody who says why, what of `these` waits or is in force at `at`: in one change, on disk and no longer in
    /// force before this returns. What is over by then stays as it is, and what the holder ends so is withdrawn.
    ///
    /// `once_kept` is called with each ended grant, of which the book is to say so, as for [`Ledger::withdraw_on_record`].
    pub async fn revoke_all(
        &self,
        these: Vec<(GrantId, OnRecord)>,
        (ended, at): (Ended, Timestamp),
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Vec<Grant>, LedgerError> {
        let these = (these, Vec::new(), None);
        let once_kept = (once_kept, |_: &_, _| ());
        let revoked = self.revoke_all_once(these, (ended, at), once_kept).await;
        revoked.map(|ended| ended.grants)
    }

    /// Keeps what somebody found of a grant that was taken in an emergency, and waits for that.
    ///
    /// `once_kept` is called with the reviewed grant as for [`Ledger::withdraw_on_record`].
    pub async fn review(
        &self,
        id: &GrantId,
        (review, on_record): (Review, OnRecord),
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        let at = review.at;
        self.end_on_record(id, (Ending::Reviewed(review), at), on_record, once_kept)
            .await
    }

    /// What was taken in an emergency and nobody has reviewed yet; what was taken first comes first.
    pub fn unreviewed(&self) -> Vec<Grant> {
        self.view.unreviewed()
    }

    /// How many of those there are whose review is not due yet at `now`, and how many of which it is.
    pub fn reviews(&self, now: Timestamp) -> [u64; 2] {
        let [mut waiting, mut overdue] = [0, 0];
        for grant in self.view.unreviewed() {
            if let Some(emergency) = &grant.emergency {
                *(if emergency.review_by <= now {
                    &mut overdue
                } else {
                    &mut waiting
                }) += 1;
            }
        }
        [waiting, overdue]
    }

    /// Shows `look` the next grants after the one named so, `count` of them at most, that may wait or be in force at a
    /// moment: what was declared first comes first. Gives the name up to which all is looked at, unless nothing follows, or
    /// `look` breaks off.
    pub fn look_on(
        &self,
        after: Option<&GrantId>,
        (count, now): (usize, Timestamp),
        mut look: impl FnMut(&Grant) -> ControlFlow<()>,
    ) -> Option<GrantId> {
        self.view.look_on(after, (count, now), |grant| match grant.delegated {
            Some(_) => ControlFlow::Continue(()),
            None => look(grant),
        })
    }

    /// How much was [ended](Ledger::revoke_all) together with `grant`, and it; as far as its holders have not more since.
    pub fn ended_with(&self, grant: &Grant) -> usize {
        let together = |other: &Grant| other.ended_at == grant.ended_at && other.ended == grant.ended;
        self.view.how_many(|other| grant.ended.is_some() && together(other))
    }

    /// What waits for an answer at `now`; what was asked for first comes first.
    pub fn waiting(&self, now: Timestamp) -> Vec<Grant> {
        let asked = self.view.asked().into_iter();
        asked.filter(|grant| grant.waits(now)).collect()
    }

    /// What has lapsed by `now` without anybody having [noticed](Ledger::promise_lapsed).
    pub fn lapsed(&self, now: Timestamp) -> Vec<Grant> {
        let asked = self.view.asked().into_iter();
        asked.filter(|grant| !grant.waits(now)).collect()
    }

    /// What the life before this one had promised when it ended: whether it was given is to be compared with the book.
    pub fn promised(&self) -> &[Leftover] {
        &self.promised
    }

    /// Forgets promises about which the book and the ledger agree.
    pub fn forget(&self, promises: Vec<GrantId>) {
        self.writer.forget(promises.into_iter().map(Owed::Promise));
    }

    /// What became of grants in the life before this one, and may not be told by the book.
    pub fn untold(&self) -> &[Untold] {
        &self.untold
    }

    /// Forgets what the book tells.
    pub fn told(&self, told: Vec<(GrantId, GrantAct)>) {
        self.writer
            .forget(told.into_iter().map(|(id, act)| Owed::Ending(id, act)));
    }

    /// The grants of `subject`: all that are in force, and the latest of those that are over; newest first.
    pub fn grants_of(&self, subject: &SubjectId) -> Vec<Grant> {
        let theirs = self.view.of(subject);
        let held = theirs.iter().filter(|grant| grant.delegated.is_none());
        let mut grants: Vec<Grant> = held.map(|grant| self.view.uses.told(grant.clone())).collect();
        grants.sort_by(|a, b| b.declared_at.cmp(&a.declared_at).then_with(|| b.id.cmp(&a.id)));
        grants
    }

    /// One grant, if it is in force or among the latest of its holder.
    pub fn get(&self, id: &GrantId) -> Option<Grant> {
        self.view.get(id).filter(|grant| grant.delegated.is_none())
    }

    /// A number that changes whenever a grant is asked for, answered, given or ended. Expiry is not a change: whoever holds on to a grant
    /// knows when it expires.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.view.changes()
    }

    /// Whether grants can be given and ended, as far as is known without doing so; if not, why.
    pub fn healthy(&self) -> Result<(), String> {
        self.keeping.healthy()
    }

    /// How many grants there are by purpose and stage of life at `now`, since the ledger was made.
    pub fn counts(&self, now: Timestamp) -> Vec<Count> {
        self.view.counts(now)
    }
}

fn asked(terms: GrantTerms, answer_by: Timestamp) -> Grant {
    let id = GrantId::new(terms.declared_at.fresh_name());
    terms.asked(id, answer_by)
}
