//! What ended in the life before this one, and whose record went down with it: told now, from what the ledger keeps.

use std::collections::BTreeMap;
use std::path::Path;

use super::deeds::act;
use super::{Portal, Visit};
use crate::audit::read_from;
use crate::facts::{Act, GrantAct, GrantId, GrantState};
use crate::ledger::{OnRecord, Untold};

impl Portal {
    /// Says in the book what ended and is not told in the folder `records`; gives what is told then.
    pub(super) fn tell_ends(&self, records: &Path) -> Result<Vec<GrantId>, String> {
        let untold = self.ledger.untold();
        let Some(from) = untold.iter().map(|one| one.on_record.segment).min() else {
            return Ok(Vec::new());
        };
        let mut lost: BTreeMap<&GrantId, &Untold> = untold.iter().map(|one| (&one.grant.id, one)).collect();
        for found in read_from(records, from).map_err(|problem| problem.to_string())? {
            let (_, record) = found.map_err(|problem| problem.to_string())?;
            if let Act::Grant {
                act: GrantAct::Withdrawn | GrantAct::Revoked,
                grant,
                ..
            } = &record.act
            {
                lost.remove(&grant.id);
            }
        }
        for Untold { grant, on_record } in lost.into_values() {
            let what = match grant.state {
                GrantState::Withdrawn => GrantAct::Withdrawn,
                GrantState::Revoked => GrantAct::Revoked,
                GrantState::Requested | GrantState::Active | GrantState::Declined | GrantState::Lapsed => continue,
            };
            let by = grant.ended.as_ref().map_or(&grant.subject, |ended| &ended.by);
            let said = act(what, grant, by, &on_record.rulebook, &[]);
            self.book.note(&self.book.record(said));
        }
        Ok(untold.iter().map(|one| one.grant.id.clone()).collect())
    }

    /// How the book will say what ends now.
    pub(super) fn on_record(&self, visit: &Visit<'_>) -> OnRecord {
        OnRecord {
            segment: self.book.segment(),
            rulebook: visit.rules().id().clone(),
        }
    }
}
