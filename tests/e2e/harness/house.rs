//! What tests of purposes, reload and records need of a world beside its doors: the counter, the rules on disk, the
//! back door for operators, and flows that last.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_tungstenite::WebSocketStream;
use wayleave::clock::{Clock, Timestamp};
use wayleave::facts::{Channel, Grant, GrantTerms, PlatformId, PurposeId, Record, SubjectId};
use wayleave::gatehouse::{Gatehouse, Rules};
use wayleave::tls::Issuer;

use super::World;
use super::client::{Answer, Client, Inside, origin_form};

/// The portal, as people write it.
pub const PORTAL: &str = "https://wayleave.internal";

/// Longer than anything takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

impl World {
    /// Stops the gateway and opens another on the same folder, as after a restart of the service.
    pub async fn reopen(&mut self) {
        self.reopen_after(|| ()).await;
    }

    /// The same where something happens meanwhile.
    pub async fn reopen_after(&mut self, meanwhile: impl FnOnce()) {
        self.gate.take().unwrap().stop().await.unwrap();
        meanwhile();
        let issuer = Issuer::temporary(&Clock::system()).unwrap();
        let rules = Rules::Folder(self.policies());
        let gate = Gatehouse::open(&self.settings, rules, issuer, self.clock.clone())
            .await
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(gate.root_pem().as_bytes()).unwrap())
            .unwrap();
        self.roots = std::sync::Arc::new(roots);
        self.gate = Some(gate);
    }

    /// Asks the back door.
    pub async fn admin(&self, path: &str) -> Answer {
        admin(self.gate().addresses().admin, path).await
    }

    /// One number of the exposition: the sample whose name and labels are exactly `series`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        sample(&self.admin("/metrics").await.text(), series)
    }

    /// Gives a grant on the usual terms, changed by `differ`.
    pub async fn give(
        &self,
        user: &str,
        purpose: &str,
        platforms: &[&str],
        differ: impl FnOnce(&mut GrantTerms),
    ) -> Grant {
        let now = self.clock.now();
        let mut terms = GrantTerms {
            subject: SubjectId::parse(user).unwrap(),
            purpose: PurposeId::new(purpose),
            platforms: platforms.iter().map(|platform| PlatformId::new(*platform)).collect(),
            covers: ["read", "engage", "publish", "administer"].map(str::to_owned).into(),
            statement: "a test needs it".to_owned(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: now,
            not_before: now,
            expires: now.plus(Duration::from_hours(1)),
            answers: Vec::new(),
            idle: None,
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
        };
        differ(&mut terms);
        self.gate().ledger().give(terms).await.unwrap()
    }

    /// Writes a file below `policies/`.
    pub fn write_policy(&self, name: &str, text: &str) {
        std::fs::write(self.policies().join(name), text).unwrap();
    }

    pub fn read_policy(&self, name: &str) -> String {
        std::fs::read_to_string(self.policies().join(name)).unwrap()
    }

    /// Writes a file below `policies/` and returns once the rules with it are in force.
    pub async fn edit_rules(&self, name: &str, text: &str) {
        let mut changes = self.gate().live().changes();
        let before = changes.borrow_and_update().clone();
        self.write_policy(name, text);
        let changed = tokio::time::timeout(PATIENCE, changes.wait_for(|rulebook| *rulebook != before)).await;
        changed.expect("the rules did not change").unwrap();
    }

    /// Returns once `holds` does.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&World) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let came_true = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
        assert!(came_true, "never came true: {what}");
    }

    /// The closing record of the flow to `host` and `path` that ended last, once each that was answered has its own.
    pub async fn closed(&self, host: &str, path: &str) -> super::Closing {
        self.closed_of(self.sent.answered(host, path).max(1), host, path).await
    }

    /// The same once `count` flows there have ended: for those whose answers nobody counts, such as tunnels.
    pub async fn closed_of(&self, count: usize, host: &str, path: &str) -> super::Closing {
        let ended = async || {
            let records = self.records().await.into_iter();
            let closings = records.filter_map(super::Closing::of);
            closings
                .filter(|closing| closing.is_for(host, path))
                .collect::<Vec<_>>()
        };
        // the end of a flow is no event for its client: there is nothing to wait for but the record itself
        self.until(&format!("{count} flows to {host}{path} have ended"), async |_| {
            ended().await.len() >= count
        })
        .await;
        ended().await.pop().unwrap()
    }

    /// Returns once everything that was sent has its last record.
    pub async fn settled(&self) {
        let is_last = |record: &&Record| matches!(record.act, super::Act::Closing { .. } | super::Act::Stray { .. });
        let ended = async || self.records().await.iter().filter(is_last).count();
        self.until("everything has ended", async |world| ended().await >= world.sent.all())
            .await;
    }

    /// Everything that the records say, as text.
    pub async fn records_text(&self) -> String {
        self.gate().book().flush().await.unwrap();
        folder_text(&self.settings.audit.folder)
    }

    /// The acts on record that `choose` picks.
    pub async fn acts<T>(&self, choose: impl Fn(&Record) -> Option<T>) -> Vec<T> {
        self.records().await.iter().filter_map(choose).collect()
    }
}

