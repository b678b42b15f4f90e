//! Any doubt denies, and nothing panics.

use proptest::prelude::*;

use super::*;
use crate::facts::{Continued, Mode, PolicyId};

#[test]
fn a_question_that_mixes_up_two_flows_is_denied() {
    let policy = shipped();
    let rita = || flow("rita", "www.linkedin.com").purpose("recruiting");
    let ask = |flow: &Flow| verdict(&flow.ask(policy, &["connect", "browse"]));
    assert_eq!(ask(&rita()), "allow connect.social recruiting.read");
    let mut other_subject = rita();
    other_subject.subject.id = SubjectId::parse("mallory").unwrap();
    assert_eq!(ask(&other_subject), "error wayleave::person");
    let mut other_host = rita();
    other_host.authority = Authority::parse("x.com:443", None).unwrap();
    assert_eq!(ask(&other_host), "error wayleave::host");
    let of_another = rita().grant(|grant| grant.subject = SubjectId::parse("mallory").unwrap());
    assert_eq!(ask(&of_another), "error wayleave::grant");
    for dead in [
        rita().grant(|grant| grant.state = GrantState::Revoked),
        rita().grant(|grant| grant.expires = time(NOW)),
        rita().grant(|grant| grant.not_before = time(NOW).plus(Duration::from_secs(1))),
    ] {
        assert_eq!(ask(&dead), "error wayleave::grant");
    }
    let unknown = rita().grant(|grant| grant.purpose = PurposeId::new("world-domination"));
    assert_eq!(ask(&unknown), "error wayleave::purpose");
}

#[test]
fn what_the_schema_does_not_know_is_denied() {
    let policy = shipped();
    let eve = flow("eve", "news.example");
    let ask = |actions: &[&str]| verdict(&eve.ask(policy, actions));
    assert_eq!(ask(&[]), "error wayleave::action");
    assert_eq!(ask(&["connect", "levitate"]), "error wayleave::action");
    assert_eq!(
        ask(&["publish"]),
        "error wayleave::action",
        "a group is not an activity"
    );
    assert_eq!(
        ask(&["declare"]),
        "error wayleave::action",
        "a power is not asked about a site"
    );
    assert_eq!(ask(&["archive"]), "deny");
    let question = Question {
        request: None,
        ..eve.question(&["browse"])
    };
    assert_eq!(verdict(&policy.decide(&question)), "error wayleave::request");
}

#[test]
fn a_rule_that_fails_denies_even_where_another_permits() {
    let rules = r#"
        @id("open") @reason("Open.") permit (principal, action, resource);
        @id("sum") @reason("Sum.")
        forbid (principal, action == Action::"post", resource) when { context.request.bytes * 9223372036854775807 > 5 };
    "#;
    let policy = parsed(&[SourceText::new("rules/test.cedar", rules)]);
    let decision = flow("eve", "x.com").ask(&policy, &["connect", "post"]);
    assert_eq!(verdict(&decision), "error sum");
    assert_eq!(decision.reasons(), [], "what permits is no reason for a denial");
    assert!(decision.permit().is_none());
    assert!(decision.troubles()[0].contains("overflow"), "{:?}", decision.troubles());
    assert_eq!(
        verdict(&flow("eve", "x.com").ask(&policy, &["connect", "browse"])),
        "allow open"
    );
}

#[test]
fn a_rule_on_probation_changes_nothing_also_where_it_fails() {
    let rules = r#"
        @id("open") @reason("Open.")
        permit (principal, action in [Action::"connect", Action::"browse", Action::"post"], resource);
        @id("shut") @reason("Shut.") @mode("observe")
        forbid (principal, action == Action::"post", resource);
        @id("sum") @reason("Sum.") @mode("observe")
        forbid (principal, action == Action::"browse", resource) when { context.request.bytes * 9223372036854775807 > 5 };
        @id("like") @reason("Like.") @mode("observe")
        permit (principal, action == Action::"react", resource);
    "#;
    let policy = parsed(&[SourceText::new("rules/test.cedar", rules)]);
    let eve = flow("eve", "x.com");
    let question = eve.question(&[]);
    let hearing = policy.hear(&question);
    for (action, counts, would) in [
        ("post", "allow open", "deny shut"),
        ("browse", "allow open", "error sum"),
        ("react", "deny", "allow open like"),
    ] {
        let actions = ["connect", action];
        let (decided, tried) = (
            hearing.decide(&actions, None),
            hearing.decide_by(crate::policy::RuleSet::WithObserved, &actions, None),
        );
        assert_eq!((verdict(&decided).as_str(), verdict(&tried).as_str()), (counts, would));
        assert!(decided.trials().observed);
        assert_eq!(decided.permit().is_some(), decided.is_allowed());
        assert!(tried.permit().is_none(), "nothing leaves by what is on probation");
    }
    assert!(!hearing.decide(&["connect"], None).trials().observed);
}

