//! The only place where grants are given and ended; `answers.rs` has what comes before where somebody must approve.
//!
//! Giving: **promise, book, ledger.** The ledger promises, which is refused where the person holds too many grants; the
//! book records; and a grant counts from the moment that the ledger keeps it. By then its record is on disk: no record,
//! no access. Only then is it answered. A ledger that fails, or a client that goes away, is followed by a second record
//! which says that the grant never counted ([`Undo`]). A promise is forgotten as soon as book and ledger agree: the grant
//! is kept, or the book does not speak of it, or says on disk that it never counted. A crash before that leaves the
//! promise, and the next start makes them agree ([`Portal::settle`]).
//!
//! Asking, approving, declining and what silence declines go the same way: what nobody has been told of may never have been.
//!
//! Ending: **ledger first, book second.** Taking away access never waits for the book; a record that cannot be written
//! now is kept by the book until the disk works again. It is written also when nobody waits for the answer any more. The
//! ledger notes with the end that it is to be told, until the book has it on disk: what a crash takes from the book's
//! memory, the next start tells (`ended.rs`).

use std::collections::BTreeSet;
use std::path::Path;

use super::ended::tells;
use super::told::told_of;
use super::{Portal, Visit};
use crate::audit::Book;
use crate::clock::Timestamp;
use crate::facts::{
    Act, Channel, Emergency, Grant, GrantAct, GrantId, GrantState, GrantTerms, PolicyId, Reason, Record, RulebookId,
    SubjectId,
};
use crate::ledger::{LedgerError, Promise};
use crate::purpose::{Declaration, Unfit};
use crate::rulebook::{NotDeclared, Visitor, Weighing};

/// Why nothing was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGranted {
    /// The declaration does not fit the terms of its purpose.
    Unfit(Vec<Unfit>),
    /// Somebody must approve it first, and nobody was asked: it was stated on the way, or nobody is left who may.
    NeedsApproval,
    /// It is taken in an emergency, and nobody could review it.
    NoReviewer,
    /// The rules refuse it.
    Refused(NotDeclared),
    /// The person asked for as much already, and this waits for an answer; or renewed the grant already, and this is it.
    Already(Box<Grant>),
    /// The person holds so many grants, which is as many as one may hold.
    TooMany(usize),
    /// So many requests of the person wait, which is as many as may.
    TooManyWaiting(usize),
    /// An emergency of the person has been waiting for its review since then: until that is done, they take nothing so.
    ReviewOverdue(Timestamp),
    /// So many emergencies of the person wait for a review, which is as many as may.
    TooManyUnreviewed(usize),
    /// Another gateway has just done it, for the same call.
    Done,
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
    /// It is somebody else's, and they are to hear why.
    TakesAReason,
    /// The ledger cannot keep the change.
    NotKept,
}

impl Portal {
    /// Gives a grant for what somebody declared, if it may be given without anybody's approval.
    pub async fn give(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
    ) -> Result<Grant, NotGranted> {
        let weighed = visit.rules().weigh(visitor, declaration, channel, visit.at);
        if let Weighing::NeedsApproval { .. } = weighed {
            return Err(NotGranted::NeedsApproval);
        }
        self.settle_weighed(visit, visitor, (declaration, channel), weighed)
            .await
    }

    /// Does what comes of a declaration; what somebody must approve is asked for.
    pub(super) async fn settle_weighed(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (declaration, channel): (&Declaration, Channel),
        weighed: Weighing,
    ) -> Result<Grant, NotGranted> {
        match weighed {
            Weighing::Granted { terms, reasons } => self.keep(visit, (GrantAct::Granted, terms), &reasons).await,
            Weighing::NeedsApproval {
                terms, within, reasons, ..
            } => self.ask(visit, (terms, within), reasons).await,
            Weighing::Unfit(unfit) => Err(NotGranted::Unfit(unfit)),
            Weighing::Refused(why) => {
                self.note_refused(visit, visitor, (declaration, channel), why.reasons(), None);
                Err(NotGranted::Refused(why))
            }
        }
    }

