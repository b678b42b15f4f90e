//! Stating a purpose as far as one means to go: from a refusal, from one's own page, once more, and in an emergency.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::approvals::{proven, without_cases};
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};
use crate::harness::{PASSWORD, World};

const TWEET: &str = "https://x.com/i/api/graphql/AbC/CreateTweet";

async fn declare_page(client: &Client, url: &str) -> String {
    let refused = client.navigate(url).await;
    let page = client.follow(refused.header("location"), "cross-site").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.text()
}

async fn own_page(client: &Client, path: &str) -> Answer {
    client.follow(&format!("{PORTAL}{path}"), "none").await
}

/// Sends the form of a page, with these fields beside its own.
async fn sends(client: &Client, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
    let (_, form) = page
        .split_once(&format!("action=\"{action}\""))
        .unwrap_or_else(|| panic!("no form {action} in {page}"));
    let (form, _) = form.split_once("</form>").unwrap();
    let own: Vec<(&str, String)> = ["refusal", "token"]
        .into_iter()
        .filter(|name| form.contains(&format!("name=\"{name}\"")))
        .map(|name| (name, hidden(form, name)))
        .collect();
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    let all: Vec<(&str, &str)> = own.chain(fields.iter().copied()).collect();
    client.own_form(action, &all).await
}

async fn holds(client: &Client) -> Vec<Value> {
    let grants = client.get(&format!("{PORTAL}/v1/grants")).await.json();
    grants["grants"].as_array().unwrap().clone()
}

