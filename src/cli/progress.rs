//! How far a long piece of work is: one line on stderr that is drawn over, where stderr is a terminal.
#![expect(clippy::print_stderr, reason = "draws over its own line, which lines of talk cannot")]

use std::io::{IsTerminal as _, stderr};
use std::sync::atomic::{AtomicU64, Ordering};

/// So wide is the bar.
const WIDTH: u64 = 30;

/// A piece of work with a known size.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    all: u64,
    done: AtomicU64,
    shown: bool,
}

impl Progress {
    /// Work of size `all`.
    pub(super) fn of(what: &'static str, all: u64) -> Self {
        Self {
            what,
            all,
            done: AtomicU64::new(0),
            shown: stderr().is_terminal(),
        }
    }

    /// So much more is done.
    pub(super) fn add(&self, more: u64) {
        let before = self.done.fetch_add(more, Ordering::Relaxed);
        let (before, now) = (self.thousandths(before), self.thousandths(before + more));
        if self.shown && before != now {
            eprint!("\r{}", self.line(now));
        }
    }

    fn thousandths(&self, done: u64) -> u64 {
        (done.min(self.all) * 1000).checked_div(self.all).unwrap_or(1000)
    }

    fn line(&self, thousandths: u64) -> String {
        let full = thousandths * WIDTH / 1000;
        let bar: String = (0..WIDTH).map(|place| if place < full { '#' } else { '.' }).collect();
        format!("{} [{bar}] {:>3} %", self.what, thousandths / 10)
    }
}

impl Drop for Progress {
    /// Leaves the terminal as it was.
    fn drop(&mut self) {
        if self.shown && self.done.load(Ordering::Relaxed) > 0 {
            let width = self.line(0).chars().count();
            eprint!("\r{:width$}\r", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_from_left_to_right_and_no_further() {
        let bar = |done| {
            let progress = Progress::of("work", 200);
            progress.line(progress.thousandths(done))
        };
        assert_eq!(bar(0), "work [..............................]   0 %");
        assert_eq!(bar(100), "work [###############...............]  50 %");
        assert_eq!(bar(500), "work [##############################] 100 %");
        assert_eq!(Progress::of("nothing", 0).thousandths(0), 1000);
    }
}
