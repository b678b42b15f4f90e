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
    more: |count| format!("{count} more purposes: see the page"),
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
    more: |count| format!("{count}\u{a0}motifs de plus\u{a0}: voir la page"),
    link: "À voir en graphiques, avec les semaines précédentes",
    foot: |least, week| {
        format!(
            "Entre parenthèses : la semaine précédente. Seuls des groupes d’au moins {least} personnes sont montrés, et \
             personne nommément. Message automatique de Wayleave ; personne ne lit les réponses. Référence : {week}"
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
    let (terms, words) = (terms(view.language), Words::of(view.language));
    let mut said = said(brought, view);
    let left = u64::try_from(said.facts.len().saturating_sub(MOST)).unwrap_or(0);
    if left > 0 {
        said.facts.truncate(MOST);
        let more = (terms.more)(&(words.outcome.number)(left));
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
        title: (terms.title)(&(words.day)(&monday)),
        facts: facts.collect(),
        link: (terms.link, format!("{origin}/value")),
        foot: (terms.foot)(SMALLEST, brought.week),
    }
}

/// How much came of a purpose, and how much it was used, each with the week before.
fn figures((now, before): (Told<'_>, Told<'_>), metric: Option<&str>, language: Language) -> String {
    let (terms, words) = (terms(language), Words::of(language));
    let number = |count: Option<u64>| count.map_or_else(|| words.value.few.to_owned(), words.outcome.number);
    let part = |name: &str, now: Option<u64>, before: Option<u64>| {
        format!("{name}{}{} ({})", words.colon, number(now), number(before))
    };
    let count = |figure: Option<&Figure>| figure.map(|figure| figure.sums.count);
    let people = |figure: Option<&Figure>| figure.and_then(|figure| figure.people);
    let mut parts = Vec::new();
    if let Some(metric) = metric {
        let said_by = people(now.value).map(|people| (terms.said_by)(&(words.outcome.number)(people)));
        let value = part(metric, count(now.value), count(before.value));
        let value = [Some(value), said_by].into_iter().flatten();
        parts.push(value.collect::<Vec<_>>().join(", "));
    }
    parts.push(part(words.value.grants, count(now.grants), count(before.grants)));
    parts.push(part(words.value.people, people(now.grants), people(before.grants)));
    parts.push(part(words.value.flows, count(now.flows), count(before.flows)));
    parts.join(words.semicolon)
}

fn terms(language: Language) -> &'static Terms {
    match language {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    }
}
