//! Bad input and bad origins: each gets a clear answer and a record, and the gateway stays up.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wayleave::facts::{Act, Blame, End, FaultCode, GatewayAct, Record, Stage};

use crate::harness::client::{Answer, Client, Sender};
use crate::harness::scripted::Scripted;
use crate::harness::wire::{Wire, tls};
use crate::harness::{World, code};

/// The path of a request that nobody may read, as it is recorded.
const UNREAD: &str = "";

/// The status line's number.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_answered_400_and_recorded() {
    let world = World::open().await;
    let proof = format!(
        "Proxy-Authorization: {}\r\n",
        world.client("dan").authorization.unwrap()
    );
    let host = "Host: www.example.org\r\n";
    let url = "http://www.example.org/";
    let requests = [
        (
            "two Host fields",
            format!("GET {url} HTTP/1.1\r\n{host}{host}{proof}\r\n"),
        ),
        ("no Host", format!("GET {url} HTTP/1.1\r\n{proof}\r\n")),
        (
            "another Host",
            format!("GET {url} HTTP/1.1\r\nHost: www.linkedin.com\r\n{proof}\r\n"),
        ),
        (
            "https in clear",
            format!("GET https://www.example.org/ HTTP/1.1\r\n{host}{proof}\r\n"),
        ),
        (
            "ftp",
            format!("GET ftp://www.example.org/ HTTP/1.1\r\n{host}{proof}\r\n"),
        ),
        (
            "CONNECT without port",
            format!("CONNECT www.example.org HTTP/1.1\r\n{host}{proof}\r\n"),
        ),
        (
            "CONNECT with a body",
            format!("CONNECT a.org:443 HTTP/1.1\r\nHost: a.org:443\r\nContent-Length: 3\r\n{proof}\r\nabc"),
        ),
        ("lower case", format!("get {url} HTTP/1.1\r\n{host}{proof}\r\n")),
        (
            "user name in the target",
            format!("GET http://x@www.example.org/ HTTP/1.1\r\n{host}{proof}\r\n"),
        ),
        (
            "two lengths",
            format!("POST {url} HTTP/1.1\r\n{host}{proof}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ),
        (
            "a length that is none",
            format!("POST {url} HTTP/1.1\r\n{host}{proof}Content-Length: +1\r\n\r\na"),
        ),
        (
            "two codings",
            format!("POST {url} HTTP/1.1\r\n{host}{proof}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "an unfinished coding",
            format!("POST {url} HTTP/1.1\r\n{host}{proof}Transfer-Encoding: chunked, x\r\n\r\n"),
        ),
        (
            "a space in a name",
            format!("GET {url} HTTP/1.1\r\n{host}{proof}X y: 1\r\n\r\n"),
        ),
        (
            "a folded line",
            format!("GET {url} HTTP/1.1\r\n{host}{proof}X: 1\r\n 2\r\n\r\n"),
        ),
        ("no HTTP at all", "\x16\x03\x01\x00\x05hello there\r\n\r\n".to_owned()),
        ("an old version", format!("GET {url} HTTP/3.7\r\n{host}{proof}\r\n")),
        (
            "origin-form for nothing here",
            format!("GET /x HTTP/1.1\r\nHost: localhost\r\n{proof}\r\n"),
        ),
    ];
    for (at, (what, request)) in requests.iter().enumerate() {
        let mut wire = Wire::plain(&world).await;
        world.sends(1);
        wire.try_to_say(request).await;
        let answer = wire.rest().await;
        assert_eq!(status(&answer), "400", "{what}: {answer}");
        drop(wire);
        let strays = world.strays(at + 1).await;
        assert_eq!(code(&strays[at]), Some(FaultCode::BadRequest), "{what}");
        assert_eq!(strays[at].status, Some(400), "{what}");
    }
    assert_eq!(world.origin.connections(), 0);
    assert_eq!(
        world.client("dan").get(url).await.status,
        StatusCode::OK,
        "the gateway is still there"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_chunked_coding_smuggles_nothing() {
    let world = World::open().await;
    let proof = world.client("dan").authorization.unwrap();
    let mut wire = Wire::plain(&world).await;
    world.sends(1);
    // whoever believed the length would take what follows for the next request
    let head = "POST http://www.example.org/a HTTP/1.1\r\nHost: www.example.org\r\n";
    let smuggled = "GET http://www.example.org/smuggled HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
    let chunk = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
    wire.say(format!(
        "{head}Proxy-Authorization: {proof}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
    ))
    .await;
    let head = wire.head().await;
    assert!(["200", "400"].contains(&status(&head)), "{head}");
    drop(wire);
    for request in world.origin.received() {
        assert_eq!(request.path_and_query, "/a");
        assert!(!request.headers.contains_key("content-length"), "{request:?}");
        assert_eq!(request.body, smuggled);
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_answered_431() {
    let world = World::open().await;
    let dan = world.client("dan");
    let long = "x".repeat(40_000);
    let many: String = (0..150).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (at, fields) in [format!("X: {long}\r\n"), many].iter().enumerate() {
        let mut wire = Wire::plain(&world).await;
        world.sends(1);
        wire.try_to_say(format!(
            "GET http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\n{fields}\r\n"
        ))
        .await;
        assert_eq!(status(&wire.rest().await), "431");
        drop(wire);
        let strays = world.strays(at + 1).await;
        assert_eq!(code(&strays[at]), Some(FaultCode::HeadTooLarge));
        assert_eq!(strays[at].status, Some(431));
    }
    assert_eq!(dan.get("http://www.example.org/").await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_far_too_much_before_they_listen_still_hears_why() {
    let world = World::open().await;
    let mut wire = Wire::plain(&world).await;
    world.sends(1);
    // more than the buffers of both sides hold, so that the answer is there long before the last byte is said
    let field = format!("X: {}\r\n", "x".repeat(16 << 20));
    wire.say(format!("GET http://www.example.org/ HTTP/1.1\r\n{field}"))
        .await;
    assert_eq!(status(&wire.rest().await), "431");
    drop(wire);
    world.strays(1).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_for_a_tunnel_or_for_another_protocol_in_vain_hears_why_too() {
    let world = World::open().await;
    // every browser begins like this, and goes on over the same connection
    let mut wire = Wire::plain(&world).await;
    world.sends(2);
    wire.say("CONNECT www.example.org:443 HTTP/1.1\r\nHost: www.example.org:443\r\n\r\n")
        .await;
    assert_eq!(status(&wire.answer().await.0), "407");
    let field = format!("X: {}\r\n", "x".repeat(16 << 20));
    wire.say(format!("GET http://www.example.org/ HTTP/1.1\r\n{field}"))
        .await;
    assert_eq!(status(&wire.rest().await), "431");

    let mut wire = Wire::plain(&world).await;
    world.sends(1);
    let body = "x".repeat(16 << 20);
    wire.say(format!(
        "POST http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\nConnection: Upgrade, HTTP2-Settings\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: \r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    assert_eq!(status(&wire.rest().await), "407");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_not_waited_for() {
    let world = World::planned(|plan| plan.settings.ingress.header_timeout_s = 1).await;
    let mut wire = Wire::plain(&world).await;
    wire.say("GET http://www.example.org/ HTTP/1.1\r\nHost: www.exam").await;
    wire.rest().await;
    world.sends(1);
    assert_eq!(code(&world.strays(1).await[0]), Some(FaultCode::ClientTimeout));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn origins_that_cannot_be_reached_or_do_not_answer_are_named() {
    let (silent, babbling) = (Scripted::bind().await, Scripted::bind().await);
    let gone = Scripted::bind().await.address;
    let world = World::planned(|plan| {
        plan.settings.upstream.response_timeout_s = 1;
        plan.settings.upstream.tls_timeout_s = 1;
        for (host, address) in [
            ("silent", silent.address),
            ("babbling", babbling.address),
            ("gone", gone),
        ] {
            plan.lead(&format!("{host}.example.org"), address);
            plan.lead(&format!("{host}.linkedin.com"), address);
        }
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let says = |answer: &Answer, status: u16, error: &str| {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        let proxy_status = answer.header("proxy-status");
        assert!(proxy_status.contains(&format!("error={error}")), "{proxy_status}");
    };
    says(&ada.get("http://gone.example.org/").await, 502, "connection_refused");
    says(
        &ada.get("https://gone.linkedin.com/feed/").await,
        502,
        "connection_refused",
    );
    let refused = ada.tunnel("gone.example.org:443").await.map(drop).unwrap_err();
    says(&refused, 502, "connection_refused");

    says(
        &ada.get("http://silent.example.org/").await,
        504,
        "http_response_timeout",
    );
    says(
        &ada.get("https://silent.linkedin.com/feed/").await,
        504,
        "connection_timeout",
    );

    let (answer, ()) = tokio::join!(ada.get("http://babbling.example.org/"), async {
        let mut origin = babbling.clear().await;
        origin.head().await;
        origin.say("what do you want from me\r\n\r\n").await;
        origin.finish().await;
    });
    says(&answer, 502, "http_protocol_error");
    let page = ada.navigate("http://gone.example.org/").await;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    let closing = world.closed("silent.example.org", UNREAD).await;
    assert_eq!(
        (closing.code(), closing.ended().status),
        (Some(FaultCode::OriginTimeout), Some(504))
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stalls_is_blamed_on_whoever_holds_it_up() {
    let silent = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.settings.upstream.response_timeout_s = 1;
        plan.lead("silent.example.org", silent.address);
    })
    .await;
    let dan = world.client("dan");
    let proof = dan.authorization.clone().unwrap();
    let (client, origin) = (
        ("408", Blame::Client, FaultCode::ClientTimeout),
        ("504", Blame::Origin, FaultCode::OriginTimeout),
    );
    // the last is more than the system takes from us for an origin that does not read
    for (count, (length, said, (status, blame, code))) in (1..).zip([
        (100, 3, client),
        (100, 0, client),
        (3, 3, origin),
        (64 << 20, 64 << 20, origin),
    ]) {
        let mut wire = Wire::plain(&world).await;
        world.sends(1);
        wire.say(format!(
            "POST http://silent.example.org/ HTTP/1.1\r\nHost: silent.example.org\r\nProxy-Authorization: {proof}\r\n\
             Content-Length: {length}\r\n\r\n"
        ))
        .await;
        let (mut hears, mut says) = tokio::io::split(wire.into_io());
        let mut answer = [0; 12];
        tokio::select! {
            heard = hears.read_exact(&mut answer) => heard.map(drop).unwrap(),
            () = async { says.write_all(&vec![b'x'; said]).await.ok(); std::future::pending().await } => {}
        }
        assert_eq!(&answer[9..], status.as_bytes(), "{said} of {length}");
        let closing = world.closed_of(count, "silent.example.org", UNREAD).await;
        let stage = Stage::Forward;
        assert_eq!(
            closing.ended().end,
            End::Failed { blame, stage, code },
            "{said} of {length}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_broken_for_the_client_too_and_the_record_blames_the_origin() {
    let (clear, sealed) = (Scripted::bind().await, Scripted::bind().await);
    let world = World::planned(|plan| {
        plan.lead("half.example.org", clear.address);
        plan.lead("half.linkedin.com", sealed.address);
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of it";
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n";
    for (count, answer) in (1..).zip([half, chunk]) {
        let (got, ()) = tokio::join!(ask(&ada, "http://half.example.org/a"), async {
            let mut origin = clear.clear().await;
            origin.head().await;
            origin.say(answer).await;
        });
        assert!(got.starts_with("HTTP/1.1 200") && !got.ends_with("0\r\n\r\n"), "{got}");
        let closing = world.closed_of(count, "half.example.org", UNREAD).await;
        assert_eq!(closing.code(), Some(FaultCode::OriginGone));
    }
    for (count, alpn) in (1..).zip([[b"h2".as_slice()], [b"http/1.1"]]) {
        let alpn: &'static [&'static [u8]] = Box::leak(Box::new(alpn));
        let ada = ada.offering(alpn);
        let inside = ada
            .tls("half.linkedin.com", ada.tunnel("half.linkedin.com:443").await.unwrap())
            .await
            .unwrap();
        let mut sender = Sender::on(inside, alpn[0] == b"h2").await;
        world.sends(1);
        let mut request = http::Request::get("https://half.linkedin.com/feed/")
            .body(String::new())
            .unwrap();
        if alpn[0] != b"h2" {
            request = crate::harness::client::origin_form(request);
        }
        let (got, ()) = tokio::join!(sender.send(request), async {
            let mut origin = sealed.tls(&world.origins, "half.linkedin.com").await;
            origin.head().await;
            origin.say(half).await;
        });
        let got = got.unwrap();
        assert_eq!(got.status(), StatusCode::OK);
        got.into_body().collect().await.unwrap_err();
        let closing = world.closed_of(count, "half.linkedin.com", "/feed/").await;
        assert_eq!(closing.code(), Some(FaultCode::OriginGone));
    }
    world.close().await;
}

/// Everything that a request in clear is answered, to the end of the connection.
async fn ask(client: &Client, url: &str) -> String {
    let uri: http::Uri = url.parse().unwrap();
    let mut wire = Wire::of(client).await;
    client.sent.add(1);
    let mut head = format!("GET {url} HTTP/1.1\r\nHost: {}\r\n", uri.host().unwrap());
    for (name, value) in client.fields() {
        head += &format!("{name}: {value}\r\n");
    }
    wire.say(head + "\r\n").await;
    wire.rest().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_is_the_clients_doing() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut wire = Wire::of(&dan).await;
    world.sends(1);
    let proof = dan.authorization.clone().unwrap();
    let head = "GET http://www.example.org/behave/drip HTTP/1.1\r\nHost: www.example.org\r\n";
    wire.say(format!("{head}Proxy-Authorization: {proof}\r\n\r\n")).await;
    wire.head().await;
    drop(wire);
    let closing = world.closed("www.example.org", UNREAD).await;
    assert_eq!(closing.code(), Some(FaultCode::ClientGone));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_tls_inside_a_tunnel_ends_the_tunnel_only() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    // a client that speaks nothing newer than what nobody should speak any more
    let hello = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01".to_vec();
    let hello = [hello, vec![7; 32], vec![0, 0, 2, 0, 5, 1, 0]].concat();
    let mut wire = Wire::tunnel(&ada, "www.linkedin.com:443").await;
    wire.say(hello).await;
    wire.rest().await;
    assert_eq!(
        world.closed("www.linkedin.com", "CONNECT").await.code(),
        Some(FaultCode::ClientTls)
    );
    // a client that hangs up in the middle of the handshake
    let wire = Wire::tunnel(&ada, "old.linkedin.com:443").await;
    drop(wire);
    assert_eq!(
        world.closed("old.linkedin.com", "CONNECT").await.code(),
        Some(FaultCode::ClientGone)
    );
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let world = World::planned(|plan| plan.settings.ingress.max_connections = 2).await;
    let dan = world.client("dan");
    let first = Wire::tunnel(&dan, "first.example.org:22").await;
    let _second = Wire::tunnel(&dan, "second.example.org:22").await;
    let waiting = tokio::spawn({
        let dan = dan.clone();
        async move { dan.get("http://third.example.org/").await }
    });
    // the other door has places of its own; a gateway that does not count tunnels answers both
    let beside = world.client_on_tls_door("dan", b"http/1.1");
    for _ in 0..5 {
        assert_eq!(beside.get("http://beside.example.org/").await.status, StatusCode::OK);
    }
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
    let records = world.close().await;
    let ended = |host: &str| {
        let is_for =
            |record: &Record| matches!(&record.act, Act::Closing { seen, .. } if seen.ask.host().as_str() == host);
        records.iter().position(is_for).unwrap()
    };
    assert!(ended("first.example.org") < ended("third.example.org"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_http_2_connection_carries_counts_like_connections() {
    let world = World::planned(|plan| plan.settings.ingress.max_connections_per_client = 3).await;
    let dan = world.client_on_tls_door("dan", b"h2");
    let (io, _) = dan.dial().await;
    let mut sender = Sender::<String>::on(io, true).await;
    let mut ask = async |method: &str, target: &str| {
        world.sends(1);
        let request = http::Request::builder().method(method).uri(target);
        let request = request.header("proxy-authorization", dan.authorization.clone().unwrap());
        sender.send(request.body(String::new()).unwrap()).await.unwrap()
    };
    let mut tunnels = Vec::new();
    for n in 0..3 {
        let opened = ask("CONNECT", &format!("{n}.example.org:22")).await;
        assert_eq!(opened.status(), StatusCode::OK);
        tunnels.push(hyper::upgrade::on(opened).await.unwrap());
    }
    // neither a tunnel that nobody reads, nor one that is read, nor a request
    let full = [
        ("CONNECT", "more.example.org:22", "more.example.org", "CONNECT"),
        ("CONNECT", "www.linkedin.com:443", "www.linkedin.com", "CONNECT"),
        ("GET", "http://www.example.org/", "www.example.org", UNREAD),
    ];
    for (method, target, host, path) in full {
        let answer = Answer::read(ask(method, target).await).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{target}");
        assert_eq!(answer.header("retry-after"), "10");
        let proxy_status = answer.header("proxy-status");
        assert!(
            proxy_status.contains("error=connection_limit_reached"),
            "{proxy_status}"
        );
        let ended = world.closed(host, path).await;
        assert_eq!(
            (ended.code(), ended.ended().status),
            (Some(FaultCode::ConnectionLimit), Some(503))
        );
    }
    assert_eq!(world.admin("/healthz").await.status, StatusCode::OK);
    let closed = tunnels.pop();
    drop(closed);
    // its record is there a moment before its place is
    world.closed("2.example.org", "CONNECT").await;
    while ask("GET", "http://www.example.org/").await.status() != StatusCode::OK {}
    drop(tunnels);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_nothing_is_recorded_so_often_and_then_counted() {
    let world = World::planned(|plan| plan.settings.proxy.unproven_records = 3).await;
    let nobody = world.stranger();
    for _ in 0..4 {
        let asked = nobody.get("http://www.example.org/").await;
        assert_eq!(asked.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    }
    let asked = nobody.tunnel("www.example.org:443").await.err().unwrap();
    assert_eq!(asked.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    for _ in 0..2 {
        let mut wire = Wire::plain(&world).await;
        wire.say("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(status(&wire.head().await), "400");
    }
    world.sent.take_back(2); // two have no record of their own
    let records = world.close().await;
    let acts = records.iter().filter_map(|record| match &record.act {
        Act::Gateway { act, .. } if !matches!(act, GatewayAct::Started { .. } | GatewayAct::Stopped) => Some(act),
        _ => None,
    });
    let summed = GatewayAct::UnprovenSummed {
        client: std::net::Ipv4Addr::LOCALHOST.into(),
        strays: 2,
        challenges: 2,
    };
    assert_eq!(acts.collect::<Vec<_>>(), [&summed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_the_password_is_checked_is_recorded_so_often_and_then_counted() {
    let world = World::planned(|plan| plan.settings.proxy.unproven_records = 1).await;
    let asked = world.stranger().get("http://www.example.org/").await;
    assert_eq!(asked.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    for (n, target) in ["GET http://www.example.org/", "CONNECT www.example.org:80"]
        .iter()
        .cycle()
        .take(8)
        .enumerate()
    {
        let guesser = Client {
            authorization: Some(Client::basic(&format!("nobody{n}"), "a guess")),
            // after its handshake the gateway counts the connection
            ..world.client_on_tls_door("nobody", b"http/1.1")
        };
        let mut wire = Wire::of(&guesser).await;
        let proof = guesser.authorization.unwrap();
        wire.say(format!(
            "{target} HTTP/1.1\r\nHost: www.example.org\r\nProxy-Authorization: {proof}\r\n\r\n"
        ))
        .await;
    }
    world
        .until("nobody is left", async |world| {
            world.metric("wayleave_connections").await == Some(0.0)
        })
        .await;
    let records = world.close().await; // which finds one record, of who was asked
    let summed = records.iter().find_map(|record| match &record.act {
        Act::Gateway {
            act: GatewayAct::UnprovenSummed { strays, challenges, .. },
            ..
        } => Some((*strays, *challenges)),
        _ => None,
    });
    // a password that was checked in time is asked for again
    assert!(
        matches!(summed, Some((strays, challenges)) if strays > 0 && strays + challenges == 8),
        "{summed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_leave_the_connections_name_are_misdirected() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let io = Wire::tunnel(&ada, "www.linkedin.com:443").await.into_io();
    let stream = tls(io, &ada.roots, "www.linkedin.com", |_| {}).await.unwrap();
    let mut wire = Wire::on(stream);
    world.sends(2);
    wire.say("GET / HTTP/1.1\r\nHost: www.reddit.com\r\n\r\n").await;
    assert_eq!(status(&wire.head().await), "421");

    let inside = ada
        .tls("www.linkedin.com", ada.tunnel("www.linkedin.com:443").await.unwrap())
        .await
        .unwrap();
    let mut sender = Sender::on(inside, true).await;
    let request = http::Request::get("https://www.reddit.com/")
        .body(String::new())
        .unwrap();
    let answer = sender.send(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    // the connection is still good for its own name
    world.sends(1);
    let request = http::Request::get("https://www.linkedin.com/feed/")
        .body(String::new())
        .unwrap();
    assert_eq!(sender.send(request).await.unwrap().status(), StatusCode::OK);
    let closing = world.closed_of(2, "www.reddit.com", "/").await;
    assert_eq!(
        (closing.code(), closing.ended().status),
        (Some(FaultCode::Misdirected), Some(421))
    );
    assert_eq!(world.origin.received().len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_inside_a_tunnel_before_it_is_judged_is_a_flow_of_whoever_opened_it() {
    // a site that is read under a purpose alone, whose grant counts here as well
    let world = World::planned(|plan| {
        let rule = r#"
            @id("test.purpose") @title("Read under a purpose") @reason("This test reads under a purpose.") @owner("IT")
            forbid (principal, action == Action::"inspect", resource)
            when { resource.host == "fr.linkedin.com" } unless { context has purpose };
        "#;
        std::fs::write(plan.folder.join("policies/rules/95-purpose.cedar"), rule).unwrap();
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let long = "/a".repeat(300);
    for (request, host, path, status, fault) in [
        (
            "GET / HTTP/1.1\r\nHost: x.com",
            "x.com",
            "/",
            421,
            FaultCode::Misdirected,
        ),
        (
            "TRACE /in/ HTTP/1.1\r\nHost: fr.linkedin.com",
            "fr.linkedin.com",
            "/in/",
            405,
            FaultCode::MethodNotAllowed,
        ),
        (
            "GET /feed/ HTTP/1.1\r\nHost: fr.linkedin.com\r\nHost: fr.linkedin.com",
            "fr.linkedin.com",
            "/feed/",
            400,
            FaultCode::BadRequest,
        ),
        (
            &format!("GET {long} HTTP/1.1\r\nHost: fr.linkedin.com"),
            "fr.linkedin.com",
            UNREAD,
            431,
            FaultCode::HeadTooLarge,
        ),
        // what names another origin is recorded as that one's, by what is kept of it elsewhere
        (
            "GET http://intranet.corp/hr/salaries HTTP/1.1\r\nHost: intranet.corp",
            "intranet.corp",
            UNREAD,
            400,
            FaultCode::BadRequest,
        ),
        (
            "GET https://x.com/home HTTP/1.1\r\nHost: fr.linkedin.com",
            "x.com",
            "/home",
            400,
            FaultCode::BadRequest,
        ),
        (
            "GET /hr/pay HTTP/1.1\r\nHost: fr.linkedin.com\r\nHost: intranet.corp",
            "fr.linkedin.com",
            UNREAD,
            400,
            FaultCode::BadRequest,
        ),
    ] {
        let io = Wire::tunnel(&ada, "fr.linkedin.com:443").await.into_io();
        let mut wire = Wire::on(tls(io, &ada.roots, "fr.linkedin.com", |_| {}).await.unwrap());
        world.sends(1);
        wire.say(format!("{request}\r\n\r\n")).await;
        let answer = wire.rest().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let closing = world.closed(host, path).await;
        assert_eq!(closing.seen().subject.as_ref().unwrap().id.as_str(), "ada");
        assert!(closing.seen().person.is_some() && closing.ended().decrypted);
        assert_eq!(
            (closing.code(), closing.ended().status),
            (Some(fault), Some(status)),
            "{request}"
        );
        let problem: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(problem["host"], host);
        assert_eq!(problem["reference"], closing.record.id.as_str());
    }
    assert!(world.origin.received().is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_are_none_are_a_bad_request_and_not_a_client_that_left() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let framed = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nand more\r\n";
    let proof = ada.authorization.clone().unwrap();
    let mut clear = Wire::plain(&world).await;
    world.sends(2);
    clear
        .say(format!(
            "POST http://www.example.org/a HTTP/1.1\r\nHost: www.example.org\r\nProxy-Authorization: {proof}\r\n{framed}"
        ))
        .await;
    // this one's body is looked into before it is judged
    let io = Wire::tunnel(&ada, "www.facebook.com:443").await.into_io();
    let mut read = Wire::on(tls(io, &ada.roots, "www.facebook.com", |_| {}).await.unwrap());
    read.say(format!(
        "POST /api/graphql/ HTTP/1.1\r\nHost: www.facebook.com\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         {framed}"
    ))
    .await;
    for (answer, host, path) in [
        (clear.rest().await, "www.example.org", UNREAD),
        (read.rest().await, "www.facebook.com", "/api/graphql/"),
    ] {
        assert_eq!(status(&answer), "400", "{answer}");
        assert!(answer.contains("/problems/bad-request"), "{answer}");
        assert_eq!(world.closed(host, path).await.code(), Some(FaultCode::BadRequest));
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_is_no_flow() {
    let world = World::open().await;
    drop(TcpStream::connect(world.gate().addresses().plain).await.unwrap());
    let answer = world.client("dan").get("http://www.example.org/").await;
    assert_eq!(answer.status, StatusCode::OK);
    let closing = world.closed("www.example.org", UNREAD).await;
    assert_eq!(closing.ended().end, End::Completed);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cuts_what_does_not_end_and_the_records_say_so() {
    let mut world = World::planned(|plan| plan.settings.proxy.stop_timeout_s = 0).await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let (dan, ada) = (world.client("dan"), world.client("ada"));
    // one who says half a request: nothing of it was read
    let io = Wire::tunnel(&ada, "half.linkedin.com:443").await.into_io();
    let mut half = Wire::on(tls(io, &ada.roots, "half.linkedin.com", |_| {}).await.unwrap());
    half.say("GET /feed/ HTTP/1.1\r\nHo").await;
    let asking = [
        (
            world.client_on_tls_door("dan", b"h2"),
            "http://a.example.org/behave/drip",
        ),
        (dan.clone(), "http://b.example.org/behave/drip"),
        (dan, "http://c.example.org/behave/silent"),
        (ada.clone(), "https://www.linkedin.com/behave/drip"),
        (ada.offering(&[b"http/1.1"]), "https://www.linkedin.com/behave/silent"),
    ]
    .map(|(client, url)| async move { client.get(url).await });
    let mut asking = std::pin::pin!(futures_util::future::join_all(asking));
    tokio::select! {
        answers = &mut asking => panic!("these never end: {answers:?}"),
        () = world.until("the origin is asked", async |world| world.origin.received().len() == 5) => {}
    }
    // nobody reads the answers any more, and nobody hangs up
    let stopped = tokio::time::timeout(Duration::from_mins(1), world.reopen());
    stopped.await.expect("the stop waits for an answer that never ends");
    let ends = world.acts(|record| match &record.act {
        Act::Closing { seen, ended, .. } => {
            let was_read = seen.ask.host().as_str() == "www.linkedin.com";
            assert_eq!(ended.decrypted, was_read, "{record:?}");
            let is_tunnel = seen.ask.head().is_none();
            assert!(!is_tunnel || ended.status == Some(200), "{record:?}");
            Some(ended.end.clone())
        }
        _ => None,
    });
    // five requests, the two tunnels around two of them, and the tunnel of half a request
    let cut = End::Cut("the gateway is stopping".to_owned());
    assert_eq!(ends.await, vec![cut; 8]);
    world.close().await;
}
