//! Who may declare, approve and revoke, by the shipped rules.

use super::*;

struct Act {
    who: Person,
    power: Power,
    declarer: &'static str,
    owner: &'static str,
    days: u64,
    channel: Channel,
    known: bool,
}

fn act(who: &str, power: Power, declarer: &'static str) -> Act {
    Act {
        who: cast(who),
        power,
        declarer,
        owner: "olga",
        days: 7,
        channel: Channel::Portal,
        known: true,
    }
}

impl Act {
    fn ask(&self, policy: &Policy) -> Decision {
        let somebody = flow("eve", "x.com");
        let declarer = cast(self.declarer);
        policy.decide_on_grant(&GrantQuestion {
            person: &self.who,
            subject: &Subject {
                id: self.who.id.clone(),
                method: MethodName::Certificate,
            },
            arrival: &somebody.arrival,
            power: self.power,
            purpose: &PurposeId::new("recruiting"),
            declarer: &declarer.id,
            declarer_person: self.known.then_some(&declarer),
            business_owner: &SubjectId::parse(self.owner).unwrap(),
            longest_for: Duration::from_hours(24 * self.days),
            channel: self.channel,
            at: somebody.at,
        })
    }
}

#[test]
fn powers_over_grants() {
    let policy = shipped();
    let header = |act: Act| Act {
        channel: Channel::Header,
        ..act
    };
    let rows = [
        (
            "staff declare for themselves",
            act("eve", Power::Declare, "eve"),
            "allow declare.own",
        ),
        ("nobody declares for others", act("eve", Power::Declare, "rita"), "deny"),
        ("a vendor declares nothing", act("vera", Power::Declare, "vera"), "deny"),
        (
            "a header does not declare",
            header(act("eve", Power::Declare, "eve")),
            "deny declare.channels",
        ),
        (
            "a tool may declare by header",
            header(act("bot", Power::Declare, "bot")),
            "allow declare.own",
        ),
        (
            "a user-name suffix does not declare",
            Act {
                channel: Channel::ProxyName,
                ..act("eve", Power::Declare, "eve")
            },
            "deny declare.channels",
        ),
        (
            "the API declares",
            Act {
                channel: Channel::Api,
                ..act("eve", Power::Declare, "eve")
            },
            "allow declare.own",
        ),
        (
            "the owner approves",
            act("olga", Power::Approve, "eve"),
            "allow approve.owner-or-manager",
        ),
        (
            "the manager approves",
            act("grace", Power::Approve, "eve"),
            "allow approve.owner-or-manager",
        ),
        (
            "the manager of somebody unknown cannot be known",
            Act {
                known: false,
                ..act("grace", Power::Approve, "eve")
            },
            "deny",
        ),
        (
            "a colleague does not approve",
            act("mark", Power::Approve, "eve"),
            "deny",
        ),
        (
            "nobody approves their own",
            Act {
                owner: "eve",
                ..act("eve", Power::Approve, "eve")
            },
            "deny approve.never-own",
        ),
        (
            "fourteen days can be approved",
            Act {
                days: 14,
                ..act("olga", Power::Approve, "eve")
            },
            "allow approve.owner-or-manager",
        ),
        (
            "fifteen cannot",
            Act {
                days: 15,
                ..act("olga", Power::Approve, "eve")
            },
            "deny",
        ),
        (
            "the holder ends a grant",
            act("eve", Power::Revoke, "eve"),
            "allow revoke.own-or-owner",
        ),
        (
            "the owner ends a grant",
            act("olga", Power::Revoke, "eve"),
            "allow revoke.own-or-owner",
        ),
        (
            "security ends a grant",
            act("seth", Power::Revoke, "eve"),
            "allow revoke.security",
        ),
        ("a colleague does not", act("mark", Power::Revoke, "eve"), "deny"),
    ];
    for (sentence, act, expected) in rows {
        let decision = act.ask(policy);
        assert_eq!(verdict(&decision), expected, "{sentence} {:?}", decision.troubles());
        assert!(decision.permit().is_none());
    }
}
