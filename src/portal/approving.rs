//! Who must approve what somebody would ask for, as pages tell it: at once, and from when on others may as well.
//!
//! Rules may look at how long it lasts, which hangs on how far it goes: where that makes a difference, each is told.

use std::sync::Arc;
use std::time::Duration;

use super::declare::named;
use super::effects::doings;
use super::mine_asked::name_of;
use super::words::Words;
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Arrival, Grant, Later, Observation, Offer, Person};
use crate::purpose::{Purpose, working_time_after};
use crate::rulebook::{Answerers, Asking, InForce, Visitor, Width};

/// Whoever would ask.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) person: &'a Person,
    pub(super) arrival: &'a Arrival,
    pub(super) at: Timestamp,
}

impl<'a> Asker<'a> {
    /// Whoever was seen; none where nobody knows them.
    pub(super) fn seen(seen: &'a Observation) -> Option<Self> {
        Some(Self {
            person: seen.person.as_deref()?,
            arrival: &seen.arrival,
            at: seen.at,
        })
    }

    /// Who could answer what they would ask for, if it lasted so long.
    pub(super) fn answerers(&self, in_force: &InForce, purpose: &Purpose, lasts: Duration) -> Answerers {
        in_force.answerers(&Asking {
            purpose: &purpose.id,
            by: &self.person.id,
            lasts,
            arrival: self.arrival,
            at: self.at,
            // whoever is to answer is not there at the weekend
            until: working_time_after(self.at, purpose.answer_within, &self.person.time_zone),
            waited: Duration::ZERO,
        })
    }

    /// Who must approve each of these, or all; nothing where nobody could approve any.
    pub(super) fn must_approve(
        &self,
        words: &Words,
        in_force: &InForce,
        (purpose, widths): (&Purpose, &[Width]),
    ) -> Option<String> {
        let each = widths.iter().map(|width| {
            let answerers = self.answerers(in_force, purpose, width.default_for);
            (width, in_words(words, in_force, (purpose, &answerers)))
        });
        let each: Vec<(&Width, Option<String>)> = each.collect();
        let (_, first) = each.first()?;
        if each.iter().all(|(_, said)| said == first) {
            return first.clone();
        }
        let each = each.into_iter().map(|(width, said)| {
            let said = said.unwrap_or_else(|| words.stating.nobody_now.to_owned());
            let doings = doings((&in_force.rulebook, words), &width.covers, &width.opens);
            (words.stating.to_do)(&doings, &said)
        });
        Some(each.collect::<Vec<_>>().join(" "))
    }
}

fn in_words(words: &Words, in_force: &InForce, (purpose, answerers): (&Purpose, &Answerers)) -> Option<String> {
    let names = |people: &[Arc<Person>]| {
        let ids: Vec<String> = people.iter().map(|one| one.id.to_string()).collect();
        named(&ids, &in_force.directory)
    };
    let at_once = words
        .chain
        .those(purpose.answering().how_many(), names(&answerers.at_once));
    let at_once: Vec<&str> = at_once.iter().map(String::as_str).collect();
    let later = answerers.later.as_ref().map(|(after, people)| (*after, names(people)));
    let others: Vec<&str> = later.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
    let later = later.as_ref().map(|(after, _)| (*after, others.as_slice()));
    let said = || (words.must_approve)(&at_once, later, purpose.answer_within);
    answerers.is_any().then(said)
}

/// Names of those who could approve an offer, going by the terms of its purpose, only who may.
pub(super) fn keep_who_may_answer(in_force: &InForce, seen: &Observation, offer: &mut Offer) {
    let purpose = in_force.rulebook.purposes().get(&offer.purpose);
    let (Some(asker), Some(purpose)) = (Asker::seen(seen), purpose) else {
        return;
    };
    let who = |lasts| asker.answerers(in_force, purpose, lasts);
    let mut answerers = who(offer.default_for);
    if !answerers.is_any() {
        // what goes further lasts less long, and may be approved
        let mut further = in_force.rulebook.widths(seen, offer).into_iter().skip(1);
        let found = further.find_map(|width| Some(who(width.default_for)).filter(Answerers::is_any));
        answerers = found.unwrap_or_default();
    }
    let ids = |people: &[Arc<Person>]| people.iter().map(|one| one.id.to_string()).collect();
    offer.approvers = ids(&answerers.at_once);
    offer.later = answerers.later.map(|(after, people)| Later {
        after,
        approvers: ids(&people),
    });
}

impl Portal {
    /// Who may answer a request as well, and from when on by the person's clock, where that is yet to come.
    pub(super) fn others_later(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        grant: &Grant,
    ) -> Option<(String, Vec<String>)> {
        let (from, people) = visit.in_force.who_may_later(grant, visit.arrival, visit.at)?;
        let names = people.iter().map(|person| name_of(visit.in_force, person.id.as_str()));
        Some((
            times::local(self.words, from, visit.at, visitor.person),
            names.collect(),
        ))
    }

    /// Who could answer a request in the end that nobody answered, by their names.
    pub(super) fn were_asked(&self, visit: &Visit<'_>, grant: &Grant) -> Vec<String> {
        let at = grant.declared_at;
        let later = visit.in_force.who_may_later(grant, visit.arrival, at);
        let later = later.into_iter().flat_map(|(_, people)| people);
        let later = later.map(|person| name_of(visit.in_force, person.id.as_str()));
        let mut asked = self.approvers_of(visit, grant, at);
        asked.extend(later);
        asked
    }
}
