//! The same once more: what somebody holds, or held until a while ago, on the same terms, without writing anything.
//!
//! A renewal is a declaration like any other, made now and judged by the rules of now: who could not declare it any more
//! cannot renew it, what must be approved is asked for again, and what does not fit the terms of its purpose any more is
//! stated anew. Each grant is bounded by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;

use super::deeds::NotGranted;
use super::inbox::lasts;
use super::intake::Received;
use super::pages::counter::Held;
use super::pages::stating::Once;
use super::pages::{Page, Problem, see_other};
use super::{Portal, Visit, api, times};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, GrantId, GrantState};
use crate::ledger::Life;
use crate::purpose::Declaration;
use crate::rulebook::{Fate, Visitor, Weighing};

/// For how long what is over can be renewed: it is still the same business.
const LATELY: Duration = Duration::from_hours(24);

/// Why nothing was renewed.
#[derive(Debug)]
pub(super) enum NotRenewed {
    /// The person holds no such grant.
    NoSuch,
    /// It was ended by somebody, never counted, or has been over for too long.
    Over,
    /// What it would be is not granted.
    NotGranted(NotGranted),
}

impl Portal {
    /// Gives the same once more, or asks for it where somebody must approve it. What was renewed already, and is not over, is
    /// the renewal: whoever presses a button twice gets one.
    pub(super) async fn renew(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &str,
        channel: Channel,
    ) -> Result<Grant, NotRenewed> {
        let grant = self.ledger.get(&GrantId::new(id)).ok_or(NotRenewed::NoSuch)?;
        if grant.subject != visitor.person.id || grant.continued.is_some() {
            return Err(NotRenewed::NoSuch);
        }
        if !can_be_renewed(&grant, visit.at) {
            return Err(NotRenewed::Over);
        }
        let theirs = self.ledger.grants_of(&grant.subject);
        if let Some(renewal) = theirs.into_iter().find(|other| renews(other, &grant.id, visit.at)) {
            return Ok(renewal);
        }
        let declaration = same_again(&grant);
        let mut weighed = visit.rules().weigh(visitor, &declaration, channel, visit.at);
        if let Weighing::Granted { terms, .. } | Weighing::NeedsApproval { terms, .. } = &mut weighed {
            terms.parent = Some(grant.id.clone());
        }
        let given = self
            .settle_weighed(visit, visitor, (&declaration, channel), weighed)
            .await;
        match given {
            Ok(grant) => Ok(grant),
            Err(NotGranted::Already(first)) => Ok(*first),
            Err(why) => Err(NotRenewed::NotGranted(why)),
        }
    }

    /// Where it is renewed on the person's own page: the token of its button; none where it cannot be, or was already.
    pub(super) fn renewal(&self, visit: &Visit<'_>, grant: &Grant, theirs: &[Grant]) -> Option<String> {
        let renewed = theirs.iter().any(|other| renews(other, &grant.id, visit.at));
        let can = can_be_renewed(grant, visit.at) && !renewed;
        can.then(|| self.tokens.issue(&visit.subject.id, &deed(grant.id.as_str()), visit.at))
    }

