//! Reads the book from its end: the newest line first.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::folder;
use super::segment::Segment;

/// How much is read at once.
const PIECE: u64 = 256 * 1024;

/// Lines of a book, the newest first.
pub(super) struct Backward<'a> {
    folder: &'a Path,
    /// Those that have not been begun, the newest last.
    segments: Vec<Segment>,
    current: Option<Current>,
    /// How many bytes came from the disk.
    pub(super) read: u64,
    /// Where the line that was given last ends.
    pub(super) ended: Option<(Segment, u64)>,
}

/// A segment that is being read. What is left of it ends where the buffer does: after a newline.
struct Current {
    segment: Segment,
    file: File,
    /// Where in the file the buffer begins.
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Backward<'a> {
    /// From the end of the book on, or from that offset in that segment.
    pub(super) fn from(folder: &'a Path, place: Option<(Segment, u64)>) -> io::Result<Self> {
        let listed = folder::list(folder)?.segments.into_iter();
        let has_lines = listed.filter(|(_, (has_lines, _))| *has_lines);
        let segments = has_lines.map(|(segment, _)| segment);
        let segments = segments.filter(|segment| place.is_none_or(|(last, _)| *segment <= last));
        let mut backward = Self {
            folder,
            segments: segments.collect(),
            current: None,
            read: 0,
            ended: None,
        };
        if let Some((segment, end)) = place
            && backward.segments.pop_if(|last| *last == segment).is_some()
        {
            backward.begin(segment, Some(end))?;
        }
        Ok(backward)
    }

    /// The next older line, without its newline; none at the beginning of the book.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(segment) = self.segments.pop() else {
                    return Ok(None);
                };
                self.begin(segment, None)?;
                continue;
            };
            let end = current.end();
            if let Some(line) = current.take() {
                self.ended = Some((current.segment, end));
                return Ok(Some(line));
            }
            if current.start == 0 {
                self.current = None;
            } else {
                self.read += current.fill()?;
            }
        }
    }

    /// Where the lines end that were not given yet; none at the beginning of the book.
    pub(super) fn place(&self) -> Option<(Segment, u64)> {
        let here = self.current.as_ref().map(|current| (current.segment, current.end()));
        let before = self.segments.last().map(|segment| (*segment, u64::MAX));
        here.filter(|(_, end)| *end > 0).or(before)
    }

    fn begin(&mut self, segment: Segment, end: Option<u64>) -> io::Result<()> {
        let Some(file) = folder::lines(self.folder, segment)? else {
            return Ok(());
        };
        let length = file.metadata()?.len();
        let mut current = Current {
            segment,
            file,
            start: end.unwrap_or(length).min(length),
            buffer: Vec::new(),
        };
        // what is just being written, or was torn, has no newline yet
        while current.start > 0 && current.buffer.is_empty() {
            self.read += current.fill()?;
            let whole = current.buffer.iter().rposition(|byte| *byte == b'\n');
            current.buffer.truncate(whole.map_or(0, |last| last + 1));
        }
        self.current = Some(current);
        Ok(())
    }
}

impl Current {
    fn end(&self) -> u64 {
        self.start + u64::try_from(self.buffer.len()).unwrap_or(u64::MAX)
    }

    /// The last line of the buffer, where its beginning is known.
    fn take(&mut self) -> Option<Vec<u8>> {
        let last = self.buffer.len().checked_sub(1)?;
        let before = self.buffer.iter().take(last).rposition(|byte| *byte == b'\n');
        let from = match before {
            Some(newline) => newline + 1,
            None if self.start == 0 => 0,
            None => return None,
        };
        let mut line = self.buffer.split_off(from);
        line.pop();
        Some(line)
    }

    /// Reads the piece before the buffer; says how long it is.
    fn fill(&mut self) -> io::Result<u64> {
        let piece = self.start.min(PIECE);
        let mut buffer = vec![0; usize::try_from(piece).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut buffer, self.start - piece)?;
        buffer.append(&mut self.buffer);
        self.buffer = buffer;
        self.start -= piece;
        Ok(piece)
    }
}
