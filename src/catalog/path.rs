//! Paths in a form that can be compared, and globs over them.
//!
//! Two servers may understand one path in two ways (`//`, `/../`, `%2F`, `;x`). Such a path is *ambiguous*: it is read
//! both as it stands and as it would be resolved, and never the milder way.

use std::borrow::Cow;

pub(super) use super::segments::Segments;
use super::segments::{MOST_SEGMENTS, pieces};

/// What stands in a kept path for a credential; globs take it for what it stands for.
const STAND_IN: &str = "***";

/// A path as it may be understood.
#[derive(Debug)]
pub(super) struct Spelling<'p> {
    /// As it stands, with harmless percent-encodings decoded (RFC 3986 §6.2.2).
    pub(super) plain: Cow<'p, str>,
    /// With everything resolved that some server resolves; only for an ambiguous path.
    pub(super) resolved: Option<String>,
}

impl<'p> Spelling<'p> {
    pub(super) fn of(path: &'p str) -> Self {
        let odd = |b: u8| !b.is_ascii_graphic() || matches!(b, b'%' | b';' | b'\\' | b'?' | b'#');
        let simple = path.starts_with('/') && !path.bytes().any(odd) && !has_odd_segments(path);
        if simple {
            return Self {
                plain: Cow::Borrowed(path),
                resolved: None,
            };
        }
        let (plain, clean) = decode_harmless(path);
        let ambiguous = !clean || has_odd_segments(&plain);
        Self {
            resolved: ambiguous.then(|| resolve(path)),
            plain: Cow::Owned(plain),
        }
    }

    /// Whether two servers could understand the path in two ways.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.resolved.is_some()
    }

    /// The ways to understand it, taken apart.
    pub(super) fn paths(&self) -> Paths<'_> {
        Paths {
            plain: Segments::of(&self.plain),
            resolved: self.resolved.as_deref().map(Segments::of),
        }
    }
}

/// The ways to understand a path, taken apart once for all globs that it is compared with.
#[derive(Debug)]
pub(super) struct Paths<'p> {
    /// As it stands.
    pub(super) plain: Segments<'p>,
    /// As some server resolves it; only for an ambiguous path.
    resolved: Option<Segments<'p>>,
}

impl<'p> Paths<'p> {
    /// Whether two servers could understand the path in two ways.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.resolved.is_some()
    }

    /// The ways to understand it.
    pub(super) fn all(&self) -> impl Iterator<Item = &Segments<'p>> {
        std::iter::once(&self.plain).chain(&self.resolved)
    }
}

/// The path as a server would resolve it: for rules that look at it.
pub(super) fn resolved(path: &str) -> Cow<'_, str> {
    let spelling = Spelling::of(path);
    spelling.resolved.map_or(spelling.plain, Cow::Owned)
}

/// Whether a path has empty or dot segments (a slash at its end is no segment), or far too many.
fn has_odd_segments(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let odd = |segment: &str| matches!(segment, "" | "." | "..");
    let slashes = inner.bytes().filter(|byte| *byte == b'/').count();
    (!inner.is_empty() || path.len() > 1) && pieces(inner, b'/').any(odd) || slashes >= MOST_SEGMENTS
}

/// Decodes what means the same decoded; says whether nothing was left that a server may understand otherwise.
fn decode_harmless(path: &str) -> (String, bool) {
    let mut clean = path.starts_with('/');
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            clean &= !matches!(byte, b';' | b'\\' | b'?' | b'#') && !byte.is_ascii_control();
            bytes.push(byte);
            continue;
        }
        let mut look = rest.clone();
        let digits = (look.next().and_then(hex), look.next().and_then(hex));
        let (Some(high), Some(low)) = digits else {
            clean = false;
            bytes.push(b'%');
            continue;
        };
        rest = look;
        let decoded = high << 4 | low;
        if decoded.is_ascii_control() || b"/\\%;?#".contains(&decoded) {
            clean = false;
            bytes.extend(format!("%{decoded:02X}").bytes());
        } else {
            bytes.push(decoded);
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, clean),
        Err(bad) => (String::from_utf8_lossy(bad.as_bytes()).into_owned(), false),
    }
}

fn hex(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

/// Decodes everything, up to three times: as the server sees a text that decodes it more than once.
pub fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..3 {
        if !text.contains('%') {
            break;
        }
        let next = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
        text = Cow::Owned(next.into_owned());
    }
    text
}

