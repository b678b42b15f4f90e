//! Whoever tells people what they wait for, introduced to the rooms that it needs.

use std::sync::Arc;

use super::open::{OpenError, Rooms};
use crate::clock::Clock;
use crate::config;
use crate::notices::{Notices, Parts};

/// Opens the room, and has the ledger note what there is to tell; none where nobody is told.
pub(super) fn open(settings: &config::File, rooms: &Rooms, clock: &Clock) -> Result<Option<Arc<Notices>>, OpenError> {
    let notices = Notices::new(Parts {
        settings: settings.notices.clone(),
        portal: rooms.portal.host().clone(),
        language: settings.portal.language,
        delegates: settings.portal.delegation_days > 0,
        ledger: rooms.ledger.clone(),
        live: rooms.live.clone(),
        errands: rooms.errands.clone(),
        clock: clock.clone(),
        metrics: rooms.metrics.clone(),
    })?;
    Ok(notices.map(Arc::new))
}
