//! One decision in full, in English.

use crate::portal::words::ExplainedWords;
use crate::rulebook::Circumstance;

pub(super) const EXPLAINED: ExplainedWords = ExplainedWords {
    heading: |outcome, who, what, place| format!("{outcome}: {who}, {what}, {place}"),
    led_here_title: "Look at this decision?",
    led_here: "A link led you here. Nothing was looked at or recorded yet; showing the decision is recorded.",
    led_here_show: "Show the decision",
    seen: "What was seen",
    asked: "Request",
    recognised_by: "Recognised by",
    from: "Came from",
    identified_by: "Identified by",
    was_read: "read by the gateway",
    was_not_read: "not read by the gateway",
    up_and_down: |up, down| format!("{up} sent, {down} received"),
    end_not_found: "Its end was not found in the part of the records that was looked at.",
    goes_on: "It is not over yet.",
    same: "Judged again under the rules of its day, it comes out as it was recorded.",
    differs: "Judged again under the rules of its day, it comes out otherwise than it was recorded. What follows is what these rules say.",
    lacks: "The rules of its day would look at more than the record holds, so what follows can differ from what was decided.",
    not_kept: "Why cannot be said: the rules of its day are not there any more.",
    permits: "permits",
    forbids: "forbids",
    owner: "owner",
    as_written: "The rule as it is written",
    troubles: "A rule failed to evaluate, and any error denies:",
    asked_for: "asked for",
    held: "Held",
    failed: "Did not hold",
    no_value: "Has no value",
    conditions_held: "The conditions that were looked at",
    nearly: "Rules that would permit it, and what kept them from that",
    beside: "Beside the point: what is held does not cover this, and no other purpose would",
    reading: "Why it was read, or not",
    declared: |purpose| format!("To declare the purpose “{purpose}”"),
    approved: |purpose| format!("To have the purpose “{purpose}” approved"),
    what_if: "What else would change the decision",
    difference: |difference, moment| match difference {
        Circumstance::From { at, .. } => format!("from {} on", moment(*at)),
        Circumstance::WithoutGrant(_)
        | Circumstance::Employed { .. }
        | Circumstance::WithRole(_)
        | Circumstance::WithoutRole(_)
        | Circumstance::InDepartment(_)
        | Circumstance::OutsideDepartment(_)
        | Circumstance::Trained(_)
        | Circumstance::Untrained(_)
        | Circumstance::FromNetwork(_)
        | Circumstance::FromElsewhere
        | Circumstance::SignedInBy(_) => in_quotes(&difference.to_string()),
    },
    rules: "Rules of its day",
    theirs: "All that was decided about this person",
    its_grant: "The grant that it passed under",
    under_it: "All decisions under this grant",
    held_by_them: "What this person holds, and ending it",
    all: "All decisions",
};

/// Names as people read them, where the command line has backticks around them.
fn in_quotes(text: &str) -> String {
    let mut is_open = false;
    let letters = text.chars().map(|letter| {
        if letter != '`' {
            return letter;
        }
        is_open = !is_open;
        if is_open { '“' } else { '”' }
    });
    letters.collect()
}
