//! Gateways of one ledger that know different things for a moment: nobody who comes to another one is told something else for
//! long, and whoever looks at a page holds nobody up.

use std::sync::Arc;

use http::{Request, StatusCode};
use wayleave::facts::Mode;

use crate::anywhere::{both, onward, page_at_the_other, recruiting, two};
use crate::crashes::eventually;
use crate::database::Server;
use crate::gateways::shared;
use crate::harness::World;
use crate::harness::house::{PORTAL, hidden};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_anew_for_a_refusal_is_shown_at_every_gateway() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    let (refusal, token) = page_at_the_other(&here, &there).await;
    let sent = there.own_form("/declare", &recruiting(&refusal, &token)).await;
    let granted = here.follow(&onward(&sent), "same-origin").await;
    assert_eq!(granted.status, StatusCode::OK, "{}", granted.text());
    let grants = there.get(&format!("{PORTAL}/v1/grants")).await.json();
    let first = grants["grants"][0]["id"].as_str().unwrap().to_owned();
    let ended = there.send(Request::delete(format!("{PORTAL}/v1/grants/{first}"))).await;
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    for world in [&east, &west] {
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    let page = there
        .follow(&format!("{PORTAL}/refusals/{refusal}"), "same-origin")
        .await;
    let token = hidden(&page.text(), "token");
    let sent = there.own_form("/declare", &recruiting(&refusal, &token)).await;
    let to = onward(&sent);
    for client in [&there, &here] {
        let shown = client.follow(&to, "same-origin").await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
        assert!(
            shown.text().contains("url=https://www.linkedin.com"),
            "{}",
            shown.text()
        );
    }
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_one_gateway_refused_continues_at_another() {
    let server = Server::start();
    let url = server.database("ledger");
    let gateway = async |name: &str| {
        World::planned(|plan| {
            plan.settings.ledger = shared(&url, name);
            plan.settings.mode = Mode::Coach;
        })
        .await
    };
    let (east, west) = (gateway("east").await, gateway("west").await);
    let refused = east.client("dan").get("https://x.com/home").await;
    let to = refused.json()["continue"].as_str().unwrap().to_owned();
    let continued = west.client("dan").post(&to, "application/json", "").await;
    assert_eq!(continued.status, StatusCode::CREATED, "{}", continued.text());
    let other = west.client("ben").post(&to, "application/json", "").await;
    assert_eq!(
        other.header("retry-after"),
        "2",
        "it could be a refusal of ben's that is not told yet"
    );
    assert_eq!(other.status, StatusCode::SERVICE_UNAVAILABLE, "{}", other.text());
    east.clock.advance(std::time::Duration::from_secs(11));
    west.clock.advance(std::time::Duration::from_secs(11));
    let other = west.client("ben").post(&to, "application/json", "").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "{}", other.text());
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_pages_holds_up_no_change_and_is_shown_what_is_known() {
    let server = Arc::new(Server::start());
    let (east, west) = two(&server).await;
    let holds = Arc::clone(&server);
    let held = "BEGIN; LOCK TABLE envelopes; SELECT pg_sleep(600)";
    let holder = std::thread::spawn(move || holds.says("ledger", held));
    let waiting = "FROM pg_locks WHERE relation = 'envelopes'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    eventually("nobody can read what was met", async || {
        server.says("ledger", &format!("SELECT count(*) {waiting}")) == "1"
    })
    .await;
    // each waits a second for what cannot be read
    let reads = (0..6).map(|_| {
        let dan = east.client("dan");
        tokio::spawn(async move {
            for _ in 0..8 {
                let read = dan.get(&format!("{PORTAL}/v1/decisions")).await;
                assert_eq!(read.status, StatusCode::OK, "{}", read.text());
            }
        })
    });
    let reads: Vec<_> = reads.collect();
    // whoever reads that before they look for changes is three seconds late with each, once somebody waits to hear of them
    for nth in 0..6 {
        let page = east.client("ben").get(&format!("{PORTAL}/v1/grants")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let platform = ["x", "linkedin"][nth % 2];
        let given = west.grant("ben", "market-research", &[platform], &["read"]).await;
        eventually("the gateway has heard of it", async || {
            east.gate().ledger().get(&given.id).is_some()
        })
        .await;
    }
    assert!(
        !reads.iter().all(tokio::task::JoinHandle::is_finished),
        "changes were heard of once nobody read any more"
    );
    for read in reads {
        read.await.unwrap();
    }
    let own = east.client("dan").follow(&format!("{PORTAL}/"), "none").await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text());
    let ended = server.says("ledger", &format!("SELECT count(pg_terminate_backend(pid)) {waiting}"));
    assert_eq!(ended, "1", "all the while nobody could");
    assert!(holder.join().is_err());
    east.close().await;
    west.close().await;
}
