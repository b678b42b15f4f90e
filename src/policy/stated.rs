//! What rules make of how a purpose is stated, beside that it is: whether more is always better, and whether the ticket matters.
//! Where neither could help, nobody need try out what else could be stated.
//!
//! Errs to one side only: what cannot be told counts as if less could be better.

use cedar_policy::Effect;
use serde_json::Value;

use super::Policy;
use super::apart::{clauses, is_unless, path, read, sides};

/// What holds of all rules together.
#[derive(Debug)]
pub(super) struct Stated {
    /// Whether a grant for more platforms and more groups of activities opens whatever one for fewer does.
    more_is_better: bool,
    /// Whether they look at the ticket.
    ticket: bool,
}

/// How far a grant goes, and what holds that.
const WIDTHS: [&str; 4] = [
    "context",
    "context.purpose",
    "context.purpose.platforms",
    "context.purpose.covers",
];
const TICKETS: [&str; 3] = ["context", "context.purpose", "context.purpose.ticket"];

impl Policy {
    /// Whether a grant for more platforms and more groups of activities surely opens whatever one for fewer does.
    pub fn more_is_better(&self) -> bool {
        self.stated().more_is_better
    }

    /// Whether it may matter to the rules what ticket a grant names, or that it names one.
    pub fn heeds_tickets(&self) -> bool {
        self.stated().ticket
    }

    fn stated(&self) -> &Stated {
        self.stated.get_or_init(|| {
            let mut stated = Stated {
                more_is_better: true,
                ticket: false,
            };
            for policy in self.engine.policies() {
                if let Ok(json) = read(policy) {
                    stated.read(&json, policy.effect());
                } else {
                    (stated.more_is_better, stated.ticket) = (false, true);
                }
            }
            stated
        })
    }
}

impl Stated {
    fn read(&mut self, policy: &Value, effect: Effect) {
        for clause in clauses(policy) {
            let Some(body) = clause.get("body") else { continue };
            let opens = (effect == Effect::Permit) != is_unless(clause);
            self.more_is_better &= grows(body, opens);
            self.ticket |= mentions(body, &TICKETS) || asks_for_ticket(body);
        }
    }
}

/// Whether more platforms and groups never make an expression false that was true; where it is not to `grow`, never true
/// that was false.
fn grows(expression: &Value, grow: bool) -> bool {
    if let Some((left, right)) = sides(expression, "&&").or_else(|| sides(expression, "||")) {
        return grows(left, grow) && grows(right, grow);
    }
    if let Some(inner) = expression.pointer("/!/arg") {
        return grows(inner, !grow);
    }
    // `"read"` is one of the groups, the host in one of the platforms
    let whole = |operator, set: fn((&Value, &Value)) -> bool| sides(expression, operator).is_some_and(set);
    let asks_for_more = whole("contains", |(set, one)| is_width(set) && !mentions(one, &WIDTHS))
        || whole("containsAll", |(set, some)| is_width(set) && !mentions(some, &WIDTHS))
        || whole("containsAny", |(set, some)| is_width(set) && !mentions(some, &WIDTHS))
        || whole("in", |(one, set)| is_width(set) && !mentions(one, &WIDTHS));
    (asks_for_more && grow) || !mentions(expression, &WIDTHS)
}

fn is_width(expression: &Value) -> bool {
    path(expression).is_some_and(|path| path == "context.purpose.platforms" || path == "context.purpose.covers")
}

/// Whether an expression looks at one of these, or at what holds it as a whole.
fn mentions(expression: &Value, paths: &[&str]) -> bool {
    if let Some(path) = path(expression) {
        return paths.contains(&path.as_str());
    }
    if expression.pointer("/has/left").and_then(path).is_some() {
        // that it is there is no more than that
        return false;
    }
    match expression {
        Value::Object(members) => members.values().any(|inner| mentions(inner, paths)),
        Value::Array(items) => items.iter().any(|inner| mentions(inner, paths)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn asks_for_ticket(expression: &Value) -> bool {
    if let Some(has) = expression.get("has") {
        return has.get("attr").and_then(Value::as_str) == Some("ticket");
    }
    match expression {
        Value::Object(members) => members.values().any(asks_for_ticket),
        Value::Array(items) => items.iter().any(asks_for_ticket),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(rule: &str) -> (bool, bool) {
        let policy: cedar_policy::Policy = rule.parse().unwrap();
        let mut stated = Stated {
            more_is_better: true,
            ticket: false,
        };
        stated.read(&read(&policy).unwrap(), policy.effect());
        (stated.more_is_better, stated.ticket)
    }

    #[test]
    fn less_may_be_better_wherever_a_rule_asks_for_less_or_for_what_cannot_be_told() {
        let when = |effect: &str, how: &str, condition: &str| {
            stated(&format!(
                "{effect} (principal, action, resource) {how} {{ {condition} }};"
            ))
            .0
        };
        for more in [
            "context has purpose && context.purpose.covers.contains(\"read\")",
            "context has purpose && resource in context.purpose.platforms",
            "context.purpose.covers.containsAll([\"read\"]) || context.purpose.platforms.containsAny([Platform::\"x\"])",
            "!!context.purpose.covers.contains(\"read\") && context.purpose.emergency",
        ] {
            assert!(when("permit", "when", more), "{more}");
            assert!(when("forbid", "unless", more), "{more}");
            assert!(!when("forbid", "when", more), "{more}");
            assert!(!when("permit", "unless", more), "{more}");
        }
        for less in [
            "context.purpose.covers == [\"read\"]",
            "[\"read\"].containsAll(context.purpose.covers)",
            "[context.purpose.covers].contains([\"read\"])",
            "if context.purpose.covers.contains(\"read\") then true else context.purpose.emergency",
            "context.purpose == context.purpose",
            "[context].contains(context)",
        ] {
            for how in ["when", "unless"] {
                assert!(!when("permit", how, less), "{less}");
                assert!(!when("forbid", how, less), "{less}");
            }
        }
        for neither in [
            "context has purpose && context.purpose.emergency",
            "context.purpose.kind == PurposeKind::\"a\" && context.now > context.purpose.declaredAt",
        ] {
            assert!(when("permit", "unless", neither), "{neither}");
        }
    }

    #[test]
    fn whether_the_ticket_matters_is_known() {
        let heeds =
            |condition: &str| stated(&format!("permit (principal, action, resource) when {{ {condition} }};")).1;
        for condition in [
            "context has purpose && context.purpose has ticket",
            "context has purpose.ticket",
            "context.purpose.ticket like \"HR-*\"",
            "[context.purpose].contains(context.purpose)",
        ] {
            assert!(heeds(condition), "{condition}");
        }
        for condition in [
            "context has purpose && context.purpose has approvedBy",
            "context.purpose.covers.contains(\"ticket\")",
        ] {
            assert!(!heeds(condition), "{condition}");
        }
    }
}
