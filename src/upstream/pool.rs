//! Connections to origins, kept for the next request.
//!
//! One [`Slot`] an origin. HTTP/1.1 connections wait in a list once their answer has ended, the one used last on top;
//! HTTP/2 connections are shared, and one more is dialled when all of them are full. As long as nobody knows what an
//! origin speaks, or where it speaks HTTP/2, only one request at a time dials, and the others wait for what comes of it.
#![expect(clippy::disallowed_methods, reason = "door: measures how long connections are idle")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::client::conn::http1;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connect::{Connected, Connector, Sender, Shared};
use super::dial::Targets;
use super::outgoing::Spelled;
use super::streams::{self, Reservation};
use super::{Body, faults};
use crate::facts::{Authority, Fault};
use crate::policy::Permit;

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

/// What an exchange holds until its answer has ended.
pub(super) enum Held {
    /// A stream on a shared connection.
    Stream(Reservation),
    /// A whole connection, and where it is kept.
    Whole(http1::SendRequest<Body>, Arc<Slot>, Arc<Pool>),
}

impl Held {
    /// The answer has ended: the next request may have it. Dropped instead, a whole connection is let go.
    pub(super) fn give_back(self) {
        match self {
            Self::Stream(reservation) => drop(reservation),
            Self::Whole(sender, slot, pool) => pool.keep(&slot, sender),
        }
    }
}

/// The connections of the house.
pub(super) struct Pool {
    connector: Connector,
    keep: Keep,
    slots: Mutex<BTreeMap<Key, Arc<Slot>>>,
    /// All that wait, in whichever slot.
    waiting: Arc<Order>,
    sweeping: std::sync::Once,
}

/// The connections to one origin.
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) spelled: Spelled,
    state: Mutex<State>,
    dialling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// HTTP/1.1 connections whose last answer has ended, in the order in which they did.
    waiting: Vec<Waiting>,
    /// HTTP/2 connections, the oldest first: what a rush has added is used last, and let go first.
    shared: Vec<Sharing>,
    speaks_http1: bool,
    /// Counts the dials that were waited for, and keeps what the last one failed with.
    dials: u64,
    failed: Option<Fault>,
}

struct Waiting {
    sender: http1::SendRequest<Body>,
    since: Instant,
    turn: Turn,
}

struct Sharing {
    connection: Shared,
    /// Since when it is known to be unused.
    since: Option<Instant>,
}

/// Where those wait who wait, in the order in which they began to. INVARIANT: its lock is the last to be taken.
#[derive(Default)]
struct Order(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    last: u64,
    waiting: BTreeMap<u64, Weak<Slot>>,
}

/// A place in that order, given up when dropped.
struct Turn {
    order: Arc<Order>,
    number: u64,
}

impl Order {
    fn join(self: &Arc<Self>, slot: &Arc<Slot>) -> Turn {
        let mut turns = self.lock();
        turns.last += 1;
        let number = turns.last;
        turns.waiting.insert(number, Arc::downgrade(slot));
        Turn {
            order: Arc::clone(self),
            number,
        }
    }

    fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// The turn of the one that has waited longest, and where.
    fn first(&self) -> Option<(u64, Arc<Slot>)> {
        let turns = self.lock();
        let (number, slot) = turns.waiting.first_key_value()?;
        Some((*number, slot.upgrade()?))
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.order.lock().waiting.remove(&self.number);
    }
}

