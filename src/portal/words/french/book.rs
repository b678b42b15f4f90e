//! Lines of the book, in French.

use super::parts::number;
use crate::audit::Topic;
use crate::facts::{AccessAct, GatewayAct, GrantAct, RulebookId, TokenAct};
use crate::portal::words::{BookWords, GrantSaid};

pub(super) const BOOK: BookWords = BookWords {
    title: "Enregistrements",
    what: "Ce qui est consigné en dehors des décisions\u{a0}: ce que les personnes ont demandé, accordé, pris en urgence, terminé, confié à d’autres et consulté\u{a0}; et ce que la passerelle a fait d’elle-même. «\u{a0}Tout\u{a0}» contient aussi les décisions. Le fait que vous regardez, quand et quoi, est consigné\u{a0}; qui lit les enregistrements le voit.",
    none: "Rien n’a été trouvé.",
    topic_is: "Enregistrements sur",
    topic,
    times: "Moments\u{a0}: un instant (2026-11-22T10:00:00Z), un jour (2026-11-22, UTC), ou une ancienneté (2h, 7d). Un nom d’utilisateur trouve ce que cette personne a fait, ce qui a été fait de ce qui est à elle, et qui l’a cherchée.",
    more: "Suite",
    story: "Tout ce qui en est consigné, de la demande à ce qui en est venu",
    to_grant: "L’autorisation",
    to_decision: "La décision",
    to_rules: "Les règles",
    leads: |link, who, when| format!("{link}\u{a0}: {who}, {when}"),
    gateway: "La passerelle",
    grant,
    continued: |act, places| match act {
        GrantAct::Withdrawn | GrantAct::Revoked => format!("ne poursuit plus malgré un refus sur {places}"),
        GrantAct::Void => {
            format!("poursuite malgré un refus sur {places}\u{a0}: n’a pu être conservée et n’a jamais compté")
        }
        GrantAct::Granted
        | GrantAct::Continued
        | GrantAct::Delegated
        | GrantAct::Requested
        | GrantAct::PartlyApproved
        | GrantAct::Approved
        | GrantAct::Declined
        | GrantAct::Lapsed
        | GrantAct::BrokeGlass
        | GrantAct::Reviewed
        | GrantAct::Reported
        | GrantAct::Idle
        | GrantAct::Refused => format!("a appris le motif du refus et a poursuivi sur {places}"),
    },
    delegation,
    token: |act, name, scope, whose| {
        let name = name.map(|name| format!(" «\u{a0}{name}\u{a0}»")).unwrap_or_default();
        let whose = whose.map(|whose| format!(" de {whose}")).unwrap_or_default();
        match act {
            TokenAct::Made => format!("a créé un jeton{name}{whose} pour {scope}"),
            TokenAct::Revoked => format!("a révoqué le jeton{name}{whose} pour {scope}"),
            TokenAct::Void => format!("le jeton{name}{whose} n’a pu être conservé et n’a jamais compté"),
        }
    },
    access,
    looked_for: |filters| format!("Recherche\u{a0}: {filters}"),
    did,
    flow: |what, place, came| format!("{what}\u{a0}: {place}, {came}"),
    under: |purpose| format!("Motif\u{a0}: {purpose}."),
    wrote: |text| format!("«\u{a0}{text}\u{a0}»"),
    ticket: |text| format!("Ticket n° {text}."),
    came_to: |amount| format!("Résultat\u{a0}: {amount}."),
    withheld: "Ce qui a été écrit est lu par qui détient l’autorisation ou peut y mettre fin.",
    password_changed: "Le mot de passe a été changé.",
    account_removed: "Le compte a été supprimé.",
    as_file: "Garder ce qui est trouvé\u{a0}:",
    as_csv: "en tableau (CSV)",
    as_lines: "en JSON Lines",
    file_holds: |most| {
        format!(
            "Un fichier contient au plus {most} lignes, les plus récentes d’abord, et dit à sa fin où il a été coupé. Le fait que vous le prenez est consigné."
        )
    },
    file_cut_off: |most, next| {
        format!("Coupé\u{a0}: un fichier contient au plus {most} lignes. Les plus anciennes suivent avec after={next}.")
    },
    file_broken_off: |next| {
        format!(
            "Interrompu\u{a0}: les enregistrements n’ont pu être lus plus loin, ou les règles ou votre identification ont changé et ne vous laissent plus les lire. Les plus anciens suivent avec after={next}."
        )
    },
};

fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::All => "Tout",
        Topic::Flows => "Ce qui est passé ou a été refusé (décisions)",
        Topic::Grants => "Motifs\u{a0}: demandés, accordés, donnés, terminés, rapportés",
        Topic::BreakGlass => "Bris de glace et leur examen",
        Topic::Continued => "Poursuites malgré un refus",
        Topic::Delegations => "Délégations",
        Topic::Tokens => "Jetons pour programmes",
        Topic::Access => "Qui a consulté les enregistrements",
        Topic::Gateway => "La passerelle et ses règles",
    }
}

