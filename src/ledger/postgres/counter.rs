//! What portals know alike, as rows of the database. Each question is one for itself, and portals ask on a connection of
//! their own (`desk.rs`): none waits for a change of grants, and none holds one up.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::rows::{get, text};
use super::{Postgres, Trouble, told};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, Secret, SubjectId, hex, unhex};
use crate::ledger::counter::{AtCounter, ENVELOPES_EACH, Envelope, FORGOTTEN_AT_ONCE, Over, Session, fresh_key};
use crate::ledger::error::LedgerError;

/// Whoever asks: the writer, and the desk of the portals, each on a connection of its own.
pub(super) trait Asks {
    fn client(&mut self) -> Result<Arc<Client>, LedgerError>;

    fn answer<T>(
        &mut self,
        client: &Arc<Client>,
        what: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, LedgerError>;
}

impl Asks for Postgres {
    fn client(&mut self) -> Result<Arc<Client>, LedgerError> {
        self.line.client()
    }

    fn answer<T>(
        &mut self,
        client: &Arc<Client>,
        what: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, LedgerError> {
        self.ask(client, what)
    }
}

impl<A: Asks> AtCounter for A {
    fn counter_key(&mut self) -> Result<Secret, LedgerError> {
        let (client, fresh) = (self.client()?, fresh_key()?);
        let key = async {
            let make = "INSERT INTO counter_key (key) VALUES ($1) ON CONFLICT DO NOTHING";
            client.execute(make, &[&fresh.reveal()]).await?;
            let row = client.query_one("SELECT key FROM counter_key", &[]).await?;
            Ok(Secret::new(text(&row, "key")?))
        };
        self.answer(&client, key)
    }

    fn spend(&mut self, token: &str, issued: Timestamp, forget: Timestamp) -> Result<bool, LedgerError> {
        let client = self.client()?;
        let spent = async {
            let spend = "INSERT INTO spent (token, issued_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            let first = client.execute(spend, &[&token, &issued.as_millis()]).await? == 1;
            // whoever else forgets at this moment is not waited for
            let over = "DELETE FROM spent WHERE token IN \
                        (SELECT token FROM spent WHERE issued_ms < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
            tidied(client.execute(over, &[&forget.as_millis(), &FORGOTTEN_AT_ONCE]).await);
            Ok(first)
        };
        self.answer(&client, spent)
    }

    fn begin_session(
        &mut self,
        session: &Session,
        instead_of: Option<&str>,
        (expired, most): (Timestamp, u32),
    ) -> Result<(), LedgerError> {
        let client = self.client()?;
        let who = session.who.as_str();
        let begun = async {
            // in its place: the one before ends also where nothing begins
            let before = "DELETE FROM sessions WHERE subject = $1 AND digest = $2 OR since_ms <= $3";
            client
                .execute(before, &[&who, &instead_of, &expired.as_millis()])
                .await?;
            let keep = "INSERT INTO sessions (digest, subject, since_ms, mark) VALUES ($1, $2, $3, $4)";
            let mark = session.mark.map(|mark| hex(mark.bytes()));
            let row: [&(dyn ToSql + Sync); 4] = [&session.digest, &who, &session.since.as_millis(), &mark];
            client.execute(keep, &row).await?;
            let oldest = "DELETE FROM sessions WHERE digest IN \
                          (SELECT digest FROM sessions WHERE subject = $1 AND digest <> $2 ORDER BY since_ms DESC OFFSET $3)";
            let others = i64::from(most.saturating_sub(1));
            client.execute(oldest, &[&who, &session.digest, &others]).await?;
            Ok(())
        };
        self.answer(&client, begun)
    }

    fn session(&mut self, who: &SubjectId, digest: &str) -> Result<Option<Session>, LedgerError> {
        let client = self.client()?;
        let found = async {
            let ask = "SELECT since_ms, mark FROM sessions WHERE subject = $1 AND digest = $2";
            let Some(row) = client.query_opt(ask, &[&who.as_str(), &digest]).await? else {
                return Ok(None);
            };
            let mark: Option<String> = get(&row, "mark")?;
            Ok(Some(Session {
                who: who.clone(),
                digest: digest.to_owned(),
                since: Timestamp::from_millis(get(&row, "since_ms")?),
                // what is no digest is that of no account
                mark: mark.map(|mark| AccountMark::new(unhex(&mark).unwrap_or_default())),
            }))
        };
        self.answer(&client, found)
    }

    fn end_session(&mut self, who: &SubjectId, digest: &str) -> Result<(), LedgerError> {
        let client = self.client()?;
        let ended = async {
            let ask = "DELETE FROM sessions WHERE subject = $1 AND digest = $2";
            client.execute(ask, &[&who.as_str(), &digest]).await?;
            Ok(())
        };
        self.answer(&client, ended)
    }

