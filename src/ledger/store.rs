//! Where the ledger is kept, as its writer sees it: a place that takes changes, each of them whole or not at all.
//!
//! What may be kept is not for a store to say (`becoming.rs`, `ending.rs`): it finds, counts and writes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::WeakSender;

use super::adding::Through;
use super::counter::{Apart, AtCounter};
use super::ending::{OnRecord, Untold};
use super::error::LedgerError;
use super::figures::Figure;
use super::once::KeepsDone;
use super::outbox::{Claim, Letter, Notice};
use super::promise::Leftover;
use super::tallies::{Paces, Tally};
use super::token_rows::{KeepsTokens, KeptToken};
use super::usage::{Counted, Measure, Week};
use super::writer::Job;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantAct, GrantId, NoticeEvent, PurposeId, SubjectId, TokenId};

/// What is asked, from any thread, about the place where the ledger is kept.
pub(super) trait Place: Send + Sync {
    /// Whether changes can be kept there, without making one.
    fn in_place(&self) -> Result<(), LedgerError>;

    /// For how long nothing has been heard of what others change, where that is longer than it should be.
    fn out_of_touch(&self) -> Option<Duration>;
}

/// What others have changed.
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "a file belongs to one gateway: there are no others")
)]
pub(super) enum News {
    /// A grant is like this now.
    Is(Box<Grant>),
    /// A grant was taken back: it never counted.
    Gone(GrantId),
    /// A token is like this now.
    Token(Box<KeptToken>),
    /// A token cannot be read.
    TokenUnreadable(TokenId),
}

/// Tells the writer to look for [`News`].
#[derive(Clone)]
pub(super) struct Bell {
    jobs: WeakSender<Job>,
    rang: Arc<AtomicBool>,
}

impl Bell {
    pub(super) fn new(jobs: WeakSender<Job>) -> Self {
        Self {
            jobs,
            rang: Arc::default(),
        }
    }

    /// Never waits. Whoever rings before the last ringing was heard is heard with it.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "a file belongs to one gateway: there are no others")
    )]
    pub(super) fn ring(&self) {
        if self.rang.swap(true, Ordering::AcqRel) {
            return;
        }
        let sent = self.jobs.upgrade().map(|jobs| jobs.try_send(Job::Look));
        if !matches!(sent, Some(Ok(()))) {
            self.rang.store(false, Ordering::Release);
        }
    }

    /// What is rung for from here on is another ringing.
    pub(super) fn is_heard(&self) {
        self.rang.store(false, Ordering::Release);
    }
}

/// What a store holds when it is opened.
pub(super) struct Held {
    /// Of each person what waits and what is in force, and the latest of what is over.
    pub(super) by_subject: BTreeMap<SubjectId, Vec<Grant>>,
    /// How many there are, those included that are not among these.
    pub(super) tallies: BTreeMap<PurposeId, Tally>,
    /// How long people took to answer what was asked for lately.
    pub(super) paces: Paces,
}

/// A place where grants and promises are kept. It belongs to the one thread that changes the ledger.
pub(super) trait Store: Send + 'static {
    /// A change that is being made.
    type Change<'a>: Change + KeepsDone + KeepsTokens
    where
        Self: 'a;

    /// Whether several gateways change it.
    const SHARED: bool;

    /// Reads what people hold and asked for, and the latest of what they held.
    fn held(&mut self) -> Result<Held, LedgerError>;

    /// The promises of this gateway that were not forgotten, and whether they were kept.
    fn promises(&mut self) -> Result<Vec<Leftover>, LedgerError>;

    /// What this gateway ended, and did not say to be told, as it is by now.
    fn untold(&mut self) -> Result<Vec<Untold>, LedgerError>;

    /// What the life before this one of the gateway had claimed of what people are to be told is anybody's.
    fn unclaim(&mut self) -> Result<(), LedgerError>;

    /// How much people are to be told, and whether there is something to do now about what such a claim is after.
    fn outlook(&mut self, claim: &Claim) -> Result<(u64, bool), LedgerError>;

    /// What is told of a purpose in those weeks, the first and the last included; ordered by week, measure and part.
    fn figures(&mut self, of: &PurposeId, weeks: &RangeInclusive<Week>) -> Result<Vec<Figure>, LedgerError>;

    /// Begins a change. While it is being made, nobody makes another.
    fn begin(&mut self) -> Result<Self::Change<'_>, LedgerError>;

    /// What has changed since this was asked last, this gateway's own changes included.
    fn news(&mut self) -> Result<Vec<News>, LedgerError>;

    /// Asks where it is kept what portals know.
    fn counter(&mut self, ask: &mut dyn FnMut(&mut dyn AtCounter));

    /// Where portals ask the same, from any thread.
    fn apart(&self) -> Apart;

    /// How it is about the place itself.
    fn place(&self) -> Arc<dyn Place>;
}

/// A change that is being made. Dropped before it is [committed](Change::commit), it leaves everything as it was.
pub(super) trait Change: Counting {
    /// One grant.
    fn find(&mut self, id: &GrantId) -> Result<Option<Grant>, LedgerError>;

    /// Those of these grants that there are.
    fn find_each(&mut self, ids: &[&GrantId]) -> Result<Vec<Grant>, LedgerError>;

