//! What somebody states, and whether it fits the terms of the purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use super::terms::Purpose;
use crate::clock::Timestamp;
use crate::facts::{Category, Invisible, Lines, Person, PlatformId, PurposeId, SubjectId, Wording, did_you_mean};

/// How long a statement may be, in characters.
const MOST_STATED: usize = 2_000;
/// How long a ticket may be where the purpose does not say how it looks.
const LONGEST_TICKET: usize = 100;

/// What somebody states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What for.
    pub purpose: PurposeId,
    /// Where.
    pub platforms: BTreeSet<PlatformId>,
    /// Which groups of activities; none: all that the purpose covers.
    pub covers: Option<BTreeSet<String>>,
    /// Why, in their own words.
    pub statement: String,
    /// The ticket it refers to.
    pub ticket: Option<String>,
    /// For how long; none: as long as the purpose says.
    pub duration: Option<Duration>,
}

/// What a declaration that fits amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What for.
    pub purpose: PurposeId,
    /// Where.
    pub platforms: BTreeSet<PlatformId>,
    /// Which groups of activities.
    pub covers: BTreeSet<String>,
    /// Why, without surrounding space.
    pub statement: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// For how long it may go unused.
    pub idle: Option<Duration>,
}

/// What becomes of a declaration by the terms of its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// It fits, and nobody needs to approve it.
    Fit(Terms),
    /// It fits once one of these has approved it.
    NeedsApproval {
        /// What would be given.
        terms: Terms,
        /// Who could approve; empty: nobody can.
        by: Vec<SubjectId>,
    },
    /// It does not fit; everything that is wrong with it.
    Unfit(Vec<Unfit>),
}

/// The part of a declaration that does not fit: a form shows the sentence beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the declaration's fields")]
pub enum UnfitField {
    Purpose,
    Platforms,
    Covers,
    Statement,
    Ticket,
    Duration,
}

impl UnfitField {
    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Platforms => "platforms",
            Self::Covers => "covers",
            Self::Statement => "statement",
            Self::Ticket => "ticket",
            Self::Duration => "duration",
        }
    }
}

/// One thing about a declaration that does not fit, with what would. The portal's words make a sentence of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of the purpose's terms and of what was stated"
)]
pub enum Unfit {
    /// The catalogue does not have it; these are open to whoever states it.
    NoSuchPurpose {
        purpose: PurposeId,
        meant: Option<String>,
        theirs: BTreeSet<PurposeId>,
    },
    /// No rule opens anything for it, so that nobody is given it in vain.
    OpensNothing { purpose: PurposeId, owner: SubjectId },
    /// The rules let nothing pass there under it to whoever states it, for these reasons; elsewhere they do.
    OpensNothingThere(Vain),
    /// It is for these roles and departments.
    OtherPeople { purpose: PurposeId, open_to: Vec<String> },
    /// It takes a training that the person does not have, or not any more.
    Untrained { purpose: PurposeId, course: String },
    /// No platform is named.
    NoPlatform,
    /// It is meant for other platforms: those of `categories` where it has some, else those of `platforms`.
    OtherPlatform {
        purpose: PurposeId,
        platform: PlatformId,
        meant: Option<String>,
        categories: BTreeSet<Category>,
        platforms: BTreeSet<PlatformId>,
    },
    /// No group of activities is named.
    NoGroup,
    /// It covers other groups.
    OtherGroup {
        purpose: PurposeId,
        group: String,
        covers: BTreeSet<String>,
    },
    /// It lasts no longer than this when it covers these groups.
    TooLong {
        purpose: PurposeId,
        longest: Duration,
        covers: BTreeSet<String>,
    },
    /// The statement has fewer characters.
    ShortStatement { least: usize },
    /// The statement has more characters.
    LongStatement { most: usize },
    /// The statement repeats characters or words, and says nothing.
    EmptyStatement,
    /// The statement holds a character that nobody sees, and that changes what is read.
    InvisibleInStatement(Invisible),
    /// The ticket has more characters.
    LongTicket { most: usize },
    /// The ticket holds a character that nobody sees, and that changes what is read.
    InvisibleInTicket(Invisible),
    /// No ticket is named, which an emergency takes.
    NoTicket,
    /// The ticket is missing, or looks otherwise.
    OtherTicket { example: String, pattern: String },
}

