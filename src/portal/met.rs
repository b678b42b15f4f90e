//! What people meet at one gateway, told to the others that share its ledger: so that whoever is refused here and sent to the
//! portal finds why, and what would help, at whichever gateway they come to.
//!
//! ```text
//!  refused ──> memory ── soon, or by and by ──> envelope in the ledger ── whoever comes to another gateway ──> its memory
//! ```
//!
//! Nobody who is refused waits for that: the memory is bounded, what pages load by themselves is told once a second, and one
//! gateway tells so much at once and then takes a breath. Whoever is faster than what is on its way is waited for. An envelope
//! holds what the book holds, and the address to go back to; it is sealed for the portals of this ledger.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;

use super::memory::{KEPT, Kept, Met};
use super::recalls::Recalls;
use super::session::RECENT;
use super::{Portal, Refused, Stopped, Visit};
use crate::clock::{Clock, Timestamp};
use crate::facts::{FaultCode, GrantId, Host, Observation, RecordId, RulebookId, SubjectId};
use crate::ledger::{Envelope, LedgerError, Vouched};
use crate::rulebook::Refusal;

/// How much is told at once, and a little more.
const AT_ONCE: usize = 256;
/// How long nothing is told after that.
const BREATH: Duration = Duration::from_millis(20);
/// How often that is told for which nobody waits.
const ROUND: Duration = Duration::from_secs(1);

/// By how much an envelope is later than another at least.
const TICK: Duration = Duration::from_millis(1);

/// How often what is over is forgotten, though nothing new comes.
const FORGETS: Duration = Duration::from_mins(5);

/// How long after a refusal its person may be faster than what is told of it.
const ON_ITS_WAY: Duration = Duration::from_secs(10);
/// How often is looked whether it has come, and how long each time is waited for it.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// How long whoever comes to a portal waits for what other gateways know.
const MOMENT: Duration = Duration::from_secs(1);

pub(super) const REFUSAL: &str = "refusal";
const STOPPED: &str = "stopped";

/// A refusal in an envelope. Why, and what would help, the rules say again.
#[derive(Serialize, Deserialize)]
struct SealedRefusal {
    record: RecordId,
    seen: Observation,
    rulebook: RulebookId,
    back: Option<String>,
    granted: Option<GrantId>,
}

/// A stopped tunnel in an envelope.
#[derive(Serialize, Deserialize)]
struct SealedTunnel {
    record: RecordId,
    host: Host,
    code: FaultCode,
    detail: String,
}

impl Portal {
    /// Tells other gateways what people meet here, and has forgotten in time what portals keep; until it is dropped.
    pub async fn shares(&self, clock: Clock) {
        tokio::join!(self.tells(&clock), self.forgets(&clock));
    }

