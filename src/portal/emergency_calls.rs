//! Break-glass and its reviews for tools: JSON in, JSON or problem documents out.

use http::StatusCode;
use serde_json::Value;

use super::api::{self, channel};
use super::emergencies::NotReviewed;
use super::intake::{self, Received};
use super::pages::{self, Page, Problem};
use super::paging::Order;
use super::{Portal, Visit};
use crate::facts::GrantId;
use crate::purpose::{Note, UnfitNote, Why};
use crate::rulebook::Visitor;

impl Portal {
    pub(super) async fn post_emergency(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let declaration = match received.declaration() {
            Ok(declaration) => declaration,
            Err(problem) => return problem.answer(),
        };
        match self.break_glass(visit, visitor, &declaration, channel(received)).await {
            Ok(grant) => self.created(&grant, visit),
            Err(why) => self.not_granted(visit, Some(&declaration.purpose), &why),
        }
    }

    /// What was taken in an emergency and the person may review.
    pub(super) fn list_reviews(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let waiting = self.reviewable(visit, visitor, channel(received));
        self.list_of(visit, received, "reviews", (waiting, Order::Rising))
    }

    pub(super) async fn review_by_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let (accepted, why) = match finding(received) {
            Ok(finding) => finding,
            Err(problem) => return problem.answer(),
        };
        let (id, channel) = (GrantId::new(id), channel(received));
        // nobody is asked for a password about something that is none of their business
        if let Err(why) = self.could_review(visit, visitor, &id, channel) {
            return self.not_reviewed(visit, &why);
        }
        if let Err(page) = self.proves_again(visit, &received.headers).await {
            return page;
        }
        match self.review(visit, visitor, &id, (accepted, why, channel)).await {
            Ok(grant) => pages::json(StatusCode::OK, &self.shown(&grant, visit)),
            Err(why) => self.not_reviewed(visit, &why),
        }
    }

    fn not_reviewed(&self, visit: &Visit<'_>, why: &NotReviewed) -> Page {
        let words = &self.words.emergency;
        match why {
            NotReviewed::NoSuch => {
                api::not_found("No such emergency waits for your review. GET /v1/reviews lists those that do.")
            }
            NotReviewed::Over => {
                let (title, text) = (words.reviewed_already_title, words.reviewed_already);
                Problem::new(StatusCode::CONFLICT, "review-over", title, text).answer()
            }
            NotReviewed::Refused(reasons) => {
                let title = words.may_not_review_title;
                Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &self.joined(reasons)).answer()
            }
            NotReviewed::NotKept => api::not_kept(words.not_reviewed_title, words.not_reviewed),
            NotReviewed::NotRecorded(grant) => {
                let (title, text) = (words.reviewed_not_recorded_title, words.reviewed_not_recorded);
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "record-unavailable", title, text)
                    .with("reviewed", self.shown(grant, visit))
                    .answer()
            }
        }
    }
}

/// What was found, in the body of a call: `{"accepted": true, "note": "…"}`; whoever broke the glass reads the note.
fn finding(received: &Received) -> Result<(bool, Why), Problem> {
    let members = received.object("The review is not JSON")?;
    let mut wrong = Vec::new();
    for name in members
        .keys()
        .filter(|name| !["accepted", "note"].contains(&name.as_str()))
    {
        wrong.push(pages::field(
            name,
            format!("there is no field `{name}`: the fields are accepted, note"),
        ));
    }
    let accepted = members.get("accepted").and_then(Value::as_bool);
    if accepted.is_none() {
        wrong.push(pages::field(
            "accepted",
            "say whether it was an emergency: true or false",
        ));
    }
    let note = Note::parse(&intake::text(&members, "note", &mut wrong).unwrap_or_default());
    let why = note.as_ref().ok().and_then(|note| Why::of(note.clone()));
    if let Err(UnfitNote::Invisible(sign)) = note {
        wrong.push(pages::field("note", intake::unfit_note(UnfitNote::Invisible(sign))));
    } else if why.is_none() {
        let most = Note::MOST;
        wrong.push(pages::field(
            "note",
            format!("say in a few words what you found, in at most {most} characters"),
        ));
    }
    accepted.zip(why).filter(|_| wrong.is_empty()).ok_or_else(|| {
        let detail = intake::sentence(&format!("Nothing was reviewed: {}", intake::joined(&wrong, "; ")));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "review-unfit", "The review cannot be read", &detail)
            .in_english()
            .with("errors", wrong)
    })
}