/// A purpose that surely opens nothing on some platforms, at no time and by no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vain {
    /// The purpose.
    pub purpose: PurposeId,
    /// The platforms.
    pub platforms: BTreeSet<PlatformId>,
    /// What the rules say.
    pub why: Vec<Wording>,
    /// Whether what it covers is open there to whoever states it, and needs no purpose.
    pub is_open: bool,
    /// What it covers.
    pub covers: BTreeSet<String>,
    /// What it could cover beside, and would open something of there.
    pub further: BTreeSet<String>,
    /// Some platforms on which it opens something.
    pub elsewhere: BTreeSet<PlatformId>,
}

impl Vain {
    /// Whether it is the same, but on other platforms.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |vain: &Self| Self {
            platforms: BTreeSet::new(),
            ..vain.clone()
        };
        same(self) == same(other)
    }
}

impl Unfit {
    /// The part of the declaration that it is about.
    pub fn field(&self) -> UnfitField {
        match self {
            Self::NoSuchPurpose { .. }
            | Self::OpensNothing { .. }
            | Self::OtherPeople { .. }
            | Self::Untrained { .. } => UnfitField::Purpose,
            Self::NoPlatform | Self::OtherPlatform { .. } | Self::OpensNothingThere(_) => UnfitField::Platforms,
            Self::NoGroup | Self::OtherGroup { .. } => UnfitField::Covers,
            Self::TooLong { .. } => UnfitField::Duration,
            Self::ShortStatement { .. }
            | Self::LongStatement { .. }
            | Self::EmptyStatement
            | Self::InvisibleInStatement(_) => UnfitField::Statement,
            Self::LongTicket { .. } | Self::InvisibleInTicket(_) | Self::NoTicket | Self::OtherTicket { .. } => {
                UnfitField::Ticket
            }
        }
    }

    pub(super) fn no_such_purpose<'a>(
        id: &PurposeId,
        person: &Person,
        known: impl Iterator<Item = &'a Purpose> + Clone,
    ) -> Self {
        let theirs = known.clone().filter(|purpose| purpose.audience.holds(person));
        Self::NoSuchPurpose {
            purpose: id.clone(),
            meant: did_you_mean(id.as_str(), known.map(|purpose| purpose.id.as_str())).map(str::to_owned),
            theirs: theirs.map(|purpose| purpose.id.clone()).collect(),
        }
    }

    /// No rule opens anything for the purpose.
    pub fn opens_nothing(purpose: &Purpose) -> Self {
        Self::OpensNothing {
            purpose: purpose.id.clone(),
            owner: purpose.business_owner.clone(),
        }
    }
}

impl Purpose {
    /// What becomes of `declaration`, made by `person` at `at`.
    pub fn weigh(&self, declaration: &Declaration, person: &Person, at: Timestamp) -> Weighed {
        let mut unfit = Vec::new();
        self.weigh_person(person, at, &mut unfit);
        self.weigh_platforms(&declaration.platforms, &mut unfit);
        let covers = self.weigh_covers(declaration.covers.as_ref(), &mut unfit);
        let span = self.weigh_duration(declaration.duration, &covers, &mut unfit);
        weigh_statement(&declaration.statement, self.statement_min, &mut unfit);
        let ticket = self.weigh_ticket(declaration.ticket.as_deref(), &mut unfit);
        if !unfit.is_empty() {
            return Weighed::Unfit(unfit);
        }
        let terms = Terms {
            purpose: self.id.clone(),
            platforms: declaration.platforms.clone(),
            idle: self.idle_for(&covers),
            covers,
            statement: declaration.statement.trim().to_owned(),
            ticket,
            not_before: at,
            expires: at.plus(span),
        };
        if self.approval.is_needed() {
            let by = self.approvers_for(&person.id, person.manager.as_ref());
            Weighed::NeedsApproval { terms, by }
        } else {
            Weighed::Fit(terms)
        }
    }

    fn weigh_person(&self, person: &Person, at: Timestamp, unfit: &mut Vec<Unfit>) {
        if !self.audience.holds(person) {
            let open_to = self.audience.roles.iter().chain(&self.audience.departments);
            unfit.push(Unfit::OtherPeople {
                purpose: self.id.clone(),
                open_to: open_to.cloned().collect(),
            });
        }
        if let Some(course) = self.training.as_ref().filter(|_| !self.trained(person, at)) {
            unfit.push(Unfit::Untrained {
                purpose: self.id.clone(),
                course: course.clone(),
            });
        }
    }

