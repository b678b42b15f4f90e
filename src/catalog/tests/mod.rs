//! The shipped files: they parse, they agree with the schema, and they read the acceptance vectors.

mod cheats;
mod disguises;
mod facts;
mod marks;
mod one_by_one;
mod problems;
mod properties;
mod sisters;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_embed::RustEmbed;
use serde::Deserialize;

use super::*;
use crate::facts::{Hints, SignatureId, SiteRole};

#[derive(RustEmbed)]
#[folder = "policies"]
struct Files;

fn file(name: &str) -> SourceText {
    let data = Files::get(name).unwrap().data.into_owned();
    SourceText::new(name, String::from_utf8(data).unwrap())
}

fn files() -> Vec<SourceText> {
    let in_catalog = |name: &std::borrow::Cow<'_, str>| name.starts_with("catalog/") && name.ends_with(".toml");
    Files::iter().filter(in_catalog).map(|name| file(&name)).collect()
}

/// The shipped files, with the instances that an installation would add.
const LOCAL: &str = r#"
[[host]]
host = "mastodon.example"
platform = "mastodon"
match = "suffix"
roles = ["site", "api"]
"#;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut files = files();
    files.retain(|file| file.name != "catalog/local.toml");
    files.push(SourceText::new("catalog/local.toml", LOCAL));
    Catalog::parse(&files).whole().unwrap()
});

/// A request that is being put together.
#[derive(Clone)]
struct Request {
    host: Host,
    head: Head,
    body: Option<(String, bool)>,
}

fn request(method: &str, url: &str) -> Request {
    let (host, rest) = url.split_once("://").unwrap().1.split_once('/').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Request {
        host: Host::parse(host).unwrap(),
        head: Head {
            method: method.to_owned(),
            path: format!("/{path}"),
            query: parameters(query.as_bytes()),
            hints: Hints::default(),
            peek: Peek::NotTaken,
        },
        body: None,
    }
}

impl Request {
    fn with(mut self, change: impl FnOnce(&mut Hints)) -> Self {
        change(&mut self.head.hints);
        self
    }

    fn header(self, name: &str, value: &str) -> Self {
        assert!(
            CATALOG.label_headers().contains(name),
            "{name} is not copied into the labels"
        );
        self.with(|hints| hints.labels.push((name.to_owned(), value.to_owned())))
    }

    fn body(mut self, content_type: &str, body: &str) -> Self {
        self.head.hints.has_body = true;
        self.head.hints.content_type = Some(content_type.to_owned());
        self.head.hints.content_length = Some(body.len() as u64);
        self.body = Some((body.to_owned(), true));
        self
    }

    fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    fn json(self, body: &str) -> Self {
        self.body("application/json; charset=utf-8", body)
    }

    /// Reads the request as the proxy does: place, peek where it matters, read.
    fn read(&self) -> Reading {
        let place = CATALOG.place_at(&self.host, &self.head.path);
        let mut head = self.head.clone();
        if let Some((body, complete)) = &self.body
            && CATALOG.wants_body(&place, &head)
        {
            head.peek = CATALOG.peek(&place, &head, body.as_bytes(), *complete);
        }
        let reading = CATALOG.read(&place, &head);
        assert_eq!(
            CATALOG.read(&place, &CATALOG.redact(&place, &head)),
            reading,
            "redaction changed the reading"
        );
        assert!(reading.activities.contains(&reading.activity));
        reading
    }

    /// The activities, in their own order, as one text.
    fn activities(&self) -> String {
        let reading = self.read();
        let names: Vec<&str> = reading.activities.iter().map(Activity::as_str).collect();
        names.join(" ")
    }
}

fn catalog() -> &'static Catalog {
    &CATALOG
}

#[derive(Deserialize)]
struct Samples {
    sample: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    method: String,
    url: String,
    activity: String,
    signature: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    form: Option<BTreeMap<String, String>>,
    json: Option<BTreeMap<String, String>>,
}

impl Sample {
    fn request(&self) -> Request {
        let mut request = request(&self.method, &self.url);
        for (name, value) in &self.headers {
            request = match name.as_str() {
                "upgrade" => request.with(|hints| hints.websocket = value == "websocket"),
                "sec-fetch-dest" => request.with(|hints| hints.fetch_dest = Some(value.clone())),
                label => request.header(label, value),
            };
        }
        if let Some(form) = &self.form {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form)
                .finish();
            request = request.form(&body);
        }
        if let Some(json) = &self.json {
            request = request.json(&serde_json::to_string(json).unwrap());
        }
        request
    }
}

fn samples() -> Vec<Sample> {
    let text = include_str!("../../../tests/fixtures/social-samples.toml");
    toml::from_str::<Samples>(text).unwrap().sample
}

