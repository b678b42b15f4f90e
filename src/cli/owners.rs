//! `wayleave owners`: who is asked about a change of which file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use super::check::place::in_repository;
use super::printer;
use super::shown::tell;
use crate::facts::Spelling;
use crate::gatehouse::sources::{Found, find};
use crate::policy::Owners;
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Prints a CODEOWNERS file, which GitHub and GitLab read: the `@owner` of the rules, the `owner` of the purposes, and
/// `owners.toml` say who answers for which file, `--team` says who that is over there. Of several teams on one line a code
/// host wants the consent of any one: where each must agree, give each a file of its own.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 printed; 1 an owner has no team, or the rules have problems; 2 the folder cannot be read"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies.
    dir: Option<PathBuf>,
    /// Who an owner is, e.g. `HR=@acme/hr`; `*` is everybody who is not named. Repeat for more.
    #[arg(long, value_name = "OWNER=TEAM", value_parser = team)]
    team: Vec<(String, String)>,
}

fn team(text: &str) -> Result<(String, String), String> {
    let (owner, team) = text.split_once('=').ok_or("write `HR=@acme/hr`")?;
    let (owner, team) = (owner.trim(), team.trim());
    if owner.is_empty() || !team.contains('@') || team.contains(char::is_whitespace) {
        return Err("write `HR=@acme/hr`: a team or person begins with `@`, or is an e-mail address".to_owned());
    }
    Ok((owner.to_owned(), team.to_owned()))
}

/// Owners by path: a file, or a folder with a `/` at its end.
type Lines = BTreeMap<String, BTreeSet<String>>;

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let found = match find(args.dir.as_deref()) {
        Ok(found) => found,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let read = Sources::from_files(found.files.clone())
        .and_then(|sources| Ok((sources.owners()?, Rulebook::assemble(&sources)?)));
    let (owners, assembled) = match read {
        Ok(both) => both,
        Err(problems) => {
            tell(&problems, &found.files);
            printer::talk("error: the rules have problems, so they do not say whose they are");
            return ExitCode::FAILURE;
        }
    };
    let lines = lines(&found, &owners, &assembled);
    let teams: BTreeMap<&str, &str> = args.team.iter().map(|(owner, team)| (&**owner, &**team)).collect();
    let named: BTreeSet<&str> = lines.values().flatten().map(String::as_str).collect();
    let unknown: Vec<String> = named.into_iter().filter_map(|owner| unknown(owner, &teams)).collect();
    if !unknown.is_empty() {
        unknown.iter().for_each(printer::talk);
        return ExitCode::FAILURE;
    }
    printer::data("# Written by `wayleave owners`: who agrees to a change of the policies, any one of a line.");
    for (path, owners) in &lines {
        let teams: BTreeSet<&str> = owners.iter().filter_map(|owner| team_of(owner, &teams)).collect();
        let teams: Vec<&str> = teams.into_iter().collect();
        if teams.len() > 1 {
            printer::talk(format_args!(
                "warning: what is in `{path}` belongs to {}, and a code host asks any one of {}: where each must agree, give \
                 each a file of its own",
                quoted(owners.iter().map(String::as_str)),
                teams.join(", ")
            ));
        }
        printer::data(format_args!("{} {}", pattern(&found, path), teams.join(" ")));
    }
    ExitCode::SUCCESS
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What is wrong with who an owner is: nobody says it, or `*` does of one who was meant to be another.
fn unknown(owner: &str, teams: &BTreeMap<&str, &str>) -> Option<String> {
    if teams.contains_key(owner) {
        return None;
    }
    let spelling = Spelling::of(owner);
    match teams.keys().find(|other| spelling.is_almost(&Spelling::of(other))) {
        Some(near) => Some(format!(
            "error: no team is named for `{owner}`: did you mean `{near}`? otherwise add `--team {owner}=@…`"
        )),
        None if teams.contains_key("*") => None,
        None => Some(format!(
            "error: no team is named for `{owner}`: add `--team {owner}=@…`"
        )),
    }
}

fn team_of<'a>(owner: &str, teams: &BTreeMap<&str, &'a str>) -> Option<&'a str> {
    teams.get(owner).or_else(|| teams.get("*")).copied()
}

/// General paths come before those within them: the last line that fits a file counts.
fn lines(found: &Found, owners: &Owners, assembled: &Assembled) -> Lines {
    let mut lines = Lines::new();
    let mut add = |path: String, owner: &str| {
        lines.entry(path).or_default().insert(owner.to_owned());
    };
    for (path, owner) in owners.iter() {
        let is_file = found.files.iter().any(|file| file.name == path);
        add(format!("{path}{}", if is_file { "" } else { "/" }), owner);
    }
    for rule in assembled.rulebook.policy().rules() {
        if let Some(owner) = &rule.owner {
            add(rule.file.clone(), owner);
        }
    }
    for purpose in assembled.rulebook.purposes().iter() {
        add("purposes.toml".to_owned(), purpose.business_owner.as_str());
    }
    let silent = found.files.iter().filter(|file| {
        let is_said =
            |path: &String| file.name == *path || (path.ends_with('/') && file.name.starts_with(path.as_str()));
        !lines.keys().any(is_said)
    });
    for file in silent {
        printer::talk(format_args!(
            "warning: nobody answers for `{}`: name an owner in `owners.toml`",
            file.name
        ));
    }
    lines
}

fn pattern(found: &Found, path: &str) -> String {
    let seen = in_repository(found.folder.as_deref(), path);
    format!("/{}", seen.trim_start_matches('/').replace(' ', "\\ "))
}
