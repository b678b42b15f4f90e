//! The desk: lines that were accepted and are not on disk yet, and who waits for them.
//!
//! Memory stays bounded without losing a line: a flow waits for room when it enters, and from then on the entry itself
//! holds what its closing line will say. So at most `limit` lines and the lines of the open entries are here.

mod pen;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::audit::batch::{Batch, Durable, Line};
use crate::audit::segment::Segment;
use crate::audit::{OnFull, Unavailable};
use crate::clock::{Clock, Timestamp};
use crate::facts::RulebookId;

/// More than this many waiting bytes are written without lingering for company.
const PLENTY_BYTES: usize = 1024 * 1024;

/// What the writer should do next.
pub(in crate::audit) enum Turn {
    /// Write these.
    Write(Batch),
    /// Nothing came for a while.
    Idle,
    /// Everything is written and nothing more will come.
    End,
}

/// A time without records: why, since when, and how many flows were turned away unrecorded.
#[derive(Clone)]
pub(in crate::audit) struct Gap {
    pub(in crate::audit) why: String,
    pub(in crate::audit) since: Timestamp,
    pub(in crate::audit) refused: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Flows may enter.
    Open,
    /// No flow may enter; open entries may still close.
    Closing,
    /// The writer finishes what is here and ends.
    Finishing,
    /// There is no writer.
    Ended,
}

struct State {
    phase: Phase,
    waiting: Batch,
    waiting_bytes: usize,
    /// Lines accepted and not on disk: those waiting and those that the writer holds.
    backlog: usize,
    /// Whether the writer should take what is here now.
    urgent: bool,
    /// Entries that have not closed.
    open: usize,
    /// Why the disk does not take lines.
    trouble: Option<String>,
    gap: Option<Gap>,
    lost: usize,
    rulebook: RulebookId,
}

/// See the module.
pub(in crate::audit) struct Desk {
    state: Mutex<State>,
    /// Wakes the writer.
    wake: Condvar,
    /// Wakes flows that wait for room, and those who wait for the end.
    changed: Notify,
    limit: usize,
    on_full: OnFull,
    clock: Clock,
    /// Whether there is neither trouble nor an end: every request asks, so it is known without the lock.
    well: AtomicBool,
    /// How many flows were turned away unrecorded.
    turned_away: AtomicU64,
    /// The segment that is being written.
    segment: AtomicU64,
}

enum Admission {
    In,
    Wait,
    Refused(Unavailable),
}