fn check(samples: &[Sample]) {
    let mut wrong = Vec::new();
    for sample in samples {
        let reading = sample.request().read();
        let signatures: Vec<&str> = reading.signatures.iter().map(SignatureId::as_str).collect();
        let activities: Vec<&str> = reading.activities.iter().map(Activity::as_str).collect();
        if activities != [sample.activity.as_str()] || signatures != [sample.signature.as_str()] {
            wrong.push(format!(
                "{} {}: {activities:?} {signatures:?}, expected {} {}",
                sample.method, sample.url, sample.activity, sample.signature
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_shipped_file_parses_without_a_problem() {
    let problems: Vec<String> = Catalog::parse(&files())
        .whole()
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(catalog().platforms().count(), 87);
    for platform in catalog().platforms() {
        assert!(
            files()
                .iter()
                .any(|file| file.name == format!("catalog/{}.toml", platform.id))
        );
        assert!(
            !platform.name.is_empty() && !platform.family.is_empty(),
            "{}",
            platform.id
        );
    }
}

#[test]
fn every_activity_is_an_action_of_the_schema_and_as_mild_as_its_group() {
    let schema = file("wayleave.cedarschema");
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(&schema.text).unwrap();
    let actions = schema.action_entities().unwrap();
    let uid = |id: &str| format!("Action::\"{id}\"").parse::<cedar_policy::EntityUid>().unwrap();
    for activity in catalog().activities() {
        let action = uid(activity.as_str());
        assert!(actions.get(&action).is_some(), "{activity}");
        let is_in = |group: &str| actions.is_ancestor_of(&uid(group), &action);
        let kind = catalog()
            .activities
            .kind(catalog().activities.index(activity.as_str()).unwrap());
        assert_eq!(is_in("read"), kind == tree::Kind::Read, "{activity}");
        assert_eq!(is_in("passive"), kind == tree::Kind::Passive, "{activity}");
    }
    assert_eq!(catalog().activities().count(), 30);
    assert_eq!(catalog().activities().last(), Some(&Activity::unknown_write()));
}

#[test]
fn the_five_demo_platforms_read_their_samples() {
    let mut samples = samples();
    samples.retain(|sample| {
        ["linkedin.", "x.", "facebook.", "youtube.", "reddit."]
            .iter()
            .any(|platform| sample.signature.starts_with(platform))
    });
    assert!(samples.len() > 25, "{}", samples.len());
    check(&samples);
}

#[test]
fn every_sample_is_read_as_expected_and_by_the_expected_signature() {
    let samples = samples();
    assert_eq!(samples.len(), 59);
    check(&samples);
}

#[test]
fn places_carry_platform_roles_and_the_closure_of_categories() {
    let place = catalog().place(&Host::parse("WWW.LinkedIn.com.").unwrap());
    assert_eq!(place.platform, Some(PlatformId::new("linkedin")));
    assert_eq!(
        *place.categories,
        [Category::new("professional"), Category::new("social-media")].into()
    );
    assert!(place.roles.contains(&SiteRole::Site));
    let bank = catalog().place(&Host::parse("www.chase.com").unwrap());
    assert_eq!(
        *bank.categories,
        [Category::new("banking"), Category::new("sensitive")].into()
    );
    assert!(bank.platform.is_none() && bank.is_classified());
    let mail = catalog().place(&Host::parse("mail.google.com").unwrap());
    assert!(mail.categories.contains(&Category::new("sensitive")), "{mail:?}");
    for host in ["example.com", "notlinkedin.com", "linkedin.com.evil.example"] {
        assert!(!catalog().place(&Host::parse(host).unwrap()).is_classified(), "{host}");
    }
}

#[test]
fn names_of_certificates_show_the_hosts_of_the_catalogue_that_they_cover() {
    let covered = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let hosts = catalog().covered_by(&names);
        hosts.iter().map(|host| host.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(covered(&["linkedin.com"]), ["linkedin.com"]);
    assert!(covered(&["example.com", "*.example.com", "*.com", "not a name", ""]).contains(&"linkedin.com".to_owned()));
    assert_eq!(covered(&["example.com", "*.example.com", "not a name", ""]), [""; 0]);
    // names of shared clouds, of which the catalogue lists single hosts
    for (wildcard, host) in [
        ("*.youtube.com", "www.youtube.com"),
        ("*.youtube.com", "0.youtube.com"),
        ("*.googleapis.com", "youtube.googleapis.com"),
        (
            "*.storage.googleapis.com",
            "discord-attachments-uploads-prd.storage.googleapis.com",
        ),
        ("*.s3.amazonaws.com", "clubhouseprod.s3.amazonaws.com"),
        ("*.cloudfront.net", "dgalywyr863hv.cloudfront.net"),
        ("*.appspot.com", "feelinsonice.appspot.com"),
        ("*.app.link", "reddit.app.link"),
    ] {
        assert!(covered(&[wildcard]).contains(&host.to_owned()), "{wildcard}");
    }
    assert_eq!(covered(&["storage.googleapis.com", "*.cdn.example"]), [""; 0]);
}

#[test]
fn the_managed_names_cover_every_domain_once() {
    let domains = catalog().domains();
    assert!(domains.contains(&Host::parse("linkedin.com").unwrap()));
    assert!(!domains.contains(&Host::parse("www.linkedin.com").unwrap()));
    for domain in catalog().domains.domains() {
        let host = domain.name.replace('*', "a");
        assert!(
            domains
                .iter()
                .any(|name| host::suffixes(&host).any(|suffix| suffix == name.as_str())),
            "{host}"
        );
    }
}

#[test]
fn hosts_of_federated_platforms_are_known_only_where_the_installation_names_them() {
    let toot = |host: &str| request("POST", &format!("https://{host}/api/v1/statuses")).read();
    assert_eq!(toot("social.mastodon.example").activity.as_str(), "post");
    assert_eq!(toot("unknown.example").activity, Activity::unknown_write());
    let reading = request("GET", "https://unknown.example/api/v1/timelines/home").read();
    assert!(reading.activity.as_str() == "browse" && reading.signatures.is_empty());
}
