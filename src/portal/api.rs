//! The same counter for tools: JSON in, JSON or problem documents out.

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::{Value, json};

use super::case::purpose_title;
use super::deeds::{NotEnded, NotGranted};
use super::intake::{self, Received};
use super::mine::joined;
use super::pages::{self, Page, Problem};
use super::{Portal, Visit};
use crate::facts::{Channel, Grant, GrantId, SubjectId};
use crate::ledger::Life;
use crate::purpose::{Approval, Purpose};
use crate::rulebook::{Rulebook, Visitor};

impl Portal {
    pub(super) async fn post_grant(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let declaration = match received.declaration() {
            Ok(declaration) => declaration,
            Err(problem) => return problem.answer(),
        };
        let channel = channel(received);
        match self.give(visit, visitor, &declaration, channel).await {
            Ok(grant) => created(&grant, visit),
            Err(NotGranted::Unfit(unfit)) => {
                let wrong = unfit
                    .iter()
                    .map(|one| pages::field(one.field().as_str(), (self.words.unfit)(one)));
                intake::unfit(wrong.collect()).answer()
            }
            Err(NotGranted::NeedsApproval(by)) => self.needs_approval(&declaration.purpose, &by, visit.rules()),
            Err(NotGranted::Refused(why)) => {
                let policies: Vec<&str> = why.reasons().iter().map(|reason| reason.policy.as_str()).collect();
                let (title, text) = (self.words.not_declared_title, (self.words.not_declared)(&why));
                let problem = Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &text);
                problem.with("policies", policies).answer()
            }
            Err(NotGranted::TooMany(held)) => {
                let (title, text) = (self.words.too_many_title, (self.words.too_many)(held));
                Problem::new(StatusCode::CONFLICT, "too-many-grants", title, &text).answer()
            }
            Err(NotGranted::NotKept(_)) => not_kept(self.words.not_kept_title, self.words.not_kept),
        }
    }

    fn needs_approval(&self, purpose: &crate::facts::PurposeId, by: &[SubjectId], rules: &Rulebook) -> Page {
        let approvers: Vec<&str> = by.iter().map(SubjectId::as_str).collect();
        let detail = (self.words.approval)(&approvers);
        let title = format!("“{}” must be approved first", purpose_title(rules, purpose));
        Problem::new(StatusCode::FORBIDDEN, "approval-required", &title, &detail)
            .with("outcome", "request")
            .with("approvers", approvers)
            .answer()
    }

    pub(super) fn list_grants(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        let grants = self.ledger.grants_of(&visitor.person.id);
        let grants: Vec<Value> = grants.iter().map(|grant| shown(grant, visit)).collect();
        pages::json(StatusCode::OK, &json!({ "grants": grants }))
    }

    pub(super) fn show_grant(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        let found = self.ledger.get(&GrantId::new(id));
        match found.filter(|grant| grant.subject == visitor.person.id) {
            Some(grant) => pages::json(StatusCode::OK, &shown(&grant, visit)),
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
            Ok(grant) => pages::json(StatusCode::OK, &shown(&grant, visit)),
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
                Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &joined(&reasons)).answer()
            }
            Err(NotEnded::NotKept) => not_kept(self.words.not_ended_title, self.words.not_ended),
        }
    }

    /// Why one of the person's own requests was refused. The full explanation is given while the same rules are in
    /// force; under others it would be another one.
    pub(super) fn show_decision(&self, visit: &Visit<'_>, visitor: Visitor<'_>, record: &str) -> Page {
        let Some(kept) = self.memory.by_record(&visitor.person.id, record, visit.at) else {
            return not_found("You met no such refusal in the last 24 hours.");
        };
        let refused = &kept.refused;
        let explanation = (refused.rulebook == *visit.rules().id()).then(|| {
            let judgement = visit.rules().judge(&refused.seen);
            visit.rules().explain(&refused.seen, &judgement)
        });
        let now = self.seen_now(visit, &refused.seen);
        let now = visit.rules().judge(&now).outcome_if(&visit.rules().remedy(&now));
        let body = json!({
            "id": refused.record,
            "at": refused.seen.at,
            "host": refused.refusal.place.host,
            "platform": refused.refusal.place.platform,
            "activity": refused.refusal.activity,
            "outcome": refused.remedy.outcome(),
            "outcome_now": now,
            "reasons": refused.refusal.reasons,
            "remedy": refused.remedy,
            "policy_revision": refused.rulebook,
            "explanation": explanation,
        });
        pages::json(StatusCode::OK, &body)
    }
}

/// The purposes that are open to the person.
pub(super) fn list_purposes(visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
    let open = visit.rules().open_to(visitor, visit.at);
    let purposes: Vec<Value> = open.map(|purpose| offered(purpose, visitor)).collect();
    pages::json(StatusCode::OK, &json!({ "purposes": purposes }))
}

fn offered(purpose: &Purpose, visitor: Visitor<'_>) -> Value {
    let approvers = match purpose.approval {
        Approval::None => Vec::new(),
        Approval::Owner | Approval::Manager => purpose.approvers(visitor.person),
    };
    let lifetimes = purpose.lifetimes.iter().map(|(group, lifetime)| {
        let span = json!({
            "default_s": lifetime.default_for.as_secs(),
            "longest_s": lifetime.longest_for.as_secs(),
        });
        (group.clone(), span)
    });
    json!({
        "id": purpose.id,
        "title": purpose.title,
        "description": purpose.description,
        "platforms": purpose.platforms,
        "covers": purpose.covers,
        "lifetimes": lifetimes.collect::<serde_json::Map<String, Value>>(),
        "approval": purpose.approval != Approval::None,
        "approvers": approvers,
        "statement_min": purpose.statement_min,
        "ticket": purpose.ticket.as_ref().map(|ticket| json!({
            "pattern": ticket.shown, "example": ticket.example, "required": ticket.required,
        })),
        "alternative": purpose.alternative,
    })
}

/// A grant with where it is in its life now.
fn shown(grant: &Grant, visit: &Visit<'_>) -> Value {
    let mut value = serde_json::to_value(grant).unwrap_or_default();
    let life = Life::of(grant, visit.at);
    if let Some(members) = value.as_object_mut() {
        members.insert("title".to_owned(), purpose_title(visit.rules(), &grant.purpose).into());
        members.insert("state".to_owned(), life.as_str().into());
        let left = grant.expires.since(visit.at).as_secs();
        let left = if life == Life::Active { left } else { 0 };
        members.insert("left_s".to_owned(), left.into());
    }
    value
}

pub(super) fn created(grant: &Grant, visit: &Visit<'_>) -> Page {
    let mut page = pages::json(StatusCode::CREATED, &shown(grant, visit));
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/grants/{}", grant.id)) {
        page.headers_mut().insert(header::LOCATION, place);
    }
    page
}

pub(super) fn not_kept(title: &str, detail: &str) -> Page {
    let mut page = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "record-unavailable", title, detail).answer();
    page.headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    page
}

fn no_such_grant() -> Page {
    not_found("You hold no such grant. GET /v1/grants lists those that you hold.")
}

/// There is nothing at this address, or nothing that is the person's business.
pub(super) fn not_found(detail: &str) -> Page {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", detail).answer()
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
