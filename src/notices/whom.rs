//! Who is told of what. Pure: the rules say who may answer, the purposes who owns them, the directory where people are.

use std::collections::BTreeSet;

use super::Settings;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState, Language, Mailbox, NoticeEvent, SubjectId};
use crate::ledger::Letter;
use crate::rulebook::{Asking, Directory, InForce};

/// The way of what is sent by e-mail.
pub(super) const EMAIL: &str = "email";

/// What the way begins with of what is posted; the name of the address follows.
pub(super) const HOOK: &str = "webhook:";

/// Marks an address that is nobody's of the directory: no name holds a colon.
pub(super) const ADDRESS: &str = "mailto:";

/// What happened to a grant, as it is by now.
pub(super) type Happened<'a> = (&'a Grant, NoticeEvent);

/// Whether nobody needs to hear of it any more: what waited does not, what was approved is over, what was overdue is done.
pub(super) fn is_moot((grant, event): Happened<'_>, letter: Option<&Letter>, now: Timestamp) -> bool {
    match event {
        NoticeEvent::Waits | NoticeEvent::PartlyApproved | NoticeEvent::AlternatesMay => {
            let to = letter.map(|letter| letter.to.as_str());
            !grant.waits(now) || grant.answers.iter().any(|answer| to == Some(answer.by.as_str()))
        }
        // one of which its holder has said what came of it may stand for others: of what it is asked, `outcomes` knows
        NoticeEvent::Approved | NoticeEvent::CameOfIt => grant.state != GrantState::Active,
        NoticeEvent::ReviewOverdue => !grant.awaits_review(),
        NoticeEvent::Declined | NoticeEvent::Lapsed | NoticeEvent::Revoked | NoticeEvent::BrokeGlass => false,
    }
}

/// A letter for everybody who is told and has an address; `lets` is who lets whom answer for them.
pub(super) fn letters(
    happened: Happened<'_>,
    (in_force, lets): (&InForce, &[Grant]),
    settings: &Settings,
    now: Timestamp,
) -> Vec<Letter> {
    let mut letters = Vec::new();
    let letter = |to: String| Letter {
        way: EMAIL.to_owned(),
        to,
    };
    if settings.smtp.host.is_some() {
        let people = people(happened, (in_force, lets), now).into_iter();
        let written = people.filter(|id| mailbox(id.as_str(), &in_force.directory).is_some());
        letters.extend(written.map(|id| letter(id.to_string())));
        if matches!(happened.1, NoticeEvent::BrokeGlass | NoticeEvent::ReviewOverdue) {
            letters.extend(settings.security.iter().map(|to| letter(format!("{ADDRESS}{to}"))));
        }
    }
    let hooks = settings.webhooks.iter();
    let told = hooks.filter(|hook| hook.hears(happened.1.into()));
    letters.extend(told.map(|hook| Letter {
        way: format!("{HOOK}{}", hook.name),
        to: String::new(),
    }));
    letters
}

/// Whether the one to whom a letter goes is still asked, where it asks them for something: rules change, and whoever lets
/// somebody answer for them takes that back.
pub(super) fn is_still_asked(
    happened: Happened<'_>,
    letter: &Letter,
    (in_force, lets): (&InForce, &[Grant]),
    now: Timestamp,
) -> bool {
    let asks = matches!(
        happened.1,
        NoticeEvent::Waits | NoticeEvent::PartlyApproved | NoticeEvent::AlternatesMay
    );
    let letter = Some(letter).filter(|letter| asks && letter.way == EMAIL);
    let to = letter.and_then(|letter| SubjectId::parse(&letter.to).ok());
    to.is_none_or(|to| people(happened, (in_force, lets), now).contains(&to))
}

/// The address of the one to whom a letter goes.
pub(super) fn mailbox(to: &str, directory: &Directory) -> Option<Mailbox> {
    match to.strip_prefix(ADDRESS) {
        Some(address) => Mailbox::parse(address).ok(),
        None => directory.listed(&SubjectId::parse(to).ok()?)?.email.clone(),
    }
}

/// The language of the one to whom a letter goes; of several who share a mailbox, where it is the same.
pub(super) fn language(to: &str, directory: &Directory) -> Option<Language> {
    if !to.starts_with(ADDRESS) {
        return directory.listed(&SubjectId::parse(to).ok()?)?.language;
    }
    let mailbox = mailbox(to, directory)?;
    let listed = directory.people().filter_map(|person| directory.listed(&person.id));
    let theirs = listed.filter(|listed| listed.email.as_ref().is_some_and(|email| email.is_read_with(&mailbox)));
    let mut languages = theirs.map(|listed| listed.language);
    let first = languages.next()?;
    first.filter(|_| languages.all(|other| other == first))
}

/// Who is told: those who may answer of what waits, whoever asked or holds of what became of that, and of an emergency who owns
/// the purpose and who can review it.
fn people((grant, event): Happened<'_>, (in_force, lets): (&InForce, &[Grant]), now: Timestamp) -> BTreeSet<SubjectId> {
    let holder = || BTreeSet::from([grant.subject.clone()]);
    match event {
        NoticeEvent::Waits | NoticeEvent::PartlyApproved | NoticeEvent::AlternatesMay => {
            let Some(came) = &grant.came else {
                return named(grant, in_force);
            };
            let may = in_force.who_still_may(grant, &came.arrival, now).into_iter();
            let others = event == NoticeEvent::AlternatesMay;
            let told: Vec<_> = may
                .filter(|person| !others || in_force.is_alternate(grant, person, now))
                .collect();
            let asking = Asking::of(grant, &came.arrival, now);
            let delegates = in_force
                .delegates_of(&told, &asking, lets)
                .into_iter()
                .map(|(acts, _)| acts);
            told.iter().map(|person| person.id.clone()).chain(delegates).collect()
        }
        NoticeEvent::Approved
        | NoticeEvent::Declined
        | NoticeEvent::Lapsed
        | NoticeEvent::Revoked
        | NoticeEvent::CameOfIt => holder(),
        NoticeEvent::BrokeGlass => named(grant, in_force),
        NoticeEvent::ReviewOverdue => &named(grant, in_force) | &holder(),
    }
}

/// From when on alternates may answer a request, where the terms of its purpose name some.
pub(super) fn alternates_from(grant: &Grant, in_force: &InForce) -> Option<Timestamp> {
    let purpose = in_force.rulebook.purposes().get(&grant.purpose)?;
    let alternates = purpose.alternates.as_ref().filter(|_| grant.answer_by.is_some())?;
    Some(grant.declared_at.plus(alternates.after))
}

/// Whom the terms of the purpose name to answer, and its owner, unless it is their own.
fn named(grant: &Grant, in_force: &InForce) -> BTreeSet<SubjectId> {
    let named = in_force.named_for(grant).into_iter();
    named.map(|person| person.id.clone()).collect()
}
