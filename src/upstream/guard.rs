//! Which addresses are never dialled, each with its source and reason. Pure.
//!
//! A name can resolve to anything, also to the machines behind us: whoever makes the gateway connect to its own
//! neighbours reaches what no outsider should. So only public addresses are dialled, and the address that is checked
//! here is the address that is dialled.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address is not dialled unless the settings list its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// This host on this network, or no address at all.
    Unspecified,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// The inside of a provider's address translation.
    SharedSpace,
    /// Only the neighbours on one link.
    LinkLocal,
    /// A cloud's metadata or control service: hands out the machine's credentials.
    Metadata,
    /// Many receivers.
    Multicast,
    /// Every neighbour.
    Broadcast,
    /// Examples in documents.
    Documentation,
    /// Benchmarks of network devices.
    Benchmarking,
    /// Set apart for protocols, not for hosts.
    Protocol,
    /// Nobody has it yet.
    Reserved,
    /// An IPv6 address that hides an IPv4 address which is not dialled, or a tunnel that nobody should use.
    Embedding,
    /// One of the gateway's own doors.
    OwnDoor,
}

impl Class {
    /// What it is and who says so, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unspecified => "it is no host's address (RFC 1122, RFC 4291)",
            Self::Loopback => "it is this machine itself (RFC 1122, RFC 4291)",
            Self::Private => "it is private (RFC 1918, RFC 4193, RFC 3879)",
            Self::SharedSpace => "it is inside a provider's address translation (RFC 6598)",
            Self::LinkLocal => "it is link-local (RFC 3927, RFC 4291)",
            Self::Metadata => "it is a cloud's metadata service",
            Self::Multicast => "it is multicast (RFC 5771, RFC 4291)",
            Self::Broadcast => "it is broadcast (RFC 919)",
            Self::Documentation => "it is for documentation (RFC 5737, RFC 3849, RFC 9637)",
            Self::Benchmarking => "it is for benchmarks (RFC 2544, RFC 5180)",
            Self::Protocol => "it is set apart for protocols (RFC 6890)",
            Self::Reserved => "it is reserved (RFC 1112, RFC 4291)",
            Self::Embedding => "it hides an IPv4 address or a tunnel (RFC 4291, RFC 4380, RFC 3056, RFC 8215)",
            Self::OwnDoor => "it is the gateway's own door",
        }
    }
}

/// An address that is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The address.
    pub address: IpAddr,
    /// Why.
    pub class: Class,
}

