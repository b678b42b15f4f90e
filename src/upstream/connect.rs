//! From a dialled stream to a connection that carries requests. Every connection is a task that is joined on closing.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::{Read, Write};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::Dialer;
use super::outgoing::Outgoing;
use super::pool::Key;
use super::{Tls, faults};
use crate::facts::{Authority, Fault, Stage};

/// Sends requests on one connection.
pub(super) enum Sender {
    /// One request at a time.
    Http1(http1::SendRequest<Outgoing>),
    /// Many at a time.
    Http2(http2::SendRequest<Outgoing>),
}

/// An answer, or why there is none and the request if it provably never left.
pub(super) type Answer = Result<http::Response<Incoming>, TrySendError<http::Request<Outgoing>>>;

impl Sender {
    /// Another sender on the same connection, where requests share it.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    /// Whether a request would leave at once: not while the last answer is being delivered.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        }
    }

    pub(super) async fn send(&mut self, request: http::Request<Outgoing>) -> Answer {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
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

    /// A new connection that speaks what the origin prefers.
    pub(super) async fn connect(&self, key: &Key) -> Result<Sender, Fault> {
        self.still_open()?;
        let to = &key.authority;
        if !key.secure {
            let stream = self.dialer.tcp(to).await?;
            return self.http1(to, stream).await;
        }
        let stream = self.dialer.tls(to, &self.tls.h2_and_h1).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(to, stream).await
        } else {
            self.http1(to, stream).await
        }
    }

    /// A new HTTP/1.1 connection that can change protocols.
    pub(super) async fn connect_for_upgrade(&self, key: &Key) -> Result<http1::SendRequest<Outgoing>, Fault> {
        self.still_open()?;
        let to = &key.authority;
        if key.secure {
            let stream = self.dialer.tls(to, &self.tls.h1).await?;
            self.http1_with_upgrades(to, stream).await
        } else {
            let stream = self.dialer.tcp(to).await?;
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

    async fn http1<S>(&self, to: &Authority, stream: S) -> Result<Sender, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shaken = self.http1_builder().handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        self.run(connection);
        sender.ready().await.map_err(|error| faults::of_exchange(to, &error))?;
        Ok(Sender::Http1(sender))
    }

    async fn http1_with_upgrades<S>(&self, to: &Authority, stream: S) -> Result<http1::SendRequest<Outgoing>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shaken = self.http1_builder().handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        self.run(connection.with_upgrades());
        Ok(sender)
    }

    async fn http2<S>(&self, to: &Authority, stream: S) -> Result<Sender, Fault>
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
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // A connection whose other end vanished without a word must not swallow request after request.
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await;
        let (mut sender, connection) = shaken.map_err(|error| faults::of_exchange(to, &error))?;
        self.run(connection);
        sender.ready().await.map_err(|error| faults::of_exchange(to, &error))?;
        Ok(Sender::Http2(sender))
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
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
