//! `replay` and `explain` of what a gateway recorded.

use super::desk::{Desk, Running};

/// A day: ada asks for a page of `LinkedIn` without a purpose, and is refused. Gives the id of the record.
fn a_day(desk: &Desk) -> String {
    desk.types("wayleave ca init");
    desk.types("echo 'correct horse battery' | wayleave user add ada");
    let gate = Running::start(desk);
    let proxy = format!("http://ada:correct%20horse%20battery@{}", gate.plain);
    desk.types(&format!(
        "curl -sS -x {proxy} --cacert certs/root.pem https://www.linkedin.com/in/somebody"
    ));
    assert_eq!(gate.stop(), 0);
    let book = desk.command("wayleave records list --format json").output().unwrap();
    let book = String::from_utf8(book.stdout).unwrap();
    let mut records = book
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let text = |record: &serde_json::Value, at: &str| record.pointer(at)?.as_str().map(str::to_owned);
    let refused = records.rfind(|record| text(record, "/decided/outcome").as_deref() == Some("declare"));
    text(&refused.unwrap(), "/id").unwrap()
}

const READ: &str = r#"@id("test.read") @title("T") @reason("Reading is open.") @owner("IT")
permit (principal in Role::"staff", action in Action::"read", resource in Category::"professional");
"#;

