//! May somebody end a grant? The rules alone are asked.

use super::{Rulebook, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, NO_PURPOSE, Person, PurposeId, SubjectId, Token};
use crate::policy::{Answering, Decision, GrantQuestion, Power};

impl Rulebook {
    /// Whether somebody may end a grant; `holder` is what the directory knows of the person who holds it.
    pub fn may_end(
        &self,
        who: Visitor<'_>,
        grant: &Grant,
        holder: Option<&Person>,
        channel: Channel,
        at: Timestamp,
    ) -> Decision {
        // A grant outlives its purpose: then nobody owns it, and only rules that ask for other powers can end it.
        let nobody = &grant.subject;
        let owner = self
            .purposes
            .get(&grant.purpose)
            .map_or(nobody, |purpose| &purpose.business_owner);
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::Revoke,
            purpose: &grant.purpose,
            declarer: &grant.subject,
            declarer_person: holder,
            business_owner: owner,
            longest_for: grant.expires.since(grant.not_before),
            channel,
            answering: Answering::default(),
            at,
        })
    }

    /// Whether somebody may end a token for tools of `holder`, as they may end a grant: it is for no purpose, and nobody owns it.
    pub fn may_end_token(
        &self,
        who: Visitor<'_>,
        token: &Token,
        holder: Option<&Person>,
        channel: Channel,
        at: Timestamp,
    ) -> Decision {
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::Revoke,
            purpose: &PurposeId::new(NO_PURPOSE),
            declarer: &token.subject,
            declarer_person: holder,
            business_owner: &token.subject,
            longest_for: token.expires.since(token.made_at),
            channel,
            answering: Answering::default(),
            at,
        })
    }

    /// Whether the rules let somebody end what others hold for some purpose, as far as that hangs on no more of who holds it
    /// than that they report to whoever asks. It is a question for each purpose, however much is held.
    pub fn may_end_others(&self, who: Visitor<'_>, channel: Channel, at: Timestamp) -> bool {
        let report = Person {
            id: SubjectId::nobody(),
            manager: Some(who.person.id.clone()),
            ..who.person.clone()
        };
        [None, Some(&report)]
            .into_iter()
            .any(|holder| self.may_end_of(holder, who, channel, at))
    }

    fn may_end_of(&self, holder: Option<&Person>, who: Visitor<'_>, channel: Channel, at: Timestamp) -> bool {
        let nobody = SubjectId::nobody();
        self.purposes.iter().any(|purpose| {
            let decision = self.policy.decide_on_grant(&GrantQuestion {
                person: who.person,
                subject: who.subject,
                arrival: who.arrival,
                power: Power::Revoke,
                purpose: &purpose.id,
                declarer: &nobody,
                declarer_person: holder,
                business_owner: &purpose.business_owner,
                longest_for: purpose.default_for(&purpose.covers),
                channel,
                answering: Answering::default(),
                at,
            });
            decision.is_allowed()
        })
    }
}
