//! What a grant opens, activity by activity: its purpose covers whole groups of them, and the rules may open less inside these.
//! So nobody is asked to approve what would stay shut all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Rulebook;
use super::remedy::{By, hypothetical};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Answer, Category, Grant, GrantState, Host, Person, Place, PlatformId, SiteRole, SubjectId,
};
use crate::policy::{NamedKind, Outlook};
use crate::purpose::Purpose;

/// What a grant opens on some of its platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// On these.
    pub platforms: BTreeSet<PlatformId>,
    /// These activities, of those that it covers; none where it opens nothing that is read.
    pub activities: BTreeSet<Activity>,
}

/// Hosts that neither the rules nor the grant can tell apart: its platform and its name where a rule names them, and whether
/// it is one of the platforms of the grant.
type Kind<'p> = (
    Option<&'p PlatformId>,
    Option<&'p Host>,
    bool,
    &'p BTreeSet<Category>,
    &'p BTreeSet<SiteRole>,
);

impl Rulebook {
    /// What a grant could open to its holder while it lives, by the rules in force: platforms on which that is the same stand
    /// together. What was asked for is taken for approved. Nothing where nobody can tell.
    pub fn opened_by(&self, holder: &Person, grant: &Grant, at: Timestamp) -> Vec<Opened> {
        let lasts = grant.expires.since(grant.not_before);
        let waits = grant.state == GrantState::Requested;
        let is_only_asked = grant.answer_by.is_some() && grant.approved_by().is_none();
        let supposed = is_only_asked.then(|| self.approved(holder, grant, at)).flatten();
        let grant = supposed.as_ref().unwrap_or(grant);
        let life = match grant.answer_by.filter(|_| waits) {
            Some(until) => (at, at.max(until).plus(lasts)),
            None if (grant.not_before..grant.expires).contains(&at) => (at, grant.expires),
            None => (grant.not_before, grant.expires),
        };
        let outlook = self.policy.outlook(holder, grant, life);
        outlook.map_or_else(Vec::new, |outlook| self.opened_under(&outlook, grant))
    }

    /// The activities that a grant of `purpose` could open to whoever states it, if it covered all that it can, on any of these
    /// platforms.
    pub fn opened_by_stating(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        platforms: &BTreeSet<PlatformId>,
        at: Timestamp,
    ) -> BTreeSet<Activity> {
        let approver = purpose.supposed_approver(&who.person.id, who.person.manager.as_ref());
        let by = match &approver {
            Some(approver) if purpose.approval.is_needed() => By::Approval(approver),
            Some(_) | None => By::Declaring,
        };
        self.opened_if_held(who.person, purpose, (by, at), platforms)
    }

    /// The same, taken in an emergency.
    pub fn opened_in_emergency(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        platforms: &BTreeSet<PlatformId>,
        at: Timestamp,
    ) -> BTreeSet<Activity> {
        self.opened_if_held(who.person, purpose, (By::Emergency, at), platforms)
    }

    pub(super) fn opened_if_held(
        &self,
        person: &Person,
        purpose: &Purpose,
        (by, at): (By<'_>, Timestamp),
        platforms: &BTreeSet<PlatformId>,
    ) -> BTreeSet<Activity> {
        let grant = hypothetical(purpose, (&person.id, at), &purpose.covers, by, platforms);
        let lasts = (by, at, purpose.default_for(&purpose.covers));
        let outlook = self.outlook(person, (purpose, &grant), lasts);
        let outlook = outlook.map(Outlook::of_any_ticket);
        let opened = outlook.map_or_else(Vec::new, |outlook| self.opened_under(&outlook, &grant));
        opened.into_iter().flat_map(|one| one.activities).collect()
    }

    /// Of these activities those in one of the groups.
    pub(super) fn in_groups(&self, among: &BTreeSet<Activity>, covers: &BTreeSet<String>) -> BTreeSet<Activity> {
        let known = self.policy.vocabulary().activities();
        let is_in = |activity: &&Activity| known.get(activity).is_some_and(|groups| !groups.is_disjoint(covers));
        among.iter().filter(is_in).cloned().collect()
    }

    /// What was asked for, as if somebody had approved it.
    fn approved(&self, holder: &Person, grant: &Grant, at: Timestamp) -> Option<Grant> {
        let purpose = self.purposes.get(&grant.purpose)?;
        let by: SubjectId = purpose.supposed_approver(&holder.id, holder.manager.as_ref())?;
        let mut answers = grant.answers.clone();
        answers.push(Answer::approval(by, at));
        Some(Grant {
            answers,
            ..grant.clone()
        })
    }

    /// Each kind of host is looked at once, on however many platforms it is.
    fn opened_under(&self, outlook: &Outlook<'_>, grant: &Grant) -> Vec<Opened> {
        let activities = self.policy.vocabulary().activities().iter();
        let covered = activities.filter(|(_, groups)| !groups.is_disjoint(&grant.covers));
        let covered: Vec<&Activity> = covered.map(|(activity, _)| activity).collect();
        let [platforms, sites] = [NamedKind::Platform, NamedKind::Site].map(|kind| self.policy.names_of(kind));
        let is_own = |place: &Place| place.platform.as_ref().is_some_and(|id| grant.platforms.contains(id));
        let mut known: BTreeMap<Kind<'_>, BTreeSet<&Activity>> = BTreeMap::new();
        let mut parts: Vec<Opened> = Vec::new();
        for platform in grant.platforms.iter() {
            let mut opened: BTreeSet<&Activity> = BTreeSet::new();
            for place in self.places_of(platform) {
                let kind = (
                    place.platform.as_ref().filter(|id| platforms.contains(id.as_str())),
                    Some(&place.host).filter(|host| sites.contains(host.as_str())),
                    is_own(place),
                    Arc::as_ref(&place.categories),
                    Arc::as_ref(&place.roles),
                );
                let here = known.entry(kind).or_insert_with(|| outlook.opened(place, &covered));
                opened.extend(here.iter().copied());
            }
            let activities: BTreeSet<Activity> = opened.into_iter().cloned().collect();
            match parts.iter_mut().find(|part| part.activities == activities) {
                Some(part) => {
                    part.platforms.insert(platform.clone());
                }
                None => parts.push(Opened {
                    platforms: BTreeSet::from([platform.clone()]),
                    activities,
                }),
            }
        }
        parts
    }
}
