//! A world in which every page has something to show, and the places where its pages are.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::delegations::{asks, delegates};
use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;
use crate::harness::origin::Papers;
use crate::harness::{Plan, World, add_account};
use crate::tokens::make;
use crate::value::{PEOPLE, used_by};

pub const FEED: &str = "https://www.linkedin.com/feed/";
/// Ben may open it only once somebody has approved.
pub const ADMIN: &str = "https://www.linkedin.com/company/1/admin/";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
pub const X: &str = "https://x.com/";
pub const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";
/// A host whose certificate is for another name.
pub const BROKEN: &str = "https://www.youtube.com/";
/// An account for which the directory has nobody.
pub const GUEST: &str = "guest";

/// What stands in a page's address where the router's table has braces.
pub struct Scene {
    pub world: World,
    /// Ada's grant that is in force, and one that is over, of which it is asked what came of it.
    pub live: String,
    pub over: String,
    /// Ada's refusal that a purpose opens, Pia's that only break-glass does, and Eve's that nothing opens.
    pub refused: String,
    pub urgent: String,
    pub prohibited: String,
}

impl Scene {
    /// The rulebook in force.
    pub fn rulebook(&self) -> String {
        self.world.gate().live().load().rulebook.id().to_string()
    }
}

/// Everybody has done something by now.
pub async fn lived_in() -> Scene {
    lived_in_with(|_| {}).await
}

/// The same in a world that differs.
pub async fn lived_in_with(differ: impl FnOnce(&mut Plan)) -> Scene {
    let world = World::planned(|plan| {
        differ(plan);
        plan.papers.push(("www.youtube.com", Papers::WrongName));
        plan.settings.portal.contact = Some("help desk, extension 4711".to_owned());
        add_account(&plan.settings, GUEST);
    })
    .await;
    used_by(&world, &PEOPLE, 2).await;
    world.clock.advance(Duration::from_hours(14 * 24));
    world.gate().add_up().await;

    let ada = world.client("ada");
    let over = declares(&ada, "PT1H").await;
    // nobody is asked about what they never used
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    let reported = declares(&ada, "PT1H").await;
    world.clock.advance(Duration::from_hours(2));
    let said = json!({"amount": 12, "text": "Three of them come to see us"});
    let said = calls(&ada, &format!("/v1/grants/{reported}/outcome"), &said).await;
    assert_eq!(said.0, StatusCode::OK, "{}", said.1);
    let live = declares(&ada, "PT8H").await;
    let refused = record_of(&ada.get("https://www.xing.com/jobs").await);
    make(&world, "ada", &["read"]).await;

    asks(&world, "ben").await;
    delegates(&world, "mia", json!({"to": "nora", "until": "2026-12-20"})).await;
    let crisis = json!({
        "purpose": "crisis-response", "platforms": ["x"], "ticket": "INC-7", "statement": "The plant is on fire",
    });
    let pia = world.client("pia");
    let broke = calls(&pia, "/v1/break-glass", &crisis).await;
    assert_eq!(broke.0, StatusCode::CREATED, "{}", broke.1);
    let urgent = refusal(&pia, SHARE).await;
    world
        .grant("eve", "social-listening", &["x", "youtube"], &["read"])
        .await;
    let prohibited = refusal(&world.client("eve"), SHARE).await;
    Scene {
        world,
        live,
        over,
        refused,
        urgent,
        prohibited,
    }
}

async fn calls(client: &Client, path: &str, body: &Value) -> (StatusCode, Value) {
    let call = Request::post(format!("{PORTAL}{path}")).header(header::CONTENT_TYPE, "application/json");
    let answer = client.send_with(call, body.to_string()).await;
    (answer.status, answer.json())
}

/// A purpose for `LinkedIn`; gives the grant.
pub async fn declares(client: &Client, duration: &str) -> String {
    let declaration = json!({
        "purpose": "recruiting", "platforms": ["linkedin"], "duration": duration, "covers": ["read"],
        "statement": "Rust engineers for the Lyon team",
    });
    let (status, said) = calls(client, "/v1/grants", &declaration).await;
    assert_eq!(status, StatusCode::CREATED, "{said}");
    said["id"].as_str().unwrap().to_owned()
}

/// A call to a site that is refused; gives its record.
pub async fn refusal(client: &Client, url: &str) -> String {
    record_of(&client.post(url, "application/json", "{}").await)
}

/// The record of a refusal.
pub fn record_of(refused: &Answer) -> String {
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    let instance = refused.json()["instance"].as_str().unwrap().to_owned();
    instance.rsplit('/').next().unwrap().to_owned()
}