    fn end_sessions_of(&mut self, accounts: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError> {
        let client = self.client()?;
        let ended = async {
            let ask = "DELETE FROM sessions USING unnest($1::text[], $2::text[]) AS now (who, looks) \
                       WHERE subject = who AND mark IS NOT NULL AND mark IS DISTINCT FROM looks";
            let marks = accounts.iter().map(|(_, mark)| mark.map(|mark| hex(mark.bytes())));
            let marks: Vec<Option<String>> = marks.collect();
            let whose: Vec<&str> = accounts.iter().map(|(who, _)| who.as_str()).collect();
            client.execute(ask, &[&whose, &marks]).await?;
            Ok(())
        };
        self.answer(&client, ended)
    }

    fn put_envelopes(&mut self, envelopes: &[Envelope], forget: Timestamp) -> Result<(), LedgerError> {
        let client = self.client()?;
        self.answer(&client, put(&client, envelopes, forget))
    }

    fn envelopes_of(&mut self, who: &SubjectId, since: Timestamp) -> Result<Vec<Envelope>, LedgerError> {
        let client = self.client()?;
        let found = async {
            let ask = "SELECT kind, name, stays, at_ms, sealed FROM envelopes WHERE subject = $1 AND at_ms > $2 \
                       ORDER BY at_ms, kind, name";
            let rows = client.query(ask, &[&who.as_str(), &since.as_millis()]).await?;
            let read = |row: &Row| -> Result<Envelope, Trouble> {
                Ok(Envelope {
                    who: who.clone(),
                    kind: text(row, "kind")?,
                    name: text(row, "name")?,
                    stays: get(row, "stays")?,
                    at: Timestamp::from_millis(get(row, "at_ms")?),
                    sealed: get(row, "sealed")?,
                })
            };
            rows.iter().map(read).collect()
        };
        self.answer(&client, found)
    }

    fn forget_over(&mut self, over: Over) -> Result<bool, LedgerError> {
        let client = self.client()?;
        let over = [
            (
                "DELETE FROM spent WHERE token IN \
                 (SELECT token FROM spent WHERE issued_ms < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                over.spent,
            ),
            (
                "DELETE FROM sessions WHERE digest IN \
                 (SELECT digest FROM sessions WHERE since_ms <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                over.sessions,
            ),
            (OVER, over.envelopes),
        ];
        let forgotten = async {
            let mut most = 0;
            for (ask, before) in over {
                most = most.max(client.execute(ask, &[&before.as_millis(), &FORGOTTEN_AT_ONCE]).await?);
            }
            Ok(i64::try_from(most).is_ok_and(|most| most >= FORGOTTEN_AT_ONCE))
        };
        self.answer(&client, forgotten)
    }

    fn forget_envelope(&mut self, who: &SubjectId, (kind, name): (&str, &str)) -> Result<(), LedgerError> {
        let client = self.client()?;
        let forgotten = async {
            let ask = "DELETE FROM envelopes WHERE subject = $1 AND kind = $2 AND name = $3";
            client.execute(ask, &[&who.as_str(), &kind, &name]).await?;
            Ok(())
        };
        self.answer(&client, forgotten)
    }
}

/// Forgets envelopes that are over; those that somebody else forgets at this moment are not waited for.
const OVER: &str = "DELETE FROM envelopes WHERE (subject, kind, name) IN \
                    (SELECT subject, kind, name FROM envelopes WHERE at_ms < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Of each name the latest: a question writes no row twice. In one order, so that two gateways that keep the same never wait
/// for each other in a circle.
fn latest(envelopes: &[Envelope]) -> Vec<&Envelope> {
    let mut latest: BTreeMap<(&SubjectId, &str, &str), &Envelope> = BTreeMap::new();
    for one in envelopes {
        let kept = latest.entry((&one.who, &one.kind, &one.name)).or_insert(one);
        if kept.at <= one.at {
            *kept = one;
        }
    }
    latest.into_values().collect()
}

async fn put(client: &Client, envelopes: &[Envelope], forget: Timestamp) -> Result<(), Trouble> {
    let sorted = latest(envelopes);
    let of = |column: fn(&Envelope) -> &str| -> Vec<&str> { sorted.iter().map(|one| column(one)).collect() };
    let whose = of(|one| one.who.as_str());
    let stays: Vec<bool> = sorted.iter().map(|one| one.stays).collect();
    let at: Vec<i64> = sorted.iter().map(|one| one.at.as_millis()).collect();
    let sealed: Vec<&[u8]> = sorted.iter().map(|one| one.sealed.as_slice()).collect();
    let keep = "INSERT INTO envelopes (subject, kind, name, stays, at_ms, sealed) \
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[], $6::bytea[]) \
                ON CONFLICT (subject, kind, name) DO UPDATE SET \
                (stays, at_ms, sealed) = ROW (excluded.stays, excluded.at_ms, excluded.sealed) \
                WHERE envelopes.at_ms <= excluded.at_ms";
    let row: [&(dyn ToSql + Sync); 6] = [
        &whose,
        &of(|one| one.kind.as_str()),
        &of(|one| one.name.as_str()),
        &stays,
        &at,
        &sealed,
    ];
    client.execute(keep, &row).await?;
    // what another gateway keeps or forgets at this moment is not waited for, and what it has kept anew since it was counted
    // is not what was counted
    let too_many = "DELETE FROM envelopes WHERE (subject, kind, name) IN (SELECT e.subject, e.kind, e.name FROM envelopes e \
                    JOIN (SELECT subject, kind, name, at_ms, row_number() OVER \
                    (PARTITION BY subject, kind ORDER BY stays DESC, at_ms DESC, name DESC) AS nth FROM envelopes \
                    WHERE subject = ANY ($1)) AS counted USING (subject, kind, name) \
                    WHERE counted.nth > $2 AND e.at_ms = counted.at_ms \
                    ORDER BY e.subject, e.kind, e.name FOR UPDATE OF e SKIP LOCKED)";
    tidied(client.execute(too_many, &[&whose, &ENVELOPES_EACH]).await);
    tidied(client.execute(OVER, &[&forget.as_millis(), &FORGOTTEN_AT_ONCE]).await);
    Ok(())
}

/// What was asked for is kept by now: that nothing was forgotten with it changes no answer, and the next one forgets it.
fn tidied(forgotten: Result<u64, tokio_postgres::Error>) {
    if let Err(error) = forgotten {
        tracing::debug!(why = told(&error), "what is over is not forgotten yet");
    }
}
