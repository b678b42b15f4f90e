//! Of what expired and was used, its holder is asked what came of it: by one letter a day at most, for all of it, on the
//! morning of their next working day. Pure.
//!
//! Of each grant that is given, the ledger notes that this is to be asked once it expires. Of those that are asked about on the
//! same morning one stands for all: the one that was stated last, whatever was answered meanwhile, so that also of several
//! gateways each knows which; of one that was stated before people were told of anything, nothing was noted. A letter that is late by a morning is not sent any more: the next one is.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::words::{Said, View, moment, places};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState, Language};
use crate::portal::words::Words;
use crate::purpose::is_working_day;
use crate::rulebook::InForce;

/// Whether holders are asked by e-mail what came of grants that expired and were used.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Outcomes {
    /// Whether they are.
    pub ask: bool,
    /// At which hour of their working days, by their clock.
    pub hour: u8,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self { ask: true, hour: 9 }
    }
}

/// What things are called.
struct Terms {
    of_one: fn(purpose: &str) -> String,
    of_several: fn(count: &str) -> String,
    about: fn(metric: &str, places: &str, until: &str, link: &str) -> String,
    link: &'static str,
    foot: fn(id: &str) -> String,
}

const ENGLISH: Terms = Terms {
    of_one: |purpose| format!("What came of “{purpose}”?"),
    of_several: |count| format!("What came of your {count} purposes?"),
    about: |metric, places, until, link| format!("{metric}? {places}, until {until}. {link}"),
    link: "Answer; you may also say that there is nothing to say",
    foot: |id| {
        format!(
            "You are asked once a day at most. Pages add amounts up for groups and show nobody else what you say; the records keep it. \
             Wayleave sends this by itself; nobody reads replies. Reference: {id}"
        )
    },
};

const FRENCH: Terms = Terms {
    of_one: |purpose| format!("Qu’est-il ressorti de «\u{a0}{purpose}\u{a0}»\u{a0}?"),
    of_several: |count| format!("Qu’est-il ressorti de vos {count}\u{a0}motifs\u{a0}?"),
    about: |metric, places, until, link| format!("{metric}\u{a0}? {places}, jusqu’au {until}. {link}"),
    link: "Répondre, ou dire qu’il n’y a rien à signaler",
    foot: |id| {
        format!(
            "Cette question vous est posée une fois par jour au plus. Les chiffres sont additionnés par groupe, et aucune \
             page ne montre vos réponses à d’autres personnes\u{a0}; les enregistrements les gardent. Message automatique de Wayleave\u{a0}; personne ne lit les réponses. Référence\u{a0}: {id}"
        )
    },
};

/// Whether something is asked of a grant that is over: what others ended, and what its holder did, was looked at then.
fn is_asked(grant: &Grant, in_force: &InForce, now: Timestamp) -> bool {
    let purpose = in_force.rulebook.purposes().get(&grant.purpose);
    let counts = purpose.is_some_and(|purpose| purpose.value_metric.is_some());
    let is_purpose = grant.continued.is_none() && grant.delegated.is_none();
    grant.state == GrantState::Active && grant.until() <= now && is_purpose && counts && grant.was_used()
}

/// When somebody is asked about what expired at that moment: at that hour of the first working day on which that is yet to
/// come, by their clock.
pub(super) fn asked_at(expired: Timestamp, time_zone: &str, hour: u8) -> Timestamp {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let mut day = expired.calendar().to_zoned(zone);
    let time = i8::try_from(hour).ok().and_then(|hour| Time::new(hour, 0, 0, 0).ok());
    let time = time.unwrap_or_default();
    loop {
        let at = day.date().to_datetime(time).to_zoned(day.time_zone().clone());
        let at: Option<Timestamp> = at.ok().map(|at| at.timestamp().into());
        if let Some(at) = at.filter(|at| *at > expired && is_working_day(&day)) {
            return at;
        }
        let Ok(next) = day.tomorrow() else {
            return expired; // at the end of time
        };
        day = next;
    }
}

