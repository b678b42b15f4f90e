//! Data goes to stdout, talk to stderr; both read well without colour.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::OnceLock;

/// The first reason why data did not get out. There is one stdout, and what becomes of it is told once, at the end.
static UNTOLD: OnceLock<String> = OnceLock::new();

/// Prints data: what a script would read.
pub fn data(line: impl Display) {
    if let Err(error) = writeln!(stdout().lock(), "{line}") {
        // a reader that has seen enough (`… | head -1`) is no failure of ours
        if error.kind() != ErrorKind::BrokenPipe {
            // the first reason stands
            let _ = UNTOLD.set(error.to_string());
        }
    }
}

/// Prints talk: what a person wants to know beside the data.
pub fn talk(line: impl Display) {
    // nobody is left to be told that nobody listens
    let _ = writeln!(stderr().lock(), "{line}");
}

/// Whether all data got out so far.
pub fn is_told() -> bool {
    UNTOLD.get().is_none()
}

/// The exit code of a command that ended with `code`: a failure if its data did not get out.
pub fn finished(code: ExitCode) -> ExitCode {
    match UNTOLD.get() {
        None => code,
        Some(why) => {
            talk(format_args!("error: the output cannot be written: {why}"));
            ExitCode::FAILURE
        }
    }
}
