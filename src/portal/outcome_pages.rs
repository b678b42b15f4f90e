//! What came of it, on pages: asked on the holder's own, and on that of a grant.

use std::cmp::Reverse;

use http::StatusCode;

use super::intake::Received;
use super::mine_asked::name_of;
use super::outcomes::{NotReported, Said, Unsaid};
use super::pages::counter::ToReport;
use super::pages::grant::OneGrant;
use super::pages::{Page, see_other};
use super::words::ENGLISH;
use super::{Portal, Visit, times};
use crate::facts::{Channel, Grant, GrantId, Report};
use crate::ledger::Life;
use crate::rulebook::Visitor;

/// Of how many grants a page asks at once, and how many answers it offers to correct.
const AT_ONCE: usize = 5;

impl Portal {
    /// The grants of which the person is asked what came of them, what ended last first; and what they said lately.
    pub(super) fn my_outcomes(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> [Vec<ToReport>; 2] {
        let mut theirs = self.ledger.grants_of(&visitor.person.id);
        // nobody is asked about what they never used
        theirs.retain(|grant| grant.can_be_reported(visit.at) && (grant.was_used() || grant.report.is_some()));
        theirs.sort_by_key(|grant| Reverse(grant.until()));
        let (said, asked): (Vec<Grant>, Vec<Grant>) = theirs.into_iter().partition(|grant| grant.report.is_some());
        [asked, said].map(|grants| {
            let forms = grants
                .iter()
                .filter_map(|grant| self.outcome_form(visit, visitor, grant));
            forms.take(AT_ONCE).collect()
        })
    }

    /// The form of one grant; none where nothing can be said of it.
    fn outcome_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Option<ToReport> {
        let words = self.words;
        let metric = Self::counted(visit, grant).filter(|_| grant.can_be_reported(visit.at))?;
        let until = times::local(words, grant.until(), visit.at, visitor.person);
        let unused = grant.idle.filter(|_| grant.fell_idle(visit.at));
        let amount = grant.report.as_ref().and_then(|said| said.amount);
        Some(ToReport {
            id: grant.id.to_string(),
            title: self.purpose_title(visit.rules(), &grant.purpose),
            effect: self.effect(visit, grant),
            ended: (words.ended_at)(&until, unused),
            metric: self.said(metric).to_owned(),
            amount: amount.map(|amount| amount.to_string()).unwrap_or_default(),
            text: grant.report.as_ref().map(|said| said.text.clone()).unwrap_or_default(),
            said: grant.report.as_ref().map(|said| {
                let amount = said.amount.map(words.outcome.number);
                (words.outcome.you_said)(self.said(metric), amount.as_deref(), said.is_skipped())
            }),
            token: self.tokens.issue(&visit.subject.id, &deed(grant.id.as_str()), visit.at),
        })
    }

    /// The page of one grant: of the person's own, or of one that the rules let them end, whoever holds it.
    pub(super) fn grant_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        let grant = self.ledger.get(&GrantId::new(id));
        let Some(grant) = grant.filter(|grant| visit.may_look_at(visitor, grant)) else {
            return self.nothing_here();
        };
        let words = self.words;
        let is_own = grant.subject == visitor.person.id;
        let life = Life::of(&grant, visit.at);
        let may_watch = || Self::may_watch(visit, visitor, Channel::Portal).is_some();
        let page = OneGrant {
            w: words,
            who: &visitor.person.name,
            title: self.held_title(visit, &grant),
            holder: (!is_own).then(|| name_of(visit.in_force, grant.subject.as_str())),
            effect: self.effect(visit, &grant),
            life: self.life_in_words(visit, visitor, (&grant, life)),
            statement: &grant.statement,
            ticket: grant.ticket.as_deref(),
            history: self.history(visit, visitor, &grant),
            outcome: self.outcome_form(visit, visitor, &grant).filter(|_| is_own),
            revoke: (!is_own && !life.is_over()).then(|| format!("/grants/revoke?grant={}", grant.id)),
            decisions: may_watch().then(|| format!("/decisions?grant={}", grant.id)),
            story: may_watch().then(|| format!("/decisions?kind=all&grant={}", grant.id)),
            id: grant.id.as_str(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// Where a grant is in its life.
    fn life_in_words(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (grant, life): (&Grant, Life)) -> String {
        let words = self.words;
        let when = |at| times::local(words, at, visit.at, visitor.person);
        match life {
            Life::Requested => self.waits_in_words(visit, visitor, grant),
            Life::Approved | Life::Active => {
                let unused = grant.idle_until().map(|idle| idle.since(visit.at));
                (words.left)(grant.expires.since(visit.at), &when(grant.expires), unused)
            }
            Life::Expired | Life::Withdrawn | Life::Revoked | Life::Declined | Life::Lapsed => {
                let unused = grant.idle.filter(|_| grant.fell_idle(visit.at));
                (words.ended_at)(&when(grant.until()), unused)
            }
        }
    }

    /// The form was sent.
    pub(super) async fn report_by_form(
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
        let said = if form.skip.is_empty() {
            Said::read(&form.amount, &form.note)
        } else {
            Ok(Said::skipped())
        };
        let said = match said {
            Ok(said) => said,
            Err(why) => {
                let text = (words.outcome.unsaid)(why);
                return self.note(StatusCode::UNPROCESSABLE_ENTITY, words.outcome.not_kept_title, &text);
            }
        };
        match self.report(visit, visitor, (&GrantId::new(id), said)).await {
            Ok(grant) => see_other(&format!("/?reported={}", grant.id)),
            Err(NotReported::NoSuch) => self.nothing_here(),
            Err(NotReported::NotAsked) => self.note(
                StatusCode::CONFLICT,
                words.outcome.not_asked_title,
                words.outcome.not_asked,
            ),
            Err(NotReported::NotKept) => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.outcome.not_kept_title,
                words.outcome.not_kept,
            ),
            Err(NotReported::NotRecorded(_)) => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.outcome.not_recorded_title,
                words.outcome.not_recorded,
            ),
        }
    }

    /// Whether the person has said what came of the grant that the address names.
    pub(super) fn just_reported(&self, visitor: Visitor<'_>, received: &Received) -> Option<&'static str> {
        let grant = self.ledger.get(&GrantId::new(received.asked("reported")?))?;
        let own = grant.subject == visitor.person.id && grant.report.is_some();
        own.then_some(self.words.outcome.noted)
    }
}

/// What is wrong, for whoever writes a client.
pub(super) fn wrong(why: Unsaid) -> (&'static str, String) {
    match why {
        Unsaid::Nothing => (
            "amount",
            "say how much in `amount`, or what in `text`; or `{\"skip\": true}`".to_owned(),
        ),
        Unsaid::NoNumber => ("amount", format!("a whole number from 0 to {}", Report::MOST)),
        Unsaid::Invisible(sign) => ("text", (ENGLISH.stating.invisible)(sign)),
        Unsaid::LongText => ("text", format!("say it in at most {} characters", Report::LONGEST)),
    }
}

impl Visit<'_> {
    /// Whether somebody may look at a grant: it is their own, or the rules let them end it. What somebody continued past is
    /// theirs alone to take back, and has no page.
    pub(super) fn may_look_at(&self, visitor: Visitor<'_>, grant: &Grant) -> bool {
        let is_own = grant.subject == visitor.person.id;
        let may_end = || grant.delegated.is_none() && self.may_end(visitor, grant, Channel::Portal).is_allowed();
        grant.continued.is_none() && (is_own || may_end())
    }
}

/// The deed that the token of the form is for.
pub(super) fn deed(id: &str) -> String {
    format!("report {id}")
}
