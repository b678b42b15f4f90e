//! What becomes of a request, and why somebody cannot answer it.

use std::time::Duration;

use super::parts::{at, before, counted, either, from_then, span, until};
use super::unfit::unfit;
use crate::facts::{Language, Reason};
use crate::portal::words::{OthersAfter, OthersFrom};
use crate::purpose::Over;
use crate::rulebook::{NotDeclared, Outdated};

pub(super) fn must_approve(approvers: &[&str], later: OthersAfter<'_>, within: Duration) -> String {
    let who = match (approvers, later) {
        ([], Some((after, others))) => {
            let (after, others) = (span(after), either(others));
            format!("Personne ne peut donner l’accord tout de suite\u{a0}; au bout de {after}\u{a0}: {others}.")
        }
        (approvers, later) => {
            let now = format!("Il faut l’accord d’une autre personne\u{a0}: {}", either(approvers));
            match later {
                Some((after, others)) => {
                    format!(
                        "{now}\u{a0}; au bout de {}, également\u{a0}: {}.",
                        span(after),
                        either(others)
                    )
                }
                None => format!("{now}."),
            }
        }
    };
    format!(
        "{who} La demande attend {}, week-ends non compris, puis elle est refusée.",
        span(within)
    )
}

pub(super) fn over(over: Over) -> &'static str {
    match over {
        Over::Lapsed => {
            "Personne n’a répondu à temps : la demande est donc refusée. La personne peut la présenter de nouveau."
        }
        Over::Answered => "La demande a déjà reçu une réponse, ou elle a été annulée ou close.",
    }
}

pub(super) fn not_declared(why: &NotDeclared) -> String {
    match why {
        NotDeclared::Unpermitted => "Aucune règle ne vous permet de déclarer ce motif.".to_owned(),
        NotDeclared::Failed => "Les règles n’ont pas pu être évaluées : rien n’est donc accordé.".to_owned(),
        NotDeclared::Forbidden(reasons) => reasons_in_french(reasons),
    }
}

pub(super) fn may_not(reasons: &[Reason]) -> String {
    if reasons.is_empty() {
        "Aucune règle ne vous permet de répondre à cette demande.".to_owned()
    } else {
        reasons_in_french(reasons)
    }
}

pub(super) fn outdated(why: &Outdated) -> String {
    match why {
        Outdated::NoPurpose => "Le motif ne figure plus au catalogue.".to_owned(),
        Outdated::NoPerson => "L’annuaire ne mentionne plus la personne qui a fait la demande.".to_owned(),
        Outdated::Refused(why) => format!(
            "La personne qui a fait la demande ne peut plus déclarer ce motif. {}",
            not_declared(why)
        ),
        Outdated::Unfit(all) => {
            let all: Vec<String> = all.iter().map(unfit).collect();
            format!(
                "La demande ne correspond plus aux conditions de son motif : {}.",
                all.join(" ; ")
            )
        }
    }
}

pub(super) fn waits(purpose: &str, approvers: &[&str], later: OthersFrom<'_>, since: &str, end: &str) -> String {
    if let Some((from, others)) = later {
        let (then, others) = (from_then(from), either(others));
        let asked = match approvers {
            [] => format!(
                "Vous avez demandé {} un accord pour « {purpose} ». Personne ne peut encore répondre ; {then} : {others}.",
                at(since)
            ),
            approvers => format!(
                "Vous avez demandé {} un accord pour « {purpose} » à {} ; {then}, également : {others}.",
                at(since),
                either(approvers)
            ),
        };
        return format!("{asked} La demande attend une réponse {}.", until(end));
    }
    if approvers.is_empty() {
        return format!(
            "Vous avez demandé {} un accord pour « {purpose} », et plus personne ne peut répondre. La demande attend {} : \
             annulez-la et adressez-vous à l’assistance informatique.",
            at(since),
            until(end)
        );
    }
    format!(
        "Vous avez demandé {} un accord pour « {purpose} » à {}. La demande attend une réponse {}.",
        at(since),
        either(approvers),
        until(end)
    )
}

