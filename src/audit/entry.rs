//! One flow, one entry, one closing line: by [`Entry::close`], or as abandoned or cut when the entry is dropped.
#![expect(clippy::disallowed_methods, reason = "door: measures how long a flow took")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::batch::Line;
use super::lasting::{Lasting, Place};
use super::{Book, Unavailable, batch};
use crate::clock::Timestamp;
use crate::facts::{Act, DecisionNote, End, Ending, GrantId, Observation, PurposeId, Record, RecordId, Standing};

/// What whoever carries a flow notes of its content.
#[derive(Debug, Default)]
pub struct Counters {
    /// Whether the gateway reads it.
    read: AtomicBool,
    /// Whether it has gone on for some time.
    lasts: AtomicBool,
    /// From client to origin.
    pub up: AtomicU64,
    /// From origin to client.
    pub down: AtomicU64,
    rests_on: Mutex<RestsOn>,
}

/// What lets a flow go on.
#[derive(Clone, Debug, Default)]
pub(super) enum RestsOn {
    /// What let it begin, as far as is known.
    #[default]
    AsJudged,
    /// The rules alone.
    Rules,
    /// A grant, for this purpose.
    Grant(GrantId, PurposeId),
}

impl Counters {
    /// Notes that the gateway reads the content, in case nobody is left to say it at the end.
    pub fn reads_content(&self) {
        self.read.store(true, Ordering::Relaxed);
    }

    /// Notes that the flow has gone on for some time: whoever watches it knows.
    pub fn goes_on(&self) {
        self.lasts.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn has_gone_on(&self) -> bool {
        self.lasts.load(Ordering::Relaxed)
    }

    /// Notes what lets the flow go on: this grant, for this purpose, or the rules alone.
    pub fn rests_on(&self, grant: Option<(GrantId, PurposeId)>) {
        let rests_on = grant.map_or(RestsOn::Rules, |(id, purpose)| RestsOn::Grant(id, purpose));
        *self.rests_on.lock().unwrap_or_else(PoisonError::into_inner) = rests_on;
    }

    /// What it rests on.
    pub(super) fn resting_on(&self) -> RestsOn {
        let noted = self.rests_on.lock().unwrap_or_else(PoisonError::into_inner);
        noted.clone()
    }
}

/// What only the carrier of a flow knows about its end; the entry measures the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// In which way it ended.
    pub end: End,
    /// The status that the client got, if any.
    pub status: Option<u16>,
    /// Whether the gateway read the flow's content; also where that was noted before.
    pub decrypted: bool,
}

/// The open record of one flow.
#[must_use = "an entry that is dropped records an abandoned flow"]
pub struct Entry {
    book: Book,
    id: RecordId,
    at: Timestamp,
    client: SocketAddr,
    /// When its client began to wait: with `at`, this tells when its line is written.
    began: Instant,
    admitted: Instant,
    judged: Option<Duration>,
    seen: Option<Box<Observation>>,
    decided: Option<Box<DecisionNote>>,
    counters: Arc<Counters>,
    status: Option<u16>,
    committed: bool,
    closed: bool,
    /// Its place among what is open and lasts, where it does.
    lasting: Option<Place>,
}

impl Book {
    /// Begins the record of one flow that `client` started. From here on one closing line is certain.
    ///
    /// This is where a flow waits while the disk is behind: an entry holds in memory what its closing line will say,
    /// so closing it needs no more room and never waits.
    pub async fn enter(&self, at: Timestamp, client: SocketAddr) -> Result<Entry, Unavailable> {
        let began = Instant::now();
        self.inner.desk.admit().await?;
        Ok(Entry::begin(self.clone(), (at, began), client))
    }
}

impl Entry {
    /// INVARIANT: the desk has admitted this entry and counts it as open until `finish`.
    fn begin(book: Book, (at, began): (Timestamp, Instant), client: SocketAddr) -> Self {
        Self {
            book,
            id: RecordId::new(at.fresh_name()),
            at,
            client,
            began,
            admitted: Instant::now(),
            judged: None,
            seen: None,
            decided: None,
            counters: Arc::default(),
            status: None,
            committed: false,
            closed: false,
            lasting: None,
        }
    }

    /// The record's name: what the employee sees as the reference.
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// Notes what was seen, redacted.
    pub fn saw(&mut self, seen: Observation) {
        self.seen = Some(Box::new(seen));
    }

