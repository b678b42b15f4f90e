//! Typing a rule once, for its scope, comes to what Cedar's validator says after typing it for everything.

use cedar_policy::{EntityUid, PolicySet, Schema, ValidationMode, Validator};
use proptest::prelude::*;

use super::index::{BOOK, joined_rule, rule};
use super::*;
use crate::policy::types::Types;

/// What typing a rule once came to, and what Cedar says.
fn both(schema: &Schema, rule: &str) -> [Option<Vec<EntityUid>>; 2] {
    let rule: cedar_policy::Policy = rule.parse().unwrap();
    let set = PolicySet::from_policies([rule.clone()]).unwrap();
    let told = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let kinds: BTreeSet<EntityUid> = rule
        .get_valid_request_envs(schema)
        .map(|kind| kind.action().clone())
        .collect();
    let silent = told.validation_passed_without_warnings();
    [
        Types::new(schema).alive(&rule),
        silent.then(|| kinds.into_iter().collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_typed_for_its_scope_is_as_cedars_validator_finds_it(rule in prop_oneof![4 => rule(), 1 => joined_rule()]) {
        let [ours, cedars] = both(&BOOK.schema, &rule);
        prop_assert_eq!(ours, cedars);
    }
}

#[test]
fn what_is_wrong_outside_the_types_is_left_to_cedar_too() {
    for (rule, fine) in [
        ("permit (principal, action, resource is Site);", true),
        ("permit (principal, action == Action::\"pots\", resource);", false),
        ("permit (principal in Rolle::\"staff\", action, resource);", false),
        (
            "permit (principal, action, resource) when { principal is Rolle };",
            false,
        ),
        (
            "permit (principal, action, resource) when { principal.employment == Employment::\"boss\" };",
            false,
        ),
        (
            "forbid (principal, action, resource is Site) when { resource.host == \"раураl.com\" };",
            false,
        ),
        (
            "permit (principal, action in [Action::\"post\", Action::\"approve\"], resource is Site) when { false };",
            false,
        ),
    ] {
        let [ours, cedars] = both(&BOOK.schema, rule);
        assert_eq!((ours.is_some(), &ours), (fine, &cedars), "{rule}");
    }
}

#[test]
fn a_scope_is_typed_alike_where_actions_are_for_different_principals() {
    let schema = "entity Team; entity Person in [Team]; entity Robot; entity Door;
        action move; action open in [move] appliesTo { principal: [Person], resource: [Door] };
        action oil in [move] appliesTo { principal: [Robot], resource: [Door] };";
    let whole: Schema = schema.parse().unwrap();
    let mut fine = 0;
    for principal in [
        "principal",
        "principal is Robot",
        "principal == Person::\"a\"",
        "principal == Robot::\"a\"",
        "principal == Team::\"a\"",
        "principal in Team::\"a\"",
        "principal in Door::\"a\"",
    ] {
        for action in [
            "action",
            "action == Action::\"open\"",
            "action == Action::\"move\"",
            "action in Action::\"move\"",
            "action in [Action::\"oil\", Action::\"open\"]",
            "action in []",
        ] {
            let rule = format!("permit ({principal}, {action}, resource);");
            let [ours, cedars] = both(&whole, &rule);
            fine += usize::from(ours.is_some());
            assert_eq!(ours, cedars, "{rule}");
        }
    }
    assert!((10..42).contains(&fine), "{fine}");
}

#[test]
fn a_value_that_no_list_has_is_told_whichever_namespace_the_list_is_in() {
    let text = format!("{}\nnamespace N {{ entity Color enum [\"red\"]; }}\n", schema().text);
    let rule = "@id(\"a\") @reason(\"R.\") @owner(\"IT\")\n\
                permit (principal, action == Action::\"connect\", resource) when { N::Color::\"blue\" != N::Color::\"red\" };";
    let schema = SourceText::new("wayleave.cedarschema", text);
    let rules = [SourceText::new("rules/99-test.cedar", rule)];
    let found = Policy::parse(&schema, &rules, &world()).unwrap_err().problems;
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .any(|line| line.contains("rule `a` names `N::Color::\"blue\"`, which the schema does not list")),
        "{told:?}"
    );
}
