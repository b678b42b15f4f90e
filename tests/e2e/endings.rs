//! Where answers end: with the last byte that was promised, whenever their origin says that it is the last.

use http::Request;
use http_body_util::BodyExt;
use wayleave::facts::{End, FaultCode};

use crate::harness::World;
use crate::harness::client::Sender;
use crate::harness::scripted::Scripted;
use crate::harness::wire::{DATA, END_HEADERS, END_STREAM, HEADERS, RESET, Wire, frame};

const HOST: &str = "up.example.org";

// `:status` by its number in the static table, then fields with new names (RFC 7541 §6, appendix A)
const FIVE_BYTES: &[u8] = b"\x88\0\x0econtent-length\x015";
const UNMODIFIED: &[u8] = b"\x8b\0\x0econtent-length\x015";
const NOTHING: &[u8] = b"\x89";
const TRAILERS: &[u8] = b"\0\x05x-sum\x02ok";

/// A world, an origin in it that speaks HTTP/2 as a test wants, and the connection to it once there is one.
struct Stage {
    world: World,
    origin: Scripted,
    server: Option<Wire>,
}

impl Stage {
    async fn set() -> Self {
        let origin = Scripted::bind().await;
        let world = World::planned(|plan| {
            plan.inspect_everything();
            plan.lead(HOST, origin.address);
        })
        .await;
        Self {
            world,
            origin,
            server: None,
        }
    }

    /// The stream of the next request that the origin hears.
    async fn asked(&mut self) -> u8 {
        if self.server.is_none() {
            self.server = Some(self.origin.http2(&self.world.origins, HOST).await);
        }
        self.server.as_mut().unwrap().next(HEADERS).await.0
    }

    /// The origin says this on a stream.
    async fn says(&mut self, stream: u8, frames: &[(u8, u8, &[u8])]) {
        let frames = frames
            .iter()
            .flat_map(|(kind, flags, payload)| frame(*kind, *flags, stream, payload));
        let frames: Vec<u8> = frames.collect();
        self.server.as_mut().unwrap().say(frames).await;
    }

