//! `wayleave user`: the accounts of the built-in sign-in. A password never stands on a command line, where every
//! process of the machine could read it.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads a password from a file that was asked for"
)]

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::printer;
use crate::facts::Secret;
use crate::identity::Settings;
use crate::identity::users::{self, UsersError};

/// Add, change, remove and list the accounts of the built-in sign-in.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Exit code: 0 done; 1 not done; 2 the command line or the settings make no sense")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Add a user; asks for the password, or reads one line from standard input
    Add {
        /// The user name, as the directory in `policies/people/` spells it
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Change a user's password; asks for it, or reads one line from standard input
    Passwd {
        /// The user name
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Remove a user, who is signed out within a second
    Remove {
        /// The user name
        name: String,
    },
    /// List the user names, one a line
    List,
}

#[derive(Clone, Debug, clap::Args)]
struct PasswordArgs {
    /// Read the password from the first line of a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Args {
    /// The user who would be added.
    pub(super) fn newcomer(&self) -> Option<&str> {
        match &self.command {
            Command::Add { name, .. } => Some(name),
            Command::Passwd { .. } | Command::Remove { .. } | Command::List => None,
        }
    }
}

/// Runs the command on the accounts file of the settings.
#[must_use]
pub fn run(args: &Args, settings: &Settings) -> ExitCode {
    match act(&args.command, settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            printer::talk(format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn act(command: &Command, settings: &Settings) -> Result<(), UsersError> {
    let path = &settings.users;
    match command {
        Command::Add { name, password } => {
            // Looks before it asks: nobody should type a password for nothing.
            users::load(path)?.may_add(name)?;
            let password = ask(name, password, settings.basic_shortest)?;
            users::change(path, |users| users.add(name, &password, settings.basic_shortest))?;
            printer::talk(format!("added user `{name}` to `{}`", path.display()));
        }
        Command::Passwd { name, password } => {
            users::load(path)?.must_have(name)?;
            let password = ask(name, password, settings.basic_shortest)?;
            users::change(path, |users| users.passwd(name, &password, settings.basic_shortest))?;
            printer::talk(format!("changed the password of user `{name}`"));
        }
        Command::Remove { name } => {
            users::change(path, |users| users.remove(name))?;
            printer::talk(format!("removed user `{name}`"));
        }
        Command::List => {
            let users = users::load(path)?;
            users.names().for_each(printer::data);
            if users.names().next().is_none() {
                printer::talk(format!(
                    "no users in `{}`; add one with `wayleave user add NAME`",
                    path.display()
                ));
            }
        }
    }
    Ok(())
}

/// Gets a password: from the file named, from the terminal (twice, unseen), or from standard input.
fn ask(name: &str, args: &PasswordArgs, shortest: u16) -> Result<Secret, UsersError> {
    let stdin = std::io::stdin();
    let password = match &args.password_file {
        Some(path) if path != Path::new("-") => {
            let opened = std::fs::File::open(path).map_err(|why| unread(path, why))?;
            first_line(&mut std::io::BufReader::new(opened)).map_err(|why| unread(path, why))?
        }
        None if stdin.is_terminal() => return ask_twice(name, shortest),
        Some(_) | None => first_line(&mut stdin.lock()).map_err(|why| unread(Path::new("-"), why))?,
    };
    users::check_password(&password, shortest)?;
    Ok(password)
}

fn ask_twice(name: &str, shortest: u16) -> Result<Secret, UsersError> {
    let terminal = |why| unread(Path::new("the terminal"), why);
    let first = prompt(&format!("Password for {name}: ")).map_err(terminal)?;
    users::check_password(&first, shortest)?;
    let second = prompt("Again: ").map_err(terminal)?;
    if first.reveal() == second.reveal() {
        Ok(first)
    } else {
        Err(UsersError::Mistyped)
    }
}

fn unread(path: &Path, why: std::io::Error) -> UsersError {
    UsersError::File {
        verb: "read the password from",
        path: path.display().to_string(),
        why,
    }
}

/// In bytes; a device that never ends a line is no file of a password.
const LONGEST_LINE: u64 = 4096;

/// The first line, without its end.
pub(super) fn first_line(from: &mut impl BufRead) -> std::io::Result<Secret> {
    let mut line = Zeroizing::new(String::new());
    from.take(LONGEST_LINE).read_line(&mut line)?;
    if line.len() as u64 == LONGEST_LINE {
        let why = format!("its first line is longer than {LONGEST_LINE} bytes: no password is");
        return Err(std::io::Error::other(why));
    }
    Ok(Secret::new(line.trim_end_matches(['\n', '\r'])))
}

/// Asks on the terminal without showing what is typed.
pub(super) fn prompt(text: &str) -> std::io::Result<Secret> {
    let stdin = std::io::stdin();
    let mut stderr = std::io::stderr();
    // Hidden before it is asked for: whoever is quick must not see their password, nor lose its first letters.
    let unseen = Unseen::begin()?;
    stderr.write_all(text.as_bytes())?;
    stderr.flush()?;
    let line = first_line(&mut stdin.lock());
    drop(unseen);
    stderr.write_all(b"\n")?;
    line
}

/// The terminal shows nothing that is typed until this is dropped.
struct Unseen(Termios);

impl Unseen {
    fn begin() -> std::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0).is_err() {
            printer::talk("the terminal still hides what you type; `stty echo` shows it again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path) -> Settings {
        Settings {
            users: folder.join("users.toml"),
            ..Settings::default()
        }
    }

    fn from_file(path: &Path) -> PasswordArgs {
        PasswordArgs {
            password_file: Some(path.to_owned()),
        }
    }

    #[test]
    fn accounts_are_added_changed_and_removed_with_passwords_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "correct horse\nsecond line\n").unwrap();
        let name = "ada".to_owned();
        let password = from_file(&secret);
        let add = Command::Add {
            name: name.clone(),
            password: password.clone(),
        };
        act(&add, &settings).unwrap();
        assert!(act(&add, &settings).unwrap_err().to_string().contains("already"));
        let before = std::fs::read_to_string(&settings.users).unwrap();
        act(
            &Command::Passwd {
                name: name.clone(),
                password,
            },
            &settings,
        )
        .unwrap();
        assert_ne!(std::fs::read_to_string(&settings.users).unwrap(), before);
        act(&Command::List, &settings).unwrap();
        act(&Command::Remove { name }, &settings).unwrap();
        assert_eq!(users::load(&settings.users).unwrap().names().count(), 0);
    }

    #[test]
    fn a_short_password_or_a_missing_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let secret = folder.path().join("secret");
        let add = Command::Add {
            name: "ada".to_owned(),
            password: from_file(&secret),
        };
        assert!(
            act(&add, &settings)
                .unwrap_err()
                .to_string()
                .starts_with("cannot read the password from")
        );
        std::fs::write(&secret, "short\n").unwrap();
        assert!(
            act(&add, &settings)
                .unwrap_err()
                .to_string()
                .contains("at least 10 characters")
        );
        assert!(!settings.users.exists());
    }

    #[test]
    fn a_line_ends_where_its_end_begins() {
        for (text, line) in [("a b \n", "a b "), ("pass\r\nmore", "pass"), ("pass", "pass"), ("", "")] {
            assert_eq!(first_line(&mut text.as_bytes()).unwrap().reveal(), line);
        }
    }
}
