//! Who guesses passwords: wrong ones are counted by account and client, and after some of them the next has to wait, so
//! that a guesser learns a few answers an hour and no more. Pure.
//!
//! Counted by client too, so that nobody can keep somebody else from signing in elsewhere. What one client may get wrong
//! altogether, for whatever names, is bounded as well, and it waits by itself. What is counted is forgotten after a time,
//! and so many at most are: to push out one count takes that many wrong ones, each of which costs a hash, from a hundred
//! clients, and buys the few guesses that an account has free.
//!
//! What is remembered as right answers nobody who has to wait, or it would answer a guesser: whoever signs in from there
//! waits with them.
//!
//! Keys are digests, as in `remembered.rs`; unknown names are counted as known ones are, so that waiting tells nothing
//! about them.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::remembered::Digest;

/// How many wrong passwords for one account are answered to one client before it has to wait.
pub(super) const FREE: u32 = 10;
/// The same for all accounts together: whoever tries one password on many guesses, too.
pub(super) const FREE_ALTOGETHER: usize = 640;
/// For how long, from the last wrong one on.
pub const WAIT: Duration = Duration::from_mins(5);
/// How many wrong passwords are counted at a time, whoever sent them: then the oldest goes for each that comes.
const MOST: usize = 65_536;

/// Who guesses: a client, as what counts as one, and the digest of the name that it says.
pub(super) type Guesser = (IpAddr, Digest);

/// Whether one more password of an account is looked at for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is.
    Heard,
    /// As many as may be wrong are being looked at.
    Busy,
    /// Nothing is, for now.
    Waits,
}

/// Wrong passwords by client and account. Times are spans since the process started looking.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    /// All that count, the oldest first.
    wrong: VecDeque<(Duration, Guesser)>,
    clients: HashMap<IpAddr, Client>,
    /// How many are being looked at: nobody sends more at once than they may get wrong.
    open: HashMap<Guesser, u32>,
}

/// What one client got wrong. INVARIANT: there is none of whom nothing is in the list of all.
#[derive(Debug, Default)]
struct Client {
    altogether: usize,
    accounts: HashMap<Digest, Count>,
}

#[derive(Debug)]
struct Count {
    wrong: u32,
    last: Duration,
}

impl Guesses {
    /// Whether there is nothing to be said of anybody there.
    pub(super) fn is_unsuspected(&mut self, client: &IpAddr, now: Duration) -> bool {
        self.forget(now);
        self.open.is_empty() && !self.clients.contains_key(client)
    }

    /// Whether one more is looked at.
    pub(super) fn stand(&mut self, guesser: &Guesser, now: Duration) -> Stand {
        self.forget(now);
        let (from, account) = guesser;
        let client = self.clients.get(from);
        let wrong = client.and_then(|client| client.accounts.get(account));
        let wrong = wrong.map_or(0, |count| count.wrong);
        let altogether = client.map_or(0, |client| client.altogether);
        if wrong >= FREE || altogether >= FREE_ALTOGETHER {
            return Stand::Waits;
        }
        let open = self.open.get(guesser).copied().unwrap_or_default();
        let from_there = self.open.iter().filter(|((client, _), _)| client == from);
        let open_from_there: usize = from_there.map(|(_, open)| *open as usize).sum();
        if wrong.saturating_add(open) >= FREE || altogether.saturating_add(open_from_there) >= FREE_ALTOGETHER {
            Stand::Busy
        } else {
            Stand::Heard
        }
    }

    /// Begins to look at one more, where one more is looked at.
    pub(super) fn admit(&mut self, guesser: Guesser, now: Duration) -> Stand {
        let stand = self.stand(&guesser, now);
        if stand == Stand::Heard {
            *self.open.entry(guesser).or_default() += 1;
        }
        stand
    }

