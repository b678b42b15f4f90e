//! The first thing that keeps a text from being TOML.
//!
//! The parser recovers from a mistake and goes on, and behind a bracket or quote that is missing it finds another one in
//! every line. People have made one: only the first is told, and where something is not closed, the place where it opens.

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::problem::{Problem, SourceText};

/// Why a text is not TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    span: (usize, usize),
    message: String,
    help: String,
}

/// The outermost table of a text, as far as it can be read, and why the text is not TOML where it is not.
pub fn parsed(source: &SourceText) -> (Spanned<DeTable<'_>>, Option<Slip>) {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    // the parser tells what it finds in two passes
    let start = |error: &&Error| error.span().map_or(usize::MAX, |span| span.start);
    let first = errors.iter().min_by_key(start);
    let slip = first.map(|error| Slip::of(source, error));
    (table, slip)
}

impl Slip {
    fn of(source: &SourceText, error: &Error) -> Self {
        let span = error.span().unwrap_or(source.text.len()..source.text.len());
        let rest = source.text.get(span.start..).unwrap_or_default();
        let line_end = span.start + rest.find('\n').unwrap_or(rest.len());
        if let Some(open) = unclosed(&source.text).filter(|open| open.at <= line_end) {
            return open.slip(source);
        }
        Self {
            span: (span.start, span.len()),
            message: error.message().to_lowercase().replace('\n', ", "),
            help: "write it as TOML (https://toml.io): texts stand in quotes, lists in brackets".to_owned(),
        }
    }

    /// The same as a problem of `source`.
    pub fn problem(self, code: &str, source: &SourceText) -> Problem {
        Problem::error(code, source, self.span, self.message).with_help(self.help)
    }
}

/// A bracket or quote that is opened and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    at: usize,
    mark: &'static str,
    /// Where something begins that cannot stand in it.
    until: usize,
}

impl Open {
    fn slip(self, source: &SourceText) -> Slip {
        let close = match self.mark {
            "[" => "]",
            "{" => "}",
            quotes => quotes,
        };
        let (line, _) = source.line_and_column(self.until);
        let (message, help) = if self.mark.len() == 1 && close == self.mark {
            (
                format!("a `{close}` is missing in this line: the text that begins here does not end in it"),
                "a text stands between two quotes in one line, a longer one between `\"\"\"` and `\"\"\"`".to_owned(),
            )
        } else if let Some(wrong) = self.closed_by(source) {
            (
                format!("this `{}` is closed by `{wrong}`", self.mark),
                format!("write `{close}` in the place of that `{wrong}`"),
            )
        } else if self.until < source.text.len() {
            (
                format!("this `{}` is not closed before line {line}", self.mark),
                format!("write `{close}` where it ends"),
            )
        } else {
            (
                format!("this `{}` is never closed", self.mark),
                format!("write `{close}` where it ends"),
            )
        };
        Slip {
            span: (self.at, self.mark.len()),
            message,
            help,
        }
    }

    /// The bracket of the other kind that stands in the same line where its own should.
    fn closed_by(self, source: &SourceText) -> Option<char> {
        let between = source.text.get(self.at..self.until)?;
        let wrong = source.text.get(self.until..)?.chars().next()?;
        (!between.contains('\n') && matches!(wrong, ']' | '}')).then_some(wrong)
    }
}

