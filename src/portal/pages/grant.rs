//! The page of one grant.

use askama::Template;

use super::counter::ToReport;
use crate::portal::words::Words;

/// Something that happened to it.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Step {
    pub(in crate::portal) when: String,
    pub(in crate::portal) what: String,
    /// What somebody wrote of it.
    pub(in crate::portal) note: Option<String>,
    /// Where more of it is, and what that is.
    pub(in crate::portal) link: Option<(String, &'static str)>,
}

/// The page of one grant, for its holder, and for whoever may end it.
#[derive(Template)]
#[template(path = "grant.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct OneGrant<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) title: String,
    /// Who holds it, where that is somebody else.
    pub(in crate::portal) holder: Option<String>,
    pub(in crate::portal) effect: String,
    /// Where it is in its life.
    pub(in crate::portal) life: String,
    pub(in crate::portal) statement: &'a str,
    pub(in crate::portal) ticket: Option<&'a str>,
    pub(in crate::portal) history: Vec<Step>,
    pub(in crate::portal) outcome: Option<ToReport>,
    /// Where it is ended.
    pub(in crate::portal) revoke: Option<String>,
    /// Where the decisions are that it let pass.
    pub(in crate::portal) decisions: Option<String>,
    /// Where everything is that was recorded of it.
    pub(in crate::portal) story: Option<String>,
    pub(in crate::portal) id: &'a str,
    pub(in crate::portal) contact: Option<String>,
}
