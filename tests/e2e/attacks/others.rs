//! Somebody asks for what belongs to somebody else, by its id: it is for them as if it were not there.

use http::{Method, Request, StatusCode, header};
use wayleave::portal::{Route, routes};

use super::scene;
use crate::delegations::asks;
use crate::harness::PASSWORD;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::inbox::{opens, session};
use crate::tokens::make;
use crate::walks::scene::{FEED, Scene};

/// What stands on nobody's page but its owner's.
const SECRETS: [&str; 5] = [
    "Rust engineers for the Lyon team",
    "Three of them come to see us",
    "The plant is on fire",
    "Launch of the new bicycle",
    "nightly",
];

/// The ids that stand where a line of the table has braces: what belongs to others, and one of the same kind that there is not.
struct Ids {
    theirs: Vec<String>,
    made_up: String,
}

/// Whose ids they are that a line is about.
struct Known {
    grants: Ids,
    records: Ids,
    tickets: Ids,
    tokens: Ids,
    delegations: Ids,
    purposes: Ids,
    /// Those that are not open to him.
    shut: Ids,
    rulebooks: Ids,
}

impl Known {
    async fn of(scene: &Scene) -> Self {
        let world = &scene.world;
        let kind = |theirs: Vec<String>, made_up: &str| Ids {
            theirs,
            made_up: made_up.to_owned(),
        };
        let nothing = "01a2059d-ffff-7c77-8529-4834e406e3ca";
        let waits = asks(world, "ben").await;
        let emergencies = world.client("nora").get(&format!("{PORTAL}/v1/reviews")).await.json();
        let emergency = emergencies["reviews"][0]["id"].as_str().unwrap().to_owned();
        let given = world
            .client("mia")
            .get(&format!("{PORTAL}/v1/delegations"))
            .await
            .json();
        let given = given["given"][0]["id"].as_str().unwrap().to_owned();
        let (token, _) = make(world, "ada", &["read"]).await;
        let ben = world.client("ben").navigate(FEED).await;
        let ticket = ben.header("location").rsplit('/').next().unwrap().to_owned();
        Self {
            grants: kind(vec![scene.live.clone(), scene.over.clone(), waits, emergency], nothing),
            records: kind(
                vec![scene.refused.clone(), scene.urgent.clone(), scene.prohibited.clone()],
                nothing,
            ),
            tickets: kind(vec![ticket.clone()], &ticket.chars().rev().collect::<String>()),
            tokens: kind(vec![token], nothing),
            delegations: kind(vec![given], nothing),
            purposes: kind(vec!["competitor-research".to_owned()], "none-such"),
            shut: kind(vec!["legal-discovery".to_owned()], "none-such"),
            rulebooks: kind(vec![scene.rulebook()], &format!("sha256:{}", "0".repeat(64))),
        }
    }

    /// What a line is about; a new one must be told of here.
    fn about(&self, route: &Route) -> &Ids {
        let kinds = [
            ("/grants/{id}", &self.grants),
            ("/approvals/{id}", &self.grants),
            ("/refusals/{record}", &self.records),
            ("/decisions/{id}", &self.records),
            ("/d/{ticket}", &self.tickets),
            ("/tokens/{id}", &self.tokens),
            ("/delegations/{id}", &self.delegations),
            ("/value/{purpose}", &self.purposes),
            ("/purposes/{purpose}", &self.shut),
            ("/rulebook/{digest}", &self.rulebooks),
        ];
        let found = kinds.iter().find(|(start, _)| route.path.starts_with(start));
        let (_, ids) = found.unwrap_or_else(|| panic!("{route:?}: whose is that? Say so in `about`"));
        ids
    }
}

