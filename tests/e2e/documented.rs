//! What `/v1/openapi.json` says is what `/v1` does: schemathesis sends a gateway what the document allows and what it does
//! not, and looks at every answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::StatusCode;
use serde_json::{Value, json};
use wayleave::facts::Act;

use crate::crashes::declaration;
use crate::harness::house::PORTAL;
use crate::harness::{PASSWORD, World};

/// Where `tests/run` puts the program.
fn schemathesis() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("schemathesis/bin/schemathesis");
    assert!(program.exists(), "`tests/run` installs {}", program.display());
    program
}

/// The way to the API, as `who`.
fn proxy(world: &World, who: &str) -> String {
    let password: String = form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect();
    format!(
        "http://{who}:{}@{}",
        password.replace('+', "%20"),
        world.gate().addresses().plain
    )
}

/// How the program is to go about it, as `who`.
fn how(world: &World, who: &str) -> String {
    let roots = world.folder.path().join("root.pem");
    format!(
        r#"
proxy = "{}"
tls-verify = "{}"
seed = 1
workers = 1
request-timeout = 30

[generation]
max-examples = 12
deterministic = true
database = "none"

# what has the right form and names what there is not is answered 422; and what somebody took can be taken as often as the
# rules say
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "409", "415", "422", "429"]

# nobody is asked for a password about what is none of their business, or cannot be understood: other answers come first
[[operations]]
include-operation-id = ["approve", "decline", "review", "revoke", "makeToken"]
checks.missing_required_header.enabled = false
checks.ignored_auth.enabled = false

# what has ended can still be looked at
[[operations]]
include-operation-id = "showGrant"
checks.use_after_free.enabled = false

# what was just declared is no emergency that waits for a review
[[operations]]
include-operation-id = "review"
checks.ensure_resource_availability.enabled = false

[auth.openapi.password]
username = "{who}"
password = "{PASSWORD}"
"#,
        proxy(world, who),
        roots.display()
    )
}

/// Lets the program loose as `who`, and returns what it says.
async fn examine(world: &World, who: &str, phases: &str) -> Result<(), String> {
    let folder = world.folder.path();
    std::fs::write(folder.join("root.pem"), world.gate().root_pem()).unwrap();
    let how_to = folder.join(format!("{who}.toml"));
    std::fs::write(&how_to, how(world, who)).unwrap();
    let child = tokio::process::Command::new(schemathesis())
        .arg("--config-file")
        .arg(&how_to)
        .args([
            "run",
            &format!("{PORTAL}/v1/openapi.json"),
            "--no-color",
            "--phases",
            phases,
        ])
        // the document itself is read by another way than what is tried
        .env("HTTPS_PROXY", proxy(world, who))
        .env("REQUESTS_CA_BUNDLE", folder.join("root.pem"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    if child.status.success() && said.contains("Coverage") {
        Ok(())
    } else {
        Err(said)
    }
}

/// Counts what another program sent, once all of it is over.
async fn counts(world: &World) {
    world
        .until("all connections are over", async |world| {
            world.metric("wayleave_connections").await == Some(0.0)
                && world.metric("wayleave_tunnels").await == Some(0.0)
        })
        .await;
    let records = world.records().await;
    let closed = records
        .iter()
        .filter(|record| matches!(record.act, Act::Closing { .. } | Act::Stray { .. }));
    world.sends(closed.count() - world.sent.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_as_it_is_documented() {
    let world = World::open().await;
    let ada = world.client("ada");
    assert_eq!(ada.declare(&declaration()).await.status, StatusCode::CREATED);
    let wants = json!({
        "purpose": "brand-publishing", "platforms": ["x"], "statement": "Launch of the new bicycle",
    });
    assert_eq!(world.client("ben").declare(&wants).await.status, StatusCode::ACCEPTED);
    let mut wrong = Vec::new();
    for (who, phases) in [
        ("ada", "examples,coverage,fuzzing,stateful"),
        ("mia", "examples,coverage"),
        ("sol", "examples,coverage"),
    ] {
        wrong.extend(
            examine(&world, who, phases)
                .await
                .err()
                .map(|said| format!("as {who}:\n{said}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    counts(&world).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_for_anyone_signed_in_and_says_where_it_holds() {
    let world = World::open().await;
    let answer = world.client("eve").get(&format!("{PORTAL}/v1/openapi.json")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.1");
    assert_eq!(document["servers"], json!([{ "url": format!("{PORTAL}/v1") }]));
    let stranger = world.stranger().get(&format!("{PORTAL}/v1/openapi.json")).await;
    assert_eq!(stranger.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.close().await;
}

/// The rows of README's table of problem types: the end of the type, and the statuses.
fn described() -> Vec<(String, Vec<u64>)> {
    let readme = include_str!("../../README.md");
    let table = readme
        .split("## Problem types")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let kind = cells.next()?.trim().trim_end_matches('`').to_owned();
        let statuses = cells.next()?.split(',').map(|status| status.trim().parse().unwrap());
        Some((kind, statuses.collect()))
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_problem_that_the_document_names_is_in_the_table_with_its_status() {
    let world = World::open().await;
    let document = world
        .client("eve")
        .get(&format!("{PORTAL}/v1/openapi.json"))
        .await
        .json();
    let described = described();
    let mut named = 0;
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values().filter(|one| one.is_object()) {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let kinds = &response["content"]["application/problem+json"]["schema"]["properties"]["type"]["enum"];
                for kind in kinds.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    let kind = kind.rsplit('/').next().unwrap();
                    let faults = ["bad-request", "client-timeout", "permission-ended"];
                    let row = described.iter().find(|(one, _)| one == kind);
                    let fits = row.is_some_and(|(_, all)| all.contains(&status.parse().unwrap()));
                    assert!(fits || faults.contains(&kind), "{kind} with {status} is not in README");
                    named += 1;
                }
            }
        }
    }
    assert!(named > 100, "{named}");
    world.close().await;
}
