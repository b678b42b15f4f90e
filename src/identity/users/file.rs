//! The accounts file: read whole, written whole; a crash leaves the old file or the new one.
#![expect(clippy::disallowed_methods, reason = "door: reads and writes the accounts file")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::{Users, UsersError};
use crate::facts::SourceText;

/// What tells one state of a file from another without reading it.
///
/// The inode is part of it: [`save`] renames, so that two saves within one tick of the clock still differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(Option<(u64, u64, i64, i64)>);

impl Stamp {
    /// The stamp of the file at `path`; a missing file has one, too.
    pub fn of(path: &Path) -> Self {
        let seen = fs::metadata(path).ok();
        Self(seen.map(|m| (m.ino(), m.len(), m.mtime(), m.mtime_nsec())))
    }
}

/// Reads the accounts; a file that is not there yet holds none.
pub fn load(path: &Path) -> Result<Users, UsersError> {
    find(path).map(Option::unwrap_or_default)
}

/// Reads the accounts; none where the file is not there, or there is nothing in it, as while somebody writes it in place. What
/// [`save`] leaves always holds something.
pub fn find(path: &Path) -> Result<Option<Users>, UsersError> {
    match text_of(path) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => {
            let source = SourceText::new(path.display().to_string(), text);
            Users::parse(&source).map(Some).map_err(UsersError::Problems)
        }
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(failed("read", path, why)),
    }
}

/// The text of a file. Whoever opens a pipe waits for somebody who writes, and a device has no end.
fn text_of(path: &Path) -> io::Result<String> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        let what = "it is not a regular file but a folder, a pipe or a device";
        return Err(io::Error::other(what));
    }
    io::read_to_string(file)
}

/// Writes the accounts, readable by the owner alone: a temporary file beside it, synced, then renamed over it.
pub fn save(users: &Users, path: &Path) -> Result<(), UsersError> {
    let folder = folder_of(path);
    fs::create_dir_all(&folder).map_err(|why| failed("make the folder", &folder, why))?;
    let write = |fresh: &mut tempfile::NamedTempFile| {
        fresh.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        fresh.write_all(users.render().as_bytes())?;
        fresh.as_file().sync_all()
    };
    let mut fresh = tempfile::Builder::new()
        .prefix(".users-")
        .tempfile_in(&folder)
        .map_err(|why| failed("write into", &folder, why))?;
    write(&mut fresh).map_err(|why| failed("write", path, why))?;
    fresh.persist(path).map_err(|why| failed("write", path, why.error))?;
    // The rename itself is durable only once the folder is.
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|why| failed("sync", &folder, why))
}

/// Reads, edits and writes the accounts while nobody else does: two commands at once lose nothing.
pub fn change<T>(path: &Path, edit: impl FnOnce(&mut Users) -> Result<T, UsersError>) -> Result<T, UsersError> {
    let folder = folder_of(path);
    fs::create_dir_all(&folder).map_err(|why| failed("make the folder", &folder, why))?;
    let lock_path = folder.join(".users.lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock_path)
        .map_err(|why| failed("open", &lock_path, why))?;
    lock.lock().map_err(|why| failed("lock", &lock_path, why))?;
    let mut users = load(path)?;
    let result = edit(&mut users)?;
    save(&users, path)?;
    Ok(result)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn failed(verb: &'static str, path: &Path, why: io::Error) -> UsersError {
    UsersError::File {
        verb,
        path: path.display().to_string(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Secret;

    #[test]
    fn accounts_survive_saving_and_only_the_owner_can_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/users.toml");
        assert_eq!(load(&path).unwrap(), Users::default());
        change(&path, |users| users.add("ada", &Secret::new("correct horse"), 10)).unwrap();
        change(&path, |users| users.add("bob", &Secret::new("battery staple"), 10)).unwrap();
        let names: Vec<String> = load(&path).unwrap().names().map(ToString::to_string).collect();
        assert_eq!(names, ["ada", "bob"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_refused_change_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        change(&path, |users| users.add("ada", &Secret::new("correct horse"), 10)).unwrap();
        let before = (Stamp::of(&path), fs::read_to_string(&path).unwrap());
        assert!(change(&path, |users| users.add("ada", &Secret::new("correct horse"), 10)).is_err());
        assert_eq!((Stamp::of(&path), fs::read_to_string(&path).unwrap()), before);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "no temporary file stays behind: {left:?}");
    }

    #[test]
    fn what_is_not_a_file_is_said_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("users.toml");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for path in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            let told = load(path).unwrap_err().to_string();
            assert!(told.contains("not a regular file"), "{told}");
        }
    }

    #[test]
    fn every_save_changes_the_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let missing = Stamp::of(&path);
        save(&Users::default(), &path).unwrap();
        let first = Stamp::of(&path);
        assert_ne!(first, missing);
        save(&Users::default(), &path).unwrap();
        assert_ne!(Stamp::of(&path), first);
    }

    #[test]
    fn commands_at_the_same_time_lose_no_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::thread::scope(|scope| {
            for n in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    change(path, |users| {
                        users.add(&format!("user{n}"), &Secret::new("correct horse"), 10)
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(load(&path).unwrap().names().count(), 4);
    }
}
