//! What a crash may not take: everything that was acknowledged. A child process writes, prints what was acknowledged,
//! and is killed in the middle of it; another meets the operating system's own limit on the size of a file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;
use crate::audit::opening::open_on;

const CHILD: &str = "WAYLEAVE_TEST_RECORDS_CHILD";

fn child(test: &str, folder: &Path, before: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    // the shell lets a limit and an ignored signal be inherited
    Command::new("sh")
        .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
        .arg(program)
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn told(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

fn acknowledged(line: &str) -> Option<RecordId> {
    line.strip_prefix("acknowledged ").map(RecordId::new)
}

/// The child's part: eight tasks publish until somebody kills the process.
#[test]
fn child_that_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let settings = Settings {
        segment_bytes: 40_000,
        sync_ms: 1,
        ..settings(Path::new(&folder))
    };
    let (book, _) = Book::open(&settings, Clock::system(), Vec::new()).unwrap();
    for _ in 0..8 {
        let book = book.clone();
        runtime.spawn(async move {
            loop {
                let mut entry = book.enter(noon(), peer()).await.unwrap();
                entry.saw(seen("ada", "/feed/"));
                entry.decided(decided(Outcome::Allow));
                entry.commit().await.unwrap();
                told(&format!("acknowledged {}", entry.id()));
                entry.close(completed());
                let act = book.record(started());
                let id = act.id.clone();
                book.write(act).await.unwrap();
                told(&format!("acknowledged {id}"));
            }
        });
    }
    runtime.block_on(std::future::pending::<()>());
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut promised = BTreeSet::new();
    // the rounds share one book: each finds what the one before left behind
    for after in [0, 1, 30, 90, 200, 417] {
        let mut child = child("child_that_is_killed", folder.path(), "");
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut count = 0;
        let mut line = String::new();
        while count < after && out.read_line(&mut line).unwrap() > 0 {
            if let Some(id) = acknowledged(line.trim()) {
                promised.insert(id);
                count += 1;
            }
            line.clear();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(count, after);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        // a line that the kill cut in two was not promised to anybody
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        promised.extend(whole.lines().filter_map(acknowledged));

        let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        drop(book);
        verify(folder.path()).unwrap();
        let records = all(folder.path());
        let kept: BTreeSet<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let missing: Vec<&RecordId> = promised.difference(&kept).collect();
        assert!(
            missing.is_empty(),
            "{} of {} are missing",
            missing.len(),
            promised.len()
        );
        let ids = |wanted: &str| -> Vec<RecordId> {
            let mut ids: Vec<RecordId> = records
                .iter()
                .filter(|r| kind(r) == wanted)
                .map(|r| r.id.clone())
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(ids("opening"), ids("closing"), "each flow closes exactly once");
    }
    assert!(verify(folder.path()).unwrap().sealed > 3, "kills met rotations, too");
}

/// The child's part: publishes until the file may not grow, then raises its own limit.
#[test]
fn child_with_a_limit() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let retry = Duration::from_millis(5);
        let settings = settings(Path::new(&folder));
        let (book, _) = open_on(&settings, clock(), Vec::new(), retry, |folder| Box::new(folder)).unwrap();
        let error = loop {
            let mut entry = book.enter(noon(), peer()).await.unwrap();
            entry.saw(seen("ada", "/feed/"));
            entry.decided(decided(Outcome::Allow));
            match entry.commit().await {
                Ok(()) => told(&format!("acknowledged {}", entry.id())),
                Err(error) => break error,
            }
        };
        told(&format!("refused {error}"));
        let unlimited = Rlimit {
            current: None,
            maximum: None,
        };
        setrlimit(Resource::Fsize, unlimited).unwrap();
        while book.healthy().is_err() {
            tokio::task::yield_now().await;
        }
        told(&format!("acknowledged {}", flow(&book, true).await));
        book.close().await.unwrap();
        told("closed");
    });
}

#[test]
fn a_file_that_may_not_grow_refuses_and_recovers_without_a_scratch() {
    let folder = tempfile::tempdir().unwrap();
    // 8 blocks of 512 or 1024 bytes, as the shell has it; without the signal, a write fails with EFBIG half-way
    let mut child = child("child_with_a_limit", folder.path(), "trap '' XFSZ; ulimit -S -f 8;");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success(), "{out}");
    assert!(out.contains("refused the records cannot be written"), "{out}");
    assert!(out.contains("File too large"), "{out}");
    assert!(out.contains("\nclosed\n"), "{out}");
    verify(folder.path()).unwrap();
    let kept: BTreeSet<RecordId> = all(folder.path()).into_iter().map(|record| record.id).collect();
    let promised: Vec<RecordId> = out.lines().filter_map(acknowledged).collect();
    assert!(promised.len() > 1);
    assert!(promised.iter().all(|id| kept.contains(id)));
}
