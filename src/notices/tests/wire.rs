//! How telling goes over the wire: what others hold up, and what is left undone.
#![expect(
    clippy::disallowed_methods,
    reason = "listens on loopback, and moves a ledger's file away"
)]

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::metrics::Labels;

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Somewhere to which it is posted.
struct Address(TcpListener);

impl Address {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// As settings name it.
    fn named(&self, name: &str, kind: &str) -> String {
        let port = self.0.local_addr().unwrap().port();
        format!("[[webhooks]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"http://127.0.0.1:{port}/\"\n")
    }

    /// The next one that posts something, and waits for an answer.
    async fn asked(&self) -> TcpStream {
        let (mut stream, _) = self.0.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 8192]).await.unwrap(), 0);
        stream
    }
}

/// Somebody who tells people by these addresses at ten o'clock.
fn telling(ledger: &Ledger, addresses: &[String]) -> (Arc<Notices>, Metrics) {
    crate::tls::install_default();
    let tls = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let loopback = ["127.0.0.0/8".parse().unwrap()];
    let labels = Labels {
        activities: Vec::new(),
        platforms: Vec::new(),
        purposes: Vec::new(),
        rulebook: crate::facts::RulebookId::new("these"),
    };
    let metrics = Metrics::new(&labels).unwrap();
    let parts = Parts {
        settings: toml::from_str(&addresses.concat()).unwrap(),
        portal: Host::parse("wayleave.internal").unwrap(),
        language: Language::En,
        delegates: true,
        ledger: ledger.clone(),
        live: Arc::new(Live::new(house(&[]))),
        errands: Errands::new(&crate::upstream::Settings::default(), &loopback, &tls, &[]).unwrap(),
        clock: Clock::fixed(at("10:00")),
        metrics: metrics.clone(),
    };
    (Arc::new(Notices::new(parts).unwrap().unwrap()), metrics)
}

/// So many people ask for something.
async fn ask(ledger: &Ledger, many: usize) {
    for nth in 0..many {
        let terms = GrantTerms {
            subject: who(&format!("p{nth}")),
            ..terms()
        };
        ledger.ask(terms, at("17:00")).await.unwrap();
    }
}

fn has(metrics: &Metrics, kind: &str, outcome: &str, count: usize) -> bool {
    let line = format!("wayleave_notices_total{{channel=\"{kind}\",outcome=\"{outcome}\"}} {count}\n");
    metrics.text().unwrap().contains(&line)
}

/// Returns once it is so.
async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let comes = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), comes).await.expect(what);
}

/// What there is to tell at that moment, claimed.
async fn due(ledger: &Ledger, now: Timestamp, way: &str) -> Due {
    let claim = Claim {
        now,
        until: now,
        most: 100,
        known: vec![String::new(), way.to_owned()],
        forsaken: Timestamp::from_millis(0),
        busy: Vec::new(),
    };
    ledger.due(claim).await.unwrap()
}

#[tokio::test]
async fn an_address_that_never_answers_holds_up_no_other() {
    let (silent, quick) = (Address::new().await, Address::new().await);
    let ledger = Ledger::in_memory().unwrap();
    let addresses = [silent.named("a-silent-one", "generic"), quick.named("quick", "slack")];
    let (notices, metrics) = telling(&ledger, &addresses);
    ask(&ledger, 20).await;
    let hangs = async {
        let mut held = Vec::new();
        loop {
            held.push(silent.asked().await);
        }
    };
    let answers = async {
        for _ in 0..20 {
            quick.asked().await.write_all(TAKEN).await.unwrap();
        }
        until("all are sent", async || has(&metrics, "slack", "sent", 20)).await;
    };
    tokio::select! {
        () = notices.run(CancellationToken::new()) => unreachable!(),
        () = hangs => {}
        () = answers => {}
    }
    let text = metrics.text().unwrap();
    assert!(
        !text.contains("outcome=\"put-off\""),
        "nobody waited for it to answer: {text}"
    );
}

#[tokio::test]
async fn what_was_sent_while_that_could_not_be_noted_is_noted_later_and_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, elsewhere) = (folder.path().join("ledger.db"), folder.path().join("elsewhere"));
    let ledger = Ledger::open(&file).unwrap();
    let address = Address::new().await;
    let (notices, metrics) = telling(&ledger, &[address.named("one", "slack")]);
    ask(&ledger, 1).await;
    let goes_on = async {
        let mut stream = address.asked().await;
        std::fs::rename(&file, &elsewhere).unwrap();
        stream.write_all(TAKEN).await.unwrap();
        until("it is sent", async || has(&metrics, "slack", "sent", 1)).await;
        // the ledger was asked to note that before this
        let waiting = async || due(&ledger, at("08:00"), "").await.waiting;
        assert_eq!(waiting().await, 1);
        std::fs::rename(&elsewhere, &file).unwrap();
        until("it is noted", async || waiting().await == 0).await;
    };
    tokio::select! {
        () = notices.run(CancellationToken::new()) => unreachable!(),
        () = goes_on => {}
    }
    assert!(has(&metrics, "slack", "sent", 1));
}

#[tokio::test]
async fn what_was_claimed_and_not_begun_is_anybodys_once_a_gateway_stops() {
    let ledger = Ledger::in_memory().unwrap();
    let address = Address::new().await;
    let (notices, _) = telling(&ledger, &[address.named("one", "slack")]);
    ask(&ledger, 7).await;
    let stop = CancellationToken::new();
    let stops = async {
        let mut begun = Vec::new();
        for _ in 0..4 {
            begun.push(address.asked().await);
        }
        stop.cancel();
        // hangs up on those that are begun
    };
    tokio::join!(notices.run(stop.clone()), stops);
    let left = due(&ledger, at("10:00"), "webhook:one").await;
    assert_eq!((left.waiting, left.notices.len()), (7, 3));
    assert!(left.notices.iter().all(|notice| notice.tries == 0), "{left:?}");
}