    async fn forgets(&self, clock: &Clock) {
        let mut rounds = tokio::time::interval(FORGETS);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let now = clock.now();
            self.memory.forgets(now);
            if let Err(trouble) = self.ledger.forget_over(now, (RECENT, KEPT)).await {
                tracing::debug!(%trouble, "what portals kept is not forgotten now");
            }
        }
    }

    async fn tells(&self, clock: &Clock) {
        if !self.ledger.is_shared() {
            return;
        }
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut silent, mut more) = (None, false);
        loop {
            tokio::select! {
                // a round begins also while those who are on their way never end
                biased;
                _ = rounds.tick() => self.memory.begins_round(),
                () = tokio::time::sleep(BREATH), if more => {}
                () = self.memory.soon.notified(), if !more => {}
            }
            more = self.share(clock, &mut silent).await;
        }
    }

    /// Tells some of it; whether there may be more. Why it could not be told before is `silent`.
    async fn share(&self, clock: &Clock, silent: &mut Option<LedgerError>) -> bool {
        let now = clock.now();
        let untold = self.memory.untold(AT_ONCE, now);
        if untold.is_empty() {
            return false;
        }
        let envelopes = untold.iter().filter_map(|met| self.envelope(met)).collect();
        let told = self.ledger.put_envelopes(envelopes, now.minus(KEPT)).await;
        if told.is_err() {
            self.memory.not_told(&untold);
        }
        let (is_told, trouble) = (told.is_ok(), told.err());
        // that the database is out of reach is told where that is noticed
        let unheard = trouble
            .as_ref()
            .filter(|trouble| !matches!(trouble, LedgerError::Lost(_)));
        if let Some(trouble) = unheard.filter(|trouble| silent.as_ref() != Some(*trouble)) {
            tracing::warn!(%trouble, "other gateways are not told what people met here: links to refusals lead nowhere there");
        }
        *silent = trouble;
        is_told
    }

    fn envelope(&self, met: &Met) -> Option<Envelope> {
        let who = met.who()?;
        let (kind, name, stays, text) = match met {
            Met::Refused(kept) => {
                let Kept { refused, granted } = &**kept;
                let sealed = SealedRefusal {
                    record: refused.record.clone(),
                    seen: refused.seen.clone(),
                    rulebook: refused.rulebook.clone(),
                    back: refused.back.clone(),
                    granted: granted.clone(),
                };
                let text = serde_json::to_vec(&sealed).ok()?;
                (REFUSAL, self.name(kept), refused.back.is_some(), text)
            }
            Met::Stopped(stopped) => {
                let sealed = SealedTunnel {
                    record: stopped.record.clone(),
                    host: stopped.host.clone(),
                    code: stopped.code,
                    detail: stopped.detail.clone(),
                };
                let text = serde_json::to_vec(&sealed).ok()?;
                let name = self
                    .seal
                    .name([stopped.host.as_str(), stopped.code.as_str()].into_iter());
                (STOPPED, name, false, text)
            }
        };
        Some(Envelope {
            sealed: self.seal.seal(&[kind, who.as_str(), &name], &text)?,
            who: who.clone(),
            kind: kind.to_owned(),
            at: granted_at(met).map_or(met.at(), |at| at.max(met.at().plus(TICK))),
            name,
            stays,
        })
    }

    /// What an envelope is called: what a person looked at, by its record; anything else, by what was refused, of which the last
    /// time is kept.
    fn name(&self, kept: &Kept) -> String {
        if kept.refused.back.is_some() {
            return kept.refused.record.as_str().to_owned();
        }
        self.seal.name(kept.what())
    }

    /// Brings to mind what other gateways changed, and what the person met there, where the answer takes it. Where that is not
    /// known within a moment, what is known here is all.
    pub(super) async fn recollects(&self, visit: &Visit<'_>, recalls: Recalls) {
        if !self.ledger.is_shared() {
            return;
        }
        let brought = async {
            match recalls {
                Recalls::Nothing => {}
                Recalls::Changes => self.ledger.hears().await,
                Recalls::Refusals => {
                    tokio::join!(self.ledger.hears(), self.looks_up(visit));
                }
            }
        };
        if tokio::time::timeout(MOMENT, brought).await.is_err() {
            tracing::debug!("what other gateways know did not come in time");
        }
    }

    /// Brings to mind what the person met at other gateways.
    async fn looks_up(&self, visit: &Visit<'_>) {
        let who = &visit.subject.id;
        match self.ledger.envelopes_of(who, visit.at.minus(KEPT)).await {
            Ok(envelopes) => {
                let (unopened, all) = self.memory.unopened(who, envelopes);
                let met = unopened
                    .into_iter()
                    .filter_map(|envelope| self.opened(visit, &envelope));
                met.for_each(|met| self.memory.learn(who, met));
                self.memory.has_opened(who, all, visit.at);
            }
            Err(trouble) => tracing::debug!(%trouble, "what somebody met at other gateways is not known"),
        }
    }

    fn opened(&self, visit: &Visit<'_>, envelope: &Envelope) -> Option<Met> {
        let who = &visit.subject.id;
        let what = [envelope.kind.as_str(), who.as_str(), envelope.name.as_str()];
        let text = self.seal.open(&what, &envelope.sealed)?;
        match envelope.kind.as_str() {
            REFUSAL => {
                let sealed: SealedRefusal = serde_json::from_slice(&text).ok()?;
                let granted = sealed.granted.clone();
                let refused = self.refused_as_here(visit, sealed)?;
                Some(Met::Refused(Arc::new(Kept { refused, granted })))
            }
            STOPPED => {
                let sealed: SealedTunnel = serde_json::from_slice(&text).ok()?;
                Some(Met::Stopped(Stopped {
                    who: who.clone(),
                    record: sealed.record,
                    host: sealed.host,
                    code: sealed.code,
                    detail: sealed.detail,
                    at: envelope.at,
                }))
            }
            _ => None,
        }
    }

    /// The refusal as this gateway knows it, or as its rules say it again.
    fn refused_as_here(&self, visit: &Visit<'_>, sealed: SealedRefusal) -> Option<Refused> {
        let SealedRefusal {
            record,
            seen,
            rulebook,
            back,
            granted: _,
        } = sealed;
        let who = &visit.subject.id;
        if seen.subject.as_ref().is_none_or(|subject| subject.id != *who) {
            return None;
        }
        if let Some(known) = self.memory.by_record(who, record.as_str(), visit.at) {
            return Some(known.refused.clone());
        }
        let judgement = visit.rules().judge(&seen);
        let refusal = judgement.permit().err().unwrap_or_else(|| Refusal {
            // other rules are in force here by now, and let it pass
            reasons: Vec::new(),
            of_grants: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            policy_error: false,
            unknown_person: false,
            may_continue: false,
            place: judgement.place().clone(),
            activity: judgement.activity(),
        });
        Some(Refused {
            remedy: visit.rules().remedy(&seen),
            record,
            seen,
            refusal,
            rulebook,
            back,
        })
    }

    /// A refusal of the person's, which another gateway may have answered with a moment ago.
    pub(super) async fn just_met(&self, visit: &Visit<'_>, record: &RecordId) -> Option<Arc<Kept>> {
        let who = &visit.subject.id;
        let known = || self.memory.by_record(who, record.as_str(), visit.at);
        let on_its_way = self.may_be_on_its_way(visit, record);
        for _ in 0..LOOKS {
            let waits = known().is_none() && on_its_way && !self.is_cut_off();
            if !waits {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            // what it waits for may come late, and a page then says so
            let _ = tokio::time::timeout(MOMENT, self.looks_up(visit)).await;
        }
        known()
    }

    /// Whether another gateway may have answered with that record and not told of it yet.
    pub(super) fn may_be_on_its_way(&self, visit: &Visit<'_>, record: &RecordId) -> bool {
        let is_recent = |began| visit.at.since(began) < ON_ITS_WAY;
        self.ledger.is_shared() && record.began().is_some_and(is_recent)
    }

    /// Whether what gateways share cannot be reached.
    pub(super) fn is_cut_off(&self) -> bool {
        self.ledger.vouches(false) != Vouched::Now
    }

    /// Notes which grant was given for a refusal of the person, at all gateways before this returns.
    pub(super) async fn granted_for(&self, visit: &Visit<'_>, record: &str, grant: &GrantId) {
        let who: &SubjectId = &visit.subject.id;
        let Some(kept) = self.memory.granted(who, record, grant) else {
            return;
        };
        if !self.ledger.is_shared() {
            return;
        }
        let envelopes = self.envelope(&Met::Refused(kept)).into_iter().collect();
        let told = self.ledger.put_envelopes(envelopes, visit.at.minus(KEPT)).await;
        // what was granted stands on the person's own page, too
        told.unwrap_or_else(|trouble| tracing::debug!(%trouble, "for what a grant was given is not told"));
    }
}

/// When the grant was given that a refusal was followed by: with it the envelope is a later one, which the refusal alone, told
/// once more, does not take the place of.
fn granted_at(met: &Met) -> Option<Timestamp> {
    match met {
        Met::Refused(kept) => Timestamp::named(kept.granted.as_ref()?.as_str()),
        Met::Stopped(_) => None,
    }
}
