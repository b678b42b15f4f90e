//! Whom a request waits for, as tools read it.

use serde_json::{Map, Value, json};

use super::{Portal, Visit};
use crate::facts::{Grant, SubjectId};

impl Portal {
    /// Who can still answer, how many approvals there must be and are missing, and who could give each of these.
    pub(super) fn waits_for(visit: &Visit<'_>, grant: &Grant) -> Map<String, Value> {
        let may = visit.in_force.who_still_may(grant, visit.arrival, visit.at);
        let may: Vec<&SubjectId> = may.iter().map(|person| &person.id).collect();
        let chain = visit.rules().chain(&grant.purpose);
        let lacking = visit.in_force.lacking(grant, visit.arrival, visit.at).into_iter();
        let lacking = lacking.map(|one| json!({ "needed": one.needed, "of": one.of }));
        Map::from_iter([
            ("approvers".to_owned(), json!(may)),
            ("approvals_needed".to_owned(), chain.how_many().into()),
            ("approvals_missing".to_owned(), chain.missing(&grant.answers).into()),
            ("waits_for".to_owned(), lacking.collect()),
        ])
    }
}
