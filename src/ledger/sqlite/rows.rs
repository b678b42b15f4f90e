//! Grants as rows of the ledger, and back. Pure but for the connection it is handed.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::notices;
use crate::clock::Timestamp;
use crate::facts::{Answer, Grant, GrantAct, GrantId, GrantState, PurposeId, SubjectId};
use crate::ledger::becoming::counts_from;
use crate::ledger::ending::{OnRecord, Untold};
use crate::ledger::promise::Leftover;
use crate::ledger::store::Held;
use crate::ledger::tallies::{LATELY, Paces, Tally};
use crate::ledger::view::REMEMBERED;

pub(super) const COLUMNS: &str = "id, subject, purpose, platforms, covers, statement, ticket, channel, declared_ms, begins_ms, \
                        expires_ms, answer_by_ms, answers, continued, state, ended_ms, ended, came, idle_ms, used_ms, parent, emergency, \
                        report, reported_ms, delegated";

/// What was taken in an emergency and waits for its review.
const UNREVIEWED: &str = "emergency IS NOT NULL AND json_extract(emergency, '$.review') IS NULL";

/// Reads what people hold and asked for, and the latest of what they held.
///
/// INVARIANT: what waits and what is in force sorts first, and nobody has more of either than fits, so none of it is left
/// out: what is in force ends later than whatever is over. Of what waits, the span for which it was asked says nothing.
pub(super) fn held(connection: &Connection) -> rusqlite::Result<Held> {
    let ask = format!(
        "SELECT {COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY subject \
         ORDER BY state = 'requested' \
         OR ({UNREVIEWED}) DESC, coalesce(ended_ms, expires_ms) DESC, id DESC) AS place FROM grants) \
         WHERE place <= {REMEMBERED}"
    );
    let mut by_subject: BTreeMap<SubjectId, Vec<Grant>> = BTreeMap::new();
    let mut statement = connection.prepare(&ask)?;
    for grant in statement.query_map([], read)? {
        let grant = grant?;
        by_subject.entry(grant.subject.clone()).or_default().push(grant);
    }
    Ok(Held {
        by_subject,
        tallies: tallies(connection)?,
        paces: paces(connection)?,
    })
}

fn tallies(connection: &Connection) -> rusqlite::Result<BTreeMap<PurposeId, Tally>> {
    let mut tallies: BTreeMap<PurposeId, Tally> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT purpose, state, count(*) FROM grants GROUP BY purpose, state")?;
    let rows = statement.query_map([], |row| {
        let purpose = PurposeId::new(row.get::<_, String>(0)?);
        Ok((purpose, from_word::<GrantState>("state", row)?, number(row, 2)?))
    })?;
    for row in rows {
        let (purpose, state, count) = row?;
        tallies.entry(purpose).or_default().insert(state, count);
    }
    Ok(tallies)
}

/// What was asked for within so long before the latest that was answered, or before now where a clock was ahead then: an index
/// finds it.
fn paces(connection: &Connection) -> rusqlite::Result<Paces> {
    let ask = "SELECT purpose, declared_ms, answers FROM grants WHERE answers <> '[]' \
               AND declared_ms >= min((SELECT max(declared_ms) FROM grants WHERE answers <> '[]'), \
               unixepoch('now') * 1000) - ?1";
    let mut statement = connection.prepare(ask)?;
    let mut rows = statement.query([i64::try_from(LATELY.as_millis()).unwrap_or(i64::MAX)])?;
    let mut paces = Paces::default();
    while let Some(row) = rows.next()? {
        let answers: Vec<Answer> = from_json("answers", row)?;
        paces.add(
            PurposeId::new(row.get::<_, String>("purpose")?),
            moment("declared_ms", row)?,
            &answers,
        );
    }
    Ok(paces)
}

pub(super) fn write(connection: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let ask = format!(
        "INSERT OR REPLACE INTO grants ({COLUMNS}) VALUES (:id, :subject, :purpose, :platforms, :covers, :statement, \
         :ticket, :channel, :declared, :begins, :expires, :answer_by, :answers, :continued, :state, :ended_at, :ended, :came, :idle, \
          :used, :parent, :emergency, :report, :reported, :delegated)"
    );
    connection.prepare_cached(&ask)?.execute(named_params! {
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
        ":answer_by": grant.answer_by.map(Timestamp::as_millis),
        ":answers": json(&grant.answers)?,
        ":continued": grant.continued.as_ref().map(json).transpose()?,
        ":state": word(&grant.state)?,
        ":ended_at": grant.ended_at.map(Timestamp::as_millis),
        ":ended": grant.ended.as_ref().map(json).transpose()?,
        ":came": grant.came.as_ref().map(json).transpose()?,
        ":idle": grant.idle.map(|idle| i64::try_from(idle.as_millis()).unwrap_or(i64::MAX)),
        ":used": grant.used_at.map(Timestamp::as_millis),
        ":parent": grant.parent.as_ref().map(GrantId::as_str),
        ":emergency": grant.emergency.as_ref().map(json).transpose()?,
        ":report": grant.report.as_ref().map(json).transpose()?,
        ":reported": grant.report.as_ref().map(|report| report.at.as_millis()),
        ":delegated": grant.delegated.as_ref().map(json).transpose()?,
    })?;
    Ok(())
}

