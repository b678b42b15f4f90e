//! `declare` and `grants`: through a gateway that runs, and past it.

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
    [id]  recruiting  linkedin  until [time]  active
    ");
    insta::assert_snapshot!(types("wayleave grants"), @"
    exit 0
    --- stdout
    [id]  recruiting  linkedin  until [time]  active
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
      help: put your name and password into `--proxy http://NAME:PASSWORD@HOST:PORT`
    ");
    let wrong = format!(
        "wayleave grants --ca certs/root.pem --proxy http://ada:wrong@{}",
        gate.plain
    );
    insta::assert_snapshot!(desk.types(&wrong), @"
    exit 1
    --- stderr
    error: the proxy does not know you
      help: put your name and password into `--proxy http://NAME:PASSWORD@HOST:PORT`
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
fn a_proxy_that_cannot_be_reached_is_told_from_one_that_cannot_be_understood() {
    let desk = Desk::empty();
    desk.types("wayleave ca init");
    // nobody listens there: it was free a moment ago, and nobody else is told of it
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
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
      help: write `http://NAME:PASSWORD@HOST:PORT`, or `https://…` for the TLS door
    ");
    insta::assert_snapshot!(desk.types("wayleave declare recruiting --on x --statement 'For the launch' --ca certs/root.pem --proxy 'socks5://ada:secret@gate.corp'"), @"
    exit 2
    --- stderr
    error: the proxy's URL cannot be read
      help: write `http://NAME:PASSWORD@HOST:PORT`, or `https://…` for the TLS door
    ");
    insta::assert_snapshot!(desk.types("wayleave grants --ca nowhere.pem --proxy http://127.0.0.1:1"), @"
    exit 1
    --- stderr
    error: cannot read the root certificate in `nowhere.pem`: I/O error: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(desk.types("wayleave declare"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --on <PLATFORM>
      --statement <TEXT>
      --proxy <URL>
      --ca <FILE>
      <PURPOSE>

    Usage: wayleave declare --on <PLATFORM> --statement <TEXT> --proxy <URL> --ca <FILE> <PURPOSE>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave grants"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --proxy <URL>
      --ca <FILE>

    Usage: wayleave grants --proxy <URL> --ca <FILE>

    For more information, try '--help'.
    ");
}
