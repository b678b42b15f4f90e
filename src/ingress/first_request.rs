//! Which host does the first request on a connection name? Reads an HTTP/1.x request head (RFC 9112 §2.1) from raw
//! bytes, for flows that are carried unread. Pure.
//!
//! A server may choose its site by this name alone, as it may by the name in a `ClientHello`.

use crate::facts::Authority;

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A whole head that names this host.
    Host(Authority),
    /// A whole head that names none: HTTP/1.0 without `Host`.
    Nothing,
    /// A good beginning.
    NeedMore,
    /// Not a head, and more bytes will not make it one; or a head that can be understood in two ways.
    Malformed(&'static str),
}

/// RFC 9113 §3.4.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the head that `first`, the beginning of a stream, holds.
///
/// Once it answers something else than `NeedMore`, more bytes do not change the answer.
pub(super) fn named(first: &[u8], most_fields: usize) -> Named {
    if first.starts_with(HTTP2_PREFACE) {
        return Named::Malformed(
            "the first bytes begin HTTP/2 in clear, whose requests are not looked at: use TLS or HTTP/1.1",
        );
    }
    if HTTP2_PREFACE.starts_with(first) {
        return Named::NeedMore;
    }
    let mut fields = vec![httparse::EMPTY_HEADER; most_fields];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(first) {
        Ok(httparse::Status::Complete(_)) => of_head(&request),
        Ok(httparse::Status::Partial) => Named::NeedMore,
        Err(_) => Named::Malformed("the first bytes begin like HTTP and are no request head"),
    }
}

fn of_head(request: &httparse::Request<'_, '_>) -> Named {
    let path = request.path.unwrap_or_default();
    if !(path.starts_with('/') || path == "*" || path.contains("://")) {
        // CONNECT, too: what would run inside of a tunnel inside of this one, nobody would look at
        return Named::Malformed("the first request asks for no path: servers do not agree on what it names");
    }
    let mut hosts = request
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("host"))
        .map(|field| field.value);
    let (host, None) = (hosts.next(), hosts.next()) else {
        return Named::Malformed("the first request has more than one Host field");
    };
    // RFC 9112 §3.2.2: a target in absolute form wins over `Host`; a server that does not know may still take the other
    let target = request.path.and_then(|path| path.split_once("://"));
    let target = target.map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default().as_bytes());
    let parsed = |text: &[u8]| Authority::parse(std::str::from_utf8(text).ok()?, Some(80)).ok();
    match (target, host) {
        (None, None) => Named::Nothing,
        (Some(one), None) | (None, Some(one)) => parsed(one).map_or(UNREADABLE, Named::Host),
        (Some(target), Some(host)) => match (parsed(target), parsed(host)) {
            (Some(target), Some(host)) if target == host => Named::Host(host),
            (Some(_), Some(_)) => Named::Malformed("the first request names two hosts"),
            (None, _) | (_, None) => UNREADABLE,
        },
    }
}

const UNREADABLE: Named = Named::Malformed("the first request names a host that cannot be read");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_names_one_host_or_none_or_is_refused() {
        let host = |text: &str| Named::Host(Authority::parse(text, Some(80)).unwrap());
        for (bytes, answer) in [
            ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\nbody", host("a.example")),
            (
                "GET / HTTP/1.1\r\nhOsT:\tA.Example.:8080\r\nX: y\r\n\r\n",
                host("a.example:8080"),
            ),
            ("\r\nGET / HTTP/1.1\nHost: a.example\n\n", host("a.example")),
            (
                "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n",
                host("a.example"),
            ),
            ("GET http://a.example?x HTTP/1.0\r\n\r\n", host("a.example")),
            ("GET / HTTP/1.0\r\n\r\n", Named::Nothing),
            ("PRI * HT", Named::NeedMore),
            ("GET / HTTP/1.1\r\nHost: a.example\r\n", Named::NeedMore),
            ("", Named::NeedMore),
        ] {
            assert_eq!(named(bytes.as_bytes(), 8), answer, "{bytes:?}");
        }
        for bytes in [
            "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
            "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.example b.example\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes",
            "PRI * HTTP/2.0\r\nHost: a.example\r\n\r\n",
            "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
            "GET ?a HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET index.html HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET b.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\n\r\n",
        ] {
            assert!(matches!(named(bytes.as_bytes(), 8), Named::Malformed(_)), "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_answer_once_given_stands(
            bytes in proptest::collection::vec(proptest::sample::select(b"GET / HTP1.\r\n:Hostab\xff".to_vec()), 0..80)
        ) {
            let whole = named(&bytes, 8);
            let first = (0..=bytes.len()).map(|n| named(&bytes[..n], 8)).find(|answer| *answer != Named::NeedMore);
            proptest::prop_assert_eq!(first.unwrap_or(Named::NeedMore), whole);
        }
    }
}
