//! What becomes of a request, and why somebody cannot answer it.

use super::super::super::mine::joined;
use super::unfit::unfit;
use crate::facts::Reason;
use crate::purpose::Over;
use crate::rulebook::Outdated;

pub(super) fn over(over: Over) -> &'static str {
    match over {
        Over::Lapsed => "Nobody answered it in time, which declines it. Whoever asked may ask again.",
        Over::Answered => "It was answered, taken back or ended already.",
    }
}

pub(super) fn may_not(reasons: &[Reason]) -> String {
    if reasons.is_empty() {
        "No rule lets you answer this request.".to_owned()
    } else {
        joined(reasons)
    }
}

pub(super) fn outdated(why: &Outdated) -> String {
    match why {
        Outdated::NoPurpose => "The purpose is not in the catalogue any more.".to_owned(),
        Outdated::NoPerson => "The directory does not list whoever asked any more.".to_owned(),
        Outdated::Unfit(all) => {
            let all: Vec<String> = all.iter().map(unfit).collect();
            format!("It does not fit the terms of its purpose any more: {}.", all.join("; "))
        }
    }
}
