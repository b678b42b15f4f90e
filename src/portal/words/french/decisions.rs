//! Decisions about others, in French.

use super::parts::number;
use crate::audit::Topic;
use crate::facts::{End, Outcome};
use crate::portal::BadFilter;
use crate::portal::words::DecisionWords;

pub(super) const DECISIONS: DecisionWords = DecisionWords {
    see: "Ce qui a été décidé, en direct et par recherche",
    title: "Décisions",
    what: "Ce que la passerelle a décidé au sujet de qui, une fois la chose terminée. Le fait que vous regardez, quand et quoi, est consigné ; qui lit les enregistrements le voit.",
    found: "Les plus récentes d’abord",
    led_here: "Un lien vous a conduit ici et a rempli ce qu’il faut chercher. Rien n’a encore été cherché ni consigné : « Afficher » fait les deux.",
    none: "Aucune décision n’a été trouvée.",
    nobody: "Personne d’identifié",
    outcome_is: "Décision",
    outcome: |outcome| match outcome {
        Outcome::Allow => "Permis",
        Outcome::Declare => "Motif requis",
        Outcome::Request => "Accord requis",
        Outcome::Deny => "Refusé",
    },
    activity: "Activité",
    since: "À partir de",
    until: "Avant",
    times: "Moments : un instant (2026-11-22T10:00:00Z), un jour (2026-11-22, UTC), ou une ancienneté (2h, 7d). C’est le début qui compte ; avec une fin, ce qui a duré plus d’une heure au-delà n’est pas trouvé. Un hôte trouve aussi ceux qui sont en dessous ; une adresse peut être un réseau (192.0.2.0/24).",
    host: "Hôte",
    client: "Adresse du client",
    policy: "Règle qui a décidé",
    let_pass: "Passé alors que ce serait refusé",
    let_pass_ways: ["D’une façon ou de l’autre", "Seulement observé", "Seulement conseillé"],
    more: "D’autres critères",
    any_platform: "Sites gérés seulement",
    not_allowed: "Tout ce qui n’est pas autorisé",
    bad_filters: "Ce qu’il faut chercher n’a pas été compris",
    bad_filter,
    when: "Quand",
    place: "Où",
    seconds: |minutes, seconds| format!("{minutes}\u{a0}min\u{a0}{seconds:02}\u{a0}s"),
    did: "Quoi",
    ended: "Suite",
    came: |end, status| {
        let what = match end {
            End::Completed => "passé".to_owned(),
            End::Refused => "refusé".to_owned(),
            End::Challenged => "identification demandée".to_owned(),
            End::Failed { code, .. } => format!("échoué ({})", code.as_str()),
            End::Cut(_) => "coupé".to_owned(),
            End::Abandoned => "interrompu".to_owned(),
        };
        status.map_or(what.clone(), |status| format!("{what}, {status}"))
    },
    only_says_why: "ouvert seulement pour dire pourquoi",
    why: "Pourquoi",
    why_this: |who, what, when| format!("Pourquoi\u{a0}: {who}, {what}, {when}"),
    newest: "Les plus récentes",
    older: "Plus anciennes",
    go_on: "Chercher plus loin",
    reached: |until| {
        format!(
            "La recherche est remontée jusqu’à {until} et s’est arrêtée là : une requête n’examine qu’une partie des enregistrements."
        )
    },
    unreadable: |lines| {
        format!(
            "Lignes des enregistrements qui n’ont pas pu être lues : {}. La commande « wayleave records verify » en dit davantage.",
            number(lines)
        )
    },
    reload: "Recharger toutes les demi-minutes",
    reload_no_more: "Ne plus recharger",
    follow: "Suivre en direct",
    pause: "Suspendre",
    flows: "Les nouvelles décisions apparaissent au-dessus des autres dès qu’elles sont prises.",
    stands: "Suspendu : aucune nouvelle décision n’apparaît.",
    again: "La connexion a été perdue et se rétablit : les nouvelles décisions apparaîtront ensuite.",
    broken: "La vue en direct a pris fin. Appuyez sur le bouton pour réessayer, ou rechargez la page.",
    missed: |count| {
        format!(
            "Trop à la fois : {} enregistrements de toute sorte sont passés sans être examinés. Rechargez la page pour trouver ceux qui conviennent.",
            number(count)
        )
    },
    many_watch_title: "Trop de personnes regardent déjà",
    you_watch: "Vous regardez en direct dans autant de fenêtres qu’une personne le peut. Fermez-en une, ou rechargez la page pour voir les décisions les plus récentes.",
    many_watch: "Autant de personnes regardent en direct que possible. Rechargez la page pour voir les décisions les plus récentes, ou réessayez dans une minute.",
    not_found_title: "Introuvable dans ce qui a été examiné",
    not_found: "Une requête n’examine qu’une partie des enregistrements, à partir du début de ce qui a été décidé, et la fin ne s’y trouve pas. Ouvrez-la depuis la liste des décisions, qui sait où elle est.",
    not_read_title: "Les enregistrements ne peuvent pas être lus",
    not_read: "La passerelle ne peut pas lire ses enregistrements en ce moment. Réessayez dans une minute, et consultez son état si cela dure.",
    not_recorded_title: "Rien n’est montré",
    not_recorded: "La passerelle ne peut pas consigner en ce moment que vous regardez, et ne montre rien qu’elle ne peut consigner. Réessayez dans une minute.",
};

