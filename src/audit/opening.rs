//! Opening the book: take the folder, repair what a crash tore, start the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde::Deserialize;

use super::desk::Desk;
use super::folder::{self, Folder, Listing, Medium, NotTaken};
use super::lasting::Open;
use super::latest::Latest;
use super::seal::{SealKey, Signed, Signer, private_pem};
use super::segment::Segment;
use super::walk::{Broken, PUBLIC_KEY, after, seal_of, walk};
use super::writer::{RETRY, Tail, Writer, day_of};
use super::{Book, Inner, Reader, Settings};
use crate::clock::{Clock, Timestamp};
use crate::facts::{Act, End, Ending, GatewayAct, Record, RecordId, RulebookId};

/// Where the private key of the seals lies.
const PRIVATE_KEY: &str = "seal.key";

/// What a crash left behind and the start put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The last line was not whole. It was never acknowledged; its bytes are kept beside the book.
    TornEnd {
        /// The file that was cut.
        file: String,
        /// How many bytes were cut off.
        bytes: u64,
        /// The file that holds them now.
        kept_in: String,
    },
    /// The disk got later parts of a batch and not the ones before, as after a power loss. None of it was acknowledged;
    /// its bytes are kept beside the book.
    Hole {
        /// The file that was cut.
        file: String,
        /// How many bytes were cut off.
        bytes: u64,
        /// The file that holds them now.
        kept_in: String,
    },
    /// A publishing flow had been opened and never closed; it is closed as abandoned.
    NeverClosed(RecordId),
}

impl fmt::Display for Repair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornEnd { file, bytes, kept_in } => write!(
                out,
                "`{file}` ended in a torn line of {bytes} bytes, which nobody was told is recorded; moved to `{kept_in}`"
            ),
            Self::Hole { file, bytes, kept_in } => write!(
                out,
                "`{file}` has a hole before its last {bytes} bytes, as a power loss leaves it, and nobody was told that \
                 they are recorded; moved to `{kept_in}`"
            ),
            Self::NeverClosed(id) => write!(out, "record `{id}` was never closed; closed as abandoned"),
        }
    }
}

/// Why the book cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Another process writes into the folder.
    #[error("the records in `{0}` are being written by another process; stop it, or choose another state folder")]
    InUse(String),
    /// The folder cannot be used.
    #[error("the records in `{folder}` cannot be written: {error}; check the folder's owner and the free space")]
    Folder {
        /// The folder.
        folder: String,
        /// What the disk said.
        error: io::Error,
    },
    /// The key of the seals cannot be used.
    #[error("`{file}` cannot seal records: {why}; put your copy back, or move the whole records folder away")]
    Key {
        /// Its file.
        file: &'static str,
        /// Why not.
        why: String,
    },
    /// The newest records were changed after they were written.
    #[error("the records do not hold: {0}; move the whole records folder away, keep it for inquiry, and start again")]
    Broken(#[from] Broken),
}

pub(super) fn open(settings: &Settings, clock: Clock, readers: Vec<Reader>) -> Result<(Book, Vec<Repair>), BookError> {
    open_on(settings, clock, readers, RETRY, |folder| Box::new(folder))
}

