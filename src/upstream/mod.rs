//! Leaving the house.
//!
//! ```text
//! Permit ──> send / upgrade ──> pool ── nothing kept ──> connect ──> dial ──> resolve ──> guard ──> connect(2)
//!        └─> tunnel, names_on_certificate ──────────────────────────> dial
//! ```
//!
//! Reads as: [`Upstream`] is the only way out, and each of its ways takes a [`Permit`]; `resolve` (or a stand-in) says
//! where a name lives, `guard` refuses what is not public, `dial` connects to exactly the addresses that passed, `pool`
//! keeps the connections, and [`relay()`] copies bytes for those who tunnel.
//!
//! The house itself has errands, too: to the mail server and the web hooks that its settings name ([`Errands`]). Nobody's
//! request can become one.
//!
//! This room never judges, never reads bodies, and changes nothing of a request but its form: which headers may leave
//! is for `proxy` to say.

mod connect;
mod dial;
mod errand;
mod exchange;
mod faults;
mod guard;
mod names;
mod outgoing;
mod pool;
mod relay;
mod resolve;
mod response_body;
mod settings;
mod stand_in;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::SEC_WEBSOCKET_KEY;
use http_body_util::combinators::BoxBody;
use hyper::upgrade::Upgraded;
use tokio::net::TcpStream;

pub use errand::{Answer, Errands};
pub use exchange::OnlyOnce;
pub use faults::of_body;
pub use guard::{Class, Guard, Guarded, classify};
pub use outgoing::{Sending, Sent};
pub use relay::{RelayEnd, Side, Way, relay};
pub use response_body::ResponseBody;
pub use settings::{Resolver, Settings};

use self::connect::Connector;
use self::dial::Dialer;
use self::exchange::{passed_on, switched, uncoded};
use self::faults::Step;
use self::names::{Asked, Names};
use self::outgoing::is_bound;
use self::pool::{Keep, Key, Pool};
use crate::facts::{Authority, Fault};
use crate::policy::Permit;

/// A request body on its way out.
pub type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// How TLS to origins is spoken; made by the room that knows the roots.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Offers HTTP/2 and HTTP/1.1.
    pub h2_and_h1: Arc<rustls::ClientConfig>,
    /// Offers HTTP/1.1 only: for `WebSocket`s.
    pub h1: Arc<rustls::ClientConfig>,
}

/// Why the room cannot be opened: a mistake in the settings.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// A line of `upstream.map` is not understood.
    #[error("`upstream.map` has `{key}` = `{value}`: {why}")]
    Map {
        /// The line's key.
        key: String,
        /// Its value.
        value: String,
        /// What is wrong, and how to fix it.
        why: &'static str,
    },
    /// The name servers of this machine cannot be found.
    #[error("`upstream.resolver` is `hickory`, but the name servers cannot be read: {0}; use `system`")]
    Resolver(String),
    /// Name servers that nobody would ask.
    #[error("`upstream.name_servers` is for the resolver `hickory`: set `upstream.resolver` to it, or leave them out")]
    NameServers,
}

/// The way out; cheap to clone.
#[derive(Clone)]
pub struct Upstream {
    pool: Arc<Pool>,
    names: Arc<Names>,
    response_timeout_s: u64,
}

/// What is alive in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alive {
    /// Tasks: a connection is one, or two where it speaks HTTP/2.
    pub tasks: usize,
    /// Connections that wait for a request.
    pub idle: usize,
}

impl Upstream {
    /// Opens the way out. It never dials `doors`, our own listeners: a request would go round for ever.
    pub fn new(settings: &Settings, tls: Tls, doors: &[SocketAddr]) -> Result<Self, UpstreamError> {
        let mut dialer = Dialer::new(settings)?;
        dialer.never(doors);
        let connector = Connector::new(dialer, tls, settings.max_response_header_bytes);
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let keep = Keep {
            per_origin: count(settings.max_idle_per_origin),
            total: count(settings.max_idle),
            idle: Duration::from_secs(settings.idle_timeout_s),
        };
        Ok(Self {
            pool: Pool::new(connector, keep),
            names: Arc::new(Names::new(Duration::from_secs(settings.names_kept_s))),
            response_timeout_s: settings.response_timeout_s,
        })
    }

