//! Who may read what was decided about others, and that they did: asked of the rules for each person anew, as they were then
//! (`see-decisions`), and recorded before anything is shown.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::wanted::Wanted;
use super::{Portal, Visit};
use crate::audit::Unavailable;
use crate::clock::Timestamp;
use crate::facts::{
    Access, AccessAct, Act, Arrival, Channel, Grant, Observation, Person, PolicyId, Record, Subject, SubjectId, Token,
};
use crate::rulebook::{Directory, InForce, Rulebook, Visitor};

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

    /// The same person as they are now, before the rules that are in force now; none where these do not let them any more.
    pub(super) fn by_now(&self, in_force: &InForce, at: Timestamp) -> Option<Self> {
        let sees = Self {
            rules: Arc::clone(&in_force.rulebook),
            person: Person::clone(&*in_force.directory.person(&self.person.id)?),
            subject: self.subject.clone(),
            arrival: self.arrival.clone(),
            channel: self.channel,
            at,
            people: in_force.directory.clone(),
            known: BTreeMap::new(),
        };
        sees.may_see_of(&SubjectId::nobody(), None).then_some(sees)
    }

    /// Whether they may read this record.
    pub(super) fn admits(&mut self, record: &Record) -> bool {
        decided(record).is_some_and(|seen| self.may_see(seen))
    }

    /// Whether they may read this line of the book, whatever it is about: as far as it names people, each of them is one of
    /// whom they may.
    fn admits_line(&mut self, record: &Record) -> bool {
        match &record.act {
            Act::Closing { .. } | Act::Opening { .. } | Act::Stray { .. } => self.admits(record),
            Act::Grant { .. } | Act::Token { .. } => {
                record.act.named().iter().all(|whose| self.may_see_named(record, whose))
            }
            Act::Access { access, by, .. } => {
                let mut named = std::iter::once(by).chain(access.about());
                let may_see = named.all(|whose| self.may_see_named(record, whose));
                may_see && self.may_read_of_wanted(record, access, by)
            }
            Act::Gateway { .. } => true,
        }
    }

    /// A line as far as it is told: of what they looked for themselves, everything but who that is whom the rules keep apart from
    /// them. So it reads, and is found, as if nobody were called so: that a line of theirs is not there would tell who is.
    pub(super) fn veiled<'r>(&mut self, record: &'r Record) -> Cow<'r, Record> {
        let Act::Access { access, by, .. } = &record.act else {
            return Cow::Borrowed(record);
        };
        if !self.is_own(by) {
            return Cow::Borrowed(record);
        }
        let about: Vec<&SubjectId> = access.about().collect();
        let mut seen = about.clone();
        seen.retain(|whose| self.may_see_named(record, whose));
        if seen.len() == about.len() {
            return Cow::Borrowed(record);
        }
        let mut veiled = record.clone();
        if let Act::Access { access: told, .. } = &mut veiled.act {
            **told = access.as_ref().clone().of_those_called_so(seen.into_iter().cloned());
        }
        Cow::Owned(veiled)
    }

    /// Whether they look for this line and may read it, as far as it is told.
    pub(super) fn finds(&mut self, wanted: &Wanted, record: &Record) -> bool {
        wanted.admits(record) && {
            let veiled = self.veiled(record);
            let is_wanted = matches!(veiled, Cow::Borrowed(_)) || wanted.admits(&veiled);
            is_wanted && self.admits_line(&veiled)
        }
    }

    /// Whether they may read what was decided about the sender of this.
    pub(super) fn may_see(&mut self, seen: &Observation) -> bool {
        let nobody = SubjectId::nobody();
        let whose = seen.subject.as_ref().map_or(&nobody, |subject| &subject.id);
        let then = seen.person.as_ref().filter(|person| person.id == *whose);
        self.may_see_as(whose, then)
    }

    /// Whether they may read what people wrote of a grant, as its page shows it: it is their own, or the rules let them end it.
    pub(super) fn may_read_text_of(&self, grant: &Grant) -> bool {
        let is_own = grant.subject == self.person.id;
        let states_purpose = grant.delegated.is_none() && grant.continued.is_none();
        // of whoever has left, nobody knows any more what the rules would say
        let may_end = || {
            self.people.person(&grant.subject).is_some_and(|holder| {
                let decision = self
                    .rules
                    .may_end(self.visitor(), grant, Some(&holder), self.channel, self.at);
                decision.is_allowed()
            })
        };
        is_own || (states_purpose && may_end())
    }

    /// Whether that is themselves.
    pub(super) fn is_own(&self, whose: &SubjectId) -> bool {
        *whose == self.person.id
    }

    /// Whether they may read what a token is called, and why it was revoked, likewise.
    pub(super) fn may_read_text_of_token(&self, token: &Token) -> bool {
        let may_end = || {
            self.people.person(&token.subject).is_some_and(|holder| {
                let decision = self
                    .rules
                    .may_end_token(self.visitor(), token, Some(&holder), (self.channel, self.at));
                decision.is_allowed()
            })
        };
        token.subject == self.person.id || may_end()
    }

    /// What people are called today; as they sign in, where the directory does not know them.
    pub(super) fn name_of(&self, id: &SubjectId) -> String {
        let person = self.people.person(id);
        person.map_or_else(|| id.to_string(), |person| person.name.clone())
    }

    /// The rules in force.
    pub(super) fn rules(&self) -> &Rulebook {
        &self.rules
    }

    /// It is asked of whom a line names as they were then. Where neither the line nor the directory knows them, nobody can tell
    /// whether the rules keep them apart, so they do.
    fn may_see_named(&mut self, record: &Record, whose: &SubjectId) -> bool {
        let then = record.people.iter().find(|person| person.id == *whose);
        (self.is_own(whose) || self.knows(record, whose)) && self.may_see_as(whose, then)
    }

    /// Whether they may read that somebody looked for whom they say: what is nobody's name is withheld, and nothing else.
    fn may_read_of_wanted(&mut self, record: &Record, access: &Access, by: &SubjectId) -> bool {
        let wanted = access.wanted.get("user").and_then(|user| SubjectId::parse(user).ok());
        let wanted = wanted.filter(|whose| !self.is_own(by) && self.knows(record, whose));
        wanted.is_none_or(|whose| self.may_see_named(record, &whose))
    }

    /// Whether they may read for what somebody looked: it was themselves, or it names nobody of whom it is not known who they are.
    pub(super) fn may_read_wanted(&self, record: &Record, access: &Access, by: &SubjectId) -> bool {
        let wanted = access.wanted.get("user");
        self.is_own(by)
            || wanted.is_none_or(|user| SubjectId::parse(user).is_ok_and(|whose| self.knows(record, &whose)))
    }

    fn knows(&self, record: &Record, whose: &SubjectId) -> bool {
        record.people.iter().any(|person| person.id == *whose) || self.people.person(whose).is_some()
    }

    /// It is asked of the person as they were then; where the record does not know that, of whoever they are today as well.
    fn may_see_as(&mut self, whose: &SubjectId, then: Option<&Arc<Person>>) -> bool {
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
        let decision = self
            .rules
            .may_see_decisions(self.visitor(), (whose, person), self.channel, self.at);
        decision.is_allowed()
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
        }
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