#[test]
fn a_day_is_replayed_and_explained_under_its_own_rules_and_under_others() {
    let desk = Desk::with_policies();
    let id = a_day(&desk);
    let same = desk.types("wayleave replay --records state/records");
    insta::assert_snapshot!(same, @"
    exit 0
    --- stdout
    2 decisions judged again: 0 change, 2 stay, for 0 the records do not hold enough; 2 records of no decision

    under [rulebook]
    ");
    let explained = desk.types(&format!("wayleave explain {id}"));
    for part in [
        "exit 0",
        "record [id] of [time]: declare was decided, as these rules do",
        "declare `recruiting`",
        "permits that do not apply, and what keeps them from it",
        "failed: context has purpose",
    ] {
        assert!(explained.contains(part), "{part} in {explained}");
    }

    // another day, other rules
    desk.types("mkdir next && cp -r policies next/");
    desk.write("next/policies/rules/90-test.cedar", READ);
    let changed = desk.types("wayleave replay next/policies --records state/records");
    let by_name = desk.types("wayleave replay --records state/records --policies next/policies");
    assert_eq!(by_name, changed);
    insta::assert_snapshot!(changed, @"
    exit 1
    --- stdout
    2 decisions judged again: 1 change, 1 stay, for 0 the records do not hold enough; 2 records of no decision
      newly allowed: 1

    by activity
      too few people to be named: 1

    by department
      too few people to be named: 1

    by platform
      too few people to be named: 1

    by purpose
      too few people to be named: 1

    examples (`wayleave explain ID` tells the whole story)
      [id]: declare by no rule -> allow by connect.social, test.read

    under [rulebook]
    ");
    assert!(
        !changed.contains("linkedin"),
        "one person is a group of fewer than five: {changed}"
    );
    let json = desk.types("wayleave replay --records state/records --policies next/policies --format json");
    insta::assert_snapshot!(json, @r#"
    exit 1
    --- stdout
    {
      "rulebook": "[rulebook]",
      "same": 1,
      "changed": 1,
      "not_enough": 0,
      "not_judged": 2,
      "changes": {
        "newly-allowed": 1
      },
      "groups": {
        "activity": [
          {
            "name": null,
            "decisions": 1,
            "people": null
          }
        ],
        "department": [
          {
            "name": null,
            "decisions": 1,
            "people": null
          }
        ],
        "platform": [
          {
            "name": null,
            "decisions": 1,
            "people": null
          }
        ],
        "purpose": [
          {
            "name": null,
            "decisions": 1,
            "people": null
          }
        ]
      },
      "examples": [
        {
          "record": "[id]",
          "from": "declare",
          "from_policies": [],
          "to": "allow",
          "to_policies": [
            "connect.social",
            "test.read"
          ]
        }
      ],
      "unreadable": 0
    }
    "#);

    // the record is still explained under the rules of its day, whatever stands in the folder now
    desk.write("policies/rules/90-test.cedar", READ);
    assert_eq!(desk.types(&format!("wayleave explain {id}")), explained);
    let under_others = desk.types(&format!("wayleave explain {id} policies"));
    assert_eq!(
        desk.types(&format!("wayleave explain {id} --policies policies")),
        under_others
    );
    assert!(under_others.contains("unlike these rules"), "{under_others}");
    assert!(under_others.contains("test.read"), "{under_others}");
    let json = desk.types(&format!("wayleave explain {id} --format json"));
    assert!(json.contains("\"same\": true") && json.contains("\"nearly\""), "{json}");

    desk.types("rm -r state/rulebooks");
    let lost = desk.types(&format!("wayleave explain {id}"));
    assert!(lost.starts_with("exit 1\n") && lost.contains("was not kept"), "{lost}");
}

#[test]
fn what_a_rule_on_probation_or_one_that_coaches_would_change_is_told_apart() {
    let desk = Desk::with_policies();
    a_day(&desk);
    let replayed = |mode: &str| {
        desk.types("rm -rf next && mkdir next && cp -r policies next/");
        let rule = "@id(\"trial\") @title(\"T\") @reason(\"R.\") @owner(\"IT\")";
        let scope = "forbid (principal, action == Action::\"connect\", resource in Platform::\"linkedin\");";
        desk.write(
            "next/policies/rules/90-test.cedar",
            &format!("{rule} @mode(\"{mode}\")\n{scope}\n"),
        );
        let told = desk.types("wayleave replay --records state/records --policies next/policies");
        let lines = told
            .lines()
            .filter(|line| line.contains(": 1") || line.contains("->") || line.starts_with("exit"));
        let lines: Vec<&str> = lines.filter(|line| !line.contains("too few")).collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(replayed("observe"), @"
    exit 1
    2 decisions judged again: 1 change, 1 stay, for 0 the records do not hold enough; 2 records of no decision
      would newly be refused: 1
      [id]: allow by connect.social -> allow by connect.social; let pass, `trial` would refuse it
    ");
    insta::assert_snapshot!(replayed("coach"), @"
    exit 1
    2 decisions judged again: 1 change, 1 stay, for 0 the records do not hold enough; 2 records of no decision
      newly coached: 1
      [id]: allow by connect.social -> deny by trial; coached: its sender is told why not, and may continue
    ");
}

#[test]
fn where_nothing_can_be_told_no_success_is_told() {
    let desk = Desk::with_policies();
    desk.write("empty/notes.txt", "");
    insta::assert_snapshot!(desk.types("wayleave replay --records empty"), @"
    exit 4
    --- stdout
    0 decisions judged again: 0 change, 0 stay, for 0 the records do not hold enough; 0 records of no decision

    under [rulebook]
    --- stderr
    no decision was judged again, so nobody can tell what would change
    ");
    a_day(&desk);
    let since = |when: &str| desk.types(&format!("wayleave replay --records state/records --since {when}"));
    insta::assert_snapshot!(since("2999-01-01"), @"
    exit 4
    --- stdout
    0 decisions judged again: 0 change, 0 stay, for 0 the records do not hold enough; 0 records of no decision

    under [rulebook]
    --- stderr
    no decision was judged again, so nobody can tell what would change
    ");
    assert!(
        since("1h").starts_with("exit 0\n--- stdout\n2 decisions judged again"),
        "{}",
        since("1h")
    );
}

#[test]
fn records_that_are_not_there_are_explained() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(desk.types("wayleave replay --records nowhere"), @"
    exit 1
    --- stderr
    error: the records in `nowhere` cannot be read: No such file or directory (os error 2); name the folder of a gateway's records with `--records`
    ");
    insta::assert_snapshot!(desk.types("wayleave explain 0190"), @"
    exit 1
    --- stderr
    error: the records in `state/records` cannot be read: No such file or directory (os error 2); name the folder of a gateway's records with `--set audit.folder=DIR`
    ");
}
