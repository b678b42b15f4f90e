//! What `check` says of rules that Cedar alone would take.

use super::*;
use crate::facts::Severity;

/// Code, line, column and help of the only problem with these rules.
fn only(rules: &str) -> (String, (usize, usize), String, String) {
    let problems = problems(rules);
    let [problem] = &problems[..] else {
        panic!("{problems:#?}")
    };
    assert_eq!(problem.severity, Severity::Error);
    assert_eq!(problem.file, "rules/test.cedar");
    let help = problem.help.clone().unwrap_or_default();
    (
        problem.code.clone(),
        (problem.line, problem.column),
        problem.message.clone(),
        help,
    )
}

#[test]
fn a_rule_needs_a_name_and_a_reason() {
    let (code, place, ..) = only("// first\n@reason(\"R.\")\npermit (principal, action, resource);");
    assert_eq!((code.as_str(), place), ("wayleave::policy::no-id", (2, 1)));
    let (code, place, ..) = only("@id(\"a\")\npermit (principal, action, resource);");
    assert_eq!((code.as_str(), place), ("wayleave::policy::no-reason", (1, 1)));
    let (code, place, ..) = only("@id(\"a\") @reason(\" \")\npermit (principal, action, resource);");
    assert_eq!((code.as_str(), place), ("wayleave::policy::no-reason", (1, 10)));
    let (code, _, message, _) = only("@id(\"wayleave::x\") @reason(\"R.\")\npermit (principal, action, resource);");
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("wayleave::policy::bad-id", "`wayleave::x` is not a name for a rule")
    );
}

#[test]
fn what_people_read_of_a_rule_in_another_language_is_not_empty_and_translates_something() {
    let rule = |notes: &str| format!("@id(\"a\") @reason(\"R.\") {notes}\npermit (principal, action, resource);");
    for (wrong, says) in [
        ("@reason_fr(\" \")", "`@reason_fr` of the rule `a` says nothing"),
        ("@reason_fr", "`@reason_fr` of the rule `a` says nothing"),
        ("@title_fr(\"T.\")", "`@title_fr` of the rule `a` translates nothing"),
    ] {
        let (code, place, message, _) = only(&rule(wrong));
        assert_eq!(
            (code.as_str(), place),
            ("wayleave::policy::translation", (1, 24)),
            "{wrong}"
        );
        assert_eq!(message, says);
    }
    let (code, _, _, help) = only(&rule("@reason_fe(\"R.\")"));
    assert_eq!(
        (code.as_str(), help.as_str()),
        ("wayleave::policy::annotation", "did you mean `@reason_fr`?")
    );
    assert_eq!(
        problems(&rule("@reason_fr(\"Raison.\") @fix(\"a\") @fix_fr(\"b\")")),
        []
    );
}

#[test]
fn two_rules_of_one_name_are_refused_even_across_files() {
    let rule = |at: &str| SourceText::new(at, "@id(\"a\") @reason(\"R.\")\npermit (principal, action, resource);");
    let found = Policy::parse(&schema(), &[rule("rules/1.cedar"), rule("rules/2.cedar")], &world())
        .unwrap_err()
        .problems;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].file, "rules/2.cedar");
    assert_eq!(found[0].code, "wayleave::policy::duplicate-id");
    assert!(found[0].help.as_ref().unwrap().contains("rules/1.cedar:1"));
}

#[test]
fn names_that_nobody_knows_are_found_where_they_stand() {
    for (name, code, help) in [
        (
            "principal in Role::\"recruter\", action, resource",
            "role",
            "did you mean `recruiter`?",
        ),
        (
            "principal in Department::\"marketting\", action, resource",
            "department",
            "did you mean `marketing`?",
        ),
        (
            "principal, action, resource in Platform::\"linkdin\"",
            "platform",
            "did you mean `linkedin`?",
        ),
        (
            "principal, action, resource in Category::\"profesional\"",
            "category",
            "did you mean `professional`?",
        ),
        (
            "principal, action, resource in Category::\"zzz\"",
            "category",
            "category names are listed in",
        ),
        (
            "principal, action, resource == Site::\"WWW.LinkedIn.com\"",
            "host",
            "lower case",
        ),
        (
            "principal, action, resource == Purpose::\"recruitin\"",
            "purpose",
            "did you mean `recruiting`?",
        ),
    ] {
        let rules =
            format!("@id(\"a\")\n@reason(\"Role::\\\"recruter\\\"?\")\n// Role::\"recruter\"\npermit ({name});");
        let (found, (line, column), _, hint) = only(&rules);
        assert_eq!(found, format!("wayleave::policy::unknown-{code}"), "{name}");
        assert_eq!(line, 4, "{name}");
        let (before, _) = name.split_once("::").unwrap();
        let start = before.rfind(|c: char| !c.is_alphabetic()).unwrap() + 1;
        assert_eq!(column, "permit (".len() + start + 1, "{name}");
        assert!(hint.contains(help), "{name}: {hint}");
    }
}

