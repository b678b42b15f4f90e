//! Tokens for tools in French.

use crate::portal::words::TokenWords;

pub(super) const TOKENS: TokenWords = TokenWords {
    not_good_title: "Ce jeton ne permet pas cela",
    not_for_proxy: "Le jeton présenté ne permet pas de passer par le proxy.",
    not_for_proxy_advice: "Créez-en un de portée « proxy » dans le portail, ou identifiez-vous avec un mot de passe.",
    wrong_title: "Le jeton n’est pas valable",
    wrong: "Il est mal saisi, expiré, révoqué, ou appartient à quelqu’un d’autre. Votre page personnelle indique ceux que vous avez.",
    takes_a_person: "Aucun jeton ne permet cela : il y faut votre présence et votre mot de passe.",
    takes_scope: |scope| format!("Il y faut un jeton de portée « {scope} ». Créez-en un dans le portail."),
    no_pages: "Ces pages s’adressent aux personnes : identifiez-vous avec votre mot de passe. Un jeton sert aux programmes, qui appellent /v1.",
    heading: "Jetons pour vos outils",
    about: "Un programme présente un jeton à la place de votre mot de passe. Il permet une partie de ce que vous pouvez faire, pour un certain temps.",
    none: "Vous n’avez aucun jeton.",
    nameless: "Sans nom",
    good_for: |scopes, until| format!("Pour {} ; valable jusqu’à {until}", scopes.join(", ")),
    used: |day| {
        day.map_or_else(
            || "Pas encore utilisé".to_owned(),
            |day| format!("Utilisé pour la dernière fois le {day}"),
        )
    },
    called: |name| format!("Jeton « {name} »"),
    theirs: "Jetons pour les outils",
    counted: |count| match count {
        0 | 1 => format!("{count}\u{a0}jeton"),
        count => format!("{count}\u{a0}jetons"),
    },
    ended_by_password: |at| format!("Il a pris fin le {at} : votre mot de passe a changé depuis."),
    ended_by_account: |at| format!("Il a pris fin le {at}, avec le compte que vous aviez."),
    revoke: "Révoquer",
    revoked: "Le jeton est révoqué, et ce qui l’utilisait est coupé.",
    make: "Créer un jeton",
    name: "À quoi sert-il ? Un nom que vous reconnaîtrez",
    scope: "Que permet-il ?",
    scope_of: |scope| match scope {
        "decisions" => {
            "lire ce qui a été décidé au sujet des autres, dans la mesure où les règles vous le permettent\u{a0}; avec «\u{a0}read\u{a0}», aussi ce qu’ils ont déclaré, ont et ont consulté"
        }
        "declare" => "déclarer, renouveler et terminer vos propres motifs",
        "proxy" => "passer par le proxy",
        "read" => "lire ce que vous avez, pouvez faire, et ce qui vous a été refusé",
        _ => "autre chose",
    },
    days: "Pour combien de jours ?",
    button: "Le créer",
    made_title: "Votre jeton",
    made: "Copiez-le maintenant, là où votre programme le lit : il ne sera plus affiché.",
    made_use: "Il prend la place de votre mot de passe : dans les réglages de proxy du programme, avec votre nom d’utilisateur.",
    done: "Je l’ai copié",
    not_made_title: "Aucun jeton n’a été créé",
    may_not_make: |why| {
        if why.is_empty() {
            "Les règles ne vous permettent pas de créer ce jeton.".to_owned()
        } else {
            why.to_owned()
        }
    },
    too_many: |held| format!("Vous avez {held} jetons, le nombre le plus élevé possible. Révoquez-en un d’abord."),
    bad_name: |most| format!("Nommez-le en {most} caractères au plus."),
    no_scope: "Indiquez ce qu’il doit permettre.",
    bad_days: |most| format!("Il peut être valable de 1 à {most} jours."),
    not_kept: "Cela ne peut être ni inscrit ni conservé pour le moment. Réessayez dans une minute.",
    not_revoked_title: "Le jeton n’a pas été révoqué",
    not_revoked: "Cela ne peut être conservé pour le moment, et le jeton reste valable. Réessayez dans une minute.",
};
