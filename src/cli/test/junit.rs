//! What became of the cases, in the XML that `JUnit` made common: every CI reads it. Pure.

use std::fmt::Write as _;

use crate::cli::check::place::in_repository;
use crate::facts::{Problem, Severity};
use crate::rulebook::{CaseReport, CaseResult};

/// The document: a suite for each file of cases.
pub(super) fn document(report: &CaseReport, folder: Option<&std::path::Path>) -> String {
    let problems: Vec<&Problem> = report
        .problems
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .collect();
    let mut files: Vec<&str> = report.results.iter().map(|result| result.file.as_str()).collect();
    files.extend(problems.iter().map(|problem| problem.file.as_str()));
    files.sort_unstable();
    files.dedup();
    let (failures, errors) = (report.failures().count(), problems.len());
    let all = report.results.len() + errors;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites name=\"wayleave\" tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    for file in files {
        let results: Vec<&CaseResult> = report.results.iter().filter(|result| result.file == file).collect();
        let problems: Vec<&&Problem> = problems.iter().filter(|problem| problem.file == file).collect();
        let failed = results.iter().filter(|result| !result.passed()).count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{}\">",
            escaped(file),
            results.len() + problems.len(),
            problems.len()
        );
        let path = in_repository(folder, file);
        for result in results {
            case(&mut text, result, &path);
        }
        for problem in problems {
            let _ = writeln!(
                text,
                "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\">\n      <error message=\"{}\"/>\n    </testcase>",
                escaped(&problem.code),
                escaped(file),
                escaped(&path),
                problem.line,
                escaped(&problem.message)
            );
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, result: &CaseResult, path: &str) {
    let _ = write!(
        text,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
        escaped(&result.name),
        escaped(&result.file),
        escaped(path),
        result.place.0
    );
    if result.passed() {
        text.push_str("/>\n");
        return;
    }
    let first = result.differences.first().map(ToString::to_string).unwrap_or_default();
    let lines = super::diff(result).join("\n");
    let _ = writeln!(
        text,
        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
        escaped(&first),
        escaped(&lines)
    );
}

/// Text in XML: what it may not hold is left out (XML 1.0 §2.2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_case_is_called_breaks_the_document() {
        for (text, written) in [
            ("a \"<b>\" & c\u{7}", "a &quot;&lt;b&gt;&quot; &amp; c"),
            // what XML 1.0 §2.2 leaves out beside control characters, and what it does not
            ("a\u{fffe}\u{ffff}\u{fffd}\u{1fffe}", "a\u{fffd}\u{1fffe}"),
        ] {
            assert_eq!(escaped(text), written);
        }
    }
}
