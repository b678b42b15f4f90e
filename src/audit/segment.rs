//! Segments: the names of the book's files. Pure.

use std::fmt;

/// The number of a segment, from 1; its files are `records-00000001.jsonl` and `records-00000001.seal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment(pub(super) u64);

impl Segment {
    /// The first segment of a book.
    pub(super) const FIRST: Self = Self(1);

    /// The segment after this one.
    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The file of its lines.
    pub(super) fn lines(self) -> String {
        format!("{self}.jsonl")
    }

    /// The file of its seal.
    pub(super) fn seal(self) -> String {
        format!("{self}.seal")
    }

    /// The file of the `nth` torn end that was cut off, from 1.
    pub(super) fn torn(self, nth: u32) -> String {
        if nth <= 1 {
            format!("{self}.torn")
        } else {
            format!("{self}.{nth}.torn")
        }
    }

    /// The segment whose lines the file `name` holds, if it is such a file.
    pub(super) fn of_lines(name: &str) -> Option<Self> {
        Self::of(name.strip_suffix(".jsonl")?)
    }

    /// The segment whose seal the file `name` is, if it is such a file.
    pub(super) fn of_seal(name: &str) -> Option<Self> {
        Self::of(name.strip_suffix(".seal")?)
    }

    fn of(stem: &str) -> Option<Self> {
        let number = stem.strip_prefix("records-")?;
        let segment = Self(number.parse().ok()?);
        (segment.to_string() == stem && segment.0 > 0).then_some(segment)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "records-{:08}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_known_by_its_exact_name_only() {
        assert_eq!(Segment::of_lines("records-00000012.jsonl"), Some(Segment(12)));
        assert_eq!(Segment::of_lines("records-123456789.jsonl"), Some(Segment(123_456_789)));
        for other in [
            "records-12.jsonl",
            "records-00000000.jsonl",
            "records-00000012.seal",
            "records-+0000012.jsonl",
            "seal.key",
        ] {
            assert_eq!(Segment::of_lines(other), None, "{other}");
        }
        assert_eq!(Segment::of_seal(&Segment(7).seal()), Some(Segment(7)));
    }

    #[test]
    fn torn_ends_do_not_overwrite_each_other() {
        assert_eq!(Segment(3).torn(1), "records-00000003.torn");
        assert_eq!(Segment(3).torn(2), "records-00000003.2.torn");
    }
}
