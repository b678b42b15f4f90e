//! What signatures look at in a request, and a head without the rest.
//!
//! Of what the client says in its own words, only words of the catalogue and of HTTP are kept: a name that nobody knows
//! may be anything, of any length, and reads like any other that nobody knows.

use super::Catalog;
use super::PEEK_LIMIT;
use super::path::{Paths, Segments, Spelling};
use super::peek::{CHARSET, LONGEST_NAME, MARK, Media, Wanted, is_unclear, media_type, reads_as, sets_charset};
use super::recognise::{OVERRIDE_HEADERS, Reader, is_beacon, overriding};
use super::signature::{Method, Operation, Reads};
use crate::facts::{Head, Hints, Peek, Place};

impl Catalog {
    pub(super) fn body_matters(&self, place: &Place, head: &Head) -> bool {
        let hints = &head.hints;
        let limit = u64::try_from(PEEK_LIMIT).unwrap_or(u64::MAX);
        let readable = hints.has_body
            && hints.content_encoding.is_none()
            && hints.content_length.is_none_or(|length| length <= limit)
            && Media::of(head) != Media::Other;
        if !readable {
            return false;
        }
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        let reader = Reader::new(self, place, head, &paths);
        let writing = |method: &Method| !method.is_safe();
        reader.in_reach().any(|signature| {
            let named = signature
                .operation
                .as_ref()
                .is_some_and(|operation| operation.places.in_body());
            let doubted = signature.reads == Reads::Label;
            let mut methods = reader.effective_methods().filter(writing);
            (named || doubted) && methods.any(|method| signature.methods.contains(method))
        })
    }

    /// What the body of such a request shows.
    pub(super) fn looked_at(&self, place: &Place, head: &Head, body: &[u8], complete: bool) -> Peek {
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        self.wanted(place, head, &paths).look(head, body, complete)
    }

    /// What signatures look at in the body of such a request.
    fn wanted<'c, 'p>(&'c self, place: &'c Place, head: &'c Head, paths: &'p Paths<'p>) -> Wanted<'c, 'p> {
        let reader = Reader::new(self, place, head, paths);
        let mut wanted = Wanted {
            keys: Vec::new(),
            marks: Vec::new(),
            believes: false,
            paths,
        };
        for signature in reader.in_reach() {
            match &signature.operation {
                Some(operation) if operation.places.in_body() => wanted.keys.push(&operation.key),
                Some(_) | None => {}
            }
            wanted.believes |= signature.reads == Reads::Label;
        }
        if wanted.believes {
            wanted.marks.extend(reader.marks());
        }
        wanted.keys.sort_unstable();
        wanted.keys.dedup();
        wanted
    }

    pub(super) fn without_the_unread(&self, place: &Place, head: &Head) -> Head {
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        let reader = Reader::new(self, place, head, &paths);
        let operations: Vec<_> = reader
            .in_reach()
            .filter_map(|signature| signature.operation.as_ref())
            .collect();
        let marks: Vec<_> = reader.marks().collect();
        let believes = !marks.is_empty() || reader.in_reach().any(|signature| signature.reads == Reads::Label);
        let is_key = |key: &str| operations.iter().any(|operation| *operation.key == *key);
        let is_header = |name: &str| {
            let mut headers = operations.iter().flat_map(|operation| &operation.places.headers);
            OVERRIDE_HEADERS.contains(&name) || headers.any(|header| **header == *name)
        };
        let labelled = |key: &str, value: &str| (key.to_owned(), known_value(&operations, key, value));
        let parameter = |(key, value): &(String, String)| {
            if is_key(key) {
                return Some(labelled(key, value));
            }
            if let Some(operation) = operations.iter().find(|operation| reads_as(key, &operation.key)) {
                // so that it is still in disguise
                let (name, value) = labelled(&operation.key, value);
                return Some((format!(" {name}{}", unclear_end(key)), value));
            }
            if let Some((name, _)) = overriding(key, value) {
                let name_and_end = format!("{name}{}", unclear_end(key));
                return Some((name_and_end, known_value(&operations, name, value)));
            }
            if let Some(stand_in) = unclear(key, value).filter(|_| believes) {
                return Some(stand_in);
            }
            let mark = marks.iter().find(|mark| mark.is_in_pair(key, value, &paths))?;
            Some(mark.stand_in())
        };
        let mut kept = Head {
            path: path.to_string(),
            ..head.clone()
        };
        kept.query = head.query.iter().filter_map(parameter).collect();
        kept.hints.labels.retain(|(name, _)| is_header(name));
        for (name, value) in &mut kept.hints.labels {
            *value = known_label(&operations, name, value);
        }
        if let Peek::Operations(found) = &mut kept.peek {
            for labels in found {
                labels.retain(|(key, value)| key == MARK || is_key(key) || overriding(key, value).is_some());
                for (key, value) in labels.iter_mut().filter(|(key, _)| key != MARK) {
                    (_, *value) = labelled(key, value);
                }
            }
        }
        in_known_words(&mut kept.hints);
        if !self.looks_at_the_page(place, head, &paths.plain) {
            kept.hints.origin = None;
            kept.hints.referer = None;
        }
        kept
    }

