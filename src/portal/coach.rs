//! Going on after being told why not, where the rules or the gateway only coach: with the button below the explanation, or
//! with one call. What somebody continued past is kept as grants are: in the book and the ledger before it counts.

use std::time::Duration;

use http::StatusCode;

use super::api::{not_found, not_kept};
use super::deeds::NotGranted;
use super::intake::Received;
use super::pages::counter::Proceed;
use super::pages::{Page, Problem, retry_after, see_other};
use super::revocations::AGAIN;
use super::{Portal, Refused, Visit};
use crate::facts::{Channel, Continued, Grant, GrantAct, Host, RecordId};
use crate::rulebook::Visitor;

/// Why somebody cannot continue.
enum NotContinued {
    /// It passes by now.
    Passes,
    /// The rules insist.
    Firm,
    /// It cannot be recorded or kept.
    NotKept(NotGranted),
}

impl Portal {
    /// The button on the page of a refusal.
    pub(super) fn proceed(&self, visit: &Visit<'_>, refused: &Refused) -> Proceed {
        let deed = continuing(refused.record.as_str());
        Proceed {
            token: self.tokens.issue(&visit.subject.id, &deed, visit.at),
            hint: (self.words.continue_hint)(self.continues_for()),
        }
    }

    /// The button was pressed.
    pub(super) async fn go_on_by_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (words, who) = (self.words, &visit.subject.id);
        let form = received.form().unwrap_or_default();
        if let Err(page) = self
            .meant(visit, received, (&continuing(&form.refusal), &form.token))
            .await
        {
            return page;
        }
        let Some(kept) = self.memory.by_record(who, &form.refusal, visit.at) else {
            return self.note(StatusCode::NOT_FOUND, words.link_over_title, words.link_over);
        };
        match self.go_on(visit, &kept.refused, Channel::Portal).await {
            Ok(grant) => {
                self.granted_for(visit, &form.refusal, &grant.id).await;
                see_other(&format!("/refusals/{}/granted", kept.refused.record))
            }
            Err(NotContinued::Passes) => self.already_allowed(visitor, &kept),
            Err(NotContinued::Firm) => self.note(StatusCode::FORBIDDEN, words.not_continued_title, words.not_continued),
            Err(NotContinued::NotKept(NotGranted::TooMany(held))) => {
                self.note(StatusCode::CONFLICT, words.too_many_title, &(words.too_many)(held))
            }
            Err(NotContinued::NotKept(_)) => {
                self.note(StatusCode::SERVICE_UNAVAILABLE, words.not_kept_title, words.not_kept)
            }
        }
    }

    /// A tool continues past one of its own refusals.
    pub(super) async fn go_on_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (record, channel): (&str, Channel),
    ) -> Page {
        let words = self.words;
        let record = RecordId::new(record);
        let kept = match self.awaited.place(&visitor.person.id) {
            // another gateway may be about to tell of it
            Some(_place) => self.just_met(visit, &record).await,
            // one call of a person waits for that, so that nobody has many looked for
            None => self.memory.by_record(&visitor.person.id, record.as_str(), visit.at),
        };
        let Some(kept) = kept else {
            if self.may_be_on_its_way(visit, &record) {
                return not_known_yet();
            }
            return not_found("You met no such refusal in the last 24 hours.");
        };
        let problem = |status, kind, title, text: &str| Problem::new(status, kind, title, text).answer();
        match self.go_on(visit, &kept.refused, channel).await {
            Ok(grant) => self.created(&grant, visit),
            Err(NotContinued::Passes) => {
                let (title, text) = (words.already_allowed_title, words.already_allowed);
                problem(StatusCode::CONFLICT, "already-allowed", title, text)
            }
            Err(NotContinued::Firm) => {
                let (title, text) = (words.not_continued_title, words.not_continued);
                problem(StatusCode::FORBIDDEN, "prohibited", title, text)
            }
            Err(NotContinued::NotKept(NotGranted::TooMany(held))) => {
                let (title, text) = (words.too_many_title, (words.too_many)(held));
                problem(StatusCode::CONFLICT, "too-many-grants", title, &text)
            }
            Err(NotContinued::NotKept(_)) => not_kept(words.not_kept_title, words.not_kept),
        }
    }

    /// Keeps that the person continues, if they may: by the rules of this moment.
    async fn go_on(&self, visit: &Visit<'_>, refused: &Refused, channel: Channel) -> Result<Grant, NotContinued> {
        let seen = self.seen_now(visit, &refused.seen);
        let judgement = visit.rules().judge(&seen);
        if judgement.permit().is_ok() {
            return Err(NotContinued::Passes);
        }
        let terms = visit.rules().past(&seen, &judgement, (self.continues_for(), channel));
        let terms = terms.ok_or(NotContinued::Firm)?;
        let kept = self
            .keep(visit, (GrantAct::Continued, terms), judgement.reasons())
            .await;
        kept.map_err(NotContinued::NotKept)
    }

    fn continues_for(&self) -> Duration {
        Duration::from_mins(self.settings.continue_minutes)
    }

    /// What somebody may do who continued, in words.
    pub(super) fn effect_of(&self, continued: &Continued, grant: &Grant, places: &[&str]) -> String {
        let words = self.words;
        let host = continued.host.iter().map(Host::as_str);
        let places: Vec<&str> = places.iter().copied().chain(host).collect();
        let doing = |what: &str| match what {
            "read" => (words.groups)(&[what]),
            other => (words.activity)(other),
        };
        // what a page does without being asked goes without saying
        let what = grant
            .covers
            .iter()
            .map(String::as_str)
            .filter(|what| *what != "passive");
        let mut doing: Vec<String> = what.map(doing).collect();
        if doing.is_empty() {
            doing.push((words.activity)("connect"));
        }
        (words.where_and_what)(&places, &doing.join(words.semicolon))
    }
}

/// Another gateway has just refused it, and this one does not know of it yet.
fn not_known_yet() -> Page {
    let (title, detail) = (
        "The refusal is not known here yet",
        "Another gateway may have answered with it a moment ago. Send the call again in a moment.",
    );
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "record-unavailable", title, detail);
    let mut page = problem.in_english().answer();
    retry_after(&mut page, AGAIN);
    page
}

/// The deed that the button's token is for.
fn continuing(record: &str) -> String {
    format!("continue {record}")
}
