//! Looks through the book without reading all of it: the newest decisions that fit, and all lines of one flow. Each call
//! reads a bounded piece, and says where to go on.
//!
//! Lines stand in the order in which flows ended. So a moment is found by halving: what ended after it stands behind. Some
//! lines do not tell when they were written, and are passed over there: an opening tells when its flow began, and what a start
//! says of a flow that a crash left open tells nothing later than that.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::backward::Backward;
use super::filter::Filter;
use super::folder;
use super::read::ReadProblem;
use super::segment::Segment;
use crate::clock::Timestamp;
use crate::facts::{Act, End, Record, RecordId};

/// How much the clock may have been set back while the book was written.
const SLACK: Duration = Duration::from_mins(1);

/// How long after the end of the time that is looked for a flow may have ended to be found, where there is such an end.
pub const AFTERWARDS: Duration = Duration::from_hours(1);

/// A stretch of a file in which there is no more halving.
const SHORT: u64 = 64 * 1024;

/// A place between two lines of the book: `12-3456`, the segment and how many bytes of it are before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bookmark {
    segment: Segment,
    end: u64,
}

impl Bookmark {
    fn of((segment, end): (Segment, u64)) -> Self {
        Self { segment, end }
    }
}

impl fmt::Display for Bookmark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.segment.0, self.end)
    }
}

/// A text that is no bookmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no bookmark")]
pub struct BadBookmark;

impl FromStr for Bookmark {
    type Err = BadBookmark;

    fn from_str(text: &str) -> Result<Self, BadBookmark> {
        let (segment, end) = text.split_once('-').ok_or(BadBookmark)?;
        let number = |text: &str| text.parse().map_err(|_| BadBookmark);
        let (segment, end) = (Segment(number(segment)?), number(end)?);
        let bookmark = Self { segment, end };
        // one place, one name
        (bookmark.to_string() == text).then_some(bookmark).ok_or(BadBookmark)
    }
}

/// How much one call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At most so many records are found.
    pub records: usize,
    /// No more is begun once so much was read.
    pub bytes: u64,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Found {
    /// The newest first.
    pub records: Vec<Record>,
    /// Where the line of each of them is.
    pub lines: Vec<Bookmark>,
    /// Where to go on; none where there is nothing more.
    pub next: Option<Bookmark>,
    /// Until when it has come, if it has read anything.
    pub reached: Option<Timestamp>,
    /// How many lines cannot be read.
    pub unreadable: u64,
}

/// The decisions that fit `filter` and `admits`, the newest first, from a bookmark on.
pub fn decisions(
    folder: &Path,
    (filter, from): (&Filter, Option<Bookmark>),
    bounds: Bounds,
    mut admits: impl FnMut(&Record) -> bool,
) -> Result<Found, ReadProblem> {
    newest(folder, (&["closing"], filter, from), bounds, |record| {
        is_decision(record) && admits(record)
    })
}

/// What the gateway did by itself, the newest first, from a bookmark on.
pub fn gateway_acts(
    folder: &Path,
    from: Option<Bookmark>,
    bounds: Bounds,
    admits: impl FnMut(&Record) -> bool,
) -> Result<Found, ReadProblem> {
    newest(folder, (&["gateway"], &Filter::default(), from), bounds, admits)
}

/// The records about the topic of `filter` that fit it and `admits`, the newest first, from a bookmark on.
pub fn records(
    folder: &Path,
    (filter, from): (&Filter, Option<Bookmark>),
    bounds: Bounds,
    admits: impl FnMut(&Record) -> bool,
) -> Result<Found, ReadProblem> {
    newest(folder, (filter.topic.lines(), filter, from), bounds, admits)
}

/// The records of these kinds.
fn newest(
    folder: &Path,
    (kinds, filter, from): (&[&str], &Filter, Option<Bookmark>),
    bounds: Bounds,
    mut admits: impl FnMut(&Record) -> bool,
) -> Result<Found, ReadProblem> {
    let failed = |error| ReadProblem::of(folder, error);
    let from = match (from, filter.until) {
        (Some(bookmark), _) => Some((bookmark.segment, bookmark.end)),
        (None, Some(until)) => after(folder, until.plus(AFTERWARDS + SLACK)).map_err(failed)?,
        (None, None) => None,
    };
    let mut lines = Backward::from(folder, from).map_err(failed)?;
    let mut found = Found::default();
    let over = filter.since.map(|since| since.minus(SLACK));
    let mut is_begun = false;
    // one line at least, or nobody would come to an end
    while found.records.len() < bounds.records && (!is_begun || lines.read < bounds.bytes) {
        is_begun = true;
        let Some(line) = lines.next_line().map_err(failed)? else {
            return Ok(found);
        };
        let Ok(glance) = serde_json::from_slice::<Glance>(&line) else {
            found.unreadable += 1;
            continue;
        };
        if let Some(ended) = glance.ended() {
            found.reached = Some(ended);
            if over.is_some_and(|over| ended < over) {
                return Ok(found);
            }
        }
        if !kinds.contains(&&*glance.kind) {
            continue;
        }
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if filter.admits(&record) && admits(&record) => {
                found.records.push(record);
                found.lines.extend(lines.ended.map(Bookmark::of));
            }
            Ok(_) => {}
            Err(_) => found.unreadable += 1,
        }
    }
    found.next = lines.place().map(Bookmark::of);
    Ok(found)
}

