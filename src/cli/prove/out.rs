//! Writes down what was found, for a gateway to show people.
#![expect(clippy::disallowed_methods, reason = "door: writes the file of findings")]

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes the file as a whole: whoever reads it meanwhile finds the one before.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = PathBuf::from(half);
    let mut file = File::create(&half)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&half, path)
}
