//! The one thread that changes the ledger: a change is on disk before it is in the view, and in the view before it is
//! answered.
#![expect(clippy::disallowed_methods, reason = "door: keeps the ledger's file")]

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::error::LedgerError;
use super::view::{Life, View};
use super::{MOST_IN_FORCE, migrate, rows};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState};

/// How many changes may wait for the disk.
const QUEUE: usize = 256;

/// Opens the file, checks it, and brings it up to date. It holds what people wrote, so nobody else may read it.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let unreadable = |error: std::io::Error| LedgerError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(unreadable)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(unreadable)?;
    let connection = Connection::open(path).map_err(|error| explain(path, &error))?;
    prepare(connection, path)
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

type Reply = oneshot::Sender<Result<Grant, LedgerError>>;

/// What to do once a grant is kept.
pub(super) type OnceKept = Box<dyn FnOnce() + Send>;

enum Job {
    Put(Box<Grant>, OnceKept, Reply),
    End(GrantId, GrantState, Timestamp, Reply),
}

/// The handle of the writer thread; ends and joins it when dropped.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, view: Arc<View>) -> Result<Self, LedgerError> {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || work(connection, &view, inbox))
            .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    pub(super) async fn put(&self, grant: Grant, once_kept: OnceKept) -> Result<Grant, LedgerError> {
        self.ask(|reply| Job::Put(Box::new(grant), once_kept, reply)).await
    }

    pub(super) async fn end(&self, id: GrantId, state: GrantState, at: Timestamp) -> Result<Grant, LedgerError> {
        self.ask(|reply| Job::End(id, state, at, reply)).await
    }

    async fn ask(&self, job: impl FnOnce(Reply) -> Job) -> Result<Grant, LedgerError> {
        let stopped = || LedgerError::Unavailable("its writer has stopped".to_owned());
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
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

fn work(mut connection: Connection, view: &View, mut inbox: mpsc::Receiver<Job>) {
    while let Some(job) = inbox.blocking_recv() {
        let (answer, reply) = match job {
            Job::Put(grant, once_kept, reply) => {
                let answer = put(&mut connection, view, *grant);
                if answer.is_ok() {
                    once_kept();
                }
                (answer, reply)
            }
            Job::End(id, state, at, reply) => (end(&mut connection, view, &id, state, at), reply),
        };
        // Whoever asked may have gone away; the change stands.
        let _ = reply.send(answer);
    }
}

fn put(connection: &mut Connection, view: &View, grant: Grant) -> Result<Grant, LedgerError> {
    let transaction = connection.transaction().map_err(|error| unavailable(&error))?;
    let held = rows::in_force(&transaction, &grant.subject, grant.declared_at).map_err(|error| unavailable(&error))?;
    if held >= MOST_IN_FORCE {
        return Err(LedgerError::TooMany(held));
    }
    rows::insert(&transaction, &grant).map_err(|error| unavailable(&error))?;
    transaction.commit().map_err(|error| unavailable(&error))?;
    view.given(grant.clone());
    Ok(grant)
}

fn end(
    connection: &mut Connection,
    view: &View,
    id: &GrantId,
    state: GrantState,
    at: Timestamp,
) -> Result<Grant, LedgerError> {
    let transaction = connection.transaction().map_err(|error| unavailable(&error))?;
    let found = rows::find(&transaction, id).map_err(|error| unavailable(&error))?;
    let mut grant = found.ok_or_else(|| LedgerError::NoSuchGrant(id.clone()))?;
    if Life::of(&grant, at) != Life::Active {
        return Err(LedgerError::AlreadyOver(id.clone()));
    }
    grant.state = state;
    rows::end(&transaction, id, state, at).map_err(|error| unavailable(&error))?;
    transaction.commit().map_err(|error| unavailable(&error))?;
    view.ended(&grant);
    Ok(grant)
}

fn unavailable(error: &rusqlite::Error) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}