pub(super) fn used(connection: &Connection, uses: &[(GrantId, Timestamp)]) -> rusqlite::Result<()> {
    let ask = "UPDATE grants SET used_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL";
    let mut statement = connection.prepare_cached(ask)?;
    for (id, at) in uses {
        statement.execute((id.as_str(), at.as_millis()))?;
    }
    Ok(())
}

pub(super) fn promise(connection: &Connection, grant: &Grant, segment: u64) -> rusqlite::Result<()> {
    let ask = "INSERT INTO promises (id, segment, state, answers) VALUES (?1, ?2, ?3, ?4)";
    let segment = i64::try_from(segment).unwrap_or(0);
    let answers = i64::try_from(grant.answers.len()).unwrap_or(0);
    connection.execute(ask, (grant.id.as_str(), segment, word(&grant.state)?, answers))?;
    Ok(())
}

pub(super) fn is_promised(connection: &Connection, id: &GrantId) -> rusqlite::Result<bool> {
    let ask = "SELECT EXISTS (SELECT 1 FROM promises WHERE id = ?1)";
    connection.query_row(ask, [id.as_str()], |row| row.get(0))
}

pub(super) fn take_back(
    connection: &Connection,
    written: &Grant,
    was: Option<&Grant>,
    untold: Option<GrantAct>,
) -> rusqlite::Result<()> {
    let id = &written.id;
    notices::take_back(connection, was, written)?;
    match was {
        Some(request) => write(connection, request)?,
        None => {
            connection.execute("DELETE FROM grants WHERE id = ?1", [id.as_str()])?;
        }
    }
    if let Some(act) = untold {
        told(connection, id, act)?;
    }
    // what changes is written, so that this change takes the place of the doubtful one also where that left no row
    connection.execute(
        "UPDATE promises SET doubtful = doubtful + 1 WHERE id = ?1",
        [id.as_str()],
    )?;
    let doubts: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", doubts.wrapping_add(1))
}

pub(super) fn forget(connection: &Connection, id: &GrantId) -> rusqlite::Result<()> {
    let ask = "DELETE FROM promises WHERE id = ?1";
    connection.prepare_cached(ask)?.execute([id.as_str()])?;
    Ok(())
}

pub(super) fn ends(connection: &Connection, id: &GrantId, on_record: &OnRecord) -> rusqlite::Result<()> {
    let ask = "INSERT OR REPLACE INTO untold (id, act, on_record) VALUES (?1, ?2, ?3)";
    let row = (id.as_str(), word(&on_record.act)?, json(on_record)?);
    connection.prepare_cached(ask)?.execute(row)?;
    Ok(())
}

pub(super) fn told(connection: &Connection, id: &GrantId, act: GrantAct) -> rusqlite::Result<()> {
    let ask = "DELETE FROM untold WHERE id = ?1 AND act = ?2";
    connection.prepare_cached(ask)?.execute((id.as_str(), word(&act)?))?;
    Ok(())
}

pub(super) fn is_untold(connection: &Connection, id: &GrantId, act: GrantAct) -> rusqlite::Result<bool> {
    let ask = "SELECT EXISTS (SELECT 1 FROM untold WHERE id = ?1 AND act = ?2)";
    connection.query_row(ask, (id.as_str(), word(&act)?), |row| row.get(0))
}

pub(super) fn untold(connection: &Connection) -> rusqlite::Result<Vec<Untold>> {
    let ask = format!(
        "SELECT u.on_record, g.* FROM untold u JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = u.id ORDER BY g.id, u.act"
    );
    let mut statement = connection.prepare(&ask)?;
    let rows = statement.query_map([], |row| {
        Ok(Untold {
            on_record: from_json("on_record", row)?,
            grant: read(row)?,
        })
    })?;
    rows.collect()
}

/// Whether they were kept is asked of the whole ledger: the view does not show every grant that is over.
pub(super) fn promises(connection: &Connection) -> rusqlite::Result<Vec<Leftover>> {
    let mut statement = connection.prepare("SELECT id, segment, state, answers FROM promises ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        let id = GrantId::new(row.get::<_, String>(0)?);
        let is = find(connection, &id)?;
        let answers = usize::try_from(number(row, 3)?).unwrap_or(0);
        let becomes = (from_word("state", row)?, answers);
        Ok(Leftover::of(id, number(row, 1)?, becomes, is.as_ref()))
    })?;
    rows.collect()
}

