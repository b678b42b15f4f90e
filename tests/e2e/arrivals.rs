//! How did you arrive: the doors, what they serve, and who answers operators.

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::net::TcpStream;

use crate::harness::World;
use crate::harness::client::{Client, Sender};
use crate::harness::wire::Wire;

/// The same person through every door, in every protocol that the proxy itself speaks.
fn every_way(world: &World, user: &str) -> [(&'static str, Client); 3] {
    [
        ("plain", world.client(user)),
        ("TLS, HTTP/1.1", world.client_on_tls_door(user, b"http/1.1")),
        ("TLS, HTTP/2", world.client_on_tls_door(user, b"h2")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_asked_who_they_are() {
    let world = World::open().await;
    let answer = world.stranger().get("http://www.example.org/").await;
    assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(
        answer.header("proxy-authenticate"),
        "Basic realm=\"wayleave\", charset=\"UTF-8\""
    );
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_carries_requests_in_absolute_form() {
    let world = World::open().await;
    for (way, client) in every_way(&world, "dan") {
        let answer = client.get("http://www.example.org/a?b=c").await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (StatusCode::OK, "GET /a 0"),
            "{way}"
        );
        let received = world.origin.received().pop().unwrap();
        assert_eq!(
            (received.host.as_str(), received.path_and_query.as_str()),
            ("www.example.org", "/a?b=c")
        );
        assert!(received.headers.get("proxy-authorization").is_none(), "{way}");
    }
    let doors: Vec<String> = world
        .records()
        .await
        .iter()
        .map(|record| format!("{record:?}"))
        .collect();
    assert_eq!(doors.iter().filter(|record| record.contains("door: Tls")).count(), 2);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_opens_tunnels_also_over_http_2() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    for (way, client) in every_way(&world, "ada") {
        // the client sees the TLS of the proxy and, inside it, the origin's own
        let unread = client.unread(&world.origins).get("https://www.example.org/a").await;
        assert_eq!(unread.text(), "GET /a 0", "{way}");
        let read = client.get("https://www.linkedin.com/feed/").await;
        assert_eq!(read.status, StatusCode::OK, "{way}: {}", read.text());
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pac_file_is_served_at_every_door_and_to_operators() {
    // a door that is open to everybody is known by the name under which it was found
    let world = World::planned(|plan| plan.settings.ingress.plain = ([0, 0, 0, 0], 0).into()).await;
    let addresses = world.gate().addresses();
    let mut texts = Vec::new();
    for port in [addresses.plain, addresses.admin] {
        let mut wire = Wire::on(TcpStream::connect(port).await.unwrap());
        wire.say(format!("GET /proxy.pac HTTP/1.1\r\nHost: {port}\r\n\r\n"))
            .await;
        texts.push(wire.answer().await);
    }
    let mut wire = Wire::of(&world.client_on_tls_door("nobody", b"http/1.1")).await;
    wire.say("GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    texts.push(wire.answer().await);
    // HTTP/2 has no Host: its authority says as whom the client knows us
    let (io, h2) = world.client_on_tls_door("nobody", b"h2").dial().await;
    let request = http::Request::get("https://localhost/proxy.pac").body(String::new());
    let answer = Sender::on(io, h2).await.send(request.unwrap()).await.unwrap();
    let script = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(script, texts[2].1);
    assert!(texts[2].1.contains("PROXY localhost:"), "{}", texts[2].1);
    for (head, body) in &texts {
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(
            head.contains("content-type: application/x-ns-proxy-autoconfig"),
            "{head}"
        );
        assert!(body.contains("FindProxyForURL"), "{body}");
    }
    for (port, (head, _)) in [addresses.plain, addresses.admin].into_iter().zip(&texts) {
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let mut wire = Wire::on(TcpStream::connect(port).await.unwrap());
        wire.say(format!(
            "GET /proxy.pac HTTP/1.1\r\nHost: {port}\r\nIf-None-Match: {tag}\r\n\r\n"
        ))
        .await;
        assert!(wire.head().await.starts_with("HTTP/1.1 304"));
    }
    let mut wire = Wire::plain(&world).await;
    wire.say("HEAD /proxy.pac HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    assert!(wire.rest().await.ends_with("\r\n\r\n"), "HEAD has no content");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_health_readiness_and_metrics() {
    let world = World::open().await;
    world.client("dan").get("http://www.example.org/").await;
    world.records().await;
    let admin = world.gate().addresses().admin;
    let mut wire = Wire::on(TcpStream::connect(admin).await.unwrap());
    for (path, holds) in [
        ("/healthz", "ok"),
        ("/readyz", "\"ready\": true"),
        ("/metrics", "wayleave_decisions_total"),
    ] {
        wire.say(format!("GET {path} HTTP/1.1\r\nHost: {admin}\r\n\r\n")).await;
        let (head, body) = wire.answer().await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(body.contains(holds), "{path}: {body}");
    }
    for (request, status) in [("GET /x", "404"), ("POST /metrics", "405")] {
        wire.say(format!("{request} HTTP/1.1\r\nHost: {admin}\r\n\r\n")).await;
        let (head, _) = wire.answer().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {head}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tls_door_survives_what_is_not_tls_and_records_it() {
    let world = World::open().await;
    let mut wire = Wire::on(TcpStream::connect(world.gate().addresses().tls).await.unwrap());
    wire.say("GET http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
        .await;
    wire.rest().await;
    world.sends(1);
    let strays = world.strays(1).await;
    assert_eq!(
        crate::harness::code(&strays[0]),
        Some(wayleave::facts::FaultCode::ClientTls)
    );
    let answer = world
        .client_on_tls_door("dan", b"h2")
        .get("http://www.example.org/")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recruiter_reads_linkedin_once_the_purpose_is_declared() {
    let world = World::open().await;
    let ada = world.client("ada");
    let refused = ada.get("https://www.linkedin.com/feed/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["outcome"], "declare");
    assert_eq!(world.origin.connections(), 0, "nothing is sent before somebody may");
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let answer = ada.get("https://www.linkedin.com/feed/").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.close().await;
}
