//! Values of a counterexample as people write them.

use cedar_policy::{EvalResult, Request};

use crate::clock::Timestamp;

/// What the solver makes up and gives no name.
pub(super) const ANOTHER: &str = "another";

/// The day of the week that a number stands for.
pub(super) fn weekday(number: &str) -> &'static str {
    match number {
        "1" => "Monday",
        "2" => "Tuesday",
        "3" => "Wednesday",
        "4" => "Thursday",
        "5" => "Friday",
        "6" => "Saturday",
        "7" => "Sunday",
        _ => "no day of the week",
    }
}

/// A value and what is in it, each with its path.
pub(super) fn flatten(path: &str, value: &EvalResult, request: &Request, facts: &mut Vec<(String, String)>) {
    match value {
        EvalResult::Record(record) => {
            for (key, value) in record.iter() {
                flatten(&format!("{path}.{key}"), value, request, facts);
            }
        }
        EvalResult::EntityUid(uid) if uid.type_name().basename() == "User" => {
            let same = request.principal() == Some(uid);
            let who = if same { "themselves" } else { "somebody else" };
            facts.push((path.to_owned(), who.to_owned()));
        }
        EvalResult::EntityUid(_)
        | EvalResult::Bool(_)
        | EvalResult::Long(_)
        | EvalResult::String(_)
        | EvalResult::Set(_)
        | EvalResult::ExtensionValue(_) => facts.push((path.to_owned(), plain(value))),
    }
}

/// A name; the solver also makes up things without one.
pub(super) fn named(id: &str) -> String {
    if id.is_empty() {
        ANOTHER.to_owned()
    } else {
        id.to_owned()
    }
}

/// A value as people write it.
pub(super) fn plain(value: &EvalResult) -> String {
    match value {
        EvalResult::Bool(value) => value.to_string(),
        EvalResult::Long(value) => value.to_string(),
        EvalResult::String(value) => value.clone(),
        EvalResult::EntityUid(uid) => named(uid.id().unescaped()),
        EvalResult::Set(set) => {
            let items: Vec<String> = set.iter().map(|item| format!("`{}`", plain(item))).collect();
            items.join(", ")
        }
        EvalResult::Record(record) => record
            .iter()
            .map(|(key, value)| format!("{key} = {}", plain(value)))
            .collect::<Vec<_>>()
            .join(", "),
        EvalResult::ExtensionValue(text) => extension(text),
    }
}

/// `datetime("…")`, `datetime("…").offset(duration("…"))`, `duration("…")` and their kind, without the calls.
fn extension(text: &str) -> String {
    let quoted: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    let millis = |text: &str| text.strip_suffix("ms").and_then(|number| number.parse::<i64>().ok());
    match (text.contains("datetime"), quoted.as_slice()) {
        (true, [day, rest @ ..]) => {
            let whole = if day.contains('T') {
                day.replace("+0000", "Z")
            } else {
                format!("{day}T00:00:00Z")
            };
            let more = rest.first().map_or(Some(0), |text| millis(text));
            match (whole.parse::<Timestamp>(), more) {
                (Ok(start), Some(more)) => {
                    let start = start.calendar().as_millisecond();
                    Timestamp::from_millis(start.saturating_add(more)).to_string()
                }
                _ => text.to_owned(),
            }
        }
        (false, [inner]) => match millis(inner).filter(|_| text.contains("duration")) {
            Some(span) => {
                let (hours, minutes, seconds) = (span / 3_600_000, span / 60_000 % 60, span / 1000 % 60);
                match (seconds, span % 1000) {
                    (0, 0) => format!("{hours:02}:{minutes:02}"),
                    (_, 0) => format!("{hours:02}:{minutes:02}:{seconds:02}"),
                    (_, millis) => format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
                }
            }
            None => (*inner).to_owned(),
        },
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_written_as_people_write_them() {
        for (cedar, plain) in [
            (
                r#"datetime("1970-01-01").offset(duration("1795424400000ms"))"#,
                "2026-11-23T09:00:00.000Z",
            ),
            (r#"datetime("2026-11-24")"#, "2026-11-24T00:00:00.000Z"),
            (r#"duration("45000000ms")"#, "12:30"),
            (r#"ip("127.0.0.1")"#, "127.0.0.1"),
        ] {
            assert_eq!(extension(cedar), plain, "{cedar}");
        }
    }
}
