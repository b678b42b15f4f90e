//! A folder in which commands are typed, and what they say.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// Where somebody types commands.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A folder with a copy of the shipped policies.
    pub(crate) fn with_policies() -> Self {
        let desk = Self::empty();
        copy(&shipped("policies"), &desk.path("policies"));
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Puts `to` in the place of `from`, which must stand there.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    /// The same for rules, however they are laid out: white space does not count.
    pub(crate) fn edit_rule(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        let dense =
            |text: &str| -> Vec<(usize, char)> { text.char_indices().filter(|(_, c)| !c.is_whitespace()).collect() };
        let (code, wanted) = (dense(&text), dense(from));
        let same = |window: &[(usize, char)]| window.iter().zip(&wanted).all(|(one, other)| one.1 == other.1);
        let found = code.windows(wanted.len()).find(|window| same(window));
        assert!(found.is_some(), "{name} has no {from}");
        let ((start, _), (end, last)) = found.and_then(|found| found.first().zip(found.last())).unwrap();
        let after = end + last.len_utf8();
        self.write(name, &format!("{}{to}{}", &text[..*start], &text[after..]));
    }

    /// What a shell would start for `line`, with nothing of the environment that could change what is said.
    pub(crate) fn command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_wayleave"));
        let mut places = vec![program.parent().unwrap().to_owned()];
        places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::join_paths(places).unwrap())
            .stdin(Stdio::null());
        command
    }

    /// Types `line`; gives the exit code and what was said, without what differs from run to run.
    pub(crate) fn types(&self, line: &str) -> String {
        self.told(self.command(line))
    }

    fn told(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        let mut told = format!("exit {}\n", output.status.code().unwrap());
        for (name, text) in [("stdout", out), ("stderr", err)] {
            if !text.is_empty() {
                told = format!("{told}--- {name}\n{text}");
            }
        }
        self.plain(&told)
    }

    /// `text` without paths, ids, digests, times, dates and ports.
    pub(crate) fn plain(&self, text: &str) -> String {
        let mut text = text.replace(self.folder.path().to_str().unwrap(), "[desk]");
        for (pattern, put) in [
            (r"sha256:[0-9a-f]{64}", "[rulebook]"),
            (r"\b[0-9a-f]{64}\b", "[digest]"),
            (
                r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
                "[id]",
            ),
            (r"\b([0-9A-F]{2}:){31}[0-9A-F]{2}\b", "[fingerprint]"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]"),
            (r"\b20\d\d-\d\d-\d\d to 20\d\d-\d\d-\d\d\b", "[day] to [day]"),
            (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]"),
            (
                r"taken by `[^`]*` \(process \d+\)",
                "taken by `[program]` (process [number])",
            ),
            (r"\b(root|issuing|certificates) [0-9a-f]{6}\b", "$1 [serial]"),
            (r"\d+ ms\b", "[ms] ms"),
            (r"(?m)[ \t]+$", ""),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, put).into_owned();
        }
        text
    }
}

/// A gateway that runs; it is told to stop when it is dropped.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Where its plain door is.
    pub(crate) plain: String,
    /// Where its TLS door is.
    pub(crate) tls: String,
    /// Where it answers operators.
    pub(crate) admin: String,
}

impl Running {
    /// Starts the gateway of a desk, on ports that the system chooses.
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::start_in(desk, "")
    }

    /// The same where the shell has these variables, `NAME=value …`.
    pub(crate) fn start_in(desk: &Desk, environment: &str) -> Self {
        let line = "wayleave run --set ingress.plain=127.0.0.1:0 --set ingress.tls=127.0.0.1:0 \
                    --set admin.listen=127.0.0.1:0";
        let line = format!("exec env {environment} {line}");
        let mut child = desk.command(&line).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let found = Regex::new(r"plain=(\S+) tls=(\S+) admin=(\S+)").unwrap();
        let coloured = Regex::new(r"\x1b\[[0-9;]*m").unwrap();
        let mut said = String::new();
        let [plain, tls, admin] = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the gate did not open: {said}");
            // the log is coloured for terminals
            let line = coloured.replace_all(&line, "").into_owned();
            if let Some(captures) = found.captures(&line) {
                break [1, 2, 3].map(|at| captures[at].to_owned());
            }
            said.push_str(&line);
        };
        Self {
            child,
            stderr,
            plain,
            tls,
            admin,
        }
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> i32 {
        self.tell();
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    fn tell(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.tell();
            self.child.wait().ok();
        }
    }
}

/// Somebody at a terminal (`script` of bsdutils gives them one).
pub(crate) struct Terminal {
    child: Child,
    seen: String,
}

impl Terminal {
    pub(crate) fn open(desk: &Desk, line: &str) -> Self {
        let mut command = desk.command(&format!("exec script -qec '{line}' /dev/null"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let seen = String::new();
        Self { child, seen }
    }

    /// Reads the screen up to `prompt`, then types `answer`.
    pub(crate) fn answers(&mut self, prompt: &str, answer: &str) {
        let before = self.seen.len();
        let screen = self.child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while !self.seen[before..].ends_with(prompt) {
            assert_eq!(screen.read(&mut byte).unwrap(), 1, "no `{prompt}` in {}", self.seen);
            self.seen.push(char::from(byte[0]));
        }
        let mut keys = self.child.stdin.as_ref().unwrap();
        writeln!(keys, "{answer}").unwrap();
    }

    /// All that was on the screen, and the exit code.
    pub(crate) fn leaves(mut self) -> (String, i32) {
        let mut rest = String::new();
        self.child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        let screen = (self.seen + &rest).replace('\r', "");
        (
            Regex::new(r"(?m) +$").unwrap().replace_all(&screen, "").into_owned(),
            code,
        )
    }
}

/// A file or folder of the repository.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
