//! Break-glass at the counter: a purpose at once and without its approval, told to those who would have approved it, and
//! reviewed by one of them until the next working day. Whoever lets that pass unreviewed takes nothing so any more.
//!
//! Giving goes the way of every grant (`deeds.rs`: promise, book, ledger); a review that of ending: ledger first, book second,
//! and told once the record is on disk.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answers::may_answer;
use super::deeds::NotGranted;
use super::ended::tells;
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{Channel, Emergency, Grant, GrantAct, GrantId, PurposeId, Reason, Review, SubjectId};
use crate::ledger::{LedgerError, MOST_UNREVIEWED};
use crate::purpose::{Declaration, LONGEST_EMERGENCY, Purpose, Why, one_working_day_after};
use crate::rulebook::{Asking, Visitor, Weighing};

/// Why nothing was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotReviewed {
    /// Nothing of the kind waits, or it is none of the person's business.
    NoSuch,
    /// It was reviewed already.
    Over,
    /// The rules refuse it, or it is the person's own.
    Refused(Vec<Reason>),
    /// The ledger cannot keep it.
    NotKept,
    /// It is reviewed, and the record is not on disk yet.
    NotRecorded(Box<Grant>),
}

impl Portal {
    /// Gives at once what somebody states in an emergency, if the rules let them break the glass, and nothing of theirs is
    /// left unreviewed.
    pub(super) async fn break_glass(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
    ) -> Result<Grant, NotGranted> {
        let weighed = visit.rules().weigh_emergency(visitor, declaration, channel, visit.at);
        let (terms, reasons) = match weighed {
            Weighing::Granted { terms, reasons } => (terms, reasons),
            Weighing::Refused(why) => {
                let none_due = Emergency {
                    review_by: visit.at,
                    review: None,
                };
                self.note_refused(visit, visitor, (declaration, channel), why.reasons(), Some(none_due));
                return Err(NotGranted::Refused(why));
            }
            other @ (Weighing::NeedsApproval { .. } | Weighing::Unfit(_)) => {
                return self.settle_weighed(visit, visitor, (declaration, channel), other).await;
            }
        };
        self.has_reviews_done(&visitor.person.id, visit.at)?;
        // nobody takes what nobody could look at
        let lasts = terms.expires.since(terms.not_before);
        if !is_reviewable_for(visit, visitor, &terms.purpose, lasts) {
            return Err(NotGranted::NoReviewer);
        }
        let given = self.keep(visit, (GrantAct::BrokeGlass, terms), &reasons).await?;
        tracing::warn!(
            who = %given.subject, purpose = %given.purpose, ticket = given.ticket, until = %given.expires, grant = %given.id,
            "somebody broke the glass: it is to be reviewed"
        );
        Ok(given)
    }

    /// Whether the person can take some purpose in an emergency; else what keeps them from the first that the rules let them
    /// take, where they let them take any.
    pub(super) fn could_be_urgent(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
    ) -> Result<(), Option<(PurposeId, NotGranted)>> {
        let rules = visit.rules();
        let may = |purpose: &&Purpose| rules.may_break_glass(visitor, purpose, &purpose.covers, visit.at);
        let mut theirs = rules.purposes().iter().filter(may).peekable();
        let first = theirs.peek().map(|purpose| purpose.id.clone()).ok_or(None)?;
        if let Err(why) = self.has_reviews_done(&visitor.person.id, visit.at) {
            return Err(Some((first, why)));
        }
        if theirs.any(|purpose| is_reviewable(visit, visitor, purpose, &purpose.covers)) {
            return Ok(());
        }
        Err(Some((first, NotGranted::NoReviewer)))
    }

