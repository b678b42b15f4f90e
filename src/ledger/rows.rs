//! Grants as rows of the ledger, and back. Pure but for the connection it is handed.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LedgerError;
use super::promise::Leftover;
use super::view::{REMEMBERED, Tally, View};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, PurposeId, SubjectId};

const COLUMNS: &str = "id, subject, purpose, platforms, covers, statement, ticket, channel, declared_ms, begins_ms, \
                       expires_ms, approved_by, continued, state";

/// Reads what people hold, and the latest of what they held.
///
/// INVARIANT: what is in force sorts first and nobody holds more than fits, so nothing in force is left out.
pub(super) fn load(connection: &Connection) -> Result<View, LedgerError> {
    let told = |error: rusqlite::Error| LedgerError::Unavailable(error.to_string());
    let ask = format!(
        "SELECT {COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY subject \
         ORDER BY state = 'active' DESC, expires_ms DESC, id DESC) AS place FROM grants) WHERE place <= {REMEMBERED}"
    );
    let mut by_subject: BTreeMap<SubjectId, Vec<Grant>> = BTreeMap::new();
    let mut statement = connection.prepare(&ask).map_err(told)?;
    for grant in statement.query_map([], read).map_err(told)? {
        let grant = grant.map_err(told)?;
        by_subject.entry(grant.subject.clone()).or_default().push(grant);
    }
    Ok(View::new(by_subject, tallies(connection).map_err(told)?))
}

fn tallies(connection: &Connection) -> rusqlite::Result<BTreeMap<PurposeId, Tally>> {
    let ask = "SELECT purpose, count(*), sum(state = 'withdrawn'), sum(state = 'revoked') FROM grants GROUP BY purpose";
    let mut statement = connection.prepare(ask)?;
    let rows = statement.query_map([], |row| {
        let tally = Tally {
            given: number(row, 1)?,
            withdrawn: number(row, 2)?,
            revoked: number(row, 3)?,
        };
        Ok((PurposeId::new(row.get::<_, String>(0)?), tally))
    })?;
    rows.collect()
}

/// Adds a grant.
pub(super) fn insert(connection: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let ask = format!(
        "INSERT INTO grants ({COLUMNS}) VALUES (:id, :subject, :purpose, :platforms, :covers, :statement, :ticket, \
         :channel, :declared, :begins, :expires, :approved_by, :continued, :state)"
    );
    connection.execute(
        &ask,
        named_params! {
            ":id": grant.id.as_str(),
            ":subject": grant.subject.as_str(),
            ":purpose": grant.purpose.as_str(),
            ":platforms": json(&grant.platforms)?,
            ":covers": json(&grant.covers)?,
            ":statement": grant.statement,
            ":ticket": grant.ticket,
            ":channel": word(&grant.channel)?,
            ":declared": grant.declared_at.as_millis(),
            ":begins": grant.not_before.as_millis(),
            ":expires": grant.expires.as_millis(),
            ":approved_by": grant.approved_by.as_ref().map(SubjectId::as_str),
            ":continued": grant.continued.as_ref().map(json).transpose()?,
            ":state": word(&grant.state)?,
        },
    )?;
    Ok(())
}

/// Notes that a grant is about to be recorded and given.
pub(super) fn promise(connection: &Connection, grant: &Grant, segment: u64) -> rusqlite::Result<()> {
    let ask = "INSERT INTO promises (id, segment) VALUES (?1, ?2)";
    connection.execute(ask, (grant.id.as_str(), i64::try_from(segment).unwrap_or(0)))?;
    Ok(())
}

/// Takes back a grant of which nobody knows whether it is on disk.
pub(super) fn take_back(connection: &Connection, id: &GrantId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM grants WHERE id = ?1", [id.as_str()])?;
    // a row that changes is written, so that this change takes the place of the doubtful one also where that left no row
    connection.execute(
        "UPDATE promises SET doubtful = doubtful + 1 WHERE id = ?1",
        [id.as_str()],
    )?;
    Ok(())
}

