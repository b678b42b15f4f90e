//! The writer: one thread that chains, writes and syncs what the desk accepted, and answers who waits.
//!
//! It writes a batch with one write and one sync. If either fails, everything since the last good sync counts as not
//! written (a page that failed to sync once may never be tried again by the kernel): the file is cut back to there and
//! the same bytes are written again, until the disk works.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::batch::{Batch, Line, Mark};
use super::chain::Chain;
use super::desk::{Desk, Gap, Turn};
use super::folder::Medium;
use super::latest::Latest;
use super::seal::{Seal, Signer};
use super::segment::Segment;
use super::{Reader, Settings, Unavailable};
use crate::clock::{Clock, Timestamp};
use crate::facts::{Act, GatewayAct, Record, RecordId};

/// How often an idle writer looks whether the day is over.
const IDLE: Duration = Duration::from_mins(1);
/// How long the writer waits before it tries a failing disk again.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Where the current segment stands on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) segment: Segment,
    /// The chain at the segment's first line.
    pub(super) from: Chain,
    /// The chain after its last line.
    pub(super) chain: Chain,
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// The UTC day of its first line, if it has one.
    pub(super) day: Option<i64>,
    /// The flows whose opening line is in the book up to here, and whose closing line is not.
    pub(super) open: BTreeSet<RecordId>,
}

/// Everything that the writer's thread owns.
pub(super) struct Writer {
    pub(super) desk: Arc<Desk>,
    /// Where watchers find what was written.
    pub(super) latest: Arc<Latest>,
    pub(super) readers: Arc<[Reader]>,
    pub(super) clock: Clock,
    pub(super) medium: Box<dyn Medium>,
    pub(super) signer: Signer,
    pub(super) tail: Tail,
    pub(super) segment_bytes: u64,
    pub(super) linger: Duration,
    pub(super) retry: Duration,
    /// Lines chained and not yet on disk.
    pub(super) buffer: Vec<u8>,
    /// Whether the file may hold more than `tail.bytes`.
    pub(super) dirty: bool,
}

/// The running writer; dropping it writes what is left and joins the thread.
pub(super) struct Running {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.desk.finish();
        if let Some(thread) = self.thread.take() {
            // a panic of the writer has already turned the book unhealthy
            let _ = thread.join();
        }
    }
}

/// The UTC day of a moment.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(24 * 60 * 60 * 1000)
}

impl Writer {
    /// A writer that goes on at `tail` of the open segment.
    pub(super) fn new(
        settings: &Settings,
        retry: Duration,
        parts: (Arc<Desk>, Arc<Latest>, Arc<[Reader]>, Clock),
        medium: Box<dyn Medium>,
        signer: Signer,
        tail: Tail,
    ) -> Self {
        let (desk, latest, readers, clock) = parts;
        Self {
            desk,
            latest,
            readers,
            clock,
            medium,
            signer,
            tail,
            segment_bytes: settings.segment_bytes,
            linger: Duration::from_millis(settings.sync_ms),
            retry,
            buffer: Vec::new(),
            dirty: true,
        }
    }

