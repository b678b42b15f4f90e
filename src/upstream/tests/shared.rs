//! HTTP/2 connections, which many requests share.

use tokio::sync::Barrier;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::origin::{Certificate, Origin, http1, http2};
use super::*;
use crate::facts::{Host, SubjectId};
use crate::upstream::resolve;

fn said(words: impl Into<Bytes>) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::new(words.into()))
}

async fn ask(upstream: &Upstream, target: &str) -> http::Response<ResponseBody> {
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

#[tokio::test]
async fn an_origin_that_has_learned_http_2_is_not_dialled_by_everybody_at_once() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let [old, new] = [["http/1.1"], ["h2"]].map(|alpn| TlsAcceptor::from(certificate.server(&alpn)));
    let origin = Origin::start(move |stream, number| {
        let (old, new) = (old.clone(), new.clone());
        async move {
            match number {
                0 => http1(old.accept(stream).await.unwrap()).await,
                // the first that speaks HTTP/2 serves one request
                1 => {
                    let stream = new.accept(stream).await.unwrap();
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    let (_, mut answer) = connection.accept().await.unwrap().unwrap();
                    answer.send_response(http::Response::new(()), true).unwrap();
                    connection.graceful_shutdown();
                    while connection.accept().await.is_some() {}
                }
                _ => http2(new.accept(stream).await.unwrap()).await,
            }
        }
    })
    .await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    text(ask(&upstream, "/close").await).await;
    text(ask(&upstream, "/").await).await;
    let five = futures_util::future::join_all((0..5).map(|_| ask(&upstream, "/"))).await;
    assert_eq!(origin.accepted(), 3);
    drop(five);
    upstream.close().await;
}

/// Finds every name on loopback, but for ada: what she asks is never answered.
struct NotForAda;

impl resolve::Resolve for NotForAda {
    fn resolve<'a>(&'a self, _host: &'a Host, asker: &'a SubjectId, _until: Instant) -> resolve::Answer<'a> {
        Box::pin(async move {
            if asker.as_str() == "ada" {
                std::future::pending::<()>().await;
            }
            Ok(vec![[127, 0, 0, 1].into()])
        })
    }
}

#[tokio::test]
async fn who_waits_for_a_look_up_keeps_nobody_from_an_origin() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let origin = Origin::shared(&certificate, 100, |_| async { Ok(said("here")) }).await;
    let settings = Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    };
    let dialer = Dialer::new(&settings).unwrap().asking(Box::new(NotForAda));
    let connector = Connector::new(dialer, tls(std::slice::from_ref(&certificate.root)), 65536);
    let keep = Keep {
        per_origin: 1,
        total: 1,
        idle: Duration::from_mins(1),
    };
    let upstream = Upstream {
        pool: Pool::new(connector, keep),
        ..way_to(origin.address, &[])
    };
    let to = Authority::parse(&format!("x.com:{}", origin.address.port()), None).unwrap();
    let [ada, bob] = ["ada", "bob"].map(|name| Permit::for_test(to.clone(), name));
    let mut waits = Box::pin(upstream.send(&ada, true, get("/"), &STILL));
    assert!(futures_util::poll!(&mut waits).is_pending());
    let answer = tokio::select! {
        answer = upstream.send(&bob, true, get("/"), &STILL) => answer.unwrap(),
        _ = &mut waits => panic!("nothing answers ada"),
    };
    assert_eq!(text(answer).await, "here");
    drop(waits);
    upstream.close().await;
}
