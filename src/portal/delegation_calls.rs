//! Letting somebody else answer, for tools.

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::{Map, Value, json};

use super::api::{channel, not_found, not_kept};
use super::deeds::NotEnded;
use super::delegating::{NotDelegated, Wanted};
use super::intake::{Received, joined, list, sentence, text};
use super::pages::{self, Page, Problem, field};
use super::{Portal, Visit, paging};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, SubjectId, did_you_mean};
use crate::ledger::Life;
use crate::rulebook::Visitor;

const FIELDS: [&str; 4] = ["to", "from", "until", "purposes"];

impl Portal {
    /// Whom the person lets answer for them, and who lets them; or the same of somebody else, as far as the person may end it.
    pub(super) fn list_delegations(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let asked = received.asked("user").map(|name| SubjectId::parse(name.trim()));
        let asked = match asked.transpose() {
            Ok(asked) => asked,
            Err(why) => return paging::unfit(vec![field("user", why.to_string())]).answer(),
        };
        let who = asked.as_ref().unwrap_or(&visitor.person.id);
        let channel = channel(received);
        let is_told = |one: &&Grant| {
            let is_alive = !Life::of(one, visit.at).is_over();
            asked.is_none() || (is_alive && visit.may_end(visitor, one, channel).is_allowed())
        };
        let shown = |all: Vec<Grant>| -> Vec<Value> {
            let told = all.iter().filter(is_told);
            told.map(|one| shown(one, visit.at)).collect()
        };
        let body = json!({
            "given": shown(self.ledger.delegated_by(who)),
            "received": shown(self.ledger.delegated_to(who, visit.at)),
        });
        pages::json(StatusCode::OK, &body)
    }

    /// One that the person gave or was given.
    pub(super) fn show_delegation(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        let who = &visitor.person.id;
        let theirs = |one: &Grant| {
            let to = one.delegated.as_ref().map(|delegated| &delegated.to);
            one.subject == *who || to == Some(who)
        };
        match self.ledger.delegation(&GrantId::new(id)).filter(theirs) {
            Some(one) => pages::json(StatusCode::OK, &shown(&one, visit.at)),
            None => no_such_delegation(),
        }
    }

    pub(super) async fn post_delegation(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let wanted = match wanted(received) {
            Ok(wanted) => wanted,
            Err(problem) => return problem.answer(),
        };
        // before a word about who is in the directory
        if let Err(page) = self.proves_again(visit, &received.headers).await {
            return page;
        }
        let terms = match self.would_delegate(visit, visitor, &wanted, channel(received)) {
            Ok(terms) => terms,
            Err(why) => return self.not_delegated(&why),
        };
        match self.delegate(visit, terms).await {
            Ok(given) => {
                let mut page = pages::json(StatusCode::CREATED, &shown(&given, visit.at));
                if let Ok(place) = HeaderValue::from_str(&format!("/v1/delegations/{}", given.id)) {
                    page.headers_mut().insert(header::LOCATION, place);
                }
                page
            }
            Err(why) => self.not_delegated(&why),
        }
    }

    pub(super) async fn delete_delegation(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        let words = &self.words.delegation;
        match self.take_back(visit, visitor, id).await {
            Ok(over) => pages::json(StatusCode::OK, &shown(&over, visit.at)),
            Err(NotEnded::Over) => {
                let (title, text) = (words.over_title, words.over);
                Problem::new(StatusCode::CONFLICT, "delegation-over", title, text).answer()
            }
            Err(NotEnded::NotKept) => not_kept(words.not_kept_title, words.not_kept),
            Err(NotEnded::NoSuch | NotEnded::Refused(_) | NotEnded::TakesAReason) => no_such_delegation(),
        }
    }

    fn not_delegated(&self, why: &NotDelegated) -> Page {
        let words = &self.words.delegation;
        match why {
            NotDelegated::Misfits(misfits) => {
                let told = misfits
                    .iter()
                    .map(|one| field(one.field().as_str(), (words.misfit)(one)));
                let wrong: Vec<Value> = told.collect();
                let detail = joined(&wrong, " ");
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, "delegation-unfit", words.not_given_title, &detail)
                    .with("errors", wrong)
                    .answer()
            }
            NotDelegated::Refused(reasons) => {
                let text = (words.may_not)(&self.joined(reasons));
                Problem::new(StatusCode::FORBIDDEN, "prohibited", words.not_given_title, &text).answer()
            }
            NotDelegated::TooMany(given) => {
                let (title, text) = (words.not_given_title, (words.too_many)(*given));
                Problem::new(StatusCode::CONFLICT, "too-many-delegations", title, &text).answer()
            }
            NotDelegated::NotKept => not_kept(words.not_kept_title, words.not_kept),
        }
    }
}

