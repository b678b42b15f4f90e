//! Characters that nobody sees in what somebody wrote, and that change what others read of it: who decides on a text must be
//! able to read it.

use std::fmt;

/// How many lines a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// One, without tabs.
    One,
    /// Any.
    Many,
}

/// A character that has no place in what people write to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invisible(char);

impl Invisible {
    /// The first in a text: one that commands a terminal (C0 and C1, ISO/IEC 6429), or shows what follows in another order
    /// (the embeddings, overrides and isolates of UAX #9).
    ///
    /// Marks and joiners stay: languages are written with them, and they reorder no words.
    pub fn first_in(text: &str, lines: Lines) -> Option<Self> {
        let mut rest = text.chars().peekable();
        while let Some(sign) = rest.next() {
            let breaks = match sign {
                '\n' | '\t' => true,
                '\r' => rest.peek() == Some(&'\n'),
                _ => false,
            };
            let turns = matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let is_layout = breaks && lines == Lines::Many;
            if turns || (sign.is_control() && !is_layout) {
                return Some(Self(sign));
            }
        }
        None
    }
}

impl fmt::Display for Invisible {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "U+{:04X}", u32::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, lines: Lines) -> Option<String> {
        Invisible::first_in(text, lines).map(|sign| sign.to_string())
    }

    #[test]
    fn what_nobody_sees_and_changes_what_is_read_is_found() {
        let turning = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let commanding = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        for sign in turning.chain(commanding) {
            let name = Some(format!("U+{:04X}", u32::from(sign)));
            let text = format!("a good {sign}reason");
            assert_eq!(first(&text, Lines::One), name);
            let is_layout = ['\n', '\t'].contains(&sign);
            assert_eq!(first(&text, Lines::Many), name.filter(|_| !is_layout));
        }
        assert_eq!(first("one\r\ntwo", Lines::Many), None);
        assert_eq!(first("one\rtwo", Lines::Many).as_deref(), Some("U+000D"));
        assert_eq!(first("one\r\ntwo", Lines::One).as_deref(), Some("U+000D"));
    }

    #[test]
    fn people_write_in_all_languages() {
        for text in [
            "Une candidate à Lyon, d’ici à jeudi\u{a0}: 12\u{202f}000 €",
            "מועמדת בחיפה (LinkedIn)\u{200f}",
            "می\u{200c}خواهم با نامزدها تماس بگیرم",
            "候选人联系 👩\u{200d}🔬",
        ] {
            assert_eq!(first(text, Lines::One), None, "{text}");
        }
    }
}
