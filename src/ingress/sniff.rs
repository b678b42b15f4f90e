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
}

/// `HANDSHAKE`, the record type that every TLS client begins with.
pub(super) const TLS_HANDSHAKE: u8 = 22;
/// Longest method we believe in; `BASELINE-CONTROL`, the longest registered one, has 16 letters.
const LONGEST_METHOD: usize = 24;
/// Empty lines that servers skip before a request line (RFC 9112 §2.2).
const MOST_BLANK: usize = 16;

/// Tells what `first`, the beginning of a stream, speaks.
///
/// Once it has told, more bytes do not change the answer. It takes for HTTP whatever some server might: what is
/// taken for something else may be tunnelled unread, and that must not be a way around reading.
pub fn sniff(first: &[u8]) -> Sniff {
    match first {
        [] | [TLS_HANDSHAKE] => Sniff::NeedMore,
        [TLS_HANDSHAKE, 3, ..] => Sniff::Tls,
        _ => sniff_http(first),
    }
}

fn sniff_http(first: &[u8]) -> Sniff {
    let blank = first.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if blank > MOST_BLANK {
        return Sniff::Other;
    }
    let line = first.get(blank..).unwrap_or_default();
    let method = line.iter().take_while(|b| is_token(**b)).count();
    if method > LONGEST_METHOD {
        return Sniff::Other;
    }
    let rest = line.get(method..).unwrap_or_default();
    let spaces = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match (method, rest.first(), rest.get(spaces)) {
        (_, None, _) => Sniff::NeedMore,
        (0, Some(_), _) => Sniff::Other,
        (_, Some(b' ' | b'\t'), None) if spaces <= MOST_BLANK => Sniff::NeedMore,
        (_, Some(b' ' | b'\t'), Some(b'/' | b'*' | b'h' | b'H')) if spaces <= MOST_BLANK => Sniff::Http,
        _ => Sniff::Other,
    }
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
            (b"\x16", Sniff::NeedMore),
            (b"\x16\x02", Sniff::Other),
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
            (b"\x80\x2e\x01\x03\x01", Sniff::Other),
            (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Sniff::Other),
        ] {
            assert_eq!(sniff(bytes), answer, "{}", bytes.escape_ascii());
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
        fn sixty_four_bytes_always_tell(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 64)) {
            proptest::prop_assert_ne!(sniff(&bytes), Sniff::NeedMore);
        }
    }
}
