//! What somebody must approve: asked for, answered by somebody else who proves once more who they are, and only then open.

use std::time::Duration;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, GrantAct, Record};

use crate::harness::client::{Answer, Client};
use crate::harness::house::PORTAL;
use crate::harness::{PASSWORD, Plan, World};

const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";

fn brand() -> Value {
    json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle"})
}

async fn tweets(client: &Client) -> Answer {
    client.post(TWEET, "application/json", "{}").await
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

/// Answers a request as `user` does with a tool, with that authorization for the call itself.
async fn answers(world: &World, user: &str, path: &str, note: &Value, proof: Option<String>) -> Answer {
    let mut request = Request::post(format!("{PORTAL}{path}")).header(header::CONTENT_TYPE, "application/json");
    if let Some(proof) = proof {
        request = request.header(header::AUTHORIZATION, proof);
    }
    world.client(user).send_with(request, note.to_string()).await
}

pub async fn proven(world: &World, user: &str, path: &str, note: Value) -> Answer {
    answers(world, user, path, &note, Some(Client::basic(user, PASSWORD))).await
}

/// Ben asks to publish for the brand on X; gives the request.
async fn asked(world: &World) -> String {
    let answer = world.client("ben").declare(&brand()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/v1/grants/{id}"));
    id
}

fn acts(records: &[Record]) -> Vec<(GrantAct, String)> {
    let acts = records.iter().filter_map(|record| match &record.act {
        Act::Grant { act, by, .. } => Some((*act, by.to_string())),
        _ => None,
    });
    acts.collect()
}

/// The rules and people of this world need not pass the shipped cases.
pub fn without_cases(plan: &mut Plan) {
    let policies = plan.folder.join("policies");
    std::fs::remove_dir_all(policies.join("cases")).unwrap();
    let owners = policies.join("owners.toml");
    let text = std::fs::read_to_string(&owners).unwrap();
    std::fs::write(&owners, text.replace("cases = \"IT\"\n", "")).unwrap();
}

async fn state(world: &World, id: &str) -> Value {
    let shown = world.client("ben").get(&format!("{PORTAL}/v1/grants/{id}")).await;
    shown.json()["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_waits_and_opens_once_somebody_else_has_approved() {
    let world = World::open().await;
    let ben = world.client("ben");
    let before = tweets(&ben).await;
    assert_eq!(
        (before.status, kind(&before).as_str()),
        (StatusCode::FORBIDDEN, "approval-required")
    );

    let id = asked(&world).await;
    let waiting = ben.get(&format!("{PORTAL}/v1/grants/{id}")).await.json();
    assert_eq!(
        (&waiting["state"], &waiting["approvers"]),
        (&json!("requested"), &json!(["mia"]))
    );
    assert_eq!(waiting["answer_by"], crate::harness::house::later(48).to_string());
    assert_eq!(tweets(&ben).await.status, StatusCode::FORBIDDEN, "asking opens nothing");

    let inbox = world.client("mia").get(&format!("{PORTAL}/v1/approvals")).await.json();
    assert_eq!(inbox["approvals"][0]["id"], json!(id));
    assert_eq!(inbox["approvals"][0]["statement"], json!("Launch of the new bicycle"));

    world.clock.advance(Duration::from_mins(30));
    let given = proven(
        &world,
        "mia",
        &format!("/v1/grants/{id}/approve"),
        json!({"note": "go ahead"}),
    )
    .await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text());
    let given = given.json();
    assert_eq!((&given["state"], &given["left_s"]), (&json!("active"), &json!(3_600)));
    assert_eq!(
        (&given["answers"][0]["by"], &given["answers"][0]["verdict"]),
        (&json!("mia"), &json!("approved"))
    );
    assert_eq!(tweets(&ben).await.status, StatusCode::OK, "the same call passes");
    let closing = world.closed("x.com", "/i/api/graphql/AbC/CreateTweet").await;
    assert_eq!(closing.decided().purpose.as_ref().unwrap().as_str(), "brand-publishing");
    let standing = closing.seen().standing.grants()[0].clone();
    assert_eq!(standing.approved_by().unwrap().as_str(), "mia");
    assert!(
        standing.answers[0].note.is_empty(),
        "what people wrote is in the record of the act"
    );

    world.clock.advance(Duration::from_hours(1));
    assert_eq!(
        tweets(&ben).await.status,
        StatusCode::FORBIDDEN,
        "it lasts as long as was asked"
    );
    let records = world.records().await;
    assert_eq!(
        acts(&records),
        [
            (GrantAct::Requested, "ben".to_owned()),
            (GrantAct::Approved, "mia".to_owned())
        ]
    );
    let again = proven(&world, "mia", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(
        (again.status, kind(&again).as_str()),
        (StatusCode::CONFLICT, "request-over")
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_the_same_again_finds_what_waits_and_whoever_answers_sees_it_once() {
    let world = World::open().await;
    let first = asked(&world).await;
    assert_eq!(asked(&world).await, first, "202 with the same grant, and its address");
    let other_words = json!({"purpose": "brand-publishing", "platforms": ["x"], "covers": ["read"], "duration": "1h",
                             "statement": "We launch a new bicycle"});
    let again = world.client("ben").declare(&other_words).await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (StatusCode::ACCEPTED, &json!(first))
    );
    let inbox = world.client("mia").get(&format!("{PORTAL}/v1/approvals")).await.json();
    assert_eq!(inbox["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(acts(&world.records().await), [(GrantAct::Requested, "ben".to_owned())]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_takes_the_password_of_the_one_who_gives_it() {
    let world = World::open().await;
    let id = asked(&world).await;
    let approve = format!("/v1/grants/{id}/approve");
    for (proof, why) in [
        (None, "the way there alone"),
        (Some(Client::basic("mia", "wrong")), "a wrong password"),
        (Some(Client::basic("hana", PASSWORD)), "somebody else's password"),
        (Some("Bearer abc".to_owned()), "no password"),
    ] {
        for (path, note) in [
            (&approve, json!({})),
            (&format!("/v1/grants/{id}/decline"), json!({"note": "no"})),
        ] {
            let refused = answers(&world, "mia", path, &note, proof.clone()).await;
            assert_eq!(
                (refused.status, kind(&refused).as_str()),
                (StatusCode::UNAUTHORIZED, "sign-in-again"),
                "{why}"
            );
            assert!(refused.header("www-authenticate").starts_with("Basic "), "{why}");
        }
    }
    assert_eq!(state(&world, &id).await, "requested");
    for guess in 0..10 {
        answers(
            &world,
            "mia",
            &approve,
            &json!({}),
            Some(Client::basic("mia", &guess.to_string())),
        )
        .await;
    }
    let guesses = answers(&world, "mia", &approve, &json!({}), Some(Client::basic("mia", "11"))).await;
    assert_eq!(guesses.status, StatusCode::TOO_MANY_REQUESTS, "{}", guesses.text());
    let right = proven(&world, "mia", &approve, json!({})).await;
    assert_eq!(
        right.status,
        StatusCode::TOO_MANY_REQUESTS,
        "what is known answers no guesser: {}",
        right.text()
    );
    assert_eq!(state(&world, &id).await, "requested");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_themselves_and_nobody_else_sees_what_waits() {
    let world = World::open().await;
    let id = asked(&world).await;
    for verb in ["approve", "decline"] {
        let path = format!("/v1/grants/{id}/{verb}");
        let own = proven(&world, "ben", &path, json!({"note": "for me"})).await;
        assert_eq!((own.status, kind(&own).as_str()), (StatusCode::FORBIDDEN, "prohibited"));
        assert!(
            own.text().contains("Nobody approves their own purpose."),
            "{}",
            own.text()
        );
        for other in ["dan", "sol", "hana"] {
            let answer = proven(&world, other, &path, json!({"note": "hm"})).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{other}: {}", answer.text());
        }
    }
    for other in ["dan", "sol"] {
        let one = world.client(other).get(&format!("{PORTAL}/v1/grants/{id}")).await;
        assert_eq!(one.status, StatusCode::NOT_FOUND, "{other}");
        let inbox = world.client(other).get(&format!("{PORTAL}/v1/approvals")).await.json();
        assert_eq!(inbox, json!({"approvals": [], "next": null}), "{other}");
    }
    let approver = world.client("mia").get(&format!("{PORTAL}/v1/grants/{id}")).await;
    assert_eq!(approver.status, StatusCode::OK);
    assert_eq!(state(&world, &id).await, "requested");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_cannot_answer_even_where_a_rule_would_let_them() {
    let world = World::planned(|plan| {
        let path = plan.folder.join("policies/rules/40-portal.cedar");
        let rules = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = rules.split_once("@id(\"approve.never-own\")").unwrap();
        let (_, after) = rest.split_once("@id(\"revoke.own-or-owner\")").unwrap();
        let all = "@id(\"approve.all\") @title(\"All\") @reason(\"All approve.\") @owner(\"IT\") \
                   permit (principal, action == Action::\"approve\", resource);\n";
        std::fs::write(&path, format!("{before}{all}@id(\"revoke.own-or-owner\"){after}")).unwrap();
        without_cases(plan);
    })
    .await;
    let id = asked(&world).await;
    let own = proven(&world, "ben", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text());
    assert_eq!(state(&world, &id).await, "requested");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_says_why_and_a_reason_must_be_given() {
    let world = World::open().await;
    let id = asked(&world).await;
    let decline = format!("/v1/grants/{id}/decline");
    for (note, wrong, says) in [
        (json!({}), "reason-required", "whoever asked reads the reason"),
        (json!({"note": "  "}), "reason-required", "Send it as {\"note\""),
        (json!({"note": null}), "reason-required", "Nothing was declined"),
        (json!({"reason": "no"}), "answer-unfit", "the only one is note"),
        (json!({"note": "x".repeat(2_001)}), "answer-unfit", "at most 2000"),
        (
            json!({"note": 7}),
            "answer-unfit",
            "Nothing was answered: `note` must be a text.",
        ),
    ] {
        let refused = proven(&world, "mia", &decline, note).await;
        assert_eq!(
            (refused.status, kind(&refused).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, wrong),
            "{says}"
        );
        assert_eq!(refused.header("content-type"), "application/problem+json");
        let told = refused.json();
        assert!(told["detail"].as_str().unwrap().contains(says), "{says}: {told}");
        assert!(
            !told["errors"][0]["field"].is_null() && !told["title"].is_null(),
            "{told}"
        );
    }
    assert_eq!(state(&world, &id).await, "requested");
    let declined = proven(&world, "mia", &decline, json!({"note": "not before the fair"})).await;
    assert_eq!(
        (declined.status, &declined.json()["state"]),
        (StatusCode::OK, &json!("declined"))
    );
    let shown = world
        .client("ben")
        .get(&format!("{PORTAL}/v1/grants/{id}"))
        .await
        .json();
    assert_eq!(shown["answers"][0]["note"], json!("not before the fair"));
    assert_eq!(tweets(&world.client("ben")).await.status, StatusCode::FORBIDDEN);
    let late = proven(&world, "mia", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_declines_and_the_book_says_so_once() {
    let mut world = World::open().await;
    let id = asked(&world).await;
    world.clock.advance(Duration::from_hours(48));
    assert_eq!(state(&world, &id).await, "lapsed");
    let late = proven(&world, "mia", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(
        (late.status, kind(&late).as_str()),
        (StatusCode::CONFLICT, "request-over")
    );
    assert!(late.text().contains("in time"), "{}", late.text());
    let inbox = world.client("mia").get(&format!("{PORTAL}/v1/approvals")).await.json();
    assert_eq!(inbox, json!({"approvals": [], "next": null}));
    let lapsed = async |world: &World| {
        let records = world.records().await;
        acts(&records)
            .into_iter()
            .filter(|(act, _)| *act == GrantAct::Lapsed)
            .count()
    };
    world
        .until("the lapse is on record", async |world| lapsed(world).await == 1)
        .await;
    world.reopen().await;
    assert_eq!(state(&world, &id).await, "lapsed");
    assert_eq!(lapsed(&world).await, 1);
    assert_eq!(
        world
            .metric("wayleave_grants{purpose=\"brand-publishing\",state=\"lapsed\"}")
            .await,
        Some(1.0)
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_survives_a_restart_and_is_taken_back_by_whoever_asked() {
    let mut world = World::open().await;
    let id = asked(&world).await;
    world.reopen().await;
    assert_eq!(state(&world, &id).await, "requested");
    let other = world.client("dan").delete(&format!("{PORTAL}/v1/grants/{id}")).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let back = world.client("ben").delete(&format!("{PORTAL}/v1/grants/{id}")).await;
    assert_eq!(
        (back.status, &back.json()["state"]),
        (StatusCode::OK, &json!("withdrawn")),
        "{}",
        back.text()
    );
    let late = proven(&world, "mia", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_any_more_cannot_be_approved_and_can_be_declined() {
    let world = World::planned(without_cases).await;
    let id = asked(&world).await;
    let people = world.read_policy("people/people.toml");
    let (before, ben) = people.split_once("id = \"ben\"").unwrap();
    let ben = ben.replacen("social-media = 2031-12-31", "social-media = 2026-01-01", 1);
    world.write_policy("people/people.toml", &format!("{before}id = \"ben\"{ben}"));
    world
        .until("ben's training has run out", async |world| {
            let open = world.client("ben").get(&format!("{PORTAL}/v1/purposes")).await;
            !open.text().contains("brand-publishing")
        })
        .await;
    let outdated = proven(&world, "mia", &format!("/v1/grants/{id}/approve"), json!({})).await;
    assert_eq!(
        (outdated.status, kind(&outdated).as_str()),
        (StatusCode::CONFLICT, "request-outdated")
    );
    assert!(outdated.text().contains("training"), "{}", outdated.text());
    let declined = proven(
        &world,
        "mia",
        &format!("/v1/grants/{id}/decline"),
        json!({"note": "train first"}),
    )
    .await;
    assert_eq!(declined.status, StatusCode::OK, "{}", declined.text());
    world.close().await;
}

/// A purpose that the shipped catalogue does not have, until `forget_summer`.
fn with_summer(plan: &mut Plan) {
    without_cases(plan);
    let policies = plan.folder.join("policies");
    let write = |name: &str, change: &dyn Fn(String) -> String| {
        let path = policies.join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, change(text)).unwrap();
    };
    write(SCHEMA, &|text| {
        text.replace("\"training-delivery\"\n", "\"training-delivery\", \"summer\"\n")
    });
    write("purposes.toml", &|text| {
        let brand = text
            .split("[[purpose]]")
            .find(|one| one.contains("id = \"brand-publishing\""))
            .unwrap();
        let summer = brand.replace("brand-publishing", "summer");
        format!("{text}\n[[purpose]]{summer}")
    });
    write(SUMMER, &|_| {
        let rule = "@id(\"summer\") @title(\"Summer\") @reason(\"Summer is open.\") @owner(\"HR\")\n\
                    permit (principal in Role::\"staff\", action in Action::\"read\", resource in Category::\"social-media\")\n\
                    when { context has purpose && context.purpose.kind == PurposeKind::\"summer\" };\n";
        rule.to_owned()
    });
}

const SCHEMA: &str = "wayleave.cedarschema";
const SUMMER: &str = "rules/99-summer.cedar";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_a_purpose_that_is_gone_can_be_declined_or_taken_back_and_not_approved() {
    let world = World::planned(with_summer).await;
    let summer =
        |platform: &str| json!({"purpose": "summer", "platforms": [platform], "statement": "The summer party"});
    let ben = world.client("ben");
    let mut ids = Vec::new();
    for platform in ["x", "linkedin"] {
        let answer = ben.declare(&summer(platform)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    // what names the purpose goes first: each text alone would be refused
    let purposes = world.read_policy("purposes.toml");
    let (kept, _) = purposes.rsplit_once("[[purpose]]").unwrap();
    let schema = world.read_policy(SCHEMA).replace(", \"summer\"\n", "\n");
    world.write_policy("purposes.toml", kept);
    world.write_policy(SCHEMA, &schema);
    world.edit_rules(SUMMER, "// summer is over\n").await;

    let inbox = world.client("mia").get(&format!("{PORTAL}/v1/approvals")).await.json();
    let waiting = inbox["approvals"].as_array().unwrap();
    assert_eq!(
        waiting.len(),
        2,
        "the manager of whoever asked, since nobody owns it: {inbox}"
    );
    assert_eq!(waiting[0]["approvers"], json!(["mia"]));
    let approved = proven(&world, "mia", &format!("/v1/grants/{}/approve", ids[0]), json!({})).await;
    assert_eq!(
        (approved.status, kind(&approved).as_str()),
        (StatusCode::CONFLICT, "request-outdated")
    );
    assert!(
        approved.text().contains("not in the catalogue any more"),
        "{}",
        approved.text()
    );
    let note = json!({"note": "summer is over"});
    let declined = proven(&world, "mia", &format!("/v1/grants/{}/decline", ids[0]), note).await;
    assert_eq!(declined.status, StatusCode::OK, "{}", declined.text());
    let back = ben.delete(&format!("{PORTAL}/v1/grants/{}", ids[1])).await;
    assert_eq!(back.json()["state"], "withdrawn", "{}", back.text());
    let page = ben.follow(&format!("{PORTAL}/"), "none").await;
    assert!(page.text().contains("summer is over"), "{}", page.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_answer_at_once_one_does_and_the_other_is_told_so() {
    let world = World::open().await;
    for nth in 0..4 {
        let community =
            json!({"purpose": "community-management", "platforms": ["x"], "statement": "Answers to the fair"});
        let answer = world.client("cora").declare(&community).await;
        assert_eq!(answer.json()["approvers"], json!(["mia", "hana"]), "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let (approve, decline) = (format!("/v1/grants/{id}/approve"), format!("/v1/grants/{id}/decline"));
        let (yes, no) = tokio::join!(
            proven(&world, "mia", &approve, json!({})),
            proven(&world, "hana", &decline, json!({"note": "no"}))
        );
        let (won, lost, state) = if yes.status == StatusCode::OK {
            (yes, no, "active")
        } else {
            (no, yes, "declined")
        };
        assert_eq!(
            (won.status, &won.json()["state"]),
            (StatusCode::OK, &json!(state)),
            "{nth}"
        );
        assert_eq!(
            (lost.status, kind(&lost).as_str()),
            (StatusCode::CONFLICT, "request-over"),
            "{nth}: {}",
            lost.text()
        );
        let kept = world
            .client("cora")
            .get(&format!("{PORTAL}/v1/grants/{id}"))
            .await
            .json();
        assert_eq!(
            (&kept["state"], kept["answers"].as_array().unwrap().len()),
            (&json!(state), 1)
        );
    }
    let answered = acts(&world.records().await).into_iter();
    let answered = answered.filter(|(act, _)| matches!(act, GrantAct::Approved | GrantAct::Declined));
    assert_eq!(answered.count(), 4, "each once");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_ends_for_others_with_a_reason_only() {
    let world = World::open().await;
    let id = asked(&world).await;
    for (who, status) in [
        ("mia", StatusCode::UNPROCESSABLE_ENTITY),
        ("sol", StatusCode::UNPROCESSABLE_ENTITY),
        ("ada", StatusCode::NOT_FOUND),
    ] {
        let request = Request::delete(format!("{PORTAL}/v1/grants/{id}"));
        let answer = world.client(who).send_with(request, String::new()).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
    }
    assert_eq!(state(&world, &id).await, json!("requested"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_may_declare_any_more_cannot_be_approved() {
    let world = World::planned(without_cases).await;
    let id = asked(&world).await;
    let freeze = "@id(\"freeze\") @reason(\"Nothing is declared this week.\") @owner(\"IT\")\n\
                  forbid (principal, action == Action::\"declare\", resource);\n";
    world.edit_rules("rules/99-freeze.cedar", freeze).await;
    let approve = format!("/v1/grants/{id}/approve");
    let answer = proven(&world, "mia", &approve, json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(
        answer.text().contains("Nothing is declared this week."),
        "{}",
        answer.text()
    );
    assert_eq!(state(&world, &id).await, json!("requested"));
    let answer = proven(
        &world,
        "mia",
        &format!("/v1/grants/{id}/decline"),
        json!({"note": "Next week."}),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.close().await;
}

/// Mia, whom the terms name, may not answer by the rules.
pub const NOT_MIA: &str = r#"
    @id("approve.not-mia") @reason("Mia is on leave.") @owner("HR")
    forbid (principal == User::"mia", action == Action::"approve", resource);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_or_asked_who_may_not_answer_and_where_nobody_may_that_is_said_at_once() {
    let world = World::planned(without_cases).await;
    let ben = world.client("ben");
    let waits = asked(&world).await;
    world.edit_rules("rules/99-leave.cedar", NOT_MIA).await;

    let refused = ben.declare(&brand()).await;
    assert_eq!(
        (refused.status, kind(&refused).as_str()),
        (StatusCode::FORBIDDEN, "approval-required")
    );
    let told = refused.json();
    assert_eq!((&told["approvers"], &told["owner"]), (&json!([]), &json!("mia")));
    let detail = told["detail"].as_str().unwrap();
    for part in [
        "“Publishing for the brand”",
        "Mia Castellano (mia) owns it",
        "help desk",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let waiting = ben.get(&format!("{PORTAL}/v1/grants/{waits}")).await.json();
    assert_eq!(waiting["approvers"], json!([]), "what waits already names nobody else");
    let open = ben.get(&format!("{PORTAL}/v1/purposes")).await.json();
    let brand = open["purposes"].as_array().unwrap().iter();
    let brand = brand.clone().find(|one| one["id"] == "brand-publishing").unwrap();
    assert_eq!(brand["approvers"], json!([]));
    // of two who are named, the other one is left
    let community = json!({"purpose": "community-management", "platforms": ["x"], "statement": "Answers to the fair"});
    let answer = world.client("cora").declare(&community).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.json()["approvers"], json!(["hana"]));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_where_nobody_could_answer_and_nobody_asks_without_end() {
    let world = World::open().await;
    // nora owns it and has no manager
    let own =
        json!({"purpose": "executive-communication", "platforms": ["linkedin"], "statement": "The annual report"});
    let answer = world.client("nora").declare(&own).await;
    assert_eq!(
        (answer.status, kind(&answer).as_str()),
        (StatusCode::FORBIDDEN, "approval-required")
    );
    let ben = world.client("ben");
    let kinds = ["x", "linkedin", "facebook", "instagram", "reddit", "mastodon"];
    let on = |nth: usize| {
        let chosen = kinds.iter().enumerate().filter(|(bit, _)| nth >> bit & 1 == 1);
        let platforms: Vec<&str> = chosen.map(|(_, kind)| *kind).collect();
        json!({"purpose": "brand-publishing", "platforms": platforms, "statement": "Launch of the new bicycle"})
    };
    for nth in 1..=wayleave::ledger::MOST_IN_FORCE {
        let answer = ben.declare(&on(nth)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    }
    let again = ben.declare(&on(1)).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "what waits already is found");
    let more = ben.declare(&on(wayleave::ledger::MOST_IN_FORCE + 1)).await;
    assert_eq!(
        (more.status, kind(&more).as_str()),
        (StatusCode::CONFLICT, "too-many-requests")
    );
    // what waits takes no room from what needs nobody's approval
    let press = json!({"purpose": "press-monitoring", "platforms": ["x"], "statement": "What the papers say"});
    assert_eq!(world.client("ben").declare(&press).await.status, StatusCode::CREATED);
    world.close().await;
}
