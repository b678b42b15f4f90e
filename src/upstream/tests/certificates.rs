//! Certificates that are not what they should be, and the names on those that are.

use rcgen::{BasicConstraints, CertificateParams, IsCa};
use tokio::io::AsyncReadExt as _;

use super::origin::{Certificate, Origin};
use super::*;

/// What makes a certificate bad.
type Change = fn(&mut CertificateParams);

async fn fault(certificate: &Certificate, trusted: bool, to: &str) -> Fault {
    let origin = Origin::secure(certificate, &["h2", "http/1.1"]).await;
    let roots = if trusted {
        std::slice::from_ref(&certificate.root)
    } else {
        &[]
    };
    let other = Certificate::new(&["other.example"], |_| {});
    let roots = [roots, &[other.root]].concat();
    let upstream = way_to(origin.address, &roots);
    upstream.send(&permit(to), true, get("/"), &STILL).await.unwrap_err()
}

#[tokio::test]
async fn each_thing_that_is_wrong_with_a_certificate_has_its_own_name() {
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2001, 2, 3);
    let early = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(3000, 2, 3);
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let fine = |_: &mut CertificateParams| {};
    for (change, trusted, to, code, words) in [
        (
            expired as Change,
            true,
            "x.com:443",
            FaultCode::CertificateExpired,
            "expired on 2001-02-03",
        ),
        (
            early,
            true,
            "x.com:443",
            FaultCode::CertificateExpired,
            "not valid before 3000-02-03",
        ),
        (fine, true, "y.com:443", FaultCode::CertificateName, "is for `x.com`"),
        (
            fine,
            true,
            "192.0.2.1:443",
            FaultCode::CertificateName,
            "is for `x.com`",
        ),
        (
            fine,
            false,
            "x.com:443",
            FaultCode::CertificateIssuer,
            "not trusted here",
        ),
        (
            authority,
            true,
            "x.com:443",
            FaultCode::CertificateBad,
            "is an authority's own",
        ),
    ] {
        let fault = fault(&Certificate::new(&["x.com"], change), trusted, to).await;
        assert_eq!((fault.stage, fault.code), (Stage::Dial, code), "{fault}");
        assert!(fault.detail.contains(words), "{fault}");
    }
}

#[tokio::test]
async fn an_address_can_have_a_certificate_too() {
    let certificate = Certificate::new(&["127.0.0.1"], |_| {});
    let origin = Origin::secure(&certificate, &[]).await;
    let upstream = way_to(origin.address, std::slice::from_ref(&certificate.root));
    let response = upstream
        .send(&permit("127.0.0.1:443"), true, get("/"), &STILL)
        .await
        .unwrap();
    assert_eq!(text(response).await, "HTTP/1.1 GET / host=127.0.0.1 body=");
}

#[tokio::test]
async fn an_origin_that_does_not_speak_tls_is_told_from_one_with_a_bad_certificate() {
    for answer in ["", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let origin = Origin::start(move |mut stream, _| async move {
            drop(stream.read(&mut [0; 4096]).await);
            drop(tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await);
        })
        .await;
        let upstream = way_to(origin.address, &[]);
        let fault = upstream
            .send(&permit("x.com:443"), true, get("/"), &STILL)
            .await
            .unwrap_err();
        assert_eq!(fault.code, FaultCode::OriginTls, "{fault}");
    }
}

#[tokio::test]
async fn the_names_on_a_certificate_are_asked_for_once() {
    // Nobody vouches for it, and it has expired: the names are on it all the same.
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2001, 2, 3);
    let certificate = Certificate::new(&["Www.X.com", "*.x.com", "192.0.2.7"], expired);
    let origin = Origin::secure(&certificate, &["h2"]).await;
    let upstream = way_to(origin.address, &[]);
    let permit = permit("www.x.com:443");
    let all = (0..10).map(|_| upstream.names_on_certificate(&permit, origin.address, true));
    for names in futures_util::future::join_all(all).await {
        assert_eq!(*names.unwrap(), ["*.x.com", "www.x.com"]);
    }
    assert_eq!(origin.accepted(), 3, "once for each kind of hello");
}

#[tokio::test]
async fn each_address_of_an_origin_is_asked_for_its_own_certificate() {
    let (one, other) = (
        Certificate::new(&["x.com"], |_| {}),
        Certificate::new(&["y.com"], |_| {}),
    );
    let (one, other) = (Origin::secure(&one, &[]).await, Origin::secure(&other, &[]).await);
    // where the name leads by now
    let upstream = way_to(one.address, &[]);
    for (origin, name) in [(&one, "x.com"), (&other, "y.com")] {
        let names = upstream
            .names_on_certificate(&permit("x.com:443"), origin.address, true)
            .await;
        assert_eq!(*names.unwrap(), [name]);
    }
}

