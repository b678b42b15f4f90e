//! How fast requests for a purpose are usually answered: told wherever somebody is about to ask, or waits, once five were.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::approvals::proven;
use crate::harness::World;
use crate::harness::house::PORTAL;

const SAID: &str = "Usually answered within 10 minutes.";

/// Ben asks to publish on X, and Mia declines that after so many minutes.
async fn asked_and_declined_after(world: &World, minutes: u64) {
    let brand = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle"});
    let asked = world.client("ben").declare(&brand).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    world.clock.advance(Duration::from_mins(minutes));
    let path = format!("/v1/grants/{id}/decline");
    let declined = proven(world, "mia", &path, json!({"note": "Not today"})).await;
    assert_eq!(declined.status, StatusCode::OK, "{}", declined.text());
}

/// What is said to Ben: on the page of a refusal, on that of the purpose, to a program that is refused, and in the list of
/// purposes.
async fn said(world: &World) -> (String, String, Value, Value) {
    let ben = world.client("ben");
    let refused = ben.navigate("https://x.com/home").await;
    let declare = ben.follow(refused.header("location"), "cross-site").await.text();
    let purpose = ben.follow(&format!("{PORTAL}/purposes/brand-publishing"), "none").await;
    let tweet = "https://x.com/i/api/graphql/AbC/CreateTweet";
    let problem = ben.post(tweet, "application/json", "{}").await.json();
    let of = |all: &Value| {
        let all = all["purposes"].as_array().unwrap();
        let one = all.iter().find(|one| one["id"] == "brand-publishing");
        one.unwrap_or_else(|| panic!("{all:?}")).clone()
    };
    let listed = ben.get(&format!("{PORTAL}/v1/purposes?limit=100")).await.json();
    (declare, purpose.text(), of(&problem), of(&listed))
}

#[tokio::test(flavor = "multi_thread")]
async fn how_fast_a_purpose_is_answered_is_told_of_five_answers_wherever_one_asks_or_waits() {
    let world = World::open().await;
    for minutes in [6, 7, 8, 90] {
        asked_and_declined_after(&world, minutes).await;
    }
    let (declare, purpose, problem, listed) = said(&world).await;
    for page in [&declare, &purpose] {
        assert!(
            page.contains("Mia Castellano") && !page.contains("Usually answered"),
            "{page}"
        );
    }
    assert_eq!(problem["usually_answered_within"], Value::Null, "four say nothing");
    assert_eq!(listed["usually_answered_within_s"], Value::Null);

    asked_and_declined_after(&world, 9).await;
    let (declare, purpose, problem, listed) = said(&world).await;
    for page in [&declare, &purpose] {
        assert_eq!(page.matches(SAID).count(), 1, "of this purpose alone: {page}");
    }
    assert_eq!(problem["usually_answered_within"], "PT10M", "{problem}");
    assert_eq!(listed["usually_answered_within_s"], 600, "{listed}");
    let french = Request::get(format!("{PORTAL}/purposes/brand-publishing"))
        .header(header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "none");
    let french = world.client("ben").send(french).await.text();
    assert!(
        french.contains("La réponse vient d’habitude en moins de 10"),
        "{french}"
    );

    // while a request waits, its page, one's own page and the answer to the call say so
    let ben = world.client("ben");
    let brand = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle"});
    let asked = ben.declare(&brand).await.json();
    assert_eq!(asked["usually_answered_within_s"], 600, "{asked}");
    let mine = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(mine.contains(SAID), "{mine}");

    // what was answered long ago says nothing any more
    world.clock.advance(Duration::from_hours(24 * 91));
    let (declare, purpose, ..) = said(&world).await;
    assert!(!declare.contains("Usually answered") && !purpose.contains("Usually answered"));
    world.close().await;
}
