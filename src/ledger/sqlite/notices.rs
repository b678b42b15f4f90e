//! Notices as rows of the file.

use rusqlite::{Connection, Row, named_params};

use super::rows::{COLUMNS, json, number, read};
use super::usage::brought;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, NoticeEvent, Occasion};
use crate::ledger::outbox::{About, Claim, Letter, Notice, PUT_OFF, name_of, owed, unreadable, week_named};
use crate::ledger::usage::Week;

/// What a claim is after, due or not.
const WANTED: &str = "way NOT IN (SELECT value FROM json_each(:busy)) \
                      AND (way IN (SELECT value FROM json_each(:known)) OR since_ms <= :forsaken)";

pub(super) fn owe_each(connection: &Connection, owed: &[(&GrantId, NoticeEvent, Timestamp)]) -> rusqlite::Result<()> {
    let ask = "INSERT OR IGNORE INTO notices (id, event, since_ms, due_ms) VALUES (?1, ?2, ?3, ?3)";
    let mut statement = connection.prepare_cached(ask)?;
    for (id, event, due) in owed {
        statement.execute((id.as_str(), event.as_str(), due.as_millis()))?;
    }
    Ok(())
}

/// A digest is written once of each week of which something is told; what is asked of others, by a clock that is ahead, say, leaves
/// nothing behind.
pub(super) fn owe_digest(connection: &Connection, week: Week, due: Timestamp) -> rusqlite::Result<()> {
    let ask = "INSERT OR IGNORE INTO digests (week) SELECT ?1 WHERE EXISTS (SELECT 1 FROM figures WHERE week = ?1)";
    if connection.execute(ask, [week.number()])? == 0 {
        return Ok(());
    }
    let ask = "INSERT OR IGNORE INTO notices (id, event, since_ms, due_ms) VALUES (?1, ?2, ?3, ?3)";
    let what = (name_of(week), Occasion::Digest.as_str(), due.as_millis());
    connection.execute(ask, what)?;
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

/// How much is to be told, and whether there is something to do about what such a claim is after.
pub(super) fn outlook(connection: &Connection, claim: &Claim) -> rusqlite::Result<(u64, bool)> {
    let of = named_params! {
        ":now": claim.now.as_millis(), ":busy": json(&claim.busy)?, ":known": json(&claim.known)?,
        ":forsaken": claim.forsaken.as_millis(),
    };
    let mut statement = connection.prepare_cached(&asks_outlook())?;
    statement.query_row(of, |row| Ok((number(row, 0)?, row.get(1)?)))
}

/// Of what is asked of each grant one day, only what is due is looked at: every second, so it must not take a look at each.
fn asks_outlook() -> String {
    let asked = NoticeEvent::CameOfIt.as_str();
    format!(
        "SELECT (SELECT count(*) FROM notices WHERE event <> '{asked}') \
         + (SELECT count(*) FROM notices WHERE due_ms <= :now AND event = '{asked}'), \
         EXISTS (SELECT 1 FROM notices WHERE due_ms <= :now AND claimed_ms <= :now AND {WANTED})"
    )
}

/// The file belongs to one gateway: when it starts, nobody has claimed anything.
pub(super) fn unclaim(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE notices SET claimed_ms = 0 WHERE claimed_ms <> 0", [])?;
    Ok(())
}

pub(super) fn claim(connection: &Connection, claim: &Claim) -> rusqlite::Result<Vec<Notice>> {
    let (notices, unread) = find(connection, claim)?;
    let note = "UPDATE notices SET claimed_ms = ?5 WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    for notice in &notices {
        let [id, event, way, to] = notice.place();
        connection.execute(note, (id, event, way, to, claim.until.as_millis()))?;
    }
    let put_off = "UPDATE notices SET due_ms = ?5 WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    let due = claim.now.plus(PUT_OFF).as_millis();
    for [id, event, way, to] in &unread {
        connection.execute(put_off, (id, event, way, to, due))?;
    }
    Ok(notices)
}

