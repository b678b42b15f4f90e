//! What runs under a grant ends with it, whatever it is, and its record says that it was revoked.

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, Answer, End, SubjectId};

use crate::approvals::without_cases;
use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::PORTAL;
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

    what_lasts_is_found_while_it_is_open(&world).await;
    what_takes_its_time_is_found_as_well(&world).await;

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
    world
        .until("what is over is among the decisions, and not open", async |world| {
            let left = world.client("sol").get(&format!("{PORTAL}/v1/open")).await.json();
            left["open"] == json!([])
        })
        .await;
    let book = world.records_text().await;
    assert_eq!(
        book.matches("A leak").count(),
        3,
        "why stands in the records of the grants, and nowhere else"
    );
    world.close().await;
}

/// Ada's upload, which stops half-way, and the tunnels that are read.
async fn what_takes_its_time_is_found_as_well(world: &World) {
    let open = async |world: &World, kind: &str| {
        let answer = world
            .client("sol")
            .get(&format!("{PORTAL}/v1/open?user=ada"))
            .await
            .json();
        let all = answer["open"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|one| one["kind"] == kind)
            .collect::<Vec<Value>>()
    };
    world
        .until("an upload that goes on is told among what is open", async |world| {
            !open(world, "exchange").await.is_empty()
        })
        .await;
    let upload = open(world, "exchange").await;
    assert_eq!(upload.len(), 1, "{upload:?}");
    assert_eq!(
        (&upload[0]["activity"], &upload[0]["bytes_up"], &upload[0]["purpose"]),
        (&json!("post"), &json!(5), &json!("recruiting")),
        "{upload:?}"
    );
    assert!(
        open(world, "read-tunnel").await.is_empty(),
        "not before it has been open for a while"
    );
    world.clock.advance(std::time::Duration::from_secs(6));
    let read = open(world, "read-tunnel").await;
    assert_eq!(read.len(), 2, "{read:?}");
    let page = world
        .client("sol")
        .navigate(&format!("{PORTAL}/open?user=ada"))
        .await
        .text();
    assert!(
        page.contains("a request that takes its time") && page.contains("a tunnel that is read"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_told_with_the_grant_on_which_it_rests_by_now() {
    let world = World::planned(|plan| {
        without_cases(plan);
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), TUNNEL_RULE).unwrap();
    })
    .await;
    let first = world.grant("dan", "market-research", &["slack"], &["read"]).await;
    let tunnel = world.client("dan").tunnel("app.slack.com:443").await.unwrap();
    let mut tunnel = hyper_util::rt::TokioIo::new(tunnel);
    tunnel.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut greeting = [0; 16];
    tunnel.read_exact(&mut greeting).await.unwrap();
    let under = async |grant: &wayleave::facts::Grant| {
        let path = format!("{PORTAL}/v1/open?grant={}", grant.id);
        let body = world.client("sol").get(&path).await.json();
        body["open"].as_array().unwrap().len()
    };
    assert_eq!(under(&first).await, 1);
    let second = world.grant("dan", "market-research", &["slack"], &["read"]).await;
    let revoked = revokes(&world, "sol", &json!({"grant": first.id, "reason": "A mistake"})).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    world
        .until("it goes on under the other", async |_| under(&second).await == 1)
        .await;
    assert_eq!(under(&first).await, 0);
    drop(tunnel);
    world.close().await;
}

/// Dan's tunnel, Ben's socket and Ada's event stream, for whom the rules let read decisions, and for nobody else.
async fn what_lasts_is_found_while_it_is_open(world: &World) {
    let get = async |user: &str, path: &str| world.client(user).get(&format!("{PORTAL}{path}")).await;
    let open = async |query: &str| {
        let answer = get("sol", &format!("/v1/open{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        let body = answer.json();
        let word = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        // what takes its time is told once it has taken some, which the machine decides
        let all = body["open"].as_array().unwrap().iter();
        let mut found: Vec<_> = all
            .filter(|one| one["kind"] != "exchange")
            .map(|one| ["kind", "user", "host", "purpose"].map(|key| word(one, key)))
            .collect();
        found.sort();
        found
    };
    let [stream, tunnel, socket] = [
        ["event-stream", "ada", "www.linkedin.com", "recruiting"],
        ["tunnel", "dan", "app.slack.com", "market-research"],
        ["websocket", "ben", "x.com", "brand-publishing"],
    ]
    .map(|one| one.map(str::to_owned));
    assert_eq!(open("").await, [stream.clone(), tunnel.clone(), socket.clone()]);
    assert_eq!(open("?user=ben").await, [socket]);
    assert_eq!(open("?host=slack.com&client=127.0.0.1").await, [tunnel]);
    assert_eq!(open("?purpose=recruiting&platform=linkedin").await, [stream]);
    assert!(open("?client=192.0.2.7").await.is_empty());
    for (query, right) in [
        ("?usr=ben", "Did you mean “user”?"),
        ("?platform=linkdin", "Did you mean “linkedin”?"),
    ] {
        let answer = get("sol", &format!("/v1/open{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(answer.text().contains(right), "{}", answer.text());
    }
    let page = world.client("sol").navigate(&format!("{PORTAL}/open?user=dan")).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for part in [
        "1 is open",
        "a tunnel, unread",
        "app.slack.com",
        "127.0.0.1",
        "href=\"/grants/",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("a WebSocket</td>"), "{text}");
    for user in ["ada", "ben", "mia"] {
        assert_eq!(get(user, "/v1/open").await.status, StatusCode::NOT_FOUND, "{user}");
        let page = world.client(user).navigate(&format!("{PORTAL}/open")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{user}");
    }
    let looked = |record: &wayleave::facts::Record| match &record.act {
        Act::Access { access, by, .. } => Some((by.to_string(), access.wanted.get("open").cloned())),
        _ => None,
    };
    let looked = world.acts(looked).await;
    assert!(looked.len() >= 6, "{looked:?}");
    assert!(
        looked
            .iter()
            .all(|one| *one == ("sol".to_owned(), Some("now".to_owned()))),
        "{looked:?}"
    );
}
