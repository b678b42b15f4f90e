//! The newest lines of the book in memory, for whoever watches. The writer puts them here once they are on disk, in a step
//! that waits for nobody: whoever watches too slowly misses some, and hears how many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::facts::Record;

/// How many lines are kept at most, and how large they may be together.
const MOST: usize = 512;
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// How many lines a watcher takes at once.
const AT_ONCE: usize = 64;

/// See the module.
#[derive(Default)]
pub(super) struct Latest {
    ring: Mutex<Ring>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// The number of the line that comes next.
    next: u64,
}

impl Latest {
    /// Nothing yet; the line that comes next has the number `next`.
    pub(super) fn from(next: u64) -> Self {
        let latest = Self::default();
        latest.lock().next = next;
        latest
    }

    /// Takes lines that are on disk now; the last one has the number `last`.
    pub(super) fn put(&self, lines: impl ExactSizeIterator<Item = Vec<u8>>, last: u64) {
        if lines.len() == 0 {
            return;
        }
        let mut ring = self.lock();
        for line in lines {
            ring.bytes += line.len();
            ring.lines.push_back(line.into());
        }
        ring.next = last.saturating_add(1);
        while ring.lines.len() > MOST || ring.bytes > MOST_BYTES {
            let Some(oldest) = ring.lines.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(oldest.len());
        }
        drop(ring);
        self.changed.send_replace(());
    }

    /// The number of the newest line that is on disk.
    pub(super) fn last(&self) -> u64 {
        self.lock().next.saturating_sub(1)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// The number of the oldest line that is here.
    fn first(&self) -> u64 {
        self.next
            .saturating_sub(u64::try_from(self.lines.len()).unwrap_or(u64::MAX))
    }
}

/// Somebody who watches what is written.
pub struct Watcher {
    latest: Arc<Latest>,
    changed: watch::Receiver<()>,
    /// The number of the line that they have not seen.
    next: u64,
}

/// What a watcher sees next.
#[derive(Debug)]
pub struct Written {
    /// Records with their numbers, in their order.
    pub records: Vec<(u64, Record)>,
    /// How many went by before them because the watcher was too slow.
    pub missed: u64,
}

impl Watcher {
    /// Watches from now on; where `seen` is the number of a line that is still here, from behind it.
    pub(super) fn new(latest: &Arc<Latest>, seen: Option<u64>) -> Self {
        let changed = latest.changed.subscribe();
        let now = latest.lock().next;
        Self {
            latest: Arc::clone(latest),
            changed,
            next: seen.map_or(now, |seen| seen.saturating_add(1).min(now)),
        }
    }

    /// The number of the newest line that they have seen, or passed by: from behind it they go on.
    pub fn seen(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// What was written since, as soon as there is something; none once nothing will be.
    pub async fn next(&mut self) -> Option<Written> {
        loop {
            self.changed.borrow_and_update();
            if let Some(written) = self.take() {
                return Some(written);
            }
            self.changed.changed().await.ok()?;
        }
    }

    fn take(&mut self) -> Option<Written> {
        let (first, lines) = {
            let ring = self.latest.lock();
            let first = self.next.max(ring.first());
            let skipped = usize::try_from(first - ring.first()).unwrap_or(usize::MAX);
            let lines: Vec<Bytes> = ring.lines.iter().skip(skipped).take(AT_ONCE).cloned().collect();
            (first, lines)
        };
        if lines.is_empty() {
            return None;
        }
        let missed = first - self.next;
        let numbered = (first..).zip(&lines);
        let records = numbered.filter_map(|(number, line)| Some((number, serde_json::from_slice(line).ok()?)));
        self.next = first.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Some(Written {
            records: records.collect(),
            missed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64) -> Vec<u8> {
        let act = r#""kind":"gateway","act":"stopped","rulebook":"sha256:1""#;
        format!(r#"{{"id":"{number}","at":"2026-11-24T12:00:00Z",{act}}}"#).into_bytes()
    }

    fn write(latest: &Latest, numbers: std::ops::RangeInclusive<u64>) {
        let last = *numbers.end();
        let lines: Vec<Vec<u8>> = numbers.map(line).collect();
        latest.put(lines.into_iter(), last);
    }

    fn numbers(written: &Written) -> Vec<u64> {
        written.records.iter().map(|(number, _)| *number).collect()
    }

    #[tokio::test]
    async fn a_watcher_sees_what_is_written_from_then_on_in_its_order() {
        let latest = Arc::new(Latest::default());
        write(&latest, 1..=3);
        let mut watcher = Watcher::new(&latest, None);
        write(&latest, 4..=5);
        let written = watcher.next().await.unwrap();
        assert_eq!((numbers(&written), written.missed), (vec![4, 5], 0));
        assert_eq!(written.records[0].1.id.as_str(), "4");
    }

    #[tokio::test]
    async fn one_who_comes_back_goes_on_where_they_were() {
        let latest = Arc::new(Latest::default());
        write(&latest, 1..=5);
        let mut watcher = Watcher::new(&latest, Some(3));
        assert_eq!((watcher.seen(), latest.last()), (3, 5));
        assert_eq!(numbers(&watcher.next().await.unwrap()), [4, 5]);
        assert_eq!(watcher.seen(), 5);
        // and nobody is ahead of the book
        let mut watcher = Watcher::new(&latest, Some(99));
        write(&latest, 6..=6);
        assert_eq!(numbers(&watcher.next().await.unwrap()), [6]);
    }

    #[tokio::test]
    async fn whoever_is_too_slow_hears_how_many_they_missed_and_the_writer_keeps_no_more() {
        let latest = Arc::new(Latest::default());
        write(&latest, 1..=1);
        let mut slow = Watcher::new(&latest, None);
        write(&latest, 2..=2_000);
        assert_eq!(latest.lock().lines.len(), MOST);
        let written = slow.next().await.unwrap();
        let first = 2_000 - u64::try_from(MOST).unwrap() + 1;
        assert_eq!(written.missed, first - 2);
        assert_eq!(numbers(&written)[0], first);
        let mut seen = written.records.len();
        while let Some(written) = slow.take() {
            assert_eq!(written.missed, 0);
            seen += written.records.len();
        }
        assert_eq!(seen, MOST);
    }

    #[test]
    fn large_lines_are_not_kept_beyond_their_bound() {
        let latest = Latest::default();
        latest.put(std::iter::once(vec![b'x'; MOST_BYTES]), 1);
        latest.put(std::iter::once(vec![b'x'; 10]), 2);
        let ring = latest.lock();
        assert_eq!((ring.lines.len(), ring.bytes, ring.first()), (1, 10, 2));
    }
}
