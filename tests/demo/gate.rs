//! A running `wayleave demo`, driven as a script would drive it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::process::Signal;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

use crate::programs::{self, PATIENCE, Said, WAYLEAVE, command};

/// The one line of `demo --json`: these fields, and no others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    pub proxy: String,
    pub proxy_tls: String,
    pub portal: String,
    pub admin: String,
    pub ca: PathBuf,
    pub sites_ca: Option<PathBuf>,
    pub state: PathBuf,
    pub settings: PathBuf,
    pub client_certificate: Option<Papers>,
    pub people: Vec<Somebody>,
    pub sites: Vec<String>,
}

/// A client certificate of the demo, and whose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Papers {
    pub user: String,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Somebody of the demo.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Somebody {
    pub user: String,
    pub name: String,
    pub password: String,
    pub roles: Vec<String>,
    pub department: String,
    pub employment: String,
}

/// A demo that runs.
pub struct Demo {
    pub ready: Ready,
    child: Child,
    temporary: TempDir,
}

impl Demo {
    /// Starts one on free ports.
    pub async fn start() -> Self {
        Self::with(&["--port-base", "0"]).await
    }

    /// Starts one with these arguments.
    pub async fn with(args: &[&str]) -> Self {
        Self::try_with(args)
            .await
            .unwrap_or_else(|said| panic!("the demo did not start: {said:#?}"))
    }

    /// Starts one, or says how it ended.
    pub async fn try_with(args: &[&str]) -> Result<Self, Said> {
        Self::try_in(&std::env::current_dir().unwrap(), args).await
    }

    /// The same in `folder`.
    pub async fn try_in(folder: &Path, args: &[&str]) -> Result<Self, Said> {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = command(WAYLEAVE)
            .current_dir(folder)
            .args(["demo", "--json"])
            .args(args)
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        timeout(PATIENCE, out.read_line(&mut line))
            .await
            .expect("it speaks or ends")
            .unwrap();
        assert!(out.buffer().is_empty(), "more than one line: {:?}", out.buffer());
        child.stdout = Some(out.into_inner());
        if line.is_empty() {
            let output = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
            assert_nothing_is_left(temporary.path());
            return Err(Said {
                code: output.status.code().unwrap_or(-1),
                out: String::from_utf8(output.stdout).unwrap(),
                err: String::from_utf8(output.stderr).unwrap(),
            });
        }
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Ok(Self {
            ready,
            child,
            temporary,
        })
    }

    /// The URL of a door with somebody's name and password in it; `suffix` follows the name.
    pub fn proxy(&self, door: Door, user: &str) -> String {
        let somebody = self
            .ready
            .people
            .iter()
            .find(|one| one.user == user)
            .expect("somebody of the demo");
        let door = match door {
            Door::Plain => &self.ready.proxy,
            Door::Tls => &self.ready.proxy_tls,
        };
        door.replacen("://", &format!("://{user}:{}@", somebody.password), 1)
    }

    /// Runs a command of `wayleave` on this demo's state, in an empty folder.
    pub async fn wayleave(&self, args: &[&str]) -> Said {
        let folder = tempfile::tempdir().unwrap();
        programs::wayleave(folder.path(), args).await
    }

    /// `wayleave records …` on its state.
    pub async fn records(&self, args: &[&str]) -> Said {
        let folder = self.ready.state.join("records");
        self.wayleave(&[&["records"], args, &["--folder", folder.to_str().unwrap()]].concat())
            .await
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Tells it to stop, and makes sure that it says no more, ends well, and leaves nothing behind.
    pub async fn stop(self) {
        self.stop_with(Signal::TERM).await;
    }

    /// Tells it to stop and, while it does, to stop once more.
    pub async fn stop_twice(self) -> Said {
        programs::tell(&self.child, Signal::TERM);
        closed(self.ready.proxy.strip_prefix("http://").unwrap()).await;
        let again = programs::tell_again(&self.child, Signal::INT);
        let (said, ()) = tokio::join!(programs::ended(self.child), again);
        assert_nothing_is_left(self.temporary.path());
        said
    }

    /// Stops it with `signal`.
    pub async fn stop_with(self, signal: Signal) {
        let said = programs::end(self.child, signal).await;
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (0, "", ""),
            "an orderly stop"
        );
        assert_nothing_is_left(self.temporary.path());
    }
}

/// Begins to send what never ends through `proxy`, so that a stop has something to wait for.
pub async fn upload_without_end(proxy: &str) -> TcpStream {
    let (sign_in, address) = proxy.strip_prefix("http://").unwrap().split_once('@').unwrap();
    let sign_in = percent_encoding::percent_decode_str(sign_in).decode_utf8().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST http://files.example.org/ HTTP/1.1\r\nHost: files.example.org\r\nProxy-Authorization: Basic {}\r\n\
         Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
        BASE64.encode(sign_in.as_bytes())
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    let mut heard = BufReader::new(&mut stream);
    timeout(PATIENCE, heard.read_line(&mut line))
        .await
        .expect("an answer")
        .unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "the gateway waits for the content");
    stream
}

/// Waits until nobody listens at `address` any more: the stop has begun.
pub async fn closed(address: &str) {
    let knock = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, knock).await.expect("the door closes");
}

/// A way in.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    Plain,
    Tls,
}

pub fn assert_nothing_is_left(folder: &Path) {
    let left: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
