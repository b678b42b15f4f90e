//! Steps through a segment's lines and reads its seal: what a proof and a start have in common.

use std::fmt;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use super::chain::{Chain, Link};
use super::folder;
use super::seal::{SealKey, Signed};
use super::segment::Segment;

/// Where seals' public key lies, for whoever verifies.
pub(super) const PUBLIC_KEY: &str = "seal.pub";

/// The first place where a book does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Broken {
    /// The file, by its name in the folder.
    pub file: String,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// Why it does not hold.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "`{}`: {}", self.file, self.why),
            line => write!(out, "`{}`, line {line}: {}", self.file, self.why),
        }
    }
}

impl Broken {
    pub(super) fn file(file: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            why: why.into(),
        }
    }

    pub(super) fn unreadable(file: impl Into<String>, error: &std::io::Error) -> Self {
        Self::file(file, format!("it cannot be read: {error}"))
    }
}

/// Reads the seal of a segment and checks its signature.
pub(super) fn seal_of(folder: &Path, segment: Segment, key: &SealKey) -> Result<Signed, Broken> {
    let name = segment.seal();
    let text = folder::content(folder, &name)
        .map_err(|e| Broken::unreadable(&name, &e))?
        .ok_or_else(|| Broken::file(&name, "the seal is missing"))?;
    let signed: Signed = serde_json::from_str(&text).map_err(|e| Broken::file(&name, format!("it is no seal: {e}")))?;
    if signed.seal.segment != segment.lines() {
        let why = format!("it is the seal of `{}`", signed.seal.segment.escape_debug());
        return Err(Broken::file(name, why));
    }
    if !key.verifies(&signed) {
        return Err(Broken::file(
            name,
            format!("its signature is not by the key of `{PUBLIC_KEY}`: the seal or the key was changed"),
        ));
    }
    Ok(signed)
}

/// Where the chain stands after a sealed segment.
pub(super) fn after(signed: &Signed) -> Chain {
    Chain {
        next: signed.seal.last.saturating_add(1),
        head: signed.seal.head.clone(),
    }
}

/// A segment up to where its lines hold together.
pub(super) struct Walked {
    pub(super) from: Chain,
    pub(super) chain: Chain,
    /// Bytes of its whole lines.
    pub(super) bytes: u64,
    /// Bytes after its last newline.
    pub(super) unfinished_bytes: u64,
    /// The first line that does not fit, and whether it holds blocks that were never written.
    broken: Option<(Broken, bool)>,
}

impl Walked {
    /// The same, if every line of it fits.
    pub(super) fn whole(self) -> Result<Self, Broken> {
        match self.broken {
            None => Ok(self),
            Some((broken, _)) => Err(broken),
        }
    }

    /// Whether it ends at a hole: bytes that the file system counts, and that never reached the disk.
    pub(super) fn is_holed(&self) -> bool {
        self.broken.as_ref().is_some_and(|(_, holed)| *holed)
    }

    /// How many lines it has.
    pub(super) fn lines(&self) -> u64 {
        self.chain.next.saturating_sub(self.from.next)
    }

