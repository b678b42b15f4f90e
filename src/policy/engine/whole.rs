//! A request that stands in Cedar's terms already, as the facts of a run.

use std::sync::Arc;

use cedar_policy::{Entities, Request};
use cedar_policy_core::ast::{self, Context, Entity, EntityUID, Value, ValueKind};
use cedar_policy_core::entities::Dereference;

use super::leaves::Leaves;
use super::{Doubt, Facts};

/// A context and entities in Cedar's terms.
pub(super) struct Whole<'a> {
    context: Value,
    entities: &'a Entities,
    leaves: Leaves,
}

impl<'a> Whole<'a> {
    pub(super) fn new(request: &Request, entities: &'a Entities, leaves: Leaves) -> Option<Self> {
        let request: &ast::Request = request.as_ref();
        let Context::Value(context) = request.context()? else {
            return None;
        };
        Some(Self {
            context: Value::record_arc(Arc::clone(context), None),
            entities,
            leaves,
        })
    }
}

impl Facts for Whole<'_> {
    fn leaf(&self, number: usize) -> Result<Option<&Value>, Doubt> {
        let path = self.leaves.0.get(number).ok_or(Doubt)?;
        let mut here = &self.context;
        for (depth, step) in path.iter().enumerate() {
            let ValueKind::Record(fields) = &here.value else {
                return Err(Doubt);
            };
            match fields.get(*step) {
                Some(value) => here = value,
                // a record without its first leaf, which stands for the record
                None if depth > 0 && self.leaves.is_first(number, depth) => return Err(Doubt),
                None => return Ok(None),
            }
        }
        Ok(Some(here))
    }

    fn context(&self) -> Result<&Value, Doubt> {
        Ok(&self.context)
    }

    fn entity(&self, uid: &EntityUID) -> Result<Option<&Entity>, Doubt> {
        match self.entities.as_ref().entity(uid) {
            Dereference::Data(entity) => Ok(Some(entity)),
            Dereference::NoSuchEntity => Ok(None),
            Dereference::Residual(_) => Err(Doubt),
        }
    }
}
