//! Remembers what has been proved, and what is known not to hold, by a digest of everything that it rests on: an empty
//! file each. Whoever can write there can say what is proved: it is one user's own, and no place to share.
#![expect(clippy::disallowed_methods, reason = "door: reads and writes the cache of proofs")]

use std::path::PathBuf;

/// Where proofs are remembered.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Option<PathBuf>);

impl Shelf {
    /// The folder of this user's cache for what `solver` proved; none where the environment names no home, or nobody knows
    /// which solver there is.
    pub fn of_user(solver: Option<&str>) -> Self {
        let named = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let solver = solver.map(|name| name.chars().map(plain).collect::<String>());
        let both = cache.zip(solver);
        Self(both.map(|(cache, solver)| cache.join("wayleave").join("proofs").join(solver)))
    }

    /// A folder of one's own.
    pub fn at(folder: PathBuf) -> Self {
        Self(Some(folder))
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
