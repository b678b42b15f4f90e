//! Seals what is handed out and what is kept elsewhere: it is opened only by a portal of the same ledger, and only as what it
//! was sealed as.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tokens::random;
use crate::facts::{RecordId, Secret, SubjectId, hex};

/// What a link to a refusal is sealed as.
const REFERENCE: &str = "reference";

/// How long a link can be: no record has a longer name.
const LONGEST: usize = 512;

/// An opaque link to a refusal, for its person and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(String);

impl Ticket {
    /// The ticket as it stands in the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Seals and opens.
pub(super) struct Seal {
    /// That of RFC 8452, which bears a nonce that comes twice: one is drawn for each of thousands of refusals a second.
    key: LessSafeKey,
    /// The key that forms are signed with.
    forms: hmac::Key,
    /// The key that what has no name of its own is named with.
    names: hmac::Key,
}

impl Seal {
    /// Makes keys of the one that all portals of a ledger have: each serves one thing.
    pub(super) fn new(secret: &Secret) -> Option<Self> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
        let derived = |what: &[u8]| hmac::sign(&secret, what);
        let key = UnboundKey::new(&AES_256_GCM_SIV, derived(b"envelopes").as_ref()).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            forms: hmac::Key::new(hmac::HMAC_SHA256, derived(b"forms").as_ref()),
            names: hmac::Key::new(hmac::HMAC_SHA256, derived(b"names").as_ref()),
        })
    }

    pub(super) fn forms(&self) -> hmac::Key {
        self.forms.clone()
    }

    /// What something of these parts is called at all gateways: nobody without the key can find out what they were, not by
    /// trying either. A NUL cannot stand in a part, so no two lists of them have the same name.
    pub(super) fn name<'a>(&self, parts: impl Iterator<Item = &'a str>) -> String {
        let mut context = hmac::Context::with_key(&self.names);
        for part in parts {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        hex(context.sign().as_ref())
    }

    /// Seals something as what it is; none if there is no randomness.
    pub(super) fn seal(&self, what: &[&str], text: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut body = text.to_vec();
        let aad = Aad::from(named(what));
        let sealed = self
            .key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body);
        sealed.ok()?;
        Some([nonce.as_slice(), &body].concat())
    }

    /// What was sealed as that; none of anything else.
    pub(super) fn open(&self, what: &[&str], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let aad = Aad::from(named(what));
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, aad, &mut body).ok()?;
        Some(opened.to_vec())
    }

    /// A link to one of `who`'s refusals: it says nothing to whoever sees it.
    pub(super) fn ticket(&self, who: &SubjectId, record: &RecordId) -> Option<Ticket> {
        let sealed = self.seal(&[REFERENCE, who.as_str()], record.as_str().as_bytes())?;
        Some(Ticket(URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Which refusal of `who` a link leads to.
    pub(super) fn record(&self, who: &SubjectId, ticket: &str) -> Option<RecordId> {
        if ticket.len() > LONGEST {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        let record = self.open(&[REFERENCE, who.as_str()], &sealed)?;
        Some(RecordId::new(String::from_utf8(record).ok()?))
    }
}

/// A NUL cannot stand in a name, so no two lists of names read alike.
fn named(what: &[&str]) -> Vec<u8> {
    what.join("\0").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn seal(key: &str) -> Seal {
        Seal::new(&Secret::new(key)).unwrap()
    }

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    #[test]
    fn a_link_leads_its_person_to_the_refusal_at_every_gateway_of_the_ledger_and_nobody_else_anywhere() {
        let (east, west, foreign) = (seal("one"), seal("one"), seal("other"));
        let record = RecordId::new(Timestamp::from_millis(1_000_000).fresh_name());
        let ticket = east.ticket(&who("ada"), &record).unwrap();
        assert_eq!(west.record(&who("ada"), ticket.as_str()), Some(record.clone()));
        assert_eq!(west.record(&who("ben"), ticket.as_str()), None);
        assert_eq!(foreign.record(&who("ada"), ticket.as_str()), None);
        assert!(ticket.as_str().len() < 100, "{}", ticket.as_str());
        assert_ne!(
            east.ticket(&who("ada"), &record),
            Some(ticket.clone()),
            "two links to the same do not look alike"
        );
        let text = ticket.as_str();
        let (first, rest) = text.split_at(1);
        let flipped = format!("{}{rest}", if first == "A" { "B" } else { "A" });
        for mangled in ["", "A", rest, &flipped, &format!("{text}AA"), &"A".repeat(10_000)] {
            assert_eq!(east.record(&who("ada"), mangled), None, "{mangled}");
        }
    }

    #[test]
    fn a_name_is_the_same_at_every_gateway_of_the_ledger_and_another_one_elsewhere() {
        let name = |key: &str, parts: &[&str]| seal(key).name(parts.iter().copied());
        assert_eq!(name("one", &["x.com", "post"]), name("one", &["x.com", "post"]));
        assert_ne!(name("one", &["x.com", "post"]), name("other", &["x.com", "post"]));
        assert_ne!(name("one", &["x.com", "post"]), name("one", &["x.compost"]));
    }

    #[test]
    fn what_was_sealed_as_one_thing_does_not_open_as_another() {
        let seal = seal("one");
        let sealed = seal.seal(&["refusal", "ada", "x"], b"text").unwrap();
        assert_eq!(seal.open(&["refusal", "ada", "x"], &sealed).unwrap(), b"text");
        for other in [["refusal", "ben", "x"], ["draft", "ada", "x"], ["refusal", "ada", "y"]] {
            assert_eq!(seal.open(&other, &sealed), None, "{other:?}");
        }
    }
}
