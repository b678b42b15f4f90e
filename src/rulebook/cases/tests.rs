use super::read::{CASE, DEFAULTS, GRANT};
use crate::facts::{PolicyId, SourceText};
use crate::rulebook::{Assembled, CaseReport, CaseResult, Rulebook, Sources};

fn shipped() -> (Sources, Assembled) {
    let sources = Sources::embedded();
    match Rulebook::assemble(&sources) {
        Ok(assembled) => (sources, assembled),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("the shipped rules have problems:\n{}", lines.join("\n"))
        }
    }
}

fn report() -> CaseReport {
    let (sources, assembled) = shipped();
    assembled.rulebook.run_cases(&assembled.directory, &sources.cases)
}

#[test]
fn the_shipped_rules_pass_their_cases() {
    let report = report();
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let failures: Vec<&CaseResult> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(report.passed() >= 100, "{}", report.passed());
}

#[test]
fn every_shipped_rule_is_reached_by_a_case() {
    assert_eq!(report().unreached.into_iter().collect::<Vec<_>>(), [] as [PolicyId; 0]);
}

/// What the cases of one more file come to, as people read it.
fn told(name: &str, text: &str) -> Vec<String> {
    let (_, assembled) = shipped();
    let files = [
        SourceText::new(name, text),
        SourceText::new("cases/entities.json", ENTITIES),
    ];
    let report = assembled.rulebook.run_cases(&assembled.directory, &files);
    let failed = report.failures().flat_map(|result| &result.differences);
    let failed: Vec<String> = failed.map(ToString::to_string).collect();
    let problems = report.problems.iter().map(ToString::to_string);
    problems
        .chain(failed)
        .chain([format!("{} passed", report.passed())])
        .collect()
}

const ENTITIES: &str = r#"[
  { "uid": { "type": "User", "id": "ada" },
    "attrs": { "employment": { "type": "Employment", "id": "employee" }, "region": "eu-west", "timeZone": "UTC", "onLegalHold": false },
    "parents": [{ "type": "Role", "id": "staff" }] },
  { "uid": { "type": "Role", "id": "staff" }, "attrs": {}, "parents": [] },
  { "uid": { "type": "Purpose", "id": "recruiting" },
    "attrs": { "kind": { "type": "PurposeKind", "id": "recruiting" }, "declarer": { "type": "User", "id": "ada" },
               "businessOwner": { "type": "User", "id": "hana" }, "maxDuration": { "fn": "duration", "arg": "8h" } },
    "parents": [] }
]"#;

/// A test as Cedar's command line reads it.
fn declares(channel: &str, decision: &str, reason: &str, entities: &str) -> String {
    format!(
        r#"[
  {{
    "name": "ada declares",
    "request": {{
      "principal": "User::\"ada\"", "action": "Action::\"declare\"", "resource": "Purpose::\"recruiting\"",
      "context": {{
        "now": {{ "fn": "datetime", "arg": "2026-11-24" }}, "channel": "{channel}",
        "local": {{ "time": {{ "fn": "duration", "arg": "9h" }}, "weekday": 2 }},
        "client": {{ "ip": {{ "fn": "ip", "arg": "10.0.0.7" }}, "network": "office" }},
        "proof": {{ "method": "basic", "strong": false }}
      }}
    }},
    "entities": {entities},
    "decision": "{decision}",
    "reason": [{reason}],
    "num_errors": 0
  }}
]"#
    )
}

#[test]
fn tests_of_cedars_own_command_line_run_unchanged() {
    let run = |text: &str| told("cases/cedar.json", text);
    assert_eq!(
        run(&declares("portal", "allow", "\"declare.own\"", ENTITIES)),
        ["1 passed"]
    );
    assert_eq!(
        run(&declares("header", "deny", "\"declare.channels\"", ENTITIES)),
        ["1 passed"]
    );
    assert_eq!(run(&declares("portal", "allow", "", "\"entities.json\"")), ["1 passed"]);
}

#[test]
fn a_test_of_cedars_command_line_is_judged_by_the_rules_in_effect_when_it_is_asked() {
    let mut sources = Sources::embedded();
    let rules = r#"
        @id("trial") @reason("R.") @owner("HR") @expires("2026-11-01")
        permit (principal, action == Action::"declare", resource) when { context.channel == "portal" };
        @id("probation") @reason("R.") @owner("IT") @mode("observe")
        permit (principal, action == Action::"connect", resource is Site);
    "#;
    sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
    let Assembled {
        rulebook, directory, ..
    } = Rulebook::assemble(&sources).unwrap();
    let declares = declares("portal", "allow", "\"trial\"", ENTITIES);
    let connects = declares
        .replace("Action::\\\"declare", "Action::\\\"connect")
        .replace("Purpose::\\\"recruiting", "Site::\\\"www.tinder.com")
        .replace(", \"channel\": \"portal\"", "")
        .replace("\"trial\"", "\"probation\"");
    let now = r#"{ "fn": "datetime", "arg": "2026-11-24" }"#;
    for spelling in [
        now,
        r#""2026-11-24""#,
        r#""2026-11-24T09:30:00Z""#,
        r#"{ "__extn": { "fn": "datetime", "arg": "2026-11-24" } }"#,
    ] {
        let told = |text: &str| {
            let file = SourceText::new("cases/cedar.json", text.replace(now, spelling));
            let report = rulebook.run_cases(&directory, &[file]);
            assert_eq!(report.problems, [], "{spelling}");
            let failed = report.failures().flat_map(|result| &result.differences);
            failed.map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            told(&declares),
            "policies: expected [\"trial\"], came [\"declare.own\"]",
            "{spelling}"
        );
        assert!(told(&connects).contains("came []"), "{spelling}: {}", told(&connects));
    }
}

