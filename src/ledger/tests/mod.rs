//! Behaviour of the ledger: the same wherever it is kept, and what each place has of its own.

mod api;
mod conformance;
mod counter;
mod delegations;
mod digest;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
#[expect(clippy::disallowed_methods, reason = "starts a database server")]
mod server;
mod sqlite;

use std::collections::BTreeSet;

use super::store::Change;
use super::usage::Seat;
use super::*;
use crate::facts::{
    Arrival, Channel, Continued, Door, Emergency, GrantState, Host, MethodName, NetworkName, PlatformId, PolicyId,
    PurposeId, Report, RulebookId,
};
use crate::purpose::{Approval, Consent, Hearing, Note, Pending, Why};

/// A place where a ledger is kept, which outlives those who open it.
trait Home {
    fn open(&self) -> Result<Ledger, LedgerError>;

    /// Changes what is kept, past the ledger, which nobody holds open.
    fn change(&self, change: &mut (dyn FnMut(&mut dyn Change) + Send));

    /// Changes what is kept in SQL, while nobody holds it open.
    fn runs(&self, statement: &str);
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn terms(who: &str, purpose: &str, from: i64, until: i64) -> GrantTerms {
    GrantTerms {
        subject: SubjectId::parse(who).unwrap(),
        purpose: PurposeId::new(purpose),
        platforms: BTreeSet::from([PlatformId::new("linkedin"), PlatformId::new("xing")]),
        covers: BTreeSet::from(["read".to_owned(), "publish".to_owned()]),
        statement: "Sourcing a data engineer; it's \"urgent\"\n; DROP TABLE grants; --".to_owned(),
        ticket: Some("HR-123".to_owned()),
        channel: Channel::ProxyName,
        declared_at: moment(from),
        not_before: moment(from),
        expires: moment(until),
        answers: Vec::new(),
        idle: None,
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
    }
}

fn came() -> Came {
    Came {
        arrival: Arrival {
            door: Door::Tls,
            client: "192.0.2.7:50000".parse().unwrap(),
            network: NetworkName::new("office"),
        },
        method: MethodName::Certificate,
    }
}

/// The same on a platform of its own.
fn on(platform: &str, terms: GrantTerms) -> GrantTerms {
    GrantTerms {
        platforms: BTreeSet::from([PlatformId::new(platform)]),
        ..terms
    }
}

fn who(name: &str) -> SubjectId {
    SubjectId::parse(name).unwrap()
}

/// What grace makes of a request at that moment.
fn heard(asked: Grant, at: i64) -> Hearing {
    let pending = Pending::of(asked, moment(at)).unwrap();
    pending
        .heard_by(&who("grace"), BTreeSet::from(["owner".to_owned()]))
        .unwrap()
}

fn yes(asked: Grant, at: i64) -> Grant {
    approved(asked, at).into_grant()
}

fn approved(asked: Grant, at: i64) -> Approved {
    let note = Note::parse("go ahead").unwrap();
    match heard(asked, at).approve(&Approval::by_owner(), note, moment(at)) {
        Ok(Consent::Given(approved)) => approved,
        other => panic!("{other:?}"),
    }
}

fn no(asked: Grant, at: i64) -> Grant {
    let why = Why::of(Note::parse("not this week").unwrap()).unwrap();
    heard(asked, at).decline(why, moment(at)).into_grant()
}

fn silent(asked: Grant, at: i64) -> Grant {
    Lapsed::of(asked, moment(at)).unwrap().into_grant()
}

pub(super) fn on_record(act: GrantAct) -> OnRecord {
    OnRecord {
        segment: 7,
        act,
        by: who("sol"),
        rulebook: RulebookId::new("these"),
        policies: BTreeSet::from([PolicyId::new("security-revokes")]),
    }
}

fn ada() -> SubjectId {
    SubjectId::parse("ada").unwrap()
}

#[test]
fn ids_sort_by_the_moment_of_declaration() {
    let ids: Vec<GrantId> = [1, 1_000, 1_001, 1_764_000_000_123]
        .map(|at| GrantId::new(moment(at).fresh_name()))
        .into();
    assert!(ids.is_sorted());
}
