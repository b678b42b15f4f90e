//! How much: the exposition counts exactly what happened, and names nobody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use http::StatusCode;
use wayleave::facts::Act;

use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::sample;
use crate::harness::origin::where_nobody_listens;
use crate::harness::wire::Wire;

const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

/// Some of everything: asked who it is, let pass, refused in each way, failed.
async fn some_of_everything() -> World {
    let (nobody, _reserved) = where_nobody_listens();
    let world = World::planned(|plan| {
        plan.settings
            .upstream
            .map
            .insert("down.example.org".to_owned(), nobody.to_string());
    })
    .await;
    world.stranger().get("http://www.example.org/").await;
    let guess = Client {
        authorization: Some(Client::basic("ada", "not her password")),
        ..world.client("ada")
    };
    assert_eq!(
        guess.get("http://www.example.org/").await.status,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED
    );
    let (ada, dan) = (world.client("ada"), world.client("dan"));
    dan.get("http://www.example.org/private/path?who=me").await;
    dan.get("http://www.example.org/").await;
    assert_eq!(
        dan.get("http://down.example.org/").await.status,
        StatusCode::BAD_GATEWAY
    );
    ada.get("https://www.linkedin.com/feed/").await;
    world
        .grant("ada", "recruiting", &["linkedin"], &["read", "publish"])
        .await;
    ada.get("https://www.linkedin.com/feed/").await;
    assert_eq!(ada.post(SHARE, "application/json", "{}").await.status, StatusCode::OK);
    world.client("ben").post(SHARE, "application/json", "{}").await;
    world.client("eve").post(SHARE, "application/json", "{}").await;
    let sent = world.sent.all();
    world
        .until("every flow is closed", async |world| {
            let closed = world.acts(|record| matches!(record.act, Act::Closing { .. }).then_some(()));
            closed.await.len() == sent
        })
        .await;
    world
}

