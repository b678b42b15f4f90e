//! The seal of a finished segment: where it begins and ends, signed with Ed25519 (RFC 8032). Pure.
//!
//! A chain alone cannot show that its tail is missing; a seal that was copied elsewhere can.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::chain::Hash;
use crate::facts::RecordId;

/// What is said of a finished segment; the content of `records-00000001.seal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    /// The file of its lines.
    pub(super) segment: String,
    /// The number of its first line.
    pub(super) first: u64,
    /// The number of its last line.
    pub(super) last: u64,
    /// How many lines it has.
    pub(super) count: u64,
    /// The hash of the last line of the segment before it.
    pub(super) prev: Hash,
    /// The hash of its last line.
    pub(super) head: Hash,
    /// The flows that were open when it was sealed: their closing lines are in later segments, or a crash took them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) open: BTreeSet<RecordId>,
}

/// A seal as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signed {
    #[serde(flatten)]
    pub(super) seal: Seal,
    /// Ed25519 over the seal's statement, in Base64.
    pub(super) signature: String,
}

impl Seal {
    /// The bytes that are signed: one spelling, whatever JSON does.
    fn statement(&self) -> Vec<u8> {
        let mut statement = format!(
            "wayleave records seal v1\nsegment {}\nfirst {}\nlast {}\ncount {}\nprev {}\nhead {}\n",
            self.segment, self.first, self.last, self.count, self.prev, self.head
        );
        for id in &self.open {
            statement.push_str("open ");
            statement.push_str(id.as_str());
            statement.push('\n');
        }
        statement.into_bytes()
    }
}

/// The key that seals.
pub(super) struct Signer(Ed25519KeyPair);

/// The key that verifies seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealKey(Vec<u8>);

const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl Signer {
    /// Reads a PKCS#8 key in PEM (RFC 8410 §7).
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let der = from_pem(PRIVATE, pem)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(Self)
            .map_err(|_| "it is not an Ed25519 key in PKCS#8".to_owned())
    }

    /// The key's other half.
    pub(super) fn public(&self) -> SealKey {
        SealKey(self.0.public_key().as_ref().to_vec())
    }

    /// Signs a seal.
    pub(super) fn sign(&self, seal: Seal) -> Signed {
        let signature = BASE64.encode(self.0.sign(&seal.statement()));
        Signed { seal, signature }
    }
}

impl SealKey {
    /// Reads a public key in PEM (RFC 8410 §4).
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let der = from_pem(PUBLIC, pem)?;
        let key = der.strip_prefix(&SPKI).filter(|key| key.len() == 32);
        key.map(|key| Self(key.to_vec()))
            .ok_or_else(|| "it is not an Ed25519 public key".to_owned())
    }

    /// The key in PEM, as `openssl pkey -pubin` reads it.
    pub(super) fn to_pem(&self) -> String {
        to_pem(PUBLIC, &[SPKI.as_slice(), &self.0].concat())
    }

    /// What people compare: the SHA-256 of the key as `SubjectPublicKeyInfo`.
    pub(super) fn fingerprint(&self) -> Hash {
        Hash::of(&[SPKI.as_slice(), &self.0].concat())
    }

    /// Whether this key signed the seal.
    pub(super) fn verifies(&self, signed: &Signed) -> bool {
        BASE64.decode(&signed.signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&ED25519, &self.0)
                .verify(&signed.seal.statement(), &signature)
                .is_ok()
        })
    }
}

/// A PKCS#8 key as PEM text.
pub(super) fn private_pem(pkcs8: &[u8]) -> String {
    to_pem(PRIVATE, pkcs8)
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push_str("\n-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

fn from_pem(label: &str, pem: &str) -> Result<Vec<u8>, String> {
    let body = pem
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))
        .and_then(|rest| rest.strip_suffix(&format!("-----END {label}-----")))
        .ok_or_else(|| format!("it is not a PEM file with one `{label}`"))?;
    let text: String = body.split_whitespace().collect();
    BASE64.decode(text).map_err(|_| "its Base64 text is damaged".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
        Signer::from_pem(&private_pem(pkcs8.as_ref())).unwrap()
    }

    fn seal() -> Seal {
        Seal {
            segment: "records-00000002.jsonl".to_owned(),
            first: 11,
            last: 20,
            count: 10,
            prev: Hash::of(b"before"),
            head: Hash::of(b"last"),
            open: BTreeSet::from([RecordId::new("one"), RecordId::new("other")]),
        }
    }

    #[test]
    fn a_seal_survives_its_file_and_its_key_survives_pem() {
        let signer = signer();
        let text = serde_json::to_string(&signer.sign(seal())).unwrap();
        let read: Signed = serde_json::from_str(&text).unwrap();
        assert_eq!(read.seal, seal());
        let key = SealKey::from_pem(&signer.public().to_pem()).unwrap();
        assert!(key.verifies(&read));
    }

    #[test]
    fn no_part_of_a_seal_can_be_changed() {
        let key = signer();
        let changes: [fn(&mut Seal); 7] = [
            |seal| seal.segment = "records-00000003.jsonl".to_owned(),
            |seal| seal.first = 12,
            |seal| seal.last = 19,
            |seal| seal.count = 9,
            |seal| seal.prev = Hash::zero(),
            |seal| seal.head = Hash::zero(),
            |seal| drop(seal.open.pop_first()),
        ];
        for change in changes {
            let mut signed = key.sign(seal());
            change(&mut signed.seal);
            assert!(!key.public().verifies(&signed));
        }
    }

    #[test]
    fn another_key_does_not_verify_and_garbage_is_no_key() {
        assert!(!signer().public().verifies(&signer().sign(seal())));
        assert!(Signer::from_pem("hello").is_err());
        assert!(SealKey::from_pem(&private_pem(b"hello")).is_err());
    }
}
