//! The rulebooks that ruled, kept by their digest: a record can be explained a month later under the rules of its day,
//! and the last good rules rule after a restart if the folder of policies is broken by then.
//!
//! `texts/` holds each file's content once, named by its own digest; beside it a list for each rulebook, named by the
//! rulebook's digest, says which file had which content; `last` is the list of what ruled last. People and cases are in
//! the lists, too, as they were when the rules took effect: the digest of a rulebook does not speak of them. What they
//! were in between goes as soon as no list names it.
#![expect(clippy::disallowed_methods, reason = "door: keeps rulebooks on disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::facts::{RulebookId, SourceText, hex};
use crate::portal::PastRules;
use crate::rulebook::{Assembled, Rulebook, Sources};

const LAST: &str = "last";
const TEXTS: &str = "texts";
/// With this begins the name of a file that is being written.
const HALF: &[u8] = b".";

/// The folder of kept rulebooks.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
    /// The digests of the texts that were kept last, by the names of their files.
    digests: Arc<Mutex<BTreeMap<String, Digested>>>,
}

/// A text and its digest.
type Digested = (Arc<str>, String);

/// Why a kept rulebook cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// It never ruled here, or somebody removed it.
    #[error("the rulebook `{0}` was not kept in `{1}`")]
    Missing(String, PathBuf),
    /// The disk said so.
    #[error("the kept rulebooks in `{0}` cannot be read: {1}")]
    Disk(PathBuf, io::Error),
    /// What is there is not what was kept.
    #[error("the kept rulebook `{0}` in `{1}` is damaged: {2}")]
    Damaged(String, PathBuf, String),
}

/// Which file of a rulebook had which content.
#[derive(Deserialize, Serialize)]
struct List {
    rulebook: RulebookId,
    files: BTreeMap<String, String>,
}

impl Kept {
    /// Rulebooks kept in `folder`, which is made when the first is.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            digests: Arc::default(),
        }
    }

    /// Where the portal finds rules that ruled.
    pub(super) fn past(self) -> PastRules {
        Arc::new(move |id| self.rulebook(id).map_err(|why| why.to_string()))
    }

    /// Keeps the texts of a rulebook that takes effect; returns once they are on disk. What is there already stays.
    pub fn keep(&self, id: &RulebookId, sources: &Sources) -> io::Result<()> {
        let texts = self.folder.join(TEXTS);
        DirBuilder::new().recursive(true).mode(0o700).create(&texts)?;
        let mut list = List {
            rulebook: id.clone(),
            files: BTreeMap::new(),
        };
        let mut wrote = false;
        for (file, name) in sources.files().zip(self.digests_of(sources)) {
            if !texts.join(&name).try_exists()? {
                place(&texts, &name, file.text.as_bytes())?;
                wrote = true;
            }
            list.files.insert(file.name.clone(), name);
        }
        if wrote {
            File::open(&texts)?.sync_all()?;
        }
        // INVARIANT: a list is there only once every text that it names is.
        let text = serde_json::to_vec_pretty(&list)?;
        let name = file_name(id);
        if !self.folder.join(&name).try_exists()? {
            place(&self.folder, &name, &text)?;
        }
        if fs::read(self.folder.join(LAST)).ok().as_deref() != Some(&*text) {
            place(&self.folder, LAST, &text)?;
        }
        File::open(&self.folder)?.sync_all()?;
        if let Err(error) = self.forget() {
            tracing::warn!(%error, folder = %self.folder.display(), "texts that are not needed any more stay on disk");
        }
        Ok(())
    }

    /// The digest of each text. A text that is shared with the last one of its name is not read again: of a company, all but
    /// one are.
    fn digests_of(&self, sources: &Sources) -> Vec<String> {
        let mut last = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let known = std::mem::take(&mut *last);
        let digest = |file: &SourceText| {
            let same = known.get(&file.name).filter(|(text, _)| Arc::ptr_eq(text, &file.text));
            same.map_or_else(|| digest_of(&file.text), |(_, digest)| digest.clone())
        };
        let digests: Vec<String> = sources.files().map(digest).collect();
        let files = sources.files().zip(&digests);
        *last = files
            .map(|(file, digest)| (file.name.clone(), (Arc::clone(&file.text), digest.clone())))
            .collect();
        digests
    }

    /// Removes the texts that no list names; none where a list cannot be read.
    fn forget(&self) -> io::Result<()> {
        let mut named = BTreeSet::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_list = entry.file_type()?.is_file() && !entry.file_name().as_encoded_bytes().starts_with(HALF);
            if is_list {
                let list: List = serde_json::from_slice(&fs::read(entry.path())?)?;
                named.extend(list.files.into_values().map(OsString::from));
            }
        }
        for entry in fs::read_dir(self.folder.join(TEXTS))? {
            let entry = entry?;
            if !named.contains(&entry.file_name()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The texts that ruled last; none where nothing ever ruled.
    pub fn last(&self) -> Result<Option<Sources>, Unkept> {
        match self.texts(LAST) {
            Ok((_, sources)) => Ok(Some(sources)),
            Err(Unkept::Missing(..)) => Ok(None),
            Err(why @ (Unkept::Disk(..) | Unkept::Damaged(..))) => Err(why),
        }
    }

    /// The rulebook called `id`, with the people of the day on which it took effect.
    pub fn rulebook(&self, id: &RulebookId) -> Result<Assembled, Unkept> {
        let name = file_name(id);
        let (_, sources) = self.texts(&name)?;
        let damaged = |why: String| Unkept::Damaged(id.to_string(), self.folder.clone(), why);
        let assembled = Rulebook::assemble(&sources).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            damaged(format!("this version cannot read it: {first}"))
        })?;
        if assembled.rulebook.id() == id {
            Ok(assembled)
        } else {
            Err(damaged(format!("its texts are those of `{}`", assembled.rulebook.id())))
        }
    }

    fn texts(&self, name: &str) -> Result<(RulebookId, Sources), Unkept> {
        let disk = |error| Unkept::Disk(self.folder.clone(), error);
        let damaged = |why: String| Unkept::Damaged(name.to_owned(), self.folder.clone(), why);
        let text = match fs::read(self.folder.join(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Unkept::Missing(name.to_owned(), self.folder.clone()));
            }
            Err(error) => return Err(disk(error)),
        };
        let list: List = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        let mut files = Vec::new();
        for (file, digest) in list.files {
            let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_digest {
                return Err(damaged(format!("`{file}` has no digest")));
            }
            let text = fs::read_to_string(self.folder.join(TEXTS).join(&digest))
                .map_err(|error| damaged(format!("the text of `{file}` cannot be read: {error}")))?;
            if digest_of(&text) != digest {
                return Err(damaged(format!("the text of `{file}` was changed")));
            }
            files.push(SourceText::new(file, text));
        }
        let sources = Sources::from_files(files).map_err(|_| damaged("files are missing".to_owned()))?;
        Ok((list.rulebook, sources))
    }
}

