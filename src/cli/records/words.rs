//! Records in words: one line each, safe to print.

use std::fmt::Write as _;

use crate::audit::{Broken, Verified};
use crate::facts::{
    Access, AccessAct, Act, Ask, Coach, DecisionNote, Delegated, End, Ending, GatewayAct, Grant, GrantAct, Host,
    Observation, PlatformId, PolicyId, PurposeId, Record, Report, RevokedFor, RulebookId, SubjectId,
};

/// The answer of `verify` for a script.
pub(super) fn proof_as_json(verified: &Result<Verified, Broken>) -> serde_json::Value {
    match verified {
        Ok(verified) => serde_json::json!({
            "holds": true, "lines": verified.lines, "segments": verified.segments, "sealed": verified.sealed,
            "first": verified.first, "last": verified.last(),
            "head": verified.head.as_ref().map(ToString::to_string), "key": verified.key,
            "unfinished_bytes": verified.unfinished_bytes, "torn": verified.torn,
        }),
        Err(broken) => {
            serde_json::json!({ "holds": false, "file": broken.file, "line": broken.line, "why": broken.why })
        }
    }
}

/// The answer of `verify` for a person.
pub(super) fn proof_in_words(verified: &Verified) -> String {
    let Verified {
        segments,
        sealed,
        lines,
        first,
        head,
        key,
        ..
    } = verified;
    let mut text = format!("the records hold (lines: {lines}, segments: {segments}, sealed: {sealed})");
    // writing to a string cannot fail
    if let Some(head) = head {
        let _ = write!(text, "\nnumbers {first} to {}; head {head}", head.seq);
    }
    if let Some(key) = key {
        let _ = write!(text, "\nkey of the seals sha256:{key}");
    }
    if *first > 1 {
        let _ = write!(text, "\nearlier segments are not here");
    }
    if verified.unfinished_bytes > 0 {
        let bytes = verified.unfinished_bytes;
        let _ = write!(
            text,
            "\nthe last line is unfinished ({bytes} bytes): being written, or repaired at the next start"
        );
    }
    if verified.torn > 0 {
        let _ = write!(text, "\ntorn ends set aside by earlier starts: {}", verified.torn);
    }
    text
}

/// One record as one line for people.
pub(super) fn in_words(record: &Record) -> String {
    let what = match &record.act {
        Act::Opening { seen, decided } => format!("opening  {}", flow_in_words(seen, Some(decided))),
        Act::Closing { seen, decided, ended } => {
            let outcome = decided.as_ref().map_or("-", |note| note.outcome.as_str());
            let flow = flow_in_words(seen, decided.as_deref());
            format!("{outcome:<8} {flow}: {}", ending_in_words(ended))
        }
        Act::Stray { client, ended } => format!("stray    from {client}: {}", ending_in_words(ended)),
        Act::Grant { act, grant, by, .. } => match &grant.delegated {
            Some(delegated) => delegation_in_words(*act, grant, delegated, by),
            None => grant_in_words(*act, grant, by),
        },
        Act::Token { act, token, by, .. } => {
            let scope: Vec<&str> = token.scope.iter().map(|scope| scope.as_str()).collect();
            let (act, scope) = (act.as_str(), scope.join(", "));
            let why = match &token.revoked_for {
                Some(RevokedFor::PasswordChanged) => ", with the password before",
                Some(RevokedFor::AccountRemoved) => ", with the account",
                Some(RevokedFor::Revocation(_)) | None => "",
            };
            format!(
                "token    {act} {} of {} for {scope} until {}, by {by}{why}",
                token.id, token.subject, token.expires
            )
        }
        Act::Access { act, access, by, .. } => format!("access   {by} {}", access_in_words(*act, access)),
        Act::Gateway { act, rulebook } => format!("gateway  {}, rules {rulebook}", gateway_in_words(act, rulebook)),
    };
    plain(&format!("{} {what}  [{}]", record.at, record.id))
}

fn access_in_words(act: AccessAct, access: &Access) -> String {
    // what was looked through: decisions, where nothing else is named
    let through = access.wanted.get("kind").map_or("decisions", String::as_str);
    let wanted = access.wanted.iter().filter(|(name, _)| *name != "kind");
    let wanted: Vec<String> = wanted.map(|(name, value)| format!("{name} {value}")).collect();
    let of = match (&access.record, wanted.is_empty(), through) {
        (Some(record), _, _) => format!("decision {record}"),
        (None, true, "all") => "all records".to_owned(),
        (None, true, through) => format!("all {through}"),
        (None, false, "all") => format!("records with {}", wanted.join(", ")),
        (None, false, through) => format!("{through} with {}", wanted.join(", ")),
    };
    let about: Vec<&str> = access.about().map(SubjectId::as_str).collect();
    let about = if about.is_empty() {
        String::new()
    } else {
        format!(" about {}", about.join(" or "))
    };
    format!("{} {of}{about}", act.as_str())
}

