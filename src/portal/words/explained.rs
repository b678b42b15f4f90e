//! What is said of one decision in full.

use crate::clock::Timestamp;
use crate::rulebook::Circumstance;

/// The words of an explanation.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct ExplainedWords {
    pub heading: fn(outcome: &str, who: &str, what: &str, place: &str) -> String,
    pub led_here_title: &'static str,
    pub led_here: &'static str,
    pub led_here_show: &'static str,
    pub seen: &'static str,
    pub asked: &'static str,
    pub recognised_by: &'static str,
    pub from: &'static str,
    pub identified_by: &'static str,
    pub was_read: &'static str,
    pub was_not_read: &'static str,
    pub up_and_down: fn(up: &str, down: &str) -> String,
    pub goes_on: &'static str,
    pub end_not_found: &'static str,
    pub same: &'static str,
    pub differs: &'static str,
    pub lacks: &'static str,
    pub not_kept: &'static str,
    pub permits: &'static str,
    pub forbids: &'static str,
    pub owner: &'static str,
    pub as_written: &'static str,
    pub troubles: &'static str,
    pub asked_for: &'static str,
    pub held: &'static str,
    pub failed: &'static str,
    pub no_value: &'static str,
    pub conditions_held: &'static str,
    pub nearly: &'static str,
    pub beside: &'static str,
    pub reading: &'static str,
    pub declared: fn(purpose: &str) -> String,
    pub approved: fn(purpose: &str) -> String,
    pub what_if: &'static str,
    /// One thing that would change it; and a moment as the page's reader reads it.
    pub difference: fn(&Circumstance, moment: &dyn Fn(Timestamp) -> String) -> String,
    pub rules: &'static str,
    pub all: &'static str,
    pub theirs: &'static str,
    pub its_grant: &'static str,
    pub under_it: &'static str,
    pub held_by_them: &'static str,
}
