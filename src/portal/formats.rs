//! How what a search found is written down: as JSON, as ever, or as a file, a table or JSON Lines. Pure.

use http::header::{self, HeaderMap};
use serde_json::{Value, json};

use super::intake::Received;
use super::wanted::BadFilter;
use crate::facts::csv_cell;

/// How what was found is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Lines,
}

impl Format {
    /// The name in addresses.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Lines => "jsonl",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Lines => "application/jsonl",
        }
    }
}

/// What an address says of how it is to be written down; nothing where that is as ever.
pub(super) fn format_of(received: &Received) -> Result<Option<Format>, BadFilter> {
    match received.asked("format").as_deref() {
        None | Some("" | "json") => Ok(None),
        Some("csv") => Ok(Some(Format::Csv)),
        Some("jsonl") => Ok(Some(Format::Lines)),
        Some(_) => Err(BadFilter::Unreadable("format")),
    }
}

/// What a tool would rather have (RFC 9110 §12.5.1), where it says so: JSON where it likes that as well.
pub(super) fn accepted(headers: &HeaderMap) -> Option<Format> {
    let mut liked: Vec<(u16, Option<Format>)> = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().ok()?.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next()?.to_ascii_lowercase().as_str() {
                "text/csv" => Some(Format::Csv),
                "application/jsonl" | "application/x-ndjson" => Some(Format::Lines),
                "application/json" | "application/*" | "*/*" => None,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            liked.push((weight.map_or(1_000, thousandths), format));
        }
    }
    let most = liked.iter().map(|(weight, _)| *weight).max().filter(|most| *most > 0)?;
    let mut best = liked
        .into_iter()
        .filter(|(weight, _)| *weight == most)
        .map(|(_, format)| format);
    let first = best.next().flatten();
    first.filter(|_| best.all(|format| format.is_some()))
}

/// `0.5` as thousandths; nothing that cannot be read counts.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let whole: u16 = whole.parse().unwrap_or(0);
    whole
        .saturating_mul(1_000)
        .saturating_add(digits.parse().unwrap_or(0))
        .min(1_000)
}

/// The columns of a table of decisions, each a member of what tools are told of one.
pub(super) const OF_DECISIONS: &[&str] = &[
    "id",
    "at",
    "user",
    "host",
    "platform",
    "activity",
    "outcome",
    "purpose",
    "grant",
    "let_pass",
    "policies",
    "ended",
    "status",
    "decrypted",
    "policy_revision",
];

/// The same of other lines.
pub(super) const OF_LINES: &[&str] = &[
    "id",
    "at",
    "kind",
    "act",
    "by",
    "whose",
    "grant",
    "token",
    "purpose",
    "platforms",
    "what",
    "why",
    "withheld",
    "policies",
    "policy_revision",
];

impl Format {
    pub(super) fn row(self, row: &Value, columns: &[&str]) -> String {
        match self {
            Self::Lines => format!("{row}\n"),
            Self::Csv => {
                let cells = columns
                    .iter()
                    .map(|column| cell(row.get(column).unwrap_or(&Value::Null)));
                format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The last line of a file that does not tell all, which says so.
    pub(super) fn end(self, what: &str, text: &str, next: Option<&str>) -> String {
        match self {
            Self::Lines => format!("{}\n", json!({ "end": what, "text": text, "next": next })),
            Self::Csv => format!("{}\r\n", csv_cell(text)),
        }
    }
}

/// What a table says of a member: several things with spaces between, sentences as well.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().unwrap_or_default());
            texts.collect::<Vec<_>>().join(" ")
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    csv_cell(&text)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_table_is_sent_where_a_tool_likes_that_more_than_json() {
        for (accept, format) in [
            ("*/*", None),
            ("text/csv", Some(Format::Csv)),
            ("text/csv, */*;q=0.1", Some(Format::Csv)),
            ("text/csv;q=0.5, application/json", None),
            ("application/json, text/csv", None),
            ("application/jsonl", Some(Format::Lines)),
            ("application/x-ndjson;q=0.9, text/csv;q=0.8", Some(Format::Lines)),
            ("text/csv;q=0", None),
            ("text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepted(&headers), format, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }

    #[test]
    fn nothing_that_somebody_wrote_is_a_formula_in_a_table() {
        let row = json!({ "by": "=1+1", "what": "a, \"b\"", "why": ["@x", "-y"], "let_pass": false, "grant": null });
        let told = Format::Csv.row(&row, &["by", "what", "why", "let_pass", "grant"]);
        assert_eq!(told, "'=1+1,\"a, \"\"b\"\"\",'@x -y,false,\r\n");
        assert_eq!(Format::Csv.end("cut-off", "=x", None), "'=x\r\n");
    }
}
