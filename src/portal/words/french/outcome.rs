//! What came of it, in French.

use super::parts::number;
use super::unfit::invisible;
use crate::facts::Report;
use crate::portal::outcomes::Unsaid;
use crate::portal::words::OutcomeWords;

pub(super) const OUTCOME: OutcomeWords = OutcomeWords {
    asked: "Qu’en est-il résulté ?",
    why_asked: "Cela montre ce que vaut ce motif. Les nombres sont additionnés pour toute l’entreprise et ne sont jamais affichés pour moins de cinq personnes ; vos propres mots restent avec votre autorisation et sa trace.",
    in_words: "Avec vos propres mots, si vous le souhaitez",
    save: "Enregistrer",
    skip: "Rien à signaler",
    correct: "Corriger",
    number,
    you_said: |metric, amount, skipped| match amount {
        Some(amount) => format!("{metric} : {amount}"),
        None if skipped => "Vous n’aviez rien à signaler.".to_owned(),
        None => "Vous avez répondu avec vos propres mots.".to_owned(),
    },
    said: "Ce que vous avez répondu",
    noted: "Merci, c’est noté.",
    unsaid: |why| match why {
        Unsaid::Nothing => {
            "Revenez en arrière et donnez un nombre ou quelques mots, ou choisissez « Rien à signaler ».".to_owned()
        }
        Unsaid::NoNumber => format!(
            "Revenez en arrière et donnez un nombre entier, à partir de 0 et jusqu’à {}.",
            number(Report::MOST)
        ),
        Unsaid::Invisible(sign) => format!("Revenez en arrière et {}.", invisible(sign)),
        Unsaid::LongText => format!(
            "Revenez en arrière et dites-le en {} caractères au plus.",
            Report::LONGEST
        ),
    },
    not_kept_title: "Rien n’a été noté",
    not_kept: "La passerelle ne peut pas conserver cela en ce moment. Réessayez dans une minute.",
    not_asked_title: "Il n’y a rien à noter ici",
    not_asked: "Une fois l’accès terminé, vous pouvez dire pendant quatorze jours ce qu’il en est résulté, et corriger votre réponse pendant sept jours. Pour certains motifs, rien n’est compté.",
    not_recorded_title: "Noté, mais pas encore enregistré",
    not_recorded: "C’est noté, mais la trace n’en est pas encore sur disque : la passerelle l’écrira dès que possible. Prévenez l’assistance informatique si cela dure.",
};
