//! The programs that the tests speak to, and which Debian package brings each.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longer than anything takes on a busy machine; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_mins(2);

const PACKAGES: &[(&str, &str)] = &[
    ("certutil", "libnss3-tools"),
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("nginx", "nginx-light"),
    ("promtool", "prometheus"),
];

/// The program under test.
pub const WAYLEAVE: &str = env!("CARGO_BIN_EXE_wayleave");

/// Where a program is; fails with the name of the package that brings it.
pub fn path_of(program: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&paths).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|path| path.is_file()));
    found.unwrap_or_else(|| {
        let package = PACKAGES
            .iter()
            .find(|known| known.0 == program)
            .expect("a known program")
            .1;
        panic!("`{program}` is missing: install Debian's package `{package}` (tests/run does)")
    })
}

/// A command whose environment says nothing about proxies or settings, and which dies with the test.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "WAYLEAVE_CONFIG",
        "WAYLEAVE_CA",
        "RUST_LOG",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What it said on standard error, without the breaks and bars of its drawing.
    pub fn talk(&self) -> String {
        let words = self.err.split(|c: char| c.is_whitespace() || c == '│');
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Its standard output; fails unless it ended with `code`.
    pub fn ends_with(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        self.out
    }
}

/// Runs a command to its end.
pub async fn run(command: &mut Command) -> Said {
    let output = timeout(PATIENCE, command.output()).await.expect("the command hangs");
    said(output.expect("the command starts"))
}

/// Runs `wayleave` to its end in `folder`.
pub async fn wayleave(folder: &Path, args: &[&str]) -> Said {
    run(command(WAYLEAVE).current_dir(folder).args(args)).await
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal.
pub fn tell(child: &Child, signal: rustix::process::Signal) {
    let id = child.id().expect("it runs");
    let id = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    rustix::process::kill_process(id, signal).expect("it can be told");
}

/// Sends a signal again and again, as somebody impatient does: what comes at once is the same wish.
pub fn tell_again(child: &Child, signal: rustix::process::Signal) -> impl Future<Output = ()> + use<> {
    let id = child.id().expect("it runs");
    let id = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    async move {
        while rustix::process::kill_process(id, signal).is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Sends a signal, waits for the end, and gives the exit code and what was still said.
pub async fn end(child: Child, signal: rustix::process::Signal) -> Said {
    tell(&child, signal);
    ended(child).await
}

/// Waits for the end.
pub async fn ended(child: Child) -> Said {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it stops");
    said(output.unwrap())
}
