//! The one thread that changes the ledger: a change is on disk before it is in the view, and in the view before it is
//! answered.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::adding::Through;
use super::becoming::{has_room, is_let_answer, was_asked};
use super::counter::{Apart, Hearers, counter_key};
use super::ending::{Ending, OnRecord, Untold, UntoldToken};
use super::ends::{TokenEnds, TokensOver};
use super::error::LedgerError;
use super::figures::Figure;
use super::keeping::Keeping;
use super::once::{Once, Recalled};
use super::outbox::{Claim, Due, Fate, Notice};
use super::promise::{Leftover, Owed, Promise, Settled, Telling};
use super::store::{Bell, Change, Store};
use super::token_changes::TokenChange;
use super::token_rows::KeepsTokens as _;
use super::tokens::TokenView;
use super::usage::{Usage, Week};
use super::view::View;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantAct, GrantId, PurposeId, Secret, SubjectId, Token};

/// How many changes may wait for the disk.
const QUEUE: usize = 256;

pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What to do once a change is kept, with the grant as it is then.
pub(super) type OnceKept = Box<dyn FnOnce(&Grant) + Send>;

/// The same where several grants end.
pub(super) type OnceEnded = Box<dyn FnMut(&Grant, Option<Telling>) + Send>;

/// What is to end, and how.
pub(super) struct Ends {
    /// Of each, how the book is to say so; none where it has nothing to say of it.
    pub(super) these: Vec<(GrantId, Option<OnRecord>)>,
    /// These tokens end with them.
    pub(super) tokens: TokenEnds,
    pub(super) ending: Ending,
    pub(super) at: Timestamp,
    /// The call that is to be done once.
    pub(super) once: Option<Once>,
    pub(super) once_kept: OnceEnded,
}

/// What ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllEnded {
    /// Grants, and delegations.
    pub grants: Vec<Grant>,
    /// Tokens.
    pub tokens: Vec<Token>,
}

pub(super) enum Job {
    /// A grant is asked for, given or answered, be it for a call that is to be done once.
    Put(Box<(Grant, Option<Once>)>, OnceKept, Reply<Grant>),
    /// Somebody asks what was done for a call of theirs.
    Recall((SubjectId, String), Timestamp, Reply<Option<Recalled>>),
    /// A grant never counted: the call for which it was given was not done.
    Void(GrantId, Reply<()>),
    /// Tokens are made or revoked.
    Token(Box<TokenChange>, Reply<Vec<Token>>),
    /// What can end of these does so.
    End(Box<Ends>, Reply<AllEnded>),
    /// A grant is about to be recorded, in this segment of the book or a later one, and given.
    Promise(Box<Grant>, u64, Reply<Promise>),
    /// Promises are [`Settled`].
    Forget,
    /// Others may have changed something.
    Look,
    /// Grants were used.
    Used,
    /// Somebody is to tell people what is due.
    Due(Claim, Reply<Due>),
    /// So it went.
    Fare(Vec<(Notice, Fate)>, Reply<()>),
    /// What was counted is added up.
    AddUp(Usage, Timestamp, Reply<()>),
    /// Somebody looks at the figures of a purpose.
    Figures(PurposeId, RangeInclusive<Week>, Reply<Vec<Figure>>),
    /// A portal waits to hear what others have changed.
    Hear,
}

/// The handle of the writer thread; ends and joins it when dropped.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    settled: Arc<Settled>,
    thread: Option<JoinHandle<()>>,
}

/// What a store that has been opened holds.
pub(super) struct Opened {
    pub(super) view: Arc<View>,
    pub(super) tokens: Arc<TokenView>,
    pub(super) keeping: Arc<Keeping>,
    pub(super) promised: Arc<[Leftover]>,
    pub(super) untold: Arc<[Untold]>,
    pub(super) untold_tokens: Arc<[UntoldToken]>,
    pub(super) tells: Arc<AtomicBool>,
    pub(super) digests: Arc<OnceLock<Duration>>,
    pub(super) counter_key: Arc<Secret>,
    pub(super) apart: Apart,
    pub(super) hearers: Arc<Hearers>,
}