#[tokio::test]
async fn asking_for_names_sends_no_content() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let acceptor = tokio_rustls::TlsAcceptor::from(certificate.server(&[]));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::start(move |stream, _| {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        async move {
            let shaken = acceptor.accept(stream).await.is_ok();
            tell.send(shaken).unwrap();
        }
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    assert_eq!(
        *upstream
            .names_on_certificate(&permit("x.com:443"), origin.address, true)
            .await
            .unwrap(),
        ["x.com"]
    );
    for _ in 0..3 {
        assert!(!told.recv().await.unwrap(), "no handshake must be completed");
    }
}

#[tokio::test]
async fn an_origin_without_tls_has_no_names() {
    let origin = Origin::start(|mut stream, _| async move {
        drop(stream.read(&mut [0; 4096]).await);
    })
    .await;
    let upstream = way_to(origin.address, &[]);
    let fault = upstream
        .names_on_certificate(&permit("x.com:443"), origin.address, true)
        .await
        .unwrap_err();
    assert_eq!(fault.code, FaultCode::OriginTls);
}

#[tokio::test]
async fn an_origin_with_a_certificate_for_each_kind_of_key_is_asked_for_both() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let elliptic = Certificate::new(&["plain.example", "*.x.com"], |_| {});
        let rsa = Certificate::of_kind(&rcgen::PKCS_RSA_SHA256, &["plain.example", "www.linkedin.com"], |_| {});
        let origin = Origin::by_hello(&[&elliptic, &rsa], version).await;
        let upstream = way_to(origin.address, &[]);
        let names = upstream
            .names_on_certificate(&permit("plain.example:443"), origin.address, true)
            .await;
        assert_eq!(*names.unwrap(), ["*.x.com", "plain.example", "www.linkedin.com"]);
        let alone = Origin::secure(&rsa, &[]).await;
        let names = upstream
            .names_on_certificate(&permit("plain.example:443"), alone.address, true)
            .await;
        assert_eq!(*names.unwrap(), ["plain.example", "www.linkedin.com"]);
    }
}

#[tokio::test]
async fn an_origin_that_answers_one_kind_of_hello_only_is_not_taken_for_one_without_the_other() {
    let certificate = Certificate::new(&["x.com"], |_| {});
    let config = certificate.server(&[]);
    let origin = Origin::start(move |stream, _| {
        let config = config.clone();
        async move {
            let hello = tokio_rustls::LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
            let hello = hello.await.unwrap();
            let schemes = hello.client_hello().signature_schemes().to_vec();
            if schemes.contains(&rustls::SignatureScheme::ECDSA_NISTP256_SHA256) {
                drop(hello.into_stream(config).await);
            } else {
                std::future::pending::<()>().await;
            }
        }
    })
    .await;
    let upstream = way(origin.address, &[], |settings| settings.tls_timeout_s = 1);
    let fault = upstream
        .names_on_certificate(&permit("x.com:443"), origin.address, true)
        .await
        .unwrap_err();
    assert_eq!(fault.code, FaultCode::ConnectTimeout, "{fault}");
}

#[tokio::test]
async fn an_origin_that_minds_who_signed_its_certificates_is_asked_for_each_of_them() {
    use rustls::SignatureScheme as Scheme;

    // both are shown to whoever takes what their issuer, an RSA key, signs with
    let wants: [&[Scheme]; 2] = [
        &[Scheme::ECDSA_NISTP256_SHA256, Scheme::RSA_PKCS1_SHA256],
        &[Scheme::RSA_PSS_SHA256, Scheme::RSA_PKCS1_SHA256],
    ];
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let elliptic = Certificate::new(&["plain.example", "www.linkedin.com"], |_| {});
        let rsa = Certificate::of_kind(&rcgen::PKCS_RSA_SHA256, &["plain.example"], |_| {});
        for (shown, names) in [
            (&[&elliptic, &rsa][..], &["plain.example", "www.linkedin.com"][..]),
            (&[&rsa, &elliptic], &["plain.example", "www.linkedin.com"]),
            (&[&elliptic], &["plain.example", "www.linkedin.com"]),
            (&[&rsa], &["plain.example"]),
        ] {
            let minded = shown.iter().map(|each| {
                let is_elliptic = std::ptr::eq(*each, &raw const elliptic);
                (*each, wants[usize::from(!is_elliptic)])
            });
            let origin = Origin::that_minds(&minded.collect::<Vec<_>>(), version).await;
            let upstream = way_to(origin.address, &[]);
            let found = upstream
                .names_on_certificate(&permit("plain.example:443"), origin.address, true)
                .await;
            assert_eq!(*found.unwrap(), *names);
        }
    }
}
