//! How the gateway is, in French.

use super::parts::{number, span};
use crate::facts::Mode;
use crate::portal::words::{HealthWords, ProofsAre};

pub(super) const HEALTH: HealthWords = HealthWords {
    see: "L’état de la passerelle",
    title: "État de la passerelle",
    ready: "Elle peut juger et consigner : le trafic peut venir.",
    not_ready: "Aucun trafic ne devrait lui être envoyé en ce moment.",
    problems: "Ce qu’il faudrait examiner",
    parts: "En détail",
    look: "à examiner",
    now: "Cette passerelle en ce moment : la même chose que /readyz et les métriques, à l’adresse d’exploitation. Tant que rien ne peut être consigné, cette page est refusée comme tout le reste : consultez alors cette adresse.",
    records: "Enregistrements",
    records_are: |well, waiting, turned_away| {
        let state = if well {
            "Ils peuvent être tenus"
        } else {
            "Ils ne peuvent pas être tenus, donc rien ne passe"
        };
        format!(
            "{state}. En attente du disque : {waiting} ; flux refusés depuis le démarrage faute d’enregistrement : {turned_away}."
        )
    },
    ledger: "Motifs détenus",
    ledger_is: |well| {
        if well {
            "Des autorisations peuvent être données et retirées."
        } else {
            "On ignore ce que changent les autres passerelles : aucune autorisation n’est donnée ni retirée, et celles qui sont connues comptent encore un moment."
        }
    },
    program: "Programme",
    program_is: |version, began, up| format!("wayleave {version}, démarré {began} : en marche depuis {}.", span(up)),
    mode: "Régime",
    mode_is: |mode| match mode {
        Mode::Observe => "Elle observe seulement : ce que les règles refusent passe, et est consigné.",
        Mode::Coach => "Elle conseille seulement : qui apprend pourquoi les règles refusent peut continuer.",
        Mode::Enforce => "Elle applique : ce que les règles refusent ne passe pas.",
    },
    or_longer: |since| format!("{since}, au démarrage de la passerelle, ou plus longtemps"),
    rules_are: |id, refused_since| match refused_since {
        Some(since) => {
            format!("{id} restent en vigueur, les dernières bonnes : le contenu du dossier est refusé depuis {since}.")
        }
        None => format!("{id} sont en vigueur, telles que dans le dossier."),
    },
    rules_unkept: "Elles ne sont pas gardées sur le disque, et seraient perdues par un redémarrage tant que le dossier est défectueux.",
    rules_end: |count| match count {
        1 => "Une règle a pris fin à sa date, ou le fera bientôt.".to_owned(),
        count => format!("{count} règles ont pris fin à leur date, ou le feront bientôt."),
    },
    purposes: "Motifs",
    none_is_late: "Aucun n’attend son réexamen.",
    proofs: "Preuves",
    proofs_are: |proofs| match proofs {
        ProofsAre::Unknown => {
            "Ce qui a été prouvé est comparé avec ces règles : vérifiez de nouveau dans un instant.".to_owned()
        }
        ProofsAre::None => "Rien n’a été prouvé d’aucunes règles : « wayleave prove » le fait.".to_owned(),
        ProofsAre::OfOthers(at, ago) => {
            format!(
                "Rien n’a été prouvé de ces règles. Le dernier résultat concerne d’autres règles, du {at}, il y a {}.",
                span(*ago)
            )
        }
        ProofsAre::OfThese([proved, all, wrong], at, ago) => {
            let wrong = match wrong {
                0 => String::new(),
                wrong => format!(" Fausses : {wrong}."),
            };
            format!(
                "Propriétés prouvées de ces règles : {proved} sur {all}, le {at}, il y a {}.{wrong}",
                span(*ago)
            )
        }
    },
    sign_ins: "Identifications",
    sign_ins_are: |lately, in_all| {
        format!("Preuves d’identité fausses : {lately} dans la dernière heure, {in_all} depuis le démarrage.")
    },
    tokens_unreadable: |count| format!("Jetons dont la ligne est illisible, et qui n’ouvrent rien : {count}."),
    certificates: "Certificats",
    certificates_are: |until, minted| {
        format!("L’autorité peut signer jusqu’au {until}. Certificats de sites en mémoire : {minted}.")
    },
    door_until: |until| format!("Celui que montre la porte TLS prend fin le {until}, et sera refait avant."),
    door_shut: "La porte TLS ne laisse entrer personne : aucun ne peut être fait pour ses noms.",
    door_shows_none: "La porte TLS n’en montre aucun avant le prochain client\u{a0}: il est fait à ce moment-là.",
    notices: "Messages aux personnes",
    no_notices: "Les réglages ne prévoient aucun message.",
    notices_are: |waiting| format!("En attente d’envoi : {waiting}."),
    hooks_shut_out: |count| format!("Web hooks qui ne sont pas admis : {count}."),
    digest_of_nobody: |addresses| {
        format!(
            "Le bilan de la semaine part aussi à des adresses qui ne sont à personne de l’annuaire\u{a0}; si leur titulaire est \
             parti, retirez-les des réglages\u{a0}: {addresses}."
        )
    },
    nothing_gets_through: |hook, since| match hook {
        Some(hook) => {
            format!("Rien de cette passerelle n’est passé par le web hook {hook} depuis {since}\u{a0}:")
        }
        None => format!("Rien de cette passerelle n’est passé par e-mail depuis {since}\u{a0}:"),
    },
    traffic: "Trafic",
    traffic_is: |connections, tunnels| {
        let clients = match connections {
            1 => "1\u{a0}connexion d’un client".to_owned(),
            count => format!("{}\u{a0}connexions de clients", number(count)),
        };
        match tunnels {
            1 => format!("{clients}\u{a0}; 1\u{a0}tunnel non lu ou WebSocket."),
            count => format!("{clients}\u{a0}; {}\u{a0}tunnels non lus et WebSockets.", number(count)),
        }
    },
};
