//! Which questions about ending the rules cannot tell apart: those about grants that are the same in all that a rule on ending
//! looks at. Whoever has thousands of them looked through is answered once for each that differs.
//!
//! Errs to one side only: what some rule may tell apart is never called alike.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::apart::{clauses, path, read, sides};
use super::{GrantQuestion, Policy, Power};
use crate::clock::Timestamp;
use crate::facts::{Employment, Person, SubjectId};

/// Something of a grant, or of who holds it, that rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// How long it may last.
    Lasts,
    /// Who holds it, beyond whether it is whoever asks.
    Holder,
    /// Who owns the purpose, likewise.
    Owner,
    /// Whether whoever asks is the holder's manager.
    IsManager,
    Manager,
    Employment,
    Region,
    TimeZone,
    LegalHold,
    Units,
    Courses,
}

/// What rules on ending look at; none where that cannot be told.
#[derive(Debug)]
pub(super) struct Looks(Option<BTreeSet<Look>>);

/// What rules on ending see of one question, beside the purpose, whoever asks, how and when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marks {
    own: bool,
    /// Whether the directory knows who holds it.
    is_known: bool,
    seen: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mark {
    Lasts(Duration),
    Somebody(Option<SubjectId>),
    IsManager(Option<bool>),
    Employment(Employment),
    Text(String),
    LegalHold(bool),
    Units(BTreeSet<String>, BTreeSet<String>),
    Courses(BTreeMap<String, Timestamp>),
}

impl Policy {
    /// What tells a question about ending apart from others that the same person asks at the same moment, in the same way and
    /// for the same purpose: where it is the same, so is the answer. None where that cannot be told. Where nobody owns the
    /// purpose, `is_owned` is false, and whoever holds the grant stands for its owner.
    pub fn marks(&self, question: &GrantQuestion<'_>, is_owned: bool) -> Option<Marks> {
        let looks = self.ending.get_or_init(|| self.looks_on_ending()).0.as_ref()?;
        if question.power != Power::Revoke {
            return None;
        }
        let own = *question.declarer == question.person.id;
        let known = question.declarer_person.filter(|_| !own);
        let mark = |look: &Look| match look {
            Look::Lasts => Some(Mark::Lasts(question.longest_for)),
            Look::Owner if is_owned => None,
            Look::Holder | Look::Owner => Some(Mark::Somebody(Some(question.declarer.clone()))),
            Look::IsManager
            | Look::Manager
            | Look::Employment
            | Look::Region
            | Look::TimeZone
            | Look::LegalHold
            | Look::Units
            | Look::Courses => known.map(|holder| of_holder(*look, holder, &question.person.id)),
        };
        Some(Marks {
            own,
            is_known: known.is_some(),
            seen: looks.iter().filter_map(mark).collect(),
        })
    }

    fn looks_on_ending(&self) -> Looks {
        let mut looks = Looks(Some(BTreeSet::new()));
        let revoke = self.nouns.action(Power::Revoke.as_str());
        let actions = self.engine.actions_of_rules();
        let speaking = self.engine.policies().iter().zip(actions);
        for (policy, _) in speaking.filter(|(_, actions)| actions.contains(&revoke)) {
            match read(policy) {
                Ok(json) => clauses(&json).for_each(|clause| looks.read(clause)),
                Err(_) => looks.0 = None,
            }
        }
        looks
    }
}

fn of_holder(look: Look, holder: &Person, asks: &SubjectId) -> Mark {
    match look {
        Look::IsManager => Mark::IsManager(holder.manager.as_ref().map(|manager| manager == asks)),
        Look::Manager => Mark::Somebody(holder.manager.clone()),
        Look::Employment => Mark::Employment(holder.employment),
        Look::Region => Mark::Text(holder.region.clone()),
        Look::TimeZone => Mark::Text(holder.time_zone.clone()),
        Look::LegalHold => Mark::LegalHold(holder.on_legal_hold),
        Look::Units => Mark::Units(holder.roles.clone(), holder.departments.clone()),
        Look::Courses => Mark::Courses(holder.training.clone()),
        Look::Lasts | Look::Holder | Look::Owner => Mark::Somebody(Some(holder.id.clone())),
    }
}

const HOLDER: &str = "resource.declarer";
const OWNER: &str = "resource.businessOwner";
const MANAGER: &str = "resource.declarer.manager";

