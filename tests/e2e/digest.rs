//! The weekly digest, by a real mail server and to addresses of every kind: of groups, to whom it may be told, and once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use wayleave::facts::{Mailbox, Occasion, PurposeId};
use wayleave::notices::{Kind, Webhook};

use crate::crashes::{Site, eventually};
use crate::harness::house::{PORTAL, admin, sample};
use crate::harness::{World, copy, shipped_policies};
use crate::notices::{Post, asks, nothing_waits, world, write_addresses};
use crate::value::{PEOPLE, used_by};

const FEED: &str = "https://www.linkedin.com/feed/";
const DAY: Duration = Duration::from_hours(24);

/// Two weeks later all that is told of the week is settled.
async fn two_weeks_later(world: &World) {
    world.gate().add_up().await;
    world.clock.advance(14 * DAY);
    world.gate().add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_a_purpose_and_whoever_is_named_reads_what_came_of_it_once_and_nobody_is_named_in_it() {
    let mut post = Post::down();
    let mut world = world(&post, |settings| {
        let address = |text: &str| Mailbox::parse(text).unwrap();
        settings.notices.digest.to = vec![address("nora@example.org"), address("business@example.org")];
        settings.notices.digest.purposes = vec![PurposeId::new("competitor-research")];
    })
    .await;
    post.up(&world.origins).await;
    // whoever looks after the gateway sees to whom it goes whom the directory does not have
    let health = world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    assert!(
        health.contains("addresses that nobody in the directory has")
            && health.contains("settings: business@example.org."),
        "{health}"
    );
    used_by(&world, &PEOPLE, 3).await;
    two_weeks_later(&world).await;
    let mut letters = Vec::new();
    for _ in 0..3 {
        letters.push(post.letter().await);
    }
    letters.sort_by_key(|letter| letter.to().as_str().unwrap().to_owned());
    let to: Vec<&Value> = letters.iter().map(crate::notices::Letter::to).collect();
    assert_eq!(to, ["business@example.org", "mia@example.org", "nora@example.org"]);
    let english = "Competitor research: Findings that entered a product decision: 10 (not shown), said by 5 people; \
                   Grants: 5 (not shown); People: 5 (not shown); Requests and connections: 15 (not shown)";
    for letter in [&letters[0], &letters[2]] {
        assert_eq!(letter.subject(), "What social media brought in the week of 23 Nov 2026");
        assert!(letter.body().contains(english), "{}", letter.body());
    }
    // she owns it, and reads French
    let french = &letters[1];
    assert_eq!(french.head("Content-Language"), "fr");
    assert_eq!(
        french.subject().replace('\u{a0}', " "),
        "Ce que les réseaux sociaux ont apporté la semaine du 23 novembre 2026"
    );
    let said = "Veille concurrentielle : Constats repris dans une décision sur un produit : 10 (non montré), selon 5 personnes ; \
                Autorisations : 5 (non montré) ; Personnes : 5 (non montré) ; Requêtes et connexions : 15 (non montré)";
    let body = french.body().replace('\u{202f}', " ");
    assert!(body.contains(said), "{body}");
    for letter in &letters {
        let body = letter.body();
        assert!(body.contains("https://wayleave.internal/value\r\n"), "{body}");
        for of_them in ["Ada", "ada", "Hana", "hana", "others publish", "Recruiting"] {
            assert!(!body.contains(of_them), "{of_them}: {body}");
        }
    }
    nothing_waits(&world).await;
    for _ in 0..2 {
        world.reopen().await;
        world.clock.advance(DAY);
        world.gate().add_up().await;
    }
    nothing_else_is_sent(world, post).await;
}

/// What was due before is sent before what somebody asks for now.
async fn nothing_else_is_sent(world: World, mut post: Post) {
    asks(&world).await;
    let asked = post.letter().await;
    assert!(asked.subject().starts_with("Ben Okafor demande"), "{}", asked.subject());
    nothing_waits(&world).await;
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_four_people_and_to_whom_the_rules_show_nothing_nothing_is_sent() {
    let mut post = Post::down();
    let world = world(&post, |settings| {
        // an engineer is named, and may see nothing
        settings.notices.digest.to = vec![Mailbox::parse("ben@example.org").unwrap()];
    })
    .await;
    post.up(&world.origins).await;
    used_by(&world, &PEOPLE[..4], 3).await;
    two_weeks_later(&world).await;
    let closed = r#"@id("test.closed") @title("Closed") @reason("Closed.") @owner("HR")
forbid (principal, action == Action::"see-value", resource) unless { context.client.network == "office" };
"#;
    world.edit_rules("rules/90-test.cedar", closed).await;
    used_by(&world, &PEOPLE, 1).await;
    two_weeks_later(&world).await;
    nothing_else_is_sent(world, post).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_sends_the_digest_after_its_next_start_and_once() {
    let mut post = Post::down();
    let silent = TcpListener::bind(("127.0.0.1", post.port)).await.unwrap();
    let site = Site::planned(|settings| {
        let policies = settings.audit.folder.parent().unwrap().join("policies");
        copy(&shipped_policies(), &policies);
        write_addresses(&policies);
        settings.policies.folder = policies;
        settings.clock.fixed_at = Some("2026-11-24T11:30:00Z".parse().unwrap());
        post.is_set(settings);
    })
    .await;
    let running = site.start().await;
    for user in PEOPLE {
        let client = site.client(&running, user);
        let declaration = json!({
            "purpose": "competitor-research", "platforms": ["linkedin"], "statement": "What the others publish",
        });
        let created = client.declare(&declaration).await;
        assert_eq!(created.status, StatusCode::CREATED, "{user}: {}", created.text());
        assert_eq!(client.get(FEED).await.status, StatusCode::OK, "{user}");
    }
    running.stop().await;
    // it is off for weeks
    site.is_later("2026-11-24T11:30:00", "2026-12-09T11:30:00");
    let mut running = site.start().await;
    let (connection, _) = silent.accept().await.unwrap();
    running.child.kill().await.unwrap();
    drop((connection, silent));
    post.up(site.origins()).await;
    let running = site.start().await;
    let letter = post.letter().await;
    assert_eq!(letter.to(), "mia@example.org");
    assert!(letter.body().contains("Autorisations : 5"), "{}", letter.body());
    eventually("nothing waits", async || {
        let page = admin(running.admin, "/metrics").await.text();
        sample(&page, "wayleave_notices_waiting") == Some(0.0)
    })
    .await;
    running.stop().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

fn hook(files: &TempDir, kind: Kind, name: &str) -> Webhook {
    let path = files.path().join(name);
    std::fs::write(&path, format!("https://hooks.example.org/{name}\n")).unwrap();
    Webhook {
        name: name.to_owned(),
        kind,
        url_file: Some(path),
        events: vec![Occasion::Digest],
        ..Webhook::default()
    }
}

/// What was posted, by its path.
fn posted(world: &World) -> Vec<(String, Value)> {
    let mut posted = world.origin.received();
    posted.retain(|one| one.host == "hooks.example.org");
    let mut posted: Vec<(String, Value)> = posted
        .into_iter()
        .map(|one| (one.path_and_query.clone(), serde_json::from_slice(&one.body).unwrap()))
        .collect();
    posted.sort_by(|(one, _), (other, _)| one.cmp(other));
    posted
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_is_posted_to_addresses_that_name_it_each_in_its_form_and_signed_where_programs_read_it() {
    let files = TempDir::new().unwrap();
    let secret = files.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let world = World::planned(|plan| {
        plan.settings.notices.webhooks = vec![
            Webhook {
                secret_file: Some(secret),
                ..hook(&files, Kind::Generic, "a-programs")
            },
            hook(&files, Kind::Teams, "b-teams"),
            hook(&files, Kind::Slack, "c-slack"),
            hook(&files, Kind::Connections, "d-connections"),
            hook(&files, Kind::Jive, "e-jive"),
            hook(&files, Kind::Socialtext, "f-signals"),
            Webhook {
                events: Vec::new(),
                ..hook(&files, Kind::Slack, "g-of-grants")
            },
        ];
    })
    .await;
    used_by(&world, &PEOPLE, 1).await;
    two_weeks_later(&world).await;
    world
        .until("all are posted", async |world| posted(world).len() == 6)
        .await;
    nothing_waits(&world).await;
    let posted = posted(&world);
    let paths: Vec<&str> = posted.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/a-programs",
            "/b-teams",
            "/c-slack",
            "/d-connections",
            "/e-jive",
            "/f-signals"
        ]
    );
    let told = &posted[0].1["data"]["told"];
    assert_eq!(
        (&posted[0].1["type"], &told["week"]),
        (&json!("week.digest"), &json!("2026-11-23"))
    );
    let figure =
        |measure: &str, count: u64| json!({"week": "2026-11-23", "measure": measure, "people": 5, "count": count});
    assert_eq!(
        told["purposes"],
        json!([{"id": "competitor-research", "figures": [figure("flows", 5), figure("grants", 5), figure("value", 10)]}])
    );
    for (path, body) in &posted[1..] {
        let text = body.to_string();
        for said in [
            "What social media brought in the week of 23 Nov 2026",
            "Competitor research",
            "/value",
        ] {
            assert!(text.contains(said), "{path}: {text}");
        }
        assert!(
            text.contains("Findings that entered a product decision: 10 (not shown)"),
            "{path}: {text}"
        );
        assert!(
            !text.contains("others publish") && !text.contains("\"ada\""),
            "{path}: {text}"
        );
    }
    is_signed(&world);
    world.close().await;
}

fn is_signed(world: &World) {
    let mut received = world.origin.received();
    received.retain(|one| one.path_and_query == "/a-programs");
    let [one] = received.as_slice() else {
        panic!("{received:#?}")
    };
    let field = |name: &str| one.headers[name].to_str().unwrap();
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let body = std::str::from_utf8(&one.body).unwrap();
    let content = format!("{}.{}.{body}", field("webhook-id"), field("webhook-timestamp"));
    let signature = STANDARD
        .decode(field("webhook-signature").strip_prefix("v1,").unwrap())
        .unwrap();
    assert!(aws_lc_rs::hmac::verify(&key, content.as_bytes(), &signature).is_ok());
    assert!(
        field("webhook-id").starts_with("2026-11-23.digest."),
        "{}",
        field("webhook-id")
    );
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_that_share_a_ledger_one_sends_the_digest() {
    let server = crate::database::Server::start();
    let url = server.database("ledger");
    let files = TempDir::new().unwrap();
    let gateway = |name: &str| {
        let ledger = crate::gateways::shared(&url, name);
        let hook = hook(&files, Kind::Slack, "board");
        World::planned(|plan| {
            plan.settings.ledger = ledger;
            plan.settings.notices.webhooks = vec![hook];
        })
    };
    let (east, west) = (gateway("east").await, gateway("west").await);
    used_by(&east, &PEOPLE, 1).await;
    east.gate().add_up().await;
    // the time is one: a gateway that is hours ahead takes what another is about to send for forsaken
    west.clock.advance(east.clock.now().since(west.clock.now()));
    for world in [&east, &west] {
        world.clock.advance(15 * DAY);
    }
    tokio::join!(east.gate().add_up(), west.gate().add_up());
    let sent = async |world: &World| {
        let series = r#"wayleave_notices_total{channel="slack",outcome="sent"}"#;
        world.metric(series).await.unwrap_or(0.0)
    };
    east.until("it is sent", async |east| sent(east).await + sent(&west).await > 0.0)
        .await;
    for world in [&east, &west] {
        nothing_waits(world).await;
    }
    assert_eq!(posted(&east).len() + posted(&west).len(), 1);
    east.close().await;
    west.close().await;
}
