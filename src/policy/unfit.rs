//! Schema and rules that cannot rule, and what can be told of them all the same.

use std::collections::BTreeSet;

use super::Vocabulary;
use super::rule::Written;
use crate::facts::{PolicyId, Problem, SourceText};

/// Why there is no policy, and which words it would have: so that whoever speaks of it can be told of mistakes, too.
#[derive(Debug)]
pub struct Unfit {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The words of the schema; none where it cannot be read.
    pub vocabulary: Option<Vocabulary>,
    /// What the rules are called; none where that is not known of all.
    pub rules: Option<BTreeSet<PolicyId>>,
}

impl Unfit {
    pub(super) fn of(
        problems: Vec<Problem>,
        written: &[(&SourceText, Written)],
        vocabulary: Option<Vocabulary>,
        has_every_rule: bool,
    ) -> Self {
        let are_called = written.iter().all(|(_, rule)| rule.has_id);
        Self {
            rules: (has_every_rule && are_called)
                .then(|| written.iter().map(|(_, rule)| rule.rule.id.clone()).collect()),
            problems,
            vocabulary,
        }
    }

    /// Nothing could be read.
    pub(super) fn unread(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            vocabulary: None,
            rules: None,
        }
    }
}
