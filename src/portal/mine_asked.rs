//! What others did with what is the person's, on their own page: what waits for them, what has become of the rest of what
//! was asked for, and what they took back.

use std::time::Duration;

use super::declare::named;
use super::inbox::lasts;
use super::mine::ending;
use super::pages::counter::{Answered, Held};
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Answer, Grant, GrantState, SubjectId, Verdict};
use crate::ledger::Life;
use crate::purpose::ALTERNATE;
use crate::rulebook::{InForce, Visitor};

/// For how long an answer stays on the page.
pub(super) const LATELY: Duration = Duration::from_hours(7 * 24);

impl Portal {
    pub(super) fn my_requests(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Held> {
        let grants = self.ledger.grants_of(&visitor.person.id).into_iter();
        let waiting = grants.filter(|grant| grant.waits(visit.at));
        let held = waiting.map(|grant| Held {
            title: self.purpose_title(visit.rules(), &grant.purpose),
            effect: (self.words.once_approved)(&self.effect(visit, &grant), lasts(&grant)),
            statement: grant.statement.clone(),
            left: self.waits_in_words(visit, visitor, &grant),
            token: self
                .tokens
                .issue(&visit.subject.id, &ending(grant.id.as_str()), visit.at),
            renew: None,
            id: grant.id.to_string(),
        });
        held.collect()
    }

    pub(super) fn my_answers(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Answered> {
        let grants = self.ledger.grants_of(&visitor.person.id).into_iter();
        let lately = |grant: &Grant| {
            let answered = grant.answers.last().filter(|answer| answer.missing == 0);
            let answered = answered.map(|answer| answer.at).or(grant.answer_by);
            answered.is_some_and(|at| at <= visit.at && visit.at.since(at) < LATELY)
        };
        let answered = grants.filter(lately);
        answered
            .filter_map(|grant| self.answered_in_words(visit, visitor, &grant))
            .collect()
    }

    /// What somebody else took back lately: who, when and why.
    pub(super) fn my_revoked(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Answered> {
        let grants = self.ledger.grants_of(&visitor.person.id).into_iter();
        let revoked = grants.filter(|grant| grant.state == GrantState::Revoked);
        let told = revoked.filter_map(|grant| {
            let (ended, at) = (grant.ended.as_ref()?, grant.ended_at?);
            let by = name_of(visit.in_force, ended.by.as_str());
            let what = (self.words.was_revoked)(&by, &times::local(self.words, at, visit.at, visitor.person));
            (visit.at.since(at) < LATELY).then(|| Answered {
                title: self.purpose_title(visit.rules(), &grant.purpose),
                effect: self.effect(visit, &grant),
                what,
                note: Some(ended.why.clone()).filter(|why| !why.is_empty()),
            })
        });
        told.collect()
    }

    /// What the person took in an emergency and waits for its review, or was reviewed lately.
    pub(super) fn my_emergencies(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Answered> {
        let words = &self.words.emergency;
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let grants = self.ledger.grants_of(&visitor.person.id).into_iter();
        let told = grants.filter_map(|grant| {
            let emergency = grant.emergency.as_ref()?;
            let (what, note) = match &emergency.review {
                None => {
                    let overdue = emergency.review_by <= visit.at;
                    ((words.review_due)(&when(emergency.review_by), overdue), None)
                }
                Some(review) if visit.at.since(review.at) < LATELY => {
                    let by = name_of(visit.in_force, review.by.as_str());
                    let what = (words.was_reviewed)(&by, &when(review.at), review.accepted);
                    (what, Some(review.note.clone()))
                }
                Some(_) => return None,
            };
            Some(Answered {
                title: self.purpose_title(visit.rules(), &grant.purpose),
                effect: self.effect(visit, &grant),
                what,
                note,
            })
        });
        told.collect()
    }

    /// What has become of a request; none where it waits, was taken back, or nobody had to approve it.
    pub(super) fn answered_in_words(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Option<Answered> {
        let words = self.words;
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        // one of several approvals is no answer yet
        let answer = grant.answers.last().filter(|answer| answer.missing == 0);
        let what = match (answer, Life::of(grant, visit.at)) {
            (Some(answer), life) if !matches!(life, Life::Withdrawn | Life::Revoked) => {
                let by = self.answerer(visit, answer);
                match answer.verdict {
                    Verdict::Approved => (words.was_approved)(&by, &when(answer.at), &when(grant.expires)),
                    Verdict::Declined => (words.was_declined)(&by, &when(answer.at)),
                }
            }
            (None, Life::Lapsed) => {
                let asked = self.were_asked(visit, grant);
                let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
                (words.was_silent)(&asked, &when(grant.answer_by?))
            }
            // nobody answered, or what was approved has been ended since
            (
                _,
                Life::Requested
                | Life::Approved
                | Life::Active
                | Life::Expired
                | Life::Withdrawn
                | Life::Revoked
                | Life::Declined
                | Life::Lapsed,
            ) => return None,
        };
        Some(Answered {
            title: self.purpose_title(visit.rules(), &grant.purpose),
            effect: self.effect(visit, grant),
            what,
            note: answer.map(|answer| answer.note.clone()).filter(|note| !note.is_empty()),
        })
    }

    /// Since when a request waits, for whom, and until when.
    pub(super) fn waits_in_words(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> String {
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let approvers = self.approvers_of(visit, grant, visit.at);
        let approvers: Vec<&str> = approvers.iter().map(String::as_str).collect();
        let until = grant.answer_by.map(when).unwrap_or_default();
        let title = self.purpose_title(visit.rules(), &grant.purpose);
        let later = self.others_later(visit, visitor, grant);
        let others: Vec<&str> = later.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
        let later = later.as_ref().map(|(from, _)| (from.as_str(), others.as_slice()));
        let waits = (self.words.waits)(&title, &approvers, later, &when(grant.declared_at), &until);
        let usually = self.ledger.usually_answered_within(&grant.purpose, visit.at);
        let waits = self
            .words
            .and_how_fast(waits, usually.filter(|_| !approvers.is_empty()));
        let so_far = self.so_far(visit, visitor, grant).filter(|_| !grant.answers.is_empty());
        so_far.map_or(waits.clone(), |so_far| format!("{waits} {so_far}"))
    }

    /// Whoever answered, and as what where that is not plain.
    pub(super) fn answerer(&self, visit: &Visit<'_>, answer: &Answer) -> String {
        let by = name_of(visit.in_force, answer.by.as_str());
        let whom = answer.behalf.as_ref();
        let whom = whom.map(|behalf| name_of(visit.in_force, behalf.whom.as_str()));
        let by = whom.map_or(by.clone(), |whom| (self.words.delegation.by_for)(&by, &whom));
        if answer.seats.contains(ALTERNATE) {
            (self.words.chain.by_alternate)(&by)
        } else {
            by
        }
    }

    /// Where several must approve: how many and who did so far.
    pub(super) fn so_far(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Option<String> {
        let words = &self.words.chain;
        let chain = visit.rules().chain(&grant.purpose);
        let needed = chain.how_many();
        let approved = grant.answers.iter().map(|answer| {
            let at = times::local(self.words, answer.at, visit.at, visitor.person);
            (words.approved_at)(&self.answerer(visit, answer), &at)
        });
        let approved: Vec<String> = approved.collect();
        let approved: Vec<&str> = approved.iter().map(String::as_str).collect();
        let given = needed.saturating_sub(chain.missing(&grant.answers));
        (needed > 1).then(|| (words.so_far)(given, needed, &approved))
    }

    /// Who can still answer a request at that moment, by their names, and how many of them must where one is not enough.
    pub(super) fn approvers_of(&self, visit: &Visit<'_>, grant: &Grant, at: Timestamp) -> Vec<String> {
        let lacking = visit.in_force.lacking(grant, visit.arrival, at).into_iter();
        let names = |of: Vec<SubjectId>| of.iter().map(|id| name_of(visit.in_force, id.as_str())).collect();
        let lacking = lacking.map(|one| (one.needed, names(one.of)));
        self.words.chain.all_those(lacking.collect())
    }
}

pub(super) fn name_of(in_force: &InForce, id: &str) -> String {
    named(&[id.to_owned()], &in_force.directory).concat()
}
