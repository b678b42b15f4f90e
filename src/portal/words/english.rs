//! The words in English.

mod unfit;

use std::time::Duration;

use super::{FaultWords, Kind, Words};
use crate::facts::FaultCode;
use crate::rulebook::NotDeclared;

/// English.
pub const ENGLISH: Words = Words {
    lang: "en",
    product: "wayleave",

    heading,
    tried: |activity, place| format!("You wanted to {activity} on {place}."),
    activity,
    groups,
    effect: |groups, place, lasts| format!("You could {groups} on {place} for {}.", span(lasts)),
    approval,
    fix,
    alternative: |text| format!("Instead: {text}"),
    expired: |purpose, when| format!("Your purpose “{purpose}” ended at {when}. You can declare it again."),
    detail,
    no_reason: "No rule allows this.",
    opens_for_a_purpose: "It is open to you once you say what you need it for.",
    rules_failed: "A rule could not be evaluated, and any doubt denies. Your help desk can see which one.",
    not_listed: "The directory does not list the name that you signed in with. Ask your help desk to add it.",
    would_help: "What would make it work",
    nothing_was_sent: "Nothing was sent to the site.",
    go_back_after_declaring: "Nothing was sent to the site. State your purpose, then come back and send it again.",
    link_to_declare: "State your purpose",
    link_to_explain: "See why, and what you may do",
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
    declare_and_continue: "Declare and continue",
    what_is_kept: "What you declare is kept with your name, and the owner of the purpose can read it. You can end it at any time.",
    not_granted: "Not granted yet.",
    choose_one: "Choose what it is for.",
    unfit: unfit::unfit,
    not_declared_title: "The rules do not let you declare this",
    not_declared,
    too_many_title: "You hold as many grants as one may hold",
    too_many: |held| {
        format!("{held} grants are in force already, which is the most that one person may hold. End one first.")
    },
    needs_approval: "Somebody must approve these first",
    no_purpose_helps: "No purpose makes this work.",
    already_allowed_title: "This works now",
    already_allowed: "Since it was refused, you have stated a purpose for it, or the rules have changed.",
    granted_until: |until| format!("Granted until {until}"),
    go_on_to: |host| format!("Continue to {host}"),
    go_back_and_try_again: "Go back to the site and try again.",
    grant: "Grant",

    my_page: "My page",
    see_my_page: "See my purposes and recent refusals",
    signed_in_as: "Signed in as",
    greeting: |name| format!("Hello, {name}"),
    about,
    my_purposes: "My purposes in force",
    no_purposes: "None at the moment. When a site needs a purpose, you are asked for it.",
    left: |left, until| format!("{} left, until {until}", span(left)),
    where_and_what: |places, groups| format!("{}: {groups}", both(places)),
    end: "End now",
    ended: "Ended. It no longer opens anything.",
    recent_refusals: "Recent refusals",
    connected: |place| format!("You wanted to connect to {place}."),
    no_refusals: "None in the last 24 hours.",
    what_i_may_declare: "Purposes open to me",
    from_tools: "From scripts and tools",
    from_tools_how: "Set HTTPS_PROXY to the proxy, as http://NAME:PASSWORD@HOST:PORT, and WAYLEAVE_CA to the file with the gateway’s root certificate. Then state a purpose with the command line, or with one call through the proxy:",
    from_tools_choose: "With several purposes in force, a tool picks one by its proxy user name (NAME+recruiting) or the header Wayleave-Purpose.",
    example_statement: "put here what you need it for",
    contact: |contact| format!("Questions? {contact}"),

    not_known_title: "We do not know you yet",
    not_known: |name| {
        format!("You signed in as “{name}”, but the directory does not list that name. Ask your help desk to add it.")
    },
    link_over_title: "This link is no longer valid",
    link_over: "A link to a refusal lasts for a short time and belongs to the person who got it. Open the site again, or find the refusal on your page.",
    not_here_title: "There is no such page",
    not_here: "The address may be mistyped.",
    form_over_title: "Please send the form again",
    form_over: "The form was older than an hour, was sent already, or did not come from this portal. Nothing has changed.",
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

    sign_in_title: "Sign in to go on",
    wait_title: "Too many wrong passwords",
    wait_what: "Too many wrong passwords came for this user from this address, so none is looked at for five minutes.",
    wait_advice: "Wait, then sign in with the right one. Somewhere else, and where you are signed in already, nothing has changed. If it was not you, tell your help desk.",
    tls_door_title: "Sign in on the encrypted way",
    tls_door_what: "Nobody can sign in on the way that you came: a password in clear could be read by others.",
    tls_door_advice: "Use the gateway's TLS port, with your password or your client certificate: `HTTPS host:port` in a PAC file, `https://host:port` as the proxy of a tool.",
    sign_in_what: "This gateway needs to know who you are before it opens the way.",
    sign_in_advice: "Enter your user name and password when the browser asks for them. In a tool, set them in its proxy settings. A client certificate works on the TLS port.",
    wanted: "You wanted to reach",
    what_you_can_do: "What you can do",
    technically: "In detail",
    fault,
};

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::PurposeRequired => "This needs a purpose",
        Kind::ActivityNotCovered => "Your purpose does not cover this",
        Kind::GrantExpired => "Your purpose has ended",
        Kind::ApprovalRequired => "This needs an approval",
        Kind::TrainingRequired => "This needs a training",
        Kind::Prohibited => "This is not allowed",
        Kind::PolicyError => "The rules failed",
        Kind::PersonUnknown => "We do not know you yet",
    }
}

