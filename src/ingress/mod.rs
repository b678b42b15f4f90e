//! How did you arrive?
//!
//! ```text
//! Listener ── accept ──> stream ──> (hyper reads a head) ──> target::sanity: Connect | Absolute | Origin
//!                                                               │ CONNECT
//!                                                               v
//!                        open: first bytes ── sniff ── client_hello ──> Tls | Http | Other | Malformed | Silent
//! ```
//!
//! Reads as: [`Listener`] accepts, [`network`] names where the peer sits, [`request_sanity`] refuses what could be
//! understood in two ways, [`open`] looks at the first bytes of a tunnel without losing any of them.
//!
//! This room never judges, never looks at credentials and never dials.

mod callers;
pub mod client_hello;
mod first_request;
mod holder;
mod listener;
mod opening;
mod rewound;
mod second_hello;
mod sniff;
mod target;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use client_hello::ClientHello;
pub use holder::Holder;
pub use listener::{Accepted, BindError, Full, Listener, Slot};
pub use opening::{Opening, open, open_unread};
pub use rewound::Rewound;
pub use second_hello::{AnotherName, SameName};
pub use sniff::{Resembles, Sniff, sniff};
pub use target::{Hop, Malformed, Target, max_forwards, request_sanity};

use crate::facts::{Door, NetworkName};

/// How the gateway is reached.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Address of the explicit proxy over plain TCP (`PROXY host:port` in a PAC file).
    pub plain: SocketAddr,
    /// Address of the explicit proxy over TLS (`HTTPS host:port` in a PAC file).
    pub tls: SocketAddr,
    /// How many connections the kernel keeps waiting for each door.
    pub backlog: u32,
    /// How many connections each door serves at a time; more of them wait in the kernel's queue. What an HTTP/2
    /// connection carries at the same time counts like connections.
    pub max_connections: u32,
    /// How many of them one client address may have (of IPv6, one network of 64 bits); more are closed at once, or
    /// answered 503. 0: all.
    pub max_connections_per_client: u32,
    /// How long a client may take over a whole request head, over the body of what it sends to the portal, and between
    /// two requests, in seconds.
    pub header_timeout_s: u64,
    /// How long an HTTP/2 connection may have no stream open, in seconds; for the first one the header timeout counts.
    pub http2_idle_timeout_s: u64,
    /// Largest request head; a larger one is answered with 431.
    pub max_header_bytes: u32,
    /// Most header fields in a request; more are answered with 431.
    pub max_headers: u32,
    /// How long a tunnel may stay silent before its first bytes have told what it carries, and how long a TLS
    /// handshake with us may take, in seconds.
    pub opening_timeout_s: u64,
    /// Named networks, by the addresses of their members (CIDR); where several match, the smallest one counts.
    pub networks: BTreeMap<String, Vec<IpNet>>,
    /// Networks (CIDR) whose members may send Basic credentials to the plain door; loopback always may.
    pub basic_networks: Vec<IpNet>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            plain: SocketAddr::from((Ipv4Addr::LOCALHOST, 3128)),
            tls: SocketAddr::from((Ipv4Addr::LOCALHOST, 3129)),
            backlog: 1024,
            max_connections: 10_000,
            max_connections_per_client: 2500,
            header_timeout_s: 30,
            http2_idle_timeout_s: 300,
            max_header_bytes: 32 * 1024,
            max_headers: 100,
            opening_timeout_s: 10,
            networks: BTreeMap::new(),
            basic_networks: Vec::new(),
        }
    }
}

impl Settings {
    /// How long a client may take over a request head.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_s)
    }

    /// How long an HTTP/2 connection may have no stream open.
    pub fn http2_idle_timeout(&self) -> Duration {
        Duration::from_secs(self.http2_idle_timeout_s)
    }

    /// How long the first bytes of a tunnel may take.
    pub fn opening_timeout(&self) -> Duration {
        Duration::from_secs(self.opening_timeout_s)
    }
}

/// The name of the network that `address` belongs to: the smallest one that holds it, `unknown` if none does.
pub fn network(settings: &Settings, address: IpAddr) -> NetworkName {
    let address = address.to_canonical();
    settings
        .networks
        .iter()
        .flat_map(|(name, nets)| nets.iter().map(move |net| (name, net)))
        .filter(|(_, net)| net.contains(&address))
        .max_by(|a, b| a.1.prefix_len().cmp(&b.1.prefix_len()).then_with(|| b.0.cmp(a.0)))
        .map_or_else(NetworkName::default, |(name, _)| NetworkName::new(name))
}

/// Whether Basic credentials (RFC 7617), which anybody on the way could read, may be used by a client at `address`
/// that came through `door`.
pub fn basic_allowed(settings: &Settings, door: Door, address: IpAddr) -> bool {
    let address = address.to_canonical();
    match door {
        Door::Tls => true,
        Door::Plain => address.is_loopback() || settings.basic_networks.iter().any(|net| net.contains(&address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        toml::from_str(
            r#"
            basic_networks = ["10.1.0.0/16"]
            [networks]
            office = ["10.0.0.0/8", "2001:db8::/32"]
            lab = ["10.9.0.0/16"]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn the_smallest_network_that_holds_an_address_names_it() {
        for (address, name) in [
            ("10.1.2.3", "office"),
            ("10.9.2.3", "lab"),
            ("::ffff:10.9.2.3", "lab"),
            ("2001:db8::1", "office"),
            ("192.0.2.1", "unknown"),
        ] {
            assert_eq!(
                network(&settings(), address.parse().unwrap()).as_str(),
                name,
                "{address}"
            );
        }
    }

    #[test]
    fn basic_in_clear_is_for_loopback_and_listed_networks_only() {
        for (door, address, allowed) in [
            (Door::Plain, "127.0.0.1", true),
            (Door::Plain, "::1", true),
            (Door::Plain, "10.1.255.1", true),
            (Door::Plain, "::ffff:10.1.0.9", true),
            (Door::Plain, "10.2.0.1", false),
            (Door::Tls, "10.2.0.1", true),
        ] {
            let said = basic_allowed(&settings(), door, address.parse().unwrap());
            assert_eq!(said, allowed, "{door:?} {address}");
        }
    }

    #[test]
    fn settings_refuse_what_they_do_not_know_and_what_is_no_network() {
        assert!(toml::from_str::<Settings>("colour = 1").is_err());
        assert!(toml::from_str::<Settings>("basic_networks = ['10.1']").is_err());
        let whole = toml::to_string(&Settings::default()).unwrap();
        assert_eq!(toml::from_str::<Settings>(&whole).unwrap(), Settings::default());
    }
}
