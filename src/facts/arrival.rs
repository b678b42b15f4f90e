//! How did you arrive: the door, the address, the named network.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Which of our listeners accepted the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// Explicit proxy over plain TCP (`PROXY host:port` in a PAC file).
    Plain,
    /// Explicit proxy over TLS (`HTTPS host:port` in a PAC file).
    Tls,
}

/// A network as named in the settings: `office`, `vpn`, `guest`; `unknown` where none is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkName(String);

impl NetworkName {
    /// The network called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as the settings spell it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for NetworkName {
    fn default() -> Self {
        Self::new("unknown")
    }
}

/// How a connection reached us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The listener.
    pub door: Door,
    /// The peer's address as the socket shows it.
    pub client: SocketAddr,
    /// The named network that the address belongs to.
    pub network: NetworkName,
}

/// What counts as one client, wherever one may have or do only so much: an address, and of IPv6 the network of 64 bits
/// from which a host takes its addresses (RFC 4291 §2.5.1, RFC 8981).
pub fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}
