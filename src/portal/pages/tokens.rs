//! Pages about tokens for tools.

use askama::Template;

use crate::portal::words::Words;

/// A token on its person's own page.
#[derive(Clone, Debug)]
pub(in crate::portal) struct TokenLine {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) good_for: String,
    pub(in crate::portal) used: String,
    /// The token of its button.
    pub(in crate::portal) revoke: String,
}

/// What a token may be good for, to choose.
#[derive(Clone, Debug)]
pub(in crate::portal) struct ScopeChoice {
    pub(in crate::portal) name: &'static str,
    pub(in crate::portal) says: &'static str,
    pub(in crate::portal) chosen: bool,
}

/// The form with which somebody makes a token.
#[derive(Template)]
#[template(path = "token.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct MakeToken<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) token: String,
    pub(in crate::portal) name: &'a str,
    pub(in crate::portal) longest_name: usize,
    pub(in crate::portal) scopes: Vec<ScopeChoice>,
    pub(in crate::portal) days: &'a str,
    pub(in crate::portal) most_days: u32,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}

/// The page that shows a new token, this once.
#[derive(Template)]
#[template(path = "token_made.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct TokenMade<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) text: &'a str,
    pub(in crate::portal) good_for: String,
}
