//! `declare` and `grants`: through a gateway that runs, and past it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::desk::{Desk, Running};

#[test]
fn a_purpose_is_declared_listed_and_ended_through_the_gateway() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    desk.types("echo 'correct horse battery' | wayleave user add ada");
    let gate = Running::start(&desk);
    let types = |line: &str| {
        let proxy = format!("HTTPS_PROXY='http://ada:correct horse battery@{}'", gate.plain).replace(' ', "%20");
        desk.types(&format!("WAYLEAVE_CA=certs/root.pem {proxy} {line}"))
    };
    insta::assert_snapshot!(types("wayleave grants"), @"
    exit 0
    --- stderr
    you hold no grant
    ");
    insta::assert_snapshot!(types("wayleave declare recruiting --on linkedin --statement 'Backend engineers for Lyon' --for 30m"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  active
    ");
    insta::assert_snapshot!(types("wayleave grants"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  active
    ");
    insta::assert_snapshot!(types("wayleave declare recruting --on linkedin --statement 'Backend engineers for Lyon'"), @"
    exit 1
    --- stderr
    The declaration does not fit: Nothing was granted: there is no purpose `recruting`: did you mean `recruiting`?
    ");
    insta::assert_snapshot!(types("wayleave declare recruiting --on linkdin --statement 'Lyon' --ticket foo --for 99d"), @"
    exit 1
    --- stderr
    The declaration does not fit: Nothing was granted: `recruiting` is not meant for `linkdin`: did you mean `linkedin`?; `recruiting` lasts at most 8h when it covers `engage`, `publish`, `read`; say in at least 12 characters what you need it for; name a ticket such as `HR-123` (pattern `HR-[0-9]{1,6}`).
    ");
    insta::assert_snapshot!(types("wayleave declare brand-publishing --on x --statement 'The launch of our product'"), @"
    exit 1
    --- stderr
    The declaration does not fit: Nothing was granted: `brand-publishing` is open to `marketing`.
    ");
    insta::assert_snapshot!(types("wayleave grants --end nothing"), @"
    exit 1
    --- stderr
    There is nothing here: You hold no such grant. GET /v1/grants lists those that you hold.
    ");
    let listed: serde_json::Value = {
        let told = types("wayleave grants --json");
        serde_json::from_str(told.strip_prefix("exit 0\n--- stdout\n").unwrap()).unwrap()
    };
    assert_eq!(listed["grants"].as_array().unwrap().len(), 1);
    let raw = desk.command(&format!(
        "wayleave grants --ca certs/root.pem --proxy http://ada:correct%20horse%20battery@{} | cut -d' ' -f1",
        gate.plain
    ));
    let id = String::from_utf8({ raw }.output().unwrap().stdout).unwrap();
    insta::assert_snapshot!(types(&format!("wayleave grants --end {}", id.trim())), @"
    exit 0
    --- stderr
    ended
    ");
    let stranger = format!("wayleave grants --ca certs/root.pem --proxy http://{}", gate.plain);
    insta::assert_snapshot!(desk.types(&stranger), @"
    exit 1
    --- stderr
    error: the proxy does not know you
      help: name yourself with `--user` or in the proxy's URL; the password comes from WAYLEAVE_PASSWORD, from `--password-file`, or is asked for
    ");
    let wrong = format!(
        "wayleave grants --ca certs/root.pem --proxy http://ada:wrong@{}",
        gate.plain
    );
    insta::assert_snapshot!(desk.types(&wrong), @"
    exit 1
    --- stderr
    error: the proxy does not know you
      help: name yourself with `--user` or in the proxy's URL; the password comes from WAYLEAVE_PASSWORD, from `--password-file`, or is asked for
    ");
    insta::assert_snapshot!(types("wayleave grants --ca certs/clients.pem"), @"
    exit 1
    --- stderr
    error: `wayleave.internal` did not prove itself with the root in `certs/clients.pem`: invalid peer certificate: UnknownIssuer
      help: name the root of this gateway with `--ca`; there, `wayleave ca show --pem` prints it
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn a_proxy_that_refuses_the_way_is_heard_out() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let body = r#"{"title":"Nothing can be recorded","detail":"The disk is full."}"#;
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 10\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap()
    });
    let grants = format!("wayleave grants --ca certs/root.pem --proxy http://ada:secret@{address}");
    insta::assert_snapshot!(desk.types(&grants), @"
    exit 1
    --- stderr
    error: the proxy refused the way to `wayleave.internal` (503 Service Unavailable): Nothing can be recorded: The disk is full.
      help: try again in 10 seconds
    ");
    let head = proxy.join().unwrap();
    assert!(head.contains("accept: application/json\r\n"), "{head}");
}

/// What the person's own page tells to paste into a terminal, as a browser shows it.
fn lines_to_paste(desk: &Desk, gate: &Running, user: &str) -> Vec<String> {
    let page = desk.types(&format!(
        "curl -sS --proxy http://{user}:correct%20horse%20battery@{} --cacert certs/root.pem https://wayleave.internal/",
        gate.plain
    ));
    let shown = page.split_once("<pre>").unwrap().1;
    let shown = shown.split_once("</pre>").unwrap().0;
    let mut shown = shown
        .replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&#x27;", "'");
    shown = shown.replace("&quot;", "\"").replace("&amp;", "&");
    shown.split("\n\n").map(str::to_owned).collect()
}

#[test]
fn what_the_portal_tells_to_paste_works_when_it_is_pasted() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ada", "lea"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    for (user, named) in [("ada", "declare recruiting --on linkedin"), ("lea", "--on facebook")] {
        let lines = lines_to_paste(&desk, &gate, user);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains(named), "{lines:?}");
        for (scheme, door) in [("http", &gate.plain), ("https", &gate.tls)] {
            let set = format!(
                "export HTTPS_PROXY=http://{user}:correct%20horse%20battery@{} ",
                gate.plain
            );
            let set = set.replace("http:", &format!("{scheme}:")).replace(&gate.plain, door);
            let told: Vec<String> = lines
                .iter()
                .map(|line| desk.types(&format!("{set} WAYLEAVE_CA=certs/root.pem; {line}")))
                .collect();
            assert!(
                told[0].starts_with("exit 0") && told[0].contains("  active"),
                "{told:?}"
            );
            assert!(
                told[1].starts_with("exit 0") && told[1].contains("\"state\":\"active\""),
                "{told:?}"
            );
        }
    }
    assert_eq!(gate.stop(), 0);
}

#[test]
fn what_somebody_must_approve_is_asked_for_and_answered_at_two_terminals() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ben", "mia"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let types = |user: &str, line: &str| {
        let proxy = format!("HTTPS_PROXY=http://{user}:correct%20horse%20battery@{}", gate.plain);
        desk.types(&format!("export WAYLEAVE_CA=certs/root.pem {proxy}; {line}"))
    };
    let ask = "wayleave declare brand-publishing --on x --covers read,publish --statement 'The launch of our product'";
    insta::assert_snapshot!(types("ben", ask), @"
    exit 4
    --- stdout
    [id]  brand-publishing  x  publish,read  until [time]  requested
    --- stderr
    it waits for the approval of mia until [time], and then it is declined; `wayleave grants` shows what has become of it
    ");
    insta::assert_snapshot!(types("mia", "wayleave grants --to-approve"), @"
    exit 0
    --- stdout
    [id]  brand-publishing  x  publish,read  by ben  answer until [time]
        The launch of our product
    ");
    insta::assert_snapshot!(types("ben", "wayleave grants --to-approve"), @"
    exit 0
    --- stderr
    nothing waits for you
    ");
    let id = "$(wayleave grants --to-approve --json | grep -o '\"id\": *\"[^\"]*' | grep -o '[^\"]*$' | head -1)";
    let turned = "$(printf 'Go \\342\\200\\256daeha')";
    insta::assert_snapshot!(types("ben", &format!("wayleave declare brand-publishing --on x --statement \"{turned}\"")), @"
    exit 1
    --- stderr
    The declaration does not fit: Nothing was granted: leave out the character U+202E: nobody sees it, and it can change how the rest reads.
    ");
    insta::assert_snapshot!(types("mia", &format!("wayleave approve {id} --note \"{turned}\"")), @"
    exit 1
    --- stderr
    The answer cannot be read: Nothing was answered: leave out the character U+202E: nobody sees it, and it can change how the rest reads.
    ");
    insta::assert_snapshot!(types("mia", &format!("wayleave decline {id} --reason \"{turned}\"")), @"
    exit 1
    --- stderr
    The answer cannot be read: Nothing was answered: leave out the character U+202E: nobody sees it, and it can change how the rest reads.
    ");
    insta::assert_snapshot!(types("mia", &format!("wayleave approve {id} --note 'Go ahead'")), @"
    exit 0
    --- stdout
    [id]  brand-publishing  x  publish,read  until [time]  active
    ");
    insta::assert_snapshot!(types("ben", "wayleave grants"), @"
    exit 0
    --- stdout
    [id]  brand-publishing  x  publish,read  until [time]  active
    ");
    assert!(types("ben", ask).starts_with("exit 4"));
    insta::assert_snapshot!(types("mia", &format!("wayleave decline {id} --reason 'One is enough'")), @"
    exit 0
    --- stdout
    [id]  brand-publishing  x  publish,read  until [time]  declined
    ");
    insta::assert_snapshot!(types("mia", "wayleave approve nothing"), @"
    exit 1
    --- stderr
    There is nothing here: No such request waits for you. GET /v1/approvals lists those that do.
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn whoever_comes_with_a_certificate_answers_with_a_password_or_is_told_how_to_get_one() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init; wayleave ca client mia; wayleave ca client hana");
    for user in ["cora", "mia"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    desk.write("secret", "correct horse battery\n");
    desk.write("wrong", "correct horse pattery\n");
    let gate = Running::start(&desk);
    let ask = format!(
        "WAYLEAVE_CA=certs/root.pem wayleave declare community-management --on x --covers read --statement 'Answers to the fair' \
         --proxy http://cora@{} --password-file secret",
        gate.plain
    );
    assert!(desk.types(&ask).starts_with("exit 4"), "{}", desk.types(&ask));
    let by = |user: &str, what: &str, more: &str| {
        let way = format!(
            "--proxy https://{} --cert certs/clients/{user}.pem --key certs/clients/{user}.key",
            gate.tls
        );
        let list = format!("wayleave grants --to-approve {way}");
        desk.types(&format!(
            "export WAYLEAVE_CA=certs/root.pem; wayleave {what} $({list} | cut -d' ' -f1 | head -1) {more} {way} < /dev/null"
        ))
    };
    insta::assert_snapshot!(by("hana", "approve", ""), @"
    exit 1
    --- stderr
    Sign in once more: This takes a password, and you have none: you sign in with a certificate. Ask your help desk for one (`wayleave user add`).
    ");
    insta::assert_snapshot!(by("mia", "approve", ""), @"
    exit 1
    --- stderr
    error: there is no password for `mia`, which an answer takes also where a certificate brings you to the proxy
      help: set WAYLEAVE_PASSWORD, name a file with `--password-file`, or run it at a terminal, where it is asked for
    ");
    insta::assert_snapshot!(by("mia", "decline", "--reason no --user mia"), @"
    exit 1
    --- stderr
    error: there is no password for `mia`, which an answer takes also where a certificate brings you to the proxy
      help: set WAYLEAVE_PASSWORD, name a file with `--password-file`, or run it at a terminal, where it is asked for
    ");
    insta::assert_snapshot!(by("mia", "approve", "--password-file wrong"), @"
    exit 1
    --- stderr
    Sign in once more: The password is wrong, or it is another user’s than the one that is signed in at the proxy.
    ");
    insta::assert_snapshot!(by("mia", "approve", "--password-file secret"), @"
    exit 0
    --- stdout
    [id]  community-management  x  read  until [time]  active
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn a_password_need_not_stand_on_the_command_line_and_a_certificate_takes_its_place() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init; wayleave ca client ada");
    desk.types("echo 'correct horse battery' | wayleave user add ada");
    desk.write("secret", "correct horse battery\n");
    let gate = Running::start(&desk);
    let (plain, tls) = (&gate.plain, &gate.tls);
    let ca = "WAYLEAVE_CA=certs/root.pem";
    for line in [
        format!("WAYLEAVE_PASSWORD='correct horse battery' https_proxy=http://ada@{plain} wayleave grants"),
        format!("HTTPS_PROXY=https://{tls} wayleave grants --user ada --password-file secret"),
        format!("wayleave grants --proxy http://ada@{plain} --password-file - < secret"),
        format!("wayleave grants --proxy https://{tls} --cert certs/clients/ada.pem --key certs/clients/ada.key"),
    ] {
        let told = desk.types(&format!("{ca} {line}"));
        assert!(
            told.contains("exit 0") && told.contains("you hold no grant"),
            "{line}: {told}"
        );
    }
    insta::assert_snapshot!(desk.types(&format!("{ca} wayleave grants --proxy http://ada@{plain}")), @"
    exit 1
    --- stderr
    error: there is no password for `ada`
      help: set WAYLEAVE_PASSWORD, name a file with `--password-file`, or run it at a terminal, where it is asked for
    ");
    insta::assert_snapshot!(desk.types(&format!(
        "{ca} wayleave grants --proxy http://{plain} --cert certs/clients/ada.pem --key certs/clients/ada.key"
    )), @"
    exit 2
    --- stderr
    error: a client certificate can be shown at the TLS door only
      help: write `https://…` with the port of the TLS door, 3129 by default
    ");
    let narrow = format!(
        "{ca} wayleave declare recruiting --on linkedin --covers read --statement 'Backend engineers for Lyon' \
         --proxy http://ada@{plain} --password-file secret"
    );
    insta::assert_snapshot!(desk.types(&narrow), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  read  until [time]  active
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn what_others_hold_is_listed_and_revoked_from_a_terminal() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ada", "dan", "sol"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let types = |user: &str, line: &str| {
        let proxy = format!("HTTPS_PROXY='http://{user}:correct%20horse%20battery@{}'", gate.plain);
        desk.types(&format!("export WAYLEAVE_CA=certs/root.pem {proxy}; {line}"))
    };
    for line in ["--on linkedin", "--on xing", "--on linkedin,xing"] {
        let told = types(
            "ada",
            &format!("wayleave declare recruiting {line} --covers read --statement 'Backend engineers for Lyon'"),
        );
        assert!(told.contains("exit 0"), "{told}");
    }
    insta::assert_snapshot!(types("dan", "wayleave grants --everybody"), @"
    exit 0
    --- stderr
    nothing that you could revoke is in force, or waits, and fits
    ");
    insta::assert_snapshot!(types("sol", "wayleave grants --of ada"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  read  until [time]  active  of ada
    [id]  recruiting  xing  read  until [time]  active  of ada
    [id]  recruiting  linkedin,xing  read  until [time]  active  of ada
    ");
    insta::assert_snapshot!(types("sol", "wayleave grants --platform reddit --json"), @r#"
    exit 0
    --- stdout
    {"grants":[]}
    --- stderr
    nothing that you could revoke is in force, or waits, and fits
    "#);
    insta::assert_snapshot!(types("sol", "wayleave revoke --platform linkedin --dry-run"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  read  until [time]  active  of ada
    [id]  recruiting  linkedin,xing  read  until [time]  active  of ada
    --- stderr
    nothing was revoked: this only lists what would be
    ");
    insta::assert_snapshot!(types("sol", "wayleave revoke --platform linkedin --reason 'A stolen laptop'"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  read  until [time]  revoked  of ada
    [id]  recruiting  linkedin,xing  read  until [time]  revoked  of ada
    ");
    let last =
        "$(wayleave grants --purpose recruiting --json | grep -o '\"id\": *\"[^\"]*' | grep -o '[^\"]*$' | head -1)";
    insta::assert_snapshot!(types("sol", &format!("wayleave revoke {last} nothing --reason 'A stolen laptop'")), @"
    exit 1
    --- stdout
    [id]  recruiting  xing  read  until [time]  revoked  of ada
    --- stderr
    There is nothing here: Nothing that you may know of is in force, or waits, and fits.
    not revoked: nothing
    ");
    insta::assert_snapshot!(types("dan", "wayleave revoke --all --reason 'No more'"), @"
    exit 1
    --- stderr
    There is nothing here: Nothing that you may know of is in force, or waits, and fits.
    ");
    insta::assert_snapshot!(types("sol", "wayleave revoke --all"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --reason <TEXT>

    Usage: wayleave revoke --ca <FILE> --proxy <URL> --reason <TEXT> <ID|--of <NAME>|--purpose <PURPOSE>|--platform <PLATFORM>|--token <ID>|--delegation <ID>|--all>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(types("sol", "wayleave revoke --reason 'A stolen laptop'"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <ID|--of <NAME>|--purpose <PURPOSE>|--platform <PLATFORM>|--token <ID>|--delegation <ID>|--all>

    Usage: wayleave revoke --ca <FILE> --reason <TEXT> --proxy <URL> <ID|--of <NAME>|--purpose <PURPOSE>|--platform <PLATFORM>|--token <ID>|--delegation <ID>|--all>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(types("sol", "wayleave revoke --all --of ada --reason 'A stolen laptop'"), @"
    exit 2
    --- stderr
    error: the argument '--all' cannot be used with '--of <NAME>'

    Usage: wayleave revoke --ca <FILE> --reason <TEXT> --proxy <URL> <ID|--of <NAME>|--purpose <PURPOSE>|--platform <PLATFORM>|--token <ID>|--delegation <ID>|--all>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(types("ada", "wayleave grants"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin,xing  read  until [time]  revoked
    [id]  recruiting  xing  read  until [time]  revoked
    [id]  recruiting  linkedin  read  until [time]  revoked
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn a_password_that_was_read_serves_all_that_a_command_asks() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ada", "sol"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let types = |user: &str, line: &str| {
        let proxy = format!(
            "export WAYLEAVE_CA=certs/root.pem HTTPS_PROXY=http://{user}@{}",
            gate.plain
        );
        desk.types(&format!(
            "{proxy}; echo 'correct horse battery' | {line} --password-file -"
        ))
    };
    for platform in ["linkedin", "xing"] {
        let told = types(
            "ada",
            &format!("wayleave declare recruiting --on {platform} --covers read --statement 'Backend engineers'"),
        );
        assert!(told.contains("exit 0"), "{told}");
    }
    types("sol", "wayleave grants --of ada > listed");
    let named = "$(cut -d' ' -f1 listed)";
    insta::assert_snapshot!(types("sol", &format!("wayleave revoke none-such {named} --reason 'A stolen laptop'")), @"
    exit 1
    --- stdout
    [id]  recruiting  linkedin  read  until [time]  revoked  of ada
    [id]  recruiting  xing  read  until [time]  revoked  of ada
    --- stderr
    There is nothing here: Nothing that you may know of is in force, or waits, and fits.
    not revoked: none-such
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn what_came_of_a_grant_is_said_from_a_terminal_and_who_may_sees_what_purposes_are_used_for() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    for user in ["ada", "hana"] {
        desk.types(&format!("echo 'correct horse battery' | wayleave user add {user}"));
    }
    let gate = Running::start(&desk);
    let types = |user: &str, line: &str| {
        let proxy = format!("HTTPS_PROXY='http://{user}:correct horse battery@{}'", gate.plain).replace(' ', "%20");
        desk.types(&format!("WAYLEAVE_CA=certs/root.pem {proxy} {line}"))
    };
    types(
        "ada",
        "wayleave declare recruiting --on linkedin --statement 'Backend engineers for Lyon'",
    );
    let first = "$(wayleave grants | head -1 | cut -d\" \" -f1)";
    let says = |what: &str| types("ada", &format!("sh -c 'wayleave grants {what} {first}'"));
    insta::assert_snapshot!(says("--amount 12 --outcome"), @"
    exit 1
    --- stderr
    There is nothing to note here: A grant can be reported on once it is over, for fourteen days, and what you said can be corrected for seven. Nothing is counted of some purposes.
    ");
    says("--end");
    insta::assert_snapshot!(types("ada", "wayleave grants"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  withdrawn
    ");
    insta::assert_snapshot!(says("--amount 12 --text \"Two of them replied\" --outcome"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  withdrawn, came to 12
    ");
    insta::assert_snapshot!(types("ada", "wayleave grants"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  withdrawn, came to 12
    ");
    insta::assert_snapshot!(says("--skip --outcome"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  engage,publish,read  until [time]  withdrawn
    ");
    insta::assert_snapshot!(says("--skip --amount 3 --outcome"), @"
    exit 2
    --- stderr
    error: the argument '--skip' cannot be used with '--amount <NUMBER>'

    Usage: wayleave grants --ca <FILE> --skip --outcome <ID> --proxy <URL>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(says("--amount twelve --outcome"), @"
    exit 2
    --- stderr
    error: invalid value 'twelve' for '--amount <NUMBER>': invalid digit found in string

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(types("ada", "wayleave value"), @"
    exit 1
    --- stderr
    There is nothing here: The rules let you see what comes of no such purpose, or of none.
    ");
    insta::assert_snapshot!(types("hana", "wayleave value"), @"
    exit 0
    --- stdout
    personal-break            grants       -  flows         -
    recruiting                grants       -  flows         -  -  Candidates contacted
    training-delivery         grants       -  flows         -  -  People trained
    ");
    insta::assert_snapshot!(types("hana", "wayleave value --purpose recruiting --format csv"), @"
    exit 0
    --- stdout
    week,purpose,measure,part,name,people,count,bytes_up,bytes_down,seconds
    ");
    insta::assert_snapshot!(types("hana", "wayleave value --format digest"), @"
    exit 0
    --- stderr
    nothing is told of the last week that is settled: no digest is sent
    ");
    insta::assert_snapshot!(types("hana", "wayleave value --weeks 0"), @"
    exit 1
    --- stderr
    What is to be shown cannot be read: `weeks` must be a whole number from 1 to 104.
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn a_door_of_another_kind_is_told_from_one_that_is_closed() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    let gate = Running::start(&desk);
    let types = |proxy: String| desk.types(&format!("wayleave grants --ca certs/root.pem --proxy {proxy}"));
    insta::assert_snapshot!(types(format!("http://ada:secret@{}", gate.tls)), @"
    exit 1
    --- stderr
    error: `127.0.0.1:[port]` does not answer as a proxy: it speaks something else than HTTP
      help: name the port of the plain door, 3128 by default; for the TLS door (3129) write `https://…`
    ");
    insta::assert_snapshot!(types(format!("https://ada:secret@{}", gate.plain)), @"
    exit 1
    --- stderr
    error: `127.0.0.1:[port]` does not speak TLS
      help: write `http://…` for the plain door (3128 by default), or name the port of the TLS door (3129)
    ");
    insta::assert_snapshot!(types(format!("http://ada:secret@{}", gate.admin)), @"
    exit 1
    --- stderr
    error: `127.0.0.1:[port]` does not answer as a proxy: 405 Method Not Allowed to CONNECT
      help: name the port of the plain door, 3128 by default; for the TLS door (3129) write `https://…`
    ");
    insta::assert_snapshot!(types(format!("https://ada:secret@{}", gate.admin)), @"
    exit 1
    --- stderr
    error: `127.0.0.1:[port]` does not speak TLS
      help: write `http://…` for the plain door (3128 by default), or name the port of the TLS door (3129)
    ");
    assert_eq!(gate.stop(), 0);
}

#[test]
fn a_proxy_that_cannot_be_reached_is_told_from_one_that_cannot_be_understood() {
    let desk = Desk::empty();
    desk.types("wayleave ca init");
    // bound, and not listening: it refuses, and nobody else is given it
    let reserved = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    reserved
        .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let nobody = reserved.local_addr().unwrap().as_socket().unwrap();
    insta::assert_snapshot!(desk.types(&format!("wayleave grants --ca certs/root.pem --proxy http://ada:secret@{nobody}")), @"
    exit 1
    --- stderr
    error: cannot reach the proxy at `127.0.0.1:[port]`: Connection refused (os error 111)
      help: is the gateway running there? `--proxy` or HTTPS_PROXY says where
    ");
    insta::assert_snapshot!(desk.types("wayleave grants --ca certs/root.pem --proxy gate.corp:3128"), @"
    exit 2
    --- stderr
    error: the proxy's URL cannot be read
      help: write `http://NAME@HOST:PORT`, or `https://…` for the TLS door
    ");
    insta::assert_snapshot!(desk.types("wayleave declare recruiting --on x --statement 'For the launch' --ca certs/root.pem --proxy 'socks5://ada:secret@gate.corp'"), @"
    exit 2
    --- stderr
    error: the proxy's URL cannot be read
      help: write `http://NAME@HOST:PORT`, or `https://…` for the TLS door
    ");
    insta::assert_snapshot!(desk.types("touch empty.pem; wayleave grants --ca empty.pem --proxy http://127.0.0.1:1"), @"
    exit 1
    --- stderr
    error: there is no certificate in `empty.pem`
      help: name the root of this gateway: there, `wayleave ca show --pem` prints it
    ");
    insta::assert_snapshot!(desk.types("wayleave grants --ca nowhere.pem --proxy http://127.0.0.1:1"), @"
    exit 1
    --- stderr
    error: cannot read the root certificate in `nowhere.pem`: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(desk.types("wayleave declare"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --on <PLATFORM>
      --statement <TEXT>
      --ca <FILE>
      <PURPOSE>

    Usage: wayleave declare --on <PLATFORM> --statement <TEXT> --ca <FILE> <PURPOSE>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave grants"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --ca <FILE>

    Usage: wayleave grants --ca <FILE>

    For more information, try '--help'.
    ");
}