    /// Whether a sealed segment is what its seal says, and only the last one is open.
    pub(super) fn must_be_finished(
        &self,
        segment: Segment,
        seal: Option<&Signed>,
        is_last: bool,
    ) -> Result<(), Broken> {
        let broken = |line: u64, why: String| Broken {
            file: segment.lines(),
            line,
            why,
        };
        let Some(Signed { seal, .. }) = seal else {
            if is_last {
                return Ok(());
            }
            return Err(Broken::file(
                segment.seal(),
                "the seal is missing, but a later segment is here",
            ));
        };
        if self.from.next != seal.first || self.from.head != seal.prev {
            return Err(broken(1, "it does not begin where its seal says".to_owned()));
        }
        let lines = self.lines();
        if lines < seal.count || self.chain.next.saturating_sub(1) < seal.last {
            let why = format!(
                "the end is missing: the seal counts {} lines, here are {lines}",
                seal.count
            );
            return Err(broken(lines + 1, why));
        }
        if lines > seal.count || self.unfinished_bytes > 0 {
            let why = format!("it was added after the segment was sealed with {} lines", seal.count);
            return Err(broken(seal.count + 1, why));
        }
        if self.chain.head != seal.head {
            return Err(broken(
                lines,
                "it is not the last line that was sealed: it was changed".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Steps through the lines of a segment, showing each that fits to `each`; stops at the first that does not.
///
/// `from` is where the chain stood before; none trusts the first line, because the segments before it are gone.
pub(super) fn walk(
    folder: &Path,
    segment: Segment,
    from: Option<Chain>,
    mut each: impl FnMut(&[u8]),
) -> Result<Walked, Broken> {
    let unreadable = |e: &std::io::Error| Broken::unreadable(segment.lines(), e);
    let file = folder::lines(folder, segment)
        .map_err(|e| unreadable(&e))?
        .ok_or_else(|| Broken::file(segment.lines(), "the segment is missing"))?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut from = match (from, segment) {
        (Some(chain), _) => Some(chain),
        (None, Segment::FIRST) => Some(Chain::start()),
        (None, _) => None,
    };
    let mut chain = from.clone();
    let (mut bytes, mut number) = (0, 0);
    let mut line = Vec::new();
    loop {
        let (read, whole, has_an_end) = next_line(&mut reader, &mut line).map_err(|e| unreadable(&e))?;
        if !whole && has_an_end {
            let start = chain.unwrap_or_else(Chain::start);
            return Ok(Walked {
                from: from.unwrap_or_else(|| start.clone()),
                chain: start,
                bytes,
                unfinished_bytes: u64::try_from(read).unwrap_or(u64::MAX),
                broken: None,
            });
        }
        number += 1;
        if chain.is_none() {
            chain = Link::of(&line).map(|link| Chain {
                next: link.seq,
                head: link.prev,
            });
            from.clone_from(&chain);
        }
        let known = chain.get_or_insert_with(Chain::start);
        let fits = if has_an_end {
            known.check(&line)
        } else {
            Err(format!("it is longer than {LONGEST_LINE} bytes, which no record is"))
        };
        if let Err(why) = fits {
            let file = segment.lines();
            let broken = Broken {
                file,
                line: number,
                why,
            };
            return Ok(Walked {
                from: from.unwrap_or_else(|| known.clone()),
                chain: known.clone(),
                bytes,
                unfinished_bytes: 0,
                broken: Some((broken, has_an_end && is_holed(&line, bytes))),
            });
        }
        each(&line);
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

/// Reads a line: how many bytes that are, whether it is whole, and whether it, or the file, has an end before it is too long.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<(usize, bool, bool)> {
    line.clear();
    let mut piece = reader.take(LONGEST_LINE);
    let read = piece.read_until(b'\n', line)?;
    let whole = line.pop_if(|byte| *byte == b'\n').is_some();
    Ok((read, whole, whole || piece.limit() > 0))
}

/// No line is longer. What a flow says of itself has its bounds, and nothing else is written: [`LONGEST_RECORD`].
const LONGEST_LINE: u64 = 16 * 1024 * 1024;
/// The longest record that is written, in bytes. Its line ends with the chain's sum, which takes far less than what is left.
pub(super) const LONGEST_RECORD: usize = 15 * 1024 * 1024;

/// The smallest piece that a disk writes or does not.
const BLOCK: u64 = 512;

/// Whether a line that begins at the offset `at` holds NUL bytes as a power loss leaves them, and no others: where whole
/// blocks never reached the disk, from where the last write began. Any other NUL was put there.
fn is_holed(line: &[u8], at: u64) -> bool {
    let offset = |index: usize| at.saturating_add(u64::try_from(index).unwrap_or(u64::MAX));
    let mut begin = 0;
    let mut runs = line.chunk_by(|a, b| (*a == 0) == (*b == 0)).filter_map(|run| {
        let from = begin;
        begin += run.len();
        (run.first() == Some(&0)).then_some((from, begin))
    });
    let whole_blocks = |(from, to): (usize, usize)| {
        (from == 0 || offset(from).is_multiple_of(BLOCK)) && offset(to).is_multiple_of(BLOCK)
    };
    line.contains(&0) && runs.all(whole_blocks)
}
