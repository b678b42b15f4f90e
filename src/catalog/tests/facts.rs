//! The catalogue holds all that the facts say, and every signature of it is recognised by a request that fits it.

use super::*;

#[derive(Deserialize)]
struct Facts {
    domains: BTreeMap<String, Vec<String>>,
    signatures: BTreeMap<String, String>,
    embeds: BTreeMap<String, Vec<String>>,
}

/// Where the catalogue says otherwise, and why.
const DIFFERENT: &[(&str, Option<&str>, &str)] = &[
    ("facebook.embed.pixel", None, "an embed"),
    ("facebook.embed.plugin", None, "an embed"),
    ("youtube.embed.player", None, "an embed"),
    ("signal.connect", None, "control = connect: nothing of it can be read"),
    ("kakao.native", None, "control = connect: nothing of it can be read"),
    ("zoom.client.chat", None, "control = connect: nothing of it can be read"),
    ("generic.websocket", None, "a socket that nobody named may write"),
    (
        "x.web.xchat-socket",
        Some("message"),
        "the strictest that a socket can carry",
    ),
    (
        "facebook.web.lsplatformgraphqllightspeedrequestquery",
        Some("message"),
        "it can also send",
    ),
    (
        "instagram.web.dm-socket",
        Some("message"),
        "the strictest that a socket can carry",
    ),
    ("slack.socket", Some("message"), "the strictest that a socket can carry"),
    (
        "reddit.web.graphql-other",
        Some("unknown-write"),
        "an operation that nobody named may write",
    ),
    (
        "facebook.web.graphql-bulk",
        Some("unknown-write"),
        "an operation that nobody named may write",
    ),
    (
        "twitch.web.gql",
        Some("unknown-write"),
        "an operation that nobody named may write",
    ),
    (
        "nextdoor.web.graphql",
        Some("unknown-write"),
        "an operation that nobody named may write",
    ),
];

/// Hosts that belong to somebody else.
const ELSEWHERE: &[(&str, &str)] = &[
    ("youtube", "accounts.google.com"),
    ("hcl-connections", "connections.example.com"),
];

fn facts() -> Facts {
    toml::from_str(include_str!("../../../tests/fixtures/social-facts.toml")).unwrap()
}

