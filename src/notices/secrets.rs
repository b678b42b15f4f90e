//! What is kept secret, and stands in files.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads passwords and addresses that are secret"
)]

use std::path::Path;

use crate::facts::Secret;

/// The text of a file, without the end of its line; why not, where it cannot be read.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let read = std::fs::read_to_string(path).map(Secret::new);
    let text = read.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    Ok(secret(text.reveal().trim_end_matches(['\n', '\r'])))
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text)
}
