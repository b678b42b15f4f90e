//! From a dialled stream to a connection that carries requests. Every connection is a task that is joined on closing.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::{Read, Write};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::{Dialer, Targets};
use super::pool::Key;
use super::streams::{Reservation, StreamLimit};
use super::{Body, Tls, faults};
use crate::facts::{Authority, Fault, Stage};

/// A connection that has just been made.
pub(super) enum Connected {
    /// For one request at a time.
    Http1(http1::SendRequest<Body>),
    /// For many at a time, and a stream for the first.
    Http2(Shared, Reservation),
}

/// An HTTP/2 connection, which requests share.
pub(super) struct Shared {
    pub(super) sender: http2::SendRequest<Body>,
    pub(super) streams: Arc<StreamLimit>,
}

impl Shared {
    pub(super) fn is_unused(&self) -> bool {
        self.streams.are_none()
    }
}

/// Sends one request.
pub(super) enum Sender {
    /// On a connection of its own.
    Http1(http1::SendRequest<Body>),
    /// Beside others.
    Http2(http2::SendRequest<Body>, Reservation),
}

/// An answer, or why there is none and the request if it provably never left.
pub(super) type Answered = Result<http::Response<Incoming>, TrySendError<http::Request<Body>>>;

impl Sender {
    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(..))
    }

    pub(super) async fn send(&mut self, request: http::Request<Body>) -> Answered {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender, _) => sender.try_send_request(request).await,
        }
    }
}

/// Makes connections.
pub(super) struct Connector {
    pub(super) dialer: Dialer,
    pub(super) tls: Tls,
    pub(super) max_header_bytes: u32,
    tasks: TaskTracker,
    shut: CancellationToken,
}

impl Connector {
    pub(super) fn new(dialer: Dialer, tls: Tls, max_header_bytes: u32) -> Self {
        Self {
            dialer,
            tls,
            max_header_bytes,
            tasks: TaskTracker::new(),
            shut: CancellationToken::new(),
        }
    }

    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(super) fn shut(&self) -> &CancellationToken {
        &self.shut
    }

    /// A new connection that speaks what the origin prefers, and carries so many streams until the origin says a number.
    pub(super) async fn connect(&self, key: &Key, targets: Targets, streams: usize) -> Result<Connected, Fault> {
        self.still_open()?;
        let to = &key.authority;
        if !key.secure {
            let stream = self.dialer.tcp(to, targets).await?;
            return self.http1(to, stream).await;
        }
        let stream = self.dialer.tls(to, targets, &self.tls.h2_and_h1).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(to, stream, streams).await
        } else {
            self.http1(to, stream).await
        }
    }

    /// A new HTTP/1.1 connection for one request, which may change protocols.
    pub(super) async fn connect_alone(&self, key: &Key, targets: Targets) -> Result<http1::SendRequest<Body>, Fault> {
        self.still_open()?;
        let to = &key.authority;
        if key.secure {
            let stream = self.dialer.tls(to, targets, &self.tls.h1).await?;
            self.http1_with_upgrades(to, stream).await
        } else {
            let stream = self.dialer.tcp(to, targets).await?;
            self.http1_with_upgrades(to, stream).await
        }
    }

    fn still_open(&self) -> Result<(), Fault> {
        if self.shut.is_cancelled() {
            return Err(Fault::internal(Stage::Dial, "the gateway is shutting down"));
        }
        Ok(())
    }

    fn http1_builder(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder.max_headers(MOST_HEADERS);
        builder.max_header_size(usize::try_from(self.max_header_bytes).unwrap_or(usize::MAX));
        builder
    }

    async fn http1<S>(&self, to: &Authority, stream: S) -> Result<Connected, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shaken = self.http1_builder().handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        self.run(connection);
        sender.ready().await.map_err(|error| faults::of_exchange(to, &error))?;
        Ok(Connected::Http1(sender))
    }

    async fn http1_with_upgrades<S>(&self, to: &Authority, stream: S) -> Result<http1::SendRequest<Body>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shaken = self.http1_builder().handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        self.run(connection.with_upgrades());
        Ok(sender)
    }

    async fn http2<S>(&self, to: &Authority, stream: S, streams: usize) -> Result<Connected, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        TokioIo<S>: Read + Write,
    {
        let tasks = Joined {
            tasks: self.tasks.clone(),
            shut: self.shut.clone(),
        };
        let shaken = http2::Builder::new(tasks)
            .timer(TokioTimer::new())
            .max_header_list_size(self.max_header_bytes)
            .initial_max_send_streams(streams)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // A connection whose other end vanished without a word must not swallow request after request.
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await;
        let (mut sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        let streams = StreamLimit::up_to(streams);
        let first = streams
            .enter()
            .ok_or_else(|| Fault::internal(Stage::Dial, "no stream may be opened"))?;
        self.run(watched(connection, Arc::clone(&streams)));
        sender.ready().await.map_err(|error| faults::of_exchange(to, &error))?;
        Ok(Connected::Http2(Shared { sender, streams }, first))
    }

    /// Runs a connection until it ends or the house shuts. What it ends with, the exchange on it has been told.
    fn run<C, E>(&self, connection: C)
    where
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display,
    {
        let shut = self.shut.clone();
        self.tasks.spawn(async move {
            if let Some(Err(error)) = shut.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection to an origin broke");
            }
        });
    }
}

/// Runs a shared connection, and takes down what its origin allows.
async fn watched<S>(
    connection: http2::Connection<TokioIo<S>, Body, Joined>,
    streams: Arc<StreamLimit>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = std::pin::pin!(connection);
    std::future::poll_fn(|cx| {
        streams.looked_after_by(cx.waker());
        let polled = connection.as_mut().poll(cx);
        streams.allow(connection.current_max_send_streams());
        polled
    })
    .await
}

/// Starts the library's own tasks so that they, too, end and are joined when the house shuts.
#[derive(Clone)]
struct Joined {
    tasks: TaskTracker,
    shut: CancellationToken,
}

impl<F> hyper::rt::Executor<F> for Joined
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        let shut = self.shut.clone();
        self.tasks.spawn(async move {
            shut.run_until_cancelled(future).await;
        });
    }
}

/// Large sites send dozens of cookies and policies.
const MOST_HEADERS: usize = 256;
/// What is held for one reader who has stalled.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The most there can be (RFC 9113 §6.9.1): the library gives a connection's window back only as answers are read, so
/// with a smaller one a few who stall would stop everybody else. What bounds memory is the window of a stream, times the
/// streams that share a connection.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
