//! The one question: may this flow pass, and may it be read?

use std::collections::BTreeSet;

use super::Rulebook;
use super::judgement::{Cause, Judgement};
use crate::facts::{Activity, Grant, Head, Observation, Person, Place, PolicyId, Reading, Reason, Standing, Subject};
use crate::policy::{Decision, Question, RequestFacts};

impl Rulebook {
    /// Judges what was seen: pure, total, and the same every time.
    pub fn judge(&self, seen: &Observation) -> Judgement {
        self.judge_as(seen, None)
    }

    /// Whether a refused flow would pass if its sender also held `grant`; the same answer as [`Rulebook::judge`] gives,
    /// for less: where the flow is read, only the new grant is still to be asked, for all else is known to refuse.
    pub(super) fn would_pass(&self, seen: &Observation, refused: &Judgement, grant: &Grant) -> bool {
        let supposed = Observation {
            standing: Standing::new([grant.clone()], seen.at),
            selected: None,
            ..seen.clone()
        };
        let (Some(reading), true, Some(subject), Some(person)) =
            (refused.reading(), refused.inspect(), &seen.subject, &seen.person)
        else {
            return self.judge_as(&supposed, refused.reading()).is_allowed();
        };
        let counter = Counter {
            rules: self,
            seen: &supposed,
            subject,
            person,
            grants: live(&supposed, person),
        };
        let grants = counter.grants.iter().copied().map(Some);
        let verdict = counter.ask_each(refused.place(), &actions(Some(reading)), seen.ask.head(), grants);
        verdict.errors.is_empty() && verdict.passed.is_some()
    }

    /// Judges what was seen, as if the catalogue had read the request as `reading`.
    pub(super) fn judge_as(&self, seen: &Observation, reading: Option<&Reading>) -> Judgement {
        let place = self.catalog.place(seen.ask.host());
        let judgement = Judgement::closed(place, self.id.clone());
        let (Some(subject), person) = (&seen.subject, &seen.person) else {
            return judgement.because(Cause::NoIdentity);
        };
        // INVARIANT: what the directory knows counts only for the person whom a method proved.
        let Some(person) = person.as_deref().filter(|person| person.id == subject.id) else {
            return judgement.because(Cause::UnknownPerson);
        };
        let counter = Counter {
            rules: self,
            seen,
            subject,
            person,
            grants: live(seen, person),
        };
        counter.judge(judgement, reading)
    }
}

/// The grants that count, narrowest first: live, held by this person, for the selected purpose.
fn live<'a>(seen: &'a Observation, person: &Person) -> Vec<&'a Grant> {
    let counts = |grant: &&Grant| {
        let selected = seen.selected.as_ref().is_none_or(|purpose| grant.purpose == *purpose);
        selected && grant.is_live(seen.at) && grant.subject == person.id
    };
    seen.standing.grants().iter().filter(counts).collect()
}

/// What must be permitted: reaching the host, and everything that the request may do.
fn actions(reading: Option<&Reading>) -> Vec<&str> {
    let activities = reading.into_iter().flat_map(|reading| &reading.activities);
    std::iter::once("connect")
        .chain(activities.map(Activity::as_str))
        .collect()
}

/// One person with what they ask, ready to be put to the rules.
struct Counter<'a> {
    rules: &'a Rulebook,
    seen: &'a Observation,
    subject: &'a Subject,
    person: &'a Person,
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
    fn judge(&self, blank: Judgement, given: Option<&Reading>) -> Judgement {
        let place = blank.place().clone();
        let inspect = self.ask(&place, &["inspect"], None);
        let head = self.seen.ask.head();
        let readable = inspect.passed.is_some() && inspect.errors.is_empty();
        // A flow that may not be read is judged by its host alone, so nothing of the request is looked at.
        let reading = match (given, head) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(head)) if readable => Some(self.rules.catalog.read(&place, head)),
            (None, _) => None,
        };
        let verdict = self.ask(&place, &actions(reading.as_ref()), head);
        let publishes = reading.iter().flat_map(|reading| &reading.activities);
        let publishes = publishes
            .into_iter()
            .any(|one| self.rules.policy.vocabulary().publishes(one));
        blank.filled(reading, publishes, inspect.into_part(), verdict.into_part())
    }

    /// Asks without a grant, then under each.
    fn ask(&self, place: &Place, actions: &[&str], head: Option<&Head>) -> Verdict {
        let grants = self.grants.iter().copied().map(Some);
        self.ask_each(place, actions, head, std::iter::once(None).chain(grants))
    }

    /// Asks under each candidate, and stops at the first that permits. What failed to evaluate on the way is kept: any
    /// of it denies.
    fn ask_each<'g>(
        &self,
        place: &Place,
        actions: &[&str],
        head: Option<&Head>,
        candidates: impl Iterator<Item = Option<&'g Grant>>,
    ) -> Verdict {
        let mut verdict = Verdict {
            passed: None,
            reasons: Vec::new(),
            errors: BTreeSet::new(),
            troubles: Vec::new(),
        };
        for grant in candidates {
            let decision = self.rules.policy.decide(&self.question(place, actions, head, grant));
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

    fn question<'q>(
        &'q self,
        place: &'q Place,
        actions: &'q [&'q str],
        head: Option<&'q Head>,
        grant: Option<&'q Grant>,
    ) -> Question<'q> {
        let request = |head: &'q Head| RequestFacts {
            method: &head.method,
            host: &place.host,
            path: &head.path,
            bytes: head.hints.content_length.unwrap_or(0),
            content_type: head.hints.content_type.as_deref(),
        };
        Question {
            person: self.person,
            subject: self.subject,
            arrival: &self.seen.arrival,
            place,
            authority: self.seen.ask.authority(),
            actions,
            // Only activities may look at the request: `connect` alone is asked without it.
            request: head.filter(|_| actions.len() > 1).map(request),
            grant,
            at: self.seen.at,
        }
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
