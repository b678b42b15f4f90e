//! What is said of what the gateway reads, keeps and shows of people.

use crate::facts::Mode;
use crate::proof::Verdict;
use crate::rulebook::Reads;

/// The words of privacy.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct PrivacyWords {
    pub see: &'static str,
    pub title: &'static str,
    pub what: &'static str,
    pub asked: &'static str,
    pub read_title: &'static str,
    pub read_what: &'static str,
    pub read_none: &'static str,
    pub unread_title: &'static str,
    pub unread_what: &'static str,
    pub kind: &'static str,
    pub of_whom: &'static str,
    pub whether: &'static str,
    pub why: &'static str,
    pub no_rule: &'static str,
    pub elsewhere: &'static str,
    /// Of whom something is read, as part of a table.
    pub reads: fn(&Reads) -> String,
    pub partly: &'static str,
    pub of_you: &'static str,
    /// The rules that may let it be read.
    pub may_let: fn(rules: &str) -> String,
    /// The rules that may let it be read of others than those who were named, or at other hosts.
    pub may_let_others: fn(rules: &str) -> String,
    pub mode: fn(Mode) -> Option<&'static str>,
    pub kept_title: &'static str,
    pub kept_what: &'static str,
    pub kept: &'static str,
    pub holds: &'static str,
    pub how_long: &'static str,
    pub who: &'static str,
    pub records: KeptWords,
    pub purposes: KeptWords,
    pub figures: KeptWords,
    pub refusals: KeptWords,
    /// The same where several gateways share a database.
    pub refusals_shared: KeptWords,
    /// What somebody wrote and could not send.
    pub drafts: KeptWords,
    pub account: KeptWords,
    /// That somebody looked at what was decided about others.
    pub looks: KeptWords,
    /// Who has a power: members of these roles, the owner of a purpose, those whom its terms name, and whom other rules let,
    /// which are these.
    pub readers: fn(roles: &[&str], (bool, bool), others: &str) -> String,
    /// You; those who may approve it, and those who may end it.
    pub of_records: fn(readers: &str) -> String,
    pub of_purposes: fn(approve: &str, revoke: &str) -> String,
    pub grounds_title: &'static str,
    pub grounds_what: &'static str,
    pub proved_title: &'static str,
    pub proved_what: &'static str,
    pub rulebook: &'static str,
    pub proved_by: fn(when: &str, by: Option<&str>, solver: &str) -> String,
    pub not_proved: fn(command: &str) -> String,
    pub looking: &'static str,
    pub unreadable: &'static str,
    pub no_promises: &'static str,
    pub promise: &'static str,
    pub result: &'static str,
    pub verdict: fn(Option<Verdict>) -> &'static str,
    pub of_privacy: &'static str,
    pub of_others: &'static str,
}

/// What is said of one kind of thing that is kept.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct KeptWords {
    pub what: &'static str,
    pub holds: &'static str,
    pub how_long: &'static str,
    /// Empty where the rules say it.
    pub who: &'static str,
}
