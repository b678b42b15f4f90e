//! How the gateway reaches origins: the room's settings.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How the gateway reaches origins.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Networks (CIDR) that may be dialled although they are not public: `["10.20.0.0/16"]`. The address of a cloud's
    /// metadata service must be listed by itself, with its full length.
    pub allow: Vec<IpNet>,
    /// Who turns names into addresses: `system` (as every program of this machine does; answers count for five seconds)
    /// or `hickory` (asks the name servers of `/etc/resolv.conf` itself, and remembers their answers as long as they say).
    pub resolver: Resolver,
    /// The name servers that `hickory` asks, as `ADDRESS:PORT`; none: those of `/etc/resolv.conf`.
    pub name_servers: Vec<std::net::SocketAddr>,
    /// Stand-ins: where to connect instead, by host (`www.x.com`), host and port (`www.x.com:80`), every host below a
    /// domain (`*.x.com`) or every host (`*`); the most specific one counts. Names on certificates are still those of
    /// the host, and addresses must still be public or allowed.
    pub map: BTreeMap<String, String>,
    /// How long a name may take to resolve, in seconds.
    pub resolve_timeout_s: u64,
    /// How long one address may take to accept a connection, in seconds.
    pub attempt_timeout_s: u64,
    /// How long all addresses together may take to accept a connection, in seconds.
    pub connect_timeout_s: u64,
    /// How long a TLS handshake with an origin may take, in seconds.
    pub tls_timeout_s: u64,
    /// How long an origin may be silent before its answer begins, counted from the last byte it was sent, and a client in
    /// the middle of what it sends, in seconds.
    pub response_timeout_s: u64,
    /// How long a tunnel or WebSocket may stay silent, in seconds.
    pub tunnel_idle_s: u64,
    /// How long an unused connection to an origin is kept, in seconds.
    pub idle_timeout_s: u64,
    /// Most unused connections kept to one origin.
    pub max_idle_per_origin: u32,
    /// Most unused connections kept to all origins together.
    pub max_idle: u32,
    /// Largest response head.
    pub max_response_header_bytes: u32,
    /// How long the names on an origin's certificate are remembered, in seconds.
    pub names_kept_s: u64,
}

/// Who turns names into addresses.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Resolver {
    /// The system's own way (`getaddrinfo`): hosts file, name service switch, name servers.
    #[default]
    System,
    /// Our own client, with a cache.
    Hickory,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            resolver: Resolver::default(),
            name_servers: Vec::new(),
            map: BTreeMap::new(),
            resolve_timeout_s: 5,
            attempt_timeout_s: 5,
            connect_timeout_s: 10,
            tls_timeout_s: 10,
            response_timeout_s: 120,
            tunnel_idle_s: 3600,
            idle_timeout_s: 60,
            max_idle_per_origin: 32,
            max_idle: 1024,
            max_response_header_bytes: 64 * 1024,
            names_kept_s: 3600,
        }
    }
}

impl Settings {
    /// How long a tunnel may stay silent.
    pub fn tunnel_idle(&self) -> Duration {
        Duration::from_secs(self.tunnel_idle_s)
    }
}
