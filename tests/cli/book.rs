//! `records`: the book of a gateway that ran.

use super::desk::{Desk, Running};

#[test]
fn the_book_is_listed_shown_and_proved_and_a_broken_one_is_not() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    desk.types("echo 'correct horse battery' | wayleave user add ada");
    let gate = Running::start(&desk);
    let declare = "wayleave declare press-monitoring --platform x --statement 'Follow the launch of our product' --ca certs/root.pem";
    desk.types(&format!(
        "{declare} --proxy http://ada:correct%20horse%20battery@{}",
        gate.plain
    ));
    assert_eq!(gate.stop(), 0);
    insta::assert_snapshot!(desk.types("wayleave records list"), @"
    exit 0
    --- stdout
    [time] gateway  started, version 0.1.0, rules [rulebook]  [[id]]
    [time] granted  ada press-monitoring on x until [time], by ada, grant [id]  [[id]]
    [time] -        ada - POST wayleave.internal: completed, 201, read, 0 B up, 366 B down, [ms] ms  [[id]]
    [time] -        ada - wayleave.internal:443: completed, 200, read, 0 B up, 0 B down, [ms] ms  [[id]]
    [time] gateway  stopped, rules [rulebook]  [[id]]
    ");
    insta::assert_snapshot!(desk.types("wayleave records tail -n 1"), @"
    exit 0
    --- stdout
    [time] gateway  stopped, rules [rulebook]  [[id]]
    ");
    insta::assert_snapshot!(desk.types("wayleave records list --user ben"), @"exit 0");
    insta::assert_snapshot!(desk.types("wayleave records list --kind grants"), @"
    exit 0
    --- stdout
    [time] granted  ada press-monitoring on x until [time], by ada, grant [id]  [[id]]
    ");
    insta::assert_snapshot!(desk.types("wayleave records list --kind break-glass"), @"exit 0");
    insta::assert_snapshot!(desk.types("wayleave records list --kind grant"), @"
    exit 2
    --- stderr
    error: invalid value 'grant' for '--kind <KIND>': did you mean `grants`? use one of all, flows, grants, break-glass, continued, delegations, tokens, access, gateway

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave records verify"), @"
    exit 0
    --- stdout
    the records hold (lines: 5, segments: 1, sealed: 0)
    numbers 1 to 5; head 5:[digest]
    key of the seals [rulebook]
    ");
    assert_eq!(desk.types("wayleave records list --format json").lines().count(), 2 + 5);
    // the settings say where the book is, and the command line wins
    desk.types("mkdir elsewhere && cp -r state/records elsewhere/book");
    let there = "--set audit.folder=elsewhere/book";
    assert_eq!(
        desk.types(&format!("wayleave records list {there}")).lines().count(),
        2 + 5
    );
    insta::assert_snapshot!(desk.types(&format!("wayleave records list --folder nowhere {there}")), @"
    exit 1
    --- stderr
    error: the records in `nowhere` cannot be read: No such file or directory (os error 2); name the folder of a gateway's records with `--folder`
    ");
    insta::assert_snapshot!(desk.types("rm elsewhere/book/records-* && wayleave records verify --folder elsewhere/book"), @"
    exit 1
    --- stderr
    error: the records do not hold: `records-00000001.jsonl`: there is no segment at all: the records were removed
    ");
    desk.edit(
        "state/records/records-00000001.jsonl",
        "Follow the launch",
        "Follow the lunch!",
    );
    insta::assert_snapshot!(desk.types("wayleave records verify"), @"
    exit 1
    --- stderr
    error: the records do not hold: `records-00000001.jsonl`, line 3: its `prev` is not the hash of the line before it, number 2: one of the two was changed, or a line was removed, inserted or moved
    ");
}

#[test]
fn a_book_that_is_not_there_or_a_wrong_question_is_explained() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave records list"), @"
    exit 1
    --- stderr
    error: the records in `state/records` cannot be read: No such file or directory (os error 2); name the folder of a gateway's records with `--folder`
    ");
    insta::assert_snapshot!(desk.types("wayleave records verify"), @"
    exit 1
    --- stderr
    error: the records do not hold: `state/records`: it cannot be read: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(desk.types("wayleave records show nothing"), @"
    exit 1
    --- stderr
    error: the records in `state/records` cannot be read: No such file or directory (os error 2); name the folder of a gateway's records with `--folder`
    ");
    insta::assert_snapshot!(desk.types("wayleave records list --outcome denied"), @"
    exit 2
    --- stderr
    error: invalid value 'denied' for '--outcome <OUTCOME>': use `allow`, `declare`, `request` or `deny`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave records list --since yesterday"), @"
    exit 2
    --- stderr
    error: invalid value 'yesterday' for '--since <WHEN>': use a moment ([time]), a day (2026-11-22), or how long ago (2h, 7d)

    For more information, try '--help'.
    ");
}
