//! The types of problems that the portal answers with, and their statuses. README has the same in its table, which a test
//! compares.

/// The end of a problem's type, and the statuses with which it comes.
pub(in crate::portal) const PROBLEMS: &[(&str, &[u16])] = &[
    ("already-allowed", &[409]),
    ("already-approved", &[409]),
    ("answer-unfit", &[422]),
    ("approval-required", &[403]),
    ("bad-request", &[400]),
    ("broken-off", &[400]),
    ("client-timeout", &[408]),
    ("declaration-unfit", &[422]),
    ("delegation-over", &[409]),
    ("delegation-unfit", &[422]),
    ("figures-unavailable", &[503]),
    ("foreign-origin", &[403]),
    ("grant-over", &[409]),
    ("key-in-use", &[409]),
    ("key-reused", &[422]),
    ("key-unfit", &[400]),
    ("no-password", &[403]),
    ("no-reviewer", &[403]),
    ("not-found", &[404]),
    ("not-json", &[400, 415]),
    ("one-at-a-time", &[429]),
    ("outcome-not-asked", &[409]),
    ("outcome-unfit", &[422]),
    ("permission-ended", &[403]),
    ("person-unknown", &[403]),
    ("prohibited", &[403]),
    ("query-unfit", &[422]),
    ("question-unfit", &[422]),
    ("reason-required", &[422]),
    ("record-unavailable", &[503]),
    ("records-unreadable", &[503]),
    ("request-outdated", &[409]),
    ("request-over", &[409]),
    ("review-over", &[409]),
    ("review-overdue", &[403]),
    ("review-unfit", &[422]),
    ("revocation-unfit", &[422]),
    ("sign-in-again", &[401]),
    ("sign-in-busy", &[503]),
    ("token-scope", &[403]),
    ("token-unfit", &[401]),
    ("token-wish-unfit", &[422]),
    ("too-large", &[413]),
    ("too-many-delegations", &[409]),
    ("too-many-grants", &[409]),
    ("too-many-guesses", &[429]),
    ("too-many-requests", &[409]),
    ("too-many-tokens", &[409]),
    ("too-many-unreviewed", &[409]),
    ("value-unfit", &[422]),
];

/// What any call may meet.
pub(super) const OF_ALL: &[&str] = &[
    "bad-request",
    "broken-off",
    "client-timeout",
    "foreign-origin",
    "permission-ended",
    "person-unknown",
    "record-unavailable",
    "token-scope",
    "token-unfit",
    "too-large",
];

/// What any list may meet.
pub(super) const OF_LISTS: &[&str] = &["query-unfit"];

/// What a call may meet that can be done once.
pub(super) const OF_KEYED: &[&str] = &["key-in-use", "key-reused", "key-unfit"];

/// What a call may meet that takes one's password.
pub(super) const OF_PASSWORDS: &[&str] = &["sign-in-again", "no-password", "too-many-guesses", "sign-in-busy"];

/// The statuses of a problem.
pub(super) fn statuses(kind: &str) -> &'static [u16] {
    PROBLEMS
        .iter()
        .find(|(one, _)| *one == kind)
        .map_or(&[], |(_, statuses)| statuses)
}
