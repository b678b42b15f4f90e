//! A database server of the test's own: in a folder that is gone afterwards, on a socket that only it has.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends the server, and removes its folder unless told to keep it, once whoever started it is gone. It keeps no more of its log
/// of changes than it must: of hundreds of short-lived databases that would come to a gigabyte.
const WATCHED: &str = "\"$0/postgres\" -D \"$1/data\" -k \"$1\" -h '' -c fsync=off -c max_wal_size=64MB <&- & pid=$!; \
                       read -r _; kill -INT $pid; wait $pid; [ -e \"$1/keep\" ] || rm -rf \"$1\"";

/// A server, running or stopped.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    running: Option<Child>,
}

impl Server {
    /// Makes and starts one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let programs = programs();
        if is_root(&folder) {
            // the server refuses to run as root
            let (user, group) = nobody_in_particular();
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut server = Self {
            folder,
            programs,
            running: None,
        };
        let data = server.folder.join("data");
        let made = server
            .command("initdb")
            .args([
                "-U",
                "wayleave",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.again();
        server
    }

    /// Starts it where it was stopped.
    pub(crate) fn again(&mut self) {
        let _ = std::fs::remove_file(self.folder.join("keep"));
        let mut child = self
            .unprivileged("sh")
            .args(["-c", WATCHED])
            .args([&self.programs, &self.folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("the database server did not start: {said:#?}");
            };
            if line.contains("ready to accept connections") {
                break;
            }
            said.push(line);
        }
        std::thread::spawn(move || lines.for_each(drop));
        self.running = Some(child);
    }

    /// Stops it; whoever is connected is cut off.
    pub(crate) fn stop(&mut self) {
        std::fs::write(self.folder.join("keep"), "").unwrap();
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }

    /// The URL of a new database on it.
    pub(crate) fn database(&self, name: &str) -> String {
        self.says("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgresql://wayleave@{folder}/{database}")
    }

    /// What a statement comes to.
    pub(crate) fn says(&self, database: &str, statement: &str) -> String {
        let told = self
            .command("psql")
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "wayleave", "-h"])
            .arg(&self.folder)
            .args(["-d", database, "-c", statement])
            .output()
            .unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, program: &str) -> Command {
        self.unprivileged(self.programs.join(program).to_str().unwrap())
    }

    fn unprivileged(&self, program: &str) -> Command {
        let about = std::fs::metadata(&self.folder).unwrap();
        let mut command = if is_root(Path::new("/proc/self")) {
            let mut command = Command::new("setpriv");
            let (user, group) = (format!("--reuid={}", about.uid()), format!("--regid={}", about.gid()));
            command.args([user.as_str(), group.as_str(), "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            let _ = std::fs::remove_file(self.folder.join("keep"));
            self.end();
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn is_root(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().uid() == 0
}

/// Debian's `postgres`, or else the one that its package makes for nobody.
fn nobody_in_particular() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
        Some((numbers.next()?, numbers.next()?))
    };
    of("postgres").or_else(|| of("nobody")).unwrap()
}

/// Where the newest of the installed servers is.
fn programs() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = installed.map(|entry| entry.unwrap().path().join("bin"));
    let newest = folders.filter(|folder| folder.join("postgres").exists()).max();
    newest.unwrap_or_else(|| panic!("`tests/run` installs PostgreSQL, which this test needs"))
}
