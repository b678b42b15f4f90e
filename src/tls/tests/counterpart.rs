//! OpenSSL judges what we make, and talks to us over a real socket.

use std::fs;
use std::process::Stdio;

use tokio::net::TcpListener;

use super::*;
use crate::facts::SubjectId;

/// A leaf that the mint would refuse, signed past its check.
fn forged(issuer: &Issuer, name: &str) -> (CertificateDer<'static>, rcgen::KeyPair) {
    let key = rcgen::KeyPair::generate().unwrap();
    let time = Validity {
        from: noon(),
        until: noon().plus(DAY),
    };
    (issuer.sign(&[host(name)], &key, time).unwrap(), key)
}

fn verify_line(check: &str) -> String {
    let at = noon().as_millis() / 1000 + 60;
    format!(
        "verify -x509_strict -purpose sslserver -attime {at} -CAfile root.pem -untrusted issuing.pem {check} leaf.pem"
    )
}

#[tokio::test]
async fn openssl_verifies_names_addresses_and_international_names() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = constrained(
        folder.path(),
        &["linkedin.com", "xn--bcher-kva.example", "127.0.0.1", "::1"],
    );
    let mint = Mint::new(issuer, clock(), &Settings::default()).unwrap();
    for (name, check) in [
        ("linkedin.com", "-verify_hostname linkedin.com"),
        ("www.linkedin.com", "-verify_hostname www.linkedin.com"),
        ("bücher.example", "-verify_hostname xn--bcher-kva.example"),
        ("127.0.0.1", "-verify_ip 127.0.0.1"),
        ("::1", "-verify_ip ::1"),
    ] {
        let certified = mint.certified(&host(name)).await.unwrap();
        fs::write(folder.path().join("leaf.pem"), pem_of(&certified.cert)).unwrap();
        openssl_does(folder.path(), &verify_line(check));
    }
    let (content, said) = openssl(folder.path(), &verify_line("-verify_hostname www.linkedin.com"));
    assert!(!content && said.contains("mismatch"), "{said}");
}

#[tokio::test]
async fn openssl_and_rustls_refuse_a_leaf_outside_the_constraints() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = constrained(folder.path(), &["linkedin.com"]);
    for (name, said_by_openssl) in [
        ("bank.example", "permitted subtree violation"),
        ("notlinkedin.com", "permitted subtree violation"),
        ("127.0.0.1", "excluded subtree violation"),
        ("2001:db8::1", "excluded subtree violation"),
    ] {
        let (leaf, key) = forged(&issuer, name);
        fs::write(folder.path().join("leaf.pem"), pem_of(std::slice::from_ref(&leaf))).unwrap();
        let (content, said) = openssl(folder.path(), &verify_line(""));
        assert!(!content && said.contains(said_by_openssl), "{name}: {said}");

        let chain = std::iter::once(leaf).chain(issuer.sent_chain()).collect();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let client = Arc::new(trusting(issuer.root(), &clock(), &[]));
        let (near, _) = shake(Arc::new(server), client, name).await;
        let refused = format!("{:?}", near.unwrap_err());
        assert!(refused.contains("NameConstraintViolation"), "{name}: {refused}");
    }
}

#[test]
fn the_intermediate_signs_no_further_authority_and_no_clients() {
    let folder = tempfile::tempdir().unwrap();
    constrained(folder.path(), &["linkedin.com"]);
    let said = openssl_does(folder.path(), "x509 -in issuing.pem -noout -text");
    for part in [
        "CA:TRUE, pathlen:0",
        "Certificate Sign",
        "TLS Web Server Authentication",
        "X509v3 Name Constraints: critical",
        "DNS:linkedin.com",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("TLS Web Client Authentication"), "{said}");
    let said = openssl_does(folder.path(), "x509 -in root.pem -noout -text");
    assert!(
        said.contains("prime256v1") && said.contains("CA:TRUE, pathlen:1"),
        "{said}"
    );
    openssl_does(folder.path(), "pkey -in root.key -check -noout");
}

