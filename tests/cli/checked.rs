//! What `check` finds in folders that are broken in more than one place, or come from elsewhere.

use super::desk::Desk;

/// What `check` finds, and its exit code.
fn problems(desk: &Desk) -> (Vec<serde_json::Value>, i32) {
    let output = desk.command("wayleave check --format json").output().unwrap();
    let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report.get_mut("problems").unwrap().as_array_mut().unwrap();
    (std::mem::take(problems), output.status.code().unwrap())
}

/// What `check` tells and about which files, and its exit code.
fn told(desk: &Desk) -> (Vec<String>, i32) {
    let (problems, exit) = problems(desk);
    let text = |problem: &serde_json::Value, key: &str| {
        let said = problem.get(key).unwrap().as_str().unwrap();
        said.replace("wayleave::", "")
    };
    let told = problems
        .iter()
        .map(|problem| format!("{} {}", text(problem, "code"), text(problem, "file")));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.dedup();
    (told, exit)
}

/// What `check` tells in full, each at its line.
fn sentences(desk: &Desk) -> String {
    let (problems, _) = problems(desk);
    let one = |problem: &serde_json::Value| {
        let text = |key: &str| problem.get(key).unwrap().as_str().unwrap().to_owned();
        let line = problem.get("line").unwrap();
        format!("{}:{line} {} ({})\n", text("file"), text("message"), text("help"))
    };
    problems.iter().map(one).collect()
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
fn a_slip_in_people_catalogue_or_purposes_hides_none_in_what_speaks_of_them() {
    let desk = Desk::with_policies();
    desk.write(
        "policies/people/z.toml",
        "[[person]]\nid = \"zoe\"\nroles = [\"recruitr\"]\ndepartment = \"hr\"\nemployment = \"employee\"\ntime-zone = \"UTC\"\n",
    );
    desk.edit("policies/catalog/9gag.toml", "\"media\"", "\"medai\"");
    desk.edit(
        "policies/purposes.toml",
        "departments = [\"marketing\"]",
        "departments = [\"marketng\"]",
    );
    desk.edit("policies/properties/people.toml", "Role::\"staff\"", "Role::\"stff\"");
    desk.edit("policies/properties/people.toml", "\"administer\"]", "\"publsh\"]");
    desk.write("policies/owners.toml", "[owners]\nrulez = \"IT\"\n");
    misspell_a_role(&desk);
    desk.write(
        "policies/cases/mine.toml",
        "[[case]]\nit = \"is wrong in many ways\"\nat = \"noon\"\nwho = \"adda\"\nto = \"ftp://x.com\"\npurpose = \"recruting\"\n\
         does = \"psot\"\noutcome = \"alow\"\npolicies = [\"recruiting.raed\"]\nunder = \"recruting\"\n",
    );
    insta::assert_snapshot!(sentences(&desk), @"
    catalog/9gag.toml:6 `medai` is not a known category (did you mean `media`?)
    owners.toml:2 there is no file or folder `rulez` (did you mean `rules`?)
    people/z.toml:3 `recruitr` is not a role of the directory (did you mean `recruiter`?)
    purposes.toml:37 `marketng` is not a department of the directory (did you mean `marketing`?)
    rules/20-purposes.cedar:49 rule `recruiting.read` names the role `recruter`, which nobody knows (did you mean `recruiter`? they are listed in the directory in `people/`)
    cases/mine.toml:10 there is no purpose `recruting` (did you mean `recruiting`?)
    cases/mine.toml:9 there is no rule `recruiting.raed` (did you mean `recruiting.read`?)
    cases/mine.toml:8 `alow` is not a value of `outcome` (did you mean `allow`?)
    cases/mine.toml:3 `noon` is not a moment (write `2026-11-24T10:00:00Z`)
    cases/mine.toml:4 there is no person `adda` (did you mean `ada`?)
    cases/mine.toml:5 `ftp://` is not a scheme that goes through the proxy (write a URL for a request, `host` or `host:443` for a tunnel)
    cases/mine.toml:6 there is no purpose `recruting` (did you mean `recruiting`?)
    cases/mine.toml:7 there is no activity `psot` (did you mean `post`?)
    properties/people.toml:9 there is no action or group `publsh` (did you mean `publish`?)
    properties/people.toml:23 nobody knows the role `stff` (did you mean `staff`?)
    ");
}

#[test]
fn a_purpose_that_schema_and_terms_spell_differently_is_told_once() {
    for (file, from, code) in [
        ("purposes.toml", "id = \"recruiting\"", "not-listed purposes.toml"),
        ("wayleave.cedarschema", "\"recruiting\", ", "not-listed purposes.toml"),
    ] {
        let desk = Desk::with_policies();
        desk.edit(
            &format!("policies/{file}"),
            from,
            &from.replace("recruiting", "recruting"),
        );
        let (mut found, exit) = told(&desk);
        // the rules are no part of it, unless the schema has another name than they
        found.retain(|one| file == "purposes.toml" || !one.starts_with("policy::unknown-purpose"));
        assert_eq!((found, exit), (vec![format!("purposes::{code}")], 1), "{file}");
    }
    let desk = Desk::with_policies();
    desk.edit(
        "policies/wayleave.cedarschema",
        "\"recruiting\", ",
        "\"recruiting\", \"gardening\", ",
    );
    assert_eq!(
        told(&desk),
        (vec!["purposes::no-terms wayleave.cedarschema".to_owned()], 1)
    );
}

#[test]
fn a_name_of_something_that_is_wrong_otherwise_is_known() {
    for (file, from, to) in [
        (
            "people/people.toml",
            "time-zone = \"Europe/Paris\"",
            "time-zone = \"Europe/Pari\"",
        ),
        ("people/roles.toml", "title", "titel"),
        ("purposes.toml", "owner = \"mia\"", "owner = \"mi a\""),
        ("purposes.toml", "approval = \"owner\"\n", "approval = \"ownr\"\n"),
        ("catalog/linkedin.toml", "id = \"linkedin\"\n", ""),
        ("catalog/linkedin.toml", "id = \"linkedin\"", "id = linkedin"),
        (
            "catalog/linkedin.toml",
            "category = \"professional\"",
            "category = [\"professional\"]",
        ),
        // of a list that is called otherwise, or an entry without a name, nobody knows what else there is
        ("catalog/categories.toml", "[[category]]", "[[categori]]"),
        ("catalog/categories.toml", "id = \"professional\"\n", ""),
        ("people/roles.toml", "[[role]]", "[[rol]]"),
        ("people/people.toml", "id = \"ada\"\n", ""),
        ("purposes.toml", "[[purpose]]\nid = \"recruiting\"\n", "[[purpose]]\n"),
    ] {
        let desk = Desk::with_policies();
        desk.edit(&format!("policies/{file}"), from, to);
        let (found, exit) = told(&desk);
        let elsewhere: Vec<&String> = found.iter().filter(|one| !one.ends_with(&format!(" {file}"))).collect();
        assert!(
            elsewhere.is_empty() && !found.is_empty() && exit == 1,
            "{from}: {found:#?}"
        );
    }
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
    desk.edit(
        "policies/purposes.toml",
        "title = { en = \"Recruiting\", fr = \"Recrutement\" }",
        "title = Recruiting",
    );
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
fn the_folder_of_rules_itself_can_be_formatted_and_one_without_rules_is_told() {
    let desk = Desk::with_policies();
    for line in ["wayleave fmt policies/rules", "cd policies/rules && wayleave fmt ."] {
        desk.edit("policies/rules/10-reach.cedar", "forbid (\n", "forbid(");
        let told = desk.types(&format!("{line} --check"));
        assert!(
            told.starts_with("exit 1\n") && told.contains("rules/10-reach.cedar\n"),
            "{told}"
        );
        assert!(desk.types(line).starts_with("exit 0\n"));
    }
    assert_eq!(desk.types("wayleave fmt --check"), "exit 0\n");
    let told = desk.types("wayleave fmt policies/people");
    assert!(
        told.starts_with("exit 2\n") && told.contains("`policies/people` has no files `rules/*.cedar`"),
        "{told}"
    );
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

#[test]
fn a_purpose_that_was_to_be_looked_at_again_is_warned_of_until_its_date_is_another() {
    let desk = Desk::with_policies();
    desk.edit("policies/purposes.toml", "review = 2027-06-30", "review = 2020-02-29");
    insta::assert_snapshot!(sentences(&desk), @"purposes.toml:47 the purpose `advertising-campaign` was to be looked at again by 2020-02-29, and its date is still that (let `mia`, who owns it, look at it again, and write the day of the next review)");
    let (found, exit) = told(&desk);
    assert_eq!(
        (found, exit),
        (vec!["purposes::past-review purposes.toml".to_owned()], 0)
    );
    desk.edit("policies/purposes.toml", "review = 2020-02-29", "review = 2999-02-28");
    assert_eq!(told(&desk), (Vec::new(), 0));
}
