//! Reads the settings: the file, then the environment, then the command line. All problems at once, each with its place.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads the settings file and the environment"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::shape::{self, Shape};
use super::{File, check};
use crate::facts::syntax::parsed;
use crate::facts::{Problem, Severity, SourceText, did_you_mean};

/// What names of environment variables that are settings start with: `WAYLEAVE__INGRESS__PLAIN=0.0.0.0:3128`.
const PREFIX: &str = "WAYLEAVE__";

/// The environment variables of this process that are settings, or look as if they were meant to be.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| name.starts_with(PREFIX) || meant(name).is_some())
        .collect()
}

/// The variable that was meant by one which differs from it in case or underscores only.
fn meant(name: &str) -> Option<String> {
    let plain = |name: &str| name.to_ascii_uppercase().replace("__", "_");
    let name = plain(name);
    let variables = shape::values::<File>()
        .into_iter()
        .map(|path| format!("{PREFIX}{}", path.join("__").to_ascii_uppercase()));
    variables.into_iter().find(|variable| plain(variable) == name)
}

/// Reads the settings.
///
/// Without a `path` the defaults count, and relative paths start at the current folder. `environment` holds variables
/// (others than `WAYLEAVE__…` are skipped, if they are not misspelt ones), `overrides` dotted paths (`ingress.plain`) with their values; later ones win.
pub fn load(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    overrides: impl IntoIterator<Item = (String, String)>,
) -> Result<File, Vec<Problem>> {
    let mut draft = Draft::default();
    if let Some(path) = path {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => draft.take_text(&SourceText::new(name, text)),
            Err(why) => draft.problems.push(
                outside("file", format!("cannot read the settings `{name}`: {why}"))
                    .with_help("check the path, or start from `deploy/wayleave.toml`"),
            ),
        }
    }
    let mut named: Vec<(String, String)> = environment.into_iter().collect();
    named.sort();
    for (name, text) in named {
        if let Some(words) = name.strip_prefix(PREFIX) {
            let words: Vec<String> = words.split("__").map(str::to_ascii_lowercase).collect();
            draft.take_word(&name, &words, &text);
        } else if let Some(meant) = meant(&name) {
            let message = format!("the variable `{name}` is no setting");
            draft
                .problems
                .push(outside("unknown", message).with_help(format!("did you mean `{meant}`?")));
        }
    }
    for (name, text) in overrides {
        let words: Vec<String> = name.split('.').map(str::to_owned).collect();
        draft.take_word(&name, &words, &text);
    }
    // Without a file, the defaults count as if `deploy/wayleave.toml` of the current folder had been read.
    let folder = path.map_or_else(|| Path::new("deploy"), |path| path.parent().unwrap_or(Path::new("")));
    draft.finish().map(|file| file.anchored(folder))
}

/// Where a setting was written.
#[derive(Clone, Debug)]
struct Origin {
    source: SourceText,
    span: (usize, usize),
}

impl Origin {
    fn problem(&self, code: &str, message: impl Into<String>) -> Problem {
        Problem::error(code, &self.source, self.span, message)
    }
}

/// The settings as far as they have been read.
#[derive(Default)]
struct Draft {
    settings: BTreeMap<Vec<String>, (Value, Origin)>,
    problems: Vec<Problem>,
}

impl Draft {
    fn take_text(&mut self, source: &SourceText) {
        let (document, slip) = parsed(source);
        if let Some(slip) = slip {
            self.problems.push(slip.problem("wayleave::config::syntax", source));
            return;
        }
        match source.text.parse::<Table>() {
            Ok(values) => {
                self.take_section(source, &[], document.get_ref(), &values);
                // The parser keeps no order; people read from the top.
                self.problems.sort_by_key(|problem| problem.span);
            }
            Err(error) => self.problems.push(Problem::error(
                "wayleave::config::syntax",
                source,
                (0, 0),
                error.message(),
            )),
        }
    }

