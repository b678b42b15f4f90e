//! Whom and what a question is about.

use std::sync::Arc;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{self, Entity, Value};

use super::kept::Kept;

/// A principal, action or resource with what rules may look at, and its class: those of one class match the same scopes.
#[derive(Debug)]
pub struct Party {
    uid: ast::EntityUID,
    value: Value,
    entity: Option<Arc<Entity>>,
    class: usize,
    /// What parts came to that hang on this party alone.
    pub(super) kept: Kept,
}

/// What scopes see of a party.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noun<'a> {
    pub(super) uid: &'a ast::EntityUID,
    pub(super) entity: Option<&'a Entity>,
}

impl Party {
    pub(super) fn new(
        uid: &EntityUid,
        entity: Option<Arc<Entity>>,
        kept: Kept,
        class: impl FnOnce(Noun<'_>) -> usize,
    ) -> Self {
        let uid: &ast::EntityUID = uid.as_ref();
        let class = class(Noun {
            uid,
            entity: entity.as_deref(),
        });
        Self {
            uid: uid.clone(),
            value: uid.clone().into(),
            entity,
            class,
            kept,
        }
    }

    /// Who or what it is.
    pub fn uid(&self) -> &ast::EntityUID {
        &self.uid
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// What rules may look at.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity.as_deref()
    }

    pub(super) fn class(&self) -> usize {
        self.class
    }
}