    /// What is over since not long ago and can be renewed, the latest first; of each business once.
    pub(super) fn my_ended(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Held> {
        let theirs = self.ledger.grants_of(&visitor.person.id);
        let same = |one: &Grant, other: &Grant| {
            (&one.purpose, &one.platforms, &one.covers) == (&other.purpose, &other.platforms, &other.covers)
        };
        let goes_on = |one: &Grant| theirs.iter().any(|other| is_alive(other, visit.at) && same(one, other));
        let mut over: Vec<&Grant> = theirs.iter().filter(|grant| !is_alive(grant, visit.at)).collect();
        over.sort_by_key(|grant| std::cmp::Reverse(grant.until()));
        let mut shown: BTreeSet<&GrantId> = BTreeSet::new();
        let mut ended = Vec::new();
        for grant in &over {
            let again = over.iter().any(|other| shown.contains(&other.id) && same(grant, other));
            let renewal = self
                .renewal(visit, grant, &theirs)
                .filter(|_| !again && !goes_on(grant));
            let Some(renew) = renewal else { continue };
            shown.insert(&grant.id);
            let until = times::local(self.words, grant.until(), visit.at, visitor.person);
            let unused = grant.idle.filter(|_| grant.fell_idle(visit.at));
            ended.push(Held {
                id: grant.id.to_string(),
                title: self.purpose_title(visit.rules(), &grant.purpose),
                effect: self.effect(visit, grant),
                statement: grant.statement.clone(),
                left: (self.words.ended_at)(&until, unused),
                token: String::new(),
                renew: Some(renew),
            });
        }
        ended
    }

    /// The button beside a refusal that renews what has ended and would help; none where it would not be given, nor asked for.
    pub(super) fn once_more(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Option<Once> {
        let token = self.renewal(visit, grant, &self.ledger.grants_of(&grant.subject))?;
        let words = &self.words.stating;
        let again = same_again(grant);
        let button = match visit.rules().fate(visitor, &again, Channel::Portal, visit.at) {
            Fate::Granted => words.renew,
            Fate::NeedsApproval => words.ask_again,
            Fate::Unfit | Fate::Refused => return None,
        };
        let title = self.purpose_title(visit.rules(), &grant.purpose);
        Some(Once {
            id: grant.id.to_string(),
            what: (words.again)(&title, &self.effect(visit, grant), lasts(grant)),
            button,
            token,
        })
    }

    /// The button was pressed.
    pub(super) async fn renew_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (&deed(id), &form.token)).await {
            return page;
        }
        match self.renew(visit, visitor, id, Channel::Portal).await {
            Ok(grant) => {
                let Some(kept) = self.memory.by_record(&visit.subject.id, &form.refusal, visit.at) else {
                    return see_other(&format!("/?renewed={}", grant.id));
                };
                self.granted_for(visit, &form.refusal, &grant.id).await;
                see_other(&format!("/refusals/{}/granted", kept.refused.record))
            }
            Err(NotRenewed::NoSuch) => self.nothing_here(),
            Err(NotRenewed::Over) => self.note(StatusCode::CONFLICT, words.renew_over_title, words.renew_over),
            Err(NotRenewed::NotGranted(why)) => {
                let status = match why {
                    NotGranted::Done | NotGranted::NotKept(_) => StatusCode::SERVICE_UNAVAILABLE,
                    NotGranted::Refused(_)
                    | NotGranted::NeedsApproval
                    | NotGranted::NoReviewer
                    | NotGranted::ReviewOverdue(_) => StatusCode::FORBIDDEN,
                    NotGranted::Unfit(_)
                    | NotGranted::Already(_)
                    | NotGranted::TooMany(_)
                    | NotGranted::TooManyUnreviewed(_)
                    | NotGranted::TooManyWaiting(_) => StatusCode::CONFLICT,
                };
                let purpose = self.ledger.get(&GrantId::new(id)).map(|grant| grant.purpose);
                let text = self.not_granted_in_words(visit, purpose.as_ref(), &why);
                self.note(status, words.not_renewed_title, &text)
            }
        }
    }

    /// What the person renewed, where the address names it: that it is open again, or is asked for.
    pub(super) fn just_renewed(&self, visitor: Visitor<'_>, received: &Received) -> Option<&'static str> {
        let grant = self.ledger.get(&GrantId::new(received.asked("renewed")?))?;
        let own = grant.subject == visitor.person.id && grant.parent.is_some();
        let waits = grant.state == GrantState::Requested;
        own.then_some(if waits {
            self.words.renewal_asked
        } else {
            self.words.renewed
        })
    }

    pub(super) async fn renew_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        match self.renew(visit, visitor, id, api::channel(received)).await {
            Ok(grant) => self.created(&grant, visit),
            Err(NotRenewed::NoSuch) => api::no_such_grant(),
            Err(NotRenewed::Over) => {
                let (title, text) = (self.words.renew_over_title, self.words.renew_over);
                Problem::new(StatusCode::CONFLICT, "grant-over", title, text).answer()
            }
            Err(NotRenewed::NotGranted(why)) => {
                let purpose = self.ledger.get(&GrantId::new(id)).map(|grant| grant.purpose);
                self.not_granted(visit, purpose.as_ref(), &why)
            }
        }
    }
}

fn same_again(grant: &Grant) -> Declaration {
    Declaration {
        purpose: grant.purpose.clone(),
        platforms: (*grant.platforms).clone(),
        covers: Some((*grant.covers).clone()),
        statement: grant.statement.clone(),
        ticket: grant.ticket.clone(),
        duration: Some(grant.expires.since(grant.not_before)),
    }
}

/// Whether `grant` was given, and is in force at `now` or was until a while ago. What somebody ended they meant to end, and
/// what was taken in an emergency is taken so again, or asked for.
fn can_be_renewed(grant: &Grant, now: Timestamp) -> bool {
    let life = Life::of(grant, now);
    let lately = life == Life::Expired && now.since(grant.until()) < LATELY;
    grant.was_given() && grant.continued.is_none() && grant.emergency.is_none() && (life == Life::Active || lately)
}

fn is_alive(grant: &Grant, now: Timestamp) -> bool {
    !Life::of(grant, now).is_over()
}

fn renews(grant: &Grant, parent: &GrantId, now: Timestamp) -> bool {
    grant.parent.as_ref() == Some(parent) && is_alive(grant, now)
}

/// The deed that a button's token is for.
pub(super) fn deed(id: &str) -> String {
    format!("renew {id}")
}
