//! What runs under a grant ends with it, whatever it is, and its record says that it was revoked.

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Answer, End, SubjectId};

use crate::approvals::without_cases;
use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;
use crate::purposes::TUNNEL_RULE;
use crate::revocations::revokes;

const POST: &str = "POST /voyager/api/contentcreation/normShares HTTP/1.1\r\nHost: www.linkedin.com\r\nContent-Length: 10\r\n\r\nhalf ";

async fn ask(world: &World, client: &Client, head: &str) -> Wire {
    let tunnel = client.offering(&[b"http/1.1"]).inside("www.linkedin.com").await;
    world.sends(1);
    let mut wire = Wire::on(tunnel);
    wire.say(head).await;
    wire
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_cuts_a_tunnel_a_socket_an_event_stream_and_an_upload() {
    let linkedin = Scripted::bind().await;
    let world = World::planned(|plan| {
        without_cases(plan);
        plan.lead("www.linkedin.com", linkedin.address);
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), TUNNEL_RULE).unwrap();
    })
    .await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    world.grant("dan", "market-research", &["slack"], &["read"]).await;
    world
        .give("ben", "brand-publishing", &["x"], |terms| {
            terms.answers = vec![Answer::approval(SubjectId::parse("mia").unwrap(), terms.declared_at)];
        })
        .await;
    let ada = world.client("ada");

    let tunnel = world.client("dan").tunnel("app.slack.com:443").await.unwrap();
    let mut tunnel = hyper_util::rt::TokioIo::new(tunnel);
    // neither TLS nor HTTP: the origin of the tests greets whoever speaks SSH
    tunnel.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut greeting = [0; 16];
    tunnel.read_exact(&mut greeting).await.unwrap();
    let mut socket = world.client("ben").socket("x.com", "/live").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let mut reader = ask(
        &world,
        &ada,
        "GET /realtime/connect HTTP/1.1\r\nHost: www.linkedin.com\r\n\r\n",
    )
    .await;
    let mut stream = linkedin.tls(&world.origins, "www.linkedin.com").await;
    stream.head().await;
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nevent1\r\n";
    stream.say(answer).await;
    reader.head().await;
    assert_eq!(reader.exactly(11).await, "6\r\nevent1\r\n");
    let mut writer = ask(&world, &ada, POST).await;
    let mut upload = linkedin.tls(&world.origins, "www.linkedin.com").await;
    upload.head().await;
    assert_eq!(upload.exactly(5).await, "half ");

    let revoked = revokes(&world, "sol", &json!({"all": true, "reason": "A leak"})).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.ok();
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    assert_eq!(reader.rest().await, "", "the stream ends without its last chunk");
    assert_eq!(upload.rest().await, "", "nothing more goes up");
    let (head, body) = writer.answer().await;
    assert!(
        head.starts_with("HTTP/1.1 403") && body.contains("/problems/permission-ended"),
        "{head}{body}"
    );
    drop((tunnel, stream, reader, writer));
    for (host, path) in [
        ("app.slack.com", "CONNECT"),
        ("x.com", "/live"),
        ("www.linkedin.com", "/realtime/connect"),
        ("www.linkedin.com", "/voyager/api/contentcreation/normShares"),
    ] {
        let closing = world.closed(host, path).await;
        let cut = End::Cut("the grant that let it pass was revoked".to_owned());
        assert_eq!(closing.ended().end, cut, "{host}{path}");
    }
    let book = world.records_text().await;
    assert_eq!(
        book.matches("A leak").count(),
        3,
        "why stands in the records of the grants, and nowhere else"
    );
    world.close().await;
}
