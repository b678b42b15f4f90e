//! How much: the exposition counts exactly what happened, and names nobody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use http::StatusCode;
use wayleave::facts::Act;

use crate::harness::World;
use crate::harness::client::Client;
use crate::harness::house::sample;

const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

/// Some of everything: asked who it is, let pass, refused in each way, failed.
async fn some_of_everything() -> World {
    let world = World::planned(|plan| {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
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
