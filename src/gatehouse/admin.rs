//! The back door for operators: `/metrics`, `/healthz`, `/readyz`, and the PAC file.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::health::Health;
use crate::facts::{Authority, Host};
use crate::proxy::{PacFile, pac_answer};

/// Answers operators.
pub(super) struct Admin {
    /// Renders the metrics; a scrape gathers thousands of lines, so it runs where blocking is allowed.
    pub(super) metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// What is well and what is not.
    pub(super) health: Arc<Health>,
    /// The PAC file.
    pub(super) pac: PacFile,
}

impl Admin {
    /// Serves one connection to its end.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| {
            let admin = self.clone();
            async move { Ok::<_, Infallible>(admin.answer(&request)) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(10))
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "an admin connection broke");
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/metrics" => {
                let rendered = tokio::task::block_in_place(|| (self.metrics)());
                typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", rendered)
            }
            "/healthz" => text(StatusCode::OK, "ok\n"),
            "/readyz" => self.ready(),
            "/proxy.pac" => {
                let script = (self.pac)(asked(request));
                pac_answer(request.method(), request.headers(), script).map(Full::new)
            }
            "/" => text(StatusCode::OK, "wayleave: /metrics /healthz /readyz /proxy.pac\n"),
            _ => text(
                StatusCode::NOT_FOUND,
                "there are /metrics, /healthz, /readyz and /proxy.pac\n",
            ),
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let report = tokio::task::block_in_place(|| self.health.report());
        let status = if report.ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let json = serde_json::to_string_pretty(&report).unwrap_or_default();
        typed(status, "application/json", format!("{json}\n"))
    }
}

/// The name under which the client knows us.
fn asked(request: &Request<Incoming>) -> Option<Host> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    Authority::parse(host, Some(80)).ok().map(|authority| authority.host)
}

fn text(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", words.to_owned())
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
