//! Somebody plants a session before another person signs in, keeps one that should be over, or uses that of somebody else.

use std::time::Duration;

use http::StatusCode;

use crate::harness::client::Client;
use crate::harness::house::hidden;
use crate::harness::{PASSWORD, World};
use crate::inbox::{cookie, opens, own_form, session, signs_in};

/// Whether a session lets its bearer answer: the page of tokens takes one.
async fn is_good(client: &Client, cookie: &str) -> bool {
    opens(client, "/tokens", cookie).await.status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_planted_before_is_never_the_one_that_is_signed_in() {
    let world = World::open().await;
    let (mia, nora) = (world.client("mia"), world.client("nora"));
    // what an attacker has: a made-up id, and a good one of their own
    let own = session(&nora).await;
    for planted in ["__Host-wayleave-session=cGxhbnRlZC1ieS1ub3Jh", &own] {
        assert!(!is_good(&mia, planted).await, "before");
        let signed = signs_in(&mia, planted, PASSWORD).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER);
        let given = cookie(&signed);
        assert_ne!(given, planted, "each sign-in makes a new one");
        assert!(is_good(&mia, &given).await);
        assert!(!is_good(&mia, planted).await, "after");
        let both = format!("{planted}; {given}");
        assert!(!is_good(&mia, &both).await, "two are none, whichever comes first");
        assert!(!is_good(&mia, &format!("{given}; {planted}")).await);
        assert!(!is_good(&nora, &given).await, "nobody else's hop takes it");
        let set = signed.header("set-cookie");
        for mark in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(set.contains(mark), "{mark}: {set}");
        }
        assert!(!set.to_lowercase().contains("domain"), "{set}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_next_sign_in_with_signing_out_and_with_its_time() {
    let world = World::open().await;
    let mia = world.client("mia");
    let first = session(&mia).await;
    let second = cookie(&signs_in(&mia, &first, PASSWORD).await);
    assert!(!is_good(&mia, &first).await && is_good(&mia, &second).await);
    let wrong = signs_in(&mia, &second, "not her password").await;
    assert_eq!(
        (wrong.status, wrong.header("set-cookie")),
        (StatusCode::UNPROCESSABLE_ENTITY, "")
    );

    let page = opens(&mia, "/approvals", &second).await.text();
    let (_, form) = page.split_once("action=\"/sign-out\"").unwrap();
    let out = own_form(&mia, "/sign-out", &second, &[("token", &hidden(form, "token"))]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    assert!(!is_good(&mia, &second).await, "also for who kept a copy");

    let third = session(&mia).await;
    world.clock.advance(Duration::from_mins(15));
    assert!(!is_good(&mia, &third).await);
    world.close().await;
}
