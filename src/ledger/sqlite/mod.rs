//! The ledger in one `SQLite` file, which belongs to one gateway.
#![expect(clippy::disallowed_methods, reason = "door: keeps the ledger's file")]

mod counter;
mod files;
mod migrate;
mod notices;
mod once;
mod rows;
mod tokens;
mod usage;

use std::fs::{DirBuilder, File, OpenOptions};
use std::ops::RangeInclusive;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction};

use super::counter::{Apart, AtCounter};
use super::ending::{OnRecord, Untold};
use super::error::LedgerError;
use super::figures::Figure;
use super::outbox::{Claim, Letter, Notice};
use super::promise::Leftover;
use super::store::{Change, Held, News, Place, Store};
use super::usage::Week;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantAct, GrantId, NoticeEvent, PurposeId, SubjectId};
use counter::InMemory;
use files::Files;

/// An open file.
pub(super) struct Sqlite {
    pub(super) connection: Connection,
    files: Arc<Files>,
    counter: Arc<Mutex<InMemory>>,
}

impl Sqlite {
    /// Opens the file, checks it, and brings it up to date. It holds what people wrote, so nobody else may read it.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
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
        Self::prepare(connection, path)
    }

    /// The same without a file.
    pub(super) fn in_memory() -> Result<Self, LedgerError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| explain(path, &error))?;
        Self::prepare(connection, path)
    }

    fn prepare(mut connection: Connection, path: &Path) -> Result<Self, LedgerError> {
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
        let counter = Arc::new(Mutex::new(InMemory::open().map_err(told)?));
        let files = Arc::new(Files::of(&connection));
        Ok(Self {
            connection,
            files,
            counter,
        })
    }
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

/// What an error of `SQLite` means for the file.
fn explain(path: &Path, error: &rusqlite::Error) -> LedgerError {
    let path = path.to_owned();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::InUse(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LedgerError::Damaged { path, why },
        _ => LedgerError::Unreadable { path, why },
    }
}

/// A change that the disk does not take, or something that cannot be read.
fn unavailable(error: &rusqlite::Error) -> LedgerError {
    LedgerError::Unavailable(format!("{error}; check the disk that holds `ledger.file`"))
}

impl Store for Sqlite {
    type Change<'a> = OnDisk<'a>;

    const SHARED: bool = false;

    fn held(&mut self) -> Result<Held, LedgerError> {
        rows::held(&self.connection).map_err(|error| unavailable(&error))
    }

    fn promises(&mut self) -> Result<Vec<Leftover>, LedgerError> {
        rows::promises(&self.connection).map_err(|error| unavailable(&error))
    }

    fn untold(&mut self) -> Result<Vec<Untold>, LedgerError> {
        rows::untold(&self.connection).map_err(|error| unavailable(&error))
    }

    fn unclaim(&mut self) -> Result<(), LedgerError> {
        notices::unclaim(&self.connection).map_err(|error| unavailable(&error))
    }

    fn outlook(&mut self, claim: &Claim) -> Result<(u64, bool), LedgerError> {
        notices::outlook(&self.connection, claim).map_err(|error| unavailable(&error))
    }

    fn figures(&mut self, of: &PurposeId, weeks: &RangeInclusive<Week>) -> Result<Vec<Figure>, LedgerError> {
        usage::figures(&self.connection, of, weeks).map_err(|error| unavailable(&error))
    }

    fn begin(&mut self) -> Result<OnDisk<'_>, LedgerError> {
        Ok(OnDisk {
            transaction: self.connection.transaction().map_err(|error| unavailable(&error))?,
            files: &self.files,
        })
    }

    /// The file belongs to this gateway: nobody else changes it.
    fn news(&mut self) -> Result<Vec<News>, LedgerError> {
        Ok(Vec::new())
    }

    fn counter(&mut self, ask: &mut dyn FnMut(&mut dyn AtCounter)) {
        let mut counter = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut *counter);
    }

    fn apart(&self) -> Apart {
        Apart::Here(self.counter.clone())
    }

    fn place(&self) -> Arc<dyn Place> {
        self.files.clone()
    }
}

/// A transaction.
pub(super) struct OnDisk<'a> {
    transaction: Transaction<'a>,
    files: &'a Files,
}