    /// Takes the keys of one section; `places` tells where each value of `values` stands.
    fn take_section(&mut self, source: &SourceText, above: &[&str], places: &DeTable<'_>, values: &Table) {
        for (key, place) in places {
            let name: &str = key.get_ref();
            let path = [above, &[name]].concat();
            let (Some(value), shape) = (values.get(name), shape::at::<File>(&path)) else {
                continue;
            };
            let span = |range: std::ops::Range<usize>| (range.start, range.len());
            match (shape, place.get_ref(), value) {
                (None, _, _) => {
                    let origin = Origin {
                        source: source.clone(),
                        span: span(key.span()),
                    };
                    self.problems.push(unknown(&origin, above, name));
                }
                (Some(Shape::Section(_)), DeValue::Table(places), Value::Table(values)) => {
                    self.take_section(source, &path, places, values);
                }
                (Some(Shape::Section(_)), _, _) => self.problems.push(
                    Problem::error(
                        "wayleave::config::value",
                        source,
                        span(place.span()),
                        format!("`{}` is a section, not a value", path.join(".")),
                    )
                    .with_help(format!("write `[{}]` and its settings below", path.join("."))),
                ),
                (Some(shape @ (Shape::Choice(_) | Shape::Names | Shape::Value)), place_of, value) => {
                    let origin = Origin {
                        source: source.clone(),
                        span: span(narrow(key, place, place_of)),
                    };
                    self.take_value(&path, &shape, value.clone(), origin);
                }
            }
        }
    }

    fn take_value(&mut self, path: &[&str], shape: &Shape, value: Value, origin: Origin) {
        match fits(path, &value) {
            Ok(()) => {
                let path = path.iter().map(|key| (*key).to_owned()).collect();
                self.settings.insert(path, (value, origin));
            }
            Err(why) => self.problems.push(misfit(&origin, path, shape, &value, &why)),
        }
    }

    /// Takes a setting given outside the file, as a path and a text: a TOML value if it reads as one, else a string.
    fn take_word(&mut self, name: &str, words: &[String], text: &str) {
        let origin = Origin {
            source: SourceText::new(name, text),
            span: (0, text.len()),
        };
        let path: Vec<&str> = words.iter().map(String::as_str).collect();
        for (depth, word) in path.iter().enumerate() {
            let above = path.get(..depth).unwrap_or_default();
            match shape::at::<File>(above) {
                Some(Shape::Section(keys)) if keys.contains(word) => {}
                Some(Shape::Section(_)) | None => return self.problems.push(unknown(&origin, above, word)),
                Some(Shape::Choice(_) | Shape::Names | Shape::Value) => {
                    let message = format!("`{}` has no settings below it", above.join("."));
                    let problem = origin.problem("wayleave::config::unknown", message);
                    return self
                        .problems
                        .push(problem.with_help("give it a whole TOML value, e.g. `{ name = \"value\" }`"));
                }
            }
        }
        match shape::at::<File>(&path) {
            Some(shape @ (Shape::Choice(_) | Shape::Names | Shape::Value)) => {
                let typed = as_toml(text).filter(|value| fits(&path, value).is_ok());
                let value = typed.unwrap_or_else(|| Value::String(text.to_owned()));
                let value = match (fits(&path, &value), as_toml(text)) {
                    (Err(_), Some(meant)) => meant,
                    _ => value,
                };
                self.take_value(&path, &shape, value, origin);
            }
            Some(Shape::Section(_)) | None => {
                let message = format!("`{}` is a section, not a value", path.join("."));
                let problem = origin.problem("wayleave::config::value", message);
                self.problems.push(problem.with_help("name one setting of it"));
            }
        }
    }

    fn finish(mut self) -> Result<File, Vec<Problem>> {
        let mut whole = Table::new();
        for (path, (value, _)) in &self.settings {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            insert(&mut whole, &path, value.clone());
        }
        match File::deserialize(Value::Table(whole)) {
            Ok(file) => {
                for finding in check::findings(&file) {
                    let path: Vec<String> = finding.path.split('.').map(str::to_owned).collect();
                    let code = "wayleave::config::sense";
                    let problem = match self.settings.get(&path) {
                        Some((_, origin)) => origin.problem(code, finding.message),
                        None => outside("sense", format!("`{}`: {}", finding.path, finding.message)),
                    };
                    self.problems.push(problem.with_help(finding.help));
                }
                if self.problems.is_empty() {
                    Ok(file)
                } else {
                    Err(self.problems)
                }
            }
            Err(error) => {
                self.problems.push(outside("value", error.message()));
                Err(self.problems)
            }
        }
    }
}

/// The bytes to underline: those of the value; those of the key where the value is spread over several lines.
fn narrow(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    inner: &DeValue<'_>,
) -> std::ops::Range<usize> {
    if matches!(inner, DeValue::Table(_)) {
        key.span()
    } else {
        value.span()
    }
}

