//! How large a schema becomes once its types stand written out where they are referred to, which is how Cedar keeps it. A
//! few lines, each with two of the line before, are more than any memory holds; so that is told before Cedar begins. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::facts::{Problem, SourceText};

/// Types that refer to types; what compares a schema with the gateway looks no further either.
const DEEPEST: usize = 8;
/// Of a schema in which no type is written out, as many parts make a file that nobody reads.
const LARGEST: usize = 100_000;

/// Something that the schema declares: a type, an entity or an action.
struct Declared<'a> {
    name: &'a str,
    /// How many parts it has itself.
    parts: usize,
    /// The types that it refers to, by their places among all that is declared.
    refers: Vec<usize>,
}

/// What is wrong with a schema that becomes too large.
pub(super) fn check(json: &Value, source: &SourceText) -> Result<(), Problem> {
    let declared = declared(json);
    let mut sizes = vec![1; declared.len()];
    for _ in 0..=DEEPEST {
        sizes = grown(&declared, &sizes);
    }
    let deeper = grown(&declared, &sizes);
    let refused = |one: &Declared<'_>, message: String| {
        let problem = Problem::error(
            "wayleave::schema::too-deep",
            source,
            place_of(one.name, source),
            message,
        );
        Err(problem.with_help("write a type out where it is used, instead of types of types"))
    };
    let all = || declared.iter().zip(&sizes).zip(&deeper);
    if let Some(((one, _), _)) = all().find(|((_, size), deeper)| size != deeper) {
        let message = format!("`{}` refers to types more than {DEEPEST} deep, or to itself", one.name);
        return refused(one, message);
    }
    let whole = sizes.iter().fold(0_usize, |sum, size| sum.saturating_add(*size));
    match all().max_by_key(|((_, size), _)| **size) {
        Some(((one, _), _)) if whole > LARGEST => {
            let message = format!("with all types written out, `{}` is larger than is read", one.name);
            refused(one, message)
        }
        _ => Ok(()),
    }
}

/// The sizes of all that is declared, where the types that it refers to are of `sizes`.
fn grown(declared: &[Declared<'_>], sizes: &[usize]) -> Vec<usize> {
    let size = |one: &Declared<'_>| {
        let within = one.refers.iter().filter_map(|number| sizes.get(*number));
        within.fold(one.parts, |sum, size| sum.saturating_add(*size))
    };
    declared.iter().map(size).collect()
}

/// Everything that the schema declares, of all namespaces.
fn declared(json: &Value) -> Vec<Declared<'_>> {
    let mut bodies: Vec<(&str, &str, &Value)> = Vec::new();
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for (space, members) in json.as_object().into_iter().flatten() {
        for kind in ["commonTypes", "entityTypes", "actions"] {
            for (name, body) in members.get(kind).and_then(Value::as_object).into_iter().flatten() {
                if kind == "commonTypes" {
                    types.insert(qualified(space, name), bodies.len());
                }
                bodies.push((space, name, body));
            }
        }
    }
    let one = |(space, name, body)| {
        let (mut parts, mut refers) = (1, Vec::new());
        let mut open: Vec<&Value> = vec![body];
        while let Some(part) = open.pop() {
            match part {
                Value::Object(members) => open.extend(members.values()),
                Value::Array(items) => open.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => continue,
            }
            parts += 1;
            for referred in ["type", "name"].into_iter().filter_map(|key| part.get(key)?.as_str()) {
                let here = types.get(&qualified(space, referred));
                refers.extend(here.or_else(|| types.get(referred)).copied());
            }
        }
        Declared { name, parts, refers }
    };
    bodies.into_iter().map(one).collect()
}

fn qualified(space: &str, name: &str) -> String {
    if space.is_empty() {
        name.to_owned()
    } else {
        format!("{space}::{name}")
    }
}

/// Where the schema declares it.
fn place_of(name: &str, source: &SourceText) -> (usize, usize) {
    let words = ["type", "entity", "action"].map(|kind| format!("{kind} {name}"));
    let found = words
        .iter()
        .find_map(|word| Some((source.text.find(word)?, word.len())));
    found.unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(types: &str) -> Result<(), Vec<String>> {
        let shipped = include_str!("../../policies/wayleave.cedarschema");
        let read = super::super::schema::read(&SourceText::new("wayleave.cedarschema", format!("{shipped}{types}")));
        let told = |problem: &Problem| match problem.message.as_str() {
            message if problem.line > 1 => message.to_owned(),
            message => format!("nowhere: {message}"),
        };
        read.map(drop).map_err(|problems| problems.iter().map(told).collect())
    }

    /// `type T1 = { a0: T0, a1: T0, … }; type T2 = …`
    fn chain(length: usize, width: usize) -> String {
        let line = |nth: usize| {
            let attributes: Vec<String> = (0..width).map(|each| format!("a{each}: T{}", nth - 1)).collect();
            format!("type T{nth} = {{ {} }};\n", attributes.join(", "))
        };
        let lines: String = (1..=length).map(line).collect();
        format!("type T0 = {{ a: Long }};\n{lines}")
    }

    #[test]
    fn types_of_types_are_read_as_deep_as_anybody_looks_into_them() {
        assert_eq!(told(&chain(8, 2)), Ok(()));
        for (length, width) in [(9, 1), (30, 2), (20_000, 1)] {
            let found = told(&chain(length, width)).unwrap_err();
            assert_eq!(found.len(), 1);
            assert!(
                found[0].ends_with("refers to types more than 8 deep, or to itself"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_few_types_that_would_be_millions_are_refused() {
        assert_eq!(
            told(&chain(6, 20)).unwrap_err(),
            ["with all types written out, `T6` is larger than is read"]
        );
    }

    #[test]
    fn types_of_two_namespaces_may_have_one_name() {
        let spaces = "namespace A { type T = { a: Long }; }\nnamespace B { type T = { a: A::T }; }\n";
        assert_eq!(told(spaces), Ok(()));
    }
}
