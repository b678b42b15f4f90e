//! The page of one decision in full.

use askama::Template;

use crate::portal::words::Words;

/// A rule that decided.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Rule {
    pub(in crate::portal) id: String,
    pub(in crate::portal) effect: &'static str,
    /// What it is about, for those who read rules.
    pub(in crate::portal) title: Option<String>,
    pub(in crate::portal) reason: String,
    /// Where it does not count as others do.
    pub(in crate::portal) mode: Option<&'static str>,
    pub(in crate::portal) owner: Option<String>,
    /// File and line.
    pub(in crate::portal) place: String,
    pub(in crate::portal) text: String,
}

/// The conditions of a rule, asked for one action.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Conditions {
    pub(in crate::portal) rule: String,
    pub(in crate::portal) action: String,
    pub(in crate::portal) parts: Vec<Held>,
}

/// One condition.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Held {
    /// How it came out, in a word.
    pub(in crate::portal) came: &'static str,
    pub(in crate::portal) text: String,
    pub(in crate::portal) values: Vec<String>,
}

/// The page that asks whether somebody whom a link led here wants to look at the decision.
#[derive(Template)]
#[template(path = "led_to_decision.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct LedToDecision<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// Where it is.
    pub(in crate::portal) href: String,
    pub(in crate::portal) contact: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "decision.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Decision<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) facts: Vec<(&'static str, String)>,
    /// Whether the rules of its day say today what they said then.
    pub(in crate::portal) same: Option<&'static str>,
    /// Why nothing can be explained.
    pub(in crate::portal) unexplained: Option<&'a str>,
    pub(in crate::portal) policies: Vec<Rule>,
    pub(in crate::portal) beside: Vec<Rule>,
    pub(in crate::portal) inspection: Vec<Rule>,
    pub(in crate::portal) troubles: Vec<String>,
    pub(in crate::portal) decided: Vec<Conditions>,
    pub(in crate::portal) nearly: Vec<Conditions>,
    pub(in crate::portal) helps: Vec<String>,
    pub(in crate::portal) what_if: Vec<(String, &'static str)>,
    /// Where the grant is that it passed under, for whoever may look at that; and all that passed under it.
    pub(in crate::portal) grant: Option<(Option<String>, String)>,
    /// All that was decided about them, and what they hold, which can be ended there.
    pub(in crate::portal) theirs: Option<String>,
    pub(in crate::portal) held: Option<String>,
    pub(in crate::portal) record: &'a str,
    pub(in crate::portal) rulebook: String,
    pub(in crate::portal) contact: Option<String>,
}
