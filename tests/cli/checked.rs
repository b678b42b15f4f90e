//! What `check` finds in folders that are broken in more than one place, or come from elsewhere.

use super::desk::Desk;

/// What `check` tells and about which files, and its exit code.
fn told(desk: &Desk) -> (Vec<String>, i32) {
    let output = desk.command("wayleave check --format json").output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report.get("problems").unwrap().as_array().unwrap().iter();
    let text = |problem: &serde_json::Value, key: &str| {
        let said = problem.get(key).unwrap().as_str().unwrap();
        said.replace("wayleave::", "")
    };
    let told = problems.map(|problem| format!("{} {}", text(problem, "code"), text(problem, "file")));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.dedup();
    (told, output.status.code().unwrap())
}

/// Makes a role in a rule one that nobody knows.
fn misspell_a_role(desk: &Desk) {
    let (from, to) = ("Role::\"recruiter\"", "Role::\"recruter\"");
    desk.edit("policies/rules/20-purposes.cedar", from, to);
}

const ROLE: &str = "policy::unknown-role rules/20-purposes.cedar";

#[test]
fn a_property_that_cannot_be_read_or_means_nothing_is_an_error() {
    for (from, to, code) in [
        ("never = {", "nevr = {", "unknown-key"),
        ("Employment::\"intern\"", "Role::\"intren\"", "unknown-name"),
        ("\"administer\"]", "\"administr\"]", "unknown-action"),
    ] {
        let desk = Desk::with_policies();
        desk.edit("policies/properties/people.toml", from, to);
        let (found, exit) = told(&desk);
        let said = format!("properties::{code} properties/people.toml");
        assert!(found.contains(&said) && exit == 1, "{said}: {found:?} {exit}");
    }
}

#[test]
fn a_property_that_is_too_deep_is_an_error_and_not_the_end_of_the_program() {
    let index = format!("resource{} == 1", "[\"a\"]".repeat(20_000));
    let chain = ["resource.declarer == principal"; 240].join(" && ");
    for when in [index, chain] {
        let desk = Desk::with_policies();
        desk.edit(
            "policies/properties/people.toml",
            "'resource.declarer == principal'",
            &format!("'{when}'"),
        );
        let (found, exit) = told(&desk);
        let said = "properties::syntax properties/people.toml".to_owned();
        assert!(found.contains(&said) && exit == 1, "{found:?} {exit}");
    }
}

#[test]
fn an_action_of_a_property_that_is_almost_a_group_is_told_with_the_group() {
    let desk = Desk::with_policies();
    desk.edit("policies/properties/people.toml", "\"administer\"]", "\"publsh\"]");
    let told = desk.types("wayleave check --format github");
    assert!(told.contains("did you mean `publish`?"), "{told}");
}

