//! `like`, prepared: Cedar takes the text apart into characters for each question, which costs more than the comparison.

use cedar_policy_core::ast::{Pattern, PatternElem};

/// What a text must be like.
#[derive(Debug)]
pub(super) enum Like {
    /// No wildcard: the text itself.
    Is(Box<str>),
    /// What it begins with, what comes somewhere between in this order, and what it ends with, none of it twice.
    Around(Box<str>, Box<[Box<str>]>, Box<str>),
}

impl Like {
    pub(super) fn new(pattern: &Pattern) -> Self {
        let mut parts = vec![String::new()];
        for elem in pattern.iter() {
            match (elem, parts.last_mut()) {
                (PatternElem::Char(char), Some(part)) => part.push(*char),
                (PatternElem::Char(_) | PatternElem::Wildcard, _) => parts.push(String::new()),
            }
        }
        let mut parts: Vec<Box<str>> = parts.into_iter().map(String::into_boxed_str).collect();
        let last = parts.pop().unwrap_or_default();
        if parts.is_empty() {
            return Self::Is(last);
        }
        let first = parts.remove(0);
        parts.retain(|part| !part.is_empty());
        Self::Around(first, parts.into(), last)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Is(whole) => text == &**whole,
            Self::Around(first, between, last) => {
                let Some(rest) = text.strip_prefix(&**first) else {
                    return false;
                };
                let Some(mut rest) = rest.strip_suffix(&**last) else {
                    return false;
                };
                // the earliest place of each leaves the most for the next
                between.iter().all(|part| {
                    let found = rest.split_once(&**part);
                    rest = found.map_or(rest, |(_, after)| after);
                    found.is_some()
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_prepared_pattern_matches_what_cedars_does(
            pattern in prop::collection::vec(prop::sample::select(vec![None, Some('a'), Some('b'), Some('é')]), 0..8),
            text in "[abé]{0,10}",
        ) {
            let elems = pattern.iter().map(|elem| elem.map_or(PatternElem::Wildcard, PatternElem::Char));
            let pattern = Pattern::from(elems.collect::<Vec<_>>());
            prop_assert_eq!(Like::new(&pattern).matches(&text), pattern.wildcard_match(&text));
        }
    }
}
