//! A script, markup or a formula in every field in which people write: kept as it was written, and shown as text wherever it is
//! shown.

use std::collections::BTreeSet;

use http::{Request, StatusCode, header};
use regex::Regex;
use serde_json::{Value, json};
use wayleave::portal::routes;

use super::{scene, without_own_scripts};
use crate::harness::PASSWORD;
use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::{PORTAL, hidden};
use crate::inbox::{opens, own_form, session};
use crate::walks::axe::stops;
use crate::walks::scene::refusal;

/// What ends an element, an attribute, a comment and a title, and what then would run.
const MARKUP: &str =
    "</textarea></title>--><script>alert(1)</script>\"'><img src=x onerror=alert(2)><b onclick=alert(3)>";

/// What must stand on no page, whatever it was that somebody wrote.
const RAW: [&str; 5] = ["<script", "<img", "<b onclick", "\"'>", "</title>--"];

/// The fields in which people write freely, and what tries each.
const FIELDS: [(&str, &str); 15] = [
    ("statement", "the declarations"),
    ("ticket", "the declarations: it has a pattern"),
    ("note", "declining, revoking, reviewing, the outcome"),
    ("amount", "the outcome"),
    ("name", "the tokens"),
    ("days", "the tokens"),
    ("to", "the delegations"),
    ("user", "the addresses"),
    ("host", "the addresses"),
    ("client", "the addresses"),
    ("policy", "the addresses"),
    ("grant", "the addresses"),
    ("since", "the addresses"),
    ("until", "the addresses"),
    ("password", "nothing shows it"),
];