/// Asks an admin listener.
pub async fn admin(at: std::net::SocketAddr, path: &str) -> Answer {
    let stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header(header::HOST, at.to_string());
    let response = sender
        .send_request(request.body(Full::<Bytes>::default()).unwrap())
        .await;
    Answer::read(response.unwrap()).await
}

/// One number of an exposition.
pub fn sample(exposition: &str, series: &str) -> Option<f64> {
    let line = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
    exposition.lines().find_map(line)
}

/// All record lines below a folder.
pub fn folder_text(folder: &std::path::Path) -> String {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

/// The value of the hidden field `name` in a page.
pub fn hidden(page: &str, name: &str) -> String {
    let from = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no field `{name}` in {page}"));
    from.1.split_once('"').unwrap().0.to_owned()
}

/// A form's body.
pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// A connection inside a tunnel that stays open for several requests.
pub struct Kept {
    sender: hyper::client::conn::http2::SendRequest<Full<Bytes>>,
    sent: std::sync::Arc<super::client::Sent>,
    host: String,
}

impl Kept {
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(format!("https://{}{path}", self.host));
        let request = request.body(Full::default()).unwrap();
        self.sent.to(&request);
        let response = self.sender.send_request(request).await;
        Answer::read(response.unwrap()).await
    }
}

/// What became of a WebSocket handshake.
pub type Socket = Result<WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, Answer>;

impl Client {
    /// TLS inside a tunnel to `host`.
    pub async fn inside(&self, host: &str) -> Inside {
        let tunnel = self.tunnel(&format!("{host}:443")).await.unwrap();
        self.tls(host, tunnel).await.unwrap()
    }

    /// An HTTP/2 connection inside a tunnel to `host`.
    pub async fn keep(&self, host: &str) -> Kept {
        let inside = self.offering(&[b"h2"]).inside(host).await;
        let executor = hyper_util::rt::TokioExecutor::new();
        let (sender, connection) = hyper::client::conn::http2::handshake(executor, TokioIo::new(inside))
            .await
            .unwrap();
        tokio::spawn(connection);
        Kept {
            sender,
            sent: self.sent.clone(),
            host: host.to_owned(),
        }
    }

    /// Sends one request whose body comes in pieces, over HTTP/1.1.
    pub async fn send_pieces<S>(&self, request: http::request::Builder, pieces: S) -> Answer
    where
        S: Stream<Item = &'static [u8]> + Send + 'static,
    {
        let pieces = futures_util::StreamExt::map(pieces, |piece| {
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece)))
        });
        let request = request.body(StreamBody::new(pieces).boxed_unsync()).unwrap();
        let host = request.uri().host().unwrap().to_owned();
        let inside = self.offering(&[b"http/1.1"]).inside(&host).await;
        self.sent.add(1);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(inside))
            .await
            .unwrap();
        tokio::spawn(connection);
        Answer::read(sender.send_request(origin_form(request)).await.unwrap()).await
    }

    /// Asks `https://host/path` to become a WebSocket.
    pub async fn socket(&self, host: &str, path: &str) -> Socket {
        let inside = self.offering(&[b"http/1.1"]).inside(host).await;
        self.sent.add(1);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(inside))
            .await
            .unwrap();
        tokio::spawn(connection.with_upgrades());
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let response: Response<Incoming> = sender
            .send_request(request.body(Full::<Bytes>::default()).unwrap())
            .await
            .unwrap();
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(Answer::read(response).await);
        }
        let io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
        let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
        Ok(WebSocketStream::from_raw_socket(io, role, None).await)
    }

    /// What a browser's main window sends after a click on a page of `site`.
    pub async fn follow(&self, url: &str, site: &str) -> Answer {
        let request = Request::get(url)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", site)
            .header("accept", "text/html,*/*;q=0.8");
        self.send(request).await
    }

    /// Sends one of the portal's forms, as its own page does.
    pub async fn own_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(format!("{PORTAL}{path}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, PORTAL)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        self.send_with(request, form(fields)).await
    }

    /// `POST /v1/grants`.
    pub async fn declare(&self, declaration: &serde_json::Value) -> Answer {
        let url = format!("{PORTAL}/v1/grants");
        self.post(&url, "application/json", declaration.to_string()).await
    }

    pub async fn delete(&self, url: &str) -> Answer {
        self.send(Request::delete(url)).await
    }
}

/// The moment `hours` after the one that the fixed clock begins with.
pub fn later(hours: u64) -> Timestamp {
    super::now().plus(Duration::from_hours(hours))
}
