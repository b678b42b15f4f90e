//! The page on which somebody lets somebody else answer for them.

use askama::Template;

use super::counter::Pick;
use crate::portal::delegating::Wanted;
use crate::portal::words::Words;

/// Somebody who answers for somebody else.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Delegation {
    pub(in crate::portal) id: String,
    pub(in crate::portal) who: String,
    pub(in crate::portal) days: String,
    pub(in crate::portal) purposes: String,
    /// The token for taking it back, where it is the reader's to do so.
    pub(in crate::portal) token: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "delegations.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Delegations<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What the person has just done.
    pub(in crate::portal) note: Option<String>,
    /// What is wrong with what they wrote.
    pub(in crate::portal) trouble: Vec<String>,
    /// That none of them counts, where that is so.
    pub(in crate::portal) off: Option<&'static str>,
    /// What somebody else ended lately.
    pub(in crate::portal) revoked: Vec<String>,
    pub(in crate::portal) given: Vec<Delegation>,
    pub(in crate::portal) received: Vec<Delegation>,
    /// None until the person has signed in once more.
    pub(in crate::portal) token: Option<String>,
    pub(in crate::portal) wanted: &'a Wanted,
    pub(in crate::portal) until_hint: String,
    /// The purposes that the person may be asked about.
    pub(in crate::portal) purposes: Vec<Pick>,
    pub(in crate::portal) contact: Option<String>,
}