/// The digest without `sha256:`, as a file name.
fn file_name(id: &RulebookId) -> String {
    let bare = id.as_str().rsplit(':').next().unwrap_or_default();
    bare.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn digest_of(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// Makes `bytes` the whole content of the file `name`, at once, for its owner only; durable once the folder is synced.
fn place(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // such a file is for its owner only (mode 0600)
    let mut half = tempfile::Builder::new().prefix(".half-").tempfile_in(folder)?;
    half.write_all(bytes)?;
    half.as_file().sync_all()?;
    half.persist(folder.join(name)).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn entries(folder: &Path) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.sort();
        found
    }

    fn id_of(sources: &Sources) -> RulebookId {
        Rulebook::assemble(sources).unwrap().rulebook.id().clone()
    }

    fn other() -> Sources {
        let mut sources = Sources::embedded();
        let rule = "@id(\"t\") @reason(\"R.\") @owner(\"IT\") forbid (principal, action, resource is Site);";
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        sources
    }

    #[test]
    fn what_is_kept_comes_back_by_its_digest_and_each_content_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(&folder.path().join("state/rulebooks"));
        let (first, second) = (Sources::embedded(), other());
        kept.keep(&id_of(&first), &first).unwrap();
        let texts = entries(&folder.path().join("state/rulebooks/texts"));
        kept.keep(&id_of(&second), &second).unwrap();
        let more = entries(&folder.path().join("state/rulebooks/texts"));
        assert_eq!(more.len(), texts.len() + 1);
        for sources in [&first, &second] {
            assert_eq!(kept.rulebook(&id_of(sources)).unwrap().rulebook.id(), &id_of(sources));
        }
        assert_eq!(kept.last().unwrap().unwrap(), second);
        // going back is one small file
        kept.keep(&id_of(&first), &first).unwrap();
        assert_eq!(kept.last().unwrap().unwrap(), first);
        assert_eq!(entries(&folder.path().join("state/rulebooks/texts")), more);
    }

    #[test]
    fn people_of_yesterday_are_kept_for_the_rulebooks_that_took_effect_with_them_and_else_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path());
        let with = |mut sources: Sources, remark: &str| {
            let people = sources.people.first_mut().unwrap();
            *people = SourceText::new(people.name.clone(), format!("# {remark}\n{}", people.text));
            sources
        };
        let rulebooks = [Sources::embedded(), other()];
        let ids = rulebooks.each_ref().map(id_of);
        for remark in ["first", "second", "third"] {
            for (id, sources) in ids.iter().zip(&rulebooks) {
                kept.keep(id, &with(sources.clone(), remark)).unwrap();
            }
        }
        let texts = entries(&folder.path().join(TEXTS));
        let remarks: Vec<String> = texts.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let count = |remark: &str| remarks.iter().filter(|text| text.starts_with(remark)).count();
        assert_eq!((count("# first"), count("# second"), count("# third")), (1, 0, 1));
        assert_eq!(kept.last().unwrap().unwrap(), with(other(), "third"));
        for id in &ids {
            assert_eq!(kept.rulebook(id).unwrap().rulebook.id(), id);
        }
        // in doubt everything stays
        fs::write(folder.path().join(file_name(&ids[0])), "{").unwrap();
        kept.keep(&ids[1], &with(other(), "fourth")).unwrap();
        assert_eq!(entries(&folder.path().join(TEXTS)).len(), texts.len() + 1);
    }

    #[test]
    fn kept_rulebooks_are_for_the_gateway_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("rulebooks");
        let sources = Sources::embedded();
        Kept::at(&state).keep(&id_of(&sources), &sources).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(TEXTS))), (0o700, 0o700));
        for file in entries(&state).iter().chain(&entries(&state.join(TEXTS))) {
            assert!(file.is_dir() || mode(file) == 0o600, "{}", file.display());
        }
    }

    #[test]
    fn a_kept_text_that_was_changed_or_removed_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path());
        let sources = Sources::embedded();
        let id = id_of(&sources);
        assert!(matches!(kept.rulebook(&id), Err(Unkept::Missing(..))));
        assert!(kept.last().unwrap().is_none());
        kept.keep(&id, &sources).unwrap();
        let text = folder.path().join(TEXTS).join(digest_of(&sources.schema.text));
        fs::write(&text, "permit").unwrap();
        let why = kept.rulebook(&id).unwrap_err().to_string();
        assert!(why.contains("was changed"), "{why}");
        fs::remove_file(&text).unwrap();
        assert!(matches!(kept.last(), Err(Unkept::Damaged(..))));
    }
}
