//! What is said of how the gateway is.

use std::time::Duration;

use crate::facts::Mode;

/// What is known of proofs about the rules in force.
#[derive(Clone, Copy, Debug)]
pub enum ProofsAre<'a> {
    /// It is not known yet: that is compared with the rules in force after each change.
    Unknown,
    /// Nothing was ever found.
    None,
    /// Something was found of other rules, then.
    OfOthers(&'a str, Duration),
    /// So many of so many sentences were proved, and so many are wrong; when, and how long ago.
    OfThese([usize; 3], &'a str, Duration),
}

/// The words of health.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct HealthWords {
    pub see: &'static str,
    pub title: &'static str,
    pub ready: &'static str,
    pub not_ready: &'static str,
    pub problems: &'static str,
    pub parts: &'static str,
    pub look: &'static str,
    pub now: &'static str,
    pub records: &'static str,
    pub records_are: fn(well: bool, waiting: &str, turned_away: &str) -> String,
    pub ledger: &'static str,
    pub ledger_is: fn(well: bool) -> &'static str,
    pub program: &'static str,
    /// The version, when it started, and for how long it has run.
    pub program_is: fn(version: &str, began: &str, up: Duration) -> String,
    pub mode: &'static str,
    pub mode_is: fn(Mode) -> &'static str,
    /// The rules that rule, and since when newer ones are refused.
    /// A moment since which something is so, and perhaps since before: the gateway started then.
    pub or_longer: fn(since: &str) -> String,
    pub rules_are: fn(id: &str, refused_since: Option<&str>) -> String,
    pub rules_unkept: &'static str,
    pub rules_end: fn(count: usize) -> String,
    pub purposes: &'static str,
    pub none_is_late: &'static str,
    pub proofs: &'static str,
    pub proofs_are: fn(&ProofsAre<'_>) -> String,
    pub sign_ins: &'static str,
    pub sign_ins_are: fn(lately: &str, in_all: &str) -> String,
    pub tokens_unreadable: fn(count: &str) -> String,
    pub certificates: &'static str,
    pub certificates_are: fn(until: &str, minted: &str) -> String,
    pub door_until: fn(until: &str) -> String,
    pub door_shows_none: &'static str,
    pub door_shut: &'static str,
    pub notices: &'static str,
    pub no_notices: &'static str,
    pub notices_are: fn(waiting: &str) -> String,
    pub hooks_shut_out: fn(count: &str) -> String,
    /// That the weekly digest goes to addresses of nobody in the directory.
    pub digest_of_nobody: fn(addresses: &str) -> String,
    /// That nothing gets through by a web hook, or by e-mail, and since when.
    pub nothing_gets_through: fn(hook: Option<&str>, since: &str) -> String,
    pub traffic: &'static str,
    pub traffic_is: fn(connections: u64, tunnels: u64) -> String,
}
