//! How much purposes are used, and what comes of them: told of groups only, to whom the rules let see it.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::approvals::without_cases;
use crate::attacks::without_own_scripts;
use crate::harness::World;
use crate::harness::client::Answer;
use crate::harness::house::PORTAL;

const FEED: &str = "https://www.linkedin.com/feed/";
const DAY: Duration = Duration::from_hours(24);

/// Five people, of five departments but one.
pub const PEOPLE: [&str; 5] = ["ada", "ben", "cora", "dan", "hana"];

/// Each of them states a purpose, opens a page so many times, and says what came of it once that is over.
pub async fn used_by(world: &World, people: &[&str], times: usize) {
    let mut grants = Vec::new();
    for user in people {
        let client = world.client(user);
        let declaration = json!({
            "purpose": "competitor-research", "platforms": ["linkedin"], "duration": "PT1H",
            "statement": "What the others publish",
        });
        let created = client.declare(&declaration).await;
        assert_eq!(created.status, StatusCode::CREATED, "{user}: {}", created.text());
        for _ in 0..times {
            assert_eq!(client.get(FEED).await.status, StatusCode::OK, "{user}");
        }
        grants.push((client, created.json()["id"].as_str().unwrap().to_owned()));
    }
    world.clock.advance(Duration::from_hours(2));
    for (client, id) in grants {
        let call = Request::post(format!("{PORTAL}/v1/grants/{id}/outcome"));
        let call = call.header(header::CONTENT_TYPE, "application/json");
        let said = client.send_with(call, json!({"amount": 2}).to_string()).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text());
    }
}

async fn told(world: &World, user: &str, query: &str) -> Answer {
    world.client(user).get(&format!("{PORTAL}/v1/value{query}")).await
}

