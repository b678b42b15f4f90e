//! The text fields of a `multipart/form-data` body (RFC 7578), read so strictly that no server reads other fields.

use super::peek::is_known_charset;

/// A part of the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'b> {
    pub(super) name: String,
    pub(super) is_file: bool,
    pub(super) content: &'b [u8],
}

/// The parts of a whole body; none if it is anything but regular.
pub(super) fn parts<'b>(body: &'b [u8], boundary: &str) -> Option<Vec<Part<'b>>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(format!("--{boundary}").as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let (head, after) = split_once(rest, b"\r\n\r\n")?;
        let (content, next) = split_once(after, delimiter.as_bytes())?;
        // To some servers a bare line feed is enough before a boundary.
        if split_once(content, format!("--{boundary}").as_bytes()).is_some() {
            return None;
        }
        let (name, is_file) = disposition(std::str::from_utf8(head).ok()?)?;
        parts.push(Part { name, is_file, content });
        rest = next;
    }
}

fn split_once<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..start)?, bytes.get(start + at.len()..)?))
}

/// The field's name and whether it is a file, from a part's header section.
fn disposition(head: &str) -> Option<(String, bool)> {
    let (mut found, mut kind) = (None, None);
    for line in head.split("\r\n") {
        if line.contains(|c: char| c.is_ascii_control()) {
            return None;
        }
        let (field, value) = line.split_once(':')?;
        if field.eq_ignore_ascii_case("content-disposition") {
            let twice = found.replace(parameters(value)?).is_some();
            if twice {
                return None;
            }
        } else if !field.eq_ignore_ascii_case("content-type") || kind.replace(value).is_some() {
            // An encoding, a range, a folded line: servers differ in what they make of it.
            return None;
        }
    }
    let parameters = found?;
    let mut name = None;
    let mut is_file = false;
    for (key, value) in parameters {
        match key.as_str() {
            "name" if name.is_none() => name = Some(value),
            "filename" | "filename*" => is_file = true,
            _ => return None,
        }
    }
    let stands = kind.is_none_or(|kind| is_read_as_it_stands(kind, is_file));
    stands.then_some((name?, is_file))
}

/// Whether a part of this type is what its bytes say: text in a charset that we read, with no parts of its own.
fn is_read_as_it_stands(kind: &str, is_file: bool) -> bool {
    let mut parameters = kind.split(';');
    let essence = parameters.next().unwrap_or_default().trim().to_ascii_lowercase();
    let has_parts = essence.starts_with("multipart/") || essence.starts_with("message/");
    // Some servers look for the word, wherever it stands.
    let is_known = |parameter: &str| match parameter.split_once('=') {
        Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
            is_known_charset(value.trim().trim_matches('"'))
        }
        Some(_) | None => !parameter.to_ascii_lowercase().contains("charset"),
    };
    !has_parts && (is_file || parameters.all(is_known))
}

/// The parameters of `form-data; name="a"; filename="b"`. What servers take for more or less than stands there (other quotes,
/// spaces around `=` and in bare values) is not read.
fn parameters(value: &str) -> Option<Vec<(String, String)>> {
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim_matches(' ').eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut found = Vec::new();
    while !rest.trim_matches(' ').is_empty() {
        let (key, after) = rest.trim_start_matches(' ').split_once('=')?;
        let (text, next) = parameter_value(after)?;
        if text.contains('\\') {
            return None;
        }
        found.push((key.to_ascii_lowercase(), text.to_owned()));
        rest = match next.trim_start_matches(' ') {
            "" => "",
            more => more.strip_prefix(';')?,
        };
    }
    Some(found)
}

/// The value that `text` begins with, without its quotes, and what comes after it.
fn parameter_value(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let end = text.find([';', ' ']).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(bare, _)| is_bare(bare))
}

fn is_bare(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";

    fn part(parameters: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; {parameters}\r\n\r\n1\r\n--b--")
    }

    #[test]
    fn fields_and_files_are_told_apart() {
        let body = format!(
            "{HEAD}one\r\n--b\r\ncontent-disposition: form-data; name=f; filename=\"x;y.png\"\r\nContent-Type: image/png\r\n\r\n\u{0}\r\n--b--\r\n"
        );
        let found = parts(body.as_bytes(), "b").unwrap();
        assert_eq!(
            (found[0].name.as_str(), found[0].is_file, found[0].content),
            ("a", false, &b"one"[..])
        );
        assert_eq!((found[1].name.as_str(), found[1].is_file), ("f", true));
    }

    #[test]
    fn what_servers_may_read_differently_is_not_read() {
        for body in [
            String::new(),
            format!("preamble\r\n{HEAD}one\r\n--b--"),
            format!("{HEAD}one\r\n--b-- epilogue"),
            format!("{HEAD}one"),
            "--b\nContent-Disposition: form-data; name=\"a\"\n\none\n--b--".to_owned(),
            "--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n1\r\n--b--".to_owned(),
            "--b\r\nContent-Disposition: form-data; name=\"a\"; name*=utf-8''b\r\n\r\n1\r\n--b--".to_owned(),
            "--b\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\n1\r\n--b--".to_owned(),
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--b--"
                .to_owned(),
            "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--".to_owned(),
            // text in another charset, parts within a part, two types
            part("name=\"a\"\r\nContent-Type: text/plain; charset=utf-7"),
            part("name=\"a\"\r\nContent-Type: text/plain; x=\"charset=utf-7\""),
            part("name=\"a\"\r\nContent-Type: text/plain; charset*=utf-8''utf-7"),
            part("name=\"a\"\r\nContent-Type: multipart/mixed; boundary=c"),
            part("name=\"a\"\r\nContent-Type: text/plain\r\nContent-Type: application/json"),
            // other quotes, spaces, another end of a line: what some servers read as `name="a"`, and as another part
            part("name='a'"),
            part("name= \"a\""),
            part("name =\"a\""),
            part("name=a\t"),
            part("name=a b"),
            part("name=\"f\" x"),
            part("name=\"f\"\nContent-Disposition: form-data; name=\"a\""),
            format!("{HEAD}one\n--b\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\n2\r\n--b--"),
        ] {
            assert_eq!(parts(body.as_bytes(), "b"), None, "{body:?}");
        }
    }
}
