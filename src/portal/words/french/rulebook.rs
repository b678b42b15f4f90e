//! The rules in force and those that were, in French.

use super::parts::counted;
use crate::facts::Mode;
use crate::portal::words::RulebookWords;

pub(super) const RULEBOOK: RulebookWords = RulebookWords {
    see: "Les règles en vigueur, et les précédentes",
    title: "Les règles en vigueur",
    past: "Des règles qui ont été en vigueur",
    count: |rules| counted(rules, "règle", "règles"),
    on_trial: |mode| match mode {
        Mode::Observe => "observe seulement",
        Mode::Coach => "conseille seulement",
        Mode::Enforce => "compte",
    },
    since: |when| format!("Elles sont en vigueur depuis {when}."),
    since_before: |when| format!("Elles étaient déjà en vigueur avant {when}."),
    not_in_force: "Des règles plus récentes ont été refusées, et celles-ci restent en vigueur :",
    history: "Ce que les règles sont devenues",
    no_events: "Rien n’a été trouvé dans cette partie des enregistrements.",
    started: |version| format!("la passerelle a démarré, version {version}"),
    changed: |before| format!("de nouvelles règles sont entrées en vigueur, après {before}"),
    taken_back: "ce qui avait été refusé a été retiré",
    refused: "de nouvelles règles ont été refusées",
    messages: Some(
        "Ce qu’en dit la vérification («\u{a0}wayleave check\u{a0}»), en anglais, avec le fichier, la ligne et la colonne\u{a0}:",
    ),
    files: "Les règles par fichier",
    file: "Fichier",
    how_many: "Règles",
    owners: "Responsables",
};
