//! What `check` finds in folders that are broken in more than one place, or come from elsewhere.

use super::desk::Desk;

/// What `check` tells and about which files, and its exit code.
fn told(desk: &Desk) -> (Vec<String>, i32) {
    let output = desk.command("wayleave check --format json").output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap().iter();
    let text = |problem: &serde_json::Value, key: &str| problem[key].as_str().unwrap().replace("wayleave::", "");
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
