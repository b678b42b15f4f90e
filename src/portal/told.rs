//! What the book tells of grants that a life before this one promised, and of which it is not known whether they were kept.

use std::collections::BTreeMap;
use std::path::Path;

use crate::audit::read_from;
use crate::facts::{Act, Grant, GrantAct, GrantId, GrantState};
use crate::ledger::Leftover;

/// What the book says of a promised grant.
pub(super) struct Told {
    pub(super) grant: Grant,
    /// How it says that it was given, asked for or answered.
    pub(super) said: Act,
    /// Whether it says that this never counted.
    pub(super) is_void: bool,
    /// How it would say so.
    pub(super) void: Act,
}

/// What the book in the folder `records` says of the promised grants; what was written before any of them is not read.
pub(super) fn told_of(records: &Path, promised: &[Leftover]) -> Result<BTreeMap<GrantId, Told>, String> {
    let mut told: BTreeMap<GrantId, Told> = BTreeMap::new();
    let Some(from) = promised.iter().map(|left| left.segment).min() else {
        return Ok(told);
    };
    let promised: BTreeMap<&GrantId, &Leftover> = promised.iter().map(|left| (&left.id, left)).collect();
    for found in read_from(records, from).map_err(|problem| problem.to_string())? {
        let (_, record) = found.map_err(|problem| problem.to_string())?;
        let Act::Grant {
            act,
            grant,
            by,
            rulebook,
            policies,
        } = record.act
        else {
            continue;
        };
        let Some(promised) = promised.get(&grant.id) else {
            continue;
        };
        if act == GrantAct::Void {
            if let Some(told) = told.get_mut(&grant.id) {
                told.is_void = true;
            }
        } else if is_what_was_promised(promised, act, &grant) {
            let says = |act| Act::Grant {
                act,
                grant: grant.clone(),
                by: by.clone(),
                rulebook: rulebook.clone(),
                policies: policies.clone(),
            };
            let (said, void) = (says(act), says(GrantAct::Void));
            let one = Told {
                grant: Grant::clone(&grant),
                said,
                is_void: false,
                void,
            };
            told.insert(grant.id.clone(), one);
        }
    }
    Ok(told)
}

/// Whether a record tells of just what was promised: of several approvals, of the same one.
fn is_what_was_promised(promised: &Leftover, act: GrantAct, grant: &Grant) -> bool {
    let same = becomes(act) == Some(promised.state);
    same && (promised.state != GrantState::Requested || grant.answers.len() == promised.answers)
}

/// What an act that is promised makes of a grant.
fn becomes(act: GrantAct) -> Option<GrantState> {
    match act {
        GrantAct::Granted | GrantAct::Continued | GrantAct::Delegated | GrantAct::Approved | GrantAct::BrokeGlass => {
            Some(GrantState::Active)
        }
        GrantAct::Requested | GrantAct::PartlyApproved => Some(GrantState::Requested),
        GrantAct::Declined => Some(GrantState::Declined),
        GrantAct::Lapsed => Some(GrantState::Lapsed),
        GrantAct::Withdrawn
        | GrantAct::Revoked
        | GrantAct::Idle
        | GrantAct::Reviewed
        | GrantAct::Reported
        | GrantAct::Refused
        | GrantAct::Void => None,
    }
}
