//! Where are you going, and what does the request do there?
//!
//! Reads the files of `policies/catalog/`: one per platform with its domains and signatures, `categories.toml` with
//! the tree, `activities.toml` with every activity by strictness, and `local.toml` for what only this installation
//! knows. Answers by looking things up. It must never ask the world, never decide whether something is allowed, and never
//! let what a client says about its own request make the reading milder.
//!
//! ```text
//! Host ── domains: exact, glob, longest suffix ──> Place { platform, categories, roles }
//!
//! Head ── path (both spellings) ─┐
//!         method, hidden methods ┼─> signatures of the host ──> names, believed or not ──> Reading { all activities }
//!         query, headers, peek ──┘
//! ```
//!
//! **Hosts that cannot be listed.** Signatures for `**` (the fediverse, self-hosted products) hold on hosts that the
//! catalogue places on their platform, and on no others: paths such as `/api/v1/statuses` exist elsewhere, and a guess
//! would let any host claim to be harmless. An installation names its own instances in `catalog/local.toml`:
//! `[[host]] host = "social.corp.example", platform = "mastodon"`.
//!
//! **What remains to doubt.** See `labels.rs` for names that the client chooses.

mod globs;
mod host;
mod index;
mod json;
mod labels;
mod marks;
mod multipart;
mod parse;
mod path;
mod peek;
mod recognise;
mod redact;
mod secrets;
mod segments;
mod shared;
mod signature;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use path::decoded;
pub use peek::{media_type, parameters};
pub use tree::{CategoryTree, Control, Platform};

use crate::facts::{Activity, Category, Head, Host, Partial, Peek, Place, PlatformId, QuickMap, Reading, SourceText};

/// How much of a body a peek may hold back.
pub const PEEK_LIMIT: usize = 64 * 1024;

/// The services, their hosts, and how their requests are recognised; immutable.
#[derive(Debug, Default)]
pub struct Catalog {
    platforms: BTreeMap<PlatformId, Platform>,
    /// The categories of each platform, with everything that they are part of.
    closures: QuickMap<PlatformId, Arc<BTreeSet<Category>>>,
    categories: CategoryTree,
    activities: tree::ActivityTable,
    domains: host::DomainTable,
    shared: shared::SharedHosts,
    index: index::Index,
    label_headers: BTreeSet<String>,
}

impl Catalog {
    /// Reads the files of `catalog/`; reports everything that is wrong with them, not the first thing.
    pub fn parse(files: &[SourceText]) -> Partial<Self> {
        parse::catalog(files)
    }

    /// What the catalogue makes of a host, whatever is asked of it.
    pub fn place(&self, host: &Host) -> Place {
        let domain = self.domains.find(host.as_str());
        let platform = domain.map(|domain| domain.platform.clone());
        let closure = platform.as_ref().and_then(|id| self.closures.get(id));
        let mut categories = closure.cloned().unwrap_or_default();
        self.domains.categories_of(host.as_str(), &mut categories);
        Place {
            host: host.clone(),
            platform,
            categories,
            roles: domain.map(|domain| domain.roles.clone()).unwrap_or_default(),
        }
    }

    /// Whether a look at the body can matter: only where an operation's name, or what contradicts it, may stand in it.
    pub fn wants_body(&self, place: &Place, head: &Head) -> bool {
        self.body_matters(place, head)
    }

    /// What a look at the start of the body shows; `complete` says whether `body` is all of it.
    pub fn peek(&self, place: &Place, head: &Head, body: &[u8], complete: bool) -> Peek {
        self.looked_at(place, head, body, complete)
    }

    /// Everything that a request may do; total, and only ever stricter than the request says of itself.
    ///
    /// Outside the catalogue a safe method is `browse` and any other `unknown-write`.
    pub fn read(&self, place: &Place, head: &Head) -> Reading {
        let path = self.hidden(place, &head.path);
        let spelling = path::Spelling::of(&path);
        recognise::Reader::new(self, place, head, &spelling.paths()).read()
    }