#[test]
fn what_is_compared_or_looked_at_in_vain_is_told_with_what_there_is() {
    for (scope, condition, help) in [
        (
            "action == Action::\"connect\"",
            "context.request.bytes > 10",
            "`connect` is asked before there is a request: let the rule speak of activities, which have one",
        ),
        (
            "action == Action::\"approve\"",
            "context.purpose.kind == PurposeKind::\"recruiting\"",
            "the purpose is the resource here: look at `resource.kind`",
        ),
        (
            "action == Action::\"post\"",
            "context.channel == \"cli\"",
            "only `declare`, `approve`, `revoke`, `break-glass`, `see-value`, `give-delegation`, `make-token` and `see-decisions` have a channel",
        ),
        (
            "action == Action::\"post\"",
            "principal.employment == \"vendor\"",
            "compare it with one of `Employment::\"employee\"`, `Employment::\"contractor\"`, `Employment::\"intern\"`, \
             `Employment::\"vendor\"`",
        ),
    ] {
        let (_, _, message, told) = only(&format!(
            "@id(\"a\") @reason(\"R.\")\nforbid (principal, {scope}, resource)\nwhen {{ {condition} }};"
        ));
        assert_eq!(told, help, "{message}");
    }
}

#[test]
fn cedars_own_findings_come_with_their_place() {
    let (code, place, message, _) =
        only("@id(\"a\") @reason(\"R.\")\npermit (principal, action, resource) when { 1 + };");
    assert_eq!(
        (code.as_str(), place),
        ("wayleave::policy::syntax", (2, 49)),
        "{message}"
    );
    for (body, code, blamed) in [
        ("action == Action::\"browze\", resource)", "invalid", None),
        (
            "action == Action::\"connect\", resource) when { context.request.bytes > 1 }",
            "invalid",
            Some("context.request.bytes"),
        ),
        (
            "action == Action::\"browse\", resource) when { context has nothing }",
            "suspicious",
            None,
        ),
        (
            "action == Action::\"browse\", resource) when { principal.manager == principal }",
            "invalid",
            Some("principal.manager"),
        ),
        (
            "action == Action::\"browse\", resource) when { resource.risk > 3 }",
            "invalid",
            None,
        ),
        ("action == Action::\"browse\", resource is Purpose)", "suspicious", None),
        (
            "action == Action::\"browse\", resource) when { context.local.weekday > 5 && context.local.weekday < 3 && false }",
            "suspicious",
            None,
        ),
        (
            "action == Action::\"browse\", resource) when { principal.region == \"eu\u{202e}\" }",
            "suspicious",
            None,
        ),
    ] {
        let ending = if body.contains("when") || body.ends_with(')') {
            ";"
        } else {
            ""
        };
        let (found, place, message, _) = only(&format!(
            "@id(\"a\") @reason(\"R.\")\npermit (principal, {body}{ending}"
        ));
        assert_eq!(found, format!("wayleave::policy::{code}"), "{body}: {message}");
        if let Some(blamed) = blamed {
            let column = "permit (principal, ".len() + body.find(blamed).unwrap() + 1;
            assert_eq!(place, (2, column), "{body}: {message}");
        }
    }
}

#[test]
fn an_action_of_a_list_that_can_never_apply_is_named() {
    let (code, place, message, _) = only(
        "@id(\"a\") @reason(\"R.\")\npermit (principal, action in [Action::\"browse\", Action::\"declare\"], resource is Site);",
    );
    assert_eq!(code, "wayleave::policy::dead-action");
    assert_eq!(place, (2, 49));
    assert_eq!(message, "rule `a` can never apply to `Action::\"declare\"`");
}

