//! How the gateway is, in English.

use crate::portal::words::HealthWords;

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
    certificates: "Certificates",
    certificates_are: |until, minted| {
        format!("The authority can sign until {until}. {minted} certificates for sites are in memory.")
    },
    notices: "Notices to people",
    no_notices: "The settings tell nobody anything.",
    notices_are: |waiting| format!("{waiting} wait to be sent."),
    traffic: "Traffic",
    traffic_is: |connections, tunnels| {
        format!("{connections} connections from clients; {tunnels} tunnels that pass unread, and WebSockets.")
    },
};
