//! What a setting says, the gateway does: those that no other room of the tests looks at.

use http::StatusCode;
use wayleave::facts::{FaultCode, Outcome};

use crate::harness::client::Client;
use crate::harness::house::PORTAL;
use crate::harness::wire::Wire;
use crate::harness::{World, code};

/// HTTP/2's opening words, and a SETTINGS frame that asks for nothing (RFC 9113 §3.4, §6.5).
const H2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

#[tokio::test(flavor = "multi_thread")]
async fn the_pac_file_says_what_the_settings_want_it_to_say() {
    let world = World::planned(|plan| {
        let pac = &mut plan.settings.pac;
        pac.covers = wayleave::config::Covers::Managed;
        pac.announce = vec![wayleave::config::Announced::parse("HTTPS proxy.corp.example:3129").unwrap()];
        pac.direct = vec![wayleave::facts::Host::parse("intranet.corp.example").unwrap()];
    })
    .await;
    let file = world.admin("/proxy.pac").await.text();
    for said in ["HTTPS proxy.corp.example:3129", "linkedin.com", "wayleave.internal"] {
        assert!(file.contains(said), "{said}: {file}");
    }
    world.close().await;

    let world = World::planned(|plan| {
        plan.settings.pac.direct = vec![wayleave::facts::Host::parse("intranet.corp.example").unwrap()];
    })
    .await;
    let file = world.admin("/proxy.pac").await.text();
    assert!(file.contains("intranet.corp.example"), "{file}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_has_the_name_that_rules_ask_for() {
    let world = World::planned(|plan| {
        let guests = vec!["127.0.0.0/8".parse().unwrap()];
        plan.settings.ingress.networks.insert("guest".to_owned(), guests);
    })
    .await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let path = "/voyager/api/contentcreation/normShares";
    let share = format!("https://www.linkedin.com{path}");
    let refused = world.client("ada").post(&share, "application/json", "{}").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let closing = world.closed("www.linkedin.com", path).await;
    assert_eq!(closing.decided().outcome, Outcome::Deny);
    let by: Vec<&str> = closing
        .decided()
        .policies
        .iter()
        .map(wayleave::facts::PolicyId::as_str)
        .collect();
    assert!(by.contains(&"guard.guest-network"), "{by:?}");
    assert_eq!(closing.seen().arrival.network.as_str(), "guest");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_says_once_whom_to_ask() {
    let world = World::planned(|plan| {
        plan.settings.portal.contact = Some("The help desk, extension 4711.".to_owned());
    })
    .await;
    let page = world.client("ada").navigate(&format!("{PORTAL}/")).await.text();
    assert_eq!(
        page.matches("Questions? The help desk, extension 4711.").count(),
        1,
        "{page}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_may_have_another_name_and_the_gateway_need_not_name_itself() {
    let world = World::planned(|plan| {
        plan.settings.portal.host = wayleave::facts::Host::parse("may-i.corp.example").unwrap();
        plan.settings.proxy.via = String::new();
    })
    .await;
    let ada = world.client("ada");
    let home = ada.navigate("https://may-i.corp.example/").await;
    assert_eq!(home.status, StatusCode::OK);
    let refused = ada.navigate("https://www.linkedin.com/feed/").await;
    assert!(
        refused.header("location").starts_with("https://may-i.corp.example/"),
        "{:?}",
        refused.headers
    );
    let answer = ada.get("http://www.example.org/").await;
    assert_eq!(answer.header("via"), "");
    let received = world.origin.received().pop().unwrap();
    assert!(!received.headers.contains_key("via"), "{:?}", received.headers);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_stays_silent_between_two_requests_is_closed() {
    let world = World::planned(|plan| plan.settings.ingress.header_timeout_s = 1).await;
    let dan = world.client("dan");
    let mut wire = Wire::of(&dan).await;
    world.sends(1);
    let proof = dan.authorization.unwrap();
    let host = "Host: www.example.org";
    wire.say(format!(
        "GET http://www.example.org/ HTTP/1.1\r\n{host}\r\nProxy-Authorization: {proof}\r\n\r\n"
    ))
    .await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_never_comes_is_not_waited_for() {
    let world = World::planned(|plan| plan.settings.ingress.opening_timeout_s = 1).await;
    // with the TLS door
    world.sends(1);
    let silent = tokio::net::TcpStream::connect(world.gate().addresses().tls)
        .await
        .unwrap();
    assert_eq!(Wire::on(silent).rest().await, "");
    // and inside a tunnel
    let mut wire = Wire::tunnel(&world.client("ada"), "www.linkedin.com:443").await;
    assert_eq!(wire.rest().await, "");
    let closing = world.closed("www.linkedin.com", "CONNECT").await;
    assert_eq!(code(closing.ended()), Some(FaultCode::ClientTimeout));
    assert_eq!(world.origin.received().len(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_connection_carries_no_more_streams_than_the_settings_allow() {
    let world = World::planned(|plan| plan.settings.proxy.max_streams = 7).await;
    let (io, h2) = world.client_on_tls_door("ada", b"h2").dial().await;
    assert!(h2);
    let mut wire = Wire::on(io);
    wire.say(H2_HELLO).await;
    let head = wire.bytes(9).await;
    assert_eq!(head[3], 4, "the first frame is SETTINGS");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let settings = wire.bytes(length).await;
    let streams = settings.chunks(6).find(|setting| setting[..2] == [0, 3]).unwrap();
    assert_eq!(streams[2..], 7_u32.to_be_bytes());
    drop(wire);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_on_a_certificate_are_asked_for_again_where_they_are_not_kept() {
    for (kept, connections) in [(3600, 5), (0, 8)] {
        let world = World::planned(|plan| plan.settings.upstream.names_kept_s = kept).await;
        let dan = world.client("dan").unread(&world.origins);
        for _ in 0..2 {
            let answer = dan.get("https://www.example.org/").await;
            assert_eq!(answer.status, StatusCode::OK);
        }
        // one for each tunnel, the others to see which names the origin holds: one for each kind of hello
        assert_eq!(world.origin.connections(), connections, "kept for {kept} s");
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_hashed_for_every_request_where_its_answer_is_not_remembered() {
    for (remembered, at_last) in [
        (3600, StatusCode::PROXY_AUTHENTICATION_REQUIRED),
        (0, StatusCode::TOO_MANY_REQUESTS),
    ] {
        let world = World::planned(|plan| plan.settings.identity.basic_remember_s = remembered).await;
        let stale = Client {
            authorization: Some(Client::basic("ada", "her last password")),
            ..world.client("ada")
        };
        for _ in 0..10 {
            let asked = stale.get("http://www.example.org/").await;
            assert_eq!(asked.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        }
        // what is remembered is no guess, and what is looked at again is one
        let told = stale.get("http://www.example.org/").await.status;
        assert_eq!(told, at_last, "remembered for {remembered} s");
        assert_eq!(
            world.client("dan").get("http://www.example.org/").await.status,
            StatusCode::OK
        );
        world.close().await;
    }
}
