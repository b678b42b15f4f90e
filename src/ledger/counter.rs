//! What the portals of all gateways of one ledger know alike, so that a person may come to any of them with their next
//! request: the key under which what is handed out is sealed, which forms were sent, who signed in lately, and what
//! somebody met.
//!
//! A database keeps it for all, and is asked about it beside the changes of grants: whoever looks at a page holds up none, and
//! not what is heard of other gateways. A file belongs to one gateway, to which everybody comes back: there it is in memory, waits for
//! no disk and for no change of grants, and ends with the gateway.
//!
//! It must never learn what is in an envelope, and never be asked for on the way of a request to a site.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Ledger;
use super::error::LedgerError;
use super::store::Store;
use super::writer::Reply;
use crate::clock::Timestamp;
use crate::facts::{AccountMark, Secret, SubjectId, hex};

/// For how long it is known that a form was sent: longer than any counts, by whichever clock.
const SPENT_KEPT: Duration = Duration::from_hours(2);

/// For how long somebody waits for an answer: a person does, and nothing that is asked takes longer unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many envelopes of one kind are kept of one person.
pub(super) const ENVELOPES_EACH: i64 = 16;

/// How many rows that are over are forgotten with one that comes.
#[cfg(feature = "postgres")]
pub(super) const FORGOTTEN_AT_ONCE: i64 = 500;

/// Somebody's having signed in at the portal, as it is kept: who finds this cannot sign in with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub who: SubjectId,
    /// Digest of what their browser shows, in hexadecimal digits.
    pub digest: String,
    /// Since when.
    pub since: Timestamp,
    /// What the account looked like with which they signed in; none where no account of a gateway can take it back.
    pub mark: Option<AccountMark>,
}

/// Something about a person that a gateway keeps for the others, and which they alone can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Whom it is about.
    pub who: SubjectId,
    /// What kind of thing it is.
    pub kind: String,
    /// Its name among those of this person and kind: a later one takes its place.
    pub name: String,
    /// Whether others of its kind go first where there are too many.
    pub stays: bool,
    /// When it happened.
    pub at: Timestamp,
    /// What nobody reads who has not the key.
    pub sealed: Vec<u8>,
}

/// Since when what is kept counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    /// Forms that were sent before are forgotten, ...
    pub(super) spent: Timestamp,
    /// ... as are sessions ...
    pub(super) sessions: Timestamp,
    /// ... and envelopes.
    pub(super) envelopes: Timestamp,
}

/// What a store answers at once, outside of any change: no row of this decides what anybody holds.
pub(super) trait AtCounter {
    /// The key, made by whoever asks first.
    fn counter_key(&mut self) -> Result<Secret, LedgerError>;

    /// Notes that this token was used; false where it was already. Forgets those that were issued before that moment.
    fn spend(&mut self, token: &str, issued: Timestamp, forget: Timestamp) -> Result<bool, LedgerError>;

    /// Keeps a session in the place of the one with that digest, and of all of the person but so many; forgets what began
    /// before that moment.
    fn begin_session(
        &mut self,
        session: &Session,
        instead_of: Option<&str>,
        keep: (Timestamp, u32),
    ) -> Result<(), LedgerError>;

    /// The session of that person with that digest.
    fn session(&mut self, who: &SubjectId, digest: &str) -> Result<Option<Session>, LedgerError>;

    /// Ends it.
    fn end_session(&mut self, who: &SubjectId, digest: &str) -> Result<(), LedgerError>;

    /// Ends the sessions of people that rest on accounts which do not look like this any more.
    fn end_sessions_of(&mut self, accounts: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError>;

    /// Keeps envelopes, each in the place of the one of its name, also where that is among these, unless it is older; and of
    /// each person and kind the latest. Forgets those from before that moment.
    fn put_envelopes(&mut self, envelopes: &[Envelope], forget: Timestamp) -> Result<(), LedgerError>;

    /// Those of a person since that moment.
    fn envelopes_of(&mut self, who: &SubjectId, since: Timestamp) -> Result<Vec<Envelope>, LedgerError>;

    /// Forgets what is over; whether there may be more of it.
    fn forget_over(&mut self, over: Over) -> Result<bool, LedgerError>;

    /// Forgets one.
    fn forget_envelope(&mut self, who: &SubjectId, named: (&str, &str)) -> Result<(), LedgerError>;
}

/// A question, with whoever waits for its answer.
pub(super) type Ask = dyn FnOnce(&mut dyn AtCounter) + Send;

/// A place that is asked from any thread.
#[derive(Clone)]
pub(super) enum Apart {
    /// In memory: it answers at once.
    Here(Arc<Mutex<dyn AtCounter + Send>>),
    /// On a thread of its own, which waits for a database.
    #[cfg_attr(
        all(not(feature = "postgres"), not(test)),
        expect(dead_code, reason = "a file belongs to one gateway, and waits for nothing here")
    )]
    There(mpsc::Sender<Box<Ask>>),
}