/// The first bracket or quote of a text that is not closed.
fn unclosed(text: &str) -> Option<Open> {
    let mut open: Vec<(usize, &'static str)> = Vec::new();
    let not_closed = |open: &[(usize, &'static str)], until| {
        let (at, mark) = *open.last()?;
        Some(Open { at, mark, until })
    };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let is_new_line = at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
        if is_new_line && open.last().is_some_and(|(_, mark)| cannot_stand_in(mark, rest)) {
            return not_closed(&open, at);
        }
        at += match rest.chars().next().unwrap_or_default() {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => match past_text(rest) {
                Ok(length) => length,
                Err((mark, length)) => {
                    let until = at + length;
                    return Some(Open { at, mark, until });
                }
            },
            '[' => {
                open.push((at, "["));
                1
            }
            '{' => {
                open.push((at, "{"));
                1
            }
            closing @ (']' | '}') => {
                let opening = if closing == ']' { "[" } else { "{" };
                match open.last() {
                    Some((_, mark)) if *mark != opening => return not_closed(&open, at),
                    Some(_) | None => open.pop(),
                };
                1
            }
            other => other.len_utf8(),
        };
    }
    not_closed(&open, text.len())
}

/// How long the text in quotes is that `rest` begins with; for one that does not end, its quotes, and how far it could go.
fn past_text(rest: &str) -> Result<usize, (&'static str, usize)> {
    let marks = ["\"\"\"", "'''", "\"", "'"];
    let mark = marks.into_iter().find(|mark| rest.starts_with(mark)).unwrap_or("\"");
    let (is_long, has_escapes) = (mark.len() == 3, mark.starts_with('"'));
    let mut at = mark.len();
    while let Some(inner) = rest.get(at..).filter(|inner| !inner.is_empty()) {
        if inner.starts_with(mark) {
            at += mark.len();
            // up to two quotes before the closing ones belong to the text
            let more = rest.get(at..).unwrap_or_default().chars().take(2);
            let quotes = more.take_while(|c| mark.starts_with(*c)).count();
            return Ok(at + if is_long { quotes } else { 0 });
        }
        let mut chars = inner.chars();
        at += match chars.next().unwrap_or_default() {
            '\n' if !is_long => return Err((mark, at)),
            '\\' if has_escapes => 1 + chars.next().filter(|c| *c != '\n').map_or(0, char::len_utf8),
            other => other.len_utf8(),
        };
    }
    Err((mark, rest.len()))
}

/// Whether what a line begins with belongs to no list, or, where `mark` opened a table, to no such table.
fn cannot_stand_in(mark: &str, rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default().trim();
    is_heading(line) || (mark == "[" && line.split_once('=').is_some_and(|(key, _)| is_key(key.trim_end())))
}

/// `[name]` or `[[name]]`, and no list of numbers or the like.
fn is_heading(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default().trim_end();
    let inner = code.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let inner = inner.map(|inner| {
        inner
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(inner)
    });
    inner.is_some_and(|name| {
        let is_value = ["true", "false", "inf", "nan"].contains(&name);
        is_bare(name) && name.starts_with(char::is_alphabetic) && !is_value
    })
}

fn is_key(key: &str) -> bool {
    let quoted = |mark: char| {
        let inner = key.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        inner.is_some_and(|inner| !inner.contains(mark))
    };
    is_bare(key) || quoted('"') || quoted('\'')
}

fn is_bare(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        let source = SourceText::new("a.toml", text);
        let (_, slip) = parsed(&source);
        slip.map(|slip| slip.problem("wayleave::test::syntax", &source).to_string())
    }

    #[test]
    fn a_bracket_that_is_not_closed_is_told_where_it_opens() {
        for (text, said) in [
            (
                "a = [\"x\", \"y\"\nb = 1\nc = 2\n",
                "1:5: this `[` is not closed before line 2 (write `]`",
            ),
            (
                "a = [\n  \"x\",\n\n[[case]]\nit = \"y\"\n",
                "1:5: this `[` is not closed before line 4",
            ),
            (
                "a = [\n  { b = 1 },\n  { c = 2\n]\nd = 1\n",
                "3:3: this `{` is not closed before line 4 (write `}`",
            ),
            ("[[case]\nit = \"y\"\n", "1:1: this `[` is not closed before line 2"),
            (
                "a = [\"x\",\n\"b c\" = [\"y\"]\n",
                "1:5: this `[` is not closed before line 2",
            ),
            ("a = 1\nb = { c = 2,\n", "2:5: this `{` is never closed (write `}`"),
            (
                "a = 1\nb = [\"x\"}\n",
                "2:5: this `[` is closed by `}` (write `]` in the place of that `}`)",
            ),
            ("a = { b = [1 }\n", "1:11: this `[` is closed by `}`"),
        ] {
            let found = told(text).unwrap();
            assert!(found.starts_with(&format!("a.toml:{said}")), "{text}: {found}");
        }
    }

    #[test]
    fn a_quote_that_is_missing_is_told_at_the_text_that_does_not_end() {
        for (text, said) in [
            ("a = \"x\nb = 1\n", "1:5: a `\"` is missing in this line"),
            (
                "a = [\"x, \"y\"]\nb = [\"z\"]\nc = \"d\"\n",
                "1:12: a `\"` is missing in this line",
            ),
            ("a = x\"\nb = \"y\"\n", "1:6: a `\"` is missing in this line"),
            ("a = 'x\nb = 1\n", "1:5: a `'` is missing in this line"),
            ("a = \"\"\"x\nb = 1\n", "1:5: this `\"\"\"` is never closed"),
        ] {
            let found = told(text).unwrap();
            assert!(found.starts_with(&format!("a.toml:{said}")), "{text}: {found}");
        }
    }

    #[test]
    fn what_is_no_bracket_or_quote_is_left_to_the_parser() {
        for (text, said) in [
            ("a = x\nb = [1\n", "1:5: string values must be quoted"),
            (
                "a = [\n  \"x\"\n  \"y\"\n]\n",
                "3:3: missing comma between array elements",
            ),
            ("a = 1\na = 2\n", "2:1: duplicate key"),
        ] {
            let found = told(text).unwrap();
            assert!(found.starts_with(&format!("a.toml:{said}")), "{text}: {found}");
        }
    }

    #[test]
    fn nothing_of_what_is_toml_is_taken_for_unclosed() {
        let text = "# it's a [comment\na = [ # and {\n  [1], [true],\n  { b = \"]\", c = ']\"' },\n]\n\
                    d = \"a \\\" b\"\ne = '''\n[x]\n'''\nf = \"\"\"a\\\"\"\"\"\"\"\n[g.h]\n[[i]]\n\"j k\" = { l = 1 }\n";
        assert_eq!((told(text), unclosed(text)), (None, None));
    }
}