    /// A client of HTTP/1.1 inside a tunnel, which asks for this.
    async fn ask(&self, method: &str, path: &str) -> Wire {
        let dan = self.world.client("dan").offering(&[b"http/1.1"]);
        let tunnel = dan.tunnel(&format!("{HOST}:443")).await.unwrap();
        let mut client = Wire::on(dan.tls(HOST, tunnel).await.unwrap());
        self.world.sends(1);
        client
            .say(format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
            .await;
        client
    }

    /// One of HTTP/2.
    async fn sender(&self) -> Sender<String> {
        let dan = self.world.client("dan");
        let tunnel = dan.tunnel(&format!("{HOST}:443")).await.unwrap();
        Sender::on(dan.tls(HOST, tunnel).await.unwrap(), true).await
    }

    async fn ended(&self, path: &str) -> End {
        self.world.closed(HOST, path).await.ended().end.clone()
    }
}

fn request(method: &str, path: &str) -> Request<String> {
    let url = format!("https://{HOST}{path}");
    Request::builder().method(method).uri(url).body(String::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_http_1_client_got_whole_is_complete_though_its_end_is_still_to_come() {
    let mut stage = Stage::set().await;
    for (method, path, head, body) in [
        ("GET", "/whole", FIVE_BYTES, "hello"),
        ("HEAD", "/head", FIVE_BYTES, ""),
        ("GET", "/unmodified", UNMODIFIED, ""),
        ("GET", "/nothing", NOTHING, ""),
    ] {
        let mut client = stage.ask(method, path).await;
        let stream = stage.asked().await;
        stage.says(stream, &[(HEADERS, END_HEADERS, head)]).await;
        if !body.is_empty() {
            stage.says(stream, &[(DATA, 0, body.as_bytes())]).await;
        }
        client.head().await;
        assert_eq!(client.exactly(body.len()).await, body);
        assert_eq!(stage.ended(path).await, End::Completed, "{path}");
        // what comes after it disturbs nobody
        stage.says(stream, &[(DATA, END_STREAM, b"")]).await;
    }
    let mut client = stage.ask("GET", "/trailers").await;
    let stream = stage.asked().await;
    stage
        .says(
            stream,
            &[
                (HEADERS, END_HEADERS, FIVE_BYTES),
                (DATA, 0, b"hello"),
                (HEADERS, END_HEADERS | END_STREAM, TRAILERS),
            ],
        )
        .await;
    client.head().await;
    assert_eq!(client.exactly(5).await, "hello");
    assert_eq!(stage.ended("/trailers").await, End::Completed);
    stage.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_2_client_is_not_kept_waiting_for_the_end_of_nothing_and_hears_what_follows_a_body() {
    let mut stage = Stage::set().await;
    let mut sender = stage.sender().await;
    for (method, path, head) in [
        ("HEAD", "/head", FIVE_BYTES),
        ("GET", "/unmodified", UNMODIFIED),
        ("GET", "/nothing", NOTHING),
    ] {
        // the origin says that it has ended with the head's bytes, or never
        for (path, frames) in [
            (path.to_owned(), &[(HEADERS, END_HEADERS, head)][..]),
            (
                format!("{path}-ends"),
                &[(HEADERS, END_HEADERS, head), (DATA, END_STREAM, b"")],
            ),
        ] {
            stage.world.sends(1);
            let (answer, ()) = tokio::join!(sender.send(request(method, &path)), async {
                let stream = stage.asked().await;
                stage.says(stream, frames).await;
            });
            let body = answer.unwrap().into_body().collect().await;
            assert_eq!(body.unwrap().to_bytes(), "", "{path}");
            assert_eq!(stage.ended(&path).await, End::Completed, "{path}");
        }
    }
    for (path, last) in [
        ("/ends", (DATA, END_STREAM, &b""[..])),
        ("/trailers", (HEADERS, END_HEADERS | END_STREAM, TRAILERS)),
    ] {
        stage.world.sends(1);
        let (answer, stream) = tokio::join!(sender.send(request("GET", path)), async {
            let stream = stage.asked().await;
            let frames = [(HEADERS, END_HEADERS, FIVE_BYTES), (DATA, 0, &b"hello"[..])];
            stage.says(stream, &frames).await;
            stream
        });
        let mut body = answer.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
        stage.says(stream, &[last]).await;
        let rest = body.collect().await.unwrap();
        assert_eq!(rest.trailers().is_some(), path == "/trailers");
        assert_eq!(stage.ended(path).await, End::Completed, "{path}");
    }
    // who has all of it need not wait for the end
    stage.world.sends(1);
    let (answer, ()) = tokio::join!(sender.send(request("GET", "/enough")), async {
        let stream = stage.asked().await;
        let frames = [(HEADERS, END_HEADERS, FIVE_BYTES), (DATA, 0, &b"hello"[..])];
        stage.says(stream, &frames).await;
    });
    let mut body = answer.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    drop(body);
    assert_eq!(stage.ended("/enough").await, End::Completed);
    stage.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_or_breaks_off_half_way_is_not_complete() {
    let mut stage = Stage::set().await;
    let half: [(u8, u8, &[u8]); 2] = [(HEADERS, END_HEADERS, FIVE_BYTES), (DATA, 0, b"hel")];
    let mut client = stage.ask("GET", "/left").await;
    let stream = stage.asked().await;
    stage.says(stream, &half).await;
    client.head().await;
    assert_eq!(client.exactly(3).await, "hel");
    drop(client);
    assert_eq!(
        stage.world.closed(HOST, "/left").await.code(),
        Some(FaultCode::ClientGone)
    );

    let mut sender = stage.sender().await;
    stage.world.sends(1);
    let (answer, ()) = tokio::join!(sender.send(request("GET", "/left-2")), async {
        let stream = stage.asked().await;
        stage.says(stream, &half).await;
    });
    let mut body = answer.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hel");
    drop(body);
    assert_eq!(
        stage.world.closed(HOST, "/left-2").await.code(),
        Some(FaultCode::ClientGone)
    );

    // INTERNAL_ERROR, and NO_ERROR, with which an origin ends what it said whole
    for (path, reason) in [("/broken", 2), ("/ended", 0)] {
        let mut client = stage.ask("GET", path).await;
        let stream = stage.asked().await;
        stage.says(stream, &half).await;
        client.head().await;
        assert_eq!(client.exactly(3).await, "hel");
        stage.says(stream, &[(RESET, 0, &[0, 0, 0, reason])]).await;
        assert_eq!(client.rest().await, "", "{path}");
        assert_eq!(
            stage.world.closed(HOST, path).await.code(),
            Some(FaultCode::OriginGone),
            "{path}"
        );
    }
    stage.world.close().await;
}
