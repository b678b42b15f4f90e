//! What is open now and lasts, which is in no list of what was decided before it ends: tunnels, sockets and event streams from
//! their beginning, any other exchange once it has gone on for some time.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Counters;
use super::entry::RestsOn;
use super::filter::is_under;
use crate::clock::Timestamp;
use crate::facts::{Act, DecisionNote, Observation, Record, RecordId};

/// What lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// A tunnel that passes unread.
    Tunnel,
    /// A WebSocket.
    Socket,
    /// An answer that goes on as events happen.
    Events,
    /// A tunnel that is read: each request in it is a flow of its own.
    Read,
    /// A request and its answer, of which one takes its time: a long upload or download, or an origin that thinks.
    Exchange,
}

impl Lasting {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tunnel => "tunnel",
            Self::Socket => "websocket",
            Self::Events => "event-stream",
            Self::Read => "read-tunnel",
            Self::Exchange => "exchange",
        }
    }
}

/// A flow that is open.
#[derive(Debug)]
pub struct OpenFlow {
    /// What it is.
    pub kind: Lasting,
    /// What was seen and decided of it, as its opening line says it or would; under the grant on which it rests by now.
    pub record: Record,
    counters: Arc<Counters>,
}

impl OpenFlow {
    /// What was seen and decided.
    pub fn judged(&self) -> Option<(&Observation, &DecisionNote)> {
        match &self.record.act {
            Act::Opening { seen, decided } => Some((seen, decided)),
            Act::Closing { .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        }
    }

    /// The same with the grant that lets it go on by now, where that is another one than let it begin.
    fn as_it_rests(self: Arc<Self>) -> Arc<Self> {
        let Some((seen, decided)) = self.judged() else {
            return self;
        };
        let (grant, purpose) = match self.counters.resting_on() {
            RestsOn::Grant(grant, purpose) if !is_under(decided, &grant) => (Some(grant), Some(purpose)),
            RestsOn::Rules if decided.grant.is_some() => (None, None),
            RestsOn::AsJudged | RestsOn::Rules | RestsOn::Grant(..) => return self,
        };
        let decided = DecisionNote {
            grant,
            purpose,
            ..decided.clone()
        };
        let record = Record {
            id: self.record.id.clone(),
            at: self.record.at,
            people: Vec::new(),
            act: Act::Opening {
                seen: Box::new(seen.clone()),
                decided: Box::new(decided),
            },
        };
        Arc::new(Self {
            kind: self.kind,
            record,
            counters: Arc::clone(&self.counters),
        })
    }

    /// How many bytes it has carried until now: from the client, and to it.
    pub fn carried(&self) -> [u64; 2] {
        [&self.counters.up, &self.counters.down].map(|way| way.load(Ordering::Relaxed))
    }
}

/// All that is open and lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<BTreeMap<RecordId, Arc<OpenFlow>>>>);

/// A flow's place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: RecordId,
    open: Open,
}

impl Open {
    /// One more, of which this was seen and decided.
    pub(super) fn enter(
        &self,
        kind: Lasting,
        (id, at): (&RecordId, Timestamp),
        (seen, decided): (Box<Observation>, Box<DecisionNote>),
        counters: Arc<Counters>,
    ) -> Place {
        let record = Record {
            id: id.clone(),
            at,
            people: Vec::new(),
            act: Act::Opening { seen, decided },
        };
        let flow = OpenFlow { kind, record, counters };
        self.flows().insert(id.clone(), Arc::new(flow));
        Place {
            id: id.clone(),
            open: self.clone(),
        }
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<OpenFlow>> {
        let all: Vec<_> = self.flows().values().cloned().collect();
        all.into_iter().map(OpenFlow::as_it_rests).collect()
    }

    fn flows(&self) -> MutexGuard<'_, BTreeMap<RecordId, Arc<OpenFlow>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.flows().remove(&self.id);
    }
}