impl Writer {
    /// Opens a store in the writer thread, which alone speaks to it.
    pub(super) fn start<S: Store>(
        open: impl FnOnce(Bell) -> Result<S, LedgerError> + Send + 'static,
    ) -> Result<(Self, Opened), LedgerError> {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let settled = Arc::new(Settled::new(jobs.downgrade()));
        let (bell, theirs) = (Bell::new(jobs.downgrade()), Arc::clone(&settled));
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let work = move || match open(bell.clone()).and_then(|store| Keeper::new(store, bell, theirs)) {
            Ok((keeper, opened)) => {
                // whoever asked waits for it
                let _ = tell.send(Ok(opened));
                keeper.work(inbox);
            }
            Err(error) => drop(tell.send(Err(error))),
        };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(work)
            .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        let writer = Self {
            jobs: Some(jobs),
            settled,
            thread: Some(thread),
        };
        let opened = told.recv().map_err(|_| stopped())?;
        opened.map(|opened| (writer, opened))
    }

    /// Keeps a grant as it is, and returns it once it is durable.
    pub(super) async fn put(&self, put: (Grant, Option<Once>), once_kept: OnceKept) -> Result<Grant, LedgerError> {
        self.submit(|reply| Job::Put(Box::new(put), once_kept, reply)).await
    }

    /// What was done for a call.
    pub(super) async fn recall(
        &self,
        call: (SubjectId, String),
        at: Timestamp,
    ) -> Result<Option<Recalled>, LedgerError> {
        self.submit(|reply| Job::Recall(call, at, reply)).await
    }

    /// Ends what can end of these, and returns it once that is durable.
    pub(super) async fn end(&self, ends: Ends) -> Result<AllEnded, LedgerError> {
        self.submit(|reply| Job::End(Box::new(ends), reply)).await
    }

    /// Promises a grant, durably. Whoever goes away before it is answered takes it back.
    pub(super) async fn promise(&self, grant: Grant, segment: u64) -> Result<Promise, LedgerError> {
        self.submit(|reply| Job::Promise(Box::new(grant), segment, reply)).await
    }

    /// Has something done, and waits until it is.
    pub(super) async fn submit<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Has looked for what others changed, for one more of those who wait; none where nobody looks any more.
    pub(super) async fn hears(&self, hearers: &Hearers) -> Option<oneshot::Receiver<()>> {
        let place = self.jobs.as_ref()?.reserve().await.ok()?;
        let hears = hearers.wait()?;
        place.send(Job::Hear);
        Some(hears)
    }

    /// Writes down what was used, as soon as it can; where there is no room, there are other jobs.
    pub(super) fn keep_uses(&self) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.try_send(Job::Used);
        }
    }

    /// Forgets what is settled, as soon as it can.
    pub(super) fn forget(&self, owed: impl IntoIterator<Item = Owed>) {
        self.settled.add(owed);
    }
}

fn stopped() -> LedgerError {
    LedgerError::Unavailable("its writer has stopped".to_owned())
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            // What a panicking writer had to say, it has said on its way out.
            let _ = thread.join();
        }
    }
}

/// What the writer thread owns.
pub(super) struct Keeper<S> {
    pub(super) store: S,
    pub(super) view: Arc<View>,
    pub(super) tokens: Arc<TokenView>,
    pub(super) keeping: Arc<Keeping>,
    /// Grants whose commit failed: the store may have them nevertheless, and would show them after a crash.
    pub(super) doubtful: Vec<Doubt>,
    /// Tokens of which nobody knows whether they are kept as revoked.
    pub(super) doubtful_tokens: Vec<TokensOver>,
    /// Whose accounts may be noted otherwise than they are known to be.
    pub(super) doubtful_accounts: BTreeSet<SubjectId>,
    pub(super) settled: Arc<Settled>,
    pub(super) bell: Bell,
    pub(super) hearers: Arc<Hearers>,
    /// Whether what others change was known when it was looked for last.
    pub(super) in_touch: bool,
    /// Why it could not be looked for.
    pub(super) unheard: Option<String>,
    /// Whether people are told of what changes.
    pub(super) tells: Arc<AtomicBool>,
    /// How long after its Monday began people are told of a week, where they are.
    pub(super) digests: Arc<OnceLock<Duration>>,
    /// Up to which weeks figures are told, as far as this gateway knows.
    pub(super) added: Through,
    /// What holders said before that moment is to be forgotten, and is not yet.
    pub(super) unsettled: Option<Timestamp>,
}

