//! Data goes to stdout, talk to stderr; both read well without colour.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the only place that prints")]

use std::fmt::Display;

/// Prints data: what a script would read.
pub fn data(line: impl Display) {
    println!("{line}");
}

/// Prints talk: what a person wants to know beside the data.
pub fn talk(line: impl Display) {
    eprintln!("{line}");
}
