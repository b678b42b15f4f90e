//! The PAC file: tells browsers what goes through the proxy. Pure: settings and domains in, a script out.
//!
//! The script is plain ECMAScript 3, looks nothing up, and asks no name server: browsers run it for every URL.

use crate::config::{Announced, Covers};
use crate::facts::Host;

/// What the script is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The ways to the proxy, best first.
    pub ways: &'a [Announced],
    /// What goes through it.
    pub covers: Covers,
    /// The portal's name: always through the proxy.
    pub portal: &'a Host,
    /// The catalogue's domains: always through the proxy.
    pub managed: &'a [Host],
    /// Domains that are reached directly although `covers` is [`Covers::All`].
    pub direct: &'a [Host],
}

/// Writes the script.
///
/// What is covered has no `DIRECT` behind it: when the proxy is down, a browser must not silently go around it.
pub fn script(parts: &Parts<'_>) -> String {
    let ways: Vec<String> = parts.ways.iter().map(ToString::to_string).collect();
    let rest = match parts.covers {
        Covers::All => "PROXIES",
        Covers::Managed => "\"DIRECT\"",
    };
    // A host is letters, digits, dots, hyphens, underscores and colons, and so is a way: JSON strings are safe here.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    SCRIPT
        .replace("{ways}", &text(&ways.join("; ")))
        .replace("{portal}", &text(parts.portal.as_str()))
        .replace("{managed}", &table(parts.managed))
        .replace("{direct}", &table(parts.direct))
        .replace("{rest}", rest)
}

fn table(hosts: &[Host]) -> String {
    let mut names: Vec<&str> = hosts.iter().map(Host::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("\n  {}: 1", serde_json::Value::from(*name)))
        .collect();
    format!("{{{}}}", lines.join(","))
}

const SCRIPT: &str = r#"// Written by wayleave. What goes through the proxy has no DIRECT behind it, on purpose.
var PROXIES = {ways};
var PORTAL = {portal};
var MANAGED = {managed};
var DIRECTLY = {direct};

// Whether the host or a domain that it is part of stands in the table.
function under(table, host) {
  for (;;) {
    if (Object.prototype.hasOwnProperty.call(table, host)) return true;
    var dot = host.indexOf(".");
    if (dot < 0) return false;
    host = host.substring(dot + 1);
  }
}

// This machine, and names that only the local network knows.
function isLocal(host) {
  if (host.indexOf(":") >= 0) return host === "::1" || host === "[::1]";
  if (host.indexOf(".") < 0) return true;
  return /\.localhost$/.test(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/\.$/, "");
  if (host === PORTAL || under(MANAGED, host)) return PROXIES;
  if (isLocal(host) || under(DIRECTLY, host)) return "DIRECT";
  return {rest};
}
"#;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests run the script in node")]
mod tests {
    use std::process::Command;

    use super::*;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| Host::parse(name).unwrap()).collect()
    }

    fn written(covers: Covers, ways: &[&str]) -> String {
        let ways: Vec<Announced> = ways.iter().map(|way| Announced::parse(way).unwrap()).collect();
        script(&Parts {
            ways: &ways,
            covers,
            portal: &Host::parse("wayleave.internal").unwrap(),
            managed: &hosts(&["linkedin.com", "x.com", "bücher.example", "x.com"]),
            direct: &hosts(&["corp.example", "linkedin.com"]),
        })
    }

    /// Runs the script in node, as a browser would: once, then `FindProxyForURL` for each URL.
    fn answers(script: &str, asked: &[(&str, &str)]) -> Vec<String> {
        let runner = "
            const [script, asked] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
            const room = require('vm').createContext({});
            require('vm').runInContext(script, room);
            console.log(JSON.stringify(asked.map(([url, host]) => room.FindProxyForURL(url, host))));";
        let mut node = Command::new("node")
            .args(["-e", runner])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("node runs (install it with: apt-get install nodejs)");
        let input = serde_json::to_vec(&(script, asked)).unwrap();
        std::io::Write::write_all(&mut node.stdin.take().unwrap(), &input).unwrap();
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    const PROXY: &str = "PROXY 127.0.0.1:3128";

    #[test]
    fn everything_but_this_machine_and_the_intranet_goes_through_the_proxy() {
        let table = [
            ("https://www.linkedin.com/feed/", "www.linkedin.com", PROXY),
            ("https://linkedin.com/", "linkedin.com", PROXY),
            ("https://WWW.LinkedIn.COM./", "WWW.LinkedIn.COM.", PROXY),
            ("https://notlinkedin.com/", "notlinkedin.com", PROXY),
            ("https://example.org/", "example.org", PROXY),
            ("wss://example.org/", "example.org", PROXY),
            ("https://wayleave.internal/", "wayleave.internal", PROXY),
            ("http://localhost:3000/", "localhost", "DIRECT"),
            ("http://app.localhost/", "app.localhost", "DIRECT"),
            ("http://127.0.0.1/", "127.0.0.1", "DIRECT"),
            ("http://127.0.0.1.evil.example/", "127.0.0.1.evil.example", PROXY),
            ("http://[::1]/", "[::1]", "DIRECT"),
            ("http://[::1]/", "::1", "DIRECT"),
            ("http://[2001:db8::1]/", "2001:db8::1", PROXY),
            ("http://printer/", "printer", "DIRECT"),
            ("https://wiki.corp.example/", "wiki.corp.example", "DIRECT"),
            ("https://constructor/", "constructor", "DIRECT"),
            ("https://a.constructor/", "a.constructor", PROXY),
        ];
        check(&written(Covers::All, &[PROXY]), &table);
    }

    #[test]
    fn only_managed_platforms_and_the_portal_go_through_the_proxy_where_that_is_wanted() {
        let ways = "HTTPS proxy.corp:3129; PROXY proxy.corp:3128";
        let table = [
            ("https://www.linkedin.com/", "www.linkedin.com", ways),
            ("https://x.com/", "x.com", ways),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", ways),
            ("https://wayleave.internal/", "wayleave.internal", ways),
            ("https://netflix-x.com/", "netflix-x.com", "DIRECT"),
            ("https://example.org/", "example.org", "DIRECT"),
            ("https://com/", "com", "DIRECT"),
            ("https://constructor.prototype/", "constructor.prototype", "DIRECT"),
        ];
        check(
            &written(Covers::Managed, &["HTTPS proxy.corp:3129", "PROXY proxy.corp:3128"]),
            &table,
        );
    }

    fn check(script: &str, table: &[(&str, &str, &str)]) {
        let asked: Vec<(&str, &str)> = table.iter().map(|(url, host, _)| (*url, *host)).collect();
        for ((url, host, expected), answer) in table.iter().zip(answers(script, &asked)) {
            assert_eq!(answer, *expected, "{url} ({host})");
        }
    }
}
