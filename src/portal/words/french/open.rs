//! What is open now, in French.

use super::parts::{number, span};
use crate::audit::Lasting;
use crate::portal::words::OpenWords;

pub(super) const OPEN: OpenWords = OpenWords {
    see: "Ce qui est ouvert maintenant\u{a0}: tunnels, WebSockets, longs envois et téléchargements",
    title: "Ouvert maintenant",
    what: "Les tunnels, les WebSockets, les flux d’événements, et les envois et téléchargements qui durent depuis quelques secondes, sur cette passerelle en ce moment\u{a0}: ils sont parmi les décisions une fois terminés. D’un tunnel qui est lu, chaque requête est dite et comptée à part. Retirer l’autorisation sur laquelle l’un d’eux repose le coupe en une seconde. Le fait que vous regardez, quand et quoi, est consigné.",
    count: |count| match count {
        0 => "Rien d’ouvert ne convient".to_owned(),
        1 => "1 ouvert".to_owned(),
        count => format!("{} ouverts", number(u64::try_from(count).unwrap_or(u64::MAX))),
    },
    since: "Depuis",
    lasts: |lasts| format!("depuis {}", span(lasts)),
    kind: |kind| match kind {
        Lasting::Tunnel => "un tunnel, non lu",
        Lasting::Socket => "une WebSocket",
        Lasting::Events => "un flux d’événements",
        Lasting::Read => "un tunnel qui est lu",
        Lasting::Exchange => "une requête qui prend son temps",
    },
    no_purpose: "aucun",
};
