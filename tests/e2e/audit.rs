//! What happened: one record a flow, on disk before anything is published, and nothing in it that is nobody's business.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wayleave::audit;
use wayleave::facts::{Act, End, Record};

use crate::harness::World;
use crate::harness::house::{PORTAL, folder_text, form};
use crate::harness::origin;
use crate::harness::scripted::Scripted;
use crate::harness::wire::{Wire, tls};

const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
const JSON: &str = "application/json";
/// The path on record of a request in clear that nobody may read.
const UNREAD: &str = "";

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_has_one_record_whatever_became_of_it() {
    let world = World::open().await;
    world.stranger().get("http://a.example.org/").await;
    let dan = world.client("dan");
    dan.get("http://b.example.org/").await;
    dan.get("http://c.example.org/behave/truncate").await;
    dan.get("https://www.linkedin.com/feed/").await;
    assert_eq!(
        dan.tunnel("www.12ft.io:443").await.err().unwrap().status,
        StatusCode::FORBIDDEN
    );
    dan.get(&format!("{PORTAL}/v1/grants")).await;
    let end = async |host: &str, path: &str| world.closed(host, path).await.ended().end.clone();
    assert_eq!(end("a.example.org", UNREAD).await, End::Challenged);
    assert_eq!(end("b.example.org", UNREAD).await, End::Completed);
    assert!(matches!(end("c.example.org", UNREAD).await, End::Failed { .. }));
    assert_eq!(end("www.linkedin.com", "/feed/").await, End::Refused);
    assert_eq!(end("www.linkedin.com", "CONNECT").await, End::Completed);
    assert_eq!(end("www.12ft.io", "CONNECT").await, End::Refused);
    assert_eq!(end("wayleave.internal", UNREAD).await, End::Completed);
    // the rest is counted by `close`: as many records as requests, no two with one name
    world.close().await;
}

