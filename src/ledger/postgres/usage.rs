//! What was counted, and what is told of it, as rows of the database. Pure but for the connection it is handed.

use std::ops::RangeInclusive;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::rows::{COLUMNS, from_json, get, number, read, text};
use super::{AT_ONCE, InDatabase, Trouble, notices};
use crate::clock::Timestamp;
use crate::facts::{Answer, Grant, PlatformId, PurposeId, SubjectId};
use crate::ledger::adding::Through;
use crate::ledger::digest::Brought;
use crate::ledger::error::LedgerError;
use crate::ledger::figures::{Figure, Part};
use crate::ledger::store::Counting;
use crate::ledger::tallies::{LATELY, Paces};
use crate::ledger::usage::{Counted, Measure, Seat, Sums, Week};

const SUMS: &str = "count, bytes_up, bytes_down, millis";

/// The columns of sums, side by side.
#[derive(Default)]
struct Columns([Vec<i64>; 4]);

impl Columns {
    fn push(&mut self, sums: &Sums) {
        let numbers = [sums.count, sums.bytes_up, sums.bytes_down, sums.millis];
        for (column, number) in self.0.iter_mut().zip(numbers) {
            column.push(i64::try_from(number).unwrap_or(i64::MAX));
        }
    }
}

impl Counting for InDatabase<'_> {
    fn count(&mut self, counted: &Counted) -> Result<(), LedgerError> {
        let counted: Vec<_> = counted.iter().collect();
        let count = |some: &[_]| self.store.ask(&self.client, count(&self.client, some));
        counted.chunks(AT_ONCE).try_for_each(count)
    }

    fn counted_through(&mut self, week: Week) -> Result<Counted, LedgerError> {
        self.store.ask(&self.client, counted_through(&self.client, week))
    }

    fn forget_counted(&mut self, week: Week) -> Result<(), LedgerError> {
        self.store.ask(&self.client, forget_counted(&self.client, week))
    }

    fn reported(&mut self, from: Option<Timestamp>, until: Timestamp) -> Result<Vec<Grant>, LedgerError> {
        self.store.ask(&self.client, reported(&self.client, from, until))
    }

    fn settle_reports(&mut self, before: Timestamp, at_most: u32) -> Result<u64, LedgerError> {
        self.store
            .ask(&self.client, settle_reports(&self.client, before, at_most))
    }

    fn is_told(&mut self, week: Week, measure: Measure) -> Result<bool, LedgerError> {
        self.store.ask(&self.client, is_told(&self.client, week, measure))
    }

    fn tell(&mut self, figures: &[Figure]) -> Result<(), LedgerError> {
        let tell = |some: &[Figure]| self.store.ask(&self.client, tell(&self.client, some));
        figures.chunks(AT_ONCE).try_for_each(tell)
    }

    fn through(&mut self) -> Result<Through, LedgerError> {
        self.store.ask(&self.client, through(&self.client))
    }

    fn told_through(&mut self, through: Through) -> Result<(), LedgerError> {
        self.store.ask(&self.client, told_through(&self.client, through))
    }

    fn owe_digest(&mut self, week: Week, due: Timestamp) -> Result<(), LedgerError> {
        self.store
            .ask(&self.client, notices::owe_digest(&self.client, week, due))
    }
}

async fn count(client: &Client, counted: &[(&Seat, &Sums)]) -> Result<(), Trouble> {
    let ask = format!(
        "INSERT INTO counted (week, measure, purpose, platform, subject, department, {SUMS}) \
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
         $8::bigint[], $9::bigint[], $10::bigint[]) \
         ON CONFLICT (week, measure, purpose, platform, subject, department) DO UPDATE SET \
         count = counted.count + excluded.count, bytes_up = counted.bytes_up + excluded.bytes_up, \
         bytes_down = counted.bytes_down + excluded.bytes_down, millis = counted.millis + excluded.millis"
    );
    let of = |column: fn(&Seat) -> &str| -> Vec<&str> { counted.iter().map(|(seat, _)| column(seat)).collect() };
    let weeks: Vec<i64> = counted.iter().map(|(seat, _)| seat.week.number()).collect();
    let mut sums = Columns::default();
    for (_, one) in counted {
        sums.push(one);
    }
    let Columns([counts, up, down, millis]) = sums;
    let values: [&(dyn ToSql + Sync); 10] = [
        &weeks,
        &of(|seat| seat.measure.as_str()),
        &of(|seat| seat.purpose.as_str()),
        &of(|seat| seat.platform.as_ref().map_or("", PlatformId::as_str)),
        &of(|seat| seat.subject.as_str()),
        &of(|seat| seat.department.as_deref().unwrap_or_default()),
        &counts,
        &up,
        &down,
        &millis,
    ];
    client.execute(&ask, &values).await?;
    Ok(())
}

