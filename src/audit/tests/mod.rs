//! Tests of the whole book, with real files.
#![expect(
    clippy::disallowed_methods,
    reason = "door: tests look at, cut, and damage the book's files"
)]

mod crash;
mod damage;
mod faults;
mod flows;
mod reading;
mod searching;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Arrival, Ask, Authority, DecisionNote, Door, Employment, End, GatewayAct, Head, Host, MethodName, Mode,
    NetworkName, Observation, Outcome, Peek, Person, PlatformId, RulebookId, Standing, Subject, SubjectId,
};

const NOON: i64 = 1_780_000_000_000;

pub(crate) fn noon() -> Timestamp {
    Timestamp::from_millis(NOON)
}

pub(crate) fn clock() -> Clock {
    Clock::fixed(noon())
}

pub(crate) fn peer() -> SocketAddr {
    "127.0.0.1:50000".parse().unwrap()
}

pub(crate) fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        sync_ms: 0,
        ..Settings::default()
    }
}

pub(crate) fn seen(user: &str, path: &str) -> Observation {
    let id = SubjectId::parse(user).unwrap();
    Observation {
        arrival: Arrival {
            door: Door::Tls,
            client: peer(),
            network: NetworkName::new("office"),
        },
        subject: Some(Subject {
            id: id.clone(),
            method: MethodName::Basic,
        }),
        person: Some(Arc::new(Person {
            id,
            name: "Ada".to_owned(),
            roles: BTreeSet::from(["engineer".to_owned()]),
            departments: BTreeSet::new(),
            employment: Employment::Employee,
            region: "eu-west".to_owned(),
            time_zone: "Europe/Paris".to_owned(),
            manager: None,
            on_legal_hold: false,
            training: std::collections::BTreeMap::new(),
        })),
        ask: Ask::Request(
            Authority::parse("www.linkedin.com:443", None).unwrap(),
            Box::new(Head {
                method: "POST".to_owned(),
                path: path.to_owned(),
                query: Vec::new(),
                hints: crate::facts::Hints::default(),
                peek: Peek::NotTaken,
            }),
        ),
        standing: Standing::default(),
        selected: None,
        at: noon(),
    }
}

pub(crate) fn decided(outcome: Outcome) -> DecisionNote {
    DecisionNote {
        outcome,
        mode: Mode::Enforce,
        let_pass: false,
        coach: None,
        host: Host::parse("www.linkedin.com").unwrap(),
        platform: Some(PlatformId::new("linkedin")),
        activity: Activity::new("post"),
        activities: BTreeSet::new(),
        signatures: BTreeSet::new(),
        inspect: true,
        publishes: true,
        grant: None,
        purpose: None,
        policies: BTreeSet::new(),
        errors: BTreeSet::new(),
        offered: Vec::new(),
        help: None,
        would: None,
        rulebook: RulebookId::new("sha256:1"),
    }
}

pub(crate) fn completed() -> Closing {
    Closing {
        end: End::Completed,
        status: Some(200),
        decrypted: true,
    }
}

pub(crate) fn started() -> Act {
    Act::Gateway {
        act: GatewayAct::Started {
            version: "0.1.0".to_owned(),
        },
        rulebook: RulebookId::new("sha256:1"),
    }
}

/// One whole flow; `publishes` opens it durably.
pub(crate) async fn flow(book: &Book, publishes: bool) -> RecordId {
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    let id = entry.id().clone();
    entry.saw(seen("ada", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    if publishes {
        entry.commit().await.unwrap();
    }
    entry.close(completed());
    id
}

fn all(folder: &Path) -> Vec<Record> {
    read(folder).unwrap().map(|found| found.unwrap().1).collect()
}

fn kinds(folder: &Path) -> Vec<&'static str> {
    all(folder).iter().map(kind).collect()
}

fn kind(record: &Record) -> &'static str {
    match &record.act {
        Act::Opening { .. } => "opening",
        Act::Closing { .. } => "closing",
        Act::Stray { .. } => "stray",
        Act::Grant { .. } => "grant",
        Act::Token { .. } => "token",
        Act::Access { .. } => "access",
        Act::Gateway { .. } => "gateway",
    }
}

/// A reader that remembers what it was shown.
fn remembering() -> (Reader, Arc<Mutex<Vec<Record>>>) {
    let shown: Arc<Mutex<Vec<Record>>> = Arc::default();
    let memory = Arc::clone(&shown);
    (
        Box::new(move |record: &Record| memory.lock().unwrap().push(record.clone())),
        shown,
    )
}
