//! `wayleave check`: is the folder of rules whole and sound?

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::printer;
use super::shown::{drawn, tell};
use crate::clock::Clock;
use crate::facts::{Problem, Severity, SourceText};
use crate::gatehouse::sources::{Found, find};
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Checks schema, rules, catalogue, purposes, people and cases against themselves and each other: what passes here, a
/// gateway takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit code: 0 sound, there may be warnings; 1 problems; 2 the folder cannot be read")]
pub struct Args {
    /// The folder; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How results are printed.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// For programs: one JSON document.
    Json,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Report<'a> {
    sound: bool,
    errors: usize,
    warnings: usize,
    problems: &'a [Problem],
    rulebook: Option<String>,
}

/// Runs the command.
pub fn run(args: Args) -> ExitCode {
    let Args { dir, format } = args;
    let found = match find(dir.as_deref()) {
        Ok(found) => found,
        Err(problems) => {
            match format {
                Format::Human => tell(&problems, &[]),
                Format::Json => print(&[], &problems, None, format),
            }
            return ExitCode::from(2);
        }
    };
    let (problems, assembled) = checked(&found.files);
    let summary = assembled.as_ref().map(|assembled| summary(&found, assembled));
    print(&found.files, &problems, assembled.as_ref(), format);
    if format == Format::Human {
        let (errors, warnings) = counts(&problems);
        let warned = counted(warnings, "warning");
        match summary {
            Some(summary) if errors == 0 => printer::data(format!("{summary}; {warned}")),
            _ => printer::data(format!("{}: {}, {warned}", found.label, counted(errors, "error"))),
        }
    }
    if counts(&problems).0 == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Everything that is wrong, and the rules where they could be assembled.
fn checked(files: &[SourceText]) -> (Vec<Problem>, Option<Assembled>) {
    let sources = match Sources::from_files(files.to_vec()) {
        Ok(sources) => sources,
        Err(problems) => return (problems, None),
    };
    match Rulebook::assemble(&sources) {
        Err(problems) => (problems, None),
        Ok(assembled) => {
            let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
            let mut problems = report.into_problems();
            problems.extend(assembled.warnings.iter().cloned());
            problems.extend(assembled.rulebook.policy().expiring(Clock::system().now()));
            (problems, Some(assembled))
        }
    }
}

fn counts(problems: &[Problem]) -> (usize, usize) {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    (errors, problems.len() - errors)
}

fn counted(number: usize, what: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{number} {what}{many}")
}

fn summary(found: &Found, assembled: &Assembled) -> String {
    let rulebook = &assembled.rulebook;
    format!(
        "{}: sound ({} rules, {} purposes, {} platforms, {} people), rulebook {}",
        found.label,
        rulebook.policy().rules().count(),
        rulebook.purposes().iter().count(),
        rulebook.catalog().platforms().count(),
        assembled.directory.people().count(),
        rulebook.id()
    )
}

fn print(files: &[SourceText], problems: &[Problem], assembled: Option<&Assembled>, format: Format) {
    if format == Format::Human {
        for problem in problems {
            printer::data(drawn(problem, files));
        }
        return;
    }
    let (errors, warnings) = counts(problems);
    let report = Report {
        sound: errors == 0,
        errors,
        warnings,
        problems,
        rulebook: assembled.map(|assembled| assembled.rulebook.id().to_string()),
    };
    printer::data(super::shown::json(&report));
}