fn family<'a>(exposition: &'a str, name: &str) -> BTreeSet<&'a str> {
    let belongs = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
    exposition.lines().filter(belongs).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_is_counted_once_under_what_was_decided() {
    let world = some_of_everything().await;
    let exposition = world.admin("/metrics").await.text();
    assert_eq!(
        family(&exposition, "wayleave_decisions_total"),
        BTreeSet::from([
            r#"wayleave_decisions_total{activity="connect",outcome="allow",platform="none"} 3"#,
            r#"wayleave_decisions_total{activity="connect",outcome="allow",platform="linkedin"} 5"#,
            r#"wayleave_decisions_total{activity="browse",outcome="declare",platform="linkedin"} 1"#,
            r#"wayleave_decisions_total{activity="browse",outcome="allow",platform="linkedin"} 1"#,
            r#"wayleave_decisions_total{activity="post",outcome="allow",platform="linkedin"} 1"#,
            r#"wayleave_decisions_total{activity="post",outcome="request",platform="linkedin"} 1"#,
            r#"wayleave_decisions_total{activity="post",outcome="deny",platform="linkedin"} 1"#,
        ])
    );
    assert_eq!(
        family(&exposition, "wayleave_purpose_decisions_total"),
        BTreeSet::from([
            r#"wayleave_purpose_decisions_total{outcome="allow",purpose="none"} 8"#,
            r#"wayleave_purpose_decisions_total{outcome="allow",purpose="recruiting"} 2"#,
            r#"wayleave_purpose_decisions_total{outcome="declare",purpose="none"} 1"#,
            r#"wayleave_purpose_decisions_total{outcome="request",purpose="none"} 1"#,
            r#"wayleave_purpose_decisions_total{outcome="deny",purpose="none"} 1"#,
        ])
    );
    assert_eq!(
        family(&exposition, "wayleave_faults_total"),
        BTreeSet::from([r#"wayleave_faults_total{blame="origin",code="connect-refused",stage="dial"} 1"#])
    );
    let revision = world.gate().live().load().rulebook.id().clone();
    for (series, value) in [
        ("wayleave_challenges_total", 2.0),
        ("wayleave_sign_in_failures_total", 1.0),
        ("wayleave_decision_duration_seconds_count", 13.0),
        ("wayleave_request_duration_seconds_count", 10.0),
        (r#"wayleave_grants{purpose="recruiting",state="active"}"#, 1.0),
        ("wayleave_policy_reload_success", 1.0),
        ("wayleave_policy_errors_total", 0.0),
        ("wayleave_records_healthy", 1.0),
        ("wayleave_decision_log_dropped_total", 0.0),
        ("wayleave_tunnels", 0.0),
        (&format!("wayleave_policy_info{{revision=\"{revision}\"}}"), 1.0),
        (r#"wayleave_bytes_total{direction="up"}"#, 2.0),
    ] {
        assert_eq!(sample(&exposition, series), Some(value), "{series}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_names_a_person_a_host_or_a_path_and_promtool_is_silent() {
    let world = some_of_everything().await;
    let answer = world.admin("/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let exposition = answer.text();
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        for name in [
            "ada",
            "ben",
            "eve",
            "dan",
            "example.org",
            "linkedin.com",
            "127.0.0.1",
            "/feed",
            "private",
            "path",
        ] {
            let quoted = line.split('"').skip(1).step_by(2);
            for label in quoted {
                assert!(
                    !label.contains(name) || label.starts_with("sha256:"),
                    "{name} in {line}"
                );
            }
        }
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs (install it with: apt-get install prometheus)");
    promtool.stdin.take().unwrap().write_all(exposition.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!((said.as_str(), output.status.success()), ("", true));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gauges_follow_what_is_alive() {
    let world = World::planned(|plan| {
        plan.inspect_everything();
        plan.settings.audit.sync_ms = 3_600_000;
        plan.settings.ingress.header_timeout_s = 600; // nobody who says nothing is sent away meanwhile
    })
    .await;
    let dan = world.client("dan");
    let shows = async |name: &str, count: f64| {
        let what = format!("wayleave_{name} shows {count}");
        world
            .until(&what, async |world| {
                world.metric(&format!("wayleave_{name}")).await == Some(count)
            })
            .await;
    };
    shows("connections", 0.0).await;
    let mut open = vec![Wire::plain(&world).await, Wire::plain(&world).await];
    // this one will break off without a word of TLS
    world.sends(1);
    open.push(Wire::of(&world.client_on_tls_door("dan", b"http/1.1")).await);
    shows("connections", 3.0).await;
    open.push(Wire::tunnel(&dan, "www.hsbc.com:22").await);
    shows("connections", 4.0).await;
    shows("tunnels", 1.0).await;
    let socket = dan.socket("chat.example.org", "/live").await.unwrap();
    shows("connections", 5.0).await;
    shows("tunnels", 2.0).await;
    drop(socket);
    shows("connections", 4.0).await;
    shows("tunnels", 1.0).await;
    drop(open);
    shows("connections", 0.0).await;
    shows("tunnels", 0.0).await;

    // one for the socket's host
    let minted = async || world.metric("wayleave_minted_certificates").await;
    assert_eq!(minted().await, Some(1.0));
    for (host, count) in [("www.linkedin.com", 2.0), ("www.linkedin.com", 2.0), ("x.com", 3.0)] {
        dan.get(&format!("https://{host}/")).await;
        assert_eq!(minted().await, Some(count), "{host}");
    }

    let queued = async || world.metric("wayleave_record_queue").await;
    // nothing that was asked before comes into the book later on
    world.settled().await;
    shows("record_queue", 0.0).await;
    for count in 1..=3 {
        dan.get("http://www.example.org/").await;
        shows("record_queue", f64::from(count)).await;
    }
    world.gate().book().flush().await.unwrap();
    assert_eq!(queued().await, Some(0.0));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_requests_take_is_not_told_of_tunnels_and_sockets() {
    let world = World::planned(|plan| plan.inspect_everything()).await;
    let dan = world.client("dan");
    let timed = async || world.metric("wayleave_request_duration_seconds_count").await;
    let unread = dan.unread(&world.origins);
    assert_eq!(unread.get("https://www.hsbc.com/").await.status, StatusCode::OK);
    world.closed("www.hsbc.com", "CONNECT").await;
    let socket = dan.socket("chat.example.org", "/live").await.unwrap();
    drop(socket);
    let closing = world.closed("chat.example.org", "/live").await;
    assert_eq!(closing.ended().status, Some(101));
    assert_eq!(timed().await, Some(0.0));
    // a handshake that was not agreed to is a request like any other
    assert_eq!(
        dan.socket("www.linkedin.com", "/live").await.err().unwrap().status,
        StatusCode::FORBIDDEN
    );
    world.closed("www.linkedin.com", "/live").await;
    assert_eq!(timed().await, Some(1.0));
    assert_eq!(dan.get("http://www.example.org/").await.status, StatusCode::OK);
    world.closed("www.example.org", "/").await;
    assert_eq!(timed().await, Some(2.0));
    world.close().await;
}
