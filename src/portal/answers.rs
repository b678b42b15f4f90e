//! What comes before a grant where somebody must approve it: asking, answering, and the silence that declines.
//!
//! Asking and declining open nothing: the ledger keeps them first, and the book follows. Approving gives, and goes the way of
//! giving (`deeds.rs`).

use super::deeds::{NotGranted, act};
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, GrantAct, GrantId, GrantTerms, Reason, RulebookId};
use crate::ledger::LedgerError;
use crate::purpose::{Declaration, Hearing, Note, Over, Pending, Why};
use crate::rulebook::{Asking, Outdated, Visitor};

/// Why nothing was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotAnswered {
    /// There is no such request, or it is none of the person's business.
    NoSuch,
    /// It cannot be answered any more.
    Over(Over),
    /// The rules refuse it, or it is the person's own.
    Refused(Vec<Reason>),
    /// It cannot be approved any more; declining is still possible.
    Outdated(Outdated),
    /// Whoever asked holds so many grants, which is as many as one may hold.
    TooMany(usize),
    /// It cannot be recorded or kept.
    NotKept,
}

/// A request before somebody who may answer it.
struct Heard {
    hearing: Hearing,
    reasons: Vec<Reason>,
}

impl Portal {
    /// Gives a grant for what somebody declared, or asks for it where somebody must approve it.
    pub(super) async fn give_or_ask(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
    ) -> Result<Grant, NotGranted> {
        let weighed = visit.rules().weigh(visitor, declaration, channel, visit.at);
        self.settle_weighed(visit, visitor, (declaration, channel), weighed)
            .await
    }

    /// Asks for what somebody must approve within that time; not where nobody could.
    pub(super) async fn ask(
        &self,
        visit: &Visit<'_>,
        (terms, within): (GrantTerms, std::time::Duration),
        reasons: Vec<Reason>,
    ) -> Result<Grant, NotGranted> {
        let asking = Asking {
            purpose: &terms.purpose,
            by: &terms.subject,
            lasts: terms.expires.since(terms.not_before),
            arrival: visit.arrival,
            at: visit.at,
            until: visit.at.plus(within),
        };
        if visit.in_force.who_may_answer(&asking).is_empty() {
            return Err(NotGranted::NeedsApproval);
        }
        let once_kept = self.noting(visit, GrantAct::Requested, reasons);
        let asked = self.ledger.ask(terms, visit.at.plus(within), once_kept).await;
        asked.map_err(NotGranted::from)
    }

