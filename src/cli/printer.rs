//! Data goes to stdout, talk to stderr; both read well without colour.
#![expect(clippy::print_stderr, reason = "the only place that prints")]

use std::fmt::Display;
use std::io::{Write, stdout};

/// Prints data: what a script would read.
pub fn data(line: impl Display) {
    // a reader that has seen enough (`… | head -1`) is no failure of ours
    drop(writeln!(stdout().lock(), "{line}"));
}

/// Prints talk: what a person wants to know beside the data.
pub fn talk(line: impl Display) {
    eprintln!("{line}");
}
