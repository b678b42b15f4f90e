//! What came of it? Asked once a grant is over, answered by its holder only, corrected for some days, and in the book.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct, Report};

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};

async fn declared(client: &Client) -> String {
    let declaration = json!({
        "purpose": "recruiting", "platforms": ["linkedin"], "covers": ["read"], "duration": "PT2H",
        "statement": "Looking for a tester",
    });
    let created = client.declare(&declaration).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    // nobody is asked about what they never used
    let feed = client.get("https://www.linkedin.com/feed/").await;
    assert_eq!(feed.status, StatusCode::OK);
    created.json()["id"].as_str().unwrap().to_owned()
}

async fn says(client: &Client, id: &str, what: &Value) -> Answer {
    let call = Request::post(format!("{PORTAL}/v1/grants/{id}/outcome"));
    let call = call.header(header::CONTENT_TYPE, "application/json");
    client.send_with(call, what.to_string()).await
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The token of the form that asks what came of `id`.
fn token(page: &str, id: &str) -> String {
    let form = page.split(&format!("/grants/{id}/outcome\"")).nth(1);
    hidden(form.expect("a form"), "token")
}

fn reports(records: &[wayleave::facts::Record]) -> Vec<Report> {
    let told = records.iter().filter_map(|record| match &record.act {
        Act::Grant {
            act: GrantAct::Reported,
            grant,
            by,
            ..
        } => {
            assert_eq!(*by, grant.subject, "nobody else says it");
            grant.report.clone()
        }
        _ => None,
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_is_asked_on_their_own_page_answers_and_corrects_it() {
    let world = World::open().await;
    let ada = world.client("ada");
    let id = declared(&ada).await;
    let own = format!("{PORTAL}/");
    let home = || ada.navigate(&own);
    assert!(!home().await.text().contains("What came of it?"), "it is in force");
    world.clock.advance(Duration::from_hours(3));
    let page = home().await.text();
    assert!(
        page.contains("What came of it?") && page.contains("Candidates contacted"),
        "{page}"
    );
    let path = format!("/grants/{id}/outcome");
    let sent = token(&page, &id);
    let wrong = ada
        .own_form(&path, &[("token", &sent), ("amount", "many"), ("note", "")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text().contains("Go back and give a whole number"),
        "{}",
        wrong.text()
    );
    // whoever goes back gets the page anew
    let sent = token(&home().await.text(), &id);
    let script = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let fields = [("token", sent.as_str()), ("amount", "12"), ("note", script)];
    let sent = ada.own_form(&path, &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    let page = ada
        .navigate(&format!("{PORTAL}{}", sent.header("location")))
        .await
        .text();
    assert!(page.contains("Thank you: it is noted."), "{page}");
    assert!(page.contains("Candidates contacted: 12"), "{page}");
    let own = ada.navigate(&format!("{PORTAL}/grants/{id}")).await;
    for page in [&page, &own.text()] {
        assert!(
            !page.contains("<script>alert") && !page.contains("<img src=x"),
            "{page}"
        );
        assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    }

    // in French, and corrected
    let french = Request::get(format!("{PORTAL}/")).header(header::ACCEPT_LANGUAGE, "fr");
    let page = ada.send(french).await.text();
    assert!(
        page.contains("Ce que vous avez répondu") && page.contains("Candidats contactés"),
        "{page}"
    );
    world.clock.advance(Duration::from_hours(6 * 24));
    let page = home().await.text();
    let fields = [
        ("token", token(&page, &id)),
        ("amount", "9".to_owned()),
        ("note", String::new()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ada.own_form(&path, &fields).await.status, StatusCode::SEE_OTHER);
    let listed = ada.get(&format!("{PORTAL}/v1/grants/{id}")).await.json();
    assert_eq!(
        (&listed["report"]["amount"], &listed["report"]["department"]),
        (&json!(9), &json!("hr"))
    );
    world.clock.advance(Duration::from_hours(24));
    assert!(
        !home().await.text().contains("Candidates contacted"),
        "it is too late to correct it"
    );
    let late = says(&ada, &id, &json!({"amount": 8})).await;
    assert_eq!(
        (late.status, kind(&late).as_str()),
        (StatusCode::CONFLICT, "outcome-not-asked")
    );
    let told = reports(&world.close().await);
    assert_eq!(
        told.iter().map(|one| one.amount).collect::<Vec<_>>(),
        [Some(12), Some(9)]
    );
    assert_eq!(told[0].text, script, "to the letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_somebody_else_before_it_is_over_or_with_what_is_no_answer() {
    let world = World::open().await;
    let (ada, ben) = (world.client("ada"), world.client("ben"));
    let id = declared(&ada).await;
    let early = says(&ada, &id, &json!({"amount": 1})).await;
    assert_eq!(
        (early.status, kind(&early).as_str()),
        (StatusCode::CONFLICT, "outcome-not-asked")
    );
    ada.delete(&format!("{PORTAL}/v1/grants/{id}")).await;
    let listed = ada.get(&format!("{PORTAL}/v1/grants/{id}")).await.json();
    assert_eq!(
        listed["outcome_asked"]["metric"], "Candidates contacted",
        "what one ends oneself, too"
    );
    let other = says(&ben, &id, &json!({"amount": 1})).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(says(&ben, "nobodys", &json!({"amount": 1})).await.text(), other.text());
    let page = ben.navigate(&format!("{PORTAL}/grants/{id}")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let page = ada.navigate(&format!("{PORTAL}/")).await.text();
    let path = format!("/grants/{id}/outcome");
    let sent = token(&page, &id);
    let stolen = [("token", sent.as_str()), ("amount", "1"), ("note", "")];
    assert_eq!(
        ben.own_form(&path, &stolen).await.status,
        StatusCode::FORBIDDEN,
        "a token is one person's"
    );
    let forged = [("token", "forged"), ("skip", "yes")];
    assert_eq!(ada.own_form(&path, &forged).await.status, StatusCode::FORBIDDEN);
    let foreign = Request::post(format!("{PORTAL}{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, "https://www.linkedin.com")
        .header("sec-fetch-site", "cross-site");
    let foreign = ada.send_with(foreign, format!("token={sent}&skip=yes")).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    for wrong in [
        json!({}),
        json!({"amount": -1}),
        json!({"amount": 1.5}),
        json!({"amount": "12"}),
        json!({"amount": 1_000_000_001}),
        json!({"text": "x".repeat(501)}),
        json!({"text": 7}),
        json!({"skip": "yes"}),
        json!({"skip": true, "amount": 1}),
        json!({"amount": 1, "by": "ben"}),
    ] {
        let unfit = says(&ada, &id, &wrong).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "outcome-unfit"),
            "{wrong}: {}",
            unfit.text()
        );
    }
    let skipped = says(&ada, &id, &json!({"skip": true})).await;
    assert_eq!(skipped.status, StatusCode::OK, "{}", skipped.text());
    assert_eq!(skipped.json()["report"]["amount"], Value::Null);
    let told = reports(&world.close().await);
    assert!(told.len() == 1 && told[0].is_skipped(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_purpose_whose_value_is_not_counted_nobody_is_asked() {
    let world = World::open().await;
    let dan = world.client("dan");
    let grant = world.grant("dan", "personal-break", &["youtube"], &["read"]).await;
    world.clock.advance(Duration::from_hours(2));
    let page = dan.navigate(&format!("{PORTAL}/")).await.text();
    assert!(!page.contains("What came of it?"), "{page}");
    let asked = says(&dan, grant.id.as_str(), &json!({"amount": 1})).await;
    assert_eq!(
        (asked.status, kind(&asked).as_str()),
        (StatusCode::CONFLICT, "outcome-not-asked")
    );
    world.close().await;
}
