//! `grants --renew`, `break-glass` and `review`, and how fast requests are answered: through a gateway that runs.

use super::desk::{Desk, Running};

/// The id of the first grant that somebody's list names.
fn first_id(desk: &Desk, line: &str) -> String {
    let listed = desk
        .command(&format!("{line} | cut -d' ' -f1 | head -1"))
        .output()
        .unwrap();
    String::from_utf8(listed.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_purpose_is_renewed_taken_in_an_emergency_and_reviewed_at_two_terminals() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["pia", "nora"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let line = |user: &str, line: &str| {
        format!(
            "WAYLEAVE_CA=certs/root.pem HTTPS_PROXY='http://{user}:correct%20horse%20battery@{}' {line}",
            gate.plain
        )
    };
    let types = |user: &str, typed: &str| desk.types(&line(user, typed));
    types(
        "pia",
        "wayleave declare press-monitoring --on x --statement 'Who writes about us'",
    );
    let held = first_id(&desk, &line("pia", "wayleave grants"));
    insta::assert_snapshot!(types("pia", &format!("wayleave grants --renew {held}")), @"
    exit 0
    --- stdout
    [id]  press-monitoring  x  read  until [time]  active
    ");
    insta::assert_snapshot!(types("pia", "wayleave grants --renew nothing"), @"
    exit 1
    --- stderr
    There is nothing here: You hold no such grant. GET /v1/grants lists those that you hold.
    ");

    let glass = "wayleave break-glass crisis-response --on x --statement 'The plant is on fire'";
    insta::assert_snapshot!(types("pia", &format!("{glass} --ticket HR-1")), @"
    exit 1
    --- stderr
    The declaration does not fit: Nothing was granted: name a ticket such as `INC-88` (pattern `INC-[0-9]{1,6}`).
    ");
    insta::assert_snapshot!(types("pia", &format!("{glass} --ticket INC-7 --for 20m")), @"
    exit 0
    --- stdout
    [id]  crisis-response  x  engage,publish,read  until [time]  active
    ");
    insta::assert_snapshot!(types("nora", "wayleave grants --to-review"), @"
    exit 0
    --- stdout
    [id]  crisis-response  x  engage,publish,read  by pia  ticket INC-7  review until [time]
        The plant is on fire
    ");
    insta::assert_snapshot!(types("pia", "wayleave grants --to-review"), @"
    exit 0
    --- stderr
    nothing waits for your review
    ");
    let taken = first_id(&desk, &line("nora", "wayleave grants --to-review"));
    insta::assert_snapshot!(types("pia", &format!("wayleave review {taken} --accepted --note 'It burned'")), @"
    exit 1
    --- stderr
    You may not review this: Nobody approves their own purpose.
    ");
    insta::assert_snapshot!(types("nora", &format!("wayleave review {taken} --not-accepted --note 'A drill'")), @"
    exit 0
    --- stdout
    [id]  crisis-response  x  engage,publish,read  until [time]  active  of pia
    ");
    insta::assert_snapshot!(types("nora", &format!("wayleave review {taken} --accepted --note 'It burned'")), @"
    exit 1
    --- stderr
    It is reviewed already: Somebody reviewed this emergency before you.
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn how_fast_such_requests_are_usually_answered_is_told_at_a_terminal_once_five_were() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ben", "mia"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let line = |user: &str, line: &str| {
        format!(
            "WAYLEAVE_CA=certs/root.pem HTTPS_PROXY='http://{user}:correct%20horse%20battery@{}' {line}",
            gate.plain
        )
    };
    let asks = || {
        desk.types(&line(
            "ben",
            "wayleave declare brand-publishing --on x --statement 'Launch of the new bicycle'",
        ))
    };
    for _ in 0..5 {
        let asked = asks();
        assert!(
            asked.contains("it waits for the approval of mia") && !asked.contains("usually"),
            "{asked}"
        );
        let id = first_id(&desk, &line("mia", "wayleave grants --to-approve"));
        let declined = desk.types(&line("mia", &format!("wayleave decline {id} --reason 'Not today'")));
        assert!(declined.starts_with("exit 0"), "{declined}");
    }
    let asked = asks();
    assert!(asked.contains("; usually answered within 5 minutes"), "{asked}");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn what_only_an_emergency_opens_is_explained_as_that() {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/people/people.toml",
        "id = \"hana\"\n",
        "id = \"hana\"\ntraining = { social-media = 2031-12-31 }\n",
    );
    let line = "wayleave explain --as hana --to https://x.com/i/api/graphql/AbC/CreateTweet --method POST --at 2026-11-24T09:30:00Z";
    let told = desk.types(line);
    let helps = "what would help\n  in an emergency, `wayleave break-glass crisis-response --on x` (Crisis response): covers `publish`, \
                 `read`, opens at once for an hour at most, and is reviewed by the next working day\n";
    assert!(told.contains(helps), "{told}");
    let told = desk.types(&format!("{line} --format json"));
    assert!(told.contains("\"purpose\": \"crisis-response\""), "{told}");
}
