//! The words in English.

mod answers;
mod book;
mod chain;
mod decisions;
mod delegation;
mod emergency;
mod explained;
mod fault;
mod health;
mod history;
mod open;
mod outcome;
mod parts;
mod privacy;
mod proofs;
mod refusal;
mod rulebook;
mod stating;
mod tokens;
mod unfit;
mod value;

use super::Words;
use crate::facts::Language;
use parts::{both, either, span};
use refusal::{activity, approval, detail, fix, groups, heading, selected};

/// English.
pub const ENGLISH: Words = Words {
    language: Language::En,
    product: "wayleave",
    colon: ": ",
    semicolon: "; ",
    clock: |moment| moment.strftime("%H:%M").to_string(),
    calendar: |moment| moment.strftime("%a %-d %b, %H:%M").to_string(),
    day: |moment| moment.strftime("%-d %b %Y").to_string(),
    languages: "Language",
    skip: "Skip to the content",

    heading,
    tried: |activity, place| format!("You wanted to {activity} on {place}."),
    activity,
    groups,
    list: both,
    effect: |groups, place, lasts| format!("You could {groups} on {place} for {}.", span(lasts)),
    approval,
    fix,
    selected,
    alternative: |text| format!("Instead: {text}"),
    expired: |purpose, when, unused| {
        let why = unused.map_or_else(String::new, |idle| {
            format!(", because it was not used for {}", span(idle))
        });
        format!("Your purpose “{purpose}” ended at {when}{why}. You can declare it again.")
    },
    detail,
    no_reason: "No rule allows this.",
    no_reason_to_continue: "No rule allows this, and none insists.",
    opens_for_a_purpose: "It is open to you once you say what you need it for.",
    held_opens_not: "What you hold for it does not open this; another purpose would.",
    opens_once_approved: "It is open to you once somebody has approved what you need it for.",
    rules_failed: "A rule could not be evaluated, and any doubt denies. Your help desk can see which one.",
    not_listed: "The directory does not list the name that you signed in with. Ask your help desk to add it.",
    would_help: "What would make it work",
    nothing_was_sent: "Nothing was sent to the site.",
    go_back_after_declaring: "Nothing was sent to the site. State your purpose, then come back and send it again.",
    link_to_declare: "State your purpose",
    link_to_explain: "See why, and what you may do",
    link_to_ask: "Ask for an approval",
    waits: answers::waits,
    link_to_continue: "See why, and continue",
    reference: "Reference",
    rules: "Rules in force",

    choose_purpose: "What is it for?",
    statement: "In a sentence: what do you need it for?",
    statement_hint: |least| match least {
        0 => "Your own words. You may leave this empty.".to_owned(),
        least => format!("Your own words, at least {least} characters."),
    },
    ticket: "Ticket",
    ticket_needed: |example| format!("Needs a ticket, such as {example}."),
    ticket_hint: |needed_for, examples| match (needed_for, examples) {
        ([], examples) => format!("If there is one, such as {}.", either(examples)),
        (needed_for, _) => format!("Needed for {}.", either(needed_for)),
    },
    must_approve: answers::must_approve,
    declare_and_continue: "Declare and continue",
    ask_for_approval: "Ask for approval",
    declare_or_ask: "Declare, or ask for approval",
    was_asked: answers::was_asked,
    nobody_approves: answers::nobody_approves,
    needs_approval_title: |purpose| format!("“{purpose}” must be approved first"),
    once_approved: |effect, lasts| format!("{effect}, for {} from the approval", span(lasts)),
    statement_given: "What you need it for",
    look_again: "Look again",
    what_is_kept: "What you declare is kept with your name, and the owner of the purpose can read it. You can end it at any time.",
    not_granted: "Not granted yet.",
    choose_one: "Choose what it is for.",
    unfit: unfit::unfit,
    unfit_title: "The declaration does not fit",
    unfit_detail: |said| {
        let stop = if said.ends_with(['?', '.', '!']) { "" } else { "." };
        format!("Nothing was granted: {said}{stop}")
    },
    not_declared_title: "The rules do not let you declare this",
    not_declared: answers::not_declared,
    too_many_title: "You hold as many grants as one may hold",
    too_many: |held| {
        format!("{held} grants are in force already, which is the most that one person may hold. End one first.")
    },
    too_many_waiting_title: "As many of your requests wait as may",
    too_many_waiting: |waiting| {
        format!(
            "{waiting} of your requests wait for an answer already, which is the most that one person may have. Take one back first."
        )
    },
    no_purpose_helps: "No purpose makes this work.",
    already_allowed_title: "This works now",
    already_allowed: "Since it was refused, you have stated a purpose for it, or the rules have changed.",
    granted_until: |until| format!("Granted until {until}"),
    go_on_to: |host| format!("Continue to {host}"),
    go_back_and_try_again: "Go back to the site and try again.",
    grant: "Grant",

    continue_anyway: "Continue",
    continue_hint: |lasts| {
        format!(
            "You may continue all the same. That you did is kept with your name; for {} you are not asked again.",
            span(lasts)
        )
    },
    tools_may_continue: "You may continue all the same: POST to the address in `continue`.",
    continued: "Continued after being told why not",
    continued_until: |until| format!("You may continue until {until}"),
    not_continued_title: "You cannot continue past this",
    not_continued: "A rule insists on it, or the rules have changed meanwhile.",

    my_page: "My page",
    see_my_page: "See my purposes and recent refusals",
    signed_in_as: "Signed in as",
    greeting: |name| format!("Hello, {name}"),
    about,
    my_purposes: "My purposes in force",
    no_purposes: "None at the moment. When a site needs a purpose, you are asked for it.",
    left: |left, until, unused| {
        let left = format!("{} left, until {until}", span(left));
        match unused {
            Some(unused) => format!(
                "{left}; it ends sooner if you do not use it for another {}",
                span(unused)
            ),
            None => left,
        }
    },
    where_and_what: |places, groups| format!("{}: {groups}", both(places)),
    end: "End now",
    ended: "Ended. It no longer opens anything.",
    chain: chain::CHAIN,
    delegation: delegation::DELEGATION,
    emergency: emergency::EMERGENCY,
    stating: stating::STATING,
    proofs: proofs::PROOFS,
    tokens: tokens::TOKENS,
    history: history::HISTORY,
    outcome: outcome::OUTCOME,
    privacy: privacy::PRIVACY,
    value: value::VALUE,
    decisions: decisions::DECISIONS,
    book: book::BOOK,
    explained: explained::EXPLAINED,
    health: health::HEALTH,
    open: open::OPEN,
    rulebook: rulebook::RULEBOOK,
    renew: "Renew",
    renewed: "Renewed. It opens the same as before, from now on.",
    renewal_asked: "Asked for again: it must be approved first.",
    my_ended: "Ended in the last day",
    ended_at: |when, unused| match unused {
        Some(idle) => format!("Ended at {when}, because it was not used for {}", span(idle)),
        None => format!("Ended at {when}"),
    },
    renew_over_title: "It cannot be renewed",
    renew_over: "Only what is in force, or ended by itself in the last 24 hours, can be renewed. State the purpose anew.",
    not_renewed_title: "It cannot be renewed as it was",
    to_answer: |count| match count {
        1 => "1 request waits for your answer".to_owned(),
        count => format!("{count} requests wait for your answer"),
    },
    my_requests: "My requests that wait for an answer",
    take_back: "Take back",
    my_answers: "Answers of the last days",
    was_approved: |by, at, until| format!("{by} approved it at {at}, until {until}."),
    was_declined: |by, at| format!("{by} declined it at {at}."),
    was_silent: answers::was_silent,
    recent_refusals: "Recent refusals",
    connected: |place| format!("You wanted to connect to {place}."),
    no_refusals: "None in the last 24 hours.",
    what_i_may_declare: "Purposes open to me",
    from_tools: "From scripts and tools",
    from_tools_how: "Set HTTPS_PROXY to the proxy, as http://NAME:PASSWORD@HOST:PORT, and WAYLEAVE_CA to the file with the gateway’s root certificate. Then state a purpose with the command line, or with one call through the proxy:",
    from_tools_choose: "With several purposes in force, a tool picks one by its proxy user name (NAME+recruiting) or the header Wayleave-Purpose.",
    example_statement: "put here what you need it for",
    contact: |contact| format!("Questions? {contact}"),

    sign_in_again_title: "Sign in once more",
    sign_in_again: "This takes your password: with the call itself, as Authorization: Basic, for the user that you are signed in as at the proxy.",
    wrong_password: "The password is wrong, or it is another user’s than the one that is signed in at the proxy.",
    no_password: "This takes a password, and you have none: you sign in with a certificate. Ask your help desk for one (`wayleave user add`).",
    request_over_title: "It cannot be answered any more",
    request_over: answers::over,
    may_not_answer_title: "You may not answer this",
    may_not_answer: answers::may_not,
    outdated_title: "It cannot be approved any more",
    outdated: answers::outdated,
    holds_too_many: |held| {
        format!(
            "Whoever asked holds {held} grants, which is the most that one person may hold. They must end one first."
        )
    },
    not_answered_title: "It could not be answered",
    not_answered: "The gateway cannot keep the answer at the moment, so the request still waits. Try again in a minute.",
    reason_title: "Say why you decline",
    reason_wanted: |most| {
        format!(
            "Nothing was declined: whoever asked reads the reason, so there must be one. Send it as {{\"note\": \"…\"}}, in at most {most} characters."
        )
    },
    say_why: "say in a few words why, for whoever asked",
    say_why_here: "Go back, and say in a few words why: whoever asked will read it.",
    again_title: "Sign in once more",
    again_why: "Your browser signs in at the proxy by itself. What others rely on, or what lasts, takes your password once more: answering what they ask for, revoking what they hold, letting somebody answer for you, making a token. It counts for 15 minutes.",
    user_name: "User name",
    password: "Password",
    sign_in: "Sign in",
    wrong_password_here: "The password is wrong.",
    sign_out: "Sign out",
    signed_in_for: "You are signed in to answer requests, for 15 minutes.",
    inbox: "Requests that wait for you",
    nothing_waits: "Nothing waits for you.",
    sign_in_to_answer: "Sign in to answer",
    asks_for: |who, purpose| format!("{who} asks for “{purpose}”"),
    about_asker: answers::about_asker,
    training_state: |course, until| match until {
        Some(until) => format!("Training “{course}”: valid until {until}"),
        None => format!("Training “{course}”: not valid"),
    },
    held_before: answers::held_before,
    asked_and_waits: |asked, until| format!("Asked at {asked}; waits until {until}"),
    approve: "Approve",
    decline_open: "Decline …",
    decline_why: "Why? Whoever asked will read it.",
    decline: "Decline",
    you_approved: |purpose, who, until| match until {
        Some(until) => format!("You approved “{purpose}” for {who}. It is open until {until}."),
        None => format!("You approved “{purpose}” for {who}. It is over again."),
    },
    you_declined: |purpose, who| format!("You declined “{purpose}” for {who}, who sees your reason."),

    reason_to_revoke_title: "Say why you revoke it",
    reason_to_revoke_wanted: |most| {
        format!(
            "Nothing was revoked: whoever holds it reads the reason, so there must be one. POST /v1/revocations takes it as {{\"grant\": \"…\", \"reason\": \"…\"}}, in at most {most} characters."
        )
    },
    say_why_you_revoke: "say in a few words why, for whoever holds it",
    may_not_revoke_title: "You may not revoke this",
    may_not_revoke: |reasons| match reasons {
        "" => "No rule lets you end it.".to_owned(),
        reasons => reasons.to_owned(),
    },
    not_revoked_title: "It could not be revoked",
    not_revoked: "The gateway cannot keep the change at the moment, so nothing was revoked: all of it is still in force. Try again in a minute, and tell your help desk if it lasts.",
    revoked_not_recorded_title: "Revoked, and not recorded yet",
    revoked_not_recorded: |grants, tokens, delegations| {
        let counted = [
            (grants, "purpose", "purposes"),
            (tokens, "token", "tokens"),
            (delegations, "delegation", "delegations"),
        ];
        let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
        let counted =
            counted.map(|(count, one, several)| format!("{count} {}", if count == 1 { one } else { several }));
        format!(
            "What you revoked opens nothing any more ({}), but the records of it are not on disk yet: the gateway writes them as soon as it can. Tell your help desk if it lasts.",
            counted.collect::<Vec<_>>().join(", ")
        )
    },
    was_revoked: |by, at| format!("{by} revoked it at {at}."),
    my_revoked: "Revoked in the last days",
    see_in_force: "See and revoke purposes in force",
    in_force: "Purposes in force",
    in_force_what: "What people hold or have asked for, as far as the rules let you revoke it. Name a person to see the tokens of their tools, and who answers for whom.",
    in_force_count: |count| match count {
        0 => "None fits".to_owned(),
        1 => "1 purpose".to_owned(),
        count => format!("{count} purposes"),
    },
    in_force_here: |count| match count {
        1 => "1 purpose on this page".to_owned(),
        count => format!("{count} purposes on this page"),
    },
    nobody_holds: |said, near| match near {
        Some(near) => format!("Nobody called “{said}” holds anything that you may revoke. Did you mean “{near}”?"),
        None => format!("Nobody called “{said}” holds anything that you may revoke."),
    },
    filter: "Which to show",
    filter_any: "Any",
    filter_purpose: "Purpose",
    filter_platform: "Platform",
    filter_show: "Show",
    column_who: "Who",
    column_where: "Platforms",
    column_until: "Until",
    column_statement: "What for",
    waits_until: |until| format!("waits for an answer until {until}"),
    more_follow: "Show more",
    revoke: "Revoke",
    revoke_many: |count| match count {
        1 => "Revoke it".to_owned(),
        count => format!("Revoke all {count}"),
    },
    revoke_all: "Revoke all of them",
    one_at_a_time_title: "One at a time, please",
    one_at_a_time: "What everybody holds is being looked through for you already. Nothing has changed. Try again once that is done.",
    revoke_title: |what| format!("Revoke {what}?"),
    revoke_effect: "It takes effect at once: the next request is refused, and whatever still runs under it is cut.",
    and_more: |count| format!("and {count} more"),
    revoke_why: "Why? Whoever holds it will read it.",
    revoke_not: "Back, and revoke nothing",
    sign_in_to_revoke: "Sign in to revoke",
    say_why_you_revoke_here: "Go back, and say in a few words why: whoever holds it will read it.",
    you_revoked: |count| match count {
        1 => "You revoked 1 purpose. It opens nothing any more.".to_owned(),
        count => format!("You revoked {count} purposes. They open nothing any more."),
    },

    not_known_title: "We do not know you yet",
    not_known: |name| {
        format!("You signed in as “{name}”, but the directory does not list that name. Ask your help desk to add it.")
    },
    link_over_title: "This link is no longer valid",
    link_over: "A link to a refusal lasts for a short time and belongs to the person who got it. Open the site again, or find the refusal on your page.",
    not_here_title: "There is no such page",
    not_here: "The address may be mistyped.",
    form_over_title: "Please send the form again",
    form_over: "The form was older than an hour, or did not come from this portal. Nothing has changed.",
    out_of_reach_title: "Please try again in a minute",
    out_of_reach: "What all gateways share is out of reach at the moment: no link can be looked up there, and no form can be taken. Nothing has changed.",
    not_kept_title: "Nothing was granted",
    not_kept: "The gateway cannot keep records at the moment, and grants nothing that it cannot record. Try again in a minute.",
    grant_over_title: "It is over already",
    grant_over: "This purpose has ended or expired.",
    may_not_end_title: "You may not end this purpose",
    not_ended_title: "It could not be ended",
    not_ended: "The gateway cannot keep the change at the moment, so this purpose is still in force. Try again in a minute, and tell your help desk if it lasts.",
    too_large_title: "The request is too large",
    too_large: |most| format!("A form or declaration holds at most {most} bytes: shorten the statement."),
    broken_off_title: "The request is not complete",
    broken_off: "The connection broke off before the whole request arrived: send it again.",
    bad_form_title: "The form could not be read",
    bad_form: "Go back, reload the page, and send it again.",

    wanted: "You wanted to reach",
    what_you_can_do: "What you can do",
    technically: "In detail",
    fault: fault::fault,
};

fn about(sign_in: &str, roles: &[&str], departments: &[&str]) -> String {
    let mut text = format!("Signed in as {sign_in}");
    if !roles.is_empty() {
        text = format!("{text}. Roles: {}", roles.join(", "));
    }
    if !departments.is_empty() {
        text = format!("{text}. Department: {}", departments.join(", "));
    }
    text + "."
}
