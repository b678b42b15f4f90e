//! How many streams a shared connection carries, and how many its origin lets it carry. Pure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// More streams than this share no connection, whatever the origin allows: each may hold a window of memory. It is also
/// what may be opened before an origin has said a number (RFC 9113 §6.5.2).
pub(super) const MOST: usize = 100;

/// How many streams a connection carries, and how many it may.
pub(super) struct StreamLimit {
    open: AtomicUsize,
    most: AtomicUsize,
    carrier: AtomicWaker,
}

/// One of the streams that a connection may carry, given back on drop.
pub(super) struct Reservation(Arc<StreamLimit>);

impl StreamLimit {
    /// None yet, and at most `most`.
    pub(super) fn up_to(most: usize) -> Arc<Self> {
        Arc::new(Self {
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(most),
            carrier: AtomicWaker::new(),
        })
    }

    /// Reserves one more stream, if there is room.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Reservation> {
        let most = self.most();
        let entered = self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
            (open < most).then(|| open + 1)
        });
        entered.is_ok().then(|| Reservation(Arc::clone(self)))
    }

    pub(super) fn are_none(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// How many the origin allows, as far as is known.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Takes down what the origin allows now. At least one: else every request would dial, and none would leave.
    pub(super) fn allow(&self, most: usize) {
        self.most.store(most.clamp(1, MOST), Ordering::Relaxed);
    }

    /// Remembers whom to wake for a look at what the origin allows.
    pub(super) fn looked_after_by(&self, carrier: &Waker) {
        self.carrier.register(carrier);
    }
}

impl Reservation {
    /// Has somebody look at what the origin allows: that came before the first answer, but nobody was told.
    pub(super) fn look(&self) {
        self.0.carrier.wake();
    }

    /// The origin refused one stream more than those beside it: until somebody has looked, no more are opened.
    pub(super) fn refused(self) {
        let others = self.0.open.load(Ordering::Relaxed).saturating_sub(1);
        self.0.allow(others);
        self.look();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_out_up_to_the_limit_and_taken_back() {
        let streams = StreamLimit::up_to(MOST);
        streams.allow(2);
        let first = streams.enter().unwrap();
        let _second = streams.enter().unwrap();
        assert!(streams.enter().is_none());
        drop(first);
        let again = streams.enter();
        assert!(again.is_some() && !streams.are_none());
    }

    #[test]
    fn a_refused_stream_tells_how_many_there_may_be() {
        let streams = StreamLimit::up_to(MOST);
        let _two = [streams.enter().unwrap(), streams.enter().unwrap()];
        streams.enter().unwrap().refused();
        assert!(streams.enter().is_none());
    }

    #[test]
    fn whatever_an_origin_allows_there_is_one_place_and_an_end() {
        let streams = StreamLimit::up_to(MOST);
        streams.allow(0);
        let _one = streams.enter().unwrap();
        assert!(streams.enter().is_none());
        streams.allow(usize::MAX);
        let all: Vec<Reservation> = std::iter::from_fn(|| streams.enter()).collect();
        assert_eq!(all.len(), MOST - 1);
    }
}
