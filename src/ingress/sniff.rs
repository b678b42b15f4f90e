//! What do the first bytes speak? Pure.

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniff {
    /// A TLS handshake record (RFC 8446 §5.1).
    Tls,
    /// An HTTP request line, of whatever version and however sloppy.
    Http,
    /// Neither: SSH, a game, garbage.
    Other,
    /// Too few bytes to tell.
    NeedMore,
    /// What some servers answer and we cannot read: what they take it for, and the reason.
    Malformed(Resembles, &'static str),
}

/// What servers might take a malformed beginning for. Its client would understand an answer in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resembles {
    /// TLS.
    Tls,
    /// HTTP.
    Http,
}

/// `HANDSHAKE`, the record type that every TLS client begins with.
pub(super) const TLS_HANDSHAKE: u8 = 22;
/// `CLIENT-HELLO` of SSL 2.0.
const OLD_HELLO: u8 = 1;
/// By then a request line has told that it is one: empty lines, method and spaces are short.
const LONGEST: usize = 1024;

/// Tells what `first`, the beginning of a stream, speaks.
///
/// Once it has told, more bytes do not change the answer. It takes for HTTP whatever some server might: what is
/// taken for something else may be tunnelled unread, and that must not be a way around reading.
pub fn sniff(first: &[u8]) -> Sniff {
    let first = first.get(..=LONGEST).unwrap_or(first);
    match first {
        [] | [0x80..=0xff, ..] if first.len() < 3 => Sniff::NeedMore,
        // whatever the version says: some servers do not look at it
        [TLS_HANDSHAKE, ..] => Sniff::Tls,
        // RFC 8446 §5.1: some servers pass over an alert or another record and take a hello after it
        [20 | 21 | 23 | 24, ..] => Sniff::Malformed(Resembles::Tls, "a TLS record comes before the client hello"),
        // RFC 5246 §E.2: a client may speak TLS and begin in the format of SSL 2.0; it cannot name its host then
        [0x80..=0xff, _, OLD_HELLO, ..] => {
            Sniff::Malformed(Resembles::Tls, "the client hello has the format of SSL 2.0")
        }
        _ => sniff_http(first),
    }
}

fn sniff_http(first: &[u8]) -> Sniff {
    let line = after(first, |byte| matches!(byte, b'\r' | b'\n'));
    let rest = after(line, is_token);
    let target = after(rest, |byte| matches!(byte, b' ' | b'\t'));
    let (is_method, is_spaced) = (rest.len() < line.len(), target.len() < rest.len());
    match target {
        [] => more(first.len()),
        [b'/' | b'*', ..] if is_method && is_spaced => Sniff::Http,
        [_, ..] if is_method && is_spaced => sniff_target(target, first.len()),
        [_, ..] => Sniff::Other,
    }
}

