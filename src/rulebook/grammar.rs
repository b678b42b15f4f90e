//! What is wrong with texts whatever they name: for folders that are not whole, or do not fit together. What one text says
//! of another that is not there is no mistake of its own. Pure.

use super::{Directory, Sources, cases};
use crate::catalog::Catalog;
use crate::facts::{Problem, Severity};
use crate::policy::{Owners, Policy, World};
use crate::purpose::Purposes;

impl Sources {
    /// What is wrong with each text by itself.
    pub fn mistakes(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut add = |parsed: Result<(), Vec<Problem>>| found.extend(parsed.err().into_iter().flatten());
        add(Catalog::parse(&self.catalog).map(drop));
        add(Purposes::parse(&self.purposes).map(drop));
        add(Directory::parse(&self.people).map(drop));
        let owners = self.owners();
        add(owners.clone().map(drop));
        add(Err(of_rules(self, owners.ok())));
        add(Err(self.mistakes_of_cases()));
        found.retain(|problem| !is_about_a_name(problem));
        found
    }

    /// The same for cases alone: what they say of rules and people needs both.
    pub fn mistakes_of_cases(&self) -> Vec<Problem> {
        cases::grammar(&self.cases)
    }
}

/// What is wrong with schema and rules whatever they name.
pub(super) fn of_rules(sources: &Sources, owners: Option<Owners>) -> Vec<Problem> {
    let world = World {
        owners,
        ..World::default()
    };
    let parsed = Policy::parse(&sources.schema, &sources.rules, &world);
    let mut found = parsed.err().unwrap_or_default();
    found.retain(|problem| problem.severity == Severity::Error && !is_about_a_name(problem));
    found
}

/// Whether a text names what no other text has; what a key is called, and which of few words it takes, is its own affair.
fn is_about_a_name(problem: &Problem) -> bool {
    let is_own = ["unknown-key", "unknown-value"]
        .iter()
        .any(|own| problem.code.ends_with(own));
    problem.code.contains("unknown") && !is_own
}
