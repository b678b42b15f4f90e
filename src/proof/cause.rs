//! By which rule an answer changed, and by what of it: the rules that one side alone has, and the conditions of such a
//! rule on which a request hangs.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Authorizer, Decision, Effect, Policy, RequestEnv};
use serde_json::{Value, json};

use super::premise::Premise;
use super::question::{Aim, Question, Rules};
use super::theory::set;
use super::{Example, Theory};
use crate::policy::apart::{self, text_of};

/// A condition, and whether it holds.
pub(super) type Ground = (Value, bool);

/// What one of two sets of rules says and the other does not, whatever it is called there.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    meanings: BTreeSet<&'a str>,
}

impl<'a> Alone<'a> {
    pub(super) fn of(old: &'a Theory, new: &'a Theory) -> Self {
        let meanings =
            |theory: &'a Theory| -> BTreeSet<&'a str> { theory.every().map(|rule| rule.meaning()).collect() };
        Self {
            meanings: &meanings(old) ^ &meanings(new),
        }
    }

    /// The rules of one side that the other does not have, which may match a request of the kind.
    pub(super) fn rules<'t>(&'t self, side: &'t Theory, env: &RequestEnv) -> impl Iterator<Item = &'t Arc<Premise>> {
        side.rules(env).filter(|rule| self.meanings.contains(rule.meaning()))
    }

    /// The rules through which `more` may allow what `less` does not: permits that only the one has, and forbids that only
    /// the other has. Every such request matches one of them: where `less` has no permit that matches, the one of `more` is
    /// not among its rules, and where it has a forbid that matches, that is not among those of `more`.
    pub(super) fn causes(&self, more: &Theory, less: &Theory, env: &RequestEnv) -> Vec<Arc<Premise>> {
        let new = self
            .rules(more, env)
            .filter(|rule| rule.policy().effect() == Effect::Permit);
        let gone = self
            .rules(less, env)
            .filter(|rule| rule.policy().effect() == Effect::Forbid);
        new.chain(gone).cloned().collect()
    }

    /// The attributes that these rules read.
    pub(super) fn read(&self, old: &Theory, new: &Theory, env: &RequestEnv) -> BTreeSet<String> {
        let changed = self.rules(old, env).chain(self.rules(new, env));
        changed.flat_map(|rule| rule.reads()).collect()
    }

    /// Whether `less` allows what `more` allows through `cause`; of the knowledge of `theory`.
    ///
    /// A forbid that both have matches none of these requests, since `more` allows them: so the other side is asked about
    /// those forbids only that it alone has.
    pub(super) fn question<'q>(
        &self,
        theory: &'q Theory,
        cause: &Arc<Premise>,
        (more, less): (&Theory, &Theory),
        env: &'q RequestEnv,
    ) -> Question<'q> {
        let is_forbid = |rule: &&Arc<Premise>| rule.policy().effect() == Effect::Forbid;
        match cause.policy().effect() {
            Effect::Permit => {
                let one = more.rules(env).filter(is_forbid).chain([cause]).collect();
                let permits = less.rules(env).filter(|rule| !is_forbid(rule));
                let other = permits.chain(self.rules(less, env).filter(is_forbid)).collect();
                Question::new(theory, env, Aim::Implies, one, other)
            }
            Effect::Forbid => {
                let matches = Rules {
                    permits: vec![Arc::new(cause.permitting())],
                    forbids: Vec::new(),
                };
                Question::new(theory, env, Aim::Disjoint, more.rules(env).collect(), matches)
            }
        }
    }
}

/// What a cause is on the other side, where that speaks of such requests.
pub(super) fn counterpart(cause: &Policy, more: &Theory, less: &Theory, env: &RequestEnv) -> Option<Arc<Premise>> {
    let side = if cause.effect() == Effect::Permit { less } else { more };
    let same = side.rule(cause.id().as_ref())?;
    side.speaks_of(same.policy(), env).then(|| Arc::clone(same))
}

