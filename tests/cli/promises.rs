//! Every shipped property, broken: its counterexample as a case fails where it is broken, and passes on the shipped rules.

use std::collections::BTreeSet;

use regex::Regex;

use super::desk::Desk;

/// Rules that each keep some property.
const GUARDS: [(&str, &str); 10] = [
    ("10-reach", "connect.not-at-work"),
    ("10-reach", "inspect.never"),
    ("30-guardrails", "guard.scope"),
    ("30-guardrails", "guard.training"),
    ("30-guardrails", "guard.interns-never-publish"),
    ("30-guardrails", "guard.guest-network"),
    ("40-portal", "approve.never-own"),
    ("40-portal", "approve.never-for-who-asks"),
    ("40-portal", "token.never-by-token"),
    ("50-break-glass", "break-glass.never-contractors"),
];

/// Conditions that do, and what they are changed to.
const CONDITIONS: [(&str, &str, &str); 9] = [
    (
        "10-reach",
        "resource in Category::\"evasion\");",
        "resource in Category::\"evasion\") when { context has purpose };",
    ),
    (
        "20-purposes",
        "].contains(context.purpose.kind) && context.purpose has approvedBy && context.purpose.approvedBy != principal",
        "].contains(context.purpose.kind)",
    ),
    (
        "20-purposes",
        "context.local.weekday <= 5",
        "context.local.weekday <= 6",
    ),
    (
        "40-portal",
        "resource) when { resource.declarer == principal }; @id(\"declare.channels\")",
        "resource);\n\n@id(\"declare.channels\")",
    ),
    (
        "30-guardrails",
        "!context.purpose.covers.contains(\"publish\")",
        "!context.purpose.covers.contains(\"publish\") && !(resource in Category::\"social-media\")",
    ),
    ("40-portal", "duration(\"14d\")", "duration(\"15d\")"),
    ("40-portal", "duration(\"90d\")", "duration(\"91d\")"),
    (
        "50-break-glass",
        "resource.declarer == principal && resource.maxDuration <= duration(\"1h\") &&",
        "resource.maxDuration <= duration(\"2h\") &&",
    ),
    (
        "50-break-glass",
        "declaredAt.offset(duration(\"1h\"))",
        "declaredAt.offset(if resource in Category::\"social-media\" then duration(\"2h\") else duration(\"1h\"))",
    ),
];

/// Rules that break some.
const MORE: [&str; 15] = [
    "permit (principal, action == Action::\"connect\", resource in Category::\"dating\") when { context has purpose };",
    "permit (principal, action == Action::\"connect\", resource in Category::\"evasion\");",
    "permit (principal, action == Action::\"inspect\", resource in Category::\"sensitive\");",
    "permit (principal, action in [Action::\"read\", Action::\"post\"], resource in Category::\"social-media\") when { context has purpose && context.purpose.kind == PurposeKind::\"market-research\" };",
    "permit (principal in Role::\"staff\", action == Action::\"sell\", resource in Category::\"social-media\") unless { context has purpose };",
    "forbid (principal, action == Action::\"connect\", resource) when { context.client.network == \"guest\" } unless { resource.classified };",
    "permit (principal in Role::\"staff\", action == Action::\"declare\", resource) when { context.channel == \"header\" };",
    "permit (principal in Role::\"staff\", action == Action::\"approve\", resource) when { resource.maxDuration <= duration(\"14d\") };",
    "permit (principal in Role::\"manager\", action == Action::\"see-value\", resource);",
    "permit (principal in Role::\"manager\", action == Action::\"see-decisions\", resource);",
    "permit (principal in Role::\"manager\", action == Action::\"give-delegation\", resource);",
    "permit (principal in Role::\"manager\", action == Action::\"revoke\", resource);",
    "permit (principal, action == Action::\"make-token\", resource);",
    "permit (principal, action == Action::\"give-delegation\", resource);",
    "permit (principal in Role::\"tool\", action == Action::\"break-glass\", resource);",
];

