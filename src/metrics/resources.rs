//! Gauges of things alive: tunnels, connections, the queue of records, grants.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{BadMetric, names};
use crate::facts::PurposeId;

/// What the gateway looks up just before its metrics are read.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Records that wait for the disk.
    pub record_queue: u64,
    /// Whether records can be kept.
    pub records_healthy: bool,
    /// Whether it is known what other gateways change in the ledger.
    pub ledger_in_touch: bool,
    /// Whether the key under which the portal seals is that of the ledger.
    pub portal_key_current: bool,
    /// Tokens for tools that cannot be read in the ledger.
    pub unreadable_tokens: u64,
    /// Records that could not be kept, since the start.
    pub records_dropped: u64,
    /// Minted certificates in memory.
    pub minted_certificates: u64,
    /// Wrong proofs of identity, since the start.
    pub sign_in_failures: u64,
    /// Emergencies that wait for a review: those of which it is not due yet, and those of which it is.
    pub reviews: [u64; 2],
    /// Letters to people that wait to be sent.
    pub notices_waiting: u64,
    /// Web hooks that are not let in.
    pub notices_shut_out: u64,
    /// Grants by purpose and state (`active`, `expired`, `withdrawn`, `revoked`).
    pub grants: Vec<(PurposeId, &'static str, u64)>,
}

/// Something alive, counted until it is dropped.
#[derive(Debug)]
pub struct Alive(IntGauge);

impl Alive {
    fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Debug)]
pub(super) struct Gauges {
    tunnels: IntGauge,
    connections: IntGauge,
    record_queue: IntGauge,
    records_healthy: IntGauge,
    ledger_in_touch: IntGauge,
    portal_key_current: IntGauge,
    unreadable_tokens: IntGauge,
    records_dropped: IntCounter,
    minted: IntGauge,
    sign_in_failures: IntCounter,
    grants: IntGaugeVec,
    reviews: IntGaugeVec,
    notices: IntCounterVec,
    notices_waiting: IntGauge,
    notices_shut_out: IntGauge,
}

impl Gauges {
    pub(super) fn new(registry: &Registry) -> Result<Self, BadMetric> {
        let build = names::BUILD_INFO.gauges(registry)?;
        build.get_metric_with_label_values(&[env!("CARGO_PKG_VERSION")])?.set(1);
        Ok(Self {
            tunnels: names::TUNNELS.gauge(registry)?,
            connections: names::CONNECTIONS.gauge(registry)?,
            record_queue: names::RECORD_QUEUE.gauge(registry)?,
            records_healthy: names::RECORDS_HEALTHY.gauge(registry)?,
            ledger_in_touch: names::LEDGER_IN_TOUCH.gauge(registry)?,
            portal_key_current: names::PORTAL_KEY_CURRENT.gauge(registry)?,
            unreadable_tokens: names::UNREADABLE_TOKENS.gauge(registry)?,
            records_dropped: names::RECORDS_DROPPED.counter(registry)?,
            minted: names::MINTED.gauge(registry)?,
            sign_in_failures: names::SIGN_IN_FAILURES.counter(registry)?,
            grants: names::GRANTS.gauges(registry)?,
            reviews: names::REVIEWS.gauges(registry)?,
            notices: names::NOTICES.counters(registry)?,
            notices_waiting: names::NOTICES_WAITING.gauge(registry)?,
            notices_shut_out: names::NOTICES_SHUT_OUT.gauge(registry)?,
        })
    }

    pub(super) fn tunnel(&self) -> Alive {
        Alive::enter(&self.tunnels)
    }

    pub(super) fn connection(&self) -> Alive {
        Alive::enter(&self.connections)
    }

    pub(super) fn alive(&self) -> [u64; 2] {
        [&self.tunnels, &self.connections].map(|gauge| u64::try_from(gauge.get()).unwrap_or(0))
    }

    pub(super) fn notice(&self, channel: &'static str, outcome: &'static str) {
        if let Ok(counter) = self.notices.get_metric_with_label_values(&[channel, outcome]) {
            counter.inc();
        }
    }

    /// Takes a sample; `label` turns a purpose into a label of the closed list.
    pub(super) fn set<'a>(&self, seen: &'a Resources, label: impl Fn(&'a PurposeId) -> &'a str) {
        self.record_queue.set(clamp(seen.record_queue));
        self.records_healthy.set(i64::from(seen.records_healthy));
        self.ledger_in_touch.set(i64::from(seen.ledger_in_touch));
        self.portal_key_current.set(i64::from(seen.portal_key_current));
        self.unreadable_tokens.set(clamp(seen.unreadable_tokens));
        catch_up(&self.records_dropped, seen.records_dropped);
        self.notices_waiting.set(clamp(seen.notices_waiting));
        self.notices_shut_out.set(clamp(seen.notices_shut_out));
        self.minted.set(clamp(seen.minted_certificates));
        catch_up(&self.sign_in_failures, seen.sign_in_failures);
        for (state, count) in ["waiting", "overdue"].into_iter().zip(seen.reviews) {
            if let Ok(gauge) = self.reviews.get_metric_with_label_values(&[state]) {
                gauge.set(clamp(count));
            }
        }
        self.grants.reset();
        for (purpose, state, count) in &seen.grants {
            if let Ok(gauge) = self.grants.get_metric_with_label_values(&[label(purpose), *state]) {
                gauge.add(clamp(*count));
            }
        }
    }
}

fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Brings a counter up to a total that somebody else counts; it never goes back.
fn catch_up(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
