//! Grants as rows of the database, and back. Pure but for the connection it is handed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, Row, Statement};

use super::{Trouble, notices};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantAct, GrantId, GrantState, PurposeId, SubjectId};
use crate::ledger::becoming::counts_from;
use crate::ledger::ending::{OnRecord, Untold};
use crate::ledger::promise::Leftover;
use crate::ledger::store::{Held, News};
use crate::ledger::tallies::Tally;
use crate::ledger::uses::same_but_for_use;
use crate::ledger::view::REMEMBERED;

pub(super) const COLUMNS: &str = "id, subject, purpose, platforms, covers, statement, ticket, channel, declared_ms, begins_ms, \
                       expires_ms, answer_by_ms, answers, continued, state, ended_ms, ended, came, idle_ms, used_ms, \
                        parent, emergency, report, reported_ms, delegated";

/// What was taken in an emergency and waits for its review.
const UNREVIEWED: &str = "emergency IS NOT NULL AND emergency::json ->> 'review' IS NULL";

/// One for each column, and for the change.
const VALUES: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                       $20, $21, $22, $23, $24, $25, $26";

/// INVARIANT: what waits and what is in force sorts first, and nobody has more of either than fits, so none of it is left
/// out: what is in force ends later than whatever is over. Of what waits, the span for which it was asked says nothing.
pub(super) async fn held(client: &Client) -> Result<Held, Trouble> {
    let ask = format!(
        "SELECT {COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY subject \
         ORDER BY (state = 'requested' \
         OR ({UNREVIEWED})) DESC, coalesce(ended_ms, expires_ms) DESC, id DESC) AS place FROM grants) AS ranked \
         WHERE place <= {REMEMBERED}"
    );
    let mut by_subject: BTreeMap<SubjectId, Vec<Grant>> = BTreeMap::new();
    for row in client.query(&ask, &[]).await? {
        let grant = read(&row)?;
        by_subject.entry(grant.subject.clone()).or_default().push(grant);
    }
    let mut tallies: BTreeMap<PurposeId, Tally> = BTreeMap::new();
    let ask = "SELECT purpose, state, count(*) FROM grants GROUP BY purpose, state";
    for row in client.query(ask, &[]).await? {
        let tally = tallies.entry(PurposeId::new(text(&row, "purpose")?)).or_default();
        tally.insert(from_word("state", &row)?, number(get(&row, "count")?));
    }
    let paces = super::usage::paces(client).await?;
    Ok(Held {
        by_subject,
        tallies,
        paces,
    })
}

/// What has changed after the change of that number; and the number of the last one.
pub(super) async fn news(client: &Client, seen: i64) -> Result<(Vec<News>, i64), Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE changed > $1 ORDER BY changed, id");
    let mut news = Vec::new();
    for row in client.query(&ask, &[&seen]).await? {
        news.push(match read(&row) {
            Ok(grant) => News::Is(Box::new(grant)),
            // it opens nothing here, and nothing that comes after it waits for it
            Err(trouble) => {
                let id = GrantId::new(text(&row, "id")?);
                tracing::error!(%trouble, grant = %id, "a grant of another gateway cannot be read, and is not known here");
                News::Gone(id)
            }
        });
    }
    let gone = "SELECT id FROM taken_back WHERE changed > $1 ORDER BY changed, id";
    for row in client.query(gone, &[&seen]).await? {
        news.push(News::Gone(GrantId::new(text(&row, "id")?)));
    }
    news.extend(super::tokens::news(client, seen).await?);
    Ok((news, last(client).await?))
}

/// The number of the last change.
pub(super) async fn last(client: &Client) -> Result<i64, Trouble> {
    let row = client.query_one("SELECT last FROM changes", &[]).await?;
    get(&row, "last")
}

pub(super) async fn write(client: &Client, grant: &Grant, change: i64) -> Result<(), Trouble> {
    write_each(client, &[grant], change).await
}

/// Sends them one after the other, and waits for the answers together.
pub(super) async fn write_each(client: &Client, grants: &[&Grant], change: i64) -> Result<(), Trouble> {
    let ask = format!(
        "INSERT INTO grants ({COLUMNS}, changed) VALUES ({VALUES}) \
         ON CONFLICT (id) DO UPDATE SET ({COLUMNS}, changed) = ROW ({VALUES})"
    );
    let statement = client.prepare(&ask).await?;
    let written = grants.iter().map(|grant| write_by(client, &statement, grant, change));
    try_join_all(written).await.map(drop)
}

