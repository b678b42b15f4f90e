//! How many streams an HTTP/2 connection has open. One without any is not kept for ever: the protocol library has no timer
//! for it, and answers pings meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Tasks;

/// The streams of one connection; clones count the same ones.
#[derive(Clone, Default)]
pub(super) struct Streams(Arc<watch::Sender<Count>>);

#[derive(Clone, Copy, Default)]
struct Count {
    open: usize,
    begun: bool,
}

/// One of the streams, until it is dropped.
pub(super) struct Stream(Streams);

impl Streams {
    /// Counts one more.
    pub(super) fn open(&self) -> Stream {
        self.0.send_if_modified(|count| {
            count.open += 1;
            count.begun = true;
            count.open == 1
        });
        Stream(self.clone())
    }

    /// Whether there ever was one.
    pub(super) fn begun(&self) -> bool {
        self.0.borrow().begun
    }

    /// Returns once none has been open for `between`; or for `first`, as long as there was none.
    pub(super) async fn idle(&self, first: Duration, between: Duration) {
        let mut changes = self.0.subscribe();
        loop {
            let count = *changes.borrow_and_update();
            let patience = if count.begun { between } else { first };
            let changed = if count.open > 0 {
                changes.changed().await.is_ok()
            } else {
                matches!(timeout(patience, changes.changed()).await, Ok(Ok(())))
            };
            if !changed {
                return;
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|count| {
            count.open = count.open.saturating_sub(1);
            count.open == 0
        });
    }
}

/// Runs the library's task of each stream, which ends when its answer is delivered, and counts it.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) tasks: Tasks,
    pub(super) streams: Streams,
}

impl<F> hyper::rt::Executor<F> for Running
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        let stream = self.streams.open();
        self.tasks.spawn(async move {
            future.await;
            drop(stream);
        });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the clock of the test stands still")]

    use futures_util::poll;

    use super::*;

    const FIRST: Duration = Duration::from_secs(3);
    const BETWEEN: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_after_a_while_without_streams_and_sooner_before_the_first() {
        let streams = Streams::default();
        let began = tokio::time::Instant::now();
        streams.idle(FIRST, BETWEEN).await;
        assert_eq!(began.elapsed(), FIRST);
        assert!(!streams.begun());

        let (one, other) = (streams.open(), streams.open());
        drop(one);
        let mut idle = std::pin::pin!(streams.idle(FIRST, BETWEEN));
        assert!(poll!(idle.as_mut()).is_pending());
        tokio::time::advance(BETWEEN * 10).await;
        assert!(poll!(idle.as_mut()).is_pending(), "a stream is open");
        drop(other);
        let began = tokio::time::Instant::now();
        idle.await;
        assert_eq!(began.elapsed(), BETWEEN);
        assert!(streams.begun());
    }
}
