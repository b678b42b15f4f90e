//! From an accepted socket to requests: the TLS door's handshake, then HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Proxy;
use super::budget::Unproven;
use super::lanes::Taken;
use super::linger::{Lingering, Talk};
use super::streams::{Running, Streams};
use super::visitor::Hop;
use crate::audit::Closing;
use crate::facts::{Arrival, Blame, Door, Fault, FaultCode, Stage};
use crate::ingress::{self, Accepted};
use crate::tls;

/// How it went on one connection.
pub(super) struct Served {
    /// How many requests were heard.
    pub(super) requests: u64,
    /// What broke it, if it did not end in order.
    pub(super) broke: Option<Fault>,
    /// What the library said to that, if it said anything.
    pub(super) told: Option<StatusCode>,
}

impl Served {
    /// Whether it broke in the head of a request that nobody heard.
    pub(super) fn is_head_broken(&self) -> bool {
        let code = self.broke.as_ref().map(|fault| fault.code);
        matches!(code, Some(FaultCode::BadRequest | FaultCode::HeadTooLarge))
    }
}

impl Proxy {
    /// Serves one accepted connection to its end.
    pub async fn serve_connection(self: Arc<Self>, accepted: Accepted, door: Door) {
        let Accepted {
            stream,
            peer: client,
            slot,
        } = accepted;
        let place = Taken::by_connection(slot, self.house.metrics.connection());
        let network = ingress::network(&self.house.ingress, client.ip());
        let arrival = Arrival { door, client, network };
        match door {
            Door::Plain => {
                let hop = Hop {
                    arrival,
                    certificate: None,
                    inside: None,
                    place,
                    streams: Streams::default(),
                };
                self.serve_http(stream, Arc::new(hop), false).await;
            }
            Door::Tls => self.serve_tls_door(stream, arrival, place).await,
        }
    }

    async fn serve_tls_door(self: Arc<Self>, stream: TcpStream, arrival: Arrival, place: Arc<Taken>) {
        let acceptor = match self.house.tls_door.config().await {
            Ok(config) => TlsAcceptor::from(config),
            Err(problem) => {
                tracing::error!(%problem, "no certificate for the TLS door");
                return self
                    .stray(arrival.client, &Fault::internal(Stage::Arrive, problem), None)
                    .await;
            }
        };
        let handshake = tokio::time::timeout(self.handshake_timeout(), acceptor.accept(stream));
        let Some(handshake) = self.unless_stopping(handshake).await else {
            return; // nothing was asked
        };
        let stream = match handshake {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let fault = Fault::new(Blame::Client, Stage::Arrive, FaultCode::ClientTls, error.to_string());
                return self.stray(arrival.client, &fault, None).await;
            }
            Err(_) => {
                let fault = Fault::new(
                    Blame::Client,
                    Stage::Arrive,
                    FaultCode::ClientTimeout,
                    "no TLS handshake in time",
                );
                return self.stray(arrival.client, &fault, None).await;
            }
        };
        let (_, session) = stream.get_ref();
        let certificate = tls::client_certificate(session).cloned();
        let h2 = session.alpn_protocol() == Some(b"h2");
        let hop = Hop {
            arrival,
            certificate,
            inside: None,
            place,
            streams: Streams::default(),
        };
        self.serve_http(stream, Arc::new(hop), h2).await;
    }

    /// Speaks HTTP on `io` until the client is done or the gateway stops. Boxed, because a tunnel's inside is served
    /// by the same function as the hop around it.
    pub(super) fn serve_http<I>(
        self: Arc<Self>,
        io: I,
        hop: Arc<Hop>,
        h2: bool,
    ) -> Pin<Box<dyn Future<Output = Served> + Send>>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Box::pin(async move {
            let served = Arc::new(AtomicU64::new(0));
            let (broke, told) = if h2 {
                (self.serve_http2(io, &hop, &served).await.err(), None)
            } else {
                let error = self.serve_http1(io, &hop, &served).await.err();
                (error.as_ref().map(broken), error.as_ref().and_then(told_by_the_library))
            };
            let served = Served {
                requests: served.load(Ordering::Relaxed),
                broke,
                told,
            };
            self.note_broken(&hop, &served).await;
            served
        })
    }

    async fn serve_http1<I>(self: &Arc<Self>, io: I, hop: &Arc<Hop>, served: &Arc<AtomicU64>) -> hyper::Result<()>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (limits, tasks) = (&self.house.ingress, self.house.tasks.of_one_connection());
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout())
            .max_headers(limits.max_headers as usize)
            .max_header_size(limits.max_header_bytes as usize);
        let talk = Talk::default();
        let service = service_fn(|request: http::Request<Incoming>| {
            let heard = talk.heard(&request);
            let answer = self.clone().answer(hop.clone(), served.clone(), request);
            async move {
                let answer = answer.await?;
                heard.answered(answer.status());
                Ok::<_, Infallible>(answer)
            }
        });
        let io = TokioIo::new(Lingering::new(io, talk.clone()));
        let mut connection = builder.serve_connection(io, service).with_upgrades();
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = tasks.stopping().cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        };
        if let Some(in_vain) = talk.in_vain() {
            // whatever comes of it: the connection is over
            match connection.into_parts() {
                Some(parts) => parts.io.into_inner().shutdown().await.ok(),
                None => match in_vain.await {
                    Ok(io) => TokioIo::new(io).shutdown().await.ok(),
                    Err(_) => None,
                },
            };
        }
        ended
    }

    async fn serve_http2<I>(self: &Arc<Self>, io: I, hop: &Arc<Hop>, served: &Arc<AtomicU64>) -> Result<(), Fault>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (limits, tasks) = (&self.house.ingress, self.house.tasks.of_one_connection());
        let streams = &hop.streams;
        let mut builder = http2::Builder::new(Running {
            tasks: tasks.clone(),
            streams: streams.clone(),
        });
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_mins(1))
            .max_concurrent_streams(self.house.settings.max_streams)
            // what is larger than our own limit and not than this is answered, and recorded, as any other request
            .max_header_list_size(limits.max_header_bytes.saturating_mul(4))
            .adaptive_window(true);
        let service = service_fn(|request| self.clone().answer(hop.clone(), served.clone(), request));
        let connection = builder.serve_connection(TokioIo::new(io), service);
        tokio::pin!(connection);
        let patience = limits.header_timeout();
        let over = |ended: hyper::Result<()>| match ended {
            // nothing was asked, as over HTTP/1.1 where the library says so itself
            Err(error) if !streams.begun() && is_hung_up(&error) => Ok(()),
            ended => ended.map_err(|error| broken(&error)),
        };
        tokio::select! {
            ended = connection.as_mut() => return over(ended),
            () = tasks.stopping().cancelled() => connection.as_mut().graceful_shutdown(),
            () = streams.idle(patience, limits.http2_idle_timeout()) => {
                if !streams.begun() {
                    let why = "no request came in time";
                    return Err(Fault::new(Blame::Client, Stage::Arrive, FaultCode::ClientTimeout, why));
                }
                connection.as_mut().graceful_shutdown();
            }
        }
        // a client that does not take leave is left
        tokio::select! {
            ended = connection.as_mut() => over(ended),
            () = streams.idle(patience, patience) => Ok(()),
        }
    }

    async fn answer(
        self: Arc<Self>,
        hop: Arc<Hop>,
        served: Arc<AtomicU64>,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<crate::upstream::Body>, Infallible> {
        served.fetch_add(1, Ordering::Relaxed);
        if let Some(inside) = &hop.inside {
            inside.content.reads_content();
        }
        // boxed: it carries the whole story of a request, and would otherwise be moved at every step of the library
        Ok(Box::pin(self.serve(hop, request)).await)
    }

    /// Records a connection that broke before it asked for anything, or in the middle of a head. One that was served
    /// and then left is no flow; inside a tunnel, the record of the CONNECT says that nothing was asked.
    async fn note_broken(&self, hop: &Hop, served: &Served) {
        let Some(fault) = &served.broke else { return };
        if served.is_head_broken() || served.requests == 0 && hop.inside.is_none() {
            self.stray(hop.arrival.client, fault, served.told).await;
        }
    }

    /// Whether something that came to nothing is recorded by itself. What comes after the stop always is: nobody sums
    /// it up any more.
    pub(super) fn records_unproven(&self, client: SocketAddr, what: Unproven) -> bool {
        self.house.tasks.stopping().is_cancelled() || self.unproven.records(client.ip(), what)
    }

    pub(super) async fn stray(&self, client: SocketAddr, fault: &Fault, status: Option<StatusCode>) {
        if self.records_unproven(client, Unproven::Stray) {
            self.record_stray(client, fault, status).await;
        }
    }

    pub(super) async fn record_stray(&self, client: SocketAddr, fault: &Fault, status: Option<StatusCode>) {
        // without what was seen, an entry closes as a stray
        if let Ok(entry) = self.house.book.enter(self.house.clock.now(), client).await {
            entry.close(Closing {
                end: fault.into(),
                status: status.map(|status| status.as_u16()),
                decrypted: false,
            });
        }
    }
}

