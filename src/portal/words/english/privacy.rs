//! Privacy, in English.

use super::parts::both;
use crate::facts::Mode;
use crate::portal::words::{KeptWords, PrivacyWords};
use crate::proof::Verdict;
use crate::rulebook::Reads;

pub(super) const PRIVACY: PrivacyWords = PrivacyWords {
    see: "What this gateway reads of you, and what it never does",
    title: "Privacy",
    what: "What this gateway decrypts, what it never does, what it keeps of you and who may see that: computed from the rules in force, and not written by hand.",
    asked: "The rules were asked at this moment, from the network that you are in, for each role that people can have and for you, without a purpose. “Some people, or under conditions” means that none of the roles is enough by itself: the rules that are named speak of a person, a department, a network or the like.",
    read_title: "What is decrypted",
    read_what: "Here the gateway reads what a request does, so that each activity can be decided, and passes it on.",
    read_none: "Nothing: no site that the catalogue lists is decrypted.",
    unread_title: "What is never decrypted",
    unread_what: "Here the gateway sees the name of the host and how much passes, and nothing of what is in it. “Never” means that no rule can allow it, whoever asks and whatever their purpose.",
    kind: "Kind of site",
    of_whom: "Of whom",
    whether: "Decrypted",
    why: "Why",
    no_rule: "No rule allows it.",
    elsewhere: "All other sites",
    reads: |reads| match reads {
        Reads::Never => "Never".to_owned(),
        Reads::Conditionally => "Some people, or under conditions".to_owned(),
        Reads::Of(roles) => format!("People in these roles: {}", listed(roles.iter().map(String::as_str))),
        Reads::Everybody => "Everybody".to_owned(),
    },
    partly: "Some of its hosts only.",
    of_you: "Of you, as you are now.",
    may_let: |rules| format!("Rules may allow it: {rules}"),
    may_let_others: |rules| {
        format!("Rules may allow it of others, by name or under conditions, or on more of these sites: {rules}")
    },
    mode: |mode| match mode {
        Mode::Observe => Some(
            "This gateway observes: what the rules refuse passes all the same, and is recorded. What they keep unread stays unread.",
        ),
        Mode::Coach => Some(
            "This gateway coaches: whoever is refused may continue, which is recorded. What the rules keep unread stays unread.",
        ),
        Mode::Enforce => None,
    },
    kept_title: "What is kept of you",
    kept_what: "What you write, read, send or upload on a site is not kept, nor are passwords and cookies.",
    kept: "What",
    holds: "What it holds",
    how_long: "For how long",
    who: "Who may see it",
    records: KeptWords {
        what: "Each connection and request",
        holds: "When; your name, roles and department; from which address and network; to which host. Where it is decrypted also the path without what follows “?”, and what you did (opened, posted, …). What was decided, by which rules, under which purpose; sizes and times.",
        how_long: "Until your company removes it: the gateway deletes no record by itself.",
        who: "",
    },
    purposes: KeptWords {
        what: "The purposes that you state",
        holds: "The purpose, its platforms, your words, a ticket; who answered and what they wrote; who ended it and why; what you said came of it. Also whom you let answer in your place.",
        how_long: "Until your company removes it, in the gateway’s database and its records. What you said came of it is forgotten in the database once it is added up, a week after the end of the week in which you said it; the records keep it.",
        who: "",
    },
    figures: KeptWords {
        what: "How much purposes are used",
        holds: "Of each person, how often a purpose was used in a week, for how long and how much data, by platform and department; then sums of groups of five people or more.",
        how_long: "What each person did is forgotten once the week is told, at most eight days after its end; the sums stay.",
        who: "",
    },
    refusals: KeptWords {
        what: "Your recent refusals",
        holds: "What you wanted to open and why it was refused, so that the page can explain it.",
        how_long: "24 hours, the latest sixteen, in memory only.",
        who: "You.",
    },
    refusals_shared: KeptWords {
        what: "Your recent refusals",
        holds: "What you wanted to open and why it was refused, so that the page can explain it. Several gateways answer for one another here, so the database that they share has a copy. It is encrypted with a key that the same database holds.",
        how_long: "24 hours, the latest sixteen, and until a gateway next tidies up, minutes later. A copy that was made of the database may keep what it held then.",
        who: "You. And those who may read that database, or a copy of it.",
    },
    drafts: KeptWords {
        what: "What you wrote here for an answer, and could not send since you had to sign in first",
        holds: "What you wrote last, so that the page has it again once you have signed in. It is encrypted with a key that the same database holds.",
        how_long: "Until you have sent it; else an hour, and up to a day in the database.",
        who: "You. And those who may read the database of the gateway.",
    },
    account: KeptWords {
        what: "Your account here, where you have one",
        holds: "A hash of your password, and of each token for tools, never the password or the token; on which day a token was used last.",
        how_long: "Until the account is removed; until the token ends.",
        who: "You, what is on your own page. The hashes: those who may read the files of the gateway or its database.",
    },
    looks: KeptWords {
        what: "That somebody looked at what was decided about others",
        holds: "When, who, and what they looked for: your name too, where they looked for you.",
        how_long: "Until your company removes it: the gateway deletes no record by itself.",
        who: "Those who may read the files of the gateway.",
    },
    readers: |roles, (owner, named), others| {
        let mut who: Vec<String> = Vec::new();
        if owner {
            who.push("the owner of the purpose".to_owned());
        }
        if named {
            who.push("whom the purpose names to approve it, and their delegates".to_owned());
        }
        if !roles.is_empty() {
            who.push(format!("members of {}", roles.join(", ")));
        }
        if !others.is_empty() {
            who.push(format!("whom these rules let, by name or under conditions: {others}"));
        }
        let who: Vec<&str> = who.iter().map(String::as_str).collect();
        match who.as_slice() {
            [] => "nobody".to_owned(),
            who => both(who),
        }
    },
    of_records: |readers| {
        format!(
            "You: your refusals, as below, on your own page. Of all of it, on the pages for that, where each look is recorded: {readers}. And those who may read the files of the gateway."
        )
    },
    of_purposes: |approve, revoke| {
        format!(
            "You. While it waits, who may approve it: {approve}. While it is in force, who may end it: {revoke}. Of what was taken in an emergency, who may review it: those who may approve. Where the gateway sends mail or writes to a channel, whoever is told there: also your own words, of what waits and of emergencies. And those who may read the files of the gateway or its database."
        )
    },
    grounds_title: "What purposes rest on",
    grounds_what: "As their owners wrote it: on what ground personal data is processed for each, and what they mean to keep of it. It is not computed: the gateway itself deletes no record.",
    proved_title: "What was proved",
    proved_what: "These sentences must hold of every request there can be. A proof shows it for the very rules, sites and purposes that are in force; one made of other rules is not shown. What is said of what people do holds of traffic that passes unread, too, in which anything could be done: but for what is promised never to be read. A proof speaks of the rules: that the program obeys them is tested, and not proved.",
    rulebook: "Rulebook in force",
    proved_by: |when, by, solver| {
        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
        format!("Looked at on {when}{by}, with the solver: {solver}.")
    },
    not_proved: |command| {
        format!(
            "Nothing was proved of the rulebook in force. Whoever looks after the gateway does it with `{command}`."
        )
    },
    looking: "The rules have just changed, and are being compared with what was proved. Open this page again in a moment.",
    unreadable: "What must hold of the rules in force cannot be read. Whoever looks after the rules sees why with `wayleave check`.",
    no_promises: "No sentence is written down that must hold of every request.",
    promise: "What must hold",
    result: "Result",
    verdict: |verdict| match verdict {
        Some(Verdict::Proved) => "Proved",
        Some(Verdict::Fails) => "Does not hold",
        Some(Verdict::Undecided) => "Not decided",
        None => "Not proved for this rulebook",
    },
    of_privacy: "About privacy",
    of_others: "About what people may do",
};

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
