//! The one thread that changes the ledger: a change is on disk before it is in the view, and in the view before it is
//! answered.
#![expect(clippy::disallowed_methods, reason = "door: keeps the ledger's file")]

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::becoming::{has_room, unavailable, was_asked};
use super::ending::{self, Ending};
use super::error::LedgerError;
use super::keeping::Keeping;
use super::promise::{Promise, Settled};
use super::sqlite::{migrate, rows};
use super::view::View;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId};

/// How many changes may wait for the disk.
const QUEUE: usize = 256;

/// Opens the file, checks it, and brings it up to date. It holds what people wrote, so nobody else may read it.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let unreadable = |error: std::io::Error| LedgerError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_folder(folder).map_err(unreadable)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(unreadable)?;
    sync_names(path).map_err(unreadable)?;
    let connection = Connection::open(path).map_err(|error| explain(path, &error))?;
    prepare(connection, path)
}

/// Makes the folder at `path`, and those above it, durably and for their owner only.
fn create_folder(path: &Path) -> std::io::Result<()> {
    let missing = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let made: Vec<&Path> = missing.collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    made.into_iter().try_for_each(sync_names)
}

/// Makes the name of what is at `path` durable.
fn sync_names(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The same without a file.
pub(super) fn open_in_memory() -> Result<Connection, LedgerError> {
    let path = Path::new(":memory:");
    let connection = Connection::open_in_memory().map_err(|error| explain(path, &error))?;
    prepare(connection, path)
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Connection, LedgerError> {
    let told = |error: rusqlite::Error| explain(path, &error);
    // A gateway that has just stopped may still hold the file for a moment.
    connection.busy_timeout(Duration::from_secs(2)).map_err(told)?;
    // INVARIANT: one writer. Exclusive locking keeps a second gateway from giving grants that this one's view
    // would not show. `synchronous=FULL` makes a commit in WAL mode durable before it returns.
    connection
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        .map_err(told)?;
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(told)?;
    if found != "ok" {
        let path = path.to_owned();
        return Err(LedgerError::Damaged { path, why: found });
    }
    migrate::migrate(&mut connection, path)?;
    Ok(connection)
}

/// What an error of `SQLite` means for the file.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> LedgerError {
    let path = path.to_owned();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::InUse(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LedgerError::Damaged { path, why },
        _ => LedgerError::Unreadable { path, why },
    }
}

type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What to do once a change is kept, with the grant as it is then.
pub(super) type OnceKept = Box<dyn FnOnce(&Grant) + Send>;

/// The same where several grants end.
pub(super) type OnceEnded = Box<dyn FnMut(&Grant) + Send>;

pub(super) enum Job {
    /// A grant is asked for, given or answered.
    Put(Box<Grant>, OnceKept, Reply<Grant>),
    /// What can end of these does so.
    End(Vec<GrantId>, Ending, Timestamp, OnceEnded, Reply<Vec<Grant>>),
    /// A grant is about to be recorded, in this segment of the book or a later one, and given.
    Promise(Box<Grant>, u64, Reply<Promise>),
    /// Promises are [`Settled`].
    Forget,
}

/// The handle of the writer thread; ends and joins it when dropped.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    settled: Arc<Settled>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, view: Arc<View>, keeping: Arc<Keeping>) -> Result<Self, LedgerError> {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let settled = Arc::new(Settled::new(jobs.downgrade()));
        let keeper = Keeper {
            connection,
            view,
            keeping,
            doubtful: Vec::new(),
            settled: Arc::clone(&settled),
        };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || keeper.work(inbox))
            .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            settled,
            thread: Some(thread),
        })
    }

    /// Keeps a grant as it is, and returns it once it is durable.
    pub(super) async fn put(&self, grant: Grant, once_kept: OnceKept) -> Result<Grant, LedgerError> {
        self.submit(|reply| Job::Put(Box::new(grant), once_kept, reply)).await
    }

    /// Ends what can end of `ids`, and returns it once that is durable.
    pub(super) async fn end(
        &self,
        ids: Vec<GrantId>,
        ending: Ending,
        at: Timestamp,
        once_kept: OnceEnded,
    ) -> Result<Vec<Grant>, LedgerError> {
        self.submit(|reply| Job::End(ids, ending, at, once_kept, reply)).await
    }

    /// Promises a grant, durably. Whoever goes away before it is answered takes it back.
    pub(super) async fn promise(&self, grant: Grant, segment: u64) -> Result<Promise, LedgerError> {
        self.submit(|reply| Job::Promise(Box::new(grant), segment, reply)).await
    }

    async fn submit<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, LedgerError> {
        let stopped = || LedgerError::Unavailable("its writer has stopped".to_owned());
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Forgets promises, as soon as it can.
    pub(super) fn forget(&self, ids: Vec<GrantId>) {
        self.settled.add(ids);
    }
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
struct Keeper {
    connection: Connection,
    view: Arc<View>,
    keeping: Arc<Keeping>,
    /// Grants whose commit failed: the disk may have them nevertheless, and would show them after a crash.
    doubtful: Vec<Doubt>,
    settled: Arc<Settled>,
}

/// A grant of which nobody knows whether it is on disk, and what it was before.
struct Doubt {
    id: GrantId,
    was: Option<Grant>,
}

impl Keeper {
    fn work(mut self, mut inbox: mpsc::Receiver<Job>) {
        while let Some(job) = inbox.blocking_recv() {
            match job {
                // Whoever asked may have gone away; the change stands.
                Job::Put(grant, once_kept, reply) => {
                    let given = self.cleared(|keeper| keeper.put(*grant)).inspect(once_kept);
                    let kept = given.as_ref().ok().map(|grant| grant.id.clone());
                    let _ = reply.send(given);
                    self.settled.add(kept);
                }
                Job::End(ids, ending, at, once_kept, reply) => {
                    let ended = self.cleared(|keeper| keeper.end(&ids, &ending, at));
                    let _ = reply.send(ended.inspect(|ended| ended.iter().for_each(once_kept)));
                }
                Job::Promise(grant, segment, reply) => {
                    // Whoever asked may have gone away, and drops the promise here.
                    let _ = reply.send(self.promise(grant, segment));
                }
                Job::Forget => {}
            }
            self.forget();
        }
    }

    /// Makes a change once no doubt is left about those before it.
    fn cleared<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let doubts = self.clear_doubts().map_err(|error| unavailable(&error));
        let made = doubts.and_then(|()| change(self));
        self.keeping.note(&made);
        made
    }

    /// INVARIANT: nothing is given or promised while the disk may hold what was said not to be given.
    fn clear_doubts(&mut self) -> rusqlite::Result<()> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for doubt in &self.doubtful {
            rows::take_back(&transaction, &doubt.id, doubt.was.as_ref())?;
        }
        transaction.commit()?;
        self.doubtful.clear();
        Ok(())
    }

    fn promise(&mut self, grant: Box<Grant>, segment: u64) -> Result<Promise, LedgerError> {
        let kept = self.keep_promise(&grant, segment);
        self.keeping.note(&kept);
        kept.map(|()| Promise::new(grant, Arc::clone(&self.settled)))
    }

    fn keep_promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError> {
        let failed = |error: rusqlite::Error| unavailable(&error);
        self.clear_doubts().map_err(failed)?;
        let settled = self.settled.now();
        let transaction = self.connection.transaction().map_err(failed)?;
        forget_all(&transaction, &settled).map_err(failed)?;
        was_asked(&transaction, grant)?;
        has_room(&transaction, grant)?;
        if rows::is_promised(&transaction, &grant.id).map_err(failed)? {
            return Err(LedgerError::BeingAnswered(grant.id.clone()));
        }
        rows::promise(&transaction, grant, segment).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        // before anything else: what is promised from here on is another promise than the one that was settled
        self.settled.forgotten(&settled);
        self.keeping
            .in_place()
            .inspect_err(|_| self.settled.add([grant.id.clone()]))
    }

    fn put(&mut self, grant: Grant) -> Result<Grant, LedgerError> {
        let transaction = self.connection.transaction().map_err(|error| unavailable(&error))?;
        let was = was_asked(&transaction, &grant)?;
        has_room(&transaction, &grant)?;
        rows::write(&transaction, &grant).map_err(|error| unavailable(&error))?;
        if let Err(error) = commit(transaction, &self.keeping) {
            self.doubtful.push(Doubt { id: grant.id, was });
            return Err(error);
        }
        let now = grant.ended_at.unwrap_or(grant.not_before);
        self.view.shows(was.as_ref(), grant.clone(), now);
        Ok(grant)
    }

    /// Ends what can end of `ids`, in one change.
    fn end(&mut self, ids: &[GrantId], ending: &Ending, at: Timestamp) -> Result<Vec<Grant>, LedgerError> {
        let transaction = self.connection.transaction().map_err(|error| unavailable(&error))?;
        let ends = ending::end(&transaction, ids, ending, at)?;
        commit(transaction, &self.keeping)?;
        let shown = ends.into_iter().map(|(was, ended)| {
            self.view.shows(Some(&was), ended.clone(), at);
            ended
        });
        Ok(shown.collect())
    }

    /// Forgets what is settled. What cannot be forgotten now stays settled, and is forgotten with the next promise at the
    /// latest, or compared with the book at the next start.
    fn forget(&mut self) {
        let settled = self.settled.now();
        if settled.is_empty() {
            return;
        }
        let mut forget = || -> rusqlite::Result<()> {
            self.clear_doubts()?;
            let transaction = self.connection.transaction()?;
            forget_all(&transaction, &settled)?;
            transaction.commit()
        };
        match forget() {
            Ok(()) => self.settled.forgotten(&settled),
            Err(error) => {
                tracing::warn!(%error, promises = settled.len(), "the ledger cannot forget now what was promised");
            }
        }
    }
}

