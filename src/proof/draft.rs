//! An example as documents that can be changed. Pure.

use std::collections::BTreeMap;

use cedar_policy::{Context, Entities, EntityUid, Request};
use serde_json::{Value, json};

use super::Example;
use super::form::named;

/// An example as documents that can be changed.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) principal: EntityUid,
    action: EntityUid,
    pub(super) resource: EntityUid,
    pub(super) context: Value,
    entities: Value,
}

impl Draft {
    pub(super) fn of(example: &Example) -> Option<Self> {
        let request = &example.request;
        let mut draft = Self {
            principal: request.principal()?.clone(),
            action: request.action()?.clone(),
            resource: request.resource()?.clone(),
            context: request.context()?.to_json_value().ok()?,
            entities: example.entities.to_json_value().ok()?,
        };
        // each by itself, so that what is above one can stay where that one goes
        for low in [draft.principal.clone(), draft.resource.clone()] {
            let above: Vec<&EntityUid> = example.entities.ancestors(&low).into_iter().flatten().collect();
            for high in &above {
                *draft.entity(high)?.get_mut("parents")? = json!([]);
            }
            *draft.entity(&low)?.get_mut("parents")? = above.into_iter().map(written).collect();
        }
        Some(draft)
    }

    pub(super) fn example(&self) -> Option<Example> {
        let context = Context::from_json_value(self.context.clone(), None).ok()?;
        let (principal, action, resource) = (self.principal.clone(), self.action.clone(), self.resource.clone());
        Some(Example {
            request: Request::new(principal, action, resource, context, None).ok()?,
            entities: Entities::from_json_value(self.entities.clone(), None).ok()?,
        })
    }

    pub(super) fn entity(&mut self, wanted: &EntityUid) -> Option<&mut Value> {
        let mut all = self.entities.as_array_mut()?.iter_mut();
        all.find(|entity| entity.get("uid").is_some_and(|uid| is(uid, wanted)))
    }

    /// The same, where everybody and everything is called otherwise that `names` tells another name of.
    pub(super) fn renamed(mut self, names: &BTreeMap<EntityUid, EntityUid>) -> Self {
        rename(&mut self.context, names);
        rename(&mut self.entities, names);
        for uid in [&mut self.principal, &mut self.resource] {
            if let Some(other) = names.get(uid) {
                *uid = other.clone();
            }
        }
        self
    }

    /// Puts a value where there is one.
    pub(super) fn put(&mut self, pointer: &str, value: Value) -> Option<()> {
        *self.context.pointer_mut(pointer)? = value;
        Some(())
    }
}

pub(super) fn is(uid: &Value, wanted: &EntityUid) -> bool {
    let text = |key: &str| uid.get(key).and_then(Value::as_str);
    text("type").is_some_and(|kind| kind == wanted.type_name().to_string())
        && text("id") == Some(wanted.id().unescaped())
}

fn written(uid: &EntityUid) -> Value {
    json!({ "type": uid.type_name().to_string(), "id": uid.id().unescaped() })
}

fn rename(text: &mut Value, names: &BTreeMap<EntityUid, EntityUid>) {
    if let Some(other) = named(text).and_then(|uid| names.get(&uid)) {
        *text = written(other);
        return;
    }
    match text {
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, names)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| rename(part, names)),
        _ => {}
    }
}
