//! What is said of a grant, in the language of the one who reads it; what is said of a week, `digest_words` knows. Pure.
//!
//! Whatever the ledger knows may be said, and nothing else is known here: neither what is on a site nor what anybody did there.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::whom::Happened;
use super::{digest_words, outcomes};
use crate::clock::Timestamp;
use crate::facts::{Answer, Grant, Language, NoticeEvent, PlatformId, SubjectId, Verdict};
use crate::ledger::{About, Notice};
use crate::portal::effects::opened;
use crate::portal::words::{ENGLISH as ENGLISH_WORDS, FRENCH as FRENCH_WORDS, Words};
use crate::purpose::show_duration;
use crate::rulebook::{InForce, Rulebook};

/// Through whose eyes it is seen.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) in_force: &'a InForce,
    /// Of what somebody is asked what came of it.
    pub(super) asked: &'a [Grant],
    /// The portal's origin, for links.
    pub(super) origin: &'a str,
    pub(super) language: Language,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// In which language: also of the marks between what is known and what it is.
    pub(super) language: Language,
    /// In one line.
    pub(super) title: String,
    /// What is known, each with what it is.
    pub(super) facts: Vec<(Cow<'static, str>, String)>,
    /// What can be done, and where.
    pub(super) link: (&'static str, String),
    /// What stands below.
    pub(super) foot: String,
}

impl Said {
    /// As a plain text.
    pub(super) fn text(&self, language: Language) -> String {
        let colon = Words::of(language).colon;
        let facts = self.facts.iter().map(|(what, said)| format!("{what}{colon}{said}\n"));
        let (what, url) = &self.link;
        format!(
            "{}\n\n{}\n{what}{colon}{url}\n\n-- \n{}\n",
            self.title,
            facts.collect::<String>(),
            self.foot
        )
    }
}

/// What things are called.
struct Terms {
    who: &'static str,
    purpose: &'static str,
    place: &'static str,
    what: &'static str,
    lasts: &'static str,
    until: &'static str,
    ticket: &'static str,
    statement: &'static str,
    by: &'static str,
    so_far: &'static str,
    why: &'static str,
    /// Whoever approved it may have written something to that.
    wrote: fn(who: &str) -> String,
    answer_by: &'static str,
    review_by: &'static str,
    link_answer: &'static str,
    link_review: &'static str,
    link_mine: &'static str,
    title: fn(NoticeEvent, who: &str, purpose: &str) -> String,
    foot: fn(id: &str) -> String,
}

const ENGLISH: Terms = Terms {
    who: "Who",
    purpose: "Purpose",
    place: "Where",
    what: "For what",
    lasts: "For how long",
    until: "Until",
    ticket: "Ticket",
    statement: "In their words",
    by: "By",
    so_far: "Approved so far",
    why: "Why",
    wrote: |who| format!("{who} wrote"),
    answer_by: "Silence declines at",
    review_by: "To be reviewed by",
    link_answer: "Answer",
    link_review: "Review",
    link_mine: "See it on your page",
    title: |event, who, purpose| match event {
        NoticeEvent::Waits => format!("{who} asks for “{purpose}”"),
        NoticeEvent::PartlyApproved => format!("Approved in part: {who} still waits for “{purpose}”"),
        NoticeEvent::AlternatesMay => format!("{who} still waits for “{purpose}”: alternates may answer now"),
        NoticeEvent::Approved => format!("Approved: “{purpose}”"),
        NoticeEvent::Declined => format!("Declined: “{purpose}”"),
        NoticeEvent::Lapsed => format!("Nobody answered: “{purpose}”"),
        NoticeEvent::Revoked => format!("Ended by somebody else: “{purpose}”"),
        NoticeEvent::BrokeGlass => (ENGLISH_WORDS.emergency.broke_the_glass)(who, purpose),
        NoticeEvent::ReviewOverdue => format!("Nobody reviewed that {who} broke the glass for “{purpose}”"),
        NoticeEvent::CameOfIt => format!("What came of “{purpose}”?"),
    },
    foot: |id| format!("Wayleave sends this by itself; nobody reads replies. Reference: {id}"),
};

const FRENCH: Terms = Terms {
    who: "Qui",
    purpose: "Motif",
    place: "Où",
    what: "Pour quoi",
    lasts: "Pour combien de temps",
    until: "Jusqu’à",
    ticket: "Ticket",
    statement: "En ses termes",
    by: "Par",
    so_far: "Accords déjà donnés",
    why: "Pourquoi",
    wrote: |who| format!("Mot de {who}"),
    answer_by: "Le silence vaut refus le",
    review_by: "À examiner avant le",
    link_answer: "Répondre",
    link_review: "Examiner",
    link_mine: "À voir sur votre page",
    title: |event, who, purpose| match event {
        NoticeEvent::Waits => format!("{who} demande «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::PartlyApproved => format!("Approuvé en partie\u{a0}: {who} attend encore «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::AlternatesMay => {
            format!("{who} attend toujours «\u{a0}{purpose}\u{a0}»\u{a0}: les suppléants peuvent maintenant répondre")
        }
        NoticeEvent::Approved => format!("Approuvé\u{a0}: «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::Declined => format!("Refusé\u{a0}: «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::Lapsed => format!("Personne n’a répondu\u{a0}: «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::Revoked => format!("Terminé par quelqu’un d’autre\u{a0}: «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::BrokeGlass => (FRENCH_WORDS.emergency.broke_the_glass)(who, purpose),
        NoticeEvent::ReviewOverdue => format!("Personne n’a examiné l’urgence de {who}\u{a0}: «\u{a0}{purpose}\u{a0}»"),
        NoticeEvent::CameOfIt => format!("Qu’est-il ressorti de « {purpose} » ?"),
    },
    foot: |id| format!("Message automatique de Wayleave\u{a0}; personne ne lit les réponses. Référence\u{a0}: {id}"),
};

/// What is said to one person, whose time zone this is, of what concerns them; also what people wrote.
pub(super) fn say(notice: &Notice, view: &View<'_>, zone: Option<&str>) -> Said {
    let (grant, event) = match &notice.about {
        About::Grant(grant, event) => (grant, *event),
        About::Week(brought) => return digest_words::said(brought, view),
    };
    if event == NoticeEvent::CameOfIt {
        return outcomes::said(grant, view.asked, view, zone);
    }
    let mut said = said((grant, event), grant.ticket.as_deref(), view, zone);
    let terms = terms(view.language);
    let written = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = match event {
        NoticeEvent::Declined => last(grant, Verdict::Declined).map(|answer| answer.note.as_str()),
        NoticeEvent::Approved => {
            let notes = approvals(grant).filter(|answer| !answer.note.trim().is_empty());
            let notes = notes.map(|answer| {
                let by = view.in_force.directory.person(&answer.by);
                let by = by.map_or_else(|| answer.by.to_string(), |person| person.name.clone());
                ((terms.wrote)(&by).into(), written(&answer.note))
            });
            said.facts.extend(notes);
            None
        }
        NoticeEvent::Revoked => grant.ended.as_ref().map(|ended| ended.why.as_str()),
        NoticeEvent::Waits
        | NoticeEvent::PartlyApproved
        | NoticeEvent::AlternatesMay
        | NoticeEvent::BrokeGlass
        | NoticeEvent::ReviewOverdue => {
            said.facts.push((terms.statement.into(), written(&grant.statement)));
            None
        }
        NoticeEvent::Lapsed | NoticeEvent::CameOfIt => None,
    };
    let why = why.map(written).filter(|why| !why.is_empty());
    said.facts.extend(why.map(|why| (terms.why.into(), why)));
    said
}

/// What is said where many may read it: nothing that people wrote.
pub(super) fn say_to_many(notice: &Notice, view: &View<'_>, zone: Option<&str>) -> Said {
    match &notice.about {
        About::Grant(grant, event) => said((grant, *event), plain_ticket(grant, view.in_force), view, zone),
        About::Week(brought) => digest_words::said_to_many(brought, view),
    }
}

/// The ticket that many may read.
pub(super) fn ticket<'a>(notice: &'a Notice, in_force: &InForce) -> Option<&'a str> {
    match &notice.about {
        About::Grant(grant, _) => plain_ticket(grant, in_force),
        About::Week(_) => None,
    }
}

/// The ticket, where the purpose says how one looks, and it looks so: any other is free text of whoever holds the grant.
fn plain_ticket<'a>(grant: &'a Grant, in_force: &InForce) -> Option<&'a str> {
    let rule = in_force.rulebook.purposes().get(&grant.purpose)?.ticket.as_ref()?;
    grant.ticket.as_deref().filter(|ticket| rule.pattern.is_match(ticket))
}

