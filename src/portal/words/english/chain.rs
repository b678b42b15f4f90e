//! Chains of approvals in English.

use super::parts::both;
use crate::portal::words::ChainWords;

pub(super) const CHAIN: ChainWords = ChainWords {
    so_many_of: |needed, names| {
        if names.len() <= needed {
            both(names)
        } else {
            format!("{needed} of: {}", names.join(", "))
        }
    },
    so_far: |given, needed, approved| match approved {
        [] => format!("{needed} must approve, and nobody has yet."),
        approved => format!("{given} of {needed} approvals: {}.", both(approved)),
    },
    approved_at: |who, at| format!("{who} approved at {at}"),
    you_approved_in_part: |purpose, who, missing| {
        let more = if missing == 1 {
            "1 more approval is".to_owned()
        } else {
            format!("{missing} more approvals are")
        };
        format!("You approved “{purpose}” for {who}. {more} needed before it opens anything.")
    },
    as_alternate: "Those who were asked have not answered for some time: you may, as an alternate",
    by_alternate: |who| format!("{who}, as an alternate,"),
    approved_already_title: "Your approval is not the one that is missing",
    approved_already: "You approved it already, or somebody else did as what you are. Others must approve it as well.",
};
