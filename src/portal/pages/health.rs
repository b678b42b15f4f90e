//! The page of how the gateway is.

use askama::Template;

use crate::portal::words::Words;

/// One room of the gateway.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Part {
    pub(in crate::portal) name: &'static str,
    pub(in crate::portal) is_well: bool,
    pub(in crate::portal) says: String,
    /// Why it is not, as whoever runs the gateway is told.
    pub(in crate::portal) why: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "health.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Health<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) ready: bool,
    pub(in crate::portal) state: &'static str,
    pub(in crate::portal) problems: Vec<String>,
    pub(in crate::portal) parts: Vec<Part>,
    pub(in crate::portal) contact: Option<String>,
}
