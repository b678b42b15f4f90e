//! What was counted, and what is told of it, as rows of the ledger. Pure but for the connection it is handed.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, Row};

use super::rows::{COLUMNS, read};
use super::{OnDisk, notices, unavailable};
use crate::clock::Timestamp;
use crate::facts::{Grant, PlatformId, PurposeId, SubjectId};
use crate::ledger::adding::Through;
use crate::ledger::digest::Brought;
use crate::ledger::error::LedgerError;
use crate::ledger::figures::{Figure, Part};
use crate::ledger::store::Counting;
use crate::ledger::usage::{Counted, Measure, Seat, Sums, Week};

const SUMS: &str = "count, bytes_up, bytes_down, millis";

impl Counting for OnDisk<'_> {
    fn count(&mut self, counted: &Counted) -> Result<(), LedgerError> {
        count(&self.transaction, counted).map_err(|error| unavailable(&error))
    }

    fn counted_through(&mut self, week: Week) -> Result<Counted, LedgerError> {
        counted_through(&self.transaction, week).map_err(|error| unavailable(&error))
    }

    fn forget_counted(&mut self, week: Week) -> Result<(), LedgerError> {
        forget_counted(&self.transaction, week).map_err(|error| unavailable(&error))
    }

    fn reported(&mut self, from: Option<Timestamp>, until: Timestamp) -> Result<Vec<Grant>, LedgerError> {
        reported(&self.transaction, from, until).map_err(|error| unavailable(&error))
    }

    fn settle_reports(&mut self, before: Timestamp, at_most: u32) -> Result<u64, LedgerError> {
        settle_reports(&self.transaction, before, at_most).map_err(|error| unavailable(&error))
    }

    fn is_told(&mut self, week: Week, measure: Measure) -> Result<bool, LedgerError> {
        is_told(&self.transaction, week, measure).map_err(|error| unavailable(&error))
    }

    fn tell(&mut self, figures: &[Figure]) -> Result<(), LedgerError> {
        tell(&self.transaction, figures).map_err(|error| unavailable(&error))
    }

    fn through(&mut self) -> Result<Through, LedgerError> {
        through(&self.transaction).map_err(|error| unavailable(&error))
    }

    fn told_through(&mut self, through: Through) -> Result<(), LedgerError> {
        told_through(&self.transaction, through).map_err(|error| unavailable(&error))
    }

    fn owe_digest(&mut self, week: Week, due: Timestamp) -> Result<(), LedgerError> {
        notices::owe_digest(&self.transaction, week, due).map_err(|error| unavailable(&error))
    }
}

fn count(connection: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    let ask = format!(
        "INSERT INTO counted (week, measure, purpose, platform, subject, department, {SUMS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET count = count + excluded.count, \
         bytes_up = bytes_up + excluded.bytes_up, bytes_down = bytes_down + excluded.bytes_down, \
         millis = millis + excluded.millis"
    );
    let mut statement = connection.prepare_cached(&ask)?;
    for (seat, sums) in counted {
        let [count, up, down, millis] = signed(sums);
        statement.execute((
            seat.week.number(),
            seat.measure.as_str(),
            seat.purpose.as_str(),
            seat.platform.as_ref().map_or("", PlatformId::as_str),
            seat.subject.as_str(),
            seat.department.as_deref().unwrap_or_default(),
            count,
            up,
            down,
            millis,
        ))?;
    }
    Ok(())
}

fn counted_through(connection: &Connection, week: Week) -> rusqlite::Result<Counted> {
    let ask =
        format!("SELECT week, measure, purpose, platform, subject, department, {SUMS} FROM counted WHERE week <= ?1");
    let mut statement = connection.prepare(&ask)?;
    let rows = statement.query_map([week.number()], |row| {
        let subject: String = row.get("subject")?;
        let seat = Seat {
            week: Week::numbered(row.get("week")?),
            measure: measure(row)?,
            purpose: PurposeId::new(row.get::<_, String>("purpose")?),
            platform: some(row.get("platform")?).map(PlatformId::new),
            subject: SubjectId::parse(&subject).map_err(|bad| unreadable(bad.to_string()))?,
            department: some(row.get("department")?),
        };
        Ok((seat, sums(row)?))
    })?;
    rows.collect()
}

fn forget_counted(connection: &Connection, week: Week) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM counted WHERE week <= ?1", [week.number()])?;
    Ok(())
}

fn reported(connection: &Connection, from: Option<Timestamp>, until: Timestamp) -> rusqlite::Result<Vec<Grant>> {
    let ask = format!("SELECT {COLUMNS} FROM grants WHERE reported_ms >= ?1 AND reported_ms < ?2");
    let from = from.map_or(i64::MIN, Timestamp::as_millis);
    let mut statement = connection.prepare(&ask)?;
    statement.query_map((from, until.as_millis()), read)?.collect()
}