/// The line of a page on which the choice stands that sends this.
fn choice<'p>(page: &'p str, name: &str, value: &str) -> Option<&'p str> {
    let mark = format!("name=\"{name}\" value=\"{value}\"");
    page.lines().find(|line| line.contains(&mark))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_approval_opens_all_that_the_purpose_opens_to_the_person() {
    let world = World::open().await;
    let (ben, mia) = (world.client("ben"), world.client("mia"));
    let page = declare_page(&ben, "https://x.com/home").await;
    let all = "administer,engage,publish,read";
    let preset = choice(&page, "covers.brand-publishing", all).unwrap();
    assert!(preset.contains("checked") && preset.contains("for 1 hour"), "{preset}");
    let least = choice(&page, "covers.brand-publishing", "read").unwrap();
    assert!(
        !least.contains("checked") && least.contains("Only read and search, for 8 hours"),
        "{least}"
    );
    assert!(
        page.contains("Post, answer and upload in the name of the brand."),
        "{page}"
    );
    assert!(
        page.contains("need an approval</summary>"),
        "those that wait stand behind those that do not: {page}"
    );

    let fields = [
        ("purpose", "brand-publishing"),
        ("statement", "Launch of the bicycle"),
        ("covers.brand-publishing", all),
    ];
    let asked = sends(&ben, &page, "/declare", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
    let id = holds(&ben).await[0]["id"].as_str().unwrap().to_owned();
    let inbox = own_page(&mia, "/approvals").await.text();
    assert!(inbox.contains("post, comment, message and upload"), "{inbox}");
    let request = http::Request::post(format!("{PORTAL}/v1/grants/{id}/approve"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::AUTHORIZATION, Client::basic("mia", PASSWORD));
    let approved = mia.send_with(request, "{}".to_owned()).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
    let posted = ben.post(TWEET, "application/json", "{}").await;
    assert_eq!(posted.status, StatusCode::OK, "{}", posted.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_already_is_not_offered_again() {
    let world = World::open().await;
    let ben = world.client("ben");
    let page = declare_page(&ben, "https://x.com/home").await;
    let fields = [("purpose", "brand-publishing"), ("statement", "Launch of the bicycle")];
    let asked = sends(&ben, &page, "/declare", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
    let request = http::Request::post(TWEET)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    let there = ben.send_with(request, "x=1".to_owned()).await.text();
    assert!(
        there.contains("Publishing for the brand"),
        "that it waits is said: {there}"
    );
    assert!(!there.contains("<strong>Publishing for the brand</strong>"), "{there}");
    assert!(there.contains("<strong>Advertising campaign</strong>"), "{there}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nobody_goes_further_with_one_click_more_and_no_further_than_the_rules() {
    let world = World::open().await;
    let cora = world.client("cora");
    let page = declare_page(&cora, "https://x.com/home").await;
    let least = choice(&page, "covers.customer-support", "read").unwrap();
    assert!(least.contains("checked"), "{least}");
    let wide = choice(&page, "covers.customer-support", "publish,read").unwrap();
    assert!(wide.contains("for 4 hours"), "{wide}");
    assert!(
        choice(&page, "covers.customer-support", "engage,publish,read").is_none(),
        "no rule lets customer care react: {page}"
    );
    let first = page.find("value=\"customer-support\"").unwrap();
    let general = page.find("value=\"market-research\"").unwrap();
    assert!(first < general, "what is meant for her comes first");

    let mut fields = vec![("purpose", "customer-support"), ("statement", "Answers to open cases")];
    fields.push(("covers.customer-support", "engage,publish,read"));
    let refused = sends(&cora, &page, "/declare", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let again = refused.text();
    fields[2].1 = "publish,read";
    let given = sends(&cora, &again, "/declare", &fields).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text());
    let held = &holds(&cora).await[0];
    assert_eq!(
        (&held["covers"], &held["left_s"]),
        (&json!(["publish", "read"]), &json!(14_400))
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_is_stated_from_ones_own_page() {
    let world = World::open().await;
    let ada = world.client("ada");
    let mine = own_page(&ada, "/").await.text();
    assert!(mine.contains("href=\"/purposes/recruiting\""), "{mine}");
    assert!(
        mine.contains("Nobody needs to approve it. It lasts 1 hour to 8 hours"),
        "{mine}"
    );
    let page = own_page(&ada, "/purposes/recruiting").await.text();
    assert!(
        page.contains("name=\"on.linkedin\"") && !page.contains("name=\"on.x\""),
        "{page}"
    );
    let nowhere = sends(
        &ada,
        &page,
        "/purposes/recruiting",
        &[("statement", "A role for Rust in Lyon")],
    )
    .await;
    assert_eq!(nowhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        nowhere.text().contains("Name at least one platform"),
        "{}",
        nowhere.text()
    );
    let fields = [
        ("statement", "A role for Rust in Lyon"),
        ("on.linkedin", "yes"),
        ("covers.recruiting", "engage,publish,read"),
    ];
    let stated = sends(&ada, &nowhere.text(), "/purposes/recruiting", &fields).await;
    assert_eq!(stated.status, StatusCode::SEE_OTHER, "{}", stated.text());
    let mine = own_page(&ada, stated.header("location")).await.text();
    assert!(mine.contains("Granted until"), "{mine}");
    assert_eq!(holds(&ada).await[0]["covers"], json!(["engage", "publish", "read"]));
    let site = ada.navigate("https://www.linkedin.com/feed/").await;
    assert_eq!(site.status, StatusCode::OK);

    let other = own_page(&ada, "/purposes/brand-publishing").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "it is for others");
    assert!(
        !mine.contains("href=\"/approvals\"") && !mine.contains("href=\"/emergency\""),
        "{mine}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lacks_nothing_but_a_training_is_told_which() {
    let world = World::open().await;
    let ben = world.client("ben");
    assert_eq!(
        own_page(&ben, "/purposes/brand-publishing").await.status,
        StatusCode::OK
    );
    world.clock.advance(Duration::from_hours(24 * 366 * 6));
    let told = own_page(&ben, "/purposes/brand-publishing").await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert!(
        told.text()
            .contains("“Publishing for the brand” takes a valid training, “social-media”"),
        "{}",
        told.text()
    );
    let others = own_page(&world.client("ada"), "/purposes/brand-publishing").await;
    assert_eq!(others.status, StatusCode::NOT_FOUND, "it is for others");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_stands_with_what_was_written_and_leads_to_its_page() {
    let world = World::open().await;
    let ada = world.client("ada");
    let stated = ada
        .declare(&json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "A role for Rust in Lyon"}))
        .await;
    assert_eq!(stated.status, StatusCode::CREATED, "{}", stated.text());
    let id = stated.json()["id"].as_str().unwrap().to_owned();
    let mine = own_page(&ada, "/").await.text();
    assert!(mine.contains(&format!("<h3><a href=\"/grants/{id}\">")), "{mine}");
    assert!(mine.contains("<p class=\"said\">A role for Rust in Lyon</p>"), "{mine}");
    assert_eq!(own_page(&ada, &format!("/grants/{id}")).await.status, StatusCode::OK);
    // the rules let staff make tokens, and visitors not
    assert!(mine.contains("href=\"/tokens\""), "{mine}");
    assert!(
        !own_page(&world.client("vic"), "/")
            .await
            .text()
            .contains("href=\"/tokens\"")
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_takes_no_slip_for_a_filter() {
    let world = World::open().await;
    let mia = world.client("mia");
    for path in ["/v1/grants?usr=mia", "/v1/grants?user=mia&usr=ben"] {
        let unfit = mia.get(&format!("{PORTAL}{path}")).await;
        assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unfit.text());
        let told = unfit.json();
        assert_eq!(told["type"], "https://wayleave.example/problems/query-unfit");
        assert_eq!(told["errors"][0]["field"], "usr");
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("there is no filter `usr`: did you mean `user`?"),
            "{detail}"
        );
    }
    for list in ["approvals", "purposes", "reviews"] {
        let unfit = mia.get(&format!("{PORTAL}/v1/{list}?usr=mia")).await;
        assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY, "{list}");
        let paged = mia.get(&format!("{PORTAL}/v1/{list}?limit=1")).await;
        assert_eq!(paged.status, StatusCode::OK, "{list}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_approve_and_those_who_break_the_glass_find_the_way_without_being_asked() {
    let world = World::open().await;
    let mia = own_page(&world.client("mia"), "/").await.text();
    assert!(
        mia.contains("href=\"/approvals\"") && mia.contains("href=\"/delegations\""),
        "{mia}"
    );
    let pia = world.client("pia");
    let mine = own_page(&pia, "/").await.text();
    assert!(mine.contains("href=\"/emergency\""), "{mine}");
    let page = own_page(&pia, "/emergency").await.text();
    let fields = [
        ("purpose", "crisis-response"),
        ("platform", "x"),
        ("statement", "The plant is on fire"),
        ("ticket", "INC-12"),
    ];
    let taken = sends(&pia, &page, "/emergency", &fields).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text());
    let posted = pia.post(TWEET, "application/json", "{}").await;
    assert_eq!(posted.status, StatusCode::OK, "{}", posted.text());
    let shut = own_page(&world.client("ada"), "/emergency").await;
    assert_eq!(shut.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_out_is_renewed_with_one_click_and_leads_on() {
    let world = World::open().await;
    let ada = world.client("ada");
    let url = "https://www.linkedin.com/feed/";
    let page = declare_page(&ada, url).await;
    let fields = [("purpose", "recruiting"), ("statement", "A role for Rust in Lyon")];
    assert_eq!(
        sends(&ada, &page, "/declare", &fields).await.status,
        StatusCode::SEE_OTHER
    );
    world.clock.advance(Duration::from_hours(8) + Duration::from_secs(1));
    let page = declare_page(&ada, url).await;
    let old = holds(&ada).await[0]["id"].as_str().unwrap().to_owned();
    let renewed = sends(&ada, &page, &format!("/grants/{old}/renew"), &[]).await;
    assert_eq!(renewed.status, StatusCode::SEE_OTHER, "{}", renewed.text());
    let on = own_page(&ada, renewed.header("location")).await.text();
    assert!(on.contains(&format!("url={url}")), "{on}");
    assert_eq!(ada.navigate(url).await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_out_is_not_renewed_for_what_it_did_not_open() {
    let world = World::open().await;
    let ada = world.client("ada");
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    world.clock.advance(Duration::from_hours(1) + Duration::from_secs(1));
    let old = holds(&ada).await[0]["id"].as_str().unwrap().to_owned();
    let renews = format!("/grants/{old}/renew");
    let reading = declare_page(&ada, "https://www.linkedin.com/feed/").await;
    assert!(reading.contains(&renews), "{reading}");
    let share = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
    let refused = ada.post(share, "application/json", "{}").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    let (page, _) = refused.header("link").split_once('>').unwrap();
    let posting = ada.follow(page.trim_start_matches('<'), "cross-site").await.text();
    assert!(
        posting.contains("You wanted to post on LinkedIn") && !posting.contains(&renews),
        "{posting}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_refusal_that_was_met_again_and_again_one_line_stands_and_it_says_how_it_is_now() {
    let world = World::open().await;
    let ada = world.client("ada");
    let url = "https://www.linkedin.com/feed/";
    drop(declare_page(&ada, url).await);
    let page = declare_page(&ada, url).await;
    let lines = |page: &str| page.matches("You wanted to open pages on LinkedIn").count();
    let before = own_page(&ada, "/").await.text();
    assert_eq!(lines(&before), 1, "{before}");
    assert!(before.contains("State your purpose"), "{before}");
    let fields = [("purpose", "recruiting"), ("statement", "A role for Rust in Lyon")];
    assert_eq!(
        sends(&ada, &page, "/declare", &fields).await.status,
        StatusCode::SEE_OTHER
    );
    let after = own_page(&ada, "/").await.text();
    assert!(
        after.contains("This works now.") && !after.contains("State your purpose"),
        "{after}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_would_open_nothing_is_not_given() {
    let world = World::open().await;
    let ada = world.client("ada");
    let declaration = |platforms: &[&str]| json!({"purpose": "competitor-research", "platforms": platforms, "statement": "What do the others publish"});
    let refused = ada.declare(&declaration(&["linkedin", "tinder"])).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
    let problem = refused.json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(problem["errors"][0]["field"], json!("platforms"), "{problem}");
    let said = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(
        said.contains("open nothing on `tinder`") && said.contains("it does on"),
        "{said}"
    );
    assert_eq!(holds(&ada).await, [] as [Value; 0]);
    let given = ada.declare(&declaration(&["linkedin"])).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.text());
    world.close().await;
}

/// The boxes of further platforms of a purpose on a page.
fn elsewhere(page: &str, purpose: &str) -> Vec<String> {
    let mark = format!("name=\"also.{purpose}.");
    let boxes = page.split(&mark).skip(1);
    boxes.map(|one| one.split_once('"').unwrap().0.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_prompt_covers_the_other_platforms_of_the_purpose_where_somebody_ticks_them() {
    let world = World::open().await;
    let ada = world.client("ada");
    let page = declare_page(&ada, "https://www.linkedin.com/feed/").await;
    let others = elsewhere(&page, "recruiting");
    assert!(others.contains(&"xing".to_owned()), "{others:?}");
    assert!(
        !others.contains(&"linkedin".to_owned()) && !others.contains(&"x".to_owned()),
        "{others:?}"
    );
    assert!(!page.contains("value=\"yes\" checked"), "nothing is ticked beforehand");

    // a platform on which it opens nothing is told of, and what was ticked stays so
    let wrong = [
        ("purpose", "recruiting"),
        ("statement", "Engineers for the new plant"),
        ("also.recruiting.x", "yes"),
        ("also.recruiting.xing", "yes"),
    ];
    let told = sends(&ada, &page, "/declare", &wrong).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", told.text());
    let again = told.text();
    assert!(
        again.contains("also.recruiting.xing\" value=\"yes\" checked"),
        "{again}"
    );
    assert!(holds(&ada).await.is_empty());

    let ticked = [
        ("purpose", "recruiting"),
        ("statement", "Engineers for the new plant"),
        ("also.recruiting.xing", "yes"),
        ("also.press-monitoring.x", "yes"),
    ];
    let given = sends(&ada, &again, "/declare", &ticked).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text());
    let held = holds(&ada).await;
    assert_eq!(
        (held.len(), &held[0]["platforms"]),
        (1, &json!(["linkedin", "xing"])),
        "what is ticked for another purpose is not meant"
    );
    let granted = own_page(&ada, given.header("location")).await.text();
    assert!(granted.contains("LinkedIn") && granted.contains("XING"), "{granted}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ticks_nothing_more_is_given_the_one_platform() {
    let world = World::open().await;
    let ada = world.client("ada");
    let page = declare_page(&ada, "https://www.linkedin.com/feed/").await;
    let plain = [("purpose", "recruiting"), ("statement", "Engineers for the new plant")];
    let given = sends(&ada, &page, "/declare", &plain).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text());
    assert_eq!(holds(&ada).await[0]["platforms"], json!(["linkedin"]));
    world.close().await;
}

/// The names of the boxes of a form, in the order in which they stand.
fn boxes(page: &str) -> Vec<&str> {
    let boxes = page.split("<input type=\"checkbox\" name=\"").skip(1);
    boxes.filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_platforms_the_one_that_somebody_came_for_is_open_and_all_are_one_choice() {
    let world = World::open().await;
    let ada = world.client("ada");
    declare_page(&ada, "https://www.reddit.com/").await;
    declare_page(&ada, "https://x.com/home").await;
    let page = own_page(&ada, "/purposes/market-research").await.text();
    let (open, folded) = page.split_once("<details class=\"kind\">").unwrap();
    assert_eq!(
        boxes(open),
        ["all.market-research", "on.reddit", "on.x"],
        "where they were lately is not hidden"
    );
    assert!(open.contains("name=\"on.x\" value=\"yes\" checked"), "{open}");
    assert_eq!(
        open.matches(" checked").count(),
        1,
        "all are nobody's choice beforehand: {open}"
    );
    assert!(folded.contains("<summary>Professional networks ("), "{folded}");
    let all = 2 + boxes(folded).len();
    assert!(all > 40, "{all}");
    assert!(open.contains(&format!("All of them, {all} platforms")), "{open}");
    let french = http::Request::get(format!("{PORTAL}/purposes/market-research"))
        .header(http::header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "none");
    let french = ada.send(french).await.text();
    assert!(french.contains(&format!("Toutes, soit {all} plateformes")), "{french}");
    assert!(french.contains("<summary>Réseaux professionnels ("), "{french}");

    // what is ticked stays so, and stands where it is seen
    let fields = [("on.xing", "yes"), ("statement", "Short")];
    let wrong = sends(&ada, &page, "/purposes/market-research", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let again = wrong.text();
    let (open, _) = again.split_once("<details class=\"kind\">").unwrap();
    assert!(open.contains("name=\"on.xing\" value=\"yes\" checked"), "{open}");
    assert!(!open.contains("name=\"on.x\" value=\"yes\" checked"), "{open}");

    let fields = [
        ("all.market-research", "yes"),
        ("on.xing", "yes"),
        ("statement", "What people say about bicycles"),
    ];
    let stated = sends(&ada, &again, "/purposes/market-research", &fields).await;
    assert_eq!(stated.status, StatusCode::SEE_OTHER, "{}", stated.text());
    let held = &holds(&ada).await[0];
    assert_eq!(held["platforms"].as_array().unwrap().len(), all, "{held}");
    // nobody reads that many names
    let mine = own_page(&ada, stated.header("location")).await.text();
    assert!(
        mine.contains("Professional networks (5)") && !mine.contains("Viadeo"),
        "{mine}"
    );
    let revoking = own_page(&world.client("sol"), "/grants?user=ada").await.text();
    assert!(
        revoking.contains("Professional networks (5)") && !revoking.contains("Viadeo, "),
        "{revoking}"
    );
    world.close().await;
}

/// On X, customer care only answers: what is written there is not read.
const ANSWERS_ON_X: &str = r#"
@id("test.answers-on-x") @title("No reading on X") @reason("No reading on X.") @owner("IT")
forbid (principal, action in Action::"read", resource in Platform::"x")
when { context has purpose && context.purpose.kind == PurposeKind::"customer-support" };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn all_platforms_are_those_on_which_a_purpose_opens_something_as_far_as_somebody_goes() {
    let world = World::planned(without_cases).await;
    world.edit_rules("rules/90-test.cedar", ANSWERS_ON_X).await;
    let cora = world.client("cora");
    let page = own_page(&cora, "/purposes/customer-support").await.text();
    let all = boxes(&page).len() - 1;
    assert!(page.contains("name=\"on.x\""), "it can be answered there: {page}");
    let least = choice(&page, "covers.customer-support", "read").unwrap();
    assert!(least.contains("checked"), "{least}");
    let fields = [
        ("all.customer-support", "yes"),
        ("covers.customer-support", "read"),
        ("statement", "Answers to open cases"),
    ];
    let stated = sends(&cora, &page, "/purposes/customer-support", &fields).await;
    assert_eq!(stated.status, StatusCode::SEE_OTHER, "{}", stated.text());
    let held = &holds(&cora).await[0];
    let platforms = held["platforms"].as_array().unwrap();
    assert!(
        platforms.len() == all - 1 && !platforms.contains(&json!("x")),
        "{platforms:?}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_purpose_opens_nothing_unless_it_goes_further_that_is_chosen_beforehand_and_said() {
    let world = World::planned(without_cases).await;
    world.edit_rules("rules/90-test.cedar", ANSWERS_ON_X).await;
    let cora = world.client("cora");
    declare_page(&cora, "https://x.com/home").await;
    // two clicks: what is chosen beforehand opens something where they come from
    let page = own_page(&cora, "/purposes/customer-support").await.text();
    assert!(page.contains("name=\"on.x\" value=\"yes\" checked"), "{page}");
    let wide = choice(&page, "covers.customer-support", "publish,read").unwrap();
    assert!(wide.contains("checked"), "{wide}");
    let mut fields = vec![
        ("on.x", "yes"),
        ("on.facebook", "yes"),
        ("statement", "Answers to open cases"),
        ("covers.customer-support", "read"),
    ];
    let vain = sends(&cora, &page, "/purposes/customer-support", &fields).await;
    assert_eq!(vain.status, StatusCode::UNPROCESSABLE_ENTITY);
    let again = vain.text();
    assert!(
        again.contains("opens nothing on `x` when it covers only `read`: let it cover `publish` too"),
        "{again}"
    );
    fields[3].1 = "publish,read";
    let stated = sends(&cora, &again, "/purposes/customer-support", &fields).await;
    assert_eq!(stated.status, StatusCode::SEE_OTHER, "{}", stated.text());
    world.close().await;
}

/// What a form sends along for a field that nobody sees.
fn covers_of(page: &str, purpose: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"covers.{purpose}\" value=\""))
        .unwrap_or_else(|| panic!("no width of {purpose} in {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_emergency_is_given_what_was_shown() {
    let world = World::planned(without_cases).await;
    let narrow = r#"
@id("test.narrow") @title("No reactions") @reason("No reactions.") @owner("IT")
forbid (principal, action in Action::"engage", resource)
when { context has purpose && context.purpose.kind == PurposeKind::"crisis-response" };
"#;
    world.edit_rules("rules/90-test.cedar", narrow).await;
    let pia = world.client("pia");
    let own = own_page(&pia, "/emergency").await.text();
    let refused = pia.post(TWEET, "application/json", "{}").await;
    let refused = refused.json()["instance"]
        .as_str()
        .unwrap()
        .replace("/v1/decisions", "/refusals");
    let refused = own_page(&pia, &refused).await.text();
    let shown = [
        covers_of(&own, "crisis-response"),
        covers_of(&refused, "crisis-response"),
    ];
    assert_eq!(shown, ["publish,read", "publish,read"]);
    // the rules would open more by now, and less would do
    world.edit_rules("rules/90-test.cedar", "").await;
    let forms = [
        ("/break-glass", &refused, "publish"),
        ("/emergency", &own, "publish,read"),
    ];
    for (action, page, covers) in forms {
        let fields = [
            ("purpose", "crisis-response"),
            ("platform", "x"),
            ("statement", "The plant is on fire"),
            ("ticket", "INC-12"),
            ("covers.crisis-response", covers),
        ];
        let taken = sends(&pia, page, action, &fields).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text());
        let held = holds(&pia).await;
        let of = |grant: &Value| grant["covers"].to_string();
        let given = format!("[\"{}\"]", covers.replace(',', "\",\""));
        assert!(held.iter().any(|grant| of(grant) == given), "{action}: {held:?}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_other_platforms_are_one_choice_beside_the_one_that_was_refused() {
    let world = World::open().await;
    let ada = world.client("ada");
    let page = declare_page(&ada, "https://x.com/home").await;
    let others = elsewhere(&page, "market-research").len();
    assert!(page.contains(&format!("All of them, {others} platforms")), "{page}");
    let fields = [
        ("purpose", "market-research"),
        ("statement", "What people say about bicycles"),
        ("all.market-research", "yes"),
        ("all.recruiting", "yes"),
    ];
    let given = sends(&ada, &page, "/declare", &fields).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text());
    let held = &holds(&ada).await[0];
    assert_eq!(held["platforms"].as_array().unwrap().len(), others + 1, "{held}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_is_what_the_page_showed() {
    let world = World::open().await;
    let ada = world.client("ada");
    let path = "/purposes/market-research";
    let page = own_page(&ada, path).await.text();
    // one width is no choice: it is told, and sent along
    assert!(!page.contains("type=\"radio\""), "{page}");
    assert!(page.contains("<p>Read and search, for 8 hours</p>"), "{page}");
    assert_eq!(hidden(&page, "covers.market-research"), "read");
    let mut page = page;
    for shown in ["publish,read", ""] {
        let fields = [
            ("covers.market-research", shown),
            ("on.x", "yes"),
            ("statement", "What people say about bicycles"),
        ];
        let other = sends(&ada, &page, path, &fields).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{shown}");
        page = other.text();
        assert!(page.contains("What it opens to you is another now"), "{page}");
    }
    assert!(holds(&ada).await.is_empty());

    let page = declare_page(&ada, "https://x.com/home").await;
    assert_eq!(hidden(&page, "covers.market-research"), "read");
    let fields = [
        ("purpose", "market-research"),
        ("covers.market-research", "engage,read"),
        ("statement", "What people say about bicycles"),
    ];
    let other = sends(&ada, &page, "/declare", &fields).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(holds(&ada).await.is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_of_which_nothing_is_read_is_stated_on_its_own_page() {
    let world = World::planned(without_cases).await;
    let unread = r#"@id("test.unread") @title("Unread") @reason("Unread.") @owner("HR")
forbid (principal, action == Action::"inspect", resource in Category::"professional");
@id("test.way") @title("The way") @reason("It takes a purpose.") @owner("HR")
forbid (principal, action == Action::"connect", resource in Category::"professional")
unless { context has purpose };
"#;
    world.edit_rules("rules/90-test.cedar", unread).await;
    let (ada, path) = (world.client("ada"), "/purposes/recruiting");
    let page = own_page(&ada, path).await.text();
    assert!(
        page.contains("name=\"on.linkedin\"") && !page.contains("type=\"radio\""),
        "{page}"
    );
    let fields = [
        ("covers.recruiting", ""),
        ("on.linkedin", "yes"),
        ("statement", "A role for Rust in Lyon"),
    ];
    let stated = sends(&ada, &page, path, &fields).await;
    assert_eq!(stated.status, StatusCode::SEE_OTHER, "{}", stated.text());
    let mine = own_page(&ada, stated.header("location")).await.text();
    assert!(mine.contains("Granted until"), "{mine}");
    let held = &holds(&ada).await[0];
    assert_eq!(
        (&held["purpose"], &held["platforms"], &held["covers"]),
        (
            &json!("recruiting"),
            &json!(["linkedin"]),
            &json!(["engage", "publish", "read"])
        ),
        "all that the purpose covers"
    );

    // once it is read there is something to choose, and a page from before does not choose it
    world.edit_rules("rules/90-test.cedar", "// nothing\n").await;
    let page = own_page(&ada, path).await.text();
    assert!(choice(&page, "covers.recruiting", "read").is_some(), "{page}");
    let told = sends(&ada, &page, path, &fields).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        told.text().contains("What it opens to you is another now"),
        "{}",
        told.text()
    );
    assert_eq!(holds(&ada).await.len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_grant_tells_step_by_step_what_has_become_of_it() {
    let world = World::open().await;
    let ben = world.client("ben");
    let brand = json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the bicycle"});
    let id = ben.declare(&brand).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/grants/{id}");
    let steps = |page: &str| -> Vec<String> {
        let (_, history) = page.split_once("<h2 id=\"history\">").unwrap();
        let (history, _) = history.split_once("</dl>").unwrap();
        let steps = history.split("<dd>").skip(1);
        steps
            .map(|step| step.split_once("</dd>").unwrap().0.to_owned())
            .collect()
    };
    let page = own_page(&ben, &path).await.text();
    assert!(page.contains("<h2 id=\"history\">What has become of it</h2>"), "{page}");
    assert_eq!(steps(&page), ["Asked for"]);

    world.clock.advance(Duration::from_mins(5));
    let approved = proven(
        &world,
        "mia",
        &format!("/v1{path}/approve"),
        json!({"note": "Go <b>ahead</b>"}),
    )
    .await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
    world.clock.advance(Duration::from_mins(5));
    let renewed = ben
        .post(&format!("{PORTAL}/v1{path}/renew"), "application/json", "{}")
        .await;
    assert_eq!(renewed.status, StatusCode::ACCEPTED, "{}", renewed.text());
    let renewal = renewed.json()["id"].as_str().unwrap().to_owned();
    world.clock.advance(Duration::from_mins(5));
    let ended = ben.delete(&format!("{PORTAL}/v1{path}")).await;
    assert!(ended.status.is_success(), "{} {}", ended.status, ended.text());
    let told = steps(&own_page(&ben, &path).await.text());
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told[0], "Asked for");
    assert_eq!(
        told[1],
        "Mia Castellano (mia) approved it<blockquote class=\"said\">Go &#60;b&#62;ahead&#60;/b&#62;</blockquote>"
    );
    assert!(told[2].starts_with("It began, to last until "), "{told:?}");
    let link = format!("<a href=\"/grants/{renewal}\">The renewal</a>");
    assert!(
        told[3].starts_with("Its renewal was asked for") && told[3].contains(&link),
        "{told:?}"
    );
    assert_eq!(told[4], "You ended it");
    let of_renewal = steps(&own_page(&ben, &format!("/grants/{renewal}")).await.text());
    assert_eq!(
        of_renewal,
        [format!("Asked for <a href=\"{path}\">The grant that it renews</a>")]
    );

    // to whoever may end it, it was its holder who did; to others there is nothing
    let seen = steps(&own_page(&world.client("sol"), &path).await.text());
    assert_eq!(seen[4], "Its holder ended it", "{seen:?}");
    let french = http::Request::get(format!("{PORTAL}{path}"))
        .header(http::header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "none");
    let french = steps(&ben.send(french).await.text());
    assert!(!french.iter().any(|step| told.contains(step)), "{french:?}");
    assert_eq!(
        own_page(&world.client("ada"), &path).await.status,
        StatusCode::NOT_FOUND
    );
    world.close().await;
}