async fn call(client: &Client, user: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let call = Request::post(format!("{PORTAL}{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic(user, PASSWORD));
    let answer = client.send_with(call, body.to_string()).await;
    (answer.status, answer.json())
}

/// Every page and file that somebody can open.
async fn all_pages(world: &World, user: &str, ids: &[String]) -> Vec<(String, String)> {
    let client = world.client(user);
    let session = session(&client).await;
    let mut pages = Vec::new();
    for route in routes().filter(|route| route.method == "GET" && route.below.is_empty()) {
        let braces = route.path.split_once('{');
        let paths: Vec<String> = match braces {
            None => vec![route.path.to_owned()],
            Some((start, rest)) => {
                let end = rest.split_once('}').unwrap().1;
                ids.iter().map(|id| format!("{start}{id}{end}")).collect()
            }
        };
        for path in paths {
            let answer = opens(&client, &path, &session).await;
            pages.push((format!("{user} {path}"), without_own_scripts(&answer)));
        }
    }
    pages
}

fn is_text(what: &str, page: &str) {
    for raw in RAW {
        // what is shown before the body ends is all there is: our own markup has none of these
        assert!(!page.contains(raw), "{what}: {raw} in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_in_which_people_write_is_tried() {
    let scene = scene().await;
    let field = Regex::new("<(?:input|textarea)[^>]*>").unwrap();
    let named = Regex::new(r#" name="([^"]+)""#).unwrap();
    let free = |field: &&str| {
        !["hidden", "radio", "checkbox", "date"]
            .iter()
            .any(|kind| field.contains(&format!("type=\"{kind}\"")))
    };
    let mut found = BTreeSet::new();
    for (who, before, after) in stops(&scene) {
        let client = scene.world.client(who);
        let session = if after.is_empty() {
            String::new()
        } else {
            session(&client).await
        };
        for stop in before.iter().chain(&after) {
            let Some(path) = stop.place.strip_prefix(PORTAL) else {
                continue;
            };
            let page = opens(&client, path, &session).await.text();
            let fields = field.find_iter(&page).map(|field| field.as_str()).filter(free);
            found.extend(fields.map(|field| named.captures(field).unwrap()[1].to_owned()));
        }
    }
    let tried: BTreeSet<String> = FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let untried: Vec<&String> = found.difference(&tried).collect();
    assert_eq!(untried, [] as [&String; 0], "say in `FIELDS` what tries them");
    for expected in ["statement", "ticket", "note", "name", "to", "user", "amount"] {
        assert!(found.contains(expected), "{expected}: {found:?}");
    }
    scene.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_write_is_text_on_every_page_that_shows_it() {
    let world = World::open().await;
    let (ada, ben, pia, mia) = (
        world.client("ada"),
        world.client("ben"),
        world.client("pia"),
        world.client("mia"),
    );
    let wants =
        |purpose: &str, platform: &str| json!({"purpose": purpose, "platforms": [platform], "statement": MARKUP});
    let id = |said: &Value| said["id"].as_str().unwrap().to_owned();
    let mut ids = Vec::new();
    // statements: in force, waiting, declined, approved with a note, in an emergency, revoked
    for (who, client, body, path) in [
        ("ada", &ada, wants("recruiting", "linkedin"), "/v1/grants"),
        ("ada", &ada, wants("recruiting", "xing"), "/v1/grants"),
        ("ben", &ben, wants("brand-publishing", "x"), "/v1/grants"),
        ("ben", &ben, wants("brand-publishing", "linkedin"), "/v1/grants"),
        ("ben", &ben, wants("brand-publishing", "facebook"), "/v1/grants"),
    ] {
        let (status, said) = call(client, who, path, body).await;
        assert!(status.is_success(), "{said}");
        ids.push(id(&said));
    }
    let mut crisis = wants("crisis-response", "x");
    crisis["ticket"] = "INC-7".into();
    let (status, broke) = call(&pia, "pia", "/v1/break-glass", crisis.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{broke}");
    ids.push(id(&broke));
    // a ticket has a pattern, which no markup fits
    crisis["ticket"] = MARKUP.into();
    assert_eq!(
        call(&pia, "pia", "/v1/break-glass", crisis).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for (who, client, path, body) in [
        (
            "mia",
            &mia,
            format!("/v1/grants/{}/approve", ids[2]),
            json!({"note": MARKUP}),
        ),
        (
            "mia",
            &mia,
            format!("/v1/grants/{}/decline", ids[3]),
            json!({"note": MARKUP}),
        ),
        (
            "sol",
            &world.client("sol"),
            "/v1/revocations".to_owned(),
            json!({"grant": ids[1], "reason": MARKUP}),
        ),
        (
            "nora",
            &world.client("nora"),
            format!("/v1/grants/{}/review", ids[5]),
            json!({"accepted": false, "note": MARKUP}),
        ),
    ] {
        let (status, said) = call(client, who, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {said}");
    }
    let short: String = MARKUP.chars().take(60).collect();
    let (status, said) = call(&ada, "ada", "/v1/tokens", json!({"name": short, "scope": ["read"]})).await;
    assert_eq!(status, StatusCode::CREATED, "{said}");
    let record = refusal(
        &ada,
        "https://www.linkedin.com/%3Cscript%3Ealert(1)%3C/script%3E/\"'><b onclick=alert(3)>"
            .replace(['<', '>', '"', ' '], "%3C")
            .as_str(),
    )
    .await;
    ids.push(record);

    let mut shown = 0;
    for user in ["ada", "ben", "pia", "mia", "nora", "sol"] {
        for (what, page) in all_pages(&world, user, &ids).await {
            is_text(&what, &page);
            shown += page.matches("&#60;script&#62;alert(1)").count();
        }
    }
    assert!(shown > 10, "it was shown {shown} times only");

    // what came of it
    world.clock.advance(std::time::Duration::from_hours(9));
    let outcome = json!({"amount": 1, "text": MARKUP});
    let (status, said) = call(&ada, "ada", &format!("/v1/grants/{}/outcome", ids[0]), outcome).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    for user in ["ada", "mia", "sol"] {
        for (what, page) in all_pages(&world, user, &ids).await {
            is_text(&what, &page);
        }
    }
    world.close().await;
}

/// What is sent and cannot be taken is shown once more to whoever sent it; so is what an address says.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_or_a_wrong_form_says_is_text_in_the_answer() {
    let scene = scene().await;
    let world = &scene.world;
    let names = [
        "to", "user", "purpose", "platform", "grant", "after", "weeks", "limit", "lang", "ended", "renewed",
        "reported", "revoked", "answered", "reviewed", "token", "q", "activity", "outcome", "since", "until", "all",
        "host", "client", "policy", "let_pass",
    ];
    let braces = Regex::new(r"\{[a-z]+\}").unwrap();
    for user in ["ada", "mia", "sol"] {
        let client = world.client(user);
        let session = session(&client).await;
        for route in routes().filter(|route| route.method == "GET") {
            let said: Vec<(&str, &str)> = names.iter().map(|name| (*name, MARKUP)).collect();
            let in_path: String = form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect();
            let path = braces.replace_all(route.path, in_path.as_str()).into_owned();
            let path = format!("{}{path}?{}", route.below, crate::harness::house::form(&said));
            let answer = opens(&client, &path, &session).await;
            if answer.header("content-type").starts_with("text/html") {
                is_text(&path, &without_own_scripts(&answer));
            } else {
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            }
        }
        let nowhere = opens(&client, "/%3Cscript%3Ealert(1)%3C/script%3E", &session).await;
        is_text("nowhere", &nowhere.text());
    }
    let ada = world.client("ada");
    let page = opens(&ada, &format!("/refusals/{}", scene.refused), "").await.text();
    let (refusal, token) = (hidden(&page, "refusal"), hidden(&page, "token"));
    let fields = [
        ("refusal", refusal.as_str()),
        ("token", &token),
        ("purpose", MARKUP),
        ("statement", MARKUP),
        ("ticket", MARKUP),
    ];
    let again = ada.own_form("/declare", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    is_text("/declare", &again.text());
    let mia = world.client("mia");
    let cookie = session(&mia).await;
    let page = opens(&mia, "/delegations", &cookie).await.text();
    let (_, wanted) = page.split_once("action=\"/delegations\"").unwrap();
    let token = hidden(wanted, "token");
    let fields = [
        ("token", token.as_str()),
        ("to", MARKUP),
        ("from", MARKUP),
        ("until", MARKUP),
        ("for.x\"><script>", "yes"),
    ];
    let again = own_form(&mia, "/delegations", &cookie, &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    is_text("/delegations", &again.text());
    let page = opens(&mia, "/tokens", &cookie).await.text();
    let token = hidden(&page, "token");
    let fields = [
        ("token", token.as_str()),
        ("name", MARKUP),
        ("days", MARKUP),
        ("scope-<script>", "yes"),
    ];
    let again = own_form(&mia, "/tokens", &cookie, &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    is_text("/tokens", &again.text());
    scene.world.close().await;
}