fn grant(said: GrantSaid<'_>) -> String {
    let on = if said.places.is_empty() {
        format!("«\u{a0}{}\u{a0}»", said.title)
    } else {
        format!("«\u{a0}{}\u{a0}» sur {}", said.title, said.places)
    };
    let dont = said.whose.map(|whose| format!(", de {whose}")).unwrap_or_default();
    match said.act {
        GrantAct::Granted | GrantAct::Continued | GrantAct::Delegated => format!("a déclaré le motif {on}"),
        GrantAct::Requested => format!("a demandé {on}"),
        GrantAct::PartlyApproved => format!("a accordé {on}{dont}\u{a0}; d’autres doivent encore le faire"),
        GrantAct::Approved => format!("a accordé {on}{dont}"),
        GrantAct::Declined => format!("a décliné {on}{dont}"),
        GrantAct::Lapsed => format!("n’a pas eu de réponse à temps pour {on}"),
        GrantAct::BrokeGlass => format!("a brisé la glace pour {on}"),
        GrantAct::Reviewed => match said.accepted {
            Some(false) => format!("a examiné {on}{dont}, pris en urgence\u{a0}: ce n’en était pas une"),
            Some(true) | None => format!("a examiné {on}{dont}, pris en urgence\u{a0}: c’en était une"),
        },
        GrantAct::Reported => format!("a dit ce qui est venu de {on}"),
        GrantAct::Withdrawn if said.was_given => format!("a mis fin à {on}{dont}"),
        GrantAct::Withdrawn => format!("a retiré la demande de {on}{dont}"),
        GrantAct::Revoked => format!("a révoqué {on}{dont}"),
        GrantAct::Idle => format!("n’a pas utilisé {on}, ce qui y a mis fin"),
        GrantAct::Refused if said.urgent => format!("s’est vu refuser {on} en urgence"),
        GrantAct::Refused => format!("s’est vu refuser {on}"),
        GrantAct::Void => format!("{on}{dont} n’a pu être conservé et n’a jamais compté"),
    }
}

fn delegation(act: GrantAct, autrui: &str, whose: Option<&str>) -> String {
    let dont = whose.map(|whose| format!(" de {whose}")).unwrap_or_default();
    match act {
        GrantAct::Withdrawn => format!("a repris la délégation{dont} à {autrui}"),
        GrantAct::Revoked => format!("a mis fin à la délégation{dont} à {autrui}"),
        GrantAct::Refused => format!("ne peut donner de délégation{dont} à {autrui}"),
        GrantAct::Void => format!("la délégation{dont} à {autrui} n’a pu être conservée et n’a jamais compté"),
        GrantAct::Granted
        | GrantAct::Continued
        | GrantAct::Delegated
        | GrantAct::Requested
        | GrantAct::PartlyApproved
        | GrantAct::Approved
        | GrantAct::Declined
        | GrantAct::Lapsed
        | GrantAct::BrokeGlass
        | GrantAct::Reviewed
        | GrantAct::Reported
        | GrantAct::Idle => format!("laisse {autrui} répondre à sa place"),
    }
}

fn access(act: AccessAct, whose: Option<&str>, through: Option<Topic>) -> String {
    let through = match through {
        None | Some(Topic::Flows) => "les décisions",
        Some(Topic::All) => "tous les enregistrements",
        Some(Topic::Grants) => "les enregistrements des motifs",
        Some(Topic::BreakGlass) => "les enregistrements des urgences",
        Some(Topic::Continued) => "les enregistrements des poursuites malgré un refus",
        Some(Topic::Delegations) => "les enregistrements des délégations",
        Some(Topic::Tokens) => "les enregistrements des jetons",
        Some(Topic::Access) => "qui a consulté les enregistrements",
        Some(Topic::Gateway) => "les enregistrements de la passerelle",
    };
    match (act, whose) {
        (AccessAct::Searched, _) => format!("a parcouru {through}"),
        (AccessAct::Watched, _) => "a suivi les décisions en direct".to_owned(),
        (AccessAct::Explained, Some(whose)) => format!("a consulté une décision au sujet de {whose}"),
        (AccessAct::Explained, None) => "a consulté une décision".to_owned(),
        (AccessAct::Exported, _) => format!("a emporté {through} dans un fichier"),
    }
}

fn did(act: &GatewayAct, rulebook: &RulebookId) -> String {
    match act {
        GatewayAct::Started { version } => format!("a démarré en version {version}"),
        GatewayAct::Stopped => "s’est arrêtée".to_owned(),
        GatewayAct::RulebookChanged { from } if from == rulebook => {
            "a ses règles d’avant : ce qui avait été refusé a été retiré".to_owned()
        }
        GatewayAct::RulebookChanged { .. } => "a pris de nouvelles règles".to_owned(),
        GatewayAct::RulebookRefused { .. } => "a refusé de nouvelles règles et gardé les précédentes".to_owned(),
        GatewayAct::Repaired { bytes, file } => {
            format!(
                "a mis de côté une dernière ligne déchirée de {} octets de «\u{a0}{file}\u{a0}»",
                number(*bytes)
            )
        }
        GatewayAct::UnprovenSummed {
            client,
            strays,
            challenges,
        } => format!(
            "n’a pas consigné un à un les échecs venus de {client} en une minute\u{a0}: {} connexions, {} requêtes",
            number(*strays),
            number(*challenges)
        ),
        GatewayAct::RecordsInterrupted { since, refused, .. } => format!(
            "n’a pu consigner depuis {since}\u{a0}; refusés pendant ce temps\u{a0}: {}",
            number(*refused)
        ),
    }
}