    /// Notes what was decided, and how long that took since there was room for its line.
    pub fn decided(&mut self, decided: DecisionNote) {
        self.judged.get_or_insert_with(|| self.admitted.elapsed());
        self.decided = Some(Box::new(decided));
    }

    /// Notes that the client got this status, in case nobody is left to say it at the end.
    pub fn stands(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Notes that the flow will last, and as what: it is found before it ends. Nothing of one that was not judged.
    pub fn lasts(&mut self, kind: Lasting) {
        // what was its place before would take the new one with it
        self.lasting = None;
        if let (Some(seen), Some(decided)) = (&self.seen, &self.decided) {
            // it can be kept for days: not with all that its sender held
            let seen = Observation {
                standing: Standing::default(),
                ..Observation::clone(seen)
            };
            let judged = (Box::new(seen), decided.clone());
            let counters = Arc::clone(&self.counters);
            self.lasting = Some(self.book.inner.open.enter(kind, (&self.id, self.at), judged, counters));
        }
    }

    /// Has an exchange found before it ends once it has gone on for some time: most are over before that, and cost nothing.
    pub fn lasts_if_it_goes_on(&mut self) {
        if self.counters.has_gone_on() && self.lasting.is_none() {
            self.lasts(Lasting::Exchange);
        }
    }

    /// Where the carrier counts the flow's bytes, and notes that it is read.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Writes the opening line of a publishing flow and returns once it is on disk: nothing may leave before.
    pub async fn commit(&mut self) -> Result<(), Unavailable> {
        if self.committed {
            return Ok(());
        }
        let line = self.opening()?;
        let durable = self.book.inner.desk.accept_act(line, None)?;
        batch::settled(durable).await?;
        self.committed = true;
        Ok(())
    }

    /// The opening line. What was seen and decided is lent to it, not copied: both can be large.
    fn opening(&mut self) -> Result<Line, Unavailable> {
        let (seen, decided) = match (self.seen.take(), self.decided.take()) {
            (Some(seen), Some(decided)) => (seen, decided),
            (seen, decided) => {
                (self.seen, self.decided) = (seen, decided);
                return Err(Unavailable::refused("a flow cannot be opened before it is judged"));
            }
        };
        let opening = Record {
            id: self.id.clone(),
            at: self.at,
            people: Vec::new(),
            act: Act::Opening { seen, decided },
        };
        let line = Line::of(&opening);
        if let Act::Opening { seen, decided } = opening.act {
            (self.seen, self.decided) = (Some(seen), Some(decided));
        }
        line
    }

    /// Writes the closing line. Never waits.
    pub fn close(mut self, closing: Closing) {
        self.finish(closing);
    }

    /// Writes no line, also none when it is dropped: for a flow that passed nothing on and is told together with others.
    pub fn leave_out(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.book.inner.desk.release();
        }
    }

    /// Writes the closing line of a flow that went away before its end: as cut where the gateway itself is cutting what
    /// runs, else as `closing` says.
    pub fn vanish(mut self, closing: Closing) {
        self.finish_vanished(closing);
    }

    fn finish_vanished(&mut self, closing: Closing) {
        let end = match self.book.inner.cut.get() {
            Some(why) => End::Cut(why.clone()),
            None => closing.end,
        };
        self.finish(Closing { end, ..closing });
    }

    fn finish(&mut self, closing: Closing) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let ended = Ending {
            end: closing.end,
            status: closing.status,
            decrypted: closing.decrypted || self.counters.read.load(Ordering::Relaxed),
            bytes_up: self.counters.up.load(Ordering::Relaxed),
            bytes_down: self.counters.down.load(Ordering::Relaxed),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            judged_us: self
                .judged
                .map_or(0, |spent| u64::try_from(spent.as_micros()).unwrap_or(u64::MAX)),
        };
        let record = Record {
            id: self.id.clone(),
            at: self.at,
            people: Vec::new(),
            act: match self.seen.take() {
                Some(seen) => Act::Closing {
                    seen,
                    decided: self.decided.take(),
                    ended,
                },
                None => Act::Stray {
                    client: self.client,
                    ended,
                },
            },
        };
        // before the writer can have it: whoever finds the line in the book finds it counted
        self.book.show(&record);
        // INVARIANT: the desk stops counting this entry as open in the same step in which it accepts its line.
        self.book.inner.desk.accept_closing(Line::of(&record).ok());
        self.lasting = None;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.finish_vanished(Closing {
            end: End::Abandoned,
            status: self.status,
            decrypted: false,
        });
    }
}
