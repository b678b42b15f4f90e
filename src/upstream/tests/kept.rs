//! Connections that are kept, and those that are not.

use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;

use super::super::connect::Sender;
use super::super::pool::Checkout;
use super::origin::{Certificate, Origin, head, http1};
use super::*;

async fn ask(upstream: &Upstream, to: &str, request: http::Request<Body>) -> String {
    text(upstream.send(&permit(to), false, request, &STILL).await.unwrap()).await
}

/// Waits, without a clock, until a condition that other tasks bring about holds.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    for _ in 0..5 {
        ask(&upstream, "x.com:80", post("/", "a")).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(origin.accepted(), 1);
    ask(&upstream, "y.com:80", get("/")).await;
    assert_eq!(origin.accepted(), 2, "another origin, another connection");
    upstream.close().await;
}

#[tokio::test]
async fn a_busy_connection_is_not_used_twice() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    let first = upstream
        .send(&permit("x.com:80"), false, post("/", vec![b'a'; 4_000_000]), &STILL)
        .await
        .unwrap();
    ask(&upstream, "x.com:80", get("/")).await;
    assert_eq!(origin.accepted(), 2);
    assert!(text(first).await.len() > 4_000_000);
    upstream.close().await;
}

#[tokio::test]
async fn a_connection_that_the_origin_closed_is_not_used_again() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    for _ in 0..3 {
        ask(&upstream, "x.com:80", get("/close")).await;
    }
    assert_eq!(origin.accepted(), 3);
    upstream.close().await;
}

#[tokio::test]
async fn a_connection_that_goes_stale_in_the_pool_costs_no_request() {
    let origin = Origin::start(|mut stream, number| async move {
        if number > 0 {
            return http1(stream).await;
        }
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await
            .unwrap();
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    assert_eq!(ask(&upstream, "x.com:80", post("/", "a")).await, "ok");
    let again = ask(&upstream, "x.com:80", post("/", "b")).await;
    assert!(again.ends_with("body=b"), "{again}");
    upstream.close().await;
}

#[tokio::test]
async fn unused_connections_are_let_go_after_a_while() {
    let origin = Origin::honest().await;
    let upstream = way(origin.address, &[], |settings| settings.idle_timeout_s = 0);
    ask(&upstream, "x.com:80", get("/")).await;
    // Only the sweeper is left.
    until(|| upstream.alive().tasks == 1).await;
    upstream.close().await;
    assert_eq!(upstream.alive().tasks, 0);
}

#[tokio::test]
async fn no_more_connections_are_kept_than_the_settings_say_not_even_for_a_moment() {
    let origin = Origin::honest().await;
    let upstream = way(origin.address, &[], |settings| {
        settings.max_idle_per_origin = 2;
        settings.max_idle = 3;
    });
    for (to, left) in [("x.com:80", 2), ("y.com:80", 3)] {
        let permit = permit(to);
        let all = (0..4).map(|_| async { upstream.send(&permit, false, get("/"), &STILL).await.unwrap() });
        for response in futures_util::future::join_all(all).await {
            text(response).await;
        }
        assert_eq!(upstream.alive().idle, left, "{to}");
    }
    assert_eq!(origin.accepted(), 8);
    // The sweeper, and those that are kept.
    until(|| upstream.alive().tasks == 4).await;
    upstream.close().await;
}

#[tokio::test]
async fn where_all_are_kept_that_may_be_the_one_unused_for_longest_makes_room() {
    let origin = Origin::honest().await;
    let upstream = way(origin.address, &[], |settings| settings.max_idle = 2);
    let asks = [
        ("x.com:80", 1),
        ("y.com:80", 2),
        ("x.com:80", 2),
        ("z.com:80", 3), // y makes room
        ("x.com:80", 3),
        ("z.com:80", 3),
        ("y.com:80", 4),
    ];
    for (to, dialled) in asks {
        ask(&upstream, to, get("/")).await;
        tokio::task::yield_now().await;
        assert_eq!(origin.accepted(), dialled, "{to}");
    }
    assert_eq!(upstream.alive().idle, 2);
    upstream.close().await;
}

#[tokio::test]
async fn a_connection_that_carries_somebodys_authentication_serves_nobody_else() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    ask(&upstream, "x.com:80", get("/negotiate")).await;
    ask(&upstream, "x.com:80", get("/")).await;
    assert_eq!(origin.accepted(), 2, "the answer asked for it");
    ask(&upstream, "x.com:80", with_ntlm(get("/"))).await;
    ask(&upstream, "x.com:80", get("/")).await;
    assert_eq!(origin.accepted(), 3, "the request carried it");
    upstream.close().await;
}

#[tokio::test]
async fn an_authentication_of_the_connection_is_never_sent_on_a_shared_one() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let origin = Origin::secure(&certificate, &["h2", "http/1.1"]).await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let permit = permit("x.com:443");
    let versions = [
        (with_ntlm(get("/")), "HTTP/1.1", 1),
        (get("/"), "HTTP/2.0", 2),
        (with_ntlm(get("/")), "HTTP/1.1", 3),
        (get("/"), "HTTP/2.0", 3),
    ];
    for (request, version, accepted) in versions {
        let said = text(upstream.send(&permit, true, request, &STILL).await.unwrap()).await;
        assert!(said.starts_with(version), "{said}");
        assert_eq!(origin.accepted(), accepted);
    }
    upstream.close().await;
}

