//! Ways to break the policies, and what `check` says to each: what is wrong, where, and how to fix it.

use super::desk::Desk;

const RULES: &str = "policies/rules/50-mine.cedar";

/// What `check` says to one more file of rules.
fn ruled(text: &str) -> String {
    let desk = Desk::with_policies();
    desk.write(RULES, text);
    desk.types("wayleave check")
}

#[test]
fn a_typo_in_an_attribute() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\")\nforbid (principal, action in Action::\"publish\", resource in Category::\"social-media\")\nwhen { principal.employmnt == Employment::\"vendor\" };\n"), @r#"
    exit 1
    --- stdout
    wayleave::policy::invalid

      × for policy `mine`, attribute `employmnt` on entity type `User` not found
       ╭─[rules/50-mine.cedar:3:8]
     2 │ forbid (principal, action in Action::"publish", resource in Category::"social-media")
     3 │ when { principal.employmnt == Employment::"vendor" };
       ·        ─────────┬─────────
       ·                 ╰── here
       ╰────
      help: did you mean `employment`?

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn an_unknown_purpose() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\")\npermit (principal in Role::\"staff\", action == Action::\"share\", resource in Category::\"professional\")\nwhen { context has purpose && context.purpose.kind == PurposeKind::\"recruting\" };\n"), @r#"
    exit 1
    --- stdout
    wayleave::policy::unknown-purpose

      × rule `mine` names the purpose `recruting`, which nobody knows
       ╭─[rules/50-mine.cedar:3:55]
     2 │ permit (principal in Role::"staff", action == Action::"share", resource in Category::"professional")
     3 │ when { context has purpose && context.purpose.kind == PurposeKind::"recruting" };
       ·                                                       ────────────┬───────────
       ·                                                                   ╰── here
       ╰────
      help: did you mean `recruiting`? they are listed in `purposes.toml`

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn a_missing_id() {
    insta::assert_snapshot!(ruled("@reason(\"Mine.\") @owner(\"IT\")\nforbid (principal, action == Action::\"sell\", resource in Category::\"social-media\");\n"), @r#"
    exit 1
    --- stdout
    wayleave::policy::no-id

      × this rule has no `@id`
       ╭─[rules/50-mine.cedar:1:1]
     1 │ @reason("Mine.") @owner("IT")
       · ┬
       · ╰── here
     2 │ forbid (principal, action == Action::"sell", resource in Category::"social-media");
       ╰────
      help: write `@id("area.what")` above it: records and explanations name it so

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn a_rule_that_has_expired() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\") @expires(\"2020-01-01\")\npermit (principal in Role::\"finance\", action == Action::\"sell\", resource in Category::\"social-media\");\n"), @r#"
    exit 0
    --- stdout
    wayleave::policy::expired

      ⚠ rule `mine` expired on 2020-01-01 and permits nothing any more
       ╭─[rules/50-mine.cedar:1:64]
     1 │ @id("mine") @reason("Mine.") @owner("IT") @untested("example") @expires("2020-01-01")
       ·                                                                ────┬───
       ·                                                                    ╰── here
     2 │ permit (principal in Role::"finance", action == Action::"sell", resource in Category::"social-media");
       ╰────
      help: remove it, or renew its `@expires` with its owner

    policies: sound (55 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 1 warning
    "#);
}

#[test]
fn what_an_expired_rule_would_have_permitted_names_it() {
    let desk = Desk::with_policies();
    let file = "policies/rules/20-purposes.cedar";
    let id = "@id(\"recruiting.read\")";
    let text = desk.read(file).replace(id, &format!("{id}\n@expires(\"2026-01-01\")"));
    desk.write(file, &text);
    let told = desk.types("wayleave test policies");
    let feed = told.split_once("it opens the feed for recruiting\n").unwrap().1;
    let feed = feed.split_once("offered").unwrap().0;
    assert!(
        feed.ends_with("no rule permits it\n     `recruiting.read` would permit it, but expired on [time]\n     "),
        "{feed}"
    );
    let line =
        "wayleave explain --as ada --to https://www.linkedin.com/feed/ --purpose recruiting --at 2026-11-24T09:30:00Z";
    let told = desk.types(line);
    let why = "  `recruiting.read`, asked for browse\n    failed: @expires(\"[time]\")  [context.now is [time]]\n  `";
    assert!(told.contains(why), "{told}");
}

#[test]
fn rules_that_contradict_each_other() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\")\npermit (principal in Role::\"engineer\", action == Action::\"connect\", resource in Category::\"evasion\");\n"), @r#"
    exit 0
    --- stdout
    wayleave::policy::never

      ⚠ rule `mine` never permits anything: `connect.no-evasion` forbids all of it
       ╭─[rules/50-mine.cedar:1:1]
     1 │ @id("mine") @reason("Mine.") @owner("IT") @untested("example")
       · ─┬─
       ·  ╰── here
     2 │ permit (principal in Role::"engineer", action == Action::"connect", resource in Category::"evasion");
       ╰────
      help: remove it, or except it in the forbid at rules/10-reach.cedar:77

    policies: sound (55 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 1 warning
    "#);
}

