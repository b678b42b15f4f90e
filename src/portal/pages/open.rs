//! The page of what is open now.

use askama::Template;

use super::counter::Pick;
use crate::portal::words::Words;

/// A tunnel, a socket, or an event stream.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Line {
    /// The moment for machines.
    pub(in crate::portal) at: String,
    pub(in crate::portal) when: String,
    /// For how long it has been open.
    pub(in crate::portal) lasts: String,
    pub(in crate::portal) who: String,
    pub(in crate::portal) from: String,
    pub(in crate::portal) what: &'static str,
    pub(in crate::portal) place: String,
    pub(in crate::portal) purpose: Option<String>,
    /// Where its grant is, which can be ended there.
    pub(in crate::portal) grant: Option<String>,
    pub(in crate::portal) carried: String,
}

/// The page.
#[derive(Template)]
#[template(path = "open.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Open<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What is looked for by writing it: the name of each filter, what it is called, and what was written.
    pub(in crate::portal) texts: Vec<(&'static str, &'static str, String)>,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) purposes: Vec<Pick>,
    pub(in crate::portal) wrong: Vec<String>,
    /// Said where somebody else's link led here.
    pub(in crate::portal) led_here: Option<&'static str>,
    /// How many there are, where it was looked.
    pub(in crate::portal) count: Option<String>,
    pub(in crate::portal) lines: Vec<Line>,
    pub(in crate::portal) here: String,
    pub(in crate::portal) older: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}