pub(super) fn was_asked(approvers: &[&str], later: OthersFrom<'_>) -> String {
    if let ([], Some((from, others))) = (approvers, later) {
        return format!("{} pourra répondre {}", either(others), from_then(from));
    }
    match approvers {
        [] => "Plus personne ne peut répondre".to_owned(),
        approvers => format!("Demande envoyée à {}", either(approvers)),
    }
}

pub(super) fn was_silent(approvers: &[&str], end: &str) -> String {
    let end = before(end);
    let why = match approvers {
        [] => format!("Personne n’a répondu {end}"),
        approvers => format!("{} n’a pas répondu {end}", either(approvers)),
    };
    format!("{why} : la demande est donc refusée. Vous pouvez la présenter de nouveau.")
}

pub(super) fn nobody_approves(purpose: &str, owner: Option<&str>) -> String {
    let turn_to = match owner {
        Some(owner) => {
            format!("{owner} répond de ce motif : adressez-vous à cette personne ou à l’assistance informatique")
        }
        None => {
            "Vous répondez vous-même de ce motif, et personne ne peut approuver sa propre demande : adressez-vous à \
                 l’assistance informatique"
                .to_owned()
        }
    };
    format!(
        "« {purpose} » demande un accord, et personne ne peut le donner en ce moment : les personnes désignées ne figurent pas \
         dans l’annuaire, ou les règles ne le leur permettent pas. {turn_to} pour faire désigner quelqu’un. Aucune demande \
         n’a été envoyée."
    )
}

pub(super) fn about_asker(sign_in: &str, roles: &[&str], departments: &[&str]) -> String {
    let parts = [sign_in.to_owned(), roles.join(", "), departments.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

pub(super) fn held_before(times: &[Duration]) -> String {
    let altogether = span(times.iter().sum());
    match times.len() {
        0 => "N’a pas eu ce motif au cours des 90\u{a0}derniers jours".to_owned(),
        1 => format!("A eu ce motif une fois au cours des 90\u{a0}derniers jours, pendant {altogether}"),
        times => format!(
            "A eu ce motif {} au cours des 90\u{a0}derniers jours, pendant {altogether} au total",
            counted(times, "fois", "fois")
        ),
    }
}

pub(super) fn about(sign_in: &str, roles: &[&str], departments: &[&str]) -> String {
    let mut text = format!("Session ouverte sous le nom {sign_in}");
    if !roles.is_empty() {
        text = format!("{text}. Rôles : {}", roles.join(", "));
    }
    if !departments.is_empty() {
        text = format!("{text}. Service : {}", departments.join(", "));
    }
    text + "."
}

fn reasons_in_french(reasons: &[Reason]) -> String {
    let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.said_in(Language::Fr)).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    /// French sets a space before these marks, and none at which a line may break.
    #[test]
    fn no_line_breaks_before_a_mark_or_inside_of_quotes() {
        let sources = [
            include_str!("mod.rs"),
            include_str!("answers.rs"),
            include_str!("chain.rs"),
            include_str!("delegation.rs"),
            include_str!("emergency.rs"),
            include_str!("tokens.rs"),
            include_str!("fault.rs"),
            include_str!("outcome.rs"),
            include_str!("privacy.rs"),
            include_str!("refusal.rs"),
            include_str!("unfit.rs"),
            include_str!("value.rs"),
        ];
        let texts = regex::Regex::new(r#"(?s)"(?:[^"\\]|\\.)*""#).unwrap();
        let breaks = regex::Regex::new(r" [:;?!»]|« ").unwrap();
        let said = sources.map(|source| source.split("#[cfg(test)]").next().unwrap_or_default());
        for text in said.into_iter().flat_map(|source| texts.find_iter(source)) {
            assert!(!breaks.is_match(text.as_str()), "{}", text.as_str());
        }
    }
}
