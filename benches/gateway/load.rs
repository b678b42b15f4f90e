//! The load: clients in a closed loop, by hand, so that they cost little beside what is measured.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::gate::PASSWORD;

/// What one operation of the loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A request in absolute form on a kept connection.
    Plain,
    /// A new connection, CONNECT, one request in clear in the tunnel.
    TunnelClear,
    /// A new connection, CONNECT, TLS, one request.
    TunnelTls,
    /// A request on a kept connection inside a tunnel.
    Inside,
    /// A request on one of 16 streams of a kept HTTP/2 connection inside a tunnel.
    InsideH2,
}

/// One mode of the bench.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) clients: usize,
    pub(crate) who: &'static str,
    pub(crate) host: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) status: u16,
}

/// What clients need to know.
pub(crate) struct Field {
    pub(crate) gateway: SocketAddr,
    roots: Arc<RootCertStore>,
}

/// What is counted while the loop runs.
#[derive(Default)]
struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    measuring: AtomicBool,
    stop: AtomicBool,
    /// Ends after so many operations, where that is set.
    left: AtomicU64,
}

/// What came out of it.
pub(crate) struct Outcome {
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) took: Duration,
    latencies: Vec<u32>,
}

impl Outcome {
    pub(crate) fn micros_at(&self, share: f64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a length"
        )]
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

impl Field {
    pub(crate) fn new(gateway: SocketAddr, folder: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        for file in [super::gate::ROOT, super::origin::ROOT] {
            roots
                .add(CertificateDer::from_pem_file(folder.join(file)).unwrap())
                .unwrap();
        }
        Self {
            gateway,
            roots: Arc::new(roots),
        }
    }

    /// Runs `mode` until something has happened, or for so many operations. `around` is called when measuring begins and ends.
    pub(crate) async fn run(
        self: &Arc<Self>,
        mode: Mode,
        warm: Duration,
        until: impl Future<Output = ()>,
        most: Option<u64>,
        mut around: impl FnMut(),
    ) -> Outcome {
        let counts = Arc::new(Counts::default());
        counts.left.store(most.unwrap_or(u64::MAX / 2), Ordering::Relaxed);
        let clients: Vec<_> = (0..mode.clients)
            .map(|_| tokio::spawn(self.clone().client(mode, counts.clone())))
            .collect();
        tokio::time::sleep(warm).await;
        around();
        counts.measuring.store(true, Ordering::Relaxed);
        let (began, before) = (Instant::now(), counts.done.load(Ordering::Relaxed));
        let mut until = std::pin::pin!(until);
        while !is_over(&counts, &clients) {
            let a_moment = tokio::time::sleep(Duration::from_millis(20));
            tokio::select! {
                () = &mut until => break,
                () = a_moment => {}
            }
        }
        let (took, done) = (began.elapsed(), counts.done.load(Ordering::Relaxed) - before);
        around();
        counts.stop.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        for client in clients {
            latencies.extend(client.await.unwrap());
        }
        latencies.sort_unstable();
        Outcome {
            done,
            failed: counts.failed.load(Ordering::Relaxed),
            took,
            latencies,
        }
    }

