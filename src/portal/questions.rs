//! What may I do, and why: the rules asked on behalf of a tool's own person, without anything being done.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::intake::{Received, joined, sentence, text};
use super::memory::Kept;
use super::pages::{self, Page, Problem, field};
use super::paging::{self, Listed, Order, Paging};
use super::wanted::{self, Wanted};
use super::{Portal, Refused, Visit};
use crate::facts::{Observation, PlatformId, Scope, did_you_mean};
use crate::rulebook::{Access, Described, MatrixQuestion, Visitor};

const FIELDS: [&str; 4] = ["to", "method", "headers", "body"];

/// What the person may do on one platform.
#[derive(Serialize)]
struct Row {
    platform: PlatformId,
    name: String,
    access: Access,
}

impl Portal {
    /// What the rules say to a request that is only described, as if the person sent it now from where they are.
    pub(super) fn explain_to_tool(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let described = match described(received) {
            Ok(described) => described,
            Err(problem) => return problem.answer(),
        };
        let ask = match visit.rules().ask_of(&described) {
            Ok(ask) => ask,
            Err(why) => return unfit(vec![field("to", why)]).answer(),
        };
        let seen = Observation {
            arrival: visit.arrival.clone(),
            subject: Some(visit.subject.clone()),
            person: visit.person.cloned(),
            ask,
            standing: self.ledger.standing(&visitor.person.id, visit.at),
            selected: None,
            at: visit.at,
        };
        let mut explanation = visit.rules().explain(&seen, &visit.rules().judge(&seen));
        self.say_how_fast(&mut explanation.remedy, visit.at);
        pages::json(StatusCode::OK, &json!(explanation))
    }

    /// What the person may do where, and what for, one platform after the other: each takes a while to find out.
    pub(super) async fn show_matrix(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let paging = match Paging::of(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let Some(_turn) = self.matrix_turns.wait(&visitor.person.id).await else {
            return self.one_at_a_time_problem();
        };
        let Some(person) = visit.person else {
            return super::api::not_found("The directory does not know you.");
        };
        let wanted = received.asked("platform");
        let all = visit.rules().catalog().platforms().map(|platform| platform.id.clone());
        let all: BTreeSet<PlatformId> = all
            .filter(|id| wanted.as_ref().is_none_or(|wanted| id.as_str() == wanted))
            .collect();
        let Listed { items, next } = paging.page(all, Order::Rising, ToString::to_string);
        let question = MatrixQuestion {
            arrival: visit.arrival.clone(),
            method: visit.subject.method,
            at: visit.at,
            platforms: BTreeSet::new(),
            activities: BTreeSet::new(),
            purposes: BTreeSet::new(),
        };
        let asks = visit.rules().asks(person, &question);
        let mut shown = Vec::new();
        for platform in items {
            if let Some(access) = asks.on(&platform) {
                let name = super::case::platform_name(visit.rules(), &platform);
                shown.push(Row { platform, name, access });
            }
            tokio::task::yield_now().await;
        }
        paging::list(received, "platforms", &Listed { items: shown, next })
    }

    /// The person's own refusals of the last day that they look for, the latest first. What others met is not theirs to see.
    pub(super) fn list_decisions(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, wanted, paging): (&Received, &Wanted, &Paging),
    ) -> Page {
        let beyond = wanted.beyond_own();
        if !beyond.is_empty() {
            return wanted::unfit(&beyond, Vec::new()).answer();
        }
        let all = self.memory.of(&visitor.person.id, visit.at);
        let wants = |kept: &&Arc<Kept>| wanted.admits_own(&kept.refused);
        let mut theirs: Vec<Arc<Kept>> = all.iter().filter(wants).cloned().collect();
        let unknown = wanted.unknown_of_own(visit, &all);
        if theirs.is_empty() && !unknown.is_empty() {
            return wanted::unfit(&unknown, Vec::new()).answer();
        }
        theirs.sort_by(|one, other| other.refused.record.as_str().cmp(one.refused.record.as_str()));
        let Listed { items, next } = paging.page(theirs, Order::Falling, |kept| kept.refused.record.to_string());
        let items = items.iter().map(|kept| summary(&kept.refused)).collect();
        paging::list(received, "decisions", &Listed { items, next })
    }

