//! `purposes.toml` -> purposes, with places and suggestions for what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lifetime::{Lifetime, parse_duration};
use super::terms::{Audience, GROUPS, Purpose, TicketRule};
use super::{Purposes, chain_read};
use crate::facts::fields::{At, Fields, Reader, list};
use crate::facts::{Category, Partial, PlatformId, PurposeId, SourceText, SubjectId, Wording, did_you_mean};

const FILE: &[&str] = &["defaults", "purpose"];
const DEFAULTS: &[&str] = &["lifetime", "longest", "idle", "statement-min", "answer-within"];
const PURPOSE: &[&str] = &[
    "id",
    "title",
    "description",
    "owner",
    "basis",
    "roles",
    "departments",
    "categories",
    "platforms",
    "covers",
    "lifetime",
    "longest",
    "idle",
    "approval",
    "alternates",
    "answer-within",
    "ticket",
    "training",
    "statement-min",
    "alternative",
    "value-metric",
    "retention",
    "review",
];
/// How long a declaration may wait for an answer: long enough to be seen, and not forgotten.
const ANSWER_WITHIN: std::ops::RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(30 * 24);
/// How long a grant may go unused at least: pages are read, and answers thought about.
const IDLE_LEAST: Duration = Duration::from_mins(1);
/// The value of a purpose of which nothing is counted.
const NOT_COUNTED: &str = "none";
const TICKET: &[&str] = &["pattern", "example", "required"];

/// What a purpose says unless it says otherwise.
struct Defaults {
    lifetimes: BTreeMap<String, Lifetime>,
    idle: BTreeMap<String, Duration>,
    statement_min: usize,
    answer_within: Duration,
}

pub(super) fn purposes(file: &SourceText) -> Partial<Purposes> {
    let reader = Reader::new(file, "purposes");
    let by_id = reader.read(FILE, |fields| {
        let defaults = defaults(fields);
        let mut by_id = BTreeMap::new();
        for entry in fields.tables("purpose", PURPOSE) {
            let Some(purpose) = purpose(&entry, &defaults) else {
                continue;
            };
            let id = purpose.id.clone();
            if by_id.insert(id.clone(), purpose).is_some() {
                let message = format!("the purpose `{id}` is described twice");
                entry.report("repeated", entry.place("id"), message, "keep one of them");
            }
        }
        by_id
    });
    let has_every_name = reader.has_every_name();
    Partial::new(Purposes { by_id }, reader.into_problems(), has_every_name)
}

fn defaults(fields: &Fields<'_, '_>) -> Defaults {
    let hours = Duration::from_hours;
    let lifetime = |default_for, longest_for| Lifetime {
        default_for: hours(default_for),
        longest_for: hours(longest_for),
    };
    let house = BTreeMap::from([
        ("read".to_owned(), lifetime(8, 24)),
        ("engage".to_owned(), lifetime(8, 24)),
        ("publish".to_owned(), lifetime(1, 8)),
        ("administer".to_owned(), lifetime(1, 8)),
    ]);
    let Some(entry) = fields.table("defaults", DEFAULTS) else {
        return Defaults {
            lifetimes: house,
            idle: BTreeMap::new(),
            statement_min: 12,
            answer_within: hours(48),
        };
    };
    let lifetimes = lifetimes(&entry, &house);
    Defaults {
        idle: idle(&entry, &BTreeMap::new(), &lifetimes),
        lifetimes,
        statement_min: statement_min(&entry).unwrap_or(12),
        answer_within: answer_within(&entry).unwrap_or(hours(48)),
    }
}

