//! What is said where somebody lets somebody else answer for them.

use crate::portal::Misfit;

/// The words of delegations.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct DelegationWords {
    pub link: &'static str,
    pub title: &'static str,
    pub what: &'static str,
    pub given: &'static str,
    pub received: &'static str,
    pub nobody: &'static str,
    pub form: &'static str,
    pub to: &'static str,
    pub to_hint: &'static str,
    pub from: &'static str,
    pub from_hint: &'static str,
    pub until: &'static str,
    pub until_hint: fn(most_days: u64) -> String,
    pub purposes: &'static str,
    pub purposes_hint: &'static str,
    pub all_purposes: &'static str,
    pub give: &'static str,
    pub take_back: &'static str,
    pub sign_in: &'static str,
    pub days: fn(from: &str, until: &str) -> String,
    pub given_to: fn(who: &str) -> String,
    pub taken_back: fn(who: &str) -> String,
    pub answers_for: fn(whom: &str) -> String,
    pub by_for: fn(by: &str, whom: &str) -> String,
    pub theirs: &'static str,
    pub counted: fn(usize) -> String,
    pub revoked: &'static str,
    pub revoked_by: fn(by: &str, to: &str, why: &str) -> String,
    pub off: &'static str,
    pub may_not: fn(why: &str) -> String,
    pub not_given_title: &'static str,
    pub misfit: fn(&Misfit) -> String,
    pub too_many: fn(given: usize) -> String,
    pub over_title: &'static str,
    pub over: &'static str,
    pub not_kept_title: &'static str,
    pub not_kept: &'static str,
}
