//! The TLS port: its certificate, and those of clients.

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::facts::SubjectId;

struct House {
    folder: tempfile::TempDir,
    clock: Clock,
    mint: Arc<Mint>,
    root: Certificate,
}

impl House {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let issuer = constrained(
            folder.path(),
            &["linkedin.com", "localhost", "127.0.0.1", "proxy.corp.example"],
        );
        let root = issuer.root().clone();
        let mint = Arc::new(Mint::new(issuer, clock.clone(), &Settings::default()).unwrap());
        Self {
            folder,
            clock,
            mint,
            root,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            folder: self.folder.path().to_owned(),
            ..Settings::default()
        }
    }

    fn door(&self, clients: Option<RootCertStore>) -> Door {
        let names = ["localhost", "127.0.0.1", "proxy.corp.example"].map(host);
        Door::new(self.mint.clone(), names.to_vec(), clients).unwrap()
    }

    fn client(&self) -> ClientConfig {
        trusting(&self.root, &self.clock, &["h2", "http/1.1"])
    }

    fn client_with(&self, certificate: &Path, key: &Path) -> ClientConfig {
        let chain = CertificateDer::pem_file_iter(certificate)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(self.clock.clone())))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots(&self.root))
            .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
            .unwrap()
    }
}

#[tokio::test]
async fn the_door_answers_to_all_its_names_and_speaks_h2() {
    let house = House::new();
    let door = house.door(None);
    for name in ["localhost", "127.0.0.1", "proxy.corp.example"] {
        let (near, far) = shake(door.config().await.unwrap(), Arc::new(house.client()), name).await;
        assert!(near.is_ok(), "{name}: {near:?}");
        assert_eq!(far.unwrap().get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    }
}

#[tokio::test]
async fn the_doors_certificate_is_renewed_while_it_stands_open() {
    let house = House::new();
    let door = house.door(None);
    let first = door.config().await.unwrap();
    assert!(Arc::ptr_eq(&first, &door.config().await.unwrap()));
    assert!(door.shows_until().is_some());
    house.clock.advance(DAY * 40);
    assert_eq!(door.shows_until(), None, "nobody came, and nothing is wrong");
    let (near, _) = shake(door.config().await.unwrap(), Arc::new(house.client()), "localhost").await;
    assert!(near.is_ok(), "{near:?}");
    let (near, _) = shake(first, Arc::new(house.client()), "localhost").await;
    assert!(near.unwrap_err().to_string().contains("expired"));
}

#[tokio::test]
async fn a_name_that_the_authority_may_not_use_is_said() {
    let house = House::new();
    let door = Door::new(house.mint.clone(), vec![host("localhost"), host("other.example")], None).unwrap();
    assert_eq!(
        door.config().await.err().unwrap(),
        MintError::OutsideConstraints(host("other.example"))
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_the_guard_each_time_and_none_is_fine() {
    let house = House::new();
    let made = founding::client(
        house.folder.path(),
        &SubjectId::parse("ada").unwrap(),
        30,
        false,
        noon(),
    )
    .unwrap();
    let door = house.door(client_roots(&house.settings()).unwrap());

    let (near, far) = shake(door.config().await.unwrap(), Arc::new(house.client()), "localhost").await;
    assert!(near.is_ok());
    assert!(client_certificate(far.unwrap().get_ref().1).is_none());

    let ada = Arc::new(house.client_with(&made.certificate, &made.key));
    for _ in 0..2 {
        let (near, far) = shake(door.config().await.unwrap(), ada.clone(), "localhost").await;
        let (near, far) = (near.unwrap(), far.unwrap());
        let shown = client_certificate(far.get_ref().1).unwrap();
        assert_eq!(Certificate::read(shown).unwrap().subject, "CN=ada");
        assert_eq!(near.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
    let said = openssl_does(
        house.folder.path(),
        "x509 -in clients/ada.pem -noout -ext subjectAltName,extendedKeyUsage",
    );
    assert!(said.contains("URI:wayleave:user:ada"), "{said}");
    assert!(said.contains("TLS Web Client Authentication"), "{said}");
}

#[tokio::test]
async fn a_client_certificate_that_ended_or_is_a_strangers_ends_the_handshake() {
    let (house, stranger) = (House::new(), House::new());
    let name = SubjectId::parse("ada").unwrap();
    let door = house.door(client_roots(&house.settings()).unwrap());
    let made = founding::client(stranger.folder.path(), &name, 30, false, noon()).unwrap();
    let forged = Arc::new(house.client_with(&made.certificate, &made.key));
    let (_, far) = shake(door.config().await.unwrap(), forged, "localhost").await;
    assert!(far.unwrap_err().to_string().contains("UnknownIssuer"));

    let made = founding::client(house.folder.path(), &name, 30, false, noon()).unwrap();
    house.clock.advance(DAY * 31);
    let late = Arc::new(house.client_with(&made.certificate, &made.key));
    let (_, far) = shake(door.config().await.unwrap(), late, "localhost").await;
    assert!(far.unwrap_err().to_string().contains("expired"));
}

#[tokio::test]
async fn a_certificate_for_a_site_does_not_open_the_door() {
    let house = House::new();
    let site = constrained(&house.folder.path().join("other"), &["linkedin.com"]);
    let other = House::new();
    let settings = Settings {
        folder: house.folder.path().to_owned(),
        client_roots: vec![house.folder.path().join("other/root.pem")],
        ..Settings::default()
    };
    let door = other.door(client_roots(&settings).unwrap());
    let key = rcgen::KeyPair::generate().unwrap();
    let time = Validity {
        from: noon(),
        until: noon().plus(DAY),
    };
    let leaf = site.sign(&[host("linkedin.com")], &key, time).unwrap();
    let chain: Vec<_> = std::iter::once(leaf).chain(site.sent_chain()).collect();
    let client = ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(other.clock.clone())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(&other.root))
        .with_client_auth_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let (_, far) = shake(door.config().await.unwrap(), Arc::new(client), "localhost").await;
    assert!(far.unwrap_err().to_string().contains("invalid peer certificate"));
}

#[test]
fn the_door_asks_for_client_certificates_only_where_there_is_somebody_to_believe() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings {
        folder: folder.path().to_owned(),
        ..Settings::default()
    };
    assert!(client_roots(&settings).unwrap().is_none());
    constrained(folder.path(), &["x.com"]);
    assert!(client_roots(&settings).unwrap().is_some());
    settings.client_certificates = false;
    assert!(client_roots(&settings).unwrap().is_none());
}