    /// The requests that somebody may answer, in the order in which they were made.
    pub(super) fn answerable(&self, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Vec<Grant> {
        let waiting = self.ledger.waiting(visit.at).into_iter();
        waiting
            .filter(|grant| grant.subject != visitor.person.id && may_answer(visit, visitor, grant, channel))
            .collect()
    }

    /// One request, if it is the person's own or one that they may answer.
    pub(super) fn asked(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Option<Grant> {
        let grant = self.ledger.get(id)?;
        let own = grant.subject == visitor.person.id;
        let visible = own || (grant.waits(visit.at) && may_answer(visit, visitor, &grant, channel));
        visible.then_some(grant)
    }

    /// Approves what somebody asked for: if they may, and it would still be taken.
    pub(super) async fn approve(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (note, channel): (Note, Channel),
    ) -> Result<Grant, NotAnswered> {
        let Heard { hearing, reasons } = self.hear(visit, visitor, id, channel)?;
        let asked = hearing.grant();
        let holder = visit.in_force.directory.person(&asked.subject);
        let fits = visit.rules().still_fits(visitor, asked, holder.as_deref(), visit.at);
        fits.map_err(NotAnswered::Outdated)?;
        let approved = hearing.approve(note, visit.at);
        let promised = self.ledger.promise_approved(approved, self.book.segment()).await;
        let promise = promised.map_err(|trouble| NotAnswered::because(id, &trouble))?;
        let given = self.fulfil(visit, GrantAct::Approved, promise, &reasons).await;
        given.map_err(|why| {
            if let NotGranted::TooMany(held) = why {
                return NotAnswered::TooMany(held);
            }
            // taken back, or answered by somebody else, in the meantime
            if !self.ledger.get(id).is_some_and(|grant| grant.waits(visit.at)) {
                return NotAnswered::Over(Over::Answered);
            }
            tracing::warn!(?why, grant = %id, "an approval could not be kept");
            NotAnswered::NotKept
        })
    }

    /// Declines what somebody asked for.
    pub(super) async fn decline(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (why, channel): (Why, Channel),
    ) -> Result<Grant, NotAnswered> {
        let Heard { hearing, reasons } = self.hear(visit, visitor, id, channel)?;
        let once_kept = self.noting(visit, GrantAct::Declined, reasons);
        let declined = hearing.decline(why, visit.at);
        let declined = self.ledger.decline(declined, visit.at, once_kept).await;
        declined.map_err(|trouble| NotAnswered::because(id, &trouble))
    }

    /// Why somebody could not answer a request whatever they said.
    pub(super) fn could_answer(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Result<(), NotAnswered> {
        self.hear(visit, visitor, id, channel).map(|_| ())
    }

    /// A request before somebody who may answer it.
    fn hear(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Result<Heard, NotAnswered> {
        let grant = self.ledger.get(id).ok_or(NotAnswered::NoSuch)?;
        let holder = visit.in_force.directory.person(&grant.subject);
        let rules = visit.rules();
        let decision = rules.may_answer(visitor, &grant, holder.as_deref(), channel, visit.at);
        let decision = decision.ok_or(NotAnswered::NoSuch)?;
        let reasons = decision.reasons().to_vec();
        if !decision.is_allowed() {
            return Err(NotAnswered::Refused(reasons));
        }
        let pending = Pending::of(grant, visit.at).map_err(NotAnswered::Over)?;
        let hearing = pending.heard_by(&visitor.person.id);
        let hearing = hearing.map_err(|_own| NotAnswered::Refused(Vec::new()))?;
        Ok(Heard { hearing, reasons })
    }

    /// Keeps and records what nobody answered in time. That a request has lapsed follows from the time; this is so that the
    /// book says it once, soon after, or after the next start.
    pub async fn notice_lapses(&self, rulebook: &RulebookId, at: Timestamp) {
        for grant in self.ledger.lapsed(at) {
            let (book, rulebook) = (self.book.clone(), rulebook.clone());
            let once_kept = move |lapsed: &Grant| {
                let said = act(GrantAct::Lapsed, lapsed, &lapsed.subject, &rulebook, &[]);
                book.note(&book.record(said));
            };
            // what cannot be kept now is noticed again; the ledger itself tells that it keeps nothing
            if let Err(trouble) = self.ledger.lapse(&grant.id, at, once_kept).await {
                tracing::debug!(%trouble, "a lapse was not kept");
            }
        }
    }

    /// Records an act of the visitor once the ledger has kept it, also when nobody waits for the answer any more.
    fn noting(
        &self,
        visit: &Visit<'_>,
        what: GrantAct,
        reasons: Vec<Reason>,
    ) -> impl FnOnce(&Grant) + Send + use<> + 'static {
        let (book, by, rulebook) = (self.book.clone(), visit.subject.id.clone(), visit.rules().id().clone());
        move |grant: &Grant| book.note(&book.record(act(what, grant, &by, &rulebook, &reasons)))
    }
}

fn may_answer(visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> bool {
    let holder = visit.in_force.directory.person(&grant.subject);
    let decision = visit
        .rules()
        .may_answer(visitor, grant, holder.as_deref(), channel, visit.at);
    decision.is_some_and(|decision| decision.is_allowed())
}

impl NotAnswered {
    fn because(id: &GrantId, trouble: &LedgerError) -> Self {
        if let LedgerError::AlreadyOver(_) | LedgerError::BeingAnswered(_) = trouble {
            Self::Over(Over::Answered)
        } else if let LedgerError::TooMany(held) = trouble {
            Self::TooMany(*held)
        } else {
            tracing::warn!(%trouble, grant = %id, "a request could not be answered");
            Self::NotKept
        }
    }
}
