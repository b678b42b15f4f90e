//! Origins: one server that speaks for every name, in clear and over TLS, and remembers what it was asked. How it
//! behaves is chosen by the path, so that every managed host can misbehave in every way.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// One request that an origin got.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub host: String,
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Which certificate an origin shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Papers {
    Good,
    Expired,
    WrongName,
    UnknownIssuer,
    /// A good one that also names these hosts.
    Also(&'static [&'static str]),
    /// A good one, and to clients that name no host, one for this host.
    Default(&'static str),
}

/// The authority that the gateway trusts for origins.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        Self::called("Origins of the tests")
    }

    fn called(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub fn papers(&self, name: &str, papers: Papers) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let named = if papers == Papers::WrongName {
            "somebody.else.test"
        } else {
            name
        };
        let mut params = CertificateParams::new(vec![named.to_owned()]).unwrap_or_default();
        if let Papers::Also(names) = papers {
            params
                .subject_alt_names
                .extend(names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())));
        }
        if papers == Papers::Expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let stranger = Self::stranger();
        let issuer = if papers == Papers::UnknownIssuer {
            &stranger.issuer
        } else {
            &self.issuer
        };
        let certificate = params.signed_by(&key, issuer).unwrap();
        (
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
    }

    /// What somebody trusts who meets the origins themselves.
    pub fn roots(&self) -> Arc<rustls::RootCertStore> {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap())
            .unwrap();
        Arc::new(roots)
    }

    fn stranger() -> Self {
        Self::called("Somebody whom nobody knows")
    }
}

/// A running origin.
pub struct Origin {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shared {
    authority: Arc<Authority>,
    papers: Papers,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Origin {
    /// An origin with good papers for whatever name it is asked for.
    pub async fn start(authority: &Arc<Authority>) -> Self {
        Self::with(authority, Papers::Good).await
    }

    pub async fn with(authority: &Arc<Authority>, papers: Papers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::default();
        let connections = Arc::new(Mutex::new(0));
        let shared = Arc::new(Shared {
            authority: authority.clone(),
            papers,
            received: Arc::clone(&received),
        });
        let count = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(speak(shared.clone(), stream));
            }
        });
        Self {
            address,
            received,
            connections,
            task,
        }
    }

    /// Everything it was asked, in order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many connections reached it.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

async fn speak(shared: Arc<Shared>, mut stream: TcpStream) {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [22] => speak_tls(shared, stream).await,
        // a server of the tests that is neither TLS nor HTTP: it greets with what the client's first byte was
        Ok(1) if first[0] == b'S' && is_ssh(&stream).await => {
            stream.write_all(b"SSH-2.0-origin\r\n").await.ok();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.ok();
        }
        Ok(1) => serve(shared, stream, false).await,
        Ok(_) | Err(_) => {}
    }
}

async fn is_ssh(stream: &TcpStream) -> bool {
    let mut first = [0; 4];
    matches!(stream.peek(&mut first).await, Ok(4) if &first == b"SSH-")
}

async fn speak_tls(shared: Arc<Shared>, stream: TcpStream) {
    let Ok(hello) = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await else {
        return;
    };
    let unnamed = match shared.papers {
        Papers::Default(host) => host,
        _ => "127.0.0.1",
    };
    let name = hello.client_hello().server_name().unwrap_or(unnamed).to_owned();
    let (chain, key) = shared.authority.papers(&name, shared.papers);
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let Ok(stream) = hello.into_stream(Arc::new(config)).await else {
        return;
    };
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    serve(shared, stream, h2).await;
}

async fn serve<I>(shared: Arc<Shared>, io: I, h2: bool)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(shared.clone(), request));
    let io = TokioIo::new(io);
    if h2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await
            .ok();
    } else {
        hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .with_upgrades()
            .await
            .ok();
    }
}

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

async fn answer(shared: Arc<Shared>, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    let upgrade = request
        .headers()
        .contains_key(header::UPGRADE)
        .then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok().map(str::to_owned));
    let host = parts
        .uri
        .authority()
        .map(ToString::to_string)
        .or(host)
        .unwrap_or_default();
    let behaviour = parts.uri.path().strip_prefix("/behave/").map(str::to_owned);
    let body = match behaviour.as_deref() {
        Some("early-answer") => Bytes::new(),
        _ => body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default(),
    };
    shared.received.lock().unwrap().push(Received {
        method: parts.method.clone(),
        host,
        path_and_query: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts.headers.clone(),
        body: body.clone(),
    });
    if let Some(upgrade) = upgrade {
        return Ok(websocket(&parts.headers, upgrade));
    }
    if let Some(given) = given(parts.uri.path()) {
        return Ok(given);
    }
    Ok(behave(behaviour.as_deref(), &parts, body).await)
}

