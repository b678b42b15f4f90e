//! A refusal with everything that there is to say about it, as it was or as it would be now.

use std::collections::BTreeSet;
use std::time::Duration;

use super::approving::keep_who_may_answer;
use super::pages::{Cause, Pending, Told};
use super::words::Selected;
use super::{Portal, Refused, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Grant, Observation, Offer, PlatformId, PolicyId, PurposeId, Reason, RecordId, Remedy, RulebookId,
    SubjectId, did_you_mean,
};
use crate::ledger::Life;
use crate::purpose::Purpose;
use crate::rulebook::{InEmergency, InForce, Refusal, Rulebook};

/// For how long a page still says that a purpose has run out.
const LATELY: Duration = Duration::from_hours(24);

/// A refusal with everything that there is to say about it.
pub(super) struct Case<'a> {
    activity: Activity,
    pub(super) platform: Option<PlatformId>,
    place: String,
    reasons: Vec<Reason>,
    of_grants: BTreeSet<PolicyId>,
    elsewhere: BTreeSet<PolicyId>,
    cause: Cause,
    pub(super) remedy: Remedy,
    holds_grant: bool,
    selected: Option<Selected>,
    expired: Option<(String, String, Option<Duration>)>,
    /// What would have helped until it ran out not long ago.
    pub(super) ended: Option<Grant>,
    /// What was asked for already, waits, and would help.
    pub(super) waiting: Vec<Grant>,
    /// For which purposes that is.
    asked: BTreeSet<PurposeId>,
    pending: Option<Pending>,
    record: &'a RecordId,
    rulebook: &'a RulebookId,
    repeatable: bool,
    /// What the person could take in an emergency.
    emergencies: Vec<InEmergency>,
    pub(super) may_continue: bool,
}

impl<'a> Case<'a> {
    /// The refusal as it was when it was met.
    pub(super) fn of(portal: &Portal, in_force: &InForce, refused: &'a Refused) -> Self {
        let parts = (refused.refusal.clone(), refused.remedy.clone(), &refused.rulebook);
        Self::with(portal, in_force, refused, &refused.seen, parts)
    }

    /// The refusal as it would be now; none if it would pass.
    pub(super) fn now(portal: &Portal, visit: &Visit<'a>, refused: &'a Refused) -> Option<Self> {
        let seen = portal.seen_now(visit, &refused.seen);
        let refusal = visit.rules().judge(&seen).permit().err()?;
        let remedy = visit.rules().remedy(&seen);
        let parts = (refusal, remedy, visit.rules().id());
        Some(Self::with(portal, visit.in_force, refused, &seen, parts))
    }

