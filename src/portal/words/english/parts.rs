//! Parts of sentences: spans of time, and lists.

use std::time::Duration;

/// `1 hour 30 minutes`; seconds only where there is nothing greater.
pub(super) fn span(length: Duration) -> String {
    let unit = |count: u64, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        count => Some(format!("{count} {name}s")),
    };
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [unit(days, "day"), unit(hours, "hour"), unit(minutes, "minute")];
    let parts: Vec<String> = parts.into_iter().flatten().take(2).collect();
    if parts.is_empty() {
        unit(seconds, "second").unwrap_or_else(|| "less than a second".to_owned())
    } else {
        parts.join(" ")
    }
}

/// `12,345`: groups of three.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2 GB`: by thousands, with a digit after the `point` where there is one before it.
pub(super) fn scaled(count: u64, units: [&str; 4], point: char) -> String {
    crate::portal::words::scaled(count, units, (point, ' '))
}

pub(super) fn either(words: &[&str]) -> String {
    listed(words, "or")
}

pub(super) fn both(words: &[&str]) -> String {
    listed(words, "and")
}

pub(super) fn listed(words: &[&str], joint: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {joint} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_like_speech() {
        let read = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(read(8 * 3_600), "8 hours");
        assert_eq!(read(5_400), "1 hour 30 minutes");
        assert_eq!(read(60), "1 minute");
        assert_eq!(read(59), "59 seconds");
        assert_eq!(read(14 * 86_400 + 30), "14 days");
        assert_eq!(read(0), "less than a second");
    }

    #[test]
    fn numbers_read_in_groups_of_three() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn lists_read_like_speech() {
        assert_eq!(
            either(&["recruiting", "sales", "support"]),
            "recruiting, sales or support"
        );
        assert_eq!(both(&["LinkedIn"]), "LinkedIn");
    }
}
