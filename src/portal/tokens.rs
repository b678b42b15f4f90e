//! Tokens in forms: proof that the person got the form from a portal of this ledger, for exactly this deed, and sends it once.
//!
//! The proxy's sign-in is ambient, so another site could make a browser send our forms; it cannot read them, and so
//! does not know the token.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use super::intake::Received;
use super::pages::Page;
use super::{Portal, Visit, provenance};
use crate::clock::Timestamp;
use crate::facts::SubjectId;
use crate::ledger::LedgerError;

const LIFETIME: Duration = Duration::from_hours(1);

/// By how much the clock of the gateway that made a form may be ahead of ours.
pub(super) const AHEAD: Duration = Duration::from_mins(1);

/// Issues and reads tokens. The key is that of the ledger.
pub(super) struct Tokens {
    key: hmac::Key,
}

/// A token that was read: good where it was not used before.
#[derive(Debug, PartialEq, Eq)]
struct Unspent {
    name: String,
    issued: Timestamp,
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

impl Tokens {
    pub(super) fn new(key: hmac::Key) -> Self {
        Self { key }
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

    /// What must not have been used before where `who` is to do `deed` with `token`; none where they may not anyway.
    fn read(&self, who: &SubjectId, deed: &str, token: &str, now: Timestamp) -> Option<Unspent> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (open, seal) = bytes.split_at_checked(24)?;
        let (millis, nonce) = open.split_first_chunk::<8>()?;
        let issued = Timestamp::from_millis(i64::from_be_bytes(*millis));
        hmac::verify(&self.key, &sealed(open, who, deed), seal).ok()?;
        let in_time = issued <= now.plus(AHEAD) && now.since(issued) < LIFETIME;
        in_time.then(|| Unspent {
            name: URL_SAFE_NO_PAD.encode(nonce),
            issued,
        })
    }
}

impl Portal {
    /// Sees to it that a form was meant: that a page of ours sent it, over TLS, with the token that this person got for this
    /// deed, and once, to whichever gateway. The error is the answer to one that was not; and where nobody can say whether it
    /// was sent before, it is not taken.
    pub(super) async fn meant(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        (deed, token): (&str, &str),
    ) -> Result<(), Page> {
        let over = || self.note(StatusCode::FORBIDDEN, self.words.form_over_title, self.words.form_over);
        let own = visit.secure && provenance::is_own_form(&received.headers, &self.origin);
        let read = self.tokens.read(&visit.subject.id, deed, token, visit.at);
        let unspent = read.filter(|_| own).ok_or_else(over)?;
        match self.ledger.spend(unspent.name, unspent.issued, visit.at).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.note(
                StatusCode::FORBIDDEN,
                self.words.stating.form_sent_title,
                self.words.stating.form_sent,
            )),
            Err(trouble) => Err(self.not_shared(&trouble)),
        }
    }

    /// What takes the ledger cannot be done, as it cannot be asked now.
    pub(super) fn not_shared(&self, trouble: &LedgerError) -> Page {
        tracing::warn!(%trouble, "a form cannot be taken now");
        self.out_of_reach()
    }

    /// What gateways share cannot be reached.
    pub(super) fn out_of_reach(&self) -> Page {
        let (title, text) = (self.words.out_of_reach_title, self.words.out_of_reach);
        self.note(StatusCode::SERVICE_UNAVAILABLE, title, text)
    }
}

/// What is signed. A NUL cannot stand in a name, so no two pairs of name and deed read alike.
fn sealed(open: &[u8], who: &SubjectId, deed: &str) -> Vec<u8> {
    [open, who.as_str().as_bytes(), &[0], deed.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(key: &[u8]) -> Tokens {
        Tokens::new(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn people() -> (SubjectId, SubjectId) {
        (SubjectId::parse("ada").unwrap(), SubjectId::parse("bob").unwrap())
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_token_serves_its_person_for_its_deed_at_every_gateway_and_is_known_again() {
        let (tokens, other, (ada, bob)) = (tokens(b"one"), tokens(b"one"), people());
        let token = tokens.issue(&ada, "end 1", at(0));
        assert_eq!(tokens.read(&bob, "end 1", &token, at(1)), None, "another person's");
        assert_eq!(tokens.read(&ada, "end 2", &token, at(1)), None, "for another deed");
        let read = other.read(&ada, "end 1", &token, at(1));
        assert!(read.is_some());
        assert_eq!(
            tokens.read(&ada, "end 1", &token, at(2)),
            read,
            "it is the same once more"
        );
        let another = tokens.issue(&ada, "end 1", at(0));
        assert_ne!(tokens.read(&ada, "end 1", &another, at(2)), read);
    }

    #[test]
    fn a_token_lasts_an_hour_and_comes_from_no_more_than_a_minute_ahead() {
        let (tokens, (ada, _)) = (tokens(b"one"), people());
        let token = tokens.issue(&ada, "declare", at(100));
        let is_good = |seconds| tokens.read(&ada, "declare", &token, at(seconds)).is_some();
        assert_eq!([39, 40, 3_699, 3_700].map(is_good), [false, true, true, false]);
    }

    #[test]
    fn a_forged_or_mangled_token_is_refused() {
        let (tokens, foreign, (ada, _)) = (tokens(b"one"), tokens(b"other"), people());
        let other = foreign.issue(&ada, "declare", at(0));
        let token = tokens.issue(&ada, "declare", at(0));
        let cut: String = token.chars().take(40).collect();
        for bad in ["", "x", "AAAA", &cut, &other, &format!("{token}A"), &"A".repeat(75)] {
            assert_eq!(tokens.read(&ada, "declare", bad, at(1)), None, "{bad}");
        }
    }
}
