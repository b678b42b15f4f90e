//! The page of what a search finds in the book beside decisions.

use askama::Template;

use super::counter::Pick;
use crate::portal::words::Words;

/// One line.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Line {
    /// The moment for machines.
    pub(in crate::portal) at: String,
    pub(in crate::portal) when: String,
    pub(in crate::portal) who: String,
    pub(in crate::portal) what: String,
    pub(in crate::portal) why: Vec<String>,
    /// Said where something was written that whoever looks may not read.
    pub(in crate::portal) withheld: Option<&'static str>,
    pub(in crate::portal) leads: Option<Leading>,
}

/// Where there is more.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Leading {
    pub(in crate::portal) href: String,
    pub(in crate::portal) text: &'static str,
    /// What the link says to whoever does not see where it stands.
    pub(in crate::portal) label: String,
}

/// Where what was found is kept as a file.
#[derive(Clone, Debug)]
pub(in crate::portal) struct AsFile {
    pub(in crate::portal) csv: String,
    pub(in crate::portal) lines: String,
    /// How much it holds.
    pub(in crate::portal) holds: String,
}

/// The page.
#[derive(Template)]
#[template(path = "book.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Book<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) topics: Vec<Pick>,
    /// What is looked for by writing it: the name of each filter, what it is called, and what was written.
    pub(in crate::portal) texts: Vec<(&'static str, &'static str, String)>,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) purposes: Vec<Pick>,
    /// What is wrong with what is looked for, and what would be right.
    pub(in crate::portal) wrong: Vec<String>,
    /// Said where somebody else's link led here.
    pub(in crate::portal) led_here: Option<&'static str>,
    pub(in crate::portal) is_empty: bool,
    /// Whether it looked at no more than it may, and found less than a page.
    pub(in crate::portal) cut_short: bool,
    /// Until when it looked back.
    pub(in crate::portal) reached: Option<String>,
    pub(in crate::portal) older: Option<String>,
    pub(in crate::portal) newest: String,
    pub(in crate::portal) files: Option<AsFile>,
    pub(in crate::portal) unreadable: Option<String>,
    pub(in crate::portal) lines: Vec<Line>,
    pub(in crate::portal) contact: Option<String>,
}
