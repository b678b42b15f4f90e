//! Who guesses passwords: wrong ones are counted by account and client, and after some of them the next has to wait, so
//! that a guesser learns a few answers an hour and no more. Pure.
//!
//! Counted by client too, so that nobody can keep somebody else from signing in elsewhere. Keys are digests, as in
//! `remembered.rs`; unknown names are counted as known ones are, so that waiting tells nothing about them.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::remembered::Digest;

/// How many wrong passwords are answered before somebody has to wait.
pub(super) const FREE: u32 = 10;
/// For how long, from the last wrong one on.
pub const WAIT: Duration = Duration::from_mins(5);
/// Of how many pairs of an account and a client the wrong passwords are counted: then the oldest goes for each that
/// comes, and each that comes costs a hash.
const MOST: usize = 4096;

#[derive(Debug)]
struct Count {
    wrong: u32,
    last: Duration,
}

/// Wrong passwords by account and client. Times are spans since the process started looking.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    counts: HashMap<Digest, Count>,
    /// In the order in which they came.
    order: VecDeque<Digest>,
}

impl Guesses {
    /// Whether nothing more is answered for now.
    pub(super) fn must_wait(&self, who: &Digest, now: Duration) -> bool {
        let fresh = |count: &Count| count.wrong >= FREE && now < count.last.saturating_add(WAIT);
        self.counts.get(who).is_some_and(fresh)
    }

    /// A password was wrong that was not known to be.
    pub(super) fn wrong(&mut self, who: Digest, now: Duration) {
        if let Some(count) = self.counts.get_mut(&who) {
            let over = now >= count.last.saturating_add(WAIT);
            count.wrong = if over { 1 } else { count.wrong.saturating_add(1) };
            count.last = now;
            return;
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.order.push_back(who);
        self.counts.insert(who, Count { wrong: 1, last: now });
    }

    /// The password was right: whoever knows it does not guess.
    pub(super) fn right(&mut self, who: &Digest) {
        if let Some(count) = self.counts.get_mut(who) {
            count.wrong = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn numbered(n: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        digest
    }

    fn guess(guesses: &mut Guesses, who: usize, times: u32, now: Duration) {
        (0..times).for_each(|_| guesses.wrong(numbered(who), now));
    }

    #[test]
    fn a_guesser_waits_and_nobody_else_does() {
        let mut guesses = Guesses::default();
        guess(&mut guesses, 1, FREE - 1, at(0));
        assert!(!guesses.must_wait(&numbered(1), at(0)));
        guess(&mut guesses, 1, 1, at(60));
        assert!(guesses.must_wait(&numbered(1), at(60)));
        assert!(guesses.must_wait(&numbered(1), at(359)));
        assert!(!guesses.must_wait(&numbered(2), at(60)));
        assert!(!guesses.must_wait(&numbered(1), at(360)));
        guess(&mut guesses, 1, 1, at(360));
        assert!(!guesses.must_wait(&numbered(1), at(360)), "the count begins anew");
    }

    #[test]
    fn the_right_password_clears_the_count() {
        let mut guesses = Guesses::default();
        guess(&mut guesses, 1, FREE - 1, at(0));
        guesses.right(&numbered(1));
        guess(&mut guesses, 1, FREE - 1, at(1));
        assert!(!guesses.must_wait(&numbered(1), at(1)));
    }

    #[test]
    fn a_flood_does_not_grow_it_without_bound() {
        let mut guesses = Guesses::default();
        (0..2 * MOST).for_each(|n| guess(&mut guesses, n, 1 + u32::from(n % 2 == 0), at(0)));
        assert!(guesses.counts.len() <= MOST && guesses.order.len() <= MOST);
    }
}