/// The figures of the purpose, without what hangs on how many bytes the stand-in sends.
fn figures(answer: &Answer) -> Vec<(String, String, String, Value, Value)> {
    let said = answer.json();
    let purposes = said["purposes"].as_array().unwrap();
    let of = purposes.iter().find(|purpose| purpose["id"] == "competitor-research");
    let figures = of.unwrap()["figures"].as_array().unwrap();
    let word = |figure: &Value, key: &str| figure[key].as_str().unwrap_or_default().to_owned();
    let told = figures.iter().map(|figure| {
        (
            word(figure, "measure"),
            word(figure, "part"),
            word(figure, "name"),
            figure["people"].clone(),
            figure["count"].clone(),
        )
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_did_is_told_once_its_week_is_over_and_nobody_is_named() {
    let mut world = World::open().await;
    used_by(&world, &PEOPLE, 3).await;
    world.gate().add_up().await;
    assert_eq!(figures(&told(&world, "mia", "").await), [], "the week lasts");
    world.clock.advance(7 * DAY);
    // what was counted survives a restart, at which it is told
    world.reopen().await;
    world.gate().add_up().await;
    let (whole, platform, department) = ("all", "platform", "department");
    let of = |measure: &str, part: &str, name: &str, people: Value, count: u64| {
        (
            measure.to_owned(),
            part.to_owned(),
            name.to_owned(),
            people,
            json!(count),
        )
    };
    let usage = [
        of("flows", whole, "", json!(5), 15),
        of("flows", department, "(others)", json!(5), 15),
        of("flows", platform, "linkedin", Value::Null, 15),
        of("grants", whole, "", json!(5), 5),
        of("grants", department, "(others)", json!(5), 5),
        of("grants", platform, "linkedin", Value::Null, 5),
    ];
    let seen = told(&world, "mia", "").await;
    assert_eq!(figures(&seen), usage, "{}", seen.text());
    let weeks = regex::Regex::new(r#""week":"([^"]*)""#).unwrap();
    assert!(
        weeks.captures_iter(&seen.text()).all(|week| &week[1] == "2026-11-23"),
        "{}",
        seen.text()
    );
    world.clock.advance(7 * DAY);
    world.gate().add_up().await;
    let value = [
        of("value", whole, "", json!(5), 10),
        of("value", department, "(others)", json!(5), 10),
        of("value", platform, "linkedin", Value::Null, 10),
    ];
    // a member of the board sees it, too
    let seen = told(&world, "nora", "?purpose=competitor-research").await;
    assert_eq!(figures(&seen), [usage.as_slice(), &value].concat());

    // in words, as charts, and for spreadsheets
    let mia = world.client("mia");
    let home = mia.navigate(&format!("{PORTAL}/")).await.text();
    assert!(home.contains("href=\"/value\""), "{home}");
    let all = mia.navigate(&format!("{PORTAL}/value")).await;
    let one = mia.navigate(&format!("{PORTAL}/value/competitor-research")).await;
    let [all, one] = [all, one].map(|page| without_own_scripts(&page));
    for page in [&all, &one] {
        assert!(page.contains("Findings that entered a product decision"), "{page}");
        assert!(page.contains("<rect ") && !page.contains("<script"), "{page}");
        let said = page.split("<main").nth(1).unwrap();
        for name in ["Ada", "Hana", "(ada)", "(hana)", ">ada<", "cora", "dan<"] {
            assert!(!said.contains(name), "{name}: {page}");
        }
        assert!(!page.contains("style=\""), "the policy would refuse it: {page}");
    }
    assert!(one.contains("Others together") && one.contains("LinkedIn"), "{one}");
    let french = Request::get(format!("{PORTAL}/value/competitor-research")).header(header::ACCEPT_LANGUAGE, "fr");
    let french = mia.send(french).await.text();
    assert!(french.contains("Constats repris dans une décision"), "{french}");
    assert!(french.contains("Tous les autres"), "{french}");
    let csv = mia.navigate(&format!("{PORTAL}/value.csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"wayleave-value.csv\""
    );
    let csv = csv.text();
    let line = "2026-11-23,competitor-research,value,all,,5,10,Findings that entered a product decision,,,";
    assert!(csv.lines().any(|one| one == line), "{csv}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_people_are_not_told_of_and_look_as_nobody_does() {
    let world = World::open().await;
    used_by(&world, &PEOPLE[..4], 2).await;
    world.clock.advance(21 * DAY);
    world.gate().add_up().await;
    assert_eq!(figures(&told(&world, "mia", "").await), []);
    let page = |path: &'static str| {
        let mia = world.client("mia");
        async move { mia.navigate(&format!("{PORTAL}{path}")).await.text() }
    };
    // a purpose that four used reads as one that nobody did
    let (few, none) = (
        page("/value/competitor-research").await,
        page("/value/market-research").await,
    );
    let after = |page: &str| {
        let from = page.split("<nav class=\"spans\"").nth(1).unwrap();
        from.replace("competitor-research", "market-research")
    };
    assert_eq!(after(&few), after(&none));
    assert!(few.contains("There is nothing to show"), "{few}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_it_is_for_the_rules_to_say() {
    let world = World::planned(without_cases).await;
    for path in ["/value", "/value.csv", "/value/recruiting"] {
        let page = world.client("ada").navigate(&format!("{PORTAL}{path}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(told(&world, "ada", "").await.status, StatusCode::NOT_FOUND);
    assert!(
        !world
            .client("ada")
            .navigate(&format!("{PORTAL}/"))
            .await
            .text()
            .contains("/value\"")
    );
    // an owner sees their own, and what is not theirs is as what is not there
    let own = told(&world, "hana", "").await.json();
    let ids: Vec<&str> = own["purposes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&"recruiting") && !ids.contains(&"competitor-research"),
        "{ids:?}"
    );
    let others = told(&world, "hana", "?purpose=competitor-research").await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    assert_eq!(told(&world, "hana", "?purpose=none-such").await.text(), others.text());
    let page = world
        .client("hana")
        .navigate(&format!("{PORTAL}/value/competitor-research"))
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let unfit = told(&world, "hana", "?weeks=1000").await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unfit.text());
    let closed = r#"@id("test.closed") @title("Closed") @reason("Closed.") @owner("HR")
forbid (principal, action == Action::"see-value", resource) when { resource.kind == PurposeKind::"recruiting" };
"#;
    world.edit_rules("rules/90-test.cedar", closed).await;
    let page = world
        .client("hana")
        .navigate(&format!("{PORTAL}/value/recruiting"))
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    world.close().await;
}
