//! Whether changes can be kept: what the last one met, and whether the ledger's files are still under their names.
#![expect(clippy::disallowed_methods, reason = "door: looks at the ledger's files")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::LedgerError;

/// What is known of the place where changes are kept.
pub(super) struct Keeping {
    /// The files, each as it was when the ledger was opened.
    files: Vec<(PathBuf, Identity)>,
    /// Why the last change was not kept.
    trouble: Mutex<Option<String>>,
}

/// A device, and a number on it.
type Identity = (u64, u64);

impl Keeping {
    /// Of a ledger that has been opened.
    pub(super) fn of(connection: &Connection) -> Self {
        let file = connection.path().filter(|path| !path.is_empty());
        // changes are written into the log first (https://sqlite.org/wal.html)
        let names = file
            .into_iter()
            .flat_map(|file| [file.to_owned(), format!("{file}-wal")]);
        let files = names.filter_map(|name| identity(Path::new(&name)).map(|now| (name.into(), now)));
        Self {
            files: files.collect(),
            trouble: Mutex::default(),
        }
    }

    /// Fails where a file was removed: what is written into it then is lost with the process.
    pub(super) fn in_place(&self) -> Result<(), LedgerError> {
        match self.files.iter().find(|(path, was)| identity(path) != Some(*was)) {
            None => Ok(()),
            Some((path, _)) => Err(LedgerError::Unavailable(format!(
                "`{}` was removed or replaced while it was written; restart the gateway",
                path.display()
            ))),
        }
    }

    /// Notes how a change went, and logs where that is another state than before.
    pub(super) fn note<T>(&self, went: &Result<T, LedgerError>) {
        let trouble = match went {
            Ok(_) => None,
            Err(error @ LedgerError::Unavailable(_)) => Some(error.to_string()),
            Err(
                LedgerError::Unreadable { .. }
                | LedgerError::InUse(_)
                | LedgerError::Foreign(_)
                | LedgerError::Damaged { .. }
                | LedgerError::Newer { .. }
                | LedgerError::Altered { .. }
                | LedgerError::NoSuchGrant(_)
                | LedgerError::AlreadyOver(_)
                | LedgerError::BeingAnswered(_)
                | LedgerError::AlreadyAsked(_)
                | LedgerError::TooMany(_)
                | LedgerError::TooManyWaiting(_),
            ) => return,
        };
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &trouble {
            Some(why) if *last != trouble => tracing::error!("{why}"),
            None if last.is_some() => tracing::info!("the ledger keeps changes again"),
            Some(_) | None => {}
        }
        *last = trouble;
    }

    /// Whether changes can be kept, as far as is known without making one.
    pub(super) fn healthy(&self) -> Result<(), String> {
        self.in_place().map_err(|error| error.to_string())?;
        let last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone().map_or(Ok(()), Err)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}
