//! `wayleave schema`: what may stand in the TOML files, for editors.

mod catalog;
mod people;

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::printer;

/// Prints a JSON Schema (draft 2020-12), so that an editor knows the keys and values of a TOML file. With taplo, begin the
/// file with `#:schema path/to/the.json`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit code: 0 printed")]
pub struct Args {
    /// Of which file.
    #[arg(value_enum)]
    name: Name,
}

/// The files that have a schema.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `purposes.toml`
    Purposes,
    /// `people/*.toml`: people, roles and departments
    People,
    /// `catalog/*.toml` of a platform
    Platform,
    /// `catalog/categories.toml`
    Categories,
    /// `catalog/activities.toml`
    Activities,
    /// `catalog/local.toml`: hosts of this installation
    Hosts,
    /// `cases/*.toml`
    Cases,
    /// `properties/*.toml`
    Properties,
    /// `owners.toml`
    Owners,
    /// The settings of the gateway, `deploy/wayleave.toml`
    Settings,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    printer::data(super::shown::json(&schema(args.name)));
    ExitCode::SUCCESS
}

fn schema(name: Name) -> Value {
    match name {
        Name::Purposes => people::purposes(),
        Name::People => people::people(),
        Name::Platform => catalog::platform(),
        Name::Categories => catalog::categories(),
        Name::Activities => catalog::activities(),
        Name::Hosts => catalog::hosts(),
        Name::Cases => people::cases(),
        Name::Properties => people::properties(),
        Name::Owners => people::owners(),
        Name::Settings => crate::config::schema(),
    }
}

/// A document: the outermost table of a file.
fn document(title: &str, table: Value) -> Value {
    let mut document = Map::new();
    document.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    document.insert("title".to_owned(), json!(title));
    if let Value::Object(table) = table {
        document.extend(table);
    }
    Value::Object(document)
}

/// A table with these keys and no others.
fn table<const N: usize>(needed: &[&str], keys: [(&str, Value); N]) -> Value {
    let properties: Map<String, Value> = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

/// A table whose keys people choose themselves.
fn names(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn flag(about: &str) -> Value {
    json!({ "type": "boolean", "description": about })
}

fn number(about: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": about })
}

fn choice(about: &str, words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words, "description": about })
}

fn list(about: &str, of: &Value) -> Value {
    json!({ "type": "array", "items": of, "description": about })
}

fn texts(about: &str) -> Value {
    list(about, &json!({ "type": "string" }))
}

#[cfg(test)]
mod tests;
