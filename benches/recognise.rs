//! What it costs to say where a request goes and what it does, over the sample requests of the fixtures.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench reads its fixtures and may fail loudly"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use wayleave::catalog::PEEK_LIMIT;
use wayleave::facts::{Ask, Head, Host, Place};
use wayleave::rulebook::{Described, Rulebook, Sources};

fn main() {
    let shipped = Rulebook::assemble(&Sources::embedded()).unwrap();
    let catalog = shipped.rulebook.catalog();
    let samples = samples(&shipped.rulebook);
    let placed: Vec<(Place, &Head)> = samples.iter().map(|(host, head)| (catalog.place(host), head)).collect();
    let elsewhere = Host::parse("static.cdn.some.unmanaged.example.org").unwrap();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .configure_from_args();

    criterion.bench_function(&format!("recognise/place-{}-samples", samples.len()), |b| {
        b.iter(|| {
            for (host, _) in &samples {
                black_box(catalog.place(black_box(host)));
            }
        });
    });
    criterion.bench_function(&format!("recognise/read-{}-samples", samples.len()), |b| {
        b.iter(|| {
            for (place, head) in &placed {
                black_box(catalog.read(place, black_box(head)));
            }
        });
    });
    criterion.bench_function("recognise/place-unmanaged", |b| {
        b.iter(|| catalog.place(black_box(&elsewhere)));
    });

    let facebook = catalog.place(&Host::parse("www.facebook.com").unwrap());
    let head = form_of_facebook(&shipped.rulebook);
    assert!(catalog.wants_body(&facebook, &head));
    let short = format!(
        "fb_api_req_friendly_name=ComposerStoryCreateMutation&variables={}",
        "a".repeat(1500)
    );
    let long = format!(
        "variables={}&fb_api_req_friendly_name=ComposerStoryCreateMutation",
        "a".repeat(60_000)
    );
    assert!(long.len() < PEEK_LIMIT);
    for (name, body) in [("1.5k", &short), ("60k", &long)] {
        criterion.bench_function(&format!("recognise/peek-facebook-form-{name}"), |b| {
            b.iter(|| catalog.peek(&facebook, black_box(&head), body.as_bytes(), true));
        });
    }
    timelines_of_x(&mut criterion, &shipped.rulebook);
    criterion.final_summary();
}

/// Reads whose marks are looked for: by POST in the body, by GET in the query.
fn timelines_of_x(criterion: &mut Criterion, rules: &Rulebook) {
    let catalog = rules.catalog();
    let described = |to: &str, method: &str| Described {
        to: to.to_owned(),
        method: Some(method.to_owned()),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: None,
    };
    let url = "https://x.com/i/api/graphql/AbC/HomeTimeline";
    let (host, mut posted) = parted(rules, &described(url, "POST"));
    posted.hints.has_body = true;
    let place = catalog.place(&host);
    assert!(catalog.wants_body(&place, &posted));
    let features: Vec<String> = (0..40).map(|at| format!("\"feature_{at}_is_enabled\":true")).collect();
    let body = format!(
        r#"{{"variables":{{"count":20,"requestContext":"launch","seenTweetIds":["1860000000000000001"]}},"features":{{{}}},"queryId":"AbC"}}"#,
        features.join(",")
    );
    criterion.bench_function("recognise/peek-x-timeline-1.3k", |b| {
        b.iter(|| catalog.peek(&place, black_box(&posted), body.as_bytes(), true));
    });
    let (_, got) = parted(
        rules,
        &described(&format!("{url}?variables=%7B%22count%22%3A20%7D"), "GET"),
    );
    criterion.bench_function("recognise/read-x-timeline-by-get", |b| {
        b.iter(|| catalog.read(&place, black_box(&got)));
    });
}

fn samples(rules: &Rulebook) -> Vec<(Host, Head)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/social-samples.toml");
    let file: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let described = |sample: &toml::Value| {
        let text = |key: &str| sample.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let headers = sample
            .get("headers")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten();
        Described {
            to: text("url").unwrap(),
            method: text("method"),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            body: None,
        }
    };
    let samples = file.get("sample").and_then(toml::Value::as_array).unwrap();
    samples.iter().map(|sample| parted(rules, &described(sample))).collect()
}

fn form_of_facebook(rules: &Rulebook) -> Head {
    let mut head = parted(
        rules,
        &Described {
            to: "https://www.facebook.com/api/graphql/".to_owned(),
            method: Some("POST".to_owned()),
            headers: vec![(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: None,
        },
    )
    .1;
    head.hints.has_body = true;
    head
}

fn parted(rules: &Rulebook, described: &Described) -> (Host, Head) {
    match rules.ask_of(described).unwrap() {
        Ask::Request(authority, head) => (authority.host, *head),
        Ask::Connect(authority) => panic!("{authority} is no request"),
    }
}