    fn with(
        portal: &Portal,
        in_force: &InForce,
        refused: &'a Refused,
        seen: &Observation,
        (refusal, mut remedy, rulebook): (Refusal, Remedy, &'a RulebookId),
    ) -> Self {
        let rules = &in_force.rulebook;
        let emergencies = rules.in_emergency(seen, &remedy);
        for offer in remedy.offers.iter_mut().filter(|offer| offer.needs_approval) {
            keep_who_may_answer(in_force, seen, offer);
        }
        portal.say_how_fast(&mut remedy, seen.at);
        put_ones_own_first(rules, &mut remedy);
        let platform = refusal.place.platform.clone();
        let selected = seen.selected.as_ref();
        let here = |grant: &Grant| {
            let counts = grant.continued.is_none() && selected.is_none_or(|purpose| grant.purpose == *purpose);
            let covered = |platform| grant.platforms.contains(platform);
            counts && platform.as_ref().is_some_and(covered)
        };
        let waiting = portal.waiting_for(seen, platform.as_ref(), &remedy);
        let ended = portal.lately_expired(seen, &remedy, here);
        let asked = waiting.iter().map(|grant| grant.purpose.clone()).collect();
        Self {
            pending: waiting.first().and_then(|grant| pending(portal, in_force, seen, grant)),
            waiting,
            asked,
            holds_grant: seen.standing.grants().iter().any(here),
            selected: remedy.fixes.iter().find_map(|fix| selected_in(rules, seen, fix)),
            expired: ended
                .as_ref()
                .and_then(|last| portal.expired_in_words(rules, seen, last)),
            ended,
            place: place_name(rules, &refusal),
            cause: Cause::from(&refusal),
            may_continue: refusal.may_continue,
            platform,
            activity: refusal.activity,
            reasons: refusal.reasons,
            of_grants: refusal.of_grants,
            elsewhere: refusal.elsewhere,
            remedy,
            record: &refused.record,
            rulebook,
            repeatable: refused.back.is_some(),
            emergencies,
        }
    }

    /// The refusal as pages tell it.
    pub(super) fn told(&'a self, portal: &'a Portal) -> Told<'a> {
        Told {
            words: portal.words,
            portal: &portal.origin,
            activity: &self.activity,
            place: &self.place,
            reasons: &self.reasons,
            of_grants: &self.of_grants,
            elsewhere: &self.elsewhere,
            cause: self.cause,
            remedy: &self.remedy,
            holds_grant: self.holds_grant,
            selected: self.selected.as_ref(),
            expired: self
                .expired
                .as_ref()
                .map(|(title, when, unused)| (title.as_str(), when.as_str(), *unused)),
            pending: self.pending.as_ref(),
            asked: &self.asked,
            record: self.record,
            rulebook: self.rulebook,
            ticket: None,
            repeatable: self.repeatable,
            emergencies: &self.emergencies,
            may_continue: self.may_continue,
        }
    }

    /// The offer for `purpose`.
    pub(super) fn offer(&self, purpose: &PurposeId) -> Option<&Offer> {
        let mut offers = self.remedy.offers.iter();
        offers.find(|offer| offer.purpose == *purpose)
    }
}

impl Portal {
    /// What was seen, as if it were seen now: with what the person holds now.
    pub(super) fn seen_now(&self, visit: &Visit<'_>, seen: &Observation) -> Observation {
        Observation {
            standing: self.ledger.standing(&visit.subject.id, visit.at),
            person: visit.person.cloned(),
            at: visit.at,
            ..seen.clone()
        }
    }

    /// How fast what somebody must approve is usually answered.
    pub(super) fn say_how_fast(&self, remedy: &mut Remedy, now: Timestamp) {
        for offer in remedy.offers.iter_mut().filter(|offer| offer.needs_approval) {
            offer.answered_within = self.ledger.usually_answered_within(&offer.purpose, now);
        }
    }

    /// What people call a purpose; its id, if the catalogue has dropped it since.
    pub(super) fn purpose_title(&self, rules: &Rulebook, id: &PurposeId) -> String {
        let purpose = rules.purposes().get(id);
        purpose.map_or_else(|| id.to_string(), |purpose| self.said(&purpose.title).to_owned())
    }

    /// What the person asked for already that would help once it is approved, the latest first.
    fn waiting_for(&self, seen: &Observation, platform: Option<&PlatformId>, remedy: &Remedy) -> Vec<Grant> {
        let (Some(person), Some(platform)) = (&seen.person, platform) else {
            return Vec::new();
        };
        let would_help = |grant: &Grant| {
            let mut offers = remedy.offers.iter().filter(|offer| offer.needs_approval);
            grant.platforms.contains(platform) && offers.any(|offer| helps(offer, grant))
        };
        let asked = self.ledger.grants_of(&person.id).into_iter();
        asked
            .filter(|grant| grant.waits(seen.at) && would_help(grant))
            .collect()
    }

    /// What would have helped until it ran out not long ago.
    fn lately_expired(&self, seen: &Observation, remedy: &Remedy, here: impl Fn(&Grant) -> bool) -> Option<Grant> {
        let (person, now) = (seen.person.as_ref()?, seen.at);
        let would_help = |grant: &Grant| remedy.offers.iter().any(|offer| helps(offer, grant));
        let ran_out = |grant: &Grant| Life::of(grant, now) == Life::Expired && now.since(grant.until()) < LATELY;
        let held = self.ledger.grants_of(&person.id);
        let last = held
            .into_iter()
            .filter(|grant| here(grant) && would_help(grant) && ran_out(grant));
        last.max_by_key(Grant::until)
    }