    /// How many grants like this one its holder has that have not ended, and not expired when it begins, or was given where it
    /// delegates. What somebody continued past is counted by itself, so that it never stands in the way of a purpose; and so
    /// is whom they let answer for them, and what waits: all of it, also where nobody has noticed yet that it lapsed.
    fn beside(&mut self, grant: &Grant) -> Result<usize, LedgerError>;

    /// What the person asked for already, for the same purpose on the same platforms, and was not answered; what was
    /// asked for first comes first.
    fn asked_alike(&mut self, request: &Grant) -> Result<Vec<Grant>, LedgerError>;

    /// What renews that grant of the person and was not ended; what was declared first comes first.
    fn renewals(&mut self, subject: &SubjectId, of: &GrantId) -> Result<Vec<Grant>, LedgerError>;

    /// How many grants the person took in an emergency that nobody has reviewed yet.
    fn unreviewed(&mut self, subject: &SubjectId) -> Result<usize, LedgerError>;

    /// Writes a grant, in the place of the one of its name if there is one.
    fn write(&mut self, grant: &Grant) -> Result<(), LedgerError>;

    /// Writes grants.
    fn write_each(&mut self, grants: &[&Grant]) -> Result<(), LedgerError>;

    /// Notes when grants that are in force were used last.
    fn used(&mut self, uses: &[(GrantId, Timestamp)]) -> Result<(), LedgerError>;

    /// Takes back what was `written` and of which nobody knows whether it was kept: the grant is again what it `was`
    /// before, or nothing, the book has nothing `untold` to say of it, and nobody is to hear of it. What somebody has made of it since stays.
    fn take_back(&mut self, written: &Grant, was: Option<&Grant>, untold: Option<GrantAct>) -> Result<(), LedgerError>;

    /// Whether a grant is about to be recorded and given.
    fn is_promised(&mut self, id: &GrantId) -> Result<bool, LedgerError>;

    /// Notes that a grant is about to be recorded, in this segment of the book or a later one, and given.
    fn promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError>;

    /// Forgets promises, where there are any: they were kept, or the book says that they were not.
    fn forget(&mut self, ids: &[&GrantId]) -> Result<(), LedgerError>;

    /// Notes what became of grants, which the book is to say.
    fn ends(&mut self, ends: &[(&GrantId, &OnRecord)]) -> Result<(), LedgerError>;

    /// Forgets that, where it is noted: the book says so.
    fn told(&mut self, told: &[(&GrantId, GrantAct)]) -> Result<(), LedgerError>;

    /// Whether that is noted, by whichever gateway.
    fn is_untold(&mut self, id: &GrantId, act: GrantAct) -> Result<bool, LedgerError>;

    /// Notes that people are to be told of grants, of each from that moment on; once, however often it is noted.
    fn owe_each(&mut self, owed: &[(&GrantId, NoticeEvent, Timestamp)]) -> Result<(), LedgerError>;

    /// Finds what people are to be told, and claims it: what is due and nobody else has claimed; what is due first comes first.
    /// What cannot be read is put off, and stands in the way of nothing else.
    fn claim(&mut self, claim: &Claim) -> Result<Vec<Notice>, LedgerError>;

    /// Makes a letter of a notice that is still there.
    fn address(&mut self, notice: &Notice, letter: &Letter) -> Result<(), LedgerError>;

    /// Forgets a notice.
    fn done(&mut self, notice: &Notice) -> Result<(), LedgerError>;

    /// Notes that a notice was tried in vain, and is nobody's until that moment.
    fn again(&mut self, notice: &Notice, due: Timestamp) -> Result<(), LedgerError>;

    /// Notes that a notice was not tried, and is anybody's.
    fn release(&mut self, notice: &Notice) -> Result<(), LedgerError>;

    /// INVARIANT: durable when this succeeds. When it fails, nobody knows.
    fn commit(self) -> Result<(), LedgerError>
    where
        Self: Sized;
}

/// The part of a change that is about what was counted, and what is told of it.
pub(super) trait Counting {
    /// Adds what was counted to what is there.
    fn count(&mut self, counted: &Counted) -> Result<(), LedgerError>;

    /// What was counted in that week and before.
    fn counted_through(&mut self, week: Week) -> Result<Counted, LedgerError>;

    /// Forgets that.
    fn forget_counted(&mut self, week: Week) -> Result<(), LedgerError>;

    /// The grants of which holders said what came of them, first from one moment on and before the other.
    fn reported(&mut self, from: Option<Timestamp>, until: Timestamp) -> Result<Vec<Grant>, LedgerError>;

    /// Forgets what so many holders at most said, first before that moment, but for that they did; of whom it did. What a gateway
    /// has yet to write into its book is left for that.
    fn settle_reports(&mut self, before: Timestamp, at_most: u32) -> Result<u64, LedgerError>;

    /// Whether something of that measure is told of that week already.
    fn is_told(&mut self, week: Week, measure: Measure) -> Result<bool, LedgerError>;

    /// Writes what is told of weeks that are over.
    fn tell(&mut self, figures: &[Figure]) -> Result<(), LedgerError>;

    /// Up to which week that is so.
    fn through(&mut self) -> Result<Through, LedgerError>;

    /// From now on it is so up to those.
    fn told_through(&mut self, through: Through) -> Result<(), LedgerError>;

    /// Notes that people are to be told of a week, from that moment on, if anything is told of it; once, whenever it is noted
    /// again.
    fn owe_digest(&mut self, week: Week, due: Timestamp) -> Result<(), LedgerError>;
}
