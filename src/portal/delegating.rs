//! Letting somebody else answer: given and taken back here, and nowhere else.
//!
//! It is kept and recorded as grants are: given once its record is on disk, taken back at once (`deeds.rs`). By itself it
//! opens nothing: whoever answers for somebody is judged when they do (`answers.rs`).

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::deeds::{NotEnded, NotGranted};
use super::ended::tells;
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{
    Channel, Delegated, Grant, GrantAct, GrantId, GrantTerms, Person, PurposeId, Reason, SubjectId, did_you_mean,
};
use crate::ledger::LedgerError;
use crate::rulebook::{InForce, Visitor};

/// How far ahead it may begin.
const AHEAD: Duration = Duration::from_hours(24 * 366);
const DAY: Duration = Duration::from_hours(24);
/// The day on which clocks are put back has an hour more.
const LONGER_DAY: Duration = Duration::from_hours(1);

/// Whom somebody wants to answer for them, as they wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) to: String,
    /// A day, or a moment; empty: now.
    pub(super) from: String,
    /// A day, which is part of it, or a moment, which is not.
    pub(super) until: String,
    /// For which purposes; none: for all.
    pub(super) purposes: BTreeSet<String>,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The directory lists nobody of that name.
    NoSuchPerson(String),
    /// One answers oneself anyway.
    Yourself,
    /// The catalogue has no such purpose; perhaps this one is meant.
    NoSuchPurpose(String, Option<String>),
    /// That is neither a day nor a moment.
    NoDay(DelegationField, String),
    /// It ends before it begins.
    Reversed,
    /// It is over already.
    Past,
    /// It lasts for longer than so many days.
    TooLong(u64),
    /// It begins in more than a year.
    TooFar,
}

/// The part that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelegationField {
    /// Who.
    To,
    /// From when on.
    From,
    /// Until when.
    Until,
    /// For what.
    Purposes,
}

impl DelegationField {
    /// The name of the field.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::From => "from",
            Self::Until => "until",
            Self::Purposes => "purposes",
        }
    }
}

impl Misfit {
    /// Which part of it is wrong.
    pub(super) fn field(&self) -> DelegationField {
        match self {
            Self::NoSuchPerson(_) | Self::Yourself => DelegationField::To,
            Self::NoSuchPurpose(..) => DelegationField::Purposes,
            Self::NoDay(field, _) => *field,
            Self::TooFar => DelegationField::From,
            Self::Reversed | Self::Past | Self::TooLong(_) => DelegationField::Until,
        }
    }
}

/// Why nobody is let answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotDelegated {
    /// All that is wrong with what was wanted.
    Misfits(Vec<Misfit>),
    /// The rules refuse it.
    Refused(Vec<Reason>),
    /// The person lets so many answer for them, which is as many as one may.
    TooMany(usize),
    /// It cannot be recorded or kept.
    NotKept,
}

impl Portal {
    /// Whether somebody could let that person answer for them so: what would be kept.
    pub(super) fn would_delegate(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        wanted: &Wanted,
        channel: Channel,
    ) -> Result<(GrantTerms, Vec<Reason>), NotDelegated> {
        let most = self.settings.delegation_days;
        let (delegated, [from, until]) =
            fitting(wanted, visit.in_force, (visitor.person, visit.at), most).map_err(NotDelegated::Misfits)?;
        let to = visit.in_force.directory.person(&delegated.to);
        let to = to.ok_or_else(|| NotDelegated::Refused(Vec::new()))?;
        let how = (until.since(from), channel, visit.at);
        let reasons = visit.rules().may_delegate(visitor, (&to, &delegated.purposes), how);
        let reasons = reasons.map_err(NotDelegated::Refused)?;
        let terms = GrantTerms {
            subject: visitor.person.id.clone(),
            purpose: PurposeId::new(PurposeId::DELEGATED),
            platforms: BTreeSet::new(),
            covers: BTreeSet::new(),
            statement: String::new(),
            ticket: None,
            channel,
            declared_at: visit.at,
            not_before: from,
            expires: until,
            idle: None,
            answers: Vec::new(),
            parent: None,
            emergency: None,
            continued: None,
            delegated: Some(delegated),
        };
        Ok((terms, reasons))
    }

