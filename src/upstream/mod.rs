//! Leaving the house.

mod settings;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use tokio::net::TcpStream;

pub use settings::{Resolver, Settings};

use crate::facts::{Fault, Host, Stage};
use crate::policy::Permit;

/// A request body on its way out.
pub type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// How TLS to origins is spoken; made by the room that knows the roots.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Offers HTTP/2 and HTTP/1.1.
    pub h2_and_h1: Arc<rustls::ClientConfig>,
    /// Offers HTTP/1.1 only: for WebSockets.
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
}

/// The way out; cheap to clone.
#[derive(Clone)]
pub struct Upstream(());

#[expect(clippy::unused_async, reason = "filled in next")]
impl Upstream {
    /// Opens the way out.
    pub fn new(_settings: Settings, _tls: Tls) -> Result<Self, UpstreamError> {
        Ok(Self(()))
    }

    /// The same, but never dialling one of our own doors: a request would go round for ever.
    #[must_use]
    pub fn never_dialling(self, _doors: &[SocketAddr]) -> Self {
        self
    }

    /// Sends one request to where the permit allows, and returns the answer's head with its body still streaming.
    pub async fn send(
        &self,
        _permit: &Permit,
        _secure: bool,
        _request: http::Request<Body>,
    ) -> Result<http::Response<Incoming>, Fault> {
        Err(Fault::internal(Stage::Forward, "not built yet"))
    }

    /// Sends a request that asks to change protocols, over HTTP/1.1 and a connection of its own.
    pub async fn upgrade(
        &self,
        _permit: &Permit,
        _secure: bool,
        _request: http::Request<Body>,
    ) -> Result<(http::Response<Incoming>, Option<Upgraded>), Fault> {
        Err(Fault::internal(Stage::Forward, "not built yet"))
    }

    /// Connects for a tunnel.
    pub async fn tunnel(&self, _permit: &Permit) -> Result<TcpStream, Fault> {
        Err(Fault::internal(Stage::Dial, "not built yet"))
    }

    /// The names on the certificate that the origin shows for `sni`.
    pub async fn names_on_certificate(&self, _permit: &Permit, _sni: &Host) -> Result<Arc<[String]>, Fault> {
        Err(Fault::internal(Stage::Dial, "not built yet"))
    }

    /// Closes every connection and waits until their tasks have ended.
    pub async fn close(&self) {}
}
