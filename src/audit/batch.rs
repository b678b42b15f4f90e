//! A batch: lines that go to the disk together, and those who wait for it. Pure.

use tokio::sync::oneshot;

use super::Unavailable;

/// The answer to somebody who waits for the disk.
pub(super) type Durable = oneshot::Receiver<Result<(), Unavailable>>;
type Ack = oneshot::Sender<Result<(), Unavailable>>;

/// What the writer takes from the desk.
#[derive(Default)]
pub(super) struct Batch {
    /// The records, as JSON objects, in order.
    pub(super) lines: Vec<Vec<u8>>,
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
