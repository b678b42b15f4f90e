//! Decisions about others, in English.

use super::parts::number;
use crate::facts::{End, Outcome};
use crate::portal::words::DecisionWords;

pub(super) const DECISIONS: DecisionWords = DecisionWords {
    see: "What was decided, live and searched",
    title: "Decisions",
    what: "What the gateway decided about whom, once it was over. That you look, when, and for what is recorded, and whoever reads the records can see it.",
    found: "The newest first",
    led_here: "A link led you here, and filled in what to look for. Nothing was looked for or recorded yet: “Show” does both.",
    none: "No decision was found.",
    nobody: "Nobody signed in",
    outcome_is: "Decision",
    outcome: |outcome| match outcome {
        Outcome::Allow => "Allowed",
        Outcome::Declare => "Needs a purpose",
        Outcome::Request => "Needs an approval",
        Outcome::Deny => "Denied",
    },
    activity: "Activity",
    since: "From",
    until: "Before",
    times: "A moment (2026-11-22T10:00:00Z), a day (2026-11-22, UTC), or how long ago (2h, 7d). It is about when something began; with an end, what lasted more than an hour beyond that is not found.",
    bad_time: "A time or an outcome could not be read. Write a moment (2026-11-22T10:00:00Z), a day (2026-11-22), or how long ago (2h, 7d).",
    when: "When",
    place: "Where",
    seconds: |minutes, seconds| format!("{minutes}:{seconds:02}"),
    did: "What",
    ended: "What came of it",
    came: |end, status| {
        let what = match end {
            End::Completed => "passed".to_owned(),
            End::Refused => "refused".to_owned(),
            End::Challenged => "asked to sign in".to_owned(),
            End::Failed { code, .. } => format!("failed ({})", code.as_str()),
            End::Cut(_) => "cut".to_owned(),
            End::Abandoned => "broken off".to_owned(),
        };
        status.map_or(what.clone(), |status| format!("{what}, {status}"))
    },
    why: "Why",
    why_this: |who, what, when| format!("Why: {who}, {what}, {when}"),
    newest: "The newest",
    older: "Older ones",
    go_on: "Look further back",
    reached: |until| {
        format!("This looked back until {until}, and stopped there: a request looks at a part of the records only.")
    },
    unreadable: |lines| {
        format!(
            "Lines of the records that could not be read: {}. “wayleave records verify” tells more.",
            number(lines)
        )
    },
    reload: "Load anew every half a minute",
    reload_no_more: "Load no more by itself",
    follow: "Follow live",
    pause: "Pause",
    flows: "New decisions appear above the others as they are made.",
    stands: "Paused: no new ones appear.",
    again: "The connection was lost, and is being made again: new ones appear once it is there.",
    broken: "The live view has ended. Press the button to try again, or load the page anew.",
    missed: |count| {
        format!(
            "Too much at once: {} records of all kinds went by without being looked at. Load the page anew to find what fits.",
            number(count)
        )
    },
    many_watch_title: "Too many watch already",
    you_watch: "You watch live in as many windows as one person may. Close one, or load the page anew to see the newest decisions.",
    many_watch: "As many people watch live as may. Load the page anew to see the newest decisions, or try again in a minute.",
    not_found_title: "Not found in what was looked at",
    not_found: "A request looks at a part of the records only, from when the decision began on, and its end is not there. Open it from the list of decisions, which knows where it is.",
    not_read_title: "The records cannot be read",
    not_read: "The gateway cannot read its records at the moment. Try again in a minute, and look at its health if it lasts.",
    not_recorded_title: "Nothing is shown",
    not_recorded: "The gateway cannot record at the moment that you look, and shows nothing that it cannot record. Try again in a minute.",
};
