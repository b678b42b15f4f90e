//! Reading what people write in TOML: field by field, every problem at once, each with its place and a suggestion.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::language::{Language, Wording};
use super::problem::{Problem, SourceText, did_you_mean};
use super::syntax::parsed;

/// A value and the bytes that say it: (offset, length).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// What is said.
    pub value: T,
    /// Where.
    pub span: (usize, usize),
}

/// One file being read: collects what is wrong with it.
pub struct Reader<'s> {
    source: &'s SourceText,
    area: &'static str,
    problems: RefCell<Vec<Problem>>,
    is_no_toml: Cell<bool>,
    misses_names: Cell<bool>,
}

impl<'s> Reader<'s> {
    /// Reads `source`; problems get codes of the form `wayleave::area::what`.
    pub fn new(source: &'s SourceText, area: &'static str) -> Self {
        Self {
            source,
            area,
            problems: RefCell::default(),
            is_no_toml: Cell::new(false),
            misses_names: Cell::new(false),
        }
    }

    /// The file's outermost table, given to `read`. A text that is no TOML is reported, once, and whatever can be read, is.
    pub fn read<T>(&self, known: &[&str], read: impl FnOnce(&Fields<'_, 's>) -> T) -> T {
        let (table, slip) = parsed(self.source);
        if let Some(slip) = slip {
            self.push(slip.problem(&self.code("syntax"), self.source));
            self.is_no_toml.set(true);
        }
        let fields = Fields::new(self, table.get_ref(), (0, 0), known);
        // what is called otherwise than it should be may be a list of names
        if self.noted() > 0 {
            self.misses_names.set(true);
        }
        read(&fields)
    }

    /// Notes a problem at `span` and hands it out for a [`Problem::help`].
    pub fn report(&self, what: &str, span: (usize, usize), message: impl Into<String>) {
        self.push(Problem::error(&self.code(what), self.source, span, message));
    }

    /// Notes a problem with a way to fix it.
    pub fn report_with_help(
        &self,
        what: &str,
        span: (usize, usize),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Problem::error(&self.code(what), self.source, span, message).with_help(help));
    }

    /// How many problems were noted so far.
    pub fn noted(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Whether every name that the file lists could be read: see [`Fields::name`].
    pub fn has_every_name(&self) -> bool {
        !self.misses_names.get()
    }

    /// Everything that is wrong; where the syntax is, only that: what follows from it would mislead.
    pub fn into_problems(self) -> Vec<Problem> {
        let syntax = self.code("syntax");
        let mut problems = self.problems.into_inner();
        if problems.iter().any(|problem| problem.code == syntax) {
            problems.retain(|problem| problem.code == syntax);
        }
        problems
    }

    fn code(&self, what: &str) -> String {
        format!("wayleave::{}::{what}", self.area)
    }

    fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }
}

/// One table being read. A key that is not known is reported, with the known one that is most like it.
pub struct Fields<'t, 's> {
    reader: &'t Reader<'s>,
    table: &'t DeTable<'t>,
    /// Where the table stands: of its first key, or of its braces.
    pub span: (usize, usize),
}

