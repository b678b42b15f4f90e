//! The page of decisions.

use askama::Template;
use serde::Serialize;

use super::book::AsFile;
use super::counter::Pick;
use crate::portal::words::Words;

/// What makes the page of decisions show new ones as they are made. Without it, the page is loaded anew.
pub(in crate::portal) const SCRIPT: &str = include_str!("decisions.js");

/// One decision.
#[derive(Clone, Debug, Serialize)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) href: String,
    /// What the link to more about it says to whoever does not see where it stands.
    pub(in crate::portal) label: String,
    /// The moment for machines.
    pub(in crate::portal) at: String,
    pub(in crate::portal) when: String,
    pub(in crate::portal) who: String,
    pub(in crate::portal) what: String,
    pub(in crate::portal) place: String,
    /// The outcome for machines.
    pub(in crate::portal) kind: &'static str,
    pub(in crate::portal) outcome: &'static str,
    /// The purpose that it passed under; empty where it passed under none.
    pub(in crate::portal) purpose: String,
    pub(in crate::portal) came: String,
}

/// The page.
#[derive(Template)]
#[template(path = "decisions.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Decisions<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What can be looked for beside decisions.
    pub(in crate::portal) topics: Vec<Pick>,
    /// What is looked for by writing it: the name of each filter, what it is called, and what was written.
    pub(in crate::portal) texts: Vec<(&'static str, &'static str, String)>,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) activities: Vec<Pick>,
    pub(in crate::portal) purposes: Vec<Pick>,
    pub(in crate::portal) outcomes: Vec<Pick>,
    pub(in crate::portal) let_pass: Vec<Pick>,
    /// What is wrong with what is looked for, and what would be right.
    pub(in crate::portal) wrong: Vec<String>,
    /// Said where somebody else's link led here.
    pub(in crate::portal) led_here: Option<&'static str>,
    /// Whether filters are used, or wrong, that are folded away elsewhere.
    pub(in crate::portal) more: bool,
    pub(in crate::portal) is_empty: bool,
    /// Whether it looked at no more than it may, and found less than a page.
    pub(in crate::portal) cut_short: bool,
    /// Until when it looked back.
    pub(in crate::portal) reached: Option<String>,
    pub(in crate::portal) older: Option<String>,
    pub(in crate::portal) newest: String,
    /// Where new ones come from, where these are the newest.
    pub(in crate::portal) live: Option<String>,
    /// Where the page is that loads itself anew.
    pub(in crate::portal) reload: Option<String>,
    /// How often this page does, in seconds.
    pub(in crate::portal) reload_s: Option<u32>,
    pub(in crate::portal) files: Option<AsFile>,
    pub(in crate::portal) unreadable: Option<String>,
    pub(in crate::portal) lines: Vec<Line>,
    pub(in crate::portal) contact: Option<String>,
}
