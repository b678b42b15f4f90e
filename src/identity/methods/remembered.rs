//! What checking a password said, kept for some seconds, so that a browser's hundred requests hash once.
//!
//! Keys are HMAC-SHA256 of the credentials under a key that only this process knows: neither a password nor anything
//! that could be guessed offline stays in memory. Wrong ones are remembered apart, so that they cannot push out right ones.

use std::collections::HashMap;
use std::time::Duration;

use crate::facts::{PurposeId, SubjectId};

/// HMAC-SHA256 of a user name and a password.
pub(super) type Digest = [u8; 32];

/// Who credentials belong to, and the purpose that they select; none if they are wrong.
pub(super) type Verdict = Option<(SubjectId, Option<PurposeId>)>;

/// How many of each kind are kept.
const MOST: usize = 4096;

/// Verdicts by digest. Times are spans since the process started looking.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    right: HashMap<Digest, (Verdict, Duration)>,
    wrong: HashMap<Digest, (Verdict, Duration)>,
}

impl Remembered {
    /// What is remembered of the credentials at `now`.
    pub(super) fn recall(&self, digest: &Digest, now: Duration) -> Option<Verdict> {
        let (verdict, until) = self.right.get(digest).or_else(|| self.wrong.get(digest))?;
        (now < *until).then(|| verdict.clone())
    }

    /// Remembers a verdict until `until`.
    pub(super) fn keep(&mut self, digest: Digest, verdict: Verdict, now: Duration, until: Duration) {
        let kept = if verdict.is_some() {
            &mut self.right
        } else {
            &mut self.wrong
        };
        if kept.len() >= MOST {
            kept.retain(|_, (_, until)| now < *until);
        }
        if kept.len() >= MOST {
            kept.clear(); // Bounded memory matters more than a few hashes.
        }
        kept.insert(digest, (verdict, until));
    }

    /// Forgets everything: accounts have changed.
    pub(super) fn forget(&mut self) {
        self.right.clear();
        self.wrong.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn known(name: &str) -> Verdict {
        SubjectId::parse(name).ok().map(|id| (id, None))
    }

    #[test]
    fn a_verdict_is_recalled_until_it_expires_or_accounts_change() {
        let mut memory = Remembered::default();
        memory.keep([1; 32], known("ada"), at(0), at(30));
        memory.keep([2; 32], None, at(0), at(30));
        assert_eq!(memory.recall(&[1; 32], at(29)), Some(known("ada")));
        assert_eq!(memory.recall(&[2; 32], at(29)), Some(None));
        assert_eq!(memory.recall(&[3; 32], at(29)), None);
        assert_eq!(memory.recall(&[1; 32], at(30)), None);
        memory.forget();
        assert_eq!(memory.recall(&[1; 32], at(1)), None);
    }

    #[test]
    fn a_flood_of_wrong_passwords_neither_grows_without_bound_nor_pushes_out_right_ones() {
        let mut memory = Remembered::default();
        memory.keep([255; 32], known("ada"), at(0), at(30));
        for n in 0..20_000_u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&n.to_be_bytes());
            memory.keep(digest, None, at(0), at(30));
        }
        assert!(memory.wrong.len() <= MOST);
        assert_eq!(memory.recall(&[255; 32], at(1)), Some(known("ada")));
    }
}
