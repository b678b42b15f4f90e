//! What a portal knows of the people who come to it, beside the file: in memory, where it ends with the gateway.

use rusqlite::{Connection, OptionalExtension, Result as Found, params};

use super::unavailable;
use crate::clock::Timestamp;
use crate::facts::{AccountMark, Secret, SubjectId, hex, unhex};
use crate::ledger::counter::{AtCounter, ENVELOPES_EACH, Envelope, Over, Session, fresh_key};
use crate::ledger::error::LedgerError;

/// How many spent tokens are remembered, and how many envelopes. An older token would have to be sent again within the hour
/// by its own person.
const MOST: i64 = 16_384;

const TABLES: &str = "\
    CREATE TABLE spent (token TEXT NOT NULL UNIQUE, issued_ms INTEGER NOT NULL) STRICT; \
    CREATE INDEX spent_by_time ON spent (issued_ms); \
    CREATE TABLE sessions (digest TEXT NOT NULL PRIMARY KEY, subject TEXT NOT NULL, since_ms INTEGER NOT NULL, mark TEXT) \
      STRICT; \
    CREATE INDEX sessions_by_subject ON sessions (subject); \
    CREATE TABLE envelopes (subject TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, stays INTEGER NOT NULL, \
      at_ms INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (subject, kind, name)) STRICT; \
    CREATE INDEX envelopes_by_time ON envelopes (at_ms);";

/// Tables in memory.
pub(super) struct InMemory {
    connection: Connection,
}

impl InMemory {
    pub(super) fn open() -> Found<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection })
    }
}

impl AtCounter for InMemory {
    fn counter_key(&mut self) -> Result<Secret, LedgerError> {
        fresh_key()
    }

    fn spend(&mut self, token: &str, issued: Timestamp, forget: Timestamp) -> Result<bool, LedgerError> {
        let spend = || -> Found<bool> {
            let row = params![token, issued.as_millis()];
            let ask = "INSERT OR IGNORE INTO spent (token, issued_ms) VALUES (?1, ?2)";
            let first = self.connection.execute(ask, row)? == 1;
            let over = "DELETE FROM spent WHERE issued_ms < ?1 OR rowid <= (SELECT max(rowid) FROM spent) - ?2";
            let forgotten = self.connection.execute(over, params![forget.as_millis(), MOST]);
            // the token is spent whether others are forgotten or not
            if let Err(error) = forgotten {
                tracing::debug!(%error, "what is over is not forgotten yet");
            }
            Ok(first)
        };
        spend().map_err(|error| unavailable(&error))
    }

    fn begin_session(
        &mut self,
        session: &Session,
        instead_of: Option<&str>,
        (expired, most): (Timestamp, u32),
    ) -> Result<(), LedgerError> {
        let who = session.who.as_str();
        let begin = || -> Found<()> {
            let before = "DELETE FROM sessions WHERE subject = ?1 AND digest = ?2 OR since_ms <= ?3";
            self.connection
                .execute(before, params![who, instead_of, expired.as_millis()])?;
            let keep = "INSERT INTO sessions (digest, subject, since_ms, mark) VALUES (?1, ?2, ?3, ?4)";
            let mark = session.mark.map(|mark| hex(mark.bytes()));
            self.connection
                .execute(keep, params![session.digest, who, session.since.as_millis(), mark])?;
            let oldest = "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE subject = ?1 \
                          AND digest <> ?2 ORDER BY since_ms DESC LIMIT -1 OFFSET ?3)";
            let others = i64::from(most.saturating_sub(1));
            self.connection.execute(oldest, params![who, session.digest, others])?;
            Ok(())
        };
        begin().map_err(|error| unavailable(&error))
    }

    fn session(&mut self, who: &SubjectId, digest: &str) -> Result<Option<Session>, LedgerError> {
        let ask = "SELECT since_ms, mark FROM sessions WHERE subject = ?1 AND digest = ?2";
        let read = |row: &rusqlite::Row<'_>| -> Found<(i64, Option<String>)> { Ok((row.get(0)?, row.get(1)?)) };
        let found = self.connection.query_row(ask, params![who.as_str(), digest], read);
        let found = found.optional().map_err(|error| unavailable(&error))?;
        Ok(found.map(|(since, mark)| Session {
            who: who.clone(),
            digest: digest.to_owned(),
            since: Timestamp::from_millis(since),
            mark: mark.map(|mark| AccountMark::new(unhex(&mark).unwrap_or_default())),
        }))
    }

    fn end_session(&mut self, who: &SubjectId, digest: &str) -> Result<(), LedgerError> {
        let ask = "DELETE FROM sessions WHERE subject = ?1 AND digest = ?2";
        let ended = self.connection.execute(ask, params![who.as_str(), digest]);
        ended.map(drop).map_err(|error| unavailable(&error))
    }

