//! `check` for programs, `fmt`, `owners`, `schema`.

use serde_json::{Value, json};

use super::desk::Desk;

fn broken() -> Desk {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/rules/20-purposes.cedar",
        "Role::\"recruiter\"",
        "Role::\"recruter\"",
    );
    desk
}

/// What was printed, without the exit code.
fn document(told: &str) -> Value {
    serde_json::from_str(told.split_once("--- stdout\n").unwrap().1).unwrap()
}

/// What SARIF 2.1.0 demands of the parts that we use.
fn sarif_shape() -> Value {
    let message = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "minLength": 1 } } });
    let positive = json!({ "type": "integer", "minimum": 1 });
    let rule = json!({
        "type": "object",
        "required": ["id", "help"],
        "properties": { "id": { "type": "string" }, "shortDescription": message, "help": message },
        "additionalProperties": false,
    });
    let region = json!({
        "type": "object",
        "properties": { "startLine": positive, "startColumn": positive, "endLine": positive, "endColumn": positive },
        "additionalProperties": false,
    });
    let place = json!({
        "type": "object",
        "properties": {
            "artifactLocation": {
                "type": "object",
                "properties": { "uri": { "type": "string", "pattern": "^[^\\s]+$" }, "uriBaseId": { "type": "string" } },
                "additionalProperties": false,
            },
            "region": region,
        },
        "required": ["artifactLocation"],
        "additionalProperties": false,
    });
    let result = json!({
        "type": "object",
        "required": ["message", "ruleId"],
        "properties": {
            "ruleId": { "type": "string" },
            "ruleIndex": { "type": "integer", "minimum": 0 },
            "level": { "enum": ["none", "note", "warning", "error"] },
            "message": message,
            "locations": { "type": "array", "items": {
                "type": "object", "properties": { "physicalLocation": place }, "additionalProperties": false,
            }},
        },
        "additionalProperties": false,
    });
    let driver = json!({
        "type": "object",
        "required": ["name"],
        "properties": { "name": { "type": "string" }, "rules": { "type": "array", "items": rule, "uniqueItems": true } },
    });
    json!({
        "type": "object",
        "required": ["version", "runs"],
        "properties": {
            "version": { "const": "2.1.0" },
            "runs": { "type": "array", "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": { "type": "object", "required": ["driver"], "properties": { "driver": driver } },
                    "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                    "results": { "type": "array", "items": result },
                },
                "additionalProperties": false,
            }},
        },
    })
}

#[test]
fn sarif_has_the_shape_that_its_standard_demands_and_names_files_as_the_repository_does() {
    let desk = broken();
    std::fs::create_dir(desk.path(".git")).unwrap();
    let shape = jsonschema::draft202012::new(&sarif_shape()).unwrap();
    for line in ["wayleave check --format sarif", "wayleave check nowhere --format sarif"] {
        let log = document(&desk.types(line));
        let wrong: Vec<String> = shape.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{log:#}");
    }
    let log = document(&desk.types("wayleave check --format sarif"));
    let expected = json!([
      {
        "level": "error",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "policies/rules/20-purposes.cedar",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 32,
                "endLine": 49,
                "startColumn": 16,
                "startLine": 49
              }
            }
          }
        ],
        "message": {
          "text": "rule `recruiting.read` names the role `recruter`, which nobody knows (did you mean `recruiter`? they are listed in the directory in `people/`)"
        },
        "ruleId": "wayleave::policy::unknown-role",
        "ruleIndex": 0
      }
    ]);
    assert_eq!(log["runs"][0]["results"], expected);
    let sound = document(&Desk::empty().types("wayleave check --format sarif"));
    assert_eq!(sound["runs"][0]["results"], json!([]));
}

