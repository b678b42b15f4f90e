//! Origins by character.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An origin on loopback that lives as long as the test.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Origin {
    /// How many connections it has accepted.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Treats each connection, numbered from 0, as `serve` says.
    pub(super) async fn start<F>(serve: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { address, accepted }
    }

    /// Speaks HTTP/1.1 in clear, and answers every request with what it saw of it.
    pub(super) async fn honest() -> Self {
        Self::start(|stream, _| http1(stream)).await
    }

    /// Speaks HTTP over TLS with this certificate, and answers every request with what it saw of it.
    pub(super) async fn secure(certificate: &Certificate, alpn: &[&str]) -> Self {
        let acceptor = TlsAcceptor::from(certificate.server(alpn));
        Self::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    http2(stream).await;
                } else {
                    http1(stream).await;
                }
            }
        })
        .await
    }

    /// Shakes hands with the first of these certificates that a hello fits, in this version of TLS.
    pub(super) async fn by_hello(
        certificates: &[&Certificate],
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ByHello(
                certificates.iter().map(|each| each.certified()).collect(),
            )));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move { drop(acceptor.accept(stream).await) }
        })
        .await
    }

    /// Shakes hands with the first of these certificates of which a hello offers all that stands beside it, in this version
    /// of TLS.
    pub(super) async fn that_minds(
        certificates: &[(&Certificate, &'static [rustls::SignatureScheme])],
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Self {
        let each = certificates.iter().map(|(each, wanted)| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(ByHello(vec![each.certified()])));
            (Arc::new(config), *wanted)
        });
        let each: Vec<_> = each.collect();
        Self::start(move |stream, _| {
            let each = each.clone();
            async move {
                let hello = tokio_rustls::LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
                let hello = hello.await.unwrap();
                let offered = hello.client_hello().signature_schemes().to_vec();
                let fits = |wanted: &[rustls::SignatureScheme]| wanted.iter().all(|one| offered.contains(one));
                let fitting = each.into_iter().find(|(_, wanted)| fits(wanted));
                if let Some((config, _)) = fitting {
                    drop(hello.into_stream(config).await);
                }
            }
        })
        .await
    }

    /// Speaks HTTP/2 with this certificate, lets a connection carry so many streams, and answers
    /// or resets as `answer` says.
    pub(super) async fn shared<F>(
        certificate: &Certificate,
        streams: u32,
        answer: impl Fn(http::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<http::Response<Full<Bytes>>, h2::Reason>> + Send + 'static,
    {
        let acceptor = TlsAcceptor::from(certificate.server(&["h2"]));
        Self::start(move |stream, _| {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let service = service_fn(move |request| {
                    let answered = answer(request);
                    async { answered.await.map_err(h2::Error::from) }
                });
                let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                builder.max_concurrent_streams(streams);
                drop(builder.serve_connection(TokioIo::new(stream), service).await);
            }
        })
        .await
    }

    /// Reads a request head on each connection, says `answer`, and closes.
    pub(super) async fn says(answer: &'static str) -> Self {
        Self::start(move |mut stream, _| async move {
            head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    }
}

/// Reads until a request head has ended.
pub(super) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

pub(super) async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(echo));
    drop(serving.await);
}

pub(super) async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service_fn(echo));
    drop(serving.await);
}

/// `METHOD target host=… body=…`
async fn echo(request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let host = head.headers.get("host").map_or("none", |host| host.to_str().unwrap());
    let path = head.uri.path().to_owned();
    let said = format!("{:?} {} {} host={host} body=", head.version, head.method, head.uri);
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut answer = http::Response::new(Full::new([said.as_bytes(), &body].concat().into()));
    if path == "/negotiate" {
        answer
            .headers_mut()
            .insert("www-authenticate", "Negotiate".parse().unwrap());
    }
    if path == "/close" {
        answer.headers_mut().insert("connection", "close".parse().unwrap());
    }
    Ok(answer)
}

/// Certificates, of which the first is shown that a hello fits.
#[derive(Debug)]
struct ByHello(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByHello {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |each: &&Arc<CertifiedKey>| each.key.choose_scheme(hello.signature_schemes()).is_some();
        self.0.iter().find(fits).cloned()
    }
}

/// What an origin shows, and who vouches for it.
pub(super) struct Certificate {
    pub(super) root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: rcgen::KeyPair,
}

impl Certificate {
    /// For `names`, valid in the years that `change` leaves in place, by a root of its own.
    pub(super) fn new(names: &[&str], change: impl FnOnce(&mut rcgen::CertificateParams)) -> Self {
        Self::of_kind(&rcgen::PKCS_ECDSA_P256_SHA256, names, change)
    }

    /// The same, with a key of this kind.
    pub(super) fn of_kind(
        kind: &'static rcgen::SignatureAlgorithm,
        names: &[&str],
        change: impl FnOnce(&mut rcgen::CertificateParams),
    ) -> Self {
        let root_key = rcgen::KeyPair::generate().unwrap();
        let mut root = rcgen::CertificateParams::default();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        root.distinguished_name
            .push(rcgen::DnType::CommonName, format!("a root for {}", names.concat()));
        let root_certificate = root.self_signed(&root_key).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut leaf = rcgen::CertificateParams::new(names).unwrap();
        change(&mut leaf);
        let key = rcgen::KeyPair::generate_for(kind).unwrap();
        let leaf = leaf.signed_by(&key, &rcgen::Issuer::new(root, root_key)).unwrap();
        Self {
            root: root_certificate.der().clone(),
            chain: vec![leaf.der().clone()],
            key,
        }
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Arc::new(CertifiedKey::new(self.chain.clone(), key))
    }

    pub(super) fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