#[test]
fn retention_that_nothing_provides_must_not_be_promised() {
    for rule in [
        "permit (principal, action == Action::\"archive\", resource);",
        "permit (principal, action in [Action::\"browse\", Action::\"archive\"], resource is Site);",
        "permit (principal, action, resource is Site) when { action == Action::\"archive\" };",
    ] {
        let found = problems(&format!("@id(\"a\") @reason(\"R.\")\n{rule}"));
        let archive: Vec<_> = found
            .iter()
            .filter(|problem| problem.code == "wayleave::policy::archive")
            .collect();
        let [problem] = archive[..] else { panic!("{found:#?}") };
        assert!(problem.message.contains("nothing retains content yet"));
        assert_eq!(problem.line, 2);
    }
    assert_eq!(
        problems("@id(\"a\") @reason(\"R.\")\nforbid (principal, action, resource is Site);"),
        []
    );
}

#[test]
fn what_an_annotation_seems_to_promise_it_keeps() {
    let rule = |notes: &str, effect: &str| {
        format!("@id(\"a\") @reason(\"R.\") {notes}\n{effect} (principal, action, resource);")
    };
    let (code, place, ..) = only(&rule("@expires(\"2027-01-31\")", "forbid"));
    assert_eq!((code.as_str(), place), ("wayleave::policy::expires", (1, 24)));
    let (code, _, message, _) = only(&rule("@expires(\"31.1.2027\")", "permit"));
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("wayleave::policy::expires", "`31.1.2027` is not a date")
    );
    let (code, _, _, help) = only(&rule("@expire(\"2027-01-31\")", "permit"));
    assert_eq!(
        (code.as_str(), help.as_str()),
        ("wayleave::policy::annotation", "did you mean `@expires`?")
    );
    for (wrong, meant) in [
        ("@mode(\"observed\")", "did you mean `@mode(\"observe\")`?"),
        ("@mode(\"coached\")", "did you mean `@mode(\"coach\")`?"),
        (
            "@mode(\"\")",
            "write `@mode(\"observe\")` while the rule is on probation, `@mode(\"coach\")` while whoever was told why may \
             continue; without `@mode` it counts",
        ),
    ] {
        let (code, _, _, help) = only(&rule(wrong, "forbid"));
        assert_eq!((code.as_str(), help.as_str()), ("wayleave::policy::mode", meant));
    }
    for fine in [
        "@expires(\"2027-01-31\")",
        "@expires(\"2027-01-31T18:00:00+01:00\")",
        "@ticket(\"SEC-7\")",
        "@mode(\"enforce\")",
    ] {
        assert_eq!(problems(&rule(fine, "permit")), [], "{fine}");
    }
}

#[test]
fn a_rule_on_probation_speaks_of_what_records_tell() {
    for (scope, fine) in [
        ("(principal, action, resource is Site)", true),
        ("(principal, action == Action::\"connect\", resource)", true),
        ("(principal, action in Action::\"publish\", resource)", true),
        ("(principal, action, resource)", false),
        ("(principal, action == Action::\"declare\", resource)", false),
        (
            "(principal, action in [Action::\"browse\", Action::\"approve\"], resource)",
            false,
        ),
    ] {
        let rule = format!("@id(\"a\") @reason(\"R.\") @mode(\"observe\")\nforbid {scope};");
        let found: Vec<String> = problems(&rule).into_iter().map(|problem| problem.code).collect();
        let expected: &[&str] = if fine { &[] } else { &["wayleave::policy::mode"] };
        assert_eq!(found, expected, "{scope}");
    }
}

#[test]
fn a_rule_coaches_where_a_page_can_tell_why() {
    for (scope, fine) in [
        (
            "(principal, action in [Action::\"connect\", Action::\"activity\"], resource)",
            true,
        ),
        ("(principal, action == Action::\"connect\", resource)", true),
        ("(principal, action in Action::\"publish\", resource)", true),
        ("(principal, action, resource is Site)", false),
        ("(principal, action == Action::\"inspect\", resource)", false),
        ("(principal, action == Action::\"declare\", resource)", false),
    ] {
        for effect in ["permit", "forbid"] {
            let rule = format!("@id(\"a\") @reason(\"R.\") @mode(\"coach\")\n{effect} {scope};");
            let found: Vec<String> = problems(&rule).into_iter().map(|problem| problem.code).collect();
            let expected: &[&str] = if fine { &[] } else { &["wayleave::policy::mode"] };
            assert_eq!(found, expected, "{effect} {scope}");
        }
    }
}