/// Why a rule matches an example, and what it was or became does not: what holds of their conditions and does not, as far
/// as one looks to see it.
pub(super) fn grounds(rule: &Policy, other: Option<&Policy>, example: &Example) -> Vec<Ground> {
    let mut found = Vec::new();
    for rule in [Some(rule), other].into_iter().flatten() {
        for (body, wanted) in heads(rule).into_iter().chain(conditions(rule)) {
            let is_met = holds(&body, example) == wanted;
            looked_at(&body, if is_met { wanted } else { !wanted }, example, &mut found);
            if !is_met {
                break;
            }
        }
    }
    let mut known = Vec::new();
    found.retain(|ground| {
        let is_new = !known.contains(ground);
        known.push(ground.clone());
        is_new
    });
    found
}

/// The `forbid` with these grounds as further conditions.
pub(super) fn narrowed(forbid: &Policy, grounds: &[Ground]) -> Option<Policy> {
    let mut text = forbid.to_json().ok()?;
    let conditions = text.get_mut("conditions")?.as_array_mut()?;
    let more = grounds
        .iter()
        .map(|(body, holds)| json!({ "kind": if *holds { "when" } else { "unless" }, "body": body }));
    conditions.extend(more);
    Policy::from_json(Some(forbid.id().clone()), text).ok()
}

/// Without those grounds that only let another be read: who looks at an attribute says that it is there.
pub(super) fn telling(grounds: &[Ground]) -> Vec<&Ground> {
    let is_guard = |ground: &Ground| ground.1 && ground.0.get("has").is_some();
    let read: BTreeSet<String> = grounds
        .iter()
        .filter(|ground| !is_guard(ground))
        .flat_map(|(body, _)| names(body))
        .collect();
    let goes_without_saying =
        |ground: &&Ground| is_guard(ground) && path(&ground.0).is_some_and(|path| read.contains(&path));
    grounds.iter().filter(|ground| !goes_without_saying(ground)).collect()
}

/// A ground as people write it: of a comparison that does not hold, the opposite does.
pub(super) fn shown((body, holds): &Ground) -> Option<String> {
    let comparison = OPPOSITES.iter().find_map(|(operator, opposite)| {
        let sides = body.get(operator)?;
        let side = |name: &str| sides.get(name).filter(|side| path(side).is_some() || is_plain(side));
        let said = if *holds { operator } else { opposite };
        Some(format!(
            "{} {said} {}",
            text_of(side("left")?)?,
            text_of(side("right")?)?
        ))
    });
    let whole = || {
        if *holds {
            return text_of(body);
        }
        text_of(&json!({ "!": { "arg": body } }))
    };
    comparison.or_else(whole)
}

/// Each comparison and its opposite; Cedar itself writes half of them as what is not so.
const OPPOSITES: [(&str, &str); 6] = [
    ("==", "!="),
    ("!=", "=="),
    ("<", ">="),
    (">=", "<"),
    (">", "<="),
    ("<=", ">"),
];

/// Whether an expression is a value, so that it needs no parentheses.
fn is_plain(body: &Value) -> bool {
    ["Value", "duration", "datetime", "decimal", "ip"]
        .iter()
        .any(|kind| body.get(kind).is_some())
}

/// The attributes that an expression reads, and what else it names of a request.
pub(super) fn names(body: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    apart::outermost(body, &path, &mut |path| {
        found.insert(path);
    });
    found
}

/// `context.purpose.kind`, read or asked for by `has`; none for what does not begin with a variable.
fn path(body: &Value) -> Option<String> {
    let Some(test) = body.get("has") else {
        return apart::path(body).filter(|_| body.get("Value").is_none());
    };
    let attribute = test.get("attr")?.as_str()?;
    Some(format!("{}.{attribute}", apart::path(test.get("left")?)?))
}

