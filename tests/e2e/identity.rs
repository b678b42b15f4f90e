//! Who are you: what proves it, what does not, and where the proof never shows up.

use std::sync::Arc;

use base64::Engine;
use http::StatusCode;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wayleave::clock::Clock;
use wayleave::facts::{Act, Arrival, Door, End, FaultCode, NetworkName, PurposeId, SubjectId};
use wayleave::identity::users;
use wayleave::identity::{Evidence, Guard, Identification, MaySend, WhyRejected};
use wayleave::ingress::{self, basic_allowed};
use wayleave::tls::founding;

use crate::harness::client::{Answer, Client};
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, World};

fn saying(world: &World, authorization: &str) -> Client {
    Client {
        authorization: Some(authorization.to_owned()),
        ..world.client("nobody")
    }
}

/// What a client can tell two answers apart by.
fn told(answer: &Answer) -> (StatusCode, Vec<(String, String)>, String) {
    let headers = answer.headers.iter();
    let mut fields: Vec<(String, String)> = headers
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    fields.sort();
    (answer.status, fields, answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_get_the_same_407() {
    let world = World::open().await;
    let wrong_password = saying(&world, &Client::basic("ada", "not her password"));
    let nobody = saying(&world, &Client::basic("zoe", PASSWORD));
    for url in [
        "http://www.example.org/",
        "https://www.example.org/",
        "https://www.linkedin.com/",
    ] {
        let (first, second) = (wrong_password.get(url).await, nobody.get(url).await);
        assert_eq!(first.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        assert!(first.header("proxy-authenticate").starts_with("Basic realm="));
        let status = first.header("proxy-status");
        assert!(
            status.contains("error=http_request_denied") && status.contains("sign-in-required"),
            "{status}"
        );
        assert_eq!(told(&first), told(&second), "{url}");
    }
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_passwords_is_told_to_wait() {
    const URL: &str = "http://www.example.org/";
    let world = World::open().await;
    for n in 0..10 {
        let guess = saying(&world, &Client::basic("ada", &format!("guess {n}")));
        assert_eq!(guess.get(URL).await.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    }
    let told = world.client("ada").get(URL).await;
    assert_eq!(told.status, StatusCode::TOO_MANY_REQUESTS, "{}", told.text());
    assert_eq!(told.header("retry-after"), "300");
    assert!(told.text().contains("too-many-guesses"), "{}", told.text());
    assert_eq!(world.client("dan").get(URL).await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_proof_is_asked_again() {
    let world = World::open().await;
    for nonsense in [
        "Basic",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Bearer abc",
        "Negotiate YII=",
        "Basic YWRhOg==",
    ] {
        let answer = saying(&world, nonsense).get("http://www.example.org/").await;
        assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED, "{nonsense}");
    }
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_proofs_are_no_proof() {
    let world = World::open().await;
    let twice = world
        .client("ada")
        .with_hop_field("proxy-authorization", &Client::basic("dan", PASSWORD));
    for url in ["http://www.example.org/", "https://www.example.org/"] {
        let answer = twice.get(url).await;
        assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED, "{url}");
    }
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_on_the_tls_door_says_who_it_is() {
    let mut made = None;
    let world = World::planned(|plan| {
        let name = SubjectId::parse("ada").unwrap();
        let files = founding::client(&plan.settings.tls.folder, &name, 30, false, Clock::system().now());
        made = Some(files.unwrap());
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    for protocol in [b"h2".as_slice(), b"http/1.1"] {
        let ada = world.client_with_certificate(made.as_ref().unwrap(), protocol);
        let answer = ada.get("https://www.linkedin.com/feed/").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let closing = world.closed("www.linkedin.com", "/feed/").await;
    let subject = closing.seen().subject.clone().unwrap();
    assert_eq!((subject.id.as_str(), subject.method.as_str()), ("ada", "certificate"));

    // without a certificate the same door asks for a password
    let answer = world
        .client_on_tls_door("dan", b"h2")
        .get("http://www.example.org/")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let nobody = Client {
        authorization: None,
        ..world.client_on_tls_door("dan", b"h2")
    };
    let answer = nobody.get("http://www.example.org/").await;
    assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_name_beside_a_certificate_selects_a_purpose_and_is_nobody_elses() {
    const FEED: &str = "https://www.linkedin.com/feed/";
    let mut made = None;
    let world = World::planned(|plan| {
        let name = SubjectId::parse("ada").unwrap();
        let files = founding::client(&plan.settings.tls.folder, &name, 30, false, Clock::system().now());
        made = Some(files.unwrap());
    })
    .await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let called = |name: &str| Client {
        // nothing rests on the password
        authorization: Some(Client::basic(name, "")),
        ..world.client_with_certificate(made.as_ref().unwrap(), b"http/1.1")
    };
    for (name, selected) in [("ada", None), ("ada+recruiting", Some("recruiting"))] {
        let answer = called(name).get(FEED).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text());
        let closing = world.closed("www.linkedin.com", "/feed/").await;
        let seen = closing.seen();
        let subject = seen.subject.as_ref().unwrap();
        assert_eq!((subject.id.as_str(), subject.method.as_str()), ("ada", "certificate"));
        assert_eq!(seen.selected.as_ref().map(PurposeId::as_str), selected, "{name}");
    }
    // only what is selected counts
    let answer = called("ada+market-research").get(FEED).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());

    let answer = called("dan+recruiting").get(FEED).await;
    assert_eq!(answer.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert!(answer.header("proxy-authenticate").starts_with("Basic realm="));
    assert!(answer.header("proxy-status").contains("another-name"));
    assert!(
        answer.text().contains("Send the name on the certificate"),
        "{}",
        answer.text()
    );
    let records = world.close().await;
    let challenged = records.iter().filter_map(|record| match &record.act {
        Act::Closing { seen, ended, .. } if ended.end == End::Challenged => Some(seen),
        _ => None,
    });
    let challenged: Vec<_> = challenged.collect();
    assert_eq!(challenged.len(), 1);
    assert!(challenged[0].subject.is_none() && challenged[0].selected.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_of_another_authority_does_not_get_through_the_handshake() {
    let elsewhere = tempfile::TempDir::new().unwrap();
    let world = World::planned(|plan| {
        let (name, now) = (SubjectId::parse("ada").unwrap(), Clock::system().now());
        founding::client(&plan.settings.tls.folder, &name, 30, false, now).unwrap();
    })
    .await;
    let name = SubjectId::parse("ada").unwrap();
    let files = founding::client(elsewhere.path(), &name, 30, false, Clock::system().now()).unwrap();
    let forger = world.client_with_certificate(&files, b"http/1.1");
    // in TLS 1.3 the client believes it is done before the server has looked: the refusal comes with the first read
    let mut wire = Wire::of(&forger).await;
    wire.try_to_say("GET http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
        .await;
    assert_eq!(wire.rest().await, "");
    world.sends(1);
    let strays = world.strays(1).await;
    assert_eq!(crate::harness::code(&strays[0]), Some(FaultCode::ClientTls));
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_clear_from_afar_is_refused_with_advice() {
    let world = World::open().await;
    let mut settings = world.settings.ingress.clone();
    settings.basic_networks = vec!["10.8.0.0/16".parse().unwrap()];
    let may_send: MaySend = Arc::new(move |arrival| basic_allowed(&settings, arrival.door, arrival.client.ip()));
    let guard = Guard::new(&world.settings.identity, &may_send).unwrap();
    let proof = Client::basic("ada", PASSWORD).parse().unwrap();
    let cases = [
        (Door::Plain, "192.0.2.7:9", false),
        (Door::Plain, "10.8.3.4:9", true),
        (Door::Plain, "127.0.0.1:9", true),
        (Door::Plain, "[::1]:9", true),
        (Door::Plain, "[::ffff:127.0.0.1]:9", true),
        (Door::Tls, "192.0.2.7:9", true),
    ];
    for (door, client, accepted) in cases {
        let arrival = Arrival {
            door,
            client: client.parse().unwrap(),
            network: NetworkName::default(),
        };
        let evidence = Evidence {
            proxy_authorization: Some(&proof),
            more_than_one: false,
            client_certificate: None,
            arrival: &arrival,
        };
        let identified = guard.identify(&evidence).await;
        if accepted {
            assert!(
                matches!(identified, Identification::Known { .. }),
                "{client}: {identified:?}"
            );
            assert_eq!(guard.challenges(&arrival).len(), 1, "{client}");
        } else {
            assert!(
                matches!(identified, Identification::Rejected(WhyRejected::UseTlsDoor, None)),
                "{client}: {identified:?}"
            );
            assert!(WhyRejected::UseTlsDoor.to_string().contains("use the TLS door"));
            // RFC 9110 §15.5.8: a 407 must challenge, and nothing that could be asked for would be accepted
            let page = wayleave::portal::pages::challenge(
                &wayleave::portal::words::ENGLISH,
                &guard.challenges(&arrival),
                wayleave::portal::pages::Audience::Tool,
            );
            assert_eq!(page.status(), StatusCode::FORBIDDEN);
            let body = http_body_util::BodyExt::collect(page.into_body())
                .await
                .unwrap()
                .to_bytes();
            assert!(String::from_utf8_lossy(&body).contains("TLS"), "{body:?}");
        }
    }
    assert_eq!(
        ingress::network(&world.settings.ingress, "192.0.2.7".parse().unwrap()).as_str(),
        "unknown"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_reach_neither_the_origin_nor_a_record_nor_what_is_printed() {
    let world = World::open().await;
    let grant = world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    let secret = Client::basic("ada", PASSWORD);
    let suffixed = Client::basic("ada+recruiting", PASSWORD);
    for authorization in [&secret, &suffixed, &Client::basic("ada", "a wrong secret")] {
        let ada = saying(&world, authorization).with_hop_field("wayleave-purpose", "recruiting");
        ada.get("http://www.example.org/clear?password=in-a-query").await;
        if ada.tunnel("www.linkedin.com:443").await.is_ok() {
            // a page's own request may carry such fields, too
            let inside = http::Request::get("https://www.linkedin.com/feed/")
                .header("proxy-authorization", authorization)
                .header("wayleave-purpose", "recruiting")
                .header("cookie", "li_at=a-session-of-the-origin")
                .header("authorization", "Bearer of-the-origin");
            let answer = ada.send(inside).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
    }
    let received = world.origin.received();
    assert_eq!(received.len(), 4);
    for request in &received {
        assert!(!request.headers.contains_key("proxy-authorization"), "{request:?}");
        assert!(!request.headers.contains_key("wayleave-purpose"), "{request:?}");
    }
    assert_eq!(received[1].headers["cookie"], "li_at=a-session-of-the-origin");

    let decoded = |basic: &str| basic.strip_prefix("Basic ").unwrap().to_owned();
    let mut book = world.book().await;
    for record in world.records().await {
        book += &format!("{record:?}");
    }
    book += &format!(
        "{:?} {grant:?} {:?}",
        world.settings,
        world.gate().live().load().directory.people().count()
    );
    assert!(book.contains("www.linkedin.com"), "what is searched is the book");
    let hidden = [
        PASSWORD.to_owned(),
        "a wrong secret".to_owned(),
        decoded(&secret),
        decoded(&suffixed),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(PASSWORD),
        "a-session-of-the-origin".to_owned(),
        "of-the-origin".to_owned(),
        "in-a-query".to_owned(),
        "$argon2".to_owned(),
    ];
    for secret in hidden {
        assert!(!book.contains(&secret), "`{secret}` is in the book");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_account_is_signed_out_of_the_connections_that_it_opened() {
    let world = World::open().await;
    world.give("dan", "market-research", &["linkedin"], |_| {}).await;
    let dan = world.client("dan");
    let mut kept = dan.keep("www.linkedin.com").await;
    assert_eq!(kept.get("/feed/").await.status, StatusCode::OK);
    let mut tunnel = TokioIo::new(dan.tunnel("www.example.org:80").await.unwrap());
    let drip = b"GET /behave/drip HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
    tunnel.write_all(drip).await.unwrap();
    let mut some = [0; 64];
    tunnel.read_exact(&mut some).await.unwrap();

    users::change(&world.settings.identity.users, |users| users.remove("dan")).unwrap();
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.ok();
    let closing = world.closed("www.example.org", "CONNECT").await;
    assert!(
        matches!(&closing.ended().end, End::Cut(why) if why.contains("account")),
        "{:?}",
        closing.ended()
    );
    // a client that is told so connects anew, and then it is asked who it is
    assert_eq!(kept.get("/feed/").await.status, StatusCode::MISDIRECTED_REQUEST);
    let refused = world.closed("www.linkedin.com", "/feed/").await;
    assert_eq!(refused.code(), Some(FaultCode::Misdirected));
    assert_eq!(refused.seen().subject.as_ref().unwrap().id.as_str(), "dan");
    assert_eq!(
        dan.get("https://www.linkedin.com/feed/").await.status,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED
    );
    assert_eq!(
        world.client("ada").get("http://www.example.org/").await.status,
        StatusCode::OK
    );
    drop(kept);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_sign_in_on_another_way_only_is_told_which_and_not_asked_for_a_password() {
    let mut made = None;
    let world = World::planned(|plan| {
        plan.settings.identity.methods = vec!["certificate".to_owned()];
        let (name, now) = (SubjectId::parse("ada").unwrap(), Clock::system().now());
        made = Some(founding::client(&plan.settings.tls.folder, &name, 30, false, now).unwrap());
    })
    .await;
    for client in [world.client("ada"), world.stranger()] {
        for url in ["http://www.example.org/", "https://www.linkedin.com/"] {
            let told = client.get(url).await;
            assert_eq!(told.status, StatusCode::FORBIDDEN, "{url}");
            assert!(!told.headers.contains_key("proxy-authenticate"), "{:?}", told.headers);
            let kind = told.json()["type"].as_str().unwrap().to_owned();
            assert!(kind.ends_with("/sign-in-elsewhere"), "{kind}");
            let status = told.header("proxy-status");
            assert!(
                status.contains("error=http_request_denied") && status.contains("sign-in-elsewhere"),
                "{status}"
            );
            assert!(told.text().contains("TLS port"), "{}", told.text());
        }
        let page = client.navigate("http://www.example.org/").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
        assert!(page.text().contains("Sign in on the encrypted way"), "{}", page.text());
    }
    assert_eq!(world.origin.connections(), 0);
    let closing = world.closed("www.example.org", "").await;
    assert_eq!(
        (&closing.ended().end, closing.ended().status),
        (&End::Challenged, Some(403))
    );
    assert!(closing.seen().subject.is_none());
    let ada = world.client_with_certificate(made.as_ref().unwrap(), b"http/1.1");
    assert_eq!(ada.get("http://www.example.org/").await.status, StatusCode::OK);
    world.close().await;
}
