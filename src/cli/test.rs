//! `wayleave test`: do the rules do what their cases say?

use std::path::PathBuf;
use std::process::ExitCode;

use super::printer;
use super::shown::{drawn, tell};
use crate::facts::{Problem, SourceText};
use crate::gatehouse::sources::find;
use crate::rulebook::{CaseReport, Rulebook, Sources};

/// Runs `cases/*.toml` against the rules.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit code: 0 all cases pass; 1 a case fails, or something has problems; 2 no folder to read")]
pub struct Args {
    /// The folder; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Args) -> ExitCode {
    let Args { dir } = args;
    let found = match find(dir.as_deref()) {
        Ok(found) => found,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let assembled = Sources::from_files(found.files.clone())
        .and_then(|sources| Rulebook::assemble(&sources).map(|assembled| (sources, assembled)));
    let (sources, assembled) = match assembled {
        Ok(both) => both,
        Err(problems) => {
            print_problems(&problems, &found.files);
            printer::talk("error: the rules have problems, so no case was run");
            return ExitCode::FAILURE;
        }
    };
    let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
    print_problems(&report.problems, &found.files);
    for line in lines(&report) {
        printer::data(line);
    }
    if report.is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print_problems(problems: &[Problem], files: &[SourceText]) {
    for problem in problems {
        printer::data(drawn(problem, files));
    }
}

fn lines(report: &CaseReport) -> Vec<String> {
    let mut lines = Vec::new();
    for failure in &report.failures {
        lines.push(format!("FAIL {}:{} it {}", failure.file, failure.place.0, failure.name));
        lines.extend(failure.lines.iter().map(|line| format!("     {line}")));
        lines.push(String::new());
    }
    if !report.unreached.is_empty() {
        let unreached: Vec<&str> = report.unreached.iter().map(crate::facts::PolicyId::as_str).collect();
        lines.push(format!("no case reaches {}", unreached.join(", ")));
    }
    let unread = match report.problems.len() {
        0 => String::new(),
        1 => ", 1 problem in the case files".to_owned(),
        number => format!(", {number} problems in the case files"),
    };
    lines.push(format!(
        "{} passed, {} failed{unread}",
        report.passed,
        report.failures.len()
    ));
    lines
}
