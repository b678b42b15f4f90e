//! How each condition of a rule came out for one question: for explanations, never for deciding.
//!
//! A rule is taken apart where it says `when`, `unless` and `&&`, and each part is put to Cedar's own evaluator; so are
//! the attributes that the part looks at.

use cedar_policy::{Entities, EvalResult, Expression, Request, eval_expression};
use serde::Serialize;

use super::apart::{self, Part};
use super::cedars::CedarCase;
use super::engine::Number;
use super::question::{GrantQuestion, Question};
use super::request::Asked;
use super::{Policy, Rule, RuleSet};
use crate::clock::Timestamp;
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
    /// Its conditions; none where it has no more than a scope, which matched. Of a permit that had expired by then, its end
    /// stands first, as one that failed.
    pub conditions: Vec<Condition>,
    /// When it expired, if it had by then.
    #[serde(skip)]
    pub expired: Option<Timestamp>,
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
    /// What it asks, without `&&`, `||` and `!`, and whether that was so; none where Cedar cannot say.
    #[serde(skip)]
    pub leaves: Vec<(String, Option<bool>)>,
}

impl Account {
    /// Whether every condition let the rule apply.
    pub fn applies(&self) -> bool {
        self.conditions.iter().all(|condition| condition.held == Some(true))
    }

    /// When it expired, if nothing but that keeps it from applying.
    pub fn lapsed(&self) -> Option<Timestamp> {
        let mut others = self.conditions.iter().skip(1);
        let applied = others.all(|condition| condition.held == Some(true));
        self.expired.filter(|_| applied)
    }
}

impl Policy {
    /// How every rule came out whose scope covers an action of the question; empty where the question cannot be put.
    pub fn accounts(&self, question: &Question<'_>) -> Vec<Account> {
        let asked = self.nouns.about_site(question, &self.vocabulary, None);
        asked.map(|asked| self.told(&asked)).unwrap_or_default()
    }

    /// The same of a question about a grant.
    pub fn accounts_on_grant(&self, question: &GrantQuestion<'_>) -> Vec<Account> {
        let asked = self.nouns.about_grant(question, &self.vocabulary, None);
        asked.map(|asked| self.told(&asked)).unwrap_or_default()
    }

    /// The same of a request in Cedar's own terms.
    pub fn accounts_of_cedar(&self, case: &CedarCase) -> Vec<Account> {
        self.told(&case.0)
    }

    /// What each rule asks beyond its scope, without `&&`, `||` and `!`.
    pub fn conditions(&self) -> impl Iterator<Item = (PolicyId, Vec<String>)> {
        self.rules.iter().enumerate().map(|(number, rule)| {
            let leaves = self.parts(number).iter().flat_map(|part| &part.leaves);
            let mut texts: Vec<String> = Vec::new();
            for (text, _) in leaves {
                if !texts.contains(text) {
                    texts.push(text.clone());
                }
            }
            (rule.id.clone(), texts)
        })
    }

    fn told(&self, asked: &Asked) -> Vec<Account> {
        let mut accounts = Vec::new();
        for request in &asked.requests {
            let Some(action) = request.action() else { continue };
            let numbers = self.engine.candidates_for(request, &asked.entities);
            for number in numbers.unwrap_or_default() {
                let counts = |rule: &&Rule| rule.is_in(RuleSet::InEffect) || rule.is_in(RuleSet::Continued);
                let Some(rule) = self.rules.get(number).filter(counts) else {
                    continue;
                };
                let expired = rule.expires.filter(|_| rule.has_expired(asked.at));
                let parts = self.parts(number).iter();
                let parts = parts.map(|part| condition(part, request, &asked.entities));
                accounts.push(Account {
                    policy: rule.id.clone(),
                    effect: rule.effect,
                    action: action.id().unescaped().to_owned(),
                    conditions: expired
                        .map(|end| over(end, asked.at))
                        .into_iter()
                        .chain(parts)
                        .collect(),
                    expired,
                });
            }
        }
        accounts
    }

    fn parts(&self, number: Number) -> &[Part] {
        let all = self
            .apart
            .get_or_init(|| self.engine.policies().iter().map(apart::parts).collect());
        all.get(number).map_or(&[], Vec::as_slice)
    }
}

/// The end of a permit, as a condition that fails.
fn over(end: Timestamp, at: Timestamp) -> Condition {
    Condition {
        text: format!("@expires(\"{end}\")"),
        unless: false,
        held: Some(false),
        values: vec![("context.now".to_owned(), at.to_string())],
        leaves: Vec::new(),
    }
}

fn condition(part: &Part, request: &Request, entities: &Entities) -> Condition {
    let is_so = |expression: &Option<Expression>| match value(expression.as_ref(), request, entities) {
        Some(EvalResult::Bool(is_so)) => Some(is_so),
        Some(_) | None => None,
    };
    let values = part.paths.iter().filter_map(|(path, expression)| {
        let value = value(expression.as_ref(), request, entities)?;
        Some((path.clone(), value.to_string()))
    });
    let leaves = part.leaves.iter();
    Condition {
        text: part.text.clone(),
        unless: part.unless,
        held: is_so(&part.expression).map(|is_so| is_so != part.unless),
        values: values.collect(),
        leaves: leaves.map(|(text, leaf)| (text.clone(), is_so(leaf))).collect(),
    }
}

fn value(expression: Option<&Expression>, request: &Request, entities: &Entities) -> Option<EvalResult> {
    eval_expression(request, entities, expression?).ok()
}
