//! `wayleave test`: coverage, `JUnit`, cases of Cedar's own command line, and changes that the cases notice or do not.

use super::desk::Desk;

/// Two rules, and cases that leave something open.
pub(crate) fn small() -> Desk {
    let desk = Desk::with_policies();
    for name in [
        "break-glass",
        "decisions",
        "facebook",
        "guardrails",
        "linkedin",
        "one-by-one",
        "portal",
        "private-and-open",
        "purposes",
        "value",
        "x",
        "youtube-reddit",
    ] {
        std::fs::remove_file(desk.path(&format!("policies/cases/{name}.toml"))).unwrap();
    }
    for name in [
        "10-reach",
        "20-purposes",
        "30-guardrails",
        "40-portal",
        "50-break-glass",
        "60-value",
        "70-decisions",
    ] {
        std::fs::remove_file(desk.path(&format!("policies/rules/{name}.cedar"))).unwrap();
    }
    for name in ["cedar", "cedar-entities"] {
        std::fs::remove_file(desk.path(&format!("policies/cases/{name}.json"))).unwrap();
    }
    for name in ["decisions", "emergencies", "people", "places", "purposes", "value"] {
        std::fs::remove_file(desk.path(&format!("policies/properties/{name}.toml"))).unwrap();
    }
    desk.write("policies/properties/small.toml", "");
    desk.write("policies/rules/10-small.cedar", RULES);
    desk.write("policies/cases/small.toml", CASES);
    desk
}

const RULES: &str = r#"@id("open") @reason("Open to staff.") @owner("IT")
permit (principal in Role::"staff", action == Action::"connect", resource in Category::"social-media");

@id("closed") @reason("Closed to interns and guests.") @owner("IT")
forbid (principal, action == Action::"connect", resource in Category::"social-media")
when { principal.employment == Employment::"intern" || context.client.network == "guest" };
"#;

const CASES: &str = r#"[defaults]
at = 2026-11-24T09:30:00Z
network = "office"

[[case]]
it = "lets staff reach LinkedIn"
who = "ada"
to = "www.linkedin.com:443"
outcome = "allow"
policies = ["open"]

[[case]]
it = "keeps interns out"
who = "eve"
to = "www.linkedin.com:443"
outcome = "deny"
policies = ["closed"]
"#;

