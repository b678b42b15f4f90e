//! Which settings count: the file that was named, else `deploy/wayleave.toml` here, else the defaults; then the
//! environment, then the command line.
#![expect(clippy::disallowed_methods, reason = "door: looks whether there is a settings file")]

use std::path::{Path, PathBuf};

use miette::{Report, miette};

use super::shown::drawn;
use super::stop::Stop;
use crate::config::{self, File};
use crate::facts::{Host, Problem, SourceText, SubjectId};
use crate::gatehouse::sources;
use crate::rulebook::{Assembled, Rulebook, Sources};

/// Where the settings are.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The settings; without it `deploy/wayleave.toml` here if there is one, else the defaults
    #[arg(
        long,
        short = 'c',
        global = true,
        env = "WAYLEAVE_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    /// One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
    #[arg(long = "set", global = true, value_name = "NAME=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, e.g. `ingress.plain=0.0.0.0:3128`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Args {
    /// Reads them; every problem is in the report, each with its place.
    pub fn load(&self) -> Result<File, Stop> {
        let usual = Path::new("deploy/wayleave.toml");
        let path = self.config.as_deref().or_else(|| usual.is_file().then_some(usual));
        config::load(path, config::environment(), self.set.clone()).map_err(|problems| {
            let text = path
                .and_then(|path| std::fs::read_to_string(path).ok())
                .unwrap_or_default();
            let name = path.map(|path| path.display().to_string()).unwrap_or_default();
            Stop::Misunderstood(all(
                &problems,
                &[SourceText::new(name, text)],
                "the settings cannot be used",
            ))
        })
    }
}

/// The text of a file that the command line names.
pub fn text_of(file: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(file)
}

/// One report that draws every problem.
pub fn all(problems: &[Problem], sources: &[SourceText], summary: &str) -> Report {
    let drawings: Vec<String> = problems.iter().map(|problem| drawn(problem, sources)).collect();
    miette!("{summary}\n\n{}", drawings.join("\n").trim_end())
}

/// The rules that a command works with: those of `folder`, or the built-in ones where the usual folder is not there.
fn rulebook(folder: &Path) -> Result<Assembled, Stop> {
    let is_usual = folder == File::default().policies.folder;
    let named = (!is_usual || folder.is_dir()).then_some(folder);
    let found = sources::find(named)
        .map_err(|problems| Stop::Misunderstood(all(&problems, &[], "the policies cannot be read")))?;
    let assembled = Sources::from_files(found.files.clone()).and_then(|sources| Rulebook::assemble(&sources));
    let broken = |problems: Vec<Problem>| all(&problems, &found.files, &format!("{} may not rule", found.label));
    assembled.map_err(|problems| Stop::Undone(broken(problems)))
}

/// What to know of somebody who is given an account or a certificate, if the directory does not list them. Policies that
/// cannot be read say nothing of it.
pub fn stranger(settings: &File, name: &str) -> Option<String> {
    let id = SubjectId::parse(name).ok()?;
    let directory = rulebook(&settings.policies.folder).ok()?.directory;
    let people = settings.policies.folder.join("people");
    directory.person(&id).is_none().then(|| {
        format!(
            "warning: the directory does not list `{name}`: everything is refused until a file in `{}` does",
            people.display()
        )
    })
}

/// The domains of the catalogue.
pub fn domains(settings: &File) -> Result<Vec<Host>, Stop> {
    Ok(rulebook(&settings.policies.folder)?.rulebook.catalog().domains())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_named_and_not_there_is_not_replaced_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = File::default();
        assert!(domains(&settings).is_ok());
        settings.policies.folder = dir.path().join("policys");
        let Err(Stop::Misunderstood(why)) = domains(&settings) else {
            panic!("some other catalogue was used");
        };
        assert!(why.to_string().contains("policys"), "{why}");
    }
}
