//! Where a folder stands in its repository: CI systems show findings by paths that start there.
#![expect(clippy::disallowed_methods, reason = "door: looks for the repository of a folder")]

use std::path::Path;

/// `name`, a file of `folder`, as seen from the top of the repository that the folder is in; without a repository, from
/// the working directory. With `/` between its parts.
pub(in crate::cli) fn in_repository(folder: Option<&Path>, name: &str) -> String {
    let Some(folder) = folder else {
        return name.to_owned();
    };
    let Ok(full) = std::fs::canonicalize(folder) else {
        return joined(&folder.join(name));
    };
    let repository = full
        .ancestors()
        .find(|above| std::fs::metadata(above.join(".git")).is_ok());
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    let base = repository.or(here.as_deref());
    let seen = base.and_then(|base| full.strip_prefix(base).ok());
    joined(&seen.unwrap_or(&full).join(name))
}

fn joined(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_seen_from_its_repository_whatever_the_folder_is_called_by() {
        let dir = tempfile::tempdir().unwrap();
        let rules = dir.path().join("house/policies/rules");
        std::fs::create_dir_all(&rules).unwrap();
        let folder = rules.parent().unwrap();
        let named = |folder: &Path| in_repository(Some(folder), "rules/a.cedar");
        assert!(named(folder).ends_with("/house/policies/rules/a.cedar"));
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        assert_eq!(named(folder), "house/policies/rules/a.cedar");
        assert_eq!(named(&folder.join("rules/..")), "house/policies/rules/a.cedar");
        assert_eq!(in_repository(None, "rules/a.cedar"), "rules/a.cedar");
    }
}
