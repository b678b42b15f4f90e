//! How long is waited for answers, of one question and of all of them, and how much was asked meanwhile.
#![expect(
    clippy::disallowed_methods,
    reason = "door: looks at the clock, so that all questions together come to an end"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Outcome;

/// What answers may take, and what they took.
#[derive(Debug)]
pub struct Effort {
    each: Duration,
    /// When all of it must be done; never, where the clock knows no such time.
    until: Option<Instant>,
    asked: AtomicUsize,
    largest: AtomicUsize,
}

impl Effort {
    /// `each` for everything that is to be proved or compared, and `all` for all of it, from now on.
    pub fn new(each: Duration, all: Duration) -> Self {
        Self {
            each,
            until: Instant::now().checked_add(all),
            asked: AtomicUsize::new(0),
            largest: AtomicUsize::new(0),
        }
    }

    /// What one thing that is to be proved may take.
    pub(super) fn each(&self) -> Duration {
        self.each
    }

    /// What is left of the time for all of it.
    pub(super) fn left(&self) -> Duration {
        self.until
            .map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
    }

    /// What is said of everything that is left once the time for all of it is up.
    pub(super) fn is_up() -> Outcome {
        Outcome::Undecided("the time for all of it was up".to_owned())
    }

    /// Notes a question about so many rules.
    #[cfg_attr(
        not(feature = "prove"),
        expect(dead_code, reason = "nothing is asked without a solver")
    )]
    pub(super) fn note(&self, rules: usize) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(rules, Ordering::Relaxed);
    }

    /// That the time for all of it is up, and what it was spent on; nothing before.
    pub fn over(&self) -> Option<String> {
        self.left().is_zero().then(|| {
            format!(
                "the time for all of it was up after {} questions of at most {} rules",
                self.asked(),
                self.largest()
            )
        })
    }

    /// How many questions were put to a solver.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many rules the largest of them was about.
    pub fn largest(&self) -> usize {
        self.largest.load(Ordering::Relaxed)
    }
}
