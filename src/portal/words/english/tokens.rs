//! Tokens for tools in English.

use crate::portal::words::TokenWords;

pub(super) const TOKENS: TokenWords = TokenWords {
    not_good_title: "This token is not good for that",
    not_for_proxy: "The token that was shown does not lead through the proxy.",
    not_for_proxy_advice: "Make one with the scope “proxy” in the portal, or sign in with a password.",
    wrong_title: "The token is not good",
    wrong: "It was mistyped, has expired, was revoked, or is somebody else’s. Your own page lists those that you have.",
    takes_a_person: "No token is good for this: it takes you and your password.",
    takes_scope: |scope| format!("This takes a token with the scope “{scope}”. Make one in the portal."),
    no_pages: "These pages are for people: sign in with your password. A token is good for programs, which call /v1.",
    heading: "Tokens for your tools",
    about: "A program shows a token in the place of your password. It is good for some of what you may do, and for some time.",
    none: "You have no token.",
    nameless: "Without a name",
    good_for: |scopes, until| format!("For {}; good until {until}", scopes.join(", ")),
    used: |day| day.map_or_else(|| "Not used yet".to_owned(), |day| format!("Used last on {day}")),
    called: |name| format!("Token “{name}”"),
    theirs: "Tokens for tools",
    counted: |count| match count {
        1 => "1 token".to_owned(),
        count => format!("{count} tokens"),
    },
    ended_by_password: |at| format!("It ended at {at}: you have a new password since."),
    ended_by_account: |at| format!("It ended at {at}, with the account that you had."),
    revoke: "Revoke",
    revoked: "The token is revoked, and whatever used it is cut off.",
    make: "Make a token",
    name: "What is it for? A name that you will recognise",
    scope: "What is it good for?",
    scope_of: |scope| match scope {
        "decisions" => {
            "reading what was decided about others, as far as the rules let you; with “read”, also what they stated, hold and looked at"
        }
        "declare" => "declaring, renewing and ending your own purposes",
        "proxy" => "going through the proxy",
        "read" => "reading what you hold, may do and were refused",
        _ => "something else",
    },
    days: "For how many days?",
    button: "Make it",
    made_title: "Your token",
    made: "Copy it now, to where your program reads it: it is not shown again.",
    made_use: "It goes where your password went: into the program’s proxy settings, with your user name.",
    done: "I have copied it",
    not_made_title: "No token was made",
    may_not_make: |why| {
        if why.is_empty() {
            "The rules do not let you make this token.".to_owned()
        } else {
            why.to_owned()
        }
    },
    too_many: |held| format!("You have {held} tokens, which is as many as one may have. Revoke one first."),
    bad_name: |most| format!("Name it in at most {most} characters."),
    no_scope: "Say what it is to be good for.",
    bad_days: |most| format!("It can be good for 1 to {most} days."),
    not_kept: "It cannot be recorded or kept at this moment. Try again in a minute.",
    not_revoked_title: "The token was not revoked",
    not_revoked: "That cannot be kept at this moment, and the token is still good. Try again in a minute.",
};
