//! Speaking for a site: which key vouches for whom, inside intercepted tunnels, on the TLS door, and towards origins.
//!
//! ```text
//! founding / import ──> certs/ ──> Issuer ──> Mint ──> ServerConfig for one host (intercepted tunnel)
//!                                               └────> Door         (the proxy's own TLS port, client certificates)
//! OS roots + extra_roots ────────> origin() ──> ClientConfig (how origins are verified)
//! ```
//!
//! Start at [`Mint`]; [`Issuer`] is the authority it signs with, [`founding`] and [`import`] make one.
//! This module never opens a connection, never decides who may be intercepted, and never lets a leaf outlive the
//! authority behind it. All types of the TLS library that the house uses come through here.

mod authority;
mod certificate;
mod der;
mod files;
pub mod founding;
mod front;
pub mod import;
mod mint;
mod problem;
mod reach;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::facts::Host;

pub use authority::Issuer;
pub use certificate::{Certificate, Validity};
pub use front::{Door, client_certificate};
pub use mint::Mint;
pub use problem::{MintError, TlsProblem};
pub use reach::Constraints;
pub use verify::{OriginTls, client_roots, origin};

/// Where keys lie, whom origins are verified against, how long minted certificates live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The folder of the certificate authority, made by `wayleave ca init` or `wayleave ca import`.
    pub folder: PathBuf,
    /// Verify origins against the operating system's roots; `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    pub use_system_roots: bool,
    /// PEM files with further roots that origins may be verified against.
    pub extra_roots: Vec<PathBuf>,
    /// Days that a minted certificate is valid, 1 to 90; never longer than the authority itself.
    pub leaf_days: u16,
    /// How many minted certificates are kept in memory.
    pub leaf_cache: u64,
    /// Names and addresses under which people reach the proxy's TLS port.
    pub door_names: Vec<Host>,
    /// Ask for client certificates on the TLS port; a connection without one is still accepted.
    pub client_certificates: bool,
    /// PEM files with further authorities whose client certificates are accepted; the one that `wayleave ca client`
    /// signs with always is.
    pub client_roots: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let loopback = ["localhost", "127.0.0.1", "::1"];
        Self {
            folder: PathBuf::from("certs"),
            use_system_roots: true,
            extra_roots: Vec::new(),
            leaf_days: 30,
            leaf_cache: 10_000,
            door_names: loopback.iter().filter_map(|name| Host::parse(name).ok()).collect(),
            client_certificates: true,
            client_roots: Vec::new(),
        }
    }
}

/// Makes aws-lc-rs the process's provider of cryptography; calling it again changes nothing.
///
/// Our own configurations name their provider; this is for libraries that ask for the default one.
pub fn install_default() {
    // An error only says that a provider is installed already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// The one provider of cryptography: post-quantum key exchange first.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Lets the TLS library tell the time by our clock.
#[derive(Debug)]
struct ClockTime(Clock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

/// A day, the beat of renewals.
const DAY: Duration = Duration::from_hours(24);
