//! What types cannot say about settings: values that parse and still make no sense.

use super::File;

/// In seconds.
const DAY: i64 = 86_400;

/// In bytes: what browsers send without a cookie.
const LEAST_HEAD: i64 = 1024;

/// In milliseconds.
const LONGEST_SYNC: i64 = 60_000;

/// A setting that makes no sense.
#[derive(Debug)]
pub(super) struct Finding {
    /// Its path, e.g. `tls.leaf_days`.
    pub(super) path: String,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

fn finding(path: &str, message: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding {
        path: path.to_owned(),
        message: message.into(),
        help: help.into(),
    }
}

/// Everything that makes no sense.
pub(super) fn findings(file: &File) -> Vec<Finding> {
    let mut found: Vec<Finding> = file
        .identity
        .problems()
        .into_iter()
        .map(|bad| finding(&format!("identity.{}", bad.field), bad.message, bad.help))
        .collect();
    let ledger = file.ledger.problems().into_iter();
    found.extend(ledger.map(|bad| finding(&format!("ledger.{}", bad.field), bad.message, bad.help)));
    let notices = file.notices.problems().into_iter();
    found.extend(notices.map(|bad| finding(&format!("notices.{}", bad.field), bad.message, bad.help)));
    found.extend(addresses(file));
    found.extend(bounds(file));
    found.extend(networks(file));
    found.extend(via(&file.proxy.via));
    if !(1..=90).contains(&file.tls.leaf_days) {
        found.push(finding(
            "tls.leaf_days",
            format!("a minted certificate cannot be valid for {} days", file.tls.leaf_days),
            "use 1 to 90",
        ));
    }
    if !(1..=1440).contains(&file.portal.continue_minutes) {
        found.push(finding(
            "portal.continue_minutes",
            format!("nobody can go on untold for {} minutes", file.portal.continue_minutes),
            "use 1 to 1440, which is a day",
        ));
    }
    if file.portal.delegation_days > 366 {
        found.push(finding(
            "portal.delegation_days",
            format!(
                "nobody should answer for somebody else for {} days",
                file.portal.delegation_days
            ),
            "use 1 to 366, or 0 for not at all",
        ));
    }
    if file.portal.host.as_ip().is_some() || !file.portal.host.as_str().contains('.') {
        found.push(finding(
            "portal.host",
            format!("`{}` cannot be the portal's name", file.portal.host),
            "use a name with a dot that no server has, e.g. `wayleave.internal`",
        ));
    }
    found
}

/// Two listeners cannot share an address; port 0 is never the same.
fn addresses(file: &File) -> Vec<Finding> {
    let listeners = [
        ("ingress.plain", file.ingress.plain),
        ("ingress.tls", file.ingress.tls),
        ("admin.listen", file.admin.listen),
    ];
    let mut found = Vec::new();
    for (at, (path, address)) in listeners.iter().enumerate() {
        for (other, same) in listeners.iter().take(at) {
            let overlap = address.ip() == same.ip() || address.ip().is_unspecified() || same.ip().is_unspecified();
            if address.port() != 0 && address.port() == same.port() && overlap {
                let message = format!("`{address}` overlaps with `{same}` of `{other}`");
                found.push(finding(path, message, "give each listener its own port"));
            }
        }
    }
    found
}

/// Networks that are written as one address of them, or that two names share: then which one is meant is anybody's guess.
fn networks(file: &File) -> Vec<Finding> {
    let named = file.ingress.networks.iter();
    let named: Vec<_> = named
        .flat_map(|(name, of)| {
            of.iter()
                .map(move |network| (format!("ingress.networks.{name}"), network))
        })
        .collect();
    let listed = [
        ("ingress.basic_networks", &file.ingress.basic_networks),
        ("upstream.allow", &file.upstream.allow),
    ];
    let listed = listed
        .into_iter()
        .flat_map(|(path, of)| of.iter().map(move |network| (path.to_owned(), network)));
    let all: Vec<_> = named.iter().cloned().chain(listed).collect();
    let loose = all
        .iter()
        .filter(|(_, network)| network.trunc() != **network)
        .map(|(path, network)| {
            let message = format!("`{network}` is an address inside of a network");
            let (one, length) = (network.addr(), network.max_prefix_len());
            finding(
                path,
                message,
                format!(
                    "write `{}` for all of it, or `{one}/{length}` for the address alone",
                    network.trunc()
                ),
            )
        });
    let shared = named.iter().enumerate().filter_map(|(at, (path, network))| {
        let (first, _) = named.iter().take(at).find(|(_, other)| other == network)?;
        let message = format!("`{network}` belongs to `{first}` already");
        Some(finding(path, message, "name each network once"))
    });
    loose.chain(shared).collect()
}

/// How the gateway names itself is a token, or a host and a port (RFC 9110 §7.6.3); nothing at all where it says nothing.
fn via(name: &str) -> Option<Finding> {
    let is_received_by = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:[]".contains(c);
    (!name.chars().all(is_received_by)).then(|| {
        let message = format!("`{}` cannot stand in `Via`", name.escape_debug());
        finding(
            "proxy.via",
            message,
            "use letters, digits, dots and dashes, e.g. `gate.corp.example`",
        )
    })
}

/// A limit or a timeout of nothing lets nothing through; only of a client's share it means that there is no limit. And
/// what is counted in seconds ends within a day: clocks cannot add just any number.
fn bounds(file: &File) -> Vec<Finding> {
    let Ok(toml::Value::Table(sections)) = toml::Value::try_from(file) else {
        return Vec::new();
    };
    let numbers = sections.iter().flat_map(|(section, value)| {
        let keys = value.as_table().into_iter().flatten();
        keys.filter_map(move |(key, value)| Some((section, key, value.as_integer()?)))
    });
    let bound = |(section, key, number): (&String, &String, i64)| {
        let path = format!("{section}.{key}");
        if number == 0 && is_limit(key) {
            let message = format!("`{key}` of 0 would let nothing through");
            return Some(finding(&path, message, "use at least 1"));
        }
        if key == "max_header_bytes" && number < LEAST_HEAD {
            let message = format!("no browser's head fits into {number} bytes");
            return Some(finding(&path, message, format!("use at least {LEAST_HEAD}")));
        }
        if key == "sync_ms" && number > LONGEST_SYNC {
            let message = format!("a crash would lose lines of up to {number} milliseconds");
            return Some(finding(
                &path,
                message,
                format!("use at most {LONGEST_SYNC}, which is a minute"),
            ));
        }
        (number > DAY && key.ends_with("_s")).then(|| {
            let message = format!("`{key}` of {number} seconds is longer than anything here may take or last");
            finding(&path, message, format!("use at most {DAY}, which is a day"))
        })
    };
    numbers.filter_map(bound).collect()
}

fn is_limit(key: &str) -> bool {
    key.ends_with("_timeout_s")
        || key.starts_with("max_") && !key.starts_with("max_idle") && key != "max_connections_per_client"
        || [
            "queue",
            "backlog",
            "segment_bytes",
            "sync_ms",
            "tunnel_idle_s",
            "ticket_s",
        ]
        .contains(&key)
}
