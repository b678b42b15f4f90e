//! Chains of approvals in French.

use super::parts::{at, both};
use crate::portal::words::ChainWords;

pub(super) const CHAIN: ChainWords = ChainWords {
    so_many_of: |needed, names| {
        if names.len() <= needed {
            both(names)
        } else {
            format!("{needed} personnes parmi : {}", names.join(", "))
        }
    },
    so_far: |given, needed, approved| match approved {
        [] => format!("Il faut {needed} accords, et personne n’a encore donné le sien."),
        approved => format!("{given} accord(s) sur {needed} : {}.", both(approved)),
    },
    approved_at: |who, when| format!("{who} a approuvé {}", at(when)),
    you_approved_in_part: |purpose, who, missing| {
        let more = if missing == 1 {
            "Il manque encore 1\u{a0}accord".to_owned()
        } else {
            format!("Il manque encore {missing}\u{a0}accords")
        };
        format!("Vous avez approuvé « {purpose} » pour {who}. {more} avant que l’accès s’ouvre.")
    },
    as_alternate: "Les personnes sollicitées n’ont pas répondu depuis un moment : vous pouvez le faire à leur place",
    by_alternate: |who| format!("{who}, à la place des personnes sollicitées,"),
    approved_already_title: "Ce n’est pas votre accord qui manque",
    approved_already: "Vous avez déjà donné votre accord, ou quelqu’un l’a donné au même titre que vous. D’autres personnes doivent encore approuver la demande.",
};
