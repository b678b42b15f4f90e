//! The way through: what happens to a connection from its first byte to its record.
//!
//! ```text
//!  connection ── accept, TLS door, HTTP ──┐
//!                                         v
//!  CONNECT ── connect ── plan ──> tunnel (unread)      each: observe ─ judge ─ obey ─ record
//!                          └────> intercept ──┐
//!                                             v
//!  request ───────────────────> request ── plan ──> forward | upgrade | portal | refuse
//! ```
//!
//! The shell obeys `plan`, which is pure. Nothing here decides, and nothing here dials without a
//! [`Permit`](crate::policy::Permit).

mod body;
mod budget;
mod connect;
mod connection;
mod counter;
mod distrust;
mod finish;
mod fruitless;
mod greeting;
mod headers;
mod intercept;
mod lanes;
mod linger;
mod longlived;
mod observe;
mod pac;
mod peek;
mod plan;
mod request;
mod respond;
mod stopped;
mod streams;
mod tasks;
mod tunnel;
mod unjudged;
mod upgrade;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Version};
use serde::{Deserialize, Serialize};

use budget::Budget;
use distrust::Distrust;
use fruitless::Fruitless;

pub use pac::{PacFile, pac_answer};

use crate::audit::Book;
use crate::clock::Clock;
use crate::facts::Host;
use crate::identity::Guard;
use crate::ingress;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::portal::Portal;
use crate::rulebook::Live;
use crate::tls::{self, Mint};
use crate::upstream::Upstream;
pub use longlived::STOPPING;
pub use tasks::Tasks;

/// How the proxy treats what passes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The name by which the gateway shows itself in `Via` (RFC 9110 §7.6.3), to origins and to clients. Empty: no `Via`.
    pub via: String,
    /// Seconds to wait for the part of a body that says what a request does.
    pub peek_timeout_s: u64,
    /// HTTP/2 streams that one client connection may have open.
    pub max_streams: u32,
    /// How many records one client address (of IPv6, one network of 64 bits) may cause in a minute by what comes to
    /// nothing: broken connections, requests of nobody, and of those who leave while their password is checked. More are
    /// counted, and told in one record. 0: no limit.
    pub unproven_records: u32,
    /// For how many seconds it is remembered that a program does not trust our authority: after three handshakes that it
    /// broke off its next CONNECT to the same host is refused; every half a minute it may try again. 0: not at all.
    pub distrust_s: u64,
    /// How long running flows may take to end once the gateway stops, in seconds; what is left then is cut, and its
    /// record says so.
    pub stop_timeout_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            via: "wayleave".to_owned(),
            peek_timeout_s: 10,
            max_streams: 128,
            unproven_records: 60,
            distrust_s: 300,
            stop_timeout_s: 10,
        }
    }
}

/// What the proxy works with; built by the gatehouse, cheap to clone.
pub struct Parts {
    /// The rules and the people in force.
    pub live: Arc<Live>,
    /// Who are you.
    pub guard: Arc<Guard>,
    /// The grants.
    pub ledger: Ledger,
    /// The book.
    pub book: Book,
    /// Certificates for the sites we speak for.
    pub mint: Arc<Mint>,
    /// How the TLS door greets.
    pub tls_door: Arc<tls::Door>,
    /// The way out.
    pub upstream: Upstream,
    /// How long a tunnel may stay silent.
    pub upstream_idle: Duration,
    /// The counter.
    pub portal: Arc<Portal>,
    /// The portal's reserved name.
    pub portal_host: Host,
    /// The text served as `/proxy.pac`.
    pub pac: PacFile,
    /// The time.
    pub clock: Clock,
    /// Gauges of things alive.
    pub metrics: Metrics,
    /// How traffic is treated.
    pub settings: Settings,
    /// Limits of the doors.
    pub ingress: ingress::Settings,
    /// Where everything runs; the gatehouse waits for it.
    pub tasks: Tasks,
}

/// The proxy: everything from an accepted socket on.
pub struct Proxy {
    house: Parts,
    via: Option<Via>,
    /// Held while a purpose is declared on the way: one at a time.
    declaring: tokio::sync::Mutex<()>,
    fruitless: Fruitless,
    unproven: Budget,
    distrust: Distrust,
}

/// How the gateway shows itself, by the protocol in which a message was received (RFC 9110 §7.6.3).
struct Via {
    http1: HeaderValue,
    http2: HeaderValue,
}

impl Proxy {
    /// A proxy that works with `parts`.
    pub fn new(parts: Parts) -> Arc<Self> {
        let name = parts.settings.via.trim();
        let via = if name.is_empty() {
            None
        } else {
            let by = |version| HeaderValue::from_str(&format!("{version} {name}")).ok();
            by("1.1").zip(by("2")).map(|(http1, http2)| Via { http1, http2 })
        };
        let unproven = Budget::new(parts.settings.unproven_records);
        let distrust = Distrust::new(Duration::from_secs(parts.settings.distrust_s));
        Arc::new(Self {
            house: parts,
            via,
            unproven,
            distrust,
            declaring: tokio::sync::Mutex::default(),
            fruitless: Fruitless::default(),
        })
    }

    /// Records now and then what was not recorded one by one, until the gateway stops.
    pub async fn sum_up(self: Arc<Self>) {
        let next = || self.unless_stopping(tokio::time::sleep(budget::WINDOW));
        while next().await.is_some() {
            self.unproven
                .renew(&self.house.book, self.house.live.load().rulebook.id());
        }
        self.unproven
            .renew(&self.house.book, self.house.live.load().rulebook.id());
    }

    fn via(&self, received: Version) -> Option<&HeaderValue> {
        let via = self.via.as_ref()?;
        Some(if received == Version::HTTP_2 {
            &via.http2
        } else {
            &via.http1
        })
    }

    fn handshake_timeout(&self) -> Duration {
        self.house.ingress.opening_timeout()
    }
}