    /// Starts the thread.
    pub(super) fn start(self) -> io::Result<Running> {
        let desk = Arc::clone(&self.desk);
        let thread = std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || self.run())?;
        Ok(Running {
            desk,
            thread: Some(thread),
        })
    }

    fn run(self) {
        // ends the desk also when this thread panics: then nobody waits for ever, and the book is unhealthy
        let mut end = EndsTheDesk {
            desk: Arc::clone(&self.desk),
            lost: 0,
        };
        // dropped before `end`: whoever hears of the end may take the folder
        let mut writer = self;
        loop {
            let batch = match writer.desk.take(writer.linger, IDLE) {
                Turn::End => return,
                Turn::Idle => Batch::default(),
                Turn::Write(batch) => batch,
            };
            let lines = batch.lines.len();
            if !writer.keep(batch) {
                end.lost += lines;
                return;
            }
        }
    }

    /// Writes a batch, however long that takes; false if the book was closed while the disk failed.
    fn keep(&mut self, mut batch: Batch) -> bool {
        let mut chained = 0;
        let mut last_attempt = false;
        loop {
            let Err(e) = self.put(&batch.lines, &mut chained) else {
                let gap = self.desk.written(batch.lines.len());
                // before the answers: whoever hears that all is on disk finds what follows from it done
                batch.kept();
                batch.answer(&Ok(()));
                let lines = batch.lines.into_iter().map(|line| line.json);
                self.latest.put(lines, self.tail.chain.next.saturating_sub(1));
                if let Some(gap) = gap {
                    self.tell_of(gap);
                }
                return true;
            };
            self.dirty = true;
            let why = format!("the records cannot be written to `{}`: {e}", self.tail.segment.lines());
            // whoever hears that the disk fails must not find the book healthy
            self.desk.stuck(&why);
            batch.answer(&Err(Unavailable::kept(why.as_str())));
            if last_attempt {
                return false;
            }
            last_attempt = !self.desk.pause(self.retry);
        }
    }

    /// Puts lines on disk; after an error, goes on where it stopped.
    fn put(&mut self, lines: &[Line], chained: &mut usize) -> io::Result<()> {
        if self.tail.day.is_some_and(|day| day != day_of(self.clock.now())) {
            self.rotate()?;
        }
        while let Some(line) = lines.get(*chained) {
            if self.is_full_with(&line.json) {
                self.rotate()?;
            }
            self.tail.day.get_or_insert_with(|| day_of(self.clock.now()));
            self.tail.chain.append(&line.json, &mut self.buffer);
            match &line.mark {
                Mark::Opens(id) => drop(self.tail.open.insert(id.clone())),
                Mark::Closes(id) => drop(self.tail.open.remove(id)),
                Mark::Neither => {}
            }
            *chained += 1;
        }
        self.flush()
    }

    /// Whether `record` belongs into the next segment; a segment has at least one line.
    fn is_full_with(&self, record: &[u8]) -> bool {
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let filled = self.tail.bytes.saturating_add(size(self.buffer.len()));
        filled > 0 && filled.saturating_add(size(record.len() + 100)) > self.segment_bytes
    }

    /// Makes everything that is chained durable.
    fn flush(&mut self) -> io::Result<()> {
        if self.dirty {
            self.medium.truncate(self.tail.bytes)?;
            self.dirty = false;
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.medium.write(self.tail.bytes, &self.buffer)?;
        self.medium.sync()?;
        self.tail.bytes += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.buffer.clear();
        Ok(())
    }

    /// Seals the current segment and begins the next one. The seal is durable before the next segment is there.
    fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
        let seal = self.tail.seal();
        let signed = serde_json::to_vec(&self.signer.sign(seal))?;
        self.medium.place(&self.tail.segment.seal(), &signed)?;
        let next = self.tail.after();
        self.medium.create(&next.segment.lines())?;
        self.desk.begins(next.segment);
        self.tail = next;
        Ok(())
    }

    /// Records that records were missing for a while, now that there is room again.
    fn tell_of(&self, gap: Gap) {
        let at = self.clock.now();
        let record = Record {
            id: RecordId::new(at.fresh_name()),
            at,
            people: Vec::new(),
            act: Act::Gateway {
                act: GatewayAct::RecordsInterrupted {
                    why: gap.why,
                    since: gap.since,
                    refused: gap.refused,
                },
                rulebook: self.desk.rulebook(),
            },
        };
        if let Ok(line) = Line::of(&record) {
            self.desk.accept_note(line, None);
            for reader in self.readers.iter() {
                reader(&record);
            }
        }
    }
}

impl Tail {
    /// The beginning of a new book.
    pub(super) fn first() -> Self {
        Self {
            segment: Segment::FIRST,
            from: Chain::start(),
            chain: Chain::start(),
            bytes: 0,
            day: None,
            open: BTreeSet::new(),
        }
    }

    /// What is to be said of the segment as it stands.
    pub(super) fn seal(&self) -> Seal {
        Seal {
            segment: self.segment.lines(),
            first: self.from.next,
            last: self.chain.next.saturating_sub(1),
            count: self.chain.next.saturating_sub(self.from.next),
            prev: self.from.head.clone(),
            head: self.chain.head.clone(),
            open: self.open.clone(),
        }
    }

    /// The beginning of the next segment.
    pub(super) fn after(&self) -> Self {
        Self {
            segment: self.segment.next(),
            from: self.chain.clone(),
            chain: self.chain.clone(),
            bytes: 0,
            day: None,
            open: self.open.clone(),
        }
    }
}

struct EndsTheDesk {
    desk: Arc<Desk>,
    lost: usize,
}

impl Drop for EndsTheDesk {
    fn drop(&mut self) {
        self.desk.end(self.lost);
    }
}
