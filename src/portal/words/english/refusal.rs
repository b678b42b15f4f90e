//! What was refused, and what would help.

use super::parts::{either, span};
use crate::portal::words::{Kind, OnlyIt, OthersAfter, Selected};

pub(super) fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::PurposeRequired => "This needs a purpose",
        Kind::ActivityNotCovered => "Your purpose does not cover this",
        Kind::GrantExpired => "Your purpose has ended",
        Kind::ApprovalRequired => "This needs an approval",
        Kind::ApprovalPending => "This waits for an approval",
        Kind::TrainingRequired => "This needs a training",
        Kind::SelectionUnfit => "The selected purpose does not fit",
        Kind::Coached => "Please read this before you continue",
        Kind::Prohibited => "This is not allowed",
        Kind::PolicyError => "The rules failed",
        Kind::PersonUnknown => "We do not know you yet",
    }
}

/// What somebody does, after "You wanted to". Activities are data: an unknown one is named as the rules name it.
pub(super) fn activity(id: &str) -> String {
    let words = match id {
        "connect" | "inspect" | "browse" => "open pages",
        "search" => "search",
        "view-media" => "watch or listen",
        "message-read" => "read messages",
        "download" => "download",
        "react" => "react",
        "follow" => "follow",
        "save" => "save something",
        "report" => "report something",
        "post" => "post",
        "comment" => "comment",
        "share" => "share something",
        "edit" => "edit something",
        "delete" => "delete something",
        "message" => "send a message",
        "upload" => "upload something",
        "sell" => "sell something",
        "unknown-write" => "send something",
        "manage-page" => "manage a page",
        "moderate" => "moderate",
        "advertise" => "advertise",
        "login" => "sign in",
        "logout" => "sign out",
        "oauth" => "sign in to another site",
        "profile-edit" => "edit a profile",
        "call" => "make a call",
        "realtime" => "use live updates",
        "games" => "play games",
        "embed" => "load a widget",
        "telemetry" => "send usage data",
        other => return format!("do “{}”", other.replace('-', " ")),
    };
    words.to_owned()
}

pub(super) fn groups(ids: &[&str]) -> String {
    let words: Vec<String> = ids
        .iter()
        .map(|id| match *id {
            "read" => "read and search".to_owned(),
            "engage" => "react and follow".to_owned(),
            "publish" => "post, comment, message and upload".to_owned(),
            "administer" => "manage pages and advertise".to_owned(),
            "account" => "sign in".to_owned(),
            "live" => "call and stream".to_owned(),
            other => format!("“{other}”"),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.join("; ")
}

pub(super) fn approval(approvers: &[&str], later: OthersAfter<'_>) -> String {
    if let ([], Some((after, others))) = (approvers, later) {
        let (after, others) = (span(after), either(others));
        return format!("Nobody can approve it at once; from {after} on: {others}.");
    }
    if approvers.is_empty() {
        return "Somebody must approve it, and nobody is named who could: ask your help desk.".to_owned();
    }
    let names: Vec<&str> = approvers
        .iter()
        .map(|name| if *name == "manager" { "your manager" } else { name })
        .collect();
    match later {
        Some((after, others)) => {
            let (after, others) = (span(after), either(others));
            format!("Ask {} to approve it; from {after} on also: {others}.", either(&names))
        }
        None => format!("Ask {} to approve it.", either(&names)),
    }
}

pub(super) fn fix(text: &str) -> String {
    match text.split_once(':') {
        Some(("training", course)) => format!("It would help to pass the training “{}”.", course.trim()),
        _ => format!("It would help: {text}"),
    }
}

pub(super) fn selected(selected: &Selected) -> OnlyIt {
    OnlyIt {
        why: only_it_counts(selected),
        help: select_another(selected),
    }
}

fn only_it_counts(selected: &Selected) -> String {
    match selected {
        Selected::NotOne => {
            "What you sent to select a purpose names none, or more than one at once, so none counts.".to_owned()
        }
        Selected::Unknown(id, _) => {
            format!("You selected the purpose “{id}”, so only that one counts, and there is none of this name.")
        }
        Selected::Unfit(id) => {
            format!("You selected the purpose “{id}”, so only that one counts, and it does not open this.")
        }
    }
}

fn select_another(selected: &Selected) -> String {
    match selected {
        Selected::NotOne => "Select exactly one, or leave it out, and try again.".to_owned(),
        Selected::Unknown(_, Some(meant)) => {
            format!("Did you mean “{meant}”? Select that one, or none, and try again.")
        }
        Selected::Unknown(_, None) | Selected::Unfit(_) => "Select another one, or none, and try again.".to_owned(),
    }
}

pub(super) fn detail(kind: Kind, activity: &str, place: &str, purposes: &[&str]) -> String {
    let what = format!("to {activity} on {place}");
    match kind {
        Kind::PurposeRequired | Kind::ActivityNotCovered | Kind::GrantExpired => {
            format!("A purpose is needed {what}: declare {}.", either(purposes))
        }
        Kind::ApprovalRequired | Kind::ApprovalPending => {
            format!("An approved purpose is needed {what}: {}.", either(purposes))
        }
        Kind::TrainingRequired => format!("A valid training is needed {what}."),
        Kind::SelectionUnfit => format!("The purpose that is selected does not allow you {what}."),
        Kind::Coached => format!("You are asked not {what}."),
        Kind::Prohibited => format!("No purpose allows you {what}."),
        Kind::PolicyError => format!("The rules failed when asked {what}; any doubt denies."),
        Kind::PersonUnknown => format!("The directory does not list you, which is needed {what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_be_asked_reads_like_speech() {
        assert_eq!(
            approval(&["manager", "grace"], None),
            "Ask your manager or grace to approve it."
        );
    }

    #[test]
    fn a_selection_that_is_not_one_purpose_is_told_without_a_name() {
        insta::assert_snapshot!(only_it_counts(&Selected::NotOne), @"What you sent to select a purpose names none, or more than one at once, so none counts.");
        insta::assert_snapshot!(select_another(&Selected::Unfit("recruiting".to_owned())), @"Select another one, or none, and try again.");
    }

    #[test]
    fn an_activity_that_nobody_put_into_words_is_still_named() {
        assert_eq!(activity("time-travel"), "do “time travel”");
    }
}