#[test]
fn client_certificates_become_pkcs12_with_the_line_we_print() {
    let folder = tempfile::tempdir().unwrap();
    let made = founding::client(folder.path(), &SubjectId::parse("ada").unwrap(), 30, false, noon()).unwrap();
    let at = noon().as_millis() / 1000;
    openssl_does(
        folder.path(),
        &format!("verify -x509_strict -purpose sslclient -attime {at} -CAfile clients.pem clients/ada.pem"),
    );
    let (certificate, key) = (made.certificate.display(), made.key.display());
    openssl_does(
        folder.path(),
        &format!("pkcs12 -export -in {certificate} -inkey {key} -passout pass: -out ada.p12"),
    );
    let said = openssl_does(folder.path(), "pkcs12 -in ada.p12 -passin pass: -nodes");
    assert!(
        said.contains("BEGIN PRIVATE KEY") && said.contains("CN = ada"),
        "{said}"
    );
}

#[tokio::test]
async fn openssl_shakes_hands_with_the_front_and_with_the_door() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let issuer = constrained(folder.path(), &["linkedin.com", "localhost"]);
    founding::client(folder.path(), &SubjectId::parse("ada").unwrap(), 30, false, noon()).unwrap();
    let mint = Arc::new(Mint::new(issuer, clock, &Settings::default()).unwrap());
    let settings = Settings {
        folder: folder.path().to_owned(),
        ..Settings::default()
    };
    let clients = client_roots(&settings).unwrap();
    let door = Door::new(mint.clone(), vec![host("localhost")], clients).unwrap();
    let ada = "-cert clients/ada.pem -key clients/ada.key";
    for (config, name, version, with) in [
        (
            mint.server_config(&host("www.linkedin.com")).await.unwrap(),
            "www.linkedin.com",
            "-tls1_3",
            "",
        ),
        (
            mint.server_config(&host("www.linkedin.com")).await.unwrap(),
            "www.linkedin.com",
            "-tls1_2",
            "",
        ),
        (door.config().await.unwrap(), "localhost", "-tls1_3", ada),
        (door.config().await.unwrap(), "localhost", "-tls1_2", ada),
        (door.config().await.unwrap(), "localhost", "-tls1_3", ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let at = noon().as_millis() / 1000 + 60;
        let line = format!(
            "s_client -connect {address} -servername {name} -verify_hostname {name} -verify_return_error -attime {at} \
             -CAfile root.pem -alpn h2 -brief {version} {with}"
        );
        let child = Command::new("openssl")
            .current_dir(folder.path())
            .args(line.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl is installed (Debian: apt install openssl)");
        let (socket, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(config).accept(socket).await.unwrap();
        let shown = client_certificate(stream.get_ref().1).map(|der| Certificate::read(der).unwrap().subject);
        assert_eq!(shown.as_deref(), (!with.is_empty()).then_some("CN=ada"));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        drop(stream);
        let output = tokio::task::spawn_blocking(|| child.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("Verification: OK"), "{said}");
    }
}

#[tokio::test]
async fn a_catalogue_of_many_domains_still_fits_into_a_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..800).map(|number| format!("platform-{number}.example")).collect();
    let issuer = constrained(folder.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mint = Mint::new(issuer, clock(), &Settings::default()).unwrap();
    let certified = mint.certified(&host("www.platform-799.example")).await.unwrap();
    let size: usize = certified.cert.iter().map(|der| der.len()).sum();
    assert!(
        size < 32 * 1024,
        "Java takes no handshake message beyond 32 KiB, this is {size}"
    );
    fs::write(folder.path().join("leaf.pem"), pem_of(&certified.cert)).unwrap();
    openssl_does(folder.path(), &verify_line("-verify_hostname www.platform-799.example"));
    let client = Arc::new(trusting(mint.issuer().root(), &clock(), &[]));
    let config = mint.server_config(&host("www.platform-799.example")).await.unwrap();
    assert!(shake(config, client, "www.platform-799.example").await.0.is_ok());
}