#[test]
fn a_test_of_cedars_command_line_that_fails_or_cannot_be_read_says_why() {
    let run = |text: &str| told("cases/cedar.json", text);
    assert_eq!(
        run(&declares("header", "allow", "\"declare.own\"", ENTITIES)),
        [
            "outcome: expected \"allow\", came \"deny\"",
            "policies: expected [\"declare.own\"], came [\"declare.channels\"]",
            "0 passed"
        ]
    );
    let bad = run(&declares("portal", "allow", "\"declare.mine\"", ENTITIES));
    assert_eq!(
        bad[0],
        "cases/cedar.json:2:3: there is no rule `declare.mine`; did you mean `declare.own`? (write it as `cedar run-tests` reads it)"
    );
    let bad = run(&declares("portal", "allow", "", "\"nowhere.json\""));
    assert!(bad[0].contains("there is no file `cases/nowhere.json`"), "{bad:?}");
    let bad = run(&declares("portal", "allow", "", ENTITIES).replace("\"weekday\": 2", "\"weekday\": \"2\""));
    assert!(
        bad[0].starts_with("cases/cedar.json:2:3: ") && bad[0].contains("weekday"),
        "{bad:?}"
    );
    let bad = run("[\n  { \"request\": }\n]");
    assert!(bad[0].starts_with("cases/cedar.json:2:16: "), "{bad:?}");
}

#[test]
fn a_case_touches_the_rules_it_meets_and_both_sides_of_a_condition_count() {
    let (_, assembled) = shipped();
    let text = "[defaults]\nat = 2026-11-24T09:30:00Z\n[[case]]\nit = \"x\"\nwho = \"eve\"\nto = \"https://x.com/home\"\ndoes = \"post\"\noutcome = \"deny\"\n";
    let guard = |text: &str| {
        let file = SourceText::new("cases/x.toml", text);
        let (cases, problems) = assembled.rulebook.cases(&assembled.directory, &[file]);
        assert!(problems.is_empty(), "{problems:?}");
        let touched: Vec<_> = cases.iter().map(|case| assembled.rulebook.touched(case)).collect();
        let coverage = assembled.rulebook.coverage(&touched);
        let rule = coverage
            .rules
            .iter()
            .find(|(id, _)| id.as_str() == "guard.interns-never-publish");
        let condition = &rule.unwrap().1[0];
        assert_eq!(condition.text, "principal.employment == Employment::\"intern\"");
        (condition.held, condition.failed)
    };
    assert_eq!(guard(text), (true, false));
    assert_eq!(guard(&text.replace("eve", "ben")), (false, true));
    let both = text
        .replacen("[defaults]\nat = 2026-11-24T09:30:00Z\n", "", 1)
        .replace("eve", "ben");
    assert_eq!(guard(&format!("{text}{both}")), (true, true));
}

#[test]
fn a_case_that_wants_a_refusal_takes_each_but_not_a_permit() {
    let case = |who: &str, to: &str| {
        let setting = "network = \"office\"\nat = 2026-11-24T09:30:00Z\noutcome = \"refused\"\n";
        format!("[[case]]\nit = \"{who} {to}\"\nwho = \"{who}\"\nto = \"{to}\"\ndoes = \"post\"\n{setting}")
    };
    let text: String = [
        case("ada", "https://www.linkedin.com/"), // may declare a purpose
        case("ben", "https://x.com/"),            // may ask for one
        case("dan", "https://x.com/"),            // may do nothing about it
        case("dan", "https://example.org/"),      // is not refused
    ]
    .concat();
    assert_eq!(
        told("cases/refused.toml", &text),
        ["outcome: expected \"refused\", came \"allow\"", "3 passed"]
    );
}

/// One case of these lines.
fn case(lines: &str) -> String {
    format!("[[case]]\nit = \"x\"\nwho = \"ada\"\nat = 2026-11-24T09:30:00Z\n{lines}\n")
}

