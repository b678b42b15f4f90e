//! The pages on which somebody states a purpose: where something was refused, and where nothing was yet.

use askama::Template;

use super::counter::{BreakGlass, Glass, Pick, Proceed};
use super::refusal::Lines;
use crate::portal::words::Words;

/// A purpose that can be chosen.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Choice {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) description: String,
    /// None where it is said of all of them at once.
    pub(in crate::portal) effect: Option<String>,
    pub(in crate::portal) ticket: Option<String>,
    /// Who must approve it, and how long it waits for that.
    pub(in crate::portal) approval: Option<String>,
    pub(in crate::portal) chosen: bool,
    /// How far it can go; one is no choice, and is sent as it is shown.
    pub(in crate::portal) reaching: Vec<Reaching>,
    /// The other platforms on which it would open something.
    pub(in crate::portal) also: Places,
}

/// The platforms of a purpose, to be chosen among.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Places {
    /// All of them at once, where there are many.
    pub(in crate::portal) all: Option<All>,
    /// Those that nobody has to look for.
    pub(in crate::portal) near: Vec<Spot>,
    /// The others, by their kind.
    pub(in crate::portal) kinds: Vec<Kind>,
}

impl Places {
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.near.is_empty() && self.kinds.is_empty()
    }

    /// Whether anything is ticked.
    fn is_chosen(&self) -> bool {
        self.all.as_ref().is_some_and(|all| all.chosen) || self.near.iter().any(|spot| spot.chosen)
    }
}

/// All of the platforms, as one choice.
#[derive(Clone, Debug)]
pub(in crate::portal) struct All {
    pub(in crate::portal) name: String,
    pub(in crate::portal) label: String,
    pub(in crate::portal) chosen: bool,
}

/// Platforms of one kind.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Kind {
    pub(in crate::portal) title: String,
    pub(in crate::portal) spots: Vec<Spot>,
}

/// One platform that can be chosen.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Spot {
    /// What a form calls it.
    pub(in crate::portal) name: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) chosen: bool,
}

/// How far a purpose can go.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Reaching {
    pub(in crate::portal) value: String,
    pub(in crate::portal) label: String,
    pub(in crate::portal) chosen: bool,
}

/// What has ended and can be had once more.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Once {
    pub(in crate::portal) id: String,
    pub(in crate::portal) what: String,
    pub(in crate::portal) button: &'static str,
    pub(in crate::portal) token: String,
}

/// The page on which somebody states a purpose, or continues without one.
#[derive(Template)]
#[template(path = "declare.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Declare<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) told: &'a Lines,
    pub(in crate::portal) token: String,
    /// What each purpose would open, where it is the same.
    pub(in crate::portal) common: Option<String>,
    pub(in crate::portal) choices: Vec<Choice>,
    /// Those that need an approval, where others do without; and what the line says that hides them.
    pub(in crate::portal) folded: Vec<Choice>,
    pub(in crate::portal) folded_title: String,
    pub(in crate::portal) folded_open: bool,
    /// What ended not long ago, and would help again.
    pub(in crate::portal) again: Option<Once>,
    /// What the button says.
    pub(in crate::portal) send: &'static str,
    /// What was asked for already and waits.
    pub(in crate::portal) waiting: Vec<String>,
    pub(in crate::portal) statement: &'a str,
    pub(in crate::portal) statement_min: usize,
    pub(in crate::portal) statement_hint: String,
    pub(in crate::portal) statement_wrong: Option<String>,
    pub(in crate::portal) ticket: &'a str,
    pub(in crate::portal) ticket_hint: Option<String>,
    pub(in crate::portal) ticket_wrong: Option<String>,
    pub(in crate::portal) trouble: Vec<String>,
    /// Of the purposes that would help and that nobody can approve now: that, and whom to turn to.
    pub(in crate::portal) vain: Vec<String>,
    pub(in crate::portal) glass: Option<BreakGlass>,
    pub(in crate::portal) proceed: Option<Proceed>,
    pub(in crate::portal) contact: Option<String>,
}

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
    pub(in crate::portal) basis: &'a str,
    pub(in crate::portal) retention: &'a str,
    pub(in crate::portal) token: String,
    pub(in crate::portal) places: Places,
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