/// The segments that are left once slashes, dots and parameters are resolved, each with the number of the written
/// segment that it stands in.
///
/// A client chooses how many there are, so that those without any disguise cost next to nothing. All are looked at: dots
/// at the far end of a path may undo all that stands before them.
pub(super) fn understood(path: &str) -> Vec<(usize, Cow<'_, str>)> {
    let mut kept = Vec::new();
    for (at, written) in path.split('/').enumerate() {
        if !written.bytes().any(|byte| b"%\\;?#\0".contains(&byte)) {
            walk(&mut kept, at, Cow::Borrowed(written));
            continue;
        }
        let text = decoded(written).replace('\\', "/");
        let read = text.split(['?', '#', '\0']).next().unwrap_or_default();
        for segment in read.split('/') {
            let name = segment.split(';').next().unwrap_or_default();
            walk(&mut kept, at, Cow::Owned(name.to_owned()));
        }
        if read.len() < text.len() {
            break;
        }
    }
    kept
}

/// Goes one segment further.
fn walk<'p>(kept: &mut Vec<(usize, Cow<'p, str>)>, at: usize, name: Cow<'p, str>) {
    match &*name {
        "" | "." => {}
        ".." => {
            kept.pop();
        }
        _ => kept.push((at, name)),
    }
}

fn resolve(path: &str) -> String {
    let names: Vec<Cow<'_, str>> = understood(path).into_iter().map(|(_, name)| name).collect();
    format!("/{}", names.join("/"))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Glob(Box<str>),
    /// `*`: any one segment.
    One,
    /// `**`: any number of segments, including none.
    Many,
}

/// A glob over paths: `*` matches within one segment, `**` any number of segments including none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathGlob {
    parts: Vec<Part>,
    fold: bool,
    /// So many segments a path has at least; so many exactly where there is no `**`.
    least: usize,
    rank: (u8, u16),
}

impl PathGlob {
    /// Parses a glob; `fold` ignores the case of ASCII letters.
    pub(super) fn parse(text: &str, fold: bool) -> Result<Self, &'static str> {
        let Some(inner) = text.strip_prefix('/') else {
            return Err("a path begins with `/`");
        };
        if text.contains(['?', '#', '[', ']', '{', '}', '%', ';', '\\']) || text.contains("//") {
            return Err("a path glob holds `*` and `**` only, no query, no escapes and no empty segments");
        }
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let mut parts = Vec::new();
        for segment in inner.split('/').filter(|segment| !segment.is_empty()) {
            parts.push(match segment {
                "." | ".." => return Err("a path glob has no dot segments"),
                "*" => Part::One,
                "**" => Part::Many,
                glob if glob.contains("**") => return Err("`**` stands alone between slashes"),
                glob if glob.contains('*') => Part::Glob(glob.into()),
                literal => Part::Literal(literal.into()),
            });
        }
        let kind = match () {
            () if parts.contains(&Part::Many) => 0,
            () if text.contains('*') => 1,
            () => 2,
        };
        let letters = text.bytes().filter(|b| *b != b'*').count();
        Ok(Self {
            least: parts.iter().filter(|part| **part != Part::Many).count(),
            parts,
            fold,
            rank: (kind, u16::try_from(letters).unwrap_or(u16::MAX)),
        })
    }

    /// Whether each part but the last says which segment it matches: `**` stands at the end, if anywhere.
    pub(super) fn is_positional(&self) -> bool {
        let count = self.parts.len().saturating_sub(1);
        !self.parts.iter().take(count).any(|part| *part == Part::Many)
    }

    /// The numbers of the segments in which a star stands, each with what stands there instead.
    pub(super) fn stand_ins(&self) -> impl Iterator<Item = (usize, String)> {
        self.parts.iter().enumerate().filter_map(|(at, part)| match part {
            Part::One => Some((at, STAND_IN.to_owned())),
            Part::Glob(glob) => Some((at, glob.replace('*', STAND_IN))),
            Part::Literal(_) | Part::Many => None,
        })
    }

    /// The numbers of the segments that any name fits, where they can be told by their number.
    pub(super) fn names(&self) -> impl Iterator<Item = usize> {
        let parts = self.parts.iter().enumerate().filter(|_| self.is_positional());
        parts.filter(|(_, part)| **part == Part::One).map(|(at, _)| at)
    }

    /// The literal segments before the first star: every path that matches begins with them, case aside where that is
    /// ignored.
    pub(super) fn literal_start(&self) -> Vec<&str> {
        let parts = self.parts.iter().map_while(|part| match part {
            Part::Literal(text) => Some(&**text),
            Part::Glob(_) | Part::One | Part::Many => None,
        });
        parts.collect()
    }

    /// Exact over `*` over `**`, then the longer literal.
    pub(super) fn rank(&self) -> (u8, u16) {
        self.rank
    }

    /// Whether the path matches; `fold` ignores case even where the glob does not.
    pub(super) fn matches(&self, path: &Segments<'_>, fold: bool) -> bool {
        let (fold, path) = (fold || self.fold, path.as_slice());
        // most globs that a request is held against are of another length
        let (kind, _) = self.rank;
        if path.len() < self.least || kind > 0 && path.len() > self.least {
            return false;
        }
        let (mut part, mut segment) = (0, 0);
        // Where to go on if the attempt fails: after the last `**`, one segment further. The last is enough, as for
        // a star in a text; so the work is bounded by parts times segments.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match (self.parts.get(part), path.get(segment)) {
                (None, None) => return true,
                (Some(Part::Many), _) => {
                    retry = Some((part + 1, segment));
                    part += 1;
                    continue;
                }
                (Some(wanted), Some(text)) if wanted.matches(text, fold) => {
                    part += 1;
                    segment += 1;
                    continue;
                }
                (Some(_) | None, _) => {}
            }
            match retry {
                Some((after, from)) if from < path.len() => {
                    retry = Some((after, from + 1));
                    part = after;
                    segment = from + 1;
                }
                Some(_) | None => return false,
            }
        }
    }
}

