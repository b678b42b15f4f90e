//! The README's five minutes, run as they are written: each line does what stands below it.

use std::path::Path;

use regex::Regex;

use crate::gate::Demo;
use crate::programs::{WAYLEAVE, command, run};

/// What stands between the outputs of two commands.
const NEXT: char = '\u{1}';

/// A command of the tour, and what the README says that it prints.
struct Step {
    command: String,
    shown: String,
}

/// The lines that prepare a shell, and what is typed there.
fn five_minutes() -> (String, Vec<Step>) {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Five minutes\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut blocks = section.split("```").skip(1).step_by(2).map(str::trim);
    let prepares = blocks.next().unwrap().to_owned();
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ ") {
            let (command, shown) = (command.to_owned(), String::new());
            steps.push(Step { command, shown });
        } else {
            let step = steps.last_mut().expect("a block begins with a command");
            step.shown.push_str(line);
        }
    }
    (prepares, steps)
}

/// A text without its layout, and without what differs from run to run.
fn bare(text: &str) -> String {
    let mut text = text.to_owned();
    for (differs, put) in [
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
        (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\b\d+ (ms\b|B down\b)", "N $1"),
        (r"\blines: \d+", "lines: N"),
        (r"\s+", ""),
    ] {
        text = Regex::new(differs).unwrap().replace_all(&text, put).into_owned();
    }
    text
}

/// Whether a command printed what is shown, where `…` stands for anything.
fn is_shown(printed: &str, shown: &str) -> bool {
    let parts: Vec<String> = shown.split('…').map(|part| regex::escape(&bare(part))).collect();
    let pattern = format!("(?s)^{}$", parts.join(".*"));
    Regex::new(&pattern).unwrap().is_match(&bare(printed))
}

/// Puts what this demo printed in the place of what the README's did.
fn as_printed(prepares: &str, demo: &Demo) -> String {
    let folder = Path::new(WAYLEAVE).parent().unwrap();
    let password = &demo.ready.people[0].password;
    let mut lines = prepares.to_owned();
    for (shown, here) in [
        (r"PW=\S+", format!("PW={password}")),
        (
            r"CA=/tmp/\S+/wayleave-root\.pem",
            format!("CA={}", demo.ready.ca.display()),
        ),
        (r"\$PWD/target/release", folder.display().to_string()),
    ] {
        let shown = Regex::new(shown).unwrap();
        assert_eq!(shown.find_iter(&lines).count(), 1, "{shown}: {lines}");
        lines = shown.replace(&lines, regex::NoExpand(&here)).into_owned();
    }
    lines
}

#[tokio::test]
async fn the_five_minutes_of_the_readme_print_what_stands_there() {
    let (prepares, steps) = five_minutes();
    assert!(steps.len() >= 12, "{}", steps.len());
    // when it was written: what is offered depends on the hour
    let demo = Demo::with(&["--port-base", "0", "--at", "2026-11-22T23:35:50Z"]).await;
    let typed = steps.iter().map(|step| format!("printf '{NEXT}'\n{}\n", step.command));
    let typed = typed.collect::<Vec<_>>().concat();
    let mut script = format!("exec 2>&1\n{}\n{typed}", as_printed(&prepares, &demo));
    for (usual, here) in [
        ("127.0.0.1:3128", demo.ready.proxy.strip_prefix("http://").unwrap()),
        ("127.0.0.1:9128", demo.ready.admin.strip_prefix("http://").unwrap()),
    ] {
        assert!(script.contains(usual), "{usual}: {script}");
        script = script.replace(usual, here);
    }
    let home = tempfile::tempdir().unwrap();
    let mut shell = command("/bin/bash");
    shell
        .args(["--norc", "-c", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HOME", home.path());
    let printed = run(&mut shell).await.ends_with(0);
    let printed: Vec<&str> = printed.split(NEXT).skip(1).collect();
    assert_eq!(printed.len(), steps.len(), "{printed:#?}");
    for (step, printed) in steps.iter().zip(printed) {
        let Step { command, shown } = step;
        assert!(
            is_shown(printed, shown),
            "$ {command}\n{printed}\n--- the README shows\n{shown}"
        );
    }
    demo.stop().await;
}

#[test]
fn what_is_not_shown_is_noticed() {
    assert!(is_shown("{\"a\":1,\n\"b\":2} 12 ms", "{\"a\":1, … 7 ms"));
    for (printed, shown) in [("200", "403"), ("200", ""), ("", "200"), ("200\n200", "200")] {
        assert!(!is_shown(printed, shown), "{printed} {shown}");
    }
}
