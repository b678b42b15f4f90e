//! Coaching: whoever is told why not may continue, past this and nothing else, for a time, and on record.

use std::time::Duration;

use http::{Request, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wayleave::facts::{Act, Coach, DecisionNote, End, Grant, GrantAct, GrantId, Mode, Outcome, PlatformId};

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden, sample};

const RULES: &str = "rules/90-test.cedar";
const FEED: &str = "https://www.linkedin.com/feed/?filter=people";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

/// Corners that no case of the shipped policies asks for: one is coached, in a part of it another rule insists.
const CORNER: &str = r#"
@id("trial.corner") @title("A corner") @reason("This corner is for others.") @owner("IT") @mode("coach")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };

@id("trial.firm") @title("A closed corner") @reason("This part is closed.") @owner("IT")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/firm/*" };
"#;

async fn coaching(rules: &str, mode: Mode) -> World {
    World::planned(|plan| {
        plan.settings.mode = mode;
        std::fs::write(plan.folder.join("policies").join(RULES), rules).unwrap();
    })
    .await
}

/// The page behind a refused visit.
async fn explained(client: &Client, url: &str) -> String {
    let refused = client.navigate(url).await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.text());
    let page = client.follow(refused.header("location"), "cross-site").await;
    assert_eq!(page.status, StatusCode::OK);
    page.text()
}

/// The fields of its button.
fn button(page: &str) -> Option<(String, String)> {
    let (_, form) = page.split_once("action=\"/continue\"")?;
    Some((hidden(form, "refusal"), hidden(form, "token")))
}

async fn press(client: &Client, (refusal, token): &(String, String)) -> Answer {
    client
        .own_form("/continue", &[("refusal", refusal), ("token", token)])
        .await
}

/// Continues as a tool does, from the problem document of a refusal.
async fn go_on(client: &Client, refused: &Answer) -> Answer {
    let problem = refused.json();
    let address = problem["continue"].as_str().unwrap_or_else(|| panic!("{problem}"));
    client.send(Request::post(address)).await
}

/// What the book says of whoever continued.
async fn continued(world: &World) -> Vec<(Grant, String)> {
    let acts = world.acts(|record| match &record.act {
        Act::Grant { act, grant, by, .. } if *act == GrantAct::Continued => {
            Some((grant.as_ref().clone(), by.to_string()))
        }
        _ => None,
    });
    acts.await
}

fn past(note: &DecisionNote) -> Option<&GrantId> {
    match note.coach.as_ref()? {
        Coach::Continued(id) => Some(id),
        Coach::Offered => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_why_not_continues_and_is_told_again_after_a_time() {
    let mut world = coaching("", Mode::Coach).await;
    let (ada, eve) = (world.client("ada"), world.client("eve"));
    let page = explained(&ada, FEED).await;
    assert!(page.contains("for 1 hour you are not asked again"), "{page}");
    assert!(
        page.contains("action=\"/declare\""),
        "a purpose can be stated as before: {page}"
    );
    let told = world.closed("www.linkedin.com", "/feed/").await;
    let note = told.decided();
    assert_eq!(
        (note.outcome, note.mode, note.let_pass),
        (Outcome::Declare, Mode::Coach, false)
    );
    assert_eq!(
        (note.coach.as_ref(), &told.ended().end),
        (Some(&Coach::Offered), &End::Refused)
    );
    assert_eq!(world.origin.received().len(), 0);

    let pressed = press(&ada, &button(&page).unwrap()).await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER, "{}", pressed.text());
    let onward = ada
        .follow(&format!("{PORTAL}{}", pressed.header("location")), "same-origin")
        .await;
    assert!(onward.text().contains(&format!("url={FEED}")), "{}", onward.text());
    assert_eq!(ada.navigate(FEED).await.status, StatusCode::OK);
    let passed = world.closed("www.linkedin.com", "/feed/").await;
    let note = passed.decided();
    let kept = continued(&world).await;
    let [(grant, by)] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert_eq!(
        (note.outcome, note.let_pass, past(note)),
        (Outcome::Declare, true, Some(&grant.id))
    );
    assert_eq!(
        (by.as_str(), grant.subject.as_str(), grant.declared_at),
        ("ada", "ada", world.clock.now())
    );
    assert_eq!(grant.expires, world.clock.now().plus(Duration::from_hours(1)));
    assert_eq!(
        grant.platforms.iter().map(PlatformId::as_str).collect::<Vec<_>>(),
        ["linkedin"]
    );
    let series = r#"wayleave_would_deny_total{cause="gateway",mode="coach",platform="linkedin"}"#;
    assert_eq!(sample(&world.admin("/metrics").await.text(), series), Some(1.0));

    // what a page loads is read, too; what it sends is told by itself, and so is everybody else
    assert_eq!(
        ada.get("https://www.linkedin.com/in/somebody/").await.status,
        StatusCode::OK
    );
    assert_eq!(
        ada.post(SHARE, "application/json", "{}").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(ada.get("https://x.com/home").await.status, StatusCode::FORBIDDEN);
    assert_eq!(eve.get(FEED).await.status, StatusCode::FORBIDDEN);
    let mine = ada.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(mine.contains("Continued after being told why not"), "{mine}");
    assert!(mine.contains("LinkedIn: read and search"), "{mine}");

    world.reopen().await;
    let ada = world.client("ada");
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK, "a restart forgets nothing");
    world.clock.advance(Duration::from_hours(1));
    assert!(button(&explained(&ada, FEED).await).is_some(), "asked again");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_coaches_is_passed_and_one_that_insists_is_not() {
    let world = coaching(CORNER, Mode::Enforce).await;
    let held = world.grant("dan", "market-research", &["x"], &["read"]).await;
    let (dan, ada) = (world.client("dan"), world.client("ada"));
    assert!(button(&explained(&dan, "https://x.com/corner/firm/1").await).is_none());
    let firm = dan.get("https://x.com/corner/firm/1").await;
    assert!(firm.json().get("continue").is_none(), "{}", firm.text());
    let id = firm.json()["instance"].as_str().unwrap().to_owned();
    let insisted = dan.send(Request::post(format!("{PORTAL}{id}/continue"))).await;
    assert_eq!(insisted.status, StatusCode::FORBIDDEN, "{}", insisted.text());

    let page = explained(&dan, "https://x.com/corner/1").await;
    assert!(
        page.contains("This corner is for others.") && button(&page).is_some(),
        "{page}"
    );
    // who may continue reads nothing that says that they may not
    assert!(page.contains("<h1>Please read this before you continue</h1>"), "{page}");
    assert!(page.contains("<title>Please read this before you continue"), "{page}");
    for no in ["not allowed", "No purpose makes this work"] {
        assert!(!page.contains(no), "{no}: {page}");
    }
    let refused = dan.get("https://x.com/corner/1").await;
    assert!(refused.header("link").contains(PORTAL));
    let problem = refused.json();
    assert_eq!(problem["type"], "https://wayleave.example/problems/coached");
    assert_eq!(
        problem["detail"],
        "You are asked not to open pages on X (Twitter). You may continue all the same: POST to the address in `continue`."
    );
    let theirs = go_on(&ada, &refused).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND, "another person's refusal");
    let created = go_on(&dan, &refused).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::OK);
    assert_eq!(
        go_on(&dan, &refused).await.status,
        StatusCode::CONFLICT,
        "it passes already"
    );
    let closing = world.closed("x.com", "/corner/1").await;
    let note = closing.decided();
    assert_eq!(
        (note.outcome, note.mode, note.let_pass),
        (Outcome::Deny, Mode::Enforce, true)
    );
    assert_eq!(past(note).map(GrantId::as_str), created.json()["id"].as_str());
    assert_eq!(note.grant.as_ref(), Some(&held.id), "the purpose that it needs beside");
    let series = r#"wayleave_would_deny_total{cause="rule",mode="coach",platform="x"}"#;
    assert_eq!(sample(&world.admin("/metrics").await.text(), series), Some(1.0));
    assert!(dan.get("https://x.com/corner/firm/1").await.status == StatusCode::FORBIDDEN);

    let one = format!("{PORTAL}/v1/grants/{}", created.json()["id"].as_str().unwrap());
    assert_eq!(
        world.client("sol").delete(&one).await.status,
        StatusCode::NOT_FOUND,
        "it is theirs alone"
    );
    assert_eq!(dan.delete(&one).await.status, StatusCode::OK);
    let again = dan.get("https://x.com/corner/1").await;
    assert_eq!(go_on(&dan, &again).await.status, StatusCode::CREATED);
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::OK);
    world.edit_rules(RULES, &CORNER.replace(" @mode(\"coach\")", "")).await;
    let enforced = dan.get("https://x.com/corner/1").await;
    assert_eq!(enforced.status, StatusCode::FORBIDDEN);
    assert!(enforced.json().get("continue").is_none(), "{}", enforced.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_continues_for_the_person_in_front_of_the_browser() {
    let world = coaching("", Mode::Coach).await;
    let (ada, eve) = (world.client("ada"), world.client("eve"));
    let good = button(&explained(&ada, FEED).await).unwrap();
    let of_eve = button(&explained(&eve, FEED).await).unwrap();
    let declaring = hidden(&explained(&ada, FEED).await, "token");
    for (refusal, token) in [
        (good.0.as_str(), ""),
        (&good.0, "AAAA"),
        (&good.0, &of_eve.1),
        (&of_eve.0, &good.1),
        (&good.0, &declaring),
    ] {
        let forged = press(&ada, &(refusal.to_owned(), token.to_owned())).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{token}");
    }
    for (origin, site) in [
        ("https://evil.example", "cross-site"),
        (PORTAL, "cross-site"),
        ("null", "same-origin"),
    ] {
        let request = Request::post(format!("{PORTAL}/continue"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
            .header("sec-fetch-site", site);
        let foreign = ada
            .send_with(request, form(&[("refusal", &good.0), ("token", &good.1)]))
            .await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{origin} {site}");
    }
    let script = Request::post(format!("{PORTAL}/v1/decisions/{}/continue", good.0))
        .header(header::ORIGIN, "https://evil.example");
    assert_eq!(ada.send(script).await.status, StatusCode::FORBIDDEN);
    assert_eq!(continued(&world).await, []);
    assert_eq!(ada.get(FEED).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        press(&ada, &good).await.status,
        StatusCode::SEE_OTHER,
        "all that while the same form was good"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_continue_because_the_request_is_too_long_to_keep_is_not_told_that_they_may() {
    let world = coaching("", Mode::Coach).await;
    let ada = world.client("ada");
    for (length, may) in [(1_000, true), (2_100, false)] {
        let path = "x".repeat(length);
        let url = format!("https://www.linkedin.com/{path}");
        let refused = ada.post(&url, "application/json", "{}").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let problem = refused.json();
        assert_eq!(problem.get("continue").is_some(), may, "{problem}");
        assert_eq!(
            problem["detail"].as_str().unwrap().contains("continue"),
            may,
            "{problem}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_somebody_continued_to_is_cut_once_the_rule_insists() {
    let rule = r#"@id("trial.example") @title("The example") @reason("The example is for others.") @owner("IT") @mode("coach")
        forbid (principal, action == Action::"connect", resource) when { resource.host like "*.coached.example" };"#;
    let world = coaching(rule, Mode::Enforce).await;
    let dan = world.client("dan");
    let refused = dan.tunnel("www.coached.example:80").await.err().unwrap();
    assert_eq!(go_on(&dan, &refused).await.status, StatusCode::CREATED);
    let mut tunnel = hyper_util::rt::TokioIo::new(dan.tunnel("www.coached.example:80").await.unwrap());
    tunnel
        .write_all(b"GET /behave/drip HTTP/1.1\r\nHost: www.coached.example\r\n\r\n")
        .await
        .unwrap();
    tunnel.read_exact(&mut [0; 64]).await.unwrap();
    let other = dan.tunnel("other.coached.example:80").await.err().unwrap();
    assert_eq!(other.status, StatusCode::FORBIDDEN, "another host is told by itself");

    world.edit_rules(RULES, &rule.replace(" @mode(\"coach\")", "")).await;
    tunnel.read_to_end(&mut Vec::new()).await.ok();
    world
        .until("the book says that new rules cut it", async |world| {
            let cut = world.acts(|record| match &record.act {
                Act::Closing { ended, .. } => {
                    matches!(&ended.end, End::Cut(reason) if reason.contains("rules")).then_some(())
                }
                _ => None,
            });
            cut.await.len() == 1
        })
        .await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_about_reading_a_page_is_told_anew_of_a_tunnel_that_nobody_reads() {
    let world = World::planned(|plan| {
        plan.settings.mode = Mode::Coach;
        // one host of a platform is read, and the others are not
        let policies = plan.folder.join("policies");
        let reach = policies.join("rules/10-reach.cedar");
        let text = std::fs::read_to_string(&reach).unwrap();
        let open = "resource in Category::\"social-media\"\n);";
        let narrow = open.replace(';', " when { resource.host == \"www.linkedin.com\" };");
        std::fs::write(&reach, text.replace(open, &narrow)).unwrap();
        std::fs::remove_dir_all(policies.join("cases")).unwrap();
        let owners = policies.join("owners.toml");
        let text = std::fs::read_to_string(&owners).unwrap();
        std::fs::write(&owners, text.replace("cases = \"IT\"\n", "")).unwrap();
    })
    .await;
    let ada = world.client("ada");
    let beside = "platform.linkedin.com:8443";
    assert_eq!(ada.tunnel(beside).await.unwrap_err().status, StatusCode::FORBIDDEN);
    let refused = ada.get(FEED).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(go_on(&ada, &refused).await.status, StatusCode::CREATED);
    assert_eq!(ada.get(FEED).await.status, StatusCode::OK);

    let unread = ada.tunnel(beside).await.unwrap_err();
    assert_eq!(unread.status, StatusCode::FORBIDDEN, "over it she may publish");
    assert_eq!(go_on(&ada, &unread).await.status, StatusCode::CREATED);
    ada.tunnel(beside).await.unwrap();
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coaching_passes_nothing_that_no_rule_decides() {
    let failing = r#"@id("trial.sum") @title("A sum") @reason("The sum is too large.") @owner("IT")
        forbid (principal, action in Action::"activity", resource in Category::"social-media")
        when { context.request.path like "/sum/*" && (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };"#;
    let world = World::planned(|plan| {
        plan.maps_everything = false;
        plan.settings.mode = Mode::Coach;
        std::fs::write(plan.folder.join("policies").join(RULES), failing).unwrap();
    })
    .await;
    let ada = world.client("ada");
    let failed = ada.get("https://x.com/sum/1").await;
    assert_eq!(failed.status, StatusCode::FORBIDDEN);
    assert!(failed.json().get("continue").is_none(), "{}", failed.text());
    let id = failed.json()["instance"].as_str().unwrap().to_owned();
    let insisted = ada.send(Request::post(format!("{PORTAL}{id}/continue"))).await;
    assert_eq!(insisted.status, StatusCode::FORBIDDEN, "{}", insisted.text());
    assert_eq!(world.closed("x.com", "/sum/1").await.decided().coach, None);

    let stranger = world.stranger().get("http://www.example.org/").await;
    assert_eq!(stranger.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let private = ada.get("http://10.1.2.3/").await;
    assert!(
        private
            .header("proxy-status")
            .contains("error=destination_ip_prohibited")
    );
    assert_eq!(continued(&world).await, []);
    world.close().await;
}
