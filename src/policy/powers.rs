//! Somebody before the rules who wants to declare, approve or end a grant, or see what comes of a purpose: as [`hearing`](super::hearing) has it for
//! flows, and with the same long way round for whatever is out of the ordinary.

use std::collections::HashMap;
use std::sync::Arc;

use super::decision::{Decision, Reasons};
use super::engine::{Doubt, Engine, Party};
use super::frame::{Frame, Made};
use super::hearing::SCRATCH;
use super::question::{GrantQuestion, Power, check_power};
use super::reasons::Tally;
use super::request::Nouns;
use super::schema::Book;
use super::values::Circumstances;
use super::{Policy, RuleSet, entity_of};
use crate::facts::Person;

/// The powers as the engine asks about them.
pub(super) type Powers = HashMap<Power, Party>;

pub(super) fn powers(engine: &Engine, book: &Book, nouns: &Nouns) -> Powers {
    let powers = Power::ALL.into_iter().filter_map(|power| {
        let uid = nouns.action(power.as_str());
        let entity = entity_of(&book.actions, &uid);
        Some((power, engine.action(&uid, entity)?))
    });
    powers.collect()
}

impl Policy {
    /// Whether the person may declare, approve, revoke, break the glass or see what comes of a purpose; total, and any doubt denies. It never yields a permit.
    pub fn decide_on_grant(&self, question: &GrantQuestion<'_>) -> Decision {
        let tally = self.weigh_power(question).or_else(|Doubt| {
            let asked = self.nouns.about_grant(question, &self.vocabulary, None)?;
            Ok(self.put(&asked, RuleSet::InEffect))
        });
        match tally {
            Ok(tally) => self.conclude(tally, None),
            Err(trouble) => Decision::deny(Reasons::new(), vec![trouble]),
        }
    }

    pub(super) fn weigh_power(&self, question: &GrantQuestion<'_>) -> Result<Tally, Doubt> {
        check_power(question, &self.vocabulary).map_err(|_| Doubt)?;
        if question.power == Power::MakeToken {
            // asked seldom, and about something else than a purpose: the long way does
            return Err(Doubt);
        }
        let known = |person: &Person| self.known(person, |known| **known == *person, || Arc::new(person.clone()));
        let principal = known(question.person)?;
        let declarer = question.declarer_person.filter(|other| other.id != question.person.id);
        let resource = self.purpose(question)?;
        // what is revoked is looked for among what everybody holds: that must not push out what is asked about all day
        let declarer = match question.power {
            Power::Revoke => declarer.map(|other| self.introduced(other).map(Arc::new)).transpose()?,
            Power::Declare
            | Power::Approve
            | Power::BreakGlass
            | Power::SeeValue
            | Power::GiveDelegation
            | Power::MakeToken => declarer.map(known).transpose()?,
        };
        let channel = question.channel.as_str().into();
        let named_as = question.answering.named_as.map(|named_as| named_as.as_str().into());
        let behalf_of = question.answering.behalf_of.map(|whom| self.nouns.somebody(whom));
        let frame = Frame {
            engine: &self.engine,
            values: &self.memory.values,
            here: Circumstances {
                subject: question.subject,
                arrival: question.arrival,
                request: None,
                at: question.at,
            },
            wall: &principal.1,
            made: &Made::default(),
            claim: None,
            channel: Some(&channel),
            named_as: named_as.as_ref(),
            behalf_of: behalf_of.as_ref(),
            declarer: declarer.as_ref().map(|known| &known.0),
        };
        let action = self.powers.get(&question.power).ok_or(Doubt)?;
        let parties = (&principal.0, action, &*resource);
        let mut tally = Tally::default();
        let counts = |number| self.counts(number, (RuleSet::InEffect, question.at), &mut tally.trials);
        let verdict = SCRATCH.with_borrow_mut(|scratch| self.engine.weigh(parties, &frame, scratch, counts))?;
        tally.add(verdict.allowed, verdict.determining);
        Ok(tally)
    }

    /// The purpose in the engine's terms.
    fn purpose(&self, question: &GrantQuestion<'_>) -> Result<Arc<Party>, Doubt> {
        let (purpose, declarer) = (question.purpose.clone(), question.declarer.clone());
        let key = (purpose, declarer, question.business_owner.clone(), question.longest_for);
        let make = || {
            let (uid, purpose) = self.nouns.about_purpose(question).map_err(|_| Doubt)?;
            Ok(self.engine.resource(&uid, Some(Arc::new(purpose.as_ref().clone()))))
        };
        match question.power {
            Power::Revoke => make().map(Arc::new),
            Power::Declare
            | Power::Approve
            | Power::BreakGlass
            | Power::SeeValue
            | Power::GiveDelegation
            | Power::MakeToken => self.memory.purposes.of(&key, &(), make),
        }
    }
}
