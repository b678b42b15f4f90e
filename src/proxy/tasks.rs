//! Everything that runs for a client: it hears of the stop, it is waited for, and what does not end by itself is cut.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of the house; clones speak of the same ones.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    running: TaskTracker,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Tasks {
    /// Runs `task` until it ends or is cut.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future + Send + 'static,
    {
        // a token of its own: all tasks would meet at one lock, at each step of each of them
        let cut = self.cut.child_token();
        self.running.spawn(async move {
            tokio::select! { biased; () = cut.cancelled() => {} _ = task => {} }
        });
    }

    /// Does what has no end of its own until the stop.
    pub fn until_stop(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stop.clone();
        self.spawn(async move {
            tokio::select! { () = work => {} () = stopping.cancelled() => {} }
        });
    }

    /// The same tasks, for those of one connection: they share tokens with each other and with nobody else.
    #[must_use]
    pub fn of_one_connection(&self) -> Self {
        Self {
            running: self.running.clone(),
            stop: self.stop.child_token(),
            cut: self.cut.child_token(),
        }
    }

    /// Fires when the house stops: no task begins anything new from then on.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Tells every task to come to its end, and waits for that, but not longer than `patience`. Returns how many tasks
    /// are left.
    pub async fn stop(&self, patience: Duration) -> usize {
        self.stop.cancel();
        self.running.close();
        if tokio::time::timeout(patience, self.running.wait()).await.is_ok() {
            return 0;
        }
        self.running.len()
    }

    /// Ends what is left wherever it waits, and returns once everything that it held is dropped.
    pub async fn cut(&self) {
        self.cut.cancel();
        self.running.wait().await;
    }
}

/// The library's own tasks, too, are waited for and cut.
impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        self.spawn(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_end_in_time_is_dropped_where_it_waits() {
        let (tasks, held) = (Tasks::default(), std::sync::Arc::new(()));
        let (keeps, ends) = (held.clone(), held.clone());
        tasks.spawn(async move {
            std::future::pending::<()>().await;
            drop(keeps);
        });
        let stopping = tasks.stopping().clone();
        tasks.spawn(async move {
            stopping.cancelled().await;
            drop(ends);
        });
        tokio::task::yield_now().await;
        assert_eq!(tasks.stop(Duration::from_millis(1)).await, 1);
        tasks.cut().await;
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }
}