impl<'t, 's> Fields<'t, 's> {
    fn new(reader: &'t Reader<'s>, table: &'t DeTable<'t>, span: (usize, usize), known: &[&str]) -> Self {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if known.is_empty() || known.contains(&name) {
                continue;
            }
            let help = match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", list(known.iter().copied())),
            };
            let message = format!("`{name}` is not known here");
            reader.report_with_help("unknown-key", width(&key.span()), message, help);
        }
        Self { reader, table, span }
    }

    /// The keys that stand here, with their values' places.
    pub fn keys(&self) -> impl Iterator<Item = (&'t str, (usize, usize))> + use<'t> {
        self.table
            .iter()
            .map(|(key, value)| (&**key.get_ref(), width(&value.span())))
    }

    /// Whether the key stands here.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a text stands here.
    pub fn is_text(&self, key: &str) -> bool {
        self.table.get(key).and_then(as_text).is_some()
    }

    /// Where the value of `key` stands, or the table itself.
    pub fn place(&self, key: &str) -> (usize, usize) {
        self.table.get(key).map_or(self.span, |value| width(&value.span()))
    }

    /// A text, if it stands here.
    pub fn text(&self, key: &str) -> Option<At<&'t str>> {
        let value = self.table.get(key)?;
        as_text(value).or_else(|| self.mistyped(key, "a text in quotes", value))
    }

    /// A text that must stand here.
    pub fn required(&self, key: &str) -> Option<At<&'t str>> {
        if !self.has(key) {
            self.missing(key, "\"…\"");
        }
        self.text(key)
    }

    /// The name of this entry, by which other texts speak of it. Where it cannot be read, or the text is no TOML, so that
    /// it may be another, nobody knows what the entry is called.
    pub fn name(&self, key: &str) -> Option<At<&'t str>> {
        let name = self.required(key).filter(|_| !self.reader.is_no_toml.get());
        if name.is_none() {
            self.reader.misses_names.set(true);
        }
        name
    }

    /// A text that must stand here; an empty one where it does not, so that reading can go on.
    pub fn needed(&self, key: &str) -> At<&'t str> {
        let span = self.span;
        self.required(key).unwrap_or(At { value: "", span })
    }

    /// What people read: one text for all of them, or one in each language.
    pub fn wording(&self, key: &str) -> Option<Wording> {
        let value = self.table.get(key)?;
        if let Some(text) = as_text(value) {
            self.check_said(key, text, None);
            return Some(Wording::from(text.value));
        }
        if value.get_ref().as_table().is_none() {
            let expected = "a text in quotes, or one for each language: `{ en = \"…\", fr = \"…\" }`";
            return self.mistyped(key, expected, value);
        }
        let table = self.table(key, &Language::TAGS)?;
        if table.keys().next().is_none() {
            self.says_nothing(key, table.span, None);
        }
        let said = |language: Language| Some((language, table.text(language.as_str())?));
        let mut said = Language::ALL.into_iter().filter_map(said);
        let (language, text) = said.next()?;
        self.check_said(key, text, Some(language));
        let others = said.inspect(|(language, text)| self.check_said(key, *text, Some(*language)));
        Some(others.fold(Wording::from(text.value), |wording, (language, text)| {
            wording.with(language, text.value)
        }))
    }

    /// What people read that must stand here; an empty one where it does not, so that reading can go on.
    pub fn needed_wording(&self, key: &str) -> Wording {
        if !self.has(key) {
            self.missing(key, "\"…\"");
        }
        self.wording(key).unwrap_or_else(|| Wording::from(""))
    }

    fn check_said(&self, key: &str, text: At<&str>, language: Option<Language>) {
        if text.value.trim().is_empty() {
            self.says_nothing(key, text.span, language);
        }
    }

    fn says_nothing(&self, key: &str, span: (usize, usize), language: Option<Language>) {
        let language = language.map_or_else(String::new, |language| format!(" in `{}`", language.as_str()));
        let message = format!("`{key}` says nothing{language}");
        self.report("empty-text", span, message, "write what people are to read");
    }

    fn missing(&self, key: &str, such: &str) {
        let message = format!("`{key}` is missing");
        let help = format!("add `{key} = {such}`");
        self.reader.report_with_help("missing-key", self.span, message, help);
    }

    /// A list of texts; empty where none stands here.
    pub fn texts(&self, key: &str) -> Vec<At<&'t str>> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped::<()>(key, "a list of texts", value);
            return Vec::new();
        };
        let text = |item| as_text(item).or_else(|| self.mistyped(key, "a list of texts", item));
        array.iter().filter_map(text).collect()
    }

    /// A list of texts in which at least one must stand.
    pub fn needed_texts(&self, key: &str) -> Vec<At<&'t str>> {
        let texts = self.texts(key);
        if texts.is_empty() {
            self.missing(key, "[\"…\"]");
        }
        texts
    }

    /// A list of texts as a set.
    pub fn set(&self, key: &str) -> BTreeSet<String> {
        self.texts(key).iter().map(|text| text.value.to_owned()).collect()
    }

    /// A whole number that is not negative.
    pub fn number(&self, key: &str) -> Option<At<u64>> {
        let value = self.table.get(key)?;
        let span = width(&value.span());
        let digits = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        match digits.and_then(|number| number.as_str().parse().ok()) {
            Some(value) => Some(At { value, span }),
            None => self.mistyped(key, "a whole number", value),
        }
    }

    /// Yes or no.
    pub fn flag(&self, key: &str) -> Option<bool> {
        let value = self.table.get(key)?;
        value
            .get_ref()
            .as_bool()
            .or_else(|| self.mistyped(key, "`true` or `false`", value))
    }

    /// A date or a moment, written with or without quotes, as text.
    pub fn moment(&self, key: &str) -> Option<At<String>> {
        let value = self.table.get(key)?;
        let span = width(&value.span());
        let text = match value.get_ref() {
            DeValue::Datetime(moment) => Some(moment.to_string()),
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
                None
            }
        };
        match text {
            Some(value) => Some(At { value, span }),
            None => self.mistyped(key, "a moment such as `2026-11-24T12:30:00Z`", value),
        }
    }

    /// A table within this one; `known` empty: any keys.
    pub fn table(&self, key: &str, known: &[&str]) -> Option<Fields<'t, 's>> {
        let value = self.table.get(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Fields::new(self.reader, table, width(&value.span()), known)),
            None => self.mistyped(key, "a table", value),
        }
    }

    /// The tables of a list: `[[key]]`.
    pub fn tables(&self, key: &str, known: &[&str]) -> Vec<Fields<'t, 's>> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped::<()>(key, &format!("a list of tables: `[[{key}]]`"), value);
            self.reader.misses_names.set(true);
            return Vec::new();
        };
        let table = |item: &'t Spanned<DeValue<'t>>| match item.get_ref().as_table() {
            Some(table) => Some(Fields::new(self.reader, table, width(&item.span()), known)),
            None => self.mistyped(key, "a list of tables", item),
        };
        let tables: Vec<_> = array.iter().filter_map(table).collect();
        if tables.len() < array.len() {
            self.reader.misses_names.set(true);
        }
        tables
    }

    /// Notes a problem in the file.
    pub fn report(&self, what: &str, span: (usize, usize), message: impl Into<String>, help: impl Into<String>) {
        self.reader.report_with_help(what, span, message, help);
    }

    /// A text that must be one of `choices`; `None`, and a problem, where it is not.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == text.value);
        if found.is_none() {
            let names = || choices.iter().map(|(name, _)| *name);
            let help = match did_you_mean(text.value, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", list(names())),
            };
            let message = format!("`{}` is not a value of `{key}`", text.value);
            self.reader.report_with_help("unknown-value", text.span, message, help);
        }
        found.map(|(_, value)| *value)
    }

    fn mistyped<T>(&self, key: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
        let kind = value.get_ref().type_str();
        let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        let message = format!("`{key}` is {article} {kind}");
        let help = format!("write {expected}");
        self.reader
            .report_with_help("wrong-type", width(&value.span()), message, help);
        None
    }
}

