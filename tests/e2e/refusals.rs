//! How a refusal is told: to a person in a browser, to a script, and where nothing may be shown at all.

use http::{Request, StatusCode};
use wayleave::facts::{End, FaultCode, Outcome};

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;

/// The path on record of a request in clear that nobody may read.
const UNREAD: &str = "";
const JSON: &str = "application/json";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

async fn decided(world: &World, host: &str, path: &str) -> Outcome {
    world.closed(host, path).await.decided().outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_four_outcomes_is_told_and_recorded() {
    let world = World::open().await;
    let allowed = world.client("dan").get("http://www.example.org/").await;
    assert_eq!(allowed.status, StatusCode::OK);
    assert_eq!(decided(&world, "www.example.org", UNREAD).await, Outcome::Allow);

    let declare = world.client("ada").get("https://www.linkedin.com/feed/").await;
    assert_eq!(
        (declare.status, declare.json()["outcome"].as_str()),
        (StatusCode::FORBIDDEN, Some("declare"))
    );
    assert_eq!(decided(&world, "www.linkedin.com", "/feed/").await, Outcome::Declare);

    let request = world.client("ben").post(SHARE, JSON, "{}").await.json();
    assert_eq!(request["outcome"], "request");
    assert_eq!(request["type"], "https://wayleave.example/problems/approval-required");
    let brand = request["purposes"].as_array().unwrap().iter();
    let brand = brand.clone().find(|offer| offer["id"] == "brand-publishing").unwrap();
    assert_eq!(
        (&brand["approval"], &brand["approvers"]),
        (&true.into(), &serde_json::json!(["mia"]))
    );
    let path = "/voyager/api/contentcreation/normShares";
    assert_eq!(decided(&world, "www.linkedin.com", path).await, Outcome::Request);

    let deny = world.client("eve").post(SHARE, JSON, "{}").await.json();
    assert_eq!(
        (&deny["outcome"], &deny["purposes"]),
        (&"deny".into(), &serde_json::json!([]))
    );
    assert_eq!(deny["type"], "https://wayleave.example/problems/prohibited");
    let reasons = deny["reasons"].as_array().unwrap();
    assert!(
        reasons.contains(&"Interns do not publish on social media.".into()),
        "{deny}"
    );
    assert_eq!(decided(&world, "www.linkedin.com", path).await, Outcome::Deny);
    assert_eq!(world.origin.received().len(), 1, "only what was allowed left the house");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_a_training_that_would_change_nothing() {
    let world = World::open().await;
    let tweet = "https://x.com/i/api/graphql/AbC/CreateTweet";
    let problem = world.client("dan").post(tweet, JSON, "{}").await.json();
    assert_eq!(problem["type"], "https://wayleave.example/problems/prohibited");
    assert_eq!(problem["fixes"], serde_json::json!([]));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_that_ran_out_is_named_where_it_would_help() {
    let world = World::open().await;
    world.clock.advance(std::time::Duration::from_hours(24 * 366 * 6));
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let problem = world.client("ada").post(SHARE, JSON, "{}").await.json();
    assert_eq!(problem["type"], "https://wayleave.example/problems/training-required");
    assert_eq!(problem["fixes"], serde_json::json!(["training:social-media"]));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_for_reading_does_not_cover_writing_and_the_answer_says_so() {
    let world = World::open().await;
    let cora = world.client("cora");
    world.grant("cora", "customer-support", &["x"], &["read"]).await;
    let message = "https://x.com/i/api/1.1/dm/new2.json";
    let problem = cora.post(message, JSON, "{}").await.json();
    assert_eq!(
        problem["type"],
        "https://wayleave.example/problems/activity-not-covered"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_purpose_does_not_cover_is_no_reason_where_no_other_would_do() {
    let world = World::open().await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let ada = world.client("ada");
    let post = ada
        .post("https://x.com/i/api/graphql/AbC/CreateTweet", JSON, "{}")
        .await
        .json();
    assert_eq!(
        (&post["outcome"], &post["reasons"]),
        (&"deny".into(), &serde_json::json!([]))
    );
    assert_eq!(post["detail"], "No purpose allows you to post on X (Twitter).");
    let read = ada.get("https://x.com/home").await.json();
    assert_eq!(
        (&read["outcome"], &read["reasons"]),
        (
            &"declare".into(),
            &serde_json::json!(["Your declared purpose does not cover this platform."])
        )
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_purpose_for_another_platform_does_not_cover_is_no_reason_where_one_for_this_is_held() {
    let world = World::open().await;
    let ben = world.client("ben");
    let refused = async || ben.post(SHARE, JSON, "{}").await.json();
    world
        .grant("ben", "community-management", &["x"], &["read", "engage", "publish"])
        .await;
    let scope = serde_json::json!(["Your declared purpose does not cover this platform."]);
    assert_eq!(refused().await["reasons"], scope, "it is all that he holds");
    world
        .grant("ben", "partner-relations", &["linkedin"], &["read", "publish"])
        .await;
    let beside = refused().await;
    assert_eq!(beside["reasons"], serde_json::json!([]));
    let link = beside["help"].as_str().unwrap();
    let page = ben.navigate(link).await.text();
    assert!(
        page.contains("What you hold for it does not open this; another purpose would."),
        "{page}"
    );
    assert!(!page.contains("does not cover this platform"), "{page}");
    let path = "/voyager/api/contentcreation/normShares";
    let decided = world.closed("www.linkedin.com", path).await.decided().clone();
    assert!(
        decided.policies.iter().any(|rule| rule.as_str() == "guard.scope"),
        "the record keeps it"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_a_problem_document_with_everything_that_helps() {
    let world = World::open().await;
    let fetch = Request::get("https://www.linkedin.com/feed/?secret=1")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
        .header("sec-fetch-site", "same-origin")
        .header("accept", "*/*");
    let answer = world.client("ada").send(fetch).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("proxy-status"),
        "wayleave; error=http_request_denied; details=\"purpose-required\""
    );
    let closing = world.closed("www.linkedin.com", "/feed/").await;
    let id = closing.record.id.as_str();
    let link = answer.header("link");
    assert!(link.starts_with(&format!("<{PORTAL}/d/")), "{link}");
    let described = format!("; rel=\"help\", <{PORTAL}/v1/decisions/{id}>; rel=\"describedby\"");
    assert!(link.ends_with(&described), "{link}");

    let problem = answer.json();
    assert_eq!(problem["type"], "https://wayleave.example/problems/purpose-required");
    assert_eq!(problem["title"], "This needs a purpose");
    assert_eq!(problem["status"], 403);
    assert_eq!(problem["instance"], format!("/v1/decisions/{id}"));
    assert_eq!(problem["outcome"], "declare");
    assert_eq!(problem["declare"], format!("{PORTAL}/v1/grants"));
    assert_eq!(
        problem["policy_revision"],
        world.gate().live().load().rulebook.id().as_str()
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("LinkedIn") && detail.contains("recruiting"), "{detail}");
    let first = &problem["purposes"][0];
    assert_eq!(
        (&first["id"], &first["approval"]),
        (&"recruiting".into(), &false.into())
    );
    assert_eq!(first["max_ttl"], "PT24H");
    assert!(!answer.text().contains("secret"), "{}", answer.text());

    // the way to more words works for the same person, and for nobody else
    let decision = format!("{PORTAL}/v1/decisions/{id}");
    let explained = world.client("ada").get(&decision).await;
    assert_eq!(
        (explained.status, &explained.json()["activity"]),
        (StatusCode::OK, &"browse".into())
    );
    assert_eq!(world.client("dan").get(&decision).await.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_an_address_leads_to_the_portal_by_an_opaque_reference() {
    let world = World::open().await;
    let ada = world.client("ada");
    let answer = ada.navigate("https://www.linkedin.com/feed/?who=somebody").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.header("location");
    let ticket = location.strip_prefix(&format!("{PORTAL}/d/")).unwrap();
    assert_eq!(ticket.len(), 86, "a nonce, a sealed name and a tag: {ticket}");
    assert!(
        !location.contains("linkedin") && !location.contains("ada"),
        "{location}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(answer.body.is_empty());
    let again = ada.navigate("https://www.linkedin.com/feed/?who=somebody").await;
    assert_ne!(again.header("location"), location, "each refusal has its own");

    // it is the person's own, for a short time
    let newest = again.header("location");
    assert_eq!(
        world.client("dan").follow(newest, "cross-site").await.status,
        StatusCode::NOT_FOUND
    );
    world.clock.advance(std::time::Duration::from_secs(299));
    assert_eq!(ada.follow(newest, "cross-site").await.status, StatusCode::OK);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(ada.follow(newest, "cross-site").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

fn sealed(answer: &Answer) {
    let page = answer.text();
    for forbidden in ["<form", "<script", "<input", "<iframe", "onclick", "javascript:"] {
        assert!(!page.to_lowercase().contains(forbidden), "{forbidden} in {page}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let sandbox = policy.split("; ").find(|rule| rule.starts_with("sandbox")).unwrap();
    assert!(!sandbox.contains("scripts") && !sandbox.contains("forms") && !sandbox.contains("same-origin"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_sent_to_a_site_gets_a_sealed_page_and_is_not_sent_on() {
    let world = World::open().await;
    let submit = Request::post(SHARE)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = world.client("ada").send_with(submit, "text=hello").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    sealed(&answer);
    let page = answer.text();
    assert!(page.contains("Nothing was sent to the site."), "{page}");
    assert!(page.contains(&format!("href=\"{PORTAL}/d/")), "{page}");
    assert!(page.contains("Recruiting"), "{page}");
    assert!(!page.contains("hello"), "the body is nobody's business: {page}");
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_site_that_may_be_read_is_explained_inside_and_never_contacted() {
    let world = World::open().await;
    let dan = world.client("dan");
    let answer = dan.navigate("https://www.tinder.com/").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let page = dan.follow(answer.header("location"), "cross-site").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(
        text.contains("Dating and adult platforms are closed on the company network."),
        "{text}"
    );
    assert!(
        text.contains("No purpose makes this work.") && !text.contains("<form"),
        "{text}"
    );

    let script = dan.get("https://www.tinder.com/api").await;
    assert_eq!(script.json()["type"], "https://wayleave.example/problems/prohibited");
    assert_eq!(world.origin.connections(), 0);
    let tunnel = world.closed("www.tinder.com", "CONNECT").await;
    assert_eq!(tunnel.decided().outcome, Outcome::Deny);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_site_that_may_not_be_read_is_refused_at_connect() {
    let world = World::open().await;
    let dan = world.client("dan");
    let refused = dan.tunnel("www.12ft.io:443").await.err().unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(
        refused.header("proxy-status"),
        "wayleave; error=http_request_denied; details=\"prohibited\""
    );
    assert!(refused.header("link").contains("rel=\"help\""));
    let reasons = refused.json()["reasons"].to_string();
    assert!(reasons.contains("open the site itself"), "{reasons}");
    assert_eq!(world.origin.connections(), 0);
    let closing = world.closed("www.12ft.io", "CONNECT").await;
    assert_eq!(closing.ended().end, End::Refused);
    assert_eq!((closing.ended().decrypted, closing.ended().status), (false, Some(403)));

    // the browser shows an error of its own; the person finds the reason on their page
    let mine = dan.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        mine.contains("12ft.io") && mine.contains("open the site itself"),
        "{mine}"
    );
    let other = world.client("ada").follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(!other.contains("12ft.io"), "{other}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_socket_gets_a_problem_document() {
    let world = World::open().await;
    let refused = world
        .client("dan")
        .socket("www.linkedin.com", "/realtime/connect")
        .await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_escape_hostile_addresses() {
    let world = World::open().await;
    let ada = world.client("ada");
    let hostile = "https://www.linkedin.com/feed/\"onmouseover=\"alert(1)?q=%22%3E%3Cscript%3E'&url=x;1";
    let location = ada.navigate(hostile).await.header("location").to_owned();
    assert!(location.starts_with(PORTAL), "{location}");
    let page = ada.follow(&location, "cross-site").await.text();
    let record = crate::harness::house::hidden(&page, "refusal");
    let token = crate::harness::house::hidden(&page, "token");
    let declared = ada
        .own_form(
            "/declare",
            &[
                ("refusal", &record),
                ("token", &token),
                ("purpose", "recruiting"),
                ("statement", "<script>alert(2)</script> \"><img src=x>"),
            ],
        )
        .await;
    assert_eq!(declared.status, StatusCode::SEE_OTHER, "{}", declared.text());
    let granted = ada
        .follow(&format!("{PORTAL}{}", declared.header("location")), "same-origin")
        .await;
    let mine = ada.follow(&format!("{PORTAL}/"), "none").await.text();
    for text in [page, granted.text(), mine] {
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(!text.contains("\"onmouseover"), "{text}");
    }
    let refresh = granted.text();
    assert!(
        refresh.contains("www.linkedin.com/feed/&#34;onmouseover=&#34;alert(1)"),
        "{refresh}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_small_and_needs_nothing_from_elsewhere() {
    let world = World::open().await;
    let ada = world.client("ada");
    let sent_away = ada.navigate("https://tinder.com/").await;
    assert_eq!(sent_away.status, StatusCode::SEE_OTHER);
    for page in [
        ada.navigate(sent_away.header("location")).await,
        ada.navigate(&format!("{PORTAL}/")).await,
    ] {
        let text = page.text();
        assert!(text.contains("<html"), "{text}");
        assert!(text.len() < 24 * 1024, "{} bytes", text.len());
        for loads in ["src=", "<link", "@import", "url(", "http-equiv"] {
            assert!(!text.contains(loads), "{loads}: {text}");
        }
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_says_everything_before_it_listens_hears_what_failed_on_the_way() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("up.example.org", origin.address)).await;
    let dan = world.client("dan");
    for (count, dan) in (1..).zip([dan, world.client_on_tls_door("dan", b"http/1.1")]) {
        let mut wire = Wire::of(&dan).await;
        world.sends(1);
        let proof = dan.authorization.clone().unwrap();
        wire.say(format!(
            "POST http://up.example.org/ HTTP/1.1\r\nHost: up.example.org\r\nContent-Length: 9000000\r\n\
             Proxy-Authorization: {proof}\r\n\r\nthe first bytes"
        ))
        .await;
        let mut server = origin.clear().await;
        server.head().await;
        server.exactly(15).await;
        drop(server);
        let gone = world.closed_of(count, "up.example.org", UNREAD).await;
        assert_eq!(gone.code(), Some(FaultCode::OriginGone));
        wire.say(vec![b'x'; 9_000_000 - 15]).await;
        let (head, problem) = wire.answer().await;
        assert!(head.starts_with("HTTP/1.1 502"), "{head}");
        assert!(problem.contains("origin-gone"), "{problem}");
    }
    world.close().await;
}

/// The head of an upload by `client` to a site that is closed to them. Counts it.
fn closed_upload(client: &Client, length: usize) -> String {
    client.sent.add(1);
    let proof = client.authorization.clone().unwrap();
    format!(
        "POST http://www.linkedin.com/upload HTTP/1.1\r\nHost: www.linkedin.com\r\nContent-Length: {length}\r\n\
         Proxy-Authorization: {proof}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_says_everything_before_it_listens_hears_that_it_was_refused() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut wire = Wire::plain(&world).await;
    for _ in 0..2 {
        wire.say(closed_upload(&dan, 1_000_000)).await;
        wire.say(vec![b'x'; 1_000_000]).await;
        let (head, problem) = wire.answer().await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        assert!(
            head.contains("application/problem+json") && problem.contains("\"status\":403"),
            "{problem}"
        );
    }
    // and one whose upload is too large to be read for nothing is told at once
    wire.say(closed_upload(&dan, 1_100_000)).await;
    let (head, _) = wire.answer().await;
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 403") && head.contains("\r\nconnection: close\r\n"),
        "{head}"
    );
    world.close().await;
}