#[test]
fn a_rule_cannot_look_at_what_nobody_knows() {
    for (body, path) in [
        (
            "principal has manager && principal.manager.region == \"us\"",
            "principal.manager",
        ),
        (
            "principal has manager && principal.manager in Role::\"staff\"",
            "principal.manager",
        ),
        (
            "context has purpose && context.purpose has approvedBy && context.purpose.approvedBy in Role::\"staff\"",
            "context.purpose.approvedBy",
        ),
        (
            "context has purpose && context.purpose has approvedBy && context.purpose.approvedBy.hasTag(\"x\")",
            "context.purpose.approvedBy",
        ),
        ("principal has manager.manager", "principal.manager"),
        ("context has purpose.approvedBy.region", "context.purpose.approvedBy"),
        (
            "Platform::\"linkedin\" in Category::\"social\"",
            "Platform::\"linkedin\"",
        ),
        (
            "principal has manager && (if context.proof.strong then principal.manager else principal) in Role::\"staff\"",
            "something computed",
        ),
    ] {
        let rules = format!(
            "@id(\"a\") @reason(\"R.\")\nforbid (principal, action == Action::\"browse\", resource)\nwhen {{ {body} }};"
        );
        let found = problems(&rules);
        let hidden: Vec<_> = found
            .iter()
            .filter(|problem| problem.code == "wayleave::policy::out-of-sight")
            .collect();
        let [problem] = hidden[..] else {
            panic!("{body} {found:#?}")
        };
        assert!(problem.message.contains(&format!("`{path}`")), "{}", problem.message);
        // what is computed, or stands in a `has` of several steps, has no words of its own to point at
        assert_eq!(problem.line, if body.contains(path) { 3 } else { 1 });
    }
}

#[test]
fn a_rule_may_look_at_what_the_request_brings_along() {
    for body in [
        "principal has manager && principal.manager == principal",
        "context has purpose && resource in context.purpose.platforms",
        "context has purpose && context.purpose has ticket && context.purpose.ticket like \"HR-*\"",
        "principal in Role::\"staff\" && principal is User in Department::\"company\" && resource is Site",
        "principal.hasTag(\"x\") && principal.getTag(\"x\") > context.now && context.client.ip.isInRange(ip(\"10.0.0.0/8\"))",
        "action in Action::\"read\" && !(resource in [Platform::\"x\", Platform::\"linkedin\"])",
    ] {
        let rules = format!(
            "@id(\"a\") @reason(\"R.\")\npermit (principal, action == Action::\"browse\", resource)\nwhen {{ {body} }};"
        );
        assert_eq!(problems(&rules), [], "{body}");
    }
    let portal = "@id(\"a\") @reason(\"R.\")\npermit (principal, action == Action::\"approve\", resource)\nwhen { resource.declarer has manager && resource.declarer in Role::\"staff\" };";
    assert_eq!(problems(portal), []);
}

#[test]
fn all_problems_come_at_once() {
    let found = problems(
        "permit (principal in Role::\"nobody\", action, resource);\n@id(\"b\")\npermit (principal, action == Action::\"archive\", resource);",
    );
    let codes: Vec<&str> = found
        .iter()
        .map(|problem| problem.code.trim_start_matches("wayleave::policy::"))
        .collect();
    assert_eq!(codes, ["no-id", "no-reason", "no-reason", "archive", "unknown-role"]);
    let bad_schema = SourceText::new("wayleave.cedarschema", "entity User {");
    let found = Policy::parse(&bad_schema, &[SourceText::new("rules/a.cedar", "permit")], &world())
        .unwrap_err()
        .problems;
    let files: Vec<&str> = found.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["wayleave.cedarschema", "rules/a.cedar"]);
}

#[test]
fn rules_with_slots_are_refused() {
    let (code, place, ..) = only("\n@id(\"a\") @reason(\"R.\")\npermit (principal == ?principal, action, resource);");
    assert_eq!((code.as_str(), place.0), ("wayleave::policy::template", 2));
}

