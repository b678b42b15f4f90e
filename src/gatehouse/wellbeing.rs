//! How the gateway is, for the portal: what `/readyz` says and the metrics show, asked of the same rooms.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::exposition::looking;
use super::health::Health;
use super::open::Rooms;
use crate::clock::Clock;
use crate::identity::Guard;
use crate::portal::{Condition, DoorIs, NoticesAre, RulesAre, Unsent};
use crate::proxy::Tasks;

/// How often wrong proofs are counted, and how many counts are remembered: what lies between the first and now is lately, which is
/// an hour at least.
const COUNTED_EVERY: Duration = Duration::from_mins(5);
const COUNTS: usize = 13;

/// How many proofs of identity were wrong in the last hour.
#[derive(Clone, Default)]
pub(super) struct Lately(Arc<Mutex<VecDeque<u64>>>);

impl Lately {
    /// Counts until the task is dropped.
    pub(super) async fn count(self, guard: Arc<Guard>) {
        loop {
            tokio::time::sleep(COUNTED_EVERY).await;
            self.note(guard.rejections());
        }
    }

    fn note(&self, total: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.push_back(total);
        if counts.len() > COUNTS {
            counts.pop_front();
        }
    }

    /// How many of so many since the start.
    fn of(&self, total: u64) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = counts.len() == COUNTS;
        let before = counts.front().filter(|_| is_whole).copied().unwrap_or(0);
        total.saturating_sub(before)
    }
}

/// Tells the portal whom to ask of a gateway that begins now.
pub(super) fn introduce(rooms: &Rooms, health: &Arc<Health>, clock: &Clock, tasks: &Tasks) {
    let (health, metrics, mint) = (health.clone(), rooms.metrics.clone(), rooms.mint.clone());
    let (notices, door) = (rooms.notices.clone(), rooms.tls_door.clone());
    let (looking, began, lately) = (looking(rooms, clock), clock.now(), Lately::default());
    tasks.until_stop(lately.clone().count(rooms.guard.clone()));
    rooms.portal.introduce(Arc::new(move || {
        let report = health.report();
        let resources = looking();
        let [tunnels, connections] = metrics.alive();
        Condition {
            ready: report.ready,
            problems: report.problems,
            version: env!("CARGO_PKG_VERSION"),
            began,
            rules: RulesAre {
                refusing: report.rules_refused,
                kept: report.rules_kept,
            },
            records: resources.records_healthy,
            records_waiting: resources.record_queue,
            turned_away: resources.records_dropped,
            ledger: resources.ledger_in_touch,
            notices: notices.as_ref().map(|notices| NoticesAre {
                waiting: resources.notices_waiting,
                shut_out: resources.notices_shut_out,
                digest_of_nobody: notices.digest_of_nobody(),
                unsent: notices
                    .troubles()
                    .into_iter()
                    .map(|one| Unsent {
                        hook: one.hook,
                        since: one.since,
                        why: one.why,
                    })
                    .collect(),
            }),
            signs_until: mint.issuer().validity().until,
            door: match door.shows_until() {
                _ if !report.door_open => DoorIs::Shut,
                Some(until) => DoorIs::Showing(until),
                None => DoorIs::Unopened,
            },
            certificates: resources.minted_certificates,
            sign_in_failures: resources.sign_in_failures,
            sign_in_failures_lately: lately.of(resources.sign_in_failures),
            unreadable_tokens: resources.unreadable_tokens,
            tunnels,
            connections,
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lately_is_the_last_hour_and_since_the_start_before_there_was_one() {
        let lately = Lately::default();
        assert_eq!(lately.of(3), 3);
        for total in 1..13 {
            lately.note(total);
        }
        assert_eq!(lately.of(20), 20, "the first count is less than an hour ago");
        lately.note(13);
        assert_eq!(lately.of(20), 19, "it is an hour ago, and no less");
        lately.note(14);
        assert_eq!(lately.of(20), 18);
    }
}
