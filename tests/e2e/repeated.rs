//! Calls that are sent again: with a key, they are done once, whoever lost the answer; and lists come page by page.

use http::{Request, StatusCode};
use serde_json::{Value, json};
use wayleave::facts::GrantAct;

use crate::crashes::declaration;
use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;
use crate::harness::{PASSWORD, World};

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

/// Sends a call with a key, proven with the password of `who`.
pub async fn keyed(client: &Client, who: &str, (path, body): (&str, &Value), key: &str) -> Answer {
    let request = Request::post(format!("{PORTAL}{path}"))
        .header("content-type", "application/json")
        .header("authorization", Client::basic(who, PASSWORD))
        .header("idempotency-key", key);
    client.send_with(request, body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_a_key_is_done_once_also_after_a_restart() {
    let mut world = World::open().await;
    let ada = world.client("ada");
    let declares = ("/v1/grants", &declaration());
    let first = keyed(&ada, "ada", declares, "\"one\"").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = keyed(&ada, "ada", declares, "one").await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (StatusCode::CREATED, "true")
    );
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("location"), first.header("location"));

    let mut other = declaration();
    other["statement"] = "Somebody else entirely, for the Paris team".into();
    let reused = keyed(&ada, "ada", ("/v1/grants", &other), "one").await;
    assert_eq!(
        (reused.status, kind(&reused).as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "key-reused")
    );
    // a key is its sender's own
    let dan = world.client("dan");
    let theirs = json!({
        "purpose": "market-research", "platforms": ["linkedin"], "statement": "What do competitors offer?",
    });
    let of_another = keyed(&dan, "dan", ("/v1/grants", &theirs), "one").await;
    assert_eq!(of_another.status, StatusCode::CREATED, "{}", of_another.text());

    world.reopen().await;
    let ada = world.client("ada");
    let after = keyed(&ada, "ada", declares, "one").await;
    assert_eq!(
        (after.status, after.header("idempotency-replayed")),
        (StatusCode::CREATED, "true")
    );
    assert_eq!(after.json()["id"], first.json()["id"]);
    let held = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(held["grants"].as_array().unwrap().len(), 1);
    let another = keyed(&ada, "ada", declares, "two").await;
    assert_ne!(another.json()["id"], first.json()["id"]);
    for bad in ["\"\"", "a b", "\"one", &"x".repeat(256)] {
        let unfit = keyed(&ada, "ada", declares, bad).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::BAD_REQUEST, "key-unfit"),
            "{bad}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_asked_anew_and_what_waits_renews_or_is_revoked_is_done_once() {
    let world = World::open().await;
    let ben = world.client("ben");
    let refused = json!({ "purpose": "nonsense", "platforms": ["x"] });
    let unfit = keyed(&ben, "ben", ("/v1/grants", &refused), "k").await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY);
    let wants = json!({
        "purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle",
    });
    let asked = keyed(&ben, "ben", ("/v1/grants", &wants), "k").await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let again = keyed(&ben, "ben", ("/v1/grants", &wants), "k").await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (StatusCode::ACCEPTED, asked.json()["id"].clone())
    );

    let ada = world.client("ada");
    let granted = ada.declare(&declaration()).await.json();
    let path = format!("/v1/grants/{}/renew", granted["id"].as_str().unwrap());
    let renewed = keyed(&ada, "ada", (&path, &json!({})), "renews").await;
    let again = keyed(&ada, "ada", (&path, &json!({})), "renews").await;
    assert_eq!(
        (renewed.status, again.status),
        (StatusCode::CREATED, StatusCode::CREATED),
        "{}",
        renewed.text()
    );
    assert_eq!(renewed.json()["id"], again.json()["id"]);

    let sol = world.client("sol");
    let revokes = json!({ "user": "ada", "reason": "A stolen laptop" });
    let revoked = keyed(&sol, "sol", ("/v1/revocations", &revokes), "ends").await;
    assert_eq!(
        (revoked.status, revoked.json()["count"].clone()),
        (StatusCode::OK, json!(2)),
        "{}",
        revoked.text()
    );
    let again = keyed(&sol, "sol", ("/v1/revocations", &revokes), "ends").await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, revoked.json()));
    let unproven = Request::post(format!("{PORTAL}/v1/revocations"))
        .header("content-type", "application/json")
        .header("idempotency-key", "ends");
    let unproven = sol.send_with(unproven, revokes.to_string()).await;
    assert_eq!(
        unproven.status,
        StatusCode::UNAUTHORIZED,
        "what others held is not shown without the password"
    );
    let ended = world
        .acts(|record| match &record.act {
            wayleave::facts::Act::Grant {
                act: GrantAct::Revoked, ..
            } => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(ended.len(), 2);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_call_sent_many_times_at_once_one_is_done() {
    let world = World::open().await;
    let ada = world.client("ada");
    let declares = declaration();
    let calls = (0..6).map(|_| keyed(&ada, "ada", ("/v1/grants", &declares), "one"));
    let answers = futures_util::future::join_all(calls).await;
    let mut created = std::collections::BTreeSet::new();
    for answer in &answers {
        match answer.status {
            StatusCode::CREATED => drop(created.insert(answer.json()["id"].to_string())),
            StatusCode::CONFLICT => {
                assert_eq!(kind(answer), "key-in-use");
                assert_eq!(answer.header("retry-after"), "2");
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert_eq!(created.len(), 1);
    let held = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(held["grants"].as_array().unwrap().len(), 1);
    world.close().await;
}

/// Follows the links from a list to its last page, and returns the ids page by page.
async fn pages(client: &Client, path: &str, what: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = client.get(&format!("{PORTAL}{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let json = answer.json();
        let ids = json[what].as_array().unwrap().iter();
        let name = |item: &Value| {
            item.get("id")
                .or(item.get("platform"))
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        pages.push(ids.map(name).collect());
        let link = answer.header("link").to_owned();
        assert_eq!(link.is_empty(), json["next"].is_null(), "{link}");
        next = link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""))
            .map(str::to_owned);
    }
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_page_by_page_and_each_page_leads_to_the_next() {
    let world = World::open().await;
    let ada = world.client("ada");
    for place in ["linkedin", "xing"] {
        let mut declares = declaration();
        declares["platforms"] = json!([place]);
        let granted = ada.declare(&declares).await;
        assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    }
    let all = pages(&ada, "/v1/grants", "grants").await;
    let singly = pages(&ada, "/v1/grants?limit=1", "grants").await;
    assert_eq!((all.len(), singly.len()), (1, 2));
    assert_eq!(singly.concat(), all.concat());
    let purposes = pages(&ada, "/v1/purposes", "purposes").await;
    assert_eq!(
        pages(&ada, "/v1/purposes?limit=2", "purposes").await.concat(),
        purposes.concat()
    );
    let sol = world.client("sol");
    let all = pages(&sol, "/v1/grants?purpose=recruiting", "grants").await;
    let singly = pages(&sol, "/v1/grants?purpose=recruiting&limit=1", "grants").await;
    assert_eq!((singly.len(), singly.concat()), (2, all.concat()));
    for bad in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "after=",
        "after=a%20b",
        "after=zzz",
    ] {
        let unfit = ada.get(&format!("{PORTAL}/v1/grants?{bad}")).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "query-unfit"),
            "{bad}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_asks_what_its_person_may_do_and_why() {
    let world = World::open().await;
    let (ada, eve) = (world.client("ada"), world.client("eve"));
    let ask = |client: Client, body: Value| async move {
        client
            .post(
                &format!("{PORTAL}/v1/explanations"),
                "application/json",
                body.to_string(),
            )
            .await
    };
    let feed = json!({ "to": "https://www.linkedin.com/feed/" });
    let before = ask(ada.clone(), feed.clone()).await.json();
    assert_eq!(
        (before["outcome"].as_str(), before["passes"].as_bool()),
        (Some("declare"), Some(false))
    );
    assert_eq!(ada.declare(&declaration()).await.status, StatusCode::CREATED);
    let after = ask(ada.clone(), feed).await.json();
    assert_eq!(
        (after["outcome"].as_str(), after["who"].as_str()),
        (Some("allow"), Some("ada"))
    );
    assert!(world.origin.received().is_empty(), "nothing is sent anywhere");
    for bad in [
        json!({}),
        json!({ "to": "ftp://x" }),
        json!({ "to": "https://x.com/", "method": "P OST" }),
        json!({ "to": "https://x.com/", "headers": { "a\r\nb": "c" } }),
        json!({ "to": "https://x.com/", "headers": { "a": "b\r\nc" } }),
    ] {
        let unfit = ask(ada.clone(), bad).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "question-unfit")
        );
    }

    let matrix = ada.get(&format!("{PORTAL}/v1/matrix?platform=linkedin")).await.json();
    let post = &matrix["platforms"][0]["access"]["read"]["post"]["open"];
    assert_eq!(post["free"], json!(false));
    assert!(
        post["declared"].as_array().unwrap().contains(&json!("recruiting")),
        "{post}"
    );
    let of_an_intern = eve.get(&format!("{PORTAL}/v1/matrix?platform=linkedin")).await.json();
    let post = &of_an_intern["platforms"][0]["access"]["read"]["post"]["open"];
    assert_eq!(post["declared"], json!([]));

    assert_eq!(eve.get("https://x.com/home").await.status, StatusCode::FORBIDDEN);
    let refusals = eve.get(&format!("{PORTAL}/v1/decisions")).await.json();
    let id = refusals["decisions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(refusals["decisions"][0]["host"], "x.com");
    let whole = eve.get(&format!("{PORTAL}/v1/decisions/{id}")).await.json();
    assert_eq!(
        (whole["id"].as_str(), whole["host"].as_str()),
        (Some(id.as_str()), Some("x.com"))
    );
    let of_another = ada.get(&format!("{PORTAL}/v1/decisions/{id}")).await;
    assert_eq!(of_another.status, StatusCode::NOT_FOUND);
    let theirs = ada.get(&format!("{PORTAL}/v1/decisions")).await.json();
    assert_eq!(theirs["decisions"], json!([]));
    world.close().await;
}
