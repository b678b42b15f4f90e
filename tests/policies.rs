//! The shipped rules: valid, linted, reached by their cases, the same in the program; and what typical mistakes are
//! told.
#![expect(clippy::unwrap_used, reason = "test helpers outside #[test] functions")]

use std::path::Path;

use wayleave::cli::cores;
use wayleave::facts::{Language, PolicyId, SourceText};
use wayleave::gatehouse::sources::read_folder;
use wayleave::rulebook::{Assembled, Rulebook, Sources};

fn files() -> Vec<SourceText> {
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap()
}

fn shipped() -> (Sources, Assembled) {
    let sources = Sources::from_files(files()).unwrap();
    let assembled = Rulebook::assemble(&sources).unwrap();
    (sources, assembled)
}

#[test]
fn the_shipped_rules_are_sound_without_a_warning_and_pass_their_cases() {
    let (sources, assembled) = shipped();
    let warnings: Vec<String> = assembled.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
    let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
    assert!(report.is_green(), "{:#?}", report.into_problems());
    assert!(report.passed() >= 200, "{}", report.passed());
}

#[test]
fn hosts_outside_the_catalogue_pass_unread_until_one_rule_has_them_read() {
    let inspected = |files: Vec<SourceText>| {
        let sources = Sources::from_files(files).unwrap();
        let Assembled {
            rulebook,
            directory,
            warnings,
            ..
        } = Rulebook::assemble(&sources).unwrap();
        assert!(warnings.is_empty(), "{warnings:#?}");
        assert!(
            rulebook.run_cases(&directory, &sources.cases).is_green(),
            "no case stands in its way"
        );
        let case = |inspect: bool| {
            let text = format!(
                "[defaults]\nat = 2026-11-24T09:30:00Z\n[[case]]\nit = \"x\"\nwho = \"dan\"\nto = \"crates.io:443\"\noutcome = \"allow\"\ninspect = {inspect}"
            );
            rulebook
                .run_cases(&directory, &[SourceText::new("cases/x.toml", text)])
                .is_green()
        };
        assert_ne!(case(true), case(false));
        case(true)
    };
    assert!(!inspected(files()));
    let rule = r#"@id("inspect.open-web") @title("All is read") @reason("All traffic is inspected.") @owner("IT")
        permit (principal, action == Action::"inspect", resource) unless { resource.classified };"#;
    let more = SourceText::new("rules/60-open-web.cedar", rule);
    assert!(inspected(files().into_iter().chain([more]).collect()));
}

/// The rule of the README that has Google's hosts read.
fn shared_google() -> SourceText {
    let readme = include_str!("../policies/README.md");
    let (_, rule) = readme.split_once("```cedar title=rules/70-shared.cedar\n").unwrap();
    let (rule, _) = rule.split_once("```").unwrap();
    SourceText::new("rules/70-shared.cedar", rule)
}

#[test]
fn where_a_host_that_youtube_shares_is_read_the_rules_about_youtube_hold_and_the_rest_of_it_is_open() {
    let sources = Sources::from_files(files().into_iter().chain([shared_google()]).collect()).unwrap();
    let assembled = Rulebook::assemble(&sources).unwrap();
    let warnings: Vec<String> = assembled.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
    let case = |who: &str, method: &str, path: &str, says: &str| {
        format!(
            "[[case]]\nit = \"{who} {method} {path}\"\nwho = \"{who}\"\nto = \"https://www.googleapis.com{path}\"\nmethod = \"{method}\"\n{says}\n"
        )
    };
    let text = [
        "[defaults]\nat = 2026-11-24T09:30:00Z\n".to_owned(),
        case(
            "eve",
            "POST",
            "/upload/youtube/v3/videos",
            "outcome = \"deny\"\nreads-as = \"upload\"",
        ),
        case(
            "eve",
            "POST",
            "/youtube/v3/commentThreads",
            "outcome = \"deny\"\nreads-as = \"comment\"",
        ),
        case(
            "eve",
            "GET",
            "/youtube/v3/videos/rate",
            "outcome = \"refused\"\nreads-as = \"react\"",
        ),
        case(
            "eve",
            "GET",
            "/youtube/v3/videos",
            "outcome = \"refused\"\nreads-as = \"browse\"",
        ),
        case(
            "eve",
            "POST",
            "/upload/drive/v3/files",
            "outcome = \"allow\"\ninspect = true",
        ),
        case("eve", "GET", "/oauth2/v3/certs", "outcome = \"allow\"\ninspect = true"),
    ]
    .concat();
    let report = assembled
        .rulebook
        .run_cases(&assembled.directory, &[SourceText::new("cases/x.toml", text)]);
    assert!(report.is_green(), "{:#?}", report.into_problems());
    assert_eq!(report.passed(), 6);
}

