//! Every page of the portal is looked at by axe-core: in light and dark, on a desktop and in a phone, in English and French.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::driver::{DESKTOP, Driver, PHONE, target};
use super::scene::{ADMIN, BROKEN, FEED, GUEST, Scene, X, lived_in};
use crate::harness::house::PORTAL;

/// A page as somebody comes to it.
pub struct Stop {
    /// The line of the router's table; none for what stands in a site's place.
    pub route: &'static str,
    name: &'static str,
    pub place: String,
    /// What is done there before it is looked at.
    first: First,
}

enum First {
    /// Opens everything that is folded.
    Unfold,
    /// A script that sends a form, after which another page is there.
    Send(&'static str),
}

/// A line of the table that gives a file, and no page.
const FILES: [&str; 1] = ["/value.csv"];

fn stop(route: &'static str, name: &'static str, place: impl Into<String>) -> Stop {
    let place = place.into();
    let place = if place.starts_with('/') {
        format!("{PORTAL}{place}")
    } else {
        place
    };
    Stop {
        route,
        name,
        place,
        first: First::Unfold,
    }
}

fn sends(script: &'static str, stop: Stop) -> Stop {
    Stop {
        first: First::Send(script),
        ..stop
    }
}

/// The pages that somebody sees before they sign in once more, and after that.
pub fn stops(scene: &Scene) -> Vec<(&'static str, Vec<Stop>, Vec<Stop>)> {
    let jobs = "document.getElementById('statement').value = 'jobs'; send(document.querySelector('form'))";
    let asks = "document.querySelector('[value=brand-publishing]').checked = true; \
                document.getElementById('statement').value = 'Launch of the new bicycle'; send(document.querySelector('form'))";
    let refusal = "/refusals/{record}";
    vec![
        (
            "ada",
            vec![
                stop("/", "mine", "/"),
                stop(refusal, "declare", format!("/refusals/{}", scene.refused)),
                sends(
                    jobs,
                    stop(refusal, "declare-again", format!("/refusals/{}", scene.refused)),
                ),
                stop("/grants/{id}", "grant", format!("/grants/{}", scene.live)),
                stop("/grants/{id}", "outcome", format!("/grants/{}", scene.over)),
                stop("/d/{ticket}", "link-over", "/d/none"),
                stop("", "nowhere", "/nowhere"),
            ],
            vec![
                stop("/tokens", "tokens", "/tokens"),
                sends(
                    "const f = document.querySelector('form'); f.elements.name.value = 'nightly'; send(f)",
                    stop("/tokens", "tokens-again", "/tokens"),
                ),
                sends(
                    "const f = document.querySelector('form'); f.elements.name.value = 'nightly'; \
                     f.elements['scope-read'].checked = true; send(f)",
                    stop("/tokens", "token-made", "/tokens"),
                ),
            ],
        ),
        (
            "ben",
            vec![
                stop("/d/{ticket}", "ask", ADMIN),
                sends(asks, stop("/refusals/{record}/granted", "asked", ADMIN)),
            ],
            vec![],
        ),
        (
            "dan",
            vec![
                stop("/", "mine-empty", "/"),
                stop("/d/{ticket}", "declare-research", FEED),
            ],
            vec![],
        ),
        (
            "eve",
            vec![
                stop("", "fault", BROKEN),
                stop(refusal, "prohibited", format!("/refusals/{}", scene.prohibited)),
                sends(
                    "const f = document.createElement('form'); f.method = 'post'; \
                     f.action = '/i/api/graphql/AbC/CreateTweet'; document.body.append(f); send(f)",
                    stop("", "refusal-in-place", X),
                ),
            ],
            vec![],
        ),
        (
            "pia",
            vec![
                stop("/", "mine-emergency", "/"),
                stop(refusal, "break-glass", format!("/refusals/{}", scene.urgent)),
                stop("/emergency", "emergency", "/emergency"),
                stop("/purposes/{purpose}", "purpose", "/purposes/market-research"),
            ],
            vec![],
        ),
        (
            "nora",
            vec![],
            vec![
                stop("/approvals", "inbox-reviews", "/approvals"),
                stop("/delegations", "delegations-received", "/delegations"),
            ],
        ),
        (
            "mia",
            vec![
                stop("/", "mine-approver", "/"),
                stop("/approvals", "inbox-before", "/approvals"),
                stop("/delegations", "delegations-before", "/delegations"),
                stop("/sign-in", "sign-in", "/sign-in?to=/approvals"),
                sends(
                    "document.getElementById('password').value = 'wrong'; send(document.querySelector('form'))",
                    stop("/sign-in", "sign-in-again", "/sign-in?to=/approvals"),
                ),
                stop("/value", "value", "/value"),
                stop("/value/{purpose}", "purpose-value", "/value/competitor-research"),
                stop("/value/{purpose}", "purpose-value-none", "/value/market-research"),
            ],
            vec![
                stop("/approvals", "inbox", "/approvals"),
                stop("/delegations", "delegations", "/delegations"),
                sends(
                    "const f = document.querySelector('form[action=\"/delegations\"]'); f.elements.to.value = 'nobody'; send(f)",
                    stop("/delegations", "delegations-again", "/delegations"),
                ),
            ],
        ),
        (
            "sol",
            vec![
                stop("/grants", "in-force", "/grants"),
                stop("/", "mine-security", "/"),
                stop("/privacy", "privacy", "/privacy"),
                stop("/decisions", "decisions", "/decisions?user=ada"),
                stop("/decisions", "records", "/decisions?kind=all"),
                stop("/decisions", "records-none", "/decisions?kind=continued"),
                stop("/decisions", "decisions-none", "/decisions?client=192.0.2.7"),
                stop("/open", "open", "/open"),
                stop("/decisions/{id}", "decision", format!("/decisions/{}", scene.refused)),
                stop("/rulebook", "rulebook", "/rulebook"),
                stop(
                    "/rulebook/{digest}",
                    "past-rulebook",
                    format!("/rulebook/{}", scene.rulebook()),
                ),
                stop("/health", "health", "/health"),
                stop("/grants/revoke", "revoke-before", "/grants/revoke?user=ada"),
            ],
            vec![stop("/grants/revoke", "revoke", "/grants/revoke?user=ada")],
        ),
        (GUEST, vec![stop("", "not-known", "/")], vec![]),
    ]
}

/// Sends a form as a tool would, without what the browser would say of its fields.
const SEND: &str = "const send = form => { form.noValidate = true; form.requestSubmit(); }; ";

/// What axe-core is asked for: WCAG 2.2, A and AA.
const ASK: &str = "const found = await axe.run(document, {
    runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
    rules: { 'target-size': { enabled: true } },
});
return {
    rules: found.passes.length + found.violations.length,
    found: found.violations.map(one => ({
        id: one.id, impact: one.impact, help: one.help,
        nodes: one.nodes.map(node => `${node.html.slice(0, 160)}: ${node.failureSummary}`),
    })),
}";