fn opened(records: &[Record]) -> Vec<&Record> {
    records
        .iter()
        .filter(|record| matches!(record.act, Act::Opening { .. }))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_publishes_has_an_opening_line_and_what_reads_has_none() {
    let world = World::open().await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let ada = world.client("ada");
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    assert!(opened(&world.records().await).is_empty());
    assert_eq!(ada.post(SHARE, JSON, "{}").await.status, StatusCode::OK);
    let closing = world
        .closed("www.linkedin.com", "/voyager/api/contentcreation/normShares")
        .await;
    let records = world.records().await;
    let openings = opened(&records);
    assert_eq!(openings.len(), 1);
    assert_eq!(openings[0].id, closing.record.id);
    // what is refused is not opened
    world.client("eve").post(SHARE, JSON, "{}").await;
    assert_eq!(opened(&world.records().await).len(), 1);
    world.close().await;
}

/// An origin for one host that looks into the book when the first byte of each request reaches it.
async fn watching(
    world_folder: &Path,
) -> (
    std::net::SocketAddr,
    tokio::sync::oneshot::Sender<tokio_rustls::TlsAcceptor>,
    Arc<Mutex<Vec<String>>>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (papers, given) = tokio::sync::oneshot::channel::<tokio_rustls::TlsAcceptor>();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (book, found) = (world_folder.join("records"), seen.clone());
    tokio::spawn(async move {
        let acceptor = given.await.unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut first = [0];
            if stream.read_exact(&mut first).await.is_err() {
                continue;
            }
            found.lock().unwrap().push(folder_text(&book));
            let mut rest = Vec::new();
            while !rest.ends_with(b"the end") {
                if stream.read_buf(&mut rest).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
            stream.write_all(answer).await.ok();
            stream.shutdown().await.ok();
        }
    });
    (address, papers, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_opening_line_is_on_disk_before_the_origin_gets_the_first_byte() {
    let holder = tempfile::TempDir::new().unwrap();
    let (address, papers, seen) = watching(holder.path()).await;
    let book = holder.path().join("records");
    let world = World::planned(|plan| {
        plan.settings.audit.folder = book;
        plan.settings
            .upstream
            .map
            .insert("www.linkedin.com".to_owned(), address.to_string());
    })
    .await;
    papers
        .send(origin::acceptor(&world.origins, "www.linkedin.com"))
        .ok()
        .unwrap();
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    for round in 1..=3 {
        let answer = world.client("ada").post(SHARE, JSON, r#""the end"#).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let looked = seen.lock().unwrap()[round - 1].clone();
        let openings = looked.lines().filter(|line| line.contains("\"kind\":\"opening\""));
        assert_eq!(openings.count(), round, "{looked}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_and_a_request_in_clear_that_publish_are_on_disk_before_their_first_byte_leaves_too() {
    let (x, linkedin) = (Scripted::bind().await, Scripted::bind().await);
    let world = World::planned(|plan| {
        plan.lead("x.com", x.address);
        plan.lead("www.linkedin.com", linkedin.address);
    })
    .await;
    socket_grant(&world).await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let opened = || {
        folder_text(&world.settings.audit.folder)
            .matches("\"kind\":\"opening\"")
            .count()
    };

    let ben = world.client("ben");
    let (answer, ()) = tokio::join!(ben.socket("x.com", "/live"), async {
        let mut server = x.tls(&world.origins, "x.com").await;
        server.exactly(1).await;
        assert_eq!(opened(), 1, "what a socket can carry may publish");
        server.head().await;
        server.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    });
    assert_eq!(answer.err().unwrap().status, StatusCode::NOT_FOUND);

    let ada = world.client("ada");
    let in_clear = SHARE.replace("https:", "http:");
    let (answer, ()) = tokio::join!(ada.post(&in_clear, JSON, "{}"), async {
        let mut server = linkedin.clear().await;
        server.exactly(1).await;
        assert_eq!(opened(), 2);
        server.head().await;
        server.exactly(2).await;
        server.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    });
    assert_eq!(answer.text(), "ok");
    world.close().await;
}

/// Gives ben a grant under which a socket may open on X.
async fn socket_grant(world: &World) {
    let approved = world.give("ben", "brand-publishing", &["x"], |terms| {
        let mia = wayleave::facts::SubjectId::parse("mia").unwrap();
        terms.answers = vec![wayleave::facts::Answer::approval(mia, terms.declared_at)];
    });
    approved.await;
}

fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::TempDir::new().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_anywhere_in_the_book_is_found_at_its_line() {
    let world = World::open().await;
    let dan = world.client("dan");
    for host in ["a", "b", "c"] {
        dan.get(&format!("http://{host}.example.org/")).await;
    }
    world.closed("c.example.org", UNREAD).await;
    let copy = copied(&world.settings.audit.folder);
    let whole = audit::verify(copy.path()).unwrap();
    assert!(whole.lines >= 4, "{whole:?}");
    let file: PathBuf = copy.path().join("records-00000001.jsonl");
    let text = std::fs::read(&file).unwrap();
    for at in (0..text.len()).step_by(101) {
        let mut damaged = text.clone();
        damaged[at] ^= 0x01;
        std::fs::write(&file, &damaged).unwrap();
        let line = text[..at].split(|byte| *byte == b'\n').count() as u64;
        match audit::verify(copy.path()) {
            // a line end that is gone joins the line with the next
            Err(broken) => assert!(broken.line.abs_diff(line) <= 1, "byte {at} of line {line}: {broken}"),
            // nothing follows the last line yet that could vouch for it: there the head tells, which is noted elsewhere
            Ok(verified) => {
                assert_eq!(line, whole.lines, "byte {at} of line {line}");
                assert_ne!(verified.head, whole.head, "byte {at} of line {line}");
            }
        }
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_holds_a_credential_a_cookie_a_query_or_a_body() {
    let world = World::open().await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "engage", "publish"])
        .await;
    world.grant("dan", "market-research", &["facebook"], &["read"]).await;
    let secretive = |request: http::request::Builder| {
        request
            .header("cookie", "li_at=SECRET-cookie")
            .header("authorization", "Bearer SECRET-bearer")
            .header("x-csrf-token", "SECRET-csrf")
            .header("referer", "https://clinic.example/SECRET-referer")
            .header("user-agent", "SECRET-agent")
    };
    let ada = world.client("ada").with_hop_field("wayleave-note", "SECRET-hop");
    let url = "https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.80089&x=SECRET-query";
    let post = secretive(Request::post(url)).header("content-type", JSON);
    assert_eq!(
        ada.send_with(post, r#"{"text":"SECRET-body"}"#).await.status,
        StatusCode::OK
    );
    assert_eq!(
        world.origin.received()[0].headers["cookie"],
        "li_at=SECRET-cookie",
        "the origin gets its own"
    );
    let feed = secretive(Request::get("https://www.linkedin.com/feed/?q=SECRET-search"));
    assert_eq!(ada.send(feed).await.status, StatusCode::OK);
    let refused = secretive(Request::get("https://www.facebook.com/friends?q=SECRET-refused"));
    assert_eq!(ada.send(refused).await.status, StatusCode::FORBIDDEN);
    let body = form(&[
        ("fb_api_req_friendly_name", "CometModernHomeFeedQuery"),
        ("variables", r#"{"text":"SECRET-variable"}"#),
        ("__SECRET-name", "1"),
    ]);
    let peeked = secretive(Request::post("https://www.facebook.com/api/graphql/?__SECRET-key=1"))
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.client("dan").send_with(peeked, body).await.status, StatusCode::OK);
    let plain = secretive(Request::get("http://www.example.org/SECRET-path?q=SECRET-plain"));
    assert_eq!(ada.send(plain).await.status, StatusCode::OK);
    world.closed("www.facebook.com", "/api/graphql/").await;

    let book = world.records_text().await;
    let found: BTreeSet<&str> = book.split('"').filter(|text| text.contains("SECRET")).collect();
    assert_eq!(found, BTreeSet::new());
    for secret in [
        "open sesame",
        "b3BlbiBzZXNhbW",
        "YWRhOm9wZW4",
        "a test needs it",
        "cookie",
    ] {
        assert!(!book.contains(secret), "{secret}");
    }
    for kept in ["voyagerContentcreationDashShares.80089", "CometModernHomeFeedQuery"] {
        assert!(book.contains(kept), "the name of an operation is kept: {kept}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_a_path_is_in_no_record_and_on_no_page_of_the_portal() {
    let world = World::open().await;
    let ada = world.client("ada");
    let url = "https://discord.com/api/webhooks/1/SECRET-token?x=SECRET-query";
    let refused = ada.post(url, JSON, "{}").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    let navigated = ada.navigate(url).await;
    assert_eq!(navigated.status, StatusCode::SEE_OTHER, "{}", navigated.text());
    let decided = ada
        .get(&format!("{PORTAL}{}", refused.json()["instance"].as_str().unwrap()))
        .await;
    assert_eq!(decided.status, StatusCode::OK);
    let link = navigated.header("location").to_owned();
    assert!(link.starts_with(PORTAL), "{link}");
    let case = ada.navigate(&link).await;
    assert_eq!(case.status, StatusCode::OK, "{}", case.text());
    assert!(!case.text().contains("https://discord.com/api"), "{}", case.text());
    world.closed("discord.com", "/api/webhooks/***/***").await;
    for text in [
        refused.text(),
        link,
        decided.text(),
        case.text(),
        world.records_text().await,
    ] {
        assert!(!text.contains("SECRET"), "{text}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_reaches_the_disk_without_anybody_asking() {
    let world = World::planned(|plan| plan.settings.audit.sync_ms = 1).await;
    world.client("dan").get("http://b.example.org/").await;
    world
        .until("the line is in the file", async |world| {
            folder_text(&world.settings.audit.folder).contains("b.example.org")
        })
        .await;
    world.close().await;
}

/// Lets real time pass: so much that milliseconds, microseconds and seconds cannot be mistaken for each other.
async fn a_while(world: &World) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(50) {
        world.admin("/healthz").await;
    }
    began.elapsed()
}

/// The number called `name` of how the last flow to `host` ended, as it stands in the book.
async fn number(world: &World, host: &str, name: &str) -> u128 {
    let book = world.records_text().await;
    let line = book
        .lines()
        .rfind(|line| line.contains("\"kind\":\"closing\"") && line.contains(host));
    let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    let number = line["ended"][name].as_u64();
    number.unwrap_or_else(|| panic!("no `{name}` in {line:#}")).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_how_many_milliseconds_its_flow_took() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("slow.example.org", origin.address)).await;
    let (dan, began) = (world.client("dan"), Instant::now());
    let (answer, held) = tokio::join!(dan.get("http://slow.example.org/"), async {
        let mut origin = origin.clear().await;
        origin.head().await;
        let held = a_while(&world).await;
        origin.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        held
    });
    assert_eq!(answer.text(), "ok");
    let ended = world.closed("slow.example.org", UNREAD).await.ended().clone();
    let whole = began.elapsed();
    let took = u128::from(ended.duration_ms);
    assert!(
        (held.as_millis()..=whole.as_millis()).contains(&took),
        "{held:?} <= {took} ms <= {whole:?}"
    );
    assert_eq!(number(&world, "slow.example.org", "duration_ms").await, took);
    // the origin was asked once it was judged, and then it took its time
    let judged = u128::from(ended.judged_us);
    let before = whole.as_micros() - held.as_micros();
    assert!((1..=before).contains(&judged), "{judged} µs <= {before} µs");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_after_how_many_microseconds_its_flow_was_judged() {
    let world = World::open().await;
    let ada = world.client("ada");
    let io = Wire::tunnel(&ada, "www.facebook.com:443").await.into_io();
    let stream = tls(io, &ada.roots, "www.facebook.com", |_| {}).await.unwrap();
    let (mut wire, body) = (Wire::on(stream), "fb_api_req_friendly_name=CometModernHomeFeedQuery");
    world.sends(1);
    let began = Instant::now();
    let length = body.len();
    wire.say(format!(
        "POST /api/graphql/ HTTP/1.1\r\nHost: www.facebook.com\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    ))
    .await;
    // what it does stands in its body, which nobody judges before it is there
    assert!(wire.head().await.starts_with("HTTP/1.1 100"));
    let held = a_while(&world).await;
    wire.say(body).await;
    let refused = wire.head().await;
    let whole = began.elapsed();
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let closing = world.closed("www.facebook.com", "/api/graphql/").await;
    let judged = u128::from(closing.ended().judged_us);
    assert!(
        (held.as_micros()..=whole.as_micros()).contains(&judged),
        "{held:?} <= {judged} µs <= {whole:?}"
    );
    assert_eq!(number(&world, "/api/graphql/", "judged_us").await, judged);
    world.close().await;
}
