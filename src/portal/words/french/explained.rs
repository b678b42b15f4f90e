//! One decision in full, in French.

use crate::facts::{Employment, MethodName};
use crate::portal::words::ExplainedWords;
use crate::rulebook::Circumstance;

/// As what somebody works.
fn employed(kind: Employment) -> &'static str {
    match kind {
        Employment::Employee => "en tant que salarié",
        Employment::Contractor => "en tant que prestataire",
        Employment::Intern => "en tant que stagiaire",
        Employment::Vendor => "en tant que fournisseur",
    }
}

pub(super) const EXPLAINED: ExplainedWords = ExplainedWords {
    heading: |outcome, who, what, place| format!("{outcome}\u{a0}: {who}, {what}, {place}"),
    led_here_title: "Consulter cette décision\u{a0}?",
    led_here: "Un lien vous a conduit ici. Rien n’a encore été consulté ni consigné\u{a0}; afficher la décision sera consigné.",
    led_here_show: "Afficher la décision",
    seen: "Ce qui a été vu",
    asked: "Requête",
    recognised_by: "Reconnu par",
    from: "Provenance",
    identified_by: "Identifié par",
    was_read: "lu par la passerelle",
    was_not_read: "non lu par la passerelle",
    up_and_down: |up, down| format!("{up} envoyés, {down} reçus"),
    end_not_found: "La fin n’a pas été trouvée dans la partie des enregistrements qui a été examinée.",
    goes_on: "Ce n’est pas encore terminé.",
    same: "Jugé à nouveau selon les règles de ce jour-là, le résultat est celui qui a été consigné.",
    differs: "Jugé à nouveau selon les règles de ce jour-là, le résultat diffère de celui qui a été consigné. Ce qui suit est ce que disent ces règles.",
    lacks: "Les règles de ce jour-là examineraient plus que ce que contient l’enregistrement : ce qui suit peut différer de ce qui a été décidé.",
    not_kept: "Impossible de dire pourquoi : les règles de ce jour-là ne sont plus là.",
    permits: "permet",
    forbids: "interdit",
    owner: "responsable",
    as_written: "La règle telle qu’elle est écrite",
    troubles: "Une règle n’a pas pu être évaluée, et toute erreur refuse :",
    asked_for: "demandée pour",
    held: "Remplie",
    failed: "Non remplie",
    no_value: "Sans valeur",
    conditions_held: "Les conditions qui ont été examinées",
    nearly: "Les règles qui le permettraient, et ce qui les en a empêchées",
    beside: "Sans incidence : ce qui est détenu ne le couvre pas, et aucun autre motif ne le ferait",
    reading: "Pourquoi le contenu a été lu, ou non",
    declared: |purpose| format!("Déclarer le motif «\u{a0}{purpose}\u{a0}»"),
    approved: |purpose| format!("Faire approuver le motif «\u{a0}{purpose}\u{a0}»"),
    what_if: "Ce qui changerait aussi la décision",
    difference: |difference, moment| match difference {
        Circumstance::WithoutGrant(purpose) => format!("sans l’autorisation pour le motif «\u{a0}{purpose}\u{a0}»"),
        Circumstance::Employed { other, own } => format!("{} et non {}", employed(*other), employed(*own)),
        Circumstance::WithRole(role) => format!("avec le rôle «\u{a0}{role}\u{a0}»"),
        Circumstance::WithoutRole(role) => format!("sans le rôle «\u{a0}{role}\u{a0}»"),
        Circumstance::InDepartment(department) => format!("dans le service «\u{a0}{department}\u{a0}»"),
        Circumstance::OutsideDepartment(department) => format!("hors du service «\u{a0}{department}\u{a0}»"),
        Circumstance::Trained(course) => format!("avec une formation «\u{a0}{course}\u{a0}» valide"),
        Circumstance::Untrained(course) => format!("sans formation «\u{a0}{course}\u{a0}» valide"),
        Circumstance::FromNetwork(network) => format!("depuis le réseau «\u{a0}{network}\u{a0}»"),
        Circumstance::FromElsewhere => "depuis un réseau qu’aucune règle ne nomme".to_owned(),
        Circumstance::SignedInBy(MethodName::Basic) => "identifié par un mot de passe".to_owned(),
        Circumstance::SignedInBy(MethodName::Certificate) => "identifié par un certificat".to_owned(),
        Circumstance::SignedInBy(MethodName::Token) => "identifié par un jeton".to_owned(),
        Circumstance::From { at, .. } => format!("à partir de ce moment\u{a0}: {}", moment(*at)),
    },
    rules: "Règles de ce jour-là",
    theirs: "Tout ce qui a été décidé au sujet de cette personne",
    its_grant: "L’autorisation sous laquelle c’est passé",
    under_it: "Toutes les décisions sous cette autorisation",
    held_by_them: "Ce que cette personne détient, pour y mettre fin",
    all: "Toutes les décisions",
};
