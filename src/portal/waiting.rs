//! Whom a request waits for, as tools read it.

use serde_json::{Map, Value, json};

use super::api::ids;
use super::{Portal, Visit};
use crate::facts::{Grant, SubjectId};
use crate::rulebook::Way;

impl Portal {
    /// A request for somebody who may answer it, and for whom where that is somebody else.
    pub(super) fn shown_to_approver(&self, grant: &Grant, way: &Way, visit: &Visit<'_>) -> Value {
        let mut shown = self.shown(grant, visit);
        if let (Some(members), Some(behalf)) = (shown.as_object_mut(), &way.behalf) {
            members.insert("for".to_owned(), json!(behalf.whom));
        }
        shown
    }

    /// Who can still answer, how many approvals there must be and are missing, who could give each of these, and
    /// how fast such requests are usually answered.
    pub(super) fn waiting_members(&self, visit: &Visit<'_>, grant: &Grant) -> Map<String, Value> {
        let may = visit.in_force.who_still_may(grant, visit.arrival, visit.at);
        let may: Vec<&SubjectId> = may.iter().map(|person| &person.id).collect();
        let chain = visit.rules().chain(&grant.purpose);
        let lacking = visit.in_force.lacking(grant, visit.arrival, visit.at).into_iter();
        let lacking = lacking.map(|one| json!({ "needed": one.needed, "of": one.of }));
        let later = visit.in_force.who_may_later(grant, visit.arrival, visit.at);
        let alternates = later.map(|(from, people)| {
            let shown = json!({ "from": from.to_string(), "approvers": ids(&people) });
            ("alternates".to_owned(), shown)
        });
        let usually = self.ledger.usually_answered_within(&grant.purpose, visit.at);
        let usually = usually.map(|within| ("usually_answered_within_s".to_owned(), within.as_secs().into()));
        let members = [
            ("approvers".to_owned(), json!(may)),
            ("approvals_needed".to_owned(), chain.how_many().into()),
            ("approvals_missing".to_owned(), chain.missing(&grant.answers).into()),
            ("waits_for".to_owned(), lacking.collect()),
        ];
        members.into_iter().chain(alternates).chain(usually).collect()
    }
}
