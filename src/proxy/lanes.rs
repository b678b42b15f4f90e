//! Places at the door, and the ways to origins that they pay for. A connection's own place pays for one way at a time;
//! where it carries several flows at once, as HTTP/2 does, each further way takes one more of the client's places. So
//! what a client may hold open does not depend on the protocol it speaks with us.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::facts::{Blame, Fault, FaultCode, Stage};
use crate::ingress::Slot;
use crate::metrics::Alive;

/// Held as long as anything of a connection, or of a tunnel through it, lives: a tunnel outlives the request that opened
/// it.
pub(super) struct Taken {
    by: By,
    /// Whether a way is paid for already.
    leads: AtomicBool,
}

enum By {
    Connection {
        slot: Slot,
        _alive: Alive,
    },
    /// A tunnel, whose own way its inside has: as long as that is read, the tunnel itself leads nowhere.
    Tunnel(Lane),
}

/// A way to an origin that is paid for, until it is dropped.
pub(super) struct Lane {
    of: Arc<Taken>,
    more: Option<Slot>,
}

impl Taken {
    /// The place of a connection that came in.
    pub(super) fn by_connection(slot: Slot, alive: Alive) -> Arc<Self> {
        Self::new(By::Connection { slot, _alive: alive })
    }

    /// The place of a tunnel.
    pub(super) fn by_tunnel(lane: Lane) -> Arc<Self> {
        Self::new(By::Tunnel(lane))
    }

    fn new(by: By) -> Arc<Self> {
        Arc::new(Self {
            by,
            leads: AtomicBool::new(false),
        })
    }

    /// One way to an origin.
    pub(super) fn lane(self: &Arc<Self>) -> Result<Lane, Fault> {
        let more = if self.leads.swap(true, Ordering::AcqRel) {
            let another = self.slot().another();
            let full = |why| {
                Fault::new(
                    Blame::House,
                    Stage::Arrive,
                    FaultCode::ConnectionLimit,
                    format!("{why}"),
                )
            };
            Some(another.map_err(full)?)
        } else {
            None
        };
        let of = Arc::clone(self);
        Ok(Lane { of, more })
    }

    fn slot(&self) -> &Slot {
        match &self.by {
            By::Connection { slot, .. } => slot,
            By::Tunnel(lane) => lane.of.slot(),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.more.is_none() {
            self.of.leads.store(false, Ordering::Release);
        }
    }
}
