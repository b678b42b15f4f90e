//! The pages on which somebody states a purpose that no refusal led them to.

use askama::Template;

use super::counter::{Glass, Pick, Reaching};
use crate::portal::words::Words;

/// The page of one purpose, to be stated.
#[derive(Template)]
#[template(path = "stating.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Stating<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) id: &'a str,
    pub(in crate::portal) title: &'a str,
    pub(in crate::portal) description: &'a str,
    /// Whether somebody must approve it, and for how long it lasts.
    pub(in crate::portal) terms: String,
    /// Who must approve it.
    pub(in crate::portal) approval: Option<String>,
    pub(in crate::portal) token: String,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) reaching: Vec<Reaching>,
    pub(in crate::portal) statement: &'a str,
    pub(in crate::portal) statement_min: usize,
    pub(in crate::portal) statement_hint: String,
    pub(in crate::portal) statement_wrong: Option<String>,
    /// How a ticket looks, where the purpose takes one.
    pub(in crate::portal) ticket_hint: Option<String>,
    pub(in crate::portal) ticket: &'a str,
    pub(in crate::portal) ticket_needed: bool,
    pub(in crate::portal) ticket_wrong: Option<String>,
    pub(in crate::portal) trouble: Vec<String>,
    /// What the button says.
    pub(in crate::portal) send: &'static str,
    pub(in crate::portal) alternative: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}

/// The page on which somebody breaks the glass before anything was refused.
#[derive(Template)]
#[template(path = "emergency.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Urgent<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) token: String,
    pub(in crate::portal) choices: Vec<Glass>,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) statement: &'a str,
    pub(in crate::portal) ticket: &'a str,
    pub(in crate::portal) chosen: &'a str,
    pub(in crate::portal) trouble: Vec<String>,
    pub(in crate::portal) contact: Option<String>,
}
