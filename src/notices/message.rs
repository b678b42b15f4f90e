//! A letter as a message of the internet (RFC 5322, MIME). Pure.
//!
//! What people wrote is in its subject and its text, and nothing of it can become a field: fields hold one line, and whatever is
//! not plain ASCII is encoded (RFC 2047). The text goes in base64, so that no mail server has to touch it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clock::Timestamp;
use crate::facts::Mailbox;

/// The longest line of base64 (RFC 2045 §6.8).
const LINE: usize = 76;
/// As much text as one encoded word takes, so that also the line that begins with the field's name has 76 characters at most
/// (RFC 2047 §2).
const WORD: usize = 39;

/// What stands on the envelope and in the head.
pub(super) struct Head<'a> {
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a Mailbox,
    pub(super) subject: &'a str,
    pub(super) language: &'a str,
    /// The same for the same letter, however often it is sent: so that whoever gets it twice can tell.
    pub(super) id: &'a str,
    pub(super) at: Timestamp,
}

/// The message, its lines ended by CRLF.
pub(super) fn compose(head: &Head<'_>, text: &str) -> String {
    let date = head.at.calendar().strftime("%a, %d %b %Y %H:%M:%S +0000");
    let fields = [
        format!("Date: {date}"),
        format!("From: Wayleave <{}>", head.from),
        format!("To: <{}>", head.to),
        format!("Message-ID: <{}@{}>", head.id, head.from.domain()),
        format!("Subject: {}", encoded(head.subject)),
        // nobody's absence answers it (RFC 3834 §5)
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        format!("Content-Language: {}", head.language),
        "Content-Transfer-Encoding: base64".to_owned(),
    ];
    let text: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
    format!("{}\r\n\r\n{}", fields.join("\r\n"), wrapped(&STANDARD.encode(text)))
}

/// Text for a field: one line, and encoded words where it is more than short ASCII.
fn encoded(text: &str) -> String {
    let line = text.split(|c: char| c.is_control()).collect::<Vec<_>>().join(" ");
    let is_plain = line.len() <= 60 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !line.contains("=?");
    if is_plain {
        return line;
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in line.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD => word.push(c),
            Some(_) | None => words.push(c.to_string()),
        }
    }
    let words = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn wrapped(encoded: &str) -> String {
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE * 2 + 2);
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push_str("\r\n");
        }
        lines.push(c);
    }
    lines.push_str("\r\n");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, text: &str) -> String {
        let from = Mailbox::parse("gate@example.org").unwrap();
        let head = Head {
            from: &from,
            to: &Mailbox::parse("ada@example.org").unwrap(),
            subject,
            language: "en",
            id: "g.approved.1",
            at: "2026-11-24T11:30:00Z".parse().unwrap(),
        };
        compose(&head, text)
    }

    fn subject(message: &str) -> String {
        let unfolded = message.replace("\r\n ", " ");
        let line = unfolded.lines().find_map(|line| line.strip_prefix("Subject: "));
        line.unwrap().to_owned()
    }

    #[test]
    fn a_message_has_the_fields_that_mail_servers_look_for() {
        insta::assert_snapshot!(message("Approved: Recruiting", "Hello").replace('\r', ""), @r"
        Date: Tue, 24 Nov 2026 11:30:00 +0000
        From: Wayleave <gate@example.org>
        To: <ada@example.org>
        Message-ID: <g.approved.1@example.org>
        Subject: Approved: Recruiting
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Language: en
        Content-Transfer-Encoding: base64

        SGVsbG8NCg==
        ");
    }

    #[test]
    fn nothing_that_people_wrote_becomes_a_field() {
        for bad in [
            "a\r\nBcc: eve@example.org",
            "a\nBcc: eve@example.org",
            "a\rBcc: eve@example.org",
            "a\u{85}Bcc: eve@example.org",
            "=?utf-8?Q?a=0ABcc:_eve?=",
            "a\r\n\r\nbody",
        ] {
            let message = message(bad, "text");
            let (head, _) = message.split_once("\r\n\r\n").unwrap();
            assert_eq!(head.lines().filter(|line| !line.starts_with(' ')).count(), 10, "{head}");
            assert!(!head.contains("\nBcc"), "{head}");
            assert!(head.is_ascii() && !head.replace("\r\n", "").contains(['\r', '\n']));
        }
    }

    #[test]
    fn a_subject_in_any_script_is_read_back_whole_and_no_line_is_too_long() {
        for text in [
            "Recrutement : Éloïse demande l’accès à « LinkedIn » et à Xing, merci de répondre",
            "日本語の件名はとても長いので折り返されますよね、そうですよね",
            &"long ascii ".repeat(20),
        ] {
            let message = message(text, "x");
            let line = subject(&message);
            let decoded: Vec<u8> = line
                .split(' ')
                .map(|word| word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap())
                .flat_map(|word| STANDARD.decode(word).unwrap())
                .collect();
            assert_eq!(String::from_utf8(decoded).unwrap(), text);
            assert!(message.lines().all(|line| line.len() <= 76), "{message}");
        }
    }

    #[test]
    fn the_text_is_read_back_whole() {
        let text = "Bonjour Éloïse,\n.\nFrom here\n".repeat(20);
        let message = message("x", &text);
        let (_, body) = message.split_once("\r\n\r\n").unwrap();
        let decoded = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap().replace("\r\n", "\n"), text);
    }
}
