//! Who may declare, approve and revoke, by the shipped rules.

use cedar_policy::{Authorizer, PolicySet};
use proptest::prelude::*;
use proptest::sample::select;

use super::index::unlinted;
use super::*;
use crate::policy::reasons::Tally;
use crate::policy::{Answering, NamedAs};

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
    whom the terms name approves | mark approve eve named=yes | allow approve.named
    a delegate approves for whom the terms name | mark approve eve named=yes for=olga | allow approve.delegate
    and not for anybody else | mark approve eve for=olga | deny
    nor for more than fourteen days | mark approve eve named=yes for=olga days=15 | deny
    nobody approves their own for somebody else | eve approve eve named=yes for=olga | deny approve.never-own
    nobody approves for whoever asks | mark approve eve named=yes for=eve | deny approve.never-for-who-asks
    what a delegate is themselves does not help | grace approve eve for=olga | deny
    a vendor is nobody's delegate | vera approve eve named=yes for=olga | deny
    the holder ends a grant | eve revoke eve | allow revoke.own-or-owner
    the owner ends a grant | olga revoke eve | allow revoke.own-or-owner
    security ends a grant | seth revoke eve | allow revoke.security
    a colleague does not | mark revoke eve | deny
    a grant outlives its purpose and can still be ended | eve revoke eve purpose=gone | allow revoke.own-or-owner
    a request outlives its purpose and can still be answered | grace approve eve purpose=gone | allow approve.owner-or-manager
    the owner sees what comes of a purpose | olga see-value grace | allow value.owner
    a colleague does not see it | grace see-value olga | deny
    security reads what was decided about somebody | seth see-decisions eve | allow decisions.security
    also about whoever has left | seth see-decisions eve unknown=declarer | allow decisions.security
    their manager does not | grace see-decisions eve | deny
    what is not in the catalogue cannot be declared | eve declare eve purpose=gone | error wayleave::purpose
";

fn decide(policy: &Policy, described: &str) -> Decision {
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
    let behalf_of = option("for").map(|whom| SubjectId::parse(whom).unwrap());
    let somebody = flow("eve", "x.com");
    policy.decide_on_grant(&GrantQuestion {
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
        answering: Answering {
            named_as: option("named").map(|_| NamedAs::Approver),
            behalf_of: behalf_of.as_ref(),
        },
        at: somebody.at,
    })
}

#[test]
fn powers_over_grants() {
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [sentence, described, expected]: [&str; 3] =
            line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let decision = decide(shipped(), described);
        assert_eq!(verdict(&decision), expected, "{sentence} {:?}", decision.troubles());
        assert!(decision.permit().is_none());
    }
}

#[test]
fn looking_through_what_everybody_holds_pushes_nothing_out_of_memory() {
    let named = |declarer: &str| {
        let id = |name: &str| SubjectId::parse(name).unwrap();
        let lasts = Duration::from_hours(24 * 11);
        (PurposeId::new("recruiting"), id(declarer), id("olga"), lasts)
    };
    let is_remembered = |declarer: &str| {
        let remembered = shipped().memory.purposes.of(&named(declarer), &(), || Err(()));
        remembered.is_ok()
    };
    assert_eq!(
        verdict(&decide(shipped(), "seth revoke eve days=11")),
        "allow revoke.security"
    );
    assert!(!is_remembered("eve"));
    assert_eq!(
        verdict(&decide(shipped(), "rita declare rita days=11")),
        "allow declare.own"
    );
    assert!(is_remembered("rita"));
}

#[test]
fn what_is_known_of_a_declarer_is_not_kept_for_the_purpose() {
    for condition in [
        "resource.declarer in Role::\"staff\"",
        "resource.declarer has manager",
        "!(resource.declarer has region) == false",
    ] {
        let policy = unlinted(&[format!("permit (principal, action, resource) when {{ {condition} }};")]);
        for (described, allowed) in [
            ("grace approve eve", true),
            ("grace approve eve unknown=declarer", false),
            ("grace approve eve", true),
        ] {
            assert_eq!(
                decide(&policy, described).is_allowed(),
                allowed,
                "{condition}: {described}"
            );
        }
    }
}