    /// Why one of the person's own requests was refused. The full explanation is given while the same rules are in
    /// force; under others it would be another one.
    /// Of somebody else's, where the rules let the person read that, all that the book holds.
    pub(super) async fn show_decision(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, record): (&Received, &str),
    ) -> Page {
        let Some(kept) = self.memory.by_record(&visitor.person.id, record, visit.at) else {
            return self.explain_decision(visit, visitor, (received, record)).await;
        };
        if let Some(refused) = self.not_covered(visit, &received.headers, &[Scope::Read]) {
            return refused;
        }
        let refused = &kept.refused;
        let explanation = (refused.rulebook == *visit.rules().id()).then(|| {
            let judgement = visit.rules().judge(&refused.seen);
            let mut explanation = visit.rules().explain(&refused.seen, &judgement);
            self.say_how_fast(&mut explanation.remedy, visit.at);
            explanation
        });
        let now = self.seen_now(visit, &refused.seen);
        let now = visit.rules().judge(&now).outcome_if(&visit.rules().remedy(&now));
        let mut remedy = refused.remedy.clone();
        self.say_how_fast(&mut remedy, visit.at);
        let mut body = summary(refused);
        if let Some(members) = body.as_object_mut() {
            members.insert("outcome_now".to_owned(), json!(now));
            members.insert("remedy".to_owned(), json!(remedy));
            members.insert("explanation".to_owned(), json!(explanation));
        }
        pages::json(StatusCode::OK, &body)
    }
}

/// A refusal in short.
fn summary(refused: &Refused) -> Value {
    json!({
        "id": refused.record,
        "at": refused.seen.at,
        "host": refused.refusal.place.host,
        "platform": refused.refusal.place.platform,
        "activity": refused.refusal.activity,
        "outcome": refused.remedy.outcome(),
        "reasons": refused.refusal.reasons,
        "policy_revision": refused.rulebook,
    })
}

/// The request that a body describes: `{"to": "https://…", "method"?, "headers"?, "body"?}`.
fn described(received: &Received) -> Result<Described, Problem> {
    let members = received.object("The description is not JSON")?;
    let mut wrong = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let hint = did_you_mean(name, FIELDS).map_or_else(
            || format!("the fields are {}", FIELDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong.push(field(name, format!("there is no field `{name}`: {hint}")));
    }
    let to = text(&members, "to", &mut wrong);
    if to.is_none() && wrong.is_empty() {
        wrong.push(field("to", "say where to, e.g. \"https://www.linkedin.com/feed/\""));
    }
    let method = text(&members, "method", &mut wrong);
    let is_token = |method: &str| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !method.as_deref().is_none_or(is_token) {
        wrong.push(field("method", "`method` must be one of HTTP's, e.g. \"POST\""));
    }
    let body = text(&members, "body", &mut wrong);
    let headers = headers(&members, &mut wrong);
    match to.filter(|_| wrong.is_empty()) {
        Some(to) => Ok(Described {
            to,
            method,
            headers,
            body,
        }),
        None => Err(unfit(wrong)),
    }
}

fn headers(members: &Map<String, Value>, wrong: &mut Vec<Value>) -> Vec<(String, String)> {
    let given = match members.get("headers") {
        None | Some(Value::Null) => return Vec::new(),
        Some(given) => given.as_object(),
    };
    let pairs = given.map(|given| {
        given
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
    });
    let pairs: Option<Vec<(String, String)>> = pairs.and_then(Iterator::collect);
    if pairs.is_none() {
        let example = "`headers` must hold texts by name, e.g. {\"Sec-Fetch-Mode\": \"navigate\"}";
        wrong.push(field("headers", example));
    }
    let pairs = pairs.unwrap_or_default();
    for (name, value) in &pairs {
        let what = if HeaderName::from_bytes(name.as_bytes()).is_err() {
            "cannot be the name of a header"
        } else if HeaderValue::from_str(value).is_err() {
            "has a value that no header can have"
        } else {
            continue;
        };
        wrong.push(field("headers", format!("`{}` {what}", name.escape_debug())));
    }
    pairs
}

fn unfit(wrong: Vec<Value>) -> Problem {
    let detail = sentence(&format!("Nothing was explained: {}", joined(&wrong, "; ")));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "question-unfit", "The request is not described", &detail)
        .in_english()
        .with("errors", wrong)
}
