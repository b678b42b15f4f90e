//! A batch: lines that go to the disk together, and those who wait for it. Pure.

use tokio::sync::oneshot;

use super::Unavailable;
use super::walk::LONGEST_RECORD;
use crate::facts::{Act, Record, RecordId};

/// A record on its way to the disk.
pub(super) struct Line {
    /// The record, as a JSON object.
    pub(super) json: Vec<u8>,
    /// What it does to the flows that are open on disk.
    pub(super) mark: Mark,
    /// What to do once it is on disk; dropped without being done if it never is.
    pub(super) once_kept: Option<OnceKept>,
}

/// What to do once a line is on disk. The writer does it, so it must not wait for anything.
pub(super) type OnceKept = Box<dyn FnOnce() + Send>;

/// What a line does to the flows that are open on disk: those whose opening line is there and whose closing is not.
pub(super) enum Mark {
    /// It opens this one.
    Opens(RecordId),
    /// It closes this one, if it was opened.
    Closes(RecordId),
    /// Nothing.
    Neither,
}

impl Line {
    /// The line of `record`.
    pub(super) fn of(record: &Record) -> Result<Self, Unavailable> {
        let json = serde_json::to_vec(record);
        let json = json.map_err(|e| Unavailable::refused(format!("a record cannot be written as JSON: {e}")))?;
        if json.len() > LONGEST_RECORD {
            let long = format!("a record of {} bytes is longer than {LONGEST_RECORD}", json.len());
            return Err(Unavailable::refused(long));
        }
        let mark = match &record.act {
            Act::Opening { .. } => Mark::Opens(record.id.clone()),
            Act::Closing { decided, .. } if decided.as_ref().is_some_and(|note| note.publishes) => {
                Mark::Closes(record.id.clone())
            }
            Act::Closing { .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => Mark::Neither,
        };
        Ok(Self {
            json,
            mark,
            once_kept: None,
        })
    }
}

/// The answer to somebody who waits for the disk.
pub(super) type Durable = oneshot::Receiver<Result<(), Unavailable>>;
type Ack = oneshot::Sender<Result<(), Unavailable>>;

/// What the writer takes from the desk.
#[derive(Default)]
pub(super) struct Batch {
    /// The records, in order.
    pub(super) lines: Vec<Line>,
    acks: Vec<Ack>,
}

impl Batch {
    /// One more who waits.
    pub(super) fn wait(&mut self) -> Durable {
        let (ack, durable) = oneshot::channel();
        self.acks.push(ack);
        durable
    }

    /// Whether there is neither a line nor somebody who waits.
    pub(super) fn is_nothing(&self) -> bool {
        self.lines.is_empty() && self.acks.is_empty()
    }

    /// Does what was to be done once the lines are on disk.
    pub(super) fn kept(&mut self) {
        for once_kept in self.lines.iter_mut().filter_map(|line| line.once_kept.take()) {
            once_kept();
        }
    }

    /// Tells everybody who waits; afterwards nobody does.
    pub(super) fn answer(&mut self, answer: &Result<(), Unavailable>) {
        for ack in self.acks.drain(..) {
            // whoever no longer listens does not need the answer
            let _ = ack.send(answer.clone());
        }
    }
}

/// Waits for the writer's answer.
pub(super) async fn settled(durable: Durable) -> Result<(), Unavailable> {
    durable
        .await
        .unwrap_or_else(|_| Err(Unavailable::refused("the writer of the records has stopped")))
}
