//! What became of grants, in the book: ledger first, book second. What a crash overtakes between the two is told by the next
//! start, from what the ledger keeps.

use std::collections::BTreeMap;
use std::path::Path;

use super::Portal;
use crate::audit::{Book, read_from};
use crate::facts::{Act, Grant, GrantAct, GrantId, Reason, RulebookId, SubjectId};
use crate::ledger::{OnRecord, Telling, Untold};

/// Says in the book what became of a grant once that is kept, and that it does once it is on disk.
pub(super) fn tells(book: Book) -> impl FnMut(&Grant, Telling) + Send + 'static {
    move |grant, telling| {
        let record = book.record(telling.says(grant));
        book.note_then(&record, move || telling.told());
    }
}

/// Whether a record of `grant` tells what is to be told: what its holder says of it can be corrected, and told again.
fn tells_of(untold: &Untold, grant: &Grant) -> bool {
    untold.on_record.act != GrantAct::Reported || untold.grant.report == grant.report
}

impl Portal {
    /// Says in the book what is not told in the folder `records`; gives what is told then.
    pub(super) fn tell_ends(&self, records: &Path) -> Result<Vec<(GrantId, GrantAct)>, String> {
        let untold = self.ledger.untold();
        let Some(from) = untold.iter().map(|one| one.on_record.segment).min() else {
            return Ok(Vec::new());
        };
        let named = |one: &Untold| ((one.grant.id.clone(), one.on_record.act), one.clone());
        let mut lost: BTreeMap<_, Untold> = untold.iter().map(named).collect();
        let told = lost.keys().cloned().collect();
        for found in read_from(records, from).map_err(|problem| problem.to_string())? {
            let (_, record) = found.map_err(|problem| problem.to_string())?;
            if let Act::Grant { act, grant, .. } = record.act {
                let named = (grant.id.clone(), act);
                if lost.get(&named).is_some_and(|one| tells_of(one, &grant)) {
                    lost.remove(&named);
                }
            }
        }
        for one in lost.into_values() {
            self.book.note(&self.book.record(one.on_record.says(one.grant)));
        }
        Ok(told)
    }

    /// How the book will say what somebody makes of a grant now, and why the rules let them.
    pub(super) fn on_record(
        &self,
        act: GrantAct,
        (by, rulebook): (&SubjectId, &RulebookId),
        reasons: &[Reason],
    ) -> OnRecord {
        OnRecord {
            segment: self.book.segment(),
            act,
            by: by.clone(),
            rulebook: rulebook.clone(),
            policies: reasons.iter().map(|reason| reason.policy.clone()).collect(),
        }
    }
}
