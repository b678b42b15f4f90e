//! Brings a ledger's schema up to date: numbered migrations, each applied once and remembered with its checksum.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::facts::hex;
use crate::ledger::error::LedgerError;

/// "wayl": marks the file as ours (`SQLite`'s `application_id`).
const OURS: i64 = 0x7761_796c;

/// The migrations, in order; the first has version 1. Never change one that has been released: add another.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_grants.sql"),
    include_str!("migrations/002_promises.sql"),
    include_str!("migrations/003_promised_since.sql"),
    include_str!("migrations/004_continued.sql"),
    include_str!("migrations/005_requests.sql"),
    include_str!("migrations/006_promised_what.sql"),
    include_str!("migrations/007_came.sql"),
    include_str!("migrations/008_ended.sql"),
    include_str!("migrations/009_idle.sql"),
    include_str!("migrations/010_parent.sql"),
    include_str!("migrations/011_emergency.sql"),
    include_str!("migrations/012_endings.sql"),
    include_str!("migrations/013_untold.sql"),
    include_str!("migrations/014_chains.sql"),
    include_str!("migrations/015_notices.sql"),
    include_str!("migrations/016_report.sql"),
    include_str!("migrations/017_usage.sql"),
    include_str!("migrations/018_delegations.sql"),
    include_str!("migrations/019_api.sql"),
    include_str!("migrations/020_accounts.sql"),
    include_str!("migrations/021_digests.sql"),
    include_str!("migrations/022_settling.sql"),
    include_str!("migrations/023_answered.sql"),
    include_str!("migrations/024_outlook.sql"),
];

/// Checks that the file is ours and no newer than we are, and applies what is missing.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    run(connection, path, MIGRATIONS)
}

fn run(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), LedgerError> {
    let told = |error: rusqlite::Error| super::explain(path, &error);
    claim(connection, path).map_err(told)??;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found = version(connection).map_err(told)?;
    if found > known {
        let path = path.to_owned();
        return Err(LedgerError::Newer { path, found, known });
    }
    for (version, text) in (1_i64..).zip(migrations) {
        let checksum = checksum(text);
        match applied(connection, version).map_err(told)? {
            Some(kept) if kept == checksum => {}
            Some(_) => {
                let path = path.to_owned();
                return Err(LedgerError::Altered { path, version });
            }
            None => apply(connection, version, text, &checksum).map_err(told)?,
        }
    }
    Ok(())
}

/// Makes an empty file ours; refuses a file of somebody else.
fn claim(connection: &Connection, path: &Path) -> rusqlite::Result<Result<(), LedgerError>> {
    let marked: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if marked != OURS && (marked != 0 || tables > 0) {
        return Ok(Err(LedgerError::Foreign(path.to_owned())));
    }
    if marked != OURS {
        connection.pragma_update(None, "application_id", OURS)?;
    }
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
    )?;
    Ok(Ok(()))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| {
        row.get(0)
    })
}

fn applied(connection: &Connection, version: i64) -> rusqlite::Result<Option<String>> {
    let ask = "SELECT checksum FROM schema_version WHERE version = ?1";
    connection.query_row(ask, [version], |row| row.get(0)).optional()
}

/// A migration and the note that it was applied are one transaction: a crash leaves both or neither.
fn apply(connection: &mut Connection, version: i64, text: &str, checksum: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(text)?;
    transaction.execute(
        "INSERT INTO schema_version (version, checksum) VALUES (?1, ?2)",
        params![version, checksum],
    )?;
    transaction.commit()
}

fn checksum(text: &str) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (Connection, &'static Path) {
        (Connection::open_in_memory().unwrap(), Path::new("state/ledger.db"))
    }

    #[test]
    fn migrations_are_applied_once_and_in_order() {
        let (mut connection, path) = file();
        let first = "CREATE TABLE a (x INTEGER)";
        run(&mut connection, path, &[first]).unwrap();
        run(&mut connection, path, &[first]).unwrap();
        run(&mut connection, path, &[first, "ALTER TABLE a ADD COLUMN y INTEGER"]).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let (mut connection, path) = file();
        run(&mut connection, path, &["CREATE TABLE a (x INTEGER); NONSENSE"]).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 0);
        run(&mut connection, path, &["CREATE TABLE a (x INTEGER)"]).unwrap();
    }

    #[test]
    fn a_newer_schema_and_an_altered_migration_are_refused_in_words() {
        let (mut connection, path) = file();
        run(&mut connection, path, &["SELECT 1", "SELECT 2"]).unwrap();
        let newer = run(&mut connection, path, &["SELECT 1"]).unwrap_err();
        insta::assert_snapshot!(newer, @"the ledger `state/ledger.db` has schema version 2, this wayleave knows versions up to 1; run the newer wayleave that wrote it");
        let altered = run(&mut connection, path, &["SELECT 1", "SELECT 3"]).unwrap_err();
        insta::assert_snapshot!(altered, @"the ledger `state/ledger.db` was made with another text of migration 2; run the wayleave that made it");
    }

    #[test]
    fn somebody_elses_database_is_left_alone() {
        let (mut connection, path) = file();
        connection.execute_batch("CREATE TABLE invoices (x INTEGER)").unwrap();
        let refused = migrate(&mut connection, path).unwrap_err();
        assert_eq!(refused, LedgerError::Foreign(path.to_owned()));
    }
}
