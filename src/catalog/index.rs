//! What can match on a host, and there on a path: put together once, so that a request looks at few.

use super::globs::GlobTree;
use super::host::{HostGlobs, HostPattern};
use super::marks::Mark;
use super::path::{PathGlob, Segments};
use super::secrets::Secret;
use super::signature::{Embed, Signature};
use super::tree::ActivityIndex;
use crate::facts::{Place, PlatformId, QuickMap};

/// All that is listed by host and path.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) signatures: Vec<Signature>,
    pub(super) embeds: Vec<Embed>,
    pub(super) secrets: Vec<Secret>,
    marks: Vec<Mark>,
    /// For every host that something names exactly: all that is listed for it, by patterns that fit, too.
    named: QuickMap<Box<str>, Listed>,
    /// What is listed for patterns over hosts: for all other hosts.
    globs: HostGlobs<Listed>,
    /// What is listed for any host of a platform.
    anywhere: QuickMap<PlatformId, Listed>,
    /// What is listed for any host of any platform.
    general: Listed,
}

/// What is listed for some hosts, each thing by its number.
#[derive(Debug, Default)]
struct Listed {
    /// Signatures, and how closely each names the hosts.
    signatures: GlobTree<(u8, usize)>,
    embeds: GlobTree<usize>,
    secrets: Vec<usize>,
    marks: GlobTree<usize>,
}

/// A signature that matches host and path, by one of its globs, whatever the case of the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match<'c> {
    pub(super) signature: &'c Signature,
    /// How closely it names the host.
    pub(super) host_rank: u8,
    /// How closely it names the path.
    pub(super) path_rank: (u8, u16),
    /// Whether it matches as the path is written.
    pub(super) as_written: bool,
}

impl Index {
    pub(super) fn new(signatures: Vec<Signature>, embeds: Vec<Embed>, secrets: Vec<Secret>, marks: Vec<Mark>) -> Self {
        let mut index = Self::default();
        let of_signatures = signatures.iter().flat_map(|signature| &signature.hosts);
        let of_secrets = secrets.iter().flat_map(|secret| &secret.hosts);
        let of_marks = marks.iter().flat_map(|mark| &mark.hosts);
        let names = of_signatures.chain(of_secrets).chain(of_marks);
        let names = names.filter_map(HostPattern::name);
        let names = names.chain(embeds.iter().map(|embed| &*embed.host));
        index.named = names.map(|name| (name.into(), Listed::default())).collect();
        for (at, signature) in signatures.iter().enumerate() {
            for host in &signature.hosts {
                index.list(host, signature.platform.as_ref(), |listed| {
                    for path in &signature.paths {
                        listed.signatures.add(path, (host.rank(), at));
                    }
                });
            }
        }
        for (at, secret) in secrets.iter().enumerate() {
            for host in &secret.hosts {
                index.list(host, Some(&secret.platform), |listed| listed.secrets.push(at));
            }
        }
        for (at, mark) in marks.iter().enumerate() {
            for host in &mark.hosts {
                index.list(host, Some(&mark.platform), |listed| {
                    for path in &mark.paths {
                        listed.marks.add(path, at);
                    }
                });
            }
        }
        for (at, embed) in embeds.iter().enumerate() {
            let listed = index.named.entry(embed.host.clone()).or_default();
            listed.embeds.add(&embed.path, at);
        }
        Self {
            signatures,
            embeds,
            secrets,
            marks,
            ..index
        }
    }

    /// Lists something wherever it is looked for on the hosts that a pattern names.
    fn list(&mut self, host: &HostPattern, platform: Option<&PlatformId>, mut add: impl FnMut(&mut Listed)) {
        match (host, platform) {
            (HostPattern::Exact(name), _) => add(self.named.entry(name.clone()).or_default()),
            (HostPattern::Below(_) | HostPattern::Glob(_), _) => {
                add(self.globs.entry(host));
                let named = self.named.iter_mut().filter(|(name, _)| host.matches(name));
                named.for_each(|(_, listed)| add(listed));
            }
            (HostPattern::Any, Some(platform)) => add(self.anywhere.entry(platform.clone()).or_default()),
            (HostPattern::Any, None) => add(&mut self.general),
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

    /// What is listed for the host of a place.
    fn listed<'c>(&'c self, place: &'c Place) -> impl Iterator<Item = &'c Listed> {
        let host = place.host.as_str();
        let named = self.named.get(host);
        let globs = named.is_none().then(|| self.globs.matching(host));
        let platform = place.platform.as_ref();
        let own = platform.and_then(|id| self.anywhere.get(id));
        let general = platform.map(|_| &self.general);
        named
            .into_iter()
            .chain(globs.into_iter().flatten())
            .chain(own)
            .chain(general)
    }

    /// The signatures that match the host of a place and a path there.
    pub(super) fn matching<'c, 'p>(
        &'c self,
        place: &'c Place,
        path: &'p Segments<'p>,
    ) -> impl Iterator<Item = Match<'c>> + use<'c, 'p> {
        let globs = self.listed(place).flat_map(|listed| listed.signatures.matching(path));
        globs.flat_map(move |(glob, signatures)| {
            let (path_rank, as_written) = (glob.rank(), glob.matches(path, false));
            signatures.iter().filter_map(move |(host_rank, at)| {
                Some(Match {
                    signature: self.signatures.get(*at)?,
                    host_rank: *host_rank,
                    path_rank,
                    as_written,
                })
            })
        })
    }

    /// What other sites embed of this path on a host.
    pub(super) fn embeds<'c, 'p>(
        &'c self,
        host: &str,
        path: &'p Segments<'p>,
    ) -> impl Iterator<Item = &'c Embed> + use<'c, 'p> {
        let listed = self.named.get(host).into_iter();
        let globs = listed.flat_map(|listed| listed.embeds.matching(path));
        globs
            .filter(|(glob, _)| glob.matches(path, false))
            .flat_map(|(_, embeds)| embeds)
            .filter_map(|at| self.embeds.get(*at))
    }

    /// The globs that say where credentials stand in paths on the host of a place, in the order of the catalogue.
    pub(super) fn secrets(&self, place: &Place) -> Vec<&PathGlob> {
        let listed = self.listed(place).flat_map(|listed| &listed.secrets);
        let mut numbers: Vec<usize> = listed.copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let secrets = numbers.into_iter().filter_map(|at| self.secrets.get(at));
        secrets.map(|secret| &secret.path).collect()
    }

    /// What shows, at this path on the host of a place, that a request writes; each with the glob that fits.
    pub(super) fn marks<'c, 'p>(
        &'c self,
        place: &'c Place,
        path: &'p Segments<'p>,
    ) -> impl Iterator<Item = (&'c PathGlob, &'c Mark)> + use<'c, 'p> {
        let globs = self.listed(place).flat_map(|listed| listed.marks.matching(path));
        globs.flat_map(move |(glob, marks)| marks.iter().filter_map(move |at| Some((glob, self.marks.get(*at)?))))
    }
}