#[test]
fn github_is_told_with_workflow_commands() {
    insta::assert_snapshot!(broken().types("wayleave check --format github"), @"
    exit 1
    --- stdout
    ::error file=policies/rules/20-purposes.cedar,line=49,endLine=49,col=16,endColumn=32,title=wayleave%3A%3Apolicy%3A%3Aunknown-role::rule `recruiting.read` names the role `recruter`, which nobody knows (did you mean `recruiter`? they are listed in the directory in `people/`)
    policies: 1 error, 0 warnings
    ");
    insta::assert_snapshot!(Desk::empty().types("wayleave check --format github"), @"
    exit 0
    --- stdout
    the built-in policies: sound (54 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 0 warnings
    ");
}

#[test]
fn rules_that_nobody_owns_reaches_or_needs_are_told() {
    let desk = Desk::with_policies();
    let rule = "permit (principal in Role::\"staff\", action == Action::\"connect\", resource in Category::\"professional\");\n";
    desk.write(
        "policies/rules/50-mine.cedar",
        &format!("@id(\"mine\") @reason(\"Mine.\")\n{rule}"),
    );
    let told = desk.types("wayleave check");
    assert!(
        told.starts_with("exit 1") && told.contains("nobody answers for the rule `mine`"),
        "{told}"
    );
    let rule = format!("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @expires(\"2020-01-01\")\n{rule}");
    desk.write("policies/rules/50-mine.cedar", &rule);
    let told = desk.types("wayleave check");
    for part in [
        "exit 0",
        "rule `mine` expired on 2020-01-01 and permits nothing any more",
        "rule `mine` says nothing that `connect.social` does not say already",
        "no case reaches the rule `mine`",
        "; 3 warnings",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    // one on probation says something: what would come of it
    let observed = rule.replace("@expires(\"2020-01-01\")", "@mode(\"observe\")");
    desk.write("policies/rules/50-mine.cedar", &observed);
    let told = desk.types("wayleave check");
    assert!(!told.contains("says nothing that"), "{told}");
    let forbidden = rule
        .replace("professional", "evasion")
        .replace(" @expires(\"2020-01-01\")", "");
    desk.write("policies/rules/50-mine.cedar", &forbidden);
    let told = desk.types("wayleave check");
    assert!(
        told.contains("rule `mine` never permits anything: `connect.no-evasion` forbids all of it"),
        "{told}"
    );
    let id = "@id(\"connect.no-evasion\")";
    desk.edit("policies/rules/10-reach.cedar", id, &format!("{id}\n@mode(\"coach\")"));
    let told = desk.types("wayleave check");
    assert!(
        !told.contains("never permits anything"),
        "whoever continues passes: {told}"
    );
}

#[test]
fn an_activity_that_no_platform_recognises_is_told_and_so_is_one_that_the_schema_does_not_have() {
    let desk = Desk::with_policies();
    let schema = "policies/wayleave.cedarschema";
    desk.edit(
        schema,
        "action call, realtime, games in",
        "action call, realtime, games, gifting in",
    );
    insta::assert_snapshot!(desk.types("wayleave check"), @"
    exit 0
    --- stdout
    wayleave::catalog::activity-never-recognised

      ⚠ no platform has a request that is recognised as `gifting`
         ╭─[wayleave.cedarschema:126:31]
     125 │   appliesTo { principal: User, resource: Site, context: ActivityContext };
     126 │ action call, realtime, games, gifting in [live]
         ·                               ───┬───
         ·                                  ╰── here
     127 │   appliesTo { principal: User, resource: Site, context: ActivityContext };
         ╰────
      help: add a signature to the platforms that have it, or remove the action

    policies: sound (54 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 1 warning
    ");
    let desk = Desk::with_policies();
    desk.edit(
        schema,
        ", moderate, advertise in [administer]",
        ", moderate, advertize in [administer]",
    );
    let told = desk.types("wayleave check");
    for part in [
        "exit 1",
        "requests are recognised as `advertise`, which the schema does not declare",
        "did you mean `advertize`?",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn rules_are_laid_out_once_and_what_does_not_parse_is_left_alone() {
    let desk = Desk::with_policies();
    desk.write("policies/rules/50-bad.cedar", "permit (principal, action);\n");
    let told = desk.types("wayleave fmt --check");
    assert!(told.starts_with("exit 1") && !told.contains("--- stdout"), "{told}");
    let told = desk.types("wayleave fmt");
    assert!(told.starts_with("exit 1") && told.contains("50-bad.cedar:1:"), "{told}");
    assert_eq!(
        desk.read("policies/rules/50-bad.cedar"),
        "permit (principal, action);\n"
    );
    std::fs::remove_file(desk.path("policies/rules/50-bad.cedar")).unwrap();
    assert_eq!(
        desk.types("wayleave fmt --check"),
        "exit 0\n",
        "the shipped rules are laid out"
    );
    desk.edit("policies/rules/30-guardrails.cedar", "forbid (\n", "forbid(");
    insta::assert_snapshot!(desk.types("wayleave fmt --check"), @"
    exit 1
    --- stdout
    policies/rules/30-guardrails.cedar
    ");
    insta::assert_snapshot!(desk.types("wayleave fmt"), @"
    exit 0
    --- stdout
    policies/rules/30-guardrails.cedar
    ");
    assert_eq!(desk.types("wayleave fmt"), "exit 0\n");
    let told = desk.types("wayleave check");
    assert!(told.starts_with("exit 0") && told.contains("; 0 warnings"), "{told}");
    insta::assert_snapshot!(Desk::empty().types("wayleave fmt"), @"
    exit 2
    --- stderr
    error: there is no folder `policies/` here: name the one to format
    ");
}

#[test]
fn code_owners_come_from_rules_purposes_and_folders() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(desk.types("wayleave owners --team '*=@acme/it' --team HR=@acme/hr"), @"
    exit 0
    --- stdout
    # Written by `wayleave owners`: who agrees to a change of the policies, any one of a line.
    /policies/cases/ @acme/it
    /policies/catalog/ @acme/it
    /policies/owners.toml @acme/it
    /policies/people/ @acme/hr
    /policies/properties/ @acme/it
    /policies/purposes.toml @acme/it
    /policies/rules/10-reach.cedar @acme/hr @acme/it
    /policies/rules/20-purposes.cedar @acme/hr @acme/it
    /policies/rules/30-guardrails.cedar @acme/hr @acme/it
    /policies/rules/40-portal.cedar @acme/hr @acme/it
    /policies/rules/50-break-glass.cedar @acme/hr @acme/it
    /policies/rules/60-value.cedar @acme/hr
    /policies/rules/70-decisions.cedar @acme/it
    /policies/wayleave.cedarschema @acme/it
    --- stderr
    warning: what is in `rules/10-reach.cedar` belongs to `HR`, `IT`, `legal`, and a code host asks any one of @acme/hr, @acme/it: where each must agree, give each a file of its own
    warning: what is in `rules/20-purposes.cedar` belongs to `HR`, `IT`, `legal`, `marketing`, and a code host asks any one of @acme/hr, @acme/it: where each must agree, give each a file of its own
    warning: what is in `rules/30-guardrails.cedar` belongs to `HR`, `IT`, and a code host asks any one of @acme/hr, @acme/it: where each must agree, give each a file of its own
    warning: what is in `rules/40-portal.cedar` belongs to `HR`, `IT`, `legal`, and a code host asks any one of @acme/hr, @acme/it: where each must agree, give each a file of its own
    warning: what is in `rules/50-break-glass.cedar` belongs to `HR`, `IT`, `legal`, `marketing`, and a code host asks any one of @acme/hr, @acme/it: where each must agree, give each a file of its own
    ");
    insta::assert_snapshot!(desk.types("wayleave owners --team HR=@acme/hr"), @"
    exit 1
    --- stderr
    error: no team is named for `IT`: add `--team IT=@…`
    error: no team is named for `cora`: add `--team cora=@…`
    error: no team is named for `finn`: add `--team finn=@…`
    error: no team is named for `hana`: add `--team hana=@…`
    error: no team is named for `lea`: add `--team lea=@…`
    error: no team is named for `legal`: add `--team legal=@…`
    error: no team is named for `marketing`: add `--team marketing=@…`
    error: no team is named for `mia`: add `--team mia=@…`
    error: no team is named for `nora`: add `--team nora=@…`
    error: no team is named for `sol`: add `--team sol=@…`
    ");
    desk.edit("policies/owners.toml", "\"HR\"", "\"Hr\"");
    insta::assert_snapshot!(desk.types("wayleave owners --team '*=@acme/it' --team HR=@acme/hr"), @"
    exit 1
    --- stderr
    error: no team is named for `Hr`: did you mean `HR`? otherwise add `--team Hr=@…`
    ");
    insta::assert_snapshot!(desk.types("wayleave owners --team HR"), @"
    exit 2
    --- stderr
    error: invalid value 'HR' for '--team <OWNER=TEAM>': write `HR=@acme/hr`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave owners nowhere"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
}

#[test]
fn schemas_are_printed_as_documents() {
    let schema = document(&Desk::empty().types("wayleave schema settings"));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(
        schema["properties"]["ingress"]["properties"]["backlog"]["type"],
        "integer"
    );
    insta::assert_snapshot!(Desk::empty().types("wayleave schema owners"), @r#"
    exit 0
    --- stdout
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "Who answers for the parts of the folder",
      "type": "object",
      "properties": {
        "owners": {
          "type": "object",
          "additionalProperties": {
            "type": "string",
            "description": "Who answers for the file or folder"
          }
        }
      },
      "required": [],
      "additionalProperties": false
    }
    "#);
    insta::assert_snapshot!(Desk::empty().types("wayleave schema nothing"), @"
    exit 2
    --- stderr
    error: invalid value 'nothing' for '<NAME>'
      [possible values: purposes, people, platform, categories, activities, hosts, cases, properties, owners, settings]

    For more information, try '--help'.
    ");
}
