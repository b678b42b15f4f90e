//! Who may read what was decided about others, and that they did: asked of the rules for each person anew, as they were then
//! (`see-decisions`), and recorded before anything is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Portal, Visit};
use crate::audit::Unavailable;
use crate::clock::Timestamp;
use crate::facts::{
    Access, AccessAct, Act, Arrival, Channel, Observation, Person, PolicyId, Record, Subject, SubjectId,
};
use crate::rulebook::{Directory, Rulebook, Visitor};

/// Somebody who reads decisions, apart from their request: a search asks from a thread of its own.
pub(super) struct Sees {
    rules: Arc<Rulebook>,
    person: Person,
    subject: Subject,
    arrival: Arrival,
    channel: Channel,
    at: Timestamp,
    people: Directory,
    /// What the rules said last of whom they were asked about, and as whom: people move, and records keep what they were.
    known: BTreeMap<SubjectId, (Option<Arc<Person>>, bool)>,
}

impl Sees {
    /// The person in front.
    pub(super) fn of(visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Self {
        Self {
            rules: Arc::clone(&visit.in_force.rulebook),
            person: visitor.person.clone(),
            subject: visitor.subject.clone(),
            arrival: visitor.arrival.clone(),
            channel,
            at: visit.at,
            people: visit.in_force.directory.clone(),
            known: BTreeMap::new(),
        }
    }

    /// Whether they may read this record.
    pub(super) fn admits(&mut self, record: &Record) -> bool {
        decided(record).is_some_and(|seen| self.may_see(seen))
    }

    /// Whether they may read what was decided about the sender of this. It is asked of the person as they were then; where the
    /// record does not know that, of whoever they are today as well.
    pub(super) fn may_see(&mut self, seen: &Observation) -> bool {
        let nobody = SubjectId::nobody();
        let whose = seen.subject.as_ref().map_or(&nobody, |subject| &subject.id);
        let then = seen.person.as_ref().filter(|person| person.id == *whose);
        if let Some((asked, may)) = self.known.get(whose)
            && asked.as_ref() == then
        {
            return *may;
        }
        let today = then.is_none().then(|| self.people.person(whose)).flatten();
        let may = self.may_see_of(whose, then.map(AsRef::as_ref))
            && today.is_none_or(|today| self.may_see_of(whose, Some(&today)));
        self.known.insert(whose.clone(), (then.cloned(), may));
        may
    }

    fn may_see_of(&self, whose: &SubjectId, person: Option<&Person>) -> bool {
        let who = Visitor {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
        };
        let decision = self
            .rules
            .may_see_decisions(who, (whose, person), self.channel, self.at);
        decision.is_allowed()
    }
}

/// What was seen of a flow that was judged and is over.
fn decided(record: &Record) -> Option<&Observation> {
    match &record.act {
        Act::Closing {
            seen, decided: Some(_), ..
        } => Some(seen),
        Act::Closing { decided: None, .. }
        | Act::Opening { .. }
        | Act::Stray { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Access { .. }
        | Act::Gateway { .. } => None,
    }
}

impl Portal {
    /// The rules that let somebody read what was decided about others at all; none where they do not.
    pub(super) fn may_watch(visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Option<BTreeSet<PolicyId>> {
        let whomever = (&SubjectId::nobody(), None);
        let decision = visit.rules().may_see_decisions(visitor, whomever, channel, visit.at);
        let policies = decision.reasons().iter().map(|reason| reason.policy.clone());
        decision.is_allowed().then(|| policies.collect())
    }

    /// Records that somebody looks; nothing is shown before that is on disk.
    pub(super) async fn note_access(
        &self,
        visit: &Visit<'_>,
        (act, access): (AccessAct, Access),
        policies: BTreeSet<PolicyId>,
    ) -> Result<(), Unavailable> {
        let (by, rulebook) = visit.by();
        let act = Act::Access {
            act,
            access: Box::new(access),
            by: by.clone(),
            rulebook: rulebook.clone(),
            policies,
        };
        let noted = self.book.write(self.book.record(act)).await;
        if let Err(trouble) = &noted {
            tracing::warn!(%trouble, "who reads decisions cannot be recorded, so nobody does");
        }
        noted
    }
}
