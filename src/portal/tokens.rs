//! Tokens in forms: proof that the person got the form from us, for exactly this deed, and sends it once.
//!
//! The proxy's sign-in is ambient, so another site could make a browser send our forms; it cannot read them, and so
//! does not know the token.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::facts::SubjectId;

const LIFETIME: Duration = Duration::from_hours(1);

/// How many spent tokens are remembered; an older one would have to be replayed within the hour by its own person.
const SPENT: usize = 16_384;

type Nonce = [u8; 16];

/// Issues and accepts tokens. The key lives as long as the process: a restart asks people to send their form again.
pub(super) struct Tokens {
    key: hmac::Key,
    spent: Mutex<BTreeMap<Nonce, Timestamp>>,
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

impl Tokens {
    pub(super) fn new() -> Option<Self> {
        let secret: [u8; 32] = random()?;
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            spent: Mutex::default(),
        })
    }

    /// A token with which `who` may do `deed` once. Empty, and so accepted nowhere, if there is no randomness.
    pub(super) fn issue(&self, who: &SubjectId, deed: &str, now: Timestamp) -> String {
        let Some(nonce) = random::<16>() else {
            return String::new();
        };
        let mut token = now.as_millis().to_be_bytes().to_vec();
        token.extend(nonce);
        let seal = hmac::sign(&self.key, &sealed(&token, who, deed));
        token.extend(seal.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether `who` may do `deed` with `token`; a token is spent by being accepted.
    pub(super) fn accept(&self, who: &SubjectId, deed: &str, token: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        let Some((open, seal)) = bytes.split_at_checked(24) else {
            return false;
        };
        let Some((millis, nonce)) = open.split_first_chunk::<8>() else {
            return false;
        };
        let Ok(nonce) = Nonce::try_from(nonce) else {
            return false;
        };
        let issued = Timestamp::from_millis(i64::from_be_bytes(*millis));
        let sealed = hmac::verify(&self.key, &sealed(open, who, deed), seal).is_ok();
        sealed && issued <= now && now.since(issued) < LIFETIME && self.spend(nonce, issued, now)
    }

    fn spend(&self, nonce: Nonce, issued: Timestamp, now: Timestamp) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= SPENT {
            spent.retain(|_, issued| now.since(*issued) < LIFETIME);
        }
        if spent.len() >= SPENT {
            let oldest = spent.iter().min_by_key(|(_, issued)| **issued).map(|(nonce, _)| *nonce);
            oldest.map(|nonce| spent.remove(&nonce));
        }
        spent.insert(nonce, issued).is_none()
    }
}

/// What is signed. A NUL cannot stand in a name, so no two pairs of name and deed read alike.
fn sealed(open: &[u8], who: &SubjectId, deed: &str) -> Vec<u8> {
    [open, who.as_str().as_bytes(), &[0], deed.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> (SubjectId, SubjectId) {
        (SubjectId::parse("ada").unwrap(), SubjectId::parse("bob").unwrap())
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_token_serves_its_person_for_its_deed_once() {
        let (tokens, (ada, bob)) = (Tokens::new().unwrap(), people());
        let token = tokens.issue(&ada, "end 1", at(0));
        assert!(!tokens.accept(&bob, "end 1", &token, at(1)), "another person's");
        assert!(!tokens.accept(&ada, "end 2", &token, at(1)), "for another deed");
        assert!(tokens.accept(&ada, "end 1", &token, at(1)));
        assert!(!tokens.accept(&ada, "end 1", &token, at(2)), "replayed");
    }

    #[test]
    fn a_token_lasts_an_hour_and_does_not_come_from_the_future() {
        let (tokens, (ada, _)) = (Tokens::new().unwrap(), people());
        let token = tokens.issue(&ada, "declare", at(10));
        assert!(!tokens.accept(&ada, "declare", &token, at(9)));
        assert!(!tokens.accept(&ada, "declare", &token, at(3_610)));
        assert!(tokens.accept(&ada, "declare", &token, at(3_609)));
    }

    #[test]
    fn a_forged_or_mangled_token_is_refused() {
        let (tokens, (ada, _)) = (Tokens::new().unwrap(), people());
        let other = Tokens::new().unwrap().issue(&ada, "declare", at(0));
        let token = tokens.issue(&ada, "declare", at(0));
        let cut: String = token.chars().take(40).collect();
        for bad in ["", "x", "AAAA", &cut, &other, &format!("{token}A"), &"A".repeat(75)] {
            assert!(!tokens.accept(&ada, "declare", bad, at(1)), "{bad}");
        }
    }

    #[test]
    fn spent_tokens_do_not_fill_the_memory() {
        let (tokens, (ada, _)) = (Tokens::new().unwrap(), people());
        for round in 0..SPENT + 10 {
            let now = at(u64::try_from(round).unwrap() / 10);
            let token = tokens.issue(&ada, "declare", now);
            assert!(tokens.accept(&ada, "declare", &token, now));
        }
        assert!(tokens.spent.lock().unwrap().len() <= SPENT);
    }
}