/// Whether the client is gone without a word, which some do by a reset: those who look whether a port is open, and
/// whoever closes on what they have not read (RFC 1122 §4.2.2.13).
fn is_hung_up(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    // which is what TLS says of records that are none
    cause.is_some_and(|cause| cause.kind() != io::ErrorKind::InvalidData)
}

fn broken(error: &hyper::Error) -> Fault {
    let code = if error.is_parse_too_large() {
        FaultCode::HeadTooLarge
    } else if error.is_parse() {
        FaultCode::BadRequest
    } else if error.is_timeout() {
        FaultCode::ClientTimeout
    } else {
        FaultCode::ClientGone
    };
    Fault::new(Blame::Client, Stage::Arrive, code, error.to_string())
}

/// What a client hears whose request the library could not read. One that begins with the preface of HTTP/2 expects frames
/// (RFC 9113 §3.4), and hears nothing.
fn told_by_the_library(error: &hyper::Error) -> Option<StatusCode> {
    if error.is_parse_version_h2() {
        None
    } else if error.is_parse_too_large() {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else if error.is_parse() {
        Some(StatusCode::BAD_REQUEST)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::proxy::body::whole;

    #[tokio::test]
    async fn a_record_has_the_status_that_somebody_got_who_could_not_be_understood() {
        for (said, status) in [
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), None),
            ("GET / HTTP/1.1\r\nHo st: x\r\n\r\n".to_owned(), Some(400)),
            ("nonsense\r\n\r\n".to_owned(), Some(400)),
            (
                format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(10_000)),
                Some(431),
            ),
            ("GET / HT".to_owned(), None),
        ] {
            let (mut client, server) = tokio::io::duplex(64 * 1024);
            client.write_all(said.as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            let service = service_fn(|_| async { Ok::<_, Infallible>(http::Response::new(whole(""))) });
            let mut builder = http1::Builder::new();
            let serving = builder
                .max_header_size(8_192)
                .serve_connection(TokioIo::new(server), service);
            let error = serving.await.unwrap_err();
            let mut heard = String::new();
            client.read_to_string(&mut heard).await.unwrap();
            let heard = heard.split(' ').nth(1).map(|status| status.parse().unwrap());
            let told = told_by_the_library(&error).map(|status| status.as_u16());
            assert_eq!((told, heard), (status, status), "{said:.40}: {error}");
        }
    }
}
