//! What is looked at again and again until the stop: accounts, tokens and grants, and how these are used.
#![expect(
    clippy::disallowed_methods,
    reason = "door: looks at the accounts off the workers' threads"
)]

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::counting;
use super::open::Rooms;
use crate::clock::Clock;
use crate::facts::AccountMarks;
use crate::identity::Guard;
use crate::portal::Portal;
use crate::proxy::Tasks;
use crate::rulebook::Live;

/// How often the accounts are looked at: whoever is removed is signed out within a second.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Notices what becomes of accounts, tokens and grants as time passes, and keeps how they are used, until the stop.
pub(super) fn notice(rooms: &Rooms, tasks: &Tasks, clock: &Clock) {
    let (portal, live) = (rooms.portal.clone(), rooms.live.clone());
    tasks.until_stop(follow_accounts(rooms.guard.clone(), portal.clone()));
    tasks.until_stop(note_accounts(portal.clone(), live.clone(), clock.clone()));
    tasks.until_stop(end_tokens(portal.clone(), clock.clone()));
    tasks.until_stop(notice_lapses(portal.clone(), live, clock.clone()));
    let shared_at = clock.clone();
    tasks.until_stop(async move { portal.shares(shared_at).await });
    let counted = (rooms.ledger.clone(), rooms.usage.clone());
    tasks.until_stop(counting::keep_uses(counted, clock.clone()));
}

/// Follows the accounts until the task is dropped: whoever is removed is signed out, and nothing rests on their tokens any more.
/// INVARIANT: it waits for neither the ledger nor the book, however slow they are. The methods log what is wrong with them.
async fn follow_accounts(guard: Arc<Guard>, portal: Arc<Portal>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        ticks.tick().await;
        let guard = guard.clone();
        match tokio::task::spawn_blocking(move || guard.reload()).await {
            Ok(Ok(()) | Err(_)) => {}
            Err(error) => tracing::error!(%error, "looking at the accounts broke off"),
        }
        let accounts = portal.accounts();
        if accounts.as_ref().map(Arc::as_ptr) != seen.as_ref().map(Arc::as_ptr) {
            portal.suspend_by_accounts();
            seen = accounts;
        }
    }
}

/// Keeps what becomes of tokens with the accounts until the task is dropped, as fast as that can be kept.
async fn note_accounts(portal: Arc<Portal>, live: Arc<Live>, clock: Clock) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut noted = None;
    loop {
        ticks.tick().await;
        noted = notice_accounts(&portal, &live, &clock, noted).await;
    }
}

/// Ends the tokens of those whose accounts are not as they were noted, in this life or the one before. Gives those that are
/// noted, so that they are not looked through until they change.
pub(super) async fn notice_accounts(
    portal: &Portal,
    live: &Live,
    clock: &Clock,
    noted: Option<Arc<AccountMarks>>,
) -> Option<Arc<AccountMarks>> {
    let accounts = portal.accounts()?;
    if noted.as_ref().is_some_and(|noted| Arc::ptr_eq(noted, &accounts)) {
        return noted;
    }
    let rulebook = live.load().rulebook.id().clone();
    let is_noted = portal.notice_accounts(&accounts, &rulebook, clock.now()).await;
    is_noted.then_some(accounts)
}

/// Ends what rests on tokens that are over until the task is dropped: by itself, as what lapses waits for the disk.
async fn end_tokens(portal: Arc<Portal>, clock: Clock) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        portal.end_tokens(clock.now());
    }
}

/// Notices what nobody answered in time or used for too long until the task is dropped; at the start, what lapsed before it.
async fn notice_lapses(portal: Arc<Portal>, live: Arc<Live>, clock: Clock) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let rulebook = live.load().rulebook.id().clone();
        portal.notice_lapses(&rulebook, clock.now()).await;
        portal.notice_idle(&rulebook, clock.now()).await;
    }
}
