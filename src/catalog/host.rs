//! Patterns over hosts, and the table that finds what the catalogue knows of one: exact, then glob, then the longest suffix.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{Category, Host, PlatformId, QuickMap, SiteRole};

/// A pattern over hosts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostPattern {
    /// This host.
    Exact(Box<str>),
    /// Every host below this name, at any depth (`*.x`).
    Below(Box<str>),
    /// Stars inside labels (`upos-*.x`); a star matches within one label.
    Glob(Box<str>),
    /// Any host of the platform (`**`).
    Any,
}

impl HostPattern {
    /// Parses `x`, `*.x`, `a*.x` or `**`; the literal parts must be in normal form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "**" {
            return Some(Self::Any);
        }
        let normal = |name: &str| Host::parse(name).ok().filter(|host| host.as_str() == name);
        if let Some(base) = text.strip_prefix("*.")
            && !base.contains('*')
        {
            return normal(base).map(|host| Self::Below(host.as_str().into()));
        }
        if text.contains('*') {
            let last_two = text.rsplit('.').take(2).all(|label| !label.contains('*'));
            let sound = text.contains('.') && !text.contains("**") && normal(&text.replace('*', "x")).is_some();
            return (last_two && sound).then(|| Self::Glob(text.into()));
        }
        normal(text).map(|host| Self::Exact(host.as_str().into()))
    }

    /// Whether `host`, in normal form, is one of those meant.
    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => **name == *host,
            Self::Below(base) => is_below(host, base),
            Self::Glob(pattern) => glob_labels(pattern, host),
            Self::Any => true,
        }
    }

    /// The one host that it names, if it is one.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Exact(name) => Some(name),
            Self::Below(_) | Self::Glob(_) | Self::Any => None,
        }
    }

    /// As it is written in the catalogue; none for any host of the platform.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::Exact(text) | Self::Glob(text) => Some(text.to_string()),
            Self::Below(base) => Some(format!("*.{base}")),
            Self::Any => None,
        }
    }

    /// Exact over glob over any: the first thing that makes a signature the more specific one.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Exact(_) => 3,
            Self::Below(_) | Self::Glob(_) => 2,
            Self::Any => 1,
        }
    }
}