/// What is given to whoever has to fetch something before they post; a tenant `stranger` gets nothing.
fn given(path: &str) -> Option<Answer> {
    let (status, given) = match path {
        "/stranger/oauth2/v2.0/token" => {
            let error = r#"{"error":"invalid_client","error_codes":[7000215]}"#;
            (StatusCode::UNAUTHORIZED, error)
        }
        "/.api/api.svc/session/create" => {
            let session = r#"{"response":{"sessionKey":"cc2ba556-6d29"}}"#;
            (StatusCode::OK, session)
        }
        path if path.ends_with("/oauth2/v2.0/token") => {
            let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"of.the.tests"}"#;
            (StatusCode::OK, token)
        }
        _ => return None,
    };
    let mut response = Response::new(whole(given));
    *response.status_mut() = status;
    Some(response)
}

async fn behave(behaviour: Option<&str>, parts: &http::request::Parts, body: Bytes) -> Answer {
    match behaviour {
        Some("silent") => std::future::pending().await,
        Some("truncate") => {
            let frames = futures_util::stream::iter([
                Ok(Frame::data(Bytes::from_static(b"half of it"))),
                Err(std::io::Error::other("the origin breaks off")),
            ]);
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
        Some("drip") => {
            let drip = futures_util::stream::unfold(0u32, |n| async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok(Frame::data(Bytes::from_static(b"drip\n"))), n + 1))
            });
            Response::new(BodyExt::boxed(StreamBody::new(drip)))
        }
        Some("redirect-private") => {
            let mut response = Response::new(whole(""));
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert(header::LOCATION, "http://10.0.0.1/".parse().unwrap());
            response
        }
        Some("not-modified") => {
            let mut response = Response::new(whole(""));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().insert(header::ETAG, "\"1\"".parse().unwrap());
            response
        }
        Some("gzip") => {
            let mut response = Response::new(Full::from(GZIPPED).map_err(|never| match never {}).boxed());
            let gzip = "gzip".parse().unwrap();
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            response
        }
        Some("hop") => {
            let mut response = Response::new(whole("hop"));
            let fields = [
                ("connection", "x-of-this-hop"),
                ("x-of-this-hop", "1"),
                ("keep-alive", "5"),
                ("x-end", "2"),
            ];
            for (name, value) in fields {
                // HTTP/2 knows no such fields
                if !(parts.version == http::Version::HTTP_2 && ["connection", "keep-alive"].contains(&name)) {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
            }
            response
        }
        Some("quic") => {
            let mut response = Response::new(whole("quic"));
            response.headers_mut().insert("alt-svc", "h3=\":443\"".parse().unwrap());
            response
        }
        Some(_) | None => {
            let did = format!("{} {} {}", parts.method, parts.uri.path(), body.len());
            let mut response = Response::new(whole(if parts.method == Method::HEAD { "" } else { &did }));
            response.headers_mut().insert(header::CONTENT_LENGTH, did.len().into());
            response.headers_mut().insert("x-origin", "here".parse().unwrap());
            response
        }
    }
}

/// `gzip` of "squeezed": whatever passes unchanged still has this form.
pub const GZIPPED: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x2b, 0x2e, 0x2c, 0x4d, 0x4d, 0xad, 0x4a, 0x4d, 1, 0, 1, 2, 3, 4, 8, 0, 0, 0,
];

/// Agrees to the handshake and echoes every message.
fn websocket(headers: &HeaderMap, upgrade: hyper::upgrade::OnUpgrade) -> Answer {
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
    use tokio_tungstenite::tungstenite::protocol::Role;

    let key = headers
        .get("sec-websocket-key")
        .map(|key| derive_accept_key(key.as_bytes()))
        .unwrap_or_default();
    tokio::spawn(async move {
        let Ok(io) = upgrade.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            // the library answers a close by itself
            if !message.is_close() && socket.send(message).await.is_err() {
                return;
            }
        }
        socket.get_mut().shutdown().await.ok();
    });
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response
        .headers_mut()
        .insert(header::UPGRADE, "websocket".parse().unwrap());
    response
        .headers_mut()
        .insert(header::CONNECTION, "upgrade".parse().unwrap());
    response
        .headers_mut()
        .insert("sec-websocket-accept", key.parse().unwrap());
    response
}

fn whole(text: &str) -> BoxBody<Bytes, std::io::Error> {
    Full::new(Bytes::from(text.to_owned()))
        .map_err(|never| match never {})
        .boxed()
}

/// A TLS acceptor with good papers for one name, for origins that a test scripts by hand in HTTP/1.1.
pub fn acceptor(authority: &Authority, name: &str) -> TlsAcceptor {
    acceptor_for(authority, name, &[])
}

/// The same for these protocols.
pub fn acceptor_for(authority: &Authority, name: &str, alpn: &[&[u8]]) -> TlsAcceptor {
    let (chain, key) = authority.papers(name, Papers::Good);
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// An address that refuses every connection, and that nobody else is given while the socket lives: it is bound and
/// does not listen. Whoever allows the address to be reused, as servers do, may listen there.
pub fn where_nobody_listens() -> (SocketAddr, Socket) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    (socket.local_addr().unwrap().as_socket().unwrap(), socket)
}
