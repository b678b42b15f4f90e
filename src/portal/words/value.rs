//! What is said of how much purposes are used, and what comes of them.

use std::time::Duration;

/// The words of usage and value.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct ValueWords {
    pub see: &'static str,
    pub title: &'static str,
    pub what: &'static str,
    pub none: &'static str,
    pub none_here: &'static str,
    pub span: &'static str,
    pub weeks: fn(u16) -> String,
    pub week: &'static str,
    pub grants: &'static str,
    pub flows: &'static str,
    pub people: &'static str,
    pub most_people: &'static str,
    pub data: &'static str,
    pub time: &'static str,
    pub value: &'static str,
    pub department: &'static str,
    pub by_platform: &'static str,
    pub by_department: &'static str,
    pub over_time: &'static str,
    pub others: &'static str,
    pub few: &'static str,
    pub no_bar: &'static str,
    pub most_used: &'static str,
    pub most: fn(most: &str) -> String,
    pub numbers: &'static str,
    pub csv: &'static str,
    pub all_purposes: &'static str,
    pub bytes: fn(u64) -> String,
    pub lasted: fn(Duration) -> String,
    pub past_review: fn(purpose: &str, since: &str) -> String,
    pub not_read_title: &'static str,
    pub not_read: &'static str,
}
