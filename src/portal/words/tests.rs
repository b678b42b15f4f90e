//! Whether every language says everything, and in its own words.

use std::collections::BTreeSet;

use super::{ENGLISH, FRENCH, Words};
use crate::facts::{FaultCode, Language};
use crate::rulebook::{Rulebook, Sources};

/// What reads alike in both.
const ALIKE: [&str; 1] = ["Ticket"];

const IN_ENGLISH: [&str; 20] = [
    include_str!("english/mod.rs"),
    include_str!("english/answers.rs"),
    include_str!("english/book.rs"),
    include_str!("english/chain.rs"),
    include_str!("english/decisions.rs"),
    include_str!("english/delegation.rs"),
    include_str!("english/emergency.rs"),
    include_str!("english/explained.rs"),
    include_str!("english/fault.rs"),
    include_str!("english/health.rs"),
    include_str!("english/open.rs"),
    include_str!("english/outcome.rs"),
    include_str!("english/privacy.rs"),
    include_str!("english/proofs.rs"),
    include_str!("english/refusal.rs"),
    include_str!("english/rulebook.rs"),
    include_str!("english/stating.rs"),
    include_str!("english/tokens.rs"),
    include_str!("english/unfit.rs"),
    include_str!("english/value.rs"),
];
const IN_FRENCH: [&str; 20] = [
    include_str!("french/mod.rs"),
    include_str!("french/answers.rs"),
    include_str!("french/book.rs"),
    include_str!("french/chain.rs"),
    include_str!("french/decisions.rs"),
    include_str!("french/delegation.rs"),
    include_str!("french/emergency.rs"),
    include_str!("french/explained.rs"),
    include_str!("french/fault.rs"),
    include_str!("french/health.rs"),
    include_str!("french/open.rs"),
    include_str!("french/outcome.rs"),
    include_str!("french/privacy.rs"),
    include_str!("french/proofs.rs"),
    include_str!("french/refusal.rs"),
    include_str!("french/rulebook.rs"),
    include_str!("french/stating.rs"),
    include_str!("french/tokens.rs"),
    include_str!("french/unfit.rs"),
    include_str!("french/value.rs"),
];

/// What a source says to people: its texts in which words stand, names for machines and notes for us aside.
fn said(sources: &[&str]) -> BTreeSet<String> {
    let text = regex::Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap();
    let note = regex::Regex::new(r#"reason = "[^"]*""#).unwrap();
    let blank = regex::Regex::new(r"\{[^}]*\}|\\u").unwrap();
    let name = regex::Regex::new("^[a-z][a-z.-]*$").unwrap();
    let mut all = BTreeSet::new();
    for source in sources {
        let source = source.split("#[cfg(test)]").next().unwrap();
        let source = note.replace_all(source, "");
        let texts = text
            .captures_iter(&source)
            .map(|found| found.get(1).unwrap().as_str().to_owned());
        let has_words = |text: &str| blank.replace_all(text, "").chars().any(char::is_alphabetic);
        all.extend(texts.filter(|text| !name.is_match(text) && has_words(text)));
    }
    all
}

#[test]
fn nothing_is_said_in_two_languages_with_the_same_words() {
    let (english, french) = (said(&IN_ENGLISH), said(&IN_FRENCH));
    assert!(
        english.len() > 300 && french.len() > 300,
        "{} {}",
        english.len(),
        french.len()
    );
    let alike: Vec<&String> = english.intersection(&french).collect();
    assert_eq!(alike, ALIKE);
    let words = regex::Regex::new(r"(?i)\b(the|you|your|is|are|not|and|this|with|of|to|it|for)\b").unwrap();
    for text in french {
        assert!(!words.is_match(&text), "{text}");
    }
}

#[test]
fn every_activity_has_its_words_in_each_language() {
    let rules = Rulebook::assemble(&Sources::embedded()).unwrap().rulebook;
    for activity in rules.policy().vocabulary().activities().keys() {
        let said = [&ENGLISH, &FRENCH].map(|words: &Words| (words.activity)(activity.as_str()));
        assert_ne!(said[0], said[1]);
        for said in said {
            assert!(!said.contains(['“', '«']), "{said}");
        }
    }
}

#[test]
fn a_fault_says_what_happened_and_what_to_do_in_each_language() {
    for language in Language::ALL {
        let words = Words::of(language);
        assert_eq!(words.language, language);
        let said = (words.fault)(FaultCode::OriginGone);
        for text in [said.title, said.what, said.advice] {
            assert!(!text.is_empty());
        }
    }
}

#[test]
fn amounts_of_data_read_in_the_largest_unit_of_each_language() {
    let read = |bytes| [&ENGLISH, &FRENCH].map(|words: &Words| (words.value.bytes)(bytes));
    assert_eq!(read(0), ["0 B", "0\u{a0}o"]);
    assert_eq!(read(999), ["999 B", "999\u{a0}o"]);
    assert_eq!(read(1_250), ["1.2 kB", "1,2\u{a0}ko"]);
    assert_eq!(read(12_345_678), ["12 MB", "12\u{a0}Mo"]);
    assert_eq!(read(3_000_000_000), ["3 GB", "3\u{a0}Go"]);
    assert_eq!(read(u64::MAX), ["18446744073 GB", "18446744073\u{a0}Go"]);
}

#[test]
fn what_is_sealed_with_a_key_that_lies_beside_it_is_not_said_to_be_for_its_person_alone() {
    for (words, database) in [(&ENGLISH, "database"), (&FRENCH, "base de données")] {
        let privacy = &words.privacy;
        for kept in [privacy.refusals_shared, privacy.drafts] {
            assert!(kept.who.contains(database), "{}", kept.who);
            assert_ne!(kept.who, privacy.refusals.who);
        }
        assert!((privacy.of_purposes)("A", "B").contains(database));
    }
}

#[test]
fn no_line_of_french_begins_with_what_belongs_to_the_word_before() {
    let breaks = regex::Regex::new(r" [:;?!»]|« ").unwrap();
    let notices = include_str!("../../notices/words.rs");
    for text in said(&IN_FRENCH).into_iter().chain(said(&[notices])) {
        assert!(!breaks.is_match(&text), "{text}");
    }
}
