//! What crosses the house unchanged, and what stays at the door.

use http::{Request, StatusCode, header};
use wayleave::facts::{End, FaultCode};

use crate::harness::client::Client;
use crate::harness::origin::GZIPPED;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;
use crate::harness::{World, code};

/// The head of a request in clear, in absolute form.
fn head_of(client: &Client, method: &str, url: &str, fields: &str) -> String {
    let uri: http::Uri = url.parse().unwrap();
    let proof = client.authorization.clone().unwrap();
    let host = uri.host().unwrap();
    client.sent.add(1);
    format!("{method} {url} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: {proof}\r\n{fields}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_one_hop_stays_there_and_via_tells_of_us_both_ways() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let request = Request::get("http://www.example.org/behave/hop")
        .header("connection", "keep-alive, x-of-this-hop")
        .header("x-of-this-hop", "1")
        .header("proxy-connection", "keep-alive")
        .header("keep-alive", "5")
        .header("x-forwarded-for", "10.0.0.7")
        .header("accept-language", "fr")
        .header("via", "1.1 somebody-before");
    let answer = ada.send(request).await;
    let received = world.origin.received().pop().unwrap();
    let gone = [
        "connection",
        "x-of-this-hop",
        "proxy-connection",
        "keep-alive",
        "x-forwarded-for",
    ];
    assert!(
        gone.iter().all(|name| !received.headers.contains_key(*name)),
        "{received:?}"
    );
    assert_eq!(received.headers["accept-language"], "fr");
    let via: Vec<_> = received.headers.get_all(header::VIA).iter().collect();
    assert_eq!(via, ["1.1 somebody-before", "1.1 wayleave"]);
    assert_eq!((answer.header("via"), answer.header("x-end")), ("1.1 wayleave", "2"));
    assert!(!answer.headers.contains_key("x-of-this-hop") && !answer.headers.contains_key("keep-alive"));

    let answer = ada.get("https://www.linkedin.com/behave/quic").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(
        !answer.headers.contains_key("alt-svc"),
        "a browser would learn a way around"
    );
    assert_eq!(answer.header("via"), "2 wayleave");
    assert_eq!(world.origin.received().pop().unwrap().headers["via"], "2 wayleave");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_content_and_squeezed_content_pass_as_they_are() {
    let world = World::planned(|plan| plan.inspect_everything()).await;
    let dan = world.client("dan");
    for scheme in ["http", "https"] {
        let head = dan.send(Request::head(format!("{scheme}://www.example.org/a"))).await;
        assert_eq!(
            (head.status, head.header("content-length"), head.body.len()),
            (StatusCode::OK, "9", 0)
        );
        let unchanged = Request::get(format!("{scheme}://www.example.org/behave/not-modified"));
        let unchanged = dan.send(unchanged.header("if-none-match", "\"1\"")).await;
        assert_eq!(
            (unchanged.status, unchanged.header("etag")),
            (StatusCode::NOT_MODIFIED, "\"1\"")
        );
        assert_eq!(world.origin.received().pop().unwrap().headers["if-none-match"], "\"1\"");
        let squeezed = dan.get(&format!("{scheme}://www.example.org/behave/gzip")).await;
        assert_eq!(
            (squeezed.header("content-encoding"), &squeezed.body[..]),
            ("gzip", GZIPPED)
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_is_told_to_go_on_only_when_it_may() {
    let world = World::open().await;
    let dan = world.client("dan");
    let fields = "Expect: 100-continue\r\nContent-Length: 4\r\n";
    let mut wire = Wire::plain(&world).await;
    wire.say(head_of(&dan, "POST", "http://www.example.org/a", fields))
        .await;
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.say("body").await;
    assert_eq!(wire.answer().await.1, "POST /a 4");
    assert_eq!(world.origin.received()[0].body, "body");

    let mut wire = Wire::plain(&world).await;
    wire.say(head_of(&dan, "POST", "http://www.linkedin.com/a", fields))
        .await;
    let (head, _) = wire.answer().await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_pass_both_ways() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("trailers.example.org", origin.address)).await;
    let dan = world.client("dan");
    let mut client = Wire::plain(&world).await;
    let fields = "TE: trailers\r\nConnection: TE\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n";
    client
        .say(head_of(&dan, "POST", "http://trailers.example.org/a", fields))
        .await;
    client.say("4\r\nbody\r\n0\r\nX-Sum: up\r\n\r\n").await;
    let mut server = origin.clear().await;
    let head = server.head().await.to_ascii_lowercase();
    assert!(
        head.contains("te: trailers") && head.contains("trailer: x-sum"),
        "{head}"
    );
    let body = server.head().await.to_ascii_lowercase();
    assert!(body.ends_with("0\r\nx-sum: up\r\n\r\n"), "{body}");
    server
        .say("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nX-Sum: down\r\n\r\n")
        .await;
    client.head().await;
    let body = client.head().await.to_ascii_lowercase();
    assert_eq!(body, "3\r\nyes\r\n0\r\nx-sum: down\r\n\r\n");
    let closing = world.closed("trailers.example.org", "").await;
    assert_eq!(closing.ended().end, End::Completed);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_another_protocol_stays_at_the_door_and_its_body_does_not() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut wire = Wire::plain(&world).await;
    let fields =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 4\r\n";
    wire.say(head_of(&dan, "POST", "http://www.example.org/a", fields))
        .await;
    wire.say("body").await;
    let (head, body) = wire.answer().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, "POST /a 4");
    let received = &world.origin.received()[0];
    assert!(!received.headers.contains_key("upgrade") && !received.headers.contains_key("http2-settings"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_on_one_connection_are_answered_in_their_order() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut wire = Wire::plain(&world).await;
    // pipelined: all are sent before the first is answered (RFC 9112 §9.3.2)
    let all: String = (0..5)
        .map(|n| head_of(&dan, "GET", &format!("http://www.example.org/{n}"), ""))
        .collect();
    wire.say(all).await;
    for n in 0..5 {
        assert_eq!(wire.answer().await.1, format!("GET /{n} 0"));
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_that_a_browser_splits_over_http_2_reach_an_origin_of_http_1_as_one_field() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.inspect_everything();
        plan.lead("old.example.org", origin.address);
    })
    .await;
    let dan = world.client("dan");
    let request = Request::get("https://old.example.org/").header("cookie", "a=1");
    let asking = dan.send(request.header("cookie", "b=2"));
    let answering = async {
        let mut server = origin.tls(&world.origins, "old.example.org").await;
        let head = server.head().await.to_ascii_lowercase();
        server.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        (head, server)
    };
    let (answer, (head, _server)) = tokio::join!(asking, answering);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(head.contains("\r\ncookie: a=1; b=2\r\n"), "{head}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_framing_and_version_is_whole_on_our_hop() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("old.example.org", origin.address)).await;
    let dan = world.client("dan");
    let mut client = Wire::plain(&world).await;
    for (said, heard) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        client.say(head_of(&dan, "GET", "http://old.example.org/a", "")).await;
        let mut server = origin.clear().await;
        server.head().await;
        server.say(said).await;
        drop(server);
        let head = client.head().await.to_ascii_lowercase();
        assert!(
            head.starts_with("http/1.1 200") && !head.contains("content-length"),
            "{head}"
        );
        assert_eq!(client.exactly(heard.len()).await, heard);
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_carry_nothing_out_that_a_head_would_not() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("trailers.example.org", origin.address)).await;
    let dan = world.client("dan");
    let mut client = Wire::plain(&world).await;
    let fields = "Trailer: X-Sum, X-Forwarded-For\r\nTransfer-Encoding: chunked\r\n";
    client
        .say(head_of(&dan, "POST", "http://trailers.example.org/a", fields))
        .await;
    client.say("0\r\nX-Forwarded-For: 10.0.0.7\r\nX-Sum: up\r\n\r\n").await;
    let mut server = origin.clear().await;
    server.head().await;
    let end = server.head().await.to_ascii_lowercase();
    assert_eq!(end, "0\r\nx-sum: up\r\n\r\n");
    server.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    client.head().await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_and_what_may_go_no_further_are_answered_here_and_recorded() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let (dan, ada) = (world.client("dan"), world.client("ada"));
    let trace = |url: &str| Request::builder().method("TRACE").uri(url);
    let options = |url: &str, hops: &str| Request::options(url).header("max-forwards", hops);
    let answers = [
        dan.send(trace("http://www.example.org/")).await,
        ada.send(trace("https://www.linkedin.com/feed/")).await,
        dan.send(options("http://www.example.org/", "0")).await,
        ada.send(options("https://www.linkedin.com/feed/", "0")).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{answer:?}");
        assert!(answer.header("allow").starts_with("GET, HEAD, "), "{answer:?}");
        assert_eq!(
            answer.json()["type"],
            "https://wayleave.example/problems/method-not-allowed"
        );
    }
    assert!(answers[0].text().contains("TRACE") && answers[2].text().contains("Max-Forwards"));
    // nobody is known yet at the door; inside of a tunnel somebody is
    for ended in world.strays(2).await {
        assert_eq!(code(&ended), Some(FaultCode::MethodNotAllowed));
    }
    let closing = world.closed_of(2, "www.linkedin.com", "/feed/").await;
    assert_eq!(closing.code(), Some(FaultCode::MethodNotAllowed));
    assert!(world.origin.received().is_empty());

    dan.send(options("http://www.example.org/", "7")).await;
    assert_eq!(world.origin.received().pop().unwrap().headers["max-forwards"], "6");
    dan.send(Request::get("http://www.example.org/").header("max-forwards", "7"))
        .await;
    let received = world.origin.received().pop().unwrap();
    assert!(!received.headers.contains_key("max-forwards"), "{received:?}");
    world.close().await;
}
