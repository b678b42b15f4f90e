//! Connections to origins, kept for the next request.
//!
//! One [`Slot`] an origin. HTTP/1.1 connections wait in a list, the one used last on top; one HTTP/2 connection is
//! shared. As long as nobody knows what an origin speaks, or where it speaks HTTP/2, only one request at a time
//! dials, and the others wait for what comes of it.
#![expect(clippy::disallowed_methods, reason = "door: measures how long connections are idle")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connect::{Connector, Sender};
use super::faults;
use crate::facts::{Authority, Fault};

/// Which connections can serve a request: those to the same authority, over TLS or in clear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Where to.
    pub(super) authority: Authority,
    /// Whether over TLS.
    pub(super) secure: bool,
}

/// How many unused connections are kept, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    pub(super) per_origin: usize,
    pub(super) total: usize,
    pub(super) idle: Duration,
}

/// A connection for one request.
pub(super) struct Checkout {
    pub(super) sender: Sender,
    /// Whether it was there before: it may have been closed by the origin a moment ago.
    pub(super) reused: bool,
}

/// The connections of the house.
pub(super) struct Pool {
    connector: Connector,
    keep: Keep,
    slots: Mutex<BTreeMap<Key, Arc<Slot>>>,
    idle: AtomicUsize,
    sweeping: std::sync::Once,
}

/// The connections to one origin.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    dialling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// HTTP/1.1 connections, also those that are still delivering an answer: they tell when they are ready.
    waiting: Vec<Waiting>,
    shared: Option<(Sender, Instant)>,
    speaks_http1: bool,
    /// Counts the dials that were waited for, and keeps what the last one failed with.
    dials: u64,
    failed: Option<Fault>,
}

struct Waiting {
    sender: Sender,
    /// Since when it is known to be unused.
    since: Option<Instant>,
}

impl Pool {
    pub(super) fn new(connector: Connector, keep: Keep) -> Arc<Self> {
        Arc::new(Self {
            connector,
            keep,
            slots: Mutex::default(),
            idle: AtomicUsize::new(0),
            sweeping: std::sync::Once::new(),
        })
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A connection to the origin: a kept one if there is one, else a new one.
    pub(super) async fn checkout(self: &Arc<Self>, key: &Key) -> Result<Checkout, Fault> {
        self.start_sweeping();
        let slot = self.slot(key);
        if let Some(sender) = slot.kept() {
            return Ok(Checkout { sender, reused: true });
        }
        if !key.secure || slot.lock().speaks_http1 {
            return self.fresh(key).await;
        }
        let seen = slot.lock().dials;
        let turn = slot.dialling.lock().await;
        if let Some(sender) = slot.kept() {
            return Ok(Checkout { sender, reused: true });
        }
        if let Some(fault) = slot.lock().failed_since(seen) {
            return Err(fault);
        }
        if slot.lock().speaks_http1 {
            drop(turn);
            return self.fresh(key).await;
        }
        // boxed: most requests find a connection, and a dial would make the future of each of them large
        let dialled = Box::pin(self.fresh(key)).await;
        let mut state = slot.lock();
        state.dials += 1;
        state.failed = dialled.as_ref().err().map(faults::again);
        dialled
    }

    /// A new connection, whatever is kept.
    pub(super) async fn fresh(&self, key: &Key) -> Result<Checkout, Fault> {
        let sender = self.connector.connect(key).await?;
        let slot = self.slot(key);
        let mut state = slot.lock();
        match sender.share() {
            Some(shared) => state.shared = Some((shared, Instant::now())),
            None => state.speaks_http1 = true,
        }
        Ok(Checkout { sender, reused: false })
    }

    /// Keeps a connection for the next request. It may still be delivering the answer to the last one.
    pub(super) fn keep(&self, key: &Key, sender: Sender) {
        let slot = self.slot(key);
        let mut state = slot.lock();
        match sender {
            Sender::Http1(_) => state.waiting.push(Waiting { sender, since: None }),
            Sender::Http2(_) => {
                if let Some((_, used)) = &mut state.shared {
                    *used = Instant::now();
                }
            }
        }
    }

    /// How many connections are kept unused, as of the last look.
    pub(super) fn idle(&self) -> usize {
        self.idle.load(Ordering::Relaxed)
    }

    /// Lets all kept connections go.
    pub(super) fn clear(&self) {
        self.all().clear();
        self.idle.store(0, Ordering::Relaxed);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Slot>>> {
        // Nothing panics while it holds the lock; and if it did, the map would still be whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: &Key) -> Arc<Slot> {
        let mut slots = self.all();
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(key.clone()).or_default())
    }

    fn start_sweeping(self: &Arc<Self>) {
        self.sweeping.call_once(|| {
            let often = (self.keep.idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
            let shut = self.connector.shut().clone();
            self.connector.tasks().spawn(sweep(Arc::downgrade(self), often, shut));
        });
    }

    /// Lets go what is closed, too old or too much.
    fn tidy(&self, now: Instant) {
        let mut left = self.keep.total;
        self.all().retain(|_, slot| {
            let mut state = slot.lock();
            left = left.saturating_sub(state.tidy(now, self.keep.idle, self.keep.per_origin.min(left)));
            !state.waiting.is_empty() || state.shared.is_some() || Arc::strong_count(slot) > 1
        });
        self.idle.store(self.keep.total.saturating_sub(left), Ordering::Relaxed);
    }
}

async fn sweep(pool: Weak<Pool>, often: Duration, shut: CancellationToken) {
    loop {
        tokio::select! {
            () = shut.cancelled() => return,
            () = tokio::time::sleep(often) => {}
        }
        match pool.upgrade() {
            Some(pool) => pool.tidy(Instant::now()),
            None => return,
        }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kept connection that can be used now.
    fn kept(&self) -> Option<Sender> {
        let mut state = self.lock();
        match &mut state.shared {
            Some((sender, used)) if !sender.is_closed() => {
                *used = Instant::now();
                return sender.share();
            }
            Some(_) => state.shared = None,
            None => {}
        }
        state.waiting.retain(|waiting| !waiting.sender.is_closed());
        let ready = state.waiting.iter().rposition(|waiting| waiting.sender.is_ready())?;
        Some(state.waiting.remove(ready).sender)
    }
}

impl State {
    /// What the dial that began after `seen` failed with, if it did.
    fn failed_since(&self, seen: u64) -> Option<Fault> {
        let failed = self.failed.as_ref().filter(|_| self.dials > seen);
        failed.map(faults::again)
    }

    /// Tidies up, and returns how many unused connections are left.
    fn tidy(&mut self, now: Instant, idle: Duration, most: usize) -> usize {
        if self
            .shared
            .as_ref()
            .is_some_and(|(sender, used)| sender.is_closed() || now - *used >= idle)
        {
            // Answers that are still on their way are delivered: only new requests find it gone.
            self.shared = None;
        }
        let mut unused = usize::from(self.shared.is_some());
        self.waiting.reverse(); // the one used last counts first
        self.waiting.retain_mut(|waiting| {
            if waiting.sender.is_closed() {
                return false;
            }
            if !waiting.sender.is_ready() {
                return true;
            }
            let since = *waiting.since.get_or_insert(now);
            let stays = now - since < idle && unused < most;
            unused += usize::from(stays);
            stays
        });
        self.waiting.reverse();
        unused
    }
}
