//! Where are you going, and what does the request do there?
//!
//! Reads `policies/catalog/*.toml` and answers by looking things up; it must never ask the world, never decide whether
//! something is allowed, and never let what a client says about its own request make a reading milder.

mod tree;

use std::collections::BTreeSet;

pub use tree::{CategoryTree, Control, Platform};

use crate::facts::{Activity, Head, Host, Peek, Place, PlatformId, Problem, Reading, SourceText};

/// How much of a body a peek may hold back.
pub const PEEK_LIMIT: usize = 64 * 1024;

/// The services, their hosts, and how their requests are recognised; immutable.
#[derive(Debug, Default)]
pub struct Catalog {
    platforms: std::collections::BTreeMap<PlatformId, Platform>,
    categories: CategoryTree,
    activities: BTreeSet<Activity>,
    label_headers: BTreeSet<String>,
}

impl Catalog {
    /// Reads the files of `catalog/`; reports everything that is wrong with them, not the first thing.
    pub fn parse(_files: &[SourceText]) -> Result<Self, Vec<Problem>> {
        Ok(Self::default())
    }

    /// What the catalogue makes of a host.
    pub fn place(&self, host: &Host) -> Place {
        Place {
            host: host.clone(),
            platform: None,
            categories: BTreeSet::new(),
            roles: BTreeSet::new(),
        }
    }

    /// Whether a look at the body can matter: only where a signature's operation may stand in it.
    pub fn wants_body(&self, _place: &Place, _head: &Head) -> bool {
        false
    }

    /// What a look at the start of the body shows; `complete` says whether `body` is all of it.
    pub fn peek(&self, _place: &Place, _head: &Head, _body: &[u8], _complete: bool) -> Peek {
        Peek::NotTaken
    }

    /// Everything that a request may do; total, and only ever stricter than the request says of itself.
    pub fn read(&self, _place: &Place, head: &Head) -> Reading {
        let activity = match head.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => Activity::new("browse"),
            _ => Activity::unknown_write(),
        };
        Reading {
            activities: [activity.clone()].into(),
            activity,
            signatures: BTreeSet::new(),
        }
    }

    /// The head without what no signature looks at; it reads the same.
    pub fn redact(&self, _place: &Place, head: &Head) -> Head {
        head.clone()
    }

    /// The request headers, lower-case, that must be copied into the hints' labels.
    pub fn label_headers(&self) -> &BTreeSet<String> {
        &self.label_headers
    }

    /// The services, by id.
    pub fn platforms(&self) -> impl Iterator<Item = &Platform> {
        self.platforms.values()
    }

    /// One service.
    pub fn platform(&self, id: &PlatformId) -> Option<&Platform> {
        self.platforms.get(id)
    }

    /// The tree of categories.
    pub fn categories(&self) -> &CategoryTree {
        &self.categories
    }

    /// Every activity that the catalogue can recognise.
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.activities.iter()
    }

    /// The managed names: each stands for itself and everything below it.
    pub fn domains(&self) -> Vec<Host> {
        Vec::new()
    }

    /// The platform that a certificate with these DNS names (wildcards included) also speaks for, if any.
    pub fn carries_managed(&self, _names: &[String]) -> Option<PlatformId> {
        None
    }
}
