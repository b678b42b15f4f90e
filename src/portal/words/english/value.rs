//! Usage and value, in English.

use super::parts::{scaled, span};
use crate::portal::words::ValueWords;

pub(super) const VALUE: ValueWords = ValueWords {
    see: "How much purposes are used, and what comes of them",
    title: "Usage and value",
    what: "Only groups of five people or more are shown, and nobody by name. A week is shown once it is over, and what came of it a week later, when nobody corrects it any more.",
    none: "There is nothing to show yet: no week is over in which five people or more used a purpose of yours.",
    none_here: "There is nothing to show: in none of these weeks did five people or more use this purpose.",
    span: "Weeks shown",
    weeks: |weeks| format!("{weeks} weeks"),
    week: "Week of",
    grants: "Grants",
    flows: "Requests and connections",
    people: "People",
    most_people: "People in the busiest week",
    data: "Data",
    time: "Time",
    value: "Value",
    department: "Department",
    by_platform: "By platform",
    by_department: "By department",
    over_time: "Week by week",
    others: "Others together",
    few: "not shown",
    no_bar: "A week without a bar: fewer than five people, or nobody.",
    most: |most| format!("at most {most} in a week"),
    most_used: "Week by week, the most used",
    numbers: "The numbers",
    csv: "Download as CSV",
    all_purposes: "All purposes",
    bytes: |bytes| scaled(bytes, ["B", "kB", "MB", "GB"], '.'),
    lasted: span,
    past_review: |purpose, since| format!("“{purpose}” was to be looked at again by {since}."),
    not_read_title: "The figures cannot be read",
    not_read: "The gateway cannot read them at the moment. Try again in a minute.",
};
