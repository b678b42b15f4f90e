//! Holds what `wayleave prove` found against the rules in force, and leaves what came of it for whoever tells people: once they
//! want to know, after rules, people or the file of findings have changed.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads the file of findings, off the workers' threads"
)]

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::time::MissedTickBehavior;

use crate::proof::{Board, Findings, Promises};
use crate::rulebook::Live;

/// How often it is looked whether there are other findings.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No file of findings is larger: of each property it says three short things.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A file under a name: another one, or the same after a change, is another version.
type Version = (u64, u64, u64, i64, i64);

/// Follows the rules and the file of findings until the task is dropped.
pub(super) async fn follow(path: PathBuf, live: Arc<Live>, board: Arc<Board>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = live.changes();
    let (mut version, mut findings) = (None, None);
    loop {
        let is_wanted = tokio::select! {
            _ = ticks.tick() => false,
            Ok(()) = changes.changed() => {
                board.clear();
                false
            }
            () = board.wanted() => true,
        };
        let now = version_of(&path).await;
        if now != version {
            version = now;
            findings = if now.is_some() { read(&path).await } else { None };
            board.clear();
        }
        if is_wanted && board.is_clear() {
            // what changes from here on is another change
            changes.mark_unchanged();
            compare(&live, &board, findings.clone()).await;
        }
    }
}

/// What the rules in force promise, with what was found of it. Many rules take a while to go through, and people change by the
/// minute: so nothing is compared before somebody wants to know.
async fn compare(live: &Arc<Live>, board: &Arc<Board>, findings: Option<Arc<Findings>>) {
    let (in_force, board) = (live.load(), Arc::clone(board));
    let compared = tokio::task::spawn_blocking(move || {
        if let Some(promises) = Promises::of(&in_force, findings) {
            board.put(promises);
        }
    });
    if let Err(error) = compared.await {
        tracing::error!(%error, "comparing what was proved with the rules broke off");
    }
}

async fn version_of(path: &Path) -> Option<Version> {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || std::fs::metadata(path)).await;
    let about = looked.ok()?.ok()?;
    Some((
        about.dev(),
        about.ino(),
        about.size(),
        about.ctime(),
        about.ctime_nsec(),
    ))
}

/// The findings that a file holds; none where it cannot be read, which is told.
async fn read(path: &Path) -> Option<Arc<Findings>> {
    let file = path.to_owned();
    let text = tokio::task::spawn_blocking(move || whole(&file)).await;
    let why = match text {
        Ok(Ok(text)) => match Findings::parse(&text) {
            Ok(findings) => return Some(Arc::new(findings)),
            Err(why) => why,
        },
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    let path = path.display();
    tracing::error!(%path, why, "what was proved cannot be read: nobody is told that anything was");
    None
}

fn whole(path: &Path) -> io::Result<String> {
    let mut options = OpenOptions::new();
    // whoever opens a pipe waits for somebody who writes, and a device has no end
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        let what = "it is not a regular file but a folder, a pipe or a device";
        return Err(io::Error::other(what));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(io::Error::other(format!("it is larger than {LARGEST} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Mode;
    use crate::rulebook::{InForce, Rulebook, Sources};

    fn in_force() -> InForce {
        let tried = Rulebook::tried_after(None, &Sources::embedded()).unwrap();
        tried.in_mode(Mode::Enforce)
    }

    #[test]
    fn what_is_no_file_of_findings_is_told_and_not_read_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let why = whole(path).unwrap_err().to_string();
            assert!(why.contains("not a regular file"), "{why}");
        }
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(whole(&large).unwrap_err().to_string().contains("larger than"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_proved_is_compared_once_somebody_wants_to_know_and_not_with_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let (live, board) = (Arc::new(Live::new(in_force())), Arc::<Board>::default());
        let id = live.load().rulebook.id().clone();
        let asking = async {
            let first = board.of(&id).await.unwrap();
            assert!(Arc::ptr_eq(&first, &board.of(&id).await.unwrap()), "once is enough");
            // the same rules, and other people
            live.replace(in_force());
            while !board.is_clear() {
                tokio::task::yield_now().await;
            }
            // the clock goes on by itself, and not before whoever compares unasked is done
            tokio::time::sleep(2 * LOOK_EVERY).await;
            assert!(board.is_clear(), "nobody asked");
            let second = board.of(&id).await.unwrap();
            assert!(!Arc::ptr_eq(&first, &second));
        };
        let follow = follow(folder.path().join("proofs.json"), Arc::clone(&live), Arc::clone(&board));
        tokio::select! {
            () = follow => panic!("it follows until it is dropped"),
            () = asking => {}
        }
    }
}
