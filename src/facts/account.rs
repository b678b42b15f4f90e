//! What an account looked like, so that it is noticed that it changed also where nobody watched.

use std::collections::BTreeMap;
use std::fmt;

use super::principal::SubjectId;

/// Digest of the hash of an account's password: another one is another password, or the same set anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccountMark([u8; 32]);

impl fmt::Debug for AccountMark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AccountMark(…)")
    }
}

impl AccountMark {
    /// The mark with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// All accounts, by whose they are.
pub type AccountMarks = BTreeMap<SubjectId, AccountMark>;
