//! The rulebooks that ruled stay on disk: records of another day are judged again under the rules of that day, and a
//! restart with a broken folder keeps the last good rules.

use http::StatusCode;
use wayleave::facts::{Act, GatewayAct};
use wayleave::gatehouse::kept::Kept;
use wayleave::gatehouse::{Gatehouse, OpenError, Rules};
use wayleave::rulebook::Replay;
use wayleave::tls::Issuer;

use crate::harness::house::PORTAL;
use crate::harness::{World, copy};

const RULES: &str = "rules/90-test.cedar";

const CLOSED: &str = r#"@id("test.closed") @title("Closed") @reason("This corner is closed today.") @owner("IT")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_rulebook_that_ruled_is_kept_and_judges_its_own_day_as_it_did() {
    let world = World::open().await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    let dan = world.client("dan");
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::OK);
    let first = world.gate().live().load().rulebook.id().clone();
    world.edit_rules(RULES, CLOSED).await;
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::FORBIDDEN);
    let second = world.gate().live().load().rulebook.id().clone();
    let kept = Kept::at(&world.settings.policies.kept);
    let days = [first, second].map(|id| kept.rulebook(&id).unwrap().rulebook);
    let records = world.close().await;
    let mut judged = 0;
    for then in days {
        for record in &records {
            let Act::Closing {
                decided: Some(decided), ..
            } = &record.act
            else {
                continue;
            };
            if decided.rulebook == *then.id() {
                assert_eq!(then.replay(record), Replay::Same);
                judged += 1;
            }
        }
    }
    assert!(judged >= 2, "{judged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_with_a_broken_folder_the_last_good_rules_rule_and_everything_says_so() {
    let mut world = World::open().await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    world.edit_rules(RULES, CLOSED).await;
    let good = world.gate().live().load().rulebook.id().clone();
    world.write_policy(RULES, "permit (principal, action == Action::\"brwse\", resource);\n");
    world.reopen().await;
    assert_eq!(*world.gate().live().load().rulebook.id(), good);
    let refused = world.client("dan").get("https://x.com/corner/1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.client("dan").get("https://x.com/home").await.status,
        StatusCode::OK
    );
    let ready = world.admin("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    let problems = ready.json()["problems"].to_string();
    assert!(problems.contains("rules/90-test.cedar:1:"), "{problems}");
    let health = world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    let longer = "when the gateway started, or longer";
    assert!(health.contains(longer), "they were refused before, too: {health}");
    assert_eq!(world.metric("wayleave_policy_reload_success").await, Some(0.0));
    let recorded = world
        .acts(|record| match &record.act {
            Act::Gateway {
                act: GatewayAct::RulebookRefused { problems },
                rulebook,
            } => Some((problems.join("\n"), rulebook.clone())),
            _ => None,
        })
        .await;
    let (words, ruling) = recorded.last().unwrap();
    assert!(words.contains("brwse"), "{words}");
    assert_eq!(*ruling, good);

    // and the folder is followed as ever
    world.write_policy(RULES, CLOSED);
    world
        .until("the problem is gone", async |world| {
            world.admin("/readyz").await.json()["problems"] == serde_json::json!([])
                && world.metric("wayleave_policy_reload_success").await == Some(1.0)
        })
        .await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_with_a_broken_folder_does_not_open() {
    let world = World::open().await;
    let mut settings = world.settings.clone();
    let fresh = world.folder.path().join("fresh");
    settings.policies.kept = fresh.join("rulebooks");
    settings.audit.folder = fresh.join("records");
    world.write_policy(RULES, "permit (principal, action == Action::\"brwse\", resource);\n");
    let issuer = Issuer::temporary(&wayleave::clock::Clock::system()).unwrap();
    let rules = Rules::Folder(world.policies());
    let opened = Gatehouse::open(&settings, rules, issuer, world.clock.clone()).await;
    assert!(matches!(opened, Err(OpenError::Policies(_))));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_a_start_that_failed_are_not_the_last_that_ruled() {
    let world = World::open().await;
    let elsewhere = world.folder.path().join("elsewhere");
    copy(&world.policies(), &elsewhere);
    std::fs::write(elsewhere.join(RULES), CLOSED).unwrap();
    let kept = Kept::at(&world.settings.policies.kept);
    let ruled = kept.last().unwrap().unwrap();
    let mut taken = world.settings.clone();
    taken.ingress.plain = world.gate().addresses().plain;
    // the port is taken, or else the book is
    for settings in [taken, world.settings.clone()] {
        let issuer = Issuer::temporary(&wayleave::clock::Clock::system()).unwrap();
        let rules = Rules::Folder(elsewhere.clone());
        let opened = Gatehouse::open(&settings, rules, issuer, world.clock.clone()).await;
        assert!(matches!(opened, Err(OpenError::Bind(_) | OpenError::Book(_))));
        assert_eq!(kept.last().unwrap().unwrap(), ruled);
    }
    world.close().await;
}