fn forget_all(connection: &Connection, settled: &BTreeSet<GrantId>) -> rusqlite::Result<()> {
    settled.iter().try_for_each(|id| rows::forget(connection, id))
}

/// INVARIANT: durable when it succeeds: in files that have their names, before and after.
fn commit(transaction: Transaction<'_>, keeping: &Keeping) -> Result<(), LedgerError> {
    keeping.in_place()?;
    transaction.commit().map_err(|error| unavailable(&error))?;
    keeping.in_place()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::GrantState;
    use crate::ledger::tests::terms;

    fn keeper() -> Keeper {
        at_its_desk(1).0
    }

    /// A keeper, and where its jobs come from: so many may wait.
    fn at_its_desk(waiting: usize) -> (Keeper, mpsc::Sender<Job>, mpsc::Receiver<Job>) {
        let connection = open_in_memory().unwrap();
        let (jobs, inbox) = mpsc::channel(waiting);
        let keeper = Keeper {
            view: Arc::new(rows::load(&connection).unwrap()),
            keeping: Arc::new(Keeping::of(&connection)),
            connection,
            doubtful: Vec::new(),
            settled: Arc::new(Settled::new(jobs.downgrade())),
        };
        (keeper, jobs, inbox)
    }

    fn promised(keeper: &Keeper) -> Vec<GrantId> {
        let left = rows::promises(&keeper.connection).unwrap().into_iter();
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
        let writes = |keeper: &Keeper, no: u8| keeper.connection.pragma_update(None, "query_only", no).unwrap();
        writes(&keeper, 1);
        promise.forget();
        keeper.forget();
        let failing = keeper.promise(asked.clone(), 1).err();
        assert!(matches!(failing, Some(LedgerError::Unavailable(_))), "{failing:?}");
        assert_eq!(
            promised(&keeper),
            std::slice::from_ref(&asked.id),
            "the disk has it still"
        );
        writes(&keeper, 0);
        let again = keeper.promise(asked.clone(), 2).unwrap();
        keeper.forget();
        assert_eq!(promised(&keeper), std::slice::from_ref(&asked.id), "the new one stands");
        drop(again);
        keeper.forget();
        assert_eq!(promised(&keeper), []);
    }

    #[test]
    fn a_promise_that_is_dropped_where_no_job_has_room_is_forgotten_with_the_jobs_that_are_there() {
        let (mut keeper, jobs, inbox) = at_its_desk(1);
        let grant = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("dropped"));
        let promise = keeper.promise(Box::new(grant), 1).unwrap();
        let (reply, _) = oneshot::channel();
        let other = vec![GrantId::new("other")];
        let withdrawn = Job::End(
            other,
            Ending::Withdrawn,
            Timestamp::from_millis(1),
            Box::new(|_| ()),
            reply,
        );
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
        let limit = |keeper: &Keeper, pages: u32| {
            let limit = format!("PRAGMA max_page_count={pages}");
            keeper
                .connection
                .query_row(&limit, [], |row| row.get::<_, u32>(0))
                .unwrap()
        };
        let gives = |keeper: &mut Keeper| keeper.cleared(|keeper| keeper.put(large.clone())).is_ok();
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
        rows::write(&keeper.connection, &doubtful).unwrap();
        keeper.doubtful.push(Doubt {
            id: doubtful.id.clone(),
            was: None,
        });
        let next = terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new("next"));
        keeper.keep_promise(&next, 1).unwrap();
        assert_eq!(rows::find(&keeper.connection, &doubtful.id).unwrap(), None);
        let promised = rows::promises(&keeper.connection).unwrap();
        assert!(
            promised.iter().any(|left| left.id == doubtful.id && !left.was_kept),
            "the next start compares it with the book"
        );
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
        keeper.put(asked.clone()).unwrap();
        rows::write(&keeper.connection, &given).unwrap();
        keeper.doubtful.push(Doubt {
            id: given.id,
            was: Some(asked.clone()),
        });
        keeper.clear_doubts().unwrap();
        assert_eq!(rows::find(&keeper.connection, &asked.id).unwrap(), Some(asked));
    }
}