fn act_in_words(act: GrantAct) -> &'static str {
    match act {
        GrantAct::Granted => "granted",
        GrantAct::Continued => "continued",
        GrantAct::Delegated => "delegated",
        GrantAct::Requested => "asked",
        GrantAct::PartlyApproved => "approved, in part",
        GrantAct::Approved => "approved",
        GrantAct::Declined => "declined",
        GrantAct::Lapsed => "lapsed",
        GrantAct::BrokeGlass => "broke glass",
        GrantAct::Reviewed => "reviewed",
        GrantAct::Reported => "reported",
        GrantAct::Withdrawn => "withdrew",
        GrantAct::Revoked => "revoked",
        GrantAct::Idle => "idle",
        GrantAct::Refused => "refused",
        GrantAct::Void => "voided",
    }
}

fn grant_in_words(act: GrantAct, grant: &Grant, by: &SubjectId) -> String {
    let host = grant.continued.iter().filter_map(|continued| continued.host.as_ref());
    let platforms = grant.platforms.iter().map(PlatformId::as_str);
    let platforms: Vec<&str> = platforms.chain(host.map(Host::as_str)).collect();
    let (who, purpose, on) = (&grant.subject, &grant.purpose, platforms.join(", "));
    let until = match grant.answer_by.filter(|_| !grant.was_given()) {
        Some(answer_by) => format!("to be answered by {answer_by}"),
        None if act == GrantAct::Idle => format!("unused, ended {}", grant.until()),
        None => format!("until {}", grant.expires),
    };
    let renews = grant.parent.as_ref().map(|parent| format!(", renews {parent}"));
    let renews = renews.unwrap_or_default();
    let answers = matches!(act, GrantAct::PartlyApproved | GrantAct::Approved | GrantAct::Declined);
    let answer = grant.answers.last().filter(|_| answers);
    let behalf = answer.and_then(|answer| answer.behalf.as_ref());
    let behalf = behalf.map(|behalf| format!(" for {}", behalf.whom)).unwrap_or_default();
    let came = grant.report.as_ref().map(came_in_words).unwrap_or_default();
    format!(
        "{:<8} {who} {purpose} on {on} {until}, by {by}{behalf}, grant {}{renews}{came}",
        act_in_words(act),
        grant.id
    )
}

/// Whom somebody lets answer for them.
fn delegation_in_words(act: GrantAct, grant: &Grant, delegated: &Delegated, by: &SubjectId) -> String {
    let purposes: Vec<&str> = delegated.purposes.iter().map(PurposeId::as_str).collect();
    let purposes = if purposes.is_empty() {
        "all purposes".to_owned()
    } else {
        purposes.join(", ")
    };
    format!(
        "{:<8} {}'s approving to {} for {purposes} from {} until {}, by {by}, delegation {}",
        act_in_words(act),
        grant.subject,
        delegated.to,
        grant.not_before,
        grant.expires,
        grant.id
    )
}

/// How much somebody says came of a grant; what they wrote is in the record itself.
fn came_in_words(report: &Report) -> String {
    match report.amount {
        Some(amount) => format!(", came to {amount}"),
        None if report.is_skipped() => ", skipped".to_owned(),
        None => ", in words".to_owned(),
    }
}

fn flow_in_words(seen: &Observation, decided: Option<&DecisionNote>) -> String {
    let who = seen.subject.as_ref().map_or("nobody", |subject| subject.id.as_str());
    let activity = decided.map_or("-", |note| note.activity.as_str());
    let mut text = match &seen.ask {
        Ask::Connect(authority) => format!("{who} {activity} {authority}"),
        Ask::Request(authority, head) => format!("{who} {activity} {} {}{}", head.method, authority.host, head.path),
    };
    if let Some(purpose) = decided.and_then(|note| note.purpose.as_ref()) {
        let _ = write!(text, " for {purpose}");
    }
    if let Some(note) = decided.filter(|note| !note.offered.is_empty()) {
        let offered: Vec<&str> = note.offered.iter().map(PurposeId::as_str).collect();
        let _ = write!(text, " (would help: {})", offered.join(", "));
    }
    if let Some(note) = decided {
        text.push_str(match (&note.coach, note.let_pass) {
            (Some(Coach::Continued(_)), _) => " (was told why not, and continued)",
            (Some(Coach::Offered), _) => " (is told why not, and may continue)",
            (None, true) => " (let pass: the gateway only observes)",
            (None, false) => "",
        });
    }
    if let Some(would) = decided.and_then(|note| note.would.as_ref()) {
        let ids = would.policies.iter().chain(&would.errors).map(PolicyId::as_str);
        let ids: Vec<&str> = ids.collect();
        let _ = write!(text, " (would be {}: {})", would.be.as_str(), ids.join(", "));
    }
    text
}

