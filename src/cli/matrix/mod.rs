//! `wayleave matrix`: who may do what, where, and what for?

mod csv;
mod html;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::explain::unnamed;
use super::shown::tell;
use super::{cores, printer};
use crate::clock::{Clock, Timestamp};
use crate::facts::{
    Activity, Arrival, Door, MethodName, NetworkName, Person, PlatformId, PurposeId, RulebookId, did_you_mean,
};
use crate::gatehouse::sources::find;
use crate::rulebook::{Access, Assembled, Cell, MatrixQuestion, Rulebook, Sources, Ways};

/// Prints who may do what: people, platforms, activities, and the purposes that open them. Every answer is judged as the
/// gateway would judge it.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 printed; 1 the rules have problems; 2 no folder, or no such person, role, platform, activity or purpose"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// Only this person; may be repeated.
    #[arg(long, value_name = "PERSON")]
    who: Vec<String>,
    /// Only people who hold this role; may be repeated.
    #[arg(long)]
    role: Vec<String>,
    /// Instead of each person, roles: what everybody who holds one may do.
    #[arg(long, conflicts_with = "who")]
    roles: bool,
    /// Only this platform; may be repeated.
    #[arg(long)]
    platform: Vec<String>,
    /// Only this activity; may be repeated.
    #[arg(long)]
    activity: Vec<String>,
    /// Only what this purpose opens, or is open without one; may be repeated.
    #[arg(long)]
    purpose: Vec<String>,
    /// When, e.g. `2026-11-24T12:30:00Z`; now if it is not said.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The named network that people are in: one of `ingress.networks` in the settings.
    #[arg(long, default_value = "office")]
    network: String,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
}

/// How the matrix is printed.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people: platforms that are alike together.
    Table,
    /// For spreadsheets: one line for each person or role, platform, activity and purpose.
    Csv,
    /// For managers: one page that needs nothing else.
    Html,
}

/// All that is printed.
struct Matrix {
    rulebook: RulebookId,
    at: Timestamp,
    network: String,
    sheets: Vec<Sheet>,
}

/// What one person, or everybody in a role, may do.
struct Sheet {
    /// The id of the person or role.
    id: String,
    /// What people call them.
    name: String,
    /// The roles of a person, or the people in a role.
    about: Vec<String>,
    platforms: BTreeMap<PlatformId, Access>,
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
    let assembled = Sources::from_files(found.files.clone()).and_then(|sources| Rulebook::assemble(&sources));
    let assembled = match assembled {
        Ok(assembled) => assembled,
        Err(problems) => {
            tell(&problems, &found.files);
            printer::talk("error: the rules have problems, so they say nothing");
            return ExitCode::FAILURE;
        }
    };
    match matrix(args, &assembled) {
        Ok(matrix) => {
            let text = match args.format {
                Form::Table => table::text(&matrix),
                Form::Csv => csv::text(&matrix),
                Form::Html => html::text(&matrix),
            };
            printer::data(text.trim_end());
            unnamed(&args.network, &assembled.rulebook)
                .iter()
                .for_each(printer::talk);
            ExitCode::SUCCESS
        }
        Err(why) => {
            printer::talk(format_args!("error: {why}"));
            ExitCode::from(2)
        }
    }
}