/// What can be claimed; and of what cannot be read, where it is.
fn find(connection: &Connection, claim: &Claim) -> rusqlite::Result<(Vec<Notice>, Vec<[String; 4]>)> {
    let asked = NoticeEvent::CameOfIt.as_str();
    // what is asked of everybody on the same morning keeps nobody waiting who is to be told of something
    let ask = format!(
        "SELECT n.event, n.way, n.recipient, n.since_ms, n.tries, n.id AS of_grant, g.* FROM notices n \
         LEFT JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = n.id WHERE {WANTED} AND n.due_ms <= :now \
         AND n.claimed_ms <= :now ORDER BY n.event = '{asked}', n.due_ms, n.id, n.event, n.way, n.recipient LIMIT :most"
    );
    let mut statement = connection.prepare_cached(&ask)?;
    let mut rows = statement.query(named_params! {
        ":now": claim.now.as_millis(), ":most": claim.most, ":busy": json(&claim.busy)?,
        ":known": json(&claim.known)?, ":forsaken": claim.forsaken.as_millis(),
    })?;
    let (mut notices, mut unread) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let why = match read_notice(connection, row) {
            Ok(Ok(notice)) => {
                notices.push(notice);
                continue;
            }
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        let place: [String; 4] = [row.get(5)?, row.get(0)?, row.get(1)?, row.get(2)?];
        let [id, event, ..] = &place;
        unreadable(id, event, &why);
        unread.push(place);
    }
    Ok((notices, unread))
}

/// A notice, or why it cannot be told.
fn read_notice(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Result<Notice, String>> {
    let about = match Occasion::called(&row.get::<_, String>(0)?) {
        Some(Occasion::Grant(event)) => About::Grant(Box::new(read(row)?), event),
        Some(Occasion::Digest) => match week_named(&row.get::<_, String>(5)?) {
            Ok(week) => About::Week(brought(connection, week)?),
            Err(why) => return Ok(Err(why)),
        },
        None => return Ok(Err("nobody knows that event here".to_owned())),
    };
    Ok(Ok(Notice {
        about,
        letter: Letter::read([row.get(1)?, row.get(2)?]),
        since: Timestamp::from_millis(row.get(3)?),
        tries: u32::try_from(number(row, 4)?).unwrap_or(u32::MAX),
    }))
}

/// Makes a letter of a notice; what is addressed twice is sent once, also where it was sent in between.
pub(super) fn address(connection: &Connection, notice: &Notice, letter: &Letter) -> rusqlite::Result<()> {
    let ask = "INSERT OR IGNORE INTO notices (id, event, way, recipient, since_ms, due_ms) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?5 WHERE EXISTS \
               (SELECT 1 FROM notices WHERE id = ?1 AND event = ?2 AND way = '' AND recipient = '')";
    let [id, event, ..] = notice.place();
    let since = notice.since.as_millis();
    connection.execute(ask, (id, event, &letter.way, &letter.to, since))?;
    Ok(())
}

pub(super) fn done(connection: &Connection, notice: &Notice) -> rusqlite::Result<()> {
    let ask = "DELETE FROM notices WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    connection.execute(ask, notice.place())?;
    Ok(())
}

/// What is put off while it is nobody's yet is to be told from then on: what is too late to be tried again is counted from there.
pub(super) fn again(connection: &Connection, notice: &Notice, due: Timestamp) -> rusqlite::Result<()> {
    let ask = "UPDATE notices SET due_ms = ?5, tries = tries + 1, claimed_ms = 0, \
               since_ms = CASE WHEN way = '' THEN ?5 ELSE since_ms END \
               WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    let [id, event, way, to] = notice.place();
    connection.execute(ask, (id, event, way, to, due.as_millis()))?;
    Ok(())
}

pub(super) fn release(connection: &Connection, notice: &Notice) -> rusqlite::Result<()> {
    let ask = "UPDATE notices SET claimed_ms = 0 WHERE id = ?1 AND event = ?2 AND way = ?3 AND recipient = ?4";
    connection.execute(ask, notice.place())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_found_without_a_look_at_each_notice() {
        let connection = Connection::open_in_memory().unwrap();
        for text in [
            include_str!("migrations/015_notices.sql"),
            include_str!("migrations/024_outlook.sql"),
        ] {
            connection.execute_batch(text).unwrap();
        }
        let ask = format!("EXPLAIN QUERY PLAN {}", asks_outlook());
        let mut statement = connection.prepare(&ask).unwrap();
        let of = named_params! { ":now": 1, ":busy": "[]", ":known": "[]", ":forsaken": 1 };
        let steps = statement.query_map(of, |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        let of_notices: Vec<&String> = steps.iter().filter(|step| step.contains("notices")).collect();
        assert_eq!(of_notices.len(), 3, "{steps:#?}");
        for step in of_notices {
            assert!(step.contains("notices_waiting") || step.contains("SEARCH"), "{step}");
        }
    }
}