    /// Whoever owes too many reviews, or one for too long, breaks no glass until they are done.
    pub(super) fn has_reviews_done(&self, who: &SubjectId, now: Timestamp) -> Result<(), NotGranted> {
        let theirs = self.ledger.grants_of(who);
        let due = theirs.iter().filter(|grant| grant.awaits_review());
        let due: Vec<Timestamp> = due.filter_map(review_by).collect();
        match due.iter().min() {
            Some(since) if *since <= now => Err(NotGranted::ReviewOverdue(*since)),
            Some(_) if due.len() >= MOST_UNREVIEWED => Err(NotGranted::TooManyUnreviewed(due.len())),
            Some(_) | None => Ok(()),
        }
    }

    /// What was taken in an emergency and the person may review, in the order in which it was taken.
    pub(super) fn reviewable(&self, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Vec<Grant> {
        let waiting = self.ledger.unreviewed().into_iter();
        waiting
            .filter(|grant| grant.subject != visitor.person.id && may_answer(visit, visitor, grant, channel))
            .collect()
    }

    /// Why somebody could not review a grant whatever they found; else it, and the rules that let them.
    pub(super) fn could_review(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Result<Vec<Reason>, NotReviewed> {
        let grant = self.ledger.get(id).ok_or(NotReviewed::NoSuch)?;
        let holder = visit.in_force.directory.person(&grant.subject);
        let rules = visit.rules();
        let decision = rules.may_answer(visitor, &grant, holder.as_deref(), channel, visit.at);
        let decision = decision
            .filter(|_| grant.emergency.is_some())
            .ok_or(NotReviewed::NoSuch)?;
        let reasons = decision.reasons().to_vec();
        // the rules say so as well, and this does not hang on them
        if !decision.is_allowed() || grant.subject == visitor.person.id {
            return Err(NotReviewed::Refused(reasons));
        }
        if grant.awaits_review() {
            Ok(reasons)
        } else {
            Err(NotReviewed::Over)
        }
    }

    /// Keeps what somebody found.
    pub(super) async fn review(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (accepted, why, channel): (bool, Why, Channel),
    ) -> Result<Grant, NotReviewed> {
        let reasons = self.could_review(visit, visitor, id, channel)?;
        let said = why.said_by(visitor.person.id.clone());
        let review = Review {
            by: said.by,
            at: visit.at,
            accepted,
            note: said.why,
        };
        let review = (review, self.on_record(GrantAct::Reviewed, visit.by(), &reasons));
        let kept = self.ledger.review(id, review, tells(self.book.clone())).await;
        let reviewed = kept.map_err(|trouble| {
            if matches!(trouble, LedgerError::AlreadyOver(_)) {
                NotReviewed::Over
            } else {
                tracing::warn!(%trouble, grant = %id, "a review could not be kept");
                NotReviewed::NotKept
            }
        })?;
        if let Err(trouble) = self.book.flush().await {
            tracing::warn!(%trouble, grant = %id, "that an emergency was reviewed is not recorded yet");
            return Err(NotReviewed::NotRecorded(Box::new(reviewed)));
        }
        Ok(reviewed)
    }
}

/// Whether somebody could look at it afterwards if the person took `purpose` in an emergency, to cover `covers`.
pub(super) fn is_reviewable(
    visit: &Visit<'_>,
    visitor: Visitor<'_>,
    purpose: &Purpose,
    covers: &BTreeSet<String>,
) -> bool {
    let lasts = purpose.longest_for(covers).min(LONGEST_EMERGENCY);
    is_reviewable_for(visit, visitor, &purpose.id, lasts)
}

fn is_reviewable_for(visit: &Visit<'_>, visitor: Visitor<'_>, purpose: &PurposeId, lasts: Duration) -> bool {
    visit.in_force.is_answerable(&Asking {
        purpose,
        by: &visitor.person.id,
        lasts,
        arrival: visit.arrival,
        at: visit.at,
        waited: Duration::ZERO,
        until: one_working_day_after(visit.at, &visitor.person.time_zone),
    })
}

/// Until when a grant that was taken in an emergency is to be reviewed.
pub(super) fn review_by(grant: &Grant) -> Option<Timestamp> {
    Some(grant.emergency.as_ref()?.review_by)
}
