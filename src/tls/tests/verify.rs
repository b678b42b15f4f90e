//! Origins: whom we believe, and what is said when nobody is left to believe.

use std::fs;

use super::*;

fn trust(folder: &Path, roots: &[&str]) -> Settings {
    Settings {
        use_system_roots: false,
        extra_roots: roots.iter().map(|name| folder.join(name)).collect(),
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_origin_is_verified_against_the_roots_of_the_settings() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let mint = mint(&clock);
    fs::write(folder.path().join("root.pem"), mint.issuer().root_pem()).unwrap();
    let tls = origin(&trust(folder.path(), &["root.pem"]), &clock).unwrap();
    for (config, agreed) in [(&tls.h2_and_h1, "h2"), (&tls.h1, "http/1.1")] {
        for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let site = mint.server_config(&host("www.x.com")).await.unwrap();
            let (near, _) = shake(site, config.clone(), "www.x.com").await;
            let near = near.unwrap();
            assert_eq!(near.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
            assert_eq!(near.get_ref().1.handshake_kind(), Some(kind));
        }
    }
    assert!(!tls.h1.enable_early_data && !tls.h2_and_h1.enable_early_data);

    clock.advance(DAY * 40);
    let late = Clock::fixed(noon());
    let old = Mint::new(Issuer::temporary(&late).unwrap(), late, &Settings::default()).unwrap();
    let site = old.server_config(&host("www.x.com")).await.unwrap();
    let (near, _) = shake(site, tls.h1.clone(), "www.x.com").await;
    let refused = near.unwrap_err();
    assert!(matches!(refused, rustls::Error::InvalidCertificate(_)), "{refused}");
}

#[test]
fn no_roots_at_all_is_an_error_with_a_hint() {
    let refused = origin(&trust(Path::new("/"), &[]), &clock()).unwrap_err();
    assert!(refused.to_string().contains("ca-certificates"), "{refused}");
}

#[test]
fn a_file_of_roots_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.pem"), "nothing here\n").unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(folder.path().join("broken.pem"), broken).unwrap();
    fs::write(folder.path().join("cut.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    for file in ["empty.pem", "broken.pem", "cut.pem", "missing.pem"] {
        let refused = origin(&trust(folder.path(), &[file]), &clock()).unwrap_err();
        assert!(refused.to_string().contains(file), "{refused}");
    }
}

/// Run by the next test in a process of its own, since the environment belongs to the whole process.
#[test]
#[ignore = "run by `the_systems_roots_follow_ssl_cert_file`"]
fn with_the_systems_roots() {
    match origin(&Settings::default(), &clock()) {
        Ok(_) => println!("roots: some"),
        Err(problem) => println!("roots: {problem}"),
    }
}

#[test]
fn the_systems_roots_follow_ssl_cert_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = Issuer::temporary(&clock()).unwrap().root_pem();
    fs::write(folder.path().join("root.pem"), root).unwrap();
    for (file, said) in [
        ("root.pem", "roots: some"),
        ("missing.pem", "there are no root certificates"),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "tls::tests::verify::with_the_systems_roots",
                "--ignored",
                "--nocapture",
            ])
            .env("SSL_CERT_FILE", folder.path().join(file))
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains(said), "{file}: {shown}");
    }
}

/// Where the next test keeps its authorities.
const AUTHORITIES: &str = "WAYLEAVE_TEST_AUTHORITIES";

/// Run by the next test in a process of its own: who of three sites is believed.
#[tokio::test]
#[ignore = "run by `the_systems_roots_and_those_of_the_settings_are_believed_side_by_side`"]
async fn with_roots_of_both_kinds() {
    let Some(folder) = std::env::var_os(AUTHORITIES) else {
        return;
    };
    let folder = PathBuf::from(folder);
    let settings = Settings {
        extra_roots: vec![folder.join("settings/root.pem")],
        ..Settings::default()
    };
    let tls = origin(&settings, &clock()).unwrap();
    for authority in ["system", "settings", "nobody"] {
        let issuer = Issuer::load(&folder.join(authority)).unwrap();
        let site = Mint::new(issuer, clock(), &Settings::default()).unwrap();
        let site = site.server_config(&host("www.x.com")).await.unwrap();
        let (near, _) = shake(site, tls.h2_and_h1.clone(), "www.x.com").await;
        println!("{authority} is believed: {}", near.is_ok());
    }
}

#[test]
fn the_systems_roots_and_those_of_the_settings_are_believed_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    for authority in ["system", "settings", "nobody"] {
        constrained(&folder.path().join(authority), &["x.com"]);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tls::tests::verify::with_roots_of_both_kinds",
            "--ignored",
            "--nocapture",
        ])
        .env(AUTHORITIES, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("system/root.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    for (authority, is_believed) in [("system", true), ("settings", true), ("nobody", false)] {
        let told = format!("{authority} is believed: {is_believed}");
        assert!(shown.contains(&told), "{told} in {shown}");
    }
}

#[test]
fn installing_the_provider_twice_is_fine() {
    install_default();
    install_default();
    assert!(CryptoProvider::get_default().is_some());
}
