//! Credentials that were wrong, kept for a while, so that a client that goes on sending them is not hashed for again.
//!
//! Keys are HMAC-SHA256 of the credentials under a key that only this process knows: neither a password nor anything
//! that could be guessed offline stays in memory. What is right is remembered by the account itself.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// HMAC-SHA256 of credentials.
pub(super) type Digest = [u8; 32];

/// How many are kept: then the oldest goes for each that comes.
const MOST: usize = 4096;

/// Wrong credentials by digest. Times are spans since the process started looking.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    until: HashMap<Digest, Duration>,
    /// In the order in which they came; one that came again stands there twice.
    order: VecDeque<Digest>,
}

impl Wrong {
    /// Whether the credentials are remembered at `now`.
    pub(super) fn recalls(&self, digest: &Digest, now: Duration) -> bool {
        self.until.get(digest).is_some_and(|until| now < *until)
    }

    /// Remembers credentials until `until`.
    pub(super) fn keep(&mut self, digest: Digest, until: Duration) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.until.remove(&oldest);
        }
        self.order.push_back(digest);
        self.until.insert(digest, until);
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

    #[test]
    fn what_was_wrong_is_recalled_until_it_expires() {
        let mut memory = Wrong::default();
        memory.keep(numbered(1), at(30));
        assert!(memory.recalls(&numbered(1), at(29)));
        assert!(!memory.recalls(&numbered(1), at(30)));
        assert!(!memory.recalls(&numbered(2), at(0)));
    }

    #[test]
    fn a_flood_pushes_out_the_oldest_one_by_one_and_does_not_grow_without_bound() {
        let mut memory = Wrong::default();
        for n in 0..=MOST {
            memory.keep(numbered(n), at(30));
        }
        assert!(!memory.recalls(&numbered(0), at(1)));
        assert!((1..=MOST).all(|n| memory.recalls(&numbered(n), at(1))));
        for n in 0..3 * MOST {
            memory.keep(numbered(n % 7), at(30));
        }
        assert!(memory.until.len() <= MOST && memory.order.len() <= MOST);
    }
}
