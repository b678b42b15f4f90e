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

    /// Whether an object anywhere inside names a key twice.
    pub(super) fn has_twins(&self) -> bool {
        match self {
            Self::Null | Self::Scalar(_) | Self::Text(_) => false,
            Self::List(items) => items.iter().any(Self::has_twins),
            Self::Object(members) => {
                let mut seen = BTreeSet::new();
                members
                    .iter()
                    .any(|(key, value)| !seen.insert(key) || value.has_twins())
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
    fn a_key_that_is_named_twice_is_noticed_at_any_depth() {
        for (text, twins) in [
            (r#"{"a":1,"b":1}"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"\u0061":2}"#, true),
            (r#"[{"x":{"a":1,"a":1}}]"#, true),
            (r#"[{"a":1},{"a":1}]"#, false),
        ] {
            assert_eq!(Node::parse(text.as_bytes()).unwrap().has_twins(), twins, "{text}");
        }
    }

    #[test]
    fn what_is_not_quite_json_is_not_json() {
        for text in ["", "{", "{} x", "{'a':1}", "\u{feff}{}", "NaN", &"[".repeat(5_000)] {
            assert!(Node::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
