//! Would the cases notice a mistake in the rules? Each rule is changed in one way at a time, and the cases are run again:
//! a change that no case notices could be made by anybody tomorrow, and nobody would hear of it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::{Case, Touched};
use crate::facts::PolicyId;
use crate::policy::Mutant;
use crate::rulebook::{Assembled, Rulebook};

/// All changes that the rules can be tried with.
#[derive(Debug)]
pub struct Mutation<'a> {
    assembled: &'a Assembled,
    mutants: Vec<Mutant>,
    refused: usize,
    /// The cases, by the rules that they touch: those notice a change first.
    order: BTreeMap<PolicyId, Vec<usize>>,
    cases: &'a [Case],
}

/// A change that no case noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survivor {
    /// The rule.
    pub policy: PolicyId,
    /// The file it stands in.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// What was changed.
    pub change: String,
}

impl Assembled {
    /// The changes to try against `cases`, all of which pass; `touched` is what each of them touches.
    pub fn mutation<'a>(&'a self, cases: &'a [Case], touched: &[Touched]) -> Mutation<'a> {
        let (mutants, refused) = self.rulebook.policy.mutants(&self.world());
        let mut order: BTreeMap<PolicyId, Vec<usize>> = BTreeMap::new();
        for (number, touched) in touched.iter().enumerate() {
            for policy in &touched.rules {
                order.entry(policy.clone()).or_default().push(number);
            }
        }
        Mutation {
            assembled: self,
            mutants,
            refused,
            order,
            cases,
        }
    }
}

impl Mutation<'_> {
    /// How many changes there are that the schema takes.
    pub fn count(&self) -> usize {
        self.mutants.len()
    }

    /// How many changes the schema does not take: `wayleave check` notices them.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// The rules with one change; never to rule.
    pub fn changed(&self, number: usize) -> Option<Rulebook> {
        let rules = &self.assembled.rulebook;
        Some(Rulebook {
            policy: rules.policy.mutated(self.mutants.get(number)?),
            catalog: Arc::clone(&rules.catalog),
            purposes: Arc::clone(&rules.purposes),
            id: rules.id.clone(),
            spots: OnceLock::new(),
            doors: OnceLock::new(),
        })
    }

    /// Tries one change: none where a case notices.
    pub fn survivor(&self, number: usize) -> Option<Survivor> {
        let mutant = self.mutants.get(number)?;
        let changed = self.changed(number)?;
        let near = self.order.get(&mutant.policy).map_or(&[][..], Vec::as_slice);
        let rest = (0..self.cases.len()).filter(|number| !near.contains(number));
        let mut cases = near
            .iter()
            .copied()
            .chain(rest)
            .filter_map(|number| self.cases.get(number));
        let noticed = cases.any(|case| !changed.run_case(case).passed());
        let rule = self.assembled.rulebook.policy.rule(&mutant.policy);
        (!noticed).then(|| Survivor {
            policy: mutant.policy.clone(),
            file: rule.map(|rule| rule.file.clone()).unwrap_or_default(),
            line: rule.map_or(0, |rule| rule.line),
            change: mutant.change.clone(),
        })
    }
}
