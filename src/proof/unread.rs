//! What passes unread: where somebody may reach a host and the gateway may not read what they do there, they may do
//! anything. Said as rules about `inspect` that allow exactly what passes so, it is proved and compared like what any other
//! rules allow.

use std::sync::Arc;

use cedar_policy::{EntityId, EntityUid, Policy, PolicyId, Request, RequestEnv, ValidationMode, Validator};
use serde_json::{Value, json};

use super::cause::{conditions, names};
use super::premise::Premise;
use super::question::Rules;
use super::rewrite::forbidding;
use super::sound::allowed;
use super::theory::set;
use super::{Example, Theory};
use crate::policy::apart::{split, text_of};

/// What is done where nobody looks, in the place of an action.
pub const UNREAD: &str = "anything, unread";

/// The flows that pass unread.
#[derive(Debug)]
pub(super) struct Unread {
    /// The kind of request that they are told as, by its place in [`super::Language::envs`]: may it be read?
    pub(super) env: usize,
    /// The one that asks whether the host may be reached.
    pub(super) reaching: usize,
    /// Allow exactly what passes unread.
    pub(super) rules: Rules,
    /// The rules about reading, all of which must evaluate for anything to be read.
    pub(super) reading: Vec<Arc<Premise>>,
}

impl Unread {
    /// What passes unread by the rules of `theory`, of which `strict` close more than they do to whoever continues: nothing
    /// is read because somebody continued. None where the schema does not ask whether something is read.
    pub(super) fn of(theory: &Theory, strict: &[Arc<Premise>]) -> Option<Self> {
        let envs = &theory.language.envs;
        let find = |name: &str| envs.iter().position(|env| env.action().id().unescaped() == name);
        let (env, reaching) = (find("inspect")?, find("connect")?);
        let (read, reached) = (envs.get(env)?, envs.get(reaching)?);
        let strict = strict.iter().filter(|rule| theory.speaks_of(rule.policy(), read));
        let firm = theory.rules(read).filter(|rule| !theory.only_coaches(rule.policy()));
        let reading: Vec<Arc<Premise>> = firm.chain(strict).cloned().collect();
        let may_be_read = allowed(&reading.iter().collect::<Vec<_>>()).and_then(|read| forbidding(&read));
        let may_be_read = may_be_read.map(|read| Arc::new(Premise::new(read.new_id(PolicyId::new("the read")))));
        let reaches: Option<Vec<_>> = theory.rules(reached).map(|rule| asked_of(rule, reached)).collect();
        let reaches = reaches?;
        Some(Self {
            env,
            reaching,
            rules: reaches.iter().chain(&may_be_read).collect(),
            reading,
        })
    }
}

/// A rule that answers, whatever is asked, what it answers where it is asked about `env`.
pub(super) fn asked_of(rule: &Arc<Premise>, env: &RequestEnv) -> Option<Arc<Premise>> {
    let mut text = rule.policy().to_json().ok()?;
    let action = json!({ "Value": { "__entity": {
        "type": env.action().type_name().to_string(), "id": env.action().id().unescaped(),
    } } });
    let members = text.as_object_mut()?;
    members.insert("action".to_owned(), json!({ "op": "All" }));
    if let Some(conditions) = members.get_mut("conditions") {
        calling(conditions, &action);
    }
    let policy = Policy::from_json(Some(rule.policy().id().clone()), text).ok()?;
    Some(Arc::new(Premise::new(policy)))
}

/// Puts the name of an action where an expression asks for it.
fn calling(expression: &mut Value, action: &Value) {
    if expression.get("Var").and_then(Value::as_str) == Some("action") {
        *expression = action.clone();
        return;
    }
    match expression {
        Value::Object(members) => members.values_mut().for_each(|member| calling(member, action)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| calling(part, action)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The flows in which what `property` speaks of may be done, seen from outside: a policy that permits them all, and maybe
/// more. What is known only of a request that is read, or depends on what is done, leaves it open.
pub(super) fn around(theory: &Theory, property: &Policy, env: &RequestEnv) -> Option<Premise> {
    let bodies: Vec<(Value, bool)> = conditions(property);
    let mut parts = Vec::new();
    for (body, wanted) in &bodies {
        if *wanted {
            split(body, "&&", &mut parts);
        }
    }
    let validator = Validator::new(theory.language.schema.clone());
    let policy = |conditions: &[String]| {
        let all = if conditions.is_empty() {
            "true".to_owned()
        } else {
            conditions.join(" && ")
        };
        let text = format!(
            "permit (principal, action == {}, resource) when {{ {all} }};",
            env.action()
        );
        Policy::parse(Some(property.id().clone()), text).ok()
    };
    let is_understood = |conditions: &[String]| {
        policy(conditions).is_some_and(|policy| {
            let result = validator.validate(&set([policy]), ValidationMode::Strict);
            result.validation_errors().next().is_none()
        })
    };
    let mut kept: Vec<String> = Vec::new();
    for part in parts.into_iter().filter(|part| !names(part).contains("action")) {
        let Some(text) = text_of(part) else { continue };
        kept.push(format!("({text})"));
        if !is_understood(&kept) {
            kept.pop();
        }
    }
    policy(&kept).map(Premise::new)
}

/// Forbids what a policy permits that says what is never read: it is not asked about.
pub(super) fn excepting(never: &Premise, property: &str) -> Option<Arc<Premise>> {
    let forbid = forbidding(never.policy())?;
    let id = PolicyId::new(format!("the private {property}"));
    Some(Arc::new(Premise::new(forbid.new_id(id))))
}

impl Example {
    /// The same about another action, of the same kind.
    #[must_use]
    pub(super) fn asking(&self, action: &str) -> Self {
        let request = &self.request;
        let other = || {
            let kind = request.action()?.type_name().clone();
            let action = EntityUid::from_type_name_and_id(kind, EntityId::new(action));
            let (who, what) = (request.principal()?.clone(), request.resource()?.clone());
            Request::new(who, action, what, request.context()?.clone(), None).ok()
        };
        Self {
            request: other().unwrap_or_else(|| request.clone()),
            entities: self.entities.clone(),
        }
    }

    /// Whether it is of a flow that passes unread.
    pub fn is_unread(&self) -> bool {
        self.request
            .action()
            .is_some_and(|action| action.id().unescaped() == UNREAD)
    }
}
