//! What is open now, in English.

use super::parts::{number, span};
use crate::audit::Lasting;
use crate::portal::words::OpenWords;

pub(super) const OPEN: OpenWords = OpenWords {
    see: "What is open now: tunnels, sockets, long uploads and downloads",
    title: "Open now",
    what: "Tunnels, WebSockets, event streams, and uploads and downloads that have gone on for some seconds, of this gateway at this moment: they are among the decisions once they are over. Of a tunnel that is read, each request is told and counted by itself. Revoking the grant that one rests on cuts it within a second. That you look, when, and for what is recorded.",
    count: |count| match count {
        0 => "Nothing that fits is open".to_owned(),
        1 => "1 is open".to_owned(),
        count => format!("{} are open", number(u64::try_from(count).unwrap_or(u64::MAX))),
    },
    since: "Since",
    lasts: |lasts| format!("for {}", span(lasts)),
    kind: |kind| match kind {
        Lasting::Tunnel => "a tunnel, unread",
        Lasting::Socket => "a WebSocket",
        Lasting::Events => "an event stream",
        Lasting::Read => "a tunnel that is read",
        Lasting::Exchange => "a request that takes its time",
    },
    no_purpose: "none",
};
