//! What the start of a body says about the operation. Whatever two servers could read in two ways is not read at all.

use super::PEEK_LIMIT;
use super::json::Node;
use super::marks::Mark;
use super::multipart;
use super::path::Paths;
use super::recognise::overriding;
use crate::facts::{Head, Opaque, Peek};

/// The label that a peek gives for a [`Mark`] that it found, and for a file: what reads uploads none.
pub(super) const MARK: &str = "write-mark";

/// The field that says in which charset the others are.
pub(super) const CHARSET: &str = "_charset_";

/// A name that is longer names nothing.
pub(super) const LONGEST_NAME: usize = 256;

/// One body holds at most so many operations, and one operation so many labels.
const MOST: usize = 100;

/// A body's type, as far as we read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Form,
    Json,
    Multipart(String),
    Other,
}

impl Media {
    /// The type that a head states; anything unusual is `Other`.
    pub(super) fn of(head: &Head) -> Self {
        head.hints.content_type.as_deref().map_or(Self::Other, Self::named)
    }

    /// The same for the text of a `Content-Type`.
    pub(super) fn named(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_multipart = essence == "multipart/form-data";
        let mut boundary = None;
        for part in parts {
            let Some((key, value)) = part.split_once('=') else {
                match part.trim() {
                    "" => continue,
                    _ if is_multipart => return Self::Other,
                    _ => continue,
                }
            };
            // Some servers look for the word `boundary`, wherever it stands.
            let stands_alone = ["boundary", "charset"].contains(&key.trim_start().to_ascii_lowercase().as_str());
            if is_multipart && !stands_alone {
                return Self::Other;
            }
            let value = value.trim();
            let value = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .unwrap_or(value);
            match key.trim().to_ascii_lowercase().as_str() {
                "charset" if !is_known_charset(value) => return Self::Other,
                "boundary" if boundary.is_some() || !is_boundary(value) => return Self::Other,
                "boundary" => boundary = Some(value.to_owned()),
                _ => {}
            }
        }
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            // Several clients send JSON as `text/plain`, which spares them a preflight.
            "application/json" | "text/plain" => Self::Json,
            "multipart/form-data" => boundary.map_or(Self::Other, Self::Multipart),
            other if other.starts_with("application/") && other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

/// What a `Content-Type` names, without parameters; what is no name, or too long for one, is not repeated (RFC 6838 §4.2).
pub fn media_type(text: &str) -> &str {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    match Media::named(essence) {
        _ if essence.len() <= 127 && essence.bytes().all(is_name) => essence,
        Media::Json => "application/json",
        Media::Form | Media::Multipart(_) | Media::Other => "***",
    }
}

/// Whether text in this charset says what it says to us.
pub(super) fn is_known_charset(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a form field, or query parameter, has the text of the others be read in a charset that we do not read (RFC 7578
/// §4.6, HTML §4.10.21.4).
pub(super) fn sets_charset(key: &str, value: &str) -> bool {
    reads_as(key, CHARSET) && !is_known_charset(value.trim())
}

/// Whether a query parameter, where names are believed, may say something that nobody sees here: what cannot be decoded may
/// be dropped, and text in another charset says something else.
pub(super) fn is_unclear(key: &str, value: &str) -> bool {
    key.contains(char::REPLACEMENT_CHARACTER) || sets_charset(key, value)
}

/// RFC 2046 §5.1.1, without the characters that need quoting to survive.
fn is_boundary(text: &str) -> bool {
    (1..=70).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_'+.=/:".contains(&b))
}

/// What signatures look at in a body.
#[derive(Debug)]
pub(super) struct Wanted<'c, 'p> {
    pub(super) keys: Vec<&'c str>,
    pub(super) marks: Vec<&'c Mark>,
    /// Whether a name may make it a read, unless the body shows otherwise.
    pub(super) believes: bool,
    pub(super) paths: &'p Paths<'p>,
}

type Labels = Vec<(String, String)>;

impl Wanted<'_, '_> {
    /// Looks at a body; `complete` says whether `body` is all of it.
    pub(super) fn look(&self, head: &Head, body: &[u8], complete: bool) -> Peek {
        if self.keys.is_empty() && !self.believes {
            return Peek::NotTaken;
        }
        if head.hints.content_encoding.is_some() {
            return Peek::Opaque(Opaque::Encoded);
        }
        if !complete || body.len() > PEEK_LIMIT {
            return Peek::Opaque(Opaque::TooLong);
        }
        if body.is_empty() {
            return Peek::Operations(vec![Labels::new()]);
        }
        let found = match Media::of(head) {
            Media::Form => self.form(body),
            Media::Json => self.json(body),
            Media::Multipart(boundary) => self.multipart(body, &boundary),
            Media::Other => Err(Opaque::Undecodable),
        };
        found.map_or_else(Peek::Opaque, Peek::Operations)
    }

    fn form(&self, body: &[u8]) -> Result<Vec<Labels>, Opaque> {
        // Some readers take for JSON whatever looks like it.
        if looks_like_json(body) {
            return Err(Opaque::Ambiguous);
        }
        let mut labels = Labels::new();
        for (key, value) in parameters(body) {
            self.note_text(&key, &value, &mut labels)?;
        }
        Ok(vec![labels])
    }

    fn multipart(&self, body: &[u8], boundary: &str) -> Result<Vec<Labels>, Opaque> {
        let mut labels = Labels::new();
        for part in multipart::parts(body, boundary).ok_or(Opaque::Undecodable)? {
            if part.is_file {
                push(&mut labels, MARK, "")?;
            }
            // What is in a file is not looked at, but a label that comes as a file is a label to some servers.
            let Ok(text) = std::str::from_utf8(part.content) else {
                if !part.is_file || self.looks_at(&part.name) {
                    return Err(Opaque::Undecodable);
                }
                continue;
            };
            if part.is_file && self.looks_at(&part.name) {
                return Err(Opaque::Ambiguous);
            }
            // GraphQL's multipart requests carry a whole JSON request in one field.
            if looks_like_json(part.content) && !self.looks_at(&part.name) && !self.is_clean_json(part.content) {
                return Err(Opaque::Ambiguous);
            }
            self.note_text(&part.name, text, &mut labels)?;
        }
        Ok(vec![labels])
    }

    fn json(&self, body: &[u8]) -> Result<Vec<Labels>, Opaque> {
        let root = Node::parse(body).ok_or(Opaque::Undecodable)?;
        if root.is_ambiguous() {
            return Err(Opaque::Ambiguous);
        }
        match root {
            Node::Object(members) => Ok(vec![self.members(&members)?]),
            Node::List(items) if items.len() <= MOST => self.batch(&items),
            Node::List(_) | Node::Null | Node::Scalar(_) | Node::Text(_) => Err(Opaque::Undecodable),
        }
    }

    fn batch(&self, items: &[Node]) -> Result<Vec<Labels>, Opaque> {
        let mut operations = items
            .iter()
            .map(|item| self.item(item))
            .collect::<Result<Vec<_>, _>>()?;
        if self.marks.iter().any(|mark| mark.is_of_whole_body()) {
            operations.push(vec![(MARK.to_owned(), String::new())]);
        }
        Ok(operations)
    }

    /// Whether a JSON document says nothing that we look for.
    fn is_clean_json(&self, text: &[u8]) -> bool {
        let operations = self
            .json(text)
            .unwrap_or_else(|_| vec![vec![(MARK.to_owned(), String::new())]]);
        operations.iter().all(Vec::is_empty)
    }

    fn item(&self, item: &Node) -> Result<Labels, Opaque> {
        match item {
            Node::Object(members) => self.members(members),
            Node::Null | Node::Scalar(_) | Node::Text(_) | Node::List(_) => Err(Opaque::Undecodable),
        }
    }

    fn members(&self, members: &[(String, Node)]) -> Result<Labels, Opaque> {
        let mut labels = Labels::new();
        for (key, value) in members {
            if self.keys.contains(&key.as_str()) {
                match value {
                    Node::Null => {}
                    Node::Text(text) | Node::Scalar(text) => push(&mut labels, key, text)?,
                    Node::List(_) | Node::Object(_) => return Err(Opaque::Undecodable),
                }
            } else if self.keys.iter().any(|wanted| wanted.eq_ignore_ascii_case(key)) {
                // Some readers ignore the case of keys.
                return Err(Opaque::Ambiguous);
            }
            if let Node::Text(method) = value
                && let Some((name, _)) = overriding(key, method)
            {
                push(&mut labels, name, method)?;
            }
            let mut marks = self.marks.iter();
            if let Some(mark) = marks.find(|mark| mark.is_in_member(key, value, self.paths)) {
                push(&mut labels, MARK, mark.name())?;
            }
        }
        Ok(labels)
    }

    fn note_text(&self, key: &str, value: &str, labels: &mut Labels) -> Result<(), Opaque> {
        if is_unclear(key, value) {
            return Err(Opaque::Undecodable);
        }
        if self.keys.contains(&key) {
            push(labels, key, value)?;
        } else if self.keys.iter().any(|wanted| reads_as(key, wanted)) {
            return Err(Opaque::Ambiguous);
        }
        // Rails and others take the method from a form.
        if let Some((name, _)) = overriding(key, value) {
            push(labels, name, value)?;
        }
        let mut marks = self.marks.iter();
        if let Some(mark) = marks.find(|mark| mark.is_in_pair(key, value, self.paths)) {
            push(labels, MARK, mark.name())?;
        }
        Ok(())
    }

    fn looks_at(&self, key: &str) -> bool {
        let is = |wanted: &str| reads_as(key, wanted);
        self.keys.iter().any(|wanted| is(wanted)) || self.marks.iter().any(|mark| is(mark.name()))
    }
}

/// The parameters of a query, or the fields of a form. Some servers part them at semicolons as well (HTML 4.01 §B.2.2), and
/// clients encode those that part nothing: what these servers see follows what all see.
pub fn parameters(text: &[u8]) -> Vec<(String, String)> {
    let pieces: Vec<&[u8]> = text.split(|byte| *byte == b';').collect();
    let parted = (pieces.len() > 1).then(|| pieces.join(&b'&'));
    let texts = std::iter::once(text).chain(parted.as_deref());
    texts
        .flat_map(form_urlencoded::parse)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

/// Whether some reader takes it for JSON; several pass over a byte order mark, and over more than JSON's own white space.
fn looks_like_json(text: &[u8]) -> bool {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let passes = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    let start = text.iter().position(|byte| !passes(byte)).unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = text.trim_ascii_start();
    matches!(text.first(), Some(b'{' | b'['))
}

fn push(labels: &mut Labels, key: &str, value: &str) -> Result<(), Opaque> {
    if labels.len() >= MOST || value.len() > LONGEST_NAME {
        return Err(Opaque::Undecodable);
    }
    labels.push((key.to_owned(), value.to_owned()));
    Ok(())
}

/// Whether some server takes `key`, of a query or a form, for `wanted`: case aside, PHP and others trim a key, end it at NUL
/// and at `[`, and write `_` for dots, spaces, and a `[` that nothing closes.
pub(super) fn reads_as(key: &str, wanted: &str) -> bool {
    // most keys are of another length, and end elsewhere
    let Some((name, rest)) = key.trim_start().as_bytes().split_at_checked(wanted.len()) else {
        return false;
    };
    let ends = match rest.first() {
        None | Some(0) => true,
        Some(b'[') => !name.contains(&b'['),
        Some(_) => false,
    };
    let reads = |(read, wanted): (&u8, u8)| {
        read.eq_ignore_ascii_case(&wanted) || (wanted == b'_' && matches!(read, b'.' | b' ' | b'['))
    };
    ends && !name.contains(&0) && name.iter().zip(wanted.bytes()).all(reads)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Said as the readers do it: trimmed, ended at NUL, and either whole or up to the first `[`.
    fn mended(key: &str, wanted: &str) -> bool {
        let is_wanted = |text: &str| {
            let reads = |(read, wanted): (u8, u8)| {
                read.eq_ignore_ascii_case(&wanted) || (wanted == b'_' && matches!(read, b'.' | b' ' | b'['))
            };
            text.len() == wanted.len() && text.bytes().zip(wanted.bytes()).all(reads)
        };
        let text = key.trim_start().split('\0').next().unwrap_or_default();
        is_wanted(text) || text.split_once('[').is_some_and(|(name, _)| is_wanted(name))
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4_000))]
        #[test]
        fn a_key_is_read_as_those_read_it_who_mend_it(key in "[ \u{a0}]{0,2}[aAé_.\\[ \0]{0,5}", wanted in "[a_é]{0,3}") {
            proptest::prop_assert_eq!(reads_as(&key, &wanted), mended(&key, &wanted), "{:?} {:?}", key, wanted);
        }
    }
}