fn as_text<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<At<&'t str>> {
    Some(At {
        value: value.get_ref().as_str()?,
        span: width(&value.span()),
    })
}

/// `a`, `b` and so on, in backticks.
pub fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn width(span: &Range<usize>) -> (usize, usize) {
    (span.start, span.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let source = SourceText::new("a.toml", text);
        let reader = Reader::new(&source, "test");
        reader.read(&["name", "size", "kind"], |fields| {
            fields.needed("name");
            fields.number("size");
            fields.choice("kind", &[("round", ()), ("square", ())]);
        });
        reader.into_problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_problems_of_a_file_are_reported_at_once_with_place_and_suggestion() {
        assert_eq!(
            problems("nmae = \"x\"\nsize = \"big\"\nkind = \"squard\"\n"),
            [
                "a.toml:1:1: `nmae` is not known here (did you mean `name`?)",
                "a.toml:1:1: `name` is missing (add `name = \"…\"`)",
                "a.toml:2:8: `size` is a string (write a whole number)",
                "a.toml:3:8: `squard` is not a value of `kind` (did you mean `square`?)",
            ]
        );
        assert_eq!(
            problems("name = 1\nsize = []\n"),
            [
                "a.toml:1:8: `name` is an integer (write a text in quotes)",
                "a.toml:2:8: `size` is an array (write a whole number)",
            ]
        );
    }

    #[test]
    fn a_syntax_error_is_reported_alone_at_its_place() {
        let found = problems("name = \"x\"\nsize = = 3\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("a.toml:2:"), "{found:?}");
    }
}