/// When the holder of a grant is asked about it.
pub(super) fn when(grant: &Grant, in_force: &InForce, hour: u8) -> Timestamp {
    let person = in_force.directory.person(&grant.subject);
    asked_at(
        grant.expires,
        person.as_deref().map_or("", |person| person.time_zone.as_str()),
        hour,
    )
}

/// Of what its holder is asked together with a grant: what they have not answered of all that is asked about on the same
/// morning; nothing where another grant stands for all of it, or that morning is long over. `theirs` is all they hold and held.
pub(super) fn asked<'a>(
    grant: &'a Grant,
    theirs: &'a [Grant],
    (in_force, hour): (&InForce, u8),
    now: Timestamp,
) -> Vec<&'a Grant> {
    let morning = when(grant, in_force, hour);
    let person = in_force.directory.person(&grant.subject);
    let next = asked_at(
        morning,
        person.as_deref().map_or("", |person| person.time_zone.as_str()),
        hour,
    );
    if now < morning || now >= next {
        return Vec::new();
    }
    let same = |other: &&Grant| is_asked(other, in_force, now) && when(other, in_force, hour) == morning;
    let mut asked: Vec<&Grant> = theirs.iter().filter(same).collect();
    asked.sort_by(|one, other| one.id.cmp(&other.id));
    if asked.last().is_none_or(|last| last.id != grant.id) {
        return Vec::new();
    }
    asked.retain(|one| one.report.is_none() && one.can_be_reported(now));
    asked
}

/// What somebody is asked, in the language of theirs.
pub(super) fn said(of: &Grant, asked: &[Grant], view: &View<'_>, zone: Option<&str>) -> Said {
    let (terms, words) = (terms(view.language), Words::of(view.language));
    let rules = &view.in_force.rulebook;
    let page = |grant: &Grant| format!("{}/grants/{}", view.origin, grant.id);
    let title = |grant: &Grant| {
        let purpose = rules.purposes().get(&grant.purpose);
        purpose.map_or_else(
            || grant.purpose.to_string(),
            |one| one.title.said_in(view.language).to_owned(),
        )
    };
    let facts = asked.iter().map(|grant| {
        let purpose = rules.purposes().get(&grant.purpose);
        let metric = purpose.and_then(|purpose| purpose.value_metric.as_ref());
        let metric = metric.map_or("", |metric| metric.said_in(view.language));
        let until = moment(grant.until(), zone);
        (
            title(grant).into(),
            (terms.about)(metric, &places(grant, rules), &until, &page(grant)),
        )
    });
    let (heading, link) = match asked {
        [one] => ((terms.of_one)(&title(one)), page(one)),
        several => {
            let count = u64::try_from(several.len()).unwrap_or(0);
            let count = (words.outcome.number)(count);
            ((terms.of_several)(&count), format!("{}/", view.origin))
        }
    };
    Said {
        language: view.language,
        title: heading,
        facts: facts.collect(),
        link: (terms.link, link),
        foot: (terms.foot)(of.id.as_str()),
    }
}

fn terms(language: Language) -> &'static Terms {
    match language {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_asked_on_the_morning_of_their_next_working_day() {
        for (expired, zone, asked) in [
            ("2026-11-24T17:00:00Z", "Europe/Paris", "2026-11-25T08:00:00Z"),
            ("2026-11-24T07:59:59Z", "Europe/Paris", "2026-11-24T08:00:00Z"),
            ("2026-11-24T08:00:00Z", "Europe/Paris", "2026-11-25T08:00:00Z"),
            ("2026-11-27T17:00:00Z", "Europe/Paris", "2026-11-30T08:00:00Z"),
            ("2026-11-29T01:00:00Z", "Europe/Paris", "2026-11-30T08:00:00Z"),
            // still Friday in New York, and early
            ("2026-11-27T11:00:00Z", "America/New_York", "2026-11-27T14:00:00Z"),
            ("2026-11-24T17:00:00Z", "Nowhere/Land", "2026-11-25T09:00:00Z"),
        ] {
            let (expired, due): (Timestamp, Timestamp) = (expired.parse().unwrap(), asked.parse().unwrap());
            assert_eq!(asked_at(expired, zone, 9), due, "{expired} {zone}");
        }
    }
}
