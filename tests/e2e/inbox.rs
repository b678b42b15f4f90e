//! The pages of approvals: from the refusal to the question, from the inbox to the answer, and nobody else's hand in it.

use std::time::Duration;

use http::{Request, StatusCode, header};
use wayleave::facts::Secret;
use wayleave::identity::users;

use crate::approvals::{NOT_MIA, without_cases};
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::harness::{PASSWORD, World};

/// A page of X that Ben may only post from once somebody approves; the page itself opens for a purpose of his own.
const ADMIN: &str = "https://www.linkedin.com/company/1/admin/";
const WHY: &str = "Launch of the new bicycle";

/// Ben asks on the page of a refusal; gives the address where he waits.
async fn asks(ben: &Client) -> String {
    asks_at([ben, ben, ben]).await
}

/// The same where he comes to another gateway with each step.
pub async fn asks_at([refuses, shows, takes]: [&Client; 3]) -> String {
    let refused = refuses.navigate(ADMIN).await;
    let page = shows.follow(refused.header("location"), "cross-site").await.text();
    assert!(page.contains("Mia Castellano (mia) must approve it"), "{page}");
    assert!(page.contains("waits for 2 days"), "{page}");
    let fields = [
        ("refusal", hidden(&page, "refusal")),
        ("token", hidden(&page, "token")),
        ("purpose", "brand-publishing".to_owned()),
        ("statement", WHY.to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = takes.own_form("/declare", &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    format!("{PORTAL}{}", sent.header("location"))
}

/// One of the portal's forms, sent with a cookie.
pub async fn own_form(client: &Client, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(format!("{PORTAL}{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, PORTAL)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    client.send_with(request, form(fields)).await
}

pub async fn opens(client: &Client, path: &str, cookie: &str) -> Answer {
    let request = Request::get(format!("{PORTAL}{path}"))
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    client.send(request).await
}

/// Signs in once more; gives what the browser sends from then on.
pub async fn signs_in(client: &Client, before: &str, password: &str) -> Answer {
    let page = opens(client, "/sign-in?to=/approvals", before).await.text();
    let token = hidden(&page, "token");
    let fields = [("token", token.as_str()), ("to", "/approvals"), ("password", password)];
    own_form(client, "/sign-in", before, &fields).await
}

pub fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

pub async fn session(client: &Client) -> String {
    let signed = signs_in(client, "", PASSWORD).await;
    assert_eq!(
        (signed.status, signed.header("location")),
        (StatusCode::SEE_OTHER, "/approvals")
    );
    cookie(&signed)
}

/// The id of the one request in an inbox, and the tokens of its two buttons.
pub fn buttons(inbox: &str) -> (String, String, String) {
    let from = inbox
        .split_once("action=\"/approvals/")
        .unwrap_or_else(|| panic!("{inbox}"))
        .1;
    let id = from.split_once('/').unwrap().0.to_owned();
    let decline = from.split_once("/decline\"").unwrap().1;
    (id, hidden(from, "token"), hidden(decline, "token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_refusal_to_the_question_from_the_inbox_to_the_answer_and_on_to_the_site() {
    let world = World::open().await;
    let (ben, mia) = (world.client("ben"), world.client("mia"));
    let waits = asks(&ben).await;
    let page = ben.follow(&waits, "same-origin").await.text();
    assert!(
        page.contains("Mia Castellano (mia) was asked") && page.contains(WHY),
        "{page}"
    );
    let own = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        own.contains("My requests that wait") && own.contains("Take back"),
        "{own}"
    );

    // the same visit again: it is known to wait
    let again = ben.navigate(ADMIN).await;
    let waits_to_follow = again.header("retry-after");
    assert_eq!(
        (again.status, waits_to_follow),
        (StatusCode::SEE_OTHER, ""),
        "a browser follows at once"
    );
    let page = ben.follow(again.header("location"), "cross-site").await.text();
    assert!(
        page.contains("This waits for an approval") && page.contains("You asked"),
        "{page}"
    );
    assert!(
        page.contains("value=\"advertising-campaign\""),
        "another purpose would do as well: {page}"
    );
    assert!(
        !page.contains("value=\"brand-publishing\""),
        "nobody is asked twice: {page}"
    );
    let tool = ben.get(ADMIN).await;
    assert_eq!(
        tool.json()["type"],
        "https://wayleave.example/problems/approval-pending"
    );
    assert_eq!((tool.status, tool.header("retry-after")), (StatusCode::FORBIDDEN, "60"));

    let own = mia.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(own.contains("1 request waits for your answer"), "{own}");
    let before = opens(&mia, "/approvals", "").await.text();
    assert!(
        before.contains("Ben Okafor asks for") && before.contains("for 1 hour from the approval"),
        "{before}"
    );
    assert!(
        before.contains("valid until 31 Dec 2031") && before.contains("Did not hold this purpose"),
        "{before}"
    );
    assert!(!before.contains("<form"), "no button before the password: {before}");
    let session = session(&mia).await;
    let inbox = opens(&mia, "/approvals", &session).await.text();
    let (id, approve, _) = buttons(&inbox);
    let answered = own_form(
        &mia,
        &format!("/approvals/{id}/approve"),
        &session,
        &[("token", &approve)],
    )
    .await;
    let done = format!("/approvals?answered={id}");
    assert_eq!(answered.header("location"), done, "{}", answered.text());
    let told = opens(&mia, &done, &session).await.text();
    assert!(
        told.contains("You approved “Publishing for the brand” for Ben Okafor (ben). It is open until 13:30"),
        "{told}"
    );
    for forged in [
        "/approvals?approved",
        "/approvals?answered=nothing",
        "/approvals?answered",
    ] {
        let told = opens(&mia, forged, &session).await.text();
        assert!(!told.contains("You approved"), "{forged}: {told}");
    }
    let other = opens(&world.client("nora"), &done, "").await.text();
    assert!(!other.contains("You approved") && !other.contains("Ben"), "{other}");

    let granted = ben.follow(&waits, "same-origin").await.text();
    assert!(
        granted.contains(&format!("url={ADMIN}")),
        "the same address leads on: {granted}"
    );
    assert_eq!(ben.navigate(ADMIN).await.status, StatusCode::OK);
    let own = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(own.contains("Mia Castellano (mia) approved it"), "{own}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_longer_than_a_refusal_is_remembered_is_led_to_their_request() {
    let mut world = World::open().await;
    let waits = asks(&world.client("ben")).await;
    world.reopen().await;
    let ben = world.client("ben");
    let again = ben.follow(&waits, "same-origin").await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, "/"));
    let own = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        own.contains("My requests that wait") && own.contains("You asked"),
        "{own}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_use_counts_until_a_grant_really_ended() {
    let mut world = World::open().await;
    let ben = world.client("ben");
    let held = world.give("ben", "brand-publishing", &["x"], |_| ()).await;
    world.clock.advance(Duration::from_mins(10));
    let ended = ben.delete(&format!("{PORTAL}/v1/grants/{}", held.id)).await;
    assert_eq!(
        ended.json()["ended_at"],
        world.clock.now().to_string(),
        "{}",
        ended.text()
    );
    world.clock.advance(Duration::from_mins(40));
    world.reopen().await;
    let ben = world.client("ben");
    asks(&ben).await;
    let inbox = opens(&world.client("mia"), "/approvals", "").await.text();
    assert!(
        inbox.contains("Held this purpose once in the last 90 days, for 10 minutes"),
        "{inbox}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_offers_nothing_that_nobody_may_approve_and_says_whom_to_turn_to() {
    let world = World::planned(without_cases).await;
    let ben = world.client("ben");
    world.edit_rules("rules/99-leave.cedar", NOT_MIA).await;
    let refused = ben.navigate(ADMIN).await;
    let page = ben.follow(refused.header("location"), "cross-site").await.text();
    assert!(!page.contains("value=\"brand-publishing\""), "{page}");
    assert!(
        page.contains("“Publishing for the brand” needs an approval") && page.contains("Mia Castellano (mia) owns it"),
        "{page}"
    );
    let own = ben.follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(
        own.contains("See why, and what you may do") && !own.contains("Ask for an approval"),
        "{own}"
    );
    let tool = ben.get(ADMIN).await.json();
    let brand = tool["purposes"].as_array().unwrap().iter();
    let brand = brand.clone().find(|one| one["id"] == "brand-publishing").unwrap();
    assert_eq!(brand["approvers"], serde_json::json!([]));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_is_told_by_its_activities_where_the_rules_open_less_than_its_groups() {
    let world = World::open().await;
    let [ben, mia] = ["ben", "mia"].map(|user| world.client(user));
    let page = async |client: &Client, path: &str| client.navigate(&format!("{PORTAL}{path}")).await.text();
    let community = serde_json::json!({
        "purpose": "community-management", "platforms": ["x"], "statement": "Keep our group in order",
    });
    let asked = ben.declare(&community).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let opens = "comment, delete something, edit something and send a message; manage a page and moderate";
    for told in [page(&mia, "/approvals").await, page(&ben, "/").await] {
        assert!(told.contains(opens), "{told}");
        assert!(!told.contains("post, comment") && !told.contains("advertise"), "{told}");
    }
    let stated = page(&ben, "/purposes/partner-relations").await;
    assert!(
        stated.contains("Read and search; react and follow; comment and send a message, for"),
        "{stated}"
    );
    assert!(!stated.contains("post, comment"), "{stated}");

    // where the rules open all that is named, the name says so
    let brand = serde_json::json!({
        "purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle",
    });
    assert_eq!(ben.declare(&brand).await.status, StatusCode::ACCEPTED);
    let both = page(&mia, "/approvals").await;
    assert!(
        both.contains("post, comment, message and upload; manage pages and advertise"),
        "{both}"
    );
    let french = Request::get(format!("{PORTAL}/approvals"))
        .header("accept-language", "fr")
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    let french = mia.send(french).await.text();
    assert!(
        french.contains("commenter, supprimer un contenu, modifier un contenu et envoyer un message"),
        "{french}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_asked_for_and_told() {
    let world = World::open().await;
    let (ben, mia) = (world.client("ben"), world.client("mia"));
    let waits = asks(&ben).await;
    let session = session(&mia).await;
    let (id, _, decline) = buttons(&opens(&mia, "/approvals", &session).await.text());
    let path = format!("/approvals/{id}/decline");
    let silent = own_form(&mia, &path, &session, &[("token", &decline), ("note", " ")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", silent.text());
    let (_, _, decline) = buttons(&opens(&mia, "/approvals", &session).await.text());
    let why = "Not before <the fair>";
    let answered = own_form(&mia, &path, &session, &[("token", &decline), ("note", why)]).await;
    let done = format!("/approvals?answered={id}");
    assert_eq!(answered.header("location"), done, "{}", answered.text());
    let told = opens(&mia, &done, &session).await.text();
    assert!(
        told.contains("You declined “Publishing for the brand” for Ben Okafor"),
        "{told}"
    );
    for place in [waits, format!("{PORTAL}/")] {
        let page = ben.follow(&place, "same-origin").await.text();
        assert!(
            page.contains("declined it") && page.contains("Not before &#60;the fair&#62;"),
            "{page}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_while_their_session_ended_is_there_again_after_signing_in() {
    let world = World::open().await;
    let (ben, mia) = (world.client("ben"), world.client("mia"));
    let waits = asks(&ben).await;
    let first = session(&mia).await;
    let (id, _, decline) = buttons(&opens(&mia, "/approvals", &first).await.text());
    world.clock.advance(Duration::from_mins(20));
    let path = format!("/approvals/{id}/decline");
    let why = "Not before </textarea> the fair:\nwe are three people";
    let late = own_form(&mia, &path, &first, &[("token", &decline), ("note", why)]).await;
    assert_eq!(late.header("location"), "/sign-in?to=/approvals");
    let page = ben.follow(&waits, "same-origin").await.text();
    assert!(
        page.contains("was asked") && !page.contains("fair"),
        "nothing was answered: {page}"
    );

    // a slip on the way does not lose it
    assert_eq!(
        signs_in(&mia, "", "not hers").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let second = session(&mia).await;
    let inbox = opens(&mia, "/approvals", &second).await.text();
    let written = "Not before &#60;/textarea&#62; the fair:\nwe are three people</textarea>";
    assert!(inbox.contains("<details open>") && inbox.contains(written), "{inbox}");
    let (_, _, decline) = buttons(&inbox);
    let answered = own_form(&mia, &path, &second, &[("token", &decline), ("note", why)]).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_new_at_each_sign_in_its_persons_own_and_recent() {
    let world = World::open().await;
    let (mia, ben) = (world.client("mia"), world.client("ben"));
    asks(&ben).await;
    let planted = "__Host-wayleave-session=cGxhbnRlZHBsYW50ZWRwbA";
    let first = signs_in(&mia, planted, PASSWORD).await;
    assert!(
        first
            .header("set-cookie")
            .ends_with("; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Strict")
    );
    let first = cookie(&first);
    assert_ne!(first, planted);
    let has_buttons = async |cookie: &str| {
        let inbox = opens(&mia, "/approvals", cookie).await.text();
        inbox.contains("/approve\"")
    };
    assert!(
        !has_buttons(planted).await,
        "what somebody else has put there lets nobody in"
    );
    assert!(has_buttons(&first).await);
    let second = cookie(&signs_in(&mia, &first, PASSWORD).await);
    assert!(
        !has_buttons(&first).await && has_buttons(&second).await,
        "each sign-in makes a new one"
    );
    // somebody else with the cookie is still somebody else
    let nora = opens(&world.client("nora"), "/approvals", &second).await.text();
    assert!(!nora.contains("Sign out"), "{nora}");

    let (id, approve, _) = buttons(&opens(&mia, "/approvals", &second).await.text());
    world.clock.advance(Duration::from_mins(15));
    assert!(!has_buttons(&second).await);
    let late = own_form(
        &mia,
        &format!("/approvals/{id}/approve"),
        &second,
        &[("token", &approve)],
    )
    .await;
    assert_eq!(
        (late.status, late.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?to=/approvals")
    );

    let third = session(&mia).await;
    let inbox = opens(&mia, "/approvals", &third).await.text();
    let (_, rest) = inbox.split_once("action=\"/sign-out\"").unwrap();
    let out = own_form(&mia, "/sign-out", &third, &[("token", &hidden(rest, "token"))]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    assert!(!has_buttons(&third).await);

    let fourth = session(&mia).await;
    users::change(&world.settings.identity.users, |users| {
        users.passwd("mia", &Secret::new("another one"), 1)
    })
    .unwrap();
    world
        .until("the new password counts", async |world| {
            world.client("mia").tunnel("wayleave.internal:443").await.is_err()
        })
        .await;
    let renewed = Client {
        authorization: Some(Client::basic("mia", "another one")),
        ..world.client("mia")
    };
    let inbox = opens(&renewed, "/approvals", &fourth).await.text();
    assert!(
        inbox.contains("Sign in to answer"),
        "a new password ends what rested on the old one: {inbox}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_signs_in_or_answers_and_nobody_is_led_away() {
    let world = World::open().await;
    let (mia, ben) = (world.client("mia"), world.client("ben"));
    asks(&ben).await;
    let wrong = signs_in(&mia, "", "not hers").await;
    assert_eq!(
        (wrong.status, wrong.header("set-cookie")),
        (StatusCode::UNPROCESSABLE_ENTITY, "")
    );
    assert!(wrong.text().contains("The password is wrong"), "{}", wrong.text());
    let page = opens(&mia, "/sign-in?to=https://evil.example/", "").await.text();
    let token = hidden(&page, "token");
    let fields = [
        ("token", token.as_str()),
        ("to", "//evil.example"),
        ("password", PASSWORD),
    ];
    let led = own_form(&mia, "/sign-in", "", &fields).await;
    assert_eq!(led.header("location"), "/");

    let session = session(&mia).await;
    let (id, approve, _) = buttons(&opens(&mia, "/approvals", &session).await.text());
    let path = format!("/approvals/{id}/approve");
    for (origin, site) in [
        ("https://evil.example", "cross-site"),
        (PORTAL, "cross-site"),
        ("null", "same-origin"),
    ] {
        let request = Request::post(format!("{PORTAL}{path}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
            .header(header::COOKIE, &session)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        let forged = mia.send_with(request, form(&[("token", &approve)])).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{origin} {site}");
    }
    for token in ["", "AAAA"] {
        let forged = own_form(&mia, &path, &session, &[("token", token)]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
    let unsigned = own_form(&mia, &path, "", &[("token", &approve)]).await;
    assert_eq!(
        unsigned.header("location"),
        "/sign-in?to=/approvals",
        "{}",
        unsigned.text()
    );
    let inbox = opens(&mia, "/approvals", &session).await.text();
    assert!(inbox.contains("Ben Okafor asks for"), "nothing was answered: {inbox}");
    let records = world.records_text().await;
    assert!(
        !records.contains("wayleave-session") && !records.contains(PASSWORD),
        "{records}"
    );
    world.close().await;
}