/// As [`open`], on a medium of the caller's choice: tests have one that fails.
pub(super) fn open_on(
    settings: &Settings,
    clock: Clock,
    readers: Vec<Reader>,
    retry: Duration,
    medium: impl FnOnce(Folder) -> Box<dyn Medium>,
) -> Result<(Book, Vec<Repair>), BookError> {
    let failed = |error| BookError::Folder {
        folder: settings.folder.to_string_lossy().into_owned(),
        error,
    };
    let mut folder = Folder::take(&settings.folder).map_err(|not| match not {
        NotTaken::InUse => BookError::InUse(settings.folder.to_string_lossy().into_owned()),
        NotTaken::Failed(error) => failed(error),
    })?;
    let signer = signer(&mut folder, &failed)?;
    let found = survey(&settings.folder, &signer.public(), &failed)?;
    let mut repairs = Vec::new();
    if found.torn > 0 {
        let kept_in = folder.set_aside(found.tail.segment, found.tail.bytes).map_err(failed)?;
        let (file, bytes) = (found.tail.segment.lines(), found.torn);
        repairs.push(if found.holed {
            Repair::Hole { file, bytes, kept_in }
        } else {
            Repair::TornEnd { file, bytes, kept_in }
        });
    }
    let tail = if found.sealed { found.tail.after() } else { found.tail };
    folder.go_on(tail.segment).map_err(failed)?;

    let desk = Arc::new(Desk::new(settings.queue, settings.on_full, clock.clone()));
    desk.begins(tail.segment);
    let readers: Arc<[Reader]> = readers.into();
    let latest = Arc::new(Latest::from(tail.chain.next));
    let parts = (
        Arc::clone(&desk),
        Arc::clone(&latest),
        Arc::clone(&readers),
        clock.clone(),
    );
    let writer = Writer::new(settings, retry, parts, medium(folder), signer, tail);
    let book = Book {
        inner: Arc::new(Inner {
            desk,
            latest,
            folder: settings.folder.clone(),
            readers,
            clock,
            cut: OnceLock::new(),
            knows: OnceLock::new(),
            open: Open::default(),
            _writer: writer.start().map_err(failed)?,
        }),
    };
    record_repairs(&book, &mut repairs, found.unclosed);
    Ok((book, repairs))
}

/// Reads the key of the seals, or makes one for a new book.
fn signer(folder: &mut Folder, failed: &impl Fn(io::Error) -> BookError) -> Result<Signer, BookError> {
    let key = |file, why: String| BookError::Key { file, why };
    let public = folder.content(PUBLIC_KEY).map_err(failed)?;
    let signer = match (folder.content(PRIVATE_KEY).map_err(failed)?, &public) {
        (Some(pem), _) => Signer::from_pem(&pem).map_err(|why| key(PRIVATE_KEY, why))?,
        (None, Some(_)) => {
            return Err(key(
                PRIVATE_KEY,
                format!("it is missing, while `{PUBLIC_KEY}` is there"),
            ));
        }
        (None, None) => {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| key(PRIVATE_KEY, "the system gave no random numbers".to_owned()))?;
            let pem = private_pem(pkcs8.as_ref());
            folder.place(PRIVATE_KEY, pem.as_bytes()).map_err(failed)?;
            Signer::from_pem(&pem).map_err(|why| key(PRIVATE_KEY, why))?
        }
    };
    match public.map(|pem| SealKey::from_pem(&pem)) {
        Some(Ok(public)) if public == signer.public() => Ok(signer),
        Some(Ok(_)) => Err(key(PUBLIC_KEY, format!("it does not belong to `{PRIVATE_KEY}`"))),
        Some(Err(why)) => Err(key(PUBLIC_KEY, why)),
        None => {
            let pem = signer.public().to_pem();
            folder.place(PUBLIC_KEY, pem.as_bytes()).map_err(failed)?;
            Ok(signer)
        }
    }
}

/// What a start finds.
struct Found {
    tail: Tail,
    /// Whether `tail.segment` is finished.
    sealed: bool,
    /// Bytes after its last line that holds.
    torn: u64,
    /// Whether the disk never got a part of them.
    holed: bool,
    /// Openings without a closing.
    unclosed: BTreeMap<RecordId, Record>,
}

/// Looks at the newest segment, and in older ones for the openings of flows that lived through a rotation.
fn survey(path: &Path, key: &SealKey, failed: &impl Fn(io::Error) -> BookError) -> Result<Found, BookError> {
    let listing = folder::list(path).map_err(failed)?;
    let Some((&last, &(has_lines, sealed))) = listing.segments.last_key_value() else {
        return Ok(Found {
            tail: Tail::first(),
            sealed: false,
            torn: 0,
            holed: false,
            unclosed: BTreeMap::new(),
        });
    };
    if !has_lines {
        return Err(Broken::file(last.lines(), "its seal is here, but its lines are missing").into());
    }
    let former = former(path, &listing, last, key)?;
    let open_before = former.as_ref().map(|signed| signed.seal.open.clone());
    let mut notes = Notes {
        sought: open_before.unwrap_or_default(),
        ..Notes::default()
    };
    let walked = walk(path, last, former.as_ref().map(after), |line| notes.read(line))?;
    let follows_none = former.is_none() && listing.segments.range(..last).next().is_some();
    if !sealed && follows_none && walked.lines() == 0 {
        // nothing shows where it would go on, so whatever is written into it would not fit what is here
        let why = "it has no lines, and the segment before it is missing while older ones are here";
        return Err(Broken::file(last.lines(), why).into());
    }
    let holed = !sealed && walked.is_holed();
    let end = folder::length(path, last).map_err(failed)?;
    let walked = if holed { walked } else { walked.whole()? };
    if sealed {
        let seal = seal_of(path, last, key)?;
        walked.must_be_finished(last, Some(&seal), true)?;
    }
    notes.look_back(path, &listing, last);
    Ok(Found {
        sealed,
        torn: end.saturating_sub(walked.bytes),
        holed,
        tail: Tail {
            segment: last,
            from: walked.from,
            chain: walked.chain,
            bytes: walked.bytes,
            day: notes.day,
            open: notes.unclosed.keys().cloned().collect(),
        },
        unclosed: notes.unclosed,
    })
}