/// How far what the page says reaches beyond its margins.
const TOO_WIDE: &str = "const edge = document.querySelector('main').getBoundingClientRect().right;
const seen = e => getComputedStyle(e.closest('thead') ?? e).clipPath === 'none';
return Math.max(...[...document.querySelectorAll('main *')].filter(seen).map(e => e.getBoundingClientRect().right)) - edge";

/// What axe-core has against the page that is open.
pub async fn found(browser: &Driver, axe: &str) -> Value {
    let has = browser.run("return typeof axe === 'object'").await;
    if has != true {
        browser.run(axe).await;
    }
    let said = browser.run(ASK).await;
    assert!(
        said["rules"].as_u64().unwrap() >= 8,
        "it looked at next to nothing: {said:#}"
    );
    said["found"].clone()
}

/// The script that `tests/run` fetches.
pub fn script() -> String {
    let file = target().join("axe-core/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("`tests/run` fetches {}", file.display()))
}

/// A page in a site's place is in a sandbox, where no script of axe-core goes on: it looks at a copy.
async fn copy(browser: &Driver) {
    let page = browser.run("return document.documentElement.outerHTML").await;
    browser.open("about:blank").await;
    let page = format!("<!doctype html>{}", page.as_str().unwrap());
    let write = format!("document.open(); document.write({}); document.close()", json!(page));
    browser.run(&write).await;
}

async fn look_at(browser: &Driver, axe: &str, stop: &Stop, language: &str, troubles: &mut Vec<Value>) {
    browser.look(DESKTOP, "light").await;
    browser.open(&stop.place).await;
    match stop.first {
        First::Unfold => {
            let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
            let is_there = stop.route.is_empty() || stop.name == "link-over";
            assert!(
                is_there || browser.run(status).await == 200,
                "{}: {}",
                stop.name,
                browser.words().await
            );
            browser
                .run("document.querySelectorAll('details').forEach(one => one.open = true)")
                .await;
        }
        First::Send(script) => {
            browser.run("window.before = true").await;
            browser.run(&format!("{SEND}{script}")).await;
            let gone = async |browser: &Driver| {
                browser
                    .run("return !window.before && document.readyState === 'complete'")
                    .await
                    == true
            };
            browser.until("another page", gone).await;
        }
    }
    let said = browser.run("return document.documentElement.lang").await;
    assert_eq!(said, language, "{}: {}", stop.name, browser.words().await);
    if !browser.place().await.starts_with(PORTAL) {
        copy(browser).await;
    }
    for screen in [DESKTOP, PHONE] {
        for scheme in ["light", "dark"] {
            browser.look(screen, scheme).await;
            browser
                .picture(&format!("page-{}-{language}-{}-{scheme}", stop.name, screen.name))
                .await;
            let over = browser.run(TOO_WIDE).await;
            if over.as_f64().unwrap() > 0.5 {
                troubles.push(json!({ "page": stop.name, "screen": screen.name, "too wide": over }));
            }
            let found = found(browser, axe).await;
            if found != json!([]) {
                troubles.push(json!({
                    "page": stop.name, "screen": screen.name, "scheme": scheme, "language": language, "found": found,
                }));
            }
        }
    }
}

/// It would be of no use if it saw nothing.
#[tokio::test(flavor = "multi_thread")]
async fn axe_sees_what_keeps_people_out() {
    let world = crate::harness::World::open().await;
    let browser = Driver::start(&world, "ada", "en").await;
    browser.open(&format!("{PORTAL}/")).await;
    let spoil = "document.documentElement.lang = '';
        document.querySelector('main').innerHTML += '<input><img src=x><button></button>\
        <p><a href=/ style=\"font-size:9px\">a</a><a href=/x style=\"font-size:9px\">b</a></p>';
        document.querySelector('h1').style.setProperty('color', '#eee', 'important')";
    browser.run(spoil).await;
    let found = found(&browser, &script()).await;
    let found: BTreeSet<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    for rule in ["button-name", "color-contrast", "html-has-lang", "image-alt", "label"] {
        assert!(found.contains(rule), "{rule}: {found:?}");
    }
    browser.close().await;
    world.close_uncounted().await;
}

/// What somebody asked for on `LinkedIn`, so that they can ask for it in the other language.
async fn take_back(scene: &Scene, who: &str) {
    let client = scene.world.client(who);
    let held = client.get(&format!("{PORTAL}/v1/grants")).await.json();
    for grant in held["grants"].as_array().into_iter().flatten() {
        if grant["state"] == "requested" && grant["platforms"] == json!(["linkedin"]) {
            let one = format!("{PORTAL}/v1/grants/{}", grant["id"].as_str().unwrap());
            assert!(client.delete(&one).await.status.is_success());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_light_and_dark_on_a_desk_and_in_a_phone_in_english_and_french() {
    let scene = lived_in().await;
    let axe = script();
    let stops = stops(&scene);
    let seen: BTreeSet<&str> = stops
        .iter()
        .flat_map(|(_, before, after)| before.iter().chain(after).map(|stop| stop.route))
        .chain(FILES)
        .collect();
    let pages = wayleave::portal::routes().filter(|route| route.method == "GET" && route.below.is_empty());
    let unseen: Vec<&str> = pages
        .map(|route| route.path)
        .filter(|path| !seen.contains(path))
        .collect();
    assert_eq!(
        unseen,
        [] as [&str; 0],
        "pages that nobody looks at: say in `stops` who sees them, and where"
    );

    let mut troubles = Vec::new();
    for (who, before, after) in &stops {
        for language in ["en", "fr"] {
            let browser = Driver::start(&scene.world, who, language).await;
            for stop in before {
                look_at(&browser, &axe, stop, language, &mut troubles).await;
            }
            if !after.is_empty() {
                browser.open(&format!("{PORTAL}/sign-in")).await;
                browser.sign_in().await;
                browser.arrive(&format!("{PORTAL}/")).await;
            }
            for stop in after {
                look_at(&browser, &axe, stop, language, &mut troubles).await;
            }
            browser.close().await;
            take_back(&scene, who).await;
        }
    }
    assert_eq!(troubles, [] as [Value; 0], "{:#}", json!(troubles));
    scene.world.close_uncounted().await;
}
