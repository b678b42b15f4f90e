//! What a request may do: everything that host, method, path and operation allow it to be.
//!
//! The order in which signatures are tried is that of the facts: exact host over `*.x` over `**`, a matching operation,
//! the more literal path, and last the fallbacks. Whatever remains in doubt is added, never left out: two names, two
//! ways to spell the path, a method in disguise. How far a *name* is believed stands in [`super::labels`].

use std::cell::OnceCell;
use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::Catalog;
use super::index::Match;
use super::marks::Mark;
use super::path::{Paths, Segments, Spelling};
use super::peek::reads_as;
use super::signature::{Method, Reads, Signature};
use super::tree::{ActivityIndex, Kind};
use crate::facts::{Head, Opaque, Peek, Place, Reading, SignatureId, SiteRole};

/// Request headers in which a method can hide, known from Google, Microsoft and IBM interfaces.
/// Servers that hand fields on as variables (CGI, WSGI, Rack) tell no `_` from a `-` in their names.
pub(super) const OVERRIDE_HEADERS: [&str; 16] = [
    "x-http-method-override",
    "x-http-method_override",
    "x-http_method-override",
    "x-http_method_override",
    "x_http-method-override",
    "x_http-method_override",
    "x_http_method-override",
    "x_http_method_override",
    "x-method-override",
    "x-method_override",
    "x_method-override",
    "x_method_override",
    "x-http-method",
    "x-http_method",
    "x_http-method",
    "x_http_method",
];

/// Query parameters in which a method can hide: Rails, the Graph API, Google interfaces.
const OVERRIDE_PARAMETERS: [&str; 5] = [
    "_method",
    "method",
    "$httpmethod",
    "x-http-method-override",
    "http_method",
];

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    activities: u64,
    signatures: BTreeSet<SignatureId>,
}

/// One request being read.
pub(super) struct Reader<'c, 'p> {
    pub(super) catalog: &'c Catalog,
    pub(super) place: &'c Place,
    pub(super) head: &'c Head,
    pub(super) paths: &'p Paths<'p>,
    /// The methods that hide in it, once somebody asked.
    hidden: OnceCell<Methods>,
    /// Whether the query shows that it writes, once somebody asked.
    pub(super) query_shows: OnceCell<bool>,
    found: Found,
}

/// A few methods: hardly any request hides one.
type Methods = SmallVec<[Method; 2]>;

impl<'c, 'p> Reader<'c, 'p> {
    /// Reads `head`, whose path is to be understood as `paths`.
    pub(super) fn new(catalog: &'c Catalog, place: &'c Place, head: &'c Head, paths: &'p Paths<'p>) -> Self {
        Self {
            catalog,
            place,
            head,
            paths,
            hidden: OnceCell::new(),
            query_shows: OnceCell::new(),
            found: Found::default(),
        }
    }

    pub(super) fn read(mut self) -> Reading {
        let common = self.catalog.activities.common;
        let method = Method::of(&self.head.method);
        let paths = self.paths;
        let is_embed = !paths.is_ambiguous() && self.embed(&paths.plain);
        if !is_embed {
            for path in paths.all() {
                if self.head.hints.websocket {
                    self.socket(path);
                }
                if !self.head.hints.websocket || method != Method::Get && self.head.method != "CONNECT" {
                    self.request(method, path);
                }
                for hidden in self.hidden().clone() {
                    self.request(hidden, path);
                }
            }
        }
        let writes = self.effective_methods().any(|method| !method.is_safe());
        let doubtful = paths.is_ambiguous() && (writes || self.head.hints.websocket)
            // A safe method has no use for content (RFC 9110 §9.3.1); servers differ in what they make of it.
            || method.is_safe() && self.head.hints.has_body
            || matches!(self.head.peek, Peek::Opaque(_));
        if doubtful || self.found.activities == 0 {
            self.add(common.unknown_write);
        }
        self.found.into_reading(self.catalog)
    }

    /// The request's method, and those that hide in it.
    pub(super) fn effective_methods(&self) -> impl Iterator<Item = Method> {
        std::iter::once(Method::of(&self.head.method)).chain(self.hidden().iter().copied())
    }

    fn hidden(&self) -> &Methods {
        self.hidden.get_or_init(|| overrides(self.head).collect())
    }

    /// A GET or HEAD for a listed embed path, that nothing shows to be a visit.
    fn embed(&mut self, path: &Segments<'_>) -> bool {
        let (hints, place) = (&self.head.hints, self.place);
        let plain = Method::of(&self.head.method) == Method::Get
            && !hints.websocket
            && !hints.has_body
            && self.hidden().is_empty();
        if !plain {
            return false;
        }
        let listed: Vec<_> = self.catalog.index.embeds(place.host.as_str(), path).collect();
        // INVARIANT: of several that fit, the strictest counts, in whatever order the catalogue lists them.
        if listed.is_empty() || listed.iter().any(|embed| self.is_visited(embed.shows_nothing(path))) {
            return false;
        }
        self.add(self.catalog.activities.common.embed);
        self.found
            .signatures
            .extend(listed.iter().map(|embed| embed.id.clone()));
        true
    }

