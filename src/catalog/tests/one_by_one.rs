//! What the index finds is what is found by trying everything that is listed, one thing after the other.

use proptest::prelude::*;
use proptest::sample::{Index as Pick, select};

use super::host::HostPattern;
use super::path::{PathGlob, Segments, Spelling};
use super::*;

/// A signature that matches: its id, how closely it names host and path, and whether it matches as the path is written.
type Tried<'c> = (&'c str, u8, (u8, u16), bool);

fn is_on(pattern: &HostPattern, of: Option<&PlatformId>, place: &Place) -> bool {
    match pattern {
        HostPattern::Any => place.platform.is_some() && of.is_none_or(|of| place.platform.as_ref() == Some(of)),
        HostPattern::Exact(_) | HostPattern::Below(_) | HostPattern::Glob(_) => pattern.matches(place.host.as_str()),
    }
}

fn signatures<'c>(place: &Place, path: &Segments<'_>) -> BTreeSet<Tried<'c>> {
    let mut found = BTreeSet::new();
    for signature in &catalog().index.signatures {
        let hosts = signature.hosts.iter();
        for host in hosts.filter(|host| is_on(host, signature.platform.as_ref(), place)) {
            for glob in signature.paths.iter().filter(|glob| glob.matches(path, true)) {
                let as_written = glob.matches(path, false);
                found.insert((signature.id.as_str(), host.rank(), glob.rank(), as_written));
            }
        }
    }
    found
}

/// Whether the index finds the same, and how many signatures that are.
fn agree(host: &str, path: &str) -> usize {
    let place = catalog().place(&Host::parse(host).unwrap());
    let (index, mut count) = (&catalog().index, 0);
    for path in Spelling::of(path).paths().all() {
        let found = index.matching(&place, path);
        let found: BTreeSet<Tried<'_>> = found
            .map(|one| (one.signature.id.as_str(), one.host_rank, one.path_rank, one.as_written))
            .collect();
        assert_eq!(found, signatures(&place, path), "{host} {path:?}");
        count += found.len();

        let embeds = index.embeds(host, path).map(|embed| embed.id.as_str());
        let listed = index.embeds.iter().filter(|embed| *embed.host == *host);
        let listed = listed.filter(|embed| embed.path.matches(path, false));
        assert_eq!(
            embeds.collect::<BTreeSet<_>>(),
            listed.map(|embed| embed.id.as_str()).collect(),
            "{host} {path:?}"
        );
    }
    let secrets = index.secrets.iter().filter(|secret| {
        let mut hosts = secret.hosts.iter();
        hosts.any(|host| is_on(host, Some(&secret.platform), &place))
    });
    let secrets: Vec<&PathGlob> = secrets.map(|secret| &secret.path).collect();
    assert_eq!(index.secrets(&place), secrets, "{host}");
    count
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    host_sets: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    signature: Vec<Row>,
    #[serde(default)]
    embeds: Vec<Row>,
    #[serde(default)]
    secrets: Vec<Row>,
    #[serde(default)]
    domains: Vec<Row>,
}

#[derive(Clone, Deserialize)]
struct Row {
    host: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    path: Option<String>,
    #[serde(default)]
    also_paths: Vec<String>,
}

/// Every pattern over hosts that something is listed for, with each glob over the paths there.
fn listed() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for file in files() {
        let file: Listing = toml::from_str(&file.text).unwrap();
        for row in [file.signature, file.embeds, file.secrets, file.domains].concat() {
            let set = |name: &String| match name.strip_prefix('@') {
                Some(set) => file.host_sets.get(set).cloned().unwrap_or_default(),
                None => vec![name.clone()],
            };
            let hosts: Vec<String> = row.host.iter().chain(&row.hosts).flat_map(set).collect();
            let paths: Vec<&String> = row.path.iter().chain(&row.also_paths).collect();
            for host in hosts {
                all.extend(paths.iter().map(|path| (host.clone(), (*path).clone())));
                all.push((host, "/**".to_owned()));
            }
        }
    }
    all
}

fn plain_host(host: &str) -> String {
    match host {
        "**" => "social.mastodon.example".to_owned(),
        _ => host.trim_start_matches("*.").replace('*', "one"),
    }
}

#[test]
fn every_signature_and_every_sample_is_found_as_one_by_one() {
    let listed = listed();
    assert!(listed.len() > 1000, "{}", listed.len());
    let plain = |path: &str| path.replace("**", "more/of/it").replace('*', "one");
    let found = listed.iter().map(|(host, path)| agree(&plain_host(host), &plain(path)));
    let found: usize = found.sum();
    assert!(found > 1000, "{found}");
    for sample in samples() {
        let request = sample.request();
        assert!(agree(request.host.as_str(), &request.head.path) > 0, "{}", sample.url);
    }
}

/// A listed host, or one below it, and a path that is listed there or elsewhere, or one like it.
fn some_flow() -> impl Strategy<Value = (String, String)> {
    let listed = Arc::new(listed());
    let host = prop_oneof![3 => Just(""), 1 => Just("x."), 1 => Just("one.two.")];
    let disguise = prop_oneof![
        5 => Just(("", "")),
        3 => select(vec![("/", "//"), ("/", "/./"), ("/", "%2F"), ("e", "%65"), ("api", "API"), ("s", ";s")]),
    ];
    let segments = prop::collection::vec("[a-z0-9.%;]{0,4}", 0..3);
    let elsewhere = prop::option::weighted(0.2, any::<Pick>());
    let parts = (
        any::<Pick>(),
        elsewhere,
        host,
        "[a-zA-Z0-9]{1,5}",
        segments,
        disguise,
        any::<[u64; 2]>(),
    );
    parts.prop_map(
        move |(at, elsewhere, beside, star, segments, (plainly, disguised), letters)| {
            let host = &at.get(&listed).0;
            let path = &elsewhere.unwrap_or(at).get(&listed).1;
            let path = path
                .replace("**", &segments.join("/"))
                .replace('*', &star)
                .replace(plainly, disguised);
            // a quarter of the letters of every other path
            let shout = |(at, letter): (usize, char)| {
                let flips = letters.iter().all(|bits| bits >> (at % 63) & 1 == 1) && letters[0] % 2 == 0;
                if flips { letter.to_ascii_uppercase() } else { letter }
            };
            (
                format!("{beside}{}", plain_host(host)),
                path.chars().enumerate().map(shout).collect(),
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn whatever_is_asked_is_found_as_one_by_one((host, path) in some_flow()) {
        agree(&host, &path);
    }
}
