//! May you.
//!
//! Reads as one question and one answer: [`Policy::decide`] puts a [`Question`] to the rules and gives a [`Decision`],
//! which alone can hand out a [`Permit`]. It is pure and total: no IO, no clock, no log, and the same question gets the
//! same answer. Any doubt denies: an unknown action, a grant of somebody else, a time zone that nobody knows, a policy
//! that fails to evaluate.
//!
//! ```text
//! texts ──> schema, rule ──> lint ──> Policy            once per rulebook
//! Question ──> request ──> index ──> Cedar ──> reasons ──> Decision ──> Permit
//! ```
//!
//! It must never know of catalogue files, purpose files or the ledger: `rulebook` brings them together.

mod decision;
mod permit;
mod question;
mod rule;
mod schema;

use std::collections::BTreeSet;

pub use decision::Decision;
pub use permit::Permit;
pub use question::{GrantQuestion, Power, Question, RequestFacts};
pub use rule::Rule;
pub use schema::Vocabulary;

use crate::clock::Timestamp;
use crate::facts::{Category, PlatformId, PolicyId, Problem, PurposeId, SourceText};
use decision::Trouble;

/// What rules may name beside the schema's own words, from catalogue, purposes and directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The platforms of the catalogue.
    pub platforms: Vec<PlatformFacts>,
    /// The categories of the catalogue, each with all categories it is part of.
    pub categories: Vec<(Category, BTreeSet<Category>)>,
    /// The purposes of the purpose catalogue.
    pub purposes: BTreeSet<PurposeId>,
    /// The roles that somebody in the directory can have.
    pub roles: BTreeSet<String>,
    /// The departments of the directory.
    pub departments: BTreeSet<String>,
}

/// A platform, as far as rules care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFacts {
    /// Its id.
    pub id: PlatformId,
    /// All its categories, including those that a category is part of.
    pub categories: BTreeSet<Category>,
}

/// Schema and rules, immutable.
#[derive(Debug)]
pub struct Policy {
    vocabulary: Vocabulary,
    rules: Vec<Rule>,
}

impl Policy {
    /// Reads schema and rules, and checks them against each other and against `world`: all problems at once, or the
    /// policy with its warnings.
    pub fn parse(
        schema: &SourceText,
        rules: &[SourceText],
        world: &World,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let _ = (schema, rules, world);
        let policy = Self {
            vocabulary: Vocabulary::default(),
            rules: Vec::new(),
        };
        Ok((policy, Vec::new()))
    }

    /// The words of the schema.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Whether everything asked is permitted; total, and any doubt denies.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let _ = (question, Permit::new, Decision::allow);
        Decision::deny(Vec::new(), vec![Trouble::with_question("todo", "not yet")])
    }

    /// Whether the person may declare, approve or revoke; total, and any doubt denies. It never yields a permit.
    pub fn decide_on_grant(&self, question: &GrantQuestion<'_>) -> Decision {
        let _ = question;
        Decision::deny(Vec::new(), vec![Trouble::with_question("todo", "not yet")])
    }

    /// The rule called `id`.
    pub fn rule(&self, id: &PolicyId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// All rules, in the order of their files.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Warns of permits that no longer count at `at`.
    pub fn expired(&self, at: Timestamp) -> Vec<Problem> {
        let _ = at;
        Vec::new()
    }
}
