//! The folder of the book on a real disk.
#![expect(clippy::disallowed_methods, reason = "door: writes the records")]

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::segment::Segment;

/// Where the writer's bytes go. The disk is one; tests have one that fails.
pub(super) trait Medium: Send {
    /// Creates the file `name`, durably, and makes it the current one. A file that is there already stays what it is,
    /// and so does the current one.
    fn create(&mut self, name: &str) -> io::Result<()>;
    /// Writes `bytes` into the current file at the offset `at`.
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything written into the current file is on disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the current file off after `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Makes `bytes` the whole content of the file `name`, at once and durably.
    fn place(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
}

/// The folder on disk.
pub(super) struct Folder {
    path: PathBuf,
    current: Option<File>,
    /// Locked as long as the book is open.
    lock: File,
}

/// Why a folder cannot be taken.
pub(super) enum NotTaken {
    /// Another process writes into it.
    InUse,
    /// The disk said so.
    Failed(io::Error),
}

impl Folder {
    /// Takes the folder for this process alone; makes it, for its owner only, where it is not there.
    pub(super) fn take(path: &Path) -> Result<Self, NotTaken> {
        let lock = || -> io::Result<File> {
            create_folder(path)?;
            private().create(true).truncate(false).open(path.join("lock"))
        };
        let lock = lock().map_err(NotTaken::Failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                current: None,
                lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(NotTaken::InUse),
            Err(fs::TryLockError::Error(e)) => Err(NotTaken::Failed(e)),
        }
    }

    /// Makes the segment that a start goes on with the current one.
    pub(super) fn go_on(&mut self, segment: Segment) -> io::Result<()> {
        let path = self.path.join(segment.lines());
        if !fs::exists(&path)? {
            return self.create(&segment.lines());
        }
        self.current = Some(private().open(path)?);
        Ok(())
    }

    fn current(&self) -> io::Result<&File> {
        self.current
            .as_ref()
            .ok_or_else(|| io::Error::other("no segment is open"))
    }

    /// Makes the names in the folder durable.
    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Moves what follows the first `keep` bytes of a segment into a file of its own; returns that file's name.
    pub(super) fn set_aside(&mut self, segment: Segment, keep: u64) -> io::Result<String> {
        let lines = private().create(false).open(self.path.join(segment.lines()))?;
        let end = lines.metadata()?.len().saturating_sub(keep);
        let mut torn = vec![0; usize::try_from(end).unwrap_or(usize::MAX)];
        lines.read_exact_at(&mut torn, keep)?;
        let mut nth = 1;
        while fs::exists(self.path.join(segment.torn(nth)))? {
            nth += 1;
        }
        let name = segment.torn(nth);
        self.place(&name, &torn)?;
        lines.set_len(keep)?;
        lines.sync_all()?;
        Ok(name)
    }

    /// The content of the small file `name`; none where it is not there.
    pub(super) fn content(&self, name: &str) -> io::Result<Option<String>> {
        content(&self.path, name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // closing the file alone would leave it locked while a child process that is just being started has a copy
        let _ = self.lock.unlock();
    }
}

impl Medium for Folder {
    fn create(&mut self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let file = private().create_new(true).open(&path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let taken = format!("`{name}` is there already and would be overwritten; move it away");
                return io::Error::new(error.kind(), taken);
            }
            error
        })?;
        if let Err(error) = self.sync_names() {
            // the next attempt would take it for somebody else's
            fs::remove_file(&path)?;
            return Err(error);
        }
        self.current = Some(file);
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.current()?;
        holds(file, at)?;
        file.write_all_at(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = self.current()?;
        file.sync_data()?;
        if file.metadata()?.nlink() == 0 {
            return Err(io::Error::other(
                "the file was removed while it was written; restart the gateway",
            ));
        }
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let file = self.current()?;
        holds(file, len)?;
        file.set_len(len)
    }

    fn place(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let half = self.path.join(format!("{name}.new"));
        let mut file = private().create(true).truncate(true).open(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&half, self.path.join(name))?;
        self.sync_names()
    }
}

/// Finds out whether all the bytes are still there that were written into a file: past its end there would be a hole.
fn holds(file: &File, written: u64) -> io::Result<()> {
    let left = file.metadata()?.len();
    if left < written {
        return Err(io::Error::other(format!(
            "somebody else has cut it to {left} of {written} bytes, as `logrotate` does with `copytruncate`; put what was \
             cut off back, or restart the gateway, which goes on after what is left"
        )));
    }
    Ok(())
}

/// Makes the folder at `path`, and those above it, durably and for their owner only.
fn create_folder(path: &Path) -> io::Result<()> {
    let missing = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let made: Vec<&Path> = missing.collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for folder in made {
        let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
        File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// What is in a book's folder.
#[derive(Default)]
pub(super) struct Listing {
    /// Each segment that has lines or a seal: whether it has lines, whether it has a seal.
    pub(super) segments: BTreeMap<Segment, (bool, bool)>,
    /// How many torn ends were set aside.
    pub(super) torn: u64,
}

/// Lists a book's folder.
pub(super) fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some(segment) = Segment::of_lines(&name) {
            listing.segments.entry(segment).or_default().0 = true;
        } else if let Some(segment) = Segment::of_seal(&name) {
            listing.segments.entry(segment).or_default().1 = true;
        } else if name.ends_with(".torn") {
            listing.torn += 1;
        }
    }
    Ok(listing)
}

/// Opens a segment's lines for reading; none where they are not there.
pub(super) fn lines(folder: &Path, segment: Segment) -> io::Result<Option<File>> {
    reading(&folder.join(segment.lines()))
}

/// How many bytes a segment's lines take.
pub(super) fn length(folder: &Path, segment: Segment) -> io::Result<u64> {
    Ok(fs::metadata(folder.join(segment.lines()))?.len())
}

/// The content of the small file `name`; none where it is not there.
pub(super) fn content(folder: &Path, name: &str) -> io::Result<Option<String>> {
    let read = |mut file: File| {
        let mut text = String::new();
        file.read_to_string(&mut text).map(|_| text)
    };
    reading(&folder.join(name))?.map(read).transpose()
}

/// Opens a file for reading, if it is there and is one: whoever reads a pipe waits for somebody who writes, and a
/// device has no end.
fn reading(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let Some(file) = if_there(options.open(path))? else {
        return Ok(None);
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(io::Error::other(
            "it is not a regular file but a folder, a pipe or a device",
        ))
    }
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Records and keys are for the gateway's own account only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What the system says to whoever asks it to bring a device's content to a disk (fsync(2)).
    const NO_DISK: Option<i32> = Some(22);

    fn taken(path: &Path) -> Folder {
        match Folder::take(path) {
            Ok(folder) => folder,
            Err(NotTaken::InUse) => panic!("somebody has it"),
            Err(NotTaken::Failed(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn what_was_written_is_asked_for_on_the_disk_before_anybody_relies_on_it() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = taken(place.path());
        // a device takes what is written, and has nothing to keep it on
        folder.current = Some(private().open("/dev/null").unwrap());
        folder.write(0, b"a line\n").unwrap();
        assert_eq!(folder.sync().unwrap_err().raw_os_error(), NO_DISK);
        symlink("/dev/null", place.path().join("seal.new")).unwrap();
        assert_eq!(folder.place("seal", b"a seal").unwrap_err().raw_os_error(), NO_DISK);
        assert!(!place.path().join("seal").exists(), "it is there once it is whole");
    }
}
