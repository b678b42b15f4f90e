//! `wayleave prove`: does what must always hold, hold of every request there can be?

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::printer;
use super::shown::tell;
use crate::facts::{Problem, SourceText};
use crate::gatehouse::sources::find;
use crate::proof::claim::{expressions, of_property, of_rules};
use crate::proof::property::{Property, read};
use crate::proof::shelf::Shelf;
use crate::proof::{About, Check, Missing, Outcome, Theory, prove};
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Proves the properties of `properties/*.toml` for every possible request, and of each rule that it always evaluates,
/// can match, and makes a difference. What does not hold is shown by a request, put to the engine as well.
///
/// Needs the solver cvc5: `apt-get install cvc5`, or `CVC5=/path/to/cvc5`.
///
/// Exit code: 0 all proved, 1 something does not hold or the rules have problems, 2 the folder or what was asked cannot
/// be understood, 3 there is no solver, 4 nothing fails but something stays undecided.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// Prove this property alone; may be repeated.
    #[arg(long, value_name = "NAME")]
    property: Vec<String>,
    /// Seconds for each property.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// Prove again what was proved before.
    #[arg(long)]
    no_cache: bool,
}

/// No solver: nothing was proved.
const NO_SOLVER: u8 = 3;
/// The solver did not come to an end.
const UNDECIDED: u8 = 4;

/// A folder, read, with everything that is to be proved of it.
struct Work {
    sources: Sources,
    assembled: Assembled,
    theory: Theory,
    checks: Vec<Check>,
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
    let work = match prepared(&found.files) {
        Ok(work) => work,
        Err(problems) => {
            tell(&problems, &found.files);
            printer::talk("error: rules or properties have problems, so nothing was proved");
            return ExitCode::FAILURE;
        }
    };
    match asked(work, &args.property) {
        Ok(work) => settled(&work, args),
        Err(unknown) => {
            printer::talk(format_args!("error: no property is called `{unknown}`"));
            ExitCode::from(2)
        }
    }
}

fn prepared(files: &[SourceText]) -> Result<Work, Vec<Problem>> {
    let sources = Sources::from_files(files.to_vec())?;
    let assembled = Rulebook::assemble(&sources)?;
    let properties: Vec<Property> = read(&sources.properties)?;
    let theory = Theory::new(&sources, &assembled, &expressions(&properties))?;
    let (mut checks, mut problems) = (Vec::new(), Vec::new());
    for property in &properties {
        let Some(file) = sources.file(&property.file) else {
            continue;
        };
        match of_property(&theory, property, file) {
            Ok(check) => checks.push(check),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    checks.extend(of_rules(&theory, assembled.rulebook.policy().rules()));
    Ok(Work {
        sources,
        assembled,
        theory,
        checks,
    })
}

/// The work, for the named properties only if some are named.
fn asked(work: Work, names: &[String]) -> Result<Work, String> {
    let is = |check: &Check, name: &str| matches!(&check.about, About::Property(one) if one.name == name);
    if let Some(unknown) = names
        .iter()
        .find(|name| !work.checks.iter().any(|check| is(check, name)))
    {
        return Err(unknown.clone());
    }
    let wanted = |check: &Check| names.is_empty() || names.iter().any(|name| is(check, name));
    let checks = work.checks.into_iter().filter(wanted).collect();
    Ok(Work { checks, ..work })
}

fn settled(work: &Work, args: &Args) -> ExitCode {
    let shelf = if args.no_cache {
        Shelf::default()
    } else {
        Shelf::of_user()
    };
    let digests: Vec<String> = work
        .checks
        .iter()
        .map(|check| check.digest(&work.theory, &work.sources))
        .collect();
    let open: Vec<usize> = (0..work.checks.len())
        .filter(|number| digests.get(*number).is_some_and(|digest| !shelf.has(digest)))
        .collect();
    let checks: Vec<Check> = open
        .iter()
        .filter_map(|number| work.checks.get(*number).cloned())
        .collect();
    let keep = |number: usize, outcome: &Outcome| {
        let digest = open.get(number).and_then(|number| digests.get(*number));
        if let (Outcome::Proved, Some(digest)) = (outcome, digest) {
            shelf.keep(digest);
        }
    };
    let proved = match prove(&work.theory, &checks, Duration::from_secs(args.limit), &keep) {
        Ok(outcomes) => outcomes,
        Err(missing) => return no_solver(&missing),
    };
    let mut outcomes = vec![Outcome::Proved; work.checks.len()];
    for (number, outcome) in open.into_iter().zip(proved) {
        if let Some(place) = outcomes.get_mut(number) {
            *place = outcome;
        }
    }
    let report = report::Report::new(&work.checks, &outcomes, &work.assembled);
    report.lines().iter().for_each(printer::data);
    match (report.failed, report.undecided) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(UNDECIDED),
        _ => ExitCode::FAILURE,
    }
}

/// Says that nothing was proved, and what to do.
fn no_solver(missing: &Missing) -> ExitCode {
    printer::talk(format_args!(
        "error: nothing was proved: {missing}\n  help: {}",
        missing.help()
    ));
    ExitCode::from(NO_SOLVER)
}
