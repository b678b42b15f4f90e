//! What is said where somebody states a purpose, beside the rest.

use std::time::Duration;

use crate::facts::Invisible;

/// A text as it begins a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(chars).collect()
}

/// The words of stating a purpose.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct StatingWords {
    /// A form comes a second time.
    pub form_sent_title: &'static str,
    pub form_sent: &'static str,
    pub how_far: &'static str,
    pub only: fn(groups: &str, lasts: Duration) -> String,
    pub further: fn(groups: &str, lasts: Duration) -> String,
    pub others_need_approval: fn(usize) -> String,
    pub renew: &'static str,
    pub ask_again: &'static str,
    pub again: fn(purpose: &str, effect: &str, lasts: Duration) -> String,
    pub works_now: &'static str,
    pub see: &'static str,
    pub terms: fn(needs_approval: bool, least: Duration, most: Duration) -> String,
    pub where_to: &'static str,
    pub nowhere: &'static str,
    pub declare: &'static str,
    pub asked: &'static str,
    pub opens: fn(groups: &str) -> String,
    pub also: &'static str,
    pub all: fn(usize) -> String,
    pub kind: fn(title: Option<&str>, count: usize) -> String,
    pub changed: &'static str,
    pub to_do: fn(groups: &str, said: &str) -> String,
    pub nobody_now: &'static str,
    pub untrained_title: &'static str,
    /// Of a purpose, and the training that it takes.
    pub untrained: fn(purpose: &str, course: &str) -> String,
    pub urgent_title: &'static str,
    pub answers: &'static str,
    pub basis: &'static str,
    pub retention: &'static str,
    pub retention_hint: &'static str,
    pub usually_answered: fn(within: Duration) -> String,
    /// Part of a list: it begins small and has no full stop.
    pub invisible: fn(Invisible) -> String,
}
