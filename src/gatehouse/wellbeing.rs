//! How the gateway is, for the portal: what `/readyz` says and the metrics show, asked of the same rooms.

use std::sync::Arc;

use super::exposition::Looking;
use super::health::Health;
use super::open::Rooms;
use crate::portal::{Condition, LookAfter};

/// Whom the portal asks.
pub(super) fn look_after(rooms: &Rooms, health: &Arc<Health>, looking: Looking) -> LookAfter {
    let (health, metrics, mint) = (health.clone(), rooms.metrics.clone(), rooms.mint.clone());
    let tells = rooms.notices.is_some();
    Arc::new(move || {
        let report = health.report();
        let resources = looking();
        let [tunnels, connections] = metrics.alive();
        Condition {
            ready: report.ready,
            problems: report.problems,
            records: resources.records_healthy,
            records_waiting: resources.record_queue,
            turned_away: resources.records_dropped,
            ledger: resources.ledger_in_touch,
            notices_waiting: tells.then_some(resources.notices_waiting),
            signs_until: mint.issuer().validity().until,
            certificates: resources.minted_certificates,
            tunnels,
            connections,
        }
    })
}