async fn counted_through(client: &Client, week: Week) -> Result<Counted, Trouble> {
    let ask =
        format!("SELECT week, measure, purpose, platform, subject, department, {SUMS} FROM counted WHERE week <= $1");
    let mut counted = Counted::new();
    for row in client.query(&ask, &[&week.number()]).await? {
        let subject = text(&row, "subject")?;
        let seat = Seat {
            week: Week::numbered(get(&row, "week")?),
            measure: measure(&row)?,
            purpose: PurposeId::new(text(&row, "purpose")?),
            platform: some(text(&row, "platform")?).map(PlatformId::new),
            subject: SubjectId::parse(&subject).map_err(|bad| Trouble::Unreadable(bad.to_string()))?,
            department: some(text(&row, "department")?),
        };
        counted.insert(seat, sums(&row)?);
    }
    Ok(counted)
}

async fn forget_counted(client: &Client, week: Week) -> Result<(), Trouble> {
    client
        .execute("DELETE FROM counted WHERE week <= $1", &[&week.number()])
        .await?;
    Ok(())
}

async fn reported(client: &Client, from: Option<Timestamp>, until: Timestamp) -> Result<Vec<Grant>, Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE reported_ms >= $1 AND reported_ms < $2");
    let from = from.map_or(i64::MIN, Timestamp::as_millis);
    let rows = client.query(&ask, &[&from, &until.as_millis()]).await?;
    rows.iter().map(read).collect()
}

async fn settle_reports(client: &Client, before: Timestamp, at_most: u32) -> Result<u64, Trouble> {
    // each gateway forgets it in its memory by itself: nobody needs to read the grants anew
    let settle = "UPDATE grants SET report = ((report::jsonb - 'amount' - 'text' - 'department') || '{\"settled\": true}'::jsonb)::text \
                  WHERE id IN (SELECT id FROM grants WHERE reported_ms < $1 AND report::jsonb -> 'settled' IS NULL \
                  AND NOT EXISTS (SELECT 1 FROM untold WHERE untold.id = grants.id AND untold.act = 'reported') LIMIT $2)";
    Ok(client
        .execute(settle, &[&before.as_millis(), &i64::from(at_most)])
        .await?)
}

async fn tell(client: &Client, figures: &[Figure]) -> Result<(), Trouble> {
    let ask = format!(
        "INSERT INTO figures (week, purpose, measure, part, name, people, {SUMS}) \
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], \
         $8::bigint[], $9::bigint[], $10::bigint[]) ON CONFLICT DO NOTHING"
    );
    let of = |column: fn(&Figure) -> &str| -> Vec<&str> { figures.iter().map(column).collect() };
    let weeks: Vec<i64> = figures.iter().map(|figure| figure.week.number()).collect();
    let people = figures.iter().map(|figure| figure.people);
    let people: Vec<Option<i64>> = people
        .map(|people| people.map(|people| i64::try_from(people).unwrap_or(i64::MAX)))
        .collect();
    let mut sums = Columns::default();
    for figure in figures {
        sums.push(&figure.sums);
    }
    let Columns([counts, up, down, millis]) = sums;
    let values: [&(dyn ToSql + Sync); 10] = [
        &weeks,
        &of(|figure| figure.purpose.as_str()),
        &of(|figure| figure.measure.as_str()),
        &of(|figure| figure.part.kind()),
        &of(|figure| figure.part.name().unwrap_or_default()),
        &people,
        &counts,
        &up,
        &down,
        &millis,
    ];
    client.execute(&ask, &values).await?;
    Ok(())
}

async fn is_told(client: &Client, week: Week, measure: Measure) -> Result<bool, Trouble> {
    let ask = "SELECT 1 FROM figures WHERE week = $1 AND measure = $2 LIMIT 1";
    let found = client.query_opt(ask, &[&week.number(), &measure.as_str()]).await?;
    Ok(found.is_some())
}

