//! Stating a purpose, in English.

use super::parts::span;
use crate::portal::words::StatingWords;

pub(super) const STATING: StatingWords = StatingWords {
    how_far: "How far should it go?",
    only: |groups, lasts| format!("Only {groups}, for {}", span(lasts)),
    further: |groups, lasts| format!("Also further: {groups}, for {}", span(lasts)),
    others_need_approval: |count| match count {
        1 => "One other needs an approval".to_owned(),
        count => format!("{count} others need an approval"),
    },
    renew: "Renew and continue",
    ask_again: "Ask for it again",
    again: |purpose, effect, lasts| {
        format!("“{purpose}” as before, without writing it again. {effect}, for {}.", span(lasts))
    },
    works_now: "This works now.",
    see: "Go on from here",
};
