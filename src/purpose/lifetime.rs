//! How long: `8h`, `30m`, `14d`, `1h30m`.

use std::time::Duration;

/// How long a grant lasts and may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Unless the declaration says otherwise.
    pub default_for: Duration,
    /// At most.
    pub longest_for: Duration,
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write `30m`, `8h`, `14d` or `1h30m`")]
pub struct BadDuration(String);

/// Parses days, hours, minutes and seconds, largest first: `1d`, `8h`, `1h30m`.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.escape_debug().take(40).collect());
    let (mut total, mut rest, mut last) = (0_u64, text.trim(), u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit.trim() {
            "d" => 86_400,
            "h" => 3_600,
            "m" | "min" => 60,
            "s" => 1,
            _ => return Err(bad()),
        };
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(seconds));
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(bad)?;
        if seconds >= last {
            return Err(bad());
        }
        (last, rest) = (seconds, tail);
    }
    if total == 0 || total > 86_400 * 3_660 {
        return Err(bad());
    }
    Ok(Duration::from_secs(total))
}

/// Shows a duration as people write it: `8h`, `1h 30m`; parts of a second are dropped.
pub fn show_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if shown.is_empty() {
        "0s".to_owned()
    } else {
        shown.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in [
            ("8h", 28_800),
            ("30min", 1_800),
            ("1h30m", 5_400),
            ("14d", 1_209_600),
            ("1h 5m", 3_900),
        ] {
            assert_eq!(parse_duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for bad in [
            "",
            "8",
            "h",
            "8x",
            "1m1h",
            "1h1h",
            "0h",
            "99999999999999999999d",
            "-1h",
            "1.5h",
            "999999d",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in 1_u64..86_400 * 3_660) {
            let span = Duration::from_secs(seconds);
            proptest::prop_assert_eq!(parse_duration(&show_duration(span)).unwrap(), span);
        }
    }
}
