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
//! This room never judges, never reads bodies, and changes nothing of a request but its form: which headers may leave
//! is for `proxy` to say.

mod connect;
mod dial;
mod faults;
mod guard;
mod names;
mod outgoing;
mod pool;
mod relay;
mod resolve;
mod settings;
mod stand_in;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use tokio::net::TcpStream;

pub use guard::{Class, Guard, Guarded, classify};
pub use relay::{RelayEnd, Side, Way, relay};
pub use settings::{Resolver, Settings};

use self::connect::{Connector, Sender};
use self::dial::Dialer;
use self::faults::Step;
use self::names::Names;
use self::outgoing::{Outgoing, Progress, in_time, is_bound, put_in_form};
use self::pool::{Checkout, Keep, Key, Pool};
use crate::facts::{Authority, Fault, FaultCode, Stage};
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
    ///
    /// The target gets the form and the `Host` that the connection needs; nothing else is changed. A request is sent
    /// again only if it provably never left: a kept connection turned out to be closed.
    pub async fn send(
        &self,
        permit: &Permit,
        secure: bool,
        request: http::Request<Body>,
    ) -> Result<http::Response<Incoming>, Fault> {
        let key = key(permit, secure);
        let progress = Progress::default();
        let request = request.map(|body| Outgoing::new(body, progress.clone()));
        let bound = is_bound(request.headers());
        let checkout = if bound {
            Box::pin(self.pool.fresh(&key)).await?
        } else {
            self.pool.checkout(&key).await?
        };
        match self.exchange(&key, checkout, request, &progress, bound).await {
            Ok(response) => Ok(response),
            Err(Missed::Never(request)) => {
                let fresh = Box::pin(self.pool.fresh(&key)).await?;
                let again = self.exchange(&key, fresh, *request, &progress, bound).await;
                again.map_err(|missed| match missed {
                    Missed::Never(_) => origin_gone(&key.authority),
                    Missed::Failed(fault) => fault,
                })
            }
            Err(Missed::Failed(fault)) => Err(fault),
        }
    }

    /// Sends a request that asks to change protocols (RFC 9110 §7.8), over HTTP/1.1 and a connection of its own; the
    /// connection comes with the answer if the origin agrees.
    pub async fn upgrade(
        &self,
        permit: &Permit,
        secure: bool,
        request: http::Request<Body>,
    ) -> Result<(http::Response<Incoming>, Option<Upgraded>), Fault> {
        let key = key(permit, secure);
        let progress = Progress::default();
        let mut request = request.map(|body| Outgoing::new(body, progress.clone()));
        put_in_form(&mut request, &key, false)?;
        let mut sender = self.pool.connector().connect_for_upgrade(&key).await?;
        let answer = in_time(sender.send_request(request), &progress, self.response_timeout()).await;
        let mut response = match answer {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err(faults::of_exchange(&key.authority, &error)),
            None => return Err(self.too_late(&key.authority)),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok((response, None));
        }
        match hyper::upgrade::on(&mut response).await {
            Ok(upgraded) => Ok((response, Some(upgraded))),
            Err(error) => Err(faults::of_exchange(&key.authority, &error)),
        }
    }

    /// Connects for a tunnel.
    pub async fn tunnel(&self, permit: &Permit) -> Result<TcpStream, Fault> {
        self.pool.connector().dialer.tcp(permit.authority()).await
    }

    /// The names on the certificate that the origin shows to a client which sends its host's name as SNI, or sends none;
    /// in lower case, wildcards as they stand. They are not verified, remembered for a while, and asked for without
    /// sending a byte of content.
    pub async fn names_on_certificate(&self, permit: &Permit, sends_name: bool) -> Result<Arc<[String]>, Fault> {
        let connector = self.pool.connector();
        let provider = connector.tls.h2_and_h1.crypto_provider();
        self.names
            .of(&connector.dialer, provider, permit.authority(), sends_name)
            .await
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

    async fn exchange(
        &self,
        key: &Key,
        checkout: Checkout,
        mut request: http::Request<Outgoing>,
        progress: &Progress,
        bound: bool,
    ) -> Result<http::Response<Incoming>, Missed> {
        let Checkout { mut sender, reused } = checkout;
        put_in_form(&mut request, key, sender.is_http2()).map_err(Missed::Failed)?;
        let answer = in_time(sender.send(request), progress, self.response_timeout()).await;
        match answer {
            Some(Ok(response)) => {
                self.keep(key, sender, bound || is_bound(response.headers()));
                Ok(response)
            }
            Some(Err(mut error)) => Err(match error.take_message() {
                Some(request) if reused => Missed::Never(Box::new(request)),
                Some(_) | None => Missed::Failed(faults::of_exchange(&key.authority, error.error())),
            }),
            None => Err(Missed::Failed(self.too_late(&key.authority))),
        }
    }

    /// Keeps the connection for the next request, unless it is one person's.
    fn keep(&self, key: &Key, sender: Sender, bound: bool) {
        if !bound {
            self.pool.keep(key, sender);
        }
    }

    fn response_timeout(&self) -> Duration {
        Duration::from_secs(self.response_timeout_s)
    }

    fn too_late(&self, to: &Authority) -> Fault {
        faults::too_late(to, Step::Answering, self.response_timeout_s)
    }
}

/// Why there is no answer.
enum Missed {
    /// The request never left, and is still whole.
    Never(Box<http::Request<Outgoing>>),
    /// Nobody knows how far it came.
    Failed(Fault),
}

/// What a broken answer body amounts to.
pub fn fault_of_answer(permit: &Permit, error: &hyper::Error) -> Fault {
    faults::of_exchange(permit.authority(), error)
}

fn key(permit: &Permit, secure: bool) -> Key {
    Key {
        authority: permit.authority().clone(),
        secure,
    }
}

fn origin_gone(to: &Authority) -> Fault {
    let detail = format!("`{to}` closes every connection before a request can be sent");
    Fault::new(
        crate::facts::Blame::Origin,
        Stage::Forward,
        FaultCode::OriginGone,
        detail,
    )
}

#[cfg(test)]
mod tests;
