//! Requests that are sent again, and those that are not.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::origin::{Certificate, Origin, head, http1, http2};
use super::*;

fn with_method(method: http::Method) -> http::Request<Body> {
    let mut request = get("/");
    *request.method_mut() = method;
    request
}

/// An origin in clear that answers once on its first connection, reads one request more, and hangs up.
async fn tired() -> Origin {
    Origin::start(|mut stream, number| async move {
        if number > 0 {
            return http1(stream).await;
        }
        head(&mut stream).await;
        let first = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst";
        stream.write_all(first).await.unwrap();
        head(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn only_a_safe_request_is_sent_again_when_a_kept_connection_ends_without_an_answer() {
    // some sites publish by GET
    let mut publishing = get("/");
    publishing.extensions_mut().insert(OnlyOnce);
    for (request, again) in [
        (publishing, false),
        (get("/"), true),
        (with_method(http::Method::OPTIONS), true),
        (with_method(http::Method::DELETE), false),
        (with_method(http::Method::POST), false),
        (post("/", "body"), false),
    ] {
        let method = request.method().clone();
        let origin = tired().await;
        let upstream = way_to(origin.address, &[]);
        let permit = permit("x.com:80");
        text(upstream.send(&permit, false, get("/"), &STILL).await.unwrap()).await;
        match upstream.send(&permit, false, request, &STILL).await {
            Ok(answer) if again => assert!(text(answer).await.starts_with("HTTP/1.1"), "{method}"),
            Err(fault) if !again => assert_eq!(fault.code, FaultCode::OriginGone, "{method}"),
            other => panic!("{method}: {other:?}"),
        }
        assert_eq!(origin.accepted(), 1 + usize::from(again), "{method}");
        upstream.close().await;
    }
}

/// An origin that resets the first stream that it sees, for this reason, and answers the others.
async fn resets(certificate: &Certificate, reason: h2::Reason) -> Origin {
    let streams = Arc::new(AtomicUsize::new(0));
    Origin::shared(certificate, 100, move |_| {
        let first = streams.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                return Err(reason);
            }
            Ok(http::Response::new(Full::new(Bytes::from("answered"))))
        }
    })
    .await
}

#[tokio::test]
async fn a_stream_that_the_origin_refused_is_sent_again_unless_its_body_is_gone() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    for (request, reason, again) in [
        (get("/"), h2::Reason::REFUSED_STREAM, true),
        (with_method(http::Method::DELETE), h2::Reason::REFUSED_STREAM, true),
        (post("/", "body"), h2::Reason::REFUSED_STREAM, false),
        (get("/"), h2::Reason::INTERNAL_ERROR, false),
    ] {
        let origin = resets(&certificate, reason).await;
        let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
        let method = request.method().clone();
        let answer = upstream.send(&permit("x.com:443"), true, request, &STILL).await;
        assert_eq!(answer.is_ok(), again, "{method} {reason}");
        assert_eq!(origin.accepted(), 1, "the connection is as good as before");
        upstream.close().await;
    }
}

#[tokio::test]
async fn an_origin_that_wants_http_1_gets_it() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let acceptor = TlsAcceptor::from(certificate.server(&["h2", "http/1.1"]));
    let origin = Origin::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return http1(stream).await;
            }
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_reset(h2::Reason::HTTP_1_1_REQUIRED);
            }
        }
    })
    .await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let permit = permit("x.com:443");
    let answer = upstream.send(&permit, true, get("/a"), &STILL).await.unwrap();
    assert_eq!(text(answer).await, "HTTP/1.1 GET /a host=x.com body=");
    assert!(
        upstream
            .send(&permit, true, with_method(http::Method::DELETE), &STILL)
            .await
            .is_err()
    );
    upstream.close().await;
}

/// Reads so many requests of HTTP/2, and says that it will process none of them (RFC 9113 §6.8).
async fn goes_away(mut stream: impl AsyncRead + AsyncWrite + Unpin, mut after: usize) {
    const HEADERS: u8 = 1;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap(); // SETTINGS: nothing special
    stream.read_exact(&mut [0; 24]).await.unwrap(); // the preface
    while after > 0 {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        let length = usize::from(frame[1]) << 8 | usize::from(frame[2]);
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        after -= usize::from(frame[3] == HEADERS);
    }
    let goaway = [
        0, 0, 8, 7, 0, 0, 0, 0, 0, /* last stream */ 0, 0, 0, 0, /* NO_ERROR */ 0, 0, 0, 0,
    ];
    stream.write_all(&goaway).await.unwrap();
    drop(stream.read_to_end(&mut Vec::new()).await);
}

#[tokio::test]
async fn all_whom_a_connection_leaves_unprocessed_share_the_next_one() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let acceptor = TlsAcceptor::from(certificate.server(&["h2"]));
    let origin = Origin::start(move |stream, number| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            match number {
                0 => goes_away(stream, 20).await,
                _ => http2(stream).await,
            }
        }
    })
    .await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let permit = permit("x.com:443");
    let all = (0..20).map(|_| upstream.send(&permit, true, get("/"), &STILL));
    for answer in futures_util::future::join_all(all).await {
        assert!(text(answer.unwrap()).await.starts_with("HTTP/2.0 GET"));
    }
    assert_eq!(origin.accepted(), 2);
    upstream.close().await;
}
