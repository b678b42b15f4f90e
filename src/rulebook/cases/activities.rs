//! What a case says that somebody does: single actions to ask about, or the activity that a request is taken for.

use std::collections::BTreeSet;

use super::read::{Bench, Reported};
use crate::facts::fields::{At, Fields, list};
use crate::facts::{Activity, Reading};
use crate::policy::Vocabulary;

impl Bench<'_> {
    /// The actions that are asked, where the case is about nothing else.
    pub(super) fn actions(&self, case: &Fields<'_, '_>) -> Result<Vec<String>, Reported> {
        let words = case.texts("asks");
        let Some(vocabulary) = self.words.vocabulary else {
            return Err(Reported);
        };
        let activities = vocabulary.activities().keys();
        let known: Vec<&str> = activities.map(Activity::as_str).chain(["connect", "inspect"]).collect();
        let unknown: Vec<_> = words.iter().filter(|word| !known.contains(&word.value)).collect();
        for word in &unknown {
            Self::no_activity(vocabulary, case, **word, "action", &known);
        }
        if !unknown.is_empty() {
            return Err(Reported);
        }
        Ok(words.iter().map(|word| word.value.to_owned()).collect())
    }

    /// What the case says that its request does; nothing where it says nothing.
    pub(super) fn given_reading(&self, case: &Fields<'_, '_>) -> Result<Option<Reading>, Reported> {
        let Some(word) = case.text("does") else {
            return Ok(None);
        };
        let Some(vocabulary) = self.words.vocabulary else {
            return Err(Reported);
        };
        let activity = Activity::new(word.value);
        let known = vocabulary.activities();
        if !known.contains_key(&activity) {
            let known: Vec<&str> = known.keys().map(Activity::as_str).collect();
            Self::no_activity(vocabulary, case, word, "activity", &known);
            return Err(Reported);
        }
        Ok(Some(Reading {
            activities: [activity.clone()].into(),
            activity,
            signatures: BTreeSet::new(),
        }))
    }

    /// Says that a word is no activity: one for several of them, perhaps.
    fn no_activity(vocabulary: &Vocabulary, case: &Fields<'_, '_>, word: At<&str>, kind: &str, known: &[&str]) {
        let mut members = vocabulary.members(word.value).peekable();
        if members.peek().is_none() {
            return Self::unknown(case, word, kind, known.iter().copied());
        }
        let message = format!("`{}` is a group of activities, and one activity is wanted", word.value);
        let help = format!("name one of its activities: {}", list(members.map(Activity::as_str)));
        case.report("group", word.span, message, help);
    }
}
