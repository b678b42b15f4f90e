//! The real program, as a process of its own: its disk fills up, it is killed in the middle of things, it starts again.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use wayleave::audit;
use wayleave::config::File;
use wayleave::facts::{Act, Ask, GatewayAct, Mode, Record};

use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, admin, sample};
use crate::harness::origin::{self, Origin};
use crate::harness::{PASSWORD, settings, shipped_policies};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wayleave");
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";
const JSON: &str = "application/json";

/// A folder with everything that the program needs, and an origin for every name.
pub struct Site {
    folder: TempDir,
    origin: Origin,
    origins: Arc<origin::Authority>,
    roots: Arc<RootCertStore>,
}

/// The running program.
pub struct Running {
    pub child: Child,
    plain: std::net::SocketAddr,
    pub admin: std::net::SocketAddr,
    /// What it said until it was ready.
    said: Vec<String>,
}

impl Site {
    async fn new() -> Self {
        Self::in_mode(Mode::Enforce).await
    }

    async fn in_mode(mode: Mode) -> Self {
        Self::planned(|settings| settings.mode = mode).await
    }

    pub async fn planned(differ: impl FnOnce(&mut File)) -> Self {
        wayleave::tls::install_default();
        let folder = TempDir::new().unwrap();
        let origins = Arc::new(origin::Authority::new());
        let origin = Origin::start(&origins).await;
        let mut settings = settings(folder.path());
        settings.upstream.map.insert("*".to_owned(), origin.address.to_string());
        settings.policies.folder = shipped_policies();
        differ(&mut settings);
        std::fs::write(folder.path().join("origins.pem"), &origins.pem).unwrap();
        std::fs::write(folder.path().join("wayleave.toml"), toml::to_string(&settings).unwrap()).unwrap();
        let made = Command::new(PROGRAM)
            .args(["ca", "--folder", settings.tls.folder.to_str().unwrap(), "init"])
            .stdout(Stdio::null())
            .status();
        assert!(made.await.unwrap().success());
        let pem = std::fs::read(settings.tls.folder.join("root.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        Self {
            folder,
            origin,
            origins,
            roots: Arc::new(roots),
        }
    }

    /// Who gives origins their papers.
    pub fn origins(&self) -> &origin::Authority {
        &self.origins
    }

    fn records(&self) -> std::path::PathBuf {
        self.folder.path().join("records")
    }

    /// Has the clock of its settings stand still at another moment from its next start on.
    pub fn is_later(&self, before: &str, now: &str) {
        let path = self.folder.path().join("wayleave.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{text}");
        std::fs::write(&path, text.replace(before, now)).unwrap();
    }

    /// Starts the program; a file that grows too large is an error to it, and not the end of it.
    pub async fn start(&self) -> Running {
        let mut child = self.command().kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let open = loop {
            let Some(line) = lines.next_line().await.unwrap() else {
                panic!("it did not start: {said:#?}");
            };
            said.push(line.clone());
            if line.contains("the gate is open") {
                break line;
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = |name: &str| {
            let (_, rest) = open.split_once(&format!(" {name}=")).unwrap();
            rest.split(' ').next().unwrap().parse().unwrap()
        };
        Running {
            plain: address("plain"),
            admin: address("admin"),
            child,
            said,
        }
    }

    /// What it says instead of starting.
    #[cfg(feature = "postgres")]
    pub async fn fails_to_start(&self) -> String {
        let ended = self.command().output().await.unwrap();
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8(ended.stderr).unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "trap '' XFSZ; exec \"$0\" run --config \"$1\"", PROGRAM])
            .arg(self.folder.path().join("wayleave.toml"))
            .env("NO_COLOR", "1")
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    pub fn client(&self, running: &Running, user: &str) -> Client {
        Client {
            proxy: running.plain,
            roots: self.roots.clone(),
            authorization: Some(Client::basic(user, PASSWORD)),
            sent: Arc::default(),
            hop_fields: Vec::new(),
            alpn: &[b"h2", b"http/1.1"],
            door: None,
            is_read: true,
        }
    }

    pub fn book(&self) -> Vec<Record> {
        audit::read(&self.records())
            .unwrap()
            .map(|read| read.unwrap().1)
            .collect()
    }
}

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap()
    }

