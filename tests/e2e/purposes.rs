//! What for: a grant works at once, for exactly as long as it lasts, and is chosen as §13 of the design says.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, Answer, Channel, End, GrantAct, SubjectId};

use crate::approvals::without_cases;
use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::PORTAL;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Plan};

const FEED: &str = "https://www.linkedin.com/feed/";

fn signed_in(world: &World, user: &str) -> Client {
    Client {
        authorization: Some(Client::basic(user, PASSWORD)),
        ..world.client("ada")
    }
}

/// The purpose under which the last visit of the feed passed.
async fn passed_under(world: &World) -> Option<String> {
    let closing = world.closed("www.linkedin.com", "/feed/").await;
    closing.decided().purpose.as_ref().map(ToString::to_string)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_works_at_once_and_survives_a_restart() {
    let mut world = World::open().await;
    let declared = json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "Looking for a tester"});
    let created = world.client("ada").declare(&declared).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);

    world.reopen().await;
    let ada = world.client("ada");
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK);
    let grants = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(grants["grants"][0]["id"], created.json()["id"]);
    let ended = ada
        .delete(&format!(
            "{PORTAL}/v1/grants/{}",
            created.json()["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(ended.status, StatusCode::OK);
    world.reopen().await;
    assert_eq!(
        world.client("ada").get(FEED).await.status,
        StatusCode::FORBIDDEN,
        "an ended grant stays ended"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_opens_until_the_moment_that_it_expires() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let mut kept = world.client("ada").keep("www.linkedin.com").await;
    world.clock.advance(Duration::from_hours(1) - Duration::from_millis(1));
    assert_eq!(kept.get("/feed/").await.status, StatusCode::OK);
    world.clock.advance(Duration::from_millis(1));
    let expired = kept.get("/feed/").await;
    assert_eq!(expired.status, StatusCode::FORBIDDEN);
    assert_eq!(
        expired.json()["type"],
        "https://wayleave.example/problems/grant-expired"
    );
    drop(kept);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_begins_later_opens_nothing_before() {
    let world = World::open().await;
    world
        .give("ada", "recruiting", &["linkedin"], |terms| {
            terms.not_before = terms.declared_at.plus(Duration::from_mins(1));
        })
        .await;
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::FORBIDDEN);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_narrowest_grant_that_permits_is_the_one_recorded() {
    let world = World::open().await;
    let ada = world.client("ada");
    world
        .grant("ada", "recruiting", &["linkedin", "xing"], &["read", "publish"])
        .await;
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK);
    assert_eq!(passed_under(&world).await.as_deref(), Some("recruiting"));
    world.grant("ada", "press-monitoring", &["linkedin"], &["read"]).await;
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK);
    assert_eq!(passed_under(&world).await.as_deref(), Some("press-monitoring"));
    // the narrowest that permits, not the narrowest of all
    let share = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
    assert_eq!(ada.post(share, "application/json", "{}").await.status, StatusCode::OK);
    let closing = world
        .closed("www.linkedin.com", "/voyager/api/contentcreation/normShares")
        .await;
    assert_eq!(closing.decided().purpose.as_ref().unwrap().as_str(), "recruiting");
    world.close().await;
}

async fn with_two_grants() -> World {
    let world = World::open().await;
    world
        .grant("ada", "recruiting", &["linkedin", "xing"], &["read", "publish"])
        .await;
    world.grant("ada", "press-monitoring", &["linkedin"], &["read"]).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suffix_of_the_user_name_selects_among_grants() {
    let world = with_two_grants().await;
    for (user, purpose) in [
        ("ada", "press-monitoring"),
        ("ada+recruiting", "recruiting"),
        ("ada%2Brecruiting", "recruiting"),
        ("ada+press-monitoring", "press-monitoring"),
    ] {
        let answer = signed_in(&world, user).get(FEED).await;
        assert_eq!(answer.status, StatusCode::OK, "{user}: {}", answer.text());
        assert_eq!(passed_under(&world).await.as_deref(), Some(purpose), "{user}");
    }
    let other = signed_in(&world, "ada+market-research").get(FEED).await;
    assert_eq!(
        other.status,
        StatusCode::FORBIDDEN,
        "a purpose that is not held selects nothing"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_selects_on_the_hop_to_the_proxy_only_and_never_leaves() {
    let world = with_two_grants().await;
    let ada = world.client("ada");
    let on_connect = ada.with_hop_field("wayleave-purpose", "recruiting");
    assert_eq!(on_connect.get(FEED).await.status, StatusCode::OK);
    assert_eq!(passed_under(&world).await.as_deref(), Some("recruiting"));
    // in absolute form, in clear
    assert_eq!(
        on_connect.get("http://www.linkedin.com/feed/").await.status,
        StatusCode::OK
    );
    assert_eq!(passed_under(&world).await.as_deref(), Some("recruiting"));
    // a page's own requests cannot speak for the hop to the proxy
    let inside = Request::get(FEED).header("wayleave-purpose", "recruiting");
    assert_eq!(ada.send(inside).await.status, StatusCode::OK);
    assert_eq!(passed_under(&world).await.as_deref(), Some("press-monitoring"));
    for unclear in ["recruiting, press-monitoring", "", "Recruiting"] {
        let answer = ada.with_hop_field("wayleave-purpose", unclear).get(FEED).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "`{unclear}` is not one purpose");
    }
    let received = world.origin.received();
    assert_eq!(received.len(), 3);
    for request in received {
        assert!(
            request
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("wayleave"))
        );
        assert!(request.headers.get("proxy-authorization").is_none());
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_that_keeps_a_grant_from_counting_is_told_with_what_was_probably_meant() {
    let world = with_two_grants().await;
    let ada = world.client("ada");
    let unfit = "https://wayleave.example/problems/selection-unfit";
    for (client, told) in [
        (
            signed_in(&world, "ada+recruting"),
            "Did you mean “recruiting”? Select that one, or none",
        ),
        (
            signed_in(&world, "ada+Recruiting"),
            "Did you mean “recruiting”? Select that one, or none",
        ),
        (signed_in(&world, "ada+"), "Select exactly one, or leave it out"),
        (
            signed_in(&world, "ada+re cruiting!"),
            "Select exactly one, or leave it out",
        ),
        (
            ada.with_hop_field("wayleave-purpose", "nonsense"),
            "“nonsense”, so only that one counts, and there is none of this name.",
        ),
        (
            ada.with_hop_field("wayleave-purpose", "customer-support"),
            "“customer-support”, so only that one counts, and it does not open this.",
        ),
        (
            ada.with_hop_field("wayleave-purpose", "recruiting, press-monitoring"),
            "Select exactly one, or leave it out",
        ),
    ] {
        let problem = client.get(FEED).await.json();
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(problem["type"] == unfit && detail.contains(told), "{told}: {problem}");
        let page = client.navigate(FEED).await;
        let page = client.navigate(page.header("location")).await.text();
        assert!(page.contains(told) && !page.contains("No purpose"), "{told}: {page}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_user_name_wins_over_a_suffix() {
    let world = World::planned(|plan: &mut Plan| {
        let users = std::fs::read_to_string(&plan.settings.identity.users).unwrap();
        let hash = users.lines().find(|line| line.starts_with("\"ada\"") || line.starts_with("ada")).unwrap();
        let (_, hash) = hash.split_once('=').unwrap();
        std::fs::write(&plan.settings.identity.users, format!("{users}\"ada+recruiting\" ={hash}\n")).unwrap();
        let person = "[[person]]\nid = \"ada+recruiting\"\nname = \"Ada's second account\"\nroles = [\"engineer\"]\n\
             department = \"engineering\"\nemployment = \"contractor\"\nregion = \"eu-west\"\ntime-zone = \"Europe/Paris\"\n";
        std::fs::write(plan.folder.join("policies/people/zz-test.toml"), person).unwrap();
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let answer = signed_in(&world, "ada+recruiting").get(FEED).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the second account holds nothing");
    let closing = world.closed("www.linkedin.com", "/feed/").await;
    assert_eq!(closing.seen().subject.as_ref().unwrap().id.as_str(), "ada+recruiting");
    assert_eq!(closing.seen().selected, None);
    world.close().await;
}

async fn given_by(world: &World, channel: Channel) -> usize {
    let given = world.acts(|record| match &record.act {
        Act::Grant {
            act: GrantAct::Granted,
            grant,
            ..
        } => Some(grant.channel),
        _ => None,
    });
    given.await.into_iter().filter(|by| *by == channel).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_cannot_create_a_grant_by_naming_a_purpose() {
    let world = World::open().await;
    let answer = signed_in(&world, "cora+customer-support")
        .get("https://x.com/home")
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    let by_header = world
        .client("cora")
        .with_hop_field("wayleave-purpose", "customer-support");
    assert_eq!(by_header.get("https://x.com/home").await.status, StatusCode::FORBIDDEN);
    assert!(
        world
            .gate()
            .ledger()
            .grants_of(&SubjectId::parse("cora").unwrap())
            .is_empty()
    );
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_states_its_purpose_with_the_call_on_every_platform_it_needs() {
    let world = World::open().await;
    let bot = signed_in(&world, "carebot+customer-support");
    let first = bot.get("https://x.com/home").await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert_eq!(given_by(&world, Channel::ProxyName).await, 1);
    let again = bot.get("https://x.com/home").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(
        given_by(&world, Channel::ProxyName).await,
        1,
        "one grant serves until it expires"
    );
    let elsewhere = bot.get("https://www.reddit.com/r/rust/comments/1").await;
    assert_eq!(
        elsewhere.status,
        StatusCode::OK,
        "a grant for one platform is none for another: {}",
        elsewhere.text()
    );

    let by_header = world
        .client("carebot")
        .with_hop_field("wayleave-purpose", "customer-support");
    let comment = "https://www.youtube.com/youtubei/v1/comment/create_comment";
    let answer = by_header.post(comment, "application/json", "{}").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(given_by(&world, Channel::Header).await, 1);
    // a tool has no more rights than its rules
    let other = signed_in(&world, "carebot+recruiting").get(FEED).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let silent = world.client("carebot").get("https://www.facebook.com/").await;
    assert_eq!(
        silent.status,
        StatusCode::FORBIDDEN,
        "without a word about its purpose it creates nothing"
    );
    world.close().await;
}

pub async fn socket_under_a_grant(world: &World) -> (wayleave::facts::Grant, crate::harness::house::Socket) {
    let grant = world
        .give("ben", "brand-publishing", &["x"], |terms| {
            terms.answers = vec![Answer::approval(SubjectId::parse("mia").unwrap(), terms.declared_at)];
        })
        .await;
    (grant, world.client("ben").socket("x.com", "/live").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_grant_refuses_the_next_request_and_cuts_a_socket() {
    let world = World::open().await;
    let (grant, socket) = socket_under_a_grant(&world).await;
    let mut socket = socket.unwrap();
    let mut kept = world.client("ben").keep("x.com").await;
    assert_eq!(kept.get("/home").await.status, StatusCode::OK);
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));

    // another person's grant comes and goes: that is none of this socket's business
    let other = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    world
        .client("ada")
        .delete(&format!("{PORTAL}/v1/grants/{}", other.id))
        .await;
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("still here"));

    let ended = world
        .client("ben")
        .delete(&format!("{PORTAL}/v1/grants/{}", grant.id))
        .await;
    assert_eq!(ended.status, StatusCode::OK);
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    assert_eq!(kept.get("/home").await.status, StatusCode::FORBIDDEN);
    drop(kept);
    let closing = world.closed("x.com", "/live").await;
    let End::Cut(reason) = &closing.ended().end else {
        panic!("{:?}", closing.ended());
    };
    assert!(reason.contains("grant"), "{reason}");
    assert_eq!(closing.ended().status, Some(101));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_does_not_outlive_its_grants_last_moment() {
    let world = World::open().await;
    let (_, socket) = socket_under_a_grant(&world).await;
    let mut socket = socket.unwrap();
    world.clock.advance(Duration::from_hours(1));
    // the clock of this world stands still: anything that happens makes the gateway look at it
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    let closing = world.closed("x.com", "/live").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    world.close().await;
}

pub const TUNNEL_RULE: &str = r#"@id("test.collaboration") @title("Slack needs a purpose") @reason("Slack needs a purpose.") @owner("IT")
forbid (principal, action == Action::"connect", resource in Category::"internal-collaboration")
unless { context has purpose && resource in context.purpose.platforms };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_grant_cuts_a_tunnel_that_nobody_reads() {
    let world = World::planned(|plan| {
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), TUNNEL_RULE).unwrap();
        let cases = plan.folder.join("policies/cases");
        std::fs::remove_dir_all(&cases).unwrap();
        std::fs::create_dir(&cases).unwrap();
        std::fs::write(cases.join("none.toml"), "").unwrap();
    })
    .await;
    let dan = world.client("dan");
    let refused = dan.tunnel("app.slack.com:443").await.err().unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let grant = world.grant("dan", "market-research", &["slack"], &["read"]).await;
    let tunnel = dan.tunnel("app.slack.com:443").await.unwrap();
    let mut tunnel = hyper_util::rt::TokioIo::new(tunnel);
    // neither TLS nor HTTP: the origin of the tests greets whoever speaks SSH
    tunnel.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut greeting = [0; 16];
    tunnel.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"SSH-2.0-origin\r\n");
    let ended = dan.delete(&format!("{PORTAL}/v1/grants/{}", grant.id)).await;
    assert_eq!(ended.status, StatusCode::OK);
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.ok();
    let closing = world.closed("app.slack.com", "CONNECT").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    assert!(!closing.ended().decrypted);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_grant_cuts_answers_and_uploads_that_are_still_on_their_way() {
    let linkedin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("www.linkedin.com", linkedin.address)).await;
    let ada = world.client("ada");
    let grant = world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let ask = async |head: &str| {
        let tunnel = ada.offering(&[b"http/1.1"]).inside("www.linkedin.com").await;
        world.sends(1);
        let mut client = Wire::on(tunnel);
        client.say(head).await;
        client
    };

    // a stream of events of which one has come, and nobody knows when the next will
    let mut reader = ask("GET /realtime/connect HTTP/1.1\r\nHost: www.linkedin.com\r\n\r\n").await;
    let mut origin = linkedin.tls(&world.origins, "www.linkedin.com").await;
    origin.head().await;
    origin
        .say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    origin.say("6\r\nevent1\r\n").await;
    reader.head().await;
    assert_eq!(reader.exactly(11).await, "6\r\nevent1\r\n");
    // a post whose body is still coming
    let mut writer = ask("POST /voyager/api/contentcreation/normShares HTTP/1.1\r\nHost: www.linkedin.com\r\nContent-Length: 10\r\n\r\nhalf ").await;
    let mut upload = linkedin.tls(&world.origins, "www.linkedin.com").await;
    upload.head().await;
    assert_eq!(upload.exactly(5).await, "half ");

    let ended = ada.delete(&format!("{PORTAL}/v1/grants/{}", grant.id)).await;
    assert_eq!(ended.status, StatusCode::OK);
    assert_eq!(reader.rest().await, "", "the stream ends without its last chunk");
    assert_eq!(upload.rest().await, "", "nothing more goes up");
    let (head, body) = writer.answer().await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert!(body.contains("/problems/permission-ended"), "{body}");
    drop((origin, reader, writer));
    for path in ["/realtime/connect", "/voyager/api/contentcreation/normShares"] {
        let closing = world.closed("www.linkedin.com", path).await;
        let End::Cut(why) = &closing.ended().end else {
            panic!("{:?}", closing.ended())
        };
        assert!(why.contains("grant"), "{why}");
    }
    world.close().await;
}

/// An origin that agrees to a socket only once it is told to.
async fn hesitant(
    told: std::sync::Arc<tokio::sync::Notify>,
    asked: std::sync::Arc<tokio::sync::Notify>,
) -> (
    std::net::SocketAddr,
    tokio::sync::oneshot::Sender<tokio_rustls::TlsAcceptor>,
) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (papers, given) = tokio::sync::oneshot::channel::<tokio_rustls::TlsAcceptor>();
    tokio::spawn(async move {
        let acceptor = given.await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.unwrap();
        }
        asked.notify_one();
        told.notified().await;
        let text = String::from_utf8(head.clone()).unwrap().to_ascii_lowercase();
        let at = text.find("sec-websocket-key: ").unwrap() + "sec-websocket-key: ".len();
        let key = head[at..].split(|byte| *byte == b'\r').next().unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.read_to_end(&mut head).await.ok();
    });
    (address, papers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_ends_while_the_origin_hesitates_opens_no_lasting_socket() {
    let (told, asked) = (std::sync::Arc::default(), std::sync::Arc::default());
    let (address, papers) = hesitant(std::sync::Arc::clone(&told), std::sync::Arc::clone(&asked)).await;
    let world = World::planned(|plan| {
        plan.settings
            .upstream
            .map
            .insert("x.com".to_owned(), address.to_string());
    })
    .await;
    papers
        .send(crate::harness::origin::acceptor(&world.origins, "x.com"))
        .ok()
        .unwrap();
    let grant = world
        .give("ben", "brand-publishing", &["x"], |terms| {
            terms.answers = vec![Answer::approval(SubjectId::parse("mia").unwrap(), terms.declared_at)];
        })
        .await;
    let ben = world.client("ben");
    let opening = tokio::spawn(async move { ben.socket("x.com", "/live").await });
    asked.notified().await;
    let ended = world
        .client("ben")
        .delete(&format!("{PORTAL}/v1/grants/{}", grant.id))
        .await;
    assert_eq!(ended.status, StatusCode::OK);
    told.notify_one();
    let mut socket = opening.await.unwrap().unwrap();
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    let closing = world.closed("x.com", "/live").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_is_held_outside_its_hours_says_when_it_opens() {
    let world = World::open().await;
    // half past six in the morning in New York
    world.give("dan", "personal-break", &["x"], |_| {}).await;
    let refused = world.client("dan").get("https://x.com/home").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let reasons = refused.json()["reasons"].to_string();
    assert!(reasons.contains("12:00 to 14:00"), "{reasons}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_whose_fix_would_change_nothing_is_not_told_as_advice() {
    let world = World::open().await;
    let url = "https://x.com/i/api/graphql/AbC/CreateTweet";
    let refused = world.client("dan").post(url, "application/json", "{}".to_owned()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.text().contains("training"), "{}", refused.text());
    let closing = world.closed("x.com", "/i/api/graphql/AbC/CreateTweet").await;
    let policies: Vec<&str> = closing
        .decided()
        .policies
        .iter()
        .map(wayleave::facts::PolicyId::as_str)
        .collect();
    assert!(
        policies.contains(&"guard.training"),
        "the record keeps it: {policies:?}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_no_rule_opens_is_neither_offered_nor_given() {
    let world = World::planned(|plan| {
        let policies = plan.folder.join("policies");
        let file = policies.join("rules/20-purposes.cedar");
        let rules = std::fs::read_to_string(&file).unwrap();
        let idle = rules.replace("PurposeKind::\"training-delivery\"", "PurposeKind::\"market-research\"");
        std::fs::write(file, idle).unwrap();
        for cases in ["cases/purposes.toml", "cases/one-by-one.toml"] {
            std::fs::remove_file(policies.join(cases)).unwrap();
        }
    })
    .await;
    let hana = world.client("hana");
    let open = hana.get(&format!("{PORTAL}/v1/purposes")).await.text();
    assert!(
        open.contains("market-research") && !open.contains("training-delivery"),
        "{open}"
    );
    let declared = json!({"purpose": "training-delivery", "platforms": ["x"], "statement": "Preparing the course"});
    let refused = hana.declare(&declared).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("no rule opens anything"), "{}", refused.text());
    world.close().await;
}

/// Keeps one tool from everything until that time of the day.
fn closed_until(then: &str) -> String {
    format!(
        "@id(\"test.later\") @title(\"Later\") @reason(\"Not before.\") @owner(\"IT\")\n\
         forbid (principal == User::\"latebot\", action == Action::\"connect\", resource)\n\
         unless {{ context.local.time >= duration(\"{then}\") }};\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_states_in_vain_is_weighed_again_after_a_minute_and_when_rules_or_people_change() {
    const PEOPLE: &str = "people/zz-test.toml";
    const RULES: &str = "rules/90-test.cedar";
    let called = |name: &str| {
        format!(
            "[[person]]\nid = \"latebot\"\nname = \"{name}\"\nroles = [\"tool\", \"customer-care\"]\n\
             department = \"customer-service\"\nemployment = \"vendor\"\nregion = \"eu-west\"\ntime-zone = \"UTC\"\n\
             manager = \"cora\"\ntraining = {{ social-media = 2031-12-31 }}\n"
        )
    };
    let world = World::planned(|plan| {
        crate::harness::add_account(&plan.settings, "latebot");
        let policies = plan.folder.join("policies");
        std::fs::write(policies.join(PEOPLE), called("Late")).unwrap();
        // what is granted now ends before, by ten seconds
        std::fs::write(policies.join(RULES), closed_until("15h30m10s")).unwrap();
    })
    .await;
    let late = SubjectId::parse("latebot").unwrap();
    let bot = signed_in(&world, "latebot+customer-support");
    let held = async |url: &str| {
        assert_eq!(bot.get(url).await.status, StatusCode::FORBIDDEN, "{url}");
        world.gate().ledger().grants_of(&late).len()
    };
    let x = "https://x.com/home";
    assert_eq!(held(x).await, 0, "it would open nothing while it lasts");
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(held(x).await, 0, "that was so a moment ago");
    world.edit_rules(RULES, &closed_until("15h30m15s")).await;
    assert_eq!(held(x).await, 1);

    let reddit = "https://www.reddit.com/r/rust/comments/1";
    world.edit_rules(RULES, &closed_until("15h30m30s")).await;
    assert_eq!(held(reddit).await, 1);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(held(reddit).await, 1);
    world.clock.advance(Duration::from_secs(40));
    assert_eq!(held(reddit).await, 2);

    let facebook = "https://www.facebook.com/";
    world.edit_rules(RULES, &closed_until("15h31m30s")).await;
    assert_eq!(held(facebook).await, 2);
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(held(facebook).await, 2);
    world.write_policy(PEOPLE, &called("Later"));
    world
        .until("the directory has the new name", async |world| {
            let known = world.gate().live().load().directory.person(&late);
            known.is_some_and(|person| person.name == "Later")
        })
        .await;
    assert_eq!(held(facebook).await, 3);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_states_in_vain_in_one_way_is_refused_and_recorded_in_another() {
    const RULES: &str = "@id(\"test.vain\") @title(\"Never\") @reason(\"Never.\") @owner(\"IT\")\n\
        forbid (principal == User::\"carebot\", action == Action::\"connect\", resource);\n\
        @id(\"test.short\") @title(\"Whole shifts\") @reason(\"Whole shifts only.\") @owner(\"IT\")\n\
        forbid (principal, action == Action::\"declare\", resource)\n\
        when { context.channel == \"proxy-name\" && resource.maxDuration < duration(\"6h\") };\n";
    let world = World::planned(|plan| {
        without_cases(plan);
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), RULES).unwrap();
    })
    .await;
    let x = "https://x.com/home";
    let by_header = world
        .client("carebot")
        .with_hop_field("wayleave-purpose", "customer-support");
    assert_eq!(by_header.get(x).await.status, StatusCode::FORBIDDEN);
    let by_name = signed_in(&world, "carebot+customer-support");
    assert_eq!(by_name.get(x).await.status, StatusCode::FORBIDDEN);
    let refused = world.acts(|record| match &record.act {
        Act::Grant { act, grant, .. } => Some((*act, grant.channel)),
        _ => None,
    });
    let refused = refused.await;
    let by_name = (GrantAct::Refused, Channel::ProxyName);
    assert!(
        !refused.is_empty() && refused.iter().all(|one| *one == by_name),
        "{refused:?}"
    );
    world.close().await;
}
