//! Reads TOML tables key by key, remembers every problem with its place, and refuses keys that nobody asked for.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::facts::{Problem, SourceText, did_you_mean};

/// Where a value stands: byte offset and length.
pub(super) type Span = (usize, usize);

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// Collects the problems of one file.
pub(super) struct Report<'s> {
    source: &'s SourceText,
    problems: RefCell<Vec<Problem>>,
}

impl<'s> Report<'s> {
    pub(super) fn new(source: &'s SourceText) -> Self {
        Self {
            source,
            problems: RefCell::default(),
        }
    }

    pub(super) fn problem(&self, what: &str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let code = format!("wayleave::catalog::{what}");
        let problem = Problem::error(&code, self.source, span, message).with_help(help);
        self.problems.borrow_mut().push(problem);
    }

    /// Says that `word` is not one of `known`, and which of them was probably meant.
    pub(super) fn unknown<'k>(&self, kind: &str, word: At<&str>, known: impl IntoIterator<Item = &'k str>) {
        let known: Vec<&str> = known.into_iter().collect();
        let help = match did_you_mean(word.value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.len() <= 16 => format!("known are {}", list(&known)),
            None => format!("name a {kind} that the catalogue lists"),
        };
        self.problem(
            &format!("unknown-{}", kind.replace(' ', "-")),
            word.span,
            format!("`{}` is not a known {kind}", word.value),
            help,
        );
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// One table being read.
pub(super) struct Fields<'t, 's> {
    report: &'t Report<'s>,
    table: &'t DeTable<'t>,
    span: Span,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t, 's> Fields<'t, 's> {
    pub(super) fn new(report: &'t Report<'s>, table: &'t DeTable<'t>, span: Span) -> Self {
        Self {
            report,
            table,
            span,
            asked: RefCell::default(),
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn find(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, span: Span, wanted: &str) {
        let help = format!("write {wanted}");
        self.report
            .problem("wrong-type", span, format!("`{key}` is not {wanted}"), help);
    }

    /// A text, where the key is given.
    pub(super) fn text(&self, key: &'static str) -> Option<At<&'t str>> {
        let value = self.find(key)?;
        let text = as_text(value);
        if text.is_none() {
            self.wrong(key, span(value), "a text in quotes");
        }
        text
    }

    /// A text that must be given.
    pub(super) fn needed(&self, key: &'static str) -> Option<At<&'t str>> {
        if !self.has(key) {
            self.asked.borrow_mut().push(key);
            self.missing(key);
            return None;
        }
        self.text(key)
    }

    fn missing(&self, key: &str) {
        let message = format!("`{key}` is missing");
        self.report
            .problem("missing-key", self.span, message, format!("add `{key} = …`"));
    }

    /// A list of texts; empty where the key is not given.
    pub(super) fn texts(&self, key: &'static str) -> Vec<At<&'t str>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(key, span(value), "a list of texts");
            return Vec::new();
        };
        let read = |item: &'t Spanned<DeValue<'t>>| {
            let text = as_text(item);
            if text.is_none() {
                self.wrong(key, span(item), "a list of texts");
            }
            text
        };
        items.iter().filter_map(read).collect()
    }

    /// A list of texts that must hold at least one.
    pub(super) fn needed_texts(&self, key: &'static str) -> Vec<At<&'t str>> {
        let texts = self.texts(key);
        if texts.is_empty() {
            self.missing(key);
        }
        texts
    }

    /// One of a closed list of words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.choose(self.text(key)?, key, words)
    }

    /// The meaning of one word of a closed list.
    pub(super) fn choose<T: Copy>(&self, word: At<&str>, kind: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(name, _)| *name == word.value);
        if found.is_none() {
            self.report.unknown(kind, word, words.iter().map(|(name, _)| *name));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A whole number from 0 to 65535, where the key is given.
    pub(super) fn number(&self, key: &'static str) -> Option<u16> {
        let value = self.find(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(digits) => digits.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        if number.is_none() {
            self.wrong(key, span(value), "a whole number from 0 to 65535");
        }
        number
    }

    /// A yes or no; no where the key is not given.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        match self.find(key) {
            None => false,
            Some(value) => {
                let flag = value.get_ref().as_bool();
                if flag.is_none() {
                    self.wrong(key, span(value), "`true` or `false`");
                }
                flag.unwrap_or_default()
            }
        }
    }

    /// A table inside this one.
    pub(super) fn table(&self, key: &'static str) -> Option<Fields<'t, 's>> {
        let value = self.find(key)?;
        let table = self.as_table(value);
        if table.is_none() {
            self.wrong(key, span(value), "a table");
        }
        table
    }

    /// A list of tables; empty where the key is not given.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Fields<'t, 's>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let items = value.get_ref().as_array();
        let tables: Option<Vec<_>> = items.and_then(|items| items.iter().map(|item| self.as_table(item)).collect());
        if tables.is_none() {
            self.wrong(key, span(value), "a list of tables");
        }
        tables.unwrap_or_default()
    }

    /// The lists of texts under free keys of a table inside this one.
    pub(super) fn named_texts(&self, key: &'static str) -> Vec<(&'t str, Vec<At<&'t str>>)> {
        let Some(table) = self.find(key).and_then(|value| value.get_ref().as_table()) else {
            return Vec::new();
        };
        let read = |(name, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
            let name: &'t std::borrow::Cow<'t, str> = name.get_ref();
            let items = value.get_ref().as_array();
            if items.is_none() {
                self.wrong(name, span(value), "a list of texts");
            }
            let texts = items.into_iter().flat_map(|items| items.iter().filter_map(as_text));
            (&**name, texts.collect())
        };
        table.iter().map(read).collect()
    }

    fn as_table(&self, value: &'t Spanned<DeValue<'t>>) -> Option<Fields<'t, 's>> {
        let table = value.get_ref().as_table()?;
        Some(Fields::new(self.report, table, span(value)))
    }

    /// Refuses the keys that nobody asked for. Every reader of a table ends with this.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, _) in self.table {
            let word = key.get_ref().as_ref();
            if !asked.contains(&word) {
                let span = (key.span().start, key.span().len());
                self.report
                    .unknown("key", At { value: word, span }, asked.iter().copied());
            }
        }
    }
}

fn span(value: &Spanned<DeValue<'_>>) -> Span {
    (value.span().start, value.span().len())
}

fn as_text<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<At<&'t str>> {
    Some(At {
        value: value.get_ref().as_str()?,
        span: span(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, with: impl Fn(Fields<'_, '_>)) -> Vec<String> {
        let source = SourceText::new("catalog/a.toml", text);
        let report = Report::new(&source);
        let table = DeTable::parse(text).unwrap();
        with(Fields::new(&report, table.get_ref(), (0, 0)));
        report.into_problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_that_nobody_asked_for_is_refused_with_a_suggestion() {
        let problems = read("nmae = 1", |fields| {
            fields.text("name");
            fields.finish();
        });
        assert_eq!(
            problems,
            ["catalog/a.toml:1:1: `nmae` is not a known key (did you mean `name`?)"]
        );
    }

    #[test]
    fn every_problem_is_reported_and_not_the_first_alone() {
        let problems = read("a = 1\nb = [2]\nc = -1\nd = 3", |fields| {
            fields.text("a");
            fields.texts("b");
            fields.number("c");
            fields.flag("d");
            fields.needed("e");
            fields.finish();
        });
        assert_eq!(problems.len(), 5, "{problems:#?}");
        assert!(problems[1].starts_with("catalog/a.toml:2:6:"), "{problems:#?}");
    }
}
