//! Why a declaration does not fit, and what would.

use std::collections::BTreeSet;

use crate::facts::{Category, Invisible, Language, PlatformId, PurposeId, fields::list};
use crate::purpose::{Unfit, Vain, show_duration};

const EMPTY: &str = "say in your own words what you need it for, without repeating characters or words";

pub(super) fn unfit(why: &Unfit) -> String {
    let all = |names: &BTreeSet<String>| list(names.iter().map(String::as_str));
    match why {
        Unfit::NoSuchPurpose { purpose, meant, theirs } => {
            let hint = match meant {
                Some(near) => format!("did you mean `{near}`?"),
                None if theirs.is_empty() => "see the purposes in the portal".to_owned(),
                None => format!("choose among {}", list(theirs.iter().map(PurposeId::as_str))),
            };
            format!("there is no purpose `{purpose}`: {hint}")
        }
        Unfit::OpensNothing { purpose, owner } => {
            format!("no rule opens anything for `{purpose}` yet: ask its owner `{owner}`")
        }
        Unfit::OpensNothingThere(vain) => opens_nothing_there(vain),
        Unfit::OtherPeople { purpose, open_to } => {
            format!("`{purpose}` is open to {}", list(open_to.iter().map(String::as_str)))
        }
        Unfit::Untrained { purpose, course } => format!("`{purpose}` takes a valid training `{course}`"),
        Unfit::NoPlatform => "name at least one platform".to_owned(),
        Unfit::OtherPlatform {
            purpose,
            platform,
            meant,
            categories,
            platforms,
        } => {
            let hint = match meant {
                Some(near) => format!("did you mean `{near}`?"),
                None if categories.is_empty() => {
                    format!("it is meant for {}", list(platforms.iter().map(PlatformId::as_str)))
                }
                None => format!(
                    "it is meant for platforms of {}",
                    list(categories.iter().map(Category::as_str))
                ),
            };
            format!("`{purpose}` is not meant for `{platform}`: {hint}")
        }
        Unfit::NoGroup => "name at least one group of activities".to_owned(),
        Unfit::OtherGroup { purpose, group, covers } => {
            format!("`{purpose}` does not cover `{group}`: it covers {}", all(covers))
        }
        Unfit::TooLong {
            purpose,
            longest,
            covers,
        } => {
            let longest = show_duration(*longest);
            format!("`{purpose}` lasts at most {longest} when it covers {}", all(covers))
        }
        Unfit::ShortStatement { least } => format!("say in at least {least} characters what you need it for"),
        Unfit::LongStatement { most } => format!("say it in at most {most} characters"),
        Unfit::EmptyStatement => EMPTY.to_owned(),
        Unfit::InvisibleInStatement(sign) => invisible(*sign),
        Unfit::InvisibleInTicket(sign) => invisible_in_ticket(*sign),
        Unfit::LongTicket { most } => format!("name a ticket of at most {most} characters"),
        Unfit::NoTicket => "name a ticket: an emergency takes one".to_owned(),
        Unfit::OtherTicket { example, pattern } => format!("name a ticket such as `{example}` (pattern `{pattern}`)"),
    }
}

/// What is asked of whoever wrote a character that nobody sees.
pub(super) fn invisible(sign: Invisible) -> String {
    format!("leave out the character {sign}: nobody sees it, and it can change how the rest reads")
}

fn invisible_in_ticket(sign: Invisible) -> String {
    format!("name a ticket without the character {sign}: nobody sees it, and it can change how the rest reads")
}

/// Where a purpose opens nothing: why, and what would.
fn opens_nothing_there(vain: &Vain) -> String {
    let all = |names: &BTreeSet<String>| list(names.iter().map(String::as_str));
    let on = |platforms: &BTreeSet<PlatformId>| list(platforms.iter().map(PlatformId::as_str));
    let (purpose, platforms) = (&vain.purpose, on(&vain.platforms));
    if !vain.further.is_empty() {
        let (covers, further) = (all(&vain.covers), all(&vain.further));
        return format!(
            "`{purpose}` opens nothing on {platforms} when it covers only {covers}: let it cover {further} too"
        );
    }
    if vain.is_open {
        return format!(
            "`{purpose}` opens nothing on {platforms} that is not open to you anyway: you need no purpose there"
        );
    }
    let why: String = vain
        .why
        .iter()
        .map(|why| format!(" ({})", why.said_in(Language::En)))
        .collect();
    let hint = if vain.elsewhere.is_empty() {
        "ask its owner".to_owned()
    } else {
        format!("it does on {}", on(&vain.elsewhere))
    };
    format!("the rules let `{purpose}` open nothing on {platforms} for you{why}: {hint}")
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
        let platform = |meant: Option<&str>, categories: &[Category]| Unfit::OtherPlatform {
            purpose: purpose(),
            platform: PlatformId::new("linkdin"),
            meant: meant.map(str::to_owned),
            categories: categories.iter().cloned().collect(),
            platforms: [PlatformId::new("linkedin"), PlatformId::new("xing")].into(),
        };
        for (why, said) in [
            (
                vain(true, &[]),
                "`recruiting` opens nothing on `x`, `xing` that is not open to you anyway: you need no purpose there",
            ),
            (
                vain(false, &[]),
                "the rules let `recruiting` open nothing on `x`, `xing` for you (Closed.): it does on `linkedin`",
            ),
            (
                vain(true, &["engage", "publish"]),
                "`recruiting` opens nothing on `x`, `xing` when it covers only `read`: let it cover `engage`, `publish` too",
            ),
            (
                Unfit::NoSuchPurpose {
                    purpose: PurposeId::new("recruting"),
                    meant: Some("recruiting".to_owned()),
                    theirs: BTreeSet::new(),
                },
                "there is no purpose `recruting`: did you mean `recruiting`?",
            ),
            (
                Unfit::NoSuchPurpose {
                    purpose: PurposeId::new("bogus"),
                    meant: None,
                    theirs: [PurposeId::new("recruiting"), PurposeId::new("support")].into(),
                },
                "there is no purpose `bogus`: choose among `recruiting`, `support`",
            ),
            (
                platform(Some("linkedin"), &[]),
                "`recruiting` is not meant for `linkdin`: did you mean `linkedin`?",
            ),
            (
                platform(None, &[]),
                "`recruiting` is not meant for `linkdin`: it is meant for `linkedin`, `xing`",
            ),
            (
                Unfit::TooLong {
                    purpose: purpose(),
                    longest: Duration::from_hours(8),
                    covers: ["publish".to_owned(), "read".to_owned()].into(),
                },
                "`recruiting` lasts at most 8h when it covers `publish`, `read`",
            ),
            (
                Unfit::ShortStatement { least: 12 },
                "say in at least 12 characters what you need it for",
            ),
        ] {
            assert_eq!(unfit(&why), said);
        }
    }
}
