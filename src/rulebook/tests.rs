//! What the tests of this room share: who visits, and when.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Arrival, Door, MethodName, NetworkName, Person, Subject, SubjectId};

/// Somebody of the directory, in the office.
pub(super) struct Guest {
    person: Arc<Person>,
    subject: Subject,
    arrival: Arrival,
}

impl Guest {
    pub(super) fn of(house: &InForce, who: &str) -> Self {
        let person = house.directory.person(&SubjectId::parse(who).unwrap()).unwrap();
        let subject = Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        };
        Self {
            person,
            subject,
            arrival: Arrival {
                door: Door::Tls,
                client: SocketAddr::from(([10, 0, 0, 7], 40_000)),
                network: NetworkName::new("office"),
            },
        }
    }

    pub(super) fn visitor(&self) -> Visitor<'_> {
        Visitor {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
        }
    }
}

/// A Tuesday, 12:30 in Paris.
pub(super) fn noon() -> Timestamp {
    "2026-11-24T11:30:00Z".parse().unwrap()
}
