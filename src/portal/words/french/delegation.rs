//! Letting somebody else answer, in French.

use crate::portal::words::DelegationWords;
use crate::portal::{DelegationField, Misfit};

pub(super) const DELEGATION: DelegationWords = DelegationWords {
    link: "Pendant votre absence : confier vos réponses à quelqu’un",
    title: "Qui répond à votre place",
    what: "La personne que vous désignez peut approuver et refuser ce que vous pouvez approuver, aux dates que vous indiquez ; vous le pouvez toujours aussi. Elle ne peut pas confier cela à quelqu’un d’autre, ni approuver ainsi ce que l’un de vous deux a demandé. La trace indique qu’elle l’a fait à votre place.",
    given: "Ces personnes répondent à votre place",
    received: "Vous répondez à la place de ces personnes",
    nobody: "Personne ne répond à votre place.",
    form: "Confier vos réponses à quelqu’un",
    to: "À qui",
    to_hint: "Le nom sous lequel cette personne ouvre sa session.",
    from: "Premier jour",
    from_hint: "Vide : dès maintenant.",
    until: "Dernier jour",
    until_hint: |days| format!("Au plus tard {days} jours après le premier."),
    purposes: "Pour ces motifs seulement",
    purposes_hint: "Aucun choisi : pour tous.",
    all_purposes: "Tous les motifs",
    give: "Confier mes réponses",
    take_back: "Reprendre",
    sign_in: "Ouvrir la session pour désigner quelqu’un",
    days: |from, until| format!("Du {from} au {until} inclus"),
    given_to: |who| format!("{who} peut répondre à votre place, du premier au dernier jour."),
    taken_back: |who| format!("{who} ne répond plus à votre place."),
    answers_for: |whom| format!("À la place de {whom}, qui vous confie ses réponses"),
    by_for: |by, whom| format!("{by} à la place de {whom}"),
    theirs: "Qui répond à la place de qui",
    counted: |count| match count {
        0 | 1 => format!("{count}\u{a0}délégation"),
        count => format!("{count}\u{a0}délégations"),
    },
    revoked: "Cette délégation a pris fin : plus personne ne répond par elle.",
    revoked_by: |by, delegate, why| format!("{by} a mis fin à ce que {delegate} réponde à votre place : {why}"),
    off: "Cette passerelle ne laisse personne répondre à la place de quelqu’un : ce qui a été confié auparavant ne compte pas.",
    may_not: |why| {
        if why.is_empty() {
            "Les règles ne vous permettent pas de désigner cette personne.".to_owned()
        } else {
            why.to_owned()
        }
    },
    not_given_title: "Personne d’autre ne répond à votre place",
    misfit: |misfit| match misfit {
        Misfit::NoSuchPerson(name) if name.is_empty() => "Indiquez qui répondra à votre place.".to_owned(),
        Misfit::NoSuchPerson(name) => format!(
            "L’annuaire ne connaît personne du nom de `{name}` : écrivez le nom sous lequel cette personne ouvre sa session."
        ),
        Misfit::Yourself => "Vous répondez déjà pour vous-même : désignez quelqu’un d’autre.".to_owned(),
        Misfit::NoSuchPurpose(id, None) => format!("Le motif `{id}` n’existe pas."),
        Misfit::NoSuchPurpose(id, Some(near)) => format!("Le motif `{id}` n’existe pas ; vouliez-vous dire `{near}` ?"),
        Misfit::NoDay(DelegationField::Until, text) if text.is_empty() => {
            "Indiquez quel est le dernier jour.".to_owned()
        }
        Misfit::NoDay(_, text) => format!("`{text}` n’est pas un jour : écrivez-le comme 2026-12-24."),
        Misfit::Reversed => "La fin précède le début : le dernier jour vient après le premier.".to_owned(),
        Misfit::Past => "C’est déjà passé : choisissez un dernier jour à venir.".to_owned(),
        Misfit::TooLong(0) => "Cette passerelle ne laisse personne répondre à la place de quelqu’un.".to_owned(),
        Misfit::TooLong(days) => {
            format!("La durée ne peut pas dépasser {days} jours : choisissez un dernier jour plus proche.")
        }
        Misfit::TooFar => {
            "Le début ne peut pas être dans plus d’un an : choisissez un premier jour plus proche.".to_owned()
        }
    },
    too_many: |given| {
        format!(
            "{given} personnes répondent déjà à votre place, ou le feront, et il n’en faut pas davantage : reprenez d’abord ce que vous avez confié à l’une d’elles."
        )
    },
    over_title: "C’est déjà terminé",
    over: "Cette personne ne répond plus à votre place.",
    not_kept_title: "Rien n’a changé",
    not_kept: "La passerelle ne peut pas conserver cela en ce moment. Réessayez dans une minute.",
};
