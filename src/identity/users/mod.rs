//! The accounts of the built-in Basic method: names and argon2id hashes, as one value.
//!
//! Reads top-down: [`Users`] (pure), then `file.rs`, the door that loads it and saves it whole. Never holds a password.

mod file;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

pub use self::file::{Stamp, change, find, load, save};
use super::password;
use crate::facts::syntax::parsed;
use crate::facts::{Problem, Secret, SourceText, SubjectId, did_you_mean};

/// Why accounts could not be read or changed, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The name is not a user name.
    #[error("{0}")]
    BadName(#[from] crate::facts::BadName),
    /// The name would be read as a name with a purpose behind it.
    #[error("`{0}` holds a `+`, which separates a user name from a purpose; choose a name without it")]
    PlusInName(String),
    /// There is such an account already.
    #[error("there is already a user `{0}`; use `wayleave user passwd {0}` to change the password")]
    Exists(SubjectId),
    /// There is no such account.
    #[error("there is no user `{name}`{}", suggestion(.meant.as_deref()))]
    Missing {
        /// The name that was asked for.
        name: String,
        /// The name that may have been meant.
        meant: Option<String>,
    },
    /// The password is too short.
    #[error("the password is too short: use at least {shortest} characters")]
    TooShort {
        /// The least length.
        shortest: u16,
    },
    /// The password holds a character that no sign-in could send (RFC 7617 §2).
    #[error("the password holds a control character (a tab or a line end); leave it out")]
    ControlCharacter,
    /// The two answers of a prompt differ.
    #[error("the two passwords differ; try again")]
    Mistyped,
    /// The hash could not be made.
    #[error("{0}")]
    Hash(String),
    /// The file does not parse.
    #[error("the accounts file has problems:\n{}", lines(.0))]
    Problems(Vec<Problem>),
    /// The file could not be read or written.
    #[error("cannot {verb} `{path}`: {why}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// The path.
        path: String,
        /// What the system said.
        why: std::io::Error,
    },
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(
        || "; `wayleave user list` shows the users there are".to_owned(),
        |name| format!("; did you mean `{name}`?"),
    )
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

/// The accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<SubjectId, String>);

const HEADING: &str = "\
# Accounts of the built-in sign-in, written by `wayleave user add|passwd|remove`.
# A running gateway notices a change within a second. Passwords are argon2id hashes; keep this file out of git anyway.

[users]
";

