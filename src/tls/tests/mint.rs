//! Leaves: what they say, how long they last, how often they are made.

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;

#[tokio::test]
async fn a_leaf_says_what_browsers_ask_for() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let issuer = constrained(folder.path(), &["linkedin.com"]);
    let authority = issuer.issuing().clone();
    let mint = Mint::new(issuer, clock, &Settings::default()).unwrap();
    let certified = mint.certified(&host("www.linkedin.com")).await.unwrap();
    assert_eq!(certified.cert.len(), 2, "the leaf and the intermediate, not the root");
    assert_eq!(certified.cert[1], authority.der);

    let (_, leaf) = X509Certificate::from_der(&certified.cert[0]).unwrap();
    assert_eq!(leaf.issuer().as_raw(), authority.subject_der);
    assert_eq!(leaf.subject().iter().count(), 0);
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    assert!(names.critical, "the subject is empty");
    assert_eq!(names.value.general_names.len(), 1);
    assert!(leaf.extended_key_usage().unwrap().unwrap().value.server_auth);
    assert!(!leaf.is_ca());
    assert_eq!((leaf.raw_serial().len(), leaf.raw_serial()[0]), (17, 1));
    let read = leaf_of(&certified);
    assert!(read.key_id.is_some());
    assert_eq!(read.validity.from, "2026-11-23T11:00:00Z".parse().unwrap());
    assert_eq!(read.validity.until, "2026-12-23T11:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn serial_numbers_are_random_do_not_repeat_and_one_key_serves_a_day() {
    let clock = clock();
    let mint = mint(&clock);
    let mut serials = std::collections::BTreeSet::new();
    let mut keys = std::collections::BTreeSet::new();
    for number in 0..50 {
        let certified = mint.certified(&host(&format!("h{number}.example"))).await.unwrap();
        let (_, leaf) = X509Certificate::from_der(&certified.cert[0]).unwrap();
        serials.insert(leaf.raw_serial().to_vec());
        keys.insert(leaf_of(&certified).public_key);
    }
    assert_eq!((serials.len(), keys.len()), (50, 1));
    // each of the 128 bits is thrown anew: of fifty throws none is the same for one bit but by a chance of 2^-42
    for bit in 0..128 {
        let set = serials
            .iter()
            .filter(|serial| (serial[1 + bit / 8] >> (bit % 8)) & 1 == 1);
        assert!((1..50).contains(&set.count()), "bit {bit} never changes");
    }
    clock.advance(DAY);
    keys.insert(leaf_of(&mint.certified(&host("h0.example")).await.unwrap()).public_key);
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn a_stampede_makes_one_certificate() {
    let mint = Arc::new(mint(&clock()));
    let crowd: Vec<_> = (0..100)
        .map(|_| {
            let mint = mint.clone();
            tokio::spawn(async move { mint.certified(&host("www.x.com")).await.unwrap() })
        })
        .collect();
    let first = mint.certified(&host("www.x.com")).await.unwrap();
    for one in crowd {
        assert!(Arc::ptr_eq(&one.await.unwrap(), &first));
    }
    assert_eq!(mint.signed(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_on_a_certificate_that_ended_makes_one_more() {
    let clock = clock();
    let mint = Arc::new(mint(&clock));
    mint.certified(&host("www.x.com")).await.unwrap();
    clock.advance(DAY * 2);
    let crowd: Vec<_> = (0..100)
        .map(|_| {
            let mint = mint.clone();
            tokio::spawn(async move { mint.server_config(&host("www.x.com")).await.unwrap() })
        })
        .collect();
    for one in crowd {
        one.await.unwrap();
    }
    assert_eq!(mint.signed(), 2);
}

#[tokio::test]
async fn a_certificate_is_kept_until_it_should_be_renewed() {
    let clock = clock();
    let mint = mint(&clock);
    let first = mint.server_config(&host("www.x.com")).await.unwrap();
    clock.advance(DAY / 2);
    assert!(Arc::ptr_eq(
        &first,
        &mint.server_config(&host("www.x.com")).await.unwrap()
    ));
    clock.advance(DAY / 2);
    assert!(!Arc::ptr_eq(
        &first,
        &mint.server_config(&host("www.x.com")).await.unwrap()
    ));
    assert_eq!(mint.signed(), 2);
}

#[tokio::test]
async fn no_leaf_outlives_the_authority_and_an_ended_authority_says_so() {
    let clock = clock();
    let mint = mint(&clock);
    let end = mint.issuer().validity().until;
    clock.advance(DAY * 364);
    let last = mint.certified(&host("www.x.com")).await.unwrap();
    assert_eq!(leaf_of(&last).validity.until, end);
    clock.advance(DAY);
    let over = mint.certified(&host("www.x.com")).await.unwrap_err();
    assert_eq!(over, MintError::IssuerExpired(end));
    assert!(over.to_string().contains("wayleave ca renew"));
}

#[tokio::test]
async fn an_authority_of_the_future_says_to_check_the_clock() {
    let issuer = Issuer::temporary(&clock()).unwrap();
    let early = Clock::fixed("2020-01-01T00:00:00Z".parse().unwrap());
    let mint = Mint::new(issuer, early, &Settings::default()).unwrap();
    let refused = mint.certified(&host("x.com")).await.unwrap_err();
    assert!(matches!(refused, MintError::IssuerNotYetValid(_)), "{refused}");
}

#[tokio::test]
async fn a_name_outside_the_constraints_is_refused_with_a_way_out_and_fills_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = constrained(folder.path(), &["linkedin.com", "localhost"]);
    let mint = Mint::new(issuer, clock(), &Settings::default()).unwrap();
    for outside in ["bank.example", "notlinkedin.com", "127.0.0.1", "::1"] {
        let refused = mint.certified(&host(outside)).await.unwrap_err();
        assert_eq!(refused, MintError::OutsideConstraints(host(outside)));
        assert!(refused.to_string().contains("--any-host"), "{refused}");
    }
    assert_eq!((mint.cached(), mint.signed()), (0, 0));
    for inside in ["linkedin.com", "www.linkedin.com", "localhost"] {
        mint.certified(&host(inside)).await.unwrap();
    }
    assert_eq!(mint.cached(), 3);
}

#[test]
fn days_of_life_have_bounds() {
    for (days, fine) in [(0, false), (1, true), (90, true), (91, false)] {
        let settings = Settings {
            leaf_days: days,
            ..Settings::default()
        };
        let made = Mint::new(Issuer::temporary(&clock()).unwrap(), clock(), &settings);
        assert_eq!(made.is_ok(), fine, "{days}");
    }
}

#[tokio::test]
async fn clients_and_sites_meet_by_every_kind_of_name() {
    let clock = clock();
    let mint = mint(&clock);
    for (name, asked) in [
        ("www.linkedin.com", "www.linkedin.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("_track.example.com", "_track.example.com"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost", "localhost"),
    ] {
        let config = mint.server_config(&host(name)).await.unwrap();
        let client = Arc::new(trusting(mint.issuer().root(), &clock, &["h2", "http/1.1"]));
        let (near, far) = shake(config, client, asked).await;
        assert!(near.is_ok() && far.is_ok(), "{name}: {near:?} {far:?}");
    }
    let long = format!("{}.example", "a".repeat(63) + "." + &"b".repeat(63));
    assert!(mint.certified(&host(&long)).await.is_ok());
}

#[tokio::test]
async fn another_name_is_not_vouched_for() {
    let clock = clock();
    let mint = mint(&clock);
    let config = mint.server_config(&host("www.x.com")).await.unwrap();
    let client = Arc::new(trusting(mint.issuer().root(), &clock, &[]));
    let (near, _) = shake(config, client, "www.linkedin.com").await;
    assert!(near.unwrap_err().to_string().contains("not valid for name"));
}

#[tokio::test]
async fn protocols_are_agreed_on_and_the_key_exchange_is_post_quantum() {
    let clock = clock();
    let mint = mint(&clock);
    for (offered, agreed) in [
        (vec!["h2", "http/1.1"], Some("h2")),
        (vec!["http/1.1"], Some("http/1.1")),
        (vec![], None),
    ] {
        let config = mint.server_config(&host("www.x.com")).await.unwrap();
        let client = Arc::new(trusting(mint.issuer().root(), &clock, &offered));
        let (near, far) = shake(config, client, "www.x.com").await;
        let (near, far) = (near.unwrap(), far.unwrap());
        assert_eq!(far.get_ref().1.alpn_protocol(), agreed.map(str::as_bytes));
        let group = near.get_ref().1.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    }
    let config = mint.server_config(&host("www.x.com")).await.unwrap();
    let client = Arc::new(trusting(mint.issuer().root(), &clock, &["spdy/1"]));
    let (near, _) = shake(config, client, "www.x.com").await;
    let refused = rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol);
    assert_eq!(near.unwrap_err(), refused);
}

#[tokio::test]
async fn a_session_resumes_with_its_own_host_and_with_no_other() {
    let clock = clock();
    let mint = mint(&clock);
    let kind = |ends: Ends| ends.0.unwrap().get_ref().1.handshake_kind().unwrap();
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots(mint.issuer().root()))
            .with_no_client_auth();
        let mut client = client;
        client.time_provider = Arc::new(ClockTime(clock.clone()));
        let client = Arc::new(client);
        let config = mint.server_config(&host("www.x.com")).await.unwrap();
        let first = kind(shake(config.clone(), client.clone(), "www.x.com").await);
        let second = kind(shake(config.clone(), client.clone(), "www.x.com").await);
        assert_eq!(first, rustls::HandshakeKind::Full);
        assert_eq!(second, rustls::HandshakeKind::Resumed);
    }
    let one = mint.server_config(&host("192.0.2.1")).await.unwrap();
    let other = mint.server_config(&host("192.0.2.10")).await.unwrap();
    let ticket = one.ticketer.encrypt(b"session").unwrap();
    assert_eq!(one.ticketer.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    assert_eq!(other.ticketer.decrypt(&ticket), None);
    let ticket = other.ticketer.encrypt(b"session").unwrap();
    assert_eq!(one.ticketer.decrypt(&ticket), None);
}

#[tokio::test]
async fn a_session_survives_the_renewal_of_its_certificate() {
    let clock = clock();
    let mint = mint(&clock);
    let client = Arc::new(trusting(mint.issuer().root(), &clock, &[]));
    let before = mint.server_config(&host("www.x.com")).await.unwrap();
    shake(before, client.clone(), "www.x.com").await.0.unwrap();
    clock.advance(DAY / 4);
    let ticketer = mint
        .server_config(&host("www.x.com"))
        .await
        .unwrap()
        .ticketer
        .encrypt(b"s")
        .unwrap();
    clock.advance(DAY);
    let after = mint.server_config(&host("www.x.com")).await.unwrap();
    assert_eq!(mint.signed(), 2);
    assert_eq!(after.ticketer.decrypt(&ticketer).as_deref(), Some(&b"s"[..]));
    assert_eq!(after.max_early_data_size, 0);
}
