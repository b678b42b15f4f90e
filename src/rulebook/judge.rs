//! The one question: may this flow pass, and may it be read?

use std::collections::BTreeSet;

use super::Rulebook;
use super::judgement::{Cause, Judgement};
use crate::facts::{Activity, Grant, Head, Observation, Person, Place, PolicyId, Reading, Reason, Subject};
use crate::policy::{Decision, Hearing, Question, RequestFacts};

impl Rulebook {
    /// Judges what was seen: pure, total, and the same every time.
    pub fn judge(&self, seen: &Observation) -> Judgement {
        self.judge_as(seen, None)
    }

    /// Judges what was seen, as if the catalogue had read the request as `reading`.
    pub(super) fn judge_as(&self, seen: &Observation, reading: Option<&Reading>) -> Judgement {
        let place = self.catalog.place(seen.ask.host());
        let judgement = Judgement::closed(place.clone(), self.id.clone());
        let (Some(subject), person) = (&seen.subject, &seen.person) else {
            return judgement.because(Cause::NoIdentity);
        };
        // INVARIANT: what the directory knows counts only for the person whom a method proved.
        let Some(person) = person.as_deref().filter(|person| person.id == subject.id) else {
            return judgement.because(Cause::UnknownPerson);
        };
        let counter = Counter {
            rules: self,
            hearing: self.policy.hear(&flow(seen, subject, person, &place)),
            grants: live(seen, person),
        };
        counter.judge(judgement, seen.ask.head(), reading)
    }
}

/// The grants that count, narrowest first: live, held by this person, for the selected purpose.
pub(super) fn live<'a>(seen: &'a Observation, person: &Person) -> Vec<&'a Grant> {
    let counts = |grant: &&Grant| {
        let selected = seen.selected.as_ref().is_none_or(|purpose| grant.purpose == *purpose);
        selected && grant.is_live(seen.at) && grant.subject == person.id
    };
    seen.standing.grants().iter().filter(counts).collect()
}

/// What must be permitted: reaching the host, and everything that the request may do.
pub(super) fn actions(reading: Option<&Reading>) -> Vec<&str> {
    let activities = reading.into_iter().flat_map(|reading| &reading.activities);
    std::iter::once("connect")
        .chain(activities.map(Activity::as_str))
        .collect()
}

/// What the rules may know of a flow before they are asked anything.
pub(super) fn flow<'a>(
    seen: &'a Observation,
    subject: &'a Subject,
    person: &'a Person,
    place: &'a Place,
) -> Question<'a> {
    let request = |head: &'a Head| RequestFacts {
        method: &head.method,
        host: &place.host,
        path: &head.path,
        bytes: head.hints.content_length.unwrap_or(0),
        content_type: head.hints.content_type.as_deref(),
    };
    Question {
        person,
        subject,
        arrival: &seen.arrival,
        place,
        authority: seen.ask.authority(),
        actions: &[],
        // Only activities may look at the request: `connect` and `inspect` are asked without it.
        request: seen.ask.head().map(request),
        grant: None,
        at: seen.at,
    }
}

/// One person's flow before the rules, with the grants that count.
struct Counter<'a> {
    rules: &'a Rulebook,
    hearing: Hearing<'a>,
    grants: Vec<&'a Grant>,
}

/// What became of one question under every grant that was tried.
struct Verdict {
    passed: Option<(Decision, Option<Grant>)>,
    reasons: Vec<Reason>,
    errors: BTreeSet<PolicyId>,
    troubles: Vec<String>,
}

impl Counter<'_> {
    fn judge(&self, blank: Judgement, head: Option<&Head>, given: Option<&Reading>) -> Judgement {
        let inspect = self.ask(&["inspect"]);
        let readable = inspect.passed.is_some() && inspect.errors.is_empty();
        // A flow that may not be read is judged by its host alone, so nothing of the request is looked at.
        let reading = match (given, head) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(head)) if readable => Some(self.rules.catalog.read(blank.place(), head)),
            (None, _) => None,
        };
        let verdict = self.ask(&actions(reading.as_ref()));
        let publishes = reading.iter().flat_map(|reading| &reading.activities);
        let publishes = publishes
            .into_iter()
            .any(|one| self.rules.policy.vocabulary().publishes(one));
        blank.filled(reading, publishes, inspect.into_part(), verdict.into_part())
    }

    /// Asks without a grant, then under each, and stops at the first that permits. What failed to evaluate on the way
    /// is kept: any of it denies.
    fn ask(&self, actions: &[&str]) -> Verdict {
        let mut verdict = Verdict {
            passed: None,
            reasons: Vec::new(),
            errors: BTreeSet::new(),
            troubles: Vec::new(),
        };
        let grants = self.grants.iter().copied().map(Some);
        for grant in std::iter::once(None).chain(grants) {
            let decision = self.hearing.decide(actions, grant);
            verdict.errors.extend(decision.errors().iter().cloned());
            verdict.troubles.extend(decision.troubles().iter().cloned());
            if decision.is_allowed() {
                verdict.reasons = decision.reasons().to_vec();
                verdict.passed = Some((decision, grant.cloned()));
                break;
            }
            for reason in decision.reasons() {
                if !verdict.reasons.iter().any(|known| known.policy == reason.policy) {
                    verdict.reasons.push(reason.clone());
                }
            }
        }
        verdict
    }
}

/// One half of a judgement: what was decided, and why.
pub(super) struct Part {
    pub(super) decision: Option<Decision>,
    pub(super) grant: Option<Grant>,
    pub(super) reasons: Vec<Reason>,
    pub(super) errors: BTreeSet<PolicyId>,
    pub(super) troubles: Vec<String>,
}

impl Verdict {
    fn into_part(self) -> Part {
        let (decision, grant) = self.passed.unzip();
        Part {
            decision,
            grant: grant.flatten(),
            reasons: self.reasons,
            errors: self.errors,
            troubles: self.troubles,
        }
    }
}
