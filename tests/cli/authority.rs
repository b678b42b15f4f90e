//! `ca` and `pac`.

use super::desk::Desk;

#[test]
fn an_authority_is_made_and_shown() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave ca init"), @"
    exit 0
    --- stdout
    root
      subject    O=Wayleave, CN=Wayleave root [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      file       [desk]/certs/root.pem
      key        `root.key` is on this machine: move it off line
    issuing
      subject    O=Wayleave, CN=Wayleave issuing [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      speaks for 487 names and networks, see `wayleave ca show --names`
    client certificates
      subject    O=Wayleave, CN=Wayleave client certificates [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
    --- stderr

    next: install the root on every machine that uses the gateway: `wayleave ca install-help`
    ");
    insta::assert_snapshot!(desk.types("wayleave ca show"), @"
    exit 0
    --- stdout
    root
      subject    O=Wayleave, CN=Wayleave root [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      file       [desk]/certs/root.pem
      key        `root.key` is on this machine: move it off line
    issuing
      subject    O=Wayleave, CN=Wayleave issuing [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      speaks for 487 names and networks, see `wayleave ca show --names`
    client certificates
      subject    O=Wayleave, CN=Wayleave client certificates [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
    ");
    insta::assert_snapshot!(desk.types("wayleave ca client ada"), @"
    exit 0
    --- stdout
    certificate  certs/clients/ada.pem
    key          certs/clients/ada.key
    valid until  [time]
    --- stderr

    curl:     --proxy-cert certs/clients/ada.pem --proxy-key certs/clients/ada.key
    browsers: openssl pkcs12 -export -in certs/clients/ada.pem -inkey certs/clients/ada.key -out ada.p12
    hand both over, then remove the key here
    ");
    insta::assert_snapshot!(desk.types("wayleave ca install-help --platform git"), @"
    exit 0
    --- stdout
    The root certificate is `[desk]/certs/root.pem`. Copy it to the machine first; it is public, only its fingerprint matters:

        openssl x509 -in [desk]/certs/root.pem -noout -fingerprint -sha256

    Only sites that the policies inspect are met with a certificate under this root. Everything else passes with its own, so
    most tools need nothing.

    Git

        git config --global http.sslCAInfo /etc/ssl/certs/ca-certificates.crt

    after the root was installed in the system; the file replaces Git's own. On Windows, use the system's store:

        git config --global http.sslBackend schannel
    ");
    assert!(
        desk.types("wayleave ca show --pem")
            .contains("-----BEGIN CERTIFICATE-----")
    );
    assert!(desk.types("wayleave ca show --names").contains("\nonly linkedin.com\n"));
    insta::assert_snapshot!(desk.types("wayleave ca renew --any-host"), @"
    exit 0
    --- stdout
    root
      subject    O=Wayleave, CN=Wayleave root [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      file       [desk]/certs/root.pem
      key        `root.key` is on this machine: move it off line
    issuing
      subject    O=Wayleave, CN=Wayleave issuing [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
      speaks for any host
    client certificates
      subject    O=Wayleave, CN=Wayleave client certificates [serial]
      SHA-256    [fingerprint]
      valid      [day] to [day]
    --- stderr

    next: restart the gateway, so that it signs with the new intermediate
    ");
    insta::assert_snapshot!(desk.types("wayleave ca show --names"), @"
    exit 0
    --- stderr
    any host: the issuing certificate has no name constraints
    ");
}

#[test]
fn a_renewed_authority_speaks_for_whom_the_one_before_did() {
    let desk = Desk::empty();
    desk.types("wayleave ca init --also shop.example --also 10.1.2.3");
    let names = |desk: &Desk| desk.types("wayleave ca show --names");
    assert!(names(&desk).contains("\nonly shop.example\n"));
    desk.types("wayleave ca renew --also later.example");
    for kept in [
        "only shop.example",
        "only later.example",
        "only 10.1.2.3/32",
        "only linkedin.com",
    ] {
        assert!(names(&desk).contains(&format!("\n{kept}\n")), "{kept}");
    }
    desk.types("wayleave ca renew --afresh");
    assert!(!names(&desk).contains("shop.example") && names(&desk).contains("\nonly linkedin.com\n"));

    desk.types("wayleave ca renew --any-host");
    desk.types("wayleave ca renew");
    assert!(names(&desk).contains("any host"), "{}", names(&desk));
    desk.types("wayleave ca renew --afresh");
    assert!(names(&desk).contains("\nonly linkedin.com\n"));
}

#[test]
fn what_cannot_be_done_with_an_authority_is_explained() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave ca show"), @"
    exit 1
    --- stderr
    error: there is no certificate authority in `certs`: make one with `wayleave ca init`, or bring your company's with `wayleave ca import`
    ");
    insta::assert_snapshot!(desk.types("wayleave ca client ada"), @"
    exit 0
    --- stdout
    certificate  certs/clients/ada.pem
    key          certs/clients/ada.key
    valid until  [time]
    --- stderr

    curl:     --proxy-cert certs/clients/ada.pem --proxy-key certs/clients/ada.key
    browsers: openssl pkcs12 -export -in certs/clients/ada.pem -inkey certs/clients/ada.key -out ada.p12
    hand both over, then remove the key here
    ");
    insta::assert_snapshot!(desk.types("wayleave ca install-help"), @"
    exit 1
    --- stderr
    error: there is no certificate authority in `certs`: make one with `wayleave ca init`, or bring your company's with `wayleave ca import`
    ");
    insta::assert_snapshot!(desk.types("wayleave ca renew"), @"
    exit 1
    --- stderr
    error: there is no certificate authority in `certs`: make one with `wayleave ca init`, or bring your company's with `wayleave ca import`
    ");
    desk.types("wayleave ca init");
    insta::assert_snapshot!(desk.types("wayleave ca init"), @"
    exit 1
    --- stderr
    error: `certs/root.key` exists already: `--force` replaces it, and everybody who relies on it then needs the new one
    ");
    desk.types("wayleave ca client ada");
    insta::assert_snapshot!(desk.types("wayleave ca client ada"), @"
    exit 1
    --- stderr
    error: `certs/clients/ada.key` exists already: `--force` replaces it, and everybody who relies on it then needs the new one
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate nowhere --key nowhere"), @"
    exit 1
    --- stderr
    error: `nowhere` cannot be read: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --force --certificate certs/root.pem --key certs/clients/ada.key"), @"
    exit 1
    --- stderr
    error: the key in `certs/clients/ada.key` belongs to no certificate in `certs/root.pem`: bring the pair that was made together
    ");
    insta::assert_snapshot!(desk.types("wayleave ca client 'a b'"), @"
    exit 2
    --- stderr
    error: invalid value 'a b' for '<NAME>': `a b` is not a user name: use 1 to 128 visible characters without `:` and spaces

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave ca install-help --platform amiga"), @"
    exit 2
    --- stderr
    error: invalid value 'amiga' for '--platform <PLATFORM>'
      [possible values: debian, rhel, windows, macos, firefox, chrome-linux, ios, android, curl, git, node, npm, python, pip, java, docker, cargo, go]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave ca init --any-host --also shop.example"), @"
    exit 2
    --- stderr
    error: the argument '--any-host' cannot be used with '--also <HOST>'

    Usage: wayleave ca init --any-host

    For more information, try '--help'.
    ");
}

/// A company that signs an intermediate, whose key is `key.pem`, with its root; `chain.pem` holds both.
fn company(extensions: &str) -> Desk {
    let desk = Desk::empty();
    let ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
    desk.write("ca.ext", ca);
    desk.write("server.ext", "basicConstraints=CA:FALSE\n");
    for line in [
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out company.key",
        "openssl req -x509 -key company.key -subj '/O=Acme/CN=Acme root' -days 3650 -out company.pem",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
        "openssl req -new -key key.pem -subj '/O=Acme/CN=Acme proxy' -out proxy.csr",
        &format!(
            "openssl x509 -req -in proxy.csr -CA company.pem -CAkey company.key -days 90 -extfile {extensions} -out proxy.pem"
        ),
        "cat proxy.pem company.pem > chain.pem",
    ] {
        let told = desk.types(line);
        assert!(told.starts_with("exit 0\n"), "{line}: {told}");
    }
    desk
}

#[test]
fn a_companys_intermediate_is_imported_with_a_key_in_either_form_that_nobody_else_can_read() {
    let desk = company("ca.ext");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key key.pem"), @"
    exit 0
    --- stdout
    root
      subject    O=Acme, CN=Acme root
      SHA-256    [fingerprint]
      valid      [day] to [day]
      file       [desk]/certs/root.pem
    issuing
      subject    O=Acme, CN=Acme proxy
      SHA-256    [fingerprint]
      valid      [day] to [day]
      speaks for any host
    --- stderr
    warning: no name constraints: whoever gets the key from here can speak for any host; ask for an intermediate that is constrained to the hosts you inspect
    ");
    insta::assert_snapshot!(desk.types("stat -c '%a %n' certs certs/*"), @"
    exit 0
    --- stdout
    700 certs
    600 certs/issuing.key
    644 certs/issuing.pem
    644 certs/root.pem
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key key.pem"), @"
    exit 1
    --- stderr
    error: `certs/issuing.key` exists already: `--force` replaces it, and everybody who relies on it then needs the new one
    ");
    desk.types("openssl ec -in key.pem -out sec1.pem && rm -r certs");
    assert!(desk.read("sec1.pem").contains("BEGIN EC PRIVATE KEY"));
    assert!(desk.read("key.pem").contains("BEGIN PRIVATE KEY"));
    let told = desk.types("umask 0 && wayleave ca import --certificate chain.pem --key sec1.pem");
    assert!(told.starts_with("exit 0\n"), "{told}");
    insta::assert_snapshot!(desk.types("stat -c '%a %n' certs/issuing.key"), @"
    exit 0
    --- stdout
    600 certs/issuing.key
    ");
    // it is the authority from now on
    let shown = desk.types("wayleave ca show");
    assert!(
        shown.starts_with("exit 0\n") && shown.contains("CN=Acme proxy"),
        "{shown}"
    );
}

#[test]
fn an_intermediate_that_cannot_sign_and_a_key_that_cannot_be_used_are_refused_with_a_way_out() {
    let desk = company("server.ext");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key key.pem"), @"
    exit 1
    --- stderr
    error: the certificate `O=Acme, CN=Acme proxy` cannot sign for sites: it is not a CA certificate (basic constraints, `CA:TRUE`)
    ");
    let desk = company("ca.ext");
    desk.types("openssl ecparam -name prime256v1 -genkey -noout -out other.pem");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key other.pem"), @"
    exit 1
    --- stderr
    error: the key in `other.pem` belongs to no certificate in `chain.pem`: bring the pair that was made together
    ");
    desk.types("openssl pkcs8 -topk8 -in key.pem -passout pass:secret -out pkcs8.pem");
    desk.types("openssl ec -in key.pem -aes128 -passout pass:secret -out sec1.pem");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key pkcs8.pem"), @"
    exit 1
    --- stderr
    error: the key in `pkcs8.pem` is encrypted: convert it with `openssl pkey -in pkcs8.pem -out plain.key`, import `plain.key`, then remove it
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key sec1.pem"), @"
    exit 1
    --- stderr
    error: the key in `sec1.pem` is encrypted: convert it with `openssl pkey -in sec1.pem -out plain.key`, import `plain.key`, then remove it
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --certificate chain.pem --key chain.pem"), @"
    exit 1
    --- stderr
    error: `chain.pem` holds no usable private key: no items found; it needs a PKCS#8, SEC1 or PKCS#1 key in PEM
    ");
    assert!(!desk.path("certs").exists(), "nothing was written");
}

#[test]
fn the_pac_file_names_the_ways_and_the_managed_domains() {
    let desk = Desk::empty();
    let script = desk.types("wayleave pac --managed --proxy 'HTTPS proxy.corp.example:3129'");
    assert!(script.starts_with("exit 0\n--- stdout\n"), "{script}");
    for part in [
        "\"HTTPS proxy.corp.example:3129\"",
        "\"linkedin.com\": 1",
        "function FindProxyForURL",
        "return \"DIRECT\";",
    ] {
        assert!(script.contains(part), "{part}");
    }
    insta::assert_snapshot!(desk.types("wayleave pac --proxy proxy.corp.example"), @"
    exit 2
    --- stderr
    error: invalid value 'proxy.corp.example' for '--proxy <WAY>': `proxy.corp.example` is not a way to the proxy: write `PROXY host:port` or `HTTPS host:port`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave pac --managed --all"), @"
    exit 2
    --- stderr
    error: the argument '--managed' cannot be used with '--all'

    Usage: wayleave pac --managed

    For more information, try '--help'.
    ");
}

#[test]
fn data_that_does_not_get_out_is_a_failure_and_a_reader_that_has_seen_enough_is_not() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    insta::assert_snapshot!(desk.types("wayleave ca show --pem > /dev/full"), @"
    exit 1
    --- stderr
    error: the output cannot be written: No space left on device (os error 28)
    ");
    insta::assert_snapshot!(desk.types("wayleave ca show --pem | true"), @"exit 0");
    // what would go on until it is told to stop ends, too: nobody knows the way in
    insta::assert_snapshot!(desk.types("timeout 60 wayleave demo --json --port-base 0 > /dev/full"), @"
    exit 1
    --- stderr
    error: the output cannot be written: No space left on device (os error 28)
    ");
}