    fn end_sessions_of(&mut self, accounts: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError> {
        let ask = "DELETE FROM sessions WHERE subject = ?1 AND mark IS NOT NULL AND mark IS NOT ?2";
        let mut each = accounts.iter();
        each.try_for_each(|(who, mark)| {
            let looks = mark.map(|mark| hex(mark.bytes()));
            self.connection.execute(ask, params![who.as_str(), looks]).map(drop)
        })
        .map_err(|error| unavailable(&error))
    }

    fn put_envelopes(&mut self, envelopes: &[Envelope], forget: Timestamp) -> Result<(), LedgerError> {
        let put = || -> Found<()> {
            for one in envelopes {
                put_one(&self.connection, one)?;
            }
            // the oldest by what they are about: one that took the place of another is where that was
            let over = "DELETE FROM envelopes WHERE at_ms < ?1 OR rowid IN (SELECT rowid FROM envelopes ORDER BY at_ms \
                        LIMIT max(0, (SELECT count(*) FROM envelopes) - ?2))";
            self.connection.execute(over, params![forget.as_millis(), MOST])?;
            Ok(())
        };
        put().map_err(|error| unavailable(&error))
    }

    fn envelopes_of(&mut self, who: &SubjectId, since: Timestamp) -> Result<Vec<Envelope>, LedgerError> {
        let find = || -> Found<Vec<Envelope>> {
            let ask = "SELECT kind, name, stays, at_ms, sealed FROM envelopes WHERE subject = ?1 AND at_ms > ?2 \
                       ORDER BY at_ms, kind, name";
            let mut statement = self.connection.prepare(ask)?;
            let rows = statement.query_map(params![who.as_str(), since.as_millis()], |row| {
                Ok(Envelope {
                    who: who.clone(),
                    kind: row.get(0)?,
                    name: row.get(1)?,
                    stays: row.get(2)?,
                    at: Timestamp::from_millis(row.get(3)?),
                    sealed: row.get(4)?,
                })
            })?;
            rows.collect()
        };
        find().map_err(|error| unavailable(&error))
    }

    fn forget_over(&mut self, over: Over) -> Result<bool, LedgerError> {
        let over = [
            ("DELETE FROM spent WHERE issued_ms < ?1", over.spent),
            ("DELETE FROM sessions WHERE since_ms <= ?1", over.sessions),
            ("DELETE FROM envelopes WHERE at_ms < ?1", over.envelopes),
        ];
        let forget = |(ask, before): &(&str, Timestamp)| self.connection.execute(ask, params![before.as_millis()]);
        let forgotten = over.iter().try_for_each(|one| forget(one).map(drop));
        forgotten.map(|()| false).map_err(|error| unavailable(&error))
    }

    fn forget_envelope(&mut self, who: &SubjectId, (kind, name): (&str, &str)) -> Result<(), LedgerError> {
        let ask = "DELETE FROM envelopes WHERE subject = ?1 AND kind = ?2 AND name = ?3";
        let forgotten = self.connection.execute(ask, params![who.as_str(), kind, name]);
        forgotten.map(drop).map_err(|error| unavailable(&error))
    }
}

fn put_one(connection: &Connection, one: &Envelope) -> Found<()> {
    let keep = "INSERT INTO envelopes (subject, kind, name, stays, at_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                ON CONFLICT (subject, kind, name) DO UPDATE SET (stays, at_ms, sealed) = \
                (excluded.stays, excluded.at_ms, excluded.sealed) WHERE at_ms <= excluded.at_ms";
    let who = one.who.as_str();
    let row = params![who, one.kind, one.name, one.stays, one.at.as_millis(), one.sealed];
    connection.execute(keep, row)?;
    let too_many = "DELETE FROM envelopes WHERE rowid IN (SELECT rowid FROM envelopes WHERE subject = ?1 AND kind = ?2 \
                    ORDER BY stays DESC, at_ms DESC, name DESC LIMIT -1 OFFSET ?3)";
    connection.execute(too_many, params![who, one.kind, ENVELOPES_EACH])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nth: i64, at: i64) -> Envelope {
        Envelope {
            who: SubjectId::parse(&format!("p{nth}")).unwrap(),
            kind: "draft".to_owned(),
            name: "x".to_owned(),
            stays: false,
            at: Timestamp::from_millis(at),
            sealed: Vec::new(),
        }
    }

    fn is_kept(counter: &mut InMemory, nth: i64) -> bool {
        let since = Timestamp::from_millis(-1);
        !counter.envelopes_of(&of(nth, 0).who, since).unwrap().is_empty()
    }

    #[test]
    fn a_token_is_spent_also_where_those_that_are_over_cannot_be_forgotten() {
        let mut counter = InMemory::open().unwrap();
        let at = Timestamp::from_millis;
        assert!(counter.spend("over", at(0), at(0)).unwrap());
        let stuck = "CREATE TRIGGER stuck BEFORE DELETE ON spent BEGIN SELECT RAISE(FAIL, 'stuck'); END";
        counter.connection.execute_batch(stuck).unwrap();
        assert!(counter.spend("new", at(9), at(5)).unwrap());
        assert!(!counter.spend("new", at(9), at(5)).unwrap());
    }

    #[test]
    fn an_envelope_that_was_renewed_outlives_those_that_are_older_by_now() {
        let mut counter = InMemory::open().unwrap();
        let mut put = |all: Vec<Envelope>| counter.put_envelopes(&all, Timestamp::from_millis(0)).unwrap();
        put((0..MOST).map(|nth| of(nth, nth)).collect());
        put(vec![of(0, MOST)]);
        put(vec![of(MOST, MOST + 1), of(MOST + 1, MOST + 2)]);
        assert!(is_kept(&mut counter, 0), "it is one of the latest");
        assert!(
            !is_kept(&mut counter, 1) && !is_kept(&mut counter, 2),
            "these are the oldest"
        );
        assert!(is_kept(&mut counter, 3) && is_kept(&mut counter, MOST + 1));
    }

    #[test]
    fn somebody_whose_envelopes_are_renewed_often_pushes_out_nobody_elses() {
        let mut counter = InMemory::open().unwrap();
        let first = vec![of(1, 1)];
        counter.put_envelopes(&first, Timestamp::from_millis(0)).unwrap();
        for at in 2..200 {
            let many = (0..100).map(|name| Envelope {
                name: format!("{at} {name}"),
                ..of(0, at)
            });
            let many: Vec<Envelope> = many.collect();
            counter.put_envelopes(&many, Timestamp::from_millis(0)).unwrap();
        }
        assert!(is_kept(&mut counter, 1));
    }
}
