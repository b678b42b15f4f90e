//! What comes before a grant where somebody must approve it: asking, answering, and the silence that declines.
//!
//! Each of them goes the way of giving (`deeds.rs`): nobody is told of it before its record is on disk.

use std::time::Duration;

use super::deeds::NotGranted;
use super::ended::tells;
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{
    Answer, Came, Channel, Grant, GrantAct, GrantId, GrantState, GrantTerms, Reason, RulebookId, SubjectId,
};
use crate::ledger::{LedgerError, Promise};
use crate::purpose::{Consent, Declaration, Hearing, Lapsed, Note, Over, Pending, Why, working_time_after};
use crate::rulebook::{Asking, Outdated, Visitor, Way};

/// Why nothing was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotAnswered {
    /// There is no such request, or it is none of the person's business.
    NoSuch,
    /// It cannot be answered any more.
    Over(Over),
    /// The rules refuse it, or it is the person's own.
    Refused(Vec<Reason>),
    /// The person approved it already, or somebody else as what they are: others must.
    Useless,
    /// It cannot be approved any more; declining is still possible.
    Outdated(Outdated),
    /// Whoever asked holds so many grants, which is as many as one may hold.
    TooMany(usize),
    /// Somebody else answers it at this moment.
    Busy,
    /// It cannot be recorded or kept.
    NotKept,
}

/// For how long whoever answers waits for somebody who answers the same at that moment, and how often they look again.
const LOOKS: usize = 60;
const LOOK: Duration = Duration::from_millis(50);

/// What somebody answers.
#[derive(Clone)]
enum Saying {
    Yes(Note),
    No(Why),
}

/// A request before somebody who may answer it, in these ways.
struct Heard {
    grant: Grant,
    ways: Vec<Way>,
}