async fn write_by(client: &Client, statement: &Statement, grant: &Grant, change: i64) -> Result<(), Trouble> {
    let (platforms, covers) = (json(&grant.platforms)?, json(&grant.covers)?);
    let (channel, state) = (word(&grant.channel)?, word(&grant.state)?);
    let answers = json(&grant.answers)?;
    let [continued, ended, came, emergency, report, delegated] = [
        grant.continued.as_ref().map(json).transpose()?,
        grant.ended.as_ref().map(json).transpose()?,
        grant.came.as_ref().map(json).transpose()?,
        grant.emergency.as_ref().map(json).transpose()?,
        grant.report.as_ref().map(json).transpose()?,
        grant.delegated.as_ref().map(json).transpose()?,
    ];
    let [declared, begins, expires] = [grant.declared_at, grant.not_before, grant.expires].map(Timestamp::as_millis);
    let [answer_by, ended_at, used_at] =
        [grant.answer_by, grant.ended_at, grant.used_at].map(|at| at.map(Timestamp::as_millis));
    let idle = grant
        .idle
        .map(|idle| i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
    let parent = grant.parent.as_ref().map(GrantId::as_str);
    let reported = grant.report.as_ref().map(|report| report.at.as_millis());
    let values: [&(dyn ToSql + Sync); 26] = [
        &grant.id.as_str(),
        &grant.subject.as_str(),
        &grant.purpose.as_str(),
        &platforms,
        &covers,
        &grant.statement,
        &grant.ticket,
        &channel,
        &declared,
        &begins,
        &expires,
        &answer_by,
        &answers,
        &continued,
        &state,
        &ended_at,
        &ended,
        &came,
        &idle,
        &used_at,
        &parent,
        &emergency,
        &report,
        &reported,
        &delegated,
        &change,
    ];
    client.execute(statement, &values).await?;
    Ok(())
}

/// When they were used last, as any gateway has seen it.
pub(super) async fn used(client: &Client, uses: &[(GrantId, Timestamp)], change: i64) -> Result<(), Trouble> {
    let ask = "UPDATE grants SET used_ms = at, changed = $3 FROM unnest($1::text[], $2::bigint[]) AS used (grant_id, at) \
               WHERE id = grant_id AND ended_ms IS NULL AND coalesce(used_ms, 0) < at";
    let (ids, at): (Vec<&str>, Vec<i64>) = uses.iter().map(|(id, at)| (id.as_str(), at.as_millis())).unzip();
    client.execute(ask, &[&ids, &at, &change]).await?;
    Ok(())
}

pub(super) async fn take_back(
    (client, gateway): (&Client, &str),
    written: &Grant,
    (was, untold): (Option<&Grant>, Option<GrantAct>),
    change: i64,
) -> Result<(), Trouble> {
    // where it was not kept, or somebody has made something else of it since, there is nothing to take back
    let found = find(client, &written.id).await?;
    if !found.is_some_and(|found| same_but_for_use(&found, written)) {
        return Ok(());
    }
    if let Some(act) = untold {
        told(client, gateway, &[(&written.id, act)]).await?;
    }
    notices::take_back(client, was, written).await?;
    if let Some(before) = was {
        return write(client, before, change).await;
    }
    let id = written.id.as_str();
    client.execute("DELETE FROM grants WHERE id = $1", &[&id]).await?;
    let note = "INSERT INTO taken_back (id, changed) VALUES ($1, $2)";
    client.execute(note, &[&id, &change]).await?;
    Ok(())
}

pub(super) async fn find_each(client: &Client, ids: &[&GrantId]) -> Result<Vec<Grant>, Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE id = ANY ($1)");
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let rows = client.query(&ask, &[&ids]).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn find(client: &Client, id: &GrantId) -> Result<Option<Grant>, Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE id = $1");
    let row = client.query_opt(&ask, &[&id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn beside(client: &Client, grant: &Grant) -> Result<usize, Trouble> {
    let (subject, from) = (grant.subject.as_str(), counts_from(grant).as_millis());
    let row = if grant.state == GrantState::Requested {
        // those included of which nobody has noticed yet that they lapsed: so that the view holds all of them
        let ask = "SELECT count(*) FROM grants WHERE subject = $1 AND state = 'requested'";
        client.query_one(ask, &[&subject]).await?
    } else {
        let ask = "SELECT count(*) FROM grants WHERE subject = $1 AND state = 'active' AND ended_ms IS NULL AND expires_ms > $2 \
                   AND (continued IS NOT NULL) = $3 AND (delegated IS NOT NULL) = $4";
        let [continued, delegated] = [grant.continued.is_some(), grant.delegated.is_some()];
        client
            .query_one(ask, &[&subject, &from, &continued, &delegated])
            .await?
    };
    Ok(usize::try_from(number(get(&row, "count")?)).unwrap_or(usize::MAX))
}

pub(super) async fn renewals(client: &Client, subject: &SubjectId, of: &GrantId) -> Result<Vec<Grant>, Trouble> {
    let ask =
        format!("SELECT {COLUMNS} FROM grants WHERE subject = $1 AND parent = $2 AND ended_ms IS NULL ORDER BY id");
    let rows = client.query(&ask, &[&subject.as_str(), &of.as_str()]).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn unreviewed(client: &Client, subject: &SubjectId) -> Result<usize, Trouble> {
    let ask = format!("SELECT count(*) FROM grants WHERE subject = $1 AND {UNREVIEWED}");
    let row = client.query_one(&ask, &[&subject.as_str()]).await?;
    Ok(usize::try_from(number(get(&row, "count")?)).unwrap_or(usize::MAX))
}

pub(super) async fn asked_alike(client: &Client, request: &Grant) -> Result<Vec<Grant>, Trouble> {
    let ask = format!(
        "SELECT {COLUMNS} FROM grants WHERE subject = $1 AND state = 'requested' AND purpose = $2 AND platforms = $3 \
         ORDER BY id"
    );
    let (subject, purpose) = (request.subject.as_str(), request.purpose.as_str());
    let rows = client
        .query(&ask, &[&subject, &purpose, &json(&request.platforms)?])
        .await?;
    rows.iter().map(read).collect()
}

/// Whether any gateway has promised it.
pub(super) async fn is_promised(client: &Client, id: &GrantId) -> Result<bool, Trouble> {
    let ask = "SELECT EXISTS (SELECT 1 FROM promises WHERE id = $1)";
    get(&client.query_one(ask, &[&id.as_str()]).await?, "exists")
}

pub(super) async fn promise(client: &Client, gateway: &str, grant: &Grant, segment: u64) -> Result<(), Trouble> {
    let ask = "INSERT INTO promises (id, gateway, segment, state, answers) VALUES ($1, $2, $3, $4, $5)";
    let (segment, state) = (i64::try_from(segment).unwrap_or(0), word(&grant.state)?);
    let answers = i64::try_from(grant.answers.len()).unwrap_or(0);
    client
        .execute(ask, &[&grant.id.as_str(), &gateway, &segment, &state, &answers])
        .await?;
    Ok(())
}

pub(super) async fn forget(client: &Client, gateway: &str, ids: &[&GrantId]) -> Result<(), Trouble> {
    let ask = "DELETE FROM promises WHERE id = ANY ($1) AND gateway = $2";
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    client.execute(ask, &[&ids, &gateway]).await?;
    Ok(())
}

pub(super) async fn ends(client: &Client, gateway: &str, ends: &[(&GrantId, &OnRecord)]) -> Result<(), Trouble> {
    let ask = "INSERT INTO untold (id, act, gateway, on_record) \
               SELECT id, act, $3, on_record FROM unnest($1::text[], $2::text[], $4::text[]) AS ends (id, act, on_record) \
               ON CONFLICT (id, act) DO UPDATE SET (gateway, on_record) = ROW (excluded.gateway, excluded.on_record)";
    let ids: Vec<&str> = ends.iter().map(|(id, _)| id.as_str()).collect();
    let acts: Vec<String> = ends.iter().map(|(_, one)| word(&one.act)).collect::<Result<_, _>>()?;
    let on_record: Vec<String> = ends.iter().map(|(_, one)| json(one)).collect::<Result<_, _>>()?;
    client.execute(ask, &[&ids, &acts, &gateway, &on_record]).await?;
    Ok(())
}

pub(super) async fn told(client: &Client, gateway: &str, told: &[(&GrantId, GrantAct)]) -> Result<(), Trouble> {
    let ask = "DELETE FROM untold USING unnest($1::text[], $2::text[]) AS told (grant_id, what) \
               WHERE id = grant_id AND act = what AND gateway = $3";
    let ids: Vec<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
    let acts: Vec<String> = told.iter().map(|(_, act)| word(act)).collect::<Result<_, _>>()?;
    client.execute(ask, &[&ids, &acts, &gateway]).await?;
    Ok(())
}

/// Whether any gateway has it to say.
pub(super) async fn is_untold(client: &Client, id: &GrantId, act: GrantAct) -> Result<bool, Trouble> {
    let ask = "SELECT EXISTS (SELECT 1 FROM untold WHERE id = $1 AND act = $2)";
    get(&client.query_one(ask, &[&id.as_str(), &word(&act)?]).await?, "exists")
}

pub(super) async fn untold(client: &Client, gateway: &str) -> Result<Vec<Untold>, Trouble> {
    let ask = format!(
        "SELECT u.on_record, g.* FROM untold u JOIN (SELECT {COLUMNS} FROM grants) g ON g.id = u.id \
         WHERE u.gateway = $1 ORDER BY g.id, u.act"
    );
    let mut untold = Vec::new();
    for row in client.query(&ask, &[&gateway]).await? {
        untold.push(Untold {
            grant: read(&row)?,
            on_record: from_json("on_record", &row)?,
        });
    }
    Ok(untold)
}

/// Whether they were kept is asked of the whole ledger: the view does not show every grant that is over.
pub(super) async fn promises(client: &Client, gateway: &str) -> Result<Vec<Leftover>, Trouble> {
    let ask = "SELECT id, segment, state, answers FROM promises WHERE gateway = $1 ORDER BY id";
    let mut left = Vec::new();
    for row in client.query(ask, &[&gateway]).await? {
        let id = GrantId::new(text(&row, "id")?);
        let is = find(client, &id).await?;
        let segment = number(get(&row, "segment")?);
        let answers = usize::try_from(number(get(&row, "answers")?)).unwrap_or(0);
        left.push(Leftover::of(
            id,
            segment,
            (from_word("state", &row)?, answers),
            is.as_ref(),
        ));
    }
    Ok(left)
}

pub(super) fn read(row: &Row) -> Result<Grant, Trouble> {
    let subject = text(row, "subject")?;
    let moment = |column| get(row, column).map(Timestamp::from_millis);
    let maybe = |column| get::<Option<i64>>(row, column).map(|at| at.map(Timestamp::from_millis));
    Ok(Grant {
        id: GrantId::new(text(row, "id")?),
        subject: SubjectId::parse(&subject).map_err(|error| unreadable("subject", error))?,
        purpose: PurposeId::new(text(row, "purpose")?),
        platforms: from_json("platforms", row)?,
        covers: from_json("covers", row)?,
        statement: text(row, "statement")?,
        ticket: get(row, "ticket")?,
        channel: from_word("channel", row)?,
        declared_at: moment("declared_ms")?,
        not_before: moment("begins_ms")?,
        expires: moment("expires_ms")?,
        answer_by: maybe("answer_by_ms")?,
        answers: from_json("answers", row)?,
        continued: maybe_json("continued", row)?,
        state: from_word("state", row)?,
        ended_at: maybe("ended_ms")?,
        ended: maybe_json("ended", row)?,
        came: maybe_json("came", row)?,
        idle: get::<Option<i64>>(row, "idle_ms")?.map(|millis| Duration::from_millis(number(millis))),
        used_at: maybe("used_ms")?,
        parent: get::<Option<String>>(row, "parent")?.map(GrantId::new),
        emergency: maybe_json("emergency", row)?,
        report: maybe_json("report", row)?,
        delegated: maybe_json("delegated", row)?,
    })
}

pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, Trouble> {
    Ok(row.try_get(column)?)
}

pub(super) fn text(row: &Row, column: &str) -> Result<String, Trouble> {
    get(row, column)
}

/// The database counts in signed numbers.
pub(super) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn json(value: &impl Serialize) -> Result<String, Trouble> {
    serde_json::to_string(value).map_err(|error| Trouble::Unreadable(error.to_string()))
}

/// The name of a variant, as records spell it.
fn word(value: &impl Serialize) -> Result<String, Trouble> {
    json(value).map(|quoted| quoted.trim_matches('"').to_owned())
}

pub(super) fn from_json<T: DeserializeOwned>(column: &str, row: &Row) -> Result<T, Trouble> {
    serde_json::from_str(&text(row, column)?).map_err(|error| unreadable(column, error))
}

fn maybe_json<T: DeserializeOwned>(column: &str, row: &Row) -> Result<Option<T>, Trouble> {
    let text: Option<String> = get(row, column)?;
    let read = |text: String| serde_json::from_str(&text).map_err(|error| unreadable(column, error));
    text.map(read).transpose()
}

fn from_word<T: DeserializeOwned>(column: &str, row: &Row) -> Result<T, Trouble> {
    serde_json::from_value(serde_json::Value::String(text(row, column)?)).map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> Trouble {
    Trouble::Unreadable(format!("column `{column}` of `grants`: {error}"))
}