fn bad_filter(bad: &BadFilter) -> String {
    let perhaps = |near: Option<&str>| near.map_or_else(String::new, |near| format!(" Vouliez-vous dire « {near} » ?"));
    match bad {
        BadFilter::NoSuch(name, Some(near)) => format!("Il n’y a pas de filtre « {name} ».{}", perhaps(Some(near))),
        BadFilter::NoSuch(name, None) => format!(
            "Il n’y a pas de filtre « {name} ». Il y a user, host, client, platform, activity, outcome, purpose, policy, grant, let_pass, since et until."
        ),
        BadFilter::Twice(name) => format!("« {name} » est donné deux fois. Donnez-le une fois."),
        BadFilter::Unreadable(filter) => unreadable(filter).to_owned(),
        BadFilter::NoSuchTopic(near) => format!(
            "«\u{a0}kind\u{a0}» est l’un de ceux-ci\u{a0}: {}.{}",
            Topic::names(),
            perhaps(*near)
        ),
        BadFilter::NotOfTopic { filter, topic } => format!(
            "«\u{a0}{filter}\u{a0}» ne distingue rien dans «\u{a0}{}\u{a0}». Retirez-le, ou cherchez autre chose.",
            (super::book::BOOK.topic)(*topic)
        ),
        BadFilter::TooLong(filter) => format!("«\u{a0}{filter}\u{a0}» est plus long que tout nom."),
        BadFilter::EndsBefore => {
            "«\u{a0}until\u{a0}» n’est pas après «\u{a0}since\u{a0}»\u{a0}: rien ne se trouve entre les deux."
                .to_owned()
        }
        BadFilter::OfWhatPassed(filter) => format!(
            "« {filter} » concerne ce qui est passé, et de vos propres décisions seuls les refus sont dits ici. Retirez-le."
        ),
        BadFilter::Unknown { filter, said, near } => {
            let near = perhaps(near.as_deref());
            let what = match *filter {
                "user" => format!("Personne dont vous pouvez lire les décisions ne s’appelle « {said} »"),
                "platform" => format!("Le catalogue n’a pas de plateforme « {said} »"),
                "activity" => format!("Il n’y a pas d’activité « {said} »"),
                "purpose" => format!("Il n’y a pas de motif « {said} »"),
                _ => format!("Aucune règle en vigueur ne s’appelle « {said} »"),
            };
            format!("{what}, et rien n’en a été trouvé.{near}")
        }
    }
}

fn unreadable(filter: &str) -> &'static str {
    match filter {
        "user" => "« user » n’est pas un nom : écrivez celui avec lequel on s’identifie, par exemple ada.",
        "host" => "« host » n’est pas un hôte : écrivez son seul nom, par exemple www.linkedin.com, ou une adresse.",
        "client" => "« client » n’est ni une adresse (192.0.2.7, 2001:db8::7) ni un réseau (192.0.2.0/24).",
        "outcome" => "« outcome » est allow, declare, request, deny ou except-allow.",
        "grant" => "« grant » est l’identifiant d’une autorisation, par exemple 01a2059d-b664-7ced-a00f-becb38361f7b.",
        "since" => {
            "« since » n’est pas un moment. Écrivez un instant (2026-11-22T10:00:00Z), un jour (2026-11-22), ou une ancienneté (2h, 7d)."
        }
        "until" => {
            "« until » n’est pas un moment. Écrivez un instant (2026-11-22T10:00:00Z), un jour (2026-11-22), ou une ancienneté (2h, 7d)."
        }
        _ => "« let_pass » est any, observe ou coach.",
    }
}
