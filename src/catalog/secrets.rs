//! Paths in which credentials stand: a request is read, judged and recorded by its path without them.
//!
//! INVARIANT: reading starts from the hidden form, so that a record, which holds nothing else, is read the same. A path
//! that servers may understand in two ways stays one.

use std::borrow::Cow;

use super::Catalog;
use super::host::HostPattern;
use super::path::{PathGlob, Segments, Spelling, decoded, resolved, understood};
use crate::facts::{Place, PlatformId};

/// A path in which a credential stands wherever the glob has a star.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) platform: PlatformId,
    pub(super) hosts: Vec<HostPattern>,
    pub(super) path: PathGlob,
}

/// One written or understood segment, and what stands for it.
type Hidden = (usize, String);

/// Each pass undoes at most one layer of disguise; nobody who wants to be understood has more.
const MOST_PASSES: usize = 8;

impl Catalog {
    /// The path without the credentials that the catalogue knows to stand in it.
    pub fn hidden<'p>(&self, place: &Place, path: &'p str) -> Cow<'p, str> {
        let globs = self.index.secrets(place);
        if globs.is_empty() {
            return Cow::Borrowed(path);
        }
        let was_ambiguous = Spelling::of(path).is_ambiguous();
        let mut path = Cow::Borrowed(path);
        for _ in 0..MOST_PASSES {
            match pass(&globs, &path) {
                Some(next) => path = Cow::Owned(next),
                None => break,
            }
        }
        if was_ambiguous && !Spelling::of(&path).is_ambiguous() {
            path = Cow::Owned(format!("{path}/."));
        }
        path
    }

    /// The path for rules that look at it: as a server would resolve it, without credentials.
    pub fn path_for_rules<'p>(&self, place: &Place, path: &'p str) -> Cow<'p, str> {
        match self.hidden(place, path) {
            Cow::Borrowed(path) => resolved(path),
            Cow::Owned(path) => Cow::Owned(resolved(&path).into_owned()),
        }
    }
}

/// Hides what a server would make of the path, or else what stands in it as it is written; none if nothing is left.
///
/// In this order: what is written in place of an empty segment would change what the others are understood as.
fn pass(globs: &[&PathGlob], path: &str) -> Option<String> {
    let spelling = Spelling::of(path);
    let as_understood = || spelling.is_ambiguous().then(|| hide_understood(globs, path)).flatten();
    as_understood().or_else(|| hide_written(globs, path, &spelling))
}

fn hide_written(globs: &[&PathGlob], path: &str, spelling: &Spelling<'_>) -> Option<String> {
    let plain: Vec<&str> = Segments::of(&spelling.plain).as_slice().to_vec();
    let hidden = find(globs, &plain)?;
    let first = usize::from(path.starts_with('/'));
    Some(rewrite(path, |at, _| {
        let at = at.checked_sub(first)?;
        let (_, stand_in) = hidden.iter().find(|(segment, _)| *segment == at)?;
        Some(stand_in.clone())
    }))
}

fn hide_understood(globs: &[&PathGlob], path: &str) -> Option<String> {
    let understood = understood(path);
    let names: Vec<&str> = understood.iter().map(|(_, name)| &**name).collect();
    let hidden = find(globs, &names)?;
    Some(rewrite(path, |at, written| {
        let of_this = hidden.iter().filter_map(|(segment, stand_in)| {
            let (from, name) = understood.get(*segment)?;
            (*from == at).then_some((&**name, stand_in.as_str()))
        });
        let of_this: Vec<(&str, &str)> = of_this.collect();
        (!of_this.is_empty()).then(|| without(written, &of_this))
    }))
}

/// What the first glob that matches hides, without what is hidden already.
fn find(globs: &[&PathGlob], segments: &[&str]) -> Option<Vec<Hidden>> {
    let list = Segments::among(segments);
    let glob = globs.iter().find(|glob| glob.matches(&list, true))?;
    // an empty segment or a dot holds nothing, and says how the path may be understood
    let shown = |(at, stand_in): &Hidden| {
        let segment = segments.get(*at).copied().unwrap_or_default();
        !["", ".", "..", stand_in].contains(&segment)
    };
    let hidden: Vec<Hidden> = glob.stand_ins().filter(shown).collect();
    (!hidden.is_empty()).then_some(hidden)
}

fn rewrite(path: &str, change: impl Fn(usize, &str) -> Option<String>) -> String {
    let segments = path.split('/').enumerate();
    let written = segments.map(|(at, text)| change(at, text).map_or(Cow::Borrowed(text), Cow::Owned));
    written.collect::<Vec<_>>().join("/")
}

/// A written segment in which a server finds more than one, with `hidden` of them replaced.
fn without(written: &str, hidden: &[(&str, &str)]) -> String {
    let text = decoded(written);
    let mut kept = String::with_capacity(text.len());
    for piece in text.split_inclusive(['/', '\\', '?', '#', '\0']) {
        let name = piece.split(['/', '\\', ';', '?', '#', '\0']).next().unwrap_or_default();
        match hidden.iter().find(|(found, _)| *found == name) {
            Some((_, stand_in)) => {
                kept.push_str(stand_in);
                // parameters may repeat what the name said
                kept.extend(piece.chars().last().filter(|end| "/\\?#\0".contains(*end)));
            }
            None => kept.push_str(piece),
        }
    }
    let escaped = kept.chars().map(|c| match c {
        '/' | '\\' | ';' | '?' | '#' | '%' | '\0' => format!("%{:02X}", u32::from(c)),
        other => other.to_string(),
    });
    escaped.collect()
}
