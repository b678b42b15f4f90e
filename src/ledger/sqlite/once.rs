//! What was done for calls, as rows of the file.

use rusqlite::OptionalExtension;

use super::{OnDisk, unavailable};
use crate::clock::Timestamp;
use crate::facts::{GrantId, SubjectId};
use crate::ledger::error::LedgerError;
use crate::ledger::once::{Done, KeepsDone, Once};

impl KeepsDone for OnDisk<'_> {
    fn recalled(&mut self, by: &SubjectId, key: &str, after: Timestamp) -> Result<Option<Done>, LedgerError> {
        let ask = "SELECT what FROM done WHERE subject = ?1 AND key = ?2 AND made_ms > ?3";
        let of = (by.as_str(), key, after.as_millis());
        let what: Option<String> = self
            .transaction
            .query_row(ask, of, |row| row.get(0))
            .optional()
            .map_err(|error| unavailable(&error))?;
        what.map(|what| read(&what)).transpose()
    }

    fn note_done(&mut self, once: &Once, done: &Done, until: Timestamp) -> Result<(), LedgerError> {
        let forget = "DELETE FROM done WHERE made_ms <= ?1";
        let note = "INSERT INTO done (subject, key, made_ms, what) VALUES (?1, ?2, ?3, ?4)";
        let what = serde_json::to_string(done).map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        let row = (once.by.as_str(), &once.key, once.at.as_millis(), what);
        let noted = self.transaction.execute(forget, [until.as_millis()]);
        let noted = noted.and_then(|_| self.transaction.execute(note, row));
        noted.map(drop).map_err(|error| unavailable(&error))
    }

    fn forget_done(&mut self, once: &Once, grant: &GrantId) -> Result<(), LedgerError> {
        let ask = "DELETE FROM done WHERE subject = ?1 AND key = ?2 AND instr(what, ?3) > 0";
        let row = (once.by.as_str(), &once.key, named(grant)?);
        let forgotten = self.transaction.execute(ask, row);
        forgotten.map(drop).map_err(|error| unavailable(&error))
    }

    fn forget_done_of(&mut self, grant: &GrantId) -> Result<(), LedgerError> {
        let ask = "DELETE FROM done WHERE instr(what, ?1) > 0";
        let forgotten = self.transaction.execute(ask, [named(grant)?]);
        forgotten.map(drop).map_err(|error| unavailable(&error))
    }
}

/// A grant as it stands in what was done: nothing else there looks like the name of one.
fn named(grant: &GrantId) -> Result<String, LedgerError> {
    serde_json::to_string(grant).map_err(|error| LedgerError::Unavailable(error.to_string()))
}

fn read(what: &str) -> Result<Done, LedgerError> {
    serde_json::from_str(what)
        .map_err(|error| LedgerError::Unavailable(format!("what was done cannot be read: {error}")))
}
