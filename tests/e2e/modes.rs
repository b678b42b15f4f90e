//! Trying rules out: what a rule on probation would change is recorded and counted, and nothing changes; a gateway that
//! only observes lets pass what rules refuse, and says so.

use http::StatusCode;
use wayleave::facts::{Act, DecisionNote, End, Mode, Outcome, PolicyId, WouldBe};

use crate::harness::World;
use crate::harness::house::{PORTAL, sample};

const RULES: &str = "rules/90-test.cedar";

/// Closes and opens corners that no case of the shipped policies asks for.
const ON_PROBATION: &str = r#"
@id("trial.closed") @title("Closed") @reason("This corner is closed.") @owner("IT") @mode("observe")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };

@id("trial.open") @title("Open") @reason("This corner is open.") @owner("IT") @mode("observe")
permit (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/plaza/*" };

@id("trial.sum") @title("A sum") @reason("The sum is too large.") @owner("IT") @mode("observe")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/sum/*" && (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
"#;

fn would(note: &DecisionNote) -> Option<(WouldBe, Vec<&str>, Vec<&str>)> {
    let would = note.would.as_ref()?;
    let policies = would.policies.iter().map(PolicyId::as_str).collect();
    Some((would.be, policies, would.errors.iter().map(PolicyId::as_str).collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_probation_is_recorded_and_counted_and_changes_nothing() {
    let world = World::planned(|plan| {
        std::fs::write(plan.folder.join("policies").join(RULES), ON_PROBATION).unwrap();
    })
    .await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    let (dan, ada) = (world.client("dan"), world.client("ada"));
    for path in ["/home", "/corner/1", "/sum/1", "/plaza/1"] {
        let answer = dan.get(&format!("https://x.com{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let refused = ada.get("https://x.com/plaza/2").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(world.origin.received().len(), 4);

    for (path, outcome, expected) in [
        ("/home", Outcome::Allow, None),
        ("/plaza/1", Outcome::Allow, None),
        (
            "/corner/1",
            Outcome::Allow,
            Some((WouldBe::Denied, vec!["trial.closed"], vec![])),
        ),
        (
            "/sum/1",
            Outcome::Allow,
            Some((WouldBe::Denied, vec![], vec!["trial.sum"])),
        ),
    ] {
        let closing = world.closed("x.com", path).await;
        let note = closing.decided();
        assert_eq!((note.outcome, would(note)), (outcome, expected), "{path}");
        assert!(note.errors.is_empty(), "what is not in effect fails without effect");
    }
    let closing = world.closed("x.com", "/plaza/2").await;
    let note = closing.decided();
    assert_ne!(note.outcome, Outcome::Allow);
    let (be, policies, _) = would(note).unwrap();
    assert_eq!(be, WouldBe::Allowed);
    assert!(policies.contains(&"trial.open"), "{policies:?}");

    let exposition = world.admin("/metrics").await.text();
    let counted = sample(
        &exposition,
        r#"wayleave_would_deny_total{cause="rule",mode="observe",platform="x"}"#,
    );
    assert_eq!(counted, Some(2.0));
    assert_eq!(sample(&exposition, "wayleave_policy_errors_total"), Some(0.0));
    world.close().await;
}

/// A gateway that only observes, by the shipped rules.
async fn observing(rules: &str, maps_everything: bool) -> World {
    World::planned(|plan| {
        plan.maps_everything = maps_everything;
        plan.settings.mode = Mode::Observe;
        std::fs::write(plan.folder.join("policies").join(RULES), rules).unwrap();
    })
    .await
}

const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
const SHARE_PATH: &str = "/voyager/api/contentcreation/normShares";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_observes_lets_pass_what_rules_refuse_and_records_it() {
    let world = observing("", true).await;
    let (ada, eve) = (world.client("ada"), world.client("eve"));
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    assert_eq!(eve.post(SHARE, "application/json", "{}").await.status, StatusCode::OK);
    assert_eq!(
        world.client("dan").get("http://www.example.org/").await.status,
        StatusCode::OK
    );
    assert_eq!(world.origin.received().len(), 3);

    let feed = world.closed("www.linkedin.com", "/feed/").await;
    let note = feed.decided();
    assert_eq!(
        (note.outcome, note.mode, note.let_pass),
        (Outcome::Declare, Mode::Observe, true)
    );
    assert!(!note.offered.is_empty(), "what would have helped is recorded");
    assert_eq!(feed.ended().end, End::Completed);
    let post = world.closed("www.linkedin.com", SHARE_PATH).await;
    let note = post.decided();
    assert_eq!((note.outcome, note.let_pass), (Outcome::Deny, true));
    assert!(note.publishes && !note.policies.is_empty(), "{note:?}");
    let open = world.closed("www.example.org", "").await;
    let note = open.decided();
    assert_eq!(
        (note.outcome, note.mode, note.let_pass),
        (Outcome::Allow, Mode::Observe, false)
    );
    let exposition = world.admin("/metrics").await.text();
    let counted = sample(
        &exposition,
        r#"wayleave_would_deny_total{cause="gateway",mode="observe",platform="linkedin"}"#,
    );
    assert_eq!(counted, Some(2.0));

    // whoever looks for what would not have passed finds just that
    world.settled().await;
    let sol = world.client("sol");
    for (query, found) in [
        ("let_pass=observe", 2),
        ("let_pass=any&user=eve", 1),
        ("let_pass=coach", 0),
    ] {
        let listed = sol.get(&format!("{PORTAL}/v1/decisions?{query}")).await.json();
        assert_eq!(
            listed["decisions"].as_array().unwrap().len(),
            found,
            "{query}: {listed}"
        );
    }
    for path in ["/health", "/rulebook"] {
        let page = sol.navigate(&format!("{PORTAL}{path}")).await.text();
        assert!(page.contains("It only observes"), "{path}: {page}");
    }

    // new rules come into a gateway that still only observes
    world.edit_rules(RULES, ON_PROBATION).await;
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    let records = world.close().await;
    let opened = records
        .iter()
        .filter(|record| matches!(record.act, Act::Opening { .. }));
    assert_eq!(opened.count(), 1, "a post that is let pass has its opening line");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_rules_refuse_passes_unread_where_they_only_observe_and_is_recorded_as_refused() {
    let world = observing("", true).await;
    let dan = world.client("dan").unread(&world.origins);
    let answer = dan.get("https://www.12ft.io/secret-path").await;
    assert_eq!(
        answer.text(),
        "GET /secret-path 0",
        "by the origin itself, under its own certificate"
    );
    let closing = world.closed("www.12ft.io", "CONNECT").await;
    let (note, ended) = (closing.decided(), closing.ended());
    assert_eq!(
        (note.outcome, note.mode, note.let_pass),
        (Outcome::Deny, Mode::Observe, true)
    );
    let policies: Vec<&str> = note.policies.iter().map(PolicyId::as_str).collect();
    assert_eq!((policies, note.inspect), (vec!["connect.no-evasion"], false));
    assert_eq!((&ended.end, ended.decrypted), (&End::Completed, false));
    let exposition = world.admin("/metrics").await.text();
    let counted = exposition
        .lines()
        .filter(|line| line.starts_with("wayleave_would_deny_total{cause=\"gateway\""));
    let counted: Vec<&str> = counted.filter(|line| line.ends_with(" 1")).collect();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert!(!world.book().await.contains("secret-path"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_observes_refuses_all_the_same_what_no_rule_decides() {
    let world = observing(&ON_PROBATION.replace(" @mode(\"observe\")", ""), false).await;
    let stranger = world.stranger().get("http://www.example.org/").await;
    assert_eq!(stranger.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let ada = world.client("ada");
    let failed = ada.get("https://x.com/sum/1").await;
    assert_eq!(
        failed.status,
        StatusCode::FORBIDDEN,
        "a policy error denies in every mode"
    );
    let note = world.closed("x.com", "/sum/1").await;
    assert!(!note.decided().let_pass);
    let private = ada.get("http://10.1.2.3/").await;
    let status = private.header("proxy-status");
    assert!(status.contains("error=destination_ip_prohibited"), "{status}");
    assert_eq!(world.origin.received().len(), 0);
    world.close().await;
}