#[test]
fn an_unknown_domain() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\")\nforbid (principal, action == Action::\"connect\", resource == Site::\"www.linkdin.com\");\n"), @r#"
    exit 0
    --- stdout
    wayleave::policy::unknown-host

      ⚠ rule `mine` names the host `www.linkdin.com`, which is on no platform
       ╭─[rules/50-mine.cedar:2:61]
     1 │ @id("mine") @reason("Mine.") @owner("IT") @untested("example")
     2 │ forbid (principal, action == Action::"connect", resource == Site::"www.linkdin.com");
       ·                                                             ───────────┬───────────
       ·                                                                        ╰── here
       ╰────
      help: did you mean `www.linkedin.com`?

    policies: sound (55 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 1 warning
    "#);
}

#[test]
fn a_platform_that_is_there_twice() {
    let desk = Desk::with_policies();
    let copy = desk.read("policies/catalog/goodreads.toml");
    desk.write("policies/catalog/goodreads-2.toml", &copy);
    insta::assert_snapshot!(desk.types("wayleave check"), @r#"
    exit 1
    --- stdout
    wayleave::catalog::duplicate

      × `goodreads-2.toml` declares the platform `goodreads`, which is declared in `catalog/
      │ goodreads.toml` already
       ╭─[catalog/goodreads-2.toml:3:6]
     2 │ # Goodreads: how wayleave knows its hosts and reads its requests. The keys are described in README.md beside it.
     3 │ id = "goodreads"
       ·      ─────┬─────
       ·           ╰── here
     4 │ name = "Goodreads"
       ╰────
      help: give it an id, hosts and signatures of its own, or remove the file; it was not read any
            further

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn toml_that_is_none() {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/purposes.toml",
        "title = { en = \"Recruiting\", fr = \"Recrutement\" }",
        "title = Recruiting",
    );
    insta::assert_snapshot!(desk.types("wayleave check"), @r#"
    exit 1
    --- stdout
    wayleave::purposes::syntax

      × string values must be quoted, expected literal string
         ╭─[purposes.toml:275:9]
     274 │ id = "recruiting"
     275 │ title = Recruiting
         ·         ─────┬────
         ·              ╰── here
     276 │ description = { en = "Find candidates, write to them, post jobs.", fr = "Trouver des candidats, leur écrire, publier des offres d’emploi." }
         ╰────
      help: write it as TOML (https://toml.io): texts stand in quotes, lists in brackets

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn a_bracket_or_quote_that_is_missing_is_one_mistake_and_told_where_something_opens() {
    let broken = |from: &str, to: &str| {
        let desk = Desk::with_policies();
        desk.edit("policies/purposes.toml", from, to);
        desk.types("wayleave check")
    };
    let (categories, title) = (
        "[\"professional\"]",
        "title = { en = \"Recruiting\", fr = \"Recrutement\" }",
    );
    insta::assert_snapshot!(broken(categories, "[\"professional\""), @r#"
    exit 1
    --- stdout
    wayleave::purposes::syntax

      × this `[` is not closed before line 238
         ╭─[purposes.toml:237:14]
     236 │ roles = ["manager", "executive", "marketer"]
     237 │ categories = ["professional"
         ·              ┬
         ·              ╰── here
     238 │ covers = ["read", "engage", "publish"]
         ╰────
      help: write `]` where it ends

    policies: 1 error, 0 warnings
    "#);
    insta::assert_snapshot!(broken(title, "title = \"Recruiting"), @r#"
    exit 1
    --- stdout
    wayleave::purposes::syntax

      × a `"` is missing in this line: the text that begins here does not end in it
         ╭─[purposes.toml:275:9]
     274 │ id = "recruiting"
     275 │ title = "Recruiting
         ·         ┬
         ·         ╰── here
     276 │ description = { en = "Find candidates, write to them, post jobs.", fr = "Trouver des candidats, leur écrire, publier des offres d’emploi." }
         ╰────
      help: a text stands between two quotes in one line, a longer one between `"""` and `"""`

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn a_purpose_that_covers_nothing_of_what_a_rule_permits_is_told_and_one_that_covers_a_part_is_not() {
    let rule = |actions: &str| {
        ruled(&format!(
            "@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\")\n\
             permit (principal in Role::\"engineer\", action in [{actions}], resource in Category::\"professional\")\n\
             when {{ context has purpose && [PurposeKind::\"recruiting\", PurposeKind::\"market-research\"].contains(context.purpose.kind) }};\n"
        ))
    };
    insta::assert_snapshot!(rule("Action::\"share\", Action::\"moderate\""), @r#"
    exit 0
    --- stdout
    wayleave::policy::not-covered

      ⚠ rule `mine` permits nothing that grants for the purpose `market-research` cover: they never
      │ cover `administer`, `publish`
       ╭─[rules/50-mine.cedar:3:59]
     2 │ permit (principal in Role::"engineer", action in [Action::"share", Action::"moderate"], resource in Category::"professional")
     3 │ when { context has purpose && [PurposeKind::"recruiting", PurposeKind::"market-research"].contains(context.purpose.kind) };
       ·                                                           ───────────────┬──────────────
       ·                                                                          ╰── here
       ╰────
      help: add `administer`, `publish` to its `covers` in `purposes.toml`, or leave the purpose out
            of the rule: what a grant does not cover is refused under it, by `guard.scope*` on social
            media

    policies: sound (55 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 1 warning
    "#);
    for part in [
        "Action::\"share\", Action::\"search\"",
        "Action::\"login\"",
        "Action::\"connect\"",
    ] {
        let told = rule(part);
        assert!(told.contains("; 0 warnings"), "{told}");
    }
}

#[test]
fn a_purpose_that_the_schema_alone_lacks_or_a_misspelt_employment_is_told_in_plain_words() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"IT\") @untested(\"example\")\nforbid (principal, action == Action::\"sell\", resource in Category::\"professional\")\nwhen { principal.employment == Employment::\"vendr\" };\n"), @r#"
    exit 1
    --- stdout
    wayleave::policy::unknown-value

      × rule `mine` names `Employment::"vendr"`, which the schema does not list
       ╭─[rules/50-mine.cedar:3:32]
     2 │ forbid (principal, action == Action::"sell", resource in Category::"professional")
     3 │ when { principal.employment == Employment::"vendr" };
       ·                                ─────────┬─────────
       ·                                         ╰── here
       ╰────
      help: did you mean `vendor`? otherwise add it to `Employment` in the schema

    policies: 1 error, 0 warnings
    "#);
    let desk = Desk::with_policies();
    desk.edit("policies/wayleave.cedarschema", "\"recruiting\", ", "");
    let told = desk.types("wayleave check");
    let said = "rule `recruiting.read` names the purpose `recruiting`, which the schema does not list";
    assert!(
        told.starts_with("exit 1") && told.contains(said) && !told.contains("eid"),
        "{told}"
    );
}

#[test]
fn a_promise_to_keep_what_nothing_keeps() {
    insta::assert_snapshot!(ruled("@id(\"mine\") @reason(\"Mine.\") @owner(\"legal\") @untested(\"example\")\npermit (principal, action == Action::\"archive\", resource in Category::\"social-media\");\n"), @r#"
    exit 1
    --- stdout
    wayleave::policy::archive

      × rule `mine` promises retention, and nothing retains content yet
       ╭─[rules/50-mine.cedar:2:30]
     1 │ @id("mine") @reason("Mine.") @owner("legal") @untested("example")
     2 │ permit (principal, action == Action::"archive", resource in Category::"social-media");
       ·                              ────────┬────────
       ·                                      ╰── here
       ╰────
      help: remove the rule until there is an archive: nobody may rely on what is not kept

    policies: 1 error, 0 warnings
    "#);
}