fn matrix(args: &Args, assembled: &Assembled) -> Result<Matrix, String> {
    let Assembled {
        rulebook, directory, ..
    } = assembled;
    known("person", &args.who, directory.people().map(|person| person.id.as_str()))?;
    known("role", &args.role, directory.roles().iter().map(String::as_str))?;
    let platforms = rulebook.catalog().platforms().map(|platform| platform.id.as_str());
    known("platform", &args.platform, platforms)?;
    let activities = rulebook.policy().vocabulary().activities().keys();
    known("activity", &args.activity, activities.map(Activity::as_str))?;
    let purposes = rulebook.purposes().iter().map(|purpose| purpose.id.as_str());
    known("purpose", &args.purpose, purposes)?;
    let question = MatrixQuestion {
        arrival: Arrival {
            door: Door::Plain,
            client: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            network: NetworkName::new(args.network.clone()),
        },
        method: MethodName::Basic,
        at: args.at.unwrap_or_else(|| Clock::system().now()),
        platforms: args.platform.iter().map(|id| PlatformId::new(id.as_str())).collect(),
        activities: args.activity.iter().map(|id| Activity::new(id.as_str())).collect(),
        purposes: args.purpose.iter().map(|id| PurposeId::new(id.as_str())).collect(),
    };
    let wanted = |person: &&Arc<Person>| {
        let named = args.who.is_empty() || args.who.iter().any(|name| name == person.id.as_str());
        named && (args.role.is_empty() || args.role.iter().any(|role| person.roles.contains(role)))
    };
    let people: Vec<Arc<Person>> = directory.people().filter(wanted).cloned().collect();
    let sheets = cores::each(&people, |person| (person.clone(), rulebook.matrix(person, &question)));
    Ok(Matrix {
        rulebook: rulebook.id().clone(),
        at: question.at,
        network: args.network.clone(),
        sheets: if args.roles {
            let roles = directory.roles().iter();
            let roles = roles.filter(|role| args.role.is_empty() || args.role.contains(role));
            roles.filter_map(|role| of_role(role, &sheets)).collect()
        } else {
            sheets.into_iter().map(of_person).collect()
        },
    })
}

fn known<'a>(kind: &str, words: &[String], all: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let all: Vec<&str> = all.collect();
    let Some(stranger) = words.iter().find(|word| !all.contains(&word.as_str())) else {
        return Ok(());
    };
    Err(match did_you_mean(stranger, all) {
        Some(near) => format!("there is no {kind} `{stranger}`: did you mean `{near}`?"),
        None => format!("there is no {kind} `{stranger}`"),
    })
}

type Judged = (Arc<Person>, BTreeMap<PlatformId, Access>);

fn of_person((person, platforms): Judged) -> Sheet {
    Sheet {
        id: person.id.to_string(),
        name: person.name.clone(),
        about: person.roles.iter().cloned().collect(),
        platforms,
    }
}

/// What everybody who holds `role` may do; none where nobody does.
fn of_role(role: &str, judged: &[Judged]) -> Option<Sheet> {
    let members: Vec<&Judged> = judged
        .iter()
        .filter(|(person, _)| person.roles.contains(role))
        .collect();
    let ((_, first), rest) = members.split_first()?;
    let mut platforms = first.clone();
    for (_, theirs) in rest {
        for (platform, access) in &mut platforms {
            let theirs = theirs.get(platform).unwrap_or(&Access::Closed);
            *access = common(access, theirs);
        }
    }
    Some(Sheet {
        id: role.to_owned(),
        name: format!("everybody in {role}"),
        about: members.iter().map(|(person, _)| person.id.to_string()).collect(),
        platforms,
    })
}

/// What both may do.
fn common(one: &Access, other: &Access) -> Access {
    match (one, other) {
        (Access::Closed, _) | (_, Access::Closed) => Access::Closed,
        (Access::Unread(one), Access::Unread(other)) => Access::Unread(in_common(one, other)),
        (Access::Unread(reached), Access::Read(cells)) | (Access::Read(cells), Access::Unread(reached)) => {
            let cells = cells
                .iter()
                .map(|(activity, cell)| (activity.clone(), in_common(reached, cell)));
            Access::Read(cells.collect())
        }
        (Access::Read(one), Access::Read(other)) => {
            let both = one.iter().filter_map(|(activity, cell)| {
                let cell = in_common(cell, other.get(activity)?);
                Some((activity.clone(), cell))
            });
            Access::Read(both.collect())
        }
    }
}

/// What opens an activity for both, at once or to whoever continues.
fn in_common(one: &Cell, other: &Cell) -> Cell {
    let open = for_both(&one.open, &other.open);
    let mut coached = for_both(&either(&one.open, &one.coached), &either(&other.open, &other.coached));
    coached.free &= !open.free;
    if open.free || coached.free {
        coached = Ways {
            free: coached.free,
            ..Ways::default()
        };
    }
    coached.declared.retain(|purpose| !open.declared.contains(purpose));
    coached.approved.retain(|purpose| !open.approved.contains(purpose));
    Cell { open, coached }
}

