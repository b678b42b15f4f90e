//! How did you arrive: the doors, and who may come in.

use http::StatusCode;

use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_asked_who_they_are() {
    let world = World::open().await;
    let answer = world.stranger().get("http://www.example.org/").await;
    assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(
        answer.header("proxy-authenticate"),
        "Basic realm=\"wayleave\", charset=\"UTF-8\""
    );
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_not_managed_passes_in_clear_and_in_a_tunnel() {
    let world = World::open().await;
    let dan = world.client("dan");
    let answer = dan.get("http://www.example.org/a").await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "GET /a 0"));
    let received = world.origin.received();
    assert!(received[0].headers.get("proxy-authorization").is_none());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recruiter_reads_linkedin_once_the_purpose_is_declared() {
    let world = World::open().await;
    let ada = world.client("ada");
    let refused = ada.get("https://www.linkedin.com/feed/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["outcome"], "declare");
    assert_eq!(world.origin.connections(), 0, "nothing is sent before somebody may");
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let answer = ada.get("https://www.linkedin.com/feed/").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.close().await;
}
