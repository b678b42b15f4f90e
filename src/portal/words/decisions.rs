//! What is said of decisions about others.

use crate::facts::{End, Outcome};
use crate::portal::BadFilter;

/// The words of decisions.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct DecisionWords {
    pub see: &'static str,
    pub title: &'static str,
    pub what: &'static str,
    pub found: &'static str,
    pub led_here: &'static str,
    pub none: &'static str,
    pub nobody: &'static str,
    pub outcome_is: &'static str,
    pub outcome: fn(Outcome) -> &'static str,
    pub activity: &'static str,
    pub since: &'static str,
    pub until: &'static str,
    pub times: &'static str,
    pub host: &'static str,
    pub client: &'static str,
    pub policy: &'static str,
    pub let_pass: &'static str,
    /// What one chooses of it, in the order of `LetPass::NAMES`.
    pub let_pass_ways: [&'static str; 3],
    /// What is not looked for as often.
    pub more: &'static str,
    pub any_platform: &'static str,
    pub not_allowed: &'static str,
    pub bad_filters: &'static str,
    pub bad_filter: fn(&BadFilter) -> String,
    pub when: &'static str,
    pub place: &'static str,
    /// A moment to the minute, and its seconds.
    pub seconds: fn(minutes: &str, seconds: i8) -> String,
    pub did: &'static str,
    pub ended: &'static str,
    pub came: fn(&End, Option<u16>) -> String,
    /// What came of a refused tunnel in which nothing but the reason was told.
    pub only_says_why: &'static str,
    pub why: &'static str,
    pub why_this: fn(who: &str, what: &str, when: &str) -> String,
    pub newest: &'static str,
    pub older: &'static str,
    pub go_on: &'static str,
    pub reached: fn(String) -> String,
    pub unreadable: fn(u64) -> String,
    pub reload: &'static str,
    pub reload_no_more: &'static str,
    pub follow: &'static str,
    pub pause: &'static str,
    pub flows: &'static str,
    pub stands: &'static str,
    pub again: &'static str,
    pub broken: &'static str,
    pub missed: fn(u64) -> String,
    pub many_watch_title: &'static str,
    pub many_watch: &'static str,
    pub you_watch: &'static str,
    pub not_found_title: &'static str,
    pub not_found: &'static str,
    pub not_read_title: &'static str,
    pub not_read: &'static str,
    pub not_recorded_title: &'static str,
    pub not_recorded: &'static str,
}