#[test]
fn of_a_hundred_changes_to_the_shipped_rules_the_cases_notice_at_least_ninety_five() {
    let (sources, assembled) = shipped();
    let rules = &assembled.rulebook;
    let (cases, problems) = rules.cases(&assembled.directory, &sources.cases);
    assert!(problems.is_empty(), "{problems:#?}");
    let touched = cores::each(&cases, |case| rules.touched(case));
    let mutation = assembled.mutation(&cases, &touched);
    let numbers: Vec<usize> = (0..mutation.count()).collect();
    let tried = cores::each(&numbers, |number| mutation.survivor(*number));
    let survivors: Vec<_> = tried.into_iter().flatten().collect();
    assert!(numbers.len() > 300, "{}", numbers.len());
    assert!(survivors.len() * 100 <= numbers.len() * 5, "{survivors:#?}");
}

#[test]
fn every_rule_has_a_name_a_reason_and_an_owner_and_is_reached() {
    let (sources, assembled) = shipped();
    let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
    for rule in assembled.rulebook.policy().rules() {
        for annotation in ["id", "title", "reason", "reason_fr", "owner"] {
            let text = rule.annotations.get(annotation);
            assert!(
                text.is_some_and(|text| !text.is_empty()),
                "{} has no @{annotation}",
                rule.id
            );
        }
    }
    assert_eq!(report.unreached.into_iter().collect::<Vec<_>>(), [] as [PolicyId; 0]);
}

#[test]
fn what_people_read_of_a_purpose_is_there_in_each_language() {
    let (_, assembled) = shipped();
    for purpose in assembled.rulebook.purposes().iter() {
        let texts = [&purpose.title, &purpose.description]
            .into_iter()
            .chain(&purpose.alternative);
        for text in texts {
            assert_ne!(text.said_in(Language::Fr), text.said_in(Language::En), "{}", purpose.id);
        }
    }
}

#[test]
fn the_program_carries_the_same_rules() {
    let built_in: Vec<SourceText> = Sources::embedded().files().cloned().collect();
    let by_name = |mut files: Vec<SourceText>| {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    };
    let (built_in, shipped) = (by_name(built_in), by_name(files()));
    let names = |files: &[SourceText]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&built_in), names(&shipped));
    assert!(built_in == shipped, "the same names, other texts");
    let id = |files: Vec<SourceText>| {
        let assembled = Rulebook::assemble(&Sources::from_files(files).unwrap()).unwrap();
        assembled.rulebook.id().clone()
    };
    assert_eq!(id(built_in), id(shipped));
}

/// What is said about the shipped rules when `from` in `file` is `to`.
fn told(file: &str, from: &str, to: &str) -> String {
    let mut files = files();
    let changed = files.iter_mut().find(|source| source.name == file).unwrap();
    assert!(changed.text.contains(from), "{from}");
    changed.text = changed.text.replacen(from, to, 1).into();
    said(files)
}