    /// Whether the page that a request came from matters: only where it could be an embed.
    fn looks_at_the_page(&self, place: &Place, head: &Head, path: &Segments<'_>) -> bool {
        let by_path = self.index.embeds(place.host.as_str(), path).next().is_some();
        let by_role = is_beacon(place);
        let own = self.family_of(&place.host);
        let from = head.hints.referer.as_ref().map(|referer| &referer.host);
        let same = |host| own.is_some() && self.family_of(host) == own;
        (by_path || by_role) && [from, head.hints.origin.as_ref()].into_iter().flatten().any(same)
    }
}

/// What stands for words of the client's own.
const HIDDEN: &str = "***";

/// What stands for a parameter that may say something that nobody sees here.
fn unclear(key: &str, value: &str) -> Option<(String, String)> {
    if sets_charset(key, value) {
        return Some((CHARSET.to_owned(), HIDDEN.to_owned()));
    }
    is_unclear(key, value).then(|| (char::REPLACEMENT_CHARACTER.to_string(), String::new()))
}

/// What is put behind a name so that it is read as before, and is as unclear as `key`.
fn unclear_end(key: &str) -> &'static str {
    if key.contains(char::REPLACEMENT_CHARACTER) {
        "[\u{fffd}"
    } else {
        ""
    }
}

/// The name of an operation as it may be kept: INVARIANT: it fits the same signatures.
fn known_name(operations: &[&Operation], name: &str) -> String {
    let fits = |name: &str| operations.iter().any(|operation| operation.pattern.matches(name));
    let is_readable = name.len() <= LONGEST_NAME && !name.contains(char::REPLACEMENT_CHARACTER);
    if is_readable && fits(name) {
        return name.to_owned();
    }
    // what was not decoded fits nothing, whatever the patterns are
    let stand_in = if fits(HIDDEN) { "\u{fffd}" } else { HIDDEN };
    stand_in.to_owned()
}

/// The value of a label as it may be kept: INVARIANT: it names the same operations, and states the same method.
fn known_value(operations: &[&Operation], key: &str, value: &str) -> String {
    if overriding(key, value).is_none() {
        return known_name(operations, value);
    }
    let stated = value.split('\0').next().unwrap_or_default();
    let is_key = operations.iter().any(|operation| *operation.key == *key);
    if is_key { stated } else { stated.trim() }.to_owned()
}

/// The value of a header as it may be kept.
fn known_label(operations: &[&Operation], name: &str, value: &str) -> String {
    if OVERRIDE_HEADERS.contains(&name) {
        known_method(value)
    } else {
        known_name(operations, value)
    }
}

fn known_method(text: &str) -> String {
    match Method::of_override(text) {
        Method::Other => HIDDEN.to_owned(),
        Method::Get | Method::Options | Method::Post | Method::Put | Method::Patch | Method::Delete => {
            text.split('\0').next().unwrap_or_default().trim().to_owned()
        }
    }
}

/// Leaves what HTTP itself knows, and what stands for anything else.
fn in_known_words(hints: &mut Hints) {
    let word = |text: &mut String| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
        if text.len() > 32 || !text.bytes().all(is_word) {
            HIDDEN.clone_into(text);
        }
    };
    let words = [
        &mut hints.fetch_site,
        &mut hints.fetch_mode,
        &mut hints.fetch_dest,
        &mut hints.content_encoding,
    ];
    words.into_iter().flatten().for_each(word);
    hints.content_type = hints.content_type.as_deref().map(known_type);
}

/// A `Content-Type` without what its parameters say; INVARIANT: the body is taken for the same.
fn known_type(text: &str) -> String {
    let essence = media_type(text);
    let parameter = match (Media::named(text), Media::named(essence)) {
        (Media::Multipart(_), _) => "; boundary=x",
        (Media::Other, Media::Form | Media::Json) => "; charset=***",
        (Media::Form | Media::Json | Media::Other, _) => "",
    };
    format!("{essence}{parameter}")
}