    /// Lets somebody answer, as these rules let.
    pub(super) async fn delegate(
        &self,
        visit: &Visit<'_>,
        (terms, reasons): (GrantTerms, Vec<Reason>),
    ) -> Result<Grant, NotDelegated> {
        let given = self.keep(visit, (GrantAct::Delegated, terms), &reasons).await;
        given.map_err(|why| {
            if let NotGranted::TooMany(given) = why {
                return NotDelegated::TooMany(given);
            }
            tracing::warn!(?why, "a delegation could not be kept");
            NotDelegated::NotKept
        })
    }

    /// Who lets somebody answer for them: nobody where nobody may let anybody, whatever was given before.
    pub(super) fn lets(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Grant> {
        if self.settings.delegation_days == 0 {
            return Vec::new();
        }
        self.ledger.delegated_to(&visitor.person.id, visit.at)
    }

    /// Takes that back: whoever gave it does, and nobody else learns of it.
    pub(super) async fn take_back(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Result<Grant, NotEnded> {
        let id = GrantId::new(id);
        let given = self.ledger.delegation(&id);
        if given.is_none_or(|given| given.subject != visitor.person.id) {
            return Err(NotEnded::NoSuch);
        }
        let on_record = self.on_record(GrantAct::Withdrawn, visit.by(), &[]);
        let ended = self
            .ledger
            .withdraw_on_record(&id, (visit.at, on_record), tells(self.book.clone()))
            .await;
        ended.map_err(|trouble| {
            if matches!(trouble, LedgerError::AlreadyOver(_)) {
                NotEnded::Over
            } else {
                tracing::warn!(%trouble, delegation = %id, "a delegation could not be taken back");
                NotEnded::NotKept
            }
        })
    }
}

/// What is wanted, made of what there is; or all that is wrong with it.
fn fitting(
    wanted: &Wanted,
    in_force: &InForce,
    (giver, at): (&Person, Timestamp),
    most_days: u64,
) -> Result<(Delegated, [Timestamp; 2]), Vec<Misfit>> {
    let mut wrong = Vec::new();
    let to = somebody(&wanted.to, in_force, giver).map_err(|misfit| wrong.push(misfit));
    let purposes: BTreeSet<PurposeId> = wanted.purposes.iter().map(|id| PurposeId::new(id.as_str())).collect();
    let all = in_force.rulebook.purposes();
    let unknown = purposes.iter().filter(|id| all.get(id).is_none());
    wrong.extend(unknown.map(|id| {
        let near = did_you_mean(id.as_str(), all.iter().map(|purpose| purpose.id.as_str()));
        Misfit::NoSuchPurpose(shown(id.as_str()), near.map(str::to_owned))
    }));
    let span = span(wanted, giver, at, most_days).map_err(|misfits| wrong.extend(misfits));
    match (to, span) {
        (Ok(to), Ok(span)) if wrong.is_empty() => Ok((Delegated { to, purposes }, span)),
        (_, _) => Err(wrong),
    }
}

fn somebody(name: &str, in_force: &InForce, giver: &Person) -> Result<SubjectId, Misfit> {
    let name = name.trim();
    let unknown = || Misfit::NoSuchPerson(shown(name));
    let id = SubjectId::parse(name).map_err(|_| unknown())?;
    if id == giver.id {
        return Err(Misfit::Yourself);
    }
    let known = in_force.directory.person(&id);
    known.map(|person| person.id.clone()).ok_or_else(unknown)
}

/// From when on until when.
fn span(wanted: &Wanted, giver: &Person, at: Timestamp, most_days: u64) -> Result<[Timestamp; 2], Vec<Misfit>> {
    let zone = TimeZone::get(&giver.time_zone).unwrap_or(TimeZone::UTC);
    let mut wrong = Vec::new();
    let mut read = |text: &str, field, is_end| {
        let found = moment(text.trim(), &zone, is_end);
        if found.is_none() {
            wrong.push(Misfit::NoDay(field, shown(text)));
        }
        found
    };
    let from = if wanted.from.trim().is_empty() {
        Some(at)
    } else {
        read(&wanted.from, DelegationField::From, false)
    };
    let until = read(&wanted.until, DelegationField::Until, true);
    let (Some(from), Some(until)) = (from, until) else {
        return Err(wrong);
    };
    let lasts_at_most = DAY
        .saturating_mul(u32::try_from(most_days).unwrap_or(u32::MAX))
        .saturating_add(LONGER_DAY);
    let begins = from.max(at);
    let misfit = if until <= at {
        Misfit::Past
    } else if until <= from {
        Misfit::Reversed
    } else if begins.since(at) > AHEAD {
        Misfit::TooFar
    } else if most_days == 0 || until.since(begins) > lasts_at_most {
        Misfit::TooLong(most_days)
    } else {
        return Ok([begins, until]);
    };
    Err(vec![misfit])
}

/// A day begins when it does where the person is, and ends with its last moment.
fn moment(text: &str, zone: &TimeZone, is_end: bool) -> Option<Timestamp> {
    if text.len() > "2026-11-24".len() {
        return text.parse().ok();
    }
    let date: Date = text.parse().ok()?;
    let date = if is_end { date.tomorrow().ok()? } else { date };
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().into())
}

/// As much of what somebody wrote as one reads.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Mode;
    use crate::rulebook::{Rulebook, Sources};

