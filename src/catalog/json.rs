//! JSON as strictly as two readers could agree on: every key once, nothing after the end.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value that keeps repeated keys, so that they can be noticed.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    /// A number or a truth value, as text.
    Scalar(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Parses a whole text (RFC 8259); nesting is limited.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether an object anywhere inside names a key twice, or one that some readers would cut off or mend.
    pub(super) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Null | Self::Scalar(_) | Self::Text(_) => false,
            Self::List(items) => items.iter().any(Self::is_ambiguous),
            Self::Object(members) => {
                let mut seen = BTreeSet::new();
                members.iter().any(|(key, value)| {
                    !seen.insert(key) || key.contains(['\0', char::REPLACEMENT_CHARACTER]) || value.is_ambiguous()
                })
            }
        }
    }

    /// Whether it is an object with this member; readers that ignore case count.
    pub(super) fn has_member(&self, name: &str) -> bool {
        match self {
            Self::Object(members) => members.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)),
            Self::Null | Self::Scalar(_) | Self::Text(_) | Self::List(_) => false,
        }
    }

    /// Whether an object anywhere inside has a member with one of these names; readers that ignore case count.
    pub(super) fn has_within(&self, names: &[Box<str>]) -> bool {
        match self {
            Self::Null | Self::Scalar(_) => false,
            Self::Text(text) => Self::nested(text).is_some_and(|value| value.has_within(names)),
            Self::List(items) => items.iter().any(|item| item.has_within(names)),
            Self::Object(members) => members
                .iter()
                .any(|(key, value)| names.iter().any(|name| name.eq_ignore_ascii_case(key)) || value.has_within(names)),
        }
    }

    /// Whether there is no object in it, nor in a text of it that is JSON itself.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Null | Self::Scalar(_) => true,
            Self::Text(text) => Self::nested(text).is_none_or(|value| value.is_plain()),
            Self::List(items) => items.iter().all(Self::is_plain),
            Self::Object(_) => false,
        }
    }

    /// Whether it is a truth value.
    pub(super) fn is_flag(&self) -> bool {
        matches!(self, Self::Scalar(text) if text == "true" || text == "false")
    }

    /// What a text holds that is JSON itself, other than a single value.
    fn nested(text: &str) -> Option<Self> {
        let text = text.trim_start();
        text.starts_with(['{', '[', '"'])
            .then(|| Self::parse(text.as_bytes()))?
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_named_twice_or_that_readers_cut_off_is_noticed_at_any_depth() {
        for (text, ambiguous) in [
            (r#"{"a":1,"b":1}"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"\u0061":2}"#, true),
            (r#"[{"x":{"a":1,"a":1}}]"#, true),
            (r#"[{"a":1},{"a":1}]"#, false),
            (r#"{"x":{"a\u0000b":1}}"#, true),
            (r#"{"x":{"a\ufffd":1}}"#, true),
            (r#"{"x":"a\u0000b"}"#, false),
        ] {
            assert_eq!(
                Node::parse(text.as_bytes()).unwrap().is_ambiguous(),
                ambiguous,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_quite_json_is_not_json() {
        for text in ["", "{", "{} x", "{'a':1}", "\u{feff}{}", "NaN", &"[".repeat(5_000)] {
            assert!(Node::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