    /// Its title, when it ran out, and for how long it was not used where that was why.
    fn expired_in_words(
        &self,
        rules: &Rulebook,
        seen: &Observation,
        last: &Grant,
    ) -> Option<(String, String, Option<Duration>)> {
        let (person, now) = (seen.person.as_ref()?, seen.at);
        Some((
            self.purpose_title(rules, &last.purpose),
            times::local(self.words, last.until(), now, person),
            last.idle.filter(|_| last.fell_idle(now)),
        ))
    }
}

/// Whether a grant like this one would give what is offered.
fn helps(offer: &Offer, grant: &Grant) -> bool {
    offer.purpose == grant.purpose && offer.covers.is_subset(&grant.covers)
}

/// Those that nobody must approve first; of these and of the others, those that are meant for the person and not for everybody.
fn put_ones_own_first(rules: &Rulebook, remedy: &mut Remedy) {
    let for_everybody = |offer: &Offer| {
        let audience = rules.purposes().get(&offer.purpose).map(|purpose| &purpose.audience);
        audience.is_none_or(|audience| audience.roles.is_empty() && audience.departments.is_empty())
    };
    remedy
        .offers
        .sort_by_key(|offer| (offer.needs_approval, for_everybody(offer)));
}

/// A request that waits, as it is told.
fn pending(portal: &Portal, in_force: &InForce, seen: &Observation, grant: &Grant) -> Option<Pending> {
    let person = seen.person.as_ref()?;
    let lacking = in_force.lacking(grant, &seen.arrival, seen.at).into_iter();
    let names = |of: Vec<SubjectId>| of.iter().map(ToString::to_string).collect();
    let lacking = lacking.map(|one| (one.needed, names(one.of)));
    let when = |at| times::local(portal.words, at, seen.at, person);
    let later = in_force.who_may_later(grant, &seen.arrival, seen.at);
    let later = later.map(|(from, people)| {
        let names = people.iter().map(|person| person.id.to_string());
        (when(from), names.collect())
    });
    Some(Pending {
        later,
        title: portal.purpose_title(&in_force.rulebook, &grant.purpose),
        approvers: portal.words.chain.all_those(lacking.collect()),
        since: when(grant.declared_at),
        until: when(grant.answer_by?),
        answered_within: portal.ledger.usually_answered_within(&grant.purpose, seen.at),
    })
}

/// The purpose that was selected, where `fix` is to select another: the audience of one says who may hear what it is called.
pub(super) fn selected_in(rules: &Rulebook, seen: &Observation, fix: &str) -> Option<Selected> {
    let id = Remedy::selected_in(fix)?;
    if id == PurposeId::NOT_ONE {
        return Some(Selected::NotOne);
    }
    if rules.purposes().get(&PurposeId::new(id)).is_some() {
        return Some(Selected::Unfit(id.to_owned()));
    }
    let theirs = |purpose: &&Purpose| {
        let person = seen.person.as_deref();
        person.is_some_and(|person| purpose.audience.holds(person))
    };
    let open = rules
        .purposes()
        .iter()
        .filter(theirs)
        .map(|purpose| purpose.id.as_str());
    let held = seen.standing.grants().iter().map(|grant| grant.purpose.as_str());
    let meant = did_you_mean(&id.to_ascii_lowercase(), open.chain(held)).map(str::to_owned);
    Some(Selected::Unknown(id.to_owned(), meant))
}

fn place_name(rules: &Rulebook, refusal: &Refusal) -> String {
    match &refusal.place.platform {
        Some(id) => platform_name(rules, id),
        None => refusal.place.host.to_string(),
    }
}

/// What people call a platform.
pub(super) fn platform_name(rules: &Rulebook, id: &PlatformId) -> String {
    let platform = rules.catalog().platform(id);
    platform.map_or_else(|| id.to_string(), |platform| platform.name.clone())
}
