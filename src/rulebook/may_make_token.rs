//! May somebody make a token for their tools? The rules alone are asked.

use std::time::Duration;

use super::{Rulebook, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, NO_PURPOSE, PurposeId};
use crate::policy::{Answering, Decision, GrantQuestion, Power};

impl Rulebook {
    /// Whether somebody may make a token for their own tools that is good for so long.
    pub fn may_make_token(&self, who: Visitor<'_>, lasts: Duration, channel: Channel, at: Timestamp) -> Decision {
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::MakeToken,
            purpose: &PurposeId::new(NO_PURPOSE),
            declarer: &who.person.id,
            declarer_person: None,
            business_owner: &who.person.id,
            longest_for: lasts,
            channel,
            answering: Answering::default(),
            at,
        })
    }
}