fn settle_reports(connection: &Connection, before: Timestamp, at_most: u32) -> rusqlite::Result<u64> {
    let settle = "UPDATE grants SET report = json_set(json_remove(report, '$.amount', '$.text', '$.department'), \
                  '$.settled', json('true')) WHERE id IN (SELECT id FROM grants \
                  WHERE reported_ms < ?1 AND json_extract(report, '$.settled') IS NULL \
                  AND NOT EXISTS (SELECT 1 FROM untold WHERE untold.id = grants.id AND untold.act = 'reported') LIMIT ?2)";
    let settled = connection.execute(settle, (before.as_millis(), at_most))?;
    Ok(u64::try_from(settled).unwrap_or(u64::MAX))
}

fn tell(connection: &Connection, figures: &[Figure]) -> rusqlite::Result<()> {
    let ask = format!(
        "INSERT INTO figures (week, purpose, measure, part, name, people, {SUMS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    );
    let mut statement = connection.prepare(&ask)?;
    for figure in figures {
        let [count, up, down, millis] = signed(&figure.sums);
        statement.execute((
            figure.week.number(),
            figure.purpose.as_str(),
            figure.measure.as_str(),
            figure.part.kind(),
            figure.part.name().unwrap_or_default(),
            figure.people.map(|people| i64::try_from(people).unwrap_or(i64::MAX)),
            count,
            up,
            down,
            millis,
        ))?;
    }
    Ok(())
}

fn is_told(connection: &Connection, week: Week, measure: Measure) -> rusqlite::Result<bool> {
    let ask = "SELECT 1 FROM figures WHERE week = ?1 AND measure = ?2";
    connection
        .prepare_cached(ask)?
        .exists((week.number(), measure.as_str()))
}

/// Each week is looked up by itself, as the key begins with it: nothing is read of other purposes.
pub(super) fn figures(
    connection: &Connection,
    of: &PurposeId,
    weeks: &RangeInclusive<Week>,
) -> rusqlite::Result<Vec<Figure>> {
    let ask = format!(
        "WITH RECURSIVE weeks (number) AS (SELECT ?2 UNION ALL SELECT number + 1 FROM weeks WHERE number < ?3) \
         SELECT week, purpose, measure, part, name, people, {SUMS} FROM figures \
         WHERE week IN (SELECT number FROM weeks) AND purpose = ?1 ORDER BY week, measure, part, name"
    );
    let mut statement = connection.prepare_cached(&ask)?;
    let asked = (of.as_str(), weeks.start().number(), weeks.end().number());
    statement.query_map(asked, figure)?.collect()
}

/// What is told of that week and the one before it, of whole purposes.
pub(super) fn brought(connection: &Connection, week: Week) -> rusqlite::Result<Brought> {
    let ask = format!(
        "SELECT week, purpose, measure, part, name, people, {SUMS} FROM figures \
         WHERE week IN (?1, ?2) AND part = ?3 ORDER BY week, purpose, measure"
    );
    let mut statement = connection.prepare_cached(&ask)?;
    let asked = (week.number(), week.before(1).number(), Part::Whole.kind());
    let figures = statement.query_map(asked, figure)?.collect::<rusqlite::Result<_>>()?;
    Ok(Brought { week, figures })
}

fn figure(row: &Row<'_>) -> rusqlite::Result<Figure> {
    let kind: String = row.get("part")?;
    let part = Part::of(&kind, some(row.get("name")?));
    let people: Option<i64> = row.get("people")?;
    Ok(Figure {
        purpose: PurposeId::new(row.get::<_, String>("purpose")?),
        week: Week::numbered(row.get("week")?),
        measure: measure(row)?,
        part: part.ok_or_else(|| unreadable(format!("`{kind}` is no part")))?,
        people: people.map(unsigned),
        sums: sums(row)?,
    })
}

fn through(connection: &Connection) -> rusqlite::Result<Through> {
    let week = |what: &str| {
        let ask = "SELECT week FROM told_through WHERE what = ?1";
        let found = connection.query_row(ask, [what], |row| row.get(0)).optional();
        found.map(|found| found.map(Week::numbered))
    };
    Ok(Through {
        usage: week("usage")?,
        value: week("value")?,
    })
}

fn told_through(connection: &Connection, through: Through) -> rusqlite::Result<()> {
    let ask = "INSERT OR REPLACE INTO told_through (what, week) VALUES (?1, ?2)";
    for (what, week) in [("usage", through.usage), ("value", through.value)] {
        if let Some(week) = week {
            connection.execute(ask, (what, week.number()))?;
        }
    }
    Ok(())
}

fn measure(row: &Row<'_>) -> rusqlite::Result<Measure> {
    let name: String = row.get("measure")?;
    Measure::called(&name).ok_or_else(|| unreadable(format!("`{name}` is not measured")))
}

fn sums(row: &Row<'_>) -> rusqlite::Result<Sums> {
    let number = |column| row.get(column).map(unsigned);
    Ok(Sums {
        count: number("count")?,
        bytes_up: number("bytes_up")?,
        bytes_down: number("bytes_down")?,
        millis: number("millis")?,
    })
}

/// `SQLite` counts in signed numbers.
fn signed(sums: &Sums) -> [i64; 4] {
    [sums.count, sums.bytes_up, sums.bytes_down, sums.millis].map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn unreadable(why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, why.into())
}
