//! What a gateway says on standard error: enough for whoever runs it, and nothing that people would keep to themselves.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::curl::{self, Answer};
use crate::programs::{WAYLEAVE, command, end};
use crate::tour::printed;

/// What people send and nobody else needs to know.
const SECRETS: [&str; 8] = [
    "a-password-that-was-wrong",
    "a-word-in-a-query",
    "a-session-cookie",
    "a-bearer-token",
    "a-draft-of-a-post",
    "a-statement-of-a-purpose",
    "a-field-of-a-form",
    "a-private-header",
];

/// What a demo that logs `filter` (the default, where there is none) says, while people use it in every way.
async fn log(filter: Option<&str>) -> (String, String) {
    let temporary = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("log");
    let mut demo = command(WAYLEAVE);
    demo.args(["demo", "--port-base", "0"]).env("TMPDIR", temporary.path());
    if let Some(filter) = filter {
        demo.env("RUST_LOG", filter);
    }
    // a pipe that nobody empties would stop it
    demo.stdout(Stdio::piped()).stderr(File::create(&file).unwrap());
    let mut child = demo.spawn().unwrap();
    let text = printed(&mut child).await;
    let told = |start: &str| {
        let line = text.iter().find_map(|line| line.strip_prefix(start));
        line.unwrap().trim_end_matches(':').trim().to_owned()
    };
    let (proxy, root) = (told("  proxy "), told("  root "));
    let password = told("People, who all have the password ");
    live(proxy.strip_prefix("http://").unwrap(), &root, &password, home.path()).await;
    let said = end(child, Signal::TERM).await;
    assert_eq!(said.code, 0, "{said:#?}");
    (std::fs::read_to_string(file).unwrap(), password)
}

/// Lets people browse, post, declare, sign in wrongly, and be refused.
async fn live(proxy: &str, root: &str, password: &str, home: &Path) {
    let ask = async |sign_in: &str, status: u16, rest: &str| -> Answer {
        let line = format!("curl -x http://{sign_in}@{proxy} --cacert {root} {rest}");
        let answer = curl::line(&line, home).await;
        assert_eq!(answer.status, status, "{line}\n{answer:#?}");
        answer
    };
    let ada = format!("ada:{password}");
    let grant = r#"{"purpose":"recruiting","platforms":["linkedin"],"statement":"a-statement-of-a-purpose"}"#;
    ask(
        &ada,
        201,
        &format!("--json '{grant}' https://wayleave.internal/v1/grants"),
    )
    .await;
    let fields =
        "-H 'Cookie: li_at=a-session-cookie' -H 'Authorization: Bearer a-bearer-token' -H 'X-Mine: a-private-header'";
    ask(
        &ada,
        200,
        &format!("{fields} 'https://www.linkedin.com/feed/?q=a-word-in-a-query'"),
    )
    .await;
    let share = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
    ask(&ada, 200, &format!("{fields} --http1.1 -d a-draft-of-a-post {share}")).await;
    ask(
        &format!("eve:{password}"),
        403,
        &format!("{fields} -d a-draft-of-a-post {share}"),
    )
    .await;
    let form = "-d 'fb_api_req_friendly_name=X&variables=a-field-of-a-form' https://www.facebook.com/api/graphql/";
    ask(&ada, 403, form).await;
    ask(
        &ada,
        200,
        &format!("{fields} 'http://www.example.org/?q=a-word-in-a-query'"),
    )
    .await;
    ask(
        &ada,
        405,
        &format!("{fields} -X TRACE 'http://www.example.org/?q=a-word-in-a-query'"),
    )
    .await;
    ask("ada:a-password-that-was-wrong", 407, "http://www.example.org/").await;
    answer_wrongly(proxy, root, password, home).await;
}

/// Lets somebody ask for an approval, and their approver mistype the password that an answer takes.
async fn answer_wrongly(proxy: &str, root: &str, password: &str, home: &Path) {
    let ask = async |user: &str, rest: &str| {
        let line = format!("curl -x http://{user}:{password}@{proxy} --cacert {root} {rest}");
        curl::line(&line, home).await
    };
    let request = r#"{"purpose":"brand-publishing","platforms":["x"],"statement":"a-statement-of-a-purpose"}"#;
    let asked = ask(
        "ben",
        &format!("--json '{request}' https://wayleave.internal/v1/grants"),
    )
    .await;
    assert_eq!(asked.status, 202, "{asked:#?}");
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    let approve = format!("--json '{{}}' https://wayleave.internal/v1/grants/{id}/approve");
    let refused = ask("mia", &format!("-u mia:a-password-that-was-wrong {approve}")).await;
    assert_eq!(refused.status, 401, "{refused:#?}");
}

fn assert_discreet(log: &str, password: &str) {
    use base64::Engine as _;
    let basic =
        |user: &str, password: &str| base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let more = [
        password.to_owned(),
        basic("ada", password),
        basic("ada", SECRETS[0]),
        "PRIVATE KEY".to_owned(),
        "$argon2".to_owned(),
    ];
    for secret in SECRETS.iter().map(ToString::to_string).chain(more) {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "`{secret}` is in the log: {line:?}");
    }
}

#[tokio::test]
async fn by_default_the_log_is_quiet_about_what_passes_and_discreet_about_what_does_not() {
    let (log, password) = log(None).await;
    assert_discreet(&log, &password);
    let refused: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("a proof of identity was refused"))
        .collect();
    let [signing_in, answering] = refused[..] else {
        panic!("{log}")
    };
    assert!(signing_in.contains("user=\"ada\""), "{signing_in}");
    for told in ["client=127.0.0.1:", "who=mia", "user=\"mia\"", "the password is wrong"] {
        assert!(answering.contains(told), "{told}: {answering}");
    }
    for level in [" DEBUG ", " TRACE "] {
        assert!(!log.contains(level), "{log}");
    }
    for quiet in ["linkedin", "facebook", "example.org", "eve"] {
        assert!(!log.contains(quiet), "{quiet}: {log}");
    }
}

#[tokio::test]
async fn the_log_tells_what_failed_to_whoever_asks_for_more_and_no_secret_at_any_level() {
    let (log_of_ours, password) = log(Some("wayleave=debug")).await;
    assert_discreet(&log_of_ours, &password);
    assert!(
        log_of_ours.contains("DEBUG") && log_of_ours.contains("refused before judging"),
        "{log_of_ours}"
    );
    let (everything, password) = log(Some("trace")).await;
    assert!(everything.contains(" TRACE "), "the libraries speak, too");
    assert_discreet(&everything, &password);
    let (nothing, _) = log(Some("off")).await;
    assert_eq!(nothing, "");
}