/// What somebody does, after "You wanted to". Activities are data: an unknown one is named as the rules name it.
fn activity(id: &str) -> String {
    let words = match id {
        "connect" | "inspect" | "browse" => "open pages",
        "search" => "search",
        "view-media" => "watch or listen",
        "message-read" => "read messages",
        "download" => "download",
        "react" => "react",
        "follow" => "follow",
        "save" => "save something",
        "report" => "report something",
        "post" => "post",
        "comment" => "comment",
        "share" => "share something",
        "edit" => "edit something",
        "delete" => "delete something",
        "message" => "send a message",
        "upload" => "upload something",
        "sell" => "sell something",
        "unknown-write" => "send something",
        "manage-page" => "manage a page",
        "moderate" => "moderate",
        "advertise" => "advertise",
        "login" => "sign in",
        "logout" => "sign out",
        "oauth" => "sign in to another site",
        "profile-edit" => "edit a profile",
        "call" => "make a call",
        "realtime" => "use live updates",
        "games" => "play games",
        "embed" => "load a widget",
        "telemetry" => "send usage data",
        other => return format!("do “{}”", other.replace('-', " ")),
    };
    words.to_owned()
}

fn groups(ids: &[&str]) -> String {
    let words: Vec<String> = ids
        .iter()
        .map(|id| match *id {
            "read" => "read and search".to_owned(),
            "engage" => "react and follow".to_owned(),
            "publish" => "post, comment, message and upload".to_owned(),
            "administer" => "manage pages and advertise".to_owned(),
            "account" => "sign in".to_owned(),
            "live" => "call and stream".to_owned(),
            other => format!("“{other}”"),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.join("; ")
}

fn approval(approvers: &[&str]) -> String {
    if approvers.is_empty() {
        return "Somebody must approve it, and nobody is named who could: ask your help desk.".to_owned();
    }
    let names: Vec<&str> = approvers
        .iter()
        .map(|name| if *name == "manager" { "your manager" } else { name })
        .collect();
    format!("Ask {} to approve it.", either(&names))
}

fn fix(text: &str) -> String {
    match text.split_once(':') {
        Some(("selection", purpose)) => format!(
            "You signed in with “{purpose}” selected, so only that purpose counts. Sign in without it and try again."
        ),
        Some(("training", course)) => format!("It would help to pass the training “{}”.", course.trim()),
        _ => format!("It would help: {text}"),
    }
}

fn detail(kind: Kind, activity: &str, place: &str, purposes: &[&str]) -> String {
    let what = format!("to {activity} on {place}");
    match kind {
        Kind::PurposeRequired | Kind::ActivityNotCovered | Kind::GrantExpired => {
            format!("A purpose is needed {what}: declare {}.", either(purposes))
        }
        Kind::ApprovalRequired => format!("An approved purpose is needed {what}: {}.", either(purposes)),
        Kind::TrainingRequired => format!("A valid training is needed {what}."),
        Kind::Prohibited => format!("No purpose allows anybody in your role {what}."),
        Kind::PolicyError => format!("The rules failed when asked {what}; any doubt denies."),
        Kind::PersonUnknown => format!("The directory does not list you, which is needed {what}."),
    }
}

fn not_declared(why: &NotDeclared) -> String {
    match why {
        NotDeclared::Unpermitted => "No rule lets you declare this purpose.".to_owned(),
        NotDeclared::Failed => "The rules could not be evaluated, so nothing is granted.".to_owned(),
        NotDeclared::Forbidden(reasons) => {
            let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
            texts.join(" ")
        }
    }
}

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

/// `1 hour 30 minutes`; seconds only where there is nothing greater.
fn span(length: Duration) -> String {
    let unit = |count: u64, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        count => Some(format!("{count} {name}s")),
    };
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [unit(days, "day"), unit(hours, "hour"), unit(minutes, "minute")];
    let parts: Vec<String> = parts.into_iter().flatten().take(2).collect();
    if parts.is_empty() {
        unit(seconds, "second").unwrap_or_else(|| "no time".to_owned())
    } else {
        parts.join(" ")
    }
}

fn either(words: &[&str]) -> String {
    listed(words, "or")
}

fn both(words: &[&str]) -> String {
    listed(words, "and")
}

fn listed(words: &[&str], joint: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {joint} {last}", first.join(", ")),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one entry for each fault")]
fn fault(code: FaultCode) -> FaultWords {
    let words = |title, what, advice| FaultWords { title, what, advice };
    match code {
        FaultCode::BadRequest => words(
            "The request could not be understood",
            "It breaks the rules of HTTP in a way that a proxy must not pass on.",
            "Reload the page. If a tool sent it, the detail below names what is wrong.",
        ),
        FaultCode::HeadTooLarge => words(
            "The request is too large",
            "Its address or its header fields are larger than this gateway accepts. Often that is too many cookies.",
            "Delete the cookies of this site and try again.",
        ),
        FaultCode::ClientTimeout => words(
            "The request took too long",
            "It did not arrive completely in time.",
            "Check your connection and try again.",
        ),
        FaultCode::ClientGone => words(
            "The connection was closed",
            "It ended before the answer was complete.",
            "Try again.",
        ),
        FaultCode::ClientTls => words(
            "The secure connection to this gateway failed",
            "Your program may not trust the certificates of this gateway.",
            "Install the certificate of this gateway: your help desk knows how, or run wayleave ca install-help.",
        ),
        FaultCode::Misdirected => words(
            "The request came the wrong way",
            "It names another site than the connection was made for.",
            "Reload the page: a new connection will be made.",
        ),
        FaultCode::SniMismatch => words(
            "The connection names two sites",
            "The name in the secure handshake is not the one that was asked for.",
            "If a tool made this connection, let it use the same name in both places.",
        ),
        FaultCode::ProtocolUnreadable => words(
            "This kind of connection may not pass",
            "It is neither HTTP nor TLS, and the rules do not let it pass unread.",
            "Ask your help desk if you need it for your work.",
        ),
        FaultCode::NameNotFound => words(
            "There is no site with this name",
            "The name could not be found.",
            "Check the spelling of the address.",
        ),
        FaultCode::ResolveFailed => words(
            "The name could not be looked up",
            "The name server did not answer.",
            "Try again in a minute. If it lasts, tell your help desk.",
        ),
        FaultCode::AddressGuarded => words(
            "This address is not reachable through the gateway",
            "The name leads to a private or local address, which this gateway never dials.",
            "If it is an internal site, open it without the proxy. Otherwise tell your help desk.",
        ),
        FaultCode::ConnectRefused => words(
            "The site refused the connection",
            "It was found, but nothing answers there.",
            "The site may be down. Try again later.",
        ),
        FaultCode::ConnectTimeout => words(
            "The site did not answer",
            "No connection could be made in time.",
            "The site may be down or busy. Try again later.",
        ),
        FaultCode::CertificateExpired => words(
            "The site’s certificate has expired or is not valid yet",
            "The site could not prove that it is what it says it is. Nothing was sent to it.",
            "Tell the site’s owner. Do not enter passwords there until it is repaired.",
        ),
        FaultCode::CertificateName => words(
            "The site’s certificate is for another name",
            "Whoever answered could not prove to be this site. Nothing was sent to it.",
            "Check the spelling of the address. If it is right, somebody may be in between: tell your help desk.",
        ),
        FaultCode::CertificateIssuer => words(
            "The site’s certificate comes from an unknown issuer",
            "Nobody whom we trust vouches for this site. Nothing was sent to it.",
            "If it is a site of your organisation or a partner, ask your help desk to trust its issuer.",
        ),
        FaultCode::CertificateBad => words(
            "The site’s certificate is not valid",
            "It was revoked, or it is broken. Nothing was sent to the site.",
            "Do not use the site until it is repaired. Tell your help desk if you need it.",
        ),
        FaultCode::OriginTls => words(
            "No secure connection to the site",
            "The site and this gateway could not agree on how to talk securely. Nothing was sent to it.",
            "Try again later. If it lasts, tell your help desk.",
        ),
        FaultCode::OriginTimeout => words(
            "The site took too long",
            "It accepted the request but did not answer in time.",
            "Try again. If you sent something, check first whether it arrived.",
        ),
        FaultCode::OriginGone => words(
            "The site broke off",
            "It closed the connection before its answer was complete.",
            "Try again. If you sent something, check first whether it arrived.",
        ),
        FaultCode::OriginProtocol => words(
            "The site’s answer makes no sense",
            "What it sent is not valid HTTP.",
            "Try again later. If it lasts, tell your help desk.",
        ),
        FaultCode::CoversManagedPlatform => words(
            "This connection may not pass unread",
            "The site’s certificate also covers a managed platform, so it could carry that platform unseen.",
            "Open the platform under its own name.",
        ),
        FaultCode::PermissionEnded => words(
            "Your permission ended while this was on its way",
            "A purpose has run out or was ended, or the rules have changed. What was sent so far may have arrived.",
            "State your purpose, check what arrived, and send the rest again.",
        ),
        FaultCode::RecordUnavailable => words(
            "The gateway cannot keep records right now",
            "What cannot be recorded may not pass. Nothing was sent to the site.",
            "Try again in a minute. Your help desk is able to see the cause.",
        ),
        FaultCode::MintFailed => words(
            "The gateway could not make a certificate",
            "Without one it cannot show you this site.",
            "Try again. If it lasts, tell your help desk.",
        ),
        FaultCode::Internal => words(
            "Something in the gateway went wrong",
            "That is our fault, not yours.",
            "Try again. If it lasts, give your help desk the reference below.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_like_speech() {
        let read = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(read(8 * 3_600), "8 hours");
        assert_eq!(read(5_400), "1 hour 30 minutes");
        assert_eq!(read(60), "1 minute");
        assert_eq!(read(59), "59 seconds");
        assert_eq!(read(14 * 86_400 + 30), "14 days");
        assert_eq!(read(0), "no time");
    }

    #[test]
    fn lists_read_like_speech() {
        assert_eq!(
            either(&["recruiting", "sales", "support"]),
            "recruiting, sales or support"
        );
        assert_eq!(both(&["LinkedIn"]), "LinkedIn");
        assert_eq!(
            approval(&["manager", "grace"]),
            "Ask your manager or grace to approve it."
        );
    }

    #[test]
    fn an_activity_that_nobody_put_into_words_is_still_named() {
        assert_eq!(activity("time-travel"), "do “time travel”");
    }
}
