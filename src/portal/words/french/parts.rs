//! Parts of sentences: spans of time, moments, numbers and lists.

use std::time::Duration;

use jiff::Zoned;

/// `1 heure 30 minutes`; seconds only where there is nothing greater.
pub(super) fn span(length: Duration) -> String {
    let unit = |count: u64, name: &str| match count {
        0 => None,
        1 => Some(format!("1\u{a0}{name}")),
        count => Some(format!("{}\u{a0}{name}s", number(count))),
    };
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [unit(days, "jour"), unit(hours, "heure"), unit(minutes, "minute")];
    let parts: Vec<String> = parts.into_iter().flatten().take(2).collect();
    if parts.is_empty() {
        unit(seconds, "seconde").unwrap_or_else(|| "moins d’une seconde".to_owned())
    } else {
        parts.join(" ")
    }
}

/// `12 345`: groups of three, with narrow spaces that do not break.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1,2 Go`: by thousands, with a digit after the `point` where there is one before it.
pub(super) fn scaled(count: u64, units: [&str; 4], point: char) -> String {
    crate::portal::words::scaled(count, units, (point, '\u{a0}'))
}

/// `1 motif`, `12 345 motifs`.
pub(super) fn counted(count: usize, one: &str, several: &str) -> String {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    format!("{}\u{a0}{}", number(count), if count < 2 { one } else { several })
}

const DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// `16 h 05`
pub(super) fn clock(moment: &Zoned) -> String {
    format!("{}\u{a0}h\u{a0}{:02}", moment.hour(), moment.minute())
}

/// `lundi 23 novembre à 16 h 05`
pub(super) fn calendar(moment: &Zoned) -> String {
    let weekday = usize::try_from(moment.weekday().to_monday_zero_offset()).ok();
    let weekday = weekday.and_then(|day| DAYS.get(day)).unwrap_or(&"");
    format!("{weekday} {} à {}", day_of_month(moment), clock(moment))
}

/// `30 juin 2027`
pub(super) fn day(moment: &Zoned) -> String {
    format!("{} {}", day_of_month(moment), moment.year())
}

fn day_of_month(moment: &Zoned) -> String {
    let month = usize::try_from(moment.month() - 1).ok();
    let month = month.and_then(|month| MONTHS.get(month)).unwrap_or(&"");
    match moment.day() {
        1 => format!("1er\u{a0}{month}"),
        day => format!("{day}\u{a0}{month}"),
    }
}

/// A moment begins with its hour (`16 h 05`), or with its day (`lundi 23 novembre à 16 h 05`).
fn is_hour(when: &str) -> bool {
    when.starts_with(|first: char| first.is_ascii_digit())
}

/// `à 16 h 05`, `le lundi 23 novembre à 16 h 05`
pub(super) fn at(when: &str) -> String {
    if is_hour(when) {
        format!("à {when}")
    } else {
        format!("le {when}")
    }
}

/// `jusqu’à 16 h 05`, `jusqu’au lundi 23 novembre à 16 h 05`
pub(super) fn until(when: &str) -> String {
    if is_hour(when) {
        format!("jusqu’à {when}")
    } else {
        format!("jusqu’au {when}")
    }
}

/// `à partir de 16 h 05`, `à partir du lundi 23 novembre à 16 h 05`
pub(super) fn from_then(when: &str) -> String {
    if is_hour(when) {
        format!("à partir de {when}")
    } else {
        format!("à partir du {when}")
    }
}

/// `avant 16 h 05`, `avant le lundi 23 novembre à 16 h 05`
pub(super) fn before(when: &str) -> String {
    if is_hour(when) {
        format!("avant {when}")
    } else {
        format!("avant le {when}")
    }
}

pub(super) fn either(words: &[&str]) -> String {
    listed(words, "ou")
}

pub(super) fn both(words: &[&str]) -> String {
    listed(words, "et")
}

fn listed(words: &[&str], joint: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {joint} {last}", first.join(", ")),
    }
}

/// `« a », « b »`: what stands in a file or a call by this name.
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("« {name} »")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_like_speech() {
        let read = |seconds| span(Duration::from_secs(seconds)).replace('\u{a0}', " ");
        assert_eq!(read(8 * 3_600), "8 heures");
        assert_eq!(read(5_400), "1 heure 30 minutes");
        assert_eq!(read(60), "1 minute");
        assert_eq!(read(59), "59 secondes");
        assert_eq!(read(14 * 86_400 + 30), "14 jours");
        assert_eq!(read(0), "moins d’une seconde");
    }

    #[test]
    fn numbers_have_groups_of_three() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (50_000, "50\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(number(count), text);
        }
        assert_eq!(counted(0, "motif", "motifs"), "0\u{a0}motif");
        assert_eq!(counted(2, "motif", "motifs"), "2\u{a0}motifs");
    }

    #[test]
    fn moments_read_like_speech_wherever_they_stand() {
        let moment: Zoned = "2027-02-01T09:05:00+01:00[Europe/Paris]".parse().unwrap();
        let plain = |text: String| text.replace('\u{a0}', " ");
        assert_eq!(plain(clock(&moment)), "9 h 05");
        assert_eq!(plain(calendar(&moment)), "lundi 1er février à 9 h 05");
        assert_eq!(plain(day(&moment)), "1er février 2027");
        assert_eq!(
            [at("9 h 05"), until("9 h 05"), before("9 h 05")],
            ["à 9 h 05", "jusqu’à 9 h 05", "avant 9 h 05"]
        );
        let monday = "lundi 1er février à 9 h 05";
        assert_eq!(at(monday), format!("le {monday}"));
        assert_eq!(until(monday), format!("jusqu’au {monday}"));
        assert_eq!(before(monday), format!("avant le {monday}"));
    }

    #[test]
    fn lists_read_like_speech() {
        assert_eq!(either(&["a", "b", "c"]), "a, b ou c");
        assert_eq!(both(&["LinkedIn"]), "LinkedIn");
    }
}
