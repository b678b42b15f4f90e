//! What the gateway reads of people and what it never does, on a page for everybody; and what of that was proved, of the very
//! rules in force.

use std::path::Path;

use http::StatusCode;
use serde_json::{Value, json};
use wayleave::gatehouse::sources::read_folder;
use wayleave::proof::{Findings, Outcome, Prover, Work};
use wayleave::rulebook::{Rulebook, Sources};

use crate::approvals::without_cases;
use crate::harness::World;
use crate::harness::house::PORTAL;

async fn page(world: &World, user: &str) -> String {
    let page = world.client(user).navigate(&format!("{PORTAL}/privacy")).await;
    assert_eq!(page.status, StatusCode::OK);
    page.text()
}

async fn told(world: &World) -> Value {
    let told = world.client("dan").get(&format!("{PORTAL}/v1/privacy")).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text());
    told.json()
}

fn one<'a>(told: &'a Value, list: &str, id: &str) -> &'a Value {
    let mut all = told[list].as_array().unwrap().iter();
    all.find(|one| one["id"] == id || one["name"] == id || one["power"] == id)
        .unwrap()
}

/// Waits until it is known what the rules in force promise, and this is what is said of each promise.
async fn says(world: &World, state: &str) -> Value {
    world
        .until(&format!("each promise is {state}"), async |world| {
            let told = told(world).await;
            let all = told["properties"].as_array();
            all.is_some_and(|all| all.iter().all(|one| one["state"] == state))
        })
        .await;
    told(world).await
}

/// What a run that proves everything would find of these policies.
fn proves(policies: &Path, into: &Path) {
    let sources = Sources::from_files(read_folder(policies).unwrap()).unwrap();
    let assembled = Rulebook::assemble(&sources).unwrap();
    let work = Work::of(&sources, &assembled).unwrap();
    let outcomes = vec![Outcome::Proved; work.checks.len()];
    let prover = Prover {
        by: Some("the works council".to_owned()),
        at: "2026-11-20T08:00:00Z".parse().unwrap(),
        solver: "This is cvc5 version 1".to_owned(),
    };
    let findings = Findings::of(&work, &outcomes, assembled.rulebook.id(), prover);
    std::fs::write(into, findings.text()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_what_is_decrypted_what_never_is_what_is_kept_and_who_may_see_it() {
    let world = World::open().await;
    let told = says(&world, "not-proved").await;
    let banking = one(&told, "categories", "banking");
    assert_eq!(
        (&banking["decrypted"], &banking["partly"]),
        (&json!("never"), &json!(false))
    );
    assert_eq!(banking["reasons"][0]["policy"], "inspect.never");
    assert_eq!(one(&told, "platforms", "linkedin")["decrypted"], "everybody");
    assert_eq!(one(&told, "platforms", "slack")["decrypted"], "never");
    assert_eq!(told["elsewhere"]["decrypted"], "never");
    assert_eq!(one(&told, "readers", "see-value")["roles"], json!(["executive"]));
    assert_eq!(one(&told, "readers", "revoke")["roles"], json!(["security"]));
    // a manager is neither in a role for it nor the owner
    let approve = one(&told, "readers", "approve");
    assert_eq!(approve["others"][0]["policy"], "approve.owner-or-manager");
    assert_eq!(told["properties"][0]["name"], "only-security-reads-decisions");
    assert_eq!(told["proof"], Value::Null);

    // also an intern
    let page = page(&world, "eve").await;
    for said in [
        "Trade unions and works councils",
        "Private traffic: the gateway does not read this flow.",
        "LinkedIn",
        "members of executive",
        "members of security",
        "may approve. (approve.owner-or-manager)",
        "Nothing was proved of the rulebook in force.",
        "Not proved for this rulebook",
        "the gateway deletes no record by itself",
        "your refusals, as below, on your own page",
        "That somebody looked at what was decided about others",
        told["rulebook"].as_str().unwrap(),
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let home = world.client("eve").navigate(&format!("{PORTAL}/")).await.text();
    assert!(home.contains("href=\"/privacy\""), "{home}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_shown_while_the_very_rules_are_in_force_that_it_is_about() {
    // one of which says that nobody reads what is done on Slack
    let world = World::planned(without_cases).await;
    let proofs = world.folder.path().join("proofs.json");
    proves(&world.policies(), &proofs);
    let told = says(&world, "proved").await;
    assert_eq!(told["proof"]["by"], "the works council");
    let shown = page(&world, "dan").await;
    let note = "Looked at on 20 Nov 2026 by the works council, with the solver: This is cvc5 version 1.";
    assert!(shown.contains(note), "{shown}");
    assert!(!shown.contains("Not proved for this rulebook"), "{shown}");
    let health = async || world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    let well = health().await;
    let old = "properties were proved, on 20 Nov 2026, 4 days 3 hours ago.";
    assert!(well.contains("<dt>Proofs</dt>") && well.contains(old), "{well}");

    // one rule more, and nothing is known of the rules
    let rule = "@id(\"test.more\") @title(\"T\") @reason(\"R.\") @owner(\"IT\")\n\
                permit (principal, action == Action::\"inspect\", resource in Platform::\"slack\");";
    std::fs::write(world.policies().join("rules/90-test.cedar"), rule).unwrap();
    world
        .until("slack is read", async |world| {
            one(&self::told(world).await, "platforms", "slack")["decrypted"] == "everybody"
        })
        .await;
    let told = says(&world, "not-proved").await;
    assert_eq!(told["proof"], Value::Null);
    let stale = health().await;
    let others = "What was found last is about others, of 20 Nov 2026, 4 days 3 hours ago.";
    assert!(
        stale.contains("<dt>Proofs <span class=\"tag deny\">") && stale.contains(others),
        "{stale}"
    );

    // what cannot be read proves nothing
    std::fs::remove_file(world.policies().join("rules/90-test.cedar")).unwrap();
    says(&world, "proved").await;
    std::fs::write(&proofs, "{\"form\": 1").unwrap();
    says(&world, "not-proved").await;
    world.close().await;
}
