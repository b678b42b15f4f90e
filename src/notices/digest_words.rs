//! What is said of a week, purpose by purpose, in the language of the one who reads it. Pure.
//!
//! Of people there is nothing but their number, and nobody wrote any of it but whoever named the purposes.

use jiff::tz::TimeZone;

use super::words::{Said, View};
use crate::facts::{Language, PurposeId};
use crate::ledger::{Brought, Figure, Measure, SMALLEST, Week};
use crate::portal::words::Words;
use crate::purpose::Purpose;

/// How many purposes are told of where many read it: what platforms take has an end, and a page has all.
const MOST: usize = 40;

/// What things are called.
struct Terms {
    title: fn(week: &str) -> String,
    /// Behind how much came of it.
    said_by: fn(people: &str) -> String,
    others: &'static str,
    more: fn(count: &str) -> String,
    link: &'static str,
    foot: fn(least: usize, week: Week) -> String,
}

const ENGLISH: Terms = Terms {
    title: |week| format!("What social media brought in the week of {week}"),
    said_by: |people| format!("said by {people} people"),
    others: "Others",
    more: |count| format!("more purposes on the page: {count}"),
    link: "See it as charts, with the weeks before",
    foot: |least, week| {
        format!(
            "In brackets: the week before. Only groups of {least} people or more are told, and nobody by name. \
             Wayleave sends this by itself; nobody reads replies. Reference: {week}"
        )
    },
};

const FRENCH: Terms = Terms {
    title: |week| format!("Ce que les réseaux sociaux ont apporté la semaine du {week}"),
    said_by: |people| format!("selon {people}\u{a0}personnes"),
    others: "Autres",
    more: |count| format!("motifs de plus sur la page\u{a0}: {count}"),
    link: "À voir en graphiques, avec les semaines précédentes",
    foot: |least, week| {
        format!(
            "Entre parenthèses\u{a0}: la semaine précédente. Seuls des groupes d’au moins {least} personnes sont montrés, et \
             personne nommément. Message automatique de Wayleave\u{a0}; personne ne lit les réponses. Référence\u{a0}: {week}"
        )
    },
};

/// What is told of one purpose.
#[derive(Clone, Copy, Default)]
struct Told<'a> {
    value: Option<&'a Figure>,
    grants: Option<&'a Figure>,
    flows: Option<&'a Figure>,
}

impl<'a> Told<'a> {
    fn of(figures: impl Iterator<Item = &'a Figure>) -> Self {
        let mut told = Self::default();
        for figure in figures {
            match figure.measure {
                Measure::Value => told.value = Some(figure),
                Measure::Grants => told.grants = Some(figure),
                Measure::Flows => told.flows = Some(figure),
            }
        }
        told
    }

    /// Of how many people something is told, at most, as the page has it.
    fn people(self) -> Option<u64> {
        let figures = [self.value, self.grants, self.flows].into_iter().flatten();
        figures.filter_map(|figure| figure.people).max()
    }
}

/// What a purpose is called by those who read of it.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// Which one it is.
    pub id: &'a PurposeId,
    /// Its title.
    pub title: &'a str,
    /// What its value is counted in; none where it is not.
    pub metric: Option<&'a str>,
}

impl<'a> Called<'a> {
    fn of(purpose: &'a Purpose, language: Language) -> Self {
        Self {
            id: &purpose.id,
            title: purpose.title.said_in(language),
            metric: purpose.value_metric.as_ref().map(|metric| metric.said_in(language)),
        }
    }
}

/// What is said of a week to one person.
pub(super) fn said(brought: &Brought, view: &View<'_>) -> Said {
    let purposes = view.in_force.rulebook.purposes().iter();
    let purposes = purposes.map(|purpose| Called::of(purpose, view.language));
    said_of(brought, purposes, (view.origin, view.language))
}

/// The same where many may read it.
pub(super) fn said_to_many(brought: &Brought, view: &View<'_>) -> Said {
    shortened(said(brought, view), view.language)
}

/// Without what platforms may not take any more.
pub(super) fn shortened(mut said: Said, language: Language) -> Said {
    let terms = terms(language);
    let left = u64::try_from(said.facts.len().saturating_sub(MOST)).unwrap_or(0);
    if left > 0 {
        said.facts.truncate(MOST);
        let more = (terms.more)(&(Words::of(language).outcome.number)(left));
        said.facts.push((terms.others.into(), more));
    }
    said
}

/// The text of a digest in English, for whoever looks at one before it is sent; none where nothing is told of the week.
pub fn preview<'a>(brought: &Brought, purposes: impl Iterator<Item = Called<'a>>, origin: &str) -> Option<String> {
    let said = said_of(brought, purposes, (origin, Language::En));
    (!said.facts.is_empty()).then(|| said.text(Language::En))
}

fn said_of<'a>(
    brought: &Brought,
    purposes: impl Iterator<Item = Called<'a>>,
    (origin, language): (&str, Language),
) -> Said {
    let (terms, words) = (terms(language), Words::of(language));
    let monday = brought.week.begins().calendar().to_zoned(TimeZone::UTC);
    let facts = purposes.filter_map(|purpose| {
        let of = |week| Told::of(brought.of(week).filter(|figure| figure.purpose == *purpose.id));
        brought.of(brought.week).find(|figure| figure.purpose == *purpose.id)?;
        let figures = figures((of(brought.week), of(brought.week.before(1))), purpose.metric, language);
        Some((purpose.title.to_owned().into(), figures))
    });
    Said {
        language,
        title: (terms.title)(&(words.day)(&monday)),
        facts: facts.collect(),
        link: (terms.link, format!("{origin}/value")),
        foot: (terms.foot)(SMALLEST, brought.week),
    }
}

/// How much came of a purpose, and how much it was used, each with the week before; what is told of neither is left out.
fn figures((now, before): (Told<'_>, Told<'_>), metric: Option<&str>, language: Language) -> String {
    let (terms, words) = (terms(language), Words::of(language));
    let number = |count: Option<u64>| count.map_or_else(|| words.value.few.to_owned(), words.outcome.number);
    let part = |name: &str, now: Option<u64>, before: Option<u64>| {
        let is_told = now.is_some() || before.is_some();
        is_told.then(|| format!("{name}{}{} ({})", words.colon, number(now), number(before)))
    };
    let count = |figure: Option<&Figure>| figure.map(|figure| figure.sums.count);
    let value = metric.and_then(|metric| part(metric, count(now.value), count(before.value)));
    let said_by = now.value.and_then(|value| value.people);
    let said_by = said_by.map(|people| (terms.said_by)(&(words.outcome.number)(people)));
    let value = value.map(|value| {
        [Some(value), said_by]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    });
    let parts = [
        value,
        part(words.value.grants, count(now.grants), count(before.grants)),
        part(words.value.people, now.people(), before.people()),
        part(words.value.flows, count(now.flows), count(before.flows)),
    ];
    let parts = parts.into_iter().flatten();
    parts.collect::<Vec<_>>().join(words.semicolon)
}

fn terms(language: Language) -> &'static Terms {
    match language {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    }
}
