//! Usage and value, in French.

use super::parts::{scaled, span};
use crate::portal::words::ValueWords;

pub(super) const VALUE: ValueWords = ValueWords {
    see: "Dans quelle mesure les motifs sont utilisés, et ce qu’il en résulte",
    title: "Usage et valeur",
    what: "Seuls sont montrés des groupes d’au moins cinq personnes, et personne nommément. Une semaine est montrée une fois terminée, et ce qu’il en est résulté une semaine plus tard, quand plus personne ne le corrige.",
    none: "Il n’y a encore rien à montrer : aucune semaine n’est terminée pendant laquelle au moins cinq personnes ont utilisé l’un de vos motifs.",
    none_here: "Il n’y a rien à montrer : aucune de ces semaines n’a vu cinq personnes ou plus utiliser ce motif.",
    span: "Semaines montrées",
    weeks: |weeks| format!("{weeks}\u{a0}semaines"),
    week: "Semaine du",
    grants: "Autorisations",
    flows: "Requêtes et connexions",
    people: "Personnes",
    most_people: "Personnes, la semaine la plus chargée",
    data: "Données",
    time: "Durée",
    value: "Valeur",
    department: "Service",
    by_platform: "Par plateforme",
    by_department: "Par service",
    over_time: "Semaine par semaine",
    others: "Tous les autres",
    few: "non montré",
    no_bar: "Une semaine sans barre : moins de cinq personnes, ou aucune.",
    most: |most| format!("au plus {most} par semaine"),
    most_used: "Semaine par semaine, les plus utilisés",
    numbers: "Les chiffres",
    csv: "Télécharger au format CSV",
    all_purposes: "Tous les motifs",
    bytes: |bytes| scaled(bytes, ["o", "ko", "Mo", "Go"], ','),
    lasted: span,
    past_review: |purpose, since| format!("Le motif «\u{a0}{purpose}\u{a0}» devait être réexaminé avant le {since}."),
    not_read_title: "Les chiffres ne peuvent pas être lus",
    not_read: "La passerelle ne peut pas les lire en ce moment. Réessayez dans une minute.",
};
