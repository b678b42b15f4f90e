//! What rules may name beside the schema's own words, as `rulebook` finds it in catalogue, purposes and directory.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{NamedKind, Owners};
use crate::facts::{Category, Person, Place, PlatformId, PurposeId};

/// What rules may name beside the schema's own words, from catalogue, purposes and directory.
#[derive(Clone, Debug, Default)]
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
    /// Who answers for rules that name nobody; none where that cannot be read.
    pub owners: Option<Owners>,
    /// The hosts that rules name, as the catalogue places them.
    pub sites: Vec<Place>,
    /// The people that rules name, as the directory knows them.
    pub people: Vec<Arc<Person>>,
    /// A host of each kind that there is, by what it is in.
    pub places: Vec<Place>,
    /// Of which kinds there may be more names than these, because not all could be read: none of them is unknown.
    pub unread: BTreeSet<NamedKind>,
}

/// A platform, as far as rules care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFacts {
    /// Its id.
    pub id: PlatformId,
    /// All its categories, including those that a category is part of.
    pub categories: BTreeSet<Category>,
}
