//! Lines of the book, in English.

use super::parts::number;
use crate::audit::Topic;
use crate::facts::{AccessAct, GatewayAct, GrantAct, RulebookId, TokenAct};
use crate::portal::words::{BookWords, GrantSaid};

pub(super) const BOOK: BookWords = BookWords {
    title: "Records",
    what: "What is recorded beside single decisions: what people asked for, approved, took in emergencies, ended, let others do, and looked at; and what the gateway did by itself. “Everything” has the decisions as well. That you look, when, and for what is recorded, and whoever reads the records can see it.",
    none: "Nothing was found.",
    topic_is: "Records of",
    topic,
    times: "Times: a moment (2026-11-22T10:00:00Z), a day (2026-11-22, UTC), or how long ago (2h, 7d). A user name finds what that person did, what was done to what is theirs, and who looked for them.",
    more: "More",
    story: "All that is recorded of it, from the request to what came of it",
    to_grant: "The grant",
    to_decision: "The decision",
    to_rules: "The rules",
    leads: |link, who, when| format!("{link}: {who}, {when}"),
    gateway: "The gateway",
    grant,
    continued: |act, places| match act {
        GrantAct::Withdrawn | GrantAct::Revoked => format!("no longer goes on past a refusal on {places}"),
        GrantAct::Void => format!("going on past a refusal on {places} could not be kept, and never counted"),
        GrantAct::Granted
        | GrantAct::Continued
        | GrantAct::Delegated
        | GrantAct::Requested
        | GrantAct::PartlyApproved
        | GrantAct::Approved
        | GrantAct::Declined
        | GrantAct::Lapsed
        | GrantAct::BrokeGlass
        | GrantAct::Reviewed
        | GrantAct::Reported
        | GrantAct::Idle
        | GrantAct::Refused => format!("was told why not, and went on, on {places}"),
    },
    delegation,
    token: |act, name, scope, whose| {
        let name = name.map(|name| format!(" “{name}”")).unwrap_or_default();
        let whose = whose.map(|whose| format!(" of {whose}")).unwrap_or_default();
        match act {
            TokenAct::Made => format!("made a token{name}{whose} for {scope}"),
            TokenAct::Revoked => format!("revoked the token{name}{whose} for {scope}"),
            TokenAct::Void => format!("the token{name}{whose} could not be kept, and never counted"),
        }
    },
    access,
    looked_for: |filters| format!("Looked for {filters}"),
    did,
    flow: |what, place, came| format!("{what}: {place} ({came})"),
    under: |purpose| format!("Purpose: {purpose}."),
    wrote: |text| format!("“{text}”"),
    ticket: |text| format!("Ticket {text}."),
    came_to: |amount| format!("Came to {amount}."),
    withheld: "What was written is read by whoever holds it or may end it.",
    password_changed: "The password was changed.",
    account_removed: "The account was removed.",
    as_file: "Keep what is found:",
    as_csv: "as a table (CSV)",
    as_lines: "as JSON Lines",
    file_holds: |most| {
        format!(
            "A file holds {most} lines at most, the newest first, and says at its end where it was cut off. That you take it is recorded."
        )
    },
    file_cut_off: |most, next| {
        format!("Cut off: a file holds {most} lines at most. The older ones follow with after={next}.")
    },
    file_broken_off: |next| {
        format!(
            "Broken off: the records could not be read on, or the rules or your sign-in have changed and do not let you read them any more. The older ones follow with after={next}."
        )
    },
};

fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::All => "Everything",
        Topic::Flows => "What passed or was refused (decisions)",
        Topic::Grants => "Purposes: asked, approved, given, ended, reported",
        Topic::BreakGlass => "Break-glass and its review",
        Topic::Continued => "Going on past a refusal",
        Topic::Delegations => "Delegations",
        Topic::Tokens => "Tokens for tools",
        Topic::Access => "Who looked at records",
        Topic::Gateway => "The gateway and its rules",
    }
}

