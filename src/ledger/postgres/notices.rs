//! Notices as rows of the database. Pure but for the connection it is handed.
//!
//! A change is the only one while it is made, whichever gateway makes it: so what one has claimed, no other claims.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::Trouble;
use super::rows::{COLUMNS, get, number, read, text};
use super::usage::brought;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, NoticeEvent, Occasion};
use crate::ledger::outbox::{About, Claim, Letter, Notice, PUT_OFF, name_of, owed, unreadable, week_named};
use crate::ledger::usage::Week;

/// Where one notice is.
const THIS: &str = "WHERE id = $1 AND event = $2 AND way = $3 AND recipient = $4";

/// Where these are.
const THESE: &str = "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS these (grant_id, what, on_way, whom) \
                     WHERE id = grant_id AND event = what AND way = on_way AND recipient = whom";

/// What a claim is after, due or not.
const WANTED: &str = "way <> ALL ($1) AND (way = ANY ($2) OR since_ms <= $3)";

/// Names many notices: of all the grant, of all the event, and so on.
type Places = [Vec<String>; 4];

pub(super) async fn owe_each(client: &Client, owed: &[(&GrantId, NoticeEvent, Timestamp)]) -> Result<(), Trouble> {
    let ask = "INSERT INTO notices (id, event, since_ms, due_ms) SELECT id, event, due, due \
               FROM unnest($1::text[], $2::text[], $3::bigint[]) AS owed (id, event, due) ON CONFLICT DO NOTHING";
    let ids: Vec<&str> = owed.iter().map(|(id, ..)| id.as_str()).collect();
    let events: Vec<&str> = owed.iter().map(|(_, event, _)| event.as_str()).collect();
    let due: Vec<i64> = owed.iter().map(|(.., due)| due.as_millis()).collect();
    client.execute(ask, &[&ids, &events, &due]).await?;
    Ok(())
}