#[test]
fn schema_and_gateway_agree_attribute_by_attribute() {
    let shipped = schema();
    let with = |from: &str, to: &str| {
        assert!(shipped.text.contains(from), "{from}");
        let schema = SourceText::new("wayleave.cedarschema", shipped.text.replacen(from, to, 1));
        match Policy::parse(&schema, &[], &world()) {
            Ok((_, warnings)) => warnings,
            Err(unfit) => unfit.problems,
        }
    };
    assert_eq!(with("String", "String"), []);
    // The schema has what nobody fills, for every type and context.
    for (from, to, name) in [
        ("region: String,", "region: String, desk?: Long,", "User.desk"),
        ("classified: Bool,", "classified: Bool, risk?: Long,", "Site.risk"),
        (
            "maxDuration: duration,",
            "maxDuration: duration, value?: Long,",
            "Purpose.value",
        ),
        ("path: String,", "path: String, query?: String,", "post.request.query"),
        (
            "ticket?: String,",
            "ticket?: String, note?: String,",
            "connect.purpose.note",
        ),
        ("channel: String,", "channel: String, form?: String,", "approve.form"),
    ] {
        let found = with(from, to);
        assert!(
            found
                .iter()
                .any(|p| p.message == format!("the schema declares `{name}`, which nothing provides")),
            "{name} {found:#?}"
        );
    }
    // The schema requires what nobody fills, or lacks what we fill, or has it as another type.
    for (from, to) in [
        ("region: String,", "region: String, desk: Long,"),
        ("  region: String,", ""),
        ("region: String,", "region: Long,"),
        ("host: String,\n", ""),
        ("onLegalHold: Bool,", ""),
        ("manager?: User,", "manager: User,"),
        ("contentType?: String", "contentType: String"),
        ("weekday: Long", "weekday: String"),
        ("approvedBy?: User,", "approvedBy: User,"),
        ("tags datetime", "tags String"),
        ("channel: String,", ""),
        ("businessOwner: User,", ""),
    ] {
        let found = with(from, to);
        assert!(
            !found.is_empty() && found.iter().all(|p| p.code == "wayleave::schema::mapping"),
            "{from} {found:#?}"
        );
    }
    let unasked = with(
        "action archive ",
        "action reveal appliesTo { principal: User, resource: Site, context: ConnectContext };\naction archive ",
    );
    assert!(unasked[0].message.contains("no activity `reveal`"), "{unasked:#?}");
}

#[test]
fn a_schema_without_what_we_speak_of_is_refused() {
    let found = Policy::parse(&SourceText::new("s.cedarschema", "entity User;"), &[], &world())
        .unwrap_err()
        .problems;
    let messages: Vec<&str> = found.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the schema names no activities",
            "the schema names no purposes",
            "the schema names no kinds of employment"
        ]
    );
}

#[test]
fn a_comment_that_quotes_a_rule_is_not_that_rule() {
    let rule = "@id(\"a\") @reason(\"R. // not a comment\")\npermit (principal, action, resource);";
    let commented = rule
        .lines()
        .map(|line| format!("// {line}"))
        .collect::<Vec<_>>()
        .join("\n");
    let policy = parsed(&[SourceText::new(
        "rules/test.cedar",
        format!("{commented}\n{rule} // end\n"),
    )]);
    let found = policy.rule(&super::super::PolicyId::new("a")).unwrap();
    assert_eq!((found.line, found.text.as_str()), (3, rule));
    assert_eq!(found.reason, "R. // not a comment");
}

#[test]
fn named_things_are_listed_for_cross_checks() {
    let named = shipped().named();
    let has = |kind: super::super::NamedKind, id: &str| named.iter().any(|name| name.kind == kind && name.id == id);
    assert!(has(super::super::NamedKind::Role, "recruiter"));
    assert!(has(super::super::NamedKind::Department, "marketing"));
    assert!(has(super::super::NamedKind::Category, "evasion"));
    assert!(has(super::super::NamedKind::Purpose, "personal-break"));
}

/// Conditions of a few more than so many levels.
pub(super) fn deep(levels: usize) -> [String; 5] {
    let chain = |operator: &str, part: &str| vec![part; levels].join(operator);
    [
        chain(" || ", "resource.host == \"x\""),
        chain(" && ", "resource.host == \"x\""),
        format!("1 < {}", chain(" + ", "1")),
        format!(
            "context.now{} < context.now",
            ".offset(duration(\"1h\"))".repeat(levels / 2)
        ),
        format!("resource.host == \"x\" && ({})", chain(" || ", "resource.classified")),
    ]
}

#[test]
fn a_condition_that_is_nested_deeper_than_cedar_follows_is_refused_and_does_no_harm() {
    for levels in [crate::policy::depth::DEEPEST + 2, 8_000, 30_000] {
        for condition in deep(levels) {
            let rules =
                format!("@id(\"a\") @reason(\"R.\")\nforbid (principal, action, resource)\nwhen {{ {condition} }};");
            let (code, _, message, help) = only(&rules);
            // what is deeper by far is not even parsed
            let expected = if levels > 1_000 { "syntax" } else { "too-deep" };
            assert_eq!(code, format!("wayleave::policy::{expected}"), "{message}");
            assert!(help.contains("[\"…\"].contains(resource.host)"), "{help}");
        }
    }
}
