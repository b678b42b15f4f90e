//! What a question comes with beside its parties.

use cedar_policy_core::ast::{Entity, EntityUID, Value};

use super::{Doubt, Held, Measure};

/// What the caller knows beside the parties.
pub trait Facts {
    /// The leaf of this number; none where the context does not have it.
    fn leaf(&self, number: usize) -> Result<Option<&Value>, Doubt>;

    /// What the leaf of this number holds, where it was made by [`Engine::held`](super::Engine::held) for just this leaf.
    fn held(&self, _leaf: usize) -> Option<&Held> {
        None
    }

    /// What the leaf of this number is as a number, where that is known without a value.
    fn measure(&self, _leaf: usize) -> Option<Measure> {
        None
    }

    /// The whole context, where there are no leaves.
    fn context(&self) -> Result<&Value, Doubt>;

    /// An entity that is no party.
    fn entity(&self, uid: &EntityUID) -> Result<Option<&Entity>, Doubt>;

    /// The fields of what this leaf holds that are there, and not known yet: for
    /// [`Engine::may_allow`](super::Engine::may_allow) and its like alone.
    fn vague(&self, _leaf: usize) -> &[&str] {
        &[]
    }

    /// The same of the resource.
    fn vague_of_resource(&self) -> &[&str] {
        &[]
    }
}