/// A folder in which no property holds.
fn broken() -> Desk {
    let desk = Desk::with_policies();
    let file = |name: &str| format!("policies/rules/{name}.cedar");
    for (name, from, to) in CONDITIONS {
        desk.edit_rule(&file(name), from, to);
    }
    for (name, id) in GUARDS.into_iter().chain([("40-portal", "declare.channels")]) {
        let rule = Regex::new(&format!(r#"(?s)@id\("{}"\).*?\n(?:.*?;\n)"#, regex::escape(id))).unwrap();
        let text = desk.read(&file(name));
        assert!(rule.is_match(&text), "{id}");
        desk.write(&file(name), &rule.replace(&text, ""));
    }
    let more = MORE.iter().enumerate().map(|(number, text)| {
        format!("@id(\"more.{number}\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\n{text}\n")
    });
    desk.write(&file("90-more"), &more.collect::<Vec<_>>().join("\n"));
    desk
}

/// The files that a counterexample comes as, by their names; `number` tells its somebody from others.
fn files(told: &str, number: usize) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in told.lines().filter_map(|line| line.strip_prefix("    ")) {
        match (line.strip_prefix("# "), files.last_mut()) {
            (Some(name), _) => {
                let name = name.replace("somebody", &format!("somebody-{number}"));
                files.push((format!("policies/{name}"), String::new()));
            }
            (None, Some((_, text))) => {
                let line = line.replace("\"somebody\"", &format!("\"somebody-{number}\""));
                text.push_str(&line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    files
}

#[test]
fn the_case_of_each_broken_property_fails_where_it_is_broken_and_passes_on_the_shipped_rules() {
    let (broken, sound) = (broken(), Desk::with_policies());
    let names = Regex::new(r#"(?m)^name = "(.*)"$"#).unwrap();
    let mut properties = BTreeSet::new();
    for entry in std::fs::read_dir(broken.path("policies/properties")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        properties.extend(names.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    let only: Vec<String> = properties.iter().map(|name| format!("--only {name}")).collect();
    let line = format!("wayleave prove policies --no-cache {}", only.join(" "));
    let output = broken.command(&line).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let mut failed = BTreeSet::new();
    for (number, told) in told.split("FAILED     ").skip(1).enumerate() {
        let (name, _) = told.split_once(':').unwrap();
        let cases = told.split_once("`wayleave test` fails today:\n");
        let (_, cases) = cases.unwrap_or_else(|| panic!("{told}"));
        for (name, text) in files(cases, number) {
            broken.write(&name, &text);
            sound.write(&name, &text);
        }
        failed.insert(name.to_owned());
    }
    assert_eq!(failed, properties, "{told}");
    let came = broken.types("wayleave test policies");
    for name in &properties {
        assert!(came.contains(&format!("keeps the property {name}")), "{came}");
    }
    let came = sound.types("wayleave test policies");
    assert!(came.starts_with("exit 0\n"), "{came}");
}

/// What `prove` says of one more property, on rules that are right but for it.
fn told(when: &str) -> String {
    of_property(&Desk::with_policies(), "post", when)
}

fn of_property(desk: &Desk, action: &str, when: &str) -> String {
    desk.write(
        "policies/properties/mine.toml",
        &format!(
            "[[property]]\nname = \"mine\"\nowner = \"HR\"\nsentence = \"S.\"\nnever = {{ actions = [\"{action}\"], when = '{when}' }}\n"
        ),
    );
    let told = desk.types("wayleave prove policies --no-cache --only mine");
    let facts = ["with ", "ticket", "declared", "expires", "to =", "headers", "no case"];
    let lines = told.lines().map(str::trim);
    let lines = lines.filter(|line| facts.iter().any(|fact| line.starts_with(fact)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_counterexample_says_what_the_violation_hangs_on_in_words_and_as_a_case() {
    let of_grant = |what: &str| told(&format!("context has purpose && {what}"));
    insta::assert_snapshot!(of_grant("context.purpose has ticket && context.purpose.ticket == \"HR-666\""), @r#"
    with   context.purpose.ticket = HR-666
    to = "https://glassdoor.ca/"
    ticket = "HR-666"
    "#);
    insta::assert_snapshot!(of_grant("!(context.purpose has ticket)"), @r#"
    with   no context.purpose.ticket
    to = "https://glassdoor.ca/"
    "#);
    insta::assert_snapshot!(of_grant("context.purpose.expiresAt > context.now.offset(duration(\"8h\"))"), @r#"
    with   context.purpose.expiresAt = [time]
    to = "https://glassdoor.ca/"
    expires = [time]
    "#);
    insta::assert_snapshot!(
        of_grant("context.request.path like \"/in/*\" && context.request.bytes > 1000 && context.request has contentType"),
        @r#"
    with   context.request.bytes = 4000000
    with   context.request.contentType = text/plain
    with   context.request.path = /in/
    to = "https://glassdoor.ca/in/"
    headers = { Content-Type = "text/plain", Content-Length = "4000000" }
    "#
    );
}

#[test]
fn where_no_case_says_what_a_violation_hangs_on_that_is_told_instead() {
    insta::assert_snapshot!(told("context.client.ip.isInRange(ip(\"10.0.0.0/8\"))"), @"
    with   context.client.ip = 10.255.255.255/32
    no case could be made of it: no case says `context.client.ip` = 10.255.255.255/32
    ");
}

#[test]
fn where_the_property_leaves_open_what_is_not_under_a_purpose_no_case_asks_for_more() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(of_property(&desk, "connect", "context has purpose && resource in Category::\"sensitive\""), @"no case could be made of it: without its purpose it passes, too, and of that the property says nothing");
}

#[test]
fn of_an_emergency_that_lasts_too_long_it_is_told_when_it_was_declared() {
    let desk = Desk::with_policies();
    let rules = "policies/rules/50-break-glass.cedar";
    desk.edit_rule(
        rules,
        "declaredAt.offset(duration(\"1h\"))",
        "declaredAt.offset(duration(\"2h\"))",
    );
    let told = desk.types("wayleave prove policies --no-cache --only an-emergency-is-over-after-an-hour");
    assert!(told.contains("with   context.purpose.declaredAt = [time]\n"), "{told}");
    assert!(told.contains("\n    declared = [time]\n"), "{told}");
}

const UNREAD_ON_QUORA: &str = "@id(\"more\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\nforbid (principal, action == \
                               Action::\"inspect\", resource in Platform::\"quora\");\n";

/// What `prove` says of interns on rules that read nothing on one platform, and one property more.
fn of_interns(more: &str) -> (Desk, String) {
    let desk = Desk::with_policies();
    desk.write("policies/rules/90-more.cedar", UNREAD_ON_QUORA);
    desk.write("policies/properties/mine.toml", more);
    let told = desk.types("wayleave prove policies --no-cache --only interns-never-publish");
    (desk, told)
}

#[test]
fn who_is_not_read_may_do_what_is_never_allowed_and_that_breaks_the_promise() {
    let (desk, told) = of_interns("");
    for said in [
        "exit 1\n",
        "FAILED     interns-never-publish: ",
        "does   anything, unread\n",
        "the property: not reached, or read by `interns-never-publish`",
        "the engine: reaching the host is allowed by `connect.social` (rules/10-reach.cedar:",
        "reading it is denied by `more` (rules/90-more.cedar:1)",
        "to = \"quora.com:443\"",
        "inspect = true",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    // with its times
    let line = "wayleave prove policies --no-cache --only interns-never-publish";
    let told = String::from_utf8(desk.command(line).output().unwrap().stdout).unwrap();
    let (_, cases) = told.split_once("`wayleave test` fails today:\n").unwrap();
    let sound = Desk::with_policies();
    for (name, text) in files(cases, 0) {
        desk.write(&name, &text);
        sound.write(&name, &text);
    }
    let came = desk.types("wayleave test policies");
    assert!(came.contains("FAIL cases/somebody-0.toml"), "{came}");
    let came = sound.types("wayleave test policies");
    assert!(came.starts_with("exit 0\n"), "{came}");
}

#[test]
fn a_promise_says_what_it_leaves_open_where_nothing_is_read() {
    let private = "[[property]]\nname = \"quora-is-private\"\nowner = \"legal\"\nsentence = \"S.\"\nnever = { actions = \
                   [\"inspect\"], when = 'resource in Platform::\"quora\"' }\n";
    let (_, told) = of_interns(private);
    assert!(told.contains("proved     interns-never-publish: "), "{told}");

    let desk = Desk::with_policies();
    let unread = "[[property]]\nname = \"mine\"\nowner = \"HR\"\nsentence = \"Interns never post.\"\nunread = \"Hosts that nobody \
                  manages aside.\"\nnever = { actions = [\"post\"], when = 'principal.employment == Employment::\"intern\" && \
                  (resource in Category::\"social-media\" || context.request.path like \"/x/*\" && resource in \
                  Category::\"internal-collaboration\")' }\n";
    desk.write("policies/properties/mine.toml", unread);
    let told = desk.types("wayleave prove policies --no-cache --only mine");
    let proved = "proved     mine: Interns never post. Hosts that nobody manages aside.\n";
    assert!(told.contains(proved), "{told}");
    let silent = desk.read("policies/properties/mine.toml");
    desk.write(
        "policies/properties/mine.toml",
        &silent.replace("unread = \"Hosts that nobody manages aside.\"\n", ""),
    );
    let told = desk.types("wayleave prove policies --no-cache --only mine");
    assert!(told.contains("does   anything, unread\n"), "{told}");
}

#[test]
fn a_host_and_a_ticket_of_a_counterexample_are_such_as_there_are() {
    let desk = Desk::with_policies();
    desk.write(
        "policies/rules/90-more.cedar",
        "@id(\"more\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\nforbid (principal, action == Action::\"connect\", resource) \
         when { resource.host like \"*.evil.example\" };\n",
    );
    let told = desk.types("wayleave prove policies --no-cache --only the-open-web-stays-open");
    assert!(told.contains("to = \"a.evil.example:443\"\n"), "{told}");
    let desk = Desk::with_policies();
    desk.edit_rule(
        "policies/rules/20-purposes.cedar",
        "].contains(context.purpose.kind) && context.purpose has approvedBy && context.purpose.approvedBy != principal",
        "].contains(context.purpose.kind) && context.purpose has ticket",
    );
    let told = desk.types("wayleave prove policies --no-cache --only approval-comes-first");
    assert!(told.contains("ticket = \"T-1\"\n"), "{told}");
}
