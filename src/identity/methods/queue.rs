//! The queue for hashing: bounded, and nobody can fill it alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::facts::one_client;

/// How many sign-ins may wait for a hash; the next one is told to try again.
const MOST: usize = 256;
/// How many of them may come from one client. Whoever sends random passwords fills no more than this, and who comes after
/// them waits for no more than these; a browser's first connections, or those of a few people behind one address, fit.
const MOST_FROM_ONE: usize = 32;

/// Who waits, by where they come from.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<BTreeMap<IpAddr, usize>>);

/// A place in the queue, given back when dropped.
#[derive(Debug)]
pub(super) struct Queued<'q> {
    queue: &'q Queue,
    from: IpAddr,
}

impl Queue {
    /// A place for a client; none if too many wait.
    pub(super) fn enter(&self, client: IpAddr) -> Option<Queued<'_>> {
        let from = one_client(client);
        let mut waiting = self.lock();
        let here = waiting.get(&from).copied().unwrap_or_default();
        if here >= MOST_FROM_ONE || waiting.values().sum::<usize>() >= MOST {
            return None;
        }
        waiting.insert(from, here + 1);
        Some(Queued { queue: self, from })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        if let Some(here) = waiting.get_mut(&self.from) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                waiting.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter<'q>(queue: &'q Queue, client: &str) -> Option<Queued<'q>> {
        queue.enter(client.parse().unwrap())
    }

    #[test]
    fn one_client_cannot_keep_others_from_waiting() {
        let queue = Queue::default();
        let flood: Vec<_> = std::iter::from_fn(|| enter(&queue, "192.0.2.7")).collect();
        assert_eq!(flood.len(), MOST_FROM_ONE);
        assert!(
            enter(&queue, "::ffff:192.0.2.7").is_none(),
            "the same address, written otherwise"
        );
        let hop: Vec<_> = (0..MOST_FROM_ONE)
            .map(|n| enter(&queue, &format!("2001:db8::{n:x}")).unwrap())
            .collect();
        assert!(
            enter(&queue, "2001:db8::ffff:1").is_none(),
            "another address of the same host"
        );
        assert!(enter(&queue, "2001:db8:0:1::1").is_some());
        assert!(enter(&queue, "192.0.2.8").is_some());
        drop((flood, hop));
        assert!(enter(&queue, "192.0.2.7").is_some());
        assert!(queue.lock().is_empty(), "places are given back");
    }

    #[test]
    fn the_queue_is_bounded() {
        let queue = Queue::default();
        let client = |n: usize| format!("10.0.{}.{}", n / 256, n % 256);
        let places: Vec<_> = (0..MOST).map(|n| enter(&queue, &client(n)).unwrap()).collect();
        assert!(enter(&queue, "192.0.2.7").is_none());
        drop(places);
        assert!(enter(&queue, "192.0.2.7").is_some());
    }
}
