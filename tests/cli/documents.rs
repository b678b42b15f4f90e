//! What the documents say is so: commands, outputs, tables, settings, links, recipes.

use std::fs;
use std::path::Path;

use regex::Regex;
use wayleave::config::File;
use wayleave::metrics::names;

use super::desk::{Desk, shipped};

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "certs/README.md",
    "policies/README.md",
    "policies/catalog/README.md",
];

fn text(name: &str) -> String {
    fs::read_to_string(shipped(name)).unwrap()
}

/// The whole text of the files below `folder` that end in `.rs`.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    all
}

/// The first cells of the table below a heading, without their backticks.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let below = document.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = below.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// Fenced blocks with a `title=`: the file, and its text.
fn recipes(document: &str) -> Vec<(String, String)> {
    let fence = Regex::new(r"(?s)```\w+ title=(\S+)\n(.*?)```").unwrap();
    let found = fence.captures_iter(document);
    found.map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let link = Regex::new(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)").unwrap();
    let mut followed = 0;
    for name in DOCUMENTS {
        let here = shipped(name);
        for found in link.captures_iter(&text(name)) {
            if found[1].starts_with("http") {
                continue;
            }
            let target = if found[1].is_empty() {
                here.clone()
            } else {
                here.parent().unwrap().join(&found[1])
            };
            assert!(target.exists(), "{name}: {}", &found[0]);
            if let Some(anchor) = found.get(2) {
                let wanted = anchor.as_str().replace('-', " ");
                let headings = fs::read_to_string(target).unwrap().to_lowercase();
                assert!(
                    headings
                        .lines()
                        .any(|line| line.trim_start_matches('#').trim() == wanted),
                    "{wanted}"
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 8, "{followed}");
}

#[test]
fn the_table_of_metrics_is_the_one_of_the_code() {
    let said = rows(&text("README.md"), "Metrics");
    let known: Vec<Vec<String>> = names::ALL
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            vec![format!("`{}`", metric.name), labels.join(", "), metric.help.to_owned()]
        })
        .collect();
    assert_eq!(said, known);
}

#[test]
fn every_setting_that_a_document_names_exists() {
    let defaults = toml::Value::try_from(File::default()).unwrap();
    let named =
        Regex::new(r"`(ingress|identity|tls|upstream|proxy|ledger|audit|portal|admin|pac|policies)\.([a-z_]+)`")
            .unwrap();
    let mut found = 0;
    for name in DOCUMENTS {
        for setting in named.captures_iter(&text(name)) {
            assert!(
                defaults[&setting[1]].get(&setting[2]).is_some(),
                "{name}: {}",
                &setting[0]
            );
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn every_field_of_the_records_that_the_readme_names_exists() {
    let facts = sources(&shipped("src/facts"));
    let field = Regex::new(r"`(?:seen|decided|ended)\.([a-z_]+)`").unwrap();
    for found in field.captures_iter(&text("README.md")) {
        assert!(facts.contains(&format!("pub {}:", &found[1])), "{}", &found[0]);
    }
}

#[test]
fn the_problem_types_are_those_of_the_code() {
    let readme = text("README.md");
    let portal = sources(&shipped("src/portal"));
    let table: Vec<String> = rows(&readme, "Problem types")
        .into_iter()
        .map(|row| row[0].replace('`', ""))
        .collect();
    for kind in &table {
        assert!(portal.contains(&format!("\"{kind}\"")), "{kind}");
    }
    let made = Regex::new(r#"(?s)Problem::new\(\s*(?:StatusCode::\w+|status),\s*"([a-z-]+)""#).unwrap();
    let refusals = Regex::new(r#"Self::\w+ => "([a-z]+(?:-[a-z]+)+)""#).unwrap();
    let kinds = made
        .captures_iter(&portal)
        .chain(refusals.captures_iter(&portal))
        .map(|found| found[1].to_owned());
    let missing: Vec<String> = kinds.filter(|kind| !table.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let facts = text("src/facts/ending.rs");
    for fault in refusals.captures_iter(&facts) {
        // these never reach anybody: nobody is left to tell
        if !["client-gone", "client-tls"].contains(&&fault[1]) {
            assert!(readme.contains(&format!("`{}`", &fault[1])), "{}", &fault[1]);
        }
    }
}

#[test]
fn the_problem_types_come_with_the_statuses_that_the_readme_names() {
    let readme = text("README.md");
    let portal = sources(&shipped("src/portal"));
    let beside = Regex::new(r#"StatusCode::([A-Z_]+),\s*"([a-z]+(?:-[a-z]+)+)""#).unwrap();
    let apart = Regex::new(r#"status = StatusCode::([A-Z_]+);[^;]*?status, "([a-z-]+)""#).unwrap();
    let earlier = Regex::new(r#"status = StatusCode::([A-Z_]+);\s*\(status, "([a-z-]+)""#).unwrap();
    let all = [&beside, &apart, &earlier];
    let mut compared = 0;
    for found in all.iter().flat_map(|way| way.captures_iter(&portal)) {
        let named = (100..600).filter_map(|code| http::StatusCode::from_u16(code).ok());
        let mut named = named.filter_map(|code| Some((code, code.canonical_reason()?)));
        let spelt = found[1].replace('_', " ");
        let (code, _) = named.find(|(_, reason)| reason.to_uppercase() == spelt).unwrap();
        let rows = rows(&readme, "Problem types");
        let row = rows.iter().find(|row| row[0] == format!("`{}`", &found[2]));
        let row = row.unwrap_or_else(|| panic!("`{}` is not in the table", &found[2]));
        assert!(row[1].contains(code.as_str()), "{} comes with {code}", &found[2]);
        compared += 1;
    }
    assert!(compared >= 12, "{compared}");
}

#[test]
fn every_command_that_a_document_names_exists() {
    let desk = Desk::empty();
    let named =
        Regex::new(r"(?:`|\n\$ |\| )wayleave ([a-z]+(?:-[a-z]+)*)((?: [a-z][a-z-]*)?)((?: --[a-z-]+)*)").unwrap();
    let mut asked = std::collections::BTreeSet::new();
    for name in DOCUMENTS {
        let text = text(name);
        asked.extend(named.captures_iter(&text).map(|found| {
            let nested = ["user", "ca", "records", "token"].contains(&&found[1]);
            (
                format!("{}{}", &found[1], if nested { &found[2] } else { "" }),
                found[3].to_owned(),
            )
        }));
    }
    for (command, options) in &asked {
        let help = desk.types(&format!("wayleave {command} --help"));
        assert!(help.starts_with("exit 0"), "wayleave {command}: {help}");
        for option in options.split_whitespace() {
            assert!(help.contains(option), "wayleave {command} {option}");
        }
    }
    assert!(asked.len() > 12, "{asked:?}");
}

#[test]
fn the_explanation_of_the_tour_is_what_the_command_says() {
    let desk = Desk::empty();
    let readme = text("README.md");
    let block = readme
        .split("```")
        .find(|block| block.contains("$ wayleave explain"))
        .unwrap();
    let (line, shown) = block.trim().trim_start_matches("$ ").split_once('\n').unwrap();
    let shown = shown.trim_end_matches('…').trim();
    let told = desk.types(line);
    assert!(told.starts_with(&format!("exit 0\n--- stdout\n{shown}")), "{told}");
}

#[test]
fn the_lines_of_the_installation_work_in_their_order() {
    let desk = Desk::with_policies();
    let readme = text("README.md");
    let block = readme
        .split("```")
        .find(|block| block.contains("wayleave ca init"))
        .unwrap();
    let lines: Vec<&str> = block.lines().filter(|line| line.starts_with("wayleave ")).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        let line = line.split("     ").next().unwrap().split('#').next().unwrap().trim();
        // the gateway itself runs in other tests, on ports that are free
        if line != "wayleave run" {
            let told = desk.types(&format!("echo 'correct horse battery' | {line}"));
            assert!(told.starts_with("exit 0"), "{line}: {told}");
        }
    }
    assert!(desk.read("proxy.pac").contains("FindProxyForURL"));
}

/// The command lines of a CI recipe that begin with one of these.
fn steps(recipe: &str, commands: &[&str]) -> Vec<String> {
    let lines = recipe
        .lines()
        .map(|line| line.trim_start_matches([' ', '-']).trim_start_matches("run: "));
    let known = |line: &&str| {
        commands
            .iter()
            .any(|command| line.starts_with(&format!("wayleave {command} ")))
    };
    // what failed is remembered, and told at the end
    let alone = |line: &str| line.trim_end_matches(" || failed=1").to_owned();
    lines.filter(known).map(alone).collect()
}

#[test]
fn the_recipes_for_pull_requests_pass_for_the_shipped_policies_and_fail_for_a_mistake() {
    for (name, owners) in [
        ("deploy/ci/github.yml", ".github/CODEOWNERS"),
        ("deploy/ci/gitlab.yml", "CODEOWNERS"),
    ] {
        let desk = Desk::with_policies();
        let recipe = text(name);
        for command in ["check", "fmt", "test", "prove", "owners", "diff"] {
            assert_eq!(steps(&recipe, &[command]).len(), 1, "{name}: {command}");
        }
        let mut lines = steps(&recipe, &["check", "fmt", "owners"]);
        let compares = lines.pop().unwrap();
        let own = compares.split(" | ").next().unwrap();
        // whose the rest of a repository is, is said above
        let whole = format!("mkdir -p .github && (echo '/src/ @acme/developers'; echo; {own}) > {owners}");
        assert!(desk.types(&whole).starts_with("exit 0\n"));
        let mut above = recipe.lines().map(|line| line.trim_start_matches([' ', '-']));
        let cut = above.find(|line| line.starts_with("sed ")).unwrap_or("true");
        lines.push(format!("{cut}\n{compares}"));
        for line in &lines {
            let told = desk.types(line);
            assert!(told.starts_with("exit 0"), "{line}: {told}");
        }
        // the changes that cases must notice are tried elsewhere
        let test = steps(&recipe, &["test"]).remove(0).replace(" --mutate", "");
        assert!(desk.types(&test).starts_with("exit 0"), "{test}");
        assert!(desk.read("policies.xml").starts_with("<?xml"));
        desk.write(
            "policies/rules/50-mine.cedar",
            "@id(\"mine\") @reason(\"Mine.\") @owner(\"sales\") permit (principal, action, resource in Role::\"x\");\n",
        );
        for line in lines.iter().chain([&test]) {
            let told = desk.types(line);
            assert!(told.starts_with("exit 1"), "{line}: {told}");
        }
    }
}

/// What a runner would hand to a shell of the step that comments.
fn commenting(recipe: &str) -> String {
    let below = |head: &str, indent: &str| -> Vec<String> {
        let lines = recipe.split_once(head).unwrap().1.lines().skip(1);
        let lines = lines.map_while(|line| line.strip_prefix(indent));
        lines.map(str::to_owned).collect()
    };
    if recipe.contains("after_script:") {
        let lines = below("after_script:", "    ").join("\n");
        let lines = lines.replace("- >-\n  ", "- ").replace("\n  ", " ");
        return lines.replace("\n- ", "\n").trim_start_matches("- ").to_owned();
    }
    let step = recipe.split_once("- name: What changes, in plain words").unwrap().1;
    let (_, script) = step.split_once("run: |\n").unwrap();
    let lines = script.lines().map_while(|line| line.strip_prefix("          "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_recipes_comment_whatever_comes_of_the_comparison_each_time_they_run() {
    for (name, program) in [("deploy/ci/github.yml", "gh"), ("deploy/ci/gitlab.yml", "curl")] {
        let desk = Desk::with_policies();
        let git = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main";
        let line = format!("{git} init -q && {git} add policies && {git} commit -q -m old");
        assert_eq!(desk.types(&line), "exit 0\n");
        assert_eq!(desk.types("git update-ref refs/remotes/origin/main HEAD"), "exit 0\n");
        // a service that takes what the last argument, or `body@`, names
        desk.write(
            &format!("bin/{program}"),
            "#!/bin/sh\nfor last; do case $last in body@*) file=${last#body@} ;; esac; done\ncat \"${file:-$last}\" >> posted\n",
        );
        desk.write("step", &commenting(&text(name)));
        let environment = "GH_TOKEN=t COMMENT_TOKEN=t REQUEST=1 GITHUB_BASE_REF=main \
                           CI_MERGE_REQUEST_DIFF_BASE_SHA=origin/main CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main";
        let runs = |step: &str| {
            let told = desk.types(&format!(
                "chmod +x bin/* && PATH=$PWD/bin:$PATH {environment} bash -e -o pipefail {step}"
            ));
            assert!(told.starts_with("exit 0\n"), "{name}: {told}");
        };
        let commit = format!("{git} commit -q -a -m new");
        desk.edit_rule("policies/rules/40-portal.cedar", "\"14d\"", "\"15d\"");
        assert_eq!(desk.types(&commit), "exit 0\n");
        runs("step");
        desk.edit("policies/rules/40-portal.cedar", "Role::\"tool\"", "Role::\"toll\"");
        assert_eq!(desk.types(&commit), "exit 0\n");
        runs("step");
        let posted = desk.read("posted");
        assert_eq!(posted.matches("```text\n").count(), 2, "{posted}");
        assert_eq!(posted.matches("newly allowed").count(), 1, "{posted}");
        assert_eq!(posted.matches("did you mean `tool`?").count(), 1, "{posted}");
        if program == "gh" {
            // who comes from a fork may not comment; what changes stands in the log
            assert!(
                text(name).contains("FORK: ${{ github.event.pull_request.head.repo.full_name != github.repository }}")
            );
            let told = desk.types(&format!(
                "PATH=$PWD/bin:$PATH {environment} FORK=true bash -e -o pipefail step"
            ));
            assert!(
                told.starts_with("exit 0\n") && told.contains("did you mean `tool`?"),
                "{told}"
            );
            assert_eq!(desk.read("posted"), posted);
        }
    }
}

#[test]
fn the_recipe_for_github_installs_all_that_it_runs() {
    let recipe = text("deploy/ci/github.yml");
    let at = |what: &str| recipe.find(what).unwrap_or_else(|| panic!("no {what}"));
    let first = at("run: wayleave check");
    assert!(at("cargo install --locked --git ") < first);
    assert!(at("apt-get install --yes cvc5") < first);
}

#[test]
fn the_schema_is_called_as_editors_look_for_it() {
    let folder = shipped("policies");
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let schemas: Vec<String> = names.filter(|name| name.ends_with(".cedarschema")).collect();
    assert_eq!(schemas, ["wayleave.cedarschema"]);
}

#[test]
fn the_lines_of_the_five_minutes_work_in_their_order() {
    let desk = Desk::with_policies();
    let document = text("policies/README.md");
    for (file, text) in recipes(&document).iter().take(2) {
        desk.write(&format!("policies/{file}"), text);
    }
    let block = document
        .split("**Try it**")
        .nth(1)
        .unwrap()
        .split("```")
        .nth(1)
        .unwrap();
    let lines = block.lines().filter(|line| line.starts_with("wayleave "));
    let lines: Vec<&str> = lines
        .map(|line| line.split(" # ").next().unwrap().split("    ").next().unwrap().trim())
        .collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    for line in lines {
        let told = desk.types(line);
        assert!(told.starts_with("exit 0"), "{line}: {told}");
        assert!(!told.contains("⚠") && !told.contains(" failed: "), "{line}: {told}");
    }
    assert_eq!(
        desk.types("wayleave fmt policies --check"),
        "exit 0\n",
        "the rule of the recipe is laid out"
    );
    let told = desk.types("wayleave matrix --role recruiter --platform linkedin");
    assert!(told.contains("share"), "{told}");
}

#[test]
fn the_recipes_of_the_rules_are_sound_together_and_do_what_they_say() {
    let desk = Desk::with_policies();
    let recipes = recipes(&text("policies/README.md"));
    assert!(recipes.len() >= 8, "{}", recipes.len());
    for (file, text) in &recipes {
        desk.write(&format!("policies/{file}"), text);
    }
    let told = desk.types("wayleave check");
    assert!(told.starts_with("exit 0"), "{told}");
    // not every recipe comes with cases; nothing else is to be said of them
    assert_eq!(
        told.matches("  ⚠ ").count(),
        told.matches("wayleave::policy::unreached").count(),
        "{told}"
    );
    let at = "--at 2026-11-24T10:00:00Z";
    for (line, wanted) in [
        (
            "--as ada --to https://www.linkedin.com/shareArticle --purpose recruiting",
            "allow: ada may share on www.linkedin.com",
        ),
        (
            "--as zoe --to https://www.linkedin.com/ --purpose recruiting",
            "allow: zoe may browse",
        ),
        (
            "--as zoe --to https://www.newsite.example/api/posts --method POST",
            "deny: zoe may not post on www.newsite.example (newsite)",
        ),
        ("--as dan --to www.google.com:443", "the gateway reads this flow"),
        (
            "--as dan --to https://docs.google.com/document/u/0/create",
            "allow: dan may ",
        ),
        ("--as dan --to www.example.org:443", "the gateway reads this flow"),
        ("--as dan --to www.ing.com:443", "the gateway does not read this flow"),
        (
            "--as dan --to https://social.corp.example/api/v1/statuses --method POST",
            "dan may not post on social.corp.example (mastodon)",
        ),
    ] {
        let told = desk.types(&format!("wayleave explain {line} {at}"));
        assert!(told.contains(wanted), "{line}\n{told}");
    }
}

#[cfg(feature = "prove")]
#[test]
fn the_five_minutes_and_every_recipe_behind_them_pass_their_cases_and_keep_what_is_proved() {
    let desk = Desk::with_policies();
    let document = text("policies/README.md");
    let line = Regex::new(r"Then `(wayleave prove [a-z]+)`").unwrap();
    let prove = format!("XDG_CACHE_HOME=cache {}", &line.captures(&document).unwrap()[1]);
    let recipes = recipes(&document);
    let (walk, others) = recipes.split_at(2);
    for some in [walk, others] {
        for (file, text) in some {
            desk.write(&format!("policies/{file}"), text);
        }
        assert_eq!(desk.types("wayleave fmt policies --check"), "exit 0\n");
        for line in ["wayleave test policies", &prove] {
            let told = desk.types(line);
            assert!(
                told.starts_with("exit 0\n") && told.contains(" 0 failed"),
                "{line}: {told}"
            );
        }
    }
}

#[test]
fn the_readme_begins_with_what_it_is_a_picture_the_two_commands_and_the_tour() {
    let readme = text("README.md");
    let at = |what: &str| readme.find(what).unwrap_or_else(|| panic!("no {what}"));
    let tour = at("\n## Five minutes\n");
    let parts = [
        at("# wayleave\n"),
        at("is a forward proxy"),
        at("browser, curl, a tool\n    │"),
        at("\ncargo run --release -- demo "),
        at("\ntests/run "),
        tour,
    ];
    assert!(parts.is_sorted(), "{parts:?}");
    let headings: Vec<&str> = readme.lines().filter(|line| line.starts_with("## ")).take(2).collect();
    assert_eq!(headings, ["## Try it", "## Five minutes"]);
}

#[test]
fn the_licence_is_apache_2_0_and_what_is_built_with_is_pinned() {
    let package: toml::Table = text("Cargo.toml").parse().unwrap();
    assert_eq!(package["package"]["license"].as_str(), Some("Apache-2.0"));
    assert_eq!(package["package"]["edition"].as_str(), Some("2024"));
    let licence = text("LICENSE");
    assert!(licence.contains("Apache License") && licence.contains("Version 2.0, January 2004"));
    let ignored = fs::read_to_string(shipped(".gitignore")).unwrap_or_default();
    assert!(shipped("Cargo.lock").is_file() && !ignored.contains("Cargo.lock"));
}
