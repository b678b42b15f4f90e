//! HTTP/2 connections, which many requests share.

use tokio::sync::Barrier;

use super::origin::{Certificate, Origin};
use super::*;

fn said(words: impl Into<Bytes>) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::new(words.into()))
}

async fn ask(upstream: &Upstream, target: &str) -> http::Response<Answer> {
    upstream
        .send(&permit("x.com:443"), true, get(target), &STILL)
        .await
        .unwrap()
}

#[tokio::test]
async fn readers_who_stall_do_not_stop_the_others() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let origin = Origin::shared(&certificate, 100, |request| async move {
        let large = request.uri().path() == "/large";
        Ok(said(if large { vec![0; 4 << 20] } else { b"small".to_vec() }))
    })
    .await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let mut stalled = Vec::new();
    for _ in 0..20 {
        stalled.push(ask(&upstream, "/large").await);
    }
    assert_eq!(text(ask(&upstream, "/small").await).await, "small");
    assert_eq!(origin.accepted(), 1);
    upstream.close().await;
}

#[tokio::test]
async fn requests_beyond_what_the_origin_lets_one_connection_carry_get_another_one() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let all = Arc::new(Barrier::new(5));
    let origin = Origin::shared(&certificate, 2, move |request| {
        let all = Arc::clone(&all);
        async move {
            if request.uri().path() == "/together" {
                all.wait().await;
            }
            Ok(said("here"))
        }
    })
    .await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    for _ in 0..2 {
        text(ask(&upstream, "/").await).await; // what the origin allows is known with its first answers
    }
    let five = futures_util::future::join_all((0..5).map(|_| ask(&upstream, "/together"))).await;
    assert_eq!(origin.accepted(), 3);
    // who reads its answer no more leaves its place
    drop(five);
    for _ in 0..2 {
        text(ask(&upstream, "/").await).await;
    }
    assert_eq!((origin.accepted(), upstream.alive().idle), (3, 3));
    upstream.close().await;
}
