//! Who guesses passwords: wrong ones are counted by account and client, and after some of them the next has to wait, so
//! that a guesser learns a few answers an hour and no more. Pure.
//!
//! Counted by client too, so that nobody can keep somebody else from signing in elsewhere. Keys are digests, as in
//! `remembered.rs`; unknown names are counted as known ones are, so that waiting tells nothing about them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::remembered::Digest;

/// How many wrong passwords are answered before somebody has to wait.
pub(super) const FREE: u32 = 10;
/// For how long, from the last wrong one on.
pub const WAIT: Duration = Duration::from_mins(5);
/// Of how many pairs of an account and a client the wrong passwords are counted: then the one that matters least goes for
/// each that comes, and each that comes costs a hash.
const MOST: usize = 4096;

#[derive(Debug)]
struct Count {
    wrong: u32,
    last: Duration,
}

impl Count {
    fn is_over(&self, now: Duration) -> bool {
        now >= self.last.saturating_add(WAIT)
    }

    fn waits(&self, now: Duration) -> bool {
        self.wrong >= FREE && !self.is_over(now)
    }

    /// How much it matters: nothing once it is over, else by the wrong passwords, else by how long ago the last was.
    fn matters(&self, now: Duration) -> (u32, Duration) {
        (if self.is_over(now) { 0 } else { self.wrong }, self.last)
    }
}

/// Wrong passwords by account and client. Times are spans since the process started looking.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    counts: BTreeMap<Digest, Count>,
}

impl Guesses {
    /// Whether nothing more is answered for now. A newcomer waits, too, where all that can be counted have to: guesses for
    /// invented names must not let anybody guess on for another.
    pub(super) fn must_wait(&self, who: &Digest, now: Duration) -> bool {
        match self.counts.get(who) {
            Some(count) => count.waits(now),
            None => self.counts.len() >= MOST && self.counts.values().all(|count| count.waits(now)),
        }
    }

    /// A password was wrong that was not known to be.
    pub(super) fn wrong(&mut self, who: Digest, now: Duration) {
        if let Some(count) = self.counts.get_mut(&who) {
            count.wrong = if count.is_over(now) {
                1
            } else {
                count.wrong.saturating_add(1)
            };
            count.last = now;
            return;
        }
        if self.counts.len() >= MOST {
            let least = self.counts.iter().min_by_key(|(_, count)| count.matters(now));
            match least.map(|(who, count)| (*who, count.waits(now))) {
                Some((least, false)) => drop(self.counts.remove(&least)),
                Some((_, true)) | None => return, // it was looked at before all had to wait
            }
        }
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
        assert!(guesses.counts.len() <= MOST);
    }

    #[test]
    fn guesses_for_invented_names_let_nobody_guess_on() {
        let mut guesses = Guesses::default();
        let (waiting, nearly) = (2 * MOST, 2 * MOST + 1);
        guess(&mut guesses, waiting, FREE, at(0));
        guess(&mut guesses, nearly, FREE - 1, at(0));
        (0..MOST).for_each(|n| guess(&mut guesses, n, 1, at(1)));
        assert!(guesses.must_wait(&numbered(waiting), at(299)));
        guess(&mut guesses, nearly, 1, at(2));
        assert!(guesses.must_wait(&numbered(nearly), at(2)));
        assert!(!guesses.must_wait(&numbered(nearly + 1), at(2)));
        // what is over goes first
        guess(&mut guesses, nearly + 1, 1, at(300));
        assert!(!guesses.counts.contains_key(&numbered(waiting)));
    }

    #[test]
    fn where_all_that_are_counted_wait_newcomers_wait_too() {
        let mut guesses = Guesses::default();
        (0..MOST).for_each(|n| guess(&mut guesses, n, FREE, at(0)));
        assert!(guesses.must_wait(&numbered(MOST), at(299)));
        guess(&mut guesses, MOST, 1, at(299));
        assert!(guesses.must_wait(&numbered(0), at(299)), "none of them went");
        assert!(!guesses.must_wait(&numbered(MOST), at(300)));
    }
}
