//! What the recipes for pull requests say in the discussion, to stand-ins of the two services.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use super::desk::{Desk, shipped};

/// A clone in `repo`, on a branch that changes a rule.
fn with_a_change() -> Desk {
    let desk = Desk::with_policies();
    let git = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main";
    let types = |line: &str| {
        let told = desk.types(&line.replace("GIT", git));
        assert!(told.starts_with("exit 0\n"), "{line}: {told}");
    };
    types("mkdir upstream && mv policies upstream && cd upstream && GIT init -q && GIT add . && GIT commit -q -m old");
    types("GIT clone -q upstream repo && cd repo && GIT checkout -q -b longer");
    desk.edit_rule(
        "repo/policies/rules/40-portal.cedar",
        "duration(\"14d\")",
        "duration(\"15d\")",
    );
    types("cd repo && GIT commit -q -a -m new");
    desk
}

fn recipe(name: &str) -> String {
    std::fs::read_to_string(shipped("deploy/ci").join(name)).unwrap()
}

/// The lines of a block that are indented so deep.
fn block<'a>(recipe: &'a str, head: &str, indent: &'a str) -> impl Iterator<Item = &'a str> {
    let (_, block) = recipe.split_once(head).unwrap();
    block.lines().map_while(move |line| line.strip_prefix(indent))
}

/// Runs a script of a recipe in the clone, as a runner does.
fn run(desk: &Desk, script: &str, environment: &str) {
    desk.write("step.sh", script);
    let line = format!("cd repo && PATH=\"$PWD/../bin:$PATH\" {environment} bash -e ../step.sh");
    let told = desk.types(&line);
    assert!(told.starts_with("exit 0\n"), "{told}");
}

