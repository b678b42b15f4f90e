//! `wayleave run` with a real settings file, a real authority, and real nginx origins.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use tokio::time::timeout;

use crate::browser::{Browser, SignIn};
use crate::curl::{Answer, curl};
use crate::nginx::Nginx;
use crate::programs::{PATIENCE, Said, WAYLEAVE, command, end, path_of, tell, tell_again, wayleave};

const PASSWORD: &str = "open sesame, please";
const MANAGED: &str = "www.linkedin.com";
const OTHER: &str = "files.example.org";

/// A copy of the shipped policies.
pub fn policies() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A gateway that was set up as an operator would.
struct House {
    folder: TempDir,
    policies: TempDir,
    plain: String,
    admin: String,
    log: Lines<BufReader<ChildStderr>>,
    child: Child,
}

impl House {
    /// Makes the authority, adds people, writes the settings, and starts.
    async fn start(nginx: &Nginx) -> Self {
        let (folder, policies) = (tempfile::tempdir().unwrap(), policies());
        let settings = format!(
            "home = \".\"\n[policies]\nfolder = \"{}\"\n[ingress]\nplain = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[tls]\nuse_system_roots = false\nextra_roots = [\"{}\"]\n\
             [upstream]\nallow = [\"127.0.0.0/8\"]\n[upstream.map]\n\"*\" = \"{}\"\n",
            policies.path().display(),
            nginx.root().display(),
            nginx.address,
        );
        std::fs::write(folder.path().join("wayleave.toml"), settings).unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        let config = ["-c", "wayleave.toml"];
        wayleave(folder.path(), &[&["ca", "init"], &config[..]].concat())
            .await
            .ends_with(0);
        for user in ["ada", "dan"] {
            let add = ["user", "add", user, "--password-file", "password"];
            wayleave(folder.path(), &[&add, &config[..]].concat())
                .await
                .ends_with(0);
        }
        let mut child = command(WAYLEAVE)
            .current_dir(folder.path())
            .args(["run", "-c", "wayleave.toml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let open = until(&mut log, "the gate is open").await;
        let address = |name: &str| {
            let (_, rest) = open
                .split_once(&format!("{name}="))
                .expect("the log says where it listens");
            rest.split(' ').next().unwrap().to_owned()
        };
        let (plain, admin) = (address("plain"), address("admin"));
        Self {
            folder,
            policies,
            plain,
            admin,
            log,
            child,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn proxy(&self, user: &str) -> String {
        format!(
            "http://{user}:{}@{}",
            PASSWORD.replace(' ', "%20").replace(',', "%2C"),
            self.plain
        )
    }

    /// Curl as `user`, who trusts `root`.
    async fn curl(&self, user: &str, root: &str, args: &[&str]) -> Answer {
        let way = ["--proxy", &self.proxy(user), "--cacert", root];
        curl(&[&way, args].concat()).await
    }

    async fn declare(&self, purpose: &str) {
        let root = self.file("certs/root.pem");
        let declare = [
            "declare",
            purpose,
            "--on",
            "linkedin",
            "--statement",
            "Files for the tests",
        ];
        let way = ["--proxy", &self.proxy("ada"), "--ca", &root];
        wayleave(self.folder.path(), &[&declare[..], &way].concat())
            .await
            .ends_with(0);
    }

    async fn stop(self, signal: Signal) -> (Said, PathBuf, TempDir) {
        let said = end(self.child, signal).await;
        (said, self.folder.path().join("state"), self.folder)
    }
}

/// Reads the log until a line says `what`.
async fn until(log: &mut Lines<BufReader<ChildStderr>>, what: &str) -> String {
    let mut seen = Vec::new();
    let search = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains(what) {
                return Some(line);
            }
            seen.push(line);
        }
        None
    };
    match timeout(PATIENCE, search).await {
        Ok(Some(line)) => line,
        Ok(None) | Err(_) => panic!("the log never said `{what}`: {seen:#?}"),
    }
}

/// Bytes that no compression or repetition could hide a mistake in.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 56).unwrap()
    };
    (0..length).map(|_| next()).collect()
}

fn digest(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    format!("{digest:?}")
}