    pub(super) fn weigh_platforms(&self, platforms: &BTreeSet<PlatformId>, unfit: &mut Vec<Unfit>) {
        if platforms.is_empty() {
            unfit.push(Unfit::NoPlatform);
        }
        for platform in platforms.difference(&self.platforms) {
            let meant = did_you_mean(platform.as_str(), self.platforms.iter().map(PlatformId::as_str));
            unfit.push(Unfit::OtherPlatform {
                purpose: self.id.clone(),
                platform: platform.clone(),
                meant: meant.map(str::to_owned),
                categories: self.categories.clone(),
                platforms: self.platforms.clone(),
            });
        }
    }

    pub(super) fn weigh_covers(&self, wanted: Option<&BTreeSet<String>>, unfit: &mut Vec<Unfit>) -> BTreeSet<String> {
        let Some(wanted) = wanted else {
            return self.covers.clone();
        };
        if wanted.is_empty() {
            unfit.push(Unfit::NoGroup);
        }
        for group in wanted.difference(&self.covers) {
            unfit.push(Unfit::OtherGroup {
                purpose: self.id.clone(),
                group: group.clone(),
                covers: self.covers.clone(),
            });
        }
        wanted.clone()
    }

    /// Whether a purpose covers this much and no more, so that there is a longest time for it.
    pub(super) fn can_cover(&self, covers: &BTreeSet<String>) -> bool {
        !covers.is_empty() && covers.is_subset(&self.covers)
    }

    fn weigh_duration(&self, wanted: Option<Duration>, covers: &BTreeSet<String>, unfit: &mut Vec<Unfit>) -> Duration {
        if !self.can_cover(covers) {
            return Duration::ZERO; // it does not fit, and no length would
        }
        let longest = self.longest_for(covers);
        let span = wanted.unwrap_or_else(|| self.default_for(covers));
        if span > longest || span.is_zero() {
            unfit.push(Unfit::TooLong {
                purpose: self.id.clone(),
                longest,
                covers: covers.clone(),
            });
        }
        span
    }

    pub(super) fn weigh_ticket(&self, ticket: Option<&str>, unfit: &mut Vec<Unfit>) -> Option<String> {
        let ticket = ticket.map(str::trim).filter(|ticket| !ticket.is_empty());
        if let Some(sign) = ticket.and_then(|ticket| Invisible::first_in(ticket, Lines::One)) {
            unfit.push(Unfit::InvisibleInTicket(sign));
            return ticket.map(str::to_owned);
        }
        let Some(rule) = &self.ticket else {
            if ticket.is_some_and(|ticket| ticket.chars().count() > LONGEST_TICKET) {
                unfit.push(Unfit::LongTicket { most: LONGEST_TICKET });
            }
            return ticket.map(str::to_owned);
        };
        let fits = ticket.is_none_or(|ticket| rule.pattern.is_match(ticket));
        if !fits || (rule.required && ticket.is_none()) {
            unfit.push(Unfit::OtherTicket {
                example: rule.example.clone(),
                pattern: rule.shown.clone(),
            });
        }
        ticket.map(str::to_owned)
    }
}

pub(super) fn weigh_statement(statement: &str, least: usize, unfit: &mut Vec<Unfit>) {
    let statement = statement.trim();
    let length = statement.chars().count();
    if let Some(sign) = Invisible::first_in(statement, Lines::Many) {
        unfit.push(Unfit::InvisibleInStatement(sign));
    } else if length < least {
        unfit.push(Unfit::ShortStatement { least });
    } else if length > MOST_STATED {
        unfit.push(Unfit::LongStatement { most: MOST_STATED });
    } else if least > 0 && is_filler(statement) {
        unfit.push(Unfit::EmptyStatement);
    }
}

/// Whether a statement says nothing: `aaaaaaaaaaaa`, `asdasdasdasd`, `work work work work`.
fn is_filler(statement: &str) -> bool {
    let letters: Vec<char> = statement
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let distinct: BTreeSet<&char> = letters.iter().collect();
    let repeats = |period: usize| letters.iter().zip(letters.iter().skip(period)).all(|(a, b)| a == b);
    // A text that repeats its start at least three times over: its longest period is a third of it.
    distinct.len() < 4 || (1..=letters.len() / 3).any(repeats)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Employment, SourceText};
    use crate::purpose::Purposes;

    const FILE: &str = r#"
