//! What is said of what has become of a grant, step by step.

use std::time::Duration;

/// The words of a grant's history: each is what happened, beside when.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct HistoryWords {
    pub title: &'static str,
    pub stated: &'static str,
    pub asked: &'static str,
    pub broke_glass: &'static str,
    pub parent: &'static str,
    pub approved: fn(by: &str) -> String,
    /// So many others must approve it as well.
    pub partly_approved: fn(by: &str, missing: usize) -> String,
    pub declined: fn(by: &str) -> String,
    pub began: fn(until: &str) -> String,
    pub renewed: &'static str,
    pub renewal_asked: &'static str,
    pub renewal: &'static str,
    pub ran_out: &'static str,
    pub unused: fn(Duration) -> String,
    /// By whoever reads this, or by somebody else who holds it.
    pub withdrawn: fn(own: bool) -> &'static str,
    pub taken_back: fn(own: bool) -> &'static str,
    /// By nobody who is known, where it was long ago.
    pub revoked: fn(by: Option<&str>) -> String,
    pub lapsed: &'static str,
    pub reviewed: fn(by: &str, accepted: bool) -> String,
}
