//! Who holds a port that we wanted? Reads `/proc`, so that the answer has a name and not only a number.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads /proc to name the holder of a taken port"
)]

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// The process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name, as the kernel knows it.
    pub name: String,
    /// Its process id.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` (process {})", self.name, self.pid)
    }
}

/// The process that keeps us from listening on `address`, where the system tells.
pub(super) fn holder(address: SocketAddr) -> Option<Holder> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, address))
        .collect();
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    if wanted.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.filter_map(Result::ok).find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path(), &wanted).then(|| Holder {
            name: fs::read_to_string(process.path().join("comm"))
                .map_or_else(|_| "?".to_owned(), |name| name.trim().to_owned()),
            pid,
        })
    })
}

/// Whether one of the process's file descriptors is one of the sockets.
fn holds(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else {
        return false; // somebody else's process, or one that is gone
    };
    descriptors
        .filter_map(Result::ok)
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| {
            target
                .to_str()
                .is_some_and(|target| sockets.iter().any(|socket| socket == target))
        })
}

/// The inodes of the sockets in a `/proc/net/tcp` table that listen where `address` would.
fn listeners(table: &str, address: SocketAddr) -> Vec<u64> {
    let listening = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (ip, port) = local(fields.get(1)?)?;
        let conflict = port == address.port()
            && (ip.to_canonical() == address.ip().to_canonical()
                || ip.is_unspecified()
                || address.ip().is_unspecified());
        if *fields.get(3)? == "0A" && conflict {
            fields.get(9)?.parse().ok()
        } else {
            None
        }
    };
    table.lines().skip(1).filter_map(listening).collect()
}

/// `0100007F:0C38`: words of the address in the machine's byte order, and the port.
fn local(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let words: Vec<[u8; 4]> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok())
        .map(|word| word.map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    let ip = match words.as_slice() {
        [v4] => IpAddr::V4(Ipv4Addr::from(*v4)),
        [_, _, _, _] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)),
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0C38 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41 1 0000 100 0 0 10 0
   1: 0100007F:0C38 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 42 1 0000 20 4 30 10 -1
   2: 00000000:0C39 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 43 1 0000 100 0 0 10 0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_sockets_that_listen_where_we_would_are_in_the_way() {
        let found = |address: &str| listeners(TABLE, address.parse().unwrap());
        assert_eq!(found("127.0.0.1:3128"), [41]);
        assert_eq!(found("0.0.0.0:3128"), [41]);
        assert_eq!(found("127.0.0.2:3128"), [0; 0]);
        assert_eq!(found("127.0.0.1:3129"), [43]);
        assert_eq!(found("[::ffff:127.0.0.1]:3128"), [41]);
        assert_eq!(found("127.0.0.1:1"), [0; 0]);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_of_both_families_are_read() {
        assert_eq!(local("0100007F:0C38"), Some((Ipv4Addr::LOCALHOST.into(), 3128)));
        let six = local("00000000000000000000000001000000:0050");
        assert_eq!(six, Some((Ipv6Addr::LOCALHOST.into(), 80)));
        assert_eq!(local("nonsense"), None);
    }
}
