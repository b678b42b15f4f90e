//! What the demo prints for people: every line that can be pasted is pasted, and does what the words above it say.

use std::process::Stdio;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::curl;
use crate::gate::assert_nothing_is_left;
use crate::programs::{PATIENCE, WAYLEAVE, command, end, run};

/// The lines of the printed text, once all of it is there.
pub async fn printed(child: &mut Child) -> Vec<String> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut all = Vec::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let last = line.starts_with("Stop with Ctrl-C");
            all.push(line);
            if last {
                break;
            }
        }
    };
    timeout(PATIENCE, read).await.expect("the demo prints its tour");
    child.stdout = Some(lines.into_inner().into_inner());
    all
}

/// What a line of the tour must lead to: a status and a word of the answer, or an exit code and a word of the output.
enum Leads {
    Curl(u16, &'static str),
    Tool(&'static str),
    /// Run elsewhere: a browser.
    Browser,
}

/// In the order of the tour.
const EXPECTED: &[Leads] = &[
    Leads::Curl(200, "stand-in for www.example.org"),
    Leads::Curl(403, "declare recruiting"),
    Leads::Curl(201, "\"state\":\"active\""),
    Leads::Curl(200, "GET /voyager/api/graphql"),
    Leads::Curl(200, "POST /voyager/api/graphql"),
    Leads::Tool("customer-support  x  engage,publish,read  until"),
    Leads::Curl(200, "GET /i/api/graphql/AbC/HomeTimeline"),
    Leads::Curl(200, "POST /i/api/1.1/dm/new2.json"),
    Leads::Curl(403, "An approved purpose is needed to post on X"),
    Leads::Curl(403, "Interns do not publish on social media."),
    Leads::Curl(403, "\"outcome\":\"deny\""),
    Leads::Curl(200, "Hello, Ada"),
    Leads::Browser,
    Leads::Tool("The root certificate is"),
    Leads::Tool("allow    ada post POST"),
    Leads::Tool("deny was decided, as these rules do"),
    Leads::Tool("the records hold"),
    Leads::Curl(200, "# TYPE wayleave_"),
];

#[tokio::test]
async fn every_line_of_the_tour_does_what_it_says() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = command(WAYLEAVE)
        .args(["demo", "--port-base", "0"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = printed(&mut child).await;
    let pasted: Vec<&str> = text
        .iter()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| {
            ["curl ", "chromium ", "/"]
                .iter()
                .any(|program| line.starts_with(program))
        })
        .collect();
    assert_eq!(
        pasted.len(),
        EXPECTED.len(),
        "a line of the tour is not tried: {pasted:#?}"
    );
    let password = text.iter().find_map(|line| {
        line.strip_prefix("People, who all have the password ")?
            .strip_suffix(':')
    });
    let password = password.expect("the password is told");
    let home = tempfile::tempdir().unwrap();
    for (line, leads) in pasted.iter().zip(EXPECTED) {
        match leads {
            Leads::Curl(status, word) => {
                let answer = curl::line(line, home.path()).await;
                assert_eq!(answer.status, *status, "{line}\n{answer:#?}");
                assert!(answer.body.contains(word), "{word}: {line}\n{answer:#?}");
            }
            Leads::Tool(word) => {
                let said = run(command("/bin/sh").current_dir(home.path()).args(["-c", line])).await;
                assert_eq!(said.code, 0, "{line}\n{said:#?}");
                assert!(said.out.contains(word), "{word}: {line}\n{said:#?}");
            }
            Leads::Browser => crate::story::the_printed_line_opens_the_site(line, password).await,
        }
    }
    let people = ["ada", "ben", "cora", "dan", "eve", "hana"];
    for user in people {
        assert!(
            text.iter().any(|line| line.starts_with(&format!("  {user} "))),
            "{user} is introduced"
        );
    }
    let said = end(child, Signal::INT).await;
    assert_eq!(said.code, 0, "{said:#?}");
    assert_nothing_is_left(temporary.path());
}