impl fmt::Display for Guarded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` is not dialled: {}", self.address, self.class.reason())?;
        match self.class {
            Class::OwnDoor => Ok(()),
            Class::Unspecified
            | Class::Loopback
            | Class::Private
            | Class::SharedSpace
            | Class::LinkLocal
            | Class::Metadata
            | Class::Multicast
            | Class::Broadcast
            | Class::Documentation
            | Class::Benchmarking
            | Class::Protocol
            | Class::Reserved
            | Class::Embedding => write!(out, "; `upstream.allow` could list its network"),
        }
    }
}

/// The rule: public addresses, and what the settings allow beside them.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allow: Vec<IpNet>,
    doors: Vec<SocketAddr>,
}

impl Guard {
    /// Lets through public addresses and the networks in `allow`.
    pub fn new(allow: &[IpNet]) -> Self {
        Self {
            allow: allow.to_vec(),
            doors: Vec::new(),
        }
    }

    /// Never lets through `doors`, which are our own.
    pub fn never(&mut self, doors: &[SocketAddr]) {
        self.doors.extend_from_slice(doors);
    }

    /// Lets `target` through in the form in which it is dialled, or says why not.
    pub fn check(&self, target: SocketAddr) -> Result<SocketAddr, Guarded> {
        // A mapped address reaches the IPv4 host itself: judged and dialled as such.
        let address = target.ip().to_canonical();
        let guarded = |class| Guarded { address, class };
        if self.doors.iter().any(|door| is_door(*door, address, target.port())) {
            return Err(guarded(Class::OwnDoor));
        }
        match classify(address) {
            Some(class) if !self.allows(address, class) => Err(guarded(class)),
            Some(_) | None => Ok(SocketAddr::new(address, target.port())),
        }
    }

    /// Looks at a connection that stands: where it has really come to, and whether that is this machine, which is known
    /// by both ends having one address.
    pub(super) fn met(&self, local: SocketAddr, peer: SocketAddr) -> Result<(), Guarded> {
        let (address, class) = (peer.ip().to_canonical(), Class::OwnDoor);
        let to_ourselves = local.ip().to_canonical() == address;
        let ours = |door: &SocketAddr| {
            let ip = door.ip().to_canonical();
            door.port() == peer.port() && (ip == address || (to_ourselves && ip.is_unspecified()))
        };
        if self.doors.iter().any(ours) {
            return Err(Guarded { address, class });
        }
        Ok(())
    }

    fn allows(&self, address: IpAddr, class: Class) -> bool {
        self.allow.iter().any(|net| {
            // `0.0.0.0/0` is written quickly, and must not hand out the machine's credentials.
            let alone = class != Class::Metadata || net.prefix_len() == net.max_prefix_len();
            alone && net.contains(&address)
        })
    }
}

/// A door that listens everywhere is reached by every address of this machine; before connecting, we know loopback.
fn is_door(door: SocketAddr, address: IpAddr, port: u16) -> bool {
    // where the system takes whoever connects to no address at all
    let address = match address {
        IpAddr::V4(four) if four.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(six) if six.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) | IpAddr::V6(_) => address,
    };
    let everywhere = door.ip().is_unspecified() && address.is_loopback();
    door.port() == port && (door.ip().to_canonical() == address || everywhere)
}

/// Why `address` is not public; none for a public one.
pub fn classify(address: IpAddr) -> Option<Class> {
    match address.to_canonical() {
        IpAddr::V4(four) => first(V4, |net| net.contains(&four)),
        IpAddr::V6(six) => classify_v6(six),
    }
}

fn classify_v6(six: Ipv6Addr) -> Option<Class> {
    let inside = |net: Ipv6Net| net.contains(&six);
    if let Some(class) = first(V6, |net| inside(*net)) {
        return Some(class);
    }
    let [_, a, b, _, _, _, c, d] = six.segments();
    if inside(NAT64) {
        // RFC 6052 §2.1: the last 32 bits are an IPv4 address, which is where it goes.
        return embedded(c, d);
    }
    if inside(SIX_TO_FOUR) {
        // RFC 3056 §2: the address of the router behind which it lies.
        return embedded(a, b);
    }
    // IANA has given out nothing outside 2000::/3 for hosts on the internet (RFC 4291 §2.4, RFC 3587).
    (!inside(GLOBAL_UNICAST)).then_some(Class::Reserved)
}

fn embedded(high: u16, low: u16) -> Option<Class> {
    let bits = (u32::from(high) << 16) | u32::from(low);
    classify(Ipv4Addr::from_bits(bits).into()).map(|_| Class::Embedding)
}

/// The first row that fits: special ones stand before the networks that hold them.
fn first<N>(table: &[(N, Class)], fits: impl Fn(&N) -> bool) -> Option<Class> {
    table.iter().find(|(net, _)| fits(net)).map(|(_, class)| *class)
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

const fn v6_end(a: u16, b: u16, end: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, end), length)
}

/// Well-known translation prefix (RFC 6052 §2.1): networks without IPv4 reach it this way.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// IANA's special-purpose registry for IPv4 (RFC 6890 and what updates it).
const V4: &[(Ipv4Net, Class)] = &[
    (v4(169, 254, 169, 254, 32), Class::Metadata), // AWS, Azure, Google, Oracle and most others
    (v4(169, 254, 170, 2, 32), Class::Metadata),   // AWS, credentials of containers
    (v4(169, 254, 170, 23, 32), Class::Metadata),  // AWS, credentials of pods
    (v4(168, 63, 129, 16, 32), Class::Metadata),   // Azure's control channel, in public space
    (v4(100, 100, 100, 200, 32), Class::Metadata), // Alibaba
    (v4(192, 0, 0, 192, 32), Class::Metadata),     // Oracle, classic
    (v4(0, 0, 0, 0, 8), Class::Unspecified),       // RFC 1122 §3.2.1.3
    (v4(10, 0, 0, 0, 8), Class::Private),          // RFC 1918
    (v4(100, 64, 0, 0, 10), Class::SharedSpace),   // RFC 6598
    (v4(127, 0, 0, 0, 8), Class::Loopback),        // RFC 1122 §3.2.1.3
    (v4(169, 254, 0, 0, 16), Class::LinkLocal),    // RFC 3927
    (v4(172, 16, 0, 0, 12), Class::Private),       // RFC 1918
    (v4(192, 0, 0, 0, 24), Class::Protocol),       // RFC 6890 §2.1
    (v4(192, 0, 2, 0, 24), Class::Documentation),  // RFC 5737
    (v4(192, 88, 99, 0, 24), Class::Protocol),     // RFC 7526: 6to4 relays, withdrawn
    (v4(192, 168, 0, 0, 16), Class::Private),      // RFC 1918
    (v4(198, 18, 0, 0, 15), Class::Benchmarking),  // RFC 2544
    (v4(198, 51, 100, 0, 24), Class::Documentation), // RFC 5737
    (v4(203, 0, 113, 0, 24), Class::Documentation), // RFC 5737
    (v4(224, 0, 0, 0, 4), Class::Multicast),       // RFC 5771
    (v4(255, 255, 255, 255, 32), Class::Broadcast), // RFC 919
    (v4(240, 0, 0, 0, 4), Class::Reserved),        // RFC 1112 §4
];

/// IANA's special-purpose registry for IPv6 (RFC 6890 and what updates it), without the two that embed by rule.
const V6: &[(Ipv6Net, Class)] = &[
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128),
        Class::Metadata,
    ), // AWS
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
        Class::Metadata,
    ), // Google
    (v6_end(0, 0, 0, 128), Class::Unspecified),       // RFC 4291 §2.5.2
    (v6_end(0, 0, 1, 128), Class::Loopback),          // RFC 4291 §2.5.3
    (v6(0, 0, 0, 96), Class::Embedding),              // RFC 4291 §2.5.5.1: compatible, withdrawn
    (v6(0x64, 0xff9b, 1, 48), Class::Embedding),      // RFC 8215: translation of one's own networks
    (v6(0x100, 0, 0, 64), Class::Reserved),           // RFC 6666: discard
    (v6(0x2001, 0, 0, 32), Class::Embedding),         // RFC 4380: Teredo
    (v6(0x2001, 2, 0, 48), Class::Benchmarking),      // RFC 5180
    (v6(0x2001, 0xdb8, 0, 32), Class::Documentation), // RFC 3849
    (v6(0x2001, 0, 0, 23), Class::Protocol),          // RFC 2928, with ORCHID (RFC 7343)
    (v6(0x3fff, 0, 0, 20), Class::Documentation),     // RFC 9637
    (v6(0x5f00, 0, 0, 16), Class::Protocol),          // RFC 9602: segment routing
    (v6(0xfc00, 0, 0, 7), Class::Private),            // RFC 4193
    (v6(0xfe80, 0, 0, 10), Class::LinkLocal),         // RFC 4291 §2.5.6
    (v6(0xfec0, 0, 0, 10), Class::Private),           // RFC 3879: site-local, withdrawn
    (v6(0xff00, 0, 0, 8), Class::Multicast),          // RFC 4291 §2.7
];

#[cfg(test)]
mod tests {
    use super::*;

    fn class(address: &str) -> Option<Class> {
        classify(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_dialled() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert_eq!(class(address), None, "{address}");
        }
    }

    #[test]
    fn every_other_address_has_a_class() {
        for (address, expected) in [
            ("0.0.0.0", Class::Unspecified),
            ("0.1.2.3", Class::Unspecified),
            ("10.255.255.255", Class::Private),
            ("100.64.0.1", Class::SharedSpace),
            ("100.100.100.200", Class::Metadata),
            ("127.0.0.1", Class::Loopback),
            ("127.255.0.1", Class::Loopback),
            ("168.63.129.16", Class::Metadata),
            ("169.254.1.1", Class::LinkLocal),
            ("169.254.169.254", Class::Metadata),
            ("169.254.170.2", Class::Metadata),
            ("172.16.0.1", Class::Private),
            ("172.31.255.255", Class::Private),
            ("192.0.0.8", Class::Protocol),
            ("192.0.2.1", Class::Documentation),
            ("192.88.99.1", Class::Protocol),
            ("192.168.1.1", Class::Private),
            ("198.18.0.1", Class::Benchmarking),
            ("198.19.255.255", Class::Benchmarking),
            ("198.51.100.1", Class::Documentation),
            ("203.0.113.1", Class::Documentation),
            ("224.0.0.1", Class::Multicast),
            ("239.255.255.255", Class::Multicast),
            ("240.0.0.1", Class::Reserved),
            ("255.255.255.255", Class::Broadcast),
            ("::", Class::Unspecified),
            ("::1", Class::Loopback),
            ("::127.0.0.1", Class::Embedding),
            ("::8.8.8.8", Class::Embedding),
            ("::ffff:127.0.0.1", Class::Loopback),
            ("::ffff:10.0.0.1", Class::Private),
            ("64:ff9b::127.0.0.1", Class::Embedding),
            ("64:ff9b::169.254.169.254", Class::Embedding),
            ("64:ff9b:1::8.8.8.8", Class::Embedding),
            ("100::1", Class::Reserved),
            ("2001::1", Class::Embedding),
            ("2001:2::1", Class::Benchmarking),
            ("2001:20::1", Class::Protocol),
            ("2001:db8::1", Class::Documentation),
            ("2002:7f00:1::1", Class::Embedding),
            ("2002:a9fe:a9fe::1", Class::Embedding),
            ("3fff::1", Class::Documentation),
            ("4000::1", Class::Reserved),
            ("5f00::1", Class::Protocol),
            ("fc00::1", Class::Private),
            ("fd00:ec2::254", Class::Metadata),
            ("fdff::1", Class::Private),
            ("fe80::1", Class::LinkLocal),
            ("fec0::1", Class::Private),
            ("ff02::1", Class::Multicast),
        ] {
            assert_eq!(class(address), Some(expected), "{address}");
        }
    }

    fn guard(allow: &[&str]) -> Guard {
        Guard::new(&allow.iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn the_settings_open_networks_and_nothing_beside_them() {
        let guard = guard(&["10.1.0.0/16", "127.0.0.1/32"]);
        for (target, open) in [
            ("10.1.2.3:443", true),
            ("[::ffff:10.1.2.3]:443", true),
            ("10.2.2.3:443", false),
            ("127.0.0.1:443", true),
            ("127.0.0.2:443", false),
            ("[64:ff9b::10.1.2.3]:443", false),
        ] {
            assert_eq!(guard.check(target.parse().unwrap()).is_ok(), open, "{target}");
        }
    }

    #[test]
    fn metadata_services_open_only_when_they_are_named() {
        let target = "169.254.169.254:80".parse().unwrap();
        assert!(guard(&["0.0.0.0/0"]).check(target).is_err());
        assert!(guard(&["169.254.0.0/16"]).check(target).is_err());
        assert!(guard(&["169.254.169.254/32"]).check(target).is_ok());
    }

    #[test]
    fn what_is_dialled_is_the_form_that_was_judged() {
        let mapped = "[::ffff:8.8.8.8]:443".parse().unwrap();
        assert_eq!(guard(&[]).check(mapped), Ok("8.8.8.8:443".parse().unwrap()));
    }

    #[test]
    fn our_own_doors_stay_shut_even_where_loopback_is_allowed() {
        let mut guard = guard(&["0.0.0.0/0", "::/0"]);
        guard.never(&[
            "127.0.0.1:3128".parse().unwrap(),
            "0.0.0.0:3129".parse().unwrap(),
            "[::1]:3131".parse().unwrap(),
        ]);
        for (target, open) in [
            ("127.0.0.1:3128", false),
            ("[::ffff:127.0.0.1]:3128", false),
            ("127.0.0.2:3128", true),
            ("127.0.0.9:3129", false),
            ("127.0.0.1:3130", true),
            ("0.0.0.0:3128", false),
            ("[::ffff:0.0.0.0]:3128", false),
            ("0.0.0.0:3129", false),
            ("[::]:3129", false),
            ("[::]:3131", false),
            ("0.0.0.0:3130", true),
            ("[::]:3130", true),
        ] {
            assert_eq!(guard.check(target.parse().unwrap()).is_ok(), open, "{target}");
        }
    }

    #[test]
    fn a_connection_that_has_come_to_a_door_of_ours_is_known() {
        let mut guard = guard(&[]);
        guard.never(&["[::]:3128".parse().unwrap(), "192.168.0.2:3129".parse().unwrap()]);
        for (local, peer, open) in [
            ("192.168.0.2:50000", "192.168.0.2:3128", false),
            ("192.168.0.2:50000", "[::ffff:192.168.0.2]:3128", false),
            ("192.168.0.2:50000", "192.168.0.2:443", true),
            ("192.168.0.2:50000", "192.168.0.3:3128", true),
            ("10.0.0.2:50000", "10.0.0.2:3129", true),
            ("10.0.0.2:50000", "192.168.0.2:3129", false),
            ("10.0.0.2:50000", "[::ffff:192.168.0.2]:3129", false),
        ] {
            let met = guard.met(local.parse().unwrap(), peer.parse().unwrap());
            assert_eq!(met.is_ok(), open, "{peer}");
        }
    }

    #[test]
    fn a_guarded_address_says_why_and_what_would_open_it() {
        let guarded = guard(&[]).check("10.0.0.1:80".parse().unwrap()).unwrap_err();
        assert_eq!(
            guarded.to_string(),
            "`10.0.0.1` is not dialled: it is private (RFC 1918, RFC 4193, RFC 3879); `upstream.allow` could list its \
             network"
        );
    }
}
