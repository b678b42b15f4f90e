//! What happened? The book: one line for each flow, chained by hashes, on disk before anything is published.
//!
//! ```text
//!  flow ── enter ── saw ── decided ── commit ──────────── close        each flow's own task
//!            │                          │ opening line      │ closing line
//!            │ waits for room           v                   v
//!            └───────────────────── desk: lines accepted, not yet on disk
//!                                       │ one batch
//!                                       v
//!                                   writer: seq, prev, hash; one write and one sync for all who wait
//!                                       │
//!                  records-00000001.jsonl ── sealed ──> records-00000001.seal
//! ```
//!
//! Reads like this: [`Book::open`] repairs what a crash tore and starts the writer; [`Book::enter`] gives an [`Entry`];
//! the entry closes exactly once, if need be as abandoned; [`read()`] and [`verify()`] work on the files alone.
//!
//! It must never lose a line that it accepted while the process lives, never acknowledge a line that is not on disk,
//! and never judge: it writes down what others decided.

mod backward;
mod batch;
mod chain;
mod desk;
mod entry;
mod filter;
mod folder;
mod lasting;
mod latest;
mod opening;
mod read;
mod seal;
mod search;
mod segment;
#[cfg(test)]
pub(crate) mod tests;
mod topic;
mod verify;
mod walk;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::facts::{Act, Person, Record, RecordId, SubjectId};
use batch::Line;
use desk::Desk;
pub use entry::{Closing, Counters, Entry};
pub use filter::{ANY, BadClientNet, ClientNet, Filter, LetPass, is_at_or_below, is_of};
use lasting::Open;
pub use lasting::{Lasting, OpenFlow};
use latest::Latest;
pub use latest::{Watcher, Written};
pub use opening::{BookError, Repair};
pub use read::{Position, ReadProblem, Records, Unread, find, read, read_from};
pub use search::{
    AFTERWARDS, BadBookmark, Bookmark, Bounds, Found, Lines, decisions, gateway_acts, line_at, lines_of, records,
};
pub use topic::Topic;
pub use verify::{Known, Landmark, Verified, verify, verify_known};
pub use walk::Broken;

/// How the book is kept.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The folder of the book; made if it is not there.
    pub folder: PathBuf,
    /// How many lines may wait for the disk before new flows wait too.
    pub queue: usize,
    /// What a new flow does while that many lines wait.
    pub on_full: OnFull,
    /// A segment is sealed and the next one begun before it grows beyond this size; also every day at 00:00 UTC.
    pub segment_bytes: u64,
    /// Lines that nobody waits for are on disk after this many milliseconds at the latest.
    pub sync_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("state/records"),
            queue: 8192,
            on_full: OnFull::Block,
            segment_bytes: 64 * 1024 * 1024,
            sync_ms: 100,
        }
    }
}

/// What a new flow does while the queue is full. Neither loses a line.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OnFull {
    /// It waits until there is room.
    #[default]
    Block,
    /// It is refused at once; how many were is recorded as soon as there is room.
    Refuse,
}

/// Something that sees every closing, stray, grant and gateway record once: the metrics.
pub type Reader = Box<dyn Fn(&Record) + Send + Sync>;

/// What is known of somebody now.
pub type Knows = Box<dyn Fn(&SubjectId) -> Option<Arc<Person>> + Send + Sync>;

/// Why a line is not on disk: no record, no access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unavailable {
    why: String,
    kept: bool,
}

impl Unavailable {
    fn refused(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            kept: false,
        }
    }

    fn kept(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            kept: true,
        }
    }

    /// Whether the line was accepted before the trouble began: it waits in memory and will be written once the disk
    /// works again. What it says must then be undone by another act, not by silence.
    pub fn is_kept(&self) -> bool {
        self.kept
    }
}

/// The book of this gateway; clones write into the same one.
#[derive(Clone)]
pub struct Book {
    inner: Arc<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    latest: Arc<Latest>,
    folder: PathBuf,
    readers: Arc<[Reader]>,
    clock: Clock,
    /// Why flows that vanish from now on are cut.
    cut: OnceLock<String>,
    /// Who people are now.
    knows: OnceLock<Knows>,
    /// What lasts of what is open.
    open: Open,
    /// Ends and joins the writer when the last book and the last entry are gone.
    _writer: writer::Running,
}

impl Book {
    /// Opens the book in `settings.folder`, repairs what a crash tore, and starts its writer.
    ///
    /// What was repaired is returned, and recorded in the book itself.
    pub fn open(settings: &Settings, clock: Clock, readers: Vec<Reader>) -> Result<(Self, Vec<Repair>), BookError> {
        opening::open(settings, clock, readers)
    }