/// Those who wait until everything is known here that other gateways had changed when they began to. Whoever comes before the
/// ledger is looked at hears with the others.
#[derive(Default)]
pub(super) struct Hearers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    these: Vec<oneshot::Sender<()>>,
    /// Whether nobody looks any more.
    in_vain: bool,
}

/// Whoever looks for what other gateways change: nobody waits once this is dropped.
pub(super) struct Listens(Arc<Hearers>);

impl Drop for Listens {
    fn drop(&mut self) {
        *self.0.lock() = Waiting {
            these: Vec::new(),
            in_vain: true,
        };
    }
}

impl Hearers {
    /// For as long as somebody looks.
    pub(super) fn served(self: &Arc<Self>) -> Listens {
        Listens(Arc::clone(self))
    }

    /// One more; not where nobody looks any more.
    pub(super) fn wait(&self) -> Option<oneshot::Receiver<()>> {
        let (heard, hears) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.in_vain {
            return None;
        }
        waiting.these.push(heard);
        Some(hears)
    }

    /// Those who wait by now.
    pub(super) fn take(&self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut self.lock().these)
    }

    /// Whether somebody waits who has not gone away.
    pub(super) fn wait_still(&self) -> bool {
        let mut waiting = self.lock();
        waiting.these.retain(|heard| !heard.is_closed());
        !waiting.these.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a store that is being opened.
pub(super) fn counter_key(store: &mut impl Store) -> Result<Secret, LedgerError> {
    answered(store, |counter| counter.counter_key())
}

/// What a store answers.
pub(super) fn answered<T>(
    store: &mut impl Store,
    mut ask: impl FnMut(&mut dyn AtCounter) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let mut answer = Err(nobody());
    store.counter(&mut |counter| answer = ask(counter));
    answer
}

fn nobody() -> LedgerError {
    LedgerError::Unavailable("nobody answers for it".to_owned())
}

/// A new key.
pub(super) fn fresh_key() -> Result<Secret, LedgerError> {
    let mut bytes = [0; 32];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| LedgerError::Unavailable("the system gives no random numbers".to_owned()))?;
    Ok(Secret::new(hex(&bytes)))
}

impl Ledger {
    /// Whether other gateways share this ledger.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// The key under which portals of this ledger seal what they hand out, in hexadecimal digits: that of a file ends with its
    /// gateway.
    pub fn counter_key(&self) -> &Secret {
        &self.counter_key
    }

    /// Whether the store had that key when it was looked at last.
    pub fn is_key_current(&self) -> bool {
        self.key_is_current.load(Ordering::Relaxed)
    }

    /// Looks whether the store still has the key that this gateway took when it started: somebody may have changed it there. A
    /// gateway keeps its own until it starts again, so that what it handed out stays good here.
    pub async fn look_at_key(&self) {
        if !self.shared {
            return;
        }
        // that the database is out of reach is told where that is noticed
        let Ok(now) = self.asked(|store| store.counter_key()).await else {
            return;
        };
        let is_current = now.reveal() == self.counter_key.reveal();
        if self.key_is_current.swap(is_current, Ordering::Relaxed) && !is_current {
            let help = "restart this gateway: until then no other takes the links and forms that it hands out";
            tracing::error!(help, "the database has another key for the portals than this gateway");
        }
    }

    /// Returns once everything is known here that other gateways had changed by then, or where that cannot be known now.
    pub async fn hears(&self) {
        if self.shared
            && let Some(heard) = self.writer.hears(&self.hearers).await
        {
            // a writer that stops hears nothing any more
            let _ = heard.await;
        }
    }

    /// Whether this token, which was issued then, is used for the first time, at whichever gateway; from now on it is used.
    pub async fn spend(&self, token: String, issued: Timestamp, now: Timestamp) -> Result<bool, LedgerError> {
        self.looked(move |store| store.spend(&token, issued, now.minus(SPENT_KEPT)))
            .await
    }

    /// Keeps a session in the place of the one with that digest, if there is one. Of a person there are so many at most, of
    /// which the oldest goes; each lasts so long.
    pub async fn begin_session(
        &self,
        session: Session,
        instead_of: Option<String>,
        (lasts, most): (Duration, u32),
    ) -> Result<(), LedgerError> {
        let expired = session.since.minus(lasts);
        self.looked(move |store| store.begin_session(&session, instead_of.as_deref(), (expired, most)))
            .await
    }

