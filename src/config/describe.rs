//! The settings as a JSON Schema: keys and choices from the types, kinds of values from the defaults, words from the
//! comments of `deploy/wayleave.toml`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::File;
use super::shape::{self, Shape};

/// The shipped settings, whose comments say what each is for.
const SHIPPED: &str = include_str!("../../deploy/wayleave.toml");

/// What may stand in a settings file (JSON Schema, draft 2020-12).
pub fn schema() -> Value {
    let defaults = toml::Value::try_from(File::default()).ok();
    let words = words();
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The settings of wayleave",
    });
    let sections = section(&mut Vec::new(), defaults.as_ref(), &words);
    if let (Some(document), Value::Object(sections)) = (document.as_object_mut(), sections) {
        document.extend(sections);
    }
    document
}

fn section(path: &mut Vec<&'static str>, default: Option<&toml::Value>, words: &BTreeMap<String, String>) -> Value {
    let mut described = match shape::at::<File>(path) {
        Some(Shape::Section(keys)) => {
            let mut properties = Map::new();
            for key in keys {
                path.push(key);
                let inside = section(path, default.and_then(|table| table.get(key)), words);
                properties.insert((*key).to_owned(), inside);
                path.pop();
            }
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Some(Shape::Choice(names)) => json!({ "type": "string", "enum": names }),
        Some(Shape::Names) => json!({ "type": "object", "additionalProperties": true }),
        Some(Shape::Value) | None => json!({ "type": kind(default) }),
    };
    if let (Some(said), Some(described)) = (words.get(&path.join(".")), described.as_object_mut()) {
        described.insert("description".to_owned(), json!(said));
    }
    described
}

/// What a value is; one that is not set by default is a text.
fn kind(default: Option<&toml::Value>) -> &'static str {
    match default {
        Some(toml::Value::Boolean(_)) => "boolean",
        Some(toml::Value::Integer(_)) => "integer",
        Some(toml::Value::Float(_)) => "number",
        Some(toml::Value::Array(_)) => "array",
        Some(toml::Value::Table(_)) => "object",
        Some(toml::Value::String(_) | toml::Value::Datetime(_)) | None => "string",
    }
}

/// What the shipped file says of each setting, in the comment above it.
fn words() -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    let (mut section, mut said) = (String::new(), String::new());
    for line in SHIPPED.lines() {
        let line = line.trim();
        let setting = line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key);
        let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            words.insert(section.clone(), std::mem::take(&mut said));
        } else if let Some(key) = setting.filter(|key| is_key(key)) {
            let path = if section.is_empty() {
                key.to_owned()
            } else {
                format!("{section}.{key}")
            };
            words.insert(path, std::mem::take(&mut said));
        } else if let Some(comment) = line.strip_prefix("# ").filter(|text| !text.starts_with("---")) {
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(comment);
        } else {
            said.clear();
        }
    }
    words.retain(|_, said| !said.is_empty());
    words
}
