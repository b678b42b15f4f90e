//! Reads the book back, line by line, also while a gateway writes into it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::chain::Link;
use super::folder;
use super::segment::Segment;
use crate::facts::{Record, RecordId};

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file, by its name in the folder.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// Its number in the chain.
    pub seq: u64,
}

/// Why a line cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadProblem {
    /// The disk said so.
    #[error("the records in `{folder}` cannot be read: {error}")]
    Disk {
        /// The folder.
        folder: String,
        /// What the disk said.
        error: io::Error,
    },
    /// The line is no record.
    #[error("`{file}`, line {line}: this is no record of this version: {why}; `wayleave records verify` tells more")]
    Line {
        /// The file, by its name in the folder.
        file: String,
        /// The line in it, from 1.
        line: u64,
        /// Why.
        why: String,
    },
}

impl ReadProblem {
    pub(super) fn of(folder: &Path, error: io::Error) -> Self {
        Self::Disk {
            folder: folder.to_string_lossy().into_owned(),
            error,
        }
    }

    /// What to say where `option` names the folder.
    pub fn told(&self, option: &str) -> String {
        match self {
            Self::Disk { .. } => format!("{self}; name the folder of a gateway's records with `{option}`"),
            Self::Line { .. } => self.to_string(),
        }
    }
}

/// The records of a book, oldest first.
///
/// When it has given everything that is there, it gives `None`; asked again later, it gives what was written since.
pub struct Records {
    folder: PathBuf,
    segments: VecDeque<Segment>,
    /// Where the segments begin that have not been read.
    next: Segment,
    current: Option<Current>,
    line: Vec<u8>,
}

/// A line of the book as it stands there, to be read where there is time for it.
#[derive(Clone, Debug)]
pub struct Unread {
    file: String,
    line: u64,
    text: Vec<u8>,
}

impl Unread {
    /// Its text, if it hangs in the chain.
    pub fn text(&self) -> Result<&[u8], ReadProblem> {
        match Link::of(&self.text) {
            Some(_) => Ok(&self.text),
            None => Err(self.refused(UNCHAINED)),
        }
    }

    /// The problem that it is no record.
    pub fn refused(&self, why: impl std::fmt::Display) -> ReadProblem {
        ReadProblem::Line {
            file: self.file.clone(),
            line: self.line,
            why: why.to_string(),
        }
    }

    /// How much of the book it is, in bytes.
    pub fn length(&self) -> u64 {
        self.text.len() as u64 + 1
    }
}

const UNCHAINED: &str = "it does not begin with `seq` and `prev`";

fn parse(file: String, line: u64, text: &[u8]) -> Result<(Position, Record), ReadProblem> {
    let problem = |why: String| ReadProblem::Line {
        file: file.clone(),
        line,
        why,
    };
    let hung = Link::of(text).ok_or_else(|| problem(UNCHAINED.to_owned()))?;
    let record = serde_json::from_slice(text).map_err(|e| problem(e.to_string()))?;
    let seq = hung.seq;
    Ok((Position { file, line, seq }, record))
}

struct Current {
    segment: Segment,
    reader: BufReader<File>,
    lines: u64,
    /// Whether a later segment was there before the last attempt to read: then this one has ended.
    superseded: bool,
}

/// Reads the records in `folder`, oldest first.
pub fn read(folder: &Path) -> Result<Records, ReadProblem> {
    read_from(folder, Segment::FIRST.0)
}

/// The same from the segment of this number on.
pub fn read_from(folder: &Path, segment: u64) -> Result<Records, ReadProblem> {
    let mut records = Records {
        folder: folder.to_owned(),
        segments: VecDeque::new(),
        next: Segment(segment),
        current: None,
        line: Vec::new(),
    };
    records.segments = records.later_segments().map_err(|e| records.failed(e))?;
    Ok(records)
}

/// All lines of the record `id`: an opening and its closing share it.
pub fn find(folder: &Path, id: &RecordId) -> Result<Vec<(Position, Record)>, ReadProblem> {
    read(folder)?
        .filter(|found| match found {
            Ok((_, record)) => record.id == *id,
            Err(_) => true,
        })
        .collect()
}

impl Records {
    /// How long the book is now, in bytes.
    pub fn length(&self) -> u64 {
        let segments = self.later_segments().unwrap_or_default().into_iter();
        segments
            .filter_map(|segment| folder::length(&self.folder, segment).ok())
            .sum()
    }

    fn failed(&self, error: io::Error) -> ReadProblem {
        ReadProblem::of(&self.folder, error)
    }

    fn later_segments(&self) -> io::Result<VecDeque<Segment>> {
        Ok(folder::list(&self.folder)?
            .segments
            .into_iter()
            .filter(|(segment, (has_lines, _))| *has_lines && *segment >= self.next)
            .map(|(segment, _)| segment)
            .collect())
    }

    /// The exact text of the line that was given last.
    pub fn raw(&self) -> &[u8] {
        &self.line
    }

    /// Fills `line` with the next whole line; false if there is none yet.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        loop {
            let Some(current) = self.current.as_mut() else {
                if !self.begin_next()? {
                    return Ok(false);
                }
                continue;
            };
            if current.read_line(&mut self.line)? {
                return Ok(true);
            }
            if current.superseded {
                self.current = None;
                continue;
            }
            if self.segments.is_empty() {
                self.segments = self.later_segments()?;
            }
            if self.segments.is_empty() {
                return Ok(false);
            }
            if let Some(current) = self.current.as_mut() {
                current.superseded = true;
            }
        }
    }

    fn begin_next(&mut self) -> io::Result<bool> {
        if self.segments.is_empty() {
            self.segments = self.later_segments()?;
        }
        let Some(segment) = self.segments.pop_front() else {
            return Ok(false);
        };
        self.next = segment.next();
        self.current = folder::lines(&self.folder, segment)?.map(|file| Current {
            segment,
            reader: BufReader::with_capacity(256 * 1024, file),
            lines: 0,
            superseded: false,
        });
        Ok(true)
    }

    /// The next line, not yet read: reading costs more than fetching, and may be left to other threads.
    pub fn next_unread(&mut self) -> Option<Result<Unread, ReadProblem>> {
        match self.advance() {
            Ok(true) => {
                let (file, line) = self.place();
                let text = self.line.clone();
                Some(Ok(Unread { file, line, text }))
            }
            Ok(false) => None,
            Err(error) => Some(Err(self.failed(error))),
        }
    }

    fn place(&self) -> (String, u64) {
        let current = self.current.as_ref();
        current.map_or_else(Default::default, |current| (current.segment.lines(), current.lines))
    }

    fn parse(&self) -> Result<(Position, Record), ReadProblem> {
        let (file, line) = self.place();
        parse(file, line, &self.line)
    }
}

impl Current {
    /// Reads one whole line, without its newline; an unfinished one stays for later.
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let read = self.reader.read_until(b'\n', line)?;
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            self.lines += 1;
            return Ok(true);
        }
        line.clear();
        self.reader.seek_relative(-i64::try_from(read).unwrap_or(0))?;
        Ok(false)
    }
}

impl Iterator for Records {
    type Item = Result<(Position, Record), ReadProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(true) => Some(self.parse()),
            Ok(false) => None,
            Err(error) => Some(Err(self.failed(error))),
        }
    }
}
