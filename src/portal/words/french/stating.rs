//! Indiquer un motif, en français.

use super::parts::span;
use crate::portal::words::StatingWords;

pub(super) const STATING: StatingWords = StatingWords {
    how_far: "Jusqu’où doit-il aller ?",
    only: |groups, lasts| format!("Seulement {groups}, pendant {}", span(lasts)),
    further: |groups, lasts| format!("Plus loin : {groups}, pendant {}", span(lasts)),
    others_need_approval: |count| match count {
        1 => "Un autre motif demande un accord".to_owned(),
        count => format!("{count} autres motifs demandent un accord"),
    },
    renew: "Renouveler et continuer",
    ask_again: "Redemander un accord",
    again: |purpose, effect, lasts| {
        format!("« {purpose} » comme avant, sans rien récrire. {effect}, pendant {}.", span(lasts))
    },
    works_now: "L’accès est maintenant ouvert.",
    see: "Continuer à partir d’ici",
};
