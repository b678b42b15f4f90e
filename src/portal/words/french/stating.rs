//! Indiquer un motif, en français.

use super::parts::span;
use super::unfit::invisible;
use crate::portal::words::StatingWords;
use crate::portal::words::stating::capital;

pub(super) const STATING: StatingWords = StatingWords {
    form_sent_title: "Ce formulaire a déjà été envoyé",
    form_sent: "Le formulaire a déjà été envoyé, ou sa réponse s’est perdue\u{a0}: il n’est accepté qu’une fois. Le résultat figure sur votre page\u{a0}: regardez-y avant d’en remplir un autre.",
    how_far: "Jusqu’où doit-il aller\u{a0}?",
    only: |groups, lasts| format!("Seulement {groups}, pendant {}", span(lasts)),
    further: |groups, lasts| format!("{}, pendant {}", capital(groups), span(lasts)),
    others_need_approval: |count| match count {
        1 => "Un autre motif demande un accord".to_owned(),
        count => format!("{count} autres motifs demandent un accord"),
    },
    renew: "Renouveler et continuer",
    ask_again: "Redemander un accord",
    again: |purpose, effect, lasts| {
        format!(
            "«\u{a0}{purpose}\u{a0}» comme avant, sans rien récrire. {effect}, pendant {}.",
            span(lasts)
        )
    },
    works_now: "L’accès est maintenant ouvert.",
    see: "Continuer à partir d’ici",
    terms: |needs_approval, least, most| {
        let lasts = if least == most {
            span(most)
        } else {
            format!("de {} à {}, moins longtemps s’il va plus loin", span(least), span(most))
        };
        if needs_approval {
            format!("Il faut d’abord un accord. Durée ensuite\u{a0}: {lasts}.")
        } else {
            format!("Aucun accord n’est nécessaire. Durée\u{a0}: {lasts}.")
        }
    },
    where_to: "Sur quelles plateformes\u{a0}?",
    nowhere: "Ce motif ne vous ouvre rien pour le moment.",
    declare: "Déclarer",
    asked: "C’est demandé. L’accès s’ouvre dès qu’un accord est donné\u{a0}; la demande figure ci-dessous jusque-là.",
    opens: |groups| format!("Ce motif ouvre\u{a0}: {groups}."),
    also: "Sur d’autres plateformes également",
    all: |count| format!("Toutes, soit {count} plateformes"),
    kind: |title, count| format!("{} ({count})", title.unwrap_or("Autres")),
    changed: "Ce que ce motif vous ouvre a changé depuis l’affichage de la page\u{a0}: vérifiez-le encore une fois.",
    to_do: |groups, said| format!("Pour {groups} : {said}"),
    nobody_now: "Personne ne peut donner d’accord en ce moment.",
    untrained_title: "Il faut une formation",
    untrained: |purpose, course| {
        format!(
            "«\u{a0}{purpose}\u{a0}» demande une formation valable, «\u{a0}{course}\u{a0}», et l’annuaire ne vous en connaît \
             aucune, ou elle a expiré. Une fois la formation renouvelée, vous pourrez déclarer ce motif ici."
        )
    },
    urgent_title: "C’est urgent",
    answers: "Ce que d’autres vous demandent",
    basis: "Fondement du traitement des données personnelles",
    retention: "Ce qui doit en être conservé, et combien de temps",
    retention_hint: "Telle est l’intention de la personne qui en répond\u{a0}; la passerelle elle-même n’efface rien.",
    usually_answered: |within| format!("La réponse vient d’habitude en moins de {}.", span(within)),
    invisible,
};

pub(super) fn statement_hint(least: usize) -> String {
    match least {
        0 => "Avec vos mots. Vous pouvez laisser ce champ vide.".to_owned(),
        least => format!("Avec vos mots, en {least}\u{a0}caractères au moins."),
    }
}