fn said((grant, event): Happened<'_>, ticket: Option<&str>, view: &View<'_>, zone: Option<&str>) -> Said {
    let (terms, words) = (terms(view.language), Words::of(view.language));
    let rules = &view.in_force.rulebook;
    let name = |id: &SubjectId| {
        let person = view.in_force.directory.person(id);
        person.map_or_else(|| id.to_string(), |person| person.name.clone())
    };
    let by = |answer: &Answer| {
        let whom = answer.behalf.as_ref().map(|behalf| name(&behalf.whom));
        let by = name(&answer.by);
        whom.map_or(by.clone(), |whom| (words.delegation.by_for)(&by, &whom))
    };
    let when = |at: Timestamp| moment(at, zone);
    let purpose = rules.purposes().get(&grant.purpose);
    let purpose = purpose.map_or(grant.purpose.as_str(), |purpose| purpose.title.said_in(view.language));
    let mut facts = vec![
        (terms.who, name(&grant.subject)),
        (terms.purpose, purpose.to_owned()),
        (terms.place, places(grant, rules)),
        (terms.what, what(grant, view)),
    ];
    let lasts = (terms.lasts, show_duration(grant.expires.since(grant.not_before)));
    let (link, path) = match event {
        NoticeEvent::Waits | NoticeEvent::PartlyApproved | NoticeEvent::AlternatesMay => {
            facts.push(lasts);
            let approved: Vec<String> = grant.answers.iter().map(by).collect();
            facts.extend((!approved.is_empty()).then(|| (terms.so_far, approved.join(", "))));
            facts.extend(grant.answer_by.map(|until| (terms.answer_by, when(until))));
            (terms.link_answer, "/approvals")
        }
        NoticeEvent::BrokeGlass | NoticeEvent::ReviewOverdue => {
            facts.push((terms.until, when(grant.until())));
            let emergency = grant.emergency.as_ref();
            facts.extend(emergency.map(|emergency| (terms.review_by, when(emergency.review_by))));
            (terms.link_review, "/approvals")
        }
        NoticeEvent::Approved => {
            let approved: Vec<String> = approvals(grant).map(by).collect();
            facts.extend((!approved.is_empty()).then(|| (terms.by, approved.join(", "))));
            facts.push((terms.until, when(grant.until())));
            (terms.link_mine, "/")
        }
        NoticeEvent::Declined => {
            facts.extend(last(grant, Verdict::Declined).map(|answer| (terms.by, by(answer))));
            (terms.link_mine, "/")
        }
        NoticeEvent::Revoked => {
            facts.extend(grant.ended.as_ref().map(|ended| (terms.by, name(&ended.by))));
            (terms.link_mine, "/")
        }
        NoticeEvent::Lapsed | NoticeEvent::CameOfIt => (terms.link_mine, "/"),
    };
    facts.extend(ticket.map(|ticket| (terms.ticket, ticket.to_owned())));
    let facts = facts.into_iter().map(|(what, said)| (what.into(), said));
    Said {
        language: view.language,
        title: (terms.title)(event, &name(&grant.subject), purpose),
        facts: facts.collect(),
        link: (link, format!("{}{path}", view.origin)),
        foot: (terms.foot)(grant.id.as_str()),
    }
}