fn ending_in_words(ended: &Ending) -> String {
    let mut parts = vec![match &ended.end {
        End::Completed => "completed".to_owned(),
        End::Refused => "refused".to_owned(),
        End::Challenged => "asked to sign in".to_owned(),
        End::Failed { code, .. } => format!("failed, {}", code.as_str()),
        End::Cut(why) => format!("cut, {why}"),
        End::Abandoned => "abandoned".to_owned(),
    }];
    parts.extend(ended.status.map(|status| status.to_string()));
    parts.push(if ended.decrypted { "read" } else { "unread" }.to_owned());
    parts.push(format!("{} up, {} down", size(ended.bytes_up), size(ended.bytes_down)));
    parts.push(format!("{} ms", ended.duration_ms));
    parts.join(", ")
}

/// So many problems of rules that were refused are told on a line; `--format json` has all that was recorded.
const PROBLEMS_TOLD: usize = 3;

fn gateway_in_words(act: &GatewayAct, rulebook: &RulebookId) -> String {
    match act {
        GatewayAct::Started { version } => format!("started, version {version}"),
        GatewayAct::Stopped => "stopped".to_owned(),
        GatewayAct::RulebookChanged { from } if from == rulebook => "what had been refused was taken back".to_owned(),
        GatewayAct::RulebookChanged { from } => format!("took new rules, before {from}"),
        GatewayAct::RulebookRefused { problems } => {
            let told: Vec<&str> = problems.iter().take(PROBLEMS_TOLD).map(String::as_str).collect();
            let more = problems.len().saturating_sub(PROBLEMS_TOLD);
            let more = if more > 0 {
                format!("; and {more} more: see --format json")
            } else {
                String::new()
            };
            format!("refused new rules: {}{more}", told.join("; "))
        }
        GatewayAct::Repaired { bytes, file } => format!("cut a torn line of {bytes} bytes off {file}"),
        GatewayAct::UnprovenSummed {
            client,
            strays,
            challenges,
        } => {
            format!("left out {strays} strays and {challenges} requests to sign in from {client}: too many in a minute")
        }
        GatewayAct::RecordsInterrupted { why, since, refused } => {
            format!("could not record since {since}, {refused} flows refused unrecorded: {why}")
        }
    }
}

/// Bytes in the largest unit that leaves at least one of it, with one decimal, cut off.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

/// `text` without what could move the cursor or turn the direction of writing: parts of it came from a client.
pub(in crate::cli) fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|c| {
            let escaped = hidden(c).then(|| c.escape_unicode());
            let shown = (!hidden(c)).then_some(c);
            escaped.into_iter().flatten().chain(shown)
        })
        .collect()
}

/// As [`plain`], but keeps the lines apart.
pub(super) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rules_that_were_refused_the_first_problems_are_told_and_a_mistake_that_was_taken_back_is_no_new_rule() {
        let (one, other) = (RulebookId::new("sha256:1"), RulebookId::new("sha256:2"));
        let refused = |count: usize| GatewayAct::RulebookRefused {
            problems: (0..count).map(|n| format!("a.toml:{n}: bad")).collect(),
        };
        insta::assert_snapshot!(gateway_in_words(&refused(2), &one), @"refused new rules: a.toml:0: bad; a.toml:1: bad");
        insta::assert_snapshot!(gateway_in_words(&refused(100), &one), @"refused new rules: a.toml:0: bad; a.toml:1: bad; a.toml:2: bad; and 97 more: see --format json");
        let from = |from: &RulebookId| GatewayAct::RulebookChanged { from: from.clone() };
        insta::assert_snapshot!(gateway_in_words(&from(&other), &one), @"took new rules, before sha256:2");
        insta::assert_snapshot!(gateway_in_words(&from(&one), &one), @"what had been refused was taken back");
    }
}
