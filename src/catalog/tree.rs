//! What the catalogue lists: services and the tree of categories.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Category, PlatformId};

/// How far requests to a platform can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Requests can be told apart once decrypted.
    Request,
    /// Requests are visible, message content is not (protobuf, end-to-end encryption).
    RequestPartial,
    /// Only hosts can be allowed or refused.
    Connect,
}

/// A service of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The id that rules name.
    pub id: PlatformId,
    /// What people call it.
    pub name: String,
    /// Its category.
    pub category: Category,
    /// The group of services that call each other (`meta`: Facebook, Instagram and their CDN).
    pub family: String,
    /// How far its requests can be understood.
    pub control: Control,
}

/// The categories and what each is part of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryTree {
    parents: BTreeMap<Category, Option<Category>>,
}

impl CategoryTree {
    /// Every category.
    pub fn ids(&self) -> impl Iterator<Item = &Category> {
        self.parents.keys()
    }

    /// Whether the tree has the category.
    pub fn contains(&self, id: &Category) -> bool {
        self.parents.contains_key(id)
    }

    /// What the category is part of, directly.
    pub fn parents(&self, id: &Category) -> BTreeSet<Category> {
        self.parents.get(id).cloned().flatten().into_iter().collect()
    }

    /// The category and everything that it is part of.
    pub fn closure(&self, id: &Category) -> BTreeSet<Category> {
        let mut all = BTreeSet::new();
        let mut next = Some(id.clone());
        while let Some(id) = next {
            next = self.parents.get(&id).cloned().flatten();
            if !all.insert(id) {
                break;
            }
        }
        all
    }
}
