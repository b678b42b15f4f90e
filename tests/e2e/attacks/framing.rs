//! Another site shows our pages inside its own, where somebody clicks on what they do not see; or loads them as something else.

use http::{Request, StatusCode};

use super::{scene, without_own_scripts};
use crate::harness::client::Answer;
use crate::harness::house::PORTAL;
use crate::inbox::{opens, session};
use crate::walks::axe::stops;

fn cannot_be_framed(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{what}: {part} in {policy}");
    }
    for loose in ["unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:"] {
        assert!(!policy.contains(loose), "{what}: {loose} in {policy}");
    }
    // a script runs for what it says, and for nothing else
    let scripts = policy.split("; ").find_map(|part| part.strip_prefix("script-src "));
    let mut sources = scripts.unwrap_or_default().split_whitespace();
    assert!(sources.all(|source| source.starts_with("'sha256-")), "{what}: {policy}");
    let page = without_own_scripts(answer);
    assert!(!page.contains("<script"), "{what}: {page}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_says_that_nobody_may_frame_it_and_is_not_given_to_a_frame() {
    let scene = scene().await;
    let mut pages = 0;
    for (who, before, after) in stops(&scene) {
        let client = scene.world.client(who);
        let cookie = if after.is_empty() {
            String::new()
        } else {
            session(&client).await
        };
        for stop in before.iter().chain(&after) {
            let Some(path) = stop.place.strip_prefix(PORTAL) else {
                continue;
            };
            let answer = opens(&client, path, &cookie).await;
            let what = format!("{who} {path}: {}", answer.status);
            assert!(answer.header("content-type").starts_with("text/html"), "{what}");
            cannot_be_framed(&answer, &what);
            for (site, mode, dest) in [
                ("cross-site", "navigate", "iframe"),
                ("cross-site", "navigate", "frame"),
                ("cross-site", "navigate", "object"),
                ("cross-site", "navigate", "embed"),
                ("cross-site", "no-cors", "image"),
                ("cross-site", "no-cors", "script"),
                ("cross-site", "no-cors", "style"),
                ("cross-site", "cors", "empty"),
                ("same-site", "navigate", "iframe"),
            ] {
                let framed = Request::get(format!("{PORTAL}{path}"))
                    .header("sec-fetch-site", site)
                    .header("sec-fetch-mode", mode)
                    .header("sec-fetch-dest", dest)
                    .header("cookie", &cookie);
                let framed = client.send(framed).await;
                assert_eq!(framed.status, StatusCode::FORBIDDEN, "{what} {site} {mode} {dest}");
                cannot_be_framed(&framed, &what);
            }
            pages += 1;
        }
    }
    assert!(pages > 20, "{pages}");
    scene.world.close().await;
}
