//! What is said where holders are asked what came of a grant.

use crate::portal::outcomes::Unsaid;

/// The words of what came of it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct OutcomeWords {
    pub asked: &'static str,
    pub why_asked: &'static str,
    pub in_words: &'static str,
    pub save: &'static str,
    pub skip: &'static str,
    pub correct: &'static str,
    pub number: fn(u64) -> String,
    /// `amount` is none where they gave no number.
    pub you_said: fn(metric: &str, amount: Option<&str>, skipped: bool) -> String,
    pub said: &'static str,
    pub noted: &'static str,
    pub unsaid: fn(Unsaid) -> String,
    pub not_kept_title: &'static str,
    pub not_kept: &'static str,
    pub not_asked_title: &'static str,
    pub not_asked: &'static str,
    pub not_recorded_title: &'static str,
    pub not_recorded: &'static str,
}