#[test]
fn decisions_on_the_same_many_rules_share_the_list_of_them() {
    let rule = |number: usize| {
        let action = if number.is_multiple_of(2) { "connect" } else { "browse" };
        format!("@id(\"r{number:02}\") @reason(\"R.\") permit (principal, action == Action::\"{action}\", resource);\n")
    };
    let policy = parsed(&[SourceText::new(
        "rules/test.cedar",
        (0..60).map(rule).collect::<String>(),
    )]);
    let eve = flow("eve", "x.com");
    let question = eve.question(&[]);
    let hearing = policy.hear(&question);
    let ids = |decision: &Decision| -> Vec<String> {
        let reasons = decision.reasons().iter();
        reasons.map(|reason| reason.policy.to_string()).collect()
    };
    let every = |step: usize| -> Vec<String> { (0..60).step_by(step).map(|number| format!("r{number:02}")).collect() };
    for (actions, step) in [
        (&["connect"][..], 2),
        (&["connect", "browse"], 1),
        (&["browse", "connect"], 1),
    ] {
        let [one, other] = [0, 1].map(|_| hearing.decide(actions, None));
        assert_eq!(ids(&one), every(step), "{actions:?}");
        assert!(std::ptr::eq(one.reasons(), other.reasons()), "{actions:?}");
        assert_eq!(one, other);
    }
}

#[test]
fn only_a_clean_refusal_is_let_pass_and_only_where_the_gateway_observes() {
    let rules = r#"
        @id("open") @reason("Open.") permit (principal, action == Action::"connect", resource);
        @id("sum") @reason("Sum.")
        forbid (principal, action == Action::"post", resource) when { context.request.bytes * 9223372036854775807 > 5 };
    "#;
    let policy = |mode| parsed(&[SourceText::new("rules/test.cedar", rules)]).in_mode(mode);
    let (observing, enforcing) = (policy(Mode::Observe), policy(Mode::Enforce));
    let eve = flow("eve", "x.com");
    let question = eve.question(&[]);
    let refused = ["connect", "browse"];
    let permit = observing.hear(&question).let_pass(&refused, None, None).unwrap();
    assert_eq!(permit.authority(), &eve.authority);
    assert!(enforcing.hear(&question).let_pass(&refused, None, None).is_none());
    assert!(!observing.hear(&question).decide(&refused, None).is_allowed());
    for actions in [
        &["connect"][..],
        &["connect", "post"],
        &["browse"],
        &["connect", "levitate"],
    ] {
        assert!(
            observing.hear(&question).let_pass(actions, None, None).is_none(),
            "{actions:?}"
        );
    }
    let mut mixed_up = eve.clone();
    mixed_up.subject.id = SubjectId::parse("mallory").unwrap();
    assert!(
        observing
            .hear(&mixed_up.question(&[]))
            .let_pass(&refused, None, None)
            .is_none()
    );
}

/// As if eve had continued past something, until an hour from now.
fn continued(flow: &Flow, past: &[&str]) -> Grant {
    let told = flow.clone().purpose(PurposeId::CONTINUED).grant.unwrap();
    Grant {
        expires: flow.at.plus(Duration::from_hours(1)),
        continued: Some(Continued {
            host: None,
            past: past.iter().map(|id| PolicyId::new(*id)).collect(),
        }),
        ..told
    }
}

#[test]
fn whoever_continues_passes_the_rules_that_coach_and_no_others() {
    let rules = r#"
        @id("open") @reason("Open.")
        permit (principal, action in [Action::"connect", Action::"browse", Action::"post"], resource);
        @id("shut") @reason("Shut.") @mode("coach")
        forbid (principal, action in [Action::"browse", Action::"react"], resource);
        @id("like") @reason("Like.") @mode("coach") @expires("2030-01-01")
        permit (principal, action == Action::"save", resource);
        @id("firm") @reason("Firm.")
        forbid (principal, action == Action::"post", resource);
        @id("soft") @reason("Soft.") @mode("coach")
        forbid (principal, action == Action::"post", resource);
        @id("sum") @reason("Sum.") @mode("coach")
        forbid (principal, action == Action::"download", resource) when { context.request.bytes * 9223372036854775807 > 5 };
    "#;
    let policy = parsed(&[SourceText::new("rules/test.cedar", rules)]);
    let eve = flow("eve", "x.com");
    let question = eve.question(&[]);
    let hearing = policy.hear(&question);
    let told = continued(&eve, &[]);
    for (action, counts, later) in [
        ("browse", "deny shut", "allow open"),
        ("save", "deny", "allow open like"),
        ("react", "deny shut", "deny"),
        ("post", "deny firm soft", "deny firm"),
        ("download", "error sum", "deny"),
    ] {
        let actions = ["connect", action];
        let (decided, softly) = (
            hearing.decide(&actions, None),
            hearing.decide_by(crate::policy::RuleSet::Continued, &actions, None),
        );
        assert_eq!(
            (verdict(&decided).as_str(), verdict(&softly).as_str()),
            (counts, later),
            "{action}"
        );
        assert!(decided.trials().coached && !decided.trials().observed);
        assert!(softly.permit().is_none(), "nothing leaves before its sender continued");
        assert!(hearing.let_pass(&actions, None, None).is_none(), "{action}");
        let permit = hearing.let_pass(&actions, None, Some(&told));
        assert_eq!(permit.is_some(), softly.is_allowed(), "{action}");
        if let Some(permit) = permit {
            assert_eq!(
                (permit.authority(), permit.until()),
                (&eve.authority, Some(told.expires))
            );
        }
    }
}

