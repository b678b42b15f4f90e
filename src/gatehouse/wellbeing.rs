//! How the gateway is, for the portal: what `/readyz` says and the metrics show, asked of the same rooms.

use std::sync::Arc;

use super::exposition::Looking;
use super::health::Health;
use super::open::Rooms;
use crate::portal::Condition;

/// Tells the portal whom to ask.
pub(super) fn introduce(rooms: &Rooms, health: &Arc<Health>, looking: Looking) {
    let (health, metrics, mint) = (health.clone(), rooms.metrics.clone(), rooms.mint.clone());
    let tells = rooms.notices.is_some();
    rooms.portal.introduce(Arc::new(move || {
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
    }));
}