/// A digest is written once, by one gateway, of each week of which something is told; what is asked of others, by a clock that is
/// ahead, say, leaves nothing behind.
pub(super) async fn owe_digest(client: &Client, week: Week, due: Timestamp) -> Result<(), Trouble> {
    let ask = "INSERT INTO digests (week) SELECT $1::bigint WHERE EXISTS (SELECT 1 FROM figures WHERE week = $1) \
               ON CONFLICT DO NOTHING";
    if client.execute(ask, &[&week.number()]).await? == 0 {
        return Ok(());
    }
    let ask = "INSERT INTO notices (id, event, since_ms, due_ms) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING";
    let (name, due) = (name_of(week), due.as_millis());
    client.execute(ask, &[&name, &Occasion::Digest.as_str(), &due]).await?;
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

/// How much is to be told, and whether there is something to do about what such a claim is after. Of what is asked of each grant one
/// day, only what is due is looked at: every second, so it must not take a look at each.
pub(super) async fn outlook(client: &Client, claim: &Claim) -> Result<(u64, bool), Trouble> {
    let asked = NoticeEvent::CameOfIt.as_str();
    let ask = format!(
        "SELECT (SELECT count(*) FROM notices WHERE event <> '{asked}') \
         + (SELECT count(*) FROM notices WHERE due_ms <= $4 AND event = '{asked}') AS waiting, \
         EXISTS (SELECT 1 FROM notices WHERE due_ms <= $4 AND claimed_ms <= $4 AND {WANTED}) AS is_due"
    );
    let (since, now) = (claim.forsaken.as_millis(), claim.now.as_millis());
    let of: [&(dyn ToSql + Sync); 4] = [&claim.busy, &claim.known, &since, &now];
    let row = client.query_one(&ask, &of).await?;
    Ok((number(get(&row, "waiting")?), get(&row, "is_due")?))
}

/// What the life before this one of the gateway had claimed is anybody's.
pub(super) async fn unclaim(client: &Client, gateway: &str) -> Result<(), Trouble> {
    let ask = "UPDATE notices SET claimed_ms = 0, gateway = NULL WHERE gateway = $1";
    client.execute(ask, &[&gateway]).await?;
    Ok(())
}

pub(super) async fn claim((client, gateway): (&Client, &str), claim: &Claim) -> Result<Vec<Notice>, Trouble> {
    let asked = NoticeEvent::CameOfIt.as_str();
    // what is asked of everybody on the same morning keeps nobody waiting who is to be told of something
    let ask = format!(
        "SELECT n.id AS of_grant, n.event, n.way, n.recipient, n.since_ms, n.tries, g.* FROM notices n \
         LEFT JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = n.id WHERE {WANTED} AND n.due_ms <= $4 \
         AND n.claimed_ms <= $4 ORDER BY n.event = '{asked}', n.due_ms, n.id, n.event, n.way, n.recipient LIMIT $5"
    );
    let (now, since, most) = (claim.now.as_millis(), claim.forsaken.as_millis(), i64::from(claim.most));
    let of: [&(dyn ToSql + Sync); 5] = [&claim.busy, &claim.known, &since, &now, &most];
    let (mut notices, mut claimed, mut unread) = (Vec::new(), Places::default(), Places::default());
    for row in client.query(&ask, &of).await? {
        let why = match read_notice(client, &row).await {
            Ok(notice) => {
                notices.push(notice);
                add(&mut claimed, &row)?;
                continue;
            }
            Err(trouble) => trouble.to_string(),
        };
        unreadable(get(&row, "of_grant")?, get(&row, "event")?, &why);
        add(&mut unread, &row)?;
    }
    let [ids, events, ways, to] = &claimed;
    if !ids.is_empty() {
        let ask = format!("UPDATE notices SET gateway = $5, claimed_ms = $6 {THESE}");
        let until = claim.until.as_millis();
        client.execute(&ask, &[ids, events, ways, to, &gateway, &until]).await?;
    }
    let [ids, events, ways, to] = &unread;
    if !ids.is_empty() {
        let ask = format!("UPDATE notices SET due_ms = $5 {THESE}");
        let due = claim.now.plus(PUT_OFF).as_millis();
        client.execute(&ask, &[ids, events, ways, to, &due]).await?;
    }
    Ok(notices)
}

fn add(places: &mut Places, row: &Row) -> Result<(), Trouble> {
    let named = ["of_grant", "event", "way", "recipient"];
    for (place, name) in places.iter_mut().zip(named) {
        place.push(text(row, name)?);
    }
    Ok(())
}

async fn read_notice(client: &Client, row: &Row) -> Result<Notice, Trouble> {
    let about = match Occasion::called(&text(row, "event")?) {
        Some(Occasion::Grant(event)) => About::Grant(Box::new(read(row)?), event),
        Some(Occasion::Digest) => {
            let week = week_named(&text(row, "of_grant")?).map_err(Trouble::Unreadable)?;
            About::Week(brought(client, week).await?)
        }
        None => return Err(Trouble::Unreadable("nobody knows that event here".to_owned())),
    };
    Ok(Notice {
        about,
        letter: Letter::read([text(row, "way")?, text(row, "recipient")?]),
        since: Timestamp::from_millis(get(row, "since_ms")?),
        tries: u32::try_from(number(get(row, "tries")?)).unwrap_or(u32::MAX),
    })
}

/// Makes a letter of a notice; what is addressed twice is sent once, also where it was sent in between.
pub(super) async fn address(client: &Client, notice: &Notice, letter: &Letter) -> Result<(), Trouble> {
    let ask = "INSERT INTO notices (id, event, way, recipient, since_ms, due_ms) \
               SELECT $1::text, $2::text, $3::text, $4::text, $5::bigint, $5::bigint WHERE EXISTS \
               (SELECT 1 FROM notices WHERE id = $1 AND event = $2 AND way = '' AND recipient = '') \
               ON CONFLICT DO NOTHING";
    let [id, event, ..] = notice.place();
    let since = notice.since.as_millis();
    client
        .execute(ask, &[&id, &event, &letter.way, &letter.to, &since])
        .await?;
    Ok(())
}

pub(super) async fn done(client: &Client, notice: &Notice) -> Result<(), Trouble> {
    let [id, event, way, to] = notice.place();
    let ask = format!("DELETE FROM notices {THIS}");
    client.execute(&ask, &[&id, &event, &way, &to]).await?;
    Ok(())
}

/// What is put off while it is nobody's yet is to be told from then on: what is too late to be tried again is counted from there.
pub(super) async fn again(client: &Client, notice: &Notice, due: Timestamp) -> Result<(), Trouble> {
    let [id, event, way, to] = notice.place();
    let ask = format!(
        "UPDATE notices SET due_ms = $5, tries = tries + 1, gateway = NULL, claimed_ms = 0, \
         since_ms = CASE WHEN way = '' THEN $5 ELSE since_ms END {THIS}"
    );
    client
        .execute(&ask, &[&id, &event, &way, &to, &due.as_millis()])
        .await?;
    Ok(())
}

/// Another gateway may have claimed it since: that stays.
pub(super) async fn release((client, gateway): (&Client, &str), notice: &Notice) -> Result<(), Trouble> {
    let [id, event, way, to] = notice.place();
    let ask = format!("UPDATE notices SET gateway = NULL, claimed_ms = 0 {THIS} AND gateway = $5");
    client.execute(&ask, &[&id, &event, &way, &to, &gateway]).await?;
    Ok(())
}
