//! `wayleave test`: do the rules do what their cases say, and would anybody notice if they did not?
#![expect(
    clippy::disallowed_methods,
    reason = "door: writes the report for CI where it was asked to"
)]

mod junit;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::progress::Progress;
use super::shown::{drawn, tell};
use super::{cores, printer};
use crate::facts::{PolicyId, Problem, SourceText};
use crate::gatehouse::sources::{Found, find};
use crate::proof::{Shelf, Watch, solver};
use crate::rulebook::{
    Assembled, Case, CaseReport, CaseResult, Coverage, Exercised, Mutation, Rulebook, Sources, Survivor, Touched,
};

/// Runs `cases/*.toml` against the rules, and `cases/*.json` in the form of `cedar run-tests`; says which rules and
/// conditions they exercise.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 all cases pass, and notice enough; 1 a case fails, something has problems, or too much goes unnoticed; 2 no folder to read"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// List the conditions that no case has seen hold, or none has seen fail.
    #[arg(long)]
    coverage: bool,
    /// Also write the results for CI, in XML as `JUnit` writes it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Change the rules one by one (leave one out, drop or turn round a condition, widen a scope, take one group for
    /// another), and list the changes that no case notices, nor any property. Properties need the solver of `wayleave
    /// prove`; without it cases are asked alone.
    #[arg(long)]
    mutate: bool,
    /// How many of a hundred changes must be noticed.
    #[arg(long, value_name = "PERCENT", default_value_t = 95, requires = "mutate", value_parser = clap::value_parser!(u8).range(..=100))]
    at_least: u8,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let found = match find(args.dir.as_deref()) {
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
            not_run(problems, &found, args.junit.as_ref());
            return ExitCode::FAILURE;
        }
    };
    let rules = &assembled.rulebook;
    let (cases, problems) = rules.cases(&assembled.directory, &sources.cases);
    let ran = cores::each(&cases, |case| (rules.run_case(case), rules.touched(case)));
    let (results, touched): (Vec<CaseResult>, Vec<Touched>) = ran.into_iter().unzip();
    let report = rules.report(results, problems);
    let coverage = rules.coverage(&touched);
    print_problems(&report.problems, &found.files);
    lines(&report, &coverage, args.coverage).iter().for_each(printer::data);
    let written = args.junit.as_ref().is_none_or(|file| write(&report, &found, file));
    if !report.is_green() {
        if args.mutate {
            printer::talk("error: the rules were not changed: first all cases must pass");
        }
        return ExitCode::FAILURE;
    }
    let noticed = !args.mutate || mutated(&sources, &assembled, (&cases, &touched), args.at_least);
    if written && noticed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Tells why no case was run; also CI, since what an earlier run wrote says nothing of these rules.
fn not_run(problems: Vec<Problem>, found: &Found, junit: Option<&PathBuf>) {
    print_problems(&problems, &found.files);
    printer::talk("error: the rules have problems, so no case was run");
    let report = CaseReport {
        results: Vec::new(),
        problems,
        reached: BTreeSet::new(),
        unreached: BTreeSet::new(),
    };
    if let Some(file) = junit {
        write(&report, found, file);
    }
}

fn write(report: &CaseReport, found: &Found, file: &PathBuf) -> bool {
    let written = std::fs::write(file, junit::document(report, found.folder.as_deref()));
    if let Err(error) = &written {
        printer::talk(format_args!("error: `{}` cannot be written: {error}", file.display()));
    }
    written.is_ok()
}

fn print_problems(problems: &[Problem], files: &[SourceText]) {
    for problem in problems {
        printer::data(drawn(problem, files));
    }
}

fn lines(report: &CaseReport, coverage: &Coverage, all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for failure in report.failures() {
        lines.push(format!("FAIL {}:{} it {}", failure.file, failure.place.0, failure.name));
        lines.extend(diff(failure).iter().map(|line| format!("     {line}")));
        lines.push(String::new());
    }
    if all {
        lines.extend(
            coverage
                .rules
                .iter()
                .flat_map(|(id, conditions)| one_sided(id, conditions)),
        );
    }
    if !report.unreached.is_empty() {
        let unreached: Vec<&str> = report.unreached.iter().map(PolicyId::as_str).collect();
        lines.push(format!("no case reaches {}", unreached.join(", ")));
    }
    let unread = match report.problems.len() {
        0 => String::new(),
        1 => ", 1 problem in the case files".to_owned(),
        number => format!(", {number} problems in the case files"),
    };
    let (passed, failed) = (report.passed(), report.failures().count());
    lines.push(format!("{passed} passed, {failed} failed{unread}"));
    let (whole, conditions) = coverage.conditions();
    let (reached, rules) = (report.reached.len(), coverage.rules.len());
    lines.push(format!(
        "exercised: {reached} of {rules} rules, {whole} of {conditions} conditions both ways"
    ));
    lines
}

