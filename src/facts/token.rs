//! Tokens for tools: what a program shows in the place of its person's password, for some of what they may do and for some time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hex;
use super::principal::SubjectId;
use super::said::Ended;
use super::secret::Secret;
use crate::clock::Timestamp;

/// The ledger's name for a token; it is no secret, and sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(Arc<str>);

impl TokenId {
    /// The token called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a token is good for. Whatever takes a password beside what the proxy knows is never done with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// To read what was decided about others, as far as the rules let its person.
    Decisions,
    /// To state purposes, renew and end what is one's own, by the API.
    Declare,
    /// To go through the proxy.
    Proxy,
    /// To read what else the API tells: what is one's own, or for everybody.
    Read,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Decisions, Self::Declare, Self::Proxy, Self::Read];

    /// The name as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Declare => "declare",
            Self::Proxy => "proxy",
            Self::Read => "read",
        }
    }

    /// The scope of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A token, without what would let anybody use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The ledger's name for it.
    pub id: TokenId,
    /// Whose it is.
    pub subject: SubjectId,
    /// What they call it.
    pub name: String,
    /// What it is good for.
    pub scope: BTreeSet<Scope>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Good until this moment, which is no longer part of it.
    pub expires: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why, where that was not its person's own doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_for: Option<RevokedFor>,
}

/// Why a token was revoked, where its person did not do so themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum RevokedFor {
    /// Somebody else did, who said why.
    Revocation(Ended),
    /// Its person's password is another one by now.
    PasswordChanged,
    /// Its person's account is gone.
    AccountRemoved,
}

/// Stands in the place of a purpose where rules are asked about a token: no purpose is called so.
pub const NO_PURPOSE: &str = "(none)";

/// For how long a token is good where nobody says.
pub const TOKEN_LASTS: Duration = Duration::from_hours(30 * 24);

impl Token {
    /// How long a name may be.
    pub const LONGEST_NAME: usize = 60;

    /// The same, revoked at that moment.
    #[must_use]
    pub fn revoked(self, at: Timestamp, revoked_for: Option<RevokedFor>) -> Self {
        Self {
            revoked_at: Some(at),
            revoked_for,
            ..self
        }
    }

    /// Whether it is good at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires
    }
}

/// Digest of a token's text, which is what is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenHash([u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TokenHash(…)")
    }
}

impl TokenHash {
    /// The digest with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// With what the text of a token begins, so that those who look for secrets in the wrong places find it:
/// `wl_` and 72 hexadecimal digits, the last eight of which are the CRC-32 of those before them.
const PREFIX: &str = "wl_";
/// How many digits are random.
const RANDOM: usize = 64;
/// How many are the checksum.
const SUM: usize = 8;

/// The text of a token with these random bytes.
pub fn token_text(random: &[u8; 32]) -> Secret {
    let digits = hex(random);
    let sum = crc32(digits.as_bytes());
    Secret::new(format!("{PREFIX}{digits}{sum:08x}"))
}

/// Whether a text says that it is a token: whatever else it is, it is no password to be tried.
pub fn looks_like_token(text: &str) -> bool {
    text.starts_with(PREFIX) && text.len() == PREFIX.len() + RANDOM + SUM
}

/// Whether a text is a token that somebody may have made; most of what is mistyped is not.
pub fn is_token(text: &str) -> bool {
    let Some((digits, sum)) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_at_checked(RANDOM)) else {
        return false;
    };
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    sum.len() == SUM && digits.bytes().all(is_digit) && format!("{:08x}", crc32(digits.as_bytes())) == sum
}

/// CRC-32 as in IEEE 802.3 and zlib.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let carries = sum & 1 == 1;
            sum >>= 1;
            if carries {
                sum ^= 0xEDB8_8320;
            }
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_token_is_known_by_its_form_and_a_typo_is_not() {
        let text = token_text(&[7; 32]);
        let text = text.reveal();
        assert_eq!((text.len(), text.get(..7)), (75, Some("wl_0707")));
        assert!(is_token(text) && looks_like_token(text));
        let typo = text.replacen("07", "08", 1);
        assert!(!is_token(&typo) && looks_like_token(&typo));
        for other in [
            "",
            "wl_",
            "open sesame, please",
            text.get(..74).unwrap(),
            &text.to_uppercase(),
            &format!("{text}0"),
        ] {
            assert!(!is_token(other) && !looks_like_token(other), "{other}");
        }
    }

    #[test]
    fn why_it_was_revoked_is_written_flat() {
        let by = Ended {
            by: SubjectId::parse("sol").unwrap(),
            why: "A stolen laptop".to_owned(),
        };
        for (why, written) in [
            (
                RevokedFor::Revocation(by),
                r#"{"cause":"revocation","by":"sol","why":"A stolen laptop"}"#,
            ),
            (RevokedFor::PasswordChanged, r#"{"cause":"password-changed"}"#),
            (RevokedFor::AccountRemoved, r#"{"cause":"account-removed"}"#),
        ] {
            assert_eq!(serde_json::to_string(&why).unwrap(), written);
            assert_eq!(serde_json::from_str::<RevokedFor>(written).unwrap(), why);
        }
    }

    #[test]
    fn a_token_is_good_until_its_last_moment_and_not_once_it_is_revoked() {
        let at = Timestamp::from_millis;
        let token = Token {
            id: TokenId::new("one"),
            subject: SubjectId::parse("ada").unwrap(),
            name: "nightly".to_owned(),
            scope: [Scope::Read].into(),
            made_at: at(0),
            expires: at(10),
            revoked_at: None,
            revoked_for: None,
        };
        assert!(token.is_good(at(9)) && !token.is_good(at(10)));
        assert!(!token.revoked(at(5), None).is_good(at(6)));
    }
}