/// The seal of the segment before the newest one; none if that one is gone.
fn former(path: &Path, listing: &Listing, last: Segment, key: &SealKey) -> Result<Option<Signed>, Broken> {
    let former = listing.segments.range(..last).next_back();
    let former = former.map(|(segment, _)| *segment).filter(|one| one.next() == last);
    former.map(|segment| seal_of(path, segment, key)).transpose()
}

/// What a start needs to know of the lines.
#[derive(Default)]
struct Notes {
    day: Option<i64>,
    unclosed: BTreeMap<RecordId, Record>,
    /// Flows that were open when the newest segment began, and have not closed since.
    sought: BTreeSet<RecordId>,
}

#[derive(Deserialize)]
struct Brief {
    id: RecordId,
    at: Timestamp,
    kind: String,
}

impl Notes {
    /// Reads a line of the newest segment.
    fn read(&mut self, line: &[u8]) {
        let Ok(brief) = serde_json::from_slice::<Brief>(line) else {
            return;
        };
        self.day.get_or_insert(day_of(brief.at));
        match brief.kind.as_str() {
            "opening" => self.open(brief.id, line),
            "closing" => {
                self.unclosed.remove(&brief.id);
                self.sought.remove(&brief.id);
            }
            _ => {}
        }
    }

    fn open(&mut self, id: RecordId, line: &[u8]) {
        if let Ok(record) = serde_json::from_slice(line) {
            self.unclosed.insert(id, record);
        }
    }

    /// Finds the openings that are sought in older segments, from the newest to the oldest that is here. What is wrong
    /// in those is for `verify` to say.
    fn look_back(&mut self, path: &Path, listing: &Listing, last: Segment) {
        for (&segment, _) in listing
            .segments
            .range(..last)
            .rev()
            .filter(|(_, (has_lines, _))| *has_lines)
        {
            if self.sought.is_empty() {
                return;
            }
            let _ = walk(path, segment, None, |line| {
                let opens = serde_json::from_slice::<Brief>(line)
                    .ok()
                    .filter(|brief| brief.kind == "opening");
                if let Some(brief) = opens.filter(|brief| self.sought.remove(&brief.id)) {
                    self.open(brief.id, line);
                }
            });
        }
    }
}

/// Says in the book itself what was repaired.
fn record_repairs(book: &Book, repairs: &mut Vec<Repair>, unclosed: BTreeMap<RecordId, Record>) {
    for repair in repairs.iter() {
        if let Repair::TornEnd { file, bytes, .. } | Repair::Hole { file, bytes, .. } = repair {
            let act = GatewayAct::Repaired {
                bytes: *bytes,
                file: file.clone(),
            };
            book.note(&book.record(Act::Gateway {
                act,
                // the book opens before any rules are in force
                rulebook: RulebookId::new("none"),
            }));
        }
    }
    for (id, opening) in unclosed {
        if let Act::Opening { seen, decided } = opening.act {
            let ended = Ending {
                end: End::Abandoned,
                status: None,
                decrypted: decided.inspect,
                bytes_up: 0,
                bytes_down: 0,
                duration_ms: 0,
                judged_us: 0,
            };
            book.note(&Record {
                id: id.clone(),
                at: opening.at,
                people: Vec::new(),
                act: Act::Closing {
                    seen,
                    decided: Some(decided),
                    ended,
                },
            });
            repairs.push(Repair::NeverClosed(id));
        }
    }
}
