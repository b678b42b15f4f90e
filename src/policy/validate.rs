//! Whether rules fit the schema: what Cedar's validator says of them, and what it does not ask: that each can apply to all
//! that it names, and that somebody would hear of what is only tried out.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    ActionConstraint, Entities, EntityUid, PolicySet, Schema, ValidationError, ValidationMode, ValidationResult,
    Validator,
};

use super::diagnose::problem;
use super::lint::Spot;
use super::meant::meant;
use super::question::Power;
use super::request::ARCHIVE;
use super::rule::Written;
use super::schema::Book;
use super::types::Types;
use super::{WORTH_A_THREAD, names, shares};
use crate::facts::{Mode, Problem, SourceText};

/// A rule and its file.
type Placed<'a> = &'a (&'a SourceText, Written);

/// Checks rules against the schema, each for itself.
pub(super) fn check(book: &Book, rules: &[Placed<'_>], problems: &mut Vec<Problem>) {
    let types = Types::new(&book.schema);
    let alive =
        |some: &[Placed<'_>]| -> Vec<_> { some.iter().map(|(_, written)| types.alive(&written.cedar)).collect() };
    let alive = shares::each(rules, WORTH_A_THREAD, alive).concat();
    let (sound, doubtful): (Vec<_>, Vec<_>) = rules.iter().copied().zip(alive).partition(|(_, alive)| alive.is_some());
    let doubtful: Vec<Placed<'_>> = doubtful.into_iter().map(|(rule, _)| rule).collect();
    let passed = validate(book, &doubtful, problems).into_iter().map(|rule| {
        let kinds = rule.1.cedar.get_valid_request_envs(&book.schema);
        (rule, kinds.map(|kind| kind.action().clone()).collect())
    });
    let sound = sound.into_iter().filter_map(|(rule, alive)| Some((rule, alive?)));
    for (rule, alive) in sound.chain(passed) {
        untried(rule, &alive, problems);
        never_applies(&book.actions, rule, &alive, problems);
    }
}

/// Lets Cedar validate rules, and gives those that pass. Its warnings count as errors: they tell of rules that can never
/// apply and of texts that do not say what they show.
fn validate<'a>(book: &Book, rules: &[Placed<'a>], problems: &mut Vec<Problem>) -> Vec<Placed<'a>> {
    let schema = &book.schema;
    let places: BTreeMap<&str, Placed<'a>> = rules
        .iter()
        .map(|entry| (entry.1.cedar.id().as_ref(), *entry))
        .collect();
    let results = validated(schema, rules);
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    let mut unlisted: BTreeMap<&str, &ValidationError> = BTreeMap::new();
    let mut report = |code: &str, id: &str, diagnostic: &dyn miette::Diagnostic| {
        if let Some((source, written)) = places.get(id) {
            found.push(meant(problem(code, source, diagnostic, written.rule.span), book));
        }
    };
    for error in results.iter().flat_map(ValidationResult::validation_errors) {
        failed.insert(error.policy_id().as_ref());
        if matches!(error, ValidationError::InvalidEnumEntity(_)) {
            unlisted.insert(error.policy_id().as_ref(), error);
        } else {
            report("wayleave::policy::invalid", error.policy_id().as_ref(), error);
        }
    }
    for warning in results.iter().flat_map(ValidationResult::validation_warnings) {
        // A rule that does not type can never apply, either: to say so would only hide why.
        if failed.insert(warning.policy_id().as_ref()) {
            report("wayleave::policy::suspicious", warning.policy_id().as_ref(), warning);
        }
    }
    for (id, error) in unlisted {
        let said = |(source, written): &&(&SourceText, Written)| names::unlisted(source, written, &book.json, problems);
        if !places.get(id).is_some_and(said) {
            report("wayleave::policy::invalid", id, error);
        }
    }
    problems.extend(once(found));
    let passed = rules
        .iter()
        .filter(|rule| !failed.contains::<str>(rule.1.cedar.id().as_ref()));
    passed.copied().collect()
}

/// What Cedar's validator says of the rules: it looks at each for itself.
fn validated(schema: &Schema, rules: &[Placed<'_>]) -> Vec<ValidationResult> {
    let validate = |rules: &[Placed<'_>]| {
        // ids are unique by now; if not, `annotations` has said so
        let set = PolicySet::from_policies(rules.iter().map(|rule| rule.1.cedar.clone())).ok()?;
        Some(Validator::new(schema.clone()).validate(&set, ValidationMode::Strict))
    };
    let validated = shares::each(rules, WORTH_A_THREAD, validate).into_iter();
    validated.flatten().collect()
}

/// Cedar checks a rule once for each action that it may be about, and says the same for each of them, in any order: keeps
/// one problem of those that differ in the action alone.
fn once(mut found: Vec<Problem>) -> Vec<Problem> {
    found.sort_by(|a, b| (&a.file, a.span, &a.message).cmp(&(&b.file, b.span, &b.message)));
    found.dedup_by(|later, first| {
        let same = (&later.file, later.span) == (&first.file, first.span);
        same && without_action(&later.message) == without_action(&first.message)
    });
    found
}

/// The message up to the name of an action, and what comes after it.
fn without_action(message: &str) -> (&str, &str) {
    let Some((before, named)) = message.split_once("for Action::\"") else {
        return (message, "");
    };
    (before, named.split_once('"').map_or("", |(_, after)| after))
}

/// What people do at the counter is decided on the spot: nothing there records what a rule on probation would say, and
/// nobody can be told why and continue. Nor is anybody asked whether a flow is read: no page explains that.
fn untried((source, written): Placed<'_>, alive: &[EntityUid], problems: &mut Vec<Problem>) {
    let at_the_counter = |name: &str| Power::ALL.iter().any(|power| name == power.as_str());
    let nobody_tries = |name: &str| match written.rule.mode {
        Mode::Enforce => false,
        Mode::Observe => at_the_counter(name),
        Mode::Coach => at_the_counter(name) || name == "inspect" || name == ARCHIVE,
    };
    let mut names = alive.iter().map(|action| action.id().unescaped());
    let Some(action) = names.find(|name| nobody_tries(name)) else {
        return;
    };
    let (is, why, help) = match written.rule.mode {
        Mode::Coach => (
            "coaches",
            "which no page explains, so that nobody could continue",
            "let it speak of what people do: `action in [Action::\"connect\", Action::\"activity\"]`, or less",
        ),
        Mode::Observe | Mode::Enforce => (
            "is on probation",
            "of which no record says what it would have changed",
            "let it speak of sites only: `resource is Site`, or a group of activities",
        ),
    };
    let message = format!("rule `{}` {is} and applies to `{action}`, {why}", written.rule.id);
    let problem = Spot::new(source, &written.rule).error("wayleave::policy::mode", "@mode", message);
    problems.push(problem.with_help(help));
}

/// An action that a rule lists beside others, and that it can never apply to.
fn never_applies(actions: &Entities, (source, written): Placed<'_>, alive: &[EntityUid], problems: &mut Vec<Problem>) {
    let ActionConstraint::In(named) = written.cedar.action_constraint() else {
        return;
    };
    // a rule that can never apply at all is the validator's to tell
    if named.len() < 2 {
        return;
    }
    for name in named {
        if alive
            .iter()
            .any(|action| *action == name || actions.is_ancestor_of(&name, action))
        {
            continue;
        }
        let message = format!("rule `{}` can never apply to `{name}`", written.rule.id);
        let problem =
            Spot::new(source, &written.rule).error("wayleave::policy::dead-action", &name.to_string(), message);
        problems.push(problem.with_help("remove the action from the list, or the condition that excludes it"));
    }
}
