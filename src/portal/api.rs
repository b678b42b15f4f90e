//! The same counter for tools: JSON in, JSON or problem documents out.

use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::Value;

use super::answers::NotAnswered;
use super::deeds::{NotEnded, NotGranted};
use super::intake::{self, Received};
use super::pages::{self, Page, Problem};
use super::{Portal, Visit, once};
use crate::facts::{Channel, Grant, GrantId, GrantState, Person, PurposeId, SubjectId};
use crate::ledger::Life;
use crate::purpose::{Note, Why};
use crate::rulebook::Visitor;

impl Portal {
    pub(super) async fn post_grant(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let declaration = match received.declaration() {
            Ok(declaration) => declaration,
            Err(problem) => return problem.answer(),
        };
        let channel = channel(received);
        match self.give_or_ask(visit, visitor, &declaration, channel).await {
            Ok(grant) => self.created(&grant, visit),
            Err(NotGranted::Already(first)) => self.created(&first, visit),
            Err(why) => self.not_granted(visit, Some(&declaration.purpose), &why),
        }
    }

    /// The answer to whoever was not given what they wanted.
    pub(super) fn not_granted(&self, visit: &Visit<'_>, purpose: Option<&PurposeId>, why: &NotGranted) -> Page {
        match why {
            NotGranted::Already(first) => self.created(first, visit),
            NotGranted::Unfit(unfit) => {
                let wrong = unfit
                    .iter()
                    .map(|one| pages::field(one.field().as_str(), (self.words.unfit)(one)));
                intake::unfit(self.words, wrong.collect()).answer()
            }
            NotGranted::NeedsApproval => match purpose {
                Some(purpose) => self.needs_approval(visit, purpose),
                None => no_such_grant(),
            },
            NotGranted::NoReviewer => match purpose {
                Some(purpose) => self.no_reviewer(visit, purpose),
                None => no_such_grant(),
            },
            NotGranted::Refused(why) => {
                let policies: Vec<&str> = why.reasons().iter().map(|reason| reason.policy.as_str()).collect();
                let (title, text) = (self.words.not_declared_title, (self.words.not_declared)(why));
                let problem = Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &text);
                problem.with("policies", policies).answer()
            }
            NotGranted::TooMany(held) => {
                let (title, text) = (self.words.too_many_title, (self.words.too_many)(*held));
                Problem::new(StatusCode::CONFLICT, "too-many-grants", title, &text).answer()
            }
            NotGranted::TooManyWaiting(waiting) => {
                let (title, text) = (
                    self.words.too_many_waiting_title,
                    (self.words.too_many_waiting)(*waiting),
                );
                Problem::new(StatusCode::CONFLICT, "too-many-requests", title, &text).answer()
            }
            NotGranted::ReviewOverdue(since) => {
                let (title, text) = (self.words.emergency.overdue_title, self.words.emergency.overdue);
                let problem = Problem::new(StatusCode::FORBIDDEN, "review-overdue", title, text);
                problem.with("since", since.to_string()).answer()
            }
            NotGranted::TooManyUnreviewed(waiting) => {
                let (title, text) = (
                    self.words.emergency.overdue_title,
                    (self.words.emergency.too_many)(*waiting),
                );
                Problem::new(StatusCode::CONFLICT, "too-many-unreviewed", title, &text).answer()
            }
            NotGranted::Done => once::in_use(),
            NotGranted::NotKept(_) => not_kept(self.words.not_kept_title, self.words.not_kept),
        }
    }

    pub(super) async fn approve_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let note = match received.note() {
            Ok(note) => note,
            Err(problem) => return problem.answer(),
        };
        let (id, channel) = (GrantId::new(id), channel(received));
        if let Err(page) = self.may_be_asked_again(visit, visitor, &id, received).await {
            return page;
        }
        match self.approve(visit, visitor, &id, (note, channel)).await {
            Ok(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            Err(why) => self.not_answered(&why),
        }
    }

    pub(super) async fn decline_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let why = match received.note().map(Why::of) {
            Ok(Some(why)) => why,
            Ok(None) => return self.wants_a_reason(),
            Err(problem) => return problem.answer(),
        };
        let (id, channel) = (GrantId::new(id), channel(received));
        if let Err(page) = self.may_be_asked_again(visit, visitor, &id, received).await {
            return page;
        }
        match self.decline(visit, visitor, &id, (why, channel)).await {
            Ok(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            Err(why) => self.not_answered(&why),
        }
    }

    /// The answer to whoever declines without a word.
    fn wants_a_reason(&self) -> Page {
        let (title, text) = (self.words.reason_title, (self.words.reason_wanted)(Note::MOST));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "reason-required", title, &text)
            .with("errors", vec![pages::field("note", self.words.say_why)])
            .answer()
    }

    /// Nobody is asked for a password about something that is none of their business.
    async fn may_be_asked_again(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &GrantId,
        received: &Received,
    ) -> Result<(), Page> {
        if let Err(why) = self.could_answer(visit, visitor, id, channel(received)).await {
            return Err(self.not_answered(&why));
        }
        self.proves_again(visit, &received.headers).await.map(drop)
    }

    fn not_answered(&self, why: &NotAnswered) -> Page {
        let words = self.words;
        let problem = |status, kind, title: &str, text: &str| Problem::new(status, kind, title, text).answer();
        match why {
            NotAnswered::NoSuch => not_found("No such request waits for you. GET /v1/approvals lists those that do."),
            NotAnswered::Over(over) => {
                let (title, text) = (words.request_over_title, (words.request_over)(*over));
                problem(StatusCode::CONFLICT, "request-over", title, text)
            }
            NotAnswered::Refused(reasons) => {
                let (title, text) = (words.may_not_answer_title, (words.may_not_answer)(reasons));
                problem(StatusCode::FORBIDDEN, "prohibited", title, &text)
            }
            NotAnswered::Useless => {
                let (title, text) = (words.chain.approved_already_title, words.chain.approved_already);
                problem(StatusCode::CONFLICT, "already-approved", title, text)
            }
            NotAnswered::Outdated(outdated) => {
                let (title, text) = (words.outdated_title, (words.outdated)(outdated));
                problem(StatusCode::CONFLICT, "request-outdated", title, &text)
            }
            NotAnswered::TooMany(held) => {
                let (title, text) = (words.outdated_title, (words.holds_too_many)(*held));
                problem(StatusCode::CONFLICT, "too-many-grants", title, &text)
            }
            NotAnswered::Busy | NotAnswered::NotKept => not_kept(words.not_answered_title, words.not_answered),
        }
    }

    fn needs_approval(&self, visit: &Visit<'_>, purpose: &PurposeId) -> Page {
        let detail = self.nobody_approves(visit, purpose);
        let title = (self.words.needs_approval_title)(&self.purpose_title(visit.rules(), purpose));
        let owner = visit
            .rules()
            .purposes()
            .get(purpose)
            .map(|purpose| &purpose.business_owner);
        Problem::new(StatusCode::FORBIDDEN, "approval-required", &title, &detail)
            .with("outcome", "request")
            .with("approvers", Vec::<Value>::new())
            .with("owner", owner.map(SubjectId::as_str))
            .answer()
    }

    fn no_reviewer(&self, visit: &Visit<'_>, purpose: &PurposeId) -> Page {
        let (title, text) = (
            self.words.emergency.nobody_reviews_title,
            self.nobody_reviews(visit, purpose),
        );
        let known = visit.rules().purposes().get(purpose);
        Problem::new(StatusCode::FORBIDDEN, "no-reviewer", title, &text)
            .with("owner", known.map(|purpose| purpose.business_owner.as_str()))
            .answer()
    }

    /// One of the person's own grants, or one that waits for them.
    pub(super) fn show_grant(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str, channel: Channel) -> Page {
        match self.asked(visit, visitor, &GrantId::new(id), channel) {
            Some(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            None => no_such_grant(),
        }
    }

    pub(super) async fn delete_grant(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &str,
        received: &Received,
    ) -> Page {
        match self.end(visit, visitor, id, channel(received)).await {
            Ok(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            Err(NotEnded::NoSuch) => no_such_grant(),
            Err(NotEnded::Over) => {
                let words = self.words;
                Problem::new(
                    StatusCode::CONFLICT,
                    "grant-over",
                    words.grant_over_title,
                    words.grant_over,
                )
                .answer()
            }
            Err(NotEnded::Refused(reasons)) => {
                let title = self.words.may_not_end_title;
                Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &self.joined(&reasons)).answer()
            }
            Err(NotEnded::TakesAReason) => self.wants_a_reason_to_revoke("reason"),
            Err(NotEnded::NotKept) => not_kept(self.words.not_ended_title, self.words.not_ended),
        }
    }

    /// A grant with where it is in its life now.
    pub(super) fn shown(&self, grant: &Grant, visit: &Visit<'_>) -> Value {
        let mut value = self.with_what_is_asked(grant, visit);
        let life = Life::of(grant, visit.at);
        if let Some(members) = value.as_object_mut() {
            members.insert(
                "title".to_owned(),
                self.purpose_title(visit.rules(), &grant.purpose).into(),
            );
            members.insert("state".to_owned(), life.as_str().into());
            let left = grant.expires.since(visit.at).as_secs();
            let left = if life == Life::Active { left } else { 0 };
            members.insert("left_s".to_owned(), left.into());
            let unused = grant.idle_until().filter(|_| life == Life::Active);
            let unused = unused.map(|until| ("idle_left_s".to_owned(), until.since(visit.at).as_secs().into()));
            members.extend(unused);
            if life == Life::Expired {
                let why = if grant.fell_idle(visit.at) { "idle" } else { "time" };
                members.insert("expired_by".to_owned(), why.into());
            }
            if life == Life::Requested {
                members.extend(self.waiting_members(visit, grant));
            }
        }
        value
    }

    /// A grant that is given, or one that waits until somebody approves it (RFC 9110 §15.3.3).
    pub(super) fn created(&self, grant: &Grant, visit: &Visit<'_>) -> Page {
        given(grant.state == GrantState::Requested, &self.shown(grant, visit), grant)
    }
}

/// The same, of a grant that is shown so.
pub(super) fn given(waits: bool, shown: &Value, grant: &Grant) -> Page {
    let status = if waits {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    };
    let mut page = pages::json(status, shown);
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/grants/{}", grant.id)) {
        page.headers_mut().insert(header::LOCATION, place);
    }
    page
}

pub(super) fn ids(people: &[Arc<Person>]) -> Vec<SubjectId> {
    people.iter().map(|person| person.id.clone()).collect()
}

pub(super) fn not_kept(title: &str, detail: &str) -> Page {
    let mut page = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "record-unavailable", title, detail).answer();
    page.headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    page
}

pub(super) fn no_such_grant() -> Page {
    not_found("You hold no such grant. GET /v1/grants lists those that you hold.")
}

/// There is nothing at this address, or nothing that is the person's business.
pub(super) fn not_found(detail: &str) -> Page {
    let problem = Problem::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", detail);
    problem.in_english().answer()
}

/// Which tool speaks: our own command line says so. It is the client's word, and both channels may do the same.
pub(super) fn channel(received: &Received) -> Channel {
    let agent = received
        .headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    if agent.is_some_and(|agent| agent.starts_with("wayleave/")) {
        Channel::Cli
    } else {
        Channel::Api
    }
}