    /// The session of that person with that digest, begun at whichever gateway.
    pub async fn session(&self, who: &SubjectId, digest: String) -> Result<Option<Session>, LedgerError> {
        let who = who.clone();
        self.looked(move |store| store.session(&who, &digest)).await
    }

    /// Ends it, at all gateways, before this returns.
    pub async fn end_session(&self, who: &SubjectId, digest: String) -> Result<(), LedgerError> {
        let who = who.clone();
        self.asked(move |store| store.end_session(&who, &digest)).await
    }

    /// Keeps envelopes for other gateways, of those of one name the latest; what happened before that moment is forgotten.
    pub async fn put_envelopes(&self, envelopes: Vec<Envelope>, forget: Timestamp) -> Result<(), LedgerError> {
        self.asked(move |store| store.put_envelopes(&envelopes, forget)).await
    }

    /// What any gateway keeps about a person since that moment.
    pub async fn envelopes_of(&self, who: &SubjectId, since: Timestamp) -> Result<Vec<Envelope>, LedgerError> {
        let who = who.clone();
        self.looked(move |store| store.envelopes_of(&who, since)).await
    }

    /// Forgets what counts no more, though nothing new comes: forms that were sent, sessions that last so long, and envelopes
    /// that are kept so long.
    pub async fn forget_over(
        &self,
        now: Timestamp,
        (sessions, envelopes): (Duration, Duration),
    ) -> Result<(), LedgerError> {
        let over = Over {
            spent: now.minus(SPENT_KEPT),
            sessions: now.minus(sessions),
            envelopes: now.minus(envelopes),
        };
        while self.asked(move |store| store.forget_over(over)).await? {}
        Ok(())
    }

    /// Forgets one envelope, by its kind and its name.
    pub async fn forget_envelope(&self, who: &SubjectId, kind: &str, name: &str) -> Result<(), LedgerError> {
        let (who, kind, name) = (who.clone(), kind.to_owned(), name.to_owned());
        self.asked(move |store| store.forget_envelope(&who, (&kind, &name)))
            .await
    }

    async fn asked<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn AtCounter) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.apart.asked(ask).await
    }

    async fn looked<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn AtCounter) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.apart.looked(ask).await
    }
}

impl Apart {
    async fn asked<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn AtCounter) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.answered(|reply: Reply<T>| {
            // whoever asked may have gone away: what they began is done
            Box::new(move |store| drop(reply.send(ask(store))))
        })
        .await
    }

    /// The same of what is of no use to whoever has gone away, or waits no longer: it is not begun then.
    async fn looked<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn AtCounter) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.answered(|reply: Reply<T>| {
            Box::new(move |store| {
                if !reply.is_closed() {
                    drop(reply.send(ask(store)));
                }
            })
        })
        .await
    }

    async fn answered<T>(&self, ask: impl FnOnce(Reply<T>) -> Box<Ask>) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let ask = ask(reply);
        let desk = match self {
            Self::Here(counter) => {
                ask(&mut *counter.lock().unwrap_or_else(PoisonError::into_inner));
                return answer.await.map_err(|_| nobody())?;
            }
            Self::There(desk) => desk,
        };
        let answered = async {
            desk.send(ask).await.map_err(|_| nobody())?;
            answer.await.map_err(|_| nobody())?
        };
        let slow = |_| {
            let waited = PATIENCE.as_secs();
            Err(LedgerError::Lost(format!("it has answered no portal for {waited} s")))
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(slow)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_long_behind_others_and_what_nobody_waits_for_is_not_begun() {
        let (desk, mut inbox) = mpsc::channel(1);
        let apart = Apart::There(desk);
        let done = Arc::new(AtomicUsize::new(0));
        let count = || {
            let done = Arc::clone(&done);
            move |_: &mut dyn AtCounter| {
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        };
        // the first waits for an answer, the second for a place in the queue
        let (first, second) = tokio::join!(apart.looked(count()), apart.looked(count()));
        for waited in [first, second] {
            assert!(matches!(waited, Err(LedgerError::Lost(_))), "{waited:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
        let Apart::Here(counter) = &ledger.apart else {
            panic!("a file is asked here")
        };
        inbox.try_recv().unwrap()(&mut *counter.lock().unwrap());
        assert_eq!(done.load(Ordering::Relaxed), 0);
        assert!(inbox.try_recv().is_err(), "who found no place left nothing behind");
        // what must be done is done, also where nobody waits for it any longer
        let ended = apart.asked(count()).await;
        assert!(matches!(ended, Err(LedgerError::Lost(_))), "{ended:?}");
        inbox.try_recv().unwrap()(&mut *counter.lock().unwrap());
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
