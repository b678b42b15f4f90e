//! How each condition of a rule came out for one question: for explanations, never for deciding.
//!
//! A rule is taken apart where it says `when`, `unless` and `&&`, and each part is put to Cedar's own evaluator; so are
//! the attributes that the part looks at.

use cedar_policy::{Entities, EvalResult, Expression, Request, eval_expression};
use serde::Serialize;
use serde_json::{Value, json};

use super::Policy;
use super::question::Question;
use super::rule::Rule;
use crate::facts::{Effect, PolicyId};

/// How one rule came out for one action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The rule.
    pub policy: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// The action that was asked.
    pub action: String,
    /// Its conditions; none where it has no more than a scope, which matched.
    pub conditions: Vec<Condition>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// As the rule says it.
    pub text: String,
    /// Whether it must not be so: it stands behind `unless`.
    pub unless: bool,
    /// Whether it lets the rule apply; none where Cedar cannot say, because one before it failed or by an error.
    pub held: Option<bool>,
    /// The attributes that it looks at, and what they were.
    pub values: Vec<(String, String)>,
}

impl Account {
    /// Whether every condition let the rule apply.
    pub fn applies(&self) -> bool {
        self.conditions.iter().all(|condition| condition.held == Some(true))
    }
}

impl Policy {
    /// How every rule came out whose scope covers an action of the question; empty where the question cannot be put.
    pub fn accounts(&self, question: &Question<'_>) -> Vec<Account> {
        let Ok(asked) = self.nouns.about_site(question, &self.vocabulary, None) else {
            return Vec::new();
        };
        let mut accounts = Vec::new();
        for (name, request) in question.actions.iter().zip(&asked.requests) {
            let uid = request.action();
            let numbers = uid.and_then(|action| self.index.candidates(&asked.principal, action, &asked.resource));
            let numbers = numbers.unwrap_or_default().into_iter();
            let rules = numbers.filter(|number| self.is_in_force(*number, question.at));
            let rules = rules.filter_map(|number| self.rules.get(number));
            accounts.extend(rules.map(|rule| Account {
                policy: rule.id.clone(),
                effect: rule.effect,
                action: (*name).to_owned(),
                conditions: conditions(rule, request, &asked.entities).unwrap_or_default(),
            }));
        }
        accounts
    }
}

fn conditions(rule: &Rule, request: &Request, entities: &Entities) -> Option<Vec<Condition>> {
    let policy = cedar_policy::Policy::parse(None, &rule.text).ok()?.to_json().ok()?;
    let mut found = Vec::new();
    for clause in policy.get("conditions")?.as_array()? {
        let unless = clause.get("kind")? == "unless";
        let mut parts = Vec::new();
        // `unless { a || b }` is `unless { a } unless { b }`
        split(clause.get("body")?, if unless { "||" } else { "&&" }, &mut parts);
        found.extend(parts.into_iter().filter_map(|part| {
            let text = text_of(part)?;
            let held = match value(&text, request, entities) {
                Some(EvalResult::Bool(is_so)) => Some(is_so != unless),
                Some(_) | None => None,
            };
            let mut paths = Vec::new();
            attributes(part, &mut paths);
            let values = paths.into_iter().filter_map(|path| {
                let value = value(&path, request, entities)?;
                Some((path, value.to_string()))
            });
            let values = values.collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(Condition {
                text,
                unless,
                held,
                values,
            })
        }));
    }
    Some(found)
}

fn split<'a>(expression: &'a Value, operator: &str, parts: &mut Vec<&'a Value>) {
    let sides = expression
        .get(operator)
        .map(|both| (both.get("left"), both.get("right")));
    if let Some((Some(left), Some(right))) = sides {
        split(left, operator, parts);
        split(right, operator, parts);
    } else {
        parts.push(expression);
    }
}

fn value(text: &str, request: &Request, entities: &Entities) -> Option<EvalResult> {
    let expression: Expression = text.parse().ok()?;
    eval_expression(request, entities, &expression).ok()
}

/// The expression as Cedar writes it.
fn text_of(expression: &Value) -> Option<String> {
    let rule = json!({
        "effect": "permit",
        "principal": { "op": "All" },
        "action": { "op": "All" },
        "resource": { "op": "All" },
        "conditions": [{ "kind": "when", "body": expression }],
    });
    let text = cedar_policy::Policy::from_json(None, rule).ok()?.to_cedar()?;
    let (_, body) = text.split_once("when")?;
    let (body, _) = body.trim().strip_prefix('{')?.rsplit_once('}')?;
    Some(body.trim().to_owned())
}

/// The longest paths into principal, resource and context that the expression names, each once.
fn attributes(expression: &Value, found: &mut Vec<String>) {
    if expression.get(".").is_some()
        && let Some(path) = path(expression)
    {
        if !found.contains(&path) {
            found.push(path);
        }
        return;
    }
    match expression {
        Value::Object(members) => members.values().for_each(|inner| attributes(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| attributes(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `context.purpose.kind`; none for what does not begin with principal, resource or context.
fn path(expression: &Value) -> Option<String> {
    if let Some(variable) = expression.get("Var").and_then(Value::as_str) {
        return Some(variable.to_owned());
    }
    let step = expression.get(".")?;
    let attribute = step.get("attr")?.as_str()?;
    Some(format!("{}.{attribute}", path(step.get("left")?)?))
}
