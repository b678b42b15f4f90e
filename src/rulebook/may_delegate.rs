//! May somebody let somebody else answer for them? The rules are asked of each purpose that it would be for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Rulebook, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, Person, PurposeId, Reason};
use crate::policy::{Answering, Decision, GrantQuestion, Power};
use crate::purpose::Purpose;

impl Rulebook {
    /// Whether somebody may let `whom` answer what is asked for these purposes, for so long; where none is named, for all that
    /// somebody must approve. The policies that let them; or those of the first purpose for which they may not.
    pub fn may_delegate(
        &self,
        who: Visitor<'_>,
        (whom, purposes): (&Person, &BTreeSet<PurposeId>),
        (lasts, channel, at): (Duration, Channel, Timestamp),
    ) -> Result<Vec<Reason>, Vec<Reason>> {
        let is_meant = |purpose: &&Purpose| {
            let of_all = purposes.is_empty() && purpose.approval.is_needed();
            of_all || purposes.contains(&purpose.id)
        };
        let mut why = None;
        for purpose in self.purposes.iter().filter(is_meant) {
            let decision = self.may_delegate_for(who, (whom, purpose), (lasts, channel, at));
            if !decision.is_allowed() {
                return Err(decision.reasons().to_vec());
            }
            why = Some(decision.reasons().to_vec());
        }
        // where there is nothing that somebody could answer, no rule says that they may
        why.ok_or_else(Vec::new)
    }

    fn may_delegate_for(
        &self,
        who: Visitor<'_>,
        (whom, purpose): (&Person, &Purpose),
        (lasts, channel, at): (Duration, Channel, Timestamp),
    ) -> Decision {
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::GiveDelegation,
            purpose: &purpose.id,
            declarer: &whom.id,
            declarer_person: Some(whom),
            business_owner: &purpose.business_owner,
            longest_for: lasts,
            channel,
            answering: Answering::default(),
            at,
        })
    }
}