/// Tells what has a target that is no path: it begins like the commands of many protocols.
fn sniff_target(target: &[u8], read: usize) -> Sniff {
    // RFC 9112 §3.2.2: servers take absolute-form, too, and some of them any scheme
    let scheme = after(target, |byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if scheme.starts_with(b"://") {
        return Sniff::Http;
    }
    // RFC 9112 §3.2.3: authority-form, and what else a server may make of a line that names the version
    let is_text = |byte: &u8| !byte.is_ascii_control() || b"\t\x0b\x0c".contains(byte);
    let line = target
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or(target);
    let is_whole = line.len() < target.len();
    let names_version = line.windows(5).any(|word| word.eq_ignore_ascii_case(b"HTTP/"));
    match (line.iter().all(is_text), is_whole) {
        (true, true) if names_version => Sniff::Http,
        (true, false) => more(read),
        (true, true) | (false, _) => Sniff::Other,
    }
}

/// So many bytes do not tell.
fn more(read: usize) -> Sniff {
    if read > LONGEST {
        Sniff::Malformed(Resembles::Http, "the first line is too long")
    } else {
        Sniff::NeedMore
    }
}

/// What follows the bytes at the beginning that are all `of` a kind.
fn after(bytes: &[u8], of: impl Fn(u8) -> bool) -> &[u8] {
    let length = bytes.iter().take_while(|byte| of(**byte)).count();
    bytes.get(length..).unwrap_or_default()
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_protocols_are_told_apart() {
        for (bytes, answer) in [
            (b"\x16\x03\x01\x02\x00\x01".as_slice(), Sniff::Tls),
            (b"\x16\x03", Sniff::Tls),
            (b"\x16", Sniff::Tls),
            (b"\x16\x02", Sniff::Tls),
            (
                b"\x15\x03\x01\x00\x02\x01\x5a\x16",
                Sniff::Malformed(Resembles::Tls, "a TLS record comes before the client hello"),
            ),
            (b"", Sniff::NeedMore),
            (b"GET / HTTP/1.1\r\n", Sniff::Http),
            (b"GE", Sniff::NeedMore),
            (b"get / HTTP/1.1\r\n", Sniff::Http),
            (b"\r\nPOST\t/x", Sniff::Http),
            (b"M-SEARCH * HTTP/1.1\r\n", Sniff::Http),
            (b"GET http://x.example/", Sniff::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Sniff::Http),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Sniff::Other),
            (b"NICK ada\r\n", Sniff::Other),
            (b"\x00\x01\x02", Sniff::Other),
            (b"\x80\x2e", Sniff::NeedMore),
            (b"\x80\x2e\x02\x03\x01", Sniff::Other),
            (b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n", Sniff::Other),
            (b"NICK hans\r\n", Sniff::Other),
            (b"GET ftp://x.example/", Sniff::Http),
            (b"GET ftp:", Sniff::NeedMore),
            (b"AN-UNUSUALLY-LONG-METHOD-NAME /", Sniff::Http),
            (b"CONNECT x.example:443 HTTP/1.1\r\n", Sniff::Http),
            (b"connect x.example:443\thttp/1.0\n", Sniff::Http),
            (b"GET ?a HTTP/1.1\r\n", Sniff::Http),
            (b"GET index.html  HTTP/1.1\r\n", Sniff::Http),
            (b"GET \xc3\xa9\x0bHTTP/1.1\r\n", Sniff::Http),
            (b"CONNECT x.example:443 HTTP/1.1", Sniff::NeedMore),
            (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", Sniff::Other),
            (b"USER ada", Sniff::NeedMore),
            (b"say \x01\x02", Sniff::Other),
            (
                b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nGET                      /",
                Sniff::Http,
            ),
        ] {
            assert_eq!(sniff(bytes), answer, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_servers_might_answer_and_we_cannot_read_is_malformed() {
        for bytes in [
            b"\x80\x2e\x01\x03\x01".to_vec(),
            b"\xff\xff\x01".to_vec(),
            vec![b'A'; LONGEST + 1],
            vec![b'\n'; LONGEST + 1],
            [b"GET ".to_vec(), vec![b'a'; LONGEST]].concat(),
        ] {
            assert!(
                matches!(sniff(&bytes), Sniff::Malformed(..)),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn an_answer_once_given_stands(
            bytes in proptest::collection::vec(proptest::prop_oneof![
                proptest::arbitrary::any::<u8>(),
                proptest::sample::select(b"\r\n \tGEThHTP/*\x16\x03".to_vec()),
            ], 0..60)
        ) {
            let whole = sniff(&bytes);
            let first = (0..=bytes.len()).map(|n| sniff(&bytes[..n])).find(|answer| *answer != Sniff::NeedMore);
            proptest::prop_assert_eq!(first.unwrap_or(Sniff::NeedMore), whole);
        }

        #[test]
        fn a_kilobyte_always_tells(bytes in proptest::collection::vec(proptest::sample::select(b"A \n:/".to_vec()), LONGEST + 1)) {
            proptest::prop_assert_ne!(sniff(&bytes), Sniff::NeedMore);
        }
    }
}
