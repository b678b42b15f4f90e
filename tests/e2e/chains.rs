//! What several must approve: each approval is kept and on record, and the last one opens it, once.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct, Record};

use crate::approvals::without_cases;
use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;
use crate::harness::{PASSWORD, World};
use crate::inbox::{opens, own_form, session};

const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";

/// Pia, of the press office, asks to speak for the board: its owner Nora and a lawyer must approve.
pub async fn asked(world: &World) -> String {
    let board = json!({"purpose": "executive-communication", "platforms": ["x"], "statement": "The annual report"});
    let answer = world.client("pia").declare(&board).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["approvers"], json!(["nora", "lea"]));
    assert_eq!(
        (&told["approvals_needed"], &told["approvals_missing"]),
        (&json!(2), &json!(2))
    );
    told["id"].as_str().unwrap().to_owned()
}

pub async fn answers(world: &World, user: &str, (id, verb): (&str, &str), note: Value) -> Answer {
    let request = Request::post(format!("{PORTAL}/v1/grants/{id}/{verb}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic(user, PASSWORD));
    world.client(user).send_with(request, note.to_string()).await
}

pub async fn shown(world: &World, user: &str, id: &str) -> Value {
    world.client(user).get(&format!("{PORTAL}/v1/grants/{id}")).await.json()
}

async fn tweets(world: &World) -> StatusCode {
    world.client("pia").post(TWEET, "application/json", "{}").await.status
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

/// What became of a grant by whom, and how many approvals were missing then.
pub fn steps(records: &[Record]) -> Vec<(GrantAct, String, usize)> {
    let acts = records.iter().filter_map(|record| match &record.act {
        Act::Grant { act, by, grant, .. } => {
            let missing = grant.answers.last().map_or(0, |answer| answer.missing);
            Some((*act, by.to_string(), missing))
        }
        _ => None,
    });
    acts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_must_approve_opens_with_the_second_and_the_first_outlives_a_restart() {
    let mut world = World::open().await;
    let id = asked(&world).await;
    let first = answers(
        &world,
        "nora",
        (&id, "approve"),
        json!({"note": "The figures are public"}),
    )
    .await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let first = first.json();
    assert_eq!(
        (&first["state"], &first["approvals_missing"]),
        (&json!("requested"), &json!(1))
    );
    assert_eq!(tweets(&world).await, StatusCode::FORBIDDEN, "one of two opens nothing");

    world.reopen().await;
    let waits = shown(&world, "pia", &id).await;
    assert_eq!(
        (&waits["state"], &waits["approvers"]),
        (&json!("requested"), &json!(["lea"]))
    );
    assert_eq!(waits["answers"][0]["note"], json!("The figures are public"));
    assert_eq!(waits["answers"][0]["as"], json!(["owner"]));
    let twice = answers(&world, "nora", (&id, "approve"), json!({})).await;
    assert_eq!(
        (twice.status, kind(&twice).as_str()),
        (StatusCode::CONFLICT, "already-approved")
    );
    let stranger = answers(&world, "sol", (&id, "approve"), json!({})).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let own = answers(&world, "pia", (&id, "approve"), json!({})).await;
    assert_eq!((own.status, kind(&own).as_str()), (StatusCode::FORBIDDEN, "prohibited"));
    for (user, left) in [("nora", 0), ("lea", 1)] {
        let inbox = world.client(user).get(&format!("{PORTAL}/v1/approvals")).await.json();
        assert_eq!(inbox["approvals"].as_array().unwrap().len(), left, "{user}");
    }

    let second = answers(&world, "lea", (&id, "approve"), json!({})).await;
    assert_eq!(
        (second.status, &second.json()["state"]),
        (StatusCode::OK, &json!("active")),
        "{}",
        second.text()
    );
    assert_eq!(tweets(&world).await, StatusCode::OK);
    let steps = steps(&world.records().await);
    let expected = [
        (GrantAct::Requested, "pia", 0),
        (GrantAct::PartlyApproved, "nora", 1),
        (GrantAct::Approved, "lea", 0),
    ];
    assert_eq!(steps, expected.map(|(act, by, missing)| (act, by.to_owned(), missing)));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_approve_at_the_same_instant_give_it_once() {
    let world = World::open().await;
    let id = asked(&world).await;
    let (one, other) = tokio::join!(
        answers(&world, "nora", (&id, "approve"), json!({})),
        answers(&world, "lea", (&id, "approve"), json!({})),
    );
    assert_eq!(
        (one.status, other.status),
        (StatusCode::OK, StatusCode::OK),
        "{} {}",
        one.text(),
        other.text()
    );
    let given = shown(&world, "pia", &id).await;
    assert_eq!(
        (&given["state"], given["answers"].as_array().unwrap().len()),
        (&json!("active"), 2)
    );
    let acts: Vec<GrantAct> = steps(&world.records().await).into_iter().map(|step| step.0).collect();
    assert_eq!(
        acts,
        [GrantAct::Requested, GrantAct::PartlyApproved, GrantAct::Approved]
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_declines_ends_what_another_has_approved() {
    let world = World::open().await;
    let id = asked(&world).await;
    answers(&world, "lea", (&id, "approve"), json!({})).await;
    let declined = answers(
        &world,
        "nora",
        (&id, "decline"),
        json!({"note": "not before the results"}),
    )
    .await;
    assert_eq!(
        (declined.status, &declined.json()["state"]),
        (StatusCode::OK, &json!("declined"))
    );
    let late = answers(&world, "nora", (&id, "approve"), json!({})).await;
    assert_eq!(
        (late.status, kind(&late).as_str()),
        (StatusCode::CONFLICT, "request-over")
    );
    assert_eq!(tweets(&world).await, StatusCode::FORBIDDEN);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_say_who_approved_so_far_and_who_is_still_missing() {
    let world = World::open().await;
    let id = asked(&world).await;
    let (pia, nora, lea) = (world.client("pia"), world.client("nora"), world.client("lea"));
    let own = pia.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        own.contains("You asked Nora ") && own.contains("(nora) and Lea "),
        "{own}"
    );
    let session = session(&nora).await;
    let inbox = opens(&nora, "/approvals", &session).await.text();
    assert!(inbox.contains("2 must approve, and nobody has yet."), "{inbox}");
    let token = crate::harness::house::hidden(&inbox, "token");
    let answered = own_form(
        &nora,
        &format!("/approvals/{id}/approve"),
        &session,
        &[("token", &token)],
    )
    .await;
    let told = opens(&nora, answered.header("location"), &session).await.text();
    assert!(
        told.contains("1 more approval is needed") && !told.contains("asks for"),
        "{told}"
    );
    let own = pia.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        own.contains("You asked Lea ") && own.contains("1 of 2 approvals: Nora "),
        "{own}"
    );
    let inbox = opens(&lea, "/approvals", "").await.text();
    assert!(
        inbox.contains("1 of 2 approvals: Nora ") && inbox.contains("approved at 12:30"),
        "{inbox}"
    );
    let french = Request::get(format!("{PORTAL}/approvals"))
        .header(header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    let french = lea.send(french).await.text();
    assert!(french.contains("1 accord(s) sur 2"), "{french}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_in_may_answer_from_the_moment_on_that_it_has_waited_for_long_enough() {
    let world = World::planned(|plan| {
        let path = plan.folder.join("policies/purposes.toml");
        let terms = std::fs::read_to_string(&path).unwrap();
        let others = "alternates = { after = \"15m\", who = [\"group:security\", \"dan\"] }";
        let named = "id = \"crisis-response\"";
        assert!(terms.contains(named));
        std::fs::write(&path, terms.replace(named, &format!("{named}\n{others}"))).unwrap();
    })
    .await;
    let crisis = json!({"purpose": "crisis-response", "platforms": ["x"], "ticket": "INC-88",
                        "statement": "The plant is on fire"});
    let answer = world.client("pia").declare(&crisis).await;
    let told = answer.json();
    assert_eq!(
        (answer.status, &told["approvers"]),
        (StatusCode::ACCEPTED, &json!(["nora"]))
    );
    let id = told["id"].as_str().unwrap().to_owned();
    world.clock.advance(Duration::from_secs(15 * 60 - 1));
    let early = answers(&world, "sol", (&id, "approve"), json!({})).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND, "{}", early.text());
    assert!(
        !opens(&world.client("sol"), "/approvals", "")
            .await
            .text()
            .contains("asks for")
    );
    world.clock.advance(Duration::from_secs(1));
    let inbox = opens(&world.client("sol"), "/approvals", "").await.text();
    assert!(
        inbox.contains("asks for") && inbox.contains("you may, as an alternate"),
        "{inbox}"
    );
    let own = opens(&world.client("nora"), "/approvals", "").await.text();
    assert!(own.contains("asks for") && !own.contains("as an alternate"), "{own}");
    assert_eq!(
        shown(&world, "pia", &id).await["approvers"],
        json!(["nora", "dan", "sol"])
    );
    let given = answers(&world, "sol", (&id, "approve"), json!({})).await;
    assert_eq!(
        (given.status, &given.json()["state"]),
        (StatusCode::OK, &json!("active")),
        "{}",
        given.text()
    );
    assert_eq!(given.json()["answers"][0]["as"], json!(["alternate"]));
    let own = world.client("pia").follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(own.contains("(sol), as an alternate, approved it"), "{own}");
    world.close().await;
}

/// Where Mia may not approve, and Sol may from a quarter of an hour on.
async fn only_alternates() -> World {
    World::planned(|plan| {
        without_cases(plan);
        let policies = plan.folder.join("policies");
        let rule = r#"
            @id("approve.not-mia") @reason("Mia is on leave.") @owner("HR")
            forbid (principal == User::"mia", action == Action::"approve", resource);
        "#;
        std::fs::write(policies.join("rules/99-leave.cedar"), rule).unwrap();
        let path = policies.join("purposes.toml");
        let terms = std::fs::read_to_string(&path).unwrap();
        let named = "id = \"brand-publishing\"";
        assert!(terms.contains(named));
        let others = "alternates = { after = \"15m\", who = [\"sol\"] }";
        std::fs::write(&path, terms.replace(named, &format!("{named}\n{others}"))).unwrap();
    })
    .await
}

async fn declare_page(client: &Client, language: &str) -> String {
    let refused = client.navigate("https://x.com/home").await;
    let page = Request::get(refused.header("location"))
        .header(header::ACCEPT_LANGUAGE, language)
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    client.send(page).await.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_alternates_may_approve_is_offered_with_the_moment_from_which_they_may() {
    let world = only_alternates().await;
    let ben = world.client("ben");
    let share = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
    let problem = ben.post(share, "application/json", "{}").await.json();
    let offers = problem["purposes"].as_array().unwrap();
    let brand = offers.iter().find(|offer| offer["id"] == "brand-publishing").unwrap();
    assert_eq!(
        (&brand["approvers"], &brand["alternates"]),
        (&json!([]), &json!({"after": "PT15M", "approvers": ["sol"]}))
    );
    let page = declare_page(&ben, "en").await;
    let at_once = "Nobody can approve it at once; from 15 minutes on: Sol ";
    assert!(
        page.contains("value=\"brand-publishing\"") && page.contains(at_once),
        "{page}"
    );
    let french = declare_page(&ben, "fr").await;
    let late = "Personne ne peut donner l’accord tout de suite\u{a0}; au bout de 15\u{a0}minutes\u{a0}: Sol ";
    assert!(french.contains(late), "{french}");
    let own = opens(&ben, "/purposes/brand-publishing", "").await.text();
    assert!(own.contains(at_once), "{own}");
    let listed = ben.get(&format!("{PORTAL}/v1/purposes?limit=100")).await.json();
    let listed = listed["purposes"].as_array().unwrap();
    let brand = listed
        .iter()
        .find(|purpose| purpose["id"] == "brand-publishing")
        .unwrap();
    assert_eq!(
        (&brand["approvers"], &brand["alternates"]),
        (&json!([]), &json!({"after_s": 900, "approvers": ["sol"]}))
    );

    let post = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new model"});
    let asked = ben.declare(&post).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let asked = asked.json();
    assert_eq!(asked["alternates"]["approvers"], json!(["sol"]), "{asked}");
    let id = asked["id"].as_str().unwrap();
    let mine = opens(&ben, "/", "").await.text();
    assert!(
        mine.contains("Nobody can answer yet; from ") && mine.contains(" on: Sol "),
        "{mine}"
    );
    assert!(!mine.contains("nobody is left"), "{mine}");
    world.clock.advance(Duration::from_mins(15));
    let waits = shown(&world, "ben", id).await;
    assert_eq!(
        (&waits["approvers"], &waits["alternates"]),
        (&json!(["sol"]), &Value::Null)
    );
    let given = answers(&world, "sol", (id, "approve"), json!({})).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text());
    world.close().await;
}
