//! What is not used for as long as its purpose says is over, whenever it expires; and what runs under it uses it as long as
//! it carries something.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, End, Grant, GrantAct, GrantTerms};

use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::PORTAL;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;

const FEED: &str = "https://www.linkedin.com/feed/";
const UNUSED: &str = "the grant that let it pass went unused for too long";

/// For four hours, and no longer than half an hour without a use.
async fn lent(world: &World, user: &str, purpose: &str, platform: &str) -> Grant {
    let half_an_hour = |terms: &mut GrantTerms| {
        terms.expires = terms.not_before.plus(Duration::from_hours(4));
        terms.idle = Some(Duration::from_mins(30));
    };
    world.give(user, purpose, &[platform], half_an_hour).await
}

/// What the holder's list says of the only grant.
async fn listed(client: &Client) -> serde_json::Value {
    client.get(&format!("{PORTAL}/v1/grants")).await.json()["grants"][0].clone()
}

/// What the book says of grants.
async fn told(world: &World) -> Vec<(GrantAct, Grant)> {
    let said = world.acts(|record| match &record.act {
        Act::Grant { act, grant, .. } => Some((*act, Grant::clone(grant))),
        _ => None,
    });
    said.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_opens_nothing_from_the_moment_on_that_it_was_not_used_for_too_long() {
    let world = World::open().await;
    let grant = lent(&world, "ada", "recruiting", "linkedin").await;
    let ada = world.client("ada");
    let minutes = |minutes| world.clock.advance(Duration::from_mins(minutes));
    for _ in 0..3 {
        minutes(29);
        assert_eq!(ada.get(FEED).await.status, StatusCode::OK, "each use counts");
    }
    minutes(10);
    let left = listed(&ada).await;
    assert_eq!(
        (&left["state"], &left["idle_s"], &left["idle_left_s"]),
        (&json!("active"), &json!(1_800), &json!(1_200))
    );
    let page = ada.navigate(&format!("{PORTAL}/")).await.text();
    assert!(page.contains("if you do not use it for another 20 minutes"), "{page}");
    world.clock.advance(Duration::from_mins(20) - Duration::from_millis(1));
    assert_eq!(listed(&ada).await["state"], "active", "looking at it is no use of it");
    world.clock.advance(Duration::from_millis(1));
    let refused = ada.get(FEED).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.json()["type"],
        "https://wayleave.example/problems/grant-expired"
    );
    let decision = refused.json()["instance"]
        .as_str()
        .unwrap()
        .replace("/v1/decisions", "/refusals");
    let page = ada.navigate(&format!("{PORTAL}{decision}")).await.text();
    assert!(page.contains("because it was not used for 30 minutes"), "{page}");
    let over = listed(&ada).await;
    assert_eq!(
        (&over["state"], &over["expired_by"], &over["left_s"]),
        (&json!("expired"), &json!("idle"), &json!(0))
    );
    world
        .until("the book says it", async |world| {
            told(world).await.iter().any(|(act, _)| *act == GrantAct::Idle)
        })
        .await;
    let records = world.close().await;
    let idle = records.iter().filter_map(|record| match &record.act {
        Act::Grant {
            act: GrantAct::Idle,
            grant,
            by,
            ..
        } => Some((grant, by)),
        _ => None,
    });
    let idle: Vec<_> = idle.collect();
    assert_eq!(idle.len(), 1, "once");
    let used_last = grant.not_before.plus(Duration::from_mins(87));
    assert_eq!(
        (idle[0].0.used_at, idle[0].0.ended_at),
        (Some(used_last), Some(used_last.plus(Duration::from_mins(30))))
    );
    assert_eq!(*idle[0].1, grant.subject);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_ends_no_grant_early_and_brings_none_back() {
    let mut world = World::open().await;
    lent(&world, "ada", "recruiting", "linkedin").await;
    lent(&world, "cora", "customer-support", "facebook").await;
    world.clock.advance(Duration::from_mins(25));
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(listed(&world.client("cora")).await["expired_by"], "idle");
    world
        .until("what went unused is kept", async |world| {
            told(world).await.iter().any(|(act, _)| *act == GrantAct::Idle)
        })
        .await;
    world.reopen().await;
    assert_eq!(listed(&world.client("cora")).await["expired_by"], "idle");
    world.clock.advance(Duration::from_mins(15));
    assert_eq!(
        world.client("ada").get(FEED).await.status,
        StatusCode::OK,
        "used 25 minutes ago"
    );
    world.clock.advance(Duration::from_mins(32));
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::FORBIDDEN);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_socket_carries_uses_its_grant_and_a_silent_one_is_cut_with_a_stream() {
    let linkedin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("www.linkedin.com", linkedin.address)).await;
    let grant = lent(&world, "cora", "customer-support", "facebook").await;
    lent(&world, "ada", "recruiting", "linkedin").await;
    let mut socket = world
        .client("cora")
        .socket("gateway.facebook.com", "/ws/lightspeed")
        .await
        .unwrap();
    let tunnel = world
        .client("ada")
        .offering(&[b"http/1.1"])
        .inside("www.linkedin.com")
        .await;
    world.sends(1);
    let mut reader = Wire::on(tunnel);
    reader
        .say("GET /realtime/connect HTTP/1.1\r\nHost: www.linkedin.com\r\n\r\n")
        .await;
    let mut stream = linkedin.tls(&world.origins, "www.linkedin.com").await;
    stream.head().await;
    stream
        .say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nevent1\r\n")
        .await;
    reader.head().await;
    assert_eq!(reader.exactly(11).await, "6\r\nevent1\r\n");

    let unused_until = |world: &World| world.gate().ledger().in_use(&grant.id).unwrap().until();
    let mut minutes = 0;
    for _ in 0..3 {
        world.clock.advance(Duration::from_mins(20));
        minutes += 20;
        let mut carried = 0;
        while unused_until(&world) < grant.not_before.plus(Duration::from_mins(minutes + 30)) {
            socket.send(Message::text("hello")).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
            carried += 1;
            assert!(carried < 1_000_000, "what it carries is no use");
        }
    }
    assert_eq!(reader.rest().await, "", "nothing came through the stream for an hour");
    world.clock.advance(Duration::from_mins(30));
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    drop((reader, stream));
    for (host, path) in [
        ("www.linkedin.com", "/realtime/connect"),
        ("gateway.facebook.com", "/ws/lightspeed"),
    ] {
        let closing = world.closed(host, path).await;
        assert_eq!(closing.ended().end, End::Cut(UNUSED.to_owned()), "{host}");
    }
    world.close().await;
}
