//! `wayleave prove`: does what must always hold, hold of every request there can be?

mod kept;
mod out;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kept::Folder;

use super::printer;
use super::progress::Progress;
use super::shown::tell;
use crate::clock::Clock;
use crate::facts::{Effect, Mode, PolicyId, Problem, SourceText};
use crate::gatehouse::sources::find;
use crate::proof::{self, About, Check, Effort, Findings, Missing, Outcome, Prover, Shelf, Work, solver};
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Proves the properties of `properties/*.toml` for every possible request, and of each rule that it always evaluates
/// and makes a difference. What does not hold is shown by a request, put to the engine as well.
///
/// Needs the solver cvc5: `apt-get install cvc5`, or `CVC5=/path/to/cvc5`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "It needs the solver cvc5: `apt-get install cvc5`, `brew install cvc5`, or CVC5=/path/to/cvc5\n\n\
                  Exit code: 0 all proved; 1 something does not hold, or the rules or properties have problems; 2 the folder or \
                  what was asked is not understood, or the file of `--out` cannot be written; 3 there is no solver; 4 nothing \
                  fails that was found, but something stays undecided, as where the time was up"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// Prove only what is said of this property or rule, by its name or id; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Seconds for each property, and for each thing that is to be proved of a rule.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// Seconds for all of it together, from the start: what is left then stays undecided.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    total: u64,
    /// Prove again what was proved before.
    #[arg(long)]
    no_cache: bool,
    /// Write into this file what was found of each property: a gateway whose `policies.proofs` names it shows people what was
    /// proved of the rules in force.
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    out: Option<PathBuf>,
    /// Who found it, as that file says: a person, or what runs on their behalf.
    #[arg(long, value_name = "NAME", requires = "out")]
    by: Option<String>,
}

/// No solver: nothing was proved.
const NO_SOLVER: u8 = 3;
/// The solver did not come to an end.
const UNDECIDED: u8 = 4;
/// What was found could not be written down.
const NOT_WRITTEN: u8 = 2;

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let seconds = Duration::from_secs;
    let effort = Arc::new(Effort::new(seconds(args.limit), seconds(args.total)));
    let found = match find(args.dir.as_deref()) {
        Ok(found) => found,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let (sources, assembled, work) = match prepared(&found.files) {
        Ok(all) => all,
        Err(problems) => {
            tell(&problems, &found.files);
            printer::talk("error: rules or properties have problems, so nothing was proved");
            return ExitCode::FAILURE;
        }
    };
    match asked(work, &args.only) {
        Ok(work) => {
            let folder = Folder {
                sources: &sources,
                assembled: &assembled,
            };
            settled(&work, folder, args, &effort).unwrap_or_else(|missing| no_solver(&missing))
        }
        Err(unknown) => {
            printer::talk(format_args!("error: {}", unproved(&unknown, &assembled)));
            ExitCode::from(2)
        }
    }
}

fn prepared(files: &[SourceText]) -> Result<(Sources, Assembled, Work), Vec<Problem>> {
    let sources = Sources::from_files(files.to_vec())?;
    let assembled = Rulebook::assemble(&sources)?;
    let work = Work::of(&sources, &assembled)?;
    Ok((sources, assembled, work))
}

/// The work, for the named properties only if some are named.
fn asked(work: Work, names: &[String]) -> Result<Work, String> {
    let is = |check: &Check, name: &str| check.about.name() == name;
    let unknown = |name: &&String| !work.checks.iter().any(|check| is(check, name));
    match names.iter().find(unknown) {
        Some(unknown) => Err(unknown.clone()),
        None if names.is_empty() => Ok(work),
        None => Ok(work.only(|check| names.iter().any(|name| is(check, name)))),
    }
}

/// Why nothing is proved of what bears this name.
fn unproved(name: &str, assembled: &Assembled) -> String {
    let Some(rule) = assembled.rulebook.policy().rule(&PolicyId::new(name)) else {
        return format!("no property and no rule is called `{name}`");
    };
    let (only, mode) = match rule.mode {
        Mode::Observe => ("only observes", rule.mode.as_str()),
        Mode::Coach => ("only coaches", rule.mode.as_str()),
        Mode::Enforce => return format!("nothing is to be proved of the rule `{name}`"),
    };
    let idle = match rule.effect {
        Effect::Permit => "it opens nothing by itself",
        Effect::Forbid => "it keeps nobody from anything for good",
    };
    format!(
        "the rule `{name}` ({}:{}) {only}: {idle}, so it is not in effect, and nothing is \
         proved of it\n  help: to prove it as if it were, copy the folder, take `@mode(\"{mode}\")` off the rule there, and \
         run `wayleave prove COPY --only {name}`",
        rule.file, rule.line
    )
}

fn settled(work: &Work, folder: Folder<'_>, args: &Args, effort: &Arc<Effort>) -> Result<ExitCode, Missing> {
    let shelf = if args.no_cache {
        Shelf::default()
    } else {
        Shelf::of_user(solver::version().as_deref())
    };
    let progress = Progress::of("proving", u64::try_from(work.checks.len()).unwrap_or(u64::MAX));
    let outcomes = work.prove(&shelf, effort, &|| progress.add(1))?;
    drop(progress);
    if let Some(file) = &args.out {
        let prover = Prover {
            by: args.by.clone(),
            at: Clock::system().now(),
            solver: solver::version().unwrap_or_default(),
        };
        let findings = Findings::of(work, &outcomes, folder.assembled.rulebook.id(), prover);
        if let Err(why) = out::write(file, &findings.text()) {
            printer::talk(format_args!(
                "error: what was found cannot be written to `{}`: {why}\n  help: name a file in a folder that you may write to",
                file.display()
            ));
            return Ok(ExitCode::from(NOT_WRITTEN));
        }
    }
    let mut idle = BTreeMap::new();
    for (check, outcome) in work.checks.iter().zip(&outcomes) {
        if let (About::Needed(id), Outcome::Failed(_)) = (&check.about, outcome) {
            idle.insert(id.clone(), proof::idle(&work.theory, check, id, effort)?);
        }
    }
    let report = report::Report::new(work, &outcomes, &idle, folder);
    report.lines().iter().for_each(printer::data);
    if let Some(over) = effort.over().filter(|_| report.undecided > 0) {
        let again = if args.no_cache {
            ""
        } else {
            "run it again, since what was proved is remembered, or "
        };
        printer::data(format_args!("{over}: {again}give it more with `--total`"));
    }
    Ok(match (report.failed, report.undecided) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(UNDECIDED),
        _ => ExitCode::FAILURE,
    })
}

/// Says that nothing was proved, and what to do.
fn no_solver(missing: &Missing) -> ExitCode {
    printer::talk(format_args!(
        "error: nothing was proved: {missing}\n  help: {}",
        missing.help()
    ));
    ExitCode::from(NO_SOLVER)
}
