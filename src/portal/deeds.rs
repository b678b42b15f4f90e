//! The only place where grants are given and ended.
//!
//! Giving: **book first, ledger second.** A grant counts from the moment that the ledger keeps it, and by then its
//! record is on disk: no record, no access. Only then is it answered. A crash in between leaves a record of a grant
//! that nobody was told of and that opens nothing; a ledger that fails, or a client that goes away, is followed by a
//! second record which says that the grant never counted ([`Undo`]).
//!
//! Ending: **ledger first, book second.** Taking away access never waits for the book; a record that cannot be written
//! now is kept by the book until the disk works again.

use std::collections::BTreeSet;

use super::{Portal, Visit};
use crate::audit::Book;
use crate::facts::{
    Act, Channel, Grant, GrantAct, GrantId, GrantState, GrantTerms, PolicyId, Reason, Record, RulebookId, SubjectId,
};
use crate::ledger::LedgerError;
use crate::purpose::{Declaration, Unfit};
use crate::rulebook::{Visitor, Weighing};

/// Why nothing was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGranted {
    /// The declaration does not fit the terms of its purpose.
    Unfit(Vec<Unfit>),
    /// Somebody must approve it first.
    NeedsApproval(Vec<SubjectId>),
    /// The rules refuse it.
    Refused(String, Vec<Reason>),
    /// The person holds as many grants as one may hold.
    TooMany(String),
    /// It cannot be recorded or kept.
    NotKept(String),
}

/// Why nothing was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotEnded {
    /// There is no such grant, or it is none of the person's business.
    NoSuch,
    /// It is over already.
    Over,
    /// The rules refuse it.
    Refused(Vec<Reason>),
    /// The ledger cannot keep the change.
    NotKept(String),
}

impl Portal {
    /// Gives a grant for what somebody declared, if it may be given.
    pub async fn give(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
    ) -> Result<Grant, NotGranted> {
        match visit.rules.weigh(visitor, declaration, channel, visit.at) {
            Weighing::Granted(terms) => self.keep(visit, terms).await,
            Weighing::NeedsApproval { approvers, .. } => Err(NotGranted::NeedsApproval(approvers)),
            Weighing::Refused { unfit, .. } if !unfit.is_empty() => Err(NotGranted::Unfit(unfit)),
            Weighing::Refused { reasons, why, .. } => {
                self.note_refused(visit, visitor, declaration, channel, &reasons);
                Err(NotGranted::Refused(why, reasons))
            }
        }
    }

    async fn keep(&self, visit: &Visit<'_>, terms: GrantTerms) -> Result<Grant, NotGranted> {
        let grant = self.ledger.name(terms);
        let said = |what| {
            self.book
                .record(act(what, &grant, &visit.subject.id, visit.rules.id(), &[]))
        };
        let undo = Undo::armed(&self.book, said(GrantAct::Void));
        if let Err(trouble) = self.book.write(said(GrantAct::Granted)).await {
            if !trouble.is_kept() {
                undo.disarm();
            }
            return Err(NotGranted::NotKept(trouble.to_string()));
        }
        self.ledger.put(grant, move || undo.disarm()).await.map_err(|trouble| {
            if matches!(trouble, LedgerError::TooMany(_)) {
                NotGranted::TooMany(trouble.to_string())
            } else {
                NotGranted::NotKept(trouble.to_string())
            }
        })
    }

    /// Records what the rules refused to give, as it would have been.
    fn note_refused(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
        reasons: &[Reason],
    ) {
        let terms = GrantTerms {
            subject: visitor.person.id.clone(),
            purpose: declaration.purpose.clone(),
            platforms: declaration.platforms.clone(),
            covers: declaration.covers.clone().unwrap_or_default(),
            statement: declaration.statement.clone(),
            ticket: declaration.ticket.clone(),
            channel,
            declared_at: visit.at,
            not_before: visit.at,
            expires: visit.at,
            approved_by: None,
        };
        let grant = self.ledger.name(terms);
        let said = act(GrantAct::Refused, &grant, &visit.subject.id, visit.rules.id(), reasons);
        self.book.note(&self.book.record(said));
    }

    /// Ends a grant, the person's own or one that the rules let them end.
    pub(super) async fn end(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &str,
        channel: Channel,
    ) -> Result<Grant, NotEnded> {
        let id = GrantId::new(id);
        let grant = self.ledger.get(&id).ok_or(NotEnded::NoSuch)?;
        let own = grant.subject == visitor.person.id;
        let decision = visit.rules.may_end(visitor, &grant, channel, visit.at);
        if !decision.is_allowed() {
            // Whether somebody else holds a grant is not for everybody to find out.
            let reasons = decision.reasons().to_vec();
            return Err(if own {
                NotEnded::Refused(reasons)
            } else {
                NotEnded::NoSuch
            });
        }
        let (state, what) = if own {
            (GrantState::Withdrawn, GrantAct::Withdrawn)
        } else {
            (GrantState::Revoked, GrantAct::Revoked)
        };
        let ended = self.ledger.end(&id, state, visit.at).await;
        let grant = ended.map_err(|trouble| {
            if matches!(trouble, LedgerError::AlreadyOver(_)) {
                NotEnded::Over
            } else {
                NotEnded::NotKept(trouble.to_string())
            }
        })?;
        let said = act(what, &grant, &visit.subject.id, visit.rules.id(), decision.reasons());
        self.book.note(&self.book.record(said));
        Ok(grant)
    }
}

/// Says in the book that a recorded grant never counted, unless the ledger has kept it: also when whoever asked for it
/// goes away in the middle, which ends the request wherever it waits.
struct Undo {
    book: Book,
    void: Option<Record>,
}

impl Undo {
    fn armed(book: &Book, void: Record) -> Self {
        Self {
            book: book.clone(),
            void: Some(void),
        }
    }

    fn disarm(mut self) {
        self.void = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(void) = &self.void {
            self.book.note(void);
        }
    }
}

fn act(what: GrantAct, grant: &Grant, by: &SubjectId, rulebook: &RulebookId, reasons: &[Reason]) -> Act {
    let policies: BTreeSet<PolicyId> = reasons.iter().map(|reason| reason.policy.clone()).collect();
    Act::Grant {
        act: what,
        grant: Box::new(grant.clone()),
        by: by.clone(),
        rulebook: rulebook.clone(),
        policies,
    }
}
