//! An authority that may not speak for somebody it should: it is said before a browser's handshake breaks.

use http::StatusCode;

use wayleave::facts::Host;

use crate::harness::World;

const LOCAL: &str = "[[host]]\nhost = \"social.corp.example\"\nplatform = \"mastodon\"\nmatch = \"suffix\"\n\
                     roles = [\"site\", \"api\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_the_catalogue_got_after_the_authority_was_made_is_named_with_the_fix() {
    let world = World::planned(crate::harness::Plan::constrain_the_authority).await;
    let before = world.admin("/readyz").await;
    assert_eq!(before.json()["problems"].to_string(), "[]");

    world.edit_rules("catalog/local.toml", LOCAL).await;
    world
        .until("the host is named", async |world| {
            world.admin("/readyz").await.text().contains("social.corp.example")
        })
        .await;
    let ready = world.admin("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "everything else works");
    let problems = ready.json()["problems"].to_string();
    assert!(
        problems.contains("Mastodon") && problems.contains("wayleave ca renew"),
        "{problems}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_door_that_can_let_nobody_in_is_not_ready_and_says_how_to_fix_it() {
    let world = World::planned(|plan| {
        plan.constrain_the_authority();
        plan.settings.tls.door_names = vec![Host::parse("proxy.corp.example").unwrap()];
    })
    .await;
    let ready = world.admin("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let problems = ready.json()["problems"].to_string();
    for part in ["the TLS door", "proxy.corp.example", "wayleave ca renew", "restart"] {
        assert!(problems.contains(part), "{part} in {problems}");
    }
    world.close().await;
}