#[tokio::test]
async fn files_pass_whole_in_both_directions_read_and_unread_over_both_versions() {
    let big = noise(20_000_000);
    let nginx = Nginx::start(&[MANAGED, OTHER], &big).await;
    let house = House::start(&nginx).await;
    house.declare("recruiting").await;
    std::fs::write(house.file("upload"), &big).unwrap();
    let ours = house.file("certs/root.pem");
    let theirs = nginx.root().to_str().unwrap().to_owned();
    for (host, root, put) in [(MANAGED, &ours, "dms-uploads"), (OTHER, &theirs, "put")] {
        for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
            let small = house
                .curl("ada", root, &[flag, &format!("https://{host}/index.html")])
                .await;
            assert_eq!(
                (small.status, small.body.as_str()),
                (200, "nginx is here\n"),
                "{small:#?}"
            );
            assert_eq!(small.version, version);
            assert!(
                small.header("x-asked").starts_with("HTTP/"),
                "nginx itself answered: {small:#?}"
            );

            let (to, from) = (house.file("download"), house.file("upload"));
            let got = house
                .curl("ada", root, &[flag, "-o", &to, &format!("https://{host}/big")])
                .await;
            assert_eq!(got.status, 200, "{got:#?}");
            assert_eq!(
                digest(&std::fs::read(&to).unwrap()),
                digest(&big),
                "{host} {flag}: the download differs"
            );

            let name = format!("{put}/file{version}");
            let put = house
                .curl("ada", root, &[flag, "-T", &from, &format!("https://{host}/{name}")])
                .await;
            assert!([201, 204].contains(&put.status), "{put:#?}");
            assert_eq!(
                digest(&nginx.kept(&name)),
                digest(&big),
                "{host} {flag}: the upload differs"
            );
        }
    }
    let (said, state, _folder) = house.stop(Signal::TERM).await;
    assert_eq!(said.code, 0, "{said:#?}");
    let verified = wayleave(&state, &["records", "verify", "--folder", "records"]).await;
    assert!(verified.ends_with(0).contains("the records hold"));
}

#[tokio::test]
async fn a_kept_connection_is_used_again_on_both_sides_of_the_gate() {
    let nginx = Nginx::start(&[MANAGED, OTHER], b"").await;
    let house = House::start(&nginx).await;
    house.declare("recruiting").await;
    let ours = house.file("certs/root.pem");
    let url = format!("https://{MANAGED}/index.html");
    let list = ["--http1.1", "-w", "%{num_connects}\n", &url, &url, &url];
    let answers = house.curl("ada", &ours, &list).await;
    assert_eq!(answers.body.matches("nginx is here").count(), 3, "{answers:#?}");
    // how nginx saw the last of them: the third request on one connection
    let asked: Vec<&str> = answers.header("x-asked").split(' ').collect();
    assert_eq!(asked[2], "3", "{answers:#?}");
    // another client meets the connection that is still open
    let later = house.curl("ada", &ours, &["--http1.1", &url]).await;
    let again: Vec<&str> = later.header("x-asked").split(' ').collect();
    assert_eq!((again[1], again[2]), (asked[1], "4"), "{later:#?}");
    let (said, ..) = house.stop(Signal::INT).await;
    assert_eq!(said.code, 0, "{said:#?}");
}

#[tokio::test]
async fn an_edit_of_the_policies_rules_at_once_and_a_broken_one_never_does() {
    let nginx = Nginx::start(&[MANAGED, OTHER], b"").await;
    let mut house = House::start(&nginx).await;
    let theirs = nginx.root().to_str().unwrap().to_owned();
    let url = format!("https://{OTHER}/index.html");
    assert_eq!(house.curl("dan", &theirs, &[&url]).await.status, 200);

    let rule = house.policies.path().join("rules/90-edit.cedar");
    let closed = "@id(\"test.closed\")\n@title(\"Closed for the test\")\n@reason(\"Closed for the test.\")\n@owner(\"IT\")\n\
                  forbid (principal, action == Action::\"connect\", resource) \
                  when { resource.host == \"files.example.org\" };\n";
    std::fs::write(&rule, closed).unwrap();
    until(&mut house.log, "new policies rule").await;
    let refused = house.curl("dan", &theirs, &[&url]).await;
    assert_eq!(refused.connect, 403, "{refused:#?}");

    std::fs::write(&rule, "permit (principal, action, resource) when { nonsense };\n").unwrap();
    let line = until(&mut house.log, "policies were refused").await;
    assert!(line.contains("90-edit.cedar:1:"), "file, line and column: {line}");
    let ready = curl(&[&format!("http://{}/readyz", house.admin)]).await;
    assert!(
        ready.json()["problems"][0].as_str().unwrap().contains("90-edit.cedar"),
        "{ready:#?}"
    );
    assert_eq!(
        house.curl("dan", &theirs, &[&url]).await.connect,
        403,
        "the old rules rule"
    );

    std::fs::write(&rule, closed).unwrap();
    let line = until(&mut house.log, "what had been refused was taken back").await;
    assert!(line.contains("INFO"), "{line}");

    std::fs::remove_file(&rule).unwrap();
    until(&mut house.log, "new policies rule").await;
    assert_eq!(house.curl("dan", &theirs, &[&url]).await.status, 200);
    let (said, state, _folder) = house.stop(Signal::TERM).await;
    assert_eq!(said.code, 0, "{said:#?}");
    let book = wayleave(&state, &["records", "list", "--folder", "records"])
        .await
        .ends_with(0);
    for act in ["started", "stopped"] {
        assert!(book.contains(act), "{book}");
    }
}

