//! A rule is typed once, and only for what its scope names.
//!
//! Cedar's validator types each rule for every kind of request of the schema, and finds words for what is wrong. Nearly always
//! nothing is: then it is enough to type a rule for the actions of its scope, since for the others the scope is false before
//! anything else is looked at. Whatever is not plainly in order is the validator's to tell; the tests hold one against the
//! other.

use cedar_policy::{EntityUid, Policy, Schema};
use cedar_policy_core::ast::{self, ActionConstraint, EntityUID};
use cedar_policy_core::validator::typecheck::{PolicyCheck, Typechecker};
use cedar_policy_core::validator::{ValidationMode, Validator, ValidatorSchema, confusable_string_checks};

/// Cedar's types of one schema.
pub(super) struct Types<'a> {
    schema: &'a ValidatorSchema,
    is_complete: bool,
}

impl<'a> Types<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        let schema: &ValidatorSchema = schema.as_ref();
        Self {
            schema,
            is_complete: schema.check_complete().is_ok(),
        }
    }

    /// The actions that a rule can apply to; none unless Cedar's validator surely says nothing of it.
    pub(super) fn alive(&self, rule: &Policy) -> Option<Vec<EntityUid>> {
        const STRICT: ValidationMode = ValidationMode::Strict;
        let rule: &ast::Policy = rule.as_ref();
        let rule = rule.template();
        let mut wrong_names = Validator::validate_entity_types_and_literals(self.schema, rule);
        if !self.is_complete
            || wrong_names.next().is_some()
            || confusable_string_checks([rule].into_iter()).next().is_some()
        {
            return None;
        }
        let typechecker = Typechecker::new(self.schema, STRICT);
        let mut alive = Vec::new();
        for kind in self.schema.unlinked_request_envs(STRICT) {
            let action = kind.action_entity_uid()?;
            if !self.names(rule.action_constraint(), action) {
                continue;
            }
            match typechecker.typecheck_by_single_request_env(rule, &kind) {
                PolicyCheck::Success(_) => alive.push(action.clone().into()),
                PolicyCheck::Irrelevant(wrong, _) if wrong.is_empty() => {}
                PolicyCheck::Irrelevant(..) | PolicyCheck::Fail(_) => return None,
            }
        }
        alive.sort();
        alive.dedup();
        // the validator warns of a rule that can never apply
        Some(alive).filter(|alive| !alive.is_empty())
    }

    /// Whether a scope names this action, or a group that it is in.
    fn names(&self, scope: &ActionConstraint, action: &EntityUID) -> bool {
        match scope {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(named) => **named == *action,
            ActionConstraint::In(named) => named.iter().any(|named| {
                let group = self.schema.get_action_id(named);
                **named == *action || group.is_some_and(|group| group.descendants().any(|one| one == action))
            }),
        }
    }
}