/// Asks as Dan, in the way that such a line is asked: with his session, his password, and a token of his own.
async fn asks_for(dan: &Client, session: &str, route: &Route, id: &str) -> Answer {
    let start = route.path.split('{').next().unwrap();
    let end = route.path.split_once('}').unwrap().1;
    let path = format!("{}{start}{id}{end}", route.below);
    if route.method == "GET" && route.below.is_empty() {
        return opens(dan, &path, session).await;
    }
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let request = Request::builder().method(method.clone()).uri(format!("{PORTAL}{path}"));
    if route.below.is_empty() {
        // he can get the token of another form only; what becomes of one of his own, the tests of the portal try
        let page = opens(dan, "/sign-in", session).await.text();
        let token = hidden(&page, "token");
        let fields = [
            ("token", token.as_str()),
            ("note", "Mine by now"),
            ("accepted", "yes"),
            ("amount", "1"),
        ];
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, PORTAL)
            .header(header::COOKIE, session)
            .header("sec-fetch-site", "same-origin");
        return dan.send_with(request, form(&fields)).await;
    }
    let body = match (route.method, end) {
        ("POST", "/approve") => r#"{"note":"Mine by now"}"#,
        ("POST", "/decline") => r#"{"note":"Not by me"}"#,
        ("POST", "/review") => r#"{"accepted":true,"note":"Mine by now"}"#,
        ("POST", "/outcome") => r#"{"amount":1}"#,
        _ => "",
    };
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic("dan", PASSWORD));
    dan.send_with(request, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_others_reads_as_what_is_not_there_on_every_line_with_an_id() {
    let scene = scene().await;
    let known = Known::of(&scene).await;
    let dan = scene.world.client("dan");
    let session = session(&dan).await;
    let before = scene
        .world
        .client("ada")
        .get(&format!("{PORTAL}/v1/grants"))
        .await
        .text();
    let mut lines = 0;
    for route in routes().filter(|route| route.path.contains('{')) {
        let ids = known.about(&route);
        let nothing = asks_for(&dan, &session, &route, &ids.made_up).await;
        for id in &ids.theirs {
            let answer = asks_for(&dan, &session, &route, id).await;
            let what = format!("{} {}{} of {id}", route.method, route.below, route.path);
            let shut = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::SEE_OTHER];
            assert!(
                shut.contains(&answer.status),
                "{what}: {} {}",
                answer.status,
                answer.text()
            );
            if answer.status == StatusCode::SEE_OTHER {
                assert_eq!(answer.header("location"), "/", "{what}: to his own page");
            }
            assert_eq!(answer.status, nothing.status, "{what}: it tells that there is one");
            let (theirs, none) = (
                answer.text().replace(id, "ID"),
                nothing.text().replace(&ids.made_up, "ID"),
            );
            assert_eq!(theirs, none, "{what}: it tells that there is one");
            for secret in SECRETS {
                assert!(!theirs.contains(secret), "{what}: {theirs}");
            }
            lines += 1;
        }
    }
    assert!(lines > 40, "{lines}");
    // and nothing has changed of it
    let after = scene
        .world
        .client("ada")
        .get(&format!("{PORTAL}/v1/grants"))
        .await
        .text();
    assert_eq!(before, after);
    scene.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_and_no_list_tells_anything_of_what_others_hold() {
    let scene = scene().await;
    let dan = scene.world.client("dan");
    let session = session(&dan).await;
    // the document is the same for everybody, and full of examples
    let lists = routes().filter(|route| !route.path.contains('{') && route.path != "/openapi.json");
    for route in lists.filter(|route| route.method == "GET") {
        for query in [
            "",
            "?user=ada",
            "?user=pia&platform=x",
            "?purpose=recruiting",
            "?limit=100",
        ] {
            let answer = opens(&dan, &format!("{}{}{query}", route.below, route.path), &session).await;
            let said = answer.text();
            for told in SECRETS.iter().chain([&"Ada Mertens", &"Pia Keller"]) {
                assert!(!said.contains(told), "{route:?}{query} tells `{told}`: {said}");
            }
            for id in [&scene.live, &scene.over, &scene.refused, &scene.urgent] {
                assert!(!said.contains(id.as_str()), "{route:?}{query} tells {id}: {said}");
            }
        }
    }
    scene.world.close().await;
}
