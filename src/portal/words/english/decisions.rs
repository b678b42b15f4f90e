//! Decisions about others, in English.

use super::parts::number;
use crate::audit::Topic;
use crate::facts::{End, Outcome};
use crate::portal::BadFilter;
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
    times: "Times: a moment (2026-11-22T10:00:00Z), a day (2026-11-22, UTC), or how long ago (2h, 7d). They are about when something began; with an end, what lasted more than an hour beyond that is not found. A host finds those below it as well; an address can be a network (192.0.2.0/24).",
    host: "Host",
    client: "Client address",
    policy: "Rule that decided",
    let_pass: "Passed although it would be denied",
    let_pass_ways: ["In either way", "Only observed", "Only coached"],
    more: "More to look for",
    any_platform: "Managed sites only",
    not_allowed: "Everything not allowed",
    bad_filters: "What to look for was not understood",
    bad_filter,
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
    only_says_why: "opened only to say why",
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

fn bad_filter(bad: &BadFilter) -> String {
    let perhaps = |near: Option<&str>| near.map_or_else(String::new, |near| format!(" Did you mean “{near}”?"));
    match bad {
        BadFilter::NoSuch(name, Some(near)) => format!("There is no filter “{name}”.{}", perhaps(Some(near))),
        BadFilter::NoSuch(name, None) => format!(
            "There is no filter “{name}”. There are user, host, client, platform, activity, outcome, purpose, policy, grant, let_pass, since and until."
        ),
        BadFilter::Twice(name) => format!("“{name}” is given twice. Give it once."),
        BadFilter::Unreadable(filter) => unreadable(filter).to_owned(),
        BadFilter::NoSuchTopic(near) => format!("“kind” is one of {}.{}", Topic::names(), perhaps(*near)),
        BadFilter::NotOfTopic { filter, topic } => format!(
            "“{filter}” tells nothing apart where you look for “{}”. Leave it out, or look for something else.",
            (super::book::BOOK.topic)(*topic)
        ),
        BadFilter::TooLong(filter) => format!("“{filter}” is longer than any name is."),
        BadFilter::EndsBefore => "“until” is not after “since”: nothing lies between them.".to_owned(),
        BadFilter::OfWhatPassed(filter) => {
            format!(
                "“{filter}” is about what passed, and of your own decisions refusals alone are told here. Leave it out."
            )
        }
        BadFilter::Unknown { filter, said, near } => {
            let near = perhaps(near.as_deref());
            let what = match *filter {
                "user" => format!("Nobody whose decisions you may read is called “{said}”"),
                "platform" => format!("The catalogue has no platform “{said}”"),
                "activity" => format!("There is no activity “{said}”"),
                "purpose" => format!("There is no purpose “{said}”"),
                _ => format!("No rule in force is called “{said}”"),
            };
            format!("{what}, and nothing was found of it.{near}")
        }
    }
}

fn unreadable(filter: &str) -> &'static str {
    match filter {
        "user" => "“user” is no name: write it as people sign in, such as ada.",
        "host" => "“host” is no host: write its name alone, such as www.linkedin.com, or an address.",
        "client" => "“client” is neither an address (192.0.2.7, 2001:db8::7) nor a network (192.0.2.0/24).",
        "format" => "“format” is one of csv, jsonl and json.",
        "outcome" => "“outcome” is one of allow, declare, request and deny, or except-allow.",
        "grant" => "“grant” is the id of a grant, such as 01a2059d-b664-7ced-a00f-becb38361f7b.",
        "since" => {
            "“since” is no time. Write a moment (2026-11-22T10:00:00Z), a day (2026-11-22), or how long ago (2h, 7d)."
        }
        "until" => {
            "“until” is no time. Write a moment (2026-11-22T10:00:00Z), a day (2026-11-22), or how long ago (2h, 7d)."
        }
        _ => "“let_pass” is one of any, observe and coach.",
    }
}
