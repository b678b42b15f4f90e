//! `wayleave check`: is the folder of rules whole and sound?

mod codes;
mod github;
pub(super) mod place;
mod sarif;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::printer;
use super::shown::{drawn, json, tell};
use crate::clock::Clock;
use crate::facts::{Problem, Severity, SourceText};
use crate::gatehouse::sources::{Found, find_what_can_be};
use crate::proof::{Work, mistakes, property};
use crate::rulebook::{Assembled, Draft, Sorted, Sources, Stated};

/// Checks schema, rules, catalogue, purposes, people, cases and properties against themselves and each other, and tells all
/// that is wrong at once: what passes here, a gateway takes, and `prove` can read.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "A rule that can never have an effect is warned of as far as scopes, names and places tell; conditions that \
                  contradict each other by numbers or texts take a solver: `wayleave prove` finds them\n\n\
                  Exit code, the same in every format: 0 sound, there may be warnings; 1 errors; 2 the folder cannot be read"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
}

/// How findings are printed.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For people.
    Human,
    /// For programs: one JSON document.
    Json,
    /// For code hosts and editors: SARIF 2.1.0, with paths as seen from the repository.
    Sarif,
    /// For GitHub: workflow commands, which it shows at the lines of a pull request.
    Github,
}

/// How other commands print what they have to say.
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

/// What there is to print.
struct Findings<'a> {
    folder: Option<&'a Path>,
    files: &'a [SourceText],
    problems: &'a [Problem],
}

/// Where a problem begins and where it ends, which is no longer part of it: lines and columns, from 1.
struct Region {
    start: (usize, usize),
    end: (usize, usize),
}

/// Runs the command.
pub fn run(args: Args) -> ExitCode {
    let Args { dir, format } = args;
    let (found, unread) = find_what_can_be(dir.as_deref());
    if found.files.is_empty() && !unread.is_empty() {
        nothing_read(dir.as_deref(), &unread, format);
        return ExitCode::from(2);
    }
    let (problems, assembled) = checked(&found.files, unread);
    let findings = Findings {
        folder: found.folder.as_deref(),
        files: &found.files,
        problems: &problems,
    };
    findings.print(format, assembled.as_ref());
    if [Form::Human, Form::Github].contains(&format) {
        printer::data(last_line(&found, &problems, assembled.as_ref()));
    }
    if counts(&problems).0 == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn nothing_read(folder: Option<&Path>, problems: &[Problem], format: Form) {
    match format {
        Form::Human => tell(problems, &[]),
        Form::Json | Form::Sarif | Form::Github => {
            let findings = Findings {
                folder,
                files: &[],
                problems,
            };
            findings.print(format, None);
        }
    }
}

impl Findings<'_> {
    fn print(&self, format: Form, assembled: Option<&Assembled>) {
        match format {
            Form::Human => {
                for problem in self.problems {
                    printer::data(drawn(problem, self.files));
                }
            }
            Form::Json => printer::data(json(&self.report(assembled))),
            Form::Sarif => printer::data(json(&sarif::log(self))),
            Form::Github => github::commands(self).for_each(printer::data),
        }
    }

    fn report(&self, assembled: Option<&Assembled>) -> Report<'_> {
        let (errors, warnings) = counts(self.problems);
        Report {
            sound: errors == 0,
            errors,
            warnings,
            problems: self.problems,
            rulebook: assembled.map(|assembled| assembled.rulebook.id().to_string()),
        }
    }

    /// The file of a problem, as seen from the repository.
    fn path_of(&self, problem: &Problem) -> String {
        place::in_repository(self.folder, &problem.file)
    }

    fn region_of(&self, problem: &Problem) -> Option<Region> {
        let start = (problem.line > 0).then_some((problem.line, problem.column))?;
        let file = self.files.iter().find(|file| file.name == problem.file)?;
        let (offset, length) = problem.span;
        let end = file.line_and_column(offset + length);
        Some(Region {
            start,
            end: end.max(start),
        })
    }
}

/// A problem and its fix in one line.
fn sentence(problem: &Problem) -> String {
    match &problem.help {
        Some(help) => format!("{} ({help})", problem.message),
        None => problem.message.clone(),
    }
}

fn last_line(found: &Found, problems: &[Problem], assembled: Option<&Assembled>) -> String {
    let (errors, warnings) = counts(problems);
    let warned = counted(warnings, "warning");
    match assembled {
        Some(assembled) if errors == 0 => format!("{}; {warned}", summary(found, assembled)),
        _ => format!("{}: {}, {warned}", found.label, counted(errors, "error")),
    }
}

/// Everything that is wrong, also with a folder of which not all could be read, and the rules where they could be assembled.
fn checked(files: &[SourceText], unread: Vec<Problem>) -> (Vec<Problem>, Option<Assembled>) {
    let Sorted {
        sources,
        stray,
        missing,
    } = Sorted::new(files.to_vec());
    let is_whole = unread.is_empty() && missing.is_empty();
    let mut problems = [unread, stray, missing].concat();
    if is_whole {
        let draft = Draft::of(&sources);
        let mut of_others = Vec::new();
        if !draft.is_sound() {
            of_others.extend(draft.mistakes_of_cases());
            of_others.extend(mistakes(&draft));
        }
        match draft.assembled() {
            Ok(assembled) => {
                problems.extend(judged(&sources, &assembled));
                return (problems, Some(assembled));
            }
            Err(found) => problems.extend(found.into_iter().chain(of_others)),
        }
    } else {
        let is_there = |problem: &Problem| files.iter().any(|file| file.name == problem.file);
        problems.extend(sources.mistakes().into_iter().filter(is_there));
        problems.extend(property::read(&sources.properties).problems().to_vec());
    }
    (problems, None)
}

/// What is wrong with rules that could be assembled, and with what is said of them.
fn judged(sources: &Sources, assembled: &Assembled) -> Vec<Problem> {
    let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
    let policy = assembled.rulebook.policy();
    let mut warnings = assembled.warnings.clone();
    let now = Clock::system().now();
    warnings.extend(policy.expiring(now));
    warnings.extend(assembled.past_review(sources, now));
    warnings.extend(assembled.overlaps());
    warnings.extend(assembled.slips(sources));
    warnings.extend(assembled.owners_alike(sources, owners_of_properties(sources)));
    warnings.extend(assembled.unused_purposes());
    if report.is_green() {
        // what a case that fails would have reached, nobody knows
        warnings.extend(policy.untested(&report.unreached));
    }
    let mut problems = report.into_problems();
    // what is to be proved must make sense, whether or not there is a solver here
    let properties = Work::claimed(sources, &assembled.rulebook, &assembled.directory);
    problems.extend(properties.err().into_iter().flatten());
    problems.extend(warnings);
    problems
}

fn owners_of_properties(sources: &Sources) -> Vec<Stated> {
    let properties = property::read(&sources.properties);
    let stated = properties.so_far().iter().map(|property| Stated {
        owner: property.owner.clone(),
        file: property.file.clone(),
        span: property.owner_span,
    });
    stated.collect()
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
