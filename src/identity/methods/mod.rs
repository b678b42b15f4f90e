//! The ways to prove who you are, one file each. This table is the whole list.

mod accounts;
mod basic;
mod certificate;
mod checking;
mod credentials;
mod guesses;
mod hashing;
mod queue;
mod remembered;

pub use basic::proof as basic_proof;
pub use guesses::WAIT;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;

use super::{BadSetting, Evidence, Identification, MaySend, Settings, SignIn};
use crate::facts::{AccountMark, AccountMarks, Arrival, MethodName, SubjectId};

/// One way to prove who you are.
pub(super) trait Method: Send + Sync {
    /// The name used in settings.
    fn name(&self) -> &'static str;

    /// Says who sent the evidence; `Silent` if it holds nothing for this method.
    fn identify<'a>(&'a self, evidence: &'a Evidence<'_>) -> Asking<'a>;

    /// What a 407 offers for this method.
    fn challenge(&self, arrival: &Arrival) -> Option<HeaderValue>;

    /// Whether `who` could prove themselves by this method with a password.
    fn has_password(&self, _who: &SubjectId) -> bool {
        false
    }

    /// What a sign-in of `who` rests on here that was made, be it at another gateway, with an account that looked so.
    fn sign_in_by(&self, _who: &SubjectId, _mark: AccountMark) -> Option<SignIn> {
        None
    }

    /// What the accounts look like that the method keeps; the same value as long as none changes.
    fn marks(&self) -> Option<Arc<AccountMarks>> {
        None
    }

    /// Whether the accounts that the method keeps cannot be found at all.
    fn lacks_accounts(&self) -> bool {
        false
    }

    /// Reads again what the method keeps in files, where they have changed.
    fn reload(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether the method can do its work.
    fn healthy(&self) -> Result<(), String> {
        Ok(())
    }
}

/// An answer in the making.
pub(super) type Asking<'a> = Pin<Box<dyn Future<Output = Identification> + Send + 'a>>;

/// A method made from settings.
pub(super) type Built = Result<Box<dyn Method>, BadSetting>;

/// One line of the table.
pub(super) struct Row {
    /// The name used in settings.
    pub(super) name: &'static str,
    /// Makes the method from the settings.
    pub(super) build: fn(&Settings, &MaySend) -> Built,
}

/// The methods, in the order in which they are asked by default: the stronger first.
pub(super) const TABLE: [Row; 2] = [
    Row {
        name: MethodName::Certificate.as_str(),
        build: certificate::build,
    },
    Row {
        name: MethodName::Basic.as_str(),
        build: basic::build,
    },
];