    /// Sends one request to where the permit allows, and returns the answer's head with its body still streaming.
    /// `sending` tells how far the request's body is.
    ///
    /// The target gets the form and the `Host` that the connection needs; nothing else is changed. A request is sent
    /// again, once, if it has no body and either the origin says that it was not processed, or it is safe (RFC 9110
    /// §9.2.1) and a kept connection ended before the answer began. What never left a kept connection is whole, and goes
    /// to the next.
    pub async fn send(
        &self,
        permit: &Permit,
        secure: bool,
        request: http::Request<Body>,
        sending: Sending<'_>,
    ) -> Result<http::Response<ResponseBody>, Fault> {
        let slot = self.pool.slot(key(permit, secure))?;
        if is_bound(request.headers()) {
            let method = request.method().clone();
            let response = Box::pin(self.alone(&slot, permit, request, sending)).await?;
            return passed_on((permit.authority(), &method), response, None);
        }
        self.exchange(&slot, permit, request, sending).await
    }

    /// Sends a request that asks to change protocols (RFC 9110 §7.8), over HTTP/1.1 and a connection of its own; the
    /// connection comes with the answer if the origin agrees.
    pub async fn upgrade(
        &self,
        permit: &Permit,
        secure: bool,
        request: http::Request<Body>,
    ) -> Result<(http::Response<ResponseBody>, Option<Upgraded>), Fault> {
        let slot = self.pool.slot(key(permit, secure))?;
        let to = permit.authority();
        let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
        let mut response = self.alone(&slot, permit, request, &Sent::default).await?;
        uncoded(to, response.headers())?;
        let upgraded = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            switched(to, key.as_ref(), response.headers())?;
            let upgraded = hyper::upgrade::on(&mut response).await;
            Some(upgraded.map_err(|error| faults::of_exchange(to, &error))?)
        } else {
            None
        };
        Ok((response.map(|body| ResponseBody::new(body, to, None)), upgraded))
    }

    /// Connects for a tunnel.
    pub async fn tunnel(&self, permit: &Permit) -> Result<TcpStream, Fault> {
        let dialer = &self.pool.connector().dialer;
        let targets = dialer.find(permit).await?;
        dialer.tcp(permit.authority(), targets).await
    }

    /// The names on the certificates that the origin shows at the address `at`, where a tunnel has reached it, to a client
    /// which sends its host's name as SNI or sends none, of whatever keys; in lower case, wildcards as they stand. They are not verified,
    /// remembered for a while, and asked for without sending a byte of content.
    pub async fn names_on_certificate(
        &self,
        permit: &Permit,
        at: SocketAddr,
        sends_name: bool,
    ) -> Result<Arc<[String]>, Fault> {
        let connector = self.pool.connector();
        let provider = connector.tls.h2_and_h1.crypto_provider();
        let asked = Asked {
            to: permit.authority().clone(),
            at,
            sends_name,
        };
        self.names.of(&connector.dialer, provider, asked).await
    }

    /// What is alive.
    pub fn alive(&self) -> Alive {
        Alive {
            tasks: self.pool.connector().tasks().len(),
            idle: self.pool.idle(),
        }
    }

    /// Ends every connection, also those that are delivering an answer, and waits until their tasks have ended.
    pub async fn close(&self) {
        let connector = self.pool.connector();
        connector.shut().cancel();
        self.pool.clear();
        connector.tasks().close();
        connector.tasks().wait().await;
    }

    fn response_timeout(&self) -> Duration {
        Duration::from_secs(self.response_timeout_s)
    }

    fn too_late(&self, to: &Authority, step: Step) -> Fault {
        faults::too_late(to, step, self.response_timeout_s)
    }
}

fn key(permit: &Permit, secure: bool) -> Key {
    Key {
        authority: permit.authority().clone(),
        secure,
    }
}

#[cfg(test)]
mod tests;