fn is_below(host: &str, base: &str) -> bool {
    host.strip_suffix(base)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn glob_labels(pattern: &str, host: &str) -> bool {
    // most hosts end otherwise, and nothing needs to be taken apart to see it
    if !host.ends_with(pattern.rsplit('*').next().unwrap_or_default()) {
        return false;
    }
    let (mut wanted, mut labels) = (pattern.split('.'), host.split('.'));
    loop {
        match (wanted.next(), labels.next()) {
            (None, None) => return true,
            (Some(glob), Some(label)) if super::path::glob_text(glob, label) => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

/// Patterns over hosts, each with what is listed for it. A star stands before the last two labels of a name, so that a host
/// is held against those patterns alone that end as it does.
#[derive(Debug, Default)]
pub(super) struct HostGlobs<T>(QuickMap<Box<str>, BTreeMap<HostPattern, T>>);

impl<T: Default> HostGlobs<T> {
    /// What is listed for a pattern.
    pub(super) fn entry(&mut self, pattern: &HostPattern) -> &mut T {
        let text = match pattern {
            HostPattern::Exact(text) | HostPattern::Below(text) | HostPattern::Glob(text) => text,
            HostPattern::Any => "**",
        };
        let end = last_two(text).into();
        self.0.entry(end).or_default().entry(pattern.clone()).or_default()
    }

    /// What is listed for the patterns that match a host.
    pub(super) fn matching(&self, host: &str) -> impl Iterator<Item = &T> {
        let end = last_two(host);
        // a pattern may cover everything below a name of one label
        let last = end.split_once('.').map(|(_, last)| last);
        let patterns = [Some(end), last]
            .into_iter()
            .flatten()
            .filter_map(|end| self.0.get(end));
        let matching = patterns.flatten().filter(move |(pattern, _)| pattern.matches(host));
        matching.map(|(_, listed)| listed)
    }
}

/// The last two labels of a name, or the only one.
fn last_two(name: &str) -> &str {
    let mut dots = name.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'.');
    let start = dots.nth(1).and_then(|(dot, _)| name.get(dot + 1..));
    start.unwrap_or(name)
}

/// How a domain of a platform covers hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    /// The host alone.
    Exact,
    /// By a pattern with stars.
    Glob,
    /// The name and everything below it.
    Suffix,
}

/// A domain of a platform.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) name: Box<str>,
    pub(super) cover: Cover,
    pub(super) platform: PlatformId,
    pub(super) roles: Arc<BTreeSet<SiteRole>>,
}

/// Finds the domain of a host, and the categories that name it.
#[derive(Debug, Default)]
pub(super) struct DomainTable {
    domains: Vec<Domain>,
    exact: QuickMap<Box<str>, usize>,
    suffix: QuickMap<Box<str>, usize>,
    /// The most specific one first.
    globs: Vec<(HostPattern, usize)>,
    /// The same by what they match, each with its place among them.
    glob_places: HostGlobs<Option<usize>>,
    categories: QuickMap<Box<str>, BTreeSet<Category>>,
    /// The first labels of all listed names without stars, by what follows them.
    children: QuickMap<Box<str>, BTreeSet<Box<str>>>,
}

impl DomainTable {
    /// The table of these domains, and of category names with the closure of their category.
    pub(super) fn new(domains: Vec<Domain>, categories: Vec<(Box<str>, BTreeSet<Category>)>) -> Self {
        let mut table = Self::default();
        for (at, domain) in domains.iter().enumerate() {
            match domain.cover {
                Cover::Exact => {
                    table.exact.insert(domain.name.clone(), at);
                }
                Cover::Suffix => {
                    table.suffix.insert(domain.name.clone(), at);
                }
                Cover::Glob => table
                    .globs
                    .extend(HostPattern::parse(&domain.name).map(|glob| (glob, at))),
            }
        }
        // The glob with the most letters is the most specific one.
        let name_length = |at: usize| domains.get(at).map_or(0, |domain| domain.name.len());
        table.globs.sort_by_key(|(_, at)| std::cmp::Reverse(name_length(*at)));
        for (place, (glob, _)) in table.globs.iter().enumerate() {
            table.glob_places.entry(glob).get_or_insert(place);
        }
        for (name, closure) in categories {
            table.categories.entry(name).or_default().extend(closure);
        }
        let names = table
            .exact
            .keys()
            .chain(table.suffix.keys())
            .chain(table.categories.keys());
        for (label, above) in names.filter_map(|name| name.split_once('.')) {
            table.children.entry(above.into()).or_default().insert(label.into());
        }
        table.domains = domains;
        table
    }

    /// The domain that a host belongs to: exact over glob over the longest suffix.
    pub(super) fn find(&self, host: &str) -> Option<&Domain> {
        let glob = || {
            let place = self.glob_places.matching(host).flatten().min()?;
            self.globs.get(*place).map(|(_, at)| at)
        };
        let suffix = || suffixes(host).find_map(|name| self.suffix.get(name));
        let at = self.exact.get(host).or_else(glob).or_else(suffix)?;
        self.domains.get(*at)
    }

    /// The categories that name a host or a name above it. They add up: nothing takes a host out of `sensitive`.
    pub(super) fn categories_of(&self, host: &str, into: &mut Arc<BTreeSet<Category>>) {
        for categories in suffixes(host).filter_map(|name| self.categories.get(name)) {
            Arc::make_mut(into).extend(categories.iter().cloned());
        }
    }

    pub(super) fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// The hosts that a DNS name of a certificate covers and the table knows: for a wildcard (RFC 9525 §6.3: one label)
    /// every name that is listed one label below it, and one that stands for all that are not.
    pub(super) fn covered_by(&self, name: &str, into: &mut BTreeSet<Host>) {
        let mut add = |name: &str| {
            let host = Host::parse(name).ok().filter(|host| self.knows(host.as_str()));
            into.extend(host);
        };
        // A star beside other letters is no wildcard for everybody: taken for one, it can only cover more.
        let Some((_, base)) = name.split_once('.').filter(|(label, _)| label.contains('*')) else {
            return add(name);
        };
        let Ok(base) = Host::parse(base) else { return };
        let base = base.as_str();
        for label in self.children.get(base).into_iter().flatten() {
            add(&format!("{label}.{base}"));
        }
        for (pattern, _) in &self.globs {
            if let HostPattern::Glob(glob) = pattern
                && let Some((label, above)) = glob.split_once('.')
                && glob_labels(above, base)
            {
                add(&format!("{}.{base}", label.replace('*', UNLISTED)));
            }
        }
        add(&format!("{UNLISTED}.{base}"));
    }

    /// The listed names, and names below and beside them that are not listed: every host is found by the names above it
    /// and by the stars that match it, and so is one of these.
    pub(super) fn every_kind(&self) -> BTreeSet<String> {
        let names = self
            .exact
            .keys()
            .chain(self.suffix.keys())
            .chain(self.categories.keys());
        let named: BTreeSet<&str> = self.categories.keys().map(AsRef::as_ref).collect();
        let mut found = BTreeSet::new();
        for name in names {
            found.extend([name.to_string(), format!("0.{name}"), format!("0.0.{name}")]);
        }
        for (pattern, _) in &self.globs {
            let glob = match pattern {
                HostPattern::Glob(glob) => glob,
                HostPattern::Below(base) => {
                    found.extend([format!("{UNLISTED}.{base}"), format!("{UNLISTED}.{UNLISTED}.{base}")]);
                    continue;
                }
                HostPattern::Exact(_) | HostPattern::Any => continue,
            };
            found.extend([UNLISTED, "x"].map(|star| glob.replace('*', star)));
            // a category may name what stars stand for
            for name in &named {
                let labels: Vec<&str> = glob.split('.').collect();
                let Some(free) = labels.len().checked_sub(name.split('.').count()) else {
                    continue;
                };
                let (head, tail) = labels.split_at(free);
                if glob_labels(&tail.join("."), name) {
                    let head = head.iter().map(|label| label.replace('*', UNLISTED));
                    found.insert(head.chain([name.to_string()]).collect::<Vec<_>>().join("."));
                }
            }
        }
        found
    }

    fn knows(&self, host: &str) -> bool {
        self.find(host).is_some() || suffixes(host).any(|name| self.categories.contains_key(name))
    }
}

/// Stands for a label that nobody lists.
const UNLISTED: &str = "0";

/// The name and the names above it, longest first.
pub(super) fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |name| {
        let dot = name.bytes().position(|byte| byte == b'.')?;
        name.get(dot + 1..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str, cover: Cover, platform: &str) -> Domain {
        Domain {
            name: name.into(),
            cover,
            platform: PlatformId::new(platform),
            roles: Arc::default(),
        }
    }

    fn table() -> DomainTable {
        DomainTable::new(
            vec![
                domain("a.example", Cover::Suffix, "suffix"),
                domain("deep.a.example", Cover::Suffix, "deep"),
                domain("one.deep.a.example", Cover::Exact, "exact"),
                domain("up-*.a.example", Cover::Glob, "glob"),
            ],
            vec![("bank.a.example".into(), [Category::new("banking")].into())],
        )
    }

    #[test]
    fn the_exact_host_wins_over_the_glob_and_the_glob_over_the_longest_suffix() {
        for (host, platform) in [
            ("a.example", Some("suffix")),
            ("x.y.a.example", Some("suffix")),
            ("deep.a.example", Some("deep")),
            ("two.deep.a.example", Some("deep")),
            ("one.deep.a.example", Some("exact")),
            ("x.one.deep.a.example", Some("deep")),
            ("up-1.a.example", Some("glob")),
            ("x.up-1.a.example", Some("suffix")),
            ("aa.example", None),
            ("example", None),
        ] {
            let found = table().find(host).map(|domain| domain.platform.as_str().to_owned());
            assert_eq!(found.as_deref(), platform, "{host}");
        }
    }

    #[test]
    fn a_category_of_a_name_holds_for_everything_below_it_and_beside_a_platform() {
        let mut categories = Arc::default();
        table().categories_of("login.bank.a.example", &mut categories);
        assert_eq!(*categories, [Category::new("banking")].into());
        assert!(table().find("login.bank.a.example").is_some());
    }

    proptest::proptest! {
        #[test]
        fn patterns_are_found_by_their_end_as_one_by_one(
            patterns in proptest::collection::vec("(\\*\\.|a\\*\\.|\\*b\\.)?([ab]\\.){0,2}[ab]", 0..20),
            host in "([ab]{1,2}\\.){0,4}[ab]",
        ) {
            let patterns: BTreeSet<HostPattern> = patterns.iter().filter_map(|text| HostPattern::parse(text)).collect();
            let mut globs = HostGlobs::<Option<&HostPattern>>::default();
            for pattern in &patterns {
                *globs.entry(pattern) = Some(pattern);
            }
            let found: Vec<&HostPattern> = globs.matching(&host).copied().flatten().collect();
            let matching: Vec<&HostPattern> = patterns.iter().filter(|pattern| pattern.matches(&host)).collect();
            proptest::prop_assert_eq!(found.len(), matching.len());
            proptest::prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), matching.into_iter().collect());
        }
    }

    #[test]
    fn host_patterns_match_by_label() {
        for (pattern, host, matches) in [
            ("x.com", "x.com", true),
            ("x.com", "ax.com", false),
            ("*.x.com", "a.x.com", true),
            ("*.x.com", "a.b.x.com", true),
            ("*.x.com", "x.com", false),
            ("*.x.com", "ax.com", false),
            ("up-*.x.com", "up-1.x.com", true),
            ("up-*.x.com", "up-1.b.x.com", false),
            ("**", "anything.example", true),
        ] {
            assert_eq!(
                HostPattern::parse(pattern).unwrap().matches(host),
                matches,
                "{pattern} {host}"
            );
        }
        for bad in ["", "*", "*.*", "X.com", "a.*", "*.com*", "a b.com", "http://x.com"] {
            assert_eq!(HostPattern::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn there_is_a_host_of_each_kind() {
        let mut table = table();
        table
            .categories
            .insert("up-7.a.example".into(), [Category::new("health")].into());
        let below = vec![domain("*.cdn.b.example", Cover::Glob, "below")];
        let above = vec![("b.example".into(), [Category::new("health")].into())];
        let others = DomainTable::new(below, above);
        let kinds = |table: &DomainTable| {
            let mut kinds = BTreeSet::new();
            for host in table.every_kind() {
                let mut categories = Arc::default();
                table.categories_of(&host, &mut categories);
                let platform = table.find(&host).map(|domain| domain.platform.to_string());
                let categories: Vec<String> = categories.iter().map(|one| one.as_str().to_owned()).collect();
                kinds.insert(format!("{} {}", platform.unwrap_or_default(), categories.join(" ")));
            }
            kinds.into_iter().collect::<Vec<String>>()
        };
        assert_eq!(kinds(&others), [" health", "below health"]);
        assert_eq!(
            kinds(&table),
            [
                "deep ",
                "exact ",
                "glob ",
                "glob health",
                "suffix ",
                "suffix banking",
                "suffix health"
            ]
        );
    }

    #[test]
    fn a_wildcard_covers_every_listed_name_one_label_below_it_and_those_that_are_not_listed() {
        for (name, hosts) in [
            (
                "*.a.example",
                vec!["0.a.example", "bank.a.example", "deep.a.example", "up-0.a.example"],
            ),
            (
                "up-*.a.example",
                vec!["0.a.example", "bank.a.example", "deep.a.example", "up-0.a.example"],
            ),
            ("*.example", vec!["a.example"]),
            ("*.deep.a.example", vec!["0.deep.a.example", "one.deep.a.example"]),
            ("a.example", vec!["a.example"]),
            ("www.bank.a.example", vec!["www.bank.a.example"]),
            ("*.b.example", vec![]),
            ("b.example", vec![]),
            ("*.", vec![]),
            ("*", vec![]),
        ] {
            let mut covered = BTreeSet::new();
            table().covered_by(name, &mut covered);
            let covered: Vec<&str> = covered.iter().map(Host::as_str).collect();
            assert_eq!(covered, hosts, "{name}");
        }
    }
}
