//! Who is told of a week, and of which purposes: never more than they would see on the portal's page `/value`. Pure.
//!
//! Whoever is in the directory is told what the rules let them see (`see-value`): an owner of the purposes that they own, and
//! whoever the settings name, of all. A mailbox of nobody in the directory, and a web hook, are told what the settings say. All
//! of it is of groups that are large enough: the ledger holds nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Settings;
use super::whom::{self, ADDRESS, EMAIL, HOOK};
use crate::clock::Timestamp;
use crate::facts::{Mailbox, Occasion, Person, PurposeId, SubjectId};
use crate::ledger::{Brought, Letter};
use crate::purpose::Purpose;
use crate::rulebook::InForce;

/// Who is told of each week, once its figures are settled, how much purposes were used and what came of them.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Digest {
    /// Whether owners of purposes are, of those that they own.
    pub owners: bool,
    /// Who else is: people of the directory of all that the rules let them see, and others of `purposes`.
    pub to: Vec<Mailbox>,
    /// The purposes of which web hooks are told that name the digest, and mailboxes of nobody in the directory; empty: all.
    pub purposes: Vec<PurposeId>,
    /// How many hours after Monday began, in UTC.
    pub after_h: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            owners: true,
            to: Vec::new(),
            purposes: Vec::new(),
            after_h: 7,
        }
    }
}

impl Digest {
    /// So late is late enough: it is over before the next.
    pub(super) const LATEST_H: u64 = 5 * 24;
}

/// A letter for everybody who may be told something of that week, and has an address.
pub(super) fn letters(brought: &Brought, in_force: &InForce, settings: &Settings, now: Timestamp) -> Vec<Letter> {
    let mut readers = BTreeSet::new();
    let digest = &settings.digest;
    if settings.smtp.host.is_some() {
        let owners = in_force.rulebook.purposes().iter().filter(|_| digest.owners);
        let owners = owners.map(|purpose| &purpose.business_owner);
        let owners: BTreeSet<&SubjectId> = owners.collect();
        readers.extend(owners.iter().filter_map(|id| owner(id, &owners, in_force)));
        readers.extend(digest.to.iter().map(|mailbox| reader(mailbox, in_force)));
    }
    let by_mail = readers.into_iter().map(|to| Letter {
        way: EMAIL.to_owned(),
        to,
    });
    let hooks = settings.webhooks.iter().map(|hook| Letter {
        way: format!("{HOOK}{}", hook.name),
        to: String::new(),
    });
    let all = by_mail.chain(hooks);
    all.filter(|letter| told(brought, letter, (in_force, settings), now).is_some())
        .collect()
}

/// What of that week is told by a letter; none where nothing is, or a later week is settled.
pub(super) fn told(
    brought: &Brought,
    letter: &Letter,
    (in_force, settings): (&InForce, &Settings),
    now: Timestamp,
) -> Option<Brought> {
    let seen: BTreeSet<&PurposeId> = seen(letter, (in_force, settings), now).into_iter().collect();
    let figures = brought.figures.iter().filter(|figure| seen.contains(&figure.purpose));
    let told = Brought {
        week: brought.week,
        figures: figures.cloned().collect(),
    };
    (brought.is_latest(now) && told.of(told.week).next().is_some()).then_some(told)
}

/// The addresses that the settings name and that nobody of the directory has: whoever reads them is told what the settings say.
/// Those of people who have left are among them.
pub(super) fn of_nobody<'s>(in_force: &InForce, settings: &'s Settings) -> Vec<&'s Mailbox> {
    let named = settings.digest.to.iter().filter(|_| settings.smtp.host.is_some());
    named.filter(|mailbox| reading(mailbox, in_force).is_empty()).collect()
}

/// How a letter names whoever reads a mailbox: as the directory does where it is one person's; else by the mailbox, as the
/// directory spells it, so that it gets one letter.
fn reader(mailbox: &Mailbox, in_force: &InForce) -> String {
    match reading(mailbox, in_force).as_slice() {
        [person] => person.id.to_string(),
        people => {
            let listed = people.first().and_then(|person| in_force.directory.listed(&person.id));
            let listed = listed.and_then(|listed| listed.email.as_ref());
            format!("{ADDRESS}{}", listed.unwrap_or(mailbox))
        }
    }
}

