//! What two sets of rules answer differently, in words.

use std::collections::{BTreeMap, BTreeSet};

use super::matrix::{Moved, moved};
use super::{Compared, Side, beside, cases};
use crate::facts::{Effect, Mode};
use crate::policy::Rule;
use crate::proof::{Difference, Statement, Told, Way};

/// What is compared where nothing is proved.
const BY_TRYING: &str =
    "the cases of both, and what their people may do on a platform of each category, on a working day in the office";

/// What is to be told.
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    /// Whether anything is answered differently.
    pub(super) differs: bool,
    /// Whether everything was compared.
    pub(super) is_whole: bool,
}

impl Report {
    pub(super) fn new(old: &Side, new: &Side, compared: &Compared) -> Self {
        let mut report = Self {
            lines: Vec::new(),
            differs: false,
            is_whole: true,
        };
        let beside = beside::changes(&old.sources, &new.sources);
        let trials = trials(old, new);
        let coaches = coaches_beside(old, new);
        match compared {
            Compared::Proved(difference) => {
                let is_all = beside.is_empty() && trials.is_empty() && !coaches;
                report.proved(old, new, difference, is_all);
            }
            Compared::Tried(why) => {
                report.is_whole = false;
                report.lines.push(format!("not proved: {why}"));
            }
        }
        if !trials.is_empty() {
            report.is_whole = false;
            let head = "changed among the rules that observe or coach, before or now:";
            report.lines.push(head.to_owned());
            report.lines.extend(trials.iter().map(|line| format!("  {line}")));
        }
        if !beside.is_empty() {
            report.is_whole = false;
            let head =
                "changed beside the rules, which may change what is asked of them, and so what comes of a request:";
            report.lines.push(head.to_owned());
            report.lines.extend(beside.iter().map(|line| format!("  {line}")));
        }
        if coaches {
            report.is_whole = false;
            let told =
                "what is proved speaks of whoever continues past the rules that coach, not of what passes at once";
            report.lines.push(told.to_owned());
        }
        if coaches || !beside.is_empty() || matches!(compared, Compared::Tried(_)) {
            report
                .lines
                .push(format!("compared instead: {BY_TRYING}; anything else may differ, too"));
            report.tried(old, new);
        }
        report
    }

    fn proved(&mut self, old: &Side, new: &Side, difference: &Difference, is_all: bool) {
        for (way, head) in [(Way::Allowed, "newly allowed"), (Way::Denied, "newly denied")] {
            let statements = difference.statements.iter();
            let statements = statements.filter(|statement| statement.way == way && !statement.reads);
            let mut statements = statements.peekable();
            if statements.peek().is_none() {
                let found = if difference.doubts.is_empty() { "" } else { " found" };
                self.lines.push(format!("{head}: nothing{found}"));
                continue;
            }
            self.differs = true;
            self.lines.push(format!(
                "{head}, the weightiest first; of each kind at least the request that is shown ({}, unless it says otherwise):",
                Told::USUAL
            ));
            statements.for_each(|statement| self.statement(old, new, statement));
        }
        for (way, head) in [
            (
                Way::Allowed,
                "newly read by the gateway, so that each activity is decided:",
            ),
            (Way::Denied, "no longer read by the gateway:"),
        ] {
            let statements = difference.statements.iter();
            let mut statements = statements
                .filter(|statement| statement.way == way && statement.reads)
                .peekable();
            if statements.peek().is_some() {
                self.differs = true;
                self.lines.push(head.to_owned());
            }
            statements.for_each(|statement| self.statement(old, new, statement));
        }
        if difference.doubts.is_empty() {
            let rest = match (self.differs, is_all) {
                (false, true) => "equivalent: proved for every request there can be",
                (true, true) => "otherwise equivalent: proved for every request of another kind",
                (false, false) => "the rules are equivalent: proved for every question that can be put to both",
                (true, false) => "otherwise the rules are equivalent: proved for every question of another kind",
            };
            self.lines.push(rest.to_owned());
        }
        for (actions, why) in &difference.doubts {
            self.is_whole = false;
            self.lines.push(format!("undecided about {actions}: {why}"));
        }
    }

    fn statement(&mut self, old: &Side, new: &Side, statement: &Statement) {
        let rules: Vec<String> = statement.rules.iter().map(|rule| format!("`{rule}`")).collect();
        self.lines
            .push(format!("  {}: {}", rules.join(", "), statement.sentence));
        self.examples(old, new, statement);
    }