/// Lines of one flow.
#[derive(Debug, Default)]
pub struct Lines {
    /// In their order.
    pub records: Vec<Record>,
    /// Whether no more was looked at than may be, and there may be more of them.
    pub cut_short: bool,
}

/// The line of the flow `id` that is there; none where it is another one's.
pub fn line_at(folder: &Path, id: &RecordId, at: Bookmark) -> Result<Option<Record>, ReadProblem> {
    let failed = |error| ReadProblem::of(folder, error);
    let mut lines = Backward::from(folder, Some((at.segment, at.end))).map_err(failed)?;
    let line = lines.next_line().map_err(failed)?;
    let is_there = lines.ended == Some((at.segment, at.end));
    let record = line
        .filter(|_| is_there)
        .and_then(|line| serde_json::from_slice::<Record>(&line).ok());
    Ok(record.filter(|record| record.id == *id))
}

/// All lines of the flow `id`, looked for from when it began on, within `bytes`.
pub fn lines_of(folder: &Path, id: &RecordId, bytes: u64) -> Result<Lines, ReadProblem> {
    let Some(began) = id.began() else {
        return Ok(Lines::default());
    };
    let failed = |error| ReadProblem::of(folder, error);
    let mut lines = Lines::default();
    let (mut left, mut place) = (bytes, Some(before(folder, began.minus(SLACK)).map_err(failed)?));
    let needle = format!("\"id\":\"{id}\"");
    while let Some((segment, start)) = place.take() {
        let Some(file) = folder::lines(folder, segment).map_err(failed)? else {
            break;
        };
        let (found, read) = lines_with(file, start, &needle, left).map_err(failed)?;
        let found = found
            .iter()
            .filter_map(|line| serde_json::from_slice::<Record>(line).ok());
        lines.records.extend(found.filter(|record| record.id == *id));
        left = left.saturating_sub(read);
        let mut records = lines.records.iter();
        let is_over = records.any(|record| matches!(record.act, Act::Closing { .. } | Act::Stray { .. }));
        lines.cut_short = left == 0 && !is_over;
        if left > 0 && !is_over {
            place = Some((segment.next(), 0));
        }
    }
    Ok(lines)
}

/// The lines that hold `needle`, from `start` on; how many bytes were read, at most `bytes` and a line.
fn lines_with(file: File, start: u64, needle: &str, bytes: u64) -> io::Result<(Vec<Vec<u8>>, u64)> {
    let needle = regex::bytes::Regex::new(&regex::escape(needle)).map_err(io::Error::other)?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    io::Seek::seek(&mut reader, io::SeekFrom::Start(start))?;
    let (mut found, mut read, mut line) = (Vec::new(), 0, Vec::new());
    while read < bytes && reader.read_until(b'\n', &mut line)? > 0 {
        read += u64::try_from(line.len()).unwrap_or(u64::MAX);
        if line.pop_if(|byte| *byte == b'\n').is_some() && needle.is_match(&line) {
            found.push(std::mem::take(&mut line));
        }
        line.clear();
    }
    Ok((found, read))
}

fn is_decision(record: &Record) -> bool {
    match &record.act {
        Act::Closing { decided, .. } => decided.is_some(),
        Act::Opening { .. }
        | Act::Stray { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Access { .. }
        | Act::Gateway { .. } => false,
    }
}

/// What tells when a line was written.
#[derive(Deserialize)]
struct Glance<'a> {
    at: Timestamp,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(default)]
    ended: Option<Lasted>,
}

#[derive(Deserialize)]
struct Lasted {
    #[serde(default)]
    duration_ms: u64,
    #[serde(default)]
    end: Option<End>,
}

