//! Counts how much purposes are used, and has it added up in the ledger.

use std::sync::Arc;

use tokio::time::MissedTickBehavior;

use crate::audit::Reader;
use crate::clock::Clock;
use crate::ledger::{Ledger, Usage};
use crate::rulebook::Live;

/// Counts how much purposes are used, by the departments in which people are now.
pub(super) fn reader(usage: &Usage, live: &Arc<Live>) -> Reader {
    let (usage, live) = (usage.clone(), live.clone());
    Box::new(move |record| {
        usage.saw(record, |who| {
            let in_force = live.load();
            Some(in_force.directory.listed(who)?.department.clone())
        });
    })
}

/// Has written down when grants were used last, and how much, until the task is dropped; at the start, what weeks that were
/// over before it are told.
pub(super) async fn keep_uses((ledger, usage): (Ledger, Usage), clock: Clock) {
    let mut ticks = tokio::time::interval(Ledger::KEEPS_USES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ledger.keep_uses();
        add_up(&ledger, &usage, &clock).await;
        ledger.look_at_key().await;
    }
}

/// What cannot be added up now is added up the next time.
pub(super) async fn add_up(ledger: &Ledger, usage: &Usage, clock: &Clock) {
    if let Err(error) = ledger.add_up(usage, clock.now()).await {
        tracing::warn!(%error, "the ledger cannot add up now how much purposes are used");
    }
}
