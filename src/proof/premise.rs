//! A rule that proofs rest on, with what is asked of it again and again made once. Pure.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use cedar_policy::{EntityUid, Policy, PrincipalConstraint, ResourceConstraint};

use super::cause::{conditions, names};
use super::rewrite::permitting;
use crate::facts::hex;

/// A rule that proofs rest on.
#[derive(Debug)]
pub struct Premise {
    policy: Policy,
    names: BTreeSet<EntityUid>,
    scope: Vec<EntityUid>,
    meaning: OnceLock<String>,
}

impl Premise {
    pub(super) fn new(policy: Policy) -> Self {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                Some(uid)
            }
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => Some(uid),
        };
        Self {
            names: policy.entity_literals().into_iter().collect(),
            scope: principal.into_iter().chain(resource).collect(),
            meaning: OnceLock::new(),
            policy,
        }
    }

    /// The rule.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The attributes that its conditions read.
    pub fn reads(&self) -> BTreeSet<String> {
        let bodies = conditions(&self.policy).into_iter();
        bodies.flat_map(|(body, _)| names(&body)).collect()
    }

    /// All that it names.
    pub(super) fn names(&self) -> &BTreeSet<EntityUid> {
        &self.names
    }

    /// Whether its scope leaves room for a request about somebody and something that is, and is in, no more than
    /// `present`: where it does not, the rule neither matches nor fails.
    pub(super) fn is_near(&self, present: &BTreeSet<EntityUid>) -> bool {
        self.scope.iter().all(|uid| present.contains(uid))
    }

    /// A digest of what it says, its name and notes aside: rules of one meaning match the same requests.
    pub(super) fn meaning(&self) -> &str {
        self.meaning.get_or_init(|| {
            let text = self.policy.to_json().map(|mut text| {
                if let Some(members) = text.as_object_mut() {
                    members.remove("annotations");
                }
                text.to_string()
            });
            digest([text.unwrap_or_else(|_| self.policy.to_string()).as_str()])
        })
    }

    /// The one that permits exactly where this applies, whatever its effect.
    pub(super) fn permitting(&self) -> Self {
        Self {
            policy: permitting(&self.policy),
            names: self.names.clone(),
            scope: self.scope.clone(),
            meaning: OnceLock::new(),
        }
    }
}

/// A digest of texts, in their order.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in texts {
        hash.update(&text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex(hash.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn premise(text: &str) -> Premise {
        Premise::new(Policy::parse(None, text).unwrap())
    }

    #[test]
    fn a_name_or_a_note_changes_no_meaning_and_every_word_of_the_rule_does() {
        let rule = |notes: &str, body: &str| premise(&format!("{notes} permit (principal, action, resource) {body};"));
        let plain = rule("", "when { context.a }");
        assert_eq!(
            plain.meaning(),
            rule("@id(\"x\") @reason(\"R.\")", "when { context.a }").meaning()
        );
        for other in ["", "unless { context.a }", "when { context.b }"] {
            assert_ne!(plain.meaning(), rule("", other).meaning(), "{other}");
        }
    }

    #[test]
    fn a_rule_is_near_where_all_that_its_scope_names_is_there() {
        let rule = premise("permit (principal in Role::\"a\", action, resource is Site in Platform::\"p\");");
        let named = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        assert!(rule.is_near(&named(&["Role::\"a\"", "Platform::\"p\"", "Site::\"s\""])));
        assert!(!rule.is_near(&named(&["Role::\"a\"", "Platform::\"q\""])));
        let any = premise("permit (principal, action, resource is Site);");
        assert!(any.is_near(&BTreeSet::new()));
    }
}
