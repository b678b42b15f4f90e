//! `prove`.

use super::desk::Desk;

#[test]
fn a_property_with_a_mistake_is_told_before_anything_is_proved() {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/properties/places.toml",
        "Category::\"dating\"",
        "Category::\"datin\"",
    );
    let told = desk.types("wayleave prove");
    assert!(told.starts_with("exit 1\n"), "{told}");
    assert!(told.contains("did you mean `dating`?"), "{told}");
    assert!(told.contains("so nothing was proved"), "{told}");
}

#[test]
fn what_nobody_wrote_is_not_proved() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(desk.types("wayleave prove --only dating-stays-open"), @"
    exit 2
    --- stderr
    error: no property and no rule is called `dating-stays-open`
    ");
    insta::assert_snapshot!(desk.types("wayleave prove nowhere"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
}

#[test]
fn of_a_rule_that_only_observes_or_coaches_nothing_is_proved_and_how_to_is_said() {
    let desk = Desk::with_policies();
    let rule = |mode: &str| {
        desk.write(
            "policies/rules/90-trial.cedar",
            &format!(
                "// On trial.\n@id(\"trial.soft\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\n@mode(\"{mode}\")\n\
                 forbid (principal, action == Action::\"browse\", resource in Category::\"social-media\");\n"
            ),
        );
        desk.types("wayleave prove --only trial.soft")
    };
    insta::assert_snapshot!(rule("observe"), @r#"
    exit 2
    --- stderr
    error: the rule `trial.soft` (rules/90-trial.cedar:2) only observes: it keeps nobody from anything for good, so it is not in effect, and nothing is proved of it
      help: to prove it as if it were, copy the folder, take `@mode("observe")` off the rule there, and run `wayleave prove COPY --only trial.soft`
    "#);
    insta::assert_snapshot!(rule("coach"), @r#"
    exit 2
    --- stderr
    error: the rule `trial.soft` (rules/90-trial.cedar:2) only coaches: it keeps nobody from anything for good, so it is not in effect, and nothing is proved of it
      help: to prove it as if it were, copy the folder, take `@mode("coach")` off the rule there, and run `wayleave prove COPY --only trial.soft`
    "#);
}

#[cfg(not(feature = "prove"))]
#[test]
fn a_program_without_proofs_says_how_to_build_one_with() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(desk.types("wayleave prove --only dating-stays-closed"), @"
    exit 3
    --- stderr
    error: nothing was proved: this program was built without proofs
      help: build it with `cargo build --features prove`
    ");
}

#[cfg(feature = "prove")]
mod solved {
    use super::Desk;
    use crate::tested::small;

    /// One that holds, and one that does not.
    const TWO: &str = r#"[[property]]
name = "interns-stay-out"
owner = "HR"
sentence = "No intern reaches social media."
never = { actions = ["connect"], when = 'principal.employment == Employment::"intern" && resource in Category::"social-media"' }

[[property]]
name = "nobody-gets-in"
owner = "HR"
sentence = "Nobody reaches social media."
never = { actions = ["connect"], when = 'resource in Category::"social-media"' }
"#;

    #[test]
    fn what_was_found_is_written_down_with_by_whom_and_read_whole_or_not_at_all() {
        let desk = small();
        desk.write("policies/properties/small.toml", TWO);
        desk.write("proofs.json", "what was found before");
        let told = desk.types("wayleave prove --out proofs.json --by 'security team'");
        assert!(told.starts_with("exit 1\n"), "{told}");
        assert!(told.contains("\nproved     interns-stay-out"), "{told}");
        let text = desk.read("proofs.json");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let verdict = |nth: usize| ["name", "outcome"].map(|key| found["properties"][nth][key].as_str().unwrap());
        assert_eq!(verdict(0), ["interns-stay-out", "proved"], "{text}");
        assert_eq!(verdict(1), ["nobody-gets-in", "fails"], "{text}");
        assert_eq!(
            found["properties"].as_array().unwrap().len(),
            2,
            "of rules nothing is written down"
        );
        assert_eq!(found["by"], "security team");
        assert!(found["solver"].as_str().unwrap().contains("cvc5"), "{text}");
        assert!(found["rulebook"].as_str().unwrap().starts_with("sha256:"), "{text}");
        assert!(found["at"].as_str().unwrap().ends_with('Z'), "{text}");
        assert!(
            !desk.path("proofs.json.new").exists(),
            "it is there whole, and nothing beside it"
        );

        // where nothing was decided, that is what is written down
        let told = desk.types("wayleave prove --no-cache --total 0 --out proofs.json");
        assert!(told.starts_with("exit 4\n"), "{told}");
        let found: serde_json::Value = serde_json::from_str(&desk.read("proofs.json")).unwrap();
        assert_eq!(found["properties"][0]["outcome"], "undecided");
        assert_eq!(found.get("by"), None, "nobody said who");
    }

    #[test]
    fn what_cannot_be_written_down_is_said_and_a_part_of_the_properties_is_not_written_for_all() {
        let desk = small();
        desk.write("policies/properties/small.toml", TWO);
        insta::assert_snapshot!(desk.types("wayleave prove --no-cache --total 0 --out nowhere/proofs.json"), @"
        exit 2
        --- stderr
        error: what was found cannot be written to `nowhere/proofs.json`: No such file or directory (os error 2)
          help: name a file in a folder that you may write to
        ");
        for line in [
            "wayleave prove --only interns-stay-out --out proofs.json",
            "wayleave prove --by nobody",
        ] {
            let told = desk.types(line);
            assert!(told.starts_with("exit 2\n"), "{line}: {told}");
            assert!(!desk.path("proofs.json").exists());
        }
    }

    #[test]
    fn without_a_solver_nothing_is_proved_and_what_to_install_is_said() {
        let desk = Desk::with_policies();
        insta::assert_snapshot!(desk.types("CVC5=/nowhere/cvc5 wayleave prove --only dating-stays-closed"), @"
        exit 3
        --- stderr
        error: nothing was proved: the solver `/nowhere/cvc5` cannot be started: No such file or directory (os error 2)
          help: install cvc5 (Debian and Ubuntu: `apt-get install cvc5`; macOS: `brew install cvc5`), or name it in the environment: `CVC5=/path/to/cvc5`
        ");
    }

    #[test]
    fn where_the_time_is_up_nothing_is_claimed() {
        let desk = Desk::with_policies();
        insta::assert_snapshot!(desk.types("wayleave prove --limit 0 --only interns-never-publish"), @"
        exit 4
        --- stdout
        UNDECIDED  interns-never-publish: Interns never publish on social media, for any purpose.: the time was up
        0 proved, 0 failed, 1 undecided
        ");
    }

    #[test]
    fn where_the_time_for_all_is_up_what_is_left_is_named() {
        let desk = Desk::with_policies();
        let line = "wayleave prove --no-cache --total 0 --only interns-never-publish --only connect.open-web";
        insta::assert_snapshot!(desk.types(line), @"
        exit 4
        --- stdout
        UNDECIDED  interns-never-publish: Interns never publish on social media, for any purpose.: the time for all of it was up
        UNDECIDED  rule `connect.open-web` always evaluates without an error: the time for all of it was up
        UNDECIDED  rule `connect.open-web` makes a difference: the time for all of it was up
        0 proved, 0 failed, 3 undecided
        the time for all of it was up after 0 questions of at most 0 rules: give it more with `--total`
        ");
    }

    #[test]
    fn where_much_is_left_of_many_rules_it_is_told_in_one_line() {
        let desk = Desk::with_policies();
        let told = desk.types("wayleave prove --no-cache --total 0");
        let of_rules: Vec<&str> = told
            .lines()
            .skip_while(|line| !line.contains("UNDECIDED  of "))
            .collect();
        insta::assert_snapshot!(of_rules.join("\n"), @"
        UNDECIDED  of 54 rules, whether each evaluates without an error and makes a difference (108 proofs): the time for all of it was up
          they are `activity.open-web`, `any.account`, `approve.delegate`, `approve.named`, `approve.never-for-who-asks`, `approve.never-own`, `approve.owner-or-manager`, `brand.publish`, `break-glass.never-contractors`, `break-glass.staff` and 44 more
        0 proved, 0 failed, 148 undecided
        the time for all of it was up after 0 questions of at most 0 rules: give it more with `--total`
        ");
    }

    #[test]
    fn what_was_proved_is_proved_again_only_when_a_rule_that_matters_changes() {
        let desk = Desk::with_policies();
        let line = "XDG_CACHE_HOME=cache wayleave prove --only dating-stays-closed";
        let proved = desk.types(line);
        assert!(proved.starts_with("exit 0\n"), "{proved}");
        // it says which it is, and cannot be asked anything
        let deaf = "#!/bin/sh\n[ \"$1\" = --version ] && exec cvc5 --version\nexit 1\n";
        desk.write("deaf", deaf);
        let unsolved = format!("chmod +x deaf && CVC5=./deaf {line}");
        // a rule on something else changes, and no solver is needed
        desk.edit_rule(
            "policies/rules/40-portal.cedar",
            "duration(\"14d\")",
            "duration(\"13d\")",
        );
        assert_eq!(desk.types(&unsolved), proved);
        desk.edit_rule(
            "policies/rules/10-reach.cedar",
            "resource in Category::\"evasion\");",
            "resource in Category::\"dating\");",
        );
        let told = desk.types(&unsolved);
        assert!(!told.contains("\nproved "), "{told}");
        let told = desk.types(&format!("{unsolved} --no-cache"));
        assert!(!told.contains("\nproved "), "{told}");
    }

    #[test]
    fn what_another_solver_proved_is_proved_again() {
        let desk = Desk::with_policies();
        let line = "XDG_CACHE_HOME=cache wayleave prove --only dating-stays-closed";
        let proved = desk.types(line);
        assert!(proved.starts_with("exit 0\n"), "{proved}");
        desk.write(
            "deaf",
            "#!/bin/sh\n[ \"$1\" = --version ] && echo another && exit\nexit 1\n",
        );
        let told = desk.types(&format!("chmod +x deaf && CVC5=./deaf {line}"));
        assert!(!told.contains("\nproved "), "{told}");
    }

    #[test]
    fn what_a_solver_says_late_is_no_answer_to_the_next_question() {
        let desk = Desk::with_policies();
        // it answers a question when it hears the next one, and cannot be started anew
        desk.write(
            "late",
            "#!/bin/sh\n[ \"$1\" = --version ] && exec cvc5 --version\nasked=\nwhile read -r line; do\n  case $line in\n  \
             *check-sat*) rm -f late; [ -z \"$asked\" ] || echo unsat; asked=yes ;;\n  esac\ndone\n",
        );
        // on one processor one solver is asked everything
        let line = "chmod +x late && CVC5=./late XDG_CACHE_HOME=cache taskset -c 0 wayleave prove --limit 1 \
                    --only interns-never-publish --only dating-stays-closed --only evasion-stays-closed";
        let told = desk.types(line);
        assert!(told.starts_with("exit 4\n") && !told.contains("\nproved "), "{told}");
        assert!(told.contains("the solver `./late` cannot be started"), "{told}");
    }

    #[test]
    fn the_shipped_rules_are_proved() {
        let desk = Desk::empty();
        insta::assert_snapshot!(desk.types("wayleave prove"), @"
        exit 0
        --- stdout
        proved     only-security-reads-decisions: Nobody reads what was decided about others but the security team.
        proved     break-glass-never-reaches-a-hard-ban: Break-glass never reaches what is closed to everybody: dating, adult platforms and evasion.
        proved     break-glass-passes-no-guard: In an emergency, too, nothing is published on social media by interns, without a valid training, from the guest network or on the word of an address.
        proved     break-glass-lasts-an-hour-at-most: Nobody breaks the glass for longer than an hour.
        proved     an-emergency-is-over-after-an-hour: Whatever was taken in an emergency opens nothing on social media an hour after it was declared, not even signing in.
        proved     nobody-breaks-the-glass-for-others: Nobody breaks the glass in the name of somebody else.
        proved     only-employees-break-the-glass: Nobody breaks the glass who is not an employee: no intern, no contractor, nobody of a vendor.
        proved     each-emergency-has-its-people: In an emergency nobody speaks for the company but communications, the board and managers, and nobody looks for fraud but security and legal.
        proved     no-glass-breaks-in-passing: Nobody breaks the glass in passing, by a header or a proxy user name.
        proved     interns-never-publish: Interns never publish on social media, for any purpose.
        proved     publishing-needs-training: Who has no valid social-media training never publishes on social media.
        proved     strangers-read-nothing: Who is not staff, such as an agency's people in the marketing department, opens nothing on social media.
        proved     nobody-approves-their-own: Nobody approves their own purpose or reviews their own emergency, not even the purpose's owner.
        proved     only-those-who-are-named-approve: Nobody approves but the purpose's owner, the declarer's manager, whom the terms of the purpose name, and whom one of these lets answer for them.
        proved     nobody-approves-for-who-asks: Nobody approves a purpose for the person who declared it, whoever lets them answer.
        proved     delegates-act-for-those-who-are-named: Nobody approves for somebody else whom the terms of the purpose do not name, whatever they may approve themselves.
        proved     nobody-declares-for-others: Nobody declares a purpose in the name of somebody else.
        proved     tools-alone-declare-by-header: A purpose stated in a header or a proxy user name counts for tools alone.
        proved     approvals-last-two-weeks: Nothing is approved for longer than fourteen days.
        proved     only-owners-and-security-revoke: Nobody ends what somebody else holds, grant or token, but the owner of its purpose and the security team.
        proved     staff-alone-delegate: Nobody lets others answer for them who is not staff.
        proved     staff-alone-make-tokens: Nobody makes a token who is not staff.
        proved     private-matters-stay-private: Banking, health, works councils and other private matters are never decrypted.
        proved     works-councils-stay-private: What is said to a trade union or works council is never decrypted, whatever else the host is.
        proved     dating-stays-closed: Dating and adult platforms never open.
        proved     evasion-stays-closed: Services that hide where somebody goes never open.
        proved     guests-never-publish: Nothing is published on social media from the guest network.
        proved     the-open-web-stays-open: Hosts outside the catalogue can always be reached.
        proved     approval-comes-first: But for an emergency, a purpose that needs approval opens nothing on social media until somebody has approved it, except signing in, signing out and live updates.
        proved     own-approval-counts-for-nothing: An approval that somebody gave themselves opens no publishing for the brand.
        proved     nothing-is-published-without-a-purpose: Nothing is published on social media without a purpose.
        proved     a-grant-stays-on-its-platforms: A grant opens nothing on other social media than its own platforms, not even signing in; pictures and video of a platform's family aside.
        proved     reading-grants-publish-nothing: A grant that does not cover publishing publishes nothing on social media.
        proved     research-never-publishes: Research, listening and press monitoring publish nothing on social media.
        proved     bans-hold-for-every-purpose: What is closed to everybody, dating, adult platforms and evasion, no purpose opens, approved or not.
        proved     breaks-are-at-noon: The personal break opens nothing on social media before noon, after two o'clock, or at the weekend, except signing in, signing out and live updates.
        proved     tokens-end-within-three-months: Nobody makes a token that is good for more than three months.
        proved     no-token-makes-another: A token makes no other token.
        proved     delegates-are-staff: Nobody lets somebody answer for them who is not staff, nor for longer than three months.
        proved     only-owners-and-the-board-see-value: Nobody sees how much a purpose is used but its owner and members of the board.
        proved     of 54 rules: each evaluates without an error and makes a difference (108 proofs)
        148 proved, 0 failed, 0 undecided
        ");
    }

    #[test]
    fn a_counterexample_reads_like_a_sentence_and_comes_as_a_case() {
        let desk = Desk::with_policies();
        desk.edit_rule(
            "policies/rules/30-guardrails.cedar",
            "when { principal.employment == Employment::\"intern\" };",
            "when { principal.employment == Employment::\"intern\" && context.client.network == \"office\" };",
        );
        insta::assert_snapshot!(desk.types("wayleave prove --only interns-never-publish"), @r#"
        exit 1
        --- stdout
        FAILED     interns-never-publish: Interns never publish on social media, for any purpose. (properties/people.toml:6, HR)
          who    somebody engaged as intern, role `staff`, department `marketing`, trained in `social-media` until [time]
          does   advertise
          where  a host of some platform in `social-media`
          for    `brand-publishing`, covering `administer`, on that platform, approved by somebody else
          when   [time] (Tuesday, 10:00 on their clock)
          from   vpn network, identified by basic
          the property: denied by `interns-never-publish` (properties/people.toml:6)
          the engine: allowed by `brand.publish` (rules/20-purposes.cedar:117)
          as a case, which `wayleave test` fails today:
            # people/somebody.toml
            [[person]]
            id = "somebody"
            name = "Somebody"
            roles = ["staff"]
            department = "marketing"
            employment = "intern"
            region = "eu-west"
            time-zone = "UTC"
            training = { social-media = [time] }
            # cases/somebody.toml
            [[case]]
            it = "keeps the property interns-never-publish"
            who = "somebody"
            to = "https://9gag.com/"
            does = "advertise"
            purpose = "brand-publishing"
            covers = ["administer"]
            platforms = ["9gag"]
            approved-by = "somebody-else"
            network = "vpn"
            at = [time]
            outcome = "refused"
        0 proved, 1 failed, 0 undecided
        "#);
        let desk = Desk::with_policies();
        desk.edit_rule("policies/rules/40-portal.cedar", "\"14d\"", "\"15d\"");
        insta::assert_snapshot!(desk.types("wayleave prove --only approvals-last-two-weeks"), @r#"
        exit 1
        --- stdout
        FAILED     approvals-last-two-weeks: Nothing is approved for longer than fourteen days. (properties/people.toml:64, legal)
          who    somebody engaged as employee, of no role and no department
          does   approve
          about  businessOwner = themselves
          about  declarer = somebody else
          about  kind = advertising-campaign
          about  maxDuration = 15d
          by     portal
          when   [time] (Tuesday, 10:00 on their clock)
          from   office network, identified by basic
          the property: denied by `approvals-last-two-weeks` (properties/people.toml:64)
          the engine: allowed by `approve.owner-or-manager` (rules/40-portal.cedar:31)
          as a case, which `wayleave test` fails today:
            # cases/somebody.toml
            [[case]]
            it = "keeps the property approvals-last-two-weeks"
            who = "mia"
            may = "approve"
            purpose = "advertising-campaign"
            declarer = "somebody-else"
            for = "15d"
            channel = "portal"
            network = "office"
            at = [time]
            outcome = "refused"
        0 proved, 1 failed, 0 undecided
        "#);
        let desk = Desk::with_policies();
        desk.edit_rule(
            "policies/rules/10-reach.cedar",
            "resource in Category::\"sensitive\");\n\n@id(\"passive",
            "resource in Category::\"sensitive\")\nunless { resource in Category::\"social-media\" };\n\n@id(\"passive",
        );
        insta::assert_snapshot!(desk.types("wayleave prove --only private-matters-stay-private"), @r#"
        exit 1
        --- stdout
        FAILED     private-matters-stay-private: Banking, health, works councils and other private matters are never decrypted. (properties/places.toml:5, legal)
          who    somebody engaged as employee, of no role and no department
          does   inspect
          where  a host in `sensitive`, `social-media`
          when   [time] (Tuesday, 10:00 on their clock)
          from   office network, identified by basic
          the property: denied by `private-matters-stay-private` (properties/places.toml:5)
          the engine: allowed by `inspect.social` (rules/10-reach.cedar:88)
          as a case, which `wayleave test` fails today:
            # people/somebody.toml
            [[person]]
            id = "somebody"
            name = "Somebody"
            roles = []
            department = "company"
            employment = "employee"
            region = "eu-west"
            time-zone = "UTC"
            # cases/somebody.toml
            [[case]]
            it = "keeps the property private-matters-stay-private"
            who = "somebody"
            to = "top-fwz1.mail.ru:443"
            network = "office"
            at = [time]
            outcome = "allow"
            inspect = false
        0 proved, 1 failed, 0 undecided
        "#);
    }

    #[test]
    fn a_case_made_of_a_counterexample_fails_until_the_rule_is_right() {
        let desk = Desk::with_policies();
        desk.edit_rule(
            "policies/rules/20-purposes.cedar",
            "context.local.weekday <= 5",
            "context.local.weekday <= 6",
        );
        let told = desk.types("wayleave prove --only breaks-are-at-noon");
        for name in ["people/somebody.toml", "cases/somebody.toml"] {
            let (_, rest) = told.split_once(&format!("    # {name}\n")).unwrap();
            let lines = rest
                .lines()
                .take_while(|line| line.starts_with("    ") && !line.starts_with("    #"));
            let text: Vec<&str> = lines.map(str::trim_start).collect();
            // the desk takes times out of what is said
            let text = text.join("\n").replace("[time]", "2026-11-28T12:30:00Z");
            desk.write(&format!("policies/{name}"), &text);
        }
        let told = desk.types("wayleave test");
        assert!(told.starts_with("exit 1\n"), "{told}");
        assert!(told.contains("keeps the property breaks-are-at-noon"), "{told}");
        desk.edit_rule(
            "policies/rules/20-purposes.cedar",
            "context.local.weekday <= 6",
            "context.local.weekday <= 5",
        );
        let told = desk.types("wayleave test");
        assert!(told.starts_with("exit 0\n"), "{told}");
    }

    #[test]
    fn rules_that_fail_contradict_themselves_or_do_nothing_are_told() {
        let desk = Desk::with_policies();
        let annotations = |id: &str| format!("@id(\"{id}\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\n");
        let more = [
            (
                "mine.overflow",
                "permit (principal in Role::\"staff\", action == Action::\"upload\", resource in Category::\"social-media\")\nwhen { context.request.bytes * 8 < 1000 };\n",
            ),
            (
                "mine.never",
                "permit (principal in Role::\"staff\", action == Action::\"upload\", resource in Category::\"social-media\")\nwhen { context.local.weekday > 5 && context.local.weekday < 3 };\n",
            ),
            (
                "mine.idle",
                "permit (principal in Role::\"recruiter\", action == Action::\"post\", resource in Category::\"professional\")\nwhen { context has purpose && context.purpose.kind == PurposeKind::\"recruiting\" && context.client.network == \"office\" };\n",
            ),
            (
                "mine.host",
                "permit (principal in Role::\"recruiter\", action == Action::\"connect\", resource == Site::\"www.linkedin.com\");\n",
            ),
        ];
        let rules: Vec<String> = more
            .iter()
            .map(|(id, text)| format!("{}{text}", annotations(id)))
            .collect();
        desk.write("policies/rules/90-mine.cedar", &rules.join("\n"));
        insta::assert_snapshot!(desk.types("wayleave prove --only mine.overflow --only mine.never --only mine.idle --only mine.host"), @"
        exit 1
        --- stdout
        FAILED     rule `mine.overflow` always evaluates without an error (rules/90-mine.cedar:1)
          a rule that fails to evaluate denies
          who    somebody engaged as employee, role `staff`
          does   upload
          where  a host in `social-media`
          when   [time] (Tuesday, 10:00 on their clock)
          from   office network, identified by basic
          with   context.request.bytes = 9223372036854775807
          the engine: denied: error while evaluating policy `mine.overflow`: integer overflow while attempting to multiply the values `9223372036854775807` and `8`
        FAILED     rule `mine.never` makes a difference (rules/90-mine.cedar:8)
          no request can meet its conditions: correct them, or remove it
        FAILED     rule `mine.idle` makes a difference (rules/90-mine.cedar:15)
          `recruiting.publish` (rules/20-purposes.cedar:55) decides all that it decides: remove it, or narrow the other
        FAILED     rule `mine.host` makes a difference (rules/90-mine.cedar:22)
          `connect.social` (rules/10-reach.cedar:32) decides all that it decides: remove it, or narrow the other
        proved     of 3 rules: each evaluates without an error (3 proofs)
        proved     of 1 rule: it makes a difference (1 proof)
        4 proved, 4 failed, 0 undecided
        ");
    }

    #[test]
    fn what_always_holds_is_not_proved_where_a_rule_fails_to_evaluate() {
        let desk = Desk::with_policies();
        desk.write(
            "policies/rules/90-mine.cedar",
            "@id(\"mine\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\npermit (principal, action == \
             Action::\"connect\", resource) when { context.local.weekday == 7 && context.local.weekday * 9223372036854775807 \
             > 0 && !resource.classified };\n",
        );
        let told = desk.types("wayleave prove --only the-open-web-stays-open");
        assert!(told.starts_with("exit 1\n"), "{told}");
        for said in [
            "FAILED     the-open-web-stays-open",
            "  where  a host outside the catalogue\n",
            "  the property: allowed by `the-open-web-stays-open` (",
            "  the engine: denied: error while evaluating policy `mine`",
            "  as a case, which `wayleave test` fails today:\n",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
        // a rule that can fail, and not for what the property speaks of
        desk.edit("policies/rules/90-mine.cedar", "!resource.classified", "true");
        desk.edit(
            "policies/rules/90-mine.cedar",
            "context.local.weekday == 7 &&",
            "resource.classified && context.local.weekday == 7 &&",
        );
        let told = desk.types("wayleave prove --only the-open-web-stays-open");
        assert!(told.starts_with("exit 0\n"), "{told}");
    }

    #[test]
    fn a_violation_comes_as_a_case_wherever_it_is_and_whoever_can_reach_it() {
        for (property, file, from, to) in [
            (
                "interns-never-publish",
                "30-guardrails",
                "forbid (\n  principal,\n  action in [Action::\"publish\", Action::\"administer\"],\n  resource in Category::\"social-media\"\n)\nwhen { principal.employment",
                "permit (\n  principal,\n  action in [Action::\"publish\", Action::\"administer\"],\n  resource in Category::\"social-media\"\n)\nwhen { principal.employment",
            ),
            (
                "works-councils-stay-private",
                "10-reach",
                "forbid (\n  principal,\n  action == Action::\"inspect\",\n  resource in Category::\"sensitive\"",
                "permit (\n  principal,\n  action == Action::\"inspect\",\n  resource in Category::\"sensitive\"",
            ),
            (
                "evasion-stays-closed",
                "10-reach",
                "forbid (\n  principal,\n  action == Action::\"connect\",\n  resource in Category::\"evasion\"",
                "permit (\n  principal,\n  action == Action::\"connect\",\n  resource in Category::\"evasion\"",
            ),
        ] {
            let desk = Desk::with_policies();
            desk.edit_rule(&format!("policies/rules/{file}.cedar"), from, to);
            let told = desk.types(&format!("wayleave prove --only {property}"));
            assert!(told.starts_with("exit 1\n"), "{property}: {told}");
            assert!(
                told.contains("  as a case, which `wayleave test` fails today:\n"),
                "{property}: {told}"
            );
        }
    }

    #[test]
    fn the_property_of_an_unread_platform_is_not_broken_by_a_host_that_cannot_be() {
        let desk = Desk::with_policies();
        desk.write(
            "policies/rules/90-mine.cedar",
            "@id(\"mine\")\n@title(\"T\")\n@reason(\"R.\")\n@owner(\"IT\")\npermit (principal in Role::\"staff\", action in \
             Action::\"activity\", resource in Platform::\"slack\");\n@id(\"mine.closed\")\n@title(\"T\")\n@reason(\"R.\")\n\
             @owner(\"IT\")\nforbid (principal, action == Action::\"connect\", resource == Site::\"www.tinder.com\");\n",
        );
        let told = desk.types(
            "wayleave prove --only interns-never-publish --only nothing-is-published-without-a-purpose --only \
             the-open-web-stays-open --only publishing-needs-training",
        );
        assert!(told.starts_with("exit 0\n"), "{told}");
    }

    #[test]
    fn a_property_that_speaks_of_no_request_is_not_proved() {
        let desk = Desk::with_policies();
        let property = |name: &str, claim: &str, when: &str| {
            format!(
                "[[property]]\nname = \"{name}\"\nowner = \"IT\"\nsentence = \"S.\"\n{claim} = {{ actions = [\"connect\", \
                 \"publish\"], when = '{when}' }}\n"
            )
        };
        let properties = [
            property("never-never", "never", "false"),
            property("late", "never", "context.local.time > duration(\"25h\")"),
            property("eighth-day", "always", "context.local.weekday > 7"),
            property(
                "somebody",
                "never",
                "principal in Role::\"visitor\" && resource in Platform::\"linkedin\" && action == Action::\"post\" && context has purpose && !context.purpose.covers.contains(\"publish\")",
            ),
        ];
        desk.write("policies/properties/empty.toml", &properties.join("\n"));
        let line =
            "XDG_CACHE_HOME=cache wayleave prove --only never-never --only late --only eighth-day --only somebody";
        let told = desk.types(line);
        insta::assert_snapshot!(told, @"
        exit 1
        --- stdout
        FAILED     never-never: S. (properties/empty.toml:2, IT)
          it speaks of no request that there can be: correct its `when`, or name other actions
        FAILED     late: S. (properties/empty.toml:8, IT)
          it speaks of no request that there can be: correct its `when`, or name other actions
        FAILED     eighth-day: S. (properties/empty.toml:14, IT)
          it speaks of no request that there can be: correct its `when`, or name other actions
        proved     somebody: S.
        1 proved, 3 failed, 0 undecided
        ");
        assert_eq!(desk.types(line), told, "what is remembered says the same");
    }

    #[test]
    fn the_name_of_a_property_may_have_quotes_and_its_case_can_be_kept() {
        let desk = Desk::with_policies();
        desk.edit(
            "policies/properties/people.toml",
            "name = \"approvals-last-two-weeks\"",
            "name = 'two \"weeks\" \\ no more'",
        );
        desk.edit_rule("policies/rules/40-portal.cedar", "\"14d\"", "\"15d\"");
        let told = desk.types("wayleave prove --only 'two \"weeks\" \\ no more'");
        let it = "it = \"keeps the property two \\\"weeks\\\" \\\\ no more\"";
        assert!(
            told.contains(it) || told.contains("it = 'keeps the property two \"weeks\" \\ no more'"),
            "{told}"
        );
        assert!(!told.contains("not as a case"), "{told}");
    }

    /// A property, and the change of a rule that breaks it.
    type Break = (&'static str, &'static str, &'static str, &'static str);

    fn each_is_broken(breaks: &[Break]) {
        for (property, file, from, to) in breaks {
            let desk = Desk::with_policies();
            desk.edit_rule(&format!("policies/rules/{file}.cedar"), from, to);
            let told = desk.types(&format!("wayleave prove --only {property}"));
            assert!(told.starts_with("exit 1\n"), "{property}: {told}");
            assert!(told.contains(&format!("FAILED     {property}: ")), "{property}: {told}");
            let said = |name: &str| {
                let line = told.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
                line.trim_start()
                    .trim_start_matches(name)
                    .split([' ', ':'])
                    .next()
                    .unwrap()
                    .to_owned()
            };
            // the engine that judges traffic has the last word
            assert_ne!(said("the property: "), said("the engine: "), "{property}: {told}");
        }
    }

    #[test]
    fn every_property_of_people_is_broken_by_a_rule_that_breaks_it() {
        each_is_broken(&[
            (
                "interns-never-publish",
                "30-guardrails",
                "when { principal.employment == Employment::\"intern\" };",
                "when { principal.employment == Employment::\"vendor\" };",
            ),
            (
                "publishing-needs-training",
                "30-guardrails",
                " && principal.getTag(\"social-media\") > context.now }",
                " }",
            ),
            (
                "strangers-read-nothing",
                "20-purposes",
                "principal in Role::\"customer-care\",",
                "principal,",
            ),
            (
                "nobody-approves-their-own",
                "40-portal",
                "propre motif.\")\n@owner(\"legal\")\nforbid (principal, action",
                "propre motif.\")\n@owner(\"legal\")\nforbid (principal in Role::\"staff\", action",
            ),
            (
                "nobody-declares-for-others",
                "40-portal",
                "when { resource.declarer == principal };",
                "when { resource.declarer == principal || resource.businessOwner == principal };",
            ),
            (
                "tools-alone-declare-by-header",
                "40-portal",
                "[\"proxy-name\", \"header\"]",
                "[\"proxy-name\"]",
            ),
            (
                "approvals-last-two-weeks",
                "40-portal",
                "duration(\"14d\")",
                "duration(\"15d\")",
            ),
        ]);
    }

    #[test]
    fn every_property_of_places_is_broken_by_a_rule_that_breaks_it() {
        let inspect_never = "resource in Category::\"sensitive\");\n\n@id(\"passive";
        each_is_broken(&[
            (
                "private-matters-stay-private",
                "10-reach",
                inspect_never,
                "resource in Category::\"banking\");\n\n@id(\"passive",
            ),
            (
                "works-councils-stay-private",
                "10-reach",
                inspect_never,
                "resource in Category::\"banking\");\n\n@id(\"passive",
            ),
            (
                "dating-stays-closed",
                "10-reach",
                "resource in Category::\"dating\" || ",
                "resource in Category::\"dating\" && ",
            ),
            (
                "evasion-stays-closed",
                "10-reach",
                "resource in Category::\"evasion\");",
                "resource in Category::\"evasion\")\nunless { principal in Role::\"engineer\" };",
            ),
            (
                "guests-never-publish",
                "30-guardrails",
                "context.client.network == \"guest\"",
                "context.client.network == \"guests\"",
            ),
            (
                "the-open-web-stays-open",
                "10-reach",
                "permit (principal, action == Action::\"connect\", resource)\nunless",
                "permit (principal in Role::\"staff\", action == Action::\"connect\", resource)\nunless",
            ),
        ]);
    }

    #[test]
    fn every_property_of_purposes_is_broken_by_a_rule_that_breaks_it() {
        let approved = "PurposeKind::\"influencer-outreach\"\n    && context.purpose has approvedBy && context.purpose.approvedBy != principal";
        each_is_broken(&[
            (
                "approval-comes-first",
                "20-purposes",
                approved,
                "PurposeKind::\"influencer-outreach\"",
            ),
            (
                "own-approval-counts-for-nothing",
                "20-purposes",
                " && context.purpose.approvedBy != principal\n};\n\n@id(\"community",
                "\n};\n\n@id(\"community",
            ),
            (
                "nothing-is-published-without-a-purpose",
                "20-purposes",
                "when { context has purpose && context.purpose.kind == PurposeKind::\"customer-support\" };",
                "when { if context has purpose then context.purpose.kind == PurposeKind::\"customer-support\" else true };",
            ),
            (
                "a-grant-stays-on-its-platforms",
                "30-guardrails",
                "when { context has purpose && !(resource in",
                "when { context has purpose && context.purpose.kind != PurposeKind::\"customer-support\" && !(resource in",
            ),
            (
                "reading-grants-publish-nothing",
                "30-guardrails",
                "context.purpose.covers.contains(\"publish\")",
                "context.purpose.covers.contains(\"engage\")",
            ),
            (
                "research-never-publishes",
                "20-purposes",
                "action in Action::\"read\", resource in Category::\"social-media\")\nwhen {\n  context has purpose\n    && [PurposeKind::\"market",
                "action in [Action::\"read\", Action::\"engage\"], resource in Category::\"social-media\")\nwhen {\n  context has purpose\n    && [PurposeKind::\"market",
            ),
            (
                "bans-hold-for-every-purpose",
                "10-reach",
                "resource in Category::\"evasion\");",
                "resource in Category::\"evasion\") unless { context has purpose && context.purpose has approvedBy };",
            ),
            (
                "breaks-are-at-noon",
                "20-purposes",
                "context.local.weekday <= 5",
                "context.local.weekday <= 6",
            ),
        ]);
    }
}
