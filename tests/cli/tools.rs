//! `token`, `delegate` and what revokes them: through a gateway that runs.

use super::desk::{Desk, Running};

/// A gateway that knows these people, and what somebody of them types.
fn opened(people: &[&str]) -> (Desk, Running) {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in people {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    (desk, gate)
}

fn types(desk: &Desk, gate: &Running, user: &str, line: &str) -> String {
    let proxy = format!("HTTPS_PROXY='http://{user}:correct%20horse%20battery@{}'", gate.plain);
    desk.types(&format!("export WAYLEAVE_CA=certs/root.pem {proxy}; {line}"))
}

#[test]
fn tokens_are_made_listed_and_revoked_from_a_terminal() {
    let (desk, gate) = opened(&["ada", "ben", "sol"]);
    let by = |user: &str, line: &str| types(&desk, &gate, user, line);
    let shown = "| sed 's/wl_[0-9a-f]*/[token]/'";
    insta::assert_snapshot!(by("ada", "wayleave token list"), @"
    exit 0
    --- stderr
    you have no token
    ");
    insta::assert_snapshot!(by("ada", &format!("wayleave token create --scope read --name 'nightly report' {shown}")), @"
    exit 0
    --- stdout
    [token]
    --- stderr
    keep it where only your program reads it: it is not shown again; it is over at [time], or once you say `wayleave token revoke [id]`
    ");
    insta::assert_snapshot!(by("ada", "wayleave token create --scope reed"), @"
    exit 1
    --- stderr
    It cannot be read what token is wanted: No token was made: there is no scope `reed`: did you mean `read`?
    ");
    insta::assert_snapshot!(by("ada", "wayleave token create --scope read --expires 99d"), @"
    exit 1
    --- stderr
    It cannot be read what token is wanted: No token was made: It can be good for 1 to 90 days.
    ");
    insta::assert_snapshot!(by("ada", "wayleave token create"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --scope <SCOPE>

    Usage: wayleave token create --scope <SCOPE> --ca <FILE> --proxy <URL>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(by("ada", "wayleave token list"), @"
    exit 0
    --- stdout
    [id]  read  until [time]  used -  nightly report
    ");
    insta::assert_snapshot!(by("sol", "wayleave token list --of ada"), @"
    exit 0
    --- stdout
    [id]  read  until [time]  used -  nightly report  of ada
    ");
    insta::assert_snapshot!(by("ben", "wayleave token list --of ada"), @"
    exit 0
    --- stderr
    they have no token that you could end
    ");
    let id = "$(wayleave token list --of ada | cut -d' ' -f1)";
    insta::assert_snapshot!(by("sol", &format!("wayleave revoke --token {id} --dry-run")), @"
    exit 0
    --- stdout
    [id]  read  until [time]  used -  nightly report  of ada
    --- stderr
    nothing was revoked: this only lists what would be
    ");
    insta::assert_snapshot!(by("sol", &format!("wayleave revoke --token {id} --reason 'Seen on a forum'")), @"
    exit 0
    --- stdout
    [id]  read  until [time]  used -  nightly report  of ada
    ");
    insta::assert_snapshot!(by("sol", "wayleave revoke --token nothing --reason 'Seen on a forum'"), @"
    exit 1
    --- stderr
    There is nothing here: Nothing that you may know of is in force, or waits, and fits.
    ");
    assert!(by("ada", "wayleave token create --scope proxy").starts_with("exit 0"));
    let own = "$(wayleave token list | cut -d' ' -f1)";
    insta::assert_snapshot!(by("ada", &format!("wayleave token revoke {own}")), @"
    exit 0
    --- stderr
    revoked: whatever used it is cut off
    ");
    insta::assert_snapshot!(by("ada", "wayleave token revoke nothing"), @"
    exit 1
    --- stderr
    There is nothing here: You have no such token. GET /v1/tokens lists those that you have.
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn who_answers_for_whom_is_said_listed_and_ended_from_a_terminal() {
    let (desk, gate) = opened(&["mia", "nora", "sol"]);
    let by = |user: &str, line: &str| types(&desk, &gate, user, line);
    let week = "--until $(date -d '+6 days' +%F)";
    insta::assert_snapshot!(by("mia", "wayleave delegate --list"), @"
    exit 0
    --- stderr
    nobody answers for you, and you for nobody
    ");
    insta::assert_snapshot!(by("mia", &format!("wayleave delegate nora {week} --purpose brand-publishing")), @"
    exit 0
    --- stdout
    [id]  nora for mia  brand-publishing  from [time] until [time]  in-force
    ");
    insta::assert_snapshot!(by("mia", &format!("wayleave delegate norah {week}")), @"
    exit 1
    --- stderr
    Nobody else answers for you: The directory lists nobody called `norah`: write the name with which they sign in.
    ");
    insta::assert_snapshot!(by("mia", &format!("wayleave delegate ana {week}")), @"
    exit 1
    --- stderr
    Nobody else answers for you: The rules do not let you choose them to answer for you.
    ");
    insta::assert_snapshot!(by("mia", "wayleave delegate nora"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --until <DAY>

    Usage: wayleave delegate --ca <FILE> --proxy <URL> --until <DAY> <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(by("nora", "wayleave delegate --list"), @"
    exit 0
    --- stdout
    [id]  nora for mia  brand-publishing  from [time] until [time]  in-force
    ");
    insta::assert_snapshot!(by("nora", "wayleave delegate --list --of mia"), @"
    exit 0
    --- stderr
    nobody answers for them, and they for nobody, as far as the rules let you end it
    ");
    let id = "$(wayleave delegate --list --of mia | cut -d' ' -f1)";
    insta::assert_snapshot!(by("sol", &format!("wayleave revoke --delegation {id} --reason 'Not now'")), @"
    exit 0
    --- stdout
    [id]  nora for mia  brand-publishing  from [time] until [time]  ended
    ");
    assert!(by("mia", &format!("wayleave delegate nora {week}")).starts_with("exit 0"));
    let own = "$(wayleave delegate --list | grep in-force | cut -d' ' -f1)";
    insta::assert_snapshot!(by("mia", &format!("wayleave delegate --end {own}")), @"
    exit 0
    --- stdout
    [id]  nora for mia  all  from [time] until [time]  ended
    ");
    insta::assert_snapshot!(by("mia", "wayleave delegate --end nothing"), @"
    exit 1
    --- stderr
    There is nothing here: You gave no such delegation. GET /v1/delegations lists those that you gave and were given.
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn whoever_approves_first_of_two_is_told_that_it_waits_for_the_other() {
    let (desk, gate) = opened(&["pia", "nora", "lea"]);
    let by = |user: &str, line: &str| types(&desk, &gate, user, line);
    let asks = "wayleave declare executive-communication --on linkedin --statement 'The annual results, for the board'";
    assert!(by("pia", asks).starts_with("exit 4"), "{}", by("pia", asks));
    let id = "$(wayleave grants --to-approve | head -1 | cut -d' ' -f1)";
    insta::assert_snapshot!(by("nora", &format!("wayleave approve {id}")), @"
    exit 4
    --- stdout
    [id]  executive-communication  linkedin  engage,publish,read  until [time]  requested
    --- stderr
    it waits for lea
    ");
    insta::assert_snapshot!(by("lea", &format!("wayleave approve {id}")), @"
    exit 0
    --- stdout
    [id]  executive-communication  linkedin  engage,publish,read  until [time]  active
    ");
    assert_eq!(gate.stop(), 0);
}
