//! May somebody see how much a purpose is used, and what comes of it, or what was decided about others? The rules alone
//! are asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Rulebook, Visitor};
use crate::clock::Timestamp;
use crate::facts::{
    Arrival, Channel, Door, MethodName, NO_PURPOSE, NetworkName, Person, PurposeId, Subject, SubjectId,
};
use crate::policy::{Answering, Decision, GrantQuestion, Power};
use crate::purpose::Purpose;

impl Rulebook {
    /// The purposes of which somebody may see that, in the order of their names.
    pub fn seen_by(&self, who: Visitor<'_>, channel: Channel, at: Timestamp) -> Vec<&Purpose> {
        let purposes = self.purposes.iter();
        purposes
            .filter(|purpose| self.may_see_value(who, purpose, channel, at))
            .collect()
    }

    /// Whether somebody may see that of one purpose. It is asked of the purpose alone, and not of anybody's grant.
    pub fn may_see_value(&self, who: Visitor<'_>, purpose: &Purpose, channel: Channel, at: Timestamp) -> bool {
        let decision = self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::SeeValue,
            purpose: &purpose.id,
            declarer: &SubjectId::nobody(),
            declarer_person: None,
            business_owner: &purpose.business_owner,
            longest_for: Duration::ZERO,
            channel,
            answering: Answering::default(),
            at,
        });
        decision.is_allowed()
    }

    /// The same of somebody who does not come, but is written to, and reads that wherever they are: they may if they might see
    /// it on the portal's pages from a network without a name, by whatever door they came and however they signed in.
    pub fn may_be_told_value(&self, person: &Person, purpose: &Purpose, at: Timestamp) -> bool {
        let ways = [Door::Plain, Door::Tls].into_iter().flat_map(|door| {
            let methods = [MethodName::Basic, MethodName::Certificate];
            methods.map(|method| (door, method))
        });
        { ways }.all(|(door, method)| {
            let subject = Subject {
                id: person.id.clone(),
                method,
            };
            let arrival = Arrival {
                door,
                client: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                network: NetworkName::default(),
            };
            let visitor = Visitor {
                person,
                subject: &subject,
                arrival: &arrival,
            };
            self.may_see_value(visitor, purpose, Channel::Portal, at)
        })
    }
}

impl Rulebook {
    /// Whether somebody may read what was decided about `whose`, as the directory, or a record, knows that person; about
    /// whomever, where nobody is named.
    pub fn may_see_decisions(
        &self,
        who: Visitor<'_>,
        (whose, person): (&SubjectId, Option<&Person>),
        channel: Channel,
        at: Timestamp,
    ) -> Decision {
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::SeeDecisions,
            purpose: &PurposeId::new(NO_PURPOSE),
            declarer: whose,
            declarer_person: person,
            business_owner: &SubjectId::nobody(),
            longest_for: Duration::ZERO,
            channel,
            answering: Answering::default(),
            at,
        })
    }
}
