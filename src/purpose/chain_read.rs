//! Reads whose approval a purpose takes: one word, or a table that names people and says how many of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::chain::{Alternates, Approval, Approver, Needed};
use super::lifetime::parse_duration;
use crate::facts::fields::{At, Fields};

const CHAIN: &[&str] = &["of", "needed"];
const ALTERNATES: &[&str] = &["after", "who"];
const EACH: &str = "all";

/// Where the file names what other files must know.
type Spans = BTreeMap<(String, String), (usize, usize)>;

#[derive(Clone, Copy)]
enum Short {
    None,
    Owner,
    Manager,
}

/// Who must approve. What cannot be read is a problem, so a guess never rules.
pub(super) fn approval(entry: &Fields<'_, '_>, spans: &mut Spans) -> Approval {
    if !entry.has("approval") {
        let help = "add `approval = \"owner\"`; it is `none`, `owner`, `manager`, or a table such as `{ of = [\"owner\", \
                    \"group:legal\"], needed = 2 }`";
        entry.report("missing-key", entry.span, "`approval` is missing", help);
        return Approval::by_owner();
    }
    if !entry.is_text("approval") {
        let chain = entry.table("approval", CHAIN);
        return chain.map_or_else(Approval::by_owner, |table| chain_of(&table, spans));
    }
    let known = [
        ("none", Short::None),
        ("owner", Short::Owner),
        ("manager", Short::Manager),
    ];
    match entry.choice("approval", &known).unwrap_or(Short::Owner) {
        Short::None => Approval::default(),
        Short::Owner => Approval::by_owner(),
        Short::Manager => Approval::by_manager(),
    }
}

fn chain_of(table: &Fields<'_, '_>, spans: &mut Spans) -> Approval {
    let of = approvers(table, "of", spans);
    if of.is_empty() && table.texts("of").is_empty() {
        let help = "add `of = [\"owner\", \"group:legal\"]`, or write `approval = \"none\"`";
        table.report("no-approvers", table.span, "nobody is named who could approve", help);
    }
    let needed = needed(table, &of);
    Approval { of, needed }
}

/// Who may answer as well, and after how long.
pub(super) fn alternates(
    entry: &Fields<'_, '_>,
    (approval, within): (&Approval, Duration),
    spans: &mut Spans,
) -> Option<Alternates> {
    let table = entry.table("alternates", ALTERNATES)?;
    let who = approvers(&table, "who", spans);
    if who.is_empty() && table.texts("who").is_empty() {
        let help = "add `who = [\"group:legal\"]`";
        table.report(
            "no-approvers",
            table.span,
            "nobody is named who could answer as well",
            help,
        );
    }
    if !approval.is_needed() {
        let help = "remove `alternates`, or say whose approval it takes";
        entry.report(
            "bad-alternates",
            table.span,
            "nobody must approve, so nothing waits",
            help,
        );
    }
    let text = table.needed("after");
    let after = match parse_duration(text.value) {
        Ok(after) => after,
        Err(bad) => {
            if table.has("after") {
                entry.report("bad-duration", text.span, bad.to_string(), "write `30m`");
            }
            return None;
        }
    };
    if after >= within {
        let message = "by then it has lapsed: `answer-within` is no longer than that";
        entry.report(
            "bad-alternates",
            text.span,
            message,
            "shorten it, or raise `answer-within`",
        );
    }
    Some(Alternates { after, who })
}

/// Those whom a list names.
pub(super) fn approvers(table: &Fields<'_, '_>, key: &str, spans: &mut Spans) -> Vec<Approver> {
    let mut seen = BTreeSet::new();
    let mut of = Vec::new();
    for word in table.texts(key) {
        if !seen.insert(word.value) {
            let message = format!("`{}` is named twice", word.value);
            table.report("repeated", word.span, message, "name it once: nobody counts twice");
            continue;
        }
        match Approver::parse(word.value) {
            Ok(approver) => {
                note(&approver, word, spans);
                of.push(approver);
            }
            Err(bad) => {
                let help = "write `owner`, `manager`, `group:` with a role or department, or the name of a person";
                table.report("bad-name", word.span, bad.to_string(), help);
            }
        }
    }
    of
}

fn note(approver: &Approver, word: At<&str>, spans: &mut Spans) {
    let named = match approver {
        Approver::Owner | Approver::Manager => return,
        Approver::Group(group) => ("approver-group".to_owned(), group.clone()),
        Approver::Person(id) => ("approver".to_owned(), id.to_string()),
    };
    spans.insert(named, word.span);
}

