//! Break-glass: at once, for an hour at most, told to those who would have approved it, and reviewed by one of them.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct};

use crate::harness::PASSWORD;
use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};
use crate::inbox::{opens, own_form, session};

const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";

pub async fn breaks(world: &World, user: &str, more: &Value) -> Answer {
    let mut what = json!({
        "purpose": "crisis-response", "platforms": ["x"], "ticket": "INC-7", "statement": "The plant is on fire",
    });
    what.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let call = Request::post(format!("{PORTAL}/v1/break-glass")).header(header::CONTENT_TYPE, "application/json");
    world.client(user).send_with(call, what.to_string()).await
}

pub async fn reviews(world: &World, user: &str, id: &Value, what: &Value) -> Answer {
    let call = Request::post(format!("{PORTAL}/v1/grants/{}/review", id.as_str().unwrap()))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic(user, PASSWORD));
    world.client(user).send_with(call, what.to_string()).await
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.rsplit('/').next().unwrap_or_default().to_owned()
}

async fn posts(world: &World, user: &str) -> StatusCode {
    world.client(user).post(TWEET, "application/json", "{}").await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_opens_at_once_for_an_hour_is_told_and_reviewed() {
    let world = World::open().await;
    assert_eq!(posts(&world, "pia").await, StatusCode::FORBIDDEN);
    let broke = breaks(&world, "pia", &json!({})).await;
    assert_eq!(broke.status, StatusCode::CREATED, "{}", broke.text());
    let grant = broke.json();
    assert_eq!(grant["left_s"], 3_600);
    assert_eq!(
        grant["emergency"]["review_by"], "2026-11-25T11:30:00.000Z",
        "one working day later"
    );
    assert_eq!(posts(&world, "pia").await, StatusCode::OK);
    assert_eq!(posts(&world, "dan").await, StatusCode::FORBIDDEN, "for nobody else");

    // those who could have approved it see it, and the security team sees what is in force
    assert_eq!(
        world.metric(r#"wayleave_break_glass_reviews{state="waiting"}"#).await,
        Some(1.0)
    );
    let listed = world.client("nora").get(&format!("{PORTAL}/v1/reviews")).await.json();
    assert_eq!(listed["reviews"][0]["id"], grant["id"]);
    let inbox = world
        .client("nora")
        .navigate(&format!("{PORTAL}/approvals"))
        .await
        .text();
    assert!(
        inbox.contains("Pia Keller (pia) broke the glass for “Crisis response”"),
        "{inbox}"
    );
    assert!(
        inbox.contains("The plant is on fire") && inbox.contains("INC-7"),
        "{inbox}"
    );
    let in_force = world.client("sol").navigate(&format!("{PORTAL}/grants")).await.text();
    assert!(in_force.contains("Break-glass: Crisis response"), "{in_force}");
    let others = world.client("dan").get(&format!("{PORTAL}/v1/reviews")).await.json();
    assert_eq!(others, json!({"reviews": [], "next": null}));

    // it is over after an hour, and is not renewed
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(posts(&world, "pia").await, StatusCode::FORBIDDEN);
    let renew = Request::post(format!("{PORTAL}/v1/grants/{}/renew", grant["id"].as_str().unwrap()));
    assert_eq!(world.client("pia").send(renew).await.status, StatusCode::CONFLICT);

    // whoever took it, and whoever could not have approved it, does not review it; nor does anybody without a password
    let yes = json!({"accepted": true, "note": "It burned"});
    assert_eq!(
        reviews(&world, "pia", &grant["id"], &yes).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        reviews(&world, "dan", &grant["id"], &yes).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        reviews(&world, "sol", &grant["id"], &yes).await.status,
        StatusCode::NOT_FOUND
    );
    let unproven = Request::post(format!("{PORTAL}/v1/grants/{}/review", grant["id"].as_str().unwrap()))
        .header(header::CONTENT_TYPE, "application/json");
    let unproven = world.client("nora").send_with(unproven, yes.to_string()).await;
    assert_eq!(unproven.status, StatusCode::UNAUTHORIZED);
    for wrong in [
        json!({"accepted": true}),
        json!({"note": "It burned"}),
        json!({"accepted": "yes", "note": "x", "by": "mia"}),
    ] {
        let unfit = reviews(&world, "nora", &grant["id"], &wrong).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "review-unfit"),
            "{wrong}"
        );
    }
    let reviewed = reviews(&world, "nora", &grant["id"], &yes).await;
    assert_eq!(reviewed.status, StatusCode::OK, "{}", reviewed.text());
    assert_eq!(reviewed.json()["emergency"]["review"]["by"], "nora");
    let again = reviews(&world, "nora", &grant["id"], &yes).await;
    assert_eq!(
        (again.status, kind(&again).as_str()),
        (StatusCode::CONFLICT, "review-over")
    );
    let page = world.client("pia").navigate(&format!("{PORTAL}/")).await.text();
    assert!(
        page.contains("Nora Byrne (nora) accepted it") && page.contains("It burned"),
        "{page}"
    );
    assert_eq!(
        world.metric(r#"wayleave_break_glass_reviews{state="waiting"}"#).await,
        Some(0.0)
    );

    let records = world.close().await;
    let told = records.iter().filter_map(|record| match &record.act {
        Act::Grant {
            act,
            by,
            policies,
            grant,
            ..
        } => {
            let policies: Vec<&str> = policies.iter().map(wayleave::facts::PolicyId::as_str).collect();
            Some((
                *act,
                by.to_string(),
                policies.concat(),
                grant.emergency.clone().unwrap().review,
            ))
        }
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        (&told[0].0, &*told[0].1, &*told[0].2),
        (&GrantAct::BrokeGlass, "pia", "break-glass.staff")
    );
    assert_eq!((&told[1].0, &*told[1].1), (&GrantAct::Reviewed, "nora"));
    assert_eq!(told[1].3.as_ref().unwrap().note, "It burned");
    assert_eq!(told.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_takes_a_ticket_words_and_the_rules_and_passes_no_ban() {
    let world = World::open().await;
    for (more, field) in [
        (json!({"ticket": null}), "ticket"),
        (json!({"ticket": "HR-1"}), "ticket"),
        (json!({"statement": "fire"}), "statement"),
        (json!({"duration": "PT2H"}), "duration"),
        (json!({"platforms": ["nowhere"]}), "platforms"),
    ] {
        let unfit = breaks(&world, "pia", &more).await;
        assert_eq!(
            unfit.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{more}: {}",
            unfit.text()
        );
        assert_eq!(unfit.json()["errors"][0]["field"], field, "{more}");
    }
    let refused = breaks(&world, "dan", &json!({})).await;
    assert_eq!(
        (refused.status, kind(&refused).as_str()),
        (StatusCode::FORBIDDEN, "prohibited")
    );
    let other = breaks(&world, "ben", &json!({"purpose": "brand-publishing"})).await;
    assert_eq!(
        other.status,
        StatusCode::FORBIDDEN,
        "the rules name no other purpose: {}",
        other.text()
    );
    // of the board's own emergency nobody is left to review it
    let unreviewed = breaks(&world, "nora", &json!({})).await;
    assert_eq!(
        (unreviewed.status, kind(&unreviewed).as_str()),
        (StatusCode::FORBIDDEN, "no-reviewer")
    );
    let said = unreviewed.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        said.contains("nobody could review “Crisis response” for you") && !said.contains("approval"),
        "{said}"
    );
    // a manager without a training, who is not of its audience: the guards stay
    let broke = breaks(&world, "hana", &json!({})).await;
    assert_eq!(broke.status, StatusCode::CREATED, "{}", broke.text());
    assert_eq!(
        world.client("hana").get("https://x.com/home").await.status,
        StatusCode::OK
    );
    assert_eq!(posts(&world, "hana").await, StatusCode::FORBIDDEN);
    let get = world.client("pia").get(&format!("{PORTAL}/v1/break-glass")).await;
    assert_eq!(
        (get.status, get.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owes_a_review_for_a_working_day_breaks_no_glass_until_it_is_done() {
    let mut world = World::open().await;
    let first = breaks(&world, "pia", &json!({})).await.json();
    world.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
    let second = breaks(&world, "pia", &json!({})).await;
    assert_eq!(second.status, StatusCode::CREATED, "not yet: {}", second.text());
    world.clock.advance(Duration::from_millis(1));
    world.reopen().await;
    let overdue = breaks(&world, "pia", &json!({})).await;
    assert_eq!(
        (overdue.status, kind(&overdue).as_str()),
        (StatusCode::FORBIDDEN, "review-overdue")
    );
    assert_eq!(
        world.metric(r#"wayleave_break_glass_reviews{state="overdue"}"#).await,
        Some(1.0)
    );
    let no = json!({"accepted": false, "note": "A drill is no emergency"});
    assert_eq!(reviews(&world, "nora", &first["id"], &no).await.status, StatusCode::OK);
    let again = breaks(&world, "pia", &json!({})).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.text());
    for _ in 0..2 {
        assert_eq!(breaks(&world, "pia", &json!({})).await.status, StatusCode::CREATED);
    }
    let many = breaks(&world, "pia", &json!({})).await;
    assert_eq!(
        (many.status, kind(&many).as_str()),
        (StatusCode::CONFLICT, "too-many-unreviewed")
    );
    world.close().await;
}

/// The page of what was refused to somebody just now.
async fn refusal_page(world: &World, user: &str) -> String {
    let refused = world.client(user).post(TWEET, "application/json", "{}").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = refused.json()["instance"]
        .as_str()
        .unwrap()
        .replace("/v1/decisions", "/refusals");
    world.client(user).navigate(&format!("{PORTAL}{page}")).await.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_offered_only_where_somebody_could_review_it_and_none_is_left_unreviewed() {
    let world = World::open().await;
    let emergency = async |user: &str| world.client(user).navigate(&format!("{PORTAL}/emergency")).await;
    let home = async |user: &str| world.client(user).navigate(&format!("{PORTAL}/")).await.text();
    // of the board's own emergency nobody is left to review it
    assert!(!home("nora").await.contains("href=\"/emergency\""));
    assert!(!refusal_page(&world, "nora").await.contains("/break-glass"));
    let told = emergency("nora").await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert!(told.text().contains("nobody could review"), "{}", told.text());
    assert_eq!(
        emergency("dan").await.status,
        StatusCode::NOT_FOUND,
        "the rules let him take none"
    );

    assert!(home("pia").await.contains("href=\"/emergency\""));
    assert!(refusal_page(&world, "pia").await.contains("/break-glass"));
    assert_eq!(emergency("pia").await.status, StatusCode::OK);
    assert_eq!(breaks(&world, "pia", &json!({})).await.status, StatusCode::CREATED);
    world.clock.advance(Duration::from_hours(24));
    assert!(!home("pia").await.contains("href=\"/emergency\""));
    assert!(!refusal_page(&world, "pia").await.contains("/break-glass"));
    let overdue = emergency("pia").await;
    assert_eq!(overdue.status, StatusCode::FORBIDDEN);
    assert!(
        overdue.text().contains("Until then you can break no glass"),
        "{}",
        overdue.text()
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_page_of_a_refusal_through_the_glass_and_on_to_the_review() {
    let world = World::open().await;
    let pia = world.client("pia");
    let refused = pia.post(TWEET, "application/json", "{}").await;
    let told = refused.json();
    assert_eq!(told["break_glass"], format!("{PORTAL}/v1/break-glass"));
    assert_eq!(told["emergencies"][0]["id"], "crisis-response", "{told}");
    let page = format!(
        "{PORTAL}{}",
        refused.json()["instance"]
            .as_str()
            .unwrap()
            .replace("/v1/decisions", "/refusals")
    );
    let declare = pia.navigate(&page).await.text();
    let (_, glass) = declare
        .split_once("action=\"/break-glass\"")
        .unwrap_or_else(|| panic!("{declare}"));
    assert!(
        glass.contains("Crisis response") && !glass.contains("Fraud investigation"),
        "{glass}"
    );
    let fields = |ticket: &'static str| {
        [
            ("refusal", hidden(glass, "refusal")),
            ("token", hidden(glass, "token")),
            ("purpose", "crisis-response".to_owned()),
            ("statement", "The plant is on fire".to_owned()),
            ("ticket", ticket.to_owned()),
        ]
    };
    let send = async |fields: [(&'static str, String); 5]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pia.own_form("/break-glass", &fields).await
    };
    let mut forged = fields("INC-7");
    forged[1].1 = "forged".to_owned();
    assert_eq!(send(forged).await.status, StatusCode::FORBIDDEN);
    let taken = send(fields("INC-7")).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text());
    assert_eq!(posts(&world, "pia").await, StatusCode::OK);
    let mine = pia.navigate(&format!("{PORTAL}/")).await.text();
    assert!(
        mine.contains("Break-glass: Crisis response") && mine.contains("The review is due at"),
        "{mine}"
    );
    // who may not, or has a purpose to declare, is not offered it
    let dan = world.client("dan");
    let refused = dan.post(TWEET, "application/json", "{}").await;
    assert_eq!(refused.json().get("emergencies"), None);
    let page = format!(
        "{PORTAL}{}",
        refused.json()["instance"]
            .as_str()
            .unwrap()
            .replace("/v1/decisions", "/refusals")
    );
    assert!(!dan.navigate(&page).await.text().contains("/break-glass"));

    let nora = world.client("nora");
    let inbox = nora.navigate(&format!("{PORTAL}/approvals")).await.text();
    assert!(
        inbox.contains("href=\"/sign-in?to=/approvals\"") && !inbox.contains("/review\""),
        "{inbox}"
    );
    let session = session(&nora).await;
    let inbox = opens(&nora, "/approvals", &session).await.text();
    let (before, form) = inbox.split_once("/review\"").unwrap_or_else(|| panic!("{inbox}"));
    let id = before.rsplit("/approvals/").next().unwrap();
    let token = hidden(form, "token");
    let fields = [("token", token.as_str()), ("accepted", "yes"), ("note", "It burned")];
    let done = own_form(&nora, &format!("/approvals/{id}/review"), &session, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let after = opens(&nora, done.header("location"), &session).await.text();
    assert!(
        after.contains("You accepted that Pia Keller (pia) broke the glass"),
        "{after}"
    );
    assert!(after.contains("Nothing waits for you"), "{after}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_calls_at_the_same_instant_no_more_are_granted_than_of_calls_in_turn() {
    let world = World::open().await;
    let none = json!({});
    let calls = (0..12).map(|_| breaks(&world, "pia", &none));
    let answers = futures_util::future::join_all(calls).await;
    let (granted, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(granted.len(), 4);
    for other in others {
        assert_eq!(kind(other), "too-many-unreviewed", "{}", other.text());
    }
    let listed = world.client("nora").get(&format!("{PORTAL}/v1/reviews")).await.json();
    assert_eq!(listed["reviews"].as_array().unwrap().len(), 4);
    assert_eq!(posts(&world, "pia").await, StatusCode::OK);
    world.close().await;
}