/// Where a grant applies.
pub(super) fn places(grant: &Grant, rules: &Rulebook) -> String {
    named(&grant.platforms, rules)
}

fn named(platforms: &BTreeSet<PlatformId>, rules: &Rulebook) -> String {
    let platform = |id| rules.catalog().platform(id).map(|platform| platform.name.as_str());
    let places: Vec<&str> = platforms.iter().filter_map(platform).collect();
    places.join(", ")
}

/// What it opens there; where that is not the same everywhere, of each place.
fn what(grant: &Grant, view: &View<'_>) -> String {
    let words = Words::of(view.language);
    let parts = opened(words, view.in_force, grant, grant.declared_at);
    let is_one = parts.len() == 1;
    let parts = parts.into_iter().map(|(platforms, doings)| {
        let places = named(&platforms, &view.in_force.rulebook);
        if is_one {
            doings
        } else {
            format!("{places}{}{doings}", words.colon)
        }
    });
    parts.collect::<Vec<_>>().join(". ")
}

fn terms(language: Language) -> &'static Terms {
    match language {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    }
}

fn approvals(grant: &Grant) -> impl Iterator<Item = &Answer> {
    grant
        .answers
        .iter()
        .filter(|answer| answer.verdict == Verdict::Approved)
}

fn last(grant: &Grant, verdict: Verdict) -> Option<&Answer> {
    grant.answers.iter().rev().find(|answer| answer.verdict == verdict)
}

/// A moment by the clock of the one who reads it; in UTC, and saying so, where that is not known.
pub(super) fn moment(at: Timestamp, zone: Option<&str>) -> String {
    let known = zone.and_then(|zone| Some((zone, TimeZone::get(zone).ok()?)));
    let (name, zone) = known.unwrap_or(("UTC", TimeZone::UTC));
    let local = at.calendar().to_zoned(zone).strftime("%Y-%m-%d %H:%M");
    format!("{local} ({name})")
}
