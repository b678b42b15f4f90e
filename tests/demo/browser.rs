//! A real Chromium, driven over the `DevTools` protocol: a fresh profile, a root imported as an administrator would, and
//! credentials for the proxy given when it asks.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::programs::{PATIENCE, command, path_of, run};

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
    // or a click before the first picture of a page is dropped without a word
    "--allow-pre-commit-input",
    "--remote-debugging-port=0",
];

/// Who signs in when the proxy asks.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub user: String,
    pub password: String,
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    next: u64,
    /// Where each page that was begun is, by its loader.
    pages: HashMap<String, String>,
    /// The loaders of the pages that are complete and that nobody waited for yet.
    complete: VecDeque<String>,
    sign_in: SignIn,
    /// How often the proxy asked who it is.
    pub challenges: usize,
    _home: TempDir,
}

impl Browser {
    /// Starts one that trusts `root` and finds its way by `way`, e.g. `--proxy-pac-url=…`.
    pub async fn start(root: &Path, way: &str, sign_in: SignIn) -> Self {
        let home = tempfile::tempdir().unwrap();
        trust(home.path(), root).await;
        let mut chromium = command(path_of("chromium"));
        let profile = home.path().join("profile");
        chromium
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(FLAGS)
            .args([way, "about:blank"]);
        Self::drive(chromium, home, sign_in).await
    }

    /// Runs a line that starts with `chromium`, as a shell would, in a home that trusts nothing of ours.
    pub async fn line(line: &str, sign_in: SignIn) -> Self {
        let home = tempfile::tempdir().unwrap();
        let rest = line.strip_prefix("chromium ").unwrap();
        let mut shell = command("/bin/sh");
        let line = format!("exec '{}' \"$@\" {rest}", path_of("chromium").display());
        shell.args(["-c", &line, "sh"]).args(FLAGS).env("TMPDIR", home.path());
        Self::drive(shell, home, sign_in).await
    }

    async fn drive(mut chromium: Command, home: TempDir, sign_in: SignIn) -> Self {
        chromium
            .env("HOME", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = chromium.spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut heard = Vec::new();
        let listen = async {
            while let Some(line) = talk.next_line().await.unwrap() {
                if let Some(address) = line.strip_prefix("DevTools listening on ") {
                    return Some(address.to_owned());
                }
                heard.push(line);
            }
            None
        };
        let address = timeout(PATIENCE, listen).await.expect("chromium hangs");
        let address = address.unwrap_or_else(|| panic!("chromium ended: {heard:#?}"));
        // what it says must be read, or it stops when the pipe is full
        tokio::spawn(async move { while let Ok(Some(_)) = talk.next_line().await {} });
        let (socket, _) = connect_async(address).await.unwrap();
        let mut browser = Self {
            child,
            socket,
            session: String::new(),
            next: 0,
            pages: HashMap::new(),
            complete: VecDeque::new(),
            sign_in,
            challenges: 0,
            _home: home,
        };
        browser.open_page().await;
        browser
    }

    async fn open_page(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach).await;
        attached["sessionId"].as_str().unwrap().clone_into(&mut self.session);
        self.call("Page.enable", json!({})).await;
        self.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }))
            .await;
        self.call("Fetch.enable", json!({ "handleAuthRequests": true })).await;
    }

    /// Calls a method and gives its result.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message:#}");
                return message["result"].clone();
            }
            self.keep(&message);
        }
    }

    async fn send(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        self.next
    }

    /// The next message; what the network asks is answered on the way.
    async fn receive(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("chromium is silent");
            let Message::Text(text) = message.expect("chromium is there").unwrap() else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            let request = &message["params"]["requestId"];
            match message["method"].as_str() {
                Some("Fetch.requestPaused") => {
                    self.send("Fetch.continueRequest", json!({ "requestId": request }))
                        .await;
                }
                Some("Fetch.authRequired") => {
                    self.challenges += 1;
                    assert_eq!(message["params"]["authChallenge"]["source"], "Proxy", "{message:#}");
                    assert!(self.challenges < 20, "the password does not please the proxy");
                    let given = json!({
                        "response": "ProvideCredentials",
                        "username": self.sign_in.user, "password": self.sign_in.password,
                    });
                    let answer = json!({ "requestId": request, "authChallengeResponse": given });
                    self.send("Fetch.continueWithAuth", answer).await;
                }
                _ => return message,
            }
        }
    }

    /// Keeps what a message tells of pages.
    fn keep(&mut self, message: &Value) {
        let told = &message["params"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match message["method"].as_str() {
            Some("Page.frameNavigated") if told["frame"]["parentId"].is_null() => {
                let frame = &told["frame"];
                self.pages.insert(text(&frame["loaderId"]), text(&frame["url"]));
            }
            Some("Page.lifecycleEvent") if told["name"] == "load" => self.complete.push_back(text(&told["loaderId"])),
            _ => {}
        }
    }

    /// Waits for the next page that is complete, and gives its loader.
    async fn page(&mut self) -> String {
        loop {
            if let Some(loader) = self.complete.pop_front() {
                return loader;
            }
            let message = self.receive().await;
            self.keep(&message);
        }
    }

    /// Opens an address and waits for the page that comes of it; gives where that is.
    pub async fn open(&mut self, url: &str) -> String {
        let went = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(went["errorText"].is_null(), "{url}: {went:#}");
        while self.page().await != went["loaderId"] {}
        self.text("location.href").await
    }

    /// Waits until a page at an address that starts so, and that nobody waited for yet, is complete.
    pub async fn arrive(&mut self, start: &str) {
        loop {
            let loader = self.page().await;
            if self.pages.get(&loader).is_some_and(|page| page.starts_with(start)) {
                return;
            }
        }
    }

    /// The value of an expression in the page; promises are awaited.
    pub async fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", asked).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer:#}");
        answer["result"]["value"].clone()
    }

    /// The value of an expression, as text.
    pub async fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression).await;
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is {value}"))
            .to_owned()
    }

    /// What stands on the page.
    pub async fn words(&mut self) -> String {
        self.text("document.body.innerText").await
    }

    /// Clicks with the mouse on the element that `element` evaluates to.
    pub async fn click(&mut self, element: &str) {
        let place = format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center' }}); const r = e.getBoundingClientRect(); \
             return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let place = self.value(&place).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Pretends to be a screen of this width that prefers light or dark.
    pub async fn look(&mut self, width: u32, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features).await;
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Saves a picture of the whole page as `name` into the folder that `WAYLEAVE_PICTURES` names, if it does.
    pub async fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("WAYLEAVE_PICTURES") else {
            return;
        };
        let shot = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", shot).await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    /// Closes it, and waits until it is gone.
    pub async fn close(mut self) {
        self.session.clear();
        self.send("Browser.close", json!({})).await;
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("chromium ends")
            .unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // it may be gone already
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Imports a root into the store that Chromium reads.
async fn trust(home: &Path, root: &Path) {
    let store = home.join(".pki/nssdb");
    std::fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", store.display());
    let made = run(command(path_of("certutil")).args(["-d", &store, "-N", "--empty-password"])).await;
    made.ends_with(0);
    let import = [
        "-d",
        &store,
        "-A",
        "-t",
        "C,,",
        "-n",
        "wayleave",
        "-i",
        root.to_str().unwrap(),
    ];
    run(command(path_of("certutil")).args(import)).await.ends_with(0);
}
