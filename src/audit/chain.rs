//! The hash chain: each line names its number and the SHA-256 of the line before. Pure.
//!
//! A line is one JSON object that begins `{"seq":N,"prev":"…",` and goes on with the record's own fields. `prev` is the
//! hash of the previous line's exact bytes without the newline, also across segments; the first line of the first
//! segment has 64 zeros. So nobody can change, remove, insert or swap a line without changing every line after it.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::facts::hex;

/// A SHA-256 hash as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(String);

impl Hash {
    /// What the very first line has for a predecessor.
    pub(super) fn zero() -> Self {
        Self("0".repeat(64))
    }

    /// The hash of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(hex(digest::digest(&digest::SHA256, bytes).as_ref()))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (text.len() == 64 && digits).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{}` is not a SHA-256 hash", text.escape_debug()))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

/// Where a chain stands: the next line's number, and what its `prev` must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) next: u64,
    pub(super) head: Hash,
}

impl Chain {
    /// Before the first line of all.
    pub(super) fn start() -> Self {
        Self {
            next: 1,
            head: Hash::zero(),
        }
    }

    /// Appends the line for `record`, a JSON object, and its newline to `out`.
    pub(super) fn append(&mut self, record: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(format!("{{\"seq\":{},\"prev\":\"{}\"", self.next, self.head).as_bytes());
        match record.strip_prefix(b"{") {
            None | Some(b"}") => out.push(b'}'),
            Some(fields) => {
                out.push(b',');
                out.extend_from_slice(fields);
            }
        }
        self.head = Hash::of(out.get(from..).unwrap_or_default());
        self.next += 1;
        out.push(b'\n');
    }

    /// Steps over `line` (without its newline), or says why it is not the next line.
    pub(super) fn check(&mut self, line: &[u8]) -> Result<(), String> {
        let Some(hung) = Link::of(line) else {
            return Err("it is not a line of the book: it must begin with `seq` and `prev`".to_owned());
        };
        if hung.prev != self.head && self.next == 1 {
            return Err(
                "its `prev` names a line before it, and the first line has none: one was removed before it, or it \
                        was changed"
                    .to_owned(),
            );
        }
        if hung.prev != self.head {
            return Err(format!(
                "its `prev` is not the hash of the line before it, number {}: one of the two was changed, or a line \
                 was removed, inserted or moved",
                self.next.saturating_sub(1)
            ));
        }
        if hung.seq != self.next {
            return Err(format!("its number is {}, but {} comes next", hung.seq, self.next));
        }
        serde_json::from_slice::<serde::de::IgnoredAny>(line).map_err(|e| format!("it is not JSON: {e}"))?;
        self.head = Hash::of(line);
        self.next += 1;
        Ok(())
    }
}

/// How a line hangs in the chain.
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: Hash,
}

impl Link {
    /// Reads the beginning of a line, which has exactly one spelling.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let (seq, rest) = text.strip_prefix("{\"seq\":")?.split_once(',')?;
        let (prev, _) = rest.strip_prefix("\"prev\":\"")?.split_once('"')?;
        let plain = seq.bytes().all(|b| b.is_ascii_digit()) && (seq == "0" || !seq.starts_with('0'));
        Some(Self {
            seq: plain.then(|| seq.parse().ok())??,
            prev: Hash::parse(prev)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn book(records: &[String]) -> Vec<Vec<u8>> {
        let mut chain = Chain::start();
        records
            .iter()
            .map(|text| {
                let mut line = Vec::new();
                let json = serde_json::to_vec(&serde_json::json!({ "text": text })).unwrap();
                chain.append(&json, &mut line);
                assert_eq!(line.pop(), Some(b'\n'));
                line
            })
            .collect()
    }

    /// The index of the first line that does not fit.
    fn broken_at(lines: &[Vec<u8>]) -> Option<usize> {
        let mut chain = Chain::start();
        lines.iter().position(|line| chain.check(line).is_err())
    }

    #[test]
    fn a_line_is_the_record_with_its_number_and_its_predecessor_in_front() {
        let lines = book(&["one".to_owned(), "two".to_owned()]);
        assert_eq!(
            String::from_utf8_lossy(&lines[0]),
            format!(r#"{{"seq":1,"prev":"{}","text":"one"}}"#, "0".repeat(64))
        );
        assert_eq!(
            String::from_utf8_lossy(&lines[1]),
            format!(r#"{{"seq":2,"prev":"{}","text":"two"}}"#, Hash::of(&lines[0]))
        );
    }

    #[test]
    fn a_known_text_has_its_known_hash() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::of(b"abc").as_str(), known);
    }

    #[test]
    fn a_record_without_fields_is_still_one_object() {
        let mut line = Vec::new();
        Chain::start().append(b"{}", &mut line);
        line.pop();
        assert_eq!(Chain::start().check(&line), Ok(()));
    }

    #[test]
    fn a_number_has_one_spelling() {
        let zeros = "0".repeat(64);
        for seq in ["01", "+1", "1.0", " 1", ""] {
            assert!(Link::of(format!(r#"{{"seq":{seq},"prev":"{zeros}"}}"#).as_bytes()).is_none());
        }
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("\\PC{0,20}", 2..12)
    }

    proptest! {
        #[test]
        fn an_untouched_book_holds(records in texts()) {
            prop_assert_eq!(broken_at(&book(&records)), None);
        }

        #[test]
        fn a_changed_byte_shows_at_its_line_or_the_next(
            records in texts(), line in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), mask in 1u8..,
        ) {
            let mut lines = book(&records);
            // a chain cannot vouch for its last line: that is what the seal is for
            let line = line.index(lines.len() - 1);
            let at = at.index(lines[line].len());
            lines[line][at] ^= mask;
            let broken = broken_at(&lines);
            prop_assert!(broken == Some(line) || broken == Some(line + 1), "{:?}", broken);
        }

        #[test]
        fn a_removed_line_shows_at_the_one_after_it(records in texts(), line in any::<prop::sample::Index>()) {
            let mut lines = book(&records);
            let line = line.index(lines.len() - 1);
            lines.remove(line);
            prop_assert_eq!(broken_at(&lines), Some(line));
        }

        #[test]
        fn swapped_lines_show_at_the_first(
            records in texts(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
        ) {
            let mut lines = book(&records);
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            prop_assume!(one != other);
            lines.swap(one, other);
            prop_assert_eq!(broken_at(&lines), Some(one.min(other)));
        }

        #[test]
        fn a_repeated_line_shows(records in texts(), line in any::<prop::sample::Index>()) {
            let mut lines = book(&records);
            let line = line.index(lines.len());
            let again = lines[line].clone();
            lines.insert(line, again);
            prop_assert_eq!(broken_at(&lines), Some(line + 1));
        }
    }
}
