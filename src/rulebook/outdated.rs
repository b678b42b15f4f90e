//! Whether what waits for an approval would still be taken.

use std::collections::BTreeSet;

use super::Rulebook;
use super::weigh::{NotDeclared, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Grant, Person, Subject};
use crate::policy::Power;
use crate::purpose::{Declaration, Unfit, Weighed};

/// Why what was asked for cannot be approved any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outdated {
    /// The catalogue has dropped the purpose.
    NoPurpose,
    /// The directory does not list whoever asked any more.
    NoPerson,
    /// It does not fit the terms of its purpose any more.
    Unfit(Vec<Unfit>),
    /// The rules do not let whoever asked declare it any more.
    Refused(NotDeclared),
}

impl Rulebook {
    /// Whether what was asked for would still be taken: a training may have run out since, and terms and rules change.
    ///
    /// The rules are asked again whether they let its holder declare, who is not here: as they came when they asked; where
    /// that is not known, as if they came the way of the approver `by`.
    pub fn still_fits(
        &self,
        by: Visitor<'_>,
        grant: &Grant,
        holder: Option<&Person>,
        at: Timestamp,
    ) -> Result<(), Outdated> {
        let purpose = self.purposes.get(&grant.purpose).ok_or(Outdated::NoPurpose)?;
        let holder = holder.ok_or(Outdated::NoPerson)?;
        if !self.policy.opens(&purpose.id) {
            return Err(Outdated::Unfit(vec![Unfit::opens_nothing(purpose)]));
        }
        let declaration = Declaration {
            purpose: grant.purpose.clone(),
            platforms: BTreeSet::clone(&grant.platforms),
            covers: Some(BTreeSet::clone(&grant.covers)),
            statement: grant.statement.clone(),
            ticket: grant.ticket.clone(),
            duration: Some(grant.expires.since(grant.not_before)),
        };
        if let Weighed::Unfit(unfit) = purpose.weigh(&declaration, holder, at) {
            return Err(Outdated::Unfit(unfit));
        }
        let came = grant.came.as_deref();
        let subject = Subject {
            id: holder.id.clone(),
            method: came.map_or(by.subject.method, |came| came.method),
        };
        let declarer = Visitor {
            person: holder,
            subject: &subject,
            arrival: came.map_or(by.arrival, |came| &came.arrival),
        };
        let lasts = grant.expires.since(grant.not_before);
        let decision = self.may(Power::Declare, declarer, purpose, lasts, grant.channel, at);
        if decision.is_allowed() {
            Ok(())
        } else {
            Err(Outdated::Refused(NotDeclared::by(&decision)))
        }
    }
}