    /// The head without what no signature looks at; it reads the same.
    pub fn redact(&self, place: &Place, head: &Head) -> Head {
        self.without_the_unread(place, head)
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

    /// By how many signatures the requests of a platform are recognised: how well it is known here.
    pub fn signatures_of(&self, id: &PlatformId) -> usize {
        self.index.signatures_of(id)
    }

    /// The tree of categories.
    pub fn categories(&self) -> &CategoryTree {
        &self.categories
    }

    /// Every activity that the catalogue knows, mildest first.
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.activities.iter()
    }

    /// Whether an activity only goes along with others: nobody goes somewhere for it alone.
    pub fn goes_along(&self, activity: &Activity) -> bool {
        self.activities.goes_along(activity)
    }

    /// The activities that some signature recognises.
    pub fn recognised(&self) -> BTreeSet<&Activity> {
        let indices = self.index.activities();
        indices.filter_map(|index| self.activities.activity(index)).collect()
    }

    /// The hosts that signatures name and that are on no platform, where no rule about the platform holds; each with the
    /// platform of the signature.
    pub fn unplaced(&self) -> BTreeSet<(&PlatformId, String)> {
        let is_placed = |written: &str| {
            let host = Host::parse(&written.replace('*', "0"));
            host.is_ok_and(|host| self.place(&host).platform.is_some() || self.is_shared(&host))
        };
        let named = self.index.signatures.iter().filter_map(|signature| {
            let platform = signature.platform.as_ref()?;
            let hosts = signature.hosts.iter().filter_map(host::HostPattern::written);
            Some(hosts.map(move |host| (platform, host)))
        });
        named.flatten().filter(|(_, host)| !is_placed(host)).collect()
    }

    /// A host of each kind that there can be by what is listed: whatever a host is in at once, one of these is.
    pub fn places(&self) -> Vec<Place> {
        let hosts = self.domains.every_kind();
        let hosts = hosts.iter().filter_map(|name| Host::parse(name).ok());
        hosts
            .map(|host| self.place(&host))
            .chain(self.shared_places())
            .collect()
    }

    /// The managed names: each stands for itself and everything below it; none lies below another.
    pub fn domains(&self) -> Vec<Host> {
        let names = self.domains.domains().iter().filter_map(|domain| {
            // `up-*.x.com` stands for something below `x.com`.
            let plain = domain.name.rsplit_once('*').map_or(&*domain.name, |(_, rest)| rest);
            let plain = plain
                .split_once('.')
                .filter(|_| domain.name.contains('*'))
                .map_or(plain, |(_, rest)| rest);
            Host::parse(plain).ok()
        });
        let all: BTreeSet<Host> = names.collect();
        let above = |host: &Host| {
            let mut names = host::suffixes(host.as_str())
                .skip(1)
                .filter_map(|name| Host::parse(name).ok());
            names.any(|name| all.contains(&name))
        };
        all.iter().filter(|host| !above(host)).cloned().collect()
    }

    /// The hosts that a certificate with these DNS names (wildcards included) also speaks for, of those that the
    /// catalogue knows.
    pub fn covered_by(&self, names: &[String]) -> BTreeSet<Host> {
        let mut hosts = BTreeSet::new();
        for name in names {
            self.domains.covered_by(name, &mut hosts);
        }
        hosts
    }

    /// The other platforms of the group of services that a platform belongs to.
    pub fn relatives<'a>(&'a self, id: &'a PlatformId) -> impl Iterator<Item = &'a PlatformId> {
        let own = self.platforms.get(id).map(|platform| &platform.family);
        let all = self.platforms.values();
        let family = all.filter(move |platform| platform.id != *id && own == Some(&platform.family));
        family.map(|platform| &platform.id)
    }

    /// The group of services that a host belongs to.
    fn family_of(&self, host: &Host) -> Option<&str> {
        let domain = self.domains.find(host.as_str())?;
        self.platforms
            .get(&domain.platform)
            .map(|platform| platform.family.as_str())
    }
}