/// How a letter names an owner: by the mailbox where that is another owner's, too. None where no address of theirs is known.
fn owner(id: &SubjectId, owners: &BTreeSet<&SubjectId>, in_force: &InForce) -> Option<String> {
    let mailbox = whom::mailbox(id.as_str(), &in_force.directory)?;
    let read = reading(&mailbox, in_force).into_iter();
    let is_shared = read.filter(|person| owners.contains(&person.id)).count() > 1;
    Some(if is_shared {
        reader(&mailbox, in_force)
    } else {
        id.to_string()
    })
}

/// Whom of the directory a mailbox belongs to.
fn reading<'a>(mailbox: &Mailbox, in_force: &'a InForce) -> Vec<&'a Arc<Person>> {
    let directory = &in_force.directory;
    let theirs = |person: &&Arc<Person>| {
        let listed = directory.listed(&person.id);
        let email = listed.and_then(|listed| listed.email.as_ref());
        email.is_some_and(|email| email.is_read_with(mailbox))
    };
    directory.people().filter(theirs).collect()
}

/// The purposes of which a letter may tell.
fn seen<'a>(letter: &Letter, (in_force, settings): (&'a InForce, &Settings), now: Timestamp) -> Vec<&'a PurposeId> {
    let rules = &in_force.rulebook;
    let of = |is: &dyn Fn(&Purpose) -> bool| -> Vec<&'a PurposeId> {
        let purposes = rules.purposes().iter().filter(|purpose| is(purpose));
        purposes.map(|purpose| &purpose.id).collect()
    };
    let digest = &settings.digest;
    let set = |purpose: &Purpose| digest.purposes.is_empty() || digest.purposes.contains(&purpose.id);
    if let Some(name) = letter.way.strip_prefix(HOOK) {
        let mut hooks = settings.webhooks.iter();
        let tells = hooks.any(|hook| hook.name == name && hook.hears(Occasion::Digest));
        return of(&|purpose| tells && set(purpose));
    }
    let may = |person: &Person, purpose: &Purpose| rules.may_be_told_value(person, purpose, now);
    if let Some(address) = letter.to.strip_prefix(ADDRESS) {
        let Ok(mailbox) = Mailbox::parse(address) else {
            return Vec::new();
        };
        let is_set = digest.to.iter().any(|named| named.is_read_with(&mailbox));
        let people = reading(&mailbox, in_force);
        // of several owners, each reads it there what they own
        let owns_any = |person: &&&Arc<Person>| rules.purposes().iter().any(|one| one.business_owner == person.id);
        let are_several = digest.owners && people.iter().filter(owns_any).count() > 1;
        let owned = |purpose: &Purpose| {
            let mut owners = people.iter().filter(|person| purpose.business_owner == person.id);
            are_several && owners.any(|person| may(person, purpose))
        };
        // of several people, whoever sees least may be the one who reads it
        let named = |purpose: &Purpose| match people.as_slice() {
            [] => set(purpose),
            some => some.iter().all(|person| may(person, purpose)),
        };
        return of(&|purpose| (is_set && named(purpose)) || owned(purpose));
    }
    let id = SubjectId::parse(&letter.to).ok();
    let Some(person) = id.and_then(|id| in_force.directory.person(&id)) else {
        return Vec::new();
    };
    // a mailbox that others read as well has a letter of its own
    let is_named = whom::mailbox(&letter.to, &in_force.directory).is_some_and(|mailbox| {
        let is_set = digest.to.iter().any(|named| named.is_read_with(&mailbox));
        is_set && reading(&mailbox, in_force).len() == 1
    });
    let owns = |purpose: &Purpose| digest.owners && purpose.business_owner == person.id;
    of(&|purpose| (is_named || owns(purpose)) && may(&person, purpose))
}
