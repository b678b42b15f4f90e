//! Notices as rows of the database. Pure but for the connection it is handed.
//!
//! A change is the only one while it is made, whichever gateway makes it: so what one has claimed, no other claims.

use tokio_postgres::{Client, Row};

use super::Trouble;
use super::rows::{COLUMNS, get, number, read, text};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, NoticeEvent};
use crate::ledger::outbox::{Claim, Letter, Notice, owed};

/// Where one notice is.
const THIS: &str = "WHERE id = $1 AND event = $2 AND way = $3 AND recipient = $4";

pub(super) async fn owe(client: &Client, id: &GrantId, event: NoticeEvent, due: Timestamp) -> Result<(), Trouble> {
    let ask = "INSERT INTO notices (id, event, since_ms, due_ms) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING";
    let (id, event) = (id.as_str(), event.as_str());
    client.execute(ask, &[&id, &event, &due.as_millis()]).await?;
    Ok(())
}

/// Forgets what a change owed that is taken back; of what is gone by that, all.
pub(super) async fn take_back(client: &Client, was: Option<&Grant>, written: &Grant) -> Result<(), Trouble> {
    if was.is_none() {
        let ask = "DELETE FROM notices WHERE id = $1";
        client.execute(ask, &[&written.id.as_str()]).await?;
    }
    for (event, _) in owed(was, written) {
        let ask = "DELETE FROM notices WHERE id = $1 AND event = $2";
        client.execute(ask, &[&written.id.as_str(), &event.as_str()]).await?;
    }
    Ok(())
}

/// How much is to be told, and when there is something to do about it.
pub(super) async fn outlook(client: &Client) -> Result<(u64, Option<Timestamp>), Trouble> {
    let ask = "SELECT count(*) AS waiting, min(greatest(due_ms, claimed_ms)) AS next FROM notices";
    let row = client.query_one(ask, &[]).await?;
    let next: Option<i64> = get(&row, "next")?;
    Ok((number(get(&row, "waiting")?), next.map(Timestamp::from_millis)))
}

/// What the life before this one of the gateway had claimed is anybody's.
pub(super) async fn unclaim(client: &Client, gateway: &str) -> Result<(), Trouble> {
    let ask = "UPDATE notices SET claimed_ms = 0, gateway = NULL WHERE gateway = $1";
    client.execute(ask, &[&gateway]).await?;
    Ok(())
}

pub(super) async fn claim((client, gateway): (&Client, &str), claim: &Claim) -> Result<Vec<Notice>, Trouble> {
    let ask = format!(
        "SELECT n.event, n.way, n.recipient, n.since_ms, n.tries, g.* FROM notices n \
         JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = n.id \
         WHERE n.due_ms <= $1 AND n.claimed_ms <= $1 ORDER BY n.due_ms, n.id, n.event, n.way, n.recipient LIMIT $2"
    );
    let (now, until, most) = (claim.now.as_millis(), claim.until.as_millis(), i64::from(claim.most));
    let mut notices = Vec::new();
    for row in client.query(&ask, &[&now, &most]).await? {
        notices.extend(read_notice(&row)?);
    }
    let note = format!("UPDATE notices SET gateway = $5, claimed_ms = $6 {THIS}");
    for notice in &notices {
        let [way, to] = notice.addressee();
        let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
        client
            .execute(&note, &[&id, &event, &way, &to, &gateway, &until])
            .await?;
    }
    Ok(notices)
}

fn read_notice(row: &Row) -> Result<Option<Notice>, Trouble> {
    let addressee = [text(row, "way")?, text(row, "recipient")?];
    let since = Timestamp::from_millis(get(row, "since_ms")?);
    let tries = u32::try_from(number(get(row, "tries")?)).unwrap_or(u32::MAX);
    let notice = Notice::read(read(row)?, &text(row, "event")?, addressee);
    Ok(notice.map(|notice| Notice { since, tries, ..notice }))
}

/// Makes a letter of a notice; what is addressed twice is sent once.
pub(super) async fn address(client: &Client, notice: &Notice, letter: &Letter) -> Result<(), Trouble> {
    let ask = "INSERT INTO notices (id, event, way, recipient, since_ms, due_ms) VALUES ($1, $2, $3, $4, $5, $5) \
               ON CONFLICT DO NOTHING";
    let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
    let since = notice.since.as_millis();
    client
        .execute(ask, &[&id, &event, &letter.way, &letter.to, &since])
        .await?;
    Ok(())
}

pub(super) async fn done(client: &Client, notice: &Notice) -> Result<(), Trouble> {
    let [way, to] = notice.addressee();
    let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
    let ask = format!("DELETE FROM notices {THIS}");
    client.execute(&ask, &[&id, &event, &way, &to]).await?;
    Ok(())
}

pub(super) async fn again(client: &Client, notice: &Notice, due: Timestamp) -> Result<(), Trouble> {
    let [way, to] = notice.addressee();
    let (id, event) = (notice.grant.id.as_str(), notice.event.as_str());
    let ask = format!("UPDATE notices SET due_ms = $5, tries = tries + 1, gateway = NULL, claimed_ms = 0 {THIS}");
    client
        .execute(&ask, &[&id, &event, &way, &to, &due.as_millis()])
        .await?;
    Ok(())
}
