//! What the PAC file says; the script itself is written by `gatehouse/pac.rs`.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::facts::{Authority, Host};

/// What browsers are told by `/proxy.pac`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pac {
    /// What goes through the proxy: `all`, or only the `managed` platforms of the catalogue.
    pub covers: Covers,
    /// Where browsers reach the proxy, best first: `PROXY host:port` or `HTTPS host:port`. Empty: the plain door.
    pub announce: Vec<Announced>,
    /// Domains (with everything below them) that browsers reach directly although `covers` is `all`: the intranet.
    /// Managed platforms are never among them.
    pub direct: Vec<Host>,
}

/// What goes through the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// Everything but this machine and names without a dot.
    #[default]
    All,
    /// The managed platforms.
    Managed,
}

/// A way to the proxy, as a PAC file spells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Announced {
    /// Whether the browser speaks TLS to the proxy.
    pub secure: bool,
    /// Where the proxy is.
    pub proxy: Authority,
}

/// Why a text is not a way to the proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a way to the proxy: write `PROXY host:port` or `HTTPS host:port`")]
pub struct BadAnnounced(String);

impl Announced {
    /// Parses `PROXY host:port` or `HTTPS host:port`.
    pub fn parse(text: &str) -> Result<Self, BadAnnounced> {
        let bad = || BadAnnounced(text.escape_debug().take(80).collect());
        let (kind, proxy) = text.split_once(' ').ok_or_else(bad)?;
        let secure = match kind {
            "PROXY" => false,
            "HTTPS" => true,
            _ => return Err(bad()),
        };
        let proxy = Authority::parse(proxy.trim(), None).map_err(|_| bad())?;
        Ok(Self { secure, proxy })
    }

    /// The plain door at `address`. A listener on all addresses is reached by the name under which it was asked.
    pub fn plain(address: SocketAddr, asked: Option<&Host>) -> Option<Self> {
        let named = if address.ip().is_unspecified() {
            asked.cloned()
        } else {
            None
        };
        let ip = if address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            address.ip().to_string()
        };
        let host = named.or_else(|| Host::parse(&ip).ok())?;
        Some(Self {
            secure: false,
            proxy: Authority {
                host,
                port: address.port(),
            },
        })
    }
}

impl fmt::Display for Announced {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.secure { "HTTPS" } else { "PROXY" };
        write!(out, "{kind} {}", self.proxy)
    }
}

impl TryFrom<String> for Announced {
    type Error = BadAnnounced;

    fn try_from(text: String) -> Result<Self, BadAnnounced> {
        Self::parse(&text)
    }
}

impl From<Announced> for String {
    fn from(announced: Announced) -> Self {
        announced.to_string()
    }
}

impl Pac {
    /// The ways to announce, given where the plain door listens and under which name the file was asked for.
    pub fn announced(&self, plain: SocketAddr, asked: Option<&Host>) -> Vec<Announced> {
        if self.announce.is_empty() {
            Announced::plain(plain, asked).into_iter().collect()
        } else {
            self.announce.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_the_proxy_read_as_they_are_written() {
        for text in ["PROXY 127.0.0.1:3128", "HTTPS proxy.corp:3129", "PROXY [::1]:3128"] {
            assert_eq!(Announced::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "DIRECT", "PROXY", "PROXY host", "SOCKS host:1", "PROXY a:1; DIRECT"] {
            assert!(Announced::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_announced_by_the_name_it_was_asked_by() {
        let pac = Pac::default();
        let (all, one) = ("0.0.0.0:3128".parse().unwrap(), "10.0.0.7:3128".parse().unwrap());
        let asked = Host::parse("proxy.corp").unwrap();
        let line = |ways: Vec<Announced>| ways.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert_eq!(line(pac.announced(all, Some(&asked))), "PROXY proxy.corp:3128");
        assert_eq!(line(pac.announced(one, Some(&asked))), "PROXY 10.0.0.7:3128");
        assert_eq!(line(pac.announced(all, None)), "PROXY 127.0.0.1:3128");
    }
}
