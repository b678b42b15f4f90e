//! A gateway that has answered twenty thousand requests holds no more than one that has answered a few.

use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wayleave::audit;

use crate::crashes::{Running, Site, declaration};
use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{admin, sample};
use bytes::Bytes;

const REQUESTS: usize = 20_000;
/// Kept connections: some in clear to a host outside the catalogue, some inside intercepted tunnels.
const IN_CLEAR: usize = 6;
const INSIDE: usize = 2;

/// One kept connection of a client.
struct Line {
    sender: SendRequest<Empty<Bytes>>,
    url: &'static str,
    host: &'static str,
    authorization: Option<String>,
}

impl Line {
    async fn in_clear(client: &Client) -> Self {
        let stream = TcpStream::connect(client.proxy).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            url: "http://news.example.org/today",
            host: "news.example.org",
            authorization: client.authorization.clone(),
        }
    }

    async fn inside(client: &Client) -> Self {
        let client = client.offering(&[b"http/1.1"]);
        let tunnel = client.tunnel("www.linkedin.com:443").await.unwrap();
        let inside = client.tls("www.linkedin.com", tunnel).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(inside))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            url: "/feed/",
            host: "www.linkedin.com",
            authorization: None,
        }
    }

    async fn ask(&mut self, times: usize) {
        for _ in 0..times {
            let mut request = Request::get(self.url).header(header::HOST, self.host);
            if let Some(proof) = &self.authorization {
                request = request.header(header::PROXY_AUTHORIZATION, proof);
            }
            self.sender.ready().await.unwrap();
            let answer = self.sender.send_request(request.body(Empty::new()).unwrap()).await;
            assert_eq!(Answer::read(answer.unwrap()).await.status, StatusCode::OK);
        }
    }
}

/// Asks on all lines at the same time, and gives them back.
async fn ask_all(lines: Vec<Line>, requests: usize) -> Vec<Line> {
    let each = requests / lines.len();
    let tasks: Vec<_> = lines
        .into_iter()
        .map(|mut line| {
            tokio::spawn(async move {
                line.ask(each).await;
                line
            })
        })
        .collect();
    let mut lines = Vec::new();
    for task in tasks {
        lines.push(task.await.unwrap());
    }
    lines
}

/// What is alive once everything that was accepted is on disk: tasks, the origin's connections, records that wait.
async fn alive(world: &World) -> (usize, usize, usize) {
    world.gate().book().flush().await.unwrap();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    (tasks, world.origin.connections(), world.gate().book().queue_len())
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_requests_leave_nothing_behind() {
    let mut world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let mut lines = Vec::new();
    for _ in 0..IN_CLEAR {
        lines.push(Line::in_clear(&ada).await);
    }
    for _ in 0..INSIDE {
        lines.push(Line::inside(&ada).await);
    }
    let few = 400;
    let lines = ask_all(lines, few).await;
    let before = alive(&world).await;
    let lines = ask_all(lines, REQUESTS - few).await;
    let after = alive(&world).await;

    assert_eq!(after.2, 0, "no record waits");
    // how many connections lead to the origin depends on how many requests met; a connection is at most three tasks
    let most = lines.len();
    assert!(after.1 <= before.1 + most, "connections: {before:?}, then {after:?}");
    assert!(after.0 <= before.0 + 3 * most, "tasks: {before:?}, then {after:?}");

    // closed by hand: judging twenty thousand records again would take longer than making them
    drop(lines);
    world.gate.take().unwrap().stop().await.unwrap();
    let closed = audit::read(&world.settings.audit.folder)
        .unwrap()
        .filter(|read| matches!(read.as_ref().unwrap().1.act, wayleave::facts::Act::Closing { .. }))
        .count();
    assert_eq!(closed, REQUESTS + INSIDE, "one record each, and one for each tunnel");
}

/// How much memory the program takes, as operators see it.
async fn resident(running: &Running) -> f64 {
    let exposition = admin(running.admin, "/metrics").await.text();
    sample(&exposition, "process_resident_memory_bytes").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_takes_no_more_memory_the_longer_it_serves() {
    let site = Site::planned(|_| {}).await;
    let running = site.start().await;
    let ada = site.client(&running, "ada");
    let granted = ada.declare(&declaration()).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    let mut lines = vec![Line::in_clear(&ada).await, Line::in_clear(&ada).await];
    lines.extend([Line::inside(&ada).await, Line::inside(&ada).await]);
    // what is made once and kept is made
    let lines = ask_all(lines, REQUESTS / 5).await;
    let before = resident(&running).await;
    let lines = ask_all(lines, REQUESTS).await;
    let after = resident(&running).await;
    drop(lines);
    running.stop().await;
    let grown = (after - before) / f64::from(u32::try_from(REQUESTS).unwrap());
    assert!(grown < 800.0, "{grown} bytes for each request: {before}, then {after}");
}
