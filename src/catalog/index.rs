//! Which signatures can match on a host: put together once, so that a request looks at few.

use std::collections::HashMap;

use super::host::HostPattern;
use super::signature::{Embed, Mark, Signature};
use super::tree::ActivityIndex;
use crate::facts::{Place, PlatformId};

/// The signatures, embeds and marks, findable by host.
#[derive(Debug, Default)]
pub(super) struct Index {
    signatures: Vec<Signature>,
    embeds: Vec<Embed>,
    /// For every host that a signature or embed names exactly: all signatures with a host pattern that fits.
    by_host: HashMap<Box<str>, ByHost>,
    /// Signatures with patterns over hosts, for all other hosts.
    globs: Vec<(HostPattern, usize)>,
    /// Signatures for any host of a platform.
    anywhere: HashMap<PlatformId, Vec<usize>>,
    /// Signatures for any host of any platform.
    general: Vec<usize>,
    marks: HashMap<PlatformId, Vec<Mark>>,
}

#[derive(Debug, Default)]
struct ByHost {
    signatures: Vec<(u8, usize)>,
    embeds: Vec<usize>,
}

/// A signature that can match on a host, and how closely it names the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'c> {
    pub(super) signature: &'c Signature,
    pub(super) host_rank: u8,
}

/// The catalogue holds each signature once.
impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.signature, other.signature) && self.host_rank == other.host_rank
    }
}

impl Eq for Candidate<'_> {}

impl Index {
    pub(super) fn new(signatures: Vec<Signature>, embeds: Vec<Embed>, marks: HashMap<PlatformId, Vec<Mark>>) -> Self {
        let mut index = Self {
            marks,
            ..Self::default()
        };
        for (at, signature) in signatures.iter().enumerate() {
            for pattern in &signature.hosts {
                index.note(at, signature, pattern);
            }
        }
        for (at, embed) in embeds.iter().enumerate() {
            index.by_host.entry(embed.host.clone()).or_default().embeds.push(at);
        }
        let globs = &index.globs;
        index.by_host = std::mem::take(&mut index.by_host)
            .into_iter()
            .map(|(host, mut found)| {
                let fits = globs.iter().filter(|(glob, _)| glob.matches(&host));
                found.signatures.extend(fits.map(|(glob, at)| (glob.rank(), *at)));
                found
                    .signatures
                    .sort_by_key(|(rank, at)| (std::cmp::Reverse(*rank), *at));
                (host, found)
            })
            .collect();
        Self {
            signatures,
            embeds,
            ..index
        }
    }

    /// How many signatures are for one platform alone.
    pub(super) fn signatures_of(&self, id: &PlatformId) -> usize {
        self.signatures
            .iter()
            .filter(|one| one.platform.as_ref() == Some(id))
            .count()
    }

    /// What some signature recognises requests as.
    pub(super) fn activities(&self) -> impl Iterator<Item = ActivityIndex> + '_ {
        self.signatures.iter().map(|one| one.activity)
    }

    fn note(&mut self, at: usize, signature: &Signature, pattern: &HostPattern) {
        match pattern {
            HostPattern::Exact(host) => {
                let found = self.by_host.entry(host.clone()).or_default();
                found.signatures.push((pattern.rank(), at));
            }
            HostPattern::Below(_) | HostPattern::Glob(_) => self.globs.push((pattern.clone(), at)),
            HostPattern::Any => match &signature.platform {
                Some(platform) => self.anywhere.entry(platform.clone()).or_default().push(at),
                None => self.general.push(at),
            },
        }
    }

    /// The signatures that can match on the host of a place.
    pub(super) fn candidates<'c>(&'c self, place: &'c Place) -> impl Iterator<Item = Candidate<'c>> {
        let host = place.host.as_str();
        let known = self.by_host.get(host);
        let listed = known.into_iter().flat_map(|found| found.signatures.iter().copied());
        let globs = if known.is_none() { &*self.globs } else { &[] };
        let fitting = globs
            .iter()
            .filter(move |(glob, _)| glob.matches(host))
            .map(|(glob, at)| (glob.rank(), *at));
        let own = place.platform.as_ref().and_then(|id| self.anywhere.get(id));
        let general = place.platform.as_ref().map(|_| &self.general);
        let any = own.into_iter().chain(general).flatten().map(|at| (1, *at));
        listed.chain(fitting).chain(any).filter_map(|(host_rank, at)| {
            let signature = self.signatures.get(at)?;
            Some(Candidate { signature, host_rank })
        })
    }

    /// The paths on a host that other sites embed.
    pub(super) fn embeds(&self, host: &str) -> impl Iterator<Item = &Embed> {
        let found = self.by_host.get(host).into_iter();
        found
            .flat_map(|found| &found.embeds)
            .filter_map(|at| self.embeds.get(*at))
    }

    /// What shows on the host of a place that a request writes.
    pub(super) fn marks<'c>(&'c self, place: &'c Place) -> impl Iterator<Item = &'c Mark> {
        let of_platform = place.platform.as_ref().and_then(|id| self.marks.get(id));
        let here = |mark: &&Mark| mark.hosts.iter().any(|host| host.matches(place.host.as_str()));
        of_platform.into_iter().flatten().filter(here)
    }
}
