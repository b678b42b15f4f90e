//! Taking back what others hold: by grant, user, purpose, platform or all, by whom the rules let, and at once.

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{Act, Grant, GrantAct};

use crate::approvals::without_cases;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{cookie, opens, own_form, session};

const FEED: &str = "https://www.linkedin.com/feed/";
const WHY: &str = "A stolen laptop";

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

/// Revokes as `user` does with a tool and their password.
pub async fn revokes(world: &World, user: &str, what: &Value) -> Answer {
    let request = Request::post(format!("{PORTAL}/v1/revocations"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic(user, PASSWORD));
    world.client(user).send_with(request, what.to_string()).await
}

fn ids(answer: &Answer, member: &str) -> Vec<String> {
    let grants = answer.json()[member].as_array().cloned().unwrap_or_default();
    let ids = grants.iter().map(|grant| grant["id"].as_str().unwrap().to_owned());
    sorted(ids.collect())
}

/// The clock of these worlds stands still: what is declared at the same moment comes in no order.
fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn id(grant: &Grant) -> String {
    grant.id.to_string()
}

/// What is in force, as the person sees it.
async fn holds(world: &World, user: &str) -> usize {
    let grants = world.client(user).get(&format!("{PORTAL}/v1/grants")).await.json();
    let grants = grants["grants"].as_array().unwrap().clone();
    let open = grants
        .iter()
        .filter(|one| ["active", "requested"].contains(&one["state"].as_str().unwrap()));
    open.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_security_team_takes_back_by_grant_user_platform_purpose_and_all() {
    let world = World::open().await;
    let one = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let other = world.grant("ada", "recruiting", &["linkedin", "xing"], &["read"]).await;
    let dans = world
        .grant("dan", "market-research", &["linkedin", "x"], &["read"])
        .await;
    let coras = world.grant("cora", "customer-support", &["facebook"], &["read"]).await;
    let own = world.grant("sol", "security-research", &["x"], &["read"]).await;

    let listed = world
        .client("sol")
        .get(&format!("{PORTAL}/v1/grants?platform=linkedin"))
        .await;
    assert_eq!(ids(&listed, "grants"), sorted(vec![id(&one), id(&other), id(&dans)]));
    let dry = revokes(&world, "sol", &json!({"platform": "linkedin", "dry_run": true})).await;
    assert_eq!(ids(&dry, "would_revoke").len(), 3, "{}", dry.text());
    assert_eq!(holds(&world, "ada").await, 2, "nothing happened");

    let by_grant = revokes(&world, "sol", &json!({"grant": one.id, "reason": WHY})).await;
    assert_eq!(by_grant.status, StatusCode::OK, "{}", by_grant.text());
    let told = &by_grant.json()["revoked"][0];
    assert_eq!(
        (&told["state"], &told["ended"]),
        (&json!("revoked"), &json!({"by": "sol", "why": WHY}))
    );
    let again = revokes(&world, "sol", &json!({"grant": one.id, "reason": WHY})).await;
    assert_eq!(
        (again.status, kind(&again).as_str()),
        (StatusCode::CONFLICT, "grant-over")
    );
    assert_eq!(
        world.client("ada").get(FEED).await.status,
        StatusCode::OK,
        "by the other one"
    );
    let by_user = revokes(&world, "sol", &json!({"user": "ada", "reason": WHY})).await;
    assert_eq!(ids(&by_user, "revoked"), [id(&other)]);
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::FORBIDDEN);
    let by_platform = revokes(&world, "sol", &json!({"platform": "x", "reason": WHY})).await;
    assert_eq!(
        ids(&by_platform, "revoked"),
        sorted(vec![id(&dans), id(&own)]),
        "{}",
        by_platform.text()
    );
    let states = by_platform.json()["revoked"].as_array().unwrap().clone();
    let own = states.iter().find(|grant| grant["subject"] == "sol").unwrap();
    assert_eq!(own["state"], "withdrawn", "one's own");
    let by_purpose = revokes(&world, "sol", &json!({"purpose": "customer-support", "reason": WHY})).await;
    assert_eq!(ids(&by_purpose, "revoked"), [id(&coras)]);

    world.grant("cora", "customer-support", &["facebook"], &["read"]).await;
    let brand = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle"});
    assert_eq!(world.client("ben").declare(&brand).await.status, StatusCode::ACCEPTED);
    let all = revokes(&world, "sol", &json!({"all": true, "reason": WHY})).await;
    assert_eq!(
        all.json()["revoked"].as_array().unwrap().len(),
        2,
        "what waits as well: {}",
        all.text()
    );
    assert_eq!((holds(&world, "ben").await, holds(&world, "cora").await), (0, 0));
    let nothing = revokes(&world, "sol", &json!({"all": true, "reason": WHY})).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);

    let acts = world
        .acts(|record| match &record.act {
            Act::Grant {
                act,
                grant,
                by,
                policies,
                ..
            } if *act == GrantAct::Revoked => {
                let why = grant.ended.as_ref().map(|ended| ended.why.clone());
                Some((
                    by.to_string(),
                    why,
                    policies.iter().map(ToString::to_string).collect::<Vec<_>>(),
                ))
            }
            _ => None,
        })
        .await;
    assert_eq!(acts.len(), 6);
    for act in acts {
        let expected = (
            "sol".to_owned(),
            Some(WHY.to_owned()),
            vec!["revoke.security".to_owned()],
        );
        assert_eq!(act, expected);
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_revoke_learns_nothing_of_what_others_hold() {
    let world = World::open().await;
    let grant = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    world.grant("cora", "customer-support", &["facebook"], &["read"]).await;
    let nobodys = revokes(&world, "dan", &json!({"grant": "nobodys", "reason": WHY})).await;
    for what in [
        json!({"grant": grant.id, "reason": WHY}),
        json!({"user": "ada", "reason": WHY}),
        json!({"purpose": "recruiting", "reason": WHY}),
        json!({"platform": "linkedin", "reason": WHY}),
        json!({"all": true, "reason": WHY}),
        json!({"all": true, "dry_run": true}),
    ] {
        let refused = revokes(&world, "dan", &what).await;
        assert_eq!(
            (refused.status, refused.text()),
            (StatusCode::NOT_FOUND, nobodys.text()),
            "{what}"
        );
    }
    for query in ["all", "user=ada", "purpose=recruiting", "platform=linkedin"] {
        let listed = world.client("dan").get(&format!("{PORTAL}/v1/grants?{query}")).await;
        assert_eq!(listed.json(), json!({"grants": [], "next": null}), "{query}");
    }
    // of everything, dan ends what is his
    let own = world.grant("dan", "market-research", &["x"], &["read"]).await;
    let all = revokes(&world, "dan", &json!({"all": true, "reason": "done"})).await;
    assert_eq!(
        (ids(&all, "revoked"), &all.json()["not_permitted"]),
        (vec![id(&own)], &json!(0))
    );
    assert_eq!((holds(&world, "ada").await, holds(&world, "cora").await), (1, 1));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_purpose_takes_back_what_is_held_for_it_and_sees_nothing_else() {
    let world = World::open().await;
    let brand = world.grant("ben", "brand-publishing", &["x"], &["publish"]).await;
    world.grant("ben", "press-monitoring", &["x"], &["read"]).await;
    let listed = world.client("mia").get(&format!("{PORTAL}/v1/grants?user=ben")).await;
    assert_eq!(ids(&listed, "grants"), [id(&brand)], "{}", listed.text());
    let done = revokes(&world, "mia", &json!({"user": "ben", "reason": "The launch is off"})).await;
    assert_eq!(
        (ids(&done, "revoked"), &done.json()["not_permitted"]),
        (vec![id(&brand)], &json!(0))
    );
    assert_eq!(holds(&world, "ben").await, 1);
    world.close().await;
}

const KEPT: &str = r#"@id("test.kept") @title("Legal discovery goes on") @reason("Ask legal first.") @owner("legal")
forbid (principal, action == Action::"revoke", resource) when { resource.kind == PurposeKind::"market-research" };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_keep_is_counted_for_whoever_knows_of_it_and_refused_where_it_is_all() {
    let world = World::planned(|plan| {
        without_cases(plan);
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), KEPT).unwrap();
    })
    .await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    let other = world.grant("dan", "press-monitoring", &["x"], &["read"]).await;
    let refused = revokes(&world, "dan", &json!({"purpose": "market-research", "reason": WHY})).await;
    assert_eq!(
        (refused.status, kind(&refused).as_str()),
        (StatusCode::FORBIDDEN, "prohibited")
    );
    assert!(refused.text().contains("Ask legal first."), "{}", refused.text());
    let part = revokes(&world, "dan", &json!({"user": "dan", "reason": WHY})).await;
    assert_eq!(
        (ids(&part, "revoked"), &part.json()["not_permitted"]),
        (vec![id(&other)], &json!(1))
    );
    assert_eq!(holds(&world, "dan").await, 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_takes_a_password_a_reason_and_one_selector_and_never_comes_from_elsewhere() {
    let world = World::open().await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let sol = world.client("sol");
    let call = || Request::post(format!("{PORTAL}/v1/revocations")).header(header::CONTENT_TYPE, "application/json");
    let body = json!({"all": true, "reason": WHY}).to_string();
    let ambient = sol.send_with(call(), body.clone()).await;
    assert_eq!(
        (ambient.status, kind(&ambient).as_str()),
        (StatusCode::UNAUTHORIZED, "sign-in-again")
    );
    let wrong = call().header(header::AUTHORIZATION, Client::basic("sol", "guessed"));
    assert_eq!(
        sol.send_with(wrong, body.clone()).await.status,
        StatusCode::UNAUTHORIZED
    );
    let foreign = call()
        .header(header::AUTHORIZATION, Client::basic("sol", PASSWORD))
        .header(header::ORIGIN, "https://evil.example");
    let foreign = sol.send_with(foreign, body.clone()).await;
    assert_eq!(
        (foreign.status, kind(&foreign).as_str()),
        (StatusCode::FORBIDDEN, "foreign-origin")
    );
    for (what, wrong, says) in [
        (
            json!({"all": true}),
            "reason-required",
            "whoever holds it reads the reason",
        ),
        (
            json!({"all": true, "reason": " "}),
            "reason-required",
            "Nothing was revoked",
        ),
        (
            json!({"all": true, "reason": "x".repeat(2_001)}),
            "revocation-unfit",
            "at most 2000",
        ),
        (json!({"reason": WHY}), "revocation-unfit", "exactly one of"),
        (
            json!({"user": "ada", "all": true, "reason": WHY}),
            "revocation-unfit",
            "exactly one of",
        ),
        (
            json!({"all": false, "reason": WHY}),
            "revocation-unfit",
            "can only be true",
        ),
        (
            json!({"usr": "ada", "reason": WHY}),
            "revocation-unfit",
            "did you mean `user`?",
        ),
        (json!({"user": "a b", "reason": WHY}), "revocation-unfit", "a b"),
        (json!({"user": 7, "reason": WHY}), "revocation-unfit", "must be a text"),
    ] {
        let refused = revokes(&world, "sol", &what).await;
        let found = (refused.status, kind(&refused));
        assert_eq!(found, (StatusCode::UNPROCESSABLE_ENTITY, wrong.to_owned()), "{what}");
        let told = refused.json();
        assert!(told["detail"].as_str().unwrap().contains(says), "{says}: {told}");
        assert!(told["errors"][0]["field"].is_string(), "{told}");
    }
    let get = sol.get(&format!("{PORTAL}/v1/revocations")).await;
    assert_eq!(
        (get.status, get.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    assert_eq!(holds(&world, "ada").await, 1, "nothing of it was revoked");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_revoked_is_listed_page_by_page() {
    let world = World::open().await;
    for user in ["ada", "dan", "cora", "ben"] {
        for _ in 0..30 {
            world.grant(user, "market-research", &["x"], &["read"]).await;
        }
    }
    let sol = world.client("sol");
    let first = sol.get(&format!("{PORTAL}/v1/grants?all")).await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = sol.get(&format!("{PORTAL}/v1/grants?all&after={next}")).await;
    assert_eq!((ids(&first, "grants").len(), ids(&second, "grants").len()), (100, 20));
    assert_eq!(second.json()["next"], Value::Null);
    let mut all = [ids(&first, "grants"), ids(&second, "grants")].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 120);
    let page = reads(&sol, "/grants", "").await;
    assert!(
        page.contains("100 purposes on this page") && page.contains("Revoke all of them"),
        "{page}"
    );
    let dry = revokes(&world, "sol", &json!({"all": true, "dry_run": true})).await;
    assert_eq!(
        (ids(&dry, "would_revoke"), &dry.json()["next"]),
        (ids(&first, "grants"), &json!(next))
    );
    assert_eq!(dry.json()["count"], 120);
    let done = revokes(&world, "sol", &json!({"all": true, "reason": WHY})).await;
    assert_eq!((ids(&done, "revoked").len(), &done.json()["count"]), (100, &json!(120)));
    assert_eq!((holds(&world, "ada").await, holds(&world, "ben").await), (0, 0));
    world.close().await;
}

/// A page as a person reads it.
async fn reads(client: &Client, path: &str, cookie: &str) -> String {
    opens(client, path, cookie).await.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_page_of_what_is_in_force_to_the_question_and_on_to_the_page_of_the_holder() {
    let world = World::open().await;
    let one = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    world.grant("ada", "market-research", &["x"], &["read"]).await;
    world
        .grant("dan", "market-research", &["x", "linkedin"], &["read"])
        .await;
    let sol = world.client("sol");
    let own = reads(&sol, "/", "").await;
    assert!(own.contains("href=\"/grants\""), "{own}");
    let all = reads(&sol, "/grants", "").await;
    for part in [
        "3 purposes",
        "Ada Mertens (ada)",
        "Recruiting",
        "LinkedIn",
        "13:30",
        "a test needs it",
        "Revoke all 3",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    assert!(!all.contains("method=\"post\""), "nothing is revoked from here: {all}");
    let filtered = reads(&sol, "/grants?user=&purpose=market-research&platform=linkedin", "").await;
    assert!(
        filtered.contains("1 purpose") && filtered.contains("(dan)") && !filtered.contains("(ada)"),
        "{filtered}"
    );
    assert!(filtered.contains("value=\"market-research\" selected"), "{filtered}");
    let nobody = reads(&sol, "/grants?user=%3Cscript%3E", "").await;
    assert!(nobody.contains("None fits") && !nobody.contains("<script"), "{nobody}");
    assert!(
        nobody.contains("Nobody called") && !nobody.contains("Did you mean"),
        "{nobody}"
    );
    for slip in ["dann", "Dan%20Whitfeld"] {
        let near = reads(&sol, &format!("/grants?user={slip}"), "").await;
        assert!(near.contains("Did you mean “dan”?"), "{slip}: {near}");
    }
    let told = sol.get(&format!("{PORTAL}/v1/grants?user=dann")).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", told.text());
    assert!(told.text().contains("Did you mean “dan”?"), "{}", told.text());
    let named = reads(&sol, "/grants?user=dan%20whitfield", "").await;
    assert!(
        named.contains("1 purpose") && !named.contains("Nobody called"),
        "{named}"
    );
    for (user, count) in [("Dan%20Whitfield", 1), ("ben", 0)] {
        let told = sol.get(&format!("{PORTAL}/v1/grants?user={user}")).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text());
        assert_eq!(told.json()["grants"].as_array().unwrap().len(), count, "{user}");
    }
    // whoever holds nothing looks to somebody who may end nothing of theirs as if they were not there
    let other = reads(&sol, "/grants?user=ben&purpose=market-research", "").await;
    assert!(
        other.contains("None fits") && other.contains("Nobody called “ben”"),
        "{other}"
    );
    let filtered_out = reads(&sol, "/grants?user=dan&purpose=recruiting", "").await;
    assert!(
        !filtered_out.contains("Nobody called"),
        "he holds something else: {filtered_out}"
    );

    let which = format!("/grants/revoke?grant={}", one.id);
    assert!(all.contains(&which), "{all}");
    let before = reads(&sol, &which, "").await;
    assert!(
        before.contains("Revoke 1 purpose?") && before.contains("(ada)"),
        "{before}"
    );
    assert!(
        before.contains("/sign-in?to=%2Fgrants%2Frevoke%3Fgrant%3D") && !before.contains("<form"),
        "{before}"
    );
    let session = session(&sol).await;
    let sure = reads(&sol, &which, &session).await;
    let (token, id) = (hidden(&sure, "token"), hidden(&sure, "grant"));
    assert_eq!(id, one.id.to_string());
    let why = "<script>alert(1)</script> a stolen laptop";
    let fields = [("token", token.as_str()), ("grant", id.as_str()), ("note", why)];
    let done = own_form(&sol, "/grants/revoke", &session, &fields).await;
    let place = format!("/grants?revoked={id}");
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, place.as_str()),
        "{}",
        done.text()
    );
    assert!(reads(&sol, &place, &session).await.contains("You revoked 1 purpose."));
    let again = own_form(&sol, "/grants/revoke", &session, &fields).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "a token serves once");
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::FORBIDDEN);
    let own = reads(&world.client("ada"), "/", "").await;
    for part in [
        "Revoked in the last days",
        "Sol Haddad (sol) revoked it at 12:30.",
        "a stolen laptop",
    ] {
        assert!(own.contains(part), "{part} in {own}");
    }
    assert!(!own.contains("<script") && !own.contains("href=\"/grants\""), "{own}");

    // what is shown, at once
    let rest = "/grants/revoke?purpose=market-research";
    let sure = reads(&sol, rest, &session).await;
    assert!(
        sure.contains("Revoke 2 purposes?") && sure.contains("Revoke all 2"),
        "{sure}"
    );
    let token = hidden(&sure, "token");
    let fields = [
        ("token", token.as_str()),
        ("purpose", "market-research"),
        ("note", "The study is over"),
    ];
    let done = own_form(&sol, "/grants/revoke", &session, &fields).await;
    let told = reads(&sol, done.header("location"), &session).await;
    assert!(
        told.contains("You revoked 2 purposes.") && told.contains("None fits"),
        "{told}"
    );
    assert_eq!((holds(&world, "ada").await, holds(&world, "dan").await), (0, 0));
    world.close().await;
}

/// Two rules by which dan may end what eve holds, who reports to him here: the second names them.
const REPORTS: [&str; 2] = [
    r#"@id("test.reports") @title("Managers") @reason("Managers may.") @owner("HR")
permit (principal, action == Action::"revoke", resource)
when { resource.declarer has manager && resource.declarer.manager == principal };
"#,
    r#"@id("test.reports") @title("Deputies") @reason("Deputies may.") @owner("HR")
permit (principal, action == Action::"revoke", resource)
when { principal == User::"dan" && resource.declarer == User::"eve" };
"#,
];

#[tokio::test(flavor = "multi_thread")]
async fn whose_power_hangs_on_the_holder_finds_the_page_whatever_is_left_on_it() {
    for (rule, has_link) in REPORTS.into_iter().zip([true, false]) {
        let world = World::planned(|plan| {
            without_cases(plan);
            let policies = plan.folder.join("policies");
            std::fs::write(policies.join("rules/90-test.cedar"), rule).unwrap();
            let file = policies.join("people/people.toml");
            let people = std::fs::read_to_string(&file).unwrap();
            let (before, eve) = people.split_once("id = \"eve\"").unwrap();
            let eve = eve.replacen("manager = \"mia\"", "manager = \"dan\"", 1);
            std::fs::write(&file, format!("{before}id = \"eve\"{eve}")).unwrap();
        })
        .await;
        let one = world.grant("eve", "market-research", &["x"], &["read"]).await;
        world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
        let dan = world.client("dan");
        let own = reads(&dan, "/", "").await;
        assert_eq!(own.contains("href=\"/grants\""), has_link, "{own}");
        let all = reads(&dan, "/grants", "").await;
        assert!(all.contains("(eve)") && !all.contains("(ada)"), "{all}");
        let filtered = opens(&dan, "/grants?user=ada", "").await;
        assert_eq!(filtered.status, StatusCode::OK, "a filter that nothing fits");
        assert!(filtered.text().contains("None fits"), "{}", filtered.text());
        let done = revokes(&world, "dan", &json!({"grant": one.id, "reason": WHY})).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        let after = opens(&dan, &format!("/grants?revoked={}", one.id), "").await;
        assert_eq!(after.status, StatusCode::OK, "nothing is left");
        assert!(after.text().contains("You revoked 1 purpose."), "{}", after.text());
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_written_while_the_session_ended_is_there_again_after_signing_in() {
    let world = World::open().await;
    let one = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let other = world.grant("ada", "market-research", &["x"], &["read"]).await;
    let sol = world.client("sol");
    let path = format!("/grants/revoke?grant={}", one.id);
    let token = hidden(&reads(&sol, &path, &session(&sol).await).await, "token");
    let id = one.id.to_string();
    let fields = [("token", token.as_str()), ("grant", id.as_str()), ("note", WHY)];
    let late = own_form(&sol, "/grants/revoke", "", &fields).await;
    let form = reads(&sol, late.header("location"), "").await;
    let (token, to) = (hidden(&form, "token"), hidden(&form, "to"));
    let fields = [("token", token.as_str()), ("to", to.as_str()), ("password", PASSWORD)];
    let signed = own_form(&sol, "/sign-in", "", &fields).await;
    assert_eq!(signed.header("location"), path);
    let session = cookie(&signed);
    let sure = reads(&sol, &path, &session).await;
    assert!(sure.contains(&format!(">{WHY}</textarea>")), "{sure}");
    let elsewhere = format!("/grants/revoke?grant={}", other.id);
    assert!(
        !reads(&sol, &elsewhere, &session).await.contains(WHY),
        "of another deed"
    );
    let token = hidden(&sure, "token");
    let fields = [("token", token.as_str()), ("grant", id.as_str()), ("note", WHY)];
    let done = own_form(&sol, "/grants/revoke", &session, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert!(!reads(&sol, "/grants/revoke?user=ada", &session).await.contains(WHY));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_revoking_show_and_do_nothing_for_others_and_take_no_forged_form() {
    let world = World::open().await;
    let one = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let other = world.grant("ada", "market-research", &["x"], &["read"]).await;
    let (sol, dan) = (world.client("sol"), world.client("dan"));
    for path in [
        "/grants",
        "/grants?user=ada",
        "/grants/revoke",
        "/grants/revoke?user=ada",
    ] {
        let page = opens(&dan, path, "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.text().contains("ada"), "{path}: {}", page.text());
    }
    let by_id = format!("/grants/revoke?grant={}", one.id);
    let (theirs, nobodys) = (
        opens(&dan, &by_id, "").await,
        opens(&dan, "/grants/revoke?grant=x", "").await,
    );
    assert_eq!((theirs.status, theirs.text()), (nobodys.status, nobodys.text()));

    let ours = session(&sol).await;
    let id = one.id.to_string();
    let token = async || hidden(&reads(&sol, &by_id, &ours).await, "token");
    let send = async |cookie: &str, fields: &[(&str, &str)]| own_form(&sol, "/grants/revoke", cookie, fields).await;
    let fresh = token().await;
    for (fields, why) in [
        (vec![("grant", id.as_str()), ("note", WHY)], "no token"),
        (
            vec![("token", fresh.as_str()), ("note", WHY)],
            "the token of one grant does not take all",
        ),
        (
            vec![("token", fresh.as_str()), ("user", "ada"), ("note", WHY)],
            "nor somebody's",
        ),
        (
            vec![("token", fresh.as_str()), ("grant", other.id.as_str()), ("note", WHY)],
            "nor another one",
        ),
    ] {
        assert_eq!(send(&ours, &fields).await.status, StatusCode::FORBIDDEN, "{why}");
    }
    let stolen = [("token", fresh.as_str()), ("grant", id.as_str()), ("note", WHY)];
    let by_dan = own_form(&dan, "/grants/revoke", &session(&dan).await, &stolen).await;
    assert_eq!(by_dan.status, StatusCode::FORBIDDEN, "a token is its person's");
    let elsewhere = Request::post(format!("{PORTAL}/grants/revoke"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, &ours)
        .header(header::ORIGIN, "https://evil.example");
    let elsewhere = sol.send_with(elsewhere, form(&stolen)).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let silent = [("token", fresh.as_str()), ("grant", id.as_str()), ("note", " ")];
    assert_eq!(send(&ours, &silent).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fresh = token().await;
    let ambient = [("token", fresh.as_str()), ("grant", id.as_str()), ("note", WHY)];
    let ambient = send("", &ambient).await;
    assert_eq!(ambient.status, StatusCode::SEE_OTHER);
    assert!(ambient.header("location").starts_with("/sign-in?"));
    assert_eq!(holds(&world, "ada").await, 2, "nothing of it was revoked");
    let note = reads(&sol, &format!("/grants?revoked={id}"), &ours).await;
    assert!(!note.contains("You revoked"), "{note}");

    let form = reads(&sol, "/sign-in?to=/grants", "").await;
    let token = hidden(&form, "token");
    let fields = [("token", token.as_str()), ("to", "/grants"), ("password", PASSWORD)];
    let signed = own_form(&sol, "/sign-in", "", &fields).await;
    assert_eq!(signed.header("location"), "/grants");
    assert!(!cookie(&signed).is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_is_nobody_elses_full_name_and_nobody_finds_out_who_is_there() {
    let world = World::planned(|plan| {
        without_cases(plan);
        let file = plan.folder.join("policies/people/people.toml");
        let people = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, people.replace("name = \"Ada Mertens\"", "name = \"Ben\"")).unwrap();
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let listed = async |who: &str, user: &str| world.client(who).get(&format!("{PORTAL}/v1/grants?user={user}")).await;
    let of_ben = listed("sol", "ben").await;
    assert_eq!(of_ben.json()["grants"], json!([]), "{}", of_ben.text());
    assert_eq!(listed("sol", "ada").await.json()["grants"].as_array().unwrap().len(), 1);
    // Dan may read and end nothing of others: a name that is there looks like one that is not
    let [there, not] = [listed("dan", "Lea%20Rossi").await, listed("dan", "Lea%20Rossa").await];
    assert_eq!(
        (there.status, not.status),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert_eq!(there.text().replace("Rossi", "Rossa"), not.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_rules_keep_from_somebody_looks_to_them_like_nobody_until_they_hold_what_can_be_ended() {
    let world = World::planned(without_cases).await;
    let apart = r#"@id("test.dan") @title("Dan") @reason("Dan.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource == User::"dan");
"#;
    world.edit_rules("rules/90-test.cedar", apart).await;
    let sol = world.client("sol");
    let ask = async |name: &str| {
        let answer = sol.get(&format!("{PORTAL}/v1/grants?user={name}")).await;
        (answer.status, answer.text().replace(&name.replace("%20", " "), "NAME"))
    };
    let page = async |name: &str| {
        let text = reads(&sol, &format!("/grants?user={name}"), "").await;
        let text = text.replace(&name.replace("%20", " "), "NAME");
        text.replace(&name.replace("%20", "+"), "NAME")
    };
    for (there, not) in [("dan", "xyz"), ("Dan%20Whitfield", "Xyz%20Xyzxyzxy")] {
        assert_eq!(ask(there).await, ask(not).await);
        assert_eq!(ask(there).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page(there).await, page(not).await);
    }
    world.grant("dan", "market-research", &["linkedin"], &["read"]).await;
    for (name, more, count) in [
        ("dan", "", 1),
        ("Dan%20Whitfield", "", 1),
        ("dan", "&purpose=recruiting", 0),
        ("Dan%20Whitfield", "&purpose=recruiting", 0),
    ] {
        let told = sol.get(&format!("{PORTAL}/v1/grants?user={name}{more}")).await;
        assert_eq!(told.status, StatusCode::OK, "{name}{more}: {}", told.text());
        assert_eq!(told.json()["grants"].as_array().unwrap().len(), count, "{name}{more}");
    }
    world.close().await;
}