    /// Gives what may be given.
    pub(super) async fn keep(
        &self,
        visit: &Visit<'_>,
        (what, terms): (GrantAct, GrantTerms),
        reasons: &[Reason],
    ) -> Result<Grant, NotGranted> {
        let promised = self.ledger.promise(terms, self.book.segment()).await;
        let promise = promised.map_err(NotGranted::from)?.for_call(visit.once.cloned());
        self.fulfil(visit.by(), what, promise, reasons).await
    }

    /// Does what is promised: records it, and only then it counts.
    pub(super) async fn fulfil(
        &self,
        (by, rulebook): (&SubjectId, &RulebookId),
        what: GrantAct,
        promise: Promise,
        reasons: &[Reason],
    ) -> Result<Grant, NotGranted> {
        let grant = promise.grant().clone();
        let said = |what| self.book.record(act(what, &grant, by, rulebook, reasons));
        let (granted, once) = (said(what), promise.once());
        let undo = Undo::armed(&self.book, said(GrantAct::Void), promise);
        if let Err(trouble) = self.book.write(granted).await {
            if !trouble.is_kept() {
                undo.never_recorded();
            }
            return Err(NotGranted::NotKept(trouble.to_string()));
        }
        let given = self.ledger.put_once(grant, once, move |_| undo.given()).await;
        given.map_err(NotGranted::from)
    }

    /// Compares what the life before this one had promised with the book in the folder `records`, before anybody is
    /// let in: of what the book says was given, asked for or answered, and was not, it says that it never counted, and
    /// nothing is left of what it says never counted. What silence declined has lapsed in any case; and what ended, it
    /// tells.
    pub async fn settle(&self, records: &Path, at: Timestamp) -> Result<(), String> {
        let promised = self.ledger.promised();
        let mut told = told_of(records, promised)?;
        for left in promised {
            let Some(told) = told.remove(&left.id) else {
                continue;
            };
            match (left.state, left.was_kept, told.is_void) {
                (_, true, false) | (_, false, true) => {}
                (GrantState::Lapsed, false, false) => over(self.ledger.put(told.grant, |_| ()).await)?,
                (_, false, false) => self.book.note(&self.book.record(told.void)),
                (GrantState::Declined | GrantState::Lapsed, true, true) => {
                    self.book.note(&self.book.record(told.said));
                }
                // one of several approvals stands, and the request with it
                (GrantState::Requested, true, true) if left.answers > 0 => {
                    self.book.note(&self.book.record(told.said));
                }
                // whoever sends the call again for which it was given has it done anew
                (GrantState::Requested, true, true) => {
                    self.ledger
                        .forget_void(&left.id)
                        .await
                        .map_err(|trouble| trouble.to_string())?;
                    over(self.ledger.withdraw(&left.id, at, |_| ()).await)?;
                }
                (GrantState::Active | GrantState::Withdrawn | GrantState::Revoked, true, true) => {
                    self.ledger
                        .forget_void(&left.id)
                        .await
                        .map_err(|trouble| trouble.to_string())?;
                    over(self.ledger.revoke(&left.id, at, |_| ()).await)?;
                }
            }
        }
        let ends = self.tell_ends(records)?;
        self.book.flush().await.map_err(|trouble| trouble.to_string())?;
        self.ledger.told(ends.grants);
        self.ledger.tokens_told(ends.tokens);
        let settled = promised.iter().map(|left| left.id.clone());
        self.ledger.forget(settled.collect());
        Ok(())
    }

