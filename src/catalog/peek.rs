//! What the start of a body says about the operation. Whatever two servers could read in two ways is not read at all.

use super::PEEK_LIMIT;
use super::json::Node;
use super::multipart;
use super::recognise::overriding;
use super::signature::{Mark, Sign};
use crate::facts::{Head, Opaque, Peek};

/// The label that a peek gives for a [`Mark`] that it found.
pub(super) const MARK: &str = "write-mark";

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
                "charset" if !["utf-8", "utf8", "us-ascii"].contains(&value.to_ascii_lowercase().as_str()) => {
                    return Self::Other;
                }
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

/// RFC 2046 §5.1.1, without the characters that need quoting to survive.
fn is_boundary(text: &str) -> bool {
    (1..=70).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_'+.=/:".contains(&b))
}

/// What signatures look at in a body.
#[derive(Debug, Default)]
pub(super) struct Wanted<'c> {
    pub(super) keys: Vec<&'c str>,
    pub(super) marks: Vec<&'c Mark>,
}

type Labels = Vec<(String, String)>;

impl Wanted<'_> {
    /// Looks at a body; `complete` says whether `body` is all of it.
    pub(super) fn look(&self, head: &Head, body: &[u8], complete: bool) -> Peek {
        if self.keys.is_empty() && self.marks.is_empty() {
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
        for (key, value) in form_urlencoded::parse(body) {
            self.note_text(&key, &value, &mut labels)?;
        }
        Ok(vec![labels])
    }

    fn multipart(&self, body: &[u8], boundary: &str) -> Result<Vec<Labels>, Opaque> {
        let mut labels = Labels::new();
        for part in multipart::parts(body, boundary).ok_or(Opaque::Undecodable)? {
            // What is in a file is not looked at, but a label that comes as a file is a label to some servers.
            let Ok(text) = std::str::from_utf8(part.content) else {
                if self.looks_at(&part.name) {
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
        if root.has_twins() {
            return Err(Opaque::Ambiguous);
        }
        match root {
            Node::Object(members) => Ok(vec![self.members(&members)?]),
            Node::List(items) if items.len() <= MOST => items.iter().map(|item| self.item(item)).collect(),
            Node::List(_) | Node::Null | Node::Scalar(_) | Node::Text(_) => Err(Opaque::Undecodable),
        }
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
            let marks = |mark: &&Mark| mark.key.eq_ignore_ascii_case(key) && mark.sign.is_in(value);
            if self.marks.iter().copied().any(|mark| marks(&mark)) {
                push(&mut labels, MARK, key)?;
            }
        }
        Ok(labels)
    }

    fn note_text(&self, key: &str, value: &str, labels: &mut Labels) -> Result<(), Opaque> {
        if self.keys.contains(&key) {
            push(labels, key, value)?;
        } else if self.keys.iter().any(|wanted| reads_as(key, wanted)) {
            return Err(Opaque::Ambiguous);
        }
        // Rails and others take the method from a form.
        if let Some((name, _)) = overriding(key, value) {
            push(labels, name, value)?;
        }
        if let Some(mark) = self.marks.iter().find(|mark| mark.is_in_pair(key, value)) {
            push(labels, MARK, &mark.key)?;
        }
        Ok(())
    }

    fn looks_at(&self, key: &str) -> bool {
        let is = |wanted: &str| reads_as(key, wanted);
        self.keys.iter().any(|wanted| is(wanted)) || self.marks.iter().any(|mark| is(&mark.key))
    }
}

fn looks_like_json(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
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

impl Mark {
    /// Whether a form field or query parameter shows that the request writes.
    pub(super) fn is_in_pair(&self, key: &str, value: &str) -> bool {
        if *self.key == *key {
            return self.sign.is_in_text(value);
        }
        reads_as(key, &self.key)
    }
}

impl Sign {
    /// Whether a JSON value shows that the request writes; what cannot be understood does.
    fn is_in(&self, value: &Node) -> bool {
        match (self, value) {
            (_, Node::Null) => false,
            (_, Node::Text(text)) => self.is_in_text(text),
            (Self::Member(name), object @ Node::Object(_)) => object.has_member(name),
            (Self::Beyond(known), Node::Object(members)) => members.iter().any(|(name, _)| !is_among(known, name)),
            (Self::Contains(_), Node::Object(_)) | (_, Node::Scalar(_) | Node::List(_)) => true,
        }
    }

    /// Whether a text value shows that the request writes; what cannot be understood does.
    pub(super) fn is_in_text(&self, text: &str) -> bool {
        match self {
            Self::Contains(word) => text.to_ascii_lowercase().contains(&**word),
            Self::Member(_) | Self::Beyond(_) if text.trim().is_empty() => false,
            Self::Member(_) | Self::Beyond(_) => match Node::parse(text.as_bytes()) {
                Some(Node::Null) => false,
                Some(object @ Node::Object(_)) => object.has_twins() || self.is_in(&object),
                Some(Node::Scalar(_) | Node::Text(_) | Node::List(_)) | None => true,
            },
        }
    }

    /// The shortest text that shows it.
    pub(super) fn stand_in(&self) -> String {
        match self {
            Self::Contains(word) => word.to_string(),
            Self::Member(name) => serde_json::json!({ name.to_string(): 0 }).to_string(),
            // the catalogue lists no member without a name
            Self::Beyond(_) => r#"{"":0}"#.to_owned(),
        }
    }
}

fn is_among(names: &[Box<str>], name: &str) -> bool {
    names.iter().any(|known| **known == *name)
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