fn grant(said: GrantSaid<'_>) -> String {
    let whose = said.whose.map(|whose| format!("{whose}’s ")).unwrap_or_default();
    let on = if said.places.is_empty() {
        format!("{whose}“{}”", said.title)
    } else {
        format!("{whose}“{}” on {}", said.title, said.places)
    };
    match said.act {
        GrantAct::Granted | GrantAct::Continued | GrantAct::Delegated => format!("stated the purpose {on}"),
        GrantAct::Requested => format!("asked for {on}"),
        GrantAct::PartlyApproved => format!("approved {on}; others must as well"),
        GrantAct::Approved => format!("approved {on}"),
        GrantAct::Declined => format!("declined {on}"),
        GrantAct::Lapsed => format!("was not answered in time about {on}"),
        GrantAct::BrokeGlass => format!("broke the glass for {on}"),
        GrantAct::Reviewed => match said.accepted {
            Some(false) => format!("reviewed {on}, taken in an emergency: it was none"),
            Some(true) | None => format!("reviewed {on}, taken in an emergency: it was one"),
        },
        GrantAct::Reported => format!("said what came of {on}"),
        GrantAct::Withdrawn if said.was_given => format!("ended {on}"),
        GrantAct::Withdrawn => format!("took back the request for {on}"),
        GrantAct::Revoked => format!("revoked {on}"),
        GrantAct::Idle => format!("left {on} unused, which ended it"),
        GrantAct::Refused if said.urgent => format!("was refused {on} in an emergency"),
        GrantAct::Refused => format!("was refused {on}"),
        GrantAct::Void => format!("{on} could not be kept, and never counted"),
    }
}

fn delegation(act: GrantAct, to: &str, whose: Option<&str>) -> String {
    let for_whom = whose.unwrap_or("them");
    match act {
        GrantAct::Withdrawn => format!("took back that {to} answers for {for_whom}"),
        GrantAct::Revoked => format!("ended that {to} answers for {for_whom}"),
        GrantAct::Refused => format!("may not let {to} answer for {for_whom}"),
        GrantAct::Void => format!("that {to} answers for {for_whom} could not be kept, and never counted"),
        GrantAct::Granted
        | GrantAct::Continued
        | GrantAct::Delegated
        | GrantAct::Requested
        | GrantAct::PartlyApproved
        | GrantAct::Approved
        | GrantAct::Declined
        | GrantAct::Lapsed
        | GrantAct::BrokeGlass
        | GrantAct::Reviewed
        | GrantAct::Reported
        | GrantAct::Idle => format!("lets {to} answer for {for_whom}"),
    }
}

fn access(act: AccessAct, whose: Option<&str>, through: Option<Topic>) -> String {
    let through = match through {
        None | Some(Topic::Flows) => "decisions",
        Some(Topic::All) => "all records",
        Some(Topic::Grants) => "records of purposes",
        Some(Topic::BreakGlass) => "records of emergencies",
        Some(Topic::Continued) => "records of going on past a refusal",
        Some(Topic::Delegations) => "records of delegations",
        Some(Topic::Tokens) => "records of tokens",
        Some(Topic::Access) => "who looked at records",
        Some(Topic::Gateway) => "records of the gateway",
    };
    match (act, whose) {
        (AccessAct::Searched, _) => format!("looked through {through}"),
        (AccessAct::Watched, _) => "watched decisions as they were made".to_owned(),
        (AccessAct::Explained, Some(whose)) => format!("looked at a decision about {whose}"),
        (AccessAct::Explained, None) => "looked at a decision".to_owned(),
        (AccessAct::Exported, _) => format!("took {through} away as a file"),
    }
}

fn did(act: &GatewayAct, rulebook: &RulebookId) -> String {
    match act {
        GatewayAct::Started { version } => format!("started, version {version}"),
        GatewayAct::Stopped => "stopped".to_owned(),
        GatewayAct::RulebookChanged { from } if from == rulebook => {
            "has the rules as they were: what had been refused was taken back".to_owned()
        }
        GatewayAct::RulebookChanged { .. } => "took new rules".to_owned(),
        GatewayAct::RulebookRefused { .. } => "refused new rules, and kept those before".to_owned(),
        GatewayAct::Repaired { bytes, file } => {
            format!("set aside a torn last line of {} bytes of “{file}”", number(*bytes))
        }
        GatewayAct::UnprovenSummed {
            client,
            strays,
            challenges,
        } => format!(
            "did not record one by one what came to nothing from {client} within a minute: {} connections, {} requests",
            number(*strays),
            number(*challenges)
        ),
        GatewayAct::RecordsInterrupted { since, refused, .. } => format!(
            "could not record since {since}; refused meanwhile: {}",
            number(*refused)
        ),
    }
}
