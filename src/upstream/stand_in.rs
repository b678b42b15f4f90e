//! Where to connect instead: `upstream.map`. Pure.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::UpstreamError;
use crate::facts::{Authority, Host};

/// The lines of `upstream.map`, most specific first.
#[derive(Clone, Debug, Default)]
pub(super) struct StandIns(Vec<(Pattern, Option<u16>, SocketAddr)>);

/// Which hosts a line is for. The order is that of trying: exact hosts, long domains, short domains, everything.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Host(Host),
    Below(String),
    Any,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('*') {
            Some("") => Some(Self::Any),
            Some(below) => {
                let domain = Host::parse(below.strip_prefix('.')?).ok()?;
                Some(Self::Below(format!(".{domain}")))
            }
            None => Host::parse(text).ok().map(Self::Host),
        }
    }

    fn fits(&self, host: &Host) -> bool {
        match self {
            Self::Host(own) => own == host,
            Self::Below(domain) => host.as_str().ends_with(domain),
            Self::Any => true,
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Host(_) => usize::MAX,
            Self::Below(domain) => domain.len(),
            Self::Any => 0,
        }
    }
}

impl StandIns {
    /// Reads the map; the first line that is not understood is the error.
    pub(super) fn parse(map: &BTreeMap<String, String>) -> Result<Self, UpstreamError> {
        let mut lines = Vec::new();
        for (key, value) in map {
            let wrong = |why| UpstreamError::Map {
                key: key.clone(),
                value: value.clone(),
                why,
            };
            let address = value
                .parse()
                .map_err(|_| wrong("write the address and the port to connect to, such as `127.0.0.1:8443`"))?;
            let (pattern, port) = split_port(key)
                .and_then(|(host, port)| Some((Pattern::parse(host)?, port)))
                .ok_or_else(|| wrong("write a host, `host:port`, `*.domain` or `*`"))?;
            lines.push((pattern, port, address));
        }
        lines.sort_by_key(|(pattern, port, _)| std::cmp::Reverse((pattern.weight(), port.is_some())));
        Ok(Self(lines))
    }

    /// The address that stands in for `authority`, if one does.
    pub(super) fn of(&self, authority: &Authority) -> Option<SocketAddr> {
        self.0
            .iter()
            .find(|(pattern, port, _)| pattern.fits(&authority.host) && port.is_none_or(|port| port == authority.port))
            .map(|(_, _, address)| *address)
    }
}

/// `host`, `host:port`, `[v6]:port`, `v6`.
fn split_port(key: &str) -> Option<(&str, Option<u16>)> {
    match key.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => Some((host, Some(port.parse().ok()?))),
        Some(_) | None => Some((key, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> Result<StandIns, UpstreamError> {
        let owned = lines
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        StandIns::parse(&owned.collect())
    }

    #[test]
    fn the_most_specific_line_counts() {
        let map = map(&[
            ("*", "127.0.0.1:1"),
            ("*:80", "127.0.0.1:2"),
            ("*.x.com", "127.0.0.1:3"),
            ("*.api.x.com", "127.0.0.1:4"),
            ("www.X.com", "127.0.0.1:5"),
            ("www.x.com:80", "127.0.0.1:6"),
            ("[2001:db8::1]:443", "127.0.0.1:7"),
        ])
        .unwrap();
        for (authority, port) in [
            ("reddit.com:443", 1),
            ("reddit.com:80", 2),
            ("a.x.com:443", 3),
            ("x.com:443", 1),
            ("evilx.com:443", 1),
            ("v1.api.x.com:80", 4),
            ("www.x.com:443", 5),
            ("www.x.com:80", 6),
            ("[2001:db8::1]:443", 7),
        ] {
            let address = map.of(&Authority::parse(authority, None).unwrap()).unwrap();
            assert_eq!(address.port(), port, "{authority}");
        }
    }

    #[test]
    fn without_a_line_there_is_no_stand_in() {
        let map = map(&[("x.com", "127.0.0.1:1")]).unwrap();
        assert_eq!(map.of(&Authority::parse("y.com:443", None).unwrap()), None);
    }

    #[test]
    fn a_line_that_is_not_understood_is_reported_with_a_way_to_write_it() {
        for (key, value, part) in [
            ("x.com", "localhost:80", "such as `127.0.0.1:8443`"),
            ("x.com", "127.0.0.1", "such as `127.0.0.1:8443`"),
            ("*x.com", "127.0.0.1:1", "`*.domain` or `*`"),
            ("x.com:http", "127.0.0.1:1", "`*.domain` or `*`"),
        ] {
            let text = map(&[(key, value)]).unwrap_err().to_string();
            assert!(text.contains(part) && text.contains(key), "{text}");
        }
    }
}