/// Whom and what the scope of a rule names, as conditions.
pub(super) fn heads(rule: &Policy) -> Vec<Ground> {
    let text = rule.to_json().unwrap_or_default();
    let one = |slot: &&str| {
        let head = text.get(*slot)?;
        let named = |head: &Value| Some(json!({ "Value": { "__entity": head.get("entity")? } }));
        let variable = json!({ "Var": slot });
        let body = match head.get("op")?.as_str()? {
            operator @ ("in" | "==") => json!({ operator: { "left": variable, "right": named(head)? } }),
            "is" => {
                let mut test = json!({ "left": variable, "entity_type": head.get("entity_type")? });
                if let (Some(group), Some(members)) = (head.get("in").and_then(named), test.as_object_mut()) {
                    members.insert("in".to_owned(), group);
                }
                json!({ "is": test })
            }
            _ => return None,
        };
        Some((body, true))
    };
    ["principal", "resource"].iter().filter_map(one).collect()
}

/// The conditions of a rule, each with whether it must hold.
pub(super) fn conditions(rule: &Policy) -> Vec<Ground> {
    let text = apart::read(rule).unwrap_or_default();
    let one = |clause: &Value| Some((clause.get("body")?.clone(), !apart::is_unless(clause)));
    apart::clauses(&text).filter_map(one).collect()
}

/// Looks at an expression as Cedar does, from the left, no further than it must, and notes what it sees: what stands to the
/// right may be of use only because of what stands to the left.
fn looked_at(body: &Value, wanted: bool, example: &Example, found: &mut Vec<Ground>) {
    let part = |operator: &str, name: &str| body.get(operator)?.get(name);
    if let Some(inner) = part("!", "arg") {
        return looked_at(inner, !wanted, example, found);
    }
    for (operator, goes_on) in [("&&", true), ("||", false)] {
        if let (Some(left), Some(right)) = (part(operator, "left"), part(operator, "right")) {
            let is_left = holds(left, example);
            looked_at(left, is_left, example, found);
            if is_left == goes_on {
                looked_at(right, wanted, example, found);
            }
            return;
        }
    }
    if let (Some(test), Some(then), Some(otherwise)) = (
        part("if-then-else", "if"),
        part("if-then-else", "then"),
        part("if-then-else", "else"),
    ) {
        let is_met = holds(test, example);
        looked_at(test, is_met, example, found);
        return looked_at(if is_met { then } else { otherwise }, wanted, example, found);
    }
    found.push((body.clone(), wanted));
}

fn holds(body: &Value, example: &Example) -> bool {
    let all = json!({ "op": "All" });
    let text = json!({
        "effect": "permit", "principal": all, "action": all, "resource": all,
        "conditions": [{ "kind": "when", "body": body }],
    });
    let Ok(policy) = Policy::from_json(None, text) else {
        return false;
    };
    let answer = Authorizer::new().is_authorized(&example.request, &set([policy]), &example.entities);
    answer.decision() == Decision::Allow
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grounds of a rule, all of which hold or none.
    fn read(text: &str, holds: bool) -> Vec<Ground> {
        let text = format!("permit (principal, action, resource) when {{ {text} }};");
        let policy = Policy::parse(None, text).unwrap();
        conditions(&policy).into_iter().map(|(body, _)| (body, holds)).collect()
    }

    #[test]
    fn comparisons_are_told_as_people_write_them() {
        for (text, holds, told) in [
            ("context.local.weekday <= 4", false, "context.local.weekday > 4"),
            ("context.local.weekday > 4", true, "context.local.weekday > 4"),
            (
                "context.local.time < duration(\"12h\")",
                false,
                "context.local.time >= duration(\"12h\")",
            ),
            (
                "context.purpose.approvedBy != principal",
                true,
                "context.purpose.approvedBy != principal",
            ),
            ("principal.onLegalHold", false, "!principal.onLegalHold"),
        ] {
            let [ground] = &read(text, holds)[..] else {
                panic!("{text}")
            };
            assert_eq!(shown(ground).as_deref(), Some(told));
        }
    }

    #[test]
    fn what_only_lets_another_be_read_goes_without_saying() {
        let guard = read("context.purpose has approvedBy", true);
        let look = read("context.purpose.approvedBy == principal", false);
        let both = [guard.clone(), look.clone()].concat();
        assert_eq!(telling(&both), look.iter().collect::<Vec<_>>());
        assert_eq!(telling(&guard).len(), 1);
    }
}