    /// Whether the metadata says that the employee opened an embed path like a page, or the platform itself used it.
    fn is_visited(&self, shows_nothing: bool) -> bool {
        const FRAMES: [&str; 5] = ["iframe", "frame", "embed", "object", "fencedframe"];
        const PARTS: [&str; 8] = ["script", "image", "style", "font", "empty", "audio", "video", "track"];
        const MODES: [&str; 3] = ["cors", "no-cors", "same-origin"];
        let hints = &self.head.hints;
        let among = |list: &[&str], dest: &str| list.iter().any(|name| name.eq_ignore_ascii_case(dest));
        let by_metadata = match hints.fetch_dest.as_deref() {
            Some(dest) => !among(&FRAMES, dest) && !among(&PARTS, dest),
            // Old browsers, apps and tools say nothing.
            None => !shows_nothing || hints.fetch_mode.as_deref().is_some_and(|mode| !among(&MODES, mode)),
        };
        by_metadata || self.comes_from_the_family()
    }

    /// Whether `Origin` or `Referer` name the platform's own family, other than a page that is itself embedded; or
    /// could, because nobody can say what they name.
    fn comes_from_the_family(&self) -> bool {
        let family = |host| self.catalog.family_of(host);
        let Some(own) = family(&self.place.host) else {
            return false;
        };
        let hints = &self.head.hints;
        if hints.page_unclear {
            return true;
        }
        match &hints.referer {
            Some(referer) => {
                let spelling = Spelling::of(&referer.path);
                let path = Segments::of(&spelling.plain);
                let mut embeds = self.catalog.index.embeds(referer.host.as_str(), &path);
                let is_embedded = !spelling.is_ambiguous() && embeds.next().is_some();
                family(&referer.host) == Some(own) && !is_embedded
            }
            None => hints.origin.as_ref().and_then(family) == Some(own),
        }
    }

    /// A WebSocket handshake: the strictest that the socket can carry.
    fn socket(&mut self, path: &Segments<'_>) {
        let before = self.found.activities;
        for found in self.catalog.index.matching(self.place, path) {
            let signature = found.signature;
            let fits = signature.socket && found.as_written;
            let only_reads = self.kind(signature.activity) != Kind::Write;
            if fits && (!only_reads || signature.reads == Reads::Endpoint) {
                self.add_signature(signature);
            }
        }
        if self.found.activities == before {
            self.add(self.catalog.activities.common.unknown_write);
        }
    }

    /// The request read as if it had this method.
    fn request(&mut self, method: Method, path: &Segments<'_>) {
        if method == Method::Options {
            // A preflight asks and does nothing; who may not look has no use for it.
            self.add(self.catalog.activities.common.browse);
            return;
        }
        // Some servers ignore the case of paths: what the path is to them counts as well.
        let folded: Vec<Match<'c>> = self.matches(method, path).collect();
        let exact: Vec<Match<'c>> = folded.iter().filter(|found| found.as_written).copied().collect();
        self.judge_names(method, &exact);
        if exact.len() < folded.len() {
            self.judge_names(method, &folded);
        }
        self.judge_other_segments(method, path);
    }

