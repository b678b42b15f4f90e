//! Requests and answers.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::origin::{Certificate, Origin, head};
use super::*;

async fn fails(upstream: &Upstream, to: &str, request: http::Request<Body>) -> (Blame, Stage, FaultCode) {
    let fault = upstream.send(&permit(to), false, request, &STILL).await.unwrap_err();
    (fault.blame, fault.stage, fault.code)
}

#[tokio::test]
async fn a_request_arrives_in_origin_form_with_the_host_of_its_permit() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    let mut request = post("http://www.x.com/a?b=c", "hello");
    request
        .headers_mut()
        .insert("host", "elsewhere.example".parse().unwrap());
    let response = upstream
        .send(&permit("www.x.com:80"), false, request, &STILL)
        .await
        .unwrap();
    assert_eq!(text(response).await, "HTTP/1.1 POST /a?b=c host=www.x.com body=hello");
    upstream.close().await;
}

#[tokio::test]
async fn over_tls_the_origin_chooses_the_protocol() {
    let certificate = Certificate::new(&["www.x.com"], |_| {});
    for (alpn, said) in [
        (
            vec!["h2", "http/1.1"],
            "HTTP/2.0 POST https://www.x.com/a host=none body=hi",
        ),
        (vec!["http/1.1"], "HTTP/1.1 POST /a host=www.x.com body=hi"),
        (vec![], "HTTP/1.1 POST /a host=www.x.com body=hi"),
    ] {
        let origin = Origin::secure(&certificate, &alpn).await;
        let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
        let response = upstream
            .send(&permit("www.x.com:443"), true, post("/a", "hi"), &STILL)
            .await
            .unwrap();
        assert_eq!(text(response).await, said);
        upstream.close().await;
        assert_eq!(upstream.alive().tasks, 0);
    }
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let origin = Origin::start(|mut stream, _| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        // Answers each piece before the next one has been sent: `2\r\nAB\r\n`.
        let mut piece = [0; 7];
        for _ in 0..3 {
            stream.read_exact(&mut piece).await.unwrap();
            stream.write_all(&piece).await.unwrap();
        }
        stream.read_exact(&mut piece[..5]).await.unwrap();
        stream.write_all(&piece[..5]).await.unwrap();
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let (pieces, body) = tokio::sync::mpsc::channel::<Bytes>(1);
    let body = futures_util::stream::unfold(body, |mut body| async {
        let piece = body.recv().await?;
        Some((
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(http_body::Frame::data(piece)),
            body,
        ))
    });
    // An mpsc receiver inside is `Send` only; the body must be `Sync` as well.
    let body = http_body_util::StreamBody::new(sync(body)).boxed();
    let request = http::Request::post("/").body(body).unwrap();
    pieces.send("AB".into()).await.unwrap();
    let mut answer = upstream
        .send(&permit("x.com:80"), false, request, &STILL)
        .await
        .unwrap()
        .into_body();
    for next in ["CD", "EF"] {
        let got = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(got.len(), 2);
        pieces.send(next.into()).await.unwrap();
    }
    drop(pieces);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "EF");
    upstream.close().await;
}

/// Makes a stream `Sync` by never sharing it.
fn sync<S: futures_util::Stream + Send + 'static>(
    stream: S,
) -> impl futures_util::Stream<Item = S::Item> + Sync + Send {
    let stream = std::sync::Mutex::new(Box::pin(stream));
    futures_util::stream::poll_fn(move |cx| stream.lock().unwrap().as_mut().poll_next(cx))
}