/// A problem with something that has no text to point into.
fn outside(what: &str, message: impl Into<String>) -> Problem {
    Problem {
        severity: Severity::Error,
        code: format!("wayleave::config::{what}"),
        file: String::new(),
        line: 0,
        column: 0,
        span: (0, 0),
        message: message.into(),
        help: None,
    }
}

fn unknown(origin: &Origin, above: &[&str], key: &str) -> Problem {
    let section = above.join(".");
    let kind = if above.is_empty() {
        "section or setting"
    } else {
        "setting"
    };
    let place = if above.is_empty() {
        String::new()
    } else {
        format!(" in `[{section}]`")
    };
    let problem = origin.problem(
        "wayleave::config::unknown",
        format!("there is no {kind} `{key}`{place}"),
    );
    let known = match shape::at::<File>(above) {
        Some(Shape::Section(keys)) => keys,
        Some(Shape::Choice(_) | Shape::Names | Shape::Value) | None => &[],
    };
    let elsewhere = shape::values::<File>()
        .into_iter()
        .find(|path| path.last() == Some(&key));
    if let Some(path) = elsewhere {
        return problem.with_help(format!("there is a setting `{}`", path.join(".")));
    }
    match did_you_mean(key, known.iter().copied()) {
        Some(meant) => problem.with_help(format!("did you mean `{meant}`?")),
        None if known.is_empty() => problem.with_help("`deploy/wayleave.toml` shows every setting"),
        None => problem.with_help(format!("use one of: {}", known.join(", "))),
    }
}

/// Whether a value can stand at a path, all else being the default.
fn fits(path: &[&str], value: &Value) -> Result<(), String> {
    let mut alone = Table::new();
    insert(&mut alone, path, value.clone());
    File::deserialize(Value::Table(alone))
        .map(drop)
        .map_err(|error| error.message().to_owned())
}

fn insert(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => drop(table.insert((*key).to_owned(), value)),
        [section, rest @ ..] => {
            let inner = table
                .entry((*section).to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The one TOML value that `text` is; a text that would smuggle a second line is none.
fn as_toml(text: &str) -> Option<Value> {
    let table = format!("value = {text}").parse::<Table>().ok()?;
    (table.len() == 1).then(|| table.into_iter().next().map(|(_, value)| value))?
}

/// Says in people's words why a value does not fit.
fn misfit(origin: &Origin, path: &[&str], shape: &Shape, value: &Value, why: &str) -> Problem {
    let name = path.join(".");
    let code = "wayleave::config::value";
    if let Shape::Choice(choices) = shape {
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let problem = origin.problem(code, format!("`{name}` cannot be `{written}`"));
        return match did_you_mean(&written, choices.iter().copied()) {
            Some(meant) => problem.with_help(format!("did you mean `{meant}`?")),
            None => problem.with_help(format!("use one of: {}", choices.join(", "))),
        };
    }
    let why = why.lines().next().unwrap_or(why);
    if why.contains("socket address") {
        let message = format!(
            "`{name}` must be an address and a port, not `{}`",
            value.to_string().trim_matches('"')
        );
        return origin
            .problem(code, message)
            .with_help("write e.g. `127.0.0.1:3128` or `[::1]:3128`");
    }
    if let Some(stranger) = no_network(value).filter(|_| why.contains("IP address syntax")) {
        let message = format!("`{name}` cannot hold `{stranger}`, which is not a network");
        return origin.problem(code, message).with_help(
            "write an address and a length, e.g. `10.0.0.0/8` or `2001:db8::/32`; `10.1.2.3/32` is one address",
        );
    }
    let expected = why
        .strip_prefix("invalid type: ")
        .or_else(|| why.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match expected {
        Some((found, expected)) => {
            let message = format!(
                "`{name}` must be {}, not {}",
                in_words(expected),
                found.replace('"', "`")
            );
            origin.problem(code, message)
        }
        None => origin.problem(code, format!("`{name}` cannot be used: {why}")),
    }
}

/// The first text in a value that is not a network.
fn no_network(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.parse::<ipnet::IpNet>().err().map(|_| text.as_str()),
        Value::Array(values) => values.iter().find_map(no_network),
        Value::Table(table) => table.values().find_map(no_network),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a string" | "str" | "path string" => "a text in quotes",
        "a sequence" => "a list in brackets",
        "a boolean" => "`true` or `false`",
        "a map" => "a table `{ name = value }`",
        other => other,
    }
}
