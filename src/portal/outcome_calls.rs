//! What came of it, for tools: JSON in, JSON or problem documents out.

use http::StatusCode;
use serde_json::{Value, json};

use super::api;
use super::intake::{self, Received};
use super::outcome_pages::wrong;
use super::outcomes::{NotReported, Said, Unsaid};
use super::pages::{self, Page, Problem};
use super::{Portal, Visit};
use crate::facts::{Grant, GrantId};
use crate::rulebook::Visitor;

const FIELDS: [&str; 3] = ["amount", "text", "skip"];

impl Portal {
    pub(super) async fn report_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let said = match said(received) {
            Ok(said) => said,
            Err(problem) => return problem.answer(),
        };
        let words = &self.words.outcome;
        match self.report(visit, visitor, (&GrantId::new(id), said)).await {
            Ok(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            Err(NotReported::NoSuch) => api::no_such_grant(),
            Err(NotReported::NotAsked) => {
                let (title, text) = (words.not_asked_title, words.not_asked);
                Problem::new(StatusCode::CONFLICT, "outcome-not-asked", title, text).answer()
            }
            Err(NotReported::NotKept) => api::not_kept(words.not_kept_title, words.not_kept),
            Err(NotReported::NotRecorded(grant)) => {
                let (title, text) = (words.not_recorded_title, words.not_recorded);
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "record-unavailable", title, text)
                    .with("reported", self.shown(&grant, visit))
                    .answer()
            }
        }
    }

    /// A grant as it is, with what its holder is asked about it; what they said of it is for them alone.
    pub(super) fn with_what_is_asked(&self, grant: &Grant, visit: &Visit<'_>) -> Value {
        let mut value = serde_json::to_value(grant).unwrap_or_default();
        if grant.subject != visit.subject.id {
            if let Some(members) = value.as_object_mut() {
                members.remove("report");
            }
            return value;
        }
        let asks = Self::asks(visit, grant).map(|metric| json!({ "metric": self.said(metric) }));
        if let (Some(members), Some(asks)) = (value.as_object_mut(), asks) {
            members.insert("outcome_asked".to_owned(), asks);
        }
        value
    }
}

/// What came of it, in the body of a call: `{"amount": 12, "text": "…"}`, one of them, or `{"skip": true}`.
fn said(received: &Received) -> Result<Said, Problem> {
    let members = received.object("What came of it is not JSON")?;
    let mut found = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let fields = FIELDS.join(", ");
        found.push(pages::field(
            name,
            format!("there is no field `{name}`: the fields are {fields}"),
        ));
    }
    let present = |name: &str| members.get(name).filter(|value| !value.is_null());
    let amount = present("amount").map(Value::as_u64);
    if amount == Some(None) {
        let (name, why) = wrong(Unsaid::NoNumber);
        found.push(pages::field(name, why));
    }
    let text = intake::text(&members, "text", &mut found);
    let skip = present("skip").map(Value::as_bool);
    if skip == Some(None) {
        found.push(pages::field("skip", "true, where there is nothing to say"));
    }
    let skip = skip.flatten().unwrap_or(false);
    if skip && (amount.is_some() || text.is_some()) {
        found.push(pages::field("skip", "say something, or skip it: not both"));
    }
    let said = if skip {
        Ok(Said::skipped())
    } else {
        Said::of(amount.flatten(), &text.unwrap_or_default())
    };
    if let Some(why) = said.as_ref().err().filter(|_| found.is_empty()) {
        let (name, why) = wrong(*why);
        found.push(pages::field(name, why));
    }
    said.ok().filter(|_| found.is_empty()).ok_or_else(|| {
        let detail = format!("Nothing was kept: {}.", intake::joined(&found, "; "));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "outcome-unfit", "What came of it cannot be read", &detail)
            .in_english()
            .with("errors", found)
    })
}