#[test]
fn nobody_continues_past_what_another_was_told_or_longer_than_they_may() {
    let rules = r#"@id("shut") @reason("Shut.") forbid (principal, action, resource);"#;
    let coaching = parsed(&[SourceText::new("rules/test.cedar", rules)]).in_mode(Mode::Coach);
    let eve = flow("eve", "x.com");
    let question = eve.question(&[]);
    let actions = ["connect", "browse"];
    let passes = |by: &Grant| coaching.hear(&question).let_pass(&actions, None, Some(by)).is_some();
    let told = continued(&eve, &["shut"]);
    assert!(passes(&told));
    for other in [
        Grant {
            subject: SubjectId::parse("ada").unwrap(),
            ..told.clone()
        },
        Grant {
            expires: eve.at,
            ..told.clone()
        },
        Grant {
            state: GrantState::Withdrawn,
            ..told.clone()
        },
        Grant {
            idle: None,
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
            ..told.clone()
        },
    ] {
        assert!(!passes(&other), "{other:?}");
    }
}

#[test]
fn an_expired_permit_permits_nothing_and_a_live_one_bounds_the_permit() {
    let rules = r#"
        @id("trial") @reason("Trial.") @expires("2027-01-31")
        permit (principal, action == Action::"connect", resource);
    "#;
    let policy = parsed(&[SourceText::new("rules/test.cedar", rules)]);
    let end = time("2027-01-31T00:00:00Z");
    let eve = flow("eve", "x.com");
    let before = eve.clone().at("2027-01-30T23:59:59.999Z").ask(&policy, &["connect"]);
    assert_eq!(verdict(&before), "allow trial");
    assert_eq!(before.permit().unwrap().until(), Some(end));
    assert_eq!(
        verdict(&eve.at("2027-01-31T00:00:00Z").ask(&policy, &["connect"])),
        "deny"
    );
    assert_eq!(policy.expiring(time("2026-12-31T23:59:59Z")), []);
    let [ahead] = &policy.expiring(time("2027-01-01T00:00:00Z"))[..] else {
        panic!("no warning 30 days ahead")
    };
    assert_eq!(
        ahead.message,
        "rule `trial` expires on 2027-01-31 and permits nothing from then on"
    );
    let [warning] = &policy.expiring(end)[..] else {
        panic!("no warning")
    };
    assert_eq!(
        (warning.severity, warning.file.as_str(), warning.line),
        (crate::facts::Severity::Warning, "rules/test.cedar", 2)
    );
    assert_eq!(
        warning.message,
        "rule `trial` expired on 2027-01-31 and permits nothing any more"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_question_makes_it_panic(
        text in "\\PC{0,30}", raw in any::<String>(), millis in any::<i64>(), bytes in any::<u64>(),
        ip in any::<std::net::IpAddr>(), action in prop_oneof![Just("connect".to_owned()), Just("post".to_owned()), any::<String>()],
    ) {
        let policy = shipped();
        let mut eve = flow("eve", "x.com").purpose("market-research");
        let person = Arc::make_mut(&mut eve.person);
        person.roles.insert(raw.clone());
        person.training.insert(raw.clone(), Timestamp::from_millis(millis));
        person.region.clone_from(&text);
        eve.arrival.client = std::net::SocketAddr::new(ip, 1);
        eve.arrival.network = NetworkName::new(raw.clone());
        let usual = eve.ask(policy, &["connect", "browse"]);
        prop_assert!(usual.is_allowed() || !usual.errors().is_empty(), "{:?}", usual);
        if (0..4_102_444_800_000).contains(&millis) {
            prop_assert!(usual.errors().is_empty(), "{:?} {:?}", usual.errors(), usual.troubles());
        }
        eve.at = Timestamp::from_millis(millis);
        Arc::make_mut(&mut eve.person).time_zone.clone_from(&text);
        let mut question = eve.question(&[]);
        let actions = [action.as_str()];
        question.actions = &actions;
        question.request = Some(RequestFacts { method: &raw, host: &eve.authority.host, path: &text, bytes, content_type: Some(&raw) });
        let decision = policy.decide(&question);
        prop_assert_eq!(decision.is_allowed(), decision.errors().is_empty() && !decision.reasons().is_empty());
    }
}
