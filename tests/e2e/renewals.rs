//! The same once more, with one click: from now on, for as long as before, by the rules of now.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct};

use crate::approvals::without_cases;
use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;

const FEED: &str = "https://www.linkedin.com/feed/";

async fn declared(client: &Client) -> Value {
    let declaration = json!({
        "purpose": "recruiting", "platforms": ["linkedin"], "covers": ["read"], "duration": "PT2H",
        "statement": "Looking for a tester", "ticket": "HR-7",
    });
    let created = client.declare(&declaration).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    created.json()
}

async fn renews(client: &Client, id: &Value) -> Answer {
    let url = format!("{PORTAL}/v1/grants/{}/renew", id.as_str().unwrap());
    client.send(http::Request::post(url)).await
}

/// The token of the first button that renews `id`, if there is one.
fn button(page: &str, id: &Value) -> Option<String> {
    let form = page
        .split(&format!("/grants/{}/renew\"", id.as_str().unwrap()))
        .nth(1)?;
    let token = form.split("value=\"").nth(1)?;
    Some(token.split('"').next()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_soon_or_ended_lately_is_renewed_once_with_its_parent() {
    let world = World::open().await;
    let ada = world.client("ada");
    let first = declared(&ada).await;
    world.clock.advance(Duration::from_mins(90));
    let page = ada.navigate(&format!("{PORTAL}/")).await.text();
    let token = button(&page, &first["id"]).expect("a button");
    let path = format!("/grants/{}/renew", first["id"].as_str().unwrap());
    let pressed = ada.own_form(&path, &[("token", &token)]).await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER, "{}", pressed.text());
    let page = ada
        .navigate(&format!("{PORTAL}{}", pressed.header("location")))
        .await
        .text();
    assert!(page.contains("Renewed. It opens the same as before"), "{page}");
    assert_eq!(button(&page, &first["id"]), None, "once");
    let again = renews(&ada, &first["id"]).await.json();
    assert_eq!(again["parent"], first["id"], "the one that there is");
    for same in ["purpose", "platforms", "covers", "statement", "ticket"] {
        assert_eq!(again[same], first[same], "{same}");
    }
    assert_eq!(again["left_s"], 7_200, "as long as before, from now on");
    world.clock.advance(Duration::from_mins(121));
    assert_eq!(ada.get(FEED).await.status, StatusCode::FORBIDDEN);
    let page = ada.navigate(&format!("{PORTAL}/")).await.text();
    assert!(page.contains("Ended in the last day"), "{page}");
    assert_eq!(
        (button(&page, &first["id"]), button(&page, &again["id"]).is_some()),
        (None, true)
    );
    let third = renews(&ada, &again["id"]).await;
    assert_eq!(
        (third.status, &third.json()["parent"]),
        (StatusCode::CREATED, &again["id"])
    );
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK);
    let records = world.close().await;
    let parents = records.iter().filter_map(|record| match &record.act {
        Act::Grant {
            act: GrantAct::Granted,
            grant,
            ..
        } => Some(grant.parent.as_ref().map(ToString::to_string)),
        _ => None,
    });
    let ids = [&first["id"], &again["id"]].map(|id| id.as_str().map(str::to_owned));
    assert_eq!(parents.collect::<Vec<_>>(), [None, ids[0].clone(), ids[1].clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ones_own_was_ended_or_is_long_over_cannot_be_renewed() {
    let world = World::open().await;
    let ada = world.client("ada");
    let first = declared(&ada).await;
    let other = renews(&world.client("ben"), &first["id"]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(renews(&ada, &json!("nobodys")).await.text(), other.text());
    ada.delete(&format!("{PORTAL}/v1/grants/{}", first["id"].as_str().unwrap()))
        .await;
    let ended = renews(&ada, &first["id"]).await;
    assert_eq!(ended.status, StatusCode::CONFLICT, "{}", ended.text());
    assert!(ended.text().contains("State the purpose anew"), "{}", ended.text());
    let second = declared(&ada).await;
    world.clock.advance(Duration::from_hours(26));
    assert_eq!(renews(&ada, &second["id"]).await.status, StatusCode::CONFLICT);
    let path = format!("/grants/{}/renew", second["id"].as_str().unwrap());
    assert_eq!(
        ada.own_form(&path, &[("token", "forged")]).await.status,
        StatusCode::FORBIDDEN
    );
    world.close().await;
}

const NOT_ADA: &str = r#"@id("test.not-ada") @title("Ada is on leave") @reason("Ada is on leave.") @owner("HR")
forbid (principal == User::"ada", action == Action::"declare", resource);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_declare_any_more_cannot_renew_and_what_is_narrower_now_is_stated_anew() {
    let world = World::planned(without_cases).await;
    let ada = world.client("ada");
    let first = declared(&ada).await;
    let purposes = world.read_policy("purposes.toml");
    let shorter = purposes.replace(
        "id = \"recruiting\"\n",
        "id = \"recruiting\"\nlongest = { read = \"1h\" }\n",
    );
    world.edit_rules("purposes.toml", &shorter).await;
    let unfit = renews(&ada, &first["id"]).await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unfit.json()["type"].as_str().unwrap().ends_with("/declaration-unfit"),
        "{}",
        unfit.text()
    );
    world.edit_rules("purposes.toml", &purposes).await;
    world.edit_rules("rules/90-test.cedar", NOT_ADA).await;
    let refused = renews(&ada, &first["id"]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("Ada is on leave."), "{}", refused.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_must_approve_is_asked_for_again() {
    let world = World::open().await;
    let ben = world.client("ben");
    let declaration = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "The new bicycle"});
    let asked = ben.declare(&declaration).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    assert_eq!(
        renews(&ben, &asked.json()["id"]).await.status,
        StatusCode::CONFLICT,
        "it waits still"
    );
    let approve = format!("{PORTAL}/v1/grants/{}/approve", asked.json()["id"].as_str().unwrap());
    let proven = http::Request::post(approve).header(
        http::header::AUTHORIZATION,
        Client::basic("mia", crate::harness::PASSWORD),
    );
    assert_eq!(world.client("mia").send(proven).await.status, StatusCode::OK);
    let renewal = renews(&ben, &asked.json()["id"]).await;
    assert_eq!(renewal.status, StatusCode::ACCEPTED, "{}", renewal.text());
    assert_eq!(
        (&renewal.json()["parent"], &renewal.json()["state"]),
        (&asked.json()["id"], &json!("requested"))
    );
    assert_eq!(
        renews(&ben, &asked.json()["id"]).await.json()["id"],
        renewal.json()["id"]
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_instant_get_one_renewal() {
    let world = World::open().await;
    let ada = world.client("ada");
    let first = declared(&ada).await;
    let answers = futures_util::future::join_all((0..12).map(|_| renews(&ada, &first["id"]))).await;
    let ids: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let listed = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(listed["grants"].as_array().unwrap().len(), 2, "{listed}");
    world.close().await;
}
