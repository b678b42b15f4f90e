//! Brings the database's schema up to date: numbered migrations, each applied once and remembered with its checksum.

use tokio_postgres::{Client, Error};

use super::{Trouble, line, rows};
use crate::facts::hex;
use crate::ledger::error::LedgerError;
use crate::ledger::store::Held;

/// The migrations, in order; the first has version 1. Never change one that has been released: add another.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_ledger.sql"),
    include_str!("migrations/002_untold.sql"),
    include_str!("migrations/003_chains.sql"),
    include_str!("migrations/004_notices.sql"),
    include_str!("migrations/005_report.sql"),
    include_str!("migrations/006_usage.sql"),
    include_str!("migrations/007_delegations.sql"),
    include_str!("migrations/008_api.sql"),
    include_str!("migrations/009_accounts.sql"),
    include_str!("migrations/010_digests.sql"),
    include_str!("migrations/011_settling.sql"),
    include_str!("migrations/012_counter.sql"),
    include_str!("migrations/013_answered.sql"),
    include_str!("migrations/014_outlook.sql"),
];

/// Serialises gateways that start at the same time ("wayl"); held until the end of the transaction.
const LOCK: i64 = 0x7761_796c;

/// What keeps a database from being the ledger.
pub(super) enum Unfit {
    /// It has tables of the same names that are not ours.
    Foreign,
    /// A newer wayleave has changed it.
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// This migration has another text than the one that was applied.
    Altered(i64),
}

/// Brings the tables up to date, and reads what people hold, and the number of the last change of it.
pub(super) async fn begin(client: &Client, database: &str) -> Result<(Held, i64), LedgerError> {
    let told = |trouble: Trouble| trouble.at_start(database);
    let failed = |error: Error| told(error.into());
    client
        .batch_execute("SET statement_timeout = 0; SET lock_timeout = 0")
        .await
        .map_err(failed)?;
    let fit = migrate(client).await.map_err(failed)?;
    fit.map_err(|unfit| unfit.told(database))?;
    let start = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    client.batch_execute(start).await.map_err(failed)?;
    let seen = rows::last(client).await.map_err(told)?;
    let held = rows::held(client).await.map_err(told)?;
    client.batch_execute("COMMIT").await.map_err(failed)?;
    client.batch_execute(line::SESSION).await.map_err(failed)?;
    Ok((held, seen))
}

/// Checks that the tables are ours and no newer than we are, and applies what is missing: all of it or nothing.
async fn migrate(client: &Client) -> Result<Result<(), Unfit>, Error> {
    run(client, MIGRATIONS).await
}

async fn run(client: &Client, migrations: &[&str]) -> Result<Result<(), Unfit>, Error> {
    client.batch_execute("BEGIN").await?;
    let done = within(client, migrations).await;
    let end = if matches!(done, Ok(Ok(()))) {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    client.batch_execute(end).await?;
    done
}

async fn within(client: &Client, migrations: &[&str]) -> Result<Result<(), Unfit>, Error> {
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let ask = "SELECT to_regclass('wayleave_schema') IS NOT NULL, to_regclass('grants') IS NOT NULL";
    let there = client.query_one(ask, &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        if there.try_get(1)? {
            return Ok(Err(Unfit::Foreign));
        }
        let make = "CREATE TABLE wayleave_schema (version BIGINT PRIMARY KEY, checksum TEXT NOT NULL)";
        client.batch_execute(make).await?;
    }
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let ask = "SELECT version, checksum FROM wayleave_schema ORDER BY version";
    let mut applied: Vec<(i64, String)> = Vec::new();
    for row in client.query(ask, &[]).await? {
        applied.push((row.try_get(0)?, row.try_get(1)?));
    }
    let found = applied.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Ok(Err(Unfit::Newer { found, known }));
    }
    for (version, text) in (1_i64..).zip(migrations) {
        let checksum = checksum(text);
        match applied.iter().find(|(one, _)| *one == version) {
            Some((_, kept)) if *kept == checksum => {}
            Some(_) => return Ok(Err(Unfit::Altered(version))),
            None => {
                client.batch_execute(text).await?;
                let note = "INSERT INTO wayleave_schema (version, checksum) VALUES ($1, $2)";
                client.execute(note, &[&version, &checksum]).await?;
            }
        }
    }
    Ok(Ok(()))
}

fn checksum(text: &str) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
}
