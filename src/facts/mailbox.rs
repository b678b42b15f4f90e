//! Where somebody is written to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::destination::Host;

/// An address for e-mail: a plain local part and a host (RFC 5321 §4.1.2, `Dot-string "@" Domain`), in ASCII.
///
/// Neither quoted parts nor anything that could end a line or an argument of a mail server fits into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox(String);

/// Why a text is not an address for e-mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address for e-mail: write `name@example.org`")]
pub struct BadMailbox(String);

impl Mailbox {
    /// Parses an address; see [`Mailbox`] for its form.
    pub fn parse(text: &str) -> Result<Self, BadMailbox> {
        let bad = || BadMailbox(text.escape_debug().take(80).collect());
        let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
        let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
        let host = Host::parse(domain).map_err(|_| bad())?;
        let is_name = host.as_ip().is_none() && domain.is_ascii();
        if is_name && local.len() <= 64 && text.len() <= 254 && local.split('.').all(is_atom) {
            Ok(Self(format!("{local}@{host}")))
        } else {
            Err(bad())
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent to either is read by the same people: nearly every mail server takes capitals for small letters also
    /// before the `@`, though none has to (RFC 5321 §2.4).
    pub fn is_read_with(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// RFC 5322 §3.2.3.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

impl fmt::Display for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for Mailbox {
    type Error = BadMailbox;

    fn try_from(text: String) -> Result<Self, BadMailbox> {
        Self::parse(&text)
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_addresses() {
        for (text, is) in [
            ("ada@example.org", true),
            ("ada.m+gate@mail.Example.org", true),
            ("ada@localhost", true),
            ("ada", false),
            ("@example.org", false),
            ("ada@", false),
            ("ada..m@example.org", false),
            ("\"ada m\"@example.org", false),
            ("ada@192.0.2.1", false),
            ("ada@[192.0.2.1]", false),
            ("ada@example.org>\r\nRCPT TO:<eve@example.org", false),
            ("ada@example.org\n", false),
            ("ada eve@example.org", false),
            ("é@example.org", false),
        ] {
            assert_eq!(Mailbox::parse(text).is_ok(), is, "{text:?}");
        }
        let parsed = Mailbox::parse("Ada@mail.Example.org").unwrap();
        assert_eq!(
            (parsed.as_str(), parsed.domain()),
            ("Ada@mail.example.org", "mail.example.org")
        );
    }
}
