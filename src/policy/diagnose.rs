//! Cedar's own diagnostics, in the words of our [`Problem`].

use miette::Diagnostic;

use crate::facts::{Problem, SourceText};

/// What Cedar found in `source`, at the place it names, or at `fallback` where it names none.
pub(super) fn problem(code: &str, source: &SourceText, found: &dyn Diagnostic, fallback: (usize, usize)) -> Problem {
    let label = found.labels().and_then(|mut labels| labels.next());
    let span = label.as_ref().map_or(fallback, |label| (label.offset(), label.len()));
    let hint = label.as_ref().and_then(|label| label.label().map(str::to_owned));
    let help = found.help().map(|help| help.to_string()).or(hint);
    let problem = Problem::error(code, source, span, found.to_string());
    match help {
        Some(help) => problem.with_help(help),
        None => problem,
    }
}