/// Each week is looked up by itself, as the key begins with it: nothing is read of other purposes.
pub(super) async fn figures(
    client: &Client,
    of: &PurposeId,
    weeks: &RangeInclusive<Week>,
) -> Result<Vec<Figure>, Trouble> {
    let ask = format!(
        "SELECT week, purpose, measure, part, name, people, {SUMS} FROM figures \
         WHERE week = ANY (ARRAY(SELECT generate_series($2::bigint, $3::bigint))) AND purpose = $1 \
         ORDER BY week, measure COLLATE \"C\", part COLLATE \"C\", name COLLATE \"C\""
    );
    let asked: [&(dyn ToSql + Sync); 3] = [&of.as_str(), &weeks.start().number(), &weeks.end().number()];
    let mut figures = Vec::new();
    for row in client.query(&ask, &asked).await? {
        figures.push(figure(&row)?);
    }
    Ok(figures)
}

/// What is told of that week and the one before it, of whole purposes.
pub(super) async fn brought(client: &Client, week: Week) -> Result<Brought, Trouble> {
    let ask = format!(
        "SELECT week, purpose, measure, part, name, people, {SUMS} FROM figures WHERE week IN ($1, $2) AND part = $3 \
         ORDER BY week, purpose COLLATE \"C\", measure COLLATE \"C\""
    );
    let asked: [&(dyn ToSql + Sync); 3] = [&week.number(), &week.before(1).number(), &Part::Whole.kind()];
    let mut figures = Vec::new();
    for row in client.query(&ask, &asked).await? {
        figures.push(figure(&row)?);
    }
    Ok(Brought { week, figures })
}

fn figure(row: &Row) -> Result<Figure, Trouble> {
    let kind = text(row, "part")?;
    let part = Part::of(&kind, some(text(row, "name")?));
    Ok(Figure {
        purpose: PurposeId::new(text(row, "purpose")?),
        week: Week::numbered(get(row, "week")?),
        measure: measure(row)?,
        part: part.ok_or_else(|| Trouble::Unreadable(format!("`{kind}` is no part")))?,
        people: get::<Option<i64>>(row, "people")?.map(number),
        sums: sums(row)?,
    })
}

/// What was asked for within so long before the latest that was answered, or before now where a clock was ahead then: an index
/// finds it.
pub(super) async fn paces(client: &Client) -> Result<Paces, Trouble> {
    let ask = "SELECT purpose, declared_ms, answers FROM grants WHERE answers <> '[]' \
               AND declared_ms >= least((SELECT max(declared_ms) FROM grants WHERE answers <> '[]'), \
               (extract(epoch FROM now()) * 1000)::bigint) - $1";
    let lately = i64::try_from(LATELY.as_millis()).unwrap_or(i64::MAX);
    let mut paces = Paces::default();
    for row in client.query(ask, &[&lately]).await? {
        let answers: Vec<Answer> = from_json("answers", &row)?;
        let asked = Timestamp::from_millis(get(&row, "declared_ms")?);
        paces.add(PurposeId::new(text(&row, "purpose")?), asked, &answers);
    }
    Ok(paces)
}

async fn through(client: &Client) -> Result<Through, Trouble> {
    let mut through = Through::default();
    for row in client.query("SELECT what, week FROM told_through", &[]).await? {
        let week = Some(Week::numbered(get(&row, "week")?));
        match &*text(&row, "what")? {
            "usage" => through.usage = week,
            "value" => through.value = week,
            other => return Err(Trouble::Unreadable(format!("`{other}` is not told"))),
        }
    }
    Ok(through)
}

async fn told_through(client: &Client, through: Through) -> Result<(), Trouble> {
    let ask =
        "INSERT INTO told_through (what, week) VALUES ($1, $2) ON CONFLICT (what) DO UPDATE SET week = excluded.week";
    for (what, week) in [("usage", through.usage), ("value", through.value)] {
        if let Some(week) = week {
            client.execute(ask, &[&what, &week.number()]).await?;
        }
    }
    Ok(())
}

fn measure(row: &Row) -> Result<Measure, Trouble> {
    let name = text(row, "measure")?;
    Measure::called(&name).ok_or_else(|| Trouble::Unreadable(format!("`{name}` is not measured")))
}

fn sums(row: &Row) -> Result<Sums, Trouble> {
    let sum = |column| get(row, column).map(number);
    Ok(Sums {
        count: sum("count")?,
        bytes_up: sum("bytes_up")?,
        bytes_down: sum("bytes_down")?,
        millis: sum("millis")?,
    })
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