    /// Records what the rules refused to give, as it would have been.
    pub(super) fn note_refused(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (declaration, channel): (&Declaration, Channel),
        reasons: &[Reason],
        emergency: Option<Emergency>,
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
            answers: Vec::new(),
            idle: None,
            parent: None,
            emergency,
            continued: None,
            delegated: None,
        };
        let grant = self.ledger.name(terms);
        let said = act(
            GrantAct::Refused,
            &grant,
            &visit.subject.id,
            visit.rules().id(),
            reasons,
        );
        self.book.note(&self.book.record(said));
    }

    /// Ends a grant of the person's own. What others hold is revoked (`revoking.rs`).
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
        // what somebody continued past states no purpose: no rule speaks of it, and it is theirs alone to take back
        let reasons = if grant.continued.is_some() {
            own.then(Vec::new).ok_or(NotEnded::NoSuch)?
        } else {
            let decision = visit.may_end(visitor, &grant, channel);
            let reasons = decision.reasons().to_vec();
            match (decision.is_allowed(), own) {
                (true, true) => reasons,
                (true, false) => return Err(NotEnded::TakesAReason),
                (false, true) => return Err(NotEnded::Refused(reasons)),
                // Whether somebody else holds a grant is not for everybody to find out.
                (false, false) => return Err(NotEnded::NoSuch),
            }
        };
        let on_record = self.on_record(GrantAct::Withdrawn, visit.by(), &reasons);
        let when = (visit.at, on_record);
        let ended = self
            .ledger
            .withdraw_on_record(&id, when, tells(self.book.clone()))
            .await;
        ended.map_err(|trouble| {
            if matches!(trouble, LedgerError::AlreadyOver(_)) {
                NotEnded::Over
            } else {
                tracing::warn!(%trouble, grant = %id, "a grant could not be ended");
                NotEnded::NotKept
            }
        })
    }
}

impl From<LedgerError> for NotGranted {
    fn from(trouble: LedgerError) -> Self {
        if let LedgerError::TooMany(held) = trouble {
            Self::TooMany(held)
        } else if let LedgerError::TooManyWaiting(waiting) = trouble {
            Self::TooManyWaiting(waiting)
        } else if let LedgerError::TooManyUnreviewed(waiting) = trouble {
            Self::TooManyUnreviewed(waiting)
        } else if let LedgerError::AlreadyAsked(first) | LedgerError::AlreadyRenewed(first) = trouble {
            Self::Already(first)
        } else if trouble == LedgerError::DoneAlready {
            Self::Done
        } else {
            Self::NotKept(trouble.to_string())
        }
    }
}

/// A grant that is over already is as it should be.
fn over(ended: Result<Grant, LedgerError>) -> Result<(), String> {
    match ended {
        Ok(_) | Err(LedgerError::AlreadyOver(_)) => Ok(()),
        Err(trouble) => Err(trouble.to_string()),
    }
}

/// Says in the book that a recorded grant never counted, unless the ledger has kept it: also when whoever asked for it
/// goes away in the middle, which ends the request wherever it waits.
struct Undo {
    book: Book,
    void: Option<(Record, Promise)>,
}

impl Undo {
    /// From here on the book may speak of what is promised.
    fn armed(book: &Book, void: Record, mut promise: Promise) -> Self {
        promise.is_on_record();
        Self {
            book: book.clone(),
            void: Some((void, promise)),
        }
    }

    /// The book never speaks of it.
    fn never_recorded(mut self) {
        if let Some((_, promise)) = self.void.take() {
            promise.forget();
        }
    }

    /// It is in force; the ledger itself forgets that it was promised.
    fn given(mut self) {
        self.void = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some((void, promise)) = self.void.take() {
            self.book.note_then(&void, move || promise.forget());
        }
    }
}

pub(super) fn act(what: GrantAct, grant: &Grant, by: &SubjectId, rulebook: &RulebookId, reasons: &[Reason]) -> Act {
    let policies: BTreeSet<PolicyId> = reasons.iter().map(|reason| reason.policy.clone()).collect();
    Act::Grant {
        act: what,
        grant: Box::new(grant.clone()),
        by: by.clone(),
        rulebook: rulebook.clone(),
        policies,
    }
}
