//! Why a declaration does not fit, and what would.

use std::collections::BTreeSet;

use super::parts::{quoted, span};
use crate::facts::{Category, Invisible, Language, PlatformId, PurposeId};
use crate::purpose::{Unfit, Vain};

const EMPTY: &str = "dites avec vos mots pourquoi vous en avez besoin, sans répéter de caractères ni de mots";

pub(super) fn unfit(why: &Unfit) -> String {
    let all = |names: &BTreeSet<String>| quoted(names.iter().map(String::as_str));
    match why {
        Unfit::NoSuchPurpose { purpose, meant, theirs } => {
            let hint = match meant {
                Some(near) => format!("vouliez-vous dire « {near} » ?"),
                None if theirs.is_empty() => "le portail donne la liste des motifs".to_owned(),
                None => format!("choisissez parmi {}", quoted(theirs.iter().map(PurposeId::as_str))),
            };
            format!("il n’y a pas de motif « {purpose} » : {hint}")
        }
        Unfit::OpensNothing { purpose, owner } => format!(
            "aucune règle n’ouvre encore quoi que ce soit pour « {purpose} » : adressez-vous à la personne qui en répond, \
             « {owner} »"
        ),
        Unfit::OpensNothingThere(vain) => opens_nothing_there(vain),
        Unfit::OtherPeople { purpose, open_to } => {
            let open_to = quoted(open_to.iter().map(String::as_str));
            format!("« {purpose} » est réservé aux groupes suivants : {open_to}")
        }
        Unfit::Untrained { purpose, course } => {
            format!("« {purpose} » demande une formation « {course} » valable")
        }
        Unfit::NoPlatform => "indiquez au moins une plateforme".to_owned(),
        Unfit::OtherPlatform {
            purpose,
            platform,
            meant,
            categories,
            platforms,
        } => {
            let hint = hint(meant.as_deref(), categories, platforms);
            format!("« {purpose} » n’est pas prévu pour « {platform} » : {hint}")
        }
        Unfit::NoGroup => "indiquez au moins un groupe d’activités".to_owned(),
        Unfit::OtherGroup { purpose, group, covers } => {
            format!("« {purpose} » ne couvre pas « {group} » : il couvre {}", all(covers))
        }
        Unfit::TooLong {
            purpose,
            longest,
            covers,
        } => format!(
            "« {purpose} » dure au plus {} quand il couvre {}",
            span(*longest),
            all(covers)
        ),
        Unfit::ShortStatement { least } => {
            format!("dites en {least}\u{a0}caractères au moins pourquoi vous en avez besoin")
        }
        Unfit::LongStatement { most } => format!("dites-le en {most}\u{a0}caractères au plus"),
        Unfit::EmptyStatement => EMPTY.to_owned(),
        Unfit::InvisibleInStatement(sign) => invisible(*sign),
        Unfit::InvisibleInTicket(sign) => invisible_in_ticket(*sign),
        Unfit::LongTicket { most } => format!("indiquez un ticket de {most}\u{a0}caractères au plus"),
        Unfit::NoTicket => "indiquez un ticket : une urgence en demande un".to_owned(),
        Unfit::OtherTicket { example, pattern } => {
            format!("indiquez un ticket comme « {example} » (modèle « {pattern} »)")
        }
    }
}

/// What is asked of whoever wrote a character that nobody sees.
pub(super) fn invisible(sign: Invisible) -> String {
    format!("retirez le caractère {sign} : personne ne le voit, et il peut changer la lecture du reste")
}

fn invisible_in_ticket(sign: Invisible) -> String {
    format!("indiquez un ticket sans le caractère {sign} : personne ne le voit, et il peut changer la lecture du reste")
}

