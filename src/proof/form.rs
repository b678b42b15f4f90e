//! What a question says, whomever and whatever it names: questions of one form differ in names alone. Pure.
//!
//! Cedar does not look into names. Where everybody and everything that one question names is called, everywhere, what the
//! other names in its place, each request of the one becomes a request of the other, and every rule answers as before. So
//! what holds of the one for every request there can be holds of the other. Actions keep their names, since a schema
//! tells them apart, and so do texts.

use std::collections::BTreeMap;

use cedar_policy::{EntityId, EntityUid, Policy, RequestEnv};
use serde_json::{Value, json};

use super::Ask;
use super::premise::digest;

/// The form of a question, and what it names.
#[derive(Debug)]
pub(super) struct Form {
    /// A digest of what it says, with numbers in the place of names: the same number wherever it is the same name.
    digest: String,
    /// The names, by their numbers.
    names: Vec<EntityUid>,
}

impl Form {
    pub(super) fn of(env: &RequestEnv, ask: &Ask) -> Option<Self> {
        let mut names = Vec::new();
        let mut of = |policies: &mut dyn Iterator<Item = &Policy>| -> Option<Vec<Value>> {
            policies.map(|policy| numbered(policy, &mut names)).collect()
        };
        let says = match ask {
            Ask::Disjoint(one, other) => json!(["disjoint", of(&mut one.policies())?, of(&mut other.policies())?]),
            Ask::Implies(one, other) => json!(["implies", of(&mut one.policies())?, of(&mut other.policies())?]),
            Ask::NeverErrors(policy) => json!(["evaluates", of(&mut std::iter::once(policy.as_ref()))?]),
        };
        let kind = format!("{} {} {}", env.principal(), env.action(), env.resource());
        let digest = digest([kind.as_str(), says.to_string().as_str()]);
        Some(Self { digest, names })
    }

    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn names(&self) -> &[EntityUid] {
        &self.names
    }

    pub(super) fn into_parts(self) -> (String, Vec<EntityUid>) {
        (self.digest, self.names)
    }
}

/// A rule without its notes, and with numbers for names.
fn numbered(policy: &Policy, names: &mut Vec<EntityUid>) -> Option<Value> {
    let mut text = policy.to_json().ok()?;
    text.as_object_mut()?.remove("annotations");
    number(&mut text, names);
    Some(text)
}

/// What everything is called in the one question that is called so in another of the form: names that only the other has
/// change places with those that it does not have, so that no two things come to one name.
pub(super) fn renaming(from: &[EntityUid], to: &[EntityUid]) -> BTreeMap<EntityUid, EntityUid> {
    let pairs = || from.iter().zip(to).filter(|(from, to)| from != to);
    let back: BTreeMap<&EntityUid, &EntityUid> = pairs().map(|(from, to)| (to, from)).collect();
    let mut names: BTreeMap<EntityUid, EntityUid> = pairs().map(|(from, to)| (from.clone(), to.clone())).collect();
    for end in back.keys().filter(|end| !from.contains(end)) {
        let mut first = *end;
        while let Some(before) = back.get(first) {
            first = before;
        }
        names.insert((*end).clone(), first.clone());
    }
    names
}

/// Puts numbers in the place of names.
fn number(text: &mut Value, names: &mut Vec<EntityUid>) {
    match text {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match named(member).filter(|_| ["entity", "__entity"].contains(&key.as_str())) {
                    Some(uid) if uid.type_name().basename() != "Action" => {
                        let known = names.iter().position(|name| *name == uid);
                        let place = known.unwrap_or_else(|| {
                            names.push(uid.clone());
                            names.len() - 1
                        });
                        *member = json!({ "type": uid.type_name().to_string(), "id": place });
                    }
                    _ => number(member, names),
                }
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| number(part, names)),
        _ => {}
    }
}

/// What is named, where a text is a name.
pub(super) fn named(text: &Value) -> Option<EntityUid> {
    let members = text.as_object().filter(|members| members.len() == 2)?;
    let kind = members.get("type")?.as_str()?.parse().ok()?;
    let id = members.get("id")?.as_str()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Schema;

    use crate::proof::theory::set;
    use crate::rulebook::Sources;

    fn form(action: &str, texts: &[&str]) -> Form {
        let (schema, _) = Schema::from_cedarschema_str(&Sources::embedded().schema.text).unwrap();
        let env = schema
            .request_envs()
            .find(|env| env.action().id().unescaped() == action)
            .unwrap();
        let policies = texts.iter().enumerate().map(|(number, text)| {
            let id = cedar_policy::PolicyId::new(format!("p{number}"));
            Policy::parse(Some(id), format!("@id(\"x{number}\") permit ({text};")).unwrap()
        });
        Form::of(&env, &Ask::Disjoint(set(policies), set([]))).unwrap()
    }

    #[test]
    fn questions_that_differ_in_names_alone_are_of_one_form() {
        let of = |role: &str, platform: &str| {
            let one = format!(
                "principal in Role::\"{role}\", action, resource) when {{ resource in Platform::\"{platform}\" }}"
            );
            let other = format!("principal, action, resource) when {{ principal in Role::\"{role}\" }}");
            form("post", &[&one, &other])
        };
        let (one, other) = (of("a", "p"), of("b", "q"));
        assert_eq!(one.digest(), other.digest());
        let told: Vec<String> = renaming(one.names(), other.names())
            .iter()
            .map(|(from, to)| format!("{from} {to}"))
            .collect();
        assert_eq!(
            told,
            [
                "Platform::\"p\" Platform::\"q\"",
                "Platform::\"q\" Platform::\"p\"",
                "Role::\"a\" Role::\"b\"",
                "Role::\"b\" Role::\"a\""
            ]
        );
    }

    #[test]
    fn no_two_things_come_to_one_name() {
        let uids = |names: &str| -> Vec<EntityUid> {
            names
                .chars()
                .map(|c| format!("Role::\"{c}\"").parse().unwrap())
                .collect()
        };
        for (from, to) in [("abc", "bcd"), ("ab", "ba"), ("abc", "xbz"), ("abcd", "cxya")] {
            let (from, to) = (uids(from), uids(to));
            let names = renaming(&from, &to);
            let images: std::collections::BTreeSet<_> = names.values().collect();
            assert_eq!(images, names.keys().collect());
            for (from, to) in from.iter().zip(&to) {
                assert_eq!(names.get(from).unwrap_or(from), to);
            }
        }
    }

    #[test]
    fn what_differs_in_more_than_names_is_of_another_form() {
        let plain = [
            "principal in Role::\"a\", action == Action::\"post\", resource)",
            "principal in Role::\"b\", action, resource)",
        ];
        let changed = |from: &str, to: &str| {
            let texts = plain.map(|text| text.replacen(from, to, 1));
            form("post", &[&texts[0], &texts[1]])
        };
        let before = changed("", "");
        for (from, to) in [
            // one name where there were two
            ("\"b\"", "\"a\""),
            ("Role", "Department"),
            ("in Role", "== User"),
            ("\"post\"", "\"share\""),
            (", resource)", ", resource) when { context.client.network == \"a\" }"),
            (", resource)", ", resource) when { context.client.network == \"b\" }"),
        ] {
            assert_ne!(before.digest(), changed(from, to).digest(), "{from} {to}");
        }
        // a text is no name
        let text = |word: &str| {
            form(
                "post",
                &[&format!(
                    "principal, action, resource) when {{ context.request.host == \"{word}\" }}"
                )],
            )
        };
        assert_ne!(text("a").digest(), text("b").digest());
        assert_ne!(before.digest(), form("share", &plain).digest());
    }
}
