//! What was refused, and what would help.

use super::parts::{either, span};
use crate::portal::words::{Kind, OnlyIt, OthersAfter, Selected};

pub(super) fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::PurposeRequired => "Ce site demande un motif",
        Kind::ActivityNotCovered => "Votre motif ne couvre pas cette action",
        Kind::GrantExpired => "Votre motif a pris fin",
        Kind::ApprovalRequired => "Il faut un accord",
        Kind::ApprovalPending => "Votre demande attend une réponse",
        Kind::TrainingRequired => "Il faut une formation",
        Kind::SelectionUnfit => "Le motif choisi ne convient pas",
        Kind::Coached => "À lire avant de continuer",
        Kind::Prohibited => "Ce n’est pas autorisé",
        Kind::PolicyError => "Les règles n’ont pas pu être appliquées",
        Kind::PersonUnknown => "Nous ne vous connaissons pas encore",
    }
}

/// What somebody does, after "Vous vouliez". Activities are data: an unknown one is named as the rules name it.
pub(super) fn activity(id: &str) -> String {
    let words = match id {
        "connect" | "inspect" | "browse" => "ouvrir des pages",
        "search" => "faire une recherche",
        "view-media" => "regarder ou écouter",
        "message-read" => "lire des messages",
        "download" => "télécharger",
        "react" => "réagir",
        "follow" => "suivre un compte",
        "save" => "enregistrer un contenu",
        "report" => "signaler un contenu",
        "post" => "publier",
        "comment" => "commenter",
        "share" => "partager un contenu",
        "edit" => "modifier un contenu",
        "delete" => "supprimer un contenu",
        "message" => "envoyer un message",
        "upload" => "envoyer un fichier",
        "sell" => "vendre",
        "unknown-write" => "envoyer des données",
        "manage-page" => "gérer une page",
        "moderate" => "modérer",
        "advertise" => "faire de la publicité",
        "login" => "ouvrir une session",
        "logout" => "fermer une session",
        "oauth" => "ouvrir une session sur un autre site",
        "profile-edit" => "modifier un profil",
        "call" => "passer un appel",
        "realtime" => "suivre l’activité en direct",
        "games" => "jouer",
        "embed" => "charger un module",
        "telemetry" => "envoyer des données d’usage",
        other => return format!("faire « {} »", other.replace('-', " ")),
    };
    words.to_owned()
}

pub(super) fn groups(ids: &[&str]) -> String {
    let words: Vec<String> = ids
        .iter()
        .map(|id| match *id {
            "read" => "lire et rechercher".to_owned(),
            "engage" => "réagir et suivre des comptes".to_owned(),
            "publish" => "publier, commenter, envoyer des messages et des fichiers".to_owned(),
            "administer" => "gérer des pages et faire de la publicité".to_owned(),
            "account" => "ouvrir une session".to_owned(),
            "live" => "appeler et diffuser en direct".to_owned(),
            other => format!("« {other} »"),
        })
        .collect();
    words.join(" ; ")
}

pub(super) fn approval(approvers: &[&str], later: OthersAfter<'_>) -> String {
    if let ([], Some((after, others))) = (approvers, later) {
        let (after, others) = (span(after), either(others));
        return format!("Personne ne peut donner l’accord tout de suite\u{a0}; au bout de {after}\u{a0}: {others}.");
    }
    if approvers.is_empty() {
        return "Il faut un accord, et personne n’est désigné pour le donner : adressez-vous à l’assistance informatique."
            .to_owned();
    }
    let names: Vec<&str> = approvers
        .iter()
        .map(|name| if *name == "manager" { "votre responsable" } else { name })
        .collect();
    let now = format!("Demandez un accord : {} peut le donner", either(&names));
    match later {
        Some((after, others)) => {
            let (after, others) = (span(after), either(others));
            format!("{now} ; au bout de {after}, également : {others}.")
        }
        None => format!("{now}."),
    }
}

pub(super) fn fix(text: &str) -> String {
    match text.split_once(':') {
        Some(("training", course)) => format!("Il serait utile de suivre la formation « {} ».", course.trim()),
        _ => format!("Ce qui aiderait : {text}"),
    }
}

pub(super) fn selected(selected: &Selected) -> OnlyIt {
    OnlyIt {
        why: only_it_counts(selected),
        help: select_another(selected),
    }
}

fn only_it_counts(selected: &Selected) -> String {
    match selected {
        Selected::NotOne => {
            "Ce que vous avez envoyé pour choisir un motif n’en désigne aucun, ou plusieurs à la fois : aucun n’est donc pris en \
             compte."
                .to_owned()
        }
        Selected::Unknown(id, _) => {
            format!("Vous avez choisi le motif « {id} » : lui seul est pris en compte, et aucun ne porte ce nom.")
        }
        Selected::Unfit(id) => {
            format!("Vous avez choisi le motif « {id} » : lui seul est pris en compte, et il ne donne pas cet accès.")
        }
    }
}

fn select_another(selected: &Selected) -> String {
    match selected {
        Selected::NotOne => "Choisissez-en un seul, ou n’en indiquez pas, puis réessayez.".to_owned(),
        Selected::Unknown(_, Some(meant)) => {
            format!("Pensiez-vous à « {meant} » ? Choisissez celui-là, ou n’en indiquez pas, puis réessayez.")
        }
        Selected::Unknown(_, None) | Selected::Unfit(_) => {
            "Choisissez-en un autre, ou n’en indiquez pas, puis réessayez.".to_owned()
        }
    }
}

pub(super) fn detail(kind: Kind, activity: &str, place: &str, purposes: &[&str]) -> String {
    let what = format!("{activity} sur {place}");
    match kind {
        Kind::PurposeRequired | Kind::ActivityNotCovered | Kind::GrantExpired => {
            format!("Il faut un motif pour {what} : déclarez {}.", either(purposes))
        }
        Kind::ApprovalRequired | Kind::ApprovalPending => {
            format!("Il faut un motif approuvé pour {what} : {}.", either(purposes))
        }
        Kind::TrainingRequired => format!("Il faut une formation valable pour {what}."),
        Kind::SelectionUnfit => format!("Le motif choisi ne vous autorise pas à {what}."),
        Kind::Coached => format!("Il vous est demandé de ne pas {what}."),
        Kind::Prohibited => format!("Aucun motif ne vous autorise à {what}."),
        Kind::PolicyError => {
            format!("Les règles n’ont pas pu être évaluées pour {what} ; dans le doute, l’accès est refusé.")
        }
        Kind::PersonUnknown => format!("L’annuaire ne vous mentionne pas, ce qui est nécessaire pour {what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_be_asked_reads_like_speech() {
        assert_eq!(
            approval(&["manager", "grace"], None),
            "Demandez un accord : votre responsable ou grace peut le donner."
        );
    }

    #[test]
    fn an_activity_that_nobody_put_into_words_is_still_named() {
        assert_eq!(activity("time-travel"), "faire « time travel »");
    }
}