/// A grant of which nobody knows whether it was kept as it was written, and what it was before.
pub(super) struct Doubt {
    pub(super) written: Grant,
    pub(super) was: Option<Grant>,
    /// What the book was to say of it, where it ended.
    pub(super) untold: Option<GrantAct>,
    /// The call for which it was written, where that is to be done once.
    pub(super) once: Option<Once>,
}

impl<S: Store> Keeper<S> {
    fn new(mut store: S, bell: Bell, settled: Arc<Settled>) -> Result<(Self, Opened), LedgerError> {
        store.unclaim()?;
        let held = store.held()?;
        // what has changed of them since then is news as well
        let (tokens, accounts, untold_tokens) = {
            let mut change = store.begin()?;
            (change.tokens()?, change.accounts()?, change.untold_tokens()?)
        };
        let opened = Opened {
            tells: Arc::default(),
            digests: Arc::default(),
            view: Arc::new(View::new(held)),
            tokens: Arc::new(TokenView::new(tokens, accounts)),
            keeping: Arc::new(Keeping::at(store.place())),
            promised: store.promises()?.into(),
            untold: store.untold()?.into(),
            untold_tokens: untold_tokens.into(),
            counter_key: counter_key(&mut store)?.into(),
            apart: store.apart(),
            hearers: Arc::default(),
        };
        let keeper = Self {
            store,
            view: Arc::clone(&opened.view),
            tokens: Arc::clone(&opened.tokens),
            keeping: Arc::clone(&opened.keeping),
            doubtful: Vec::new(),
            doubtful_tokens: Vec::new(),
            doubtful_accounts: BTreeSet::new(),
            settled,
            bell,
            hearers: Arc::clone(&opened.hearers),
            in_touch: true,
            unheard: None,
            added: Through::default(),
            unsettled: None,
            tells: Arc::clone(&opened.tells),
            digests: Arc::clone(&opened.digests),
        };
        Ok((keeper, opened))
    }

    fn work(mut self, mut inbox: mpsc::Receiver<Job>) {
        // also where this panics
        let _hears = self.hearers.served();
        while let Some(job) = inbox.blocking_recv() {
            match job {
                // Whoever asked may have gone away; the change stands.
                Job::Put(put, once_kept, reply) => {
                    let (grant, once) = *put;
                    let given = self.cleared(|keeper| keeper.put(grant, once)).inspect(once_kept);
                    let kept = given.as_ref().ok().map(|grant| Owed::Promise(grant.id.clone()));
                    let _ = reply.send(given);
                    self.settled.add(kept);
                }
                Job::End(ends, reply) => {
                    let ended = self.cleared(|keeper| keeper.end(*ends));
                    let _ = reply.send(ended);
                }
                Job::Promise(grant, segment, reply) => {
                    // Whoever asked may have gone away, and drops the promise here.
                    let _ = reply.send(self.promise(grant, segment));
                }
                Job::Token(change, reply) => drop(reply.send(self.cleared(|keeper| keeper.change_token(*change)))),
                Job::Recall((by, key), at, reply) => drop(reply.send(self.recall((&by, &key), at))),
                Job::Void(grant, reply) => drop(reply.send(self.cleared(|keeper| keeper.forget_void(&grant)))),
                Job::Look => self.look(),
                Job::Used => {
                    self.keep_uses();
                    self.keep_token_days();
                }
                Job::Due(claim, reply) => drop(reply.send(self.claim(&claim))),
                Job::Fare(fates, reply) => drop(reply.send(self.fare(&fates))),
                Job::AddUp(usage, now, reply) => drop(reply.send(self.add_up(&usage, now))),
                Job::Figures(of, weeks, reply) => drop(reply.send(self.store.figures(&of, &weeks))),
                Job::Hear if self.hearers.wait_still() => self.look(),
                // the one is done below, the other was heard with others
                Job::Forget | Job::Hear => {}
            }
            self.forget();
        }
        self.keep_uses();
        self.keep_token_days();
    }

