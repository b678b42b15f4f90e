//! Searches through the book on disk: few at once, each person one, on threads that may wait for the disk.
#![expect(clippy::disallowed_methods, reason = "door: searches the book where it may wait")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::facts::SubjectId;

/// How many run at once, whoever asks.
const AT_ONCE: usize = 2;

/// So long may whoever takes a file away take nothing of it: then the file is broken off, and they may take another.
const STALLED: Duration = Duration::from_mins(5);

/// The searches that run.
pub(super) struct Searches {
    running: Arc<Semaphore>,
    people: Arc<Mutex<BTreeSet<SubjectId>>>,
    /// Those who take away what is found, each one file at a time.
    exporters: Arc<Mutex<Exporters>>,
}

/// Those who take files away, each with the number of their place and when they took something last.
#[derive(Default)]
struct Exporters {
    next: u64,
    places: BTreeMap<SubjectId, (u64, Instant)>,
}

/// Somebody who takes away what is found, until it is dropped, or they take nothing for too long.
pub(super) struct Exporter {
    who: SubjectId,
    number: u64,
    exporters: Arc<Mutex<Exporters>>,
}

/// Why a search was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSearched {
    /// Another one of the same person runs.
    OneAtATime,
    /// It ended without an answer.
    Failed,
}

/// Somebody's search, until it is dropped: by the thread on which it runs, also where nobody waits for it any more.
struct Searcher {
    who: SubjectId,
    people: Arc<Mutex<BTreeSet<SubjectId>>>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            people: Arc::default(),
            exporters: Arc::default(),
        }
    }
}

impl Searches {
    /// Does `work`, which may wait for the disk, once it is the turn of `who`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        who: &SubjectId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotSearched> {
        let searcher = Searcher::one(&self.people, who)?;
        self.step(move || {
            let found = work();
            drop(searcher);
            found
        })
        .await
    }

    /// A place for somebody who takes a file away, in many steps.
    pub(super) fn export(&self, who: &SubjectId) -> Result<Exporter, NotSearched> {
        let now = Instant::now();
        let mut taken = of(&self.exporters);
        if let Some((_, moved)) = taken.places.get(who) {
            if now.duration_since(*moved) < STALLED {
                return Err(NotSearched::OneAtATime);
            }
            broken_off(who);
        }
        let number = taken.next;
        taken.next += 1;
        taken.places.insert(who.clone(), (number, now));
        Ok(Exporter {
            who: who.clone(),
            number,
            exporters: Arc::clone(&self.exporters),
        })
    }

    /// Does one step of what somebody has a place for, once there is room: others search between two of them.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotSearched> {
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| NotSearched::Failed)?;
        let done = tokio::task::spawn_blocking(move || {
            let found = work();
            drop(running);
            found
        });
        done.await.map_err(|_| NotSearched::Failed)
    }
}

impl Exporter {
    /// Notes that they take more; false where they took nothing for too long, and the file ends here.
    pub(super) fn takes_more(&self) -> bool {
        let now = Instant::now();
        let mut taken = of(&self.exporters);
        let Some((_, moved)) = taken
            .places
            .get_mut(&self.who)
            .filter(|(number, _)| *number == self.number)
        else {
            // said in the log when somebody else was given the place
            return false;
        };
        if now.duration_since(*moved) < STALLED {
            *moved = now;
            return true;
        }
        taken.places.remove(&self.who);
        broken_off(&self.who);
        false
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let mut taken = of(&self.exporters);
        if taken
            .places
            .get(&self.who)
            .is_some_and(|(number, _)| *number == self.number)
        {
            taken.places.remove(&self.who);
        }
    }
}

fn of(exporters: &Mutex<Exporters>) -> MutexGuard<'_, Exporters> {
    exporters.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broken_off(who: &SubjectId) {
    let seconds = STALLED.as_secs();
    tracing::warn!(%who, seconds, "a file of records is broken off: nothing of it was taken for that long");
}

impl Searcher {
    /// The only one of this person among these.
    fn one(people: &Arc<Mutex<BTreeSet<SubjectId>>>, who: &SubjectId) -> Result<Self, NotSearched> {
        let begun = people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(who.clone());
        let searcher = || Self {
            who: who.clone(),
            people: Arc::clone(people),
        };
        begun.then(searcher).ok_or(NotSearched::OneAtATime)
    }
}

impl Drop for Searcher {
    fn drop(&mut self) {
        self.people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.who);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn each_person_searches_once_and_few_do_so_at_the_same_time() {
        let searches = Searches::default();
        let people = ["ada", "ben", "eve"].map(|name| SubjectId::parse(name).unwrap());
        let ((go, wait), (other_go, other_wait)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
        let mut first = pin!(searches.run(&people[0], move || wait.recv().is_ok()));
        assert!(poll!(first.as_mut()).is_pending());
        assert_eq!(searches.run(&people[0], || ()).await, Err(NotSearched::OneAtATime));
        let mut second = pin!(searches.run(&people[1], move || other_wait.recv().is_ok()));
        assert!(poll!(second.as_mut()).is_pending());
        let mut third = pin!(searches.run(&people[2], || "found"));
        assert!(poll!(third.as_mut()).is_pending());
        go.send(()).unwrap();
        assert_eq!(first.await, Ok(true));
        assert_eq!(third.await, Ok("found"));
        other_go.send(()).unwrap();
        assert_eq!(second.await, Ok(true));
        assert_eq!(searches.run(&people[0], || 1).await, Ok(1));
    }

    #[tokio::test]
    async fn whoever_gave_up_waiting_may_search_again() {
        let searches = Searches::default();
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|name| SubjectId::parse(name).unwrap());
        let ((go, wait), (other_go, other_wait)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
        let mut first = pin!(searches.run(&ada, move || wait.recv().is_ok()));
        let mut second = pin!(searches.run(&ben, move || other_wait.recv().is_ok()));
        assert!(poll!(first.as_mut()).is_pending() && poll!(second.as_mut()).is_pending());
        {
            let mut given_up = pin!(searches.run(&eve, || ()));
            assert!(poll!(given_up.as_mut()).is_pending());
        }
        go.send(()).unwrap();
        other_go.send(()).unwrap();
        assert_eq!(searches.run(&eve, || ()).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_of_a_file_for_too_long_has_it_broken_off_and_may_take_another() {
        let searches = Searches::default();
        let [ada, ben] = ["ada", "ben"].map(|name| SubjectId::parse(name).unwrap());
        let (first, other) = (searches.export(&ada).unwrap(), searches.export(&ben).unwrap());
        assert!(searches.export(&ada).is_err());
        // slowly, and on
        for _ in 0..3 {
            tokio::time::advance(STALLED.saturating_sub(Duration::from_secs(1))).await;
            assert!(first.takes_more());
        }
        assert!(!other.takes_more(), "also where nobody else wants the place");
        tokio::time::advance(STALLED).await;
        let second = searches.export(&ada).unwrap();
        assert!(!first.takes_more());
        drop(first);
        assert!(searches.export(&ada).is_err(), "what is over takes no place away");
        assert!(second.takes_more());
        drop(second);
        assert!(searches.export(&ada).is_ok());
    }
}