    async fn client(self: Arc<Self>, mode: Mode, counts: Arc<Counts>) -> Vec<u32> {
        let mut latencies = Vec::new();
        while counts.go_on() {
            let ended = match mode.shape {
                Shape::InsideH2 => self.on_h2(mode, &counts, &mut latencies).await,
                Shape::Plain | Shape::TunnelClear | Shape::TunnelTls | Shape::Inside => {
                    self.on_h1(mode, &counts, &mut latencies).await
                }
            };
            if let Err(error) = ended {
                if counts.failed.fetch_add(1, Ordering::Relaxed) == 0 {
                    eprintln!("{}: {error}", mode.name);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        latencies
    }

    async fn on_h1(&self, mode: Mode, counts: &Counts, latencies: &mut Vec<u32>) -> io::Result<()> {
        let (kept, request) = (matches!(mode.shape, Shape::Plain | Shape::Inside), mode.request());
        let mut began = Instant::now();
        match mode.shape {
            Shape::Plain => {
                let mut io = self.connect().await?;
                exchanges(&mut io, &request, mode, counts, latencies, (kept, &mut began)).await
            }
            Shape::TunnelClear => {
                let mut io = self.tunnel(mode, 80).await?;
                exchanges(&mut io, &request, mode, counts, latencies, (kept, &mut began)).await
            }
            Shape::TunnelTls | Shape::Inside | Shape::InsideH2 => {
                let mut io = self.inside(mode, b"http/1.1").await?;
                exchanges(&mut io, &request, mode, counts, latencies, (kept, &mut began)).await
            }
        }
    }

    async fn on_h2(&self, mode: Mode, counts: &Arc<Counts>, latencies: &mut Vec<u32>) -> io::Result<()> {
        let io = self.inside(mode, b"h2").await?;
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let streams: Vec<_> = (0..16)
            .map(|_| tokio::spawn(stream(sender.clone(), mode, counts.clone())))
            .collect();
        for stream in streams {
            latencies.extend(stream.await.map_err(io::Error::other)?.map_err(io::Error::other)?);
        }
        drop(sender);
        connection.await.ok();
        Ok(())
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.gateway).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A tunnel to the mode's host.
    pub(crate) async fn tunnel(&self, mode: Mode, port: u16) -> io::Result<TcpStream> {
        let mut stream = self.connect().await?;
        let (host, proof) = (mode.host, proof(mode.who));
        let connect =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\nproxy-authorization: {proof}\r\n\r\n");
        match exchange(&mut stream, connect.as_bytes(), true).await? {
            200 => Ok(stream),
            other => Err(io::Error::other(format!("CONNECT was answered with {other}"))),
        }
    }

    async fn inside(&self, mode: Mode, alpn: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let tunnel = self.tunnel(mode, 443).await?;
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        let name = ServerName::try_from(mode.host).map_err(io::Error::other)?;
        TlsConnector::from(Arc::new(config)).connect(name, tunnel).await
    }
}

impl Counts {
    /// Takes one operation, if there is one left to take.
    fn go_on(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        !self.stop.load(Ordering::Relaxed)
            && self
                .left
                .try_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
    }

    fn count(&self, began: Instant, latencies: &mut Vec<u32>) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.measuring.load(Ordering::Relaxed) {
            latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
}

fn is_over(counts: &Counts, clients: &[tokio::task::JoinHandle<Vec<u32>>]) -> bool {
    counts.left.load(Ordering::Relaxed) == 0 && clients.iter().all(tokio::task::JoinHandle::is_finished)
}

impl Mode {
    fn request(self) -> Vec<u8> {
        let Self {
            host, method, target, ..
        } = self;
        let head = match self.shape {
            Shape::Plain => {
                let proof = proof(self.who);
                format!("{method} http://{host}{target} HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: {proof}\r\n")
            }
            Shape::TunnelClear | Shape::TunnelTls | Shape::Inside | Shape::InsideH2 => {
                format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n")
            }
        };
        let browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n\
                       accept: text/html,application/json;q=0.9,*/*;q=0.8\r\naccept-language: en-GB,en;q=0.5\r\n\
                       accept-encoding: gzip, deflate, br\r\nsec-fetch-site: same-origin\r\n";
        let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
        format!("{head}{browser}{length}\r\n").into_bytes()
    }
}

fn proof(who: &str) -> String {
    let secret = base64::engine::general_purpose::STANDARD.encode(format!("{who}:{PASSWORD}"));
    format!("Basic {secret}")
}

async fn exchanges<I: AsyncRead + AsyncWrite + Unpin>(
    io: &mut I,
    request: &[u8],
    mode: Mode,
    counts: &Counts,
    latencies: &mut Vec<u32>,
    (kept, began): (bool, &mut Instant),
) -> io::Result<()> {
    loop {
        let status = exchange(io, request, false).await?;
        if status != mode.status {
            return Err(io::Error::other(format!("answered with {status}")));
        }
        counts.count(*began, latencies);
        if !kept || !counts.go_on() {
            return Ok(());
        }
        *began = Instant::now();
    }
}

/// Sends a request and reads the whole answer; returns its status.
async fn exchange<I: AsyncRead + AsyncWrite + Unpin>(io: &mut I, request: &[u8], connect: bool) -> io::Result<u16> {
    io.write_all(request).await?;
    io.flush().await?;
    let mut held = Vec::with_capacity(4096);
    let head = loop {
        if io.read_buf(&mut held).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&held[..head]).to_ascii_lowercase();
    let status: u16 = text
        .get(9..12)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse::<usize>().ok());
    if connect && status == 200 {
        return Ok(status);
    }
    let whole = head + length.ok_or_else(|| io::Error::other("an answer without a length"))?;
    while held.len() < whole {
        if io.read_buf(&mut held).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(status)
}

async fn stream(
    mut sender: hyper::client::conn::http2::SendRequest<Empty<Bytes>>,
    mode: Mode,
    counts: Arc<Counts>,
) -> Result<Vec<u32>, hyper::Error> {
    let mut latencies = Vec::new();
    while counts.go_on() {
        let began = Instant::now();
        let request = Request::builder()
            .method(mode.method)
            .uri(format!("https://{}{}", mode.host, mode.target))
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            )
            .header("accept", "text/html,application/json;q=0.9,*/*;q=0.8")
            .header("sec-fetch-site", "same-origin")
            .body(Empty::new())
            .unwrap();
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await?;
        if status == mode.status {
            counts.count(began, &mut latencies);
        } else {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(latencies)
}
