//! The counter: stating a purpose in two clicks or with one call, and nobody else doing it for you.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::json;
use wayleave::facts::{Act, GrantAct};

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden, later};
use crate::harness::wire::Wire;

const FEED: &str = "https://www.linkedin.com/feed/?filter=people";
const WHY: &str = "Looking for a Rust engineer in Lyon";

fn recruiting() -> serde_json::Value {
    json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": WHY})
}

/// What the declare page of a refused visit holds: the refusal's name and the form's token.
async fn declare_page(client: &Client) -> (String, String) {
    let refused = client.navigate(FEED).await;
    let page = client.follow(refused.header("location"), "cross-site").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    (hidden(&page.text(), "refusal"), hidden(&page.text(), "token"))
}

fn fields<'a>(refusal: &'a str, token: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("refusal", refusal),
        ("token", token),
        ("purpose", "recruiting"),
        ("statement", WHY),
    ]
}

async fn holds(client: &Client) -> Vec<serde_json::Value> {
    let grants = client.get(&format!("{PORTAL}/v1/grants")).await.json();
    grants["grants"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_is_declared_in_two_clicks_and_the_site_opens() {
    let world = World::open().await;
    let ada = world.client("ada");
    let (refusal, token) = declare_page(&ada).await;
    let declared = ada.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(declared.status, StatusCode::SEE_OTHER, "{}", declared.text());
    let granted = ada
        .follow(&format!("{PORTAL}{}", declared.header("location")), "same-origin")
        .await;
    assert_eq!(granted.status, StatusCode::OK);
    assert!(
        granted
            .text()
            .contains("url=https://www.linkedin.com/feed/?filter=people"),
        "{}",
        granted.text()
    );
    let site = ada.navigate(FEED).await;
    assert_eq!(site.status, StatusCode::OK, "{}", site.text());

    let seen = world.closed("www.linkedin.com", "/feed/").await;
    assert_eq!(seen.decided().purpose.as_ref().unwrap().as_str(), "recruiting");
    let given = world
        .acts(|record| match &record.act {
            Act::Grant { act, grant, by, .. } => Some((*act, grant.clone(), by.to_string())),
            _ => None,
        })
        .await;
    assert_eq!(given.len(), 1);
    assert_eq!((&given[0].0, given[0].2.as_str()), (&GrantAct::Granted, "ada"));
    assert_eq!(given[0].1.statement, WHY);
    assert_eq!(seen.decided().grant.as_ref(), Some(&given[0].1.id));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_not_filled_in_is_shown_again_with_what_is_wrong() {
    let world = World::open().await;
    let ada = world.client("ada");
    let (refusal, token) = declare_page(&ada).await;
    let short = ada
        .own_form(
            "/declare",
            &[
                ("refusal", &refusal),
                ("token", &token),
                ("purpose", "recruiting"),
                ("statement", "jobs"),
            ],
        )
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text().contains("at least 12 characters"), "{}", short.text());
    assert!(
        short.text().contains(">jobs</textarea>"),
        "what was written is kept: {}",
        short.text()
    );
    let token = hidden(&short.text(), "token");
    let declared = ada.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(declared.status, StatusCode::SEE_OTHER, "{}", declared.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_declares_lists_and_ends_a_grant() {
    let world = World::open().await;
    let ada = world.client("ada");
    let created = ada
        .declare(&json!({
            "purpose": "recruiting", "platforms": ["linkedin"], "statement": WHY, "ticket": "HR-123", "duration": "PT2H",
        }))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let grant = created.json();
    let id = grant["id"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/v1/grants/{id}"));
    assert_eq!(
        (&grant["state"], &grant["ticket"], &grant["left_s"]),
        (&"active".into(), &"HR-123".into(), &7200.into())
    );
    assert_eq!(grant["expires"], later(2).to_string());
    assert_eq!(holds(&ada).await, std::slice::from_ref(&grant));
    assert_eq!(ada.get(&format!("{PORTAL}/v1/grants/{id}")).await.json(), grant);
    assert_eq!(holds(&world.client("dan")).await, [] as [serde_json::Value; 0]);
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);

    let one = format!("{PORTAL}/v1/grants/{id}");
    assert_eq!(world.client("dan").get(&one).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.client("dan").delete(&one).await.status, StatusCode::NOT_FOUND);
    let ended = ada.delete(&one).await;
    assert_eq!(
        (ended.status, &ended.json()["state"]),
        (StatusCode::OK, &"withdrawn".into())
    );
    assert_eq!(
        ada.get("https://www.linkedin.com/feed/").await.status,
        StatusCode::FORBIDDEN
    );
    let over = ada.delete(&one).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text());
    assert_eq!(over.json()["type"], "https://wayleave.example/problems/grant-over");
    let nothing = ada.delete(&format!("{PORTAL}/v1/grants/none")).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_holds_is_not_ended_without_a_reason_and_a_password() {
    let world = World::open().await;
    let grant = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ended = world
        .client("sol")
        .delete(&format!("{PORTAL}/v1/grants/{}", grant.id))
        .await;
    assert_eq!(ended.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(ended.text().contains("POST /v1/revocations"), "{}", ended.text());
    let passes = world.client("ada").get("https://www.linkedin.com/feed/").await;
    assert_eq!(passes.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_does_not_fit_says_everything_that_is_wrong() {
    let world = World::open().await;
    let ada = world.client("ada");
    let all = ada
        .declare(&json!({"purpose": "recruiting", "platforms": ["linkedn"], "statement": "jobs", "ticket": "X-1", "duration": "P9D"}))
        .await;
    assert_eq!(all.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        all.json()["type"],
        "https://wayleave.example/problems/declaration-unfit"
    );
    let errors = all.json()["errors"].clone();
    let named: Vec<&str> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["platforms", "duration", "statement", "ticket"]);
    assert!(all.text().contains("did you mean `linkedin`?"), "{}", all.text());

    for (declaration, says) in [
        (
            json!({"purpos": "recruiting", "platforms": ["linkedin"], "statement": WHY}),
            "did you mean `purpose`?",
        ),
        (
            json!({"purpose": "recruitng", "platforms": ["linkedin"], "statement": WHY}),
            "did you mean `recruiting`?",
        ),
        (json!({"purpose": "recruiting", "statement": WHY}), "say where"),
        (
            json!({"purpose": "recruiting", "platforms": [], "statement": WHY}),
            "at least one platform",
        ),
        (
            json!({"purpose": "recruiting", "platforms": ["x"], "statement": WHY}),
            "is not meant for `x`",
        ),
        (
            json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "aaaaaaaaaaaaaaaa"}),
            "own words",
        ),
        (
            json!({"purpose": "customer-support", "platforms": ["x"], "statement": WHY}),
            "is open to",
        ),
        (
            json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": WHY, "covers": ["administer"]}),
            "does not cover `administer`",
        ),
        (
            json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": WHY, "duration": "soon"}),
            "is not a duration",
        ),
    ] {
        let answer = ada.declare(&declaration).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{declaration}");
        assert!(answer.text().contains(says), "{says}: {}", answer.text());
    }
    assert_eq!(holds(&ada).await, [] as [serde_json::Value; 0]);
    world.close().await;
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    kind.strip_prefix("https://wayleave.example/problems/")
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_no_declaration_is_told_why() {
    let world = World::open().await;
    let ada = world.client("ada");
    let url = format!("{PORTAL}/v1/grants");
    let text = ada.post(&url, "text/plain", recruiting().to_string()).await;
    assert_eq!(
        (text.status, kind(&text).as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json")
    );
    for broken in ["{", "[]", "\"recruiting\"", ""] {
        let answer = ada.post(&url, "application/json", broken).await;
        assert_eq!(
            (answer.status, kind(&answer).as_str()),
            (StatusCode::BAD_REQUEST, "not-json"),
            "{broken}"
        );
    }
    // also more than a stream of HTTP/2 takes before somebody reads it
    for words in [5_000, 50_000] {
        let large = json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "x y ".repeat(words)});
        let large = ada.declare(&large).await;
        assert_eq!(
            (large.status, kind(&large).as_str()),
            (StatusCode::PAYLOAD_TOO_LARGE, "too-large")
        );
    }
    let put = ada.send(Request::put(&url)).await;
    assert_eq!(
        (put.status, put.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, POST")
    );
    let nowhere = ada.get(&format!("{PORTAL}/v1/secrets")).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_needs_approval_says_who_could_approve() {
    let world = World::open().await;
    let ben = world.client("ben");
    let refused = ben.navigate("https://www.linkedin.com/company/1/admin/").await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER);
    let page = ben.follow(refused.header("location"), "cross-site").await.text();
    assert!(page.contains("Mia Castellano (mia) must approve it"), "{page}");
    assert!(page.contains("once somebody has approved"), "{page}");
    assert!(page.contains("Ask for approval</button>"), "{page}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_rules_forbid_is_refused_and_recorded() {
    let world = World::planned(|plan| {
        let rule = r#"@id("test.no-api") @title("No API") @reason("Declare in the portal only.") @owner("IT")
            forbid (principal, action == Action::"declare", resource) when { context.channel == "api" };"#;
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), rule).unwrap();
    })
    .await;
    let answer = world.client("ada").declare(&recruiting()).await;
    assert_eq!(
        (answer.status, kind(&answer).as_str()),
        (StatusCode::FORBIDDEN, "prohibited")
    );
    assert!(
        answer.text().contains("Declare in the portal only."),
        "{}",
        answer.text()
    );
    assert_eq!(answer.json()["policies"], json!(["test.no-api"]));
    let refused = world
        .acts(|record| match &record.act {
            Act::Grant { act, policies, .. } => Some((*act, policies.len())),
            _ => None,
        })
        .await;
    assert_eq!(refused, [(GrantAct::Refused, 1)]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_is_judged_by_the_rules_that_are_in_force_once_it_is_there() {
    let world = World::open().await;
    let ada = world.client("ada").offering(&[b"http/1.1"]);
    let mut wire = Wire::on(ada.inside("wayleave.internal").await);
    world.sends(1);
    let body = recruiting().to_string();
    wire.say(format!(
        "POST /v1/grants HTTP/1.1\r\nHost: wayleave.internal\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    ))
    .await;
    // the counter waits for what comes
    assert!(wire.head().await.starts_with("HTTP/1.1 100 "));
    let rule = r#"@id("test.no-api") @title("No API") @reason("Declare in the portal only.") @owner("IT")
        forbid (principal, action == Action::"declare", resource) when { context.channel == "api" };"#;
    world.edit_rules("rules/90-test.cedar", rule).await;
    wire.say(body).await;
    let (head, problem) = wire.answer().await;
    assert!(
        head.starts_with("HTTP/1.1 403") && problem.contains("test.no-api"),
        "{head}{problem}"
    );
    assert!(holds(&world.client("ada")).await.is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_ended_through_the_channel_that_its_end_was_asked_on() {
    let world = World::planned(|plan| {
        let rule = r#"@id("test.no-api") @title("No API") @reason("End it on the command line.") @owner("IT")
            forbid (principal, action == Action::"revoke", resource) when { context.channel == "api" };"#;
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), rule).unwrap();
    })
    .await;
    let grant = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let end = Request::delete(format!("{PORTAL}/v1/grants/{}", grant.id));
    let by_script = world
        .client("ada")
        .delete(&format!("{PORTAL}/v1/grants/{}", grant.id))
        .await;
    assert_eq!(by_script.status, StatusCode::FORBIDDEN, "{}", by_script.text());
    let by_command = world
        .client("ada")
        .send(end.header(header::USER_AGENT, "wayleave/1"))
        .await;
    assert_eq!(by_command.status, StatusCode::OK, "{}", by_command.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_more_grants_than_one_may_hold() {
    let world = World::open().await;
    for _ in 0..wayleave::ledger::MOST_IN_FORCE {
        world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    }
    let answer = world.client("ada").declare(&recruiting()).await;
    assert_eq!(
        (answer.status, kind(&answer).as_str()),
        (StatusCode::CONFLICT, "too-many-grants")
    );
    world.close().await;
}

fn declare_form(body: String) -> (http::request::Builder, String) {
    let request = Request::post(format!("{PORTAL}/declare"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    (request, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_declare_for_the_person_in_front_of_the_browser() {
    let world = World::open().await;
    let ada = world.client("ada");
    let (refusal, token) = declare_page(&ada).await;
    for (origin, site) in [
        (Some("https://evil.example"), "cross-site"),
        (Some("null"), "cross-site"),
        (None, "cross-site"),
        (Some(PORTAL), "cross-site"),
        (Some("https://evil.example"), "same-origin"),
        (None, "same-origin"),
        (Some("http://wayleave.internal"), "same-origin"),
        (Some("https://wayleave.internal.evil.example"), "same-site"),
    ] {
        let (mut request, body) = declare_form(form(&fields(&refusal, &token)));
        request = request.header("sec-fetch-site", site);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = ada.send_with(request, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?} {site}");
    }
    let script = Request::post(format!("{PORTAL}/v1/grants"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "cors");
    let answer = ada.send_with(script, recruiting().to_string()).await;
    assert_eq!(
        (answer.status, kind(&answer).as_str()),
        (StatusCode::FORBIDDEN, "foreign-origin")
    );
    assert!(answer.header("access-control-allow-origin").is_empty());
    let plain = Request::post("http://wayleave.internal/declare")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("origin", PORTAL)
        .header("sec-fetch-site", "same-origin");
    let answer = ada.send_with(plain, form(&fields(&refusal, &token))).await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "in clear, a browser does not say where a form comes from"
    );
    assert_eq!(holds(&ada).await, [] as [serde_json::Value; 0]);

    // all that while the same form was good
    let declared = ada.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(declared.status, StatusCode::SEE_OTHER, "{}", declared.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_own_fresh_token_grants_nothing() {
    let world = World::open().await;
    let (ada, cora) = (world.client("ada"), world.client("cora"));
    let (refusal, token) = declare_page(&ada).await;
    let (foreign_refusal, foreign_token) = declare_page(&cora).await;
    for (refusal, token, why) in [
        (refusal.as_str(), "", "no token"),
        (&refusal, "AAAA", "a made-up token"),
        (&refusal, &foreign_token, "the token of another person"),
        (&foreign_refusal, &token, "a token for another refusal"),
        (&foreign_refusal, &foreign_token, "another person's refusal and token"),
    ] {
        let answer = ada.own_form("/declare", &fields(refusal, token)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{why}");
    }
    assert_eq!(holds(&ada).await, [] as [serde_json::Value; 0]);
    let declared = ada.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(declared.status, StatusCode::SEE_OTHER);
    let twice = ada.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(twice.status, StatusCode::FORBIDDEN, "a token is good once");
    assert_eq!(holds(&ada).await.len(), 1);

    world.clock.advance(Duration::from_secs(1));
    let (refusal, token) = declare_page(&cora).await;
    world.clock.advance(Duration::from_hours(1));
    let stale = cora.own_form("/declare", &fields(&refusal, &token)).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN, "a token is good for an hour");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_another_person_shows_nothing() {
    let world = World::open().await;
    let refused = world.client("ada").navigate(FEED).await;
    let link = refused.header("location");
    let answer = world.client("cora").follow(link, "cross-site").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(!answer.text().contains("linkedin"), "{}", answer.text());
    let record = world.closed("www.linkedin.com", "/feed/").await.record.id;
    for address in [
        format!("{PORTAL}/refusals/{record}"),
        format!("{PORTAL}/v1/decisions/{record}"),
    ] {
        assert_eq!(
            world.client("cora").get(&address).await.status,
            StatusCode::NOT_FOUND,
            "{address}"
        );
    }
    let granted = format!("{PORTAL}/refusals/{record}/granted");
    let granted = world.client("cora").get(&granted).await;
    assert_eq!(granted.header("location"), "/", "to her own page");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_ended_with_the_button_on_ones_own_page() {
    let world = World::open().await;
    let grant = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    let mine = ada.follow(&format!("{PORTAL}/"), "none").await;
    assert!(mine.text().contains("Recruiting"), "{}", mine.text());
    assert!(
        mine.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    let end = format!("/grants/{}/end", grant.id);
    let forged = ada.own_form(&end, &[("token", "AAAA")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let token = hidden(&mine.text(), "token");
    let ended = ada.own_form(&end, &[("token", &token)]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text());
    assert_eq!(
        ada.get("https://www.linkedin.com/feed/").await.status,
        StatusCode::FORBIDDEN
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_cannot_be_framed_or_fetched_by_a_site() {
    let world = World::open().await;
    let ada = world.client("ada");
    for (mode, dest) in [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")] {
        let request = Request::get(format!("{PORTAL}/"))
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", dest);
        assert_eq!(ada.send(request).await.status, StatusCode::FORBIDDEN, "{mode} {dest}");
    }
    let stranger = world.stranger().tunnel("wayleave.internal:443").await.err().unwrap();
    assert_eq!(stranger.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.close().await;
}
