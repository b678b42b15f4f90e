//! The pages of the rules in force and of those that were.

use askama::Template;

use super::explained::Rule;
use crate::portal::words::Words;

/// A file of rules.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Folder {
    pub(in crate::portal) anchor: String,
    pub(in crate::portal) file: String,
    pub(in crate::portal) count: String,
    pub(in crate::portal) owners: String,
    pub(in crate::portal) rules: Vec<Rule>,
}

/// Something that became of a rulebook.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Event {
    /// The moment for machines.
    pub(in crate::portal) at: String,
    pub(in crate::portal) when: String,
    pub(in crate::portal) what: String,
    /// Why it was refused.
    pub(in crate::portal) problems: Vec<String>,
    /// The rules in force after it.
    pub(in crate::portal) rulebook: String,
    pub(in crate::portal) short: String,
}

/// The page of the rules in force.
#[derive(Template)]
#[template(path = "rulebook.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Rules<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) id: String,
    pub(in crate::portal) since: Option<String>,
    /// Whether the gateway enforces, coaches or observes.
    pub(in crate::portal) mode: &'static str,
    pub(in crate::portal) count: String,
    /// Why the newest rules do not rule.
    pub(in crate::portal) refused: Vec<String>,
    pub(in crate::portal) folders: Vec<Folder>,
    pub(in crate::portal) events: Vec<Event>,
    pub(in crate::portal) older: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}

/// The page of rules that ruled.
#[derive(Template)]
#[template(path = "past_rulebook.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Past<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) id: String,
    pub(in crate::portal) in_force: bool,
    pub(in crate::portal) count: String,
    pub(in crate::portal) folders: Vec<Folder>,
    pub(in crate::portal) contact: Option<String>,
}
