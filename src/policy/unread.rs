//! Rules about what people do where the gateway reads nothing: nobody learns there what is done, and only the host is judged.
//! Pure.

use super::foresight::{Spot, Tree, within};
use super::lint::at;
use super::overlap::Parts;
use super::rule::{Rule, RuleSet};
use super::schema::Vocabulary;
use crate::facts::fields::list;
use crate::facts::{Effect, Place, Problem};

/// Warns of rules that speak of activities alone, and name places at none of which a rule lets the gateway read.
pub(super) fn check(parts: &[Parts<'_>], tree: &Tree<'_>, words: &Vocabulary) -> Vec<Problem> {
    let reading: Vec<&Parts<'_>> = parts.iter().filter(|one| is_about(one, "inspect")).collect();
    let about_activities = |one: &&Parts<'_>| {
        let mut actions = one.actions.iter().map(|uid| uid.id().unescaped());
        !one.places().is_empty()
            && !one.actions.is_empty()
            && actions.all(|name| words.has_activity(name) || words.is_group(name))
    };
    let everywhere = tree.everywhere();
    let readable: Vec<Spot<'_>> = everywhere
        .iter()
        .copied()
        .filter(|spot| can_be_read(*spot, &reading, tree))
        .collect();
    let mut problems = Vec::new();
    for rule in parts.iter().filter(about_activities) {
        let own = rule.spots(tree);
        let is_read = |spot: &Spot<'_>| rule.applies_at(*spot, tree) != Some(false);
        let is_idle = match &own[..] {
            [only] if only.host.is_some() => is_read(only) && !can_be_read(*only, &reading, tree),
            _ => everywhere.iter().any(is_read) && !readable.iter().any(is_read),
        };
        if is_idle {
            problems.push(unread(rule));
        }
    }
    problems
}

/// The places of these at which surely no rule lets the gateway read, whoever asks and however.
pub(super) fn never<'p>(parts: &[Parts<'_>], tree: &Tree<'_>, places: &'p [Place]) -> Vec<&'p Place> {
    let reading: Vec<&Parts<'_>> = parts.iter().filter(|one| is_about(one, "inspect")).collect();
    let is_never_read = |place: &&Place| {
        let within = within(place);
        let spot = Spot {
            host: None,
            within: &within,
        };
        !can_be_read(spot, &reading, tree)
    };
    places.iter().filter(is_never_read).collect()
}

/// The rules that may let the gateway read at these places, each by its own name, of some people or under conditions.
pub(super) fn may_let<'r>(parts: &[Parts<'r>], tree: &Tree<'_>, places: &[&Place]) -> Vec<&'r Rule> {
    let may = |one: &&Parts<'_>| {
        is_about(one, "inspect")
            && places.iter().any(|place| {
                let within = within(place);
                let spot = Spot {
                    host: Some(place.host.as_str()),
                    within: &within,
                };
                permits(one, spot, tree)
            })
    };
    parts.iter().filter(may).map(|one| one.rule).collect()
}

/// Whether a rule may let the gateway read there, be it one on probation.
fn permits(one: &Parts<'_>, spot: Spot<'_>, tree: &Tree<'_>) -> bool {
    one.rule.effect == Effect::Permit
        && one.rule.is_in(RuleSet::WithObserved)
        && one.applies_at(spot, tree) != Some(false)
}

fn is_about(parts: &Parts<'_>, action: &str) -> bool {
    parts.actions.iter().any(|uid| uid.id().unescaped() == action)
}

/// Whether a rule lets the gateway read there, be it one on probation, and none keeps it from that for sure.
fn can_be_read(spot: Spot<'_>, reading: &[&Parts<'_>], tree: &Tree<'_>) -> bool {
    let forbids = |one: &&&Parts<'_>| {
        one.rule.effect == Effect::Forbid
            && one.rule.is_in(RuleSet::InEffect)
            && one.is_of_all()
            && one.applies_at(spot, tree) == Some(true)
    };
    reading.iter().any(|one| permits(one, spot, tree)) && !reading.iter().any(|one| forbids(&one))
}

fn unread(parts: &Parts<'_>) -> Problem {
    let rule = parts.rule;
    let blamed = parts
        .resource
        .named()
        .map_or_else(|| "@id".to_owned(), ToString::to_string);
    let message = format!(
        "rule `{}` never counts: no rule lets the gateway read what is done on {}, so only the host is judged there",
        rule.id,
        list(parts.places().into_iter())
    );
    at(rule, &blamed, "wayleave::policy::unread", message)
        .as_warning()
        .with_help("permit `inspect` there, or let the rule speak of `connect`")
}
