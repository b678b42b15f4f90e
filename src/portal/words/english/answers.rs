//! What becomes of a request, and why somebody cannot answer it.

use std::time::Duration;

use super::parts::{either, span};
use super::unfit::unfit;
use crate::facts::Reason;
use crate::portal::words::{OthersAfter, OthersFrom};
use crate::purpose::Over;
use crate::rulebook::{NotDeclared, Outdated};

pub(super) fn must_approve(approvers: &[&str], later: OthersAfter<'_>, within: Duration) -> String {
    let who = match (approvers, later) {
        ([], Some((after, others))) => format!(
            "Nobody can approve it at once; from {} on: {}.",
            span(after),
            either(others)
        ),
        (approvers, Some((after, others))) => {
            format!(
                "{} must approve it; from {} on also: {}.",
                either(approvers),
                span(after),
                either(others)
            )
        }
        (approvers, None) => format!("{} must approve it.", either(approvers)),
    };
    format!(
        "{who} The request waits for {}, weekends not counted, and then it is declined.",
        span(within)
    )
}

pub(super) fn over(over: Over) -> &'static str {
    match over {
        Over::Lapsed => "Nobody answered it in time, which declines it. Whoever asked may ask again.",
        Over::Answered => "It was answered, taken back or ended already.",
    }
}

pub(super) fn not_declared(why: &NotDeclared) -> String {
    match why {
        NotDeclared::Unpermitted => "No rule lets you declare this purpose.".to_owned(),
        NotDeclared::Failed => "The rules could not be evaluated, so nothing is granted.".to_owned(),
        NotDeclared::Forbidden(reasons) => {
            let texts: Vec<&str> = reasons.iter().map(|reason| &*reason.text).collect();
            texts.join(" ")
        }
    }
}

pub(super) fn may_not(reasons: &[Reason]) -> String {
    if reasons.is_empty() {
        "No rule lets you answer this request.".to_owned()
    } else {
        let texts: Vec<&str> = reasons.iter().map(|reason| &*reason.text).collect();
        texts.join(" ")
    }
}

pub(super) fn outdated(why: &Outdated) -> String {
    match why {
        Outdated::NoPurpose => "The purpose is not in the catalogue any more.".to_owned(),
        Outdated::NoPerson => "The directory does not list whoever asked any more.".to_owned(),
        Outdated::Refused(why) => format!("Whoever asked may not declare it any more. {}", not_declared(why)),
        Outdated::Unfit(all) => {
            let all: Vec<String> = all.iter().map(unfit).collect();
            format!("It does not fit the terms of its purpose any more: {}.", all.join("; "))
        }
    }
}

pub(super) fn waits(purpose: &str, approvers: &[&str], later: OthersFrom<'_>, since: &str, until: &str) -> String {
    if let Some((from, others)) = later {
        let others = either(others);
        let asked = match approvers {
            [] => format!(
                "You asked for an approval of “{purpose}” at {since}. Nobody can answer yet; from {from} on: {others}."
            ),
            approvers => format!(
                "You asked {} to approve “{purpose}” at {since}; from {from} on also: {others}.",
                either(approvers)
            ),
        };
        return format!("{asked} It waits for an answer until {until}.");
    }
    if approvers.is_empty() {
        return format!(
            "You asked at {since} for an approval of “{purpose}”, and nobody is left who may answer. It waits until \
             {until}: take it back, and ask your help desk."
        );
    }
    let approvers = either(approvers);
    format!("You asked {approvers} to approve “{purpose}” at {since}. It waits for an answer until {until}.")
}

pub(super) fn was_asked(approvers: &[&str], later: OthersFrom<'_>) -> String {
    if let ([], Some((from, others))) = (approvers, later) {
        return format!("{} may answer from {from} on", either(others));
    }
    match approvers {
        [] => "Nobody is left who may answer".to_owned(),
        // one of several is asked, or several of whom each must answer
        approvers => {
            let were = if approvers.iter().any(|these| these.contains(" and ")) {
                "were"
            } else {
                "was"
            };
            format!("{} {were} asked", either(approvers))
        }
    }
}

pub(super) fn was_silent(approvers: &[&str], until: &str) -> String {
    let why = match approvers {
        [] => format!("Nobody answered by {until}"),
        approvers => format!("{} did not answer by {until}", either(approvers)),
    };
    format!("{why}, which declines it. You may ask again.")
}

pub(super) fn nobody_approves(purpose: &str, owner: Option<&str>) -> String {
    let turn_to = match owner {
        Some(owner) => format!("{owner} owns it: turn to them, or to your help desk"),
        None => "You own it yourself, and nobody approves for themselves: ask your help desk".to_owned(),
    };
    format!(
        "“{purpose}” needs an approval, and nobody can give one now: whoever could is not in the directory, or the rules do \
         not let them. {turn_to}, to name somebody else. Nothing was asked for."
    )
}

pub(super) fn about_asker(sign_in: &str, roles: &[&str], departments: &[&str]) -> String {
    let parts = [sign_in.to_owned(), roles.join(", "), departments.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

pub(super) fn held_before(times: &[Duration]) -> String {
    let altogether = span(times.iter().sum());
    match times.len() {
        0 => "Did not hold this purpose in the last 90 days".to_owned(),
        1 => format!("Held this purpose once in the last 90 days, for {altogether}"),
        times => format!("Held this purpose {times} times in the last 90 days, for {altogether} altogether"),
    }
}
