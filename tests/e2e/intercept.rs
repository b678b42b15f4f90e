//! Interception by allow-list: the first bytes after CONNECT decide, and what is read is read under a minted name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wayleave::facts::{Act, End, FaultCode};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::harness::client::Client;
use crate::harness::house::PORTAL;
use crate::harness::origin::Papers;
use crate::harness::wire::{InPieces, Wire, tls};
use crate::harness::{World, code};

const LINKEDIN: &str = "www.linkedin.com";
const DISTRUSTS: FaultCode = FaultCode::ClientDistrusts;

async fn recruiter(world: &World) -> Client {
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    world.client("ada")
}

/// One `GET` on a stream that speaks HTTP/1.1.
async fn get(world: &World, stream: impl crate::harness::client::Io + 'static, host: &str) -> String {
    let mut wire = Wire::on(stream);
    world.sends(1);
    wire.say(format!("GET /feed/ HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    wire.answer().await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_quantum_hello_in_pieces_of_one_and_of_a_hundred_bytes_is_read_whole() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    for size in [1, 100] {
        let io = Wire::tunnel(&ada, "www.linkedin.com:443").await.into_io();
        let stream = tls(Box::new(InPieces::new(io, size)), &ada.roots, LINKEDIN, |_| {})
            .await
            .unwrap();
        let kx = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(
            format!("{kx:?}"),
            "X25519MLKEM768",
            "the hello is larger than a segment"
        );
        let head = get(&world, stream, LINKEDIN).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{size}: {head}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_names_another_host_than_connect_is_refused_and_recorded_as_such() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    // read or unread, the tunnel goes where CONNECT said
    for (host, name) in [(LINKEDIN, "www.reddit.com"), ("www.example.org", LINKEDIN)] {
        let io = Wire::tunnel(&ada, &format!("{host}:443")).await.into_io();
        tls(io, &ada.roots, name, |_| {}).await.unwrap_err();
        assert_eq!(
            world.closed(host, "CONNECT").await.code(),
            Some(FaultCode::SniMismatch),
            "{host}"
        );
    }
    assert!(world.origin.received().is_empty());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_without_a_name_speaks_for_the_host_of_connect() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    let io = Wire::tunnel(&ada, "www.linkedin.com:443").await.into_io();
    let stream = tls(io, &ada.roots, LINKEDIN, |config| config.enable_sni = false)
        .await
        .unwrap();
    assert!(get(&world, stream, LINKEDIN).await.starts_with("HTTP/1.1 200"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_spoken_for_with_a_leaf_that_names_the_address() {
    let world = World::planned(|plan| plan.inspect_everything()).await;
    let dan = world.client("dan");
    let io = Wire::tunnel(&dan, "192.0.2.80:443").await.into_io();
    let stream = tls(io, &dan.roots, "192.0.2.80", |_| {}).await.unwrap();
    let leaf = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
    let names = leaf
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names
        .clone();
    assert_eq!(names, [GeneralName::IPAddress(&[192, 0, 2, 80])]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_inside_connect_is_judged_like_any_other() {
    let world = World::open().await;
    let ada = world.client("ada");
    let mut wire = Wire::tunnel(&ada, "www.linkedin.com:80").await;
    for status in ["403", "200"] {
        world.sends(1);
        wire.say("GET /feed/ HTTP/1.1\r\nHost: www.linkedin.com\r\n\r\n").await;
        let (head, body) = wire.answer().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}{body}");
        world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    }
    assert_eq!(world.origin.received().len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_where_rules_want_to_read() {
    let world = World::planned(|plan| plan.settings.ingress.opening_timeout_s = 1).await;
    let ada = recruiter(&world).await;
    let decode_error = "\x15\x03\x03\0\x02\x02\x32"; // an alert (RFC 8446 §6.2)
    let long = "a".repeat(1100);
    let openings: [(&[u8], FaultCode, &str); 6] = [
        (b"SSH-2.0-OpenSSH_9.2\r\n", FaultCode::ProtocolUnreadable, ""),
        (b"\x16\x03\x01\x00\x00", FaultCode::ProtocolUnreadable, decode_error),
        (
            b"\x16\x03\x01\x00\x10garbage, not hello",
            FaultCode::ProtocolUnreadable,
            decode_error,
        ),
        (b"\x16\x03\x01\x40\x00\x01", FaultCode::ProtocolUnreadable, decode_error), // begins, and never ends
        (
            long.as_bytes(),
            FaultCode::ProtocolUnreadable,
            "HTTP/1.1 403 Forbidden\r\n",
        ),
        (b"", FaultCode::ClientTimeout, ""),
    ];
    for (bytes, code, told) in openings {
        let before = world.records().await.len();
        let mut wire = Wire::tunnel(&ada, "www.linkedin.com:443").await;
        wire.say(bytes).await;
        let heard = wire.rest().await;
        assert!(
            heard.starts_with(told) && heard.is_empty() == told.is_empty(),
            "{heard:?}"
        );
        while world.records().await.len() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(world.closed(LINKEDIN, "CONNECT").await.code(), Some(code), "{bytes:?}");
    }
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

/// Returns once the gateway knows of so many tunnels that they were broken off because nobody trusts it.
async fn broken_off(world: &World, times: usize) {
    world
        .until("the handshakes are known to have failed", async |world| {
            let broken = world.acts(|record| match &record.act {
                Act::Closing { ended, .. } => Some(ended.status == Some(200) && code(ended) == Some(DISTRUSTS)),
                _ => None,
            });
            broken.await.iter().filter(|is_broken| **is_broken).count() == times
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_goes_on_to_distrust_us_is_told_so_at_its_next_connect() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    let app = ada.with_hop_field("user-agent", "Pinned/1.0");
    let breaks_off = async || {
        let io = Wire::tunnel(&app, "www.linkedin.com:443").await.into_io();
        tls(io, &world.origins.roots(), LINKEDIN, |_| {}).await.unwrap_err();
    };
    breaks_off().await;
    breaks_off().await;
    broken_off(&world, 2).await;
    // who shakes hands after all, as a browser may whose owner looked at the warning, starts anew
    assert_eq!(app.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    for _ in 0..3 {
        breaks_off().await;
    }
    broken_off(&world, 5).await;
    let unread = world.acts(|record| match &record.act {
        Act::Closing { ended, .. } if code(ended) == Some(FaultCode::ClientDistrusts) => Some(!ended.decrypted),
        _ => None,
    });
    assert!(unread.await.into_iter().all(|unread| unread));

    let refused = app.tunnel("www.linkedin.com:443").await.unwrap_err();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.json()["type"],
        "https://wayleave.example/problems/client-distrusts"
    );
    assert_eq!(refused.header("retry-after"), "30");
    assert!(refused.text().contains("half a minute"), "{}", refused.text());
    // neither another host nor the browser beside it
    app.tunnel("www.facebook.com:443").await.unwrap();
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    let page = ada.navigate(&format!("{PORTAL}/")).await.text();
    assert!(page.contains("the program refused the certificate"), "{page}");

    // now and then it may try, and is refused no longer once it trusts us
    world.clock.advance(Duration::from_secs(30));
    breaks_off().await;
    broken_off(&world, 6).await;
    assert_eq!(
        app.tunnel("www.linkedin.com:443").await.unwrap_err().status,
        StatusCode::FORBIDDEN
    );
    world.clock.advance(Duration::from_secs(30));
    for _ in 0..2 {
        assert_eq!(app.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_held_against_a_program_without_a_name_or_at_the_portal() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    let breaks_off = async |client: &Client, host: &str| {
        let io = Wire::tunnel(client, &format!("{host}:443")).await.into_io();
        tls(io, &world.origins.roots(), host, |_| {}).await.unwrap_err();
    };
    let app = ada.with_hop_field("user-agent", "Pinned/1.0");
    let portal = world.settings.portal.host.clone();
    for _ in 0..3 {
        breaks_off(&ada, LINKEDIN).await;
        breaks_off(&app, portal.as_str()).await;
    }
    broken_off(&world, 6).await;
    // another program on the same machine, that does not say its name either
    assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    assert_eq!(app.navigate(&format!("{PORTAL}/")).await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_held_against_a_program_where_the_settings_say_so() {
    let world = World::planned(|plan| plan.settings.proxy.distrust_s = 0).await;
    let ada = recruiter(&world).await;
    for _ in 0..4 {
        let io = Wire::tunnel(&ada, "www.linkedin.com:443").await.into_io();
        tls(io, &world.origins.roots(), LINKEDIN, |_| {}).await.unwrap_err();
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minted_leaf_is_short_lived_named_and_the_same_for_all_who_come_at_once() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    let chain = async || {
        let io = Wire::tunnel(&ada, "www.linkedin.com:443").await.into_io();
        let stream = tls(io, &ada.roots, LINKEDIN, |_| {}).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap().to_vec()
    };
    let (first, second, third) = tokio::join!(chain(), chain(), chain());
    assert!(
        first[0] == second[0] && second[0] == third[0],
        "one mint under a stampede"
    );

    // a client that knows the root only can build the chain from what it is shown
    verify(&world, &first).unwrap();
    verify(&world, &first[..1]).unwrap_err();

    let (_, leaf) = X509Certificate::from_der(&first[0]).unwrap();
    let parameters = leaf.public_key().algorithm.parameters.clone().unwrap();
    let curve = parameters.as_oid().unwrap();
    assert_eq!(curve.to_id_string(), "1.2.840.10045.3.1.7", "P-256");
    let names = leaf
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names
        .clone();
    assert_eq!(names, [GeneralName::DNSName(LINKEDIN)]);
    let seconds = leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp();
    assert!(seconds <= 90 * 86_400, "{seconds}");
    assert_eq!(
        leaf.raw_serial().len(),
        17,
        "128 random bits, and one byte to keep the number positive"
    );
    assert!(!leaf.is_ca());
    world.close().await;
}

fn verify(world: &World, chain: &[CertificateDer<'static>]) -> Result<(), rustls::Error> {
    let verifier = rustls::client::WebPkiServerVerifier::builder(world.roots.clone())
        .build()
        .unwrap();
    let name = ServerName::try_from(LINKEDIN).unwrap();
    use rustls::client::danger::ServerCertVerifier;
    verifier
        .verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now())
        .map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inside_speaks_what_the_client_offers() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    let offers: [&'static [&'static [u8]]; 3] = [&[b"h2"], &[b"http/1.1"], &[]];
    for alpn in offers {
        let ada = ada.offering(alpn);
        let tunnel = ada.tunnel("www.linkedin.com:443").await.unwrap();
        let inside = ada.tls(LINKEDIN, tunnel).await.unwrap();
        assert_eq!(inside.get_ref().1.alpn_protocol(), alpn.first().copied());
        let request = http::Request::get("https://www.linkedin.com/feed/").body(http_body_util::Full::default());
        assert_eq!(ada.exchange(inside, request.unwrap()).await.status, StatusCode::OK);
    }
    // what the client offers and we do not speak ends the handshake
    let tunnel = ada.tunnel("www.linkedin.com:443").await.unwrap();
    ada.offering(&[b"acme-tls/1"]).tls(LINKEDIN, tunnel).await.unwrap_err();
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_certificate_of_the_origin_is_told_and_nothing_is_sent_there() {
    let cases = [
        (
            "expired.linkedin.com",
            Papers::Expired,
            "expired",
            FaultCode::CertificateExpired,
        ),
        (
            "wrong.linkedin.com",
            Papers::WrongName,
            "somebody.else.test",
            FaultCode::CertificateName,
        ),
        (
            "unknown.linkedin.com",
            Papers::UnknownIssuer,
            "issuer",
            FaultCode::CertificateIssuer,
        ),
    ];
    let world = World::planned(|plan| plan.papers = cases.map(|(host, papers, ..)| (host, papers)).to_vec()).await;
    let ada = recruiter(&world).await;
    let mut told = BTreeSet::new();
    for (at, (host, _, says, code)) in cases.into_iter().enumerate() {
        let tool = ada.get(&format!("https://{host}/feed/")).await;
        assert_eq!(tool.status, StatusCode::BAD_GATEWAY, "{}", tool.text());
        assert_eq!(tool.header("content-type"), "application/problem+json");
        assert!(
            tool.json()["technically"].as_str().unwrap().contains(says),
            "{}",
            tool.text()
        );
        assert!(
            tool.header("proxy-status").contains("error=tls_certificate_error"),
            "{tool:?}"
        );

        let page = ada.navigate(&format!("https://{host}/feed/")).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY);
        assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
        assert!(
            page.text().contains(host) && page.text().contains(says),
            "{}",
            page.text()
        );
        told.insert(
            page.text()
                .split("<h1>")
                .nth(1)
                .unwrap()
                .split("</h1>")
                .next()
                .unwrap()
                .to_owned(),
        );

        assert!(world.other(at).received().is_empty(), "nothing was sent to {host}");
        let closing = world.closed(host, "/feed/").await;
        assert_eq!(closing.code(), Some(code));
        assert_eq!(closing.ended().status, Some(502));
        assert!(closing.ended().decrypted, "the request was read");
    }
    assert_eq!(told.len(), 3, "each page says what is wrong: {told:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intercepted_tunnel_has_a_record_of_its_own() {
    let world = World::open().await;
    let ada = recruiter(&world).await;
    ada.get("https://www.linkedin.com/feed/").await;
    let closing = world.closed(LINKEDIN, "CONNECT").await;
    assert_eq!(closing.ended().end, End::Completed);
    assert!(closing.ended().decrypted && closing.decided().inspect);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_whose_inside_asked_nothing_or_broke_is_not_recorded_as_completed() {
    let world = World::open().await;
    let dan = world.client("dan");
    let inside = async |host: &str| {
        let io = Wire::tunnel(&dan, &format!("{host}:443")).await.into_io();
        Wire::on(tls(io, &dan.roots, host, |_| {}).await.unwrap())
    };
    let end = async |host: &str| {
        let closing = world.closed(host, "CONNECT").await;
        (closing.code(), closing.ended().decrypted)
    };
    let mut silent = inside("silent.linkedin.com").await;
    silent.finish().await;
    silent.rest().await;
    assert_eq!(end("silent.linkedin.com").await, (Some(FaultCode::ClientGone), false));

    let mut broken = inside("broken.linkedin.com").await;
    world.sends(1);
    broken.say("nonsense\r\n\r\n").await;
    broken.rest().await;
    assert_eq!(code(&world.strays(1).await[0]), Some(FaultCode::BadRequest));
    assert_eq!(end("broken.linkedin.com").await, (Some(FaultCode::BadRequest), false));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_the_stop_ends_is_not_the_clients_fault() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(dan.roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from("www.linkedin.com").unwrap();
    let mut hello = Vec::new();
    let mut shaking = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    shaking.write_tls(&mut hello).unwrap();
    let mut tunnel = Wire::tunnel(&dan, "www.linkedin.com:443").await.into_io();
    tunnel.write_all(&hello).await.unwrap();
    tunnel.read_u8().await.unwrap(); // the gateway has answered, and waits
    let records = world.close().await;
    let ends = records.iter().filter_map(|record| match &record.act {
        Act::Closing { ended, .. } => Some(&ended.end),
        _ => None,
    });
    let ends: Vec<&End> = ends.collect();
    assert!(
        matches!(ends.as_slice(), [End::Cut(why)] if why.contains("stopping")),
        "{ends:?}"
    );
}
