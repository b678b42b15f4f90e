//! Ce qu’il est advenu d’une autorisation, en français.

use super::parts::span;
use crate::portal::words::HistoryWords;

pub(super) const HISTORY: HistoryWords = HistoryWords {
    title: "Ce qu’il en est advenu",
    stated: "Déclaration, sans accord nécessaire",
    asked: "Demande d’accord",
    broke_glass: "Prise en urgence",
    parent: "L’autorisation renouvelée ici",
    approved: |by| format!("Accord de {by}"),
    partly_approved: |by, missing| match missing {
        1 => format!("Accord de {by}\u{a0}; il en fallait encore un"),
        missing => format!("Accord de {by}\u{a0}; il en fallait encore {missing}"),
    },
    declined: |by| format!("Refus de {by}"),
    began: |until| format!("Début, pour durer jusqu’à\u{a0}: {until}"),
    renewed: "Renouvellement",
    renewal_asked: "Renouvellement demandé",
    renewal: "Le renouvellement",
    ran_out: "Fin de sa durée",
    unused: |idle| format!("Fin faute d’usage pendant {}", span(idle)),
    withdrawn: |own| {
        if own {
            "Vous y avez mis fin"
        } else {
            "La personne qui la détenait y a mis fin"
        }
    },
    taken_back: |own| {
        if own {
            "Vous avez retiré la demande"
        } else {
            "La demande a été retirée"
        }
    },
    revoked: |by| by.map_or_else(|| "Révocation".to_owned(), |by| format!("Révocation par {by}")),
    lapsed: "Personne n’a répondu à temps, ce qui vaut refus",
    reviewed: |by, accepted| {
        let was = if accepted {
            "c’en était une"
        } else {
            "ce n’en était pas une"
        };
        format!("Urgence examinée par {by}\u{a0}: {was}")
    },
};