/// Forgets a promise, if there is one: it was kept, or the book says that it was not.
pub(super) fn forget(connection: &Connection, id: &GrantId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM promises WHERE id = ?1", [id.as_str()])?;
    Ok(())
}

/// The promises that were not forgotten. Whether they were kept is asked of the whole ledger: the view does not show
/// every grant that is over.
pub(super) fn promises(connection: &Connection) -> Result<Vec<Leftover>, LedgerError> {
    let all = || -> rusqlite::Result<Vec<Leftover>> {
        let mut statement = connection.prepare(
            "SELECT p.id, p.segment, g.id IS NOT NULL FROM promises p LEFT JOIN grants g ON g.id = p.id ORDER BY p.id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Leftover {
                id: GrantId::new(row.get::<_, String>(0)?),
                segment: number(row, 1)?,
                was_kept: row.get(2)?,
            })
        })?;
        rows.collect()
    };
    all().map_err(|error| LedgerError::Unavailable(error.to_string()))
}

/// How many grants like this one its holder has that have not ended, and not expired when it begins. What somebody
/// continued past is counted by itself, so that it never stands in the way of a purpose.
pub(super) fn beside(connection: &Connection, grant: &Grant) -> rusqlite::Result<usize> {
    let ask = "SELECT count(*) FROM grants WHERE subject = ?1 AND state = 'active' AND expires_ms > ?2 \
               AND (continued IS NOT NULL) = ?3";
    let like = (
        grant.subject.as_str(),
        grant.declared_at.as_millis(),
        grant.continued.is_some(),
    );
    let held = connection.query_row(ask, like, |row| number(row, 0))?;
    Ok(usize::try_from(held).unwrap_or(usize::MAX))
}

/// One grant.
pub(super) fn find(connection: &Connection, id: &GrantId) -> rusqlite::Result<Option<Grant>> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE id = ?1");
    connection.query_row(&ask, [id.as_str()], read).optional()
}

/// Ends a grant.
pub(super) fn end(connection: &Connection, id: &GrantId, state: GrantState, at: Timestamp) -> rusqlite::Result<()> {
    let ask = "UPDATE grants SET state = ?2, ended_ms = ?3 WHERE id = ?1";
    connection.execute(ask, (id.as_str(), word(&state)?, at.as_millis()))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let subject = |column: &str, text: &str| SubjectId::parse(text).map_err(|error| unreadable(column, error));
    let approved_by: Option<String> = row.get("approved_by")?;
    Ok(Grant {
        id: GrantId::new(row.get::<_, String>("id")?),
        subject: subject("subject", &row.get::<_, String>("subject")?)?,
        purpose: PurposeId::new(row.get::<_, String>("purpose")?),
        platforms: from_json("platforms", row)?,
        covers: from_json("covers", row)?,
        statement: row.get("statement")?,
        ticket: row.get("ticket")?,
        channel: from_word("channel", row)?,
        declared_at: moment("declared_ms", row)?,
        not_before: moment("begins_ms", row)?,
        expires: moment("expires_ms", row)?,
        approved_by: approved_by.map(|text| subject("approved_by", &text)).transpose()?,
        continued: row
            .get::<_, Option<String>>("continued")?
            .map(|text| serde_json::from_str(&text).map_err(|error| unreadable("continued", error)))
            .transpose()?,
        state: from_word("state", row)?,
    })
}

/// `SQLite` counts in signed numbers.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0))
}

fn moment(column: &str, row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The name of a variant, as records spell it.
fn word(value: &impl Serialize) -> rusqlite::Result<String> {
    json(value).map(|quoted| quoted.trim_matches('"').to_owned())
}

fn from_json<T: DeserializeOwned>(column: &str, row: &Row<'_>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

fn from_word<T: DeserializeOwned>(column: &str, row: &Row<'_>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> rusqlite::Error {
    let what = format!("column `{column}` of `grants`: {error}");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
