//! As what somebody may answer: as what the terms of a purpose name them, and for each of those who let them answer in their
//! place. The rules are asked about both, whoever acts and whoever lets them: nobody passes on what they may not do
//! themselves, nor what somebody else lets them do.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::weigh::named_as;
use super::{Asking, InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Behalf, Channel, Grant, Person, Reason, Subject, SubjectId};
use crate::policy::Answering;

/// One way in which somebody could answer a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// As what, of those whom the terms of the purpose name.
    pub seats: BTreeSet<String>,
    /// For whom, where that is not themselves.
    pub behalf: Option<Behalf>,
    /// Whether the rules let them.
    pub is_open: bool,
    /// The policies that say so.
    pub reasons: Vec<Reason>,
}

impl InForce {
    /// The ways in which somebody could answer a request, themselves first; none where it is no business of theirs. `lets` are
    /// the delegations to them.
    pub fn ways_to_answer(
        &self,
        who: Visitor<'_>,
        grant: &Grant,
        lets: &[Grant],
        (channel, at): (Channel, Timestamp),
    ) -> Vec<Way> {
        let holder = self.directory.person(&grant.subject);
        let holder = holder.as_deref();
        let own = self.rulebook.may_answer(who, grant, holder, channel, at);
        let own = own.map(|decision| Way {
            seats: self.rulebook.seats(who.person, grant, holder, at),
            behalf: None,
            is_open: decision.is_allowed(),
            reasons: decision.reasons().to_vec(),
        });
        let theirs = lets.iter().filter(|one| is_in_force(one, grant, at));
        let theirs = theirs.filter(|one| one.delegated.as_ref().is_some_and(|to| to.to == who.person.id));
        let for_others = theirs.filter_map(|one| self.way_for(who, (grant, holder), one, (channel, at)));
        own.into_iter().chain(for_others).collect()
    }

    fn way_for(
        &self,
        who: Visitor<'_>,
        (grant, holder): (&Grant, Option<&Person>),
        delegation: &Grant,
        (channel, at): (Channel, Timestamp),
    ) -> Option<Way> {
        if grant.subject == who.person.id || delegation.subject == who.person.id {
            return None;
        }
        let whom = self.directory.person(&delegation.subject)?;
        let seats = self.rulebook.seats(&whom, grant, holder, at);
        let named_as = Some(named_as(&seats)?);
        let subject = Subject {
            id: whom.id.clone(),
            method: who.subject.method,
        };
        // how they would come is not known: as if they came with whoever acts for them
        let lets = Visitor {
            person: &whom,
            subject: &subject,
            ..who
        };
        let theirs = self.rulebook.may_answer(lets, grant, holder, channel, at)?;
        let answering = Answering {
            named_as,
            behalf_of: Some(&whom.id),
        };
        let acting = self
            .rulebook
            .decide_answer(who, (grant, holder), answering, (channel, at));
        let decisions = [&acting, &theirs];
        let refusing = decisions.into_iter().find(|decision| !decision.is_allowed());
        let reasons = match refusing {
            Some(decision) => decision.reasons().to_vec(),
            None => [acting.reasons(), theirs.reasons()].concat(),
        };
        Some(Way {
            seats,
            behalf: Some(Behalf {
                whom: whom.id.clone(),
                delegation: delegation.id.clone(),
            }),
            is_open: refusing.is_none(),
            reasons,
        })
    }

    /// Who can answer what is asked for in the place of some of these, as [`InForce::who_may_answer`] has them; each with
    /// the one for whom.
    pub fn delegates_of(
        &self,
        may: &[Arc<Person>],
        asking: &Asking<'_>,
        lets: &[Grant],
    ) -> Vec<(SubjectId, SubjectId)> {
        let holder = self.directory.person(asking.by);
        let mut delegates = BTreeSet::new();
        for one in lets.iter().filter(|one| one.is_live(asking.at)) {
            let Some(delegated) = one.delegated.as_ref().filter(|to| to.is_for(asking.purpose)) else {
                continue;
            };
            let whom = may.iter().find(|person| person.id == one.subject);
            let acts = self
                .directory
                .person(&delegated.to)
                .filter(|acts| acts.id != *asking.by);
            let (Some(whom), Some(acts)) = (whom, acts) else {
                continue;
            };
            if self.rulebook.could_answer(&acts, Some(whom), asking, holder.as_deref()) {
                delegates.insert((acts.id.clone(), whom.id.clone()));
            }
        }
        delegates.into_iter().collect()
    }
}

fn is_in_force(delegation: &Grant, grant: &Grant, at: Timestamp) -> bool {
    let delegated = delegation.delegated.as_ref();
    delegation.is_live(at) && delegated.is_some_and(|to| to.is_for(&grant.purpose))
}