/// What opens an activity one way or the other.
fn either(one: &Ways, other: &Ways) -> Ways {
    let together = |one: &BTreeSet<PurposeId>, other: &BTreeSet<PurposeId>| one.union(other).cloned().collect();
    Ways {
        free: one.free || other.free,
        declared: together(&one.declared, &other.declared),
        approved: together(&one.approved, &other.approved),
    }
}

/// What opens an activity for both: what opens it freely for one opens it for the other under whatever that one needs.
fn for_both(one: &Ways, other: &Ways) -> Ways {
    if one.free || other.free {
        let needed = if one.free { other } else { one };
        return needed.clone();
    }
    let all = |ways: &Ways| -> BTreeSet<PurposeId> { ways.declared.union(&ways.approved).cloned().collect() };
    let both: BTreeSet<PurposeId> = all(one).intersection(&all(other)).cloned().collect();
    let declared: BTreeSet<PurposeId> = one.declared.intersection(&other.declared).cloned().collect();
    Ways {
        free: false,
        approved: both.difference(&declared).cloned().collect(),
        declared,
    }
}

/// What the mark means, where something bears it.
fn legend(matrix: &Matrix) -> Option<&'static str> {
    let is_coached = |access: &Access| match access {
        Access::Closed => false,
        Access::Unread(reached) => reached.coached != Ways::default(),
        Access::Read(cells) => cells.values().any(|cell| cell.coached != Ways::default()),
    };
    let mut all = matrix.sheets.iter().flat_map(|sheet| sheet.platforms.values());
    all.any(is_coached)
        .then_some("coached: refused with the reason, and open to whoever continues all the same")
}

/// What may be done on a platform, in words: how it is opened, and the activities.
fn opened(access: &Access) -> Vec<(String, String)> {
    let cells = match access {
        Access::Closed => return vec![("never".to_owned(), "everything: it cannot be reached".to_owned())],
        Access::Unread(reached) => {
            let ways = ways_of(reached).into_iter();
            return ways
                .map(|(_, way)| (way, "everything: it passes unread".to_owned()))
                .collect();
        }
        Access::Read(cells) => cells,
    };
    let mut ways: BTreeMap<(u8, String), Vec<&str>> = BTreeMap::new();
    for (activity, cell) in cells {
        for named in ways_of(cell) {
            ways.entry(named).or_default().push(activity.as_str());
        }
    }
    ways.into_iter().map(|((_, way), all)| (way, all.join(", "))).collect()
}

fn ways_of(cell: &Cell) -> Vec<(u8, String)> {
    let mut ways = in_words(&cell.open);
    let marked = in_words(&cell.coached).into_iter();
    ways.extend(marked.map(|(order, way)| (order + 3, coached(&way))));
    if ways.is_empty() {
        ways.push((6, "never".to_owned()));
    }
    ways
}

/// What opens an activity, in words, each with its place in a list.
fn in_words(ways: &Ways) -> Vec<(u8, String)> {
    let free = ways.free.then(|| (0, "without a purpose".to_owned()));
    let declared = ways.declared.iter().map(|purpose| (1, format!("for {purpose}")));
    let approved = ways.approved.iter();
    let approved = approved.map(|purpose| (2, format!("for {purpose}, once approved")));
    free.into_iter().chain(declared).chain(approved).collect()
}

/// The mark of what is coached.
fn coached(way: &str) -> String {
    format!("{way}, coached")
}

/// Platforms that are alike, together.
fn alike(sheet: &Sheet) -> BTreeMap<&Access, Vec<&str>> {
    let mut rows: BTreeMap<&Access, Vec<&str>> = BTreeMap::new();
    for (platform, access) in &sheet.platforms {
        rows.entry(access).or_default().push(platform.as_str());
    }
    rows
}

#[cfg(test)]
mod tests;
