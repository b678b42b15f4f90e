//! What can be done with grants.

use super::{Call, Operation, Proof};

/// The answers of what gives a grant.
const GIVEN: &[super::Gives] = &[
    (201, "It is in force.", "Grant"),
    (
        202,
        "It waits for somebody's approval, and opens nothing before that.",
        "Grant",
    ),
];

/// Why nothing is given.
const NOT_GIVEN: &[&str] = &[
    "not-json",
    "declaration-unfit",
    "approval-required",
    "prohibited",
    "too-many-grants",
    "too-many-requests",
    "no-reviewer",
    "review-overdue",
    "too-many-unreviewed",
];

/// Why nothing is answered.
const NOT_ANSWERED: &[&str] = &[
    "not-json",
    "answer-unfit",
    "not-found",
    "prohibited",
    "request-over",
    "request-outdated",
    "already-approved",
    "reason-required",
    "too-many-grants",
];

pub(super) const GRANTS: &[Operation] = &[
    Operation {
        call: Call::ListGrants,
        method: "GET",
        path: "/grants",
        id: "listGrants",
        summary: "What you hold, and what others hold that you may end",
        says: "Without a selection: all that you hold or wait for and the latest of what is over, the latest first. With one of \
               `user`, `purpose`, `platform`, `all`: what is in force or waits, fits, and the rules let you end, the oldest \
               first. A user can also be named in full. Where nothing is found of a name that neither the rules nor the directory \
               know, whoever may read decisions of others is told so.",
        takes: &["User", "Purpose", "Platform", "All", "Limit", "After"],
        body: None,
        gives: &[(200, "A page of grants.", "Grants")],
        problems: &["revocation-unfit", "query-unfit", "one-at-a-time"],
        proof: Proof::Hop,
    },
    Operation {
        call: Call::Declare,
        method: "POST",
        path: "/grants",
        id: "declare",
        summary: "State a purpose",
        says: "Opens at once what needs nobody's approval; asks for what does. Whoever asks for the same again, or for less, \
               finds what waits.",
        takes: &[],
        body: Some("Declaration"),
        gives: GIVEN,
        problems: NOT_GIVEN,
        proof: Proof::Hop,
    },
    Operation {
        call: Call::ShowGrant,
        method: "GET",
        path: "/grants/{id}",
        id: "showGrant",
        summary: "One of your grants, or one that waits for your answer",
        says: "",
        takes: &[],
        body: None,
        gives: &[(200, "The grant.", "Grant")],
        problems: &["not-found"],
        proof: Proof::Hop,
    },
    Operation {
        call: Call::EndGrant,
        method: "DELETE",
        path: "/grants/{id}",
        id: "endGrant",
        summary: "End one of your grants, or take back what waits",
        says: "What others hold is revoked, with a reason: `POST /v1/revocations`.",
        takes: &[],
        body: None,
        gives: &[(200, "The grant, which is over.", "Grant")],
        problems: &["not-found", "prohibited", "grant-over", "reason-required"],
        proof: Proof::Hop,
    },
    Operation {
        call: Call::Renew,
        method: "POST",
        path: "/grants/{id}/renew",
        id: "renew",
        summary: "Have the same once more",
        says: "Of what is in force, or ended by itself in the last 24 hours. It is judged as a declaration made now. Who renews \
               twice has one renewal.",
        takes: &[],
        body: None,
        gives: GIVEN,
        problems: &[
            "not-found",
            "grant-over",
            "declaration-unfit",
            "approval-required",
            "prohibited",
            "too-many-grants",
            "too-many-requests",
        ],
        proof: Proof::Hop,
    },
    Operation {
        call: Call::Approve,
        method: "POST",
        path: "/grants/{id}/approve",
        id: "approve",
        summary: "Approve what somebody asked for",
        says: "",
        takes: &[],
        body: Some("Answer"),
        gives: &[(
            200,
            "The grant as it is now: where others must approve it as well, it still waits.",
            "Grant",
        )],
        problems: NOT_ANSWERED,
        proof: Proof::Password,
    },
    Operation {
        call: Call::Decline,
        method: "POST",
        path: "/grants/{id}/decline",
        id: "decline",
        summary: "Decline what somebody asked for",
        says: "Whoever asked reads the note.",
        takes: &[],
        body: Some("Answer"),
        gives: &[(200, "The grant, which never came to be.", "Grant")],
        problems: NOT_ANSWERED,
        proof: Proof::Password,
    },
    Operation {
        call: Call::BreakGlass,
        method: "POST",
        path: "/break-glass",
        id: "breakGlass",
        summary: "Take a purpose in an emergency",
        says: "At once, without its approval, for an hour at most; somebody reviews it by the next working day.",
        takes: &[],
        body: Some("Declaration"),
        gives: GIVEN,
        problems: NOT_GIVEN,
        proof: Proof::Hop,
    },
    Operation {
        call: Call::Review,
        method: "POST",
        path: "/grants/{id}/review",
        id: "review",
        summary: "Say whether an emergency was one",
        says: "",
        takes: &[],
        body: Some("Review"),
        gives: &[(200, "The grant, reviewed.", "Grant")],
        problems: &["not-json", "review-unfit", "not-found", "prohibited", "review-over"],
        proof: Proof::Password,
    },
    Operation {
        call: Call::Revoke,
        method: "POST",
        path: "/revocations",
        id: "revoke",
        summary: "End what others hold",
        says: "All that is named and the rules let you end, in one change; its holders read the reason. With a person, or \
               everybody, end their tokens for tools, and who answers for them or for whom they do. With `dry_run` nothing ends, \
               and neither reason nor password is asked for.",
        takes: &[],
        body: Some("Revocation"),
        gives: &[(200, "What ended; or would, with `dry_run`.", "Revoked")],
        problems: &[
            "not-json",
            "revocation-unfit",
            "reason-required",
            "not-found",
            "prohibited",
            "grant-over",
            "one-at-a-time",
        ],
        proof: Proof::Password,
    },
];
