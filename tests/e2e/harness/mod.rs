//! The world of a test: origins, a gateway with the shipped policies, people who sign in, and a clock that stands
//! still. Names lead to loopback. [`World::close`] proves what must hold after every test.

pub mod client;
pub mod house;
pub mod names;
pub mod origin;
pub mod scripted;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use wayleave::audit;
use wayleave::clock::{Clock, Timestamp};
use wayleave::config;
use wayleave::facts::{
    Act, Channel, End, Ending, FaultCode, Grant, GrantTerms, PlatformId, PurposeId, Record, Secret, SubjectId,
};
use wayleave::gatehouse::{Gatehouse, Rules};
use wayleave::identity::users::{self, Users};
use wayleave::rulebook::{Replay, Rulebook};
use wayleave::tls::Issuer;
use wayleave::tls::founding::{ClientFiles, Founding};

use client::Client;
use origin::{Origin, Papers};

/// Everybody's password in the tests.
pub const PASSWORD: &str = "open sesame, please";

/// A Tuesday, 12:30 in Paris, in winter.
pub const NOW: &str = "2026-11-24T11:30:00Z";

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A gateway and everything around it.
pub struct World {
    pub gate: Option<Gatehouse>,
    pub clock: Clock,
    pub origin: Origin,
    pub origins: Arc<origin::Authority>,
    pub settings: config::File,
    pub folder: TempDir,
    pub roots: Arc<RootCertStore>,
    pub sent: Arc<client::Sent>,
    others: Vec<Origin>,
    panics_before: usize,
}

/// What a test wants to be different before the gateway opens.
pub struct Plan {
    pub settings: config::File,
    pub folder: PathBuf,
    /// Hosts whose origin shows other papers.
    pub papers: Vec<(&'static str, Papers)>,
    /// The authority of the gateway; it may speak for any host.
    pub issuer: Issuer,
    /// Whether names that the settings do not map lead to the origin.
    pub maps_everything: bool,
}

impl Plan {
    /// Lets `host` lead to an origin that the test plays by hand.
    pub fn lead(&mut self, host: &str, to: std::net::SocketAddr) {
        self.settings.upstream.map.insert(host.to_owned(), to.to_string());
    }

    /// Adds the rule that `connect.cedar` names: hosts outside the catalogue are read, too.
    pub fn inspect_everything(&self) {
        inspect_everything(&self.folder.join("policies"));
    }

    /// An authority for the hosts of the catalogue, the portal and the TLS door, as `wayleave ca init` makes it.
    pub fn constrain_the_authority(&mut self) {
        let files = wayleave::gatehouse::sources::read_folder(&self.folder.join("policies")).unwrap();
        let assembled = Rulebook::assemble(&wayleave::rulebook::Sources::from_files(files).unwrap()).unwrap();
        let mut only = assembled.rulebook.catalog().domains();
        only.push(self.settings.portal.host.clone());
        only.extend(self.settings.tls.door_names.clone());
        let founding = Founding {
            organisation: "Test",
            only: Some(&only),
            force: false,
        };
        let certs = self.folder.join("certs");
        self.issuer = wayleave::tls::founding::init(&certs, &founding, Clock::system().now()).unwrap();
    }
}

/// Adds the rule that `connect.cedar` names: hosts outside the catalogue are read, too.
pub fn inspect_everything(policies: &Path) {
    let rule = r#"
        @id("inspect.everything") @title("Everything is read") @reason("This test reads everything.") @owner("IT")
        permit (principal, action == Action::"inspect", resource) unless { resource.classified };
    "#;
    std::fs::write(policies.join("rules/95-everything.cedar"), rule).unwrap();
}

impl World {
    pub async fn open() -> Self {
        Self::planned(|_| {}).await
    }

