//! Rules, people and sign-ins change while something flows to somebody: then they are looked at anew.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::{Clock, Timestamp};
use crate::facts::RulebookId;
use crate::rulebook::{InForce, Live};

/// Comes when nothing may flow to somebody any more.
pub type Until = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// What there is to hear of while something flows to somebody.
pub struct Anew {
    over: Until,
    live: Arc<Live>,
    changes: watch::Receiver<RulebookId>,
    clock: Clock,
}

impl Anew {
    /// Hears of every change of rules or people from this moment on, and that it is over once `over` comes, whatever they
    /// say.
    pub fn listening(live: &Arc<Live>, clock: &Clock, over: Until) -> Self {
        Self {
            over,
            changes: live.changes(),
            live: Arc::clone(live),
            clock: clock.clone(),
        }
    }

    /// Comes once nothing may flow any more.
    pub(super) async fn over(&mut self) {
        (&mut self.over).await;
    }

    /// Comes once that is so, or other rules or people are in force.
    pub(super) async fn comes(&mut self) {
        tokio::select! {
            () = &mut self.over => {}
            _ = self.changes.changed() => {}
        }
    }

    /// Whether other rules or people are in force than were looked at last.
    pub(super) fn has_changed(&self) -> bool {
        self.changes.has_changed().unwrap_or(false)
    }

    /// The rules and people in force, and since when they are looked at.
    pub(super) fn look(&mut self) -> (Arc<InForce>, Timestamp) {
        // marked before they are loaded, so that no change falls between the two
        self.changes.mark_unchanged();
        (self.live.load(), self.clock.now())
    }
}
