//! How the gateway is, in words: what `/readyz` and the metrics say, asked of the same rooms, for whom the rules let read
//! decisions.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use jiff::tz::TimeZone;

use super::pages::Page;
use super::pages::health::{Health, Part};
use super::searches::Searches;
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::Channel;
use crate::rulebook::Visitor;

/// How the gateway is.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Whether traffic should be sent here.
    pub ready: bool,
    /// Everything that somebody should look at, one sentence each.
    pub problems: Vec<String>,
    /// Whether records can be kept.
    pub records: bool,
    /// Records that wait for the disk.
    pub records_waiting: u64,
    /// Flows that were refused since the start because no record could be kept.
    pub turned_away: u64,
    /// Whether it is known what other gateways change in the ledger, and grants can be given and ended.
    pub ledger: bool,
    /// Letters to people that wait to be sent; none where nobody is told anything.
    pub notices_waiting: Option<u64>,
    /// Until when the authority can sign certificates for sites.
    pub signs_until: Timestamp,
    /// Certificates for sites that are in memory.
    pub certificates: u64,
    /// Tunnels that pass unread, and `WebSockets`.
    pub tunnels: u64,
    /// Connections from clients.
    pub connections: u64,
}

/// Looks how the gateway is; it may wait for the disk.
pub type LookAfter = Arc<dyn Fn() -> Condition + Send + Sync>;

/// Whom to ask, once everything is built. Whoever searches may ask as well: it has places of its own.
#[derive(Clone, Default)]
pub(super) struct Doctor {
    look: Arc<OnceLock<LookAfter>>,
    visits: Arc<Searches>,
}

impl Portal {
    /// From now on it can say how the gateway is.
    pub fn introduce(&self, look: LookAfter) {
        // the first one stands: there is one gateway
        let _ = self.doctor.look.set(look);
    }

    /// The page of how the gateway is.
    pub(super) async fn health_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        if Self::may_watch(visit, visitor, Channel::Portal).is_none() {
            return self.nothing_here();
        }
        let Some(look) = self.doctor.look.get().cloned() else {
            return self.nothing_here();
        };
        let condition = match self.doctor.visits.run(&visitor.person.id, move || look()).await {
            Ok(condition) => condition,
            Err(why) => return self.unseen_decisions_page(&why.into()),
        };
        let words = &self.words.health;
        let page = Health {
            w: self.words,
            who: &visitor.person.name,
            ready: condition.ready,
            parts: self.parts_of(visit, &condition),
            problems: condition.problems,
            state: if condition.ready { words.ready } else { words.not_ready },
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    fn parts_of(&self, visit: &Visit<'_>, condition: &Condition) -> Vec<Part> {
        let (words, number) = (&self.words.health, self.words.outcome.number);
        let part = |name, is_well, says: String| Part { name, is_well, says };
        let until = (self.words.day)(&condition.signs_until.calendar().to_zoned(TimeZone::UTC));
        let mut parts = vec![
            part(
                words.records,
                condition.records,
                (words.records_are)(
                    condition.records,
                    &number(condition.records_waiting),
                    &number(condition.turned_away),
                ),
            ),
            part(
                words.ledger,
                condition.ledger,
                (words.ledger_is)(condition.ledger).to_owned(),
            ),
            part(self.words.rules, true, visit.rules().id().short()),
            part(
                words.certificates,
                visit.at < condition.signs_until,
                (words.certificates_are)(&until, &number(condition.certificates)),
            ),
        ];
        let notices = condition.notices_waiting;
        let said = notices.map_or(words.no_notices.to_owned(), |waiting| {
            (words.notices_are)(&number(waiting))
        });
        parts.push(part(words.notices, true, said));
        parts.push(part(
            words.traffic,
            true,
            (words.traffic_is)(&number(condition.connections), &number(condition.tunnels)),
        ));
        parts
    }
}