    /// A world that differs from the usual one.
    pub async fn planned(differ: impl FnOnce(&mut Plan)) -> Self {
        count_panics();
        wayleave::tls::install_default();
        let folder = TempDir::new().unwrap();
        copy(&shipped_policies(), &folder.path().join("policies"));
        let clock = Clock::fixed(NOW.parse().unwrap());
        let origins = Arc::new(origin::Authority::new());
        let mut plan = Plan {
            settings: settings(folder.path()),
            folder: folder.path().to_owned(),
            papers: Vec::new(),
            issuer: Issuer::temporary(&Clock::system()).unwrap(),
            maps_everything: true,
        };
        differ(&mut plan);

        let origin = Origin::start(&origins).await;
        if plan.maps_everything {
            let map = &mut plan.settings.upstream.map;
            map.entry("*".to_owned()).or_insert_with(|| origin.address.to_string());
        }
        let mut others = Vec::new();
        for (host, papers) in &plan.papers {
            let other = Origin::with(&origins, *papers).await;
            plan.settings
                .upstream
                .map
                .insert((*host).to_owned(), other.address.to_string());
            others.push(other);
        }
        std::fs::write(folder.path().join("origins.pem"), &origins.pem).unwrap();
        let rules = Rules::Folder(folder.path().join("policies"));
        let gate = Gatehouse::open(&plan.settings, rules, plan.issuer, clock.clone())
            .await
            .unwrap_or_else(|e| panic!("{e:?}"));
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(gate.root_pem().as_bytes()).unwrap())
            .unwrap();
        let panics_before = PANICS.load(Ordering::SeqCst);
        Self {
            gate: Some(gate),
            clock,
            origin,
            origins,
            settings: plan.settings,
            folder,
            roots: Arc::new(roots),
            sent: Arc::default(),
            others,
            panics_before,
        }
    }

    pub fn gate(&self) -> &Gatehouse {
        self.gate.as_ref().unwrap()
    }

    /// The origin that was planned with other papers, in the order of the plan.
    pub fn other(&self, at: usize) -> &Origin {
        &self.others[at]
    }

    /// Somebody of the shipped directory, signed in with their password on the plain door.
    pub fn client(&self, user: &str) -> Client {
        Client {
            proxy: self.gate().addresses().plain,
            roots: self.roots.clone(),
            authorization: Some(Client::basic(user, PASSWORD)),
            sent: self.sent.clone(),
            hop_fields: Vec::new(),
            alpn: &[b"h2", b"http/1.1"],
            door: None,
            is_read: true,
        }
    }

    /// The same person on the TLS door, speaking `protocol` with the proxy itself.
    pub fn client_on_tls_door(&self, user: &str, protocol: &'static [u8]) -> Client {
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        self.on_tls_door(user, protocol, config)
    }

