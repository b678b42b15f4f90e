//! A real Chromium, driven by `ChromeDriver` over the `WebDriver` protocol, signed in at the gateway of a world.
//!
//! `ChromeDriver` cannot answer a proxy's question, so each browser reaches the gateway through a relay of its own that signs in
//! for it; that Chromium answers the question itself is for `tests/demo` to show.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::client::{Answer, Client};
use crate::harness::{PASSWORD, World};

/// Longer than anything takes on a busy machine; only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often is looked whether something has come about that `WebDriver` has no event for.
const AGAIN: Duration = Duration::from_millis(20);

/// What this machine needs, and what keeps Chromium from calling home.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-pre-commit-input",
];

/// The keys that a keyboard has and no letter is on, as `WebDriver` writes them.
pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';
pub const SPACE: char = ' ';
pub const DOWN: char = '\u{e015}';

/// How wide, how high, and whether it is a phone.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub name: &'static str,
    width: u32,
    height: u32,
}

pub const DESKTOP: Screen = Screen {
    name: "desktop",
    width: 1100,
    height: 800,
};
pub const PHONE: Screen = Screen {
    name: "phone",
    width: 390,
    height: 844,
};

/// A browser with one page.
pub struct Driver {
    child: Child,
    at: SocketAddr,
    session: String,
    relay: JoinHandle<()>,
    _home: TempDir,
}

impl Driver {
    /// Starts one as `user`, who prefers `language` and trusts the gateway's root.
    pub async fn start(world: &World, user: &str, language: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let profile = home.path().join("profile");
        trust(home.path(), world.gate().root_pem()).await;
        let (relay, way) = relay(world.gate().addresses().plain, user).await;
        let mut child = Command::new(program("chromedriver", "chromium-driver"));
        child.args(["--port=0"]).env("HOME", home.path()).kill_on_drop(true);
        child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child.process_group(0).spawn().unwrap();
        let at = listening(&mut child).await;
        let mut driver = Self {
            child,
            at,
            session: String::new(),
            relay,
            _home: home,
        };
        let more = [
            format!("--proxy-server=http://{way}"),
            format!("--user-data-dir={}", profile.display()),
            format!("--accept-lang={language}"),
        ];
        let args: Vec<&str> = FLAGS.iter().copied().chain(more.iter().map(String::as_str)).collect();
        let options = json!({ "binary": program("chromium", "chromium"), "args": args });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let session = driver
            .call(
                Method::POST,
                "/session",
                json!({ "capabilities": { "alwaysMatch": wanted } }),
            )
            .await;
        driver.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        driver
    }