#[tokio::test]
async fn told_a_second_time_the_gateway_ends_at_once_and_says_so() {
    let nginx = Nginx::start(&[MANAGED], b"").await;
    let mut house = House::start(&nginx).await;
    house.declare("recruiting").await;
    let mut upload = command(path_of("curl"))
        .args(["-q", "-v", "-k", "-T", "-", "--proxy", &house.proxy("ada")])
        .arg(format!("https://{MANAGED}/dms-uploads/endless"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(upload.stderr.take().unwrap()).lines();
    until(&mut told, "> PUT /dms-uploads/endless").await;
    tell(&house.child, Signal::TERM);
    until(&mut house.log, "stopping").await;
    tokio::select! {
        _ = until(&mut house.log, "told to stop a second time") => {}
        () = tell_again(&house.child, Signal::TERM) => panic!("it cannot be told"),
    }
    let ended = timeout(PATIENCE, house.child.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(1));
    drop(upload);
}

#[tokio::test]
async fn an_account_that_is_removed_is_signed_out_without_a_restart() {
    let nginx = Nginx::start(&[OTHER], b"").await;
    let house = House::start(&nginx).await;
    let theirs = nginx.root().to_str().unwrap().to_owned();
    let url = format!("https://{OTHER}/index.html");
    assert_eq!(house.curl("dan", &theirs, &[&url]).await.status, 200);
    let remove = ["user", "remove", "dan", "-c", "wayleave.toml"];
    wayleave(house.folder.path(), &remove).await.ends_with(0);
    let gone = async { while house.curl("dan", &theirs, &[&url]).await.connect != 407 {} };
    timeout(PATIENCE, gone).await.expect("signed out");
    house.stop(Signal::TERM).await;
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_refused_with_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[ingress]\nplane = \"127.0.0.1:3128\"\n[upstreem]\nallow = []\n";
    std::fs::write(folder.path().join("wayleave.toml"), settings).unwrap();
    let said = wayleave(folder.path(), &["run", "-c", "wayleave.toml"]).await;
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:#?}");
    for told in ["wayleave.toml:2", "`plane`", "`plain`", "`upstreem`", "`upstream`"] {
        assert!(said.talk().contains(told), "{told}: {}", said.err);
    }
}

#[tokio::test]
async fn without_an_authority_it_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wayleave.toml"), "home = \".\"\n").unwrap();
    let said = wayleave(folder.path(), &["run", "-c", "wayleave.toml"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.talk().contains("make one with `wayleave ca init`"), "{}", said.err);
}

#[tokio::test]
async fn a_bad_certificate_of_a_site_is_told_to_the_person_on_a_page() {
    // the site shows a certificate, but not its own
    let nginx = Nginx::start(&[OTHER], b"").await;
    let house = House::start(&nginx).await;
    house.declare("recruiting").await;
    let root = house.folder.path().join("certs/root.pem");
    let way = format!("--proxy-pac-url=http://{}/proxy.pac", house.admin);
    let sign_in = SignIn {
        user: "ada".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let mut ada = Browser::start(&root, &way, sign_in).await;
    let url = format!("https://{MANAGED}/");
    assert_eq!(ada.open(&url).await, url);
    let words = ada.words().await;
    for told in ["certificate is for another name", "Nothing was sent to it", MANAGED] {
        assert!(words.contains(told), "{told}: {words}");
    }
    crate::story::looks(&mut ada, "fault").await;
    ada.close().await;
    house.stop(Signal::TERM).await;
}
