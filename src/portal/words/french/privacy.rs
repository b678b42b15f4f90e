//! Privacy, in French.

use super::parts::both;
use crate::facts::Mode;
use crate::portal::words::{KeptWords, PrivacyWords};
use crate::proof::Verdict;
use crate::rulebook::Reads;

pub(super) const PRIVACY: PrivacyWords = PrivacyWords {
    see: "Ce que cette passerelle lit de vous, et ce qu’elle ne lit jamais",
    title: "Vie privée",
    what: "Ce que cette passerelle déchiffre, ce qu’elle ne déchiffre jamais, ce qu’elle conserve de vous et qui peut le voir\u{a0}: calculé à partir des règles en vigueur, et non écrit à la main.",
    asked: "Les règles ont été interrogées à l’instant, depuis le réseau où vous êtes, pour chaque rôle que l’on peut avoir et pour vous, sans motif. «\u{a0}Certaines personnes, ou sous conditions\u{a0}» veut dire qu’aucun rôle n’y suffit\u{a0}: les règles citées parlent d’une personne, d’un service, d’un réseau ou de choses semblables.",
    read_title: "Ce qui est déchiffré",
    read_what: "Ici, la passerelle lit ce que fait une requête, pour que chaque activité puisse être décidée, puis la transmet.",
    read_none: "Rien\u{a0}: aucun site du catalogue n’est déchiffré.",
    unread_title: "Ce qui n’est jamais déchiffré",
    unread_what: "Ici, la passerelle voit le nom du site et le volume échangé, et rien de ce qu’il contient. «\u{a0}Jamais\u{a0}» veut dire qu’aucune règle ne peut le permettre, quels que soient la personne et le motif.",
    kind: "Genre de site",
    of_whom: "De qui",
    whether: "Déchiffré",
    why: "Pourquoi",
    no_rule: "Aucune règle ne le permet.",
    elsewhere: "Tous les autres sites",
    reads: |reads| match reads {
        Reads::Never => "Jamais".to_owned(),
        Reads::Conditionally => "Certaines personnes, ou sous conditions".to_owned(),
        Reads::Of(roles) => format!(
            "Personnes ayant ces rôles\u{a0}: {}",
            listed(roles.iter().map(String::as_str))
        ),
        Reads::Everybody => "Tout le monde".to_owned(),
    },
    partly: "Une partie de ses sites seulement.",
    of_you: "De vous aussi, en l’état.",
    may_let: |rules| format!("Des règles peuvent le permettre\u{a0}: {rules}"),
    may_let_others: |rules| {
        format!(
            "Des règles peuvent le permettre pour d’autres personnes, par leur nom ou sous conditions, ou sur d’autres de ces sites\u{a0}: {rules}"
        )
    },
    mode: |mode| match mode {
        Mode::Observe => Some(
            "Cette passerelle observe\u{a0}: ce que les règles refusent passe tout de même, et est consigné. Ce qu’elles interdisent de lire n’est pas lu.",
        ),
        Mode::Coach => Some(
            "Cette passerelle conseille\u{a0}: après un refus on peut continuer, ce qui est consigné. Ce que les règles interdisent de lire n’est pas lu.",
        ),
        Mode::Enforce => None,
    },
    kept_title: "Ce qui est conservé de vous",
    kept_what: "Ce que vous écrivez, lisez, envoyez ou déposez sur un site n’est pas conservé, pas plus que les mots de passe et les cookies.",
    kept: "Quoi",
    holds: "Ce que cela contient",
    how_long: "Combien de temps",
    who: "Qui peut le voir",
    records: KeptWords {
        what: "Chaque connexion et chaque requête",
        holds: "Quand\u{a0}; votre nom, vos rôles et votre service\u{a0}; depuis quelle adresse et quel réseau\u{a0}; vers quel site. Là où c’est déchiffré, aussi le chemin sans ce qui suit «\u{a0}?\u{a0}», et ce que vous avez fait (ouvrir, publier…). Ce qui a été décidé, par quelles règles, pour quel motif\u{a0}; volumes et durées.",
        how_long: "Jusqu’à ce que votre entreprise l’efface\u{a0}: la passerelle n’efface rien d’elle-même.",
        who: "",
    },
    purposes: KeptWords {
        what: "Les motifs que vous déclarez",
        holds: "Le motif, ses plateformes, vos mots, un ticket\u{a0}; qui a répondu et ce qui a été écrit\u{a0}; qui y a mis fin et pourquoi\u{a0}; ce que vous avez dit du résultat. Aussi qui peut répondre à votre place parce que vous l’avez voulu.",
        how_long: "Jusqu’à ce que votre entreprise l’efface, dans la base de données de la passerelle et ses enregistrements. Ce que vous avez dit du résultat est oublié dans la base une fois additionné, une semaine après la fin de la semaine où vous l’avez dit\u{a0}; les enregistrements le gardent.",
        who: "",
    },
    figures: KeptWords {
        what: "Dans quelle mesure les motifs sont utilisés",
        holds: "De chaque personne, combien de fois un motif a servi dans la semaine, combien de temps et pour quel volume, par plateforme et par service\u{a0}; ensuite des sommes de groupes d’au moins cinq personnes.",
        how_long: "Ce qu’a fait chaque personne est oublié une fois la semaine publiée, huit jours au plus après sa fin\u{a0}; les sommes restent.",
        who: "",
    },
    refusals: KeptWords {
        what: "Vos refus récents",
        holds: "Ce que vous vouliez ouvrir et la raison du refus, pour que la page puisse l’expliquer.",
        how_long: "24 heures, les seize derniers, en mémoire seulement.",
        who: "Vous.",
    },
    refusals_shared: KeptWords {
        what: "Vos refus récents",
        holds: "Ce que vous vouliez ouvrir et la raison du refus, pour que la page puisse l’expliquer. Plusieurs passerelles répondent ici l’une pour l’autre\u{a0}: la base de données qu’elles partagent en a donc une copie. Elle est chiffrée avec une clé qui se trouve dans cette même base.",
        how_long: "24 heures, les seize derniers, et jusqu’au prochain nettoyage, quelques minutes plus tard. Une copie faite de la base peut garder ce qu’elle contenait alors.",
        who: "Vous. Et les personnes qui peuvent lire cette base de données, ou une copie de celle-ci.",
    },
    drafts: KeptWords {
        what: "Ce que vous avez écrit ici pour répondre et n’avez pas pu envoyer, faute de session ouverte",
        holds: "Ce que vous avez écrit en dernier, pour que la page le rende une fois la session ouverte. C’est chiffré avec une clé qui se trouve dans cette même base de données.",
        how_long: "Jusqu’à l’envoi\u{a0}; sinon une heure, et jusqu’à un jour dans la base de données.",
        who: "Vous. Et les personnes qui peuvent lire la base de données de la passerelle.",
    },
    account: KeptWords {
        what: "Votre compte ici, si vous en avez un",
        holds: "Une empreinte de votre mot de passe et de chaque jeton pour outils, jamais le mot de passe ni le jeton\u{a0}; le jour où un jeton a servi pour la dernière fois.",
        how_long: "Jusqu’à la suppression du compte\u{a0}; jusqu’à la fin du jeton.",
        who: "Vous, pour ce qui figure sur votre page. Les empreintes\u{a0}: les personnes qui peuvent lire les fichiers de la passerelle ou sa base de données.",
    },
    looks: KeptWords {
        what: "Le fait que quelqu’un a consulté ce qui a été décidé au sujet des autres",
        holds: "Quand, qui, et ce qui a été cherché\u{a0}: votre nom aussi, si c’est vous que l’on cherchait.",
        how_long: "Jusqu’à ce que votre entreprise l’efface\u{a0}: la passerelle n’efface rien d’elle-même.",
        who: "Les personnes qui peuvent lire les fichiers de la passerelle.",
    },
    readers: |roles, (owner, named), others| {
        let mut who: Vec<String> = Vec::new();
        if owner {
            who.push("la personne qui répond du motif".to_owned());
        }
        if named {
            who.push("les personnes que le motif désigne pour l’approuver, et leurs délégués".to_owned());
        }
        if !roles.is_empty() {
            who.push(format!("les membres de {}", roles.join(", ")));
        }
        if !others.is_empty() {
            who.push(format!(
                "les personnes que désignent ces règles, par leur nom ou sous conditions\u{a0}: {others}"
            ));
        }
        let who: Vec<&str> = who.iter().map(String::as_str).collect();
        match who.as_slice() {
            [] => "personne".to_owned(),
            who => both(who),
        }
    },
    of_records: |readers| {
        format!(
            "Vous\u{a0}: vos refus, comme plus bas, sur votre page. L’ensemble, sur les pages prévues, où chaque consultation est enregistrée\u{a0}: {readers}. Et les personnes qui peuvent lire les fichiers de la passerelle."
        )
    },
    of_purposes: |approve, revoke| {
        format!(
            "Vous. Tant que la demande attend, qui peut l’approuver\u{a0}: {approve}. Tant que le motif est en vigueur, qui peut y mettre fin\u{a0}: {revoke}. Ce qui a été ouvert en urgence, qui peut l’examiner\u{a0}: les mêmes personnes que pour l’approuver. Là où la passerelle envoie des courriels ou écrit dans un canal, les personnes qui y sont informées\u{a0}: vos propres mots aussi, pour ce qui attend et pour les urgences. Et les personnes qui peuvent lire les fichiers de la passerelle ou sa base de données."
        )
    },
    grounds_title: "Sur quoi reposent les motifs",
    grounds_what: "Tel que les personnes qui en répondent l’ont écrit\u{a0}: pour chacun, le fondement du traitement des données personnelles et ce qui doit en être conservé. Ce n’est pas calculé\u{a0}: la passerelle elle-même n’efface rien.",
    proved_title: "Ce qui est prouvé",
    proved_what: "Ces phrases doivent être vraies de toute requête possible. Une preuve le montre pour les règles, les sites et les motifs mêmes qui sont en vigueur\u{a0}; celle d’autres règles n’est pas montrée. Ce qui est dit de ce que l’on fait sur un site vaut aussi pour les échanges qui passent sans être lus, où tout serait possible, sauf là où il est promis que rien n’est lu. Une preuve porte sur les règles\u{a0}: que le programme leur obéit est testé, et non prouvé.",
    rulebook: "Recueil de règles en vigueur",
    proved_by: |when, by, solver| {
        let by = by.map_or_else(String::new, |by| format!(" par {by}"));
        format!("Examiné le {when}{by}, avec le solveur\u{a0}: {solver}.")
    },
    not_proved: |command| {
        format!(
            "Rien n’est prouvé des règles en vigueur. Les personnes qui s’occupent de la passerelle le font avec «\u{a0}{command}\u{a0}»."
        )
    },
    looking: "Les règles viennent de changer et sont comparées avec ce qui est prouvé. Rouvrez cette page dans un instant.",
    unreadable: "Ce qui doit être vrai des règles en vigueur ne peut pas être lu. Les personnes qui s’occupent des règles voient pourquoi avec «\u{a0}wayleave check\u{a0}».",
    no_promises: "Aucune phrase n’est écrite qui doive être vraie de toute requête.",
    promise: "Ce qui doit être vrai",
    result: "Résultat",
    verdict: |verdict| match verdict {
        Some(Verdict::Proved) => "Prouvé",
        Some(Verdict::Fails) => "N’est pas vrai",
        Some(Verdict::Undecided) => "Non tranché",
        None => "Pas prouvé pour ces règles",
    },
    of_privacy: "Sur la vie privée",
    of_others: "Sur ce que l’on peut faire",
};

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
