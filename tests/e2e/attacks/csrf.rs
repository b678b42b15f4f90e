//! Another site's page, or a tool that knows no token, sends our forms and makes our calls.

use http::{Method, Request, StatusCode, header};
use wayleave::portal::routes;

use super::{forms, scene};
use crate::harness::World;
use crate::harness::house::PORTAL;

/// Where a request can come from that is not a page of ours: its `Origin`, and what the browser says of it.
const ELSEWHERE: [(Option<&str>, &str); 8] = [
    (Some("https://evil.example"), "cross-site"),
    (Some("null"), "cross-site"),
    (None, "cross-site"),
    (Some(PORTAL), "cross-site"),
    (Some("https://evil.example"), "same-origin"),
    (None, "same-origin"),
    (Some("http://wayleave.internal"), "same-origin"),
    (Some("https://wayleave.internal.evil.example"), "same-site"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_from_elsewhere_or_without_its_own_token_and_all_are_from_their_own_page() {
    let scene = scene().await;
    for form in forms(&scene).await {
        let filled = form.fill(&scene.world).await;
        for from in ELSEWHERE {
            let answer = filled.sent(None, from, PORTAL).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} from {from:?}", form.route);
            assert_eq!(answer.header("set-cookie"), "", "{} from {from:?}", form.route);
        }
        let own = (Some(PORTAL), "same-origin");
        let in_clear = filled.sent(None, own, "http://wayleave.internal").await;
        assert_eq!(in_clear.status, StatusCode::FORBIDDEN, "{} in clear", form.route);
        // the token of another form of the same person, of the same form of another person, and none that is any
        let other = if form.route == "/sign-in" {
            "/tokens"
        } else {
            "/sign-in"
        };
        let another_form = super::Form {
            who: form.who,
            route: other,
            signs_in: other == "/tokens",
            page: other.to_owned(),
            filled: &[],
        };
        let another_form = another_form.fill(&scene.world).await;
        let another_person = super::Form {
            who: "dan",
            route: "/sign-in",
            signs_in: false,
            page: "/sign-in".to_owned(),
            filled: &[],
        };
        let another_person = another_person.fill(&scene.world).await;
        for (token, what) in [
            ("none", "no token"),
            ("", "an empty token"),
            ("AAAA", "a made-up token"),
            (another_form.token(), "a token for another form"),
            (another_person.token(), "the token of another person"),
        ] {
            let answer = filled.sent(Some(token), own, PORTAL).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} with {what}", form.route);
            assert_eq!(answer.header("set-cookie"), "", "{} with {what}", form.route);
        }
        // all that while it was good: nothing of the above had done it, or spent its token
        let done = filled.sent_by_its_page().await;
        let good = [StatusCode::SEE_OTHER, StatusCode::CREATED].contains(&done.status);
        assert!(good, "{} by its own page: {} {}", form.route, done.status, done.text());
        assert!(
            !done.header("location").starts_with("/sign-in"),
            "{}: {:?}",
            form.route,
            done.headers
        );
        let twice = filled.sent_by_its_page().await;
        assert_eq!(
            twice.status,
            StatusCode::FORBIDDEN,
            "{}: its token is good once",
            form.route
        );
    }
    scene.world.close().await;
}

/// Every method that changes something, at every address that there is.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_taken_from_a_page_of_another_site() {
    let world = World::open().await;
    let sol = world.client("sol");
    let grant = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let mut calls = 0;
    for route in routes().filter(|route| route.below == "/v1") {
        let path = route.path.replace("{id}", grant.id.as_str());
        let url = format!("{PORTAL}/v1{path}");
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let call = || {
            Request::builder()
                .method(method.clone())
                .uri(&url)
                .header(header::CONTENT_TYPE, "application/json")
        };
        for (origin, site) in ELSEWHERE {
            if method == Method::GET && site == "same-origin" {
                continue; // the address bar and our own pages send no `Origin` with it
            }
            let mut request = call().header("sec-fetch-site", site).header("sec-fetch-mode", "cors");
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            let answer = sol.send_with(request, r#"{"all":true,"reason":"x"}"#).await;
            let what = format!("{} {url} from {origin:?} {site}: {}", route.method, answer.text());
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
            assert!(answer.text().contains("foreign-origin"), "{what}");
            assert_eq!(answer.header("access-control-allow-origin"), "", "{what}");
            calls += 1;
        }
        if method != Method::GET {
            // any one of a browser's marks shows that no tool sent it
            for mark in [(header::COOKIE, "x=y"), (header::REFERER, "https://evil.example/")] {
                let answer = sol.send_with(call().header(mark.0, mark.1), "{}").await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {url}", route.method);
                assert!(answer.text().contains("foreign-origin"), "{}", answer.text());
            }
            // and what a page may send without asking us first is no call, whoever sends it
            let form = Request::builder()
                .method(method.clone())
                .uri(&url)
                .header(header::CONTENT_TYPE, "text/plain")
                .header(header::ORIGIN, "https://evil.example");
            let answer = sol.send_with(form, "{}").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {url}", route.method);
        }
    }
    assert!(calls > 100, "{calls}");
    let held = world.client("ada").get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(held["grants"][0]["state"], "active");
    world.close().await;
}

/// A page of another site may ask what we would take: it is told nothing that would let it.
#[tokio::test(flavor = "multi_thread")]
async fn no_preflight_is_granted() {
    let world = World::open().await;
    let ada = world.client("ada");
    for route in routes() {
        let path = route.path.replace(['{', '}'], "");
        let ask = Request::builder()
            .method(Method::OPTIONS)
            .uri(format!("{PORTAL}{}{path}", route.below))
            .header(header::ORIGIN, "https://evil.example")
            .header("access-control-request-method", route.method)
            .header("access-control-request-headers", "content-type");
        let answer = ada.send(ask).await;
        assert!(!answer.status.is_success(), "{route:?}: {}", answer.status);
        for name in answer.headers.keys() {
            assert!(!name.as_str().starts_with("access-control-"), "{route:?}: {name}");
        }
    }
    world.close().await;
}
