//! Who may declare, approve and revoke, by the shipped rules.

use super::*;

/// Each line: a sentence, who acts how on whose grant, the verdict. The purpose is owned by olga, and grace is everybody's
/// manager.
const TABLE: &str = "
    staff declare for themselves | eve declare eve | allow declare.own
    nobody declares for others | eve declare rita | deny
    a vendor declares nothing | vera declare vera | deny
    a header does not declare | eve declare eve channel=header | deny declare.channels
    a tool may declare by header | bot declare bot channel=header | allow declare.own
    a user-name suffix does not declare | eve declare eve channel=proxy-name | deny declare.channels
    the API declares | eve declare eve channel=api | allow declare.own
    the owner approves | olga approve eve | allow approve.owner-or-manager
    the manager approves | grace approve eve | allow approve.owner-or-manager
    the manager of somebody unknown cannot be known | grace approve eve unknown=declarer | deny
    a colleague does not approve | mark approve eve | deny
    nobody approves their own | eve approve eve owner=eve | deny approve.never-own
    fourteen days can be approved | olga approve eve days=14 | allow approve.owner-or-manager
    fifteen cannot | olga approve eve days=15 | deny
    the holder ends a grant | eve revoke eve | allow revoke.own-or-owner
    the owner ends a grant | olga revoke eve | allow revoke.own-or-owner
    security ends a grant | seth revoke eve | allow revoke.security
    a colleague does not | mark revoke eve | deny
    a grant outlives its purpose and can still be ended | eve revoke eve purpose=gone | allow revoke.own-or-owner
    what is not in the catalogue cannot be declared | eve declare eve purpose=gone | error wayleave::purpose
";

fn decide(described: &str) -> Decision {
    let words: Vec<&str> = described.split_whitespace().collect();
    let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let (who, declarer) = (cast(words[0]), cast(words[2]));
    let power = Power::ALL.into_iter().find(|power| power.as_str() == words[1]).unwrap();
    let channels = [
        Channel::Portal,
        Channel::Cli,
        Channel::Api,
        Channel::ProxyName,
        Channel::Header,
    ];
    let channel = option("channel").unwrap_or("portal");
    let somebody = flow("eve", "x.com");
    shipped().decide_on_grant(&GrantQuestion {
        subject: &Subject {
            id: who.id.clone(),
            method: MethodName::Certificate,
        },
        person: &who,
        arrival: &somebody.arrival,
        power,
        purpose: &PurposeId::new(option("purpose").unwrap_or("recruiting")),
        declarer: &declarer.id,
        declarer_person: option("unknown").is_none().then_some(&declarer),
        business_owner: &SubjectId::parse(option("owner").unwrap_or("olga")).unwrap(),
        longest_for: Duration::from_hours(24 * option("days").unwrap_or("7").parse::<u64>().unwrap()),
        channel: channels.into_iter().find(|known| known.as_str() == channel).unwrap(),
        at: somebody.at,
    })
}

#[test]
fn powers_over_grants() {
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [sentence, described, expected]: [&str; 3] =
            line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let decision = decide(described);
        assert_eq!(verdict(&decision), expected, "{sentence} {:?}", decision.troubles());
        assert!(decision.permit().is_none());
    }
}
