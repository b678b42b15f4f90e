//! The desk: lines that were accepted and are not on disk yet, and who waits for them.
//!
//! Memory stays bounded without losing a line: a flow waits for room when it enters, and from then on the entry itself
//! holds what its closing line will say. So at most `limit` lines and the lines of the open entries are here.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::batch::{Batch, Durable};
use super::{OnFull, Unavailable};
use crate::clock::{Clock, Timestamp};
use crate::facts::RulebookId;

/// More than this many waiting bytes are written without lingering for company.
const PLENTY_BYTES: usize = 1024 * 1024;

/// What the writer should do next.
pub(super) enum Turn {
    /// Write these.
    Write(Batch),
    /// Nothing came for a while.
    Idle,
    /// Everything is written and nothing more will come.
    End,
}

/// A time without records: why, since when, and how many flows were turned away unrecorded.
#[derive(Clone)]
pub(super) struct Gap {
    pub(super) why: String,
    pub(super) since: Timestamp,
    pub(super) refused: u64,
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
pub(super) struct Desk {
    state: Mutex<State>,
    /// Wakes the writer.
    wake: Condvar,
    /// Wakes flows that wait for room, and those who wait for the end.
    changed: Notify,
    limit: usize,
    on_full: OnFull,
    clock: Clock,
}

enum Admission {
    In,
    Wait,
    Refused(Unavailable),
}

impl Desk {
    pub(super) fn new(limit: usize, on_full: OnFull, clock: Clock) -> Self {
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
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing panics while it holds the lock; should it, the state is still whole
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more open entry, as soon as there is room for its line.
    pub(super) async fn admit(&self) -> Result<(), Unavailable> {
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
        let gap = state.gap.get_or_insert_with(|| Gap {
            why: why.to_owned(),
            since: self.clock.now(),
            refused: 0,
        });
        gap.refused += 1;
    }

    /// Accepts a line that somebody waits for; refuses it at once while the disk is in trouble.
    pub(super) fn accept_act(&self, json: Vec<u8>, rulebook: Option<RulebookId>) -> Result<Durable, Unavailable> {
        let mut state = self.state();
        Self::refuse_if_deaf(&state)?;
        if let Some(why) = &state.trouble {
            return Err(Unavailable::refused(why.clone()));
        }
        state.know(rulebook);
        let durable = state.waiting.wait();
        state.urgent = true;
        self.put(state, json);
        Ok(durable)
    }

    /// Accepts a line that nobody waits for.
    pub(super) fn accept_note(&self, json: Vec<u8>, rulebook: Option<RulebookId>) {
        let mut state = self.state();
        state.know(rulebook);
        self.put(state, json);
    }

    /// Accepts the closing line of an entry, which is no longer open.
    pub(super) fn accept_closing(&self, json: Option<Vec<u8>>) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        let last = state.open == 0 && state.phase != Phase::Open;
        match json {
            Some(json) => self.put(state, json),
            None => state.lost += 1,
        }
        if last {
            self.changed.notify_waiters();
        }
    }

    /// An entry is no longer open, and has no line of its own.
    pub(super) fn release(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 && state.phase != Phase::Open {
            self.changed.notify_waiters();
        }
    }

    /// Accepts nothing, but answers when everything before it is on disk.
    pub(super) fn accept_flush(&self) -> Result<Durable, Unavailable> {
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

    fn put(&self, mut state: MutexGuard<'_, State>, json: Vec<u8>) {
        if state.phase == Phase::Ended {
            state.lost += 1;
            return;
        }
        let first = state.waiting.lines.is_empty();
        state.waiting_bytes += json.len();
        state.waiting.lines.push(json);
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
    pub(super) fn healthy(&self) -> Result<(), String> {
        let state = self.state();
        match (&state.trouble, state.phase) {
            (Some(why), _) => Err(why.clone()),
            (None, Phase::Ended) => Err("the writer of the records has stopped".to_owned()),
            (None, Phase::Open | Phase::Closing | Phase::Finishing) => Ok(()),
        }
    }

    pub(super) fn backlog(&self) -> usize {
        self.state().backlog
    }

    /// The rules that were last said to be in force.
    pub(super) fn rulebook(&self) -> RulebookId {
        self.state().rulebook.clone()
    }

    /// Ends the book in order.
    pub(super) async fn close(&self) -> Result<(), Unavailable> {
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
    pub(super) fn finish(&self) {
        let mut state = self.state();
        if state.phase != Phase::Ended {
            state.phase = Phase::Finishing;
        }
        drop(state);
        self.wake.notify_one();
    }
}

/// The writer's side.
impl Desk {
    /// Waits for lines; once one is here, lingers for company unless somebody waits for it.
    pub(super) fn take(&self, linger: Duration, idle: Duration) -> Turn {
        let nothing = |state: &mut State| state.waiting.is_nothing() && state.phase != Phase::Finishing;
        let (state, _) = self
            .wake
            .wait_timeout_while(self.state(), idle, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_nothing() {
            return if state.phase == Phase::Finishing {
                Turn::End
            } else {
                Turn::Idle
            };
        }
        let alone = |state: &mut State| !state.urgent && state.phase != Phase::Finishing;
        let (mut state, _) = self
            .wake
            .wait_timeout_while(state, linger, alone)
            .unwrap_or_else(PoisonError::into_inner);
        state.urgent = false;
        state.waiting_bytes = 0;
        Turn::Write(std::mem::take(&mut state.waiting))
    }

    /// `lines` are on disk: there is room again, and no trouble. Returns the gap that has ended, if there was one.
    pub(super) fn written(&self, lines: usize) -> Option<Gap> {
        let mut state = self.state();
        state.backlog = state.backlog.saturating_sub(lines);
        state.trouble = None;
        let gap = state.gap.take();
        drop(state);
        self.changed.notify_waiters();
        gap
    }

    /// The disk does not take lines: everybody who waits hears why, and nobody enters until it does.
    pub(super) fn stuck(&self, why: &str) {
        let mut state = self.state();
        state.trouble = Some(why.to_owned());
        if state.gap.is_none() {
            state.gap = Some(Gap {
                why: why.to_owned(),
                since: self.clock.now(),
                refused: 0,
            });
        }
        state.waiting.answer(&Err(Unavailable::kept(why)));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits before the next attempt; false if there should be none, because the book is being closed.
    pub(super) fn pause(&self, retry: Duration) -> bool {
        let going = |state: &mut State| state.phase != Phase::Finishing;
        let (state, _) = self
            .wake
            .wait_timeout_while(self.state(), retry, going)
            .unwrap_or_else(PoisonError::into_inner);
        state.phase != Phase::Finishing
    }

    /// The writer is gone, and with it these lines and all that wait.
    pub(super) fn end(&self, lost: usize) {
        let mut state = self.state();
        state.phase = Phase::Ended;
        let waiting = std::mem::take(&mut state.waiting);
        state.lost += lost + waiting.lines.len();
        drop(state);
        drop(waiting);
        self.changed.notify_waiters();
    }
}

impl State {
    fn know(&mut self, rulebook: Option<RulebookId>) {
        if let Some(rulebook) = rulebook {
            self.rulebook = rulebook;
        }
    }
}