    /// One request of a statement, and what the engine says to it under both; each of the others is put to the engine as
    /// well.
    fn examples(&mut self, old: &Side, new: &Side, statement: &Statement) {
        for (number, found) in statement.found.iter().enumerate() {
            let example = &found.example;
            let told = Told::among(example, &new.assembled.directory);
            let answer = |side: &Side| {
                let (passes, answer) = example.put_to(side.assembled.rulebook.policy());
                (passes, format!("{}: {answer}", side.label))
            };
            let ((before, by_old), (after, by_new)) = (answer(old), answer(new));
            let is_confirmed = (before, after) == (statement.way == Way::Denied, statement.way == Way::Allowed);
            if number > 0 && is_confirmed {
                continue;
            }
            let lines = [format!("e.g. {}", told.in_short(&found.read)), by_old, by_new];
            self.lines.extend(lines.iter().map(|line| format!("    {line}")));
            if !is_confirmed {
                self.lines
                    .push("    which the engine does not confirm: please report this".to_owned());
            }
        }
    }

    fn tried(&mut self, old: &Side, new: &Side) {
        let Moved { allowed, denied } = moved(old, new);
        for (head, sentences) in [
            ("newly allowed to these people", allowed),
            ("newly denied to these people", denied),
        ] {
            self.differs |= !sentences.is_empty();
            let nothing = if sentences.is_empty() { " nothing" } else { "" };
            self.lines.push(format!("{head}:{nothing}"));
            self.lines
                .extend(sentences.into_iter().map(|sentence| format!("  {sentence}")));
        }
        let turned = cases::turned(old, new);
        if turned.is_empty() {
            self.lines.push("every case comes out the same".to_owned());
        }
        for case in turned {
            self.differs = true;
            self.lines.push(format!("{} it {}", case.place, case.name));
            for (label, came) in [(&old.label, case.old), (&new.label, case.new)] {
                let came = came.unwrap_or_else(|| "comes as the case says".to_owned());
                self.lines.push(format!("    {label}: {came}"));
            }
        }
    }
}

/// Whether something changed beside permits that coach: to whoever continues, one of these can do for what is gone.
pub(super) fn coaches_beside(old: &Side, new: &Side) -> bool {
    fn rules(side: &Side) -> impl Iterator<Item = &Rule> {
        side.assembled.rulebook.policy().rules()
    }
    let coaches = |side: &Side| rules(side).any(|rule| rule.mode == Mode::Coach && rule.effect == Effect::Permit);
    let insisting = |side: &Side| -> BTreeSet<String> {
        let texts = rules(side).filter(|rule| rule.mode.is_enforce());
        texts.map(|rule| rule.text.clone()).collect()
    };
    (coaches(old) || coaches(new)) && insisting(old) != insisting(new)
}

/// The rules of other modes than `enforce` that one side alone has, or has otherwise.
fn trials(old: &Side, new: &Side) -> Vec<String> {
    let of = |side: &Side| -> BTreeMap<String, (Mode, String)> {
        let rules = side.assembled.rulebook.policy().rules();
        let on_trial = rules.filter(|rule| !rule.mode.is_enforce());
        on_trial
            .map(|rule| (rule.id.as_str().to_owned(), (rule.mode, rule.text.clone())))
            .collect()
    };
    let (before, after) = (of(old), of(new));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_in = |side: &Side, id: &str| {
        side.assembled
            .rulebook
            .policy()
            .rules()
            .any(|rule| rule.id.as_str() == id)
    };
    let told = ids.into_iter().filter_map(|id| match (before.get(id), after.get(id)) {
        (None, Some((mode, _))) if is_in(old, id) => {
            Some(format!("`{id}`: was in force, and is in mode {} now", mode.as_str()))
        }
        (Some((mode, _)), None) if is_in(new, id) => {
            Some(format!("`{id}`: was in mode {}, and is in force now", mode.as_str()))
        }
        (None, Some((mode, _))) => Some(format!("`{id}`: new, in mode {}", mode.as_str())),
        (Some((mode, _)), None) => Some(format!("`{id}`: gone, was in mode {}", mode.as_str())),
        (Some(one), Some(other)) if one != other => Some(format!("`{id}`: changed, in mode {}", other.0.as_str())),
        (Some(_) | None, Some(_) | None) => None,
    });
    told.collect()
}