fn with_ntlm(mut request: http::Request<Body>) -> http::Request<Body> {
    let ntlm = http::HeaderValue::from_static("NTLM abc");
    request.headers_mut().insert("authorization", ntlm);
    request
}

#[tokio::test]
async fn http_2_requests_share_one_connection_even_when_they_all_come_first() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let origin = Origin::secure(&certificate, &["h2"]).await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let permit = permit("x.com:443");
    let all = (0..20).map(|number| upstream.send(&permit, true, post("/", number.to_string()), &STILL));
    for (number, response) in futures_util::future::join_all(all).await.into_iter().enumerate() {
        let said = text(response.unwrap()).await;
        assert!(said.ends_with(&format!("body={number}")), "{said}");
    }
    assert_eq!(origin.accepted(), 1);
    upstream.close().await;
    assert_eq!(upstream.alive().tasks, 0);
}

#[tokio::test]
async fn those_who_wait_for_a_dial_that_fails_fail_with_it() {
    let certificate = Certificate::new(&["y.com"], |_| {});
    let origin = Origin::secure(&certificate, &["h2"]).await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let permit = permit("x.com:443");
    let all = (0..20).map(|_| upstream.send(&permit, true, get("/"), &STILL));
    for response in futures_util::future::join_all(all).await {
        assert_eq!(response.unwrap_err().code, FaultCode::CertificateName);
    }
    assert_eq!(origin.accepted(), 1);
    // Nobody waited for this one: it tries again.
    assert!(upstream.send(&permit, true, get("/"), &STILL).await.is_err());
    assert_eq!(origin.accepted(), 2);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_takes_its_connection_with_it() {
    let asked = Arc::new(Notify::new());
    let told = Arc::clone(&asked);
    let origin = Origin::start(move |mut stream, number| {
        let told = Arc::clone(&told);
        async move {
            if number > 0 {
                return http1(stream).await;
            }
            head(&mut stream).await;
            told.notify_one();
            assert_eq!(head(&mut stream).await, "", "nothing more may come on this connection");
        }
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let permit = permit("x.com:80");
    tokio::select! {
        _ = upstream.send(&permit, false, get("/slow"), &STILL) => unreachable!("nobody answers"),
        () = asked.notified() => {}
    }
    ask(&upstream, "x.com:80", get("/")).await;
    assert_eq!(origin.accepted(), 2);
    upstream.close().await;
}

#[tokio::test]
async fn a_request_that_never_left_is_handed_back_whole() {
    let close = Arc::new(Notify::new());
    let told = Arc::clone(&close);
    let origin = Origin::start(move |stream, _| {
        let told = Arc::clone(&told);
        async move {
            told.notified().await;
            drop(stream);
        }
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let permit = permit("x.com:80");
    let slot = upstream.pool.slot(key(&permit, false)).unwrap();
    let fresh = upstream.pool.checkout(&slot, &permit).await.unwrap();
    let Sender::Http1(sender) = &fresh.sender else {
        panic!("in clear it is HTTP/1.1")
    };
    close.notify_one();
    until(|| sender.is_closed()).await;
    let request = post("/", "whole");
    let stale = Checkout { reused: true, ..fresh };
    let missed = upstream.attempt(&slot, stale, request, &STILL).await;
    let whole = missed.err().and_then(|missed| missed.whole).unwrap();
    let body = http_body_util::BodyExt::collect(whole.into_body()).await;
    assert_eq!(body.unwrap().to_bytes(), "whole");
}