impl Heard {
    /// The request before them, in the way in which their approval is one that is missing, or else in the first.
    fn by(
        mut self,
        by: &SubjectId,
        at: Timestamp,
        lacks: impl FnMut(&Way) -> bool,
    ) -> Result<(Hearing, Vec<Reason>), NotAnswered> {
        let place = self.ways.iter().position(lacks).unwrap_or(0);
        if place >= self.ways.len() {
            return Err(NotAnswered::NoSuch);
        }
        let way = self.ways.swap_remove(place);
        let pending = Pending::of(self.grant, at).map_err(NotAnswered::Over)?;
        let hearing = pending.heard_for(by, way.seats, way.behalf);
        let hearing = hearing.map_err(|_own| NotAnswered::Refused(Vec::new()))?;
        Ok((hearing, way.reasons))
    }
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
        (terms, within): (GrantTerms, Duration),
        reasons: Vec<Reason>,
    ) -> Result<Grant, NotGranted> {
        let zone = visit.person.map_or("", |person| person.time_zone.as_str());
        let asking = Asking {
            // whoever is to answer is not there at the weekend
            until: working_time_after(visit.at, within, zone),
            purpose: &terms.purpose,
            by: &terms.subject,
            lasts: terms.expires.since(terms.not_before),
            arrival: visit.arrival,
            at: visit.at,
            // whoever may answer later counts
            waited: within,
        };
        if !visit.in_force.enough_may_answer(&asking) {
            return Err(NotGranted::NeedsApproval);
        }
        let answer_by = asking.until;
        let came = Came {
            arrival: visit.arrival.clone(),
            method: visit.subject.method,
        };
        let promised = self
            .ledger
            .promise_asked((terms, came), answer_by, self.book.segment())
            .await;
        let promise = promised.map_err(NotGranted::from)?.for_call(visit.once.cloned());
        self.fulfil(visit.by(), GrantAct::Requested, promise, &reasons).await
    }

    /// The requests that somebody may answer, and whose approval they lack, in the order in which they were made; each with
    /// the way in which they would.
    pub(super) fn answerable(&self, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Vec<(Grant, Way)> {
        let lets = self.lets(visit, visitor);
        let waiting = self.ledger.waiting(visit.at).into_iter();
        let others = waiting.filter(|grant| grant.subject != visitor.person.id);
        let theirs = others.filter_map(|grant| {
            let ways = visit
                .in_force
                .ways_to_answer(visitor, &grant, &lets, (channel, visit.at));
            let way = ways.into_iter().find(|way| way.is_open && lacks(visit, &grant, way))?;
            Some((grant, way))
        });
        theirs.collect()
    }

    /// The ways in which somebody could answer a request.
    fn ways(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> Vec<Way> {
        let lets = self.lets(visit, visitor);
        visit
            .in_force
            .ways_to_answer(visitor, grant, &lets, (channel, visit.at))
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
        self.is_told_of(visit, visitor, &grant, channel).then_some(grant)
    }

    /// Whether somebody knows of what was asked for: it is their own, or one that they may answer.
    pub(super) fn is_told_of(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> bool {
        let may = || self.ways(visit, visitor, grant, channel).iter().any(|way| way.is_open);
        grant.subject == visitor.person.id || (grant.waits(visit.at) && may())
    }

    /// Approves what somebody asked for: if they may, and it would still be taken.
    pub(super) async fn approve(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (note, channel): (Note, Channel),
    ) -> Result<Grant, NotAnswered> {
        self.say(visit, visitor, id, (Saying::Yes(note), channel)).await
    }

    /// Declines what somebody asked for.
    pub(super) async fn decline(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (why, channel): (Why, Channel),
    ) -> Result<Grant, NotAnswered> {
        self.say(visit, visitor, id, (Saying::No(why), channel)).await
    }

    /// Answers, once whoever answers the same at this moment, here or at another gateway, is done: what they said is looked at
    /// then, so that no answer is lost, and none is given to what is over.
    async fn say(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        (saying, channel): (Saying, Channel),
    ) -> Result<Grant, NotAnswered> {
        let mut changes = self.ledger.changes();
        for _ in 0..LOOKS {
            changes.borrow_and_update();
            let heard = self.hear(visit, visitor, id, channel).await?;
            match self.say_once(visit, visitor, heard, saying.clone()).await {
                // that somebody gave up is no change, so it is also looked for
                Err(NotAnswered::Busy) => drop(tokio::time::timeout(LOOK, changes.changed()).await),
                answered => return answered,
            }
        }
        Err(NotAnswered::NotKept)
    }

    async fn say_once(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        heard: Heard,
        saying: Saying,
    ) -> Result<Grant, NotAnswered> {
        let asked = heard.grant.clone();
        let (id, segment) = (asked.id.clone(), self.book.segment());
        let (hearing, reasons) = heard.by(&visitor.person.id, visit.at, |way| lacks(visit, &asked, way))?;
        let (what, promised) = match saying {
            Saying::Yes(note) => {
                let holder = visit.in_force.directory.person(&asked.subject);
                let fits = visit.rules().still_fits(visitor, &asked, holder.as_deref(), visit.at);
                fits.map_err(NotAnswered::Outdated)?;
                let chain = visit.rules().chain(&asked.purpose);
                let consent = hearing.approve(&chain, note, visit.at);
                match consent.map_err(|_useless| NotAnswered::Useless)? {
                    Consent::Given(approved) => (
                        GrantAct::Approved,
                        self.ledger.promise_approved(approved, segment).await,
                    ),
                    Consent::Partly(partly) => (
                        GrantAct::PartlyApproved,
                        self.ledger.promise_partly(partly, segment).await,
                    ),
                }
            }
            Saying::No(why) => {
                let declined = hearing.decline(why, visit.at);
                (
                    GrantAct::Declined,
                    self.ledger.promise_declined(declined, segment).await,
                )
            }
        };
        self.answer(visit, what, (&id, promised), &reasons).await
    }

    async fn answer(
        &self,
        visit: &Visit<'_>,
        what: GrantAct,
        (id, promised): (&GrantId, Result<Promise, LedgerError>),
        reasons: &[Reason],
    ) -> Result<Grant, NotAnswered> {
        let promise = promised.map_err(|trouble| NotAnswered::because(id, &trouble))?;
        let answered = self.fulfil(visit.by(), what, promise, reasons).await;
        answered.map_err(|why| {
            if let NotGranted::TooMany(held) = why {
                return NotAnswered::TooMany(held);
            }
            // taken back, or answered by somebody else, in the meantime
            if self.ledger.get(id).is_none_or(|grant| !grant.waits(visit.at)) {
                return NotAnswered::Over(Over::Answered);
            }
            tracing::warn!(?why, grant = %id, "an answer could not be kept");
            NotAnswered::NotKept
        })
    }

    /// Why somebody could not answer a request whatever they said.
    pub(super) async fn could_answer(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Result<(), NotAnswered> {
        self.hear(visit, visitor, id, channel).await.map(|_| ())
    }

    /// A request before somebody who may answer it.
    async fn hear(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        channel: Channel,
    ) -> Result<Heard, NotAnswered> {
        let grant = self.ledger.get(id).ok_or(NotAnswered::NoSuch)?;
        let mut ways = self.ways(visit, visitor, &grant, channel);
        let refused = ways.first().ok_or(NotAnswered::NoSuch)?.reasons.clone();
        ways.retain(|way| way.is_open);
        if ways.is_empty() {
            return Err(NotAnswered::Refused(refused));
        }
        self.notice_lapse(visit.rules().id(), &grant, visit.at).await;
        Pending::of(grant.clone(), visit.at).map_err(NotAnswered::Over)?;
        Ok(Heard { grant, ways })
    }

    /// Records and keeps what nobody answered in time. That a request has lapsed follows from the time; this is so that the
    /// book says it once, soon after, or after the next start.
    pub async fn notice_lapses(&self, rulebook: &RulebookId, at: Timestamp) {
        for grant in self.ledger.lapsed(at) {
            self.notice_lapse(rulebook, &grant, at).await;
        }
    }

    /// The same of what the person at the counter asked for, before they are told of it.
    pub(super) async fn notice_own_lapses(&self, visit: &Visit<'_>) {
        let own = self.ledger.grants_of(&visit.subject.id).into_iter();
        for grant in own.filter(|grant| grant.state == GrantState::Requested) {
            self.notice_lapse(visit.rules().id(), &grant, visit.at).await;
        }
    }

    /// Keeps and records what has gone unused for too long. That it is over follows from the time, as with what lapses.
    pub async fn notice_idle(&self, rulebook: &RulebookId, at: Timestamp) {
        for grant in self.ledger.idle(at) {
            // the book tells by itself that it takes nothing, and the next look comes soon
            if self.book.healthy().is_err() {
                return;
            }
            let on_record = self.on_record(GrantAct::Idle, (&grant.subject, rulebook), &[]);
            let once_kept = tells(self.book.clone());
            if let Err(trouble) = self.ledger.end_idle(&grant.id, (at, on_record), once_kept).await {
                tracing::debug!(%trouble, grant = %grant.id, "that a grant went unused was not kept");
            }
        }
    }

    async fn notice_lapse(&self, rulebook: &RulebookId, grant: &Grant, at: Timestamp) {
        let Some(lapsed) = Lapsed::of(grant.clone(), at) else {
            return;
        };
        // what cannot be recorded or kept now is noticed again; book and ledger themselves tell that they keep nothing
        if self.book.healthy().is_err() {
            return;
        }
        let kept = match self.ledger.promise_lapsed(lapsed, self.book.segment()).await {
            Ok(promise) => {
                let by = (&grant.subject, rulebook);
                let kept = self.fulfil(by, GrantAct::Lapsed, promise, &[]).await;
                kept.map_err(|why| format!("{why:?}"))
            }
            Err(trouble) => Err(trouble.to_string()),
        };
        if let Err(why) = kept {
            tracing::debug!(why, grant = %grant.id, "a lapse was not kept");
        }
    }
}

/// Whether a request lacks the approval of somebody who answers so.
fn lacks(visit: &Visit<'_>, grant: &Grant, way: &Way) -> bool {
    let answer = Answer {
        seats: way.seats.clone(),
        behalf: way.behalf.clone(),
        ..Answer::approval(visit.subject.id.clone(), visit.at)
    };
    visit.rules().lacks_answer(grant, answer)
}

pub(super) fn may_answer(visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> bool {
    let holder = visit.in_force.directory.person(&grant.subject);
    let decision = visit
        .rules()
        .may_answer(visitor, grant, holder.as_deref(), channel, visit.at);
    decision.is_some_and(|decision| decision.is_allowed())
}

impl NotAnswered {
    fn because(id: &GrantId, trouble: &LedgerError) -> Self {
        if let LedgerError::BeingAnswered(_) | LedgerError::AnsweredSince(_) = trouble {
            Self::Busy
        } else if let LedgerError::NoSuchGrant(_) = trouble {
            // whoever let them answer does not any more
            Self::NoSuch
        } else if let LedgerError::AlreadyOver(_) = trouble {
            Self::Over(Over::Answered)
        } else if let LedgerError::TooMany(held) = trouble {
            Self::TooMany(*held)
        } else {
            tracing::warn!(%trouble, grant = %id, "a request could not be answered");
            Self::NotKept
        }
    }
}
