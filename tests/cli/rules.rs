//! `check`, `test` and `explain`.

use super::desk::Desk;

#[test]
fn without_a_folder_the_built_in_policies_are_checked_and_tested() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave check"), @"
    exit 0
    --- stdout
    the built-in policies: sound (54 rules, 20 purposes, 87 platforms, 17 people), rulebook [rulebook]; 0 warnings
    ");
    insta::assert_snapshot!(desk.types("wayleave test"), @"
    exit 0
    --- stdout
    263 passed, 0 failed
    exercised: 54 of 54 rules, 129 of 131 conditions both ways
    ");
    insta::assert_snapshot!(desk.types("wayleave check --format json"), @r#"
    exit 0
    --- stdout
    {
      "sound": true,
      "errors": 0,
      "warnings": 0,
      "problems": [],
      "rulebook": "[rulebook]"
    }
    "#);
}

#[test]
fn a_folder_that_is_not_there_is_not_understood() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave check nowhere"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
    insta::assert_snapshot!(desk.types("wayleave check nowhere --format json"), @r#"
    exit 2
    --- stdout
    {
      "sound": false,
      "errors": 1,
      "warnings": 0,
      "problems": [
        {
          "severity": "error",
          "code": "wayleave::sources::unreadable",
          "file": "",
          "line": 0,
          "column": 0,
          "span": [
            0,
            0
          ],
          "message": "`nowhere` cannot be read: No such file or directory (os error 2)",
          "help": "name the folder that holds `wayleave.cedarschema` and `rules/`"
        }
      ],
      "rulebook": null
    }
    "#);
    insta::assert_snapshot!(desk.types("wayleave test nowhere"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
    insta::assert_snapshot!(desk.types("wayleave explain nowhere --as ada --to https://x.com/"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
}

#[test]
fn the_folder_stands_behind_the_command_wherever_there_is_one_and_no_record_is_taken_for_it() {
    let desk = Desk::with_policies();
    desk.types("mv policies elsewhere");
    desk.edit(
        "elsewhere/rules/10-reach.cedar",
        "@id(\"connect.open-web\")",
        "@id(\"connect.anywhere\")",
    );
    let asked = "--as dan --to https://www.example.org/ --at 2026-11-24T10:00:00Z";
    for line in [
        format!("wayleave explain elsewhere {asked}"),
        format!("wayleave explain {asked} elsewhere"),
        format!("wayleave explain {asked} --policies elsewhere"),
    ] {
        let told = desk.types(&line);
        assert!(
            told.starts_with("exit 0") && told.contains("`connect.anywhere`"),
            "{line}: {told}"
        );
    }
    for (line, said) in [
        (
            format!("wayleave explain 0190 elsewhere {asked}"),
            "error: name a record, or describe a request",
        ),
        (
            "wayleave explain elsewhere".to_owned(),
            "error: `elsewhere` is a folder: say who asks (`--as`)",
        ),
        (
            "wayleave explain 0190 --method POST".to_owned(),
            "error: the following required arguments",
        ),
        (
            "wayleave explain --as dan".to_owned(),
            "error: the following required arguments",
        ),
        (
            format!("wayleave explain elsewhere {asked} --policies elsewhere"),
            "error: name a record",
        ),
        (
            "wayleave replay a --policies b --records c".to_owned(),
            "cannot be used with",
        ),
        ("wayleave demo a --policies b".to_owned(), "cannot be used with"),
    ] {
        let told = desk.types(&line);
        assert!(told.starts_with("exit 2") && told.contains(said), "{line}: {told}");
    }
    for command in [
        "check", "test", "fmt", "prove", "matrix", "owners", "replay", "explain", "demo",
    ] {
        let help = desk.types(&format!("wayleave {command} --help"));
        assert!(
            help.contains("[DIR]") && help.contains("The folder of policies"),
            "{help}"
        );
    }
}

#[test]
fn a_rule_with_a_mistake_is_shown_where_it_stands() {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/rules/20-purposes.cedar",
        "Role::\"recruiter\"",
        "Role::\"recruter\"",
    );
    insta::assert_snapshot!(desk.types("wayleave check"), @r#"
    exit 1
    --- stdout
    wayleave::policy::unknown-role

      × rule `recruiting.read` names the role `recruter`, which nobody knows
        ╭─[rules/20-purposes.cedar:49:16]
     48 │ permit (
     49 │   principal in Role::"recruter",
        ·                ────────┬───────
        ·                        ╰── here
     50 │   action in [Action::"read", Action::"engage"],
        ╰────
      help: did you mean `recruiter`? they are listed in the directory in `people/`

    policies: 1 error, 0 warnings
    "#);
    insta::assert_snapshot!(desk.types("wayleave test"), @r#"
    exit 1
    --- stdout
    wayleave::policy::unknown-role

      × rule `recruiting.read` names the role `recruter`, which nobody knows
        ╭─[rules/20-purposes.cedar:49:16]
     48 │ permit (
     49 │   principal in Role::"recruter",
        ·                ────────┬───────
        ·                        ╰── here
     50 │   action in [Action::"read", Action::"engage"],
        ╰────
      help: did you mean `recruiter`? they are listed in the directory in `people/`

    --- stderr
    error: the rules have problems, so no case was run
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://x.com/"), @r#"
    exit 1
    --- stderr
    wayleave::policy::unknown-role

      × rule `recruiting.read` names the role `recruter`, which nobody knows
        ╭─[rules/20-purposes.cedar:49:16]
     48 │ permit (
     49 │   principal in Role::"recruter",
        ·                ────────┬───────
        ·                        ╰── here
     50 │   action in [Action::"read", Action::"engage"],
        ╰────
      help: did you mean `recruiter`? they are listed in the directory in `people/`

    error: the rules have problems, so they say nothing
    "#);
    insta::assert_snapshot!(desk.types("wayleave check --format json"), @r#"
    exit 1
    --- stdout
    {
      "sound": false,
      "errors": 1,
      "warnings": 0,
      "problems": [
        {
          "severity": "error",
          "code": "wayleave::policy::unknown-role",
          "file": "rules/20-purposes.cedar",
          "line": 49,
          "column": 16,
          "span": [
            1694,
            16
          ],
          "message": "rule `recruiting.read` names the role `recruter`, which nobody knows",
          "help": "did you mean `recruiter`? they are listed in the directory in `people/`"
        }
      ],
      "rulebook": null
    }
    "#);
}

#[test]
fn a_case_that_fails_says_what_came_instead() {
    let desk = Desk::with_policies();
    desk.write("policies/cases/mine.toml", "[[case]]\nit = \"lets Ada browse LinkedIn without a purpose\"\nwho = \"ada\"\nto = \"https://www.linkedin.com/feed/\"\nat = 2026-11-24T10:00:00Z\noutcome = \"allow\"\n");
    insta::assert_snapshot!(desk.types("wayleave test"), @r#"
    exit 1
    --- stdout
    FAIL cases/mine.toml:2 it lets Ada browse LinkedIn without a purpose
         - outcome = "allow"
         + outcome = "declare"
         no rule permits it
         offered: `recruiting`, `competitor-research`, `market-research`, `press-monitoring`, `social-listening`, `training-delivery`

    263 passed, 1 failed
    exercised: 54 of 54 rules, 129 of 131 conditions both ways
    "#);
    insta::assert_snapshot!(desk.types("wayleave check"), @r#"
    exit 1
    --- stdout
    wayleave::cases::failed

      × the case `lets Ada browse LinkedIn without a purpose` fails: outcome: expected "allow", came
      │ "declare"; no rule permits it; offered: `recruiting`, `competitor-research`, `market-
      │ research`, `press-monitoring`, `social-listening`, `training-delivery`
       ╭─[cases/mine.toml:2:6]
     1 │ [[case]]
     2 │ it = "lets Ada browse LinkedIn without a purpose"
       ·      ──────────────────────┬─────────────────────
       ·                            ╰── here
     3 │ who = "ada"
       ╰────
      help: change the rules or the case, then run `wayleave test`

    policies: 1 error, 0 warnings
    "#);
}

#[test]
fn the_explanation_says_what_a_rule_on_probation_would_change() {
    let desk = Desk::with_policies();
    let rule = r#"@id("example.closed") @title("Closed") @reason("The example is closed.") @owner("IT") @mode("observe")
forbid (principal, action == Action::"connect", resource) when { resource.host == "www.example.org" };
"#;
    desk.write("policies/rules/80-probation.cedar", rule);
    let explain = |host: &str| {
        desk.types(&format!(
            "wayleave explain --as dan --to https://{host}/ --at 2026-11-24T10:00:00Z"
        ))
    };
    let told = explain("www.example.org");
    assert!(told.contains("allow: dan may connect on www.example.org"), "{told}");
    let section = "\n\nwith the rules on probation in force\n  would deny, by these policies\n  \
                   forbid `example.closed` (rules/80-probation.cedar:1): The example is closed.\n";
    assert!(told.contains(section), "{told}");
    assert!(!explain("www.example.com").contains("probation"));
}

#[test]
fn the_explanation_says_that_whoever_a_rule_coaches_may_continue() {
    let desk = Desk::with_policies();
    let rule = r#"@id("example.closed") @title("Closed") @reason("The example is closed.") @owner("IT") @mode("coach")
forbid (principal, action == Action::"connect", resource) when { resource.host == "www.example.org" };
"#;
    desk.write("policies/rules/80-coached.cedar", rule);
    let explain = |host: &str| {
        desk.types(&format!(
            "wayleave explain --as dan --to https://{host}/ --at 2026-11-24T10:00:00Z"
        ))
    };
    let told = explain("www.example.org");
    assert!(
        told.contains("deny, coached: dan may not connect on www.example.org"),
        "{told}"
    );
    assert!(
        told.contains("\n\nwhat comes of it\n  dan is told why not, and may continue\n"),
        "{told}"
    );
    assert!(!explain("www.example.com").contains("coached"));
    let case = r#"
[[case]]
it = "is told why not, and may continue"
who = "dan"
to = "https://www.example.org/"
at = 2026-11-24T10:00:00Z
outcome = "deny"
may-continue = WHETHER
"#;
    let test = |whether: &str| {
        desk.write("policies/cases/coached.toml", &case.replace("WHETHER", whether));
        desk.types("wayleave test")
    };
    let right = test("true");
    assert!(right.starts_with("exit 0"), "{right}");
    let wrong = test("false");
    assert!(
        wrong.starts_with("exit 1") && wrong.contains("may-continue = true"),
        "{wrong}"
    );
}

#[test]
fn a_request_is_explained_for_each_outcome() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave explain --as dan --to https://www.example.org/ --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    allow: dan may connect on www.example.org
      the gateway does not read this flow: only its host is judged

    why
      permit `connect.open-web` (rules/10-reach.cedar:6): This site is not managed by the social media policy.
        │ @id("connect.open-web")
        │ @title("Hosts outside the catalogue pass")
        │ @reason("This site is not managed by the social media policy.")
        │ @reason_fr("Ce site ne relève pas des règles sur les réseaux sociaux.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"connect",
        │   resource
        │ )
        │ unless { resource.classified };

    rules
      [rulebook]

    the conditions that held
      `connect.open-web`, asked for connect
        held: unless resource.classified  [resource.classified is false]
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://www.linkedin.com/feed/ --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    declare: ada may, once a purpose is declared, browse on www.linkedin.com (linkedin)
      recognised as browse, by linkedin.web.nav-feed

    why
      no rule permits it

    why it is read or not
      permit `inspect.social` (rules/10-reach.cedar:88): Traffic to social media is inspected so that each activity can be decided.
        │ @id("inspect.social")
        │ @title("Social media is read, so that each activity can be decided")
        │ @reason("Traffic to social media is inspected so that each activity can be decided.")
        │ @reason_fr("Les échanges avec les réseaux sociaux sont lus, pour que chaque activité puisse être décidée.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"inspect",
        │   resource in Category::"social-media"
        │ );

    what would help
      declare `recruiting` (Recruiting): covers `read`, lasts 8h, at most 1d, ticket `HR-[0-9]{1,6}`
      declare `competitor-research` (Competitor research): covers `read`, lasts 8h, at most 1d
      declare `market-research` (Market research): covers `read`, lasts 8h, at most 1d
      declare `press-monitoring` (Press monitoring): covers `read`, lasts 8h, at most 1d
      declare `social-listening` (Social listening): covers `read`, lasts 8h, at most 1d
      declare `training-delivery` (Training delivery): covers `read`, lasts 8h, at most 1d

    rules
      [rulebook]

    permits that do not apply, and what keeps them from it
      `activity.open-web`, asked for browse
        failed: unless resource.classified  [resource.classified is true]
      `recruiting.read`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"recruiting"
      `partners.keep-in-touch`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"partner-relations"
        failed: (principal in Role::"manager") || (principal in Role::"executive") || (principal in Role::"marketer")
      `research.read`, asked for browse
        failed: context has purpose
        no value: [PurposeKind::"market-research", PurposeKind::"competitor-research", PurposeKind::"press-monitoring", PurposeKind::"social-listening"].contains(context.purpose.kind)
      `brand.publish`, asked for browse
        failed: principal in Department::"marketing"
        failed: context has purpose
        no value: [PurposeKind::"brand-publishing", PurposeKind::"advertising-campaign"].contains(context.purpose.kind)
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `community.manage`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"community-management"
        failed: (principal in Role::"marketer") || (principal in Role::"customer-care")
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `voices.publish`, asked for browse
        failed: context has purpose
        no value: ((context.purpose.kind == PurposeKind::"event-coverage") && ((principal in Role::"marketer") || (principal in Role::"communications"))) || ((context.purpose.kind == PurposeKind::"crisis-response") && ((principal in Role::"communications") || (principal in Role::"executive"))) || ((context.purpose.kind == PurposeKind::"executive-communication") && ((principal in Role::"communications") || (principal in Role::"executive"))) || ((context.purpose.kind == PurposeKind::"investor-relations") && (principal in Role::"finance"))
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `fraud.read`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"fraud-investigation"
        failed: (principal in Role::"security") || (principal in Role::"legal")
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `training.read`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"training-delivery"
      `personal.break`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"personal-break"
        failed: !(context.local.time < duration("12h"))  [context.local.time is duration("39600000ms")]
      `emergency.speak`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"crisis-response"
        no value: context.purpose.emergency
        failed: (principal in Role::"communications") || (principal in Role::"executive") || (principal in Role::"manager")
      `emergency.look`, asked for browse
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"fraud-investigation"
        no value: context.purpose.emergency
        failed: (principal in Role::"security") || (principal in Role::"legal")

    what else would change the outcome
      without the role `staff`: deny
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://www.linkedin.com/feed/ --purpose recruiting --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    allow: ada may browse on www.linkedin.com (linkedin) for `recruiting`
      recognised as browse, by linkedin.web.nav-feed

    why
      permit `connect.social` (rules/10-reach.cedar:32): Social media is open to staff.
        │ @id("connect.social")
        │ @title("Staff may reach social media; what they do there is decided request by request")
        │ @reason("Social media is open to staff.")
        │ @reason_fr("Les réseaux sociaux sont ouverts au personnel.")
        │ @owner("IT")
        │ permit (
        │   principal in Role::"staff",
        │   action == Action::"connect",
        │   resource in Category::"social-media"
        │ );
      permit `recruiting.read` (rules/20-purposes.cedar:43): Reading on professional networks is open for recruiting.
        │ @id("recruiting.read")
        │ @title("Recruiters may read and react on professional networks")
        │ @reason("Reading on professional networks is open for recruiting.")
        │ @reason_fr("La lecture sur les réseaux professionnels est ouverte pour le recrutement.")
        │ @owner("HR")
        │ permit (
        │   principal in Role::"recruiter",
        │   action in [Action::"read", Action::"engage"],
        │   resource in Category::"professional"
        │ )
        │ when { context has purpose && context.purpose.kind == PurposeKind::"recruiting" };

    why it is read or not
      permit `inspect.social` (rules/10-reach.cedar:88): Traffic to social media is inspected so that each activity can be decided.
        │ @id("inspect.social")
        │ @title("Social media is read, so that each activity can be decided")
        │ @reason("Traffic to social media is inspected so that each activity can be decided.")
        │ @reason_fr("Les échanges avec les réseaux sociaux sont lus, pour que chaque activité puisse être décidée.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"inspect",
        │   resource in Category::"social-media"
        │ );

    rules
      [rulebook]

    the conditions that held
      `recruiting.read`, asked for browse
        held: context has purpose
        held: context.purpose.kind == PurposeKind::"recruiting"  [context.purpose.kind is PurposeKind::"recruiting"]

    what else would change the outcome
      without the grant for `recruiting`: declare
      without the role `hr-staff`: declare
      without the role `recruiter`: declare
      without the role `staff`: deny
      from Tuesday 24 November 2026, 12:00 (Europe/Paris) on: declare
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as ben --to 'https://x.com/i/api/graphql/AbC/CreateTweet' --method POST --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    request: ben may, once a purpose is approved, post on x.com (x)
      recognised as post, by x.web.createtweet

    why
      no rule permits it

    why it is read or not
      permit `inspect.social` (rules/10-reach.cedar:88): Traffic to social media is inspected so that each activity can be decided.
        │ @id("inspect.social")
        │ @title("Social media is read, so that each activity can be decided")
        │ @reason("Traffic to social media is inspected so that each activity can be decided.")
        │ @reason_fr("Les échanges avec les réseaux sociaux sont lus, pour que chaque activité puisse être décidée.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"inspect",
        │   resource in Category::"social-media"
        │ );

    what would help
      ask for `advertising-campaign` (Advertising campaign): covers `publish`, `read`, lasts 1h, at most 3d, unused 1d, approved by `mia`, ticket `MKT-[0-9]{1,6}`
      ask for `brand-publishing` (Publishing for the brand): covers `publish`, `read`, lasts 1h, at most 8h, approved by `mia`
      ask for `event-coverage` (Event coverage): covers `publish`, `read`, lasts 1h, at most 8h, approved by `mia`

    rules
      [rulebook]

    permits that do not apply, and what keeps them from it
      `activity.open-web`, asked for post
        failed: unless resource.classified  [resource.classified is true]
      `brand.publish`, asked for post
        failed: context has purpose
        no value: [PurposeKind::"brand-publishing", PurposeKind::"advertising-campaign"].contains(context.purpose.kind)
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `voices.publish`, asked for post
        failed: context has purpose
        no value: ((context.purpose.kind == PurposeKind::"event-coverage") && ((principal in Role::"marketer") || (principal in Role::"communications"))) || ((context.purpose.kind == PurposeKind::"crisis-response") && ((principal in Role::"communications") || (principal in Role::"executive"))) || ((context.purpose.kind == PurposeKind::"executive-communication") && ((principal in Role::"communications") || (principal in Role::"executive"))) || ((context.purpose.kind == PurposeKind::"investor-relations") && (principal in Role::"finance"))
        no value: context.purpose has approvedBy
        no value: !(context.purpose.approvedBy == principal)
      `emergency.speak`, asked for post
        failed: context has purpose
        no value: context.purpose.kind == PurposeKind::"crisis-response"
        no value: context.purpose.emergency
        failed: (principal in Role::"communications") || (principal in Role::"executive") || (principal in Role::"manager")

    what else would change the outcome
      as `intern` instead of `employee`: deny
      without the role `staff`: deny
      without a valid training `social-media`: deny
      from the network `guest`: deny
      from Thursday 1 January 2032, 01:00 (Europe/Paris) on: deny
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as eve --to 'https://x.com/i/api/graphql/AbC/CreateTweet' --method POST --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    deny: eve may not post on x.com (x)
      recognised as post, by x.web.createtweet

    why
      forbid `guard.interns-never-publish` (rules/30-guardrails.cedar:84): Interns do not publish on social media.
        │ @id("guard.interns-never-publish")
        │ @title("Interns never publish")
        │ @reason("Interns do not publish on social media.")
        │ @reason_fr("Les stagiaires ne publient pas sur les réseaux sociaux.")
        │ @owner("HR")
        │ forbid (
        │   principal,
        │   action in [Action::"publish", Action::"administer"],
        │   resource in Category::"social-media"
        │ )
        │ when { principal.employment == Employment::"intern" };

    why it is read or not
      permit `inspect.social` (rules/10-reach.cedar:88): Traffic to social media is inspected so that each activity can be decided.
        │ @id("inspect.social")
        │ @title("Social media is read, so that each activity can be decided")
        │ @reason("Traffic to social media is inspected so that each activity can be decided.")
        │ @reason_fr("Les échanges avec les réseaux sociaux sont lus, pour que chaque activité puisse être décidée.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"inspect",
        │   resource in Category::"social-media"
        │ );

    what would help
      nothing: no purpose of the catalogue opens this

    rules
      [rulebook]

    the conditions that held
      `guard.interns-never-publish`, asked for post
        held: principal.employment == Employment::"intern"  [principal.employment is Employment::"intern"]

    what else would change the outcome
      as `employee` instead of `intern`: request
      as `contractor` instead of `intern`: request
      as `vendor` instead of `intern`: request
    "#);
    insta::assert_snapshot!(desk.types("wayleave explain --as dan --to tinder.com:443 --at 2026-11-24T10:00:00Z"), @r#"
    exit 0
    --- stdout
    deny: dan may not connect on tinder.com (tinder)
      the gateway reads this flow and judges each request in it

    why
      forbid `connect.not-at-work` (rules/10-reach.cedar:65): Dating and adult platforms are closed on the company network.
        │ @id("connect.not-at-work")
        │ @title("Dating and adult platforms are closed")
        │ @reason("Dating and adult platforms are closed on the company network.")
        │ @reason_fr("Les sites de rencontre et pour adultes sont fermés sur le réseau de l’entreprise.")
        │ @owner("HR")
        │ forbid (
        │   principal,
        │   action == Action::"connect",
        │   resource
        │ )
        │ when { resource in Category::"dating" || resource in Category::"adult-social" };

    why it is read or not
      permit `inspect.social` (rules/10-reach.cedar:88): Traffic to social media is inspected so that each activity can be decided.
        │ @id("inspect.social")
        │ @title("Social media is read, so that each activity can be decided")
        │ @reason("Traffic to social media is inspected so that each activity can be decided.")
        │ @reason_fr("Les échanges avec les réseaux sociaux sont lus, pour que chaque activité puisse être décidée.")
        │ @owner("IT")
        │ permit (
        │   principal,
        │   action == Action::"inspect",
        │   resource in Category::"social-media"
        │ );

    what would help
      nothing: no purpose of the catalogue opens this

    rules
      [rulebook]

    the conditions that held
      `connect.not-at-work`, asked for connect
        held: (resource in Category::"dating") || (resource in Category::"adult-social")
    "#);
}

#[test]
fn a_description_that_makes_no_sense_is_not_understood() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave explain --as adda --to https://x.com/"), @"
    exit 2
    --- stderr
    error: there is no person `adda`: did you mean `ada`?
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as zed --to https://x.com/"), @"
    exit 2
    --- stderr
    error: there is no person `zed`: the files in `people/` list those there are
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to 'gopher://x.com/'"), @"
    exit 2
    --- stderr
    error: `gopher://` is not a scheme that goes through the proxy
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://x.com/ --purpose recruting"), @"
    exit 2
    --- stderr
    error: there is no purpose `recruting`: did you mean `recruiting`?
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://example.org/ --purpose recruiting"), @"
    exit 2
    --- stderr
    error: a purpose needs a platform of the catalogue, and this host belongs to none
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://x.com/ --header 'Sec-Fetch-Mode'"), @"
    exit 2
    --- stderr
    error: `Sec-Fetch-Mode` is not a header field: write `Name: value`
    ");
    assert!(
        desk.types("wayleave explain --as ada --to https://x.com/ --network nowhere")
            .contains("note: no rule names the network `nowhere`")
    );
    assert!(
        desk.types("wayleave matrix --who ada --platform x --network nowhere")
            .contains("note: no rule names the network `nowhere`")
    );
    for known in ["office", "guest"] {
        let said = desk.types(&format!(
            "wayleave explain --as ada --to https://x.com/ --network {known}"
        ));
        assert!(!said.contains("note:"), "{said}");
    }
    insta::assert_snapshot!(desk.types("wayleave explain --as ada --to https://x.com/ --at yesterday"), @"
    exit 2
    --- stderr
    error: invalid value 'yesterday' for '--at <TIME>': `yesterday` is not a moment: write date, time and zone, e.g. `[time]` or `2026-11-24T12:30:00+01:00`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --as ada"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --to <URL>

    Usage: wayleave explain --as <PERSON> --to <URL> [RECORD-ID] [DIR]

    For more information, try '--help'.
    ");
}

#[test]
fn a_purpose_that_no_rule_opens_is_warned_of() {
    let desk = Desk::with_policies();
    let rules = desk.read("policies/rules/20-purposes.cedar");
    let idle = rules.replace("PurposeKind::\"training-delivery\"", "PurposeKind::\"market-research\"");
    desk.write("policies/rules/20-purposes.cedar", &idle);
    desk.write("policies/cases/purposes.toml", "");
    desk.write("policies/cases/one-by-one.toml", "");
    let told = desk.types("wayleave check");
    insta::assert_snapshot!(told.split("\nwayleave::policy::unreached").next().unwrap(), @r#"
    exit 0
    --- stdout
    wayleave::purposes::opens-nothing

      ⚠ no rule opens anything for the purpose `training-delivery`
         ╭─[purposes.toml:317:6]
     316 │ [[purpose]]
     317 │ id = "training-delivery"
         ·      ─────────┬─────────
         ·               ╰── here
     318 │ title = { en = "Training delivery", fr = "Animation d’une formation" }
         ╰────
      help: write a rule that names it in `rules/`; until then nobody can declare it
    "#);
}

#[test]
fn a_method_in_small_letters_is_not_taken_for_another() {
    insta::assert_snapshot!(Desk::empty().types("wayleave explain --as ada --to https://x.com/ --method post"), @"
    exit 2
    --- stderr
    error: `post` is another method than `POST` (RFC 9110 §9.1): write `--method POST`
    ");
    insta::assert_snapshot!(Desk::empty().types("wayleave explain --as ada --to https://x.com/ --method 'BAD METHOD'"), @"
    exit 2
    --- stderr
    error: `BAD METHOD` is not a method (RFC 9110 §9.1): write e.g. `--method POST`
    ");
}

#[test]
fn the_portal_itself_is_not_explained_by_rules_that_nobody_asks() {
    let explain = "explain --as ada --to https://wayleave.internal/";
    insta::assert_snapshot!(Desk::empty().types(&format!("wayleave {explain}")), @"
    exit 2
    --- stderr
    error: `wayleave.internal` is the portal of the gateway: whoever signs in reaches it, and the rules are asked there of each thing that somebody does, not of the request
    ");
    let elsewhere = Desk::empty().types(&format!("wayleave {explain} --set portal.host=gate.corp"));
    assert!(elsewhere.starts_with("exit 0"), "{elsewhere}");
}
