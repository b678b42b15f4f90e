//! What `/metrics` shows of things alive.

use std::sync::Arc;

use super::open::Rooms;
use crate::clock::Clock;
use crate::facts::PurposeId;
use crate::ledger::Vouched;
use crate::metrics::{Labels, Resources};
use crate::rulebook::Rulebook;

/// Looks at everything alive.
pub(super) type Looking = Arc<dyn Fn() -> Resources + Send + Sync>;

/// What is alive, as the rooms say at that moment.
pub(super) fn looking(rooms: &Rooms, clock: &Clock) -> Looking {
    let notices = rooms.notices.clone();
    let (book, mint, ledger, guard, clock) = (
        rooms.book.clone(),
        rooms.mint.clone(),
        rooms.ledger.clone(),
        rooms.guard.clone(),
        clock.clone(),
    );
    Arc::new(move || {
        let now = clock.now();
        let counts = ledger.counts(now);
        Resources {
            record_queue: book.queue_len() as u64,
            records_healthy: book.healthy().is_ok(),
            ledger_in_touch: ledger.vouches(false) == Vouched::Now,
            portal_key_current: ledger.is_key_current(),
            unreadable_tokens: ledger.unreadable_tokens() as u64,
            records_dropped: book.turned_away(),
            minted_certificates: mint.cached(),
            sign_in_failures: guard.rejections(),
            reviews: ledger.reviews(now),
            notices_waiting: notices.as_ref().map_or(0, |notices| notices.waiting()),
            notices_shut_out: notices.as_ref().map_or(0, |notices| notices.shut_out().len() as u64),
            grants: counts
                .into_iter()
                .map(|count| (count.purpose, count.life.as_str(), count.grants))
                .collect(),
        }
    })
}

/// Looks at everything alive, then renders the metrics.
pub(super) fn exposition(rooms: &Rooms, looking: Looking) -> Box<dyn Fn() -> String + Send + Sync> {
    let metrics = rooms.metrics.clone();
    Box::new(move || {
        metrics.resources(&looking());
        metrics.text().unwrap_or_else(|problem| format!("# {problem}\n"))
    })
}

/// The closed label sets of the metrics, from the rules in force.
pub(super) fn labels(rulebook: &Rulebook) -> Labels {
    Labels {
        activities: rulebook.policy().vocabulary().activities().keys().cloned().collect(),
        platforms: rulebook
            .catalog()
            .platforms()
            .map(|platform| platform.id.clone())
            .collect(),
        // what people continued past, and whom they let answer for them, is counted among the grants, and states no purpose
        purposes: rulebook
            .purposes()
            .iter()
            .map(|purpose| purpose.id.clone())
            .chain([PurposeId::CONTINUED, PurposeId::DELEGATED].map(PurposeId::new))
            .collect(),
        rulebook: rulebook.id().clone(),
    }
}