    /// No file of the program may grow beyond so many bytes; none: it may.
    fn room(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).unwrap();
    }

    pub async fn stop(mut self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
        assert!(self.child.wait().await.unwrap().success());
    }
}

pub fn declaration() -> serde_json::Value {
    json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "Looking for a tester in Lyon"})
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let patience = std::time::Duration::from_mins(1);
    assert!(
        tokio::time::timeout(patience, waiting).await.is_ok(),
        "never came true: {what}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_passes_and_service_resumes_when_there_is_room() {
    let site = Site::new().await;
    let running = site.start().await;
    let ada = site.client(&running, "ada");
    let granted = ada.declare(&declaration()).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    let published = ada.post(SHARE, JSON, "{}").await;
    assert_eq!(published.status, StatusCode::OK, "{}", published.text());
    assert_eq!(site.origin.received().len(), 1);
    let mut kept = ada.keep("www.linkedin.com").await;
    assert_eq!(kept.get("/feed/").await.status, StatusCode::OK);

    running.room(Some(length(&site.records().join("records-00000001.jsonl")) + 100));
    // whatever is on its way shows that the disk is full; then everything is refused
    eventually("the gateway finds out", async || {
        admin(running.admin, "/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE || {
            ada.post(SHARE, JSON, "{}").await;
            false
        }
    })
    .await;
    let refused = [
        ada.post(SHARE, JSON, "{}").await,
        ada.get("https://www.linkedin.com/feed/").await,
        ada.get("http://www.example.org/").await,
        ada.get(&format!("{PORTAL}/v1/grants")).await,
        kept.get("/feed/").await,
    ];
    assert_eq!(site.origin.received().len(), 2, "no record, no access");
    refused.iter().for_each(is_unrecordable);
    tells_operators(&running).await;

    running.room(None);
    eventually("service resumes", async || {
        ada.post(SHARE, JSON, "{}").await.status == StatusCode::OK
    })
    .await;
    assert_eq!(admin(running.admin, "/readyz").await.status, StatusCode::OK);
    drop(kept);
    running.stop().await;
    has_the_gap_on_record(&site);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_records_a_gateway_that_only_observes_lets_nothing_pass_either() {
    let site = Site::in_mode(Mode::Observe).await;
    let running = site.start().await;
    let eve = site.client(&running, "eve");
    let unread = "www.12ft.io:443";
    assert!(
        eve.tunnel(unread).await.is_ok(),
        "the rules refuse it, and only observe"
    );
    assert_eq!(eve.post(SHARE, JSON, "{}").await.status, StatusCode::OK);
    assert_eq!(site.origin.received().len(), 1);
    running.room(Some(length(&site.records().join("records-00000001.jsonl")) + 100));
    eventually("the gateway finds out", async || {
        admin(running.admin, "/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE || {
            eve.post(SHARE, JSON, "{}").await;
            false
        }
    })
    .await;
    for refused in [
        eve.post(SHARE, JSON, "{}").await,
        eve.get("https://www.linkedin.com/feed/").await,
        eve.get("http://www.example.org/").await,
        eve.tunnel(unread).await.unwrap_err(),
    ] {
        is_unrecordable(&refused);
    }
    assert_eq!(site.origin.received().len(), 1, "no record, no access");
    running.room(None);
    eventually("service resumes", async || {
        eve.post(SHARE, JSON, "{}").await.status == StatusCode::OK
    })
    .await;
    running.stop().await;
}

fn is_unrecordable(refused: &Answer) {
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let kind = refused.json()["type"].clone();
    assert_eq!(kind, "https://wayleave.example/problems/record-unavailable");
    let status = refused.header("proxy-status");
    assert!(status.starts_with("wayleave; error="), "{status}");
}

async fn tells_operators(running: &Running) {
    let ready = admin(running.admin, "/readyz").await;
    assert!(ready.text().contains("records cannot be kept"), "{}", ready.text());
    let exposition = admin(running.admin, "/metrics").await.text();
    assert_eq!(sample(&exposition, "wayleave_records_healthy"), Some(0.0));
    let alive = admin(running.admin, "/healthz").await;
    assert_eq!(alive.status, StatusCode::OK, "the process itself is well");
}

fn has_the_gap_on_record(site: &Site) {
    audit::verify(&site.records()).unwrap();
    let book = site.book();
    let interrupted = book.iter().any(|record| match &record.act {
        Act::Gateway { act, .. } => matches!(act, GatewayAct::RecordsInterrupted { .. }),
        _ => false,
    });
    assert!(interrupted, "the gap is on record");
    let received = site.origin.received();
    let shares = received.iter().filter(|received| received.method == "POST").count();
    let opened = opened(&book).len();
    assert!(opened >= shares, "{shares} were published, {opened} are on record");
}

/// The paths of all publishing requests on record.
fn opened(book: &[Record]) -> Vec<String> {
    let path = |record: &Record| match &record.act {
        Act::Opening { seen, .. } => match &seen.ask {
            Ask::Request(_, head) => Some(head.path.clone()),
            Ask::Connect(_) => None,
        },
        _ => None,
    };
    book.iter().filter_map(path).collect()
}

/// Uploads one file after the other until the gateway is gone.
async fn upload_until_the_end(client: Client, who: usize, stop: Arc<AtomicBool>) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let Ok(stream) = tokio::net::TcpStream::connect(client.proxy).await else {
            return;
        };
        drop(stream);
        let url = format!("https://www.linkedin.com/dms-uploads/{who}-{number}");
        let upload = client.clone();
        let sent = tokio::spawn(async move {
            let request = http::Request::put(url).header("content-type", "image/png");
            upload.send_with(request, "png").await.status
        });
        // a gateway that dies in the middle makes the client of the tests panic, in a task of its own
        if sent.await.is_err() {
            return;
        }
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_loses_nothing_acknowledged_and_the_next_start_repairs() {
    let site = Site::new().await;
    let mut running = site.start().await;
    let ada = site.client(&running, "ada");
    let granted = ada.declare(&declaration()).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    let stop = Arc::new(AtomicBool::new(false));
    let uploads: Vec<_> = (0..4)
        .map(|who| tokio::spawn(upload_until_the_end(ada.clone(), who, stop.clone())))
        .collect();
    eventually("uploads flow", async || site.origin.received().len() >= 12).await;
    running.child.start_kill().unwrap();
    assert_eq!(running.child.wait().await.unwrap().signal(), Some(9));
    stop.store(true, Ordering::SeqCst);
    for upload in uploads {
        upload.await.unwrap();
    }

    // everything that an origin got was on record before
    let before = opened(&site.book());
    for received in site.origin.received() {
        assert!(
            before.contains(&received.path_and_query),
            "{} is not on record",
            received.path_and_query
        );
    }
    // a kill seldom tears a line in two: help it
    let last = site.records().join("records-00000001.jsonl");
    let whole = length(&last);
    let mut text = std::fs::read(&last).unwrap();
    text.extend(b"{\"seq\":99,\"kind\":\"clos");
    std::fs::write(&last, &text).unwrap();

    let running = site.start().await;
    let repaired = running.said.iter().any(|line| line.contains("repaired"));
    assert!(repaired, "the start says so: {:#?}", running.said);
    let ada = site.client(&running, "ada");
    let grants = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(
        grants["grants"][0]["id"],
        granted.json()["id"],
        "a grant that was answered is kept"
    );
    assert_eq!(ada.post(SHARE, JSON, "{}").await.status, StatusCode::OK);
    running.stop().await;
    audit::verify(&site.records()).unwrap();
    assert!(length(&last) >= whole);
    let book = site.book();
    assert!(opened(&book).starts_with(&before));
    let repair = |record: &Record| match &record.act {
        Act::Gateway {
            act: GatewayAct::Repaired { bytes, .. },
            ..
        } => Some(*bytes),
        _ => None,
    };
    assert_eq!(book.iter().find_map(repair), Some(22), "and so does the book");
}
