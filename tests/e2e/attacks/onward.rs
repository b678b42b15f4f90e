//! A link to the portal that leads on to somewhere else: whatever an address or a form says, nobody leaves but for the site that
//! they were refused at.

use http::{Request, StatusCode, header};
use regex::Regex;
use wayleave::portal::routes;

use super::scene;
use crate::harness::client::Answer;
use crate::harness::house::{PORTAL, form, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{cookie, opens, session};
use crate::walks::scene::Scene;

/// Where somebody could be led, in the ways in which browsers read addresses.
const AWAY: [&str; 12] = [
    "https://evil.example/",
    "//evil.example/approvals",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "/approvals//evil.example",
    "/grants/revoke?user=ada&to=//evil.example",
    "javascript:alert('evil.example')",
    "data:text/html,evil.example",
    "/approvals\r\nLocation: https://evil.example/",
    "https://wayleave.internal@evil.example/",
];

/// What an address can say, and what those of other programs say where to go on.
const NAMES: [&str; 24] = [
    "to",
    "lang",
    "ended",
    "renewed",
    "reported",
    "revoked",
    "answered",
    "reviewed",
    "delegated",
    "token",
    "after",
    "user",
    "purpose",
    "platform",
    "grant",
    "weeks",
    "limit",
    "back",
    "next",
    "url",
    "return",
    "return_to",
    "redirect",
    "redirect_uri",
];

/// Where an answer leads by itself, or by a click.
fn leads(answer: &Answer) -> Vec<String> {
    let link = Regex::new(r#"(?: href="| action="| formaction="| src="|;url=)([^"]*)""#).unwrap();
    let page = answer.text();
    let links = link.captures_iter(&page).map(|one| one[1].to_owned());
    let itself = ["location", "refresh", "content-location", "link"].map(|name| answer.header(name).to_owned());
    links.chain(itself.into_iter().filter(|one| !one.is_empty())).collect()
}

/// Whether a browser on the portal stays there.
fn stays(lead: &str) -> bool {
    if lead.strip_prefix(PORTAL).is_some_and(|path| path.starts_with('/')) {
        return true;
    }
    let is_path = lead.starts_with('/') && !lead.starts_with("//") && !lead.starts_with("/\\");
    is_path || lead.starts_with('#') || lead.is_empty()
}

fn leads_nowhere_else(answer: &Answer, what: &str) {
    for lead in leads(answer) {
        if lead.contains("evil") {
            assert!(stays(&lead), "{what} leads to {lead}");
        }
        assert!(
            !lead.to_lowercase().starts_with("javascript:"),
            "{what} leads to {lead}"
        );
        assert!(!lead.contains(['\r', '\n']), "{what} leads to {lead}");
    }
    assert_eq!(
        answer.header("location").matches("evil").count(),
        0,
        "{what}: {:?}",
        answer.headers
    );
}

fn place(scene: &Scene, path: &str) -> String {
    path.replace("{ticket}", "none")
        .replace("{record}", &scene.refused)
        .replace("{id}", &scene.live)
        .replace("{purpose}", "competitor-research")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_of_any_page_leads_away() {
    let scene = scene().await;
    let ada = scene.world.client("ada");
    let session = session(&ada).await;
    for route in routes().filter(|route| route.method == "GET") {
        for away in AWAY {
            let all: Vec<(&str, &str)> = NAMES
                .iter()
                .filter(|name| **name != "lang")
                .map(|name| (*name, away))
                .collect();
            let path = format!("{}{}?{}", route.below, place(&scene, route.path), form(&all));
            let answer = opens(&ada, &path, &session).await;
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
            leads_nowhere_else(&answer, &path);
        }
    }
    scene.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_of_a_language_leads_to_the_same_page_of_ours() {
    let world = World::open().await;
    let ada = world.client("ada");
    for path in [
        "//evil.example/",
        "//evil.example/%2e%2e",
        "/%5cevil.example",
        "/d//evil.example",
        "/https://evil.example",
    ] {
        for query in ["lang=fr", "lang=fr&to=https://evil.example/", "lang=//evil.example"] {
            let answer = opens(&ada, &format!("{path}?{query}"), "").await;
            for lead in leads(&answer) {
                assert!(stays(&lead), "{path}?{query} leads to {lead}");
            }
        }
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_stays_whatever_the_form_says() {
    let world = World::open().await;
    let mia = world.client("mia");
    for away in AWAY {
        let page = opens(&mia, &format!("/sign-in?{}", form(&[("to", away)])), "")
            .await
            .text();
        let (token, shown) = (hidden(&page, "token"), hidden(&page, "to"));
        assert!(stays(&shown) && !shown.starts_with("//"), "{away} is kept as {shown}");
        for to in [away, &shown.replace("&#38;", "&")] {
            let token = if to == away {
                token.clone()
            } else {
                hidden(&opens(&mia, "/sign-in", "").await.text(), "token")
            };
            let fields = [("token", token.as_str()), ("to", to), ("password", PASSWORD)];
            let signed = crate::inbox::own_form(&mia, "/sign-in", "", &fields).await;
            assert_eq!(signed.status, StatusCode::SEE_OTHER, "{away}");
            assert!(cookie(&signed).starts_with("__Host-"));
            let lead = signed.header("location");
            assert!(stays(lead), "{away} leads to {lead}");
        }
    }
    world.close().await;
}

/// After a purpose was stated one is led back to the site: to the address that was refused, and only where one had opened it.
#[tokio::test(flavor = "multi_thread")]
async fn one_is_led_back_only_to_the_address_that_was_refused() {
    let world = World::open().await;
    let ada = world.client("ada");
    let url = "https://www.linkedin.com/feed/?next=https://evil.example/&x=%22%3E%3Cscript%3E";
    let refused = ada.navigate(url).await;
    let ticket = refused.header("location");
    assert!(
        ticket.starts_with(&format!("{PORTAL}/d/")) && !ticket.contains("evil"),
        "{ticket}"
    );
    let page = ada.follow(ticket, "cross-site").await.text();
    let (refusal, token) = (hidden(&page, "refusal"), hidden(&page, "token"));
    let fields = [
        ("refusal", refusal.as_str()),
        ("token", &token),
        ("purpose", "recruiting"),
        ("statement", "A role for Rust in Lyon"),
        ("back", "https://evil.example/"),
        ("url", "https://evil.example/"),
        ("to", "https://evil.example/"),
    ];
    let stated = ada.own_form("/declare", &fields).await;
    assert_eq!(
        stated.header("location"),
        format!("/refusals/{refusal}/granted"),
        "{}",
        stated.text()
    );
    let granted = format!("{PORTAL}{}?back=https://evil.example/", stated.header("location"));
    let granted = ada.follow(&granted, "same-origin").await;
    let page = granted.text();
    let (_, onward) = page.split_once("http-equiv=\"refresh\" content=\"0;url=").unwrap();
    let onward = onward.split_once('"').unwrap().0;
    assert!(onward.starts_with("https://www.linkedin.com/feed/?next="), "{onward}");
    assert!(!page.contains("<script"), "{page}");

    // a post leads nowhere by itself, whatever it says of where it comes from
    let post = Request::post("https://www.linkedin.com/voyager/api/contentcreation/normShares")
        .header(header::REFERER, "https://evil.example/")
        .header(header::ORIGIN, "https://evil.example");
    let refused = ada.send_with(post, "{}").await;
    assert!(!refused.text().contains("evil"), "{}", refused.text());
    world.close().await;
}
