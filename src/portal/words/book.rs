//! What is said of lines of the book that are about no flow: grants, delegations, tokens, who looked, and the gateway itself.

use crate::audit::Topic;
use crate::facts::{AccessAct, GatewayAct, GrantAct, RulebookId, TokenAct};

/// What happened to a grant, as it is to be said.
#[derive(Clone, Copy, Debug)]
pub struct GrantSaid<'a> {
    /// What happened.
    pub act: GrantAct,
    /// What for.
    pub title: &'a str,
    /// Where; empty where it is nowhere.
    pub places: &'a str,
    /// Who holds it, where that is not whoever did something.
    pub whose: Option<&'a str>,
    /// Whether it had been given before it ended.
    pub was_given: bool,
    /// What whoever reviewed it found, where somebody did: whether it was an emergency.
    pub accepted: Option<bool>,
    /// Whether it was taken, or was to be, in an emergency.
    pub urgent: bool,
}

/// The words of the book.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct BookWords {
    pub title: &'static str,
    pub what: &'static str,
    pub none: &'static str,
    pub topic_is: &'static str,
    pub topic: fn(Topic) -> &'static str,
    pub times: &'static str,
    pub more: &'static str,
    pub story: &'static str,
    pub to_grant: &'static str,
    pub to_decision: &'static str,
    pub to_rules: &'static str,
    /// What a link leads to, for whoever does not see where it stands.
    pub leads: fn(link: &str, who: &str, when: &str) -> String,
    pub gateway: &'static str,
    pub grant: for<'a> fn(GrantSaid<'a>) -> String,
    pub continued: fn(act: GrantAct, places: &str) -> String,
    pub delegation: fn(act: GrantAct, to: &str, whose: Option<&str>) -> String,
    pub token: fn(act: TokenAct, name: Option<&str>, scope: &str, whose: Option<&str>) -> String,
    pub access: fn(act: AccessAct, whose: Option<&str>, through: Option<Topic>) -> String,
    pub looked_for: fn(filters: &str) -> String,
    pub did: fn(&GatewayAct, ruling: &RulebookId) -> String,
    pub flow: fn(what: &str, place: &str, came: &str) -> String,
    pub under: fn(purpose: &str) -> String,
    pub wrote: fn(text: &str) -> String,
    pub ticket: fn(text: &str) -> String,
    pub came_to: fn(amount: &str) -> String,
    pub withheld: &'static str,
    pub password_changed: &'static str,
    pub account_removed: &'static str,
    pub as_file: &'static str,
    pub as_csv: &'static str,
    pub as_lines: &'static str,
    pub file_holds: fn(most: &str) -> String,
    pub file_cut_off: fn(most: &str, next: &str) -> String,
    pub file_broken_off: fn(next: &str) -> String,
}
