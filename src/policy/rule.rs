//! One rule as somebody wrote it: its text, its place, and what its annotations say.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::facts::{Effect, PolicyId};

/// One policy of the rule files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `@id`
    pub id: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@title`: what it is about, for those who read rules.
    pub title: Option<String>,
    /// `@reason`: a sentence for the employee.
    pub reason: String,
    /// `@fix`: what would help beside a purpose.
    pub fix: Option<String>,
    /// `@owner`: who answers for it.
    pub owner: Option<String>,
    /// `@expires`: a permit counts until this moment, which is no longer part of it.
    pub expires: Option<Timestamp>,
    /// All annotations, those above included.
    pub annotations: BTreeMap<String, String>,
    /// The whole policy as written, with its annotations.
    pub text: String,
    /// The file it stands in.
    pub file: String,
    /// Where in the file: byte offset and length.
    pub span: (usize, usize),
    /// The line it begins on, from 1.
    pub line: usize,
}

impl Rule {
    /// Whether the rule still counts at `at`. Only permits expire: an expired forbid would widen access.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        match self.effect {
            Effect::Forbid => true,
            Effect::Permit => self.expires.is_none_or(|end| at < end),
        }
    }
}