[[purpose]]
id = "recruiting"
title = "Recruiting"
description = "Find candidates."
owner = "hana"
basis = "Steps prior to a contract"
roles = ["recruiter"]
platforms = ["linkedin", "xing"]
covers = ["read", "publish"]
approval = "none"
ticket = { pattern = "HR-[0-9]{1,6}", example = "HR-123" }
value-metric = "Candidates"
retention = "six months"
review = 2027-06-30

[[purpose]]
id = "brand-publishing"
title = "Brand"
description = "Speak for the brand."
owner = "mia"
basis = "Legitimate interest"
platforms = ["x"]
covers = ["read", "publish"]
approval = "owner"
training = "social-media"
value-metric = "Reach"
retention = "three years"
review = 2027-06-30
"#;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn purposes() -> Purposes {
        Purposes::parse(&SourceText::new("purposes.toml", FILE))
            .whole()
            .unwrap()
    }

    fn person(id: &str, role: &str) -> Person {
        Person {
            id: SubjectId::parse(id).unwrap(),
            name: id.to_owned(),
            roles: [role.to_owned()].into(),
            departments: BTreeSet::new(),
            employment: Employment::Employee,
            region: "eu-west".to_owned(),
            time_zone: "UTC".to_owned(),
            manager: Some(SubjectId::parse("nora").unwrap()),
            on_legal_hold: false,
            training: [("social-media".to_owned(), NOW.plus(Duration::from_secs(1)))].into(),
        }
    }

    fn declaration() -> Declaration {
        Declaration {
            purpose: PurposeId::new("recruiting"),
            platforms: [PlatformId::new("linkedin")].into(),
            covers: None,
            statement: "Find a backend engineer for Lyon".to_owned(),
            ticket: None,
            duration: None,
        }
    }

    fn weigh(declaration: &Declaration) -> Weighed {
        purposes().weigh(declaration, &person("ada", "recruiter"), NOW)
    }

    fn unfit(declaration: &Declaration) -> Vec<Unfit> {
        match weigh(declaration) {
            Weighed::Unfit(unfit) => unfit,
            fit @ (Weighed::Fit(_) | Weighed::NeedsApproval { .. }) => panic!("it fits: {fit:?}"),
        }
    }

    #[test]
    fn a_declaration_that_fits_lasts_as_long_as_its_strictest_group() {
        let Weighed::Fit(terms) = weigh(&declaration()) else {
            panic!("unfit")
        };
        assert_eq!(terms.expires.since(NOW), Duration::from_hours(1));
        let reading = Declaration {
            covers: Some(["read".to_owned()].into()),
            ..declaration()
        };
        let Weighed::Fit(terms) = weigh(&reading) else {
            panic!("unfit")
        };
        assert_eq!(terms.expires.since(NOW), Duration::from_hours(8));
    }

    #[test]
    fn a_statement_that_is_short_or_says_nothing_is_not_accepted() {
        for statement in [
            "",
            "work",
            "aaaaaaaaaaaaaaaa",
            "asdasdasdasdasd",
            "work work work work",
            "  hiring    ",
            "............",
        ] {
            let found = unfit(&Declaration {
                statement: statement.to_owned(),
                ..declaration()
            });
            assert_eq!(found[0].field(), UnfitField::Statement, "{statement:?}");
        }
        for statement in [
            "Sourcing for HR-12",
            "Réponse à une candidate",
            "採用候補者を探して連絡するため、調査",
        ] {
            let one = Declaration {
                statement: statement.to_owned(),
                ..declaration()
            };
            assert!(matches!(weigh(&one), Weighed::Fit(_)), "{statement:?}");
        }
    }

    #[test]
    fn a_ticket_must_match_as_a_whole() {
        for (ticket, fits) in [
            ("HR-12", true),
            (" HR-12 ", true),
            ("xHR-12", false),
            ("HR-12; drop", false),
            ("", true),
        ] {
            let one = Declaration {
                ticket: Some(ticket.to_owned()),
                ..declaration()
            };
            assert_eq!(matches!(weigh(&one), Weighed::Fit(_)), fits, "{ticket:?}");
        }
    }

    #[test]
    fn a_character_that_nobody_sees_is_told_by_its_name_whatever_else_is_written() {
        let found = unfit(&Declaration {
            statement: "\u{202e}x".to_owned(),
            ticket: Some("HR-1\u{2066}".to_owned()),
            ..declaration()
        });
        let [Unfit::InvisibleInStatement(first), Unfit::InvisibleInTicket(second)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            (first.to_string(), second.to_string()),
            ("U+202E".to_owned(), "U+2066".to_owned())
        );
        let lines = Declaration {
            statement: "Two candidates:\n\tone in Lyon\r\n\tone in Nice\r\n".to_owned(),
            ..declaration()
        };
        assert!(matches!(weigh(&lines), Weighed::Fit(_)));
    }

    #[test]
    fn a_duration_over_the_ceiling_names_the_longest() {
        let found = unfit(&Declaration {
            duration: Some(Duration::from_hours(9)),
            ..declaration()
        });
        assert_eq!(
            found,
            [Unfit::TooLong {
                purpose: PurposeId::new("recruiting"),
                longest: Duration::from_hours(8),
                covers: ["publish".to_owned(), "read".to_owned()].into(),
            }]
        );
    }

    #[test]
    fn platforms_groups_and_audience_are_checked_together() {
        let one = Declaration {
            platforms: [PlatformId::new("linkdin"), PlatformId::new("tiktok")].into(),
            covers: Some(["administer".to_owned()].into()),
            ..declaration()
        };
        let Weighed::Unfit(found) = purposes().weigh(&one, &person("ben", "marketer"), NOW) else {
            panic!("it fits")
        };
        let fields: Vec<UnfitField> = found.iter().map(Unfit::field).collect();
        let expected = [
            UnfitField::Purpose,
            UnfitField::Platforms,
            UnfitField::Platforms,
            UnfitField::Covers,
        ];
        assert_eq!(fields, expected, "{found:?}");
        let Unfit::OtherPlatform { meant, .. } = &found[1] else {
            panic!("{found:?}")
        };
        assert_eq!(meant.as_deref(), Some("linkedin"));
    }

    #[test]
    fn a_group_that_a_purpose_does_not_cover_is_not_said_to_last_no_time() {
        for covers in [&["read", "reed"][..], &[]] {
            let found = unfit(&Declaration {
                covers: Some(covers.iter().map(|group| (*group).to_owned()).collect()),
                duration: Some(Duration::from_hours(1)),
                ..declaration()
            });
            let fields: Vec<UnfitField> = found.iter().map(Unfit::field).collect();
            assert_eq!(fields, [UnfitField::Covers], "{found:?}");
        }
    }

    #[test]
    fn an_unknown_purpose_is_answered_with_the_one_that_was_meant() {
        let found = unfit(&Declaration {
            purpose: PurposeId::new("recruting"),
            ..declaration()
        });
        assert_eq!(
            found,
            [Unfit::NoSuchPurpose {
                purpose: PurposeId::new("recruting"),
                meant: Some("recruiting".to_owned()),
                theirs: [PurposeId::new("recruiting"), PurposeId::new("brand-publishing")].into(),
            }]
        );
    }

    #[test]
    fn approval_is_the_owners_and_an_owner_asks_the_manager() {
        let one = Declaration {
            purpose: PurposeId::new("brand-publishing"),
            platforms: [PlatformId::new("x")].into(),
            ..declaration()
        };
        for (who, approver) in [("ben", "mia"), ("mia", "nora")] {
            let Weighed::NeedsApproval { by, .. } = purposes().weigh(&one, &person(who, "marketer"), NOW) else {
                panic!("no approval needed")
            };
            assert_eq!(by, [SubjectId::parse(approver).unwrap()]);
        }
    }

    #[test]
    fn a_training_that_has_just_run_out_does_not_count() {
        let one = Declaration {
            purpose: PurposeId::new("brand-publishing"),
            platforms: [PlatformId::new("x")].into(),
            ..declaration()
        };
        let later = NOW.plus(Duration::from_secs(1));
        let weighed = purposes().weigh(&one, &person("ben", "marketer"), later);
        assert!(matches!(weighed, Weighed::Unfit(_)), "{weighed:?}");
    }
}
