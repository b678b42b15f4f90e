//! The writer's side of the desk.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Desk, Gap, Phase, State, Turn};
use crate::audit::Unavailable;
use crate::audit::segment::Segment;

impl Desk {
    /// Waits for lines; once one is here, lingers for company unless somebody waits for it.
    pub(in crate::audit) fn take(&self, linger: Duration, idle: Duration) -> Turn {
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

    /// What is written from now on is in `segment` or in a later one.
    pub(in crate::audit) fn begins(&self, segment: Segment) {
        self.segment.store(segment.0, Ordering::Release);
    }

    /// `lines` are on disk: there is room again, and no trouble. Returns the gap that has ended, if there was one.
    pub(in crate::audit) fn written(&self, lines: usize) -> Option<Gap> {
        let mut state = self.state();
        state.backlog = state.backlog.saturating_sub(lines);
        state.trouble = None;
        let gap = state.gap.take();
        self.well.store(true, Ordering::Release);
        drop(state);
        self.changed.notify_waiters();
        if let Some(gap) = &gap {
            tracing::warn!(refused = gap.refused, "records are kept again");
        }
        gap
    }

    /// The disk does not take lines: everybody who waits hears why, and nobody enters until it does.
    pub(in crate::audit) fn stuck(&self, why: &str) {
        let mut state = self.state();
        state.trouble = Some(why.to_owned());
        self.well.store(false, Ordering::Release);
        self.gap(&mut state, why);
        state.waiting.answer(&Err(Unavailable::kept(why)));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits before the next attempt; false if there should be none, because the book is being closed.
    pub(in crate::audit) fn pause(&self, retry: Duration) -> bool {
        let going = |state: &mut State| state.phase != Phase::Finishing;
        let (state, _) = self
            .wake
            .wait_timeout_while(self.state(), retry, going)
            .unwrap_or_else(PoisonError::into_inner);
        state.phase != Phase::Finishing
    }

    /// The writer is gone, and with it these lines and all that wait.
    pub(in crate::audit) fn end(&self, lost: usize) {
        let mut state = self.state();
        state.phase = Phase::Ended;
        self.well.store(false, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting);
        state.lost += lost + waiting.lines.len();
        drop(state);
        drop(waiting);
        self.changed.notify_waiters();
    }
}
