//! Findings as workflow commands: GitHub shows each at its line of a pull request.
//!
//! The form is that of <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use super::Findings;
use crate::facts::{Problem, Severity};

/// One command for each finding.
pub(super) fn commands(findings: &Findings<'_>) -> impl Iterator<Item = String> {
    findings.problems.iter().map(|problem| command(problem, findings))
}

fn command(problem: &Problem, findings: &Findings<'_>) -> String {
    let kind = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = Vec::new();
    if !problem.file.is_empty() {
        properties.push(format!("file={}", property(&findings.path_of(problem))));
    }
    if let Some(region) = findings.region_of(problem) {
        properties.push(format!("line={},endLine={}", region.start.0, region.end.0));
        // GitHub takes columns only where both are on one line
        if region.start.0 == region.end.0 {
            properties.push(format!("col={},endColumn={}", region.start.1, region.end.1));
        }
    }
    properties.push(format!("title={}", property(&problem.code)));
    format!("::{kind} {}::{}", properties.join(","), data(&super::sentence(problem)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100 %\nand more"), "100 %25%0Aand more");
        assert_eq!(property("a,b::c"), "a%2Cb%3A%3Ac");
    }
}
