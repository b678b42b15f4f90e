//! What shows that a request writes although its name says that it reads.
//!
//! The marks of a platform stand in its file. Some say what only a write has, some say all that a read has: whatever else
//! there is, or cannot be understood, shows a write.

use super::host::HostPattern;
use super::json::Node;
use super::path::{PathGlob, Paths, glob_text};
use super::peek::reads_as;
use crate::facts::PlatformId;

/// What shows that a request writes, on some paths of a platform.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) platform: PlatformId,
    pub(super) hosts: Vec<HostPattern>,
    pub(super) paths: Vec<PathGlob>,
    pub(super) field: Field,
}

/// The query parameter, form field or member of a JSON body that shows it.
#[derive(Clone, Debug)]
pub(super) enum Field {
    /// One that none of these globs match: a read has no other.
    Beside(Box<[Box<str>]>),
    /// The one with this name, by its value.
    Named(Box<str>, Sign),
}

/// What to look for in the value of a field.
#[derive(Clone, Debug)]
pub(super) enum Sign {
    /// The value, a JSON object, has this member.
    Member(Box<str>),
    /// The value, a JSON object, has a member with one of these names, however deep.
    Within(Box<[Box<str>]>),
    /// The value, a JSON object, has a member that none of these globs match, or one whose value holds an object.
    Beyond(Box<[Box<str>]>),
    /// The value, a JSON object, has a member that is no truth value.
    BeyondFlags,
    /// The value is no segment of the path.
    OutsidePath,
    /// The value holds this text, in any case.
    Contains(Box<str>),
}

impl Mark {
    /// Whether a form field or query parameter shows that the request writes.
    pub(super) fn is_in_pair(&self, key: &str, value: &str, paths: &Paths<'_>) -> bool {
        match &self.field {
            Field::Beside(known) => !is_among(known, key),
            Field::Named(name, sign) if **name == *key => sign.is_in_text(value, paths),
            Field::Named(name, _) => reads_as(key, name),
        }
    }

    /// The same for a member of a JSON body; some readers ignore the case of keys.
    pub(super) fn is_in_member(&self, key: &str, value: &Node, paths: &Paths<'_>) -> bool {
        match &self.field {
            Field::Beside(known) => !is_among(known, key),
            Field::Named(name, sign) => name.eq_ignore_ascii_case(key) && sign.is_in(value, paths),
        }
    }

    /// The name of its field; none where it is any that a read does not have.
    pub(super) fn name(&self) -> &str {
        match &self.field {
            Field::Beside(_) => "",
            Field::Named(name, _) => name,
        }
    }

    /// Whether it says all that a body holds, so that there is no room for several operations in one.
    pub(super) fn is_of_whole_body(&self) -> bool {
        matches!(self.field, Field::Beside(_))
    }

    /// The shortest pair that shows it.
    pub(super) fn stand_in(&self) -> (String, String) {
        let value = match &self.field {
            Field::Beside(_) => String::new(),
            Field::Named(_, sign) => sign.stand_in(),
        };
        (self.name().to_owned(), value)
    }
}

impl Sign {
    /// Whether a JSON value shows that the request writes; what cannot be understood does.
    fn is_in(&self, value: &Node, paths: &Paths<'_>) -> bool {
        match (self, value) {
            (_, Node::Null) => false,
            (_, Node::Text(text)) => self.is_in_text(text, paths),
            (Self::Member(name), object @ Node::Object(_)) => object.has_member(name),
            (Self::Within(names), object @ Node::Object(_)) => object.has_within(names),
            (Self::Beyond(known), Node::Object(members)) => members
                .iter()
                .any(|(name, value)| !is_among(known, name) || !value.is_plain()),
            (Self::BeyondFlags, Node::Object(members)) => members.iter().any(|(_, value)| !value.is_flag()),
            (Self::OutsidePath | Self::Contains(_), Node::Object(_)) | (_, Node::Scalar(_) | Node::List(_)) => true,
        }
    }

    /// Whether a text value shows that the request writes; what cannot be understood does.
    fn is_in_text(&self, text: &str, paths: &Paths<'_>) -> bool {
        match self {
            // what cannot be decoded may be dropped
            Self::Contains(word) => {
                text.contains(char::REPLACEMENT_CHARACTER) || text.to_ascii_lowercase().contains(&**word)
            }
            Self::OutsidePath => !paths.all().any(|path| path.as_slice().contains(&text)),
            Self::Member(_) | Self::Within(_) | Self::Beyond(_) | Self::BeyondFlags if text.trim().is_empty() => false,
            Self::Member(_) | Self::Within(_) | Self::Beyond(_) | Self::BeyondFlags => {
                match Node::parse(text.as_bytes()) {
                    Some(Node::Null) => false,
                    Some(object @ Node::Object(_)) => object.is_ambiguous() || self.is_in(&object, paths),
                    Some(Node::Scalar(_) | Node::Text(_) | Node::List(_)) | None => true,
                }
            }
        }
    }

    /// The shortest text that shows it.
    fn stand_in(&self) -> String {
        let object = |name: &str| serde_json::json!({ name: 0 }).to_string();
        match self {
            Self::Contains(word) => word.to_string(),
            Self::Member(name) => object(name),
            Self::Within(names) => object(names.first().map_or("", |name| name)),
            // an object shows it whatever members are listed
            Self::Beyond(_) => serde_json::json!({ "": {} }).to_string(),
            Self::BeyondFlags => object(""),
            // no segment holds one
            Self::OutsidePath => "/".to_owned(),
        }
    }
}

fn is_among(globs: &[Box<str>], name: &str) -> bool {
    globs.iter().any(|glob| glob_text(glob, name))
}