/// The purpose of one entry; none where it has no name, which is noted.
fn purpose(entry: &Fields<'_, '_>, defaults: &Defaults) -> Option<Purpose> {
    let mut spans = BTreeMap::new();
    let mut words = |key: &str| -> BTreeSet<String> {
        let texts = entry.texts(key);
        spans.extend(
            texts
                .iter()
                .map(|text| ((key.to_owned(), text.value.to_owned()), text.span)),
        );
        texts.iter().map(|text| text.value.to_owned()).collect()
    };
    let audience = Audience {
        roles: words("roles"),
        departments: words("departments"),
    };
    let categories: BTreeSet<Category> = words("categories").into_iter().map(Category::new).collect();
    let platforms: BTreeSet<PlatformId> = words("platforms").into_iter().map(PlatformId::new).collect();
    if categories.is_empty() && platforms.is_empty() {
        let help = "add `categories = [\"social-media\"]` or `platforms = [\"linkedin\"]`";
        entry.report("nowhere", entry.span, "the purpose is meant for no platform", help);
    }
    let id = entry.name("id");
    spans.extend(id.map(|id| (("id".to_owned(), id.value.to_owned()), id.span)));
    let business_owner = owner(entry);
    let owned_by = business_owner.as_ref().map(SubjectId::to_string);
    spans.extend(owned_by.map(|owner| (("owner".to_owned(), owner), entry.place("owner"))));
    let approval = chain_read::approval(entry, &mut spans);
    let answer_within = answer_within(entry).unwrap_or(defaults.answer_within);
    let alternates = chain_read::alternates(entry, (&approval, answer_within), &mut spans);
    let lifetimes = lifetimes(entry, &defaults.lifetimes);
    let review = review(entry);
    spans.insert(("review".to_owned(), review.clone()), entry.place("review"));
    let purpose = Purpose {
        id: PurposeId::new(id.map_or("", |id| id.value)),
        title: entry.needed_wording("title"),
        description: entry.needed_wording("description"),
        // What is missing or cannot be read is a problem, so these guesses never rule.
        business_owner: business_owner.or_else(|| SubjectId::parse("nobody").ok())?,
        basis: entry.needed_wording("basis"),
        audience,
        categories,
        platforms,
        covers: covers(entry),
        idle: idle(entry, &defaults.idle, &lifetimes),
        lifetimes,
        approval,
        alternates,
        answer_within,
        ticket: ticket(entry),
        training: entry.text("training").map(|course| course.value.to_owned()),
        statement_min: statement_min(entry).unwrap_or(defaults.statement_min),
        alternative: entry.wording("alternative"),
        value_metric: value_metric(entry),
        retention: entry.needed_wording("retention"),
        review,
        spans,
    };
    id.map(|_| purpose)
}

/// What is counted; none where the file says so.
fn value_metric(entry: &Fields<'_, '_>) -> Option<Wording> {
    let metric = entry.needed_wording("value-metric");
    (*metric != *NOT_COUNTED).then_some(metric)
}

fn owner(entry: &Fields<'_, '_>) -> Option<SubjectId> {
    let name = entry.needed("owner");
    match SubjectId::parse(name.value) {
        Ok(owner) => Some(owner),
        Err(bad) => {
            if entry.has("owner") {
                entry.report("bad-name", name.span, bad.to_string(), "name a person of `people/`");
            }
            None
        }
    }
}

fn covers(entry: &Fields<'_, '_>) -> BTreeSet<String> {
    let words = entry.texts("covers");
    for word in &words {
        check_group(entry, word.value, word.span);
    }
    if words.is_empty() {
        let help = format!("add `covers = [\"read\"]`; groups are {}", list(GROUPS.into_iter()));
        entry.report("covers-nothing", entry.span, "the purpose covers no activities", help);
    }
    words.iter().map(|word| word.value.to_owned()).collect()
}

fn check_group(entry: &Fields<'_, '_>, group: &str, span: (usize, usize)) {
    if !GROUPS.contains(&group) {
        let help = match did_you_mean(group, GROUPS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("groups are {}", list(GROUPS.into_iter())),
        };
        let message = format!("`{group}` is not a group of activities that a grant can cover");
        entry.report("unknown-group", span, message, help);
    }
}

/// The lifetimes of `entry`, on top of `base`; a default that is over its ceiling is a mistake.
fn lifetimes(entry: &Fields<'_, '_>, base: &BTreeMap<String, Lifetime>) -> BTreeMap<String, Lifetime> {
    let mut lifetimes = base.clone();
    for key in ["longest", "lifetime"] {
        let Some(table) = entry.table(key, &[]) else { continue };
        for (group, span) in table.keys() {
            check_group(entry, group, span);
            let Some(text) = table.text(group) else { continue };
            let span = match parse_duration(text.value) {
                Ok(span) => span,
                Err(bad) => {
                    entry.report("bad-duration", text.span, bad.to_string(), "write `8h`");
                    continue;
                }
            };
            let Some(lifetime) = lifetimes.get_mut(group) else {
                continue;
            };
            if key == "longest" {
                lifetime.longest_for = span;
                lifetime.default_for = lifetime.default_for.min(span);
            } else if span > lifetime.longest_for {
                let longest = super::show_duration(lifetime.longest_for);
                let message = format!("`{group}` lasts longer by default than the {longest} that it may");
                entry.report("over-ceiling", text.span, message, "shorten it, or raise `longest`");
            } else {
                lifetime.default_for = span;
            }
        }
    }
    lifetimes
}

