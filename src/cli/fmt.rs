//! `wayleave fmt`: lays rules out.
#![expect(clippy::disallowed_methods, reason = "door: writes the files of rules")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::printer;
use super::shown::{drawn, tell};
use crate::facts::SourceText;
use crate::gatehouse::sources::find;
use crate::policy::laid_out;

/// Lays out `rules/*.cedar`: the same rules, with their annotations and comments, in one form. A file that is not Cedar is
/// reported and left as it is. The folder may be `rules/` itself.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 every file is laid out; 1 some are not (with `--check`), or cannot be; 2 the folder cannot be read, or has \
                  no rules"
)]
pub struct Args {
    /// The folder of policies; without it `policies/` here.
    dir: Option<PathBuf>,
    /// Change nothing; list the files that would change.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let above = args.dir.as_deref().and_then(folder_of_rules);
    let found = match find(above.as_deref().or(args.dir.as_deref())) {
        Ok(found) => found,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let Some(folder) = found.folder else {
        printer::talk("error: there is no folder `policies/` here: name the one to format");
        return ExitCode::from(2);
    };
    let mut rules = found.files.iter().filter(|file| is_rules(&file.name)).peekable();
    if rules.peek().is_none() {
        printer::talk(format_args!(
            "error: `{}` has no files `rules/*.cedar`: name the folder of policies, which holds `rules/`",
            folder.display()
        ));
        return ExitCode::from(2);
    }
    let mut code = ExitCode::SUCCESS;
    for file in rules {
        if !settled(file, &folder.join(&file.name), args.check) {
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The folder of policies, where its `rules/` was named.
fn folder_of_rules(dir: &Path) -> Option<PathBuf> {
    let whole = std::fs::canonicalize(dir).ok()?;
    if whole.file_name()? != "rules" || whole.join("rules").is_dir() {
        return None;
    }
    let above = dir
        .parent()
        .filter(|above| dir.file_name().is_some() && !above.as_os_str().is_empty());
    Some(above.map_or_else(|| dir.join(".."), Path::to_owned))
}

fn is_rules(name: &str) -> bool {
    name.starts_with("rules/") && Path::new(name).extension().is_some_and(|ending| ending == "cedar")
}

/// Whether the file is laid out now.
fn settled(file: &SourceText, path: &Path, only_check: bool) -> bool {
    let text = match laid_out(file) {
        Ok(text) => text,
        Err(problems) => {
            for problem in &problems {
                printer::talk(drawn(problem, std::slice::from_ref(file)));
            }
            return false;
        }
    };
    if text == *file.text {
        return true;
    }
    if !only_check && let Err(error) = replace(path, &text) {
        printer::talk(format_args!("error: `{}` cannot be written: {error}", path.display()));
        return false;
    }
    printer::data(path.display());
    !only_check
}

/// Puts `text` in the place of a file, at once: whoever reads sees the old text or the new one. Links stay.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".wayleave-fmt").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    Ok(())
}