impl Change for OnDisk<'_> {
    fn find(&mut self, id: &GrantId) -> Result<Option<Grant>, LedgerError> {
        rows::find(&self.transaction, id).map_err(|error| unavailable(&error))
    }

    fn find_each(&mut self, ids: &[&GrantId]) -> Result<Vec<Grant>, LedgerError> {
        let found = ids.iter().filter_map(|id| self.find(id).transpose());
        found.collect()
    }

    fn beside(&mut self, grant: &Grant) -> Result<usize, LedgerError> {
        rows::beside(&self.transaction, grant).map_err(|error| unavailable(&error))
    }

    fn asked_alike(&mut self, request: &Grant) -> Result<Vec<Grant>, LedgerError> {
        rows::asked_alike(&self.transaction, request).map_err(|error| unavailable(&error))
    }

    fn renewals(&mut self, subject: &SubjectId, of: &GrantId) -> Result<Vec<Grant>, LedgerError> {
        rows::renewals(&self.transaction, subject, of).map_err(|error| unavailable(&error))
    }

    fn unreviewed(&mut self, subject: &SubjectId) -> Result<usize, LedgerError> {
        rows::unreviewed(&self.transaction, subject).map_err(|error| unavailable(&error))
    }

    fn write(&mut self, grant: &Grant) -> Result<(), LedgerError> {
        rows::write(&self.transaction, grant).map_err(|error| unavailable(&error))
    }

    fn write_each(&mut self, grants: &[&Grant]) -> Result<(), LedgerError> {
        grants.iter().try_for_each(|grant| self.write(grant))
    }

    fn used(&mut self, uses: &[(GrantId, Timestamp)]) -> Result<(), LedgerError> {
        rows::used(&self.transaction, uses).map_err(|error| unavailable(&error))
    }

    fn take_back(&mut self, written: &Grant, was: Option<&Grant>, untold: Option<GrantAct>) -> Result<(), LedgerError> {
        rows::take_back(&self.transaction, written, was, untold).map_err(|error| unavailable(&error))
    }

    fn is_promised(&mut self, id: &GrantId) -> Result<bool, LedgerError> {
        rows::is_promised(&self.transaction, id).map_err(|error| unavailable(&error))
    }

    fn promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError> {
        rows::promise(&self.transaction, grant, segment).map_err(|error| unavailable(&error))
    }

    fn forget(&mut self, ids: &[&GrantId]) -> Result<(), LedgerError> {
        let mut each = ids.iter();
        each.try_for_each(|id| rows::forget(&self.transaction, id))
            .map_err(|error| unavailable(&error))
    }

    fn ends(&mut self, ends: &[(&GrantId, &OnRecord)]) -> Result<(), LedgerError> {
        let mut each = ends.iter();
        each.try_for_each(|(id, on_record)| rows::ends(&self.transaction, id, on_record))
            .map_err(|error| unavailable(&error))
    }

    fn told(&mut self, told: &[(&GrantId, GrantAct)]) -> Result<(), LedgerError> {
        let mut each = told.iter();
        each.try_for_each(|(id, act)| rows::told(&self.transaction, id, *act))
            .map_err(|error| unavailable(&error))
    }

    fn is_untold(&mut self, id: &GrantId, act: GrantAct) -> Result<bool, LedgerError> {
        rows::is_untold(&self.transaction, id, act).map_err(|error| unavailable(&error))
    }

    fn owe_each(&mut self, owed: &[(&GrantId, NoticeEvent, Timestamp)]) -> Result<(), LedgerError> {
        notices::owe_each(&self.transaction, owed).map_err(|error| unavailable(&error))
    }

    fn claim(&mut self, claim: &Claim) -> Result<Vec<Notice>, LedgerError> {
        notices::claim(&self.transaction, claim).map_err(|error| unavailable(&error))
    }

    fn address(&mut self, notice: &Notice, letter: &Letter) -> Result<(), LedgerError> {
        notices::address(&self.transaction, notice, letter).map_err(|error| unavailable(&error))
    }

    fn done(&mut self, notice: &Notice) -> Result<(), LedgerError> {
        notices::done(&self.transaction, notice).map_err(|error| unavailable(&error))
    }

    fn again(&mut self, notice: &Notice, due: Timestamp) -> Result<(), LedgerError> {
        notices::again(&self.transaction, notice, due).map_err(|error| unavailable(&error))
    }

    fn release(&mut self, notice: &Notice) -> Result<(), LedgerError> {
        notices::release(&self.transaction, notice).map_err(|error| unavailable(&error))
    }

    /// Durable: in files that have their names, before and after.
    fn commit(self) -> Result<(), LedgerError> {
        self.files.in_place()?;
        self.transaction.commit().map_err(|error| unavailable(&error))?;
        self.files.in_place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_the_disk_when_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.db");
        // also where the file was made by somebody who took it less seriously
        for _ in 0..2 {
            let store = Sqlite::open(&file).unwrap();
            let says = |pragma: &str| -> String {
                let value = store
                    .connection
                    .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0));
                format!("{:?}", value.unwrap())
            };
            // FULL: the log is synced with each commit, and not only when it is brought into the database
            assert_eq!(says("synchronous"), "Integer(2)");
            assert_eq!(says("journal_mode"), "Text(\"wal\")");
        }
    }
}
