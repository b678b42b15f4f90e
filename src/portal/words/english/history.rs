//! What has become of a grant, in English.

use super::parts::span;
use crate::portal::words::HistoryWords;

pub(super) const HISTORY: HistoryWords = HistoryWords {
    title: "What has become of it",
    stated: "Stated; nobody had to approve it",
    asked: "Asked for",
    broke_glass: "Taken in an emergency",
    parent: "The grant that it renews",
    approved: |by| format!("{by} approved it"),
    partly_approved: |by, missing| match missing {
        1 => format!("{by} approved it; 1 more approval was needed"),
        missing => format!("{by} approved it; {missing} more approvals were needed"),
    },
    declined: |by| format!("{by} declined it"),
    began: |until| format!("It began, to last until {until}"),
    renewed: "Renewed",
    renewal_asked: "Its renewal was asked for",
    renewal: "The renewal",
    ran_out: "Its time was over",
    unused: |idle| format!("It had not been used for {}, which ended it", span(idle)),
    withdrawn: |own| if own { "You ended it" } else { "Its holder ended it" },
    taken_back: |own| {
        if own {
            "You took the request back"
        } else {
            "The request was taken back"
        }
    },
    revoked: |by| by.map_or_else(|| "Revoked".to_owned(), |by| format!("{by} revoked it")),
    lapsed: "Nobody answered in time, which declines it",
    reviewed: |by, accepted| {
        let was = if accepted { "it was one" } else { "it was none" };
        format!("{by} reviewed the emergency: {was}")
    },
};