impl Users {
    /// Reads the text of an accounts file; all problems at once.
    pub fn parse(source: &SourceText) -> Result<Self, Vec<Problem>> {
        let (document, slip) = parsed(source);
        if let Some(slip) = slip {
            let problem = slip.problem("wayleave::users::syntax", source);
            return Err(vec![problem.with_help("correct the line, or take it out")]);
        }
        let mut problems = Vec::new();
        let mut users = BTreeMap::new();
        for (key, value) in document.get_ref() {
            let Some(accounts) = value.get_ref().as_table().filter(|_| key.get_ref() == "users") else {
                problems.push(
                    problem_at(source, key.span(), format!("there is no section `{}`", key.get_ref()))
                        .with_help("accounts stand in the section `[users]`"),
                );
                continue;
            };
            for (name, account) in accounts {
                match parse_account(source, name, account) {
                    Ok((id, hash)) => drop(users.insert(id, hash)),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        if problems.is_empty() {
            Ok(Self(users))
        } else {
            Err(problems)
        }
    }

    /// The text of an accounts file that parses to these accounts.
    pub fn render(&self) -> String {
        let lines = self.0.iter().map(|(name, hash)| {
            let key = toml::Value::String(name.as_str().to_owned());
            // A hash that passed `problem_with` holds nothing that TOML would have to escape.
            format!("{key} = {{ password = '{hash}' }}\n")
        });
        std::iter::once(HEADING.to_owned()).chain(lines).collect()
    }

    /// Whether an account of this name can be added.
    pub fn may_add(&self, name: &str) -> Result<SubjectId, UsersError> {
        let id = SubjectId::parse(name)?;
        if name.contains('+') {
            return Err(UsersError::PlusInName(name.to_owned()));
        }
        if self.0.contains_key(&id) {
            return Err(UsersError::Exists(id));
        }
        Ok(id)
    }

    /// Whether there is an account of this name; the error says which one may have been meant.
    pub fn must_have(&self, name: &str) -> Result<SubjectId, UsersError> {
        let found = SubjectId::parse(name).ok().filter(|id| self.0.contains_key(id));
        found.ok_or_else(|| UsersError::Missing {
            name: name.to_owned(),
            meant: did_you_mean(name, self.0.keys().map(SubjectId::as_str)).map(str::to_owned),
        })
    }

    /// Adds an account.
    pub fn add(&mut self, name: &str, password: &Secret, shortest: u16) -> Result<(), UsersError> {
        let id = self.may_add(name)?;
        let hash = hash_fit(password, shortest)?;
        self.0.insert(id, hash);
        Ok(())
    }

    /// Accounts that share one password, which is hashed once: for people who are made up.
    pub fn sharing(names: impl IntoIterator<Item = SubjectId>, password: &Secret) -> Result<Self, UsersError> {
        let hash = hash_fit(password, 1)?;
        Ok(Self(names.into_iter().map(|name| (name, hash.clone())).collect()))
    }

    /// Gives an account another password.
    pub fn passwd(&mut self, name: &str, password: &Secret, shortest: u16) -> Result<(), UsersError> {
        let id = self.must_have(name)?;
        self.0.insert(id, hash_fit(password, shortest)?);
        Ok(())
    }

    /// Removes an account.
    pub fn remove(&mut self, name: &str) -> Result<(), UsersError> {
        let id = self.must_have(name)?;
        self.0.remove(&id);
        Ok(())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &SubjectId> {
        self.0.keys()
    }

    /// Whether there is such an account.
    pub fn contains(&self, id: &SubjectId) -> bool {
        self.0.contains_key(id)
    }

    /// Every account with the hash of its password.
    pub(super) fn hashes(&self) -> impl Iterator<Item = (&SubjectId, &str)> {
        self.0.iter().map(|(id, hash)| (id, hash.as_str()))
    }
}

/// Whether a password may be chosen, before anybody spends time on hashing it.
pub fn check_password(password: &Secret, shortest: u16) -> Result<(), UsersError> {
    let text = password.reveal();
    if text.chars().count() < usize::from(shortest.max(1)) {
        return Err(UsersError::TooShort {
            shortest: shortest.max(1),
        });
    }
    if text.chars().any(char::is_control) {
        return Err(UsersError::ControlCharacter);
    }
    Ok(())
}

fn hash_fit(password: &Secret, shortest: u16) -> Result<String, UsersError> {
    check_password(password, shortest)?;
    password::hash(password).map_err(UsersError::Hash)
}

fn problem_at(source: &SourceText, span: std::ops::Range<usize>, message: String) -> Problem {
    Problem::error("wayleave::users::account", source, (span.start, span.len()), message)
}

/// How an account is written.
const FORM: &str =
    "write `\"NAME\" = { password = '$argon2id$…' }`, or take the line out and then use `wayleave user add NAME`";

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

fn parse_account(
    source: &SourceText,
    name: &Key<'_>,
    account: &Spanned<DeValue<'_>>,
) -> Result<(SubjectId, String), Box<Problem>> {
    let at = |span, message: String| Box::new(problem_at(source, span, message).with_help(FORM));
    let wrong = |message: String| at(account.span(), message);
    let id = SubjectId::parse(name.get_ref()).map_err(|why| at(name.span(), why.to_string()))?;
    let table = account
        .get_ref()
        .as_table()
        .ok_or_else(|| wrong(format!("user `{id}` is not a table")))?;
    if let Some(key) = table.keys().find(|key| key.get_ref() != "password") {
        let message = format!("user `{id}` has an unknown key `{}`", key.get_ref());
        return Err(at(key.span(), message));
    }
    let hash = table
        .values()
        .find_map(|value| value.get_ref().as_str())
        .ok_or_else(|| wrong(format!("user `{id}` has no `password`")))?;
    match password::problem_with(hash) {
        Some(why) => Err(wrong(format!("the password hash of user `{id}` cannot be used: {why}"))),
        None => Ok((id, hash.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Users {
        let mut users = Users::default();
        users.add("ada", &Secret::new("correct horse"), 10).unwrap();
        users
            .add("bob.o'hara@corp", &Secret::new("battery staple"), 10)
            .unwrap();
        users
    }

    #[test]
    fn what_is_rendered_parses_back() {
        let users = some();
        let text = users.render();
        assert!(!text.contains("correct horse"));
        assert_eq!(Users::parse(&SourceText::new("users.toml", text)).unwrap(), users);
        assert_eq!(
            Users::parse(&SourceText::new("users.toml", "")).unwrap(),
            Users::default()
        );
    }

    #[test]
    fn passwords_that_are_short_or_cannot_be_sent_are_refused() {
        let mut users = Users::default();
        let short = users.add("ada", &Secret::new("hunter2"), 10).unwrap_err();
        assert_eq!(
            short.to_string(),
            "the password is too short: use at least 10 characters"
        );
        assert!(matches!(
            users.add("ada", &Secret::new(""), 0),
            Err(UsersError::TooShort { shortest: 1 })
        ));
        assert!(matches!(
            users.add("ada", &Secret::new("correct\nhorse"), 5),
            Err(UsersError::ControlCharacter)
        ));
        assert_eq!(users, Users::default());
    }

    #[test]
    fn advice_does_not_lead_back_to_the_same_error() {
        for text in ["[users]\nada = { password = 'hunter2' }\n", "[users]\nbob = \n"] {
            let problems = Users::parse(&SourceText::new("users.toml", text)).unwrap_err();
            let said = UsersError::Problems(problems).to_string();
            for line in said.lines().skip(1) {
                assert!(
                    line.contains("take the line out") || line.contains("take it out"),
                    "{said}"
                );
            }
        }
        let nobody = some().remove("zed").unwrap_err().to_string();
        assert_eq!(
            nobody,
            "there is no user `zed`; `wayleave user list` shows the users there are"
        );
    }

    #[test]
    fn a_user_is_added_once_and_only_who_exists_is_changed() {
        let mut users = some();
        let again = users.add("ada", &Secret::new("correct horse"), 10).unwrap_err();
        assert_eq!(
            again.to_string(),
            "there is already a user `ada`; use `wayleave user passwd ada` to change the password"
        );
        let typo = users.remove("adaa").unwrap_err();
        assert_eq!(typo.to_string(), "there is no user `adaa`; did you mean `ada`?");
        assert!(users.add("ada+recruiting", &Secret::new("correct horse"), 10).is_err());
        assert!(users.add("a:b", &Secret::new("correct horse"), 10).is_err());
        let before = users.clone();
        users.passwd("ada", &Secret::new("another horse"), 10).unwrap();
        assert_ne!(users, before);
        users.remove("ada").unwrap();
        assert_eq!(
            users.names().map(SubjectId::as_str).collect::<Vec<_>>(),
            ["bob.o'hara@corp"]
        );
    }

    #[test]
    fn every_problem_of_a_file_is_named_with_its_place() {
        let text = "[users]\nada = { password = 'hunter2' }\n\"a b\" = { password = 'x' }\nbob = 3\neve = { passwort = 'x' }\n\n[user]\n";
        let problems = Users::parse(&SourceText::new("users.toml", text)).unwrap_err();
        let mut places: Vec<(usize, usize)> = problems.iter().map(|p| (p.line, p.column)).collect();
        places.sort_unstable();
        assert_eq!(places, [(2, 7), (3, 1), (4, 7), (5, 9), (7, 2)], "{problems:?}");
    }
}
