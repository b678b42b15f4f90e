//! `wayleave diff`: what would another set of rules answer differently?

mod beside;
mod cases;
mod matrix;
mod report;
mod revision;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::Policy;

use super::printer;
use super::progress::Progress;
use super::shown::tell;
use crate::facts::{Problem, SourceText};
use crate::gatehouse::sources::read_folder;
use crate::proof::{Comparison, Difference, Effort, Missing, Theory};
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Compares two folders of policies, or two git revisions of one, by what they answer: who may newly do what, and who no
/// longer may, each with a request that shows it, computed for every request there can be and put to the engine as well.
///
/// Needs the solver cvc5; without it, cases, and what the people of the directory may do, are compared, and that is said.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 the same; 1 different; 2 one of them cannot be read, or has problems; 4 nothing differs that \
                        was found, but not everything could be compared, as where the time was up"
)]
pub struct Args {
    /// A folder, a git revision, or two revisions: `main..HEAD`, or `main...HEAD` for what HEAD alone changed since it left
    /// main, as code hosts compare.
    old: String,
    /// Another folder or revision.
    new: Option<String>,
    /// The folder of policies in a revision.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    folder: String,
    /// Seconds for each kind of request and rule that makes a difference.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// Seconds for all of it together: what is left then stays undecided.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    total: u64,
}

/// Not everything could be compared.
const UNDECIDED: u8 = 4;

/// One of the two.
pub(super) struct Side {
    /// What it was called.
    pub(super) label: String,
    pub(super) sources: Sources,
    pub(super) assembled: Assembled,
}

impl Side {
    /// Whether nothing but the rules differs.
    pub(super) fn has_data_of(&self, other: &Self) -> bool {
        beside::changes(&self.sources, &other.sources).is_empty()
    }
}

/// What was compared, and how.
pub(super) enum Compared {
    /// For every request there can be.
    Proved(Difference),
    /// By cases and people, since there is no proof, and why.
    Tried(String),
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let (old, new) = match named(args) {
        Ok(both) => both,
        Err(why) => {
            printer::talk(format_args!("error: {why}"));
            return ExitCode::from(2);
        }
    };
    let (Some(old), Some(new)) = (side(&old, &args.folder), side(&new, &args.folder)) else {
        return ExitCode::from(2);
    };
    let seconds = Duration::from_secs;
    let effort = Arc::new(Effort::new(seconds(args.limit), seconds(args.total)));
    let compared = compared(&old, &new, &effort);
    let report = report::Report::new(&old, &new, &compared);
    report.lines.iter().for_each(printer::data);
    if let Some(over) = effort.over().filter(|_| !report.is_whole) {
        printer::data(format_args!("{over}: give it more with `--total`"));
    }
    match (report.differs, report.is_whole) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(UNDECIDED),
    }
}

/// What the two are called.
fn named(args: &Args) -> Result<(String, String), String> {
    if let Some(new) = &args.new {
        return Ok((args.old.clone(), new.clone()));
    }
    let or_head = |name: &str| {
        if name.is_empty() {
            "HEAD".to_owned()
        } else {
            name.to_owned()
        }
    };
    let both = Some(&args.old).filter(|name| !Path::new(name).is_dir());
    if let Some((old, new)) = both.and_then(|both| both.split_once("...")) {
        let (old, new) = (or_head(old), or_head(new));
        return Ok((revision::fork(&old, &new)?, new));
    }
    let both = both.and_then(|both| both.split_once(".."));
    let (old, new) = both.ok_or("name what to compare with: two folders, two git revisions, or `main..HEAD`")?;
    Ok((or_head(old), or_head(new)))
}

/// Reads one of the two; what is wrong with it is told.
fn side(label: &str, folder: &str) -> Option<Side> {
    let dir = Path::new(label);
    let found = if dir.is_dir() {
        read_folder(dir)
    } else {
        revision::read(label, folder)
    };
    let files = match found {
        Ok(files) => files,
        Err(problems) => {
            tell(&problems, &[]);
            return None;
        }
    };
    let (sources, assembled) = match assembled(&files) {
        Ok(both) => both,
        Err(problems) => {
            tell(&problems, &files);
            printer::talk(format_args!("error: `{label}` has problems, so nothing was compared"));
            return None;
        }
    };
    Some(Side {
        label: label.to_owned(),
        sources,
        assembled,
    })
}

fn assembled(files: &[SourceText]) -> Result<(Sources, Assembled), Vec<Problem>> {
    let sources = Sources::from_files(files.to_vec())?;
    let assembled = Rulebook::assemble(&sources)?;
    Ok((sources, assembled))
}

/// Compares the rules of the two.
fn compared(old: &Side, new: &Side, effort: &Arc<Effort>) -> Compared {
    match proved(old, new, effort) {
        Ok(difference) => Compared::Proved(difference),
        Err(why) => Compared::Tried(why),
    }
}

fn proved(old: &Side, new: &Side, effort: &Arc<Effort>) -> Result<Difference, String> {
    let (before, after) = theories(old, new).ok_or("the schemas differ, and neither has the words of both rules")?;
    let comparison = Comparison::of(&before, &after);
    let progress = Progress::of("comparing", u64::try_from(comparison.size()).unwrap_or(u64::MAX));
    let difference = comparison.settle(effort, &|| progress.add(1));
    difference.map_err(|missing: Missing| {
        let help = missing.help();
        format!("{missing}; {help}")
    })
}

/// Both as theories of one schema: the new one, or the old one, whichever has words for all rules.
pub(super) fn theories(old: &Side, new: &Side) -> Option<(Theory, Theory)> {
    let schemas = [&new.sources.schema, &old.sources.schema].into_iter();
    let mut both = schemas.filter_map(|schema| {
        let theory = |side: &Side, named: &[Policy]| {
            let sources = Sources {
                schema: schema.clone(),
                ..side.sources.clone()
            };
            let Assembled {
                rulebook, directory, ..
            } = &side.assembled;
            let theory = Theory::new(&sources, rulebook, directory, named).ok()?;
            theory.is_understood().then_some(theory)
        };
        let before = theory(old, &[])?;
        let named: Vec<Policy> = before.every().map(|rule| rule.policy().clone()).collect();
        Some((before, theory(new, &named)?))
    });
    both.next()
}
