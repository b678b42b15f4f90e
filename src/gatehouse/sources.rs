//! Reads a `policies/` folder.
#![expect(clippy::disallowed_methods, reason = "door: reads the policies folder")]

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::facts::{Problem, SourceText};
use crate::rulebook::is_source;

/// No file of rules is larger; a larger one is a mistake, or an attack on the memory of the gateway.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// The whole folder together.
const FOLDER_LIMIT: u64 = 64 * 1024 * 1024;
/// Folders within folders: `policies/a/b/c` and no deeper.
const DEPTH_LIMIT: usize = 4;

/// Every text of the folder that rules are made of, sorted by name. Dotfiles and what editors leave behind are passed
/// over, and so is everything that is neither TOML nor Cedar.
pub fn read_folder(dir: &Path) -> Result<Vec<SourceText>, Vec<Problem>> {
    let (files, problems) = read_what_can_be(dir);
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

fn read_what_can_be(dir: &Path) -> (Vec<SourceText>, Vec<Problem>) {
    let mut reading = Reading::default();
    reading.take(&Look::at(dir));
    (reading.files, reading.problems)
}

/// What was read of a folder: a file that looks the same is not read again, and its text is shared.
#[derive(Debug, Default)]
pub struct Library(Shelf);

/// Texts, and what their files looked like.
type Shelf = BTreeMap<PathBuf, (FileVersion, Arc<str>)>;

/// What was written so shortly before it was looked at may be written once more and look the same: a file system tells
/// times apart by some milliseconds only.
const SETTLED: Duration = Duration::from_secs(1);

impl Library {
    /// The same as [`read_folder`] of a folder that was looked at, for less where most of it was read before. What was
    /// written after the look may be read already; the next look tells that it was.
    pub fn read(&mut self, look: &Look) -> Result<Vec<SourceText>, Vec<Problem>> {
        let mut reading = Reading {
            known: std::mem::take(&mut self.0),
            ..Reading::default()
        };
        reading.take(look);
        self.0 = reading.read;
        if reading.problems.is_empty() {
            Ok(reading.files)
        } else {
            Err(reading.problems)
        }
    }
}

/// What a folder looks like from outside: one that looks the same need not be read again. Sees every way in which files
/// change: written, moved into place, behind links, together with the whole folder.
#[derive(Clone, Debug)]
pub struct Look {
    seen: Vec<Seen>,
    /// When. Two looks may be the same at different times.
    at: SystemTime,
}

impl PartialEq for Look {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen
    }
}

impl Eq for Look {}

/// Something in the folder, or the folder itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    path: PathBuf,
    /// What sources call it.
    name: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Folder(FileVersion),
    File(FileVersion),
    /// A folder that cannot be listed, and why.
    Closed(String),
    /// It cannot be read: the end of the problem's code, and what is wrong.
    Amiss(&'static str, String),
}

/// A file or folder under a name: another one, or the same after a change, is another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    /// Nobody can set this time back; seconds and nanoseconds.
    changed: (i64, i64),
}

impl FileVersion {
    fn of(about: &Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    /// Whether it looked so for long enough at `now` that a later change will look different.
    fn is_settled(&self, now: SystemTime) -> bool {
        let changed = u64::try_from(self.changed.0).ok().map(Duration::from_secs);
        let since = changed.and_then(|changed| now.duration_since(SystemTime::UNIX_EPOCH + changed).ok());
        since.is_some_and(|since| since > SETTLED * 2)
    }
}

impl Look {
    /// Looks at everything that [`read_folder`] reads.
    pub fn at(dir: &Path) -> Self {
        let mut look = Self {
            seen: Vec::new(),
            at: SystemTime::now(),
        };
        look.folder(dir.to_owned(), String::new(), 0);
        look
    }

    fn folder(&mut self, path: PathBuf, name: String, depth: usize) {
        if depth > DEPTH_LIMIT {
            let why = "the folder is nested too deeply".to_owned();
            return self.push(path, name, What::Amiss("too-deep", why));
        }
        // Follows links: Kubernetes mounts a folder of links into a hidden one.
        let entries = std::fs::metadata(&path).and_then(|about| {
            let entries = std::fs::read_dir(&path)?.collect::<Result<Vec<_>, _>>()?;
            Ok((FileVersion::of(&about), entries))
        });
        let (version, entries) = match entries {
            Ok(read) => read,
            Err(error) => {
                let why = format!("`{}` cannot be read: {error}", path.display());
                return self.push(path, name, What::Closed(why));
            }
        };
        let mut files: Vec<(String, PathBuf)> = entries
            .iter()
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
            .filter(|(file, _)| !is_left_behind(file))
            .collect();
        files.sort();
        self.push(path, name.clone(), What::Folder(version));
        for (file, path) in files {
            let name = if name.is_empty() {
                file
            } else {
                format!("{name}/{file}")
            };
            self.entry(path, name, depth);
        }
    }