fn said(files: Vec<SourceText>) -> String {
    let assembled = Sources::from_files(files).and_then(|sources| {
        let assembled = Rulebook::assemble(&sources)?;
        let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
        let mut problems = report.into_problems();
        problems.extend(assembled.warnings);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    });
    let problems = assembled.err().unwrap_or_default();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn a_rule_that_names_what_does_not_exist_is_told_what_was_meant() {
    let rules = "rules/20-purposes.cedar";
    insta::assert_snapshot!(told(rules, "Role::\"recruiter\"", "Role::\"recruter\""), @"rules/20-purposes.cedar:49:16: rule `recruiting.read` names the role `recruter`, which nobody knows (did you mean `recruiter`? they are listed in the directory in `people/`)");
    insta::assert_snapshot!(told(rules, "Category::\"professional\"", "Category::\"profesional\""), @"rules/20-purposes.cedar:51:15: rule `recruiting.read` names the category `profesional`, which nobody knows (did you mean `professional`? they are listed in the tree in `catalog/categories.toml`)");
    insta::assert_snapshot!(told(rules, "PurposeKind::\"recruiting\",\n", "PurposeKind::\"recruting\",\n"), @"rules/20-purposes.cedar:19:4: rule `any.account` names the purpose `recruting`, which nobody knows (did you mean `recruiting`? they are listed in `purposes.toml`)");
    insta::assert_snapshot!(told(rules, "Action::\"logout\"", "Action::\"log-out\""), @r#"rules/20-purposes.cedar:13:31: for policy `any.account`, unrecognized action `Action::"log-out"` (did you mean `Action::"logout"`?)"#);
    insta::assert_snapshot!(told("rules/30-guardrails.cedar", "context.client.network", "context.client.netwrok"), @r#"rules/30-guardrails.cedar:107:8: for policy `guard.guest-network`, attribute `client.netwrok` in context for Action::"advertise" not found (did you mean `network`?)"#);
}

#[test]
fn a_rule_that_is_not_written_well_is_shown_where() {
    let rules = "rules/20-purposes.cedar";
    insta::assert_snapshot!(told(rules, "@reason(\"Signing in is open with your declared purpose.\")\n", ""), @r#"rules/20-purposes.cedar:6:1: rule `any.account` has no `@reason` (write `@reason("…")`: the sentence that people read when it decides)"#);
    insta::assert_snapshot!(told(rules, "@id(\"recruiting.read\")", "@id(\"any.account\")"), @"rules/20-purposes.cedar:43:1: two rules are called `any.account` (give this one a name of its own; the other is at rules/20-purposes.cedar:6)");
    insta::assert_snapshot!(told(rules, "when { context has purpose && context.purpose.kind == PurposeKind::\"recruiting\" };", "when { context.purpose.kind == PurposeKind::\"recruiting\" };"), @r#"rules/20-purposes.cedar:53:8: for policy `recruiting.read`, unable to guarantee safety of access to optional attribute `purpose` in context for Action::"browse" (try testing for the attribute's presence with `context has purpose && ..`)"#);
    insta::assert_snapshot!(told(rules, "when\n{\n  context has purpose &&\n  [", "when\n\n  context has purpose &&\n  ["), @"rules/20-purposes.cedar:18:3: unexpected token `context` (expected `{`)");
    insta::assert_snapshot!(told(rules, "@owner(\"IT\")\npermit", "@owner(\"IT\")\n@expires(\"soon\")\npermit"), @"rules/20-purposes.cedar:11:1: `soon` is not a date (write `2027-01-31`, its first moment in UTC, or `2027-01-31T18:00:00Z`)");
}

#[test]
fn a_purpose_a_person_a_host_or_a_case_with_a_mistake_is_shown_where() {
    insta::assert_snapshot!(told("purposes.toml", "title = { en = \"Recruiting\", fr = \"Recrutement\" }", "titel = { en = \"Recruiting\", fr = \"Recrutement\" }"), @r#"
    purposes.toml:273:1: `title` is missing (add `title = "…"`)
    purposes.toml:275:1: `titel` is not known here (did you mean `title`?)
    "#);
    insta::assert_snapshot!(told("purposes.toml", "id = \"recruiting\"", "id = \"recruitment\""), @"purposes.toml:274:6: the schema does not list the purpose `recruitment` (did you mean `recruiting`? otherwise add it to `PurposeKind` in the schema)");
    insta::assert_snapshot!(told("purposes.toml", "owner = \"hana\"", "owner = \"hanna\""), @"purposes.toml:248:9: `hanna` is not a person of the directory (did you mean `hana`?)");
    insta::assert_snapshot!(told("people/people.toml", "roles = [\"recruiter\"]", "roles = [\"recruter\"]"), @"people/people.toml:8:10: `recruter` is not a role of the directory (did you mean `recruiter`?)");
    insta::assert_snapshot!(told("people/people.toml", "time-zone = \"Europe/Paris\"", "time-zone = \"Europe/Pariss\""), @"people/people.toml:12:13: `Europe/Pariss` is not a time zone (write an IANA name such as `Europe/Paris`)");
    insta::assert_snapshot!(told("catalog/linkedin.toml", "category = \"professional\"", "category = \"profesional\""), @"catalog/linkedin.toml:6:12: `profesional` is not a known category (did you mean `professional`?)");
    insta::assert_snapshot!(told("catalog/x.toml", "activity = \"post\"", "activity = \"pst\""), @"catalog/x.toml:85:12: `pst` is not a known activity (did you mean `post`?)");
    insta::assert_snapshot!(told("cases/linkedin.toml", "who = \"ada\"", "who = \"adda\""), @"cases/linkedin.toml:17:7: there is no person `adda` (did you mean `ada`?)");
    insta::assert_snapshot!(told("cases/linkedin.toml", "outcome = \"declare\"", "outcome = \"allow\""), @r#"cases/linkedin.toml:16:6: the case `asks a recruiter for a purpose before the feed opens` fails: outcome: expected "allow", came "declare"; no rule permits it; offered: `recruiting`, `competitor-research`, `market-research`, `press-monitoring`, `social-listening`, `training-delivery` (change the rules or the case, then run `wayleave test`)"#);
}

#[test]
fn a_file_that_is_missing_or_stands_in_the_wrong_place_is_named() {
    let without = |name: &str| said(files().into_iter().filter(|file| file.name != name).collect());
    insta::assert_snapshot!(without("purposes.toml"), @"purposes.toml: `purposes.toml` is missing (start from the shipped folder)");
    insta::assert_snapshot!(without("wayleave.cedarschema"), @"wayleave.cedarschema: `wayleave.cedarschema` is missing (start from the shipped folder)");
    let mut more = files();
    more.push(SourceText::new("mine.cedar", "permit (principal, action, resource);"));
    insta::assert_snapshot!(said(more), @"mine.cedar: nothing reads `mine.cedar` (rules stand in `rules/*.cedar`, data in `*.toml` in `catalog/`, `people/`, `cases/` and `properties/`, all in lower case and without folders in them)");
}

#[test]
fn what_is_promised_of_approvals_speaks_of_every_purpose_that_needs_one() {
    let (sources, assembled) = shipped();
    let promised: Vec<_> = sources
        .properties
        .iter()
        .flat_map(|file| file.text.split("[[property]]"))
        .filter(|text| text.contains("name = \"approval-comes-first\""))
        .collect();
    let [promised] = promised[..] else {
        panic!("{promised:?}");
    };
    for purpose in assembled.rulebook.purposes().iter() {
        let names = promised.contains(&format!("PurposeKind::\"{}\"", purpose.id));
        assert_eq!(names, purpose.approval.is_needed(), "{}", purpose.id);
    }
}
