//! HTTP/2 inside a tunnel: many requests at once, bodies that stream, trailers.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use http::{HeaderMap, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wayleave::facts::{End, FaultCode};

use crate::harness::client::{Client, Io, Sender};
use crate::harness::scripted::Scripted;
use crate::harness::wire::{END_HEADERS, END_STREAM, HEADERS, RESET, SETTINGS, Wire, frame};
use crate::harness::{World, code};

type Part = Result<Frame<Bytes>, std::io::Error>;
type Streamed = StreamBody<BoxStream<'static, Part>>;

/// A body whose parts are sent one by one.
fn streamed() -> (mpsc::Sender<Part>, Streamed) {
    let (parts, sent) = mpsc::channel(4);
    let body = unfold(sent, |mut sent: mpsc::Receiver<Part>| async move {
        Some((sent.recv().await?, sent))
    });
    (parts, StreamBody::new(body.boxed()))
}

async fn inside<B>(client: &Client, host: &str) -> Sender<B>
where
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let tunnel = client.tunnel(&format!("{host}:443")).await.unwrap();
    Sender::on(client.tls(host, tunnel).await.unwrap(), true).await
}

fn data(text: impl Into<Bytes>) -> Part {
    Ok(Frame::data(text.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_share_one_connection_and_each_has_its_record() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let Sender::Http2(sender) = inside::<String>(&ada, "www.linkedin.com").await else {
        panic!("h2 was offered")
    };
    world.sends(40);
    let asked = (0..40).map(|n| {
        let mut sender = sender.clone();
        async move {
            let request = Request::get(format!("https://www.linkedin.com/in/somebody-{n}/")).body(String::new());
            let answer = sender.send_request(request.unwrap()).await.unwrap();
            let status = answer.status();
            (status, answer.into_body().collect().await.unwrap().to_bytes())
        }
    });
    let answers = futures_util::future::join_all(asked).await;
    for (n, (status, body)) in answers.iter().enumerate() {
        assert_eq!(
            (*status, &body[..]),
            (StatusCode::OK, format!("GET /in/somebody-{n}/ 0").as_bytes())
        );
    }
    assert!(world.origin.connections() <= 2, "the way out is shared, too");
    // an answer may be heard a moment before its line is written
    world
        .until("each request has its record", async |world| {
            let records = world.records().await;
            let ids: BTreeSet<String> = records.iter().map(|record| record.id.to_string()).collect();
            ids.len() > 40
        })
        .await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_an_open_stream_is_not_kept_for_ever() {
    let world = World::planned(|plan| {
        plan.settings.ingress.header_timeout_s = 1;
        plan.settings.ingress.http2_idle_timeout_s = 1;
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client_on_tls_door("ada", b"h2");
    // who asks for nothing, with or without the preface and its settings
    for (at, preface) in ["", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0"]
        .into_iter()
        .enumerate()
    {
        let (io, h2) = ada.dial().await;
        assert!(h2);
        world.sends(1);
        let mut wire = Wire::on(io);
        wire.say(preface).await;
        wire.rest().await;
        assert_eq!(code(&world.strays(at + 1).await[at]), Some(FaultCode::ClientTimeout));
    }
    // who was served, at the door and inside a tunnel, hears a good-bye
    let served = async |io: Box<dyn Io>, request: http::request::Builder| {
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await;
        let (mut sender, connection) = shaken.unwrap();
        world.sends(1);
        let asked = async {
            let answer = sender.send_request(request.body(String::new()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            answer.into_body().collect().await.unwrap();
            sender
        };
        let (ended, _sender) = tokio::join!(connection, asked);
        ended.unwrap();
    };
    let proof = ada.authorization.clone().unwrap();
    let at_the_door = Request::get("http://www.example.org/").header("proxy-authorization", proof);
    served(ada.dial().await.0, at_the_door).await;
    let tunnel = ada.tunnel("www.linkedin.com:443").await.unwrap();
    let inside = ada.tls("www.linkedin.com", tunnel).await.unwrap();
    served(Box::new(inside), Request::get("https://www.linkedin.com/feed/")).await;
    let tunnel = world.closed("www.linkedin.com", "CONNECT").await;
    assert_eq!((&tunnel.ended().end, tunnel.ended().decrypted), (&End::Completed, true));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_streams_through_and_trailers_follow_it() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.inspect_everything();
        plan.lead("up.example.org", origin.address);
    })
    .await;
    let dan = world.client("dan");
    let mut sender = inside::<Streamed>(&dan, "up.example.org").await;
    let (upload, body) = streamed();
    world.sends(1);
    let request = Request::post("https://up.example.org/upload")
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(body)
        .unwrap();
    let answer = tokio::spawn(async move { sender.send(request).await });
    upload.send(data("the first bytes")).await.unwrap();
    let mut server = origin.tls(&world.origins, "up.example.org").await;
    let head = server.head().await.to_ascii_lowercase();
    assert!(head.starts_with("post /upload http/1.1"), "{head}");
    // the origin reads the first bytes although the last have not been sent
    assert_eq!(server.exactly(20).await, "F\r\nthe first bytes\r\n");
    upload.send(data(vec![b'x'; 0x4000])).await.unwrap();
    upload
        .send(Ok(Frame::trailers(HeaderMap::from_iter([(
            "x-sum".parse().unwrap(),
            "up".parse().unwrap(),
        )]))))
        .await
        .unwrap();
    drop(upload);
    let rest = server.head().await.to_ascii_lowercase();
    assert!(rest.ends_with("0\r\nx-sum: up\r\n\r\n"), "{}", &rest[rest.len() - 40..]);
    server
        .say("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nX-Sum: down\r\n\r\n")
        .await;
    let answer = answer.await.unwrap().unwrap();
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "down");
    assert_eq!(body.to_bytes(), "yes");
    let closing = world.closed("up.example.org", "/upload").await;
    assert_eq!((closing.ended().bytes_up, closing.ended().bytes_down), (15 + 0x4000, 3));
    world.close().await;
}

/// A world, an upload inside it whose first part the origin has read, and the whole answer that came to that.
async fn answered_early() -> (World, mpsc::Sender<Part>, Wire) {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.inspect_everything();
        plan.lead("up.example.org", origin.address);
    })
    .await;
    let mut sender = inside::<Streamed>(&world.client("dan"), "up.example.org").await;
    let (upload, body) = streamed();
    world.sends(1);
    let request = Request::post("https://up.example.org/upload").body(body).unwrap();
    let answer = tokio::spawn(async move {
        let answer = sender.send(request).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes()
    });
    upload.send(data("first")).await.unwrap();
    let mut server = origin.tls(&world.origins, "up.example.org").await;
    server.head().await;
    assert_eq!(server.exactly(10).await, "5\r\nfirst\r\n");
    server.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(answer.await.unwrap(), "ok");
    (world, upload, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_after_an_early_answer_arrives_and_counts() {
    let (world, upload, mut server) = answered_early().await;
    upload.send(data("second")).await.unwrap();
    drop(upload);
    assert_eq!(server.exactly(16).await, "6\r\nsecond\r\n0\r\n\r\n");
    let closing = world.closed("up.example.org", "/upload").await;
    assert_eq!(closing.ended().end, End::Completed);
    assert_eq!((closing.ended().bytes_up, closing.ended().bytes_down), (11, 2));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_after_an_early_answer_is_not_complete() {
    let (world, upload, _server) = answered_early().await;
    upload.send(Err(std::io::Error::other("cannot be read"))).await.unwrap();
    let closing = world.closed("up.example.org", "/upload").await;
    assert_eq!(
        (closing.code(), closing.ended().status),
        (Some(FaultCode::ClientGone), Some(200))
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_after_an_early_answer_ends_with_its_permission() {
    let (world, upload, _server) = answered_early().await;
    let rule = r#"@id("test.over") @title("Over") @reason("Uploads are over.") @owner("IT")
        forbid (principal, action == Action::"connect", resource) when { resource.host == "up.example.org" };"#;
    world.edit_rules("rules/90-test.cedar", rule).await;
    // each part may still leave, until one does not
    while upload.send(data("more")).await.is_ok() {}
    let closing = world.closed("up.example.org", "/upload").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_streams_through_before_it_is_whole() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.inspect_everything();
        plan.lead("events.example.org", origin.address);
    })
    .await;
    let mut sender = inside::<String>(&world.client("dan"), "events.example.org").await;
    world.sends(1);
    let request = Request::get("https://events.example.org/stream")
        .body(String::new())
        .unwrap();
    let (answer, mut server) = tokio::join!(sender.send(request), async {
        let mut server = origin.tls(&world.origins, "events.example.org").await;
        server.head().await;
        server
            .say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
            .await;
        server
    });
    let mut body = answer.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        first, "data: one\n\n",
        "the first event arrives although the stream goes on"
    );
    server.say("data: two\n\n").await;
    server.finish().await;
    assert_eq!(body.collect().await.unwrap().to_bytes(), "data: two\n\n");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused_and_the_gateway_stays() {
    let world = World::open().await;
    let dan = world.client_on_tls_door("dan", b"h2");
    let request = Request::get("http://www.example.org/").header("x-long", "x".repeat(60_000));
    let answer = dan.send(request).await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(dan.get("http://www.example.org/").await.status, StatusCode::OK);
    world.close().await;
}

/// A request whose head is about so large.
fn of_size(bytes: usize) -> Request<String> {
    let request = (0..bytes / 30_000).fold(Request::get("http://www.example.org/"), |request, n| {
        request.header(format!("x-{n}"), "x".repeat(30_000))
    });
    request.body(String::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_far_too_large_is_refused_by_the_library_and_one_beyond_all_measure_ends_the_connection() {
    let world = World::open().await;
    let dan = world.client_on_tls_door("dan", b"h2");
    let mut sender = Sender::on(dan.dial().await.0, true).await;
    // more than four times what is allowed: nobody here hears of it, and the connection is still good
    let answer = sender.send(of_size(150_000)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "");
    world.sends(1);
    let mut request = of_size(0);
    let proof = dan.authorization.clone().unwrap().parse().unwrap();
    request.headers_mut().insert("proxy-authorization", proof);
    assert_eq!(sender.send(request).await.unwrap().status(), StatusCode::OK);
    // more than sixteen times, after others and as the first
    let beyond = async |sender: &mut Sender<String>| {
        let refused = sender.send(of_size(600_000)).await.unwrap_err();
        let cause = std::error::Error::source(&refused).and_then(|cause| cause.downcast_ref::<h2::Error>());
        assert_eq!(cause.and_then(h2::Error::reason), Some(h2::Reason::ENHANCE_YOUR_CALM));
    };
    beyond(&mut sender).await;
    world.sends(1);
    beyond(&mut Sender::on(dan.dial().await.0, true).await).await;
    let strays = world.strays(1).await;
    assert_eq!(
        (code(&strays[0]), strays[0].status),
        (Some(FaultCode::ClientGone), None)
    );
    assert_eq!(world.origin.received().len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_resets_a_connection_without_having_asked_for_anything_leaves_no_line() {
    let world = World::open().await;
    let ada = world.client_on_tls_door("ada", b"h2");
    let stream = TcpStream::connect(ada.proxy).await.unwrap();
    stream.set_zero_linger().unwrap();
    let (io, h2) = ada.dial_on(stream).await;
    assert!(h2);
    let mut wire = Wire::on(io);
    wire.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await;
    assert_eq!(
        wire.bytes(9).await[3],
        4,
        "the gateway has heard it, and sends its own settings"
    );
    drop(wire);
    // which holds every line of the book against what was asked
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_http_2_forbids_is_reset_by_the_library_and_the_connection_is_still_good() {
    let world = World::open().await;
    let mut wire = Wire::on(world.client_on_tls_door("dan", b"h2").dial().await.0);
    wire.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    wire.say(frame(SETTINGS, 0, 0, &[])).await;
    // `:method GET`, `:scheme http`, `:path /`, `:authority a.org` (RFC 7541 §6, appendix A)
    let head = [&[0x82, 0x86, 0x84, 0x01, 5][..], b"a.org"].concat();
    let forbidden = [&head[..], &[0, 10], b"connection", &[5], b"close"].concat();
    wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, &forbidden)).await;
    let (stream, reason) = wire.next(RESET).await;
    assert_eq!((stream, &reason[..]), (1, &[0, 0, 0, 1][..]), "PROTOCOL_ERROR");
    // nobody has signed in
    world.sends(1);
    wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 3, &head)).await;
    assert_eq!(wire.next(HEADERS).await.0, 3);
    drop(wire);
    world.close().await;
}
