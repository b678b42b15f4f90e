//! Whether the ledger's files are still under their names.
#![expect(clippy::disallowed_methods, reason = "door: looks at the ledger's files")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::ledger::error::LedgerError;
use crate::ledger::store::Place;

/// The files of a ledger, each as it was when the ledger was opened.
pub(super) struct Files(Vec<(PathBuf, Identity)>);

/// A device, and a number on it.
type Identity = (u64, u64);

impl Files {
    /// Of a ledger that has been opened.
    pub(super) fn of(connection: &Connection) -> Self {
        let file = connection.path().filter(|path| !path.is_empty());
        // changes are written into the log first (https://sqlite.org/wal.html)
        let names = file
            .into_iter()
            .flat_map(|file| [file.to_owned(), format!("{file}-wal")]);
        let files = names.filter_map(|name| identity(Path::new(&name)).map(|now| (name.into(), now)));
        Self(files.collect())
    }
}

impl Place for Files {
    /// Fails where a file was removed: what is written into it then is lost with the process.
    fn in_place(&self) -> Result<(), LedgerError> {
        match self.0.iter().find(|(path, was)| identity(path) != Some(*was)) {
            None => Ok(()),
            Some((path, _)) => Err(LedgerError::Unavailable(format!(
                "`{}` was removed or replaced while it was written; restart the gateway",
                path.display()
            ))),
        }
    }

    fn out_of_touch(&self) -> Option<Duration> {
        None
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}
