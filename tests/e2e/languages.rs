//! Each in their own language: what they prefer, what they chose, and nothing of the other one.

use std::collections::BTreeSet;

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::Language;

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::inbox::session;
use crate::revocations::revokes;

const FEED: &str = "https://www.linkedin.com/feed/";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
const WHY: &str = "Poste ouvert HR-77 Lyon";

fn preferring(request: http::request::Builder, language: &str) -> http::request::Builder {
    request
        .header(header::ACCEPT_LANGUAGE, language)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header(header::ACCEPT, "text/html,*/*;q=0.8")
}

/// What a browser that prefers `language` opens.
async fn opens(client: &Client, url: &str, language: &str, cookie: &str) -> Answer {
    let request = preferring(Request::get(url), language).header("sec-fetch-site", "none");
    client.send(request.header(header::COOKIE, cookie)).await
}

/// One of the portal's forms, sent by a browser that prefers `language`.
async fn sends(client: &Client, path: &str, language: &str, fields: &[(&str, &str)]) -> Answer {
    let request = preferring(Request::post(format!("{PORTAL}{path}")), language)
        .header("sec-fetch-site", "same-origin")
        .header(header::ORIGIN, PORTAL)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    client.send_with(request, form(fields)).await
}

fn marks(answer: &Answer) -> [&str; 2] {
    [answer.header("content-language"), answer.header("vary")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_language_that_its_reader_prefers() {
    let world = World::open().await;
    let ada = world.client("ada");
    let post = |language| preferring(Request::post(SHARE), language).header("sec-fetch-site", "same-origin");
    let page = ada.send(post("fr-CA, en;q=0.8")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(marks(&page), ["fr", "*"]);
    let said = page.text();
    assert!(said.contains("<html lang=\"fr\">"), "{said}");
    for part in [
        "Ce site demande un motif",
        "Vous vouliez publier sur LinkedIn.",
        "<strong>Recrutement</strong>",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(
        !said.contains("?lang="),
        "a site's own origin keeps no choice of ours: {said}"
    );

    let call = |language| {
        let request = Request::post(SHARE).header(header::CONTENT_TYPE, "application/json");
        ada.send_with(request.header(header::ACCEPT_LANGUAGE, language), "{}")
    };
    let (english, french) = (call("en").await, call("fr").await);
    assert_eq!(french.header("content-language"), "fr");
    let (english, french) = (english.json(), french.json());
    assert_eq!(english["title"], "This needs a purpose");
    assert_eq!(french["title"], "Ce site demande un motif");
    assert_eq!(
        french["detail"],
        "Il faut un motif pour publier sur LinkedIn\u{a0}: déclarez recruiting."
    );
    let title = |problem: &Value| problem["purposes"][0]["title"].clone();
    assert_eq!([title(&english), title(&french)], ["Recruiting", "Recrutement"]);
    for same in ["type", "status", "outcome", "policy_revision"] {
        assert_eq!(english[same], french[same], "{same}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_let_in_and_what_fails_on_the_way_are_told_in_it_too() {
    let world = World::open().await;
    let asked = preferring(Request::get("http://www.example.org/"), "fr");
    let asked = world.stranger().send(asked).await;
    assert_eq!(asked.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(marks(&asked), ["fr", "Accept-Language"]);
    assert!(
        asked.text().contains("Ouvrez une session pour continuer"),
        "{}",
        asked.text()
    );

    let failed = Request::builder().method("TRACE").uri("http://www.example.org/");
    let failed = world.client("dan").send(preferring(failed, "fr")).await;
    assert_eq!(failed.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(marks(&failed), ["fr", "Accept-Language"]);
    assert!(
        failed.text().contains("La passerelle ne transmet pas cette requête"),
        "{}",
        failed.text()
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_on_a_page_of_ours_is_kept_and_counts_before_the_browsers() {
    let world = World::open().await;
    let ada = world.client("ada");
    let own = format!("{PORTAL}/");
    let english = opens(&ada, &own, "en", "").await;
    assert_eq!(marks(&english), ["en", "Accept-Language, Cookie"]);
    let link = format!("<a href=\"{PORTAL}/?lang=fr\" lang=\"fr\" hreflang=\"fr\">Français</a>");
    assert!(english.text().contains(&link), "{}", english.text());

    let chosen = opens(&ada, &format!("{PORTAL}/grants/revoke?user=ada&lang=fr"), "en", "").await;
    assert_eq!(
        (chosen.status, chosen.header("location")),
        (
            StatusCode::SEE_OTHER,
            format!("{PORTAL}/grants/revoke?user=ada").as_str()
        ),
        "what else the address says is kept"
    );
    let cookie = chosen.header("set-cookie");
    assert_eq!(
        cookie,
        "__Host-wayleave-language=fr; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"
    );
    let cookie = cookie.split(';').next().unwrap();
    let french = opens(&ada, &own, "en", cookie).await;
    assert_eq!(marks(&french), ["fr", "Accept-Language, Cookie"]);
    let text = french.text();
    assert!(
        text.contains("<html lang=\"fr\">") && text.contains("Bonjour Ada Mertens"),
        "{text}"
    );
    assert!(text.contains(&format!("href=\"{PORTAL}/?lang=en\"")), "{text}");

    // no language that there is: the page as it was
    let other = opens(&ada, &format!("{PORTAL}/?lang=de"), "fr", "").await;
    assert_eq!((other.status, other.header("set-cookie")), (StatusCode::OK, ""));
    // and no way out of the house
    let away = opens(&ada, &format!("{PORTAL}//evil.example/?lang=fr"), "en", "").await;
    assert_eq!(away.header("location"), format!("{PORTAL}//evil.example/"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_speaks_its_own_language_to_whoever_prefers_none_that_there_is() {
    let world = World::planned(|plan| plan.settings.portal.language = Language::Fr).await;
    let ada = world.client("ada");
    let refused = ada.get(FEED).await;
    assert_eq!(refused.json()["title"], "Ce site demande un motif");
    let own = format!("{PORTAL}/");
    let own = |language: &'static str| opens(&ada, &own, language, "");
    assert!(own("de").await.text().contains("Bonjour Ada Mertens"));
    assert!(own("en;q=0.1").await.text().contains("Hello, Ada Mertens"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_says_to_people_is_in_their_language_and_what_it_says_to_programmers_in_english() {
    let world = World::open().await;
    let ada = world.client("ada");
    let declares = |body: Value| {
        let request = Request::post(format!("{PORTAL}/v1/grants"))
            .header(header::ACCEPT_LANGUAGE, "fr")
            .header(header::CONTENT_TYPE, "application/json");
        ada.send_with(request, body.to_string())
    };
    let short = declares(json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "jobs"})).await;
    assert_eq!(marks(&short), ["fr", "Accept-Language, Cookie"]);
    let short = short.json();
    assert_eq!(short["type"], "https://wayleave.example/problems/declaration-unfit");
    assert_eq!(short["title"], "La déclaration ne convient pas");
    let detail = "Rien n’a été accordé\u{a0}: dites en 12\u{a0}caractères au moins pourquoi vous en avez besoin.";
    assert_eq!(short["detail"], detail);

    let wrong = declares(json!({"purpos": "recruiting"})).await;
    assert_eq!(wrong.header("content-language"), "en");
    assert_eq!(wrong.json()["title"], "The declaration does not fit");

    let given = declares(json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": WHY})).await;
    assert_eq!(
        (given.status, &given.json()["title"]),
        (StatusCode::CREATED, &json!("Recrutement"))
    );
    world.close().await;
}

/// What a page says to whoever reads or hears it; not what is marked as another language, or as a name for machines.
fn said(page: &Answer, language: &str) -> BTreeSet<String> {
    let page = page.text();
    assert!(page.contains(&format!("<html lang=\"{language}\">")), "{page}");
    let body = page.split_once("</style>").unwrap().1;
    let hidden = regex::Regex::new(
        "(?s)<(?:code|pre)>.*?</(?:code|pre)>|<span lang=\"en\">.*?</span>|<a [^>]*hreflang=[^>]*>.*?</a>\
         |<textarea[^>]*>.*?</textarea>|<blockquote[^>]*>.*?</blockquote>|<dd class=\"said\">.*?</dd>|<select id=\"platform\".*?</select>\
         |<span(?: class=\"soft names\")? translate=\"no\">.*?</span>",
    );
    let body = hidden.unwrap().replace_all(body, "|").into_owned();
    let labels = regex::Regex::new("(?:aria-label|data-label)=\"([^\"]*)\"").unwrap();
    let labels = labels.captures_iter(&body).map(|found| found[1].to_owned());
    let tags = regex::Regex::new("<[^>]*>").unwrap();
    let texts = tags.split(&body).map(str::trim).map(str::to_owned);
    let has_words = |text: &String| text.chars().any(char::is_alphabetic);
    labels.chain(texts).filter(has_words).collect()
}

/// Names, and what people wrote.
fn is_name(text: &str) -> bool {
    let names = ["wayleave", "Ticket", "LinkedIn", "X", "X (Twitter)", "HR-77", "Non"];
    let people = [
        "Ada Mertens",
        "Ben Okafor",
        "Mia Castellano",
        "Sol Haddad",
        "Nora Byrne",
    ];
    names.contains(&text)
        || people
            .iter()
            .any(|name| text.starts_with(name) && text.len() < name.len() + 8)
        || [WHY, "a test needs it"].contains(&text)
        || text.starts_with("ben · marketer")
}

fn compare(what: &str, english: &Answer, french: &Answer) {
    assert_eq!(english.status, french.status, "{what}");
    let (english, french) = (said(english, "en"), said(french, "fr"));
    let alike: Vec<&String> = english.intersection(&french).filter(|text| !is_name(text)).collect();
    assert!(alike.is_empty(), "{what} says in both languages: {alike:#?}");
    assert!(french.len() > 3, "{what}: {french:?}");
    let words = regex::Regex::new(r"(?i)\b(the|you|your|is|are|not|and|this|with|of|to|it|for)\b").unwrap();
    for text in french.iter().filter(|text| !is_name(text)) {
        assert!(!words.is_match(text), "{what}: {text}");
    }
}

/// The same address in both languages.
async fn both(client: &Client, path: &str, cookie: &str) -> [Answer; 2] {
    let url = if path.starts_with('/') {
        format!("{PORTAL}{path}")
    } else {
        path.to_owned()
    };
    [
        opens(client, &url, "en", cookie).await,
        opens(client, &url, "fr", cookie).await,
    ]
}

/// A grant of Ben's that somebody must approve.
async fn asks(ben: &Client, purpose: &str, ticket: Option<&str>) -> String {
    let asked = json!({"purpose": purpose, "platforms": ["linkedin"], "statement": WHY, "ticket": ticket});
    let asked = ben.declare(&asked).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    asked.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_says_anything_in_the_other_language() {
    let world = World::open().await;
    let (ada, ben, mia, sol) = (
        world.client("ada"),
        world.client("ben"),
        world.client("mia"),
        world.client("sol"),
    );
    // to be refused for a purpose, for an approval, and for good
    let refused = ada.navigate(FEED).await.header("location").to_owned();
    let [english, french] = both(&ada, &refused, "").await;
    compare("the declare page", &english, &french);
    let (refusal, token) = (hidden(&english.text(), "refusal"), hidden(&french.text(), "token"));
    let filled = |token: String, statement: &'static str| {
        let refusal = refusal.clone();
        [
            ("refusal", refusal),
            ("token", token),
            ("purpose", "recruiting".to_owned()),
            ("statement", statement.to_owned()),
        ]
    };
    let mut wrong = Vec::new();
    for (language, token) in [("en", hidden(&english.text(), "token")), ("fr", token)] {
        let fields = filled(token, "jobs");
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        wrong.push(sends(&ada, "/declare", language, &fields).await);
    }
    compare("a form that does not fit", &wrong[0], &wrong[1]);
    let fields = filled(hidden(&wrong[1].text(), "token"), WHY);
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let granted = sends(&ada, "/declare", "fr", &fields).await;
    assert_eq!(granted.status, StatusCode::SEE_OTHER, "{}", granted.text());
    let [english, french] = both(&ada, granted.header("location"), "").await;
    compare("what was granted", &english, &french);
    let [english, french] = both(&ada, &refused, "").await;
    compare("what works by now", &english, &french);
    for (language, said) in [("en", "Please send"), ("fr", "Veuillez envoyer")] {
        let over = sends(&ada, "/declare", language, &[("token", "x")]).await;
        assert!(over.text().contains(said), "{}", over.text());
    }

    // what waits, was declined and was taken back
    asks(&ben, "brand-publishing", None).await;
    let declined = asks(&ben, "community-management", None).await;
    let mias = session(&mia).await;
    let [english, french] = both(&mia, "/approvals", &mias).await;
    compare("the inbox", &english, &french);
    let [english, french] = both(&mia, "/approvals", "").await;
    compare("the inbox before signing in", &english, &french);
    let why = json!({"note": "Non"}).to_string();
    let declines = Request::post(format!("{PORTAL}/v1/grants/{declined}/decline"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic("mia", crate::harness::PASSWORD));
    let answered = mia.send_with(declines, why).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    let taken = world.grant("ben", "market-research", &["x"], &["read"]).await;
    let taken = json!({"grant": taken.id, "reason": "Non"});
    assert_eq!(revokes(&world, "sol", &taken).await.status, StatusCode::OK);
    world.grant("ben", "press-monitoring", &["x"], &["read"]).await;
    ben.navigate("https://www.linkedin.com/company/1/admin/").await;

    for (client, path, cookie) in [
        (&ada, "/", ""),
        (&ben, "/", ""),
        (&mia, "/", &*mias),
        (&ada, "/approvals", ""),
        (&ada, "/privacy", ""),
        (&ada, "/sign-in?to=/approvals", ""),
        (&sol, "/grants", ""),
        (&sol, "/grants/revoke?user=ben", ""),
        (&ada, "/d/nothing", ""),
        (&ada, "/nothing", ""),
    ] {
        let [english, french] = both(client, path, cookie).await;
        compare(path, &english, &french);
    }
    let waits = ben.navigate("https://www.linkedin.com/company/1/admin/").await;
    let [english, french] = both(&ben, waits.header("location"), "").await;
    compare("the declare page of what waits", &english, &french);
    world.close().await;
}