impl Desk {
    pub(in crate::audit) fn new(limit: usize, on_full: OnFull, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Open,
                waiting: Batch::default(),
                waiting_bytes: 0,
                backlog: 0,
                urgent: false,
                open: 0,
                trouble: None,
                gap: None,
                lost: 0,
                rulebook: RulebookId::new("none"),
            }),
            wake: Condvar::new(),
            changed: Notify::new(),
            limit: limit.max(1),
            on_full,
            clock,
            well: AtomicBool::new(true),
            turned_away: AtomicU64::new(0),
            segment: AtomicU64::new(Segment::FIRST.0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing panics while it holds the lock; should it, the state is still whole
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more open entry, as soon as there is room for its line.
    pub(in crate::audit) async fn admit(&self) -> Result<(), Unavailable> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.try_admit() {
                Admission::In => return Ok(()),
                Admission::Refused(why) => return Err(why),
                Admission::Wait => changed.await,
            }
        }
    }

    fn try_admit(&self) -> Admission {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return Admission::Refused(Unavailable::refused("the gateway is stopping"));
        }
        if let Some(why) = state.trouble.clone() {
            self.turn_away(&mut state, &why);
            return Admission::Refused(Unavailable::refused(why));
        }
        if state.backlog < self.limit {
            state.open += 1;
            return Admission::In;
        }
        match self.on_full {
            OnFull::Block => Admission::Wait,
            OnFull::Refuse => {
                let why = format!("{} records wait for the disk, which is too slow", state.backlog);
                self.turn_away(&mut state, &why);
                Admission::Refused(Unavailable::refused(why))
            }
        }
    }

    fn turn_away(&self, state: &mut State, why: &str) {
        self.gap(state, why).refused += 1;
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// The time in which records are missing; that it begins is told, once.
    fn gap<'s>(&self, state: &'s mut State, why: &str) -> &'s mut Gap {
        state.gap.get_or_insert_with(|| {
            tracing::error!(why, "records cannot be kept, so nothing passes");
            Gap {
                why: why.to_owned(),
                since: self.clock.now(),
                refused: 0,
            }
        })
    }

    /// Accepts a line that somebody waits for; refuses it at once while the disk is in trouble.
    pub(in crate::audit) fn accept_act(
        &self,
        line: Line,
        rulebook: Option<RulebookId>,
    ) -> Result<Durable, Unavailable> {
        let mut state = self.state();
        Self::refuse_if_deaf(&state)?;
        if let Some(why) = &state.trouble {
            return Err(Unavailable::refused(why.clone()));
        }
        state.know(rulebook);
        let durable = state.waiting.wait();
        state.urgent = true;
        self.put(state, line);
        Ok(durable)
    }

    /// Accepts a line that nobody waits for.
    pub(in crate::audit) fn accept_note(&self, line: Line, rulebook: Option<RulebookId>) {
        let mut state = self.state();
        state.know(rulebook);
        self.put(state, line);
    }

    /// Accepts the closing line of an entry, which is no longer open.
    pub(in crate::audit) fn accept_closing(&self, line: Option<Line>) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        let last = state.open == 0 && state.phase != Phase::Open;
        match line {
            Some(line) => self.put(state, line),
            None => state.lost += 1,
        }
        if last {
            self.changed.notify_waiters();
        }
    }

    /// An entry is no longer open, and has no line of its own.
    pub(in crate::audit) fn release(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 && state.phase != Phase::Open {
            self.changed.notify_waiters();
        }
    }

    /// Accepts nothing, but answers when everything before it is on disk.
    pub(in crate::audit) fn accept_flush(&self) -> Result<Durable, Unavailable> {
        let mut state = self.state();
        Self::refuse_if_deaf(&state)?;
        if let Some(why) = &state.trouble {
            return Err(Unavailable::kept(why.clone()));
        }
        let durable = state.waiting.wait();
        state.urgent = true;
        drop(state);
        self.wake.notify_one();
        Ok(durable)
    }

    fn refuse_if_deaf(state: &State) -> Result<(), Unavailable> {
        match state.phase {
            Phase::Open | Phase::Closing => Ok(()),
            Phase::Finishing | Phase::Ended => Err(Unavailable::refused("the book is closed")),
        }
    }

    fn put(&self, mut state: MutexGuard<'_, State>, line: Line) {
        if state.phase == Phase::Ended {
            state.lost += 1;
            return;
        }
        let first = state.waiting.lines.is_empty();
        state.waiting_bytes += line.json.len();
        state.waiting.lines.push(line);
        state.backlog += 1;
        if state.waiting_bytes > PLENTY_BYTES || state.waiting.lines.len() > self.limit / 2 {
            state.urgent = true;
        }
        // while the writer lingers for company, only an urgent line needs to wake it
        let wake = first || state.urgent;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Whether lines can be written; if not, why.
    pub(in crate::audit) fn healthy(&self) -> Result<(), String> {
        if self.well.load(Ordering::Acquire) {
            return Ok(());
        }
        let state = self.state();
        match (&state.trouble, state.phase) {
            (Some(why), _) => Err(why.clone()),
            (None, Phase::Ended) => Err("the writer of the records has stopped".to_owned()),
            (None, Phase::Open | Phase::Closing | Phase::Finishing) => Ok(()),
        }
    }

    pub(in crate::audit) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// The segment that is being written: what is accepted from now on is in it or in a later one.
    pub(in crate::audit) fn segment(&self) -> Segment {
        Segment(self.segment.load(Ordering::Acquire))
    }

    pub(in crate::audit) fn backlog(&self) -> usize {
        self.state().backlog
    }

    /// The rules that were last said to be in force.
    pub(in crate::audit) fn rulebook(&self) -> RulebookId {
        self.state().rulebook.clone()
    }

    /// Ends the book in order.
    pub(in crate::audit) async fn close(&self) -> Result<(), Unavailable> {
        self.shut();
        self.until(|state| state.open == 0 || state.phase == Phase::Ended).await;
        self.finish();
        self.until(|state| state.phase == Phase::Ended).await;
        let lost = self.state().lost;
        if lost == 0 {
            return Ok(());
        }
        let why = self.healthy().err().unwrap_or_default();
        Err(Unavailable::refused(format!("{lost} records are lost: {why}")))
    }

    async fn until(&self, done: impl Fn(&State) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if done(&self.state()) {
                return;
            }
            changed.await;
        }
    }

    fn shut(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Tells the writer to finish; there are no entries left.
    pub(in crate::audit) fn finish(&self) {
        let mut state = self.state();
        if state.phase != Phase::Ended {
            state.phase = Phase::Finishing;
        }
        drop(state);
        self.wake.notify_one();
    }
}

impl State {
    fn know(&mut self, rulebook: Option<RulebookId>) {
        if let Some(rulebook) = rulebook {
            self.rulebook = rulebook;
        }
    }
}
