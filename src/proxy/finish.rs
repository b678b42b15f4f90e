//! When is an exchange over? An origin may answer before it has heard everything, so its record closes with whichever
//! ends last: what goes up, or what comes down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use super::lanes::Lane;
use super::longlived::{NoLonger, Watch};
use crate::audit::{Closing, Entry};
use crate::facts::{Blame, End, FaultCode, Stage};

/// How far a request's body is, for the record of its exchange: an origin may answer before it has heard everything.
#[derive(Default)]
pub(super) struct Upload(Mutex<Progress>);

#[derive(Default)]
enum Progress {
    #[default]
    Goes,
    /// All that came of it has been taken, and more is asked for.
    AwaitsClient,
    /// The answer has ended before it; the permission is looked after from here on.
    IsLast(Box<Finish>, Option<Watch>),
    /// Nothing more leaves: it is whole, an origin has had enough of it, or the client broke it off.
    Ended { broke: bool },
}

impl Upload {
    /// The answer has ended: the record closes with whichever of the two ends last.
    pub(super) fn answered(&self, finish: Finish, watch: Option<Watch>) {
        let mut progress = self.lock();
        match *progress {
            Progress::Goes | Progress::AwaitsClient => *progress = Progress::IsLast(Box::new(finish), watch),
            Progress::IsLast(..) => {
                drop(progress);
                finish.now();
            }
            Progress::Ended { broke } => {
                drop(progress);
                finish.after_upload(broke);
            }
        }
    }

    /// Nothing more leaves.
    pub(super) fn ended(&self, broke: bool) {
        let before = std::mem::replace(&mut *self.lock(), Progress::Ended { broke });
        if let Progress::IsLast(finish, _) = before {
            finish.after_upload(broke);
        }
    }

    /// More of it was asked for, and came, or its client `pauses`. Ready, with the reason, where nothing more may leave.
    pub(super) fn asked(&self, pauses: bool, cx: &mut Context<'_>) -> Poll<NoLonger> {
        let mut progress = self.lock();
        match &mut *progress {
            Progress::Goes | Progress::AwaitsClient => {
                *progress = if pauses { Progress::AwaitsClient } else { Progress::Goes };
                Poll::Pending
            }
            Progress::Ended { .. } => Poll::Pending,
            Progress::IsLast(finish, watch) => {
                let Some(looking) = watch else { return Poll::Pending };
                finish.lasts_if_it_goes_on();
                let why = ready!(looking.poll(pauses, cx));
                *watch = None;
                finish.end_by(End::Cut(why.clone()));
                Poll::Ready(NoLonger(why))
            }
        }
    }

    /// Whether it is its client that holds it up.
    pub(super) fn awaits_client(&self) -> bool {
        matches!(*self.lock(), Progress::AwaitsClient)
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is done once an exchange is over: its record closes, and its way out is free for another.
pub(super) struct Finish {
    entry: Entry,
    closing: Closing,
    /// Whether nobody took the rest of the answer.
    vanished: bool,
    _lane: Option<Lane>,
}

impl Finish {
    /// `closing` is what the record will say once all is delivered.
    pub(super) fn new(entry: Entry, closing: Closing, lane: Option<Lane>) -> Self {
        Self {
            entry,
            closing,
            vanished: false,
            _lane: lane,
        }
    }

    /// Whether all would be delivered, as far as it is known.
    pub(super) fn completes(&self) -> bool {
        self.closing.end == End::Completed
    }

    /// Has it told among what is open once it has gone on for some time.
    pub(super) fn lasts_if_it_goes_on(&mut self) {
        self.entry.lasts_if_it_goes_on();
    }

    /// It ends otherwise.
    pub(super) fn end_by(&mut self, end: End) {
        self.closing.end = end;
    }

    /// Nobody takes the rest of the answer.
    pub(super) fn vanish(&mut self) {
        self.vanished = true;
        self.end_by(CLIENT_GONE);
    }

    /// An answer that was delivered is no completed exchange where the client broke off what it sent.
    fn after_upload(mut self, broke: bool) {
        if broke && self.completes() {
            self.vanish();
        }
        self.now();
    }

    /// Nothing is waited for.
    pub(super) fn now(self) {
        if self.vanished {
            self.entry.vanish(self.closing);
        } else {
            self.entry.close(self.closing);
        }
    }
}

const CLIENT_GONE: End = End::Failed {
    blame: Blame::Client,
    stage: Stage::Forward,
    code: FaultCode::ClientGone,
};
