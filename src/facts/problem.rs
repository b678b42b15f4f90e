//! What is wrong with a text that somebody wrote: file, line, column, what, and how to fix it.
//!
//! Every parser of the house reports with this one type, all problems at once, so that `check`, reload, `/readyz` and
//! the log speak alike.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A named text: a file of `policies/`, by its path relative to that folder, with `/` between its parts.
#[derive(Clone, Debug, Eq)]
pub struct SourceText {
    /// The path, e.g. `rules/10-reach.cedar`.
    pub name: String,
    /// Its whole text.
    pub text: Arc<str>,
}

impl PartialEq for SourceText {
    /// A text that is shared is not read to find it the same: there may be a hundred thousand people in it.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl SourceText {
    /// The text `text` under the name `name`, without the mark of UTF-8 that some editors put before it: no parser here
    /// takes it for text, and no reader sees it.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        Self {
            name: name.into(),
            text: text.strip_prefix('\u{feff}').map(Arc::from).unwrap_or(text),
        }
    }

    /// Line and column (both from 1, columns in characters) of a byte offset; the end of the text for one beyond it.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let (mut line, mut column) = (1, 1);
        for (at, c) in self.text.char_indices() {
            if at >= offset {
                break;
            }
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        (line, column)
    }
}

/// Whether a problem keeps a rulebook from ruling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code, `wayleave::area::what`.
    pub code: String,
    /// The file, relative to `policies/`; empty where no file is to blame.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Byte offset of the start and length in bytes, for underlining.
    pub span: (usize, usize),
    /// What is wrong: lower case, user words in backticks, no full stop.
    pub message: String,
    /// How to fix it: an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// An error in `source` at the bytes `span` (offset, length).
    pub fn error(code: &str, source: &SourceText, span: (usize, usize), message: impl Into<String>) -> Self {
        let (line, column) = source.line_and_column(span.0);
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            file: source.name.clone(),
            line,
            column,
            span,
            message: message.into(),
            help: None,
        }
    }

    /// An error that no single place of `file` is to blame for; `file` empty: no file is.
    pub fn of_file(code: &str, file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            file: file.to_owned(),
            line: 0,
            column: 0,
            span: (0, 0),
            message: message.into(),
            help: None,
        }
    }

    /// Whether its file cannot be read: then what others say of it may be no mistake of theirs.
    pub fn is_syntax(&self) -> bool {
        self.code.ends_with("::syntax")
    }

    /// The same problem as a warning.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }

    /// The same problem with a way to fix it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() && self.line > 0 {
            write!(out, "{}:{}:{}: ", self.file, self.line, self.column)?;
        } else if !self.file.is_empty() {
            write!(out, "{}: ", self.file)?;
        }
        write!(out, "{}", self.message)?;
        match &self.help {
            Some(help) => write!(out, " ({help})"),
            None => Ok(()),
        }
    }
}

/// The candidate most like `word`, if one is like enough to be what was meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Those of which the name is like enough to `word` to be what was meant, the most alike first.
pub fn all_like<T>(word: &str, candidates: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let likeness = |candidate: T| (strsim::jaro_winkler(word, name(&candidate)), candidate);
    let mut alike: Vec<(f64, T)> = candidates
        .into_iter()
        .map(likeness)
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    alike.sort_by(|one, other| other.0.total_cmp(&one.0));
    alike.into_iter().map(|(_, candidate)| candidate).collect()
}

/// A name as somebody wrote it, to be compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    text: String,
    words: Vec<String>,
    run: String,
}

impl Spelling {
    /// How `text` is written.
    pub fn of(text: &str) -> Self {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(str::to_lowercase).collect();
        Self {
            text: text.to_owned(),
            run: words.concat(),
            words,
        }
    }

    /// Whether two names are almost the same: but for upper case and what stands between words, or but for one slip in a
    /// long word. `Team A` is another than `Team B`, `HR` than `PR`, and `CC 4711` than `CC 4712`.
    pub fn is_almost(&self, other: &Self) -> bool {
        let words = || self.words.iter().zip(&other.words);
        let alike = || self.words.len() == other.words.len() && words().all(|(one, other)| is_slip(one, other));
        self.text != other.text && (self.run == other.run || alike())
    }
}

/// Whether two words are the same, or long ones with one slip. A number with another digit is another number.
fn is_slip(one: &str, other: &str) -> bool {
    let number = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    one == other
        || (one.len().abs_diff(other.len()) <= 4
            && !number(one)
            && !number(other)
            && one.chars().count().min(other.chars().count()) >= 4
            && strsim::osa_distance(one, other) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns() {
        let source = SourceText::new("a.toml", "é = 1\nb = 2\n");
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(2), (1, 2));
        assert_eq!(source.line_and_column(7), (2, 1));
        assert_eq!(source.line_and_column(999), (3, 1));
    }

    #[test]
    fn a_mark_of_utf_8_before_a_text_is_none_of_it() {
        assert_eq!(&*SourceText::new("a.toml", "\u{feff}a = 1").text, "a = 1");
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("linkdin", ["linkedin", "x"]), Some("linkedin"));
        assert_eq!(did_you_mean("zzz", ["linkedin", "x"]), None);
    }

    #[test]
    fn names_are_almost_the_same_but_for_case_and_one_slip_in_a_long_word() {
        for (one, other) in [
            ("HR", "Hr"),
            ("human-resources", "Human Resources"),
            ("marketing", "marketng"),
            ("IT security", "IT secruity"),
        ] {
            let (one, other) = (Spelling::of(one), Spelling::of(other));
            assert!(one.is_almost(&other) && other.is_almost(&one), "{one:?} {other:?}");
        }
        for (one, other) in [
            ("HR", "HR"),
            ("HR", "PR"),
            ("Team A", "Team B"),
            ("Sales EU", "Sales US"),
            ("legal", "legal team"),
            ("region1", "office1"),
            ("CC 4711", "CC 4712"),
            ("site2024", "site2025"),
        ] {
            assert!(!Spelling::of(one).is_almost(&Spelling::of(other)), "{one} {other}");
        }
    }
}