fn no_such_delegation() -> Page {
    not_found("You gave no such delegation. GET /v1/delegations lists those that you gave and were given.")
}

/// What a call wants.
fn wanted(received: &Received) -> Result<Wanted, Problem> {
    let members = received.object("The delegation is not JSON")?;
    read(&members).map_err(|wrong| {
        let detail = sentence(&format!("Nothing has changed: {}", joined(&wrong, "; ")));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "delegation-unfit", "The delegation cannot be read", &detail)
            .in_english()
            .with("errors", wrong)
    })
}

fn read(members: &Map<String, Value>) -> Result<Wanted, Vec<Value>> {
    let mut wrong = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let hint = did_you_mean(name, FIELDS).map_or_else(
            || format!("the fields are {}", FIELDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong.push(field(name, format!("there is no field `{name}`: {hint}")));
    }
    let mut needed = |name: &str, help: &str| {
        let value = text(members, name, &mut wrong);
        if value.is_none() && members.get(name).is_none_or(Value::is_null) {
            wrong.push(field(name, help));
        }
        value.unwrap_or_default()
    };
    let to = needed("to", "say who is to answer for you, e.g. \"nora\"");
    let until = needed(
        "until",
        "say until when, e.g. \"2026-12-31\" or \"2026-12-31T18:00:00Z\"",
    );
    let from = text(members, "from", &mut wrong).unwrap_or_default();
    let purposes = list(members, "purposes", &mut wrong).unwrap_or_default();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Wanted {
        to,
        from,
        until,
        purposes: purposes.into_iter().collect(),
    })
}

/// A delegation, as it is at that moment.
pub(super) fn shown(one: &Grant, at: Timestamp) -> Value {
    let state = match Life::of(one, at) {
        Life::Approved => "upcoming",
        Life::Active => "in-force",
        Life::Expired => "over",
        Life::Withdrawn | Life::Revoked | Life::Requested | Life::Declined | Life::Lapsed => "ended",
    };
    let mut shown = json!({
        "id": one.id,
        "by": one.subject,
        "given_at": one.declared_at,
        "from": one.not_before,
        "until": one.expires,
        "state": state,
    });
    if let (Some(members), Some(delegated)) = (shown.as_object_mut(), &one.delegated) {
        members.insert("to".to_owned(), json!(delegated.to));
        members.insert("purposes".to_owned(), json!(delegated.purposes));
        members.extend(one.ended_at.map(|at| ("ended_at".to_owned(), json!(at))));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &Value) -> Result<Wanted, Vec<String>> {
        let members = body.as_object().unwrap();
        let wrong = read(members);
        wrong.map_err(|wrong| {
            wrong
                .iter()
                .map(|one| one["detail"].as_str().unwrap().to_owned())
                .collect()
        })
    }

    #[test]
    fn a_call_says_who_until_when_and_perhaps_from_when_and_for_what() {
        let whole = json!({"to": "nora", "from": "2026-12-01", "until": "2026-12-24", "purposes": ["recruiting"]});
        let whole = told(&whole).unwrap();
        assert_eq!(
            (whole.to.as_str(), whole.from.as_str(), whole.purposes.len()),
            ("nora", "2026-12-01", 1)
        );
        let least = told(&json!({"to": "nora", "until": "2026-12-24", "from": null, "purposes": null})).unwrap();
        assert!(least.from.is_empty() && least.purposes.is_empty());
        let wrong = told(&json!({"til": "x", "purposes": "recruiting"}))
            .unwrap_err()
            .join("\n");
        for says in [
            "no field `til`",
            "who is to answer",
            "until when",
            "`purposes` must be a list",
        ] {
            assert!(wrong.contains(says), "{says}: {wrong}");
        }
    }
}