    /// What cannot be written down now is written down the next time.
    fn keep_uses(&mut self) {
        let uses = self.view.uses.unkept();
        if uses.is_empty() && !self.is_in_doubt() {
            return;
        }
        let mut keep = || -> Result<(), LedgerError> {
            self.clear_doubts()?;
            let mut change = self.store.begin()?;
            change.used(&uses)?;
            change.commit()
        };
        match keep() {
            Ok(()) => self.view.uses.kept(&uses),
            Err(error) => tracing::warn!(%error, "the ledger cannot write down now which grants were used"),
        }
    }

    /// Makes a change once no doubt is left about those before it.
    fn cleared<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let made = self.clear_doubts().and_then(|()| change(self));
        self.keeping.note(&made);
        made
    }

    fn put(&mut self, grant: Grant, once: Option<Once>) -> Result<Grant, LedgerError> {
        let mut change = self.store.begin()?;
        let was = was_asked(&mut change, &grant)?;
        // between the promise and this, too
        is_let_answer(&mut change, was.as_ref(), &grant)?;
        has_room(&mut change, &grant)?;
        change.write(&grant)?;
        Self::owe(
            self.tells.load(Ordering::Relaxed),
            &mut change,
            [(was.as_ref(), &grant)],
        )?;
        if let Some(once) = &once {
            once.note(&mut change, [&grant].into_iter(), [].into_iter())?;
        }
        if let Err(error) = change.commit() {
            self.doubtful.push(Doubt {
                written: grant,
                was,
                untold: None,
                once,
            });
            return Err(error);
        }
        self.view.shows(grant.clone());
        Ok(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ending;
    use super::*;
    use crate::facts::{AccountMark, AccountMarks, Ended, GrantState, RevokedFor, Scope, TokenHash, TokenId};
    use crate::ledger::sqlite::Sqlite;
    use crate::ledger::tests::{on_record, terms};
    use crate::ledger::token_changes::Followed;
    use crate::ledger::token_rows::KeptToken;

    fn keeper() -> Keeper<Sqlite> {
        at_its_desk(1).0
    }

    /// A keeper, and where its jobs come from: so many may wait.
    fn at_its_desk(waiting: usize) -> (Keeper<Sqlite>, mpsc::Sender<Job>, mpsc::Receiver<Job>) {
        let store = Sqlite::in_memory().unwrap();
        let (jobs, inbox) = mpsc::channel(waiting);
        let settled = Arc::new(Settled::new(jobs.downgrade()));
        let (keeper, _) = Keeper::new(store, Bell::new(jobs.downgrade()), settled).unwrap();
        (keeper, jobs, inbox)
    }

    fn withdrawal(ids: Vec<GrantId>) -> Ends {
        Ends {
            these: ids
                .into_iter()
                .map(|id| (id, Some(on_record(GrantAct::Withdrawn))))
                .collect(),
            tokens: TokenEnds::none(),
            ending: Ending::Withdrawn,
            at: Timestamp::from_millis(2_000),
            once: None,
            once_kept: Box::new(|_, _| ()),
        }
    }

    /// As a commit leaves it of which nobody hears.
    fn write(keeper: &mut Keeper<Sqlite>, grant: &Grant) {
        let mut change = keeper.store.begin().unwrap();
        change.write(grant).unwrap();
        change.commit().unwrap();
    }

    fn find(keeper: &mut Keeper<Sqlite>, id: &GrantId) -> Option<Grant> {
        keeper.store.begin().unwrap().find(id).unwrap()
    }

    fn promised(keeper: &mut Keeper<Sqlite>) -> Vec<GrantId> {
        let left = keeper.store.promises().unwrap().into_iter();
        left.map(|left| left.id).collect()
    }

    #[test]
    fn what_the_disk_could_not_forget_does_not_stand_in_the_way_of_the_next_promise() {
        let mut keeper = keeper();
        let asked = Box::new(terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("asked")));
        let mut promise = keeper.promise(asked.clone(), 1).unwrap();
        promise.is_on_record();
        let being = keeper.promise(asked.clone(), 1).err();
        assert_eq!(being, Some(LedgerError::BeingAnswered(asked.id.clone())));
        let writes =
            |keeper: &Keeper<Sqlite>, no: u8| keeper.store.connection.pragma_update(None, "query_only", no).unwrap();
        writes(&keeper, 1);
        promise.forget();
        keeper.forget();
        let failing = keeper.promise(asked.clone(), 1).err();
        assert!(matches!(failing, Some(LedgerError::Unavailable(_))), "{failing:?}");
        assert_eq!(
            promised(&mut keeper),
            std::slice::from_ref(&asked.id),
            "the disk has it still"
        );
        writes(&keeper, 0);
        let again = keeper.promise(asked.clone(), 2).unwrap();
        keeper.forget();
        assert_eq!(
            promised(&mut keeper),
            std::slice::from_ref(&asked.id),
            "the new one stands"
        );
        drop(again);
        keeper.forget();
        assert_eq!(promised(&mut keeper), []);
    }

    #[test]
    fn a_promise_that_is_dropped_where_no_job_has_room_is_forgotten_with_the_jobs_that_are_there() {
        let (mut keeper, jobs, inbox) = at_its_desk(1);
        let grant = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("dropped"));
        let promise = keeper.promise(Box::new(grant), 1).unwrap();
        let (reply, _) = oneshot::channel();
        let other = vec![GrantId::new("other")];
        let withdrawn = Job::End(Box::new(withdrawal(other)), reply);
        jobs.try_send(withdrawn).ok().unwrap();
        let settled = Arc::clone(&keeper.settled);
        drop(promise);
        assert_eq!(settled.now().len(), 1);
        drop(jobs);
        keeper.work(inbox);
        assert!(settled.now().is_empty());
    }

    #[test]
    fn a_full_disk_is_told_until_a_change_is_kept_again() {
        let mut keeper = keeper();
        let mut large = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("large"));
        large.statement = "x".repeat(100_000);
        let limit = |keeper: &Keeper<Sqlite>, pages: u32| {
            let limit = format!("PRAGMA max_page_count={pages}");
            keeper
                .store
                .connection
                .query_row(&limit, [], |row| row.get::<_, u32>(0))
                .unwrap()
        };
        let gives = |keeper: &mut Keeper<Sqlite>| keeper.cleared(|keeper| keeper.put(large.clone(), None)).is_ok();
        limit(&keeper, 1);
        assert_eq!(keeper.keeping.healthy(), Ok(()));
        assert!(!gives(&mut keeper));
        let told = keeper.keeping.healthy().unwrap_err();
        assert!(told.contains("cannot keep") && told.contains("full"), "{told}");
        limit(&keeper, 1_000_000);
        assert!(gives(&mut keeper));
        assert_eq!(keeper.keeping.healthy(), Ok(()));
    }

    #[test]
    fn a_grant_whose_commit_failed_is_taken_back_before_anything_else_is_given() {
        let mut keeper = keeper();
        let doubtful = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("doubtful"));
        keeper.keep_promise(&doubtful, 1).unwrap();
        write(&mut keeper, &doubtful);
        keeper.doubtful.push(Doubt {
            written: doubtful.clone(),
            was: None,
            untold: None,
            once: None,
        });
        let next = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("next"));
        keeper.keep_promise(&next, 1).unwrap();
        assert_eq!(find(&mut keeper, &doubtful.id), None);
        let promised = keeper.store.promises().unwrap();
        assert!(
            promised.iter().any(|left| left.id == doubtful.id && !left.was_kept),
            "the next start compares it with the book"
        );
    }

    #[test]
    fn an_end_whose_commit_failed_is_taken_back_before_anything_else_is_given() {
        let mut keeper = keeper();
        let grant = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("held"));
        keeper.put(grant.clone(), None).unwrap();
        let refusing = "PRAGMA foreign_keys=ON; CREATE TABLE nobody (id TEXT PRIMARY KEY); \
                        CREATE TABLE kept (id TEXT REFERENCES nobody DEFERRABLE INITIALLY DEFERRED); \
                        CREATE TRIGGER refusing AFTER INSERT ON grants BEGIN INSERT INTO kept VALUES (new.id); END;";
        keeper.store.connection.execute_batch(refusing).unwrap();
        let ends = || withdrawal(vec![grant.id.clone()]);
        let failed = keeper.cleared(|keeper| keeper.end(ends())).unwrap_err();
        assert!(matches!(failed, LedgerError::Unavailable(_)), "{failed}");
        keeper.store.connection.execute_batch("DROP TRIGGER refusing").unwrap();
        // as a disk leaves it that took what it said it had not
        let mut change = keeper.store.begin().unwrap();
        let changing = (&mut change, &keeper.view.uses);
        ending::end(changing, ends().these, (&Ending::Withdrawn, ends().at)).unwrap();
        change.commit().unwrap();
        assert_eq!(keeper.store.untold().unwrap().len(), 1);
        let next = terms("ada", "press", 1_000, 9_000).named(GrantId::new("next"));
        keeper.cleared(|keeper| keeper.put(next, None)).unwrap();
        assert_eq!(find(&mut keeper, &grant.id), Some(grant));
        assert_eq!(keeper.store.untold().unwrap(), []);
    }

    #[test]
    fn an_approval_whose_commit_failed_leaves_the_request_waiting() {
        let mut keeper = keeper();
        let asked =
            terms("ada", "recruiting", 1_000, 9_000).asked(GrantId::new("asked"), Timestamp::from_millis(5_000));
        let given = Grant {
            state: GrantState::Active,
            ..asked.clone()
        };
        keeper.put(asked.clone(), None).unwrap();
        write(&mut keeper, &given);
        keeper.doubtful.push(Doubt {
            written: given,
            was: Some(asked.clone()),
            untold: None,
            once: None,
        });
        keeper.clear_doubts().unwrap();
        assert_eq!(find(&mut keeper, &asked.id), Some(asked));
    }

    #[test]
    fn what_another_gateway_did_for_the_same_call_is_not_forgotten_with_what_this_one_took_back() {
        let mut keeper = keeper();
        let once = Once {
            by: SubjectId::parse("ada").unwrap(),
            key: "key".to_owned(),
            call: "call".to_owned(),
            at: Timestamp::from_millis(1_000),
            not_permitted: 0,
        };
        let doubtful = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("doubtful"));
        let theirs = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("theirs"));
        keeper.put(theirs.clone(), Some(once.clone())).unwrap();
        keeper.doubtful.push(Doubt {
            written: doubtful,
            was: None,
            untold: None,
            once: Some(once.clone()),
        });
        keeper.clear_doubts().unwrap();
        let recalled = keeper.recall((&once.by, &once.key), once.at).unwrap().unwrap();
        assert_eq!(recalled.grants, [theirs]);
    }

    #[tokio::test]
    async fn nobody_waits_to_hear_of_others_once_the_writer_has_failed() {
        let (keeper, jobs, inbox) = at_its_desk(2);
        let hearers = Arc::clone(&keeper.hearers);
        let (fail, fails) = std::sync::mpsc::channel::<()>();
        let fails_then: OnceKept = Box::new(move |_| {
            let _ = fails.recv();
            panic!("as a mistake does");
        });
        let grant = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("one"));
        let put = Job::Put(Box::new((grant, None)), fails_then, oneshot::channel().0);
        jobs.send(put).await.unwrap();
        let writer = Writer {
            settled: Arc::clone(&keeper.settled),
            jobs: Some(jobs),
            thread: std::thread::Builder::new().spawn(|| keeper.work(inbox)).ok(),
        };
        let waits = writer.hears(&hearers).await.unwrap();
        drop(fail);
        assert!(waits.await.is_err());
        assert!(writer.hears(&hearers).await.is_none());
        assert!(!hearers.wait_still(), "nothing is left of those who came since");
    }

    fn token(id: &str) -> KeptToken {
        let token = Token {
            id: TokenId::new(id),
            subject: SubjectId::parse("ada").unwrap(),
            name: String::new(),
            scope: [Scope::Read].into(),
            made_at: Timestamp::from_millis(0),
            expires: Timestamp::from_millis(90_000),
            revoked_at: None,
            revoked_for: None,
        };
        KeptToken {
            token,
            hash: TokenHash::new([1; 32]),
            used_day: None,
        }
    }

    fn keep_token(keeper: &mut Keeper<Sqlite>, kept: &KeptToken) {
        let mut change = keeper.store.begin().unwrap();
        change.write_tokens(std::slice::from_ref(kept)).unwrap();
        change.commit().unwrap();
        keeper.tokens.shows(kept.clone());
    }

    /// Revokes `these` and a token in a change that is said to have failed; what the book would say of tokens is sent.
    fn fails_to_revoke(
        keeper: &mut Keeper<Sqlite>,
        these: Vec<GrantId>,
        once: Option<Once>,
        says: std::sync::mpsc::Sender<Token>,
    ) {
        let ends = Ends {
            tokens: TokenEnds {
                these: vec![(TokenId::new("one"), on_record(GrantAct::Revoked))],
                once_over: Box::new(move |token, _| says.send(token.clone()).unwrap()),
            },
            ending: Ending::For(ended()),
            once,
            ..withdrawal(these)
        };
        let refusing = "PRAGMA foreign_keys=ON; CREATE TABLE nobody (id TEXT PRIMARY KEY); \
                        CREATE TABLE kept (id TEXT REFERENCES nobody DEFERRABLE INITIALLY DEFERRED); \
                        CREATE TRIGGER refusing AFTER INSERT ON tokens BEGIN INSERT INTO kept VALUES (new.id); END;";
        keeper.store.connection.execute_batch(refusing).unwrap();
        let failed = keeper.cleared(|keeper| keeper.end(ends)).unwrap_err();
        assert!(matches!(failed, LedgerError::Unavailable(_)), "{failed}");
        keeper.store.connection.execute_batch("DROP TRIGGER refusing").unwrap();
    }

    fn ended() -> Ended {
        Ended {
            by: SubjectId::parse("sol").unwrap(),
            why: "stolen".to_owned(),
        }
    }

    /// How the token is kept.
    fn found(keeper: &mut Keeper<Sqlite>) -> Token {
        let mut found = keeper
            .store
            .begin()
            .unwrap()
            .find_tokens(&[&TokenId::new("one")])
            .unwrap();
        found.remove(0).token
    }

    fn is_good(keeper: &Keeper<Sqlite>) -> bool {
        let (hash, now) = (TokenHash::new([1; 32]), Timestamp::from_millis(3_000));
        keeper.tokens.is_good(&hash, now)
    }

    #[test]
    fn a_token_that_somebody_else_revoked_meanwhile_is_not_good_again_once_a_doubt_is_cleared() {
        let mut keeper = keeper();
        keep_token(&mut keeper, &token("one"));
        let (says, said) = std::sync::mpsc::channel();
        fails_to_revoke(&mut keeper, Vec::new(), None, says);
        let mut change = keeper.store.begin().unwrap();
        let over = token("one").token.revoked(Timestamp::from_millis(5), None);
        let theirs = KeptToken {
            token: over.clone(),
            ..token("one")
        };
        change.write_tokens(&[theirs]).unwrap();
        change.commit().unwrap();
        keeper.clear_doubts().unwrap();
        assert_eq!(found(&mut keeper), over);
        assert!(!is_good(&keeper));
        assert!(said.try_recv().is_err(), "whoever revoked it says so");
    }

    #[test]
    fn a_token_whose_end_was_kept_after_all_is_over_and_the_book_says_so() {
        let mut keeper = keeper();
        keep_token(&mut keeper, &token("one"));
        let (says, said) = std::sync::mpsc::channel();
        fails_to_revoke(&mut keeper, Vec::new(), None, says);
        assert!(is_good(&keeper), "nobody knows better");
        // as a disk leaves it that took what it said it had not
        let over = token("one")
            .token
            .revoked(Timestamp::from_millis(2_000), Some(RevokedFor::Revocation(ended())));
        let kept = KeptToken {
            token: over.clone(),
            ..token("one")
        };
        let mut change = keeper.store.begin().unwrap();
        change.write_tokens(&[kept]).unwrap();
        change.commit().unwrap();
        keeper.keep_uses();
        assert_eq!(found(&mut keeper), over);
        assert!(!is_good(&keeper));
        assert_eq!(said.try_recv(), Ok(over));
    }

    #[test]
    fn a_token_that_could_not_be_revoked_is_good_and_the_book_says_nothing() {
        let mut keeper = keeper();
        keep_token(&mut keeper, &token("one"));
        let (says, said) = std::sync::mpsc::channel();
        fails_to_revoke(&mut keeper, Vec::new(), None, says);
        keeper.clear_doubts().unwrap();
        assert_eq!(found(&mut keeper), token("one").token);
        assert!(is_good(&keeper) && said.try_recv().is_err());
    }

    /// Notes what Ada's account looks like.
    fn note(keeper: &mut Keeper<Sqlite>, accounts: &AccountMarks) {
        let followed = Followed {
            accounts: accounts.clone(),
            at: Timestamp::from_millis(2_000),
            told: (1, on_record(GrantAct::Revoked).rulebook),
            once_over: Box::new(|_, _| ()),
        };
        let change = TokenChange::Accounts(followed);
        keeper.cleared(|keeper| keeper.change_token(change)).unwrap();
    }

    #[test]
    fn what_accounts_were_noted_as_is_looked_up_again_where_nobody_knows_so_that_no_later_token_ends_for_it() {
        let mut keeper = keeper();
        let ada = SubjectId::parse("ada").unwrap();
        let marks = |mark: u8| AccountMarks::from([(ada.clone(), AccountMark::new([mark; 32]))]);
        note(&mut keeper, &marks(1));
        // as a disk leaves it that took what it said it had not
        let mut change = keeper.store.begin().unwrap();
        let other = marks(2).get(&ada).copied();
        change.write_accounts(&[(ada.clone(), other)]).unwrap();
        change.commit().unwrap();
        keeper.doubtful_accounts.insert(ada.clone());
        // meanwhile the account is again what it was
        note(&mut keeper, &marks(1));
        let noted = keeper.store.begin().unwrap().accounts().unwrap();
        assert_eq!(noted, marks(1));
        assert_eq!(keeper.tokens.accounts(), marks(1));
        keep_token(&mut keeper, &token("one"));
        note(&mut keeper, &marks(1));
        assert!(is_good(&keeper));
    }

    #[test]
    fn a_doubt_about_one_account_leaves_what_is_known_of_others() {
        let mut keeper = keeper();
        let [ada, ben] = ["ada", "ben"].map(|who| SubjectId::parse(who).unwrap());
        let mark = |mark: u8| AccountMark::new([mark; 32]);
        note(&mut keeper, &AccountMarks::from([(ada.clone(), mark(1))]));
        // what another gateway noted, this one has not followed yet
        let mut change = keeper.store.begin().unwrap();
        change
            .write_accounts(&[(ada.clone(), Some(mark(2))), (ben, Some(mark(3)))])
            .unwrap();
        change.commit().unwrap();
        keeper.doubtful_accounts.insert(ada.clone());
        keeper.clear_doubts().unwrap();
        assert_eq!(keeper.tokens.accounts(), AccountMarks::from([(ada, mark(2))]));
    }

    #[test]
    fn a_call_whose_grants_were_taken_back_is_done_anew_and_one_of_tokens_alone_was_done() {
        for with_grant in [true, false] {
            let mut keeper = keeper();
            keep_token(&mut keeper, &token("one"));
            let grant = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("held"));
            keeper.put(grant.clone(), None).unwrap();
            let once = Once {
                by: SubjectId::parse("sol").unwrap(),
                key: "key".to_owned(),
                call: "call".to_owned(),
                at: Timestamp::from_millis(1_000),
                not_permitted: 0,
            };
            let these = if with_grant { vec![grant.id.clone()] } else { Vec::new() };
            let (says, _said) = std::sync::mpsc::channel();
            fails_to_revoke(&mut keeper, these.clone(), Some(once.clone()), says);
            // as a disk leaves it that took what it said it had not
            let (tokens, grants) = (
                std::mem::take(&mut keeper.doubtful_tokens),
                std::mem::take(&mut keeper.doubtful),
            );
            let ends = Ends {
                tokens: TokenEnds {
                    these: vec![(TokenId::new("one"), on_record(GrantAct::Revoked))],
                    once_over: Box::new(|_, _| ()),
                },
                ending: Ending::For(ended()),
                once: Some(once.clone()),
                ..withdrawal(these)
            };
            keeper.end(ends).unwrap();
            (keeper.doubtful_tokens, keeper.doubtful) = (tokens, grants);
            let recalled = keeper.recall((&once.by, &once.key), once.at).unwrap();
            assert!(found(&mut keeper).revoked_at.is_some(), "what is over stays over");
            assert_eq!(find(&mut keeper, &grant.id), Some(grant));
            assert_eq!(
                recalled.map(|recalled| recalled.done.token_count),
                (!with_grant).then_some(1)
            );
        }
    }
}
