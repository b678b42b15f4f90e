//! Rules taken apart: where they say `when`, `unless`, `&&` and `||`, down to what is asked of a request.

use cedar_policy::{Expression, PolicyToJsonError};
use serde_json::{Value, json};

/// A part of a rule that lets it apply or keeps it from that, by itself.
#[derive(Debug)]
pub(super) struct Part {
    /// As the rule says it, on one line.
    pub(super) text: String,
    /// Whether it must not be so: it stands behind `unless`.
    pub(super) unless: bool,
    /// For Cedar.
    pub(super) expression: Option<Expression>,
    /// The attributes that it looks at.
    pub(super) paths: Vec<(String, Option<Expression>)>,
    /// What it asks, without `&&`, `||` and `!`.
    pub(super) leaves: Vec<(String, Option<Expression>)>,
}

/// The parts of a rule; none where it has no more than a scope.
pub(super) fn parts(policy: &cedar_policy::Policy) -> Vec<Part> {
    let json = read(policy).unwrap_or_default();
    let mut found = Vec::new();
    for clause in clauses(&json) {
        let unless = is_unless(clause);
        let Some(body) = clause.get("body") else { continue };
        let mut bodies = Vec::new();
        // `unless { a || b }` is `unless { a } unless { b }`
        split(body, if unless { "||" } else { "&&" }, &mut bodies);
        found.extend(bodies.into_iter().filter_map(|body| part(body, unless)));
    }
    found
}

/// A rule as JSON, for whoever reads it instead of deciding by it: `x has a.b` is spelt out as the
/// `x has a && x.a has b` that it is short for.
pub(crate) fn read(policy: &cedar_policy::Policy) -> Result<Value, PolicyToJsonError> {
    let mut json = policy.to_json();
    if let Some(conditions) = json.as_mut().ok().and_then(|json| json.get_mut("conditions")) {
        spell_out(conditions);
    }
    json
}

fn spell_out(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(spell_out),
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if let Some(chain) = value.get("has").and_then(chain) {
        *value = chain;
    }
}

/// What a `has` of several steps is short for.
fn chain(has: &Value) -> Option<Value> {
    let mut of = has.get("left")?.clone();
    let mut chain = None;
    for step in has.get("attr")?.as_array()? {
        let here = json!({ "has": { "left": of, "attr": step } });
        chain = Some(match chain {
            None => here,
            Some(before) => json!({ "&&": { "left": before, "right": here } }),
        });
        of = json!({ ".": { "left": of, "attr": step } });
    }
    chain
}

/// The `when`s and `unless`es of a rule as JSON.
pub(crate) fn clauses(policy: &Value) -> impl Iterator<Item = &Value> {
    policy.get("conditions").and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn is_unless(clause: &Value) -> bool {
    clause.get("kind").and_then(Value::as_str) == Some("unless")
}

/// The operands of an operator.
pub(super) fn sides<'a>(expression: &'a Value, operator: &str) -> Option<(&'a Value, &'a Value)> {
    let both = expression.get(operator)?;
    Some((both.get("left")?, both.get("right")?))
}

/// The expression as Cedar writes it, on one line.
pub fn text_of(expression: &Value) -> Option<String> {
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
    Some(body.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn part(body: &Value, unless: bool) -> Option<Part> {
    let mut leaves = Vec::new();
    down(body, &mut leaves);
    let parsed = |text: String| {
        let expression = text.parse().ok();
        (text, expression)
    };
    let text = text_of(body)?;
    Some(Part {
        expression: text.parse().ok(),
        text,
        unless,
        paths: attributes(body).into_iter().map(parsed).collect(),
        leaves: leaves.into_iter().filter_map(text_of).map(parsed).collect(),
    })
}

pub(crate) fn split<'a>(expression: &'a Value, operator: &str, parts: &mut Vec<&'a Value>) {
    if let Some((left, right)) = sides(expression, operator) {
        split(left, operator, parts);
        split(right, operator, parts);
    } else {
        parts.push(expression);
    }
}

pub(super) fn down<'a>(expression: &'a Value, leaves: &mut Vec<&'a Value>) {
    if let Some((left, right)) = sides(expression, "&&").or_else(|| sides(expression, "||")) {
        down(left, leaves);
        down(right, leaves);
    } else if let Some(inner) = expression.pointer("/!/arg") {
        down(inner, leaves);
    } else {
        leaves.push(expression);
    }
}

/// The longest paths of attributes that the expression reads, each once.
fn attributes(expression: &Value) -> Vec<String> {
    let is_attribute = |part: &Value| path(part).filter(|_| part.get(".").is_some());
    let mut found = Vec::new();
    outermost(expression, &is_attribute, &mut |path| {
        if !found.contains(&path) {
            found.push(path);
        }
    });
    found
}

/// Tells what the parts of an expression are called, in their order: of one that has a name, nothing that is in it.
pub(crate) fn outermost(expression: &Value, name: &dyn Fn(&Value) -> Option<String>, tell: &mut dyn FnMut(String)) {
    match (name(expression), expression) {
        (Some(name), _) => tell(name),
        (None, Value::Object(members)) => members.values().for_each(|inner| outermost(inner, name, tell)),
        (None, Value::Array(items)) => items.iter().for_each(|inner| outermost(inner, name, tell)),
        (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
    }
}

/// `context.purpose.kind` for an attribute of an attribute, `Role::"staff"` for a name; none for anything computed.
pub(crate) fn path(expression: &Value) -> Option<String> {
    if let Some(variable) = expression.get("Var").and_then(Value::as_str) {
        return Some(variable.to_owned());
    }
    if let Some(step) = expression.get(".") {
        let attribute = step.get("attr")?.as_str()?;
        return Some(format!("{}.{attribute}", path(step.get("left")?)?));
    }
    let entity = expression.pointer("/Value/__entity")?;
    let part = |name| entity.get(name).and_then(Value::as_str);
    Some(format!("{}::\"{}\"", part("type")?, part("id")?))
}
