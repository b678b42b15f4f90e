//! `diff`.

use super::desk::{Desk, Terminal};

/// A desk with the shipped policies, and the same in `new`.
fn with_new() -> Desk {
    let desk = Desk::with_policies();
    assert_eq!(desk.types("cp -r policies new"), "exit 0\n");
    desk
}

fn in_git() -> Desk {
    let desk = Desk::with_policies();
    let as_somebody = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main";
    let line = format!("{as_somebody} init -q && git add policies && {as_somebody} commit -q -m old");
    assert_eq!(desk.types(&line), "exit 0\n");
    desk
}

#[test]
fn without_a_solver_people_and_cases_are_compared_and_that_is_said() {
    let desk = with_new();
    desk.edit_rule(
        "new/rules/20-purposes.cedar",
        "principal in Role::\"customer-care\",",
        "principal in Role::\"engineer\",",
    );
    let told = desk.types("CVC5=/nowhere/cvc5 wayleave diff policies new");
    let why = if cfg!(feature = "prove") {
        "the solver `/nowhere/cvc5` cannot be started: No such file or directory (os error 2); install cvc5 (Debian and Ubuntu: \
         `apt-get install cvc5`; macOS: `brew install cvc5`), or name it in the environment: `CVC5=/path/to/cvc5`"
    } else {
        "this program was built without proofs; build it with `cargo build --features prove`"
    };
    insta::assert_snapshot!(told.replace(why, "[why]"), @r#"
    exit 1
    --- stdout
    not proved: [why]
    compared instead: the cases of both, and what their people may do on a platform of each category, on a working day in the office; anything else may differ, too
    newly allowed to these people: nothing
    newly denied to these people:
      `carebot`, `cora` may read, comment, message, upload on `9gag`, `bereal`, `bilibili` and 8 more platforms under `customer-support`
    cases/facebook.toml:8 it asks a customer care agent for a purpose, and offers customer support
        policies: comes as the case says
        new: offers: expected ["customer-support"], came ["competitor-research", "market-research", "press-monitoring", "social-listening", "community-management"]
    cases/facebook.toml:16 it opens pages for customer support
        policies: comes as the case says
        new: outcome: expected "allow", came "declare"
    cases/facebook.toml:24 it lets the reply tool of customer care comment under its purpose
        policies: comes as the case says
        new: outcome: expected "allow", came "request"
    cases/x.toml:106 it lets a customer care agent answer a direct message
        policies: comes as the case says
        new: outcome: expected "allow", came "request"
    cases/youtube-reddit.toml:101 it lets a customer care agent comment on Reddit
        policies: comes as the case says
        new: outcome: expected "allow", came "request"
    "#);
}

/// What somebody at a terminal sees beside what the command tells a file, and what that is.
fn seen_and_told(desk: &Desk, line: &str) -> (String, String) {
    let (screen, _) = Terminal::open(desk, &format!("{line} >told")).leaves();
    (screen, desk.read("told"))
}

const WHOLE_BAR: &str = "[##############################] 100 %";

/// The same policies, and in `new` one rule more.
fn with_one_more(rule: &str) -> Desk {
    let desk = with_new();
    let annotations = "@id(\"mine\") @reason(\"R.\") @owner(\"IT\") @untested(\"x\")";
    desk.write("new/rules/50-mine.cedar", &format!("{annotations}\n{rule}\n"));
    desk
}

const NOT_ON_XING: &str = "forbid (principal, action == Action::\"browse\", resource in Platform::\"xing\");";

#[test]
fn at_a_terminal_a_bar_shows_how_far_asking_people_is() {
    let (seen, told) = seen_and_told(&with_one_more(NOT_ON_XING), "CVC5=/nowhere wayleave diff policies new");
    assert!(seen.contains(&format!("asking people {WHOLE_BAR}")), "{seen}");
    assert!(told.starts_with("not proved: ") && !told.contains("asking"), "{told}");
}

/// What the two differ in for people, as found without a solver.
fn moved(rule: &str) -> String {
    let desk = with_one_more(rule);
    desk.types("CVC5=/nowhere wayleave diff policies new | sed -n '/^newly/,/^[^n ]/p' | grep -v '^cases'")
}

#[test]
fn without_a_solver_a_platform_that_is_closed_or_not_read_any_more_is_seen() {
    let rule =
        "forbid (principal in Role::\"staff\", action == Action::\"connect\", resource in Platform::\"snapchat\");";
    let told = moved(rule);
    let (allowed, denied) = told.split_once("newly denied to these people:\n").unwrap();
    assert!(allowed.ends_with("newly allowed to these people: nothing\n"), "{told}");
    assert!(
        denied.contains("may embed, telemetry on `snapchat` without a purpose\n"),
        "{told}"
    );
    assert!(
        denied
            .contains("may read, login, logout, realtime on `snapchat` under `competitor-research`, `market-research`"),
        "{told}"
    );
    let rule =
        "forbid (principal in Role::\"staff\", action == Action::\"inspect\", resource in Platform::\"snapchat\");";
    let told = moved(rule);
    let (allowed, denied) = told.split_once("newly denied to these people: nothing\n").unwrap();
    assert!(
        allowed.ends_with("may do anything unread on `snapchat` without a purpose\n"),
        "{told}"
    );
    assert_eq!(denied, "every case comes out the same\n");
}

#[test]
fn without_a_solver_what_is_open_without_a_purpose_is_not_denied() {
    let rule =
        "permit (principal in Role::\"staff\", action == Action::\"share\", resource in Platform::\"instagram\");";
    insta::assert_snapshot!(moved(rule), @"
    exit 0
    --- stdout
    newly allowed to these people:
      `ada`, `ben`, `carebot` and 7 more people may share on `instagram` without a purpose
    newly denied to these people: nothing
    every case comes out the same
    ");
}

#[test]
fn without_a_solver_a_purpose_that_nobody_may_state_any_more_is_seen() {
    let rule = "forbid (principal, action == Action::\"declare\", resource)\n\
                when { resource.kind == PurposeKind::\"influencer-outreach\" };";
    let told = moved(rule);
    let (_, denied) = told.split_once("newly denied to these people:\n").unwrap();
    assert!(denied.contains("under `influencer-outreach`, once approved"), "{told}");
}

#[test]
fn three_dots_begin_where_the_branch_left() {
    let desk = in_git();
    let git = "git -c user.name=a -c user.email=a@example.org";
    let types = |line: &str| {
        let told = desk.types(&line.replace("GIT", git));
        assert!(told.starts_with("exit 0\n"), "{line}: {told}");
    };
    types("git tag before && git checkout -q -b longer");
    desk.edit_rule(
        "policies/rules/40-portal.cedar",
        "duration(\"14d\")",
        "duration(\"15d\")",
    );
    types("GIT commit -q -a -m longer && git checkout -q main");
    desk.edit(
        "policies/purposes.toml",
        "title = { en = \"Recruiting\", fr = \"Recrutement\" }",
        "title = \"Hiring\"",
    );
    types("GIT commit -q -a -m hiring && git checkout -q longer");
    let told = |names: &str| desk.types(&format!("CVC5=/nowhere wayleave diff {names}"));
    assert!(told("main..longer").contains("Hiring"));
    let since = told("before..longer");
    assert!(since.contains("it lets nobody approve more than two weeks"), "{since}");
    let fork = desk.types("git rev-parse --short before");
    let fork = fork.lines().last().unwrap();
    for names in ["main...longer", "main..."] {
        let told = told(names).replace(fork, "before").replace("HEAD", "longer");
        assert_eq!(told, since, "{names}");
    }
    types("git checkout -q --orphan alone && GIT commit -q -m alone");
    insta::assert_snapshot!(told("main...alone"), @"
    exit 2
    --- stderr
    error: `main` and `alone` have no commit in common
    ");
    insta::assert_snapshot!(told("main...nowhere"), @"
    exit 2
    --- stderr
    error: `main` and `nowhere` are not two git revisions: fatal: Not a valid object name nowhere
    ");
}

#[test]
fn a_name_of_two_lines_is_refused_and_shifts_no_answer() {
    let desk = in_git();
    let git = "git -c user.name=a -c user.email=a@example.org";
    let line = format!(
        "printf 'forbid (principal, action, resource);' > \"$(printf 'policies/rules/a\\nb.cedar')\" && git add policies && {git} commit -q -m odd"
    );
    assert_eq!(desk.types(&line), "exit 0\n");
    insta::assert_snapshot!(desk.types("wayleave diff main~1..main"), @r#"
    exit 2
    --- stderr
    wayleave::diff::unreadable

      × `main` has a file whose name has a line break: "rules/a\nb.cedar"
      help: give it a name of one line
    "#);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let desk = in_git();
    insta::assert_snapshot!(desk.types("wayleave diff policies"), @"
    exit 2
    --- stderr
    error: name what to compare with: two folders, two git revisions, or `main..HEAD`
    ");
    insta::assert_snapshot!(desk.types("wayleave diff nowhere policies"), @"
    exit 2
    --- stderr
    wayleave::diff::unreadable

      × `nowhere` is neither a folder nor a git revision with `policies/` in it: fatal: Not a valid
      │ object name nowhere
      help: name two folders of policies, or two revisions as in `main..HEAD`
    ");
    insta::assert_snapshot!(desk.types("wayleave diff main..nowhere"), @"
    exit 2
    --- stderr
    wayleave::diff::unreadable

      × `nowhere` is neither a folder nor a git revision with `policies/` in it: fatal: Not a valid
      │ object name nowhere
      help: name two folders of policies, or two revisions as in `main..HEAD`
    ");
    insta::assert_snapshot!(desk.types("wayleave diff --folder rules main..HEAD"), @"
    exit 2
    --- stderr
    wayleave::diff::unreadable

      × `main` is neither a folder nor a git revision with `rules/` in it: it has no such files
      help: name two folders of policies, or two revisions as in `main..HEAD`

    wayleave::diff::unreadable

      × `HEAD` is neither a folder nor a git revision with `rules/` in it: it has no such files
      help: name two folders of policies, or two revisions as in `main..HEAD`
    ");
    desk.edit("policies/rules/40-portal.cedar", "Role::\"tool\"", "Role::\"toll\"");
    let told = desk.types("wayleave diff main policies");
    assert!(told.starts_with("exit 2\n"), "{told}");
    assert!(told.contains("did you mean `tool`?"), "{told}");
    assert!(
        told.contains("error: `policies` has problems, so nothing was compared"),
        "{told}"
    );
}

#[test]
fn a_revision_is_read_from_anywhere_in_its_repository() {
    let desk = in_git();
    let git = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main";
    let inside = format!("cp -r policies alone && cd alone && {git} init -q && {git} add . && {git} commit -q -m old");
    assert_eq!(desk.types(&inside), "exit 0\n");
    for line in [
        "wayleave diff --folder ./policies/ HEAD..HEAD",
        "cd policies/rules && wayleave diff HEAD..HEAD",
        "cd policies/rules && wayleave diff --folder .. HEAD..HEAD",
        "cd policies && wayleave diff --folder . HEAD .",
        "cd alone && wayleave diff --folder . HEAD..HEAD",
        "cd alone && wayleave diff --folder ./ HEAD ../policies",
        "cd alone/cases && wayleave diff --folder . HEAD..",
    ] {
        let told = desk.types(line);
        let is_compared = told.starts_with("exit 0\n") || told.starts_with("exit 4\n");
        assert_eq!(is_compared, !line.contains("cases"), "{line}: {told}");
    }
    let told = desk.types("wayleave diff --folder ../.. HEAD..HEAD");
    assert!(told.contains("it is outside"), "{told}");
}

#[cfg(feature = "prove")]
mod solved {
    use super::super::desk::Desk;
    use super::{NOT_ON_XING, WHOLE_BAR, in_git, seen_and_told, with_new, with_one_more};

    #[test]
    fn at_a_terminal_a_bar_shows_how_far_comparing_is() {
        let (seen, told) = seen_and_told(&with_one_more(NOT_ON_XING), "wayleave diff policies new");
        assert!(seen.contains(&format!("comparing {WHOLE_BAR}")), "{seen}");
        assert!(
            told.starts_with("newly allowed") && !told.contains("comparing"),
            "{told}"
        );
    }

    #[test]
    fn rules_that_say_the_same_are_proved_to_be_equivalent() {
        let desk = with_new();
        desk.edit_rule(
            "new/rules/40-portal.cedar",
            "[\"proxy-name\", \"header\"].contains(context.channel)",
            "context.channel == \"header\" || context.channel == \"proxy-name\"",
        );
        insta::assert_snapshot!(desk.types("wayleave diff policies new"), @"
        exit 0
        --- stdout
        newly allowed: nothing
        newly denied: nothing
        equivalent: proved for every request there can be
        ");
    }

    #[test]
    fn a_permit_that_coaches_does_not_stand_for_one_that_is_gone() {
        let desk = Desk::with_policies();
        let rules = desk.read("policies/rules/20-purposes.cedar");
        let start = rules.find("@id(\"recruiting.read\")").unwrap();
        let end = start + rules[start..].find("};").unwrap() + 2;
        let coached =
            rules[start..end].replacen("recruiting.read\")", "soft\")\n@mode(\"coach\")\n@untested(\"x\")", 1);
        desk.write("policies/rules/50-soft.cedar", &format!("{coached}\n"));
        assert_eq!(desk.types("cp -r policies new"), "exit 0\n");
        let gone = format!("{}{}", &rules[..start], &rules[end..]);
        desk.write("new/rules/20-purposes.cedar", &gone);
        let told = desk.types("wayleave diff policies new");
        assert!(told.starts_with("exit 1\n") || told.starts_with("exit 4\n"), "{told}");
        assert!(!told.contains("\nequivalent"), "{told}");
        assert!(told.contains("not of what passes at once"), "{told}");
        assert!(told.contains("newly denied to these people:\n"), "{told}");
        let proved = desk.types("wayleave prove policies --only recruiting.read --no-cache");
        assert!(proved.starts_with("exit 0\n"), "{proved}");
    }

    #[test]
    fn a_permit_that_has_ended_fails_nobody_any_more() {
        let desk = with_new();
        desk.write(
            "new/rules/50-old.cedar",
            "@id(\"old\") @reason(\"R.\") @owner(\"IT\") @untested(\"x\") @expires(\"2026-01-31T00:00:00Z\")\n\
             permit (principal, action == Action::\"browse\", resource is Site)\n\
             when { context.request.bytes + 1 > 5 && principal.employment == Employment::\"vendor\" };\n",
        );
        let told = desk.types("wayleave diff policies new");
        // before its end it failed, which the engine confirms
        assert!(!told.contains("please report"), "{told}");
    }

    #[test]
    fn who_may_newly_do_what_is_told_with_a_request_for_each() {
        let desk = with_new();
        desk.edit_rule(
            "new/rules/20-purposes.cedar",
            "principal in Department::\"marketing\"",
            "(principal in Department::\"marketing\" || principal in Role::\"communications\")",
        );
        desk.edit_rule(
            "new/rules/20-purposes.cedar",
            "context.local.weekday <= 5",
            "context.local.weekday <= 4",
        );
        insta::assert_snapshot!(desk.types("wayleave diff policies new"), @r#"
        exit 1
        --- stdout
        newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
          `brand.publish`: somebody with role `communications` may publish, read, engage and administer on `social-media` under `advertising-campaign` or `brand-publishing`, where !(principal in Department::"marketing") && context.purpose.approvedBy != principal
            e.g. somebody engaged as employee, roles `communications`, `staff`, trained in `social-media` until [time]; advertise; a host of some platform in `social-media`; for `advertising-campaign`, covering `administer`, on that platform, approved by somebody else
            policies: denied: no rule permits it
            new: allowed by `brand.publish` (rules/20-purposes.cedar:117)
        newly denied, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
          `personal.break`: somebody with role `staff` may read on `social-media` under `personal-break`, where context.local.weekday <= 5 && context.local.time >= duration("12h") && context.local.time < duration("14h") && context.local.weekday > 4, for example on Friday at 12:30
            e.g. somebody engaged as employee, role `staff`; browse; a host of some platform in `social-media`; for `personal-break`, covering `read`, on that platform, approved by nobody; at [time] (Friday, 12:30 on their clock)
            policies: allowed by `personal.break` (rules/20-purposes.cedar:274)
            new: denied: no rule permits it
        otherwise equivalent: proved for every request of another kind
        "#);
    }

    #[test]
    fn a_small_edit_is_one_sentence_with_one_request() {
        let desk = with_new();
        desk.write(
            "new/rules/90-mine.cedar",
            "@id(\"mine\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\npermit (principal in Department::\"marketing\", \
             action in [Action::\"post\", Action::\"upload\"], resource)\nwhen { (resource in Platform::\"instagram\" || \
             resource in Platform::\"facebook\") && context has purpose && [PurposeKind::\"market-research\", \
             PurposeKind::\"press-monitoring\"].contains(context.purpose.kind) };\n",
        );
        let told = compared(&desk);
        let sentence = "\n  `mine`: somebody in department `marketing` may post and upload on `facebook` or `instagram` under \
                        `market-research` or `press-monitoring`\n    e.g. ";
        assert!(told.contains(sentence), "{told}");
        assert_eq!(told.matches("e.g. ").count(), 1, "{told}");
    }

    #[test]
    fn what_is_no_longer_read_passes_unread_and_that_is_told_as_more_and_not_as_less() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "forbid (principal, action == Action::\"inspect\", resource in Platform::\"quora\");",
        );
        let told = compared(&desk);
        for said in [
            "newly allowed, the weightiest first; ",
            "\n  `mine`: somebody with role `staff` may do anything unread on `quora`",
            "; anything, unread; ",
            "\nnewly denied: nothing\n",
            "\nno longer read by the gateway:\n  `mine`: somebody on `quora`",
            "    new: reaching the host is allowed by `connect.social` (rules/10-reach.cedar:",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
        assert_eq!(
            desk.types("mv new newer && mv policies new && mv newer policies"),
            "exit 0\n"
        );
        let told = compared(&desk);
        for said in [
            "newly allowed: nothing\nnewly denied, the weightiest first; ",
            "\n  `mine`: somebody with role `staff` may do anything unread on `quora`",
            "\nnewly read by the gateway, so that each activity is decided:\n  `mine`: somebody on `quora`",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
    }

    #[test]
    fn two_revisions_are_compared_like_two_folders() {
        let desk = in_git();
        desk.edit_rule(
            "policies/rules/40-portal.cedar",
            "duration(\"14d\")",
            "duration(\"15d\")",
        );
        let commit = "git -c user.name=a -c user.email=a@example.org commit -q -a -m new";
        assert_eq!(desk.types(commit), "exit 0\n");
        insta::assert_snapshot!(desk.types("wayleave diff HEAD~1.."), @r#"
        exit 1
        --- stdout
        newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
          `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
            e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = themselves; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
            HEAD~1: denied: no rule permits it
            HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
          `approve.owner-or-manager`: somebody may approve, where resource.maxDuration <= duration("15d") && resource.businessOwner != principal && resource.declarer.manager == principal && !(context has behalfOf) && resource.maxDuration > duration("14d")
            e.g. somebody engaged as employee, of no role and no department; approve; businessOwner = somebody else; declarer = somebody else; kind = advertising-campaign; maxDuration = 15d; by portal
            HEAD~1: denied: no rule permits it
            HEAD: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
        newly denied: nothing
        otherwise equivalent: proved for every request of another kind
        "#);
        let told = desk.types("wayleave diff HEAD~1 policies");
        assert!(told.contains("may approve"), "{told}");
    }

    #[test]
    fn a_rule_that_only_coaches_or_observes_is_told_and_nothing_is_called_equivalent() {
        let desk = with_new();
        for (mode, id) in [("coach", "trial.soft"), ("observe", "trial.seen")] {
            desk.write(
                &format!("new/rules/80-{mode}.cedar"),
                &format!(
                    "@id(\"{id}\")\n@reason(\"R.\")\n@owner(\"IT\")\n@mode(\"{mode}\")\n\
                     forbid (principal, action == Action::\"browse\", resource)\nwhen {{ resource.host == \"old.reddit.com\" }};\n"
                ),
            );
        }
        let told = desk.types("wayleave diff policies new");
        assert!(told.starts_with("exit 4\n"), "{told}");
        for line in ["`trial.soft`: new, in mode coach", "`trial.seen`: new, in mode observe"] {
            assert!(told.contains(line), "{told}");
        }
        assert!(!told.contains("\nequivalent"), "{told}");
    }

    #[test]
    fn a_platform_that_changed_its_category_is_noticed_though_no_rule_changed() {
        let desk = with_new();
        desk.edit(
            "new/catalog/xing.toml",
            "category = \"professional\"",
            "category = \"dating\"",
        );
        insta::assert_snapshot!(desk.types("wayleave diff policies new"), @"
        exit 1
        --- stdout
        newly allowed: nothing
        newly denied: nothing
        the rules are equivalent: proved for every question that can be put to both
        changed beside the rules, which may change what is asked of them, and so what comes of a request:
          catalogue: platform `xing`, category: `professional` became `dating`
        compared instead: the cases of both, and what their people may do on a platform of each category, on a working day in the office; anything else may differ, too
        newly allowed to these people: nothing
        newly denied to these people:
          `ada`, `ben`, `carebot` and 12 more people may read, login, logout, realtime on `xing` under `competitor-research`, `market-research`, `press-monitoring`, `social-listening`
          `ben`, `eve`, `hana` and 4 more people may read, engage, login, logout, realtime on `xing` under `partner-relations`
          `otto`, `pia` may read, engage, comment, delete, edit, login, logout, message, post, realtime, share, upload on `xing` under `crisis-response`, `executive-communication`, once approved
          `ben`, `carebot`, `cora` and 3 more people may read, engage, login, logout, realtime on `xing` under `community-management`, once approved
          `ben`, `eve`, `mia` may read, engage, login, logout, realtime on `xing` under `advertising-campaign`, `brand-publishing`, once approved
          `ben`, `eve`, `mia` and 3 more people may read, engage, login, logout, realtime on `xing` under `event-coverage`, once approved
          `ada`, `ben`, `cora` and 9 more people may read on `xing` under `personal-break`
          `ben`, `mia` may publish, administer on `xing` under `advertising-campaign`, `brand-publishing`, once approved
          `ada`, `ben`, `carebot` and 12 more people may login, logout, realtime on `xing` under `personal-break`
          `ben`, `mia`, `nora` and 2 more people may comment, delete, edit, message, post, share, upload on `xing` under `event-coverage`, once approved
          `ada`, `ben`, `carebot` and 12 more people may embed, telemetry on `xing` without a purpose
          `ben`, `carebot`, `cora` and 2 more people may comment, delete, edit, manage-page, message, moderate on `xing` under `community-management`, once approved
          `ada`, `hana`, `mia` may read, login, logout, realtime on `xing` under `training-delivery`
          `carebot`, `cora` may read, comment, login, logout, message, realtime, upload on `xing` under `customer-support`
          `ada` may read, engage, comment, login, logout, message, post, realtime, upload on `xing` under `recruiting`
          `lea`, `sol` may read, login, logout, realtime on `xing` under `fraud-investigation`, once approved
          `ben`, `mia`, `nora` and 2 more people may comment, message on `xing` under `partner-relations`
          `lea` may read, login, logout, realtime on `xing` under `legal-discovery`
          `sol` may read, login, logout, realtime on `xing` under `security-research`
        every case comes out the same
        ");
    }

    fn compared(desk: &Desk) -> String {
        let told = desk.types("wayleave diff policies new");
        assert!(!told.contains("please report"), "{told}");
        told
    }

    #[test]
    fn each_side_is_asked_by_its_own_people() {
        let desk = with_new();
        let hana = "id = \"hana\"\n";
        desk.edit(
            "new/people/people.toml",
            hana,
            &format!("{hana}training = {{ social-media = 2031-12-31 }}\n"),
        );
        let told = compared(&desk);
        let said = "it lets nobody without a training post, not even in an emergency\n    policies: comes as the case says\n    new: ";
        assert!(told.contains(said), "{told}");
        assert!(told.starts_with("exit 1\n") && !told.contains("every case"), "{told}");
        let zoe = "\n[[person]]\nid = \"zoe\"\nname = \"Zoe\"\nroles = [\"staff\"]\ndepartment = \"hr\"\nemployment = \"employee\"\nregion = \
                   \"eu-west\"\ntime-zone = \"UTC\"\n";
        let people = desk.read("policies/people/people.toml");
        desk.write("new/people/people.toml", &format!("{people}{zoe}"));
        desk.write(
            "new/cases/zoe.toml",
            "[[case]]\nit = \"lets Zoe in\"\nwho = \"zoe\"\nto = \"linkedin.com:443\"\nat = 2026-11-24T10:00:00Z\noutcome = \"allow\"\n",
        );
        let told = compared(&desk);
        let unjudged = "cases/zoe.toml:2 it lets Zoe in\n    policies: it cannot be judged: there is no person `zoe`\n    new: comes as \
                        the case says\n";
        assert!(told.contains(unjudged), "{told}");
    }

    #[test]
    fn what_changed_beside_the_rules_is_listed_and_not_called_equivalent() {
        let desk = with_new();
        for (file, from, to) in [
            (
                "catalog/pinterest.toml",
                "  { host = \"pinterest.at\", match = \"suffix\", roles = [\"site\"] },\n",
                "",
            ),
            (
                "catalog/pinterest.toml",
                "id = \"pinterest.web.pinresource-create\"\nactivity = \"post\"",
                "id = \"pinterest.web.pinresource-create\"\nactivity = \"react\"",
            ),
            (
                "purposes.toml",
                "longest = { read = \"5d\"",
                "longest = { read = \"60d\"",
            ),
            (
                "purposes.toml",
                "ticket = { pattern = \"MKT-[0-9]{1,6}\", example = \"MKT-204\", required = true }\n",
                "",
            ),
        ] {
            desk.edit(&format!("new/{file}"), from, to);
        }
        insta::assert_snapshot!(compared(&desk), @"
        exit 4
        --- stdout
        newly allowed: nothing
        newly denied: nothing
        the rules are equivalent: proved for every question that can be put to both
        changed beside the rules, which may change what is asked of them, and so what comes of a request:
          catalogue: platform `pinterest`, host `pinterest.at`: removed, { host = `pinterest.at`, match = `suffix`, roles = [`site`] }
          catalogue: platform `pinterest`, signature `pinterest.web.pinresource-create`, activity: `post` became `react`
          purposes: purpose `advertising-campaign`, longest, read: `5d` became `60d`
          purposes: purpose `advertising-campaign`, ticket: removed, { example = `MKT-204`, pattern = `MKT-[0-9]{1,6}`, required = `true` }
        compared instead: the cases of both, and what their people may do on a platform of each category, on a working day in the office; anything else may differ, too
        newly allowed to these people: nothing
        newly denied to these people: nothing
        every case comes out the same
        ");
    }

    #[test]
    fn an_action_that_moves_to_another_group_is_told() {
        let desk = with_new();
        let engage = "action react, follow, save, report in [engage]";
        desk.edit(
            "new/wayleave.cedarschema",
            engage,
            &engage.replace("[engage]", "[engage, publish]"),
        );
        let told = compared(&desk);
        assert!(
            told.contains("  schema: actions, react, memberOf `publish`: added, { id = `publish` }\n"),
            "{told}"
        );
        assert!(!told.contains("equivalent: proved for every request"), "{told}");
    }

    #[test]
    fn what_is_laid_out_otherwise_is_no_difference() {
        let desk = with_new();
        desk.edit(
            "new/catalog/pinterest.toml",
            "id = \"pinterest\"\n",
            "# The same.\nid = \"pinterest\"\n",
        );
        desk.edit(
            "new/wayleave.cedarschema",
            "entity Role in [Role];",
            "entity Role in [Role];  // nested",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 0\n"), "{told}");
    }

    #[test]
    fn two_new_permits_about_the_same_are_both_told_with_what_they_look_at() {
        let desk = with_new();
        let rule = |id: &str, when: &str| {
            format!(
                "@id(\"{id}\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\npermit (principal, action == Action::\"upload\", \
                 resource in Category::\"social-media\")\nwhen {{ {when} }};\n"
            )
        };
        let rules = [
            rule("mine.region", "principal.region == \"us-east\" && context.proof.strong"),
            rule("mine.hold", "principal.onLegalHold"),
        ];
        desk.write("new/rules/90-mine.cedar", &rules.join("\n"));
        insta::assert_snapshot!(compared(&desk), @r#"
        exit 1
        --- stdout
        newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
          `mine.hold`: somebody may upload on `social-media`, where principal.onLegalHold
            e.g. somebody engaged as employee, of no role and no department, trained in `social-media` until [time]; upload; a host in `social-media`; with principal.onLegalHold = true; with principal.region = A; with context.proof.strong = false
            policies: denied: no rule permits it
            new: allowed by `mine.hold` (rules/90-mine.cedar:8)
          `mine.region`: somebody may upload on `social-media`, where principal.region == "us-east" && context.proof.strong
            e.g. somebody engaged as employee, of no role and no department, trained in `social-media` until [time]; upload; a host in `social-media`; from office network, identified by certificate; with principal.onLegalHold = true; with principal.region = us-east; with context.proof.strong = true
            policies: denied: no rule permits it
            new: allowed by `mine.region` (rules/90-mine.cedar:1), `mine.hold` (rules/90-mine.cedar:8)
        newly denied: nothing
        otherwise equivalent: proved for every request of another kind
        "#);
    }

    #[test]
    fn each_way_to_meet_a_condition_is_told() {
        let desk = with_new();
        desk.edit_rule(
            "new/rules/10-reach.cedar",
            "action == Action::\"connect\", resource in Category::\"evasion\");",
            "action == Action::\"connect\", resource in Category::\"evasion\") unless { principal.region == \"us-east\" || \
             !(context.local.weekday <= 5) };",
        );
        desk.write(
            "new/rules/90-mine.cedar",
            "@id(\"mine\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\npermit (principal, action == Action::\"connect\", \
             resource in Category::\"evasion\");\n",
        );
        insta::assert_snapshot!(compared(&desk), @r#"
        exit 1
        --- stdout
        newly allowed, the weightiest first; of each kind at least the request that is shown (on Tuesday at 10:00, from the office network, identified by basic, unless it says otherwise):
          `mine`: somebody may do anything unread on `evasion`
            e.g. somebody engaged as employee, of no role and no department; anything, unread; a host in `evasion`; with principal.region = us-east
            policies: reaching the host is denied by `connect.no-evasion` (rules/10-reach.cedar:77); reading it is denied: no rule permits it
            new: reaching the host is allowed by `mine` (rules/90-mine.cedar:1); reading it is denied: no rule permits it
          `mine`: somebody may reach hosts on `evasion`
            e.g. somebody engaged as employee, of no role and no department; connect; a host in `evasion`; with principal.region = us-east
            policies: denied by `connect.no-evasion` (rules/10-reach.cedar:77)
            new: allowed by `mine` (rules/90-mine.cedar:1)
          `connect.no-evasion`: somebody may reach hosts on `evasion`, where principal.region == "us-east"
            e.g. somebody engaged as employee, of no role and no department; connect; a host in `evasion`; with principal.region = us-east
            policies: denied by `connect.no-evasion` (rules/10-reach.cedar:77)
            new: allowed by `mine` (rules/90-mine.cedar:1)
          `connect.no-evasion`: somebody may reach hosts on `evasion`, where principal.region != "us-east" && context.local.weekday > 5, for example on Saturday at 10:00
            e.g. somebody engaged as employee, of no role and no department; connect; a host in `evasion`; at [time] (Saturday, 10:00 on their clock); with principal.region = ""
            policies: denied by `connect.no-evasion` (rules/10-reach.cedar:77)
            new: allowed by `mine` (rules/90-mine.cedar:1)
        newly denied: nothing
        otherwise equivalent: proved for every request of another kind
        "#);
    }

    /// Adds a rule of the desk's own to the folder `new`.
    fn adds(desk: &Desk, id: &str, rule: &str) {
        let notes = format!("@id(\"{id}\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\n");
        desk.write(&format!("new/rules/90-{id}.cedar"), &format!("{notes}{rule}\n"));
    }

    #[test]
    fn what_a_rule_denies_by_failing_to_evaluate_is_told() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "permit (principal, action == Action::\"connect\", resource) when { context.local.weekday == 7 && \
             context.local.weekday * 9223372036854775807 > 0 && !resource.classified };",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 1\n"), "{told}");
        for said in [
            "newly allowed: nothing\n",
            "  `mine`: fails to evaluate, which denies: somebody may reach hosts on `sensitive` or outside the catalogue, for example on Sunday at ",
            "somebody with role `staff` may reach hosts on `internal-collaboration` or `social-media`, for example on Sunday at ",
            "    policies: allowed by `connect.open-web` (rules/10-reach.cedar:",
            "    new: denied: error while evaluating policy `mine`: integer overflow",
            "otherwise equivalent",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
        // the other way round, it is allowed once the rule is gone
        let told = desk.types("wayleave diff new policies");
        let said = "  `mine`: failed to evaluate, which denied: somebody may reach hosts on `sensitive` or outside the catalogue";
        assert!(told.starts_with("exit 1\n") && told.contains(said), "{told}");
    }

    #[test]
    fn each_kind_that_a_rule_denies_by_failing_is_told() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "forbid (principal in Role::\"recruiter\", action == Action::\"connect\", resource) when { \
             context.local.weekday * 9223372036854775807 < 0 };",
        );
        let told = compared(&desk);
        let (_, denied) = told.split_once("newly denied").unwrap();
        for said in ["outside the catalogue", "`social-media`", "`sensitive`"] {
            assert!(denied.contains(said), "{said}: {told}");
        }
    }

    #[test]
    fn a_permit_of_what_is_permitted_already_takes_it_away_where_it_fails() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "permit (principal in Role::\"recruiter\", action in [Action::\"post\", Action::\"comment\", \
             Action::\"message\", Action::\"upload\"], resource in Category::\"professional\") when { context has purpose && \
             context.purpose.kind == PurposeKind::\"recruiting\" && context.request.bytes * 9223372036854775807 > 1000 };",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 1\n"), "{told}");
        for said in [
            "`mine`: fails to evaluate, which denies: somebody with role `recruiter`",
            "policies: allowed by `recruiting.publish`",
            "new: denied: error while evaluating policy `mine`",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
    }

    #[test]
    fn a_rule_that_fails_only_where_all_is_denied_anyway_changes_nothing() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "permit (principal, action == Action::\"connect\", resource in Category::\"evasion\") when { \
             context.local.weekday * 9223372036854775807 > 0 };",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 0\n"), "{told}");
    }

    #[test]
    fn what_a_rule_of_both_denies_by_failing_is_not_told_as_a_difference() {
        let desk = Desk::with_policies();
        let own = |id: &str, rest: &str| {
            let notes = format!("@id(\"{id}\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\n");
            let rule = format!("{notes}permit (principal, action == Action::\"inspect\", resource) {rest};\n");
            desk.write(&format!("policies/rules/90-{id}.cedar"), &rule);
        };
        own(
            "fails",
            "when { context.local.weekday * 9223372036854775807 > 0 && context.local.weekday == 8 }",
        );
        assert_eq!(desk.types("cp -r policies new"), "exit 0\n");
        adds(
            &desk,
            "mine",
            "permit (principal, action == Action::\"inspect\", resource in Category::\"internal-collaboration\") when { \
             context.client.network == \"guest\" };",
        );
        let told = compared(&desk);
        // on Mondays nothing fails: what passed unread is read then
        assert!(
            told.contains("newly allowed: nothing found\n") && told.contains("for example on Monday"),
            "{told}"
        );
        assert!(told.contains("`fails` fails to evaluate"), "{told}");
        assert!(!told.contains("equivalent"), "{told}");
    }

    #[test]
    fn what_no_host_can_be_is_no_difference() {
        for rule in [
            // no flow to it is read, and it is in no category that something is permitted in
            "forbid (principal, action == Action::\"upload\", resource in Platform::\"slack\");",
            // it is closed already
            "forbid (principal, action == Action::\"connect\", resource == Site::\"www.tinder.com\");",
            "permit (principal in Role::\"staff\", action == Action::\"connect\", resource == Site::\"www.tinder.com\");",
            // nobody is on two platforms at once
            "permit (principal in Role::\"staff\", action == Action::\"upload\", resource in Platform::\"slack\") when { \
             resource in Platform::\"linkedin\" };",
            // she is an intern
            "permit (principal == User::\"eve\", action == Action::\"share\", resource in Category::\"social-media\");",
        ] {
            let desk = with_new();
            adds(&desk, "mine", rule);
            let told = compared(&desk);
            assert!(told.starts_with("exit 0\n"), "{rule}: {told}");
        }
    }

    #[test]
    fn a_host_of_a_rule_is_where_the_catalogue_places_it() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "forbid (principal, action == Action::\"connect\", resource == Site::\"www.linkedin.com\");",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 1\n"), "{told}");
        assert!(!told.contains("outside the catalogue"), "{told}");
        assert!(told.contains("; `www.linkedin.com`, a host "), "{told}");
    }

    #[test]
    fn what_a_rule_that_coaches_refuses_is_not_called_allowed() {
        let desk = with_new();
        adds(
            &desk,
            "mine",
            "@mode(\"coach\")\npermit (principal in Department::\"marketing\", action == Action::\"connect\", resource in \
             Category::\"internal-collaboration\");",
        );
        let told = compared(&desk);
        assert!(told.starts_with("exit 1\n"), "{told}");
        let said = "new: refused: no rule in force permits it, allowed to whoever continues\n";
        assert!(told.contains(said), "{told}");
        desk.edit("new/rules/90-mine.cedar", "@mode(\"coach\")", "@mode(\"enforce\")");
        assert_eq!(desk.types("rm -r policies && cp -r new policies"), "exit 0\n");
        desk.edit("policies/rules/90-mine.cedar", "permit", "forbid");
        assert_eq!(desk.types("rm -r new && cp -r policies new"), "exit 0\n");
        desk.edit("policies/rules/90-mine.cedar", "@mode(\"enforce\")", "@mode(\"coach\")");
        let told = compared(&desk);
        assert!(
            told.contains("policies: refused by `mine` (rules/90-mine.cedar:1), allowed to whoever continues\n"),
            "{told}"
        );
        assert!(
            told.contains("  `mine`: was in mode coach, and is in force now\n"),
            "{told}"
        );
    }

    #[test]
    fn where_the_time_is_up_it_is_not_said_that_nothing_changed() {
        let desk = with_new();
        desk.edit_rule("new/rules/40-portal.cedar", "duration(\"14d\")", "duration(\"15d\")");
        let told = desk.types("wayleave diff policies new --limit 0");
        assert!(told.starts_with("exit 4\n"), "{told}");
        assert!(told.contains("newly allowed: nothing found\n"), "{told}");
        insta::assert_snapshot!(desk.types("wayleave diff policies new --total 0"), @"
        exit 4
        --- stdout
        newly allowed: nothing found
        newly denied: nothing found
        undecided about approve through `approve.owner-or-manager`: whether it always evaluates: the time for all of it was up
        the time for all of it was up after 0 questions of at most 0 rules: give it more with `--total`
        ");
    }
}