    /// Somebody on the TLS door who sends no password, but shows a certificate.
    pub fn client_with_certificate(&self, files: &ClientFiles, protocol: &'static [u8]) -> Client {
        let chain = CertificateDer::pem_file_iter(&files.certificate).unwrap();
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots.clone())
            .with_client_auth_cert(
                chain.collect::<Result<_, _>>().unwrap(),
                PrivateKeyDer::from_pem_file(&files.key).unwrap(),
            )
            .unwrap();
        Client {
            authorization: None,
            ..self.on_tls_door("nobody", protocol, config)
        }
    }

    fn on_tls_door(&self, user: &str, protocol: &'static [u8], mut config: rustls::ClientConfig) -> Client {
        config.alpn_protocols = vec![protocol.to_vec()];
        Client {
            proxy: self.gate().addresses().tls,
            door: Some(Arc::new(config)),
            ..self.client(user)
        }
    }

    /// Counts requests that a test sent by hand.
    pub fn sends(&self, requests: usize) {
        self.sent.add(requests);
    }

    /// Somebody who has not signed in.
    pub fn stranger(&self) -> Client {
        Client {
            authorization: None,
            ..self.client("nobody")
        }
    }

    /// Gives `user` a grant, as the portal would have.
    pub async fn grant(&self, user: &str, purpose: &str, platforms: &[&str], covers: &[&str]) -> Grant {
        let now = self.clock.now();
        let terms = GrantTerms {
            subject: SubjectId::parse(user).unwrap(),
            purpose: PurposeId::new(purpose),
            platforms: platforms.iter().map(|platform| PlatformId::new(*platform)).collect(),
            covers: covers.iter().map(|group| (*group).to_owned()).collect(),
            statement: "a test needs it".to_owned(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: now,
            not_before: now,
            expires: now.plus(std::time::Duration::from_hours(1)),
            answers: Vec::new(),
            idle: None,
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
        };
        self.gate().ledger().give(terms).await.unwrap()
    }

    pub fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// Every record that is on disk once all that was accepted is written.
    pub async fn records(&self) -> Vec<Record> {
        self.gate().book().flush().await.unwrap();
        read_records(&self.settings.audit.folder)
    }

    /// How the strays ended, once there are `count` of them.
    pub async fn strays(&self, count: usize) -> Vec<Ending> {
        let find = async {
            loop {
                let records = self.records().await.into_iter();
                let strays: Vec<Ending> = records
                    .filter_map(|record| match record.act {
                        Act::Stray { ended, .. } => Some(ended),
                        _ => None,
                    })
                    .collect();
                if strays.len() >= count {
                    return strays;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(std::time::Duration::from_secs(30), find).await;
        found.unwrap_or_else(|_| panic!("not {count} strays"))
    }

    /// Every byte of the book.
    pub async fn book(&self) -> String {
        self.gate().book().flush().await.unwrap();
        let files = std::fs::read_dir(&self.settings.audit.folder).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    /// Stops the gateway and proves: each request that was sent has exactly one record, the chain verifies, replaying
    /// every record gives the same decision, and no task panicked. Hands out the whole book.
    pub async fn close(self) -> Vec<Record> {
        let sent = self.sent.all();
        self.close_after(Some(sent)).await
    }

    /// The same where browsers sent requests, which nobody counted.
    pub async fn close_uncounted(self) -> Vec<Record> {
        self.close_after(None).await
    }

    async fn close_after(mut self, sent: Option<usize>) -> Vec<Record> {
        let gate = self.gate.take().unwrap();
        gate.stop().await.unwrap();
        let folder = self.settings.audit.folder.clone();
        audit::verify(&folder).unwrap_or_else(|broken| panic!("the chain is broken: {broken}"));
        let records = read_records(&folder);
        one_record_each(&records, sent);
        self.replays(&records);
        assert_eq!(PANICS.load(Ordering::SeqCst), self.panics_before, "no task may panic");
        records
    }

    fn replays(&self, records: &[Record]) {
        let files = wayleave::gatehouse::sources::read_folder(&self.policies()).unwrap();
        let Ok(assembled) = Rulebook::assemble(&wayleave::rulebook::Sources::from_files(files).unwrap()) else {
            return;
        };
        for record in records {
            let ruled_by = match &record.act {
                Act::Closing {
                    decided: Some(decided), ..
                } => &decided.rulebook,
                _ => continue,
            };
            if ruled_by == assembled.rulebook.id() {
                let replayed = assembled.rulebook.replay(record);
                assert!(matches!(replayed, Replay::Same), "{}: {replayed:?}", record.id);
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(
            self.gate.is_none() || std::thread::panicking(),
            "a test must close its world"
        );
    }
}

/// The code of a failure; none where the flow did not fail.
pub fn code(ended: &Ending) -> Option<FaultCode> {
    match &ended.end {
        End::Failed { code, .. } => Some(*code),
        _ => None,
    }
}

/// The closing line of a flow.
#[derive(Debug)]
pub struct Closing {
    pub record: Record,
}

impl Closing {
    fn of(record: Record) -> Option<Self> {
        matches!(record.act, Act::Closing { .. }).then_some(Self { record })
    }

    pub fn seen(&self) -> &wayleave::facts::Observation {
        match &self.record.act {
            Act::Closing { seen, .. } => seen,
            _ => unreachable!(),
        }
    }

    pub fn decided(&self) -> &wayleave::facts::DecisionNote {
        match &self.record.act {
            Act::Closing {
                decided: Some(decided), ..
            } => decided,
            _ => panic!("nothing was decided: {:?}", self.record),
        }
    }

    pub fn ended(&self) -> &Ending {
        match &self.record.act {
            Act::Closing { ended, .. } => ended,
            _ => unreachable!(),
        }
    }

    /// The code of the failure that it ended with, if it did.
    pub fn code(&self) -> Option<FaultCode> {
        code(self.ended())
    }

    fn is_for(&self, host: &str, path: &str) -> bool {
        let ask = &self.seen().ask;
        ask.host().as_str() == host && ask.head().map_or("CONNECT", |head| head.path.as_str()) == path
    }
}

fn one_record_each(records: &[Record], sent: Option<usize>) {
    let mut closings: BTreeMap<&str, usize> = BTreeMap::new();
    let mut openings = BTreeSet::new();
    for record in records {
        match &record.act {
            Act::Closing { ended, .. } | Act::Stray { ended, .. } => {
                *closings.entry(record.id.as_str()).or_default() += 1;
                // browsers hang up in the midst of what they began for later
                let hung_up = sent.is_none() && !ended.decrypted;
                assert!(hung_up || ended.end != End::Abandoned, "{record:?}");
            }
            Act::Opening { .. } => {
                openings.insert(record.id.as_str());
            }
            Act::Grant { .. } | Act::Token { .. } | Act::Access { .. } | Act::Gateway { .. } => {}
        }
    }
    assert!(
        closings.values().all(|count| *count == 1),
        "a flow closed twice: {closings:?}"
    );
    for opening in openings {
        assert!(
            closings.contains_key(opening),
            "the flow {opening} was opened and never closed"
        );
    }
    let sent = sent.unwrap_or(closings.len());
    let ends = || {
        records
            .iter()
            .filter(|record| closings.contains_key(record.id.as_str()))
    };
    assert_eq!(
        closings.len(),
        sent,
        "each request has exactly one record: {:#?}",
        ends().collect::<Vec<_>>()
    );
}

fn read_records(folder: &Path) -> Vec<Record> {
    audit::read(folder).unwrap().map(|read| read.unwrap().1).collect()
}

pub fn settings(folder: &Path) -> config::File {
    let mut settings = config::File::default();
    let loopback = "127.0.0.1:0".parse().unwrap();
    settings.ingress.plain = loopback;
    settings.ingress.tls = loopback;
    settings.admin.listen = loopback;
    settings.policies.kept = folder.join("rulebooks");
    settings.policies.proofs = folder.join("proofs.json");
    settings.audit.folder = folder.join("records");
    settings.ledger.file = folder.join("ledger.db");
    settings.identity.users = folder.join("users.toml");
    settings.tls.folder = folder.join("certs");
    settings.tls.use_system_roots = false;
    settings.tls.extra_roots = vec![folder.join("origins.pem")];
    settings.upstream.allow = vec!["127.0.0.0/8".parse().unwrap()];
    write_users(&settings.identity.users);
    settings
}

/// One password hash for everybody: hashing is slow on purpose, and the tests are not about it.
fn write_users(path: &Path) {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let people = [
        "ada", "ben", "cora", "dan", "eve", "mia", "sol", "hana", "nora", "carebot", "lea", "pia",
    ];
    let text = HASH.get_or_init(|| {
        let mut users = Users::default();
        users.add("someone", &Secret::new(PASSWORD), 1).unwrap();
        users.render()
    });
    let mut whole = String::new();
    for person in people {
        whole.push_str(&text.replace("someone", person));
        whole.push('\n');
    }
    std::fs::write(path, merge(&whole)).unwrap();
    users::load(path).unwrap();
}

/// An account for somebody who is not of the shipped directory.
pub fn add_account(settings: &config::File, user: &str) {
    let accounts = std::fs::read_to_string(&settings.identity.users).unwrap();
    let hash = accounts
        .lines()
        .find(|line| line.contains("ada") && line.contains("password"))
        .unwrap();
    let more = format!("{accounts}{}\n", hash.replace("ada", user));
    std::fs::write(&settings.identity.users, more).unwrap();
}

/// The rendered files, one after the other, with each table header only once.
fn merge(text: &str) -> String {
    let mut seen = BTreeSet::new();
    text.lines()
        .filter(|line| !line.starts_with('[') || line.starts_with("[[") || seen.insert(*line))
        .fold(String::new(), |all, line| all + line + "\n")
}

pub fn shipped_policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // a failing test panics on its own thread, which carries the test's name; tasks run on the workers
            if std::thread::current()
                .name()
                .is_some_and(|name| name.starts_with("tokio"))
            {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
}

/// The moment the fixed clock shows.
pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}
