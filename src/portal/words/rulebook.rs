//! What is said of the rules in force and of those that were.

use crate::facts::Mode;

/// The words of rulebooks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct RulebookWords {
    pub see: &'static str,
    pub title: &'static str,
    pub past: &'static str,
    pub count: fn(usize) -> String,
    /// How a rule counts that does not as others do.
    pub on_trial: fn(Mode) -> &'static str,
    pub since: fn(&str) -> String,
    pub since_before: fn(&str) -> String,
    pub not_in_force: &'static str,
    pub history: &'static str,
    pub no_events: &'static str,
    pub started: fn(version: &str) -> String,
    pub changed: fn(before: &str) -> String,
    pub taken_back: &'static str,
    pub refused: &'static str,
    /// In which language the messages about them are, where that is another one.
    pub messages: Option<&'static str>,
    pub files: &'static str,
    pub file: &'static str,
    pub how_many: &'static str,
    pub owners: &'static str,
}
