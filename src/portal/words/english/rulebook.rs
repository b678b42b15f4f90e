//! The rules in force and those that were, in English.

use crate::facts::Mode;
use crate::portal::words::RulebookWords;

pub(super) const RULEBOOK: RulebookWords = RulebookWords {
    see: "The rules in force, and those before them",
    title: "The rules in force",
    past: "Rules that were in force",
    count: |rules| {
        if rules == 1 {
            "1 rule".to_owned()
        } else {
            format!("{rules} rules")
        }
    },
    on_trial: |mode| match mode {
        Mode::Observe => "only observes",
        Mode::Coach => "only coaches",
        Mode::Enforce => "counts",
    },
    since: |when| format!("They have ruled since {when}."),
    since_before: |when| format!("They have ruled since before {when}."),
    not_in_force: "Newer rules were refused, and these rule on:",
    history: "What became of the rules",
    no_events: "Nothing was found in this part of the records.",
    started: |version| format!("the gateway started, version {version}"),
    changed: |before| format!("new rules took effect, after {before}"),
    taken_back: "what had been refused was taken back",
    refused: "new rules were refused",
    messages: None,
    files: "Rules by file",
    file: "File",
    how_many: "Rules",
    owners: "Owners",
};
