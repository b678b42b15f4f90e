//! Whether the schemas and the readers of the files speak of the same keys.
#![expect(clippy::disallowed_methods, reason = "the tests read the shipped schemas")]

use clap::ValueEnum as _;

use super::*;
use crate::facts::SourceText;
use crate::rulebook::Sources;

/// The schema of a file of the policies.
fn of(file: &str) -> Option<Value> {
    let name = match file.rsplit_once('/') {
        None if file == "purposes.toml" => Name::Purposes,
        None if file == "owners.toml" => Name::Owners,
        Some(("people", _)) => Name::People,
        Some(("cases", _)) => Name::Cases,
        Some(("properties", _)) => Name::Properties,
        Some(("catalog", "categories.toml")) => Name::Categories,
        Some(("catalog", "activities.toml")) => Name::Activities,
        Some(("catalog", "local.toml")) => Name::Hosts,
        Some(("catalog", _)) => Name::Platform,
        _ => return None,
    };
    Some(schema(name))
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(moment) => json!(moment.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect())
        }
        plain
        @ (toml::Value::String(_) | toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_)) => {
            serde_json::to_value(plain).unwrap()
        }
    }
}

fn complaints(schema: &Value, text: &str) -> Vec<String> {
    let judge = jsonschema::draft202012::new(schema).unwrap();
    let value = json_of(toml::Value::Table(text.parse().unwrap()));
    judge
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_shipped_file_is_as_its_schema_says() {
    let sources = Sources::embedded();
    let mut compared = 0;
    for file in sources
        .files()
        .filter(|file| file.name.rsplit('.').next() == Some("toml"))
    {
        let schema = of(&file.name).unwrap_or_else(|| panic!("{} has no schema", file.name));
        assert_eq!(complaints(&schema, &file.text), [""; 0], "{}", file.name);
        compared += 1;
    }
    assert!(compared > 90, "{compared}");
    let settings = include_str!("../../../deploy/wayleave.toml");
    assert_eq!(complaints(&schema(Name::Settings), settings), [""; 0]);
}

#[test]
fn a_schema_tells_a_key_that_is_not_known_one_that_is_missing_and_a_word_that_is_none() {
    let text = "[[purpose]]\nid = \"x\"\ntitel = \"X\"\napproval = \"nobody\"\n";
    let told = complaints(&schema(Name::Purposes), text).join("\n");
    for part in ["titel", "\"title\" is a required property", "\"nobody\" is not one of"] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_ne!(
        complaints(&schema(Name::Settings), "[ingress]\nplane = \"x\"\n"),
        [""; 0]
    );
}

#[test]
fn every_schema_is_one() {
    for name in Name::value_variants() {
        assert!(jsonschema::draft202012::meta::is_valid(&schema(*name)), "{name:?}");
    }
}

/// Every key of a schema, as a file that holds it: the tables that it is in, and the key.
fn each_key(schema: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, inside) in properties.into_iter().flatten() {
        let path: Vec<String> = path.iter().cloned().chain([key.clone()]).collect();
        let is_list = inside.get("type") == Some(&json!("array"));
        let table = if is_list { &inside["items"] } else { inside };
        if table.get("properties").is_some() {
            let path: Vec<String> = if is_list {
                path.iter().cloned().chain(["[]".to_owned()]).collect()
            } else {
                path.clone()
            };
            each_key(table, &path, found);
        }
        found.push(path);
    }
}

#[test]
fn the_readers_know_every_key_of_the_schemas() {
    let shipped = Sources::embedded();
    for name in [
        "purposes.toml",
        "people/people.toml",
        "cases/x.toml",
        "catalog/x.toml",
        "catalog/categories.toml",
        "catalog/activities.toml",
        "catalog/local.toml",
    ] {
        let mut keys = Vec::new();
        each_key(&of(name).unwrap(), &[], &mut keys);
        let unknown = told_of(&shipped, name, &keys);
        assert_eq!(
            unknown, [""; 0],
            "{name}: the reader does not know what the schema lists"
        );
        let stranger: Vec<Vec<String>> = keys
            .iter()
            .map(|path| {
                path[..path.len() - 1]
                    .iter()
                    .cloned()
                    .chain(["qqqq".to_owned()])
                    .collect()
            })
            .collect();
        assert!(
            !told_of(&shipped, name, &stranger).is_empty(),
            "{name}: a stranger is not told"
        );
    }
}

/// What is told of keys that are not known, where a file holds nothing but these.
fn told_of(shipped: &Sources, name: &str, keys: &[Vec<String>]) -> Vec<String> {
    let needed = ["catalog/categories.toml", "catalog/activities.toml"];
    // cases need rules that are whole; for the others a small catalogue is enough
    let is_needed = |file: &&SourceText| !file.name.starts_with("catalog/") || needed.contains(&&*file.name);
    let mut told = Vec::new();
    let whole = crate::rulebook::Rulebook::assemble(shipped).unwrap();
    for path in keys {
        let mut text = path
            .iter()
            .rev()
            .fold("1".to_owned(), |inside, part| match part.as_str() {
                "[]" => format!("[{inside}]"),
                key => format!("{{ {key} = {inside} }}"),
            });
        text = text.strip_prefix("{ ").unwrap().strip_suffix(" }").unwrap().to_owned();
        if name == "catalog/x.toml" && path[0] != "id" {
            text.push_str("\nid = \"x\"\n");
        }
        let file = SourceText::new(name, text);
        let mut problems = if name.starts_with("cases/") {
            whole.rulebook.cases(&whole.directory, &[file]).1
        } else {
            let others = shipped.files().filter(is_needed).filter(|file| file.name != name);
            let files = others.cloned().chain([file]);
            let sources = Sources::from_files(files.collect()).unwrap();
            crate::rulebook::Rulebook::assemble(&sources).err().unwrap_or_default()
        };
        problems.retain(|problem| problem.file == name && problem.code.ends_with("unknown-key"));
        told.extend(problems.iter().map(ToString::to_string));
    }
    told
}

/// Beside what they are about, so that they are found wherever the folder goes.
#[test]
fn the_shipped_schemas_are_those_that_are_printed_and_each_shipped_file_names_its_own() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in Name::value_variants() {
        let file = format!("policies/schemas/{}.json", name.to_possible_value().unwrap().get_name());
        let shipped = std::fs::read_to_string(root.join(&file)).unwrap();
        let printed = crate::cli::shown::json(&schema(*name));
        assert_eq!(
            shipped.trim_end(),
            printed,
            "print it again: wayleave schema … > {file}"
        );
    }
    let settings = SourceText::new("../deploy/wayleave.toml", include_str!("../../../deploy/wayleave.toml"));
    let sources = Sources::embedded();
    let is_toml = |file: &&SourceText| file.name.rsplit('.').next() == Some("toml");
    for file in sources.files().filter(is_toml).chain([&settings]) {
        let first = file.text.lines().next().unwrap();
        let path = first
            .strip_prefix("#:schema ")
            .unwrap_or_else(|| panic!("{} names no schema", file.name));
        let folder = root.join("policies").join(&file.name);
        let named = std::fs::read_to_string(folder.parent().unwrap().join(path)).unwrap();
        let own = of(&file.name).unwrap_or_else(|| schema(Name::Settings));
        assert_eq!(serde_json::from_str::<Value>(&named).unwrap(), own, "{}", file.name);
    }
}
