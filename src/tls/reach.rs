//! Whom an authority may speak for: the name constraints of its certificate. Pure.
//!
//! Source: RFC 5280 §4.2.1.10. Names of another kind than hosts and addresses are not read: our leaves carry none.

use std::fmt;
use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints};

use crate::facts::Host;

/// The name constraints of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    permitted: Subtrees,
    excluded: Subtrees,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Subtrees {
    names: Vec<String>,
    networks: Vec<Network>,
}

/// Address and mask, 4 or 16 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Network {
    address: Vec<u8>,
    mask: Vec<u8>,
}

impl Constraints {
    /// Reads the extension.
    pub(super) fn read(extension: &NameConstraints<'_>) -> Self {
        Self {
            permitted: Subtrees::read(extension.permitted_subtrees.as_deref()),
            excluded: Subtrees::read(extension.excluded_subtrees.as_deref()),
        }
    }

    /// Whether a certificate for `host` respects the constraints.
    pub fn permit(&self, host: &Host) -> bool {
        match host.as_ip() {
            None => {
                let covered = |base: &String| covers(base, host.as_str());
                (self.permitted.names.is_empty() || self.permitted.names.iter().any(covered))
                    && !self.excluded.names.iter().any(covered)
            }
            Some(address) => {
                let octets = octets(address);
                let covered = |network: &Network| network.holds(&octets);
                (self.permitted.networks.is_empty() || self.permitted.networks.iter().any(covered))
                    && !self.excluded.networks.iter().any(covered)
            }
        }
    }

    /// Every constraint for people: `only linkedin.com`, `never ads.linkedin.com`, `only 10.0.0.0/8`.
    pub fn lines(&self) -> Vec<String> {
        let subtrees = [("only", &self.permitted), ("never", &self.excluded)];
        let lines = subtrees.into_iter().flat_map(|(verb, subtrees)| {
            let names = subtrees.names.iter().map(move |name| format!("{verb} {name}"));
            names.chain(subtrees.networks.iter().map(move |network| format!("{verb} {network}")))
        });
        lines.collect()
    }

    /// The names and single addresses that are permitted, as hosts that a new certificate can be made for.
    pub fn hosts(&self) -> Vec<Host> {
        let names = self
            .permitted
            .names
            .iter()
            .map(|name| name.trim_start_matches('.').to_owned());
        let addresses = self.permitted.networks.iter().filter_map(Network::one_address);
        names
            .chain(addresses.map(|address| address.to_string()))
            .filter_map(|host| Host::parse(&host).ok())
            .collect()
    }

    /// The names that are permitted; empty means every name.
    pub fn permitted_names(&self) -> &[String] {
        &self.permitted.names
    }
}

impl Subtrees {
    fn read(subtrees: Option<&[GeneralSubtree<'_>]>) -> Self {
        let mut read = Self::default();
        for subtree in subtrees.unwrap_or_default() {
            if let GeneralName::DNSName(name) = &subtree.base {
                read.names.push(name.to_ascii_lowercase());
            } else if let GeneralName::IPAddress(bytes) = &subtree.base {
                let (address, mask) = bytes.split_at_checked(bytes.len() / 2).unwrap_or_default();
                read.networks.push(Network {
                    address: address.to_vec(),
                    mask: mask.to_vec(),
                });
            }
        }
        read
    }
}

impl Network {
    /// The address, if the network has no other.
    fn one_address(&self) -> Option<IpAddr> {
        self.mask.iter().all(|byte| *byte == u8::MAX).then(|| self.address())?
    }

    fn address(&self) -> Option<IpAddr> {
        let v4: Option<[u8; 4]> = self.address.as_slice().try_into().ok();
        let v6: Option<[u8; 16]> = self.address.as_slice().try_into().ok();
        v4.map(IpAddr::from).or(v6.map(IpAddr::from))
    }

    fn holds(&self, octets: &[u8]) -> bool {
        octets.len() == self.address.len()
            && octets
                .iter()
                .zip(&self.address)
                .zip(&self.mask)
                .all(|((octet, base), mask)| octet & mask == base & mask)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits: u32 = self.mask.iter().map(|byte| byte.count_ones()).sum();
        match self.address() {
            Some(address) => write!(out, "{address}/{bits}"),
            None => out.write_str("an unreadable network"),
        }
    }
}

/// `example.com` covers itself and what is below; `.example.com` only what is below; the empty name everything.
fn covers(base: &str, name: &str) -> bool {
    if base.is_empty() || name == base {
        return true;
    }
    match name.strip_suffix(base) {
        Some(left) => base.starts_with('.') || left.ends_with('.'),
        None => false,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(permitted: &[&str], excluded: &[&str]) -> Constraints {
        let subtrees = |names: &[&str]| Subtrees {
            names: names.iter().map(ToString::to_string).collect(),
            networks: Vec::new(),
        };
        Constraints {
            permitted: subtrees(permitted),
            excluded: subtrees(excluded),
        }
    }

    #[test]
    fn a_name_below_a_permitted_one_is_permitted_and_its_neighbour_is_not() {
        let only = constraints(&["linkedin.com", ".corp.example"], &["ads.linkedin.com"]);
        for (name, permitted) in [
            ("linkedin.com", true),
            ("www.linkedin.com", true),
            ("notlinkedin.com", false),
            ("linkedin.com.evil.example", false),
            ("x.ads.linkedin.com", false),
            ("corp.example", false),
            ("a.corp.example", true),
            ("127.0.0.1", true),
        ] {
            assert_eq!(only.permit(&Host::parse(name).unwrap()), permitted, "{name}");
        }
        assert!(constraints(&[], &[]).permit(&Host::parse("anything.example").unwrap()));
        assert!(constraints(&[""], &[]).permit(&Host::parse("anything.example").unwrap()));
    }

    #[test]
    fn addresses_are_held_against_networks_of_their_own_family() {
        let mut only = constraints(&[], &[]);
        only.permitted.networks = vec![Network {
            address: vec![10, 0, 0, 0],
            mask: vec![255, 0, 0, 0],
        }];
        assert!(only.permit(&Host::parse("10.1.2.3").unwrap()));
        assert!(!only.permit(&Host::parse("11.1.2.3").unwrap()));
        assert!(!only.permit(&Host::parse("::1").unwrap()));
        assert_eq!(only.lines(), ["only 10.0.0.0/8"]);
    }
}