impl Pool {
    pub(super) fn new(connector: Connector, keep: Keep) -> Arc<Self> {
        Arc::new(Self {
            connector,
            keep,
            slots: Mutex::default(),
            waiting: Arc::default(),
            sweeping: std::sync::Once::new(),
        })
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Where the connections to an origin are kept.
    pub(super) fn slot(self: &Arc<Self>, key: Key) -> Result<Arc<Slot>, Fault> {
        self.start_sweeping();
        let mut slots = self.all();
        if let Some(slot) = slots.get(&key) {
            return Ok(Arc::clone(slot));
        }
        let slot = Arc::new(Slot {
            spelled: Spelled::of(&key)?,
            key: key.clone(),
            state: Mutex::default(),
            dialling: tokio::sync::Mutex::default(),
        });
        slots.insert(key, Arc::clone(&slot));
        Ok(slot)
    }

    /// A connection to the origin: a kept one if there is one, else a new one.
    pub(super) async fn checkout(&self, slot: &Slot, permit: &Permit) -> Result<Checkout, Fault> {
        if let Some(sender) = slot.kept() {
            return Ok(Checkout { sender, reused: true });
        }
        // boxed: most requests find a connection, and a dial would make the future of each of them large
        let targets = Box::pin(self.connector.dialer.find(permit)).await?; // nobody waits for another's look-ups
        if !slot.key.secure || slot.lock().speaks_http1 {
            return Box::pin(self.fresh(slot, targets)).await;
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
            return Box::pin(self.fresh(slot, targets)).await;
        }
        let dialled = Box::pin(self.fresh(slot, targets)).await;
        let mut state = slot.lock();
        state.dials += 1;
        state.failed = dialled.as_ref().err().map(faults::again);
        dialled
    }

    async fn fresh(&self, slot: &Slot, targets: Targets) -> Result<Checkout, Fault> {
        // what an origin lets its other connections carry holds for the next, which cannot say so before it is used
        let streams = slot
            .lock()
            .shared
            .last()
            .map_or(streams::MOST, |each| each.connection.streams.most());
        let connected = self.connector.connect(&slot.key, targets, streams).await?;
        let mut state = slot.lock();
        let sender = match connected {
            Connected::Http1(sender) => {
                state.speaks_http1 = true;
                Sender::Http1(sender)
            }
            Connected::Http2(connection, reservation) => {
                state.speaks_http1 = false; // any more
                let sender = Sender::Http2(connection.sender.clone(), reservation);
                let since = None;
                state.shared.push(Sharing { connection, since });
                sender
            }
        };
        Ok(Checkout { sender, reused: false })
    }

    fn keep(&self, slot: &Arc<Slot>, sender: http1::SendRequest<Body>) {
        if sender.is_closed() || self.keep.per_origin == 0 || self.keep.total == 0 {
            return;
        }
        slot.lock().make_room(self.keep.per_origin);
        if self.waiting.len() >= self.keep.total {
            self.evict();
        }
        slot.lock().waiting.push(Waiting {
            sender,
            since: Instant::now(),
            turn: self.waiting.join(slot),
        });
    }

    /// Lets the connection go that has waited longest, to whichever origin it leads.
    fn evict(&self) {
        if let Some((longest, slot)) = self.waiting.first() {
            slot.lock().waiting.retain(|each| each.turn.number != longest);
        }
    }

    /// How many connections are kept unused.
    pub(super) fn idle(&self) -> usize {
        let shared = |slot: &Arc<Slot>| {
            slot.lock()
                .shared
                .iter()
                .filter(|each| each.connection.is_unused())
                .count()
        };
        self.waiting.len() + self.all().values().map(shared).sum::<usize>()
    }

    /// Lets all kept connections go.
    pub(super) fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Slot>>> {
        // Nothing panics while it holds the lock; and if it did, the map would still be whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
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
            !state.waiting.is_empty() || !state.shared.is_empty() || Arc::strong_count(slot) > 1
        });
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
        state.shared.retain(|each| !each.connection.sender.is_closed());
        for each in &mut state.shared {
            if let Some(reservation) = each.connection.streams.enter() {
                each.since = None;
                return Some(Sender::Http2(each.connection.sender.clone(), reservation));
            }
        }
        let ready = state.waiting.iter().rposition(|waiting| waiting.sender.is_ready())?;
        Some(Sender::Http1(state.waiting.remove(ready).sender))
    }
}

impl State {
    /// Lets go those that have waited longest, until one more is among `most`.
    fn make_room(&mut self, most: usize) {
        if self.waiting.len() >= most {
            self.waiting.retain(|each| !each.sender.is_closed());
            let surplus = (self.waiting.len() + 1).saturating_sub(most);
            self.waiting.drain(..surplus);
        }
    }

    /// What the dial that began after `seen` failed with, if it did.
    fn failed_since(&self, seen: u64) -> Option<Fault> {
        let failed = self.failed.as_ref().filter(|_| self.dials > seen);
        failed.map(faults::again)
    }

    /// Tidies up, and returns how many unused connections are left.
    fn tidy(&mut self, now: Instant, idle: Duration, most: usize) -> usize {
        let mut unused = 0;
        let mut stays = |since: Instant| {
            let stays = now - since < idle && unused < most;
            unused += usize::from(stays);
            stays
        };
        self.shared.retain_mut(|each| {
            if each.connection.sender.is_closed() {
                return false;
            }
            if !each.connection.is_unused() {
                each.since = None;
                return true;
            }
            stays(*each.since.get_or_insert(now))
        });
        self.waiting.reverse(); // the one used last counts first
        self.waiting
            .retain(|each| !each.sender.is_closed() && stays(each.since));
        self.waiting.reverse();
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(to: &str) -> Arc<Slot> {
        let key = Key {
            authority: Authority::parse(to, None).unwrap(),
            secure: false,
        };
        Arc::new(Slot {
            spelled: Spelled::of(&key).unwrap(),
            key,
            state: Mutex::default(),
            dialling: tokio::sync::Mutex::default(),
        })
    }

    #[test]
    fn the_one_that_has_waited_longest_is_known_without_a_look_at_any_other() {
        let order = Arc::<Order>::default();
        let (x, y) = (slot("x.com:80"), slot("y.com:80"));
        // nobody can look at them now
        let _held = (x.lock(), y.lock());
        let first = || order.first().map(|(number, slot)| (number, slot.key.clone()));
        let [one, two, three] = [&x, &y, &x].map(|slot| order.join(slot));
        assert_eq!(first(), Some((one.number, x.key.clone())));
        drop(one);
        assert_eq!(first(), Some((two.number, y.key.clone())));
        drop((two, three));
        assert_eq!((first(), order.len()), (None, 0));
    }
}