/// For which platforms a purpose is meant.
fn hint(meant: Option<&str>, categories: &BTreeSet<Category>, platforms: &BTreeSet<PlatformId>) -> String {
    match meant {
        Some(near) => format!("vouliez-vous dire « {near} » ?"),
        None if categories.is_empty() => {
            let platforms = quoted(platforms.iter().map(PlatformId::as_str));
            format!("il est prévu pour {platforms}")
        }
        None => {
            let categories = quoted(categories.iter().map(Category::as_str));
            format!("il est prévu pour les plateformes de {categories}")
        }
    }
}

/// Where a purpose opens nothing: why, and what would.
fn opens_nothing_there(vain: &Vain) -> String {
    let all = |names: &BTreeSet<String>| quoted(names.iter().map(String::as_str));
    let on = |platforms: &BTreeSet<PlatformId>| quoted(platforms.iter().map(PlatformId::as_str));
    let (purpose, platforms) = (&vain.purpose, on(&vain.platforms));
    if !vain.further.is_empty() {
        let (covers, further) = (all(&vain.covers), all(&vain.further));
        return format!(
            "« {purpose} » n’ouvre rien sur {platforms} tant qu’il ne couvre que {covers} : faites-lui couvrir aussi {further}"
        );
    }
    if vain.is_open {
        return format!(
            "« {purpose} » n’ouvre rien sur {platforms} qui ne vous soit déjà ouvert : vous n’y avez besoin d’aucun motif"
        );
    }
    let why: String = vain
        .why
        .iter()
        .map(|why| format!(" ({})", why.said_in(Language::Fr)))
        .collect();
    let hint = if vain.elsewhere.is_empty() {
        "adressez-vous à la personne qui en répond".to_owned()
    } else {
        format!("il le fait sur {}", on(&vain.elsewhere))
    };
    format!("les règles ne laissent « {purpose} » rien vous ouvrir sur {platforms}{why} : {hint}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn vain(is_open: bool, further: &[&str]) -> Unfit {
        Unfit::OpensNothingThere(Vain {
            purpose: PurposeId::new("recruiting"),
            platforms: [PlatformId::new("xing"), PlatformId::new("x")].into(),
            why: vec!["Closed.".into()],
            is_open,
            covers: ["read".to_owned()].into(),
            further: further.iter().map(|group| (*group).to_owned()).collect(),
            elsewhere: [PlatformId::new("linkedin")].into(),
        })
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_would() {
        let purpose = || PurposeId::new("recruiting");
        for (why, said) in [
            (
                vain(true, &[]),
                "« recruiting » n’ouvre rien sur « x », « xing » qui ne vous soit déjà ouvert : vous n’y avez besoin d’aucun motif",
            ),
            (
                vain(false, &[]),
                "les règles ne laissent « recruiting » rien vous ouvrir sur « x », « xing » (Closed.) : il le fait sur « linkedin »",
            ),
            (
                vain(true, &["engage", "publish"]),
                "« recruiting » n’ouvre rien sur « x », « xing » tant qu’il ne couvre que « read » : faites-lui couvrir aussi « engage », « publish »",
            ),
            (
                Unfit::NoSuchPurpose {
                    purpose: PurposeId::new("recruting"),
                    meant: Some("recruiting".to_owned()),
                    theirs: BTreeSet::new(),
                },
                "il n’y a pas de motif « recruting » : vouliez-vous dire « recruiting » ?",
            ),
            (
                Unfit::NoSuchPurpose {
                    purpose: PurposeId::new("bogus"),
                    meant: None,
                    theirs: [PurposeId::new("recruiting")].into(),
                },
                "il n’y a pas de motif « bogus » : choisissez parmi « recruiting »",
            ),
            (
                Unfit::TooLong {
                    purpose: purpose(),
                    longest: Duration::from_hours(8),
                    covers: ["publish".to_owned(), "read".to_owned()].into(),
                },
                "« recruiting » dure au plus 8\u{a0}heures quand il couvre « publish », « read »",
            ),
            (
                Unfit::ShortStatement { least: 12 },
                "dites en 12\u{a0}caractères au moins pourquoi vous en avez besoin",
            ),
        ] {
            assert_eq!(unfit(&why), said);
        }
    }
}
