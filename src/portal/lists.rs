//! What there is, for tools: lists of what somebody holds, of what waits for them, and of what they may declare.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::api::{channel, ids};
use super::approving::Asker;
use super::intake::Received;
use super::pages::{Page, field};
use super::paging::{self, Listed, Order, Paging};
use super::{Portal, Visit};
use crate::facts::{Grant, did_you_mean};
use crate::purpose::Purpose;
use crate::rulebook::{Visitor, Way};

/// How much of a name is told that is not known, and of how many.
const LONGEST: usize = 128;
const MOST: usize = 16;
/// What may stand in the address of a list that has no filters.
const PAGES: [&str; 2] = ["limit", "after"];
/// ... and in that of grants.
pub(super) const OF_GRANTS: [&str; 6] = ["user", "purpose", "platform", "all", "limit", "after"];

/// The answer to an address in which something else stands: nobody takes a slip of theirs for a filter.
pub(super) fn misnamed(received: &Received, known: &[&'static str]) -> Option<Page> {
    let unknown = received.pairs().filter(|(name, _)| !known.contains(&name.as_ref()));
    let wrong = unknown.take(MOST).map(|(name, _)| {
        let hint = did_you_mean(&name, known.iter().copied()).map_or_else(
            || format!("use some of {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let name: String = name.chars().take(LONGEST).collect();
        field(&name, format!("there is no filter `{}`: {hint}", name.escape_debug()))
    });
    let wrong: Vec<Value> = wrong.collect();
    (!wrong.is_empty()).then(|| paging::unfit(wrong).answer())
}

impl Portal {
    /// The requests that the person may answer.
    pub(super) fn list_approvals(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        if let Some(page) = misnamed(received, &PAGES) {
            return page;
        }
        let paging = match Paging::by_time(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let mut waiting = self.answerable(visit, visitor, channel(received));
        waiting.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        let Listed { items, next } = paging.page(waiting, Order::Rising, |(grant, _)| grant.id.to_string());
        let shown = |(grant, way): &(Grant, Way)| self.shown_to_approver(grant, way, visit);
        let items = items.iter().map(shown).collect();
        paging::list(received, "approvals", &Listed { items, next })
    }

    /// A page of grants, which are listed as `what`.
    pub(super) fn list_of(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        what: &str,
        (mut grants, order): (Vec<Grant>, Order),
    ) -> Page {
        if let Some(page) = misnamed(received, if what == "grants" { &OF_GRANTS } else { &PAGES }) {
            return page;
        }
        let paging = match Paging::by_time(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        grants.sort_by(|one, other| match order {
            Order::Rising => one.id.cmp(&other.id),
            Order::Falling => other.id.cmp(&one.id),
        });
        let Listed { items, next } = paging.page(grants, order, |grant| grant.id.to_string());
        let items = items.iter().map(|grant| self.shown(grant, visit)).collect();
        paging::list(received, what, &Listed { items, next })
    }

    pub(super) fn list_grants(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let grants = self.ledger.grants_of(&visitor.person.id);
        self.list_of(visit, received, "grants", (grants, Order::Falling))
    }

    /// The purposes that are open to the person.
    pub(super) fn list_purposes(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        if let Some(page) = misnamed(received, &PAGES) {
            return page;
        }
        let paging = match Paging::of(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let mut open: Vec<&Purpose> = visit.rules().open_to(visitor, visit.at).collect();
        open.sort_by(|one, other| one.id.cmp(&other.id));
        let Listed { items, next } = paging.page(open, Order::Rising, |purpose| purpose.id.to_string());
        let items = items.iter().map(|purpose| self.offered(purpose, visit)).collect();
        paging::list(received, "purposes", &Listed { items, next })
    }

    fn offered(&self, purpose: &Purpose, visit: &Visit<'_>) -> Value {
        let asker = visit.person.map(|person| Asker {
            person,
            arrival: visit.arrival,
            at: visit.at,
        });
        let lasts = purpose.default_for(&purpose.covers);
        let answerers = asker.filter(|_| purpose.approval.is_needed());
        let answerers = answerers.map(|asker| asker.answerers(visit.in_force, purpose, lasts));
        let answerers = answerers.unwrap_or_default();
        let alternates = answerers
            .later
            .as_ref()
            .map(|(after, people)| json!({ "after_s": after.as_secs(), "approvers": ids(people) }));
        let usually = self.ledger.usually_answered_within(&purpose.id, visit.at);
        let usually = usually.filter(|_| purpose.approval.is_needed());
        let lifetimes = purpose.lifetimes.iter().map(|(group, lifetime)| {
            let span = json!({
                "default_s": lifetime.default_for.as_secs(),
                "longest_s": lifetime.longest_for.as_secs(),
                "idle_s": purpose.idle.get(group).map(Duration::as_secs),
            });
            (group.clone(), span)
        });
        json!({
            "id": purpose.id,
            "title": self.said(&purpose.title),
            "description": self.said(&purpose.description),
            "platforms": purpose.platforms,
            "covers": purpose.covers,
            "lifetimes": lifetimes.collect::<Map<String, Value>>(),
            "approval": purpose.approval.is_needed(),
            "approvals_needed": purpose.approval.how_many(),
            "approvers": ids(&answerers.at_once),
            "alternates": alternates,
            "answer_within_s": purpose.answer_within.as_secs(),
            "usually_answered_within_s": usually.map(|within| within.as_secs()),
            "statement_min": purpose.statement_min,
            "ticket": purpose.ticket.as_ref().map(|ticket| json!({
                "pattern": ticket.shown, "example": ticket.example, "required": ticket.required,
            })),
            "basis": self.said(&purpose.basis),
            "retention": self.said(&purpose.retention),
            "review": purpose.review,
            "alternative": purpose.alternative.as_ref().map(|text| self.said(text)),
        })
    }
}
