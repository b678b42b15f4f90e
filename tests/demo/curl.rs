//! The real curl.

use std::path::Path;

use serde_json::Value;

use crate::gate::{Demo, Door};
use crate::programs::{command, path_of, run};

/// An answer that curl got.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// `1.1` or `2`, spoken inside.
    pub version: String,
    /// What the proxy said to CONNECT; 0 where there was none.
    pub connect: u16,
    pub body: String,
    headers: Value,
    /// What curl itself complains about.
    pub complaint: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The first header field of this name.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name][0].as_str().unwrap_or("")
    }

    /// What kind of problem it is: the last part of the problem document's type.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:#?}");
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        kind.rsplit('/').next().unwrap().to_owned()
    }
}

/// Curl through the demo, as one of its people, who trusts its root and that of the stand-ins.
pub async fn through(demo: &Demo, door: Door, user: &str, args: &[&str]) -> Answer {
    let (proxy, root) = (demo.proxy(door, user), demo.ready.ca.to_str().unwrap());
    let way = ["--proxy", &proxy, "--proxy-cacert", root, "--cacert", root];
    curl(&[&way, args].concat()).await
}

/// Curl with these arguments.
pub async fn curl(args: &[&str]) -> Answer {
    let mut curl = command(path_of("curl"));
    answered(curl.arg("-q").args(args)).await
}

/// Runs a line that starts with `curl`, as a shell would.
pub async fn line(line: &str, home: &Path) -> Answer {
    let rest = line.strip_prefix("curl ").unwrap();
    let line = format!("exec curl -q \"$@\" {rest}");
    answered(command("/bin/sh").env("HOME", home).args(["-c", &line, "sh"])).await
}

async fn answered(curl: &mut tokio::process::Command) -> Answer {
    let facts = "\u{1}%{http_code} %{http_version} %{http_connect}\u{1}%{header_json}";
    let said = run(curl.args(["-sS", "--max-time", "100", "-w", facts])).await;
    let mut parts = said.out.rsplitn(3, '\u{1}');
    let (headers, facts, body) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let facts: Vec<&str> = facts.split(' ').collect();
    Answer {
        status: facts[0].parse().unwrap(),
        version: facts[1].to_owned(),
        connect: facts[2].parse().unwrap(),
        body: body.to_owned(),
        headers: serde_json::from_str(headers).unwrap_or_default(),
        complaint: said.err,
    }
}