#[tokio::test]
async fn origins_that_misbehave_are_told_apart() {
    for (answer, code) in [
        ("", FaultCode::OriginGone),
        ("HTTP/1.1 200 OK\r\nContent-Le", FaultCode::OriginGone),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", FaultCode::OriginProtocol),
        (
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            FaultCode::OriginProtocol,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            FaultCode::OriginProtocol,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            FaultCode::OriginProtocol,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            FaultCode::OriginProtocol,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: xx\r\n\r\na",
            FaultCode::OriginProtocol,
        ),
    ] {
        let origin = Origin::says(answer).await;
        let upstream = way_to(origin.address, &[]);
        let failed = fails(&upstream, "x.com:80", get("/")).await;
        assert_eq!(failed, (Blame::Origin, Stage::Forward, code), "{answer:?}");
        assert_eq!(origin.accepted(), 1, "a request that left is not sent again");
        upstream.close().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_not_swallowed() {
    let large: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(10_000)).into_boxed_str());
    let origin = Origin::says(large).await;
    let upstream = way(origin.address, &[], |settings| {
        settings.max_response_header_bytes = 8192;
    });
    let fault = upstream.send(&permit("x.com:80"), false, get("/"), &STILL).await;
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, FaultCode::OriginProtocol);
    assert_eq!(
        fault.detail,
        "the head of the answer of `x.com:80` is larger than this gateway takes"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_fault_of_the_origin() {
    let origin = Origin::says("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let upstream = way_to(origin.address, &[]);
    let permit = permit("x.com:80");
    let response = upstream.send(&permit, false, get("/"), &STILL).await.unwrap();
    let fault = response.into_body().collect().await.unwrap_err();
    assert_eq!(fault.code, FaultCode::OriginGone);
    upstream.close().await;
    assert_eq!(upstream.alive().tasks, 0);
}

#[tokio::test]
async fn an_origin_that_never_answers_is_given_up() {
    let origin = Origin::start(|mut stream, _| async move {
        head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let upstream = way(origin.address, &[], |settings| settings.response_timeout_s = 0);
    let failed = fails(&upstream, "x.com:80", get("/")).await;
    assert_eq!(failed, (Blame::Origin, Stage::Forward, FaultCode::OriginTimeout));
    upstream.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_its_body_is_to_blame_itself() {
    let origin = Origin::honest().await;
    let upstream = way_to(origin.address, &[]);
    let body = futures_util::stream::iter([Ok(http_body::Frame::data(Bytes::from("half"))), Err("gone".into())]);
    let request = http::Request::post("/")
        .body(http_body_util::StreamBody::new(body).boxed())
        .unwrap();
    let failed = fails(&upstream, "x.com:80", request).await;
    assert_eq!(failed, (Blame::Client, Stage::Forward, FaultCode::ClientGone));
    upstream.close().await;
}

#[tokio::test]
async fn what_cannot_be_reached_says_why() {
    // bound, and not listening: it refuses, and nobody else is given it
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = reserved.local_addr().unwrap();
    let upstream = way_to(closed, &[]);
    let failed = fails(&upstream, "x.com:80", get("/")).await;
    assert_eq!(failed, (Blame::Origin, Stage::Dial, FaultCode::ConnectRefused));
    let guarded = way(closed, &[], |settings| settings.allow.clear());
    let fault = guarded.tunnel(&permit("x.com:80")).await.unwrap_err();
    assert_eq!((fault.stage, fault.code), (Stage::Resolve, FaultCode::AddressGuarded));
    assert!(
        fault.detail.contains("`x.com`") && fault.detail.contains("`upstream.allow`"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_connection_changes_protocols_when_the_origin_agrees() {
    let origin = Origin::start(|mut stream, _| async move {
        let head = head(&mut stream).await;
        assert!(
            head.starts_with("GET /live HTTP/1.1\r\n") && head.contains("\r\nhost: x.com\r\n"),
            "{head}"
        );
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nfirst";
        stream.write_all(answer).await.unwrap();
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte).await {
            stream.write_all(&byte).await.unwrap();
        }
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let mut request = get("/live");
    request.headers_mut().insert("connection", "upgrade".parse().unwrap());
    request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    let (response, upgraded) = upstream.upgrade(&permit("x.com:80"), false, request).await.unwrap();
    assert_eq!(response.status(), 101);
    let mut stream = hyper_util::rt::TokioIo::new(upgraded.unwrap());
    stream.write_all(b"-echo").await.unwrap();
    let mut said = [0; 10];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"first-echo");
    drop(stream);
    upstream.close().await;
}

#[tokio::test]
async fn a_connection_becomes_the_socket_that_was_asked_for_or_nothing() {
    for (said, is_right) in [
        (
            "upgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            true,
        ),
        (
            "upgrade: WebSocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            true,
        ),
        (
            "upgrade: websocket\r\nsec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            false,
        ),
        ("upgrade: websocket", false),
        ("upgrade: foo", false),
        (
            "upgrade: foo\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            false,
        ),
        (
            "upgrade: websocket, foo\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            false,
        ),
        ("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", false),
    ] {
        let origin = Origin::start(move |mut stream, _| async move {
            head(&mut stream).await;
            let answer = format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n{said}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let upstream = way_to(origin.address, &[]);
        let mut request = get("/live");
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), // of RFC 6455 §1.3
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match upstream.upgrade(&permit("x.com:80"), false, request).await {
            Ok((_, upgraded)) => assert!(is_right && upgraded.is_some(), "{said}"),
            Err(fault) => assert_eq!((is_right, fault.code), (false, FaultCode::OriginProtocol), "{said}"),
        }
    }
}

#[tokio::test]
async fn an_origin_may_decline_to_change_protocols() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let origin = Origin::secure(&certificate, &["h2", "http/1.1"]).await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let (response, upgraded) = upstream
        .upgrade(&permit("x.com:443"), true, get("/live"))
        .await
        .unwrap();
    assert!(upgraded.is_none());
    assert_eq!(text(response).await, "HTTP/1.1 GET /live host=x.com body=");
}

#[tokio::test]
async fn a_tunnel_is_a_connection_and_nothing_else() {
    let origin = Origin::start(|mut stream, _| async move {
        stream.write_all(b"220 mail\r\n").await.unwrap();
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let mut stream = upstream.tunnel(&permit("mail.example:25")).await.unwrap();
    assert!(stream.nodelay().unwrap());
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "220 mail\r\n");
}

#[tokio::test]
async fn after_closing_nothing_leaves_and_answers_under_way_end() {
    let origin = Origin::start(|mut stream, _| async move {
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let response = upstream
        .send(&permit("x.com:80"), false, get("/"), &STILL)
        .await
        .unwrap();
    assert!(upstream.alive().tasks > 0);
    tokio::time::timeout(Duration::from_mins(1), upstream.close())
        .await
        .unwrap();
    assert_eq!(upstream.alive().tasks, 0);
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(fails(&upstream, "x.com:80", get("/")).await.2, FaultCode::Internal);
}
