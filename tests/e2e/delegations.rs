//! Letting somebody else answer: in force at once and over at once, for others only, on record, and never twice.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct, Record};

use crate::approvals::without_cases;
use crate::chains::{answers, shown};
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{opens, own_form, session};
use crate::revocations::revokes;

const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";
const DELEGATIONS: &str = "/v1/delegations";

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

async fn calls(world: &World, user: &str, wanted: &Value, proof: Option<&str>) -> Answer {
    let mut request = Request::post(format!("{PORTAL}{DELEGATIONS}")).header(header::CONTENT_TYPE, "application/json");
    if let Some(password) = proof {
        request = request.header(header::AUTHORIZATION, Client::basic(user, password));
    }
    world.client(user).send_with(request, wanted.to_string()).await
}

/// `user` lets somebody answer; gives the delegation.
pub async fn delegates(world: &World, user: &str, wanted: Value) -> String {
    let answer = calls(world, user, &wanted, Some(PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("{DELEGATIONS}/{id}"));
    id
}

pub async fn takes_back(world: &World, user: &str, id: &str) -> Answer {
    let request = Request::delete(format!("{PORTAL}{DELEGATIONS}/{id}"));
    world.client(user).send(request).await
}

async fn lists(world: &World, user: &str) -> Value {
    world.client(user).get(&format!("{PORTAL}{DELEGATIONS}")).await.json()
}

/// Somebody asks to publish for the brand on X, which is Mia's; gives the request.
pub async fn asks(world: &World, user: &str) -> String {
    let brand = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle"});
    let answer = world.client(user).declare(&brand).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn waits_for(world: &World, user: &str) -> Vec<Value> {
    let inbox = world.client(user).get(&format!("{PORTAL}/v1/approvals")).await.json();
    inbox["approvals"].as_array().unwrap().clone()
}

fn week() -> Value {
    json!({"to": "nora", "until": "2026-12-01"})
}

fn acts(records: &[Record]) -> Vec<(GrantAct, String)> {
    let acts = records.iter().filter_map(|record| match &record.act {
        Act::Grant { act, by, .. } => Some((*act, by.to_string())),
        _ => None,
    });
    acts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_an_approver_lets_answer_does_so_for_them_until_it_is_taken_back_also_after_a_restart() {
    let mut world = World::open().await;
    let request = asks(&world, "ben").await;
    assert_eq!(waits_for(&world, "nora").await, [Value::Null; 0]);
    let early = answers(&world, "nora", (&request, "approve"), json!({})).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND, "{}", early.text());
    let id = delegates(&world, "mia", week()).await;

    world.reopen().await;
    let inbox = waits_for(&world, "nora").await;
    assert_eq!((inbox.len(), &inbox[0]["for"]), (1, &json!("mia")));
    let own = waits_for(&world, "mia").await;
    assert_eq!((own.len(), &own[0]["for"]), (1, &Value::Null), "she still may");
    let given = answers(&world, "nora", (&request, "approve"), json!({"note": "For Mia"})).await;
    assert_eq!(
        (given.status, &given.json()["state"]),
        (StatusCode::OK, &json!("active")),
        "{}",
        given.text()
    );
    let answer = &given.json()["answers"][0];
    assert_eq!((&answer["by"], &answer["as"]), (&json!("nora"), &json!(["owner"])));
    assert_eq!(answer["for"], json!({"whom": "mia", "delegation": id}));
    let ben = world.client("ben");
    assert_eq!(ben.post(TWEET, "application/json", "{}").await.status, StatusCode::OK);
    let page = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(page.contains("(nora) for Mia Castellano (mia) approved it"), "{page}");

    let more = asks(&world, "ben").await;
    let over = takes_back(&world, "mia", &id).await;
    assert_eq!(
        (over.status, &over.json()["state"]),
        (StatusCode::OK, &json!("ended")),
        "{}",
        over.text()
    );
    let late = answers(&world, "nora", (&more, "approve"), json!({})).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND, "at once: {}", late.text());
    let twice = takes_back(&world, "mia", &id).await;
    assert_eq!(
        (twice.status, kind(&twice).as_str()),
        (StatusCode::CONFLICT, "delegation-over")
    );
    world.reopen().await;
    assert_eq!(waits_for(&world, "nora").await, [Value::Null; 0]);

    let records = world.records().await;
    let told = [
        (GrantAct::Requested, "ben"),
        (GrantAct::Delegated, "mia"),
        (GrantAct::Approved, "nora"),
        (GrantAct::Requested, "ben"),
        (GrantAct::Withdrawn, "mia"),
    ];
    assert_eq!(acts(&records), told.map(|(act, by)| (act, by.to_owned())));
    let approved = records.iter().find_map(|record| match &record.act {
        Act::Grant {
            act: GrantAct::Approved,
            grant,
            policies,
            ..
        } => Some((grant.clone(), policies.clone())),
        _ => None,
    });
    let (grant, policies) = approved.unwrap();
    assert_eq!(grant.answers[0].whose().as_str(), "mia");
    let policies: Vec<&str> = policies.iter().map(wayleave::facts::PolicyId::as_str).collect();
    assert_eq!(
        policies,
        ["approve.delegate", "approve.named", "approve.owner-or-manager"],
        "what lets her, and what lets Mia"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_counts_from_its_first_moment_to_its_last_and_for_its_purposes_only() {
    let world = World::open().await;
    let request = asks(&world, "ben").await;
    let tomorrow = json!({"to": "nora", "from": "2026-11-25", "until": "2026-11-25", "purposes": ["brand-publishing"]});
    let id = delegates(&world, "mia", tomorrow).await;
    let others = json!({"to": "lea", "until": "2026-12-01", "purposes": ["community-management"]});
    delegates(&world, "mia", others).await;
    let tried = async |user: &str| answers(&world, user, (&request, "approve"), json!({})).await.status;
    assert_eq!(
        (tried("nora").await, tried("lea").await),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );
    let received = lists(&world, "nora").await["received"].clone();
    assert_eq!(
        (&received[0]["state"], &received[0]["until"]),
        (&json!("upcoming"), &json!("2026-11-25T23:00:00.000Z")),
        "the day is one of Mia's, in Paris"
    );
    let begins = "2026-11-24T23:00:00Z".parse::<wayleave::clock::Timestamp>().unwrap();
    world
        .clock
        .advance(begins.since(world.clock.now()).saturating_sub(Duration::from_secs(1)));
    assert_eq!(tried("nora").await, StatusCode::NOT_FOUND);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(waits_for(&world, "nora").await.len(), 1);
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(tried("nora").await, StatusCode::NOT_FOUND, "it has expired");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(lists(&world, "nora").await["received"], json!([]));
    let kept = world
        .client("mia")
        .get(&format!("{PORTAL}{DELEGATIONS}/{id}"))
        .await
        .json();
    assert_eq!(kept["state"], json!("over"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_past_themselves_by_a_delegation() {
    let world = World::open().await;
    // whoever asks, as the delegate of the one who approves
    delegates(&world, "mia", json!({"to": "ben", "until": "2026-12-01"})).await;
    let own = asks(&world, "ben").await;
    let tried = answers(&world, "ben", (&own, "approve"), json!({})).await;
    assert_eq!(
        (tried.status, kind(&tried).as_str()),
        (StatusCode::FORBIDDEN, "prohibited")
    );
    assert!(
        tried.text().contains("Nobody approves their own purpose."),
        "{}",
        tried.text()
    );

    // the one who approves asks, and her delegate would answer for her
    let theirs = asks(&world, "mia").await;
    let tried = answers(&world, "ben", (&theirs, "approve"), json!({})).await;
    assert_eq!(tried.status, StatusCode::NOT_FOUND, "{}", tried.text());
    assert_eq!(waits_for(&world, "ben").await, [Value::Null; 0]);

    // a delegate's delegate
    delegates(&world, "ben", json!({"to": "dan", "until": "2026-12-01"})).await;
    let tried = answers(&world, "dan", (&own, "approve"), json!({})).await;
    assert_eq!(tried.status, StatusCode::NOT_FOUND, "{}", tried.text());

    // whoever may not approve lets somebody do it for them
    delegates(&world, "sol", json!({"to": "ada", "until": "2026-12-01"})).await;
    let tried = answers(&world, "ada", (&own, "approve"), json!({})).await;
    assert_eq!(tried.status, StatusCode::NOT_FOUND, "{}", tried.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_counts_once_where_two_must_approve_even_if_they_act_for_two() {
    let world = World::open().await;
    let id = crate::chains::asked(&world).await;
    for user in ["nora", "lea"] {
        delegates(&world, user, json!({"to": "sol", "until": "2026-12-01"})).await;
    }
    let first = answers(&world, "sol", (&id, "approve"), json!({})).await;
    let first = first.json();
    assert_eq!(
        (&first["state"], &first["approvals_missing"]),
        (&json!("requested"), &json!(1)),
        "{first}"
    );
    assert_eq!(waits_for(&world, "sol").await, [Value::Null; 0]);
    let twice = answers(&world, "sol", (&id, "approve"), json!({})).await;
    assert_eq!(
        (twice.status, kind(&twice).as_str()),
        (StatusCode::CONFLICT, "already-approved")
    );
    let whom = first["answers"][0]["for"]["whom"].as_str().unwrap().to_owned();
    let own = answers(&world, &whom, (&id, "approve"), json!({})).await;
    assert_eq!(
        (own.status, kind(&own).as_str()),
        (StatusCode::CONFLICT, "already-approved"),
        "it was given for them"
    );
    let other = if whom == "nora" { "lea" } else { "nora" };
    assert_eq!(first["waits_for"], json!([{"needed": 1, "of": [other]}]));
    let given = answers(&world, other, (&id, "approve"), json!({})).await;
    assert_eq!(given.json()["state"], json!("active"), "{}", given.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_decide_who_may_be_a_delegate_and_whether_the_delegator_may_approve_at_that_moment() {
    let world = World::planned(|plan| {
        without_cases(plan);
        let path = plan.folder.join("policies/people/people.toml");
        let people = std::fs::read_to_string(&path).unwrap();
        let (staff, outside) = ("roles = [\"engineer\"]", "roles = []");
        assert!(people.contains(staff));
        std::fs::write(&path, people.replace(staff, outside)).unwrap();
    })
    .await;
    let request = asks(&world, "ben").await;
    delegates(&world, "mia", week()).await;
    let outside = json!({"to": "dan", "until": "2026-12-01"});
    let outside = calls(&world, "mia", &outside, Some(PASSWORD)).await;
    assert_eq!(
        (outside.status, kind(&outside).as_str()),
        (StatusCode::FORBIDDEN, "prohibited"),
        "{}",
        outside.text()
    );
    let unnamed = json!({"to": "nobody-here", "until": "2026-12-01"});
    let unproven = calls(&world, "mia", &unnamed, None).await;
    assert_eq!(
        (unproven.status, kind(&unproven).as_str()),
        (StatusCode::UNAUTHORIZED, "sign-in-again"),
        "who is in the directory is told nobody who only came by the proxy"
    );
    let never = "@id(\"approve.not-mia\") @title(\"Mia\") @reason(\"Mia is under review.\") @owner(\"HR\")\n\
                 forbid (principal == User::\"mia\", action == Action::\"approve\", resource);";
    world.write_policy("rules/90-mia.cedar", never);
    world
        .until("the rule counts", async |world| {
            let tried = answers(world, "nora", (&request, "approve"), json!({})).await;
            tried.text().contains("Mia is under review.")
        })
        .await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_lets_nobody_answer_and_a_delegate_who_left_answers_nothing() {
    let world = World::planned(|plan| {
        without_cases(plan);
        let path = plan.folder.join("policies/purposes.toml");
        let terms = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, terms.replace("owner = \"lea\"", "owner = \"nora\"")).unwrap();
    })
    .await;
    let request = crate::chains::asked(&world).await;
    delegates(&world, "lea", json!({"to": "dan", "until": "2026-12-01"})).await;
    assert_eq!(waits_for(&world, "dan").await[0]["for"], json!("lea"));
    let people = std::fs::read_to_string(world.policies().join("people/people.toml")).unwrap();
    let without = |name: &str| {
        let all = people.split("[[person]]");
        let kept: Vec<&str> = all.filter(|one| !one.contains(&format!("id = \"{name}\""))).collect();
        kept.join("[[person]]")
    };
    let tried = async |world: &World| answers(world, "dan", (&request, "approve"), json!({})).await;
    world.write_policy("people/people.toml", &without("lea"));
    world
        .until("Lea has left", async |world| {
            waits_for(world, "dan").await.is_empty() && tried(world).await.status == StatusCode::NOT_FOUND
        })
        .await;
    world.write_policy("people/people.toml", &without("dan"));
    world
        .until("Dan has left", async |world| {
            kind(&tried(world).await) == "person-unknown"
        })
        .await;
    assert!(shown(&world, "pia", &request).await["answers"].is_null());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_takes_a_password_and_what_makes_no_sense_is_told_field_by_field() {
    let world = World::open().await;
    for proof in [None, Some("wrong")] {
        let refused = calls(&world, "mia", &week(), proof).await;
        assert_eq!(
            (refused.status, kind(&refused).as_str()),
            (StatusCode::UNAUTHORIZED, "sign-in-again")
        );
    }
    for (wanted, fields) in [
        (json!({}), vec!["to", "until"]),
        (json!({"to": "mia", "until": "2026-12-01"}), vec!["to"]),
        (json!({"to": "nobody", "until": "2026-12-01"}), vec!["to"]),
        (
            json!({"to": "nora", "from": "2026-12-02", "until": "2026-12-01"}),
            vec!["until"],
        ),
        (json!({"to": "nora", "until": "2026-11-23"}), vec!["until"]),
        (json!({"to": "nora", "until": "2027-11-23"}), vec!["until"]),
        (
            json!({"to": "nora", "from": "2036-12-01", "until": "2036-12-02"}),
            vec!["from"],
        ),
        (
            json!({"to": "nora", "until": "2026-12-01", "purposes": ["brand-publishin"]}),
            vec!["purposes"],
        ),
        (
            json!({"to": "x".repeat(5_000), "until": "tomorrow"}),
            vec!["to", "until"],
        ),
        (
            json!({"to": ["nora"], "until": 7, "by": "mia"}),
            vec!["by", "to", "until"],
        ),
    ] {
        let refused = calls(&world, "mia", &wanted, Some(PASSWORD)).await;
        assert_eq!(
            (refused.status, kind(&refused).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "delegation-unfit"),
            "{wanted}"
        );
        let told = refused.json()["errors"].as_array().unwrap().clone();
        let told: Vec<&str> = told.iter().map(|one| one["field"].as_str().unwrap()).collect();
        assert_eq!(told, fields, "{wanted}");
    }
    for _ in 0..16 {
        delegates(&world, "mia", week()).await;
    }
    let more = calls(&world, "mia", &week(), Some(PASSWORD)).await;
    assert_eq!(
        (more.status, kind(&more).as_str()),
        (StatusCode::CONFLICT, "too-many-delegations")
    );
    let request = asks(&world, "ben").await;
    assert_eq!(waits_for(&world, "nora").await.len(), 1, "however many overlap");
    let given = answers(&world, "nora", (&request, "approve"), json!({})).await;
    assert_eq!(given.json()["answers"].as_array().unwrap().len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_gave_is_for_nobody_else_to_see_or_end() {
    let world = World::open().await;
    let id = delegates(&world, "mia", week()).await;
    let sees = async |user: &str| {
        let answer = world.client(user).get(&format!("{PORTAL}{DELEGATIONS}/{id}")).await;
        answer.status
    };
    assert_eq!(
        (sees("mia").await, sees("nora").await),
        (StatusCode::OK, StatusCode::OK)
    );
    for user in ["ben", "sol", "hana"] {
        assert_eq!(sees(user).await, StatusCode::NOT_FOUND, "{user}");
        assert_eq!(
            lists(&world, user).await,
            json!({"given": [], "received": []}),
            "{user}"
        );
    }
    for user in ["nora", "ben", "sol"] {
        assert_eq!(
            takes_back(&world, user, &id).await.status,
            StatusCode::NOT_FOUND,
            "{user}"
        );
        let revoke = json!({"grant": id, "reason": "Mine"});
        let revoked = revokes(&world, user, &revoke).await;
        assert_eq!(revoked.status, StatusCode::NOT_FOUND, "{user}: {}", revoked.text());
    }
    for verb in ["approve", "decline", "renew"] {
        let tried = answers(&world, "nora", (&id, verb), json!({"note": "x"})).await;
        assert_eq!(tried.status, StatusCode::NOT_FOUND, "{verb}: {}", tried.text());
    }
    let as_grant = world
        .client("mia")
        .send(Request::delete(format!("{PORTAL}/v1/grants/{id}")))
        .await;
    assert_eq!(as_grant.status, StatusCode::NOT_FOUND);
    assert_eq!(
        world.client("mia").get(&format!("{PORTAL}/v1/grants")).await.json(),
        json!({"grants": [], "next": null})
    );
    let grant = asks(&world, "ben").await;
    assert_eq!(
        takes_back(&world, "ben", &grant).await.status,
        StatusCode::NOT_FOUND,
        "a request is none"
    );

    // another site's page, and a form of the portal's that is somebody else's
    let foreign = Request::post(format!("{PORTAL}{DELEGATIONS}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .header(header::AUTHORIZATION, Client::basic("mia", PASSWORD));
    let foreign = world.client("mia").send_with(foreign, week().to_string()).await;
    assert_eq!(
        (foreign.status, kind(&foreign).as_str()),
        (StatusCode::FORBIDDEN, "foreign-origin")
    );
    let (mia, nora) = (world.client("mia"), world.client("nora"));
    let cookie = session(&mia).await;
    let page = opens(&mia, "/delegations", &cookie).await.text();
    let taking = page.split_once(&format!("/delegations/{id}/end")).unwrap().1;
    let (give, end) = (
        hidden(page.split_once("action=\"/delegations\"").unwrap().1, "token"),
        hidden(taking, "token"),
    );
    let fields = [("token", give.as_str()), ("to", "dan"), ("until", "2026-12-01")];
    for (client, cookie) in [(&nora, ""), (&nora, cookie.as_str())] {
        let forged = own_form(client, "/delegations", cookie, &fields).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        let forged = own_form(client, &format!("/delegations/{id}/end"), cookie, &[("token", &end)]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
    let elsewhere = own_form(&mia, &format!("/delegations/{id}/end"), &cookie, &[("token", &give)]).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN, "each token is for one deed");
    let ambient = own_form(&mia, "/delegations", "", &fields).await;
    assert_eq!(
        (ambient.status, ambient.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?to=/delegations"),
        "without a recent sign-in"
    );
    assert_eq!(lists(&world, "mia").await["given"].as_array().unwrap().len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_lets_somebody_answer_and_takes_it_back_and_the_inbox_says_for_whom() {
    let world = World::open().await;
    let request = asks(&world, "ben").await;
    let (mia, nora) = (world.client("mia"), world.client("nora"));
    let before = opens(&mia, "/delegations", "").await.text();
    assert!(
        before.contains("Sign in to choose who answers for you") && !before.contains("name=\"to\""),
        "{before}"
    );
    assert!(
        opens(&mia, "/approvals", "")
            .await
            .text()
            .contains("href=\"/delegations\"")
    );
    let cookie = session(&mia).await;
    let page = opens(&mia, "/delegations", &cookie).await.text();
    assert!(
        page.contains("Nobody answers for you.") && page.contains("for.brand-publishing"),
        "{page}"
    );
    let sends = async |page: &str, to: &str, until: &str| {
        let token = hidden(page, "token");
        let fields = [
            ("token", token.as_str()),
            ("to", to),
            ("from", ""),
            ("until", until),
            ("for.brand-publishing", "yes"),
        ];
        own_form(&mia, "/delegations", &cookie, &fields).await
    };
    let wrong = sends(&page, "<b>nobody</b>", "2026-11-01").await;
    let text = wrong.text();
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        text.contains("That is over already") && text.contains("&#60;b&#62;nobody"),
        "{text}"
    );
    assert!(
        !text.contains("<b>nobody") && text.contains("value=\"2026-11-01\""),
        "{text}"
    );
    assert!(
        text.contains("name=\"for.brand-publishing\" value=\"yes\" checked"),
        "{text}"
    );
    let given = sends(&text, "nora", "2026-12-01").await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text());
    let page = opens(&mia, given.header("location"), &cookie).await.text();
    for part in [
        "(nora) may answer for you",
        "1 Dec 2026, both included",
        "Publishing for the brand",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let french = Request::get(format!("{PORTAL}/delegations"))
        .header(header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    let french = nora.send(french).await.text();
    assert!(french.contains("Vous répondez à la place de ces personnes"), "{french}");

    let inbox = opens(&nora, "/approvals", "").await.text();
    assert!(
        inbox.contains("For Mia Castellano (mia), who lets you answer"),
        "{inbox}"
    );
    let session = session(&nora).await;
    // an owner's own requests reach whoever leads them
    let offered = opens(&nora, "/delegations", &session).await.text();
    for purpose in ["fraud-investigation", "advertising-campaign", "brand-publishing"] {
        assert!(
            offered.contains(&format!("name=\"for.{purpose}\"")),
            "{purpose}: {offered}"
        );
    }
    let inbox = opens(&nora, "/approvals", &session).await.text();
    let decline = hidden(inbox.split_once("/decline\"").unwrap().1, "token");
    let fields = [("token", decline.as_str()), ("note", "Not this week")];
    let declined = own_form(&nora, &format!("/approvals/{request}/decline"), &session, &fields).await;
    assert_eq!(declined.status, StatusCode::SEE_OTHER, "{}", declined.text());
    let ben = world.client("ben").follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(ben.contains("(nora) for Mia Castellano (mia) declined it"), "{ben}");

    let end = page.split_once("/end\"").unwrap();
    let id = end.0.rsplit_once('/').unwrap().1.to_owned();
    let over = own_form(
        &mia,
        &format!("/delegations/{id}/end"),
        &cookie,
        &[("token", &hidden(end.1, "token"))],
    )
    .await;
    let page = opens(&mia, over.header("location"), &cookie).await.text();
    assert!(
        page.contains("does not answer for you any more") && page.contains("Nobody answers for you."),
        "{page}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_person_ends_what_they_gave_and_were_given_and_security_ends_one_by_its_id() {
    let world = World::open().await;
    let until = |to: &str| json!({"to": to, "until": "2026-12-01"});
    let given = delegates(&world, "mia", until("nora")).await;
    let received = delegates(&world, "lea", until("mia")).await;
    let other = delegates(&world, "lea", until("nora")).await;
    asks(&world, "ben").await;
    assert_eq!(waits_for(&world, "nora").await.len(), 1);
    let listed = world
        .client("sol")
        .get(&format!("{PORTAL}{DELEGATIONS}?user=mia"))
        .await
        .json();
    assert_eq!(
        (&listed["given"][0]["id"], &listed["received"][0]["id"]),
        (&json!(given), &json!(received))
    );
    let of_none = world
        .client("ben")
        .get(&format!("{PORTAL}{DELEGATIONS}?user=mia"))
        .await
        .json();
    assert_eq!(of_none, json!({"given": [], "received": []}));

    let by_user = revokes(&world, "sol", &json!({"user": "mia", "reason": "Left in a hurry"})).await;
    assert_eq!(by_user.status, StatusCode::OK, "{}", by_user.text());
    let mut ended: Vec<String> = by_user.json()["delegations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    ended.sort();
    let mut both = vec![given, received];
    both.sort();
    assert_eq!((ended, &by_user.json()["delegation_count"]), (both, &json!(2)));
    assert_eq!(waits_for(&world, "nora").await, Vec::<Value>::new());
    let hers = world
        .client("mia")
        .navigate(&format!("{PORTAL}/delegations"))
        .await
        .text();
    assert!(hers.contains("Left in a hurry"), "{hers}");

    let refused = revokes(&world, "ben", &json!({"delegation": other, "reason": "x"})).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let by_id = revokes(&world, "sol", &json!({"delegation": other, "reason": "Not now"})).await;
    assert_eq!(
        by_id.json()["delegations"][0]["state"],
        json!("ended"),
        "{}",
        by_id.text()
    );
    let again = revokes(&world, "sol", &json!({"delegation": other, "reason": "Not now"})).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let acts = world
        .acts(|record| match &record.act {
            Act::Grant {
                act: GrantAct::Revoked,
                grant,
                by,
                ..
            } => Some((grant.delegated.is_some(), by.to_string())),
            _ => None,
        })
        .await;
    assert_eq!(acts, vec![(true, "sol".to_owned()); 3]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_may_let_anybody_answer_what_was_given_before_does_not_count() {
    let mut world = World::open().await;
    delegates(&world, "mia", json!({"to": "nora", "until": "2026-12-01"})).await;
    let request = asks(&world, "ben").await;
    assert_eq!(waits_for(&world, "nora").await.len(), 1);
    world.settings.portal.delegation_days = 0;
    world.reopen().await;
    assert_eq!(waits_for(&world, "nora").await, Vec::<Value>::new());
    let late = answers(&world, "nora", (&request, "approve"), json!({})).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND, "{}", late.text());
    let page = world
        .client("mia")
        .navigate(&format!("{PORTAL}/delegations"))
        .await
        .text();
    assert!(page.contains("what was given before does not count"), "{page}");
    world.close().await;
}
