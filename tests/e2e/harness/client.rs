//! A client that speaks through the gateway, request by request, and counts what it sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub async fn read(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

/// What a test sent: each request has exactly one record, and what was answered whole has it soon.
#[derive(Debug, Default)]
pub struct Sent {
    all: AtomicUsize,
    answered: Mutex<HashMap<(String, String), usize>>,
}

impl Sent {
    pub fn add(&self, requests: usize) {
        self.all.fetch_add(requests, Ordering::SeqCst);
    }

    /// Requests that have no record of their own.
    pub fn take_back(&self, requests: usize) {
        self.all.fetch_sub(requests, Ordering::SeqCst);
    }

    pub fn all(&self) -> usize {
        self.all.load(Ordering::SeqCst)
    }

    /// Counts a request whose answer is read to its end.
    pub fn to<B>(&self, request: &Request<B>) {
        self.add(1);
        let (host, path) = (request.uri().host().unwrap_or_default(), request.uri().path());
        let mut answered = self.answered.lock().unwrap();
        *answered.entry((host.to_owned(), path.to_owned())).or_default() += 1;
    }

    /// How many requests to `host` and `path` were to be read to their end.
    pub fn answered(&self, host: &str, path: &str) -> usize {
        let answered = self.answered.lock().unwrap();
        answered.get(&(host.to_owned(), path.to_owned())).copied().unwrap_or(0)
    }
}

/// Somebody's tool or browser.
#[derive(Clone)]
pub struct Client {
    pub proxy: SocketAddr,
    pub roots: Arc<RootCertStore>,
    pub authorization: Option<String>,
    pub sent: Arc<Sent>,
    /// Further fields on the hop to the proxy.
    pub hop_fields: Vec<(&'static str, String)>,
    pub alpn: &'static [&'static [u8]],
    /// How TLS is spoken with the proxy itself; none on the plain door.
    pub door: Option<Arc<rustls::ClientConfig>>,
    /// Whether what is sent inside tunnels is recorded request by request.
    pub is_read: bool,
}

/// The inside of a tunnel, after TLS.
pub type Inside = TlsStream<TokioIo<Upgraded>>;

/// Any stream.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Io for T {}

/// Sends requests on one connection, whatever it speaks.
pub enum Sender<B> {
    Http1(http1::SendRequest<B>),
    Http2(http2::SendRequest<B>),
}