impl Part {
    fn matches(&self, segment: &str, fold: bool) -> bool {
        match self {
            Self::Literal(text) if fold => text.eq_ignore_ascii_case(segment),
            Self::Literal(text) => **text == *segment,
            Self::Glob(glob) => glob_bytes(glob.as_bytes(), segment.as_bytes(), fold),
            Self::One => true,
            Self::Many => false,
        }
    }
}

/// Whether a text matches a glob in which `*` is any number of characters.
pub(super) fn glob_text(glob: &str, text: &str) -> bool {
    glob_bytes(glob.as_bytes(), text.as_bytes(), false)
}

/// The same for bytes, which are compared without allocating; `fold` ignores the case of ASCII letters.
fn glob_bytes(glob: &[u8], text: &[u8], fold: bool) -> bool {
    let same = |one: &[u8], other: &[u8]| one == other || fold && one.eq_ignore_ascii_case(other);
    let mut pieces = glob.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some((start, mut rest)) = text.split_at_checked(first.len()) else {
        return false;
    };
    if !same(start, first) {
        return false;
    }
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            let found = (0..=rest.len()).find_map(|at| {
                let (here, after) = rest.get(at..)?.split_at_checked(before.len())?;
                same(here, before).then_some(after)
            });
            let Some(after) = found else {
                return false;
            };
            rest = after;
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest
            .len()
            .checked_sub(end.len())
            .and_then(|at| rest.get(at..))
            .is_some_and(|tail| same(tail, end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        PathGlob::parse(glob, false)
            .unwrap()
            .matches(&Segments::of(path), false)
    }

    #[test]
    fn stars_stay_in_their_segment_and_double_stars_do_not() {
        for (glob, path, expected) in [
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a", "/a/", true),
            ("/a", "/A", false),
            ("/a", "/a/b", false),
            ("/", "/", true),
            ("/**", "/", true),
            ("/**", "/x/y", true),
            ("/a/**", "/a", true),
            ("/a/**/b", "/a/b", true),
            ("/a/**/b", "/a/x/y/b", true),
            ("/a/**/b", "/a/x/y/c", false),
            ("/**/b/**/c", "/b/b/x/c/c", true),
            ("/*/b", "/a/b", true),
            ("/*/b", "/b", false),
            ("/a*z/b", "/abcz/b", true),
            ("/a*z/b", "/abc/b", false),
            ("/a*b*c", "/abbbc", true),
            ("/a*b*c", "/abcd", false),
            ("/a*a", "/a", false),
        ] {
            assert_eq!(matches(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn folded_globs_ignore_the_case_of_letters_and_nothing_else() {
        for (glob, path, expected) in [
            ("/a/B*d/e", "/A/bCcD/E", true),
            ("/a*b*c", "/AxxByyC", true),
            ("/a*b*c", "/AxxCyyB", false),
            ("/a*a", "/A", false),
            ("/é*", "/Éa", false),
            ("/é*", "/éA", true),
        ] {
            let glob = PathGlob::parse(glob, false).unwrap();
            assert_eq!(glob.matches(&Segments::of(path), true), expected, "{glob:?} {path}");
        }
    }

    #[test]
    fn a_glob_that_could_be_misread_is_refused() {
        for bad in ["", "a", "/a//b", "/a**", "/a/../b", "/a?b", "/[ab]", "/a%2Fb"] {
            assert!(PathGlob::parse(bad, false).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn harmless_spellings_are_one_path() {
        for (path, plain) in [
            ("/a/b", "/a/b"),
            ("/%61/b", "/a/b"),
            ("/a%3Ab", "/a:b"),
            ("/a%3ab", "/a:b"),
            ("/caf%C3%A9", "/café"),
            ("/", "/"),
            ("/a/", "/a/"),
        ] {
            let spelling = Spelling::of(path);
            assert_eq!(spelling.plain, plain, "{path}");
            assert!(!spelling.is_ambiguous(), "{path}");
        }
    }

    #[test]
    fn what_two_servers_may_understand_differently_is_ambiguous() {
        for (path, resolved) in [
            ("/a//b", "/a/b"),
            ("//a", "/a"),
            ("//", "/"),
            ("/a//", "/a"),
            ("/a/./b", "/a/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/../../b", "/b"),
            ("/a%2Fb", "/a/b"),
            ("/a%5cb", "/a/b"),
            ("/a\\b", "/a/b"),
            ("/a;x=1/b", "/a/b"),
            ("/a%3bx/b", "/a/b"),
            ("/%2561", "/a"),
            ("/a%00b", "/a"),
            ("/a%", "/a%"),
            ("/a%zz", "/a%zz"),
            ("a", "/a"),
            ("*", "/*"),
            ("", "/"),
        ] {
            assert_eq!(Spelling::of(path).resolved.as_deref(), Some(resolved), "{path}");
        }
        assert!(Spelling::of(&"/a".repeat(41)).is_ambiguous());
        assert!(Spelling::of("/%ff").is_ambiguous());
    }

    /// What [`understood`] is, without its short cuts.
    fn thoroughly(path: &str) -> Vec<(usize, String)> {
        let mut kept = Vec::new();
        for (at, written) in path.split('/').enumerate() {
            let mut text = written.to_owned();
            for _ in 0..3 {
                text = percent_encoding::percent_decode_str(&text)
                    .decode_utf8_lossy()
                    .into_owned();
            }
            let text = text.replace('\\', "/");
            let read = text.split(['?', '#', '\0']).next().unwrap();
            for segment in read.split('/') {
                match segment.split(';').next().unwrap() {
                    "" | "." => {}
                    ".." => drop(kept.pop()),
                    name => kept.push((at, name.to_owned())),
                }
            }
            if read.len() < text.len() {
                break;
            }
        }
        kept
    }

    #[test]
    fn what_is_not_disguised_is_understood_without_a_copy() {
        let path = "/a".repeat(15_000);
        let understood = understood(&path);
        assert_eq!(understood.len(), 15_000);
        assert!(understood.iter().all(|(_, name)| matches!(name, Cow::Borrowed("a"))));
    }

    #[test]
    fn dots_at_the_far_end_of_a_path_still_undo_what_stands_before_them() {
        let path = format!("{}{}/post", "/a".repeat(5_000), "/..".repeat(5_000));
        assert_eq!(Spelling::of(&path).resolved.as_deref(), Some("/post"));
    }

    proptest::proptest! {
        #[test]
        fn pieces_are_what_a_split_yields(text in "[/aé]{0,12}") {
            let pieces: Vec<&str> = pieces(&text, b'/').collect();
            proptest::prop_assert_eq!(pieces, text.split('/').collect::<Vec<_>>());
        }

        #[test]
        fn short_cuts_change_nothing_of_what_is_understood(path in "(/|a|\\.|\\.\\.|%|%2[eEfF5]|%5c|%252[ef]|;|\\\\|\\?|#|%00|é|%ff){0,12}") {
            let understood: Vec<_> = understood(&path).into_iter().map(|(at, name)| (at, name.into_owned())).collect();
            proptest::prop_assert_eq!(understood, thoroughly(&path));
        }

        #[test]
        fn no_path_makes_matching_fail_to_answer(path in ".{0,60}", glob in "(/(a|\\*|\\*\\*|a\\*b)){0,5}") {
            let spelling = Spelling::of(&path);
            if let Ok(glob) = PathGlob::parse(&glob, false) {
                for path in spelling.paths().all() {
                    let exact = glob.matches(path, false);
                    proptest::prop_assert!(!exact || glob.matches(path, true), "folding only adds");
                }
            }
        }
    }
}