#[test]
fn every_host_of_the_facts_is_placed_with_its_platform_and_roles() {
    let mut wrong = Vec::new();
    for (platform, hosts) in facts().domains {
        for line in hosts {
            let mut words = line.split(' ');
            let (host, kind) = (words.next().unwrap(), words.next().unwrap());
            if ELSEWHERE.contains(&(platform.as_str(), host)) {
                continue;
            }
            let example = match kind {
                "glob" => host.replace('*', "sub"),
                "suffix" | "exact" => host.to_owned(),
                other => panic!("{other}"),
            };
            let roles: Vec<&str> = words.collect();
            let place = CATALOG.place(&Host::parse(&example).unwrap());
            let serves: Vec<String> = place
                .roles
                .iter()
                .map(|role| serde_json::to_value(role).unwrap().as_str().unwrap().to_owned())
                .collect();
            let known = place.platform.as_ref().is_some_and(|known| known.as_str() == platform);
            if !known || !roles.iter().all(|role| serves.iter().any(|has| has == role)) {
                wrong.push(format!(
                    "{example}: {:?} {serves:?}, the facts say {platform} {roles:?}",
                    place.platform
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn everything_that_other_sites_embed_is_told_apart_from_a_visit() {
    let mut wrong = Vec::new();
    for (platform, embeds) in facts().embeds {
        for line in embeds {
            let words: Vec<&str> = line.split(' ').collect();
            let [host, path, kind] = words[..] else {
                panic!("{line}")
            };
            let url = format!(
                "https://{}{}",
                host.replace('*', "sub"),
                path.replace("**", "one").replace('*', "two")
            );
            let dest = match kind {
                "pixel" => "image",
                "sdk" => "script",
                "oembed" => "empty",
                _ => "iframe",
            };
            let fetched = |dest: &str, mode: &str| {
                let asked = request("GET", &url).with(|hints| {
                    hints.fetch_site = Some("cross-site".to_owned());
                    hints.fetch_mode = Some(mode.to_owned());
                    hints.fetch_dest = Some(dest.to_owned());
                });
                asked.read().activity.as_str().to_owned()
            };
            let place = CATALOG.place(&Host::parse(&host.replace('*', "sub")).unwrap());
            let known = place.platform.as_ref().is_some_and(|known| known.as_str() == platform);
            let (embedded, visited) = (fetched(dest, "no-cors"), fetched("document", "navigate"));
            if !known || embedded != "embed" || visited == "embed" {
                wrong.push(format!("{platform}: {line}: {embedded}, and visited {visited}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One signature as its file has it.
#[derive(Deserialize)]
struct Written {
    id: String,
    activity: String,
    methods: Vec<String>,
    hosts: Vec<String>,
    path: String,
    #[serde(default)]
    encoding: Vec<String>,
    operation: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    r#where: Vec<String>,
    key: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    r#match: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    domains: Vec<Domain>,
    #[serde(default)]
    host_sets: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    signature: Vec<Written>,
}

#[derive(Deserialize)]
struct Domain {
    host: String,
}

fn catalogue() -> Vec<File> {
    files().iter().map(|file| toml::from_str(&file.text).unwrap()).collect()
}

#[test]
fn every_signature_of_the_facts_is_in_the_catalogue_with_its_activity() {
    let files = catalogue();
    let written = || files.iter().flat_map(|file| &file.signature);
    let mut wrong = Vec::new();
    for (id, activity) in facts().signatures {
        let expected = match DIFFERENT.iter().find(|(known, ..)| *known == id) {
            Some((_, instead, _)) => instead.map(str::to_owned),
            None => Some(activity),
        };
        let is = written().find(|one| one.id == id).map(|one| one.activity.clone());
        if is != expected {
            wrong.push(format!("{id}: {is:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

impl Written {
    /// A request that fits.
    fn request(&self, file: &File) -> Option<Request> {
        let host = self.hosts.first()?;
        let host = match host.strip_prefix('@') {
            Some(set) => file.host_sets.get(set)?.first()?,
            None => host,
        };
        let host = match host.as_str() {
            "**" => file
                .domains
                .first()
                .map_or("mastodon.example", |domain| domain.host.as_str()),
            host => host,
        };
        let host = host.replace('*', "sub");
        let path = self.path.replace("/**", "/some").replace('*', "some");
        let method = self.methods.first()?;
        let mut request = request(method, &format!("https://{host}{path}"));
        if self.encoding.iter().any(|kind| kind == "websocket") {
            return Some(request.with(|hints| hints.websocket = true));
        }
        let Some(operation) = &self.operation else {
            return Some(request);
        };
        let value = match operation.r#match.as_deref() {
            Some("regex") => return None,
            Some("prefix") => format!("{}Some", operation.value.as_deref()?),
            _ => operation.value.clone()?,
        };
        let key = &operation.key;
        Some(match operation.r#where.first()?.as_str() {
            "query" => {
                request.head.query.push((key.clone(), value));
                request
            }
            "form" => request.form(&format!("{key}={value}")),
            "json" => request.json(&serde_json::json!({ key: value }).to_string()),
            header => request.header(header.strip_prefix("header:")?, &value),
        })
    }
}

#[test]
fn every_signature_is_recognised_by_a_request_that_fits_it() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for file in catalogue() {
        for written in &file.signature {
            let Some(request) = written.request(&file) else {
                continue;
            };
            tried += 1;
            let reading = request.read();
            let found = reading.signatures.iter().any(|id| id.as_str() == written.id);
            let activities: Vec<&str> = reading.activities.iter().map(Activity::as_str).collect();
            if !found && !activities.contains(&written.activity.as_str()) {
                wrong.push(format!(
                    "{} ({}): {} https://{}{} is {activities:?} by {:?}",
                    written.id,
                    written.activity,
                    request.head.method,
                    request.host,
                    request.head.path,
                    reading.signatures
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    assert!(tried > 600, "{tried}");
}
