//! How the gateway is, in English.

use super::parts::{number, span};
use crate::facts::Mode;
use crate::portal::words::{HealthWords, ProofsAre};

pub(super) const HEALTH: HealthWords = HealthWords {
    see: "How the gateway is",
    title: "Health of the gateway",
    ready: "It can judge and record: traffic may come.",
    not_ready: "Traffic should not be sent here now.",
    problems: "What somebody should look at",
    parts: "In detail",
    look: "look here",
    now: "This gateway at this moment: the same as /readyz and the metrics say, at the address for operators. While no record can be kept this page is refused like everything else: look there then.",
    records: "Records",
    records_are: |well, waiting, turned_away| {
        let state = if well {
            "They can be kept"
        } else {
            "They cannot be kept, so nothing passes"
        };
        format!(
            "{state}. {waiting} wait for the disk; {turned_away} flows were refused since the start for want of a record."
        )
    },
    ledger: "Purposes held",
    ledger_is: |well| {
        if well {
            "Grants can be given and ended."
        } else {
            "It is not known what other gateways change: no grant is given or ended, and those that are known count for a while."
        }
    },
    program: "Program",
    program_is: |version, began, up| format!("wayleave {version}, started {began}: it has run for {}.", span(up)),
    mode: "Mode",
    mode_is: |mode| match mode {
        Mode::Observe => "It only observes: what the rules refuse passes, and is recorded.",
        Mode::Coach => "It only coaches: whoever is told why the rules refuse something may go on.",
        Mode::Enforce => "It enforces: what the rules refuse does not pass.",
    },
    or_longer: |since| format!("{since}, when the gateway started, or longer"),
    rules_are: |id, refused_since| match refused_since {
        Some(since) => {
            format!("{id} rule on, the last that were good: what stands in the folder has been refused since {since}.")
        }
        None => format!("{id} rule, as the folder has them."),
    },
    rules_unkept: "They are not kept on disk, and would be lost with a restart while the folder is broken.",
    rules_end: |count| match count {
        1 => "One rule has ended by its date, or soon will.".to_owned(),
        count => format!("{count} rules have ended by their dates, or soon will."),
    },
    purposes: "Purposes",
    none_is_late: "None is past its review.",
    proofs: "Proofs",
    proofs_are: |proofs| match proofs {
        ProofsAre::Unknown => "What was proved is being compared with these rules: look again in a moment.".to_owned(),
        ProofsAre::None => "Nothing was proved of any rules: “wayleave prove” does that.".to_owned(),
        ProofsAre::OfOthers(at, ago) => {
            format!(
                "Nothing was proved of these rules. What was found last is about others, of {at}, {} ago.",
                span(*ago)
            )
        }
        ProofsAre::OfThese([proved, all, wrong], at, ago) => {
            let wrong = match wrong {
                0 => String::new(),
                wrong => format!(" Found wrong: {wrong}."),
            };
            format!(
                "Of these rules {proved} of {all} properties were proved, on {at}, {} ago.{wrong}",
                span(*ago)
            )
        }
    },
    sign_ins: "Sign-ins",
    sign_ins_are: |lately, in_all| {
        format!("Wrong proofs of identity: {lately} in the last hour, {in_all} since the start.")
    },
    tokens_unreadable: |count| {
        format!("Tokens whose rows in the ledger cannot be read, so that they open nothing: {count}.")
    },
    certificates: "Certificates",
    certificates_are: |until, minted| {
        format!("The authority can sign until {until}. {minted} certificates for sites are in memory.")
    },
    door_until: |until| format!("The one that the TLS door shows ends on {until}, and is made anew before that."),
    door_shut: "The TLS door lets nobody in: none can be made for its names.",
    door_shows_none: "The TLS door shows none before the next client comes: it is made then.",
    notices: "Notices to people",
    no_notices: "The settings tell nobody anything.",
    notices_are: |waiting| match waiting {
        "1" => "1 waits to be sent.".to_owned(),
        waiting => format!("{waiting} wait to be sent."),
    },
    hooks_shut_out: |count| format!("Web hooks that are not let in: {count}."),
    digest_of_nobody: |addresses| {
        format!(
            "The weekly digest also goes to addresses that nobody in the directory has; if somebody had one and left, take it \
             out of the settings: {addresses}."
        )
    },
    nothing_gets_through: |hook, since| match hook {
        Some(hook) => format!("Nothing of this gateway has got through by the web hook {hook} since {since}:"),
        None => format!("Nothing of this gateway has got through by e-mail since {since}:"),
    },
    traffic: "Traffic",
    traffic_is: |connections, tunnels| {
        let connections = match connections {
            1 => "1 connection from a client".to_owned(),
            count => format!("{} connections from clients", number(count)),
        };
        match tunnels {
            1 => format!("{connections}; 1 tunnel that passes unread, or WebSocket."),
            count => format!(
                "{connections}; {} tunnels that pass unread, and WebSockets.",
                number(count)
            ),
        }
    },
};
