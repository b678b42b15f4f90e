//! The origin: answers everything with a kilobyte, in clear and over TLS, HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The file, in the bench's folder, with the authority that the gateway trusts for origins.
pub(crate) const ROOT: &str = "origins.pem";

static BODY: [u8; 1024] = [b'x'; 1024];

/// Listens, says where, and serves until standard input ends.
pub(crate) async fn serve(folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(papers(folder)));
    println!("{}", listener.local_addr().unwrap());
    let mut end = std::pin::pin!(super::end_of_input());
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            () = &mut end => return,
        };
        stream.set_nodelay(true).unwrap();
        tokio::spawn(greet(stream, acceptor.clone()));
    }
}

async fn greet(stream: TcpStream, acceptor: TlsAcceptor) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    if first != [0x16] {
        return speak(stream, false).await;
    }
    if let Ok(stream) = acceptor.accept(stream).await {
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        speak(stream, h2).await;
    }
}

async fn speak<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: I, h2: bool) {
    let service = service_fn(answer);
    let io = TokioIo::new(io);
    if h2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(io, service).await.ok();
    } else {
        let builder = hyper::server::conn::http1::Builder::new();
        builder.serve_connection(io, service).await.ok();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    request.into_body().collect().await.ok();
    Ok(Response::new(Full::new(Bytes::from_static(&BODY))))
}

fn papers(folder: &Path) -> rustls::ServerConfig {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = params.self_signed(&authority).unwrap();
    std::fs::write(folder.join(ROOT), root.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = [super::MANAGED, super::UNMANAGED].map(str::to_owned);
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &rcgen::Issuer::new(params, authority))
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