impl<B> Sender<B>
where
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Speaks HTTP on `io`.
    pub async fn on(io: impl Io + 'static, h2: bool) -> Self {
        if h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.unwrap();
            tokio::spawn(connection);
            Self::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
            tokio::spawn(connection.with_upgrades());
            Self::Http1(sender)
        }
    }

    pub async fn send(&mut self, request: Request<B>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

impl Client {
    pub fn basic(user: &str, password: &str) -> String {
        let secret = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        format!("Basic {secret}")
    }

    /// The same client with a further field on the hop to the proxy.
    pub fn with_hop_field(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.hop_fields.push((name, value.to_owned()));
        client
    }

    /// The same client offering only HTTP/2, or only HTTP/1.1, inside tunnels.
    pub fn offering(&self, alpn: &'static [&'static [u8]]) -> Self {
        Self { alpn, ..self.clone() }
    }

    /// The same client as it is towards hosts that nobody reads: it trusts the origins' own authority, and only its
    /// CONNECT is recorded.
    pub fn unread(&self, authority: &super::origin::Authority) -> Self {
        Self {
            roots: authority.roots(),
            is_read: false,
            ..self.clone()
        }
    }

    pub async fn get(&self, url: &str) -> Answer {
        self.send(Request::get(url)).await
    }

    /// What a browser's address bar sends.
    pub async fn navigate(&self, url: &str) -> Answer {
        let request = Request::get(url)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", "none")
            .header("accept", "text/html,*/*;q=0.8");
        self.send(request).await
    }

    pub async fn post(&self, url: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
        self.send_with(Request::post(url).header(header::CONTENT_TYPE, content_type), body)
            .await
    }

    pub async fn send(&self, request: http::request::Builder) -> Answer {
        self.send_with(request, "").await
    }

    /// Sends one request to a whole URL: `https` through a tunnel of its own, `http` in absolute form.
    pub async fn send_with(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let request = request.body(Full::new(body)).unwrap();
        match request.uri().scheme_str() {
            Some("https") => {
                let host = request.uri().host().unwrap().to_owned();
                let port = request.uri().port_u16().unwrap_or(443);
                match self.tunnel(&format!("{host}:{port}")).await {
                    Ok(tunnel) => match self.tls(&host, tunnel).await {
                        Ok(inside) => self.exchange(inside, request).await,
                        Err(error) => panic!("TLS inside the tunnel to {host} failed: {error}"),
                    },
                    Err(refused) => refused,
                }
            }
            _ => self.absolute(request).await,
        }
    }

    /// Opens a tunnel; what the proxy says instead is the error.
    pub async fn tunnel(&self, authority: &str) -> Result<Upgraded, Answer> {
        let (io, h2) = self.dial().await;
        let mut sender = Sender::on(io, h2).await;
        let mut request = Request::builder().method(Method::CONNECT).uri(authority);
        if !h2 {
            request = request.header(header::HOST, authority);
        }
        let request = self.on_hop(request).body(Empty::<Bytes>::new()).unwrap();
        self.sent.add(1);
        let response = sender.send(request).await.unwrap();
        if response.status() == StatusCode::OK {
            Ok(hyper::upgrade::on(response).await.unwrap())
        } else {
            Err(Answer::read(response).await)
        }
    }

    /// A connection to the proxy, and whether it speaks HTTP/2.
    pub async fn dial(&self) -> (Box<dyn Io>, bool) {
        self.dial_on(TcpStream::connect(self.proxy).await.unwrap()).await
    }

    /// The same on a connection that was set up by hand.
    pub async fn dial_on(&self, stream: TcpStream) -> (Box<dyn Io>, bool) {
        stream.set_nodelay(true).unwrap();
        let Some(config) = &self.door else {
            return (Box::new(stream), false);
        };
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(config.clone()).connect(name, stream).await.unwrap();
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        (Box::new(stream), h2)
    }

    /// Speaks TLS for `host` inside a tunnel.
    pub async fn tls(&self, host: &str, tunnel: Upgraded) -> std::io::Result<Inside> {
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = self.alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, TokioIo::new(tunnel))
            .await
    }

    /// One request on the inside of a tunnel.
    pub async fn exchange(&self, inside: Inside, request: Request<Full<Bytes>>) -> Answer {
        let h2 = inside.get_ref().1.alpn_protocol() == Some(b"h2");
        if self.is_read {
            self.sent.to(&request);
        }
        let mut sender = Sender::on(inside, h2).await;
        let request = if h2 { request } else { origin_form(request) };
        Answer::read(sender.send(request).await.unwrap()).await
    }

    async fn absolute(&self, request: Request<Full<Bytes>>) -> Answer {
        self.sent.to(&request);
        let (io, h2) = self.dial().await;
        let mut sender = Sender::on(io, h2).await;
        let (mut parts, body) = request.into_parts();
        if !h2 {
            let host = parts.uri.authority().unwrap().to_string();
            parts.headers.insert(header::HOST, host.parse().unwrap());
        }
        for (name, value) in self.fields() {
            parts.headers.append(name, value.parse().unwrap());
        }
        Answer::read(sender.send(Request::from_parts(parts, body)).await.unwrap()).await
    }

    fn on_hop(&self, mut request: http::request::Builder) -> http::request::Builder {
        for (name, value) in self.fields() {
            request = request.header(name, value);
        }
        request
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let authorization = self
            .authorization
            .iter()
            .map(|value| ("proxy-authorization", value.clone()));
        authorization.chain(self.hop_fields.clone()).collect()
    }
}

/// A request in the form that HTTP/1.1 wants it inside a tunnel.
pub fn origin_form<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().unwrap().to_string();
    if !parts.headers.contains_key(header::HOST) {
        parts.headers.insert(header::HOST, authority.parse().unwrap());
    }
    parts.uri = parts
        .uri
        .path_and_query()
        .map_or_else(Uri::default, |path| path.as_str().parse().unwrap());
    Request::from_parts(parts, body)
}