#[test]
fn a_case_that_names_what_there_is_not_is_told_what_was_meant_and_not_run() {
    let browse = "to = \"https://www.linkedin.com/feed/\"\noutcome = \"allow\"\n";
    for (line, said) in [
        (
            "policies = [\"recruiting.raed\"]",
            "there is no rule `recruiting.raed` (did you mean `recruiting.read`?)",
        ),
        (
            "offers = [\"recruting\"]",
            "there is no purpose `recruting` (did you mean `recruiting`?)",
        ),
        (
            "asks = [\"brows\"]",
            "there is no action `brows` (did you mean `browse`?)",
        ),
        ("does = \"pots\"", "there is no activity `pots` (did you mean `post`?)"),
    ] {
        let told = told("cases/mine.toml", &case(&format!("{browse}{line}")));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with(said) && told[1] == "0 passed", "{told:?}");
    }
}

#[test]
fn a_group_where_an_activity_is_wanted_is_called_one_and_taken_apart() {
    let asked = |line: &str| {
        let to = "to = \"https://www.linkedin.com/feed/\"\noutcome = \"deny\"\n";
        told("cases/mine.toml", &case(&format!("{to}{line}")))
    };
    let said = |group: &str, members: &str| {
        format!(
            "`{group}` is a group of activities, and one activity is wanted (name one of its activities: {members})"
        )
    };
    let read = said("read", "`browse`, `download`, `message-read`, `search`, `view-media`");
    for (line, said) in [
        ("asks = [\"read\"]", read.clone()),
        ("does = \"read\"", read),
        ("asks = [\"passive\"]", said("passive", "`embed`, `telemetry`")),
    ] {
        let told = asked(line);
        assert!(told[0].ends_with(&said) && told[1] == "0 passed", "{said}: {told:?}");
    }
}

#[test]
fn a_case_that_fails_names_what_determined_the_outcome_and_nothing_beside() {
    let (_, assembled) = shipped();
    let because = |lines: &str| {
        let file = SourceText::new("cases/mine.toml", case(lines));
        let report = assembled.rulebook.run_cases(&assembled.directory, &[file]);
        assert_eq!(report.problems, [], "{lines}");
        report.results[0].because.join("; ")
    };
    let post = "to = \"https://www.linkedin.com/voyager/api/contentcreation/normShares\"\nmethod = \"POST\"\n";
    let covers = "purpose = \"recruiting\"\ncovers = [\"read\"]\n";
    for (lines, said) in [
        // what permits the way there, and that the flow is read, refuses nothing
        (
            "to = \"https://www.linkedin.com/shareArticle\"\npurpose = \"recruiting\"\noutcome = \"allow\"".to_owned(),
            "no rule permits it",
        ),
        (
            format!("{post}{covers}outcome = \"allow\""),
            "decided by `guard.scope-publish`: Your declared purpose does not cover publishing.; offered: `recruiting`",
        ),
        (
            format!("{post}purpose = \"recruiting\"\noutcome = \"deny\""),
            "decided by `connect.social`: Social media is open to staff.; decided by `recruiting.publish`: Posting and \
             messaging on professional networks is open for recruiting.",
        ),
        (
            format!("{post}asks = [\"share\"]\npurpose = \"recruiting\"\noutcome = \"allow\""),
            "no rule permits it",
        ),
        // nobody looks at what it does
        (
            "to = \"https://www.ing.com/\"\nmethod = \"POST\"\noutcome = \"deny\"".to_owned(),
            "decided by `connect.sensitive`: Private traffic passes unread.; not read by `inspect.never`: Private traffic: \
             the gateway does not read this flow.",
        ),
        (
            "to = \"https://www.linkedin.com/feed/\"\noutcome = \"declare\"\ninspect = false".to_owned(),
            "no rule permits it; read by `inspect.social`: Traffic to social media is inspected so that each activity can \
             be decided.; offered: `recruiting`, `competitor-research`, `market-research`, `press-monitoring`, \
             `social-listening`, `training-delivery`",
        ),
    ] {
        assert_eq!(because(&lines), said, "{lines}");
    }
    let stranger = case("to = \"https://x.com/home\"\noutcome = \"allow\"").replace("ada", "stranger");
    let file = SourceText::new("cases/mine.toml", stranger);
    let report = assembled.rulebook.run_cases(&assembled.directory, &[file]);
    assert_eq!(
        report.results[0].because,
        ["the directory does not know who asks, so no rule is asked"]
    );
}

#[test]
fn every_key_of_a_case_is_explained_where_cases_are() {
    let document = include_str!("../../../policies/README.md");
    let (_, section) = document.split_once("### What a case can say\n").unwrap();
    let rows = section.lines().take_while(|line| !line.starts_with('#'));
    let rows: Vec<Vec<&str>> = rows
        .filter_map(|line| Some(line.strip_prefix("| `")?.split(" | ").collect()))
        .collect();
    for row in &rows {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(row.iter().all(|cell| !cell.trim().is_empty()), "{row:?}");
    }
    let told: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[0].trim_end_matches('`')).collect();
    let known = [CASE, DEFAULTS, GRANT].concat().into_iter().collect();
    assert_eq!(told, known);
}
