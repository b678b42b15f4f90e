//! The rules in force, as one immutable value: what is asked of the guard is judged here, and nowhere else.
//!
//! Reads as one function, [`Rulebook::judge`]: what was seen ([`Observation`](crate::facts::Observation)) goes to the catalogue (where is it, what
//! does it do), then to the policy, once without a grant and once under each grant that is in force, narrowest first.
//! The first that permits is the one recorded. Everything else asks the same question again: [`Rulebook::remedy`] with
//! a grant that somebody could have, [`Rulebook::replay`] with what a record says was seen, the cases with what a file
//! describes.
//!
//! It must never read a file, a clock or the directory while judging: the resolved person is part of what was seen.

mod agree;
mod answerable;
mod answerers;
mod approvers;
mod assemble;
mod brief;
mod cases;
mod coach;
mod delegates;
mod described;
mod directory;
mod entries;
mod explain;
mod explain_conditions;
mod explain_help;
mod grammar;
mod judge;
mod judgement;
mod leads;
mod live;
mod matrix;
mod may_delegate;
mod may_end;
mod may_make_token;
mod may_see;
mod members;
mod opened;
mod outdated;
mod people;
mod prospect;
mod reach;
mod read_where;
mod readers;
mod redact;
mod remedy;
mod replay;
mod shelves;
mod sources;
mod strangers;
mod told;
mod tried;
mod vain;
mod weigh;
mod what_if;
mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use answerable::Stated;
pub use answerers::Answerers;
pub use approvers::Asking;
pub use assemble::{Assembled, Draft};
pub use cases::{Case, CaseReport, CaseResult, Coverage, Difference, Exercised, Mutation, Survivor, Touched};
pub use delegates::Way;
pub use described::Described;
pub use directory::{Directory, Listed};
pub use explain::{ExplainedPolicy, ExplainedTrial, Explanation};
pub use explain_conditions::Because;
pub use explain_help::InEmergency;
pub use judgement::{Judgement, Refusal};
pub use live::{InForce, Live};
pub use matrix::{Access, Asks, Cell, MatrixQuestion, Ways};
pub use may_end::{Ending, MayEnd};
pub use opened::Opened;
pub use outdated::Outdated;
pub use reach::Width;
pub use read_where::{Reads, Sight, There};
pub use readers::{Looking, Readers};
pub use replay::{Change, Example, Group, Loose, Replay, Replayer, Sums, Tally};
pub use sources::{Sorted, Sources, is_source};
pub use told::{Judged, Recorded, Told};
pub use vain::Fate;
pub use weigh::{NotDeclared, Visitor, Weighing};
pub use what_if::{Circumstance, WhatIf};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::catalog::Catalog;
use crate::facts::{Host, Mode, Place, PlatformId, RulebookId};
use crate::policy::Policy;
use crate::purpose::Purposes;

/// Policies, catalogue and purposes, checked against each other; immutable. People are not part of it.
#[derive(Debug)]
pub struct Rulebook {
    policy: Policy,
    catalog: Arc<Catalog>,
    purposes: Arc<Purposes>,
    id: RulebookId,
    /// One host for each platform, where people go; once somebody asks what they may do where.
    doors: OnceLock<BTreeMap<PlatformId, Host>>,
    /// Hosts of each kind that each platform has, and of those that belong to none; once somebody asks what may open where.
    spots: OnceLock<BTreeMap<Option<PlatformId>, Vec<Place>>>,
}

impl Rulebook {
    /// A digest of the exact texts: every record names the rules that decided.
    pub fn id(&self) -> &RulebookId {
        &self.id
    }

    /// The same rules in a gateway of this mode.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        Self {
            policy: self.policy.in_mode(mode),
            ..self
        }
    }

    /// Where requests go and what they do.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What somebody may declare.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// The rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}
