//! Break-glass and its reviews in French.

use super::parts::{at, before, counted, until};
use crate::portal::words::EmergencyWords;

pub(super) const EMERGENCY: EmergencyWords = EmergencyWords {
    open: "Cela ne peut pas attendre…",
    hint: "En cas d’urgence, l’accès s’ouvre aussitôt, pour une heure au plus. Les personnes qui auraient donné leur accord le voient sur leur page, et l’une d’elles examine le cas au plus tard le jour ouvré suivant\u{a0}; si votre entreprise fait envoyer des avis, elles et l’équipe de sécurité en reçoivent un aussitôt.",
    why: "Que s’est-il passé ?",
    button: "Ouvrir en urgence",
    not_taken_title: "Rien n’a été ouvert",
    overdue_title: "Une de vos urgences précédentes n’a pas encore été examinée",
    overdue: "Quelqu’un doit d’abord l’examiner : adressez-vous aux personnes qui auraient pu donner leur accord. D’ici là, vous ne pouvez plus rien ouvrir en urgence.",
    too_many: |waiting| {
        format!(
            "{} attendent un examen. Il faut d’abord en examiner quelques-unes.",
            counted(waiting, "de vos urgences", "de vos urgences")
        )
    },
    nobody_reviews_title: "Personne ne pourrait l’examiner",
    nobody_reviews: |purpose, owner| {
        let turn_to = match owner {
            Some(owner) => {
                format!(
                    "{owner} répond de ce motif\u{a0}: adressez-vous à cette personne ou à l’assistance informatique"
                )
            }
            None => {
                "Vous répondez vous-même de ce motif, et personne n’examine sa propre urgence\u{a0}: adressez-vous à \
                     l’assistance informatique"
                    .to_owned()
            }
        };
        format!(
            "Ce qui s’ouvre en urgence est examiné après coup, et personne ne pourrait examiner «\u{a0}{purpose}\u{a0}» pour \
             vous\u{a0}: les personnes désignées ne figurent pas dans l’annuaire, ou les règles ne le leur permettent pas. \
             {turn_to} pour faire désigner quelqu’un. Rien n’a été ouvert."
        )
    },
    marked: |purpose| format!("En urgence : {purpose}"),
    to_review: "Urgences à examiner",
    broke_the_glass: |who, purpose| format!("{who} a ouvert « {purpose} » en urgence"),
    open_until: |end, live| {
        if live {
            format!("L’accès est ouvert {}", until(end))
        } else {
            format!("L’accès était ouvert {}", until(end))
        }
    },
    review_due: |due, overdue| {
        if overdue {
            format!(
                "Le cas devait être examiné {} : d’ici là, cette personne ne peut plus rien ouvrir ainsi",
                before(due)
            )
        } else {
            format!("Le cas doit être examiné {}", before(due))
        }
    },
    found: "Était-ce une urgence ?",
    found_why: "Qu’avez-vous constaté ? La personne concernée le lira.",
    accepted: "Oui, justifiée",
    not_accepted: "Non, pas justifiée",
    send: "Enregistrer l’examen",
    say_what_you_found: "Revenez en arrière, indiquez si c’était une urgence, et dites en quelques mots ce que vous avez constaté : la personne concernée le lira.",
    you_reviewed: |who, accepted| {
        let found = if accepted { "justifiée" } else { "non justifiée" };
        format!("Vous avez jugé l’urgence de {who} {found}. La personne voit ce que vous avez écrit.")
    },
    was_reviewed: |by, when, accepted| {
        let found = if accepted { "justifiée" } else { "non justifiée" };
        format!("Urgence jugée {found} par {by} {}.", at(when))
    },
    my_reviews: "Mes urgences",
    sign_in_to_review: "Ouvrir la session pour examiner",
    reviewed_already_title: "Ce cas a déjà été examiné",
    reviewed_already: "Une autre personne a examiné cette urgence avant vous.",
    may_not_review_title: "Vous ne pouvez pas examiner ce cas",
    not_reviewed_title: "L’examen n’a pas été enregistré",
    not_reviewed: "La passerelle ne peut pas conserver l’examen en ce moment. Réessayez dans une minute.",
    reviewed_not_recorded_title: "Examiné, mais pas encore enregistré",
    reviewed_not_recorded: "Le cas est examiné, mais la trace n’en est pas encore sur disque : la passerelle l’écrira dès que possible. Prévenez l’assistance informatique si cela dure.",
};
