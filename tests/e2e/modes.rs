//! Rules on probation: what they would change is recorded and counted, and nothing changes.

use http::StatusCode;
use wayleave::facts::{DecisionNote, Outcome, PolicyId, WouldBe};

use crate::harness::World;
use crate::harness::house::sample;

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
    let counted = sample(&exposition, r#"wayleave_would_deny_total{cause="rule",platform="x"}"#);
    assert_eq!(counted, Some(2.0));
    assert_eq!(sample(&exposition, "wayleave_policy_errors_total"), Some(0.0));
    world.close().await;
}
