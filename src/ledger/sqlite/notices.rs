//! Notices as rows of the file.

use rusqlite::{Connection, Row, named_params};

use super::rows::{COLUMNS, number, read};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, NoticeEvent};
use crate::ledger::outbox::{Claim, Letter, Notice, owed};

pub(super) fn owe(connection: &Connection, id: &GrantId, event: NoticeEvent, due: Timestamp) -> rusqlite::Result<()> {
    let ask = "INSERT OR IGNORE INTO notices (id, event, since_ms, due_ms) VALUES (?1, ?2, ?3, ?3)";
    connection.execute(ask, (id.as_str(), event.as_str(), due.as_millis()))?;
    Ok(())
}

/// Forgets what a change owed that is taken back; of what is gone by that, all.
pub(super) fn take_back(connection: &Connection, was: Option<&Grant>, written: &Grant) -> rusqlite::Result<()> {
    if was.is_none() {
        connection.execute("DELETE FROM notices WHERE id = ?1", [written.id.as_str()])?;
    }
    for (event, _) in owed(was, written) {
        let ask = "DELETE FROM notices WHERE id = ?1 AND event = ?2";
        connection.execute(ask, (written.id.as_str(), event.as_str()))?;
    }
    Ok(())
}

/// How much is to be told, and when there is something to do about it.
pub(super) fn outlook(connection: &Connection) -> rusqlite::Result<(u64, Option<Timestamp>)> {
    let ask = "SELECT count(*), min(max(due_ms, claimed_ms)) FROM notices";
    connection.query_row(ask, [], |row| {
        let next: Option<i64> = row.get(1)?;
        Ok((number(row, 0)?, next.map(Timestamp::from_millis)))
    })
}

/// The file belongs to one gateway: when it starts, nobody has claimed anything.
pub(super) fn unclaim(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE notices SET claimed_ms = 0 WHERE claimed_ms <> 0", [])?;
    Ok(())
}

pub(super) fn claim(connection: &Connection, claim: &Claim) -> rusqlite::Result<Vec<Notice>> {
    let ask = format!(
        "SELECT n.event, n.way, n.recipient, n.since_ms, n.tries, g.* FROM notices n \
         JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = n.id \
         WHERE n.due_ms <= :now AND n.claimed_ms <= :now ORDER BY n.due_ms, n.id, n.event, n.way, n.recipient LIMIT :most"
    );
    let mut statement = connection.prepare(&ask)?;
    let of = named_params! { ":now": claim.now.as_millis(), ":most": claim.most };
    let found = statement.query_map(of, read_notice)?;
    let notices: Vec<Notice> = found.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    for notice in &notices {
        let note = "UPDATE notices SET claimed_ms = ?5 WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
        let [way, to] = notice.addressee();
        let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
        connection.execute(note, (id, event, way, to, claim.until.as_millis()))?;
    }
    Ok(notices)
}

fn read_notice(row: &Row<'_>) -> rusqlite::Result<Option<Notice>> {
    let addressee = [row.get(1)?, row.get(2)?];
    let since = Timestamp::from_millis(row.get(3)?);
    let tries = u32::try_from(number(row, 4)?).unwrap_or(u32::MAX);
    let notice = Notice::read(read(row)?, &row.get::<_, String>(0)?, addressee);
    Ok(notice.map(|notice| Notice { since, tries, ..notice }))
}

/// Makes a letter of a notice; what is addressed twice is sent once.
pub(super) fn address(connection: &Connection, notice: &Notice, letter: &Letter) -> rusqlite::Result<()> {
    let ask =
        "INSERT OR IGNORE INTO notices (id, event, way, recipient, since_ms, due_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
    let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
    let since = notice.since.as_millis();
    connection.execute(ask, (id, event, &letter.way, &letter.to, since))?;
    Ok(())
}

pub(super) fn done(connection: &Connection, notice: &Notice) -> rusqlite::Result<()> {
    let ask = "DELETE FROM notices WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    let [way, to] = notice.addressee();
    connection.execute(ask, (notice.grant.id.as_str(), notice.event.as_str(), way, to))?;
    Ok(())
}

pub(super) fn again(connection: &Connection, notice: &Notice, due: Timestamp) -> rusqlite::Result<()> {
    let ask = "UPDATE notices SET due_ms = ?5, tries = tries + 1, claimed_ms = 0 \
               WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    let [way, to] = notice.addressee();
    let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
    connection.execute(ask, (id, event, way, to, due.as_millis()))?;
    Ok(())
}
