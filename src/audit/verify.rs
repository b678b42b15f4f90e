//! Does the book hold? Proves the chain and the seals, or names the first line that breaks them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::chain::{Chain, Hash, Link};
use super::folder::{self, Listing};
use super::seal::{SealKey, Signed};
use super::segment::Segment;
use super::walk::{Broken, PUBLIC_KEY, Walked, after, seal_of, walk};

/// What is known of a book from elsewhere: a book cannot vouch for itself, because whoever can write into its folder
/// can put another book there, with another key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The public key of the seals, in PEM.
    pub key: Option<String>,
    /// A line that was there.
    pub head: Option<Landmark>,
}

/// The number of a line and its hash, written `NUMBER:HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landmark {
    /// The number.
    pub seq: u64,
    /// The hash.
    pub hash: Hash,
}

impl FromStr for Landmark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (seq, hash) = text
            .split_once(':')
            .ok_or("write NUMBER:HASH, as `records verify` prints it")?;
        let seq = seq.parse().ok().filter(|seq| *seq > 0);
        Ok(Self {
            seq: seq.ok_or("the number of a line is 1 or more")?,
            hash: hash.to_owned().try_into()?,
        })
    }
}

impl fmt::Display for Landmark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.seq, self.hash)
    }
}

/// What was proved of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many segments were read.
    pub segments: u64,
    /// How many of them are sealed.
    pub sealed: u64,
    /// How many lines they hold.
    pub lines: u64,
    /// The number of the first line; above 1 where earlier segments were removed in order.
    pub first: u64,
    /// The last line; none where there is none. Whoever noted it elsewhere can tell whether the end is missing.
    pub head: Option<Landmark>,
    /// The SHA-256 of the key that the seals are by, as `openssl pkey -pubin -outform der | sha256sum` has it.
    pub key: Option<Hash>,
    /// Bytes of an unfinished last line: being written, or torn and repaired at the next start.
    pub unfinished_bytes: u64,
    /// Torn ends that earlier starts set aside.
    pub torn: u64,
}

/// Proves that the book in `folder` holds together. A gateway may go on writing meanwhile.
pub fn verify(folder: &Path) -> Result<Verified, Broken> {
    verify_known(folder, &Known::default())
}

/// Proves that the book in `folder` holds together, and that it is the one that is `known`.
pub fn verify_known(folder: &Path, known: &Known) -> Result<Verified, Broken> {
    let listing = folder::list(folder).map_err(|e| Broken::unreadable(folder.to_string_lossy(), &e))?;
    let key = public_key(folder, &listing, known)?;
    if listing.segments.is_empty() && (key.is_some() || known.head.is_some()) {
        return Err(Broken::file(
            Segment::FIRST.lines(),
            "there is no segment at all: the records were removed",
        ));
    }
    let mut proof = Proof {
        folder,
        last: listing.segments.keys().next_back().copied(),
        key: key.as_ref(),
        before: None,
        sought: known.head.as_ref(),
        verified: Verified {
            segments: 0,
            sealed: 0,
            lines: 0,
            first: 1,
            head: None,
            key: key.as_ref().map(SealKey::fingerprint),
            unfinished_bytes: 0,
            torn: listing.torn,
        },
    };
    for (&segment, &(has_lines, has_seal)) in &listing.segments {
        proof.step(segment, has_lines, has_seal)?;
    }
    proof.end()
}

/// A proof on its way through the segments.
struct Proof<'a> {
    folder: &'a Path,
    last: Option<Segment>,
    key: Option<&'a SealKey>,
    /// The segment before, and where the chain stood after it.
    before: Option<(Segment, Chain)>,
    /// The line that must be there, until it is found.
    sought: Option<&'a Landmark>,
    verified: Verified,
}