/// How long grants of `entry` may go unused: what it says of some groups or of all, on top of `base`. A limit of its own
/// that no grant lives to reach is a mistake.
fn idle(
    entry: &Fields<'_, '_>,
    base: &BTreeMap<String, Duration>,
    lifetimes: &BTreeMap<String, Lifetime>,
) -> BTreeMap<String, Duration> {
    let mut idle = base.clone();
    for (groups, text) in idle_texts(entry) {
        let span = match parse_duration(text.value) {
            Ok(span) => span,
            Err(bad) => {
                entry.report("bad-duration", text.span, bad.to_string(), "write `30m`");
                continue;
            }
        };
        if span < IDLE_LEAST {
            let least = super::show_duration(IDLE_LEAST);
            let message = format!("a grant may go unused for {least} at least");
            entry.report("bad-idle", text.span, message, "write `30m`");
        }
        let lasts = |group: &&str| {
            lifetimes
                .get(*group)
                .is_some_and(|lifetime| span < lifetime.longest_for)
        };
        if !groups.iter().any(lasts) {
            let message = "no grant lasts long enough to go unused for so long";
            entry.report("bad-idle", text.span, message, "shorten it, or leave it out");
        }
        idle.extend(groups.iter().map(|group| ((*group).to_owned(), span)));
    }
    idle
}

/// Which groups may go unused for how long, as written: `idle = "30m"` speaks of all, `idle = { publish = "15m" }` of one.
fn idle_texts<'t>(entry: &Fields<'t, '_>) -> Vec<(Vec<&'t str>, At<&'t str>)> {
    if entry.is_text("idle") {
        let all = entry.text("idle").map(|text| (GROUPS.to_vec(), text));
        return all.into_iter().collect();
    }
    let Some(table) = entry.table("idle", &[]) else {
        return Vec::new();
    };
    let of_group = |(group, span)| {
        check_group(entry, group, span);
        Some((vec![group], table.text(group)?))
    };
    table.keys().filter_map(of_group).collect()
}

fn statement_min(entry: &Fields<'_, '_>) -> Option<usize> {
    let number = entry.number("statement-min")?;
    if number.value > 500 {
        entry.report(
            "too-long",
            number.span,
            "nobody writes that much",
            "ask for at most 500 characters",
        );
    }
    usize::try_from(number.value).ok()
}

fn answer_within(entry: &Fields<'_, '_>) -> Option<Duration> {
    let text = entry.text("answer-within")?;
    let span = match parse_duration(text.value) {
        Ok(span) => span,
        Err(bad) => {
            entry.report("bad-duration", text.span, bad.to_string(), "write `2d`");
            return None;
        }
    };
    if !ANSWER_WITHIN.contains(&span) {
        let [least, most] = [ANSWER_WITHIN.start(), ANSWER_WITHIN.end()].map(|bound| super::show_duration(*bound));
        let message = format!("a declaration waits for an answer from {least} to {most}");
        entry.report("bad-wait", text.span, message, "write `2d`");
    }
    Some(span)
}

fn ticket(entry: &Fields<'_, '_>) -> Option<TicketRule> {
    let rule = entry.table("ticket", TICKET)?;
    let shown = rule.needed("pattern");
    let example = rule.needed("example");
    let whole = format!("^(?:{})$", shown.value);
    let pattern = match regex::RegexBuilder::new(&whole).size_limit(1 << 20).build() {
        Ok(pattern) => pattern,
        Err(bad) => {
            let message = format!("`{}` is not a pattern: {}", shown.value, first_line(&bad));
            entry.report(
                "bad-pattern",
                shown.span,
                message,
                "write a regular expression, e.g. `HR-[0-9]+`",
            );
            return None;
        }
    };
    if !pattern.is_match(example.value) {
        let message = format!("the example `{}` does not match the pattern", example.value);
        entry.report("bad-example", example.span, message, "give a ticket that matches");
    }
    Some(TicketRule {
        pattern,
        shown: shown.value.to_owned(),
        example: example.value.to_owned(),
        required: rule.flag("required").unwrap_or(false),
    })
}

fn first_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim().to_lowercase()
}

