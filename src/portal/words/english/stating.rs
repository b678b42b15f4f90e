//! Stating a purpose, in English.

use super::parts::span;
use super::unfit::invisible;
use crate::portal::words::StatingWords;
use crate::portal::words::stating::capital;

pub(super) const STATING: StatingWords = StatingWords {
    form_sent_title: "This form was sent already",
    form_sent: "The form was sent already, or its answer was lost: it is taken once. What came of it stands on your page: look there before you fill in another.",
    how_far: "How far should it go?",
    only: |groups, lasts| format!("Only {groups}, for {}", span(lasts)),
    further: |groups, lasts| format!("{}, for {}", capital(groups), span(lasts)),
    others_need_approval: |count| match count {
        1 => "One other needs an approval".to_owned(),
        count => format!("{count} others need an approval"),
    },
    renew: "Renew and continue",
    ask_again: "Ask for it again",
    again: |purpose, effect, lasts| {
        format!(
            "“{purpose}” as before, without writing it again. {effect}, for {}.",
            span(lasts)
        )
    },
    works_now: "This works now.",
    see: "Go on from here",
    terms: |needs_approval, least, most| {
        let lasts = if least == most {
            span(most)
        } else {
            format!("{} to {}, the further it goes the shorter", span(least), span(most))
        };
        if needs_approval {
            format!("Somebody must approve it; then it lasts {lasts}.")
        } else {
            format!("Nobody needs to approve it. It lasts {lasts}.")
        }
    },
    where_to: "Where?",
    nowhere: "It opens nothing to you at the moment.",
    declare: "Declare",
    asked: "Asked for. It opens once somebody has approved it; you see it below until then.",
    opens: |groups| format!("It opens: {groups}."),
    also: "On other platforms as well",
    all: |count| format!("All of them, {count} platforms"),
    kind: |title, count| format!("{} ({count})", title.unwrap_or("Others")),
    changed: "What it opens to you is another now than when the page was shown: look at it once more.",
    to_do: |groups, said| format!("To {groups}: {said}"),
    nobody_now: "Nobody can approve that now.",
    untrained_title: "It takes a training",
    untrained: |purpose, course| {
        format!(
            "“{purpose}” takes a valid training, “{course}”, and the directory knows none of you, or it has expired. Once it is \
             renewed, you can state the purpose here."
        )
    },
    urgent_title: "This cannot wait",
    answers: "What others ask of you",
    basis: "On what ground personal data is processed",
    retention: "What is to be kept of it, and for how long",
    retention_hint: "So its owner means it; the gateway itself deletes no record.",
    usually_answered: |within| format!("Usually answered within {}.", span(within)),
    invisible,
};