impl Proof<'_> {
    fn step(&mut self, segment: Segment, has_lines: bool, has_seal: bool) -> Result<(), Broken> {
        if let Some((missing, _)) = self.before.as_ref().filter(|(former, _)| former.next() != segment) {
            return Err(Broken::file(missing.next().lines(), "the segment is missing"));
        }
        // a gateway may have sealed this one while the folder was being listed: an older segment has its seal by now
        let must_be_sealed = has_seal || Some(segment) != self.last;
        let seal = match self.key {
            Some(key) if must_be_sealed => Some(seal_of(self.folder, segment, key)?),
            Some(_) | None => None,
        };
        let chain = if has_lines {
            self.lines(segment, seal.as_ref())?
        } else {
            self.seal_alone(segment, seal.as_ref())?
        };
        self.before = Some((segment, chain));
        Ok(())
    }

    fn lines(&mut self, segment: Segment, seal: Option<&Signed>) -> Result<Chain, Broken> {
        let from = self.before.as_ref().map(|(_, chain)| chain.clone());
        let mut found = None;
        let sought = self.sought.map(|head| head.seq);
        let walked = walk(self.folder, segment, from, |line| {
            if sought.is_some() && Link::of(line).map(|link| link.seq) == sought {
                found = Some(Hash::of(line));
            }
        })?
        .whole()?;
        walked.must_be_finished(segment, seal, Some(segment) == self.last)?;
        if let Some(hash) = found {
            let line = sought.unwrap_or_default().saturating_sub(walked.from.next) + 1;
            self.meets(&segment.lines(), line, &hash)?;
        }
        self.verified.count(&walked, seal.is_some());
        Ok(walked.chain)
    }

    /// The oldest lines may be archived elsewhere, in order; the chain goes on through the seals that they left.
    fn seal_alone(&mut self, segment: Segment, seal: Option<&Signed>) -> Result<Chain, Broken> {
        let missing = |why| Broken::file(segment.lines(), why);
        if self.verified.segments > 0 || Some(segment) == self.last {
            return Err(missing("its seal is here, but its lines are missing"));
        }
        let Some(signed) = seal else {
            return Err(missing("its lines are missing"));
        };
        let first = (segment == Segment::FIRST).then(Chain::start);
        let from = self.before.as_ref().map(|(_, chain)| chain.clone()).or(first);
        if from.is_some_and(|from| from.next != signed.seal.first || from.head != signed.seal.prev) {
            let why = "it does not go on where the segment before it ends";
            return Err(Broken::file(segment.seal(), why));
        }
        if self.sought.is_some_and(|head| head.seq == signed.seal.last) {
            self.meets(&segment.seal(), 0, &signed.seal.head)?;
        }
        Ok(after(signed))
    }

    /// The line that is sought is here; it must be the same.
    fn meets(&mut self, file: &str, line: u64, hash: &Hash) -> Result<(), Broken> {
        match self.sought.take().filter(|head| head.hash != *hash) {
            None => Ok(()),
            Some(head) => Err(Broken {
                file: file.to_owned(),
                line,
                why: format!("line number {} is not the one that was noted elsewhere", head.seq),
            }),
        }
    }

    fn end(self) -> Result<Verified, Broken> {
        let Some(head) = self.sought else {
            return Ok(self.verified);
        };
        let (file, next) = self.before.map_or((Segment::FIRST.lines(), 1), |(segment, chain)| {
            (segment.lines(), chain.next)
        });
        let last = next.saturating_sub(1);
        let why = if head.seq > last {
            format!(
                "the end is missing: line number {} was noted elsewhere, the last one here is {last}",
                head.seq
            )
        } else {
            format!("line number {} was noted elsewhere and is no longer here", head.seq)
        };
        Err(Broken::file(file, why))
    }
}

impl Verified {
    fn count(&mut self, walked: &Walked, sealed: bool) {
        if self.segments == 0 {
            self.first = walked.from.next;
        }
        self.segments += 1;
        self.sealed += u64::from(sealed);
        self.lines += walked.lines();
        self.head = Some(walked.chain.next.saturating_sub(1))
            .filter(|seq| *seq > 0)
            .map(|seq| Landmark {
                seq,
                hash: walked.chain.head.clone(),
            });
        self.unfinished_bytes = walked.unfinished_bytes;
    }

    /// The number of the last line; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.seq)
    }
}

fn public_key(folder: &Path, listing: &Listing, known: &Known) -> Result<Option<SealKey>, Broken> {
    let bad = |why: String| Broken::file(PUBLIC_KEY, why);
    let content = folder::content(folder, PUBLIC_KEY).map_err(|e| Broken::unreadable(PUBLIC_KEY, &e))?;
    let here = content.map(|pem| SealKey::from_pem(&pem)).transpose().map_err(bad)?;
    let known = known.key.as_deref().map(SealKey::from_pem).transpose();
    let known = known.map_err(|why| Broken::file("the key that was named", why))?;
    match (known, here) {
        (Some(known), Some(here)) if known != here => Err(bad("it is not the key that was named".to_owned())),
        (Some(key), _) | (None, Some(key)) => Ok(Some(key)),
        (None, None) if listing.segments.is_empty() => Ok(None),
        (None, None) => Err(bad(
            "the public key of the seals is missing; put your copy of it back, or name it".to_owned(),
        )),
    }
}
