//! How the gateway is, in French.

use crate::portal::words::HealthWords;

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
    certificates: "Certificats",
    certificates_are: |until, minted| {
        format!("L’autorité peut signer jusqu’au {until}. Certificats de sites en mémoire : {minted}.")
    },
    notices: "Messages aux personnes",
    no_notices: "Les réglages ne prévoient aucun message.",
    notices_are: |waiting| format!("En attente d’envoi : {waiting}."),
    traffic: "Trafic",
    traffic_is: |connections, tunnels| {
        format!("Connexions de clients : {connections} ; tunnels non lus et WebSockets : {tunnels}.")
    },
};