fn needed(table: &Fields<'_, '_>, of: &[Approver]) -> Needed {
    if table.is_text("needed") {
        let each = table.choice("needed", &[(EACH, Needed::Each)]);
        return each.unwrap_or_default();
    }
    let Some(number) = table.number("needed") else {
        return Needed::default();
    };
    let has_groups = of.iter().any(|one| matches!(one, Approver::Group(_)));
    let count = usize::try_from(number.value).unwrap_or(usize::MAX);
    if count == 0 {
        let help = "write `needed = 1`, or `approval = \"none\"`";
        table.report("bad-needed", number.span, "nobody is needed", help);
    } else if count > of.len() && !has_groups && !of.is_empty() {
        let message = format!("{count} approvals are needed, and {} can be given", of.len());
        table.report("bad-needed", number.span, message, "need fewer, or name more people");
    }
    Needed::People(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;
    use crate::purpose::Purposes;

    /// What a purpose with this line takes, or what is wrong with it.
    fn read(line: &str) -> Result<Approval, Vec<String>> {
        let text = format!(
            "[[purpose]]\nid = \"board\"\ntitle = \"Board\"\ndescription = \"Speak.\"\nowner = \"nora\"\nbasis = \"None\"\n\
             platforms = [\"x\"]\ncovers = [\"read\"]\nvalue-metric = \"Reach\"\nretention = \"none\"\n\
             review = 2027-06-30\n{line}\n"
        );
        let read = Purposes::parse(&SourceText::new("purposes.toml", text)).whole();
        let read = read.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Ok(read.iter().next().unwrap().approval.clone())
    }

    #[test]
    fn one_word_or_a_list_says_who_must_approve() {
        assert_eq!(read("approval = \"none\"").unwrap(), Approval::default());
        assert_eq!(read("approval = \"owner\"").unwrap(), Approval::by_owner());
        assert_eq!(read("approval = \"manager\"").unwrap(), Approval::by_manager());
        let words = |line: &str| {
            let read = read(line).unwrap();
            let of: Vec<String> = read.of.iter().map(ToString::to_string).collect();
            (of.join(" "), read.needed)
        };
        let of = "of = [\"owner\", \"manager\", \"group:legal\", \"alice\"]";
        let named = "owner manager group:legal alice".to_owned();
        let one = words(&format!("approval = {{ {of} }}"));
        assert_eq!(one, (named.clone(), Needed::People(1)));
        assert_eq!(
            words(&format!("approval = {{ {of}, needed = 3 }}")),
            (named.clone(), Needed::People(3))
        );
        assert_eq!(
            words(&format!("approval = {{ {of}, needed = \"all\" }}")),
            (named, Needed::Each)
        );
    }

    #[test]
    fn others_may_answer_after_some_time_but_not_when_it_is_too_late_or_nothing_waits() {
        let told = |line: &str| read(line).err().unwrap_or_default().join("\n");
        let owner = "approval = \"owner\"\nanswer-within = \"2h\"\n";
        let right = told(&format!(
            "{owner}alternates = {{ after = \"30m\", who = [\"group:legal\", \"alice\"] }}"
        ));
        assert_eq!(right, "");
        for (line, says) in [
            (
                format!("{owner}alternates = {{ after = \"2h\", who = [\"alice\"] }}"),
                "by then it has lapsed",
            ),
            (
                format!("{owner}alternates = {{ after = \"soon\", who = [\"alice\"] }}"),
                "soon",
            ),
            (format!("{owner}alternates = {{ who = [\"alice\"] }}"), "`after`"),
            (
                format!("{owner}alternates = {{ after = \"30m\" }}"),
                "nobody is named who could answer as well",
            ),
            (
                "approval = \"none\"\nalternates = { after = \"30m\", who = [\"alice\"] }".to_owned(),
                "nobody must approve",
            ),
        ] {
            let told = told(&line);
            assert!(told.contains(says), "{line}: {told}");
        }
    }

    #[test]
    fn what_cannot_be_approved_or_makes_no_sense_is_told_with_its_place() {
        let told = |line: &str| read(line).unwrap_err().join("\n");
        for (line, says) in [
            ("", "`approval` is missing"),
            ("approval = \"boss\"", "`boss` is not a value of `approval`"),
            ("approval = { needed = 2 }", "nobody is named who could approve"),
            (
                "approval = { of = [\"owner\", \"owner\"] }",
                "purposes.toml:12:29: `owner` is named twice",
            ),
            ("approval = { of = [\"owner\"], needed = 0 }", "nobody is needed"),
            (
                "approval = { of = [\"owner\"], needed = 2 }",
                "2 approvals are needed, and 1 can be given",
            ),
            (
                "approval = { of = [\"owner\"], needed = \"al\" }",
                "did you mean `all`?",
            ),
            ("approval = { of = [\"a b\"] }", "write `owner`, `manager`, `group:`"),
            ("approval = { off = [\"owner\"] }", "`off`"),
        ] {
            let told = told(line);
            assert!(told.contains(says), "{line}: {told}");
        }
        assert!(
            read("approval = { of = [\"group:legal\"], needed = 2 }").is_ok(),
            "who knows how many are in it"
        );
    }
}