pub(super) fn beside(connection: &Connection, grant: &Grant) -> rusqlite::Result<usize> {
    if grant.state == GrantState::Requested {
        return waiting(connection, grant);
    }
    let ask = "SELECT count(*) FROM grants WHERE subject = ?1 AND state = 'active' AND ended_ms IS NULL AND expires_ms > ?2 \
               AND (continued IS NOT NULL) = ?3 AND (delegated IS NOT NULL) = ?4";
    let like = (
        grant.subject.as_str(),
        counts_from(grant).as_millis(),
        grant.continued.is_some(),
        grant.delegated.is_some(),
    );
    counted(connection, ask, like)
}

/// Those included of which nobody has noticed yet that they lapsed: so that the view holds all of them.
fn waiting(connection: &Connection, grant: &Grant) -> rusqlite::Result<usize> {
    let ask = "SELECT count(*) FROM grants WHERE subject = ?1 AND state = 'requested'";
    counted(connection, ask, [grant.subject.as_str()])
}

fn counted(connection: &Connection, ask: &str, of: impl rusqlite::Params) -> rusqlite::Result<usize> {
    let count = connection.query_row(ask, of, |row| number(row, 0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn asked_alike(connection: &Connection, request: &Grant) -> rusqlite::Result<Vec<Grant>> {
    let ask = format!(
        "SELECT {COLUMNS} FROM grants WHERE subject = ?1 AND state = 'requested' AND purpose = ?2 AND platforms = ?3 \
         ORDER BY id"
    );
    let mut statement = connection.prepare_cached(&ask)?;
    let platforms = json(&request.platforms)?;
    let same = (request.subject.as_str(), request.purpose.as_str(), platforms);
    statement.query_map(same, read)?.collect()
}

pub(super) fn renewals(connection: &Connection, subject: &SubjectId, of: &GrantId) -> rusqlite::Result<Vec<Grant>> {
    let ask =
        format!("SELECT {COLUMNS} FROM grants WHERE subject = ?1 AND parent = ?2 AND ended_ms IS NULL ORDER BY id");
    let mut statement = connection.prepare_cached(&ask)?;
    statement.query_map([subject.as_str(), of.as_str()], read)?.collect()
}

pub(super) fn unreviewed(connection: &Connection, subject: &SubjectId) -> rusqlite::Result<usize> {
    let ask = format!("SELECT count(*) FROM grants WHERE subject = ?1 AND {UNREVIEWED}");
    counted(connection, &ask, [subject.as_str()])
}

pub(super) fn find(connection: &Connection, id: &GrantId) -> rusqlite::Result<Option<Grant>> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE id = ?1");
    connection
        .prepare_cached(&ask)?
        .query_row([id.as_str()], read)
        .optional()
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let subject = row.get::<_, String>("subject")?;
    Ok(Grant {
        id: GrantId::new(row.get::<_, String>("id")?),
        subject: SubjectId::parse(&subject).map_err(|error| unreadable("subject", error))?,
        purpose: PurposeId::new(row.get::<_, String>("purpose")?),
        platforms: from_json("platforms", row)?,
        covers: from_json("covers", row)?,
        statement: row.get("statement")?,
        ticket: row.get("ticket")?,
        channel: from_word("channel", row)?,
        declared_at: moment("declared_ms", row)?,
        not_before: moment("begins_ms", row)?,
        expires: moment("expires_ms", row)?,
        answer_by: row.get::<_, Option<i64>>("answer_by_ms")?.map(Timestamp::from_millis),
        answers: from_json("answers", row)?,
        continued: maybe_json("continued", row)?,
        state: from_word("state", row)?,
        ended_at: row.get::<_, Option<i64>>("ended_ms")?.map(Timestamp::from_millis),
        ended: maybe_json("ended", row)?,
        came: maybe_json("came", row)?,
        idle: row.get::<_, Option<i64>>("idle_ms")?.map(span),
        used_at: row.get::<_, Option<i64>>("used_ms")?.map(Timestamp::from_millis),
        parent: row.get::<_, Option<String>>("parent")?.map(GrantId::new),
        emergency: maybe_json("emergency", row)?,
        report: maybe_json("report", row)?,
        delegated: maybe_json("delegated", row)?,
    })
}

/// `SQLite` counts in signed numbers.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0))
}

fn moment(column: &str, row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

pub(super) fn json(value: &impl Serialize) -> rusqlite::Result<String> {
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

fn maybe_json<T: DeserializeOwned>(column: &str, row: &Row<'_>) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    let read = |text: String| serde_json::from_str(&text).map_err(|error| unreadable(column, error));
    text.map(read).transpose()
}

fn from_word<T: DeserializeOwned>(column: &str, row: &Row<'_>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> rusqlite::Error {
    let what = format!("column `{column}` of `grants`: {error}");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