/// A failed case as one would have to change it.
fn diff(result: &CaseResult) -> Vec<String> {
    let mut lines = Vec::new();
    for difference in &result.differences {
        lines.push(format!("- {} = {}", difference.key, difference.expected));
        lines.push(format!("+ {} = {}", difference.key, difference.came));
    }
    lines.extend(result.because.iter().cloned());
    lines
}

/// The conditions of a rule that the cases have not seen from both sides.
fn one_sided(id: &PolicyId, conditions: &[Exercised]) -> Vec<String> {
    let lacking = conditions.iter().filter(|condition| !condition.is_whole());
    let told = lacking.map(|Exercised { text, held, failed }| {
        let never = match (held, failed) {
            (false, false) => "never asked",
            (true, _) => "never failed",
            (false, true) => "never held",
        };
        format!("  {never}: {text}")
    });
    let told: Vec<String> = told.collect();
    let head = (!told.is_empty()).then(|| format!("`{id}`"));
    head.into_iter().chain(told).collect()
}

/// What is not settled within this of a property and a changed rule counts as unnoticed.
const LIMIT: Duration = Duration::from_secs(10);

/// Changes the rules one by one; whether enough of the changes were noticed.
fn mutated(sources: &Sources, assembled: &Assembled, (cases, touched): (&[Case], &[Touched]), at_least: u8) -> bool {
    let mutation = assembled.mutation(cases, touched);
    let all = mutation.count();
    let numbers: Vec<usize> = (0..all).collect();
    let progress = Progress::of("changing the rules", all as u64);
    let tried = cores::each(&numbers, |number| {
        let survivor = mutation.survivor(*number);
        progress.add(1);
        survivor.map(|survivor| (*number, survivor))
    });
    drop(progress);
    let mut survivors: Vec<(usize, Survivor)> = tried.into_iter().flatten().collect();
    let by_cases = all - survivors.len();
    let left: Vec<usize> = survivors.iter().map(|(number, _)| *number).collect();
    let asked = by_properties(sources, assembled, &mutation, &left);
    if let Some(noticed) = &asked {
        let mut noticed = noticed.iter();
        survivors.retain(|_| noticed.next() != Some(&true));
    }
    let (nobody, by) = match &asked {
        Some(_) => {
            let by_properties = all - by_cases - survivors.len();
            (
                "no case and no property",
                format!(": {by_cases} by cases, {by_properties} by properties only"),
            )
        }
        None => ("no case", ", by cases alone".to_owned()),
    };
    if !survivors.is_empty() {
        printer::data(format_args!("\n{nobody} notices if"));
    }
    for (_, survivor) in &survivors {
        let Survivor { policy, file, line, .. } = survivor;
        printer::data(format_args!("  {file}:{line} `{policy}`: {}", survivor.change));
    }
    let noticed = all - survivors.len();
    let thousandths = (noticed * 1000).checked_div(all).unwrap_or(1000);
    printer::data(format_args!(
        "{noticed} of {all} changes are noticed ({}.{} %){by}; the schema refuses {} more",
        thousandths / 10,
        thousandths % 10,
        mutation.refused()
    ));
    let enough = thousandths >= usize::from(at_least) * 10;
    if !enough {
        printer::talk(format_args!("error: at least {at_least} % must be noticed: add cases"));
    }
    enough
}

/// Which of the changes that no case noticed some property does; nothing where properties cannot be asked, which is said.
fn by_properties(
    sources: &Sources,
    assembled: &Assembled,
    mutation: &Mutation<'_>,
    left: &[usize],
) -> Option<Vec<bool>> {
    let Ok(watch) = Watch::new(sources, assembled, Shelf::of_user(solver::version().as_deref()), LIMIT) else {
        printer::talk("note: no property was asked: they have problems, which `wayleave prove` tells");
        return None;
    };
    let progress = Progress::of("asking the properties", left.len() as u64);
    let changed = |number: usize| {
        progress.add(1);
        left.get(number).and_then(|number| mutation.changed(*number))
    };
    let noticed = watch.noticed(left.len(), &changed);
    noticed
        .map_err(|missing| {
            let help = missing.help();
            printer::talk(format_args!("note: no property was asked: {missing}\n  help: {help}"));
        })
        .ok()
}
