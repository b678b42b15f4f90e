//! Where to: hosts in normal form, authorities, and what the catalogue makes of them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A host in normal form: lower-case A-labels without a trailing dot, or an IP address without brackets.
///
/// Source: RFC 9110 §4.2, RFC 5891 (IDNA), RFC 3986 §3.2.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(Arc<str>);

/// Why a text is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host name or an IP address")]
pub struct BadHost(String);

impl Host {
    /// Parses a host as it stands in a URL or an SNI extension; parsing a parsed host changes nothing.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let bad = || BadHost(text.escape_debug().take(80).collect());
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().to_string().into()));
        }
        if bare.is_some() {
            return Err(bad());
        }
        let name = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| bad())?;
        let name = name.strip_suffix('.').unwrap_or(&name);
        if is_dns_name(name) {
            Ok(Self(name.into()))
        } else {
            Err(bad())
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, if the host is one.
    pub fn as_ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }
}

/// RFC 1035 lengths; letters, digits, hyphens, and the underscore that real hosts use; never all-numeric at the end,
/// so that `1.2.3` or `0x7f.1` cannot pass for a name and then be dialled as an address.
fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    (1..=253).contains(&name.len()) && name.split('.').all(label) && !numeric
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for Host {
    type Error = BadHost;

    fn try_from(text: String) -> Result<Self, BadHost> {
        Self::parse(&text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0.as_ref().to_owned()
    }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Authority {
    /// The host, in normal form.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl Authority {
    /// Parses `host:port`, `[v6]:port`, or `host` where a default port is given.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, BadHost> {
        let bad = || BadHost(text.escape_debug().take(80).collect());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
                (host, if digits { port.parse().ok() } else { None }.ok_or_else(bad)?)
            }
            _ => (text, default_port.ok_or_else(bad)?),
        };
        if port == 0 {
            return Err(bad());
        }
        Ok(Self {
            host: Host::parse(host).map_err(|_| bad())?,
            port,
        })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.as_str().contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

impl TryFrom<String> for Authority {
    type Error = BadHost;

    fn try_from(text: String) -> Result<Self, BadHost> {
        Self::parse(&text, None)
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        authority.to_string()
    }
}

/// A service of the catalogue: `linkedin`, `youtube`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlatformId(Arc<str>);

impl PlatformId {
    /// The platform called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlatformId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A content category of the catalogue's tree: `professional`, `social-media`, `banking`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Category(Arc<str>);

impl Category {
    /// The category called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a host does for its platform, as the catalogue says: pages, calls, media, sign-in, beacons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the names are those of the catalogue, described in policies/README.md"
)]
pub enum SiteRole {
    Site,
    Api,
    Cdn,
    Media,
    Upload,
    Realtime,
    E2ee,
    Login,
    ShortLink,
    Ads,
    Manage,
    Pixel,
    Embed,
    Telemetry,
    Other,
}

/// What the catalogue makes of a host. Judging makes one for each request, so that what a platform's hosts have in common is
/// shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The host.
    pub host: Host,
    /// The platform it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformId>,
    /// All categories that the host or its platform is in, including those that a category is part of.
    #[serde(default)]
    pub categories: Arc<BTreeSet<Category>>,
    /// What the host does for its platform.
    #[serde(default)]
    pub roles: Arc<BTreeSet<SiteRole>>,
}

impl Place {
    /// Whether the catalogue knows the host, as a platform's or by a category.
    pub fn is_classified(&self) -> bool {
        self.platform.is_some() || !self.categories.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_normal_form() {
        for (text, normal) in [
            ("WWW.LinkedIn.COM.", "www.linkedin.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("[::1]", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("ｌinkedin.com", "linkedin.com"),
            ("_dmarc.example.org", "_dmarc.example.org"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), normal);
        }
    }

    #[test]
    fn what_is_neither_name_nor_address_is_refused() {
        for text in [
            "",
            ".",
            "a b",
            "exa\u{0}mple.com",
            "-a.com",
            "a..b",
            "1.2.3",
            "0x7f.1",
            "[1.2.3.4",
            "user@host",
            "a/b",
        ] {
            assert!(Host::parse(text).is_err(), "{text:?}");
        }
        assert!(Host::parse(&"a".repeat(64)).is_err());
    }

    #[test]
    fn an_authority_needs_a_port_from_somewhere() {
        assert_eq!(Authority::parse("[::1]:443", None).unwrap().to_string(), "[::1]:443");
        assert_eq!(Authority::parse("x.com", Some(80)).unwrap().port, 80);
        for bad in ["x.com", "x.com:", "x.com:0", "x.com:99999", "x.com:+1", "x.com:80:81"] {
            assert!(Authority::parse(bad, None).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_a_host_twice_is_parsing_it_once(text in "\\PC{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                proptest::prop_assert_eq!(Host::parse(host.as_str()).unwrap(), host);
            }
        }
    }
}