    /// It is not looked at any more.
    pub(super) fn ends(&mut self, guesser: &Guesser) {
        if let Some(open) = self.open.get_mut(guesser) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(guesser);
            }
        }
    }

    /// A password was wrong that was not known to be.
    pub(super) fn wrong(&mut self, guesser: Guesser, now: Duration) {
        self.forget(now);
        if self.wrong.len() >= MOST {
            self.forget_oldest();
        }
        self.wrong.push_back((now, guesser));
        let (client, account) = guesser;
        let client = self.clients.entry(client).or_default();
        client.altogether += 1;
        let count = client.accounts.entry(account).or_insert(Count { wrong: 0, last: now });
        count.wrong = count.wrong.saturating_add(1);
        count.last = now;
    }

    /// The password was right: whoever knows it does not guess it.
    pub(super) fn right(&mut self, (client, account): &Guesser) {
        if let Some(client) = self.clients.get_mut(client) {
            client.accounts.remove(account);
        }
    }

    /// Forgets what is over.
    fn forget(&mut self, now: Duration) {
        while self.wrong.front().is_some_and(|(at, _)| now >= at.saturating_add(WAIT)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((at, (from, account))) = self.wrong.pop_front() else {
            return;
        };
        let Some(client) = self.clients.get_mut(&from) else {
            return;
        };
        // an account is counted from its last wrong one on
        if client.accounts.get(&account).is_some_and(|count| count.last <= at) {
            client.accounts.remove(&account);
        }
        client.altogether = client.altogether.saturating_sub(1);
        if client.altogether == 0 {
            self.clients.remove(&from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

    fn numbered(client: IpAddr, n: usize) -> Guesser {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        (client, digest)
    }

    fn guess(guesses: &mut Guesses, who: Guesser, times: u32, now: Duration) {
        (0..times).for_each(|_| guesses.wrong(who, now));
    }

    impl Guesses {
        fn must_wait(&mut self, guesser: &Guesser, now: Duration) -> bool {
            self.stand(guesser, now) == Stand::Waits
        }
    }

    #[test]
    fn no_more_are_looked_at_at_once_than_may_be_wrong() {
        let mut guesses = Guesses::default();
        let [first, second] = [1, 2].map(|n| numbered(HERE, n));
        guess(&mut guesses, first, 1, at(0));
        (1..FREE).for_each(|_| assert_eq!(guesses.admit(first, at(0)), Stand::Heard));
        assert_eq!(guesses.admit(first, at(0)), Stand::Busy);
        assert_eq!(guesses.stand(&second, at(0)), Stand::Heard);
        guesses.ends(&first);
        assert_eq!(guesses.stand(&first, at(0)), Stand::Heard);
        (1..FREE).for_each(|_| guesses.ends(&first));
        assert!(guesses.open.is_empty());
    }

    #[test]
    fn no_more_of_one_client_are_looked_at_at_once_than_it_may_get_wrong_altogether() {
        let mut guesses = Guesses::default();
        (0..FREE_ALTOGETHER - 3).for_each(|n| guess(&mut guesses, numbered(HERE, n), 1, at(0)));
        let next = |n: usize| numbered(HERE, FREE_ALTOGETHER + n);
        (0..3).for_each(|n| assert_eq!(guesses.admit(next(n), at(0)), Stand::Heard));
        assert_eq!(guesses.admit(next(3), at(0)), Stand::Busy);
        assert_eq!(guesses.admit(numbered(ELSEWHERE, 0), at(0)), Stand::Heard);
        guesses.ends(&next(0));
        assert_eq!(guesses.admit(next(3), at(0)), Stand::Heard);
    }

    #[test]
    fn a_guesser_waits_and_nobody_else_does() {
        let mut guesses = Guesses::default();
        let [first, second] = [1, 2].map(|n| numbered(HERE, n));
        guess(&mut guesses, first, FREE - 1, at(0));
        assert!(!guesses.must_wait(&first, at(0)));
        guess(&mut guesses, first, 1, at(60));
        assert!(guesses.must_wait(&first, at(60)));
        assert!(guesses.must_wait(&first, at(359)));
        assert!(!guesses.must_wait(&second, at(60)));
        assert!(!guesses.must_wait(&numbered(ELSEWHERE, 1), at(60)));
        assert!(!guesses.must_wait(&first, at(360)));
        guess(&mut guesses, first, 1, at(360));
        assert!(!guesses.must_wait(&first, at(360)), "the count begins anew");
    }

    #[test]
    fn the_right_password_clears_the_count() {
        let mut guesses = Guesses::default();
        let who = numbered(HERE, 1);
        guess(&mut guesses, who, FREE - 1, at(0));
        guesses.right(&who);
        guess(&mut guesses, who, FREE - 1, at(1));
        assert!(!guesses.must_wait(&who, at(1)));
    }

    #[test]
    fn a_client_that_guesses_for_many_names_waits_and_keeps_nobody_else_from_signing_in() {
        let mut guesses = Guesses::default();
        let flood = 2 * FREE_ALTOGETHER;
        (0..flood).for_each(|n| guess(&mut guesses, numbered(HERE, n), FREE, at(0)));
        assert!(guesses.must_wait(&numbered(HERE, flood), at(299)));
        assert!(!guesses.must_wait(&numbered(ELSEWHERE, 0), at(299)));
        assert!(!guesses.must_wait(&numbered(ELSEWHERE, flood), at(299)));
        assert!(!guesses.must_wait(&numbered(HERE, flood), at(300)));
    }

    #[test]
    fn guesses_for_invented_names_let_nobody_guess_on() {
        let mut guesses = Guesses::default();
        let real = numbered(HERE, 0);
        // a few for the real one, then some for others, and so on
        let mut learned = 0;
        for n in 1..MOST {
            for _ in 1..FREE {
                if !guesses.must_wait(&real, at(0)) {
                    guess(&mut guesses, real, 1, at(0));
                    learned += 1;
                }
            }
            if !guesses.must_wait(&numbered(HERE, n), at(0)) {
                guess(&mut guesses, numbered(HERE, n), 1, at(0));
            }
        }
        assert_eq!(learned, FREE);
    }

    #[test]
    fn a_flood_from_everywhere_does_not_grow_it_without_bound() {
        let mut guesses = Guesses::default();
        let from = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        (0..2 * MOST).for_each(|n| guess(&mut guesses, numbered(from(n), n), 1, at(0)));
        assert_eq!((guesses.wrong.len(), guesses.clients.len()), (MOST, MOST));
        assert!(!guesses.must_wait(&numbered(HERE, 0), at(300)));
        assert!(guesses.wrong.is_empty() && guesses.clients.is_empty());
    }
}