fn review(entry: &Fields<'_, '_>) -> String {
    let Some(date) = entry.moment("review") else {
        entry.report(
            "missing-key",
            entry.span,
            "`review` is missing",
            "add `review = 2027-06-30`",
        );
        return String::new();
    };
    if date.value.parse::<jiff::civil::Date>().is_err() {
        let message = format!("`{}` is not a date", date.value);
        entry.report("bad-date", date.span, message, "write `2027-06-30`");
    }
    date.value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Language;

    const ONE: &str = r#"
[[purpose]]
id = "recruiting"
title = "Recruiting"
description = "Find candidates."
owner = "hana"
basis = "Steps prior to a contract"
categories = ["professional"]
covers = ["read", "publish"]
value-metric = "Candidates"
retention = "six months"
approval = "owner"
review = 2027-06-30
"#;

    fn problems(text: &str) -> Vec<String> {
        let file = SourceText::new("purposes.toml", text);
        let found = purposes(&file).whole().err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_purpose_is_past_its_review_once_that_day_is_over() {
        let found = purposes(&SourceText::new("purposes.toml", ONE)).whole().unwrap();
        let recruiting = found.get(&PurposeId::new("recruiting")).unwrap();
        let past = |at: &str| recruiting.is_past_review(at.parse().unwrap());
        assert!(!past("2026-11-28T05:00:00Z") && !past("2027-06-30T23:59:59Z"));
        assert!(past("2027-07-01T00:00:00Z"));
    }

    #[test]
    fn lifetimes_come_from_the_house_unless_the_file_or_the_purpose_says_otherwise() {
        let defaults = "[defaults]\nlongest = { publish = \"30m\" }\n";
        let file = SourceText::new(
            "purposes.toml",
            format!("{defaults}{ONE}lifetime = {{ read = \"2h\" }}\n"),
        );
        let read = purposes(&file).whole().unwrap();
        let recruiting = &read.by_id[&PurposeId::new("recruiting")];
        let minutes = |groups: &[&str]| {
            let covers = groups.iter().map(|group| (*group).to_owned()).collect();
            (
                recruiting.default_for(&covers).as_secs() / 60,
                recruiting.longest_for(&covers).as_secs() / 60,
            )
        };
        assert_eq!(minutes(&["read"]), (120, 1_440));
        assert_eq!(minutes(&["read", "publish"]), (30, 30));
    }

    #[test]
    fn every_mistake_of_a_purpose_is_reported_at_its_place() {
        let bad = ONE
            .replace("categories", "categorys")
            .replace("\"publish\"", "\"publsh\"")
            .replace("review = 2027-06-30", "review = \"soon\"")
            .replace("\"owner\"", "\"ownr\"")
            + "lifetime = { read = \"3 weeks\" }\nticket = { pattern = \"HR-(\", example = \"HR-1\" }\n";
        let found = problems(&bad);
        let starts = [
            "purposes.toml:8:1: `categorys` is not known here (did you mean `categories`?)",
            "purposes.toml:2:1: the purpose is meant for no platform",
            "purposes.toml:12:12: `ownr` is not a value of `approval` (did you mean `owner`?)",
            "purposes.toml:9:19: `publsh` is not a group of activities that a grant can cover (did you mean `publish`?)",
            "purposes.toml:14:21: `3 weeks` is not a duration",
            "purposes.toml:15:22: `HR-(` is not a pattern",
            "purposes.toml:13:10: `soon` is not a date",
        ];
        for start in starts {
            assert!(
                found.iter().any(|problem| problem.starts_with(start)),
                "{start}\n{found:#?}"
            );
        }
        assert_eq!(found.len(), starts.len(), "{found:#?}");
    }

    #[test]
    fn how_long_a_grant_may_go_unused_is_said_of_all_groups_or_of_some_and_counts_by_the_strictest() {
        let read = |defaults: &str, own: &str| {
            let file = SourceText::new("purposes.toml", format!("[defaults]\n{defaults}\n{ONE}{own}\n"));
            let read = purposes(&file).whole().unwrap();
            let recruiting = &read.by_id[&PurposeId::new("recruiting")];
            [&["read"][..], &["read", "publish"]].map(|groups| {
                let covers = groups.iter().map(|group| (*group).to_owned()).collect();
                recruiting.idle_for(&covers).map(|idle| idle.as_secs() / 60)
            })
        };
        assert_eq!(read("", ""), [None, None]);
        assert_eq!(read("idle = \"2h\"", ""), [Some(120), Some(120)]);
        assert_eq!(
            read("idle = \"2h\"", "idle = { publish = \"15m\" }"),
            [Some(120), Some(15)]
        );
        assert_eq!(read("", "idle = { publish = \"15m\" }"), [None, Some(15)]);
        for (bad, says) in [
            ("\"soon\"", "not a duration"),
            ("\"30s\"", "for 1m at least"),
            ("{ publish = \"8h\" }", "no grant lasts long enough"),
            ("{ publsh = \"1h\" }", "not a group of activities"),
            ("30", "`idle` is an integer"),
        ] {
            let found = problems(&format!("{ONE}idle = {bad}\n"));
            assert!(found.iter().any(|problem| problem.contains(says)), "{bad}: {found:?}");
        }
    }

    #[test]
    fn a_default_over_its_ceiling_and_an_example_that_does_not_match_are_mistakes() {
        let found = problems(&format!(
            "{ONE}lifetime = {{ publish = \"9h\" }}\nticket = {{ pattern = \"HR-[0-9]+\", example = \"HR-\" }}\n"
        ));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("longer by default than the 8h that it may"),
            "{found:?}"
        );
        assert!(found[1].contains("does not match the pattern"), "{found:?}");
    }

    #[test]
    fn whose_approval_a_purpose_needs_must_be_said_even_if_it_is_nobodys() {
        let found = problems(&ONE.replace("approval = \"owner\"\n", ""));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`approval` is missing"), "{found:?}");
        assert_eq!(problems(&ONE.replace("\"owner\"", "\"none\"")), [""; 0]);
    }

    #[test]
    fn how_long_a_declaration_waits_comes_from_the_house_the_file_or_the_purpose_and_has_bounds() {
        let read = |defaults: &str, own: &str| {
            let file = SourceText::new("purposes.toml", format!("[defaults]\n{defaults}\n{ONE}{own}\n"));
            purposes(&file).whole().unwrap().by_id[&PurposeId::new("recruiting")].answer_within
        };
        let (by_file, by_purpose) = ("answer-within = \"1d\"", "answer-within = \"4h\"");
        assert_eq!(read("", ""), Duration::from_hours(48));
        assert_eq!(read(by_file, ""), Duration::from_hours(24));
        assert_eq!(read(by_file, by_purpose), Duration::from_hours(4));
        for (bad, says) in [
            ("4m", "from 5m to 30d"),
            ("31d", "from 5m to 30d"),
            ("soon", "not a duration"),
        ] {
            let found = problems(&format!("{ONE}answer-within = \"{bad}\"\n"));
            assert!(found.len() == 1 && found[0].contains(says), "{bad}: {found:?}");
        }
    }

    #[test]
    fn what_people_read_is_one_text_or_one_in_each_language() {
        let both = ONE
            .replace("\"Recruiting\"", "{ fr = \"Recrutement\", en = \"Recruiting\" }")
            .replace("\"Find candidates.\"", "{ fr = \"Trouver des candidats.\" }");
        let file = SourceText::new("purposes.toml", both + "alternative = \"The fair\"\n");
        let read = purposes(&file).whole().unwrap();
        let read = &read.by_id[&PurposeId::new("recruiting")];
        let said = |language| {
            let alternative = read.alternative.as_ref().unwrap();
            [&read.title, &read.description, alternative].map(|text| text.said_in(language))
        };
        assert_eq!(said(Language::En), ["Recruiting", "Trouver des candidats.", "The fair"]);
        assert_eq!(
            said(Language::Fr),
            ["Recrutement", "Trouver des candidats.", "The fair"]
        );
        assert_eq!(&*read.title, "Recruiting", "whatever stands first");
    }

    #[test]
    fn an_empty_text_and_a_language_that_nobody_speaks_here_are_mistakes() {
        for (title, says) in [
            ("\" \"", "`title` says nothing"),
            ("{ en = \"Recruiting\", fr = \"\" }", "`title` says nothing in `fr`"),
            ("{}", "`title` says nothing"),
            (
                "{ en = \"Recruiting\", fra = \"Recrutement\" }",
                "`fra` is not known here (did you mean `fr`?)",
            ),
            ("{ en = 7 }", "`en` is an integer"),
            ("7", "write a text in quotes, or one for each language"),
        ] {
            let found = problems(&ONE.replace("\"Recruiting\"", title));
            assert!(found.iter().any(|problem| problem.contains(says)), "{title}: {found:?}");
        }
    }

    #[test]
    fn a_purpose_described_twice_is_a_mistake() {
        assert_eq!(problems(&format!("{ONE}{ONE}")).len(), 1);
    }
}