    fn entry(&mut self, path: PathBuf, name: String, depth: usize) {
        let what = match std::fs::metadata(&path) {
            Ok(about) if about.is_dir() => return self.folder(path, name, depth + 1),
            Ok(_) | Err(_) if !is_source(&name) => return,
            Ok(about) if about.is_file() => What::File(FileVersion::of(&about)),
            Ok(_) => What::Amiss("no-file", "is called like a file and is none".to_owned()),
            Err(error) => What::Amiss("unreadable", format!("cannot be read: {error}")),
        };
        self.push(path, name, what);
    }

    fn push(&mut self, path: PathBuf, name: String, what: What) {
        self.seen.push(Seen { path, name, what });
    }
}

/// The folder that a command works on.
#[derive(Debug)]
pub struct Found {
    /// What to call it when speaking to people.
    pub label: String,
    /// Where it is; the built-in one is nowhere.
    pub folder: Option<PathBuf>,
    /// Its texts.
    pub files: Vec<SourceText>,
}

/// The folder named, else `policies/` here if there is one, else the folder that is built in.
pub fn find(dir: Option<&Path>) -> Result<Found, Vec<Problem>> {
    let (found, problems) = find_what_can_be(dir);
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// The same for whoever wants to know everything that is wrong: what can be read of the folder, and what cannot.
pub fn find_what_can_be(dir: Option<&Path>) -> (Found, Vec<Problem>) {
    let here = Path::new("policies");
    let chosen = dir.or_else(|| here.is_dir().then_some(here));
    let Some(chosen) = chosen else {
        let files = crate::rulebook::Sources::embedded().files().cloned().collect();
        let label = "the built-in policies".to_owned();
        let found = Found {
            label,
            folder: None,
            files,
        };
        return (found, Vec::new());
    };
    let (files, problems) = read_what_can_be(chosen);
    let found = Found {
        label: chosen.display().to_string(),
        folder: Some(chosen.to_owned()),
        files,
    };
    (found, problems)
}

#[derive(Default)]
struct Reading {
    files: Vec<SourceText>,
    problems: Vec<Problem>,
    bytes: u64,
    /// What was read before.
    known: Shelf,
    /// What was read now, or would have been read the same.
    read: Shelf,
}

impl Reading {
    fn take(&mut self, look: &Look) {
        for seen in &look.seen {
            match &seen.what {
                What::Folder(_) => {}
                What::File(version) => self.file(seen, *version, look.at),
                What::Closed(why) => self.closed(&seen.name, why.clone()),
                What::Amiss(what, why) => self.problem(what, &seen.name, why.clone()),
            }
        }
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn file(&mut self, seen: &Seen, version: FileVersion, looked: SystemTime) {
        let name = &seen.name;
        let size = version.size;
        if size > FILE_LIMIT {
            let why = format!("is too large: {size} bytes, at most {FILE_LIMIT} in one file");
            return self.problem("too-large", name, why);
        }
        // a file that is not read takes no room from the others
        if self.bytes + size > FOLDER_LIMIT {
            let why = format!("is too much: with its {size} bytes the files hold more than {FOLDER_LIMIT} together");
            return self.problem("too-large", name, why);
        }
        self.bytes += size;
        if let Some((path, known)) = self
            .known
            .remove_entry(&seen.path)
            .filter(|(_, known)| known.0 == version)
        {
            self.files.push(SourceText::new(name.clone(), Arc::clone(&known.1)));
            self.read.insert(path, known);
            return;
        }
        match std::fs::read(&seen.path).map(String::from_utf8) {
            Ok(Ok(text)) => {
                let file = SourceText::new(name.clone(), text);
                if version.is_settled(looked) {
                    self.read.insert(seen.path.clone(), (version, Arc::clone(&file.text)));
                }
                self.files.push(file);
            }
            Ok(Err(error)) => {
                let text = error.as_bytes().get(..error.utf8_error().valid_up_to());
                let line = text.unwrap_or_default().split(|byte| *byte == b'\n').count();
                self.problem("not-utf-8", name, format!("line {line} is not text in UTF-8"));
            }
            Err(error) => self.problem("unreadable", name, format!("cannot be read: {error}")),
        }
    }

    fn closed(&mut self, name: &str, message: String) {
        let problem = Problem::of_file("wayleave::sources::unreadable", name, message);
        let help = "name the folder that holds `wayleave.cedarschema` and `rules/`";
        self.problems.push(problem.with_help(help));
    }

    fn problem(&mut self, what: &str, name: &str, message: String) {
        let code = format!("wayleave::sources::{what}");
        self.problems.push(Problem::of_file(&code, name, message));
    }
}

/// `.git`, `.people.toml.swp`, `people.toml~`, `#people.toml#`, `4913` (vim tries whether it may write).
fn is_left_behind(file: &str) -> bool {
    file.starts_with(['.', '#']) || file.ends_with('~') || file.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_leave_behind_is_passed_over_and_the_rest_comes_sorted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("rules")).unwrap();
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        for name in [
            "b.toml",
            "a.toml",
            ".b.toml.swp",
            "b.toml~",
            "#b.toml#",
            "4913",
            "README.md",
            "rules/x.cedar",
            "rules/y.Cedar",
            ".git/c.toml",
        ] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let names: Vec<String> = read_folder(dir.path())
            .unwrap()
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["a.toml", "b.toml", "rules/x.cedar", "rules/y.Cedar"]);
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_file_that_is_not_text_are_problems() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.toml"), b"# one\n# tw\xff\xfe\n").unwrap();
        assert_eq!(
            read_folder(dir.path()).unwrap_err()[0].to_string(),
            "a.toml: line 2 is not text in UTF-8"
        );
        let missing = read_folder(&dir.path().join("nowhere")).unwrap_err();
        assert!(missing[0].message.contains("nowhere"), "{missing:?}");
    }