impl Glance<'_> {
    /// When what it tells was over, which is when it was written; none where it does not tell that.
    fn ended(&self) -> Option<Timestamp> {
        let lasted = match (&*self.kind, &self.ended) {
            ("opening", _) => return None,
            (_, Some(ended)) if ended.duration_ms == 0 && ended.end == Some(End::Abandoned) => return None,
            (_, ended) => ended.as_ref().map_or(0, |ended| ended.duration_ms),
        };
        Some(self.at.plus(Duration::from_millis(lasted)))
    }
}

/// A place before which nothing ended after `moment`, as near to it as halving comes: where lines begin.
fn before(folder: &Path, moment: Timestamp) -> io::Result<(Segment, u64)> {
    let Some((segment, file)) = holding(folder, moment)? else {
        return Ok((Segment::FIRST, 0));
    };
    let (early, _) = halve(&file, moment)?;
    let start = if early == 0 { 0 } else { next_line(&file, early)? };
    Ok((segment, start))
}

/// A place after which nothing ended before `moment`; none at the end of the book.
fn after(folder: &Path, moment: Timestamp) -> io::Result<Option<(Segment, u64)>> {
    let Some((segment, file)) = holding(folder, moment)? else {
        return Ok(Some((Segment::FIRST, 0)));
    };
    let (_, late) = halve(&file, moment)?;
    Ok(Some((segment, next_line(&file, late)?)))
}

/// The last segment from which on the first line that tells it is from before `moment`.
fn holding(folder: &Path, moment: Timestamp) -> io::Result<Option<(Segment, File)>> {
    let listed = folder::list(folder)?.segments.into_iter();
    let segments: Vec<Segment> = listed
        .filter(|(_, (has_lines, _))| *has_lines)
        .map(|(segment, _)| segment)
        .collect();
    let mut trouble = None;
    let is_before = |segment: &Segment| {
        // one that tells nothing is passed over, or halving would stop at it: where the next one tells, so would it
        let from_here = segments.iter().skip_while(|other| *other < segment);
        let first = first_told(folder, from_here).unwrap_or_else(|error| {
            trouble = Some(error);
            None
        });
        first.is_some_and(|first| first < moment)
    };
    let number = segments.partition_point(is_before);
    if let Some(error) = trouble {
        return Err(error);
    }
    let Some(segment) = number.checked_sub(1).and_then(|last| segments.get(last)) else {
        return Ok(None);
    };
    Ok(folder::lines(folder, *segment)?.map(|file| (*segment, file)))
}

/// When that ended which the first line tells that does, in the first of these segments that has one.
fn first_told<'s>(folder: &Path, segments: impl Iterator<Item = &'s Segment>) -> io::Result<Option<Timestamp>> {
    for segment in segments {
        let Some(file) = folder::lines(folder, *segment)? else {
            continue;
        };
        let told = ended_behind(&file, 0)?;
        if told.is_some() {
            return Ok(told);
        }
    }
    Ok(None)
}

/// Two offsets: what stands before the first ended before `moment`, what stands behind the second after it.
fn halve(file: &File, moment: Timestamp) -> io::Result<(u64, u64)> {
    let (mut early, mut late) = (0, file.metadata()?.len());
    while late - early > SHORT {
        let middle = early + (late - early) / 2;
        let line = next_line(file, middle)?;
        match ended_behind(file, line)? {
            Some(ended) if ended < moment => early = middle,
            Some(_) => late = middle,
            // nothing tells the time from here on: as near as it can be told
            None => break,
        }
    }
    Ok((early, late))
}

/// Where the first line begins behind `offset`; the end of the file where there is none.
fn next_line(file: &File, offset: u64) -> io::Result<u64> {
    let mut at = offset;
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = file.read_at(&mut piece, at)?;
        let here = piece.get(..read).unwrap_or_default();
        if let Some(newline) = here.iter().position(|byte| *byte == b'\n') {
            return Ok(at + u64::try_from(newline).unwrap_or(u64::MAX) + 1);
        }
        if read == 0 {
            return Ok(at);
        }
        at += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

/// When that ended which the first line tells that does, of those from `offset` on; none where none does.
fn ended_behind(file: &File, offset: u64) -> io::Result<Option<Timestamp>> {
    let mut start = offset;
    loop {
        let end = next_line(file, start)?;
        if end == start {
            return Ok(None);
        }
        let mut line = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut line, start)?;
        let told = serde_json::from_slice::<Glance>(&line);
        if let Some(ended) = told.ok().and_then(|glance| glance.ended()) {
            return Ok(Some(ended));
        }
        start = end;
    }
}
