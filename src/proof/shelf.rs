//! Remembers what has been proved, and what is known not to hold, by a digest of everything that it rests on: an empty
//! file each.
#![expect(clippy::disallowed_methods, reason = "door: reads and writes the cache of proofs")]

use std::path::PathBuf;

/// Where proofs are remembered.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Option<PathBuf>);

impl Shelf {
    /// The folder of this user's cache; none where the environment names no home.
    pub fn of_user() -> Self {
        let named = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
        Self(cache.map(|cache| cache.join("wayleave").join("proofs")))
    }

    /// Whether this has been proved before.
    pub fn has(&self, digest: &str) -> bool {
        self.0.as_ref().is_some_and(|folder| folder.join(digest).exists())
    }

    /// Remembers a proof. Where that cannot be done, it will be made again.
    pub fn keep(&self, digest: &str) {
        let Some(folder) = &self.0 else { return };
        if std::fs::create_dir_all(folder).is_ok() {
            // what is not remembered is proved again
            let _ = std::fs::write(folder.join(digest), "");
        }
    }
}