#[test]
fn on_github_the_effect_is_the_comment_of_the_pull_request() {
    let desk = with_a_change();
    let gh = "#!/bin/sh\necho \"$GH_TOKEN $*\" > ../asked\nwhile [ $# -gt 1 ]; do\n[ \"$1\" = --body-file ] && cp \"$2\" ../posted\nshift\ndone\n";
    desk.write("bin/gh", gh);
    std::fs::set_permissions(desk.path("bin/gh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let recipe = recipe("github.yml");
    let (_, step) = recipe.split_once("- name: What changes").unwrap();
    let script: Vec<&str> = block(step, "run: |\n", "          ").collect();
    run(
        &desk,
        &script.join("\n"),
        "GH_TOKEN=token REQUEST=17 GITHUB_BASE_REF=main",
    );
    insta::assert_snapshot!(desk.read("asked"), @"token pr comment 17 --edit-last --create-if-none --body-file comment.md");
    insta::assert_snapshot!(desk.plain(&desk.read("posted")), @r#"
    ```text
    newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
      `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
        e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = themselves; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
        origin/main: denied: no rule permits it
        HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
      `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner != principal && resource.declarer.manager == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
        e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = somebody else; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
        origin/main: denied: no rule permits it
        HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
    newly denied: nothing
    otherwise equivalent: proved for every request of another kind
    ```
    "#);
}

#[test]
fn on_gitlab_the_effect_is_a_note_of_the_merge_request() {
    let desk = with_a_change();
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap();
    let heard = thread::spawn(move || hear(&service));
    let recipe = recipe("gitlab.yml");
    let mut script = String::new();
    for line in block(&recipe, "  after_script:\n", "    ") {
        // what is folded goes on behind the line before
        let (before, command) = match line.strip_prefix("- ") {
            Some(">-") => ("\n", ""),
            Some(command) => ("\n", command),
            None => (" ", line.trim()),
        };
        script.extend([before, command]);
    }
    let environment = format!(
        "COMMENT_TOKEN=token CI_API_V4_URL=http://{address}/api/v4 CI_PROJECT_ID=5 CI_MERGE_REQUEST_IID=17 \
         CI_MERGE_REQUEST_DIFF_BASE_SHA=$(git merge-base origin/main HEAD)"
    );
    run(&desk, &script, &environment);
    let (head, body) = heard.join().unwrap();
    assert!(
        head.starts_with("POST /api/v4/projects/5/merge_requests/17/notes HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.to_lowercase().contains("\r\nprivate-token: token\r\n"), "{head}");
    let fields: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].0, "body");
    insta::assert_snapshot!(desk.plain(&fields[0].1), @r#"
    ```text
    newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
      `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
        e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = themselves; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
        before: denied: no rule permits it
        HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
      `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner != principal && resource.declarer.manager == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
        e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = somebody else; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
        before: denied: no rule permits it
        HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
    newly denied: nothing
    otherwise equivalent: proved for every request of another kind
    ```
    "#);
}

/// A stand-in for the program that notes what it is asked, and fails where `fails` is part of it.
fn note_and_fail(desk: &Desk, fails: &str) {
    let script = format!("#!/bin/sh\necho \"$1\" >> ../asked\ncase \"$1\" in {fails}) echo no >&2; exit 1 ;; esac\n");
    desk.write("bin/wayleave", &script);
    std::fs::set_permissions(desk.path("bin/wayleave"), std::fs::Permissions::from_mode(0o755)).unwrap();
    desk.write("asked", "");
    desk.write("repo/CODEOWNERS", "");
    desk.write("repo/.github/CODEOWNERS", "");
}

/// Runs a script in `repo`; whether it succeeds.
fn succeeds(desk: &Desk, script: &str) -> bool {
    desk.write("step.sh", script);
    let told = desk.types("cd repo && PATH=\"$PWD/../bin:$PATH\" bash -e ../step.sh");
    told.starts_with("exit 0\n")
}

const ASKED: &str = "check\nfmt\ntest\nprove\nowners\n";

#[test]
fn on_gitlab_every_command_runs_and_one_that_fails_fails_the_job() {
    let recipe = recipe("gitlab.yml");
    let lines = block(&recipe, "  script:\n", "    ").filter(|line| !line.starts_with('#'));
    let script: Vec<&str> = lines.map(|line| line.strip_prefix("- ").unwrap()).collect();
    for fails in ["none", "check", "fmt", "test", "prove", "owners", "*"] {
        let desk = Desk::empty();
        note_and_fail(&desk, fails);
        assert_eq!(succeeds(&desk, &script.join("\n")), fails == "none", "{fails}");
        assert_eq!(desk.read("asked"), ASKED, "{fails}");
    }
}

#[test]
fn on_github_every_step_runs_though_one_before_it_failed_and_not_without_the_program() {
    let recipe = recipe("github.yml");
    let (_, steps) = recipe.split_once("    steps:\n").unwrap();
    let steps: Vec<&str> = steps.split("      - ").filter(|step| step.contains("run: ")).collect();
    let asks = |step: &&&str| step.contains("wayleave ") && !step.contains("cargo install") && !step.contains("gh pr");
    for fails in ["none", "check", "fmt", "test", "prove", "owners", "*"] {
        let desk = Desk::empty();
        note_and_fail(&desk, fails);
        let mut has_failed = false;
        for step in steps.iter().filter(asks) {
            let condition = step.lines().find_map(|line| line.trim().strip_prefix("if: "));
            // what has no condition of its own runs while nothing has failed
            let runs = match condition {
                None => !has_failed,
                Some(condition) => {
                    assert_eq!(condition, "${{ !cancelled() && steps.install.outcome == 'success' }}");
                    true
                }
            };
            if !runs {
                continue;
            }
            let (_, run) = step.split_once("run: ").unwrap();
            let script = match run.strip_prefix("|\n") {
                Some(_) => block(step, "run: |\n", "          ").collect::<Vec<_>>().join("\n"),
                None => run.lines().next().unwrap().to_owned(),
            };
            has_failed |= !succeeds(&desk, &script);
        }
        assert_eq!(has_failed, fails != "none", "{fails}");
        assert_eq!(desk.read("asked"), ASKED, "{fails}");
    }
    let install = steps.iter().find(|step| step.contains("cargo install")).unwrap();
    assert!(install.contains("        id: install\n"), "{install}");
}

/// Takes one request: its head and its body.
fn hear(service: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = service.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        .unwrap();
    (head, body)
}
