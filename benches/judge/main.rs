//! What one judgement costs, on the shipped rulebook; with `scale`, what a decision costs with ten rules and with ten
//! thousand; with `remedy`, what it costs to find what would help; with `reload`, how long ten thousand take to rule; with
//! `people`, how long a change of one person takes; with `replay`, how fast records are judged again.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench may fail loudly, and prints"
)]

mod cpu;
mod people;
mod reload;
mod remedy;
mod replay;
mod scale;
mod world;

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use wayleave::clock::Timestamp;
use wayleave::facts::{
    Arrival, Ask, Channel, Door, Grant, GrantId, GrantState, MethodName, NetworkName, Observation, PlatformId,
    PurposeId, Standing, Subject, SubjectId,
};
use wayleave::rulebook::{Assembled, Described, Rulebook, Sources};

const FEED: &str = "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c";

fn main() {
    let modes: [(&str, fn()); 5] = [
        ("scale", scale::run),
        ("remedy", remedy::run),
        ("reload", reload::run),
        ("people", people::run),
        ("replay", replay::run),
    ];
    if let Some((_, run)) = modes
        .iter()
        .find(|(name, _)| std::env::args().any(|argument| argument == *name))
    {
        return run();
    }
    let shipped = Rulebook::assemble(&Sources::embedded()).unwrap();
    let rules = &shipped.rulebook;
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .configure_from_args();

    let recruiting = || grant("ada", "recruiting", &["linkedin", "xing"]);
    let one = seen(&shipped, "ada", "GET", FEED, vec![recruiting()]);
    let none = seen(&shipped, "ada", "GET", FEED, vec![]);
    let others = ["market-research", "press-monitoring"].map(|purpose| grant("ada", purpose, &["x"]));
    let three = seen(
        &shipped,
        "ada",
        "GET",
        FEED,
        others.into_iter().chain([recruiting()]).collect(),
    );
    let connect = Observation {
        ask: Ask::Connect(one.ask.authority().clone()),
        ..one.clone()
    };
    let open = seen(&shipped, "ada", "GET", "http://news.example.org/today", vec![]);
    assert!(rules.judge(&one).is_allowed() && rules.judge(&three).is_allowed() && rules.judge(&open).is_allowed());
    assert!(!rules.judge(&none).is_allowed() && !rules.remedy(&none).offers.is_empty());

    let asked = [
        ("connect", &connect),
        ("request/unmanaged", &open),
        ("request/no-grant-refused", &none),
        ("request/one-grant", &one),
        ("request/third-of-three-grants", &three),
    ];
    for (name, seen) in asked {
        criterion.bench_function(&format!("judge/{name}"), |b| b.iter(|| rules.judge(black_box(seen))));
    }
    criterion.bench_function("judge/redact", |b| b.iter(|| rules.redact(black_box(&one))));
    criterion.bench_function("judge/remedy", |b| b.iter(|| rules.remedy(black_box(&none))));
    let sources = Sources::embedded();
    criterion.bench_function("rulebook/assemble", |b| {
        b.iter(|| Rulebook::assemble(black_box(&sources)).unwrap());
    });
    criterion.bench_function("rulebook/cases", |b| {
        b.iter(|| rules.run_cases(&shipped.directory, black_box(&sources.cases)));
    });
    criterion.final_summary();
}

/// A Tuesday, half past ten in Paris.
fn now() -> Timestamp {
    "2026-11-24T09:30:00Z".parse().unwrap()
}

/// What would be seen if `who` sent this request and held these grants.
fn seen(shipped: &Assembled, who: &str, method: &str, url: &str, grants: Vec<Grant>) -> Observation {
    let id = SubjectId::parse(who).unwrap();
    let described = Described {
        to: url.to_owned(),
        method: Some(method.to_owned()),
        headers: Vec::new(),
        body: None,
    };
    Observation {
        arrival: Arrival {
            door: Door::Tls,
            client: SocketAddr::from(([10, 1, 2, 3], 40000)),
            network: NetworkName::new("office"),
        },
        person: shipped.directory.person(&id),
        subject: Some(Subject {
            id,
            method: MethodName::Basic,
        }),
        ask: shipped.rulebook.ask_of(&described).unwrap(),
        standing: Standing::new(grants, now()),
        selected: None,
        at: now(),
    }
}

fn grant(who: &str, purpose: &str, platforms: &[&str]) -> Grant {
    Grant {
        id: GrantId::new(format!("g-{purpose}")),
        subject: SubjectId::parse(who).unwrap(),
        purpose: PurposeId::new(purpose),
        platforms: Arc::new(platforms.iter().map(|platform| PlatformId::new(*platform)).collect()),
        covers: Arc::new(["read", "engage", "publish"].map(str::to_owned).into()),
        statement: "candidates for the two open positions in Lyon".to_owned(),
        ticket: None,
        channel: Channel::Portal,
        declared_at: now(),
        not_before: now(),
        expires: now().plus(Duration::from_hours(8)),
        answer_by: None,
        answers: Vec::new(),
        idle: None,
        used_at: None,
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
        state: GrantState::Active,
        ended_at: None,
        ended: None,
        report: None,
        came: None,
    }
}