    /// On a path with marks the name may be another segment than that which signatures look at: the one that stands for the
    /// stored operation.
    fn judge_other_segments(&mut self, method: Method, path: &Segments<'_>) {
        let found = self.found.activities;
        let marks = || self.catalog.index.marks(self.place, path);
        if ActivityIndex::members(found).any(|activity| self.kind(activity) == Kind::Write) || marks().next().is_none()
        {
            return;
        }
        let Some(last) = path.as_slice().len().checked_sub(1) else {
            return;
        };
        let others: BTreeSet<usize> = marks()
            .flat_map(|(glob, _)| glob.names())
            .filter(|at| *at < last)
            .collect();
        for at in others {
            let mut segments = path.as_slice().to_vec();
            segments.swap(at, last);
            let named = Segments::among(&segments);
            let writes = |found: &Match<'c>| {
                let own = found.signature.paths.iter().any(|glob| glob.matches(path, true));
                !own && found.signature.operation.is_none() && self.kind(found.signature.activity) == Kind::Write
            };
            let found: Vec<Match<'c>> = self.matches(method, &named).filter(writes).collect();
            for one in found {
                self.add_signature(one.signature);
            }
        }
    }

    /// The signatures that match, whatever the case of the path.
    fn matches(&self, method: Method, path: &Segments<'_>) -> impl Iterator<Item = Match<'c>> {
        let fits = move |found: &Match<'c>| {
            let signature = found.signature;
            // A named write is believed under any method: some servers take writes as GET.
            let named_write = signature.operation.is_some() && self.kind(signature.activity) == Kind::Write;
            !signature.socket && (signature.methods.contains(method) || method == Method::Get && named_write)
        };
        self.catalog.index.matching(self.place, path).filter(fits)
    }

    /// What a request is that no signature recognises.
    pub(super) fn add_default(&mut self, method: Method) {
        let common = self.catalog.activities.common;
        let roles = &self.place.roles;
        let beacon = is_beacon(self.place);
        let activity = match method {
            Method::Get if beacon && !self.is_visited(true) => {
                if roles.contains(&SiteRole::Pixel) {
                    common.embed
                } else {
                    common.telemetry
                }
            }
            Method::Get if serves_media(roles) => common.view_media,
            Method::Get | Method::Options => common.browse,
            Method::Post if beacon => common.telemetry,
            Method::Post | Method::Put | Method::Patch | Method::Delete | Method::Other => common.unknown_write,
        };
        self.add(activity);
    }

    pub(super) fn kind(&self, activity: ActivityIndex) -> Kind {
        self.catalog.activities.kind(activity)
    }

    pub(super) fn add(&mut self, activity: ActivityIndex) {
        self.found.activities |= activity.bit();
    }

    pub(super) fn add_signature(&mut self, signature: &Signature) {
        self.add(signature.activity);
        self.found.signatures.insert(signature.id.clone());
    }

    /// The signatures whose path matches in any spelling, whatever the method: a superset of those that are tried.
    pub(super) fn in_reach(&self) -> impl Iterator<Item = &'c Signature> {
        let matching = |path| self.catalog.index.matching(self.place, path);
        self.paths.all().flat_map(matching).map(|found| found.signature)
    }

    /// What would show that the request writes.
    pub(super) fn marks(&self) -> impl Iterator<Item = &'c Mark> {
        let at = |path| self.catalog.index.marks(self.place, path);
        self.paths.all().flat_map(at).map(|(_, mark)| mark)
    }

    /// Whether the body was there but could not be looked at.
    pub(super) fn body_is_hidden(&self) -> bool {
        let hints = &self.head.hints;
        match &self.head.peek {
            Peek::NotTaken => hints.has_body,
            Peek::Operations(_) => hints.has_body && hints.content_encoding.is_some(),
            Peek::Opaque(Opaque::TooLong | Opaque::Encoded | Opaque::Undecodable | Opaque::Ambiguous) => true,
        }
    }
}

/// Whether a host takes beacons and logs, and nothing else.
pub(super) fn is_beacon(place: &Place) -> bool {
    let fits = |role: &SiteRole| matches!(role, SiteRole::Pixel | SiteRole::Telemetry);
    !place.roles.is_empty() && place.roles.iter().all(fits)
}

/// Whether a host serves pictures, video and assets, and nothing that people open as a page.
fn serves_media(roles: &BTreeSet<SiteRole>) -> bool {
    let fits = |role: &SiteRole| {
        matches!(
            role,
            SiteRole::Media | SiteRole::Cdn | SiteRole::Upload | SiteRole::E2ee
        )
    };
    let serves = roles.contains(&SiteRole::Media) || roles.contains(&SiteRole::Cdn);
    serves && roles.iter().all(fits)
}

/// The methods that hide in headers, parameters and what a peek found. One that only reads loosens nothing and is not
/// listed.
pub(super) fn overrides(head: &Head) -> impl Iterator<Item = Method> + use<'_> {
    let headers = head
        .hints
        .labels
        .iter()
        .filter(|(name, _)| OVERRIDE_HEADERS.contains(&name.as_str()));
    let stated = headers.map(|(_, value)| Method::of_override(value));
    let operations = match &head.peek {
        Peek::Operations(operations) => operations.as_slice(),
        Peek::NotTaken | Peek::Opaque(_) => &[],
    };
    let pairs = head.query.iter().chain(operations.iter().flatten());
    let hidden = pairs.filter_map(|(key, value)| overriding(key, value));
    let hidden = hidden.map(|(_, method)| method);
    stated.filter(|method| !method.is_safe()).chain(hidden)
}

/// The writing method that a query parameter, form field or JSON member states, and the name of such parameters that it is
/// read as.
pub(super) fn overriding(key: &str, value: &str) -> Option<(&'static str, Method)> {
    let name = OVERRIDE_PARAMETERS.into_iter().find(|name| reads_as(key, name))?;
    let method = Method::of_override(value);
    // `method` is a name that others use for other things, so that only the methods we know count.
    (!method.is_safe() && method != Method::Other).then_some((name, method))
}

impl Found {
    fn into_reading(self, catalog: &Catalog) -> Reading {
        let table = &catalog.activities;
        let members = || ActivityIndex::members(self.activities).filter_map(|index| table.activity(index));
        Reading {
            activity: members()
                .last()
                .cloned()
                .unwrap_or_else(crate::facts::Activity::unknown_write),
            activities: members().cloned().collect(),
            signatures: self.signatures,
        }
    }
}