#[test]
fn an_owner_who_is_written_almost_like_another_is_warned_of_wherever_it_is_said() {
    let rule = |owner: &str| {
        format!(
            "@id(\"mine\") @reason(\"R.\") @owner(\"{owner}\") @untested(\"x\")\n\
             forbid (principal, action == Action::\"connect\", resource == Site::\"www.example.org\");\n"
        )
    };
    let desk = Desk::with_policies();
    desk.write("policies/rules/50-mine.cedar", &rule("Hr"));
    desk.edit("policies/owners.toml", "= \"IT\"", "= \"I.T.\"");
    desk.edit(
        "policies/properties/people.toml",
        "owner = \"legal\"",
        "owner = \"leagl\"",
    );
    let told = desk.types("wayleave check --format github | grep alike");
    insta::assert_snapshot!(told, @"
    exit 0
    --- stdout
    ::warning file=policies/rules/50-mine.cedar,line=1,endLine=1,col=34,endColumn=38,title=wayleave%3A%3Aowners%3A%3Aalike::`Hr` is named as an owner, and so is `HR` (did you mean `HR`?)
    ::warning file=policies/owners.toml,line=6,endLine=6,col=26,endColumn=32,title=wayleave%3A%3Aowners%3A%3Aalike::`I.T.` is named as an owner, and so is `IT` (did you mean `IT`?)
    ::warning file=policies/properties/people.toml,line=27,endLine=27,col=9,endColumn=16,title=wayleave%3A%3Aowners%3A%3Aalike::`leagl` is named as an owner, and so is `legal` (did you mean `legal`?)
    ");
    // whoever is somebody else is none of them
    let desk = Desk::with_policies();
    desk.write("policies/rules/50-mine.cedar", &rule("PR"));
    let (found, exit) = self::told(&desk);
    assert_eq!((found, exit), (Vec::new(), 0));
}

#[test]
fn a_misspelt_role_hides_no_mistake_in_cases_properties_or_owners() {
    let desk = Desk::with_policies();
    misspell_a_role(&desk);
    desk.write("policies/cases/mine.toml", "[[case]]\nit = unquoted\n");
    desk.write("policies/cases/mine.json", "[{ not json }]");
    desk.write("policies/properties/mine.toml", "[[property]]\nname = unquoted\n");
    desk.write("policies/owners.toml", "[owners]\nrulez = \"IT\"\n");
    let (found, exit) = told(&desk);
    for said in [
        ROLE,
        "cases::syntax cases/mine.toml",
        "cases::syntax cases/mine.json",
        "properties::syntax properties/mine.toml",
        "owners::unknown-path owners.toml",
    ] {
        assert!(found.iter().any(|one| one == said), "{said}: {found:?}");
    }
    assert_eq!(exit, 1);
}

#[test]
fn what_follows_from_a_file_that_cannot_be_read_is_not_told_of_others() {
    for (file, code) in [
        ("purposes.toml", "purposes::syntax"),
        ("owners.toml", "owners::syntax"),
        ("people/roles.toml", "people::syntax"),
        ("people/people.toml", "people::syntax"),
        ("catalog/categories.toml", "catalog::syntax"),
        ("catalog/activities.toml", "catalog::syntax"),
        ("catalog/mastodon.toml", "catalog::syntax"),
        ("catalog/local.toml", "catalog::syntax"),
        ("cases/linkedin.toml", "cases::syntax"),
        ("properties/people.toml", "properties::syntax"),
    ] {
        let desk = Desk::with_policies();
        desk.write("policies/owners.toml", "[owners]\nrules = \"IT\"\n");
        desk.write("policies/rules/50-mine.cedar", MINE);
        desk.write(
            "policies/catalog/local.toml",
            "[[host]]\nhost = \"social.corp.example\"\nplatform = \"mastodon\"\n",
        );
        let text = desk.read(&format!("policies/{file}"));
        desk.write(&format!("policies/{file}"), &format!("mine = [\"x\"\n{text}"));
        assert_eq!(told(&desk), (vec![format!("{code} {file}")], 1), "{file}");
    }
}

/// A rule that only `owners.toml` gives an owner.
const MINE: &str = "@id(\"mine\") @reason(\"Mine.\") @untested(\"example\")\nforbid (principal in Role::\"engineer\", action == \
                    Action::\"sell\", resource in Category::\"professional\");\n";

#[test]
fn a_stray_file_hides_nothing_of_the_others() {
    let desk = Desk::with_policies();
    misspell_a_role(&desk);
    desk.write("policies/stray.toml", "");
    let (found, exit) = told(&desk);
    assert_eq!(found, [ROLE, "sources::unread stray.toml"]);
    assert_eq!(exit, 1);
}

#[test]
fn a_file_that_is_not_text_hides_nothing_of_the_others_and_no_name_is_missed_for_it() {
    let desk = Desk::with_policies();
    desk.write("policies/cases/mine.toml", "[[case]]\nit = unquoted\n");
    std::fs::write(desk.path("policies/catalog/linkedin.toml"), [0xff, 0xfe]).unwrap();
    let (found, exit) = told(&desk);
    assert_eq!(
        found,
        [
            "cases::syntax cases/mine.toml",
            "sources::not-utf-8 catalog/linkedin.toml"
        ]
    );
    assert_eq!(exit, 1);
}

#[test]
fn a_schema_that_is_missing_is_told_once_beside_the_rest() {
    let desk = Desk::with_policies();
    desk.types("rm policies/wayleave.cedarschema");
    desk.edit("policies/purposes.toml", "title = \"Recruiting\"", "title = Recruiting");
    let (found, exit) = told(&desk);
    assert_eq!(
        found,
        [
            "purposes::syntax purposes.toml",
            "sources::missing wayleave.cedarschema"
        ]
    );
    assert_eq!(exit, 1);
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_told_and_not_passed_over() {
    let desk = Desk::with_policies();
    desk.types("mkfifo policies/rules/x.cedar");
    let (found, exit) = told(&desk);
    assert_eq!(found, ["sources::no-file rules/x.cedar"]);
    assert_eq!(exit, 1);
}

#[test]
fn rules_written_on_windows_are_rules() {
    let desk = Desk::with_policies();
    for name in ["policies/rules/10-reach.cedar", "policies/wayleave.cedarschema"] {
        let text = desk.read(name).replace('\n', "\r\n");
        desk.write(name, &format!("\u{feff}{text}"));
    }
    assert_eq!(told(&desk), (Vec::new(), 0));
    assert_eq!(desk.types("wayleave fmt --check"), "exit 0\n");
    let settled = desk.read("policies/rules/10-reach.cedar");
    desk.edit("policies/rules/10-reach.cedar", "forbid (\r\n", "forbid(");
    assert_eq!(
        desk.types("wayleave fmt"),
        "exit 0\n--- stdout\npolicies/rules/10-reach.cedar\n"
    );
    assert_eq!(
        desk.read("policies/rules/10-reach.cedar"),
        settled.trim_start_matches('\u{feff}')
    );
}
