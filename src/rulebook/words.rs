//! What texts may speak of: as a rulebook has it, or as far as it could be read.

use std::collections::BTreeSet;

use super::{Directory, Rulebook};
use crate::catalog::Catalog;
use crate::facts::PolicyId;
use crate::policy::{NamedKind, Policy, Vocabulary};
use crate::purpose::Purposes;

/// The names that cases, purposes and the schema can be held against.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) purposes: &'a Purposes,
    pub(super) directory: &'a Directory,
    /// None where the schema cannot be read.
    pub(super) vocabulary: Option<&'a Vocabulary>,
    pub(super) rules: Rules<'a>,
    /// Of these kinds there may be more names.
    pub(super) unread: &'a BTreeSet<NamedKind>,
    /// Whether all that the catalogue recognises is known.
    pub(super) has_every_signature: bool,
}

/// What the rules are called.
#[derive(Clone, Copy)]
pub(super) enum Rules<'a> {
    /// As in a policy.
    Of(&'a Policy),
    /// As they were found, where there is no policy; none where not all could be read.
    Found(Option<&'a BTreeSet<PolicyId>>),
}

impl Rules<'_> {
    /// Whether there may be a rule of this name.
    pub(super) fn may_have(&self, id: &PolicyId) -> bool {
        match self {
            Self::Of(policy) => policy.rule(id).is_some(),
            Self::Found(found) => found.is_none_or(|rules| rules.contains(id)),
        }
    }

    /// All that are known.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Of(policy) => policy.rules().map(|rule| rule.id.as_str()).collect(),
            Self::Found(found) => found.iter().copied().flatten().map(PolicyId::as_str).collect(),
        }
    }
}

impl Words<'_> {
    /// Whether all names of the kind are known, so that another is a mistake.
    pub(super) fn has_all(&self, kind: NamedKind) -> bool {
        !self.unread.contains(&kind)
    }
}

impl Rulebook {
    /// The words of these rules, with these people.
    pub(super) fn words<'a>(&'a self, directory: &'a Directory) -> Words<'a> {
        const NONE: &BTreeSet<NamedKind> = &BTreeSet::new();
        Words {
            catalog: &self.catalog,
            purposes: &self.purposes,
            directory,
            vocabulary: Some(self.policy.vocabulary()),
            rules: Rules::Of(&self.policy),
            unread: NONE,
            has_every_signature: true,
        }
    }
}