impl Looks {
    fn add(&mut self, look: Look) {
        if let Some(looks) = &mut self.0 {
            looks.insert(look);
        }
    }

    fn add_or_all(&mut self, look: Option<Look>) {
        match look {
            Some(look) => self.add(look),
            None => self.0 = None,
        }
    }

    fn read(&mut self, expression: &Value) {
        let equal = sides(expression, "==").or_else(|| sides(expression, "!="));
        if equal.is_some_and(|both| self.with_whoever_asks(both)) {
            return;
        }
        if let Some(path) = path(expression) {
            self.path(&path);
            return;
        }
        if let Some(has) = expression.get("has") {
            let looked_for = has.get("attr").and_then(Value::as_str).and_then(attribute);
            // whether somebody has a manager is known where it is known whether that is whoever asks
            let looked_for = looked_for.map(|look| if look == Look::Manager { Look::IsManager } else { look });
            self.of(has.get("left"), |looks| looks.add_or_all(looked_for));
            return;
        }
        if let Some((left, right)) = sides(expression, "in") {
            self.of(Some(left), |looks| looks.add(Look::Units));
            self.units(path(left).as_deref() == Some(HOLDER), right);
            return;
        }
        if let Some((left, right)) = sides(expression, "getTag").or_else(|| sides(expression, "hasTag")) {
            self.of(Some(left), |looks| looks.add(Look::Courses));
            self.read(right);
            return;
        }
        // an attribute of something computed, which may be anybody
        if expression.get(".").is_some() || expression.pointer("/is/in").is_some() {
            self.0 = None;
            return;
        }
        match expression {
            Value::Object(members) => members.values().for_each(|inner| self.read(inner)),
            Value::Array(items) => items.iter().for_each(|inner| self.read(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether it is a comparison with whoever asks, which says no more than whether it is them.
    fn with_whoever_asks(&mut self, (left, right): (&Value, &Value)) -> bool {
        let other = match (path(left).as_deref(), path(right)) {
            (Some("principal"), other) => other,
            (other, Some(asks)) if asks == "principal" => other.map(str::to_owned),
            (_, _) => None,
        };
        match other.as_deref() {
            Some(HOLDER | OWNER) => true,
            Some(MANAGER) => {
                self.add(Look::IsManager);
                true
            }
            Some(_) | None => false,
        }
    }

    /// What is looked up of something: of the holder what `holder` says; of whom nobody knows, anything.
    fn of(&mut self, whom: Option<&Value>, holder: impl FnOnce(&mut Self)) {
        match whom.and_then(path).as_deref() {
            Some(HOLDER) => holder(self),
            // the same for all that is asked about
            Some("principal" | "action" | "resource" | "context") => {}
            Some(path) if path.starts_with("context.") => {}
            Some(_) | None => self.0 = None,
        }
    }

    /// What something is looked for in: roles and departments are no people.
    fn units(&mut self, of_holder: bool, groups: &Value) {
        let one = |group: &Value| {
            let name = path(group);
            name.is_some_and(|name| name.starts_with("Role::") || name.starts_with("Department::"))
        };
        let all = groups.get("Set").and_then(Value::as_array);
        if one(groups) || all.is_some_and(|all| all.iter().all(one)) {
            return;
        }
        if of_holder {
            self.add(Look::Holder);
        }
        self.read(groups);
    }

    fn path(&mut self, path: &str) {
        if path == OWNER {
            self.add(Look::Owner);
        } else if path == "resource.maxDuration" {
            self.add(Look::Lasts);
        } else if path == HOLDER {
            self.add(Look::Holder);
        } else if let Some(name) = path.strip_prefix(HOLDER).and_then(|rest| rest.strip_prefix('.')) {
            self.add_or_all(attribute(name));
        } else {
            // what lies behind a name is somebody, and may be whoever holds it
            let behind = |of: &str| path.strip_prefix(of).is_some_and(|rest| rest.contains('.'));
            let is_named = path.contains("::\"") && path.contains("\".");
            if behind("resource.") || behind("principal.") || is_named {
                self.0 = None;
            }
        }
    }
}

/// An attribute of whoever holds it.
fn attribute(name: &str) -> Option<Look> {
    match name {
        "manager" => Some(Look::Manager),
        "employment" => Some(Look::Employment),
        "region" => Some(Look::Region),
        "timeZone" => Some(Look::TimeZone),
        "onLegalHold" => Some(Look::LegalHold),
        _ => None,
    }
}
