//! Stand-ins for the real sites: one server on loopback that speaks for every name, with TLS from an authority of its
//! own.
#![expect(
    clippy::disallowed_methods,
    reason = "door: the demo's origin servers listen and start tasks"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::sites;
use crate::facts::Host;
use crate::tls::Mint;

/// Starts the stand-ins; they end with `stop`. One port answers both TLS and clear HTTP: the first byte tells.
pub(super) async fn start(
    mint: Arc<Mint>,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tasks.spawn(accept(listener, mint, tasks.clone(), stop));
    Ok(address)
}

async fn accept(listener: TcpListener, mint: Arc<Mint>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (mint, stop) = (mint.clone(), stop.clone());
                tasks.spawn(async move {
                    tokio::select! { () = speak(mint, stream) => {} () = stop.cancelled() => {} }
                });
            }
        }
    }
}

/// A TLS record of type handshake begins with 22 (RFC 8446 §5.1); no HTTP request does.
async fn speak(mint: Arc<Mint>, stream: TcpStream) {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [22] => serve_tls(&mint, stream).await,
        Ok(_) => serve(stream, false).await,
        Err(_) => {}
    }
}

async fn serve_tls(mint: &Mint, stream: TcpStream) {
    let Ok(hello) = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await else {
        return;
    };
    let name = hello
        .client_hello()
        .server_name()
        .unwrap_or("stand-in.invalid")
        .to_owned();
    let Ok(host) = Host::parse(&name) else { return };
    let Ok(config) = mint.server_config(&host).await else {
        return;
    };
    let Ok(stream) = hello.into_stream(config).await else {
        return;
    };
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    serve(stream, h2).await;
}

async fn serve<I>(io: I, h2: bool)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(io);
    // a browser that goes away is no news for a stand-in
    if h2 {
        let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .serve_connection(io, service_fn(answer))
            .await;
        drop(served);
    } else {
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(io, service_fn(answer))
            .await;
        drop(served);
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = parts
        .uri
        .authority()
        .map(http::uri::Authority::host)
        .or(host)
        .unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let received = size_of(body).await;
    // HEAD asks what GET would be told (RFC 9110 §9.3.2)
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    let did = format!("{method} {} took {received} bytes", parts.uri.path());
    let (content_type, text) = if *method != Method::GET || parts.uri.path().contains("/api/") {
        let did = serde_json::json!({ "did": did, "host": host });
        ("application/json", format!("{did}\n"))
    } else if wants_html(&parts) {
        ("text/html; charset=utf-8", sites::page(&host))
    } else {
        let text = format!("This is a stand-in for {host} on your own machine. {did}.\n");
        ("text/plain; charset=utf-8", text)
    };
    Ok(respond(&parts, content_type, text))
}

/// How much came; nothing is kept.
async fn size_of(mut body: Incoming) -> usize {
    let mut size = 0;
    while let Some(Ok(frame)) = body.frame().await {
        size += frame.data_ref().map_or(0, Bytes::len);
    }
    size
}

/// Browsers say that they can show a page; tools take anything.
fn wants_html(parts: &http::request::Parts) -> bool {
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn respond(parts: &http::request::Parts, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    if parts.method == Method::OPTIONS {
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.body_mut() = Full::default();
    }
    if parts.method == Method::HEAD {
        let length = response.body().size_hint().exact().unwrap_or_default();
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        *response.body_mut() = Full::default();
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(origin) = parts.headers.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        );
    }
    response
}
