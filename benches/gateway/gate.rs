//! The gateway under test: as `wayleave run`, with the shipped policies, records on disk, and a grant for a recruiter.

use std::path::Path;
use std::time::Duration;

use wayleave::clock::Clock;
use wayleave::config;
use wayleave::facts::{Channel, GrantTerms, PlatformId, PurposeId, Secret, SubjectId};
use wayleave::gatehouse::{Gatehouse, Rules};
use wayleave::identity::users::{self, Users};
use wayleave::tls::Issuer;

/// The folder of policies in the bench's folder; where there is none, the built-in ones rule.
pub(crate) const POLICIES: &str = "policies";
/// The file, in the bench's folder, with the root that clients must trust.
pub(crate) const ROOT: &str = "gateway.pem";

/// Who may do what they try, and who may not.
pub(crate) const RECRUITER: &str = "ada";
pub(crate) const ENGINEER: &str = "dan";
pub(crate) const PASSWORD: &str = "open sesame, please";

/// Opens the gateway, says where, and serves until standard input ends.
pub(crate) async fn serve(folder: &Path, origin: &str) {
    let clock = Clock::system();
    let issuer = Issuer::temporary(&clock).unwrap();
    std::fs::write(folder.join(ROOT), issuer.root_pem()).unwrap();
    let began = std::time::Instant::now();
    let policies = folder.join(POLICIES);
    let rules = if policies.exists() {
        Rules::Folder(policies)
    } else {
        Rules::Embedded
    };
    let gate = Gatehouse::open(&settings(folder, origin), rules, issuer, clock.clone())
        .await
        .unwrap();
    let opened = began.elapsed();
    let now = clock.now();
    let terms = GrantTerms {
        subject: SubjectId::parse(RECRUITER).unwrap(),
        purpose: PurposeId::new("recruiting"),
        platforms: [PlatformId::new("linkedin")].into(),
        covers: ["read", "engage", "publish"].map(str::to_owned).into(),
        statement: "candidates for the two open positions in Lyon".to_owned(),
        ticket: None,
        channel: Channel::Portal,
        declared_at: now,
        not_before: now,
        expires: now.plus(Duration::from_hours(8)),
        answers: Vec::new(),
        idle: None,
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
    };
    gate.ledger().give(terms).await.unwrap();
    let at = gate.addresses();
    println!("{} {} {}", at.plain, opened.as_millis(), at.admin);
    super::end_of_input().await;
    gate.stop().await.unwrap();
}

fn settings(folder: &Path, origin: &str) -> config::File {
    let mut settings = config::File::default();
    let loopback = "127.0.0.1:0".parse().unwrap();
    settings.ingress.plain = loopback;
    settings.ingress.tls = loopback;
    // all load comes from one address, whose share hangs on how many files may be open
    settings.ingress.max_connections_per_client = 0;
    settings.admin.listen = loopback;
    settings.policies.kept = folder.join("rulebooks");
    settings.audit.folder = folder.join("records");
    settings.ledger.file = folder.join("ledger.db");
    settings.identity.users = folder.join("users.toml");
    settings.tls.folder = folder.join("certs");
    settings.tls.use_system_roots = false;
    settings.tls.extra_roots = vec![folder.join(super::origin::ROOT)];
    settings.upstream.allow = vec!["127.0.0.0/8".parse().unwrap()];
    settings.upstream.map.insert("*".to_owned(), origin.to_owned());
    let mut known = Users::default();
    for name in [RECRUITER, ENGINEER] {
        known.add(name, &Secret::new(PASSWORD), 1).unwrap();
    }
    users::save(&known, &settings.identity.users).unwrap();
    settings
}
