//! What is wrong with texts whatever they name: for folders that are not whole. What one text says of another that is not
//! there is no mistake of its own. Pure.

use super::{Draft, Sources};
use crate::facts::{Problem, Severity};

impl Sources {
    /// What is wrong with each text by itself.
    pub fn mistakes(&self) -> Vec<Problem> {
        let rest = Draft::of_rest(self);
        let mut found = [rest.problems(), rest.mistakes_of_cases()].concat();
        found.retain(|problem| problem.severity == Severity::Error && !is_about_a_name(problem));
        found
    }
}

/// Whether a text names what no other text has; what a key is called, and which of few words it takes, is its own affair.
fn is_about_a_name(problem: &Problem) -> bool {
    let is_own = ["unknown-key", "unknown-value"]
        .iter()
        .any(|own| problem.code.ends_with(own));
    problem.code.contains("unknown") && !is_own
}
