//! The page of what the gateway reads, keeps and shows of people.

use askama::Template;

use crate::portal::words::Words;

/// A kind of site, and whether it is read.
#[derive(Clone, Debug)]
pub(in crate::portal) struct KindLine {
    pub(in crate::portal) title: String,
    /// Its platforms, where it has some.
    pub(in crate::portal) platforms: String,
    pub(in crate::portal) reads: String,
    pub(in crate::portal) why: String,
}

/// Something that is kept.
#[derive(Clone, Debug)]
pub(in crate::portal) struct KeptLine {
    pub(in crate::portal) what: &'static str,
    pub(in crate::portal) holds: &'static str,
    pub(in crate::portal) how_long: &'static str,
    pub(in crate::portal) who: String,
}

/// A purpose: on what ground personal data is processed for it, and what is to be kept of that.
#[derive(Clone, Debug)]
pub(in crate::portal) struct GroundLine {
    pub(in crate::portal) title: String,
    pub(in crate::portal) basis: String,
    pub(in crate::portal) retention: String,
}

/// Something that must hold.
#[derive(Clone, Debug)]
pub(in crate::portal) struct PromiseLine {
    pub(in crate::portal) sentence: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) result: &'static str,
    pub(in crate::portal) is_proved: bool,
}

/// What was proved: a note, and what must hold by what it is about.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Proved {
    pub(in crate::portal) note: String,
    pub(in crate::portal) is_good: bool,
    pub(in crate::portal) parts: Vec<(&'static str, &'static str, Vec<PromiseLine>)>,
}

/// The page.
#[derive(Template)]
#[template(path = "privacy.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct PrivacyPage<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) mode: Option<&'static str>,
    pub(in crate::portal) read: Vec<KindLine>,
    pub(in crate::portal) unread: Vec<KindLine>,
    pub(in crate::portal) kept: Vec<KeptLine>,
    pub(in crate::portal) grounds: Vec<GroundLine>,
    pub(in crate::portal) proved: Proved,
    pub(in crate::portal) rulebook: String,
    pub(in crate::portal) contact: Option<String>,
}
