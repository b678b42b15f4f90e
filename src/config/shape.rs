//! Which settings there are: asked of the types themselves, so that the list cannot fall behind.
//!
//! A deserialiser that holds nothing notes what a type asks for: the fields of a struct, the variants of an enum. Unlike
//! a look at default values it also sees settings that are not set by default.

use std::cell::RefCell;

use serde::de::value::Error;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};

/// What stands at a path of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A section, with these keys.
    Section(&'static [&'static str]),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Names that people choose themselves, with a value each.
    Names,
    /// A value.
    Value,
}

/// What stands at `path` in `T`; none if there is no such key.
pub(super) fn at<T: DeserializeOwned>(path: &[&str]) -> Option<Shape> {
    let found = RefCell::new(None);
    let probe = Probe { path, found: &found };
    // It holds nothing, so it always fails; what it was asked for is the answer.
    drop(T::deserialize(probe));
    found.into_inner()
}

/// Every path that holds a value, in the order of the types.
pub(super) fn values<T: DeserializeOwned>() -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<&'static str>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        match at::<T>(&path) {
            Some(Shape::Section(keys)) => open.extend(keys.iter().rev().map(|key| [&path[..], &[*key]].concat())),
            Some(Shape::Choice(_) | Shape::Names | Shape::Value) => found.push(path),
            None => {}
        }
    }
    found
}

#[derive(Clone, Copy)]
struct Probe<'a> {
    path: &'a [&'a str],
    found: &'a RefCell<Option<Shape>>,
}

impl Probe<'_> {
    fn note<T>(&self, shape: Shape) -> Result<T, Error> {
        if self.path.is_empty() {
            self.found.replace(Some(shape));
        }
        Err(Error::custom("a probe holds nothing"))
    }
}

macro_rules! plain_values {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.note(Shape::Value)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    plain_values! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_seq deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.note(Shape::Names)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.note(Shape::Choice(variants))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Error> {
        self.note(Shape::Value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        self.note(Shape::Value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, _: V) -> Result<V::Value, Error> {
        self.note(Shape::Value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.path.split_first() {
            None => self.note(Shape::Section(fields)),
            Some((key, rest)) if fields.contains(key) => visitor.visit_map(OneField {
                key: Some(key),
                inside: Probe { path: rest, ..self },
            }),
            Some(_) => Err(Error::custom("there is no such key")),
        }
    }
}

/// A struct of which only one field is given.
struct OneField<'a> {
    key: Option<&'a str>,
    inside: Probe<'a>,
}

impl<'de> MapAccess<'de> for OneField<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.key.take() {
            Some(key) => seed
                .deserialize(IntoDeserializer::<Error>::into_deserializer(key))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.inside)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct House {
        door: Door,
        rooms: BTreeMap<String, u8>,
        colour: Colour,
        owner: Option<String>,
    }

    #[derive(Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Door {
        width_mm: u16,
        bells: Vec<String>,
    }

    #[derive(Deserialize, Default)]
    #[serde(rename_all = "kebab-case")]
    enum Colour {
        #[default]
        DeepRed,
        Blue,
    }

    #[test]
    fn the_types_tell_their_keys_and_choices() {
        assert_eq!(
            at::<House>(&[]),
            Some(Shape::Section(&["door", "rooms", "colour", "owner"]))
        );
        assert_eq!(at::<House>(&["door"]), Some(Shape::Section(&["width_mm", "bells"])));
        assert_eq!(at::<House>(&["door", "bells"]), Some(Shape::Value));
        assert_eq!(at::<House>(&["rooms"]), Some(Shape::Names));
        assert_eq!(at::<House>(&["colour"]), Some(Shape::Choice(&["deep-red", "blue"])));
        assert_eq!(
            at::<House>(&["owner"]),
            Some(Shape::Value),
            "also what is not set by default"
        );
    }

    #[test]
    fn what_is_not_there_has_no_shape() {
        for path in [
            &["dor"][..],
            &["door", "width"],
            &["door", "width_mm", "x"],
            &["rooms", "kitchen"],
        ] {
            assert_eq!(at::<House>(path), None, "{path:?}");
        }
    }

    #[test]
    fn all_values_are_listed_in_the_order_of_the_types() {
        let paths: Vec<String> = values::<House>().iter().map(|path| path.join(".")).collect();
        assert_eq!(paths, ["door.width_mm", "door.bells", "rooms", "colour", "owner"]);
    }
}