    /// Writes an act that is no flow, and returns once it is on disk.
    ///
    /// An error that [`is_kept`](Unavailable::is_kept) will be in the book later; any other never will.
    pub async fn write(&self, record: Record) -> Result<(), Unavailable> {
        let line = Line::of(&record)?;
        let durable = self.inner.desk.accept_act(line, rulebook_of(&record))?;
        self.show(&record);
        batch::settled(durable).await
    }

    /// Accepts an act that has happened anyway, without waiting for the disk; kept in memory while the disk fails.
    pub fn note(&self, record: &Record) {
        if let Some(line) = line_of(record) {
            self.accept(line, record);
        }
    }

    /// The same; `once_kept` is called when it is on disk, by the writer, and must not wait for anything. It is dropped
    /// without being called if the book ends before.
    pub fn note_then(&self, record: &Record, once_kept: impl FnOnce() + Send + 'static) {
        if let Some(mut line) = line_of(record) {
            line.once_kept = Some(Box::new(once_kept));
            self.accept(line, record);
        }
    }

    fn accept(&self, line: Line, record: &Record) {
        self.show(record); // first, as with flows
        self.inner.desk.accept_note(line, rulebook_of(record));
    }

    /// A record of `act` with a fresh id, now.
    pub fn record(&self, act: Act) -> Record {
        let at = self.inner.clock.now();
        Record {
            id: RecordId::new(at.fresh_name()),
            at,
            people: self.known(&act),
            act,
        }
    }

    /// From now on lines about no flow keep what `knows` says of whom they name.
    pub fn knows(&self, knows: Knows) {
        // whoever comes second finds that somebody already knows
        let _first = self.inner.knows.set(knows);
    }

    fn known(&self, act: &Act) -> Vec<Arc<Person>> {
        let Some(knows) = self.inner.knows.get() else {
            return Vec::new();
        };
        act.named().iter().filter_map(knows).collect()
    }

    /// Returns once everything accepted before this call is on disk.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        batch::settled(self.inner.desk.accept_flush()?).await
    }

    /// The number of the segment that is being written, for [`read_from`]: what is accepted from now on is in it or in a
    /// later one.
    pub fn segment(&self) -> u64 {
        self.inner.desk.segment().0
    }

    /// Watches what is written from now on; where `seen` is the number of a line that is still in memory, from behind it.
    /// However slow a watcher is, nobody who writes waits for it.
    pub fn watch(&self, seen: Option<u64>) -> Watcher {
        Watcher::new(&self.inner.latest, seen)
    }

    /// The number of the newest line that is on disk: whoever reads the book from now on and watches from behind that line
    /// misses nothing.
    pub fn newest(&self) -> u64 {
        self.inner.latest.last()
    }

    /// What is open now and lasts, the oldest first.
    pub fn open_flows(&self) -> Vec<Arc<OpenFlow>> {
        self.inner.open.all()
    }

    /// The folder in which it is kept.
    pub fn folder(&self) -> &std::path::Path {
        &self.inner.folder
    }

    /// Whether records can be written; if not, why.
    pub fn healthy(&self) -> Result<(), String> {
        self.inner.desk.healthy()
    }

    /// How many accepted lines are not on disk yet.
    pub fn queue_len(&self) -> usize {
        self.inner.desk.backlog()
    }

    /// Says that the gateway itself is about to end whatever still runs: a flow that vanishes from now on was cut, for
    /// this reason, and not left by somebody else.
    pub fn cutting(&self, why: &str) {
        // the first reason stands
        let _ = self.inner.cut.set(why.to_owned());
    }

    /// How many flows were turned away because no record of them could be kept, since the book was opened.
    pub fn turned_away(&self) -> u64 {
        self.inner.desk.turned_away()
    }

    /// Takes no new flows, waits for every open entry to close, writes everything, and stops the writer.
    ///
    /// An error says how many lines could not be written.
    pub async fn close(self) -> Result<(), Unavailable> {
        self.inner.desk.close().await
    }

    fn show(&self, record: &Record) {
        for reader in self.inner.readers.iter() {
            reader(record);
        }
    }
}

/// The line of what has happened anyway. What cannot be written at all, which nothing that this house records comes near, is
/// at least said.
fn line_of(record: &Record) -> Option<Line> {
    let lost = |trouble: &Unavailable| tracing::error!(%trouble, id = %record.id, "a record is lost");
    Line::of(record).inspect_err(lost).ok()
}

fn rulebook_of(record: &Record) -> Option<crate::facts::RulebookId> {
    match &record.act {
        Act::Gateway { rulebook, .. }
        | Act::Grant { rulebook, .. }
        | Act::Token { rulebook, .. }
        | Act::Access { rulebook, .. } => Some(rulebook.clone()),
        Act::Opening { .. } | Act::Closing { .. } | Act::Stray { .. } => None,
    }
}