#[test]
fn what_the_cases_leave_out_is_listed() {
    let desk = small();
    insta::assert_snapshot!(desk.types("wayleave test --coverage"), @r#"
    exit 0
    --- stdout
    `closed`
      never held: context.client.network == "guest"
    2 passed, 0 failed
    exercised: 2 of 2 rules, 1 of 2 conditions both ways
    "#);
}

#[test]
fn changes_that_no_case_notices_are_listed_and_too_many_of_them_fail() {
    let desk = small();
    insta::assert_snapshot!(desk.types("wayleave test --mutate"), @r#"
    exit 1
    --- stdout
    2 passed, 0 failed
    exercised: 2 of 2 rules, 1 of 2 conditions both ways

    no case and no property notices if
      rules/10-small.cedar:1 `open`: the principal may be any
      rules/10-small.cedar:1 `open`: the action may be any
      rules/10-small.cedar:1 `open`: the resource may be any
      rules/10-small.cedar:4 `closed`: `context.client.network == "guest"` is dropped
      rules/10-small.cedar:4 `closed`: the action may be any
      rules/10-small.cedar:4 `closed`: the resource may be any
    9 of 15 changes are noticed (60.0 %): 9 by cases, 0 by properties only; the schema refuses 0 more
    --- stderr
    error: at least 95 % must be noticed: add cases
    "#);
    let told = desk.types("wayleave test --mutate --at-least 50");
    assert!(
        told.starts_with("exit 0") && told.contains("no case and no property notices if"),
        "{told}"
    );
    let more = "\n[[case]]\nit = \"keeps guests out\"\nwho = \"ada\"\nto = \"www.linkedin.com:443\"\nnetwork = \"guest\"\noutcome = \"deny\"\n\n[[case]]\nit = \"keeps visitors out\"\nwho = \"vic\"\nto = \"www.linkedin.com:443\"\noutcome = \"deny\"\npolicies = []\n\n[[case]]\nit = \"says nothing of other hosts\"\nwho = \"eve\"\nto = \"crates.io:443\"\noutcome = \"deny\"\npolicies = []\n\n[[case]]\nit = \"has nothing read\"\nwho = \"ada\"\nto = \"https://www.linkedin.com/\"\nasks = [\"inspect\"]\noutcome = \"deny\"\npolicies = []\n\n[[case]]\nit = \"opens nothing else\"\nwho = \"ada\"\nto = \"crates.io:443\"\noutcome = \"deny\"\n\n[[case]]\nit = \"says nothing of what interns have read\"\nwho = \"eve\"\nto = \"https://www.linkedin.com/\"\nasks = [\"inspect\"]\noutcome = \"deny\"\npolicies = []\n";
    desk.write("policies/cases/small.toml", &format!("{CASES}{more}"));
    insta::assert_snapshot!(desk.types("wayleave test --mutate"), @"
    exit 0
    --- stdout
    8 passed, 0 failed
    exercised: 2 of 2 rules, 2 of 2 conditions both ways
    15 of 15 changes are noticed (100.0 %): 15 by cases, 0 by properties only; the schema refuses 0 more
    ");
}

/// Guests reach no social media; everybody does, which the rules do not let be.
const PROPERTIES: &str = r#"[[property]]
name = "guests-stay-out"
owner = "IT"
sentence = "Guests reach no social media."
never = { actions = ["connect"], when = 'context.client.network == "guest" && resource in Category::"social-media"' }

[[property]]
name = "nobody-stays-out"
owner = "IT"
sentence = "Everybody reaches social media."
always = { actions = ["connect"], when = 'resource in Category::"social-media"' }
"#;

#[test]
fn properties_with_a_mistake_are_not_asked_and_that_is_said() {
    let desk = small();
    desk.write("policies/properties/small.toml", PROPERTIES);
    desk.edit(
        "policies/properties/small.toml",
        "Category::\"social-media\"",
        "Category::\"social-medai\"",
    );
    insta::assert_snapshot!(desk.types("wayleave test --mutate --at-least 60"), @r#"
    exit 0
    --- stdout
    2 passed, 0 failed
    exercised: 2 of 2 rules, 1 of 2 conditions both ways

    no case notices if
      rules/10-small.cedar:1 `open`: the principal may be any
      rules/10-small.cedar:1 `open`: the action may be any
      rules/10-small.cedar:1 `open`: the resource may be any
      rules/10-small.cedar:4 `closed`: `context.client.network == "guest"` is dropped
      rules/10-small.cedar:4 `closed`: the action may be any
      rules/10-small.cedar:4 `closed`: the resource may be any
    9 of 15 changes are noticed (60.0 %), by cases alone; the schema refuses 0 more
    --- stderr
    note: no property was asked: they have problems, which `wayleave prove` tells
    "#);
}

#[cfg(feature = "prove")]
mod proved {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{PROPERTIES, small};

    #[test]
    fn without_a_solver_cases_are_asked_alone_and_that_is_said() {
        let desk = small();
        desk.write("policies/properties/small.toml", PROPERTIES);
        insta::assert_snapshot!(desk.types("CVC5=/nowhere/cvc5 wayleave test --mutate --at-least 60"), @r#"
        exit 0
        --- stdout
        2 passed, 0 failed
        exercised: 2 of 2 rules, 1 of 2 conditions both ways

        no case notices if
          rules/10-small.cedar:1 `open`: the principal may be any
          rules/10-small.cedar:1 `open`: the action may be any
          rules/10-small.cedar:1 `open`: the resource may be any
          rules/10-small.cedar:4 `closed`: `context.client.network == "guest"` is dropped
          rules/10-small.cedar:4 `closed`: the action may be any
          rules/10-small.cedar:4 `closed`: the resource may be any
        9 of 15 changes are noticed (60.0 %), by cases alone; the schema refuses 0 more
        --- stderr
        note: no property was asked: the solver `/nowhere/cvc5` cannot be started: No such file or directory (os error 2)
          help: install cvc5 (Debian and Ubuntu: `apt-get install cvc5`; macOS: `brew install cvc5`), or name it in the environment: `CVC5=/path/to/cvc5`
        "#);
    }

    #[test]
    fn a_change_that_only_a_property_notices_is_noticed_and_counted_apart() {
        let desk = small();
        desk.write("policies/properties/small.toml", PROPERTIES);
        insta::assert_snapshot!(desk.types("wayleave test --mutate --at-least 60"), @"
        exit 0
        --- stdout
        2 passed, 0 failed
        exercised: 2 of 2 rules, 1 of 2 conditions both ways

        no case and no property notices if
          rules/10-small.cedar:1 `open`: the principal may be any
          rules/10-small.cedar:1 `open`: the action may be any
          rules/10-small.cedar:1 `open`: the resource may be any
          rules/10-small.cedar:4 `closed`: the action may be any
          rules/10-small.cedar:4 `closed`: the resource may be any
        10 of 15 changes are noticed (66.6 %): 9 by cases, 1 by properties only; the schema refuses 0 more
        ");
    }

    #[test]
    fn what_the_solver_said_of_a_changed_rule_is_not_asked_again() {
        let desk = small();
        desk.write("policies/properties/small.toml", PROPERTIES);
        desk.write("solver", "#!/bin/sh\ntee -a asked | cvc5 \"$@\"\n");
        std::fs::set_permissions(desk.path("solver"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let line = "XDG_CACHE_HOME=cache CVC5=./solver wayleave test --mutate --at-least 60";
        let asked = || desk.read("asked").matches("(check-sat").count();
        let (first, once) = (desk.types(line), asked());
        assert!(first.contains("by properties only") && once > 0, "{once} {first}");
        assert_eq!((desk.types(line), asked()), (first, once));
        // a rule that no change touched changes all the rest
        desk.edit("policies/rules/10-small.cedar", "\"guest\"", "\"vpn\"");
        desk.types(line);
        assert!(asked() > once);
    }
}

#[test]
fn rules_are_not_changed_while_a_case_fails() {
    let desk = small();
    desk.edit(
        "policies/cases/small.toml",
        "outcome = \"allow\"",
        "outcome = \"declare\"",
    );
    insta::assert_snapshot!(desk.types("wayleave test --mutate"), @r#"
    exit 1
    --- stdout
    FAIL cases/small.toml:6 it lets staff reach LinkedIn
         - outcome = "declare"
         + outcome = "allow"
         decided by `open`: Open to staff.

    1 passed, 1 failed
    exercised: 2 of 2 rules, 1 of 2 conditions both ways
    --- stderr
    error: the rules were not changed: first all cases must pass
    "#);
}

#[test]
fn junit_holds_every_case_each_failure_with_its_difference_and_each_problem() {
    let desk = small();
    desk.edit(
        "policies/cases/small.toml",
        "outcome = \"allow\"",
        "outcome = \"declare\"",
    );
    desk.write("policies/cases/odd.toml", "[[case]]\nit = \"knows <nobody> & \\\"nothing\\\"\"\nwho = \"adda\"\nto = \"x.com\"\nat = 2026-11-24T09:30:00Z\noutcome = \"deny\"\n");
    let told = desk.types("wayleave test --junit report.xml");
    assert!(told.starts_with("exit 1"), "{told}");
    insta::assert_snapshot!(desk.read("report.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="wayleave" tests="3" failures="1" errors="1">
      <testsuite name="cases/odd.toml" tests="1" failures="0" errors="1">
        <testcase name="wayleave::cases::unknown-name" classname="cases/odd.toml" file="policies/cases/odd.toml" line="3">
          <error message="there is no person `adda`"/>
        </testcase>
      </testsuite>
      <testsuite name="cases/small.toml" tests="2" failures="1" errors="0">
        <testcase name="lets staff reach LinkedIn" classname="cases/small.toml" file="policies/cases/small.toml" line="6">
          <failure message="outcome: expected &quot;declare&quot;, came &quot;allow&quot;">- outcome = &quot;declare&quot;
    + outcome = &quot;allow&quot;
    decided by `open`: Open to staff.</failure>
        </testcase>
        <testcase name="keeps interns out" classname="cases/small.toml" file="policies/cases/small.toml" line="13"/>
      </testsuite>
    </testsuites>
    "#);
    let told = desk.types("wayleave test --junit nowhere/report.xml");
    assert!(told.contains("error: `nowhere/report.xml` cannot be written"), "{told}");
}

#[test]
fn junit_tells_why_no_case_was_run_and_nothing_of_an_earlier_run() {
    let desk = small();
    assert!(desk.types("wayleave test --junit report.xml").starts_with("exit 0"));
    desk.write("policies/rules/odd.cedar", "permit (");
    assert!(desk.types("wayleave test --junit report.xml").starts_with("exit 1"));
    insta::assert_snapshot!(desk.read("report.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="wayleave" tests="1" failures="0" errors="1">
      <testsuite name="rules/odd.cedar" tests="1" failures="0" errors="1">
        <testcase name="wayleave::policy::syntax" classname="rules/odd.cedar" file="policies/rules/odd.cedar" line="1">
          <error message="unexpected end of input"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn tests_of_cedars_command_line_are_run_beside_the_cases() {
    let desk = small();
    let test = r#"[{
  "name": "ada reaches LinkedIn",
  "request": { "principal": "User::\"ada\"", "action": "Action::\"connect\"", "resource": "Site::\"l\"",
    "context": { "now": { "fn": "datetime", "arg": "2026-11-24" }, "local": { "time": { "fn": "duration", "arg": "9h" }, "weekday": 2 },
      "client": { "ip": { "fn": "ip", "arg": "10.0.0.7" }, "network": "guest" }, "proof": { "method": "basic", "strong": false } } },
  "entities": [
    { "uid": { "type": "User", "id": "ada" }, "attrs": { "employment": { "type": "Employment", "id": "employee" },
      "region": "eu", "timeZone": "UTC", "onLegalHold": false }, "parents": [{ "type": "Role", "id": "staff" }] },
    { "uid": { "type": "Site", "id": "l" }, "attrs": { "host": "l", "classified": true, "serves": [] },
      "parents": [{ "type": "Category", "id": "social-media" }] } ],
  "decision": "allow", "reason": ["open"], "num_errors": 0
}]"#;
    desk.write("policies/cases/cedar.json", test);
    insta::assert_snapshot!(desk.types("wayleave test"), @r#"
    exit 1
    --- stdout
    FAIL cases/cedar.json:1 it ada reaches LinkedIn
         - outcome = "allow"
         + outcome = "deny"
         - policies = ["open"]
         + policies = ["closed"]
         decided by `closed`: Closed to interns and guests.

    2 passed, 1 failed
    exercised: 2 of 2 rules, 2 of 2 conditions both ways
    "#);
    desk.write("policies/cases/cedar.json", &test.replace("guest", "office"));
    insta::assert_snapshot!(desk.types("wayleave test"), @"
    exit 0
    --- stdout
    3 passed, 0 failed
    exercised: 2 of 2 rules, 1 of 2 conditions both ways
    ");
    desk.write("policies/cases/cedar.json", "[{}]");
    insta::assert_snapshot!(desk.types("wayleave test"), @"
    exit 1
    --- stdout
    wayleave::cases::bad-test

      × missing field `request`
       ╭─[cases/cedar.json:1:2]
     1 │ [{}]
       ·  ┬
       ·  ╰── here
       ╰────
      help: write it as `cedar run-tests` reads it

    2 passed, 0 failed, 1 problem in the case files
    exercised: 2 of 2 rules, 1 of 2 conditions both ways
    ");
}
