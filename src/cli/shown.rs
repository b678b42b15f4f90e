//! Problems as people read them: the place, the line underlined, and what to do.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::printer;
use crate::facts::{Problem, Severity, SourceText};

/// One problem with the text it is about.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: Option<NamedSource<String>>,
}

/// Prints problems beside the data.
pub(super) fn tell(problems: &[Problem], files: &[SourceText]) {
    for problem in problems {
        printer::talk(drawn(problem, files));
    }
}

/// Draws a problem with the line that it is about, without colour.
pub(super) fn drawn(problem: &Problem, files: &[SourceText]) -> String {
    let file = files.iter().find(|file| file.name == problem.file && problem.line > 0);
    let source = file.map(|file| NamedSource::new(&file.name, file.text.to_string()));
    let shown = Shown { problem, source };
    let mut drawing = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    let drawn = handler
        .with_width(100)
        .with_context_lines(1)
        .render_report(&mut drawing, &shown);
    match drawn {
        Ok(()) => drawing,
        Err(fmt::Error) => problem.to_string(),
    }
}

/// A document for programs.
pub(super) fn json(document: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"))
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, column, .. } = self.problem;
        match self.source {
            Some(_) => {}
            None if file.is_empty() => {}
            None if *line == 0 => write!(out, "{file}: ")?,
            None => write!(out, "{file}:{line}:{column}: ")?,
        }
        out.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let source = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let (start, length) = self.problem.span;
        let label = LabeledSpan::new_primary_with_span(Some("here".to_owned()), (start, length.max(1)));
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_underlined_and_what_to_do() {
        let file = SourceText::new("purposes.toml", "[[purpose]]\ntitel = \"x\"\n");
        let problem = Problem::error(
            "wayleave::purposes::unknown-key",
            &file,
            (12, 5),
            "`titel` is not known here",
        )
        .with_help("did you mean `title`?");
        insta::assert_snapshot!(drawn(&problem, &[file]), @r#"
        wayleave::purposes::unknown-key

          × `titel` is not known here
           ╭─[purposes.toml:2:1]
         1 │ [[purpose]]
         2 │ titel = "x"
           · ──┬──
           ·   ╰── here
           ╰────
          help: did you mean `title`?
        "#);
    }

    #[test]
    fn a_problem_without_a_place_names_its_file() {
        let problem = Problem::of_file(
            "wayleave::sources::missing",
            "purposes.toml",
            "`purposes.toml` is missing",
        );
        insta::assert_snapshot!(drawn(&problem, &[]), @"
        wayleave::sources::missing

          × purposes.toml: `purposes.toml` is missing
        ");
    }
}