    /// Calls `ChromeDriver` and gives the value of its answer.
    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let stream = TcpStream::connect(self.at).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let body = if method == Method::POST {
            body.to_string()
        } else {
            String::new()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.at.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = timeout(PATIENCE, sender.send_request(request)).await;
        let answer = Answer::read(answer.expect("the browser is silent").unwrap()).await;
        let said = answer.json()["value"].clone();
        assert!(answer.status.is_success(), "{path}: {said:#}");
        said
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, &format!("{}{path}", self.session), body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, &format!("{}{path}", self.session), Value::Null)
            .await
    }

    async fn devtools(&self, command: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": params }))
            .await
    }

    /// Opens an address; gives where it led.
    pub async fn open(&self, url: &str) -> String {
        self.post("/url", json!({ "url": url })).await;
        self.place().await
    }

    /// Where the page is.
    pub async fn place(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    /// Waits until a page is open whose address starts so.
    pub async fn arrive(&self, start: &str) {
        self.until(&format!("a page at {start}"), async |browser| {
            browser.place().await.starts_with(start)
        })
        .await;
    }

    /// Waits until `holds` does.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::time::sleep(AGAIN).await;
            }
        };
        let came_true = timeout(PATIENCE, waiting).await.is_ok();
        let (place, words) = if came_true {
            Default::default()
        } else {
            (self.place().await, self.words().await)
        };
        assert!(came_true, "never came true: {what}; at {place}: {words}");
    }

    /// What a script in the page returns; promises are awaited.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// What stands on the page.
    pub async fn words(&self) -> String {
        let words = self.run("return document.body.innerText").await;
        words.as_str().unwrap().to_owned()
    }

    /// Fails unless the page says all of that.
    pub async fn says(&self, told: &[&str]) {
        let words = self.words().await;
        for one in told {
            assert!(words.contains(one), "{one}: {words}");
        }
    }

    async fn element(&self, css: &str) -> String {
        let found = self
            .post("/element", json!({ "using": "css selector", "value": css }))
            .await;
        let id = found.as_object().unwrap().values().next().unwrap();
        id.as_str().unwrap().to_owned()
    }

    /// Clicks on the first element that `css` finds.
    pub async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    /// Types into the first element that `css` finds.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text }))
            .await;
    }

    /// Presses keys, one after the other.
    pub async fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key.to_string() }),
                    json!({ "type": "keyUp", "value": key.to_string() }),
                ]
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", json!({ "actions": [keyboard] })).await;
    }

    /// Becomes a screen of this size that prefers light or dark.
    pub async fn look(&self, screen: Screen, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
        let is_phone = screen.name == PHONE.name;
        let metrics = json!({
            "width": screen.width, "height": screen.height, "deviceScaleFactor": if is_phone { 2 } else { 1 }, "mobile": is_phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        // what changes slowly only looks nice
        self.run("document.getAnimations().forEach(change => change.finish())")
            .await;
    }

    /// Keeps a picture of the whole page as an artefact: `target/walks/NAME.png`.
    pub async fn picture(&self, name: &str) {
        let folder = target().join("walks");
        std::fs::create_dir_all(&folder).unwrap();
        let shot = self
            .devtools(
                "Page.captureScreenshot",
                json!({ "format": "png", "captureBeyondViewport": true }),
            )
            .await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// Chooses a purpose on the page that asks for it, says what for, and sends the form.
    pub async fn state(&self, purpose: &str, statement: &str) {
        self.click(&format!("form[action=\"/declare\"] input[value={purpose}]"))
            .await;
        self.fill("#statement", statement).await;
        self.click("form[action=\"/declare\"] button").await;
    }

    /// Gives the password on the page that asks for it.
    pub async fn sign_in(&self) {
        self.fill("#password", PASSWORD).await;
        self.click("form[action=\"/sign-in\"] button").await;
    }

    /// Closes it, and waits until it is gone.
    pub async fn close(mut self) {
        self.call(Method::DELETE, &self.session, Value::Null).await;
        self.end();
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("chromedriver ends")
            .unwrap();
    }

    /// Ends all that was started; it may be gone already.
    fn end(&self) {
        self.relay.abort();
        let group = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where cargo builds, and `tests/run` puts what the tests need.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Where a program is.
fn program(name: &str, package: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is missing: install Debian's package `{package}` (tests/run does)"))
}

/// Reads where `ChromeDriver` listens.
async fn listening(child: &mut Child) -> SocketAddr {
    let mut talk = BufReader::new(child.stdout.take().unwrap()).lines();
    let listen = async {
        while let Some(line) = talk.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return port.trim_end_matches('.').parse::<u16>().unwrap();
            }
        }
        panic!("chromedriver ended");
    };
    let port = timeout(PATIENCE, listen).await.expect("chromedriver hangs");
    // what it says must be read, or it stops when the pipe is full
    tokio::spawn(async move { while let Ok(Some(_)) = talk.next_line().await {} });
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Lets a browser reach the gateway at `gate` as `user`: the first head on each connection, a CONNECT, is given a password.
async fn relay(gate: SocketAddr, user: &str) -> (JoinHandle<()>, SocketAddr) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = door.local_addr().unwrap();
    let proof = format!("Proxy-Authorization: {}\r\n\r\n", Client::basic(user, PASSWORD));
    let relay = tokio::spawn(async move {
        let mut carried = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = door.accept().await {
            carried.spawn(carry(stream, gate, proof.clone()));
            while carried.try_join_next().is_some() {}
        }
    });
    (relay, at)
}

async fn carry(mut browser: TcpStream, gate: SocketAddr, proof: String) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(browser.read_u8().await?);
    }
    head.truncate(head.len() - 2);
    head.extend(proof.as_bytes());
    let mut gate = TcpStream::connect(gate).await?;
    gate.write_all(&head).await?;
    tokio::io::copy_bidirectional(&mut browser, &mut gate).await?;
    Ok(())
}

/// Imports a root into the store that Chromium reads.
async fn trust(home: &Path, root: &str) {
    let store = home.join(".pki/nssdb");
    std::fs::create_dir_all(&store).unwrap();
    let file = home.join("root.pem");
    std::fs::write(&file, root).unwrap();
    let store = format!("sql:{}", store.display());
    let file = file.to_str().unwrap();
    for args in [
        &["-N", "--empty-password"][..],
        &["-A", "-t", "C,,", "-n", "wayleave", "-i", file],
    ] {
        let made = Command::new(program("certutil", "libnss3-tools"))
            .args(["-d", &store])
            .args(args)
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }
}
