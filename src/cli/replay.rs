//! `wayleave replay`: what would other rules have made of what people did?

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::check::Format;
use super::progress::Progress;
use super::records::moment;
use super::shown::{json, tell};
use super::{cores, printer};
use crate::audit::{ReadProblem, Records, Unread, read};
use crate::clock::{Clock, Timestamp};
use crate::facts::RulebookId;
use crate::gatehouse::sources::find;
use crate::rulebook::{Assembled, Change, Example, Group, Loose, Replayer, Rulebook, Sources, Sums, Tally};

/// Judges what was recorded again, under other rules, and says what would change: how much, for whom, with examples.
///
/// Groups of fewer than five people are added up without their names, and none can be worked out from the others. A record keeps what its own rules looked at: where
/// the other rules would look at more, it cannot answer, and that is counted apart.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 nothing changes; 1 something does, the rules have problems, or the records cannot be read; 2 no folder of rules; 4 that cannot be told: no decision was judged again, or the records do not hold enough"
)]
pub struct Args {
    /// The folder of policies to try; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// The folder of the records.
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// The same as `[DIR]`.
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    policies: Option<PathBuf>,
    /// Only what was recorded then or later: a moment, a day, or how long ago (30d, 12h).
    #[arg(long, value_name = "WHEN", value_parser = |text: &str| moment(text, Clock::system().now()))]
    since: Option<Timestamp>,
    /// How many examples to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    /// How to print what would change.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Nothing that could be judged again changes, but not all could be.
const UNTOLD: u8 = 4;
/// So many lines go to a thread at once.
const BATCH: usize = 256;

/// What `--format json` prints.
#[derive(Serialize)]
struct Report<'a> {
    rulebook: &'a RulebookId,
    #[serde(flatten)]
    sums: &'a Sums,
    unreadable: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let found = match find(args.dir.as_deref().or(args.policies.as_deref())) {
        Ok(found) => found,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let assembled = Sources::from_files(found.files.clone()).and_then(|sources| Rulebook::assemble(&sources));
    let rules = match assembled {
        Ok(assembled) => assembled,
        Err(problems) => {
            tell(&problems, &found.files);
            printer::talk("error: the rules have problems, so they judge nothing");
            return ExitCode::FAILURE;
        }
    };
    let (mut sums, unreadable) = match replayed(&args.records, &rules, args.since) {
        Ok(replayed) => replayed,
        Err(problem) => {
            printer::talk(format_args!("error: {}", problem.told("--records")));
            return ExitCode::FAILURE;
        }
    };
    sums.examples.truncate(args.examples);
    match args.format {
        Format::Json => printer::data(json(&Report {
            rulebook: rules.rulebook.id(),
            sums: &sums,
            unreadable,
        })),
        Format::Human => lines(&sums, rules.rulebook.id()).iter().for_each(printer::data),
    }
    if sums.judged() == 0 {
        printer::talk("no decision was judged again, so nobody can tell what would change");
    }
    ExitCode::from(verdict(&sums, unreadable))
}

/// The exit code.
fn verdict(sums: &Sums, unreadable: u64) -> u8 {
    match (sums.changed, unreadable, sums.not_enough) {
        (0, 0, 0) if sums.same > 0 => 0,
        (0, 0, _) => UNTOLD,
        (_, _, _) => 1,
    }
}

/// Judges every record of a folder again, on all cores; also, how many lines could not be read.
fn replayed(folder: &Path, rules: &Assembled, since: Option<Timestamp>) -> Result<(Sums, u64), ReadProblem> {
    let mut records = read(folder)?;
    let cores = cores::count();
    let progress = Progress::of("judging again", records.length());
    let (give, take) = sync_channel(cores * 4);
    let (take, loose) = (Mutex::new(take), Mutex::new(Loose::default()));
    let (mut tally, unreadable) = thread::scope(|scope| {
        let judge = || judged((&take, &loose), &rules.rulebook, since, &progress);
        let judges: Vec<_> = (0..cores).map(|_| scope.spawn(judge)).collect();
        let mut unreadable = handed_out(&mut records, give)?;
        let mut all = Tally::default();
        for judge in judges {
            let (tally, bad) = judge.join().unwrap_or_else(|panic| resume_unwind(panic));
            all.merge(tally);
            unreadable += bad;
        }
        Ok((all, unreadable))
    })?;
    tally.add_loose(loose.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok((tally.sums(&rules.directory), unreadable))
}

/// Hands the lines out in batches.
fn handed_out(records: &mut Records, give: SyncSender<Vec<Unread>>) -> Result<u64, ReadProblem> {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(line) = records.next_unread() {
        batch.push(line?);
        if batch.len() == BATCH && give.send(std::mem::take(&mut batch)).is_err() {
            break;
        }
    }
    // the judges are gone only where they broke off, which their missing sums would hide
    let broke_off = give.send(batch).is_err();
    // tells the judges that there are no more
    drop(give);
    Ok(u64::from(broke_off))
}

/// Takes batches until there are no more, and puts together what is not complete within them.
fn judged(
    (take, loose): (&Mutex<Receiver<Vec<Unread>>>, &Mutex<Loose>),
    rules: &Rulebook,
    since: Option<Timestamp>,
    progress: &Progress,
) -> (Tally, u64) {
    let (mut replayer, mut unreadable) = (Replayer::new(rules), 0);
    loop {
        let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = next else {
            return (replayer.into_tally(), unreadable);
        };
        for line in &batch {
            let counted = line.text().and_then(|text| {
                let counted = replayer.add(text, since);
                counted.map_err(|error| line.refused(error))
            });
            if let Err(problem) = counted {
                unreadable += 1;
                printer::talk(format_args!("error: {problem}"));
            }
        }
        let left = replayer.take_loose();
        loose.lock().unwrap_or_else(PoisonError::into_inner).add(left);
        progress.add(batch.iter().map(Unread::length).sum());
    }
}

fn lines(sums: &Sums, rulebook: &RulebookId) -> Vec<String> {
    let mut lines = vec![format!(
        "{} decisions judged again: {} change, {} stay, for {} the records do not hold enough; {} records of no decision",
        sums.judged(),
        sums.changed,
        sums.same,
        sums.not_enough,
        sums.not_judged
    )];
    for change in Change::ALL {
        let count = sums.changes.get(&change);
        lines.extend(count.map(|count| format!("  {}: {count}", change.as_str())));
    }
    for (kind, groups) in &sums.groups {
        if !groups.is_empty() {
            lines.push(String::new());
            lines.push(format!("by {kind}"));
            lines.extend(groups.iter().map(group));
        }
    }
    if !sums.examples.is_empty() {
        lines.push(String::new());
        lines.push("examples (`wayleave explain ID` tells the whole story)".to_owned());
        lines.extend(sums.examples.iter().map(example));
    }
    lines.push(String::new());
    lines.push(format!("under {rulebook}"));
    lines
}

fn group(group: &Group) -> String {
    match (&group.name, group.people) {
        (Some(name), Some(people)) => format!("  {name}: {} of {people} people", group.decisions),
        (_, _) => format!("  too few people to be named: {}", group.decisions),
    }
}

fn example(example: &Example) -> String {
    let by = |policies: &std::collections::BTreeSet<crate::facts::PolicyId>| {
        let names: Vec<&str> = policies.iter().map(crate::facts::PolicyId::as_str).collect();
        if names.is_empty() {
            "no rule".to_owned()
        } else {
            names.join(", ")
        }
    };
    let (from, to) = (by(&example.from_policies), by(&example.to_policies));
    let ways: String = example.ways.iter().map(|way| format!("; {way}")).collect();
    format!(
        "  {}: {} by {from} -> {} by {to}{ways}",
        example.record.as_str(),
        example.from.as_str(),
        example.to.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changes_only_where_something_was_judged_and_all_could_be() {
        for (same, changed, not_enough, unreadable, code) in [
            (2, 0, 0, 0, 0),
            (0, 0, 0, 0, UNTOLD),
            (2, 0, 1, 0, UNTOLD),
            (2, 1, 1, 0, 1),
            (2, 0, 1, 1, 1),
            (0, 0, 0, 1, 1),
        ] {
            let sums = Sums {
                same,
                changed,
                not_enough,
                not_judged: 7,
                changes: [].into(),
                groups: [].into(),
                examples: Vec::new(),
            };
            assert_eq!(verdict(&sums, unreadable), code, "{sums:?} {unreadable}");
        }
    }
}