    #[test]
    fn a_file_that_looks_the_same_is_not_read_again_and_every_other_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["a.toml", "b.toml", "c.toml"] {
            std::fs::write(at(name), "one").unwrap();
        }
        let mut library = Library::default();
        // what was written just now is read again, since it may look the same when it changes
        library.read(&Look::at(dir.path())).unwrap();
        assert!(library.0.is_empty());
        let settled = || Look {
            at: SystemTime::now() + Duration::from_mins(1),
            ..Look::at(dir.path())
        };
        let first = library.read(&settled()).unwrap();
        assert_eq!(first, read_folder(dir.path()).unwrap());
        std::fs::write(at("new"), "two").unwrap();
        std::fs::rename(at("new"), at("b.toml")).unwrap();
        std::fs::remove_file(at("c.toml")).unwrap();
        std::fs::write(at("d.toml"), "one").unwrap();
        let then = library.read(&settled()).unwrap();
        assert_eq!(then, read_folder(dir.path()).unwrap());
        assert!(Arc::ptr_eq(&first[0].text, &then[0].text));
        assert!(!Arc::ptr_eq(&first[0].text, &then[2].text));
        assert_eq!(library.0.len(), 3);
    }

    #[test]
    fn a_file_over_the_limit_is_not_read_and_no_other_is_blamed_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(dir.path().join("big.toml")).unwrap();
        file.set_len(FOLDER_LIMIT + 1).unwrap();
        std::fs::write(dir.path().join("small.toml"), "x").unwrap();
        let problems = read_folder(dir.path()).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}");
        };
        assert!(problem.to_string().starts_with("big.toml: is too large: "), "{problem}");
    }

    #[test]
    fn files_that_are_too_much_together_are_a_problem_of_those_beyond() {
        let dir = tempfile::tempdir().unwrap();
        let full = usize::try_from(FOLDER_LIMIT / FILE_LIMIT).unwrap();
        for n in 0..full {
            let file = std::fs::File::create(dir.path().join(format!("{n:02}.toml"))).unwrap();
            file.set_len(FILE_LIMIT).unwrap();
        }
        assert_eq!(read_folder(dir.path()).unwrap().len(), full);
        std::fs::write(dir.path().join("x.toml"), "one").unwrap();
        assert_eq!(
            read_folder(dir.path()).unwrap_err()[0].to_string(),
            format!("x.toml: is too much: with its 3 bytes the files hold more than {FOLDER_LIMIT} together")
        );
    }

    #[test]
    fn a_folder_looks_different_after_every_kind_of_change_and_only_then() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for version in ["one", "two"] {
            std::fs::create_dir_all(at(version).join("rules")).unwrap();
            std::fs::write(at(version).join("rules/a.cedar"), "same size").unwrap();
        }
        symlink(at("one"), at("..data")).unwrap();
        symlink("..data", at("policies")).unwrap();
        let folder = at("policies");
        let changes: [(&str, &dyn Fn()); 6] = [
            ("a link is led elsewhere, as Kubernetes does", &|| {
                symlink(at("two"), at("..new")).unwrap();
                std::fs::rename(at("..new"), at("..data")).unwrap();
            }),
            ("a file is written", &|| {
                std::fs::write(folder.join("rules/a.cedar"), "other").unwrap();
            }),
            ("a file is moved into place", &|| {
                std::fs::write(folder.join(".b"), "new").unwrap();
                std::fs::rename(folder.join(".b"), folder.join("rules/b.cedar")).unwrap();
            }),
            ("a file is removed", &|| {
                std::fs::remove_file(folder.join("rules/b.cedar")).unwrap();
            }),
            ("the folder is replaced", &|| {
                std::fs::rename(at("two"), at("old")).unwrap();
                std::fs::create_dir(at("two")).unwrap();
            }),
            ("the folder is gone", &|| std::fs::remove_file(&folder).unwrap()),
        ];
        for (what, change) in changes {
            let before = Look::at(&folder);
            assert_eq!(before, Look::at(&folder), "before {what}");
            change();
            assert_ne!(before, Look::at(&folder), "{what}");
        }
    }
}
