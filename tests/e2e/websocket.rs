//! A WebSocket by HTTP/1.1 Upgrade inside an intercepted tunnel: judged as the strictest thing that it can carry.

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use wayleave::facts::{End, Grant};

use crate::harness::World;
use crate::harness::client::{Client, Inside};

const SOCKET: &str = "wss://gateway.facebook.com/ws/lightspeed";

async fn customer_care(world: &World, covers: &[&str]) -> Grant {
    world.grant("cora", "customer-support", &["facebook"], covers).await
}

async fn open(client: &Client, url: &str) -> Result<WebSocketStream<Inside>, Box<Error>> {
    let uri: http::Uri = url.parse().unwrap();
    let host = uri.host().unwrap();
    let client = client.offering(&[b"http/1.1"]);
    let tunnel = client.tunnel(&format!("{host}:443")).await.unwrap();
    let inside = client.tls(host, tunnel).await.unwrap();
    client.sent.add(1);
    tokio_tungstenite::client_async(url, inside)
        .await
        .map(|(socket, _)| socket)
        .map_err(Box::new)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_echoes_under_a_grant_for_all_that_it_can_carry_and_ends_with_the_grant() {
    let world = World::open().await;
    let grant = customer_care(&world, &["read", "engage", "publish"]).await;
    let mut socket = open(&world.client("cora"), SOCKET).await.unwrap();
    for message in [Message::text("hello"), Message::binary(vec![7; 100_000])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    let ended = world.gate().ledger().revoke(&grant.id, world.clock.now(), |_| ());
    ended.await.unwrap();
    // the end of a cut socket is an error or the end of the stream, and it comes by itself
    let end = tokio::time::timeout(std::time::Duration::from_secs(10), socket.next())
        .await
        .unwrap();
    assert!(
        !matches!(end, Some(Ok(Message::Text(_) | Message::Binary(_)))),
        "{end:?}"
    );
    let closing = world.closed("gateway.facebook.com", "/ws/lightspeed").await;
    let ended = closing.ended();
    assert!(
        matches!(&ended.end, End::Cut(why) if why.contains("grant")),
        "{ended:?}"
    );
    assert_eq!((ended.status, ended.decrypted), (Some(101), true));
    assert!(ended.bytes_up > 100_000 && ended.bytes_down > 100_000, "{ended:?}");
    assert_eq!(closing.decided().grant.as_ref(), Some(&grant.id));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_could_publish_does_not_open_under_a_grant_for_reading() {
    let world = World::open().await;
    let refused = async |client: &Client| match open(client, SOCKET).await.map(|_| ()).unwrap_err().as_ref() {
        Error::Http(answer) => answer.status().as_u16(),
        other => panic!("{other}"),
    };
    assert_eq!(refused(&world.client("cora")).await, 403, "no grant");
    customer_care(&world, &["read"]).await;
    assert_eq!(refused(&world.client("cora")).await, 403, "reading only");
    assert!(world.origin.received().is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_its_client_ends_is_complete() {
    let world = World::planned(|plan| plan.inspect_everything()).await;
    let mut socket = open(&world.client("dan"), "wss://chat.example.org/live").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    socket.get_mut().shutdown().await.unwrap();
    drop(socket);
    assert_eq!(
        world.closed("chat.example.org", "/live").await.ended().end,
        End::Completed
    );
    let handshake = &world.origin.received()[0];
    assert_eq!(handshake.headers["upgrade"], "websocket");
    world.close().await;
}
