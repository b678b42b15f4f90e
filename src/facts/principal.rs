//! Who are you: what a method proved, and what the directory makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The name under which a person or a tool is known to the directory: 1 to 128 visible characters, no `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectId(Arc<str>);

/// Why a text is not a subject's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It has not the form of one.
    #[error("`{0}` is not a user name: use 1 to 128 visible characters without `:` and spaces")]
    Form(String),
    /// It means something else where it stands.
    #[error("`{0}` is not a user name here: it means something else")]
    Taken(String),
}

impl BadName {
    /// `word` names nobody where it stands.
    pub fn of_something_else(word: &str) -> Self {
        Self::Taken(word.to_owned())
    }
}

impl SubjectId {
    /// Parses a name; see [`SubjectId`] for its form.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let visible = text.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != ':');
        if visible && (1..=128).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(BadName::Form(text.escape_debug().take(40).collect()))
        }
    }

    /// Stands for somebody of whom nothing is known: no name is empty.
    pub fn nobody() -> Self {
        Self("".into())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for SubjectId {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        Self::parse(&text)
    }
}

impl From<SubjectId> for String {
    fn from(id: SubjectId) -> Self {
        id.0.as_ref().to_owned()
    }
}

/// How identity was proven, as rules and records spell it (`context.proof.method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// A password in `Proxy-Authorization: Basic` (RFC 7617).
    Basic,
    /// A client certificate on the TLS door.
    Certificate,
    /// A token for tools.
    Token,
}

impl MethodName {
    /// The name as rules spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Certificate => "certificate",
            Self::Token => "token",
        }
    }

    /// Whether the proof is bound to a key (phishing-resistant), not only to a shared secret.
    pub fn is_strong(self) -> bool {
        match self {
            Self::Basic | Self::Token => false,
            Self::Certificate => true,
        }
    }
}

/// What a method proved about the sender of a connection or request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Who it is.
    pub id: SubjectId,
    /// How that was proven.
    pub method: MethodName,
}

/// How a person is engaged; the closed list of the schema's `Employment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Employment {
    /// On the payroll.
    Employee,
    /// Under a contract for services.
    Contractor,
    /// In training.
    Intern,
    /// Works for a supplier.
    Vendor,
}

impl Employment {
    /// The name as the schema spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Contractor => "contractor",
            Self::Intern => "intern",
            Self::Vendor => "vendor",
        }
    }
}

/// What the directory knows of a person, resolved when the request is seen: a record replays without the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name they sign in with.
    pub id: SubjectId,
    /// What people call them.
    pub name: String,
    /// All roles held, including those that a held role is part of.
    pub roles: BTreeSet<String>,
    /// The department and all departments it is part of.
    pub departments: BTreeSet<String>,
    /// How they are engaged.
    pub employment: Employment,
    /// Region, e.g. `eu-west`.
    pub region: String,
    /// IANA time zone, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// The line manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<SubjectId>,
    /// Whether everything they publish must be kept.
    #[serde(default)]
    pub on_legal_hold: bool,
    /// Training passed: course -> valid until.
    #[serde(default)]
    pub training: BTreeMap<String, Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_colon_space_or_control_are_refused() {
        for bad in ["", "a:b", "a b", "a\u{0}", &"x".repeat(129)] {
            assert!(SubjectId::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            SubjectId::parse("ada.lovelace@corp").unwrap().as_str(),
            "ada.lovelace@corp"
        );
    }
}
