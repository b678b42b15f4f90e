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
/// reported and left as it is.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 every file is laid out; 1 some are not (with `--check`), or cannot be; 2 the folder cannot be read"
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
    let found = match find(args.dir.as_deref()) {
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
    let rules = found.files.iter().filter(|file| is_rules(&file.name));
    let mut code = ExitCode::SUCCESS;
    for file in rules {
        if !settled(file, &folder.join(&file.name), args.check) {
            code = ExitCode::FAILURE;
        }
    }
    code
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