const ACTIONS: &[&str] = &[
    "action",
    "action == Action::\"declare\"",
    "action in [Action::\"approve\", Action::\"revoke\"]",
    "action in Action::\"activity\"",
];
const BODIES: &[&str] = &[
    "",
    "when { resource.declarer == principal }",
    "when { resource.declarer in Role::\"staff\" && resource.declarer != principal }",
    "when { resource.declarer has manager && resource.declarer.manager == principal }",
    "when { resource.declarer.region == \"eu-west\" || resource.declarer.hasTag(\"social-media\") }",
    "when { resource.businessOwner in Role::\"staff\" }",
    "when { resource.kind == PurposeKind::\"recruiting\" && resource.maxDuration <= duration(\"8d\") }",
    "when { resource in Purpose::\"recruiting\" && resource is Purpose }",
    "unless { context.channel == \"portal\" }",
    "when { context has behalfOf && context.behalfOf == resource.declarer }",
    "when { context has namedAs } unless { context has behalfOf && context.behalfOf != principal }",
    "when { context.behalfOf == principal }",
    "when { context has channel && context.channel like \"*i*\" }",
    "when { context has purpose || context has request }",
    "when { context has purpose.kind && context.purpose.kind == PurposeKind::\"recruiting\" }",
    "when { context.request.bytes > 3 }",
    "when { context.purpose.ticket == \"HR-1\" }",
    "when { context.local.weekday <= 5 && context.local.time < duration(\"13h\") }",
    "when { context.client.ip.isInRange(ip(\"10.0.0.0/8\")) || context.proof.strong }",
    "when { context.client.network == \"office\" && context.now < datetime(\"2027-01-01\") }",
    "when { principal.employment == Employment::\"intern\" || principal in Role::\"recruiter\" }",
    "when { resource.nothing == 1 }",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_power_is_decided_as_cedar_would(
        rules in prop::collection::vec(
            (select(vec!["permit", "forbid"]), select(ACTIONS), select(BODIES), prop::bool::weighted(0.2)),
            0..16,
        ),
        questions in prop::collection::vec(
            (
                (select(vec!["eve", "rita", "vera", "grace"]), select(vec!["eve", "rita", "cara"]), any::<bool>()),
                (select(Power::ALL.to_vec()), select(vec!["recruiting", "gone"]), select(vec![Channel::Cli, Channel::Portal])),
                (0_u64..20, any::<bool>()),
            ),
            1..6,
        ),
    ) {
        let rule = |(effect, action, body, observed): &(&str, &str, &str, bool)| {
            let mode = if *observed { "@mode(\"observe\") " } else { "" };
            format!("{mode}{effect} (principal, {action}, resource) {body};")
        };
        let policy = unlinted(&rules.iter().map(rule).collect::<Vec<_>>());
        for ((who, declarer, known), (power, purpose, channel), (days, zone)) in questions {
            let (mut who, declarer) = (cast(who), cast(declarer));
            if !zone {
                who.time_zone = "Mars/Olympus".to_owned();
            }
            let question = GrantQuestion {
                subject: &Subject { id: who.id.clone(), method: MethodName::Certificate },
                person: &who,
                arrival: &flow("eve", "x.com").arrival,
                power,
                purpose: &PurposeId::new(purpose),
                declarer: &declarer.id,
                declarer_person: if declarer.id == who.id { Some(&who) } else { known.then_some(&declarer) },
                business_owner: &who.id,
                longest_for: Duration::from_hours(24 * days),
                channel,
                answering: Answering {
                    named_as: (power == Power::Approve && zone).then_some(NamedAs::Approver),
                    behalf_of: (power == Power::Approve && known).then_some(&declarer.id),
                },
                at: time(NOW),
            };
            let expected = match policy.nouns.about_grant(&question, &policy.vocabulary, None) {
                Err(trouble) => Decision::deny(crate::policy::Reasons::new(), vec![trouble]),
                Ok(asked) => {
                    let all = policy.rules.iter().zip(policy.engine.policies());
                    let counting = all.filter(|(rule, _)| rule.is_in_force(question.at));
                    let whole = PolicySet::from_policies(counting.map(|(_, rule)| rule.clone())).unwrap();
                    let mut tally = Tally::default();
                    for request in &asked.requests {
                        tally.count(&Authorizer::new().is_authorized(request, &whole, &asked.entities), &policy.numbers);
                        let met = policy.engine.candidates_for(request, &asked.entities).unwrap();
                        tally.trials.observed = met.iter().any(|number| policy.rules[*number].mode == crate::facts::Mode::Observe);
                    }
                    policy.conclude(tally, None)
                }
            };
            prop_assert_eq!(policy.decide_on_grant(&question), expected);
        }
    }
}

#[test]
fn a_power_is_decided_by_the_engine_and_not_the_long_way_round() {
    let grace = cast("grace");
    let eve = cast("eve");
    let question = GrantQuestion {
        subject: &Subject {
            id: grace.id.clone(),
            method: MethodName::Basic,
        },
        person: &grace,
        arrival: &flow("eve", "x.com").arrival,
        power: Power::Approve,
        purpose: &PurposeId::new("recruiting"),
        declarer: &eve.id,
        declarer_person: Some(&eve),
        business_owner: &grace.id,
        longest_for: Duration::from_hours(8),
        channel: Channel::Portal,
        answering: Answering {
            named_as: Some(NamedAs::Approver),
            behalf_of: Some(&eve.id),
        },
        at: time(NOW),
    };
    // the others are asked about seldom, and about something else than a purpose
    for power in Power::ALL.into_iter().filter(|power| power.is_over_purposes()) {
        assert!(
            shipped().weigh_power(&GrantQuestion { power, ..question }).is_ok(),
            "{power:?}"
        );
    }
}