    /// What comes of it where Mia, in Paris, writes that on a Tuesday at half past ten.
    fn written(to: &str, from: &str, until: &str, purposes: &[&str]) -> Result<[String; 2], Vec<Misfit>> {
        let house = Rulebook::assemble(&Sources::embedded()).unwrap().in_mode(Mode::Enforce);
        let mia = house.directory.person(&SubjectId::parse("mia").unwrap()).unwrap();
        let wanted = Wanted {
            to: to.to_owned(),
            from: from.to_owned(),
            until: until.to_owned(),
            purposes: purposes.iter().map(|one| (*one).to_owned()).collect(),
        };
        let at = "2026-11-24T09:30:00Z".parse().unwrap();
        let fits = fitting(&wanted, &house, (&mia, at), 30);
        fits.map(|(_, span)| span.map(|moment| moment.to_string()))
    }

    #[test]
    fn a_day_is_one_of_the_person_and_the_last_one_is_part_of_it() {
        for (from, until, span) in [
            (
                "",
                "2026-11-30",
                ["2026-11-24T09:30:00.000Z", "2026-11-30T23:00:00.000Z"],
            ),
            (
                "2026-11-24",
                "2026-11-24",
                ["2026-11-24T09:30:00.000Z", "2026-11-24T23:00:00.000Z"],
            ),
            (
                "2026-12-01",
                "2026-12-30",
                ["2026-11-30T23:00:00.000Z", "2026-12-30T23:00:00.000Z"],
            ),
            (
                "2026-03-01",
                "2026-11-24T10:00:00Z",
                ["2026-11-24T09:30:00.000Z", "2026-11-24T10:00:00.000Z"],
            ),
        ] {
            assert_eq!(written("nora", from, until, &[]).unwrap(), span, "{from} {until}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_all_at_once() {
        let told = |from: &str, until: &str| written("nora", from, until, &[]).unwrap_err();
        assert_eq!(told("2026-12-02", "2026-12-01"), [Misfit::Reversed]);
        assert_eq!(told("2026-11-01", "2026-11-23"), [Misfit::Past]);
        assert_eq!(
            told("", "2026-11-24T09:30:00Z"),
            [Misfit::Past],
            "it is over when it begins"
        );
        assert_eq!(told("2026-12-01", "2026-12-31"), [Misfit::TooLong(30)]);
        assert_eq!(told("2028-01-01", "2028-01-02"), [Misfit::TooFar]);
        let no_day = |field, text: &str| Misfit::NoDay(field, text.to_owned());
        assert_eq!(
            written("nobody", "tomorrow", "2026-02-30", &["brand-publishin"]).unwrap_err(),
            [
                Misfit::NoSuchPerson("nobody".to_owned()),
                Misfit::NoSuchPurpose("brand-publishin".to_owned(), Some("brand-publishing".to_owned())),
                no_day(DelegationField::From, "tomorrow"),
                no_day(DelegationField::Until, "2026-02-30"),
            ]
        );
        assert_eq!(
            written("mia", "", "", &[]).unwrap_err(),
            [Misfit::Yourself, no_day(DelegationField::Until, "")]
        );
        let never = written("../etc", "9999-12-31", "9999-12-31", &[]).unwrap_err();
        assert_eq!(never.len(), 3, "{never:?}");
    }
}
